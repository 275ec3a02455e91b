//! When the shutter is closed for a flat-field correction (FFC).
//!
//! A Lepton left to itself makes one every three minutes, and whenever it has warmed by 1.5 K; each
//! takes the picture away for about two seconds and lets it slide afterwards, often with somebody in
//! the middle of being measured. Where the camera can be told, the gateway does it instead: the same
//! three minutes and 1.5 K, but in an empty lobby. A lobby that is never empty does not stop it for
//! ever: the sensor's unevenness grows with time, so after [`AT_LATEST`] it is done whoever is there;
//! frames behind a shutter are never measured. Whether the picture has settled afterwards is not
//! decided here: the data say that.
//!
//! Source of three minutes and 1.5 K: FLIR Lepton Engineering Datasheet, 500-0659-00-09 rev. 203,
//! "FFC States" (the camera's own defaults).

use super::frame::Telemetry;
use crate::clock::Stamp;
use crate::units::Celsius;
use std::time::Duration;

/// Time after which a correction is due: the camera's own default.
pub const DUE_AFTER: Duration = Duration::from_mins(3);

/// Change of the sensor's temperature after which it is due, K: likewise.
pub const DUE_AFTER_K: f64 = 1.5;

/// The lobby must be empty for so long: somebody who was lost for a moment comes back sooner.
pub const EMPTY_FOR: Duration = Duration::from_secs(3);

/// Longest time without one, whoever is there.
pub const AT_LATEST: Duration = Duration::from_mins(10);

/// A camera that says what it does must show that it has obeyed by then.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Orders without an effect, after which the camera is left to itself again.
const MOST_UNANSWERED: u32 = 3;

/// What a camera is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FfcOrder {
    /// Make a correction now.
    Run,
    /// Decide by yourself again.
    Automatic,
}

/// Decides when.
#[derive(Clone, Debug, Default)]
pub struct FfcPolicy {
    /// When the last correction was, as far as it is known; else the first frame.
    last: Option<Stamp>,
    /// The camera's own time of it.
    told: Option<Duration>,
    /// The sensor's temperature then.
    fpa: Option<Celsius>,
    /// Since when nobody is there.
    empty: Option<Stamp>,
    /// An order of which nothing was seen yet.
    waiting: Option<Stamp>,
    unanswered: u32,
}

impl FfcPolicy {
    /// One frame. `occupied`: somebody is before the camera.
    pub fn step(&mut self, now: Stamp, telemetry: &Telemetry, occupied: bool) -> Option<FfcOrder> {
        self.empty = match self.empty {
            _ if occupied => None,
            None => Some(now),
            since => since,
        };
        let made = telemetry.shutter_closed == Some(true)
            || (telemetry.last_ffc.is_some() && telemetry.last_ffc != self.told);
        self.told = telemetry.last_ffc;
        if made || self.last.is_none_or(|last| now.since(&last).is_none()) {
            self.was_made(now, telemetry);
            self.unanswered = 0;
            return None;
        }
        if let Some(since) = self.waiting {
            let tells = telemetry.shutter_closed.is_some();
            let late = now.since(&since).is_none_or(|d| d >= ANSWER_WITHIN);
            if tells && !late {
                return None;
            }
            self.was_made(now, telemetry);
            self.unanswered += u32::from(tells);
            if self.unanswered == MOST_UNANSWERED {
                return Some(FfcOrder::Automatic);
            }
        }
        if self.unanswered >= MOST_UNANSWERED {
            return None;
        }
        let passed = self
            .last
            .and_then(|last| now.since(&last))
            .unwrap_or_default();
        let warmed = telemetry
            .fpa
            .zip(self.fpa)
            .is_some_and(|(now, then)| (now - then).kelvin().abs() >= DUE_AFTER_K);
        let due = passed >= DUE_AFTER || warmed || telemetry.ffc_wanted == Some(true);
        let empty = self
            .empty
            .and_then(|since| now.since(&since))
            .is_some_and(|d| d >= EMPTY_FOR);
        // What is wished for again and again right after one was made is not wished for.
        let again = passed < EMPTY_FOR;
        if passed >= AT_LATEST || (due && empty && !again) {
            self.waiting = Some(now);
            return Some(FfcOrder::Run);
        }
        None
    }

