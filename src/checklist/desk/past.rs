//! What the desk knows of days that are over.

use super::super::logbook::{Line, LineKind, Search, Written};
use super::super::look_back::LookBack;
use super::super::report::DailyReport;
use super::super::round::Signed;
use super::super::template::ItemId;
use super::{Desk, DeskError};
use crate::calendar::Date;

impl Desk {
    /// The reports of some days, of each the last revision, together.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn look_back(&self, from: Date, until: Date) -> Result<LookBack, DeskError> {
        Ok(LookBack::over(&self.reports(from, until)?))
    }

    /// Every tick of an item on some days, oldest first; of a correction both.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn ticks(&self, item: &ItemId, days: (Date, Date)) -> Result<Vec<Signed>, DeskError> {
        let lines = self.logbook.lines(&Search {
            days: Some(days),
            ..Search::item(LineKind::Ticked, item)
        })?;
        let signed = |it: Written| match it.line {
            Line::Ticked { request, done_at } => Some(Signed {
                request: *request,
                at: it.at,
                done_at,
            }),
            _ => None,
        };
        Ok(lines.into_iter().filter_map(signed).collect())
    }

    /// Every report of some days, oldest first.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn reports(&self, from: Date, until: Date) -> Result<Vec<DailyReport>, DeskError> {
        let lines = self.logbook.lines(&Search {
            days: Some((from, until)),
            ..Search::kind(LineKind::Submitted)
        })?;
        let report = |it: Written| match it.line {
            Line::Submitted(report) => Some(*report),
            _ => None,
        };
        Ok(lines.into_iter().filter_map(report).collect())
    }
}
