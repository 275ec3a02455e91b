//! The store's own words: what stands in `event.body`, and its conversions from and to the core.
//!
//! Core types are not Serialize on purpose: only a field renamed here changes the disk, by a migration.

use crate::alert::{Alert, AlertState, BodySite, ContactReading, Outcome, ThermometerMode};
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::estimate::{Basis, BodyEstimate, Budget, Chain, Part, Reading};
use crate::event::{Escalation, Event, Fault, VoidNumbers, VoidReason};
use crate::id::{Channel, DeviceEpoch, MessageNumber};
use crate::screening::{Screening, Sighting, Verdict};
use crate::thermal::SelfCheck;
use crate::thermal::self_check::Complaint;
use crate::units::{
    AmbientTemperature, Celsius, PixelBox, SkinTemperature, StandardUncertainty, TemperatureDelta,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A row that does not say what it must.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

/// Shorthand for "this field is wrong".
fn wrong(what: &str) -> Unreadable {
    Unreadable(what.to_owned())
}

/// What has this word.
fn named_so<T: Copy, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
    word: &str,
) -> Result<T, Unreadable> {
    let found = all.into_iter().find(|it| name(*it) == word);
    found.ok_or_else(|| wrong(word))
}

/// SQLite's integers are signed; numbers here stay far below the limit.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The inverse of [`to_sql`].
pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Nanoseconds of a duration; 292 years fit.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Milliseconds of a duration.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The inverse of [`ClockTrust::as_str`].
pub(super) fn trust(word: &str) -> Result<ClockTrust, Unreadable> {
    [ClockTrust::Synchronised, ClockTrust::Unsynchronised]
        .into_iter()
        .find(|trust| trust.as_str() == word)
        .ok_or_else(|| wrong("trust"))
}

/// A temperature from the disk.
pub(super) fn celsius(degrees: f64) -> Result<Celsius, Unreadable> {
    Celsius::new(degrees).ok_or_else(|| wrong("a temperature"))
}

/// [`Stamp`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StampRow {
    boot: u64,
    monotonic_ns: i64,
    wall_ms: i64,
    trust: String,
}

impl From<&Stamp> for StampRow {
    fn from(stamp: &Stamp) -> Self {
        Self {
            boot: stamp.boot.0,
            monotonic_ns: nanoseconds(stamp.monotonic),
            wall_ms: stamp.wall.0,
            trust: stamp.trust.as_str().to_owned(),
        }
    }
}

impl TryFrom<StampRow> for Stamp {
    type Error = Unreadable;
    fn try_from(row: StampRow) -> Result<Self, Unreadable> {
        Ok(Self {
            boot: BootId(row.boot),
            monotonic: Duration::from_nanos(from_sql(row.monotonic_ns)),
            wall: WallTime(row.wall_ms),
            trust: trust(&row.trust)?,
        })
    }
}

fn delta(kelvin: f64) -> Result<TemperatureDelta, Unreadable> {
    TemperatureDelta::new(kelvin).ok_or_else(|| wrong("a difference"))
}

fn complaint(word: &str) -> Result<Complaint, Unreadable> {
    Complaint::ALL
        .into_iter()
        .find(|complaint| complaint.as_str() == word)
        .ok_or_else(|| wrong("a complaint"))
}

/// [`Reading`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadingRow {
    face_c: f64,
    canthi_c: Option<f64>,
    forehead_c: Option<f64>,
    estimate_c: f64,
    estimate_u_k: f64,
    looks: u32,
    spread_k: f64,
    apparent_c: f64,
    offset_k: f64,
    size_of_source_k: f64,
    ambient_c: f64,
    /// Relative mode: how many people, and the median of their estimates.
    population: Option<(u32, f64)>,
    /// Standard uncertainties by part, K.
    budget: BTreeMap<String, f64>,
}

