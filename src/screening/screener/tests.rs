//! The screener on frames drawn by hand: faces of one temperature, every health, any room.

use super::*;
use crate::alert::AlertState;
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::screening::{FRAMES_TO_PRESENT, Screening};
use crate::thermal::radiometry::Emissivity;
use crate::track::GONE_AFTER;
use crate::units::{AmbientTemperature, Celsius, PixelBox, StandardUncertainty, TemperatureDelta};
use ndarray::Array2;

mod again;
mod relative;

const ROOM_C: f64 = 22.0;
const HEALTHY_C: f64 = 36.6;
const FEVERISH_C: f64 = 38.6;

/// What the camera sees of a face whose estimate is this, °C.
fn apparent(estimate_c: f64, room_c: f64) -> f32 {
    let transfer = Rules::default().transfer;
    let face = (estimate_c - transfer.c.kelvin() + transfer.k * room_c) / (1.0 + transfer.k);
    let (face, room) = (Celsius::new(face).unwrap(), Celsius::new(room_c).unwrap());
    Emissivity::SKIN.apparent(face, room).degrees() as f32
}

/// A face of one temperature: its left edge, its width, what its estimate comes to.
#[derive(Clone, Copy)]
struct Visitor {
    left: f32,
    width: f32,
    estimate_c: f64,
}

fn visitor(estimate_c: f64) -> Visitor {
    Visitor {
        left: 20.0,
        width: 24.0,
        estimate_c,
    }
}

impl Visitor {
    fn face(&self) -> Face {
        Face {
            area: PixelBox {
                left: self.left,
                top: 10.0,
                right: self.left + self.width,
                bottom: 10.0 + 1.3 * self.width,
            },
            features: None,
            score: 0.9,
        }
    }
}

/// A scene at ten frames a second.
struct Scene {
    screener: Screener,
    health: FrameHealth,
    room_c: f64,
    boot: u64,
    milliseconds: u64,
    sequence: u64,
}

impl Scene {
    fn new() -> Self {
        Self {
            screener: Screener::new(Rules::default()),
            health: FrameHealth::Good,
            room_c: ROOM_C,
            boot: 1,
            milliseconds: 0,
            sequence: 0,
        }
    }

    fn step(&mut self, visitors: &[Visitor]) -> Vec<Event> {
        self.milliseconds += 100;
        self.sequence += 1;
        let mut celsius = Array2::from_elem((60, 120), self.room_c as f32);
        for visitor in visitors {
            let area = visitor.face().area;
            for ((row, col), value) in celsius.indexed_iter_mut() {
                let (x, y) = (col as f32 + 0.5, row as f32 + 0.5);
                if (area.left..area.right).contains(&x) && (area.top..area.bottom).contains(&y) {
                    *value = apparent(visitor.estimate_c, self.room_c);
                }
            }
        }
        let frame = ThermalFrame {
            stamp: self.now(),
            sequence: self.sequence,
            celsius,
            health: self.health,
            reference: None,
            second: None,
            offset: TemperatureDelta::ZERO,
            scene: Celsius::new(self.room_c).map(AmbientTemperature),
            ambient_u: StandardUncertainty::literal(0.5),
            path: crate::thermal::path::Path::default(),
        };
        let faces: Vec<Face> = visitors.iter().map(Visitor::face).collect();
        self.screener.step(&frame, &faces)
    }

    fn steps(&mut self, frames: usize, visitors: &[Visitor]) -> Vec<Event> {
        (0..frames).flat_map(|_| self.step(visitors)).collect()
    }

    fn now(&self) -> Stamp {
        Stamp {
            boot: BootId(self.boot),
            monotonic: Duration::from_millis(self.milliseconds),
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        }
    }

    /// What becomes of one visitor after so many frames in which nothing else happens.
    fn verdict(mut self, frames: usize, visitor: Visitor) -> Screening {
        let events = self.steps(frames, &[visitor]);
        let screened: Vec<_> = events.into_iter().chain(self.screener.finish()).collect();
        match &screened[..] {
            [Event::Screened(screening)] | [Event::AlertRaised(_), Event::Screened(screening)] => {
                *screening
            }
            other => panic!("{other:?}"),
        }
    }
}

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::kind).collect()
}

