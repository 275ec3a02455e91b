//! Between what happens and the disk: events are told at once and saved as soon as the disk lets them.
//!
//! A commit takes milliseconds on a good day and seconds on a worn card; a full disk takes none at
//! all. People at the door must hear of a fever in either case, and frames must be looked at. So
//! [`Recorder::happened`] never waits: it hands the events to whoever must know at once, puts them at the
//! end of a queue in memory, and a thread of its own ([`Recorder::run`]) saves them in order, as many at
//! a time as there are. What could not be saved stays in the queue and is tried again; nothing is given
//! up but by the process's end. A queue that memory does not hold would be years of a broken disk.
//!
//! Screenings, about which nobody does anything, are saved together: a commit of one writes as many pages
//! as a commit of fifty, and a card bears only so many. The first is saved at once, those that follow it
//! within a minute ([`TOGETHER`]) at its end, or as soon as anything else is to be saved. A power cut takes
//! at most that minute's screenings; never an alert, a fault or an act.
//!
//! To the pages the recorder is the journal: what it reads is the store's answer with the queue laid over
//! it, so that an alert stands on the page before it stands on the disk, and can be taken there. Whether
//! it is saved is told beside it ([`Recorder::unsaved`]), since a power cut would lose it.

use crate::alert::{Alert, AlertState};
use crate::clock::Clock;
use crate::command::Notice;
use crate::event::Event;
use crate::id::{AlertId, Sequence};
use crate::journal::{Journal, JournalError, Recorded, Unfinished};
use crate::screening::Screening;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pause before events that could not be saved are tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Screenings are saved at most once in so long. 3000 people a day write some 150 MiB one by one.
pub const TOGETHER: Duration = Duration::from_mins(1);

/// Told of events at once, before they are saved; must return at once.
pub type WhenHappened = Box<dyn Fn(&[Event]) + Send + Sync>;

/// Told of what was saved.
pub type WhenRecorded = Box<dyn FnMut(&[Recorded]) + Send>;

/// The recorder. Clones share one queue.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

struct Inner {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    happened: WhenHappened,
    together: Duration,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// The last list that could be read, for a disk that does not even do that any more.
    last_read: Mutex<Vec<Alert>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Since when events are being saved, where they are.
    saving: Option<Duration>,
    /// Whether the last attempt saved something, so that screenings may wait.
    saved: bool,
    /// Why the last attempt failed; `None` after one that did not.
    failing: Option<String>,
    closed: bool,
}

/// An event that is to be saved.
struct Waiting {
    event: Event,
    /// When it happened, since the start.
    since: Duration,
}

/// What is not on the disk yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unsaved {
    /// How many events.
    pub events: usize,
    /// How long the oldest of them has waited that may not wait, or how long they are being saved.
    pub waits: Duration,
    /// The alerts that they concern.
    pub alerts: BTreeSet<AlertId>,
    /// Why the last attempt failed; `None` after one that did not.
    pub failing: Option<String>,
}

/// The alert that an event concerns.
const fn concerned(event: &Event) -> Option<AlertId> {
    match event {
        Event::AlertRaised(alert) => Some(alert.id),
        Event::AlertAcknowledged { alert, .. }
        | Event::AlertResolved { alert, .. }
        | Event::AlertReminded { alert, .. } => Some(*alert),
        _ => None,
    }
}

/// The alert after an act, where the event is one; an error where its state does not allow it.
fn acted(alert: Alert, event: &Event) -> Result<Alert, JournalError> {
    match event {
        Event::AlertAcknowledged { by, at, .. } => alert.acknowledge(by, *at),
        Event::AlertResolved {
            by, at, outcome, ..
        } => alert.resolve(by, *at, outcome.clone()),
        _ => Ok(alert),
    }
    .map_err(JournalError::Refused)
}

/// Lays events over a list of alerts. What the list knows already changes nothing.
fn lay_over(alerts: &mut Vec<Alert>, events: &[Event]) {
    for event in events {
        if let Event::AlertRaised(new) = event {
            if alerts.iter().all(|alert| alert.id != new.id) {
                alerts.insert(0, new.clone());
            }
        } else if let Some(id) = concerned(event)
            && let Some(alert) = alerts.iter_mut().find(|alert| alert.id == id)
            && let Ok(next) = acted(alert.clone(), event)
        {
            *alert = next;
        }
    }
    // The order of the list stays: those not resolved first, each newest first.
    alerts.sort_by_key(|alert| matches!(alert.state, AlertState::Resolved { .. }));
}

