//! Whether a face can be measured in this frame, and if not, why.
//!
//! A look at a face that is too small, smeared, cut by the picture's edge, turned away or behind
//! glasses says less than it seems to, and always in the same direction: too cold. Such a look is
//! not taken for a measurement, and its reason is counted, so that whoever cannot be judged is told
//! what to do. A mask forbids nothing, for the region that is measured ends at the nose; a covered
//! brow forbids nothing either, for the region then begins at the eyes ([`crate::estimate`]).

use super::{Face, Features};
use crate::thermal::ThermalFrame;
use crate::units::PixelPoint;

/// Fastest face that is measured, in its own widths a second. A microbolometer's picture of a
/// faster one is smeared, and who crosses the picture like that is passing by: 2.5 widths, about
/// 0.4 m a second. On the real recordings one who walked past without stopping moved at more than
/// 4, and nobody who came to be screened is lost by this limit. The speed is all there is to tell
/// a smeared face by: a face has few edges in thermal radiation, and a smooth one is no worse.
pub const FASTEST_FACE: f32 = 2.5;

/// Farthest that a face may be turned to either side, degrees. An engineering choice: beyond about
/// 45° the bridge of the nose hides the far canthus, and cheek and temple take the place of the
/// forehead. It is not the skin's emissivity, which falls noticeably only at larger angles.
pub const LARGEST_YAW_DEG: f32 = 45.0;

/// Farthest that a face may nod, degrees. Another choice: beyond it the brow (downwards) or the
/// cheeks (upwards) come before the canthi.
pub const LARGEST_PITCH_DEG: f32 = 35.0;

/// Least distance of both eyes from the picture's edge, in widths of the face: the canthi's
/// surroundings must be in view. What the edge cuts off of brow, cheek or chin does no harm.
const EYE_TO_EDGE: f32 = 0.1;

/// What keeps a face from being measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Too few pixels.
    TooSmall,
    /// It moves so fast that its picture is smeared.
    TooFast,
    /// The picture's edge cuts off what is measured.
    Cut,
    /// It looks away.
    Turned,
    /// Glasses hide the canthi: what can be seen is colder than the face by 1 to 6 K.
    Glasses,
}

/// What is wrong with a face that moves at this speed (widths a second): the first of what there
/// is, in the order of [`Flaw`]. A detector that tells no features leaves size, speed and edge.
#[must_use]
pub fn flaw(face: &Face, speed: f32, frame: &ThermalFrame, min_width_px: f32) -> Option<Flaw> {
    let turned = |features: &Features| {
        features.pose.yaw_deg.abs() > LARGEST_YAW_DEG
            || features.pose.pitch_deg.abs() > LARGEST_PITCH_DEG
    };
    let features = face.features.as_ref();
    if face.area.width() < min_width_px {
        Some(Flaw::TooSmall)
    } else if speed > FASTEST_FACE {
        Some(Flaw::TooFast)
    } else if is_cut(face, frame) {
        Some(Flaw::Cut)
    } else if features.is_some_and(turned) {
        Some(Flaw::Turned)
    } else if features.is_some_and(|it| it.occlusion.has_glasses()) {
        Some(Flaw::Glasses)
    } else {
        None
    }
}

