//! The watch over the blackbody in simulated lobbies: what trips it and what must not.

use super::*;
use crate::camera::Camera;
use crate::camera::simulator::{Scenario, Simulator};
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::thermal::{FrameHealth, Radiometer, RadiometerSettings, ReferenceFlaw};

const EMPTY: &str =
    "name = 'watch'\nduration_s = 120.0\n[blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n";

/// One frame: second, health, error of the corrected picture in kelvin, and the reference's flaw.
type Seen = (f64, FrameHealth, f64, Option<ReferenceFlaw>);

fn play(scenario: &str) -> Vec<Seen> {
    let scenario = Scenario::from_toml(scenario).unwrap();
    let mut camera = Simulator::new(scenario, BootId(1), WallTime(0));
    let mut radiometer = Radiometer::new(RadiometerSettings::default());
    let mut seen = Vec::new();
    while let Some((raw, truth)) = camera.next_with_truth().unwrap() {
        let frame = radiometer.step(&raw);
        let error = truth.offset_k + frame.offset.kelvin();
        let flaw = frame.reference.and_then(|view| view.quality.flaw);
        seen.push((raw.stamp.monotonic.as_secs_f64(), frame.health, error, flaw));
    }
    assert_eq!(camera.info().width, 120);
    seen
}

/// Nothing but good frames once it has settled, except for a shutter's own time.
fn stays_good(what: &str, scenario: &str, shut: std::ops::Range<f64>) {
    for (second, health, error, _) in play(scenario) {
        let may_settle = second < 2.5 || shut.contains(&second);
        assert!(
            health == FrameHealth::Good || may_settle,
            "{what}: {health:?} after {second} s"
        );
        assert!(
            health != FrameHealth::Good || error.abs() < 0.05,
            "{what}: {error} K"
        );
        assert_ne!(health, FrameHealth::ReferenceUnstable, "{what}: {second} s");
    }
}

/// A blackbody that loses 15 K within so many seconds from the 30th on: how much was lost in the
/// last good frame.
fn cost(decay_s: f64, rest: &str) -> f64 {
    let seen = play(&format!(
        "{EMPTY}decays_from_s = 30.0\ndecay_s = {decay_s:?}\n{rest}"
    ));
    let good = |it: &&Seen| it.1 == FrameHealth::Good;
    assert!(
        seen.iter()
            .take_while(|it| it.0 < 30.0)
            .filter(good)
            .count()
            > 200
    );
    assert_ne!(seen.last().unwrap().1, FrameHealth::Good);
    seen.iter().filter(good).map(|it| it.2).fold(0.0, f64::max)
}

const VISITORS: &str = "[[visitor]]\narrive_s = 10.0\nenter = 'left'\nleave = 'right'\nstand_s = 25.0\n\
    distance_m = 0.55\ncore_c = 36.6\n[[visitor]]\narrive_s = 40.0\nenter = 'far'\nleave = 'left'\n\
    stand_s = 40.0\ndistance_m = 0.8\ncore_c = 38.5\n[[visitor]]\narrive_s = 42.0\nenter = 'right'\n\
    leave = 'far'\nstand_s = 50.0\ndistance_m = 1.0\nlateral_m = 0.3\ncore_c = 36.4\n";

#[test]
fn people_who_come_stand_and_go_do_not_trip_it() {
    stays_good("people", &format!("{EMPTY}{VISITORS}"), 0.0..0.0);
}

#[test]
fn neither_drift_nor_a_shutter_event_trips_it() {
    let drift = "[drift]\nstart_k = -2.0\nslope_k_per_min = 0.4\nwalk_k = 0.05\n";
    stays_good("drift", &format!("{EMPTY}{drift}{VISITORS}"), 0.0..0.0);
    let shutter = "[ffc]\nfirst_s = 60.0\n";
    stays_good(
        "shutter",
        &format!("{EMPTY}{shutter}{VISITORS}"),
        60.0..66.0,
    );
}

#[test]
fn a_blackbody_that_is_switched_off_is_caught_before_it_costs_much() {
    for decay_s in [5.0, 60.0, 900.0, 3600.0] {
        let lost = cost(decay_s, "");
        assert!(lost < 0.13, "{lost} K lost within {decay_s} s");
    }
    let lost = cost(
        900.0,
        &format!("[drift]\nslope_k_per_min = -0.3\n{VISITORS}"),
    );
    assert!(lost < 0.13, "{lost} K lost with people there");
}

/// A camera's pictures drawn by hand: walls at 22 °C and what is painted over them.
struct Walls {
    watch: Watch,
    frames: u64,
}

impl Walls {
    fn new() -> Self {
        Self {
            watch: Watch::default(),
            frames: 0,
        }
    }

