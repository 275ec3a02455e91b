//! The store's own words for a person: what is sealed into `person.sealed`. Core types are not Serialize; a
//! field renamed there must not change what is on the disk.

use super::row::{StampRow, Unreadable, celsius, wrong};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::people::{
    Code, Colour, Field, FollowUp, Health, ImportId, Person, PersonId, Proposal, Reason, Record,
    Said, Settled, Sign, Source, Step, Symptom, Visit,
};
use crate::text::Note;
use crate::units::Celsius;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// [`Person`]. The number stands in a column.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PersonRow {
    records: Vec<RecordRow>,
    settled: Vec<SettledRow>,
    doubts: Vec<u64>,
    others: Vec<u64>,
    merged: Vec<u64>,
    steps: Vec<StepRow>,
    health: Vec<HealthRow>,
    proposal: Option<ProposalRow>,
    visits: Vec<VisitRow>,
    /// Day and code.
    code: Option<(String, String)>,
    /// Version of the notice, and when.
    consent: Option<(u32, StampRow)>,
    last: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct RecordRow {
    source: String,
    at: StampRow,
    by: Option<String>,
    said: BTreeMap<String, String>,
    import: Option<u64>,
    screening: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SettledRow {
    field: String,
    value: String,
    by: String,
    at: StampRow,
    after: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct StepRow {
    to: Option<String>,
    on: String,
    due: Option<String>,
    /// Who and why.
    sign: Option<(String, String)>,
    at: StampRow,
}

#[derive(Debug, Serialize, Deserialize)]
struct HealthRow {
    date: String,
    temperature_c: Option<f64>,
    symptoms: Vec<String>,
    by: Option<String>,
    at: StampRow,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProposalRow {
    to: String,
    on: String,
    reason: String,
    alert: Option<String>,
    at: StampRow,
}

#[derive(Debug, Serialize, Deserialize)]
struct VisitRow {
    at: StampRow,
    date: String,
    by: String,
    entered: bool,
    screening: Option<String>,
    #[serde(default)]
    fever: bool,
}

fn text(note: &Note) -> String {
    note.as_str().to_owned()
}

fn numbers(ids: &[PersonId]) -> Vec<u64> {
    ids.iter().map(|it| it.0).collect()
}

impl From<&Person> for PersonRow {
    fn from(person: &Person) -> Self {
        let said = |said: &Said| {
            let values = said.iter();
            values
                .map(|(field, value)| (field.as_str().to_owned(), text(value)))
                .collect()
        };
        Self {
            records: person
                .records
                .iter()
                .map(|it| RecordRow {
                    source: it.source.as_str().to_owned(),
                    at: (&it.at).into(),
                    by: it.by.as_ref().map(text),
                    said: said(&it.said),
                    import: it.import.map(|it| it.0),
                    screening: it.screening.map(|it| it.to_string()),
                })
                .collect(),
            settled: person
                .settled
                .iter()
                .map(|it| SettledRow {
                    field: it.field.as_str().to_owned(),
                    value: text(&it.value),
                    by: text(&it.by),
                    at: (&it.at).into(),
                    after: it.after,
                })
                .collect(),
            doubts: numbers(&person.doubts),
            others: numbers(&person.others),
            merged: numbers(&person.merged),
            steps: person.follow.steps.iter().map(StepRow::from).collect(),
            health: person.follow.health.iter().map(HealthRow::from).collect(),
            proposal: person.follow.proposal.as_ref().map(|it| ProposalRow {
                to: it.to.as_str().to_owned(),
                on: it.on.to_string(),
                reason: it.reason.as_str().to_owned(),
                alert: it.alert.map(|it| it.to_string()),
                at: (&it.at).into(),
            }),
            visits: person
                .visits
                .iter()
                .map(|it| VisitRow {
                    at: (&it.at).into(),
                    date: it.date.to_string(),
                    by: text(&it.by),
                    entered: it.entered,
                    screening: it.screening.map(|it| it.to_string()),
                    fever: it.fever,
                })
                .collect(),
            code: person
                .code
                .as_ref()
                .map(|(date, code)| (date.to_string(), code.as_str().to_owned())),
            consent: person.consent.map(|(version, at)| (version, (&at).into())),
            last: person.last.to_string(),
        }
    }
}

impl From<&Step> for StepRow {
    fn from(step: &Step) -> Self {
        let sign = step.sign.as_ref();
        Self {
            to: step.to.map(|it| it.as_str().to_owned()),
            on: step.on.to_string(),
            due: step.due.map(|it| it.to_string()),
            sign: sign.map(|it| (text(&it.by), text(&it.why))),
            at: (&step.at).into(),
        }
    }
}

impl From<&Health> for HealthRow {
    fn from(health: &Health) -> Self {
        let symptoms = health.symptoms.iter();
        Self {
            date: health.date.to_string(),
            temperature_c: health.temperature.map(Celsius::degrees),
            symptoms: symptoms.map(|it| it.as_str().to_owned()).collect(),
            by: health.by.as_ref().map(text),
            at: (&health.at).into(),
        }
    }
}

fn note(text: &str) -> Result<Note, Unreadable> {
    Note::new(text).ok_or_else(|| wrong("a line"))
}

fn maybe_note(text: Option<&String>) -> Result<Option<Note>, Unreadable> {
    text.map(|it| note(it)).transpose()
}

fn date(text: &str) -> Result<Date, Unreadable> {
    text.parse().map_err(|_| wrong("a day"))
}

fn colour(word: &str) -> Result<Colour, Unreadable> {
    Colour::parse(word).ok_or_else(|| wrong("a colour"))
}

fn field(word: &str) -> Result<Field, Unreadable> {
    Field::parse(word).ok_or_else(|| wrong("a field"))
}

fn stamp(row: StampRow) -> Result<Stamp, Unreadable> {
    row.try_into()
}

fn ids(numbers: Vec<u64>) -> Vec<PersonId> {
    numbers.into_iter().map(PersonId).collect()
}

fn screening<T: std::str::FromStr>(text: Option<&String>) -> Result<Option<T>, Unreadable> {
    text.map(|it| it.parse().map_err(|_| wrong("a screening")))
        .transpose()
}

fn each<A, B>(
    rows: Vec<A>,
    read: impl Fn(A) -> Result<B, Unreadable>,
) -> Result<Vec<B>, Unreadable> {
    rows.into_iter().map(read).collect()
}

impl RecordRow {
    fn read(self) -> Result<Record, Unreadable> {
        let mut written = Vec::with_capacity(self.said.len());
        for (word, value) in &self.said {
            written.push((field(word)?, value.as_str()));
        }
        Ok(Record {
            source: Source::parse(&self.source).ok_or_else(|| wrong("a source"))?,
            at: stamp(self.at)?,
            by: maybe_note(self.by.as_ref())?,
            said: Said::read(written).map_err(|_| wrong("what was said"))?,
            import: self.import.map(ImportId),
            screening: screening(self.screening.as_ref())?,
        })
    }
}

impl SettledRow {
    fn read(self) -> Result<Settled, Unreadable> {
        Ok(Settled {
            field: field(&self.field)?,
            value: note(&self.value)?,
            by: note(&self.by)?,
            at: stamp(self.at)?,
            after: self.after,
        })
    }
}

impl StepRow {
    fn read(self) -> Result<Step, Unreadable> {
        let sign = |(by, why): (String, String)| {
            Ok::<_, Unreadable>(Sign {
                by: note(&by)?,
                why: note(&why)?,
            })
        };
        Ok(Step {
            to: self.to.as_deref().map(colour).transpose()?,
            on: date(&self.on)?,
            due: self.due.as_deref().map(date).transpose()?,
            sign: self.sign.map(sign).transpose()?,
            at: stamp(self.at)?,
        })
    }
}

impl HealthRow {
    fn read(self) -> Result<Health, Unreadable> {
        let symptom = |it: &String| Symptom::parse(it).ok_or_else(|| wrong("a symptom"));
        Ok(Health {
            date: date(&self.date)?,
            temperature: self.temperature_c.map(celsius).transpose()?,
            symptoms: self
                .symptoms
                .iter()
                .map(symptom)
                .collect::<Result<_, _>>()?,
            by: maybe_note(self.by.as_ref())?,
            at: stamp(self.at)?,
        })
    }
}

impl ProposalRow {
    fn read(self) -> Result<Proposal, Unreadable> {
        Ok(Proposal {
            to: colour(&self.to)?,
            on: date(&self.on)?,
            reason: Reason::parse(&self.reason).ok_or_else(|| wrong("a reason"))?,
            alert: screening(self.alert.as_ref())?,
            at: stamp(self.at)?,
        })
    }
}

impl VisitRow {
    fn read(self) -> Result<Visit, Unreadable> {
        Ok(Visit {
            at: stamp(self.at)?,
            date: date(&self.date)?,
            by: note(&self.by)?,
            entered: self.entered,
            screening: screening(self.screening.as_ref())?,
            fever: self.fever,
        })
    }
}

impl PersonRow {
    /// The person of this number.
    pub(super) fn read(self, id: PersonId) -> Result<Person, Unreadable> {
        let code = |(day, code): (String, String)| {
            let code = Code::typed(&code).ok_or_else(|| wrong("a code"))?;
            Ok::<_, Unreadable>((date(&day)?, code))
        };
        let consent = |(version, at): (u32, StampRow)| Ok::<_, Unreadable>((version, stamp(at)?));
        Ok(Person {
            id,
            records: each(self.records, RecordRow::read)?,
            settled: each(self.settled, SettledRow::read)?,
            doubts: ids(self.doubts),
            others: ids(self.others),
            merged: ids(self.merged),
            follow: FollowUp {
                steps: each(self.steps, StepRow::read)?,
                health: each(self.health, HealthRow::read)?,
                proposal: self.proposal.map(ProposalRow::read).transpose()?,
            },
            visits: each(self.visits, VisitRow::read)?,
            code: self.code.map(code).transpose()?,
            consent: self.consent.map(consent).transpose()?,
            last: date(&self.last)?,
        })
    }
}
