//! Thermal cameras on Video for Linux (V4L2) whose counts are temperatures: FLIR Lepton on a
//! PureThermal board, InfiRay and Topdon modules, and whatever else sends 16-bit grey pictures (`Y16`).
//!
//! A driver answers a request for a format by what it can do, not by an error, so what it answers
//! is compared with what was asked. A camera that was unplugged may come back under another number,
//! so it is found by its USB ids or its link under `/dev/v4l/by-id`.
//!
//! Blocking: [`V4lCamera::next_frame`](Camera::next_frame) waits at most for the time-out that it
//! was opened with. Opening and [`discover()`] take what the driver takes.

pub mod access;
mod control;
mod discover;
mod node;
mod stream;

pub use discover::{Found, Offer, discover};

use super::layout::{self, Packing};
use super::lepton::Report;
use super::{Camera, CameraError, CameraInfo, Rotation};
use crate::clock::{Clock, Stamp};
use crate::thermal::RawFrame;
use crate::thermal::ffc::FfcOrder;
use crate::thermal::profile::{Layout, UsbId};
use crate::thermal::radiometry::CountScale;
use control::LeptonControl;
use discover::{another_one, descriptors, listed, offers};
use node::Node;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stream::{Fault, Stream};

/// Frames a second where the driver does not say: the Lepton's, rounded (datasheet: 8.7 Hz).
const DEFAULT_FPS: f64 = 9.0;

/// A driver that says that a frame is older than this is not believed: four buffers hold half a
/// second, and the newest of them is taken.
const OLDEST: Duration = Duration::from_secs(1);

/// How often damaged frames are mentioned in the log.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// Which camera, and how to read it.
#[derive(Clone, Debug, PartialEq)]
pub struct V4lSettings {
    /// Its node, e.g. `/dev/video0`, or better its link under `/dev/v4l/by-id`. `None`: the one
    /// that is found by `usb`.
    pub device: Option<PathBuf>,
    /// What such cameras are on the USB. Empty: the first one with pictures of this layout.
    pub usb: Vec<UsbId>,
    /// How it packs its counts.
    pub layout: Layout,
    /// Width and height of the picture in pixels, as the sensor has it, without telemetry.
    /// `None`: the largest that the camera offers.
    pub size: Option<(u32, u32)>,
    /// Frames a second to ask for. `None`: the camera's own.
    pub fps: Option<f64>,
    /// What a count means.
    pub scale: CountScale,
    /// The turn that sets people upright.
    pub rotation: Rotation,
    /// How long to wait for a frame. A shutter event stops a Lepton for about 2 s.
    pub timeout: Duration,
    /// Whether the gateway says when the shutter is closed, where the camera can be told; otherwise
    /// the camera decides.
    pub shutter_by_hand: bool,
}

impl Default for V4lSettings {
    /// The first camera, its own size, centikelvin, not turned, 5 s.
    fn default() -> Self {
        Self {
            device: None,
            usb: Vec::new(),
            layout: Layout::Y16,
            size: None,
            fps: None,
            scale: CountScale::CentiKelvin,
            rotation: Rotation::None,
            timeout: Duration::from_secs(5),
            shutter_by_hand: false,
        }
    }
}

/// How many frames came, and how many were lost and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct V4lCounts {
    /// Frames given out.
    pub frames: u64,
    /// Good frames passed over because a newer one was there.
    pub skipped: u64,
    /// Frames that the driver flagged as damaged, or that were short.
    pub damaged: u64,
    /// Whole frames with their parts in the wrong place.
    pub shifted: u64,
    /// Frames that the driver numbered and never gave out, as stock `uvcvideo` does with damaged ones.
    pub missing: u64,
}

/// A V4L2 camera that streams. Dropping it stops the stream and frees the device.
pub struct V4lCamera {
    device: String,
    stream: Stream,
    info: CameraInfo,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    sequence: Sequence,
    driver_time: Option<Duration>,
    /// Stamp of the last frame.
    last: Option<Stamp>,
    frames: u64,
    gone: bool,
    /// Where it can be told about its shutter, and the gateway decides.
    by_hand: Option<LeptonControl>,
    complaint: Option<&'static str>,
    /// Damaged frames that the log knows of, and since when.
    said: (u64, Option<Stamp>),
}

