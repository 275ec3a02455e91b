//! Each part of a face is found where it is, and nothing of what covers it or lies beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::face::{Landmarks, Occlusion, Pose};
use crate::thermal::FrameHealth;
use crate::thermal::path::Path;
use crate::units::{AmbientTemperature, Celsius, PixelBox, StandardUncertainty, TemperatureDelta};
use proptest::prelude::*;
use std::time::Duration;

const SKIN_C: f32 = 34.0;
/// A face of 40 × 50 pixels: brow 15, eyes 20, nose 29, mouth 38 pixels below its top.
const LEFT: f32 = 60.0;
const TOP: f32 = 40.0;

fn frame(celsius: Array2<f32>) -> ThermalFrame {
    ThermalFrame {
        stamp: Stamp {
            boot: BootId(0),
            monotonic: Duration::ZERO,
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        },
        sequence: 0,
        celsius,
        health: FrameHealth::Good,
        reference: None,
        second: None,
        offset: TemperatureDelta::ZERO,
        scene: Some(AmbientTemperature(Celsius::literal(22.0))),
        ambient_u: StandardUncertainty::literal(0.5),
        path: Path::default(),
    }
}

fn face(occlusion: Occlusion) -> Face {
    let at = |x: f32, y: f32| PixelPoint {
        x: LEFT + x,
        y: TOP + y,
    };
    Face {
        area: PixelBox {
            left: LEFT,
            top: TOP,
            right: LEFT + 40.0,
            bottom: TOP + 50.0,
        },
        features: Some(Features {
            landmarks: Landmarks {
                left_eye: at(12.0, 20.0),
                right_eye: at(28.0, 20.0),
                left_canthus: at(15.5, 21.0),
                right_canthus: at(24.5, 21.0),
                nose: at(20.0, 29.0),
                left_mouth: at(14.0, 38.0),
                right_mouth: at(26.0, 38.0),
                forehead: at(20.0, 10.0),
            },
            occlusion,
            pose: Pose::default(),
        }),
        score: 0.9,
    }
}

/// Skin everywhere, with a warm patch of 3 × 3 pixels about this place of the face.
fn with_patch(x: usize, y: usize, celsius: f32) -> Array2<f32> {
    let mut picture = Array2::from_elem((160, 120), SKIN_C);
    let (middle, line) = (LEFT as usize + x, TOP as usize + y);
    picture
        .slice_mut(ndarray::s![line - 1..=line + 1, middle - 1..=middle + 1])
        .fill(celsius);
    picture
}

fn found(occlusion: Occlusion, picture: &Array2<f32>) -> Warmest {
    Regions::of(&face(occlusion), &frame(picture.clone()))
        .warmest(picture)
        .unwrap()
}

fn at(x: usize, y: usize, occlusion: Occlusion) -> [bool; 3] {
    let found = found(occlusion, &with_patch(x, y, 36.0));
    let warm = |spot: Option<Spot>| spot.is_some_and(|it| it.once > SKIN_C + 0.01);
    [
        warm(Some(found.upper)),
        warm(found.canthi),
        warm(found.forehead),
    ]
}

#[test]
fn each_part_is_found_where_it_is() {
    let bare = Occlusion::default();
    assert_eq!(at(15, 21, bare), [true, true, false]);
    assert_eq!(at(24, 21, bare), [true, true, false]);
    assert_eq!(at(20, 10, bare), [true, false, true]);
    // The bridge of the nose lies between, the temple beside: of the upper face only.
    assert_eq!(at(33, 18, bare), [true, false, false]);
}

#[test]
fn mouth_breath_and_mask_are_outside() {
    let masked = Occlusion {
        mask: 1.0,
        ..Occlusion::default()
    };
    for occlusion in [Occlusion::default(), masked] {
        for y in [32, 36, 38, 42] {
            for x in [8, 14, 20, 26, 32] {
                assert_eq!(at(x, y, occlusion), [false; 3], "{x}, {y}");
            }
        }
    }
}

#[test]
fn a_nose_that_is_said_to_be_elsewhere_neither_lets_the_mouth_in_nor_leaves_the_eyes_out() {
    // 40 and 65 % of the face's height: 20 and 32.5 pixels.
    for (nose, canthi, lip) in [
        (0.0, false, false),
        (29.0, true, false),
        (50.0, true, false),
    ] {
        let mut face = face(Occlusion::default());
        if let Some(features) = &mut face.features {
            features.landmarks.nose.y = TOP + nose;
        }
        let upper = |y: usize| {
            let picture = with_patch(20, y, 36.0);
            let regions = Regions::of(&face, &frame(picture.clone()));
            regions.warmest(&picture).unwrap().upper.once > SKIN_C + 0.01
        };
        assert!(upper(19), "{nose}");
        assert_eq!(upper(22), canthi, "{nose}");
        assert_eq!(upper(36), lip, "{nose}");
    }
    // Of a face without points, three fifths.
    let mut face = face(Occlusion::default());
    face.features = None;
    let upper = |y: usize| {
        let picture = with_patch(20, y, 36.0);
        let regions = Regions::of(&face, &frame(picture.clone()));
        regions.warmest(&picture).unwrap().upper.once > SKIN_C + 0.01
    };
    assert!(upper(30) && !upper(33));
}

