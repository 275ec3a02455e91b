//! What comes out of a camera is what went in, byte for byte.

use super::camera::Camera;
use super::lab::{Film, UPRIGHT, Udev, nodes, open, opened, purethermal, settings, until};
use super::model::{Model, Unit, selector};
use menshen::camera::v4l::{V4lSettings, discover};
use menshen::camera::{Camera as _, Rotation};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;
use v4l::FourCC;
use v4l::io::traits::CaptureStream;
use v4l::video::Capture;

const FRAMES: u16 = 25;

/// Takes frames, each as it was shown, each newer than the one before; says how many were left out.
fn take(camera: &mut impl menshen::camera::Camera, film: &Film, from: u16, back: Rotation) -> u16 {
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
    let left_out = take(&mut opened(&with_rows), &film, 2, Rotation::None);
    println!("160x122: {FRAMES} frames as fed, {left_out} left out between them");
}

/// The card of the camera of which the driver sends these letters at this size, raw.
fn raw_frames(card: &str, letters: [u8; 4], size: (u32, u32), mut see: impl FnMut(&[u8])) {
    let node = until("a node", || {
        discover().into_iter().find(|it| it.card.starts_with(card))
    });
    let device = v4l::Device::with_path(&node.path).unwrap();
    let format = v4l::Format::new(size.0, size.1, FourCC::new(&letters));
    let agreed = device.set_format(&format).unwrap();
    assert_eq!(
        (agreed.width, agreed.height, agreed.fourcc),
        (size.0, size.1, format.fourcc)
    );
    let kind = v4l::buffer::Type::VideoCapture;
    let mut stream = v4l::io::mmap::Stream::with_buffers(&device, kind, 4).unwrap();
    for _ in 0..FRAMES {
        let (bytes, about) = stream.next().unwrap();
        see(&bytes[..about.bytesused as usize]);
    }
}

#[test]
#[ignore = "runs in the guest"]
fn two_cameras_of_two_makes_at_once_give_each_its_own_frames() {
    let _udev = Udev::start(Duration::ZERO);
    let (_lepton, film) = purethermal("left", 3);
    let wide = Film::wide();
    let _p2_pro = Camera::plug(Model::p2_pro("right"), wide.by(4));
    std::thread::scope(|both| {
        both.spawn(|| take(&mut opened(&settings("left")), &film, 3, Rotation::None));
        both.spawn(|| {
            let mut last = None;
            raw_frames("USB Camera", *b"YUYV", (256, 384), |bytes| {
                let (by, number) = wide.shown(bytes);
                assert!(by == 4 && last < Some(number));
                last = Some(number);
            });
            println!("256x384: {FRAMES} frames as fed, the last was number {last:?}");
        });
    });
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
