//! The gateway's configuration: one TOML file, of which every key is optional.
//!
//! A file is either taken as a whole or refused with everything that is wrong with it; a [`Config`]
//! cannot hold a value outside of its limits, so nobody downstream checks again. It is kept apart
//! from the file's own words (`keys.rs`), so that the file changes on purpose only. `menshen check`
//! prints [`Config::effective_toml`], which reads back as the same configuration.
//!
//! This is also the one module that reads the environment: `MENSHEN_CONFIG` (path of the file) and
//! `RUST_LOG` (what is logged). Only [`Config::load`], [`Config::find`],
//! [`CameraConfig::known`], [`NotifierConfig::endpoint`] and [`MqttConfig::password`] touch the disk; they read one small file and block no longer than that.

pub mod checklist;
mod chinese;
mod convert;
mod effective;
mod environment;
mod keys;
mod notify;
mod password;
pub mod people;
pub mod profile;
mod profile_keys;
mod read;
mod report;
mod settings;
mod street;
mod street_pages;
mod transfer;
mod web;
pub mod zone;

pub use environment::{Origin, is_supervised, log_filter};
pub use notify::{AlertsConfig, NotifierConfig};
pub use password::PasswordError;
pub use people::PeopleConfig;
pub use report::{ConfigError, Problem};
pub use settings::{LastGood, SettingsFile};
pub use street::{LedgerConfig, StreetConfig, StreetConfigError};
pub use street_pages::StreetPages;
pub use transfer::{
    OperatingSection, ScoreOf, ScoreSection, SourceSection, TermSection, TransferFile,
    TransferSection,
};
pub use web::WebConfig;

use crate::calendar::TimeOfDay;
use crate::camera::Rotation;
use crate::checklist::SiteKind;
use crate::command::CommandName;
use crate::journal::SafeAt;
use crate::screening::Rules;
use crate::store::Upkeep;
use crate::text::Words;
use crate::thermal::Room;
use crate::thermal::profile::CameraProfile;
use crate::thermal::radiometry::CountScale;
use crate::thermal::reference::ReferenceSettings;
use crate::units::Celsius;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the gateway stands.
    pub site: SiteConfig,
    /// Where frames come from.
    pub camera: CameraConfig,
    /// The blackbody in view; `None`: there is none, and people are compared with each other.
    pub reference: Option<ReferenceSettings>,
    /// The room at the gate: its air at 5…40 °C, known to 0…10 K.
    pub room: Room,
    /// What counts as what.
    pub screening: ScreeningConfig,
    /// Who is told of an alert that waits, and what rings here.
    pub alerts: AlertsConfig,
    /// Group robots and webhooks, one of each kind.
    pub notifiers: [NotifierConfig; 3],
    /// The broker.
    pub mqtt: MqttConfig,
    /// The rounds.
    pub checklist: ChecklistConfig,
    /// The register.
    pub people: PeopleConfig,
    /// The pages.
    pub web: WebConfig,
    /// The visitor screen.
    pub visitor: VisitorConfig,
    /// The database.
    pub store: StoreConfig,
}

/// Where the gateway stands. The parts are `[A-Za-z0-9_-]`, 1 to 64 characters each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteConfig {
    /// Street office.
    pub street: String,
    /// Building.
    pub building: String,
    /// Entrance.
    pub gate: String,
    /// The building's name in Chinese, for screens.
    pub name_zh: String,
    /// The building's name in English, for screens.
    pub name_en: String,
}

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraSource {
    /// A camera of the kernel's video system.
    V4l {
        /// Its device file; `None`: the camera that the profile is for.
        device: Option<PathBuf>,
    },
    /// Simulated frames.
    Simulator {
        /// Name of a built-in scenario, or the path of one.
        scenario: String,
    },
    /// A recording.
    Recording {
        /// Its file.
        file: PathBuf,
    },
}

/// Where it stands what is known of the camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileChoice {
    /// One that is built in, by its name.
    BuiltIn(&'static str),
    /// A file.
    File(PathBuf),
}

