//! What the gateway knows of a day by itself: handed in by whoever reads the journal, shown as the
//! gateway's own word, and never typed by anybody.

use crate::alert::Outcome;
use crate::clock::WallTime;
use crate::id::AlertId;
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::text::Words;
use crate::text::named;
use crate::thermal::self_check::Complaint;

named! {
    /// A kind of thing that the gateway knows.
    Fact {
        /// How many people were screened.
        PeopleScreened = "people_screened", "筛查人数", "People screened";
        /// How many of them could not be judged.
        CannotJudge = "cannot_judge", "无法判断比例", "Share that cannot be judged";
        /// The self-check of camera and blackbody.
        SelfCheck = "self_check", "热像仪与黑体自检", "Self-check of camera and blackbody";
        /// Alerts, each with its outcome.
        Alerts = "alerts", "发热报警处置", "Alerts and their outcomes";
    }
}

named! {
    /// How an alert ended.
    AlertEnd {
        /// A contact thermometer showed a fever.
        Confirmed = "confirmed", "复测确认发热", "Confirmed";
        /// A contact thermometer showed none.
        NotConfirmed = "not_confirmed", "复测未见发热", "Not confirmed";
        /// Sent to a fever clinic.
        Referred = "referred", "转送发热门诊", "Referred";
        /// Gone before a measurement.
        Left = "left", "未复测已离开", "Left before a measurement";
        /// No person's fever.
        FalseAlarm = "false_alarm", "误报", "False alarm";
    }
}

impl From<&Outcome> for AlertEnd {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Confirmed(_) => Self::Confirmed,
            Outcome::NotConfirmed(_) => Self::NotConfirmed,
            Outcome::Referred => Self::Referred,
            Outcome::Left => Self::Left,
            Outcome::FalseAlarm { .. } => Self::FalseAlarm,
        }
    }
}

/// An alert of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertFact {
    /// Which.
    pub id: AlertId,
    /// When it was raised.
    pub raised: WallTime,
    /// How it ended; `None` while it has no outcome.
    pub end: Option<AlertEnd>,
}

/// A self-check of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfCheckFact {
    /// When it was made.
    pub at: WallTime,
    /// What was wrong.
    pub complaint: Option<Complaint>,
}

/// People in one colour of the follow-up, as the register counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColourTotal {
    /// The colour's word on the wire.
    pub word: String,
    /// Its name.
    pub name: Words,
    /// How many people are in it.
    pub people: u64,
}

/// Everything that the gateway knows of a day so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayFacts {
    /// Judged to be clear.
    pub clear: u64,
    /// To be measured again by staff.
    pub retest: u64,
    /// Possible fevers.
    pub possible_fever: u64,
    /// Not judged.
    pub cannot_judge: u64,
    /// Self-checks, in their order.
    pub self_checks: Vec<SelfCheckFact>,
    /// Alerts, in their order.
    pub alerts: Vec<AlertFact>,
    /// The five colours; empty where there is no register.
    pub colours: Vec<ColourTotal>,
}

/// What the facts say of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// So many people were screened.
    Screened(u64),
    /// So many were not judged, of so many.
    NotJudged {
        /// Not judged.
        people: u64,
        /// All.
        of: u64,
    },
    /// Self-checks.
    SelfChecks {
        /// How many were made.
        made: usize,
        /// Whether the newest found all in order.
        in_order: bool,
    },
    /// Alerts.
    Alerts {
        /// How many were raised.
        raised: usize,
        /// How many have no outcome yet.
        without_outcome: usize,
    },
}

impl DayFacts {
    /// Largest share that may not be judged for the item to be in order, 1 in this many. A rule of this
    /// project: a guard measures every tenth person by hand without making a queue, hardly more.
    pub const NOT_JUDGED_ONE_IN: u64 = 10;

    /// Everybody who was screened.
    #[must_use]
    pub fn screened(&self) -> u64 {
        [
            self.clear,
            self.retest,
            self.possible_fever,
            self.cannot_judge,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    /// How many people were judged so, each class once.
    #[must_use]
    pub const fn by_verdict(&self) -> [(Verdict, u64); 4] {
        [
            (Verdict::Clear, self.clear),
            (Verdict::PossibleFever, self.possible_fever),
            (Verdict::Retest(RetestReason::NearThreshold), self.retest),
            (
                Verdict::CannotJudge(Obstacle::TooFewLooks),
                self.cannot_judge,
            ),
        ]
    }

    /// What is known for an item that the gateway fills in.
    #[must_use]
    pub fn finding(&self, fact: Fact) -> Finding {
        match fact {
            Fact::PeopleScreened => Finding::Screened(self.screened()),
            Fact::CannotJudge => Finding::NotJudged {
                people: self.cannot_judge,
                of: self.screened(),
            },
            Fact::SelfCheck => Finding::SelfChecks {
                made: self.self_checks.len(),
                in_order: self
                    .self_checks
                    .last()
                    .is_some_and(|check| check.complaint.is_none()),
            },
            Fact::Alerts => Finding::Alerts {
                raised: self.alerts.len(),
                without_outcome: self
                    .alerts
                    .iter()
                    .filter(|alert| alert.end.is_none())
                    .count(),
            },
        }
    }
}

impl Finding {
    /// Whether the item is done with it: something is known, and it is in order.
    #[must_use]
    pub const fn is_in_order(self) -> bool {
        match self {
            Self::Screened(people) => people > 0,
            Self::NotJudged { people, of } => {
                of > 0 && people.saturating_mul(DayFacts::NOT_JUDGED_ONE_IN) <= of
            }
            Self::SelfChecks { in_order, .. } => in_order,
            Self::Alerts {
                without_outcome, ..
            } => without_outcome == 0,
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            Self::Screened(people) => (format!("{people}人"), format!("{people} people")),
            Self::NotJudged { people, of } => {
                (format!("{of}人中{people}人"), format!("{people} of {of}"))
            }
            Self::SelfChecks { made: 0, .. } => ("尚未自检".to_owned(), "not made yet".to_owned()),
            Self::SelfChecks { made, in_order } => (
                format!("{made}次，{}", if in_order { "正常" } else { "异常" }),
                format!(
                    "{made} made, {}",
                    if in_order { "in order" } else { "not in order" }
                ),
            ),
            Self::Alerts {
                raised,
                without_outcome,
            } => (
                format!("{raised}起，{without_outcome}起未办结"),
                format!("{raised} raised, {without_outcome} without an outcome"),
            ),
        };
        Words { zh, en }
    }
}
