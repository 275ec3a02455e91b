//! Numbered migrations: one transaction each, counted in SQLite's `user_version`, with a copy of the
//! database made before the first of them.
//!
//! A database made by a newer program is refused rather than guessed at. A migration that was
//! released is never edited; the next one goes to the end of [`MIGRATIONS`].

use super::backup;
use super::error::StoreError;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::Path;

/// A migration: its number, and what it does.
type Migration = (i64, &'static str);

/// Every migration with its number, oldest first.
pub(super) const MIGRATIONS: &[Migration] = &[
    (1, include_str!("0001_journal.sql")),
    (2, include_str!("0002_checklist.sql")),
    (3, include_str!("0003_accounts.sql")),
    (5, include_str!("0005_figures.sql")),
];

/// The version that this program writes.
pub(super) const CURRENT: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// "MSHN", in the header of every database of this program, so that `file` and we know it.
pub(super) const APPLICATION_ID: i64 = 0x4d53_484e;

/// Which schema the database has; 0 is a new one, without any table. Changes nothing.
pub(super) fn recognise(connection: &Connection) -> Result<i64, StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let (tables, ours): (i64, bool) = connection.query_row(
        "SELECT count(*), coalesce(max(name = 'outbox'), 0) FROM sqlite_schema",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let damaged = |what: &str| Err(StoreError::Damaged(what.to_owned()));
    match (tables > 0, application == APPLICATION_ID) {
        (true, false) if ours => return damaged("it does not say that it is ours"),
        (true, false) => return Err(StoreError::Foreign),
        (true, true) if found < 1 => return damaged("it says no schema"),
        (false, _) if found > 0 => return damaged("its tables are gone"),
        _ => {}
    }
    if found > CURRENT {
        // The program that wrote it noted its schema with each start, too.
        let noted: Option<i64> = connection
            .query_row(
                "SELECT schema FROM boot ORDER BY number DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()?;
        if noted.is_some_and(|noted| noted <= CURRENT) {
            return damaged("its first bytes say a schema that its starts do not");
        }
        return Err(StoreError::Newer {
            found,
            known: CURRENT,
        });
    }
    Ok(found)
}

/// Brings a database with the schema `found` to the last of these migrations.
pub(super) fn migrate(
    connection: &mut Connection,
    folder: &Path,
    found: i64,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let mut due = migrations.iter().filter(|it| it.0 > found).peekable();
    if due.peek().is_none() {
        return Ok(());
    }
    let copy = if found > 0 {
        backup::before_update(folder, found)?.display().to_string()
    } else {
        String::new()
    };
    for (number, sql) in due {
        apply(connection, *number, sql).map_err(|error| match error {
            error if found == 0 || !error.is_damage() => error,
            error => StoreError::Migration {
                found,
                wanted: *number,
                why: error.to_string(),
                copy: copy.clone(),
            },
        })?;
        tracing::info!(schema = number, "the database has a new schema");
    }
    Ok(())
}

/// One migration, all or nothing.
fn apply(connection: &mut Connection, number: i64, sql: &str) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", number)?;
    transaction.commit()?;
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

    /// Whether a line of SQL, after its first word, says the type of a column.
    fn declares_a_column(rest: &str) -> bool {
        ["INTEGER", "TEXT", "REAL", "BLOB"]
            .iter()
            .any(|kind| rest.starts_with(kind))
    }

    #[test]
    fn every_table_and_column_has_a_comment() {
        for (_, sql) in MIGRATIONS {
            let mut commented = false;
            for line in sql.lines().map(str::trim) {
                let declares = line.starts_with("CREATE TABLE")
                    || line
                        .split_once(' ')
                        .is_some_and(|(name, rest)| name != "--" && declares_a_column(rest));
                assert!(!declares || commented, "no comment above: {line}");
                commented = line.starts_with("--");
            }
        }
    }

    /// How many columns the tables of a database have.
    fn columns(connection: &Connection) -> i64 {
        ask(
            connection,
            "SELECT count(*) FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
        )
    }

    #[test]
    fn the_guard_of_comments_sees_every_column() {
        let connection = Connection::open_in_memory().unwrap();
        for (number, sql) in MIGRATIONS {
            let seen = sql.lines().filter(|line| {
                line.starts_with("    ")
                    && line.trim().split_once(' ').is_some_and(|(name, rest)| {
                        !name.starts_with("--") && declares_a_column(rest)
                    })
            });
            let before = columns(&connection);
            connection.execute_batch(sql).unwrap();
            let added = columns(&connection) - before;
            assert_eq!(
                i64::try_from(seen.count()).unwrap(),
                added,
                "migration {number}"
            );
        }
    }

    /// Two migrations more, of which the last fails half-way.
    const LATER: &[Migration] = &[
        (CURRENT + 1, "CREATE TABLE later (x INTEGER);"),
        (
            CURRENT + 2,
            "CREATE TABLE last (x INTEGER); INSERT INTO later VALUES (1); INSERT INTO nowhere VALUES (1);",
        ),
    ];

    fn database(folder: &Path) -> Connection {
        Connection::open(folder.join(super::super::DATABASE)).unwrap()
    }

    fn ask(connection: &Connection, what: &str) -> i64 {
        connection.query_row(what, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_failing_migration_leaves_the_database_as_it_was_and_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = database(folder.path());
        migrate(&mut connection, folder.path(), 0, MIGRATIONS).unwrap();
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing to copy"
        );
        let error = migrate(&mut connection, folder.path(), CURRENT, LATER).unwrap_err();
        let StoreError::Migration {
            found,
            wanted,
            copy,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!((*found, *wanted), (CURRENT, CURRENT + 2));
        assert_eq!(
            ask(&connection, "PRAGMA user_version"),
            CURRENT + 1,
            "the one before it holds"
        );
        assert_eq!(ask(&connection, "SELECT count(*) FROM later"), 0);
        let last = "SELECT count(*) FROM sqlite_schema WHERE name = 'last'";
        assert_eq!(ask(&connection, last), 0);
        let copy = Connection::open(copy).unwrap();
        assert_eq!(ask(&copy, "PRAGMA user_version"), CURRENT);
        assert_eq!(
            ask(&copy, "SELECT count(*) FROM copy"),
            1,
            "a start on it begins an epoch"
        );
        assert!(
            error
                .to_string()
                .contains(&format!("menshen-schema-{CURRENT:04}.db")),
            "{error}"
        );
    }

    #[test]
    fn the_last_two_copies_from_before_an_update_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = database(folder.path());
        migrate(&mut connection, folder.path(), 0, MIGRATIONS).unwrap();
        let steps = [
            (CURRENT + 1, "CREATE TABLE b (x)"),
            (CURRENT + 2, "CREATE TABLE c (x)"),
            (CURRENT + 3, "CREATE TABLE d (x)"),
        ];
        for step in steps {
            migrate(&mut connection, folder.path(), step.0 - 1, &[step]).unwrap();
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let copy = |number: i64| format!("menshen-schema-{number:04}.db");
        let kept = [
            copy(CURRENT + 1),
            copy(CURRENT + 2),
            "menshen.db".to_owned(),
        ];
        assert_eq!(names, kept);
    }
}
