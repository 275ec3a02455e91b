//! From the file's words to a [`Config`]: defaults, and what one key says of another.
//!
//! A key that is wrong leaves its default behind and a problem in the reader; the caller throws
//! the result away where there are problems. Nothing here blocks.

use super::keys::{self, Key};
use super::notify;
use super::profile;
use super::read::{Placed, Reader};
use super::web;
use super::{
    CameraConfig, CameraSource, ChecklistConfig, Config, MqttConfig, PeopleConfig, ProfileChoice,
    ScreeningConfig, SiteConfig, StoreConfig, TlsConfig, TransferFile, VisitorConfig,
};
use crate::camera::Rotation;
use crate::checklist::SiteKind;
use crate::command::CommandName;
use crate::journal::SafeAt;
use crate::store::Upkeep;
use crate::thermal::Room;
use crate::thermal::radiometry::{CountScale, Emissivity};
use crate::thermal::reference::{LEAST_SPAN_K, ReferenceSettings};
use crate::units::{AmbientTemperature, Celsius, ReferenceTemperature, StandardUncertainty};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that the file says, over what is taken without it.
pub(super) fn convert(read: &mut Reader<'_>) -> Config {
    let site = site(read);
    let mqtt = mqtt(read, &site);
    Config {
        camera: camera(read),
        reference: reference(read),
        room: room(read),
        screening: screening(read),
        alerts: notify::alerts(read),
        notifiers: notify::notifiers(read),
        checklist: checklist(read),
        people: people(read),
        web: web::web(read),
        visitor: VisitorConfig {
            sound: (read.switch(&keys::VISITOR_SOUND))
                .unwrap_or_else(|| VisitorConfig::default().sound),
        },
        store: store(read, &mqtt),
        mqtt,
        site,
    }
}

fn site(read: &mut Reader<'_>) -> SiteConfig {
    let default = SiteConfig::default();
    let mut text = |key: &Key, without: String| read.text(key).map_or(without, |t| t.value);
    SiteConfig {
        street: text(&keys::SITE_STREET, default.street),
        building: text(&keys::SITE_BUILDING, default.building),
        gate: text(&keys::SITE_GATE, default.gate),
        name_zh: text(&keys::SITE_NAME_ZH, default.name_zh),
        name_en: text(&keys::SITE_NAME_EN, default.name_en),
    }
}

fn camera(read: &mut Reader<'_>) -> CameraConfig {
    let default = CameraConfig::default();
    let named = read.text(&keys::CAMERA_SOURCE);
    // All three are read, so that each is checked whichever of them is in use.
    let device = read.text(&keys::CAMERA_DEVICE);
    let recording = read.text(&keys::CAMERA_RECORDING);
    let scenario = read.text(&keys::CAMERA_SCENARIO);
    let source = match named.as_ref().map(|source| source.value.as_str()) {
        Some("simulator") => CameraSource::Simulator {
            scenario: scenario.map_or_else(|| CameraConfig::SCENARIO.to_owned(), |s| s.value),
        },
        Some("recording") => {
            if recording.is_none() {
                read.problem(
                    named.map(|source| source.span).unwrap_or_default(),
                    "source in [camera] is \"recording\", but no recording is named",
                    "write recording = \"/path/of/the/file\" below [camera]",
                );
            }
            CameraSource::Recording {
                file: recording.map_or_else(PathBuf::new, |file| PathBuf::from(file.value)),
            }
        }
        _ => CameraSource::V4l {
            device: device.map(|device| PathBuf::from(device.value)),
        },
    };
    CameraConfig {
        source,
        width: read.whole(&keys::CAMERA_WIDTH),
        height: read.whole(&keys::CAMERA_HEIGHT),
        fps: read.number(&keys::CAMERA_FPS).map(|fps| fps.value),
        shutter_by_hand: read
            .text(&keys::CAMERA_SHUTTER)
            .map_or(default.shutter_by_hand, |who| who.value == "gateway"),
        rotation: read
            .whole(&keys::CAMERA_ROTATE)
            .and_then(|degrees| u16::try_from(degrees).ok())
            .and_then(Rotation::from_degrees)
            .unwrap_or(default.rotation),
        profile: profile_choice(read).unwrap_or(default.profile),
        scale: read
            .text(&keys::CAMERA_SCALE)
            .and_then(|word| scale_named(&word.value)),
        silent_after: read
            .number(&keys::CAMERA_SILENT)
            .map_or(default.silent_after, |s| Duration::from_secs_f64(s.value)),
    }
}

