//! Five colours (五色跟进): how somebody who was found is followed, and which colour may follow which.
//!
//! ```text
//!           red ─────┐                     The two on the left are not back yet.
//!            ↕       ├─▶ purple ─┐
//!          yellow ───┤     ▲     ├─▶ green ─▶ (travels or falls ill again)
//!                    └─▶ orange ─┘
//! ```
//!
//! The meanings are those of the newspaper page (*Shanghai Community News*, Hongqiao sub-district, February
//! 2020). A colour is never the only sign: each has its word and its shape.

use crate::text::{Words, named};

named! {
    /// A colour of the follow-up.
    Colour {
        /// About to return from a key region.
        Red = "red", "红色", "Red";
        /// About to return from another key region.
        Yellow = "yellow", "黄色", "Yellow";
        /// Under medical observation.
        Purple = "purple", "紫色", "Purple";
        /// Under self health observation.
        Orange = "orange", "橙色", "Orange";
        /// Released from observation.
        Green = "green", "绿色", "Green";
    }
}

impl Colour {
    /// What it stands for.
    #[must_use]
    pub fn meaning(self) -> Words {
        let (zh, en) = match self {
            Self::Red => ("即将从重点地区返沪", "about to return from a key region"),
            Self::Yellow => (
                "即将从其他重点地区返沪",
                "about to return from another key region",
            ),
            Self::Purple => ("正在医学观察", "under medical observation"),
            Self::Orange => ("正在自我健康观察", "under self health observation"),
            Self::Green => ("已解除医学观察", "released from observation"),
        };
        Words {
            zh: zh.to_owned(),
            en: en.to_owned(),
        }
    }

    /// Its shape.
    #[must_use]
    pub const fn shape(self) -> &'static str {
        match self {
            Self::Red => "▲",
            Self::Yellow => "◆",
            Self::Purple => "■",
            Self::Orange => "●",
            Self::Green => "✔",
        }
    }

    /// Whether somebody is observed, and says every day how they are.
    #[must_use]
    pub const fn is_observed(self) -> bool {
        matches!(self, Self::Purple | Self::Orange)
    }

    /// Whether somebody is not back yet.
    #[must_use]
    pub const fn is_expected(self) -> bool {
        matches!(self, Self::Red | Self::Yellow)
    }

    /// Whether somebody may enter the building as far as the colour says.
    #[must_use]
    pub const fn may_enter(self) -> bool {
        matches!(self, Self::Green)
    }

    /// With what observation begins when somebody of this colour comes back, at least.
    #[must_use]
    pub const fn on_arrival(self) -> Option<Self> {
        match self {
            Self::Red => Some(Self::Purple),
            Self::Yellow => Some(Self::Orange),
            Self::Purple | Self::Orange | Self::Green => None,
        }
    }
}

/// From one colour to another; `None`: not followed, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What it was.
    pub from: Option<Colour>,
    /// What it is to be.
    pub to: Option<Colour>,
}

impl Transition {
    /// Whether one may follow the other. What begins observation, strengthens it, ends it when it is over,
    /// or begins anew may be; what would shorten or soften it may not.
    #[must_use]
    pub const fn is_legal(self) -> bool {
        use Colour::{Green, Orange, Purple, Red, Yellow};
        match (self.from, self.to) {
            // Found, or ill again, or off again: on the way, or here already. Nobody begins as released.
            (None | Some(Green), Some(to)) => !matches!(to, Green),
            // Another region than was thought; and back.
            (Some(Red), Some(to)) => matches!(to, Yellow | Purple),
            (Some(Yellow), Some(to)) => matches!(to, Red | Purple | Orange),
            // Ill, or found to have been in a key region.
            (Some(Orange), Some(to)) => matches!(to, Purple | Green),
            (Some(Purple), Some(to)) => matches!(to, Green),
            // Does not come after all, moved away, or in hospital: with a reason, by a person.
            (Some(_), None) => true,
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn is_legal(from: Option<Colour>, to: Option<Colour>) -> bool {
        Transition { from, to }.is_legal()
    }

    #[test]
    fn nobody_is_released_without_having_been_observed() {
        let into_green = Colour::ALL
            .iter()
            .copied()
            .filter(|from| is_legal(Some(*from), Some(Colour::Green)));
        let observed: Vec<Colour> = into_green.collect();
        assert_eq!(observed, [Colour::Purple, Colour::Orange]);
        assert!(!is_legal(None, Some(Colour::Green)));
    }

    #[test]
    fn medical_observation_is_never_softened_to_self_observation() {
        assert!(!is_legal(Some(Colour::Purple), Some(Colour::Orange)));
        assert!(!is_legal(Some(Colour::Red), Some(Colour::Orange)));
        assert!(is_legal(Some(Colour::Orange), Some(Colour::Purple)));
    }

    #[test]
    fn no_colour_follows_itself() {
        for colour in Colour::ALL {
            assert!(!is_legal(Some(*colour), Some(*colour)), "{colour:?}");
        }
        assert!(!is_legal(None, None));
    }

    #[test]
    fn words_and_shapes_tell_all_five_apart() {
        let shapes: BTreeSet<&str> = Colour::ALL.iter().map(|it| it.shape()).collect();
        let meanings: BTreeSet<String> = Colour::ALL.iter().map(|it| it.meaning().en).collect();
        assert_eq!((shapes.len(), meanings.len()), (5, 5));
    }
}
