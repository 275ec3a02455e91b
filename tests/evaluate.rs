//! `menshen evaluate faces` on data of which everything is known: a simulated recording with labels
//! made of its truth, and scenes without anybody. (`tests/recordings.rs` has the real ones.)

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "common/program.rs"]
mod program;

use program::outcome;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// One visitor, who comes, stands and leaves.
const ONE: &str = r#"
name = "one"
seed = 7
duration_s = 9.0
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
"#;

const EVALUATE: [&str; 5] = ["evaluate", "faces", "--rotate", "0", "sim"];

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = outcome(folder, arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

/// What it says where it fails.
fn fails(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = outcome(folder, arguments);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}");
    err
}

/// `sim/one.cptv`, and labels of every frame in which the visitor faces the camera or nobody is in
/// the picture.
fn labelled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("one.toml"), ONE).unwrap();
    succeeds(path, &["simulate", "one.toml", "--out", "sim"]);
    let truth = fs::read_to_string(path.join("sim/one.truth.jsonl")).unwrap();
    let mut labels = Vec::new();
    for line in truth.lines() {
        let frame: Value = serde_json::from_str(line).unwrap();
        let people = frame["people"].as_array().unwrap();
        let number = |person: &Value, key: &str| person[key].as_f64().unwrap();
        let faces: Vec<Value> = people
            .iter()
            .filter(|it| number(it, "visible") > 0.95 && number(it, "yaw_deg").abs() < 20.0)
            .map(|it| json!({"box": it["box"], "points": it["points"], "glasses": false}))
            .collect();
        if faces.len() == people.len() {
            labels.push(json!({"file": "one.cptv", "frame": frame["sequence"], "faces": faces}));
        }
    }
    assert!(
        labels
            .iter()
            .any(|it| !it["faces"].as_array().unwrap().is_empty())
    );
    fs::create_dir(path.join("labels")).unwrap();
    fs::write(
        path.join("labels/faces.json"),
        Value::from(labels).to_string(),
    )
    .unwrap();
    folder
}

fn index(folder: &TempDir, class: &str, people: u32) {
    let text = format!("file,class,people_to_screen,feature\none.cptv,{class},{people},\n");
    fs::write(folder.path().join("sim/index.csv"), text).unwrap();
}

#[test]
fn a_known_recording_gets_the_figures_that_it_deserves() {
    let folder = labelled();
    let evaluate = || -> Value {
        let arguments = [&EVALUATE[..], &["--json"]].concat();
        let report: Value = serde_json::from_str(&succeeds(folder.path(), &arguments)).unwrap();
        report["recordings"].clone()
    };
    let report = evaluate();
    assert_eq!(
        (report["people"].is_null(), &report["pictures"][0]),
        (true, &json!("120×160"))
    );
    let (all, far) = (&report["labels"]["all"], &report["labels"]["far"]);
    assert!(all["recall"]["share"].as_f64().unwrap() > 0.8, "{all}");
    assert!(all["precision"]["share"].as_f64().unwrap() > 0.9, "{all}");
    assert_eq!(
        (&far["recall"]["of"], &far["recall"]["share"]),
        (&json!(0), &Value::Null)
    );

    // The same recording, rightly and wrongly described.
    index(&folder, "near_frontal", 1);
    let people = &evaluate()["people"];
    assert_eq!(people["found"], json!({"hits": 1, "of": 1, "share": 1.0}));
    assert_eq!(
        (&people["false"]["of"], &people["exact"]["hits"]),
        (&json!(0), &json!(1))
    );
    index(&folder, "far_side_or_back", 0);
    let people = &evaluate()["people"];
    assert_eq!(
        people["counted_false"],
        json!({"hits": 1, "of": 1, "share": 1.0})
    );
    assert_eq!(people["false_in"], json!(["one.cptv"]));
    assert_eq!(
        (&people["measured_unasked"], &people["exact"]["hits"]),
        (&json!(1), &json!(0))
    );

    let table = succeeds(folder.path(), &EVALUATE);
    for said in [
        "labelled frames",
        "far_side_or_back",
        "whole pipeline",
        "one.cptv",
    ] {
        assert!(table.contains(said), "{said} is missing in\n{table}");
    }
}

