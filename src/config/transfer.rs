//! The constants that the gateway ships: `calibration/transfer.toml`, as `menshen calibrate
//! transfer` writes it.
//!
//! What the core holds as constants of its own is checked against this file by tests; the rest (the
//! table of thresholds, the weights of all regions, who was in the fit) is read from here.

use crate::evaluate::clinical::{Balance, Region, Score, Term};
use crate::screening::operating::{Operating, People, Step};
use serde::Deserialize;

/// The file that is built in.
const SHIPPED: &str = include_str!("../../calibration/transfer.toml");

/// The file.
#[derive(Debug, Deserialize)]
pub struct TransferFile {
    /// The value that is shown.
    pub transfer: TransferSection,
    /// The scores that rank: of what the gateway has, and of every region.
    pub score: ScoreSection,
    /// Where all of it comes from.
    pub source: SourceSection,
    /// Who stood before which camera, by what was shown for them.
    pub operating: Vec<OperatingSection>,
}

/// Constants of the shown value.
#[derive(Debug, Deserialize)]
pub struct TransferSection {
    /// K/K.
    pub k: f64,
    /// K.
    pub c: f64,
    /// Standard deviation about the oral reading, K.
    pub u_k: f64,
}

/// Constants of the scores.
#[derive(Debug, Deserialize)]
pub struct ScoreSection {
    /// What the gateway has.
    pub gateway: ScoreOf,
    /// Every region of the data.
    pub full: ScoreOf,
}

/// One score.
#[derive(Debug, Deserialize)]
pub struct ScoreOf {
    /// The regions.
    pub region: Vec<TermSection>,
}

/// One region of a score.
#[derive(Debug, Deserialize)]
pub struct TermSection {
    /// Which.
    pub name: String,
    /// Per kelvin.
    pub weight: f64,
    /// Of people who are not feverish, room taken out, °C.
    pub usual_c: f64,
}

/// Where the constants come from.
#[derive(Debug, Deserialize)]
pub struct SourceSection {
    /// Data and their licence.
    pub data: String,
    /// People.
    pub people: usize,
    /// Rows: one for each person and camera.
    pub rows: usize,
    /// The first 6 hexadecimal digits of the SHA-256 of everybody's name in the data, in order: so
    /// that nobody is taken for unseen who is not.
    pub people_sha256: String,
}

/// The people before one camera, step by step.
#[derive(Debug, Deserialize)]
pub struct OperatingSection {
    /// Its name.
    pub camera: String,
    /// Where the first step of 0.1 °C begins, °C.
    pub from_c: f64,
    /// Oral temperature below 37.5 °C.
    pub well: Vec<u64>,
    /// From 37.5 to below 38.0 °C.
    pub feverish: Vec<u64>,
    /// 38.0 °C and more.
    pub high: Vec<u64>,
}

impl TransferFile {
    /// The file that is built in.
    ///
    /// # Errors
    /// Where it is not such a file, which a test rules out.
    pub fn shipped() -> Result<Self, toml::de::Error> {
        Self::parse(SHIPPED)
    }

    /// A file's text.
    ///
    /// # Errors
    /// Where it is not such a file.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The shown value.
    #[must_use]
    pub fn balance(&self) -> Balance {
        Balance {
            k: self.transfer.k,
            c: self.transfer.c,
            u: self.transfer.u_k,
            measured: Vec::new(),
        }
    }

    /// A score; a region that has no name known here is left out.
    #[must_use]
    pub fn score(&self, of: &ScoreOf) -> Score {
        let term = |it: &TermSection| {
            Some(Term {
                region: Region::parse(&it.name)?,
                weight: it.weight,
                usual_c: it.usual_c,
            })
        };
        Score {
            k: self.transfer.k,
            terms: of.region.iter().filter_map(term).collect(),
        }
    }

    /// What thresholds mean.
    #[must_use]
    pub fn operating(&self) -> Operating {
        let people = |it: &OperatingSection| People {
            camera: it.camera.clone(),
            first: (it.from_c * 10.0).round() as i64,
            steps: it
                .well
                .iter()
                .zip(&it.feverish)
                .zip(&it.high)
                .map(|((&well, &feverish), &high)| Step {
                    well,
                    feverish,
                    high,
                })
                .collect(),
        };
        Operating(self.operating.iter().map(people).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{RankingScore, Transfer};
    use crate::evaluate::clinical::{FULL, GATEWAY};
    use crate::screening::Rules;

    fn shipped() -> TransferFile {
        TransferFile::shipped().expect("a file that is built in")
    }

    #[test]
    fn the_gateway_uses_the_constants_of_the_file() {
        let file = shipped();
        let used = Transfer::UPPER_FACE;
        assert_eq!(
            [used.k, used.c.kelvin(), used.u.kelvin()],
            [file.transfer.k, file.transfer.c, file.transfer.u_k]
        );
        let score = RankingScore::FACE_AND_CANTHI;
        let said = &file.score.gateway.region;
        assert_eq!((said[0].weight, said[0].usual_c), score.face);
        assert_eq!((said[1].weight, said[1].usual_c), score.canthi);
    }

    #[test]
    fn every_region_of_both_scores_is_known() {
        let file = shipped();
        for (of, regions) in [
            (&file.score.gateway, &GATEWAY[..]),
            (&file.score.full, &FULL),
        ] {
            let score = file.score(of);
            let named: Vec<Region> = score.terms.iter().map(|term| term.region).collect();
            assert_eq!(named, regions);
        }
    }

    #[test]
    fn the_table_holds_everybody_and_the_usual_threshold_follows_from_it() {
        let file = shipped();
        let table = file.operating();
        let mut rows = 0;
        for (people, section) in table.0.iter().zip(&file.operating) {
            assert_eq!(section.well.len(), section.feverish.len());
            assert_eq!(section.well.len(), section.high.len());
            let all = people
                .steps
                .iter()
                .map(|it| it.well + it.feverish + it.high);
            rows += all.sum::<u64>();
        }
        assert_eq!(rows, file.source.rows as u64);
        assert_eq!(table.threshold_for(0.99), Some(Rules::default().fever));
        assert_eq!(
            file.source.people_sha256.split_whitespace().count(),
            file.source.people
        );
    }
}
