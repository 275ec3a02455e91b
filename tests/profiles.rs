//! Camera profiles as files: what is built in, what is refused and how that is said. No text may
//! bring the reader down, and what is printed must read back as the same.

#![allow(clippy::panic, reason = "helpers of tests fail as tests do")]

use menshen::camera::simulator::{builtin, builtin_names};
use menshen::clock::WallTime;
use menshen::config::{CameraSource, Config, profile};
use menshen::thermal::profile::{CameraProfile, Connection, Layout, Optics, UsbId};
use menshen::thermal::radiometry::CountScale;
use proptest::prelude::*;

const CALIBRATED: &str = r#"
    [camera]
    name = "lobby 1"
    scale = "decikelvin"
    [lens]
    field_of_view_deg = 45
    width = 320
    height = 240
    blur_px = 0.8
    [sensor]
    netd_k = 0.06
    non_uniformity_k = 0.1
    [calibration]
    made = 2020-02-24
    valid_until = 2020-03-09
    room_c = 23.0
    set_points_c = [35, 39.0]
    readings_c = [33.1, 37.06]
    deviations_k = [0.02, 0.03]
    [blackbody]
    name = "maker 4711"
    emissivity = 0.97
    certificate_uncertainty_k = 0.05
    evenness_uncertainty_k = 0.03
"#;

