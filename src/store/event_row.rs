//! The store's own words for an event: what stands in `event.body`, and its conversions.

use super::report_row::ReportRow;
use super::row::{
    OutcomeRow, ReadingRow, SightingRow, StampRow, Unreadable, celsius, complaint, delta, wrong,
};
use crate::alert::{Alert, AlertState};
use crate::clock::{Stamp, WallTime};
use crate::command::{Asked, Command, CommandName, Notice};
use crate::estimate::Reading;
use crate::event::{Escalation, Event, Fault, VoidNumbers, VoidReason};
use crate::id::{Channel, DeviceEpoch, MessageNumber};
use crate::people::Reminder;
use crate::procedure::StepId;
use crate::screening::{Screening, Verdict};
use crate::text::Note;
use crate::thermal::SelfCheck;
use serde::{Deserialize, Serialize};

/// [`Event`]: the JSON in `event.body`; its tag is the word in `event.kind`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum EventRow {
    /// As in the core.
    Screened {
        id: String,
        first: SightingRow,
        last: SightingRow,
        reading: Option<ReadingRow>,
        verdict: String,
        reason: Option<String>,
        presented: bool,
    },
    /// As in the core; an alert is open when it is raised.
    AlertRaised {
        id: String,
        at: StampRow,
        reading: ReadingRow,
        threshold_c: f64,
    },
    /// As in the core.
    AlertAcknowledged {
        id: String,
        by: String,
        at: StampRow,
    },
    /// As in the core.
    AlertResolved {
        id: String,
        by: String,
        at: StampRow,
        found: OutcomeRow,
    },
    /// As in the core.
    AlertStepTaken {
        id: String,
        step: String,
        edition: u32,
        by: String,
        at: StampRow,
    },
    /// As in the core.
    FaultRaised { fault: String, at: StampRow },
    /// As in the core.
    FaultCleared { fault: String, at: StampRow },
    /// As in the core.
    AlertReminded {
        id: String,
        level: String,
        at: StampRow,
    },
    /// As in the core; differences in K.
    SelfChecked {
        noise_k: f64,
        spread_k: f64,
        hunting_k: f64,
        offset_k: f64,
        complaint: Option<String>,
        at: StampRow,
    },
    /// As in the core; a number of 2^64 − 1 stands as it is.
    NumbersVoid {
        channel: String,
        epoch: String,
        stretches: Vec<(u64, u64)>,
        why: String,
        at: StampRow,
    },
    /// As in the core.
    Reported {
        report: Box<ReportRow>,
        part: (u32, u32),
        at: StampRow,
    },
    /// As in the core; the day as 2020-02-24.
    PeopleDue {
        day: String,
        unsaid: u64,
        overdue: u64,
        at: StampRow,
    },
    /// As in the core.
    Commanded {
        id: String,
        by: String,
        what: String,
        /// First and last message number, where the command has such.
        stretch: Option<(u64, u64)>,
        /// Text, beginning and end, where it is a notice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<(String, i64, i64)>,
        /// Its text, where it is a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<String>,
        at: StampRow,
    },
}

