//! Copies of the database: one each night, and one before a new version changes the schema.
//!
//! A copy is made with `VACUUM INTO` on a connection of its own: the gateway goes on recording, the
//! copy is of one moment, every page of the original is read (so that damage shows at night and
//! not years later), and nothing erased is in it. It gets its name when all of it is on the disk and
//! was checked, so that a file with a good name is a good copy. It carries the mark by which a
//! start on it begins a new epoch (`epoch.rs`). `restore.rs` puts one back.

use super::error::StoreError;
use super::{DATABASE, disk};
use crate::clock::WallTime;
use rusqlite::{Connection, OpenFlags, params};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// How many copies from before an update are kept.
const BEFORE_UPDATES: usize = 2;

/// Writes a copy of a database under a name; what had the name is replaced.
pub(super) fn copy(database: &Path, target: &Path, note: &str) -> Result<(), StoreError> {
    let unfinished = disk::beside(target, ".part");
    disk::remove(&unfinished)?;
    disk::remove(&disk::beside(&unfinished, "-journal"))?;
    disk::make_file(&unfinished)?;
    let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.busy_timeout(super::opening::BUSY)?;
    source.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    drop(source);
    let copy = Connection::open_with_flags(&unfinished, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy.execute(
        "INSERT OR REPLACE INTO copy (only_row, why, note) VALUES (1, 'restored', ?1)",
        params![note],
    )?;
    let sound = check(&copy);
    copy.close().map_err(|(_, error)| error)?;
    sound?;
    disk::sync(&unfinished)?;
    disk::rename(&unfinished, target)
}

/// Whether every page of a database can be read and is as it should be.
pub(super) fn check(database: &Connection) -> Result<(), StoreError> {
    let found: String = database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged(found))
    }
}

/// The copies in a folder whose names begin so, by their number, oldest first.
fn numbered(folder: &Path, begin: &str) -> Vec<(u64, PathBuf)> {
    let mut found: Vec<(u64, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let rest = name.strip_prefix(begin)?.strip_suffix(".db")?;
            let number = rest.split('-').next()?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    found.sort();
    found
}

/// Removes the oldest copies until so many are left.
fn prune(folder: &Path, begin: &str, kept: usize) -> Result<(), StoreError> {
    let found = numbered(folder, begin);
    let surplus = found.len().saturating_sub(kept);
    found
        .iter()
        .take(surplus)
        .try_for_each(|(_, file)| disk::remove(file))?;
    if surplus > 0 {
        disk::sync(folder)?;
    }
    Ok(())
}

/// How the names of copies from before an update begin.
const SCHEMA: &str = "menshen-schema-";

/// Where the copy of the database in `folder` is that was made before it was taken beyond this schema.
#[must_use]
pub fn before_update_of(folder: &Path, schema: i64) -> PathBuf {
    folder.join(format!("{SCHEMA}{schema:04}.db"))
}

/// Copies the database as it is with schema `found`, before it is changed; gives the copy's name.
pub(super) fn before_update(folder: &Path, found: i64) -> Result<PathBuf, StoreError> {
    let target = before_update_of(folder, found);
    let note = format!("a copy from before an update, with schema {found}, was restored");
    copy(&folder.join(DATABASE), &target, &note)?;
    prune(folder, SCHEMA, BEFORE_UPDATES)?;
    Ok(target)
}

/// Why a copy was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// There is too little room for it.
    #[error(
        "there is too little room for a copy: {free} bytes are free, and {needed} must be, so that \
         the gateway keeps its share. Free some space, or set backup_folder in [store] to another disk"
    )]
    NoRoom {
        /// Bytes that there are.
        free: u64,
        /// Bytes that there must be.
        needed: u64,
    },
    /// It failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// How the names of nightly copies begin.
const NIGHTLY: &str = "menshen-";

/// How old the newest copy in a folder is; `None` where there is none, or the clock was put back.
#[must_use]
pub fn age(folder: &Path, now: WallTime) -> Option<Duration> {
    let (_, newest) = numbered(folder, NIGHTLY).pop()?;
    let made = newest.metadata().and_then(|it| it.modified()).ok()?;
    let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).ok()?);
    now.duration_since(made).ok()
}

/// The nightly copies in a folder, oldest first.
#[must_use]
pub fn copies(folder: &Path) -> Vec<PathBuf> {
    numbered(folder, NIGHTLY)
        .into_iter()
        .map(|(_, file)| file)
        .collect()
}

/// Copies the database in `data` to a file of any name that is not there yet, while a gateway may be
/// running.
///
/// # Errors
/// Where there is no database, or the file cannot be written.
pub fn to_file(data: &Path, target: &Path, now: WallTime) -> Result<(), StoreError> {
    let day = super::upkeep::day(now);
    copy(
        &database(data)?,
        target,
        &format!("the backup of {day} was restored"),
    )
}

/// The database of a folder, where there is one.
fn database(data: &Path) -> Result<PathBuf, StoreError> {
    let database = data.join(DATABASE);
    match database.metadata() {
        Ok(_) => Ok(database),
        Err(source) => Err(StoreError::folder(&database, source)),
    }
}

/// Makes tonight's copy of the database in `data` and gives its name; of all of them, `kept` stay.
/// Below `floor` bytes of room the disk is not to come by it.
///
/// # Errors
/// [`NotMade`].
pub fn nightly(
    data: &Path,
    folder: &Path,
    kept: u32,
    floor: u64,
    now: WallTime,
) -> Result<PathBuf, NotMade> {
    disk::make_folder(folder)?;
    let database = database(data)?;
    let wal = disk::size(&disk::beside(&database, "-wal"));
    let needed = disk::size(&database) + wal + floor;
    let free = disk::free(folder)?;
    if free < needed {
        return Err(NotMade::NoRoom { free, needed });
    }
    let number = numbered(folder, NIGHTLY).last().map_or(0, |it| it.0) + 1;
    let day = super::upkeep::day(now);
    let target = folder.join(format!("{NIGHTLY}{number:05}-{day}.db"));
    copy(
        &database,
        &target,
        &format!("the backup {number} of {day} was restored"),
    )?;
    prune(folder, NIGHTLY, kept.max(1) as usize)?;
    Ok(target)
}
