//! The register in the store: people are read and written in one transaction with the line of the audit that
//! says who did it. Sealed by the vault; found by marks.
//!
//! A person who cannot be opened (a damaged row, somebody else's) is left out of lists and named in the log;
//! the others are there all the same.

use super::Store;
use super::error::StoreError;
use super::gate;
use super::journal::{self, GATEWAY, audit};
use super::person_row::PersonRow;
use super::row::{StampRow, from_sql, json, parsed, to_sql, wrong};
use super::vault::{Bound, KeyError, Vault, new_key};
use crate::calendar::Date;
use crate::checklist::ColourTotal;
use crate::clock::{Stamp, WallTime};
use crate::event::Event;
use crate::journal::JournalError;
use crate::people::{
    By, Colour, Counts, Decide, Entry, Import, ImportId, ImportState, Mark, Outline, Passage,
    Person, PersonId, Plan, Register, Reminder, Search, Source, Told, Write,
};
use crate::text::{Note, Words};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The register with its key.
#[derive(Clone, Debug)]
pub struct People {
    store: Store,
    vault: Vault,
}

impl Store {
    /// Opens the register with the keys of this file. Where there is no file and nobody in the register, a
    /// key is made.
    ///
    /// # Errors
    /// [`KeyError::Lost`] where somebody is in it whose key is not there; where the file is not usable.
    pub fn register(&self, key_file: &Path) -> Result<People, KeyError> {
        let sealed = self.read(sealed_with)?;
        let people = sealed.iter().map(|it| it.1).sum();
        let lost = |keys: Vec<String>, why: &str| KeyError::Lost {
            people,
            keys: keys.join(", "),
            path: key_file.display().to_string(),
            why: why.to_owned(),
        };
        let names = || sealed.iter().map(|it| it.0.clone()).collect();
        let vault = match Vault::read(key_file)? {
            Some(vault) => vault,
            None if people > 0 => return Err(lost(names(), "is not there")),
            None => {
                let name = new_key(key_file)?;
                tracing::info!(key = name, file = %key_file.display(), "a key for the register was made: keep a copy of its file elsewhere");
                Vault::read(key_file)?.ok_or_else(|| lost(names(), "is not there"))?
            }
        };
        let gone: Vec<String> = sealed
            .into_iter()
            .map(|it| it.0)
            .filter(|key| !vault.has(key))
            .collect();
        if !gone.is_empty() {
            return Err(lost(gone, "does not hold it"));
        }
        Ok(People {
            store: self.clone(),
            vault,
        })
    }

    /// Erases everybody of the register without opening anything: for when the key is lost. Gives how many.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn give_up_people(&self, by: &Note, at: Stamp) -> Result<u64, JournalError> {
        self.write(|transaction| {
            let gone = transaction.execute("DELETE FROM person", [])?;
            transaction.execute("DELETE FROM gate_plan", [])?;
            let subject = format!("everybody: {gone}, the key is lost");
            audit(
                transaction,
                None,
                by.as_str(),
                "people_given_up",
                &subject,
                &at,
            )?;
            Ok(gone as u64)
        })
    }
}

