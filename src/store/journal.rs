//! The journal: events in one transaction with all that follows from them, and what is read back.
//!
//! Acknowledging and resolving are decided here, inside the transaction, by the core's own
//! transitions: two people who tap at once cannot both have taken an alert.

use super::error::StoreError;
use super::event_row::EventRow;
use super::row::{
    OutcomeRow, ReadingRow, StampRow, Unreadable, celsius, from_sql, json, nanoseconds, parsed,
    to_sql, trust,
};
use super::{Route, Store, outbox, unfinished};
use crate::alert::{Alert, AlertState, Outcome, Refused};
use crate::clock::{BootId, Stamp, WallTime};
use crate::command::{Asked, Command, Notice};
use crate::estimate::{Basis, Reading};
use crate::event::Event;
use crate::id::{AlertId, DeviceEpoch, EventKey, Sequence, TrackId};
use crate::journal::{Journal, JournalError, MOST_NOTICES, Recorded, Unfinished};
use crate::screening::Screening;
use crate::thermal::self_check::Complaint;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::collections::BTreeMap;
use std::time::Duration;

/// Whether an event is a version of a list that was sent.
pub(super) const SENT_TEMPLATE: &str =
    "seq IN (SELECT seq FROM command) AND body ->> 'what' = 'template'";

/// Who acted where no person did.
pub(super) const GATEWAY: &str = "gateway";

/// An act that somebody may have to answer for.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The event in which it was done, where it was one.
    pub seq: Option<Sequence>,
    /// Who.
    pub who: String,
    /// What: a word.
    pub what: String,
    /// To what.
    pub subject: String,
    /// When.
    pub at: Stamp,
}

/// Columns of an alert, in the order in which [`alert_of`] reads them.
pub(super) const ALERT_COLUMNS: &str = "boot, track, raised_boot, raised_monotonic_ns, raised_wall_ms, \
     raised_trust, reading, threshold_c, state, acknowledged_by, acknowledged_at, resolved_by, \
     resolved_at, outcome";

/// A value in the database that the row types refuse.
pub(super) fn unreadable(column: usize, wrong: Unreadable) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, wrong.0.into())
}

impl Journal for Store {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>, JournalError> {
        self.write(|transaction| record(transaction, &self.inner.routes, &self.epoch(), events))
    }

    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, JournalError> {
        self.read(|reader| {
            let mut select = reader.prepare_cached(&format!(
                "SELECT {ALERT_COLUMNS} FROM alert
                 ORDER BY state = 'resolved', raised_seq DESC LIMIT ?1"
            ))?;
            Ok(select
                .query_map([limit], alert_of)?
                .collect::<Result<_, _>>()?)
        })
    }

    fn alert(&self, id: AlertId) -> Result<Alert, JournalError> {
        self.read(|reader| load(reader, id))
    }

