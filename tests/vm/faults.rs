//! Cameras that misbehave while they stay plugged in.

use super::camera::Camera;
use super::lab::{Film, Udev, open, opened, purethermal, settings, site_camera, until};
use super::model::{Format, Model};
use menshen::camera::v4l::V4lCamera;
use menshen::camera::{Camera as _, CameraError};
use menshen::pipeline::capture::{Captured, capture};
use menshen::pipeline::slot::Taken;
use std::fs;
use std::thread;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Takes frames until the camera falls silent; what was on its way may still come.
fn until_silent(camera: &mut V4lCamera, film: &Film) {
    until("silence", || match camera.next_frame() {
        Ok(frame) => {
            film.shown_counts(&frame.unwrap().counts);
            None
        }
        Err(CameraError::Silent { .. }) => Some(()),
        Err(other) => panic!("{other}"),
    });
}

/// Takes so many frames, in order, each as it was shown.
fn good(camera: &mut V4lCamera, film: &Film, count: u32) {
    let mut last = None;
    for _ in 0..count {
        let frame = camera.next_frame().unwrap().unwrap();
        let shown = film.shown_counts(&frame.counts);
        assert!(last < Some(shown), "{last:?} {shown:?}");
        last = Some(shown);
    }
}

#[test]
#[ignore = "runs in the guest"]
fn a_camera_that_stalls_is_silent_and_goes_on_where_it_is() {
    let _udev = Udev::start(Duration::ZERO);
    let (plugged, film) = purethermal("stall", 10);
    let mut camera = opened(&settings("stall"));
    for _ in 0..2 {
        good(&mut camera, &film, 5);
        plugged.faults().stalled = true;
        until_silent(&mut camera, &film);
        let again = camera.next_frame().unwrap_err();
        assert!(matches!(again, CameraError::Silent { .. }), "{again}");
        plugged.faults().stalled = false;
    }
    good(&mut camera, &film, 5);
}

/// Against: firmware that stops sending, and a bus that is disturbed. Either needs a stream that is begun
/// anew, which nobody at the door could do.
#[test]
#[ignore = "runs in the guest"]
fn a_stream_that_ends_without_a_word_is_begun_anew_by_the_gateway_s_capture() {
    let _udev = Udev::start(Duration::ZERO);
    let (plugged, film) = purethermal("wedged", 17);
    let (captured, stop) = (Captured::default(), CancellationToken::new());
    let open = site_camera("lepton-3.5");
    thread::scope(|both| {
        both.spawn(|| capture(&open, &captured, &stop));
        // Also where this panics.
        let _stop = stop.clone().drop_guard();
        let mut last = None;
        let next = || {
            until("a frame", || {
                match captured.slot.take(Duration::from_secs(1)) {
                    Taken::Value(frame, _) => Some(frame),
                    Taken::Nothing => None,
                    Taken::Closed => panic!("capture has ended"),
                }
            })
        };
        for round in 0..4 {
            for _ in 0..5 {
                let frame = next();
                film.shown_counts(&frame.counts);
                assert!(last < Some(frame.sequence));
                last = Some(frame.sequence);
            }
            let mut faults = plugged.faults();
            if round % 2 == 0 {
                faults.wedged = true;
            } else {
                faults.broken = true;
            }
        }
        next();
    });
}

#[test]
#[ignore = "runs in the guest"]
fn a_camera_that_hangs_is_silent_lets_itself_be_closed_and_works_when_it_is_back() {
    let _udev = Udev::start(Duration::ZERO);
    let (plugged, film) = purethermal("hang", 11);
    let mut camera = opened(&settings("hang"));
    good(&mut camera, &film, 5);
    plugged.faults().hung = true;
    until_silent(&mut camera, &film);
    drop(camera);
    let why = open(&settings("hang"))
        .and_then(|mut camera| camera.next_frame().map_err(|error| error.to_string()))
        .unwrap_err();
    println!("a camera that hangs: {why}");
    plugged.faults().hung = false;
    good(&mut opened(&settings("hang")), &film, 5);
}

#[test]
#[ignore = "runs in the guest"]
fn frames_that_are_cut_flagged_or_too_long_are_never_given_out() {
    let _udev = Udev::start(Duration::ZERO);
    let (plugged, film) = purethermal("damage", 12);
    let mut camera = opened(&settings("damage"));
    good(&mut camera, &film, 3);
    for fault in ["cut", "flagged", "overlong"] {
        {
            let mut faults = plugged.faults();
            match fault {
                "cut" => faults.cut = 3,
                "flagged" => faults.flagged = 3,
                _ => faults.overlong = 3,
            }
        }
        until("damaged frames", || {
            let faults = *plugged.faults();
            good(&mut camera, &film, 1);
            (faults.cut + faults.flagged + faults.overlong == 0).then_some(())
        });
        good(&mut camera, &film, 6);
        println!("3 frames {fault}: {:?}", camera.counts());
    }
}

#[test]
#[ignore = "runs in the guest"]
fn a_camera_that_comes_back_with_other_formats_is_refused_in_words() {
    let _udev = Udev::start(Duration::ZERO);
    let (plugged, film) = purethermal("format", 13);
    good(&mut opened(&settings("format")), &film, 3);
    plugged.unplug();
    let mut other = Model::purethermal("format");
    other.formats = vec![Format {
        fourcc: *b"UYVY",
        sizes: vec![(160, 120)],
    }];
    let plugged = Camera::plug(other, film.by(14));
    let why = until("a refusal", || {
        open(&settings("format"))
            .err()
            .filter(|it| it.contains("UYVY"))
    });
    assert!(why.contains("no 16-bit pictures"), "{why}");
    plugged.unplug();
    let mut larger = Model::purethermal("format");
    larger.formats[1].sizes = vec![(80, 60)];
    let _plugged = Camera::plug(larger, film.by(15));
    let asked = menshen::camera::v4l::V4lSettings {
        size: Some((160, 120)),
        ..settings("format")
    };
    let why = until("a refusal", || {
        open(&asked).err().filter(|it| it.contains("80×60"))
    });
    assert!(why.contains("160×120"), "{why}");
}

#[test]
#[ignore = "runs in the guest"]
fn a_device_that_the_system_resets_is_gone_and_comes_back() {
    let _udev = Udev::start(Duration::ZERO);
    let (_plugged, film) = purethermal("reset", 16);
    let mut camera = opened(&settings("reset"));
    good(&mut camera, &film, 3);
    // The file that takes a device from its driver, and gives it back.
    let devices = fs::read_dir("/sys/bus/usb/devices").unwrap().flatten();
    let authorized = devices
        .map(|device| device.path())
        .find(|device| {
            fs::read_to_string(device.join("serial")).is_ok_and(|it| it.trim() == "reset")
        })
        .unwrap()
        .join("authorized");
    fs::write(&authorized, "0").unwrap();
    let lost = until("the loss", || camera.next_frame().err());
    assert!(matches!(lost, CameraError::Unplugged { .. }), "{lost}");
    drop(camera);
    fs::write(&authorized, "1").unwrap();
    good(&mut opened(&settings("reset")), &film, 5);
}
