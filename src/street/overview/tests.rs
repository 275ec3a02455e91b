//! What is made of what gates say: a table of days, each with what the office sees of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::checklist::Duty;
use crate::id::{DeviceEpoch, MessageNumber};
use crate::street::{Daily, Lists, Logged, State};

/// 2020-02-24 09:00 in Shanghai.
const MORNING: WallTime = WallTime(1_582_506_000_000);
/// The same day at 20:30, from when on a report is late.
const DUE: WallTime = WallTime(1_582_547_400_000);
const MINUTE: i64 = 60_000;

fn address(building: &str) -> Address {
    Address::new("dongfang", building, "main").unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn state(building: &str, name: &str, payload: &str) -> State {
    State {
        site: address(building),
        name: name.to_owned(),
        newer: false,
        payload: payload.as_bytes().to_vec(),
        received: MORNING,
    }
}

fn letter(building: &str, name: &str, at: WallTime, payload: &str) -> Logged {
    Logged {
        site: address(building),
        epoch: DeviceEpoch("e".to_owned()),
        number: MessageNumber(1),
        name: name.to_owned(),
        newer: false,
        late: false,
        payload: payload.as_bytes().to_vec(),
        received: at,
    }
}

fn raised(building: &str, id: &str, at: WallTime) -> Logged {
    let payload = format!(r#"{{"v":1,"id":"{id}","kind":"raised","at":"x","clock":"unsynced"}}"#);
    letter(building, "alert", at, &payload)
}

fn online(building: &str) -> State {
    state(
        building,
        "gateway",
        r#"{"v":1,"state":"online","version":"0.1.0","basis":"reference"}"#,
    )
}

fn round(building: &str, date: &str, progress: &str) -> State {
    let payload = format!(
        r#"{{"v":1,"date":"{date}","site":"office","template":1,{progress},"screened":{{"clear":7}}}}"#
    );
    state(building, "checklist", &payload)
}

const GOOD: &str = r#""required":{"done":25},"optional":{"done":14}"#;
const BAD: &str = r#""required":{"done":20,"missed":5},"optional":{"done":4,"open":10},"escalated":[{"item":"gate-shifts","group":"liaison","missed":5}]"#;

/// The row of one site.
fn row_of(states: &[State], letters: &[Logged], now: WallTime) -> Row {
    let mut book = Book::default();
    book.stand(states);
    book.hear(letters);
    let mut all = all_rows(&book, &[], now);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn all_rows(book: &Book, listed: &[Listed], now: WallTime) -> Vec<Row> {
    rows(
        book,
        &Asked {
            now,
            today: date("2020-02-24"),
            yesterday: Some(date("2020-02-23")),
            due: DUE,
            listed,
        },
    )
}

#[test]
fn a_good_morning_needs_no_call() {
    let faults = state("a", "faults", r#"{"v":1,"standing":[]}"#);
    let alerts = state("a", "alerts", r#"{"v":1,"open":0,"ids":[]}"#);
    let states = [online("a"), round("a", "2020-02-24", GOOD), faults, alerts];
    let row = row_of(&states, &[], MORNING);
    assert_eq!(row.calls, []);
    assert_eq!(
        (row.there, row.kind),
        (There::Online, Some(SiteKind::Office))
    );
    assert_eq!(row.calibration, Calibration::Good);
    assert_eq!(row.report.stands, ReportStands::NotDue);
    assert_eq!(row.screened.unwrap().total(), 7);
    assert_eq!(row.rounds.unwrap().required.asked(), 25);
}

/// What it is called, what stands, what has come, when, and what follows.
type Case<'a> = (&'a str, Vec<State>, &'a [Logged], WallTime, &'a [Call]);

#[test]
fn each_thing_that_is_wrong_has_a_call_of_its_own() {
    let after = WallTime(DUE.0 + MINUTE);
    let faults = |word: &str| {
        let payload = format!(r#"{{"v":1,"standing":["{word}"]}}"#);
        state("a", "faults", &payload)
    };
    let waits = WallTime(MORNING.0 + 15 * MINUTE);
    let just = WallTime(waits.0 - 1);
    let alert = [raised("a", "1-1", MORNING)];
    let table: [Case<'_>; 11] = [
        (
            "stopped",
            vec![state("a", "gateway", r#"{"v":1,"state":"stopped"}"#)],
            &[],
            MORNING,
            &[],
        ),
        (
            "gone",
            vec![state("a", "gateway", r#"{"v":1,"state":"offline"}"#)],
            &[],
            MORNING,
            &[Call::Away],
        ),
        (
            "silent",
            vec![round("a", "2020-02-24", GOOD)],
            &[],
            MORNING,
            &[Call::Away],
        ),
        (
            "rubbish",
            vec![state("a", "gateway", "rubbish")],
            &[],
            MORNING,
            &[Call::Away, Call::Unreadable],
        ),
        (
            "blind",
            vec![online("a"), faults("reference_lost")],
            &[],
            MORNING,
            &[Call::Blind],
        ),
        (
            "soon",
            vec![online("a"), faults("calibration_due")],
            &[],
            MORNING,
            &[Call::Calibration],
        ),
        (
            "over",
            vec![online("a"), faults("calibration_expired")],
            &[],
            MORNING,
            &[Call::Blind, Call::Calibration],
        ),
        ("late", vec![online("a")], &[], after, &[Call::Report]),
        (
            "items",
            vec![online("a"), round("a", "2020-02-24", BAD)],
            &[],
            MORNING,
            &[Call::Overdue],
        ),
        ("new alert", vec![online("a")], &alert, just, &[]),
        (
            "old alert",
            vec![online("a")],
            &alert,
            waits,
            &[Call::Alert],
        ),
    ];
    for (name, states, letters, now, calls) in table {
        assert_eq!(row_of(&states, letters, now).calls, calls, "{name}");
    }
}

#[test]
fn yesterdays_round_says_nothing_of_today() {
    let row = row_of(&[online("a"), round("a", "2020-02-23", BAD)], &[], MORNING);
    assert!(row.rounds.is_none() && row.screened.is_none());
    assert_eq!(row.calls, []);
    // Its kind is the same today.
    assert_eq!(row.kind, Some(SiteKind::Office));
}

#[test]
fn what_a_gate_names_and_what_its_letters_say_are_one_list_of_alerts() {
    let at = |minutes: i64| WallTime(MORNING.0 + minutes * MINUTE);
    let said = state("a", "alerts", r#"{"v":1,"open":302,"ids":["1-1","1-2"]}"#);
    let of = |id: &str, kind: &str, minutes| {
        let payload = format!(r#"{{"v":1,"id":"{id}","kind":"{kind}","at":"x"}}"#);
        letter("a", "alert", at(minutes), &payload)
    };
    let letters = [
        raised("a", "1-3", at(2)),
        of("1-2", "resolved", 1),
        of("1-1", "acknowledged", -5),
        raised("a", "1-1", at(-10)),
        // Before the gate named its open ones, so that it is none of them.
        raised("a", "1-0", at(-60)),
    ];
    let row = row_of(&[online("a"), said], &letters, at(3));
    let ids: Vec<&str> = row.alerts.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["1-1", "1-3"]);
    assert_eq!(row.open, 302, "300 more than it names");
    assert!(row.alerts[0].taken && !row.alerts[0].waits(at(600)));
    assert_eq!(row.alerts[1].age(at(3)), Some(Duration::from_mins(1)));
}

#[test]
fn a_clock_that_runs_ahead_makes_no_age_below_nothing() {
    let row = row_of(&[online("a")], &[raised("a", "1-1", MORNING)], WallTime(0));
    assert_eq!(row.alerts[0].age(WallTime(0)), Some(Duration::ZERO));
    assert_eq!(row.alerts[0].age(WallTime(i64::MIN)), Some(Duration::ZERO));
}

#[test]
fn what_is_newer_or_unreadable_is_said_and_hides_nothing_else() {
    let states = [
        online("a"),
        state("a", "checklist", r#"{"v":2,"day":1}"#),
        state("a", "alerts", r#"{"v":2,"open":1,"ids":["1-1"]}"#),
        state("a", "weather", r#"{"v":3}"#),
    ];
    let letters = [
        letter("a", "alert", MORNING, "[]"),
        raised("a", "1-2", MORNING),
    ];
    let row = row_of(&states, &letters, MORNING);
    let unreadable: Vec<&str> = row.unreadable.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(unreadable, ["state/checklist", "alert"]);
    assert_eq!(row.newer, ["state/alerts", "state/checklist", "weather"]);
    assert_eq!((row.there, row.open), (There::Online, 2));
}

fn report(building: &str, at: WallTime, day: &str) -> Logged {
    let payload = format!(
        r#"{{"v":1,"date":"{day}","revision":1,"part":1,"of":1,"site":"office","screened":{{"clear":100,"possible_fever":1}},"items":[{{"id":"gate-shifts","category":"gate","duty":"required","done":2,"missed":1}},{{"id":"own-x","category":"gate","duty":"optional","done":1}}],"alerts":[{{"id":"1-1","end":null}}],"colours":{{"red":4}},"colours_below":{{"purple":5}},"innovations":["{building}"]}}"#
    );
    letter(building, day, at, &payload)
}

#[test]
fn the_most_urgent_site_comes_first_and_one_that_was_never_heard_is_not_forgotten() {
    let listed = Listed {
        address: address("z"),
        name: "望江楼".to_owned(),
        kind: Some(SiteKind::Residential),
        contact: Some("王经理".to_owned()),
        phone: Some("021-5555 0100".to_owned()),
    };
    let mut book = Book::default();
    book.stand(&[
        online("a"),
        online("b"),
        round("b", "2020-02-24", BAD),
        online("c"),
    ]);
    book.hear(&[raised("c", "1-1", WallTime(MORNING.0 - 60 * MINUTE))]);
    let rows = all_rows(&book, &[listed], MORNING);
    let names: Vec<String> = rows.iter().map(Row::name).collect();
    assert_eq!(names, ["c · main", "望江楼", "b · main", "a · main"]);
    assert_eq!(
        (rows[1].there, rows[1].calls.as_slice()),
        (There::Unheard, &[Call::Away][..])
    );
}

#[test]
fn a_report_that_came_is_received_and_one_of_the_day_before_is_missed_where_there_were_some() {
    let after = WallTime(DUE.0 + MINUTE);
    let states = [online("a")];
    let row = row_of(&states, &[report("a", MORNING, "2020-02-24")], after);
    assert_eq!(
        (row.report.stands, row.report.revision),
        (ReportStands::Received, Some(1))
    );
    assert_eq!(
        (row.calls.as_slice(), row.lacks_yesterday),
        (&[][..], false)
    );
    let both = [
        report("a", MORNING, "2020-02-24"),
        report("a", MORNING, "2020-02-22"),
    ];
    let row = row_of(&states, &both, after);
    assert_eq!(
        (row.calls.as_slice(), row.lacks_yesterday),
        (&[Call::Report][..], true)
    );
}

#[test]
fn the_offices_own_report_adds_up_what_has_come_and_names_what_has_not() {
    let mut book = Book::default();
    book.stand(&[online("a"), online("b"), online("c")]);
    book.hear(&[
        report("b", WallTime(DUE.0 + 1), "2020-02-24"),
        report("a", MORNING, "2020-02-24"),
    ]);
    let rows = all_rows(&book, &[], DUE);
    let daily = Daily::of(
        (&book, &rows),
        (date("2020-02-24"), DUE),
        &Lists::default(),
        DUE,
    );
    let total = &daily.total;
    assert_eq!((total.sites, total.reported, total.late), (3, 2, 1));
    assert_eq!((total.screened.total(), total.alerts), (202, (2, 2)));
    assert_eq!((total.required.asked(), total.required.done), (6, 4));
    let red = total.colours[&crate::people::Colour::Red];
    let purple = total.colours[&crate::people::Colour::Purple];
    assert_eq!((red.exactly, purple.exactly, purple.somebody), (8, 0, 2));
    let missing: Vec<&str> = daily.missing().map(|it| it.name.as_str()).collect();
    assert_eq!(missing, ["c · main"]);
    let gap = &daily.gaps[0];
    assert_eq!(
        (gap.id.as_str(), gap.duty, gap.at.len()),
        ("gate-shifts", Duty::Required, 2)
    );
    assert_eq!(daily.gaps.len(), 1);
    let ideas: Vec<&String> = daily.innovations().map(|(_, text)| text).collect();
    assert_eq!(ideas, ["a", "b"]);
    // Of the kinds the totals are the totals.
    let sum: usize = daily.kinds.iter().map(|(_, it)| it.sites).sum();
    assert_eq!(sum, 3);
}
