//! Who is told: steps and local program of `[alerts]`, and the sections of the notifiers.
//!
//! There is one section for each kind of notifier and not a list of any number: a building has one group
//! for its guards, and a table of fixed keys can be checked and explained key by key.
//!
//! Blocks as long as the disk takes for two small files.

use super::keys::{self, Key};
use super::password::first_line;
use super::read::Reader;
use crate::alert::escalation::EscalationRules;
use crate::notify::notice::Hears;
use crate::notify::robot::{Endpoint, Kind};
use crate::secret::Secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Who is told of an alert that waits, and what rings here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertsConfig {
    /// The steps.
    pub escalation: EscalationRules,
    /// Whether guards see the thermal picture of the moment with an alert.
    pub picture: bool,
    /// Program that is run at once.
    pub hook: Option<PathBuf>,
}

/// One notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifierConfig {
    /// Which kind.
    pub kind: Kind,
    /// File whose first line is the address; `None`: switched off.
    pub url_file: Option<PathBuf>,
    /// File whose first line is the key to sign with.
    pub secret_file: Option<PathBuf>,
    /// What it is told of.
    pub hears: Hears,
}

/// A notifier that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} of [notify_{kind}]: {problem}\nhint: put it into the first line of that file, chmod 0600"
)]
pub struct NotifierError {
    kind: &'static str,
    path: String,
    problem: String,
}

/// The keys of a notifier's section.
struct Keys {
    url: &'static Key,
    secret: Option<&'static Key>,
    alerts: &'static Key,
    reminders: &'static Key,
    faults: &'static Key,
}

const fn keys_of(kind: Kind) -> Keys {
    match kind {
        Kind::Wecom => Keys {
            url: &keys::NOTIFY_WECOM_URL,
            secret: None,
            alerts: &keys::NOTIFY_WECOM_ALERTS,
            reminders: &keys::NOTIFY_WECOM_REMINDERS,
            faults: &keys::NOTIFY_WECOM_FAULTS,
        },
        Kind::Dingtalk => Keys {
            url: &keys::NOTIFY_DINGTALK_URL,
            secret: Some(&keys::NOTIFY_DINGTALK_SECRET),
            alerts: &keys::NOTIFY_DINGTALK_ALERTS,
            reminders: &keys::NOTIFY_DINGTALK_REMINDERS,
            faults: &keys::NOTIFY_DINGTALK_FAULTS,
        },
        Kind::Webhook => Keys {
            url: &keys::NOTIFY_WEBHOOK_URL,
            secret: Some(&keys::NOTIFY_WEBHOOK_SECRET),
            alerts: &keys::NOTIFY_WEBHOOK_ALERTS,
            reminders: &keys::NOTIFY_WEBHOOK_REMINDERS,
            faults: &keys::NOTIFY_WEBHOOK_FAULTS,
        },
    }
}

impl NotifierConfig {
    /// All switched off.
    pub(super) fn none() -> [Self; 3] {
        Kind::ALL.map(|kind| Self {
            kind,
            url_file: None,
            secret_file: None,
            hears: Hears {
                alerts: true,
                outcomes: kind == Kind::Webhook,
                reminders: true,
                faults: true,
            },
        })
    }

    /// Where to send, with its secrets; `None` where it is switched off.
    ///
    /// # Errors
    /// Where a file cannot be read, or holds no such address. Never with what the file holds.
    pub fn endpoint(&self) -> Result<Option<Endpoint>, NotifierError> {
        let Some(url_file) = &self.url_file else {
            return Ok(None);
        };
        let url = self.read(url_file)?;
        let key = self
            .secret_file
            .as_deref()
            .map(|path| self.read(path))
            .transpose()?;
        let wrong = |problem| self.wrong(url_file, problem);
        Endpoint::new(self.kind, url, key).map(Some).map_err(wrong)
    }

    fn read(&self, path: &Path) -> Result<Secret<String>, NotifierError> {
        first_line(path).map_err(|error| self.wrong(path, error.problem))
    }

