//! What goes over the wire: JSON with a version, `"v":1`.
//!
//! Leaves the building: counts, verdicts, temperatures, times, ids. Does not: names of staff or
//! visitors, reasons in free text, pictures. In relative mode (`"basis":"population"`) there is no
//! temperature, only a difference to the people before. Temperatures have two decimals (machines compare
//! them; people are shown one), uncertainties are expanded (U, k = 2). Times are RFC 3339 in UTC,
//! with `clock` saying whether they can be believed. (`epoch`, `seq`) is the key: a message may
//! come twice, and is counted once.
//!
//! A screening that raised no alert causes no message: one for each healthy visitor is nobody's
//! business in the street. Tallies are a later issue.

use super::topic::{Address, Topic};
use crate::alert::{Alert, Outcome};
use crate::clock::{ClockTrust, Stamp, WallTime};
use crate::event::{Event, Fault};
use crate::id::{AlertId, Channel, DeviceEpoch, MessageKey};
use crate::journal::{Keep, OutboxMessage};
use crate::screening::{Difference, Verdict, basis_word};
use serde::Serialize;
use std::time::Duration;

/// Version of the payloads.
const V: u8 = 1;

/// Older than this when it goes out, a message is marked `late`: the street's screens must not
/// sound a siren for last night's alert.
const LATE: Duration = Duration::from_mins(1);

/// Most ids in the list of open alerts, so that it stays far below a broker's limit.
const MOST_IDS: usize = 200;

/// Whether the gateway is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Connected.
    Online,
    /// Stopped on purpose.
    Stopped,
    /// Gone without a word; the broker says so, as the last will.
    Offline,
}

impl Presence {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Stopped => "stopped",
            Self::Offline => "offline",
        }
    }
}

/// Alerts that are not resolved; the wiring tells the link whenever they change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenAlerts(pub Vec<AlertId>);

/// `status/gateway`.
#[derive(Debug, Serialize)]
struct StatusPayload<'a> {
    v: u8,
    state: &'static str,
    epoch: &'a str,
    version: &'a str,
    /// What this gateway measures against.
    basis: &'static str,
    /// The will is written when the connection begins and cannot know when it will be needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

/// `event/alert`.
#[derive(Debug, Serialize)]
struct AlertPayload<'a> {
    v: u8,
    epoch: &'a str,
    seq: u64,
    id: String,
    kind: &'static str,
    at: String,
    clock: &'static str,
    gate: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    raised: Option<RaisedPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

/// What only a raised alert says; later messages of the same alert carry its id.
#[derive(Debug, Serialize)]
struct RaisedPart {
    verdict: &'static str,
    basis: &'static str,
    #[serde(flatten)]
    value: ValuePart,
    looks: u32,
}

/// A temperature, or what is left of one without a reference.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ValuePart {
    Absolute {
        face_c: f64,
        face_u_k: f64,
        estimate_c: f64,
        estimate_u_k: f64,
        threshold_c: f64,
    },
    Relative {
        difference_k: f64,
        difference_u_k: f64,
        threshold_k: f64,
        people: u32,
    },
}

/// `event/fault`.
#[derive(Debug, Serialize)]
struct FaultPayload<'a> {
    v: u8,
    epoch: &'a str,
    seq: u64,
    kind: &'static str,
    fault: &'static str,
    at: String,
    clock: &'static str,
    gate: &'a str,
}

/// `event/void`: under these numbers nothing will come any more.
#[derive(Debug, Serialize)]
struct VoidPayload<'a> {
    v: u8,
    epoch: &'a str,
    seq: u64,
    /// Whose numbers: `epoch`, or one before it.
    of_epoch: &'a str,
    /// First and last; a last number of `null` is the end of that epoch.
    numbers: Vec<(u64, Option<u64>)>,
    why: &'static str,
    at: String,
    clock: &'static str,
    gate: &'a str,
}

/// `state/alerts`.
#[derive(Debug, Serialize)]
struct AlertsPayload<'a> {
    v: u8,
    epoch: &'a str,
    open: usize,
    ids: Vec<String>,
    at: String,
    clock: &'static str,
}

/// Two decimals.
fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// RFC 3339 in UTC. A wall clock beyond the years −9999…9999 is shown at that end.
fn rfc3339(wall: WallTime) -> String {
    jiff::Timestamp::from_millisecond(wall.0)
        .unwrap_or(if wall.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
        .to_string()
}

/// Bytes of a payload. The types above are strings, integers and finite numbers under fixed keys,
/// for which serde_json has no error.
fn bytes<T: Serialize>(payload: &T) -> Vec<u8> {
    serde_json::to_vec(payload).unwrap_or_default()
}

/// The word for an outcome: its kind, never its text.
const fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Confirmed(_) => "confirmed",
        Outcome::NotConfirmed(_) => "not_confirmed",
        Outcome::Referred => "referred",
        Outcome::Left => "left",
        Outcome::FalseAlarm { .. } => "false_alarm",
    }
}

