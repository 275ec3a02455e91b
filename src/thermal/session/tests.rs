//! A calibration before the simulated camera, which drifts as a real one does.

use super::*;
use crate::camera::Camera;
use crate::camera::simulator::{Scenario, Simulator};
use crate::clock::BootId;
use crate::units::StandardUncertainty;

const STEADY: Duration = Duration::from_secs(20);

/// A camera before a blackbody at this temperature, in an empty room; its level drifts.
fn camera(set_point_c: f64, start_k: f64, more: &str) -> Simulator {
    let scenario = Scenario::from_toml(&format!(
        "name = \"calibration\"
        seed = 4
        duration_s = 90.0
        [blackbody]
        set_point_c = {set_point_c:.2}
        x = 0.3
        y = 0.6
        {more}
        [drift]
        start_k = {start_k:.2}
        walk_k = 0.05"
    ))
    .unwrap();
    Simulator::new(scenario, BootId(1), WallTime(1_581_998_400_000))
}

fn settings(set_point_c: f64) -> ReferenceSettings {
    ReferenceSettings {
        set_point: ReferenceTemperature(Celsius::new(set_point_c).unwrap()),
        u_set_point: StandardUncertainty::literal(0.1),
        ..ReferenceSettings::default()
    }
}

/// What each frame says, to the camera's end or until it is steady.
fn watch(mut camera: Simulator, set_point_c: f64) -> (Vec<Progress>, Option<Point>) {
    let scale = camera.info().scale;
    let mut watch = Watch::new(settings(set_point_c), scale, STEADY);
    let mut said = Vec::new();
    while let Some(frame) = camera.next_frame().unwrap() {
        let progress = watch.step(&frame);
        said.push(progress);
        if let Progress::Steady(point) = progress {
            return (said, Some(point));
        }
    }
    (said, None)
}

#[test]
fn a_steady_reference_is_read_after_its_time_and_not_before() {
    let (said, point) = watch(camera(37.0, -1.4, ""), 37.0);
    let point = point.unwrap();
    assert!(point.frames >= 150, "{point:?}");
    // The level of -1.4 K, by which it may drift.
    assert!((point.reading.degrees() - 35.6).abs() < 0.4, "{point:?}");
    assert!((0.0..0.05).contains(&point.noise.kelvin()), "{point:?}");
    let longest = said.iter().filter_map(|p| match p {
        Progress::Watching { watched, .. } => Some(*watched),
        _ => None,
    });
    assert!(longest.max().unwrap() < STEADY + Duration::from_secs(1));
    assert_eq!(said[0], Progress::NotInView);
}

#[test]
fn the_next_set_point_begins_when_the_reference_is_on_its_way() {
    let (mut first, mut second) = (camera(35.0, -2.0, ""), camera(39.0, -0.7, ""));
    let scale = first.info().scale;
    let mut session = Session::new(&[settings(35.0), settings(39.0)], scale, STEADY);
    let mut last = None;
    // The blackbody stays at 35 °C for 90 s, long enough to be taken for steady twice.
    while let Some(frame) = first.next_frame().unwrap() {
        last = Some(session.step(&frame));
    }
    assert_eq!(last, Some(Stage::SetBlackbody));
    assert_eq!(session.points().len(), 1);
    while let Some(frame) = second.next_frame().unwrap() {
        last = Some(session.step(&frame));
    }
    assert_eq!(last, Some(Stage::Done));
    // The level rose by 1.3 K between the two; in the readings it stays.
    let raw = session.points()[1].reading - session.points()[0].reading;
    assert!((4.9..5.7).contains(&raw.kelvin()), "{raw:?}");
    let readings: Vec<f64> = session.readings().map(|(_, read)| read.degrees()).collect();
    assert!((readings[0] - session.points()[0].reading.degrees()).abs() < 1e-9);
    assert!(
        (readings[1] - readings[0] - 4.0).abs() < 0.08,
        "{readings:?}"
    );
}

#[test]
fn what_scene_and_reference_do_alike_is_no_movement() {
    // A level that wanders by tenths of a kelvin within the time in which 0.05 K is too much.
    let (mut wandering, scale) = (camera(37.0, -1.4, ""), camera(37.0, 0.0, "").info().scale);
    let mut watch = Watch::new(settings(37.0), scale, STEADY);
    let mut last = Progress::NotInView;
    for n in 0_u16.. {
        let Some(mut frame) = wandering.next_frame().unwrap() else {
            break;
        };
        frame.counts += n / 3;
        last = watch.step(&frame);
        if let Progress::Steady(_) = last {
            break;
        }
    }
    let Progress::Steady(point) = last else {
        panic!("{last:?}");
    };
    // Some 180 frames, each third a count (0.01 K) more, so 0.6 K at the end.
    assert!((35.7..36.3).contains(&point.reading.degrees()), "{point:?}");
    assert!(point.noise.kelvin() < 0.05, "{point:?}");
}

#[test]
fn a_covered_reference_begins_anew() {
    let covered = "covered = [[5.0, 9.0]]";
    let (said, point) = watch(camera(37.0, -1.4, covered), 37.0);
    let at = |frames: f64| said[(frames * 8.7) as usize];
    assert!(
        matches!(at(4.0), Progress::Watching { .. }),
        "{:?}",
        at(4.0)
    );
    assert_eq!(at(8.0), Progress::NotInView);
    assert!(point.is_some());
    assert!(said.len() as f64 > (9.0 + 20.0) * 8.0, "{}", said.len());
}

#[test]
fn nothing_is_steady_without_a_reference() {
    // Another set point than what is seen: 45 °C is not what a blackbody at 31 °C reads.
    let (said, point) = watch(camera(31.0, -1.4, ""), 45.0);
    assert_eq!(point, None);
    assert!(said.iter().all(|p| *p == Progress::NotInView));
}
