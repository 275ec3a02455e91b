//! Faces in a thermal picture: what a detector says of them.
//!
//! A detector is anything behind [`Detector`]; the one in use is the network in `models/`, run by
//! [`crate::detect`]. What its outputs mean ([`decode`]) is decided here, without the runner.
//! Nothing here tells one person from another: there is no identity, by design.

pub mod decode;

use crate::thermal::ThermalFrame;
use crate::units::{PixelBox, PixelPoint};

/// Points of a face, pixels, image-left first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// Centre of the eye at the left of the picture.
    pub left_eye: PixelPoint,
    /// Centre of the eye at the right of the picture.
    pub right_eye: PixelPoint,
    /// Tip of the nose.
    pub nose: PixelPoint,
    /// Corner of the mouth at the left of the picture.
    pub left_mouth: PixelPoint,
    /// Corner of the mouth at the right of the picture.
    pub right_mouth: PixelPoint,
}

/// One face in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// Hairline to chin, cheek to cheek.
    pub area: PixelBox,
    /// Points, where the detector gives them.
    pub landmarks: Option<Landmarks>,
    /// How sure the detector is, 0…1.
    pub score: f32,
}

/// Finds the faces of a frame: pure, no clock, no I/O; the same frame gives the same faces.
pub trait Detector: Send {
    /// The faces, best first. None is an answer, too.
    ///
    /// # Errors
    /// Where the detector itself failed; the frame then counts as not judged.
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError>;
}

impl<D: Detector + ?Sized> Detector for &mut D {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        (**self).detect(frame)
    }
}

impl<D: Detector + ?Sized> Detector for Box<D> {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        (**self).detect(frame)
    }
}

/// A detector that could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectorError(pub String);

impl std::fmt::Display for DetectorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "face detector failed: {}", self.0)
    }
}

impl std::error::Error for DetectorError {}