    fn tally(
        &self,
        since_wall_ms: i64,
        unsaved: &[Screening],
    ) -> Result<Vec<(String, Option<String>, u64)>, JournalError> {
        self.read(|reader| {
            // What is saved meanwhile is not seen, or it would be counted twice.
            let reader = reader.unchecked_transaction()?;
            let mut select = reader.prepare_cached(
                "SELECT verdict, nullif(reason, ''), sum(people) FROM (
                     SELECT verdict, coalesce(reason, '') AS reason, count(*) AS people
                     FROM screening WHERE last_wall_ms >= ?1 GROUP BY 1, 2
                     UNION ALL
                     SELECT verdict, reason, people FROM tally WHERE hour_wall_ms >= ?1)
                 GROUP BY verdict, reason ORDER BY verdict, reason",
            )?;
            let saved = select.query_map([since_wall_ms], |row| {
                Ok(((row.get(0)?, row.get(1)?), from_sql(row.get(2)?)))
            })?;
            let mut tally: BTreeMap<(String, Option<String>), u64> =
                saved.collect::<Result<_, _>>()?;
            let mut known = reader.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM screening WHERE boot = ?1 AND track = ?2)",
            )?;
            for it in unsaved
                .iter()
                .filter(|it| it.last.stamp.wall.0 >= since_wall_ms)
            {
                let id = params![to_sql(it.id.boot.0), to_sql(it.id.track.0)];
                if !known.query_row(id, |row| row.get(0))? {
                    let reason = it.verdict.reason().map(str::to_owned);
                    *tally
                        .entry((it.verdict.as_str().to_owned(), reason))
                        .or_default() += 1;
                }
            }
            let flat = |((verdict, reason), people)| (verdict, reason, people);
            Ok(tally.into_iter().map(flat).collect())
        })
    }

    fn since(&self, event: Option<Sequence>, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        let Some(event) = event else {
            let newest = self.read(|reader| Ok(newest(reader)?))?;
            return self.events(Sequence(newest.saturating_sub(1)), 1);
        };
        self.events(event, limit)
    }

    fn notices(&self, at_wall_ms: i64) -> Result<Vec<Notice>, JournalError> {
        // Commands are few: no column of their own for what one kind of them says.
        self.read(|reader| {
            let mut select = reader.prepare_cached(
                "SELECT body FROM command JOIN event USING (seq)
                 WHERE body ->> 'what' = 'notice' ORDER BY seq DESC",
            )?;
            let mut rows = select.query([])?;
            let mut notices = Vec::new();
            while let (Some(row), true) = (rows.next()?, notices.len() < MOST_NOTICES) {
                if let Event::Commanded { asked, .. } =
                    parsed::<EventRow, Event>(&row.get::<_, String>(0)?)?
                    && let Command::Notice(it) = asked.command
                    && (it.begins.0..it.ends.0).contains(&at_wall_ms)
                {
                    notices.push(it);
                }
            }
            Ok(notices)
        })
    }

    fn unfinished(&self) -> Result<Unfinished, JournalError> {
        self.read(unfinished::read)
    }
}

