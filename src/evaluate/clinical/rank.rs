//! How well values rank the feverish above the others, and how far they are off.

use super::chance::{Dice, numbers};
use super::{Row, deviation, mean};

/// Specificities at which the sensitivity is given.
pub const SPECIFICITIES: [f64; 3] = [0.90, 0.95, 0.99];

/// Draws of the bootstrap (Efron): its 95 % limits then wander by about a thousandth.
const DRAWS: usize = 1000;

/// Seed of the bootstrap.
const SEED: u64 = 20_200_218;

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What was seen.
    pub value: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// What one rule makes of each person before one camera, beside what is true of them.
#[derive(Debug)]
pub struct Values {
    /// Highest value first.
    entries: Vec<Entry>,
    people: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    value: f64,
    oral: f64,
    ill: bool,
    person: usize,
}

impl Values {
    /// Values of these people, where feverish is who has this oral temperature or more. Whoever has
    /// no value is left out.
    #[must_use]
    pub fn new<'a>(
        rated: impl IntoIterator<Item = (&'a Row, Option<f64>)>,
        fever_from_c: f64,
    ) -> Self {
        let (rows, values): (Vec<&Row>, Vec<f64>) = rated
            .into_iter()
            .filter_map(|(row, value)| Some((row, value.filter(|it| it.is_finite())?)))
            .unzip();
        let of = numbers(&rows);
        let people = of.iter().max().map_or(0, |last| last + 1);
        let mut entries: Vec<Entry> = rows
            .iter()
            .zip(values)
            .zip(of)
            .map(|((row, value), person)| Entry {
                value,
                oral: row.oral_c,
                ill: row.oral_c >= fever_from_c,
                person,
            })
            .collect();
        entries.sort_by(|a, b| b.value.total_cmp(&a.value));
        Self { entries, people }
    }

