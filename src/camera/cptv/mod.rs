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
    fn packed_sizes_round_up() {
        assert_eq!(packed_size(1, 32), 4);
        assert_eq!(packed_size(3, 9), 7);
        assert_eq!(packed_size(160 * 120, 12), 4 + 28_799);
    }
}
