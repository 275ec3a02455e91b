//! The ledger in one SQLite file: for a street office with one machine.
//!
//! WAL with `synchronous=FULL`: what is committed survives a power cut. Several collectors on this
//! machine may use one file; each transaction takes the write lock at its beginning.

use super::ledger::{
    self, Kept, Ledger, LedgerError, MOST_IN_QUARANTINE, Quarantined, Rows, SCHEMA, Taken, Whose,
    path,
};
use super::letter::Letter;
use crate::clock::WallTime;
use crate::id::{DeviceEpoch, MessageNumber};
use crate::mqtt::{Address, Heard};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a collector waits for another one's transaction.
const PATIENCE: Duration = Duration::from_secs(30);

/// The street's database in one file.
pub struct SqliteLedger {
    connection: Mutex<Connection>,
}

impl SqliteLedger {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`LedgerError`]; its text says what to do.
    pub fn open(file: &Path) -> Result<Self, LedgerError> {
        let mut connection = Connection::open(file)?;
        connection.busy_timeout(PATIENCE)?;
        // Before anything is changed: the file may be another program's.
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (found, tables): (i64, i64) = begun.query_row(
            "SELECT (SELECT user_version FROM pragma_user_version), count(*) FROM sqlite_schema",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        match (found, tables) {
            (SCHEMA, _) => {}
            (0, 0) => begun.execute_batch(include_str!("0001_ledger.sql"))?,
            _ => {
                return Err(LedgerError::Schema {
                    file: file.to_owned(),
                    found,
                });
            }
        }
        begun.commit()?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// The connection. A panic elsewhere rolled its transaction back when it unwound.
    fn hold(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for SqliteLedger {
    fn take(&self, batch: &[Heard], now: WallTime) -> Result<Taken, LedgerError> {
        let mut connection = self.hold();
        let mut writing =
            Writing(connection.transaction_with_behavior(TransactionBehavior::Immediate)?);
        let taken = ledger::take(&mut writing, batch, now)?;
        writing.0.commit()?;
        Ok(taken)
    }

    fn messages(&self, site: &Address, epoch: &DeviceEpoch) -> Result<Vec<Kept>, LedgerError> {
        let connection = self.hold();
        let mut select = connection.prepare_cached(
            "SELECT seq, name, newer, payload FROM message
             WHERE site = ?1 AND epoch = ?2 ORDER BY seq",
        )?;
        let rows = select.query_map(params![path(site), epoch.0], |row| {
            Ok(Kept {
                number: MessageNumber(row.get::<_, i64>(0)?.cast_unsigned()),
                name: row.get(1)?,
                newer: row.get(2)?,
                payload: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<Quarantined>, LedgerError> {
        let connection = self.hold();
        let mut select = connection.prepare_cached(
            "SELECT topic, reason, detail, received_wall_ms FROM quarantine
             ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = select.query_map([limit], |row| {
            Ok(Quarantined {
                topic: row.get(0)?,
                reason: row.get(1)?,
                detail: row.get(2)?,
                received: WallTime(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A transaction that holds the write lock.
struct Writing<'a>(Transaction<'a>);

impl Rows for Writing<'_> {
    fn stretches(&mut self, (site, epoch): &Whose) -> Result<Option<String>, LedgerError> {
        let mut select = self
            .0
            .prepare_cached("SELECT stretches FROM known WHERE site = ?1 AND epoch = ?2")?;
        let found = select.query_row([site, epoch], |row| row.get(0));
        Ok(found.optional()?)
    }

    fn save(&mut self, (site, epoch): &Whose, stretches: &str) -> Result<(), LedgerError> {
        self.0
            .prepare_cached(
                "INSERT INTO known (site, epoch, stretches) VALUES (?1, ?2, ?3)
                 ON CONFLICT (site, epoch) DO UPDATE SET stretches = excluded.stretches",
            )?
            .execute(params![site, epoch, stretches])?;
        Ok(())
    }

    fn insert(
        &mut self,
        (site, epoch): &Whose,
        letter: &Letter,
        payload: &[u8],
        now: WallTime,
    ) -> Result<bool, LedgerError> {
        let new = self
            .0
            .prepare_cached(
                "INSERT INTO message (site, epoch, seq, name, newer, payload, received_wall_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                site,
                epoch,
                letter.number.cast_signed(),
                letter.name,
                letter.newer,
                payload,
                now.0
            ])?;
        Ok(new == 1)
    }

    fn first(
        &mut self,
        (site, epoch): &Whose,
        number: u64,
    ) -> Result<(String, Vec<u8>), LedgerError> {
        let mut select = self.0.prepare_cached(
            "SELECT name, payload FROM message WHERE site = ?1 AND epoch = ?2 AND seq = ?3",
        )?;
        let key = params![site, epoch, number.cast_signed()];
        Ok(select.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    fn quarantine(
        &mut self,
        (topic, payload): (&str, &[u8]),
        (reason, detail): (&str, &str),
        now: WallTime,
    ) -> Result<(), LedgerError> {
        self.0
            .prepare_cached(
                "INSERT INTO quarantine (topic, payload, reason, detail, received_wall_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![topic, payload, reason, detail, now.0])?;
        self.0
            .prepare_cached(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?1",
            )?
            .execute([MOST_IN_QUARANTINE])?;
        Ok(())
    }
}