/// Which keys people are sealed with, and how many with each.
fn sealed_with(reader: &Connection) -> Result<Vec<(String, u64)>, StoreError> {
    let mut select = reader.prepare_cached("SELECT key, count(*) FROM person GROUP BY key")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, from_sql(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A mark's kind and text.
fn marked(mark: &Mark) -> (&'static str, String) {
    match mark {
        Mark::Phone(phone) => ("phone", phone.clone()),
        Mark::Name(name) => ("name", name.clone()),
        Mark::PhoneAndName(phone, name) => ("phone_name", format!("{phone}\n{name}")),
        Mark::NameAndCard(name, card) => ("name_card", format!("{name}\n{card}")),
        Mark::NameAlone(name) => ("name_alone", name.clone()),
        Mark::Company(company) => ("company", company.clone()),
        Mark::Source(source) => ("source", source.as_str().to_owned()),
        Mark::Import(import) => ("import", import.0.to_string()),
        Mark::Code(date, code) => ("code", format!("{date} {}", code.as_str())),
        Mark::Screening(screening) => ("screening", screening.to_string()),
        Mark::Entered(date) => ("entered", date.to_string()),
    }
}

impl People {
    /// The people of a search, in the order of their numbers; who cannot be opened is left out.
    fn found(&self, reader: &Connection, search: &Search) -> Result<Vec<Person>, StoreError> {
        let mut people = Vec::new();
        for number in self.numbers(reader, search)? {
            let row: Option<(String, Vec<u8>)> = reader
                .prepare_cached("SELECT key, sealed FROM person WHERE number = ?1")?
                .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((key, sealed)) = row else { continue };
            match self.opened(from_sql(number), &key, &sealed) {
                Ok(person) => people.push(person),
                Err(why) => {
                    tracing::error!(number, "somebody in the register cannot be read: {why}");
                }
            }
        }
        Ok(people)
    }

    fn opened(&self, number: u64, key: &str, sealed: &[u8]) -> Result<Person, String> {
        let open = self.vault.open(Bound::Person(number), key, sealed)?;
        let row: PersonRow =
            serde_json::from_slice(open.reveal()).map_err(|error| error.to_string())?;
        row.read(PersonId(number)).map_err(|wrong| wrong.0)
    }

    fn numbers(&self, reader: &Connection, search: &Search) -> Result<Vec<i64>, StoreError> {
        let after = to_sql(search.after.0);
        let most = i64::from(search.most);
        let ask = |which: &str, what: &dyn ToSql| -> Result<Vec<i64>, StoreError> {
            let select = format!(
                "SELECT number FROM person WHERE number > ?1 AND {which} ORDER BY number LIMIT ?2"
            );
            let mut select = reader.prepare_cached(&select)?;
            let rows = select.query_map(params![after, most, what], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        match &search.by {
            By::All => ask("?3 = ?3", &0),
            By::Colour(colour) => ask("colour = ?3", &colour.as_str()),
            By::Due(date) => ask("colour IS NOT NULL AND due <= ?3", &date.to_string()),
            By::Unsaid(date) => ask(
                "colour IN ('purple', 'orange') AND coalesce(said_on, '') < ?3",
                &date.to_string(),
            ),
            By::Expected(date) => ask("expected = ?3", &date.to_string()),
            By::Waiting => ask("waits = ?3", &1),
            By::Forgettable(date) => ask("forget_on <= ?3", &date.to_string()),
            By::OlderKey => ask("key <> ?3", &self.vault.name()),
            By::Numbers(numbers) => {
                let all: BTreeSet<i64> = numbers.iter().map(|it| to_sql(it.0)).collect();
                let later = all.into_iter().filter(|it| *it > after);
                Ok(later.take(search.most as usize).collect())
            }
            By::Marks(marks) => {
                let all = self.with_marks(reader, marks, search)?;
                Ok(all.into_iter().take(search.most as usize).collect())
            }
            By::Each(marks) => {
                let all = self.with_marks(reader, marks, search)?;
                Ok(all.into_iter().collect())
            }
        }
    }

    /// Who has one of these marks: so many of each at most.
    fn with_marks<'a>(
        &self,
        reader: &Connection,
        marks: impl IntoIterator<Item = &'a Mark>,
        search: &Search,
    ) -> Result<BTreeSet<i64>, StoreError> {
        let (after, most) = (to_sql(search.after.0), i64::from(search.most));
        let mut all = BTreeSet::new();
        let mut select = reader.prepare_cached(
            "SELECT person FROM person_mark WHERE kind = ?1 AND mark = ?2 AND person > ?3
             ORDER BY person LIMIT ?4",
        )?;
        for mark in marks {
            let (kind, text) = marked(mark);
            for mark in self.vault.marks(kind, &text) {
                let found = params![kind, mark.as_slice(), after, most];
                for number in select.query_map(found, |row| row.get(0))? {
                    all.insert(number?);
                }
            }
        }
        Ok(all)
    }

    fn put(&self, transaction: &Transaction<'_>, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Keep(person, outline) => self.keep(transaction, person, outline),
            Write::Erase(id) => erase(transaction, *id),
            Write::Import(import) => keep_import(transaction, import),
            Write::Pass(date, passage, people) => {
                transaction
                    .prepare_cached(
                        "INSERT INTO gate_count (day, passage, people) VALUES (?1, ?2, ?3)
                         ON CONFLICT (day, passage) DO UPDATE SET people = people + excluded.people",
                    )?
                    .execute(params![date.to_string(), passage.as_str(), people])?;
                Ok(())
            }
            Write::Plan(plan) => gate::keep_plan(transaction, &self.vault, plan),
            Write::DropPlans(before) => gate::drop_plans(transaction, *before),
            Write::Tell(date, at, colours) => tell(transaction, *date, at, colours),
            Write::Note(entry) => note(transaction, entry),
        }
    }

    fn keep(
        &self,
        transaction: &Transaction<'_>,
        person: &Person,
        outline: &Outline,
    ) -> Result<(), StoreError> {
        let number = to_sql(person.id.0);
        let open = json(&PersonRow::from(person))?;
        let sealed = self.vault.seal(Bound::Person(person.id.0), open.as_bytes());
        let sealed = sealed.map_err(|why| JournalError::Storage(format!("the register: {why}")))?;
        let day = |date: Option<Date>| date.map(|it| it.to_string());
        transaction
            .prepare_cached(
                "INSERT INTO person (number, key, sealed, colour, due, said_on, expected, waits, forget_on)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (number) DO UPDATE SET key = excluded.key, sealed = excluded.sealed,
                     colour = excluded.colour, due = excluded.due, said_on = excluded.said_on,
                     expected = excluded.expected, waits = excluded.waits,
                     forget_on = excluded.forget_on",
            )?
            .execute(params![
                number,
                self.vault.name(),
                sealed,
                outline.colour.map(Colour::as_str),
                day(outline.due),
                day(outline.said_on),
                day(outline.expected),
                outline.waits,
                day(outline.forget_on),
            ])?;
        transaction
            .prepare_cached("DELETE FROM person_mark WHERE person = ?1")?
            .execute([number])?;
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO person_mark (kind, mark, person) VALUES (?1, ?2, ?3)",
        )?;
        for mark in &outline.marks {
            let (kind, text) = marked(mark);
            insert.execute(params![
                kind,
                self.vault.mark(kind, &text).as_slice(),
                number
            ])?;
        }
        Ok(())
    }
}

/// Everything of somebody is gone; it is looked at in the same transaction.
fn erase(transaction: &Transaction<'_>, id: PersonId) -> Result<(), StoreError> {
    let number = to_sql(id.0);
    transaction
        .prepare_cached("DELETE FROM person WHERE number = ?1")?
        .execute([number])?;
    let left: i64 = transaction
        .prepare_cached(
            "SELECT (SELECT count(*) FROM person WHERE number = ?1)
                  + (SELECT count(*) FROM person_mark WHERE person = ?1)",
        )?
        .query_row([number], |row| row.get(0))?;
    if left > 0 {
        return Err(StoreError::Row(format!("person {id} could not be erased")));
    }
    Ok(())
}

fn tell(
    transaction: &Transaction<'_>,
    date: Date,
    at: &Stamp,
    colours: &[(Colour, Told)],
) -> Result<(), StoreError> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO colour_total (day, colour, people, fewer, at_wall_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (colour, told) in colours {
        let (people, fewer) = match told {
            Told::Exactly(people) => (*people, false),
            Told::Fewer(bound) => (*bound, true),
        };
        let people = to_sql(people);
        insert.execute(params![
            date.to_string(),
            colour.as_str(),
            people,
            fewer,
            at.wall.0
        ])?;
    }
    Ok(())
}

/// The totals by colour that were told in a stretch of time.
pub(super) fn told(
    reader: &Connection,
    from: WallTime,
    until: WallTime,
) -> Result<Vec<ColourTotal>, StoreError> {
    let mut select = reader.prepare_cached(
        "SELECT colour, people, fewer FROM colour_total
         WHERE at_wall_ms >= ?1 AND at_wall_ms < ?2",
    )?;
    let mut rows = select.query([from.0, until.0])?;
    let mut totals = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let colour = colour(&row.get::<_, String>(0)?)?;
        let total = ColourTotal {
            word: colour.as_str().to_owned(),
            name: Words {
                zh: colour.zh().to_owned(),
                en: colour.en().to_owned(),
            },
            people: from_sql(row.get(1)?),
            fewer: row.get(2)?,
        };
        totals.insert(colour, total);
    }
    Ok(totals.into_values().collect())
}

