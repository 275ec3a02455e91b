//! How one person is followed: the steps from colour to colour with their dates, what they say of their
//! health each day, and what the gateway proposes until a person decides.
//!
//! Nothing here knows what day it is: it comes in. What is due, missing or late is computed from the steps,
//! never typed. The day of arrival is day 0, so that with 14 days observation is over on the 14th day after
//! it.

use super::colour::{Colour, Transition};
use super::field::Symptom;
use super::rules::Rules;
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::id::AlertId;
use crate::text::{Note, named};
use crate::units::Celsius;
use std::collections::BTreeSet;

/// A step from one colour to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// To which; `None`: not followed any more.
    pub to: Option<Colour>,
    /// From which day it counts: of observation the day of arrival, not that of the entry.
    pub on: Date,
    /// When it is over or expected to be: the end of observation, or the expected return.
    pub due: Option<Date>,
    /// Who decided it; `None`: the rule, for somebody who was not followed before.
    pub sign: Option<Sign>,
    /// When it was entered.
    pub at: Stamp,
}

/// A person stands for a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign {
    /// Who.
    pub by: Note,
    /// Why.
    pub why: Note,
}

/// A step that is to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// To which colour.
    pub to: Option<Colour>,
    /// From which day.
    pub on: Date,
    /// When somebody who is not back yet is expected.
    pub expected: Option<Date>,
    /// Who decided it.
    pub sign: Option<Sign>,
    /// When it is entered.
    pub at: Stamp,
    /// What day it is.
    pub today: Date,
}

named! {
    /// Why a step is not taken.
    MoveRefused {
        /// The one colour never follows the other.
        Illegal = "illegal", "不能这样变更颜色", "this colour cannot follow that one";
        /// The observation is not over.
        NotOver = "not_over", "观察期未满", "the observation is not over yet";
        /// Nothing was said of the health today.
        NoHealth = "no_health", "今天尚未登记健康状况，不能解除", "today's health is not entered: enter it, then release";
        /// The last thing that was said are symptoms or a fever.
        Unwell = "unwell", "最近一次登记有症状或发热，不能解除", "symptoms or a fever were entered last: not to be released";
        /// The day is in the future, or before the last step.
        Day = "day", "日期不合理：不能晚于今天，也不能早于上一步", "the day is after today or before the last step: check it";
        /// The gateway's clock and the person do not agree on what day it is.
        Clock = "clock", "本机日期与您确认的日期不一致，请先校时", "the gateway's date is not the one you confirmed: set its clock";
    }
}

/// What was said of somebody's health on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Of which day.
    pub date: Date,
    /// With a contact thermometer.
    pub temperature: Option<Celsius>,
    /// What they feel.
    pub symptoms: BTreeSet<Symptom>,
    /// Who entered it; `None`: the person.
    pub by: Option<Note>,
    /// When.
    pub at: Stamp,
}

impl Health {
    /// From here on it is a fever, °C: the rule of early 2020, measured under the arm.
    pub const FEVER_C: f64 = 37.3;

    /// What a living person's thermometer shows, °C.
    pub const BELIEVED_C: (f64, f64) = (34.0, 43.0);

    /// Whether it says that somebody is ill.
    #[must_use]
    pub fn is_unwell(&self) -> bool {
        let hot = |it: Celsius| it.degrees() >= Self::FEVER_C;
        !self.symptoms.is_empty() || self.temperature.is_some_and(hot)
    }
}

named! {
    /// Why an entry is not taken.
    HealthRefused {
        /// Nobody is observed.
        NotObserved = "not_observed", "此人不在观察期", "this person is not under observation";
        /// A day that is not there yet, or before the observation.
        Day = "day", "日期不合理", "the day is after today or before the observation";
        /// No temperature of a living person.
        Temperature = "temperature", "体温应在 34.0 至 43.0 °C 之间", "a temperature is from 34.0 to 43.0 °C";
    }
}

named! {
    /// Why the gateway proposes a step.
    Reason {
        /// A fever was confirmed at the gate.
        FeverAtGate = "fever_at_gate", "门岗复测确认发热", "a fever was confirmed at the gate";
        /// Symptoms or a fever were said.
        Unwell = "unwell", "申报有症状或发热", "symptoms or a fever were declared";
        /// A source says what another did not: a region, an arrival.
        Rule = "rule", "按规则应变更", "the rules say so after what was entered";
        /// The observation is over.
        Over = "over", "观察期满", "the observation is over";
    }
}