/// Whether it may be saved a little later than it happens: nobody does anything about it.
const fn may_wait(event: &Event) -> bool {
    matches!(event, Event::Screened(_))
}

impl Queue {
    /// Whether something is to be saved at once.
    fn is_urgent(&self) -> bool {
        self.closed || self.waiting.iter().any(|it| !may_wait(&it.event))
    }
}

impl Recorder {
    /// With an empty queue before this journal. Screenings are saved at most once in [`TOGETHER`].
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>, happened: WhenHappened) -> Self {
        Self::gathering(journal, clock, happened, TOGETHER)
    }

    fn gathering(
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        happened: WhenHappened,
        together: Duration,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                journal,
                clock,
                happened,
                together,
                queue: Mutex::default(),
                changed: Condvar::new(),
                last_read: Mutex::default(),
            }),
        }
    }

    /// These have happened: tells whoever must know at once, and has them saved. Never waits.
    pub fn happened(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let since = self.now();
        let told = events.clone();
        let waiting = events.into_iter().map(|event| Waiting { event, since });
        self.queue().waiting.extend(waiting);
        self.inner.changed.notify_all();
        (self.inner.happened)(&told);
    }

    /// What is not on the disk yet.
    #[must_use]
    pub fn unsaved(&self) -> Unsaved {
        let now = self.now();
        let queue = self.queue();
        let urgent = queue.waiting.iter().filter(|it| !may_wait(&it.event));
        let urgent = urgent.map(|it| it.since);
        Unsaved {
            events: queue.waiting.len(),
            waits: urgent
                .chain(queue.saving)
                .map(|since| now.saturating_sub(since))
                .max()
                .unwrap_or_default(),
            alerts: queue
                .waiting
                .iter()
                .filter_map(|it| concerned(&it.event))
                .collect(),
            failing: queue.failing.clone(),
        }
    }

    /// Nothing more will happen: [`run`](Self::run) saves what there is and ends.
    pub fn close(&self) {
        self.queue().closed = true;
        self.inner.changed.notify_all();
    }

    /// Saves until closed; blocks in the disk. What could not be saved by then is said in the log.
    pub fn run(&self, mut recorded: WhenRecorded) {
        while let Some(events) = self.next() {
            match self.inner.journal.record(&events) {
                Ok(done) => {
                    self.done(events.len());
                    recorded(&done);
                }
                Err(JournalError::Storage(why)) => {
                    if self.failed(events.len(), why) {
                        break;
                    }
                }
                // An act that came too late: somebody else was quicker. Each on its own, so that the
                // others are kept.
                Err(_) => {
                    for event in &events {
                        match self.inner.journal.record(std::slice::from_ref(event)) {
                            Ok(done) => recorded(&done),
                            Err(JournalError::Storage(why)) => {
                                if self.failed(events.len(), why) {
                                    return;
                                }
                                break;
                            }
                            Err(refused) => tracing::error!("not kept: {refused}: {event:?}"),
                        }
                        self.done(1);
                    }
                }
            }
        }
    }

    /// All that waits, as soon as something is to be saved; `None` once closed and empty.
    fn next(&self) -> Option<Vec<Event>> {
        let mut queue = self.queue();
        if queue.saved {
            (queue, _) = self
                .inner
                .changed
                .wait_timeout_while(queue, self.inner.together, |queue| !queue.is_urgent())
                .unwrap_or_else(PoisonError::into_inner);
        }
        queue = self
            .inner
            .changed
            .wait_while(queue, |queue| queue.waiting.is_empty() && !queue.closed)
            .unwrap_or_else(PoisonError::into_inner);
        queue.saving = (!queue.waiting.is_empty()).then(|| self.now());
        queue.saving?;
        Some(queue.waiting.iter().map(|it| it.event.clone()).collect())
    }

    /// The first so many are on the disk.
    fn done(&self, count: usize) {
        let mut queue = self.queue();
        queue.waiting.drain(..count);
        (queue.saving, queue.saved) = (None, true);
        if queue.failing.take().is_some() {
            tracing::info!("events are saved again");
        }
    }

    /// Waits a little before the next attempt. Whether this was the last one.
    fn failed(&self, count: usize, why: String) -> bool {
        let mut queue = self.queue();
        queue.saved = false;
        if queue.failing.as_ref() != Some(&why) {
            tracing::error!("{count} events wait to be saved: {why}");
            queue.failing = Some(why);
        }
        if queue.closed {
            tracing::error!(
                "{} events could not be saved before the end",
                queue.waiting.len()
            );
            return true;
        }
        let (queue, _) = self
            .inner
            .changed
            .wait_timeout_while(queue, AGAIN_AFTER, |queue| !queue.closed)
            .unwrap_or_else(PoisonError::into_inner);
        drop(queue);
        false
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.inner
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Since the start.
    fn now(&self) -> Duration {
        self.inner.clock.now().monotonic
    }

    fn waiting(&self) -> Vec<Event> {
        let queue = self.queue();
        queue.waiting.iter().map(|it| it.event.clone()).collect()
    }

    /// An act upon an alert that is not saved, or upon which another act is not: it goes behind that into
    /// the queue, judged by the same rules. `None` where all of it is on the disk.
    fn act_in_memory(&self, event: &Event) -> Option<Result<(), JournalError>> {
        let id = concerned(event)?;
        if self
            .waiting()
            .iter()
            .all(|event| concerned(event) != Some(id))
        {
            return None;
        }
        let saved = self.inner.journal.alert(id).ok();
        let now = self.now();
        let mut queue = self.queue();
        let mut alerts: Vec<Alert> = saved.into_iter().collect();
        let waiting: Vec<Event> = queue
            .waiting
            .iter()
            .filter(|it| concerned(&it.event) == Some(id))
            .map(|it| it.event.clone())
            .collect();
        if waiting.is_empty() {
            return None;
        }
        lay_over(&mut alerts, &waiting);
        let next = acted(alerts.pop()?, event);
        if next.is_ok() {
            queue.waiting.push_back(Waiting {
                event: event.clone(),
                since: now,
            });
        }
        drop(queue);
        self.inner.changed.notify_all();
        Some(next.map(|_| ()))
    }
}