fn note(transaction: &Transaction<'_>, entry: &Entry) -> Result<(), StoreError> {
    let who = entry.by.as_ref().map_or(GATEWAY, Note::as_str);
    let (what, subject) = (entry.deed.as_str(), &entry.subject);
    audit(transaction, None, who, what, subject, &entry.at)
}

fn keep_import(transaction: &Transaction<'_>, import: &Import) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO person_import (number, source, who, at, taken, refused, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (number) DO UPDATE SET taken = excluded.taken, refused = excluded.refused,
                 state = excluded.state",
        )?
        .execute(params![
            to_sql(import.id.0),
            import.source.as_str(),
            import.by.as_str(),
            json(&StampRow::from(&import.at))?,
            to_sql(import.taken),
            to_sql(import.refused),
            import.state.as_str(),
        ])?;
    Ok(())
}

fn import_of(row: &Row<'_>) -> Result<Import, StoreError> {
    Ok(Import {
        id: ImportId(from_sql(row.get(0)?)),
        source: Source::parse(&row.get::<_, String>(1)?).ok_or_else(|| wrong("a source"))?,
        by: Note::name(&row.get::<_, String>(2)?).ok_or_else(|| wrong("a name"))?,
        at: parsed::<StampRow, Stamp>(&row.get::<_, String>(3)?)?,
        taken: from_sql(row.get(4)?),
        refused: from_sql(row.get(5)?),
        state: ImportState::parse(&row.get::<_, String>(6)?).ok_or_else(|| wrong("a state"))?,
    })
}

