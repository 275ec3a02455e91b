//! Copies of the database: one each night, and one before a new version changes the schema.
//!
//! A copy is made with `VACUUM INTO` on a connection of its own: the gateway goes on recording, the
//! copy is of one moment, every page of the original is read (so that damage shows at night and
//! not years later), and nothing erased is in it. It gets its name when all of it is on the disk and
//! was checked, so that a file with a good name is a good copy. It carries the mark by which a
//! start on it begins a new epoch (`epoch.rs`). To restore one, stop the gateway, move `menshen.db`,
//! `menshen.db-wal` and `menshen.db-shm` away, and copy it to `menshen.db`.

use super::error::StoreError;
use super::{DATABASE, disk};
use crate::clock::WallTime;
use rusqlite::{Connection, OpenFlags, params};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// How many copies from before an update are kept.
const BEFORE_UPDATES: usize = 2;

/// Writes a copy of a database under a name; what had the name is replaced.
fn copy(database: &Path, target: &Path, note: &str) -> Result<(), StoreError> {
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
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    copy.close().map_err(|(_, error)| error)?;
    if found != "ok" {
        return Err(StoreError::Damaged(found));
    }
    disk::sync(&unfinished)?;
    disk::rename(&unfinished, target)
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
        .try_for_each(|(_, file)| disk::remove(file))
}

/// Copies the database as it is with schema `found`, before it is changed; gives the copy's name.
pub(super) fn before_update(folder: &Path, found: i64) -> Result<PathBuf, StoreError> {
    const BEGIN: &str = "menshen-schema-";
    let target = folder.join(format!("{BEGIN}{found:04}.db"));
    let note = format!("a copy from before an update, with schema {found}, was restored");
    copy(&folder.join(DATABASE), &target, &note)?;
    prune(folder, BEGIN, BEFORE_UPDATES)?;
    Ok(target)
}

/// Why tonight's copy was not made.
#[derive(Debug)]
pub(super) enum NotMade {
    /// There is too little room for it.
    NoRoom {
        /// Bytes that there are.
        free: u64,
        /// Bytes that there must be.
        needed: u64,
    },
    /// It failed.
    Failed(StoreError),
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// How the names of nightly copies begin.
const NIGHTLY: &str = "menshen-";

/// How old the newest copy in a folder is; `None` where there is none, or the clock was put back.
pub(super) fn age(folder: &Path, now: WallTime) -> Option<Duration> {
    let (_, newest) = numbered(folder, NIGHTLY).pop()?;
    let made = newest.metadata().and_then(|it| it.modified()).ok()?;
    let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).ok()?);
    now.duration_since(made).ok()
}

/// Makes tonight's copy of the database in `data` and gives its name; of all of them, `kept` stay.
/// Below `floor` bytes of room the disk is not to come by it.
pub(super) fn nightly(
    data: &Path,
    folder: &Path,
    kept: u32,
    floor: u64,
    now: WallTime,
) -> Result<PathBuf, NotMade> {
    disk::make_folder(folder)?;
    let database = data.join(DATABASE);
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
    prune(folder, NIGHTLY, kept as usize)?;
    Ok(target)
}
