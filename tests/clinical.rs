//! `menshen calibrate transfer`, `evaluate clinical` and `threshold`: on made-up people who follow a
//! known law, on tables that are wrong, and on the clinical development table where it lies beside
//! the project. The statistics themselves are tested where they are computed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and one prints figures"
)]

#[path = "common/program.rs"]
mod program;

use program::outcome;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What it prints where it succeeds.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = outcome(folder, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {err}");
    out
}

/// What it says where it fails.
fn fails(folder: &Path, arguments: &[&str], code: i32) -> String {
    let (said, out, err) = outcome(folder, arguments);
    assert_eq!((said, out.as_str()), (Some(code), ""), "{arguments:?}");
    err
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeds(folder, arguments)).unwrap()
}

/// 120 people before two cameras, every fifth feverish. Canthi follow
/// `(T_oral − 0.3 + 0.08·T_room + wobble) / 1.08`: so `c` is 0.3, but for the wobble, and k 0.08.
/// Columns are in an unusual order, and there is one that nobody needs.
fn table() -> String {
    let mut text = "t_amb_c,colour,subject,canthimax_r3,canthimax_r1,t_fh_max_r1,t_max_r2,\
                    oral_monitor_c,camera\n"
        .to_owned();
    for n in 0..120_u32 {
        let fever = n % 5 == 0;
        let oral = if fever { 38.0 } else { 36.3 } + f64::from(n % 7) * 0.1;
        let room = 20.0 + f64::from(n % 9);
        for (camera, sign) in [("A", 1.0), ("B", -1.0)] {
            let wobble = sign * (f64::from(n * 37 % 11) - 5.0) * 0.02;
            let canthi = (oral - 0.3 + 0.08 * room + wobble) / 1.08;
            let (round, forehead, face) = (canthi + 0.1, canthi - 0.6 - wobble, canthi + 0.1);
            let _ = writeln!(
                text,
                "{room},\"red, or blue\",made-up-{n},{:.4},{round:.4},{forehead:.4},{face:.4},\
                 {oral:.2},{camera}",
                canthi - 0.1
            );
        }
    }
    text
}

fn folder_with_table() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("people.csv"), table()).unwrap();
    folder
}

/// One line of a report.
fn line<'a>(report: &'a Value, of: &str, value: &str, camera: &str, fever: f64) -> &'a Value {
    let parts = report["parts"].as_array().unwrap();
    let part = parts.iter().find(|part| part["of"] == of).expect(of);
    let lines = part["lines"].as_array().unwrap();
    lines
        .iter()
        .find(|it| {
            it["value"] == value && it["camera"] == camera && it["fever_from_oral_c"] == fever
        })
        .expect(value)
}

#[test]
fn a_known_law_is_found_and_the_same_table_gives_the_same_file() {
    let folder = folder_with_table();
    let path = folder.path();
    let first = ["calibrate", "transfer", "people.csv", "--out", "a.toml"];
    let said = succeeds(path, &first);
    assert!(
        said.contains("240 rows of 120 people, 24 of them feverish"),
        "{said}"
    );
    succeeds(
        path,
        &["calibrate", "transfer", "people.csv", "--out", "b.toml"],
    );
    let file = fs::read_to_string(path.join("a.toml")).unwrap();
    assert_eq!(file, fs::read_to_string(path.join("b.toml")).unwrap());
    let file: toml::Table = file.parse().unwrap();
    let constant = |name: &str| file["transfer"][name].as_float().unwrap();
    assert_eq!(constant("k"), 0.08);
    assert!((constant("c") - 0.3).abs() < 0.01, "{}", constant("c"));
    assert!(constant("u_k") < 0.1);
    // Everybody is in the table of thresholds, once before each camera.
    for camera in file["operating"].as_array().unwrap() {
        let kinds = ["well", "feverish", "high"].map(|kind| camera[kind].as_array().unwrap());
        let all = kinds
            .into_iter()
            .flatten()
            .map(|it| it.as_integer().unwrap());
        assert_eq!(all.sum::<i64>(), 120);
    }
    // Without --out nothing is written.
    succeeds(path, &["calibrate", "transfer", "people.csv"]);
    assert_eq!(fs::read_dir(path).unwrap().count(), 3);
}

