//! Numbered migrations: one transaction each, counted in SQLite's `user_version`.
//!
//! A database made by a newer program is refused rather than guessed at. A migration that was
//! released is never edited; the next one goes to the end of [`MIGRATIONS`].

use super::error::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// Every migration with its number, oldest first.
const MIGRATIONS: [(i64, &str); 1] = [(1, include_str!("0001_journal.sql"))];

/// The version that this program writes.
pub(super) const CURRENT: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// "MSHN", in the header of every database of this program, so that `file` and we know it.
const APPLICATION_ID: i64 = 0x4d53_484e;

/// Brings the database to [`CURRENT`]. A database without any table is a new one.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(StoreError::Foreign);
    }
    if found > CURRENT {
        return Err(StoreError::Newer {
            found,
            known: CURRENT,
        });
    }
    for (number, sql) in MIGRATIONS {
        if number <= found {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
        tracing::info!(schema = number, "the database has a new schema");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps() {
        assert!(
            MIGRATIONS
                .iter()
                .zip(1..)
                .all(|((number, _), n)| *number == n)
        );
    }

    #[test]
    fn every_table_and_column_has_a_comment() {
        for (_, sql) in MIGRATIONS {
            let mut commented = false;
            for line in sql.lines().map(str::trim) {
                let declares = line.starts_with("CREATE TABLE")
                    || line.split_once(' ').is_some_and(|(_, rest)| {
                        ["INTEGER", "TEXT", "REAL", "BLOB"]
                            .iter()
                            .any(|kind| rest.starts_with(kind))
                    }) && !line.starts_with("--");
                assert!(!declares || commented, "no comment above: {line}");
                commented = line.starts_with("--");
            }
        }
    }

    #[test]
    fn a_failing_migration_leaves_the_database_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let tables = |connection: &Connection| -> i64 {
            connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .unwrap()
        };
        let before = tables(&connection);
        // As if version 1 had not been finished: its tables exist, so running it again must fail.
        connection.pragma_update(None, "user_version", 0).unwrap();
        assert!(migrate(&mut connection).is_err());
        assert_eq!(tables(&connection), before);
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 0);
    }
}
