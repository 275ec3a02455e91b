//! The commands that people run by hand: what they make, what they print, how they refuse.
//! (`tests/cli.rs` has the command line itself and `check`.)

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "common/program.rs"]
mod program;

use menshen::camera::recording::{Recording, RecordingWriter};
use menshen::camera::{Camera as _, CameraInfo, Rotation};
use menshen::clock::{BootId, WallTime};
use program::{Program, menshen, outcome};
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

/// Two visitors, one after the other: one healthy, one feverish. Simulated time costs little.
const TWO: &str = r#"
name = "two"
seed = 7
duration_s = 15.0
[room]
ambient_c = 22.0
[blackbody]
set_point_c = 37.0
x = 0.16
y = 0.84
[[visitor]]
arrive_s = 0.5
enter = "left"
leave = "right"
walk_s = 1.5
stand_s = 4.0
distance_m = 0.72
lateral_m = 0.04
core_c = 36.5
[[visitor]]
arrive_s = 8.0
enter = "right"
leave = "left"
walk_s = 1.5
stand_s = 4.0
distance_m = 0.7
lateral_m = 0.03
core_c = 39.2
"#;

fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), text).unwrap();
}

/// A folder with the scenario.
fn lobby() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "two.toml", TWO);
    folder
}

/// What it prints where it must succeed.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = outcome(folder, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {err}");
    out
}

/// What it says where it must fail with 1, on standard error; nothing goes to standard output.
fn fails(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = outcome(folder, arguments);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}: {err}");
    assert!(err.contains("error: "), "{err}");
    err
}

/// `sim/two.cptv` and its truth.
fn simulated() -> TempDir {
    let folder = lobby();
    succeeds(folder.path(), &["simulate", "two.toml", "--out", "sim"]);
    folder
}

const REPLAY: [&str; 4] = ["replay", "--json", "--blackbody-c", "37"];

fn lines(out: &str) -> Vec<Value> {
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap_or_else(|| panic!("no object: {object}"))
        .keys()
        .map(String::as_str)
        .collect()
}

fn verdicts(line: &Value) -> Vec<&str> {
    let people = line["people"].as_array().unwrap();
    people
        .iter()
        .map(|it| it["verdict"].as_str().unwrap())
        .collect()
}

/// Without what the processor's load may change.
fn timeless(mut lines: Vec<Value>) -> Vec<Value> {
    for line in &mut lines {
        line["cpu_ms_per_frame"] = Value::Null;
    }
    lines
}

/// The counts, before the CPU times, of a printed line: as text, for a comparison byte by byte.
fn before_times(out: &str) -> Vec<&str> {
    out.lines()
        .map(|line| line.split_once(",\"cpu_ms_per_frame\"").unwrap().0)
        .collect()
}

#[test]
fn simulate_writes_a_film_and_the_truth_of_every_frame() {
    let folder = simulated();
    let film = folder.path().join("sim/two.cptv");
    let mut recording = Recording::open(&film, Rotation::None, BootId(0)).unwrap();
    let mut frames = 0;
    while recording.next_frame().unwrap().is_some() {
        frames += 1;
    }
    assert_eq!(frames, 135, "15 s at 9 frames a second");
    let truth = fs::read_to_string(folder.path().join("sim/two.truth.jsonl")).unwrap();
    let truth = lines(&truth);
    assert_eq!(truth.len(), 135);
    for (index, line) in truth.iter().enumerate() {
        assert_eq!(line["sequence"], index);
    }
}

#[test]
fn simulate_and_record_never_overwrite() {
    let folder = simulated();
    let film = folder.path().join("sim/two.cptv");
    let before = fs::read(&film).unwrap();
    let again = ["simulate", "two.toml", "--out", "sim"];
    let err = fails(folder.path(), &again);
    assert!(
        err.contains("two.cptv is there already") && err.contains("\nhint: "),
        "{err}"
    );
    let err = fails(folder.path(), &["record", "--out", "sim/two.cptv"]);
    assert!(err.contains("two.cptv is there already"), "{err}");
    assert_eq!(fs::read(&film).unwrap(), before);

    // The truth alone is not overwritten either, and no half of a pair is left.
    fs::remove_file(&film).unwrap();
    let err = fails(folder.path(), &again);
    assert!(err.contains("two.truth.jsonl is there already"), "{err}");
    assert!(!film.exists());
}

