//! Cameras at the pace of a door: a source that knows no time is slowed down to its own, and one that
//! stays silent is given up.

use crate::camera::{Camera, CameraError, CameraInfo};
use crate::clock::{Clock, Stamp};
use crate::thermal::RawFrame;
use crate::thermal::ffc::FfcOrder;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Longest sleep at a time, so that whoever wants to stop is not kept waiting.
const NAP: Duration = Duration::from_secs(1);

/// How often in a row a live camera may be silent.
const MOST_SILENCES: u32 = 2;

/// Gives the frames of a source that knows no time (a recording, the simulator) at the pace at
/// which they were taken, stamped by the gateway's clock. In a gap it is [`CameraError::Silent`]
/// now and then.
pub struct Paced {
    camera: Box<dyn Camera>,
    clock: Arc<dyn Clock>,
    start: Option<(Stamp, Stamp)>,
    /// The next frame, whose time has not come.
    early: Option<RawFrame>,
}

impl Paced {
    /// Starts with the first frame.
    #[must_use]
    pub fn new(camera: Box<dyn Camera>, clock: Arc<dyn Clock>) -> Self {
        Self {
            camera,
            clock,
            start: None,
            early: None,
        }
    }
}

impl Camera for Paced {
    fn info(&self) -> &CameraInfo {
        self.camera.info()
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        let frame = match self.early.take() {
            Some(frame) => Some(frame),
            None => self.camera.next_frame()?,
        };
        let Some(mut frame) = frame else {
            return Ok(None);
        };
        let now = self.clock.now();
        let (source, ours) = *self.start.get_or_insert((frame.stamp, now));
        // Where the source's own time jumps back there is nothing to wait for.
        let due = frame.stamp.since(&source).unwrap_or_default();
        let passed = now.since(&ours).unwrap_or_default();
        let left = due.saturating_sub(passed);
        thread::sleep(left.min(NAP));
        if left > NAP {
            self.early = Some(frame);
            return Err(CameraError::Silent {
                device: self.info().name.clone(),
                milliseconds: u64::try_from(NAP.as_millis()).unwrap_or(u64::MAX),
            });
        }
        frame.stamp = self.clock.now();
        Ok(Some(frame))
    }

    fn damaged(&self) -> u64 {
        self.camera.damaged()
    }

    fn shutter(&mut self, order: FfcOrder) {
        self.camera.shutter(order);
    }
}

/// A live camera. After some silence it fails, to be opened anew: a stream that hangs often goes on
/// when it is started again.
pub struct Live {
    camera: Box<dyn Camera>,
    silences: u32,
}

impl Live {
    /// Not silent so far.
    #[must_use]
    pub fn new(camera: Box<dyn Camera>) -> Self {
        Self {
            camera,
            silences: 0,
        }
    }
}

impl Camera for Live {
    fn info(&self) -> &CameraInfo {
        self.camera.info()
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        let next = self.camera.next_frame();
        let Err(CameraError::Silent { device, .. }) = &next else {
            self.silences = 0;
            return next;
        };
        self.silences += 1;
        if self.silences < MOST_SILENCES {
            return next;
        }
        Err(CameraError::Device {
            device: device.clone(),
            problem: "gives no frames: if that lasts, unplug it and plug it in again".to_owned(),
        })
    }

    fn damaged(&self) -> u64 {
        self.camera.damaged()
    }

