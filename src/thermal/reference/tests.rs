//! The search for the reference, on pictures drawn by hand and on the simulator's.

use super::*;
use crate::camera::Camera;
use crate::camera::simulator::{Simulator, builtin};
use crate::clock::{BootId, WallTime};
use crate::thermal::radiometry::CountScale;

const ROOM_C: f32 = 22.0;

/// A room with even noise of ± 0.04 K.
fn room(grain: u32) -> Array2<f32> {
    let mut state = grain.wrapping_mul(0x9e37_79b9) | 1;
    Array2::from_shape_fn((120, 160), |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        ROOM_C + (state % 9) as f32 * 0.01 - 0.04
    })
}

/// Puts an ellipse there, its noise that of the room.
fn spot(picture: &mut Array2<f32>, x: f32, y: f32, (rx, ry): (f32, f32), celsius: f32) {
    for ((row, col), value) in picture.indexed_iter_mut() {
        let (u, v) = ((col as f32 + 0.5 - x) / rx, (row as f32 + 0.5 - y) / ry);
        if u * u + v * v < 1.0 {
            *value += celsius - ROOM_C;
        }
    }
}

fn tracker() -> ReferenceTracker {
    ReferenceTracker::new(ReferenceSettings::default())
}

/// What comes of so many frames of this scene, each with its own noise.
fn last_of(
    tracker: &mut ReferenceTracker,
    frames: u32,
    paint: impl Fn(&mut Array2<f32>),
) -> ReferenceState {
    let mut state = ReferenceState::Searching;
    for grain in 1..=frames {
        let mut picture = room(grain);
        paint(&mut picture);
        state = tracker.step(&picture);
    }
    state
}

fn view(state: ReferenceState) -> ReferenceView {
    match state {
        ReferenceState::InView(view) => view,
        other => panic!("{other:?}"),
    }
}

fn never_taken(what: &str, paint: impl Fn(&mut Array2<f32>)) {
    let mut tracker = tracker();
    for grain in 1..=40 {
        let mut picture = room(grain);
        paint(&mut picture);
        assert_eq!(tracker.step(&picture), ReferenceState::Searching, "{what}");
    }
}

#[test]
fn it_is_believed_in_the_frame_in_which_it_was_seen_often_enough() {
    let mut tracker = tracker();
    let paint = |p: &mut Array2<f32>| spot(p, 30.0, 90.0, (6.0, 6.0), 35.6);
    let before = last_of(&mut tracker, FRAMES_TO_LOCK - 1, paint);
    assert_eq!(before, ReferenceState::Searching);
    let found = view(last_of(&mut tracker, 1, paint));
    assert!((found.centre.x - 30.0).abs() < 0.5 && (found.centre.y - 90.0).abs() < 0.5);
    assert!((found.radius - 6.0).abs() < 0.5, "{found:?}");
    assert!((found.reading.degrees() - 35.6).abs() < 0.02, "{found:?}");
    assert!(found.spread.kelvin() < 0.05);
}

#[test]
fn it_is_found_in_every_rendered_lobby_that_has_one() {
    for name in ["lobby", "empty", "group", "tiny_80", "crowd_640"] {
        let mut camera = Simulator::new(builtin(name).unwrap(), BootId(1), WallTime(0));
        let mut tracker = tracker();
        let mut state = ReferenceState::Searching;
        for _ in 0..FRAMES_TO_LOCK {
            let frame = camera.next_frame().unwrap().unwrap();
            state = tracker.step(&frame.counts.mapv(|c| CountScale::CentiKelvin.celsius(c)));
        }
        let truth = camera.truth_of_last_frame().unwrap();
        let there = truth.blackbody.unwrap();
        let found = view(state);
        let away = (found.centre.x - there.centre.x).hypot(found.centre.y - there.centre.y);
        assert!(
            away < 0.5 * there.radius,
            "{name}: {found:?}, not {there:?}"
        );
        let off = found.reading.degrees() - truth.offset_k - there.apparent_c;
        assert!(off.abs() < 0.1, "{name}: {off} K off");
    }
}

#[test]
fn covered_is_lost_at_once_and_found_again_when_uncovered() {
    let mut tracker = tracker();
    let paint = |p: &mut Array2<f32>| spot(p, 30.0, 90.0, (6.0, 6.0), 35.6);
    view(last_of(&mut tracker, 8, paint));
    for covered_for in [1, 3, 60] {
        let state = last_of(&mut tracker, covered_for, |_| {});
        assert_eq!(state, ReferenceState::Lost);
        view(last_of(&mut tracker, 1, paint));
    }
}

