//! Recordings in the CPTV format, version 2: reading and writing.
//!
//! Why this format: it is what thermal cameras of this kind were recorded with in lobbies, it is
//! lossless, and it keeps the camera's own clock and its last shutter event beside every frame.
//!
//! Source: the public description of the format by the Cacophony Project (SPECv2 of go-cptv), and
//! for what that leaves out (the packing of the pixels, the fields of a frame) the behaviour of
//! its published readers. In short:
//!
//! - The file is gzip, in one or several members. All numbers are little-endian.
//! - `CPTV`, one byte 2, then sections: a letter, a count of fields, the fields. A field is one
//!   byte of length, one letter, the data. First one section `H`, then a section `F` for every
//!   frame, each followed by its pixels.
//! - Pixels run in a snake: the first row from the left, the second from the right, and so on.
//!   Along it stand the differences to the previous frame, and of these the differences from
//!   pixel to pixel: the first as 32 bits, the others packed, highest bit first, in two's
//!   complement of the width that the frame's field `w` gives.
//! - Readers pass over fields that they do not know. The gateway adds one to each frame, `m`, so that a
//!   replay is what was lived through: the gateway's own time, and what a Lepton says beside its time.
//! - Sums are taken modulo 2¹⁶: writers exist that let differences overflow, and nothing is lost
//!   by it.
//!
//! Blocking: reads and writes block as the file beneath does. No thread, no clock.
//!
//! Memory is bounded whatever a file says: pictures of at most [`MAX_SIDE`] × [`MAX_SIDE`], two
//! frames and one packed frame at a time, and nothing is reserved on the word of a length field.
//! A reader never collects frames: a file of any length is streamed.

mod read;
mod write;

pub use read::CptvReader;
pub use write::CptvWriter;

use crate::thermal::RawFrame;
use crate::units::Celsius;
use ndarray::Array2;
use std::io;
use std::time::Duration;

/// Longest side of a picture that is read or written, pixels. The largest uncooled sensors in
/// sale (1024 × 768) fit; a damaged header does not get to ask for more.
pub const MAX_SIDE: usize = 1024;

const MAGIC: &[u8; 4] = b"CPTV";
const VERSION: u8 = 2;
/// The packing described above; the only one that is in use.
const COMPRESSION: u8 = 1;

/// What a recording says of itself. Places (latitude and so on) and the settings of a motion
/// detector are passed over: the gateway has no use for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CptvHeader {
    /// Pixels from left to right, as the sensor has it: 1…[`MAX_SIDE`].
    pub width: usize,
    /// Pixels from top to bottom, as the sensor has it: 1…[`MAX_SIDE`].
    pub height: usize,
    /// When the recording began, microseconds since 1970-01-01 UTC by the recorder's wall clock.
    pub timestamp_us: u64,
    /// Frames a second; `None` where the file does not say, or says 0.
    pub fps: Option<u8>,
    /// The recorder's name.
    pub device_name: Option<String>,
    /// The recorder's number.
    pub device_id: Option<u32>,
    /// The camera's serial number.
    pub camera_serial: Option<u32>,
    /// Who made the camera, e.g. `flir`.
    pub brand: Option<String>,
    /// Which camera, e.g. `lepton3.5`.
    pub model: Option<String>,
    /// The camera's firmware.
    pub firmware: Option<String>,
    /// Seconds before the event that started the recording.
    pub preview_secs: Option<u8>,
    /// How many frames are said to be a background picture, not part of the film.
    pub background_frames: u8,
    /// How many frames the file says that it has; not to be relied on.
    pub frames_announced: Option<u16>,
}

/// One frame of a recording, as the sensor has it (not yet turned).
#[derive(Clone, Debug, PartialEq)]
pub struct CptvFrame {
    /// Counts, rows × columns; 0.01 K each where the camera was a Lepton in TLinear mode.
    pub counts: Array2<u16>,
    /// Since the camera was switched on; wraps to 0 after 2³² ms (49.7 days).
    pub time_on: Option<Duration>,
    /// `time_on` of the last shutter event (FFC).
    pub last_ffc: Option<Duration>,
    /// Temperature of the camera; 0 °C exactly is what writers put where they do not know.
    pub camera_temperature: Option<Celsius>,
    /// Temperature of the camera at its last shutter event, with the same exception.
    pub last_ffc_temperature: Option<Celsius>,
    /// Whether this is a background picture rather than a frame of the film.
    pub background: bool,
    /// What the gateway adds where it recorded the film itself.
    pub added: Option<Added>,
}

/// The field `m`: what the format has no place for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Added {
    /// The gateway's time since its start.
    pub gateway_time: Duration,
    /// Whether the shutter was closed.
    pub shutter_closed: Option<bool>,
    /// Whether the camera wished for a flat-field correction.
    pub ffc_wanted: Option<bool>,
    /// The sensor's count of frames.
    pub frame: Option<u32>,
    /// Temperature of the housing.
    pub housing: Option<Celsius>,
}

impl Added {
    /// Letter of the field.
    const CODE: u8 = b'm';

    fn of(frame: &RawFrame) -> Self {
        Self {
            gateway_time: frame.stamp.monotonic,
            shutter_closed: frame.telemetry.shutter_closed,
            ffc_wanted: frame.telemetry.ffc_wanted,
            frame: frame.telemetry.frame,
            housing: frame.telemetry.housing,
        }
    }

