//! The desk at which the register is kept: everything that people do with it, each act in one step from what
//! is there to what is written, with the line of the audit that says who did it. Whoever only looks leaves a
//! line, too.

mod decide;
mod gate;
mod lists;
mod public;
mod upkeep;

pub use lists::{List, Undone};
pub use public::Poster;
pub use upkeep::Forgotten;

use super::colour::Colour;
use super::field::{Field, FieldWrong, Said};
use super::flood::Flood;
use super::follow::{Health, HealthRefused, Lack, Move, MoveRefused, Sign};
use super::gate::PlanRefused;
use super::matching::{Likeness, likeness};
use super::person::{Person, PersonId};
use super::register::{By, Deed, Entry, Erasure, Mark, Outline, Register, Search, Write};
use super::rules::Rules;
use super::source::{ImportId, Record, Source};
use crate::calendar::Date;
use crate::checklist::SiteDays;
use crate::clock::Stamp;
use crate::id::ScreeningId;
use crate::journal::JournalError;
use crate::text::Note;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskError {
    /// The store failed.
    Journal(JournalError),
    /// The gateway's clock shows no day of the calendar.
    NoDay,
    /// What was written in some fields.
    Fields(Vec<FieldWrong>),
    /// The step is refused.
    Move(MoveRefused),
    /// The entry on the health is refused.
    Health(HealthRefused),
    /// There is no such person: erased, or merged into another one.
    NoPerson,
    /// It was sent too often: wait so long.
    TooOften(Duration),
    /// There is no such code today.
    NoCode,
    /// The poster is not ours, or out of date.
    PosterVoid,
    /// There is no such list, or it was taken back already.
    NoImport,
    /// The list's heading lacks these fields.
    Heading(Vec<Field>),
    /// There is nothing of this kind to decide: somebody else did.
    Decided,
    /// What a company plans is refused.
    Plan(PlanRefused),
    /// More people are on the list than are given out in one file.
    TooMany,
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::NoDay => f.write_str("the gateway's clock shows no day: set it"),
            Self::Fields(all) => {
                for (n, wrong) in all.iter().enumerate() {
                    write!(f, "{}{wrong}", if n == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
            Self::Move(why) => f.write_str(why.en()),
            Self::Plan(why) => f.write_str(why.en()),
            Self::TooMany => write!(
                f,
                "more than {} people are on the list: take it by colour",
                Desk::MOST_GIVEN
            ),
            Self::Health(why) => f.write_str(why.en()),
            Self::NoPerson => f.write_str(
                "there is no such person in the register: erased, or merged into another one",
            ),
            Self::TooOften(wait) => {
                write!(f, "sent too often: try again in {} s", wait.as_secs() + 1)
            }
            Self::NoCode => f.write_str("there is no such code today: ask to declare again"),
            Self::PosterVoid => {
                f.write_str("the poster is out of date: scan the one at the entrance")
            }
            Self::NoImport => f.write_str("there is no such list, or it was taken back already"),
            Self::Heading(fields) => {
                f.write_str("the list's heading lacks ")?;
                for (n, field) in fields.iter().enumerate() {
                    write!(
                        f,
                        "{}{} {}",
                        if n == 0 { "" } else { ", " },
                        field.zh(),
                        field.en()
                    )?;
                }
                f.write_str(": say which column it is")
            }
            Self::Decided => f.write_str("somebody decided this already: reload the page"),
        }
    }
}

impl std::error::Error for DeskError {}

impl From<JournalError> for DeskError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// A person with what the calendar says of them today.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The person.
    pub person: Person,
    /// What their follow-up lacks.
    pub lacks: Vec<Lack>,
}

/// What somebody enters of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Entered {
    /// By which source.
    pub source: Source,
    /// What.
    pub said: Said,
    /// Who; `None`: the person.
    pub by: Option<Note>,
    /// The screening that led to it.
    pub screening: Option<ScreeningId>,
}