impl fmt::Debug for V4lCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("V4lCamera")
            .field("info", &self.info)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl V4lCamera {
    /// Opens a camera, agrees on a size with its driver and starts the stream. Frames are stamped
    /// by `clock`, with the moment at which the driver says that they were taken.
    ///
    /// # Errors
    /// [`CameraError::Device`]: no such camera, not allowed, in use, no pictures of this layout, or
    /// not of the size asked for. It says what there is.
    pub fn open(settings: &V4lSettings, clock: Arc<dyn Clock>) -> Result<Self, CameraError> {
        let path = match &settings.device {
            Some(path) => path.clone(),
            None => choose(settings, &discover())?,
        };
        let device = path.display().to_string();
        let problem = |problem: String| CameraError::Device {
            device: device.clone(),
            problem,
        };
        let failed = |doing: &str, error: &io::Error| problem(told(&path, doing, error));

        let node = Node::open(&path).map_err(|error| failed("open it", &error))?;
        if let Some(serial) = another_one(&path, &node) {
            return Err(problem(format!(
                "this is the link of another camera than the one behind it (serial number {serial}), as \
                 it can be for a moment after unplugging; if it stays, use one of: {}",
                listed(&discover(), ", ")
            )));
        }
        let capability = node
            .capability()
            .map_err(|error| failed("ask what it is", &error))?;
        if !capability.captures {
            return Err(problem(format!(
                "this node of {} gives no pictures (cameras have a second node for metadata); \
                 use one of: {}",
                capability.card,
                listed(&discover(), ", ")
            )));
        }
        let packing = agree(&node, settings, &capability.card)
            .map_err(problem)?
            .turned(settings.rotation);
        if let Some(fps) = settings.fps
            && let Err(error) = node.set_frame_rate(fps)
        {
            tracing::debug!(device, %error, "the camera keeps its own frame rate");
        }
        let fps = node.frame_rate().unwrap_or(DEFAULT_FPS);
        let by_hand = take_charge(&node, &path, settings);
        let stream = Stream::start(node, packing).map_err(|error| failed("start it", &error))?;
        let (width, height) = packing.size();
        Ok(Self {
            info: CameraInfo {
                name: format!("{} {device}", capability.card),
                width,
                height,
                fps,
                scale: settings.scale,
            },
            device,
            stream,
            timeout: settings.timeout,
            clock,
            sequence: Sequence::default(),
            driver_time: None,
            last: None,
            frames: 0,
            gone: false,
            by_hand,
            complaint: None,
            said: (0, None),
        })
    }

    /// How many frames came and were lost on this side of the driver.
    pub fn counts(&self) -> V4lCounts {
        let lost = self.stream.counts();
        V4lCounts {
            frames: self.frames,
            skipped: lost.skipped,
            damaged: lost.damaged,
            shifted: lost.shifted,
            missing: lost.missing,
        }
    }

    /// When the driver says that the last frame was taken, on the machine's own monotonic clock
    /// (which the stamps' need not be).
    pub fn driver_time(&self) -> Option<Duration> {
        self.driver_time
    }

    fn unplugged(&mut self) -> CameraError {
        self.gone = true;
        CameraError::Unplugged {
            device: self.device.clone(),
        }
    }

    /// When a frame of this age was taken. Stamps never run backwards, whatever a driver says.
    fn stamp(&mut self, age: Option<Duration>) -> Stamp {
        let now = self.clock.now();
        let taken = now.before(age.filter(|age| *age <= OLDEST).unwrap_or_default());
        let behind = self.last.is_some_and(|last| taken.since(&last).is_none());
        let stamp = if behind { now } else { taken };
        self.last = Some(stamp);
        stamp
    }

    /// What the camera complains of goes to the log when it changes.
    fn listen(&mut self, report: &Report) {
        let complaint = report.complaint(self.info.scale);
        if complaint != self.complaint {
            if let Some(complaint) = complaint {
                tracing::warn!("{}: {complaint}", self.info.name);
            } else {
                tracing::info!("{}: all is well again", self.info.name);
            }
            self.complaint = complaint;
        }
    }

    /// Damaged frames are no fault, but a cable that makes many should be looked at.
    fn mention_damage(&mut self, now: Stamp) {
        let damaged = self.damaged();
        let (known, since) = self.said;
        let recently = since
            .and_then(|since| now.since(&since))
            .is_some_and(|d| d < SAY_EVERY);
        if damaged > known && !recently {
            tracing::warn!(
                "{}: {} damaged frames were thrown away; if there are many, change the cable or the \
                 USB port",
                self.info.name,
                damaged - known
            );
            self.said = (damaged, Some(now));
        }
    }
}