/// Whether an eye is at the picture's edge or beyond it; of a face without points, whether its box
/// touches the edge anywhere but below.
fn is_cut(face: &Face, frame: &ThermalFrame) -> bool {
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    let Some(features) = &face.features else {
        return face.area.left <= 0.0 || face.area.top <= 0.0 || face.area.right >= width;
    };
    let margin = EYE_TO_EDGE * face.area.width();
    let inside = |eye: PixelPoint| {
        (margin..=width - margin).contains(&eye.x) && (margin..=height - margin).contains(&eye.y)
    };
    let landmarks = &features.landmarks;
    !inside(landmarks.left_eye) || !inside(landmarks.right_eye)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
    use crate::face::{Landmarks, Occlusion, Pose};
    use crate::thermal::FrameHealth;
    use crate::units::{PixelBox, StandardUncertainty, TemperatureDelta};
    use ndarray::Array2;
    use std::time::Duration;

    fn frame() -> ThermalFrame {
        ThermalFrame {
            stamp: Stamp {
                boot: BootId(0),
                monotonic: Duration::ZERO,
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            },
            sequence: 0,
            celsius: Array2::zeros((120, 160)),
            health: FrameHealth::Good,
            reference: None,
            second: None,
            offset: TemperatureDelta::ZERO,
            scene: None,
            ambient_u: StandardUncertainty::literal(0.5),
            path: crate::thermal::path::Path::default(),
        }
    }

    /// A face of 30 × 40 pixels whose left edge and top are these; its eyes are 9 pixels from the
    /// sides and 18 below the top.
    fn face(left: f32, top: f32) -> Face {
        let eye = |x: f32| PixelPoint {
            x: left + x,
            y: top + 18.0,
        };
        let mut landmarks = Landmarks::from_points([eye(15.0); Landmarks::COUNT]);
        (landmarks.left_eye, landmarks.right_eye) = (eye(9.0), eye(21.0));
        Face {
            area: PixelBox {
                left,
                top,
                right: left + 30.0,
                bottom: top + 40.0,
            },
            features: Some(Features {
                landmarks,
                occlusion: Occlusion::default(),
                pose: Pose::default(),
            }),
            score: 0.9,
        }
    }

    fn of(face: &Face) -> Option<Flaw> {
        flaw(face, 0.0, &frame(), 18.0)
    }

    fn with(change: impl FnOnce(&mut Features)) -> Option<Flaw> {
        let mut face = face(50.0, 40.0);
        face.features.as_mut().map(change);
        of(&face)
    }

    #[test]
    fn a_face_that_looks_at_the_camera_has_no_flaw() {
        assert_eq!(of(&face(50.0, 40.0)), None);
        let mut plain = face(50.0, 40.0);
        plain.features = None;
        assert_eq!(of(&plain), None);
    }

    #[test]
    fn size_and_speed_have_their_bounds() {
        let (face, frame) = (face(50.0, 40.0), frame());
        assert_eq!(flaw(&face, FASTEST_FACE, &frame, 30.0), None);
        assert_eq!(flaw(&face, 0.0, &frame, 30.1), Some(Flaw::TooSmall));
        let faster = FASTEST_FACE + 0.1;
        assert_eq!(flaw(&face, faster, &frame, 18.0), Some(Flaw::TooFast));
        // Far and fast is far: there is something to be done about that.
        assert_eq!(flaw(&face, faster, &frame, 30.1), Some(Flaw::TooSmall));
    }

    #[test]
    fn eyes_at_the_edge_are_cut_and_a_chin_below_it_is_not() {
        // Eyes 3 pixels from an edge are the last that count.
        for (left, top, cut) in [
            (-6.0, 40.0, false),
            (-6.1, 40.0, true),
            (136.0, 40.0, false),
            (136.1, 40.0, true),
            (50.0, -15.0, false),
            (50.0, -15.1, true),
            (50.0, 99.0, false),
            (50.0, 99.1, true),
        ] {
            let expected = cut.then_some(Flaw::Cut);
            assert_eq!(of(&face(left, top)), expected, "{left}, {top}");
        }
        for (left, top, cut) in [
            (0.0, 40.0, true),
            (50.0, 0.0, true),
            (130.0, 40.0, true),
            (50.0, 80.0, false),
        ] {
            let mut plain = face(left, top);
            plain.features = None;
            assert_eq!(of(&plain), cut.then_some(Flaw::Cut), "{left}, {top}");
        }
    }

    #[test]
    fn who_looks_away_is_turned_whichever_way() {
        for sign in [-1.0, 1.0] {
            let yaw = |deg: f32| with(|it| it.pose.yaw_deg = sign * deg);
            let pitch = |deg: f32| with(|it| it.pose.pitch_deg = sign * deg);
            assert_eq!(yaw(LARGEST_YAW_DEG), None);
            assert_eq!(yaw(LARGEST_YAW_DEG + 0.1), Some(Flaw::Turned));
            assert_eq!(pitch(LARGEST_PITCH_DEG), None);
            assert_eq!(pitch(LARGEST_PITCH_DEG + 0.1), Some(Flaw::Turned));
        }
        assert_eq!(with(|it| it.pose.roll_deg = 40.0), None);
    }

    #[test]
    fn glasses_forbid_and_mask_and_hat_do_not() {
        assert_eq!(with(|it| it.occlusion.glasses = 0.49), None);
        assert_eq!(with(|it| it.occlusion.glasses = 0.5), Some(Flaw::Glasses));
        assert_eq!(with(|it| it.occlusion.mask = 1.0), None);
        assert_eq!(with(|it| it.occlusion.brow = 1.0), None);
    }
}
