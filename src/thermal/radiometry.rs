//! What a count means: from sensor counts to apparent temperature, and from apparent temperature
//! to the temperature of a surface.
//!
//! The cameras in use are linear in temperature ("TLinear"): kelvin = counts × step. The
//! measurement equation turns what the camera sees into what the skin is:
//! `W(T_app) = ε·W(T_skin) + (1 − ε)·W(T_refl)`, with W the radiance in the camera's band. Over
//! 8–14 µm and near room temperature W follows Planck's law at one effective wavelength closely
//! enough: beside the integral over the band a surface of 15…45 °C is off by at most 0.001 K at an
//! emissivity of 0.9, and by 0.0002 K at skin's 0.98. What the air between takes and adds is in
//! [`path`](super::path).

use crate::units::{ABSOLUTE_ZERO_C, Celsius};

/// Second radiation constant hc/k, µm·K (CODATA 2018).
const C2_UM_K: f64 = 14_387.768_775;

/// Effective wavelength of an 8–14 µm microbolometer near 300 K, µm: the one of 10.2…10.8 that comes
/// nearest to the integral over the band.
const EFFECTIVE_WAVELENGTH_UM: f64 = 10.3;

/// What a count of a camera means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CountScale {
    /// FLIR Lepton TLinear high resolution and CPTV: 0.01 K.
    CentiKelvin,
    /// FLIR Lepton TLinear low resolution: 0.1 K.
    DeciKelvin,
    /// InfiRay and Topdon modules: 1/64 K.
    SixtyFourthKelvin,
    /// Topdon TC002C: 1/16 K.
    SixteenthKelvin,
    /// Whatever else rises evenly with temperature, as somebody measured it.
    Linear {
        /// Kelvin of one count.
        kelvin_per_count: f64,
        /// Absolute temperature that the count 0 stands for, K.
        kelvin_at_zero: f64,
    },
}

impl CountScale {
    /// Every scale that has a name, for tables of words.
    pub const ALL: [Self; 4] = [
        Self::CentiKelvin,
        Self::DeciKelvin,
        Self::SixtyFourthKelvin,
        Self::SixteenthKelvin,
    ];

    /// Kelvin of one count.
    #[must_use]
    pub const fn kelvin_per_count(self) -> f64 {
        match self {
            Self::CentiKelvin => 0.01,
            Self::DeciKelvin => 0.1,
            Self::SixtyFourthKelvin => 1.0 / 64.0,
            Self::SixteenthKelvin => 1.0 / 16.0,
            Self::Linear {
                kelvin_per_count, ..
            } => kelvin_per_count,
        }
    }

    const fn kelvin_at_zero(self) -> f64 {
        match self {
            Self::Linear { kelvin_at_zero, .. } => kelvin_at_zero,
            _ => 0.0,
        }
    }

    /// Apparent absolute temperature of a count, K. Finite for every count.
    #[must_use]
    pub fn kelvin(self, count: u16) -> f64 {
        f64::from(count) * self.kelvin_per_count() + self.kelvin_at_zero()
    }

    /// Apparent temperature of a count, °C. Finite for every count.
    #[must_use]
    pub fn celsius(self, count: u16) -> f32 {
        (self.kelvin(count) + ABSOLUTE_ZERO_C) as f32
    }

    /// The count nearest to a temperature; held at the ends of the scale.
    #[must_use]
    pub fn count(self, temperature: Celsius) -> u16 {
        self.count_of(temperature.kelvin())
    }

    /// The count nearest to an absolute temperature, K; held at the ends of the scale.
    #[must_use]
    pub fn count_of(self, kelvin: f64) -> u16 {
        ((kelvin - self.kelvin_at_zero()) / self.kelvin_per_count()).round() as u16
    }
}

/// Radiance in the camera's band, in arbitrary units.
pub(super) fn radiance(temperature: Celsius) -> f64 {
    let x = C2_UM_K / (EFFECTIVE_WAVELENGTH_UM * temperature.kelvin().max(1.0));
    1.0 / x.exp_m1()
}

/// The blackbody temperature that has this radiance.
pub(super) fn temperature_of(radiance: f64) -> Option<Celsius> {
    let x = (1.0 / radiance).ln_1p();
    Celsius::new(C2_UM_K / (EFFECTIVE_WAVELENGTH_UM * x) + ABSOLUTE_ZERO_C)
}

/// Emissivity, in (0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Emissivity(f64);

