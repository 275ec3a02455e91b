//! A head in three dimensions.
//!
//! Lengths are in widths of the face (cheek to cheek, 150 mm); the axes are those of
//! [`super::solid`]. The head is a stack of ellipses with a nose on it, so it turns into a profile
//! and into the back of a head, and nods, with the same few lines. What is on the head:
//! [`super::skin`] for the temperatures, [`super::worn`] for hair and clothes.
//!
//! Points of a face are given in the measures of a grown person's face; below the eyes, a face is
//! longer or shorter by [`Head::long`].

use super::noise::{lerp, smooth_step};
use super::scenario::Hair;
use super::solid::{Ellipsoid, Held, Ray};

/// Width of a face, m.
pub(super) const FACE_WIDTH_M: f32 = 0.15;

/// Half the distance between the pupils: 62 mm in all.
const EYE_X: f32 = 0.205;
/// The inner canthi: 34 mm apart in all.
pub(super) const CANTHUS: (f32, f32) = (0.115, 0.03);
/// The middle of the forehead: halfway between the brows and the hairline.
pub(super) const FOREHEAD_Y: f32 = -0.245;
/// Hairline, tip of the nose, corners of the mouth, chin, top of the head.
pub(super) const HAIRLINE: f32 = -0.36;
pub(super) const NOSE_Y: f32 = 0.21;
const MOUTH: (f32, f32) = (0.15, 0.45);
const CHIN: f32 = 0.84;
/// Where the head is widest.
const WIDEST: f32 = -0.1;

/// What one head looks like.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Warmest skin, °C.
    pub(super) face_c: f32,
    /// Room, °C.
    pub(super) ambient_c: f32,
    /// How much the skin varies; 1 is natural.
    pub(super) contrast: f32,
    pub(super) hair: Hair,
    /// Lower edge of a fringe over the forehead, 0…0.3 below the hairline.
    pub(super) fringe: f32,
    pub(super) glasses: bool,
    pub(super) mask: bool,
    pub(super) gear: Option<Headgear>,
    pub(super) beard: bool,
    /// A beard round mouth and chin only.
    pub(super) goatee: bool,
    /// How much cooler than skin a beard is, K.
    pub(super) beard_k: f32,
    /// How far the warm spot at the inner corner of an eye reaches.
    pub(super) canthus: f32,
    /// How much the skin varies in spots of its own; 1 is natural.
    pub(super) mottle: f32,
    /// How much warmer the skin over the vessels of the forehead is, K.
    pub(super) vessels_k: f32,
    /// How warm the skin around the eyes is; 1 is natural.
    pub(super) orbits: f32,
    /// How much cooler skin reads where it is seen from the side, K.
    pub(super) limb_k: f32,
    /// How cold the tip of the nose is, K below the warmest skin.
    pub(super) nose_k: f32,
    /// How cold the cheeks are, K below the warmest skin.
    pub(super) cheek_k: f32,
    /// By how much the forehead lags behind after the cold, K.
    pub(super) cold_k: f32,
    /// How square the jaw is: 0 a half ellipse … 1.
    pub(super) jaw: f32,
    /// Length below the eyes; 1 is a grown person's.
    pub(super) long: f32,
    /// Height of the head's top.
    pub(super) vertex: f32,
    /// Depth of the head for its width.
    pub(super) depth: f32,
    /// Size of the eyes; 1 is a grown person's.
    pub(super) eyes: f32,
    /// How far the tip of the nose stands out of the face.
    pub(super) nose_out: f32,
    /// Share of the way from the room to the skin that hair has.
    pub(super) hair_warmth: f32,
    /// How far the hairline lies above or below the usual one; negative where it recedes.
    pub(super) hairline: f32,
    /// Half the width in which skin turns into hair, and how ragged that edge is.
    pub(super) hair_edge: (f32, f32),
    /// Half the size of a lens of the glasses, and how low it sits.
    pub(super) lens: (f32, f32),
    pub(super) lens_y: f32,
    /// Shares of the way from the room to the skin that these have.
    pub(super) lens_warmth: f32,
    pub(super) mask_warmth: f32,
    pub(super) gear_warmth: f32,
    /// Upper edge of the mask in the middle: above the tip of the nose, or below it.
    pub(super) mask_top: f32,
    /// How far down the forehead the headgear reaches.
    pub(super) gear_low: f32,
    /// Whether a hat has a peak.
    pub(super) peak: bool,
    pub(super) seed: u32,
}

