//! Thermal cameras on Video for Linux (V4L2), as 16-bit grey pictures (`Y16`): the PureThermal
//! board with a FLIR Lepton, and others of the kind.
//!
//! A driver answers a request for a format by what it can do, not by an error, so what it answers
//! is compared with what was asked. A UVC camera has a second node for metadata, which is told by
//! its capabilities. A camera that was unplugged may come back under another number, so it is
//! best named by its link under `/dev/v4l/by-id`.
//!
//! Blocking: [`V4lCamera::next_frame`](Camera::next_frame) waits at most for the time-out that it
//! was opened with. Opening and [`discover`] take what the driver takes.
//!
//! Numbers: 160 × 122 is the Lepton's 160 × 120 with two rows of telemetry below (FLIR Lepton
//! Engineering Datasheet; sizes as PureThermal's firmware announces them).

mod stream;

use super::{Camera, CameraError, CameraInfo, Rotation};
use crate::clock::Clock;
use crate::thermal::radiometry::CountScale;
use crate::thermal::{RawFrame, Telemetry};
use ndarray::Array2;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stream::{Fault, Format, FourCc, Node, Stream};

/// 16-bit grey, little-endian.
const Y16: FourCc = *b"Y16 ";

/// Sizes that are a picture with rows of telemetry below: width, height, rows of the picture.
const WITH_TELEMETRY: [(u32, u32, u32); 1] = [(160, 122, 120)];

/// Frames a second where the driver does not say: the Lepton's, rounded (datasheet: 8.7 Hz).
const DEFAULT_FPS: f64 = 9.0;

/// Which camera, and how to read it.
#[derive(Clone, Debug, PartialEq)]
pub struct V4lSettings {
    /// Its node, e.g. `/dev/video0`, or better its link under `/dev/v4l/by-id`. `None`: the first
    /// capture node with 16-bit pictures.
    pub device: Option<PathBuf>,
    /// Width and height of the picture in pixels, as the sensor has it, without telemetry.
    /// `None`: the largest that the camera offers.
    pub size: Option<(u32, u32)>,
    /// What a count means.
    pub scale: CountScale,
    /// The turn that sets people upright.
    pub rotation: Rotation,
    /// How long to wait for a frame. A shutter event stops a Lepton for about 2 s.
    pub timeout: Duration,
}

impl Default for V4lSettings {
    /// The first camera, its own size, centikelvin, not turned, 5 s.
    fn default() -> Self {
        Self {
            device: None,
            size: None,
            scale: CountScale::CentiKelvin,
            rotation: Rotation::None,
            timeout: Duration::from_secs(5),
        }
    }
}

/// A pixel format and its sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Four letters, e.g. `Y16`; blanks at the end are left out.
    pub fourcc: String,
    /// Width and height in pixels; empty where the driver takes any in a range.
    pub sizes: Vec<(u32, u32)>,
}

impl fmt::Display for Offer {
    /// `Y16 160×120, 160×122`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fourcc)?;
        for (number, (width, height)) in self.sizes.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma} {width}×{height}")?;
        }
        Ok(())
    }
}

/// A capture node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its node, e.g. `/dev/video0`.
    pub path: PathBuf,
    /// The camera's name, cut to 31 characters by the kernel.
    pub card: String,
    /// The driver, e.g. `uvcvideo`.
    pub driver: String,
    /// Where it is plugged in.
    pub bus: String,
    /// Its link under `/dev/v4l/by-id`, which stays the same after re-plugging.
    pub by_id: Option<PathBuf>,
    /// What it offers, in the driver's order.
    pub formats: Vec<Offer>,
}

impl Found {
    /// Whether it gives 16-bit grey pictures.
    pub fn has_y16(&self) -> bool {
        self.formats.iter().any(|offer| offer.fourcc == "Y16")
    }
}