impl Camera for V4lCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        if self.gone {
            return Err(self.unplugged());
        }
        let clock = Arc::clone(&self.clock);
        let now = move || clock.now().monotonic;
        match self.stream.next(self.timeout, &now) {
            Ok(taken) => {
                let stamp = self.stamp(taken.age);
                self.frames += 1;
                self.driver_time = taken.driver_time;
                self.mention_damage(stamp);
                let report = taken.unpacked.report;
                if let Some(report) = &report {
                    self.listen(report);
                }
                Ok(Some(RawFrame {
                    stamp,
                    sequence: self.sequence.extend(taken.sequence),
                    counts: taken.unpacked.counts,
                    telemetry: report.map(|report| report.telemetry()).unwrap_or_default(),
                }))
            }
            Err(Fault::Silent) => Err(CameraError::Silent {
                device: self.device.clone(),
                milliseconds: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
            }),
            Err(Fault::Gone(error)) => {
                // ENODEV as a rule, but an unplugged camera also shows as EINVAL or EIO. Whatever
                // it is, this stream cannot be saved.
                tracing::debug!(device = self.device, %error, "camera lost");
                Err(self.unplugged())
            }
        }
    }

    fn damaged(&self) -> u64 {
        let counts = self.counts();
        counts.damaged + counts.shifted + counts.missing
    }

    fn shutter(&mut self, order: FfcOrder) {
        let Some(lepton) = self.by_hand else {
            return;
        };
        let units = self.stream.node();
        let done = match order {
            FfcOrder::Run => lepton.run_ffc(units),
            FfcOrder::Automatic => {
                tracing::warn!(
                    "{}: it does not obey; its shutter is its own again",
                    self.info.name
                );
                self.by_hand = None;
                lepton.decide_by_hand(units, false)
            }
        };
        if let Err(error) = done {
            tracing::debug!(device = self.device, %error, ?order, "the shutter was not told");
        }
    }
}

impl Drop for V4lCamera {
    /// Nobody decides for the camera any more.
    fn drop(&mut self) {
        if let Some(lepton) = self.by_hand.filter(|_| !self.gone) {
            let _ = lepton.decide_by_hand(self.stream.node(), false);
        }
    }
}

/// Has a Lepton send temperatures and hands its shutter to the gateway, where it can be told.
fn take_charge(node: &Node, path: &Path, settings: &V4lSettings) -> Option<LeptonControl> {
    if settings.layout != Layout::Lepton {
        return None;
    }
    let device = path.display();
    let Some(lepton) = LeptonControl::find(&descriptors(path)) else {
        tracing::debug!(%device, "the camera cannot be told anything: it is used as it is");
        return None;
    };
    let tenths = settings.scale == CountScale::DeciKelvin;
    let told = lepton.prepare(node, tenths).and_then(|()| {
        if settings.shutter_by_hand {
            lepton.decide_by_hand(node, true)?;
        }
        Ok(settings.shutter_by_hand.then_some(lepton))
    });
    told.unwrap_or_else(|error| {
        tracing::debug!(%device, %error, "the camera does not obey: it is used as it is");
        None
    })
}

