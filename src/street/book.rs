//! What is known of each gate, message by message: the pages' memory, refilled from the ledger. Pure.
//!
//! A [`Book`] hears the same message any number of times and in any order, and knows the same. What it keeps of one
//! gate is bounded, whatever that gate sends.

use super::record::{Logged, State};
use super::said::{
    self, AlertKind, Checklist, FollowUp, OpenAlerts, Reading, Report, Status, Unreadable,
};
use crate::calendar::Date;
use crate::checklist::AlertEnd;
use crate::clock::WallTime;
use crate::event::Fault;
use crate::mqtt::Address;
use std::collections::BTreeMap;

/// Alerts that are kept of one gate; a gate names at most 200 open ones.
const MOST_ALERTS: usize = 400;
/// Parts of one gate's reports of a day, over all revisions.
const MOST_PARTS: usize = 200;
/// Days of which one gate's reports are kept.
const MOST_DAYS: usize = 40;
/// Messages that could not be read, of one gate.
const MOST_UNREADABLE: usize = 20;

/// How something stands, and since when it has been said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Stands<T> {
    /// What was said.
    pub reading: Reading<T>,
    /// When it came.
    pub received: WallTime,
}

impl<T> Stands<T> {
    /// What was said, where it could be read.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.reading.as_ref().ok().map(|said| &said.it)
    }
}

/// An alert, as far as its letters have told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alert {
    /// When it was raised: by the gate's clock, where that could be believed, else when that was heard.
    pub raised: Option<WallTime>,
    /// When it was heard that it was raised.
    pub heard: Option<WallTime>,
    /// What was measured.
    pub value: Option<String>,
    /// Whether it was old news when it came: no siren.
    pub late: bool,
    /// Whether somebody has taken it.
    pub taken: bool,
    /// Whether the gate says that the street is to know: it waits.
    pub to_street: bool,
    /// When it was heard that it is over, and how it ended.
    pub over: Option<(WallTime, Option<AlertEnd>)>,
    /// Last word of it.
    last: WallTime,
}

/// A report with all its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// The report.
    pub report: Report,
    /// When its last part came.
    pub received: WallTime,
    /// Whether one of its parts is of a newer version.
    pub newer: bool,
}

/// The parts of a day's reports, by revision and part.
type Parts = BTreeMap<(u32, u32), (Report, WallTime, bool)>;

/// What is known of one gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Whose.
    pub address: Address,
    /// Whether it is there.
    pub status: Option<Stands<Status>>,
    /// Its open alerts.
    pub open_alerts: Option<Stands<OpenAlerts>>,
    /// Its faults, and how many there are that this program does not know.
    pub faults: Option<Stands<(Vec<Fault>, usize)>>,
    /// Today's round.
    pub checklist: Option<Stands<Checklist>>,
    /// The people who are followed.
    pub follow_up: Option<Stands<FollowUp>>,
    /// States that this program does not know.
    pub unknown: Vec<String>,
    /// Its alerts, by id.
    pub alerts: BTreeMap<String, Alert>,
    /// Letters that could not be read, by when they came and their name; the newest of them.
    pub unreadable: BTreeMap<(WallTime, String), Unreadable>,
    reports: BTreeMap<Date, Parts>,
    /// When it was heard last.
    pub heard: WallTime,
}

/// What is known of all gates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book(BTreeMap<String, Page>);

impl Book {
    /// The gates, by street, building and gate.
    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.0.values()
    }

    /// One of them.
    #[must_use]
    pub fn page(&self, site: &Address) -> Option<&Page> {
        self.0.get(&site.to_string())
    }

    fn open(&mut self, site: &Address) -> &mut Page {
        self.0
            .entry(site.to_string())
            .or_insert_with(|| Page::empty(site.clone()))
    }

    /// How everything stands: all of it, for what is not in there stands no more.
    pub fn stand(&mut self, states: &[State]) {
        for page in self.0.values_mut() {
            page.forget_states();
        }
        for state in states {
            self.open(&state.site).stand(state);
        }
    }

    /// Letters, in any order.
    pub fn hear(&mut self, letters: &[Logged]) {
        // Newest first, as the ledger gives them; what happened is told from its beginning.
        for letter in letters.iter().rev() {
            self.open(&letter.site).hear(letter);
        }
    }
}

impl Page {
    /// Nothing is known.
    fn empty(address: Address) -> Self {
        Self {
            address,
            status: None,
            open_alerts: None,
            faults: None,
            checklist: None,
            follow_up: None,
            unknown: Vec::new(),
            alerts: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            reports: BTreeMap::new(),
            heard: WallTime(i64::MIN),
        }
    }

    fn forget_states(&mut self) {
        (self.status, self.open_alerts, self.faults) = (None, None, None);
        (self.checklist, self.follow_up) = (None, None);
        self.unknown.clear();
    }

