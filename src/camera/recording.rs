//! A recorded film as a camera, and a camera's film as a recording.
//!
//! Replaying a lobby's recording must give the same events every time, so nothing here asks for
//! the time or sleeps: the stamps come from the file, and who wants the film at its own pace
//! waits between the calls.
//!
//! Blocking: reads and writes of the file.

use super::cptv::{CptvError, CptvHeader, CptvReader, CptvWriter};
use super::{Camera, CameraError, CameraInfo, Rotation};
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::thermal::ffc::FfcOrder;
use crate::thermal::radiometry::CountScale;
use crate::thermal::{RawFrame, Telemetry};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Frames a second where the file does not say: the FLIR Lepton's, which the format was made for
/// (its datasheet: 8.7 Hz; its recorders write 9).
const DEFAULT_FPS: u8 = 9;

/// Longest hole between two frames that is believed. A shutter event takes about 2 s; a camera
/// that was away longer than this was restarted, and then its clock means nothing.
const LONGEST_HOLE: Duration = Duration::from_mins(1);

/// A CPTV file, frame by frame, upright.
///
/// Counts are centikelvin (0.01 K). `sequence` is the frame's index in the film, from 0;
/// background pictures are passed over and not counted. Wall time is the file's, which nobody
/// vouches for: trust is [`ClockTrust::Unsynchronised`].
#[derive(Debug)]
pub struct Recording {
    reader: CptvReader<BufReader<File>>,
    path: String,
    info: CameraInfo,
    rotation: Rotation,
    boot: BootId,
    began: WallTime,
    pace: Pace,
    sequence: u64,
}

impl Recording {
    /// Opens a recording. `boot` goes into every stamp.
    ///
    /// # Errors
    /// [`CameraError::File`] where it cannot be opened, [`CameraError::Recording`] where it is not
    /// a recording.
    pub fn open(path: &Path, rotation: Rotation, boot: BootId) -> Result<Self, CameraError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| CameraError::File {
            path: name.clone(),
            source,
        })?;
        let reader = CptvReader::new(BufReader::new(file)).map_err(|error| told(&name, error))?;
        let header = reader.header();
        let fps = header.fps.unwrap_or(DEFAULT_FPS);
        let (width, height) = match rotation {
            Rotation::None | Rotation::Half => (header.width, header.height),
            Rotation::Clockwise90 | Rotation::Clockwise270 => (header.height, header.width),
        };
        Ok(Self {
            info: CameraInfo {
                name: path
                    .file_name()
                    .map_or_else(|| name.clone(), |file| file.to_string_lossy().into_owned()),
                width,
                height,
                fps: f64::from(fps),
                scale: CountScale::CentiKelvin,
            },
            began: WallTime((header.timestamp_us / 1000).cast_signed()),
            pace: Pace::new(fps),
            path: name,
            reader,
            rotation,
            boot,
            sequence: 0,
        })
    }

    /// What the file says of itself: who recorded it, when, with which camera.
    pub fn header(&self) -> &CptvHeader {
        self.reader.header()
    }
}

impl Camera for Recording {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        let frame = loop {
            match self.reader.next() {
                None => return Ok(None),
                Some(Err(error)) => return Err(told(&self.path, error)),
                Some(Ok(frame)) if frame.background => {}
                Some(Ok(frame)) => break frame,
            }
        };
        let added = frame.added.unwrap_or_default();
        let monotonic = self
            .pace
            .at(frame.time_on, frame.added.map(|it| it.gateway_time));
        let since = i64::try_from(monotonic.as_millis()).unwrap_or(i64::MAX);
        let sequence = self.sequence;
        self.sequence += 1;
        Ok(Some(RawFrame {
            stamp: Stamp {
                boot: self.boot,
                monotonic,
                wall: WallTime(self.began.0.saturating_add(since)),
                trust: ClockTrust::Unsynchronised,
            },
            sequence,
            counts: self.rotation.turn(frame.counts),
            telemetry: Telemetry {
                time_on: frame.time_on,
                last_ffc: frame.last_ffc,
                fpa: frame.camera_temperature,
                shutter_closed: added.shutter_closed,
                ffc_wanted: added.ffc_wanted,
                frame: added.frame,
                housing: added.housing,
            },
        }))
    }

    fn damaged(&self) -> u64 {
        0
    }

    /// What happened, happened.
    fn shutter(&mut self, _: FfcOrder) {}
}