#[test]
fn an_alert_comes_once_and_before_its_screening() {
    let mut scene = Scene::new();
    assert_eq!(scene.steps(2, &[visitor(FEVERISH_C)]), []);
    let third = scene.step(&[visitor(FEVERISH_C)]);
    let [Event::AlertRaised(alert)] = &third[..] else {
        panic!("{third:?}")
    };
    assert_eq!(alert.raised, scene.now());
    assert_eq!(alert.threshold, Rules::default().fever);
    assert_eq!(alert.state, AlertState::Open);
    assert_eq!(alert.reading.looks, 3);
    let estimate = alert.reading.estimate.value.degrees();
    assert!((estimate - FEVERISH_C).abs() < 1e-3, "{estimate}");
    assert_eq!(scene.steps(50, &[visitor(FEVERISH_C)]), []);
    let end = scene.steps(40, &[]);
    let [Event::Screened(screening)] = &end[..] else {
        panic!("{end:?}")
    };
    assert_eq!(screening.id, alert.id);
    assert_eq!(screening.verdict, Verdict::PossibleFever);
    assert!(screening.presented);
    assert_eq!((screening.first.sequence, screening.last.sequence), (1, 53));
    assert_eq!(scene.screener.finish(), []);
}

#[test]
fn who_is_not_seen_has_left_after_the_time_and_not_before() {
    let mut scene = Scene::new();
    scene.steps(10, &[visitor(HEALTHY_C)]);
    let frames = GONE_AFTER.as_millis() as usize / 100;
    assert_eq!(scene.steps(frames, &[]), []);
    assert_eq!(scene.screener.people().len(), 1);
    assert_eq!(kinds(&scene.step(&[])), ["screened"]);
    assert!(scene.screener.people().is_empty());
}

#[test]
fn who_comes_back_in_time_is_the_same_person() {
    let mut scene = Scene::new();
    scene.steps(10, &[visitor(FEVERISH_C)]);
    scene.steps(19, &[]);
    assert_eq!(scene.steps(10, &[visitor(FEVERISH_C)]), []);
    assert_eq!(kinds(&scene.screener.finish()), ["screened"]);
}

#[test]
fn another_boot_ends_everybody_once_and_keeps_their_boot() {
    let mut scene = Scene::new();
    scene.steps(10, &[visitor(FEVERISH_C)]);
    scene.boot = 2;
    let events = scene.steps(10, &[visitor(FEVERISH_C)]);
    assert_eq!(kinds(&events), ["screened", "alert_raised"]);
    let (Event::Screened(screening), Event::AlertRaised(alert)) = (&events[0], &events[1]) else {
        panic!("{events:?}")
    };
    assert_eq!((screening.id.boot, alert.id.boot), (BootId(1), BootId(2)));
    assert_ne!(screening.id.track, alert.id.track);
}

#[test]
fn two_people_at_once_are_two() {
    let left = visitor(HEALTHY_C);
    let right = Visitor {
        left: 70.0,
        ..visitor(FEVERISH_C)
    };
    let mut scene = Scene::new();
    let mut events = Vec::new();
    for n in 0..20 {
        // Whatever order the detector has them in.
        let both = if n % 2 == 0 {
            [left, right]
        } else {
            [right, left]
        };
        events.extend(scene.step(&both));
    }
    events.extend(scene.screener.finish());
    assert_eq!(kinds(&events), ["alert_raised", "screened", "screened"]);
    let Event::AlertRaised(alert) = &events[0] else {
        panic!("{events:?}")
    };
    for event in &events[1..] {
        let Event::Screened(screening) = event else {
            panic!("{event:?}")
        };
        let feverish = screening.id == alert.id;
        assert_eq!(screening.last.area.left, if feverish { 70.0 } else { 20.0 });
        let verdict = [Verdict::Clear, Verdict::PossibleFever][usize::from(feverish)];
        assert_eq!(screening.verdict, verdict);
        assert_eq!(screening.reading.unwrap().looks, 20);
    }
}

#[test]
fn an_alert_stays_whatever_is_seen_afterwards() {
    for later_c in [HEALTHY_C, 25.0] {
        let mut scene = Scene::new();
        let raised = scene.steps(3, &[visitor(FEVERISH_C)]);
        let [Event::AlertRaised(alert)] = &raised[..] else {
            panic!("{raised:?}")
        };
        assert_eq!(scene.steps(55, &[visitor(later_c)]), []);
        let person = scene.screener.people()[0];
        assert_eq!(person.verdict, Some(Verdict::PossibleFever));
        assert_eq!(person.reading, Some(alert.reading));
        let end = scene.screener.finish();
        let [Event::Screened(screening)] = &end[..] else {
            panic!("{end:?}")
        };
        assert_eq!(screening.verdict, Verdict::PossibleFever);
        assert_eq!(screening.reading, Some(alert.reading));
    }
}

