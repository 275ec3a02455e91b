//! What days add up to, read stretch by stretch: the reader is free again between two of them, so that a
//! page of a whole year keeps nobody from the list of alerts.
//! Each stretch is a range of an index that holds all that is asked for: a day of 5 000 people is 5 000
//! entries of it, the page's year some 1.8 million where nothing was erased yet, in 52 looks.

use super::Store;
use super::error::StoreError;
use super::journal::{stamp_of, unreadable};
use super::row::{StampRow, from_sql, parsed};
use crate::clock::{Stamp, WallTime};
use crate::figures::{AlertTimes, Figures, Tally};
use crate::journal::JournalError;
use rusqlite::{Connection, params};

/// Most alerts that one look reads: a door of 5 000 people a day has some 50.
const MOST_ALERTS: u32 = 20_000;

impl Figures for Store {
    fn people(&self, bounds: &[WallTime]) -> Result<Vec<Tally>, JournalError> {
        let stretches = bounds.iter().zip(bounds.iter().skip(1));
        stretches
            .map(|(from, until)| self.read(|reader| people(reader, *from, *until)))
            .collect()
    }

    fn alert_times(
        &self,
        from: WallTime,
        until: WallTime,
    ) -> Result<Vec<AlertTimes>, JournalError> {
        self.read(|reader| alert_times(reader, from, until))
    }

    fn estimates(&self, from: WallTime, until: WallTime) -> Result<Vec<(i64, u64)>, JournalError> {
        self.read(|reader| estimates(reader, from, until))
    }
}

fn people(reader: &Connection, from: WallTime, until: WallTime) -> Result<Tally, StoreError> {
    let mut select = reader.prepare_cached(
        "SELECT verdict, nullif(reason, ''), sum(people) FROM (
             SELECT verdict, coalesce(reason, '') AS reason, count(*) AS people
             FROM screening WHERE last_wall_ms >= ?1 AND last_wall_ms < ?2 GROUP BY 1, 2
             UNION ALL
             SELECT verdict, reason, people FROM tally
             WHERE hour_wall_ms >= ?1 AND hour_wall_ms < ?2)
         GROUP BY verdict, reason ORDER BY verdict, reason",
    )?;
    let rows = select.query_map([from.0, until.0], |row| {
        Ok((row.get(0)?, row.get(1)?, from_sql(row.get(2)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn alert_times(
    reader: &Connection,
    from: WallTime,
    until: WallTime,
) -> Result<Vec<AlertTimes>, StoreError> {
    let mut select = reader.prepare_cached(
        "SELECT raised_boot, raised_monotonic_ns, raised_wall_ms, raised_trust,
                coalesce(acknowledged_at, resolved_at), state = 'resolved'
         FROM alert WHERE raised_wall_ms >= ?1 AND raised_wall_ms < ?2
         ORDER BY raised_wall_ms LIMIT ?3",
    )?;
    let rows = select.query_map(params![from.0, until.0, MOST_ALERTS], |row| {
        let taken: Option<String> = row.get(4)?;
        let taken = taken
            .map(|at| parsed::<StampRow, Stamp>(&at).map_err(|wrong| unreadable(4, wrong)))
            .transpose()?;
        Ok(AlertTimes {
            raised: stamp_of(row, 0)?,
            taken,
            resolved: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn estimates(
    reader: &Connection,
    from: WallTime,
    until: WallTime,
) -> Result<Vec<(i64, u64)>, StoreError> {
    // As `step_of`: 37.8 is to be in the step that begins there, though decimals are not exact.
    let mut select = reader.prepare_cached(
        "SELECT CAST(estimate_c * 10 + 1e-6 AS INTEGER) AS step, count(*)
         FROM screening INDEXED BY screening_by_estimate
         WHERE estimate_c IS NOT NULL AND last_wall_ms >= ?1 AND last_wall_ms < ?2
         GROUP BY step ORDER BY step",
    )?;
    let rows = select.query_map([from.0, until.0], |row| {
        Ok((row.get(0)?, from_sql(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
