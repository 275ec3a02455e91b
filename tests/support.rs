//! `menshen support` after a day with everything that must not leave the building: none of it is in the file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/program.rs"]
mod program;

use program::{Program, outcome};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Of people, and of whoever could be found by them.
const PERSONAL: &[&str] = &[
    "Li Ming",
    "王芳",
    "赵铁柱",
    "13800138000",
    "Green Lobster Ltd",
    "东方路 12 号",
    "dongfang",
];

/// Passwords, keys and addresses that are keys, by the file that they stand in.
const SECRETS: &[(&str, &str)] = &[
    ("password", "open-sesame-77"),
    (
        "wecom.url",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0f4e-robot-key",
    ),
    (
        "dingtalk.url",
        "https://oapi.dingtalk.com/robot/send?access_token=ding-token-55",
    ),
    ("dingtalk.secret", "SECdingding99"),
    ("metrics.token", "metrics-token-31"),
];

fn site(folder: &Path) {
    for (file, text) in SECRETS {
        let file = folder.join(file);
        fs::write(&file, format!("{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(
        folder.join("list.toml"),
        "site = \"residential\"\n[owners.category]\n",
    )
    .unwrap();
    fs::write(
        folder.join("site.toml"),
        "[site]\nstreet = \"dongfang\"\nname_zh = \"东方路 12 号\"\n\
         [camera]\nsource = \"simulator\"\nscenario = \"empty\"\n\
         [reference]\npresent = true\nset_point_c = 37.0\n\
         [web]\nlisten = \"127.0.0.1:0\"\nmetrics_token_file = \"metrics.token\"\n\
         [mqtt]\nenabled = true\nport = 1\nusername = \"gate-user\"\npassword_file = \"password\"\n\
         [notify_wecom]\nurl_file = \"wecom.url\"\n\
         [notify_dingtalk]\nurl_file = \"dingtalk.url\"\nsecret_file = \"dingtalk.secret\"\n\
         [store]\nfolder = \"data\"\ndisk_floor_mib = 0\n",
    )
    .unwrap();
}

/// Every part of a bundle: its name, and its text.
fn parts(file: &Path) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(File::open(file).unwrap()).unwrap();
    (0..zip.len())
        .map(|number| {
            let mut part = zip.by_index(number).unwrap();
            let mut text = String::new();
            let name = part.name().unwrap().into_owned();
            part.read_to_string(&mut text).unwrap();
            (name, text)
        })
        .collect()
}

/// Somebody signs in, invites another one, and enters a person; gives a log that says more of that than ours does,
/// and the code of the first start.
fn a_day(here: &Path) -> (String, String) {
    let mut gateway = Program::start(here, &["run", "--config", "site.toml"]);
    let page = gateway.dashboard();
    let csrf = |text: &str| {
        let rest = text.split("name=\"csrf\" value=\"").nth(1);
        rest.map(|it| it.split('"').next().unwrap().to_owned())
            .unwrap_or_default()
    };
    let form = csrf(&page.get("/accounts"));
    page.post(
        "/accounts",
        &format!("csrf={form}&name=%E7%8E%8B%E8%8A%B3&role=guard&shared=no"),
    );
    fs::write(
        here.join("people.csv"),
        "姓名,手机,单位,来源地\n赵铁柱,13800138000,Green Lobster Ltd,湖北\n",
    )
    .unwrap();
    gateway.wait("a frame", |_| {
        (page.json("/api/v1/state")["camera"]["frames"].as_u64() > Some(20)).then_some(())
    });
    gateway.terminate();
    gateway.ended();
    outcome(
        here,
        &[
            "people",
            "import",
            "people.csv",
            "--by",
            "王芳",
            "--config",
            "site.toml",
        ],
    );
    let names = menshen::store::names(&here.join("data")).unwrap();
    for name in ["Li Ming", "王芳"] {
        assert!(names.contains(name), "{names:?}");
    }
    let mut log = gateway.out() + &gateway.err();
    assert!(log.contains("the code is "), "{log}");
    let code = log.split("the code is ").nth(1).unwrap();
    let code = code.split_whitespace().next().unwrap().to_owned();
    for word in ["Li Ming", SECRETS[0].1, SECRETS[1].1, SECRETS[3].1] {
        log += "WARN something went wrong for ";
        log += word;
        log += "\n";
    }
    (log, code)
}

#[test]
fn a_bundle_says_how_the_installation_is_and_nothing_of_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    site(here);
    let (log, code) = a_day(here);
    fs::write(here.join("log"), log).unwrap();

    let run = [
        "support",
        "--config",
        "site.toml",
        "--log",
        "log",
        "--out",
        "out.zip",
    ];
    let (code_of, said, err) = outcome(here, &run);
    assert_eq!(code_of, Some(0), "{err}");
    assert!(said.contains("out.zip"), "{said}");
    let (again, _, err) = outcome(here, &run);
    assert_eq!(again, Some(1));
    assert!(err.contains("not overwritten"), "{err}");
    let mode = here
        .join("out.zip")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let parts = parts(&here.join("out.zip"));
    let key = fs::read_to_string(here.join("data/people.key")).unwrap();
    let secrets = SECRETS.iter().map(|(_, secret)| *secret);
    let lines = key.lines().filter(|line| line.len() > 8);
    for hidden in PERSONAL
        .iter()
        .copied()
        .chain(secrets)
        .chain(lines)
        .chain([code.as_str()])
    {
        for (name, text) in &parts {
            assert!(!text.contains(hidden), "{hidden} is in {name}:\n{text}");
        }
    }
    // What helps is in it.
    let part = |wanted: &str| {
        let found = parts.iter().find(|(name, _)| name == wanted);
        found.map(|(_, text)| text.as_str()).unwrap()
    };
    for (name, words) in [
        (
            "doctor.txt",
            vec!["Blackbody", "In view and steady", "nothing listens"],
        ),
        (
            "settings.toml",
            vec![
                "set_point_c = 37.0",
                "source = \"simulator\"",
                "is set, and not shown",
            ],
        ),
        (
            "log.txt",
            vec![
                "camera opened",
                "something went wrong for ***",
                "the code is ***",
            ],
        ),
        ("database.txt", vec!["schema", "account", "stopped"]),
        ("machine.txt", vec!["menshen 0.1.0", "MemTotal"]),
        ("metrics.txt", vec!["not to be had"]),
        ("README.txt", vec!["Not in it: names"]),
    ] {
        for word in words {
            assert!(
                part(name).contains(word),
                "{word} is not in {name}:\n{}",
                part(name)
            );
        }
    }
    assert!(part("services.txt").len() > 10);
}

#[test]
fn a_configuration_that_cannot_be_used_is_told_by_its_places_only() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("menshen.toml"),
        "[site]\nname_zh = 王芳\n[mqtt]\npasword = \"open-sesame-77\"\n",
    )
    .unwrap();
    let (code, _, err) = outcome(folder.path(), &["support", "--out", "out.zip"]);
    assert_eq!(code, Some(0), "{err}");
    let parts = parts(&folder.path().join("out.zip"));
    assert!(parts[1].1.contains("line 2, column"), "{}", parts[1].1);
    for (name, text) in &parts {
        assert!(
            !text.contains("王芳") && !text.contains("sesame"),
            "{name}: {text}"
        );
    }
}