    /// Nanoseconds (8 bytes), one byte of flags, the frame (4), the housing in °C (4).
    fn bytes(self) -> [u8; 17] {
        let two = |told: Option<bool>| told.map_or(0, |it| 1 | (u8::from(it) << 1));
        let flags = two(self.shutter_closed)
            | (two(self.ffc_wanted) << 2)
            | (u8::from(self.frame.is_some()) << 4)
            | (u8::from(self.housing.is_some()) << 5);
        let mut bytes = [0; 17];
        let time = u64::try_from(self.gateway_time.as_nanos()).unwrap_or(u64::MAX);
        bytes[..8].copy_from_slice(&time.to_le_bytes());
        bytes[8] = flags;
        bytes[9..13].copy_from_slice(&self.frame.unwrap_or_default().to_le_bytes());
        let housing = self.housing.map_or(0.0, Celsius::degrees) as f32;
        bytes[13..].copy_from_slice(&housing.to_le_bytes());
        bytes
    }

    /// `None` for a field of another length: another writer's.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk::<8>()?;
        let (flags, rest) = rest.split_first()?;
        let (frame, rest) = rest.split_first_chunk::<4>()?;
        let housing = f32::from_le_bytes(rest.try_into().ok()?);
        let bit = |number: u8| (flags >> number) & 1 == 1;
        Some(Self {
            gateway_time: Duration::from_nanos(u64::from_le_bytes(*time)),
            shutter_closed: bit(0).then(|| bit(1)),
            ffc_wanted: bit(2).then(|| bit(3)),
            frame: bit(4).then(|| u32::from_le_bytes(*frame)),
            housing: bit(5).then(|| Celsius::new(f64::from(housing))).flatten(),
        })
    }
}

/// Why a recording cannot be read, or not to its end. Frames are counted from 0, background
/// pictures included.
#[derive(Debug, thiserror::Error)]
pub enum CptvError {
    /// Another kind of file.
    #[error("not a CPTV recording: {0}; give a .cptv file")]
    NotCptv(&'static str),
    /// Another version of the format.
    #[error("CPTV version {0} cannot be read, only version 2: convert the file first")]
    Version(u8),
    /// The pixels are packed in an unknown way.
    #[error("CPTV compression {0} cannot be read, only 1: convert the file first")]
    Compression(u8),
    /// The header makes no sense.
    #[error("the header is damaged ({0}): copy the file again from where it came")]
    Header(String),
    /// A picture of impossible size.
    #[error(
        "the picture is said to be {width}×{height} pixels, but 1×1 to {MAX_SIDE}×{MAX_SIDE} are \
         taken: copy the file again from where it came"
    )]
    Size {
        /// Pixels from left to right.
        width: u64,
        /// Pixels from top to bottom.
        height: u64,
    },
    /// The file ends before its first frame is whole.
    #[error("cut short in the header, there is no frame: copy or record the file again")]
    HeaderCut,
    /// The file ends in a frame.
    #[error(
        "cut short in frame {frame} (counted from 0): the {frame} frames before it are whole; copy \
         the file again for the rest"
    )]
    Cut {
        /// The frame that is not whole.
        frame: u64,
    },
    /// A frame makes no sense.
    #[error(
        "damaged at frame {frame} (counted from 0): {problem}; the frames before it were read, \
         copy the file again for the rest"
    )]
    Damaged {
        /// The frame, or the number of frames where the damage is after the last one.
        frame: u64,
        /// What is wrong.
        problem: String,
    },
    /// The file beneath fails.
    #[error("cannot be read any further: {0}")]
    Read(io::Error),
    /// The file beneath fails.
    #[error("cannot be written: {0}; is the disk full?")]
    Write(io::Error),
    /// A frame that does not fit the recording.
    #[error(
        "a frame of {width}×{height} pixels does not fit a recording of {expected_width}×\
         {expected_height}: start a new recording"
    )]
    Misfit {
        /// The frame's.
        width: usize,
        /// The frame's.
        height: usize,
        /// The recording's.
        expected_width: usize,
        /// The recording's.
        expected_height: usize,
    },
}

/// Index in the picture (row by row) of each place along the snake.
fn snake(width: usize, height: usize) -> impl Iterator<Item = usize> {
    (0..height).flat_map(move |row| {
        (0..width).map(move |step| {
            let column = if row % 2 == 0 { step } else { width - 1 - step };
            row * width + column
        })
    })
}

/// Bytes of a packed frame of so many pixels: the first difference, then the others.
fn packed_size(pixels: usize, bits: u32) -> usize {
    4 + (pixels.saturating_sub(1) * bits as usize).div_ceil(8)
}

/// Milliseconds as the format has them.
fn milliseconds(value: u32) -> Duration {
    Duration::from_millis(u64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snake_turns_at_each_row() {
        assert_eq!(snake(3, 3).collect::<Vec<_>>(), [0, 1, 2, 5, 4, 3, 6, 7, 8]);
        assert_eq!(snake(1, 2).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn what_the_gateway_adds_is_told_apart_from_what_it_does_not_know() {
        for added in [
            Added::default(),
            Added {
                gateway_time: Duration::new(4_000, 123_456_789),
                shutter_closed: Some(true),
                ffc_wanted: Some(false),
                frame: Some(u32::MAX),
                housing: Celsius::new(26.5),
            },
            Added {
                shutter_closed: Some(false),
                ffc_wanted: Some(true),
                ..Added::default()
            },
        ] {
            assert_eq!(Added::read(&added.bytes()), Some(added));
        }
        assert_eq!(Added::read(&[0; 16]), None);
        assert_eq!(Added::read(&[0; 18]), None);
        let no_number = [0xff; 17];
        assert_eq!(Added::read(&no_number).map(|it| it.housing), Some(None));
    }

    #[test]
    fn packed_sizes_round_up() {
        assert_eq!(packed_size(1, 32), 4);
        assert_eq!(packed_size(3, 9), 7);
        assert_eq!(packed_size(160 * 120, 12), 4 + 28_799);
    }
}
