//! 《返岗复工进(驻)入楼宇的操作规程》: the procedure for coming back to work in a building, in numbered
//! clauses.
//!
//! Its five headings are those of the source (*Shanghai Community News*, Hongqiao sub-district, February
//! 2020), which says "and others"; a sixth, on organisation and records, ties the list to it. A clause
//! is known by its number for ever: a site rewords it or adds one of its own, each edit is an edition
//! that stays, and no number is used twice. The clause on emergencies holds the steps that the guard
//! sees at an alert; a site may reword them, but not take one away.
//!
//! Pure: who edits and when comes in as an argument.

mod emergency;

pub use emergency::{EmergencyLog, EmergencyStep, StepId, StepRefused, StepTaken};

use crate::clock::Stamp;
use crate::text::{Note, Words, named};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

named! {
    /// A heading of the procedure, in its order.
    Chapter {
        /// Who comes in is written down.
        Registration = "registration", "登记录入", "Registration";
        /// Everybody says how they are.
        Health = "health", "健康情况上报", "Reporting of health";
        /// Somebody is hot.
        Emergency = "emergency", "应急事件处置", "Handling of emergencies";
        /// Air, surfaces, rooms, meals.
        Environment = "environment", "内部环境管理", "Management of the inside";
        /// Masks and distance.
        Protection = "protection", "人员防护", "Protection of persons";
        /// Who answers for what, and what is written down.
        Organisation = "organisation", "组织与记录", "Organisation and records";
    }
}

named! {
    /// The live thing that a clause speaks of.
    Live {
        /// The register of people.
        Register = "register", "人员登记", "Register of people";
        /// What people declare of themselves.
        Declaration = "declaration", "自我申报", "Self-declarations";
        /// The screening at the door.
        Screening = "screening", "体温筛查", "Screening at the door";
        /// Alerts.
        Alert = "alert", "报警处置", "Alerts";
        /// The rounds of the day.
        Rounds = "rounds", "自查打钩", "Rounds";
        /// The report of the day.
        Report = "report", "每日一报", "Report of the day";
    }
}

impl Chapter {
    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        let before = Self::ALL.iter().take_while(|it| **it != self).count();
        u8::try_from(before + 1).unwrap_or(u8::MAX)
    }
}

/// The number of a clause for ever: `3.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClauseId {
    chapter: Chapter,
    number: u8,
}

impl ClauseId {
    /// The heading under which it stands.
    #[must_use]
    pub const fn chapter(self) -> Chapter {
        self.chapter
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.chapter.number(), self.number)
    }
}

impl FromStr for ClauseId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| digits.parse::<u8>().ok()).flatten()
        };
        text.split_once('.')
            .and_then(|(chapter, clause)| {
                let chapter = usize::from(number(chapter)?).checked_sub(1)?;
                Some(Self {
                    chapter: *Chapter::ALL.get(chapter)?,
                    number: number(clause).filter(|number| *number > 0)?,
                })
            })
            .ok_or_else(|| {
                format!(
                    "\"{text}\" is no number of a clause; write chapter (1 to {}), dot, number, \
                     such as 3.2",
                    Chapter::ALL.len()
                )
            })
    }
}

/// A numbered clause.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// Its number.
    pub id: ClauseId,
    /// What it says.
    pub what: Words,
    /// What it speaks of.
    pub live: Live,
    /// Whether the site added it.
    pub own: bool,
}

/// The procedure in one edition.
#[derive(Clone, Debug, PartialEq)]
pub struct Procedure {
    /// Version of the shipped text on which it is built, from 1.
    pub version: u32,
    clauses: Vec<Clause>,
    steps: Vec<EmergencyStep>,
}

/// What keeps clauses from being a procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcedureFlaw {
    /// Two clauses have this number.
    ClauseTwice(ClauseId),
    /// Two steps have this id.
    StepTwice(StepId),
    /// A heading has no clause.
    EmptyChapter(Chapter),
    /// A step stands under a clause that does not exist, or not on emergencies.
    StepWithoutClause(StepId),
    /// There is no step at all.
    NoSteps,
}

