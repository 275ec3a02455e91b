//! The desk at which the rounds are kept: everything that people do with the checklist, each act in one
//! step from what stands in the logbook to what is added to it.

mod due;
mod past;
mod signed;

use super::day_log::DayLog;
use super::diff::Diff;
use super::logbook::{Carried, Line, LineKind, Logbook, NewLine, Search, Written};
use super::round::{Opening, RoundRefused, RoundState, Submitter, Taken};
use super::site::SiteList;
use super::template::{ItemId, SiteKind, Template};
use super::tick::{Slot, Tick, TickRefused, TickRequest};
use crate::calendar::{Date, Day, TimeOfDay};
use crate::clock::{Stamp, WallTime};
use crate::journal::JournalError;
use crate::procedure::{EditRefused, Procedure, StepRefused};
use crate::text::Note;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The site's zone, as far as the desk needs it.
pub trait SiteDays: Send + Sync {
    /// The date on the wall at a moment; `None` beyond the calendar.
    fn date_at(&self, at: WallTime) -> Option<Date>;

    /// A date as the zone has it.
    fn day(&self, date: Date) -> Option<Day>;
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskError {
    /// The store failed.
    Journal(JournalError),
    /// The gateway's clock shows no day of the calendar.
    NoDay,
    /// The tick is refused.
    Tick(TickRefused),
    /// The round does not allow it.
    Round(RoundRefused),
    /// There is nothing new to submit.
    NothingNew(u32),
    /// Somebody wrote something into the day after it was looked at.
    Changed,
    /// Required items that nobody owns: nobody can sign for them.
    Unowned(Vec<ItemId>),
    /// The edit is refused.
    Edit(EditRefused),
    /// The step is refused.
    Step(StepRefused),
    /// There is no such failure, or it was made good already.
    NoGap,
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::NoDay => f.write_str("the gateway's clock shows no day: set it"),
            Self::Tick(error) => error.fmt(f),
            Self::Round(error) => error.fmt(f),
            Self::NothingNew(revision) => write!(
                f,
                "nothing has changed since revision {revision}: there is nothing to submit again"
            ),
            Self::Changed => f.write_str(
                "something was written into the day after you looked at it: reload the page, look, submit",
            ),
            Self::Unowned(items) => {
                f.write_str("nobody owns ")?;
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if n == 0 { "" } else { ", " })?;
                }
                f.write_str(": name people in the site's list, then sign")
            }
            Self::Edit(error) => error.fmt(f),
            Self::Step(error) => error.fmt(f),
            Self::NoGap => {
                f.write_str("there is no such failure that waits to be made good: reload the page")
            }
        }
    }
}

impl std::error::Error for DeskError {}

impl From<JournalError> for DeskError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// A failure that waits to be made good.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Of which day it is.
    pub date: Date,
    /// The tick that says it.
    pub failed: TickRequest,
}

/// The desk.
pub struct Desk {
    list: Arc<SiteList>,
    shipped: Procedure,
    logbook: Arc<dyn Logbook>,
    days: Arc<dyn SiteDays>,
    report_at: TimeOfDay,
    newer: Mutex<Option<Template>>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    /// No clock that shows an earlier year was ever set: the lists are of February 2020.
    const FIRST_YEAR: i64 = 2020;

    /// How far back a failure can be made good, days: as far as a deadline can be away.
    const GAPS_DAYS: u16 = 14;

    /// A desk with this list. At `report_at` the report goes out by itself.
    #[must_use]
    pub fn new(
        list: Arc<SiteList>,
        shipped: Procedure,
        logbook: Arc<dyn Logbook>,
        days: Arc<dyn SiteDays>,
        report_at: TimeOfDay,
    ) -> Self {
        Self {
            list,
            shipped,
            logbook,
            days,
            report_at,
            newer: Mutex::default(),
        }
    }

    /// Offers the newest version of its template to whoever runs the site.
    pub fn offer(&self, newest: Template) {
        *self.newer.lock().unwrap_or_else(PoisonError::into_inner) = Some(newest);
    }

