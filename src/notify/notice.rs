//! What an event comes to in a sentence, Chinese first; and many of them in one.

use crate::clock::{ClockTrust, Stamp, WallTime};
use crate::event::{Escalation, Event, Fault};
use crate::id::MessageKey;
use crate::journal::{Keep, OutboxMessage};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Version of the JSON.
const V: u8 = 1;

/// Older than this when it goes out, a message begins with the word that it is late.
const LATE: Duration = Duration::from_mins(2);

/// The words for a fault, Chinese and English: the pages' table, which this module may not see.
pub type FaultWords = fn(Fault) -> (&'static str, &'static str);

/// Where this gateway stands, for people.
#[derive(Clone, Debug)]
pub struct Place {
    /// The building.
    pub building: String,
    /// The door.
    pub gate: String,
    /// The words for faults.
    pub words: FaultWords,
}

/// Which events a notifier hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hears {
    /// Possible fevers.
    pub alerts: bool,
    /// What became of them, too: for machines; people in a chat need no message that all is well.
    pub outcomes: bool,
    /// Alerts that wait, and people of the register who are due.
    pub reminders: bool,
    /// Faults of the gateway.
    pub faults: bool,
}

/// One event, for people and for machines. This is what the outbox keeps, what the local program reads and
/// what the webhook posts: fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Version of this format.
    v: u8,
    /// Database and number of the message: whoever gets it twice counts it once. Not there for the local
    /// program, which runs before anything is saved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    epoch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    seq: Option<u64>,
    /// The event's word.
    pub kind: String,
    /// RFC 3339, UTC.
    at: String,
    /// Whether to believe that.
    clock: String,
    building: String,
    gate: String,
    /// The alert.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    id: Option<String>,
    /// Who is to hear of an alert that waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    fault: Option<String>,
    /// The sentence.
    zh: String,
    en: String,
}

/// What is posted for one notice or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// For people.
    pub text: String,
    /// For machines.
    pub json: Vec<u8>,
}

/// What is posted for several, for machines.
#[derive(Debug, Serialize)]
struct Digest<'a> {
    v: u8,
    kind: &'static str,
    building: &'a str,
    gate: &'a str,
    count: usize,
    kinds: BTreeMap<&'a str, usize>,
    from: &'a str,
    to: &'a str,
    /// The notices themselves: nothing is lost in a digest.
    notices: &'a [Notice],
}

fn rfc3339(wall: WallTime) -> String {
    let end = if wall.0 < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(wall.0)
        .unwrap_or(end)
        .to_string()
}

/// Hours and minutes here, as people say them.
fn o_clock(rfc3339: &str) -> String {
    rfc3339.parse::<Timestamp>().map_or_else(
        |_| "–".to_owned(),
        |at| {
            at.to_zoned(TimeZone::system())
                .strftime("%H:%M")
                .to_string()
        },
    )
}

/// Kinds of events, and their words in a digest.
const KINDS: [(&str, &str, &str); 7] = [
    ("alert_raised", "疑似发热", "possible fever"),
    ("alert_reminded", "等待中的警报", "alerts that wait"),
    ("alert_acknowledged", "已接手", "taken"),
    ("alert_resolved", "已处理", "resolved"),
    ("fault_raised", "设备故障", "faults"),
    ("fault_cleared", "故障解除", "faults over"),
    ("people_due", "人员跟进提醒", "follow-up reminders"),
];

