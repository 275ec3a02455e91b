//! `menshen calibrate blackbody` before a recorded, simulated camera: two set points, the page that
//! accompanies them, the profile and the log that come of it, and what is refused. And what the gateway
//! says when a calibration runs out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "common/program.rs"]
mod program;

use menshen::camera::Camera as _;
use menshen::camera::recording::RecordingWriter;
use menshen::camera::simulator::{Scenario, Simulator};
use menshen::clock::{BootId, WallTime};
use menshen::config::profile;
use menshen::event::{Event, Fault};
use menshen::face::{Detector, DetectorError, Face};
use menshen::pipeline::Pipeline;
use menshen::screening::Rules;
use menshen::thermal::{RadiometerSettings, ThermalFrame};
use program::{Program, outcome};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Seconds for which the blackbody stands at each set point.
const EACH_S: f64 = 14.0;

/// An empty lobby with a blackbody at 35, then at 39 °C; meanwhile the camera's own level rises by
/// 1.3 K.
fn record(path: &Path) {
    let start = WallTime(1_581_998_400_000);
    let simulators = [(35.0, -2.0), (39.0, -0.7)].map(|(set_point_c, level_k)| {
        let scenario = Scenario::from_toml(&format!(
            "name = \"blackbody\"
            seed = 4
            duration_s = {EACH_S:.1}
            [blackbody]
            set_point_c = {set_point_c:.1}
            x = 0.3
            y = 0.6
            [drift]
            start_k = {level_k:.1}
            walk_k = 0.02"
        ));
        Simulator::new(scenario.unwrap(), BootId(0), start)
    });
    let mut file = RecordingWriter::create(path, simulators[0].info(), "test", start).unwrap();
    for (n, mut simulator) in simulators.into_iter().enumerate() {
        let later = Duration::from_secs_f64(n as f64 * EACH_S);
        while let Some(mut frame) = simulator.next_frame().unwrap() {
            frame.stamp.monotonic += later;
            frame.telemetry.time_on = frame.telemetry.time_on.map(|on| on + later);
            file.write(&frame).unwrap();
        }
    }
    file.finish().unwrap();
}

fn folder(more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("blackbody.cptv"));
    let text = format!(
        "[camera]\nsource = \"recording\"\nrecording = \"blackbody.cptv\"\n\
         [reference]\nset_point_uncertainty_k = 0.05\n{more}"
    );
    fs::write(folder.path().join("menshen.toml"), text).unwrap();
    folder
}

const USUAL: [&str; 10] = [
    "calibrate",
    "blackbody",
    "--steady",
    "6",
    "--blackbody",
    "test 1",
    "--listen",
    "127.0.0.1:0",
    "--out",
    "door.toml",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&USUAL[..], more].concat()
}

#[test]
fn two_set_points_make_a_profile_and_the_page_shows_the_way_to_it() {
    let folder = folder("");
    let arguments = with(&[
        "--set-point",
        "35",
        "--set-point",
        "39",
        "--valid-days",
        "30",
    ]);
    let mut program = Program::start(folder.path(), &arguments);
    let page = program.wait("the address of the page", |program| {
        let said = program.err();
        let line = said.lines().find_map(|line| line.strip_prefix("page: "))?;
        Some(line.to_owned())
    });
    let get = |path: &str| {
        ureq::get(format!("{page}{path}"))
            .call()
            .ok()?
            .body_mut()
            .read_to_string()
            .ok()
    };
    program.wait("the first set point on the page", |_| {
        get("api/calibration").filter(|it| it.contains("\"state\":\"watching\""))
    });
    let shown = get("").unwrap();
    assert!(
        shown.contains("黑体校准") && shown.contains("35.0 °C"),
        "{shown}"
    );
    // The second one begins by itself, once the camera sees the blackbody at it.
    program.wait("the second set point on the page", |_| {
        get("").filter(|it| it.contains("✓&nbsp;35.0") && it.contains("39.0 °C"))
    });
    assert!(program.ended().success(), "{}", program.err());
    let (said, told) = (program.out(), program.err());
    assert!(
        said.contains("door.toml: 2 set points, gain 1.0"),
        "{said} {told}"
    );

    let door = profile::load(&folder.path().join("door.toml")).unwrap();
    let calibration = door.calibration.as_ref().unwrap();
    let sets: Vec<f64> = calibration.points.iter().map(|p| p.set.degrees()).collect();
    assert_eq!(sets, [35.0, 39.0]);
    let gain = door.gain();
    assert!((gain.value - 1.0).abs() < 0.02, "{gain:?}");
    assert_eq!(calibration.blackbody.name, "test 1");
    assert!((calibration.blackbody.u_certificate.kelvin() - 0.05).abs() < 1e-9);
    // Set right by the first set point; the scenario's room has 22 °C.
    assert!(
        (calibration.room.degrees() - 22.0).abs() < 0.7,
        "{calibration:?}"
    );
    let days = (calibration.valid_until.0 - calibration.made.0) / 86_400_000;
    assert_eq!(days, 30);
    let log = fs::read_to_string(folder.path().join("door.csv")).unwrap();
    assert_eq!(
        log.lines().filter(|line| line.contains(",steady,")).count(),
        2
    );
    assert!(log.lines().count() > 100, "{log}");

    // The profile is taken by the configuration, and neither file is written over.
    let config = "[camera]\nprofile = \"door.toml\"\n";
    fs::write(folder.path().join("door-config.toml"), config).unwrap();
    let (code, _, err) = outcome(folder.path(), &["check", "--config", "door-config.toml"]);
    assert_eq!(code, Some(0), "{err}");
    let (code, _, err) = outcome(folder.path(), &with(&["--set-point", "35"]));
    assert_eq!(code, Some(1));
    assert!(err.contains("is not overwritten"), "{err}");
}

