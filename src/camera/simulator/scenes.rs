//! Single frames drawn at random: everything that a face network must know and must not mistake,
//! each with its truth.
//!
//! Every scene is drawn afresh from the seed and its own number: room, camera, reference, things
//! that stand around, people with what they wear and how they hold their heads. A scene never
//! depends on the one before it. The shares and ranges stand here, where they are drawn; they are
//! wider than any real lobby, so that a real one lies inside.
//!
//! | drawn | how |
//! |---|---|
//! | people | none in 15 %, one in 55 %, two in 18 %, three in 8 %, four in 4 % |
//! | width of a face | 10…70 pixels, each octave alike; anywhere, also across the edge |
//! | turn | half within ±25°, a quarter 25…60°, a quarter 60…180° |
//! | nod, lean | within ±25° and ±18° |
//! | warmest skin | 32…40 °C, at least 3 K over the room of 14…32 °C |
//! | contrast of the skin | 0.4…1.8 of the natural one |
//! | glasses, mask, beard, fringe | 30 %, 25 %, 12 %, 10 % |
//! | hat, hood, headscarf | 12 %, 6 %, 6 % |
//! | children | 10 % |
//! | blackbody | 30…40 °C in 60 % |
//! | camera | reads −5…+3 K off in a third, else ±0.5 K; NETD 0.02…0.12 K; blur of 0.4…1.4 pixels |

use super::canvas::Canvas;
use super::head::{FACE_WIDTH_M, Headgear};
use super::lobby::{paint_things, paint_walls};
use super::motion::Pose;
use super::noise::{lerp, mix, seed_of};
use super::person::{Person, View};
use super::scenario::{Blackbody, Clutter, ClutterKind, Facing, Hair, Room, Sensor, Side, Visitor};
use super::sensor::Detector;
use super::stage::Stage;
use super::truth::FrameTruth;
use crate::units::Celsius;
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Size of a scene's picture, pixels: what the network is trained on.
pub const SCENE_SIZE: (usize, usize) = (128, 160);

/// A single frame and what is true in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Centikelvin, rows from the top.
    pub counts: Array2<u16>,
    /// Its `sequence` is the scene's number.
    pub truth: FrameTruth,
}

/// The scene of this number: the same seed and number give the same scene.
#[must_use]
pub fn scene(seed: u64, number: u64) -> Scene {
    let own = seed_of(seed_of(seed, 0x5c), number);
    let mut draw = Draw(ChaCha8Rng::seed_from_u64(own));
    let ambient =
        Celsius::new(f64::from(draw.between(14.0, 32.0))).unwrap_or(Celsius::literal(22.0));
    let sensor = draw.sensor();
    let room = draw.room(ambient.degrees());
    let blackbody = draw.chance(0.6).then(|| draw.blackbody());
    let offset_k = if draw.chance(1.0 / 3.0) {
        draw.between(-5.0, 3.0)
    } else {
        draw.between(-0.5, 0.5)
    };
    let look = mix(own) as u32;
    let size = (SCENE_SIZE.0 as f32, SCENE_SIZE.1 as f32);
    let mut walls = Canvas::of_pixels(SCENE_SIZE, |coarse| paint_walls(coarse, &room, size, look));
    paint_things(&mut walls, &room, size, look);
    let stage = Stage::new(&sensor, ambient, walls, [blackbody.as_ref(), None], look);
    let people: Vec<(Pose, Person)> = (0..draw.how_many())
        .map(|n| draw.person(n, ambient.degrees(), stage.view))
        .collect();

    let mut canvas = stage.canvas();
    let mut detector = Detector::new(&sensor, ambient, own);
    let mut pixels = Vec::new();
    let time = f64::from(draw.between(0.0, 10.0));
    if sensor.lag > 0.0 {
        // Where they were a frame ago; the slow pixels still show it.
        let before: Vec<(Pose, &Person)> = people
            .iter()
            .map(|(pose, person)| (draw.a_frame_before(*pose), person))
            .collect();
        stage.paint(&mut canvas, before.into_iter(), time);
        canvas.reduce_into(&mut pixels);
        detector.expose(&mut pixels, offset_k, mix(own ^ 1));
    }
    let here = people.iter().map(|(pose, person)| (*pose, person));
    let truth = stage.paint(&mut canvas, here, time);
    canvas.reduce_into(&mut pixels);
    Scene {
        counts: detector.expose(&mut pixels, offset_k, mix(own ^ 2)),
        truth: FrameTruth {
            sequence: number,
            offset_k: f64::from(offset_k),
            ..truth
        },
    }
}