    fn wrong(&self, path: &Path, problem: String) -> NotifierError {
        NotifierError {
            kind: self.kind.as_str(),
            path: path.display().to_string(),
            problem,
        }
    }
}

/// Reads `[alerts]`.
pub(super) fn alerts(read: &mut Reader<'_>) -> AlertsConfig {
    let usual = EscalationRules::default();
    let mut wait = |key, usual| match read.number(key) {
        Some(minutes) if minutes.value > 0.0 => Some(Duration::from_secs_f64(minutes.value * 60.0)),
        Some(_) => None,
        None => usual,
    };
    AlertsConfig {
        escalation: EscalationRules {
            reminder: wait(&keys::ALERTS_REMINDER, usual.reminder),
            manager: wait(&keys::ALERTS_MANAGER, usual.manager),
            street: wait(&keys::ALERTS_STREET, usual.street),
            outcome: wait(&keys::ALERTS_OUTCOME, usual.outcome),
        },
        picture: read.switch(&keys::ALERTS_PICTURE).unwrap_or_default(),
        hook: read
            .text(&keys::ALERTS_HOOK)
            .map(|path| PathBuf::from(path.value)),
    }
}

/// Reads the sections of the notifiers.
pub(super) fn notifiers(read: &mut Reader<'_>) -> [NotifierConfig; 3] {
    NotifierConfig::none().map(|usual| {
        let keys = keys_of(usual.kind);
        let url_file = read.text(keys.url).map(|it| PathBuf::from(it.value));
        let secret = keys.secret.and_then(|key| read.text(key));
        if let (Some(secret), None) = (&secret, &url_file) {
            read.problem(
                secret.span.clone(),
                &format!(
                    "secret_file in [notify_{}] without a url_file",
                    usual.kind.as_str()
                ),
                "name the file with the address, too: url_file = \"...\"",
            );
        }
        NotifierConfig {
            kind: usual.kind,
            url_file,
            secret_file: secret.map(|it| PathBuf::from(it.value)),
            hears: Hears {
                alerts: read.switch(keys.alerts).unwrap_or(usual.hears.alerts),
                outcomes: usual.hears.outcomes,
                reminders: read.switch(keys.reminders).unwrap_or(usual.hears.reminders),
                faults: read.switch(keys.faults).unwrap_or(usual.hears.faults),
            },
        }
    })
}

/// The value of a key of `[alerts]`, in the file's words; `None` where it is not set.
pub(super) fn alerts_value(alerts: &AlertsConfig, name: &str) -> Option<String> {
    let minutes = |wait: Option<Duration>| {
        let minutes = wait.map_or(0.0, |wait| wait.as_secs_f64() / 60.0);
        Some(super::effective::number(minutes))
    };
    match name {
        "reminder_min" => minutes(alerts.escalation.reminder),
        "manager_min" => minutes(alerts.escalation.manager),
        "street_min" => minutes(alerts.escalation.street),
        "outcome_min" => minutes(alerts.escalation.outcome),
        "picture" => Some(alerts.picture.to_string()),
        "hook" => alerts.hook.as_deref().map(super::effective::path),
        _ => None,
    }
}

/// The value of a key of a notifier's section; `None` where it is not set.
pub(super) fn notifier_value(
    notifiers: &[NotifierConfig],
    section: &str,
    name: &str,
) -> Option<String> {
    let kind = section.strip_prefix("notify_")?;
    let it = notifiers.iter().find(|it| it.kind.as_str() == kind)?;
    match name {
        "url_file" => it.url_file.as_deref().map(super::effective::path),
        "secret_file" => it.secret_file.as_deref().map(super::effective::path),
        "alerts" => Some(it.hears.alerts.to_string()),
        "reminders" => Some(it.hears.reminders.to_string()),
        "faults" => Some(it.hears.faults.to_string()),
        _ => None,
    }
}
