//! Radiometer and health together: what may be measured, and what it then reads.

use super::*;
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::estimate::{self, Looks, Transfer};
use crate::face::Face;
use crate::thermal::Telemetry;
use crate::units::{PixelBox, StandardUncertainty};
use std::time::Duration;

const REFERENCE_C: f32 = 36.0;
const FACE_C: f32 = 34.0;

/// Frames of a still lobby at nine a second: a reference that reads 36.0 °C, a face that reads
/// 34.0 °C, everything shifted by what the camera adds.
struct Lobby {
    milliseconds: u64,
    sequence: u64,
    shift_k: f32,
    /// The same for all but the reference.
    scene_shift_k: f32,
    covered: bool,
    telemetry: Telemetry,
}

impl Lobby {
    fn new() -> Self {
        Self {
            milliseconds: 0,
            sequence: 0,
            shift_k: 0.0,
            scene_shift_k: 0.0,
            covered: false,
            telemetry: Telemetry::default(),
        }
    }

    fn next(&mut self) -> RawFrame {
        self.milliseconds += 111;
        self.sequence += 1;
        let mut state = self.sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let counts = Array2::from_shape_fn((120, 100), |(row, col)| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let (x, y) = (col as f32 + 0.5, row as f32 + 0.5);
            let celsius = if (x - 14.0).hypot(y - 100.0) < 6.0 && !self.covered {
                REFERENCE_C - self.scene_shift_k
            } else if ((x - 55.0) / 15.0).hypot((y - 50.0) / 20.0) < 1.0 {
                FACE_C
            } else {
                22.0
            };
            ((celsius + self.shift_k + self.scene_shift_k + 273.15) * 100.0).round() as u16
                + (state % 5) as u16
                - 2
        });
        RawFrame {
            stamp: Stamp {
                boot: BootId(1),
                monotonic: Duration::from_millis(self.milliseconds),
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            },
            sequence: self.sequence,
            counts,
            telemetry: self.telemetry,
        }
    }

    /// The health of so many frames more.
    fn health(&mut self, radiometer: &mut Radiometer, frames: usize) -> Vec<FrameHealth> {
        (0..frames)
            .map(|_| radiometer.step(&self.next()).health)
            .collect()
    }
}

fn settings(emissivity: f64) -> RadiometerSettings {
    RadiometerSettings {
        scale: CountScale::CentiKelvin,
        optics: Optics::LEPTON_3_5,
        reference: Some(ReferenceSettings {
            emissivity: Emissivity::new(emissivity).unwrap(),
            ..ReferenceSettings::default()
        }),
        room: Room::at(Some(AmbientTemperature(Celsius::literal(22.0)))),
        calibration_expires: None,
    }
}

fn radiometer(emissivity: f64) -> Radiometer {
    Radiometer::new(settings(emissivity))
}

/// A lobby and a radiometer that has settled in it.
fn settled() -> (Lobby, Radiometer) {
    let (mut lobby, mut radiometer) = (Lobby::new(), radiometer(1.0));
    let health = lobby.health(&mut radiometer, 20);
    assert_eq!(health.last(), Some(&FrameHealth::Good));
    (lobby, radiometer)
}

/// What the face comes to in one frame, °C of skin.
fn face(frame: &ThermalFrame) -> f64 {
    let face = Face {
        area: PixelBox {
            left: 40.0,
            top: 30.0,
            right: 70.0,
            bottom: 70.0,
        },
        features: None,
        score: 0.9,
    };
    let mut looks = Looks::default();
    looks.add(estimate::look(frame, &face).unwrap());
    let reading = looks.reading(&Transfer::UPPER_FACE, StandardUncertainty::literal(0.1));
    reading.unwrap().face.degrees()
}

#[test]
fn first_search_then_settle_then_measure() {
    let (mut lobby, mut radiometer) = (Lobby::new(), radiometer(1.0));
    let health = lobby.health(&mut radiometer, 30);
    let searching = health.iter().take_while(|h| **h == FrameHealth::Searching);
    assert_eq!(searching.count(), 4);
    // Nine frames span 0.9 s of a steady reference.
    assert_eq!(health[4..13], [FrameHealth::Settling; 9]);
    assert!(health[13..].iter().all(|h| *h == FrameHealth::Good));
}

#[test]
fn the_reference_lands_on_its_set_point() {
    let room = Celsius::literal(22.0);
    for emissivity in [1.0, 0.97] {
        let (mut lobby, mut radiometer) = (Lobby::new(), radiometer(emissivity));
        lobby.health(&mut radiometer, 20);
        let frame = radiometer.step(&lobby.next());
        let apparent = Emissivity::new(emissivity)
            .unwrap()
            .apparent(Celsius::literal(37.0), room);
        let view = frame.reference.unwrap();
        assert!((view.reading.degrees() - f64::from(REFERENCE_C)).abs() < 0.02);
        assert!(((view.reading.0 + frame.offset) - apparent).kelvin().abs() < 1e-9);
        // And so it stands in the picture.
        let middle = f64::from(frame.celsius[[100, 14]]);
        assert!((middle - apparent.degrees()).abs() < 0.04, "{middle}");
    }
    // A painted plate in a room that is 15 K cooler looks 0.4 K cooler than it is.
    let seen = Emissivity::new(0.97)
        .unwrap()
        .apparent(Celsius::literal(37.0), room);
    assert!((36.5..36.7).contains(&seen.degrees()), "{seen}");
}

