//! What the visitor screen shows when, and never without evidence.

use super::*;
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::screening::Rules;
use crate::units::PixelBox;
use crate::web::state::{
    ActiveFault, CameraStatus, CareStatus, LinkWord, LiveValue, Mode, ReferenceStatus, Thresholds,
};
use proptest::prelude::*;

fn stamp(milliseconds: u64) -> Stamp {
    Stamp {
        boot: BootId(1),
        monotonic: Duration::from_millis(milliseconds),
        wall: WallTime(0),
        trust: ClockTrust::Synchronised,
    }
}

fn status(faults: &[Fault]) -> GatewayStatus {
    GatewayStatus {
        camera: CameraStatus {
            name: String::new(),
            width: 160,
            height: 120,
            fps: None,
            frames: 0,
            dropped: 0,
            damaged: 0,
            last_frame: None,
            health: None,
        },
        reference: ReferenceStatus::Configured {
            set_point_c: 37.0,
            reading_c: None,
            offset_k: None,
            second: None,
        },
        care: CareStatus::default(),
        faults: faults
            .iter()
            .map(|fault| ActiveFault {
                fault: *fault,
                since: stamp(0),
            })
            .collect(),
        mqtt: LinkWord::NotConfigured,
        version: String::new(),
        epoch: String::new(),
        thresholds: Thresholds {
            attention_c: Rules::default().attention.degrees(),
            fever_c: Rules::default().fever.degrees(),
        },
        mode: Mode::Real,
    }
}

fn person(track: u64, x: f32, state: PersonState) -> LivePerson {
    let measured = LiveValue::Absolute {
        estimate_c: 36.6,
        expanded_u_k: 0.9,
        face_c: 35.0,
    };
    LivePerson {
        track: TrackId(track),
        area: PixelBox {
            left: x - 10.0,
            top: 40.0,
            right: x + 10.0,
            bottom: 66.0,
        },
        state,
        obstacle: None,
        value: matches!(state, PersonState::Judged(_)).then_some(measured),
        budget: None,
    }
}

fn kept_back(track: u64, x: f32, obstacle: Obstacle) -> LivePerson {
    LivePerson {
        obstacle: Some(obstacle),
        ..person(track, x, LOOKING)
    }
}

fn frame(at: u64, people: Vec<LivePerson>) -> LiveFrame {
    LiveFrame {
        sequence: at,
        at: stamp(at),
        width: 160,
        height: 120,
        centi_celsius: Vec::new(),
        people,
        health: FrameHealth::Good,
        judging: true,
        references: Vec::new(),
        pixel: None,
        dropped: 0,
    }
}

const LOOKING: PersonState = PersonState::Looking {
    looks: 1,
    needed: 3,
};
const CLEAR: PersonState = PersonState::Judged(Verdict::Clear);
const FEVER: PersonState = PersonState::Judged(Verdict::PossibleFever);

/// What everybody is told, from left to right, with the place.
fn told(screen: &Screen) -> Vec<(u64, Cue)> {
    match screen {
        Screen::People(figures, _) => figures.iter().map(|it| (it.track.0, it.cue)).collect(),
        _ => Vec::new(),
    }
}

fn say(people: Vec<LivePerson>) -> Screen {
    Board::default().step(&status(&[]), Some(&frame(1000, people)), &stamp(1000))
}

#[test]
fn every_state_of_a_person_has_its_cue() {
    use Obstacle as O;
    let judged = PersonState::Judged;
    let of = |state| told(&say(vec![person(1, 80.0, state)]))[0].1;
    let back = |why| told(&say(vec![kept_back(1, 80.0, why)]))[0].1;
    assert_eq!(back(O::TooFar), Cue::Closer);
    assert_eq!(back(O::Cut), Cue::Middle);
    assert_eq!(back(O::Turned), Cue::Look);
    assert_eq!(back(O::Glasses), Cue::Glasses);
    assert_eq!(back(O::TooFewLooks), Cue::Hold(1, 3));
    assert_eq!(back(O::Settling), Cue::Wait);
    assert_eq!(of(LOOKING), Cue::Hold(1, 3));
    assert_eq!(of(CLEAR), Cue::Clear);
    assert_eq!(of(FEVER), Cue::Staff);
    assert_eq!(
        of(judged(Verdict::Retest(RetestReason::Unsteady))),
        Cue::Staff
    );
    assert_eq!(
        of(judged(Verdict::Retest(RetestReason::JustIn))),
        Cue::Indoors
    );
    assert_eq!(of(judged(Verdict::CannotJudge(O::Glasses))), Cue::Glasses);
    for why in [
        O::TooCold,
        O::TooHot,
        O::RoomOutOfRange,
        O::LearningPopulation,
    ] {
        assert_eq!(of(judged(Verdict::CannotJudge(why))), Cue::Cannot(why));
    }
}

