//! What the store makes of a damaged file, a copy, a bound and old age: nothing is lost in silence.

#![allow(
    clippy::disallowed_methods,
    reason = "how many rounds is said by the environment: few in `make test`, many in `make torture`"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod common;

use common::{acknowledge, alert, screening, stamp, tempfolder};
use menshen::clock::{BootId, Stamp};
use menshen::command::{Asked, Command};
use menshen::event::{Event, Fault, VoidNumbers, VoidReason};
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Journal, Keep, Outbox, OutboxMessage, SafeAt};
use menshen::screening::Verdict;
use menshen::store::{Route, Store, Upkeep};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// One message for each event; what is said of the clear is of use only while it is new.
fn open(folder: &Path) -> Store {
    let route = Route {
        channel: Channel::broker(),
        address: Box::new(|key, event| {
            Some(OutboxMessage {
                topic: "t".to_owned(),
                payload: format!("{} {}", key.epoch.0, key.number.0).into_bytes(),
                retain: false,
                keep: match event {
                    Event::Screened(_) => Keep::Live,
                    _ => Keep::Always,
                },
            })
        }),
    };
    Store::open(folder, vec![route]).unwrap()
}

fn waiting(store: &Store) -> BTreeMap<u64, Vec<u8>> {
    store
        .waiting(
            &Channel::broker(),
            SafeAt::Street,
            MessageNumber(0),
            u32::MAX,
        )
        .unwrap()
        .into_iter()
        .map(|row| (row.number.0, row.message.payload))
        .collect()
}

fn is_salvaged(store: &Store) -> bool {
    let standing = store.standing_faults().unwrap();
    standing.iter().any(|it| it.0 == Fault::DatabaseSalvaged)
}

/// A folder as a crash leaves it: half of what it holds is in the log, half in the database.
fn crashed(folder: &Path) {
    let source = tempfolder();
    let store = open(source.path());
    let boot = store.boot();
    let record = |tracks: std::ops::Range<u64>| {
        for track in tracks {
            store
                .record(&[
                    Event::AlertRaised(alert(boot, track)),
                    Event::Screened(screening(boot, track, Verdict::Clear)),
                ])
                .unwrap();
        }
    };
    record(1..150);
    Connection::open(source.path().join("menshen.db"))
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    record(150..200);
    for file in ["menshen.db", "menshen.db-wal", "menshen.lock"] {
        std::fs::copy(source.path().join(file), folder.join(file)).unwrap();
    }
}

/// The waiting messages that SQLite itself finds one by one.
fn readable(folder: &Path) -> BTreeMap<u64, Vec<u8>> {
    let copy = tempfolder();
    for file in ["menshen.db", "menshen.db-wal"] {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    let file = copy.path().join("menshen.db");
    let Ok(connection) = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return BTreeMap::new();
    };
    let select = "SELECT payload FROM outbox WHERE channel = 'broker' AND number = ?1
                  AND state IN ('saved', 'accepted')";
    (1..=400_i64)
        .filter_map(|number| {
            let payload = connection.query_row(select, [number], |row| row.get(0));
            Some((number as u64, payload.ok()?))
        })
        .collect()
}

/// Numbers that only look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

