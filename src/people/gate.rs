//! At the gate: what a guard sees of somebody who shows the day's code. As little as helps: the name is
//! masked, and what is known comes down to one advice. Nobody is recognised by their face; whether somebody
//! goes in is for the guard to say.

use super::colour::Colour;
use super::field::{Field, masked_name, symptoms_in};
use super::person::{Person, PersonId};
use super::register::Passage;
use super::rules::Rules;
use crate::calendar::Date;
use crate::text::{Note, named};
use std::collections::BTreeMap;

named! {
    /// What the register advises of somebody who wants to go in.
    Advice {
        /// Nothing speaks against it.
        Enter = "enter", "可以进入", "may go in";
        /// Under observation: belongs at home.
        Observed = "observed", "正在观察期，请联系物业经理", "under observation: call the manager";
        /// Came back from a key region, and nobody has looked at it yet.
        Arrived = "arrived", "来自重点地区，请联系物业经理", "back from a key region: call the manager";
        /// Said that they are ill or were with somebody who is.
        Unwell = "unwell", "申报有症状或接触史，请联系物业经理", "declared symptoms or a contact: call the manager";
        /// As many are in the building as may be.
        Full = "full", "今日人数已满", "as many as may be are in";
        /// As many of the company were let in as it said would be in.
        CompanyFull = "company_full", "该单位今日到岗人数已达计划", "as many of the company are in as it said";
    }
}

named! {
    /// Why what a company plans is not taken.
    PlanRefused {
        /// A day that is over, or too far off.
        Day = "day", "只能填写今天起14天内的日期", "the day must be today or one of the next 14";
        /// Too many companies.
        Many = "many", "单位太多", "there are too many companies on this day";
        /// Neither a name nor a number.
        Unreadable = "unreadable", "请填写单位和人数（0 到 100000）", "write the company, and a number from 0 to 100000";
    }
}

/// How many people each company said will be in on a day (到岗计划). It stays in the building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which day.
    pub date: Date,
    companies: Vec<(Note, u32)>,
}

/// A company's name, as two ways of writing it are told to be one.
fn plain(company: &Note) -> String {
    company.as_str().to_lowercase()
}

impl Plan {
    /// Days ahead for which somebody plans.
    pub const AHEAD: u16 = 14;

    /// Most people of one company.
    pub const MOST_PEOPLE: u32 = 100_000;

    /// Most companies of one building.
    const MOST: usize = 500;

    /// Of a day for which nobody has said anything.
    #[must_use]
    pub const fn none(date: Date) -> Self {
        Self {
            date,
            companies: Vec::new(),
        }
    }

    /// A company has so many people in on this day; 0: it says nothing any more.
    ///
    /// # Errors
    /// [`PlanRefused`].
    pub fn put(&mut self, company: Note, people: u32) -> Result<(), PlanRefused> {
        if people > Self::MOST_PEOPLE {
            return Err(PlanRefused::Unreadable);
        }
        let name = plain(&company);
        let known = self.companies.iter().position(|it| plain(&it.0) == name);
        match known {
            Some(at) if people == 0 => drop(self.companies.remove(at)),
            Some(at) => {
                if let Some(company) = self.companies.get_mut(at) {
                    company.1 = people;
                }
            }
            None if people == 0 => {}
            None if self.companies.len() >= Self::MOST => return Err(PlanRefused::Many),
            None => self.companies.push((company, people)),
        }
        Ok(())
    }

    /// Each company with its people, in the order in which they were entered.
    #[must_use]
    pub fn companies(&self) -> &[(Note, u32)] {
        &self.companies
    }

    /// How many a company said; `None`: nothing.
    #[must_use]
    pub fn of(&self, company: &Note) -> Option<u32> {
        let name = plain(company);
        let found = self.companies.iter().find(|it| plain(&it.0) == name);
        found.map(|it| it.1)
    }

    /// All companies together.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.companies.iter().map(|it| u64::from(it.1)).sum()
    }
}

/// What a guard sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// Whose code it is.
    pub id: PersonId,
    /// The name, masked.
    pub name: String,
    /// Where they belong.
    pub company: Option<Note>,
    /// On which floor.
    pub floor: Option<Note>,
    /// Their colour.
    pub colour: Option<Colour>,
    /// What the register advises.
    pub advice: Advice,
}

