//! Where events go, seen from those who need it: the pipeline writes, the web reads and acts, the
//! MQTT link empties the outbox. The store stands behind all of it; nobody here knows SQL.
//!
//! All calls block (a disk is behind them) and may be made from several threads at once; async
//! callers use a blocking task.

use crate::alert::escalation::Reminder;
use crate::alert::{Alert, Refused};
use crate::clock::Stamp;
use crate::command::{Notice, Token};
use crate::event::{Event, Fault};
use crate::id::{AlertId, Channel, DeviceEpoch, EventKey, MessageNumber, Sequence};
use crate::screening::Screening;
use std::fmt;

/// What is given up first where the outbox grows beyond its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// Of use only while it is new: given up first.
    Live,
    /// Counts of an hour: given up next.
    Hourly,
    /// Alerts, faults, ticks, reports: never given up.
    Always,
}

/// One message that an event causes, kept until it is safe elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Full topic; for a notifier the kind of event.
    pub topic: String,
    /// Bytes of the payload.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for late subscribers.
    pub retain: bool,
    /// Whether it may be given up.
    pub keep: Keep,
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// Its number in its channel; messages go out in this order.
    pub number: MessageNumber,
    /// The event that caused it.
    pub event: Sequence,
    /// What to publish.
    pub message: OutboxMessage,
    /// When the event happened: what is old when it goes out must not sound a siren.
    pub at: Stamp,
}

/// Where a message is safe, so that it need not be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeAt {
    /// The broker (or the notifier's server) has accepted it. For a gateway without a street
    /// collector, which says so on its pages.
    Broker,
    /// The street office's collector has acknowledged it.
    Street,
}

/// What the street office's collector acknowledges: it has every message of this epoch up to a
/// number, but for the gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which database's messages.
    pub epoch: DeviceEpoch,
    /// The highest number that it knows of.
    pub up_to: MessageNumber,
    /// First and last number of each stretch that it lacks, ascending.
    pub gaps: Vec<(MessageNumber, MessageNumber)>,
}

/// How many messages are in each state: honest words for the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCount {
    /// Saved here only.
    pub saved: u64,
    /// Accepted by the broker, not known to be with the street office.
    pub accepted: u64,
    /// Received by the street office, and not erased here yet.
    pub received: u64,
    /// Refused so often that they were put aside.
    pub parked: u64,
}

/// What went wrong while keeping an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalError {
    /// No such alert.
    UnknownAlert(AlertId),
    /// The alert's state does not allow it.
    Refused(Refused),
    /// A command with this id was done before.
    DoneBefore(Token),
    /// The disk or the database failed; the text says what to do.
    Storage(String),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAlert(id) => write!(f, "there is no alert {id}"),
            Self::Refused(why) => why.fmt(f),
            Self::DoneBefore(id) => write!(f, "command {id} was done before"),
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

/// What an earlier start has left, so that nothing is said twice and nothing stays said for ever.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unfinished {
    /// Reminders that were given for alerts that are not resolved, oldest first; there may be some of
    /// other alerts among them.
    pub reminders: Vec<Reminder>,
    /// Faults that were raised and not cleared.
    pub faults: Vec<Fault>,
}

/// Most notices that are shown at once.
pub const MOST_NOTICES: usize = 5;

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
    /// Those that may not be saved yet are counted too, and each once.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn tally(
        &self,
        since_wall_ms: i64,
        unsaved: &[Screening],
    ) -> Result<Vec<(String, Option<String>, u64)>, JournalError>;

    /// Events that were recorded after this one, oldest first; where none is named, the newest alone.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn since(&self, event: Option<Sequence>, limit: u32) -> Result<Vec<Recorded>, JournalError>;

    /// What the street office has said and holds at this time (ms since 1970), newest first, at most
    /// [`MOST_NOTICES`].
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn notices(&self, at_wall_ms: i64) -> Result<Vec<Notice>, JournalError>;

    /// What an earlier start has left. Asked once, at the start.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn unfinished(&self) -> Result<Unfinished, JournalError>;
}

/// The outbox: messages that wait for the broker or a notifier, each channel on its own.
///
/// saved → accepted by the broker → received by the street office; what is refused again and again
/// is parked. A message that was handed to the broker and not acknowledged counts as saved: only
/// the link knows what is under way, and forgets it with the connection.
pub trait Outbox: Send + Sync {
    /// Messages of a channel after a number that are not safe yet and not parked, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn waiting(
        &self,
        channel: &Channel,
        until: SafeAt,
        after: MessageNumber,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, JournalError>;

    /// The broker has accepted these messages: together, since each call waits for the disk once.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn accepted(&self, channel: &Channel, numbers: &[MessageNumber]) -> Result<(), JournalError>;

    /// The street office's collector has acknowledged messages of the broker's channel. A receipt
    /// of another epoch, or of numbers that were never given out, changes nothing.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn received(&self, receipt: &Receipt) -> Result<(), JournalError>;

    /// A message was refused, by the broker or the notifier's server. The third refusal parks it.
    /// Gives whether it is parked now.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn refused(
        &self,
        channel: &Channel,
        number: MessageNumber,
        why: &str,
    ) -> Result<bool, JournalError>;

    /// How much of a channel is where.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn count(&self, channel: &Channel) -> Result<OutboxCount, JournalError>;
}
