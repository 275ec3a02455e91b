//! What comes from outside of the file's text: where the file is, its bytes, and the environment.
//!
//! Reading the file blocks as long as the disk takes for at most 1 MiB.

use super::{Config, ConfigError};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The file that is taken where none is named, in the working folder.
const USUAL_FILE: &str = "menshen.toml";

/// What is logged where the environment does not say.
const USUAL_LOG: &str = "warn,menshen=info";

/// Where a configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This file.
    File(PathBuf),
    /// No file was named and there is no `menshen.toml`: the built-in defaults.
    BuiltIn,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::BuiltIn => f.write_str("built-in defaults (there is no menshen.toml here)"),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// What is logged, in the words of `tracing`'s filter: the variable `RUST_LOG`, or warnings and
/// this program's own information.
#[must_use]
pub fn log_filter() -> String {
    variable("RUST_LOG").unwrap_or_else(|| USUAL_LOG.to_owned())
}

/// Whether a supervisor (systemd) waits for word of this program, and starts it again when it ends.
#[must_use]
pub fn is_supervised() -> bool {
    variable("NOTIFY_SOCKET").is_some()
}

/// The folder that systemd made for the service's data (`StateDirectory`), the first where there are more.
pub(super) fn state_folder() -> Option<PathBuf> {
    let folders = variable("STATE_DIRECTORY")?;
    folders.split(':').next().map(PathBuf::from)
}

/// Where a secret's file is: a name without a folder is one of the credentials that systemd gives the
/// service (`LoadCredential`, `$CREDENTIALS_DIRECTORY`), where there is one of that name.
pub(super) fn secret_file(path: &Path) -> PathBuf {
    let bare = path.components().count() == 1 && path.is_relative();
    bare.then(|| variable("CREDENTIALS_DIRECTORY"))
        .flatten()
        .map(|folder| Path::new(&folder).join(path))
        .filter(|credential| credential.exists())
        .unwrap_or_else(|| path.to_path_buf())
}

impl Config {
    /// Where the file is, or would be: the one named on the command line, else by the variable
    /// `MENSHEN_CONFIG`, else `menshen.toml` in the working folder.
    #[must_use]
    pub fn file(named: Option<&Path>) -> PathBuf {
        named
            .map(Path::to_path_buf)
            .or_else(|| variable("MENSHEN_CONFIG").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from(USUAL_FILE))
    }

    /// The configuration of the file that was named on the command line, else by the variable
    /// `MENSHEN_CONFIG`, else of `menshen.toml` in the working folder where there is one, else the
    /// defaults.
    ///
    /// # Errors
    /// As [`Config::load`]. A file that was named must exist.
    pub fn find(named: Option<&Path>) -> Result<(Self, Origin), ConfigError> {
        let path = Self::file(named);
        if path == Path::new(USUAL_FILE) && named.is_none() && !path.exists() {
            return Ok((Self::default(), Origin::BuiltIn));
        }
        Ok((Self::load(&path)?, Origin::File(path)))
    }
}

/// The text of a file.
pub(super) fn text_of(path: &Path, name: &str) -> Result<String, ConfigError> {
    let refuse = |why: &str, hint: &str| ConfigError::unreadable(name, why.to_owned(), hint);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(Config::LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::NotFound => {
                    "name an existing file with --config or MENSHEN_CONFIG; `menshen check` without \
                     a file prints one to start from"
                }
                io::ErrorKind::PermissionDenied => {
                    "the user that runs menshen must be allowed to read it"
                }
                _ => "name a file of TOML text",
            };
            ConfigError::unreadable(name, format!("cannot be read: {error}"), hint)
        })?;
    if bytes.len() as u64 > Config::LARGEST_FILE {
        return Err(refuse(
            "is larger than 1 MiB",
            "this is no configuration of menshen: name the right file",
        ));
    }
    String::from_utf8(bytes).map_err(|_| {
        refuse(
            "is not UTF-8 text",
            "save it as UTF-8 in your editor (not as GBK or UTF-16)",
        )
    })
}