#[test]
fn people_stand_as_in_a_mirror_and_those_who_pass_behind_are_not_called() {
    let (left, right) = (person(2, 130.0, CLEAR), person(1, 30.0, FEVER));
    let behind = kept_back(3, 80.0, Obstacle::TooFar);
    let screen = say(vec![right, left, behind.clone()]);
    assert_eq!(told(&screen), [(2, Cue::Clear), (1, Cue::Staff)]);
    assert_eq!(told(&say(vec![behind])), [(3, Cue::Closer)]);
}

#[test]
fn more_than_there_are_places_come_one_at_a_time_and_who_goes_to_staff_keeps_the_place() {
    let mut people: Vec<_> = (1..=4)
        .map(|n| person(n, 30.0 * n as f32, LOOKING))
        .collect();
    people[3].state = FEVER;
    let Screen::People(figures, crowd) = say(people.clone()) else {
        panic!("people are there")
    };
    assert!(crowd);
    assert_eq!(figures.len(), MOST);
    assert!(figures.iter().any(|it| it.cue == Cue::Staff));
    people.pop();
    assert!(matches!(say(people), Screen::People(_, false)));
    let far: Vec<_> = (1..=5)
        .map(|n| kept_back(n, 25.0 * n as f32, Obstacle::TooFar))
        .collect();
    assert_eq!(
        say(far.clone()),
        say(vec![far[0].clone()]),
        "nobody is near"
    );
}

#[test]
fn going_to_staff_stays_to_be_read_and_green_goes_with_its_person() {
    let well = status(&[]);
    for (state, stays_ms) in [(CLEAR, 700), (FEVER, 4000)] {
        let mut board = Board::default();
        board.step(
            &well,
            Some(&frame(0, vec![person(1, 80.0, state)])),
            &stamp(0),
        );
        let mut said = |at| told(&board.step(&well, Some(&frame(at, Vec::new())), &stamp(at)));
        assert_eq!(said(stays_ms).len(), 1, "{state:?}");
        assert_eq!(said(stays_ms + 1), [], "{state:?}");
        // Whoever steps into the place has it at once.
        let mut board = Board::default();
        board.step(
            &well,
            Some(&frame(0, vec![person(1, 80.0, state)])),
            &stamp(0),
        );
        let next = frame(100, vec![person(2, 84.0, LOOKING)]);
        let screen = board.step(&well, Some(&next), &stamp(100));
        assert_eq!(told(&screen), [(2, Cue::Hold(1, 3))], "{state:?}");
    }
}

#[test]
fn an_instruction_stays_to_be_read_and_a_verdict_comes_at_once() {
    let mut board = Board::default();
    let mut said = |at: u64, it: LivePerson| {
        told(&board.step(&status(&[]), Some(&frame(at, vec![it])), &stamp(at)))[0].1
    };
    let turned = kept_back(1, 80.0, Obstacle::Turned);
    assert_eq!(said(0, turned.clone()), Cue::Look);
    assert_eq!(said(100, person(1, 80.0, LOOKING)), Cue::Look);
    assert_eq!(said(799, person(1, 80.0, LOOKING)), Cue::Look);
    assert_eq!(said(800, person(1, 80.0, LOOKING)), Cue::Hold(1, 3));
    assert_eq!(said(900, turned.clone()), Cue::Hold(1, 3));
    assert_eq!(said(950, person(1, 80.0, CLEAR)), Cue::Clear);
    assert_eq!(said(1000, turned), Cue::Look, "green goes at once, too");
}

