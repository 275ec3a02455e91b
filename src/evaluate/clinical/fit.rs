//! The constants: of the value that is shown, and of the score that ranks.
//!
//! **Shown** is `T + k·(T − T_room) + c`. It is no least-squares fit: least squares pulls every
//! value towards the mean of the people at hand, who are mostly well, and so reads the feverish
//! 0.2 to 0.3 °C low. Here `k` is what skin loses to the room, measured on people of the same
//! oral temperature; and `c` makes the mean error **of the feverish** nothing, halfway between the
//! cameras, because that is where an error does harm.
//!
//! **The score** weighs several regions, each corrected for the room by the same `k`, by ridge
//! regression on the oral temperature. Least squares is right here, for a score is compared with
//! other scores only. The penalty is the one of [`PENALTIES`] that ranks best on people left out.

use super::chance::folds;
use super::rank::Values;
use super::ridge::ridge;
use super::{FEVER_C, Region, Row, deviation, mean};

/// What the gateway has: its warmest skin of the upper face, and the canthi where they are seen.
/// Its third region, the forehead, ranks worse (AUC 0.87 alone) and made the two no better.
pub const GATEWAY: [Region; 2] = [Region::UpperFace, Region::Canthi];

/// Everything that the data have of the face with the mouth closed.
pub const FULL: [Region; 9] = [
    Region::WholeFace,
    Region::Canthi,
    Region::Forehead,
    Region::ForeheadCentreMaximum,
    Region::ForeheadCentre,
    Region::RightCanthus,
    Region::LeftCanthus,
    Region::RightCanthusMaximum,
    Region::LeftCanthusMaximum,
];

/// Penalties that are tried. Columns are scaled, so they mean the same for each of them.
const PENALTIES: [f64; 5] = [0.03, 0.1, 0.2, 0.3, 0.5];

/// Folds in which people are left out, and those within to choose the penalty.
const OUTER_FOLDS: usize = 10;
const INNER_FOLDS: usize = 5;
/// Times that people are divided anew; a person's value is the mean of these.
const REPEATS: u64 = 5;

/// k as one camera and one region have it.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredK {
    /// Which camera.
    pub camera: String,
    /// Which region.
    pub region: Region,
    /// Kelvin lost for each kelvin to the room.
    pub k: f64,
}

/// The value that is shown: the arterial heat balance.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// Share of the difference to the room that is given back, K/K.
    pub k: f64,
    /// What is added on top, K.
    pub c: f64,
    /// Standard deviation about the oral temperature, K: the camera's with the larger one.
    pub u: f64,
    /// What `k` is the mean of.
    pub measured: Vec<MeasuredK>,
}

impl Balance {
    /// Fits the constants: one set for all cameras. `None` where too few people or no feverish ones
    /// are before one of them, or all rooms are the same.
    ///
    /// `k` is the mean over the cameras and two ways to take the maximum (upper and whole face), to
    /// two decimals: it is a property of skin and air, and is known no better.
    #[must_use]
    pub fn fit(rows: &[&Row]) -> Option<Self> {
        let cameras = by_camera(rows);
        let mut measured = Vec::new();
        for (camera, seen) in &cameras {
            for region in [Region::UpperFace, Region::WholeFace] {
                measured.push(MeasuredK {
                    camera: (*camera).to_owned(),
                    region,
                    k: measured_k(seen, region)?,
                });
            }
        }
        let k = (mean(measured.iter().map(|it| it.k))? * 100.0).round() / 100.0;
        let errors = |seen: &[&Row]| -> Vec<(bool, f64)> {
            let of = |row: &&Row| Some((row.is_feverish(), upper(row, k)? - row.oral_c));
            seen.iter().filter_map(of).collect()
        };
        let mut offsets = Vec::new();
        let mut deviations = Vec::new();
        for (_, seen) in &cameras {
            let errors = errors(seen);
            offsets.push(mean(errors.iter().filter(|it| it.0).map(|it| -it.1))?);
            deviations.push(deviation(
                &errors.iter().map(|it| it.1).collect::<Vec<_>>(),
            )?);
        }
        Some(Self {
            k,
            c: mean(offsets)?,
            u: deviations.into_iter().max_by(f64::total_cmp)?,
            measured,
        })
    }

    /// The value for a person, °C; `None` without a temperature of the upper face.
    #[must_use]
    pub fn shown(&self, row: &Row) -> Option<f64> {
        Some(upper(row, self.k)? + self.c)
    }
}

