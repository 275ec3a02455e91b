//! The store's promises: all or nothing, what was recorded is there after a kill, and a clear
//! word for everything that keeps it from opening.

#![allow(
    clippy::disallowed_methods,
    reason = "how many rounds is said by the environment: few in `make test`, many in `make torture`"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod common;

use common::{acknowledge, alert, recorded_alert, screening, stamp, tempfolder};
use menshen::alert::{AlertState, Outcome, Refused};
use menshen::clock::BootId;
use menshen::estimate::Basis;
use menshen::event::{Event, Fault};
use menshen::figures::{Figures as _, Waits};
use menshen::id::{Channel, DeviceEpoch, MessageKey, MessageNumber, Sequence};
use menshen::journal::{
    Journal, JournalError, Keep, Outbox, OutboxCount, OutboxMessage, Receipt, SafeAt,
};
use menshen::screening::{Obstacle, Verdict};
use menshen::store::{MAX_PAYLOAD, Route, Store, StoreError};
use menshen::units::Celsius;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A message that goes nowhere.
fn message(topic: &str, payload: Vec<u8>) -> OutboxMessage {
    OutboxMessage {
        topic: topic.to_owned(),
        payload,
        retain: false,
        keep: Keep::Always,
    }
}

/// To the broker, with these messages.
fn to_broker(
    address: impl Fn(&MessageKey, &Event) -> Option<OutboxMessage> + Send + Sync + 'static,
) -> Vec<Route> {
    vec![Route {
        channel: Channel::broker(),
        address: Box::new(address),
    }]
}

/// One message for each event, with its number.
fn numbered() -> Vec<Route> {
    to_broker(|key, _| Some(message("t", key.number.0.to_string().into_bytes())))
}

fn open(folder: &Path) -> Store {
    Store::open(folder, numbered()).unwrap()
}

fn fault(boot: BootId, ms: u64) -> Event {
    Event::FaultRaised {
        fault: Fault::CameraSilent,
        at: stamp(boot, ms),
    }
}

/// Everything that `record` writes, as one value.
fn everything(store: &Store) -> (usize, usize, usize, usize, OutboxCount) {
    (
        store.events(Sequence(0), 1000).unwrap().len(),
        store.alerts(1000).unwrap().len(),
        store.tally(0, &[]).unwrap().len(),
        store.audit(1000).unwrap().len(),
        store.count(&Channel::broker()).unwrap(),
    )
}

#[test]
fn what_is_recorded_is_read_back_exactly() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    // Numbers without a short decimal form: the alert must come back bit by bit.
    let mut raised = alert(boot, 1);
    raised.reading.face.0 = Celsius::new(35.1 + 0.2 + 1.0 / 3.0).unwrap();
    let events = [
        Event::AlertRaised(raised.clone()),
        Event::Screened(screening(boot, 1, Verdict::PossibleFever)),
        fault(boot, 3),
    ];
    let recorded = store.record(&events).unwrap();
    let keys: Vec<u64> = recorded.iter().map(|it| it.key.seq.0).collect();
    assert_eq!(keys, [1, 2, 3]);
    assert!(recorded.iter().all(|it| it.key.epoch == store.epoch()));
    assert_eq!(store.alert(raised.id).unwrap(), raised);
    assert_eq!(store.alerts(10).unwrap(), [raised]);
    let read = store.events(Sequence(1), 10).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0], recorded[1]);
    assert_eq!(read[1], recorded[2]);
    let waiting = store
        .waiting(&Channel::broker(), SafeAt::Broker, MessageNumber(0), 10)
        .unwrap();
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[2].message.payload, b"3");
    assert_eq!(waiting[2].at, stamp(boot, 3));
}

