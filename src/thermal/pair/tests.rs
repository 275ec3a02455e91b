//! Two references in simulated lobbies, and on pictures drawn by hand.

use super::*;
use crate::camera::simulator::{Scenario, Simulator};
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::thermal::reference::{FRAMES_TO_LOCK, ReferenceSettings};
use crate::thermal::{Radiometer, RadiometerSettings, ThermalFrame};
use crate::units::{ReferenceTemperature, StandardUncertainty};

/// The two of a usual site, °C.
const LOW: f64 = 33.0;
const HIGH: f64 = 39.0;

/// A lobby with both, so long, before a camera of this gain; more of the lobby, the lower and the higher
/// one.
fn lobby(gain: f64, seconds: f64, [more, low, high]: [&str; 3]) -> Scenario {
    Scenario::from_toml(&format!(
        "name = 'pair'\nduration_s = {seconds:?}\n{more}\n[sensor]\ngain = {gain:?}\n\
         [blackbody]\nset_point_c = {LOW:?}\nx = 0.16\ny = 0.84\n{low}\n\
         [second_blackbody]\nset_point_c = {HIGH:?}\nx = 0.84\ny = 0.84\n{high}\n"
    ))
    .unwrap()
}

fn settings(set_point: f64, second: Option<f64>) -> RadiometerSettings {
    let celsius = |degrees| ReferenceTemperature(Celsius::new(degrees).unwrap());
    RadiometerSettings {
        reference: Some(ReferenceSettings {
            set_point: celsius(set_point),
            second_set_point: second.map(celsius),
            ..ReferenceSettings::default()
        }),
        ..RadiometerSettings::default()
    }
}

/// One frame: second, what it is worth, and what surfaces of 35 and 41 °C read too much in it.
struct Seen {
    second: f64,
    frame: ThermalFrame,
    error_k: [f64; 2],
}

fn play(scenario: Scenario, gain: f64, settings: RadiometerSettings) -> Vec<Seen> {
    let room = scenario.ambient_c();
    let mut camera = Simulator::new(scenario, BootId(1), WallTime(0));
    let mut radiometer = Radiometer::new(settings);
    let mut seen = Vec::new();
    while let Some((raw, truth)) = camera.next_with_truth().unwrap() {
        let frame = radiometer.step(&raw);
        let level = frame.path.reference.unwrap();
        let error_k = [35.0, 41.0].map(|surface: f64| {
            let read = surface + (gain - 1.0) * (surface - room) + truth.offset_k;
            let there =
                (level.apparent - Celsius::new(0.0).unwrap()).kelvin() - frame.offset.kelvin();
            read + frame.offset.kelvin() + (level.gain - 1.0) * (read - there) - surface
        });
        seen.push(Seen {
            second: raw.stamp.monotonic.as_secs_f64(),
            frame,
            error_k,
        });
    }
    assert!(seen.len() > 20);
    seen
}

fn worst(seen: &[Seen], surface: usize) -> f64 {
    let good = seen
        .iter()
        .filter(|it| it.frame.health == FrameHealth::Good);
    let errors: Vec<f64> = good.map(|it| it.error_k[surface].abs()).collect();
    assert!(errors.len() > 20, "{} good frames", errors.len());
    errors.into_iter().fold(0.0, f64::max)
}

/// The health of all frames between these seconds, each once.
fn health(seen: &[Seen], seconds: std::ops::Range<f64>) -> Vec<FrameHealth> {
    let mut found: Vec<FrameHealth> = seen
        .iter()
        .filter(|it| seconds.contains(&it.second))
        .map(|it| it.frame.health)
        .collect();
    found.dedup();
    found
}

const DRIFT: &str = "[drift]\nstart_k = -2.0\nslope_k_per_min = 1.0\nwalk_k = 0.05\n";

