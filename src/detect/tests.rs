//! Loading networks, and running those that are built in.

use super::*;
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::thermal::FrameHealth;
use crate::units::{PixelBox, StandardUncertainty, TemperatureDelta};
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

/// A folder with the built-in networks, as `--model` wants one.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (text, face, landmarks) = BUILT_IN;
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write(FILE_NAME, text.as_bytes());
    write("face.onnx", face);
    write("landmarks.onnx", landmarks);
    folder
}

fn refusal(folder: &TempDir) -> String {
    let result = OnnxDetector::from_folder(folder.path());
    result
        .map(|it| it.version().to_owned())
        .unwrap_err()
        .to_string()
}

/// The manifest with something replaced that stands in it.
fn with_manifest(from: &str, to: &str) -> TempDir {
    let folder = folder();
    assert!(BUILT_IN.0.contains(from), "{from}");
    let text = BUILT_IN.0.replace(from, to);
    fs::write(folder.path().join(FILE_NAME), text).unwrap();
    folder
}

/// A room at 22 °C.
fn frame(rows: usize, cols: usize) -> ThermalFrame {
    ThermalFrame {
        stamp: Stamp {
            boot: BootId(0),
            monotonic: Duration::ZERO,
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        },
        sequence: 0,
        celsius: Array2::from_elem((rows, cols), 22.0),
        health: FrameHealth::Good,
        reference: None,
        second: None,
        offset: TemperatureDelta::ZERO,
        scene: None,
        ambient_u: StandardUncertainty::literal(0.5),
        path: crate::thermal::path::Path::default(),
    }
}

#[test]
fn a_folder_of_networks_is_as_good_as_what_is_built_in() {
    let (ours, folder) = (OnnxDetector::built_in().unwrap(), folder());
    let theirs = OnnxDetector::from_folder(folder.path()).unwrap();
    assert_eq!(ours.version(), theirs.version());
    assert_eq!(ours.finder.meaning, theirs.finder.meaning);
    assert_eq!(ours.closer.meaning, theirs.closer.meaning);
}

#[test]
fn a_missing_file_is_named_with_what_to_do() {
    for name in [FILE_NAME, "face.onnx", "landmarks.onnx"] {
        let folder = folder();
        fs::remove_file(folder.path().join(name)).unwrap();
        let said = refusal(&folder);
        assert!(said.contains(name) && said.contains("\nhint: "), "{said}");
    }
}

#[test]
fn a_network_that_is_another_one_is_named_with_both_hashes() {
    for (name, bytes) in [("face.onnx", BUILT_IN.1), ("landmarks.onnx", BUILT_IN.2)] {
        let folder = folder();
        let mut bytes = bytes.to_vec();
        bytes[100] ^= 1;
        fs::write(folder.path().join(name), bytes).unwrap();
        let said = refusal(&folder);
        assert!(said.contains(name) && said.contains("SHA-256"), "{said}");
    }
}

#[test]
fn a_file_that_is_no_network_is_refused_even_with_the_right_hash() {
    let text = BUILT_IN.0;
    let hash = Manifest::parse(text, "")
        .map(|it| it.landmarks.sha256)
        .unwrap();
    // SHA-256 of nothing, FIPS 180-4.
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let folder = with_manifest(&hash, nothing);
    fs::write(folder.path().join("landmarks.onnx"), []).unwrap();
    let said = refusal(&folder);
    assert!(said.contains("not a usable network"), "{said}");
}

#[test]
fn a_network_without_what_is_read_is_refused() {
    // The second stage in the first one's place: its hash is right, its input has another name.
    let entry = Manifest::parse(BUILT_IN.0, "").unwrap();
    let folder = with_manifest(&entry.face.sha256, &entry.landmarks.sha256);
    fs::write(folder.path().join("face.onnx"), BUILT_IN.2).unwrap();
    let said = refusal(&folder);
    assert!(said.contains("no input or output \"thermal\""), "{said}");
}

#[test]
fn a_manifest_that_cannot_be_is_refused_with_its_section() {
    for (from, to, section) in [
        ("stride = 4", "stride = 0", "[face]"),
        ("nms_iou = 0.4", "nms_iou = 1.0", "[face]"),
        ("most_candidates = 12", "most_candidates = 0", "[face]"),
        ("window_low_c = 18.0", "window_low_c = 40.0", "[face]"),
        ("crop_px = 48", "crop_px = 0", "[landmarks]"),
        ("crop_scale = 1.6", "crop_scale = nan", "[landmarks]"),
        (
            "face_threshold = 0.5",
            "face_threshold = -0.1",
            "[landmarks]",
        ),
    ] {
        let said = refusal(&with_manifest(from, to));
        assert!(said.contains(section), "{to}: {said}");
        assert!(said.contains("MANIFEST.toml"), "{to}: {said}");
    }
    let said = refusal(&with_manifest("[landmarks]", "[other]"));
    assert!(said.contains("landmarks"), "{said}");
}

#[test]
fn both_stages_run_on_pictures_of_every_size() {
    let mut detector = OnnxDetector::built_in().unwrap();
    for (rows, cols) in [(120, 160), (192, 256), (288, 384), (512, 640), (8, 8)] {
        let frame = frame(rows, cols);
        detector.find(&frame).unwrap();
        let candidate = Candidate {
            area: PixelBox {
                left: 0.2 * cols as f32,
                top: 0.2 * rows as f32,
                right: 0.5 * cols as f32,
                bottom: 0.7 * rows as f32,
            },
            score: 0.9,
        };
        let face = detector.look_closer(&frame, &candidate).unwrap();
        let score = face.map_or(0.5, |face| face.score);
        assert!((0.5..=1.0).contains(&score), "{rows} × {cols}: {score}");
        let faces = detector.detect(&frame).unwrap();
        assert!(faces.is_empty() || !detector.is_sure_of_nobody());
    }
}
