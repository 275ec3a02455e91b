//! The store: one SQLite database in one folder, from which nothing that was recorded gets lost.
//!
//! `record` writes events, what is derived from them, their outbox messages and the audit in one
//! transaction that is on the disk when it returns: WAL with `synchronous=FULL` (SQLite's
//! documentation of `PRAGMA synchronous`: with NORMAL a power cut may take the last commits).
//!
//! Every call blocks on a disk and may be made from any thread: one writer behind a mutex, one
//! reader behind another, so that a page which reads does not wait for a commit. A file lock on
//! the folder keeps a second gateway out; the system drops it when the process dies, however.
//!
//! After a stop without [`Store`] being dropped (a crash, a power cut), or after a call found
//! damage, the next start checks the database (`PRAGMA quick_check`); after a clean one it does
//! not, since this takes long on cards. What is damaged is salvaged (`salvage.rs`), what is a copy
//! goes on under a new epoch (`epoch.rs`). Once a minute [`Store::maintain`] keeps it in bounds.
//!
//! In the folder: `menshen.db` with SQLite's `-wal` and `-shm`, `menshen.lock`, `menshen.epoch`, `people.key` where the
//! register's key is not a credential,
//! `backup/` with the nightly copies, `replaced-…/` with what a restored copy took the place of, `menshen-schema-N.db` as it was before an update, `damaged-…/` with what was
//! salvaged.

mod accounts;
mod audit_chain;
pub mod backup;
mod disk;
mod epoch;
mod error;
mod event_row;
mod figures;
mod gate;
mod journal;
mod lock;
mod logbook;
mod logbook_row;
mod look;
mod migrate;
mod opening;
mod outbox;
mod outline;
mod person_row;
mod register;
mod report_row;
mod restore;
mod retention;
mod row;
mod salvage;
mod shedding;
mod times;
mod unfinished;
mod upkeep;
mod vault;

pub use audit_chain::{Break, Head, Verified, verify as verify_audit};
pub use error::StoreError;
pub use journal::AuditEntry;
pub use look::{examine, existing, free, is_in_use, may_write, open_alerts, schema};
pub use outbox::MAX_PAYLOAD;
pub use outline::{Outline, Start, names, outline, sent_templates};
pub use register::People;
pub use restore::restore;
pub use upkeep::Upkeep;
pub use vault::{KeyError, new_key, usual_key_file};

use crate::clock::{BootId, Clock as _, SystemClock};
use crate::event::Event;
use crate::id::{Channel, DeviceEpoch, MessageKey};
use crate::journal::{JournalError, OutboxMessage};
use epoch::Epochs;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which message an event causes in a channel, if any. Called within the transaction, so it must be
/// quick and must not use the store.
pub type Addressing = Box<dyn Fn(&MessageKey, &Event) -> Option<OutboxMessage> + Send + Sync>;

/// A channel, and what goes out by it: the wiring gives the store these, so that the store knows
/// no topic.
pub struct Route {
    /// The channel.
    pub channel: Channel,
    /// Its messages.
    pub address: Addressing,
}

/// The schema that this program writes.
pub const SCHEMA: i64 = migrate::CURRENT;

/// Name of the database in the folder.
const DATABASE: &str = "menshen.db";

/// The store. Clones share one database.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// What the clones share.
struct Inner {
    folder: PathBuf,
    /// The connection for reading. Closed first: the one that is closed last moves the log into the
    /// database, so that after a stop `menshen.db` alone is all there is, and a reader cannot.
    reader: Mutex<Connection>,
    /// The only connection that writes.
    writer: Mutex<Connection>,
    routes: Vec<Route>,
    epochs: Epochs,
    boot: BootId,
    /// For times that no event brings along: the broker's acceptance, start and stop.
    clock: SystemClock,
    /// Damage was seen: the next start is to look at the whole file.
    suspect: AtomicBool,
    /// What is done by the hour and by the night.
    rounds: Mutex<upkeep::Rounds>,
    /// Holds the folder until everything above is closed.
    _lock: lock::Lock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("epoch", &self.epoch())
            .field("boot", &self.inner.boot)
            .finish_non_exhaustive()
    }
}