/// As [`Store::sent_templates`].
pub(super) fn sent_templates(reader: &Connection) -> rusqlite::Result<Vec<String>> {
    reader
        .prepare_cached(&format!(
            "SELECT body ->> 'template' FROM event WHERE {SENT_TEMPLATE} ORDER BY seq"
        ))?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// The number of the newest event; 0 where there is none.
fn newest(reader: &Connection) -> rusqlite::Result<u64> {
    reader
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM event")?
        .query_row([], |row| Ok(from_sql(row.get(0)?)))
}

impl Store {
    /// The texts of the versions of lists that the street office has sent, oldest first. They stay however old
    /// they are: a site's file may be built on one.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn sent_templates(&self) -> Result<Vec<String>, JournalError> {
        self.read(|reader| Ok(sent_templates(reader)?))
    }

    /// Events after this one, oldest first: for whoever joins late or was away. A number in them
    /// may differ from what was recorded in the last of 17 places (JSON is read that way); alerts
    /// read through [`Journal::alert`] do not.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn events(&self, after: Sequence, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        self.read(|reader| {
            let mut select = reader.prepare_cached(
                "SELECT seq, body FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = select.query(params![to_sql(after.0), limit])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                let seq = Sequence(from_sql(row.get(0)?));
                events.push(Recorded {
                    key: EventKey {
                        epoch: self.inner.epochs.of(seq),
                        seq,
                    },
                    event: parsed::<EventRow, Event>(&row.get::<_, String>(1)?)?,
                });
            }
            Ok(events)
        })
    }

    /// Keeps what somebody did that is no event: a row of the audit for each thing it was done to.
    ///
    /// # Errors
    /// Where the store cannot be written; then none is kept.
    pub fn note_acts(
        &self,
        who: &str,
        what: &str,
        subjects: &[String],
        at: &Stamp,
    ) -> Result<(), JournalError> {
        self.write(|transaction| {
            for subject in subjects {
                audit(transaction, None, who, what, subject, at)?;
            }
            Ok(())
        })
    }

    /// The audit, newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, JournalError> {
        self.read(|reader| {
            let mut select = reader.prepare_cached(
                "SELECT boot, at_monotonic_ns, at_wall_ms, trust, seq, who, what, subject
                 FROM audit ORDER BY id DESC LIMIT ?1",
            )?;
            Ok(select
                .query_map([limit], |row| {
                    Ok(AuditEntry {
                        at: stamp_of(row, 0)?,
                        seq: row
                            .get::<_, Option<i64>>(4)?
                            .map(|seq| Sequence(from_sql(seq))),
                        who: row.get(5)?,
                        what: row.get(6)?,
                        subject: row.get(7)?,
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
    }
}

/// Writes the events with all that follows from them, within a transaction.
pub(super) fn record(
    transaction: &Transaction<'_>,
    routes: &[Route],
    epoch: &DeviceEpoch,
    events: &[Event],
) -> Result<Vec<Recorded>, StoreError> {
    let mut recorded = Vec::with_capacity(events.len());
    for event in events {
        let key = EventKey {
            epoch: epoch.clone(),
            seq: append(transaction, event)?,
        };
        project(transaction, key.seq, event)?;
        for route in routes {
            outbox::enqueue(transaction, route, &key, event)?;
        }
        recorded.push(Recorded {
            key,
            event: event.clone(),
        });
    }
    Ok(recorded)
}

/// Writes the event's own row.
fn append(transaction: &Transaction<'_>, event: &Event) -> Result<Sequence, StoreError> {
    let at = event.at();
    transaction
        .prepare_cached(
            "INSERT INTO event (kind, at_wall_ms, at_monotonic_ns, boot, trust, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            event.kind(),
            at.wall.0,
            nanoseconds(at.monotonic),
            to_sql(at.boot.0),
            at.trust.as_str(),
            json(&EventRow::from(event))?
        ])?;
    Ok(Sequence(from_sql(transaction.last_insert_rowid())))
}

/// Writes what is derived from the event, and who did it.
fn project(transaction: &Transaction<'_>, seq: Sequence, event: &Event) -> Result<(), StoreError> {
    let (who, subject) = match event {
        // People who walk past do not act; their screenings are in the journal.
        Event::Screened(screening) => return screened(transaction, seq, screening),
        Event::AlertRaised(alert) => {
            raised(transaction, seq, alert)?;
            (GATEWAY.to_owned(), alert.id.to_string())
        }
        Event::AlertAcknowledged { alert, by, at } => (
            acknowledged(transaction, *alert, by, *at)?,
            alert.to_string(),
        ),
        Event::AlertResolved {
            alert,
            by,
            at,
            outcome,
        } => (
            resolved(transaction, seq, (*alert, by, *at), outcome)?,
            alert.to_string(),
        ),
        Event::AlertStepTaken {
            alert, step, by, ..
        } => {
            load(transaction, *alert)?;
            (by.to_string(), format!("{alert} {step}"))
        }
        Event::AlertReminded { alert, .. } => (GATEWAY.to_owned(), alert.to_string()),
        Event::FaultRaised { fault, .. } => {
            transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO standing_fault (fault, seq) VALUES (?1, ?2)",
                )?
                .execute(params![fault.as_str(), to_sql(seq.0)])?;
            (GATEWAY.to_owned(), fault.as_str().to_owned())
        }
        Event::FaultCleared { fault, .. } => {
            transaction
                .prepare_cached("DELETE FROM standing_fault WHERE fault = ?1")?
                .execute([fault.as_str()])?;
            (GATEWAY.to_owned(), fault.as_str().to_owned())
        }
        Event::NumbersVoid { numbers, .. } => {
            (GATEWAY.to_owned(), numbers.channel.as_str().to_owned())
        }
        Event::SelfChecked { found, .. } => {
            let subject = found.complaint.map_or("passed", Complaint::as_str);
            (GATEWAY.to_owned(), subject.to_owned())
        }
        Event::Reported { report, .. } => (GATEWAY.to_owned(), report.date.to_string()),
        Event::PeopleDue { reminder, .. } => (GATEWAY.to_owned(), reminder.date.to_string()),
        Event::Commanded { asked, .. } => {
            commanded(transaction, seq, asked)?;
            let subject = format!("{} {}", asked.command.name().as_str(), asked.id);
            (asked.by.to_string(), subject)
        }
    };
    audit(
        transaction,
        Some(seq),
        &who,
        event.kind(),
        &subject,
        &event.at(),
    )
}

/// Writes one row of the audit, and links it to the one before.
pub(super) fn audit(
    transaction: &Transaction<'_>,
    seq: Option<Sequence>,
    who: &str,
    what: &str,
    subject: &str,
    at: &Stamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO audit (seq, who, what, subject, at_wall_ms, at_monotonic_ns, boot, trust)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            seq.map(|seq| to_sql(seq.0)),
            who,
            what,
            subject,
            at.wall.0,
            nanoseconds(at.monotonic),
            to_sql(at.boot.0),
            at.trust.as_str()
        ])?;
    super::audit_chain::append(transaction, transaction.last_insert_rowid())
}

/// Somebody had something done: once for each id, and in this transaction what is the store's.
fn commanded(
    transaction: &Transaction<'_>,
    seq: Sequence,
    asked: &Asked,
) -> Result<(), StoreError> {
    let new = transaction
        .prepare_cached(
            "INSERT INTO command (id, seq) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![asked.id.as_str(), to_sql(seq.0)])?;
    if new == 0 {
        return Err(JournalError::DoneBefore(asked.id.clone()).into());
    }
    match asked.command {
        Command::Resend { from, to } => outbox::put_back(transaction, from, to)?,
        Command::Announce | Command::Notice(_) | Command::Template(_) => {}
    }
    Ok(())
}

/// Somebody was judged, or could not be.
fn screened(
    transaction: &Transaction<'_>,
    seq: Sequence,
    screening: &Screening,
) -> Result<(), StoreError> {
    // Without a reference there is no temperature; the event has the whole reading all the same.
    let absolute = screening
        .reading
        .filter(|reading| reading.basis == Basis::Reference);
    transaction
        .prepare_cached(
            "INSERT INTO screening (boot, track, seq, last_wall_ms, verdict, reason, presented,
                                    face_c, estimate_c)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            to_sql(screening.id.boot.0),
            to_sql(screening.id.track.0),
            to_sql(seq.0),
            screening.last.stamp.wall.0,
            screening.verdict.as_str(),
            screening.verdict.reason(),
            screening.presented,
            absolute.map(|reading| reading.face.degrees()),
            absolute.map(|reading| reading.estimate.value.degrees()),
        ])?;
    Ok(())
}

