//! Totals of the register (每天汇总): counts by colour, source and company. No name leaves; and where few
//! people are in a cell, not even their exact number, if the site so wishes.
//!
//! A single cell that is masked would follow from the sum and the others; so the smallest of the others is
//! masked with it (complementary suppression, as statistical offices do).

use super::colour::Colour;
use super::source::Source;
use crate::calendar::Date;
use crate::text::Note;
use std::fmt;

/// A count, as it may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// As it is.
    Exactly(u64),
    /// At least one, and fewer than this.
    Fewer(u64),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => count.fmt(f),
            Self::Fewer(bound) => write!(f, "<{bound}"),
        }
    }
}

/// The counts of one group as they may be told: those below `below` are masked; 0: none is.
#[must_use]
pub fn told(counts: &[u64], below: u32) -> Vec<Told> {
    let below = u64::from(below);
    let mut hidden: Vec<bool> = counts.iter().map(|it| (1..below).contains(it)).collect();
    if hidden.iter().filter(|it| **it).count() == 1 {
        let others = counts.iter().enumerate();
        let next = others
            .filter(|(at, count)| **count > 0 && hidden.get(*at) == Some(&false))
            .min_by_key(|(_, count)| **count)
            .map(|(at, _)| at);
        if let Some(hide) = next.and_then(|at| hidden.get_mut(at)) {
            *hide = true;
        }
    }
    let bound = |count: u64| (count + 1).max(below);
    counts
        .iter()
        .zip(hidden)
        .map(|(count, hidden)| {
            if hidden {
                Told::Fewer(bound(*count))
            } else {
                Told::Exactly(*count)
            }
        })
        .collect()
}

/// The totals of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Totals {
    /// By colour, each once.
    pub colours: Vec<(Colour, Told)>,
    /// By source, each once.
    pub sources: Vec<(Source, Told)>,
    /// About whom something waits for a person's word.
    pub waiting: u64,
    /// Late: expected and not seen, or over and not released.
    pub overdue: u64,
    /// Observed, and nothing was said of their health today.
    pub unsaid: u64,
}

/// What staff are reminded of: counts alone, so that it may go out by any way. Who it is stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// On which day.
    pub date: Date,
    /// Observed, and nothing was said of their health on that day.
    pub unsaid: u64,
    /// Expected and not seen, or over and not released.
    pub overdue: u64,
}

/// One company's totals. They stay in the building: a company's name and a count of one say who it is.
#[derive(Clone, Debug, PartialEq)]
pub struct CompanyTotals {
    /// Its name; `None`: nobody said where they belong.
    pub company: Option<Note>,
    /// By colour, each once.
    pub colours: Vec<(Colour, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_counts_are_masked_and_none_alone() {
        use Told::{Exactly, Fewer};
        assert_eq!(told(&[0, 1, 30], 0), [Exactly(0), Exactly(1), Exactly(30)]);
        assert_eq!(
            told(&[0, 1, 30, 7], 5),
            [Exactly(0), Fewer(5), Exactly(30), Fewer(8)]
        );
        assert_eq!(told(&[4, 1, 30], 5), [Fewer(5), Fewer(5), Exactly(30)]);
        assert_eq!(told(&[0, 3], 5), [Exactly(0), Fewer(5)]);
    }

    proptest! {
        /// Whoever knows the sum and every cell that is told exactly learns no small cell from it.
        #[test]
        fn the_sum_gives_no_small_cell_away(counts in prop::collection::vec(0_u64..20, 1..8)) {
            let told = told(&counts, 5);
            let hidden = told.iter().filter(|it| matches!(it, Told::Fewer(_))).count();
            let filled = counts.iter().filter(|it| **it > 0).count();
            prop_assert!(hidden != 1 || filled == 1);
            for (count, told) in counts.iter().zip(told) {
                match told {
                    Told::Exactly(exact) => prop_assert!(exact == *count && !(1..5).contains(count)),
                    Told::Fewer(bound) => prop_assert!(*count < bound && *count > 0),
                }
            }
        }
    }
}
