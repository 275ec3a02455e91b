//! The logbook of the checklist: what people wrote, line by line, never changed. The day, its report, the
//! pledge and the procedure follow from its lines by reading them again from the beginning, so that there
//! is one truth, and it can be checked.
//!
//! The store stands behind [`Logbook`]; nobody here knows SQL. All calls block.

use super::known::DayFacts;
use super::report::DailyReport;
use super::site::{Charge, Owners};
use super::template::{ItemId, SiteKind};
use super::tick::{Slot, TickRequest};
use crate::calendar::Date;
use crate::clock::{Stamp, WallTime};
use crate::id::AlertId;
use crate::journal::JournalError;
use crate::procedure::{Edit, StepId};
use crate::text::{Note, named};

named! {
    /// What a line is about.
    LineKind {
        /// The site works with a list from here on.
        Began = "began", "启用清单", "List in force";
        /// The manager signed for the list.
        Pledged = "pledged", "签署承诺", "Pledge signed";
        /// Somebody answers for something from here on.
        Named = "named", "指定责任人", "Owner named";
        /// An item was ticked.
        Ticked = "ticked", "打钩", "Ticked";
        /// A failure was made good.
        GapClosed = "gap_closed", "补短板", "Gap closed";
        /// A small innovation.
        Innovation = "innovation", "微创新", "Innovation";
        /// A remark.
        Remark = "remark", "备注", "Remark";
        /// The report of the day was submitted.
        Submitted = "submitted", "提交日报", "Report submitted";
        /// It was opened again.
        Reopened = "reopened", "重新打开日报", "Report opened again";
        /// The procedure was changed.
        Edited = "edited", "修订规程", "Procedure edited";
        /// A step of the emergency clause was taken.
        StepTaken = "step_taken", "应急步骤", "Emergency step taken";
    }
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The site works with this list, on this version of its template, from here on.
    Began {
        /// Which list.
        site: SiteKind,
        /// Which version.
        version: u32,
    },
    /// The manager signed for this version of the list.
    Pledged {
        /// Which version.
        version: u32,
        /// Who owned what.
        owners: Owners,
    },
    /// Somebody answers for something from here on, or nobody.
    Named {
        /// For what.
        charge: Charge,
        /// Who.
        owner: Option<Note>,
    },
    /// An item was ticked.
    Ticked {
        /// As it came.
        request: Box<TickRequest>,
        /// When it was done, as the gateway took it.
        done_at: WallTime,
    },
    /// A failure of this day or an earlier one was made good.
    GapClosed {
        /// Of which day the failure is.
        failed_on: Date,
        /// Of what.
        slot: Slot,
        /// What was done.
        how: Note,
    },
    /// A small innovation.
    Innovation(Note),
    /// A remark.
    Remark(Note),
    /// The report, as it went out.
    Submitted(Box<DailyReport>),
    /// It was opened again.
    Reopened,
    /// The procedure was changed.
    Edited {
        /// The edition that the editor saw.
        on: u32,
        /// How.
        edit: Edit,
    },
    /// A step of the emergency clause was taken.
    StepTaken {
        /// At which alert.
        alert: AlertId,
        /// By which edition of the procedure.
        edition: u32,
        /// Which.
        step: StepId,
    },
}

impl Line {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> LineKind {
        match self {
            Self::Began { .. } => LineKind::Began,
            Self::Pledged { .. } => LineKind::Pledged,
            Self::Named { .. } => LineKind::Named,
            Self::Ticked { .. } => LineKind::Ticked,
            Self::GapClosed { .. } => LineKind::GapClosed,
            Self::Innovation(_) => LineKind::Innovation,
            Self::Remark(_) => LineKind::Remark,
            Self::Submitted(_) => LineKind::Submitted,
            Self::Reopened => LineKind::Reopened,
            Self::Edited { .. } => LineKind::Edited,
            Self::StepTaken { .. } => LineKind::StepTaken,
        }
    }

    /// What it can be looked up by beside its day: the item, or the alert.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::Ticked { request, .. } => Some(request.slot.item.to_string()),
            Self::GapClosed { slot, .. } => Some(slot.item.to_string()),
            Self::StepTaken { alert, .. } => Some(alert.to_string()),
            _ => None,
        }
    }
}

/// A line that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLine {
    /// To which day it belongs.
    pub date: Date,
    /// Who; `None`: nobody, the gateway itself.
    pub by: Option<Note>,
    /// When.
    pub at: Stamp,
    /// What.
    pub line: Line,
}

/// A line that is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Its number, ascending.
    pub number: u64,
    /// To which day it belongs.
    pub date: Date,
    /// Who; `None`: nobody, the gateway itself.
    pub by: Option<Note>,
    /// When.
    pub at: Stamp,
    /// What.
    pub line: Line,
}

/// Which lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Of these days, both included; without it of all.
    pub days: Option<(Date, Date)>,
    /// Of this kind; without it of every kind.
    pub kind: Option<LineKind>,
    /// Of this item or alert.
    pub subject: Option<String>,
}

impl Search {
    /// Everything of one day.
    #[must_use]
    pub fn day(date: Date) -> Self {
        Self {
            days: Some((date, date)),
            ..Self::default()
        }
    }

    /// Every line of a kind.
    #[must_use]
    pub fn kind(kind: LineKind) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// Every line of a kind on one item.
    #[must_use]
    pub fn item(kind: LineKind, item: &ItemId) -> Self {
        Self {
            subject: Some(item.to_string()),
            ..Self::kind(kind)
        }
    }
}

/// Where a report that was submitted is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Saved here; it goes out when the broker is there.
    Saved,
    /// The broker has all of it.
    Accepted,
    /// The street office has all of it, since this moment where it is known.
    Received(Option<WallTime>),
    /// It was refused and put aside.
    Parked,
}

/// What decides, of the lines that are there, which ones are written.
pub type Decide<'a> = &'a mut dyn FnMut(&[Written]) -> Vec<NewLine>;

/// The logbook.
pub trait Logbook: Send + Sync {
    /// Lines in the order in which they were written.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn lines(&self, search: &Search) -> Result<Vec<Written>, JournalError>;

    /// Shows the lines that are there to `decide`, and writes what it gives, with the report's messages,
    /// in one transaction that is on the disk when this returns: nobody writes in between.
    ///
    /// # Errors
    /// Where the store cannot be written; then nothing was.
    fn write(&self, search: &Search, decide: Decide<'_>) -> Result<(), JournalError>;

    /// What the gateway knows of a stretch of time, the end not included.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn facts(&self, from: WallTime, until: WallTime) -> Result<DayFacts, JournalError>;

    /// Where the report is that stands in this line.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn carried(&self, number: u64) -> Result<Carried, JournalError>;
}