#[test]
fn what_cannot_be_calibrated_is_said() {
    let folder = folder("present = false\n");
    for (more, words) in [
        (&["--set-point", "35", "--set-point", "36"][..], "too close"),
        (&["--set-point", "35"], "present = false"),
    ] {
        let (code, _, err) = outcome(folder.path(), &with(more));
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains(words) && err.contains("hint: "), "{err}");
    }
    let (code, _, err) = outcome(folder.path(), &with(&["--set-point", "99"]));
    assert_eq!(code, Some(2), "{err}");
}

#[test]
fn a_blackbody_that_never_comes_to_the_next_set_point_is_given_up() {
    let folder = folder("");
    // 43 °C is never reached: the recording ends before.
    let (code, _, err) = outcome(
        folder.path(),
        &with(&["--set-point", "35", "--set-point", "43"]),
    );
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("ended before") && err.contains("hint: "),
        "{err}"
    );
    assert!(!folder.path().join("door.toml").exists());
    let log = fs::read_to_string(folder.path().join("door.csv")).unwrap();
    assert!(log.contains(",set_blackbody,"), "{log}");
}

/// Nobody is there.
struct Nobody;

impl Detector for Nobody {
    fn detect(&mut self, _: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        Ok(Vec::new())
    }
}

/// What is raised and cleared in 14 s of an empty lobby, with the second, when the calibration runs
/// out so long after their begin.
fn faults(expires_after_s: i64) -> Vec<(&'static str, Fault, u64)> {
    let start = WallTime(1_581_998_400_000);
    let scenario = Scenario::from_toml(&format!(
        "name = \"blackbody\"\nseed = 4\nduration_s = {EACH_S:.1}\n\
         [blackbody]\nset_point_c = 37.0\nx = 0.3\ny = 0.6"
    ));
    let mut simulator = Simulator::new(scenario.unwrap(), BootId(0), start);
    let settings = RadiometerSettings {
        calibration_expires: Some(WallTime(start.0 + expires_after_s * 1000)),
        ..RadiometerSettings::default()
    };
    let mut pipeline = Pipeline::new(settings, Rules::default(), Nobody);
    let mut found = Vec::new();
    while let Some(frame) = simulator.next_frame().unwrap() {
        for event in pipeline.step(&frame).events {
            let at = event.at().monotonic.as_secs();
            match event {
                Event::FaultRaised { fault, .. } => found.push(("raised", fault, at)),
                Event::FaultCleared { fault, .. } => found.push(("cleared", fault, at)),
                other => panic!("{other:?}"),
            }
        }
    }
    found
}

#[test]
fn a_calibration_that_runs_out_is_announced_and_then_stops_the_judging() {
    const DAY_S: i64 = 86_400;
    assert_eq!(faults(15 * DAY_S), []);
    assert_eq!(faults(13 * DAY_S), [("raised", Fault::CalibrationDue, 0)]);
    let [due, over, expired] = faults(7)[..] else {
        panic!("{:?}", faults(7));
    };
    assert_eq!(due, ("raised", Fault::CalibrationDue, 0));
    assert_eq!(over, ("cleared", Fault::CalibrationDue, 7));
    // As every fault, after three seconds.
    assert_eq!(expired, ("raised", Fault::CalibrationExpired, 10));
}