/// Takes a lock. A panic elsewhere rolled its transaction back when it unwound, so what is behind
/// it is fit for use.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Opens the database in this folder, or makes one, and counts a new start of the gateway. A
    /// damaged database is put aside, and what can be read of it is taken over.
    ///
    /// # Errors
    /// [`StoreError`]; its text says what to do.
    pub fn open(folder: &Path, routes: Vec<Route>) -> Result<Self, StoreError> {
        disk::make_folder(folder)?;
        let mut lock = lock::Lock::take(folder)?;
        let opened = opening::open_or_salvage(folder, &routes, lock.epoch())?;
        lock.note(folder, opened.epochs.now())?;
        tracing::info!(
            boot = opened.boot.0,
            epoch = opened.epochs.now().0,
            "the store is open"
        );
        Ok(Self {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                writer: Mutex::new(opened.writer),
                reader: Mutex::new(opened.reader),
                routes,
                epochs: opened.epochs,
                boot: opened.boot,
                clock: SystemClock::start(opened.boot),
                suspect: AtomicBool::new(false),
                rounds: Mutex::default(),
                _lock: lock,
            }),
        })
    }

    /// Identity of this database.
    #[must_use]
    pub fn epoch(&self) -> DeviceEpoch {
        self.inner.epochs.now().clone()
    }

    /// Number of this start of the gateway: what the clock is to be started with.
    #[must_use]
    pub fn boot(&self) -> BootId {
        self.inner.boot
    }

    /// The writer.
    fn writer(&self) -> MutexGuard<'_, Connection> {
        hold(&self.inner.writer)
    }

    /// Does something in one transaction, which is on the disk when this returns. On every way out
    /// but the commit the transaction is dropped, and nothing was kept.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, JournalError> {
        let write = || {
            let mut writer = self.writer();
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        self.noted(write())
    }

    /// Reads something.
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, JournalError> {
        self.noted(work(&hold(&self.inner.reader)))
    }

    /// The result for whoever called.
    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, JournalError> {
        result.map_err(|error| {
            self.note_damage(&error);
            error.into()
        })
    }

    /// Remembers damage for the next start.
    fn note_damage(&self, error: &StoreError) {
        if matches!(error, StoreError::Damaged(_)) || error.is_unreadable() {
            self.inner.suspect.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Inner {
    /// Notes that this was a clean stop, if it was. Where that fails, the next start merely checks
    /// more.
    fn drop(&mut self) {
        if self.suspect.load(Ordering::Relaxed) {
            return;
        }
        let now = self.clock.now();
        let noted = hold(&self.writer).execute(
            "UPDATE boot SET stopped_wall_ms = ?1, ran_ms = ?2 WHERE number = ?3",
            params![
                now.wall.0,
                row::milliseconds(now.monotonic),
                row::to_sql(self.boot.0)
            ],
        );
        if let Err(error) = noted {
            tracing::warn!(%error, "the clean stop could not be noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ClockTrust, Stamp, WallTime};
    use crate::event::Fault;
    use crate::id::Sequence;
    use crate::journal::{Journal, Keep, Outbox};
    use std::time::Duration;

    fn fault() -> Event {
        Event::FaultRaised {
            fault: Fault::CameraSilent,
            at: Stamp {
                boot: BootId(1),
                monotonic: Duration::ZERO,
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            },
        }
    }

    #[test]
    fn commits_wait_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        let ask = |what: &str| -> String {
            store
                .writer()
                .query_row(
                    &format!("SELECT CAST({what} AS TEXT) FROM pragma_{what}"),
                    [],
                    |row| row.get(0),
                )
                .unwrap()
        };
        assert_eq!(ask("journal_mode"), "wal");
        assert_eq!(ask("synchronous"), "2", "FULL");
        assert_eq!(ask("foreign_keys"), "1");
    }

    #[test]
    fn a_full_disk_is_said_so_and_the_gateway_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let message = OutboxMessage {
            topic: "t".to_owned(),
            payload: vec![b'x'; MAX_PAYLOAD],
            retain: false,
            keep: Keep::Always,
        };
        let route = Route {
            channel: Channel::broker(),
            address: Box::new(move |_, _| Some(message.clone())),
        };
        let store = Store::open(folder.path(), vec![route]).unwrap();
        let limit = |pages: i64| {
            store
                .writer()
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                    row.get::<_, i64>(0)
                })
                .unwrap();
        };
        let full = limit_of(&store);
        limit(full + 8);
        let mut kept = 0_u64;
        let error = loop {
            match store.record(&[fault()]) {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
        };
        let JournalError::Storage(text) = &error else {
            panic!("{error:?}");
        };
        assert!(text.contains("the disk is full: free some space"), "{text}");
        assert_eq!(store.count(&Channel::broker()).unwrap().saved, kept);
        assert_eq!(store.events(Sequence(0), 100).unwrap().len() as u64, kept);
        limit(full + 1000);
        let recorded = store.record(&[fault()]).unwrap();
        assert_eq!(recorded[0].key.seq, Sequence(kept + 1));
    }

    /// Pages that the database has now.
    fn limit_of(store: &Store) -> i64 {
        store
            .writer()
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn what_happened_is_never_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        store.record(&[fault()]).unwrap();
        for table in ["event SET kind = 'screened'", "audit SET who = 'nobody'"] {
            let error = store
                .writer()
                .execute(&format!("UPDATE {table}"), [])
                .unwrap_err();
            assert!(error.to_string().contains("never changed"), "{error}");
        }
    }

    #[test]
    fn only_a_clean_stop_is_noted_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let stopped = |store: &Store| -> Vec<bool> {
            let writer = store.writer();
            let mut select = writer
                .prepare("SELECT stopped_wall_ms IS NOT NULL FROM boot ORDER BY number")
                .unwrap();
            let rows = select.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let open = || Store::open(folder.path(), Vec::new()).unwrap();
        let first = open();
        let clone = first.clone();
        drop(first);
        assert_eq!(stopped(&clone), [false], "a clone still runs");
        drop(clone);
        assert_eq!(stopped(&open()), [true, false]);
    }
}
