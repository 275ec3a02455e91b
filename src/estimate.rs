//! From the looks at one face to a reading with its uncertainty.
//!
//! A look is one good frame's warmest skin of the upper face: the inner canthi and what surrounds
//! them, mouth and breath excluded (an open mouth reads about 1 °C more and tells less: AUC 0.92
//! against 0.97 on the FDA data). It is a small-area maximum, never one pixel. Several looks make
//! a reading: the median of the best, never one frame.
//!
//! The body estimate shown is the arterial heat balance `T_face + k·(T_face − T_ambient) + c`. It
//! is not a least-squares fit, because that reads feverish people low (by 0.3 °C on the same
//! data). Nothing here clamps, rounds or blends: the estimate is linear in what the camera saw.

use crate::face::{Face, Features};
use crate::thermal::ThermalFrame;
use crate::thermal::radiometry::Emissivity;
use crate::units::{
    AmbientTemperature, Celsius, SkinTemperature, StandardUncertainty, TemperatureDelta,
};
use ndarray::Array2;

/// An estimate of body temperature: only ever together with its uncertainty. An estimate for
/// screening, not a measurement of body temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BodyEstimate {
    /// `T_face + k·(T_face − T_ambient) + c`.
    pub value: Celsius,
    /// Standard uncertainty, camera and transfer together.
    pub u: StandardUncertainty,
}

/// How a reading came about, so that it can be checked by hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chain {
    /// What the camera said of the region, before any correction.
    pub apparent: Celsius,
    /// What the reference added.
    pub offset: TemperatureDelta,
    /// The room in which the estimate was made.
    pub ambient: AmbientTemperature,
}

/// What several good looks at one face came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Temperature of the warmest skin of the upper face.
    pub face: SkinTemperature,
    /// Standard uncertainty of `face`.
    pub u: StandardUncertainty,
    /// What that says of the body.
    pub estimate: BodyEstimate,
    /// Looks that were used.
    pub looks: u32,
    /// Robust standard deviation of the looks.
    pub spread: TemperatureDelta,
    /// The way from counts to here.
    pub chain: Chain,
}

/// From face to body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// Share of the difference to the room that is added, K/K.
    pub k: f64,
    /// What is added on top, K.
    pub c: TemperatureDelta,
    /// Standard deviation of the estimate about an oral thermometer in monitor mode.
    pub u: StandardUncertainty,
}

impl Transfer {
    /// One constant set for every camera, fitted on about 2000 readings of 1026 people by two
    /// cameras (Wang et al., doi:10.13026/3bhc-9065, rounds 1–3; full-face maximum). Holds for
    /// rooms of 20–29 °C and adults who are acclimatised. SD about the oral reference: 0.30 K
    /// (FLIR) and 0.34 K (ICI); the larger one is kept. See `calibration/transfer.toml`.
    pub const FACE_MAXIMUM: Self = Self {
        k: 0.08,
        c: TemperatureDelta::literal(0.165_817),
        u: StandardUncertainty::literal(0.335),
    };

    /// The estimate for a face in a room.
    #[must_use]
    pub fn body(&self, face: SkinTemperature, room: AmbientTemperature) -> Option<Celsius> {
        let gain = TemperatureDelta::new(self.k * (face.0 - room.0).kelvin())?;
        Some(face.0 + (gain + self.c))
    }
}

/// Parts of the uncertainty of one reading that no amount of looking makes smaller, K (standard
/// uncertainties; estimates for a one-point corrected microbolometer, see the budget in
/// `calibration/README.md`): drift between looks at the reference 0.03, non-uniformity between
/// reference and face 0.087, skin emissivity ± 0.01: 0.075, reflected temperature ± 5 K: 0.058,
/// path 0.03, size of source 0.087.
const SYSTEMATIC_K: [f64; 6] = [0.03, 0.087, 0.075, 0.058, 0.03, 0.087];

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

/// From the middle of the eyes up to the lower edge of the brow, in heights of the face: about 2 cm
/// of 18 cm. Glasses end and hats begin there.
const EYE_TO_BROW: f32 = 0.11;

