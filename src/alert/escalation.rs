//! Who is told of an alert that waits: the guard again after 2 minutes, the property manager after
//! 5, the street office after 15 (each can be set, or switched off); and once more whoever has taken
//! an alert and recorded no outcome for 15 minutes.
//!
//! The first three figures are the and a site's to change; the last is ours: a contact
//! thermometer needs about a minute, a talk some more, and a card that is never closed is worth a word.
//!
//! **Which clock.** Within one start of the gateway by monotonic time, which nobody can step. Across
//! starts there is only the wall clock, and it counts only where it was set by the network at both
//! ends. Where it was not, the wait is counted anew from this start: a device without a clock battery
//! wakes in 1970 or in last week, and a false "waits since 50 years" at the street office would teach
//! people to ignore the true one. The price is a reminder that comes late by the time of the outage;
//! the alert itself stands open on the page all the while. A wait is never shorter than this start is old.
//!
//! **Once.** What was given is taken from the journal at the start, so that a restart tells nobody twice;
//! steps that fell due while the gateway was down are given, each once, when it is back.

use super::{Alert, AlertState};
use crate::clock::{ClockTrust, Stamp};
use crate::event::{Escalation, Event};
use crate::id::AlertId;
use std::time::Duration;

/// How long an alert waits before somebody is told; `None`: nobody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EscalationRules {
    /// Nobody has taken it: the guard is reminded.
    pub reminder: Option<Duration>,
    /// The property manager is told.
    pub manager: Option<Duration>,
    /// The street office is told.
    pub street: Option<Duration>,
    /// Somebody has taken it and no outcome is recorded: whoever took it is reminded.
    pub outcome: Option<Duration>,
}

impl Default for EscalationRules {
    fn default() -> Self {
        Self {
            reminder: Some(Duration::from_mins(2)),
            manager: Some(Duration::from_mins(5)),
            street: Some(Duration::from_mins(15)),
            outcome: Some(Duration::from_mins(15)),
        }
    }
}

impl EscalationRules {
    /// The wait before a step for an alert that nobody has taken.
    const fn wait(&self, level: Escalation) -> Option<Duration> {
        match level {
            Escalation::Reminder => self.reminder,
            Escalation::Manager => self.manager,
            Escalation::Street => self.street,
        }
    }
}

/// A step that was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reminder {
    /// For which alert.
    pub alert: AlertId,
    /// Who was told.
    pub level: Escalation,
    /// When.
    pub at: Stamp,
}

/// The steps that were taken, for alerts that are not resolved.
#[derive(Clone, Debug)]
pub struct Escalations {
    rules: EscalationRules,
    given: Vec<Reminder>,
}

/// How long something has lasted, as far as can be known; see the module's page.
#[must_use]
pub fn waited(since: &Stamp, now: &Stamp) -> Duration {
    if since.boot == now.boot {
        return now.since(since).unwrap_or_default();
    }
    let synced = |stamp: &Stamp| stamp.trust == ClockTrust::Synchronised;
    let between = now.wall.0.saturating_sub(since.wall.0);
    match u64::try_from(between) {
        Ok(ms) if synced(since) && synced(now) => Duration::from_millis(ms).max(now.monotonic),
        _ => now.monotonic,
    }
}

impl Escalations {
    /// With what the journal knows to have been given.
    #[must_use]
    pub const fn new(rules: EscalationRules, given: Vec<Reminder>) -> Self {
        Self { rules, given }
    }

    /// The steps that are due now. `alerts` are all that are not resolved; others are forgotten.
    pub fn step(&mut self, alerts: &[Alert], now: &Stamp) -> Vec<Event> {
        self.given
            .retain(|reminder| alerts.iter().any(|alert| alert.id == reminder.alert));
        let due: Vec<Reminder> = alerts
            .iter()
            .flat_map(|alert| {
                self.due(alert, now).into_iter().map(|level| Reminder {
                    alert: alert.id,
                    level,
                    at: *now,
                })
            })
            .collect();
        self.given.extend(&due);
        due.into_iter()
            .map(|Reminder { alert, level, at }| Event::AlertReminded { alert, level, at })
            .collect()
    }

    /// How far an alert has been carried since it is in its state.
    #[must_use]
    pub fn highest(&self, alert: &Alert) -> Option<Escalation> {
        self.of(alert).map(|reminder| reminder.level).max()
    }

    fn due(&self, alert: &Alert, now: &Stamp) -> Vec<Escalation> {
        let not_given = |level: &Escalation| self.of(alert).all(|it| it.level != *level);
        let over = |since: &Stamp, wait: Option<Duration>| {
            wait.is_some_and(|wait| waited(since, now) >= wait)
        };
        match &alert.state {
            AlertState::Open => Escalation::ALL
                .into_iter()
                .filter(|level| over(&alert.raised, self.rules.wait(*level)))
                .filter(not_given)
                .collect(),
            AlertState::Acknowledged { at, .. } if over(at, self.rules.outcome) => {
                let level = Escalation::Reminder;
                not_given(&level).then_some(level).into_iter().collect()
            }
            AlertState::Acknowledged { .. } | AlertState::Resolved { .. } => Vec::new(),
        }
    }

    /// What was given for this alert since it came into its state: a reminder that nobody had taken it
    /// is no reminder of the outcome.
    fn of(&self, alert: &Alert) -> impl Iterator<Item = &Reminder> {
        let id = alert.id;
        let since = match &alert.state {
            AlertState::Acknowledged { at, .. } => Some((at.boot, at.monotonic)),
            AlertState::Open | AlertState::Resolved { .. } => None,
        };
        self.given
            .iter()
            .filter(move |it| it.alert == id && Some((it.at.boot, it.at.monotonic)) >= since)
    }
}

#[cfg(test)]
mod tests;
