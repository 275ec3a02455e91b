//! What a simulated lobby is made of, as a small TOML file that a person can write.
//!
//! A scenario is data and nothing else: reading one never touches the disk, and everything in it
//! was checked before it can be rendered ([`Scenario::from_toml`] is the only way to get one).
//! An unknown key, a size no sensor has or a negative time is refused with a sentence that says
//! what to write in its place.
//!
//! Places in the picture are parts of its width and height (0…1), so that a scenario keeps its
//! look when the sensor is changed. Times are seconds since the start of a round.

use super::check::check;
use super::head::Headgear;
use crate::thermal::profile::{CameraProfile, Connection, Optics};
use crate::units::StandardUncertainty;
use serde::Deserialize;

/// A simulated lobby with its camera, its reference and its visitors. Always valid.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub(super) name: String,
    /// What everything random is drawn from.
    #[serde(default = "one")]
    pub(super) seed: u64,
    /// Length of a round, s.
    pub(super) duration_s: f64,
    /// Whether another round, with another seed, follows each round.
    #[serde(default)]
    pub(super) repeat: bool,
    #[serde(default)]
    pub(super) sensor: Sensor,
    #[serde(default)]
    pub(super) room: Room,
    pub(super) blackbody: Option<Blackbody>,
    pub(super) second_blackbody: Option<Blackbody>,
    #[serde(default)]
    pub(super) drift: Drift,
    pub(super) ffc: Option<Ffc>,
    #[serde(default, rename = "fault")]
    pub(super) faults: Vec<Fault>,
    #[serde(default, rename = "visitor")]
    pub(super) visitors: Vec<Visitor>,
}

/// The camera's sensor and lens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sensor {
    /// Pixels from left to right, as mounted.
    pub(super) width: usize,
    /// Pixels from top to bottom, as mounted.
    pub(super) height: usize,
    /// Frames a second.
    pub(super) fps: f64,
    /// Angle across `width`, degrees.
    pub(super) field_of_view_deg: f64,
    /// Temporal noise of a pixel (one standard deviation), K.
    pub(super) netd_k: f64,
    /// Noise of a pixel that stays (one standard deviation), K.
    pub(super) fixed_pattern_k: f64,
    /// Blur of the lens: the Gaussian's σ, pixels.
    pub(super) psf_sigma_px: f64,
    /// Share of the frame before that remains in a frame: the slowness of the detector's pixels.
    pub(super) lag: f64,
    /// Kelvin read for each kelvin of the scene, from the room's temperature on: the shutter, by which the
    /// camera sets itself to zero, has about that.
    pub(super) gain: f64,
    /// Height of the lens above the floor, m.
    pub(super) height_m: f64,
}

impl Default for Sensor {
    /// A FLIR Lepton 3.5 (160×120, 57° across the long side, 8.6 Hz) standing upright.
    fn default() -> Self {
        Self {
            width: 120,
            height: 160,
            fps: 9.0,
            field_of_view_deg: 44.3,
            netd_k: 0.04,
            fixed_pattern_k: 0.03,
            psf_sigma_px: 0.6,
            lag: 0.1,
            gain: 1.0,
            height_m: 1.58,
        }
    }
}

/// The room.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Room {
    /// Air and walls, °C; 18…29: where the estimate is valid (20…29) and a little below.
    pub(super) ambient_c: f64,
    /// How much warmer the wall is at the top than at the bottom, K.
    pub(super) wall_gradient_k: f64,
    /// Whether there is a doorway, cooler than the wall.
    pub(super) door: bool,
    /// What stands around.
    pub(super) clutter: Vec<Clutter>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            ambient_c: 22.0,
            wall_gradient_k: 0.8,
            door: true,
            clutter: Vec::new(),
        }
    }
}

/// Something warm or cold that is no person.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clutter {
    pub(super) kind: ClutterKind,
    /// Its middle, part of the picture's width.
    pub(super) x: f64,
    /// Its middle, part of the picture's height.
    pub(super) y: f64,
    /// Its width, part of the picture's width.
    #[serde(default = "tenth")]
    pub(super) size: f64,
    /// Its temperature, °C; left out: what is usual for its kind.
    pub(super) celsius: Option<f64>,
}

/// Kinds of things that stand around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClutterKind {
    Lamp,
    Cup,
    Radiator,
    Screen,
    SunPatch,
    Window,
    /// Something round: a kettle, a ball, a pot on a shelf.
    Round,
    /// A dog or a cat, seen from its side.
    Animal,
}

