//! A visitor as a body in front of the camera: who it is, how it is built, what it looks like.
//!
//! Everything below the chin is a flat figure (neck, clothes with folds, arms, legs, hands) that
//! gives a face its surroundings; the face itself is [`super::head`].

use super::canvas::{Appearance, Canvas, Painted};
use super::head::{FACE_WIDTH_M, FacePoint, Head, Headgear, Material, Surface};
use super::motion::{Path, Pose};
use super::noise::{bump, lerp, mix, seed_of, smooth_step, value_noise};
use super::scenario::{Facing, Hair, Visitor};
use super::skin::{CANTHUS_SHARE_OF_COLD, cold_deficit_k};
use super::solid::Held;
use super::truth::PersonTruth;
use crate::estimate::Transfer;
use crate::face::Landmarks;
use crate::units::{PixelBox, PixelPoint};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Oral temperature from which a visitor counts as feverish, °C: the same study's definition.
pub const FEVER_CORE_C: f64 = 37.5;

/// From face to body: what the gateway itself takes for true, so that what is left is the way from the
/// skin to the reading. How good it is before people, no simulator can say.
const TRANSFER: Transfer = Transfer::UPPER_FACE;

/// The warmest skin of somebody with this oral temperature, °C.
#[must_use]
pub fn face_of_core(core_c: f64, ambient_c: f64) -> f64 {
    (core_c - TRANSFER.c.kelvin() + TRANSFER.k * ambient_c) / (1.0 + TRANSFER.k)
}

/// The oral temperature of somebody with this warmest skin, °C.
#[must_use]
pub fn core_of_face(face_c: f64, ambient_c: f64) -> f64 {
    face_c + TRANSFER.k * (face_c - ambient_c) + TRANSFER.c.kelvin()
}

/// A child of some six years against a grown person: a smaller head, a shorter face under a
/// rounder skull, larger eyes, a flatter nose. Chosen by eye, not measured.
struct Child {
    size: f32,
    long: f32,
    vertex: f32,
    eyes: f32,
    nose_out: f32,
}

const CHILD: Child = Child {
    size: 0.9,
    long: 0.82,
    vertex: -0.78,
    eyes: 1.15,
    nose_out: 0.06,
};

/// A fringe down to the brows.
const LONG_FRINGE: f32 = 0.2;

/// The camera's view: how metres become pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) width: f32,
    pub(super) height: f32,
    /// Focal length, pixels.
    pub(super) focal: f32,
    /// Height of the lens, m.
    pub(super) lens_m: f32,
}

/// What each material looks like in this room.
#[derive(Clone, Debug)]
pub(super) struct Wardrobe {
    pub(super) skin: Appearance,
    pub(super) fabric: Appearance,
    pub(super) glass: Appearance,
}

/// One visitor.
#[derive(Clone, Debug)]
pub(super) struct Person {
    id: u32,
    path: Path,
    pub(super) head: Head,
    core_c: f64,
    /// Height of the eyes, m.
    pub(super) eyes_m: f32,
    /// Pixels of a face's width are this much more or less than the mean.
    pub(super) size: f32,
    pub(super) cloth: Cloth,
    breath_s: f32,
}

#[derive(Clone, Debug)]
pub(super) struct Cloth {
    /// Share of the way from the room to the skin.
    pub(super) outer: f32,
    pub(super) inner: f32,
    /// Half width of the opening of a jacket; 0: none.
    pub(super) open: f32,
    /// How deep the neckline is; negative: a collar up the neck.
    pub(super) neckline: f32,
    sleeves: bool,
    broad: f32,
}

/// A painted person, before others are painted over it.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) truth: PersonTruth,
    /// How many points of the canvas show the face.
    pub(super) face_points: usize,
    /// Places of the forehead that are bare and turned to the camera, of [`FOREHEAD_PLACES`].
    pub(super) forehead: Vec<PixelPoint>,
}

/// Places of the forehead that are looked at: five beside each other in three rows, within the
/// 45 × 15 mm over the brows that a thermometer would be held to.
pub(super) const FOREHEAD_PLACES: usize = 15;