#[test]
fn a_reading_without_a_reference_is_kept_whole_and_stands_in_no_column_of_temperatures() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    let mut relative = screening(boot, 2, Verdict::PossibleFever);
    relative.reading.as_mut().unwrap().basis = Basis::Population {
        people: 120,
        median: Celsius::literal(36.9),
    };
    let absolute = screening(boot, 1, Verdict::PossibleFever);
    let events = [absolute, relative].map(Event::Screened);
    let recorded = store.record(&events).unwrap();
    assert_eq!(store.events(Sequence(0), 10).unwrap(), recorded);
    drop(store);
    let file = folder.path().join("menshen.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    let has_columns = |track: u64| -> (bool, bool) {
        let columns = "SELECT face_c IS NOT NULL, estimate_c IS NOT NULL FROM screening
                       WHERE track = ?1";
        let track = i64::try_from(track).unwrap();
        let both = connection.query_row(columns, [track], |row| Ok((row.get(0)?, row.get(1)?)));
        both.unwrap()
    };
    assert_eq!(
        (has_columns(1), has_columns(2)),
        ((true, true), (false, false))
    );
}

#[test]
fn an_oversize_message_leaves_nothing_behind() {
    let folder = tempfolder();
    let store = Store::open(
        folder.path(),
        to_broker(|key, _| {
            let more = usize::from(key.number.0 == 3);
            Some(message("t", vec![b'x'; MAX_PAYLOAD + more]))
        }),
    )
    .unwrap();
    let boot = store.boot();
    store.record(&[Event::AlertRaised(alert(boot, 1))]).unwrap();
    let before = everything(&store);
    let failed = store.record(&[
        Event::Screened(screening(boot, 1, Verdict::PossibleFever)),
        Event::AlertRaised(alert(boot, 2)),
    ]);
    let Err(JournalError::Storage(text)) = failed else {
        panic!("{failed:?}");
    };
    assert!(text.contains("8193 bytes"), "{text}");
    assert_eq!(everything(&store), before);
    // The numbers were given back: no gap.
    assert_eq!(
        store.record(&[fault(boot, 9)]).unwrap()[0].key.seq,
        Sequence(2)
    );
}

#[test]
fn a_topic_that_cannot_be_published_to_is_refused() {
    let folder = tempfolder();
    let store = Store::open(
        folder.path(),
        to_broker(|_, _| Some(message("menshen/#", Vec::new()))),
    )
    .unwrap();
    assert!(store.record(&[fault(store.boot(), 1)]).is_err());
    assert!(store.events(Sequence(0), 1).unwrap().is_empty());
}

#[test]
fn a_panic_in_the_addressing_leaves_nothing_behind_and_the_store_usable() {
    let folder = tempfolder();
    let store = Store::open(
        folder.path(),
        to_broker(|_, event| {
            assert!(
                !matches!(event, Event::AlertRaised(_)),
                "as the test wants it"
            );
            None
        }),
    )
    .unwrap();
    let boot = store.boot();
    let before = everything(&store);
    let shared = store.clone();
    let panicked = std::thread::spawn(move || {
        shared.record(&[fault(boot, 1), Event::AlertRaised(alert(boot, 1))])
    })
    .join();
    assert!(panicked.is_err());
    assert_eq!(everything(&store), before);
    assert_eq!(
        store.record(&[fault(boot, 2)]).unwrap()[0].key.seq,
        Sequence(1)
    );
}

