//! The configuration file as its readers meet it: what is taken, what is refused, and how that is
//! said. No text may bring the reader down, and what is printed must read back as the same.

#![allow(clippy::panic, reason = "helpers of tests fail as tests do")]

use menshen::camera::Rotation;
use menshen::config::{CameraSource, Config, Origin};
use menshen::journal::SafeAt;
use menshen::thermal::radiometry::CountScale;
use menshen::units::{AmbientTemperature, Celsius};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole message about a file that must be refused.
fn refusal(text: &str) -> String {
    match Config::parse(text, "menshen.toml") {
        Ok(config) => panic!("was taken: {text}\n{config:?}"),
        Err(error) => error.to_string(),
    }
}

fn taken(text: &str) -> Config {
    Config::parse(text, "menshen.toml").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(taken(""), Config::default());
    assert_eq!(taken("[site]\n[mqtt]\n"), Config::default());
}

#[test]
fn how_sure_the_room_is_depends_on_who_says_it() {
    let u = |text: &str| taken(text).room.u.kelvin();
    assert_eq!(u(""), 2.0);
    assert_eq!(u("[room]\nambient_c = 22"), 0.5);
    assert_eq!(
        u("[room]\nambient_c = 22\nambient_uncertainty_k = 1.5"),
        1.5
    );
    assert_eq!(u("[room]\nambient_uncertainty_k = 1.5"), 1.5);
}

#[test]
fn a_full_file_is_read_key_by_key() {
    let config = taken(
        r#"
        [site]
        street = "jingan-1"
        building = "tower_9"
        gate = "north"
        name_zh = "九号楼"
        name_en = "Tower \"9\""
        [camera]
        source = "v4l"
        device = "/dev/video2"
        width = 256
        height = 192
        fps = 12.5
        shutter = "camera"
        rotate_degrees = 270
        profile = "infiray-p2-pro"
        scale = "sixty-fourth-kelvin"
        silent_after_s = 1.5
        [reference]
        set_point_c = 35
        second_set_point_c = 39.5
        emissivity = 0.97
        set_point_uncertainty_k = 0.2
        distance_m = 0.9
        [room]
        ambient_c = 22.5
        ambient_uncertainty_k = 0.5
        humidity_percent = 35
        reflected_c = 24.5
        [screening]
        attention_c = 37.0
        fever_c = 37.5
        min_looks = 5
        min_face_px = 24
        [mqtt]
        enabled = true
        host = "broker.example"
        port = 1884
        username = "gate"
        password_file = "/etc/menshen/mqtt"
        keep_alive_s = 60
        [web]
        listen = "[::1]:9000"
        address = "https://menshen.example:8443/"
        [store]
        folder = "/var/lib/menshen"
        "#,
    );
    assert_eq!(config.site.name_en, "Tower \"9\"");
    let CameraSource::V4l { device } = &config.camera.source else {
        panic!("{:?}", config.camera.source);
    };
    assert_eq!(device.as_deref(), Some(Path::new("/dev/video2")));
    assert_eq!(config.camera.width, Some(256));
    assert_eq!(config.camera.height, Some(192));
    assert_eq!(config.camera.fps, Some(12.5));
    assert!(!config.camera.shutter_by_hand);
    assert_eq!(config.camera.rotation, Rotation::Clockwise270);
    assert_eq!(config.camera.scale, Some(CountScale::SixtyFourthKelvin));
    assert_eq!(config.camera.silent_after, Duration::from_millis(1500));
    let reference = config.reference.expect("is there");
    assert_eq!(reference.set_point.degrees(), 35.0);
    let second = reference.second_set_point.expect("is there");
    assert_eq!(second.degrees(), 39.5);
    assert_eq!(reference.emissivity.value(), 0.97);
    assert_eq!(reference.u_set_point.kelvin(), 0.2);
    assert_eq!(reference.distance_m, Some(0.9));
    assert_eq!(
        config.room.ambient.map(AmbientTemperature::degrees),
        Some(22.5)
    );
    assert_eq!(config.room.u.kelvin(), 0.5);
    assert_eq!(config.room.humidity_percent, 35.0);
    assert_eq!(config.room.reflected.map(Celsius::degrees), Some(24.5));
    assert_eq!(config.screening.attention.degrees(), 37.0);
    assert_eq!(config.screening.fever.degrees(), 37.5);
    assert_eq!(config.screening.min_looks, 5);
    assert_eq!(config.screening.min_face_px, 24);
    assert!(config.mqtt.enabled);
    assert_eq!(config.mqtt.port, 1884);
    assert_eq!(config.mqtt.client_id, "menshen-jingan-1-tower_9-north");
    assert_eq!(config.mqtt.keep_alive, Duration::from_mins(1));
    assert_eq!(config.web.listen.to_string(), "[::1]:9000");
    let address = config.web.address.as_deref();
    assert_eq!(address, Some("https://menshen.example:8443"));
    assert_eq!(config.store.folder, Path::new("/var/lib/menshen"));
    assert_eq!(taken(&config.effective_toml()), config);
}

