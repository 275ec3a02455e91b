//! Capture with a camera made of frames, and one that fails.

use super::*;
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::pipeline::slot::Taken;
use crate::thermal::Telemetry;
use crate::thermal::ffc::FfcOrder;
use crate::thermal::radiometry::CountScale;
use ndarray::Array2;
use std::collections::VecDeque;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn stamp(milliseconds: u64) -> Stamp {
    Stamp {
        boot: BootId(1),
        monotonic: Duration::from_millis(milliseconds),
        wall: WallTime(milliseconds.cast_signed()),
        trust: ClockTrust::Unsynchronised,
    }
}

/// A camera of frames made beforehand.
struct Film {
    info: CameraInfo,
    frames: VecDeque<Result<RawFrame, CameraError>>,
}

impl Film {
    fn new(frames: Vec<Result<RawFrame, CameraError>>) -> Self {
        let info = CameraInfo {
            name: "film".to_owned(),
            width: 2,
            height: 2,
            fps: 9.0,
            scale: CountScale::CentiKelvin,
        };
        Self {
            info,
            frames: frames.into(),
        }
    }
}

impl Camera for Film {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        self.frames.pop_front().transpose()
    }

    fn damaged(&self) -> u64 {
        0
    }

    fn shutter(&mut self, _: FfcOrder) {}
}

fn raw(sequence: u64, milliseconds: u64) -> RawFrame {
    RawFrame {
        stamp: stamp(milliseconds),
        sequence,
        counts: Array2::zeros((2, 2)),
        telemetry: Telemetry::default(),
    }
}

fn unplugged() -> CameraError {
    CameraError::Unplugged {
        device: "film".to_owned(),
    }
}

/// Opens the films one after the other; without one, it cannot be opened.
fn films(films: Vec<Option<Vec<Result<RawFrame, CameraError>>>>) -> (OpenCamera, Arc<AtomicU32>) {
    let films = Mutex::new(VecDeque::from(films));
    let opened = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&opened);
    let open: OpenCamera = Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let film = films.lock().unwrap().pop_front().flatten();
        match film {
            Some(frames) => Ok(Box::new(Film::new(frames))),
            None => Err(unplugged()),
        }
    });
    (open, opened)
}

fn run_to_its_end(open: &OpenCamera) -> Captured {
    let captured = Captured::default();
    capture(open, &captured, &CancellationToken::new());
    captured
}

#[test]
fn a_camera_that_cannot_be_opened_at_first_is_opened_later() {
    let silent = CameraError::Silent {
        device: "film".to_owned(),
        milliseconds: 1,
    };
    let film = vec![Ok(raw(1, 0)), Err(silent), Ok(raw(2, 111))];
    let (open, opened) = films(vec![None, None, Some(film)]);
    let captured = run_to_its_end(&open);
    assert_eq!(opened.load(Ordering::SeqCst), 3);
    assert_eq!(captured.info().unwrap().name, "film");
    // Both frames came, silence between them notwithstanding; the latest one won.
    assert_eq!(
        captured.slot.take(Duration::ZERO),
        Taken::Value(raw(2, 111), 1)
    );
    assert_eq!(captured.slot.take(Duration::ZERO), Taken::Closed);
}

#[test]
fn a_camera_that_is_unplugged_is_opened_anew_and_its_frames_are_counted_on() {
    let first = vec![Ok(raw(7, 0)), Err(unplugged()), Ok(raw(99, 0))];
    let (open, _) = films(vec![Some(first), Some(vec![Ok(raw(0, 111))])]);
    let captured = run_to_its_end(&open);
    // What a broken camera would still give is not taken.
    assert_eq!(
        captured.slot.take(Duration::ZERO),
        Taken::Value(raw(8, 111), 1)
    );
}

#[test]
fn a_camera_that_panics_is_opened_anew() {
    let once = AtomicBool::new(true);
    let open: OpenCamera = Arc::new(move || {
        assert!(!once.swap(false, Ordering::SeqCst), "this camera panics");
        Ok(Box::new(Film::new(vec![Ok(raw(1, 0))])))
    });
    let captured = run_to_its_end(&open);
    assert_eq!(
        captured.slot.take(Duration::ZERO),
        Taken::Value(raw(1, 0), 0)
    );
}

#[test]
fn a_camera_that_hangs_is_left_behind_and_what_it_says_later_is_not_heard() {
    let captured = Captured::default();
    let stop = CancellationToken::new();
    let late = Arc::new(Barrier::new(2));
    let opened = AtomicU32::new(0);
    let hangs = Arc::clone(&late);
    let open: OpenCamera = Arc::new(move || {
        if opened.fetch_add(1, Ordering::SeqCst) == 0 {
            hangs.wait();
            return Ok(Box::new(Film::new(vec![Ok(raw(99, 0))])));
        }
        Ok(Box::new(Film::new(vec![Ok(raw(1, 0))])))
    });
    let mut patient = Capture {
        hangs_after: 5 * LOOK_UP,
        ..Capture::new(&open, &captured, &stop)
    };
    patient.until_the_end();
    // Only now does the first one open; its thread ends because nobody hears it.
    late.wait();
    while Arc::strong_count(&patient.running) > 1 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(
        captured.slot.take(Duration::ZERO),
        Taken::Value(raw(1, 0), 0)
    );
    assert_eq!(captured.slot.take(Duration::ZERO), Taken::Nothing);
}

#[test]
fn cameras_that_hang_are_not_left_behind_without_end() {
    let captured = Captured::default();
    let stop = CancellationToken::new();
    let opened = Arc::new(AtomicU32::new(0));
    let late = Arc::new(Barrier::new(MOST_LEFT_BEHIND + 1));
    let (count, hangs) = (Arc::clone(&opened), Arc::clone(&late));
    let open: OpenCamera = Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        hangs.wait();
        Err(unplugged())
    });
    let mut patient = Capture {
        hangs_after: 5 * LOOK_UP,
        ..Capture::new(&open, &captured, &stop)
    };
    for _ in 0..MOST_LEFT_BEHIND {
        let why = patient.once().unwrap_err();
        assert!(why.contains("does not answer"), "{why}");
    }
    let why = patient.once().unwrap_err();
    assert!(why.contains("restart this machine"), "{why}");
    late.wait();
    assert_eq!(opened.load(Ordering::SeqCst), MOST_LEFT_BEHIND as u32);
}

#[test]
fn a_capture_that_waits_for_its_camera_is_stopped_at_once() {
    let captured = Captured::default();
    let stop = CancellationToken::new();
    let (late, ask) = (Arc::new(Barrier::new(2)), stop.clone());
    let hangs = Arc::clone(&late);
    let open: OpenCamera = Arc::new(move || {
        ask.cancel();
        hangs.wait();
        Err(unplugged())
    });
    capture(&open, &captured, &stop);
    assert_eq!(captured.slot.take(Duration::ZERO), Taken::Closed);
    late.wait();
}

#[test]
fn a_stopped_capture_opens_nothing_and_closes_the_slot() {
    let captured = Captured::default();
    let stop = CancellationToken::new();
    stop.cancel();
    let open: OpenCamera = Arc::new(|| panic!("opened"));
    capture(&open, &captured, &stop);
    assert_eq!(captured.slot.take(Duration::ZERO), Taken::Closed);
}
