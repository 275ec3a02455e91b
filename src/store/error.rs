//! What can go wrong with the database, in words that say what to do next.

use crate::journal::JournalError;
use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why the store could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the files in it.
    #[error(
        "cannot use {folder} as the data folder: {source}. Choose a folder that this user may \
         create and write, or give it to this user (chown)"
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
    /// A database, but not ours.
    #[error(
        "the file menshen.db is a database of another program. Move it away, or choose another \
         data folder"
    )]
    Foreign,
    /// Not a database, or a damaged one.
    #[error(
        "the file menshen.db cannot be read as a database ({0}). Keep a copy of the whole data \
         folder, then move menshen.db, menshen.db-wal and menshen.db-shm away and restore a \
         backup; without one, the gateway starts a new, empty journal"
    )]
    Damaged(String),
    /// Anything else that SQLite said.
    #[error("{}", in_words(.0))]
    Sqlite(rusqlite::Error),
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

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        Self::Storage(error.to_string())
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
