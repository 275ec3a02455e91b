//! The same person again: verdicts that do not flicker, alerts that are raised once.

use super::*;
use crate::screening::RetestReason;

/// Raises an alert, then is gone for some time; what follows when somebody comes.
fn after_an_alert(away: usize, then: &[Visitor]) -> Vec<&'static str> {
    let mut scene = Scene::new();
    assert_eq!(
        kinds(&scene.steps(10, &[visitor(FEVERISH_C)])),
        ["alert_raised"]
    );
    let mut events = scene.steps(away, &[]);
    for next in then {
        events.extend(scene.step(&[*next]));
    }
    events.extend(scene.screener.finish());
    kinds(&events)
}

fn stays(visitor: Visitor) -> Vec<Visitor> {
    vec![visitor; 10]
}

#[test]
fn who_comes_back_under_a_new_number_raises_no_second_alert() {
    let same = visitor(FEVERISH_C);
    // Away for longer than the tracker waits: a new track, the same incident.
    assert_eq!(after_an_alert(30, &stays(same)), ["screened", "screened"]);
    // Away for longer than somebody looks at a telephone.
    let twice = ["screened", "alert_raised", "screened"];
    assert_eq!(after_an_alert(60, &stays(same)), twice);
}

#[test]
fn somebody_else_right_behind_raises_their_own() {
    let twice = ["screened", "alert_raised", "screened"];
    let (left, width) = (20.0, 24.0);
    for next in [
        // Beside, smaller, or warmer and cooler by more than a person is.
        Visitor {
            left: 34.0,
            ..visitor(FEVERISH_C)
        },
        Visitor {
            width: 18.5,
            left: 22.7,
            ..visitor(FEVERISH_C)
        },
        visitor(FEVERISH_C + 0.5),
        visitor(FEVERISH_C - 0.5),
    ] {
        assert_eq!(after_an_alert(30, &stays(next)), twice, "{}", next.left);
    }
    // Comes up to the very same place, from behind.
    let comes: Vec<Visitor> = (0..10)
        .map(|n| {
            let width = width - 0.6 * (9 - n) as f32;
            Visitor {
                width,
                left: left + 0.5 * (24.0 - width),
                ..visitor(FEVERISH_C)
            }
        })
        .collect();
    assert_eq!(after_an_alert(30, &comes), twice);
    // Was there before the first one left.
    let mut scene = Scene::new();
    let first = visitor(FEVERISH_C);
    let second = Visitor {
        left: 70.0,
        ..first
    };
    scene.steps(10, &[first]);
    let events = scene.steps(10, &[first, second]);
    assert_eq!(kinds(&events), ["alert_raised"]);
}

#[test]
fn one_incident_explains_one_return() {
    let mut scene = Scene::new();
    let both = [
        visitor(FEVERISH_C),
        Visitor {
            left: 70.0,
            ..visitor(FEVERISH_C)
        },
    ];
    let raised = scene.steps(10, &both);
    assert_eq!(kinds(&raised), ["alert_raised", "alert_raised"]);
    scene.steps(30, &[]);
    // Both come back, each to the own place.
    let back = scene.steps(10, &both);
    assert_eq!(kinds(&back), Vec::<&str>::new());
    // One comes back, and then a second one where the first one stands no more.
    scene.steps(30, &[]);
    let again = scene.steps(10, &both[..1]);
    assert_eq!(kinds(&again), Vec::<&str>::new());
}

#[test]
fn who_is_back_is_shown_and_counted_as_what_they_are() {
    let mut scene = Scene::new();
    scene.steps(10, &[visitor(FEVERISH_C)]);
    scene.steps(30, &[]);
    scene.steps(10, &[visitor(FEVERISH_C)]);
    let person = scene.screener.people()[0];
    assert_eq!(person.verdict, Some(Verdict::PossibleFever));
    let end = scene.screener.finish();
    let [Event::Screened(screening)] = &end[..] else {
        panic!("{end:?}")
    };
    assert_eq!(screening.verdict, Verdict::PossibleFever);
    assert!(screening.presented);
}

#[test]
fn another_boot_is_another_incident() {
    let mut scene = Scene::new();
    scene.steps(10, &[visitor(FEVERISH_C)]);
    scene.steps(30, &[]);
    scene.boot = 2;
    let events = scene.steps(10, &[visitor(FEVERISH_C)]);
    assert_eq!(kinds(&events), ["alert_raised"]);
}

#[test]
fn a_verdict_does_not_flicker_from_frame_to_frame() {
    // Estimates on both sides of the rule of attention, in turn.
    let mut scene = Scene::new();
    let mut said = Vec::new();
    for n in 0..40 {
        let estimate_c = if n % 2 == 0 { 37.33 } else { 37.26 };
        scene.step(&[visitor(estimate_c)]);
        said.extend(scene.screener.people()[0].verdict);
    }
    let near = Verdict::Retest(RetestReason::NearThreshold);
    let changes = said.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes <= 1 && *said.last().unwrap() == near, "{said:?}");
    // What is recorded is what was shown.
    let end = scene.screener.finish();
    let [Event::Screened(screening)] = &end[..] else {
        panic!("{end:?}")
    };
    assert_eq!(screening.verdict, near);
    // And who really is cooler becomes clear.
    let mut scene = Scene::new();
    scene.steps(3, &[visitor(37.33)]);
    scene.steps(12, &[visitor(36.9)]);
    let person = scene.screener.people()[0];
    assert_eq!(person.verdict, Some(Verdict::Clear));
}
