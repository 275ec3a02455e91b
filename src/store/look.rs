//! What can be seen of a store without opening it: for whoever looks at an installation while the gateway
//! may be running. Changes nothing.

use super::error::StoreError;
use super::row::from_sql;
use super::{DATABASE, backup, disk, lock, migrate, opening};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::Access;
use std::io;
use std::path::Path;

/// The folder itself, or where it does not exist yet, that in which it would be made.
#[must_use]
pub fn existing(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|it| it.exists())
        .filter(|it| !it.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// Whether a gateway has this folder.
#[must_use]
pub fn is_in_use(folder: &Path) -> bool {
    lock::is_held(folder)
}

/// Whether this user may keep a database in this folder.
///
/// # Errors
/// Why not.
pub fn may_write(folder: &Path) -> Result<(), StoreError> {
    let there = existing(folder);
    if !there.is_dir() {
        let source = io::Error::from(io::ErrorKind::NotADirectory);
        return Err(StoreError::folder(there, source));
    }
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(there, wanted).map_err(|errno| StoreError::folder(there, errno.into()))
}

/// Bytes that this user may still write there.
///
/// # Errors
/// Where the system does not say.
pub fn free(folder: &Path) -> Result<u64, StoreError> {
    disk::free(existing(folder))
}

/// Reads every page of the database; whether there is one at all.
///
/// # Errors
/// What is wrong with it.
pub fn examine(folder: &Path) -> Result<bool, StoreError> {
    let path = folder.join(DATABASE);
    let before = lock::epoch(folder);
    opening::look(&path, before.as_ref())?;
    if disk::size(&path) == 0 {
        return Ok(false);
    }
    let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(opening::BUSY)?;
    migrate::recognise(&database)?;
    backup::check(&database)?;
    Ok(true)
}

/// Which schema the database says that it has, also one that this program does not know; 0 where there is none.
///
/// # Errors
/// Where it cannot be read.
pub fn schema(folder: &Path) -> Result<i64, StoreError> {
    let path = folder.join(DATABASE);
    if disk::size(&path) == 0 {
        return Ok(0);
    }
    let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(opening::BUSY)?;
    Ok(database.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// How many alerts have no outcome yet; 0 where there is no database.
///
/// # Errors
/// Where it cannot be read.
pub fn open_alerts(folder: &Path) -> Result<u64, StoreError> {
    let path = folder.join(DATABASE);
    if disk::size(&path) == 0 {
        return Ok(0);
    }
    let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(opening::BUSY)?;
    if migrate::recognise(&database)? == 0 {
        return Ok(0);
    }
    let open: i64 = database.query_row(
        "SELECT count(*) FROM alert WHERE state <> 'resolved'",
        [],
        |row| row.get(0),
    )?;
    Ok(from_sql(open))
}
