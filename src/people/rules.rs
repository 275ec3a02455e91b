//! The rules of the follow-up as data, with dates: key regions (重点地区), how long observation lasts, what is
//! done in each colour (措施), what each field is for and how long it is kept.
//!
//! They change by the week and by the street office's word; so they are a file (`rules.toml`, read by
//! `config`), and this module says what a usable one is.

use super::colour::Colour;
use super::field::{Field, Said};
use crate::calendar::{Date, TimeOfDay};
use crate::text::{Words, named};
use std::collections::BTreeMap;
use std::fmt;

named! {
    /// What kind of region.
    RegionKind {
        /// 重点地区: whoever comes back from it is under medical observation.
        Key = "key", "重点地区", "key region";
        /// 其他重点地区: whoever comes back from it observes their health themself.
        OtherKey = "other_key", "其他重点地区", "other key region";
    }
}

impl RegionKind {
    /// The colour of somebody who is about to return from it.
    #[must_use]
    pub const fn before_return(self) -> Colour {
        match self {
            Self::Key => Colour::Red,
            Self::OtherKey => Colour::Yellow,
        }
    }
}

/// A region, from a date until a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: Words,
    /// Words by which it is known in what people write; small letters.
    pub words: Vec<String>,
    /// What kind.
    pub kind: RegionKind,
    /// The first day on which it is one.
    pub from: Date,
    /// The last day; without it until further notice.
    pub until: Option<Date>,
}

impl Region {
    fn is_one_on(&self, date: Date) -> bool {
        self.from <= date && self.until.is_none_or(|until| date <= until)
    }

    fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.words.iter().any(|word| text.contains(word))
    }
}

/// What a field is for, and how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// What for.
    pub purpose: Words,
    /// Days after the last thing that happened with the person.
    pub keep_days: u16,
}

/// The rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Counted up with each change: a consent names the version of the notice.
    pub version: u32,
    /// How long observation lasts, days.
    pub observation_days: u16,
    /// Totals below this are not told exactly outside; 0: every one is.
    pub mask_below: u32,
    /// Most people who may be let in on a day; `None`: no cap.
    pub daily_cap: Option<u32>,
    /// From when on staff are reminded of who is due; `None`: never.
    pub remind_at: Option<TimeOfDay>,
    /// Where couriers and takeaways leave things.
    pub deliveries: Words,
    regions: Vec<Region>,
    measures: BTreeMap<Colour, Vec<Words>>,
    fields: BTreeMap<Field, FieldRule>,
}

/// What keeps rules from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesFlaw {
    /// Observation that lasts no day, or more than two months.
    Observation,
    /// A region that ends before it begins.
    RegionEnds(String),
    /// A region without a word to know it by, or with one so short that it is in every text.
    RegionWords(String),
    /// A colour without measures.
    Measures(Colour),
    /// A field without purpose and retention.
    Field(Field),
    /// A field is kept shorter than observation lasts, or longer than a year.
    Keep(Field),
}

impl fmt::Display for RulesFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observation => f.write_str("observation_days is not from 1 to 60"),
            Self::RegionEnds(name) => write!(f, "the region {name} ends before it begins"),
            Self::RegionWords(name) => {
                write!(f, "the region {name} has no word of two characters or more")
            }
            Self::Measures(colour) => write!(f, "{} has no measures", colour.as_str()),
            Self::Field(field) => write!(f, "the field {} has no rule", field.as_str()),
            Self::Keep(field) => write!(
                f,
                "the field {} is kept shorter than observation lasts, or longer than a year",
                field.as_str()
            ),
        }
    }
}

/// Everything of which the rules are made, before it is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct RulesParts {
    /// As in [`Rules`].
    pub version: u32,
    /// As in [`Rules`].
    pub observation_days: u16,
    /// As in [`Rules`].
    pub mask_below: u32,
    /// As in [`Rules`].
    pub daily_cap: Option<u32>,
    /// As in [`Rules`].
    pub remind_at: Option<TimeOfDay>,
    /// As in [`Rules`].
    pub deliveries: Words,
    /// Key regions.
    pub regions: Vec<Region>,
    /// What is done in each colour.
    pub measures: BTreeMap<Colour, Vec<Words>>,
    /// Purpose and retention of each field.
    pub fields: BTreeMap<Field, FieldRule>,
}

