//! The rules by which a reading becomes a verdict.

use super::{Obstacle, RetestReason, Verdict};
use crate::estimate::{Reading, Transfer};
use crate::units::{Celsius, StandardUncertainty, TemperatureDelta};

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
            transfer: Transfer::FACE_MAXIMUM,
            u_reference: StandardUncertainty::literal(0.1),
        }
    }
}

impl Rules {
    /// The verdict on a reading. A value that cannot be skin is no reading at all.
    #[must_use]
    pub fn judge(&self, reading: &Reading) -> Verdict {
        let (face, room) = (reading.face.0, reading.chain.ambient.0);
        if face < COLDEST_FACE {
            Verdict::CannotJudge(Obstacle::TooCold)
        } else if face > HOTTEST_FACE {
            Verdict::CannotJudge(Obstacle::TooHot)
        } else if room < ROOM.0 || room > ROOM.1 {
            Verdict::CannotJudge(Obstacle::RoomOutOfRange)
        } else if reading.estimate.value >= self.fever {
            Verdict::PossibleFever
        } else if reading.spread > LARGEST_SPREAD {
            Verdict::Retest(RetestReason::Unsteady)
        } else if reading.estimate.value >= self.attention {
            Verdict::Retest(RetestReason::NearThreshold)
        } else {
            Verdict::Clear
        }
    }
}
