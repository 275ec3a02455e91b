//! A damaged file, opened in each way that may show its rows: as it is with its log; with the pages
//! that describe the tables put right; and without its log, which may be what is damaged.

use super::super::error::StoreError;
use super::super::row::from_sql;
use super::super::{DATABASE, disk};
use rusqlite::{Connection, OpenFlags};
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes of a page: what SQLite takes where it is not told, and what `opening.rs` insists on.
const PAGE: u64 = 4096;

/// Gives each way of reading to `take`, until one has read all without an error.
pub(super) fn each(
    damaged: &Path,
    description: &Description,
    take: &mut dyn FnMut(&Connection) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    if disk::size(damaged) == 0 && disk::size(&disk::beside(damaged, "-wal")) == 0 {
        return Ok(());
    }
    if disk::size(damaged) > 0 && opened(damaged, take)? {
        return Ok(());
    }
    for (name, with_log) in [("repaired", true), ("repaired-without-log", false)] {
        let copy = damaged.with_file_name(format!("{name}-{DATABASE}"));
        for ending in ["", "-wal", "-shm"] {
            disk::remove(&disk::beside(&copy, ending))?;
        }
        copied(damaged, &copy)?;
        if with_log {
            copied(&disk::beside(damaged, "-wal"), &disk::beside(&copy, "-wal"))?;
        }
        repaired(&copy, description)?;
        opened(&copy, take)?;
        for ending in ["", "-wal", "-shm"] {
            disk::remove(&disk::beside(&copy, ending))?;
        }
    }
    Ok(())
}

/// Gives a connection that changes nothing; whether all was read. That SQLite cannot open the file
/// is no error here.
fn opened(
    file: &Path,
    take: &mut dyn FnMut(&Connection) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    match Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY) {
        Ok(connection) => take(&connection),
        Err(error) => {
            tracing::warn!("the damaged database cannot be opened: {error}");
            Ok(false)
        }
    }
}

/// Copies a file that can be read in part: what cannot be read is left as zeros.
fn copied(from: &Path, to: &PathBuf) -> Result<(), StoreError> {
    let size = disk::size(from);
    disk::make_file(to)?;
    let failed = |source| StoreError::folder(to, source);
    let mut target = OpenOptions::new().write(true).open(to).map_err(failed)?;
    target.set_len(size).map_err(failed)?;
    let Ok(mut source) = std::fs::File::open(from) else {
        return Ok(());
    };
    let mut page = Vec::new();
    for at in (0..size).step_by(PAGE as usize) {
        page.clear();
        let read = source
            .seek(SeekFrom::Start(at))
            .and_then(|_| (&source).take(PAGE).read_to_end(&mut page));
        if read.is_ok() {
            target
                .seek(SeekFrom::Start(at))
                .and_then(|_| target.write_all(&page))
                .map_err(failed)?;
        }
    }
    Ok(())
}

/// The pages that say which tables there are, each with its number from 0.
pub(super) type Description = Vec<(u64, Vec<u8>)>;

/// The description of the tables, from a database without rows: the same migrations write the same
/// pages into every file.
pub(super) fn description(sound: &Path) -> Result<Description, StoreError> {
    let connection = Connection::open_with_flags(sound, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let pages: Vec<u64> = connection
        .prepare("SELECT pageno - 1 FROM dbstat WHERE name = 'sqlite_schema' ORDER BY pageno")?
        .query_map([], |row| Ok(from_sql(row.get(0)?)))?
        .collect::<Result<_, _>>()?;
    let bytes = std::fs::read(sound).map_err(|source| StoreError::folder(sound, source))?;
    let mut bytes = bytes.chunks(PAGE as usize).zip(0..);
    let mut description: Description = bytes
        .by_ref()
        .filter(|(_, number)| pages.contains(number))
        .map(|(page, number)| (number, page.to_vec()))
        .collect();
    if let Some((0, head)) = description.first_mut() {
        // With a write-ahead log (SQLite's file format, section 1.3).
        head[18..20].copy_from_slice(&[2, 2]);
        // No list of free pages.
        head[32..40].fill(0);
    }
    Ok(description)
}

/// Puts the description of the tables into a file, with a header that fits its length.
fn repaired(file: &Path, description: &Description) -> Result<(), StoreError> {
    let failed = |source| StoreError::folder(file, source);
    let length = disk::size(file).div_ceil(PAGE) as u32;
    let mut target = OpenOptions::new().write(true).open(file).map_err(failed)?;
    for (number, page) in description {
        target
            .seek(SeekFrom::Start(number * PAGE))
            .and_then(|_| target.write_all(page))
            .map_err(failed)?;
    }
    let longest = description
        .iter()
        .map(|(number, _)| *number as u32 + 1)
        .max();
    let pages = length.max(longest.unwrap_or_default());
    target
        .seek(SeekFrom::Start(28))
        .and_then(|_| target.write_all(&pages.to_be_bytes()))
        .and_then(|()| target.set_len(u64::from(pages) * PAGE))
        .and_then(|()| target.sync_all())
        .map_err(failed)
}