/// The file's word for a scale; that of a profile, where it has no name of its own.
pub(super) const fn scale_word(scale: CountScale) -> &'static str {
    match scale {
        CountScale::CentiKelvin => "centikelvin",
        CountScale::DeciKelvin => "decikelvin",
        CountScale::SixtyFourthKelvin => "sixty-fourth-kelvin",
        CountScale::SixteenthKelvin => "sixteenth-kelvin",
        CountScale::Linear { .. } => "linear",
    }
}

/// A built-in profile's name, or the path of one: what has a `/` or ends in `.toml`.
fn profile_choice(read: &mut Reader<'_>) -> Option<ProfileChoice> {
    let Placed { value, span } = read.text(&keys::CAMERA_PROFILE)?;
    if let Some(name) = profile::built_in_names().find(|name| *name == value) {
        return Some(ProfileChoice::BuiltIn(name));
    }
    let path = PathBuf::from(&value);
    if value.contains('/') || path.extension().is_some_and(|it| it == "toml") {
        return Some(ProfileChoice::File(path));
    }
    let what = format!("is \"{value}\", no built-in profile and no path of a file");
    read.wrong(&keys::CAMERA_PROFILE, span, &what);
    None
}

pub(super) fn scale_named(word: &str) -> Option<CountScale> {
    CountScale::ALL
        .into_iter()
        .find(|&scale| scale_word(scale) == word)
}

/// A temperature within the key's limits.
fn celsius(read: &mut Reader<'_>, key: &Key) -> Option<Placed<Celsius>> {
    let Placed { value, span } = read.number(key)?;
    Celsius::new(value).map(|value| Placed { value, span })
}

/// A standard uncertainty within the key's limits.
fn uncertainty(read: &mut Reader<'_>, key: &Key) -> Option<StandardUncertainty> {
    StandardUncertainty::new(read.number(key)?.value)
}

fn reference(read: &mut Reader<'_>) -> Option<ReferenceSettings> {
    let default = ReferenceSettings::default();
    let present = read.switch(&keys::REFERENCE_PRESENT).unwrap_or(true);
    let set_point = celsius(read, &keys::REFERENCE_SET_POINT)
        .map_or(default.set_point, |t| ReferenceTemperature(t.value));
    let second = celsius(read, &keys::REFERENCE_SECOND);
    if let Some(Placed { value, span }) = &second
        && (*value - set_point.0).kelvin().abs() < LEAST_SPAN_K
    {
        read.problem(
            span.clone(),
            &format!(
                "second_set_point_c in [reference] ({:?} °C) is less than {LEAST_SPAN_K} K from \
                 set_point_c ({:?} °C)",
                value.degrees(),
                set_point.degrees()
            ),
            "two blackbodies show a camera's gain only from a distance: set one below faces and one \
             above, such as 33 and 39",
        );
    }
    let reference = ReferenceSettings {
        set_point,
        second_set_point: second.map(|t| ReferenceTemperature(t.value)),
        emissivity: read
            .number(&keys::REFERENCE_EMISSIVITY)
            .and_then(|emissivity| Emissivity::new(emissivity.value))
            .unwrap_or(default.emissivity),
        u_set_point: uncertainty(read, &keys::REFERENCE_UNCERTAINTY).unwrap_or(default.u_set_point),
        distance_m: read.number(&keys::REFERENCE_DISTANCE).map(|m| m.value),
    };
    present.then_some(reference)
}

fn room(read: &mut Reader<'_>) -> Room {
    let default = Room::at(celsius(read, &keys::ROOM_AMBIENT).map(|t| AmbientTemperature(t.value)));
    Room {
        u: uncertainty(read, &keys::ROOM_UNCERTAINTY).unwrap_or(default.u),
        reflected: celsius(read, &keys::ROOM_REFLECTED).map(|t| t.value),
        humidity_percent: read
            .number(&keys::ROOM_HUMIDITY)
            .map_or(default.humidity_percent, |it| it.value),
        ..default
    }
}

