//! An alert, from a possible fever to what staff found: `Open → Acknowledged → Resolved`.
//!
//! Entry is refused by people, never by this program: an alert stays open until somebody has
//! recorded an outcome. Transitions take the alert and give back the next one, or say why not.
//!
//! | module | holds |
//! |---|---|
//! | [`escalation`] | who is told of an alert that waits |
//! | [`flood`] | when alerts come faster than people can act |
//! | [`technical`] | faults of the gateway itself, raised and cleared |

pub mod escalation;
pub mod flood;
pub mod technical;

use crate::clock::Stamp;
use crate::estimate::Reading;
use crate::id::AlertId;
use crate::units::Celsius;
use std::fmt;

/// Where a contact thermometer measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySite {
    /// Under the tongue.
    Oral,
    /// Under the arm.
    Axilla,
    /// In the ear.
    Ear,
    /// On the forehead, touching.
    Forehead,
}

/// How a contact thermometer measured. The fast mode read 0.44 °C low in feverish people (FDA
/// data, doi:10.13026/3bhc-9065), so the mode is part of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThermometerMode {
    /// Waits for equilibrium.
    Monitor,
    /// Predicts the end value.
    Fast,
}

/// A confirmation with a contact thermometer.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactReading {
    /// Which thermometer, in the staff's words.
    pub device: String,
    /// Where on the body.
    pub site: BodySite,
    /// In which mode.
    pub mode: ThermometerMode,
    /// What it showed.
    pub value: Celsius,
}

/// What became of an alert. There is no "closed without saying why".
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Fever confirmed with a contact thermometer.
    Confirmed(ContactReading),
    /// Not confirmed by a contact thermometer.
    NotConfirmed(ContactReading),
    /// Sent on to a fever clinic without a measurement here.
    Referred,
    /// Left before a measurement.
    Left,
    /// Not a person's fever at all.
    FalseAlarm {
        /// What it was instead.
        reason: String,
    },
}

/// How far an alert has come.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertState {
    /// Nobody has taken it yet.
    Open,
    /// Somebody is on the way.
    Acknowledged {
        /// Who, as they gave their name.
        by: String,
        /// When.
        at: Stamp,
    },
    /// An outcome is recorded.
    Resolved {
        /// Who recorded it.
        by: String,
        /// When.
        at: Stamp,
        /// What was found.
        outcome: Outcome,
    },
}

impl AlertState {
    /// The word for it on the wire and in the database.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Resolved { .. } => "resolved",
        }
    }
}

/// A possible fever that staff must look after.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The id of the screening that raised it.
    pub id: AlertId,
    /// When.
    pub raised: Stamp,
    /// What was measured then.
    pub reading: Reading,
    /// The threshold in force then.
    pub threshold: Celsius,
    /// How far it has come.
    pub state: AlertState,
}

/// A transition that the state of the alert does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Already acknowledged, by this person.
    AlreadyAcknowledged(String),
    /// Already resolved, by this person.
    AlreadyResolved(String),
    /// No name was given.
    Nameless,
    /// An outcome lacks what it must have.
    Incomplete(&'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyAcknowledged(by) => write!(f, "already acknowledged by {by}"),
            Self::AlreadyResolved(by) => write!(f, "already resolved by {by}"),
            Self::Nameless => f.write_str("a name is needed: who is acting?"),
            Self::Incomplete(what) => write!(f, "the outcome lacks {what}"),
        }
    }
}

impl std::error::Error for Refused {}

impl Outcome {
    /// Whether everything that must be recorded is there.
    fn check(&self) -> Result<(), Refused> {
        match self {
            Self::Confirmed(reading) | Self::NotConfirmed(reading) => {
                if reading.device.trim().is_empty() {
                    return Err(Refused::Incomplete("the thermometer that was used"));
                }
                if !(30.0..=45.0).contains(&reading.value.degrees()) {
                    return Err(Refused::Incomplete("a value between 30 and 45 °C"));
                }
                Ok(())
            }
            Self::FalseAlarm { reason } if reason.trim().is_empty() => {
                Err(Refused::Incomplete("the reason why it was a false alarm"))
            }
            Self::FalseAlarm { .. } | Self::Referred | Self::Left => Ok(()),
        }
    }
}

impl Alert {
    /// Somebody takes the alert.
    ///
    /// # Errors
    /// Where it is no longer open, or no name is given.
    pub fn acknowledge(self, by: &str, at: Stamp) -> Result<Self, Refused> {
        let by = named(by)?;
        match &self.state {
            AlertState::Open => Ok(Self {
                state: AlertState::Acknowledged { by, at },
                ..self
            }),
            AlertState::Acknowledged { by, .. } => Err(Refused::AlreadyAcknowledged(by.clone())),
            AlertState::Resolved { by, .. } => Err(Refused::AlreadyResolved(by.clone())),
        }
    }

    /// Somebody records what was found; allowed from `Open`, too, for whoever acted at once.
    ///
    /// # Errors
    /// Where it is resolved already, no name is given, or the outcome is incomplete.
    pub fn resolve(self, by: &str, at: Stamp, outcome: Outcome) -> Result<Self, Refused> {
        let by = named(by)?;
        outcome.check()?;
        match &self.state {
            AlertState::Open | AlertState::Acknowledged { .. } => Ok(Self {
                state: AlertState::Resolved { by, at, outcome },
                ..self
            }),
            AlertState::Resolved { by, .. } => Err(Refused::AlreadyResolved(by.clone())),
        }
    }
}

/// A name, trimmed and not empty.
fn named(by: &str) -> Result<String, Refused> {
    let by = by.trim();
    if by.is_empty() {
        Err(Refused::Nameless)
    } else {
        Ok(by.to_owned())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use crate::estimate::{Basis, BodyEstimate, Budget, Chain, Part};
    use crate::id::TrackId;
    use crate::units::{
        AmbientTemperature, SkinTemperature, StandardUncertainty, TemperatureDelta,
    };
    use std::time::Duration;

    /// A moment of the first start.
    pub(crate) fn stamp(ms: u64) -> Stamp {
        Stamp {
            boot: BootId(1),
            monotonic: Duration::from_millis(ms),
            wall: WallTime(1_582_000_000_000 + ms.cast_signed()),
            trust: ClockTrust::Synchronised,
        }
    }

    /// An alert that nobody has taken.
    pub(crate) fn alert(track: u64, raised: Stamp) -> Alert {
        Alert {
            id: AlertId {
                boot: raised.boot,
                track: TrackId(track),
            },
            raised,
            reading: Reading {
                face: SkinTemperature(Celsius::literal(37.1)),
                canthi: None,
                forehead: None,
                estimate: BodyEstimate {
                    value: Celsius::literal(38.6),
                    u: StandardUncertainty::literal(0.45),
                },
                looks: 7,
                spread: TemperatureDelta::literal(0.1),
                chain: Chain {
                    apparent: Celsius::literal(36.8),
                    offset: TemperatureDelta::literal(0.3),
                    size_of_source: TemperatureDelta::ZERO,
                    ambient: AmbientTemperature(Celsius::literal(22.0)),
                },
                basis: Basis::Reference,
                budget: Budget::default().with(Part::Reference, 0.21),
            },
            threshold: Celsius::literal(37.9),
            state: AlertState::Open,
        }
    }
}
