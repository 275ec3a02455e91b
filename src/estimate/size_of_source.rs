//! Size of the source: what lens and smoothing take from a small warm area, and how much of it is
//! given back.
//!
//! The inner canthus is a spot of some 5 mm, two pixels of a near face and less than one of a far
//! one. The lens, the pixel and our own smoothing average it with the cooler skin around it, so the
//! maximum reads low, the lower the fewer pixels a face has. Blur spreads heat as a conductor does:
//! a blurred picture changes with the variance `b` of its blur at the same rate, `∂T/∂b = ½∇²T`,
//! whatever is in it. So what the blur up to the smoothed picture has taken is read off what the
//! same smoothing takes once more, by a straight line back to no blur at all:
//!
//! `T = T₁ + g·(T₁ − T₂)`, `g = b₁ / (b₂ − b₁)`
//!
//! with `T₁` the maximum of the picture smoothed once, `T₂` of the picture smoothed twice. No
//! temperature of skin, nor anything else of the scene, is assumed. A spot that is resolved has a
//! flat top; there the straight line goes too far, and `g` is no more than a disc of
//! [`SPOT_RADIUS_MM`] needs. Everything is a weighted sum of temperatures: a face that is 1 K warmer
//! reads 1 K warmer, from any to any.
//!
//! Validated on rendered faces that it was not chosen on: `calibration/README.md`.

/// Width of a face, cheek to cheek, mm.
const FACE_WIDTH_MM: f32 = 150.0;

/// Radius of the warm spot at the inner canthus, mm: about 5 mm that are warmest, and the slope
/// around them. Chosen on rendered faces; spots of 4 to 8 mm stay within what is said of the
/// uncertainty.
const SPOT_RADIUS_MM: f32 = 6.0;

/// Variances along one axis, pixels²: a square pixel averages over itself; a maximum on a grid
/// misses the true one by as much again; one smoothing with (1 2 1)/4.
const PIXEL: f32 = 1.0 / 12.0;
const GRID: f32 = 1.0 / 12.0;
pub(super) const SMOOTHING: f32 = 0.5;

/// How well the correction is known: half of it, for spots of 4 to 8 mm and lenses 0.2 px sharper to
/// 0.3 px softer than they are said to be.
const UNKNOWN_SHARE: f64 = 0.5;

/// What no correction sees, K·px²: 0.03 K at 30 pixels, going with the area of a pixel on the skin.
const UNSEEN: f64 = 27.0;

/// By how much the difference of one smoothing more is multiplied, on a face of this width seen
/// through a lens of this blur (σ, pixels).
pub(super) fn gain(blur_px: f32, face_px: f32) -> f32 {
    let once = blur_px * blur_px + PIXEL + GRID + SMOOTHING;
    let twice = once + SMOOTHING;
    let radius = SPOT_RADIUS_MM / FACE_WIDTH_MM * face_px;
    // What blur leaves of the middle of a disc: 1 − e^(−r²/2b).
    let lost = |variance: f32| (-0.5 * radius * radius / variance).exp();
    let resolved = lost(once) / (lost(twice) - lost(once)).max(f32::MIN_POSITIVE);
    (once / SMOOTHING).min(resolved)
}

/// Standard uncertainty of the correction of a face of this width, K.
pub(super) fn uncertainty(correction_k: f64, face_px: f64) -> f64 {
    (UNKNOWN_SHARE * correction_k).hypot(UNSEEN / (face_px * face_px).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_face_is_corrected_by_the_straight_line_and_a_large_one_by_less() {
        // (0.36 + 1/12 + 1/12 + 0.5) / 0.5
        assert!((gain(0.6, 20.0) - 2.053).abs() < 1e-3);
        assert_eq!(gain(0.6, 20.0), gain(0.6, 35.0));
        let mut last = gain(0.6, 35.0);
        for px in [45.0, 60.0, 90.0, 150.0, 300.0, 640.0] {
            let found = gain(0.6, px);
            assert!(
                (0.0..last).contains(&found) || found == 0.0,
                "{px}: {found}"
            );
            last = found;
        }
        assert!(gain(0.6, 640.0) < 1e-3);
    }

    #[test]
    fn a_softer_lens_asks_for_more() {
        let at = |blur_px| gain(blur_px, 25.0);
        assert!(at(0.0) > 1.3 && at(0.4) < at(0.6) && at(0.6) < at(0.9));
    }

    #[test]
    fn a_straight_line_finds_a_broad_spot_again() {
        // A Gaussian of variance s² and height 1 keeps s²/(s² + b) of it under blur b.
        let once = 0.36 + PIXEL + GRID + SMOOTHING;
        let kept = |blur: f32| 20.0 / (20.0 + blur);
        let found = kept(once) + gain(0.6, 25.0) * (kept(once) - kept(once + SMOOTHING));
        assert!((found - 1.0).abs() < 0.005, "{found}");
        assert!(kept(once) < 0.96);
    }

    #[test]
    fn fewer_pixels_are_less_sure() {
        assert!((uncertainty(0.0, 30.0) - 0.03).abs() < 1e-12);
        assert!((uncertainty(0.08, 30.0) - 0.05).abs() < 1e-12);
        assert_eq!(uncertainty(-0.08, 30.0), uncertainty(0.08, 30.0));
        assert!(uncertainty(0.0, 18.0) > 0.08);
        assert!(uncertainty(0.0, 0.0).is_finite());
    }
}