/// The heated reference in view.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Blackbody {
    /// Its surface, °C.
    pub(super) set_point_c: f64,
    /// Its emissivity; 1 where the set point is meant as apparent temperature, as most makers give
    /// it; 0.97 is a painted plate.
    #[serde(default = "ideal")]
    pub(super) emissivity: f64,
    /// Middle of its disc, part of the picture's width.
    pub(super) x: f64,
    /// Middle of its disc, part of the picture's height.
    pub(super) y: f64,
    /// Diameter of its disc, part of the picture's width.
    #[serde(default = "ninth")]
    pub(super) diameter: f64,
    /// From when to when something stands before it, s.
    #[serde(default)]
    pub(super) covered: Vec<(f64, f64)>,
    /// When it is switched off, s: from then on it cools towards the room.
    pub(super) decays_from_s: Option<f64>,
    /// Time in which it loses 63 % of what it has above the room, s.
    #[serde(default = "fifteen_minutes")]
    pub(super) decay_s: f64,
    /// When it is taken away, s.
    pub(super) removed_from_s: Option<f64>,
    /// Where it stands after somebody pushed it.
    pub(super) moved: Option<Moved>,
}

/// The blackbody's new place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Moved {
    pub(super) at_s: f64,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// What the camera adds to every pixel alike.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Drift {
    /// At the start, K. Real Lepton modules: −5.1…+1.1 K.
    pub(super) start_k: f64,
    /// How it moves, K a minute; in a scenario that repeats it turns round with every round.
    pub(super) slope_k_per_min: f64,
    /// Random walk, K after one minute (one standard deviation); returns within ten minutes.
    pub(super) walk_k: f64,
}

/// Flat-field correction: the shutter event.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ffc {
    /// When the first one comes, s.
    pub(super) first_s: f64,
    /// How often, s. The Lepton's own default is 180 s.
    #[serde(default = "three_minutes")]
    pub(super) period_s: f64,
    /// How long no frame comes, s: about 23 frames of the Lepton.
    #[serde(default = "two")]
    pub(super) gap_s: f64,
    /// By how much the level steps, K; every second event steps the other way.
    #[serde(default = "ffc_step")]
    pub(super) step_k: f64,
    /// How far the level then slides, K.
    #[serde(default = "ffc_slide")]
    pub(super) slide_k: f64,
    /// How fast it slides: time after which 95 % of the slide is done, s.
    #[serde(default = "ten")]
    pub(super) slide_s: f64,
}

/// Something that breaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Fault {
    /// The same picture again and again.
    Freeze { at_s: f64, for_s: f64 },
    /// A picture without content: every count zero.
    Blank { at_s: f64, for_s: f64 },
    /// No frame at all.
    Silent { at_s: f64, for_s: f64 },
    /// The wall clock jumps; monotonic time does not.
    ClockJump { at_s: f64, by_s: f64 },
}

/// Somebody who comes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a person"
)]
pub(super) struct Visitor {
    /// First moment in view, s.
    pub(super) arrive_s: f64,
    /// Where from.
    #[serde(default)]
    pub(super) enter: Side,
    /// Where to.
    #[serde(default)]
    pub(super) leave: Side,
    /// Time of the way in, and of the way out, s.
    #[serde(default = "two")]
    pub(super) walk_s: f64,
    /// How long in front of the camera, s.
    #[serde(default = "four")]
    pub(super) stand_s: f64,
    /// Distance while standing, m.
    #[serde(default = "near")]
    pub(super) distance_m: f64,
    /// Distance where the way in starts and the way out ends, m; left out: the same when coming
    /// from a side, 3.5 m when coming from afar.
    pub(super) start_distance_m: Option<f64>,
    /// Place while standing, m to the right of the middle.
    #[serde(default)]
    pub(super) lateral_m: f64,
    /// Stature, m; left out: drawn from 1.56…1.82.
    pub(super) stature_m: Option<f64>,
    /// Oral-equivalent temperature, °C; left out (and no `face_c`): drawn from 36.3…36.9.
    pub(super) core_c: Option<f64>,
    /// Warmest skin of the face, °C, in place of `core_c`.
    pub(super) face_c: Option<f64>,
    /// How much the temperature of a face varies from place to place; 1 is natural, 0 a face of
    /// one temperature.
    #[serde(default = "natural")]
    pub(super) contrast: f64,
    /// How far the warm spot at the inner corner of an eye reaches from its middle, mm; half of that
    /// is as warm as its middle.
    #[serde(default = "six_mm")]
    pub(super) canthus_mm: f64,
    /// How the head turns while standing: from, to, degrees; positive to the right of the picture.
    #[serde(default = "still")]
    pub(super) yaw_deg: (f64, f64),
    /// Where the visitor looks while standing.
    #[serde(default)]
    pub(super) facing: Facing,
    #[serde(default)]
    pub(super) glasses: bool,
    #[serde(default)]
    pub(super) mask: bool,
    /// A cap down to the brows.
    #[serde(default)]
    pub(super) hat: bool,
    /// The hood of a jacket, over hair and forehead.
    #[serde(default)]
    pub(super) hood: bool,
    /// A scarf over hair, ears and neck that leaves the face free.
    #[serde(default)]
    pub(super) headscarf: bool,
    #[serde(default)]
    pub(super) beard: bool,
    /// Left out: drawn.
    pub(super) hair: Option<Hair>,
    /// Whether hair falls over the forehead down to the brows; left out: drawn.
    pub(super) fringe: Option<bool>,
    /// A child of some six years; `stature_m` says how tall.
    #[serde(default)]
    pub(super) child: bool,
    /// Minutes indoors of somebody who came in from the cold; left out: acclimatised.
    pub(super) from_cold_min: Option<f64>,
}

