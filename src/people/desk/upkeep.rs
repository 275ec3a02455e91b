//! What the register does by itself: totals, what is due, and erasing by rule.

use super::super::colour::Colour;
use super::super::field::Field;
use super::super::gate::Plan;
use super::super::person::{Person, PersonId};
use super::super::register::{By, Counts, Deed, Entry, Search, Write};
use super::super::source::Source;
use super::super::totals::{CompanyTotals, Reminder, Totals, told};
use super::{Desk, DeskError, held, signed};
use crate::calendar::Date;
use crate::clock::{ClockTrust, Stamp};
use crate::text::Note;
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// What was erased by rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// People of whom some fields were erased.
    pub trimmed: u64,
    /// People who are gone.
    pub erased: u64,
}

impl Desk {
    /// What is counted, exactly: for whoever may see the register.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn counts(&self, now: Stamp) -> Result<Counts, DeskError> {
        Ok(self.register.counts(self.today(now)?)?)
    }

    /// The totals of the day as they may leave the building.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn totals(&self, now: Stamp) -> Result<Totals, DeskError> {
        let counts = self.counts(now)?;
        let below = self.rules.mask_below;
        let of = |colour: &Colour| counts.colours.get(colour).copied().unwrap_or(0);
        let colours: Vec<u64> = Colour::ALL.iter().map(of).collect();
        let of = |source: &Source| counts.sources.get(source).copied().unwrap_or(0);
        let sources: Vec<u64> = Source::ALL.iter().map(of).collect();
        let colours = Colour::ALL.iter().copied().zip(told(&colours, below));
        let sources = Source::ALL.iter().copied().zip(told(&sources, below));
        Ok(Totals {
            colours: colours.collect(),
            sources: sources.collect(),
            waiting: counts.waiting,
            overdue: counts.overdue,
            unsaid: counts.unsaid,
        })
    }

    /// Notes the totals that are told today, for the day's report.
    ///
    /// # Errors
    /// Where the register cannot be written.
    pub fn tell(&self, totals: &Totals, now: Stamp) -> Result<(), DeskError> {
        let today = self.today(now)?;
        self.note(&[Write::Tell(today, now, totals.colours.clone())])
    }

    /// The totals of each company, most people first. The look is noted.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn companies(&self, by: &Note, now: Stamp) -> Result<Vec<CompanyTotals>, DeskError> {
        let counts = self.counts(now)?;
        let first: Vec<PersonId> = counts.companies.iter().map(|it| it.0).collect();
        let names = self.company_names(&first, ("companies", by), now)?;
        let of = |((_, colours), company): (&(PersonId, BTreeMap<Colour, u64>), Option<Note>)| {
            let count = |colour: &Colour| (*colour, colours.get(colour).copied().unwrap_or(0));
            CompanyTotals {
                company,
                colours: Colour::ALL.iter().map(count).collect(),
            }
        };
        let companies = counts.companies.iter().zip(names);
        let mut totals: Vec<CompanyTotals> = companies.map(of).collect();
        totals.sort_by_key(|it| {
            let people: u64 = it.colours.iter().map(|it| it.1).sum();
            std::cmp::Reverse(people)
        });
        Ok(totals)
    }

    /// The companies of these people. The look is noted.
    pub(super) fn company_names(
        &self,
        of: &[PersonId],
        (what, by): (&str, &Note),
        now: Stamp,
    ) -> Result<Vec<Option<Note>>, DeskError> {
        let search = Search {
            most: u32::try_from(of.len()).unwrap_or(u32::MAX),
            ..Search::by(By::Numbers(of.to_vec()))
        };
        let entry = signed(Deed::Listed, what.to_owned(), by, now);
        let people = self.register.look(&search, &entry)?;
        let by_id: BTreeMap<PersonId, &Person> = people.iter().map(|it| (it.id, it)).collect();
        let name = |id: &PersonId| by_id.get(id)?.value(Field::Company).cloned();
        Ok(of.iter().map(name).collect())
    }

    /// Reminds staff, once a day from the hour of the rules on, where somebody's health of the day is missing or
    /// something is overdue; whether it was now.
    ///
    /// # Errors
    /// Where the register cannot be read or written.
    pub fn remind(&self, now: Stamp) -> Result<bool, DeskError> {
        let today = self.today(now)?;
        let from = self.rules.remind_at.zip(self.days.day(today));
        let from = from.map(|(time, day)| day.at(time.minutes()));
        let mut last = self.reminded.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == Some(today) || from.is_none_or(|from| now.wall < from) {
            return Ok(false);
        }
        let counts = self.counts(now)?;
        let reminder = Reminder {
            date: today,
            unsaid: counts.unsaid,
            overdue: counts.overdue,
        };
        if (reminder.unsaid, reminder.overdue) == (0, 0) {
            return Ok(false);
        }
        let is_new = self.register.remind(&reminder, now)?;
        *last = Some(today);
        Ok(is_new)
    }

    /// Erases by rule what is old: single fields first, whole people when nothing of them is needed any more.
    /// Nothing while the clock was not set, since a wrong one would erase everything. Each erasure is a line
    /// of the audit.
    ///
    /// # Errors
    /// Where the register cannot be read or written.
    pub fn forget(&self, now: Stamp) -> Result<Forgotten, DeskError> {
        let mut forgotten = Forgotten::default();
        if now.trust != ClockTrust::Synchronised {
            return Ok(forgotten);
        }
        let today = self.today(now)?;
        self.note(&[Write::DropPlans(today)])?;
        let mut after = PersonId(0);
        loop {
            let search = Search {
                after,
                ..Search::by(By::Forgettable(today))
            };
            let (before, mut last) = (forgotten, None);
            self.register.write(&search, &mut |found, _| {
                forgotten = before;
                last = found.last().map(|it| it.id);
                let one = |person| self.forget_one(person, now, &mut forgotten);
                found.into_iter().flat_map(one).collect()
            })?;
            match last {
                Some(last) => after = last,
                None => return Ok(forgotten),
            }
        }
    }

    /// Seals anew whoever is sealed with an older key; gives how many. Afterwards the old key can go.
    ///
    /// # Errors
    /// Where the register cannot be read or written.
    pub fn reseal(&self, now: Stamp) -> Result<u64, DeskError> {
        let mut resealed = 0;
        let today = self.today(now)?;
        loop {
            let mut step = 0;
            let search = Search::by(By::OlderKey);
            self.register.write(&search, &mut |found, _| {
                step = found.len() as u64;
                found.into_iter().map(|it| self.keep(it)).collect()
            })?;
            if step == 0 {
                break;
            }
            resealed += step;
        }
        if resealed > 0 {
            self.reseal_plans(today)?;
            let subject = resealed.to_string();
            let entry = Entry {
                deed: Deed::Resealed,
                subject,
                by: None,
                at: now,
            };
            self.note(&[Write::Note(entry)])?;
        }
        Ok(resealed)
    }

    fn reseal_plans(&self, today: Date) -> Result<(), DeskError> {
        let _held = self.planning.lock().unwrap_or_else(PoisonError::into_inner);
        for ahead in 0..=Plan::AHEAD {
            let plan = self.register.plan(today.plus(ahead))?;
            if !plan.companies().is_empty() {
                self.note(&[Write::Plan(plan)])?;
            }
        }
        Ok(())
    }

    fn forget_one(&self, mut person: Person, now: Stamp, forgotten: &mut Forgotten) -> Vec<Write> {
        let Ok(today) = self.today(now) else {
            return Vec::new();
        };
        let entry = |deed, subject| Entry {
            deed,
            subject,
            by: None,
            at: now,
        };
        if person.is_over(&self.rules, today) {
            forgotten.erased += 1;
            let subject = format!(
                "{} rule={} {}",
                person.id,
                self.rules.version,
                held(&person)
            );
            let line = entry(Deed::ErasedByRule, subject);
            return vec![Write::Erase(person.id), Write::Note(line)];
        }
        let fields = person.forget(&self.rules, today);
        if fields.is_empty() {
            return vec![self.keep(person)];
        }
        forgotten.trimmed += 1;
        let words: Vec<&str> = fields.iter().map(|it| it.as_str()).collect();
        let (id, rule) = (person.id, self.rules.version);
        let line = entry(
            Deed::Forgotten,
            format!("{id} rule={rule} fields={}", words.join(",")),
        );
        vec![self.keep(person), Write::Note(line)]
    }
}
