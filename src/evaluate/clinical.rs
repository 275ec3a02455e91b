//! What the temperatures of a face say of fever, on people whose oral temperature is known.
//!
//! `menshen evaluate clinical` prints these figures and `menshen calibrate transfer` fits the
//! constants; both are nothing but calls of what is here.
//!
//! - *Feverish* is who has an oral temperature (thermometer in monitor mode) of [`FEVER_C`] or more;
//!   a second definition is [`HIGH_FEVER_C`]. A figure without its definition means nothing: the
//!   same values have an area under the curve (AUC) of 0.97 for the one and of 0.99 for the other.
//! - One person stands before several cameras. Whatever is drawn or divided, whole people are:
//!   both rows of a person are always on the same side, so nobody is scored by constants that know
//!   the person from the other camera.
//! - Cameras are never added up, for the same reason: they show the same people.
//!
//! | part | says |
//! |---|---|
//! | `chance` | numbers that are the same for the same seed: folds and resamples |
//! | `rank` | AUC, sensitivity at a specificity, and their intervals |
//! | `ridge` | weights by least squares that are kept small |
//! | `fit` | the constants of the shown value and of the score, and both for people not seen |

mod chance;
mod fit;
mod rank;
mod ridge;

pub use fit::{Balance, FULL, GATEWAY, MeasuredK, Score, Term};
pub use fit::{unseen_estimates, unseen_scores};
pub use rank::{Figure, SPECIFICITIES, Values};

use std::collections::BTreeMap;

/// Oral temperature from which somebody is feverish, °C.
pub const FEVER_C: f64 = 37.5;

/// Oral temperature of the second, stricter definition, °C.
pub const HIGH_FEVER_C: f64 = 38.0;

/// A part of the face of which the data have a temperature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// What the gateway measures, mouth and breath excluded: the warmer of canthi and forehead.
    UpperFace,
    /// Maximum of the whole face, with the closed mouth in it.
    WholeFace,
    /// Maximum about the inner canthi.
    Canthi,
    /// Maximum of the forehead.
    Forehead,
    /// Maximum about the middle of the forehead.
    ForeheadCentreMaximum,
    /// Mean of 3 × 3 pixels in the middle of the forehead.
    ForeheadCentre,
    /// Mean of 3 × 3 pixels at the right inner canthus.
    RightCanthus,
    /// Mean of 3 × 3 pixels at the left inner canthus.
    LeftCanthus,
    /// Maximum within 13 pixels of the right inner canthus.
    RightCanthusMaximum,
    /// Maximum within 13 pixels of the left inner canthus.
    LeftCanthusMaximum,
}

impl Region {
    /// How many there are.
    pub const COUNT: usize = 10;

    /// Every region.
    pub const ALL: [Self; Self::COUNT] = [
        Self::UpperFace,
        Self::WholeFace,
        Self::Canthi,
        Self::Forehead,
        Self::ForeheadCentreMaximum,
        Self::ForeheadCentre,
        Self::RightCanthus,
        Self::LeftCanthus,
        Self::RightCanthusMaximum,
        Self::LeftCanthusMaximum,
    ];

    /// The word for it in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpperFace => "upper_face",
            Self::WholeFace => "whole_face",
            Self::Canthi => "canthi",
            Self::Forehead => "forehead",
            Self::ForeheadCentreMaximum => "forehead_centre_maximum",
            Self::ForeheadCentre => "forehead_centre",
            Self::RightCanthus => "right_canthus",
            Self::LeftCanthus => "left_canthus",
            Self::RightCanthusMaximum => "right_canthus_maximum",
            Self::LeftCanthusMaximum => "left_canthus_maximum",
        }
    }

    /// The inverse of [`Region::as_str`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.as_str() == word)
    }
}

/// One person before one camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which camera.
    pub camera: String,
    /// Who: the same word before every camera.
    pub person: String,
    /// Oral thermometer in monitor mode, °C.
    pub oral_c: f64,
    /// Air of the room, °C.
    pub room_c: f64,
    regions: [Option<f64>; Region::COUNT],
}

impl Row {
    /// A person with these temperatures, °C; what is given twice counts as given last. The upper
    /// face follows from canthi and forehead.
    #[must_use]
    pub fn new(
        camera: &str,
        person: &str,
        oral_c: f64,
        room_c: f64,
        regions: &[(Region, f64)],
    ) -> Self {
        let mut row = Self {
            camera: camera.to_owned(),
            person: person.to_owned(),
            oral_c,
            room_c,
            regions: [None; Region::COUNT],
        };
        for &(region, celsius) in regions {
            row.regions[region as usize] = Some(celsius);
        }
        let parts = [Region::Canthi, Region::Forehead].map(|part| row.celsius(part));
        row.regions[Region::UpperFace as usize] =
            parts.into_iter().flatten().max_by(f64::total_cmp);
        row
    }

    /// Temperature of a region, where there is one.
    #[must_use]
    pub const fn celsius(&self, region: Region) -> Option<f64> {
        self.regions[region as usize]
    }

    /// Whether the person is feverish.
    #[must_use]
    pub fn is_feverish(&self) -> bool {
        self.oral_c >= FEVER_C
    }
}

/// The cameras of these rows, in the order of their names.
#[must_use]
pub fn cameras(rows: &[Row]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().map(|row| row.camera.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// How many different people stand in these rows, and how many of them are feverish.
#[must_use]
pub fn people<'a>(rows: impl IntoIterator<Item = &'a Row>) -> (usize, usize) {
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    for row in rows {
        *seen.entry(&row.person).or_default() |= row.is_feverish();
    }
    (
        seen.len(),
        seen.values().filter(|&&feverish| feverish).count(),
    )
}

/// Mean; `None` of nothing.
fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// Standard deviation about the mean, divided by n; `None` of nothing.
fn deviation(values: &[f64]) -> Option<f64> {
    let middle = mean(values.iter().copied())?;
    mean(values.iter().map(|value| (value - middle).powi(2))).map(f64::sqrt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_face_is_the_warmer_of_canthi_and_forehead() {
        let row = |parts: &[(Region, f64)]| Row::new("A", "1", 36.6, 22.0, parts);
        let both = row(&[(Region::Canthi, 35.5), (Region::Forehead, 35.0)]);
        assert_eq!(both.celsius(Region::UpperFace), Some(35.5));
        let one = row(&[(Region::Forehead, 35.0), (Region::WholeFace, 36.0)]);
        assert_eq!(one.celsius(Region::UpperFace), Some(35.0));
        assert_eq!(row(&[]).celsius(Region::UpperFace), None);
    }

    #[test]
    fn people_are_counted_once_whatever_the_cameras() {
        let row = |camera: &str, person: &str, oral| Row::new(camera, person, oral, 22.0, &[]);
        let rows = [
            row("B", "x", 37.5),
            row("A", "x", 37.5),
            row("A", "y", 37.49),
        ];
        assert_eq!(cameras(&rows), ["A", "B"]);
        assert_eq!(people(&rows), (2, 1));
    }

    #[test]
    fn every_region_has_its_own_word_and_place() {
        for (at, region) in Region::ALL.into_iter().enumerate() {
            assert_eq!(region as usize, at);
            assert_eq!(Region::parse(region.as_str()), Some(region));
        }
        assert_eq!(Region::parse("mouth"), None);
    }

    #[test]
    fn the_deviation_is_that_of_the_values_at_hand() {
        assert_eq!(deviation(&[1.0, 3.0]), Some(1.0));
        assert_eq!(deviation(&[]), None);
    }
}
