//! Which numbers of one epoch have come, and the receipt that follows from them.
//!
//! Numbers arrive in any order and more than once. They are kept as stretches, so that a year of a
//! gateway without a gap is one pair.

use crate::id::{DeviceEpoch, MessageNumber};
use crate::journal::Receipt;

/// Most gaps of a receipt: what a gateway reads (`mqtt`). Whoever lacks more names the first ones,
/// and says nothing of what lies behind them.
pub const MOST_GAPS: usize = 1000;

/// Most stretches that are known of one epoch. An honest gateway has one, and a few while messages are under
/// way; whoever sends every second number is told nothing of those beyond, which makes no row grow for ever.
pub const MOST_STRETCHES: usize = 10_000;

/// Numbers that have come, or of which the gateway said that they never will.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// First and last of each stretch; ascending, with something missing between two of them.
    stretches: Vec<(u64, u64)>,
}

impl Numbers {
    /// From stretches in any order, as they were kept.
    #[must_use]
    pub fn of(stretches: &[(u64, u64)]) -> Self {
        let mut numbers = Self::default();
        for (first, last) in stretches {
            numbers.add(*first, *last);
        }
        numbers
    }

    /// First and last of each stretch, ascending.
    #[must_use]
    pub fn stretches(&self) -> &[(u64, u64)] {
        &self.stretches
    }

    /// Adds the numbers from `first` to `last`. A stretch that ends before it begins, or begins
    /// with 0, which no message has, adds nothing wrong: it is cut to what there can be. One that would be
    /// more than [`MOST_STRETCHES`] is not added: it has not come, as far as the gateway is told, which sends
    /// it again.
    pub fn add(&mut self, first: u64, last: u64) {
        let first = first.max(1);
        if last < first {
            return;
        }
        // Those before it that do not even touch it, and those that do.
        let from = self
            .stretches
            .partition_point(|it| it.1.saturating_add(1) < first);
        let to = self
            .stretches
            .partition_point(|it| it.0 <= last.saturating_add(1));
        let touched = self.stretches.get(from..to).unwrap_or_default();
        if touched.is_empty() && self.stretches.len() >= MOST_STRETCHES {
            return;
        }
        let joined = (
            touched.first().map_or(first, |it| it.0.min(first)),
            touched.last().map_or(last, |it| it.1.max(last)),
        );
        self.stretches.splice(from..to, [joined]);
    }

    /// Whether this number has come.
    #[must_use]
    pub fn has(&self, number: u64) -> bool {
        self.stretches
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// What the gateway is told; `None` where nothing has come.
    #[must_use]
    pub fn receipt(&self, epoch: &DeviceEpoch) -> Option<Receipt> {
        let mut up_to = None;
        let mut gaps = Vec::new();
        let mut next = 1;
        for (first, last) in &self.stretches {
            if *first > next {
                if gaps.len() == MOST_GAPS {
                    break;
                }
                gaps.push((MessageNumber(next), MessageNumber(first - 1)));
            }
            up_to = Some(MessageNumber(*last));
            next = last.saturating_add(1);
        }
        up_to.map(|up_to| Receipt {
            epoch: epoch.clone(),
            up_to,
            gaps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// A receipt says of each number exactly whether it came: nothing lost is called received.
        #[test]
        fn a_receipt_says_what_came(adds in prop::collection::vec((0_u64..60, 0_u64..6), 0..40)) {
            let (mut numbers, mut came) = (Numbers::default(), BTreeSet::new());
            for (first, more) in adds {
                numbers.add(first, first + more);
                came.extend(first.max(1)..=first + more);
            }
            let receipt = numbers.receipt(&DeviceEpoch("e".to_owned()));
            prop_assert_eq!(receipt.as_ref().map(|it| it.up_to.0), came.last().copied());
            for number in 1..70 {
                prop_assert_eq!(numbers.has(number), came.contains(&number));
                let received = receipt.as_ref().is_some_and(|it| {
                    number <= it.up_to.0
                        && !it.gaps.iter().any(|(a, b)| (a.0..=b.0).contains(&number))
                });
                prop_assert_eq!(received, came.contains(&number), "{}", number);
            }
            prop_assert_eq!(Numbers::of(numbers.stretches()), numbers);
        }
    }

    #[test]
    fn too_many_gaps_are_told_in_part_and_nothing_behind_them_is_claimed() {
        let mut numbers = Numbers::default();
        for number in 1..=5000 {
            numbers.add(number * 2, number * 2);
        }
        let receipt = numbers.receipt(&DeviceEpoch("e".to_owned())).unwrap();
        assert_eq!((receipt.gaps.len(), receipt.up_to.0), (MOST_GAPS, 2000));
    }

    #[test]
    fn whoever_scatters_their_numbers_is_not_followed_for_ever() {
        let mut numbers = Numbers::default();
        let most = MOST_STRETCHES as u64;
        (1..=2 * most).for_each(|it| numbers.add(2 * it, 2 * it));
        assert_eq!(numbers.stretches().len(), MOST_STRETCHES);
        assert!(numbers.has(2 * most) && !numbers.has(2 * most + 2));
        // Once a gap closes there is room for the next.
        numbers.add(3, 3);
        numbers.add(2 * most + 2, 2 * most + 2);
        assert!(numbers.has(2 * most + 2));
    }

    #[test]
    fn the_end_of_an_epoch_does_not_overflow() {
        let mut numbers = Numbers::of(&[(1, 3), (9, u64::MAX)]);
        numbers.add(u64::MAX, u64::MAX);
        numbers.add(5, 2);
        assert_eq!(numbers.stretches(), [(1, 3), (9, u64::MAX)]);
    }
}
