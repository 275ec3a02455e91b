//! The measurement equation: what the camera sees of skin, and what the skin then is.
//!
//! `W_meas = τ·[ε·W(T_skin) + (1 − ε)·W(T_refl)] + (1 − τ)·W(T_air)`
//!
//! with W the radiance in the camera's band and τ the transmission of the air between. The same
//! holds for the blackbody in view, which sets the level of every frame: so what both paths have in
//! common cancels, and with the reference as far away as the face there remains a hundredth of what
//! face and reference differ by. Where nobody says how far away the reference is, it is taken to be
//! there. Without a reference there is no level to be right about, and the air is left out.
//!
//! τ is that of Minkina and Dudzik (Infrared Thermography: Errors and Uncertainties, Wiley 2009), with
//! the constants that FLIR's cameras carry in their files (an SC660's, as read by Thermimage): 0.9935
//! at 1 m, 0.9887 at 3 m, 23 °C and 50 %.

use super::profile::{Optics, U_GAIN_UNKNOWN};
use super::radiometry::{Emissivity, radiance, temperature_of};
use super::room::Room;
use crate::units::{
    AmbientTemperature, Celsius, SkinTemperature, StandardUncertainty, TemperatureDelta,
};

/// Width of a face from cheek to cheek, m: for its distance. Adults have 0.13 to 0.16 m; ± 10 % of
/// the distance is 0.005 K.
const FACE_WIDTH_M: f64 = 0.15;

/// Distances that a face can have, m. Of what would be beyond, the air is taken of the end.
const DISTANCES_M: (f64, f64) = (0.2, 10.0);

/// The air between camera and surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Air {
    /// Its temperature.
    pub temperature: Celsius,
    /// Its relative humidity, %.
    pub humidity_percent: f64,
}

impl Air {
    /// Share of the radiation of 8–14 µm that comes through so much of it, 0…1.
    #[must_use]
    pub fn transmission(&self, distance_m: f64) -> f64 {
        const SHARE: f64 = 1.9;
        const ALPHA: [f64; 2] = [0.006_569, 0.012_62];
        const BETA: [f64; 2] = [-0.002_276, -0.006_67];
        let t = self.temperature.degrees();
        // Pressure of the water vapour, mmHg.
        let saturated = 1.5587 + 0.069_39 * t - 2.7816e-4 * t * t + 6.8455e-7 * t.powi(3);
        let vapour = (self.humidity_percent.clamp(0.0, 100.0) / 100.0 * saturated.exp()).sqrt();
        let far = distance_m.max(0.0).sqrt();
        let part = |n: usize| (-far * (ALPHA[n] + BETA[n] * vapour)).exp();
        (SHARE * part(0) + (1.0 - SHARE) * part(1)).clamp(0.5, 1.0)
    }

    /// What a camera sees of this apparent temperature through so much of it.
    #[must_use]
    pub fn through(&self, apparent: Celsius, distance_m: f64) -> Celsius {
        let share = self.transmission(distance_m);
        let seen = share * radiance(apparent) + (1.0 - share) * radiance(self.temperature);
        temperature_of(seen).unwrap_or(apparent)
    }

    /// What was there before so much of it. `None` where nothing could look like that.
    #[must_use]
    pub fn before(&self, seen: Celsius, distance_m: f64) -> Option<Celsius> {
        let share = self.transmission(distance_m);
        let own = (radiance(seen) - (1.0 - share) * radiance(self.temperature)) / share;
        (own > 0.0).then(|| temperature_of(own)).flatten()
    }
}

/// The reference that set a frame's level; of two, the middle between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelledBy {
    /// What it looks like from close by.
    pub apparent: Celsius,
    /// How far away it is, m; `None`: as far as the face.
    pub distance_m: Option<f64>,
    /// Kelvin of the scene for each kelvin that the camera reads.
    pub gain: f64,
    /// How that is known.
    pub slope: Slope,
    /// By how much the scene has moved against it, or it against the scene: nobody can tell.
    pub moved: TemperatureDelta,
}

/// How a frame's gain is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slope {
    /// There is one reference, and the gain is taken to be 1.
    Assumed,
    /// From two references in this frame that look so different.
    Measured(TemperatureDelta),
    /// From two of which one is hidden now; the other one gives the level.
    Kept(TemperatureDelta),
}

