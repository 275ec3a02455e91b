//! A head in three dimensions and the temperatures on it.
//!
//! Lengths are in widths of the face (cheek to cheek, 150 mm), with the origin between the eyes:
//! x to the right of the picture for a head that looks at the camera, y downwards, z towards the
//! camera. The head is a stack of ellipses, so it turns into a profile and into the back of a head
//! with the same few lines.
//!
//! The pattern on the face is what thermal pictures of faces show: the inner corners of the eyes
//! warmest, because the skin over the vessels is thinnest there; the forehead 0.4 K cooler, the
//! cheeks 1 K, the tip of the nose 2…4 K, ears and brows cooler; hair near the room. After
//! somebody came in from the cold, the forehead lags by the fit to Dzien 2020, −5.5…0 °C outdoors:
//! `1.88·e^(−t/0.70) + 1.55·e^(−t/4.6)` K, t in minutes; the inner canthi by about a fifth of it
//! (0.6 of 2.8 K one minute after a cold towel).

use super::noise::{bump, lerp, smooth_step, value_noise};
use super::scenario::Hair;

/// Width of a face, m.
pub(super) const FACE_WIDTH_M: f32 = 0.15;

/// Half the distance between the pupils: 62 mm in all.
const EYE_X: f32 = 0.205;
/// The inner canthi: 34 mm apart in all.
const CANTHUS: (f32, f32) = (0.115, 0.03);
/// The middle of the forehead: halfway between the brows and the hairline.
const FOREHEAD_Y: f32 = -0.245;
/// Hairline, tip of the nose, corners of the mouth, chin, top of the head.
const HAIRLINE: f32 = -0.36;
const NOSE_Y: f32 = 0.21;
const MOUTH: (f32, f32) = (0.15, 0.45);
const CHIN: f32 = 0.84;
const VERTEX: f32 = -0.72;

/// What one head looks like.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a person"
)]
pub(super) struct Head {
    /// Warmest skin, °C.
    pub(super) face_c: f32,
    /// Room, °C.
    pub(super) ambient_c: f32,
    /// How much the skin varies; 1 is natural.
    pub(super) contrast: f32,
    pub(super) hair: Hair,
    /// Lower edge of a fringe over the forehead, 0…0.2 below the hairline.
    pub(super) fringe: f32,
    pub(super) glasses: bool,
    pub(super) mask: bool,
    pub(super) hat: bool,
    pub(super) beard: bool,
    /// How cold the tip of the nose is, K below the warmest skin.
    pub(super) nose_k: f32,
    /// How cold the cheeks are, K below the warmest skin.
    pub(super) cheek_k: f32,
    /// By how much the forehead lags behind after the cold, K.
    pub(super) cold_k: f32,
    /// How square the jaw is: 0 a half ellipse … 1.
    pub(super) jaw: f32,
    /// Share of the way from the room to the skin that hair has.
    pub(super) hair_warmth: f32,
    /// Half the size of a lens of the glasses.
    pub(super) lens: (f32, f32),
    pub(super) seed: u32,
}

/// A head as it is held at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) sin: f32,
    pub(super) cos: f32,
    /// Tangent of the nod.
    pub(super) nod: f32,
    /// −1 in … 1 out.
    pub(super) breath: f32,
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
    Forehead,
}

/// By how much the forehead is colder after some minutes indoors, K (see the module).
pub(super) fn cold_deficit_k(minutes: f32) -> f32 {
    1.88 * (-minutes / 0.70).exp() + 1.55 * (-minutes / 4.6).exp()
}

/// Share of the forehead's deficit that the inner canthi have: 0.6 of 2.8 K.
pub(super) const CANTHUS_SHARE_OF_COLD: f32 = 0.2;