impl fmt::Display for Found {
    /// `/dev/video0 (PureThermal: UYVY 160×120; Y16 160×120)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}: ", self.path.display(), self.card)?;
        write!(f, "{})", listed(&self.formats, "; "))
    }
}

/// Every capture node of this machine, by number. Metadata nodes are left out, and so are nodes
/// that may not be opened (which the log tells at level debug).
pub fn discover() -> Vec<Found> {
    let mut numbers: Vec<u32> = fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.strip_prefix("video")?.parse().ok()
        })
        .collect();
    numbers.sort_unstable();
    numbers
        .into_iter()
        .filter_map(|number| look(PathBuf::from(format!("/dev/video{number}"))))
        .collect()
}

fn look(path: PathBuf) -> Option<Found> {
    let opened = Node::open(&path).and_then(|node| Ok((node.capability()?, node)));
    match opened {
        Ok((capability, node)) => capability.captures.then(|| Found {
            by_id: link_by_id(&path),
            path,
            card: capability.card,
            driver: capability.driver,
            bus: capability.bus,
            formats: offers(&node),
        }),
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "video node passed over");
            None
        }
    }
}

fn link_by_id(node: &Path) -> Option<PathBuf> {
    let mut links: Vec<PathBuf> = fs::read_dir("/dev/v4l/by-id")
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|link| fs::canonicalize(link).is_ok_and(|target| target == node))
        .collect();
    links.sort();
    links.into_iter().next()
}

fn offers(node: &Node) -> Vec<Offer> {
    let offer = |fourcc: FourCc| Offer {
        fourcc: String::from_utf8_lossy(&fourcc).trim_end().to_owned(),
        sizes: node.sizes(fourcc),
    };
    node.formats().into_iter().map(offer).collect()
}

fn listed<T: fmt::Display>(things: &[T], between: &str) -> String {
    if things.is_empty() {
        return "nothing".into();
    }
    let words: Vec<String> = things.iter().map(ToString::to_string).collect();
    words.join(between)
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
}

/// A V4L2 camera that streams. Dropping it stops the stream and frees the device.
pub struct V4lCamera {
    device: String,
    stream: Stream,
    layout: Layout,
    info: CameraInfo,
    rotation: Rotation,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    buffer: Vec<u8>,
    sequence: Sequence,
    driver_time: Option<Duration>,
    frames: u64,
    gone: bool,
}

