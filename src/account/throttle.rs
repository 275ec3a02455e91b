//! How often somebody may try in vain.
//!
//! For one account 5 times a minute and 20 an hour (ASVS 5.0, 6.3.1), which makes some 175 000 tries a year: a
//! password that stands a million (see the web's `sign_in`) holds for years. For one address more: all who
//! work at the device share it. Nobody is locked out for good, and nobody who is signed in notices.

use crate::alert::escalation::waited;
use crate::clock::Stamp;
use std::time::Duration;

/// At most so many within so long.
pub type Bound = (usize, Duration);

/// For one account, or its PIN.
pub const ACCOUNT: [Bound; 2] = [(5, Duration::from_mins(1)), (20, Duration::from_hours(1))];

/// For one address.
pub const ADDRESS: [Bound; 2] = [(20, Duration::from_mins(1)), (100, Duration::from_hours(1))];

/// After so long a failure no longer counts.
pub const FORGOTTEN: Duration = Duration::from_hours(1);

/// How long somebody has to wait before the next try; `None`: they may try now. Over a restart with a
/// clock that was not set, time counts from the restart on.
#[must_use]
pub fn wait(failures: &[Stamp], bounds: &[Bound], now: &Stamp) -> Option<Duration> {
    let mut ages: Vec<Duration> = failures.iter().map(|it| waited(it, now)).collect();
    ages.sort();
    bounds
        .iter()
        .filter_map(|(most, window)| {
            let oldest_that_counts = ages.get(most.checked_sub(1)?)?;
            window.checked_sub(*oldest_that_counts)
        })
        .filter(|it| !it.is_zero())
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use proptest::prelude::*;

    fn at(boot: u64, seconds: u64) -> Stamp {
        Stamp {
            boot: BootId(boot),
            monotonic: Duration::from_secs(seconds),
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        }
    }

    #[test]
    fn the_sixth_within_a_minute_waits_for_the_first_to_be_old() {
        let failures: Vec<Stamp> = (0..5).map(|n| at(1, 10 * n)).collect();
        assert_eq!(wait(&failures[..4], &ACCOUNT, &at(1, 45)), None);
        let seconds = Duration::from_secs;
        assert_eq!(wait(&failures, &ACCOUNT, &at(1, 45)), Some(seconds(15)));
        assert_eq!(wait(&failures, &ACCOUNT, &at(1, 60)), None);
    }

    #[test]
    fn a_restart_forgives_nothing() {
        let failures: Vec<Stamp> = (0..20).map(|n| at(1, 100_000 + n)).collect();
        let seconds = Duration::from_secs;
        assert_eq!(wait(&failures, &ACCOUNT, &at(2, 5)), Some(seconds(3595)));
        assert_eq!(wait(&failures, &ACCOUNT, &at(2, 3600)), None);
    }

    proptest! {
        /// Whoever tries as fast as they are let does not get beyond the bounds.
        #[test]
        fn no_window_holds_more_than_its_bound(gaps in prop::collection::vec(0_u64..120, 1..200)) {
            let (mut now, mut failures) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if wait(&failures, &ACCOUNT, &at(1, now)).is_none() {
                    failures.push(at(1, now));
                }
            }
            for (most, window) in ACCOUNT {
                for first in &failures {
                    let within = failures.iter().filter(|it| {
                        it.since(first).is_some_and(|it| it < window)
                    });
                    prop_assert!(within.count() <= most);
                }
            }
        }

        /// After the time that was said, one more may be tried.
        #[test]
        fn the_wait_that_is_said_is_enough(times in prop::collection::vec(0_u64..7200, 0..60)) {
            let failures: Vec<Stamp> = times.iter().map(|it| at(1, *it)).collect();
            let now = at(1, 7200);
            if let Some(left) = wait(&failures, &ACCOUNT, &now) {
                let then = at(1, 7200 + left.as_secs());
                prop_assert_eq!(wait(&failures, &ACCOUNT, &then), None);
            }
        }
    }
}
