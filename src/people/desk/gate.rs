//! At the gate: codes are checked, people let in or not by the guard's own act, couriers counted; a fever
//! that was confirmed leads to whoever had said that the screening is theirs.

use super::super::colour::Colour;
use super::super::field::Field;
use super::super::follow::{Proposal, Reason};
use super::super::gate::{GateDay, Glance};
use super::super::person::{Code, Person, PersonId, Visit};
use super::super::register::{By, Deed, Entry, Mark, Passage, Search, Write};
use super::{Desk, DeskError, signed};
use crate::clock::Stamp;
use crate::id::{AlertId, ScreeningId};
use crate::text::Note;

impl Desk {
    /// What a code of today says. The look is noted, a code that is none as well.
    ///
    /// # Errors
    /// [`DeskError::NoCode`].
    pub fn check(&self, typed: &str, by: &Note, now: Stamp) -> Result<Glance, DeskError> {
        let today = self.today(now)?;
        let marks = Code::typed(typed).map(|code| Mark::Code(today, code));
        let search = Search::by(By::Marks(marks.into_iter().collect()));
        let entered = self.entered(now)?;
        let mut found = None;
        self.register.write(&search, &mut |people, _| {
            found = people.into_iter().next();
            let entry = match &found {
                Some(person) => signed(Deed::CodeChecked, person.id.to_string(), by, now),
                None => signed(Deed::CodeUnknown, String::new(), by, now),
            };
            vec![Write::Note(entry)]
        })?;
        let person = found.ok_or(DeskError::NoCode)?;
        Ok(Glance::of(&person, entered, &self.rules))
    }

    fn entered(&self, now: Stamp) -> Result<u32, DeskError> {
        let passed = self.register.passed(self.today(now)?)?;
        Ok(passed.get(&Passage::Entered).copied().unwrap_or(0))
    }

    /// Lets somebody in, or not. Who says that the screening of a moment ago was theirs is tied to it by that:
    /// never by a face.
    ///
    /// # Errors
    /// [`DeskError::NoPerson`].
    pub fn pass(
        &self,
        id: PersonId,
        (entered, screening): (bool, Option<ScreeningId>),
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        let today = self.today(now)?;
        let mut done = Err(DeskError::NoPerson);
        self.register.write(&Search::one(id), &mut |found, _| {
            let Some(mut person) = found.into_iter().next() else {
                return Vec::new();
            };
            done = Ok(());
            person.visits.push(Visit {
                at: now,
                date: today,
                by: by.clone(),
                entered,
                screening,
            });
            let surplus = person.visits.len().saturating_sub(Person::MOST_VISITS);
            person.visits.drain(..surplus);
            person.last = person.last.max(today);
            let (deed, passage) = if entered {
                (Deed::Passed, Passage::Entered)
            } else {
                (Deed::TurnedBack, Passage::TurnedBack)
            };
            let entry = signed(deed, id.to_string(), by, now);
            vec![
                self.keep(person),
                Write::Pass(today, passage, 1),
                Write::Note(entry),
            ]
        })?;
        done
    }

    /// Counts somebody of whom nothing is asked: a courier, a takeaway.
    ///
    /// # Errors
    /// Where the register cannot be written.
    pub fn count(&self, passage: Passage, now: Stamp) -> Result<(), DeskError> {
        let today = self.today(now)?;
        let nobody = Search::by(By::Numbers(Vec::new()));
        let pass = || vec![Write::Pass(today, passage, 1)];
        self.register.write(&nobody, &mut |_, _| pass())?;
        Ok(())
    }

    /// The gate's day: who passed, and how many of each company are expected.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn gate(&self, by: &Note, now: Stamp) -> Result<GateDay, DeskError> {
        let today = self.today(now)?;
        let entry = signed(Deed::Listed, format!("expected {today}"), by, now);
        let search = Search {
            most: super::MOST_ALIKE,
            ..Search::by(By::Expected(today))
        };
        let mut expected: Vec<(Option<Note>, u32)> = Vec::new();
        for person in self.register.look(&search, &entry)? {
            let company = person.value(Field::Company).cloned();
            match expected.iter_mut().find(|it| it.0 == company) {
                Some((_, count)) => *count += 1,
                None => expected.push((company, 1)),
            }
        }
        Ok(GateDay {
            date: today,
            passed: self.register.passed(today)?,
            cap: self.rules.daily_cap,
            expected,
        })
    }

    /// A fever was confirmed: whoever had said that the screening is theirs is proposed for medical
    /// observation. A person confirms. Gives whom.
    ///
    /// # Errors
    /// Where the register cannot be read or written.
    pub fn fever_confirmed(&self, alert: AlertId, now: Stamp) -> Result<Vec<PersonId>, DeskError> {
        let today = self.today(now)?;
        let search = Search::by(By::Marks(vec![Mark::Screening(alert)]));
        let mut proposed = Vec::new();
        self.register.write(&search, &mut |found, _| {
            proposed.clear();
            let mut writes = Vec::new();
            for mut person in found {
                let before = person.follow.proposal.clone();
                person.follow.propose(Proposal {
                    to: Colour::Purple,
                    on: today,
                    reason: Reason::FeverAtGate,
                    alert: Some(alert),
                    at: now,
                });
                if person.follow.proposal == before {
                    continue;
                }
                proposed.push(person.id);
                let entry = Entry {
                    deed: Deed::Proposed,
                    subject: format!("{} purple, alert {alert}", person.id),
                    by: None,
                    at: now,
                };
                writes.extend([self.keep(person), Write::Note(entry)]);
            }
            writes
        })?;
        Ok(proposed)
    }
}
