//! Which database this is. A UUID is made with it, and is half of every key that leaves the
//! building; the other half is a number. Where numbers could be given out twice, because the file
//! is a copy that was restored or was salvaged from a damaged one, a new epoch begins, and the next
//! start of the gateway gets a number far above the last, so that ids of alerts do not come twice
//! either.
//!
//! How a copy is known: backups carry a row in `copy`; any other copy has another inode than the
//! last start noted (a file system that keeps no inodes, such as FAT, begins an epoch with every
//! mount, which does no harm).
//!
//! Messages that wait keep the key under which they were made: the receiver may have them already.

use super::error::StoreError;
use super::migrate::CURRENT;
use super::row::{from_sql, to_sql};
use super::{Route, journal};
use crate::clock::{BootId, Clock, Stamp, SystemClock};
use crate::event::{Event, Fault, VoidNumbers, VoidReason};
use crate::id::{Channel, DeviceEpoch, MessageNumber, Sequence};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

/// The number of starts leaps by this and up to 2^20 more: above what a gateway starts in years,
/// and so that two restored copies of one backup do not meet.
const LEAP: u64 = 10_000;

/// The epochs of a database, each with its first event, oldest first.
pub(super) struct Epochs(Vec<(Sequence, DeviceEpoch)>);

impl Epochs {
    /// The present one.
    pub(super) fn now(&self) -> &DeviceEpoch {
        &self.0[self.0.len() - 1].1
    }

    /// The one in which this event was recorded.
    pub(super) fn of(&self, seq: Sequence) -> DeviceEpoch {
        let after = self.0.partition_point(|(first, _)| *first <= seq);
        self.0[after.saturating_sub(1)].1.clone()
    }
}

/// Counts this start, and begins an epoch where one is needed. `before` is the epoch that the
/// folder had, as far as anything beside the database knows.
pub(super) fn count_start(
    connection: &mut Connection,
    routes: &[Route],
    inode: i64,
    before: Option<&DeviceEpoch>,
) -> Result<(Epochs, BootId), StoreError> {
    let now = SystemClock::start(BootId(0)).now();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let begun = begin(&transaction, inode, &now)?;
    let version = env!("CARGO_PKG_VERSION");
    transaction.execute(
        "INSERT INTO boot (started_wall_ms, started_trust, version, schema, inode)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![now.wall.0, now.trust.as_str(), version, CURRENT, inode],
    )?;
    let boot = BootId(from_sql(transaction.last_insert_rowid()));
    let at = Stamp { boot, ..now };
    journal::audit(
        &transaction,
        None,
        journal::GATEWAY,
        "gateway_started",
        version,
        &at,
    )?;
    let epochs = epochs(&transaction)?;
    if let Some((why, note)) = begun {
        tracing::warn!(epoch = epochs.now().0, why, "a new epoch begins: {note}");
        journal::audit(&transaction, None, journal::GATEWAY, why, &note, &at)?;
        let mut events = void_numbers(&transaction, &epochs, before, at)?;
        if why == "salvaged" {
            let fault = Fault::DatabaseSalvaged;
            events.insert(0, Event::FaultRaised { fault, at });
        }
        journal::record(&transaction, routes, epochs.now(), &events)?;
    }
    transaction.commit()?;
    Ok((epochs, boot))
}