#[test]
fn an_unknown_scenario_is_answered_with_those_there_are() {
    let folder = lobby();
    let err = fails(folder.path(), &["simulate", "looby", "--out", "sim"]);
    for name in menshen::camera::simulator::builtin_names() {
        assert!(err.contains(name), "{name} is missing in {err}");
    }
    assert!(
        err.contains("looby") && !folder.path().join("sim").exists(),
        "{err}"
    );
}

#[test]
fn a_replayed_line_has_exactly_the_promised_keys() {
    let folder = simulated();
    let out = succeeds(folder.path(), &[&REPLAY[..], &["sim/two.cptv"]].concat());
    let lines = lines(&out);
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    // In the order of the contract, as printed.
    let places: Vec<_> = [
        "file",
        "frames",
        "people",
        "cannot_judge",
        "people_counted",
        "cpu_ms_per_frame",
    ]
    .map(|key| {
        out.find(&format!("\"{key}\":"))
            .unwrap_or_else(|| panic!("no {key}"))
    })
    .to_vec();
    assert!(places.is_sorted(), "{out}");
    assert_eq!(keys(line).len(), 6, "{out}");
    assert_eq!(line["file"], "two.cptv");
    assert_eq!(line["frames"], 135);
    assert_eq!(line["people_counted"], 2);
    assert!(line["cannot_judge"].is_object());

    let mut times = keys(&line["cpu_ms_per_frame"]);
    times.sort_unstable();
    assert_eq!(times, ["mean", "p50", "p99"]);
    for time in times {
        let ms = line["cpu_ms_per_frame"][time].as_f64().unwrap();
        assert!(ms > 0.0, "{time} {ms}");
    }

    assert_eq!(verdicts(line), ["clear", "possible_fever"]);
    for person in line["people"].as_array().unwrap() {
        let mut found = keys(person);
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "estimate_c",
                "face_c",
                "first_frame",
                "last_frame",
                "looks",
                "reasons",
                "spread_k",
                "track",
                "u_c",
                "verdict"
            ]
        );
        assert!(person["first_frame"].as_u64().unwrap() < person["last_frame"].as_u64().unwrap());
        assert!(
            person["track"].is_u64() && person["looks"].as_u64().unwrap() >= 3,
            "{person}"
        );
        let number = |key: &str| person[key].as_f64().unwrap();
        assert!(
            number("face_c") < number("estimate_c") && number("u_c") > 0.0,
            "{person}"
        );
        assert_eq!(person["reasons"], serde_json::json!([]), "{person}");
    }
}

#[test]
fn whoever_cannot_be_judged_has_no_numbers_and_a_reason() {
    let folder = simulated();
    // Without a reference nobody is judged.
    let out = succeeds(folder.path(), &["replay", "--json", "sim/two.cptv"]);
    let line = &lines(&out)[0];
    assert_eq!(verdicts(line), ["cannot_judge", "cannot_judge"]);
    for person in line["people"].as_array().unwrap() {
        for key in ["face_c", "u_c", "spread_k", "estimate_c"] {
            assert!(person[key].is_null(), "{person}");
        }
        let reasons = person["reasons"].as_array().unwrap();
        assert!(
            reasons.len() == 1 && line["cannot_judge"][reasons[0].as_str().unwrap()].is_u64(),
            "{line}"
        );
    }
}

#[test]
fn good_recordings_are_replayed_whatever_lies_beside_them() {
    let folder = simulated();
    let film = fs::read(folder.path().join("sim/two.cptv")).unwrap();
    fs::create_dir(folder.path().join("all")).unwrap();
    fs::create_dir(folder.path().join("all/folder.cptv")).unwrap();
    write(&folder, "all/notes.txt", "not one");
    write(&folder, "all/a.cptv", &film);
    write(&folder, "all/b_short.cptv", &film[..film.len() / 3]);
    write(&folder, "all/c_empty.cptv", "");
    write(&folder, "all/d_garbage.cptv", [0x5a; 4096]);
    write(&folder, "all/e.cptv", &film);

    let (code, out, err) = outcome(folder.path(), &[&REPLAY[..], &["all"]].concat());
    assert_eq!(code, Some(1), "{err}");
    let found = lines(&out);
    let names: Vec<_> = found
        .iter()
        .map(|line| line["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "a.cptv",
            "b_short.cptv",
            "c_empty.cptv",
            "d_garbage.cptv",
            "e.cptv"
        ]
    );
    for (line, whole) in found.iter().zip([true, false, false, false, true]) {
        assert_eq!(line["error"].is_null(), whole, "{line}");
        assert_eq!(line["frames"] == 135, whole, "{line}");
    }
    assert_eq!(verdicts(&found[0]), ["clear", "possible_fever"]);
    assert_eq!(found[0]["people"], found[4]["people"]);
    let frames = found[1]["frames"].as_u64().unwrap();
    assert!(
        (1..135).contains(&frames),
        "what is whole of it is replayed: {frames}"
    );
    assert_eq!(found[2]["frames"], 0);
    assert!(!out.contains("-0.0"), "{out}");

    for (name, what) in [
        ("b_short.cptv", "cut short in frame"),
        ("c_empty.cptv", "empty"),
        ("d_garbage.cptv", "not gzip"),
    ] {
        assert!(
            err.lines().any(|line| line.starts_with("error: ")
                && line.contains(name)
                && line.contains(what)),
            "{name}: {what} is missing in\n{err}"
        );
    }
    assert!(err.contains("3 of 5 recordings"), "{err}");
    assert!(
        !err.contains("all/a.cptv") && !err.contains("all/e.cptv"),
        "{err}"
    );
}

