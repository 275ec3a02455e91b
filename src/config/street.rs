//! The street office's own configuration: one TOML file for `menshen street`.
//!
//! ```toml
//! [street]
//! id = "dongfang"             # as in the gateways' [site]
//! [mqtt]
//! host = "broker.example"
//! username = "street-dongfang"
//! password_file = "password"
//! [ledger]
//! file = "street.db"
//! ```
//!
//! Blocks as long as the disk takes for one small file.

use super::street_pages::{SiteSection, StreetPages, WebSection};
use super::{MqttConfig, SiteConfig, TlsConfig};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What keeps a street's configuration from being used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}\nhint: {hint}")]
pub struct StreetConfigError {
    file: String,
    problem: String,
    hint: &'static str,
}

/// The street office.
#[derive(Clone, Debug, PartialEq)]
pub struct StreetConfig {
    /// The street's part of the topics.
    pub street: String,
    /// The collector's name, the last part of its receipts' topics.
    pub collector: String,
    /// Whether several collectors share the messages.
    pub beside_others: bool,
    /// The broker.
    pub mqtt: MqttConfig,
    /// The database's file.
    pub ledger: PathBuf,
    /// The pages; `None`: none are served.
    pub pages: Option<StreetPages>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    street: StreetSection,
    #[serde(default)]
    mqtt: MqttSection,
    #[serde(default)]
    ledger: LedgerSection,
    web: Option<WebSection>,
    #[serde(default)]
    site: Vec<SiteSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreetSection {
    id: String,
    collector: Option<String>,
    #[serde(default)]
    beside_others: bool,
    name: Option<String>,
    report_by: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttSection {
    host: Option<String>,
    port: Option<u16>,
    client_id: Option<String>,
    username: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default)]
    tls: bool,
    ca_file: Option<PathBuf>,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerSection {
    file: Option<PathBuf>,
}

impl StreetConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn load(path: &Path) -> Result<Self, StreetConfigError> {
        let wrong = |problem: String, hint| StreetConfigError {
            file: path.display().to_string(),
            problem,
            hint,
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = "name the street's configuration with --config";
            wrong(format!("cannot be read: {error}"), hint)
        })?;
        let file: File = toml::from_str(&text).map_err(|error| {
            let hint = "the street's configuration has the tables [street], [mqtt], [ledger], [web] and \
                        [[site]]; id in [street] must be there";
            wrong(error.to_string().trim_end().to_owned(), hint)
        })?;
        Self::of(file).map_err(|(problem, hint)| wrong(problem, hint))
    }

    fn of(file: File) -> Result<Self, (String, &'static str)> {
        let File {
            street,
            mqtt,
            ledger,
            web,
            site,
        } = file;
        let named = (street.id.as_str(), street.name, street.report_by);
        let pages = StreetPages::of(named, web, site)?;
        let own = match (mqtt.cert_file, mqtt.key_file) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                return Err((
                    "cert_file and key_file in [mqtt] go together".to_owned(),
                    "name both, or neither",
                ));
            }
        };
        if !mqtt.tls && (mqtt.ca_file.is_some() || own.is_some()) {
            return Err((
                "certificates are named in [mqtt], but tls is not on".to_owned(),
                "write tls = true, or take them away",
            ));
        }
        if mqtt.password_file.is_some() && mqtt.username.is_none() {
            return Err((
                "password_file in [mqtt] is named without a username".to_owned(),
                "write username = \"...\", or take it away",
            ));
        }
        let tls = mqtt.tls.then(|| TlsConfig {
            ca_file: mqtt.ca_file.unwrap_or_else(|| TlsConfig::USUAL_CA.into()),
            own,
        });
        let usual = MqttConfig::of(&SiteConfig::default());
        let collector = street.collector.unwrap_or_else(|| "collector".to_owned());
        let port = match tls {
            Some(_) => MqttConfig::TLS_PORT,
            None => usual.port,
        };
        // Several of one name would throw each other out.
        let client_id = match (mqtt.client_id, street.beside_others) {
            (Some(id), _) => id,
            (None, false) => format!("menshen-{}-{collector}", street.id),
            (None, true) => format!("menshen-{}-{}", street.id, uuid::Uuid::new_v4()),
        };
        Ok(Self {
            mqtt: MqttConfig {
                enabled: true,
                host: mqtt.host.unwrap_or(usual.host),
                port: mqtt.port.unwrap_or(port),
                tls,
                client_id,
                username: mqtt.username,
                password_file: mqtt.password_file,
                keep_alive: Duration::from_secs(30),
                street_receipts: false,
                home_assistant: false,
                commands: BTreeSet::new(),
            },
            pages,
            street: street.id,
            collector,
            beside_others: street.beside_others,
            ledger: ledger.file.unwrap_or_else(|| "street.db".into()),
        })
    }
}