/// The upper face with the room taken out, °C.
fn upper(row: &Row, k: f64) -> Option<f64> {
    row.celsius(Region::UpperFace)
        .map(|face| without_room(face, row, k))
}

/// What a region would have where the room takes nothing, °C, but for a constant.
fn without_room(celsius: f64, row: &Row, k: f64) -> f64 {
    celsius + k * (celsius - row.room_c)
}

fn by_camera<'a>(rows: &[&'a Row]) -> Vec<(&'a str, Vec<&'a Row>)> {
    let mut cameras: Vec<(&str, Vec<&Row>)> = Vec::new();
    for &row in rows {
        match cameras.iter_mut().find(|(name, _)| *name == row.camera) {
            Some((_, seen)) => seen.push(row),
            None => cameras.push((&row.camera, vec![row])),
        }
    }
    cameras
}

/// `T = s·T_room + b·T_oral + const` by least squares; `T + k·(T − T_room)` is free of the room
/// where `k = s / (1 − s)`.
fn measured_k(rows: &[&Row], region: Region) -> Option<f64> {
    let seen: Vec<(f64, f64, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.celsius(region)?, row.room_c, row.oral_c)))
        .collect();
    let column = |of: fn(&(f64, f64, f64)) -> f64| seen.iter().map(of).collect::<Vec<f64>>();
    let columns = [column(|it| it.1), column(|it| it.2)];
    let slope = *ridge(&columns, &column(|it| it.0), &[0.0])?
        .first()?
        .first()?;
    Some(slope / (1.0 - slope)).filter(|k| k.is_finite())
}

/// One region's part in a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Which region.
    pub region: Region,
    /// Per kelvin.
    pub weight: f64,
    /// Its usual temperature in people who are not feverish, room taken out, °C.
    pub usual_c: f64,
}

/// The score that ranks: `Σ weight · (T + k·(T − T_room) − usual)`. Its unit is the standard
/// deviation of people who are not feverish; 0 is their mean. **It is no temperature** and is
/// never shown as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// As in [`Balance`], K/K.
    pub k: f64,
    /// The regions.
    pub terms: Vec<Term>,
}

impl Score {
    /// Fits the weights, and chooses the penalty on people left out. A region that half of the
    /// people or more do not have gets none. `None` where no region is left, there are too few
    /// people, or none of one kind.
    #[must_use]
    pub fn fit(rows: &[&Row], regions: &[Region], k: f64, seed: u64) -> Option<(Self, f64)> {
        let is_usual = |region: &&Region| {
            let seen = rows.iter().filter(|row| row.celsius(**region).is_some());
            2 * seen.count() > rows.len()
        };
        let regions: &[Region] = &regions.iter().filter(is_usual).copied().collect::<Vec<_>>();
        let inner = folds(rows, INNER_FOLDS, seed);
        let mut left_out = vec![vec![None; rows.len()]; PENALTIES.len()];
        for fold in 0..INNER_FOLDS {
            let Some(scores) = Self::of(&others(rows, &inner, fold), regions, k, &PENALTIES) else {
                continue;
            };
            for (score, values) in scores.iter().zip(&mut left_out) {
                for (at, row) in rows.iter().enumerate().filter(|(at, _)| inner[*at] == fold) {
                    values[at] = score.value(row);
                }
            }
        }
        let penalty = left_out
            .iter()
            .zip(PENALTIES)
            .filter_map(|(values, penalty)| Some((worth(rows, values)?, penalty)))
            .max_by(|a, b| a.0.total_cmp(&b.0))?
            .1;
        let score = Self::of(rows, regions, k, &[penalty])?.pop()?;
        Some((score, penalty))
    }

    /// The weights for each penalty.
    fn of(rows: &[&Row], regions: &[Region], k: f64, penalties: &[f64]) -> Option<Vec<Self>> {
        let well = || rows.iter().filter(|row| !row.is_feverish());
        let usual = |&region: &Region| {
            let seen = well().filter_map(|row| Some(without_room(row.celsius(region)?, row, k)));
            Some(Term {
                region,
                weight: 1.0,
                usual_c: mean(seen)?,
            })
        };
        let plain = Self {
            k,
            terms: regions.iter().map(usual).collect::<Option<Vec<_>>>()?,
        };
        let seen: Vec<(&Row, Vec<f64>)> = rows
            .iter()
            .filter_map(|row| Some((*row, plain.above(row)?)))
            .collect();
        let columns: Vec<Vec<f64>> = (0..regions.len())
            .map(|at| seen.iter().map(|(_, above)| above[at]).collect())
            .collect();
        let orals: Vec<f64> = seen.iter().map(|(row, _)| row.oral_c).collect();
        let with_weights = |weights: Vec<f64>| {
            let mut score = plain.clone();
            for (term, weight) in score.terms.iter_mut().zip(weights) {
                term.weight = weight;
            }
            let of_well: Vec<f64> = well().filter_map(|row| score.value(row)).collect();
            let unit = deviation(&of_well).filter(|unit| *unit > 0.0)?;
            for term in &mut score.terms {
                term.weight /= unit;
            }
            Some(score)
        };
        let all = ridge(&columns, &orals, penalties)?;
        all.into_iter().map(with_weights).collect()
    }

