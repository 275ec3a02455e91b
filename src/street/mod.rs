//! What the street office keeps of the gateways' messages, and what it tells them in return.
//!
//! A broker's acknowledgement is not safety: a gateway erases a message only once the street's
//! collector says that it has it. So this is the place where a message stops being the gateway's
//! worry, and the rule is: first on the disk, then the receipt.
//!
//! | module | holds |
//! |---|---|
//! | [`letter`] | a message that came in, read with suspicion; the reasons against one |
//! | [`numbers`] | which numbers of a site's epoch have come, and the receipt that follows |
//! | [`ledger`] | what a database has to do: messages once, receipts from what was kept, the quarantine |
//! | [`record`] | what a database gives back |
//! | `taking` | how a batch is taken, whichever the database |
//! | [`sqlite`] | the ledger in a SQLite file |
//! | [`postgres`] | the ledger in a PostgreSQL database, for several collectors |
//! | [`collector`] | hears, has it kept, and answers |
//! | [`said`] | what gates say of themselves, read with suspicion |
//! | [`book`] | what is known of each gate, message by message |
//! | [`overview`] | every site in a row, and why somebody should phone |
//! | [`daily`] | all sites of a day together: the office's own report |
//! | [`certificates`] | the street's own authority, for brokers that know sites by certificates |
//! | [`enrol`] | a site's account and rights at the broker, given and taken away |
//!
//! [`letter`], [`numbers`], [`said`], [`book`], [`overview`] and [`daily`] are pure. The ledger blocks on a
//! disk; the collector never blocks.
//!
//! How things stand (`status`, `state`) has no numbers and no receipts: the broker retains the latest
//! word of each, and so does the ledger. Orders go the other way (`cmd`), until each site has answered.
//!
//! Messages are keyed by site, epoch and `seq`. The name of the gateway's channel is no part of the
//! key: it is not on the wire, and a gateway has one channel to the broker.

pub mod book;
pub mod certificates;
pub mod collector;
pub mod daily;
pub mod enrol;
pub mod ledger;
pub mod letter;
pub mod numbers;
pub mod overview;
pub mod postgres;
pub mod record;
pub mod said;
pub mod sqlite;
mod taking;

/// Where a gate is: part of what is kept of it.
pub use crate::mqtt::Address;
pub use book::{Alert, Book, Page, Stands, Whole};
pub use daily::{Daily, Day, DayLine, Gap, ItemWords, Lists, Total};
pub use ledger::{Ledger, LedgerError};
pub use overview::{
    Asked, Calibration, Call, Listed, OpenAlert, ReportRow, ReportStands, Row, There, rows,
};
pub use record::{Counts, Errand, Logged, Mark, Order, Outcome, Quarantined, State, Wanted};
pub use said::{
    AlertKind, AlertLetter, Checklist, Colours, Escalated, FollowUp, Report, ReportItem,
    ReportLine, Screened, Told, Unreadable, together,
};
