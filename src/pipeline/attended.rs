//! A camera whose shutter waits for an empty lobby, and whose damaged frames are counted.
//!
//! Whether somebody is there is known by the screening, on another thread; when the shutter is closed
//! is decided with each frame, here. So the two share an [`Attendance`]. A camera that is opened anew
//! gets a policy that knows nothing of the one before.
//!
//! Blocking: as the camera within.

use super::capture::OpenCamera;
use crate::camera::{Camera, CameraError, CameraInfo};
use crate::thermal::RawFrame;
use crate::thermal::ffc::{FfcOrder, FfcPolicy};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the camera's side and the screening tell each other.
#[derive(Debug, Default)]
pub struct Attendance {
    occupied: AtomicBool,
    damaged: AtomicU64,
}

impl Attendance {
    /// Says whether somebody is before the camera.
    pub fn occupy(&self, occupied: bool) {
        self.occupied.store(occupied, Ordering::Relaxed);
    }

    /// Frames that came damaged and were thrown away, since the start.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }
}

/// Has every camera that is opened attended.
#[must_use]
pub fn attended(open: OpenCamera, attendance: Arc<Attendance>) -> OpenCamera {
    Arc::new(move || {
        let camera = Attended {
            camera: open()?,
            shutter: FfcPolicy::default(),
            attendance: Arc::clone(&attendance),
            damaged: 0,
        };
        Ok(Box::new(camera))
    })
}

struct Attended {
    camera: Box<dyn Camera>,
    shutter: FfcPolicy,
    attendance: Arc<Attendance>,
    /// Damaged frames of this camera that were counted.
    damaged: u64,
}

impl Camera for Attended {
    fn info(&self) -> &CameraInfo {
        self.camera.info()
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        let next = self.camera.next_frame();
        let damaged = self.camera.damaged();
        let more = damaged.saturating_sub(self.damaged);
        self.attendance.damaged.fetch_add(more, Ordering::Relaxed);
        self.damaged = damaged;
        if let Ok(Some(frame)) = &next {
            let occupied = self.attendance.occupied.load(Ordering::Relaxed);
            if let Some(order) = self.shutter.step(frame.stamp, &frame.telemetry, occupied) {
                self.camera.shutter(order);
            }
        }
        next
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
    use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
    use crate::thermal::Telemetry;
    use crate::thermal::radiometry::CountScale;
    use ndarray::Array2;
    use std::sync::Mutex;
    use std::time::Duration;

    /// A frame a second; of each two before it were damaged.
    struct Film {
        info: CameraInfo,
        frames: u64,
        length: u64,
        told: Arc<Mutex<Vec<(u64, FfcOrder)>>>,
    }

    impl Camera for Film {
        fn info(&self) -> &CameraInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
            self.frames += 1;
            let frame = RawFrame {
                stamp: Stamp {
                    boot: BootId(1),
                    monotonic: Duration::from_secs(self.frames),
                    wall: WallTime(0),
                    trust: ClockTrust::Synchronised,
                },
                sequence: self.frames,
                counts: Array2::zeros((2, 2)),
                telemetry: Telemetry::default(),
            };
            Ok((self.frames <= self.length).then_some(frame))
        }

        fn damaged(&self) -> u64 {
            2 * self.frames
        }

        fn shutter(&mut self, order: FfcOrder) {
            self.told.lock().unwrap().push((self.frames, order));
        }
    }

    type Told = Arc<Mutex<Vec<(u64, FfcOrder)>>>;

    fn films(length: u64) -> (OpenCamera, Told) {
        let told = Told::default();
        let inside = Arc::clone(&told);
        let open: OpenCamera = Arc::new(move || {
            Ok(Box::new(Film {
                info: CameraInfo {
                    name: "film".to_owned(),
                    width: 2,
                    height: 2,
                    fps: 1.0,
                    scale: CountScale::CentiKelvin,
                },
                frames: 0,
                length,
                told: Arc::clone(&inside),
            }))
        });
        (open, told)
    }

    fn to_the_end(camera: &mut dyn Camera) {
        while camera.next_frame().unwrap().is_some() {}
    }

    #[test]
    fn the_shutter_waits_for_an_empty_lobby() {
        let orders = |occupied: bool| {
            let (open, told) = films(200);
            let attendance = Arc::new(Attendance::default());
            attendance.occupy(occupied);
            let open = attended(open, attendance);
            to_the_end(open().unwrap().as_mut());
            told.lock().unwrap().clone()
        };
        assert_eq!(orders(false), [(181, FfcOrder::Run)]);
        assert_eq!(orders(true), []);
    }

    #[test]
    fn damaged_frames_are_counted_over_every_opening() {
        let (open, _) = films(3);
        let attendance = Arc::new(Attendance::default());
        let open = attended(open, Arc::clone(&attendance));
        for camera in 1..=2 {
            to_the_end(open().unwrap().as_mut());
            assert_eq!(attendance.damaged(), 8 * camera);
        }
    }
}
