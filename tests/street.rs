//! The street's ledger, fed by a gateway's real outbox: nothing lost, nothing doubled, and no
//! receipt for what was not kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking; how many rounds is said by the environment"
)]

#[path = "street/collector.rs"]
mod collector;
mod common;
#[path = "common/program.rs"]
mod program;

use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::event::{Event, Fault};
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Journal, Outbox, OutboxRow, SafeAt};
use menshen::mqtt::Heard;
use menshen::mqtt::{Address, payload};
use menshen::store::{Route, Store};
use menshen::street::ledger::Ledger;
use menshen::street::sqlite::SqliteLedger;
use std::path::Path;
use std::time::Duration;

const NOW: WallTime = WallTime(1_582_000_000_000);

fn site() -> Address {
    Address::new("dongfang", "no-12", "main").unwrap()
}

/// A gateway that has recorded so many faults, and what waits in its outbox.
fn gateway(folder: &Path, messages: u64) -> (Store, Vec<OutboxRow>) {
    let address = site();
    let route = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| payload::told(&address, key, event)),
    };
    let store = Store::open(folder, vec![route]).unwrap();
    let events: Vec<Event> = (0..messages)
        .map(|number| Event::FaultRaised {
            fault: Fault::CameraSilent,
            at: Stamp {
                boot: BootId(1),
                monotonic: Duration::from_secs(number),
                wall: NOW,
                trust: ClockTrust::Synchronised,
            },
        })
        .collect();
    store.record(&events).unwrap();
    let rows = store
        .waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000)
        .unwrap();
    assert_eq!(rows.len() as u64, messages);
    (store, rows)
}

fn incoming(row: &OutboxRow) -> Heard {
    Heard {
        topic: row.message.topic.clone(),
        payload: row.message.payload.clone(),
    }
}

fn said(payload: &str) -> Heard {
    Heard {
        topic: "menshen/v1/dongfang/no-12/main/event/fault".to_owned(),
        payload: payload.as_bytes().to_vec(),
    }
}

#[test]
fn a_gateway_keeps_exactly_what_the_street_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let (store, rows) = gateway(&folder.path().join("gateway"), 40);
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    // Backwards, without every fifth.
    let most: Vec<Heard> = rows
        .iter()
        .rev()
        .filter(|row| row.number.0 % 5 != 0)
        .map(incoming)
        .collect();
    let taken = ledger.take(&most, NOW).unwrap();
    assert_eq!((taken.new, taken.again, taken.unfit), (32, 0, 0));
    store.received(&taken.answers[0].receipt).unwrap();
    let waiting = || -> Vec<u64> {
        store
            .waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000)
            .unwrap()
            .iter()
            .map(|row| row.number.0)
            .collect()
    };
    assert_eq!(waiting(), [5, 10, 15, 20, 25, 30, 35, 40]);
    // All of them again: the gateway heard no receipt.
    let all: Vec<Heard> = rows.iter().map(incoming).collect();
    let taken = ledger.take(&all, NOW).unwrap();
    assert_eq!((taken.new, taken.again, taken.unfit), (8, 32, 0));
    store.received(&taken.answers[0].receipt).unwrap();
    assert_eq!(waiting(), [0; 0]);
    let kept = ledger.messages(&site(), &store.epoch()).unwrap();
    let payloads = |it: &OutboxRow| it.message.payload.clone();
    assert_eq!(
        kept.into_iter().map(|it| it.payload).collect::<Vec<_>>(),
        rows.iter().map(payloads).collect::<Vec<_>>()
    );
}

