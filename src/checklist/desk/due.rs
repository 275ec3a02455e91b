//! What goes out by itself: the report of a day at the set hour, what was opened again when the day is over,
//! and what the day came to in the end.

use super::super::logbook::{Line, LineKind, NewLine, Search};
use super::super::report::DailyReport;
use super::super::round::{RoundState, Submitter};
use super::super::template::Duty;
use super::{Desk, DeskError};
use crate::calendar::Date;
use crate::clock::{ClockTrust, Stamp};
use std::collections::BTreeMap;

/// What is to go out of a day.
enum Due {
    /// Its report.
    Report,
    /// What it came to in the end.
    Closing,
}

impl Desk {
    /// Submits what is due: today's report at the set hour; what was opened again when the day's last
    /// time is over; and then a closing revision where more was missed than the report says, so that one that
    /// goes out early hides nothing. Gives the dates and revisions.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn submit_what_is_due(&self, now: Stamp) -> Result<Vec<(Date, u32)>, DeskError> {
        let today = self.today(now)?;
        let since = self.lists()?.first().map_or(today, |first| first.0);
        let mut submitted = Vec::new();
        for date in [self.before(today), today] {
            let done = match self.due(date, now)?.filter(|_| date >= since) {
                None => continue,
                Some(Due::Report) => self.submit(date, &Submitter::SetHour, now),
                Some(Due::Closing) => self.close(date, now),
            };
            match done {
                Ok(revision) => submitted.push((date, revision)),
                Err(DeskError::NothingNew(_) | DeskError::Round(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(submitted)
    }

    /// Submits once more what went out in this start of the gateway before its clock was set: the day's numbers
    /// are others now, and the street is told that its times can be believed. Gives the dates and revisions.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn submit_again_what_was_unsure(&self, now: Stamp) -> Result<Vec<(Date, u32)>, DeskError> {
        if now.trust != ClockTrust::Synchronised {
            return Ok(Vec::new());
        }
        let lines = self.logbook.lines(&Search::kind(LineKind::Submitted))?;
        let last: BTreeMap<Date, Stamp> = lines.iter().map(|it| (it.date, it.at)).collect();
        let unsure = last
            .into_iter()
            .filter(|(_, at)| at.boot == now.boot && at.trust == ClockTrust::Unsynchronised);
        let again = unsure.map(|(date, _)| Ok((date, self.close(date, now)?)));
        again.collect()
    }

    fn due(&self, date: Date, now: Stamp) -> Result<Option<Due>, DeskError> {
        let log = self.log_of(date, &self.logbook.lines(&Search::day(date))?)?;
        let mut slots = log.round.slots();
        let is_over = slots.all(|(_, window)| now.wall >= window.closes);
        let hides = |sent: &DailyReport| missed(&log.report(now.wall)) > missed(sent);
        Ok(match log.round.state() {
            RoundState::Draft { revision: 1 } => {
                let hour = self.day(date)?.at(self.report_at.minutes());
                (now.wall >= hour).then_some(Due::Report)
            }
            RoundState::Draft { .. } => is_over.then_some(Due::Report),
            RoundState::Submitted { .. } | RoundState::Received { .. } => {
                let hidden = is_over && log.last().is_some_and(|last| hides(&last.report));
                hidden.then_some(Due::Closing)
            }
        })
    }

    fn close(&self, date: Date, now: Stamp) -> Result<u32, DeskError> {
        self.act(date, |log| {
            let revision = log.round.reopen().map_err(DeskError::Round)?;
            let report = Line::Submitted(Box::new(log.report(now.wall)));
            let new = |line| NewLine {
                date,
                by: None,
                at: now,
                line,
            };
            Ok((revision, vec![new(Line::Reopened), new(report)]))
        })
    }
}

fn missed(report: &DailyReport) -> u32 {
    report.total(Duty::Required).missed + report.total(Duty::Optional).missed
}
