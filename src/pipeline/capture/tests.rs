//! Capture with a camera made of frames, and one that fails.

use super::*;
use crate::clock::{BootId, ClockTrust, SimulatedClock, WallTime};
use crate::pipeline::slot::Taken;
use crate::thermal::Telemetry;
use crate::thermal::radiometry::CountScale;
use ndarray::Array2;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

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

#[test]
fn a_camera_that_cannot_be_opened_at_first_is_opened_later() {
    let captured = Captured::default();
    let opened = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&opened);
    let open: OpenCamera = Box::new(move || match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(unplugged()),
        _ => {
            let silent = CameraError::Silent {
                device: "film".to_owned(),
                milliseconds: 1,
            };
            let frames = vec![Ok(raw(1, 0)), Err(silent), Ok(raw(2, 111))];
            Ok(Box::new(Film::new(frames)))
        }
    });
    capture(open, &captured, &CancellationToken::new());
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
fn a_camera_that_is_unplugged_is_opened_anew() {
    let captured = Captured::default();
    let mut films = VecDeque::from([
        vec![Ok(raw(1, 0)), Err(unplugged()), Ok(raw(99, 0))],
        vec![Ok(raw(2, 111))],
    ]);
    let open: OpenCamera = Box::new(move || {
        let frames = films.pop_front().unwrap_or_default();
        Ok(Box::new(Film::new(frames)))
    });
    capture(open, &captured, &CancellationToken::new());
    // What a broken camera would still give is not taken.
    assert_eq!(
        captured.slot.take(Duration::ZERO),
        Taken::Value(raw(2, 111), 1)
    );
}

#[test]
fn a_stopped_capture_opens_nothing_and_closes_the_slot() {
    let captured = Captured::default();
    let stop = CancellationToken::new();
    stop.cancel();
    let open: OpenCamera = Box::new(|| panic!("opened"));
    capture(open, &captured, &stop);
    assert_eq!(captured.slot.take(Duration::ZERO), Taken::Closed);
}

#[test]
fn paced_frames_keep_their_order_and_carry_the_gateways_time() {
    let clock = SimulatedClock::at(stamp(5_000));
    // Its own time stands, runs, jumps back.
    let frames = [(1, 700), (2, 700), (3, 703), (4, 0), (5, 706)];
    let film = Film::new(frames.map(|(n, at)| Ok(raw(n, at))).into());
    let mut paced = Paced::new(Box::new(film), Arc::new(clock.clone()));
    for (n, _) in frames {
        clock.advance(Duration::from_millis(1));
        let frame = paced.next_frame().unwrap().unwrap();
        assert_eq!((frame.sequence, frame.stamp), (n, stamp(5_000 + n)));
    }
    assert_eq!(paced.next_frame().unwrap(), None);
    assert_eq!(paced.info().name, "film");
}