#[test]
fn people_who_follow_a_law_are_scored_as_it_says() {
    let folder = folder_with_table();
    let report = json(
        folder.path(),
        &["evaluate", "clinical", "people.csv", "--json"],
    );
    assert_eq!(
        (&report["people"], &report["feverish"]),
        (&120.into(), &24.into())
    );
    // Nobody of them is in the public data.
    let unseen = line(&report, "unseen_people", "score_gateway", "A", 37.5);
    assert_eq!(unseen["auc"]["value"], 1.0);
    assert_eq!(unseen["bias_k"], Value::Null);
    let parts = report["parts"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["in_sample"] == false));
    for camera in ["A", "B"] {
        let shown = line(&report, "cross_validated", "estimate", camera, 37.5);
        let bias = shown["bias_feverish_k"].as_f64().unwrap();
        assert!(bias.abs() < 0.05, "{shown}");
    }
    let table = succeeds(folder.path(), &["evaluate", "clinical", "people.csv"]);
    assert!(table.contains("fever: oral 38.0 °C or more"), "{table}");
    assert!(table.contains("nested cross-validation"), "{table}");
}

#[test]
fn few_people_are_scored_but_nothing_is_fitted_on_them() {
    let folder = folder_with_table();
    let few: String = table()
        .lines()
        .take(9)
        .fold(String::new(), |text, line| text + line + "\n");
    fs::write(folder.path().join("few.csv"), few).unwrap();
    let table = succeeds(folder.path(), &["evaluate", "clinical", "few.csv"]);
    assert!(table.contains("not fitted anew"), "{table}");
    // Of only healthy people there is no rank, but a bias.
    let healthy = "camera,subject,oral_monitor_c,t_amb_c,canthimax_r1\nA,1,36.6,22,35.5\n";
    fs::write(folder.path().join("one.csv"), healthy).unwrap();
    let report = json(
        folder.path(),
        &["evaluate", "clinical", "one.csv", "--json"],
    );
    let shown = line(&report, "unseen_people", "estimate", "A", 37.5);
    assert_eq!(shown["auc"], Value::Null);
    assert!(shown["bias_k"].is_number() && shown["bias_feverish_k"].is_null());
    let refused = fails(folder.path(), &["calibrate", "transfer", "one.csv"], 1);
    assert!(
        refused.contains("too few people") && refused.contains("hint: "),
        "{refused}"
    );
}

#[test]
fn bad_tables_are_refused_with_file_line_column_and_hint() {
    let folder = folder_with_table();
    let bad = table().replacen(",36.40,B", ",97.5,B", 1);
    for (name, bytes, said) in [
        (
            "cell.csv",
            bad.as_bytes(),
            "column oral_monitor_c: 97.5 is outside of 30 to 45 °C",
        ),
        ("empty.csv", b"", "there is no column camera"),
        (
            "binary.csv",
            &[0xff, 0, 1, b'\n', 0xfe],
            "there is no column camera",
        ),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        for command in [["evaluate", "clinical"], ["calibrate", "transfer"]] {
            let error = fails(folder.path(), &[command[0], command[1], name], 1);
            assert!(
                error.starts_with(&format!("error: {name}: line ")),
                "{error}"
            );
            assert!(
                error.contains(said) && error.contains("\nhint: "),
                "{error}"
            );
        }
    }
    let missing = fails(folder.path(), &["evaluate", "clinical", "none.csv"], 1);
    assert!(missing.contains("none.csv"), "{missing}");
}

#[test]
fn a_threshold_says_what_it_means() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let at = |threshold: &str| json(path, &["threshold", threshold, "--json"]);
    let share = |report: &Value, what: &str| report["worse"][what]["value"].as_f64().unwrap();
    let (low, high) = (at("37.5"), at("37.9"));
    for what in ["sensitivity", "false_alarms_per_1000"] {
        assert!(share(&low, what) > share(&high, what), "{what}");
    }
    assert!(share(&low, "specificity") < share(&high, "specificity"));
    // The worse camera's figure is one of a camera, and no camera's is worse.
    for what in ["sensitivity", "sensitivity_high", "specificity"] {
        let cameras = low["cameras"].as_array().unwrap();
        let least = cameras.iter().map(|it| it[what]["value"].as_f64().unwrap());
        assert_eq!(least.fold(1.0, f64::min), share(&low, what));
    }
    let ppv = low["predictive"].as_array().unwrap();
    assert_eq!(
        (&ppv[0]["prevalence"], &ppv[1]["prevalence"]),
        (&0.01.into(), &0.001.into())
    );
    assert!(ppv[0]["ppv"]["value"].as_f64() > ppv[1]["ppv"]["value"].as_f64());
    let other = json(
        path,
        &["threshold", "37.5", "--prevalence", "0.2", "--json"],
    );
    assert_eq!(other["predictive"].as_array().unwrap().len(), 1);

    let between = at("37.57");
    assert_eq!(
        (&between["threshold_c"], &between["asked_c"]),
        (&37.5.into(), &37.57.into())
    );
    let words = succeeds(path, &["threshold", "37.5"]);
    assert!(
        words.contains("doi:10.13026/3bhc-9065") && words.contains("FLIR"),
        "{words}"
    );
}