#[test]
fn every_obstacle_is_reached() {
    let with_health = |health| {
        let scene = Scene {
            health,
            ..Scene::new()
        };
        scene.verdict(10, visitor(FEVERISH_C))
    };
    let cannot = |screening: Screening, obstacle| {
        assert_eq!(screening.verdict, Verdict::CannotJudge(obstacle));
        assert_eq!(screening.reading, None);
    };
    let few = Scene::new().verdict(2, visitor(FEVERISH_C));
    cannot(few, Obstacle::TooFewLooks);
    let far = Visitor {
        width: 17.9,
        ..visitor(FEVERISH_C)
    };
    cannot(Scene::new().verdict(30, far), Obstacle::TooFar);
    for (health, obstacle) in [
        (FrameHealth::Searching, Obstacle::ReferenceLost),
        (FrameHealth::ReferenceLost, Obstacle::ReferenceLost),
        (FrameHealth::Settling, Obstacle::Settling),
    ] {
        cannot(with_health(health), obstacle);
    }
    cannot(Scene::new().verdict(10, visitor(32.0)), Obstacle::TooCold);
    cannot(Scene::new().verdict(10, visitor(46.0)), Obstacle::TooHot);
    for room_c in [11.9, 34.1] {
        let scene = Scene {
            room_c,
            ..Scene::new()
        };
        cannot(
            scene.verdict(10, visitor(FEVERISH_C)),
            Obstacle::RoomOutOfRange,
        );
    }
}

#[test]
fn a_glimpse_of_a_face_far_away_is_nobody_and_near_by_it_is_somebody() {
    for (width, frames, people) in [(12.0, 2, 0), (12.0, 3, 1), (24.0, 1, 1)] {
        let mut scene = Scene::new();
        let glimpse = Visitor {
            width,
            ..visitor(FEVERISH_C)
        };
        for _ in 0..frames {
            assert_eq!(scene.step(&[glimpse]), []);
        }
        let left = scene.screener.finish().len();
        assert_eq!(left, people, "{frames} frames, {width} px wide");
    }
}

#[test]
fn who_runs_past_is_not_measured() {
    let mut scene = Scene::new();
    let running = |n: u8| Visitor {
        left: 2.0 + 13.0 * f32::from(n),
        ..visitor(FEVERISH_C)
    };
    // 13 px in 0.1 s, 24 px wide: more than 5 widths a second.
    for n in 0..7 {
        assert_eq!(scene.step(&[running(n)]), [], "frame {n}");
    }
    let end = scene.screener.finish();
    let [Event::Screened(screening)] = &end[..] else {
        panic!("{end:?}")
    };
    let reason = Verdict::CannotJudge(Obstacle::TooFewLooks);
    assert_eq!((screening.verdict, screening.presented), (reason, false));
}

#[test]
fn nobody_leaves_while_there_is_no_picture() {
    for health in [
        FrameHealth::Frozen,
        FrameHealth::Blank,
        FrameHealth::Shutter,
    ] {
        let mut scene = Scene::new();
        let before = scene.steps(5, &[visitor(FEVERISH_C)]);
        assert_eq!(kinds(&before), ["alert_raised"]);
        scene.health = health;
        let blind = scene.steps(28, &[]);
        scene.health = FrameHealth::Good;
        let after = scene.steps(5, &[visitor(FEVERISH_C)]);
        assert_eq!((blind, after), (vec![], vec![]), "{health:?}");
    }
}

#[test]
fn what_stood_in_the_way_most_often_is_the_reason() {
    let mut scene = Scene::new();
    scene.health = FrameHealth::Settling;
    scene.steps(3, &[visitor(HEALTHY_C)]);
    scene.health = FrameHealth::ReferenceLost;
    scene.steps(5, &[visitor(HEALTHY_C)]);
    scene.health = FrameHealth::Good;
    scene.steps(2, &[visitor(HEALTHY_C)]);
    let end = scene.screener.finish();
    let [Event::Screened(screening)] = &end[..] else {
        panic!("{end:?}")
    };
    let reason = Verdict::CannotJudge(Obstacle::ReferenceLost);
    assert_eq!(screening.verdict, reason);
}

#[test]
fn who_cannot_be_judged_shows_no_reading_while_there() {
    for estimate_c in [32.0, 46.0] {
        let mut scene = Scene::new();
        scene.steps(10, &[visitor(estimate_c)]);
        let person = scene.screener.people()[0];
        assert!(matches!(person.verdict, Some(Verdict::CannotJudge(_))));
        assert_eq!((person.looks, person.reading), (10, None));
    }
}

