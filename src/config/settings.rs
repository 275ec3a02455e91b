//! The configuration file behind the page of settings: read by the very same reader as at the start, changed
//! key by key with its comments kept, and put in its place as a whole.
//!
//! A wish is written into the text first, and the text is then read as any other file would be; so the page
//! can never save what the next start would refuse. Who was shown an older file is told so: a file's version
//! is the SHA-256 of its text. Programs that are run (`hook`) and the data folder are changed in the file
//! only: a password for the pages is not to be a way to run things, and another folder means other accounts.
//!
//! Blocks on one small file, and on the audit.

mod edit;
mod last_good;
mod place;

pub use last_good::LastGood;

use super::chinese;
use super::effective;
use super::environment::text_of;
use super::keys::{self, Key, Kind};
use super::{Config, ConfigError, Problem};
use crate::clock::Stamp;
use crate::store::Store;
use crate::text::{Note, Words};
use crate::web::settings::{
    Field, Preview, SettingChange, SettingGroup, SettingKey, Settings, SettingsError, Sheet, Wish,
    Wrong,
};
use edit::Document;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys that are changed in the file only.
const IN_FILE_ONLY: [(&str, &str); 2] = [("alerts", "hook"), ("store", "folder")];

/// What is done in the audit's words.
const CHANGED: &str = "setting_changed";
const WENT_BACK: &str = "settings_restored";
const NOT_WRITTEN: &str = "settings_not_written";
const RESTARTED: &str = "restart_asked";

/// The file of a running gateway.
pub struct SettingsFile {
    path: PathBuf,
    /// What is in force.
    running: Config,
    /// Why the file was refused at the start.
    refused: Option<Arc<str>>,
    store: Store,
    last_good: LastGood,
    /// Ends the gateway, where somebody starts it again.
    restart: Option<Box<dyn Fn() + Send + Sync>>,
    /// One change at a time.
    writing: Mutex<()>,
}

fn both(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words {
        zh: zh.into(),
        en: en.into(),
    }
}

fn id(key: &Key) -> String {
    format!("{}.{}", key.section, key.name)
}

fn about(key: &Key) -> Words {
    both(chinese::about(key).unwrap_or(key.about), key.about)
}

fn allowed(key: &Key) -> Words {
    both(chinese::allowed(key.kind), key.kind.allowed())
}

fn field(kind: Kind) -> Field {
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    match kind {
        Kind::Switch => Field::Switch,
        Kind::Word(words) => Field::One(owned(words)),
        Kind::Words(words) => Field::Some(owned(words)),
        Kind::Choice(numbers) => Field::One(numbers.iter().map(u32::to_string).collect()),
        Kind::Number { .. } | Kind::Whole { .. } => Field::Number,
        _ => Field::Line,
    }
}

fn version(text: &str) -> String {
    let mut version = String::new();
    for byte in Sha256::digest(text).iter().take(16) {
        let _ = write!(version, "{byte:02x}");
    }
    version
}

/// What a configuration says of a key, as people read it; empty where it is not in use.
fn said(config: &Config, key: &Key) -> String {
    effective::value(config, key).map_or_else(String::new, |value| edit::plain(&value))
}

/// The differences between two configurations.
fn differences(before: &Config, after: &Config) -> Vec<SettingChange> {
    let change = |key: &&Key| SettingChange {
        id: id(key),
        about: about(key),
        before: said(before, key),
        after: said(after, key),
    };
    let all = keys::ALL.iter().map(change);
    all.filter(|it| it.before != it.after).collect()
}

/// What the reader refuses, for the key it is about where there is one.
fn wrong(problem: &Problem) -> Wrong {
    let of = |key: &&&Key| {
        let name = format!("{} in [{}]", key.name, key.section);
        problem.message.starts_with(&name)
    };
    let key = keys::ALL.iter().find(of);
    let english = format!("{}; {}", problem.message, problem.hint);
    let chinese = match key {
        Some(key) => format!(
            "“{}”（{}）不行，可以是：{}。",
            chinese::about(key).unwrap_or(key.name),
            id(key),
            chinese::allowed(key.kind)
        ),
        None => format!("文件第 {} 行不行。", problem.line),
    };
    Wrong {
        id: key.map(|key| id(key)),
        what: both(chinese, english),
    }
}

fn refused(error: &ConfigError) -> SettingsError {
    if error.problems.is_empty() {
        return SettingsError::File(both("配置文件读不了。", error.to_string()));
    }
    SettingsError::Refused(error.problems.iter().map(wrong).collect())
}

fn only_in_file(key: &Key) -> bool {
    IN_FILE_ONLY.contains(&(key.section, key.name))
}

/// What becomes of a file.
struct Draft {
    text: String,
    config: Config,
    changes: Vec<SettingChange>,
}

impl SettingsFile {
    /// The file at this path, of a gateway that runs by this configuration.
    #[must_use]
    pub fn new(path: PathBuf, running: Config, refused: Option<Arc<str>>, store: Store) -> Self {
        Self {
            path,
            last_good: LastGood::beside(&running.store.folder),
            running,
            refused,
            store,
            restart: None,
            writing: Mutex::new(()),
        }
    }

