//! What a person decides where sources contradict each other, or where it is doubtful whether two are one.

use super::super::field::{Field, FieldWrong, Said};
use super::super::person::{Person, PersonId, Settled};
use super::super::register::{By, Deed, Search, Write};
use super::super::source::{Record, Source};
use super::{Desk, DeskError, signed};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::text::Note;

impl Desk {
    /// Adds what a source says of somebody who is known.
    ///
    /// # Errors
    /// [`DeskError::Fields`] where a date cannot be.
    pub fn add(
        &self,
        id: PersonId,
        (source, said): (Source, &Said),
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        self.act(id, (Some(by), now), |person, today| {
            let wrong = said.impossible_dates(today);
            if !wrong.is_empty() {
                return Err(DeskError::Fields(wrong));
            }
            let record = Record {
                source,
                at: now,
                by: Some(by.clone()),
                said: said.clone(),
                import: None,
                screening: None,
            };
            person.add(record, &self.rules, today);
            Ok(((), Deed::Recorded, source.as_str().to_owned()))
        })
    }

    /// Decides what is right where sources contradict each other.
    ///
    /// # Errors
    /// [`DeskError::Fields`] where the value is none of the field.
    pub fn settle(
        &self,
        (id, field): (PersonId, Field),
        value: &str,
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        let value = field
            .read(value)
            .map_err(|wrong| DeskError::Fields(vec![FieldWrong { field, wrong }]))?;
        self.act(id, (Some(by), now), |person, today| {
            let settled = Settled {
                field,
                value: value.clone(),
                by: by.clone(),
                at: now,
                after: person.records.len(),
            };
            person.settle(settled, &self.rules, today);
            Ok(((), Deed::Settled, field.as_str().to_owned()))
        })
    }

    /// Two of whom it was doubtful are the same: `other` goes into `id`.
    ///
    /// # Errors
    /// [`DeskError::Decided`] where it is not doubtful.
    pub fn merge(
        &self,
        id: PersonId,
        other: PersonId,
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        self.decide_doubt((id, other), (by, now), |mut one, two, today| {
            one.absorb(two, now, &self.rules, today);
            (vec![self.keep(one), Write::Erase(other)], Deed::Merged)
        })
    }

    /// Two of whom it was doubtful are two.
    ///
    /// # Errors
    /// [`DeskError::Decided`] where it is not doubtful.
    pub fn keep_apart(
        &self,
        id: PersonId,
        other: PersonId,
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        self.decide_doubt((id, other), (by, now), |mut one, mut two, _| {
            for (person, other) in [(&mut one, other), (&mut two, id)] {
                person.doubts.retain(|it| *it != other);
                person.others.push(other);
            }
            (vec![self.keep(one), self.keep(two)], Deed::KeptApart)
        })
    }

    fn decide_doubt(
        &self,
        (id, other): (PersonId, PersonId),
        (by, now): (&Note, Stamp),
        decide: impl Fn(Person, Person, Date) -> (Vec<Write>, Deed),
    ) -> Result<(), DeskError> {
        let today = self.today(now)?;
        let mut done = Err(DeskError::NoPerson);
        let search = Search::by(By::Numbers(vec![id, other]));
        self.register.write(&search, &mut |found, _| {
            let (one, two): (Vec<Person>, Vec<Person>) =
                found.into_iter().partition(|it| it.id == id);
            let (Some(one), Some(two)) = (one.into_iter().next(), two.into_iter().next()) else {
                return Vec::new();
            };
            if !one.doubts.contains(&other) && !two.doubts.contains(&id) {
                done = Err(DeskError::Decided);
                return Vec::new();
            }
            done = Ok(());
            let (mut writes, deed) = decide(one, two, today);
            writes.push(Write::Note(signed(deed, format!("{id} {other}"), by, now)));
            writes
        })?;
        done
    }
}