    fn was_made(&mut self, now: Stamp, telemetry: &Telemetry) {
        self.last = Some(now);
        self.fpa = telemetry.fpa;
        self.waiting = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use proptest::prelude::*;

    /// A camera that makes a correction when it is told to, and says so.
    struct Lepton {
        policy: FfcPolicy,
        second: u64,
        last_ffc: u64,
        obeys: bool,
        tells: bool,
        fpa: f64,
        wants: bool,
        orders: Vec<(u64, FfcOrder)>,
    }

    impl Lepton {
        fn new() -> Self {
            Self {
                policy: FfcPolicy::default(),
                second: 0,
                last_ffc: 0,
                obeys: true,
                tells: true,
                fpa: 30.0,
                wants: false,
                orders: Vec::new(),
            }
        }

        fn run(&mut self, seconds: u64, occupied: bool) -> &mut Self {
            for _ in 0..seconds {
                let telemetry = if self.tells {
                    Telemetry {
                        last_ffc: Some(Duration::from_secs(self.last_ffc)),
                        shutter_closed: Some(false),
                        fpa: Some(Celsius::literal(self.fpa)),
                        ffc_wanted: Some(self.wants),
                        ..Telemetry::default()
                    }
                } else {
                    Telemetry::default()
                };
                let now = Stamp {
                    boot: BootId(1),
                    monotonic: Duration::from_secs(self.second),
                    wall: WallTime(0),
                    trust: ClockTrust::Synchronised,
                };
                if let Some(order) = self.policy.step(now, &telemetry, occupied) {
                    self.orders.push((self.second, order));
                    if self.obeys && order == FfcOrder::Run {
                        self.last_ffc = self.second;
                    }
                }
                self.second += 1;
            }
            self
        }

        fn times(&self) -> Vec<u64> {
            let runs = self.orders.iter().filter(|(_, it)| *it == FfcOrder::Run);
            runs.map(|(second, _)| *second).collect()
        }
    }

    #[test]
    fn in_an_empty_lobby_it_is_done_every_three_minutes() {
        let mut lepton = Lepton::new();
        assert_eq!(lepton.run(600, false).times(), [180, 361, 542]);
    }

    #[test]
    fn somebody_who_is_measured_is_not_disturbed() {
        let mut lepton = Lepton::new();
        lepton.run(170, false).run(60, true);
        assert!(lepton.orders.is_empty());
        // Three seconds after they have left.
        assert_eq!(lepton.run(10, false).times(), [233]);
    }

    #[test]
    fn a_lobby_that_is_never_empty_stops_it_for_ten_minutes_at_most() {
        let mut lepton = Lepton::new();
        assert_eq!(lepton.run(1_300, true).times(), [600, 1_201]);
    }

    #[test]
    fn a_camera_that_warms_or_asks_for_it_gets_it_sooner() {
        let mut lepton = Lepton::new();
        lepton.run(20, false);
        lepton.fpa += 1.4;
        lepton.run(20, false);
        assert!(lepton.orders.is_empty());
        lepton.fpa += 0.2;
        assert_eq!(lepton.run(20, false).times(), [40]);
        lepton.wants = true;
        lepton.run(5, true);
        assert_eq!(lepton.times(), [40]);
        lepton.run(5, false);
        assert_eq!(lepton.times(), [40, 68]);
    }

    #[test]
    fn a_camera_that_does_not_obey_is_left_to_itself() {
        let mut lepton = Lepton::new();
        lepton.obeys = false;
        lepton.run(3_600, false);
        assert_eq!(lepton.times().len(), 3);
        let last = lepton.orders.last().map(|(_, order)| *order);
        assert_eq!(last, Some(FfcOrder::Automatic));
        assert_eq!(lepton.orders.len(), 4, "{:?}", lepton.orders);
    }

    #[test]
    fn a_camera_that_tells_nothing_is_told_by_the_clock() {
        let mut lepton = Lepton::new();
        lepton.tells = false;
        assert_eq!(lepton.run(600, false).times(), [180, 361, 542]);
    }

    proptest! {
        #[test]
        fn never_longer_than_ten_minutes_and_never_with_somebody_before_that(
            visits in proptest::collection::vec((1..400_u64, any::<bool>()), 1..40),
        ) {
            let mut lepton = Lepton::new();
            for (seconds, occupied) in visits {
                let before = lepton.times().len();
                let previous = lepton.times().last().copied().unwrap_or(0);
                lepton.run(seconds, occupied);
                let new: Vec<u64> = lepton.times()[before..].to_vec();
                let mut last = previous;
                for second in new {
                    prop_assert!(second - last <= AT_LATEST.as_secs() + 1);
                    prop_assert!(!occupied || second - last >= AT_LATEST.as_secs());
                    last = second;
                }
                prop_assert!(lepton.second - last <= AT_LATEST.as_secs() + 1);
            }
        }
    }
}
