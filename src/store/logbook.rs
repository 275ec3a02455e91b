//! The logbook of the checklist in the store: lines are read and written in one transaction with what
//! they cause elsewhere, so that two people who tick at once are one after the other.

use super::Store;
use super::error::StoreError;
use super::event_row::EventRow;
use super::journal::{ALERT_COLUMNS, alert_of, record, stamp_of, unreadable};
use super::logbook_row::{LineRow, line_of, parts_in};
use super::row::{from_sql, json, nanoseconds, parsed, to_sql};
use crate::alert::AlertState;
use crate::calendar::Date;
use crate::checklist::{
    AlertEnd, AlertFact, Carried, DayFacts, Decide, Line, LineKind, Logbook, NewLine, Search,
    SelfCheckFact, Written,
};
use crate::clock::WallTime;
use crate::event::Event;
use crate::id::Channel;
use crate::journal::JournalError;
use crate::text::Note;
use rusqlite::{Connection, Row, Transaction, params};

/// Columns of a line, in the order in which [`written_of`] reads them.
const COLUMNS: &str = "boot, at_monotonic_ns, at_wall_ms, trust, number, day, who, kind, body";

impl Logbook for Store {
    fn lines(&self, search: &Search) -> Result<Vec<Written>, JournalError> {
        self.read(|reader| lines(reader, search))
    }

    fn write(&self, search: &Search, decide: Decide<'_>) -> Result<(), JournalError> {
        let new = self.write(|transaction| {
            let new = decide(&lines(transaction, search)?);
            for line in &new {
                self.append_line(transaction, line)?;
            }
            Ok(new.len())
        })?;
        tracing::debug!(new, "written into the logbook");
        Ok(())
    }

    fn facts(&self, from: WallTime, until: WallTime) -> Result<DayFacts, JournalError> {
        self.read(|reader| facts(reader, from, until))
    }

    fn carried(&self, number: u64) -> Result<Carried, JournalError> {
        self.read(|reader| carried(reader, number))
    }
}

impl Store {
    /// Writes a line, and the events that carry outside what it says.
    fn append_line(&self, transaction: &Transaction<'_>, new: &NewLine) -> Result<(), StoreError> {
        record(
            transaction,
            &self.inner.routes,
            &self.epoch(),
            &events_of(new),
        )?;
        transaction
            .prepare_cached(
                "INSERT INTO logbook (seq, day, kind, subject, who, body, at_wall_ms,
                     at_monotonic_ns, boot, trust)
                 VALUES ((SELECT coalesce(max(seq), 0) FROM event), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                new.date.to_string(),
                new.line.kind().as_str(),
                new.line.subject().unwrap_or_default(),
                new.by.as_ref().map(Note::as_str),
                json(&LineRow::from(&new.line))?,
                new.at.wall.0,
                nanoseconds(new.at.monotonic),
                to_sql(new.at.boot.0),
                new.at.trust.as_str(),
            ])?;
        Ok(())
    }
}

/// The events that carry a line outside: of a report one for each part; of a step at an alert one, which
/// makes it a part of the alert's record. Most lines have none.
fn events_of(new: &NewLine) -> Vec<Event> {
    let at = new.at;
    match (&new.line, &new.by) {
        (Line::Submitted(report), _) => {
            let parts = report.parts();
            let of = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            let part = |(number, part)| Event::Reported {
                report: Box::new(part),
                part: (number, of),
                at,
            };
            (1..).zip(parts).map(part).collect()
        }
        (
            Line::StepTaken {
                alert,
                edition,
                step,
            },
            Some(by),
        ) => vec![Event::AlertStepTaken {
            alert: *alert,
            step: step.clone(),
            edition: *edition,
            by: by.clone(),
            at,
        }],
        _ => Vec::new(),
    }
}

fn lines(reader: &Connection, search: &Search) -> Result<Vec<Written>, StoreError> {
    let mut select = reader.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM logbook
         WHERE (?1 IS NULL OR day BETWEEN ?1 AND ?2)
           AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR subject = ?4)
         ORDER BY number"
    ))?;
    let (from, until) = search
        .days
        .map(|(from, until)| (from.to_string(), until.to_string()))
        .unzip();
    let kind = search.kind.map(LineKind::as_str);
    let rows = select.query_map(params![from, until, kind, search.subject], written_of)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A line from the columns of [`COLUMNS`].
fn written_of(row: &Row<'_>) -> rusqlite::Result<Written> {
    let wrong = |column: usize, what: &str| unreadable(column, super::row::wrong(what));
    let date: Date = row
        .get::<_, String>(5)?
        .parse()
        .map_err(|_| wrong(5, "a day"))?;
    let by = row
        .get::<_, Option<String>>(6)?
        .map(|who| Note::name(&who).ok_or_else(|| wrong(6, "a name")))
        .transpose()?;
    let body: String = row.get(8)?;
    let line = line_of(&body, date, by.as_ref()).map_err(|error| unreadable(8, error))?;
    Ok(Written {
        number: from_sql(row.get(4)?),
        date,
        by,
        at: stamp_of(row, 0)?,
        line,
    })
}