/// A step that waits for a person's word.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// To which colour.
    pub to: Colour,
    /// From which day.
    pub on: Date,
    /// Why.
    pub reason: Reason,
    /// The alert, where it was a fever at the gate.
    pub alert: Option<AlertId>,
    /// When it came up.
    pub at: Stamp,
}

named! {
    /// What somebody's follow-up lacks.
    Lack {
        /// Expected, and the day is over.
        NotArrived = "not_arrived", "已过预计返沪日期", "expected, and not seen yet";
        /// Nothing was said of the health today.
        NoHealthToday = "no_health_today", "今日未登记健康状况", "today's health is missing";
        /// Nothing was said on a day before.
        NoHealthBefore = "no_health_before", "此前有漏登", "a day before is missing";
        /// Observation is over, and nobody released them.
        NotReleased = "not_released", "观察期满待解除", "over, and not released yet";
    }
}

impl Lack {
    /// Whether it is late, not only due today.
    #[must_use]
    pub const fn is_late(self) -> bool {
        !matches!(self, Self::NoHealthToday)
    }
}

/// How somebody is followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowUp {
    /// Every step, oldest first.
    pub steps: Vec<Step>,
    /// What was said of the health, oldest first.
    pub health: Vec<Health>,
    /// What waits for a person's word.
    pub proposal: Option<Proposal>,
}

impl FollowUp {
    /// The colour now.
    #[must_use]
    pub fn colour(&self) -> Option<Colour> {
        self.steps.last()?.to
    }

    /// Since when somebody has this colour, and until when.
    #[must_use]
    pub fn standing(&self) -> Option<&Step> {
        self.steps.last().filter(|it| it.to.is_some())
    }

    /// Takes a step.
    ///
    /// # Errors
    /// [`MoveRefused`]; then nothing changed.
    pub fn take(&mut self, wanted: Move, rules: &Rules) -> Result<(), MoveRefused> {
        let Move { to, on, today, .. } = wanted;
        let from = self.colour();
        if !(Transition { from, to }).is_legal() {
            return Err(MoveRefused::Illegal);
        }
        let before = self.steps.last().map(|it| it.on);
        let too_early = before.is_some_and(|before| on < before);
        if on > today || too_early {
            return Err(MoveRefused::Day);
        }
        if to == Some(Colour::Green) {
            self.may_be_released(today)?;
        }
        let due = match to {
            Some(colour) if colour.is_observed() => Some(rules.observed_until(on)),
            Some(colour) if colour.is_expected() => wanted.expected,
            _ => None,
        };
        self.steps.push(Step {
            to,
            on,
            due,
            sign: wanted.sign,
            at: wanted.at,
        });
        self.proposal = None;
        Ok(())
    }

    fn may_be_released(&self, today: Date) -> Result<(), MoveRefused> {
        if self.steps.last().and_then(|it| it.due) > Some(today) {
            return Err(MoveRefused::NotOver);
        }
        match self.health.iter().rev().find(|it| it.date == today) {
            None => Err(MoveRefused::NoHealth),
            Some(health) if health.is_unwell() => Err(MoveRefused::Unwell),
            Some(_) => Ok(()),
        }
    }

    /// Takes what was said of a day's health. Who is under self observation and ill is proposed for medical
    /// observation.
    ///
    /// # Errors
    /// [`HealthRefused`].
    pub fn enter(&mut self, health: Health, today: Date) -> Result<(), HealthRefused> {
        let standing = self
            .standing()
            .filter(|it| it.to.is_some_and(Colour::is_observed));
        let Some(step) = standing else {
            return Err(HealthRefused::NotObserved);
        };
        if health.date > today || health.date < step.on {
            return Err(HealthRefused::Day);
        }
        let (low, high) = Health::BELIEVED_C;
        let believed = |it: Celsius| (low..=high).contains(&it.degrees());
        if !health.temperature.is_none_or(believed) {
            return Err(HealthRefused::Temperature);
        }
        if health.is_unwell() {
            self.propose(Proposal {
                to: Colour::Purple,
                on: health.date,
                reason: Reason::Unwell,
                alert: None,
                at: health.at,
            });
        }
        let place = self.health.partition_point(|it| it.date <= health.date);
        self.health.insert(place, health);
        Ok(())
    }

    /// Proposes a step, where it is one. The first proposal stays until somebody decides, but for a
    /// stricter one.
    pub fn propose(&mut self, proposal: Proposal) {
        let step = Transition {
            from: self.colour(),
            to: Some(proposal.to),
        };
        let is_stricter =
            |old: &Proposal| proposal.to == Colour::Purple && old.to != Colour::Purple;
        if step.is_legal() && self.proposal.as_ref().is_none_or(is_stricter) {
            self.proposal = Some(proposal);
        }
    }