#[test]
fn an_alert_is_taken_once_and_resolved_once() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    let id = recorded_alert(&store, 1);
    let before = everything(&store);
    assert_eq!(
        store.record(&[acknowledge(id, "  ")]),
        Err(JournalError::Refused(Refused::Nameless))
    );
    store.record(&[acknowledge(id, " 王芳 ")]).unwrap();
    assert_eq!(
        store.record(&[fault(boot, 5), acknowledge(id, "李强")]),
        Err(JournalError::Refused(Refused::AlreadyAcknowledged(
            "王芳".to_owned()
        )))
    );
    let after = everything(&store);
    assert_eq!(
        after.0,
        before.0 + 1,
        "one event, for the one that was not refused"
    );
    assert_eq!(
        store.alert(id).unwrap().state,
        AlertState::Acknowledged {
            by: "王芳".to_owned(),
            at: stamp(boot, 100)
        }
    );
    let resolve = |outcome| Event::AlertResolved {
        alert: id,
        by: "李强".to_owned(),
        at: stamp(boot, 200),
        outcome,
    };
    let incomplete = resolve(Outcome::FalseAlarm {
        reason: String::new(),
    });
    assert!(matches!(
        store.record(&[incomplete]),
        Err(JournalError::Refused(Refused::Incomplete(_)))
    ));
    store.record(&[resolve(common::confirmed())]).unwrap();
    assert_eq!(
        store.record(&[resolve(Outcome::Left)]),
        Err(JournalError::Refused(Refused::AlreadyResolved(
            "李强".to_owned()
        )))
    );
    assert_eq!(
        store.alert(id).unwrap().state,
        AlertState::Resolved {
            by: "李强".to_owned(),
            at: stamp(boot, 200),
            outcome: common::confirmed()
        }
    );
    let audit = store.audit(2).unwrap();
    assert_eq!(
        (audit[0].who.as_str(), audit[0].what.as_str()),
        ("李强", "alert_resolved")
    );
    assert_eq!(
        (audit[1].who.as_str(), audit[1].what.as_str()),
        ("王芳", "alert_acknowledged")
    );
    assert_eq!(audit[1].subject, id.to_string());
}

#[test]
fn two_people_who_tap_at_once_cannot_both_have_it() {
    let folder = tempfolder();
    let store = open(folder.path());
    let id = recorded_alert(&store, 1);
    let people: Vec<_> = (0..8)
        .map(|person| {
            let store = store.clone();
            std::thread::spawn(move || store.record(&[acknowledge(id, &format!("p{person}"))]))
        })
        .collect();
    let taken = people
        .into_iter()
        .flat_map(|person| person.join().unwrap())
        .count();
    assert_eq!(taken, 1);
}

#[test]
fn an_unknown_alert_is_said_so() {
    let folder = tempfolder();
    let store = open(folder.path());
    let id = alert(store.boot(), 77).id;
    assert_eq!(store.alert(id), Err(JournalError::UnknownAlert(id)));
    assert_eq!(
        store.record(&[acknowledge(id, "王芳")]),
        Err(JournalError::UnknownAlert(id))
    );
}

#[test]
fn alerts_that_wait_for_staff_come_first() {
    let folder = tempfolder();
    let store = open(folder.path());
    let ids: Vec<_> = (1..=4).map(|track| recorded_alert(&store, track)).collect();
    store
        .record(&[
            Event::AlertResolved {
                alert: ids[3],
                by: "李强".to_owned(),
                at: stamp(store.boot(), 200),
                outcome: Outcome::Left,
            },
            acknowledge(ids[0], "王芳"),
        ])
        .unwrap();
    let order: Vec<_> = store.alerts(10).unwrap().iter().map(|it| it.id).collect();
    assert_eq!(order, [ids[2], ids[1], ids[0], ids[3]]);
    assert_eq!(store.alerts(2).unwrap().len(), 2);
}