impl Head {
    /// Half the head's width and half its depth at height `y`, and how far the middle lies forward.
    fn slice(&self, y: f32) -> Option<(f32, f32, f32)> {
        let a = if y < -0.1 {
            let t = (y + 0.1) / (VERTEX + 0.1);
            0.5 * (1.0 - t * t).max(0.0).sqrt()
        } else {
            let t = (y + 0.1) / (CHIN + 0.1);
            0.5 * (1.0 - t * t * lerp(1.0, t, self.jaw)).max(0.0).sqrt()
        };
        (a > 0.01).then(|| {
            let forward = 0.2 * (y / CHIN).max(0.0);
            (a, 1.22 * a, forward)
        })
    }

    /// The point of the head that is seen at (u, v), as (x, y, z) and how squarely it is seen.
    fn seen(&self, u: f32, v: f32, held: Held) -> Option<([f32; 3], f32)> {
        let (a, b, forward) = self.slice(v)?;
        let (s, c) = (held.sin, held.cos);
        let u = u - forward * s;
        let (ia, ib) = (1.0 / (a * a), 1.0 / (b * b));
        let qa = s * s * ia + c * c * ib;
        let qb = u * c * s * (ib - ia);
        let qc = u * u * (c * c * ia + s * s * ib) - 1.0;
        let root = qb * qb - qa * qc;
        if root < 0.0 {
            return None;
        }
        let depth = (root.sqrt() - qb) / qa;
        let (x, z) = (u * c - depth * s, u * s + depth * c);
        let (nx, nz) = (x * ia, z * ib);
        let square = (nz * c - nx * s) / (nx * nx + nz * nz).sqrt().max(1e-6);
        // The nod moves what lies in front downwards and what lies behind upwards.
        let y = v - held.nod * z;
        Some(([x, y, z + forward], square))
    }

    /// Where a point of the face is in the picture, and whether it is turned to the camera.
    pub(super) fn place(&self, point: FacePoint, held: Held) -> (f32, f32, bool) {
        let (x, y, out) = match point {
            FacePoint::Eye(side) => (EYE_X * side, 0.0, 0.0),
            FacePoint::Nose => (0.0, NOSE_Y, 0.1),
            FacePoint::Mouth(side) => (MOUTH.0 * side, MOUTH.1, 0.0),
            FacePoint::Canthus(side) => (CANTHUS.0 * side, CANTHUS.1, 0.0),
            FacePoint::Forehead => (0.0, FOREHEAD_Y, 0.0),
        };
        let (a, b, forward) = self.slice(y).unwrap_or((0.5, 0.6, 0.0));
        let z0 = b * (1.0 - (x / a).powi(2)).max(0.0).sqrt();
        let z = z0 + out + forward;
        let (nx, nz) = (x / (a * a), z0 / (b * b));
        let square = nz * held.cos - nx * held.sin;
        (
            x * held.cos + z * held.sin,
            y + held.nod * z0,
            square > 0.25 * (nx * nx + nz * nz).sqrt(),
        )
    }

    /// Left, top, right and lower edge of the face (hairline to chin, cheek to cheek) in the
    /// picture; `None` where no part of it is turned to the camera.
    pub(super) fn face_edges(&self, held: Held) -> Option<[f32; 4]> {
        let mut edges: Option<[f32; 4]> = None;
        for step in 0..9 {
            let y = HAIRLINE + 0.02 + (CHIN - HAIRLINE - 0.04) * step as f32 / 8.0;
            let Some((a, b, forward)) = self.slice(y) else {
                continue;
            };
            for degrees in (-84..=84).step_by(6) {
                let (st, ct) = (degrees as f32).to_radians().sin_cos();
                let (x, z) = (a * st, b * ct);
                let (nx, nz) = (st / a, ct / b);
                if nz * held.cos - nx * held.sin <= 0.0 {
                    continue;
                }
                let u = x * held.cos + (z + forward) * held.sin;
                let v = y + held.nod * z;
                let old = edges.unwrap_or([u, v, u, v]);
                edges = Some([old[0].min(u), old[1].min(v), old[2].max(u), old[3].max(v)]);
            }
        }
        edges.filter(|e| e[2] - e[0] > 0.12)
    }