/// What is worn on the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Headgear {
    Hat,
    Hood,
    Headscarf,
}

/// What a surface is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Material {
    Skin,
    Fabric,
    Glass,
}

/// A point of a person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surface {
    /// True temperature, °C.
    pub(super) celsius: f32,
    pub(super) material: Material,
    /// Whether it lies between hairline and chin, cheek and cheek.
    pub(super) face: bool,
}

/// A named point of a face.
#[derive(Clone, Copy, Debug)]
pub(super) enum FacePoint {
    Eye(f32),
    Nose,
    Mouth(f32),
    Canthus(f32),
    /// So far from the middle of the forehead.
    Forehead(f32, f32),
}

/// Where a line of sight meets the head.
#[derive(Clone, Copy, Debug)]
struct Hit {
    /// In the measures of a grown person's face.
    point: [f32; 3],
    /// How squarely it is seen.
    square: f32,
    /// How near it is.
    near: f32,
}

impl Head {
    /// Longer or shorter below the eyes, as this head is.
    fn own(&self, y: f32) -> f32 {
        if y > 0.0 { y * self.long } else { y }
    }

    fn grown(&self, y: f32) -> f32 {
        if y > 0.0 { y / self.long } else { y }
    }

    /// The square of half the head's width at the head's own height `y`, how far its middle lies
    /// forward, and the slopes of both.
    fn slice(&self, y: f32) -> [f32; 4] {
        if y < WIDEST {
            let t = (y - WIDEST) / (self.vertex - WIDEST);
            let width = 0.25 * (1.0 - t * t);
            return [width, 0.0, -0.5 * t / (self.vertex - WIDEST), 0.0];
        }
        let (stretched, forward) = if y > 0.0 {
            (1.0 / self.long, 0.2 / (CHIN * self.long))
        } else {
            (1.0, 0.0)
        };
        let t = (y * stretched - WIDEST) / (CHIN - WIDEST);
        let narrow = t * t * lerp(1.0, t, self.jaw);
        let slope = t * (2.0 + self.jaw * (3.0 * t - 2.0)) * stretched / (CHIN - WIDEST);
        [0.25 * (1.0 - narrow), forward * y, -0.25 * slope, forward]
    }

    fn nose(&self) -> Ellipsoid {
        Ellipsoid {
            middle: [0.0, 0.16 * self.long, 0.5 * self.depth - 0.05],
            half: [0.105, 0.21 * self.long, 0.1 + self.nose_out],
        }
    }

    /// Where a line of sight first meets the skull: Newton's method from the camera's side, which
    /// cannot overshoot because the skull is nowhere hollow.
    fn skull(&self, ray: &Ray) -> Option<Hit> {
        let flat = 1.0 / (self.depth * self.depth);
        let mut t = 1.2;
        for _ in 0..12 {
            let [x, y, z] = ray.at(t);
            let [width, forward, slope, tilt] = self.slice(y);
            let ahead = z - forward;
            let outside = x * x + flat * ahead * ahead - width;
            let normal = [
                2.0 * x,
                -slope - 2.0 * flat * ahead * tilt,
                2.0 * flat * ahead,
            ];
            let [dx, dy, dz] = ray.along;
            let rate = normal[0] * dx + normal[1] * dy + normal[2] * dz;
            if outside < 1e-3 {
                return Some(Hit {
                    point: [x, self.grown(y), z],
                    square: ray.square(normal),
                    near: t,
                });
            }
            if rate <= 0.0 {
                return None;
            }
            t -= outside / rate;
        }
        None
    }

