//! Time as a value.
//!
//! A lobby device may have no clock battery and no network: it must order what happened, and say
//! how far its wall clock can be believed, without ever waiting for either. So each moment is a
//! [`Stamp`]: ordered by (boot, monotonic), shown by wall time, sent with its trust.
//!
//! This is the only module that asks the system for the time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Number of this start of the gateway, counted by its database from 1; 0 in a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub u64);

/// Milliseconds since 1970-01-01T00:00:00 UTC, as the wall clock has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub i64);

impl WallTime {
    /// Milliseconds of a day.
    pub const DAY_MS: i64 = 86_400_000;
}

/// Whether the wall clock can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrust {
    /// Set by the network's time in this run of the machine.
    Synchronised,
    /// Perhaps wrong: never set since the machine started.
    Unsynchronised,
}

impl ClockTrust {
    /// The word for it on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synchronised => "synced",
            Self::Unsynchronised => "unsynced",
        }
    }
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stamp {
    /// Which start of the gateway.
    pub boot: BootId,
    /// Time since that start; never runs backwards.
    pub monotonic: Duration,
    /// What the wall clock said; may jump.
    pub wall: WallTime,
    /// Whether to believe `wall`.
    pub trust: ClockTrust,
}

impl Stamp {
    /// Time from `earlier` to this moment; `None` where `earlier` lies in another boot or is later.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Duration> {
        (self.boot == earlier.boot)
            .then(|| self.monotonic.checked_sub(earlier.monotonic))
            .flatten()
    }

    /// The moment that lies so long before this one.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self {
            monotonic: self.monotonic.saturating_sub(by),
            wall: WallTime(self.wall.0.saturating_sub(milliseconds)),
            ..self
        }
    }
}

/// A source of moments.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Stamp;
}

/// The machine's clocks.
#[derive(Clone, Debug)]
pub struct SystemClock {
    boot: BootId,
    start: Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for the time"
)]
impl SystemClock {
    /// Starts counting monotonic time now.
    #[must_use]
    pub fn start(boot: BootId) -> Self {
        Self {
            boot,
            start: Instant::now(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for the time"
)]
impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        Stamp {
            boot: self.boot,
            monotonic: self.start.elapsed(),
            wall: WallTime(wall),
            trust: trust_of_the_system(),
        }
    }
}

/// systemd-timesyncd touches this file once the network's time was taken over.
fn trust_of_the_system() -> ClockTrust {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        ClockTrust::Synchronised
    } else {
        ClockTrust::Unsynchronised
    }
}

/// A clock that moves only when told: for tests and for simulated days.
#[derive(Clone, Debug)]
pub struct SimulatedClock {
    now: Arc<Mutex<Stamp>>,
}

impl SimulatedClock {
    /// Stands at this moment.
    #[must_use]
    pub fn at(stamp: Stamp) -> Self {
        Self {
            now: Arc::new(Mutex::new(stamp)),
        }
    }

    /// Lets time pass, on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.monotonic += by;
        now.wall.0 += i64::try_from(by.as_millis()).unwrap_or(0);
    }

    /// Steps the wall clock alone, as a network time server does.
    pub fn step_wall(&self, milliseconds: i64) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.wall.0 += milliseconds;
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Stamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_depend_on_the_wall_clock() {
        let clock = SimulatedClock::at(Stamp {
            boot: BootId(1),
            monotonic: Duration::ZERO,
            wall: WallTime(1_582_000_000_000),
            trust: ClockTrust::Unsynchronised,
        });
        let before = clock.now();
        clock.advance(Duration::from_secs(1));
        clock.step_wall(-86_400_000);
        let after = clock.now();
        assert_eq!(after.since(&before), Some(Duration::from_secs(1)));
        assert_eq!(before.since(&after), None);
        assert!(after.wall < before.wall);
    }

    #[test]
    fn moments_of_different_boots_have_no_distance() {
        let stamp = SystemClock::start(BootId(1)).now();
        assert_eq!(
            stamp.since(&Stamp {
                boot: BootId(2),
                ..stamp
            }),
            None
        );
    }
}
