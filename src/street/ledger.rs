//! The street office's database, whichever it is: each message once, receipts only from what was
//! kept.
//!
//! [`Ledger::take`] writes a batch of messages, the numbers that have come with them and what is
//! unfit in one transaction, and gives the receipts after it is on the disk. A message under a key
//! that is there already changes nothing and is acknowledged again: its first receipt may have been
//! lost. Where this process dies before the commit, nobody was told anything, and the gateways
//! send again.
//!
//! Several collectors may use one database: what `take` works from it locks first, in one order for
//! all of them.

use super::record::{Counts, Errand, Kept, Logged, Mark, Order, Quarantined, State, Wanted};
use crate::clock::WallTime;
use crate::id::DeviceEpoch;
use crate::journal::Receipt;
use crate::mqtt::{Address, Heard};

/// The schema that this program writes.
pub(super) const SCHEMA: i64 = 1;
/// Messages kept in quarantine: a gate that sends rubbish without end must not fill the disk.
pub(super) const MOST_IN_QUARANTINE: i64 = 10_000;

/// Why the ledger could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database was written by a newer program, or is no ledger.
    #[error(
        "{place} has schema {found}, this program knows {SCHEMA}: it was written by a newer version, \
         or by another program. Install that version, or choose another database"
    )]
    Schema {
        /// Which.
        place: String,
        /// What it says.
        found: i64,
    },
    /// A row names a site as the program never did.
    #[error("{0:?} in the street's database is no site; keep a copy of it and report this")]
    Site(String),
    /// A row says what the program never wrote.
    #[error(
        "the numbers kept for {site} cannot be read ({source}); keep a copy of the database and \
         report this"
    )]
    Unreadable {
        /// Whose.
        site: String,
        /// In what.
        source: serde_json::Error,
    },
    /// The file did not let us.
    #[error(
        "the street's database failed: {0}. Look at the disk (df, dmesg); gateways keep what was \
         not acknowledged"
    )]
    File(#[from] rusqlite::Error),
    /// PostgreSQL did not let us.
    #[error("PostgreSQL failed: {0}")]
    Database(#[from] postgres::Error),
    /// PostgreSQL is away, or did not let us; with what is known of it.
    #[error("the street's database at {place}: {why}; gateways keep what was not acknowledged")]
    Server {
        /// Which.
        place: String,
        /// Why, and what to do.
        why: String,
    },
}

/// What a site is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whom.
    pub site: Address,
    /// What.
    pub receipt: Receipt,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Messages that are new.
    pub new: usize,
    /// Messages that were there already.
    pub again: usize,
    /// Messages without a number that were fit: how things stand, commands that were refused.
    pub standing: usize,
    /// Messages that went into quarantine.
    pub unfit: usize,
    /// One for each site and epoch that sent something fit.
    pub answers: Vec<Answer>,
}

/// What the collector and the office's pages need of a database. All calls block.
///
/// Every call fails where the database cannot be reached, or holds what the program never wrote.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Ledger: Send + Sync {
    /// Keeps what is fit, puts the rest into quarantine, and says what the sites are to be told. All
    /// of it is on the disk when this returns. Where it fails nothing was kept, and nobody may be
    /// told anything.
    fn take(&self, batch: &[Heard], now: WallTime) -> Result<Taken, LedgerError>;

    /// Messages of a site's epoch, by number.
    fn messages(&self, site: &Address, epoch: &DeviceEpoch) -> Result<Vec<Kept>, LedgerError>;

    /// Messages that are wanted, newest first; those that came together, by site and number.
    fn letters(&self, wanted: &Wanted<'_>) -> Result<Vec<Logged>, LedgerError>;

    /// How everything stands, by site and name; of one site, or of all.
    fn states(&self, site: Option<&Address>) -> Result<Vec<State>, LedgerError>;

    /// What is in quarantine, newest first, at most `limit`.
    fn quarantine(&self, limit: u32) -> Result<Vec<Quarantined>, LedgerError>;

    /// How much there is. Counts rows: for a page that is asked for, not for one that asks.
    fn counts(&self) -> Result<Counts, LedgerError>;

    /// Whether anything has changed: cheap, for pages that ask every second.
    fn mark(&self) -> Result<Mark, LedgerError>;

    /// Gives an order to sites; collectors send it. One whose id is there already changes nothing.
    fn order(&self, order: &Order, sites: &[Address]) -> Result<(), LedgerError>;

    /// Orders with what became of them at each site, newest first, at most `limit`.
    fn orders(&self, limit: u32) -> Result<Vec<(Order, Vec<Errand>)>, LedgerError>;

    /// Orders that sites have not answered, and that can still be sent.
    fn unanswered(&self, now: WallTime) -> Result<Vec<(Address, Order)>, LedgerError>;
}

/// The site that a database's text names.
pub(super) fn site(text: &str) -> Result<Address, LedgerError> {
    text.parse().map_err(|_| LedgerError::Site(text.to_owned()))
}