    /// By how much each region is above its usual temperature, K. One that is missing is taken to
    /// be as far above as those that are there on average; `None` where none is.
    fn above(&self, row: &Row) -> Option<Vec<f64>> {
        let seen: Vec<Option<f64>> = self
            .terms
            .iter()
            .map(|it| Some(without_room(row.celsius(it.region)?, row, self.k) - it.usual_c))
            .collect();
        let instead = mean(seen.iter().copied().flatten())?;
        Some(
            seen.into_iter()
                .map(|above| above.unwrap_or(instead))
                .collect(),
        )
    }

    /// The score of a person; `None` where no region was seen.
    #[must_use]
    pub fn value(&self, row: &Row) -> Option<f64> {
        let above = self.above(row)?;
        Some(
            self.terms
                .iter()
                .zip(above)
                .map(|(term, above)| term.weight * above)
                .sum(),
        )
    }
}

/// The rows of all folds but one.
fn others<'a>(rows: &[&'a Row], of: &[usize], fold: usize) -> Vec<&'a Row> {
    let those = rows.iter().zip(of).filter(|(_, it)| **it != fold);
    those.map(|(row, _)| *row).collect()
}

/// How well values rank: the mean AUC over the cameras.
fn worth(rows: &[&Row], values: &[Option<f64>]) -> Option<f64> {
    let mut names: Vec<&str> = rows.iter().map(|row| row.camera.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    mean(names.into_iter().filter_map(|name| {
        let rated = rows.iter().copied().zip(values.iter().copied());
        Values::new(rated.filter(|(row, _)| row.camera == name), FEVER_C).auc()
    }))
}

/// What everybody's value is where the constants come from other people only: the mean over
/// several ways to divide them. `None` for who never could be rated.
fn unseen(
    rows: &[&Row],
    rule: impl Fn(&[&Row], u64) -> Option<Box<dyn Fn(&Row) -> Option<f64>>>,
) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_u32); rows.len()];
    for repeat in 0..REPEATS {
        let of = folds(rows, OUTER_FOLDS, repeat);
        for fold in 0..OUTER_FOLDS {
            let Some(value) = rule(&others(rows, &of, fold), repeat) else {
                continue;
            };
            for (at, row) in rows.iter().enumerate().filter(|(at, _)| of[*at] == fold) {
                if let Some(value) = value(row) {
                    sums[at] = (sums[at].0 + value, sums[at].1 + 1);
                }
            }
        }
    }
    sums.into_iter()
        .map(|(sum, count)| (count > 0).then(|| sum / f64::from(count)))
        .collect()
}

/// Scores of people whom neither the weights nor the penalty have seen: nested cross-validation.
#[must_use]
pub fn unseen_scores(rows: &[&Row], regions: &[Region]) -> Vec<Option<f64>> {
    unseen(rows, |others, seed| {
        let k = Balance::fit(others)?.k;
        // Another division than the outer one.
        let (score, _) = Score::fit(others, regions, k, 1000 + seed)?;
        Some(Box::new(move |row| score.value(row)))
    })
}

