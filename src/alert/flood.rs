//! When alerts come faster than people can act.
//!
//! EEMUA 191 calls about one alarm in ten minutes acceptable and more than ten a flood; three within a
//! minute is where a guard at a door can no longer read each. Then the page shows one banner with a count
//! above the cards, folded, and notifiers send one digest. Every alert keeps its own record and its own card.

use crate::clock::Stamp;
use std::time::Duration;

/// Alerts within [`WITHIN`] from which on it is a flood.
pub const MANY: usize = 3;

/// The time within which they come.
pub const WITHIN: Duration = Duration::from_mins(1);

/// Whether a moment lies within the last minute. One of another start does not: a start takes long
/// enough.
#[must_use]
pub fn is_recent(at: &Stamp, now: &Stamp) -> bool {
    // A moment from before the clock was read just now may be a little later than it.
    at.boot == now.boot && now.monotonic.saturating_sub(at.monotonic) < WITHIN
}

/// How many of these were raised within the last minute, where they make a flood.
#[must_use]
pub fn flood<'a>(raised: impl IntoIterator<Item = &'a Stamp>, now: &Stamp) -> Option<usize> {
    let recent = raised.into_iter().filter(|at| is_recent(at, now)).count();
    (recent >= MANY).then_some(recent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::stamp;
    use crate::clock::BootId;

    #[test]
    fn three_within_a_minute_are_a_flood_until_the_minute_is_over() {
        let raised = [stamp(0), stamp(20_000), stamp(59_999)];
        assert_eq!(flood(&raised[..2], &stamp(59_999)), None);
        assert_eq!(flood(&raised, &stamp(59_999)), Some(3));
        assert_eq!(flood(&raised, &stamp(60_000)), None);
        // A page that reads the clock before the list is no reason to miss one.
        assert_eq!(flood(&raised, &stamp(30_000)), Some(3));
    }

    #[test]
    fn alerts_of_the_last_start_are_none_of_this_minute() {
        let before = Stamp {
            boot: BootId(0),
            ..stamp(1_000)
        };
        assert_eq!(flood(&[before; 9], &stamp(2_000)), None);
    }
}