#[test]
fn networks_of_another_folder_are_used_or_refused_by_name() {
    let folder = simulated();
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let replay = |model: &[&str]| {
        let arguments = [&REPLAY[..], model, &["sim/two.cptv"]].concat();
        timeless(lines(&succeeds(folder.path(), &arguments)))
    };
    assert_eq!(replay(&["--model", ours]), replay(&[]));
    let err = fails(folder.path(), &["replay", "--model", "sim", "sim/two.cptv"]);
    assert!(
        err.contains("sim/MANIFEST.toml") && err.contains("\nhint: "),
        "{err}"
    );
}

#[test]
fn nothing_to_replay_is_an_error() {
    let folder = lobby();
    let err = fails(folder.path(), &["replay", "."]);
    assert!(
        err.contains("no recordings found") && err.contains("\nhint: "),
        "{err}"
    );
    let err = fails(folder.path(), &["replay", "gone.cptv"]);
    assert!(
        err.contains("gone.cptv") && err.matches("No such file").count() == 1,
        "{err}"
    );
}

#[test]
fn the_same_recording_twice_gives_the_same_bytes() {
    let folder = simulated();
    let arguments = [&REPLAY[..], &["sim/two.cptv", "sim"]].concat();
    let first = succeeds(folder.path(), &arguments);
    let second = succeeds(folder.path(), &arguments);
    assert_eq!(before_times(&first), before_times(&second));
    let once = before_times(&first);
    assert_eq!(once.len(), 2);
    assert_eq!(
        once[0], once[1],
        "nothing is carried from one recording to the next"
    );
    // Nothing but the times stands behind them.
    for line in first.lines() {
        let (_, times) = line.split_once(",\"cpu_ms_per_frame\":{").unwrap();
        assert!(
            times.ends_with("}}") && times.matches(':').count() == 3,
            "{times}"
        );
    }
}

#[test]
fn the_same_scenario_gives_the_same_film() {
    let folder = simulated();
    succeeds(folder.path(), &["simulate", "two.toml", "--out", "again"]);
    succeeds(
        folder.path(),
        &["simulate", "two.toml", "--out", "other", "--seed", "8"],
    );
    let film = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(film("sim/two.cptv"), film("again/two.cptv"));
    assert_ne!(film("sim/two.cptv"), film("other/two.cptv"));
}

/// The same film as a camera on its side would have recorded it.
fn lay_down(upright: &Path, lying: &Path) {
    let mut camera = Recording::open(upright, Rotation::Clockwise270, BootId(0)).unwrap();
    let info: CameraInfo = camera.info().clone();
    let mut file = RecordingWriter::create(lying, &info, "test", WallTime(0)).unwrap();
    while let Some(frame) = camera.next_frame().unwrap() {
        file.write(&frame).unwrap();
    }
    file.finish().unwrap();
}

#[test]
fn a_recording_that_lies_on_its_side_has_the_same_people_once_it_is_turned() {
    let folder = simulated();
    let (upright, lying) = (
        folder.path().join("sim/two.cptv"),
        folder.path().join("two.cptv"),
    );
    lay_down(&upright, &lying);
    let straight = succeeds(folder.path(), &[&REPLAY[..], &["sim/two.cptv"]].concat());
    let turned = succeeds(
        folder.path(),
        &[&REPLAY[..], &["--rotate", "90", "two.cptv"]].concat(),
    );
    assert_eq!(timeless(lines(&straight)), timeless(lines(&turned)));
    let not_turned = succeeds(folder.path(), &[&REPLAY[..], &["two.cptv"]].concat());
    assert_ne!(
        timeless(lines(&straight)),
        timeless(lines(&not_turned)),
        "the film does lie on its side"
    );
}