/// The desk.
pub struct Desk {
    rules: Arc<Rules>,
    register: Arc<dyn Register>,
    days: Arc<dyn SiteDays>,
    flood: Mutex<Flood>,
    /// Held while a day's plan is read and written.
    planning: Mutex<()>,
    /// The day on which staff were reminded last, as far as it is known.
    reminded: Mutex<Option<Date>>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk with these rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>, register: Arc<dyn Register>, days: Arc<dyn SiteDays>) -> Self {
        Self {
            rules,
            register,
            days,
            flood: Mutex::default(),
            planning: Mutex::default(),
            reminded: Mutex::default(),
        }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The date on the wall.
    ///
    /// # Errors
    /// Where the clock shows none.
    pub fn today(&self, now: Stamp) -> Result<Date, DeskError> {
        self.days.date_at(now.wall).ok_or(DeskError::NoDay)
    }

    fn keep(&self, person: Person) -> Write {
        let outline = Outline::of(&person, &self.rules);
        Write::Keep(Box::new(person), outline)
    }

    fn seen(&self, person: Person, today: Date) -> Seen {
        let last = person.follow.steps.last();
        let entered = last.and_then(|it| self.days.date_at(it.at.wall));
        let lacks = person.lacks(entered, today);
        Seen { person, lacks }
    }

    /// One person. The look is noted.
    ///
    /// # Errors
    /// [`DeskError::NoPerson`].
    pub fn person(&self, id: PersonId, by: &Note, now: Stamp) -> Result<Seen, DeskError> {
        let today = self.today(now)?;
        let entry = signed(Deed::Viewed, id.to_string(), by, now);
        let mut found = self.register.look(&Search::one(id), &entry)?;
        let person = found.pop().ok_or(DeskError::NoPerson)?;
        Ok(self.seen(person, today))
    }

    /// Some people, in the order of their numbers, [`Search::PAGE`] at most where nothing else is asked.
    /// The look is noted.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn people(&self, search: &Search, by: &Note, now: Stamp) -> Result<Vec<Seen>, DeskError> {
        let today = self.today(now)?;
        let entry = signed(Deed::Listed, about(&search.by), by, now);
        let found = self.register.look(search, &entry)?;
        Ok(found.into_iter().map(|it| self.seen(it, today)).collect())
    }

    /// Most people of a list that is given out in one file: nobody follows up more by telephone, and no file
    /// with the whole register lies about.
    pub const MOST_GIVEN: usize = 10_000;

    /// Everybody on a list, to be given out in a file of this kind. A line says so before anybody is shown.
    ///
    /// # Errors
    /// [`DeskError::TooMany`] beyond [`Desk::MOST_GIVEN`]; where the register cannot be read.
    pub fn give_list(
        &self,
        list: &By,
        (kind, by): (&str, &Note),
        now: Stamp,
    ) -> Result<Vec<Seen>, DeskError> {
        let today = self.today(now)?;
        let subject = format!("{} {kind}", about(list));
        let entry = signed(Deed::ListExported, subject, by, now);
        let search = Search {
            most: u32::try_from(Self::MOST_GIVEN + 1).unwrap_or(u32::MAX),
            ..Search::by(list.clone())
        };
        let found = self.register.look(&search, &entry)?;
        if found.len() > Self::MOST_GIVEN {
            return Err(DeskError::TooMany);
        }
        Ok(found.into_iter().map(|it| self.seen(it, today)).collect())
    }

    /// Who has this phone number or this name.
    ///
    /// # Errors
    /// [`DeskError::Fields`] where the text is neither.
    pub fn find(&self, text: &str, by: &Note, now: Stamp) -> Result<Vec<Seen>, DeskError> {
        let phone = Field::Phone.read(text).map(|it| Mark::phone(&it));
        let name = || Field::Name.read(text).map(|it| Mark::name(&it));
        let mark = phone.or_else(|_| name()).map_err(|wrong| {
            DeskError::Fields(vec![FieldWrong {
                field: Field::Name,
                wrong,
            }])
        })?;
        self.people(&Search::by(By::Marks(vec![mark])), by, now)
    }

    /// One act on one person: `act` changes them, and says what was done.
    fn act<T>(
        &self,
        id: PersonId,
        (by, now): (Option<&Note>, Stamp),
        act: impl Fn(&mut Person, Date) -> Result<(T, Deed, String), DeskError>,
    ) -> Result<T, DeskError> {
        let today = self.today(now)?;
        let mut done = Err(DeskError::NoPerson);
        self.register.write(&Search::one(id), &mut |found, _| {
            let Some(mut person) = found.into_iter().next() else {
                return Vec::new();
            };
            match act(&mut person, today) {
                Ok((value, deed, about)) => {
                    done = Ok(value);
                    person.last = person.last.max(today);
                    let subject = match about.as_str() {
                        "" => id.to_string(),
                        about => format!("{id} {about}"),
                    };
                    let entry = Entry {
                        deed,
                        subject,
                        by: by.cloned(),
                        at: now,
                    };
                    vec![self.keep(person), Write::Note(entry)]
                }
                Err(error) => {
                    done = Err(error);
                    Vec::new()
                }
            }
        })?;
        done
    }

    /// Enters what a source says of somebody: of whoever is known by it, or of somebody new. Whoever may be
    /// the same is noted as a doubt for a person to decide.
    ///
    /// # Errors
    /// [`DeskError::Fields`] where neither name nor phone is said, or a date cannot be.
    pub fn enter(&self, entered: &Entered, now: Stamp) -> Result<PersonId, DeskError> {
        let today = self.today(now)?;
        let mut wrong = entered.said.lacking(&[Field::Name]);
        wrong.extend(entered.said.impossible_dates(today));
        if !wrong.is_empty() {
            return Err(DeskError::Fields(wrong));
        }
        let deed = match entered.source {
            Source::Declared => Deed::Declared,
            _ => Deed::Recorded,
        };
        self.take_in(&entered.said, |person, id| {
            let entry = Entry {
                deed,
                subject: format!("{id} {}", entered.source.as_str()),
                by: entered.by.clone(),
                at: now,
            };
            let record = Record {
                source: entered.source,
                at: now,
                by: entered.by.clone(),
                said: entered.said.clone(),
                import: None,
                screening: entered.screening,
            };
            Ok((self.with(person, record, today), entry, id))
        })
    }

    /// Somebody with one more record, or somebody new.
    fn with(&self, person: Option<Person>, record: Record, today: Date) -> Person {
        match person {
            Some(mut person) => {
                person.add(record, &self.rules, today);
                person
            }
            None => Person::new(record, &self.rules, today),
        }
    }

    /// Takes in what was said: `make` has the one who is known by it, or nobody, and the number that they
    /// have or will have. Who may be the same as somebody new is noted as a doubt.
    fn take_in<T>(
        &self,
        said: &Said,
        make: impl Fn(Option<Person>, PersonId) -> Result<(Person, Entry, T), DeskError>,
    ) -> Result<T, DeskError> {
        let search = alike(Mark::alike(said));
        let mut done = Err(DeskError::NoPerson);
        self.register.write(&search, &mut |found, next| {
            let (same, doubtful) = sorted(said, found);
            let id = same.as_ref().map_or(next, |it| it.id);
            let is_new = same.is_none();
            match make(same, id) {
                Ok((mut person, entry, value)) => {
                    person.id = id;
                    if is_new {
                        person.doubts = doubtful;
                    }
                    done = Ok(value);
                    vec![self.keep(person), Write::Note(entry)]
                }
                Err(error) => {
                    done = Err(error);
                    Vec::new()
                }
            }
        })?;
        done
    }

    /// Moves somebody to another colour, from a day on; `to` is `None` for whoever is not followed any more.
    /// A release is confirmed with today's date, so that no wrong clock releases anybody.
    ///
    /// # Errors
    /// [`DeskError::Move`].
    pub fn move_to(
        &self,
        id: PersonId,
        (to, on): (Option<Colour>, Date),
        sign: &Sign,
        now: Stamp,
    ) -> Result<(), DeskError> {
        self.act(id, (Some(&sign.by), now), |person, today| {
            if to == Some(Colour::Green) && on != today {
                return Err(DeskError::Move(MoveRefused::Clock));
            }
            let from = person.follow.colour();
            let wanted = Move {
                to,
                on,
                expected: person.date(Field::Expected),
                sign: Some(sign.clone()),
                at: now,
                today,
            };
            person
                .follow
                .take(wanted, &self.rules)
                .map_err(DeskError::Move)?;
            Ok(((), Deed::Moved, format!("{} → {}", word(from), word(to))))
        })
    }

    /// Takes the step that is proposed.
    ///
    /// # Errors
    /// [`DeskError::Decided`] where none is; [`DeskError::Move`].
    pub fn confirm(&self, id: PersonId, sign: &Sign, now: Stamp) -> Result<Colour, DeskError> {
        self.act(id, (Some(&sign.by), now), |person, today| {
            let Some(proposal) = person.follow.proposal.clone() else {
                return Err(DeskError::Decided);
            };
            let from = person.follow.colour();
            // Observation that began before the last step is counted from that step on.
            let last = person.follow.steps.last().map(|it| it.on);
            let wanted = Move {
                to: Some(proposal.to),
                on: last.map_or(proposal.on, |last| proposal.on.max(last)),
                expected: person.date(Field::Expected),
                sign: Some(sign.clone()),
                at: now,
                today,
            };
            person
                .follow
                .take(wanted, &self.rules)
                .map_err(DeskError::Move)?;
            let step = format!("{} → {}", word(from), proposal.to.as_str());
            Ok((proposal.to, Deed::Moved, step))
        })
    }

    /// Turns the proposal down.
    ///
    /// # Errors
    /// [`DeskError::Decided`] where there is none.
    pub fn decline(&self, id: PersonId, by: &Note, now: Stamp) -> Result<(), DeskError> {
        self.act(id, (Some(by), now), |person, _| {
            match person.follow.proposal.take() {
                Some(proposal) => Ok(((), Deed::Declined, proposal.to.as_str().to_owned())),
                None => Err(DeskError::Decided),
            }
        })
    }

    /// Enters a day's health of somebody who is observed.
    ///
    /// # Errors
    /// [`DeskError::Health`].
    pub fn enter_health(&self, id: PersonId, health: &Health, now: Stamp) -> Result<(), DeskError> {
        self.act(id, (health.by.as_ref(), now), |person, today| {
            let entered = person.follow.enter(health.clone(), today);
            entered.map_err(DeskError::Health)?;
            Ok(((), Deed::HealthEntered, health.date.to_string()))
        })
    }

    /// Everything that is known of one person, for that person.
    ///
    /// # Errors
    /// [`DeskError::NoPerson`].
    pub fn export(&self, id: PersonId, by: &Note, now: Stamp) -> Result<Person, DeskError> {
        let entry = signed(Deed::Exported, id.to_string(), by, now);
        let mut found = self.register.look(&Search::one(id), &entry)?;
        found.pop().ok_or(DeskError::NoPerson)
    }

    /// Erases everything of a person before the rules say so. The line of the audit
    /// is the proof; copies of the database made before have them until they are pruned.
    ///
    /// # Errors
    /// [`DeskError::NoPerson`].
    pub fn erase(
        &self,
        id: PersonId,
        (why, by): (Erasure, &Note),
        now: Stamp,
    ) -> Result<(), DeskError> {
        let mut done = Err(DeskError::NoPerson);
        self.register.write(&Search::one(id), &mut |found, _| {
            let Some(person) = found.first() else {
                return Vec::new();
            };
            done = Ok(());
            let subject = format!("{id} {} {}", why.as_str(), held(person));
            let entry = signed(Deed::Erased, subject, by, now);
            vec![Write::Erase(id), Write::Note(entry)]
        })?;
        done
    }
}