/// Begins an epoch where there is none, or where this file is a copy; gives why, and what there
/// is to say of it, where there was one before.
fn begin(
    transaction: &Transaction<'_>,
    inode: i64,
    now: &Stamp,
) -> Result<Option<(&'static str, String)>, StoreError> {
    let copy: Option<(String, String)> = transaction
        .query_row("SELECT why, note FROM copy", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let last_inode: Option<i64> = transaction
        .query_row(
            "SELECT inode FROM boot ORDER BY number DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let made: bool = transaction.query_row("SELECT count(*) = 0 FROM epoch", [], |r| r.get(0))?;
    let (why, note) = match copy {
        Some((why, note)) if why == "salvaged" => ("salvaged", note),
        Some((_, note)) => ("restored", note),
        None if made => ("made", String::new()),
        None if last_inode.is_some_and(|last| last != inode) => {
            ("restored", "the file was copied to where it is now".into())
        }
        None => return Ok(None),
    };
    transaction.execute("DELETE FROM copy", [])?;
    // Whoever was signed in when the copy was made may have been sent away since.
    transaction.execute("DELETE FROM session", [])?;
    let first: i64 = transaction.query_row(
        "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'event'",
        [],
        |row| row.get(0),
    )?;
    transaction.execute(
        "INSERT INTO epoch (id, first_seq, began_wall_ms, why) VALUES (?1, ?2, ?3, ?4)",
        params![uuid::Uuid::new_v4().to_string(), first, now.wall.0, why],
    )?;
    if why == "made" {
        return Ok(None);
    }
    let leap = LEAP + (uuid::Uuid::new_v4().as_u128() & 0xf_ffff) as u64;
    let leapt = transaction.execute(
        "UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name = 'boot'",
        [to_sql(leap)],
    )?;
    if leapt == 0 {
        transaction.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('boot', ?1)",
            [to_sql(leap)],
        )?;
    }
    Ok(Some((why, note)))
}

/// Every epoch of the database.
fn epochs(connection: &Connection) -> Result<Epochs, StoreError> {
    let mut select = connection.prepare("SELECT first_seq, id FROM epoch ORDER BY number")?;
    let epochs: Vec<_> = select
        .query_map([], |row| {
            Ok((Sequence(from_sql(row.get(0)?)), DeviceEpoch(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    if epochs.is_empty() {
        return Err(StoreError::Row("there is no epoch".to_owned()));
    }
    Ok(Epochs(epochs))
}

/// What a receiver need not wait for: of the earlier epochs every number that no message here has,
/// of the new one those that the earlier ones gave out.
fn void_numbers(
    transaction: &Transaction<'_>,
    epochs: &Epochs,
    before: Option<&DeviceEpoch>,
    at: Stamp,
) -> Result<Vec<Event>, StoreError> {
    let mut earlier: Vec<&DeviceEpoch> = epochs.0.iter().map(|(_, epoch)| epoch).collect();
    earlier.pop();
    if let Some(before) = before
        && !earlier.contains(&before)
    {
        earlier.push(before);
    }
    let channels: Vec<(Channel, u64)> = transaction
        .prepare("SELECT name, last FROM channel ORDER BY name")?
        .query_map([], |row| {
            Ok((Channel::named(row.get(0)?), from_sql(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    let mut events = Vec::new();
    for (channel, last) in channels {
        for epoch in &earlier {
            let kept: Vec<u64> = transaction
                .prepare(
                    "SELECT number FROM outbox WHERE channel = ?1 AND epoch = ?2 ORDER BY number",
                )?
                .query_map(params![channel.as_str(), epoch.0], |row| {
                    Ok(from_sql(row.get(0)?))
                })?
                .collect::<Result<_, _>>()?;
            events.extend(told(
                &channel,
                epoch,
                &between(&kept),
                VoidReason::NewEpoch,
                at,
            ));
        }
        if last > 0 {
            let never = [(MessageNumber(1), MessageNumber(last))];
            events.extend(told(
                &channel,
                epochs.now(),
                &never,
                VoidReason::NewEpoch,
                at,
            ));
        }
    }
    Ok(events)
}

/// The stretches from 1 to the end that these ascending numbers leave.
fn between(kept: &[u64]) -> Vec<(MessageNumber, MessageNumber)> {
    let mut stretches = Vec::new();
    let mut first = 1;
    for number in kept {
        if *number > first {
            stretches.push((MessageNumber(first), MessageNumber(number - 1)));
        }
        first = number.saturating_add(1);
    }
    stretches.push((MessageNumber(first), MessageNumber(u64::MAX)));
    stretches
}

/// The events that tell of these stretches, each as long as its message may be.
pub(super) fn told(
    channel: &Channel,
    epoch: &DeviceEpoch,
    stretches: &[(MessageNumber, MessageNumber)],
    why: VoidReason,
    at: Stamp,
) -> Vec<Event> {
    stretches
        .chunks(VoidNumbers::MOST)
        .map(|stretches| Event::NumbersVoid {
            numbers: VoidNumbers {
                channel: channel.clone(),
                epoch: epoch.clone(),
                stretches: stretches.to_vec(),
                why,
            },
            at,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_void() {
        let numbers = |kept: &[u64]| -> Vec<(u64, u64)> {
            between(kept).iter().map(|(a, b)| (a.0, b.0)).collect()
        };
        assert_eq!(numbers(&[]), [(1, u64::MAX)]);
        assert_eq!(numbers(&[1, 2, 5]), [(3, 4), (6, u64::MAX)]);
        assert_eq!(numbers(&[3]), [(1, 2), (4, u64::MAX)]);
    }
}