#[test]
fn what_record_keeps_replays() {
    let folder = lobby();
    write(
        &folder,
        "site.toml",
        "[camera]\nsource = \"simulator\"\nscenario = \"two.toml\"\n",
    );
    let out = succeeds(
        folder.path(),
        &[
            "record",
            "--config",
            "site.toml",
            "--out",
            "kept.cptv",
            "--seconds",
            "6",
        ],
    );
    let out = out.strip_prefix("kept.cptv: ").unwrap();
    let frames: u64 = out.split(' ').next().unwrap().parse().unwrap();
    // How many there are depends on the machine; that all of them are read back does not.
    assert!(frames >= 1, "{out}");
    let line = &lines(&succeeds(
        folder.path(),
        &[&REPLAY[..], &["kept.cptv"]].concat(),
    ))[0];
    assert_eq!(line["frames"], frames);
    assert!(line["error"].is_null());
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let folder = lobby();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    write(
        &folder,
        "site.toml",
        format!(
            "[camera]\nsource = \"simulator\"\nscenario = \"two.toml\"\n[web]\nlisten = \"{address}\"\n"
        ),
    );
    let err = fails(folder.path(), &["run", "--config", "site.toml"]);
    assert!(
        err.contains(&format!("the dashboard cannot listen on {address}")),
        "{err}"
    );
    assert!(err.contains("Address already in use"), "{err}");
    let last = err.lines().last().unwrap();
    assert!(
        last.starts_with("hint: another program has this port") && last.ends_with(')'),
        "{err}"
    );
    assert!(
        !err.contains('\u{1b}'),
        "no colours where nobody sees them: {err:?}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_one_is_said_once() {
    let folder = lobby();
    write(&folder, "data", "a file");
    write(
        &folder,
        "site.toml",
        "[camera]\nsource = \"simulator\"\nscenario = \"two.toml\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n",
    );
    for arguments in [
        &["run", "--config", "site.toml"][..],
        &[
            "demo",
            "--port",
            "0",
            "--folder",
            "data",
            "--scenario",
            "two.toml",
        ],
    ] {
        let err = fails(folder.path(), arguments);
        assert!(err.contains("data"), "{err}");
        assert!(
            err.to_lowercase().contains("folder") && err.matches("File exists").count() == 1,
            "{err}"
        );
    }
    assert_eq!(fs::read(folder.path().join("data")).unwrap(), b"a file");
}

#[test]
fn an_unknown_key_is_shown_where_it_stands_with_the_nearest_one() {
    let folder = lobby();
    write(
        &folder,
        "site.toml",
        "\n[camera]\n  scenaro = \"two.toml\"\n",
    );
    for arguments in [
        &["run", "--config", "site.toml"][..],
        &["record", "--config", "site.toml", "--out", "x.cptv"],
    ] {
        let err = fails(folder.path(), arguments);
        assert!(
            err.contains("site.toml:3:3: unknown key \"scenaro\" in [camera]"),
            "{err}"
        );
        assert!(err.contains("\nhint: did you mean \"scenario\"?"), "{err}");
    }
}

#[test]
fn a_reader_that_leaves_after_the_first_line_is_no_error() {
    let folder = simulated();
    let arguments = [&REPLAY[..], &["sim/two.cptv", "sim/two.cptv", "sim"]].concat();
    let mut child = menshen(folder.path())
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut first).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(lines(&first)[0]["file"], "two.cptv");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), err.as_ref()), (Some(0), ""));
}

#[test]
fn a_second_gateway_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let folder = lobby();
    let long = TWO.replace("duration_s = 15.0", "duration_s = 600.0");
    write(&folder, "long.toml", long);
    write(
        &folder,
        "site.toml",
        "[camera]\nsource = \"simulator\"\nscenario = \"long.toml\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n",
    );
    let mut first = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    let page = first.dashboard();
    for arguments in [
        &["run", "--config", "site.toml"][..],
        &[
            "demo",
            "--port",
            "0",
            "--folder",
            "data",
            "--scenario",
            "long.toml",
        ],
    ] {
        let err = fails(folder.path(), arguments);
        assert!(
            err.contains("is in use by another gateway") && err.contains("Stop that one first"),
            "{err}"
        );
    }
    assert_eq!(page.get("/healthz"), "ok\n");
    first.terminate();
    assert_eq!(first.ended().code(), Some(0), "{}", first.err());
}
