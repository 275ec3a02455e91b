//! What a collector writes into PostgreSQL, inside of a transaction: one statement for a whole batch.

use super::super::ledger::{LedgerError, MOST_IN_QUARANTINE};
use super::super::letter::CommandAnswer;
use super::super::record::DONE;
use super::super::taking::{Entry, Refused, Rows, Stand, Whose};
use super::{Prepared, Values};
use crate::clock::WallTime;
use postgres::{Row, Transaction};
use std::collections::HashSet;

/// A transaction.
pub(super) struct Writing<'a> {
    pub(super) transaction: Transaction<'a>,
    pub(super) prepared: &'a mut Prepared,
}

impl Writing<'_> {
    fn query(&mut self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, LedgerError> {
        let transaction = &mut self.transaction;
        let statement = self.prepared.get(sql, |sql| transaction.prepare(sql))?;
        Ok(transaction.query(&statement, values)?)
    }
}

/// Columns of keys, for `unnest`.
fn columns<'a>(of: impl Iterator<Item = &'a Whose>) -> (Vec<&'a str>, Vec<&'a str>) {
    of.map(|(site, epoch)| (site.as_str(), epoch.as_str()))
        .unzip()
}

impl Rows for Writing<'_> {
    fn stretches(&mut self, of: &[Whose]) -> Result<Vec<Option<String>>, LedgerError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let (sites, epochs) = columns(of.iter());
        // So that there is something to lock for each.
        self.query(
            "INSERT INTO known (site, epoch, stretches)
             SELECT site, epoch, '[]'
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (site, epoch, n)
             ORDER BY n ON CONFLICT DO NOTHING",
            &[&sites, &epochs],
        )?;
        let rows = self.query(
            "SELECT stretches
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (site, epoch, n)
             JOIN known USING (site, epoch) ORDER BY n FOR UPDATE OF known",
            &[&sites, &epochs],
        )?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    fn save(&mut self, stretches: &[(Whose, String)]) -> Result<(), LedgerError> {
        if stretches.is_empty() {
            return Ok(());
        }
        let (sites, epochs) = columns(stretches.iter().map(|(of, _)| of));
        let texts: Vec<&str> = stretches.iter().map(|(_, text)| text.as_str()).collect();
        self.query(
            "UPDATE known SET stretches = new.stretches
             FROM unnest($1::text[], $2::text[], $3::text[]) AS new (site, epoch, stretches)
             WHERE known.site = new.site AND known.epoch = new.epoch",
            &[&sites, &epochs, &texts],
        )?;
        Ok(())
    }

    fn insert(&mut self, entries: &[Entry<'_>], now: WallTime) -> Result<Vec<bool>, LedgerError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let (sites, epochs) = columns(entries.iter().map(|it| &it.own));
        let letters = || entries.iter().map(|it| it.letter);
        let numbers: Vec<i64> = letters().map(|it| it.number.cast_signed()).collect();
        let names: Vec<&str> = letters().map(|it| it.name.as_str()).collect();
        let newer: Vec<bool> = letters().map(|it| it.newer).collect();
        let late: Vec<bool> = letters().map(|it| it.late).collect();
        let payloads: Vec<&[u8]> = entries.iter().map(|it| it.payload).collect();
        let rows = self.query(
            "INSERT INTO message (site, epoch, seq, name, newer, late, payload, received_wall_ms)
             SELECT site, epoch, seq, name, newer, late, payload, $8::bigint
             FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[],
                 $6::boolean[], $7::bytea[]) WITH ORDINALITY
                 AS new (site, epoch, seq, name, newer, late, payload, n)
             ORDER BY n ON CONFLICT DO NOTHING RETURNING site, epoch, seq",
            &[
                &sites, &epochs, &numbers, &names, &newer, &late, &payloads, &now.0,
            ],
        )?;
        let mut new = HashSet::new();
        for row in &rows {
            let key: (&str, &str, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            new.insert(key);
        }
        let keys = sites.iter().zip(&epochs).zip(&numbers);
        Ok(keys
            .map(|((site, epoch), number)| new.contains(&(*site, *epoch, *number)))
            .collect())
    }

    fn first(&mut self, of: &[(&Whose, u64)]) -> Result<Vec<(String, Vec<u8>)>, LedgerError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let (sites, epochs) = columns(of.iter().map(|(own, _)| *own));
        let numbers: Vec<i64> = of.iter().map(|(_, number)| number.cast_signed()).collect();
        let rows = self.query(
            "SELECT name, payload
             FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY
                 AS wanted (site, epoch, seq, n)
             JOIN message USING (site, epoch, seq) ORDER BY n",
            &[&sites, &epochs, &numbers],
        )?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    fn stand(&mut self, stands: &[Stand<'_>], now: WallTime) -> Result<(), LedgerError> {
        let gone = stands.iter().any(|it| it.payload.is_none());
        if gone {
            // Locked before, all in one order: those that go are touched after those that stay.
            let sites: Vec<&str> = stands.iter().map(|it| it.site.as_str()).collect();
            let names: Vec<&str> = stands.iter().map(|it| it.name).collect();
            self.query(
                "SELECT FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (site, name, n)
                 JOIN state USING (site, name) ORDER BY n FOR UPDATE OF state",
                &[&sites, &names],
            )?;
        }
        let (mut sites, mut names) = (Vec::new(), Vec::new());
        let (mut newer, mut payloads) = (Vec::new(), Vec::new());
        for it in stands {
            match it.payload {
                Some(payload) => {
                    sites.push(it.site.as_str());
                    names.push(it.name);
                    newer.push(it.newer);
                    payloads.push(payload);
                }
                None => {
                    self.query(
                        "DELETE FROM state WHERE site = $1 AND name = $2",
                        &[&it.site, &it.name],
                    )?;
                }
            }
        }
        if sites.is_empty() {
            return Ok(());
        }
        self.query(
            "INSERT INTO state (site, name, newer, payload, received_wall_ms)
             SELECT site, name, newer, payload, $5::bigint
             FROM unnest($1::text[], $2::text[], $3::boolean[], $4::bytea[]) WITH ORDINALITY
                 AS new (site, name, newer, payload, n)
             ORDER BY n
             ON CONFLICT (site, name) DO UPDATE SET newer = excluded.newer,
             payload = excluded.payload, received_wall_ms = excluded.received_wall_ms
             WHERE state.payload <> excluded.payload
             AND state.received_wall_ms <= excluded.received_wall_ms",
            &[&sites, &names, &newer, &payloads, &now.0],
        )?;
        Ok(())
    }

    fn answer(
        &mut self,
        answers: &[(String, &CommandAnswer)],
        now: WallTime,
    ) -> Result<(), LedgerError> {
        for (site, it) in answers {
            let said = it.refused.as_deref().unwrap_or(DONE);
            self.query(
                "UPDATE errand SET answer = $3, answered_wall_ms = $4 WHERE command = $1
                 AND site = $2 AND answer IS DISTINCT FROM $3 AND answer IS DISTINCT FROM $5",
                &[&it.id, site, &said, &now.0, &DONE],
            )?;
        }
        Ok(())
    }

    fn quarantine(&mut self, refused: &[Refused<'_>], now: WallTime) -> Result<(), LedgerError> {
        if refused.is_empty() {
            return Ok(());
        }
        let topics: Vec<&str> = refused.iter().map(|it| it.topic.as_str()).collect();
        let payloads: Vec<&[u8]> = refused.iter().map(|it| it.payload).collect();
        let reasons: Vec<&str> = refused.iter().map(|it| it.reason).collect();
        let details: Vec<&str> = refused.iter().map(|it| it.detail.as_str()).collect();
        self.query(
            "INSERT INTO quarantine (topic, payload, reason, detail, received_wall_ms)
             SELECT topic, payload, reason, detail, $5::bigint
             FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[]) WITH ORDINALITY
                 AS new (topic, payload, reason, detail, n)
             ORDER BY n",
            &[&topics, &payloads, &reasons, &details, &now.0],
        )?;
        // What another collector takes out just now, it takes out alone.
        self.query(
            "DELETE FROM quarantine WHERE id IN (
                 SELECT id FROM quarantine
                 WHERE id <= (SELECT max(id) FROM quarantine) - $1
                 ORDER BY id FOR UPDATE SKIP LOCKED)",
            &[&MOST_IN_QUARANTINE],
        )?;
        Ok(())
    }
}