    /// The head, its ears and what it wears, at (u, v).
    pub(super) fn surface(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        if !(-1.1..=1.6).contains(&v) || u.abs() > 1.1 {
            return None;
        }
        if self.hat
            && let Some(hat) = self.hat_at(u, v, held)
        {
            return Some(hat);
        }
        if let Some(ear) = self.ear(u, v, held) {
            return Some(ear);
        }
        if let Some((point, square)) = self.seen(u, v, held) {
            return Some(self.on_head(point, square, held));
        }
        self.nose_in_profile(u, v, held)
            .or_else(|| self.hair_around(u, v, held))
    }

    fn on_head(&self, [x, y, z]: [f32; 3], square: f32, held: Held) -> Surface {
        let angle = x.abs().atan2(z);
        let limb = 1.0 - smooth_step(0.0, 0.42, square);
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
        let skin = self.skin_c(x, y, angle, held) - 0.7 * limb * self.contrast;
        let celsius = lerp(skin, self.hair_c(x, y, z), hair);
        Surface {
            celsius,
            material: Material::Skin,
            face: frontal,
        }
    }

    /// Glasses and mask, on the front of the face.
    fn worn(&self, x: f32, y: f32, angle: f32, held: Held) -> Option<Surface> {
        if self.glasses {
            let (w, h) = self.lens;
            let (dx, dy) = ((x.abs() - 0.225) / w, (y - 0.015) / h);
            let lens = dx.powi(4) + dy.powi(4) < 1.0;
            let bridge = x.abs() < 0.08 && (y + 0.03).abs() < 0.022;
            let temple = x.abs() > 0.36 && angle < 1.5 && (y + 0.04).abs() < 0.025;
            if lens || bridge || temple {
                let share = if lens { 0.22 } else { 0.4 };
                let blotch = 0.25 * value_noise(x * 7.0, y * 7.0, self.seed ^ 0x61);
                return Some(Surface {
                    celsius: lerp(self.ambient_c, self.face_c, share) + blotch,
                    material: Material::Glass,
                    face: true,
                });
            }
        }
        let upper = 0.1 + 0.12 * smooth_step(0.05, 0.4, x.abs());
        if self.mask && y > upper && angle < 1.25 {
            // Cloth near 31 °C, warmer while breathing out, most of all before the mouth.
            let near_mouth = bump(x, y - 0.36, 0.34, 0.36);
            let share = 0.62 + 0.05 * held.breath * near_mouth + 0.05 * near_mouth;
            let fold = 0.3 * value_noise(x * 3.0, y * 16.0, self.seed ^ 0x62);
            let rim = 0.8 * bump(0.0, y - upper, 1.0, 0.05);
            return Some(Surface {
                celsius: lerp(self.ambient_c, self.face_c, share) + fold - rim,
                material: Material::Fabric,
                face: true,
            });
        }
        None
    }

    /// Skin of the face, the crown and the sides of the head, °C.
    fn skin_c(&self, x: f32, y: f32, angle: f32, held: Held) -> f32 {
        let uneven = 0.34 * value_noise(x * 4.0 + 9.0, y * 4.0, self.seed)
            + 0.14 * value_noise(x * 10.0, y * 10.0, self.seed ^ 0x11);
        // A little lopsided, as everybody is.
        let lopsided = 1.0 + 0.18 * x.signum() * value_noise(0.5, 0.5, self.seed ^ 0x12);
        let ax = x.abs();
        let below = self.pattern(ax, y, lopsided, held) + uneven;
        let side = smooth_step(1.0, 1.45, angle);
        let cold = self.cold_k
            * (1.0 + 0.5 * bump(x, y - NOSE_Y, 0.3, 0.35) + 0.4 * side
                - 0.35 * bump(ax - 0.15, y, 0.2, 0.14));
        let below = (below + 0.35 * side).max(0.12) * self.contrast + cold;
        let canthus = {
            let r2 = ((ax - CANTHUS.0).powi(2) + (y - CANTHUS.1).powi(2)) / (0.042 * 0.042);
            // Flat over the 5 mm that are the spot, gone after 6 mm from its middle.
            (1.7 * (1.0 - r2)).clamp(0.0, 1.0)
        };
        self.face_c - below * (1.0 - smooth_step(0.0, 1.0, canthus))
    }