#[test]
fn collectors_that_race_on_one_site_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, rows) = gateway(&folder.path().join("gateway"), 200);
    let file = folder.path().join("street.db");
    // Each collector has a third for itself, and a third that another one has, too.
    let new: usize = std::thread::scope(|scope| {
        let collectors: Vec<_> = (0..3)
            .map(|which| {
                let (rows, file) = (&rows, &file);
                scope.spawn(move || {
                    let ledger = SqliteLedger::open(file).unwrap();
                    rows.iter()
                        .filter(|row| row.number.0 % 3 != which)
                        .map(|row| ledger.take(&[incoming(row)], NOW).unwrap().new)
                        .sum::<usize>()
                })
            })
            .collect();
        collectors.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(new, 200);
    let ledger = SqliteLedger::open(&file).unwrap();
    let taken = ledger.take(&[incoming(&rows[0])], NOW).unwrap();
    let receipt = &taken.answers[0].receipt;
    assert_eq!((receipt.up_to, receipt.gaps.len()), (MessageNumber(200), 0));
    assert_eq!(ledger.messages(&site(), &store.epoch()).unwrap().len(), 200);
}

#[test]
fn what_is_unfit_goes_into_quarantine_and_gets_no_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let topic = |topic: &str| Heard {
        topic: topic.to_owned(),
        ..said(r#"{"v":1,"epoch":"e","seq":1}"#)
    };
    let unfit = [
        (topic("menshen/v1/dongfang/no-12/main/ack/alerts"), "topic"),
        (topic("elsewhere"), "topic"),
        (said("no json"), "payload"),
        (said("[]"), "payload"),
        (said(r#"{"v":0,"epoch":"e","seq":1}"#), "payload"),
        (said(r#"{"v":1,"epoch":"e","seq":0}"#), "payload"),
        (
            said(r#"{"v":1,"epoch":"e","seq":9223372036854775808}"#),
            "payload",
        ),
        (said(r#"{"v":1,"epoch":"","seq":1}"#), "payload"),
        (
            said(r#"{"v":1,"epoch":"e","seq":1,"gate":"back"}"#),
            "another_gate",
        ),
        (said(&" ".repeat(16 * 1024 + 1)), "large"),
    ];
    for (incoming, reason) in unfit {
        let taken = ledger.take(&[incoming], NOW).unwrap();
        assert_eq!((taken.unfit, taken.answers.len()), (1, 0), "{reason}");
        assert_eq!(ledger.quarantine(1).unwrap()[0].reason, reason);
    }
}

#[test]
fn the_first_message_under_a_number_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let first = said(r#"{"v":1,"epoch":"e","seq":1,"kind":"raised"}"#);
    let late = said(r#"{"v":1,"epoch":"e","seq":1,"kind":"raised","late":true}"#);
    let other = said(r#"{"v":1,"epoch":"e","seq":1,"kind":"cleared"}"#);
    let taken = ledger.take(&[first.clone(), late, other], NOW).unwrap();
    assert_eq!((taken.new, taken.again, taken.unfit), (1, 1, 1));
    let epoch = &taken.answers[0].receipt.epoch;
    assert_eq!(
        ledger.messages(&site(), epoch).unwrap()[0].payload,
        first.payload
    );
    assert_eq!(ledger.quarantine(9).unwrap()[0].reason, "contradicts");
}

#[test]
fn a_newer_version_is_kept_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let newer = said(r#"{"v":2,"epoch":"e","seq":1,"never":"heard of"}"#);
    let taken = ledger.take(std::slice::from_ref(&newer), NOW).unwrap();
    let kept = ledger
        .messages(&site(), &taken.answers[0].receipt.epoch)
        .unwrap();
    assert_eq!((kept[0].newer, &kept[0].payload), (true, &newer.payload));
}

#[test]
fn numbers_that_are_void_are_no_gaps_and_a_new_epoch_counts_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let void = Heard {
        topic: "menshen/v1/dongfang/no-12/main/event/void".to_owned(),
        payload: br#"{"v":1,"epoch":"new","seq":9,"of_epoch":"old","numbers":[[2,4],[7,null]]}"#
            .to_vec(),
    };
    let old = |seq: u64| said(&format!(r#"{{"v":1,"epoch":"old","seq":{seq}}}"#));
    ledger.take(&[old(1), void], NOW).unwrap();
    let taken = ledger.take(&[old(5)], NOW).unwrap();
    assert_eq!(
        taken.answers[0].receipt.gaps,
        [(MessageNumber(6), MessageNumber(6))]
    );
    let new = said(r#"{"v":1,"epoch":"new","seq":10}"#);
    let receipt = &ledger.take(&[new], NOW).unwrap().answers[0].receipt;
    assert_eq!(
        (receipt.up_to, &receipt.gaps[..]),
        (
            MessageNumber(10),
            &[(MessageNumber(1), MessageNumber(8))][..]
        )
    );
}

#[test]
fn a_file_of_another_program_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("street.db");
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    let error = SqliteLedger::open(&file).err().unwrap().to_string();
    assert!(error.contains("choose another file"), "{error}");
}
