//! What is erased, and when: readings of people who were clear first, then events and alerts that are
//! settled, messages that are safe elsewhere, and the audit last. Never an alert without an outcome,
//! nor a message that waits or was put aside. Numbers of people stay, by the hour.
//!
//! Age is not left to a wall clock alone, which one wrong step would make erase everything. A row is
//! old where an event recorded at or after it is: by a wall clock that was right then and now, or
//! by how long the gateway has run since.
//!
//! Each transaction erases few rows, so that an alert which comes meanwhile is saved at once.

use super::error::StoreError;
use super::journal::SENT_TEMPLATE;
use super::row::{from_sql, to_sql};
use super::{Store, Upkeep, audit_chain, logbook};
use crate::clock::{ClockTrust, Stamp, WallTime};
use crate::id::Channel;
use crate::journal::{JournalError, SafeAt};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::time::Duration;

/// Rows erased in one transaction: some 10 ms on a card.
const AT_ONCE: u32 = 500;

impl Store {
    /// Erases what is old; gives how many rows.
    pub(super) fn erase_old(&self, rules: &Upkeep, now: &Stamp) -> Result<u64, JournalError> {
        self.note_run(now)?;
        let bound = |days: u32| self.read(|reader| older(reader, days, now));
        let mut erased = 0;
        let clear = bound(rules.keep_clear_days)?;
        erased += self.in_small_steps(|it| screenings(it, "verdict = 'clear'", clear))?;
        let events = bound(rules.keep_events_days)?;
        erased += self.in_small_steps(|it| screenings(it, "true", events))?;
        erased += self.in_small_steps(|it| settled_alerts(it, events))?;
        erased += self.in_small_steps(|it| done_commands(it, events))?;
        erased += self.in_small_steps(|it| other_events(it, events))?;
        let messages = bound(rules.keep_messages_days)?;
        erased += self.in_small_steps(|it| safe_messages(it, rules, messages))?;
        let audit = bound(rules.keep_audit_days)?;
        erased += self.in_small_steps(|it| audited(it, audit))?;
        erased += self.in_small_steps(|it| logbook::erase(it, audit, AT_ONCE))?;
        Ok(erased)
    }

    /// Notes how long this start has run.
    fn note_run(&self, now: &Stamp) -> Result<(), JournalError> {
        let boot = to_sql(self.inner.boot.0);
        self.write(|transaction| {
            transaction.execute(
                "UPDATE boot SET ran_ms = max(ran_ms, ?1) WHERE number = ?2",
                params![super::row::milliseconds(now.monotonic), boot],
            )?;
            Ok(())
        })
    }

