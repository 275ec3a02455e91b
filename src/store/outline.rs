//! What helps somebody far away to understand a database, read without opening it as a gateway does: its schema,
//! how much is in it, how the gateway's starts ended. Nothing of what was recorded.

use super::error::StoreError;
use super::row::from_sql;
use super::{DATABASE, opening};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::path::Path;

/// Starts that are told of.
const STARTS: u32 = 30;

/// A database from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Its schema.
    pub schema: i64,
    /// Its size, bytes.
    pub bytes: u64,
    /// Rows of each table.
    pub rows: Vec<(String, u64)>,
    /// The last starts of the gateway, newest first.
    pub starts: Vec<Start>,
}

/// A start of the gateway.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    /// Its number.
    pub boot: u64,
    /// Version of the program.
    pub version: String,
    /// How long it ran at least, ms.
    pub ran_ms: u64,
    /// Whether the clock had been set.
    pub clock: String,
    /// Whether it was stopped in order.
    pub in_order: bool,
}

fn open(folder: &Path) -> Result<Connection, StoreError> {
    let path = folder.join(DATABASE);
    let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(opening::BUSY)?;
    Ok(database)
}

/// The outline of the database in a folder.
///
/// # Errors
/// Where it cannot be read.
pub fn outline(folder: &Path) -> Result<Outline, StoreError> {
    let database = open(folder)?;
    let number = |what: &str| database.query_row(what, [], |row| row.get::<_, i64>(0));
    let tables: Vec<String> = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for table in tables {
        let quoted = table.replace('"', "\"\"");
        let count = number(&format!("SELECT count(*) FROM \"{quoted}\""))?;
        rows.push((table, from_sql(count)));
    }
    let starts = database
        .prepare(
            "SELECT number, version, ran_ms, started_trust, stopped_wall_ms IS NOT NULL FROM boot
             ORDER BY number DESC LIMIT ?1",
        )?
        .query_map([STARTS], |row| {
            Ok(Start {
                boot: from_sql(row.get(0)?),
                version: row.get(1)?,
                ran_ms: from_sql(row.get(2)?),
                clock: row.get(3)?,
                in_order: row.get(4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(Outline {
        schema: number("PRAGMA user_version")?,
        bytes: from_sql(number("PRAGMA page_count")? * number("PRAGMA page_size")?),
        rows,
        starts,
    })
}

/// The texts of the versions of lists that the street office has sent, oldest first.
///
/// # Errors
/// Where the database cannot be read.
pub fn sent_templates(folder: &Path) -> Result<Vec<String>, StoreError> {
    Ok(super::journal::sent_templates(&open(folder)?)?)
}

/// Everybody who acted or has an account, by name: what must not leave the building.
///
/// # Errors
/// Where the database cannot be read.
pub fn names(folder: &Path) -> Result<BTreeSet<String>, StoreError> {
    let database = open(folder)?;
    let mut names = BTreeSet::new();
    for what in [
        "SELECT name FROM account",
        "SELECT DISTINCT who FROM audit",
        "SELECT DISTINCT who FROM logbook WHERE who IS NOT NULL",
        "SELECT DISTINCT acknowledged_by FROM alert WHERE acknowledged_by IS NOT NULL",
        "SELECT DISTINCT resolved_by FROM alert WHERE resolved_by IS NOT NULL",
    ] {
        let mut select = database.prepare(what)?;
        let found = select.query_map([], |row| row.get::<_, String>(0))?;
        names.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    names.remove(super::journal::GATEWAY);
    Ok(names)
}