/// What everything is drawn from.
struct Draw(ChaCha8Rng);

impl Draw {
    fn between(&mut self, from: f32, to: f32) -> f32 {
        self.0.random_range(from..to)
    }

    /// Each doubling alike.
    fn octaves(&mut self, from: f32, to: f32) -> f32 {
        self.between(from.ln(), to.ln()).exp()
    }

    fn chance(&mut self, share: f32) -> bool {
        self.between(0.0, 1.0) < share
    }

    fn side(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    fn sensor(&mut self) -> Sensor {
        let smeared = self.chance(0.12);
        Sensor {
            width: SCENE_SIZE.0,
            height: SCENE_SIZE.1,
            field_of_view_deg: f64::from(self.between(25.0, 75.0)),
            netd_k: f64::from(self.octaves(0.02, 0.12)),
            fixed_pattern_k: f64::from(self.octaves(0.01, 0.1)),
            psf_sigma_px: f64::from(self.between(0.4, 1.4)),
            lag: if smeared {
                f64::from(self.between(0.2, 0.55))
            } else {
                0.0
            },
            ..Sensor::default()
        }
    }

    fn room(&mut self, ambient_c: f64) -> Room {
        let things = [0, 0, 1, 1, 1, 2, 2, 3, 4, 6][self.0.random_range(0..10)];
        Room {
            ambient_c,
            wall_gradient_k: f64::from(self.between(-3.0, 3.0)),
            door: self.chance(0.45),
            clutter: (0..things).map(|_| self.thing(ambient_c as f32)).collect(),
        }
    }

    fn thing(&mut self, air: f32) -> Clutter {
        const KINDS: [ClutterKind; 8] = [
            ClutterKind::Lamp,
            ClutterKind::Cup,
            ClutterKind::Radiator,
            ClutterKind::Screen,
            ClutterKind::SunPatch,
            ClutterKind::Window,
            ClutterKind::Round,
            ClutterKind::Animal,
        ];
        let kind = KINDS[self.0.random_range(0..KINDS.len())];
        let (size, celsius) = match kind {
            ClutterKind::Lamp => ((0.03, 0.3), (32.0, 110.0)),
            ClutterKind::Cup => ((0.05, 0.25), (31.0, 70.0)),
            ClutterKind::Radiator => ((0.2, 0.7), (30.0, 60.0)),
            ClutterKind::Screen => ((0.15, 0.8), (air + 2.0, 38.0_f32.max(air + 6.0))),
            ClutterKind::SunPatch => ((0.1, 0.6), (air + 2.0, air + 14.0)),
            ClutterKind::Window => ((0.15, 0.6), (air - 18.0, air + 6.0)),
            ClutterKind::Round => ((0.08, 0.55), (30.0, 41.0)),
            ClutterKind::Animal => ((0.2, 0.8), (29.0_f32.max(air), 36.0)),
        };
        Clutter {
            kind,
            x: f64::from(self.between(0.0, 1.0)),
            y: f64::from(self.between(0.0, 1.0)),
            size: f64::from(self.octaves(size.0, size.1)),
            celsius: Some(f64::from(self.between(celsius.0, celsius.1))),
        }
    }

    /// Near a border, or on a stand in the lower half.
    fn blackbody(&mut self) -> Blackbody {
        let (mut x, mut y) = (self.between(0.05, 0.95), self.between(0.5, 0.95));
        if self.chance(0.7) {
            let rim = self.between(0.04, 0.16);
            (x, y) = match self.0.random_range(0..4) {
                0 => (rim, self.between(0.05, 0.95)),
                1 => (1.0 - rim, self.between(0.05, 0.95)),
                2 => (x, rim),
                _ => (x, 1.0 - rim),
            };
        }
        Blackbody {
            removed_from_s: None,
            set_point_c: f64::from(self.between(30.0, 40.0)),
            emissivity: f64::from(self.between(0.95, 1.0)),
            x: f64::from(x),
            y: f64::from(y),
            diameter: f64::from(self.octaves(0.045, 0.17)),
            covered: Vec::new(),
            decays_from_s: None,
            decay_s: 900.0,
            moved: None,
        }
    }

    fn how_many(&mut self) -> u32 {
        match self.between(0.0, 1.0) {
            r if r < 0.15 => 0,
            r if r < 0.70 => 1,
            r if r < 0.88 => 2,
            r if r < 0.96 => 3,
            _ => 4,
        }
    }

    fn person(&mut self, number: u32, ambient_c: f64, view: View) -> (Pose, Person) {
        let visitor = self.visitor(ambient_c);
        let mut person = Person::new(number + 1, &visitor, ambient_c, view, self.0.random());
        self.vary(&mut person, visitor.child);
        // A place in the picture and a size there; stature and distance follow.
        let width = self.octaves(10.0, 70.0);
        let (x, y) = (self.between(-0.06, 1.06), self.between(-0.02, 0.95));
        let distance_m = view.focal * FACE_WIDTH_M * person.size / width;
        let pixels_per_metre = view.focal / distance_m;
        person.eyes_m = view.lens_m + view.height * (0.5 - y) / pixels_per_metre;
        let yaw = self.turn();
        let body = if yaw.abs() < 60.0 {
            0.5 * yaw + self.between(-25.0, 25.0)
        } else {
            yaw + self.between(-40.0, 40.0)
        };
        let pose = Pose {
            lateral_m: (x - 0.5) * view.width / pixels_per_metre,
            distance_m,
            yaw: yaw.to_radians(),
            body_yaw: body.to_radians(),
            roll: self.around(18.0).to_radians(),
            pitch: self.around(25.0).to_radians(),
            bob_m: 0.0,
        };
        (pose, person)
    }

    fn turn(&mut self) -> f32 {
        match self.between(0.0, 1.0) {
            r if r < 0.5 => self.between(-25.0, 25.0),
            r if r < 0.75 => self.side() * self.between(25.0, 60.0),
            _ => self.side() * self.between(60.0, 180.0),
        }
    }

    /// Within ±`most`; three in five within the middle third.
    fn around(&mut self, most: f32) -> f32 {
        let reach = if self.chance(0.4) { most / 3.0 } else { most };
        self.between(-reach, reach)
    }

    fn visitor(&mut self, ambient_c: f64) -> Visitor {
        let child = self.chance(0.1);
        let hair = match self.between(0.0, 1.0) {
            r if r < 0.5 => Hair::Short,
            r if r < 0.85 || child => Hair::Long,
            _ => Hair::Bald,
        };
        let worn = self.between(0.0, 1.0);
        let face_c = f64::from(self.between(32.0, 40.0)).max(ambient_c + 3.0);
        Visitor {
            arrive_s: 0.0,
            enter: Side::Far,
            leave: Side::Far,
            walk_s: 1.0,
            stand_s: 1.0,
            distance_m: 1.0,
            start_distance_m: None,
            lateral_m: 0.0,
            stature_m: None,
            core_c: None,
            face_c: Some(face_c),
            contrast: f64::from(self.between(0.4, 1.8)),
            canthus_mm: 6.3,
            yaw_deg: (0.0, 0.0),
            facing: Facing::Camera,
            glasses: self.chance(0.3),
            mask: self.chance(0.25),
            hat: worn < 0.12,
            hood: (0.12..0.18).contains(&worn),
            headscarf: (0.18..0.24).contains(&worn),
            beard: self.chance(0.133) && !child,
            hair: Some(hair),
            fringe: Some(hair != Hair::Bald && self.chance(0.115)),
            child,
            from_cold_min: self.chance(0.12).then(|| f64::from(self.octaves(0.3, 8.0))),
        }
    }

    /// What a scenario does not say: the shape of this head, and of what is on it.
    fn vary(&mut self, person: &mut Person, child: bool) {
        let head = &mut person.head;
        head.long *= self.between(0.9, 1.08);
        head.vertex += self.between(-0.05, 0.06);
        head.depth = self.between(1.14, 1.34);
        head.eyes *= self.between(0.9, 1.12);
        head.nose_out += if child {
            0.0
        } else {
            self.between(-0.03, 0.05)
        };
        head.nose_k = self.between(0.5, 4.0);
        head.cheek_k = self.between(0.6, 1.9);
        head.mottle = self.between(0.6, 2.4);
        head.vessels_k = self.between(-0.5, 1.1).max(0.0);
        head.orbits = self.between(0.5, 1.8);
        head.limb_k = self.between(0.4, 2.0);
        head.goatee = self.chance(0.4);
        head.beard_k = self.between(1.2, 4.5);
        // Thick hair is cool; under cropped or thin hair the scalp shows.
        let thin = head.hair == Hair::Short && self.chance(0.35);
        head.hair_warmth = if thin || head.hair == Hair::Bald {
            self.between(0.65, 0.94)
        } else {
            self.between(0.2, 0.68)
        };
        head.hairline = self.between(-0.12, 0.04);
        let soft = if thin { 0.16 } else { 0.08 };
        head.hair_edge = (self.between(0.025, soft), self.between(0.02, 0.1));
        if head.fringe > 0.0 {
            head.fringe = self.between(0.13, 0.25) - head.hairline;
        }
        head.lens = match self.between(0.0, 1.0) {
            // Reading glasses, ordinary ones, sunglasses.
            r if r < 0.2 => (self.between(0.14, 0.19), self.between(0.055, 0.085)),
            r if r < 0.7 => (self.between(0.15, 0.205), self.between(0.085, 0.13)),
            _ => (self.between(0.18, 0.215), self.between(0.12, 0.18)),
        };
        head.lens_y = self.between(-0.01, 0.06);
        head.lens_warmth = self.between(-0.1, 0.45);
        // Most near 31 °C, some nearly as the room, some nearly as skin.
        head.mask_warmth = if self.chance(0.6) {
            self.between(0.5, 0.75)
        } else {
            self.between(0.15, 0.92)
        };
        if self.chance(0.12) {
            head.mask_top = 0.33;
        }
        head.gear_warmth = match head.gear {
            Some(Headgear::Headscarf) => self.between(0.25, 0.75),
            Some(Headgear::Hood) => self.between(0.1, 0.55),
            _ => self.between(0.05, 0.6),
        };
        head.gear_low = match head.gear {
            Some(Headgear::Headscarf) => self.between(-0.36, -0.16),
            Some(Headgear::Hood) => self.between(-0.44, -0.12),
            _ => self.between(-0.32, -0.13),
        };
        head.peak = self.chance(0.6);
        let cloth = &mut person.cloth;
        // A coat from outdoors is colder than the room.
        cloth.outer = if self.chance(0.12) {
            self.between(-0.3, 0.08)
        } else {
            self.between(0.08, 0.75)
        };
        cloth.inner = lerp(cloth.outer, 0.8, self.between(0.0, 0.6));
        cloth.neckline = self.between(-0.45, 0.35);
    }

    /// A frame earlier: up to an eighth of a face's width away.
    fn a_frame_before(&mut self, pose: Pose) -> Pose {
        let reach = FACE_WIDTH_M * 0.125;
        Pose {
            lateral_m: pose.lateral_m + self.between(-reach, reach),
            bob_m: self.between(-reach, reach) * 0.4,
            ..pose
        }
    }
}
