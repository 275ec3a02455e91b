//! The outbox: messages that wait for the broker, oldest first.
//!
//! Each channel (the broker, a notifier) counts its messages from 1 without gaps; the number is
//! given out in the transaction of the event, and taken back with it.

use super::row::{Unreadable, from_sql, to_sql, trust};
use super::{Route, Store, journal};
use crate::clock::{BootId, Clock, Stamp, WallTime};
use crate::event::Event;
use crate::id::{Channel, EventKey, MessageKey, MessageNumber, Sequence};
use crate::journal::{
    JournalError, Keep, Outbox, OutboxCount, OutboxMessage, OutboxRow, Receipt, SafeAt,
};
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::time::Duration;

/// Longest payload, bytes. A message that a broker or the client refuses for its size would block
/// all that follow (thin-edge.io #4209), so it never gets in.
pub const MAX_PAYLOAD: usize = 8192;

/// Longest topic, bytes: the limit of MQTT's length field is far above; ours have 6 short parts.
const MAX_TOPIC: usize = 512;

/// Refusals of one message after which it is put aside, so that those behind it go on.
const PARKED_AFTER: u32 = 3;

/// Puts the message that this event causes in this channel into the outbox, within the transaction
/// of the event.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    route: &Route,
    event: &EventKey,
    what: &Event,
) -> Result<(), JournalError> {
    let channel = route.channel.as_str();
    let last: Option<i64> = transaction
        .prepare_cached("SELECT last FROM channel WHERE name = ?1")?
        .query_row([channel], |row| row.get(0))
        .optional()?;
    let number = MessageNumber(last.map_or(0, from_sql) + 1);
    let key = MessageKey {
        epoch: event.epoch.clone(),
        number,
    };
    let Some(message) = (route.address)(&key, what) else {
        return Ok(());
    };
    check(&message)?;
    transaction
        .prepare_cached(
            "INSERT INTO channel (name, last) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET last = excluded.last",
        )?
        .execute(params![channel, to_sql(number.0)])?;
    transaction
        .prepare_cached(
            "INSERT INTO outbox (channel, number, seq, topic, payload, retain, keep)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            channel,
            to_sql(number.0),
            to_sql(event.seq.0),
            message.topic,
            message.payload,
            message.retain,
            keep_word(message.keep)
        ])?;
    Ok(())
}

/// Whether a broker would take it.
fn check(message: &OutboxMessage) -> Result<(), JournalError> {
    let (topic, size) = (&message.topic, message.payload.len());
    if size > MAX_PAYLOAD {
        return Err(JournalError::Storage(format!(
            "the message for {topic} has {size} bytes, more than the {MAX_PAYLOAD} that go to a \
             broker; the event was not kept. Shorten what it carries"
        )));
    }
    if topic.is_empty() || topic.len() > MAX_TOPIC || topic.contains(['+', '#', '\0']) {
        return Err(JournalError::Storage(format!(
            "{topic:?} is no topic that can be published to; the event was not kept"
        )));
    }
    Ok(())
}

/// The word in the database.
const fn keep_word(keep: Keep) -> &'static str {
    match keep {
        Keep::Live => "live",
        Keep::Hourly => "hourly",
        Keep::Always => "always",
    }
}

/// The inverse of [`keep_word`].
fn keep(word: &str) -> Result<Keep, Unreadable> {
    [Keep::Live, Keep::Hourly, Keep::Always]
        .into_iter()
        .find(|keep| keep_word(*keep) == word)
        .ok_or_else(|| Unreadable(format!("{word:?} is no word for what may be given up")))
}

/// Reads one row of `waiting`.
fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        number: MessageNumber(from_sql(row.get(0)?)),
        event: Sequence(from_sql(row.get(1)?)),
        message: OutboxMessage {
            topic: row.get(2)?,
            payload: row.get(3)?,
            retain: row.get(4)?,
            keep: keep(&row.get::<_, String>(5)?).map_err(|wrong| journal::unreadable(5, wrong))?,
        },
        at: Stamp {
            boot: BootId(from_sql(row.get(6)?)),
            monotonic: Duration::from_nanos(from_sql(row.get(7)?)),
            wall: WallTime(row.get(8)?),
            trust: trust(&row.get::<_, String>(9)?)
                .map_err(|wrong| journal::unreadable(9, wrong))?,
        },
    })
}

