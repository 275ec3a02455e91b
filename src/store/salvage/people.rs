//! The people of a damaged register: how many could not be taken over, and that whoever was erased does not come
//! back by an old page.

use super::super::error::StoreError;
use rusqlite::{Connection, Transaction};
use std::collections::BTreeSet;

/// Adds the numbers of people that a damaged database still knows by an index or a mark. Where one ends in
/// nothing that can be read, the others are read all the same.
pub(super) fn known(source: &Connection, people: &mut BTreeSet<i64>) {
    for index in [
        "SELECT number FROM person INDEXED BY person_by_key",
        "SELECT number FROM person INDEXED BY person_by_colour WHERE colour IS NOT NULL",
        "SELECT person FROM person_mark INDEXED BY person_mark_by_person",
        "SELECT person FROM person_mark",
    ] {
        let Ok(mut select) = source.prepare(index) else {
            continue;
        };
        let Ok(rows) = select.query_map([], |row| row.get::<_, i64>(0)) else {
            continue;
        };
        people.extend(rows.map_while(Result::ok).filter(|it| *it > 0));
    }
}

/// What staff are to know of the people: those of whom the audit says that they are gone are taken out again,
/// with all marks that lead to nobody; the others who were known and are not here are lost.
pub(super) fn settle(
    new: &Transaction<'_>,
    mut known: BTreeSet<i64>,
) -> Result<String, StoreError> {
    let gone = "SELECT CAST(subject AS INTEGER) FROM audit
                WHERE what IN ('person_erased', 'person_erased_by_rule')
                UNION
                SELECT CAST(substr(subject, instr(subject, ' ') + 1) AS INTEGER) FROM audit
                WHERE what = 'people_merged'";
    new.execute(&format!("DELETE FROM person WHERE number IN ({gone})"), [])?;
    new.execute(
        "DELETE FROM person_mark WHERE person NOT IN (SELECT number FROM person)",
        [],
    )?;
    let numbers = |select: &str| -> rusqlite::Result<BTreeSet<i64>> {
        new.prepare(select)?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let here = numbers("SELECT number FROM person")?;
    let gone = numbers(gone)?;
    known.retain(|it| !here.contains(it) && !gone.contains(it));
    Ok(format!(
        "of the register {} people, {} others could not be taken over",
        here.len(),
        known.len()
    ))
}
