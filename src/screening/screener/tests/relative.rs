//! The whole screener before a camera without reference that reads too low.

use super::*;
use crate::estimate::Basis;
use crate::screening::{Difference, PEOPLE_NEEDED};

/// What the camera reads too little, K.
const TOO_LOW: f64 = 2.0;

fn seen(estimate_c: f64) -> Visitor {
    visitor(estimate_c - TOO_LOW)
}

/// A camera without reference, watched for long enough.
fn without_reference() -> Scene {
    let mut scene = Scene {
        health: FrameHealth::NoReference,
        room_c: ROOM_C - TOO_LOW,
        ..Scene::new()
    };
    assert_eq!(scene.steps(40, &[]), []);
    scene
}

/// Healthy people, a quarter of a kelvin apart at most, one after the other.
fn teach(scene: &mut Scene, people: usize) -> Vec<Event> {
    (0..people)
        .flat_map(|n| {
            let estimate_c = 36.9 + 0.25 * ((n % 5) as f64 / 2.0 - 1.0);
            let mut events = scene.steps(4, &[seen(estimate_c)]);
            events.extend(scene.steps(22, &[]));
            events
        })
        .collect()
}

fn verdicts(events: &[Event]) -> Vec<Verdict> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Screened(screening) => Some(screening.verdict),
            _ => None,
        })
        .collect()
}

const LEARNING: Verdict = Verdict::CannotJudge(Obstacle::LearningPopulation);

#[test]
fn a_hundred_people_are_learned_from_before_anybody_is_judged() {
    let mut scene = without_reference();
    let events = teach(&mut scene, PEOPLE_NEEDED);
    assert_eq!(verdicts(&events), vec![LEARNING; PEOPLE_NEEDED]);
    scene.step(&[]);
    assert_eq!(scene.screener.standing().people, PEOPLE_NEEDED);

    let raised = scene.steps(4, &[seen(38.4)]);
    let [Event::AlertRaised(alert)] = &raised[..] else {
        panic!("{raised:?}")
    };
    let difference = Difference::of(&alert.reading).unwrap();
    assert!(
        (difference.above.kelvin() - 1.5).abs() < 0.02,
        "{difference:?}"
    );
    assert_eq!(difference.people, 100);
    assert!((alert.threshold - difference.median).kelvin() > 0.85);
    let expanded = alert.reading.u().expanded().kelvin();
    assert!(expanded >= 0.45, "{expanded}");
    assert!(alert.reading.estimate.u.kelvin() > alert.reading.u().kelvin());

    let events = scene.steps(22, &[]);
    assert_eq!(verdicts(&events), [Verdict::PossibleFever]);
    scene.step(&[]);
    assert_eq!(
        scene.screener.standing().people,
        PEOPLE_NEEDED,
        "nobody who was alarmed is learned from"
    );
    let healthy = teach(&mut scene, 1);
    assert_eq!(verdicts(&healthy), [Verdict::Clear]);
    scene.step(&[]);
    assert_eq!(scene.screener.standing().people, PEOPLE_NEEDED + 1);
}

#[test]
fn who_is_too_cold_or_far_is_neither_judged_nor_learned_from() {
    let mut scene = without_reference();
    teach(&mut scene, PEOPLE_NEEDED);
    let far = Visitor {
        width: 16.0,
        ..seen(36.9)
    };
    for odd in [seen(31.0), far] {
        let mut events = scene.steps(10, &[odd]);
        events.extend(scene.steps(30, &[]));
        assert!(matches!(verdicts(&events)[..], [Verdict::CannotJudge(_)]));
    }
    assert_eq!(scene.screener.standing().people, PEOPLE_NEEDED);
}

#[test]
fn nobody_is_looked_at_while_the_camera_settles() {
    let mut scene = without_reference();
    teach(&mut scene, PEOPLE_NEEDED);
    assert!(scene.screener.standing().baseline.is_some());
    scene.health = FrameHealth::Shutter;
    scene.steps(10, &[]);
    scene.health = FrameHealth::NoReference;
    let mut events = scene.steps(20, &[seen(39.0)]);
    let person = scene.screener.people()[0];
    assert_eq!(
        (person.looks, person.obstacle),
        (0, Some(Obstacle::Settling))
    );
    assert_eq!(scene.screener.standing().baseline, None);
    events.extend(scene.steps(20, &[seen(39.0)]));
    assert_eq!(kinds(&events), ["alert_raised"], "and then all the same");
}

#[test]
fn a_reference_that_is_lost_stops_all_judging() {
    for health in [FrameHealth::ReferenceLost, FrameHealth::Searching] {
        let mut scene = without_reference();
        teach(&mut scene, PEOPLE_NEEDED);
        scene.health = health;
        scene.steps(40, &[]);
        let events = scene.steps(20, &[seen(39.0)]);
        assert!(events.iter().all(|event| event.kind() != "alert_raised"));
        let lost = Verdict::CannotJudge(Obstacle::ReferenceLost);
        assert_eq!(verdicts(&scene.screener.finish()), [lost]);
    }
}

#[test]
fn a_reading_against_the_reference_is_on_the_reference() {
    let mut scene = Scene::new();
    scene.steps(5, &[visitor(HEALTHY_C)]);
    let reading = scene.screener.people()[0].reading.unwrap();
    assert_eq!(reading.basis, Basis::Reference);
    assert_eq!(Difference::of(&reading), None);
    scene.screener.finish();
    assert_eq!(scene.screener.standing(), Standing::default());
}