impl From<&Reading> for ReadingRow {
    fn from(reading: &Reading) -> Self {
        let parts = Part::ALL.into_iter();
        Self {
            face_c: reading.face.degrees(),
            canthi_c: reading.canthi.map(SkinTemperature::degrees),
            forehead_c: reading.forehead.map(SkinTemperature::degrees),
            estimate_c: reading.estimate.value.degrees(),
            estimate_u_k: reading.estimate.u.kelvin(),
            looks: reading.looks,
            spread_k: reading.spread.kelvin(),
            apparent_c: reading.chain.apparent.degrees(),
            offset_k: reading.chain.offset.kelvin(),
            size_of_source_k: reading.chain.size_of_source.kelvin(),
            ambient_c: reading.chain.ambient.degrees(),
            population: match reading.basis {
                Basis::Reference => None,
                Basis::Population { people, median } => Some((people, median.degrees())),
            },
            budget: parts
                .map(|part| (part.as_str().to_owned(), reading.budget.part(part)))
                .collect(),
        }
    }
}

impl TryFrom<ReadingRow> for Reading {
    type Error = Unreadable;
    fn try_from(row: ReadingRow) -> Result<Self, Unreadable> {
        let u = |kelvin| StandardUncertainty::new(kelvin).ok_or_else(|| wrong("an uncertainty"));
        let skin = |degrees: Option<f64>| degrees.map(celsius).transpose();
        let mut budget = Budget::default();
        for part in Part::ALL {
            let kelvin = *row
                .budget
                .get(part.as_str())
                .ok_or_else(|| wrong("a budget"))?;
            budget = budget.with(part, u(kelvin)?.kelvin());
        }
        Ok(Self {
            face: SkinTemperature(celsius(row.face_c)?),
            canthi: skin(row.canthi_c)?.map(SkinTemperature),
            forehead: skin(row.forehead_c)?.map(SkinTemperature),
            estimate: BodyEstimate {
                value: celsius(row.estimate_c)?,
                u: u(row.estimate_u_k)?,
            },
            looks: row.looks,
            spread: delta(row.spread_k)?,
            chain: Chain {
                apparent: celsius(row.apparent_c)?,
                offset: delta(row.offset_k)?,
                size_of_source: delta(row.size_of_source_k)?,
                ambient: AmbientTemperature(celsius(row.ambient_c)?),
            },
            basis: match row.population {
                None => Basis::Reference,
                Some((people, median)) => Basis::Population {
                    people,
                    median: celsius(median)?,
                },
            },
            budget,
        })
    }
}

/// [`Sighting`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SightingRow {
    sequence: u64,
    at: StampRow,
    /// Left, top, right, bottom, pixels.
    area: [f32; 4],
}

impl From<&Sighting> for SightingRow {
    fn from(sighting: &Sighting) -> Self {
        let area = sighting.area;
        Self {
            sequence: sighting.sequence,
            at: (&sighting.stamp).into(),
            area: [area.left, area.top, area.right, area.bottom],
        }
    }
}

impl TryFrom<SightingRow> for Sighting {
    type Error = Unreadable;
    fn try_from(row: SightingRow) -> Result<Self, Unreadable> {
        let [left, top, right, bottom] = row.area;
        Ok(Self {
            sequence: row.sequence,
            stamp: row.at.try_into()?,
            area: PixelBox {
                left,
                top,
                right,
                bottom,
            },
        })
    }
}

/// [`ContactReading`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ContactRow {
    device: String,
    site: SiteRow,
    mode: ModeRow,
    value_c: f64,
}

/// [`BodySite`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SiteRow {
    /// As in the core.
    Oral,
    /// As in the core.
    Axilla,
    /// As in the core.
    Ear,
    /// As in the core.
    Forehead,
}

/// [`ThermometerMode`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeRow {
    /// As in the core.
    Monitor,
    /// As in the core.
    Fast,
}