#[test]
fn presented_is_who_was_near_for_long_enough() {
    let near = |frames| Scene::new().verdict(frames, visitor(HEALTHY_C));
    let frames = FRAMES_TO_PRESENT as usize;
    assert!(!near(frames - 1).presented);
    assert!(near(frames).presented);
    let far = Visitor {
        width: 17.9,
        ..visitor(HEALTHY_C)
    };
    assert!(!Scene::new().verdict(60, far).presented);
    // Frames that could not be measured count: whoever stood there came to be screened.
    let scene = Scene {
        health: FrameHealth::Settling,
        ..Scene::new()
    };
    assert!(scene.verdict(frames, visitor(HEALTHY_C)).presented);
    // And an alert is about somebody, however short the visit.
    assert!(Scene::new().verdict(3, visitor(FEVERISH_C)).presented);
}

#[test]
fn boxes_that_are_none_are_nobody() {
    let mut scene = Scene::new();
    for edge in [f32::NAN, f32::INFINITY, -500.0] {
        let bad = Visitor {
            width: edge,
            ..visitor(FEVERISH_C)
        };
        assert_eq!(scene.steps(10, &[bad]), []);
    }
    assert!(scene.screener.people().is_empty());
}

fn raised(events: &[Event]) -> Vec<(&'static str, Fault, Stamp)> {
    let each = events.iter().map(|event| match event {
        Event::FaultRaised { fault, at } => ("raised", *fault, *at),
        Event::FaultCleared { fault, at } => ("cleared", *fault, *at),
        other => panic!("{other:?}"),
    });
    each.collect()
}

#[test]
fn a_fault_is_raised_after_its_time_and_cleared_once() {
    for (health, fault) in [
        (FrameHealth::Searching, Fault::ReferenceLost),
        (FrameHealth::ReferenceLost, Fault::ReferenceLost),
        (FrameHealth::Frozen, Fault::CameraFrozen),
        (FrameHealth::Blank, Fault::CameraBlank),
        (FrameHealth::WrongSize, Fault::CameraBlank),
    ] {
        let mut scene = Scene::new();
        scene.steps(5, &[]);
        scene.health = health;
        let before = FAULT_AFTER.as_millis() as usize / 100;
        assert_eq!(scene.steps(before, &[]), [], "{health:?}");
        let events = scene.step(&[]);
        assert_eq!(raised(&events), [("raised", fault, scene.now())]);
        assert_eq!(scene.steps(100, &[]), [], "{health:?}");
        // What follows a shutter clears nothing by itself.
        scene.health = FrameHealth::Settling;
        assert_eq!(scene.steps(9, &[]), [], "{health:?}");
        scene.health = FrameHealth::Good;
        let events = scene.step(&[]);
        assert_eq!(raised(&events), [("cleared", fault, scene.now())]);
        assert_eq!(scene.steps(100, &[]), [], "{health:?}");
    }
}

#[test]
fn a_hand_before_the_reference_is_no_fault() {
    let mut scene = Scene::new();
    for _ in 0..10 {
        scene.health = FrameHealth::ReferenceLost;
        assert_eq!(scene.steps(29, &[]), []);
        scene.health = FrameHealth::Good;
        assert_eq!(scene.steps(1, &[]), []);
    }
}

#[test]
fn one_fault_gives_way_to_another() {
    let mut scene = Scene::new();
    scene.health = FrameHealth::Frozen;
    let mut events = scene.steps(40, &[]);
    scene.health = FrameHealth::ReferenceLost;
    events.extend(scene.steps(40, &[]));
    let faults: Vec<_> = raised(&events).iter().map(|(k, f, _)| (*k, *f)).collect();
    assert_eq!(
        faults,
        [
            ("raised", Fault::CameraFrozen),
            ("cleared", Fault::CameraFrozen),
            ("raised", Fault::ReferenceLost),
        ]
    );
}

#[test]
fn a_shutter_event_is_no_fault_but_one_that_does_not_end_is() {
    for (health, fault) in [
        (FrameHealth::Settling, Fault::ReferenceLost),
        (FrameHealth::Shutter, Fault::CameraBlank),
    ] {
        let mut scene = Scene::new();
        scene.steps(5, &[]);
        scene.health = health;
        let frames = UNSETTLED_AFTER.as_millis() as usize / 100;
        assert_eq!(scene.steps(frames, &[]), [], "{health:?}");
        let events = scene.steps(100, &[]);
        let [("raised", found, at)] = raised(&events)[..] else {
            panic!("{events:?}")
        };
        assert_eq!(found, fault);
        let first = Duration::from_millis(600);
        assert_eq!(at.monotonic, first + UNSETTLED_AFTER + FAULT_AFTER);
        scene.health = FrameHealth::Good;
        assert_eq!(kinds(&scene.step(&[])), ["fault_cleared"]);
    }
}
