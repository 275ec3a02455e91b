//! From a folder to an open database: looked at, brought up to date, checked, and salvaged where it
//! is damaged. A damaged file is no dead end, and never a reason to begin an empty one in silence.

use super::epoch::{self, Epochs};
use super::error::StoreError;
use super::{DATABASE, Route, disk, journal, migrate, salvage};
use crate::clock::BootId;
use crate::id::DeviceEpoch;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another program that holds the database, such as a backup.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// How often a disk is asked that could not read a part of the file. Cards do better the next time
/// now and then.
const TRIES: usize = 3;

/// An open database.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) reader: Connection,
    pub(super) epochs: Epochs,
    pub(super) boot: BootId,
}

/// Opens the database of this folder. `before` is the epoch of the one that was here last.
pub(super) fn open_or_salvage(
    folder: &Path,
    routes: &[Route],
    before: Option<&DeviceEpoch>,
) -> Result<Opened, StoreError> {
    salvage::finish(folder)?;
    let mut result = open(folder, routes, before);
    for _ in 1..TRIES {
        match &result {
            Err(error) if error.is_unreadable() => result = open(folder, routes, before),
            _ => break,
        }
    }
    match result {
        Err(error) if error.is_damage() || error.is_unreadable() => {
            tracing::error!("{error}");
            salvage::put_aside(folder)?;
            salvage::finish(folder)?;
            open(folder, routes, before)
        }
        result => result,
    }
}

fn open(
    folder: &Path,
    routes: &[Route],
    before: Option<&DeviceEpoch>,
) -> Result<Opened, StoreError> {
    let path = folder.join(DATABASE);
    look(&path, before)?;
    disk::make_file(&path)?;
    let inode = path
        .metadata()
        .map_err(|source| StoreError::folder(folder, source))?
        .ino();
    let mut writer = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    writer.busy_timeout(BUSY)?;
    // What may be damaged is not written to before it was looked at.
    writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let found = migrate::recognise(&writer)?;
    if found > 0 {
        check_after_crash(&writer)?;
    }
    let mode: String = writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::folder(
            folder,
            std::io::Error::other(format!(
                "the file system allows no write-ahead log (journal mode {mode})"
            )),
        ));
    }
    writer.pragma_update(None, "synchronous", "FULL")?;
    writer.pragma_update(None, "foreign_keys", true)?;
    // What retention erases is overwritten, too.
    writer.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    migrate::migrate(&mut writer, folder, found, migrate::MIGRATIONS)?;
    let inode = i64::from_ne_bytes(inode.to_ne_bytes());
    let (epochs, boot) = epoch::count_start(&mut writer, routes, inode, before)?;
    writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;

    let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    reader.busy_timeout(BUSY)?;
    Ok(Opened {
        writer,
        reader,
        epochs,
        boot,
    })
}

/// Looks at the file itself, since SQLite takes some damage in its first bytes for something else
/// (an empty, a read-only or a foreign database).
pub(super) fn look(path: &Path, before: Option<&DeviceEpoch>) -> Result<(), StoreError> {
    let mut head = Vec::new();
    if disk::size(path) > 0 {
        std::fs::File::open(path)
            .and_then(|file| file.take(100).read_to_end(&mut head))
            .map_err(|source| StoreError::folder(path, source))?;
    }
    let gone = before.is_some() || disk::size(&disk::beside(path, "-wal")) > 0;
    match damage(&head) {
        _ if head.is_empty() && gone => Err(StoreError::Damaged("it is gone".to_owned())),
        Some(what) if !head.is_empty() => Err(StoreError::Damaged(what.to_owned())),
        _ => Ok(()),
    }
}

/// What is wrong with the first 100 bytes of a database of ours (SQLite's file format, section
/// 1.3), as far as they are the same in each. Of another program's database nothing is said.
fn damage(head: &[u8]) -> Option<&'static str> {
    let at = |first: usize, bytes: &[u8]| head.get(first..first + bytes.len()) == Some(bytes);
    let number = |first: usize| -> Option<u32> {
        let bytes = head.get(first..first + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    if head.len() < 100 {
        return Some("it is cut off");
    }
    if !at(0, b"SQLite format 3\0") {
        return Some("it does not begin as one");
    }
    if number(68) != Some(migrate::APPLICATION_ID as u32) {
        return None;
    }
    let modes = at(18, &[1, 1]) || at(18, &[2, 2]);
    let sound = at(16, &[0x10, 0])
        && modes
        && at(20, &[0, 64, 32, 32])
        && number(44) == Some(4)
        && number(56) == Some(1);
    (!sound).then_some("its first bytes are wrong")
}

/// Checks the database where the last start did not end in order, or ended with damage seen. Rows
/// and their indexes are compared for what must not be overlooked, messages and alerts; for the
/// rest it is enough that it can be read.
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
    for check in [
        "PRAGMA quick_check(1)",
        "PRAGMA integrity_check('outbox')",
        "PRAGMA integrity_check('alert')",
    ] {
        let found: String = connection.query_row(check, [], |row| row.get(0))?;
        if found != "ok" {
            return Err(StoreError::Damaged(found));
        }
    }
    journal::read_every_alert(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damaged_byte_that_is_the_same_in_each_database_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), &[], None).map_err(|error| error.to_string()));
        let head = std::fs::read(folder.path().join(DATABASE)).unwrap();
        let head = &head[..100];
        assert_eq!(damage(head), None);
        assert!(damage(&head[..99]).is_some());
        for place in (0..24).chain(44..48).chain(56..60) {
            let mut wrong = head.to_vec();
            wrong[place] ^= 0x40;
            assert!(damage(&wrong).is_some(), "byte {place}");
        }
    }
}