/// A new alert.
pub(super) fn raised(
    transaction: &Transaction<'_>,
    seq: Sequence,
    alert: &Alert,
) -> Result<(), StoreError> {
    if alert.state != AlertState::Open {
        return Err(StoreError::Refused(JournalError::Storage(format!(
            "alert {} was raised in the state {}; an alert is raised open",
            alert.id,
            alert.state.as_str()
        ))));
    }
    transaction
        .prepare_cached(
            "INSERT INTO alert (boot, track, raised_seq, raised_wall_ms, raised_monotonic_ns,
                 raised_boot, raised_trust, reading, threshold_c, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'open')",
        )?
        .execute(params![
            to_sql(alert.id.boot.0),
            to_sql(alert.id.track.0),
            to_sql(seq.0),
            alert.raised.wall.0,
            nanoseconds(alert.raised.monotonic),
            to_sql(alert.raised.boot.0),
            alert.raised.trust.as_str(),
            json(&ReadingRow::from(&alert.reading))?,
            alert.threshold.degrees(),
        ])?;
    Ok(())
}

/// What the alert's state does not allow.
fn refused(why: Refused) -> StoreError {
    StoreError::Refused(JournalError::Refused(why))
}

/// Somebody takes an alert; gives back the name as it was kept.
pub(super) fn acknowledged(
    transaction: &Transaction<'_>,
    id: AlertId,
    by: &str,
    at: Stamp,
) -> Result<String, StoreError> {
    let next = load(transaction, id)?
        .acknowledge(by, at)
        .map_err(refused)?;
    let AlertState::Acknowledged { by, at } = next.state else {
        return Ok(by.trim().to_owned());
    };
    transaction.execute(
        "UPDATE alert SET state = 'acknowledged', acknowledged_by = ?3, acknowledged_at = ?4
         WHERE boot = ?1 AND track = ?2",
        params![
            to_sql(id.boot.0),
            to_sql(id.track.0),
            by,
            json(&StampRow::from(&at))?
        ],
    )?;
    Ok(by)
}

