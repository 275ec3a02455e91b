//! A file in its place as a whole: whoever reads it, and whatever is cut off, finds the old one or the new
//! one. The old one is kept beside it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Who may read a new file: its owner writes, its group reads, as the package has it.
const NEW_MODE: u32 = 0o640;

/// The path with something behind its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

/// Puts a text where this file is, and what was there beside it as `.previous`. A link is followed, so that
/// it stays one.
///
/// # Errors
/// Where the folder cannot be written; the file is then as it was.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    let mode = match fs::metadata(&path) {
        // Whoever took the right to write away meant it, though the folder would allow it.
        Ok(there) if there.permissions().readonly() => {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(there) => there.permissions(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Permissions::from_mode(NEW_MODE),
        Err(error) => return Err(error),
    };
    if path.exists() {
        let old = fs::read(&path)?;
        write_whole(&beside(&path, ".previous"), &old, &mode)?;
    }
    write_whole(&path, text.as_bytes(), &mode)
}

/// Writes a file under another name, to the disk, and then moves it to its place.
pub(super) fn write_whole(path: &Path, bytes: &[u8], mode: &Permissions) -> io::Result<()> {
    let new = beside(path, ".new");
    // What a cut left behind.
    let _ = fs::remove_file(&new);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.set_permissions(mode.clone())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
        return written;
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
