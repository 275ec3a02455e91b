//! `menshen backup` and `menshen restore`, on a real store with the program itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/program.rs"]
mod program;

use common::{alert, stamp, tempfolder};
use menshen::event::{Event, Fault};
use menshen::id::Sequence;
use menshen::journal::Journal;
use menshen::store::{Store, Upkeep};
use program::outcome;
use std::path::Path;

fn site(folder: &Path) {
    std::fs::write(
        folder.join("menshen.toml"),
        "[store]\nfolder = \"data\"\ndisk_floor_mib = 0\n",
    )
    .unwrap();
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("data"), Vec::new()).unwrap()
}

#[test]
fn a_copy_that_is_restored_has_what_it_had_under_a_new_epoch_and_the_other_is_kept() {
    let folder = tempfolder();
    let here = folder.path();
    site(here);
    let store = open(here);
    let (epoch, boot) = (store.epoch(), store.boot());
    let before = alert(boot, 1);
    store.record(&[Event::AlertRaised(before.clone())]).unwrap();

    // While the gateway has the folder, a copy is made …
    let (code, said, err) = outcome(here, &["backup"]);
    assert_eq!(code, Some(0), "{err}");
    let copy = said.split("  ").next().unwrap().to_owned();
    assert!(copy.contains("data/backup/menshen-00001-"), "{said}");
    let (_, listed, _) = outcome(here, &["restore"]);
    assert_eq!(listed, said);
    let (code, _, err) = outcome(here, &["backup", "--out", "stick.db"]);
    assert_eq!(code, Some(0), "{err}");
    let (code, _, err) = outcome(here, &["backup", "--out", "stick.db"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("not overwritten"), "{err}");
    // … and none is restored.
    let after = alert(boot, 2);
    store.record(&[Event::AlertRaised(after.clone())]).unwrap();
    let (code, _, err) = outcome(here, &["restore", &copy]);
    assert_eq!(code, Some(1));
    assert!(err.contains("in use by another gateway"), "{err}");
    assert!(err.contains("everything is as it was"), "{err}");
    drop(store);

    let (code, said, err) = outcome(here, &["restore", "stick.db"]);
    assert_eq!(code, Some(0), "{err}");
    let store = open(here);
    assert_ne!(store.epoch(), epoch);
    assert!(store.boot().0 > boot.0 + 1000, "{:?}", store.boot());
    assert_eq!(store.alert(before.id).unwrap(), before);
    assert!(store.alert(after.id).is_err());
    drop(store);

    let kept = said
        .split("kept in ")
        .nth(1)
        .unwrap()
        .trim_end_matches(".\n");
    let kept = Store::open(&here.join(kept), Vec::new()).unwrap();
    assert_eq!(kept.alert(after.id).unwrap(), after);
}

#[test]
fn what_is_no_sound_copy_is_refused_and_changes_nothing() {
    let folder = tempfolder();
    let here = folder.path();
    site(here);
    let store = open(here);
    let epoch = store.epoch();
    store
        .record(&[Event::AlertRaised(alert(store.boot(), 1))])
        .unwrap();
    drop(store);
    let (code, said, err) = outcome(here, &["backup"]);
    assert_eq!(code, Some(0), "{err}");
    let good = std::fs::read(here.join(said.split("  ").next().unwrap())).unwrap();
    let mut broken = good.clone();
    let middle = 4096..broken.len() / 2;
    broken[middle].fill(0xff);
    std::fs::write(here.join("broken.db"), broken).unwrap();
    std::fs::write(here.join("short.db"), &good[..5000]).unwrap();
    std::fs::write(here.join("empty.db"), b"").unwrap();
    std::fs::write(here.join("text.db"), b"no database at all").unwrap();
    for wrong in ["broken.db", "short.db", "empty.db", "text.db", "nowhere.db"] {
        let (code, _, err) = outcome(here, &["restore", wrong]);
        assert_eq!(code, Some(1), "{wrong}: {err}");
        assert!(err.contains("everything is as it was"), "{wrong}: {err}");
    }
    let store = open(here);
    assert_eq!(store.epoch(), epoch);
    assert_eq!(store.events(Sequence(0), 10).unwrap().len(), 1);
}

#[test]
fn a_copy_that_cannot_be_made_is_a_fault_until_one_is_made() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    let blocked = folder.path().join("no-folder");
    std::fs::write(&blocked, b"").unwrap();
    let rules = Upkeep {
        backup_folder: Some(blocked.clone()),
        disk_floor: 0,
        ..Upkeep::default()
    };
    let mut minute = 0;
    let mut maintain = |rules: &Upkeep| {
        // An hour and a minute further: the store tries again.
        minute += 61;
        let recorded = store.maintain(rules, stamp(boot, minute * 60_000)).unwrap();
        let faults = recorded.into_iter().filter_map(|it| match it.event {
            Event::FaultRaised { fault, .. } => Some((fault, true)),
            Event::FaultCleared { fault, .. } => Some((fault, false)),
            _ => None,
        });
        faults.collect::<Vec<_>>()
    };
    assert_eq!(maintain(&rules), [(Fault::BackupMissed, true)]);
    assert_eq!(maintain(&rules), []);
    std::fs::remove_file(&blocked).unwrap();
    assert_eq!(maintain(&rules), [(Fault::BackupMissed, false)]);
    assert_eq!(menshen::store::backup::copies(&blocked).len(), 1);
}