impl Person {
    /// The visitor, with everything that the scenario leaves open drawn from `seed`.
    pub(super) fn new(id: u32, visitor: &Visitor, ambient_c: f64, view: View, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |from: f32, to: f32| rng.random_range(from..to);
        let drawn_core = f64::from(draw(36.3, 36.9));
        let minutes = visitor.from_cold_min;
        let cold_k = minutes.map_or(0.0, |m| cold_deficit_k(m as f32));
        let face_c = match (visitor.face_c, visitor.core_c) {
            (Some(face), _) => face,
            (None, core) => {
                face_of_core(core.unwrap_or(drawn_core), ambient_c)
                    - f64::from(CANTHUS_SHARE_OF_COLD * cold_k)
            }
        };
        let core_c = match (visitor.face_c, visitor.core_c) {
            (Some(face), _) => core_of_face(face, ambient_c),
            (None, core) => core.unwrap_or(drawn_core),
        };
        let hair = visitor.hair.unwrap_or(match draw(0.0, 1.0) {
            r if r < 0.52 => Hair::Short,
            r if r < 0.88 => Hair::Long,
            _ => Hair::Bald,
        });
        let stature = visitor
            .stature_m
            .map_or_else(|| draw(1.56, 1.82), |m| m as f32);
        let drawn_fringe = draw(-0.3, 0.2).max(0.0);
        let fringe = match visitor.fringe {
            Some(true) => LONG_FRINGE,
            Some(false) => 0.0,
            None => drawn_fringe,
        };
        let hair_warmth = match hair {
            Hair::Long => draw(0.3, 0.5),
            _ => draw(0.42, 0.66),
        };
        let head = Head {
            face_c: face_c as f32,
            ambient_c: ambient_c as f32,
            contrast: visitor.contrast as f32,
            hair,
            fringe: if hair == Hair::Bald { 0.0 } else { fringe },
            glasses: visitor.glasses,
            mask: visitor.mask,
            gear: visitor.headgear(),
            beard: visitor.beard,
            goatee: false,
            beard_k: 2.6,
            canthus: (visitor.canthus_mm / 1e3) as f32 / FACE_WIDTH_M,
            mottle: 1.0,
            vessels_k: 0.0,
            orbits: 1.0,
            limb_k: 0.7,
            nose_k: draw(0.9, 3.2),
            cheek_k: draw(0.8, 1.6),
            cold_k: cold_k * (1.0 - CANTHUS_SHARE_OF_COLD),
            jaw: draw(0.1, 1.0),
            long: if visitor.child { CHILD.long } else { 1.0 },
            vertex: if visitor.child { CHILD.vertex } else { -0.72 },
            depth: 1.22,
            eyes: if visitor.child { CHILD.eyes } else { 1.0 },
            nose_out: if visitor.child { CHILD.nose_out } else { 0.1 },
            hair_warmth,
            hairline: 0.0,
            hair_edge: (0.035, 0.035),
            lens: (draw(0.13, 0.2), draw(0.085, 0.14)),
            lens_y: 0.015,
            lens_warmth: 0.22,
            mask_warmth: 0.62,
            gear_warmth: match visitor.headgear() {
                Some(Headgear::Headscarf) => 0.45,
                Some(Headgear::Hood) => 0.32,
                _ => 0.24,
            },
            mask_top: 0.1,
            gear_low: match visitor.headgear() {
                Some(Headgear::Headscarf) => -0.3,
                Some(Headgear::Hood) => -0.18,
                _ => -0.2,
            },
            peak: true,
            seed: mix(seed ^ 1) as u32,
        };
        let outer = draw(0.22, 0.55);
        let cloth = Cloth {
            outer,
            inner: (outer + draw(0.0, 0.2)).min(0.62),
            open: draw(-0.25, 0.4).max(0.0),
            neckline: draw(0.0, 0.3),
            sleeves: draw(0.0, 1.0) < 0.7,
            broad: draw(1.3, 1.6),
        };
        Self {
            id,
            path: Path::new(visitor, view.width * 0.5 / view.focal, mix(seed ^ 2) as u32),
            head,
            core_c,
            eyes_m: stature - 0.115,
            size: draw(0.96, 1.05) * if visitor.child { CHILD.size } else { 1.0 },
            cloth,
            breath_s: draw(3.0, 4.6),
        }
    }

    /// The pose at this second of the round; `None` while out of the scene.
    pub(super) fn pose(&self, time: f32) -> Option<Pose> {
        self.path.at(time)
    }

