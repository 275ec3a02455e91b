//! What is on a head that is no skin: hair, glasses, a mask, a hat, a hood, a headscarf.
//!
//! Glass is opaque to the camera and takes the room's temperature. A mask reads near 31 °C and
//! follows the breath. Hair and cloth lie between room and skin. Headgear and hair are shells
//! around the head, so they turn and nod with it.

use super::head::{HAIRLINE, Head, Headgear, Material, Surface};
use super::noise::{bump, lerp, smooth_step, value_noise};
use super::scenario::Hair;
use super::solid::{Ellipsoid, Held, Ray};

impl Head {
    /// Glasses stand before the face on a slightly bent plane: flat above, round below, with a
    /// rim. In front of the head, of which this is the nearest point.
    pub(super) fn glasses_at(&self, ray: &Ray, head: Option<f32>) -> Option<Surface> {
        if !self.glasses || ray.along[2].abs() < 0.05 {
            return None;
        }
        let front = 0.5 * self.depth + 0.07;
        let (mut near, mut point) = (0.0, [0.0, 0.0, front]);
        for _ in 0..3 {
            let bent = front - 0.4 * (point[0] * point[0]).min(0.2);
            near = (bent - ray.from[2]) / ray.along[2];
            point = ray.at(near);
        }
        let [x, y, _] = point;
        if head.is_some_and(|head| head > near) {
            return None;
        }
        let (w, h) = self.lens;
        let (dx, dy) = ((x.abs() - 0.225) / w, (y - self.lens_y) / h);
        let reach = dx.powi(4) + if dy < 0.0 { dy.powi(6) } else { dy.powi(3) };
        let bridge = x.abs() < 0.08 && (y - self.lens_y + 0.045).abs() < 0.02;
        if reach < 0.7 {
            Some(self.glass(x, y, 0.0))
        } else if reach < 1.3 || bridge {
            Some(self.glass(x, y, 0.1))
        } else {
            None
        }
    }

    fn glass(&self, x: f32, y: f32, warmer: f32) -> Surface {
        let blotch = 0.25 * value_noise(x * 7.0, y * 7.0, self.seed ^ 0x61);
        Surface {
            celsius: lerp(self.ambient_c, self.face_c, self.lens_warmth + warmer) + blotch,
            material: Material::Glass,
            face: true,
        }
    }

