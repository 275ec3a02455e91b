//! Real people before real cameras: 51 recordings that lie beside the project (they show people,
//! so they are no part of it), evaluated by `menshen evaluate faces` against what somebody saw in
//! them. Where they are not, this is skipped and says so.
//!
//! Every bound here is one **on the training set**: the built-in network has learned from these
//! very recordings, so what holds here says that nothing has broken, not how good it is with
//! strangers. For that see `models/MANIFEST.toml`.
//!
//! Nothing is known of these people's temperatures, so none is compared; but no impossible value
//! may come out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one prints figures"
)]

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// How many recordings the index names.
const ALL: usize = 51;
/// Recordings in which people were counted; in the others of `ALL` nobody did.
const COUNTED: u64 = 31;
/// No skin of a face is colder than this indoors; the screening refuses to judge it.
const COLDEST_FACE_C: f64 = 33.0;

/// Share of the faces of 20 pixels and more that are found at IoU 0.5.
const RECALL: f64 = 0.99;
/// False faces a frame.
const FALSE: f64 = 0.004;
/// Faces a frame in the spans in which somebody turns the back: 482 frames.
const BACKS: f64 = 0.05;
/// Recordings with exactly as many people as somebody counted.
const EXACT: u64 = 31;
/// People measured where somebody faces the camera; most of the others wear glasses.
const MEASURED: f64 = 25.0;
/// How far the points of the eyes are off, % of the distance between them.
const EYES: f64 = 8.0;
/// Balanced accuracy of "wears glasses", on single faces.
const GLASSES: f64 = 0.98;

/// The first at least, or at most, as much as the second; else a line that says what it was.
fn bound(wrong: &mut Vec<String>, what: &str, value: &Value, keeps: impl Fn(f64) -> bool) {
    if !value.as_f64().is_some_and(keeps) {
        wrong.push(format!("{what}: {value}"));
    }
}

#[test]
fn real_recordings_are_seen_as_somebody_saw_them() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = project.join("../shared/data");
    let folder = data.join("recordings");
    if !folder.join("index.csv").exists() {
        println!(
            "skipped: no real recordings here ({} has no index.csv)",
            folder.display()
        );
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_menshen"))
        .args(["evaluate", "faces", "--json", "--labels"])
        .arg(data.join("labels/faces.json"))
        .arg("--labels")
        .arg(project.join("models/training/frames.json"))
        .arg("--labels")
        .arg(project.join("models/training/labels.json"))
        .arg(&folder)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), err.as_ref()), (Some(0), ""));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &report["recordings"];
    let (labels, people) = (&report["labels"], &report["people"]);
    println!("{labels}\n{people}\n{}", report["cpu_ms_per_frame"]);

    let each = report["each"].as_array().unwrap();
    assert_eq!(each.len(), ALL);
    let mut wrong: Vec<String> = Vec::new();
    for line in each {
        let coldest = line["coldest_face_c"].as_f64();
        if coldest.is_some_and(|face| face < COLDEST_FACE_C) {
            wrong.push(format!("a face is too cold to be one: {line}"));
        }
    }
    for list in ["missed", "false_in"] {
        for file in people[list].as_array().unwrap() {
            wrong.push(format!("{list}: {file}"));
        }
    }
    let exact = &people["exact"];
    bound(&mut wrong, "counted", &exact["of"], |it| {
        it == COUNTED as f64
    });
    bound(&mut wrong, "exact counts", &exact["hits"], |it| {
        it >= EXACT as f64
    });
    let (some, none) = (&people["counted_found"], &people["counted_false"]);
    bound(&mut wrong, "found of those counted", &some["share"], |it| {
        it == 1.0
    });
    bound(
        &mut wrong,
        "found where none was counted",
        &none["share"],
        |it| it == 0.0,
    );
    let near_frontal = &people["by_class"]["near_frontal"];
    bound(&mut wrong, "measured", &near_frontal["measured"], |it| {
        it >= MEASURED
    });
    bound(
        &mut wrong,
        "measured unasked",
        &people["measured_unasked"],
        |it| it == 0.0,
    );
    let near = &labels["near"];
    bound(&mut wrong, "recall", &near["recall"]["share"], |it| {
        it >= RECALL
    });
    bound(
        &mut wrong,
        "false a frame",
        &labels["all"]["false_per_frame"],
        |it| it <= FALSE,
    );
    bound(
        &mut wrong,
        "backs",
        &labels["spans_of_backs"]["per_frame"],
        |it| it <= BACKS,
    );
    bound(&mut wrong, "eyes", &labels["eyes"]["percent"], |it| {
        it <= EYES
    });
    bound(
        &mut wrong,
        "glasses",
        &labels["flags"]["glasses"]["balanced_accuracy"],
        |it| it >= GLASSES,
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