/// The camera that is meant where no device is named.
fn choose(settings: &V4lSettings, found: &[Found]) -> Result<PathBuf, CameraError> {
    let problem = |problem: String| CameraError::Device {
        device: "/dev/video*".into(),
        problem,
    };
    let anything = settings.usb.is_empty();
    let wanted: Vec<&Found> = found
        .iter()
        .filter(|found| anything || found.usb.is_some_and(|id| settings.usb.contains(&id)))
        .collect();
    let fourcc = layout::letters(layout::fourcc(settings.layout));
    let mut able = wanted.iter().filter(|found| {
        found.refused.is_none() && found.formats.iter().any(|offer| offer.fourcc == fourcc)
    });
    let first = able.next().map(|found| found.path.clone());
    if let (Some(other), false) = (able.next(), anything) {
        let by_id = other.by_id.as_ref().unwrap_or(&other.path);
        return Err(problem(format!(
            "two such cameras are plugged in; say which one is meant, e.g. device = \"{}\" below \
             [camera]",
            by_id.display()
        )));
    }
    if let Some(path) = first {
        return Ok(path);
    }
    if let Some(closed) = wanted.iter().find(|found| found.refused.is_some()) {
        return Err(problem(closed.to_string()));
    }
    let kind = match settings.usb.as_slice() {
        [] => format!("camera with {fourcc} pictures"),
        ids => format!("camera {} with {fourcc} pictures", listed(ids, " or ")),
    };
    Err(problem(format!(
        "no {kind} is plugged in; there is: {}; plug it in, or name another profile (menshen cameras \
         says which)",
        listed(found, ", ")
    )))
}

/// Agrees with the driver on a format.
fn agree(node: &Node, settings: &V4lSettings, card: &str) -> Result<Packing, String> {
    let layout = settings.layout;
    let fourcc = layout::fourcc(layout);
    let letters = layout::letters(fourcc);
    let offers = offers(node);
    let Some(offer) = offers.iter().find(|offer| offer.fourcc == letters) else {
        return Err(format!(
            "{card} gives no 16-bit pictures ({letters}), only {}; is it a thermal camera, in its radiometric \
             mode, and the one that profile in [camera] is for?",
            listed(&offers, "; ")
        ));
    };
    let wanted = match settings.size {
        Some(size) => size,
        None => largest(node, layout, &offer.sizes)?,
    };
    let mut refused = String::new();
    for size in layout::sizes_sent(layout, wanted) {
        // A size that is not on offer is not tried: some cameras are out of step after it.
        if !offer.sizes.is_empty() && !offer.sizes.contains(&size) {
            refused = format!("it has no frames of {}×{}", size.0, size.1);
            continue;
        }
        let sent = node
            .set_format(fourcc, size)
            .map_err(|error| told(Path::new(card), "set its format", &error))?;
        match Packing::agree(layout, wanted, sent) {
            Ok(packing) => return Ok(packing),
            Err(text) => refused = text,
        }
    }
    Err(format!("{refused}; it offers {}", listed(&offers, "; ")))
}

/// The largest picture on offer; where the driver lists no sizes, the one it stands at.
fn largest(node: &Node, layout: Layout, sizes: &[(u32, u32)]) -> Result<(u32, u32), String> {
    let pictures = sizes
        .iter()
        .filter_map(|size| layout::picture_in(layout, *size));
    if let Some(size) = pictures.max_by_key(|size| u64::from(size.0) * u64::from(size.1)) {
        return Ok(size);
    }
    let standing = node
        .format()
        .map_err(|error| told(Path::new("the camera"), "ask its size", &error))?;
    layout::picture_in(layout, (standing.width, standing.height))
        .ok_or_else(|| "it has no frames that could hold temperatures in this layout".to_owned())
}

fn told(device: &Path, doing: &str, error: &io::Error) -> String {
    let hint = match error.raw_os_error() {
        Some(libc::EBUSY) => "another program uses it: stop that one first".to_owned(),
        Some(libc::EACCES | libc::EPERM) => access::refusal(device).to_string(),
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
            "plug the camera in; menshen cameras lists those that are there".to_owned()
        }
        Some(libc::ENOTTY) => "this is no camera: name a node like /dev/video0".to_owned(),
        _ => "unplug the camera and plug it in again".to_owned(),
    };
    format!("cannot {doing} ({error}): {hint}")
}