#[test]
fn without_a_threshold_it_is_the_usual_one_which_is_that_of_specificity_99() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let usual = succeeds(path, &["threshold"]);
    assert!(usual.starts_with("possible fever from 37.9 °C"), "{usual}");
    assert_eq!(
        succeeds(path, &["threshold", "--specificity", "0.99"]),
        usual
    );
    for wrong in [
        &["threshold", "98.6"][..],
        &["threshold", "--specificity", "1"],
    ] {
        let said = fails(path, wrong, 2);
        assert!(said.contains("expected a number from"), "{said}");
    }
    fails(path, &["threshold", "37.5", "--specificity", "0.9"], 2);
}

#[test]
fn a_target_specificity_sets_the_threshold_and_check_says_what_it_means() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = path.join("menshen.toml");
    fs::write(&file, "[screening]\ntarget_specificity = 0.95\n").unwrap();
    let printed = succeeds(path, &["check"]);
    let threshold = json(path, &["threshold", "--specificity", "0.95", "--json"]);
    let meaning = format!(
        "\n# possible fever from {:.1} °C on: ",
        threshold["threshold_c"]
    );
    assert!(
        printed.contains(&meaning),
        "{meaning} is missing in\n{printed}"
    );
    assert!(
        printed.contains("\ntarget_specificity = 0.95\n"),
        "{printed}"
    );
    assert!(printed.contains("\n# fever_c is not set\n"), "{printed}");
    // What is printed means the same again.
    fs::write(&file, &printed).unwrap();
    assert_eq!(succeeds(path, &["check"]), printed);

    for (text, said) in [
        (
            "target_specificity = 0.95\nfever_c = 37.8",
            "are both in [screening]",
        ),
        ("target_specificity = 1.0", "outside of 0.8 to 0.999"),
        (
            "target_specificity = 0.8\nattention_c = 38",
            "target_specificity 0.8 comes to",
        ),
    ] {
        fs::write(&file, format!("[screening]\n{text}\n")).unwrap();
        let error = fails(path, &["check"], 1);
        assert!(
            error.contains(said) && error.contains("\nhint: "),
            "{error}"
        );
    }
}

/// What holds on the development table, with a margin below what was measured: score, camera, AUC,
/// sensitivity at specificity 0.95. Every figure is of people whom the fit has not seen.
const LEAST: [(&str, &str, f64, f64); 4] = [
    ("score_full", "FLIR", 0.975, 0.88),
    ("score_full", "ICI", 0.982, 0.89),
    // What the gateway has: canthi and upper face.
    ("score_gateway", "FLIR", 0.972, 0.82),
    ("score_gateway", "ICI", 0.979, 0.85),
];

#[test]
fn the_development_table_is_ranked_and_shown_as_measured() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table: PathBuf = project.join("../shared/data/clinical/facial_ir_dev.csv");
    if !table.exists() {
        println!("skipped: no clinical table here ({})", table.display());
        return;
    }
    let table = table.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = json(folder.path(), &["evaluate", "clinical", table, "--json"]);
    for (score, camera, auc, sensitivity) in LEAST {
        let seen = line(&report, "cross_validated", score, camera, 37.5);
        println!("{seen}");
        assert!(seen["auc"]["value"].as_f64().unwrap() >= auc, "{seen}");
        let at_95 = &seen["sensitivity"][1]["value"];
        assert!(at_95.as_f64().unwrap() >= sensitivity, "{seen}");
    }
    for (of, camera) in [
        ("people_of_the_fit", "FLIR"),
        ("people_of_the_fit", "ICI"),
        ("cross_validated", "FLIR"),
        ("cross_validated", "ICI"),
    ] {
        let shown = line(&report, of, "estimate", camera, 37.5);
        let bias = shown["bias_feverish_k"].as_f64().unwrap();
        assert!(bias.abs() <= 0.15, "{shown}");
    }
    let of_fit = &report["parts"][0];
    assert_eq!(
        (&of_fit["of"], &of_fit["in_sample"]),
        (&"people_of_the_fit".into(), &true.into())
    );

    // What ships is what the command makes of this table.
    let out = folder.path().join("transfer.toml");
    let arguments = [
        "calibrate",
        "transfer",
        table,
        "--out",
        out.to_str().unwrap(),
    ];
    succeeds(folder.path(), &arguments);
    let shipped = fs::read_to_string(project.join("calibration/transfer.toml")).unwrap();
    assert_eq!(fs::read_to_string(out).unwrap(), shipped);
}
