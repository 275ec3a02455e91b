//! Puts a copy of the database in the place of the one that is there.
//!
//! Nothing is thrown away: what was there goes into a folder `replaced-…` beside it. The copy is checked
//! first, and the database changes its name in one step, so that after a power cut it is the old one or
//! the restored one. The log of the old one goes first: SQLite would play it into the new one.
//!
//! Blocking: writes as much as the copy is large.

use super::backup;
use super::error::StoreError;
use super::lock::Lock;
use super::{DATABASE, disk, migrate};
use crate::clock::WallTime;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// Restores the copy `from` into the folder `data`; gives the folder where that is kept which was there,
/// if anything was. The next start begins a new epoch.
///
/// # Errors
/// [`StoreError::InUse`] while a gateway runs on the folder; where the copy is damaged, of another
/// program or of a newer version; where files cannot be written. What was there stays then.
pub fn restore(data: &Path, from: &Path, now: WallTime) -> Result<Option<PathBuf>, StoreError> {
    disk::make_folder(data)?;
    let _lock = Lock::take(data)?;
    look_at(from)?;
    let database = data.join(DATABASE);
    let new = disk::beside(&database, ".restored");
    let name = from.file_name().unwrap_or_default().to_string_lossy();
    backup::copy(from, &new, &format!("{name} was restored"))?;
    let replaced = put_aside(data, &database, now)?;
    disk::remove(&disk::beside(&database, "-shm"))?;
    disk::rename(&new, &database)?;
    Ok(replaced)
}

/// Refuses what is no sound copy that this program can read.
fn look_at(from: &Path) -> Result<(), StoreError> {
    let size = from
        .metadata()
        .map_err(|source| StoreError::folder(from, source))?
        .len();
    if size == 0 {
        return Err(StoreError::Damaged(format!("{} is empty", from.display())));
    }
    let copy = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    migrate::recognise(&copy)?;
    backup::check(&copy)
}

/// Gives what is there a second name in a folder of its own. Its log is moved into it where it is sound,
/// and goes along beside it where it is not.
fn put_aside(data: &Path, database: &Path, now: WallTime) -> Result<Option<PathBuf>, StoreError> {
    if disk::size(database) == 0 {
        disk::remove(&disk::beside(database, "-wal"))?;
        return Ok(None);
    }
    if let Ok(old) = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        // Best effort: a damaged one keeps its log.
        let _ = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    let day = super::upkeep::day(now);
    let folder = (1..1000)
        .map(|number| data.join(format!("replaced-{day}-{number}")))
        .find(|folder| !folder.exists())
        .unwrap_or_else(|| data.join("replaced"));
    disk::make_folder(&folder)?;
    let kept = folder.join(DATABASE);
    // The same file under two names, or a second file where the disk knows no such thing (FAT).
    std::fs::hard_link(database, &kept)
        .or_else(|_| std::fs::copy(database, &kept).map(drop))
        .map_err(|source| StoreError::folder(&kept, source))?;
    disk::sync(&kept)?;
    disk::sync(&folder)?;
    let log = disk::beside(database, "-wal");
    if disk::size(&log) > 0 {
        disk::rename(&log, &disk::beside(&kept, "-wal"))?;
    }
    disk::remove(&log)?;
    Ok(Some(folder))
}
