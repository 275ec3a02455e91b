//! Five sources (五源发现): by what somebody became known, and what each of them said.

use super::field::Said;
use crate::clock::Stamp;
use crate::id::ScreeningId;
use crate::text::{Note, named};

named! {
    /// A source.
    Source {
        /// Household files, one a household.
        Household = "household", "户籍数据（一户一档）", "Household files";
        /// The database of the actual population.
        Population = "population", "实有人口数据", "Actual population";
        /// Team backbone, compound management and neighbourhood watch.
        Community = "community", "群防群治", "Community networks";
        /// Asked or measured at the gate.
        Gate = "gate", "门卫查疑补漏", "The gate";
        /// Said by the person.
        Declared = "declared", "自我申报", "Self-declaration";
    }
}

impl Source {
    /// Whether it comes as a list.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Household | Self::Population)
    }
}

/// Number of an imported list, never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportId(pub u64);

/// What one source said of a person, at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which source.
    pub source: Source,
    /// When it was entered.
    pub at: Stamp,
    /// Who entered it; `None`: the person.
    pub by: Option<Note>,
    /// What it says.
    pub said: Said,
    /// The list that it came with.
    pub import: Option<ImportId>,
    /// The screening at the gate that led to it.
    pub screening: Option<ScreeningId>,
}
