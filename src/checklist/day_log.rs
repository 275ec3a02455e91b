//! One day as its lines in the logbook make it: the round, what people added, and every report.

use super::known::DayFacts;
use super::logbook::{Carried, Line, Written};
use super::report::{DailyReport, Diary};
use super::round::{ClosedGap, Opening, Round, Signed, Submitter};
use super::site::SiteList;
use crate::clock::{Stamp, WallTime};
use crate::text::Note;
use std::sync::Arc;

/// A report that went out.
#[derive(Clone, Debug, PartialEq)]
pub struct SubmittedReport {
    /// The line of the logbook in which it stands.
    pub line: u64,
    /// By whom.
    pub by: Submitter,
    /// When.
    pub at: Stamp,
    /// What went out.
    pub report: DailyReport,
    /// Where it is.
    pub carried: Carried,
}

/// A day.
#[derive(Clone, Debug, PartialEq)]
pub struct DayLog {
    /// Its round.
    pub round: Round,
    /// What people added.
    pub diary: Diary,
    /// Its reports, oldest first.
    pub reports: Vec<SubmittedReport>,
    /// What the gateway knows of it.
    pub facts: DayFacts,
}

impl DayLog {
    /// Reads a day's lines again. What no longer fits a list that was changed meanwhile stays in the
    /// round's ticks, and stands for nothing.
    #[must_use]
    pub fn of(
        list: Arc<SiteList>,
        opening: &Opening<'_>,
        lines: &[Written],
        facts: DayFacts,
    ) -> Self {
        let mut log = Self {
            round: Round::open(list, opening),
            diary: Diary::default(),
            reports: Vec::new(),
            facts,
        };
        for written in lines {
            log.take(written);
        }
        log
    }

    fn take(&mut self, written: &Written) {
        let at = written.at;
        match &written.line {
            Line::Ticked { request, done_at } => self.round.restore(Signed {
                request: (**request).clone(),
                at,
                done_at: *done_at,
            }),
            Line::GapClosed {
                failed_on,
                slot,
                how,
            } => self
                .diary
                .gaps
                .extend(written.by.clone().map(|by| ClosedGap {
                    date: *failed_on,
                    slot: slot.clone(),
                    how: how.clone(),
                    by,
                    at,
                })),
            Line::Innovation(note) => self.diary.innovations.push(note.clone()),
            Line::Remark(note) => self.diary.remarks.push(note.clone()),
            Line::Submitted(report) => {
                let by = submitter(written.by.as_ref());
                // Who wrote the line asked the round first.
                let _ = self.round.submit(by.clone(), at);
                self.reports.push(SubmittedReport {
                    line: written.number,
                    by,
                    at,
                    report: (**report).clone(),
                    carried: Carried::Saved,
                });
            }
            Line::Reopened => {
                let _ = self.round.reopen();
            }
            Line::Began { .. }
            | Line::Pledged { .. }
            | Line::Edited { .. }
            | Line::StepTaken { .. } => {}
        }
    }

    /// The report as things stand.
    #[must_use]
    pub fn report(&self, as_of: WallTime) -> DailyReport {
        DailyReport::of(&self.round, &self.facts, &self.diary, as_of)
    }

    /// How many lines people have written into it. What the gateway counts goes on meanwhile.
    #[must_use]
    pub fn entries(&self) -> usize {
        let diary = &self.diary;
        self.round.ticks().len() + diary.gaps.len() + diary.innovations.len() + diary.remarks.len()
    }

    /// The report that went out last.
    #[must_use]
    pub fn last(&self) -> Option<&SubmittedReport> {
        self.reports.last()
    }
}

/// Who submitted.
fn submitter(by: Option<&Note>) -> Submitter {
    by.map_or(Submitter::SetHour, |by| Submitter::Person(by.clone()))
}
