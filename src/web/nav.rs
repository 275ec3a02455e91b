//! The ways through the pages of a gateway: one table, from which everybody is shown what they may open.

use super::words::{Words, checklist, frame, people, sign_in, today, visitor};
use crate::staff::{Right, Role};

/// A page that stands in the navigation.
pub(super) struct Way {
    /// Its path.
    pub(super) path: &'static str,
    /// What it is called.
    pub(super) words: Words,
    /// Who is shown it.
    pub(super) right: Right,
}

pub(super) const fn way(path: &'static str, words: Words, right: Right) -> Way {
    Way { path, words, right }
}

/// Every one, in the order in which they stand. The first that a role may open is where it begins.
pub(super) const WAYS: &[Way] = &[
    way("/", frame::GUARD, Right::SeeLive),
    way("/today", today::TODAY, Right::SeeToday),
    way("/visitor", visitor::VISITOR, Right::SeeKiosk),
    way("/rounds", checklist::ROUNDS, Right::Tick),
    way("/report", checklist::REPORT, Right::RunChecklist),
    way("/look-back", checklist::LOOK_BACK, Right::RunChecklist),
    way("/pledge", checklist::PLEDGE, Right::Tick),
    way("/procedure", checklist::PROCEDURE, Right::SeeToday),
    way("/gate", people::GATE, Right::CheckCodes),
    way("/people", people::REGISTER, Right::SeePeople),
    way(ACCOUNTS, sign_in::ACCOUNTS, Right::RunAccounts),
    way("/settings", frame::SETTINGS, Right::Configure),
];

/// The page of accounts, which a demonstration has not.
pub(super) const ACCOUNTS: &str = "/accounts";

/// Where somebody without any of them begins.
const ELSE: &str = "/account";

/// Those of them that are open to a role.
pub(super) fn open(ways: &'static [Way], role: Role) -> impl Iterator<Item = &'static Way> {
    ways.iter().filter(move |way| role.may(way.right))
}

/// Where a role begins.
pub(super) fn home(ways: &'static [Way], role: Role) -> &'static str {
    open(ways, role).next().map_or(ELSE, |way| way.path)
}
