//! The watch: looks after what happens without a frame and without anybody's hand.
//!
//! Ten times a second a thread looks whether an alert waits too long for somebody, whether something of
//! the gateway itself is out of order or in order again, and what of the alerts is not saved. What it
//! finds are events like all others, handed to the [`Recorder`], or notes for the pages. The rules are in
//! [`crate::alert::escalation`] and [`crate::alert::technical`]; here are only the looking and the telling.

use super::recorder::Recorder;
use crate::alert::escalation::{EscalationRules, Escalations};
use crate::alert::technical::{FaultWatch, OpenFaults, Sight, seen};
use crate::alert::{Alert, AlertState};
use crate::clock::{Clock, Stamp};
use crate::event::{Event, Fault};
use crate::id::AlertId;
use crate::journal::{Journal, Unfinished};
use crate::web::AlertNotes;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looks between two at what asks the disk: ten seconds.
const SLOW_LOOK: u32 = 100;

/// Alerts that are looked after at a time; those not resolved come first of all.
const MOST_ALERTS: u32 = 500;

/// How long a commit may take before the pages say that something is not saved yet.
const USUAL_COMMIT: Duration = Duration::from_millis(200);

/// How long one may take before this is a fault: SQLite itself waits so long for a lock.
const LONGEST_COMMIT: Duration = Duration::from_secs(6);

/// Looks at one thing.
pub type Look = Box<dyn FnMut(&Stamp) -> Sight + Send>;

/// What the watch needs.
pub struct WatchPorts {
    /// Takes the events, and says what is not saved.
    pub recorder: Recorder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The faults that are not over, whoever raised them.
    pub open_faults: Arc<Mutex<OpenFaults>>,
    /// Any other number than before: alerts have changed.
    pub changed: watch::Receiver<u64>,
    /// For the pages.
    pub notes: watch::Sender<Arc<AlertNotes>>,
    /// Bumped when the notes have changed.
    pub changes: watch::Sender<u64>,
    /// What is looked at each time: quick, and without the disk.
    pub quick: Vec<(Fault, Look)>,
    /// What is looked at every ten seconds.
    pub slow: Vec<(Fault, Look)>,
}

/// The watch.
pub struct Watch {
    ports: WatchPorts,
    escalations: Escalations,
    faults: FaultWatch,
    /// Alerts that are not resolved, as they were read last.
    pending: Vec<Alert>,
    looks: u32,
}

impl Watch {
    /// With what an earlier start has left: its faults are over, or will be seen again.
    #[must_use]
    pub fn new(mut ports: WatchPorts, rules: EscalationRules, left: Unfinished) -> Self {
        let at = ports.clock.now();
        let over = |fault| Event::FaultCleared { fault, at };
        ports
            .recorder
            .happened(left.faults.into_iter().map(over).collect());
        ports.changed.mark_changed();
        Self {
            ports,
            escalations: Escalations::new(rules, left.reminders),
            faults: FaultWatch::default(),
            pending: Vec::new(),
            looks: 0,
        }
    }

    /// Looks until told to stop.
    pub fn run(mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            self.look();
            thread::sleep(LOOK_EVERY);
        }
    }

    /// One look at everything.
    pub fn look(&mut self) {
        let now = self.ports.clock.now();
        self.read_alerts();
        let mut events = self.escalations.step(&self.pending, &now);
        events.extend(self.look_for_faults(&now));
        self.ports.recorder.happened(events);
        self.take_notes();
        self.looks = self.looks.wrapping_add(1);
    }

    fn read_alerts(&mut self) {
        // The sender lives in these ports: it cannot be gone.
        if !self.ports.changed.has_changed().unwrap_or(true) {
            return;
        }
        self.ports.changed.mark_unchanged();
        match self.ports.recorder.alerts(MOST_ALERTS) {
            Ok(mut alerts) => {
                alerts.retain(|alert| !matches!(alert.state, AlertState::Resolved { .. }));
                self.pending = alerts;
            }
            Err(error) => {
                tracing::error!("the alerts cannot be read: {error}");
                self.ports.changed.mark_changed();
            }
        }
    }

    fn look_for_faults(&mut self, now: &Stamp) -> Vec<Event> {
        let unsaved = self.ports.recorder.unsaved();
        let failing = unsaved.failing.is_some() || unsaved.waits >= LONGEST_COMMIT;
        let mut sights = vec![(Fault::StoreFailing, seen(failing))];
        let mut look = |at: &mut Vec<(Fault, Look)>| {
            sights.extend(at.iter_mut().map(|(fault, look)| (*fault, look(now))));
        };
        look(&mut self.ports.quick);
        let slow = self.looks.is_multiple_of(SLOW_LOOK);
        if slow {
            look(&mut self.ports.slow);
        }
        let mut events: Vec<Event> = sights
            .into_iter()
            .filter_map(|(fault, sight)| self.faults.see(fault, sight, now))
            .collect();
        if slow {
            let open = self.ports.open_faults.lock();
            events.extend(
                open.unwrap_or_else(PoisonError::into_inner)
                    .to_say_again(now),
            );
        }
        events
    }

    fn take_notes(&self) {
        let unsaved = self.ports.recorder.unsaved();
        let late = unsaved.failing.is_some() || unsaved.waits >= USUAL_COMMIT;
        let reminded = |alert: &Alert| -> Option<(AlertId, _)> {
            Some((alert.id, self.escalations.highest(alert)?))
        };
        let notes = AlertNotes {
            unsaved: if late { unsaved.alerts } else { [].into() },
            reminded: self.pending.iter().filter_map(reminded).collect(),
        };
        let news = self.ports.notes.send_if_modified(|shown| {
            let news = **shown != notes;
            *shown = Arc::new(notes);
            news
        });
        if news {
            self.ports.changes.send_modify(|n| *n += 1);
        }
    }
}

#[cfg(test)]
mod tests;