    /// Repeats a step, each in a transaction of its own, until it finds nothing to erase.
    fn in_small_steps(
        &self,
        step: impl Fn(&Transaction<'_>) -> Result<usize, StoreError>,
    ) -> Result<u64, JournalError> {
        let mut erased = 0;
        loop {
            match self.write(&step)? {
                0 => return Ok(erased),
                rows => erased += rows as u64,
            }
            // Others wait for the writer, too.
            std::thread::yield_now();
        }
    }
}

/// The last event that is older than so many days; 0 where none is known to be.
fn older(reader: &Connection, days: u32, now: &Stamp) -> Result<i64, StoreError> {
    let by_run = older_by_run(reader, days, now)?;
    let by_wall = match now.trust {
        ClockTrust::Synchronised => reader
            .prepare_cached(
                "SELECT seq FROM event WHERE trust = 'synced' AND at_wall_ms < ?1
                 ORDER BY at_wall_ms DESC LIMIT 1",
            )?
            .query_row([now.wall.0 - i64::from(days) * WallTime::DAY_MS], |row| {
                row.get(0)
            })
            .optional()?,
        ClockTrust::Unsynchronised => None,
    };
    Ok(by_run.max(by_wall).unwrap_or(0))
}

/// The last event since which the gateway has run for so many days.
fn older_by_run(reader: &Connection, days: u32, now: &Stamp) -> Result<Option<i64>, StoreError> {
    let mut left = Duration::from_hours(24) * days;
    let mut run = now.monotonic;
    let mut boots = reader
        .prepare_cached("SELECT number, ran_ms FROM boot WHERE number < ?1 ORDER BY number DESC")?;
    let mut boots = boots.query([to_sql(now.boot.0)])?;
    let mut boot = to_sql(now.boot.0);
    while run < left {
        left -= run;
        let Some(earlier) = boots.next()? else {
            return Ok(None);
        };
        boot = earlier.get(0)?;
        run = Duration::from_millis(from_sql(earlier.get(1)?));
    }
    let latest = super::row::nanoseconds(run.saturating_sub(left));
    Ok(reader
        .prepare_cached(
            "SELECT seq FROM event WHERE (boot, at_monotonic_ns) <= (?1, ?2)
             ORDER BY boot DESC, at_monotonic_ns DESC LIMIT 1",
        )?
        .query_row([boot, latest], |row| row.get(0))
        .optional()?)
}

/// Screenings with their events, once they are counted.
fn screenings(transaction: &Transaction<'_>, which: &str, bound: i64) -> Result<usize, StoreError> {
    let seqs: Vec<i64> = transaction
        .prepare_cached(&format!(
            "SELECT seq FROM screening WHERE {which} AND seq <= ?1 ORDER BY seq LIMIT {AT_ONCE}"
        ))?
        .query_map([bound], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for seq in &seqs {
        transaction
            .prepare_cached(
                "INSERT INTO tally (hour_wall_ms, verdict, reason, people)
                 SELECT last_wall_ms - (last_wall_ms % 3600000 + 3600000) % 3600000, verdict,
                        coalesce(reason, ''), 1
                 FROM screening WHERE seq = ?1
                 ON CONFLICT (hour_wall_ms, verdict, reason) DO UPDATE SET people = people + 1",
            )?
            .execute([seq])?;
        for table in ["screening", "event"] {
            transaction
                .prepare_cached(&format!("DELETE FROM {table} WHERE seq = ?1"))?
                .execute([seq])?;
        }
    }
    Ok(seqs.len())
}

/// Alerts whose outcome was recorded long ago.
fn settled_alerts(transaction: &Transaction<'_>, bound: i64) -> Result<usize, StoreError> {
    Ok(transaction
        .prepare_cached(&format!(
            "DELETE FROM alert WHERE rowid IN (SELECT rowid FROM alert
                 WHERE state = 'resolved' AND resolved_seq <= ?1 LIMIT {AT_ONCE})"
        ))?
        .execute([bound])?)
}

/// Commands that were done long ago, but for lists that were sent: a site may be built on them.
fn done_commands(transaction: &Transaction<'_>, bound: i64) -> Result<usize, StoreError> {
    Ok(transaction
        .prepare_cached(&format!(
            "DELETE FROM command WHERE seq <= ?1 AND seq NOT IN (SELECT seq FROM event WHERE {SENT_TEMPLATE})"
        ))?
        .execute([bound])?)
}

/// Events, but for those that raised an alert or a fault which is still there, and commands that are kept.
fn other_events(transaction: &Transaction<'_>, bound: i64) -> Result<usize, StoreError> {
    Ok(transaction
        .prepare_cached(&format!(
            "DELETE FROM event WHERE seq IN (SELECT seq FROM event
                 WHERE seq <= ?1 AND seq NOT IN (SELECT raised_seq FROM alert)
                       AND seq NOT IN (SELECT seq FROM standing_fault)
                       AND seq NOT IN (SELECT seq FROM command)
                 ORDER BY seq LIMIT {AT_ONCE})"
        ))?
        .execute([bound])?)
}

/// Messages that are where they were to go.
fn safe_messages(
    transaction: &Transaction<'_>,
    rules: &Upkeep,
    bound: i64,
) -> Result<usize, StoreError> {
    // A notifier's server is the end of its way; the broker is where nobody collects.
    let broker_is_the_end = rules.broker_safe_at == SafeAt::Broker;
    Ok(transaction
        .prepare_cached(&format!(
            "DELETE FROM outbox WHERE (channel, number) IN (
                 SELECT channel, number FROM outbox
                 WHERE state IN ('accepted', 'received') AND seq <= ?1
                       AND (state = 'received' OR channel <> ?2 OR ?3)
                 LIMIT {AT_ONCE})"
        ))?
        .execute(params![
            bound,
            Channel::broker().as_str(),
            broker_is_the_end
        ])?)
}

/// The audit. Its chain begins at the link before the first row that is left.
fn audited(transaction: &Transaction<'_>, bound: i64) -> Result<usize, StoreError> {
    let erased = transaction
        .prepare_cached(&format!(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit
                 WHERE id <= (SELECT coalesce(max(id), 0) FROM audit WHERE seq <= ?1)
                 ORDER BY id LIMIT {AT_ONCE})"
        ))?
        .execute([bound])?;
    audit_chain::trim(transaction)?;
    Ok(erased)
}