/// Whether a line reads back.
pub(super) fn reads_back(row: &Row<'_>) -> bool {
    written_of(row).is_ok()
}

/// What [`reads_back`] needs of a line.
pub(super) const fn columns() -> &'static str {
    COLUMNS
}

fn facts(reader: &Connection, from: WallTime, until: WallTime) -> Result<DayFacts, StoreError> {
    let mut facts = DayFacts::default();
    let mut select = reader.prepare_cached(
        "SELECT verdict, sum(people) FROM (
             SELECT verdict, count(*) AS people FROM screening
             WHERE last_wall_ms >= ?1 AND last_wall_ms < ?2 GROUP BY 1
             UNION ALL
             SELECT verdict, people FROM tally WHERE hour_wall_ms >= ?1 AND hour_wall_ms < ?2)
         GROUP BY verdict",
    )?;
    let mut rows = select.query([from.0, until.0])?;
    while let Some(row) = rows.next()? {
        let people = from_sql(row.get(1)?);
        // Words of a newer program are of people all the same.
        *match row.get::<_, String>(0)?.as_str() {
            "clear" => &mut facts.clear,
            "retest" => &mut facts.retest,
            "possible_fever" => &mut facts.possible_fever,
            _ => &mut facts.cannot_judge,
        } += people;
    }
    let mut select = reader.prepare_cached(&format!(
        "SELECT {ALERT_COLUMNS} FROM alert WHERE raised_wall_ms >= ?1 AND raised_wall_ms < ?2
         ORDER BY raised_seq"
    ))?;
    for alert in select.query_map([from.0, until.0], alert_of)? {
        let alert = alert?;
        facts.alerts.push(AlertFact {
            id: alert.id,
            raised: alert.raised.wall,
            end: match &alert.state {
                AlertState::Resolved { outcome, .. } => Some(AlertEnd::from(outcome)),
                AlertState::Open | AlertState::Acknowledged { .. } => None,
            },
        });
    }
    let mut select = reader.prepare_cached(
        "SELECT body FROM event
         WHERE kind = 'self_checked' AND at_wall_ms >= ?1 AND at_wall_ms < ?2 ORDER BY seq",
    )?;
    let mut rows = select.query([from.0, until.0])?;
    while let Some(row) = rows.next()? {
        let event = parsed::<EventRow, Event>(&row.get::<_, String>(0)?)?;
        if let Event::SelfChecked { found, at } = event {
            facts.self_checks.push(SelfCheckFact {
                at: at.wall,
                complaint: found.complaint,
            });
        }
    }
    facts.colours = super::register::told(reader, from, until)?;
    Ok(facts)
}

/// Messages that are safe are erased some day: where none is left, all were.
fn carried(reader: &Connection, number: u64) -> Result<Carried, StoreError> {
    let (seq, body): (i64, String) = reader.query_row(
        "SELECT seq, body FROM logbook WHERE number = ?1",
        [to_sql(number)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let parts = parts_in(&body)?;
    let mut select = reader.prepare_cached(
        "SELECT state, received_wall_ms FROM outbox
         WHERE channel = ?1 AND seq > ?2 AND seq <= ?3",
    )?;
    let mut rows = select.query(params![Channel::broker().as_str(), seq - parts, seq])?;
    let mut carried = Carried::Received(None);
    while let Some(row) = rows.next()? {
        let state: String = row.get(0)?;
        let received: Option<i64> = row.get(1)?;
        let this = match state.as_str() {
            "received" => Carried::Received(received.map(WallTime)),
            "accepted" => Carried::Accepted,
            "parked" => Carried::Parked,
            _ => Carried::Saved,
        };
        carried = worst(carried, this);
    }
    Ok(carried)
}

/// The one that is less far.
fn worst(one: Carried, other: Carried) -> Carried {
    let rank = |it: Carried| match it {
        Carried::Parked => 0,
        Carried::Saved => 1,
        Carried::Accepted => 2,
        Carried::Received(_) => 3,
    };
    match (one, other) {
        (Carried::Received(one), Carried::Received(other)) => Carried::Received(one.max(other)),
        _ if rank(one) <= rank(other) => one,
        _ => other,
    }
}

/// Lines that are as old as what is told of the audit; never what still says how things stand: which
/// list, which procedure, the pledge, and the last tick of each item.
pub(super) fn erase(
    transaction: &Transaction<'_>,
    bound: i64,
    most: u32,
) -> Result<usize, StoreError> {
    Ok(transaction
        .prepare_cached(
            "DELETE FROM logbook WHERE number IN (
                 SELECT number FROM logbook
                 WHERE seq <= ?1 AND kind NOT IN ('began', 'pledged', 'named', 'edited')
                   AND (kind <> 'ticked' OR number NOT IN (
                       SELECT max(number) FROM logbook WHERE kind = 'ticked' GROUP BY subject))
                 ORDER BY number LIMIT ?2)",
        )?
        .execute(params![bound, most])?)
}
