//! How good a detector is, and the gateway with it: what was found against what somebody saw. And
//! in [`clinical`], what temperatures say of fever against what an oral thermometer said.
//!
//! The one definition of every figure: `menshen evaluate faces` prints them, `tests/recordings.rs`
//! holds bounds on them, and `models/training/evaluate.py` counts in the same way.
//!
//! - A detection and a face belong together from an overlap (intersection over union, IoU) of
//!   [`TOUCH_IOU`] on, each at most once, best overlap first. A face is *found* from
//!   [`FOUND_IOU`] on, the usual bound of the field (PASCAL VOC).
//! - *Precision* is the share of all detections that found a face. *False* is a stricter word: a
//!   detection that touches no face at all. One that lies mostly in an area to be ignored is
//!   neither.
//! - Errors of points and pose, and what a face wears, are taken of faces that belong to a
//!   detection which says so: the rest is a matter of recall.

pub mod clinical;
mod faces;
mod people;
pub mod rendered;

pub use faces::{Detections, Flag, FlagScore, PointError, PoseAxis, Sheet};
pub use people::{Class, Known, Outcome, Summary};

use crate::face::Landmarks;
use crate::units::{PixelBox, PixelPoint};

/// Overlap from which a face is found.
pub const FOUND_IOU: f32 = 0.5;

/// Overlap from which a detection is not false.
pub const TOUCH_IOU: f32 = 0.3;

/// Share of a detection within an ignored area from which it is not looked at.
const IGNORED_SHARE: f32 = 0.5;

/// Width from which faces are scored apart, pixels: the narrower ones are people far behind, too
/// small to be measured.
pub const NEAR_WIDTH: f32 = 20.0;

/// A face that somebody saw, or that was rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenFace {
    /// Hairline to chin, cheek to cheek.
    pub area: PixelBox,
    /// In the order of [`Landmarks::points`]; `None` where nobody said.
    pub points: [Option<PixelPoint>; Landmarks::COUNT],
    /// What it wears, in the order of [`Flag::ALL`].
    pub wears: [Option<bool>; 3],
    /// How it is held, degrees, in the order of [`PoseAxis::ALL`].
    pub pose: [Option<f32>; 3],
}

/// A frame in which every face is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeenFrame {
    /// The faces that are to be found.
    pub faces: Vec<SeenFace>,
    /// Where it does not matter what is found.
    pub ignore: Vec<PixelBox>,
    /// Heads seen from behind, where their places are known.
    pub backs: Vec<PixelBox>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many were it.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

impl Count {
    /// One more, which was it or was not.
    pub const fn add(&mut self, hit: bool) {
        self.hits += hit as u64;
        self.of += 1;
    }

    /// The ratio; `None` of nothing.
    #[must_use]
    pub fn ratio(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// The 95 % interval of the ratio (Wilson 1927): it stays within 0 and 1, and is right for few
    /// and for none. `None` of nothing.
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        /// 97.5 % point of the normal distribution.
        const Z: f64 = 1.959_964;
        let (share, n) = (self.ratio()?, self.of as f64);
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let limit = |sum: f64| (sum / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
        Some((limit(middle - half), limit(middle + half)))
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn the_interval_is_that_of_published_examples() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (hits, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (l, h) = Count { hits, of }.interval().unwrap();
            assert!((l - low).abs() < 6e-5 && (h - high).abs() < 6e-5, "{l} {h}");
        }
        assert_eq!(Count::default().interval(), None);
    }
}
