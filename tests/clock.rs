//! Whatever the wall clock says: alerts are told in the order in which they came, and none is lost.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{alert, stamp, tempfolder};
use menshen::clock::{ClockTrust, Stamp, WallTime};
use menshen::event::Event;
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Journal, Outbox, SafeAt};
use menshen::mqtt::payload::told;
use menshen::mqtt::topic::Address;
use menshen::store::{Route, Store, Upkeep};
use serde_json::Value;
use std::path::Path;

const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 366 * 24 * HOUR_MS;
/// 2020-02-18 00:00 in Shanghai.
const MIDNIGHT_MS: i64 = 1_581_955_200_000;

fn open(folder: &Path) -> Store {
    let here = Address::new("dongfang", "no-12", "main").unwrap();
    let broker = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| told(&here, key, event)),
    };
    Store::open(folder, vec![broker]).unwrap()
}

#[test]
fn a_clock_that_jumps_changes_neither_order_nor_number() {
    let folder = tempfolder();
    let store = open(folder.path());
    let right = stamp(store.boot(), 0).wall.0;
    let walls = [
        0,
        right,
        right + HOUR_MS,
        right - HOUR_MS,
        right + 10 * YEAR_MS,
        right - 10 * YEAR_MS,
        MIDNIGHT_MS - 1,
        MIDNIGHT_MS,
        i64::MAX,
        i64::MIN,
        right,
    ];
    let count = walls.len() as u64;
    for (track, wall) in (1..).zip(walls) {
        let mut raised = alert(store.boot(), track);
        raised.raised = Stamp {
            wall: WallTime(wall),
            trust: ClockTrust::Unsynchronised,
            ..raised.raised
        };
        store.record(&[Event::AlertRaised(raised)]).unwrap();
    }
    let numbers: Vec<u64> = (1..=count).collect();
    let check = |store: &Store| {
        let rows = store
            .waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 100)
            .unwrap();
        let waiting: Vec<u64> = rows.iter().map(|it| it.number.0).collect();
        assert_eq!(waiting, numbers);
        for row in &rows {
            let value: Value = serde_json::from_slice(&row.message.payload).unwrap();
            let at = value["at"].as_str().unwrap();
            assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
            assert_eq!(value["clock"], "unsynced");
        }
        let events = store.events(Sequence(0), 100).unwrap();
        let seqs: Vec<u64> = events.iter().map(|it| it.key.seq.0).collect();
        assert_eq!(seqs, numbers);
        assert_eq!(store.alerts(100).unwrap().len() as u64, count);
    };
    check(&store);
    let rules = Upkeep {
        disk_floor: 0,
        backups_kept: 0,
        ..Upkeep::default()
    };
    // The clock is set by the network at last, or is said to be: what waits and what is open stays.
    for wall in walls {
        for trust in [ClockTrust::Unsynchronised, ClockTrust::Synchronised] {
            let now = Stamp {
                wall: WallTime(wall),
                trust,
                ..stamp(store.boot(), 60_000)
            };
            store.maintain(&rules, now).unwrap();
        }
    }
    check(&store);
    drop(store);
    check(&open(folder.path()));
}