    /// With a way to end the gateway, where somebody starts it again.
    #[must_use]
    pub fn restarted_by(mut self, restart: Option<Box<dyn Fn() + Send + Sync>>) -> Self {
        self.restart = restart;
        self
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The file's text; a file that is not there says nothing.
    fn text(&self) -> Result<String, SettingsError> {
        if !self.path.exists() {
            return Ok(String::new());
        }
        text_of(&self.path, &self.name()).map_err(|error| refused(&error))
    }

    /// The file with a wish written into it, read as the next start would read it.
    fn draft(&self, wish: &Wish) -> Result<Draft, SettingsError> {
        let text = self.text()?;
        if version(&text) != wish.version {
            return Err(SettingsError::Changed);
        }
        let mut document = Document::read(&text).ok_or_else(|| {
            SettingsError::File(both(
                "文件不是 TOML，不能在网页上改；请恢复上一次的有效配置，或直接改文件。",
                "The file is no TOML and cannot be changed here: go back to the last good one, or mend it by hand.",
            ))
        })?;
        let mut changes = Vec::new();
        let mut wrongs = Vec::new();
        for (name, wanted) in &wish.values {
            let Some(key) = keys::ALL.iter().find(|key| id(key) == *name) else {
                let shown: String = name.chars().take(64).collect();
                wrongs.push(Wrong {
                    id: None,
                    what: both(
                        format!("没有这个设置：{shown}"),
                        format!("there is no setting {shown}"),
                    ),
                });
                continue;
            };
            let tidy = |text: &str| edit::tidy(key.kind, text);
            let (before, after) = (tidy(&document.says(key)), tidy(wanted));
            if before == after {
                continue;
            }
            if only_in_file(key) {
                wrongs.push(Wrong {
                    id: Some(id(key)),
                    what: both("只能在文件里改。", "This is changed in the file only."),
                });
                continue;
            }
            document.set(key, &after);
            changes.push(SettingChange {
                id: id(key),
                about: about(key),
                before,
                after,
            });
        }
        if !wrongs.is_empty() {
            return Err(SettingsError::Refused(wrongs));
        }
        if changes.is_empty() {
            return Err(SettingsError::Nothing);
        }
        let text = document.text();
        let config = Config::parse(&text, &self.name()).map_err(|error| refused(&error))?;
        Ok(Draft {
            text,
            config,
            changes,
        })
    }

    /// Says in the audit who did something, then writes the file; where that fails, the audit says so, too.
    fn write(
        &self,
        text: &str,
        (what, subjects): (&str, &[String]),
        by: &Note,
        now: &Stamp,
    ) -> Result<(), SettingsError> {
        let note = |what: &str, subjects: &[String]| {
            let noted = self.store.note_acts(by.as_str(), what, subjects, now);
            noted.map_err(|error| SettingsError::Storage(error.to_string()))
        };
        note(what, subjects)?;
        place::replace(&self.path, text).map_err(|error| {
            // Best effort: the file itself was not touched.
            let _ = note(NOT_WRITTEN, &[self.name()]);
            let name = self.name();
            SettingsError::File(both(
                format!(
                    "{name} 写不了（{error}）。运行 menshen 的用户必须能写这个文件夹；文件没有改动。"
                ),
                format!(
                    "{name} cannot be written: {error}. The user that runs menshen must be allowed to write its folder; the file is as it was."
                ),
            ))
        })
    }

    fn one_at_a_time(&self) -> std::sync::MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settings for SettingsFile {
    fn refused(&self) -> Option<Arc<str>> {
        self.refused.clone()
    }

    fn sheet(&self) -> Result<Sheet, SettingsError> {
        let text = self.text()?;
        let document = Document::read(&text);
        let read = Config::parse(&text, &self.name());
        let usual = Config::default();
        let view = |key: &&Key| SettingKey {
            id: id(key),
            about: about(key),
            allowed: allowed(key),
            field: field(key.kind),
            written: document
                .as_ref()
                .map_or_else(String::new, |it| it.says(key)),
            usual: said(&usual, key),
            in_file_only: only_in_file(key),
        };
        let group = |section: &'static str| SettingGroup {
            section: section.to_owned(),
            title: chinese::section(section)
                .map_or_else(|| both(section, section), |(zh, en)| both(zh, en)),
            keys: keys::ALL
                .iter()
                .filter(|key| key.section == section)
                .map(view)
                .collect(),
        };
        Ok(Sheet {
            file: self.name(),
            version: version(&text),
            groups: keys::sections(keys::ALL).into_iter().map(group).collect(),
            waiting: read
                .as_ref()
                .map_or_else(|_| Vec::new(), |it| differences(&self.running, it)),
            can_go_back: read.is_err() && self.last_good.text().is_some(),
            wrong: read.err().map(|error| error.to_string()),
        })
    }

    fn preview(&self, wish: &Wish) -> Result<Preview, SettingsError> {
        let draft = self.draft(wish)?;
        Ok(Preview {
            changes: draft.changes,
            remarks: draft.config.warnings(),
        })
    }

    fn save(&self, wish: &Wish, by: &Note, now: &Stamp) -> Result<(), SettingsError> {
        let _one = self.one_at_a_time();
        let draft = self.draft(wish)?;
        let subject = |it: &SettingChange| format!("{}: {:?} -> {:?}", it.id, it.before, it.after);
        let subjects: Vec<_> = draft.changes.iter().map(subject).collect();
        self.write(&draft.text, (CHANGED, &subjects), by, now)
    }

    fn go_back(&self, seen: &str, by: &Note, now: &Stamp) -> Result<(), SettingsError> {
        let _one = self.one_at_a_time();
        if version(&self.text()?) != seen {
            return Err(SettingsError::Changed);
        }
        let good = self.last_good.text().ok_or(SettingsError::Nothing)?;
        self.write(&good, (WENT_BACK, &[self.name()]), by, now)
    }

    fn restarts(&self) -> bool {
        self.restart.is_some()
    }

    fn restart(&self, by: &Note, now: &Stamp) -> Result<(), SettingsError> {
        let Some(restart) = &self.restart else {
            return Err(SettingsError::Nothing);
        };
        let noted = self
            .store
            .note_acts(by.as_str(), RESTARTED, &[self.name()], now);
        noted.map_err(|error| SettingsError::Storage(error.to_string()))?;
        restart();
        Ok(())
    }
}
