//! What is true in a simulated frame, for tests, for training and for judging a detector.
//!
//! [`FrameTruth`] is the value; [`WireTruth`] is how it is written, one JSON object a line, beside
//! a recording. The two are apart so that a field is renamed on the wire on purpose only.

use super::scenario::Facing;
use crate::face::Landmarks;
use crate::units::{PixelBox, PixelPoint};
use serde::{Deserialize, Serialize};

/// What is true in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameTruth {
    /// The frame's own number.
    pub sequence: u64,
    /// Everybody in the scene, nearest last; also those who are outside of the picture.
    pub people: Vec<PersonTruth>,
    /// The blackbody, where there is one.
    pub blackbody: Option<BlackbodyTruth>,
    /// The second one, where there are two.
    pub second_blackbody: Option<BlackbodyTruth>,
    /// What the camera adds to every pixel, K: drift and shutter together; what its gain makes of the
    /// scene comes before.
    pub offset_k: f64,
    /// Air and walls, °C.
    pub ambient_c: f64,
    /// The fault in force, in a word: `frozen`, `blank`; what is said of people then holds for
    /// the scene, not for the picture.
    pub fault: Option<&'static str>,
}

/// What is true of one person in one frame.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a person"
)]
pub struct PersonTruth {
    /// The same person in every frame; never the same in two rounds.
    pub id: u32,
    /// Hairline to chin, cheek to cheek, pixels; may reach out of the picture. Of somebody seen
    /// from behind: the whole head.
    pub area: PixelBox,
    /// The whole head without its hair, pixels.
    pub head: PixelBox,
    /// Points of the face, while it is turned away by at most 75°; also those that are
    /// hidden.
    pub landmarks: Option<Landmarks>,
    /// Inner corners of the eyes, image-left first, where seen and not behind glasses.
    pub canthi: [Option<PixelPoint>; 2],
    /// Warmest skin of the face, °C: the surface, not what the camera sees of it.
    pub face_c: f64,
    /// Oral-equivalent temperature, °C.
    pub core_c: f64,
    /// Whether `core_c` is [`FEVER_CORE_C`](super::FEVER_CORE_C) or more.
    pub feverish: bool,
    /// Where the head is turned now.
    pub facing: Facing,
    /// The head's turn, degrees; 0 looks at the camera, positive to the right of the picture.
    pub yaw_deg: f32,
    /// The head's nod, degrees; positive looks down.
    pub pitch_deg: f32,
    /// The head's lean in the picture, degrees; positive clockwise.
    pub roll_deg: f32,
    /// Share of the face that is in the picture and not behind somebody or something else, 0…1;
    /// 0 for the back of a head.
    pub visible: f32,
    /// Share of the forehead patch over the brows that is seen: turned to the camera, bare, in the
    /// picture and not behind somebody or something, 0…1.
    pub forehead: f32,
    /// Distance, m.
    pub distance_m: f32,
    /// Opaque glasses: the canthi cannot be measured.
    pub glasses: bool,
    /// A mask over nose and mouth.
    pub mask: bool,
    /// A hat down to the forehead.
    pub hat: bool,
    /// Hat, hood, headscarf or hair over the middle of the forehead.
    pub brow: bool,
}

/// What is true of the blackbody in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlackbodyTruth {
    /// Middle of the disc.
    pub centre: PixelPoint,
    /// Its radius, pixels.
    pub radius: f32,
    /// Its surface, °C.
    pub set_point_c: f64,
    /// What an ideal camera reads of it, °C: less than the set point, by its emissivity.
    pub apparent_c: f64,
    /// Whether something stands before it.
    pub covered: bool,
}

/// [`FrameTruth`] as one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireTruth {
    /// As in [`FrameTruth::sequence`].
    pub sequence: u64,
    /// Camera offset, K.
    pub offset_k: f64,
    /// Room, °C.
    pub ambient_c: f64,
    /// `frozen`, `blank` or nothing.
    pub fault: Option<String>,
    /// The blackbody.
    pub blackbody: Option<WireBlackbody>,
    /// The second one; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_blackbody: Option<WireBlackbody>,
    /// Everybody in the scene.
    pub people: Vec<WirePerson>,
}

