//! At the gate: codes are checked, people let in or not by the guard's own act, couriers counted; a fever
//! that was confirmed leads to whoever had said that the screening is theirs.

use super::super::colour::Colour;
use super::super::field::Field;
use super::super::follow::{Proposal, Reason};
use super::super::gate::{GateDay, Glance, Plan, PlanRefused};
use super::super::person::{Code, Person, PersonId, Visit};
use super::super::register::{By, Deed, Entry, Mark, Passage, Search, Write};
use super::{Desk, DeskError, signed};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::id::{AlertId, ScreeningId};
use crate::text::Note;
use std::sync::PoisonError;

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
        let company_full = self.is_company_full(&person, today)?;
        Ok(Glance::of(&person, (entered, company_full), &self.rules))
    }

    /// Whether as many of somebody's company were let in as it said; who was in today is one of them.
    fn is_company_full(&self, person: &Person, today: Date) -> Result<bool, DeskError> {
        let was_in = |it: &Visit| it.entered && it.date == today;
        let Some(company) = person.value(Field::Company) else {
            return Ok(false);
        };
        if person.visits.iter().any(was_in) {
            return Ok(false);
        }
        Ok(match self.register.plan(today)?.of(company) {
            Some(planned) => self.register.entered_of(company, today)? >= planned,
            None => false,
        })
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
                fever: false,
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

    /// The gate's day: who passed, and of each company how many said they would be in, are expected back and
    /// were let in. The look is noted.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn gate(&self, by: &Note, now: Stamp) -> Result<GateDay, DeskError> {
        let today = self.today(now)?;
        let at_gate = self.register.at_gate(today)?;
        let first: Vec<PersonId> = at_gate.iter().map(|it| it.0).collect();
        let names = self.company_names(&first, (&format!("gate {today}"), by), now)?;
        let companies = at_gate.into_iter().zip(names);
        Ok(GateDay::of(
            (&self.register.plan(today)?, self.register.passed(today)?),
            self.rules.daily_cap,
            companies.map(|((_, returning, entered), name)| (name, returning, entered)),
        ))
    }

    /// What companies plan for a day.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn plan(&self, date: Date) -> Result<Plan, DeskError> {
        Ok(self.register.plan(date)?)
    }

    /// Enters how many of a company will be in on a day; 0: it says nothing any more.
    ///
    /// # Errors
    /// [`DeskError::Plan`].
    pub fn put_plan(
        &self,
        (date, company, people): (Date, &Note, u32),
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        let today = self.today(now)?;
        if !(0..=i64::from(Plan::AHEAD)).contains(&(date.number() - today.number())) {
            return Err(DeskError::Plan(PlanRefused::Day));
        }
        // What is planned for a day is one value: nobody writes it in between.
        let held = self.planning.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plan = self.register.plan(date)?;
        plan.put(company.clone(), people).map_err(DeskError::Plan)?;
        let entry = signed(Deed::Planned, format!("{date} {people}"), by, now);
        self.note(&[Write::Plan(plan), Write::Note(entry)])?;
        drop(held);
        Ok(())
    }

    /// A fever was confirmed: whoever had said that the screening is theirs is proposed for medical
    /// observation. A person confirms. Gives whom; nobody where it was heard before.
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
                let theirs = person
                    .visits
                    .iter_mut()
                    .filter(|it| it.screening == Some(alert));
                let news: Vec<_> = theirs.filter(|it| !it.fever).collect();
                if news.is_empty() {
                    continue;
                }
                for visit in news {
                    visit.fever = true;
                }
                let before = person.follow.proposal.clone();
                person.follow.propose(Proposal {
                    to: Colour::Purple,
                    on: today,
                    reason: Reason::FeverAtGate,
                    alert: Some(alert),
                    at: now,
                });
                if person.follow.proposal == before {
                    writes.push(self.keep(person));
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
