//! The program as it is called: what it prints, where, and how it ends.

#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use assert_cmd::Command;
use menshen::camera::simulator::WireTruth;
use std::fs;
use tempfile::TempDir;

/// The program in an empty folder, without what the caller's environment says.
fn menshen(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_menshen"));
    command
        .current_dir(folder.path())
        .env_remove("MENSHEN_CONFIG")
        .env_remove("RUST_LOG");
    command
}

/// Exit code, standard output and standard error.
fn outcome(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("starts");
    (
        output.status.code(),
        String::from_utf8(output.stdout).expect("text"),
        String::from_utf8(output.stderr).expect("text"),
    )
}

fn folder_with(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("menshen.toml"), text).expect("written");
    folder
}

#[test]
fn version_says_name_and_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, out, err) = outcome(menshen(&folder).arg("version"));
    let expected = format!("menshen {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((code, out, err), (Some(0), expected.clone(), String::new()));
    let (code, out, _) = outcome(menshen(&folder).arg("--version"));
    assert_eq!((code, out), (Some(0), expected));
}

#[test]
fn check_prints_a_file_that_check_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, printed, err) = outcome(menshen(&folder).arg("check"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(printed.contains("built-in defaults"), "{printed}");
    assert!(printed.contains("\nfever_c = 37.9\n"), "{printed}");
    assert!(printed.contains("\n# warning: "), "{printed}");

    fs::write(folder.path().join("printed.toml"), &printed).expect("written");
    let (code, again, err) = outcome(menshen(&folder).args(["check", "--config", "printed.toml"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let without_origin = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(without_origin(&again), without_origin(&printed));
}

#[test]
fn check_refuses_a_bad_file_with_place_and_hint() {
    let folder = folder_with("[screening]\nfever_c = 3.78\n");
    let (code, out, err) = outcome(menshen(&folder).arg("check"));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.starts_with("error: menshen.toml:2:11: fever_c"),
        "{err}"
    );
    assert!(err.contains("2 | fever_c = 3.78\n"), "{err}");
    assert!(err.contains("\nhint: "), "{err}");
}

#[test]
fn the_file_is_named_by_option_then_environment_then_habit() {
    let folder = folder_with("[site]\ngate = \"habit\"");
    for name in ["option", "environment"] {
        let text = format!("[site]\ngate = \"{name}\"");
        fs::write(folder.path().join(name), text).expect("written");
    }
    let gate_of = |command: &mut Command| {
        let (code, out, err) = outcome(command.arg("check"));
        assert_eq!(code, Some(0), "{err}");
        let line = out.lines().find(|line| line.starts_with("gate = "));
        line.map(str::to_owned).expect("printed")
    };
    assert_eq!(gate_of(&mut menshen(&folder)), "gate = \"habit\"");
    let mut by_environment = menshen(&folder);
    by_environment.env("MENSHEN_CONFIG", "environment");
    assert_eq!(gate_of(&mut by_environment), "gate = \"environment\"");
    let mut by_option = menshen(&folder);
    by_option.env("MENSHEN_CONFIG", "environment");
    let (code, out, _) = outcome(by_option.args(["check", "--config", "option"]));
    assert_eq!(code, Some(0));
    assert!(out.contains("gate = \"option\""), "{out}");
}

#[test]
fn a_file_that_was_named_must_exist() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, _, err) = outcome(menshen(&folder).args(["check", "--config", "none.toml"]));
    assert_eq!(code, Some(1));
    assert!(
        err.contains("none.toml: cannot be read") && err.contains("\nhint: "),
        "{err}"
    );
}

#[test]
fn a_password_that_others_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder_with("[mqtt]\nusername = \"u\"\npassword_file = \"secret\"");
    let secret = folder.path().join("secret");
    fs::write(&secret, "hunter2").expect("written");
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).expect("set");
    let (code, out, err) = outcome(menshen(&folder).arg("check"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.contains("chmod 0600") && !out.contains("hunter2"),
        "{out}"
    );
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, said) in [
        (&["chek"][..], "check"),
        (&["check", "--confg", "x"], "--config"),
        (&["replay"], "<FILE>"),
        (&["replay", "x.cptv", "--rotate", "45"], "0, 90, 180 or 270"),
        (&["replay", "x.cptv", "--blackbody-c", "370"], "30 to 45"),
        (&["demo", "--port", "70000"], "70000"),
        (&[], "Usage"),
    ] {
        let (code, out, err) = outcome(menshen(&folder).args(arguments));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(
            err.contains(said),
            "{arguments:?}: {said} is missing in\n{err}"
        );
    }
}

#[test]
fn help_names_every_subcommand() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, out, _) = outcome(menshen(&folder).arg("--help"));
    assert_eq!(code, Some(0));
    for name in [
        "demo", "run", "replay", "evaluate", "record", "simulate", "scenes", "check", "version",
    ] {
        assert!(
            out.contains(&format!("\n  {name} ")),
            "{name} is missing in\n{out}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_menshen"))
        .arg("check")
        .env_remove("MENSHEN_CONFIG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn simulate_draws_what_the_gateway_saw_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = [
        "simulate",
        "empty",
        "--seconds",
        "1",
        "--out",
        "there",
        "--png",
    ];
    let (code, out, err) = outcome(menshen(&folder).args(words));
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("empty.png: frame "), "{out}");
    assert!(out.contains(" 0 people judged"), "{out}");
    let picture = fs::read(folder.path().join("there/empty.png")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));

    let (code, _, err) = outcome(menshen(&folder).args(words));
    assert_eq!(
        code,
        Some(1),
        "what is there already is not overwritten: {err}"
    );
}

#[test]
fn scenes_are_one_file_of_frames_and_one_of_truths() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["scenes", "--count", "3", "--seed", "5", "--out"];
    for place in ["once", "again"] {
        let (code, out, err) = outcome(menshen(&folder).args(words).arg(place));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.ends_with(": 3 scenes\n"), "{out}");
    }
    let read = |name: &str| fs::read(folder.path().join(name)).expect("written");
    assert_eq!(read("once/scenes.u16").len(), 3 * 128 * 160 * 2);
    for file in ["scenes.u16", "scenes.jsonl"] {
        assert!(read(&format!("once/{file}")) == read(&format!("again/{file}")));
    }
    let truths = String::from_utf8(read("once/scenes.jsonl")).expect("text");
    let truths: Vec<WireTruth> = truths
        .lines()
        .map(|line| serde_json::from_str(line).expect("a truth"))
        .collect();
    assert_eq!(
        truths.iter().map(|t| t.sequence).collect::<Vec<_>>(),
        [0, 1, 2]
    );

    let (code, _, err) = outcome(menshen(&folder).args(words).arg("once"));
    assert_eq!(code, Some(1));
    assert!(err.contains("scenes.u16 is there already"), "{err}");
    for (arguments, said) in [
        (
            ["scenes", "--count", "0", "--out", "x"],
            "0 is not in 1..=1000000",
        ),
        (["scenes", "--count", "many", "--out", "x"], "invalid digit"),
        (
            ["scenes", "--seed", "red", "--out", "x"],
            "'red' for '--seed",
        ),
    ] {
        let (code, _, err) = outcome(menshen(&folder).args(arguments));
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}
