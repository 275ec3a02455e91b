//! Staff are reminded once a day: counts by the notifiers, names on the page.

use super::fortnight::health;
use super::{Lab, desk, li, sign};
use menshen::config::people::rules_of;
use menshen::event::Event;
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Outbox as _, SafeAt};
use menshen::notify::notice::{Hears, Place};
use menshen::people::{By, Field, Lack, Search, Source};
use menshen::store::{Route, Store};
use std::time::Duration;

fn notifier() -> Route {
    let place = Place {
        building: "海鸥大厦".to_owned(),
        gate: "东门".to_owned(),
        words: |_| ("", ""),
    };
    let hears = Hears {
        alerts: true,
        outcomes: true,
        reminders: true,
        faults: true,
    };
    Route {
        channel: Channel::notifier("webhook"),
        address: Box::new(move |key, event| place.message(hears, key, event)),
    }
}

/// What waits for the notifier, as text.
fn told(store: &Store) -> Vec<String> {
    let channel = Channel::notifier("webhook");
    let rows = store.waiting(&channel, SafeAt::Broker, MessageNumber(0), 100);
    let text = |it: menshen::journal::OutboxRow| String::from_utf8(it.message.payload).unwrap();
    rows.unwrap().into_iter().map(text).collect()
}

#[test]
fn staff_are_reminded_once_a_day_by_numbers_alone() {
    let lab = Lab::with(vec![notifier()]);
    let wang = lab.enter(
        Source::Gate,
        &[
            (Field::Name, "王芳"),
            (Field::Phone, "13800138000"),
            (Field::From, "湖北武汉"),
            (Field::Arrived, "2020-02-09"),
        ],
    );
    let zhao = lab.enter(
        Source::Household,
        &[
            (Field::Name, "赵强"),
            (Field::From, "浙江温州"),
            (Field::Expected, "2020-02-08"),
        ],
    );
    assert_eq!(lab.desk.remind(lab.now()), Ok(false), "nine in the morning");
    lab.clock.advance(Duration::from_hours(7));
    assert_eq!(lab.desk.remind(lab.now()), Ok(true), "at four");
    assert_eq!(lab.desk.remind(lab.now()), Ok(false));
    let after_a_restart = desk(&lab.store, &lab.folder.path().join("people.key"));
    assert_eq!(after_a_restart.remind(lab.now()), Ok(false));
    let told = told(&lab.store);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("今日未登记健康1人，到期未办1人") && told[0].contains("people_due"),
        "{}",
        told[0]
    );
    for secret in ["王芳", "赵强", "13800138000", "武汉", "温州"] {
        assert!(!told[0].contains(secret), "{}", told[0]);
    }
    let events = lab.store.events(Sequence(0), 100).unwrap();
    let of_people = |it: &&menshen::journal::Recorded| matches!(it.event, Event::PeopleDue { .. });
    assert_eq!(events.iter().filter(of_people).count(), 1);
    assert_eq!(lab.store.audit(1).unwrap()[0].subject, "2020-02-10");

    // Who it is stands on the page.
    let late = |by| lab.desk.people(&Search::by(by), &li(), lab.now()).unwrap();
    let unsaid = late(By::Unsaid(lab.today()));
    assert_eq!(unsaid[0].person.id, wang);
    let due = late(By::Due(lab.today()));
    assert_eq!(
        (due[0].person.id, due[0].lacks.as_slice()),
        (zhao, &[Lack::NotArrived][..])
    );

    // With everything said and done, nobody is reminded.
    lab.days_later(1);
    let entered = health(&lab, 36.5);
    lab.desk.enter_health(wang, &entered, lab.now()).unwrap();
    let gone = (None, lab.today());
    lab.desk.move_to(zhao, gone, &sign(), lab.now()).unwrap();
    assert_eq!(lab.desk.remind(lab.now()), Ok(false));
    lab.days_later(1);
    assert_eq!(
        lab.desk.remind(lab.now()),
        Ok(true),
        "the next day it is missing again"
    );
}

#[test]
fn without_an_hour_in_the_rules_nobody_is_reminded() {
    let rules = include_str!("../../src/people/rules.toml").replace("remind_at = ", "# ");
    assert_eq!(rules_of(&rules, "rules.toml").unwrap().remind_at, None);
}
