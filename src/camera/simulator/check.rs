//! Refuses scenarios that cannot be, before anything is rendered.
//!
//! A typing error in a scenario must not become a strange picture that somebody then debugs in
//! the radiometry. Each refusal names the key and says which values are taken.

use super::scenario::{Blackbody, Fault, Ffc, Hair, Scenario, ScenarioError, Sensor, Visitor};
use std::ops::RangeInclusive;

/// Pixels along one side of a sensor: 80×60 (Lepton 2) to 640×512, either way up.
const SIDE: RangeInclusive<usize> = 60..=640;
/// Pixels in all.
const PIXELS: RangeInclusive<usize> = 80 * 60..=640 * 512;
/// Longest round, s: a day.
const DAY_S: f64 = 86_400.0;

/// Checks every value of a scenario.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScenarioError> {
    if scenario.name.trim().is_empty() {
        return refuse("name", "is empty; give the scenario a name");
    }
    within("duration_s", scenario.duration_s, 0.1..=DAY_S, "s")?;
    sensor(&scenario.sensor)?;
    within("room.ambient_c", scenario.room.ambient_c, 18.0..=29.0, "°C")?;
    within(
        "room.wall_gradient_k",
        scenario.room.wall_gradient_k,
        -5.0..=5.0,
        "K",
    )?;
    for (n, thing) in scenario.room.clutter.iter().enumerate() {
        let key = format!("room.clutter[{n}]");
        place(&key, thing.x, thing.y)?;
        within(
            &format!("{key}.size"),
            thing.size,
            0.01..=1.0,
            "of the picture's width",
        )?;
        if let Some(celsius) = thing.celsius {
            within(&format!("{key}.celsius"), celsius, -20.0..=150.0, "°C")?;
        }
    }
    if let Some(reference) = &scenario.blackbody {
        blackbody("blackbody", reference)?;
    }
    if let Some(reference) = &scenario.second_blackbody {
        blackbody("second_blackbody", reference)?;
    }
    within("drift.start_k", scenario.drift.start_k, -10.0..=10.0, "K")?;
    within(
        "drift.slope_k_per_min",
        scenario.drift.slope_k_per_min,
        -10.0..=10.0,
        "K a minute",
    )?;
    within("drift.walk_k", scenario.drift.walk_k, 0.0..=5.0, "K")?;
    if let Some(shutter) = &scenario.ffc {
        ffc(shutter)?;
    }
    for (n, broken) in scenario.faults.iter().enumerate() {
        fault(&format!("fault[{n}]"), broken)?;
    }
    for (n, somebody) in scenario.visitors.iter().enumerate() {
        visitor(&format!("visitor[{n}]"), somebody)?;
    }
    Ok(())
}

fn sensor(sensor: &Sensor) -> Result<(), ScenarioError> {
    let (width, height) = (sensor.width, sensor.height);
    let right =
        SIDE.contains(&width) && SIDE.contains(&height) && PIXELS.contains(&(width * height));
    if !right {
        return refuse(
            "sensor.width, sensor.height",
            &format!(
                "{width}×{height} pixels is no sensor this simulates; \
                 write a size from 80×60 to 640×512, either way up"
            ),
        );
    }
    within("sensor.fps", sensor.fps, 0.5..=60.0, "frames a second")?;
    within(
        "sensor.field_of_view_deg",
        sensor.field_of_view_deg,
        5.0..=120.0,
        "degrees across the width",
    )?;
    within("sensor.netd_k", sensor.netd_k, 0.0..=1.0, "K")?;
    within(
        "sensor.fixed_pattern_k",
        sensor.fixed_pattern_k,
        0.0..=1.0,
        "K",
    )?;
    within(
        "sensor.psf_sigma_px",
        sensor.psf_sigma_px,
        0.0..=4.0,
        "pixels",
    )?;
    within("sensor.lag", sensor.lag, 0.0..=0.9, "of the frame before")?;
    within("sensor.gain", sensor.gain, 0.5..=1.5, "K read for each K")?;
    within("sensor.height_m", sensor.height_m, 0.5..=3.0, "m")
}

fn blackbody(name: &str, reference: &Blackbody) -> Result<(), ScenarioError> {
    let key = |part: &str| format!("{name}.{part}");
    let set_point = reference.set_point_c;
    within(&key("set_point_c"), set_point, 20.0..=60.0, "°C")?;
    within(&key("emissivity"), reference.emissivity, 0.5..=1.0, "")?;
    place(name, reference.x, reference.y)?;
    within(
        &key("diameter"),
        reference.diameter,
        0.02..=0.5,
        "of the picture's width",
    )?;
    for (n, (from, to)) in reference.covered.iter().enumerate() {
        let key = key(&format!("covered[{n}]"));
        within(&key, *from, 0.0..=DAY_S, "s")?;
        within(&key, *to, 0.0..=DAY_S, "s")?;
        if to <= from {
            return refuse(&key, "ends before it begins; write [from, to] in seconds");
        }
    }
    if let Some(from) = reference.decays_from_s {
        within(&key("decays_from_s"), from, 0.0..=DAY_S, "s")?;
    }
    within(&key("decay_s"), reference.decay_s, 1.0..=DAY_S, "s")?;
    if let Some(from) = reference.removed_from_s {
        within(&key("removed_from_s"), from, 0.0..=DAY_S, "s")?;
    }
    if let Some(moved) = &reference.moved {
        within(&key("moved.at_s"), moved.at_s, 0.0..=DAY_S, "s")?;
        place(&key("moved"), moved.x, moved.y)?;
    }
    Ok(())
}