impl Outbox for Store {
    fn waiting(
        &self,
        channel: &Channel,
        until: SafeAt,
        after: MessageNumber,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, JournalError> {
        let reader = self.reader();
        let mut select = reader.prepare_cached(
            "SELECT o.number, o.seq, o.topic, o.payload, o.retain, o.keep,
                    e.boot, e.at_monotonic_ns, e.at_wall_ms, e.trust
             FROM outbox o JOIN event e ON e.seq = o.seq
             WHERE o.channel = ?1 AND o.number > ?2 AND o.state IN ('saved', 'accepted')
                   AND (o.state = 'saved' OR ?3)
             ORDER BY o.number LIMIT ?4",
        )?;
        let unreceived = until == SafeAt::Street;
        let rows = select
            .query_map(
                params![channel.as_str(), to_sql(after.0), unreceived, limit],
                outbox_row,
            )?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    fn accepted(&self, channel: &Channel, numbers: &[MessageNumber]) -> Result<(), JournalError> {
        let now = self.inner.clock.now().wall.0;
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE outbox SET state = 'accepted', accepted_wall_ms = ?1
                 WHERE channel = ?2 AND number = ?3 AND state = 'saved'",
            )?;
            for number in numbers {
                update.execute(params![now, channel.as_str(), to_sql(number.0)])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn received(&self, receipt: &Receipt) -> Result<(), JournalError> {
        if receipt.epoch != self.epoch() {
            return Ok(());
        }
        let now = self.inner.clock.now().wall.0;
        let channel = Channel::broker();
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE outbox SET state = 'received', received_wall_ms = ?1
                 WHERE channel = ?2 AND number BETWEEN ?3 AND ?4
                       AND state IN ('saved', 'accepted')",
            )?;
            let mut first = 1;
            let end = (
                MessageNumber(receipt.up_to.0.saturating_add(1)),
                receipt.up_to,
            );
            for (gap, gap_end) in receipt.gaps.iter().chain([&end]) {
                let last = gap.0.saturating_sub(1).min(receipt.up_to.0);
                update.execute(params![now, channel.as_str(), to_sql(first), to_sql(last)])?;
                first = gap_end.0.saturating_add(1);
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn refused(
        &self,
        channel: &Channel,
        number: MessageNumber,
        why: &str,
    ) -> Result<bool, JournalError> {
        let writer = self.writer();
        let parked = writer
            .query_row(
                "UPDATE outbox SET refusals = refusals + 1, refused_why = ?1,
                        state = CASE WHEN refusals + 1 >= ?2 THEN 'parked' ELSE state END
                 WHERE channel = ?3 AND number = ?4 AND state IN ('saved', 'accepted')
                 RETURNING state = 'parked'",
                params![why, PARKED_AFTER, channel.as_str(), to_sql(number.0)],
                |row| row.get(0),
            )
            .optional()?;
        Ok(parked.unwrap_or(false))
    }

    fn count(&self, channel: &Channel) -> Result<OutboxCount, JournalError> {
        let count = self.reader().query_row(
            "SELECT count(*) FILTER (WHERE state = 'saved'),
                    count(*) FILTER (WHERE state = 'accepted'),
                    count(*) FILTER (WHERE state = 'received'),
                    count(*) FILTER (WHERE state = 'parked')
             FROM outbox WHERE channel = ?1",
            [channel.as_str()],
            |row| {
                Ok(OutboxCount {
                    saved: from_sql(row.get(0)?),
                    accepted: from_sql(row.get(1)?),
                    received: from_sql(row.get(2)?),
                    parked: from_sql(row.get(3)?),
                })
            },
        )?;
        Ok(count)
    }
}