    fn shutter(&mut self, order: FfcOrder) {
        self.camera.shutter(order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::CameraInfo;
    use crate::clock::{BootId, ClockTrust, SimulatedClock, WallTime};
    use crate::thermal::Telemetry;
    use crate::thermal::radiometry::CountScale;
    use ndarray::Array2;
    use std::collections::VecDeque;

    fn stamp(milliseconds: u64) -> Stamp {
        Stamp {
            boot: BootId(1),
            monotonic: Duration::from_millis(milliseconds),
            wall: WallTime(milliseconds.cast_signed()),
            trust: ClockTrust::Unsynchronised,
        }
    }

    /// A camera of frames with these numbers and times; silent where there is none. Each order to its
    /// shutter damages a frame.
    struct Film {
        info: CameraInfo,
        frames: VecDeque<Option<(u64, u64)>>,
        orders: u64,
    }

    fn film(frames: &[Option<(u64, u64)>]) -> Box<dyn Camera> {
        Box::new(Film {
            info: CameraInfo {
                name: "film".to_owned(),
                width: 2,
                height: 2,
                fps: 9.0,
                scale: CountScale::CentiKelvin,
            },
            frames: frames.iter().copied().collect(),
            orders: 0,
        })
    }

    impl Camera for Film {
        fn info(&self) -> &CameraInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
            let silent = CameraError::Silent {
                device: "film".to_owned(),
                milliseconds: 1,
            };
            let Some(next) = self.frames.pop_front() else {
                return Ok(None);
            };
            let (sequence, at) = next.ok_or(silent)?;
            Ok(Some(RawFrame {
                stamp: stamp(at),
                sequence,
                counts: Array2::zeros((2, 2)),
                telemetry: Telemetry::default(),
            }))
        }

        fn damaged(&self) -> u64 {
            self.orders
        }

        fn shutter(&mut self, _: FfcOrder) {
            self.orders += 1;
        }
    }

    #[test]
    fn orders_reach_the_camera_within_and_its_damaged_frames_are_counted() {
        let clock = SimulatedClock::at(stamp(0));
        let mut live = Live::new(film(&[]));
        let mut paced = Paced::new(film(&[]), Arc::new(clock));
        for wrapped in [&mut live as &mut dyn Camera, &mut paced] {
            wrapped.shutter(FfcOrder::Run);
            wrapped.shutter(FfcOrder::Automatic);
            assert_eq!(wrapped.damaged(), 2);
        }
    }

    #[test]
    fn paced_frames_keep_their_order_and_carry_the_gateways_time() {
        let clock = SimulatedClock::at(stamp(5_000));
        // Its own time stands, runs, jumps back.
        let frames = [(1, 700), (2, 700), (3, 703), (4, 0), (5, 706)];
        let mut paced = Paced::new(film(&frames.map(Some)), Arc::new(clock.clone()));
        for (n, _) in frames {
            clock.advance(Duration::from_millis(1));
            let frame = paced.next_frame().unwrap().unwrap();
            assert_eq!((frame.sequence, frame.stamp), (n, stamp(5_000 + n)));
        }
        assert_eq!(paced.next_frame().unwrap(), None);
        assert_eq!(paced.info().name, "film");
    }

    #[test]
    fn a_gap_is_waited_for_piece_by_piece_and_the_frame_after_it_comes() {
        let clock = SimulatedClock::at(stamp(0));
        let frames = [Some((1, 0)), Some((2, 3_600_000))];
        let mut paced = Paced::new(film(&frames), Arc::new(clock.clone()));
        assert_eq!(paced.next_frame().unwrap().unwrap().sequence, 1);
        for _ in 0..2 {
            let silent = paced.next_frame().unwrap_err();
            assert!(matches!(silent, CameraError::Silent { .. }), "{silent}");
        }
        clock.advance(Duration::from_hours(1));
        let frame = paced.next_frame().unwrap().unwrap();
        assert_eq!((frame.sequence, frame.stamp), (2, stamp(3_600_000)));
    }

    #[test]
    fn a_live_camera_is_given_up_when_it_stays_silent_but_not_before() {
        let frame = Some((1, 0));
        let mut live = Live::new(film(&[None, frame, None, frame, None, None, frame]));
        for expected in [false, true, false, true, false] {
            match live.next_frame() {
                Ok(came) => assert!(expected && came.is_some()),
                Err(error) => assert!(!expected && matches!(error, CameraError::Silent { .. })),
            }
        }
        let error = live.next_frame().unwrap_err();
        assert!(error.to_string().contains("plug it in again"), "{error}");
        assert_eq!(live.info().name, "film");
    }
}
