//! How sure the temperature of one pixel is, for whoever points at one.
//!
//! It is what a blackbody there would have to be: nobody knows the emissivity of what a guard points at.
//! One pixel of one frame has all of the camera's noise, which the even disc of the reference shows; the
//! rest is what a face has, too ([`Budget::SYSTEMATIC`], `LevelledBy::u`).

use super::budget::{Budget, Part};
use crate::thermal::{FrameHealth, ThermalFrame};
use crate::units::{Celsius, StandardUncertainty, TemperatureDelta};

/// What a pixel of this frame is unsure by: the further from what levels the frame, the more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelUncertainty {
    /// Where it is least.
    pub surest: Celsius,
    /// How much it is there.
    pub least: StandardUncertainty,
    /// What each kelvin from there adds, independently of the rest.
    pub slope: f64,
}

impl PixelUncertainty {
    /// Of a frame whose reference is sure by so much; `None` where nothing may be measured in it.
    #[must_use]
    pub fn of(frame: &ThermalFrame, u_set_point: StandardUncertainty) -> Option<Self> {
        let (FrameHealth::Good, Some(level), Some(reference)) =
            (frame.health, &frame.path.reference, &frame.reference)
        else {
            return None;
        };
        let surest = level.apparent;
        let there = level.u(u_set_point, surest).kelvin();
        let beside = level.u(u_set_point, surest + TemperatureDelta::literal(1.0));
        let beside = beside.kelvin();
        Some(Self {
            surest,
            least: StandardUncertainty::combined(&[
                there,
                Budget::SYSTEMATIC.part(Part::Drift),
                Budget::SYSTEMATIC.part(Part::NonUniformity),
                Budget::SYSTEMATIC.part(Part::Path),
                reference.spread.kelvin(),
            ]),
            slope: (beside * beside - there * there).max(0.0).sqrt(),
        })
    }

    /// Of a pixel that is shown at this temperature.
    #[must_use]
    pub fn at(&self, shown: Celsius) -> StandardUncertainty {
        let away = (shown - self.surest).kelvin();
        StandardUncertainty::combined(&[self.least.kelvin(), self.slope * away])
    }
}