    /// Kelvin below the warmest skin, at rest.
    fn pattern(&self, ax: f32, y: f32, lopsided: f32, held: Held) -> f32 {
        let mut below = lerp(0.42, self.cheek_k, smooth_step(-0.16, 0.2, y));
        below = lerp(below, 0.75, smooth_step(0.4, 0.66, y));
        // The crown of a bald head.
        below += 0.7 * smooth_step(-0.3, -0.7, y);
        // Warm: around the eyes, temples, beside the nose, below the lower lip and the jaw.
        below -= 0.85 * bump(ax - 0.17, y - 0.02, 0.24, 0.15);
        below -= 0.25 * bump(ax - 0.42, y + 0.08, 0.16, 0.2);
        below -= 0.25 * bump(ax - 0.16, y - 0.33, 0.12, 0.14);
        below -= 0.45 * smooth_step(0.68, 0.84, y);
        // Cool: globes, brows, cheeks, the nose, the chin.
        below += 0.45 * bump(ax - 0.23, y, 0.1, 0.055);
        below += 0.75 * bump(ax - 0.23, y + 0.135 + 0.1 * (ax - 0.2).abs(), 0.2, 0.05);
        below += 0.6 * self.cheek_k * lopsided * bump(ax - 0.29, y - 0.25, 0.22, 0.22);
        below += 0.4 * self.nose_k * bump(ax, y - 0.1, 0.11, 0.22);
        below += 0.8 * self.nose_k * bump(ax, y - NOSE_Y, 0.18, 0.15);
        below += 0.5 * bump(ax, y - 0.68, 0.16, 0.11);
        // The mouth: lips warm, the line between them cool, breath in the nostrils.
        below += 0.7 * bump(ax, y - 0.45, 0.2, 0.045) - 0.3 * bump(ax, y - 0.5, 0.14, 0.06);
        below -= 0.35 * held.breath * bump(ax, y - 0.29, 0.12, 0.07);
        if self.beard {
            // Along the jaw from the ears, and round the mouth.
            let upper = 0.46 - 0.3 * smooth_step(0.2, 0.46, ax) - 0.12 * bump(ax, 0.0, 0.2, 1.0);
            let grown = smooth_step(upper - 0.08, upper + 0.1, y);
            let lips = bump(ax, y - 0.46, 0.15, 0.06);
            below += grown * (1.0 - lips) * 2.6;
        }
        below
    }

    /// How much of a point is hair: 0 skin … 1 hair.
    fn hair_share(&self, x: f32, y: f32, angle: f32) -> f32 {
        let ragged = 0.035 * value_noise(x * 9.0, y * 9.0, self.seed ^ 0x21);
        let side = smooth_step(0.55, 1.5, angle);
        if self.hair == Hair::Bald {
            // Stubble round the back.
            let back = smooth_step(1.5, 1.9, angle) * smooth_step(-0.25, -0.1, y);
            return 0.5 * back * (1.0 - smooth_step(0.3, 0.45, y));
        }
        let front = lerp(HAIRLINE + self.fringe, -0.04, side * side) + ragged;
        let above = 1.0 - smooth_step(front - 0.035, front + 0.035, y);
        let nape = if self.hair == Hair::Long { 1.5 } else { 0.42 };
        let behind = smooth_step(1.52, 1.72, angle + ragged)
            * (1.0 - smooth_step(nape - 0.06, nape + 0.06, y));
        above.max(behind)
    }