fn taken(text: &str) -> CameraProfile {
    profile::parse(text, "camera.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(text: &str) -> String {
    match profile::parse(text, "camera.toml") {
        Ok(profile) => panic!("was taken: {profile:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_built_in_profile_can_be_read_and_printed() {
    for name in profile::built_in_names() {
        let built_in = profile::built_in(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(taken(&profile::to_toml(&built_in)), built_in, "{name}");
        assert_eq!(built_in.calibration, None, "{name}");
    }
    assert!(profile::built_in("lepton").is_err());
}

#[test]
fn the_default_is_the_lepton_that_the_core_knows() {
    let config = Config::default();
    let usual = config
        .camera
        .known()
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(usual.optics, Optics::LEPTON_3_5);
    assert_eq!(usual.scale, CountScale::CentiKelvin);
    assert!(matches!(config.camera.source, CameraSource::V4l { .. }));
}

#[test]
fn the_scale_is_the_profiles_unless_the_site_names_one() {
    let scale = |text: &str| {
        let config = Config::parse(text, "menshen.toml").unwrap_or_else(|error| panic!("{error}"));
        config.camera.known().map(|known| known.scale).ok()
    };
    let infiray = "[camera]\nprofile = \"infiray-p2-pro\"\n";
    assert_eq!(scale(infiray), Some(CountScale::SixtyFourthKelvin));
    let own = format!("{infiray}scale = \"decikelvin\"\n");
    assert_eq!(scale(&own), Some(CountScale::DeciKelvin));
    assert_eq!(scale("[camera]\nprofile = \"not/there.toml\"\n"), None);
    let said = match Config::parse("[camera]\nprofile = \"lepton-35\"\n", "menshen.toml") {
        Ok(config) => panic!("{config:?}"),
        Err(error) => error.to_string(),
    };
    assert!(
        said.contains("menshen.toml:2:11") && said.contains("lepton-3.5"),
        "{said}"
    );
}

#[test]
fn a_calibration_is_read_key_by_key() {
    let profile = taken(CALIBRATED);
    let Some(calibration) = &profile.calibration else {
        panic!("{profile:?}");
    };
    // 2020-02-24T00:00Z.
    assert_eq!(calibration.made, WallTime(1_582_502_400_000));
    let lasts = calibration.expires().0 - calibration.made.0;
    assert_eq!(lasts, 15 * 86_400_000);
    assert_eq!(calibration.points.len(), 2);
    assert_eq!(calibration.points[1].read.degrees(), 37.06);
    assert_eq!(calibration.blackbody.emissivity.value(), 0.97);
    // 0.97 of 4 K, over the 3.96 K that were read, and Planck's curvature.
    assert!(
        (profile.gain().value - 0.98).abs() < 0.005,
        "{:?}",
        profile.gain()
    );
    assert_eq!(taken(&profile::to_toml(&profile)), profile);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
    let changed = |from: &str, to: &str| {
        assert!(CALIBRATED.contains(from), "{from}");
        refusal(&CALIBRATED.replace(from, to))
    };
    for (from, to, words) in [
        (
            "netd_k = 0.06",
            "netd_mk = 60",
            &[
                "unknown key \"netd_mk\"",
                "camera.toml:11",
                "did you mean \"netd_k\"",
                "netd_k in [sensor] is missing",
            ][..],
        ),
        (
            "netd_k = 0.06",
            "netd_k = 60",
            &["outside of 0.001 to 1.0 K"],
        ),
        (
            "netd_k = 0.06",
            "netd_k = \"0.06\"",
            &["stands without quotes"],
        ),
        (
            "field_of_view_deg = 45",
            "field_of_view_deg = 0.8",
            &["degrees"],
        ),
        (
            "width = 320",
            "width = 200",
            &["height in [lens] (240) is above width (200)"],
        ),
        (
            "valid_until = 2020-03-09",
            "valid_until = 2020-02-23",
            &["before made", "reversed", "camera.toml:15"],
        ),
        (
            "made = 2020-02-24",
            "made = \"2020-02-24\"",
            &["without quotes"],
        ),
        (
            "made = 2020-02-24",
            "made = 2020-02-24T10:00:00Z",
            &["a day"],
        ),
        (
            "made = 2020-02-24",
            "",
            &["made in [calibration] is missing"],
        ),
        (
            "readings_c = [33.1, 37.06]",
            "readings_c = [33.1]",
            &["holds 1 numbers", "holds 2"],
        ),
        (
            "readings_c = [33.1, 37.06]",
            "readings_c = [306.2, 310.2]",
            &["306.2", "70.0 °C"],
        ),
        (
            "set_points_c = [35, 39.0]",
            "set_points_c = []",
            &["holds 0 numbers"],
        ),
        (
            "set_points_c = [35, 39.0]",
            "set_points_c = 35",
            &["in brackets"],
        ),
        (
            "[blackbody]",
            "[blackbodies]",
            &[
                "did you mean [blackbody]",
                "emissivity in [blackbody] is missing",
            ],
        ),
        ("name = \"lobby 1\"", "name = ", &["TOML"]),
    ] {
        let said = changed(from, to);
        for word in words {
            assert!(said.contains(word), "{to}: {word:?} is missing in\n{said}");
        }
        assert!(said.contains("hint:"), "{said}");
    }
    assert!(refusal("").contains("name in [camera] is missing"));
}

#[test]
fn a_scenario_knows_its_own_camera() {
    for name in builtin_names() {
        let Some(scenario) = builtin(name) else {
            panic!("{name}");
        };
        let profile = scenario.profile();
        assert_eq!(taken(&profile::to_toml(&profile)), profile, "{name}");
    }
    let lobby = builtin("lobby").map(|scenario| scenario.profile().optics);
    let angle = lobby.map(|optics| optics.field_of_view_deg);
    assert!(
        angle.is_some_and(|deg| (deg - 57.0).abs() < 0.1),
        "{angle:?}"
    );
}

proptest! {
    #[test]
    fn no_text_brings_the_reader_down(text in "\\PC{0,200}") {
        let _ = profile::parse(&text, "camera.toml").map_err(|error| error.to_string());
    }

    #[test]
    fn no_change_of_a_good_file_brings_the_reader_down(
        at in 0..CALIBRATED.len(), cut in 0..40_usize, put in "[-+0-9a-z.\\[\\]\"= \n]{0,12}",
    ) {
        let end = (at + cut).min(CALIBRATED.len());
        let text = format!("{}{put}{}", &CALIBRATED[..at], &CALIBRATED[end..]);
        if let Ok(profile) = profile::parse(&text, "camera.toml") {
            // Gains of any set points are numbers, and what was taken can be written.
            prop_assert!(profile.gain().value.is_finite() && profile.gain().u.is_finite());
            prop_assert_eq!(taken(&profile::to_toml(&profile)), profile);
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same(
        lens in (3.0..=150.0_f64, 16..=2048_u32, 16..=2048_u32, 0.0..=5.0_f64),
        sensor in (0.001..=1.0_f64, 0.0..=2.0_f64),
        scale in 0..5_usize, linear in (0.0001..=10.0_f64, -1000.0..=1000.0_f64),
        connection in (0..4_usize, proptest::collection::vec((any::<u16>(), any::<u16>()), 0..6)),
        points in proptest::collection::vec((20.0..=50.0_f64, 0.0..=70.0_f64, 0.0..=5.0_f64), 1..=8),
        days in (0..=30_000_i64, 0..=400_i64),
        blackbody in ("[^\\p{C}]{0,20}x", 0.9..=1.0_f64, 0.0..=2.0_f64, 0.0..=2.0_f64),
        room in 5.0..=40.0_f64,
    ) {
        use menshen::thermal::profile::{BlackbodyUsed, Calibration, SetPoint};
        use menshen::thermal::radiometry::Emissivity;
        use menshen::units::{Celsius, ReferenceTemperature, StandardUncertainty, TemperatureDelta};
        let celsius = |t: f64| Celsius::new(t).unwrap_or_else(|| panic!("{t}"));
        let u = |k: f64| StandardUncertainty::new(k).unwrap_or_else(|| panic!("{k}"));
        let day = |n: i64| WallTime(n * 86_400_000);
        let it = CameraProfile {
            name: "any".to_owned(),
            connection: Connection {
                usb: connection.1.into_iter().map(|(vendor, product)| UsbId { vendor, product }).collect(),
                layout: [Layout::Y16, Layout::Lepton, Layout::Halves, Layout::Bands][connection.0],
            },
            scale: CountScale::ALL.get(scale).copied().unwrap_or(CountScale::Linear {
                kelvin_per_count: linear.0,
                kelvin_at_zero: linear.1,
            }),
            optics: Optics {
                field_of_view_deg: lens.0,
                width: lens.1.max(lens.2),
                height: lens.1.min(lens.2),
                blur_px: lens.3,
            },
            netd_k: sensor.0,
            u_uniformity: u(sensor.1),
            calibration: Some(Calibration {
                made: day(days.0),
                valid_until: day(days.0 + days.1),
                room: celsius(room),
                blackbody: BlackbodyUsed {
                    name: blackbody.0,
                    emissivity: Emissivity::new(blackbody.1).unwrap_or(Emissivity::SKIN),
                    u_certificate: u(blackbody.2),
                    u_evenness: u(blackbody.3),
                },
                points: points.iter().map(|&(set, read, deviation)| SetPoint {
                    set: ReferenceTemperature(celsius(set)),
                    read: ReferenceTemperature(celsius(read)),
                    deviation: TemperatureDelta::literal(deviation),
                }).collect(),
            }),
        };
        prop_assert_eq!(taken(&profile::to_toml(&it)), it);
    }
}