#[test]
fn whatever_is_damaged_the_gateway_starts_and_no_message_that_is_readable_is_lost_in_silence() {
    let pristine = tempfolder();
    crashed(pristine.path());
    let whole = readable(pristine.path());
    assert_eq!(whole.len(), 398);
    #[allow(
        clippy::disallowed_methods,
        reason = "a test asks for more rounds by it"
    )]
    let rounds = std::env::var("MENSHEN_TEST_DAMAGES").map_or(60, |n| n.parse().unwrap());
    let (mut salvaged, mut kept) = (0, 0);
    for seed in 0..rounds {
        let mut dice = Dice(seed);
        let folder = tempfolder();
        for file in ["menshen.db", "menshen.db-wal", "menshen.lock"] {
            std::fs::copy(pristine.path().join(file), folder.path().join(file)).unwrap();
        }
        let name = ["menshen.db", "menshen.db-wal"][dice.below(2)];
        let file = folder.path().join(name);
        let mut bytes = std::fs::read(&file).unwrap();
        match dice.below(5) {
            0 => bytes.truncate(dice.below(bytes.len())),
            1 => bytes[..100].fill(0),
            2 => {
                for _ in 0..=dice.below(8) {
                    let place = dice.below(bytes.len());
                    bytes[place] ^= 1 << dice.below(8);
                }
            }
            3 => {
                let place = dice.below(100);
                bytes[place] ^= 1 << dice.below(8);
            }
            _ => {
                let first = dice.below(bytes.len() / 4096) * 4096;
                let last = (first + 4096 * (1 + dice.below(4))).min(bytes.len());
                bytes[first..last].fill(0xa5);
            }
        }
        std::fs::write(&file, bytes).unwrap();
        let expected = readable(folder.path());
        let store = open(folder.path());
        let found = waiting(&store);
        for number in expected.keys() {
            assert!(
                found.contains_key(number),
                "seed {seed}, {name}: message {number} is lost, salvaged: {}, {:?}",
                is_salvaged(&store),
                store.audit(4).unwrap()
            );
        }
        let of_before = found.keys().filter(|it| whole.contains_key(it)).count();
        if is_salvaged(&store) {
            salvaged += 1;
        } else {
            // A log that ends early is what a power cut leaves; nothing else may be missing.
            assert!(
                of_before == whole.len() || name == "menshen.db-wal",
                "seed {seed}: {of_before}"
            );
            assert!(of_before >= 298, "seed {seed}: {of_before}");
        }
        kept += of_before;
        let boot = store.boot();
        store.record(&[Event::AlertRaised(alert(boot, 1))]).unwrap();
        store.alerts(u32::MAX).unwrap();
    }
    println!(
        "{rounds} damages: {salvaged} salvaged, {kept} of {} messages kept",
        rounds as usize * 398
    );
}

#[test]
fn a_file_that_is_no_database_any_more_is_kept_and_said_so() {
    let folder = tempfolder();
    std::fs::write(folder.path().join("menshen.db"), vec![b'?'; 8192]).unwrap();
    let store = open(folder.path());
    assert!(is_salvaged(&store));
    assert!(
        store
            .audit(9)
            .unwrap()
            .iter()
            .any(|it| it.subject.contains("is kept in damaged-"))
    );
    let kept = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("damaged-"))
        .unwrap();
    assert_eq!(
        std::fs::read(kept.join("menshen.db")).unwrap(),
        vec![b'?'; 8192]
    );
}

#[test]
fn a_database_that_has_vanished_is_not_replaced_in_silence() {
    let folder = tempfolder();
    drop(open(folder.path()));
    std::fs::remove_file(folder.path().join("menshen.db")).unwrap();
    assert!(is_salvaged(&open(folder.path())));
}

/// The numbers that were said to be void.
fn void(store: &Store) -> Vec<VoidNumbers> {
    let events = store.events(Sequence(0), u32::MAX).unwrap();
    events
        .into_iter()
        .filter_map(|it| match it.event {
            Event::NumbersVoid { numbers, .. } => Some(numbers),
            _ => None,
        })
        .collect()
}

