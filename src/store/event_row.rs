//! The store's own words for an event: what stands in `event.body`, and its conversions.

use super::row::{
    OutcomeRow, ReadingRow, SightingRow, StampRow, Unreadable, celsius, complaint, delta, wrong,
};
use crate::alert::{Alert, AlertState};
use crate::estimate::Reading;
use crate::event::{Escalation, Event, Fault, VoidNumbers, VoidReason};
use crate::id::{Channel, DeviceEpoch, MessageNumber};
use crate::screening::{Screening, Verdict};
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
        }
    }
}

impl TryFrom<EventRow> for Event {
    type Error = Unreadable;
    fn try_from(row: EventRow) -> Result<Self, Unreadable> {
        let named = |id: String| id.parse().map_err(|_| wrong("an id"));
        let fault = |word: &str| {
            Fault::ALL
                .into_iter()
                .find(|fault| fault.as_str() == word)
                .ok_or_else(|| wrong("a fault"))
        };
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
            EventRow::AlertAcknowledged { id, by, at } => Self::AlertAcknowledged {
                alert: named(id)?,
                by,
                at: at.try_into()?,
            },
            EventRow::AlertResolved { id, by, at, found } => Self::AlertResolved {
                alert: named(id)?,
                by,
                at: at.try_into()?,
                outcome: found.try_into()?,
            },
            EventRow::AlertReminded { id, level, at } => Self::AlertReminded {
                alert: named(id)?,
                level: Escalation::ALL
                    .into_iter()
                    .find(|it| it.as_str() == level)
                    .ok_or_else(|| wrong("an escalation"))?,
                at: at.try_into()?,
            },
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
                found: SelfCheck {
                    noise: delta(noise_k)?,
                    spread: delta(spread_k)?,
                    hunting: delta(hunting_k)?,
                    offset: delta(offset_k)?,
                    complaint: complaint.as_deref().map(self::complaint).transpose()?,
                },
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
        })
    }
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
