//! What anybody may do: open the form of a poster, and declare their health. Nothing can be read by it: the
//! answer is the same whether somebody is known or not.

use super::super::field::{Field, FieldWrong, Said, Wrong};
use super::super::person::{Code, Person};
use super::super::register::{Deed, Entry};
use super::super::source::{Record, Source};
use super::{Desk, DeskError};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::text::Note;
use std::sync::PoisonError;

/// A poster at an entrance or on a floor, with the last day on which its code is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Poster {
    /// Where it hangs.
    pub place: Note,
    /// Its last day.
    pub until: Date,
    /// What shows that it is ours.
    pub seal: Code,
}

/// What must be declared.
const NEEDED: [Field; 4] = [Field::Name, Field::Phone, Field::Symptoms, Field::Contact];

/// Most declarations of one person on one day.
const A_DAY: usize = 5;

impl Desk {
    fn poster_seal(&self, place: &Note, until: Date) -> Code {
        let text = format!("poster\n{place}\n{until}");
        Code::of(self.register.seal(&text))
    }

    /// A poster for a place.
    #[must_use]
    pub fn poster(&self, place: Note, until: Date) -> Poster {
        Poster {
            seal: self.poster_seal(&place, until),
            place,
            until,
        }
    }

    /// The poster that somebody scanned.
    ///
    /// # Errors
    /// [`DeskError::PosterVoid`] where it is not ours or out of date.
    pub fn scanned(
        &self,
        (place, until, seal): (&str, &str, &str),
        now: Stamp,
    ) -> Result<Poster, DeskError> {
        let void = DeskError::PosterVoid;
        let place = Note::name(place).ok_or(void.clone())?;
        let until: Date = until.parse().map_err(|_| void.clone())?;
        let seal = Code::typed(seal).ok_or(void.clone())?;
        let poster = self.poster(place, until);
        if poster.seal != seal || poster.until < self.today(now)? {
            return Err(void);
        }
        Ok(poster)
    }

    /// What somebody declares, looked at before it is taken.
    ///
    /// # Errors
    /// [`DeskError::Fields`] with everything that is wrong.
    pub fn declaration<'a>(
        &self,
        written: impl IntoIterator<Item = (Field, &'a str)>,
        agreed: bool,
        now: Stamp,
    ) -> Result<Said, DeskError> {
        let today = self.today(now)?;
        let written: Vec<(Field, &str)> = written.into_iter().collect();
        let mut wrong = Vec::new();
        match Said::read(written.iter().copied()) {
            Err(all) => {
                let is_given = |field| {
                    let mut all = written.iter();
                    all.any(|it| it.0 == field && !it.1.trim().is_empty())
                };
                let lacking = NEEDED.into_iter().filter(|field| !is_given(*field));
                wrong.extend(all);
                wrong.extend(lacking.map(|field| FieldWrong {
                    field,
                    wrong: Wrong::Empty,
                }));
            }
            Ok(said) => {
                wrong.extend(said.lacking(&NEEDED));
                wrong.extend(said.impossible_dates(today));
                if wrong.is_empty() && agreed {
                    return Ok(said);
                }
            }
        }
        if !agreed {
            wrong.push(FieldWrong {
                field: Field::Name,
                wrong: Wrong::NoConsent,
            });
        }
        Err(DeskError::Fields(wrong))
    }

    /// Declares one's health, from an address; gives the code of the day. Whoever sends this sees nothing of
    /// what is known.
    ///
    /// # Errors
    /// [`DeskError::TooOften`] from one address, from all, or of one person.
    pub fn declare(&self, said: &Said, address: &str, now: Stamp) -> Result<Code, DeskError> {
        let today = self.today(now)?;
        self.flood
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(address, now)
            .map_err(DeskError::TooOften)?;
        let said_before = |person: &Person| {
            let sent = person.records.iter().filter(|it| {
                it.source == Source::Declared && self.days.date_at(it.at.wall) == Some(today)
            });
            sent.count()
        };
        self.take_in(said, |person, id| {
            if person.as_ref().is_some_and(|it| said_before(it) >= A_DAY) {
                // As long as if the address were full: it says nothing of who is known.
                return Err(DeskError::TooOften(std::time::Duration::from_mins(10)));
            }
            let record = Record {
                source: Source::Declared,
                at: now,
                by: None,
                said: said.clone(),
                import: None,
                screening: None,
            };
            let mut person = self.with(person, record, today);
            let text = format!("code\n{id}\n{today}");
            let code = Code::of(self.register.seal(&text));
            person.code = Some((today, code.clone()));
            person.consent = Some((self.rules.version, now));
            let entry = Entry {
                deed: Deed::Declared,
                subject: id.to_string(),
                by: None,
                at: now,
            };
            Ok((person, entry, code))
        })
    }
}
