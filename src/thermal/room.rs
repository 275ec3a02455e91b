//! The room at the gate: its air, what skin reflects of it, and how sure that is.

use crate::units::{AmbientTemperature, Celsius, StandardUncertainty};
use ndarray::Array2;

/// Share of the coldest pixels whose upper end is taken for the room: a lobby's walls and floor
/// fill more than that of any picture, people and lamps do not.
const ROOM_SHARE: f32 = 0.25;

/// The room as a picture shows it, °C: the upper end of its coldest quarter. `None` of a picture
/// without pixels.
pub(super) fn seen_in(celsius: &Array2<f32>) -> Option<f64> {
    // Every fifth pixel in both directions is plenty for a quantile of a room.
    let every_fifth = celsius.slice(ndarray::s![..;5, ..;5]);
    let mut sample: Vec<f32> = every_fifth.iter().copied().collect();
    let at = (sample.len() as f32 * ROOM_SHARE) as usize;
    (at < sample.len()).then(|| f64::from(*sample.select_nth_unstable_by(at, f32::total_cmp).1))
}

/// The room as the site's configuration says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Air temperature; `None`: it is taken from the picture.
    pub ambient: Option<AmbientTemperature>,
    /// Of the air's temperature, however it was got.
    pub u: StandardUncertainty,
    /// Radiant temperature of what skin and blackbody reflect; `None`: that of the air.
    pub reflected: Option<Celsius>,
    /// Relative humidity of the air, %.
    pub humidity_percent: f64,
}

impl Room {
    /// Of a thermometer near the gate: ± 0.5 K by its data sheet and ± 0.7 K for the air between
    /// it and the face, both rectangular: √(0.29² + 0.40²).
    pub const U_THERMOMETER: StandardUncertainty = StandardUncertainty::literal(0.5);

    /// Of air that is read off the picture. What is seen are walls, windows and floor: within ± 3 K
    /// of the air (rectangular, 1.7 K), read by a camera that was set right at 37 °C and whose gain
    /// may be off by 2 % (0.3 K at 22 °C), through walls of emissivity 0.9 to 0.95 (0.1 K). Together
    /// 1.8 K, rounded up.
    pub const U_PICTURE: StandardUncertainty = StandardUncertainty::literal(2.0);

    /// Relative humidity of a room of which nobody says it, %: the middle of 20 to 80, of which
    /// the ends move a face 3 m away by 0.05 K.
    pub const USUAL_HUMIDITY_PERCENT: f64 = 50.0;

    /// A room of which a thermometer says the temperature, or nobody.
    #[must_use]
    pub fn at(ambient: Option<AmbientTemperature>) -> Self {
        Self {
            ambient,
            u: Self::usual_u(ambient.is_some()),
            reflected: None,
            humidity_percent: Self::USUAL_HUMIDITY_PERCENT,
        }
    }

    /// What is taken for the uncertainty where nobody says it.
    #[must_use]
    pub const fn usual_u(measured: bool) -> StandardUncertainty {
        if measured {
            Self::U_THERMOMETER
        } else {
            Self::U_PICTURE
        }
    }
}

impl Default for Room {
    /// A room of which nobody says anything.
    fn default() -> Self {
        Self::at(None)
    }
}
