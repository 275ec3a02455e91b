//! A blackbody that is switched off, unplugged, covered or carried away while people stand there: nobody
//! is judged by it any more, staff are told, and whatever was said until then is within its ± U.
//!
//! What fails at once stops the judging at once. What cools slowly is found against the scene, before it
//! has cost a tenth and a half; what that leaves stands in the uncertainty.
#![allow(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

#[path = "common/lobby.rs"]
mod lobby;

use lobby::{Run, run};
use menshen::camera::simulator::Scenario;
use menshen::clock::Stamp;
use menshen::detect::OnnxDetector;
use menshen::event::{Event, Fault};
use menshen::screening::{Obstacle, Screening, Verdict};
use menshen::thermal::radiometry::Emissivity;

/// When the blackbody fails, s.
const FAILS_S: f64 = 14.0;

/// Within this time nobody is judged any more, s.
const WITHIN_S: f64 = 2.0;

/// Somebody healthy stands there from before the failure on; somebody feverish comes six seconds after
/// it.
fn lobby_with(blackbody: &str) -> Run {
    let text = format!(
        "name = 'off'\nseed = 12\nduration_s = 36.0\n\
         [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n{blackbody}\n\
         [drift]\nstart_k = -1.2\nwalk_k = 0.02\n\
         [[visitor]]\narrive_s = 5.0\nenter = 'left'\nleave = 'right'\nwalk_s = 1.0\nstand_s = 12.0\n\
         distance_m = 0.65\ncore_c = 36.5\n\
         [[visitor]]\narrive_s = 20.0\nenter = 'right'\nleave = 'left'\nwalk_s = 1.0\nstand_s = 10.0\n\
         distance_m = 0.65\ncore_c = 39.0\n"
    );
    let scenario = Scenario::from_toml(&text).unwrap();
    let detector = OnnxDetector::built_in().unwrap();
    run(scenario, Emissivity::BLACKBODY, detector)
}

fn seconds(stamp: &Stamp) -> f64 {
    stamp.monotonic.as_secs_f64()
}

/// When staff were told that the reference is not to be believed, s.
fn told(run: &Run) -> Option<f64> {
    run.events.iter().find_map(|event| match event {
        Event::FaultRaised {
            fault: Fault::ReferenceLost,
            at,
        } => Some(seconds(at)),
        _ => None,
    })
}

/// Who came to be screened: not the half of a face that leaves the picture.
fn came(run: &Run) -> Vec<&Screening> {
    run.screenings().filter(|it| it.presented).collect()
}

/// Everything that was said of temperatures is true within ± U.
fn keeps_its_word(what: &str, run: &Run) {
    let everybody = run.everybody();
    let mut readings = 0;
    for screening in run.screenings() {
        let Some(reading) = &screening.reading else {
            continue;
        };
        readings += 1;
        let truth = everybody[&run.who(screening.id.track).unwrap()];
        let error = reading.face.degrees() - truth.face_c;
        assert!(error.abs() < 0.15, "{what}: {error} K");
        assert!(error.abs() <= reading.u().expanded().kelvin(), "{what}");
    }
    assert!(readings > 0, "{what}: nobody was measured at all");
}

#[test]
fn a_blackbody_that_stays_on_lets_both_be_judged() {
    let run = lobby_with("");
    keeps_its_word("on", &run);
    assert_eq!(told(&run), None);
    assert_eq!(run.alerts().count(), 1);
    let verdicts: Vec<Verdict> = came(&run).iter().map(|it| it.verdict).collect();
    assert_eq!(verdicts, [Verdict::Clear, Verdict::PossibleFever]);
}

#[test]
fn what_fails_at_once_stops_the_judging_within_two_seconds() {
    for (what, blackbody) in [
        ("covered", format!("covered = [[{FAILS_S}, 60.0]]")),
        ("carried away", format!("removed_from_s = {FAILS_S}")),
        // A thin plate without its power.
        (
            "unplugged",
            format!("decays_from_s = {FAILS_S}\ndecay_s = 8.0"),
        ),
        (
            "pushed",
            format!("moved = {{ at_s = {FAILS_S}, x = 0.99, y = 0.99 }}"),
        ),
    ] {
        let run = lobby_with(&blackbody);
        keeps_its_word(what, &run);
        let told = told(&run).unwrap();
        // Staff are told of what has lasted for 3 s.
        assert!(
            (FAILS_S..FAILS_S + WITHIN_S + 3.0).contains(&told),
            "{what}: {told}"
        );
        assert_eq!(run.alerts().count(), 0, "{what}");
        let people = came(&run);
        assert_eq!(people.len(), 2, "{what}: both are counted");
        let second = people[1];
        assert!(seconds(&second.first.stamp) > FAILS_S + WITHIN_S);
        assert_eq!(second.reading, None, "{what}");
        let lost = Verdict::CannotJudge(Obstacle::ReferenceLost);
        assert_eq!(second.verdict, lost, "{what}");
    }
}

#[test]
fn what_cools_as_a_heavy_blackbody_does_is_found_before_it_makes_a_fever() {
    // 15 K above the room; a block of aluminium with its insulation takes a quarter of an hour for 63 %.
    let run = lobby_with(&format!(
        "decays_from_s = {}\ndecay_s = 900.0",
        FAILS_S - 6.0
    ));
    keeps_its_word("cools", &run);
    assert!(told(&run).is_some());
    let verdicts: Vec<Verdict> = came(&run).iter().map(|it| it.verdict).collect();
    let lost = Verdict::CannotJudge(Obstacle::ReferenceLost);
    assert_eq!(verdicts, [Verdict::Clear, lost]);
}
