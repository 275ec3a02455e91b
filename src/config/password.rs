//! The broker's password: read from a file of its own, never printed.
//!
//! Blocks as long as the disk takes for one small file.

use super::MqttConfig;
use crate::secret::Secret;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
        self.password_file.as_deref().map(first_line).transpose()
    }

    /// Says so where others than its owner may read the password's file.
    #[must_use]
    pub fn password_warning(&self) -> Option<String> {
        let path = self.password_file.as_deref()?;
        let mode = path.metadata().ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| {
            format!(
                "{} can be read by others (mode {mode:04o}): chmod 0600 it.",
                path.display()
            )
        })
    }
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