impl From<&Event> for EventRow {
    fn from(event: &Event) -> Self {
        match event {
            Event::Screened(screening) => Self::Screened {
                id: screening.id.to_string(),
                first: (&screening.first).into(),
                last: (&screening.last).into(),
                reading: screening.reading.as_ref().map(Into::into),
                verdict: screening.verdict.as_str().to_owned(),
                reason: screening.verdict.reason().map(str::to_owned),
                presented: screening.presented,
            },
            Event::AlertRaised(alert) => Self::AlertRaised {
                id: alert.id.to_string(),
                at: (&alert.raised).into(),
                reading: (&alert.reading).into(),
                threshold_c: alert.threshold.degrees(),
            },
            Event::AlertAcknowledged { alert, by, at } => Self::AlertAcknowledged {
                id: alert.to_string(),
                by: by.clone(),
                at: at.into(),
            },
            Event::AlertResolved {
                alert,
                by,
                at,
                outcome,
            } => Self::AlertResolved {
                id: alert.to_string(),
                by: by.clone(),
                at: at.into(),
                found: outcome.into(),
            },
            Event::AlertStepTaken {
                alert,
                step,
                edition,
                by,
                at,
            } => Self::AlertStepTaken {
                id: alert.to_string(),
                step: step.to_string(),
                edition: *edition,
                by: by.to_string(),
                at: at.into(),
            },
            Event::AlertReminded { alert, level, at } => Self::AlertReminded {
                id: alert.to_string(),
                level: level.as_str().to_owned(),
                at: at.into(),
            },
            Event::FaultRaised { fault, at } => Self::FaultRaised {
                fault: fault.as_str().to_owned(),
                at: at.into(),
            },
            Event::FaultCleared { fault, at } => Self::FaultCleared {
                fault: fault.as_str().to_owned(),
                at: at.into(),
            },
            Event::SelfChecked { found, at } => Self::SelfChecked {
                noise_k: found.noise.kelvin(),
                spread_k: found.spread.kelvin(),
                hunting_k: found.hunting.kelvin(),
                offset_k: found.offset.kelvin(),
                complaint: found.complaint.map(|it| it.as_str().to_owned()),
                at: at.into(),
            },
            Event::NumbersVoid { numbers, at } => Self::NumbersVoid {
                channel: numbers.channel.as_str().to_owned(),
                epoch: numbers.epoch.0.clone(),
                stretches: numbers.stretches.iter().map(|(a, b)| (a.0, b.0)).collect(),
                why: numbers.why.as_str().to_owned(),
                at: at.into(),
            },
            Event::Reported { report, part, at } => Self::Reported {
                report: Box::new((&**report).into()),
                part: *part,
                at: at.into(),
            },
            Event::PeopleDue { reminder, at } => Self::PeopleDue {
                day: reminder.date.to_string(),
                unsaid: reminder.unsaid,
                overdue: reminder.overdue,
                at: at.into(),
            },
            Event::Commanded { asked, at } => commanded(asked, at),
        }
    }
}

impl TryFrom<EventRow> for Event {
    type Error = Unreadable;
    #[expect(clippy::too_many_lines, reason = "an arm for each kind of event")]
    fn try_from(row: EventRow) -> Result<Self, Unreadable> {
        let named = |id: String| id.parse().map_err(|_| wrong("an id"));
        Ok(match row {
            EventRow::Screened {
                id,
                first,
                last,
                reading,
                verdict,
                reason,
                presented,
            } => Self::Screened(Screening {
                id: named(id)?,
                first: first.try_into()?,
                last: last.try_into()?,
                reading: reading.map(Reading::try_from).transpose()?,
                verdict: Verdict::parse(&verdict, reason.as_deref())
                    .ok_or_else(|| wrong("a verdict"))?,
                presented,
            }),
            EventRow::AlertRaised {
                id,
                at,
                reading,
                threshold_c,
            } => Self::AlertRaised(Alert {
                id: named(id)?,
                raised: at.try_into()?,
                reading: reading.try_into()?,
                threshold: celsius(threshold_c)?,
                state: AlertState::Open,
            }),
            EventRow::AlertAcknowledged { id, by, at } => {
                let (alert, at) = (named(id)?, at.try_into()?);
                Self::AlertAcknowledged { alert, by, at }
            }
            EventRow::AlertResolved { id, by, at, found } => Self::AlertResolved {
                alert: named(id)?,
                by,
                at: at.try_into()?,
                outcome: found.try_into()?,
            },
            EventRow::AlertStepTaken {
                id,
                step: word,
                edition,
                by,
                at,
            } => {
                let (step, by) = step(&word, &by)?;
                let (alert, at) = (named(id)?, at.try_into()?);
                Self::AlertStepTaken {
                    alert,
                    step,
                    edition,
                    by,
                    at,
                }
            }
            EventRow::AlertReminded { id, level, at } => {
                let (alert, level, at) = (named(id)?, escalation(&level)?, at.try_into()?);
                Self::AlertReminded { alert, level, at }
            }
            EventRow::FaultRaised { fault: word, at } => Self::FaultRaised {
                fault: fault(&word)?,
                at: at.try_into()?,
            },
            EventRow::FaultCleared { fault: word, at } => Self::FaultCleared {
                fault: fault(&word)?,
                at: at.try_into()?,
            },
            EventRow::SelfChecked {
                noise_k,
                spread_k,
                hunting_k,
                offset_k,
                complaint,
                at,
            } => Self::SelfChecked {
                found: self_check(
                    [noise_k, spread_k, hunting_k, offset_k],
                    complaint.as_deref(),
                )?,
                at: at.try_into()?,
            },
            EventRow::NumbersVoid {
                channel,
                epoch,
                stretches,
                why,
                at,
            } => Self::NumbersVoid {
                numbers: void(channel, epoch, stretches, &why)?,
                at: at.try_into()?,
            },
            EventRow::Reported { report, part, at } => Self::Reported {
                report: Box::new((*report).try_into()?),
                part,
                at: at.try_into()?,
            },
            EventRow::PeopleDue {
                day,
                unsaid,
                overdue,
                at,
            } => Self::PeopleDue {
                reminder: Reminder {
                    date: day.parse().map_err(|_| wrong("a day"))?,
                    unsaid,
                    overdue,
                },
                at: at.try_into()?,
            },
            EventRow::Commanded {
                id,
                by,
                what,
                stretch,
                notice,
                template,
                at,
            } => Self::Commanded {
                asked: asked((&id, &by), &what, (stretch, notice, template))?,
                at: at.try_into()?,
            },
        })
    }
}

