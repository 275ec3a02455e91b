//! The uncertainty of one reading, part by part (GUM, JCGM 100:2008): why it is ± 0.4.

use crate::units::StandardUncertainty;

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
    /// What no amount of looking makes smaller, K: estimates for a one-point corrected
    /// microbolometer, see `calibration/README.md`. Drift between looks at a reference that is seen
    /// in every frame 0.03; non-uniformity ± 0.15 K, rectangular; emissivity of skin ± 0.01;
    /// reflected temperature ± 5 K; 1 to 2 m of air; size of source ± 0.15 K, rectangular.
    pub const SYSTEMATIC: Self = Self([0.0; Part::ALL.len()])
        .with(Part::Drift, 0.03)
        .with(Part::NonUniformity, 0.087)
        .with(Part::Emissivity, 0.075)
        .with(Part::Reflected, 0.058)
        .with(Part::Path, 0.03)
        .with(Part::SizeOfSource, 0.087);

    /// The same with this part, K.
    #[must_use]
    pub const fn with(mut self, part: Part, kelvin: f64) -> Self {
        self.0[part as usize] = kelvin;
        self
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