    /// What lies on the skin: the arms of glasses, a mask and its bands to the ears.
    pub(super) fn worn(&self, x: f32, y: f32, angle: f32, held: Held) -> Option<Surface> {
        let arm = angle < 1.55 && x.abs() > 0.36 && (y - self.lens_y + 0.055).abs() < 0.024;
        if self.glasses && arm {
            return Some(self.glass(x, y, 0.2));
        }
        let upper = self.mask_top + 0.12 * smooth_step(0.05, 0.4, x.abs());
        let band = (1.25..1.5).contains(&angle) && (y - 0.16).abs() < 0.02;
        if self.mask && ((y > upper && angle < 1.25) || band) {
            // Cloth near 31 °C, warmer while breathing out, most of all before the mouth.
            let near_mouth = bump(x, y - 0.36, 0.34, 0.36);
            let share = self.mask_warmth + 0.05 * held.breath * near_mouth + 0.05 * near_mouth;
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

    /// How much of a point is hair: 0 skin … 1 hair.
    pub(super) fn hair_share(&self, x: f32, y: f32, angle: f32) -> f32 {
        let (soft, rough) = self.hair_edge;
        let ragged = rough * value_noise(x * 9.0, y * 9.0, self.seed ^ 0x21)
            + 0.6 * (rough - 0.035) * value_noise(x * 23.0, y * 7.0, self.seed ^ 0x22);
        let side = smooth_step(0.55, 1.5, angle);
        if self.hair == Hair::Bald {
            // Stubble round the back.
            let back = smooth_step(1.5, 1.9, angle) * smooth_step(-0.25, -0.1, y);
            return 0.5 * back * (1.0 - smooth_step(0.3, 0.45, y));
        }
        let front = lerp(HAIRLINE + self.hairline + self.fringe, -0.04, side * side) + ragged;
        let above = 1.0 - smooth_step(front - soft, front + soft, y);
        let nape = if self.hair == Hair::Long { 1.5 } else { 0.42 };
        let behind = smooth_step(1.52, 1.72, angle + ragged)
            * (1.0 - smooth_step(nape - 0.06, nape + 0.06, y));
        above.max(behind)
    }

    pub(super) fn hair_c(&self, x: f32, y: f32, z: f32) -> f32 {
        let strands = match self.hair {
            Hair::Long => 0.7 * value_noise((x + z) * 9.0, y * 1.6, self.seed ^ 0x31),
            _ => 0.5 * value_noise((x + z) * 6.0, y * 6.0, self.seed ^ 0x31),
        };
        let crown = 0.08 * smooth_step(-0.35, -0.7, y);
        lerp(self.ambient_c, self.face_c, self.hair_warmth - crown) + strands - 0.3 * self.cold_k
    }

    /// The hair that stands off the head.
    pub(super) fn hair_at(&self, ray: &Ray, (u, v): (f32, f32)) -> Option<Surface> {
        if self.hair == Hair::Bald {
            return None;
        }
        let swell = 0.05 + 0.02 * value_noise(u * 5.0, v * 5.0, self.seed ^ 0x41);
        let shell = Ellipsoid {
            middle: [0.0, -0.1, -0.04],
            half: [
                0.5 + swell,
                0.52 + swell - (self.vertex + 0.62),
                0.5 * self.depth + 0.02 + swell,
            ],
        };
        let (near, _) = shell.hit(ray)?;
        let point @ [x, y, z] = ray.at(near);
        let angle = x.abs().atan2(z);
        (self.hair_share(x, y, angle) > 0.6).then(|| {
            let limb = 1.0 - smooth_step(0.0, 0.42, ray.square(shell.normal(point)));
            Surface {
                celsius: lerp(self.hair_c(x, y, z), self.ambient_c, 0.2 * limb),
                material: Material::Fabric,
                face: angle < 1.47 && y > HAIRLINE,
            }
        })
    }

    /// Long hair beside the neck and down the back.
    pub(super) fn hair_hanging(&self, u: f32, v: f32, held: Held) -> Option<Surface> {
        if self.hair != Hair::Long || u.abs() > 0.95 || !(-0.2..1.25).contains(&v) {
            return None;
        }
        let wave = 0.05 * value_noise(v * 2.5, u.signum(), self.seed ^ 0x42);
        // Wider down to the shoulders, thinner towards the ends.
        let ends = smooth_step(0.95, 1.3 + 2.0 * wave, v);
        let outer = 0.56 + 0.1 * smooth_step(0.0, 1.0, v) + wave - 0.25 * ends;
        // From the front it parts round the neck; from behind it hangs over it.
        let inner = if held.cos > 0.0 { 0.3 * held.cos } else { 0.0 };
        let off = (u + 0.22 * held.sin).abs();
        (inner..outer).contains(&off).then(|| Surface {
            celsius: self.hair_c(u, v, 0.0) - 0.6,
            material: Material::Fabric,
            face: false,
        })
    }

    /// Whether the headgear has cloth at or before this point.
    pub(super) fn geared(&self, [x, y, z]: [f32; 3]) -> bool {
        // An oval for the face, from `gear_low` downwards.
        let oval = |wide: f32, high: f32| {
            let middle = self.gear_low + high;
            z > 0.1 && (x / wide).powi(2) + ((y - middle) / high).powi(2) < 1.0
        };
        match self.gear {
            None => false,
            Some(Headgear::Hat) => y < self.gear_low + 0.06 * (0.3 - z).max(0.0),
            Some(Headgear::Hood) => !oval(0.5, 0.75),
            Some(Headgear::Headscarf) => !oval(0.42, 0.56 * self.long.max(0.9)),
        }
    }

    /// Headgear before the head, of which this is the nearest point.
    pub(super) fn gear_at(&self, ray: &Ray, head: Option<f32>) -> Option<Surface> {
        let gear = self.gear?;
        if gear == Headgear::Hat && self.peak {
            let peak = Ellipsoid {
                middle: [0.0, self.gear_low, 0.62],
                half: [0.42, 0.045, 0.42],
            };
            if let Some((near, _)) = peak.hit(ray)
                && head.is_none_or(|head| near > head)
            {
                return Some(self.gear_surface(ray.at(near), -0.08));
            }
        }
        let shell = shell(gear);
        let (near, _) = shell.hit(ray)?;
        let point = ray.at(near);
        self.geared(point).then(|| {
            let limb = 1.0 - smooth_step(0.0, 0.5, ray.square(shell.normal(point)));
            self.gear_surface(point, -0.05 * limb)
        })
    }

    /// The inside of headgear that stands open around the head.
    pub(super) fn gear_behind(&self, ray: &Ray) -> Option<Surface> {
        let gear = self.gear?;
        let (_, far) = shell(gear).hit(ray)?;
        let point = ray.at(far);
        (gear != Headgear::Hat && self.geared(point)).then(|| self.gear_surface(point, 0.06))
    }

    fn gear_surface(&self, [x, y, z]: [f32; 3], warmer: f32) -> Surface {
        let fold = match self.gear {
            Some(Headgear::Hat) => 0.35 * value_noise((x + z) * 4.0, y * 4.0, self.seed ^ 0x51),
            _ => 0.6 * value_noise((x + z) * 3.0, y * 5.0 - 3.0 * x.abs(), self.seed ^ 0x52),
        };
        Surface {
            celsius: lerp(self.ambient_c, self.face_c, self.gear_warmth + warmer) + fold
                - 0.3 * self.cold_k,
            material: Material::Fabric,
            face: false,
        }
    }
}

/// Where the cloth of headgear lies.
fn shell(gear: Headgear) -> Ellipsoid {
    let (middle, half) = match gear {
        Headgear::Hat => ([0.0, -0.2, -0.02], [0.56, 0.62, 0.7]),
        Headgear::Hood => ([0.0, -0.02, -0.1], [0.66, 0.92, 0.82]),
        Headgear::Headscarf => ([0.0, 0.03, -0.04], [0.57, 0.86, 0.7]),
    };
    Ellipsoid { middle, half }
}
