//! A journal in memory that fails, blocks and goes blind when a test tells it to.

use crate::alert::{Alert, AlertState};
use crate::command::Notice;
use crate::event::Event;
use crate::id::{AlertId, DeviceEpoch, EventKey, Sequence};
use crate::journal::{Journal, JournalError, Recorded, Unfinished};
use crate::screening::Screening;
use std::sync::{Condvar, Mutex, MutexGuard};

#[derive(Default)]
pub(super) struct FakeJournal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    /// Nothing can be written.
    pub(super) broken: bool,
    /// Whoever writes waits until this is false.
    pub(super) blocked: bool,
    /// Nothing can be read.
    pub(super) blind: bool,
    /// Attempts to write.
    pub(super) tries: usize,
    pub(super) kept: Vec<Event>,
    pub(super) alerts: Vec<Alert>,
    /// Screenings that were to be counted though they are not saved.
    pub(super) unsaved: Vec<Screening>,
}

impl FakeJournal {
    pub(super) fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.look());
        self.changed.notify_all();
    }

    /// Waits until this is so.
    pub(super) fn until(&self, is_so: impl Fn(&State) -> bool) {
        let state = self.look();
        drop(self.changed.wait_while(state, |it| !is_so(it)).unwrap());
    }
}

fn read(state: &State) -> Result<&State, JournalError> {
    if state.blind {
        return Err(JournalError::Storage("told to be blind".to_owned()));
    }
    Ok(state)
}

fn find(alerts: &mut [Alert], id: AlertId) -> Result<&mut Alert, JournalError> {
    alerts
        .iter_mut()
        .find(|alert| alert.id == id)
        .ok_or(JournalError::UnknownAlert(id))
}

fn apply(alerts: &mut Vec<Alert>, event: &Event) -> Result<(), JournalError> {
    match event {
        Event::AlertRaised(alert) => alerts.insert(0, alert.clone()),
        Event::AlertAcknowledged { alert, by, at } => {
            let it = find(alerts, *alert)?;
            let next = it.clone().acknowledge(by, *at);
            *it = next.map_err(JournalError::Refused)?;
        }
        Event::AlertResolved {
            alert,
            by,
            at,
            outcome,
        } => {
            let it = find(alerts, *alert)?;
            let next = it.clone().resolve(by, *at, outcome.clone());
            *it = next.map_err(JournalError::Refused)?;
        }
        _ => {}
    }
    Ok(())
}

impl Journal for FakeJournal {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>, JournalError> {
        let mut state = self.look();
        state.tries += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |it| it.blocked).unwrap();
        if state.broken {
            return Err(JournalError::Storage("told to fail".to_owned()));
        }
        let mut alerts = state.alerts.clone();
        events.iter().try_for_each(|it| apply(&mut alerts, it))?;
        state.alerts = alerts;
        let first = state.kept.len() + 1;
        state.kept.extend_from_slice(events);
        self.changed.notify_all();
        let recorded = |(n, event): (usize, &Event)| Recorded {
            key: EventKey {
                epoch: DeviceEpoch("test".to_owned()),
                seq: Sequence((first + n) as u64),
            },
            event: event.clone(),
        };
        Ok(events.iter().enumerate().map(recorded).collect())
    }

    fn since(&self, _: Option<Sequence>, _: u32) -> Result<Vec<Recorded>, JournalError> {
        Ok(Vec::new())
    }

    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, JournalError> {
        let mut alerts = read(&self.look())?.alerts.clone();
        alerts.sort_by_key(|alert| matches!(alert.state, AlertState::Resolved { .. }));
        alerts.truncate(limit as usize);
        Ok(alerts)
    }

    fn alert(&self, id: AlertId) -> Result<Alert, JournalError> {
        let mut alerts = read(&self.look())?.alerts.clone();
        find(&mut alerts, id).cloned()
    }

    fn tally(
        &self,
        _: i64,
        unsaved: &[Screening],
    ) -> Result<Vec<(String, Option<String>, u64)>, JournalError> {
        self.look().unsaved = unsaved.to_vec();
        Ok(Vec::new())
    }

    fn notices(&self, _: i64) -> Result<Vec<Notice>, JournalError> {
        Ok(Vec::new())
    }

    fn unfinished(&self) -> Result<Unfinished, JournalError> {
        Ok(Unfinished::default())
    }
}