#[test]
fn a_gain_error_reads_wrong_at_one_point_and_right_at_two() {
    for gain in [0.97, 1.0, 1.03] {
        let scenario = || lobby(gain, 20.0, ["", "", DRIFT]);
        let two = play(scenario(), gain, settings(LOW, Some(HIGH)));
        let one = play(scenario(), gain, settings(HIGH, None));
        assert!(worst(&two, 0) < 0.04 && worst(&two, 1) < 0.06, "{gain}");
        let last = two.last().unwrap().frame.path.reference.unwrap();
        assert!((last.gain * gain - 1.0).abs() < 0.004, "{}", last.gain);
        if gain != 1.0 {
            // 4 K below the one reference.
            assert!((worst(&one, 0) - 0.12).abs() < 0.04, "{}", worst(&one, 0));
        }
    }
}

#[test]
fn they_are_told_apart_by_their_warmth_wherever_they_stand_and_whichever_comes_first() {
    let scenario = || lobby(1.03, 5.0, ["", "", ""]);
    for (first, second) in [(LOW, HIGH), (HIGH, LOW)] {
        let seen = play(scenario(), 1.03, settings(first, Some(second)));
        assert!(worst(&seen, 1) < 0.06);
        let frame = &seen.last().unwrap().frame;
        let (one, other) = (frame.reference.unwrap(), frame.second.unwrap());
        let warmer = one.reading.degrees() > other.reading.degrees();
        assert_eq!(warmer, first > second);
        assert_eq!(one.centre.x > other.centre.x, first > second);
        assert!(one.quality.score > 0.5 && other.quality.score > 0.5);
    }
}

#[test]
fn while_one_is_hidden_the_other_and_the_last_gain_will_do_for_a_minute() {
    let covered = "covered = [[10.0, 95.0]]";
    for (low, high) in [(covered, ""), ("", covered)] {
        let scenario = lobby(1.03, 100.0, ["", low, &format!("{high}\n{DRIFT}")]);
        let seen = play(scenario, 1.03, settings(LOW, Some(HIGH)));
        assert!(worst(&seen, 0) < 0.05 && worst(&seen, 1) < 0.08);
        assert_eq!(health(&seen, 10.0..69.0), [FrameHealth::Good]);
        assert_eq!(health(&seen, 71.0..94.5), [FrameHealth::ReferenceLost]);
        assert_eq!(seen.last().unwrap().frame.health, FrameHealth::Good);
        let u = |second: f64| {
            let at = seen.iter().find(|it| it.second > second).unwrap();
            let level = at.frame.path.reference.unwrap();
            level
                .u(StandardUncertainty::literal(0.1), Celsius::literal(36.0))
                .kelvin()
        };
        assert!((u(8.0) - 0.1 * 0.5_f64.sqrt()).abs() < 0.002, "{}", u(8.0));
        assert!(
            (u(20.0) - 0.1 * 1.5_f64.sqrt()).abs() < 0.002,
            "{}",
            u(20.0)
        );
    }
}

#[test]
fn hidden_both_are_lost_and_found_again() {
    let covered = "covered = [[10.0, 20.0]]";
    let seen = play(
        lobby(1.0, 30.0, ["", covered, covered]),
        1.0,
        settings(LOW, Some(HIGH)),
    );
    assert_eq!(health(&seen, 10.0..19.5), [FrameHealth::ReferenceLost]);
    assert_eq!(seen.last().unwrap().frame.health, FrameHealth::Good);
}

#[test]
fn one_that_moves_against_the_other_stops_the_judging_before_a_tenth_is_lost() {
    for (decay, seconds) in [(60.0, 30.0), (900.0, 30.0), (3600.0, 60.0)] {
        let off = format!("decays_from_s = 10.0\ndecay_s = {decay:?}");
        for (low, high) in [(off.as_str(), ""), ("", off.as_str())] {
            let seen = play(
                lobby(1.0, seconds, ["", low, high]),
                1.0,
                settings(LOW, Some(HIGH)),
            );
            assert!(worst(&seen, 0) < 0.1, "{decay}: {}", worst(&seen, 0));
            let last = seen.last().unwrap();
            assert_eq!(last.frame.health, FrameHealth::ReferencesDisagree);
            let flaw = last.frame.second.unwrap().quality.flaw;
            assert_eq!(flaw, Some(ReferenceFlaw::OffSetPoint));
        }
    }
}

