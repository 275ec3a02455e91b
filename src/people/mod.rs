//! People who come back to the building: found through five sources, registered, followed in five colours.
//!
//! The newspaper page that the product follows (*Shanghai Community News*, Hongqiao sub-district, February
//! 2020) names both: 五源发现, five sources that find people (household files, the database of the actual
//! population, the community's networks, the gate, self-declaration), and 五色跟进, five colours in which they
//! are followed. This module is that as values:
//!
//! ```text
//! Said ─▶ Record ─▶ Person ─▶ FollowUp ─▶ Totals
//! valid    source,   what they   colour,      counts only
//! fields   time, who say together due, health
//! ```
//!
//! What people do goes through the [`Desk`]: it sees the people who are there, decides, and gives what is
//! written, in one step with the line of the audit that says who did it. The [`Register`] is the only memory.
//!
//! Pure: no clock, no disk, no cipher. What is due or late is always computed from dates. Who somebody is
//! stays in the building: [`Totals`] have counts alone, and [`Said`] does not print what it holds.

mod colour;
mod desk;
mod field;
mod flood;
mod follow;
mod gate;
mod import;
mod matching;
mod person;
mod register;
mod rules;
mod source;
mod totals;

pub use colour::{Colour, Transition};
pub use desk::{Desk, DeskError, Entered, Forgotten, List, Poster, Seen, Undone};
pub use field::{
    Field, FieldWrong, Said, Symptom, Wrong, masked_name, masked_phone, name_key, symptoms_in,
};
pub use follow::{
    FollowUp, Health, HealthRefused, Lack, Move, MoveRefused, Proposal, Reason, Sign, Step,
};
pub use gate::{Advice, CompanyDay, GateDay, Glance, Plan, PlanRefused};
pub use import::{Columns, ImportReport, Row, RowProblem, RowWrong};
pub use matching::{Likeness, likeness};
pub use person::{Code, Person, PersonId, Settled, Standing, Visit};
pub use register::{
    By, Counts, Decide, Deed, Entry, Erasure, Import, ImportState, Mark, Outline, Passage,
    Register, Search, Write,
};
pub use rules::{FieldRule, Region, RegionKind, Rules, RulesFlaw, RulesParts};
pub use source::{ImportId, Record, Source};
pub use totals::{CompanyTotals, Reminder, Told, Totals, told};
