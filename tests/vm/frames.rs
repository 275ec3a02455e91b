//! What comes out of a camera is what went in, byte for byte.

use super::camera::{Asked, Camera};
use super::lab::{
    Film, UPRIGHT, Udev, nodes, open, opened, purethermal, settings, site_camera, until,
};
use super::model::{Model, Unit, selector};
use menshen::camera::v4l::{V4lSettings, discover};
use menshen::camera::{Camera as _, Rotation};
use menshen::thermal::ffc::FfcOrder;
use menshen::units::Celsius;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const FRAMES: u16 = 25;

/// Takes frames, each as it was shown, each newer than the one before; says how many were left out.
fn take(camera: &mut dyn menshen::camera::Camera, film: &Film, from: u16, back: Rotation) -> u16 {
    let mut last = None;
    let mut left_out = 0;
    for _ in 0..FRAMES {
        let frame = camera.next_frame().unwrap().unwrap();
        let (by, number) = film.shown_counts(&back.turn(frame.counts));
        assert_eq!(by, from);
        if let Some((before, sequence)) = last {
            assert!(number > before && frame.sequence > sequence);
            left_out += number - before - 1;
        }
        last = Some((number, frame.sequence));
    }
    left_out
}

#[test]
#[ignore = "runs in the guest"]
fn a_purethermal_is_found_and_its_frames_are_those_that_were_fed() {
    let _udev = Udev::start(Duration::ZERO);
    let (_camera, film) = purethermal("one", 1);
    let found = until("the camera and its link", || {
        discover().into_iter().find(|it| it.by_id.is_some())
    });
    let link = Model::purethermal("one").link();
    assert_eq!(found.by_id.as_deref().unwrap().to_str(), Some(&*link));
    assert_eq!(found.driver, "uvcvideo");
    assert!(found.card.starts_with("PureThermal (fw:v1.3.0)") && found.has_y16());
    // Its second node, for metadata, is no camera.
    assert_eq!(discover().len(), 1);

    let plain = V4lSettings {
        size: Some((160, 120)),
        ..settings("one")
    };
    let left_out = take(&mut opened(&plain), &film, 1, Rotation::None);
    println!("160x120: {FRAMES} frames as fed, {left_out} left out between them");
    let upright = V4lSettings {
        rotation: UPRIGHT,
        ..plain
    };
    take(&mut opened(&upright), &film, 1, Rotation::Clockwise270);
}

#[test]
#[ignore = "runs in the guest"]
fn the_picture_above_the_telemetry_is_the_one_that_was_fed() {
    let _udev = Udev::start(Duration::ZERO);
    let (_camera, film) = purethermal("telemetry", 2);
    let with_rows = V4lSettings {
        size: Some((160, 122)),
        ..settings("telemetry")
    };
    let mut camera = opened(&with_rows);
    let left_out = take(&mut camera, &film, 2, Rotation::None);
    println!("160x122: {FRAMES} frames as fed, {left_out} left out between them");
    let frame = camera.next_frame().unwrap().unwrap();
    let (_, number) = film.shown_counts(&frame.counts);
    let said = frame.telemetry;
    assert_eq!(said.frame, Some(3 * u32::from(number)));
    assert_eq!(said.last_ffc, Some(Duration::from_secs(20)));
    assert_eq!(said.shutter_closed, Some(false));
    let celsius = |it: Option<Celsius>| it.map(|it| format!("{:.2}", it.degrees()));
    assert_eq!(celsius(said.fpa).as_deref(), Some("32.00"));
    assert_eq!(celsius(said.housing).as_deref(), Some("28.50"));
}

/// The camera of a site of this profile, as soon as it can be opened.
fn of_site(profile: &str) -> Box<dyn menshen::camera::Camera> {
    let open = site_camera(profile);
    until(&format!("opening a {profile}"), || open().ok())
}

#[test]
#[ignore = "runs in the guest"]
fn each_profile_finds_its_camera_and_its_frames_are_those_that_were_fed() {
    let _udev = Udev::start(Duration::ZERO);
    for (number, profile, model, film) in [
        (31, "lepton-3.5", Model::purethermal("a"), Film::door()),
        (32, "lepton-2.5", Model::lepton_2_5("b"), Film::small()),
        (33, "infiray-p2-pro", Model::p2_pro("c"), Film::halves()),
        (34, "topdon-tc002c", Model::tc002c("d"), Film::bands()),
    ] {
        let plugged = Camera::plug(model, film.by(number));
        let listed = until("the list of cameras", || {
            let listed = Command::new(env!("CARGO_BIN_EXE_menshen"))
                .args(["cameras", "--json"])
                .output()
                .unwrap();
            let line: Value = serde_json::from_slice(&listed.stdout).ok()?;
            (line["by_id"] != Value::Null).then_some(line)
        });
        assert_eq!(listed["profiles"], json!([profile]), "{listed}");
        let mut camera = of_site(profile);
        let left_out = take(camera.as_mut(), &film, number, Rotation::None);
        let info = camera.info();
        println!(
            "{profile}: {FRAMES} frames of {}×{} as fed, {left_out} left out between them",
            info.width, info.height
        );
        drop(camera);
        plugged.unplug();
    }
}

