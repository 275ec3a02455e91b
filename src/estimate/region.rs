//! What parts of a face are measured, and their warmest small area.

use crate::face::{Face, Features};
use crate::thermal::ThermalFrame;
use crate::units::PixelPoint;
use ndarray::Array2;

/// From the middle of the eyes up to the lower edge of the brow, in heights of the face: about 2 cm
/// of 18 cm. Glasses end and hats begin there.
const EYE_TO_BROW: f32 = 0.11;

/// How far the surroundings of an inner canthus reach, in widths of the face: 15 mm. The point is
/// known to 3 % of the width, the spot has a radius of 6 mm.
const ABOUT_CANTHUS: f32 = 0.1;

/// Half the width and half the height of the patch of forehead, in widths of the face: 60 × 21 mm
/// about its middle, between brows and hairline.
const FOREHEAD: (f32, f32) = (0.2, 0.07);

/// Pixels that smoothing twice reaches across.
const REACH: usize = 2;

/// A rectangle of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Bounds {
    fn within(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    fn about(point: PixelPoint, half: (f32, f32)) -> Self {
        Self {
            left: point.x - half.0,
            top: point.y - half.1,
            right: point.x + half.0,
            bottom: point.y + half.1,
        }
    }
}

/// What is measured of one face.
pub(super) struct Regions {
    upper: Bounds,
    canthi: Option<[Bounds; 2]>,
    forehead: Option<Bounds>,
}

impl Regions {
    /// The upper face lies between the temples, from below the hairline down to the tip of the
    /// nose: canthi and forehead are inside, mouth and breath are not, nor a mask. Where the brow is
    /// covered, it begins above the eyes; where glasses are worn, it ends above them. Nothing is
    /// left of both. Canthi and forehead are parts of it, where a detector says where they are and
    /// nothing covers them.
    pub(super) fn of(face: &Face, frame: &ThermalFrame) -> Self {
        let area = face.area.clipped(frame.width(), frame.height());
        let (width, height) = (area.width(), area.height());
        let (highest, lowest) = (area.top + 0.4 * height, area.top + 0.65 * height);
        let nose = face
            .features
            .map(|features| features.landmarks.nose.y)
            .filter(|y| y.is_finite())
            .unwrap_or(area.top + 0.6 * height);
        let mut upper = Bounds {
            left: area.left + 0.1 * width,
            top: area.top + 0.05 * height,
            right: area.right - 0.1 * width,
            bottom: nose.clamp(highest, lowest),
        };
        let (mut canthi, mut forehead) = (None, None);
        if let Some(Features {
            landmarks,
            occlusion,
            ..
        }) = &face.features
        {
            let eyes = landmarks.left_eye.y.min(landmarks.right_eye.y);
            let brow = eyes - EYE_TO_BROW * height;
            // Farther away than smoothing reaches, so that it does not reach across.
            if occlusion.has_covered_brow() {
                upper.top = upper.top.max(brow.ceil() + REACH as f32);
            } else {
                let half = (FOREHEAD.0 * width, FOREHEAD.1 * width);
                forehead = Some(Bounds::about(landmarks.forehead, half).within(Bounds {
                    bottom: brow,
                    ..upper
                }));
            }
            if occlusion.has_glasses() {
                upper.bottom = upper.bottom.min(brow.floor() - REACH as f32);
                forehead = forehead.map(|forehead| forehead.within(upper));
            } else {
                let half = (ABOUT_CANTHUS * width, ABOUT_CANTHUS * width);
                canthi = Some(
                    [landmarks.left_canthus, landmarks.right_canthus]
                        .map(|point| Bounds::about(point, half).within(upper)),
                );
            }
        }
        Self {
            upper,
            canthi,
            forehead,
        }
    }

    /// The warmest small area of each. `None` where nothing is left of the upper face.
    pub(super) fn warmest(&self, celsius: &Array2<f32>) -> Option<Warmest> {
        Some(Warmest {
            upper: warmest(celsius, self.upper)?,
            canthi: self.canthi.and_then(|both| {
                let each = both.map(|one| warmest(celsius, one));
                each.into_iter().flatten().reduce(Spot::warmer)
            }),
            forehead: self.forehead.and_then(|it| warmest(celsius, it)),
        })
    }
}

/// The warmest small areas of one face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Warmest {
    pub(super) upper: Spot,
    pub(super) canthi: Option<Spot>,
    pub(super) forehead: Option<Spot>,
}

/// The warmest small area of a region, apparent, °C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spot {
    /// Maximum after smoothing once.
    pub(super) once: f32,
    /// Maximum after smoothing twice.
    pub(super) twice: f32,
}

impl Spot {
    fn warmer(self, other: Self) -> Self {
        Self {
            once: self.once.max(other.once),
            twice: self.twice.max(other.twice),
        }
    }
}

/// The highest values of a region after smoothing with the 3 × 3 binomial kernel (1 2 1), whose
/// noise is 0.375 of a pixel's, once and twice: a hot pixel cannot make a fever.
fn warmest(celsius: &Array2<f32>, bounds: Bounds) -> Option<Spot> {
    let (rows, cols) = celsius.dim();
    let whole = |from: f32, to: f32, most: usize| {
        let first = (from.max(0.0) as usize).max(REACH);
        let end = (to.max(0.0).ceil() as usize).min(most.checked_sub(REACH)?);
        (first < end).then_some(first..end)
    };
    let columns = whole(bounds.left, bounds.right, cols)?;
    let lines = whole(bounds.top, bounds.bottom, rows)?;
    // Smoothed once, with a pixel all around.
    let (height, width) = (lines.len() + 2, columns.len() + 2);
    let (first_row, first_col) = (lines.start - 1, columns.start - 1);
    let once = Array2::from_shape_fn((height, width), |(row, col)| {
        smooth(celsius, first_row + row, first_col + col)
    });
    let mut spot: Option<Spot> = None;
    for row in 1..height - 1 {
        for col in 1..width - 1 {
            let here = Spot {
                once: once[[row, col]],
                twice: smooth(&once, row, col),
            };
            spot = Some(spot.map_or(here, |spot| spot.warmer(here)));
        }
    }
    spot
}

fn smooth(values: &Array2<f32>, row: usize, col: usize) -> f32 {
    let across = |row: usize| {
        0.25 * (values[[row, col - 1]] + values[[row, col + 1]]) + 0.5 * values[[row, col]]
    };
    0.25 * (across(row - 1) + across(row + 1)) + 0.5 * across(row)
}

#[cfg(test)]
mod tests;