/// The message that an event causes at the broker: what the store is given as its addressing.
#[must_use]
pub fn told(address: &Address, key: &MessageKey, event: &Event) -> Option<OutboxMessage> {
    let at = event.at();
    let alert = |id: AlertId, kind, raised, outcome| {
        let payload = AlertPayload {
            v: V,
            epoch: &key.epoch.0,
            seq: key.number.0,
            id: id.to_string(),
            kind,
            at: rfc3339(at.wall),
            clock: at.trust.as_str(),
            gate: address.gate.as_str(),
            raised,
            outcome,
        };
        Some(message(&Topic::alert_event(address), bytes(&payload)))
    };
    let fault = |fault: Fault, kind| {
        let payload = FaultPayload {
            v: V,
            epoch: &key.epoch.0,
            seq: key.number.0,
            kind,
            fault: fault.as_str(),
            at: rfc3339(at.wall),
            clock: at.trust.as_str(),
            gate: address.gate.as_str(),
        };
        Some(message(&Topic::fault_event(address), bytes(&payload)))
    };
    match event {
        Event::AlertReminded {
            alert: id, level, ..
        } => alert(*id, level.as_str(), None, None),
        Event::AlertRaised(it) => alert(it.id, "raised", Some(raised_part(it)), None),
        Event::AlertAcknowledged { alert: id, .. } => alert(*id, "acknowledged", None, None),
        Event::AlertResolved {
            alert: id, outcome, ..
        } => alert(*id, "resolved", None, Some(outcome_word(outcome))),
        Event::FaultRaised { fault: it, .. } => fault(*it, "raised"),
        Event::FaultCleared { fault: it, .. } => fault(*it, "cleared"),
        Event::NumbersVoid { numbers, .. } if numbers.channel == Channel::broker() => {
            let payload = VoidPayload {
                v: V,
                epoch: &key.epoch.0,
                seq: key.number.0,
                of_epoch: &numbers.epoch.0,
                numbers: numbers
                    .stretches
                    .iter()
                    .map(|(first, last)| (first.0, (last.0 < u64::MAX).then_some(last.0)))
                    .collect(),
                why: numbers.why.as_str(),
                at: rfc3339(at.wall),
                clock: at.trust.as_str(),
                gate: address.gate.as_str(),
            };
            Some(message(&Topic::void_event(address), bytes(&payload)))
        }
        Event::Screened(_) | Event::SelfChecked { .. } | Event::NumbersVoid { .. } => None,
    }
}

/// What was measured.
fn raised_part(alert: &Alert) -> RaisedPart {
    let reading = &alert.reading;
    let difference = Difference::of(reading);
    let u = hundredths(reading.estimate.u.expanded().kelvin());
    let value = match difference {
        Some(it) => ValuePart::Relative {
            difference_k: hundredths(it.above.kelvin()),
            difference_u_k: u,
            threshold_k: hundredths((alert.threshold - it.median).kelvin()),
            people: it.people,
        },
        None => ValuePart::Absolute {
            face_c: hundredths(reading.face.degrees()),
            face_u_k: hundredths(reading.u().expanded().kelvin()),
            estimate_c: hundredths(reading.estimate.value.degrees()),
            estimate_u_k: u,
            threshold_c: hundredths(alert.threshold.degrees()),
        },
    };
    RaisedPart {
        verdict: Verdict::PossibleFever.as_str(),
        basis: basis_word(difference.is_some()),
        value,
        looks: reading.looks,
    }
}

/// A message on a topic, retained as its class has it.
fn message(topic: &Topic, payload: Vec<u8>) -> OutboxMessage {
    OutboxMessage {
        topic: topic.to_string(),
        payload,
        retain: topic.class.retained(),
        keep: Keep::Always,
    }
}

/// Whether the gateway is there. `now` is `None` for the last will.
#[must_use]
pub(super) fn status(
    address: &Address,
    epoch: &DeviceEpoch,
    version: &str,
    basis: &'static str,
    presence: Presence,
    now: Option<&Stamp>,
) -> OutboxMessage {
    let payload = StatusPayload {
        v: V,
        state: presence.as_str(),
        epoch: &epoch.0,
        version,
        basis,
        clock: now.map(|now| now.trust.as_str()),
        at: now.map(|now| rfc3339(now.wall)),
    };
    message(&Topic::gateway_status(address), bytes(&payload))
}

/// Which alerts are open.
#[must_use]
pub(super) fn open_alerts(
    address: &Address,
    epoch: &DeviceEpoch,
    open: &OpenAlerts,
    now: &Stamp,
) -> OutboxMessage {
    let payload = AlertsPayload {
        v: V,
        epoch: &epoch.0,
        open: open.0.len(),
        ids: open
            .0
            .iter()
            .take(MOST_IDS)
            .map(ToString::to_string)
            .collect(),
        at: rfc3339(now.wall),
        clock: now.trust.as_str(),
    };
    message(&Topic::alerts_state(address), bytes(&payload))
}

/// Whether something is old news. Within one start of the gateway the monotonic clock decides;
/// across starts the wall clock does, where it was right both times; else it is taken as old.
#[must_use]
pub(super) fn is_late(happened: &Stamp, now: &Stamp) -> bool {
    if happened.boot == now.boot {
        return now.since(happened).is_some_and(|age| age > LATE);
    }
    let both = [happened.trust, now.trust] == [ClockTrust::Synchronised; 2];
    let age = now.wall.0.saturating_sub(happened.wall.0);
    !both || age.unsigned_abs() > LATE.as_millis() as u64
}

/// The same JSON object with `"late":true` at its end.
#[must_use]
pub(super) fn marked_late(mut payload: Vec<u8>) -> Vec<u8> {
    if payload.len() > 2 && payload.last() == Some(&b'}') {
        payload.pop();
        payload.extend_from_slice(b",\"late\":true}");
    }
    payload
}

#[cfg(test)]
mod tests {
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
}