impl fmt::Display for ProcedureFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClauseTwice(id) => write!(f, "there are two clauses {id}"),
            Self::StepTwice(id) => write!(f, "there are two steps {id}"),
            Self::EmptyChapter(chapter) => write!(
                f,
                "chapter {} ({}) has no clause",
                chapter.number(),
                chapter.en()
            ),
            Self::StepWithoutClause(id) => {
                write!(f, "step {id} belongs to no clause on emergencies")
            }
            Self::NoSteps => f.write_str("there is no step for an emergency"),
        }
    }
}

impl std::error::Error for ProcedureFlaw {}

impl Procedure {
    /// A procedure of these clauses and emergency steps.
    ///
    /// # Errors
    /// The first [`ProcedureFlaw`] there is.
    pub fn new(
        version: u32,
        mut clauses: Vec<Clause>,
        steps: Vec<EmergencyStep>,
    ) -> Result<Self, ProcedureFlaw> {
        clauses.sort_by_key(|clause| clause.id);
        let mut seen = BTreeSet::new();
        if let Some(twice) = clauses.iter().find(|clause| !seen.insert(clause.id)) {
            return Err(ProcedureFlaw::ClauseTwice(twice.id));
        }
        let is_there = |chapter| seen.iter().any(|id: &ClauseId| id.chapter == chapter);
        if let Some(empty) = Chapter::ALL.iter().find(|chapter| !is_there(**chapter)) {
            return Err(ProcedureFlaw::EmptyChapter(*empty));
        }
        if steps.is_empty() {
            return Err(ProcedureFlaw::NoSteps);
        }
        let mut known = BTreeSet::new();
        for step in &steps {
            if !known.insert(&step.id) {
                return Err(ProcedureFlaw::StepTwice(step.id.clone()));
            }
            if step.clause.chapter != Chapter::Emergency || !seen.contains(&step.clause) {
                return Err(ProcedureFlaw::StepWithoutClause(step.id.clone()));
            }
        }
        Ok(Self {
            version,
            clauses,
            steps,
        })
    }

    /// All clauses, in the order of their numbers.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// One clause.
    #[must_use]
    pub fn clause(&self, id: ClauseId) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// What is done at an alert, step by step.
    #[must_use]
    pub fn steps(&self) -> &[EmergencyStep] {
        &self.steps
    }
}

/// What a site changes in its procedure.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Other words for a clause.
    Reword(ClauseId, Words),
    /// Other words for a step.
    RewordStep(StepId, Words),
    /// A clause of its own, with the next number of its chapter.
    Add(Chapter, Words, Live),
    /// Takes one of its own clauses back.
    Withdraw(ClauseId),
}

/// What an edit may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditRefused {
    /// There is no such clause.
    UnknownClause(ClauseId),
    /// There is no such step.
    UnknownStep(StepId),
    /// The clause belongs to the shipped text: it can be reworded, not withdrawn.
    NotOwn(ClauseId),
    /// One of the two languages is missing.
    LanguageMissing,
    /// The chapter is full.
    TooMany(Chapter),
    /// Somebody else made an edition meanwhile.
    Overtaken {
        /// The newest edition.
        newest: u32,
    },
}

impl fmt::Display for EditRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownClause(id) => write!(f, "there is no clause {id}"),
            Self::UnknownStep(id) => write!(f, "there is no step {id}"),
            Self::NotOwn(id) => write!(
                f,
                "clause {id} belongs to the procedure as shipped: reword it instead"
            ),
            Self::LanguageMissing => f.write_str("write it in Chinese and in English"),
            Self::TooMany(chapter) => write!(f, "\"{}\" has no number left", chapter.en()),
            Self::Overtaken { newest } => write!(
                f,
                "somebody made edition {newest} meanwhile: look at it, then edit again"
            ),
        }
    }
}

