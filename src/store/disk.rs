//! Files as the store needs them: how much room is left, and changes to a folder that are on the
//! disk when they return.

use super::error::StoreError;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Bytes that this user may still write where this folder lies.
pub(super) fn free(folder: &Path) -> Result<u64, StoreError> {
    let system = rustix::fs::statvfs(folder)
        .map_err(|errno| StoreError::folder(folder, io::Error::from(errno)))?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Bytes of a file; 0 where there is none.
pub(super) fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |it| it.len())
}

/// Makes a folder, into which personal data will go, for this user only, where there is none.
pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| StoreError::folder(folder, source))?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
        _ => Ok(()),
    }
}

/// Puts a file with these bytes, for this user only, in the place of one that may be there: after a
/// power cut it is the old one or the new one, and whole.
pub(super) fn replace(file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let new = beside(file, ".new");
    remove(&new)?;
    make_file(&new)?;
    std::fs::write(&new, bytes).map_err(|source| StoreError::folder(&new, source))?;
    sync(&new)?;
    rename(&new, file)
}

/// Makes an empty file for this user only, where there is none. SQLite would make it for everybody;
/// its own files beside it get the same mode.
pub(super) fn make_file(file: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map(drop)
        .map_err(|source| StoreError::folder(file, source))
}

/// Has what was written to a file on the disk.
pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|source| StoreError::folder(path, source))
}

/// Gives a file or folder another name in the same folder, for good.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|source| StoreError::folder(from, source))?;
    for parent in [from.parent(), to.parent()].into_iter().flatten() {
        // A bare name lies in the folder where we are.
        sync(if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        })?;
    }
    Ok(())
}

/// Removes a file, if it is there.
pub(super) fn remove(file: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::folder(file, source))
        }
        _ => Ok(()),
    }
}

/// The same path with an ending, such as SQLite's `-wal`.
pub(super) fn beside(file: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