/// Somebody records what was found; gives back the name as it was kept.
pub(super) fn resolved(
    transaction: &Transaction<'_>,
    seq: Sequence,
    (id, by, at): (AlertId, &str, Stamp),
    outcome: &Outcome,
) -> Result<String, StoreError> {
    let next = load(transaction, id)?
        .resolve(by, at, outcome.clone())
        .map_err(refused)?;
    let AlertState::Resolved { by, at, outcome } = next.state else {
        return Ok(by.trim().to_owned());
    };
    transaction.execute(
        "UPDATE alert SET state = 'resolved', resolved_by = ?3, resolved_at = ?4, outcome = ?5,
                resolved_seq = ?6
         WHERE boot = ?1 AND track = ?2",
        params![
            to_sql(id.boot.0),
            to_sql(id.track.0),
            by,
            json(&StampRow::from(&at))?,
            json(&OutcomeRow::from(&outcome))?,
            to_sql(seq.0)
        ],
    )?;
    Ok(by)
}

/// Reads every alert: SQLite knows nothing of a letter that is wrong inside of a text, and one row
/// that cannot be read would hide all the others.
pub(super) fn read_every_alert(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare(&format!("SELECT {ALERT_COLUMNS} FROM alert"))?
        .query_map([], alert_of)?
        .try_for_each(|alert| Ok(alert.map(drop)?))
}

/// One alert, from either connection.
fn load(connection: &Connection, id: AlertId) -> Result<Alert, StoreError> {
    connection
        .prepare_cached(&format!(
            "SELECT {ALERT_COLUMNS} FROM alert WHERE boot = ?1 AND track = ?2"
        ))?
        .query_row(params![to_sql(id.boot.0), to_sql(id.track.0)], alert_of)
        .optional()?
        .ok_or(StoreError::Refused(JournalError::UnknownAlert(id)))
}

/// A stamp in four columns from `first`: boot, monotonic, wall, trust.
pub(super) fn stamp_of(row: &Row<'_>, first: usize) -> rusqlite::Result<Stamp> {
    Ok(Stamp {
        boot: BootId(from_sql(row.get(first)?)),
        monotonic: Duration::from_nanos(from_sql(row.get(first + 1)?)),
        wall: WallTime(row.get(first + 2)?),
        trust: trust(&row.get::<_, String>(first + 3)?)
            .map_err(|wrong| unreadable(first + 3, wrong))?,
    })
}

/// An alert in the columns of [`ALERT_COLUMNS`].
pub(super) fn alert_of(row: &Row<'_>) -> rusqlite::Result<Alert> {
    let stamp = |column: usize| -> rusqlite::Result<Stamp> {
        parsed::<StampRow, Stamp>(&row.get::<_, String>(column)?)
            .map_err(|wrong| unreadable(column, wrong))
    };
    let state = match row.get::<_, String>(8)?.as_str() {
        "open" => AlertState::Open,
        "acknowledged" => AlertState::Acknowledged {
            by: row.get(9)?,
            at: stamp(10)?,
        },
        _ => AlertState::Resolved {
            by: row.get(11)?,
            at: stamp(12)?,
            outcome: parsed::<OutcomeRow, Outcome>(&row.get::<_, String>(13)?)
                .map_err(|wrong| unreadable(13, wrong))?,
        },
    };
    Ok(Alert {
        id: AlertId {
            boot: BootId(from_sql(row.get(0)?)),
            track: TrackId(from_sql(row.get(1)?)),
        },
        raised: stamp_of(row, 2)?,
        reading: parsed::<ReadingRow, Reading>(&row.get::<_, String>(6)?)
            .map_err(|wrong| unreadable(6, wrong))?,
        threshold: celsius(row.get(7)?).map_err(|wrong| unreadable(7, wrong))?,
        state,
    })
}
