//! Bad input at the pages of the checklist: whatever comes in is answered in words, and what was written
//! before stays as it is.

use super::dashboard::{Answer, Gateway, alert};
use menshen::calendar::Date;
use menshen::checklist::{Desk, LineKind, Logbook, Search, SiteDays, SiteKind, SiteList};
use menshen::clock::Clock as _;
use menshen::config::checklist::{newest, shipped_procedure};
use menshen::config::zone::Zone;
use menshen::event::Event;
use menshen::journal::Journal as _;
use menshen::store::Store;
use menshen::web::Entrance;
use std::sync::Arc;
use std::time::Duration;

/// An office whose list nobody owns yet, at nine in the morning; everybody is the manager, as in a
/// demonstration.
struct Office {
    gateway: Gateway,
    store: Store,
    date: Date,
    _folder: tempfile::TempDir,
}

fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let here = || Zone(jiff::tz::TimeZone::system());
    let desk = Desk::new(
        Arc::new(SiteList::plain(newest(SiteKind::Office).unwrap())),
        shipped_procedure().unwrap(),
        Arc::new(store.clone()),
        Arc::new(here()),
        "20:00".parse().unwrap(),
    );
    let desk = Arc::new(desk);
    let gateway = Gateway::serving(Entrance::Demo, Vec::new(), |it| {
        it.journal = Arc::new(store.clone());
        it.outbox = Arc::new(store.clone());
        it.desk = Some(Arc::clone(&desk));
    });
    let date = here().date_at(gateway.clock.now().wall).unwrap();
    let nine = here().day(date).unwrap().at(9 * 60);
    gateway.clock.step_wall(nine.0 - gateway.clock.now().wall.0);
    desk.begin(gateway.clock.now()).unwrap();
    Office {
        gateway,
        store,
        date,
        _folder: folder,
    }
}

impl Office {
    fn lines(&self, kind: LineKind) -> usize {
        self.store.lines(&Search::kind(kind)).unwrap().len()
    }

    fn all_lines(&self) -> usize {
        self.store.lines(&Search::default()).unwrap().len()
    }

    /// A tick with this id's last digit; fields that come twice count as they come last.
    fn tick(&self, id: u8, item: &str, time: &str, more: &str) -> Answer {
        let date = self.date;
        let body = format!(
            "id=00000000-0000-4000-8000-00000000000{id}&date={date}&item={item}&time={time}&{more}"
        );
        self.gateway.post("/rounds/tick", &body)
    }

    /// Whatever it is, it is refused with this status and these words, and nothing is written.
    fn refused(&self, answer: &Answer, before: usize, status: u16, says: &str) {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(says), "{says}: {}", answer.body);
        assert_eq!(self.all_lines(), before, "{says}: something was written");
    }
}

const DONE: &str = "said=done&by=Li";

#[test]
fn a_post_that_is_replayed_is_one_tick_and_the_second_person_is_told_who_was_first() {
    let office = office();
    for _ in 0..3 {
        assert_eq!(office.tick(1, "off-lift-buttons", "1", DONE).status, 303);
        office.gateway.clock.advance(Duration::from_secs(20));
    }
    assert_eq!(office.lines(LineKind::Ticked), 1);
    let before = office.all_lines();
    let second = office.tick(2, "off-lift-buttons", "1", "said=done&by=Wang");
    office.refused(&second, before, 409, "Li has ticked it already");
    let other = office.tick(1, "off-touch", "0", DONE);
    office.refused(&other, before, 409, "in use for something else");
}

