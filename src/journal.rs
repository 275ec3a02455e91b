//! Where events go, seen from those who need it: the pipeline writes, the web reads and acts, the
//! MQTT link empties the outbox. The store stands behind all of it; nobody here knows SQL.
//!
//! All calls block (a disk is behind them) and may be made from several threads at once; async
//! callers use a blocking task.

use crate::alert::{Alert, Refused};
use crate::clock::Stamp;
use crate::event::Event;
use crate::id::{AlertId, EventKey};
use std::fmt;

/// One MQTT message that an event causes, kept until it is safe elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Full topic.
    pub topic: String,
    /// Bytes of the payload.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for late subscribers.
    pub retain: bool,
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// Place in the outbox; rows go out in this order.
    pub row: i64,
    /// The event that caused it.
    pub key: EventKey,
    /// What to publish.
    pub message: OutboxMessage,
    /// When the event happened: what is old when it goes out must not sound a siren.
    pub at: Stamp,
}

/// How many messages are in each state: honest words for the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCount {
    /// Saved here only.
    pub saved: u64,
    /// Accepted by the broker.
    pub accepted: u64,
}

/// What went wrong while keeping an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalError {
    /// No such alert.
    UnknownAlert(AlertId),
    /// The alert's state does not allow it.
    Refused(Refused),
    /// The disk or the database failed; the text says what to do.
    Storage(String),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAlert(id) => write!(f, "there is no alert {id}"),
            Self::Refused(why) => why.fmt(f),
            Self::Storage(what) => write!(f, "could not be saved: {what}"),
        }
    }
}

impl std::error::Error for JournalError {}

/// An event as it stands in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its key.
    pub key: EventKey,
    /// What happened.
    pub event: Event,
}

/// The journal of events, and what follows from it.
pub trait Journal: Send + Sync {
    /// Keeps the events, all or none, with their outbox messages and audit rows, in one
    /// transaction that is on the disk when this returns. Acknowledging and resolving go through
    /// here, too: the alert's state is checked inside the transaction.
    ///
    /// # Errors
    /// [`JournalError`]; then nothing was kept.
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>, JournalError>;

    /// Alerts, newest first, at most `limit`; those not resolved come first of all.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, JournalError>;

    /// One alert.
    ///
    /// # Errors
    /// Where there is none, or the store cannot be read.
    fn alert(&self, id: AlertId) -> Result<Alert, JournalError>;

    /// Number of screenings by verdict since a wall time (ms since 1970), as (class, reason, count).
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn tally(&self, since_wall_ms: i64)
    -> Result<Vec<(String, Option<String>, u64)>, JournalError>;
}

/// The outbox: messages that wait for the broker.
pub trait Outbox: Send + Sync {
    /// Rows not yet accepted by the broker, after `row`, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn waiting(&self, after_row: i64, limit: u32) -> Result<Vec<OutboxRow>, JournalError>;

    /// The broker has accepted these rows: together, since each call waits for the disk once.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn accepted(&self, rows: &[i64]) -> Result<(), JournalError>;

    /// How much is where.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn count(&self) -> Result<OutboxCount, JournalError>;
}