impl From<&ContactReading> for ContactRow {
    fn from(contact: &ContactReading) -> Self {
        Self {
            device: contact.device.clone(),
            site: match contact.site {
                BodySite::Oral => SiteRow::Oral,
                BodySite::Axilla => SiteRow::Axilla,
                BodySite::Ear => SiteRow::Ear,
                BodySite::Forehead => SiteRow::Forehead,
            },
            mode: match contact.mode {
                ThermometerMode::Monitor => ModeRow::Monitor,
                ThermometerMode::Fast => ModeRow::Fast,
            },
            value_c: contact.value.degrees(),
        }
    }
}

impl TryFrom<ContactRow> for ContactReading {
    type Error = Unreadable;
    fn try_from(row: ContactRow) -> Result<Self, Unreadable> {
        Ok(Self {
            device: row.device,
            site: match row.site {
                SiteRow::Oral => BodySite::Oral,
                SiteRow::Axilla => BodySite::Axilla,
                SiteRow::Ear => BodySite::Ear,
                SiteRow::Forehead => BodySite::Forehead,
            },
            mode: match row.mode {
                ModeRow::Monitor => ThermometerMode::Monitor,
                ModeRow::Fast => ThermometerMode::Fast,
            },
            value: celsius(row.value_c)?,
        })
    }
}

/// [`Outcome`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum OutcomeRow {
    /// As in the core.
    Confirmed(ContactRow),
    /// As in the core.
    NotConfirmed(ContactRow),
    /// As in the core.
    Referred,
    /// As in the core.
    Left,
    /// As in the core.
    FalseAlarm {
        /// What it was instead.
        reason: String,
    },
}

impl From<&Outcome> for OutcomeRow {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Confirmed(contact) => Self::Confirmed(contact.into()),
            Outcome::NotConfirmed(contact) => Self::NotConfirmed(contact.into()),
            Outcome::Referred => Self::Referred,
            Outcome::Left => Self::Left,
            Outcome::FalseAlarm { reason } => Self::FalseAlarm {
                reason: reason.clone(),
            },
        }
    }
}

impl TryFrom<OutcomeRow> for Outcome {
    type Error = Unreadable;
    fn try_from(row: OutcomeRow) -> Result<Self, Unreadable> {
        Ok(match row {
            OutcomeRow::Confirmed(contact) => Self::Confirmed(contact.try_into()?),
            OutcomeRow::NotConfirmed(contact) => Self::NotConfirmed(contact.try_into()?),
            OutcomeRow::Referred => Self::Referred,
            OutcomeRow::Left => Self::Left,
            OutcomeRow::FalseAlarm { reason } => Self::FalseAlarm { reason },
        })
    }
}

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
        let fault = |word: &str| named_so(Fault::ALL, Fault::as_str, word);
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
                level: named_so(Escalation::ALL, Escalation::as_str, &level)?,
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
                numbers: VoidNumbers {
                    channel: Channel::named(channel),
                    epoch: DeviceEpoch(epoch),
                    stretches: stretches
                        .into_iter()
                        .map(|(first, last)| (MessageNumber(first), MessageNumber(last)))
                        .collect(),
                    why: named_so(VoidReason::ALL, VoidReason::as_str, &why)?,
                },
                at: at.try_into()?,
            },
        })
    }
}

/// JSON text of a row type. These types are strings, integers and numbers under fixed keys, for
/// which serde_json has no error.
pub(super) fn json<T: Serialize>(row: &T) -> Result<String, Unreadable> {
    serde_json::to_string(row).map_err(|error| Unreadable(error.to_string()))
}

/// The inverse of [`json`], on to the core type.
pub(super) fn parsed<R, T>(text: &str) -> Result<T, Unreadable>
where
    R: for<'a> Deserialize<'a>,
    T: TryFrom<R, Error = Unreadable>,
{
    serde_json::from_str::<R>(text)
        .map_err(|error| Unreadable(error.to_string()))?
        .try_into()
}