/// Shown values of people whom the constants have not seen: cross-validation.
#[must_use]
pub fn unseen_estimates(rows: &[&Row]) -> Vec<Option<f64>> {
    unseen(rows, |others, _| {
        let balance = Balance::fit(others)?;
        Some(Box::new(move |row| balance.shown(row)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// People before two cameras who follow a law exactly: `T = 0.1·room + 0.9·oral + c_camera`.
    fn lawful() -> Vec<Row> {
        let mut rows = Vec::new();
        for n in 0..60_u32 {
            let oral = if n % 4 == 0 { 38.0 } else { 36.0 } + f64::from(n % 7) * 0.1;
            let room = 20.0 + f64::from(n % 9);
            for (camera, more) in [("A", 0.0), ("B", 0.2)] {
                let face = 0.1 * room + 0.9 * oral + more;
                let parts = [
                    (Region::Canthi, face),
                    (Region::Forehead, face - 0.5 - f64::from(n % 3) * 0.1),
                    (Region::WholeFace, face + 0.1),
                ];
                rows.push(Row::new(camera, &n.to_string(), oral, room, &parts));
            }
        }
        rows
    }

    #[test]
    fn k_is_the_room_s_share_and_c_makes_the_feverish_right_halfway_between_cameras() {
        let rows = lawful();
        let rows: Vec<&Row> = rows.iter().collect();
        let balance = Balance::fit(&rows).unwrap();
        // 0.1 / 0.9 = 0.111, to two decimals.
        assert_eq!(balance.k, 0.11);
        assert_eq!(balance.measured.len(), 4);
        let error = |camera: &str| {
            let ill = rows
                .iter()
                .filter(|it| it.camera == camera && it.is_feverish());
            mean(ill.map(|row| balance.shown(row).unwrap() - row.oral_c)).unwrap()
        };
        let (a, b) = (error("A"), error("B"));
        assert!(
            (a + b).abs() < 1e-9 && (b - a - 1.11 * 0.2).abs() < 1e-9,
            "{a} {b}"
        );
    }

    #[test]
    fn a_score_ranks_as_its_regions_and_has_the_well_for_its_unit() {
        let rows = lawful();
        let rows: Vec<&Row> = rows.iter().collect();
        let (score, penalty) = Score::fit(&rows, &GATEWAY, 0.11, 1).unwrap();
        // What nobody has is left out.
        let (full, _) = Score::fit(&rows, &FULL, 0.11, 1).unwrap();
        assert_eq!(full.terms.len(), 3);
        assert!(PENALTIES.contains(&penalty));
        let well = rows.iter().filter(|row| !row.is_feverish());
        let of_well: Vec<f64> = well.map(|row| score.value(row).unwrap()).collect();
        assert!(mean(of_well.iter().copied()).unwrap().abs() < 1e-9);
        assert!((deviation(&of_well).unwrap() - 1.0).abs() < 1e-9);
        let values: Vec<Option<f64>> = rows.iter().map(|row| score.value(row)).collect();
        assert_eq!(worth(&rows, &values), Some(1.0));
    }

    #[test]
    fn a_missing_region_is_as_far_from_usual_as_the_others() {
        let term = |region, weight, usual_c| Term {
            region,
            weight,
            usual_c,
        };
        let score = Score {
            k: 0.0,
            terms: vec![
                term(Region::UpperFace, 2.0, 35.5),
                term(Region::Canthi, 3.0, 35.4),
            ],
        };
        let row = |parts: &[_]| Row::new("A", "x", 37.0, 22.0, parts);
        let seen = row(&[(Region::Canthi, 36.4), (Region::Forehead, 36.6)]);
        // 2 · 1.1 + 3 · 1.0.
        assert!((score.value(&seen).unwrap() - 5.2).abs() < 1e-9);
        let without = row(&[(Region::Forehead, 36.6)]);
        // 2 · 1.1 + 3 · 1.1.
        assert!((score.value(&without).unwrap() - 5.5).abs() < 1e-9);
        assert_eq!(score.value(&row(&[])), None);
    }

    #[test]
    fn unseen_values_know_nothing_of_their_own_person() {
        let mut rows = lawful();
        let before: Vec<&Row> = rows.iter().collect();
        let known = unseen_estimates(&before);
        assert!(known.iter().all(Option::is_some));
        // What one feverish person's oral temperature is changes all values but the person's own.
        rows[0].oral_c += 1.0;
        rows[1].oral_c += 1.0;
        let after: Vec<&Row> = rows.iter().collect();
        let changed = unseen_estimates(&after);
        assert_eq!((known[0], known[1]), (changed[0], changed[1]));
        assert_ne!(known[8], changed[8]);
        let scores = unseen_scores(&after, &GATEWAY);
        assert!(worth(&after, &scores).unwrap() > 0.99);
    }

    #[test]
    fn too_little_gives_no_constants() {
        let rows = lawful();
        let well: Vec<&Row> = rows.iter().filter(|row| !row.is_feverish()).collect();
        assert_eq!(Balance::fit(&well), None);
        assert_eq!(Balance::fit(&[]), None);
        assert!(Score::fit(&well, &GATEWAY, 0.08, 1).is_none());
        assert!(Score::fit(&[], &GATEWAY, 0.08, 1).is_none());
        let all: Vec<&Row> = rows.iter().collect();
        assert!(Score::fit(&all, &[Region::LeftCanthus], 0.08, 1).is_none());
    }
}
