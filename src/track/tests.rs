//! People in a lobby, as faces that come and go.

#[cfg(test)]
mod lobby;

use super::*;
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::thermal::FrameHealth;
use crate::units::{PixelBox, StandardUncertainty, TemperatureDelta};
use lobby::{Glimpse, Mistakes};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn frame_at(sequence: u64, time: Duration) -> ThermalFrame {
    ThermalFrame {
        stamp: Stamp {
            boot: BootId(0),
            monotonic: time,
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        },
        sequence,
        celsius: Array2::zeros((1, 1)),
        health: FrameHealth::Good,
        reference: None,
        second: None,
        offset: TemperatureDelta::ZERO,
        scene: None,
        ambient_u: StandardUncertainty::literal(0.5),
        path: crate::thermal::path::Path::default(),
    }
}

fn frame(sequence: u64, milliseconds: u64) -> ThermalFrame {
    frame_at(sequence, Duration::from_millis(milliseconds))
}

fn face(x: f32, width: f32) -> Face {
    let area = PixelBox {
        left: x - width / 2.0,
        top: 40.0,
        right: x + width / 2.0,
        bottom: 40.0 + 1.3 * width,
    };
    Face {
        area,
        features: None,
        score: 0.9,
    }
}

#[test]
fn two_people_who_cross_stay_two_people() {
    let mut tracker = Tracker::new();
    let mut ids = Vec::new();
    for n in 0..20 {
        let x = n as f32 * 4.0;
        let faces = [face(20.0 + x, 20.0), face(100.0 - x, 30.0)];
        ids.push(tracker.step(&frame(n, n * 111), &faces).tracks);
    }
    assert!(ids.iter().all(|pair| *pair == ids[0]), "{ids:?}");
}

#[test]
fn a_shutter_gap_is_no_departure_but_absence_is() {
    let mut tracker = Tracker::new();
    let first = tracker.step(&frame(0, 0), &[face(50.0, 20.0)]).tracks[0];
    let after_gap = tracker.step(&frame(1, 2050), &[face(52.0, 20.0)]).tracks[0];
    assert_eq!(first, after_gap);
    let mut ended = 0;
    for n in 0..30 {
        ended += tracker.step(&frame(2 + n, 2161 + n * 111), &[]).ended.len();
    }
    assert_eq!(ended, 1);
    let next = tracker.step(&frame(40, 9000), &[face(52.0, 20.0)]).tracks[0];
    assert_ne!(first, next);
}

#[test]
fn a_clock_that_runs_backwards_ends_tracks_instead_of_joining_them() {
    let mut tracker = Tracker::new();
    tracker.step(&frame(0, 5000), &[face(50.0, 20.0)]);
    let step = tracker.step(&frame(1, 10), &[face(50.0, 20.0)]);
    assert_eq!(step.ended.len(), 1);
    assert_eq!(tracker.present().len(), 1);
}

#[test]
fn after_an_absence_a_smaller_face_is_another_person() {
    for (missed, same) in [(3, true), (12, false)] {
        let mut tracker = Tracker::new();
        let first = tracker.step(&frame(0, 0), &[face(50.0, 24.0)]).tracks[0];
        for n in 1..=missed {
            tracker.step(&frame(n, n * 111), &[]);
        }
        let back = frame(missed + 1, (missed + 1) * 111);
        let next = tracker.step(&back, &[face(50.0, 16.0)]).tracks[0];
        assert_eq!(first == next, same, "{missed} frames missed");
    }
}

#[test]
fn a_long_time_without_any_picture_ends_tracks() {
    let mut tracker = Tracker::new();
    tracker.step(&frame(0, 0), &[face(50.0, 20.0)]);
    let step = tracker.step(&frame(1, 5001), &[face(50.0, 20.0)]);
    assert_eq!(step.ended.len(), 1);
}

#[test]
fn speed_is_in_widths_a_second() {
    let mut tracker = Tracker::new();
    let mut id = TrackId(0);
    for n in 0..12 {
        let faces = [face(20.0 + 10.0 * n as f32, 20.0)];
        id = tracker.step(&frame(n, n * 100), &faces).tracks[0];
    }
    // 10 px in 0.1 s, 20 px wide: 5 widths a second.
    assert!(
        (tracker.speed(id) - 5.0).abs() < 0.05,
        "{}",
        tracker.speed(id)
    );
}

/// Errors of a pixel, the same in every run.
struct Shake(ChaCha8Rng);

impl Shake {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn face(&mut self, x: f32, width: f32) -> Face {
        let mut error = || -> f32 { StandardNormal.sample(&mut self.0) };
        face(x + error(), width + error())
    }
}

/// The frame rates of a Lepton and of most other cameras.
const RATES: [f32; 2] = [9.0, 25.0];