/// Time since the first frame: the gateway's where it recorded the film itself, so that a replay
/// is what was lived through to the nanosecond; else from the camera's own clock.
///
/// The camera's clock is one of 32 bits of milliseconds, which wraps after 49.7 days; a restart of the
/// camera sets it back; and files exist that lack it. So only the step from frame to frame is
/// taken from it, and only where it is more than nothing and at most [`LONGEST_HOLE`]; else the
/// step is one frame's announced time. The result never runs backwards or stands still.
#[derive(Debug)]
struct Pace {
    frame_time: Duration,
    elapsed: Option<Duration>,
    previous: Option<Duration>,
    /// The gateway's time of the previous frame.
    lived: Option<Duration>,
}

impl Pace {
    fn new(fps: u8) -> Self {
        Self {
            frame_time: Duration::from_secs(1) / u32::from(fps.max(1)),
            elapsed: None,
            previous: None,
            lived: None,
        }
    }

    fn at(&mut self, time_on: Option<Duration>, lived: Option<Duration>) -> Duration {
        let ours = self
            .lived
            .zip(lived)
            .and_then(|(previous, now)| now.checked_sub(previous));
        self.lived = lived;
        let told = self.previous.zip(time_on).map(|(previous, now)| {
            let step = (now.as_millis() as u32).wrapping_sub(previous.as_millis() as u32);
            Duration::from_millis(u64::from(step))
        });
        let step = ours
            .filter(|step| !step.is_zero())
            .or(told.filter(|step| !step.is_zero() && *step <= LONGEST_HOLE))
            .unwrap_or(self.frame_time);
        let elapsed = self
            .elapsed
            .map_or(Duration::ZERO, |elapsed| elapsed.saturating_add(step));
        self.elapsed = Some(elapsed);
        self.previous = time_on;
        elapsed
    }
}

/// Keeps a camera's film as a CPTV file.
///
/// Counts are kept as centikelvin, upright as they come, so that [`Recording`] reads them back
/// without a turn: exact for cameras of 0.01 K and 0.1 K a count; others are rounded to 0.01 K (an
/// error of at most 0.005 K). Above 382 °C they are held at the end of the scale.
#[derive(Debug)]
pub struct RecordingWriter {
    writer: CptvWriter<BufWriter<File>>,
    path: String,
    scale: CountScale,
    frames: u64,
}

impl RecordingWriter {
    /// Begins a new file; one that exists is never overwritten. `began` is the wall time of the
    /// first frame, `device` the gateway's name.
    ///
    /// # Errors
    /// [`CameraError::File`] where there is such a file already or it cannot be made,
    /// [`CameraError::Recording`] where the camera's picture is too large or the disk is full.
    pub fn create(
        path: &Path,
        info: &CameraInfo,
        device: &str,
        began: WallTime,
    ) -> Result<Self, CameraError> {
        let name = path.display().to_string();
        let header = CptvHeader {
            width: info.width,
            height: info.height,
            timestamp_us: u64::try_from(began.0).unwrap_or(0).saturating_mul(1000),
            fps: Some(info.fps.round().clamp(1.0, 255.0) as u8),
            device_name: Some(device.to_owned()),
            model: Some(info.name.clone()),
            ..CptvHeader::default()
        };
        let file = File::create_new(path).map_err(|source| CameraError::File {
            path: name.clone(),
            source,
        })?;
        let writer = CptvWriter::create(BufWriter::new(file), &header)
            .map_err(|error| told(&name, error))?;
        Ok(Self {
            writer,
            path: name,
            scale: info.scale,
            frames: 0,
        })
    }

    /// Adds a frame. What the format keeps of its telemetry: see [`CptvWriter`].
    ///
    /// # Errors
    /// [`CameraError::Recording`]: another size than the camera announced, or the disk is full.
    pub fn write(&mut self, frame: &RawFrame) -> Result<(), CameraError> {
        let written = if self.scale == CountScale::CentiKelvin {
            self.writer.write(frame)
        } else {
            self.writer.write(&RawFrame {
                counts: frame
                    .counts
                    .mapv(|count| CountScale::CentiKelvin.count_of(self.scale.kelvin(count))),
                ..frame.clone()
            })
        };
        written.map_err(|error| told(&self.path, error))?;
        self.frames += 1;
        Ok(())
    }