#[test]
fn tallies_count_by_verdict_and_time() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    let verdicts = [
        Verdict::Clear,
        Verdict::Clear,
        Verdict::CannotJudge(Obstacle::TooFar),
        Verdict::PossibleFever,
    ];
    let events: Vec<Event> = verdicts
        .into_iter()
        .zip(1..)
        .map(|(verdict, track)| Event::Screened(screening(boot, track, verdict)))
        .collect();
    store.record(&events).unwrap();
    let count =
        |class: &str, reason: Option<&str>, n| (class.to_owned(), reason.map(str::to_owned), n);
    assert_eq!(
        store.tally(0, &[]).unwrap(),
        [
            count("cannot_judge", Some("too_far"), 1),
            count("clear", None, 2),
            count("possible_fever", None, 1),
        ]
    );
    let since = stamp(boot, 3).wall.0;
    assert_eq!(store.tally(since, &[]).unwrap().len(), 2);
    // Of those that may not be saved yet each is counted once, and only from then on.
    let unsaved = [
        screening(boot, 1, Verdict::Clear),
        screening(boot, 4, Verdict::PossibleFever),
        screening(boot, 5, Verdict::Clear),
        screening(boot, 6, Verdict::CannotJudge(Obstacle::TooFar)),
    ];
    assert_eq!(
        store.tally(since, &unsaved).unwrap(),
        [
            count("cannot_judge", Some("too_far"), 2),
            count("clear", None, 1),
            count("possible_fever", None, 1),
        ]
    );
}

#[test]
fn figures_are_of_the_stretches_that_were_asked_for() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    let at = |ms| stamp(boot, ms).wall;
    let mut relative = screening(boot, 30, Verdict::Clear);
    relative.reading.as_mut().unwrap().basis = Basis::Population {
        people: 120,
        median: Celsius::literal(34.2),
    };
    let events: Vec<Event> = [
        screening(boot, 1, Verdict::Clear),
        screening(boot, 2, Verdict::PossibleFever),
        screening(boot, 20, Verdict::CannotJudge(Obstacle::TooFar)),
        relative,
    ]
    .into_iter()
    .map(Event::Screened)
    .collect();
    store.record(&events).unwrap();
    let people = store.people(&[at(0), at(2), at(20), at(31)]).unwrap();
    let sums = people.iter().map(|it| it.iter().map(|row| row.2).sum());
    assert_eq!(sums.collect::<Vec<u64>>(), [1, 1, 2]);
    assert!(store.people(&[at(0)]).unwrap().is_empty());
    // Two readings of 38.127; the difference of the third is no temperature.
    assert_eq!(store.estimates(at(0), at(31)).unwrap(), [(381, 2)]);
    assert_eq!(store.estimates(at(0), at(2)).unwrap(), [(381, 1)]);

    let (open, taken) = (recorded_alert(&store, 40), recorded_alert(&store, 50));
    store.record(&[acknowledge(taken, "王芳")]).unwrap();
    let times = store.alert_times(at(0), at(51)).unwrap();
    let waits = Waits::of(&times, &stamp(boot, 140));
    assert_eq!((waits.raised, waits.open, waits.unresolved), (2, 1, 2));
    assert_eq!(waits.median, Some(Duration::from_millis(50)));
    assert_eq!(waits.worst, Some(Duration::from_millis(100)));
    assert_eq!(
        store.alert_times(at(41), at(51)).unwrap().len(),
        1,
        "{open}"
    );
}

#[test]
fn the_outbox_keeps_order_and_counts_what_is_accepted() {
    let folder = tempfolder();
    let store = open(folder.path());
    let boot = store.boot();
    for ms in 0..5 {
        store.record(&[fault(boot, ms)]).unwrap();
    }
    let broker = Channel::broker();
    let waiting = |until, after, limit| -> Vec<u64> {
        store
            .waiting(&broker, until, MessageNumber(after), limit)
            .unwrap()
            .iter()
            .map(|it| it.number.0)
            .collect()
    };
    assert_eq!(waiting(SafeAt::Broker, 0, 10), [1, 2, 3, 4, 5]);
    store
        .accepted(&broker, &[1, 3, 3].map(MessageNumber))
        .unwrap();
    assert_eq!(waiting(SafeAt::Broker, 0, 10), [2, 4, 5]);
    assert_eq!(waiting(SafeAt::Broker, 2, 1), [4]);
    assert_eq!(waiting(SafeAt::Street, 0, 10), [1, 2, 3, 4, 5]);
    assert_eq!(
        store.count(&Channel::broker()).unwrap(),
        OutboxCount {
            saved: 3,
            accepted: 2,
            ..OutboxCount::default()
        }
    );
}

