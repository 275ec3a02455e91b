//! Alerts that wait, on clocks that are moved by hand.

use super::*;
use crate::alert::tests::alert;
use crate::clock::{BootId, WallTime};
use Escalation::{Manager, Reminder as Guard, Street};

const MINUTE: u64 = 60_000;

/// A moment of a start, at a wall clock that was set at 12:00 when the start was `began` old.
fn stamp(boot: u64, ms: u64, wall_ms: u64, trust: ClockTrust) -> Stamp {
    Stamp {
        boot: BootId(boot),
        monotonic: Duration::from_millis(ms),
        wall: WallTime(wall_ms.cast_signed()),
        trust,
    }
}

/// First start; the wall clock is set.
fn first(ms: u64) -> Stamp {
    stamp(1, ms, 1_000_000_000 + ms, ClockTrust::Synchronised)
}

fn levels(events: &[Event]) -> Vec<Escalation> {
    let level = |event: &Event| match event {
        Event::AlertReminded { level, .. } => *level,
        other => panic!("{other:?}"),
    };
    events.iter().map(level).collect()
}

fn fresh() -> Escalations {
    Escalations::new(EscalationRules::default(), Vec::new())
}

#[test]
fn an_alert_that_nobody_takes_climbs_once_to_each() {
    let (mut steps, open) = (fresh(), [alert(1, first(0))]);
    let mut told = Vec::new();
    for second in 0..3600 {
        for level in levels(&steps.step(&open, &first(second * 1000))) {
            told.push((second, level));
        }
    }
    assert_eq!(told, [(120, Guard), (300, Manager), (900, Street)]);
    assert_eq!(steps.highest(&open[0]), Some(Street));
}

#[test]
fn whoever_takes_it_ends_that_and_is_reminded_of_the_outcome_once() {
    let (mut steps, open) = (fresh(), alert(1, first(0)));
    assert_eq!(
        levels(&steps.step(std::slice::from_ref(&open), &first(2 * MINUTE))),
        [Guard]
    );
    let taken = [open.acknowledge("王芳", first(3 * MINUTE)).unwrap()];
    assert_eq!(steps.highest(&taken[0]), None);
    assert!(steps.step(&taken, &first(18 * MINUTE - 1)).is_empty());
    assert_eq!(levels(&steps.step(&taken, &first(18 * MINUTE))), [Guard]);
    assert_eq!(steps.highest(&taken[0]), Some(Guard));
    assert!(steps.step(&taken, &first(600 * MINUTE)).is_empty());
    // Resolved: it is forgotten.
    assert!(steps.step(&[], &first(601 * MINUTE)).is_empty());
    assert!(steps.given.is_empty());
}

#[test]
fn each_step_can_be_switched_off() {
    let rules = EscalationRules {
        manager: None,
        outcome: None,
        ..EscalationRules::default()
    };
    let (mut steps, open) = (Escalations::new(rules, Vec::new()), alert(1, first(0)));
    let told = levels(&steps.step(std::slice::from_ref(&open), &first(60 * MINUTE)));
    assert_eq!(told, [Guard, Street]);
    let taken = [open.acknowledge("王芳", first(0)).unwrap()];
    assert!(steps.step(&taken, &first(600 * MINUTE)).is_empty());
}

#[test]
fn a_restart_tells_nobody_twice_and_misses_nothing() {
    let open = [alert(1, first(0))];
    let mut before = fresh();
    let given: Vec<_> = before
        .step(&open, &first(2 * MINUTE))
        .iter()
        .map(|event| match event {
            Event::AlertReminded { alert, level, at } => Reminder {
                alert: *alert,
                level: *level,
                at: *at,
            },
            other => panic!("{other:?}"),
        })
        .collect();
    // Down from minute 3 to minute 20; the clock was set before and is set again.
    let mut after = Escalations::new(EscalationRules::default(), given);
    let back = stamp(
        2,
        5_000,
        1_000_000_000 + 20 * MINUTE,
        ClockTrust::Synchronised,
    );
    assert_eq!(levels(&after.step(&open, &back)), [Manager, Street]);
    assert!(after.step(&open, &back).is_empty());
}

#[test]
fn across_starts_a_clock_that_was_never_set_counts_for_nothing() {
    let unset = ClockTrust::Unsynchronised;
    let later = 1_000_000_000 + 50 * 365 * 24 * 60 * MINUTE;
    for (raised, now, expected) in [
        // Raised in 1970, looked at in 2020: from this start.
        (
            stamp(1, 0, 0, unset),
            stamp(2, 7_000, later, ClockTrust::Synchronised),
            7_000,
        ),
        (first(0), stamp(2, 7_000, later, unset), 7_000),
        // Both set, but one runs behind the other: no shorter than this start is old.
        (
            first(0),
            stamp(2, 7_000, 5, ClockTrust::Synchronised),
            7_000,
        ),
        (
            first(0),
            stamp(2, 7_000, 1_000_000_000 + 9_000, ClockTrust::Synchronised),
            9_000,
        ),
        // Within a start the wall clock may do what it likes.
        (first(0), stamp(1, 8_000, 0, unset), 8_000),
        (first(0), stamp(1, 8_000, u64::MAX / 2, unset), 8_000),
    ] {
        assert_eq!(
            waited(&raised, &now),
            Duration::from_millis(expected),
            "{raised:?} {now:?}"
        );
    }
    let extreme = |wall| Stamp {
        wall: WallTime(wall),
        ..stamp(2, 0, 0, ClockTrust::Synchronised)
    };
    let from = Stamp {
        boot: BootId(1),
        ..extreme(i64::MIN)
    };
    assert!(waited(&from, &extreme(i64::MAX)) > Duration::from_hours(24));
}