/// The camera.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraConfig {
    /// Where frames come from.
    pub source: CameraSource,
    /// Width to ask the camera for, pixels, before turning; `None`: the profile's.
    pub width: Option<u32>,
    /// Height to ask the camera for, pixels, before turning; `None`: the profile's.
    pub height: Option<u32>,
    /// Frames a second to ask the camera for, 1…120; `None`: the camera's own.
    pub fps: Option<f64>,
    /// Whether the gateway decides when the shutter is closed, where the camera can be told.
    pub shutter_by_hand: bool,
    /// Turn that sets people upright.
    pub rotation: Rotation,
    /// What is known of the camera.
    pub profile: ProfileChoice,
    /// What a count means, where the site says so; otherwise the profile does.
    pub scale: Option<CountScale>,
    /// Without a frame for so long, the camera counts as silent; 0.5…60 s.
    pub silent_after: Duration,
}

/// What counts as what. `attention <= fever` always.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScreeningConfig {
    /// From here on staff measure again, 35…40 °C of body estimate.
    pub attention: Celsius,
    /// From here on it is a possible fever, 35…40 °C of body estimate.
    pub fever: Celsius,
    /// The specificity from which `fever` follows, where the file says that and not a temperature.
    pub target_specificity: Option<f64>,
    /// Good looks that a reading needs, 1…100.
    pub min_looks: u32,
    /// Width of the smallest face that is measured, 8…512 pixels.
    pub min_face_px: u32,
}

/// The broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttConfig {
    /// Whether events are sent at all. They are kept in either case.
    pub enabled: bool,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS, where it is on.
    pub tls: Option<TlsConfig>,
    /// Must differ for every gateway at one broker; made from the site where it is not set.
    pub client_id: String,
    /// Name at the broker.
    pub username: Option<String>,
    /// File whose first line is the password; only ever together with a name.
    pub password_file: Option<PathBuf>,
    /// 5…3600 s.
    pub keep_alive: Duration,
    /// Whether a collector of the street acknowledges what it receives.
    pub street_receipts: bool,
    /// Whether Home Assistant is told of this gate.
    pub home_assistant: bool,
    /// What the street may have done from afar.
    pub commands: BTreeSet<CommandName>,
}

/// TLS to the broker. A file's name without a folder is looked for among the service's credentials
/// (systemd's `LoadCredential`) first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates of the authorities that may have signed the broker's.
    pub ca_file: PathBuf,
    /// This gateway's certificate and key, where the broker asks for one.
    pub own: Option<(PathBuf, PathBuf)>,
}

impl TlsConfig {
    /// Where Debian keeps the world's authorities.
    const USUAL_CA: &'static str = "/etc/ssl/certs/ca-certificates.crt";
}

/// The visitor screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitorConfig {
    /// Whether it speaks and sounds.
    pub sound: bool,
}

/// The rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistConfig {
    /// Which of the six lists; of a file it is the file's own.
    pub site: SiteKind,
    /// The site's own list; without it the list as it is, with nobody's name in it.
    pub file: Option<PathBuf>,
    /// When the report of the day goes out by itself.
    pub report_at: TimeOfDay,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Its folder, made where it does not exist.
    pub folder: PathBuf,
    /// What is kept, how long, and how much of it.
    pub upkeep: Upkeep,
}

impl Default for Config {
    /// What an empty file means: a Lepton 3.5 wherever it is plugged in, a blackbody at 37 °C, no
    /// broker, pages for this machine only.
    fn default() -> Self {
        Self {
            site: SiteConfig::default(),
            camera: CameraConfig::default(),
            reference: Some(ReferenceSettings::default()),
            room: Room::default(),
            screening: ScreeningConfig::default(),
            alerts: AlertsConfig::default(),
            notifiers: NotifierConfig::none(),
            mqtt: MqttConfig::of(&SiteConfig::default()),
            checklist: ChecklistConfig::default(),
            people: PeopleConfig::default(),
            web: WebConfig::default(),
            visitor: VisitorConfig::default(),
            store: StoreConfig::default(),
        }
    }
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self {
            street: "street".to_owned(),
            building: "building".to_owned(),
            gate: "lobby".to_owned(),
            name_zh: "本楼".to_owned(),
            name_en: "This building".to_owned(),
        }
    }
}