fn ffc(shutter: &Ffc) -> Result<(), ScenarioError> {
    within("ffc.first_s", shutter.first_s, 0.0..=DAY_S, "s")?;
    within("ffc.gap_s", shutter.gap_s, 0.0..=10.0, "s")?;
    within("ffc.period_s", shutter.period_s, 5.0..=DAY_S, "s")?;
    within("ffc.step_k", shutter.step_k, -5.0..=5.0, "K")?;
    within("ffc.slide_k", shutter.slide_k, -5.0..=5.0, "K")?;
    within("ffc.slide_s", shutter.slide_s, 0.1..=600.0, "s")?;
    if shutter.period_s <= shutter.gap_s {
        return refuse(
            "ffc.period_s",
            "is not longer than ffc.gap_s; make it longer",
        );
    }
    Ok(())
}

fn fault(key: &str, fault: &Fault) -> Result<(), ScenarioError> {
    match fault {
        Fault::Freeze { at_s, for_s }
        | Fault::Blank { at_s, for_s }
        | Fault::Silent { at_s, for_s } => {
            within(&format!("{key}.at_s"), *at_s, 0.0..=DAY_S, "s")?;
            within(&format!("{key}.for_s"), *for_s, 0.0..=DAY_S, "s")
        }
        Fault::ClockJump { at_s, by_s } => {
            within(&format!("{key}.at_s"), *at_s, 0.0..=DAY_S, "s")?;
            within(&format!("{key}.by_s"), *by_s, -1e9..=1e9, "s")
        }
    }
}

fn visitor(key: &str, visitor: &Visitor) -> Result<(), ScenarioError> {
    let sub = |name: &str| format!("{key}.{name}");
    within(&sub("arrive_s"), visitor.arrive_s, 0.0..=DAY_S, "s")?;
    within(&sub("walk_s"), visitor.walk_s, 0.1..=600.0, "s")?;
    within(&sub("stand_s"), visitor.stand_s, 0.0..=DAY_S, "s")?;
    within(&sub("distance_m"), visitor.distance_m, 0.2..=20.0, "m")?;
    if let Some(start) = visitor.start_distance_m {
        within(&sub("start_distance_m"), start, 0.2..=20.0, "m")?;
    }
    within(&sub("lateral_m"), visitor.lateral_m, -10.0..=10.0, "m")?;
    if let Some(stature) = visitor.stature_m {
        within(&sub("stature_m"), stature, 0.8..=2.2, "m")?;
    }
    if visitor.core_c.is_some() && visitor.face_c.is_some() {
        return refuse(
            key,
            "has both core_c and face_c; write one, the other follows from it",
        );
    }
    let on_the_head = [visitor.hat, visitor.hood, visitor.headscarf];
    if on_the_head.iter().filter(|worn| **worn).count() > 1 {
        return refuse(
            key,
            "has more than one of hat, hood and headscarf; write one",
        );
    }
    if visitor.fringe == Some(true) && visitor.hair == Some(Hair::Bald) {
        return refuse(key, "has a fringe and is bald; write another hair");
    }
    if visitor.child && visitor.beard {
        return refuse(key, "is a child with a beard; write one of the two");
    }
    if let Some(core) = visitor.core_c {
        within(&sub("core_c"), core, 30.0..=45.0, "°C")?;
    }
    if let Some(face) = visitor.face_c {
        within(&sub("face_c"), face, 28.0..=45.0, "°C")?;
    }
    within(&sub("contrast"), visitor.contrast, 0.0..=2.0, "")?;
    within(&sub("canthus_mm"), visitor.canthus_mm, 2.0..=12.0, "mm")?;
    for degrees in [visitor.yaw_deg.0, visitor.yaw_deg.1] {
        within(&sub("yaw_deg"), degrees, -180.0..=180.0, "degrees")?;
    }
    if let Some(minutes) = visitor.from_cold_min {
        within(&sub("from_cold_min"), minutes, 0.0..=120.0, "minutes")?;
    }
    Ok(())
}

fn place(key: &str, x: f64, y: f64) -> Result<(), ScenarioError> {
    within(&format!("{key}.x"), x, 0.0..=1.0, "of the picture's width")?;
    within(&format!("{key}.y"), y, 0.0..=1.0, "of the picture's height")
}

fn within(
    key: &str,
    value: f64,
    range: RangeInclusive<f64>,
    unit: &str,
) -> Result<(), ScenarioError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (from, to) = range.into_inner();
    let problem = format!("{value} is out of range; write a number from {from} to {to} {unit}");
    refuse(key, problem.trim_end())
}

fn refuse(key: &str, problem: &str) -> Result<(), ScenarioError> {
    Err(ScenarioError::Value {
        key: key.to_owned(),
        problem: problem.to_owned(),
    })
}