impl LevelledBy {
    /// A reference that gives the level alone, and stands still.
    #[must_use]
    pub const fn one(apparent: Celsius, distance_m: Option<f64>) -> Self {
        Self {
            apparent,
            distance_m,
            gain: 1.0,
            slope: Slope::Assumed,
            moved: TemperatureDelta::ZERO,
        }
    }

    /// What a frame that reads `offset` too little of the reference reads too little of this place.
    #[must_use]
    pub fn offset_at(&self, shown: Celsius, offset: TemperatureDelta) -> TemperatureDelta {
        let more = (shown - self.apparent).kelvin() * (1.0 - 1.0 / self.gain);
        TemperatureDelta::new(more).map_or(offset, |more| offset + more)
    }

    /// What the set points and the gain leave unsure of what is shown at this temperature, where each set
    /// point has this uncertainty.
    ///
    /// Between two references a place takes from each set point's error its share of the way:
    /// `√((1 − w)² + w²)` of it in all, `√½` in the middle. With one left, its own error counts in full, and
    /// beside it, independently, that of a gain between two certificates; with only ever one, a gain that
    /// nobody measured.
    #[must_use]
    pub fn u(&self, u_set_point: StandardUncertainty, shown: Celsius) -> StandardUncertainty {
        let u = u_set_point.kelvin();
        let away = (shown - self.apparent).kelvin();
        StandardUncertainty::combined(&match self.slope {
            Slope::Assumed => [u, U_GAIN_UNKNOWN * away],
            Slope::Measured(span) => {
                let part = away / span.kelvin();
                [u * 0.5_f64.sqrt(), u * 2.0_f64.sqrt() * part]
            }
            Slope::Kept(span) => [u, u * 2.0_f64.sqrt() * away / span.kelvin()],
        })
    }
}

/// What lies between the picture of a frame and the skin in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// Relative humidity of the air, %.
    pub humidity_percent: f64,
    /// What skin reflects; `None`: the room.
    pub reflected: Option<Celsius>,
    /// What set the level; `None`: nothing did, and the air is left out.
    pub reference: Option<LevelledBy>,
    /// Focal length, pixels.
    pub focal_px: f64,
    /// Blur of the lens, σ of the Gaussian that is nearest to it, pixels.
    pub blur_px: f64,
}

impl Default for Path {
    /// A Lepton 3.5 in a room of which nobody says anything, without a reference.
    fn default() -> Self {
        Self {
            humidity_percent: Room::USUAL_HUMIDITY_PERCENT,
            reflected: None,
            reference: None,
            focal_px: Optics::LEPTON_3_5.focal_px(160),
            blur_px: Optics::LEPTON_3_5.blur_px,
        }
    }
}

impl Path {
    /// How far away a face of this width is, m.
    #[must_use]
    pub fn distance_of(&self, face_width_px: f32) -> f64 {
        let distance = self.focal_px * FACE_WIDTH_M / f64::from(face_width_px).max(1.0);
        distance.clamp(DISTANCES_M.0, DISTANCES_M.1)
    }