    /// So many seconds in which the blackbody reads this much less, and the left part of the picture so
    /// much more, growing to the end; whether it is believed in the last frame.
    fn pass(&mut self, seconds: u64, lost_k: f32, (part, warmer_k): (f32, f32)) -> bool {
        let mut stable = true;
        for n in 1..=seconds * 9 {
            let now = Stamp {
                boot: BootId(1),
                monotonic: Duration::from_millis(self.frames * 1000 / 9),
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            };
            self.frames += 1;
            let share = n as f32 / (seconds * 9) as f32;
            let picture = Array2::from_shape_fn((120, 120), |(row, col)| {
                22.0 + if (col as f32) < part * 120.0 {
                    // Nobody and nothing is equally warm all over.
                    warmer_k * share.max(0.1) * (0.5 + row as f32 / 120.0)
                } else {
                    0.0
                }
            });
            stable = self.watch.step(now, &picture, 35.0 - lost_k * share, false);
        }
        stable
    }
}

const NOBODY: (f32, f32) = (0.0, 0.0);

#[test]
fn a_draught_that_cools_a_part_of_the_room_is_no_fault_and_one_that_cools_all_of_it_is() {
    for part in [0.2, 0.45] {
        let mut walls = Walls::new();
        assert!(walls.pass(5, 0.0, NOBODY));
        assert!(walls.pass(20, 0.0, (part, -1.5)), "{part} of the picture");
        assert!(walls.watch.deviation().abs() < 0.02);
        // And back.
        assert!(walls.pass(20, 0.0, NOBODY), "{part} of the picture");
    }
    // That could as well be the blackbody: nobody is judged until it has stood still for some time.
    let mut walls = Walls::new();
    assert!(walls.pass(5, 0.0, NOBODY));
    assert!(!walls.pass(20, 0.0, (1.0, -0.25)));
    for second in 0..200 {
        if walls.pass(1, 0.0, (1.0, -0.25)) {
            assert!(
                (CALM.as_secs()..CALM.as_secs() + 20).contains(&second),
                "{second}"
            );
            return;
        }
    }
    panic!("it is never believed again");
}

#[test]
fn people_who_fill_most_of_the_picture_do_not_hide_a_blackbody_that_cools() {
    for part in [0.45, 0.55, 0.75] {
        let mut walls = Walls::new();
        assert!(walls.pass(5, 0.0, NOBODY));
        assert!(walls.pass(3, 0.0, (part, 10.0)), "{part} of the picture");
        assert!(!walls.pass(10, 0.2, (part, 10.0)), "{part} of the picture");
    }
}

#[test]
fn somebody_who_fills_the_picture_blinds_it_and_then_nobody_is_judged() {
    let mut walls = Walls::new();
    assert!(walls.pass(5, 0.0, NOBODY));
    let blind = BLIND_FOR.as_secs();
    assert!(walls.pass(blind, 0.0, (0.9, 10.0)));
    assert!(!walls.pass(2, 0.0, (0.9, 10.0)));
    assert_eq!(walls.watch.left(), 0.0);
    // However long it takes, they are no scene; and when they leave, what it lost is still known.
    assert!(!walls.pass(100, 0.0, (0.9, 10.0)));
    assert!(!walls.pass(5, 0.2, NOBODY));
    let mut walls = Walls::new();
    assert!(walls.pass(5, 0.0, NOBODY));
    assert!(!walls.pass(40, 0.0, (0.9, 10.0)));
    assert!(walls.pass(1, 0.0, NOBODY));
}

#[test]
fn what_it_has_moved_by_goes_with_the_frame() {
    let text = format!("{EMPTY}decays_from_s = 10.0\n");
    let mut camera = Simulator::new(Scenario::from_toml(&text).unwrap(), BootId(1), WallTime(0));
    let mut radiometer = Radiometer::new(RadiometerSettings::default());
    let mut most = [0.0_f64; 2];
    for n in 0..9 * 20 {
        let frame = radiometer.step(&camera.next_frame().unwrap().unwrap());
        if frame.health == FrameHealth::Good {
            let moved = frame.path.reference.unwrap().moved.kelvin();
            let most = &mut most[usize::from(n > 90)];
            *most = most.max(moved);
        }
    }
    assert!(
        most[0] < 0.02 && (0.08..0.11).contains(&most[1]),
        "{most:?}"
    );
}

#[test]
fn what_is_wrong_with_it_is_said() {
    let seen = play(&format!("{EMPTY}decays_from_s = 30.0\n"));
    let (_, health, _, flaw) = seen[9 * 45];
    assert_eq!(health, FrameHealth::ReferenceUnstable);
    assert_eq!(flaw, Some(ReferenceFlaw::Unstable));
    assert_eq!(seen[9 * 20].3, None);
}
