//! The ledger in one SQLite file: for a street office with one machine.
//!
//! WAL with `synchronous=FULL`: what is committed survives a power cut. Several collectors on this
//! machine may use one file; each transaction takes the write lock at its beginning.

use super::ledger::{Ledger, LedgerError, MOST_IN_QUARANTINE, SCHEMA, Taken, site};
use super::letter::CommandAnswer;
use super::record::{
    Counts, DONE, Errand, Kept, Logged, Mark, Order, Outcome, Quarantined, State, Wanted,
};
use super::taking::{self, Entry, Refused, Rows, Stand, Whose};
use crate::clock::WallTime;
use crate::id::{DeviceEpoch, MessageNumber};
use crate::mqtt::{Address, Heard};
use rusqlite::types::Value;
use rusqlite::{
    Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params, params_from_iter,
};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a collector waits for another one's transaction.
const PATIENCE: Duration = Duration::from_secs(30);

/// There is something new.
const NEW_MARK: &str = "UPDATE mark SET n = n + 1";

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
                    place: file.display().to_string(),
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
        let taken = taking::take(&mut writing, batch, now)?;
        writing.0.execute(NEW_MARK, [])?;
        writing.0.commit()?;
        Ok(taken)
    }

    fn messages(&self, site: &Address, epoch: &DeviceEpoch) -> Result<Vec<Kept>, LedgerError> {
        let connection = self.hold();
        let mut select = connection.prepare_cached(
            "SELECT seq, name, newer, payload FROM message
             WHERE site = ?1 AND epoch = ?2 ORDER BY seq",
        )?;
        let rows = select.query_map(params![site.to_string(), epoch.0], |row| {
            Ok(Kept {
                number: MessageNumber(row.get::<_, i64>(0)?.cast_unsigned()),
                name: row.get(1)?,
                newer: row.get(2)?,
                payload: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn letters(&self, wanted: &Wanted<'_>) -> Result<Vec<Logged>, LedgerError> {
        // A condition that nobody set is left out, so that the right index is taken.
        let mut conditions = String::new();
        let mut values: Vec<Value> = vec![
            wanted.from.0.into(),
            wanted.to.0.into(),
            wanted.newest.into(),
        ];
        if let Some(site) = wanted.site {
            values.push(site.to_string().into());
            let _ = write!(conditions, " AND site = ?{}", values.len());
        }
        if let Some(names) = wanted.names {
            values.push(serde_json::json!(names).to_string().into());
            let list = values.len();
            let _ = write!(
                conditions,
                " AND name IN (SELECT value FROM json_each(?{list}))"
            );
        }
        let connection = self.hold();
        let mut select = connection.prepare_cached(&format!(
            "SELECT site, epoch, seq, name, newer, late, payload, received_wall_ms FROM message
             WHERE received_wall_ms >= ?1 AND received_wall_ms < ?2{conditions}
             ORDER BY received_wall_ms DESC, site, epoch, seq DESC LIMIT ?3"
        ))?;
        let mut rows = select.query(params_from_iter(values))?;
        let mut letters = Vec::new();
        while let Some(row) = rows.next()? {
            letters.push(Logged {
                site: site_of(row, 0)?,
                epoch: DeviceEpoch(row.get(1)?),
                number: MessageNumber(row.get::<_, i64>(2)?.cast_unsigned()),
                name: row.get(3)?,
                newer: row.get(4)?,
                late: row.get(5)?,
                payload: row.get(6)?,
                received: WallTime(row.get(7)?),
            });
        }
        Ok(letters)
    }

    fn states(&self, site: Option<&Address>) -> Result<Vec<State>, LedgerError> {
        let connection = self.hold();
        let of_site = site.map_or("", |_| "WHERE site = ?1");
        let mut select = connection.prepare_cached(&format!(
            "SELECT site, name, newer, payload, received_wall_ms FROM state {of_site}
             ORDER BY site, name"
        ))?;
        let mut rows = select.query(params_from_iter(site.map(Address::to_string)))?;
        let mut states = Vec::new();
        while let Some(row) = rows.next()? {
            states.push(State {
                site: site_of(row, 0)?,
                name: row.get(1)?,
                newer: row.get(2)?,
                payload: row.get(3)?,
                received: WallTime(row.get(4)?),
            });
        }
        Ok(states)
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<Quarantined>, LedgerError> {
        let connection = self.hold();
        let mut select = connection.prepare_cached(
            "SELECT topic, payload, reason, detail, received_wall_ms FROM quarantine
             ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = select.query_map([limit], |row| {
            Ok(Quarantined {
                topic: row.get(0)?,
                payload: row.get(1)?,
                reason: row.get(2)?,
                detail: row.get(3)?,
                received: WallTime(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn counts(&self) -> Result<Counts, LedgerError> {
        let counts = self.hold().query_row(
            "SELECT (SELECT count(*) FROM (SELECT site FROM known UNION SELECT site FROM state)),
                    (SELECT count(*) FROM message), (SELECT count(*) FROM quarantine)",
            [],
            |row| {
                let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                Ok(Counts {
                    sites: count(0)?,
                    messages: count(1)?,
                    quarantined: count(2)?,
                })
            },
        )?;
        Ok(counts)
    }

    fn mark(&self) -> Result<Mark, LedgerError> {
        let connection = self.hold();
        let mut select = connection.prepare_cached("SELECT n FROM mark")?;
        let n: i64 = select.query_row([], |row| row.get(0))?;
        Ok(Mark(n.to_string()))
    }

    fn order(&self, order: &Order, sites: &[Address]) -> Result<(), LedgerError> {
        let mut connection = self.hold();
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let new = begun.execute(
            "INSERT INTO command (id, name, payload, given_wall_ms, expires_wall_ms)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![
                order.id,
                order.name,
                order.payload,
                order.given.0,
                order.expires.0
            ],
        )?;
        if new == 1 {
            let mut insert = begun.prepare_cached(
                "INSERT INTO errand (command, site) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )?;
            for site in sites {
                insert.execute([&order.id, &site.to_string()])?;
            }
            begun.execute(NEW_MARK, [])?;
        }
        Ok(begun.commit()?)
    }

    fn orders(&self, limit: u32) -> Result<Vec<(Order, Vec<Errand>)>, LedgerError> {
        let connection = self.hold();
        let mut select = connection.prepare_cached(
            "SELECT id, name, payload, given_wall_ms, expires_wall_ms FROM command
             ORDER BY given_wall_ms DESC, id LIMIT ?1",
        )?;
        let orders: Vec<Order> = select
            .query_map([limit], |row| order_of(row, 0))?
            .collect::<Result<_, _>>()?;
        let mut of_order = connection.prepare_cached(
            "SELECT site, answer, answered_wall_ms FROM errand WHERE command = ?1 ORDER BY site",
        )?;
        let mut all = Vec::new();
        for order in orders {
            let mut rows = of_order.query([&order.id])?;
            let mut errands = Vec::new();
            while let Some(row) = rows.next()? {
                errands.push(Errand {
                    site: site_of(row, 0)?,
                    outcome: Outcome::read(row.get(1)?, row.get(2)?),
                });
            }
            all.push((order, errands));
        }
        Ok(all)
    }

    fn unanswered(&self, now: WallTime) -> Result<Vec<(Address, Order)>, LedgerError> {
        let connection = self.hold();
        let mut select = connection.prepare_cached(
            "SELECT site, id, name, payload, given_wall_ms, expires_wall_ms
             FROM errand JOIN command ON command.id = errand.command
             WHERE answer IS NULL AND expires_wall_ms > ?1 ORDER BY given_wall_ms, id, site",
        )?;
        let mut rows = select.query([now.0])?;
        let mut orders = Vec::new();
        while let Some(row) = rows.next()? {
            orders.push((site_of(row, 0)?, order_of(row, 1)?));
        }
        Ok(orders)
    }
}

/// The site in a column.
fn site_of(row: &Row<'_>, column: usize) -> Result<Address, LedgerError> {
    site(&row.get::<_, String>(column)?)
}

/// The order in the columns from this one on.
fn order_of(row: &Row<'_>, first: usize) -> rusqlite::Result<Order> {
    Ok(Order {
        id: row.get(first)?,
        name: row.get(first + 1)?,
        payload: row.get(first + 2)?,
        given: WallTime(row.get(first + 3)?),
        expires: WallTime(row.get(first + 4)?),
    })
}

/// A transaction that holds the write lock.
struct Writing<'a>(Transaction<'a>);

impl Rows for Writing<'_> {
    fn stretches(&mut self, of: &[Whose]) -> Result<Vec<Option<String>>, LedgerError> {
        let mut select = self
            .0
            .prepare_cached("SELECT stretches FROM known WHERE site = ?1 AND epoch = ?2")?;
        of.iter()
            .map(|(site, epoch)| {
                let found = select.query_row([site, epoch], |row| row.get(0));
                Ok(found.optional()?)
            })
            .collect()
    }

    fn save(&mut self, stretches: &[(Whose, String)]) -> Result<(), LedgerError> {
        let mut save = self.0.prepare_cached(
            "INSERT INTO known (site, epoch, stretches) VALUES (?1, ?2, ?3)
             ON CONFLICT (site, epoch) DO UPDATE SET stretches = excluded.stretches",
        )?;
        for ((site, epoch), text) in stretches {
            save.execute([site, epoch, text])?;
        }
        Ok(())
    }

    fn insert(&mut self, entries: &[Entry<'_>], now: WallTime) -> Result<Vec<bool>, LedgerError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO message (site, epoch, seq, name, newer, late, payload, received_wall_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?;
        let new = entries.iter().map(|it| {
            let (site, epoch) = &it.own;
            let letter = it.letter;
            let number = letter.number.cast_signed();
            insert.execute(params![
                site,
                epoch,
                number,
                letter.name,
                letter.newer,
                letter.late,
                it.payload,
                now.0
            ])
        });
        Ok(new
            .map(|it| it.map(|new| new == 1))
            .collect::<Result<_, _>>()?)
    }

    fn first(&mut self, of: &[(&Whose, u64)]) -> Result<Vec<(String, Vec<u8>)>, LedgerError> {
        let mut select = self.0.prepare_cached(
            "SELECT name, payload FROM message WHERE site = ?1 AND epoch = ?2 AND seq = ?3",
        )?;
        let found = of.iter().map(|((site, epoch), number)| {
            let key = params![site, epoch, number.cast_signed()];
            select.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
        });
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn stand(&mut self, stands: &[Stand<'_>], now: WallTime) -> Result<(), LedgerError> {
        let mut keep = self.0.prepare_cached(
            "INSERT INTO state (site, name, newer, payload, received_wall_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (site, name) DO UPDATE SET newer = excluded.newer,
             payload = excluded.payload, received_wall_ms = excluded.received_wall_ms
             WHERE payload <> excluded.payload AND received_wall_ms <= excluded.received_wall_ms",
        )?;
        let mut forget = self
            .0
            .prepare_cached("DELETE FROM state WHERE site = ?1 AND name = ?2")?;
        for it in stands {
            match it.payload {
                Some(payload) => {
                    keep.execute(params![it.site, it.name, it.newer, payload, now.0])?
                }
                None => forget.execute(params![it.site, it.name])?,
            };
        }
        Ok(())
    }

    fn answer(
        &mut self,
        answers: &[(String, &CommandAnswer)],
        now: WallTime,
    ) -> Result<(), LedgerError> {
        let mut answer = self.0.prepare_cached(
            "UPDATE errand SET answer = ?3, answered_wall_ms = ?4
             WHERE command = ?1 AND site = ?2 AND answer IS NOT ?3 AND answer IS NOT ?5",
        )?;
        for (site, it) in answers {
            let said = it.refused.as_deref().unwrap_or(DONE);
            answer.execute(params![it.id, site, said, now.0, DONE])?;
        }
        Ok(())
    }

    fn quarantine(&mut self, refused: &[Refused<'_>], now: WallTime) -> Result<(), LedgerError> {
        if refused.is_empty() {
            return Ok(());
        }
        let mut insert = self.0.prepare_cached(
            "INSERT INTO quarantine (topic, payload, reason, detail, received_wall_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for it in refused {
            insert.execute(params![it.topic, it.payload, it.reason, it.detail, now.0])?;
        }
        self.0
            .prepare_cached(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?1",
            )?
            .execute([MOST_IN_QUARANTINE])?;
        Ok(())
    }
}