impl Rules {
    /// Rules of these parts.
    ///
    /// # Errors
    /// The first flaw.
    pub fn new(parts: RulesParts) -> Result<Self, RulesFlaw> {
        if !(1..=60).contains(&parts.observation_days) {
            return Err(RulesFlaw::Observation);
        }
        for region in &parts.regions {
            let name = || region.name.zh.clone();
            if region.until.is_some_and(|until| until < region.from) {
                return Err(RulesFlaw::RegionEnds(name()));
            }
            let short = |word: &String| word.chars().count() < 2;
            if region.words.is_empty() || region.words.iter().any(short) {
                return Err(RulesFlaw::RegionWords(name()));
            }
        }
        let bare = |colour: &&Colour| parts.measures.get(colour).is_none_or(Vec::is_empty);
        if let Some(colour) = Colour::ALL.iter().find(bare) {
            return Err(RulesFlaw::Measures(*colour));
        }
        for field in Field::ALL {
            match parts.fields.get(field) {
                None => return Err(RulesFlaw::Field(*field)),
                Some(rule) if !(parts.observation_days..=366).contains(&rule.keep_days) => {
                    return Err(RulesFlaw::Keep(*field));
                }
                Some(_) => {}
            }
        }
        Ok(Self {
            version: parts.version,
            observation_days: parts.observation_days,
            mask_below: parts.mask_below,
            daily_cap: parts.daily_cap,
            remind_at: parts.remind_at,
            deliveries: parts.deliveries,
            regions: parts.regions,
            measures: parts.measures,
            fields: parts.fields,
        })
    }

    /// Every region.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The strictest region that is one on this date and that the text names.
    #[must_use]
    pub fn region_in(&self, text: &str, date: Date) -> Option<&Region> {
        let named = |region: &&Region| region.is_one_on(date) && region.is_in(text);
        self.regions.iter().filter(named).min_by_key(|it| it.kind)
    }

    /// What is done with people of a colour.
    #[must_use]
    pub fn measures(&self, colour: Colour) -> &[Words] {
        self.measures.get(&colour).map_or(&[], Vec::as_slice)
    }

    /// What a field is for, and how long it is kept. Every field has a rule.
    #[must_use]
    pub fn field(&self, field: Field) -> Option<&FieldRule> {
        self.fields.get(&field)
    }

    /// After how many days without anything new everything of a person is erased.
    #[must_use]
    pub fn keep_days(&self) -> u16 {
        self.fields
            .values()
            .map(|it| it.keep_days)
            .max()
            .unwrap_or(0)
    }

    /// The day on which observation that begins on this one is over.
    #[must_use]
    pub fn observed_until(&self, begun: Date) -> Date {
        begun.plus(self.observation_days)
    }