#[test]
fn the_street_offices_receipt_leaves_only_the_gaps() {
    let folder = tempfolder();
    let store = open(folder.path());
    for ms in 0..9 {
        store.record(&[fault(store.boot(), ms)]).unwrap();
    }
    let broker = Channel::broker();
    let waiting = || -> Vec<u64> {
        store
            .waiting(&broker, SafeAt::Street, MessageNumber(0), 10)
            .unwrap()
            .iter()
            .map(|it| it.number.0)
            .collect()
    };
    let receipt = |up_to, gaps: &[(u64, u64)]| Receipt {
        epoch: store.epoch(),
        up_to: MessageNumber(up_to),
        gaps: gaps
            .iter()
            .map(|(first, last)| (MessageNumber(*first), MessageNumber(*last)))
            .collect(),
    };
    store.received(&receipt(7, &[(1, 1), (3, 4)])).unwrap();
    assert_eq!(waiting(), [1, 3, 4, 8, 9]);
    let foreign = Receipt {
        epoch: DeviceEpoch("another".to_owned()),
        ..receipt(9, &[])
    };
    store.received(&foreign).unwrap();
    assert_eq!(waiting(), [1, 3, 4, 8, 9], "of another database");
    store
        .received(&receipt(u64::MAX, &[(9, u64::MAX)]))
        .unwrap();
    assert_eq!(waiting(), [1, 3, 4, 8, 9], "of what was never sent");
    store.received(&receipt(9, &[(9, 9)])).unwrap();
    assert_eq!(waiting(), [9]);
}

#[test]
fn the_third_refusal_parks_a_message() {
    let folder = tempfolder();
    let store = open(folder.path());
    store.record(&[fault(store.boot(), 1)]).unwrap();
    let (broker, first) = (Channel::broker(), MessageNumber(1));
    let refuse = || store.refused(&broker, first, "too large").unwrap();
    assert_eq!([refuse(), refuse(), refuse()], [false, false, true]);
    assert!(!refuse(), "parked once");
    assert_eq!(store.count(&broker).unwrap().parked, 1);
    let waiting = store.waiting(&broker, SafeAt::Street, MessageNumber(0), 10);
    assert!(waiting.unwrap().is_empty());
}

#[test]
fn reopening_counts_the_start_and_keeps_the_epoch() {
    let folder = tempfolder();
    let first = open(folder.path());
    let (epoch, boot) = (first.epoch(), first.boot());
    first.record(&[fault(boot, 1)]).unwrap();
    drop(first);
    let second = open(folder.path());
    assert_eq!(second.epoch(), epoch);
    assert_eq!(second.boot(), BootId(boot.0 + 1));
    let key = &second.record(&[fault(second.boot(), 1)]).unwrap()[0].key;
    assert_eq!(key.seq, Sequence(2));
    let elsewhere = tempfolder();
    assert_ne!(open(elsewhere.path()).epoch(), epoch);
}