    /// Paints the visitor and says what is true of it. `owner` is this painter's number.
    pub(super) fn paint(
        &self,
        canvas: &mut Canvas,
        view: View,
        wardrobe: &Wardrobe,
        (pose, time): (Pose, f32),
        owner: u16,
    ) -> Drawn {
        let place = Placed::new(self, view, pose, time);
        let w = place.unit;
        let reach = 1.9 * w;
        let area = [
            place.x - reach,
            place.y - 1.1 * w,
            place.x + reach,
            (place.y + 10.2 * w).min(view.height),
        ];
        let painted = canvas.paint(area, owner, |x, y| {
            let surface = self.surface(x, y, &place)?;
            let celsius = match surface.material {
                Material::Skin => wardrobe.skin.of(surface.celsius),
                Material::Fabric => wardrobe.fabric.of(surface.celsius),
                Material::Glass => wardrobe.glass.of(surface.celsius),
            };
            Some(Painted {
                celsius,
                face: surface.face,
            })
        });
        Drawn {
            truth: self.truth(&place, view),
            face_points: painted,
            forehead: self.bare_forehead(&place),
        }
    }

    fn bare_forehead(&self, place: &Placed) -> Vec<PixelPoint> {
        (0..FOREHEAD_PLACES)
            .map(|n| ((n % 5) as f32 * 0.075 - 0.15, (n / 5) as f32 * 0.05 - 0.05))
            .filter(|&(dx, dy)| !self.head.covers_forehead(dx, dy))
            .filter_map(|(dx, dy)| {
                let (u, v, seen) = self.head.place(FacePoint::Forehead(dx, dy), place.held);
                seen.then(|| place.point(u, v))
            })
            .collect()
    }

    fn surface(&self, x: f32, y: f32, place: &Placed) -> Option<Surface> {
        // The body stands upright; the head leans about the base of the neck.
        let (bu, bv) = ((x - place.x) / place.unit, (y - place.y) / place.unit);
        if bv < 1.6 {
            let (hu, hv) = place.leaning(bu, bv);
            if let Some(surface) = self.head.surface(hu, hv, place.held) {
                return Some(surface);
            }
        }
        self.neck(bu, bv, place)
            .or_else(|| self.body(bu, bv, place))
    }

    fn neck(&self, u: f32, v: f32, place: &Placed) -> Option<Surface> {
        if let Some(cloth) = self.scarf_at_the_neck(u, v) {
            return Some(cloth);
        }
        let front = place.body_cos;
        let u = u + 0.12 * place.held.sin;
        let half = 0.33 + 0.1 * smooth_step(0.85, 1.15, v);
        // The neckline: a V in front, high behind.
        let open = if front > 0.0 {
            self.cloth.neckline
        } else {
            -0.12
        };
        let lower = 1.03 + open * (1.0 - u.abs() / 0.4).max(-0.2);
        if !(0.3..lower).contains(&v) || u.abs() > half {
            return None;
        }
        let edge = smooth_step(0.7, 1.0, u.abs() / half);
        let below = 0.45 + 0.6 * edge + 0.5 * smooth_step(1.0, 1.25, v)
            - 0.2 * bump(u.abs() - 0.2, v - 0.85, 0.16, 0.3)
            + 0.35 * value_noise(u * 3.0, v * 3.0, self.head.seed ^ 0x71)
            + 0.35 * smooth_step(0.45, 0.0, (u - 0.1).abs());
        Some(Surface {
            celsius: self.head.face_c
                - below.max(0.15) * self.head.contrast.max(0.3)
                - 0.6 * self.head.cold_k,
            material: Material::Skin,
            face: false,
        })
    }

    /// A headscarf goes on over neck and shoulders.
    fn scarf_at_the_neck(&self, u: f32, v: f32) -> Option<Surface> {
        let half = 0.48 + 0.4 * smooth_step(0.75, 1.4, v);
        let drapes = self.head.gear == Some(Headgear::Headscarf)
            && (0.5..1.45 - 0.3 * u * u).contains(&v)
            && u.abs() < half;
        drapes.then(|| {
            let fold = 0.7 * value_noise(u * 2.5, v * 5.0 - 2.0 * u.abs(), self.head.seed ^ 0x53);
            let warmth = self.head.gear_warmth - 0.08 * smooth_step(0.8, 1.4, v);
            Surface {
                celsius: lerp(self.head.ambient_c, self.head.face_c, warmth) + fold,
                material: Material::Fabric,
                face: false,
            }
        })
    }

