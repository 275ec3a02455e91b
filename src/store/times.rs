//! The times of this start, once the wall clock can be believed.
//!
//! A device without a clock battery begins with a wrong wall clock, and screens all the same. Each moment carries
//! how long the gateway had run by then; so when the network has set the clock, the wall time of everything in
//! this start is known after all. What is derived from the events (alerts, screenings: what pages and reports
//! count by) gets it. The events themselves stay as they were told to others, with the word that their clock was
//! not set; of earlier starts that never saw the network, nothing can be known.

use super::error::StoreError;
use super::row::to_sql;
use super::{Store, journal};
use crate::clock::{ClockTrust, Stamp, WallTime};
use crate::journal::JournalError;
use rusqlite::{Transaction, params};
use std::time::Duration;

/// How long it is looked for events from before, after the clock was set: they may have waited for the disk.
const STRAGGLERS: Duration = Duration::from_mins(5);

/// The wall clock of this start, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct WallZero {
    /// When the clock was first seen to be set.
    seen: Option<Stamp>,
    done: bool,
}

impl WallZero {
    /// The wall time at which this start began, where there may be something to set by it.
    fn now(&mut self, now: &Stamp) -> Option<WallTime> {
        if self.done || now.trust != ClockTrust::Synchronised {
            return None;
        }
        let seen = *self.seen.get_or_insert(*now);
        self.done = now.since(&seen).is_none_or(|it| it >= STRAGGLERS);
        Some(seen.before(seen.monotonic).wall)
    }
}

impl Store {
    /// Sets the times of this start's alerts and screenings that were recorded before the clock was set.
    pub(super) fn set_times(&self, zero: &mut WallZero, now: &Stamp) -> Result<(), JournalError> {
        let Some(began) = zero.now(now) else {
            return Ok(());
        };
        let set = self.write(|transaction| {
            let set = set(transaction, to_sql(self.inner.boot.0), began)?;
            if set > 0 {
                let rows = set.to_string();
                let who = journal::GATEWAY;
                journal::audit(transaction, None, who, "times_set", &rows, now)?;
            }
            Ok(set)
        })?;
        if set > 0 {
            tracing::info!(
                rows = set,
                "the clock was set: so are the times from before"
            );
        }
        Ok(())
    }
}

fn set(transaction: &Transaction<'_>, boot: i64, began: WallTime) -> Result<usize, StoreError> {
    let alerts = transaction.execute(
        "UPDATE alert SET raised_wall_ms = ?2 + raised_monotonic_ns / 1000000, raised_trust = 'synced'
         WHERE raised_boot = ?1 AND raised_trust = 'unsynced'",
        params![boot, began.0],
    )?;
    let screenings = transaction.execute(
        "UPDATE screening SET last_wall_ms = ?2 + e.at_monotonic_ns / 1000000
         FROM event e WHERE e.seq = screening.seq AND e.boot = ?1 AND e.trust = 'unsynced'
              AND screening.last_wall_ms <> ?2 + e.at_monotonic_ns / 1000000",
        params![boot, began.0],
    )?;
    Ok(alerts + screenings)
}