impl Place {
    /// What an event comes to; `None` where nobody needs to be told.
    #[must_use]
    pub fn notice(&self, event: &Event) -> Option<Notice> {
        let gate = &self.gate;
        let (mut id, mut level, mut fault) = (None, None, None);
        let (zh, en) = match event {
            Event::AlertRaised(alert) => {
                id = Some(alert.id);
                (
                    format!("疑似发热，请到{gate}用接触式体温计复测"),
                    format!("Possible fever at {gate}: measure again with a contact thermometer"),
                )
            }
            Event::AlertReminded {
                alert, level: to, ..
            } => {
                id = Some(*alert);
                level = Some(to.as_str().to_owned());
                let (zh, en) = match to {
                    Escalation::Reminder => ("警报仍未处理完，请尽快处理", "still waits"),
                    Escalation::Manager => (
                        "警报无人接手，请物业经理处理",
                        "nobody has taken it: property manager, please",
                    ),
                    Escalation::Street => (
                        "警报长时间无人接手，请街道办跟进",
                        "nobody has taken it for long: street office, please",
                    ),
                };
                (format!("{gate}：{zh}"), format!("Alert at {gate}: {en}"))
            }
            Event::AlertAcknowledged { alert, .. } => {
                id = Some(*alert);
                (
                    format!("{gate}的警报已有人接手"),
                    format!("Somebody looks after the alert at {gate}"),
                )
            }
            Event::AlertResolved { alert, .. } => {
                id = Some(*alert);
                (
                    format!("{gate}的警报已处理"),
                    format!("The alert at {gate} is resolved"),
                )
            }
            Event::FaultRaised { fault: it, .. } => {
                fault = Some(it.as_str().to_owned());
                let (zh, en) = (self.words)(*it);
                (
                    format!("{gate}设备故障：{zh}"),
                    format!("Fault at {gate}: {en}"),
                )
            }
            Event::FaultCleared { fault: it, .. } => {
                fault = Some(it.as_str().to_owned());
                let (zh, en) = (self.words)(*it);
                (
                    format!("{gate}设备故障解除：{zh}"),
                    format!("Over at {gate}: {en}"),
                )
            }
            Event::PeopleDue { reminder, .. } => {
                let (unsaid, overdue) = (reminder.unsaid, reminder.overdue);
                (
                    format!(
                        "{gate}人员跟进：今日未登记健康{unsaid}人，到期未办{overdue}人，请在本机页面办理"
                    ),
                    format!(
                        "Follow-up at {gate}: today's health missing of {unsaid}, overdue {overdue}; see \
                         the gateway's page"
                    ),
                )
            }
            // Nothing that somebody must be called for.
            _ => return None,
        };
        let at = event.at();
        Some(Notice {
            v: V,
            epoch: None,
            seq: None,
            kind: event.kind().to_owned(),
            at: rfc3339(at.wall),
            clock: at.trust.as_str().to_owned(),
            building: self.building.clone(),
            gate: gate.clone(),
            id: id.map(|id| id.to_string()),
            level,
            fault,
            zh,
            en,
        })
    }

    /// The message for the outbox of a notifier that hears of this.
    #[must_use]
    pub fn message(&self, hears: Hears, key: &MessageKey, event: &Event) -> Option<OutboxMessage> {
        let wanted = match event {
            Event::AlertRaised(_) => hears.alerts,
            Event::AlertAcknowledged { .. } | Event::AlertResolved { .. } => {
                hears.alerts && hears.outcomes
            }
            Event::AlertReminded { .. } | Event::PeopleDue { .. } => hears.reminders,
            Event::FaultRaised { .. } | Event::FaultCleared { .. } => hears.faults,
            _ => false,
        };
        let mut notice = self.notice(event).filter(|_| wanted)?;
        notice.epoch = Some(key.epoch.0.clone());
        notice.seq = Some(key.number.0);
        Some(OutboxMessage {
            topic: notice.kind.clone(),
            payload: notice.json(),
            retain: false,
            keep: Keep::Always,
        })
    }
}

impl Notice {
    /// As JSON. Strings and a number under fixed keys have no error.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// One of the outbox.
    ///
    /// # Errors
    /// Where a newer version has written it in a way that this one does not know.
    pub fn read(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }

    /// The time, and where the clock was not set, that.
    fn when(&self) -> String {
        let doubt = if self.clock == ClockTrust::Synchronised.as_str() {
            ""
        } else {
            "（时间未校准）"
        };
        format!("{}{doubt}", o_clock(&self.at))
    }
}

/// Whether something that happened then is told late.
#[must_use]
pub fn is_late(at: &Stamp, now: &Stamp) -> bool {
    now.since(at).is_none_or(|age| age > LATE)
}

