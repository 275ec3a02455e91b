//! The store's own words for what events and alerts are made of, and their conversions from and to
//! the core; the events themselves are in `event_row.rs`.
//!
//! Core types are not Serialize on purpose. A field renamed there must not change what is on the
//! disk; a field renamed here is a migration.

use crate::alert::{BodySite, ContactReading, Outcome, ThermometerMode};
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::estimate::{Basis, BodyEstimate, Budget, Chain, Part, Reading};
use crate::screening::Sighting;
use crate::thermal::self_check::Complaint;
use crate::units::{
    AmbientTemperature, Celsius, PixelBox, SkinTemperature, StandardUncertainty, TemperatureDelta,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// A row that does not say what it must.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

/// Shorthand for "this field is wrong".
pub(super) fn wrong(what: &str) -> Unreadable {
    Unreadable(what.to_owned())
}

/// SQLite's integers are signed; numbers here stay far below the limit.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The inverse of [`to_sql`].
pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Bytes as hexadecimal letters.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string has no error.
        let _ = write!(text, "{byte:02x}");
        text
    })
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

pub(super) fn delta(kelvin: f64) -> Result<TemperatureDelta, Unreadable> {
    TemperatureDelta::new(kelvin).ok_or_else(|| wrong("a difference"))
}

pub(super) fn complaint(word: &str) -> Result<Complaint, Unreadable> {
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