impl Glance {
    /// Of a person, while so many were let in today; `company_full`: as many of their company as it said.
    #[must_use]
    pub fn of(person: &Person, (entered, company_full): (u32, bool), rules: &Rules) -> Self {
        let value = |field| person.value(field).cloned();
        let is_ill = value(Field::Symptoms).is_some_and(|it| !symptoms_in(&it).is_empty());
        let was_near = value(Field::Contact).is_some_and(|it| it.as_str() == "yes");
        let colour = person.follow.colour();
        let advice = match colour {
            Some(colour) if colour.is_observed() => Advice::Observed,
            Some(colour) if colour.is_expected() => Advice::Arrived,
            _ if is_ill || was_near => Advice::Unwell,
            _ if person.follow.proposal.is_some() => Advice::Arrived,
            _ if rules.daily_cap.is_some_and(|cap| entered >= cap) => Advice::Full,
            _ if company_full => Advice::CompanyFull,
            _ => Advice::Enter,
        };
        Self {
            id: person.id,
            name: value(Field::Name).map_or_else(String::new, |it| masked_name(&it)),
            company: value(Field::Company),
            floor: value(Field::Floor),
            colour,
            advice,
        }
    }
}

/// One company's day at the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanyDay {
    /// Its name; `None`: nobody said where they belong.
    pub company: Option<Note>,
    /// How many it said would be in; `None`: nothing was said.
    pub planned: Option<u32>,
    /// How many of its people are expected back from elsewhere.
    pub returning: u32,
    /// How many of its people were let in.
    pub entered: u32,
}

impl CompanyDay {
    /// Whether as many were let in as it said.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.planned.is_some_and(|planned| self.entered >= planned)
    }
}

/// The gate's day.
#[derive(Clone, Debug, PartialEq)]
pub struct GateDay {
    /// Which.
    pub date: Date,
    /// How many of each kind.
    pub passed: BTreeMap<Passage, u32>,
    /// Most that may be let in.
    pub cap: Option<u32>,
    /// Who is expected and who is in, by company.
    pub companies: Vec<CompanyDay>,
}

impl GateDay {
    /// How many of a kind.
    #[must_use]
    pub fn count(&self, passage: Passage) -> u32 {
        self.passed.get(&passage).copied().unwrap_or(0)
    }

    /// A day with these companies: those of the plan first, in its order; what is said of one company under two
    /// spellings is added up.
    pub(super) fn of(
        (plan, passed): (&Plan, BTreeMap<Passage, u32>),
        cap: Option<u32>,
        at_gate: impl IntoIterator<Item = (Option<Note>, u32, u32)>,
    ) -> Self {
        let planned = plan.companies().iter().map(|it| CompanyDay {
            company: Some(it.0.clone()),
            planned: Some(it.1),
            returning: 0,
            entered: 0,
        });
        let mut companies: Vec<CompanyDay> = planned.collect();
        for (company, returning, entered) in at_gate {
            let name = company.as_ref().map(plain);
            let same = |it: &&mut CompanyDay| it.company.as_ref().map(plain) == name;
            match companies.iter_mut().find(same) {
                Some(known) => {
                    known.returning += returning;
                    known.entered += entered;
                }
                None => companies.push(CompanyDay {
                    planned: None,
                    company,
                    returning,
                    entered,
                }),
            }
        }
        Self {
            date: plan.date,
            passed,
            cap,
            companies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Note {
        Note::name(text).unwrap()
    }

    #[test]
    fn a_company_says_its_number_once_and_takes_it_back_with_nought() {
        let mut plan = Plan::none("2020-02-25".parse().unwrap());
        plan.put(name("Gubei Trade"), 12).unwrap();
        plan.put(name("古北物业"), 30).unwrap();
        plan.put(name("GUBEI trade"), 20).unwrap();
        assert_eq!((plan.companies().len(), plan.people()), (2, 50));
        assert_eq!(plan.of(&name("gubei trade")), Some(20));
        plan.put(name("古北物业"), 0).unwrap();
        assert_eq!(plan.of(&name("古北物业")), None);
        let many = plan.put(name("古北物业"), Plan::MOST_PEOPLE + 1);
        assert_eq!(many, Err(PlanRefused::Unreadable));
    }

    #[test]
    fn no_more_companies_are_taken_than_a_building_has() {
        let mut plan = Plan::none("2020-02-25".parse().unwrap());
        for number in 0..Plan::MOST {
            plan.put(name(&format!("C{number}")), 1).unwrap();
        }
        assert_eq!(plan.put(name("one more"), 1), Err(PlanRefused::Many));
        assert_eq!(plan.put(name("c0"), 2), Ok(()));
    }

    #[test]
    fn plan_and_gate_are_one_line_for_each_company() {
        let mut plan = Plan::none("2020-02-25".parse().unwrap());
        plan.put(name("Gubei Trade"), 12).unwrap();
        let at_gate = [
            (Some(name("gubei trade")), 1, 4),
            (Some(name("GUBEI TRADE")), 0, 2),
            (None, 2, 0),
        ];
        let day = GateDay::of((&plan, BTreeMap::new()), None, at_gate);
        let said: Vec<_> = day
            .companies
            .iter()
            .map(|it| (it.planned, it.returning, it.entered))
            .collect();
        assert_eq!(said, [(Some(12), 1, 6), (None, 2, 0)]);
    }
}
