//! One person whose forehead and eyes have temperatures of their own, with and without what hides
//! them, whichever way they look.

use super::*;
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::face::{Features, Landmarks, Occlusion, Pose};
use crate::thermal::FrameHealth;

use crate::track::Tracker;
use crate::units::{
    AmbientTemperature, Celsius, PixelBox, PixelPoint, StandardUncertainty, TemperatureDelta,
};
use ndarray::Array2;
use proptest::prelude::*;
use std::time::Duration;

/// Apparent temperatures of the eyes that come to an estimate of about 36.5 and 39.0 °C at 22 °C.
const HEALTHY_C: f32 = 34.9;
const FEVERISH_C: f32 = 37.2;
/// Forehead below the canthi, K.
const FOREHEAD_COOLER: f32 = 0.6;
/// Cheeks and nose, °C.
const CHEEK_C: f32 = 33.0;
/// A lens, °C.
const GLASS_C: f32 = 29.0;

/// How somebody comes before the camera.
#[derive(Clone, Copy, Debug)]
struct Person {
    eyes_c: f32,
    forehead_c: f32,
    /// Whether the network sees glasses, whatever there is.
    glasses: bool,
    brow: bool,
    yaw_deg: f32,
    left: f32,
}

const fn bare(eyes_c: f32) -> Person {
    Person {
        eyes_c,
        forehead_c: eyes_c - FOREHEAD_COOLER,
        glasses: false,
        brow: false,
        yaw_deg: 0.0,
        left: 40.0,
    }
}

/// The same person behind glasses.
const fn with_glasses(eyes_c: f32) -> Person {
    Person {
        eyes_c: GLASS_C,
        glasses: true,
        ..bare(eyes_c)
    }
}

/// With glasses before the eyes, and forehead as warm as somebody's without.
fn unseen(person: Person) -> Person {
    Person {
        glasses: false,
        ..person
    }
}

const WIDTH: f32 = 30.0;
const TOP: f32 = 10.0;
const HEIGHT: f32 = 40.0;

fn face(person: &Person) -> Face {
    let at = |x: f32, y: f32| PixelPoint {
        x: person.left + x * WIDTH,
        y: TOP + y * HEIGHT,
    };
    let likely = |yes: bool| if yes { 0.9 } else { 0.1 };
    Face {
        area: PixelBox {
            left: person.left,
            top: TOP,
            right: person.left + WIDTH,
            bottom: TOP + HEIGHT,
        },
        features: Some(Features {
            landmarks: Landmarks::from_points([
                at(0.28, 0.45),
                at(0.72, 0.45),
                at(0.4, 0.46),
                at(0.6, 0.46),
                at(0.5, 0.62),
                at(0.35, 0.8),
                at(0.65, 0.8),
                at(0.5, 0.2),
            ]),
            occlusion: Occlusion {
                glasses: likely(person.glasses),
                mask: 0.0,
                brow: likely(person.brow),
            },
            pose: Pose {
                yaw_deg: person.yaw_deg,
                ..Pose::default()
            },
        }),
        score: 0.9,
    }
}

fn stamp() -> Stamp {
    Stamp {
        boot: BootId(1),
        monotonic: Duration::from_secs(1),
        wall: WallTime(0),
        trust: ClockTrust::Unsynchronised,
    }
}

fn frame(person: &Person) -> ThermalFrame {
    let mut celsius = Array2::from_elem((60, 120), 22.0);
    let area = face(person).area.clipped(120, 60);
    for ((row, col), value) in celsius.indexed_iter_mut() {
        let (x, y) = (col as f32 + 0.5, row as f32 + 0.5);
        if (area.left..area.right).contains(&x) && (area.top..area.bottom).contains(&y) {
            // Forehead to the brow; from there to the nose the eyes, or the glasses before them.
            let down = (y - area.top) / HEIGHT;
            *value = match down {
                ..0.34 => person.forehead_c,
                0.34..0.56 => person.eyes_c,
                _ => CHEEK_C,
            };
        }
    }
    ThermalFrame {
        stamp: stamp(),
        sequence: 1,
        celsius,
        health: FrameHealth::Good,
        reference: None,
        second: None,
        offset: TemperatureDelta::ZERO,
        scene: Some(AmbientTemperature(Celsius::literal(22.0))),
        ambient_u: StandardUncertainty::literal(0.5),
        path: crate::thermal::path::Path::default(),
    }
}