#[test]
fn a_second_gateway_is_kept_out() {
    let folder = tempfolder();
    let first = open(folder.path());
    let second = Store::open(folder.path(), numbered());
    let Err(error @ StoreError::InUse { .. }) = second else {
        panic!("{second:?}");
    };
    let text = error.to_string();
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    assert!(text.contains("Stop that one first"), "{text}");
    drop(first);
    open(folder.path());
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfolder();
    drop(open(folder.path()));
    let file = folder.path().join("menshen.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection
        .execute("UPDATE boot SET schema = 99", [])
        .unwrap();
    drop(connection);
    let error = Store::open(folder.path(), numbered()).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
    let connection = rusqlite::Connection::open(&file).unwrap();
    let boots: i64 = connection
        .query_row("SELECT count(*) FROM boot", [], |row| row.get(0))
        .unwrap();
    assert_eq!(boots, 1);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = tempfolder();
    let connection = rusqlite::Connection::open(folder.path().join("menshen.db")).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(connection);
    let error = Store::open(folder.path(), numbered()).unwrap_err();
    assert!(matches!(error, StoreError::Foreign), "{error}");
}

#[test]
fn a_folder_that_cannot_be_used_is_said_so() {
    let folder = tempfolder();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // A file in the folder's place, a file in its parent's, and where not even root may write.
    for wrong in [file.clone(), file.join("below"), "/proc/menshen".into()] {
        let error = Store::open(&wrong, numbered()).unwrap_err();
        assert!(matches!(error, StoreError::Folder { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&wrong.display().to_string()), "{text}");
        assert!(text.contains("Choose a folder"), "{text}");
    }
}

/// Set in the child of the next test: where it is to record.
const CHILD: &str = "MENSHEN_TEST_STORE_CHILD";

/// Not a test of its own: records and says what it has recorded, until it is killed.
#[test]
fn child_that_records_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let store = open(Path::new(&folder));
    let boot = store.boot();
    for track in 1.. {
        let events = [
            Event::AlertRaised(alert(boot, track)),
            Event::Screened(screening(boot, track, Verdict::PossibleFever)),
        ];
        let recorded = store.record(&events).unwrap();
        println!("\nrecorded {}", recorded[1].key.seq.0);
    }
}

/// So many kills of one database, before the next begins with an empty one.
const KILLS_OF_ONE: u64 = 50;

#[test]
fn what_was_recorded_survives_kills_at_any_moment() {
    let kills = std::env::var("MENSHEN_TEST_KILLS").map_or(200, |n| n.parse().unwrap());
    let mut folder = tempfolder();
    let mut rows = 0;
    for kill in 0..kills {
        if kill % KILLS_OF_ONE == 0 {
            folder = tempfolder();
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_records_until_it_is_killed",
                "--nocapture",
            ])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Between its start and some 20 transactions; the pause puts the kill at any place of one.
        let moment = kill.wrapping_mul(6_364_136_223_846_793_005) >> 40;
        let (after, pause) = (moment % 21, moment % 997);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = 0_u64;
        let mut count = 0;
        while count < after {
            let line = lines.next().expect("the child goes on").unwrap();
            if let Some(number) = line.strip_prefix("recorded ") {
                said = number.parse().unwrap();
                count += 1;
            }
        }
        std::thread::sleep(std::time::Duration::from_micros(pause));
        child.kill().unwrap();
        for line in lines.map(Result::unwrap) {
            if let Some(number) = line.strip_prefix("recorded ") {
                said = number.parse().unwrap_or(said);
            }
        }
        child.wait().unwrap();
        let store = open(folder.path());
        assert!(
            store.standing_faults().unwrap().is_empty(),
            "sound after kill {kill}"
        );
        let events = store.events(Sequence(0), u32::MAX).unwrap();
        assert!(
            events.len() as u64 >= said,
            "kill {kill}: {} kept, {said} said",
            events.len()
        );
        // Whole transactions, no gaps, and everything that follows from an event is there once.
        assert_eq!(events.len() % 2, 0);
        assert!(events.iter().zip(1..).all(|(it, seq)| it.key.seq.0 == seq));
        let waiting = store
            .waiting(
                &Channel::broker(),
                SafeAt::Street,
                MessageNumber(0),
                u32::MAX,
            )
            .unwrap();
        assert!(
            waiting
                .iter()
                .zip(1..)
                .all(|(it, number)| it.number.0 == number)
        );
        assert_eq!(waiting.len(), events.len());
        assert_eq!(
            store.count(&Channel::broker()).unwrap().saved,
            events.len() as u64
        );
        assert_eq!(store.alerts(u32::MAX).unwrap().len(), events.len() / 2);
        rows = rows.max(said);
    }
    println!("{kills} kills, up to {rows} rows in one database: none lost, none twice");
}