    fn body(&self, u: f32, v: f32, place: &Placed) -> Option<Surface> {
        if v < 0.85 {
            return None;
        }
        let turned = 0.55 + 0.45 * place.body_cos.abs();
        let u = u + 0.15 * place.body_sin;
        let broad = self.cloth.broad * turned;
        let hips = 5.0;
        let slope = ((v - 0.9) / 0.8).clamp(0.0, 1.0);
        let shoulder = 0.38 + (broad - 0.38) * (1.0 - (1.0 - slope) * (1.0 - slope));
        let au = u.abs();
        let hand = {
            let (du, dv) = ((au - broad * 0.92) / 0.24, (v - 5.1) / 0.36);
            du * du + dv * dv < 1.0
        };
        if hand {
            return Some(self.skin(2.2 + 0.8 * value_noise(u * 3.0, v * 3.0, self.head.seed)));
        }
        let half = if v < hips { shoulder } else { broad * 0.68 };
        let gap = v > hips + 0.6 && au < 0.06 + 0.02 * (v - hips);
        if au > half || gap || v > 10.0 {
            return None;
        }
        let arm = au > broad * 0.72 && v > 1.7 && v < hips;
        let sleeve_end = 2.4 + 0.8 * (broad - au);
        if arm && !self.cloth.sleeves && v > sleeve_end && au > broad * 0.78 {
            return Some(self.skin(2.6 + 0.8 * value_noise(u * 4.0, v * 2.0, self.head.seed)));
        }
        Some(Surface {
            celsius: self.cloth_c(u, v, half, arm, place.body_cos),
            material: Material::Fabric,
            face: false,
        })
    }

    fn cloth_c(&self, u: f32, v: f32, half: f32, arm: bool, front: f32) -> f32 {
        let seed = self.head.seed;
        let opening = self.cloth.open * (0.5 + 0.35 * (v - 0.9));
        let shirt = front > 0.2 && self.cloth.open > 0.0 && u.abs() < opening;
        let mut share = if shirt {
            self.cloth.inner
        } else {
            self.cloth.outer
        };
        // Thin cloth lies close on shoulders and chest, hangs loose below and at the edges.
        share += 0.08 * bump(u.abs() - 0.6, v - 1.45, 0.7, 0.6);
        share -= 0.1 * smooth_step(0.6, 1.0, u.abs() / half.max(0.1));
        share -= 0.04 * smooth_step(2.5, 4.5, v);
        let warp = value_noise(u * 1.2, v * 1.2, seed ^ 0x81);
        let folds = 0.75 * value_noise(u * 3.4 + warp * 2.0, v * 1.5 + u - warp, seed ^ 0x82);
        let crease = if arm {
            -0.6 * bump(u.abs() - self.cloth.broad * 0.72, 0.0, 0.07, 1.0)
        } else {
            0.0
        };
        let collar = -0.9 * bump(0.0, v - (1.0 + 0.5 * u.abs()), 1.0, 0.12);
        lerp(self.head.ambient_c, self.head.face_c, share) + folds + crease + collar
            - 0.8 * self.head.cold_k
    }

    fn skin(&self, below: f32) -> Surface {
        Surface {
            celsius: self.head.face_c - below - 1.2 * self.head.cold_k,
            material: Material::Skin,
            face: false,
        }
    }

    fn truth(&self, place: &Placed, view: View) -> PersonTruth {
        let turn = turn_of(place.pose.yaw);
        let facing = match turn.abs() {
            t if t <= 35.0 => Facing::Camera,
            t if t <= 100.0 => Facing::Side,
            _ => Facing::Away,
        };
        let head_edges = self.head.head_edges(place.held);
        let edges = self.head.face_edges(place.held);
        let edges = edges.filter(|_| facing != Facing::Away);
        let spot = |point| {
            let (u, v, seen) = self.head.place(point, place.held);
            (place.point(u, v), seen)
        };
        let area = place.area(edges.unwrap_or(head_edges));
        let inside = area.clipped(view.width as usize, view.height as usize);
        let landmarks = (turn.abs() <= LANDMARKS_TO_DEG).then(|| Landmarks {
            left_eye: spot(FacePoint::Eye(-1.0)).0,
            right_eye: spot(FacePoint::Eye(1.0)).0,
            left_canthus: spot(FacePoint::Canthus(-1.0)).0,
            right_canthus: spot(FacePoint::Canthus(1.0)).0,
            nose: spot(FacePoint::Nose).0,
            left_mouth: spot(FacePoint::Mouth(-1.0)).0,
            right_mouth: spot(FacePoint::Mouth(1.0)).0,
            forehead: spot(FacePoint::Forehead(0.0, 0.0)).0,
        });
        let canthus = |side| {
            let (point, seen) = spot(FacePoint::Canthus(side));
            (seen && facing != Facing::Away && !self.head.glasses).then_some(point)
        };
        PersonTruth {
            id: self.id,
            area,
            head: place.area(head_edges),
            landmarks,
            canthi: [canthus(-1.0), canthus(1.0)],
            face_c: f64::from(self.head.face_c),
            core_c: self.core_c,
            feverish: self.core_c >= FEVER_CORE_C,
            facing,
            yaw_deg: turn,
            pitch_deg: place.pose.pitch.to_degrees(),
            roll_deg: place.pose.roll.to_degrees(),
            // How much is covered is known when everybody is painted; so far: what is cut off.
            visible: edges.map_or(0.0, |_| inside.area() / area.area().max(1e-3)),
            forehead: 0.0,
            distance_m: place.pose.distance_m,
            glasses: self.head.glasses,
            mask: self.head.mask,
            hat: self.head.gear == Some(Headgear::Hat),
            brow: self.head.covers_forehead(0.0, 0.0),
        }
    }
}