fn screening(read: &mut Reader<'_>) -> ScreeningConfig {
    let default = ScreeningConfig::default();
    let attention = celsius(read, &keys::SCREENING_ATTENTION);
    let fever = celsius(read, &keys::SCREENING_FEVER);
    let target = read.number(&keys::SCREENING_SPECIFICITY);
    if let (Some(_), Some(target)) = (&fever, &target) {
        read.problem(
            target.span.clone(),
            "target_specificity and fever_c are both in [screening]",
            "each of them says where a possible fever begins: keep one",
        );
    }
    let targeted = target.as_ref().and_then(|it| threshold_for(it.value));
    if let (Some(target), None) = (&target, targeted) {
        read.problem(
            target.span.clone(),
            "target_specificity in [screening] cannot be used: no clinical table is built in",
            "write fever_c instead",
        );
    }
    let config = ScreeningConfig {
        attention: attention.as_ref().map_or(default.attention, |t| t.value),
        fever: targeted.unwrap_or(fever.as_ref().map_or(default.fever, |t| t.value)),
        target_specificity: target.as_ref().map(|it| it.value),
        min_looks: read
            .whole(&keys::SCREENING_LOOKS)
            .unwrap_or(default.min_looks),
        min_face_px: read
            .whole(&keys::SCREENING_FACE)
            .unwrap_or(default.min_face_px),
    };
    let (low, high) = (config.attention.degrees(), config.fever.degrees());
    let place = attention.or(fever).map(|it| it.span);
    if low > high
        && let Some(place) = place.or(target.map(|it| it.span))
    {
        let threshold = match config.target_specificity {
            Some(target) => {
                format!("the threshold that target_specificity {target:?} comes to ({high:?} °C)")
            }
            None => format!("fever_c ({high:?} °C)"),
        };
        read.problem(
            place,
            &format!("attention_c ({low:?} °C) is above {threshold} in [screening]"),
            &format!(
                "attention comes first: set attention_c at or below the threshold; a key that is \
                 not in the file has its default (attention_c {:?}, fever_c {:?})",
                default.attention.degrees(),
                default.fever.degrees()
            ),
        );
    }
    config
}

/// The threshold that reaches a specificity on the clinical data, °C.
fn threshold_for(specificity: f64) -> Option<Celsius> {
    let table = TransferFile::shipped().ok()?.operating();
    table.threshold_for(specificity)
}

fn mqtt(read: &mut Reader<'_>, site: &SiteConfig) -> MqttConfig {
    let default = MqttConfig::of(site);
    let host = read.text(&keys::MQTT_HOST);
    if let Some(Placed { value, span }) = &host
        && (value.contains("://") || value.contains('/') || value.contains(char::is_whitespace))
    {
        read.wrong(
            &keys::MQTT_HOST,
            span.clone(),
            "is not a host: write its name or address alone, without mqtt:// and port",
        );
    }
    let username = read.text(&keys::MQTT_USERNAME).map(|t| t.value);
    let password_file = read.text(&keys::MQTT_PASSWORD_FILE);
    if let Some(file) = &password_file
        && username.is_none()
    {
        read.problem(
            file.span.clone(),
            "password_file in [mqtt] without a username",
            "MQTT sends a password only together with a name: write username = \"...\"",
        );
    }
    let tls = tls(read);
    let port = read
        .whole(&keys::MQTT_PORT)
        .and_then(|port| u16::try_from(port).ok());
    let usual_port = if tls.is_some() {
        MqttConfig::TLS_PORT
    } else {
        default.port
    };
    MqttConfig {
        enabled: read.switch(&keys::MQTT_ENABLED).unwrap_or(default.enabled),
        host: host.map_or(default.host, |t| t.value),
        port: port.unwrap_or(usual_port),
        tls,
        client_id: read
            .text(&keys::MQTT_CLIENT_ID)
            .map_or(default.client_id, |t| t.value),
        username,
        password_file: password_file.map(|t| PathBuf::from(t.value)),
        keep_alive: read
            .whole(&keys::MQTT_KEEP_ALIVE)
            .map_or(default.keep_alive, |s| Duration::from_secs(s.into())),
        street_receipts: read
            .switch(&keys::MQTT_RECEIPTS)
            .unwrap_or(default.street_receipts),
        home_assistant: read
            .switch(&keys::MQTT_HOME_ASSISTANT)
            .unwrap_or(default.home_assistant),
        commands: read
            .words(&keys::MQTT_COMMANDS)
            .unwrap_or_default()
            .iter()
            .filter_map(|word| CommandName::named(word))
            .collect(),
    }
}

