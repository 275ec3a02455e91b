//! From looks to a reading.

use super::budget::{Budget, Part};
use super::region::{Region, warmest_small_area};
use super::{Basis, BodyEstimate, Chain, Reading, Transfer};
use crate::face::Face;
use crate::thermal::ThermalFrame;
use crate::thermal::radiometry::Emissivity;
use crate::units::{
    AmbientTemperature, Celsius, SkinTemperature, StandardUncertainty, TemperatureDelta,
};

/// Looks that a reading is made of, at most: the best ones.
const BEST_LOOKS: usize = 15;

/// Looks that are kept for one person.
const KEPT_LOOKS: usize = 60;

/// One good frame's look at one face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Warmest small area of the upper face, apparent, offset included, °C.
    celsius: f32,
    offset: TemperatureDelta,
    ambient: AmbientTemperature,
    /// Width of the face times the detector's score: how much this look is worth.
    worth: f32,
}

/// Looks at a face in a good frame. `None` where the region lies outside of the picture or is
/// covered, the box is none, or the room is not known yet.
#[must_use]
pub fn look(frame: &ThermalFrame, face: &Face) -> Option<Look> {
    let ambient = frame.scene?;
    if !face.area.is_proper() {
        return None;
    }
    let celsius = warmest_small_area(&frame.celsius, &Region::of(face, frame))?;
    Some(Look {
        celsius,
        offset: frame.offset,
        ambient,
        worth: face.area.width() * face.score,
    })
}

/// The good looks at one person so far; holds only the best ones, however long somebody stands.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    looks: Vec<Look>,
}

impl Looks {
    /// One look more.
    pub fn add(&mut self, look: Look) {
        self.looks.push(look);
        if self.looks.len() > KEPT_LOOKS {
            let worst = self
                .looks
                .iter()
                .enumerate()
                .min_by(|(_, a), (_, b)| a.worth.total_cmp(&b.worth))
                .map(|(index, _)| index);
            if let Some(index) = worst {
                self.looks.remove(index);
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.looks.len()).unwrap_or(u32::MAX)
    }

    /// What they come to: the median of the best. `None` without a look, or where what was seen
    /// cannot be a surface at all.
    #[must_use]
    pub fn reading(
        &self,
        transfer: &Transfer,
        u_reference: StandardUncertainty,
    ) -> Option<Reading> {
        let mut best = self.looks.clone();
        best.sort_by(|a, b| b.worth.total_cmp(&a.worth));
        best.truncate(BEST_LOOKS);
        best.sort_by(|a, b| a.celsius.total_cmp(&b.celsius));
        let middle = best.get(best.len() / 2)?;
        let value = if best.len().is_multiple_of(2) {
            f32::midpoint(middle.celsius, best[best.len() / 2 - 1].celsius)
        } else {
            middle.celsius
        };
        let corrected = Celsius::new(f64::from(value))?;
        let ambient = middle.ambient;
        let face = SkinTemperature(Emissivity::SKIN.surface(corrected, ambient.0)?);
        let spread = robust_deviation(&best, value);
        let random = spread / (best.len() as f64).sqrt();
        let budget = Budget::SYSTEMATIC
            .with(Part::Reference, u_reference.kelvin())
            .with(Part::Looks, random)
            .with(Part::Transfer, transfer.u.kelvin());
        Some(Reading {
            face,
            canthi: None,
            forehead: None,
            estimate: BodyEstimate {
                value: transfer.body(face, ambient)?,
                u: budget.body(transfer.k),
            },
            looks: self.count(),
            spread: TemperatureDelta::new(spread)?,
            chain: Chain {
                apparent: corrected + -middle.offset,
                offset: middle.offset,
                size_of_source: TemperatureDelta::ZERO,
                ambient,
            },
            basis: Basis::Reference,
            budget,
        })
    }
}

/// Median absolute deviation, scaled to the standard deviation of a normal distribution, K.
fn robust_deviation(looks: &[Look], middle: f32) -> f64 {
    let mut away: Vec<f32> = looks
        .iter()
        .map(|look| (look.celsius - middle).abs())
        .collect();
    away.sort_by(f32::total_cmp);
    away.get(away.len() / 2)
        .map_or(0.0, |mad| 1.4826 * f64::from(*mad))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(values: &[f32]) -> Looks {
        let mut looks = Looks::default();
        for (n, celsius) in values.iter().enumerate() {
            looks.add(Look {
                celsius: *celsius,
                offset: TemperatureDelta::literal(1.5),
                ambient: AmbientTemperature(Celsius::literal(23.0)),
                worth: 20.0 + n as f32 * 0.01,
            });
        }
        looks
    }

    fn reading(values: &[f32]) -> Reading {
        looks(values)
            .reading(&Transfer::FACE_MAXIMUM, StandardUncertainty::literal(0.058))
            .unwrap()
    }

    #[test]
    fn the_estimate_is_linear_from_33_to_41_degrees() {
        // The protocol of Healy et al. 2021: steps of 0.25 °C, no plateau, constant slope.
        let steps: Vec<f64> = (0..=32).map(|n| 33.0 + 0.25 * f64::from(n)).collect();
        let shown: Vec<f64> = steps
            .iter()
            .map(|t| reading(&[*t as f32; 3]).estimate.value.degrees())
            .collect();
        for pair in shown.windows(2) {
            let slope = (pair[1] - pair[0]) / 0.25;
            // (1 + k) / ε, with the slight curvature of Planck's law.
            assert!((slope - 1.08 / 0.98).abs() < 0.012, "{slope}");
        }
    }

    #[test]
    fn one_wild_look_changes_nothing_much() {
        let calm = reading(&[36.0, 36.01, 35.99, 36.0, 36.0]);
        let wild = reading(&[36.0, 36.01, 35.99, 36.0, 45.0]);
        assert!((wild.face.degrees() - calm.face.degrees()).abs() < 0.02);
        assert_eq!(wild.looks, 5);
    }

    #[test]
    fn looks_that_disagree_widen_the_uncertainty() {
        let calm = reading(&[36.0; 5]);
        let torn = reading(&[35.0, 35.5, 36.0, 36.5, 37.0]);
        assert!(torn.u() > calm.u());
        assert!((0.17..0.21).contains(&calm.u().kelvin()), "{:?}", calm.u());
        assert!(calm.estimate.u.kelvin() > 0.335);
    }

    #[test]
    fn no_look_is_no_reading_and_many_looks_stay_few() {
        assert!(
            looks(&[])
                .reading(&Transfer::FACE_MAXIMUM, StandardUncertainty::literal(0.1))
                .is_none()
        );
        assert_eq!(looks(&[36.0; 500]).count(), 60);
    }
}
