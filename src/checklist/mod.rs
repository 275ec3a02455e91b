//! The building's re-entry checklist: what must be done, when, by whom, how it is proved, and what
//! goes to the street office at the end of the day.
//!
//! The street office handed six lists to six kinds of site in February 2020 (*Shanghai Community
//! News*, Hongqiao sub-district): a pledge (a named owner for each thing), a diary (ticked every
//! day, one page of report) and a manual (who, what, how often). This module is that as values:
//!
//! ```text
//! Template ─▶ SiteList (own items, owners) ─▶ Round of a day ─▶ DailyReport ─▶ looking back
//!  6 kinds      never less than its template    ticks, dues       revision n
//! ```
//!
//! What people do goes through the [`Desk`]: it reads the day out of the [`Logbook`], decides, and adds a
//! line. The logbook is the only memory.
//!
//! Pure: no clock, no disk, no zone. A calendar day comes in as a [`crate::calendar::Day`], a moment as a
//! [`crate::clock::Stamp`]; what the gateway itself knows as [`DayFacts`]. Lateness is always
//! computed from those, never typed by anybody.
//!
//! Names of people stay in the rounds on this device. A [`DailyReport`] has none: it leaves.

mod day_log;
mod desk;
mod diff;
mod known;
mod logbook;
mod look_back;
mod parts;
mod report;
mod revision;
mod round;
mod schedule;
mod site;
mod template;
mod tick;
mod tightening;

pub use day_log::{DayLog, SubmittedReport};
pub use desk::{Desk, DeskError, Gap, SiteDays};
pub use diff::{Change, Diff, FieldChange};
pub use known::{AlertEnd, AlertFact, ColourTotal, DayFacts, Fact, Finding, SelfCheckFact};
pub use logbook::{Carried, Decide, Line, LineKind, Logbook, NewLine, Search, Written};
pub use look_back::{DayShare, ItemRecord, LookBack};
pub use report::{
    CategoryLine, Count, DailyReport, Diary, ExcusedLine, FailedLine, GapLine, ItemLine, KnownLine,
    Progress,
};
pub use revision::{Point, ReportChange};
pub use round::{
    ClosedGap, Opening, Round, RoundRefused, RoundState, Signed, Standing, Submitter, Taken,
};
pub use schedule::{Schedule, Window};
pub use site::{Owners, Pledge, SiteChange, SiteFlaw, SiteList, SiteWishes};
pub use template::{
    Category, Duty, Flaw, Group, Item, ItemId, Place, Proof, Range, Role, SiteKind, Template,
};
pub use tick::{Action, ActionFlaw, Evidence, Slot, Tick, TickId, TickRefused, TickRequest};