/// Somebody stands, somebody else passes behind and is hidden meanwhile.
/// Returns the tracks of the one who passes, before and after.
fn behind_another(fps: f32, hidden: f32, seed: u64) -> (TrackId, TrackId) {
    let (mut tracker, mut shake) = (Tracker::new(), Shake::new(seed));
    // Two seconds before, two after; 40 px of way are hidden by a face of 40 px.
    let speed = 40.0 / hidden;
    let mut passer = Vec::new();
    for n in 0..((4.0 + hidden) * fps) as u64 {
        let time = n as f32 / fps;
        let x = 80.0 + (time - 2.0 - hidden / 2.0) * speed;
        let mut faces = vec![shake.face(80.0, 40.0)];
        if (x - 80.0).abs() > 20.0 {
            faces.push(shake.face(x, 20.0));
        }
        let step = tracker.step(&frame_at(n, Duration::from_secs_f32(time)), &faces);
        assert_eq!(step.tracks[0], TrackId(1), "the one who stands");
        passer.extend(step.tracks.get(1));
    }
    (passer[0], passer[passer.len() - 1])
}

#[test]
fn who_was_hidden_behind_another_is_the_same() {
    for fps in RATES {
        for hidden in [0.5, 1.0, 1.5] {
            for seed in 0..50 {
                let (before, after) = behind_another(fps, hidden, seed);
                assert_eq!(before, after, "{hidden} s at {fps} fps, seed {seed}");
            }
        }
    }
}

#[test]
fn who_cross_alike_do_not_swap() {
    for fps in RATES {
        for seed in 0..200 {
            let (mut tracker, mut shake) = (Tracker::new(), Shake::new(seed));
            // Half to two widths a second each, and one of them a tenth wider at most.
            let speed = 12.0 + 36.0 * (seed % 10) as f32 / 9.0;
            let widths = [24.0, 24.0 + (seed % 3) as f32];
            let hides = seed % 2 == 0;
            let mut ends = Vec::new();
            for n in 0..(4.0 * fps) as u64 {
                let time = n as f32 / fps;
                let way = (time - 2.0) * speed;
                let mut faces = vec![shake.face(80.0 + way, widths[0])];
                // One hides the other while their faces overlap by half.
                if !hides || (2.0 * way).abs() > widths[0] / 2.0 {
                    faces.push(shake.face(80.0 - way, widths[1]));
                }
                let step = tracker.step(&frame_at(n, Duration::from_secs_f32(time)), &faces);
                ends.push(step.tracks);
            }
            assert_eq!(ends.first(), ends.last(), "{fps} fps, seed {seed}");
        }
    }
}

#[test]
fn two_who_cross_while_the_shutter_is_closed_do_not_swap() {
    for fps in RATES {
        for seed in 0..100 {
            let (mut tracker, mut shake) = (Tracker::new(), Shake::new(seed));
            let mut ends = Vec::new();
            for n in 0..(6.0 * fps) as u64 {
                let time = n as f32 / fps;
                if (2.0..4.0).contains(&time) {
                    continue;
                }
                let way = (time - 3.0) * 24.0;
                let faces = [shake.face(80.0 + way, 24.0), shake.face(80.0 - way, 24.0)];
                let step = tracker.step(&frame_at(n, Duration::from_secs_f32(time)), &faces);
                ends.push(step.tracks);
            }
            assert_eq!(ends.first(), ends.last(), "{fps} fps, seed {seed}");
        }
    }
}

#[test]
fn who_is_found_in_one_frame_of_four_is_one_person() {
    for fps in RATES {
        for seed in 0..20 {
            let (mut tracker, mut shake) = (Tracker::new(), Shake::new(seed));
            for n in 0..(20.0 * fps) as u64 {
                let seen = (n % 4 == 0).then(|| shake.face(60.0, 16.0));
                let time = Duration::from_secs_f32(n as f32 / fps);
                tracker.step(&frame_at(n, time), seen.as_slice());
            }
            let ids: Vec<_> = tracker.present().iter().map(|track| track.id).collect();
            assert_eq!(ids, [TrackId(1)], "{fps} fps, seed {seed}");
        }
    }
}

#[test]
fn in_a_lobby_nearly_everybody_is_one_track() {
    // Of a hundred people, a little more than was measured; see the module's page.
    for (fps, switches, fragments, merges) in [(9.0, 1.0, 5.0, 3.0), (25.0, 0.5, 2.5, 2.5)] {
        let mut mistakes = Mistakes::default();
        for seed in 0..200 {
            let glimpses = lobby::lobby(seed, fps);
            let mut tracker = Tracker::new();
            let step = |(n, glimpse): (usize, &Glimpse)| {
                let frame = frame_at(n as u64, glimpse.time);
                tracker.step(&frame, &glimpse.faces).tracks
            };
            let tracks: Vec<_> = glimpses.iter().enumerate().map(step).collect();
            mistakes.count(&glimpses, &tracks);
        }
        assert!(mistakes.people >= 1500, "{mistakes:?}");
        let share = |count: usize| 100.0 * count as f32 / mistakes.people as f32;
        assert!(
            share(mistakes.switches) <= switches,
            "{fps} fps: {mistakes:?}"
        );
        assert!(
            share(mistakes.fragments) <= fragments,
            "{fps} fps: {mistakes:?}"
        );
        assert!(share(mistakes.merges) <= merges, "{fps} fps: {mistakes:?}");
    }
}