fn rules() -> Rules {
    Rules::default()
}

fn see(memory: &mut Memory, frame: &ThermalFrame, person: &Person) {
    memory.see(frame, &face(person), 0.0, Against::Reference, &rules());
}

/// So many frames of somebody, one after the other; then what is remembered.
fn seen(film: &[(u32, Person)]) -> Memory {
    let mut memory = Memory::default();
    for (frames, person) in film {
        for _ in 0..*frames {
            see(&mut memory, &frame(person), person);
        }
    }
    memory
}

/// What is said of them once they have left.
fn said(memory: &Memory) -> (Verdict, bool) {
    let person = bare(HEALTHY_C);
    let mut tracker = Tracker::new();
    tracker.step(&frame(&person), &[face(&person)]);
    let track = tracker.finish().remove(0);
    let screening = memory.screening(&track, &rules()).unwrap();
    let judged = !matches!(screening.verdict, Verdict::CannotJudge(_));
    assert_eq!(screening.reading.is_some(), judged);
    (screening.verdict, screening.presented)
}

fn verdict(film: &[(u32, Person)]) -> Verdict {
    said(&seen(film)).0
}

fn estimate(film: &[(u32, Person)]) -> f64 {
    let (reading, _) = seen(film).judged().unwrap();
    reading.unwrap().estimate.value.degrees()
}

const CANNOT_FOR_GLASSES: Verdict = Verdict::CannotJudge(Obstacle::Glasses);

#[test]
fn these_people_are_what_they_are_called() {
    assert_eq!(verdict(&[(10, bare(HEALTHY_C))]), Verdict::Clear);
    assert_eq!(verdict(&[(10, bare(FEVERISH_C))]), Verdict::PossibleFever);
}

#[test]
fn who_wears_glasses_is_asked_to_take_them_off_and_is_never_clear() {
    for person in [with_glasses(HEALTHY_C), with_glasses(36.0)] {
        let memory = seen(&[(20, person)]);
        assert_eq!(said(&memory), (CANNOT_FOR_GLASSES, true));
        assert_eq!(memory.judged(), Some((None, CANNOT_FOR_GLASSES)));
        assert_eq!(memory.latest_obstacle(), Some(Obstacle::Glasses));
    }
}

#[test]
fn a_forehead_that_is_feverish_by_itself_is_an_alert_whatever_is_worn() {
    let feverish = with_glasses(FEVERISH_C + 0.5);
    let mut memory = seen(&[(3, feverish)]);
    let alert = memory.alarm(stamp(), TrackId(1), &rules()).unwrap();
    assert!(alert.reading.estimate.value >= rules().fever);
    assert_eq!(said(&memory).0, Verdict::PossibleFever);
    // What came of the forehead is less than what the canthi would have said.
    let canthi = estimate(&[(3, bare(FEVERISH_C + 0.5))]);
    let forehead = alert.reading.estimate.value.degrees();
    assert!(
        (canthi - forehead - 1.1 * 0.6).abs() < 0.05,
        "{canthi} {forehead}"
    );
}

#[test]
fn glasses_that_are_missed_in_some_frames_clear_nobody() {
    let wearer = with_glasses(HEALTHY_C);
    let mut film = Vec::new();
    for _ in 0..15 {
        film.extend([(3, wearer), (2, unseen(wearer))]);
    }
    assert_eq!(verdict(&film), CANNOT_FOR_GLASSES);
    // And a few frames of glasses that are none accuse nobody.
    let film = [(2, bare(HEALTHY_C)), (3, with_glasses(HEALTHY_C))];
    assert_eq!(verdict(&film), CANNOT_FOR_GLASSES, "in doubt they are worn");
    let film = [(8, bare(HEALTHY_C)), (3, with_glasses(HEALTHY_C))];
    assert_eq!(verdict(&film), Verdict::Clear);
}

