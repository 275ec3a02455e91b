//! What days add up to: people by verdict, how long alerts waited, how readings spread. Read from the
//! store, shown to whoever runs the building; the store stands behind it, and nobody here knows SQL.
//!
//! All calls block (a disk is behind them). A year of 5 000 people a day is read stretch by stretch, so
//! that nobody else waits for all of it.

use crate::alert::escalation::waited;
use crate::clock::{Stamp, WallTime};
use crate::journal::JournalError;
use std::time::Duration;

/// People by what the gateway said of them: class of the verdict, its reason, how many.
pub type Tally = Vec<(String, Option<String>, u64)>;

/// When an alert was raised, and when somebody first did something about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertTimes {
    /// When it was raised.
    pub raised: Stamp,
    /// When somebody took it, or recorded its outcome where nobody had taken it.
    pub taken: Option<Stamp>,
    /// Whether its outcome is recorded.
    pub resolved: bool,
}

/// How long alerts waited until somebody took them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Alerts that were raised.
    pub raised: usize,
    /// Of them nobody has taken so many yet.
    pub open: usize,
    /// Of them so many have no outcome yet.
    pub unresolved: usize,
    /// Half of those that were taken waited no longer; `None` where none was.
    pub median: Option<Duration>,
    /// The longest wait, of those that nobody has taken up to now.
    pub worst: Option<Duration>,
}

impl Waits {
    /// Of these alerts, as of now.
    #[must_use]
    pub fn of(alerts: &[AlertTimes], now: &Stamp) -> Self {
        let mut taken: Vec<Duration> = alerts
            .iter()
            .filter_map(|it| Some(waited(&it.raised, &it.taken?)))
            .collect();
        taken.sort_unstable();
        let waiting = alerts.iter().filter(|it| it.taken.is_none());
        let waiting = waiting.map(|it| waited(&it.raised, now)).max();
        Self {
            raised: alerts.len(),
            open: alerts.len() - taken.len(),
            unresolved: alerts.iter().filter(|it| !it.resolved).count(),
            // Of an even number the longer of the two in the middle: a wait that there was.
            median: taken.get(taken.len() / 2).copied(),
            worst: taken.last().copied().max(waiting),
        }
    }
}

/// What is added up.
pub trait Figures: Send + Sync {
    /// People in each stretch from one of these moments to the next, which ascend.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn people(&self, bounds: &[WallTime]) -> Result<Vec<Tally>, JournalError>;

    /// Alerts that were raised from one moment to another, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn alert_times(&self, from: WallTime, until: WallTime)
    -> Result<Vec<AlertTimes>, JournalError>;

    /// Estimates of body temperature from one moment to another, counted in steps of 0.1 °C
    /// ([`step_of`](crate::screening::operating::step_of)), lowest first. Those of people who were judged
    /// without a reference are no temperatures and not among them.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn estimates(&self, from: WallTime, until: WallTime) -> Result<Vec<(i64, u64)>, JournalError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust};

    fn at(seconds: i64) -> Stamp {
        Stamp {
            boot: BootId(1),
            monotonic: Duration::from_secs(seconds as u64),
            wall: WallTime(seconds * 1000),
            trust: ClockTrust::Synchronised,
        }
    }

    fn alert(raised: i64, taken: Option<i64>) -> AlertTimes {
        AlertTimes {
            raised: at(raised),
            taken: taken.map(at),
            resolved: false,
        }
    }

    #[test]
    fn who_waits_longest_counts_though_nobody_came() {
        let seconds = |it: Option<Duration>| it.map(|it| it.as_secs());
        let alerts = [
            alert(0, Some(10)),
            alert(100, Some(160)),
            alert(200, Some(230)),
            alert(300, None),
        ];
        let waits = Waits::of(&alerts, &at(1000));
        assert_eq!((waits.raised, waits.open, waits.unresolved), (4, 1, 4));
        assert_eq!(seconds(waits.median), Some(30));
        assert_eq!(seconds(waits.worst), Some(700));
        assert_eq!(seconds(Waits::of(&alerts[..2], &at(1000)).median), Some(60));
        assert_eq!(Waits::of(&[], &at(1)), Waits::default());
    }
}