#[test]
fn what_is_covered_is_not_looked_at() {
    let glasses = Occlusion {
        glasses: 1.0,
        ..Occlusion::default()
    };
    let hat = Occlusion {
        brow: 1.0,
        ..Occlusion::default()
    };
    assert_eq!(at(15, 21, glasses), [false; 3]);
    assert_eq!(at(20, 9, glasses), [true, false, true]);
    assert_eq!(at(20, 9, hat), [false; 3]);
    assert_eq!(at(15, 21, hat), [true, true, false]);
    let hot = with_patch(20, 20, 36.0);
    assert_eq!(found(glasses, &hot).canthi, None);
    assert_eq!(found(hat, &hot).forehead, None);
    let both = Occlusion {
        glasses: 1.0,
        brow: 1.0,
        mask: 0.0,
    };
    assert_eq!(
        Regions::of(&face(both), &frame(hot.clone())).warmest(&hot),
        None
    );
}

#[test]
fn cold_cover_beside_bare_skin_neither_cools_nor_excites_it() {
    // A hat of 24 °C down to the brow, glasses of 24 °C from there on: what is left is flat.
    for (occlusion, covered) in [
        (
            Occlusion {
                brow: 1.0,
                ..Occlusion::default()
            },
            0..TOP as usize + 15,
        ),
        (
            Occlusion {
                glasses: 1.0,
                ..Occlusion::default()
            },
            TOP as usize + 15..TOP as usize + 26,
        ),
    ] {
        let mut picture = Array2::from_elem((160, 120), SKIN_C);
        picture.slice_mut(ndarray::s![covered, ..]).fill(24.0);
        let spot = found(occlusion, &picture).upper;
        assert!((spot.once - SKIN_C).abs() < 1e-4, "{spot:?}");
        assert!((spot.twice - SKIN_C).abs() < 1e-4, "{spot:?}");
    }
}

#[test]
fn a_hot_pixel_is_no_hot_skin() {
    let mut picture = Array2::from_elem((160, 120), SKIN_C);
    picture[[TOP as usize + 21, LEFT as usize + 15]] = SKIN_C + 4.0;
    let spot = found(Occlusion::default(), &picture).upper;
    assert!((spot.once - SKIN_C - 1.0).abs() < 1e-4, "{spot:?}");
    assert!(
        (spot.twice - SKIN_C - 4.0 * 9.0 / 64.0).abs() < 1e-4,
        "{spot:?}"
    );
}

#[test]
fn faces_at_and_beyond_every_edge_are_no_crash() {
    let picture = Array2::from_elem((20, 24), SKIN_C);
    for left in [-50.0, -3.0, 0.0, 20.0, 23.0, 90.0] {
        for top in [-60.0, -3.0, 0.0, 18.0, 90.0] {
            let mut face = face(Occlusion::default());
            face.features = None;
            face.area = PixelBox {
                left,
                top,
                right: left + 30.0,
                bottom: top + 40.0,
            };
            let found = Regions::of(&face, &frame(picture.clone())).warmest(&picture);
            assert!(found.is_none_or(|it| (it.upper.once - SKIN_C).abs() < 1e-4));
        }
    }
}

proptest! {
    #[test]
    fn a_warmer_picture_is_a_warmer_region(
        values in proptest::collection::vec(30.0_f32..38.0, 160 * 120),
        kelvin in -5.0_f32..5.0,
    ) {
        let picture = Array2::from_shape_vec((160, 120), values).unwrap();
        let before = found(Occlusion::default(), &picture);
        let after = found(Occlusion::default(), &(picture + kelvin));
        let pairs = [
            (before.upper, after.upper),
            (before.canthi.unwrap(), after.canthi.unwrap()),
            (before.forehead.unwrap(), after.forehead.unwrap()),
        ];
        for (before, after) in pairs {
            prop_assert!((after.once - before.once - kelvin).abs() < 1e-3);
            prop_assert!((after.twice - before.twice - kelvin).abs() < 1e-3);
        }
        prop_assert!(before.upper.once >= before.canthi.unwrap().once);
        prop_assert!(before.upper.once >= before.forehead.unwrap().once);
    }
}

#[test]
fn each_part_reaches_as_far_as_it_should_to_the_line() {
    let bare = Occlusion::default();
    let lines = |part: usize| {
        let warm = (2..45).filter(|&y| at(15, y, bare)[part]);
        (warm.clone().min().unwrap(), warm.max().unwrap())
    };
    // A patch that reaches in by its blurred edge counts: two lines more at either end.
    assert_eq!(lines(1), (15, 26));
    assert_eq!(lines(2), (5, 14));
    assert_eq!(lines(0).1, 30);
}

#[test]
fn a_forehead_that_is_said_to_be_low_still_ends_at_the_brow() {
    let mut low = face(Occlusion::default());
    let features = low.features.as_mut().unwrap();
    features.landmarks.forehead.y = TOP + 16.0;
    let forehead = |y| {
        let picture = with_patch(20, y, 36.0);
        let regions = Regions::of(&low, &frame(picture.clone()));
        let found = regions.warmest(&picture).unwrap();
        found.forehead.unwrap().once > SKIN_C + 0.01
    };
    assert!(forehead(14));
    assert!(!forehead(18), "that is below the brow");
}
