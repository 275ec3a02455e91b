//! The outbox: messages that wait for the broker, oldest first.
//!
//! Each channel (the broker, a notifier) counts its messages from 1 without gaps; the number is
//! given out in the transaction of the event, and taken back with it. In a new epoch the count goes
//! on, so that a number names one message of the file; which numbers the new epoch never gives out
//! is told by an event (`epoch.rs`).

use super::error::StoreError;
use super::row::{Unreadable, from_sql, nanoseconds, to_sql};
use super::{Route, Store, journal};
use crate::clock::Clock;
use crate::event::Event;
use crate::id::{Channel, EventKey, MessageKey, MessageNumber, Sequence};
use crate::journal::{
    JournalError, Keep, Outbox, OutboxCount, OutboxMessage, OutboxRow, Receipt, SafeAt,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};

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
) -> Result<(), StoreError> {
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
    let at = what.at();
    transaction
        .prepare_cached(
            "INSERT INTO outbox (channel, number, epoch, seq, at_wall_ms, at_monotonic_ns, boot,
                                 trust, topic, payload, retain, keep)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            channel,
            to_sql(number.0),
            event.epoch.0,
            to_sql(event.seq.0),
            at.wall.0,
            nanoseconds(at.monotonic),
            to_sql(at.boot.0),
            at.trust.as_str(),
            message.topic,
            message.payload,
            message.retain,
            keep_word(message.keep)
        ])?;
    Ok(())
}

/// The broker's messages of a stretch go out again, whatever became of them before.
pub(super) fn put_back(
    transaction: &Transaction<'_>,
    from: MessageNumber,
    to: MessageNumber,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE outbox SET state = 'saved', refusals = 0, refused_why = NULL,
                accepted_wall_ms = NULL, received_wall_ms = NULL
         WHERE channel = ?1 AND number BETWEEN ?2 AND ?3",
        params![Channel::broker().as_str(), to_sql(from.0), to_sql(to.0)],
    )?;
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
        at: journal::stamp_of(row, 6)?,
    })
}

/// The messages of a channel that are to go out, by where they must come to be safe.
const fn waiting(until: SafeAt) -> &'static str {
    // Each is written so that SQLite uses the index of just these rows.
    match until {
        SafeAt::Broker => {
            "SELECT number, seq, topic, payload, retain, keep,
                    boot, at_monotonic_ns, at_wall_ms, trust
             FROM outbox WHERE channel = ?1 AND number > ?2 AND state = 'saved'
             ORDER BY number LIMIT ?3"
        }
        SafeAt::Street => {
            "SELECT number, seq, topic, payload, retain, keep,
                    boot, at_monotonic_ns, at_wall_ms, trust
             FROM outbox WHERE channel = ?1 AND number > ?2 AND state IN ('saved', 'accepted')
             ORDER BY number LIMIT ?3"
        }
    }
}

impl Outbox for Store {
    fn waiting(
        &self,
        channel: &Channel,
        until: SafeAt,
        after: MessageNumber,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, JournalError> {
        self.read(|reader| {
            let mut select = reader.prepare_cached(waiting(until))?;
            Ok(select
                .query_map(
                    params![channel.as_str(), to_sql(after.0), limit],
                    outbox_row,
                )?
                .collect::<Result<_, _>>()?)
        })
    }

    fn accepted(&self, channel: &Channel, numbers: &[MessageNumber]) -> Result<(), JournalError> {
        let now = self.inner.clock.now().wall.0;
        self.write(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE outbox SET state = 'accepted', accepted_wall_ms = ?1
                 WHERE channel = ?2 AND number = ?3 AND state = 'saved'",
            )?;
            for number in numbers {
                update.execute(params![now, channel.as_str(), to_sql(number.0)])?;
            }
            Ok(())
        })
    }

    fn received(&self, receipt: &Receipt) -> Result<(), JournalError> {
        let now = self.inner.clock.now().wall.0;
        let channel = Channel::broker();
        self.write(|transaction| {
            let given_out: Option<i64> = transaction
                .prepare_cached("SELECT last FROM channel WHERE name = ?1")?
                .query_row([channel.as_str()], |row| row.get(0))
                .optional()?;
            if receipt.up_to.0 > given_out.map_or(0, from_sql) {
                return Ok(());
            }
            // Of an epoch that is not ours, there is no row.
            let mut update = transaction.prepare_cached(
                "UPDATE outbox SET state = 'received', received_wall_ms = ?1
                 WHERE channel = ?2 AND number BETWEEN ?3 AND ?4 AND epoch = ?5
                       AND state IN ('saved', 'accepted')",
            )?;
            let mut first = 1;
            let end = (
                MessageNumber(receipt.up_to.0.saturating_add(1)),
                receipt.up_to,
            );
            for (gap, gap_end) in receipt.gaps.iter().chain([&end]) {
                let last = gap.0.saturating_sub(1).min(receipt.up_to.0);
                update.execute(params![
                    now,
                    channel.as_str(),
                    to_sql(first),
                    to_sql(last),
                    receipt.epoch.0
                ])?;
                first = gap_end.0.saturating_add(1);
            }
            Ok(())
        })
    }

    fn refused(
        &self,
        channel: &Channel,
        number: MessageNumber,
        why: &str,
    ) -> Result<bool, JournalError> {
        self.write(|transaction| {
            let parked = transaction
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
        })
    }

    fn count(&self, channel: &Channel) -> Result<OutboxCount, JournalError> {
        self.read(|reader| {
            let mut count = OutboxCount::default();
            let mut select = reader.prepare_cached(
                "SELECT state, sum(messages) FROM outbox_count WHERE channel = ?1 GROUP BY state",
            )?;
            let mut rows = select.query([channel.as_str()])?;
            while let Some(row) = rows.next()? {
                let messages = from_sql(row.get(1)?);
                match row.get_ref(0)?.as_str().unwrap_or_default() {
                    "saved" => count.saved = messages,
                    "accepted" => count.accepted = messages,
                    "received" => count.received = messages,
                    _ => count.parked = messages,
                }
            }
            Ok(count)
        })
    }
}
