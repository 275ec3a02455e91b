//! "Why ± 0.9 K?": the uncertainty of one reading part by part, as a table that unfolds beside an alert
//! and, with the numbers that the live view sends, beside a person; and as JSON.

use super::words::{self, InWords, Words};
use crate::estimate::{Budget, Part, Reading};
use std::collections::BTreeMap;

/// One part, as it is shown.
pub(super) struct PartView {
    pub(super) code: &'static str,
    pub(super) words: Words,
    /// Standard uncertainty, K; empty where a script fills it in.
    pub(super) u: String,
    pub(super) source: Words,
}

/// All parts and what they come to.
pub(super) struct BudgetView {
    pub(super) parts: Vec<PartView>,
    /// Standard uncertainty of the face, K.
    pub(super) face_u: String,
    /// Standard uncertainty of the estimate, K.
    pub(super) u: String,
}

/// Two decimals: enough to add up by hand.
fn kelvin(value: f64) -> String {
    format!("{value:.2}")
}

impl BudgetView {
    pub(super) fn of(reading: &Reading) -> Self {
        Self {
            parts: view(|part| kelvin(reading.budget.part(part))),
            face_u: kelvin(reading.u().kelvin()),
            u: kelvin(reading.estimate.u.kelvin()),
        }
    }

    /// The same table without numbers.
    pub(super) fn blank() -> Self {
        Self {
            parts: view(|_| String::new()),
            face_u: String::new(),
            u: String::new(),
        }
    }
}

fn view(u: impl Fn(Part) -> String) -> Vec<PartView> {
    let part = |part: Part| PartView {
        code: part.as_str(),
        words: part.words(),
        u: u(part),
        source: words::source(part),
    };
    Part::ALL.into_iter().map(part).collect()
}

/// Standard uncertainties by the word of the part, K.
pub(super) fn json(budget: &Budget) -> BTreeMap<&'static str, f64> {
    Part::ALL
        .into_iter()
        .map(|part| (part.as_str(), budget.part(part)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_every_part_by_its_word() {
        let json = json(&Budget::default().with(Part::Looks, 0.02));
        assert_eq!(json.len(), Part::ALL.len());
        assert_eq!((json["looks"], json["path"]), (0.02, 0.0));
    }

    #[test]
    fn the_blank_table_has_the_same_rows() {
        let blank = BudgetView::blank();
        assert_eq!(blank.parts.len(), Part::ALL.len());
        assert!(blank.parts.iter().all(|part| part.u.is_empty()));
    }
}