/// [`BlackbodyTruth`] in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireBlackbody {
    /// x, y, pixels.
    pub centre: [f32; 2],
    /// Pixels.
    pub radius: f32,
    /// °C.
    pub set_point_c: f64,
    /// °C.
    pub apparent_c: f64,
    /// Whether something stands before it.
    pub covered: bool,
}

/// [`PersonTruth`] in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a person"
)]
pub struct WirePerson {
    /// As in [`PersonTruth::id`].
    pub id: u32,
    /// Left, top, right, bottom of the face, pixels.
    #[serde(rename = "box")]
    pub area: [f32; 4],
    /// Left, top, right, bottom of the head, pixels.
    pub head: [f32; 4],
    /// The points of [`Landmarks::points`], in that order: x, y each.
    pub points: Option<[f32; 2 * Landmarks::COUNT]>,
    /// Inner canthi: x, y each.
    pub canthi: [Option<[f32; 2]>; 2],
    /// °C.
    pub face_c: f64,
    /// °C.
    pub core_c: f64,
    /// Whether the core is feverish.
    pub feverish: bool,
    /// `camera`, `side` or `away`.
    pub facing: String,
    /// Degrees.
    pub yaw_deg: f32,
    /// Degrees.
    pub pitch_deg: f32,
    /// Degrees.
    pub roll_deg: f32,
    /// 0…1.
    pub visible: f32,
    /// 0…1.
    pub forehead: f32,
    /// m.
    pub distance_m: f32,
    /// Opaque glasses.
    pub glasses: bool,
    /// Mask.
    pub mask: bool,
    /// Hat.
    pub hat: bool,
    /// Anything over the forehead.
    pub brow: bool,
}

impl Facing {
    /// The word for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Side => "side",
            Self::Away => "away",
        }
    }
}

fn edges(area: PixelBox) -> [f32; 4] {
    [area.left, area.top, area.right, area.bottom]
}

fn xy(point: PixelPoint) -> [f32; 2] {
    [point.x, point.y]
}

impl From<&FrameTruth> for WireTruth {
    fn from(truth: &FrameTruth) -> Self {
        Self {
            sequence: truth.sequence,
            offset_k: truth.offset_k,
            ambient_c: truth.ambient_c,
            fault: truth.fault.map(str::to_owned),
            blackbody: truth.blackbody.as_ref().map(WireBlackbody::from),
            second_blackbody: truth.second_blackbody.as_ref().map(WireBlackbody::from),
            people: truth.people.iter().map(WirePerson::from).collect(),
        }
    }
}

impl From<&BlackbodyTruth> for WireBlackbody {
    fn from(truth: &BlackbodyTruth) -> Self {
        Self {
            centre: xy(truth.centre),
            radius: truth.radius,
            set_point_c: truth.set_point_c,
            apparent_c: truth.apparent_c,
            covered: truth.covered,
        }
    }
}

impl From<&PersonTruth> for WirePerson {
    fn from(truth: &PersonTruth) -> Self {
        let points = truth.landmarks.map(|l| {
            let mut all = [0.0; 2 * Landmarks::COUNT];
            for (pair, point) in all.chunks_exact_mut(2).zip(l.points()) {
                pair.copy_from_slice(&xy(point));
            }
            all
        });
        Self {
            id: truth.id,
            area: edges(truth.area),
            head: edges(truth.head),
            points,
            canthi: truth.canthi.map(|canthus| canthus.map(xy)),
            face_c: truth.face_c,
            core_c: truth.core_c,
            feverish: truth.feverish,
            facing: truth.facing.as_str().to_owned(),
            yaw_deg: truth.yaw_deg,
            pitch_deg: truth.pitch_deg,
            roll_deg: truth.roll_deg,
            visible: truth.visible,
            forehead: truth.forehead,
            distance_m: truth.distance_m,
            glasses: truth.glasses,
            mask: truth.mask,
            hat: truth.hat,
            brow: truth.brow,
        }
    }
}