#[test]
fn a_hand_over_half_of_it_is_lost() {
    let mut tracker = tracker();
    let whole = |p: &mut Array2<f32>| spot(p, 30.0, 90.0, (6.0, 6.0), 35.6);
    view(last_of(&mut tracker, 8, whole));
    let state = last_of(&mut tracker, 1, |p| {
        whole(p);
        for value in p.slice_mut(ndarray::s![.., 30..60]) {
            *value = 33.0;
        }
    });
    assert_eq!(state, ReferenceState::Lost);
}

#[test]
fn moved_is_lost_first_and_then_found_at_the_new_place() {
    let mut tracker = tracker();
    view(last_of(&mut tracker, 8, |p| {
        spot(p, 30.0, 90.0, (6.0, 6.0), 35.6);
    }));
    let there = |p: &mut Array2<f32>| spot(p, 60.0, 80.0, (6.0, 6.0), 35.6);
    assert_eq!(last_of(&mut tracker, 1, there), ReferenceState::Lost);
    let frames = FRAMES_TO_SEARCH_AGAIN + FRAMES_TO_LOCK;
    let found = view(last_of(&mut tracker, frames, there));
    assert!((found.centre.x - 60.0).abs() < 0.5, "{found:?}");
}

#[test]
fn what_is_no_reference_is_never_taken() {
    never_taken("nothing", |_| {});
    never_taken("a hot cup", |p| spot(p, 60.0, 70.0, (6.0, 6.0), 55.0));
    never_taken("a lukewarm cup", |p| spot(p, 60.0, 70.0, (6.0, 6.0), 26.0));
    never_taken("a face", |p| spot(p, 80.0, 60.0, (18.0, 24.0), 35.0));
    never_taken("a round face", |p| spot(p, 80.0, 60.0, (20.0, 20.0), 35.0));
    never_taken("a bar", |p| spot(p, 80.0, 60.0, (12.0, 4.0), 35.6));
    never_taken("an uneven spot", |p| {
        spot(p, 60.0, 70.0, (6.0, 6.0), 35.6);
        for ((row, _), value) in p.indexed_iter_mut() {
            if *value > 30.0 {
                *value += (row as f32 - 70.0) * 0.4;
            }
        }
    });
    for wide in [150.0, 300.0, 600.0] {
        never_taken("a glow with soft sides", |p| {
            for ((row, col), value) in p.indexed_iter_mut() {
                let away = (col as f32 - 60.0).hypot(row as f32 - 70.0);
                *value += 13.6 * (-away * away / wide).exp();
            }
        });
    }
    never_taken("one hot pixel", |p| p[[60, 60]] = 36.0);
}

#[test]
fn what_moves_all_the_time_is_never_taken() {
    let mut tracker = tracker();
    for step in 0..40_u8 {
        let mut picture = room(u32::from(step));
        spot(
            &mut picture,
            20.0 + 2.5 * f32::from(step),
            60.0,
            (6.0, 6.0),
            35.6,
        );
        assert_eq!(tracker.step(&picture), ReferenceState::Searching);
    }
}

#[test]
fn a_camera_that_reads_it_too_far_off_is_not_believed() {
    let with = |off: f32| {
        let mut tracker = tracker();
        last_of(&mut tracker, 12, |p| {
            spot(p, 30.0, 90.0, (6.0, 6.0), 37.0 + off);
        })
    };
    for (off, score) in [
        (-8.5, 0.11),
        (-5.1, 0.86),
        (0.0, 1.0),
        (1.1, 1.0),
        (3.5, 0.6),
    ] {
        let quality = view(with(off)).quality;
        // The evenness of the noisy disc takes a tenth.
        assert!((quality.score - score).abs() < 0.15, "{off} K: {quality:?}");
        let off_set_point = quality.flaw == Some(ReferenceFlaw::OffSetPoint);
        assert_eq!(off_set_point, off < -8.0, "{off} K: {quality:?}");
    }
    for off in [-9.5, 5.5] {
        assert_eq!(with(off), ReferenceState::Searching, "{off} K off");
    }
}

#[test]
fn numbers_that_are_none_give_nothing() {
    let mut tracker = tracker();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let state = tracker.step(&Array2::from_elem((120, 160), bad));
        assert_eq!(state, ReferenceState::Searching);
    }
    let paint = |p: &mut Array2<f32>| spot(p, 30.0, 90.0, (6.0, 6.0), 35.6);
    view(last_of(&mut tracker, 8, paint));
    let mut picture = room(1);
    paint(&mut picture);
    picture[[90, 30]] = f32::NAN;
    assert_eq!(tracker.step(&picture), ReferenceState::Lost);
}

#[test]
fn pictures_of_any_size_are_searched_without_harm() {
    for dim in [(0, 0), (1, 1), (1, 200), (200, 1), (2, 3), (512, 640)] {
        let mut tracker = tracker();
        for _ in 0..3 {
            let state = tracker.step(&Array2::from_elem(dim, 36.0));
            assert_eq!(state, ReferenceState::Searching);
        }
    }
}