#[test]
fn who_takes_the_glasses_off_is_measured_by_what_is_seen_then() {
    let film = |frames| [(60, with_glasses(HEALTHY_C)), (frames, bare(HEALTHY_C))];
    assert_eq!(verdict(&film(GLASSES_ARE_OFF - 1)), CANNOT_FOR_GLASSES);
    let looks = GLASSES_ARE_OFF + rules().min_looks;
    assert_eq!(verdict(&film(looks)), Verdict::Clear);
    let memory = seen(&film(looks));
    assert!(memory.looks() < GLASSES_ARE_OFF, "{}", memory.looks());
}

#[test]
fn a_hat_leaves_the_canthi_and_hides_the_forehead() {
    let mut hat = Person {
        brow: true,
        ..bare(HEALTHY_C)
    };
    hat.forehead_c = 26.0;
    let without = estimate(&[(5, bare(HEALTHY_C))]);
    let with = estimate(&[(5, hat)]);
    assert!((with - without).abs() < 0.02, "{with} and {without}");
    // Something warm on the head is no skin.
    hat.forehead_c = 40.0;
    assert_eq!(verdict(&[(10, hat)]), Verdict::Clear);
    // Under a hat and behind glasses nothing is left to go by.
    let hidden = Person {
        brow: true,
        ..with_glasses(FEVERISH_C + 0.5)
    };
    assert_eq!(verdict(&[(10, hidden)]), CANNOT_FOR_GLASSES);
}

#[test]
fn what_keeps_from_measuring_most_often_is_the_reason() {
    let turned = Person {
        yaw_deg: 60.0,
        ..bare(FEVERISH_C)
    };
    let cut = Person {
        left: -8.0,
        ..bare(FEVERISH_C)
    };
    for (person, obstacle) in [(turned, Obstacle::Turned), (cut, Obstacle::Cut)] {
        let memory = seen(&[(10, person)]);
        assert_eq!(said(&memory), (Verdict::CannotJudge(obstacle), true));
        assert_eq!(memory.latest_obstacle(), Some(obstacle));
    }
    let film = [(4, turned), (6, cut), (2, bare(FEVERISH_C))];
    assert_eq!(verdict(&film), Verdict::CannotJudge(Obstacle::Cut));
    // Three good looks are enough, whatever else was seen.
    let film = [(40, turned), (3, bare(FEVERISH_C))];
    assert_eq!(verdict(&film), Verdict::PossibleFever);
}

#[test]
fn a_frame_that_cannot_be_measured_is_nobodys_fault() {
    let mut memory = Memory::default();
    let turned = Person {
        yaw_deg: 60.0,
        ..bare(HEALTHY_C)
    };
    let frame = frame(&turned);
    let settling = Against::Nothing(Obstacle::Settling);
    memory.see(&frame, &face(&turned), 0.0, settling, &rules());
    assert_eq!(memory.latest_obstacle(), Some(Obstacle::Settling));
}

proptest! {
    /// Whatever order they come in: where most frames show glasses, nobody is clear.
    #[test]
    fn a_majority_with_glasses_is_never_clear(
        film in proptest::collection::vec(any::<bool>(), 1..40),
        eyes_c in 33.5_f32..38.0,
    ) {
        // Fewer than it takes to have taken them off.
        let mut row = 0;
        for worn in &film {
            row = if *worn { 0 } else { row + 1 };
            prop_assume!(row < GLASSES_ARE_OFF);
        }
        let wearer = with_glasses(eyes_c);
        let frames: Vec<_> = film
            .iter()
            .map(|worn| (1, if *worn { wearer } else { unseen(wearer) }))
            .collect();
        let with = film.iter().filter(|worn| **worn).count();
        prop_assume!(2 * with >= film.len());
        let verdict = verdict(&frames);
        prop_assert!(
            matches!(verdict, Verdict::CannotJudge(_) | Verdict::PossibleFever),
            "{verdict:?}"
        );
    }
}