impl Visitor {
    /// What is on the head; a checked visitor wears at most one of them.
    pub(super) fn headgear(&self) -> Option<Headgear> {
        [
            (self.hat, Headgear::Hat),
            (self.hood, Headgear::Hood),
            (self.headscarf, Headgear::Headscarf),
        ]
        .into_iter()
        .find_map(|(worn, gear)| worn.then_some(gear))
    }
}

/// An edge of the scene.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Left,
    Right,
    #[default]
    Far,
}

/// Where a head is turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facing {
    /// Within 35° of the camera.
    #[default]
    Camera,
    /// A profile: 35°…100° away.
    Side,
    /// The back of the head.
    Away,
}

/// How hair is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Hair {
    Short,
    Long,
    Bald,
}

/// What is wrong with a scenario, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, a key that does not exist, or a value of another type.
    #[error("the scenario cannot be read: {0}")]
    Syntax(String),
    /// A value that cannot be.
    #[error("{key}: {problem}")]
    Value {
        /// Which.
        key: String,
        /// What is wrong and what to write.
        problem: String,
    },
}

impl Scenario {
    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`], with the line or the key it is about.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError::Syntax(error.to_string()))?;
        check(&scenario)?;
        Ok(scenario)
    }

    /// The same scenario with another seed: other people in the same places.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same scenario seen by a sensor of another size, in pixels; the angle across the width
    /// stays.
    ///
    /// # Errors
    /// [`ScenarioError::Value`] where no sensor has this size.
    pub fn with_size(mut self, width: usize, height: usize) -> Result<Self, ScenarioError> {
        self.sensor.width = width;
        self.sensor.height = height;
        check(&self)?;
        Ok(self)
    }

    /// The same scenario, once or for ever.
    #[must_use]
    pub fn repeated(mut self, repeat: bool) -> Self {
        self.repeat = repeat;
        self
    }

    /// What is true of its camera.
    #[must_use]
    pub fn profile(&self) -> CameraProfile {
        let Sensor { width, height, .. } = self.sensor;
        let longer = width.max(height);
        let half = (0.5 * self.sensor.field_of_view_deg.to_radians()).tan();
        let half = half * longer as f64 / width as f64;
        CameraProfile {
            name: format!("simulator {}", self.name),
            connection: Connection::default(),
            scale: super::sensor::SCALE,
            optics: Optics {
                field_of_view_deg: 2.0 * half.atan().to_degrees(),
                width: longer as u32,
                height: width.min(height) as u32,
                blur_px: self.sensor.psf_sigma_px,
            },
            netd_k: self.sensor.netd_k,
            // Two places each with its own noise that stays.
            u_uniformity: StandardUncertainty::combined(&[self.sensor.fixed_pattern_k; 2]),
            calibration: None,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Length of a round, s.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.duration_s
    }

    /// Air and walls, °C.
    #[must_use]
    pub fn ambient_c(&self) -> f64 {
        self.room.ambient_c
    }
}

fn one() -> u64 {
    1
}
fn tenth() -> f64 {
    0.1
}
fn ninth() -> f64 {
    0.11
}
fn ideal() -> f64 {
    1.0
}
fn two() -> f64 {
    2.0
}
fn four() -> f64 {
    4.0
}
fn ten() -> f64 {
    10.0
}
fn three_minutes() -> f64 {
    180.0
}
fn ffc_step() -> f64 {
    0.6
}
fn ffc_slide() -> f64 {
    -0.8
}
fn fifteen_minutes() -> f64 {
    900.0
}
fn near() -> f64 {
    0.7
}
fn natural() -> f64 {
    1.0
}
fn six_mm() -> f64 {
    6.3
}
fn still() -> (f64, f64) {
    (-6.0, 6.0)
}
