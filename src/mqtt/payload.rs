//! What goes over the wire: JSON with a version, `"v":1`.
//!
//! Leaves the building: counts, verdicts, temperatures, times, ids. Does not: names of staff or
//! visitors, pictures. What people write into a reason or a remark of the day's report is theirs, and the
//! page says beside the field that it leaves the building. In relative mode (`"basis":"population"`) there is no
//! temperature, only a difference to the people before. Temperatures have two decimals (machines compare
//! them; people are shown one), uncertainties are expanded (U, k = 2). Times are RFC 3339 in UTC,
//! with `clock` saying whether they can be believed. (`epoch`, `seq`) is the key: a message may
//! come twice, and is counted once.
//!
//! A screening that raised no alert causes no message: one for each healthy visitor is nobody's
//! business in the street. Tallies are a later issue.

mod follow_up;
mod report;

pub use follow_up::FollowUpState;
pub(super) use follow_up::follow_up;
pub use report::ChecklistState;
pub(super) use report::checklist;

use super::answer;
use super::topic::{Address, Topic};
use crate::alert::{Alert, Outcome};
use crate::clock::{ClockTrust, Stamp, WallTime};
use crate::event::{Event, Fault};
use crate::id::{AlertId, Channel, DeviceEpoch, MessageKey};
use crate::journal::{Keep, OutboxMessage};
use crate::screening::{Difference, Verdict, basis_word};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// Version of the payloads.
pub(super) const V: u8 = 1;

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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// The step of the emergency clause that was taken, and the edition of the procedure that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edition: Option<u32>,
}

/// What only a raised alert says; later messages of the same alert carry its id.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RaisedPart {
    verdict: &'static str,
    basis: &'static str,
    #[serde(flatten)]
    value: ValuePart,
    looks: u32,
}

/// A temperature, or what is left of one without a reference.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct AlertsPayload<'a> {
    v: u8,
    epoch: &'a str,
    open: usize,
    ids: Vec<String>,
    at: String,
    clock: &'static str,
}

/// `state/faults`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FaultsPayload<'a> {
    v: u8,
    epoch: &'a str,
    standing: Vec<&'static str>,
    at: String,
    clock: &'static str,
}

/// Two decimals.
fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// RFC 3339 in UTC. A wall clock beyond the years −9999…9999 is shown at that end.
pub(super) fn rfc3339(wall: WallTime) -> String {
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
pub(super) fn bytes<T: Serialize>(payload: &T) -> Vec<u8> {
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
    let alert = |id: AlertId, kind| AlertPayload {
        v: V,
        epoch: &key.epoch.0,
        seq: key.number.0,
        id: id.to_string(),
        kind,
        at: rfc3339(at.wall),
        clock: at.trust.as_str(),
        gate: address.gate.as_str(),
        raised: None,
        outcome: None,
        step: None,
        edition: None,
    };
    let of_alert =
        |payload: AlertPayload<'_>| Some(message(&Topic::alert_event(address), bytes(&payload)));
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
        } => of_alert(alert(*id, level.as_str())),
        Event::AlertRaised(it) => of_alert(AlertPayload {
            raised: Some(raised_part(it)),
            ..alert(it.id, "raised")
        }),
        Event::AlertAcknowledged { alert: id, .. } => of_alert(alert(*id, "acknowledged")),
        Event::AlertResolved {
            alert: id, outcome, ..
        } => of_alert(AlertPayload {
            outcome: Some(outcome_word(outcome)),
            ..alert(*id, "resolved")
        }),
        Event::AlertStepTaken {
            alert: id,
            step,
            edition,
            ..
        } => of_alert(AlertPayload {
            step: Some(step.as_str()),
            edition: Some(*edition),
            ..alert(*id, "step")
        }),
        Event::FaultRaised { fault: it, .. } => fault(*it, "raised"),
        Event::FaultCleared { fault: it, .. } => fault(*it, "cleared"),
        Event::Reported { report, part, .. } => {
            Some(report::report(address, key, report, *part, &at))
        }
        Event::Commanded { asked, .. } => Some(answer::done(address, key, asked, &at)),
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
        // How many people are due the street has by `state/followup`.
        Event::Screened(_)
        | Event::SelfChecked { .. }
        | Event::PeopleDue { .. }
        | Event::NumbersVoid { .. } => None,
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
pub(super) fn message(topic: &Topic, payload: Vec<u8>) -> OutboxMessage {
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

/// Which faults stand.
#[must_use]
pub(super) fn faults(
    address: &Address,
    epoch: &DeviceEpoch,
    standing: &BTreeSet<Fault>,
    now: &Stamp,
) -> OutboxMessage {
    let payload = FaultsPayload {
        v: V,
        epoch: &epoch.0,
        standing: standing.iter().map(|fault| fault.as_str()).collect(),
        at: rfc3339(now.wall),
        clock: now.trust.as_str(),
    };
    message(&Topic::faults_state(address), bytes(&payload))
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
pub(super) mod schemas {
    use super::{
        AlertPayload, AlertsPayload, FaultPayload, FaultsPayload, StatusPayload, VoidPayload,
        follow_up::FollowUpPayload,
        report::{ChecklistPayload, ReportPayload},
    };
    use schemars::{Schema, schema_for};

    /// The form of each payload that goes out, by the end of its topic.
    pub(in crate::mqtt) fn all() -> Vec<(&'static str, Schema)> {
        vec![
            ("status-gateway", schema_for!(StatusPayload<'_>)),
            ("event-alert", schema_for!(AlertPayload<'_>)),
            ("event-fault", schema_for!(FaultPayload<'_>)),
            ("event-void", schema_for!(VoidPayload<'_>)),
            ("state-alerts", schema_for!(AlertsPayload<'_>)),
            ("state-faults", schema_for!(FaultsPayload<'_>)),
            ("state-checklist", schema_for!(ChecklistPayload<'_>)),
            ("state-followup", schema_for!(FollowUpPayload<'_>)),
            ("report", schema_for!(ReportPayload<'_>)),
        ]
    }
}
#[cfg(test)]
mod tests;
