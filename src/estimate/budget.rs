//! The uncertainty of one reading, part by part (GUM, JCGM 100:2008): why it is ± 0.4.

use crate::thermal::radiometry::Emissivity;
use crate::units::{Celsius, StandardUncertainty, TemperatureDelta};

/// One part of the uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Set point of the reference, its emissivity and evenness.
    Reference,
    /// Drift between two looks at the reference.
    Drift,
    /// Non-uniformity of the picture between reference and face.
    NonUniformity,
    /// Emissivity of skin.
    Emissivity,
    /// Temperature of what skin and reference reflect.
    Reflected,
    /// The air between.
    Path,
    /// Size of the source: what lens and smoothing take from a small warm area.
    SizeOfSource,
    /// Noise: what the looks at this face disagree by.
    Looks,
    /// The room's temperature, in the transfer.
    Ambient,
    /// From face to body: physiology, and the oral thermometer of the data.
    Transfer,
}

impl Part {
    /// Every part, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Reference,
        Self::Drift,
        Self::NonUniformity,
        Self::Emissivity,
        Self::Reflected,
        Self::Path,
        Self::SizeOfSource,
        Self::Looks,
        Self::Ambient,
        Self::Transfer,
    ];

    /// The word for it on the wire, in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Drift => "drift",
            Self::NonUniformity => "non_uniformity",
            Self::Emissivity => "emissivity",
            Self::Reflected => "reflected",
            Self::Path => "path",
            Self::SizeOfSource => "size_of_source",
            Self::Looks => "looks",
            Self::Ambient => "ambient",
            Self::Transfer => "transfer",
        }
    }

    /// Whether it makes the temperature of the face unsure, too, and not the body's alone.
    #[must_use]
    pub const fn is_of_face(self) -> bool {
        !matches!(self, Self::Ambient | Self::Transfer)
    }
}

/// Standard uncertainties (k = 1) of the parts, K, each as it stands in its own result: those of
/// the face in the face, the room's and the transfer's in the body estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget([f64; Part::ALL.len()]);

impl Budget {
    /// What no amount of looking makes smaller, K: estimates for a corrected microbolometer, see
    /// `calibration/README.md`. Drift between looks at a reference that is seen in every frame 0.03: the
    /// root mean square of what it moves by against the scene in 51 real recordings; non-uniformity ± 0.15 K, rectangular; 1 to 2 m of air.
    pub const SYSTEMATIC: Self = Self([0.0; Part::ALL.len()])
        .with(Part::Drift, 0.03)
        .with(Part::NonUniformity, 0.087)
        .with(Part::Path, 0.03);

    /// How much emissivity and surroundings of the skin may be other than they are taken to be,
    /// either way, rectangular (Steketee 1973; walls, lamps and people around).
    const EMISSIVITY: f64 = 0.01;
    const REFLECTED: TemperatureDelta = TemperatureDelta::literal(5.0);

    /// The same with this part, K.
    #[must_use]
    pub const fn with(mut self, part: Part, kelvin: f64) -> Self {
        self.0[part as usize] = kelvin;
        self
    }

    /// The same with what it means that reference and scene have moved against each other by so much, K.
    /// One of the two has moved, and as likely as not it is the reference: the face is then wrong by all
    /// of it or by nothing.
    #[must_use]
    pub(super) fn with_moved(self, kelvin: f64) -> Self {
        let usual = self.part(Part::Drift);
        self.with(Part::Drift, usual.hypot(kelvin * 0.5_f64.sqrt()))
    }

    /// The same with what emissivity and surroundings of skin are unsure by, worked out by the
    /// measurement equation for this apparent temperature in this room. What no surface can look
    /// like adds nothing: it is no reading either.
    #[must_use]
    pub(super) fn with_radiation(self, apparent: Celsius, room: Celsius) -> Self {
        let skin = Emissivity::SKIN;
        let duller = Emissivity::new(skin.value() - Self::EMISSIVITY);
        let usual = skin.surface(apparent, room);
        let off = |surface: Option<Celsius>| match (usual, surface) {
            (Some(usual), Some(surface)) => (surface - usual).kelvin().abs() / 3.0_f64.sqrt(),
            _ => 0.0,
        };
        self.with(
            Part::Emissivity,
            off(duller.and_then(|it| it.surface(apparent, room))),
        )
        .with(
            Part::Reflected,
            off(skin.surface(apparent, room + Self::REFLECTED)),
        )
    }

    /// One part, K.
    #[must_use]
    pub const fn part(&self, part: Part) -> f64 {
        self.0[part as usize]
    }

    /// Standard uncertainty of the face.
    #[must_use]
    pub fn face(&self) -> StandardUncertainty {
        let parts = Part::ALL.into_iter().filter(|part| part.is_of_face());
        StandardUncertainty::combined(&parts.map(|part| self.part(part)).collect::<Vec<_>>())
    }

    /// Standard uncertainty of the body estimate `T_face + k·(T_face − T_ambient) + c`.
    #[must_use]
    pub fn body(&self, k: f64) -> StandardUncertainty {
        StandardUncertainty::combined(&[
            (1.0 + k) * self.face().kelvin(),
            self.part(Part::Ambient),
            self.part(Part::Transfer),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_their_own_places() {
        for (at, part) in Part::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, at);
            let budget = Budget::default().with(part, 0.25);
            assert_eq!(
                Part::ALL.map(|it| budget.part(it)).iter().sum::<f64>(),
                0.25
            );
            assert_eq!(budget.face().kelvin() > 0.0, part.is_of_face());
        }
    }

    #[test]
    fn radiation_is_worked_out_for_this_skin_in_this_room() {
        let part = |skin, room, part| {
            let (skin, room) = (Celsius::literal(skin), Celsius::literal(room));
            Budget::default().with_radiation(skin, room).part(part)
        };
        // 0.12 °C for 0.01 of emissivity and 0.09 °C for 5 K, rectangular.
        assert!((part(35.5, 23.0, Part::Emissivity) - 0.12 / 3.0_f64.sqrt()).abs() < 0.006);
        assert!((part(35.5, 23.0, Part::Reflected) - 0.09 / 3.0_f64.sqrt()).abs() < 0.004);
        // Skin as warm as the room reflects what it would emit itself.
        assert!(part(30.0, 30.0, Part::Emissivity) < 1e-9);
        assert!(part(30.0, 30.0, Part::Reflected) > 0.04);
    }

    #[test]
    fn parts_of_the_face_reach_the_body_through_the_transfer() {
        let face = Budget::default()
            .with(Part::Reference, 0.3)
            .with(Part::Looks, 0.4);
        assert!((face.face().kelvin() - 0.5).abs() < 1e-12);
        assert!((face.body(0.08).kelvin() - 0.54).abs() < 1e-12);
        let whole = face.with(Part::Transfer, 0.72);
        assert_eq!(whole.face(), face.face());
        assert!((whole.body(0.08).kelvin() - 0.9).abs() < 1e-12);
    }
}