impl fmt::Debug for V4lCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("V4lCamera")
            .field("info", &self.info)
            .field("layout", &self.layout)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl V4lCamera {
    /// Opens a camera, agrees on a size with its driver and starts the stream. Frames are stamped
    /// by `clock` when they are taken over.
    ///
    /// # Errors
    /// [`CameraError::Device`]: no such camera, not allowed, in use, no 16-bit pictures, or not
    /// of the size asked for. It says what there is.
    pub fn open(settings: &V4lSettings, clock: Arc<dyn Clock>) -> Result<Self, CameraError> {
        let path = match &settings.device {
            Some(path) => path.clone(),
            None => first_camera()?,
        };
        let device = path.display().to_string();
        let problem = |problem: String| CameraError::Device {
            device: device.clone(),
            problem,
        };
        let failed = |doing: &str, error: &io::Error| problem(told(doing, error));

        let node = Node::open(&path).map_err(|error| failed("open it", &error))?;
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
        let offers = offers(&node);
        if !offers.iter().any(|offer| offer.fourcc == "Y16") {
            return Err(problem(format!(
                "{} gives no 16-bit pictures (Y16), only {}; is it a thermal camera, and in its \
                 radiometric mode?",
                capability.card,
                listed(&offers, "; ")
            )));
        }
        let wanted = match settings.size {
            Some(size) => size,
            None => native(&node).map_err(|error| failed("ask its size", &error))?,
        };
        let format = node
            .set_format(Y16, wanted)
            .map_err(|error| failed("set its format", &error))?;
        let layout = Layout::agree(wanted, format)
            .map_err(|text| problem(format!("{text}; it offers {}", listed(&offers, "; "))))?;
        let fps = node.frame_rate().unwrap_or(DEFAULT_FPS);
        let stream = Stream::start(node, layout.stride * layout.rows_sent)
            .map_err(|error| failed("start it", &error))?;
        let (width, height) = match settings.rotation {
            Rotation::None | Rotation::Half => (layout.width, layout.height),
            Rotation::Clockwise90 | Rotation::Clockwise270 => (layout.height, layout.width),
        };
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
            layout,
            rotation: settings.rotation,
            timeout: settings.timeout,
            clock,
            buffer: Vec::new(),
            sequence: Sequence::default(),
            driver_time: None,
            frames: 0,
            gone: false,
        })
    }

    /// How many frames came and were lost on this side of the driver.
    pub fn counts(&self) -> V4lCounts {
        let lost = self.stream.counts();
        V4lCounts {
            frames: self.frames,
            skipped: lost.skipped,
            damaged: lost.damaged,
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
        match self.stream.next(self.timeout, &now, &mut self.buffer) {
            Ok(taken) => {
                let stamp = self.clock.now();
                let counts = self.layout.picture(&self.buffer);
                self.frames += 1;
                self.driver_time = taken.driver_time;
                Ok(Some(RawFrame {
                    stamp,
                    sequence: self.sequence.extend(taken.sequence),
                    counts: self.rotation.turn(counts),
                    telemetry: Telemetry::default(),
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
}

fn first_camera() -> Result<PathBuf, CameraError> {
    let found = discover();
    match found.iter().find(|found| found.has_y16()) {
        Some(found) => Ok(found.path.clone()),
        None => Err(CameraError::Device {
            device: "/dev/video*".into(),
            problem: format!(
                "no camera with 16-bit pictures (Y16) was found among: {}; plug it in, and see \
                 that this user may open it (group video)",
                listed(&found, ", ")
            ),
        }),
    }
}

/// The largest picture on offer, without telemetry rather than with; where the driver lists no
/// sizes, the one it stands at.
fn native(node: &Node) -> io::Result<(u32, u32)> {
    let has_telemetry = |(width, height): (u32, u32)| {
        WITH_TELEMETRY
            .iter()
            .any(|(w, sent, _)| (width, height) == (*w, *sent))
    };
    let largest = node.sizes(Y16).into_iter().max_by_key(|size| {
        let pixels = u64::from(size.0) * u64::from(size.1);
        (!has_telemetry(*size), pixels)
    });
    match largest {
        Some(size) => Ok(size),
        None => node.format().map(|format| (format.width, format.height)),
    }
}

fn told(doing: &str, error: &io::Error) -> String {
    let hint = match error.raw_os_error() {
        Some(libc::EBUSY) => "another program uses it: stop that one first",
        Some(libc::EACCES | libc::EPERM) => "add this user to the group video",
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
            "plug the camera in and look for its name under /dev/v4l/by-id"
        }
        Some(libc::ENOTTY) => "this is no camera: name a node like /dev/video0",
        _ => "unplug the camera and plug it in again",
    };
    format!("cannot {doing} ({error}): {hint}")
}

/// How the picture lies in a frame's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    width: usize,
    /// Rows of the picture.
    height: usize,
    /// Rows sent: those of the picture, then those of telemetry.
    rows_sent: usize,
    /// Bytes from row to row.
    stride: usize,
}

impl Layout {
    /// Compares what the driver set up with what was asked for.
    fn agree(wanted: (u32, u32), format: Format) -> Result<Self, String> {
        let Format {
            fourcc,
            width,
            height,
            stride,
        } = format;
        let rows = WITH_TELEMETRY
            .iter()
            .find(|(w, sent, _)| (*w, *sent) == (width, height))
            .map_or(height, |(_, _, rows)| *rows);
        let as_asked = wanted == (width, height) || wanted == (width, rows);
        if fourcc != Y16 || !as_asked {
            return Err(format!(
                "asked for Y16 {}×{}, but the driver gives {} {width}×{height}",
                wanted.0,
                wanted.1,
                String::from_utf8_lossy(&fourcc).trim_end(),
            ));
        }
        // Some drivers leave the stride at 0 where rows have no gap.
        let least = width.saturating_mul(2);
        let stride = if stride == 0 { least } else { stride };
        if width == 0 || height == 0 || stride < least {
            return Err(format!(
                "the driver gives {width}×{height} in rows of {stride} bytes, which is no picture"
            ));
        }
        Ok(Self {
            width: width as usize,
            height: rows as usize,
            rows_sent: height as usize,
            stride: stride as usize,
        })
    }

    /// The picture in a frame's bytes, without telemetry.
    fn picture(&self, bytes: &[u8]) -> Array2<u16> {
        let mut picture = Array2::zeros((self.height, self.width));
        for (mut pixels, row) in picture
            .rows_mut()
            .into_iter()
            .zip(bytes.chunks(self.stride))
        {
            for (pixel, count) in pixels.iter_mut().zip(row.chunks_exact(2)) {
                if let [low, high] = count {
                    *pixel = u16::from_le_bytes([*low, *high]);
                }
            }
        }
        picture
    }
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
    use super::*;
    use crate::clock::{BootId, SystemClock};
    use ndarray::array;

    fn format(fourcc: FourCc, width: u32, height: u32, stride: u32) -> Format {
        Format {
            fourcc,
            width,
            height,
            stride,
        }
    }

    #[test]
    fn what_the_driver_answers_is_compared() {
        let plain = Layout::agree((160, 120), format(*b"Y16 ", 160, 120, 320)).unwrap();
        assert_eq!((plain.height, plain.rows_sent), (120, 120));
        for wanted in [(160, 120), (160, 122)] {
            let telemetry = Layout::agree(wanted, format(*b"Y16 ", 160, 122, 0)).unwrap();
            assert_eq!(
                (telemetry.height, telemetry.rows_sent, telemetry.stride),
                (120, 122, 320)
            );
        }
        let text = Layout::agree((640, 480), format(*b"Y16 ", 160, 122, 320)).unwrap_err();
        assert!(
            text.contains("640×480") && text.contains("160×122"),
            "{text}"
        );
        let text = Layout::agree((160, 120), format(*b"UYVY", 160, 120, 320)).unwrap_err();
        assert!(text.contains("UYVY"), "{text}");
        assert!(Layout::agree((160, 120), format(*b"Y16 ", 160, 120, 319)).is_err());
        assert!(Layout::agree((0, 0), format(*b"Y16 ", 0, 0, 0)).is_err());
    }

    #[test]
    fn gaps_and_telemetry_are_no_pixels() {
        let layout = Layout {
            width: 2,
            height: 2,
            rows_sent: 3,
            stride: 5,
        };
        let bytes = [1, 0, 0, 1, 9, 2, 0, 0xff, 0xff, 9, 7, 7, 7, 7, 9];
        assert_eq!(layout.picture(&bytes), array![[1, 256], [2, 65_535]]);
    }

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
            text.contains("nobody") && text.contains("plug the camera in"),
            "{text}"
        );
        let text = open("/dev/null");
        assert!(text.contains("this is no camera"), "{text}");
        let busy = told("start it", &io::Error::from_raw_os_error(libc::EBUSY));
        assert!(busy.contains("another program"), "{busy}");
    }

    #[test]
    fn offers_are_listed_for_people() {
        let offer = Offer {
            fourcc: "Y16".into(),
            sizes: vec![(160, 120), (160, 122)],
        };
        assert_eq!(offer.to_string(), "Y16 160×120, 160×122");
        assert_eq!(listed::<Offer>(&[], "; "), "nothing");
    }
}