    fn hair_c(&self, x: f32, y: f32, z: f32) -> f32 {
        let strands = match self.hair {
            Hair::Long => 0.7 * value_noise((x + z) * 9.0, y * 1.6, self.seed ^ 0x31),
            _ => 0.5 * value_noise((x + z) * 6.0, y * 6.0, self.seed ^ 0x31),
        };
        let crown = 0.08 * smooth_step(-0.35, -0.7, y);
        lerp(self.ambient_c, self.face_c, self.hair_warmth - crown) + strands - 0.3 * self.cold_k
    }

    fn hair_around(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        if self.hair == Hair::Bald || u.abs() > 0.95 || (v > 0.05 && self.hair == Hair::Short) {
            return None;
        }
        let swell = 0.05 + 0.02 * value_noise(u * 5.0, v * 5.0, self.seed ^ 0x41);
        let cap = (u / (0.5 + swell)).powi(2) + ((v + 0.12) / (0.62 + swell)).powi(2) < 1.0;
        let long = self.hair == Hair::Long && {
            let wave = 0.05 * value_noise(v * 2.5, u.signum(), self.seed ^ 0x42);
            // Wider down to the shoulders, thinner towards the ends.
            let ends = smooth_step(0.95, 1.3 + 2.0 * wave, v);
            let outer = 0.56 + 0.1 * smooth_step(0.0, 1.0, v) + wave - 0.25 * ends;
            // From the front it parts round the neck; from behind it hangs over it.
            let inner = if held.cos > 0.0 { 0.3 * held.cos } else { 0.0 };
            let back = -0.22 * held.sin;
            (-0.2..1.25).contains(&v) && (u - back).abs() < outer && (u - back).abs() >= inner
        };
        ((cap && v < 0.05) || long).then(|| Surface {
            celsius: self.hair_c(u, v, 0.0) - 0.6,
            material: Material::Fabric,
            face: false,
        })
    }

    fn hat_at(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        let lower = -0.27 + 0.05 * held.nod;
        let cap = (u / 0.56).powi(2) + ((v + 0.2) / 0.62).powi(2) < 1.0 && v < lower;
        // The peak points where the face does.
        let reach = 0.55 * held.sin;
        let peak = held.cos > -0.2
            && ((u - reach) / (0.44 - 0.1 * held.sin.abs())).powi(2) + ((v - lower) / 0.07).powi(2)
                < 1.0;
        (cap || peak).then(|| Surface {
            celsius: lerp(self.ambient_c, self.face_c, if peak { 0.16 } else { 0.24 })
                + 0.35 * value_noise(u * 4.0, v * 4.0, self.seed ^ 0x51),
            material: Material::Fabric,
            face: false,
        })
    }

    fn ear(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        if self.hair == Hair::Long || u.abs() > 0.7 || !(-0.1..0.3).contains(&v) {
            return None;
        }
        for side in [-1.0_f32, 1.0] {
            if side * held.sin > 0.3 {
                continue;
            }
            let middle = 0.5 * side * held.cos - 0.06 * held.sin;
            let wide = 0.05 + 0.075 * held.sin.abs();
            let (du, dv) = ((u - middle) / wide, (v - 0.09) / 0.17);
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

    fn nose_in_profile(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        if held.cos < -0.35 || held.sin.abs() < 0.35 {
            return None;
        }
        let (_, b, forward) = self.slice(NOSE_Y)?;
        let along = u / held.sin.signum() - (b + forward) * held.sin.abs();
        let reach = 0.13 * smooth_step(-0.1, 0.24, v) * (1.0 - smooth_step(0.25, 0.32, v));
        let hidden = self.mask && v > 0.1;
        ((-0.1..0.34).contains(&v) && along < reach && along > -0.2).then(|| Surface {
            celsius: if hidden {
                lerp(self.ambient_c, self.face_c, 0.65)
            } else {
                self.face_c
                    - self.contrast * (0.9 + self.nose_k * smooth_step(0.0, 0.2, v))
                    - 1.3 * self.cold_k
            },
            material: Material::Skin,
            face: true,
        })
    }
}
