//! Chance that is the same for the same seed, on every machine and in every version.

use super::Row;
use std::collections::BTreeMap;

/// A source of numbers: SplitMix64 (Steele, Lea, Flood 2014), which is enough to divide and to
/// resample people.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`; 0 where `end` is 0. Its unevenness, `end` in 2⁶⁴, is nothing.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}

/// The number of the person in each row: the same for all rows of a person, from 0.
pub(super) fn numbers(rows: &[&Row]) -> Vec<usize> {
    let mut known = BTreeMap::new();
    rows.iter()
        .map(|row| {
            let next = known.len();
            *known.entry(row.person.as_str()).or_insert(next)
        })
        .collect()
}

/// Divides the rows into folds: the fold of each row. All rows of a person are in one fold; the
/// feverish are spread evenly, and so are the others. It depends on who is there, not on the
/// order of the rows.
pub(super) fn folds(rows: &[&Row], count: usize, seed: u64) -> Vec<usize> {
    let mut feverish: BTreeMap<&str, bool> = BTreeMap::new();
    for row in rows {
        *feverish.entry(&row.person).or_default() |= row.is_feverish();
    }
    let (mut ill, mut well): (Vec<&str>, Vec<&str>) =
        feverish.keys().partition(|person| feverish[*person]);
    let mut dice = Dice::new(seed);
    let mut of: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in [&mut ill, &mut well] {
        dice.shuffle(kind);
        of.extend(
            kind.iter()
                .zip((0..count.max(1)).cycle())
                .map(|(person, fold)| (*person, fold)),
        );
    }
    rows.iter().map(|row| of[row.person.as_str()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(people: usize) -> Vec<Row> {
        (0..people)
            .flat_map(|n| ["A", "B"].map(|camera| (n, camera)))
            .map(|(n, camera)| {
                let oral = if n % 5 == 0 { 38.0 } else { 36.6 };
                Row::new(camera, &n.to_string(), oral, 22.0, &[])
            })
            .collect()
    }

    #[test]
    fn a_person_is_in_one_fold_and_folds_are_alike() {
        let rows = rows(50);
        let rows: Vec<&Row> = rows.iter().collect();
        let of = folds(&rows, 5, 1);
        for pair in of.chunks(2) {
            assert_eq!(pair[0], pair[1]);
        }
        for fold in 0..5 {
            let of_fold = |ill: bool| {
                let here = rows.iter().zip(&of).filter(|(_, it)| **it == fold);
                here.filter(|(row, _)| row.is_feverish() == ill).count()
            };
            assert_eq!((of_fold(true), of_fold(false)), (4, 16));
        }
        assert_eq!(folds(&rows, 5, 1), of);
        assert_ne!(folds(&rows, 5, 2), of);
    }

    #[test]
    fn folds_do_not_depend_on_the_order_of_the_rows() {
        let rows = rows(20);
        let forth: Vec<&Row> = rows.iter().collect();
        let back: Vec<&Row> = rows.iter().rev().collect();
        let mut of_back = folds(&back, 4, 9);
        of_back.reverse();
        assert_eq!(of_back, folds(&forth, 4, 9));
    }

    #[test]
    fn dice_are_those_of_the_published_sequence() {
        // First numbers of SplitMix64 with seed 0, as its reference implementation gives them.
        let mut dice = Dice::new(0);
        assert_eq!(dice.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(dice.next(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(dice.below(0), 0);
        assert!((0..1000).all(|_| dice.below(7) < 7));
    }
}
