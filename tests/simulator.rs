//! The simulated camera against what it says of itself: same seed, same frames; temperatures as
//! configured; faults as configured.

#![expect(
    clippy::panic,
    reason = "a helper of a test says what is wrong by panicking"
)]

use menshen::camera::simulator::{Facing, FrameTruth, Scenario, Simulator, builtin, builtin_names};
use menshen::camera::{Camera, CameraError};
use menshen::clock::{BootId, WallTime};
use menshen::thermal::RawFrame;
use menshen::thermal::radiometry::{CountScale, Emissivity};
use menshen::units::{Celsius, PixelBox, PixelPoint};
use ndarray::Array2;
use std::hash::{DefaultHasher, Hash, Hasher};

fn scenario(text: &str) -> Scenario {
    Scenario::from_toml(&format!("name = \"test\"\n{text}")).unwrap_or_else(|e| panic!("{e}"))
}

fn camera(scenario: Scenario) -> Simulator {
    Simulator::new(scenario, BootId(1), WallTime(1_582_500_000_000))
}

/// All frames with their truths; a silent second counts as nothing.
fn play(scenario: Scenario) -> Vec<(RawFrame, FrameTruth)> {
    let mut camera = camera(scenario);
    let mut frames = Vec::new();
    loop {
        match camera.next_with_truth() {
            Ok(Some(both)) => frames.push(both),
            Ok(None) => return frames,
            Err(CameraError::Silent { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

fn hash(frames: &[(RawFrame, FrameTruth)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (frame, _) in frames {
        for count in &frame.counts {
            count.hash(&mut hasher);
        }
    }
    hasher.finish()
}

fn celsius(frame: &RawFrame) -> Array2<f32> {
    frame.counts.mapv(|c| CountScale::CentiKelvin.celsius(c))
}

/// The warmest mean of 3×3 pixels inside a box.
fn warmest(picture: &Array2<f32>, area: PixelBox) -> f64 {
    let area = area.clipped(picture.ncols(), picture.nrows());
    let mut best = f64::NEG_INFINITY;
    for y in area.top as usize + 1..(area.bottom as usize).saturating_sub(1) {
        for x in area.left as usize + 1..(area.right as usize).saturating_sub(1) {
            let patch = picture.slice(ndarray::s![y - 1..=y + 1, x - 1..=x + 1]);
            best = best.max(f64::from(patch.sum()) / 9.0);
        }
    }
    best
}

const ONE_VISITOR: &str = "
    duration_s = 3.0
    [blackbody]
    set_point_c = 37.0
    emissivity = 0.97
    x = 0.16
    y = 0.84
    [[visitor]]
    arrive_s = 0.0
    walk_s = 0.5
    distance_m = 0.7
    core_c = 36.6
";

#[test]
fn the_same_seed_gives_the_same_frames_and_another_seed_others() {
    let once = hash(&play(scenario(ONE_VISITOR)));
    assert_eq!(once, hash(&play(scenario(ONE_VISITOR))));
    assert_ne!(once, hash(&play(scenario(ONE_VISITOR).with_seed(2))));
}

#[test]
fn rounds_repeat_with_other_people_and_growing_time() {
    let mut camera = camera(scenario(ONE_VISITOR).repeated(true));
    let frames: Vec<_> = (0..60)
        .map(|_| camera.next_with_truth().unwrap().unwrap())
        .collect();
    assert_ne!(frames[20].0.counts, frames[47].0.counts);
    assert_ne!(frames[20].1.people[0].id, frames[47].1.people[0].id);
    for pair in frames.windows(2) {
        assert!(pair[0].0.stamp.monotonic < pair[1].0.stamp.monotonic);
        assert_eq!(pair[0].0.sequence + 1, pair[1].0.sequence);
    }
}

#[test]
fn every_builtin_scenario_gives_frames_of_its_size() {
    for name in builtin_names() {
        let mut camera = camera(builtin(name).unwrap());
        for _ in 0..12 {
            let frame = camera.next_frame().unwrap().unwrap();
            let info = camera.info();
            assert_eq!(frame.counts.dim(), (info.height, info.width), "{name}");
            let truth = camera.truth_of_last_frame().unwrap();
            assert_eq!(truth.sequence, frame.sequence, "{name}");
        }
    }
}

#[test]
fn every_size_of_sensor_works() {
    for (width, height) in [
        (80, 60),
        (60, 80),
        (160, 120),
        (256, 192),
        (384, 288),
        (640, 512),
    ] {
        let wanted = scenario(ONE_VISITOR).with_size(width, height).unwrap();
        let frame = camera(wanted).next_frame().unwrap().unwrap();
        assert_eq!(frame.counts.dim(), (height, width));
    }
}

#[test]
fn the_blackbody_reads_its_apparent_set_point() {
    let mut worst: f64 = 0.0;
    for (frame, truth) in play(scenario(ONE_VISITOR)) {
        let reference = truth.blackbody.unwrap();
        let picture = celsius(&frame);
        let inside: Vec<f64> = picture
            .indexed_iter()
            .filter(|((y, x), _)| {
                let dx = *x as f32 + 0.5 - reference.centre.x;
                let dy = *y as f32 + 0.5 - reference.centre.y;
                dx.hypot(dy) < reference.radius * 0.6
            })
            .map(|(_, c)| f64::from(*c))
            .collect();
        assert!(inside.len() > 30);
        let mean = inside.iter().sum::<f64>() / inside.len() as f64;
        worst = worst.max((mean - truth.offset_k - reference.apparent_c).abs());
    }
    // About 40 pixels of 0.05 K each, and the columns' pattern.
    assert!(worst < 0.04, "{worst}");
    let apparent = Emissivity::new(0.97)
        .unwrap()
        .apparent(Celsius::literal(37.0), Celsius::literal(22.0));
    let truth = play(scenario(ONE_VISITOR)).remove(0).1.blackbody.unwrap();
    assert!((truth.apparent_c - apparent.degrees()).abs() < 1e-9);
}

#[test]
fn the_box_holds_the_warm_face_and_the_points() {
    let mut judged = 0;
    for (frame, truth) in play(builtin("group").unwrap()).into_iter().step_by(9) {
        let picture = celsius(&frame);
        for person in truth.people {
            if person.facing != Facing::Camera || person.visible < 0.95 || person.mask {
                continue;
            }
            judged += 1;
            let area = person.area;
            let (cols, rows) = (area.left as usize..area.right as usize, {
                area.top as usize..area.bottom as usize
            });
            let inside = picture.slice(ndarray::s![rows, cols]).to_owned();
            let warm = inside
                .iter()
                .filter(|c| f64::from(**c) - truth.offset_k > truth.ambient_c + 6.0);
            let share = warm.count() as f64 / inside.len() as f64;
            assert!(share > 0.72, "{share} of the box is warm");
            // Close above the box there is hair, close beside it no face.
            let points = person.landmarks.unwrap();
            for point in [
                points.left_eye,
                points.right_eye,
                points.nose,
                points.left_mouth,
                points.right_mouth,
            ] {
                assert!(point.x > area.left && point.x < area.right);
                assert!(point.y > area.top && point.y < area.bottom);
            }
            assert!(points.left_eye.x < points.right_eye.x);
            assert!(points.left_eye.y < points.nose.y && points.nose.y < points.left_mouth.y);
        }
    }
    assert!(judged > 20, "{judged}");
}

/// Somebody stands there with the head turned by so many degrees, without noise or blur, seen by
/// a sensor that makes a face some 80 pixels wide.
fn turned(yaw_deg: f64, looks: &str) -> Vec<(RawFrame, FrameTruth)> {
    play(scenario(&format!(
        "duration_s = 14.0
        [sensor]
        width = 384
        height = 288
        field_of_view_deg = 40.0
        fps = 1.0
        netd_k = 0.0
        fixed_pattern_k = 0.0
        psf_sigma_px = 0.0
        lag = 0.0
        [[visitor]]
        arrive_s = 0.0
        walk_s = 0.1
        stand_s = 13.5
        stature_m = 1.7
        distance_m = 1.0
        face_c = 35.5
        yaw_deg = [{yaw_deg:.1}, {yaw_deg:.1}]
        {looks}"
    )))
}

/// The middle of what is within 0.03 K of the warmest pixel at most so far from a place.
fn warmest_spot(picture: &Array2<f32>, place: PixelPoint, reach: f32) -> PixelPoint {
    let around: Vec<(f32, f32, f32)> = picture
        .indexed_iter()
        .map(|((y, x), celsius)| (x as f32 + 0.5, y as f32 + 0.5, *celsius))
        .filter(|(x, y, _)| (x - place.x).hypot(y - place.y) < reach)
        .collect();
    let most = around.iter().map(|spot| spot.2).fold(0.0, f32::max);
    let warm: Vec<_> = around.iter().filter(|spot| spot.2 > most - 0.03).collect();
    let count = warm.len() as f32;
    PixelPoint {
        x: warm.iter().map(|spot| spot.0).sum::<f32>() / count,
        y: warm.iter().map(|spot| spot.1).sum::<f32>() / count,
    }
}

#[test]
fn the_points_lie_where_the_picture_shows_them() {
    for yaw in [0.0, 20.0, -20.0, 40.0, -40.0] {
        let mut canthi = 0;
        let (mut nods, mut leans) = (0.0_f32, 0.0_f32);
        for (frame, truth) in play_standing(turned(yaw, "hair = \"short\"\nfringe = false")) {
            let picture = celsius(&frame);
            let person = &truth.people[0];
            let width = person.head.width();
            assert!((f64::from(person.yaw_deg) - yaw).abs() < 0.5, "{person:?}");
            nods = nods.max(person.pitch_deg.abs());
            leans = leans.max(person.roll_deg.abs());
            for canthus in person.canthi.into_iter().flatten() {
                canthi += 1;
                let warmest = warmest_spot(&picture, canthus, 0.06 * width);
                let off = (warmest.x - canthus.x).hypot(warmest.y - canthus.y) / width;
                assert!(off < 0.015, "at {yaw}: {canthus:?}, warmest {warmest:?}");
            }
            // The tip of the nose is the coldest of the skin around it.
            let points = person.landmarks.unwrap();
            let cold = picture.mapv(|celsius| 100.0 - celsius);
            let coldest = warmest_spot(&cold, points.nose, 0.07 * width);
            let off = (coldest.x - points.nose.x).hypot(coldest.y - points.nose.y) / width;
            assert!(yaw.abs() > 30.0 || off < 0.05, "at {yaw}: {coldest:?}");
            assert!(!person.brow && person.forehead > 0.9, "{person:?}");
        }
        // Turned far, the bridge of the nose may hide the farther one.
        let frames = if yaw.abs() > 30.0 { 12 } else { 24 };
        assert!(canthi >= frames, "{canthi} canthi at {yaw}");
        assert!(nods > 1.0 && leans > 0.5, "{nods} {leans}");
    }
}

/// The frames in which the visitor stands still.
fn play_standing(frames: Vec<(RawFrame, FrameTruth)>) -> Vec<(RawFrame, FrameTruth)> {
    frames.into_iter().skip(1).take(12).collect()
}

#[test]
fn what_covers_the_forehead_is_said_and_seen() {
    let look = |looks: &str| {
        let (frame, truth) = play_standing(turned(0.0, looks)).swap_remove(0);
        let person = truth.people[0].clone();
        let place = person.landmarks.unwrap().forehead;
        let there = celsius(&frame)[[place.y as usize, place.x as usize]];
        (person, f64::from(there))
    };
    for (looks, covered) in [
        ("hat = true", true),
        ("hood = true\nhair = \"bald\"", true),
        ("hair = \"long\"\nfringe = true", true),
        ("headscarf = true", false),
    ] {
        let (person, there) = look(looks);
        assert_eq!(person.brow, covered, "{looks}");
        assert_eq!(there < person.face_c - 2.5, covered, "{looks}: {there}");
        assert_eq!(person.forehead < 0.5, covered, "{looks}: {person:?}");
        // Whatever is worn on the head covers hair and ears, not the eyes.
        assert!(person.canthi.iter().all(Option::is_some), "{looks}");
    }
    let (child, there) = look("child = true\nhair = \"bald\"");
    let (adult, _) = look("hair = \"bald\"");
    assert!(!child.brow && there > child.face_c - 2.5);
    let shape = |area: PixelBox| area.height() / area.width();
    assert!(child.head.width() < 0.97 * adult.head.width());
    assert!(shape(child.area) < 0.95 * shape(adult.area));
}

#[test]
fn a_big_face_reads_its_true_apparent_temperature() {
    for (face_c, ambient_c) in [(33.0, 19.0), (35.4, 22.0), (38.5, 22.0), (41.0, 28.0)] {
        let text = format!(
            "duration_s = 2.5
            [sensor]
            width = 640
            height = 512
            field_of_view_deg = 25.0
            [room]
            ambient_c = {ambient_c:.1}
            [drift]
            start_k = -3.2
            slope_k_per_min = 0.5
            [[visitor]]
            arrive_s = 0.0
            walk_s = 0.2
            distance_m = 1.0
            stature_m = 1.7
            face_c = {face_c:.1}"
        );
        let (surface, room) = (
            Celsius::new(face_c).unwrap(),
            Celsius::new(ambient_c).unwrap(),
        );
        let expected = Emissivity::SKIN.apparent(surface, room).degrees();
        let (frame, truth) = play(scenario(&text)).swap_remove(16);
        assert!((truth.people[0].face_c - face_c).abs() < 1e-4);
        let read = warmest(&celsius(&frame), truth.people[0].area) - truth.offset_k;
        assert!(
            (read - expected).abs() < 0.15,
            "{face_c}: {read} for {expected}"
        );
    }
}

#[test]
fn noise_is_as_configured() {
    for netd in [0.03, 0.08] {
        let text = format!(
            "duration_s = 12.0
            [sensor]
            width = 80
            height = 60
            fps = 10.0
            netd_k = {netd}"
        );
        let frames: Vec<_> = play(scenario(&text))
            .iter()
            .map(|(f, _)| celsius(f))
            .collect();
        let count = frames.len() as f64;
        let mut variance = 0.0;
        for y in 0..60 {
            for x in 0..80 {
                let values = || frames.iter().map(|f| f64::from(f[[y, x]]));
                let mean = values().sum::<f64>() / count;
                variance += values().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
            }
        }
        let found = (variance / 4800.0).sqrt();
        assert!((found / netd - 1.0).abs() < 0.05, "{found} for {netd}");
    }
}

#[test]
fn the_shutter_stops_the_stream_and_steps_the_level() {
    let frames = play(scenario(
        "duration_s = 20.0
        [sensor]
        fps = 10.0
        [ffc]
        first_s = 5.0
        gap_s = 2.0
        step_k = 0.6
        slide_k = -0.8
        slide_s = 10.0",
    ));
    let gap = frames
        .windows(2)
        .position(|pair| {
            let step = pair[1].0.stamp.since(&pair[0].0.stamp).unwrap();
            step.as_secs_f64() > 0.15
        })
        .unwrap();
    let (before, after) = (&frames[gap], &frames[gap + 1]);
    let length = after.0.stamp.since(&before.0.stamp).unwrap().as_secs_f64();
    assert!((2.0..2.2).contains(&length), "{length}");
    assert_eq!(before.0.telemetry.last_ffc, None);
    assert_eq!(after.0.telemetry.last_ffc.unwrap().as_secs_f64(), 5.0);
    let mean = |frame: &RawFrame| f64::from(celsius(frame).mean().unwrap());
    let step = mean(&after.0) - mean(&before.0);
    assert!((step - 0.6).abs() < 0.02, "{step}");
    let slid = mean(&frames[frames.len() - 1].0) - mean(&after.0);
    assert!((slid + 0.8 * 0.98).abs() < 0.03, "{slid}");
}

#[test]
fn faults_come_as_configured() {
    let mut camera = camera(builtin("faults").unwrap());
    let (mut frames, mut silent) = (Vec::new(), 0);
    loop {
        match camera.next_with_truth() {
            Ok(Some(both)) => frames.push(both),
            Ok(None) => break,
            Err(CameraError::Silent { milliseconds, .. }) => {
                assert_eq!(milliseconds, 1000);
                silent += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(silent, 5);
    let at = |s: f64| {
        let found = frames
            .iter()
            .find(|(f, _)| f.stamp.monotonic.as_secs_f64() >= s);
        found.unwrap()
    };
    assert_eq!(at(11.0).0.counts, at(15.0).0.counts);
    assert_eq!(at(11.0).1.fault, Some("frozen"));
    assert_ne!(at(17.0).0.counts, at(18.0).0.counts);
    assert!(at(23.0).0.counts.iter().all(|&c| c == 0));
    assert_eq!(at(23.0).1.fault, Some("blank"));
    let wall = at(47.0).0.stamp.wall.0 - at(45.0).0.stamp.wall.0;
    assert!((wall + 3_600_000 - 2_000).abs() < 200, "{wall}");
    for pair in frames.windows(2) {
        assert!(pair[1].0.stamp.since(&pair[0].0.stamp).is_some());
    }
}

#[test]
fn the_reference_is_covered_and_moved_as_configured() {
    let frames = play(builtin("reference_covered").unwrap());
    let at = |s: f64| {
        let found = frames
            .iter()
            .find(|(f, _)| f.stamp.monotonic.as_secs_f64() >= s);
        found
            .map(|(f, t)| (celsius(f), t.blackbody.unwrap(), t.offset_k))
            .unwrap()
    };
    let reading = |(picture, truth, offset): (Array2<f32>, _, f64)| -> f64 {
        let truth: menshen::camera::simulator::BlackbodyTruth = truth;
        f64::from(picture[[truth.centre.y as usize, truth.centre.x as usize]]) - offset
    };
    assert!((reading(at(5.0)) - 37.0).abs() < 0.3);
    assert!(at(15.0).1.covered && reading(at(15.0)) < 25.0);
    let there = at(5.0).1.centre;
    assert!((at(40.0).1.centre.x - there.x).abs() > 10.0);
    assert!((reading(at(40.0)) - 37.0).abs() < 0.3);
}

#[test]
fn the_sweep_is_linear_in_the_true_temperature() {
    let mut read = std::collections::BTreeMap::new();
    for (frame, truth) in play(builtin("sweep").unwrap()).into_iter().step_by(3) {
        let Some(person) = truth.people.last() else {
            continue;
        };
        if person.visible > 0.99 && person.facing == Facing::Camera {
            let reading = warmest(&celsius(&frame), person.area) - truth.offset_k;
            let key = (person.face_c * 10.0).round() as i64;
            read.entry(key).or_insert_with(Vec::new).push(reading);
        }
    }
    let means: Vec<(f64, f64)> = read
        .iter()
        .map(|(key, all)| {
            (
                *key as f64 / 10.0,
                all.iter().sum::<f64>() / all.len() as f64,
            )
        })
        .collect();
    assert_eq!(means.len(), 17);
    for pair in means.windows(2) {
        let slope = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
        assert!((slope - 0.98).abs() < 0.15, "{pair:?}");
    }
    let (first, last) = (means[0], means[16]);
    let slope = (last.1 - first.1) / (last.0 - first.0);
    assert!((0.96..1.01).contains(&slope), "{slope}");
}

#[test]
fn somebody_in_front_hides_who_is_behind() {
    let frames = play(scenario(
        "duration_s = 4.0
        [[visitor]]
        arrive_s = 0.0
        walk_s = 0.2
        stand_s = 4.0
        distance_m = 0.6
        stature_m = 1.8
        [[visitor]]
        arrive_s = 0.0
        walk_s = 0.2
        stand_s = 4.0
        distance_m = 1.6
        stature_m = 1.62",
    ));
    for person in frames.iter().flat_map(|(_, truth)| &truth.people) {
        assert!((0.0..=1.0).contains(&person.visible), "{person:?}");
    }
    let people = &frames[20].1.people;
    assert_eq!(people.len(), 2);
    assert!(people[0].distance_m > people[1].distance_m);
    assert!(
        people[0].visible < 0.2 && people[1].visible > 0.9,
        "{people:?}"
    );
}

#[test]
fn broken_scenarios_say_what_to_do() {
    let error = |text: &str| {
        let whole = format!("name = \"test\"\n{text}");
        Scenario::from_toml(&whole).unwrap_err().to_string()
    };
    for (text, wanted) in [
        ("duration_s = 5.0\nambiance = 3", "unknown field `ambiance`"),
        (
            "duration_s = 5.0\n[sensor]\nnetd = 0.1",
            "unknown field `netd`",
        ),
        (
            "duration_s = -1.0",
            "duration_s: -1 is out of range; write a number from 0.1",
        ),
        (
            "duration_s = 5.0\n[sensor]\nwidth = 50\nheight = 50",
            "50×50 pixels is no sensor",
        ),
        (
            "duration_s = 5.0\n[sensor]\nwidth = 4000\nheight = 3000",
            "from 80×60 to 640×512",
        ),
        (
            "duration_s = 5.0\n[room]\nambient_c = 45.0",
            "room.ambient_c: 45 is out of range",
        ),
        (
            "duration_s = 5.0\n[[visitor]]\narrive_s = -2.0",
            "visitor[0].arrive_s: -2 is out of",
        ),
        (
            "duration_s = 5.0\n[[visitor]]\narrive_s = 1.0\ncore_c = 37.0\nface_c = 36.0",
            "both core_c and face_c",
        ),
        (
            "duration_s = 5.0\n[[visitor]]\narrive_s = 1.0\nhat = true\nhood = true",
            "visitor[0]: has more than one of hat, hood and headscarf",
        ),
        (
            "duration_s = 5.0\n[[visitor]]\narrive_s = 1.0\nhair = \"bald\"\nfringe = true",
            "visitor[0]: has a fringe and is bald",
        ),
        (
            "duration_s = 5.0\n[[visitor]]\narrive_s = 1.0\nchild = true\nbeard = true",
            "visitor[0]: is a child with a beard",
        ),
        (
            "duration_s = 5.0\n[[visitor]]\narrive_s = nan",
            "visitor[0].arrive_s: NaN is out of",
        ),
        (
            "duration_s = 5.0\n[[fault]]\nkind = \"fire\"\nat_s = 1.0",
            "unknown variant `fire`",
        ),
        (
            "duration_s = 5.0\n[blackbody]\nset_point_c = 37.0\nx = 0.1\ny = 0.1\ncovered = [[3.0, 2.0]]",
            "ends before it begins",
        ),
    ] {
        let said = error(text);
        assert!(said.contains(wanted), "{text:?} says {said:?}");
    }
}

#[test]
fn truth_is_written_and_read_back() {
    let (_, mut truth) = play(builtin("group").unwrap()).swap_remove(60);
    for person in &mut truth.people {
        // JSON is read to the last bit but one; these are written exactly.
        (person.face_c, person.core_c) = (35.25, 36.5);
    }
    let wire = menshen::camera::simulator::WireTruth::from(&truth);
    let line = serde_json::to_string(&wire).unwrap();
    assert!(!line.contains('\n'));
    let back: menshen::camera::simulator::WireTruth = serde_json::from_str(&line).unwrap();
    assert_eq!(back, wire);
    assert_eq!(back.people.len(), 3);
}
