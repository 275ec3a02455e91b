//! Every key of the configuration file: its section, what it may hold and what it is for. Camera
//! profiles have a table of the same kind (`profile_keys.rs`).
//!
//! One table for all readers: the file is checked against it, `menshen check` explains with it,
//! and error messages take their ranges, units and lists of valid keys from it. Nothing here
//! blocks.

/// What a key may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Switch,
    /// A day.
    Date,
    /// A few numbers in brackets, each within limits, both included.
    Numbers {
        /// Most of them.
        most: usize,
        /// Lowest value taken.
        low: f64,
        /// Highest value taken.
        high: f64,
        /// Unit of both.
        unit: &'static str,
    },
    /// A number within limits, both included.
    Number {
        /// Lowest value taken.
        low: f64,
        /// Highest value taken.
        high: f64,
        /// Unit of both.
        unit: &'static str,
    },
    /// A whole number within limits, both included.
    Whole {
        /// Lowest value taken.
        low: u32,
        /// Highest value taken.
        high: u32,
        /// Unit of both.
        unit: &'static str,
    },
    /// One of a few words.
    Word(&'static [&'static str]),
    /// Some of a few words, in brackets; none of them, too.
    Words(&'static [&'static str]),
    /// One of a few whole numbers.
    Choice(&'static [u32]),
    /// Letters, digits, `_` and `-`, at most so many.
    Name(usize),
    /// Any text in one line, at most so many characters.
    Text(usize),
    /// A file, folder or device.
    Path,
    /// An address and a port.
    Address,
    /// Names and addresses of machines, in brackets, at most so many.
    Hosts(usize),
}

impl Kind {
    /// What is allowed, for a hint.
    pub(super) fn allowed(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Date => "a day without quotes, such as 2020-02-24".to_owned(),
            Self::Numbers {
                most,
                low,
                high,
                unit,
            } => format!(
                "1 to {most} numbers from {low:?} to {high:?}{}, in brackets",
                spaced(unit)
            ),
            Self::Number { low, high, unit } => {
                format!("a number from {low:?} to {high:?}{}", spaced(unit))
            }
            Self::Whole { low, high, unit } => {
                format!("a whole number from {low} to {high}{}", spaced(unit))
            }
            Self::Word(words) => in_quotes(words),
            Self::Words(words) => format!("some of {}, in brackets", in_quotes(words)),
            Self::Choice(numbers) => numbers
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            Self::Name(most) => format!("1 to {most} of the characters A-Z a-z 0-9 _ -, in quotes"),
            Self::Text(most) => format!("1 to {most} characters in one line, in quotes"),
            Self::Path => "the path of a file or folder, in quotes".to_owned(),
            Self::Address => {
                "an address and a port, in quotes, such as \"127.0.0.1:8080\"".to_owned()
            }
            Self::Hosts(most) => format!(
                "up to {most} names in small letters or addresses, in quotes and brackets, such as \
                 [\"192.168.1.20\", \"menshen.lan\"]"
            ),
        }
    }
}

fn in_quotes(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The unit with a space before it, where there is one.
fn spaced(unit: &str) -> String {
    if unit.is_empty() {
        String::new()
    } else {
        format!(" {unit}")
    }
}

/// One key of the file.
#[derive(Debug, PartialEq)]
pub(super) struct Key {
    /// The table it stands in.
    pub(super) section: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What it may hold.
    pub(super) kind: Kind,
    /// What it is for, in one line.
    pub(super) about: &'static str,
}

/// Every key of one kind of file.
pub(super) type Table = &'static [&'static Key];

macro_rules! keys {
    ($($constant:ident = $section:literal . $name:literal: $kind:expr, $about:literal;)*) => {
        $(pub(super) const $constant: Key = Key {
            section: $section,
            name: $name,
            kind: $kind,
            about: $about,
        };)*
        /// Every key, in the order in which they are printed.
        pub(super) const ALL: Table = &[$(&$constant),*];
    };
}

