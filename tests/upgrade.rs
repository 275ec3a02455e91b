//! An upgrade with the program itself, from what the package asks before it to the judgement after it. The
//! supervisor is a script that starts and stops as `systemctl` would; with systemd itself the same is done in a
//! guest (`make trial`).
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and hands its own PATH on"
)]

mod common;
#[path = "common/program.rs"]
mod program;

use common::{alert, confirmed, tempfolder};
use menshen::event::Event;
use menshen::journal::Journal;
use menshen::store::{SCHEMA, Store, schema};
use program::menshen;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

/// As long as a version may take here; a bad one takes all of it.
const WITHIN: &str = "25";

/// An installation: a program, a site, and who starts and stops it.
struct Install {
    folder: tempfile::TempDir,
}

impl Install {
    /// Whose pages are at an address of this test's own, so that its port is nobody else's.
    fn new(address: &str) -> Self {
        let folder = tempfolder();
        let here = folder.path();
        fs::create_dir(here.join("bin")).unwrap();
        fs::create_dir(here.join("kept")).unwrap();
        fs::hard_link(env!("CARGO_BIN_EXE_menshen"), here.join("menshen"))
            .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_menshen"), here.join("menshen")).map(drop))
            .unwrap();
        fs::write(
            here.join("site.toml"),
            format!(
                "[camera]\nsource = \"simulator\"\nscenario = \"empty\"\n\
                 [web]\nlisten = \"{address}:8080\"\n[store]\nfolder = \"data\"\ndisk_floor_mib = 0\n"
            ),
        )
        .unwrap();
        let install = Self { folder };
        install.script(
            "bin/systemctl",
            "cd \"$(dirname \"$0\")/..\"\n\
             case \"$1 $2\" in\n\
             \"start menshen.service\")\n\
                 setsid ./menshen run --config site.toml >>log 2>&1 &\n\
                 echo $! >pid ;;\n\
             \"stop menshen.service\")\n\
                 [ -e pid ] || exit 0\n\
                 kill \"$(cat pid)\"\n\
                 while kill -0 \"$(cat pid)\"; do sleep 0.1; done 2>/dev/null\n\
                 rm pid ;;\n\
             esac\n",
        );
        install
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) {
        fs::write(self.at(name), format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn systemctl(&self, what: &str) {
        let status = std::process::Command::new(self.at("bin/systemctl"))
            .args([what, "menshen.service"])
            .status();
        assert!(status.unwrap().success());
    }

    fn upgrade(&self, arguments: &[&str]) -> Output {
        let path = std::env::var("PATH").unwrap();
        menshen(self.folder.path())
            .arg("upgrade")
            .args(arguments)
            .args(["--config", "site.toml"])
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .output()
            .unwrap()
    }

    /// What the package does before another version is unpacked.
    fn prepare(&self) {
        let checked = self.upgrade(&["check"]);
        assert!(checked.status.success(), "{checked:?}");
        fs::write(self.at("kept/note.json"), checked.stdout).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_menshen"), self.at("kept/menshen")).unwrap();
    }

    fn judge(&self) -> Output {
        self.upgrade(&[
            "judge",
            "--kept",
            "kept",
            "--program",
            "menshen",
            "--within",
            WITHIN,
        ])
    }

    /// Waits until the gateway screens.
    fn screens(&self) {
        let mut screens = false;
        for _ in 0..600 {
            let checked = self.upgrade(&["check"]);
            screens = String::from_utf8_lossy(&checked.stdout).contains("\"screens\":true");
            if screens {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert!(screens, "{}", fs::read_to_string(self.at("log")).unwrap());
    }

    fn store(&self) -> Store {
        Store::open(&self.at("data"), Vec::new()).unwrap()
    }

    /// What a newer version does to the database when it starts: a copy, then the schema, which it notes.
    fn take_further(&self) {
        let copy = format!("data/menshen-schema-{SCHEMA:04}.db");
        // The store itself puts a new one in the place of an old one.
        let _ = fs::remove_file(self.at(&copy));
        let made = menshen(self.folder.path())
            .args(["backup", "--config", "site.toml", "--out", &copy])
            .output();
        assert!(made.unwrap().status.success());
        let database = Connection::open(self.at("data/menshen.db")).unwrap();
        let next = SCHEMA + 1;
        database
            .execute_batch(&format!(
                "CREATE TABLE later (x INTEGER); PRAGMA user_version = {next};
                 UPDATE boot SET schema = {next} WHERE number = (SELECT max(number) FROM boot);"
            ))
            .unwrap();
    }
}

impl Drop for Install {
    fn drop(&mut self) {
        self.systemctl("stop");
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn same(one: &Path, other: &Path) -> bool {
    fs::read(one).unwrap() == fs::read(other).unwrap()
}

#[test]
fn nobody_is_upgraded_away_while_somebody_waits_at_the_gate() {
    let install = Install::new("127.71.0.1");
    let store = install.store();
    let waiting = alert(store.boot(), 1);
    store
        .record(&[Event::AlertRaised(waiting.clone())])
        .unwrap();
    let checked = install.upgrade(&["check"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        said(&checked).contains("1 alerts have no outcome yet"),
        "{checked:?}"
    );
    assert!(said(&checked).contains("hint: record their outcomes"));
    let forced = install.upgrade(&["check", "--anyway"]);
    assert!(forced.status.success(), "{forced:?}");
    store
        .record(&[Event::AlertResolved {
            alert: waiting.id,
            outcome: confirmed(),
            by: "Li Ming".to_owned(),
            at: waiting.raised,
        }])
        .unwrap();
    let checked = install.upgrade(&["check"]);
    assert!(checked.status.success(), "{checked:?}");
    let note: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(note["schema"], SCHEMA);
    assert_eq!(note["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(note["screens"], false, "nothing runs");
}

#[test]
fn a_version_that_screens_is_kept_and_one_that_does_not_is_taken_back_with_its_database() {
    let install = Install::new("127.71.0.2");
    let store = install.store();
    let kept = alert(store.boot(), 1);
    let settled = Event::AlertResolved {
        alert: kept.id,
        outcome: confirmed(),
        by: "Li Ming".to_owned(),
        at: kept.raised,
    };
    store
        .record(&[Event::AlertRaised(kept.clone()), settled])
        .unwrap();
    let epoch = store.epoch();
    drop(store);
    install.systemctl("start");
    install.screens();

    // A good one.
    install.prepare();
    install.systemctl("stop");
    install.systemctl("start");
    let judged = install.judge();
    let log = fs::read_to_string(install.at("log")).unwrap();
    assert_eq!(judged.status.code(), Some(0), "{}\n{log}", said(&judged));
    assert!(said(&judged).contains("it is kept"));
    assert!(!install.at("kept/note.json").exists());
    let judged = install.judge();
    assert!(said(&judged).contains("no version waits to be judged"));

    // One that takes the database further, runs, and does not screen.
    install.prepare();
    install.systemctl("stop");
    install.take_further();
    fs::remove_file(install.at("menshen")).unwrap();
    install.script("menshen", "exec sleep 1000\n");
    install.systemctl("start");
    let judged = install.judge();
    assert_eq!(judged.status.code(), Some(1));
    let words = format!("version {} is back, and screens", env!("CARGO_PKG_VERSION"));
    assert!(said(&judged).contains(&words), "{}", said(&judged));
    assert!(same(
        &install.at("menshen"),
        Path::new(env!("CARGO_BIN_EXE_menshen"))
    ));
    assert!(!install.at("kept/note.json").exists());
    assert_eq!(schema(&install.at("data")).unwrap(), SCHEMA);
    install.screens();
    install.systemctl("stop");
    let store = install.store();
    assert!(store.alert(kept.id).is_ok(), "what was there is there");
    assert_ne!(store.epoch(), epoch, "no message gets a number twice");
    drop(store);

    // The power was cut between the program and the database.
    install.systemctl("start");
    install.screens();
    install.prepare();
    install.systemctl("stop");
    install.take_further();
    install.systemctl("start");
    let judged = install.judge();
    assert!(said(&judged).contains(&words), "{}", said(&judged));
    assert_eq!(schema(&install.at("data")).unwrap(), SCHEMA);
}
