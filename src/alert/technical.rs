//! Technical alerts: when a fault of the gateway itself is told, and when it is over.
//!
//! They are kept apart from fever alerts everywhere: other events, another topic, their own place on the
//! page, no form. A fault is raised when it has been seen for a while without a break, and cleared when it
//! has not been seen for a while, so that a broker that comes and goes is one fault and not forty. What
//! lies between ill and well (a link that was told to stop) leaves things as they are.
//!
//! Faults of the camera, the reference and the calibration have rules of their own, in
//! [`crate::thermal`] and the pipeline, where frames and not seconds count. All meet in [`OpenFaults`],
//! which shows what is open and says once a day what still is: a fault that nobody mends is not news every
//! minute, and not forgotten either. A new start knows of no fault: what the last one left open is
//! cleared, and raised again where it is still there.

use crate::clock::{ClockTrust, Stamp};
use crate::event::{Event, Fault};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two tellings of a fault that stays.
const SAY_AGAIN_AFTER: Duration = Duration::from_hours(24);

/// What the gateway sees of one fault now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nothing of it.
    Well,
    /// Neither well nor ill, or not to be known now.
    Between,
    /// It is there.
    Ill,
}

/// How long a fault is seen before it is raised, and not seen before it is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Patience {
    ill: Duration,
    well: Duration,
}

const fn patience(ill_s: u64, well_s: u64) -> Patience {
    Patience {
        ill: Duration::from_secs(ill_s),
        well: Duration::from_secs(well_s),
    }
}

impl Patience {
    /// Of each fault that is judged here.
    const fn with(fault: Fault) -> Self {
        match fault {
            // A broker's restart takes seconds; a guard who is told of each stops reading.
            Fault::BrokerAway => patience(60, 10),
            // The network sets the clock within some minutes of a start, or not at all.
            Fault::ClockUnset => patience(600, 0),
            // A log rotation or a backup frees what it took.
            Fault::DiskLow => patience(10, 60),
            // What cannot be saved is said at once, and is over once all is saved.
            _ => patience(0, 0),
        }
    }
}

/// How a clock looks.
#[must_use]
pub const fn clock(trust: ClockTrust) -> Sight {
    match trust {
        ClockTrust::Synchronised => Sight::Well,
        ClockTrust::Unsynchronised => Sight::Ill,
    }
}

/// Whether something is there, without a between.
#[must_use]
pub const fn seen(ill: bool) -> Sight {
    if ill { Sight::Ill } else { Sight::Well }
}

/// One fault under watch.
#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    raised: bool,
    /// Since when it looks other than what was said.
    turned: Option<Stamp>,
}

/// Watches faults, each by its patience.
#[derive(Clone, Debug, Default)]
pub struct FaultWatch {
    watched: BTreeMap<Fault, Watched>,
}

impl FaultWatch {
    /// What is seen of a fault now; what there is to say of it, if anything.
    pub fn see(&mut self, fault: Fault, sight: Sight, now: &Stamp) -> Option<Event> {
        let watched = self.watched.entry(fault).or_default();
        let turned = match sight {
            Sight::Between => false,
            Sight::Ill => !watched.raised,
            Sight::Well => watched.raised,
        };
        if !turned {
            watched.turned = None;
            return None;
        }
        let since = *watched.turned.get_or_insert(*now);
        let patience = Patience::with(fault);
        let wait = if watched.raised {
            patience.well
        } else {
            patience.ill
        };
        if now.since(&since).is_none_or(|lasted| lasted < wait) {
            return None;
        }
        *watched = Watched {
            raised: !watched.raised,
            turned: None,
        };
        let at = *now;
        Some(if watched.raised {
            Event::FaultRaised { fault, at }
        } else {
            Event::FaultCleared { fault, at }
        })
    }
}

/// A fault that is not over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenFault {
    /// Which.
    pub fault: Fault,
    /// Since when.
    pub since: Stamp,
    /// When it was told last.
    told: Stamp,
}

/// The faults that are not over, oldest first.
#[derive(Clone, Debug, Default)]
pub struct OpenFaults {
    open: Vec<OpenFault>,
}