#[test]
fn a_restored_backup_and_a_plain_copy_go_on_under_a_new_epoch_with_no_key_given_out_twice() {
    let folder = tempfolder();
    let store = open(folder.path());
    let (epoch, boot) = (store.epoch(), store.boot());
    store.record(&[Event::AlertRaised(alert(boot, 1))]).unwrap();
    let rules = Upkeep {
        disk_floor: 0,
        ..Upkeep::default()
    };
    store.maintain(&rules, stamp(boot, 1)).unwrap();
    let backup = std::fs::read_dir(folder.path().join("backup"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    store.record(&[Event::AlertRaised(alert(boot, 2))]).unwrap();
    drop(store);
    let live = folder.path().join("menshen.db");
    for source in [&backup, &live] {
        let restored = tempfolder();
        std::fs::copy(source, restored.path().join("menshen.db")).unwrap();
        let store = open(restored.path());
        assert_ne!(store.epoch(), epoch);
        assert!(store.boot().0 > boot.0 + 10_000, "{:?}", store.boot());
        let waiting = waiting(&store);
        assert!(
            waiting[&1].starts_with(epoch.0.as_bytes()),
            "its key is as it was"
        );
        let last = waiting.len() as u64;
        assert!(waiting[&last].starts_with(store.epoch().0.as_bytes()));
        let said = void(&store);
        assert!(said.iter().all(|it| it.why == VoidReason::NewEpoch));
        let kept = waiting
            .values()
            .filter(|it| it.starts_with(epoch.0.as_bytes()))
            .count() as u64;
        assert_eq!(said[0].epoch, epoch);
        let end = (MessageNumber(kept + 1), MessageNumber(u64::MAX));
        assert_eq!(said[0].stretches, [end]);
        assert_eq!(said[1].epoch, store.epoch());
        assert_eq!(said[1].stretches, [(MessageNumber(1), MessageNumber(kept))]);
        let events = store.events(Sequence(0), 1).unwrap();
        assert_eq!(events[0].key.epoch, epoch, "an event keeps its key");
    }
}

#[test]
fn beyond_its_bound_the_outbox_gives_up_what_is_only_of_use_while_it_is_new_and_tells_which() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    for track in 1..=60 {
        store
            .record(&[
                Event::AlertRaised(alert(boot, track)),
                Event::Screened(screening(boot, track, Verdict::Clear)),
            ])
            .unwrap();
    }
    let rules = Upkeep {
        outbox_messages: 100,
        disk_floor: 0,
        backups_kept: 0,
        ..Upkeep::default()
    };
    let recorded = store.maintain(&rules, stamp(boot, 100)).unwrap();
    assert!(recorded.iter().any(|it| matches!(
        it.event,
        Event::FaultRaised {
            fault: Fault::OutboxFull,
            ..
        }
    )));
    let left = waiting(&store);
    assert!(
        (1..=60).all(|track| left.contains_key(&(2 * track - 1))),
        "every alert is there"
    );
    let given_up: Vec<u64> = void(&store)
        .iter()
        .flat_map(|it| it.stretches.iter().flat_map(|(a, b)| a.0..=b.0))
        .collect();
    let last = *left.keys().last().unwrap();
    let missing: Vec<u64> = (1..=last).filter(|it| !left.contains_key(it)).collect();
    assert_eq!(given_up, missing, "each missing number is explained");
    assert_eq!(
        store.count(&Channel::broker()).unwrap().saved,
        left.len() as u64
    );
}

/// A moment so many days after the start.
fn later(boot: BootId, days: u64) -> Stamp {
    stamp(boot, days * 86_400_000)
}

#[test]
fn what_is_old_goes_and_what_is_not_safe_stays_and_the_numbers_stay_right() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    for (track, verdict) in (1..).zip([Verdict::Clear, Verdict::Clear, Verdict::PossibleFever]) {
        store
            .record(&[
                Event::AlertRaised(alert(boot, track)),
                Event::Screened(screening(boot, track, verdict)),
            ])
            .unwrap();
    }
    store
        .record(&[acknowledge(alert(boot, 1).id, "王芳")])
        .unwrap();
    let list = "version = 2".to_owned();
    for (id, command) in [
        ("c-1", Command::Announce),
        ("c-2", Command::Template(list.clone())),
    ] {
        let asked = Asked {
            id: id.parse().unwrap(),
            by: "street".parse().unwrap(),
            command,
        };
        let at = stamp(boot, 1000);
        store.record(&[Event::Commanded { asked, at }]).unwrap();
    }
    let tally = store.tally(0, &[]).unwrap();
    let rules = Upkeep {
        disk_floor: 0,
        backups_kept: 0,
        ..Upkeep::default()
    };
    let events = |store: &Store| store.events(Sequence(0), 100).unwrap().len();
    // A wall clock that is ten years ahead and was never set erases nothing.
    let wrong = Stamp {
        monotonic: Duration::from_mins(1),
        trust: menshen::clock::ClockTrust::Unsynchronised,
        ..later(boot, 3650)
    };
    store.maintain(&rules, wrong).unwrap();
    assert_eq!(events(&store), 9);
    store.maintain(&rules, later(boot, 31)).unwrap();
    assert_eq!(events(&store), 7, "the two clear ones are gone");
    assert_eq!(store.tally(0, &[]).unwrap(), tally);
    store.maintain(&rules, later(boot, 1100)).unwrap();
    assert_eq!(
        events(&store),
        4,
        "what raised the alerts that nobody has resolved, and a list that a site may be built on"
    );
    assert_eq!(store.sent_templates().unwrap(), [list]);
    assert_eq!(store.alerts(9).unwrap().len(), 3);
    assert_eq!(waiting(&store).len(), 9, "and each message that waits");
    assert_eq!(store.tally(0, &[]).unwrap(), tally);
}
