//! The rules by which a reading becomes a verdict.
//!
//! **Guard band.** A threshold with a stated sensitivity already has physiology in it: how far an
//! estimate lies from the oral thermometer is what the clinical data are about. What this camera,
//! this reference and these looks are unsure of is not in it. So a reading is called clear only
//! where the face, measured by a perfect camera, would stay below the threshold with a probability
//! of 95 %: where the estimate and 1.645 standard uncertainties *of the camera* stay below it
//! (guarded acceptance, JCGM 106:2012, 8.3.2; for thermometers Sensors 2021 21(2):346). Within that
//! band staff measure again. The alarm itself has no guard band: shifting it up would miss fevers,
//! shifting it down would spoil the stated specificity. The cameras of the clinical data had such a
//! part of uncertainty, too, so it counts a little twice; that is the safe side.
//!
//! **Hysteresis.** A verdict of somebody who stands there gets graver at once and milder only where
//! it would be milder for a reading that is [`HYSTERESIS`] worse, too, so that it does not flicker.
//!
//! **Cold arrivals.** Cold lowers the forehead first: the gap between canthi and forehead shows it.
//! Feverish people have a wider gap as well, so it only ever turns "clear" into "retest".
//!
//! **Relative mode.** A reading against a population is judged by the same rules, shifted by what
//! the camera seems to read wrong: the population's median less what healthy people have in the
//! clinical data ([`HEALTHY`]). Downwards the thresholds follow without limit, upwards by
//! [`MOST_RAISED`] at most: a population can hide a camera that reads too low, never a fever.

use super::{Obstacle, RetestReason, Verdict};
use crate::estimate::{Basis, Reading, Transfer};
use crate::units::{Celsius, SkinTemperature, StandardUncertainty, TemperatureDelta};

/// Colder than this the warmest skin of a face is not, °C: whoever comes in from −5 °C shows
/// 33.2 ± 1.5 °C at the forehead (Dzien 2020); nothing below is taken for a measurement.
pub const COLDEST_FACE: Celsius = Celsius::literal(33.0);

/// Hotter than this the warmest skin of a living face is not, °C.
pub const HOTTEST_FACE: Celsius = Celsius::literal(43.0);

/// Rooms in which the estimate is taken to hold, °C: 18–29 (clinical data: 20.2–29.1), widened
/// by what a room that is read off the picture may be wrong.
pub const ROOM: (Celsius, Celsius) = (Celsius::literal(12.0), Celsius::literal(34.0));

/// Largest spread of the looks at one face, K; frames of one still face differ by 0.12–0.15 K.
pub const LARGEST_SPREAD: TemperatureDelta = TemperatureDelta::literal(0.5);

/// Standard uncertainties of the guard band: 95 % on one side of a normal distribution.
pub const GUARD: f64 = 1.645;

/// How much worse a reading must be taken before its verdict gets milder, K: two standard errors of
/// the median of fifteen looks that differ by 0.14 K (0.045 K), and the last digit that is shown.
pub const HYSTERESIS: TemperatureDelta = TemperatureDelta::literal(0.1);

/// Gap between canthi and forehead beyond which somebody is taken to be just in from the cold, K:
/// what 97.5 % of the people before the clinical data's FLIR stay below (mean 0.35 K). Its other
/// camera has 1.42 K; the lower one is taken because the hold costs a second measurement and a cold
/// face that is missed costs a fever. It holds 2 to 5 % of those who are not cold. On the forehead's
/// way back to normal (Dzien 2020) the gap falls below it after about two and a half minutes.
pub const WIDEST_GAP: TemperatureDelta = TemperatureDelta::literal(1.15);

/// Median of the estimate in people without fever, °C: 36.85 (FLIR) and 36.77 (ICI) in the 1252
/// readings with an oral temperature below 37.5 °C that are counted in `calibration/transfer.toml`.
pub const HEALTHY: Celsius = Celsius::literal(36.8);

/// Most by which a population may raise the thresholds, K: it cannot be told from an outbreak.
pub const MOST_RAISED: TemperatureDelta = TemperatureDelta::literal(0.3);

/// What a site decides about verdicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// From this estimate on staff measure again. Default 37.3 °C, the local rule of February 2020.
    pub attention: Celsius,
    /// From this estimate on it is a possible fever. Default 37.9 °C: the lowest
    /// that calls at most one in a hundred people without a fever on the clinical data (see
    /// [`super::operating`] and `calibration/README.md`).
    pub fever: Celsius,
    /// Good looks that a reading needs, at least 3.
    pub min_looks: u32,
    /// Least width of a face, pixels.
    pub min_face_px: f32,
    /// From face to body.
    pub transfer: Transfer,
    /// Standard uncertainty of the reference's set point.
    pub u_reference: StandardUncertainty,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            attention: Celsius::literal(37.3),
            fever: Celsius::literal(37.9),
            min_looks: 3,
            min_face_px: 18.0,
            transfer: Transfer::UPPER_FACE,
            u_reference: StandardUncertainty::literal(0.1),
        }
    }
}