    /// What skin is that the frame shows at this temperature, in a face of this width. `None`
    /// where no skin could look like that.
    #[must_use]
    pub fn skin(
        &self,
        shown: Celsius,
        room: AmbientTemperature,
        face_width_px: f32,
    ) -> Option<SkinTemperature> {
        let reflected = self.reflected.unwrap_or(room.0);
        let apparent = match self.reference {
            None => shown,
            Some(reference) => {
                let air = Air {
                    temperature: room.0,
                    humidity_percent: self.humidity_percent,
                };
                let face_m = self.distance_of(face_width_px);
                let away = reference.distance_m.unwrap_or(face_m);
                // The frame's level makes the reference read what it looks like from close by; the
                // camera saw it through the air. Two of them mend what the air takes of the slope, too.
                let seen = match reference.slope {
                    Slope::Assumed => {
                        shown + (air.through(reference.apparent, away) - reference.apparent)
                    }
                    Slope::Measured(_) | Slope::Kept(_) => air.through(shown, away),
                };
                air.before(seen, face_m)?
            }
        };
        Emissivity::SKIN
            .surface(apparent, reflected)
            .map(SkinTemperature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOM: AmbientTemperature = AmbientTemperature(Celsius::literal(23.0));
    const AIR: Air = Air {
        temperature: Celsius::literal(23.0),
        humidity_percent: 50.0,
    };
    /// Apparent temperature of skin of 35.8 °C in that room.
    const SKIN_C: f64 = 35.8;

    /// A path with a blackbody of 37 °C there.
    fn path(distance_m: Option<f64>) -> Path {
        Path {
            reference: Some(LevelledBy::one(Celsius::literal(37.0), distance_m)),
            ..Path::default()
        }
    }

    /// Width of a face so far away, pixels.
    fn width(distance_m: f64) -> f32 {
        (Path::default().focal_px * FACE_WIDTH_M / distance_m) as f32
    }

    /// What the frame shows of skin so far away, with the reference at its own distance.
    fn shown(skin_c: f64, face_m: f64, reference_m: f64) -> Celsius {
        let reference = Celsius::literal(37.0);
        let skin = Emissivity::SKIN.apparent(Celsius::literal(skin_c), ROOM.0);
        let level = reference - AIR.through(reference, reference_m);
        AIR.through(skin, face_m) + level
    }

    #[test]
    fn the_air_lets_through_what_is_published() {
        for (metres, share) in [(1.0, 0.9935), (2.0, 0.9908), (3.0, 0.9887), (5.0, 0.9853)] {
            assert!(
                (AIR.transmission(metres) - share).abs() < 1e-4,
                "{metres} m"
            );
        }
        assert!((AIR.transmission(0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_the_air_hides_is_what_is_published() {
        let skin = Emissivity::SKIN.apparent(Celsius::literal(SKIN_C), ROOM.0);
        for (metres, hidden) in [(1.0, -0.08), (2.0, -0.11), (3.0, -0.14), (5.0, -0.18)] {
            let off = (AIR.through(skin, metres) - skin).kelvin();
            assert!((off - hidden).abs() < 0.01, "{metres} m: {off}");
        }
        let damp = Air {
            humidity_percent: 70.0,
            ..AIR
        };
        let more = (damp.through(skin, 1.0) - AIR.through(skin, 1.0)).kelvin();
        assert!((-0.03..-0.005).contains(&more), "{more}");
    }

    #[test]
    fn what_set_points_leave_unsure_depends_on_how_many_there_are_and_how_far_away() {
        let u = |slope, shown: f64| {
            let level = LevelledBy {
                slope,
                ..LevelledBy::one(Celsius::literal(36.0), None)
            };
            let u = StandardUncertainty::literal(0.1);
            level.u(u, Celsius::new(shown).unwrap()).kelvin()
        };
        let six = TemperatureDelta::literal(6.0);
        let near = |found: f64, wanted: f64| (found - wanted).abs() < 1e-9;
        // One: its certificate, and a gain of ± 2 % (rectangular) over the distance.
        assert!(near(u(Slope::Assumed, 36.0), 0.1));
        assert!(near(u(Slope::Assumed, 32.0), 0.1_f64.hypot(4.0 * 0.0115)));
        // Two, at 33 and 39 °C: at either its own certificate alone, a mean of both in the middle.
        for at in [33.0, 39.0] {
            assert!(near(u(Slope::Measured(six), at), 0.1));
        }
        assert!(near(u(Slope::Measured(six), 36.0), 0.1 * 0.5_f64.sqrt()));
        assert!(u(Slope::Measured(six), 42.0) > 0.15);
        // With one left it is never less than with both.
        for shown in [33.0, 34.5, 36.0, 38.0, 41.0] {
            assert!(u(Slope::Kept(six), shown) > u(Slope::Measured(six), shown));
        }
        assert!(near(u(Slope::Kept(six), 36.0), 0.1));
        assert!(near(u(Slope::Kept(six), 39.0), 0.1 * 1.5_f64.sqrt()));
    }

    #[test]
    fn what_was_added_is_known_everywhere_in_the_picture() {
        let level = LevelledBy {
            gain: 1.25,
            ..LevelledBy::one(Celsius::literal(36.0), None)
        };
        let offset = TemperatureDelta::literal(1.5);
        for (read, shown) in [(34.5, 36.0), (38.5, 41.0), (30.5, 31.0)] {
            let found = level.offset_at(Celsius::literal(shown), offset).kelvin();
            assert!((found - (shown - read)).abs() < 1e-9, "{shown}: {found}");
        }
    }

    #[test]
    fn two_references_mend_what_the_air_takes_of_the_slope() {
        let with = |slope| Path {
            reference: Some(LevelledBy {
                slope,
                ..LevelledBy::one(Celsius::literal(37.0), None)
            }),
            ..Path::default()
        };
        let both = with(Slope::Measured(TemperatureDelta::literal(6.0)));
        for skin in [33.0, 37.0, 41.0] {
            let shown = Emissivity::SKIN.apparent(Celsius::literal(skin), ROOM.0);
            let found = both.skin(shown, ROOM, width(3.0)).unwrap().degrees();
            assert!((found - skin).abs() < 1e-6, "{skin}: {found}");
            let one = with(Slope::Assumed).skin(shown, ROOM, width(3.0)).unwrap();
            let off = one.degrees() - skin;
            assert!(off.abs() > 0.002 && off.abs() < 0.06, "{skin}: {off}");
        }
    }

    #[test]
    fn a_reference_nearer_than_the_face_hides_what_is_published() {
        // Blackbody at 1 m, face at 3 m: 0.06 °C too low where nobody minds; right where it is said.
        let seen = shown(SKIN_C, 3.0, 1.0);
        let skin = |path: Path| path.skin(seen, ROOM, width(3.0)).unwrap().degrees() - SKIN_C;
        let unminded = Emissivity::SKIN.surface(seen, ROOM.0).unwrap().degrees() - SKIN_C;
        assert!((unminded + 0.06).abs() < 0.02, "{unminded}");
        assert!(skin(path(Some(1.0))).abs() < 1e-6);
        // Said to be as far as the face, the common part alone is mended.
        assert!(skin(path(None)) < -0.03);
    }

    #[test]
    fn with_the_reference_beside_the_face_there_is_little_to_mend() {
        for metres in [0.5, 1.0, 2.0, 3.0] {
            let seen = shown(SKIN_C, metres, metres);
            let skin = path(None).skin(seen, ROOM, width(metres)).unwrap();
            assert!((skin.degrees() - SKIN_C).abs() < 1e-6, "{skin:?}");
            let plain = Emissivity::SKIN.surface(seen, ROOM.0).unwrap();
            assert!((plain.degrees() - SKIN_C).abs() < 0.02, "{plain}");
        }
    }

    #[test]
    fn without_a_reference_the_air_is_left_out() {
        let seen = Celsius::literal(35.0);
        let skin = Path::default().skin(seen, ROOM, 20.0);
        let plain = Emissivity::SKIN.surface(seen, ROOM.0).map(SkinTemperature);
        assert_eq!(skin, plain);
    }

    #[test]
    fn a_warm_surrounding_makes_skin_look_warmer_than_it_is() {
        // Reflected temperature 5 °C higher than thought: 0.09 °C.
        let warm = Path {
            reflected: Some(Celsius::literal(28.0)),
            ..path(None)
        };
        let seen = Celsius::literal(35.5);
        let less = warm.skin(seen, ROOM, 20.0).unwrap().degrees()
            - path(None).skin(seen, ROOM, 20.0).unwrap().degrees();
        assert!((less + 0.09).abs() < 0.01, "{less}");
    }

    proptest! {
        #[test]
        fn skin_is_monotone_and_finite(
            low in 20.0..45.0_f64, more in 0.01..5.0_f64, width in 0.0..2000.0_f32,
            room in 5.0..40.0_f64, humidity in 0.0..=100.0_f64,
            distance in proptest::option::of(0.1..20.0_f64),
        ) {
            let room = AmbientTemperature(Celsius::new(room).unwrap());
            let path = Path { humidity_percent: humidity, ..path(distance) };
            let at = |t: f64| path.skin(Celsius::new(t).unwrap(), room, width).unwrap().degrees();
            let slope = (at(low + more) - at(low)) / more;
            // 1 / (τ · ε), nothing less and nothing held back.
            prop_assert!((1.0..1.16).contains(&slope), "{}", slope);
        }

        #[test]
        fn the_air_is_never_more_than_all_and_never_less_than_most(
            t in 5.0..40.0_f64, humidity in 0.0..=100.0_f64, metres in 0.0..10.0_f64,
        ) {
            let air = Air { temperature: Celsius::new(t).unwrap(), humidity_percent: humidity };
            let share = air.transmission(metres);
            prop_assert!((0.9..=1.0).contains(&share), "{}", share);
        }
    }
}