    fn hit(&self, ray: &Ray) -> Option<Hit> {
        let skull = self.skull(ray);
        let nose = self.nose();
        let (near, _) = match nose.hit(ray) {
            Some(hit) if skull.is_none_or(|skull| hit.0 > skull.near) => hit,
            _ => return skull,
        };
        let point @ [x, y, z] = ray.at(near);
        Some(Hit {
            point: [x, self.grown(y), z],
            square: ray.square(nose.normal(point)),
            near,
        })
    }

    /// The frontmost point of the head at (x, y) of a grown person's face.
    fn front(&self, x: f32, y: f32) -> [f32; 3] {
        let y = self.own(y);
        let [width, forward, ..] = self.slice(y);
        let skull = forward + self.depth * (width - x * x).max(0.0).sqrt();
        let straight = Ray {
            from: [x, y, 0.0],
            along: [0.0, 0.0, 1.0],
        };
        let nose = self.nose().hit(&straight).map_or(0.0, |(near, _)| near);
        [x, y, skull.max(nose)]
    }

    /// Where a point of the face is in the view, and whether it is turned to the camera.
    pub(super) fn place(&self, point: FacePoint, held: Held) -> (f32, f32, bool) {
        let (x, y) = match point {
            FacePoint::Eye(side) => (EYE_X * side, 0.0),
            FacePoint::Nose => (0.0, NOSE_Y),
            FacePoint::Mouth(side) => (MOUTH.0 * side, MOUTH.1),
            FacePoint::Canthus(side) => (CANTHUS.0 * side, CANTHUS.1),
            FacePoint::Forehead(dx, dy) => (dx, FOREHEAD_Y + dy),
        };
        let [u, v, near] = held.view(self.front(x, y));
        let seen = self
            .hit(&held.ray(u, v))
            .is_some_and(|hit| hit.near < near + 0.03 && hit.square > 0.25);
        (u, v, seen)
    }

    /// Whether hair or headgear covers this point of the forehead, given from its middle.
    pub(super) fn covers_forehead(&self, dx: f32, dy: f32) -> bool {
        let point @ [x, y, z] = self.front(dx, FOREHEAD_Y + dy);
        self.geared(point) || self.hair_share(x, y, x.abs().atan2(z)) > 0.5
    }

    /// Left, top, right and lower edge of the face (hairline to chin, cheek to cheek, with the
    /// nose) in the view; `None` where next to nothing of it is turned to the camera.
    pub(super) fn face_edges(&self, held: Held) -> Option<[f32; 4]> {
        let straight = held.ray(0.0, 0.0);
        let [u, v, _] = held.view(self.front(0.0, NOSE_Y));
        let mut edges = [u, v, u, v];
        let mut seen = false;
        self.rings(HAIRLINE + 0.02, 84, |point, normal| {
            if straight.square(normal) > 0.0 {
                seen = true;
                widen(&mut edges, held.view(point));
            }
        });
        (seen && edges[2] - edges[0] > 0.12).then_some(edges)
    }

    /// The same edges of the whole head, without its hair.
    pub(super) fn head_edges(&self, held: Held) -> [f32; 4] {
        let mut edges = [0.0; 4];
        self.rings(self.vertex + 0.01, 174, |point, _| {
            widen(&mut edges, held.view(point));
        });
        edges
    }