#[test]
fn ticks_of_no_item_no_time_another_day_or_the_wrong_hour_are_refused_in_words() {
    let office = office();
    let before = office.all_lines();
    let date = office.date;
    for (item, time, more, status, says) in [
        ("off-nothing", "0", DONE, 422, "The list has no such item"),
        ("OFF LIFT", "0", DONE, 422, "The list has no such item"),
        ("off-lift-buttons", "99", DONE, 409, "no time number"),
        ("off-lift-buttons", "70000", DONE, 422, "could not be read"),
        ("off-lift-buttons", "5", DONE, 409, "has not come"),
        ("off-lift-buttons", "1", "said=done&by=", 422, "name"),
        ("off-lift-buttons", "1", "said=perhaps&by=Li", 422, "choose"),
        (
            "off-lift-buttons",
            "1",
            "said=not_applicable&by=Li",
            422,
            "write something",
        ),
        (
            "off-lift-buttons",
            "1",
            "said=failed&by=Li&why=x&hours=2",
            422,
            "what will be done",
        ),
        (
            "off-lift-buttons",
            "1",
            "said=failed&by=Li&why=x&action=y&owner=z&hours=9999",
            422,
            "until when",
        ),
        ("off-mix", "0", "said=done&by=Li&value=NaN", 422, "number"),
        (
            "off-mix",
            "0",
            "said=done&by=Li&value=12",
            409,
            "not in order",
        ),
        ("off-self-check", "0", DONE, 409, "filled in by the gateway"),
        // Tapped before the phone had this page: no phone holds a tap for days.
        (
            "off-lift-buttons",
            "1",
            "said=done&by=Li&tapped=0",
            409,
            "tick it again",
        ),
    ] {
        let answer = office.tick(1, item, time, more);
        office.refused(&answer, before, status, says);
    }
    let post = |date: &str, id: &str| {
        let body = format!("id={id}&date={date}&item=off-lift-buttons&time=1&{DONE}");
        office.gateway.post("/rounds/tick", &body)
    };
    let id = "00000000-0000-4000-8000-000000000001";
    office.refused(&post("2020-02-30", id), before, 404, "");
    office.refused(&post("2019-01-01", id), before, 409, "too late");
    office.refused(&post("2031-01-01", id), before, 409, "has not come");
    office.refused(&post(&date.to_string(), "17"), before, 422, "reload");
    // A time that lies ahead is a clock that is wrong, not a tick of tomorrow.
    let ahead = "said=done&by=Li&tapped=9999999999999";
    assert_eq!(office.tick(1, "off-lift-buttons", "1", ahead).status, 303);
    let tick = &office.store.lines(&Search::kind(LineKind::Ticked)).unwrap()[0];
    let menshen::checklist::Line::Ticked { done_at, .. } = &tick.line else {
        panic!("{tick:?}");
    };
    assert_eq!(*done_at, office.gateway.clock.now().wall);
}

#[test]
fn a_report_twice_is_one_revision() {
    let office = office();
    let path = format!("/report/{}/submit", office.date);
    assert_eq!(office.gateway.post(&path, "by=Wang").status, 303);
    let before = office.all_lines();
    let again = office.gateway.post(&path, "by=Wang");
    office.refused(&again, before, 409, "submitted already");
    assert_eq!(office.lines(LineKind::Submitted), 1);
}

#[test]
fn nobody_signs_for_a_list_that_nobody_owns_or_names_an_owner_of_nothing() {
    let office = office();
    let before = office.all_lines();
    let post = |path: &str, body: &str| office.gateway.post(path, body);
    let sign = post("/pledge/sign", "by=Wang");
    office.refused(&sign, before, 409, "nobody owns off-lead");
    let long = format!("category=gate&owner={}&by=Wang", "x".repeat(81));
    for (body, status, says) in [
        ("category=garden&owner=Li&by=Wang", 422, "no such category"),
        ("item=off-nothing&owner=Li&by=Wang", 409, "no item"),
        ("owner=Li&by=Wang", 422, "no such category"),
        ("category=gate&owner=Li&by=", 422, "name"),
        (long.as_str(), 422, "name"),
    ] {
        office.refused(&post("/pledge/owner", body), before, status, says);
    }
    let all = post("/pledge/owner", "category=gate&owner=%3Cb%3ELi&by=Wang");
    assert_eq!(all.status, 303);
    let page = office.gateway.get("/pledge").body;
    assert!(
        page.contains("&#60;b&#62;Li") && !page.contains("<b>Li<"),
        "{page}"
    );
}