#[test]
fn a_misspelt_key_is_shown_with_its_place_and_the_right_one() {
    let message = refusal("[screening]\n  atention_c = 37.5\n");
    assert_eq!(
        message,
        "menshen.toml:2:3: unknown key \"atention_c\" in [screening]\n  \
         |\n2 |   atention_c = 37.5\n  |   ^^^^^^^^^^\n\
         hint: did you mean \"attention_c\"? valid keys: attention_c, fever_c, target_specificity, min_looks, min_face_px"
    );
}

#[test]
fn everything_wrong_is_reported_at_once_in_order() {
    let message = refusal(
        "[screening]\nfever_c = 99\nmin_looks = \"3\"\n[camara]\n[web]\nlisten = \"0.0.0.0:80\"\nport = 1\n",
    );
    let places: Vec<_> = message
        .lines()
        .filter_map(|line| line.strip_prefix("menshen.toml:"))
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(places, ["2", "3", "4", "6", "7"], "{message}");
    assert_eq!(message.matches("hint: ").count(), 5, "{message}");
    for said in [
        "fever_c in [screening] is 99.0, outside of 35.0 to 40.0 °C",
        "a number stands without quotes",
        "did you mean [camera]?",
        "what this machine is called is not said",
        "\"port\" belongs below [mqtt]",
    ] {
        assert!(message.contains(said), "{said} is missing in\n{message}");
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    for (text, said) in [
        ("[site]\nstreet = \"静安\"", "'静'"),
        ("[site]\nstreet = \"\"", "is empty"),
        ("[site]\nname_en = \"a\\nb\"", "line break"),
        ("site = 3", "write [site] on a line of its own"),
        ("[[mqtt]]\nport = 1", "write [mqtt] on a line of its own"),
        ("[camera]\nsource = \"v4l2\"", "did you mean \"v4l\"?"),
        ("[camera]\nsource = \"recording\"", "recording = \"/path"),
        ("[camera]\nrotate_degrees = 45", "allowed: 0, 90, 180, 270"),
        ("[camera]\nwidth = 160.5", "wrong type (float)"),
        ("[camera]\nsilent_after_s = 0", "from 0.5 to 60.0 s"),
        ("[reference]\nset_point_c = nan", "from 30.0 to 45.0 °C"),
        (
            "[reference]\nset_point_c = 36.0\nsecond_set_point_c = 37.9",
            "set one below faces and one above, such as 33 and 39",
        ),
        ("[reference]\nemissivity = 1.01", "from 0.9 to 1.0"),
        ("[reference]\npresent = \"yes\"", "true or false"),
        ("[room]\nambient_c = inf", "from 5.0 to 40.0 °C"),
        (
            "[screening]\nattention_c = 38",
            "is above fever_c (37.9 °C)",
        ),
        ("[mqtt]\nport = 0", "from 1 to 65535"),
        ("[mqtt]\nport = -1", "from 1 to 65535"),
        ("[mqtt]\nhost = \"mqtt://a\"", "without mqtt://"),
        ("[mqtt]\npassword_file = \"p\"", "username"),
        ("[web]\nlisten = \"8080\"", "127.0.0.1:8080"),
        ("[web]\nlisten = \"[::]:8080\"", "names = ["),
        ("[web]\nnames = \"gate\"", "wrong type"),
        ("[web]\nnames = [\"Gate 2\"]", "no name and no address"),
        ("[web]\nkey_file = \"k\"", "belong together"),
        ("[web]\naddress = \"menshen.example\"", "https://"),
        ("[web]\naddress = \"https://a b\"", "https://"),
        ("fever_c = 38", "belongs below [screening]"),
        ("[screening]\nfever_c = 38\nfever_c = 39", "duplicate"),
        ("[screening", "the file is TOML"),
    ] {
        let message = refusal(text);
        assert!(message.contains(said), "{said:?} is missing in\n{message}");
        assert!(message.contains("\nhint: "), "{message}");
    }
}

#[test]
fn a_password_in_the_file_is_refused_and_not_repeated() {
    for text in [
        "[mqtt]\npassword = \"hunter2\"",
        "[mqtt]\nusername = \"u\"\npasword = \"hunter2",
        "mqtt = { password = \"hunter2\" }",
        "[mqtt]\npassword = \"\"\"\nhunter2\u{7}\"\"\"",
    ] {
        let message = refusal(text);
        assert!(!message.contains("hunter2"), "{message}");
    }
    assert!(refusal("[mqtt]\npassword = \"x\"").contains("password_file"));
}

#[test]
fn the_password_is_read_from_its_file_and_prints_as_stars() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mqtt");
    std::fs::write(&file, "s3cret\n").expect("written");
    let text = format!(
        "[mqtt]\nusername = \"u\"\npassword_file = {:?}",
        file.display().to_string()
    );
    let mqtt = taken(&text).mqtt;
    let password = mqtt.password().expect("read").expect("named");
    assert_eq!(password.reveal(), "s3cret");
    assert_eq!(format!("{password:?}"), "***");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("set");
    assert!(mqtt.password_warning().is_some_and(|w| w.contains("0644")));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("set");
    assert_eq!(mqtt.password_warning(), None);
    std::fs::write(&file, "\n").expect("written");
    assert!(mqtt.password().is_err());
    assert!(!taken(&text).effective_toml().contains("s3cret"));
}