    /// The days of the present observation of which nothing was said, up to this one.
    #[must_use]
    pub fn days_without_health(&self, today: Date) -> Vec<Date> {
        let Some(step) = self
            .standing()
            .filter(|it| it.to.is_some_and(Colour::is_observed))
        else {
            return Vec::new();
        };
        // What was before the entry nobody could say.
        let mut begun = step.on;
        let mut days = Vec::new();
        while begun <= today && days.len() < usize::from(u8::MAX) {
            if !self.health.iter().any(|it| it.date == begun) {
                days.push(begun);
            }
            begun = begun.plus(1);
        }
        days
    }

    /// What is due or late today. `entered` is the date on which the last step was entered: days before it
    /// nobody could say anything of.
    #[must_use]
    pub fn lacks(&self, entered: Option<Date>, today: Date) -> Vec<Lack> {
        let Some(Step {
            to: Some(colour),
            due,
            ..
        }) = self.standing()
        else {
            return Vec::new();
        };
        let mut lacks = Vec::new();
        if colour.is_expected() && due.is_some_and(|due| due < today) {
            lacks.push(Lack::NotArrived);
        }
        if colour.is_observed() {
            if due.is_some_and(|due| due <= today) {
                lacks.push(Lack::NotReleased);
            }
            let missing = self.days_without_health(today);
            if missing.contains(&today) {
                lacks.push(Lack::NoHealthToday);
            }
            let could =
                |day: &&Date| **day < today && entered.is_none_or(|entered| **day >= entered);
            if missing.iter().any(|day| could(&day)) {
                lacks.push(Lack::NoHealthBefore);
            }
        }
        lacks
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::parts;
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use proptest::prelude::*;
    use std::time::Duration;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn at() -> Stamp {
        Stamp {
            boot: BootId(1),
            monotonic: Duration::ZERO,
            wall: WallTime(0),
            trust: ClockTrust::Synchronised,
        }
    }

    fn rules() -> Rules {
        Rules::new(parts()).unwrap()
    }

    fn step(
        follow: &mut FollowUp,
        to: Option<Colour>,
        on: &str,
        today: &str,
    ) -> Result<(), MoveRefused> {
        let sign = Some(Sign {
            by: Note::name("李明").unwrap(),
            why: Note::new("核实").unwrap(),
        });
        let wanted = Move {
            to,
            on: date(on),
            expected: None,
            sign,
            at: at(),
            today: date(today),
        };
        follow.take(wanted, &rules())
    }

    fn health(day: Date, degrees: f64) -> Health {
        Health {
            date: day,
            temperature: Celsius::new(degrees),
            symptoms: BTreeSet::new(),
            by: None,
            at: at(),
        }
    }

    #[test]
    fn a_fortnight_through_all_five_colours() {
        let mut follow = FollowUp::default();
        step(
            &mut follow,
            Some(Colour::Yellow),
            "2020-02-08",
            "2020-02-08",
        )
        .unwrap();
        step(&mut follow, Some(Colour::Red), "2020-02-08", "2020-02-08").unwrap();
        step(
            &mut follow,
            Some(Colour::Purple),
            "2020-02-09",
            "2020-02-10",
        )
        .unwrap();
        assert_eq!(follow.standing().unwrap().due, Some(date("2020-02-23")));
        let mut day = date("2020-02-10");
        while day < date("2020-02-23") {
            follow.enter(health(day, 36.5), day).unwrap();
            let early = step(
                &mut follow,
                Some(Colour::Green),
                &day.to_string(),
                &day.to_string(),
            );
            assert_eq!(early, Err(MoveRefused::NotOver), "{day}");
            day = day.plus(1);
        }
        let last = "2020-02-23";
        let release = |follow: &mut FollowUp| step(follow, Some(Colour::Green), last, last);
        assert_eq!(release(&mut follow), Err(MoveRefused::NoHealth));
        assert!(
            follow
                .lacks(Some(date("2020-02-10")), day)
                .contains(&Lack::NotReleased)
        );
        follow.enter(health(day, 37.3), day).unwrap();
        assert_eq!(release(&mut follow), Err(MoveRefused::Unwell));
        follow.enter(health(day, 36.6), day).unwrap();
        release(&mut follow).unwrap();
        assert_eq!(follow.colour(), Some(Colour::Green));
        step(&mut follow, Some(Colour::Orange), last, "2020-02-25").unwrap();
        assert_eq!(follow.standing().unwrap().due, Some(date("2020-03-08")));
    }

    #[test]
    fn steps_in_the_future_and_out_of_order_are_refused() {
        let mut follow = FollowUp::default();
        let green = step(&mut follow, Some(Colour::Green), "2020-02-10", "2020-02-10");
        assert_eq!(green, Err(MoveRefused::Illegal));
        let ahead = step(
            &mut follow,
            Some(Colour::Purple),
            "2020-02-11",
            "2020-02-10",
        );
        assert_eq!(ahead, Err(MoveRefused::Day));
        step(
            &mut follow,
            Some(Colour::Orange),
            "2020-02-10",
            "2020-02-10",
        )
        .unwrap();
        let back = step(
            &mut follow,
            Some(Colour::Purple),
            "2020-02-09",
            "2020-02-10",
        );
        assert_eq!(back, Err(MoveRefused::Day));
        assert_eq!(follow.steps.len(), 1);
    }

    #[test]
    fn a_clock_that_runs_behind_releases_nobody() {
        let mut follow = FollowUp::default();
        step(
            &mut follow,
            Some(Colour::Orange),
            "2020-02-10",
            "2020-02-10",
        )
        .unwrap();
        let day = date("1970-01-02");
        assert_eq!(
            follow.enter(health(day, 36.5), day),
            Err(HealthRefused::Day)
        );
        let wrong = step(&mut follow, Some(Colour::Green), "1970-01-02", "1970-01-02");
        assert_eq!(wrong, Err(MoveRefused::Day));
    }

    #[test]
    fn illness_proposes_and_a_person_decides() {
        let mut follow = FollowUp::default();
        step(
            &mut follow,
            Some(Colour::Orange),
            "2020-02-10",
            "2020-02-10",
        )
        .unwrap();
        let day = date("2020-02-11");
        follow.enter(health(day, 37.8), day).unwrap();
        let proposal = follow.proposal.clone().unwrap();
        assert_eq!(
            (proposal.to, proposal.reason),
            (Colour::Purple, Reason::Unwell)
        );
        assert_eq!(follow.colour(), Some(Colour::Orange), "not by itself");
        step(
            &mut follow,
            Some(Colour::Purple),
            "2020-02-11",
            "2020-02-11",
        )
        .unwrap();
        assert_eq!(follow.proposal, None);
        assert_eq!(follow.standing().unwrap().due, Some(date("2020-02-25")));
    }

    #[test]
    fn what_was_not_said_is_missing_from_the_day_of_the_entry_on() {
        let mut follow = FollowUp::default();
        step(
            &mut follow,
            Some(Colour::Orange),
            "2020-02-10",
            "2020-02-12",
        )
        .unwrap();
        let entered = Some(date("2020-02-12"));
        let lacks = |follow: &FollowUp, day: &str| follow.lacks(entered, date(day));
        assert_eq!(lacks(&follow, "2020-02-12"), [Lack::NoHealthToday]);
        follow
            .enter(health(date("2020-02-12"), 36.4), date("2020-02-12"))
            .unwrap();
        assert_eq!(lacks(&follow, "2020-02-12"), []);
        assert_eq!(
            lacks(&follow, "2020-02-14"),
            [Lack::NoHealthToday, Lack::NoHealthBefore]
        );
    }

    #[test]
    fn temperatures_of_nobody_are_refused() {
        let mut follow = FollowUp::default();
        step(
            &mut follow,
            Some(Colour::Purple),
            "2020-02-10",
            "2020-02-10",
        )
        .unwrap();
        let day = date("2020-02-10");
        for degrees in [3.65, 365.0, 33.9, 43.1] {
            let refused = follow.enter(health(day, degrees), day);
            assert_eq!(refused, Err(HealthRefused::Temperature), "{degrees}");
        }
    }

    proptest! {
        /// Whatever is tried in whatever order, nobody is released before their time.
        #[test]
        fn green_comes_only_after_a_whole_observation(
            tries in prop::collection::vec((0_usize..6, 0_u16..30, any::<bool>()), 1..60),
        ) {
            let first = date("2020-02-01");
            let mut follow = FollowUp::default();
            let mut today = first;
            for (to, days, well) in tries {
                today = first.plus(days).max(today);
                let _ = follow.enter(health(today, if well { 36.5 } else { 38.0 }), today);
                let to = Colour::ALL.get(to).copied();
                let day = today.to_string();
                let _ = step(&mut follow, to, &day, &day);
            }
            for pair in follow.steps.windows(2) {
                let step = Transition { from: pair[0].to, to: pair[1].to };
                prop_assert!(step.is_legal());
                if pair[1].to == Some(Colour::Green) {
                    prop_assert!(pair[1].on.number() - pair[0].on.number() >= 14);
                }
            }
        }
    }
}
