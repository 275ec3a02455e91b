//! Lists at the desk: tried, read in and taken back. A list of 100 000 rows is taken some hundred rows at a
//! time, each hundred in one transaction, so that memory stays small, alerts are saved in between, and what
//! was taken before the power went can be taken back.
//!
//! Whoever may be the one of a row is found by marks that hardly anybody shares (a phone with a name, a name with
//! the end of a card), so that a row costs as much among 100 000 people as among ten. Measured (`make torture`; a
//! virtual machine with 2 busy cores, without the optimiser's full strength): 100 000 rows in 56 s, the same list
//! again in 26 s, taken back in 29 s; memory grew by 6 MiB, the database has 108 MiB then.

use super::super::field::Said;
use super::super::import::{Columns, ImportReport, Row};
use super::super::person::{Person, PersonId};
use super::super::register::{By, Deed, Import, ImportState, Mark, Search, Write};
use super::super::source::{ImportId, Record, Source};
use super::{Desk, DeskError, Likeness, MOST_DOUBTS, alike, import_word, likeness, signed};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::text::Note;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one transaction: some 50 ms on a card.
const AT_ONCE: usize = 200;

/// A list that is to be read in.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Of which source.
    pub source: Source,
    /// Which column is which field.
    pub columns: Columns,
    /// Who reads it in.
    pub by: Note,
}

impl List {
    fn headed(&self) -> Result<(), DeskError> {
        match self.columns.lacking() {
            lacking if lacking.is_empty() => Ok(()),
            lacking => Err(DeskError::Heading(lacking)),
        }
    }

    /// How it stands.
    fn import(
        &self,
        id: ImportId,
        report: &ImportReport,
        (state, at): (ImportState, Stamp),
    ) -> Import {
        Import {
            id,
            source: self.source,
            by: self.by.clone(),
            at,
            taken: report.taken(),
            refused: report.refused,
            state,
        }
    }
}

/// What came of taking a list back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// People who are gone, since only this list knew them.
    pub erased: u64,
    /// People who stay, since others know them.
    pub stay: u64,
    /// People who keep what the list said, since somebody has acted on it.
    pub acted_on: u64,
}

impl Desk {
    /// What would come of a list: looked at row by row, and nothing is written.
    ///
    /// # Errors
    /// [`DeskError::Heading`]; where the register cannot be read.
    pub fn try_list(
        &self,
        list: &List,
        rows: &mut dyn Iterator<Item = Row>,
        now: Stamp,
    ) -> Result<ImportReport, DeskError> {
        self.each_chunk((list, now), rows, &mut |_| {}, None)
    }

    /// Reads a list in. `progress` hears how many rows were looked at.
    ///
    /// # Errors
    /// As [`Desk::try_list`]. What was taken before stays, and can be taken back.
    pub fn import(
        &self,
        list: &List,
        rows: &mut dyn Iterator<Item = Row>,
        now: Stamp,
        progress: &mut dyn FnMut(u64),
    ) -> Result<ImportReport, DeskError> {
        list.headed()?;
        let id = self.begin(list, now)?;
        let mut report = self.each_chunk((list, now), rows, progress, Some(id))?;
        report.id = Some(id);
        let import = list.import(id, &report, (ImportState::Ended, now));
        self.note(&[
            Write::Import(import),
            Write::Note(signed(
                Deed::ImportEnded,
                format!(
                    "{} rows={} refused={}",
                    import_word(id),
                    report.taken(),
                    report.refused
                ),
                &list.by,
                now,
            )),
        ])?;
        Ok(report)
    }

    /// Writes what has nothing to do with anybody.
    pub(super) fn note(&self, writes: &[Write]) -> Result<(), DeskError> {
        let nobody = Search::by(By::Numbers(Vec::new()));
        self.register.write(&nobody, &mut |_, _| writes.to_vec())?;
        Ok(())
    }

    fn begin(&self, list: &List, now: Stamp) -> Result<ImportId, DeskError> {
        let last = self.register.imports()?.first().map_or(0, |it| it.id.0);
        let id = ImportId(last + 1);
        let nothing = ImportReport::default();
        let import = list.import(id, &nothing, (ImportState::Begun, now));
        let subject = format!("{} {}", import_word(id), list.source.as_str());
        let entry = signed(Deed::ImportBegun, subject, &list.by, now);
        self.note(&[Write::Import(import), Write::Note(entry)])?;
        Ok(id)
    }

    fn each_chunk(
        &self,
        (list, now): (&List, Stamp),
        rows: &mut dyn Iterator<Item = Row>,
        progress: &mut dyn FnMut(u64),
        id: Option<ImportId>,
    ) -> Result<ImportReport, DeskError> {
        list.headed()?;
        let today = self.today(now)?;
        let mut report = ImportReport::default();
        let mut seen = 0;
        loop {
            let mut chunk: Vec<Said> = Vec::with_capacity(AT_ONCE);
            let mut ended = true;
            for row in (&mut *rows).take(AT_ONCE) {
                ended = false;
                seen += 1;
                match list.columns.read(&row, today) {
                    Ok(Some(said)) => chunk.push(said),
                    Ok(None) => {}
                    Err(wrong) => report.refuse(wrong),
                }
            }
            if ended {
                return Ok(report);
            }
            self.take_chunk((list, id), &chunk, &mut report, (now, today))?;
            progress(seen);
        }
    }

