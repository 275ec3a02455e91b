//! Faces in a thermal picture: what a detector says of them.
//!
//! A detector is anything behind [`Detector`]; the one in use are the two networks in `models/`, run
//! by [`crate::detect`]: the first finds where a face might be ([`decode`]), the second takes a
//! closer look at each ([`closer`]). What goes into them and what comes out is decided here,
//! without the runner. Whether a face can be measured in a frame is another question
//! ([`quality`]); whether there is anything to look for at all comes before ([`gate`]). Nothing
//! here tells one person from another: there is no identity, by design.

pub mod closer;
pub mod decode;
pub mod gate;
pub mod quality;

use crate::thermal::ThermalFrame;
use crate::units::{PixelBox, PixelPoint};

/// Points of a face, pixels, image-left first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// Centre of the eye at the left of the picture.
    pub left_eye: PixelPoint,
    /// Centre of the eye at the right of the picture.
    pub right_eye: PixelPoint,
    /// Inner canthus (the corner towards the nose) of the left eye.
    pub left_canthus: PixelPoint,
    /// Inner canthus of the right eye.
    pub right_canthus: PixelPoint,
    /// Tip of the nose.
    pub nose: PixelPoint,
    /// Corner of the mouth at the left of the picture.
    pub left_mouth: PixelPoint,
    /// Corner of the mouth at the right of the picture.
    pub right_mouth: PixelPoint,
    /// Middle of the forehead, between brows and hairline.
    pub forehead: PixelPoint,
}

impl Landmarks {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// Them all, in the order in which they are declared, which is the order on every wire.
    #[must_use]
    pub const fn points(&self) -> [PixelPoint; Self::COUNT] {
        [
            self.left_eye,
            self.right_eye,
            self.left_canthus,
            self.right_canthus,
            self.nose,
            self.left_mouth,
            self.right_mouth,
            self.forehead,
        ]
    }

    /// The inverse of [`Landmarks::points`].
    #[must_use]
    pub const fn from_points(points: [PixelPoint; Self::COUNT]) -> Self {
        let [
            left_eye,
            right_eye,
            left_canthus,
            right_canthus,
            nose,
            left_mouth,
            right_mouth,
            forehead,
        ] = points;
        Self {
            left_eye,
            right_eye,
            left_canthus,
            right_canthus,
            nose,
            left_mouth,
            right_mouth,
            forehead,
        }
    }
}

/// What hides parts of a face from a thermal camera: how likely it is, 0…1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Occlusion {
    /// Glasses. Glass is opaque at 8–14 µm: the canthi cannot be seen.
    pub glasses: f32,
    /// A mask over nose and mouth.
    pub mask: f32,
    /// Hat, hood, headscarf or hair over the forehead.
    pub brow: f32,
}

impl Occlusion {
    /// From this likelihood on something is taken to be there.
    const LIKELY: f32 = 0.5;

    /// Whether glasses are worn.
    #[must_use]
    pub fn has_glasses(&self) -> bool {
        self.glasses >= Self::LIKELY
    }

    /// Whether the forehead is covered.
    #[must_use]
    pub fn has_covered_brow(&self) -> bool {
        self.brow >= Self::LIKELY
    }
}

/// How a head is held, degrees; all zero looks straight at the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// Turned about the neck, positive to the right of the picture; ±90 is a profile.
    pub yaw_deg: f32,
    /// Nodding, positive downwards.
    pub pitch_deg: f32,
    /// Leaning in the plane of the picture, positive clockwise.
    pub roll_deg: f32,
}

/// What a closer look at one face told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// Where its points are.
    pub landmarks: Landmarks,
    /// What hides it.
    pub occlusion: Occlusion,
    /// How it is held.
    pub pose: Pose,
}

/// One face in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// Hairline to chin, cheek to cheek.
    pub area: PixelBox,
    /// What it looks like, where the detector says so.
    pub features: Option<Features>,
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

    /// Whether nothing in the last frame was even nearly taken for a face. A detector that cannot
    /// say is never sure.
    fn is_sure_of_nobody(&self) -> bool {
        false
    }
}

impl<D: Detector + ?Sized> Detector for &mut D {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        (**self).detect(frame)
    }

    fn is_sure_of_nobody(&self) -> bool {
        (**self).is_sure_of_nobody()
    }
}

impl<D: Detector + ?Sized> Detector for Box<D> {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        (**self).detect(frame)
    }

    fn is_sure_of_nobody(&self) -> bool {
        (**self).is_sure_of_nobody()
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