#[test]
fn the_procedure_refuses_what_is_no_edit_and_what_was_overtaken() {
    let office = office();
    let before = office.all_lines();
    let post = |body: &str| office.gateway.post("/procedure/edit", body);
    let words = "zh=x&en=y&by=Wang";
    for (body, status, says) in [
        (
            format!("what=reword&clause=9.9&on=0&{words}"),
            422,
            "no such clause",
        ),
        (
            format!("what=reword&clause=1.99&on=0&{words}"),
            409,
            "no clause 1.99",
        ),
        (
            format!("what=burn&clause=1.1&on=0&{words}"),
            422,
            "no such clause",
        ),
        (
            format!("what=withdraw&clause=1.1&on=0&{words}"),
            409,
            "as shipped",
        ),
        (
            "what=reword&clause=1.1&on=0&zh=x&en=&by=Wang".to_owned(),
            409,
            "in Chinese and in English",
        ),
        (
            format!("what=add&chapter=garden&live=rounds&on=0&{words}"),
            422,
            "no such clause",
        ),
        (
            format!("what=reword&clause=1.1&on=7&{words}"),
            409,
            "look at it",
        ),
        (
            format!("what=reword&clause=1.1&on=-1&{words}"),
            422,
            "could not be read",
        ),
    ] {
        office.refused(&post(&body), before, status, says);
    }
    let reword = format!("what=reword&clause=1.1&on=0&{words}");
    assert_eq!(post(&reword).status, 303);
    // Sent again, it is an edit of an edition that is not the newest any more.
    office.refused(&post(&reword), before + 1, 409, "look at it");
    for (path, status) in [
        ("/procedure/0", 200),
        ("/procedure/1", 200),
        ("/procedure/2", 404),
        ("/procedure/x", 404),
    ] {
        assert_eq!(office.gateway.get(path).status, status, "{path}");
    }
}

#[test]
fn a_step_is_taken_once_at_an_alert_that_is_there() {
    let office = office();
    let mut hot = alert(7, 0, 38.6);
    hot.raised = office.gateway.clock.now();
    let path = format!("/alerts/{}/step", hot.id);
    office.store.record(&[Event::AlertRaised(hot)]).unwrap();
    let post = |path: &str, body: &str| office.gateway.post(path, body);
    let before = office.all_lines();
    for (path, body, status, says) in [
        (
            path.as_str(),
            "step=no-such-step&by=Li",
            409,
            "no step no-such-step",
        ),
        (path.as_str(), "step=&by=Li", 422, "no such step"),
        (path.as_str(), "step=take-aside&by=", 422, "name"),
        ("/alerts/9-9/step", "step=take-aside&by=Li", 404, ""),
        ("/alerts/x/step", "step=take-aside&by=Li", 404, ""),
    ] {
        office.refused(&post(path, body), before, status, says);
    }
    for _ in 0..2 {
        assert_eq!(post(&path, "step=take-aside&by=Li").status, 303);
    }
    let other = post(&path, "step=take-aside&by=Wang");
    office.refused(&other, before + 1, 409, "Li has done this already");
    let alerts = office.gateway.get("/api/v1/alerts").json();
    let steps = alerts[0]["steps"].as_array().unwrap();
    assert_eq!(
        (steps.len(), &steps[0]["by"]),
        (1, &serde_json::json!("Li"))
    );
    let page = office.gateway.get("/").body;
    assert!(page.contains("value=\"accompany\"") && !page.contains("value=\"take-aside\""));
}

#[test]
fn days_that_cannot_be_looked_back_on_are_said() {
    let office = office();
    for (path, status) in [
        ("/look-back", 200),
        ("/look-back?from=2020-02-01&until=2020-02-20", 200),
        ("/look-back?from=2020-02-20&until=2020-02-01", 422),
        ("/look-back?from=2020-01-01&until=2021-01-01", 422),
        ("/look-back?from=soon&until=2020-02-01", 422),
        ("/look-back?from=2020-02-01", 422),
        ("/look-back/day/2020-02-30", 404),
        ("/look-back/day/2020-02-20", 200),
        ("/look-back/item/off-lead", 200),
        ("/look-back/item/off-nothing", 404),
        ("/look-back/item/..", 404),
    ] {
        let answer = office.gateway.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
}

#[test]
fn where_the_clock_was_never_set_the_pages_say_so_and_write_nothing() {
    let office = office();
    let before = office.all_lines();
    let now = office.gateway.clock.now().wall.0;
    office.gateway.clock.step_wall(3_600_000 - now);
    for path in ["/rounds", "/report", "/pledge", "/look-back"] {
        let answer = office.gateway.get(path);
        assert_eq!(answer.status, 409, "{path}");
        assert!(answer.body.contains("请先校时"), "{path}");
    }
    let named = office
        .gateway
        .post("/pledge/owner", "category=gate&owner=Li&by=Wang");
    office.refused(&named, before, 409, "set it");
    // An emergency does not wait for a clock.
    let hot = alert(7, 0, 38.6);
    let step = format!("/alerts/{}/step", hot.id);
    office.store.record(&[Event::AlertRaised(hot)]).unwrap();
    assert_eq!(office.gateway.get("/procedure").status, 200);
    let taken = office.gateway.post(&step, "step=take-aside&by=Li");
    assert_eq!(taken.status, 303);
    assert_eq!(office.lines(LineKind::StepTaken), 1);
}
