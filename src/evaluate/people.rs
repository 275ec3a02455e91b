//! Whole recordings: was somebody found where somebody came, nobody where nobody did, and as many
//! as were counted?

use super::Count;

/// What somebody saw in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Somebody faces the camera and should be screened.
    NearFrontal,
    /// Somebody hurries past: found or not, both are right.
    BriefPasserBy,
    /// People far away, sideways or from behind: nobody should be screened.
    FarSideOrBack,
    /// Nobody.
    Empty,
}

impl Class {
    /// Them all.
    pub const ALL: [Self; 4] = [
        Self::NearFrontal,
        Self::BriefPasserBy,
        Self::FarSideOrBack,
        Self::Empty,
    ];

    /// The word for it in an index and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NearFrontal => "near_frontal",
            Self::BriefPasserBy => "brief_passer_by",
            Self::FarSideOrBack => "far_side_or_back",
            Self::Empty => "empty",
        }
    }

    /// The inverse of [`Class::as_str`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Whether somebody should be screened; `None` where both are right.
    #[must_use]
    pub const fn asks(self) -> Option<bool> {
        match self {
            Self::NearFrontal => Some(true),
            Self::BriefPasserBy => None,
            Self::FarSideOrBack | Self::Empty => Some(false),
        }
    }
}

/// What is known of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What it shows.
    pub class: Class,
    /// How many people tried to be screened, where somebody counted.
    pub people: Option<u64>,
}

/// What the gateway made of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// People who came to be screened, judged or not.
    pub people: u64,
    /// Those of them whose temperature was read.
    pub measured: u64,
}

impl Outcome {
    /// Whether somebody was to be found and nobody was.
    #[must_use]
    pub fn missed(&self, known: &Known) -> bool {
        known.class.asks() == Some(true) && self.people == 0
    }

    /// Whether nobody was to be found and somebody was.
    #[must_use]
    pub fn is_false(&self, known: &Known) -> bool {
        known.class.asks() == Some(false) && self.people > 0
    }
}

/// Figures of several recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Recordings with somebody found, of those in which somebody faces the camera.
    pub found: Count,
    /// Recordings with anybody found, of those in which nobody should be.
    pub fooled: Count,
    /// People measured in the latter.
    pub measured_unasked: u64,
    /// Recordings with anybody found, of those in which somebody counted people.
    pub counted_found: Count,
    /// Recordings with anybody found, of those in which somebody counted, and there were none.
    pub counted_fooled: Count,
    /// Recordings with exactly as many people as somebody counted.
    pub exact: Count,
}

impl Summary {
    /// One more recording.
    pub fn add(&mut self, known: &Known, outcome: &Outcome) {
        let anybody = outcome.people > 0;
        match known.class.asks() {
            Some(true) => self.found.add(anybody),
            Some(false) => {
                self.fooled.add(anybody);
                self.measured_unasked += outcome.measured;
            }
            None => {}
        }
        if let Some(people) = known.people {
            self.exact.add(people == outcome.people);
            if people > 0 {
                self.counted_found.add(anybody);
            } else {
                self.counted_fooled.add(anybody);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_counted_by_what_they_ask() {
        let mut summary = Summary::default();
        let mut add = |class, people, found, measured| {
            let known = Known { class, people };
            let outcome = Outcome {
                people: found,
                measured,
            };
            summary.add(&known, &outcome);
            (outcome.missed(&known), outcome.is_false(&known))
        };
        assert_eq!(add(Class::NearFrontal, Some(2), 3, 1), (false, false));
        assert_eq!(add(Class::NearFrontal, None, 0, 0), (true, false));
        assert_eq!(add(Class::BriefPasserBy, None, 1, 1), (false, false));
        assert_eq!(add(Class::FarSideOrBack, Some(0), 2, 1), (false, true));
        assert_eq!(add(Class::Empty, Some(0), 0, 0), (false, false));
        assert_eq!(
            summary,
            Summary {
                found: Count { hits: 1, of: 2 },
                fooled: Count { hits: 1, of: 2 },
                measured_unasked: 1,
                counted_found: Count { hits: 1, of: 1 },
                counted_fooled: Count { hits: 1, of: 2 },
                exact: Count { hits: 1, of: 3 },
            }
        );
    }

    #[test]
    fn every_class_has_its_own_word() {
        for class in Class::ALL {
            assert_eq!(Class::parse(class.as_str()), Some(class));
        }
        assert_eq!(Class::parse("sideways"), None);
    }
}