#[test]
fn both_switched_off_at_once_are_found_by_the_watch_over_each() {
    let off = "decays_from_s = 10.0\ndecay_s = 900.0";
    let seen = play(
        lobby(1.0, 40.0, ["", off, off]),
        1.0,
        settings(LOW, Some(HIGH)),
    );
    assert!(worst(&seen, 0) < 0.13, "{}", worst(&seen, 0));
    assert_ne!(seen.last().unwrap().frame.health, FrameHealth::Good);
}

#[test]
fn what_does_not_fit_the_set_points_is_never_measured() {
    // The second one is 0.5 K off; a gain of 1.15; a gain that is none, though both are near enough.
    for (gain, wanted) in [(1.0, (LOW, HIGH + 0.5)), (1.15, (LOW, HIGH))] {
        let seen = play(
            lobby(gain, 10.0, ["", "", ""]),
            gain,
            settings(wanted.0, Some(wanted.1)),
        );
        assert_eq!(health(&seen, 2.0..9.0), [FrameHealth::ReferencesDisagree]);
        let flaw = seen.last().unwrap().frame.reference.unwrap().quality;
        assert_eq!(
            (flaw.score, flaw.flaw),
            (0.0, Some(ReferenceFlaw::OffSetPoint))
        );
    }
    let mut bond = Bond::default();
    bond.step(1.75, 2.0, Duration::from_millis(111));
    assert!(!bond.fits(2.0));
    let mut bond = Bond::default();
    bond.step(1.85, 2.0, Duration::from_millis(111));
    assert!(bond.fits(2.0));
}

#[test]
fn a_shutter_event_gives_another_gain_without_a_fault() {
    let shutter = format!("{DRIFT}[ffc]\nfirst_s = 10.0\n");
    let seen = play(
        lobby(1.02, 30.0, ["", "", &shutter]),
        1.02,
        settings(LOW, Some(HIGH)),
    );
    assert!(worst(&seen, 0) < 0.05);
    assert!(!health(&seen, 2.0..30.0).contains(&FrameHealth::ReferencesDisagree));
    assert_eq!(seen.last().unwrap().frame.health, FrameHealth::Good);
}

/// A room at 22 °C with even discs of 6 pixels in it: place and temperature of each.
fn drawn(grain: u32, discs: &[(f32, f32, f32)]) -> Array2<f32> {
    let mut state = grain.wrapping_mul(0x9e37_79b9) | 1;
    Array2::from_shape_fn((120, 160), |(row, col)| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let noise = (state % 9) as f32 * 0.01 - 0.04;
        let inside =
            |(x, y, _): &&(f32, f32, f32)| (col as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y) < 6.0;
        discs.iter().find(inside).map_or(22.0, |disc| disc.2) + noise
    })
}

/// What the last of so many such frames shows of references at 33 and 39 °C.
fn shown(pair: &mut Pair, frames: std::ops::Range<u32>, discs: &[(f32, f32, f32)]) -> Sight {
    let sights = frames.map(|n| {
        let now = Stamp {
            boot: BootId(1),
            monotonic: Duration::from_millis(u64::from(n) * 111),
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        };
        let apparent = [LOW, HIGH].map(|it| Celsius::new(it).unwrap());
        pair.step(now, &drawn(n + 1, discs), apparent)
    });
    sights.last().unwrap()
}

fn usual() -> Pair {
    Pair::new([LOW, HIGH].map(|it| Celsius::new(it).unwrap()))
}

