//! The outbox: messages that wait for the broker, oldest first.
//!
//! A row is kept after the broker has accepted it: that is not yet the street office's receipt.
//! Pruning on that receipt, parking of messages that a broker keeps refusing, and a bound on the
//! size are later issues.

use super::error::StoreError;
use super::row::{from_sql, to_sql, trust};
use super::{Store, journal};
use crate::clock::{BootId, Clock, Stamp, WallTime};
use crate::id::{EventKey, Sequence};
use crate::journal::{JournalError, Outbox, OutboxCount, OutboxMessage, OutboxRow};
use rusqlite::{Transaction, TransactionBehavior, params};
use std::time::Duration;

/// Longest payload, bytes. A message that a broker or the client refuses for its size would block
/// all that follow (thin-edge.io #4209), so it never gets in.
pub const MAX_PAYLOAD: usize = 8192;

/// Longest topic, bytes: the limit of MQTT's length field is far above; ours have 6 short parts.
const MAX_TOPIC: usize = 512;

/// Puts one message into the outbox, within the transaction of its event.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    seq: Sequence,
    message: &OutboxMessage,
) -> Result<(), JournalError> {
    let size = message.payload.len();
    if size > MAX_PAYLOAD {
        return Err(JournalError::Storage(format!(
            "the message for {} has {size} bytes, more than the {MAX_PAYLOAD} that go to a broker; \
             the event was not kept. Shorten what it carries",
            message.topic
        )));
    }
    let topic = &message.topic;
    if topic.is_empty() || topic.len() > MAX_TOPIC || topic.contains(['+', '#', '\0']) {
        return Err(JournalError::Storage(format!(
            "{topic:?} is no topic that can be published to; the event was not kept"
        )));
    }
    transaction
        .prepare_cached("INSERT INTO outbox (seq, topic, payload, retain) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut insert| {
            insert.execute(params![
                to_sql(seq.0),
                message.topic,
                message.payload,
                message.retain
            ])
        })
        .map_err(StoreError::from)?;
    Ok(())
}

impl Outbox for Store {
    fn waiting(&self, after_row: i64, limit: u32) -> Result<Vec<OutboxRow>, JournalError> {
        let reader = self.reader();
        let mut select = reader
            .prepare_cached(
                "SELECT o.row, o.seq, o.topic, o.payload, o.retain,
                        e.boot, e.at_monotonic_ns, e.at_wall_ms, e.trust
                 FROM outbox o JOIN event e ON e.seq = o.seq
                 WHERE o.state = 'saved' AND o.row > ?1 ORDER BY o.row LIMIT ?2",
            )
            .map_err(StoreError::from)?;
        let rows = select
            .query_map(params![after_row, limit], |row| {
                Ok(OutboxRow {
                    row: row.get(0)?,
                    key: EventKey {
                        epoch: self.epoch(),
                        seq: Sequence(from_sql(row.get(1)?)),
                    },
                    message: OutboxMessage {
                        topic: row.get(2)?,
                        payload: row.get(3)?,
                        retain: row.get(4)?,
                    },
                    at: Stamp {
                        boot: BootId(from_sql(row.get(5)?)),
                        monotonic: Duration::from_nanos(from_sql(row.get(6)?)),
                        wall: WallTime(row.get(7)?),
                        trust: trust(&row.get::<_, String>(8)?)
                            .map_err(|wrong| journal::unreadable(8, wrong))?,
                    },
                })
            })
            .and_then(Iterator::collect)
            .map_err(StoreError::from)?;
        Ok(rows)
    }

    fn accepted(&self, rows: &[i64]) -> Result<(), JournalError> {
        let now = self.inner.clock.now().wall.0;
        let mut writer = self.writer();
        let all = |writer: &mut rusqlite::Connection| -> rusqlite::Result<()> {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut update = transaction.prepare_cached(
                    "UPDATE outbox SET state = 'accepted', accepted_wall_ms = ?1
                     WHERE row = ?2 AND state = 'saved'",
                )?;
                for row in rows {
                    update.execute(params![now, row])?;
                }
            }
            transaction.commit()
        };
        all(&mut writer).map_err(StoreError::from)?;
        Ok(())
    }

    fn count(&self) -> Result<OutboxCount, JournalError> {
        let count = self
            .reader()
            .query_row(
                "SELECT count(*) FILTER (WHERE state = 'saved'),
                        count(*) FILTER (WHERE state = 'accepted') FROM outbox",
                [],
                |row| {
                    Ok(OutboxCount {
                        saved: from_sql(row.get(0)?),
                        accepted: from_sql(row.get(1)?),
                    })
                },
            )
            .map_err(StoreError::from)?;
        Ok(count)
    }
}