/// The upper face in whole pixels: columns and rows from `first` to before `end`.
struct Region {
    first: (usize, usize),
    end: (usize, usize),
}

impl Region {
    /// Between the temples, from below the hairline down to the tip of the nose: the canthi and
    /// the forehead are inside, mouth and breath are not. Where the brow is covered, it begins
    /// above the eyes; where glasses are worn, it ends above them. Nothing is left of both.
    fn of(face: &Face, frame: &ThermalFrame) -> Self {
        let area = face.area.clipped(frame.width(), frame.height());
        let (width, height) = (area.width(), area.height());
        let (highest, lowest) = (area.top + 0.4 * height, area.top + 0.65 * height);
        let nose = face
            .features
            .map(|features| features.landmarks.nose.y)
            .filter(|y| y.is_finite())
            .unwrap_or(area.top + 0.6 * height);
        let mut top = area.top + 0.05 * height;
        let mut bottom = nose.clamp(highest, lowest);
        if let Some(Features {
            landmarks,
            occlusion,
            ..
        }) = &face.features
        {
            let eyes = landmarks.left_eye.y.min(landmarks.right_eye.y);
            let brow = eyes - EYE_TO_BROW * height;
            // A pixel farther away, so that the small area does not reach across.
            if occlusion.has_covered_brow() {
                top = top.max(brow.ceil() + 1.0);
            }
            if occlusion.has_glasses() {
                bottom = bottom.min(brow.floor() - 1.0);
            }
        }
        Self {
            first: ((area.left + 0.1 * width) as usize, top as usize),
            end: (
                (area.right - 0.1 * width).ceil() as usize,
                bottom.ceil() as usize,
            ),
        }
    }
}

/// Highest value after smoothing with the 3 × 3 binomial kernel (1 2 1), whose noise is 0.375 of
/// a pixel's: a hot pixel cannot make a fever.
fn warmest_small_area(celsius: &Array2<f32>, region: &Region) -> Option<f32> {
    const KERNEL: [f32; 3] = [0.25, 0.5, 0.25];
    let (rows, cols) = celsius.dim();
    let first = (region.first.0.max(1), region.first.1.max(1));
    let end = (
        region.end.0.min(cols.checked_sub(1)?),
        region.end.1.min(rows.checked_sub(1)?),
    );
    let mut warmest: Option<f32> = None;
    for row in first.1..end.1 {
        for col in first.0..end.0 {
            let mut sum = 0.0;
            for (dy, weight_y) in KERNEL.iter().enumerate() {
                for (dx, weight_x) in KERNEL.iter().enumerate() {
                    sum += weight_y * weight_x * celsius[[row + dy - 1, col + dx - 1]];
                }
            }
            warmest = Some(warmest.map_or(sum, |most| most.max(sum)));
        }
    }
    warmest
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
        let mut parts = SYSTEMATIC_K.to_vec();
        parts.extend([random, u_reference.kelvin()]);
        let u = StandardUncertainty::combined(&parts);
        let u_estimate =
            StandardUncertainty::combined(&[u.kelvin() * (1.0 + transfer.k), transfer.u.kelvin()]);
        Some(Reading {
            face,
            u,
            estimate: BodyEstimate {
                value: transfer.body(face, ambient)?,
                u: u_estimate,
            },
            looks: self.count(),
            spread: TemperatureDelta::new(spread)?,
            chain: Chain {
                apparent: corrected + -middle.offset,
                offset: middle.offset,
                ambient,
            },
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
        assert!(torn.u > calm.u);
        assert!((0.17..0.21).contains(&calm.u.kelvin()), "{:?}", calm.u);
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

    #[test]
    fn the_constants_are_those_of_the_calibration() {
        let file: toml::Table = include_str!("../calibration/transfer.toml")
            .parse()
            .unwrap();
        let said = |name: &str| file["transfer"][name].as_float().unwrap();
        let used = Transfer::FACE_MAXIMUM;
        assert_eq!(
            [used.k, used.c.kelvin(), used.u.kelvin()],
            [said("k"), said("c"), said("u_k")]
        );
    }
}