impl Emissivity {
    /// An ideal blackbody.
    pub const BLACKBODY: Self = Self(1.0);
    /// Human skin in 8–14 µm, any colour (J. Steketee, Phys Med Biol 18 (1973) 686: 0.98 ± 0.01).
    pub const SKIN: Self = Self(0.98);

    /// The emissivity, or `None` outside of (0.1, 1].
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (value > 0.1 && value <= 1.0).then_some(Self(value))
    }

    /// 0…1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// What a camera sees of a surface of this emissivity in a room.
    #[must_use]
    pub fn apparent(self, surface: Celsius, reflected: Celsius) -> Celsius {
        let seen = self.0 * radiance(surface) + (1.0 - self.0) * radiance(reflected);
        temperature_of(seen).unwrap_or(surface)
    }

    /// What a surface of this emissivity is, from what the camera sees of it. `None` where no
    /// surface could look like that.
    #[must_use]
    pub fn surface(self, apparent: Celsius, reflected: Celsius) -> Option<Celsius> {
        let own = (radiance(apparent) - (1.0 - self.0) * radiance(reflected)) / self.0;
        (own > 0.0).then(|| temperature_of(own)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scale_knows_room_temperature() {
        assert!((CountScale::CentiKelvin.celsius(29_815) - 25.0).abs() < 1e-3);
        assert!((CountScale::DeciKelvin.celsius(2_982) - 25.05).abs() < 1e-3);
        assert!((CountScale::SixtyFourthKelvin.celsius(19_082) - 25.006).abs() < 1e-3);
        assert!((CountScale::SixteenthKelvin.celsius(4_770) - 24.975).abs() < 1e-3);
        let tenths_of_celsius = CountScale::Linear {
            kelvin_per_count: 0.1,
            kelvin_at_zero: 273.15 - 100.0,
        };
        assert!((tenths_of_celsius.celsius(1_250) - 25.0).abs() < 1e-3);
        for scale in CountScale::ALL.into_iter().chain([tenths_of_celsius]) {
            for count in [0, 1, 20_000, u16::MAX] {
                assert!(scale.celsius(count).is_finite());
            }
            let there = scale.count(Celsius::literal(36.0));
            assert!((scale.celsius(there) - 36.0).abs() <= scale.kelvin_per_count() as f32);
        }
    }

    /// Planck's law, integrated over 8–14 µm by Simpson's rule.
    fn in_band(temperature: Celsius) -> f64 {
        let steps = 60;
        let step = 6.0 / f64::from(steps);
        (0..=steps)
            .map(|n| {
                let weight = match n {
                    0 => 1.0,
                    n if n == steps => 1.0,
                    n if n % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                let wavelength = 8.0 + step * f64::from(n);
                let x = C2_UM_K / (wavelength * temperature.kelvin());
                weight / (wavelength.powi(5) * x.exp_m1())
            })
            .sum()
    }

    /// The temperature that has this radiance in the band.
    fn in_band_temperature(radiance: f64) -> Celsius {
        let (mut low, mut high) = (-50.0, 100.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if in_band(Celsius::literal(middle)) < radiance {
                low = middle;
            } else {
                high = middle;
            }
        }
        Celsius::literal(low)
    }

    #[test]
    fn one_wavelength_stands_for_the_whole_band() {
        for (emissivity, most) in [(0.9, 0.0011), (0.95, 0.0006), (0.98, 0.0003)] {
            let surface = Emissivity(emissivity);
            for there in (15..=45).step_by(5).map(f64::from) {
                for room in [15.0, 20.0, 25.0, 30.0].map(Celsius::literal) {
                    let there = Celsius::literal(there);
                    let seen = in_band_temperature(
                        emissivity * in_band(there) + (1.0 - emissivity) * in_band(room),
                    );
                    let off = (surface.surface(seen, room).unwrap() - there).kelvin();
                    assert!(off.abs() < most, "{there} in {room}: {off} K");
                }
            }
        }
    }

    #[test]
    fn emissivity_moves_skin_by_the_published_amount() {
        // Skin 35.8 °C, room 23 °C: taking ε = 1 for 0.98 reads 0.24 °C low.
        let (skin, room) = (Celsius::literal(35.8), Celsius::literal(23.0));
        let seen = Emissivity::SKIN.apparent(skin, room);
        assert!(((seen - skin).kelvin() + 0.24).abs() < 0.02, "{seen}");
        let back = Emissivity::SKIN.surface(seen, room).map(Celsius::degrees);
        assert!(back.is_some_and(|b| (b - 35.8).abs() < 1e-6));
    }
}
