//! From face to body: the formula that is shown, and the score that ranks.
//!
//! They are two, because no one number can be both: the best order of people comes of least
//! squares, which reads the feverish low; and what is shown must not.

use super::Reading;
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
    /// One constant set for every camera, fitted by `menshen calibrate transfer` on 1401 readings
    /// of 708 people by two cameras (Wang et al., doi:10.13026/3bhc-9065, rounds 1–3; the warmest
    /// skin of the upper face). Holds for rooms of 20–29 °C and adults who are acclimatised. SD
    /// about the oral reference: 0.32 K (FLIR) and 0.37 K (ICI); the larger one is kept. See
    /// `calibration/transfer.toml`, whose numbers these are.
    pub const UPPER_FACE: Self = Self {
        k: 0.08,
        c: TemperatureDelta::literal(0.2403),
        u: StandardUncertainty::literal(0.374),
    };

    /// The estimate for a face in a room.
    #[must_use]
    pub fn body(&self, face: SkinTemperature, room: AmbientTemperature) -> Option<Celsius> {
        let gain = TemperatureDelta::new(self.k * (face.0 - room.0).kelvin())?;
        Some(face.0 + (gain + self.c))
    }
}

/// How a face ranks among others: the higher, the sooner a fever. In standard deviations of people
/// who are not feverish, 0 is their mean. **It is no temperature and is never shown as one.**
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Score(pub f64);

/// The constants of the score of what the gateway sees. For each region: the weight per kelvin, and
/// its usual temperature in people who are not feverish with the room taken out,
/// `T + k·(T − T_room)`, °C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankingScore {
    /// Of the warmest skin of the upper face.
    pub face: (f64, f64),
    /// Of the canthi.
    pub canthi: (f64, f64),
}

impl RankingScore {
    /// Ridge regression on the people of [`Transfer::UPPER_FACE`], by the same command. On people
    /// never seen its AUC is 0.974 (FLIR) and 0.981 (ICI) where a fever is an oral temperature of
    /// 37.5 °C or more.
    pub const FACE_AND_CANTHI: Self = Self {
        face: (1.3044, 36.5754),
        canthi: (1.1614, 36.533),
    };

    /// The score. Canthi that were not seen are taken to be as far above their usual temperature as
    /// the face is above its own.
    #[must_use]
    pub fn score(
        &self,
        face: SkinTemperature,
        canthi: Option<SkinTemperature>,
        room: AmbientTemperature,
    ) -> Score {
        let above = |skin: SkinTemperature, usual: f64| {
            let balanced = Transfer::UPPER_FACE.k * (skin.degrees() - room.degrees());
            skin.degrees() + balanced - usual
        };
        let of_face = above(face, self.face.1);
        let of_canthi = canthi.map_or(of_face, |it| above(it, self.canthi.1));
        Score(self.face.0 * of_face + self.canthi.0 * of_canthi)
    }
}

impl Reading {
    /// How this face ranks among others. For ranking only: what is shown is the estimate.
    #[must_use]
    pub fn score(&self) -> Score {
        RankingScore::FACE_AND_CANTHI.score(self.face, self.canthi, self.chain.ambient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORE: RankingScore = RankingScore {
        face: (2.0, 36.9),
        canthi: (3.0, 36.7),
    };

    fn skin(degrees: f64) -> SkinTemperature {
        SkinTemperature(Celsius::literal(degrees))
    }

    const ROOM: AmbientTemperature = AmbientTemperature(Celsius::literal(22.0));

    #[test]
    fn the_score_weighs_what_is_above_usual() {
        // 36 + 0.08 · 14 = 37.12: 0.22 above; 35.75 + 0.08 · 13.75 = 36.85: 0.15 above.
        let Score(score) = SCORE.score(skin(36.0), Some(skin(35.75)), ROOM);
        assert!((score - (2.0 * 0.22 + 3.0 * 0.15)).abs() < 1e-9, "{score}");
        let Score(alone) = SCORE.score(skin(36.0), None, ROOM);
        assert!((alone - 5.0 * 0.22).abs() < 1e-9, "{alone}");
    }

    #[test]
    fn warmer_skin_ranks_higher_and_a_warmer_room_lower() {
        let at = |face, room: f64| {
            SCORE.score(
                skin(face),
                Some(skin(35.5)),
                AmbientTemperature(Celsius::literal(room)),
            )
        };
        assert!(at(36.1, 22.0) > at(36.0, 22.0));
        assert!(at(36.0, 25.0) < at(36.0, 22.0));
    }
}
