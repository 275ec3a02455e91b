//! What is sent, word for word.

use super::*;
use crate::alert::{AlertState, BodySite, ContactReading, ThermometerMode};
use crate::clock::BootId;
use crate::estimate::{Basis, BodyEstimate, Budget, Chain, Part, Reading};
use crate::id::{MessageNumber, TrackId};
use crate::units::{
    AmbientTemperature, Celsius, SkinTemperature, StandardUncertainty, TemperatureDelta,
};

fn stamp() -> Stamp {
    Stamp {
        boot: BootId(3),
        monotonic: Duration::from_secs(5),
        wall: WallTime(1_581_998_400_250),
        trust: ClockTrust::Unsynchronised,
    }
}

fn id() -> AlertId {
    AlertId {
        boot: BootId(3),
        track: TrackId(17),
    }
}

fn address() -> Address {
    Address::new("dongfang", "no-12", "main").unwrap()
}

fn epoch() -> DeviceEpoch {
    DeviceEpoch("5f0c2b7e-0000-4000-8000-000000000001".to_owned())
}

/// Topic, payload and flag of the one message of this event.
fn text_of(event: &Event) -> String {
    let key = MessageKey {
        epoch: epoch(),
        number: MessageNumber(42),
    };
    shown(&told(&address(), &key, event).unwrap())
}

fn shown(message: &OutboxMessage) -> String {
    let text = std::str::from_utf8(&message.payload).unwrap();
    format!("{} {} {text}", message.topic, message.retain)
}

fn raised() -> Event {
    let u = |kelvin| StandardUncertainty::new(kelvin).unwrap();
    Event::AlertRaised(Alert {
        id: id(),
        raised: stamp(),
        reading: Reading {
            face: SkinTemperature(Celsius::literal(36.584_9)),
            canthi: None,
            forehead: None,
            estimate: BodyEstimate {
                value: Celsius::literal(38.125_1),
                u: u(0.35),
            },
            looks: 7,
            spread: TemperatureDelta::literal(0.12),
            chain: Chain {
                apparent: Celsius::literal(36.1),
                offset: TemperatureDelta::literal(0.48),
                size_of_source: TemperatureDelta::ZERO,
                ambient: AmbientTemperature(Celsius::literal(21.5)),
            },
            basis: Basis::Reference,
            budget: Budget::default().with(Part::Reference, 0.21),
        },
        threshold: Celsius::literal(37.3),
        state: AlertState::Open,
    })
}

