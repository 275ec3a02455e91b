//! The capture thread: opens the camera, waits for frames, puts them into the slot; opens it anew
//! when it fails.

use super::slot::Slot;
use crate::camera::{Camera, CameraError, CameraInfo};
use crate::clock::{Clock, Stamp};
use crate::thermal::RawFrame;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait before a camera that failed is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// Opens the camera, each time anew.
pub type OpenCamera = Box<dyn FnMut() -> Result<Box<dyn Camera>, CameraError> + Send>;

/// What capture and screening share.
#[derive(Debug, Default)]
pub struct Captured {
    /// The newest frame.
    pub slot: Slot<RawFrame>,
    /// What the camera is, once it was opened.
    info: Mutex<Option<CameraInfo>>,
}

impl Captured {
    /// What the camera is; `None` until it was opened.
    #[must_use]
    pub fn info(&self) -> Option<CameraInfo> {
        self.info
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Runs until the source ends or `stop` is called; blocks in the camera and in sleep.
pub fn capture(mut open: OpenCamera, captured: &Captured, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match open() {
            Ok(mut camera) => {
                tracing::info!(camera = camera.info().name, "camera opened");
                *captured.info.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(camera.info().clone());
                match frames(camera.as_mut(), captured, stop) {
                    Ok(()) => break,
                    Err(error) => tracing::warn!("{error}; opening the camera again"),
                }
            }
            Err(error) => tracing::warn!("{error}; trying again"),
        }
        thread::sleep(REOPEN_AFTER);
    }
    captured.slot.close();
}

fn frames(
    camera: &mut dyn Camera,
    captured: &Captured,
    stop: &CancellationToken,
) -> Result<(), CameraError> {
    while !stop.is_cancelled() {
        match camera.next_frame() {
            Ok(Some(frame)) => {
                if !captured.slot.put(frame) {
                    break;
                }
            }
            Ok(None) => break,
            // The camera may still come back by itself; the screening thread tells staff.
            Err(CameraError::Silent { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Gives the frames of a source that knows no time (a recording, the simulator) at the pace at
/// which they were taken, stamped by the gateway's clock.
pub struct Paced {
    camera: Box<dyn Camera>,
    clock: Arc<dyn Clock>,
    start: Option<(Stamp, Stamp)>,
}

impl Paced {
    /// Starts with the first frame.
    #[must_use]
    pub fn new(camera: Box<dyn Camera>, clock: Arc<dyn Clock>) -> Self {
        Self {
            camera,
            clock,
            start: None,
        }
    }
}

impl Camera for Paced {
    fn info(&self) -> &CameraInfo {
        self.camera.info()
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        let Some(mut frame) = self.camera.next_frame()? else {
            return Ok(None);
        };
        let now = self.clock.now();
        let (source, ours) = *self.start.get_or_insert((frame.stamp, now));
        // Where the source's own time jumps back there is nothing to wait for.
        let due = frame.stamp.since(&source).unwrap_or_default();
        let passed = now.since(&ours).unwrap_or_default();
        thread::sleep(due.saturating_sub(passed));
        frame.stamp = self.clock.now();
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests;