#[test]
fn labels_of_frames_that_show_something_else_lower_the_figures() {
    let folder = labelled();
    let elsewhere = json!([{"file": "one.cptv", "frame": 30, "faces": [{"box": [1, 1, 12, 14]}]},
                           {"file": "one.cptv", "frame": 31, "back_of_head": true}]);
    fs::write(folder.path().join("wrong.json"), elsewhere.to_string()).unwrap();
    let arguments = [&EVALUATE[..], &["--json", "--labels", "wrong.json"]].concat();
    let report: Value = serde_json::from_str(&succeeds(folder.path(), &arguments)).unwrap();
    let labels = &report["recordings"]["labels"];
    assert_eq!(
        labels["far"]["recall"],
        json!({"hits": 0, "of": 1, "share": 0.0})
    );
    assert_eq!(labels["near"]["false"], json!(2));
    assert_eq!(
        labels["backs_of_heads"],
        json!({"frames": 1, "fires": 1, "per_frame": 1.0})
    );
}

#[test]
fn what_cannot_be_evaluated_is_refused_with_its_place() {
    let folder = labelled();
    let path = folder.path();
    fs::write(path.join("sim/index.csv"), "file,class\n").unwrap();
    let said = fails(path, &EVALUATE);
    assert!(
        said.contains("index.csv: there is no column people_to_screen"),
        "{said}"
    );
    fs::remove_file(path.join("sim/index.csv")).unwrap();
    fs::write(path.join("labels/faces.json"), "[{\"file\": 1}]").unwrap();
    let said = fails(path, &EVALUATE);
    assert!(said.contains("faces.json: no labels: "), "{said}");
    let said = fails(path, &["evaluate", "faces", "labels"]);
    assert!(said.contains("no recordings found\nhint: "), "{said}");
}

#[test]
fn scenes_and_their_truth_must_be_as_many() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let truth = |number: u32| {
        json!({"sequence": number, "offset_k": 0.0, "ambient_c": 22.0, "fault": null,
               "blackbody": null, "people": []})
    };
    // 22 °C everywhere.
    let picture: Vec<u8> = std::iter::repeat_n(29_515_u16, 160 * 128)
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(path.join("scenes.u16"), picture.repeat(2)).unwrap();
    let truths = |count: u32| {
        let lines: Vec<String> = (0..count).map(|it| truth(it).to_string()).collect();
        fs::write(path.join("scenes.jsonl"), lines.join("\n")).unwrap();
    };
    let arguments = ["evaluate", "faces", "--json", "--scenes", "."];
    truths(1);
    assert!(fails(path, &arguments).contains("more scenes than"));
    truths(3);
    assert!(fails(path, &arguments).contains("ends before scene 3"));
    truths(2);
    let report: Value = serde_json::from_str(&succeeds(path, &arguments)).unwrap();
    let all = &report["scenes"]["all"];
    assert_eq!(
        (&all["frames"], &all["false"], &all["recall"]["share"]),
        (&json!(2), &json!(0), &Value::Null)
    );
}

/// What the built-in networks reach on scenes that they were not trained on; rendered here, so these
/// bounds hold everywhere.
#[test]
fn the_built_in_networks_see_rendered_people() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let render = ["scenes", "--count", "400", "--seed", "77", "--out", "drawn"];
    assert_eq!(outcome(path, &render).0, Some(0));
    let arguments = ["evaluate", "faces", "--json", "--scenes", "drawn"];
    let report: Value = serde_json::from_str(&succeeds(path, &arguments)).unwrap();
    let scenes = &report["scenes"];
    let figure = |pointer: &str| scenes.pointer(pointer).unwrap().as_f64().unwrap();
    let frontal = figure("/recall_by_yaw/0/recall/share");
    let (false_a_scene, backs) = (
        figure("/all/false_per_frame"),
        figure("/heads_from_behind/share"),
    );
    let (canthi, glasses) = (
        figure("/canthi/percent"),
        figure("/flags/glasses/balanced_accuracy"),
    );
    assert!(
        frontal >= 0.9,
        "recall of people who look this way: {frontal}"
    );
    assert!(false_a_scene <= 0.02, "false a scene: {false_a_scene}");
    assert!(backs <= 0.1, "heads from behind taken for faces: {backs}");
    assert!(
        canthi <= 6.0,
        "canthi off by {canthi} % of the face's width"
    );
    assert!(glasses >= 0.97, "glasses told: {glasses}");
}