#[test]
fn a_raised_alert() {
    insta::assert_snapshot!(text_of(&raised()), @r#"menshen/v1/dongfang/no-12/main/event/alert false {"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","seq":42,"id":"3-17","kind":"raised","at":"2020-02-18T04:00:00.25Z","clock":"unsynced","gate":"main","verdict":"possible_fever","basis":"reference","face_c":36.58,"face_u_k":0.42,"estimate_c":38.13,"estimate_u_k":0.7,"threshold_c":37.3,"looks":7}"#);
}

#[test]
fn a_raised_alert_without_a_reference_tells_a_difference_and_no_temperature() {
    let Event::AlertRaised(mut alert) = raised() else {
        panic!("no alert")
    };
    alert.reading.basis = Basis::Population {
        people: 120,
        median: Celsius::literal(36.9),
    };
    alert.threshold = Celsius::literal(37.8);
    insta::assert_snapshot!(text_of(&Event::AlertRaised(alert)), @r#"menshen/v1/dongfang/no-12/main/event/alert false {"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","seq":42,"id":"3-17","kind":"raised","at":"2020-02-18T04:00:00.25Z","clock":"unsynced","gate":"main","verdict":"possible_fever","basis":"population","difference_k":1.23,"difference_u_k":0.7,"threshold_k":0.9,"people":120,"looks":7}"#);
}

#[test]
fn an_acknowledged_alert_names_nobody() {
    let event = Event::AlertAcknowledged {
        alert: id(),
        by: "王芳".to_owned(),
        at: stamp(),
    };
    insta::assert_snapshot!(text_of(&event), @r#"menshen/v1/dongfang/no-12/main/event/alert false {"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","seq":42,"id":"3-17","kind":"acknowledged","at":"2020-02-18T04:00:00.25Z","clock":"unsynced","gate":"main"}"#);
}

#[test]
fn a_resolved_alert_tells_the_kind_of_outcome_only() {
    let event = Event::AlertResolved {
        alert: id(),
        by: "李强".to_owned(),
        at: stamp(),
        outcome: Outcome::FalseAlarm {
            reason: "hot tea of 王芳".to_owned(),
        },
    };
    insta::assert_snapshot!(text_of(&event), @r#"menshen/v1/dongfang/no-12/main/event/alert false {"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","seq":42,"id":"3-17","kind":"resolved","at":"2020-02-18T04:00:00.25Z","clock":"unsynced","gate":"main","outcome":"false_alarm"}"#);
    let contact = ContactReading {
        device: "ours".to_owned(),
        site: BodySite::Ear,
        mode: ThermometerMode::Fast,
        value: Celsius::literal(38.4),
    };
    let words = [
        Outcome::Confirmed(contact.clone()),
        Outcome::NotConfirmed(contact),
        Outcome::Referred,
        Outcome::Left,
    ]
    .map(|outcome| outcome_word(&outcome));
    assert_eq!(words, ["confirmed", "not_confirmed", "referred", "left"]);
}

#[test]
fn faults_come_and_go() {
    let (fault, at) = (Fault::ReferenceLost, stamp());
    insta::assert_snapshot!(text_of(&Event::FaultRaised { fault, at }), @r#"menshen/v1/dongfang/no-12/main/event/fault false {"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","seq":42,"kind":"raised","fault":"reference_lost","at":"2020-02-18T04:00:00.25Z","clock":"unsynced","gate":"main"}"#);
    insta::assert_snapshot!(text_of(&Event::FaultCleared { fault, at }), @r#"menshen/v1/dongfang/no-12/main/event/fault false {"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","seq":42,"kind":"cleared","fault":"reference_lost","at":"2020-02-18T04:00:00.25Z","clock":"unsynced","gate":"main"}"#);
}

#[test]
fn the_status_is_retained_and_the_will_has_no_time() {
    let now = stamp();
    let say = |presence, now| {
        shown(&status(
            &address(),
            &epoch(),
            "0.1.0",
            "reference",
            presence,
            now,
        ))
    };
    insta::assert_snapshot!(say(Presence::Online, Some(&now)), @r#"menshen/v1/dongfang/no-12/main/status/gateway true {"v":1,"state":"online","epoch":"5f0c2b7e-0000-4000-8000-000000000001","version":"0.1.0","basis":"reference","clock":"unsynced","at":"2020-02-18T04:00:00.25Z"}"#);
    insta::assert_snapshot!(say(Presence::Stopped, Some(&now)), @r#"menshen/v1/dongfang/no-12/main/status/gateway true {"v":1,"state":"stopped","epoch":"5f0c2b7e-0000-4000-8000-000000000001","version":"0.1.0","basis":"reference","clock":"unsynced","at":"2020-02-18T04:00:00.25Z"}"#);
    insta::assert_snapshot!(say(Presence::Offline, None), @r#"menshen/v1/dongfang/no-12/main/status/gateway true {"v":1,"state":"offline","epoch":"5f0c2b7e-0000-4000-8000-000000000001","version":"0.1.0","basis":"reference"}"#);
}

#[test]
fn open_alerts_are_counted_all_and_listed_up_to_a_bound() {
    let say = |open| shown(&open_alerts(&address(), &epoch(), &open, &stamp()));
    insta::assert_snapshot!(say(OpenAlerts(vec![id()])), @r#"menshen/v1/dongfang/no-12/main/state/alerts true {"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","open":1,"ids":["3-17"],"at":"2020-02-18T04:00:00.25Z","clock":"unsynced"}"#);
    let longest = AlertId {
        boot: BootId(u64::MAX),
        track: TrackId(u64::MAX),
    };
    let many = open_alerts(
        &address(),
        &epoch(),
        &OpenAlerts(vec![longest; 5000]),
        &stamp(),
    );
    assert!(many.payload.len() < 16 * 1024);
    assert!(shown(&many).contains("\"open\":5000"));
}

#[test]
fn late_is_decided_by_the_clock_that_can_be_believed() {
    let then = stamp();
    let later = |seconds: u64| Stamp {
        monotonic: then.monotonic + Duration::from_secs(seconds),
        // The network's time stepped the wall clock by a year.
        wall: WallTime(then.wall.0 + 31_536_000_000),
        ..then
    };
    assert!(!is_late(&then, &later(60)));
    assert!(is_late(&then, &later(61)));
    let synced = Stamp {
        trust: ClockTrust::Synchronised,
        ..then
    };
    let next_boot = |seconds: i64| Stamp {
        boot: BootId(4),
        wall: WallTime(then.wall.0 + seconds * 1000),
        ..synced
    };
    assert!(!is_late(&synced, &next_boot(30)));
    assert!(is_late(&synced, &next_boot(61)));
    assert!(
        is_late(&then, &next_boot(30)),
        "one clock was not set: unknown is old"
    );
}

#[test]
fn the_late_mark_keeps_the_json_whole() {
    assert_eq!(
        marked_late(b"{\"v\":1}".to_vec()),
        b"{\"v\":1,\"late\":true}"
    );
    assert_eq!(marked_late(b"{}".to_vec()), b"{}");
}

#[test]
fn a_wall_clock_that_is_far_off_is_still_a_time() {
    assert_eq!(rfc3339(WallTime(0)), "1970-01-01T00:00:00Z");
    assert!(rfc3339(WallTime(i64::MAX)).starts_with("9999-"));
    assert!(rfc3339(WallTime(i64::MIN)).starts_with("-009999-"));
}
