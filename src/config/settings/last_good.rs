//! The last configuration that a gateway ran by, kept in the data folder: with it the gateway starts when
//! the file itself cannot be used, so that a slip of the pen does not end the screening.

use super::super::environment::{state_folder, text_of};
use super::super::{Config, ConfigError, StoreConfig};
use super::place;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Its name in the data folder.
const FILE: &str = "last-good.toml";

/// The copy in one data folder.
#[derive(Clone, Debug)]
pub struct LastGood {
    path: PathBuf,
}

impl LastGood {
    /// That of this data folder.
    #[must_use]
    pub fn beside(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE),
        }
    }

    /// Its text, where there is one that can be used.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let text = text_of(&self.path, FILE).ok()?;
        Config::parse(&text, FILE).is_ok().then_some(text)
    }

    /// Keeps the text of the file by which the gateway runs.
    ///
    /// # Errors
    /// Where the file cannot be read again, says something else by now, or the folder cannot be written.
    pub fn keep(&self, file: &Path, running: &Config) -> io::Result<()> {
        let text = text_of(file, FILE).map_err(io::Error::other)?;
        if Config::parse(&text, FILE).as_ref() != Ok(running) {
            return Err(io::Error::other("the file was changed meanwhile"));
        }
        if self.text().is_some_and(|kept| kept == text) {
            return Ok(());
        }
        place::write_whole(&self.path, text.as_bytes(), &Permissions::from_mode(0o600))
    }
}

/// Where the data folder may be, as far as a file that cannot be used still says it.
fn folders(broken: &str) -> Vec<PathBuf> {
    let (table, _) = DeTable::parse_recoverable(broken);
    let named = table.get_ref().get("store").and_then(|store| {
        let DeValue::Table(store) = store.get_ref() else {
            return None;
        };
        let folder = store.get("folder")?.get_ref().as_str()?;
        Some(PathBuf::from(folder))
    });
    named
        .into_iter()
        .chain(state_folder())
        .chain([StoreConfig::default().folder])
        .collect()
}

impl Config {
    /// The configuration by which the gateway ran last, for when the file at `path` cannot be used.
    ///
    /// # Errors
    /// Where there is none: then `error` is what to say.
    pub fn last_good(path: &Path, error: ConfigError) -> Result<Self, ConfigError> {
        let broken = text_of(path, FILE).unwrap_or_default();
        folders(&broken)
            .iter()
            .find_map(|folder| {
                let text = LastGood::beside(folder).text()?;
                let config = Self::parse(&text, FILE).ok()?;
                // One that was copied from elsewhere is not the last one of this gateway.
                (config.store.folder == *folder).then_some(config)
            })
            .ok_or(error)
    }
}