/// One notice, or a digest of several; `late` where the newest of them is no news any more.
#[must_use]
pub fn letter(notices: &[Notice], late: bool) -> Option<Letter> {
    let (first, last) = (notices.first()?, notices.last()?);
    let (zh_late, en_late) = if late {
        ("【迟到】", "(late) ")
    } else {
        ("", "")
    };
    let building = &first.building;
    if notices.len() == 1 {
        let number = first
            .id
            .as_ref()
            .map_or_else(String::new, |id| format!(" · {id}"));
        let (zh, en, when) = (&first.zh, &first.en, first.when());
        return Some(Letter {
            text: format!("{zh_late}【{building}】{zh}\n{when}{number}\n{en_late}{en}"),
            json: first.json(),
        });
    }
    let mut kinds = BTreeMap::new();
    for notice in notices {
        *kinds.entry(notice.kind.as_str()).or_insert(0) += 1;
    }
    let each = |chinese: bool| {
        let words = KINDS.iter().filter_map(|(kind, zh, en)| {
            let count = kinds.get(kind)?;
            Some(format!("{} {count}", if chinese { zh } else { en }))
        });
        words
            .collect::<Vec<_>>()
            .join(if chinese { "，" } else { ", " })
    };
    let (count, gate) = (notices.len(), &first.gate);
    let (from, to) = (first.when(), last.when());
    let text = format!(
        "{zh_late}【{building}】{gate}共 {count} 条消息：{}\n{from} 至 {to}，逐条见本机页面\n{en_late}{count} \
         messages from {gate}: {}. Each is on the gateway's page.",
        each(true),
        each(false)
    );
    let digest = Digest {
        v: V,
        kind: "digest",
        building,
        gate,
        count,
        kinds,
        from: &first.at,
        to: &last.at,
        notices,
    };
    Some(Letter {
        text,
        json: serde_json::to_vec(&digest).unwrap_or_default(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::alert::Outcome;
    use crate::alert::tests::{alert, stamp};
    use crate::id::{DeviceEpoch, MessageNumber};
    use crate::people::Reminder;

    pub(crate) fn place() -> Place {
        Place {
            building: "海鸥大厦".to_owned(),
            gate: "东门".to_owned(),
            words: |_| ("相机没有画面", "Camera silent"),
        }
    }

    fn all() -> [Event; 7] {
        let (at, fault) = (stamp(1), Fault::CameraSilent);
        let it = alert(17, at);
        let (alert, by) = (it.id, "王芳".to_owned());
        [
            Event::AlertRaised(it),
            Event::AlertReminded {
                alert,
                level: Escalation::Manager,
                at,
            },
            Event::AlertAcknowledged {
                alert,
                by: by.clone(),
                at,
            },
            Event::AlertResolved {
                alert,
                by,
                at,
                outcome: Outcome::FalseAlarm {
                    reason: "手里拿着热饮".to_owned(),
                },
            },
            Event::FaultRaised { fault, at },
            Event::FaultCleared { fault, at },
            Event::PeopleDue {
                reminder: Reminder {
                    date: "2020-02-24".parse().unwrap(),
                    unsaid: 3,
                    overdue: 1,
                },
                at,
            },
        ]
    }

    #[test]
    fn nobody_is_named_and_nothing_measured_is_told() {
        for event in all() {
            let notice = place().notice(&event).unwrap();
            let letter = letter(std::slice::from_ref(&notice), false).unwrap();
            let said = letter.text.clone() + std::str::from_utf8(&letter.json).unwrap();
            for secret in ["王芳", "热饮", "38.6", "37.1"] {
                assert!(!said.contains(secret), "{said}");
            }
            assert!(letter.text.contains("海鸥大厦") && letter.text.contains("东门"));
            assert_eq!(Notice::read(&notice.json()).unwrap(), notice);
            assert!(KINDS.iter().any(|(kind, _, _)| *kind == notice.kind));
        }
    }

    #[test]
    fn each_hears_what_it_asked_for() {
        let key = MessageKey {
            epoch: DeviceEpoch("e".to_owned()),
            number: MessageNumber(7),
        };
        let none = Hears {
            alerts: false,
            outcomes: false,
            reminders: false,
            faults: false,
        };
        let heard = |hears: Hears| -> Vec<&'static str> {
            let heard = |event: &Event| place().message(hears, &key, event).map(|_| event.kind());
            all().iter().filter_map(heard).collect()
        };
        assert!(heard(none).is_empty());
        let alerts = Hears {
            alerts: true,
            ..none
        };
        assert_eq!(heard(alerts), ["alert_raised"]);
        let outcomes = Hears {
            outcomes: true,
            ..alerts
        };
        assert_eq!(
            heard(outcomes),
            ["alert_raised", "alert_acknowledged", "alert_resolved"]
        );
        let rest = Hears {
            reminders: true,
            faults: true,
            ..none
        };
        assert_eq!(
            heard(rest),
            [
                "alert_reminded",
                "fault_raised",
                "fault_cleared",
                "people_due"
            ]
        );
    }

    #[test]
    fn a_digest_counts_and_keeps_each() {
        let notices: Vec<_> = all()
            .iter()
            .chain(&all()[..2])
            .filter_map(|event| place().notice(event))
            .collect();
        let letter = letter(&notices, true).unwrap();
        assert!(letter.text.starts_with("【迟到】"), "{}", letter.text);
        assert!(
            letter
                .text
                .contains("共 9 条消息：疑似发热 2，等待中的警报 2，已接手 1")
        );
        let json: serde_json::Value = serde_json::from_slice(&letter.json).unwrap();
        assert_eq!(json["kinds"]["alert_raised"], 2);
        assert_eq!(json["notices"].as_array().unwrap().len(), 9);
    }
}