/// Which step, and who took it.
fn step(word: &str, by: &str) -> Result<(StepId, Note), Unreadable> {
    let step = StepId::new(word).ok_or_else(|| wrong("a step"))?;
    let by = Note::name(by).ok_or_else(|| wrong("a name"))?;
    Ok((step, by))
}

fn fault(word: &str) -> Result<Fault, Unreadable> {
    let mut all = Fault::ALL.into_iter();
    all.find(|fault| fault.as_str() == word)
        .ok_or_else(|| wrong("a fault"))
}

/// What a self-check found: noise, spread, hunting and offset, K.
fn self_check(
    [noise, spread, hunting, offset]: [f64; 4],
    why: Option<&str>,
) -> Result<SelfCheck, Unreadable> {
    Ok(SelfCheck {
        noise: delta(noise)?,
        spread: delta(spread)?,
        hunting: delta(hunting)?,
        offset: delta(offset)?,
        complaint: why.map(complaint).transpose()?,
    })
}

fn escalation(word: &str) -> Result<Escalation, Unreadable> {
    Escalation::ALL
        .into_iter()
        .find(|it| it.as_str() == word)
        .ok_or_else(|| wrong("an escalation"))
}

/// A command that was done.
fn commanded(asked: &Asked, at: &Stamp) -> EventRow {
    let (mut stretch, mut notice, mut template) = Details::default();
    match &asked.command {
        Command::Announce => {}
        Command::Resend { from, to } => stretch = Some((from.0, to.0)),
        Command::Notice(it) => notice = Some((it.text.to_string(), it.begins.0, it.ends.0)),
        Command::Template(text) => template = Some(text.clone()),
    }
    EventRow::Commanded {
        id: asked.id.to_string(),
        by: asked.by.to_string(),
        what: asked.command.name().as_str().to_owned(),
        stretch,
        notice,
        template,
        at: at.into(),
    }
}

/// What a command is done with: message numbers, a notice with begin and end, a list; as its kind has it.
type Details = (
    Option<(u64, u64)>,
    Option<(String, i64, i64)>,
    Option<String>,
);

/// What was asked for, and by whom.
fn asked(
    (id, by): (&str, &str),
    what: &str,
    (stretch, notice, template): Details,
) -> Result<Asked, Unreadable> {
    let command = match (CommandName::named(what), stretch, notice, template) {
        (Some(CommandName::Resend), Some((from, to)), None, None) => Command::Resend {
            from: MessageNumber(from),
            to: MessageNumber(to),
        },
        (Some(CommandName::Announce), None, None, None) => Command::Announce,
        (Some(CommandName::Template), None, None, Some(text)) => Command::Template(text),
        (Some(CommandName::Notice), None, Some((text, begins, ends)), None) => {
            Command::Notice(Notice {
                text: Note::new(&text).ok_or_else(|| wrong("a notice"))?,
                begins: WallTime(begins),
                ends: WallTime(ends),
            })
        }
        _ => return Err(wrong("a command")),
    };
    Ok(Asked {
        id: id.parse().map_err(|_| wrong("an id"))?,
        by: by.parse().map_err(|_| wrong("a name"))?,
        command,
    })
}

/// [`VoidNumbers`].
fn void(
    channel: String,
    epoch: String,
    stretches: Vec<(u64, u64)>,
    why: &str,
) -> Result<VoidNumbers, Unreadable> {
    Ok(VoidNumbers {
        channel: Channel::named(channel),
        epoch: DeviceEpoch(epoch),
        stretches: stretches
            .into_iter()
            .map(|(first, last)| (MessageNumber(first), MessageNumber(last)))
            .collect(),
        why: VoidReason::ALL
            .into_iter()
            .find(|it| it.as_str() == why)
            .ok_or_else(|| wrong("a reason"))?,
    })
}
