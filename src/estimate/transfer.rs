//! From face to body: the formula that is shown, and the score that ranks.

use crate::units::{
    AmbientTemperature, Celsius, SkinTemperature, StandardUncertainty, TemperatureDelta,
};

/// From face to body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// Share of the difference to the room that is added, K/K.
    pub k: f64,
    /// What is added on top, K.
    pub c: TemperatureDelta,
    /// Standard deviation of the estimate about an oral thermometer in monitor mode.
    pub u: StandardUncertainty,
}

impl Transfer {
    /// One constant set for every camera, fitted on about 2000 readings of 1026 people by two
    /// cameras (Wang et al., doi:10.13026/3bhc-9065, rounds 1–3; full-face maximum). Holds for
    /// rooms of 20–29 °C and adults who are acclimatised. SD about the oral reference: 0.30 K
    /// (FLIR) and 0.34 K (ICI); the larger one is kept. See `calibration/transfer.toml`.
    pub const FACE_MAXIMUM: Self = Self {
        k: 0.08,
        c: TemperatureDelta::literal(0.165_817),
        u: StandardUncertainty::literal(0.335),
    };

    /// The estimate for a face in a room.
    #[must_use]
    pub fn body(&self, face: SkinTemperature, room: AmbientTemperature) -> Option<Celsius> {
        let gain = TemperatureDelta::new(self.k * (face.0 - room.0).kelvin())?;
        Some(face.0 + (gain + self.c))
    }
}