pub(super) use keys;

/// Characters in one part of a topic.
pub(super) const PART: usize = 64;

// Limits of temperature: a set point outside of 30…45 °C says little about faces; the thresholds
// bracket every published rule for fever (37.0…38.5 °C) with room to spare.
keys! {
    SITE_STREET = "site"."street": Kind::Name(PART), "street office, a part of every MQTT topic";
    SITE_BUILDING = "site"."building": Kind::Name(PART), "building, a part of every MQTT topic";
    SITE_GATE = "site"."gate": Kind::Name(PART), "this entrance, a part of every MQTT topic";
    SITE_NAME_ZH = "site"."name_zh": Kind::Text(80), "name of the building on screens, Chinese";
    SITE_NAME_EN = "site"."name_en": Kind::Text(80), "name of the building on screens, English";

    CAMERA_SOURCE = "camera"."source": Kind::Word(&["v4l", "simulator", "recording"]), "where frames come from";
    CAMERA_DEVICE = "camera"."device": Kind::Path, "with source \"v4l\": the camera, best by its link under /dev/v4l/by-id; without it the one that the profile is for (menshen cameras lists them)";
    CAMERA_RECORDING = "camera"."recording": Kind::Path, "with source \"recording\": the file to play";
    CAMERA_SCENARIO = "camera"."scenario": Kind::Text(4096), "with source \"simulator\": a built-in scenario or the path of one";
    CAMERA_WIDTH = "camera"."width": Kind::Whole { low: 16, high: 2048, unit: "pixels" }, "width to ask the camera for, before turning; without it the profile's";
    CAMERA_HEIGHT = "camera"."height": Kind::Whole { low: 16, high: 2048, unit: "pixels" }, "height to ask the camera for, before turning; without it the profile's";
    CAMERA_FPS = "camera"."fps": Kind::Number { low: 1.0, high: 120.0, unit: "frames a second" }, "frame rate to ask the camera for; without it the camera's own";
    CAMERA_SHUTTER = "camera"."shutter": Kind::Word(&["gateway", "camera"]), "who decides when the shutter is closed for a correction, where the camera can be told: the gateway waits until nobody is there, ten minutes at most";
    CAMERA_ROTATE = "camera"."rotate_degrees": Kind::Choice(&[0, 90, 180, 270]), "clockwise turn that sets people upright";
    CAMERA_PROFILE = "camera"."profile": Kind::Path, "what is known of the camera: a built-in name (lepton-3.5, lepton-2.5, infiray-p2-pro, topdon-tc002c, core-384, core-640) or the path of a file";
    CAMERA_SCALE = "camera"."scale": Kind::Word(&["centikelvin", "decikelvin", "sixty-fourth-kelvin", "sixteenth-kelvin"]), "kelvin in one count of the camera: 0.01, 0.1, 1/64 or 1/16; where it is not set, the profile's";
    CAMERA_SILENT = "camera"."silent_after_s": Kind::Number { low: 0.5, high: 60.0, unit: "s" }, "without a frame for so long, the camera counts as silent";

    REFERENCE_PRESENT = "reference"."present": Kind::Switch, "whether a blackbody stands in view; without one people are compared with each other only (relative mode)";
    REFERENCE_SET_POINT = "reference"."set_point_c": Kind::Number { low: 30.0, high: 45.0, unit: "°C" }, "temperature the blackbody is set to";
    REFERENCE_SECOND = "reference"."second_set_point_c": Kind::Number { low: 30.0, high: 45.0, unit: "°C" }, "temperature a second blackbody in view is set to, 2 K or more away: one below faces and one above, such as 33 and 39";
    REFERENCE_EMISSIVITY = "reference"."emissivity": Kind::Number { low: 0.9, high: 1.0, unit: "" }, "of its surface; 1.0 where its maker has put it into the set point";
    REFERENCE_UNCERTAINTY = "reference"."set_point_uncertainty_k": Kind::Number { low: 0.0, high: 2.0, unit: "K" }, "standard uncertainty (k = 1) of the set point";
    REFERENCE_DISTANCE = "reference"."distance_m": Kind::Number { low: 0.2, high: 10.0, unit: "m" }, "how far it stands from the camera; without it, as far as the faces";

    ROOM_AMBIENT = "room"."ambient_c": Kind::Number { low: 5.0, high: 40.0, unit: "°C" }, "air temperature at the gate; without it the scene's own is taken";
    ROOM_UNCERTAINTY = "room"."ambient_uncertainty_k": Kind::Number { low: 0.0, high: 10.0, unit: "K" }, "standard uncertainty (k = 1) of the room's temperature; where it is not set 0.5 with a thermometer, 2 without";
    ROOM_HUMIDITY = "room"."humidity_percent": Kind::Number { low: 0.0, high: 100.0, unit: "%" }, "relative humidity of the air at the gate";
    ROOM_REFLECTED = "room"."reflected_c": Kind::Number { low: 0.0, high: 50.0, unit: "°C" }, "temperature of what skin reflects (the walls behind the camera); without it the room's";

    SCREENING_ATTENTION = "screening"."attention_c": Kind::Number { low: 35.0, high: 40.0, unit: "°C" }, "from here on staff measure again";
    SCREENING_FEVER = "screening"."fever_c": Kind::Number { low: 35.0, high: 40.0, unit: "°C" }, "from here on it is a possible fever and an alert";
    SCREENING_SPECIFICITY = "screening"."target_specificity": Kind::Number { low: 0.8, high: 0.999, unit: "" }, "in place of fever_c: the share of people without a fever who are not called";
    SCREENING_LOOKS = "screening"."min_looks": Kind::Whole { low: 1, high: 100, unit: "frames" }, "good frames that a reading needs";
    SCREENING_FACE = "screening"."min_face_px": Kind::Whole { low: 8, high: 512, unit: "pixels" }, "width of the smallest face that is measured";

    ALERTS_REMINDER = "alerts"."reminder_min": Kind::Number { low: 0.0, high: 1440.0, unit: "min" }, "so long nobody has taken an alert: the guard is reminded; 0: never";
    ALERTS_MANAGER = "alerts"."manager_min": Kind::Number { low: 0.0, high: 1440.0, unit: "min" }, "so long nobody has taken it: the property manager is told; 0: never";
    ALERTS_STREET = "alerts"."street_min": Kind::Number { low: 0.0, high: 1440.0, unit: "min" }, "so long nobody has taken it: the street office is told; 0: never";
    ALERTS_OUTCOME = "alerts"."outcome_min": Kind::Number { low: 0.0, high: 1440.0, unit: "min" }, "so long a taken alert has no outcome: whoever took it is reminded; 0: never";
    ALERTS_PICTURE = "alerts"."picture": Kind::Switch, "whether guards see the thermal picture of the moment with an alert; it is kept in memory only, until the outcome is recorded";
    ALERTS_HOOK = "alerts"."hook": Kind::Path, "program that is run at once with the kind of event as argument, for a lamp or a loudspeaker";

    NOTIFY_WECOM_URL = "notify_wecom"."url_file": Kind::Path, "file (mode 0600) whose first line is the address of a WeCom group robot; without it none is told";
    NOTIFY_WECOM_ALERTS = "notify_wecom"."alerts": Kind::Switch, "whether it is told of possible fevers";
    NOTIFY_WECOM_REMINDERS = "notify_wecom"."reminders": Kind::Switch, "whether it is told of alerts that wait, and of how many people are due in the register";
    NOTIFY_WECOM_FAULTS = "notify_wecom"."faults": Kind::Switch, "whether it is told of faults of the gateway";

    NOTIFY_DINGTALK_URL = "notify_dingtalk"."url_file": Kind::Path, "file (mode 0600) whose first line is the address of a DingTalk group robot; without it none is told";
    NOTIFY_DINGTALK_SECRET = "notify_dingtalk"."secret_file": Kind::Path, "file (mode 0600) whose first line is the robot's secret, where it wants signed messages";
    NOTIFY_DINGTALK_ALERTS = "notify_dingtalk"."alerts": Kind::Switch, "whether it is told of possible fevers";
    NOTIFY_DINGTALK_REMINDERS = "notify_dingtalk"."reminders": Kind::Switch, "whether it is told of alerts that wait, and of how many people are due in the register";
    NOTIFY_DINGTALK_FAULTS = "notify_dingtalk"."faults": Kind::Switch, "whether it is told of faults of the gateway";

    NOTIFY_WEBHOOK_URL = "notify_webhook"."url_file": Kind::Path, "file (mode 0600) whose first line is an address that takes JSON; without it none is told";
    NOTIFY_WEBHOOK_SECRET = "notify_webhook"."secret_file": Kind::Path, "file (mode 0600) whose first line is the key for the signature in its header";
    NOTIFY_WEBHOOK_ALERTS = "notify_webhook"."alerts": Kind::Switch, "whether it is told of possible fevers, and of what became of them";
    NOTIFY_WEBHOOK_REMINDERS = "notify_webhook"."reminders": Kind::Switch, "whether it is told of alerts that wait, and of how many people are due in the register";
    NOTIFY_WEBHOOK_FAULTS = "notify_webhook"."faults": Kind::Switch, "whether it is told of faults of the gateway";

    MQTT_ENABLED = "mqtt"."enabled": Kind::Switch, "whether events are sent to a broker";
    MQTT_HOST = "mqtt"."host": Kind::Text(253), "the broker's name or address";
    MQTT_PORT = "mqtt"."port": Kind::Whole { low: 1, high: 65_535, unit: "" }, "the broker's port; without it 1883, with TLS 8883";
    MQTT_CLIENT_ID = "mqtt"."client_id": Kind::Name(256), "must differ for every gateway at one broker";
    MQTT_USERNAME = "mqtt"."username": Kind::Text(256), "name at the broker; without it none is sent";
    MQTT_PASSWORD_FILE = "mqtt"."password_file": Kind::Path, "file (mode 0600) whose first line is the password";
    MQTT_TLS = "mqtt"."tls": Kind::Switch, "TLS 1.2 or later to the broker, whose certificate must be for its host";
    MQTT_CA = "mqtt"."ca_file": Kind::Path, "certificates (PEM) of the authorities that may have signed the broker's";
    MQTT_CERTIFICATE = "mqtt"."certificate_file": Kind::Path, "this gateway's own certificate (PEM), where the broker asks for one";
    MQTT_KEY = "mqtt"."key_file": Kind::Path, "the private key of that certificate (PEM, mode 0600)";
    MQTT_RECEIPTS = "mqtt"."street_receipts": Kind::Switch, "whether a collector of the street acknowledges; without one a message is done with once the broker has it";
    MQTT_HOME_ASSISTANT = "mqtt"."home_assistant": Kind::Switch, "whether Home Assistant is told of this gate";
    MQTT_COMMANDS = "mqtt"."commands": Kind::Words(&["resend", "announce", "notice", "template"]), "what the street may have done from afar";
    MQTT_KEEP_ALIVE = "mqtt"."keep_alive_s": Kind::Whole { low: 5, high: 3600, unit: "s" }, "longest silence before the broker is asked whether it is there";

    CHECKLIST_SITE = "checklist"."site": Kind::Word(&["residential", "office", "street_shop", "public_unit", "talent_apartment", "other"]), "which of the six lists the site works by; with a file its own";
    CHECKLIST_FILE = "checklist"."file": Kind::Path, "the site's own list: its additions, and who owns what (menshen checklist check FILE tells what is wrong with it)";
    CHECKLIST_REPORT_AT = "checklist"."report_at": Kind::Text(5), "when the report of the day goes out by itself, such as 20:00";

    PEOPLE_KEY_FILE = "people"."key_file": Kind::Path, "file (mode 0600) with the key of the register, best a credential of the service; without it people.key in the folder of the database, made with the first start";
    PEOPLE_RULES = "people"."rules": Kind::Path, "key regions, days of observation, measures and retention of the register; without it the ones that are shipped";

    WEB_LISTEN = "web"."listen": Kind::Address, "where the pages are served: plain on this machine only, over TLS elsewhere";
    WEB_ADDRESS = "web"."address": Kind::Text(200), "what phones open the pages by, such as https://menshen.example:8443; QR codes on posters hold it; without it listen";
    WEB_NAMES = "web"."names": Kind::Hosts(16), "what this machine is called on the network, as people type it; the certificate is for these";
    WEB_CERTIFICATE = "web"."certificate_file": Kind::Path, "the pages' certificate (PEM), with what lies between it and its authority; without it the gateway signs its own";
    WEB_KEY = "web"."key_file": Kind::Path, "the private key of that certificate (PEM, mode 0600)";
    WEB_METRICS = "web"."metrics_token_file": Kind::Path, "file (mode 0600) whose first line whoever asks for /metrics must bring (Authorization: Bearer); without it there are no metrics";

    VISITOR_SOUND = "visitor"."sound": Kind::Switch, "whether the visitor screen speaks and sounds";

    STORE_FOLDER = "store"."folder": Kind::Path, "folder of the database";
    STORE_BACKUP_FOLDER = "store"."backup_folder": Kind::Path, "where nightly copies of the database go, best on another disk; without it backup in its folder";
    STORE_BACKUPS_KEPT = "store"."backups_kept": Kind::Whole { low: 0, high: 366, unit: "" }, "how many nightly copies are kept; 0: none is made";
    STORE_BACKUP_HOUR = "store"."backup_hour": Kind::Whole { low: 0, high: 23, unit: "" }, "hour of the local clock in which the copy is made";
    STORE_KEEP_CLEAR = "store"."keep_clear_days": Kind::Whole { low: 1, high: 36_500, unit: "days" }, "how long readings of people who were clear are kept; their number stays";
    STORE_KEEP_EVENTS = "store"."keep_events_days": Kind::Whole { low: 1, high: 36_500, unit: "days" }, "how long other events are kept, and alerts with an outcome";
    STORE_KEEP_MESSAGES = "store"."keep_messages_days": Kind::Whole { low: 1, high: 36_500, unit: "days" }, "how long messages are kept that are where they were to go";
    STORE_KEEP_AUDIT = "store"."keep_audit_days": Kind::Whole { low: 1, high: 36_500, unit: "days" }, "how long it is kept who did what";
    STORE_OUTBOX_MESSAGES = "store"."outbox_messages": Kind::Whole { low: 1000, high: 100_000_000, unit: "" }, "most messages that wait; beyond it those that may be given up are";
    STORE_OUTBOX_SIZE = "store"."outbox_mib": Kind::Whole { low: 1, high: 1_048_576, unit: "MiB" }, "most room for messages that wait";
    STORE_DISK_FLOOR = "store"."disk_floor_mib": Kind::Whole { low: 0, high: 1_048_576, unit: "MiB" }, "with less room on the disk than this a fault is raised";
}

/// The sections, in order.
pub(super) fn sections(table: Table) -> Vec<&'static str> {
    let mut names: Vec<_> = table.iter().map(|key| key.section).collect();
    names.dedup();
    names
}

/// The names of a section's keys, in order; empty where there is no such section.
pub(super) fn names_in(table: Table, section: &str) -> Vec<&'static str> {
    table
        .iter()
        .filter(|key| key.section == section)
        .map(|key| key.name)
        .collect()
}

/// The sections that have a key of this name.
pub(super) fn homes_of(table: Table, name: &str) -> Vec<&'static str> {
    table
        .iter()
        .filter(|key| key.name == name)
        .map(|key| key.section)
        .collect()
}
