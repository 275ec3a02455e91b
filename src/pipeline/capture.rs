//! Capture: opens the camera, puts its frames into the slot, and opens it anew when it fails.
//!
//! Each opening has a thread of its own, and this one only listens to it. So a camera that panics,
//! or sits in its driver for ever, costs that thread and nothing else: it is left behind, and what
//! it may still say is heard by nobody. A frame of a camera that was given up is therefore never
//! taken, however late it comes.
//!
//! Blocking: [`capture`] listens and waits, `LOOK_UP` at a time; it never calls a camera itself.

use super::slot::Slot;
use crate::camera::{Camera, CameraError, CameraInfo};
use crate::thermal::RawFrame;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait before a camera that failed is opened again. One that was plugged in is there
/// about 1 s later, its link by name a little after that.
const REOPEN_AFTER: Duration = Duration::from_millis(500);

/// How often it is looked up whether to stop.
const LOOK_UP: Duration = Duration::from_millis(100);

/// A camera that neither gives a frame nor says that there is none for so long is left behind. The
/// kernel gives a USB device 5 s for an answer, and opening asks several questions.
const HANGS_AFTER: Duration = Duration::from_secs(30);

/// Most cameras that are left behind: with more, something is wrong that opening does not mend.
const MOST_LEFT_BEHIND: usize = 4;

/// Opens the camera, each time anew.
pub type OpenCamera = Arc<dyn Fn() -> Result<Box<dyn Camera>, CameraError> + Send + Sync>;

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

/// Runs until the source ends or `stop` is called.
pub fn capture(open: &OpenCamera, captured: &Captured, stop: &CancellationToken) {
    Capture::new(open, captured, stop).until_the_end();
    captured.slot.close();
}

/// What a camera's thread says.
enum News {
    /// It is open.
    Open(CameraInfo),
    /// A frame.
    Frame(RawFrame),
    /// No frame, but it is there.
    Silent,
    /// It was closed: its source ended, or it failed.
    Closed(Result<(), CameraError>),
}

struct Capture<'a> {
    open: &'a OpenCamera,
    captured: &'a Captured,
    stop: &'a CancellationToken,
    hangs_after: Duration,
    /// Each thread that has not ended holds one.
    running: Arc<()>,
    /// Number of the next frame: a camera that is opened anew counts from 0, the gateway goes on.
    next: u64,
    /// What is the matter, where that was said since the last frame.
    said: String,
}

impl<'a> Capture<'a> {
    fn new(open: &'a OpenCamera, captured: &'a Captured, stop: &'a CancellationToken) -> Self {
        Self {
            open,
            captured,
            stop,
            hangs_after: HANGS_AFTER,
            running: Arc::new(()),
            next: 0,
            said: String::new(),
        }
    }

    fn until_the_end(&mut self) {
        while let Err(why) = self.once() {
            if why == self.said {
                // Not twice a second for as long as the camera is away, nor each time that it is
                // opened and stays silent.
                tracing::debug!("{why}");
            } else {
                tracing::warn!("{why}; trying again until it works");
                self.said = why;
            }
            let mut left = REOPEN_AFTER;
            while !left.is_zero() && !self.stop.is_cancelled() {
                thread::sleep(left.min(LOOK_UP));
                left = left.saturating_sub(LOOK_UP);
            }
        }
    }

    /// From opening to the end: that of the source or the gateway, or else what went wrong.
    fn once(&mut self) -> Result<(), String> {
        if self.stop.is_cancelled() {
            return Ok(());
        }
        if Arc::strong_count(&self.running) > MOST_LEFT_BEHIND {
            return Err(format!(
                "{MOST_LEFT_BEHIND} attempts to use the camera hang in its driver: unplug it and \
                 plug it in again; if that does not help, restart this machine"
            ));
        }
        let (tell, news) = sync_channel(1);
        let (open, running) = (Arc::clone(self.open), Arc::clone(&self.running));
        thread::Builder::new()
            .name("camera".to_owned())
            .spawn(move || {
                run(&open, &tell);
                drop(running);
            })
            .map_err(|error| format!("cannot start a thread for the camera: {error}"))?;
        let (base, mut quiet) = (self.next, Duration::ZERO);
        while !self.stop.is_cancelled() {
            match news.recv_timeout(LOOK_UP) {
                Ok(heard) => {
                    quiet = Duration::ZERO;
                    match heard {
                        News::Open(info) => self.opened(info),
                        News::Frame(frame) => {
                            if !self.put(base, frame) {
                                break;
                            }
                        }
                        // It may come back by itself; the screening thread tells staff.
                        News::Silent => {}
                        News::Closed(outcome) => return outcome.map_err(|error| error.to_string()),
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    quiet += LOOK_UP;
                    if quiet >= self.hangs_after {
                        return Err("the camera's driver does not answer".to_owned());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("reading the camera failed, see above".to_owned());
                }
            }
        }
        Ok(())
    }

    fn opened(&mut self, info: CameraInfo) {
        if self.said.is_empty() {
            tracing::info!(camera = info.name, "camera opened");
        }
        let known = &self.captured.info;
        *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(info);
    }

    /// Puts a frame into the slot; false where nobody takes any more.
    fn put(&mut self, base: u64, mut frame: RawFrame) -> bool {
        frame.sequence = frame.sequence.saturating_add(base);
        self.next = frame.sequence.saturating_add(1);
        if !self.said.is_empty() {
            tracing::info!("the camera gives frames again");
            self.said.clear();
        }
        self.captured.slot.put(frame)
    }
}

/// A camera from opening to closing, on its own thread. Ends as soon as nobody listens.
fn run(open: &OpenCamera, tell: &SyncSender<News>) {
    let outcome = open().and_then(|mut camera| {
        if tell.send(News::Open(camera.info().clone())).is_err() {
            return Ok(());
        }
        loop {
            let news = match camera.next_frame() {
                Ok(Some(frame)) => News::Frame(frame),
                Err(CameraError::Silent { .. }) => News::Silent,
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            };
            if tell.send(news).is_err() {
                return Ok(());
            }
        }
    });
    // It is closed by now, so it can be opened anew under its old name. Nobody may listen.
    let _ = tell.send(News::Closed(outcome));
}

#[cfg(test)]
mod tests;
