//! Sources of frames, behind one trait: recordings, the simulator, and V4L2 cameras.
//!
//! A camera blocks in [`Camera::next_frame`] until there is a frame; it runs on a thread of its
//! own. Frames leave here upright (rotation is done here) and stamped.

pub mod cptv;
pub mod layout;
pub mod lepton;
pub mod recording;
pub mod ring;
pub mod simulator;
pub mod v4l;

use crate::thermal::RawFrame;
use crate::thermal::ffc::FfcOrder;
use crate::thermal::radiometry::CountScale;
use ndarray::{Array2, ArrayViewMut2, s};

/// What a camera is.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraInfo {
    /// For people: what and where, e.g. `PureThermal /dev/video0` or a file's name.
    pub name: String,
    /// Pixels from left to right, after rotation.
    pub width: usize,
    /// Pixels from top to bottom, after rotation.
    pub height: usize,
    /// Frames a second, as announced.
    pub fps: f64,
    /// What a count means.
    pub scale: CountScale,
}

/// Clockwise turn that sets people upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// As the sensor has it.
    #[default]
    None,
    /// A quarter turn.
    Clockwise90,
    /// Upside down.
    Half,
    /// Three quarter turns.
    Clockwise270,
}

impl Rotation {
    /// From degrees clockwise: 0, 90, 180 or 270.
    #[must_use]
    pub const fn from_degrees(degrees: u16) -> Option<Self> {
        match degrees {
            0 => Some(Self::None),
            90 => Some(Self::Clockwise90),
            180 => Some(Self::Half),
            270 => Some(Self::Clockwise270),
            _ => None,
        }
    }

    /// The picture, turned.
    #[must_use]
    pub fn turn(self, counts: Array2<u16>) -> Array2<u16> {
        let turned = match self {
            Self::None => return counts,
            Self::Clockwise90 => counts.t().slice_move(s![.., ..;-1]).to_owned(),
            Self::Half => counts.slice_move(s![..;-1, ..;-1]),
            Self::Clockwise270 => counts.t().slice_move(s![..;-1, ..]).to_owned(),
        };
        turned.as_standard_layout().into_owned()
    }

    /// A picture that is to be upright, seen as the sensor sends it: what is written there row by row
    /// comes to stand turned.
    fn as_sent(self, upright: ArrayViewMut2<'_, u16>) -> ArrayViewMut2<'_, u16> {
        match self {
            Self::None => upright,
            Self::Clockwise90 => upright.slice_move(s![.., ..;-1]).reversed_axes(),
            Self::Half => upright.slice_move(s![..;-1, ..;-1]),
            Self::Clockwise270 => upright.slice_move(s![..;-1, ..]).reversed_axes(),
        }
    }
}

/// What keeps a camera from giving frames.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// A file that cannot be opened or read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A recording that is not what it should be.
    #[error("{path}: {problem}")]
    Recording {
        /// Which.
        path: String,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A device that cannot be used.
    #[error("{device}: {problem}")]
    Device {
        /// Which.
        device: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// No frame came in time; the camera may still come back.
    #[error("{device}: no frame within {milliseconds} ms")]
    Silent {
        /// Which.
        device: String,
        /// How long it was waited for.
        milliseconds: u64,
    },
    /// The camera was unplugged.
    #[error("{device}: unplugged")]
    Unplugged {
        /// Which.
        device: String,
    },
}

/// A source of frames. No method has a default: one camera is wrapped in another, and a wrapper that
/// forgot to pass an order on would leave a shutter closed to every order, without a word.
pub trait Camera: Send {
    /// What it is.
    fn info(&self) -> &CameraInfo;

    /// Waits for the next frame; `None` at the end of a source that has an end.
    ///
    /// # Errors
    /// [`CameraError`]. After `Silent` the call may be repeated; after any other error the camera
    /// must be opened anew.
    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError>;

    /// Frames so far that came damaged and were thrown away.
    fn damaged(&self) -> u64;

    /// Tells the camera what to do with its shutter, where it can be told. Nothing waits for it: the
    /// frames show what came of it.
    fn shutter(&mut self, order: FfcOrder);
}