/// Most people that one mark leads to: some names, and some companies' phones, are many people's.
const MOST_ALIKE: u32 = 20;

/// Most people of whom it is asked whether they are this one: nobody goes through more.
const MOST_DOUBTS: usize = 10;

/// Whoever may be one of those who are searched by these marks.
fn alike(marks: BTreeSet<Mark>) -> Search {
    Search {
        most: MOST_ALIKE,
        ..Search::by(By::Each(marks))
    }
}

/// A line of a person.
fn signed(deed: Deed, subject: String, by: &Note, at: Stamp) -> Entry {
    Entry {
        deed,
        subject,
        by: Some(by.clone()),
        at,
    }
}

/// A colour's word.
const fn word(colour: Option<Colour>) -> &'static str {
    match colour {
        Some(colour) => colour.as_str(),
        None => "none",
    }
}

/// What was asked for, without what was searched.
fn about(by: &By) -> String {
    match by {
        By::All => "all".to_owned(),
        By::Numbers(numbers) => {
            let numbers: Vec<String> = numbers.iter().take(20).map(PersonId::to_string).collect();
            numbers.join(" ")
        }
        By::Marks(_) | By::Each(_) => "search".to_owned(),
        By::Colour(colour) => colour.as_str().to_owned(),
        By::Due(date) => format!("due {date}"),
        By::Unsaid(date) => format!("health missing {date}"),
        By::Expected(date) => format!("expected {date}"),
        By::Waiting => "waiting".to_owned(),
        By::Forgettable(date) => format!("to be erased {date}"),
        By::OlderKey => "older key".to_owned(),
    }
}

/// How much is held of a person, without what.
fn held(person: &Person) -> String {
    format!(
        "records={} steps={} health={} visits={}",
        person.records.len(),
        person.follow.steps.len(),
        person.follow.health.len(),
        person.visits.len()
    )
}

/// The one who is the same, and who may be.
fn sorted(said: &Said, found: Vec<Person>) -> (Option<Person>, Vec<PersonId>) {
    let (mut same, mut doubtful) = (None, Vec::new());
    for person in found {
        match likeness(said, &person) {
            Likeness::Same if same.is_none() => same = Some(person),
            Likeness::Same | Likeness::Doubtful => doubtful.push(person.id),
            Likeness::Other => {}
        }
    }
    doubtful.truncate(MOST_DOUBTS);
    (same, doubtful)
}

/// The numbers of a list, for the audit.
fn import_word(id: ImportId) -> String {
    format!("list {}", id.0)
}