impl Rules {
    /// The verdict on a reading. A value that cannot be skin is no reading at all.
    #[must_use]
    pub fn judge(&self, reading: &Reading) -> Verdict {
        let face = reading.face.0 + -too_high(&reading.basis);
        let estimate = reading.estimate.value;
        if face < COLDEST_FACE {
            Verdict::CannotJudge(Obstacle::TooCold)
        } else if face > HOTTEST_FACE {
            Verdict::CannotJudge(Obstacle::TooHot)
        } else if !is_valid_room(reading) {
            Verdict::CannotJudge(Obstacle::RoomOutOfRange)
        } else if estimate >= self.threshold(&reading.basis) {
            Verdict::PossibleFever
        } else if reading.spread > LARGEST_SPREAD {
            Verdict::Retest(RetestReason::Unsteady)
        } else if estimate >= self.attention + raised(&reading.basis)
            || estimate + self.guard(reading) >= self.threshold(&reading.basis)
        {
            Verdict::Retest(RetestReason::NearThreshold)
        } else if is_cold(reading) {
            Verdict::Retest(RetestReason::JustIn)
        } else {
            Verdict::Clear
        }
    }

    /// The verdict on a reading of somebody who has this verdict already: graver at once, milder
    /// only beyond [`HYSTERESIS`].
    #[must_use]
    pub fn judge_again(&self, before: Verdict, reading: &Reading) -> Verdict {
        let now = self.judge(reading);
        let milder = now.gravity().is_some_and(|it| Some(it) < before.gravity());
        if milder && self.judge(&worse(reading, before)).gravity() >= before.gravity() {
            before
        } else {
            now
        }
    }

    /// The estimate from which on a reading on this basis is a possible fever, as the camera reads.
    #[must_use]
    pub fn threshold(&self, basis: &Basis) -> Celsius {
        self.fever + raised(basis)
    }

    /// Half width of the guard band of this reading: what the camera is unsure of, in the estimate.
    fn guard(&self, reading: &Reading) -> TemperatureDelta {
        let u_camera = (1.0 + self.transfer.k) * reading.u().kelvin();
        // Uncertainties end at 1000 K, far within the range.
        TemperatureDelta::new(GUARD * u_camera).unwrap_or(TemperatureDelta::literal(3300.0))
    }

    /// Whether a healthy person with this reading says something of what the camera makes of
    /// healthy people: steady, acclimatised, in a room for which the estimate holds.
    #[must_use]
    pub fn is_in_condition(reading: &Reading) -> bool {
        reading.spread <= LARGEST_SPREAD && is_valid_room(reading) && !is_cold(reading)
    }
}

/// What the camera seems to read too much.
fn too_high(basis: &Basis) -> TemperatureDelta {
    match basis {
        Basis::Reference => TemperatureDelta::ZERO,
        Basis::Population { median, .. } => *median - HEALTHY,
    }
}

/// By how much the thresholds are raised; below zero, lowered.
fn raised(basis: &Basis) -> TemperatureDelta {
    let seems = too_high(basis);
    if seems > MOST_RAISED {
        MOST_RAISED
    } else {
        seems
    }
}

fn is_valid_room(reading: &Reading) -> bool {
    let room = reading.chain.ambient.0;
    ROOM.0 <= room && room <= ROOM.1
}

fn is_cold(reading: &Reading) -> bool {
    let both = reading.canthi.zip(reading.forehead);
    both.is_some_and(|(canthi, forehead)| canthi.0 - forehead.0 > WIDEST_GAP)
}

/// The same reading, worse by [`HYSTERESIS`] in what made this verdict.
fn worse(reading: &Reading, verdict: Verdict) -> Reading {
    let mut worse = *reading;
    match verdict {
        Verdict::PossibleFever | Verdict::Retest(RetestReason::NearThreshold) => {
            worse.estimate.value = worse.estimate.value + HYSTERESIS;
        }
        Verdict::Retest(RetestReason::Unsteady) => worse.spread = worse.spread + HYSTERESIS,
        Verdict::Retest(RetestReason::JustIn) => {
            let canthi = worse.canthi;
            worse.canthi = canthi.map(|canthi| SkinTemperature(canthi.0 + HYSTERESIS));
        }
        Verdict::Clear | Verdict::CannotJudge(_) => {}
    }
    worse
}

#[cfg(test)]
mod tests;
