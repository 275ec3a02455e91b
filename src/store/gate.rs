//! The gate's day in the store: how many people of each company are expected and were let in, counted by marks
//! alone; and what companies plan, sealed, since a company's name stays in the building.

use super::error::StoreError;
use super::row::{from_sql, json};
use super::vault::{Bound, Vault};
use crate::calendar::Date;
use crate::journal::JournalError;
use crate::people::{PersonId, Plan};
use crate::text::Note;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Of each company with people who are expected or were let in: one of them, how many of each.
pub(super) fn by_company(
    reader: &Connection,
    vault: &Vault,
    (date, entered): (Date, &str),
) -> Result<Vec<(PersonId, u32, u32)>, StoreError> {
    let mut companies = Vec::new();
    let mut select = reader.prepare_cached(
        "SELECT min(p.number), coalesce(sum(p.expected = ?1), 0),
             sum(EXISTS (SELECT 1 FROM person_mark e
                 WHERE e.kind = 'entered' AND e.mark = ?2 AND e.person = p.number))
         FROM person p LEFT JOIN person_mark c ON c.person = p.number AND c.kind = 'company'
         WHERE p.key = ?3 AND p.number IN (
             SELECT number FROM person WHERE expected = ?1
             UNION SELECT person FROM person_mark WHERE kind = 'entered' AND mark = ?2)
         GROUP BY c.mark ORDER BY 1",
    )?;
    for (key, mark) in vault.named_marks("entered", entered) {
        let mut rows = select.query(params![date.to_string(), mark.as_slice(), key])?;
        while let Some(row) = rows.next()? {
            companies.push((PersonId(from_sql(row.get(0)?)), row.get(1)?, row.get(2)?));
        }
    }
    Ok(companies)
}

/// How many of a company were let in.
pub(super) fn entered_of(
    reader: &Connection,
    vault: &Vault,
    (company, entered): (&str, &str),
) -> Result<u32, StoreError> {
    let mut select = reader.prepare_cached(
        "SELECT count(*) FROM person_mark e JOIN person_mark c ON c.person = e.person
         WHERE e.kind = 'entered' AND e.mark = ?1 AND c.kind = 'company' AND c.mark = ?2",
    )?;
    let companies = vault.named_marks("company", company);
    let mut people = 0;
    for ((_, entered), (_, company)) in vault.named_marks("entered", entered).zip(companies) {
        let of_key = params![entered.as_slice(), company.as_slice()];
        people += select.query_row(of_key, |row| row.get::<_, u32>(0))?;
    }
    Ok(people)
}

/// What is planned for a day. What cannot be opened any more is nobody's plan, and is said in the log.
pub(super) fn plan(reader: &Connection, vault: &Vault, date: Date) -> Result<Plan, StoreError> {
    let day = date.to_string();
    let row: Option<(String, Vec<u8>)> = reader
        .prepare_cached("SELECT key, sealed FROM gate_plan WHERE day = ?1")?
        .query_row([&day], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((key, sealed)) = row else {
        return Ok(Plan::none(date));
    };
    Ok(opened(vault, date, (&key, &sealed)).unwrap_or_else(|why| {
        tracing::error!(day, "what companies plan cannot be read: {why}");
        Plan::none(date)
    }))
}

fn opened(vault: &Vault, date: Date, (key, sealed): (&str, &[u8])) -> Result<Plan, String> {
    let open = vault.open(Bound::Plan(&date.to_string()), key, sealed)?;
    let rows: Vec<(String, u32)> =
        serde_json::from_slice(open.reveal()).map_err(|error| error.to_string())?;
    let mut plan = Plan::none(date);
    for (company, people) in rows {
        let company = Note::name(&company).ok_or("a company without a name")?;
        plan.put(company, people)
            .map_err(|why| why.en().to_owned())?;
    }
    Ok(plan)
}

/// Keeps what is planned for a day.
pub(super) fn keep_plan(
    transaction: &Transaction<'_>,
    vault: &Vault,
    plan: &Plan,
) -> Result<(), StoreError> {
    let day = plan.date.to_string();
    let companies = plan.companies().iter();
    let rows: Vec<(&str, u32)> = companies.map(|it| (it.0.as_str(), it.1)).collect();
    let open = json(&rows)?;
    let sealed = vault.seal(Bound::Plan(&day), open.as_bytes());
    let sealed = sealed.map_err(|why| JournalError::Storage(format!("the register: {why}")))?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO gate_plan (day, key, sealed) VALUES (?1, ?2, ?3)")?
        .execute(params![day, vault.name(), sealed])?;
    Ok(())
}

/// Plans of days before this one are gone.
pub(super) fn drop_plans(transaction: &Transaction<'_>, before: Date) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM gate_plan WHERE day < ?1")?
        .execute([before.to_string()])?;
    Ok(())
}
