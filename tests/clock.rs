//! Whatever the wall clock says: alerts are told in the order in which they came, and none is lost.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{alert, screening, stamp, tempfolder};
use menshen::calendar::Date;
use menshen::checklist::{Desk, LineKind, Logbook, Search, SiteDays, SiteKind, SiteList};
use menshen::clock::{ClockTrust, Stamp, WallTime};
use menshen::config::checklist::{newest, shipped_procedure};
use menshen::config::zone::Zone;
use menshen::event::Event;
use menshen::figures::Figures;
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Journal, Outbox, SafeAt};
use menshen::mqtt::payload::told;
use menshen::mqtt::topic::Address;
use menshen::screening::Verdict;
use menshen::store::{Route, Store, Upkeep};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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

/// A moment of this start, before or after the clock was set: so long after the start, at which it is 08:00 in
/// Shanghai on the 18th of February 2020, and the clock is slow by so much.
fn at(store: &Store, minutes: u64, slow: Option<i64>) -> Stamp {
    let right = MIDNIGHT_MS + 8 * HOUR_MS + (minutes * 60_000).cast_signed();
    Stamp {
        boot: store.boot(),
        monotonic: Duration::from_mins(minutes),
        wall: WallTime(right - slow.unwrap_or(0)),
        trust: match slow {
            Some(_) => ClockTrust::Unsynchronised,
            None => ClockTrust::Synchronised,
        },
    }
}

fn quiet() -> Upkeep {
    Upkeep {
        disk_floor: 0,
        backups_kept: 0,
        ..Upkeep::default()
    }
}

/// An alert and somebody screened, at this moment.
fn seen(store: &Store, track: u64, at: Stamp) -> Vec<Event> {
    let mut raised = alert(store.boot(), track);
    raised.raised = at;
    let mut screened = screening(store.boot(), track, Verdict::Clear);
    screened.first.stamp = at;
    screened.last.stamp = at;
    vec![Event::Screened(screened), Event::AlertRaised(raised)]
}

fn people(store: &Store, from: WallTime) -> u64 {
    let day = [from, WallTime(from.0 + WallTime::DAY_MS)];
    let tally = &store.people(&day).unwrap()[0];
    tally.iter().map(|(.., people)| people).sum()
}

#[test]
fn once_the_clock_is_set_the_times_of_this_start_are_set_by_how_long_it_had_run() {
    let folder = tempfolder();
    let earlier = open(folder.path());
    earlier
        .record(&seen(&earlier, 1, at(&earlier, 1, Some(50 * YEAR_MS))))
        .unwrap();
    drop(earlier);
    let store = open(folder.path());
    let wrong = at(&store, 5, Some(50 * YEAR_MS));
    let late = at(&store, 6, Some(50 * YEAR_MS));
    store.record(&seen(&store, 2, wrong)).unwrap();
    store
        .maintain(&quiet(), at(&store, 7, Some(50 * YEAR_MS)))
        .unwrap();
    assert_eq!(people(&store, WallTime(MIDNIGHT_MS)), 0);

    // The network's time comes, and a moment that waited for the disk after it.
    store.maintain(&quiet(), at(&store, 10, None)).unwrap();
    store.record(&seen(&store, 3, late)).unwrap();
    store
        .record(&seen(&store, 4, at(&store, 11, None)))
        .unwrap();
    store.maintain(&quiet(), at(&store, 12, None)).unwrap();
    // Somebody puts the clock wrong by hand: what was right stays.
    let stepped = Stamp {
        wall: WallTime(0),
        ..at(&store, 30, None)
    };
    store.maintain(&quiet(), stepped).unwrap();

    let alerts = store.alerts(10).unwrap();
    let raised = |track: u64| {
        let found = alerts.iter().find(|it| it.id.track.0 == track).unwrap();
        (
            found.raised.wall.0 - MIDNIGHT_MS - 8 * HOUR_MS,
            found.raised.trust,
        )
    };
    assert_eq!(raised(2), (5 * 60_000, ClockTrust::Synchronised));
    assert_eq!(raised(3), (6 * 60_000, ClockTrust::Synchronised));
    assert_eq!(raised(4), (11 * 60_000, ClockTrust::Synchronised));
    assert_eq!(
        raised(1).1,
        ClockTrust::Unsynchronised,
        "nothing is known of it"
    );
    assert_eq!(people(&store, WallTime(MIDNIGHT_MS)), 3);
    // What was told stays as it was told.
    let events = store.events(Sequence(2), 2).unwrap();
    assert!(events.iter().all(|it| it.event.at() == wrong));
    let told = store.audit(20).unwrap();
    assert!(told.iter().any(|it| it.what == "times_set"), "{told:?}");
}

#[test]
fn the_report_of_a_day_whose_clock_was_not_set_goes_out_again_with_the_numbers_that_are_right() {
    let folder = tempfolder();
    let store = open(folder.path());
    let zone = || Zone(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap());
    let desk = Desk::new(
        Arc::new(SiteList::plain(newest(SiteKind::Office).unwrap())),
        shipped_procedure().unwrap(),
        Arc::new(store.clone()),
        Arc::new(zone()),
        "20:00".parse().unwrap(),
    );
    let day: Date = "2020-02-18".parse().unwrap();
    assert_eq!(zone().day(day).unwrap().begins().0, MIDNIGHT_MS);
    let report = || {
        let lines = store.lines(&Search::kind(LineKind::Submitted)).unwrap();
        let of_day: Vec<_> = lines.into_iter().filter(|it| it.date == day).collect();
        (of_day.len(), of_day.last().unwrap().at.trust)
    };
    // The clock is a day and 20 minutes slow: people of the 18th are counted on the 17th.
    let slow = Some(WallTime::DAY_MS + 20 * 60_000);
    desk.begin(at(&store, 0, None)).unwrap();
    store
        .record(&seen(&store, 1, at(&store, 60, slow)))
        .unwrap();
    let evening = 13 * 60;
    let unsure = Some(0);
    desk.submit_what_is_due(at(&store, evening, unsure))
        .unwrap();
    assert_eq!(report(), (1, ClockTrust::Unsynchronised));
    assert!(
        desk.submit_again_what_was_unsure(at(&store, evening, unsure))
            .unwrap()
            .is_empty()
    );

    let now = at(&store, evening + 5, None);
    store.maintain(&quiet(), now).unwrap();
    let again = desk.submit_again_what_was_unsure(now).unwrap();
    assert_eq!(again, [(day, 2)]);
    assert_eq!(report(), (2, ClockTrust::Synchronised));
    assert_eq!(desk.log(day).unwrap().last().unwrap().report.facts.clear, 1);
    assert!(desk.submit_again_what_was_unsure(now).unwrap().is_empty());
}
