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
    /// Of a person, while so many were let in today.
    #[must_use]
    pub fn of(person: &Person, entered: u32, rules: &Rules) -> Self {
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

/// The gate's day.
#[derive(Clone, Debug, PartialEq)]
pub struct GateDay {
    /// Which.
    pub date: Date,
    /// How many of each kind.
    pub passed: BTreeMap<Passage, u32>,
    /// Most that may be let in.
    pub cap: Option<u32>,
    /// Who is expected, by company.
    pub expected: Vec<(Option<Note>, u32)>,
}

impl GateDay {
    /// How many of a kind.
    #[must_use]
    pub fn count(&self, passage: Passage) -> u32 {
        self.passed.get(&passage).copied().unwrap_or(0)
    }
}