#[test]
#[ignore = "runs in the guest"]
fn two_cameras_of_two_makes_at_once_give_each_its_own_frames() {
    let _udev = Udev::start(Duration::ZERO);
    let (_lepton, film) = purethermal("left", 3);
    let wide = Film::halves();
    let _p2_pro = Camera::plug(Model::p2_pro("right"), wide.by(4));
    std::thread::scope(|both| {
        both.spawn(|| take(&mut opened(&settings("left")), &film, 3, Rotation::None));
        both.spawn(|| take(of_site("infiray-p2-pro").as_mut(), &wide, 4, Rotation::None));
    });
}

#[test]
#[ignore = "runs in the guest"]
fn a_lepton_is_told_what_to_send_and_when_to_close_its_shutter_and_then_left_to_itself() {
    const SYS: u8 = 6;
    const RAD: u8 = 5;
    let _udev = Udev::start(Duration::ZERO);
    let film = Film::door();
    let mut model = Model::purethermal("told");
    // No temperatures, and the range for hot scenes.
    *model.value(RAD, 0xc0) = vec![0; 4];
    *model.value(SYS, 0x48) = vec![1, 0, 0, 0];
    let automatic = model.value(SYS, 0x3c).clone();
    let mut manual = automatic.clone();
    manual[0] = 0;
    let plugged = Camera::plug(model, film.by(7));
    let told = |unit, command, value: &[u8]| Asked {
        unit,
        selector: selector(command),
        value: value.to_vec(),
    };
    let mut expected = vec![
        told(RAD, 0xc0, &[1, 0, 0, 0]),
        told(SYS, 0x48, &[0; 4]),
        told(SYS, 0x3c, &manual),
    ];
    // As the gateway has it: behind all that stands before a camera there.
    let mut camera = of_site("lepton-3.5");
    take(camera.as_mut(), &film, 7, Rotation::None);
    assert_eq!(plugged.asked(), expected);
    camera.shutter(FfcOrder::Run);
    expected.push(told(SYS, 0x42, &[0]));
    assert_eq!(plugged.asked(), expected);
    take(camera.as_mut(), &film, 7, Rotation::None);
    drop(camera);
    expected.push(told(SYS, 0x3c, &automatic));
    assert_eq!(plugged.asked(), expected);
}

#[test]
#[ignore = "runs in the guest"]
fn a_camera_with_units_that_nobody_knows_or_none_gives_frames() {
    let _udev = Udev::start(Duration::ZERO);
    let film = Film::door();
    let mut strange = Model::purethermal("strange");
    strange.units = (3..40)
        .map(|id| Unit {
            id,
            guid: [id; 16],
            controls: BTreeMap::from([(selector(0x42), vec![0; 3])]),
        })
        .collect();
    let bare = Model {
        units: Vec::new(),
        ..Model::purethermal("bare")
    };
    for model in [strange, bare] {
        let serial = model.serial.clone();
        let camera = Camera::plug(model, film.by(5));
        take(&mut opened(&settings(&serial)), &film, 5, Rotation::None);
        // Who knows what a control of another maker does?
        assert_eq!(camera.asked(), []);
    }
}

#[test]
#[ignore = "runs in the guest"]
fn a_camera_that_another_program_uses_is_busy_until_it_is_let_go() {
    let _udev = Udev::start(Duration::ZERO);
    let (_camera, film) = purethermal("busy", 6);
    let mut first = opened(&settings("busy"));
    let why = open(&settings("busy")).unwrap_err();
    assert!(why.contains("another program uses it"), "{why}");
    // The first does not notice.
    take(&mut first, &film, 6, Rotation::None);
    drop(first);
    take(&mut opened(&settings("busy")), &film, 6, Rotation::None);
}

#[test]
#[ignore = "runs in the guest"]
fn a_link_that_leads_to_another_camera_is_not_followed() {
    let udev = Udev::start(Duration::ZERO);
    let (_plugged, _) = purethermal("other", 41);
    drop(opened(&settings("other")));
    let (_, node) = nodes().remove(0);
    // From here the links stay as they are.
    drop(udev);
    let stale = PathBuf::from(Model::purethermal("mine").link());
    fs::create_dir_all(stale.parent().unwrap()).unwrap();
    symlink(&node, &stale).unwrap();
    let refused = open(&settings("mine")).unwrap_err();
    assert!(
        refused.contains("the link of another camera") && refused.contains("other"),
        "{refused}"
    );
    // By its node it is who it is.
    let by_node = V4lSettings {
        device: Some(node),
        ..settings("mine")
    };
    opened(&by_node).next_frame().unwrap().unwrap();
    fs::remove_file(stale).unwrap();
}
