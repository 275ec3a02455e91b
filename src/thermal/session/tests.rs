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

fn point(set_point_c: f64, start_k: f64) -> Point {
    watch(camera(set_point_c, start_k, ""), set_point_c)
        .1
        .unwrap()
}

/// A point on a line, as [`response`] sees it.
fn on_a_line(apparent_c: f64, above_scene_k: f64) -> Point {
    let celsius = Celsius::new(apparent_c).unwrap();
    Point {
        set_point: ReferenceTemperature(celsius),
        apparent: celsius,
        reading: celsius,
        above_scene: TemperatureDelta::new(above_scene_k).unwrap(),
        noise: TemperatureDelta::ZERO,
        spread: TemperatureDelta::ZERO,
        frames: 100,
        at: WallTime(0),
    }
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
fn drift_between_two_set_points_does_not_reach_the_gain() {
    let points = [point(35.0, -2.0), point(39.0, -0.7)];
    let response = response(&points).unwrap();
    // Without the scene it would be (39 - 0.7 - (35 - 2.0)) / 4 = 1.33.
    assert!(
        (response.gain - 1.0).abs() < 0.02,
        "{response:?} {points:?}"
    );
    assert!(response.u_gain < 0.01);
    assert!(response.residual.kelvin() < 1e-9);
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
    let gain = response(session.points()).unwrap().gain;
    assert!((gain - 1.0).abs() < 0.02, "{gain}");
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

#[test]
fn a_line_is_told_and_what_is_none_is_refused() {
    let line = |gain: f64| [35.0, 37.0, 39.0].map(|x| on_a_line(x, 14.0 + gain * (x - 35.0)));
    let ideal = response(&line(1.0)).unwrap();
    assert!((ideal.gain - 1.0).abs() < 1e-12 && ideal.residual.kelvin() < 1e-12);
    // 0.05 K, even: 0.0144; over the root of 2² + 2².
    assert!((ideal.u_gain - 0.05 / 12.0_f64.sqrt() / 8.0_f64.sqrt()).abs() < 1e-12);
    assert!((response(&line(0.95)).unwrap().gain - 0.95).abs() < 1e-12);
    assert!(
        matches!(response(&line(0.89)), Err(NoResponse::Impossible(g)) if (g - 0.89).abs() < 1e-9)
    );
    assert!(matches!(
        response(&line(1.11)),
        Err(NoResponse::Impossible(_))
    ));
    let mut bent = line(1.0);
    bent[1].above_scene = TemperatureDelta::literal(16.3);
    assert!((response(&bent).unwrap().residual.kelvin() - 0.2).abs() < 1e-9);
    for few in [&line(1.0)[..0], &line(1.0)[..1]] {
        assert_eq!(response(few), Err(NoResponse::TooClose));
    }
    let close = [on_a_line(35.0, 14.0), on_a_line(36.9, 15.9)];
    assert_eq!(response(&close), Err(NoResponse::TooClose));
    for error in [NoResponse::TooClose, NoResponse::Impossible(1.3)] {
        assert!(error.to_string().contains("\nhint: "));
    }
}