#[test]
fn drift_that_scene_and_reference_share_cancels() {
    let (mut lobby, mut radiometer) = settled();
    let before = face(&radiometer.step(&lobby.next()));
    for shift_k in [-1.0, 1.0] {
        lobby.shift_k = shift_k;
        let after = face(&radiometer.step(&lobby.next()));
        assert!(
            (after - before).abs() < 0.05,
            "{shift_k} K moves it to {after} from {before}"
        );
    }
}

#[test]
fn slow_drift_is_no_reason_to_stop() {
    let (mut lobby, mut radiometer) = settled();
    for _ in 0..100 {
        // 0.08 K/s, as after an FFC.
        lobby.shift_k += 0.009;
        assert_eq!(radiometer.step(&lobby.next()).health, FrameHealth::Good);
    }
}

#[test]
fn after_the_shutter_nothing_is_measured_until_it_is_steady() {
    let (mut lobby, mut radiometer) = settled();
    // No frame for two seconds, another level: a camera that says nothing of its shutter.
    lobby.milliseconds += 2000;
    lobby.shift_k = 0.6;
    let health = lobby.health(&mut radiometer, 20);
    assert_eq!(health[..9], [FrameHealth::Settling; 9]);
    assert!(
        health[9..].iter().all(|h| *h == FrameHealth::Good),
        "{health:?}"
    );
}

#[test]
fn a_shutter_that_the_camera_tells_of_needs_no_gap() {
    let (mut lobby, mut radiometer) = settled();
    lobby.telemetry.last_ffc = Some(Duration::from_secs(2));
    let health = lobby.health(&mut radiometer, 12);
    assert_eq!(health[..9], [FrameHealth::Settling; 9]);
    assert_eq!(health[9..], [FrameHealth::Good; 3]);
}

#[test]
fn while_it_slides_fast_nothing_is_measured_however_long_it_takes() {
    let (mut lobby, mut radiometer) = settled();
    lobby.milliseconds += 2000;
    for _ in 0..60 {
        lobby.shift_k -= 0.03;
        assert_eq!(radiometer.step(&lobby.next()).health, FrameHealth::Settling);
    }
}

#[test]
fn a_closed_shutter_is_said() {
    let (mut lobby, mut radiometer) = settled();
    lobby.telemetry.shutter_closed = Some(true);
    assert_eq!(lobby.health(&mut radiometer, 2), [FrameHealth::Shutter; 2]);
    lobby.telemetry.shutter_closed = Some(false);
    let health = lobby.health(&mut radiometer, 1);
    assert!([FrameHealth::Good, FrameHealth::Settling].contains(&health[0]));
}

#[test]
fn pictures_that_are_none_are_told_apart() {
    let step = |change: fn(&mut RawFrame)| {
        let (mut lobby, mut radiometer) = settled();
        let mut frame = lobby.next();
        change(&mut frame);
        let bad = radiometer.step(&frame);
        assert!(bad.celsius.iter().all(|c| c.is_finite()));
        if bad.health != FrameHealth::Good {
            assert_eq!(bad.reference, None);
        }
        bad.health
    };
    assert_eq!(step(|f| f.counts.fill(0)), FrameHealth::Blank);
    assert_eq!(step(|f| f.counts.fill(u16::MAX)), FrameHealth::Blank);
    assert_eq!(step(|f| f.counts.fill(30_000)), FrameHealth::Blank);
    // Half of it at the end of the scale.
    let half = |f: &mut RawFrame| f.counts.slice_mut(ndarray::s![..60, ..]).fill(u16::MAX);
    assert_eq!(step(half), FrameHealth::Blank);
    let less = |f: &mut RawFrame| f.counts.slice_mut(ndarray::s![..59, ..]).fill(u16::MAX);
    assert_eq!(step(less), FrameHealth::Good);
    let turned = |f: &mut RawFrame| f.counts = f.counts.t().as_standard_layout().into_owned();
    assert_eq!(step(turned), FrameHealth::WrongSize);
    let none = |f: &mut RawFrame| f.counts = Array2::zeros((0, 0));
    assert_eq!(step(none), FrameHealth::WrongSize);
}

#[test]
fn the_same_picture_again_is_frozen_and_the_next_one_is_not() {
    let (mut lobby, mut radiometer) = settled();
    let frame = lobby.next();
    assert_eq!(radiometer.step(&frame).health, FrameHealth::Good);
    assert_eq!(radiometer.step(&frame).health, FrameHealth::Frozen);
    assert_eq!(lobby.health(&mut radiometer, 1), [FrameHealth::Good]);
}

