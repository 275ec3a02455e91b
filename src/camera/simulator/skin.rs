//! The temperatures on a face.
//!
//! The pattern is what thermal pictures of faces show: the inner corners of the eyes warmest,
//! because the skin over the vessels is thinnest there; the forehead 0.4 K cooler, the cheeks 1 K,
//! the tip of the nose 2…4 K, ears and brows cooler. After somebody came in from the cold, the
//! forehead lags by the fit to Dzien 2020, −5.5…0 °C outdoors:
//! `1.88·e^(−t/0.70) + 1.55·e^(−t/4.6)` K, t in minutes; the inner canthi by about a fifth of it
//! (0.6 of 2.8 K one minute after a cold towel).

use super::head::{CANTHUS, Head, NOSE_Y};
use super::noise::{bump, lerp, smooth_step, value_noise};
use super::solid::Held;

/// By how much the forehead is colder after some minutes indoors, K (see the module).
pub(super) fn cold_deficit_k(minutes: f32) -> f32 {
    1.88 * (-minutes / 0.70).exp() + 1.55 * (-minutes / 4.6).exp()
}

/// Share of the forehead's deficit that the inner canthi have: 0.6 of 2.8 K.
pub(super) const CANTHUS_SHARE_OF_COLD: f32 = 0.2;

impl Head {
    /// Skin of the face, the crown and the sides of the head, °C.
    pub(super) fn skin_c(&self, x: f32, y: f32, angle: f32, held: Held) -> f32 {
        let uneven = self.mottle
            * (0.34 * value_noise(x * 4.0 + 9.0, y * 4.0, self.seed)
                + 0.14 * value_noise(x * 10.0, y * 10.0, self.seed ^ 0x11));
        let across = value_noise(x * 4.5 + 3.0, y * 2.2, self.seed ^ 0x13).abs();
        let vessels = smooth_step(0.22, 0.0, across) * bump(x, y + 0.2, 0.55, 0.4);
        let uneven = uneven - self.vessels_k * vessels;
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
            let r2 = ((ax - CANTHUS.0).powi(2) + (y - CANTHUS.1).powi(2))
                / (self.canthus * self.canthus);
            // Flat over the inner half of the way, gone at the end of it.
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
        below -= 0.85 * self.orbits * bump(ax - 0.17, y - 0.02, 0.24 * self.eyes, 0.15 * self.eyes);
        below -= 0.25 * bump(ax - 0.42, y + 0.08, 0.16, 0.2);
        below -= 0.25 * bump(ax - 0.16, y - 0.33, 0.12, 0.14);
        below -= 0.45 * smooth_step(0.68, 0.84, y);
        // Cool: globes, brows, cheeks, the nose, the chin.
        below += 0.45 * bump(ax - 0.23, y, 0.1 * self.eyes, 0.055 * self.eyes);
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
            let round_the_mouth = if self.goatee {
                1.0 - smooth_step(0.18, 0.28, ax)
            } else {
                1.0
            };
            below += grown * (1.0 - lips) * round_the_mouth * self.beard_k;
        }
        below
    }
}
