//! What the whole core makes of the simulator's scenarios, written down: frames in, events out.
//!
//! A change of any stage that changes what the gateway says of people shows here, as a difference
//! that a person reads. Beside the text, each run is held to the truth of its scenario. After a
//! wanted change, e.g. another network: `INSTA_UPDATE=always cargo test --test golden`, and read
//! the difference before it is committed.
#![allow(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

#[path = "common/lobby.rs"]
mod lobby;

use lobby::{Run, run};
use menshen::camera::simulator::builtin;
use menshen::clock::Stamp;
use menshen::detect::OnnxDetector;
use menshen::estimate::Reading;
use menshen::event::Event;
use menshen::thermal::radiometry::Emissivity;
use std::collections::BTreeSet;
use std::fmt::Write as _;

fn play(name: &str) -> Run {
    let detector = OnnxDetector::built_in().unwrap();
    run(builtin(name).unwrap(), Emissivity::BLACKBODY, detector)
}

fn at(stamp: &Stamp) -> String {
    format!("{:6.2} s", stamp.monotonic.as_secs_f64())
}

fn reading(reading: &Reading) -> String {
    format!(
        "face {:.1} estimate {:.1} ± {:.1} of {} looks",
        reading.face.degrees(),
        reading.estimate.value.degrees(),
        reading.estimate.u.expanded().kelvin(),
        reading.looks
    )
}

/// One line for each event.
fn text(run: &Run) -> String {
    let mut text = String::new();
    for event in &run.events {
        let line = match event {
            Event::Screened(s) => format!(
                "track {} frames {}-{}: {}{}; {}{}",
                s.id.track.0,
                s.first.sequence,
                s.last.sequence,
                s.verdict.as_str(),
                s.verdict
                    .reason()
                    .map(|r| format!(" ({r})"))
                    .unwrap_or_default(),
                s.reading
                    .as_ref()
                    .map_or_else(|| "no reading".to_owned(), reading),
                if s.presented { "" } else { "; passed by" },
            ),
            Event::AlertRaised(alert) => {
                format!("track {}: {}", alert.id.track.0, reading(&alert.reading))
            }
            Event::FaultRaised { fault, .. } | Event::FaultCleared { fault, .. } => {
                fault.as_str().to_owned()
            }
            other => format!("{other:?}"),
        };
        writeln!(text, "{} {:13} {line}", at(&event.at()), event.kind()).unwrap();
    }
    text
}

fn hold(name: &str, run: &Run) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text(run)));
}

/// Alerts for whoever is feverish, and for nobody else.
fn alerts_are_true(run: &Run) {
    let everybody = run.everybody();
    let feverish: BTreeSet<u32> = everybody
        .values()
        .filter(|person| person.feverish)
        .map(|person| person.id)
        .collect();
    let alerted: BTreeSet<u32> = run
        .alerts()
        .map(|alert| run.who(alert.id.track).unwrap())
        .collect();
    assert_eq!(alerted, feverish, "{}", text(run));
}

fn holds(name: &str) -> Run {
    let run = play(name);
    alerts_are_true(&run);
    hold(name, &run);
    run
}

#[test]
fn lobby() {
    holds("lobby");
}

#[test]
fn group_and_once_more_byte_for_byte() {
    let once = holds("group");
    let again = play("group");
    assert_eq!(once.events, again.events);
    assert_eq!(text(&once), text(&again));
}

#[test]
fn ffc() {
    holds("ffc");
}

#[test]
fn reference_covered() {
    holds("reference_covered");
}

#[test]
fn faults() {
    holds("faults");
}

#[test]
fn nothing_happens_in_an_empty_room() {
    let run = play("empty");
    assert_eq!(run.truths.len(), 180);
    assert!(run.events.is_empty(), "{}", text(&run));
    hold("empty", &run);
}