/// A profile shows points of a face up to here, degrees.
const LANDMARKS_TO_DEG: f32 = 75.0;

/// A turn as −180…180 degrees.
fn turn_of(yaw: f32) -> f32 {
    (yaw.to_degrees() + 180.0).rem_euclid(360.0) - 180.0
}

/// A person's place in the picture at one moment.
struct Placed {
    pose: Pose,
    /// Between the eyes, pixels.
    x: f32,
    y: f32,
    /// Pixels of a face's width.
    unit: f32,
    held: Held,
    body_sin: f32,
    body_cos: f32,
    roll: (f32, f32),
}

impl Placed {
    /// About where a head leans: the base of the neck, in face widths below the eyes.
    const PIVOT: f32 = 0.9;

    fn new(person: &Person, view: View, pose: Pose, time: f32) -> Self {
        let pixels_per_metre = view.focal / pose.distance_m;
        let (sin, cos) = pose.yaw.sin_cos();
        let (body_sin, body_cos) = pose.body_yaw.sin_cos();
        let breath = (time / person.breath_s * std::f32::consts::TAU).sin();
        Self {
            pose,
            x: view.width * 0.5 + pose.lateral_m * pixels_per_metre,
            y: view.height * 0.5 - (person.eyes_m + pose.bob_m - view.lens_m) * pixels_per_metre,
            unit: FACE_WIDTH_M * person.size * pixels_per_metre,
            held: Held {
                sin,
                cos,
                nod: pose.pitch.sin_cos(),
                breath,
            },
            body_sin,
            body_cos,
            roll: pose.roll.sin_cos(),
        }
    }

    /// A place of the body in the coordinates of the leaning head.
    fn leaning(&self, u: f32, v: f32) -> (f32, f32) {
        let (s, c) = self.roll;
        let v = v - Self::PIVOT;
        (u * c + v * s, v * c - u * s + Self::PIVOT)
    }

    /// A box of the head, in pixels. Leaning, it keeps its size: its corners are no part of the
    /// head.
    fn area(&self, [left, top, right, bottom]: [f32; 4]) -> PixelBox {
        let middle = self.point(f32::midpoint(left, right), f32::midpoint(top, bottom));
        let (half_w, half_h) = (
            (right - left) * 0.5 * self.unit,
            (bottom - top) * 0.5 * self.unit,
        );
        PixelBox {
            left: middle.x - half_w,
            top: middle.y - half_h,
            right: middle.x + half_w,
            bottom: middle.y + half_h,
        }
    }

    /// A place of the head, in pixels.
    fn point(&self, u: f32, v: f32) -> PixelPoint {
        let (s, c) = self.roll;
        let v = v - Self::PIVOT;
        PixelPoint {
            x: self.x + (u * c - v * s) * self.unit,
            y: self.y + (v * c + u * s + Self::PIVOT) * self.unit,
        }
    }
}

/// The seed of a scenario's visitor in a round.
pub(super) fn seed_of_visitor(seed: u64, round: u64, index: usize) -> u64 {
    seed_of(seed_of(seed, round), 0x100 + index as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_and_face_undo_each_other_and_fever_shows() {
        for core in [36.0, 36.6, 37.5, 38.8, 40.0] {
            let face = face_of_core(core, 22.0);
            assert!((core_of_face(face, 22.0) - core).abs() < 1e-12);
        }
        // A healthy adult in a room of 22 °C: 35.4 °C, as the canthi of bare eyes show.
        assert!((face_of_core(36.6, 22.0) - 35.30).abs() < 0.01);
    }
}