impl Default for CameraConfig {
    fn default() -> Self {
        Self {
            source: CameraSource::V4l { device: None },
            width: None,
            height: None,
            fps: None,
            shutter_by_hand: true,
            rotation: Rotation::None,
            profile: ProfileChoice::BuiltIn(profile::USUAL),
            scale: None,
            silent_after: Duration::from_secs(2),
        }
    }
}

impl CameraConfig {
    /// What is known of the camera, with the site's own scale where it names one.
    ///
    /// # Errors
    /// As [`Config::load`], of the profile's file.
    pub fn known(&self) -> Result<CameraProfile, ConfigError> {
        let mut known = match &self.profile {
            ProfileChoice::BuiltIn(name) => profile::built_in(name)?,
            ProfileChoice::File(path) => profile::load(path)?,
        };
        known.scale = self.scale.unwrap_or(known.scale);
        Ok(known)
    }

    /// The scenario that is simulated where none is named.
    const SCENARIO: &'static str = "lobby";
}

impl Default for ScreeningConfig {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            attention: rules.attention,
            fever: rules.fever,
            target_specificity: None,
            min_looks: 3,
            min_face_px: 18,
        }
    }
}

impl MqttConfig {
    /// What is taken where a site's file says nothing of a broker.
    fn of(site: &SiteConfig) -> Self {
        Self {
            enabled: false,
            host: "localhost".to_owned(),
            port: 1883,
            tls: None,
            client_id: format!("menshen-{}-{}-{}", site.street, site.building, site.gate),
            username: None,
            password_file: None,
            keep_alive: Duration::from_secs(30),
            street_receipts: false,
            home_assistant: false,
            commands: BTreeSet::new(),
        }
    }

    /// The port where TLS is on and none is named.
    const TLS_PORT: u16 = 8883;
}

impl Default for VisitorConfig {
    fn default() -> Self {
        Self { sound: true }
    }
}

impl Default for ChecklistConfig {
    /// An office building, whose offices are empty by eight in the evening.
    fn default() -> Self {
        Self {
            site: SiteKind::Office,
            file: None,
            report_at: TimeOfDay::new(20, 0).unwrap_or(TimeOfDay::MIDNIGHT),
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("./data"),
            upkeep: Upkeep {
                // Without receipts (`street_receipts`) the broker is the end of a message's way.
                broker_safe_at: SafeAt::Broker,
                ..Upkeep::default()
            },
        }
    }
}

impl Config {
    /// Largest file that is read, bytes; a full one has about 4 kB.
    pub const LARGEST_FILE: u64 = 1 << 20;

    /// Reads the text of a file; `file_name` is what errors call it.
    ///
    /// # Errors
    /// [`ConfigError`] with every unknown key, wrong type, value outside of its limits and
    /// contradiction in the text; or the first few errors of syntax.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, ConfigError> {
        let mut reader = read::Reader::new(text, keys::ALL);
        let config = convert::convert(&mut reader);
        let problems = reader.into_problems();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::of(file_name, problems))
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Config::parse`]; and where the file cannot be read, is not UTF-8, or is larger than
    /// [`Config::LARGEST_FILE`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        Self::parse(&environment::text_of(path, &name)?, &name)
    }

    /// The whole configuration as a file that reads back as the same configuration. Holds the path
    /// of the password's file, never the password.
    #[must_use]
    pub fn effective_toml(&self) -> String {
        effective::toml(self)
    }

    /// The same without what a person has written: for whoever helps from far away.
    #[must_use]
    pub fn shareable_toml(&self) -> String {
        effective::shareable(self)
    }

    /// What is allowed but should be looked at before people are screened, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<Words> {
        effective::warnings(self)
    }
}