impl OpenFaults {
    /// Takes note of an event. Whether anything has changed.
    pub fn note(&mut self, event: &Event) -> bool {
        match event {
            Event::FaultRaised { fault, at } => {
                if let Some(open) = self.open.iter_mut().find(|it| it.fault == *fault) {
                    open.told = *at;
                    return false;
                }
                self.open.push(OpenFault {
                    fault: *fault,
                    since: *at,
                    told: *at,
                });
                true
            }
            Event::FaultCleared { fault, .. } => {
                let before = self.open.len();
                self.open.retain(|it| it.fault != *fault);
                self.open.len() < before
            }
            _ => false,
        }
    }

    /// What has been open for a day since it was told last.
    #[must_use]
    pub fn to_say_again(&self, now: &Stamp) -> Vec<Event> {
        let old = |open: &&OpenFault| {
            now.since(&open.told)
                .is_some_and(|lasted| lasted >= SAY_AGAIN_AFTER)
        };
        self.open
            .iter()
            .filter(old)
            .map(|open| Event::FaultRaised {
                fault: open.fault,
                at: *now,
            })
            .collect()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[OpenFault] {
        &self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::stamp;
    use Sight::{Ill, Well};

    /// Steps of a second each; what was said, with its second.
    fn said(fault: Fault, sights: impl IntoIterator<Item = Sight>) -> Vec<(u64, bool)> {
        let mut watch = FaultWatch::default();
        (0..)
            .zip(sights)
            .filter_map(|(second, sight)| {
                let event = watch.see(fault, sight, &stamp(second * 1000))?;
                Some((second, matches!(event, Event::FaultRaised { .. })))
            })
            .collect()
    }

    fn lasting(parts: &[(Sight, usize)]) -> Vec<Sight> {
        let repeat = |(sight, seconds): &(Sight, usize)| std::iter::repeat_n(*sight, *seconds);
        parts.iter().flat_map(repeat).collect()
    }

    #[test]
    fn a_broker_that_comes_and_goes_is_one_fault() {
        let mut flaps = lasting(&[(Ill, 90)]);
        for _ in 0..40 {
            flaps.extend(lasting(&[(Well, 5), (Ill, 5)]));
        }
        flaps.extend(lasting(&[(Well, 60)]));
        assert_eq!(said(Fault::BrokerAway, flaps), [(60, true), (500, false)]);
        // A restart is none.
        let restart = lasting(&[(Well, 5), (Ill, 59), (Well, 100)]);
        assert_eq!(said(Fault::BrokerAway, restart), []);
    }

    #[test]
    fn what_cannot_be_saved_is_said_at_once() {
        let sights = lasting(&[(Well, 3), (Ill, 2), (Well, 3)]);
        assert_eq!(said(Fault::StoreFailing, sights), [(3, true), (5, false)]);
    }

    #[test]
    fn a_clock_that_the_network_sets_in_time_is_no_fault() {
        let sights = lasting(&[(clock(ClockTrust::Unsynchronised), 600), (Well, 10)]);
        assert_eq!(said(Fault::ClockUnset, sights), []);
        let sights = lasting(&[(Ill, 700), (Well, 10)]);
        assert_eq!(said(Fault::ClockUnset, sights), [(600, true), (700, false)]);
    }

    #[test]
    fn an_open_fault_is_said_again_once_a_day_and_keeps_its_beginning() {
        let fault = Fault::CameraFrozen;
        let mut open = OpenFaults::default();
        assert!(open.note(&Event::FaultRaised {
            fault,
            at: stamp(5)
        }));
        let day = 86_400_000;
        let mut again = Vec::new();
        for minute in 0..4000 {
            let now = stamp(minute * 60_000);
            for event in open.to_say_again(&now) {
                again.push(minute);
                assert!(!open.note(&event));
            }
        }
        assert_eq!(again, [1441, 2881]);
        assert_eq!((open.all().len(), open.all()[0].since), (1, stamp(5)));
        let at = stamp(3 * day);
        assert!(!open.note(&Event::FaultCleared {
            fault: Fault::DiskLow,
            at
        }));
        assert!(open.note(&Event::FaultCleared { fault, at }));
        assert!(open.all().is_empty());
    }
}