    /// Frames written.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Ends the file and waits until it is on the disk. Without it the file lacks its end mark:
    /// its frames can be read, then the reader calls it cut short.
    ///
    /// # Errors
    /// [`CameraError::Recording`] or [`CameraError::File`] where the disk does not take it.
    pub fn finish(self) -> Result<(), CameraError> {
        let output = self
            .writer
            .finish()
            .map_err(|error| told(&self.path, error))?;
        let synced = output
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all());
        synced.map_err(|source| CameraError::File {
            path: self.path,
            source,
        })
    }
}

/// The recordings among these paths, in the order given: a file as it is, of a directory the
/// `.cptv` files in it by name. Other files of a directory and directories in it are passed over.
///
/// # Errors
/// [`CameraError::File`] where a path does not exist or a directory cannot be read.
pub fn recordings_in(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CameraError> {
    let mut found = Vec::new();
    for path in paths {
        let file_error = |source| CameraError::File {
            path: path.display().to_string(),
            source,
        };
        if fs::metadata(path).map_err(file_error)?.is_dir() {
            let mut inside = Vec::new();
            for entry in fs::read_dir(path).map_err(file_error)? {
                let candidate = entry.map_err(file_error)?.path();
                let named_so = candidate
                    .extension()
                    .is_some_and(|extension| extension.eq_ignore_ascii_case("cptv"));
                if named_so && candidate.is_file() {
                    inside.push(candidate);
                }
            }
            inside.sort();
            found.append(&mut inside);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn told(path: &str, error: CptvError) -> CameraError {
    let path = path.to_owned();
    match error {
        CptvError::Read(source) => CameraError::File { path, source },
        error => CameraError::Recording {
            path,
            problem: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Celsius;
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    fn info(scale: CountScale) -> CameraInfo {
        CameraInfo {
            name: "PureThermal".into(),
            width: 3,
            height: 2,
            fps: 8.7,
            scale,
        }
    }

    fn frame(millisecond: u64, counts: Array2<u16>) -> RawFrame {
        RawFrame {
            stamp: Stamp {
                boot: BootId(4),
                monotonic: Duration::from_millis(millisecond),
                wall: WallTime(0),
                trust: ClockTrust::Synchronised,
            },
            sequence: 99,
            counts,
            telemetry: Telemetry {
                time_on: Some(Duration::from_millis(millisecond)),
                last_ffc: Some(Duration::from_millis(7)),
                fpa: Celsius::new(26.25),
                ..Telemetry::default()
            },
        }
    }

    fn frames(camera: &mut Recording) -> Vec<RawFrame> {
        std::iter::from_fn(|| camera.next_frame().unwrap()).collect()
    }

    #[test]
    fn a_film_comes_back_turned_and_stamped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("门.cptv");
        let began = WallTime(1_582_000_000_123);
        let info = info(CountScale::CentiKelvin);
        let mut writer = RecordingWriter::create(&path, &info, "东门", began).unwrap();
        for millisecond in [5_000, 5_115, 7_115] {
            writer
                .write(&frame(millisecond, array![[1, 2, 3], [4, 5, 6]]))
                .unwrap();
        }
        assert_eq!(writer.frames(), 3);
        writer.finish().unwrap();

        let mut camera = Recording::open(&path, Rotation::Clockwise90, BootId(2)).unwrap();
        assert_eq!(camera.header().device_name.as_deref(), Some("东门"));
        assert_eq!(
            camera.info(),
            &CameraInfo {
                name: "门.cptv".into(),
                width: 2,
                height: 3,
                fps: 9.0,
                scale: CountScale::CentiKelvin,
            }
        );
        let film = frames(&mut camera);
        assert_eq!(film.len(), 3);
        assert_eq!(
            film[2],
            RawFrame {
                stamp: Stamp {
                    boot: BootId(2),
                    monotonic: Duration::from_millis(2_115),
                    wall: WallTime(1_582_000_002_238),
                    trust: ClockTrust::Unsynchronised,
                },
                sequence: 2,
                counts: array![[4, 1], [5, 2], [6, 3]],
                telemetry: Telemetry {
                    time_on: Some(Duration::from_millis(7_115)),
                    last_ffc: Some(Duration::from_millis(7)),
                    fpa: Celsius::new(26.25),
                    ..Telemetry::default()
                },
            }
        );
        assert_eq!(film[0].stamp.monotonic, Duration::ZERO);

        let text = RecordingWriter::create(&path, &info, "", began)
            .unwrap_err()
            .to_string();
        assert!(text.contains("门.cptv"), "an old recording is kept: {text}");
    }

    #[test]
    fn other_scales_are_kept_as_centikelvin() {
        let folder = tempfile::tempdir().unwrap();
        for (scale, count, kept) in [
            (CountScale::DeciKelvin, 3_095, 30_950),
            (CountScale::SixtyFourthKelvin, 19_799, 30_936),
            (CountScale::SixtyFourthKelvin, u16::MAX, u16::MAX),
        ] {
            let path = folder.path().join(format!("{scale:?}{count}.cptv"));
            let mut writer = RecordingWriter::create(&path, &info(scale), "", WallTime(0)).unwrap();
            writer
                .write(&frame(0, Array2::from_elem((2, 3), count)))
                .unwrap();
            writer.finish().unwrap();
            let mut camera = Recording::open(&path, Rotation::None, BootId(0)).unwrap();
            assert_eq!(frames(&mut camera)[0].counts[(0, 0)], kept);
        }
    }

    #[test]
    fn the_camera_s_clock_may_wrap_restart_or_be_missing() {
        let at = |steps: &[Option<u64>]| {
            let mut pace = Pace::new(10);
            steps
                .iter()
                .map(|time_on| {
                    pace.at(time_on.map(Duration::from_millis), None)
                        .as_millis()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(at(&[Some(500), Some(614), Some(2_614)]), [0, 114, 2_114]);
        let last = u64::from(u32::MAX);
        assert_eq!(at(&[Some(last), Some(113)]), [0, 114], "wraps");
        assert_eq!(
            at(&[Some(9_000), Some(50), Some(150)]),
            [0, 100, 200],
            "restarts"
        );
        assert_eq!(at(&[Some(9), Some(9)]), [0, 100], "stands still");
        assert_eq!(at(&[Some(0), Some(60_001)]), [0, 100], "leaps");
        assert_eq!(
            at(&[None, None, Some(7), Some(8)]),
            [0, 100, 200, 201],
            "is missing"
        );
    }

    #[test]
    fn the_gateway_s_own_time_goes_before_the_camera_s() {
        let mut pace = Pace::new(10);
        let mut at = |camera: u64, ours: Option<u64>| {
            let ours = ours.map(Duration::from_micros);
            let camera = Some(Duration::from_millis(camera));
            pace.at(camera, ours).as_micros()
        };
        assert_eq!(at(0, Some(70)), 0);
        assert_eq!(at(111, Some(111_570)), 111_500);
        // Longer than a camera's clock is believed: this clock is ours.
        assert_eq!(at(222, Some(100_000_070)), 100_000_000);
        assert_eq!(at(333, Some(5)), 100_111_000, "runs backwards");
        assert_eq!(at(433, None), 100_211_000, "is missing");
    }

    proptest! {
        #[test]
        fn time_never_runs_backwards(
            fps in any::<u8>(),
            times in proptest::collection::vec(proptest::option::of(any::<u32>()), 1..40),
        ) {
            let mut pace = Pace::new(fps);
            let stamps: Vec<_> = times
                .iter()
                .map(|time| pace.at(time.map(|ms| Duration::from_millis(u64::from(ms))), None))
                .collect();
            prop_assert_eq!(stamps[0], Duration::ZERO);
            for pair in stamps.windows(2) {
                let step = pair[1].checked_sub(pair[0]).unwrap();
                prop_assert!(step > Duration::ZERO && step <= LONGEST_HOLE);
            }
        }
    }

    #[test]
    fn directories_are_listed_by_name_and_other_files_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("in");
        fs::create_dir_all(inside.join("directory.cptv")).unwrap();
        for name in ["in/b.cptv", "in/a.CPTV", "in/index.csv", "z.cptv"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        let given = folder.path().join("z.cptv");
        assert_eq!(
            recordings_in(&[given.clone(), inside.clone()]).unwrap(),
            [given, inside.join("a.CPTV"), inside.join("b.cptv")]
        );
        let nowhere = folder.path().join("nowhere");
        let text = recordings_in(&[nowhere]).unwrap_err().to_string();
        assert!(text.contains("nowhere"), "{text}");
    }

    #[test]
    fn what_is_no_recording_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holiday.cptv");
        let refusal = || {
            Recording::open(&path, Rotation::None, BootId(0))
                .unwrap_err()
                .to_string()
        };
        assert!(refusal().contains("holiday.cptv"));
        fs::write(&path, b"a picture of the sea").unwrap();
        let text = refusal();
        assert!(
            text.contains("holiday.cptv") && text.contains("not gzip"),
            "{text}"
        );
    }
}