    fn stand(&mut self, state: &State) {
        let (payload, received) = (state.payload.as_slice(), state.received);
        self.heard = self.heard.max(received);
        match state.name.as_str() {
            "gateway" => self.status = Some(stands(said::status(payload), received)),
            "alerts" => self.open_alerts = Some(stands(said::open_alerts(payload), received)),
            "faults" => self.faults = Some(stands(said::faults(payload), received)),
            "checklist" => self.checklist = Some(stands(said::checklist(payload), received)),
            "followup" => self.follow_up = Some(stands(said::follow_up(payload), received)),
            other => self.unknown.push(other.to_owned()),
        }
    }

    fn hear(&mut self, letter: &Logged) {
        self.heard = self.heard.max(letter.received);
        let result = match letter.name.parse::<Date>() {
            Ok(date) => self.hear_report(date, letter),
            Err(_) if letter.name == "alert" => self.hear_alert(letter),
            Err(_) => Ok(()),
        };
        if let Err(why) = result {
            let key = (letter.received, letter.name.clone());
            self.unreadable.insert(key, why);
            if self.unreadable.len() > MOST_UNREADABLE {
                self.unreadable.pop_first();
            }
        }
    }

    fn hear_alert(&mut self, letter: &Logged) -> Result<(), Unreadable> {
        let it = said::alert(&letter.payload)?.it;
        let alert = self.alerts.entry(it.id).or_default();
        alert.last = alert.last.max(letter.received);
        match it.kind {
            // The first word stays, as in the ledger.
            AlertKind::Raised if alert.heard.is_none_or(|heard| letter.received < heard) => {
                alert.raised = it.at.or(Some(letter.received));
                alert.heard = Some(letter.received);
                alert.value = it.value;
                alert.late = it.late || letter.late;
            }
            AlertKind::Acknowledged => alert.taken = true,
            AlertKind::Resolved(end) => {
                if alert.over.is_none_or(|(at, _)| letter.received < at) {
                    alert.over = Some((letter.received, end));
                }
            }
            AlertKind::ToStreet => alert.to_street = true,
            AlertKind::Raised | AlertKind::Other => {}
        }
        if self.alerts.len() > MOST_ALERTS {
            let oldest = self.alerts.iter().min_by_key(|(_, it)| it.last);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.alerts.remove(&oldest);
            }
        }
        Ok(())
    }

    fn hear_report(&mut self, date: Date, letter: &Logged) -> Result<(), Unreadable> {
        let said = said::report(&letter.payload)?;
        if said.it.date != date {
            return Err(Unreadable {
                why: format!("it is of {}, on the topic of {date}", said.it.date),
                newer: said.newer,
            });
        }
        let parts = self.reports.entry(date).or_default();
        let key = (said.it.revision, said.it.part);
        if parts.get(&key).is_none_or(|it| letter.received < it.1) {
            parts.insert(key, (said.it, letter.received, said.newer));
        }
        if parts.len() > MOST_PARTS {
            parts.pop_first();
        }
        if self.reports.len() > MOST_DAYS {
            self.reports.pop_first();
        }
        Ok(())
    }

    /// The newest revision of a day's report of which all parts have come.
    #[must_use]
    pub fn report(&self, date: Date) -> Option<Whole> {
        let parts = self.reports.get(&date)?;
        let revisions: Vec<u32> = parts.keys().map(|(revision, _)| *revision).collect();
        let mut revisions = revisions.into_iter().rev();
        revisions.find_map(|revision| whole(parts, revision))
    }

    /// How many parts of a day's reports have come, whole or not.
    #[must_use]
    pub fn parts_of(&self, date: Date) -> usize {
        self.reports.get(&date).map_or(0, BTreeMap::len)
    }

    /// The days of which there is something.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        self.reports.keys().copied()
    }
}

const fn stands<T>(reading: Reading<T>, received: WallTime) -> Stands<T> {
    Stands { reading, received }
}

/// A revision, where all its parts are there and speak of as many parts.
fn whole(parts: &Parts, revision: u32) -> Option<Whole> {
    let mut parts = parts.range((revision, 0)..=(revision, u32::MAX));
    let (_, (first, received, newer)) = parts.next()?;
    let mut whole = Whole {
        report: first.clone(),
        received: *received,
        newer: *newer,
    };
    let of = first.of;
    let mut expected = 1;
    if first.part != expected {
        return None;
    }
    for (_, (part, received, newer)) in parts {
        expected += 1;
        if part.part != expected || part.of != of {
            return None;
        }
        whole.received = whole.received.max(*received);
        whole.newer |= *newer;
        whole.report.join(part.clone());
    }
    (expected == of).then_some(whole)
}

#[cfg(test)]
mod tests;
