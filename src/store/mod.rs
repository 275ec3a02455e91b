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
//! After a stop without [`Store`] being dropped (a crash, a power cut) the next start checks the
//! database (`PRAGMA quick_check`); after a clean one it does not, since this takes long on cards.

mod error;
mod journal;
mod migrate;
mod outbox;
mod row;
mod unfinished;

pub use error::StoreError;
pub use journal::AuditEntry;
pub use outbox::MAX_PAYLOAD;

use crate::clock::{BootId, Clock, Stamp, SystemClock};
use crate::event::Event;
use crate::id::{Channel, DeviceEpoch, MessageKey};
use crate::journal::OutboxMessage;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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

/// Name of the database in the folder.
const DATABASE: &str = "menshen.db";
/// Name of the file that carries the lock.
const LOCK: &str = "menshen.lock";
/// How long a statement waits for another program that holds the database, such as a backup.
const BUSY: Duration = Duration::from_secs(5);

/// The store. Clones share one database.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// What the clones share.
struct Inner {
    /// The only connection that writes.
    writer: Mutex<Connection>,
    /// The connection for reading.
    reader: Mutex<Connection>,
    routes: Vec<Route>,
    epoch: DeviceEpoch,
    boot: BootId,
    /// For times that no event brings along: the broker's acceptance, start and stop.
    clock: SystemClock,
    /// Holds the folder until everything above is closed.
    _lock: File,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("epoch", &self.inner.epoch)
            .field("boot", &self.inner.boot)
            .finish_non_exhaustive()
    }
}

/// Takes the lock of a connection. A panic elsewhere rolled its transaction back when it unwound,
/// so the connection is fit for use.
fn hold(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Opens the database in this folder, or makes one, and counts a new start of the gateway.
    ///
    /// # Errors
    /// [`StoreError`]; its text says what to do.
    pub fn open(folder: &Path, routes: Vec<Route>) -> Result<Self, StoreError> {
        let in_folder = |source| StoreError::Folder {
            folder: folder.to_owned(),
            source,
        };
        // Personal data will lie here: for this user only.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(in_folder)?;
        let lock = take_lock(folder)?;
        let path = folder.join(DATABASE);
        // Made here so that it has its mode from the start; SQLite gives its own files the same.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(in_folder)?;
        let mut writer = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        writer.busy_timeout(BUSY)?;
        let mode: String = writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(in_folder(std::io::Error::other(format!(
                "the file system allows no write-ahead log (journal mode {mode})"
            ))));
        }
        writer.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "foreign_keys", true)?;
        migrate::migrate(&mut writer)?;
        check_after_crash(&writer)?;
        let (epoch, boot) = count_start(&mut writer)?;

        let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.busy_timeout(BUSY)?;
        tracing::info!(boot = boot.0, epoch = epoch.0, "the store is open");
        Ok(Self {
            inner: Arc::new(Inner {
                writer: Mutex::new(writer),
                reader: Mutex::new(reader),
                routes,
                epoch,
                boot,
                clock: SystemClock::start(boot),
                _lock: lock,
            }),
        })
    }

    /// Identity of this database.
    #[must_use]
    pub fn epoch(&self) -> DeviceEpoch {
        self.inner.epoch.clone()
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

    /// The reader.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        hold(&self.inner.reader)
    }
}

impl Drop for Inner {
    /// Notes that this was a clean stop. Where that fails, the next start merely checks more.
    fn drop(&mut self) {
        let stopped = self.clock.now().wall.0;
        let number = row::to_sql(self.boot.0);
        let noted = hold(&self.writer).execute(
            "UPDATE boot SET stopped_wall_ms = ?1 WHERE number = ?2",
            params![stopped, number],
        );
        if let Err(error) = noted {
            tracing::warn!(%error, "the clean stop could not be noted");
        }
    }
}

/// Takes the folder for this process, and notes who has it.
fn take_lock(folder: &Path) -> Result<File, StoreError> {
    let in_folder = |source| StoreError::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(folder.join(LOCK))
        .map_err(in_folder)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Best effort: the message is right without the number, too.
            let _ = file.read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => String::new(),
                process => format!(" (process {process})"),
            };
            return Err(StoreError::InUse {
                folder: folder.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(source)) => return Err(in_folder(source)),
    }
    file.set_len(0).map_err(in_folder)?;
    file.seek(SeekFrom::Start(0)).map_err(in_folder)?;
    writeln!(file, "{}", std::process::id()).map_err(in_folder)?;
    Ok(file)
}

/// Checks the database where the last start was not followed by a clean stop.
fn check_after_crash(connection: &Connection) -> Result<(), StoreError> {
    let stopped: Option<Option<i64>> = connection
        .query_row(
            "SELECT stopped_wall_ms FROM boot ORDER BY number DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if stopped != Some(None) {
        return Ok(());
    }
    tracing::warn!("the gateway was not stopped in order; checking the database");
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged(found))
    }
}

/// Counts this start, and gives a new database its epoch.
fn count_start(connection: &mut Connection) -> Result<(DeviceEpoch, BootId), StoreError> {
    let now = SystemClock::start(BootId(0)).now();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "INSERT INTO device (only_row, epoch, created_wall_ms) VALUES (1, ?1, ?2)
         ON CONFLICT (only_row) DO NOTHING",
        params![uuid::Uuid::new_v4().to_string(), now.wall.0],
    )?;
    let epoch = transaction.query_row("SELECT epoch FROM device", [], |row| row.get(0))?;
    let version = env!("CARGO_PKG_VERSION");
    transaction.execute(
        "INSERT INTO boot (started_wall_ms, started_trust, version) VALUES (?1, ?2, ?3)",
        params![now.wall.0, now.trust.as_str(), version],
    )?;
    let boot = BootId(row::from_sql(transaction.last_insert_rowid()));
    journal::audit(
        &transaction,
        None,
        journal::GATEWAY,
        "gateway_started",
        version,
        &Stamp { boot, ..now },
    )?;
    transaction.commit()?;
    Ok((DeviceEpoch(epoch), boot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ClockTrust, WallTime};
    use crate::event::Fault;
    use crate::id::Sequence;
    use crate::journal::{Journal, JournalError, Keep, Outbox};

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
