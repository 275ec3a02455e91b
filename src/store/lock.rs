//! The lock on the folder: one gateway at a time. Its file also remembers which database was here,
//! so that one that has vanished is not silently replaced by an empty one.

use super::error::StoreError;
use crate::id::DeviceEpoch;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Name of the file. Its first line is the process, its second the epoch.
const LOCK: &str = "menshen.lock";

/// The folder is ours while this lives; the system drops the lock when the process dies.
pub(super) struct Lock {
    file: File,
    epoch: Option<DeviceEpoch>,
}

impl Lock {
    /// Takes the folder for this process.
    pub(super) fn take(folder: &Path) -> Result<Self, StoreError> {
        let in_folder = |source| StoreError::folder(folder, source);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(folder.join(LOCK))
            .map_err(in_folder)?;
        let taken = file.try_lock();
        // Best effort: without the words in it, the lock is as good.
        let mut words = String::new();
        let _ = file.read_to_string(&mut words);
        let mut lines = words.lines().map(str::trim);
        let process = lines.next().unwrap_or_default();
        match taken {
            Ok(()) => Ok(Self {
                file,
                epoch: lines
                    .next()
                    .filter(|epoch| uuid::Uuid::try_parse(epoch).is_ok())
                    .map(|epoch| DeviceEpoch(epoch.to_owned())),
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                folder: folder.to_owned(),
                holder: match process {
                    "" => String::new(),
                    process => format!(" (process {process})"),
                },
            }),
            Err(TryLockError::Error(source)) => Err(in_folder(source)),
        }
    }

    /// The epoch of the database that was here last.
    pub(super) fn epoch(&self) -> Option<&DeviceEpoch> {
        self.epoch.as_ref()
    }

    /// Writes who has the folder, and the epoch of the database in it.
    pub(super) fn note(&mut self, folder: &Path, epoch: &DeviceEpoch) -> Result<(), StoreError> {
        let words = format!("{}\n{}\n", std::process::id(), epoch.0);
        let file = &mut self.file;
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.set_len(0))
            .and_then(|()| file.write_all(words.as_bytes()))
            .map_err(|source| StoreError::folder(folder, source))
    }
}
