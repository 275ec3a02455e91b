//! The outbox beyond its bound: what is of use only while it is new is given up first, then what
//! counts an hour; alerts, faults, ticks and reports never. What is given up is told by an event in
//! the same transaction, so that the receiver can explain each number that it lacks.

use super::epoch::told;
use super::error::StoreError;
use super::row::from_sql;
use super::{Store, Upkeep, journal};
use crate::clock::Stamp;
use crate::event::VoidReason;
use crate::id::{Channel, DeviceEpoch, MessageNumber};
use crate::journal::{JournalError, Recorded};
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;

/// Messages given up in one transaction, which an alert may have to wait for.
const AT_ONCE: u32 = 500;

/// What the outbox holds, of all channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Messages.
    pub(super) messages: u64,
    /// Bytes of their topics and payloads.
    pub(super) bytes: u64,
}

impl Held {
    /// Whether this is more than so many percent of the bound.
    pub(super) fn beyond(self, percent: u64, rules: &Upkeep) -> bool {
        let of = |bound: u64| bound / 100 * percent + bound % 100 * percent / 100;
        self.messages > of(rules.outbox_messages) || self.bytes > of(rules.outbox_bytes)
    }
}

impl Store {
    /// What the outbox holds.
    pub(super) fn held(&self) -> Result<Held, JournalError> {
        self.read(held)
    }

    /// Gives up what may be given up, until a tenth of the bound is free again.
    pub(super) fn shed(&self, rules: &Upkeep, at: Stamp) -> Result<Vec<Recorded>, JournalError> {
        let mut recorded = Vec::new();
        if !self.held()?.beyond(100, rules) {
            return Ok(recorded);
        }
        while self.held()?.beyond(90, rules) {
            let (given_up, events) = self.write(|it| self.give_up(it, at))?;
            recorded.extend(events);
            if given_up == 0 {
                break;
            }
        }
        Ok(recorded)
    }

    /// One step: first what the street has received already, then by [`crate::journal::Keep`].
    fn give_up(
        &self,
        transaction: &Transaction<'_>,
        at: Stamp,
    ) -> Result<(usize, Vec<Recorded>), StoreError> {
        let received = transaction.execute(
            &format!(
                "DELETE FROM outbox WHERE (channel, number) IN (
                     SELECT channel, number FROM outbox WHERE state = 'received'
                     LIMIT {AT_ONCE})"
            ),
            [],
        )?;
        if received > 0 {
            return Ok((received, Vec::new()));
        }
        let mut given_up = 0;
        let mut numbers: BTreeMap<(String, String), Vec<i64>> = BTreeMap::new();
        for keep in ["live", "hourly"] {
            let mut select = transaction.prepare_cached(&format!(
                "SELECT channel, epoch, number FROM outbox WHERE keep = ?1
                 ORDER BY seq LIMIT {AT_ONCE}"
            ))?;
            let mut rows = select.query([keep])?;
            while let Some(row) = rows.next()? {
                let of = numbers.entry((row.get(0)?, row.get(1)?)).or_default();
                of.push(row.get(2)?);
                given_up += 1;
            }
            if given_up > 0 {
                break;
            }
        }
        let mut events = Vec::new();
        for ((channel, epoch), mut numbers) in numbers {
            for number in &numbers {
                transaction
                    .prepare_cached("DELETE FROM outbox WHERE channel = ?1 AND number = ?2")?
                    .execute(params![channel, number])?;
            }
            numbers.sort_unstable();
            events.extend(told(
                &Channel::named(channel),
                &DeviceEpoch(epoch),
                &stretches(&numbers),
                VoidReason::Shed,
                at,
            ));
        }
        let recorded = journal::record(
            transaction,
            &self.inner.routes,
            self.inner.epochs.now(),
            &events,
        )?;
        Ok((given_up, recorded))
    }
}

fn held(reader: &Connection) -> Result<Held, StoreError> {
    Ok(reader.query_row(
        "SELECT coalesce(sum(messages), 0), coalesce(sum(bytes), 0) FROM outbox_count",
        [],
        |row| {
            Ok(Held {
                messages: from_sql(row.get(0)?),
                bytes: from_sql(row.get(1)?),
            })
        },
    )?)
}

/// Ascending numbers as stretches without a gap.
fn stretches(numbers: &[i64]) -> Vec<(MessageNumber, MessageNumber)> {
    numbers
        .chunk_by(|a, b| a + 1 == *b)
        .filter_map(|stretch| Some((stretch.first()?, stretch.last()?)))
        .map(|(first, last)| {
            (
                MessageNumber(from_sql(*first)),
                MessageNumber(from_sql(*last)),
            )
        })
        .collect()
}
