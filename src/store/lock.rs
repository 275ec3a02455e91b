//! The lock on the folder: one gateway at a time. A second file beside it remembers which database was
//! here, so that one that has vanished is not silently replaced by an empty one. That file is replaced
//! as a whole, by another of its name, so that a power cut leaves the old words or the new ones; the lock's
//! own file must stay the same one, or a second gateway could lock the next.

use super::disk;
use super::error::StoreError;
use crate::id::DeviceEpoch;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Name of the file that is locked. It holds the process, for whoever finds it locked.
const LOCK: &str = "menshen.lock";

/// Name of the file with the epoch.
const EPOCH: &str = "menshen.epoch";

/// The epoch of the database that was in this folder last.
pub(super) fn epoch(folder: &Path) -> Option<DeviceEpoch> {
    std::fs::read_to_string(folder.join(EPOCH))
        .ok()
        .map(|epoch| epoch.trim().to_owned())
        .filter(|epoch| uuid::Uuid::try_parse(epoch).is_ok())
        .map(DeviceEpoch)
}

/// Whether another process holds the folder.
pub(super) fn is_held(folder: &Path) -> bool {
    File::open(folder.join(LOCK))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

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
        match taken {
            Ok(()) => Ok(Self {
                file,
                epoch: epoch(folder),
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                folder: folder.to_owned(),
                holder: match words.trim() {
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
        let file = &mut self.file;
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.set_len(0))
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|source| StoreError::folder(folder, source))?;
        if self.epoch.as_ref() != Some(epoch) {
            disk::replace(&folder.join(EPOCH), format!("{}\n", epoch.0).as_bytes())?;
            self.epoch = Some(epoch.clone());
        }
        Ok(())
    }
}
