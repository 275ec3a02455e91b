//! What part of a face is measured, and its warmest small area.

use crate::face::{Face, Features};
use crate::thermal::ThermalFrame;
use ndarray::Array2;

/// From the middle of the eyes up to the lower edge of the brow, in heights of the face: about 2 cm
/// of 18 cm. Glasses end and hats begin there.
const EYE_TO_BROW: f32 = 0.11;

/// The upper face in whole pixels: columns and rows from `first` to before `end`.
pub(super) struct Region {
    first: (usize, usize),
    end: (usize, usize),
}

impl Region {
    /// Between the temples, from below the hairline down to the tip of the nose: the canthi and
    /// the forehead are inside, mouth and breath are not. Where the brow is covered, it begins
    /// above the eyes; where glasses are worn, it ends above them. Nothing is left of both.
    pub(super) fn of(face: &Face, frame: &ThermalFrame) -> Self {
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
pub(super) fn warmest_small_area(celsius: &Array2<f32>, region: &Region) -> Option<f32> {
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
