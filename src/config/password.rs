//! The broker's password, read from a file of its own and never printed; and where the files for TLS
//! lie. A name without a folder is a credential of the service, where systemd gives it one.
//!
//! Blocks as long as the disk takes for one small file.

use super::environment::secret_file;
use super::{MqttConfig, TlsConfig};
use crate::secret::Secret;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Longest password file that is read, bytes; MQTT itself allows 65 535 for a password.
const LONGEST: u64 = 65_535;

/// A password's file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}\nhint: put the password into the first line of that file, chmod 0600")]
pub struct PasswordError {
    /// Which file.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl MqttConfig {
    /// The password, where a file is named: its first line.
    ///
    /// # Errors
    /// Where the file cannot be read, is empty, or is no text.
    pub fn password(&self) -> Result<Option<Secret<String>>, PasswordError> {
        let file = self.password_file.as_deref().map(secret_file);
        file.as_deref().map(first_line).transpose()
    }

    /// Says so where others than its owner may read the password's file.
    #[must_use]
    pub fn password_warning(&self) -> Option<String> {
        open_to_others(&secret_file(self.password_file.as_deref()?))
    }

    /// Says so where others than its owner may read the private key.
    #[must_use]
    pub fn key_warning(&self) -> Option<String> {
        let (_, key) = self.tls.as_ref()?.own.as_ref()?;
        open_to_others(&secret_file(key))
    }

    /// Where the authorities, and this gateway's own certificate and key, lie; none without TLS.
    #[must_use]
    pub fn tls_files(&self) -> Option<(PathBuf, Option<(PathBuf, PathBuf)>)> {
        self.tls.as_ref().map(TlsConfig::files)
    }
}

impl TlsConfig {
    /// Where the authorities, and our own certificate and key, lie.
    #[must_use]
    pub fn files(&self) -> (PathBuf, Option<(PathBuf, PathBuf)>) {
        let own = self.own.as_ref();
        (
            secret_file(&self.ca_file),
            own.map(|(certificate, key)| (secret_file(certificate), secret_file(key))),
        )
    }
}

pub(super) fn open_to_others(path: &Path) -> Option<String> {
    let mode = path.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        format!(
            "{} can be read by others (mode {mode:04o}): chmod 0600 it.",
            path.display()
        )
    })
}

/// The first line of a small file of text.
pub(super) fn first_line(path: &Path) -> Result<Secret<String>, PasswordError> {
    let wrong = |problem: String| PasswordError {
        path: path.display().to_string(),
        problem,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8 text".to_owned()))?;
    match text.lines().next() {
        None | Some("") => Err(wrong("has no password in its first line".to_owned())),
        Some(line) => Ok(Secret::new(line.to_owned())),
    }
}