impl std::error::Error for EditRefused {}

/// One edition.
#[derive(Clone, Debug, PartialEq)]
pub struct Edition {
    /// Its number; 0 is the text as shipped.
    pub number: u32,
    /// Who made it, and when; nobody made edition 0.
    pub made: Option<(Note, Stamp)>,
    /// What it changed.
    pub edit: Option<Edit>,
    /// The whole text after it.
    pub procedure: Procedure,
}

/// All editions of a site's procedure, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Editions {
    shipped: Edition,
    made: Vec<Edition>,
}

impl Editions {
    /// The text as shipped, and nothing else yet.
    #[must_use]
    pub const fn of(shipped: Procedure) -> Self {
        Self {
            shipped: Edition {
                number: 0,
                made: None,
                edit: None,
                procedure: shipped,
            },
            made: Vec::new(),
        }
    }

    /// The one in force.
    #[must_use]
    pub fn newest(&self) -> &Edition {
        self.made.last().unwrap_or(&self.shipped)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Edition> {
        std::iter::once(&self.shipped).chain(&self.made)
    }

    /// Makes the next edition. `on` is the number of the edition that the editor saw. Gives back the
    /// new number.
    ///
    /// # Errors
    /// [`EditRefused`]; then nothing has changed.
    pub fn edit(&mut self, on: u32, edit: Edit, by: Note, at: Stamp) -> Result<u32, EditRefused> {
        let newest = self.newest();
        if newest.number != on {
            let newest = newest.number;
            return Err(EditRefused::Overtaken { newest });
        }
        let procedure = self.applied(&edit)?;
        let number = on.saturating_add(1);
        self.made.push(Edition {
            number,
            made: Some((by, at)),
            edit: Some(edit),
            procedure,
        });
        Ok(number)
    }

    fn applied(&self, edit: &Edit) -> Result<Procedure, EditRefused> {
        let mut procedure = self.newest().procedure.clone();
        match edit {
            Edit::Reword(id, words) => {
                let words = both(words)?;
                let clause = procedure.clauses.iter_mut().find(|it| it.id == *id);
                clause.ok_or(EditRefused::UnknownClause(*id))?.what = words;
            }
            Edit::RewordStep(id, words) => {
                let words = both(words)?;
                let step = procedure.steps.iter_mut().find(|it| it.id == *id);
                step.ok_or_else(|| EditRefused::UnknownStep(id.clone()))?
                    .what = words;
            }
            Edit::Add(chapter, words, live) => {
                // No number is used twice, not even one that was withdrawn.
                let ever = self.all().flat_map(|edition| edition.procedure.clauses());
                let highest = ever
                    .filter(|clause| clause.id.chapter == *chapter)
                    .map(|clause| clause.id.number)
                    .max();
                let number = highest
                    .unwrap_or(0)
                    .checked_add(1)
                    .ok_or(EditRefused::TooMany(*chapter))?;
                procedure.clauses.push(Clause {
                    id: ClauseId {
                        chapter: *chapter,
                        number,
                    },
                    what: both(words)?,
                    live: *live,
                    own: true,
                });
                procedure.clauses.sort_by_key(|clause| clause.id);
            }
            Edit::Withdraw(id) => match procedure.clause(*id) {
                None => return Err(EditRefused::UnknownClause(*id)),
                Some(clause) if !clause.own => return Err(EditRefused::NotOwn(*id)),
                Some(_) => procedure.clauses.retain(|clause| clause.id != *id),
            },
        }
        Ok(procedure)
    }
}

/// Both languages, trimmed.
fn both(words: &Words) -> Result<Words, EditRefused> {
    let line = |text: &str| {
        let note = Note::new(text).ok_or(EditRefused::LanguageMissing)?;
        Ok(note.as_str().to_owned())
    };
    Ok(Words {
        zh: line(&words.zh)?,
        en: line(&words.en)?,
    })
}