const COLD: (f32, f32, f32) = (30.0, 90.0, 31.6);
const WARM: (f32, f32, f32) = (130.0, 90.0, 37.6);

#[test]
fn one_alone_is_searched_for_ever() {
    let sight = shown(&mut usual(), 0..60, &[COLD]);
    assert_eq!(sight.trouble, Some(FrameHealth::Searching));
    assert_eq!((sight.views, sight.level), ([None; 2], None));
}

#[test]
fn both_are_believed_in_the_frame_in_which_they_were_seen_often_enough() {
    let mut pair = usual();
    let before = shown(&mut pair, 0..FRAMES_TO_LOCK - 1, &[COLD, WARM]);
    assert_eq!(before.trouble, Some(FrameHealth::Searching));
    let sight = shown(&mut pair, FRAMES_TO_LOCK..FRAMES_TO_LOCK + 1, &[COLD, WARM]);
    assert_eq!(sight.trouble, None);
    let level = sight.level.unwrap();
    assert!((level.reading.degrees() - 34.6).abs() < 0.02, "{level:?}");
    assert!((level.apparent.degrees() - 36.0).abs() < 1e-9);
}

#[test]
fn a_cup_beside_them_is_neither() {
    for cup in [29.0, 34.0, 35.5, 40.0] {
        let sight = shown(&mut usual(), 0..30, &[COLD, (80.0, 30.0, cup), WARM]);
        assert_eq!(sight.trouble, None, "{cup}");
        let centres = sight.views.map(|view| view.unwrap().centre.x.round());
        assert_eq!(centres, [30.0, 130.0], "{cup}");
    }
}

#[test]
fn a_cup_that_was_taken_for_one_of_them_is_dropped_when_that_one_is_seen() {
    let mut pair = usual();
    let cup = (80.0, 30.0, 35.5);
    let wrong = shown(&mut pair, 0..20, &[COLD, cup]);
    assert_eq!(wrong.trouble, Some(FrameHealth::ReferencesDisagree));
    let sight = shown(&mut pair, 20..60, &[COLD, cup, WARM]);
    assert_eq!(sight.trouble, None);
    assert_eq!(sight.views[1].unwrap().centre.x.round(), 130.0);
}

#[test]
fn what_fits_a_little_better_does_not_replace_what_is_in_order() {
    let mut pair = usual();
    let warm = (WARM.0, WARM.1, WARM.2 + 0.1);
    shown(&mut pair, 0..30, &[COLD, warm]);
    let cup = (80.0, 30.0, WARM.2);
    let sight = shown(&mut pair, 30..60, &[COLD, cup, warm]);
    assert_eq!(sight.views[1].unwrap().centre.x.round(), 130.0);
}

#[test]
fn one_that_is_moved_is_found_at_its_new_place() {
    let mut pair = usual();
    shown(&mut pair, 0..30, &[COLD, WARM]);
    let there = (100.0, 40.0, 37.6);
    let sight = shown(&mut pair, 30..32, &[COLD, there]);
    assert_eq!((sight.trouble, sight.views[1]), (None, None));
    assert!(matches!(sight.level.unwrap().slope, Slope::Kept(_)));
    let sight = shown(&mut pair, 32..60, &[COLD, there]);
    let view = sight.views[1].unwrap();
    assert_eq!((sight.trouble, view.centre.x.round()), (None, 100.0));
    assert_eq!(view.quality.flaw, Some(ReferenceFlaw::Moved));
}

#[test]
fn hiding_one_of_two_that_disagree_mends_nothing() {
    let mut pair = usual();
    let off = (WARM.0, WARM.1, WARM.2 + 0.6);
    let sight = shown(&mut pair, 0..30, &[COLD, off]);
    assert_eq!(sight.trouble, Some(FrameHealth::ReferencesDisagree));
    let sight = shown(&mut pair, 30..40, &[COLD]);
    assert_eq!(sight.trouble, Some(FrameHealth::ReferenceLost));
}