fn colour(word: &str) -> Result<Colour, StoreError> {
    Ok(Colour::parse(word).ok_or_else(|| wrong("a colour"))?)
}

impl Register for People {
    fn look(&self, search: &Search, entry: &Entry) -> Result<Vec<Person>, JournalError> {
        self.store.write(|transaction| {
            let people = self.found(transaction, search)?;
            note(transaction, entry)?;
            Ok(people)
        })
    }

    fn write(&self, search: &Search, decide: Decide<'_>) -> Result<(), JournalError> {
        self.store.write(|transaction| {
            let next: i64 = transaction
                .prepare_cached(
                    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'person'), 0) + 1",
                )?
                .query_row([], |row| row.get(0))?;
            let people = self.found(transaction, search)?;
            for write in decide(people, PersonId(from_sql(next))) {
                self.put(transaction, &write)?;
            }
            Ok(())
        })
    }

    fn counts(&self, today: Date) -> Result<Counts, JournalError> {
        let today = today.to_string();
        self.store.read(|reader| {
            let mut counts = Counts::default();
            (counts.people, counts.waiting, counts.overdue, counts.unsaid) = reader
                .prepare_cached(
                    "SELECT count(*), coalesce(sum(waits), 0),
                         coalesce(sum((colour IN ('red', 'yellow') AND due < ?1)
                             OR (colour IN ('purple', 'orange') AND due <= ?1)), 0),
                         coalesce(sum(colour IN ('purple', 'orange')
                             AND coalesce(said_on, '') < ?1), 0)
                     FROM person",
                )?
                .query_row([&today], |row| {
                    let count = |column| Ok::<_, rusqlite::Error>(from_sql(row.get(column)?));
                    Ok((count(0)?, count(1)?, count(2)?, count(3)?))
                })?;
            let mut select = reader.prepare_cached(
                "SELECT colour, count(*) FROM person WHERE colour IS NOT NULL GROUP BY colour",
            )?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let colour = colour(&row.get::<_, String>(0)?)?;
                counts.colours.insert(colour, from_sql(row.get(1)?));
            }
            for source in Source::ALL {
                let mut people = 0;
                for mark in self.vault.marks("source", source.as_str()) {
                    people += reader
                        .prepare_cached(
                            "SELECT count(*) FROM person_mark WHERE kind = 'source' AND mark = ?1",
                        )?
                        .query_row([mark.as_slice()], |row| row.get::<_, i64>(0))?;
                }
                counts.sources.insert(*source, from_sql(people));
            }
            let mut select = reader.prepare_cached(
                "SELECT m.mark, min(p.number), p.colour, count(*)
                 FROM person_mark m JOIN person p ON p.number = m.person
                 WHERE m.kind = 'company' AND p.colour IS NOT NULL GROUP BY m.mark, p.colour",
            )?;
            let mut rows = select.query([])?;
            let mut companies: BTreeMap<Vec<u8>, (PersonId, BTreeMap<Colour, u64>)> =
                BTreeMap::new();
            while let Some(row) = rows.next()? {
                let first = PersonId(from_sql(row.get(1)?));
                let colours = &mut companies
                    .entry(row.get(0)?)
                    .or_insert((first, BTreeMap::new()))
                    .1;
                colours.insert(colour(&row.get::<_, String>(2)?)?, from_sql(row.get(3)?));
            }
            counts.companies = companies.into_values().collect();
            Ok(counts)
        })
    }

    fn passed(&self, date: Date) -> Result<BTreeMap<Passage, u32>, JournalError> {
        self.store.read(|reader| {
            let mut select =
                reader.prepare_cached("SELECT passage, people FROM gate_count WHERE day = ?1")?;
            let mut rows = select.query([date.to_string()])?;
            let mut passed = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let passage = Passage::parse(&row.get::<_, String>(0)?);
                passed.insert(passage.ok_or_else(|| wrong("a passage"))?, row.get(1)?);
            }
            Ok(passed)
        })
    }

    fn at_gate(&self, date: Date) -> Result<Vec<(PersonId, u32, u32)>, JournalError> {
        let (_, entered) = marked(&Mark::Entered(date));
        self.store
            .read(|reader| gate::by_company(reader, &self.vault, (date, &entered)))
    }

    fn entered_of(&self, company: &Note, date: Date) -> Result<u32, JournalError> {
        let (_, company) = marked(&Mark::company(company));
        let (_, entered) = marked(&Mark::Entered(date));
        self.store
            .read(|reader| gate::entered_of(reader, &self.vault, (&company, &entered)))
    }

    fn plan(&self, date: Date) -> Result<Plan, JournalError> {
        self.store
            .read(|reader| gate::plan(reader, &self.vault, date))
    }

    fn remind(&self, reminder: &Reminder, at: Stamp) -> Result<bool, JournalError> {
        self.store.write(|transaction| {
            let last: Option<String> = transaction
                .prepare_cached(
                    "SELECT subject FROM audit WHERE what = 'people_due' ORDER BY id DESC LIMIT 1",
                )?
                .query_row([], |row| row.get(0))
                .optional()?;
            if last == Some(reminder.date.to_string()) {
                return Ok(false);
            }
            let event = Event::PeopleDue {
                reminder: *reminder,
                at,
            };
            let (routes, epoch) = (&self.store.inner.routes, self.store.epoch());
            journal::record(transaction, routes, &epoch, &[event])?;
            Ok(true)
        })
    }

    fn imports(&self) -> Result<Vec<Import>, JournalError> {
        self.store.read(|reader| {
            let mut select = reader.prepare_cached(
                "SELECT number, source, who, at, taken, refused, state FROM person_import
                 ORDER BY number DESC",
            )?;
            let mut rows = select.query([])?;
            let mut imports = Vec::new();
            while let Some(row) = rows.next()? {
                imports.push(import_of(row)?);
            }
            Ok(imports)
        })
    }

    fn seal(&self, text: &str) -> [u8; 5] {
        self.vault.code(text)
    }
}