/// The store's answers with the queue laid over them. The queue is read first: what is saved in between
/// is then seen twice and counted once, and never missed.
impl Journal for Recorder {
    /// Acts of staff: they wait for the disk and are told when it fails, unless what they act upon is
    /// itself not saved yet. What goes into the queue has no number yet and is not in the answer.
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>, JournalError> {
        if let [event] = events
            && let Some(done) = self.act_in_memory(event)
        {
            done?;
            (self.inner.happened)(events);
            return Ok(Vec::new());
        }
        let recorded = self.inner.journal.record(events)?;
        (self.inner.happened)(events);
        Ok(recorded)
    }

    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, JournalError> {
        let waiting = self.waiting();
        let mut last = self
            .inner
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match self.inner.journal.alerts(limit) {
            Ok(alerts) => last.clone_from(&alerts),
            Err(error) if waiting.is_empty() => return Err(error),
            // Nothing can be read and something cannot be saved: better the list of a moment ago, and
            // the fault above it, than an alert that nobody sees.
            Err(error) => tracing::error!("the alerts cannot be read: {error}"),
        }
        let mut alerts = last.clone();
        drop(last);
        lay_over(&mut alerts, &waiting);
        alerts.truncate(limit as usize);
        Ok(alerts)
    }

    fn alert(&self, id: AlertId) -> Result<Alert, JournalError> {
        let waiting = self.waiting();
        let mut alerts: Vec<Alert> = match self.inner.journal.alert(id) {
            Ok(alert) => vec![alert],
            Err(JournalError::UnknownAlert(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        lay_over(&mut alerts, &waiting);
        alerts
            .into_iter()
            .find(|alert| alert.id == id)
            .ok_or(JournalError::UnknownAlert(id))
    }

    fn tally(
        &self,
        since_wall_ms: i64,
        unsaved: &[Screening],
    ) -> Result<Vec<(String, Option<String>, u64)>, JournalError> {
        let waiting = self.waiting().into_iter().filter_map(|event| match event {
            Event::Screened(it) => Some(it),
            _ => None,
        });
        let unsaved: Vec<_> = unsaved.iter().copied().chain(waiting).collect();
        self.inner.journal.tally(since_wall_ms, &unsaved)
    }

    /// Those that are not saved yet have no number, and come when they have one.
    fn since(&self, event: Option<Sequence>, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        self.inner.journal.since(event, limit)
    }

    fn notices(&self, at_wall_ms: i64) -> Result<Vec<Notice>, JournalError> {
        self.inner.journal.notices(at_wall_ms)
    }

    fn unfinished(&self) -> Result<Unfinished, JournalError> {
        self.inner.journal.unfinished()
    }
}

#[cfg(test)]
mod tests;