    fn take_chunk(
        &self,
        (list, id): (&List, Option<ImportId>),
        chunk: &[Said],
        report: &mut ImportReport,
        (now, today): (Stamp, Date),
    ) -> Result<(), DeskError> {
        let search = alike(chunk.iter().flat_map(Mark::alike).collect());
        let before = report.clone();
        self.register.write(&search, &mut |found, next| {
            let mut counted = before.clone();
            let mut book = Book::of(found, next);
            for said in chunk {
                let record = Record {
                    source: list.source,
                    at: now,
                    by: Some(list.by.clone()),
                    said: said.clone(),
                    import: id,
                    screening: None,
                };
                self.take_row(&mut book, record, &mut counted, today);
            }
            *report = counted;
            let Some(id) = id else {
                return Vec::new();
            };
            let state = (ImportState::Begun, now);
            let import = list.import(id, report, state);
            let changed = book.changed();
            changed
                .map(|person| self.keep(person))
                .chain([Write::Import(import)])
                .collect()
        })?;
        Ok(())
    }

    fn take_row(&self, book: &mut Book, record: Record, report: &mut ImportReport, today: Date) {
        let (same, doubtful) = book.alike(&record.said);
        if let Some(at) = same
            && let Some((person, changed)) = book.people.get_mut(at)
        {
            let says = |it: &Record| it.source == record.source && it.said == record.said;
            if person.records.iter().any(says) {
                report.unchanged += 1;
            } else {
                report.known += 1;
                person.add(record, &self.rules, today);
                *changed = true;
                book.mark(at);
            }
            return;
        }
        if doubtful.is_empty() {
            report.new += 1;
        } else {
            report.doubtful += 1;
        }
        let mut person = Person::new(record, &self.rules, today);
        person.doubts = doubtful;
        book.add(person);
    }

    /// Takes a list back: what it said is gone, and whoever only it knew. Where somebody has acted on it
    /// (moved the person, entered their health, let them in), it stays.
    ///
    /// # Errors
    /// [`DeskError::NoImport`].
    pub fn undo(&self, id: ImportId, by: &Note, now: Stamp) -> Result<Undone, DeskError> {
        let today = self.today(now)?;
        let all = self.register.imports()?;
        let import = all.into_iter().find(|it| it.id == id);
        let import = import
            .filter(|it| it.state != ImportState::Undone)
            .ok_or(DeskError::NoImport)?;
        let (mut undone, mut after) = (Undone::default(), PersonId(0));
        loop {
            let search = Search {
                after,
                ..Search::by(By::Marks(vec![Mark::Import(id)]))
            };
            let (before, mut last) = (undone, None);
            self.register.write(&search, &mut |found, _| {
                undone = before;
                last = found.last().map(|it| it.id);
                let step = |person| self.take_back(person, id, &mut undone, today);
                found.into_iter().filter_map(step).collect()
            })?;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        let import = Import {
            state: ImportState::Undone,
            ..import
        };
        let subject = format!("{} erased={}", import_word(id), undone.erased);
        let entry = signed(Deed::ImportUndone, subject, by, now);
        self.note(&[Write::Import(import), Write::Note(entry)])?;
        Ok(undone)
    }

    fn take_back(
        &self,
        mut person: Person,
        id: ImportId,
        undone: &mut Undone,
        today: Date,
    ) -> Option<Write> {
        if person.was_acted_on() {
            undone.acted_on += 1;
            return None;
        }
        if person.take_back(id, &self.rules, today) {
            undone.stay += 1;
            Some(self.keep(person))
        } else {
            undone.erased += 1;
            Some(Write::Erase(person.id))
        }
    }

    /// The lists that were read in, newest first.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn lists(&self) -> Result<Vec<Import>, DeskError> {
        Ok(self.register.imports()?)
    }
}

/// The people whom some rows may be of, found by phone and name.
struct Book {
    /// Each with whether something changed.
    people: Vec<(Person, bool)>,
    by_mark: BTreeMap<Mark, BTreeSet<usize>>,
    next: u64,
}

impl Book {
    fn of(found: Vec<Person>, next: PersonId) -> Self {
        let mut book = Self {
            people: Vec::with_capacity(found.len()),
            by_mark: BTreeMap::new(),
            next: next.0,
        };
        for person in found {
            book.put(person, false);
        }
        book
    }

    fn put(&mut self, person: Person, changed: bool) {
        self.people.push((person, changed));
        self.mark(self.people.len() - 1);
    }

    /// Notes by what somebody is found now.
    fn mark(&mut self, at: usize) {
        let marks = self.people.get(at).map(|it| Mark::compared(&it.0));
        for mark in marks.into_iter().flatten() {
            self.by_mark.entry(mark).or_default().insert(at);
        }
    }

    fn add(&mut self, mut person: Person) {
        person.id = PersonId(self.next);
        self.next += 1;
        self.put(person, true);
    }

    /// Who is the same, and who may be.
    fn alike(&self, said: &Said) -> (Option<usize>, Vec<PersonId>) {
        let (mut same, mut doubtful) = (None, Vec::new());
        let places: BTreeSet<usize> = Mark::alike(said)
            .iter()
            .filter_map(|mark| self.by_mark.get(mark))
            .flatten()
            .copied()
            .collect();
        for at in places {
            let Some((person, _)) = self.people.get(at) else {
                continue;
            };
            match likeness(said, person) {
                Likeness::Same if same.is_none() => same = Some(at),
                Likeness::Same | Likeness::Doubtful => doubtful.push(person.id),
                Likeness::Other => {}
            }
        }
        doubtful.truncate(MOST_DOUBTS);
        (same, doubtful)
    }

    fn changed(self) -> impl Iterator<Item = Person> {
        let all = self.people.into_iter();
        all.filter_map(|(person, changed)| changed.then_some(person))
    }
}