    /// With which colour somebody begins of whom this was said, and since when it counts: by the rule, for
    /// whoever is not followed yet. Nobody who came back so long ago that observation would be over.
    #[must_use]
    pub fn beginning(&self, said: &Said, today: Date) -> Option<(Colour, Date)> {
        let arrived = said.date(Field::Arrived).filter(|it| *it <= today);
        let seen = arrived.unwrap_or(today);
        let region = [Field::From, Field::Travel]
            .into_iter()
            .filter_map(|field| self.region_in(said.get(field)?.as_str(), seen))
            .min_by_key(|it| it.kind);
        let is_ill = said
            .get(Field::Symptoms)
            .is_some_and(|it| !super::field::symptoms_in(it).is_empty());
        let was_near = said
            .get(Field::Contact)
            .is_some_and(|it| it.as_str() == "yes");
        if is_ill || was_near {
            return Some((Colour::Purple, today));
        }
        let before = region?.kind.before_return();
        match arrived {
            None => Some((before, today)),
            Some(arrived) if self.observed_until(arrived) <= today => None,
            Some(arrived) => Some((before.on_arrival()?, arrived)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn words(zh: &str, en: &str) -> Words {
        Words {
            zh: zh.to_owned(),
            en: en.to_owned(),
        }
    }

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn region(name: &str, kind: RegionKind) -> Region {
        Region {
            name: words(name, name),
            words: vec![name.to_owned()],
            kind,
            from: date("2020-01-23"),
            until: None,
        }
    }

    pub(in super::super) fn parts() -> RulesParts {
        let rule = |days| FieldRule {
            purpose: words("随访", "follow-up"),
            keep_days: days,
        };
        let mut fields: BTreeMap<Field, FieldRule> =
            Field::ALL.iter().map(|field| (*field, rule(60))).collect();
        fields.insert(Field::Symptoms, rule(28));
        RulesParts {
            version: 1,
            observation_days: 14,
            mask_below: 0,
            daily_cap: Some(3),
            remind_at: None,
            deliveries: words("门外货架", "the shelf outside"),
            regions: vec![
                region("温州", RegionKind::OtherKey),
                region("湖北", RegionKind::Key),
            ],
            measures: Colour::ALL
                .iter()
                .map(|colour| (*colour, vec![words("做", "do")]))
                .collect(),
            fields,
        }
    }

    fn beginning(said: &[(Field, &str)], today: &str) -> Option<(Colour, Date)> {
        let rules = Rules::new(parts()).unwrap();
        let said = Said::read(said.iter().copied()).unwrap();
        rules.beginning(&said, date(today))
    }

    #[test]
    fn region_and_arrival_decide_the_first_colour() {
        let today = "2020-02-10";
        let on = |colour, day: &str| Some((colour, date(day)));
        for (from, arrived, expected) in [
            ("湖北武汉", "", on(Colour::Red, today)),
            ("浙江温州", "", on(Colour::Yellow, today)),
            ("湖北，经温州", "", on(Colour::Red, today)),
            ("湖北武汉", "2020-02-09", on(Colour::Purple, "2020-02-09")),
            ("浙江温州", "2020-02-09", on(Colour::Orange, "2020-02-09")),
            ("湖北武汉", "2020-01-27", None),
            ("江苏苏州", "2020-02-09", None),
        ] {
            let said = [(Field::From, from), (Field::Arrived, arrived)];
            assert_eq!(beginning(&said, today), expected, "{from} {arrived}");
        }
        let ill = [(Field::From, "苏州"), (Field::Symptoms, "发热")];
        assert_eq!(beginning(&ill, today), on(Colour::Purple, today));
        let well = [(Field::Symptoms, "无"), (Field::Contact, "无")];
        assert_eq!(beginning(&well, today), None);
    }

    #[test]
    fn a_region_is_one_between_its_dates_only() {
        let mut parts = parts();
        parts.regions[1].until = Some(date("2020-02-29"));
        let rules = Rules::new(parts).unwrap();
        let on = |day: &str| rules.region_in("湖北", date(day)).is_some();
        assert_eq!(
            ["2020-01-22", "2020-01-23", "2020-02-29", "2020-03-01"].map(on),
            [false, true, true, false]
        );
    }

    #[test]
    fn rules_that_would_not_work_are_refused() {
        let flawed = |change: &dyn Fn(&mut RulesParts)| {
            let mut parts = parts();
            change(&mut parts);
            Rules::new(parts).unwrap_err()
        };
        assert_eq!(
            flawed(&|it| it.observation_days = 0),
            RulesFlaw::Observation
        );
        assert_eq!(
            flawed(&|it| it.regions[0].until = Some(date("2020-01-01"))),
            RulesFlaw::RegionEnds("温州".to_owned())
        );
        assert_eq!(
            flawed(&|it| it.regions[0].words = vec!["湖".to_owned()]),
            RulesFlaw::RegionWords("温州".to_owned())
        );
        assert_eq!(
            flawed(&|it| drop(it.measures.remove(&Colour::Green))),
            RulesFlaw::Measures(Colour::Green)
        );
        assert_eq!(
            flawed(&|it| drop(it.fields.remove(&Field::Phone))),
            RulesFlaw::Field(Field::Phone)
        );
        let brief = |it: &mut RulesParts| {
            let rule = it.fields.get_mut(&Field::Phone).unwrap();
            rule.keep_days = 3;
        };
        assert_eq!(flawed(&brief), RulesFlaw::Keep(Field::Phone));
    }
}
