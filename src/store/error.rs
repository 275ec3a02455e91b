//! What can go wrong with the database, in words that say what to do next.

use super::row::Unreadable;
use crate::journal::JournalError;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why the store could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the files in it.
    #[error(
        "cannot use {folder} as the data folder: {source}. {}",
        what_to_do(source)
    )]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another gateway holds the folder.
    #[error(
        "the data folder {folder} is in use by another gateway{holder}. Stop that one first, or \
         give this one a folder of its own"
    )]
    InUse {
        /// Which.
        folder: PathBuf,
        /// ` (process 123)`, where it is known.
        holder: String,
    },
    /// The database was written by a newer program.
    #[error(
        "the database has schema {found}, this program knows up to {known}: it was written by a \
         newer version. Install that version again, or restore a backup made before the update"
    )]
    Newer {
        /// Version in the file.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// The database was written by an older program, and is only looked at.
    #[error(
        "the database has schema {found}, this program works with {known}: start the gateway once, which \
         brings it up to date"
    )]
    Older {
        /// Version in the file.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// A database, but not ours.
    #[error(
        "the file menshen.db is a database of another program. Move it away, or choose another \
         data folder"
    )]
    Foreign,
    /// Not a database, or a damaged one. What is readable is saved at the next start.
    #[error(
        "the database menshen.db is damaged ({0}). Start the gateway again: it keeps the damaged \
         file, begins a new one and takes over what can be read. Then look at the disk (dmesg)"
    )]
    Damaged(String),
    /// A row says what the program never wrote.
    #[error(
        "a row of the journal is not as it was written ({0}); keep a copy of the data folder and \
         report this"
    )]
    Row(String),
    /// The schema of an older version could not be brought up to date.
    #[error(
        "the database could not be brought from schema {found} to {wanted} ({why}); it is as it \
         was, and a copy of it is {copy}. Install the version again that ran before"
    )]
    Migration {
        /// Version in the file.
        found: i64,
        /// Version that was to be.
        wanted: i64,
        /// What SQLite said.
        why: String,
        /// Where the copy is.
        copy: String,
    },
    /// What the journal itself refuses.
    #[error("{0}")]
    Refused(JournalError),
    /// Anything else that SQLite said.
    #[error("{}", in_words(.0))]
    Sqlite(rusqlite::Error),
}

/// What to do about a folder, or a file in it, that cannot be used.
fn what_to_do(source: &std::io::Error) -> &'static str {
    const INPUT_OUTPUT: i32 = rustix::io::Errno::IO.raw_os_error();
    match (source.kind(), source.raw_os_error()) {
        (std::io::ErrorKind::StorageFull, _) => {
            "The disk is full: free some space (old recordings and logs first)"
        }
        (_, Some(INPUT_OUTPUT)) => {
            "The disk reported an error: look at dmesg, and replace the card or disk if it repeats"
        }
        _ => "Choose a folder that this user may create and write, or give it to this user (chown)",
    }
}

impl StoreError {
    /// A folder, or a file in it, that cannot be used.
    pub(super) fn folder(folder: &Path, source: std::io::Error) -> Self {
        Self::Folder {
            folder: folder.to_owned(),
            source,
        }
    }

    /// Whether the file is damaged, rather than the disk full, slow or closed to us: asked while
    /// the database is opened, when every statement is one that works on a sound file.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Row(_) => true,
            Self::Sqlite(error) => !matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::ReadOnly
                        | ErrorCode::PermissionDenied
                        | ErrorCode::CannotOpen
                        | ErrorCode::OutOfMemory
                        | ErrorCode::OperationInterrupted
                        | ErrorCode::FileLockingProtocolFailed
                )
            ),
            _ => false,
        }
    }

    /// Whether the disk could not read a part of the file.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(error, _))
            if error.extended_code == rusqlite::ffi::SQLITE_IOERR_READ)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl From<Unreadable> for StoreError {
    fn from(wrong: Unreadable) -> Self {
        Self::Row(wrong.0)
    }
}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(error) => error,
            error => Self::Storage(error.to_string()),
        }
    }
}

/// What SQLite said, and what to do about it.
fn in_words(error: &rusqlite::Error) -> String {
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the disk is full: free some space (old recordings and logs first); the gateway goes \
             on by itself"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "the data folder cannot be written: check its owner, and whether the disk was mounted \
             read-only after an error (dmesg)"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds the database: close whatever has menshen.db open (fuser \
             menshen.db)"
        }
        Some(ErrorCode::SystemIoFailure) => {
            "the disk reported an error: look at dmesg, and replace the card or disk if it repeats"
        }
        Some(ErrorCode::ConstraintViolation) => {
            "the journal already holds this, or refuses it: please report this as a bug, with the \
             text of this message"
        }
        _ => "please report this with the text of this message",
    };
    format!("{error}; {hint}")
}