#[test]
fn a_part_that_stands_still_is_frozen() {
    let (mut lobby, mut radiometer) = settled();
    let before = lobby.next();
    radiometer.step(&before);
    for rows in [15, 60, 119] {
        let (mut torn, mut radiometer) = (lobby.next(), radiometer.clone());
        let part = ndarray::s![..rows, ..];
        torn.counts
            .slice_mut(part)
            .assign(&before.counts.slice(part));
        assert_eq!(radiometer.step(&torn).health, FrameHealth::Frozen, "{rows}");
    }
    let (mut torn, mut radiometer) = (lobby.next(), radiometer);
    let part = ndarray::s![..14, ..];
    torn.counts
        .slice_mut(part)
        .assign(&before.counts.slice(part));
    assert_eq!(radiometer.step(&torn).health, FrameHealth::Good);
}

#[test]
fn a_step_that_all_share_waits_until_it_is_steady() {
    let (mut lobby, mut radiometer) = settled();
    lobby.shift_k = 0.5;
    let health = lobby.health(&mut radiometer, 12);
    assert_eq!(health[..9], [FrameHealth::Settling; 9]);
    assert_eq!(health[9..], [FrameHealth::Good; 3]);
}

#[test]
fn a_step_that_the_reference_does_not_share_is_not_measured() {
    for step_k in [-0.5, -0.2, 0.2, 0.5] {
        let (mut lobby, mut radiometer) = settled();
        lobby.health(&mut radiometer, 20);
        lobby.scene_shift_k = step_k;
        let health = lobby.health(&mut radiometer, 30);
        assert!(
            !health.contains(&FrameHealth::Good),
            "{step_k} K: {health:?}"
        );
    }
}

#[test]
fn a_camera_that_starts_blank_may_still_have_any_size() {
    let (mut lobby, mut radiometer) = (Lobby::new(), radiometer(1.0));
    let mut frame = lobby.next();
    frame.counts = Array2::zeros((60, 80));
    assert_eq!(radiometer.step(&frame).health, FrameHealth::Blank);
    let health = lobby.health(&mut radiometer, 20);
    assert_eq!(health.last(), Some(&FrameHealth::Good));
}

#[test]
fn one_frame_of_a_wrong_size_at_the_start_does_not_blind_the_gateway() {
    let (mut lobby, mut radiometer) = (Lobby::new(), radiometer(1.0));
    let mut frame = lobby.next();
    frame.counts = Array2::from_shape_fn((60, 80), |(y, x)| 29_500 + (x + y) as u16);
    radiometer.step(&frame);
    let health = lobby.health(&mut radiometer, 40);
    assert_eq!(health[0], FrameHealth::WrongSize);
    assert_eq!(health.last(), Some(&FrameHealth::Good));
}

#[test]
fn a_covered_reference_is_lost_and_the_offset_waits() {
    let (mut lobby, mut radiometer) = settled();
    let before = radiometer.step(&lobby.next()).offset;
    lobby.covered = true;
    let frame = radiometer.step(&lobby.next());
    assert_eq!(
        (frame.health, frame.reference),
        (FrameHealth::ReferenceLost, None)
    );
    assert_eq!(frame.offset, before);
}

#[test]
fn without_a_reference_nothing_is_ever_good() {
    let mut lobby = Lobby::new();
    let mut radiometer = Radiometer::new(RadiometerSettings {
        scale: CountScale::CentiKelvin,
        reference: None,
        ..RadiometerSettings::default()
    });
    for _ in 0..30 {
        let frame = radiometer.step(&lobby.next());
        assert_eq!(frame.health, FrameHealth::NoReference);
        assert_eq!(frame.offset, TemperatureDelta::ZERO);
        assert_eq!(frame.ambient_u, Room::U_PICTURE);
        let room = frame.scene.unwrap().degrees();
        assert!((room - 22.0).abs() < 0.05, "{room}");
    }
}

#[test]
fn a_clock_that_jumps_starts_the_wait_anew() {
    let (mut lobby, mut radiometer) = settled();
    lobby.milliseconds = 0;
    let health = lobby.health(&mut radiometer, 12);
    assert_eq!(health[..9], [FrameHealth::Settling; 9]);
    assert_eq!(health[9..], [FrameHealth::Good; 3]);
}

#[test]
fn nothing_is_measured_after_the_calibrations_last_day() {
    let health = |expires: Option<WallTime>| {
        let mut radiometer = Radiometer::new(RadiometerSettings {
            calibration_expires: expires,
            ..settings(1.0)
        });
        let mut lobby = Lobby::new();
        let frames = (0..30).map(|_| {
            let frame = lobby.next();
            (frame.stamp.wall, radiometer.step(&frame))
        });
        let (wall, last) = frames.last().unwrap();
        (wall, last.health)
    };
    let (wall, usual) = health(None);
    assert_eq!(usual, FrameHealth::Good);
    assert_eq!(health(Some(WallTime(wall.0 + 1))).1, FrameHealth::Good);
    let (_, expired) = health(Some(wall));
    assert_eq!(expired, FrameHealth::CalibrationExpired);
    // What is seen is shown all the same.
    assert!(expired.has_picture());
}