    /// How many people, and how many of them are feverish.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let ill = self.entries.iter().filter(|entry| entry.ill).count();
        (self.entries.len(), ill)
    }

    /// The chance that a feverish person has the higher value of the two, equal ones half (AUC).
    /// `None` without people of both kinds.
    #[must_use]
    pub fn auc(&self) -> Option<f64> {
        self.measures(&vec![1.0; self.people]).map(|it| it[0])
    }

    /// The AUC, and the sensitivity at each of [`SPECIFICITIES`]: the share of the feverish who
    /// are found by the threshold that calls most of them while at most the rest of the others are
    /// called. Intervals by bootstrap over people.
    #[must_use]
    pub fn ranking(&self) -> Option<[Figure; 4]> {
        let seen = self.measures(&vec![1.0; self.people])?;
        let mut dice = Dice::new(SEED);
        let mut drawn: [Vec<f64>; 4] = Default::default();
        for _ in 0..DRAWS {
            let mut weights = vec![0.0; self.people];
            for _ in 0..self.people {
                weights[dice.below(self.people)] += 1.0;
            }
            for (all, one) in drawn
                .iter_mut()
                .zip(self.measures(&weights).iter().flatten())
            {
                all.push(*one);
            }
        }
        let mut at = 0;
        Some(drawn.map(|mut all| {
            all.sort_by(f64::total_cmp);
            let limit = |share: f64| all.get((share * all.len() as f64) as usize).copied();
            let value = seen[at];
            at += 1;
            Figure {
                value,
                low: limit(0.025).unwrap_or(value),
                high: limit(0.975).unwrap_or(value),
            }
        }))
    }

    /// AUC and sensitivities where each person counts so often.
    fn measures(&self, weights: &[f64]) -> Option<[f64; 4]> {
        let total = |ill: bool| -> f64 {
            let those = self.entries.iter().filter(|entry| entry.ill == ill);
            those.map(|entry| weights[entry.person]).sum()
        };
        let (ill, well) = (total(true), total(false));
        if ill == 0.0 || well == 0.0 {
            return None;
        }
        // As many false alarms as each specificity leaves; decimals are not exact, hence a bit more.
        let allowed = SPECIFICITIES.map(|specificity| (1.0 - specificity) * well + 1e-6);
        let (mut area, mut found, mut wrong) = (0.0, 0.0, 0.0);
        let mut sensitivities = [0.0; 3];
        for equal in self.entries.chunk_by(|a, b| a.value == b.value) {
            let (mut more_found, mut more_wrong) = (0.0, 0.0);
            for entry in equal {
                let more = if entry.ill {
                    &mut more_found
                } else {
                    &mut more_wrong
                };
                *more += weights[entry.person];
            }
            area += more_wrong * (found + more_found / 2.0);
            found += more_found;
            wrong += more_wrong;
            for (sensitivity, allowed) in sensitivities.iter_mut().zip(allowed) {
                if wrong <= allowed {
                    *sensitivity = found / ill;
                }
            }
        }
        let [a, b, c] = sensitivities;
        Some([area / (ill * well), a, b, c])
    }

    /// Mean of value − oral, K: of all, and of the feverish.
    #[must_use]
    pub fn bias(&self) -> (Option<f64>, Option<f64>) {
        let errors = |only_ill: bool| {
            let those = self.entries.iter().filter(move |it| it.ill || !only_ill);
            those.map(|it| it.value - it.oral)
        };
        (mean(errors(false)), mean(errors(true)))
    }

    /// Standard deviation of value − oral, K.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        let errors: Vec<f64> = self.entries.iter().map(|it| it.value - it.oral).collect();
        deviation(&errors)
    }

    /// Standard deviation of the oral temperature about the straight line through these values, K:
    /// how much they say, whatever their unit.
    #[must_use]
    pub fn deviation_about_line(&self) -> Option<f64> {
        let values: Vec<f64> = self.entries.iter().map(|it| it.value).collect();
        let orals: Vec<f64> = self.entries.iter().map(|it| it.oral).collect();
        let (of_values, of_orals) = (deviation(&values)?, deviation(&orals)?);
        if of_values == 0.0 {
            return Some(of_orals);
        }
        let middle = mean(values.iter().copied())?;
        let common = mean(values.iter().zip(&orals).map(|(v, o)| (v - middle) * o))?;
        let explained = common / of_values;
        Some(
            (of_orals * of_orals - explained * explained)
                .max(0.0)
                .sqrt(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the well and of the feverish, everybody another person.
    fn values(well: &[f64], ill: &[f64]) -> Values {
        let kinds = well
            .iter()
            .map(|v| (36.6, *v))
            .chain(ill.iter().map(|v| (38.0, *v)));
        let rated: Vec<(Row, f64)> = kinds
            .enumerate()
            .map(|(n, (oral, value))| (Row::new("A", &n.to_string(), oral, 22.0, &[]), value))
            .collect();
        Values::new(rated.iter().map(|(row, value)| (row, Some(*value))), 37.5)
    }

    #[test]
    fn the_area_counts_pairs_and_halves_of_equal_ones() {
        assert_eq!(values(&[1.0, 2.0], &[3.0]).auc(), Some(1.0));
        assert_eq!(values(&[3.0], &[1.0, 2.0]).auc(), Some(0.0));
        assert_eq!(values(&[1.0, 1.0], &[1.0]).auc(), Some(0.5));
        // Pairs: 2 > 1, 2 = 2, 2 < 3; 3 > 1, 3 > 2, 3 = 3: 4 of 6.
        let ties = values(&[1.0, 2.0, 3.0], &[2.0, 3.0]).auc().unwrap();
        assert!((ties - 4.0 / 6.0).abs() < 1e-12, "{ties}");
        assert_eq!(values(&[1.0], &[]).auc(), None);
        assert_eq!(values(&[], &[]).auc(), None);
    }

    #[test]
    fn sensitivity_is_taken_where_the_specificity_still_holds() {
        // 10 well people with 0…9: 0.90 leaves one false alarm, 0.95 and 0.99 none.
        let well: Vec<f64> = (0..10).map(f64::from).collect();
        let figures = values(&well, &[9.5, 8.5, 7.5, 9.0]).ranking().unwrap();
        // Above 9: one of four. With 9 itself comes the equal feverish one, then 8.5.
        assert_eq!([1, 2, 3].map(|at| figures[at].value), [0.75, 0.25, 0.25]);
    }

    #[test]
    fn intervals_hold_the_value_and_are_the_same_again() {
        let well: Vec<f64> = (0..60).map(|n| f64::from(n % 17)).collect();
        let ill: Vec<f64> = (0..20).map(|n| 8.0 + f64::from(n % 13)).collect();
        let [auc, ..] = values(&well, &ill).ranking().unwrap();
        assert!(auc.low < auc.value && auc.value < auc.high, "{auc:?}");
        assert_eq!(values(&well, &ill).ranking().unwrap()[0], auc);
    }

    #[test]
    fn whole_people_are_drawn() {
        // One person of each kind, seen many times: a draw has both or is none, so it never varies.
        let row = |person: &str, oral| Row::new("A", person, oral, 22.0, &[]);
        let rows = [
            row("x", 36.0),
            row("x", 36.0),
            row("y", 38.0),
            row("y", 38.0),
        ];
        let rated = rows.iter().zip([1.0, 3.0, 2.0, 4.0].map(Some));
        let [auc, ..] = Values::new(rated, 37.5).ranking().unwrap();
        assert_eq!((auc.low, auc.value, auc.high), (0.75, 0.75, 0.75));
    }

    #[test]
    fn bias_and_deviation_are_those_of_the_errors() {
        let some = values(&[36.6, 37.0], &[37.5]);
        let (all, ill) = some.bias();
        assert!((all.unwrap() - (0.4 - 0.5) / 3.0).abs() < 1e-9);
        assert!((ill.unwrap() + 0.5).abs() < 1e-9);
        let known = values(&[36.6], &[38.0]);
        assert!(known.deviation().unwrap() < 1e-9);
        assert!(known.deviation_about_line().unwrap() < 1e-6);
        // A value that says nothing leaves the whole deviation of the oral temperature: 0.7.
        let mute = values(&[1.0, 1.0], &[1.0, 1.0])
            .deviation_about_line()
            .unwrap();
        assert!((mute - 0.7).abs() < 1e-9, "{mute}");
    }

    #[test]
    fn whoever_has_no_value_is_left_out() {
        let row = Row::new("A", "x", 38.0, 22.0, &[]);
        let rated = [(&row, None), (&row, Some(f64::NAN)), (&row, Some(1.0))];
        assert_eq!(Values::new(rated, 37.5).counts(), (1, 1));
    }
}
