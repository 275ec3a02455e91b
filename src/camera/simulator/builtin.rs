//! The scenarios that come with the program.

use super::scenario::Scenario;

/// Name and text of each.
const BUILTIN: [(&str, &str); 10] = [
    ("lobby", include_str!("scenarios/lobby.toml")),
    ("empty", include_str!("scenarios/empty.toml")),
    ("group", include_str!("scenarios/group.toml")),
    ("ffc", include_str!("scenarios/ffc.toml")),
    (
        "reference_covered",
        include_str!("scenarios/reference_covered.toml"),
    ),
    (
        "two_references",
        include_str!("scenarios/two_references.toml"),
    ),
    ("sweep", include_str!("scenarios/sweep.toml")),
    ("faults", include_str!("scenarios/faults.toml")),
    ("crowd_640", include_str!("scenarios/crowd_640.toml")),
    ("tiny_80", include_str!("scenarios/tiny_80.toml")),
];

/// The names that [`builtin`] knows.
#[must_use]
pub fn builtin_names() -> [&'static str; BUILTIN.len()] {
    BUILTIN.map(|(name, _)| name)
}

/// A scenario that comes with the program; `None` where there is none of this name.
#[must_use]
pub fn builtin(name: &str) -> Option<Scenario> {
    let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    Scenario::from_toml(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_scenario_is_valid_and_has_the_name_of_its_file() {
        for (name, text) in BUILTIN {
            let scenario = Scenario::from_toml(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(scenario.name(), name);
        }
        assert!(builtin("nowhere").is_none());
    }
}