/// The driver's 32-bit frame number, carried on past its end.
#[derive(Clone, Copy, Debug, Default)]
struct Sequence(Option<u64>);

impl Sequence {
    fn extend(&mut self, number: u32) -> u64 {
        let extended = match self.0 {
            None => u64::from(number),
            Some(last) => last + u64::from(number.wrapping_sub(last as u32)),
        };
        self.0 = Some(extended);
        extended
    }
}

#[cfg(test)]
mod tests {
    use super::discover::tests::purethermal;
    use super::*;
    use crate::clock::{BootId, SystemClock};

    #[test]
    fn frame_numbers_go_on_past_32_bits() {
        let mut sequence = Sequence::default();
        let numbers = [5, 6, u32::MAX, 0, 3].map(|number| sequence.extend(number));
        let wrap = 1_u64 << 32;
        assert_eq!(numbers, [5, 6, wrap - 1, wrap, wrap + 3]);
    }

    #[test]
    fn errors_say_what_to_do() {
        let open = |path: &str| {
            let settings = V4lSettings {
                device: Some(path.into()),
                ..V4lSettings::default()
            };
            V4lCamera::open(&settings, Arc::new(SystemClock::start(BootId(1))))
                .unwrap_err()
                .to_string()
        };
        let text = open("/dev/v4l/by-id/nobody");
        assert!(
            text.contains("nobody") && text.contains("menshen cameras"),
            "{text}"
        );
        let text = open("/dev/null");
        assert!(text.contains("this is no camera"), "{text}");
        let error = |number| io::Error::from_raw_os_error(number);
        let busy = told(Path::new("/dev/null"), "start it", &error(libc::EBUSY));
        assert!(busy.contains("another program"), "{busy}");
        let closed = told(Path::new("/dev/null"), "open it", &error(libc::EACCES));
        assert!(closed.contains("may not open it"), "{closed}");
    }

    fn choice(found: &[Found]) -> Result<PathBuf, String> {
        let settings = V4lSettings {
            usb: vec![UsbId::from_text("1e4e:0100").unwrap()],
            layout: Layout::Lepton,
            ..V4lSettings::default()
        };
        choose(&settings, found).map_err(|error| error.to_string())
    }

    #[test]
    fn a_camera_is_found_by_what_it_is_and_not_by_its_number() {
        let webcam = Found {
            path: "/dev/video0".into(),
            usb: UsbId::from_text("046d:0825"),
            ..purethermal()
        };
        let lepton = Found {
            path: "/dev/video4".into(),
            ..purethermal()
        };
        let found = [webcam.clone(), lepton];
        assert_eq!(choice(&found), Ok("/dev/video4".into()));
        let text = choice(std::slice::from_ref(&webcam)).unwrap_err();
        assert!(
            text.contains("1e4e:0100") && text.contains("/dev/video0"),
            "{text}"
        );
        assert!(choice(&[]).unwrap_err().contains("there is: nothing"));
        // Without ids whatever has such pictures will do.
        let any = choose(&V4lSettings::default(), &[webcam]);
        assert_eq!(any.unwrap(), Path::new("/dev/video0"));
    }

    #[test]
    fn of_two_cameras_of_a_kind_none_is_guessed() {
        let second = Found {
            path: "/dev/video2".into(),
            by_id: Some("/dev/v4l/by-id/usb-second".into()),
            ..purethermal()
        };
        let text = choice(&[purethermal(), second]).unwrap_err();
        assert!(text.contains("/dev/v4l/by-id/usb-second"), "{text}");
    }

    #[test]
    fn a_camera_that_may_not_be_opened_is_said_to_be_so() {
        let closed = Found {
            formats: Vec::new(),
            refused: Some(access::Refusal {
                why: "this user may not".to_owned(),
                remedy: "join the group".to_owned(),
            }),
            ..purethermal()
        };
        let text = choice(&[closed]).unwrap_err();
        assert!(text.contains("join the group"), "{text}");
    }
}
