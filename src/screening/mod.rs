//! What the gateway says of one person who walked past: one of four classes, with the reason.
//!
//! Never a bool: who cannot be judged is counted and shown, for a silent pass is a false negative.
//!
//! | part | says |
//! |---|---|
//! | `rules` | which verdict a reading comes to |
//! | `memory` | what is remembered of one person, and what it comes to |
//! | `incident` | whether somebody with a possible fever has come back |
//! | [`operating`] | what a threshold means: whom it finds, and whom it calls in error |
//! | `population` | what to compare with where there is no reference |
//! | `screener` | from frames with faces to events |

mod incident;
mod memory;
pub mod operating;
mod population;
mod rules;
mod screener;

pub use memory::FRAMES_TO_PRESENT;
pub use population::{Baseline, Difference, PEOPLE_NEEDED, basis_word};
pub use rules::{
    COLDEST_FACE, GUARD, HEALTHY, HOTTEST_FACE, HYSTERESIS, LARGEST_SPREAD, MOST_RAISED, ROOM,
    Rules, WIDEST_GAP,
};
pub use screener::{FAULT_AFTER, Person, Screener, Standing};

use crate::clock::Stamp;
use crate::estimate::Reading;
use crate::face::quality::Flaw;
use crate::id::ScreeningId;
use crate::units::PixelBox;

/// Why a person should be measured again by staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetestReason {
    /// Above the rule of attention, or so near to the threshold for possible fever that the camera
    /// cannot tell on which side.
    NearThreshold,
    /// The looks at this person disagree with each other.
    Unsteady,
    /// The forehead lags behind the canthi as it does just in from the cold: what is read now says
    /// little. Wait ten minutes indoors.
    JustIn,
}

/// Why nothing can be said of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// Fewer good looks than a reading needs.
    TooFewLooks,
    /// The face has too few pixels: too far away.
    TooFar,
    /// The picture's edge cuts the face off.
    Cut,
    /// The face looks away.
    Turned,
    /// Glasses hide the canthi, and what skin is left shows no fever: it would not, either, in
    /// somebody who has one.
    Glasses,
    /// The reference is not in view, or not steady.
    ReferenceLost,
    /// No reference is configured, and too few people were seen to compare with.
    LearningPopulation,
    /// Just after the camera's shutter event.
    Settling,
    /// Colder than skin can be: covered, or just in from the cold.
    TooCold,
    /// Hotter than skin can be: not a face.
    TooHot,
    /// The room is outside of the range in which the estimate holds.
    RoomOutOfRange,
    /// The camera's calibration has run out.
    CalibrationExpired,
}

impl Obstacle {
    /// Every obstacle, for counters and tables of words.
    pub const ALL: [Self; 12] = [
        Self::TooFewLooks,
        Self::TooFar,
        Self::Cut,
        Self::Turned,
        Self::Glasses,
        Self::ReferenceLost,
        Self::LearningPopulation,
        Self::Settling,
        Self::TooCold,
        Self::TooHot,
        Self::RoomOutOfRange,
        Self::CalibrationExpired,
    ];

    /// The word for it on the wire, in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooFewLooks => "too_few_looks",
            Self::TooFar => "too_far",
            Self::Cut => "cut",
            Self::Turned => "turned",
            Self::Glasses => "glasses",
            Self::ReferenceLost => "reference_lost",
            Self::LearningPopulation => "learning_population",
            Self::Settling => "settling",
            Self::TooCold => "too_cold",
            Self::TooHot => "too_hot",
            Self::RoomOutOfRange => "room_out_of_range",
            Self::CalibrationExpired => "calibration_expired",
        }
    }
}

impl From<Flaw> for Obstacle {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::TooSmall => Self::TooFar,
            Flaw::TooFast => Self::TooFewLooks,
            Flaw::Cut => Self::Cut,
            Flaw::Turned => Self::Turned,
            Flaw::Glasses => Self::Glasses,
        }
    }
}

impl RetestReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NearThreshold, Self::Unsteady, Self::JustIn];

    /// The word for it on the wire, in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NearThreshold => "near_threshold",
            Self::Unsteady => "unsteady",
            Self::JustIn => "just_in",
        }
    }
}

/// The four classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Judged, and below the rule of attention by more than the camera is unsure of.
    Clear,
    /// Judged, and at or above the threshold: staff confirm with a contact thermometer.
    PossibleFever,
    /// Measured, but staff should measure again.
    Retest(RetestReason),
    /// Nothing can be said.
    CannotJudge(Obstacle),
}

impl Verdict {
    /// The class, without its reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::PossibleFever => "possible_fever",
            Self::Retest(_) => "retest",
            Self::CannotJudge(_) => "cannot_judge",
        }
    }

    /// How grave it is; `None` where nothing can be said.
    const fn gravity(self) -> Option<u8> {
        match self {
            Self::Clear => Some(0),
            Self::Retest(_) => Some(1),
            Self::PossibleFever => Some(2),
            Self::CannotJudge(_) => None,
        }
    }

    /// The reason, where the class has one.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Clear | Self::PossibleFever => None,
            Self::Retest(reason) => Some(reason.as_str()),
            Self::CannotJudge(obstacle) => Some(obstacle.as_str()),
        }
    }

    /// The inverse of [`Verdict::as_str`] and [`Verdict::reason`].
    #[must_use]
    pub fn parse(class: &str, reason: Option<&str>) -> Option<Self> {
        match (class, reason) {
            ("clear", None) => Some(Self::Clear),
            ("possible_fever", None) => Some(Self::PossibleFever),
            ("retest", Some(word)) => RetestReason::ALL
                .into_iter()
                .find(|r| r.as_str() == word)
                .map(Self::Retest),
            ("cannot_judge", Some(word)) => Obstacle::ALL
                .into_iter()
                .find(|o| o.as_str() == word)
                .map(Self::CannotJudge),
            _ => None,
        }
    }
}

/// One end of the time in which a person was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// The camera's number of the frame.
    pub sequence: u64,
    /// When.
    pub stamp: Stamp,
    /// Where, in that frame.
    pub area: PixelBox,
}

/// Everything the gateway keeps of one person's way past the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Screening {
    /// Which.
    pub id: ScreeningId,
    /// First frame with this face.
    pub first: Sighting,
    /// Last frame with this face.
    pub last: Sighting,
    /// What was measured; `None` exactly where the verdict is `CannotJudge`.
    pub reading: Option<Reading>,
    /// What it comes to.
    pub verdict: Verdict,
    /// Whether the person came to be screened: near enough and long enough before the camera.
    /// A face that merely passed far away is counted among those not judged, but is no visitor.
    pub presented: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_read_back_from_its_words() {
        let retests = RetestReason::ALL.map(Verdict::Retest);
        let others = Obstacle::ALL.map(Verdict::CannotJudge);
        let plain = [Verdict::Clear, Verdict::PossibleFever];
        for verdict in plain.into_iter().chain(retests).chain(others) {
            assert_eq!(verdict.reason().is_none(), plain.contains(&verdict));
            let back = Verdict::parse(verdict.as_str(), verdict.reason());
            assert_eq!(back, Some(verdict));
        }
        assert_eq!(Verdict::parse("clear", Some("too_far")), None);
        assert_eq!(Verdict::parse("retest", None), None);
    }
}