#[test]
fn files_that_are_no_configuration_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    let gbk = folder.path().join("gbk.toml");
    std::fs::write(&gbk, [0xc4, 0xe3, 0xba, 0xc3]).expect("written");
    let large = folder.path().join("large.toml");
    std::fs::write(&large, vec![b' '; (1 << 20) + 1]).expect("written");
    let none = folder.path().join("none.toml");
    for (path, said) in [
        (gbk.as_path(), "UTF-8"),
        (large.as_path(), "1 MiB"),
        (none.as_path(), "--config"),
        (folder.path(), "cannot be read"),
    ] {
        let message = Config::load(path).expect_err("refused").to_string();
        assert!(
            message.contains(said) && message.contains("\nhint: "),
            "{message}"
        );
    }
    let good = folder.path().join("good.toml");
    std::fs::write(&good, "\u{feff}[web]\nlisten = \"127.0.0.1:1\"\r\n").expect("written");
    let (config, origin) = Config::find(Some(&good)).expect("taken");
    assert_eq!(config.web.listen.port(), 1);
    assert_eq!(origin, Origin::File(good));
}

#[test]
fn what_is_risky_is_said() {
    let warnings = |text: &str| -> Vec<String> {
        taken(text).warnings().into_iter().map(|it| it.en).collect()
    };
    let quiet = "[room]\nambient_c = 22\n[mqtt]\nenabled = true\nusername = \"u\"\n\
                 street_receipts = true\n[site]\nstreet = \"s\"\nbuilding = \"b\"";
    assert_eq!(warnings(quiet), Vec::<String>::new());
    // Without receipts, what the broker has is kept no longer than any other message.
    let safe = |text: &str| taken(text).store.upkeep.broker_safe_at;
    assert_eq!(safe(quiet), SafeAt::Street);
    assert_eq!(safe(""), SafeAt::Broker);
    let numbered = warnings("[camera]\ndevice = \"/dev/video1\"");
    assert!(numbered.iter().any(|it| it.contains("/dev/v4l/by-id")));
    let linked = warnings("[camera]\ndevice = \"/dev/menshen-camera\"");
    assert!(!linked.iter().any(|it| it.contains("/dev/v4l/by-id")));
    let loud = warnings(
        "[reference]\npresent = false\n[camera]\nsource = \"simulator\"\n\
         [mqtt]\nenabled = true\nhost = \"far\"\n[screening]\nmin_looks = 1",
    );
    let said = loud.join("\n");
    for word in [
        "reference",
        "no camera",
        "TLS",
        "password",
        "default names",
        "min_looks",
    ] {
        assert!(said.contains(word), "{word} is missing in\n{said}");
    }
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{1,64}"
}

fn line() -> impl Strategy<Value = String> {
    "[^\\p{C}]{1,40}".prop_filter("not blank", |text| !text.trim().is_empty())
}