#[test]
fn out_of_service_is_said_with_its_reason_and_forgets_everybody() {
    let mut board = Board::default();
    let well = status(&[]);
    let there = frame(0, vec![person(1, 80.0, FEVER)]);
    assert_eq!(told(&board.step(&well, Some(&there), &stamp(0))).len(), 1);
    let old = board.step(&well, Some(&there), &stamp(2000));
    assert_eq!(old, Screen::Out(Why::NoPicture));
    assert_eq!(
        board.step(&well, None, &stamp(2000)),
        Screen::Out(Why::NoPicture)
    );
    for fault in Fault::ALL {
        let screen = board.step(
            &status(&[fault]),
            Some(&frame(3000, Vec::new())),
            &stamp(3000),
        );
        let expected = if fault.stops_judging() {
            Screen::Out(Why::Fault(fault))
        } else {
            Screen::Rest(None)
        };
        assert_eq!(screen, expected);
    }
    for health in FrameHealth::ALL {
        let mut shut = frame(4000, vec![person(1, 80.0, CLEAR)]);
        (shut.health, shut.judging) = (health, false);
        let screen = board.step(&well, Some(&shut), &stamp(4000));
        if health != FrameHealth::NoReference {
            assert_eq!(screen, Screen::Wait, "{health:?}");
        }
        assert!(told(&screen).iter().all(|(_, cue)| *cue != Cue::Clear));
    }
}

fn any_person() -> impl Strategy<Value = LivePerson> {
    let retests = RetestReason::ALL.map(Verdict::Retest);
    let others = Obstacle::ALL.map(Verdict::CannotJudge);
    let verdicts = [Verdict::Clear, Verdict::Clear, Verdict::PossibleFever];
    let verdicts: Vec<Verdict> = verdicts.into_iter().chain(retests).chain(others).collect();
    let state = prop_oneof![
        (0_u32..5).prop_map(|looks| PersonState::Looking { looks, needed: 3 }),
        prop::sample::select(verdicts).prop_map(PersonState::Judged),
    ];
    let obstacle = prop::option::of(prop::sample::select(Obstacle::ALL.to_vec()));
    (1_u64..6, 0.0_f32..160.0, state, obstacle, any::<bool>()).prop_map(
        |(track, x, state, obstacle, measured)| {
            let it = person(track, x, state);
            LivePerson {
                value: it.value.filter(|_| measured),
                obstacle,
                ..it
            }
        },
    )
}

/// One step of the world: milliseconds on, people, health, whether judged, faults, how old the picture is.
fn any_step() -> impl Strategy<Value = (u64, Vec<LivePerson>, FrameHealth, bool, Option<Fault>, u64)>
{
    let health = prop_oneof![
        3 => Just(FrameHealth::Good),
        1 => prop::sample::select(FrameHealth::ALL.to_vec()),
    ];
    let fault = prop_oneof![
        4 => Just(None),
        1 => prop::sample::select(Fault::ALL.to_vec()).prop_map(Some),
    ];
    let people = prop::collection::vec(any_person(), 0..5);
    (
        50_u64..900,
        people,
        health,
        prop::bool::weighted(0.8),
        fault,
        0_u64..1700,
    )
}

proptest! {
    /// Whatever happens: who is shown green was measured, and is there.
    #[test]
    fn never_green_without_evidence(steps in prop::collection::vec(any_step(), 1..12)) {
        let mut board = Board::default();
        let mut now = 10_000;
        // When each track was last seen with a reading that came to clear, and in a picture that may be judged.
        let mut evidence: Vec<(TrackId, u64)> = Vec::new();
        for (passed, people, health, judging, fault, age) in steps {
            now += passed;
            let mut picture = frame(now.saturating_sub(age), people);
            (picture.health, picture.judging) = (health, judging);
            for it in &picture.people {
                evidence.retain(|(track, _)| *track != it.track);
            }
            for it in &picture.people {
                if judging && it.state == CLEAR && it.value.is_some() {
                    evidence.push((it.track, now - age));
                }
            }
            let faults: Vec<Fault> = fault.into_iter().collect();
            let screen = board.step(&status(&faults), Some(&picture), &stamp(now));
            let fresh = Duration::from_millis(age) <= Duration::from_millis(1500);
            for (track, cue) in told(&screen) {
                if cue == Cue::Clear {
                    prop_assert!(fresh && faults.iter().all(|it| !it.stops_judging()));
                    let seen = evidence.iter().find(|(it, _)| it.0 == track).map(|it| it.1);
                    let gone = seen.map(|seen| Duration::from_millis(now - seen));
                    prop_assert!(
                        gone.is_some_and(|gone| gone <= Duration::from_millis(1500).max(FLICKER)),
                        "track {track}: {gone:?}"
                    );
                }
            }
        }
    }
}