    /// Points of the skull from this height to the chin, and so many degrees from the middle of
    /// the face to either side, each with its normal.
    fn rings(&self, from: f32, degrees: i32, mut each: impl FnMut([f32; 3], [f32; 3])) {
        for step in 0..=12 {
            let y = self.own(lerp(from, CHIN - 0.01, step as f32 / 12.0));
            let [width, forward, slope, tilt] = self.slice(y);
            let half = width.max(0.0).sqrt();
            for angle in (-degrees..=degrees).step_by(6) {
                let (sin, cos) = (angle as f32).to_radians().sin_cos();
                let (x, ahead) = (half * sin, self.depth * half * cos);
                let inward = ahead / (self.depth * self.depth);
                let normal = [x, -0.5 * slope - inward * tilt, inward];
                each([x, y, forward + ahead], normal);
            }
        }
    }

    /// The head, its ears and what it wears, at (u, v).
    pub(super) fn surface(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        if !(-1.15..=1.6).contains(&v) || u.abs() > 1.15 {
            return None;
        }
        let ray = held.ray(u, v);
        let hit = self.hit(&ray);
        if let Some(worn) = self.gear_at(&ray, hit.map(|hit| hit.near)) {
            return Some(worn);
        }
        if let Some(glasses) = self.glasses_at(&ray, hit.map(|hit| hit.near)) {
            return Some(glasses);
        }
        let bare = !matches!(self.gear, Some(Headgear::Hood | Headgear::Headscarf));
        if bare && let Some(ear) = self.ear(u, v, held) {
            return Some(ear);
        }
        if let Some(hair) = self.hair_at(&ray, (u, v)) {
            return Some(hair);
        }
        // From behind, long hair hangs before jaw and neck.
        let before = hit.is_some_and(|hit| hit.near < -0.5 * held.cos);
        if bare
            && before
            && let Some(hair) = self.hair_hanging(u, v, held)
        {
            return Some(hair);
        }
        if let Some(hit) = hit {
            return Some(self.on_head(hit, held));
        }
        if bare && let Some(hair) = self.hair_hanging(u, v, held) {
            return Some(hair);
        }
        self.gear_behind(&ray)
    }

    fn on_head(&self, hit: Hit, held: Held) -> Surface {
        let [x, y, z] = hit.point;
        let angle = x.abs().atan2(z);
        let limb = 1.0 - smooth_step(0.0, 0.42, hit.square);
        let hair = self.hair_share(x, y, angle);
        let frontal = angle < 1.47 && y > HAIRLINE;
        if hair > 0.98 {
            return Surface {
                celsius: self.hair_c(x, y, z) - 0.4 * limb,
                material: Material::Fabric,
                face: frontal && self.fringe > 0.0,
            };
        }
        if z > 0.0
            && let Some(worn) = self.worn(x, y, angle, held)
        {
            return worn;
        }
        let skin = self.skin_c(x, y, angle, held) - self.limb_k * limb * self.contrast;
        let celsius = lerp(skin, self.hair_c(x, y, z), hair);
        Surface {
            celsius,
            material: Material::Skin,
            face: frontal,
        }
    }

    fn ear(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        if self.hair == Hair::Long || u.abs() > 0.7 || !(-0.4..0.6).contains(&v) {
            return None;
        }
        for side in [-1.0_f32, 1.0] {
            if side * held.sin > 0.3 {
                continue;
            }
            let [middle, height, _] = held.view([0.5 * side, 0.09, -0.06]);
            let wide = 0.05 + 0.075 * held.sin.abs();
            let (du, dv) = ((u - middle) / wide, (v - height) / 0.17);
            let r2 = du * du + dv * dv;
            if r2 < 1.0 {
                let rim = 0.7 * r2;
                let below = 1.3 + rim + 0.3 * self.nose_k + 1.4 * self.cold_k;
                return Some(Surface {
                    celsius: self.face_c - below * self.contrast.max(0.2),
                    material: Material::Skin,
                    face: false,
                });
            }
        }
        None
    }
}

fn widen(edges: &mut [f32; 4], [u, v, _]: [f32; 3]) {
    *edges = [
        edges[0].min(u),
        edges[1].min(v),
        edges[2].max(u),
        edges[3].max(v),
    ];
}