prop_compose! {
    /// A file with every key, each at any value that is allowed.
    fn any_file()(
        parts in (name(), name(), name(), line(), line()),
        source in 0..3_usize,
        places in (line(), line(), line(), line(), line()),
        size in (16..=2048_u32, 16..=2048_u32),
        turn in 0..4_u32,
        scale in 0..3_usize,
        silent in 0.5..=60.0_f64,
        reference in (any::<bool>(), 30.0..=45.0_f64, 0.9..=1.0_f64, 0.0..=2.0_f64),
        room in (proptest::option::of(5.0..=40.0_f64), 0.0..=10.0_f64),
        thresholds in (35.0..=40.0_f64, 35.0..=40.0_f64),
        least in (1..=100_u32, 8..=512_u32),
        broker in (any::<bool>(), "[a-z0-9.-]{1,60}", 1..=u16::MAX, proptest::option::of(name())),
        user in proptest::option::of((line(), any::<bool>())),
        keep_alive in 5..=3600_u32,
        port in any::<u16>(),
    ) -> String {
        let q = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let (low, high) = (thresholds.0.min(thresholds.1), thresholds.0.max(thresholds.1));
        let mut text = format!(
            "[site]\nstreet = {}\nbuilding = {}\ngate = {}\nname_zh = {}\nname_en = {}\n\
             [camera]\nsource = {:?}\ndevice = {}\nrecording = {}\nscenario = {}\nwidth = {}\n\
             height = {}\nfps = {}\nshutter = {:?}\nrotate_degrees = {}\nprofile = {}\nscale = {:?}\nsilent_after_s = {silent:?}\n\
             [reference]\npresent = {}\nset_point_c = {:?}\nemissivity = {:?}\n\
             set_point_uncertainty_k = {:?}\n[room]\nambient_uncertainty_k = {:?}\n",
            q(&parts.0), q(&parts.1), q(&parts.2), q(&parts.3), q(&parts.4),
            ["v4l", "simulator", "recording"][source], q(&places.0), q(&places.1), q(&places.2),
            size.0, size.1, size.0.min(120), ["gateway", "camera"][scale % 2], turn * 90,
            q(&if turn == 0 { "core-640".to_owned() } else { format!("/{}", places.4) }),
            ["centikelvin", "decikelvin", "sixty-fourth-kelvin"][scale],
            reference.0, reference.1, reference.2, reference.3, room.1,
        );
        if let Some(ambient) = room.0 {
            let _ = writeln!(text, "ambient_c = {ambient:?}\nreflected_c = {ambient:?}\nhumidity_percent = {ambient:?}");
        }
        let _ = writeln!(
            text,
            "[screening]\nattention_c = {low:?}\nfever_c = {high:?}\nmin_looks = {}\n\
             min_face_px = {}\n[web]\nlisten = \"127.0.0.1:{port}\"\n[store]\nfolder = {}\n\
             [mqtt]\nenabled = {}\nhost = {}\nport = {}\nkeep_alive_s = {keep_alive}",
            least.0, least.1, q(&places.3), broker.0, q(&broker.1), broker.2,
        );
        if let Some(id) = broker.3 {
            let _ = writeln!(text, "client_id = {}", q(&id));
        }
        if let Some((name, password)) = user {
            let _ = writeln!(text, "username = {}", q(&name));
            if password {
                let _ = writeln!(text, "password_file = {}", q(&places.4));
            }
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back_as_the_same(text in any_file()) {
        let config = Config::parse(&text, "any.toml").map_err(|e| TestCaseError::fail(e.to_string()))?;
        let printed = config.effective_toml();
        let again = Config::parse(&printed, "printed.toml")
            .map_err(|e| TestCaseError::fail(format!("{e}\n{printed}")))?;
        prop_assert_eq!(&again, &config);
        prop_assert_eq!(again.effective_toml(), printed);
    }

    #[test]
    fn no_text_brings_the_reader_down(text in any::<String>()) {
        if let Err(error) = Config::parse(&text, "any.toml") {
            prop_assert!(error.to_string().contains("\nhint: "));
        }
    }

    /// Nearly right files, cut and overwritten anywhere: the reader's own paths, not only the
    /// first line's.
    #[test]
    fn no_damage_brings_the_reader_down(
        text in any_file(),
        at in any::<prop::sample::Index>(),
        cut in 0..40_usize,
        put in "[\\[\\]=\"'{}.,#\n\r\ta-z0-9密\u{0}-]{0,12}",
    ) {
        let mut characters: Vec<char> = text.chars().collect();
        let start = at.index(characters.len());
        let end = (start + cut).min(characters.len());
        characters.splice(start..end, put.chars());
        let damaged: String = characters.into_iter().collect();
        match Config::parse(&damaged, "damaged.toml") {
            Ok(config) => prop_assert!(config.screening.attention <= config.screening.fever),
            Err(error) => prop_assert!(error.to_string().contains("\nhint: ")),
        }
    }
}

#[test]
fn the_recording_and_the_scenario_are_kept() {
    let config = taken("[camera]\nsource = \"recording\"\nrecording = \"a.cptv\"");
    let file = PathBuf::from("a.cptv");
    assert_eq!(config.camera.source, CameraSource::Recording { file });
    let config = taken("[camera]\nsource = \"simulator\"");
    let scenario = "lobby".to_owned();
    assert_eq!(config.camera.source, CameraSource::Simulator { scenario });
}