/// TLS, where it is switched on.
fn tls(read: &mut Reader<'_>) -> Option<TlsConfig> {
    let on = read.switch(&keys::MQTT_TLS);
    let ca = read.text(&keys::MQTT_CA);
    let certificate = read.text(&keys::MQTT_CERTIFICATE);
    let key = read.text(&keys::MQTT_KEY);
    let given = [&ca, &certificate, &key].into_iter().flatten().next();
    if let (None | Some(false), Some(given)) = (on, given) {
        read.problem(
            given.span.clone(),
            "[mqtt] names certificates, but tls is not on",
            "write tls = true below [mqtt], or take the certificates away",
        );
    }
    if let (Some(one), None) | (None, Some(one)) = (&certificate, &key) {
        read.problem(
            one.span.clone(),
            "certificate_file and key_file in [mqtt] belong together",
            "name both files, or neither",
        );
    }
    let path = |text: Placed<String>| PathBuf::from(text.value);
    on.unwrap_or(false).then(|| TlsConfig {
        ca_file: ca.map_or_else(|| PathBuf::from(TlsConfig::USUAL_CA), path),
        own: certificate.map(path).zip(key.map(path)),
    })
}

fn checklist(read: &mut Reader<'_>) -> ChecklistConfig {
    let default = ChecklistConfig::default();
    let site = read.text(&keys::CHECKLIST_SITE);
    let file = read.text(&keys::CHECKLIST_FILE);
    let report_at = read.text(&keys::CHECKLIST_REPORT_AT);
    let report_at = report_at.map(|Placed { value, span }| {
        value.parse().unwrap_or_else(|why: String| {
            read.problem(
                span,
                &format!("report_at in [checklist]: {why}"),
                "write hours and minutes, such as report_at = \"20:00\"",
            );
            default.report_at
        })
    });
    ChecklistConfig {
        site: site
            .and_then(|site| SiteKind::parse(&site.value))
            .unwrap_or(default.site),
        file: file.map(|file| PathBuf::from(file.value)),
        report_at: report_at.unwrap_or(default.report_at),
    }
}

fn people(read: &mut Reader<'_>) -> PeopleConfig {
    let path = |file: Placed<String>| PathBuf::from(file.value);
    PeopleConfig {
        key_file: read.text(&keys::PEOPLE_KEY_FILE).map(path),
        rules: read.text(&keys::PEOPLE_RULES).map(path),
    }
}

fn store(read: &mut Reader<'_>, mqtt: &MqttConfig) -> StoreConfig {
    let default = StoreConfig::default();
    let usual = default.upkeep;
    let folder = |text: Option<Placed<String>>| text.map(|it| PathBuf::from(it.value));
    let mebibytes =
        |whole: Option<u32>, without: u64| whole.map_or(without, |it| u64::from(it) << 20);
    StoreConfig {
        folder: folder(read.text(&keys::STORE_FOLDER)).unwrap_or(default.folder),
        upkeep: Upkeep {
            backup_folder: folder(read.text(&keys::STORE_BACKUP_FOLDER)),
            backups_kept: read
                .whole(&keys::STORE_BACKUPS_KEPT)
                .unwrap_or(usual.backups_kept),
            backup_hour: read
                .whole(&keys::STORE_BACKUP_HOUR)
                .unwrap_or(usual.backup_hour),
            keep_clear_days: read
                .whole(&keys::STORE_KEEP_CLEAR)
                .unwrap_or(usual.keep_clear_days),
            keep_events_days: read
                .whole(&keys::STORE_KEEP_EVENTS)
                .unwrap_or(usual.keep_events_days),
            keep_messages_days: read
                .whole(&keys::STORE_KEEP_MESSAGES)
                .unwrap_or(usual.keep_messages_days),
            keep_audit_days: read
                .whole(&keys::STORE_KEEP_AUDIT)
                .unwrap_or(usual.keep_audit_days),
            outbox_messages: read
                .whole(&keys::STORE_OUTBOX_MESSAGES)
                .map_or(usual.outbox_messages, u64::from),
            outbox_bytes: mebibytes(read.whole(&keys::STORE_OUTBOX_SIZE), usual.outbox_bytes),
            disk_floor: mebibytes(read.whole(&keys::STORE_DISK_FLOOR), usual.disk_floor),
            broker_safe_at: if mqtt.street_receipts {
                SafeAt::Street
            } else {
                SafeAt::Broker
            },
        },
    }
}