    /// What a newer version of the template would change, and its number; `None` where there is none.
    #[must_use]
    pub fn upgrade(&self) -> Option<(u32, Diff)> {
        let newer = self.newer.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, newer) = (self.list.template(), newer.as_ref()?);
        let diff = Diff::between(now.items(), newer.items());
        (newer.version > now.version).then_some((newer.version, diff))
    }

    /// The site's list.
    #[must_use]
    pub fn list(&self) -> &SiteList {
        &self.list
    }

    /// When the report goes out by itself.
    #[must_use]
    pub const fn report_at(&self) -> TimeOfDay {
        self.report_at
    }

    /// The date on the wall.
    ///
    /// # Errors
    /// Where the clock shows none, or one before there was a list: then it was never set, and what is
    /// written under that day would belong to none.
    pub fn today(&self, now: Stamp) -> Result<Date, DeskError> {
        let date = self.any_day(now)?;
        let is_set = date.parts().0 >= Self::FIRST_YEAR;
        is_set.then_some(date).ok_or(DeskError::NoDay)
    }

    /// The date that the clock shows, even one that cannot be: for what does not wait for a clock.
    fn any_day(&self, now: Stamp) -> Result<Date, DeskError> {
        self.days.date_at(now.wall).ok_or(DeskError::NoDay)
    }

    /// The date before another one; itself at the calendar's beginning.
    #[must_use]
    pub fn before(&self, date: Date) -> Date {
        let eve = self.days.day(date).map(|day| WallTime(day.begins().0 - 1));
        eve.and_then(|eve| self.days.date_at(eve)).unwrap_or(date)
    }

    /// So many dates before another one.
    #[must_use]
    pub fn earlier(&self, date: Date, days: u16) -> Date {
        (0..days).fold(date, |date, _| self.before(date))
    }

    fn day(&self, date: Date) -> Result<Day, DeskError> {
        self.days.day(date).ok_or(DeskError::NoDay)
    }

    /// Notes with which list the site works, where that is not noted yet.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn begin(&self, now: Stamp) -> Result<(), DeskError> {
        let date = self.today(now)?;
        let template = self.list.template();
        let (site, version) = (template.site, template.version);
        let line = Line::Began { site, version };
        self.logbook
            .write(&Search::kind(LineKind::Began), &mut |lines| {
                let known = lines.last().is_some_and(|last| last.line == line);
                let new = NewLine {
                    date,
                    by: None,
                    at: now,
                    line: line.clone(),
                };
                if known { Vec::new() } else { vec![new] }
            })?;
        Ok(())
    }

    /// Every list that the site worked with: since when, which, which version.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn lists(&self) -> Result<Vec<(Date, SiteKind, u32)>, DeskError> {
        let lines = self.logbook.lines(&Search::kind(LineKind::Began))?;
        let began = |it: &Written| match it.line {
            Line::Began { site, version } => Some((it.date, site, version)),
            _ => None,
        };
        Ok(lines.iter().filter_map(began).collect())
    }

    /// What a day's round begins with: since when there is a list, and what was done once and for all
    /// before the day.
    fn opening(&self, date: Date) -> Result<(Date, BTreeSet<ItemId>), DeskError> {
        let since = self.lists()?.first().map_or(date, |first| first.0);
        let mut done = BTreeSet::new();
        for item in self.list.items().iter().filter(|it| it.schedule.is_once()) {
            let ticks = self
                .logbook
                .lines(&Search::item(LineKind::Ticked, &item.id))?;
            let last = ticks.iter().rev().find(|it| it.date < date);
            let is_done = |it: &Written| match &it.line {
                Line::Ticked { request, .. } => matches!(request.tick, Tick::Done(_)),
                _ => false,
            };
            if last.is_some_and(is_done) {
                done.insert(item.id.clone());
            }
        }
        Ok((since, done))
    }

    /// A day.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn log(&self, date: Date) -> Result<DayLog, DeskError> {
        let lines = self.logbook.lines(&Search::day(date))?;
        let mut log = self.log_of(date, &lines)?;
        for report in &mut log.reports {
            report.carried = self.logbook.carried(report.line)?;
        }
        if let Some(last) = log.reports.last()
            && let Carried::Received(at) = last.carried
        {
            let at = Stamp {
                wall: at.unwrap_or(last.at.wall),
                ..last.at
            };
            let _ = log.round.receive(last.report.revision, at);
        }
        Ok(log)
    }

    fn log_of(&self, date: Date, lines: &[Written]) -> Result<DayLog, DeskError> {
        let day = self.day(date)?;
        let (since, done_once) = self.opening(date)?;
        let facts = self.logbook.facts(day.begins(), day.ends())?;
        let opening = Opening {
            day,
            since,
            done_once: &done_once,
        };
        Ok(DayLog::of(Arc::clone(&self.list), &opening, lines, facts))
    }

    /// One act on a day: `act` sees the day as it stands and says what is added.
    fn act<T>(
        &self,
        date: Date,
        act: impl Fn(&mut DayLog) -> Result<(T, Vec<NewLine>), DeskError>,
    ) -> Result<T, DeskError> {
        let day = self.day(date)?;
        let (since, done_once) = self.opening(date)?;
        let facts = self.logbook.facts(day.begins(), day.ends())?;
        let opening = Opening {
            day,
            since,
            done_once: &done_once,
        };
        let mut done = Err(DeskError::NoDay);
        self.logbook.write(&Search::day(date), &mut |lines| {
            let list = Arc::clone(&self.list);
            let mut log = DayLog::of(list, &opening, lines, facts.clone());
            match act(&mut log) {
                Ok((value, new)) => {
                    done = Ok(value);
                    new
                }
                Err(error) => {
                    done = Err(error);
                    Vec::new()
                }
            }
        })?;
        done
    }

    /// Takes a tick. Where the day's report went out already, it is opened again: what was done after it
    /// belongs into the next revision.
    ///
    /// # Errors
    /// [`DeskError::Tick`] says why not.
    pub fn tick(&self, request: &TickRequest, now: Stamp) -> Result<Taken, DeskError> {
        let date = request.date;
        self.act(date, |log| {
            let mut new = Vec::new();
            let line = |line| NewLine {
                date,
                by: Some(request.by.clone()),
                at: now,
                line,
            };
            let known = log
                .round
                .ticks()
                .iter()
                .any(|it| it.request.id == request.id);
            if !known && log.round.reopen().is_ok() {
                new.push(line(Line::Reopened));
            }
            let taken = log.round.tick(request.clone(), now);
            let taken = taken.map_err(DeskError::Tick)?;
            if taken == Taken::AlreadyKept {
                return Ok((taken, Vec::new()));
            }
            let kept = log.round.ticks().last();
            new.extend(kept.map(|kept| {
                line(Line::Ticked {
                    request: Box::new(request.clone()),
                    done_at: kept.done_at,
                })
            }));
            Ok((taken, new))
        })
    }

    /// Adds a line of people to a day's report.
    fn add(&self, date: Date, by: &Note, now: Stamp, line: &Line) -> Result<(), DeskError> {
        self.act(date, |log| {
            let new = |line| NewLine {
                date,
                by: Some(by.clone()),
                at: now,
                line,
            };
            let reopened = log.round.reopen().is_ok().then_some(Line::Reopened);
            let lines = reopened.into_iter().chain([line.clone()]).map(new);
            Ok(((), lines.collect()))
        })
    }

    /// Adds a remark to a day's report.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn remark(&self, date: Date, text: Note, by: &Note, now: Stamp) -> Result<(), DeskError> {
        self.add(date, by, now, &Line::Remark(text))
    }

    /// Adds a small innovation to a day's report.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn innovation(
        &self,
        date: Date,
        text: Note,
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        self.add(date, by, now, &Line::Innovation(text))
    }

    /// Failures of the last days that nobody has made good.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn gaps(&self, now: Stamp) -> Result<Vec<Gap>, DeskError> {
        let today = self.today(now)?;
        let since = self.earlier(today, Self::GAPS_DAYS);
        let of = |kind| Search {
            days: Some((since, today)),
            ..Search::kind(kind)
        };
        let closed = self.logbook.lines(&of(LineKind::GapClosed))?;
        let is_closed = |date: Date, slot: &Slot| {
            closed.iter().any(|it| match &it.line {
                Line::GapClosed {
                    failed_on,
                    slot: its,
                    ..
                } => *failed_on == date && its == slot,
                _ => false,
            })
        };
        let mut standing: Vec<TickRequest> = Vec::new();
        for written in self.logbook.lines(&of(LineKind::Ticked))? {
            if let Line::Ticked { request, .. } = written.line {
                standing.retain(|it| (it.date, &it.slot) != (request.date, &request.slot));
                standing.push(*request);
            }
        }
        let failed = |it: &TickRequest| matches!(it.tick, Tick::Failed { .. });
        Ok(standing
            .into_iter()
            .filter(|it| failed(it) && !is_closed(it.date, &it.slot))
            .map(|failed| Gap {
                date: failed.date,
                failed,
            })
            .collect())
    }

    /// Notes that a failure was made good.
    ///
    /// # Errors
    /// [`DeskError::NoGap`] where there is none such.
    pub fn close_gap(
        &self,
        (failed_on, slot): (Date, Slot),
        how: Note,
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        let date = self.today(now)?;
        let waits = self.gaps(now)?;
        if !waits
            .iter()
            .any(|gap| gap.date == failed_on && gap.failed.slot == slot)
        {
            return Err(DeskError::NoGap);
        }
        let line = Line::GapClosed {
            failed_on,
            slot,
            how,
        };
        self.add(date, by, now, &line)
    }

    /// Submits a day's report: what it is at this moment.
    ///
    /// # Errors
    /// Where it is submitted already, or nothing has changed since the last revision.
    pub fn submit(&self, date: Date, by: &Submitter, now: Stamp) -> Result<u32, DeskError> {
        self.submit_as_seen(date, by, None, now)
    }

    /// The same for somebody who saw it when people had written this many lines into the day
    /// ([`DayLog::entries`]): nothing goes out that they have not seen.
    ///
    /// # Errors
    /// As [`Self::submit`]; and [`DeskError::Changed`] where there are more lines now.
    pub fn submit_as_seen(
        &self,
        date: Date,
        by: &Submitter,
        seen: Option<usize>,
        now: Stamp,
    ) -> Result<u32, DeskError> {
        self.act(date, |log| {
            if seen.is_some_and(|seen| seen != log.entries()) {
                return Err(DeskError::Changed);
            }
            let report = log.report(now.wall);
            if let Some(last) = log.last()
                && matches!(log.round.state(), RoundState::Draft { .. })
                && report.since(&last.report).is_empty()
            {
                return Err(DeskError::NothingNew(last.report.revision));
            }
            let revision = log.round.submit(by.clone(), now);
            let revision = revision.map_err(DeskError::Round)?;
            let by = match by {
                Submitter::Person(name) => Some(name.clone()),
                Submitter::SetHour => None,
            };
            let line = Line::Submitted(Box::new(report));
            let at = now;
            Ok((revision, vec![NewLine { date, by, at, line }]))
        })
    }

    /// Opens a submitted report again, for the next revision.
    ///
    /// # Errors
    /// Where nothing is submitted.
    pub fn reopen(&self, date: Date, by: &Note, now: Stamp) -> Result<u32, DeskError> {
        self.act(date, |log| {
            let revision = log.round.reopen().map_err(DeskError::Round)?;
            let new = NewLine {
                date,
                by: Some(by.clone()),
                at: now,
                line: Line::Reopened,
            };
            Ok((revision, vec![new]))
        })
    }
}
