//! The emergency clause at work: its steps for one alert, each taken once, as a part of the alert's
//! record.

use super::ClauseId;
use crate::clock::Stamp;
use crate::id::AlertId;
use crate::text::{Note, Words};
use std::fmt;

/// The name of a step for ever: small letters, digits and dashes, 3 to 40 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(String);

impl StepId {
    /// A name, or `None` where it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (plain && (3..=40).contains(&text.len())).then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One step at an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct EmergencyStep {
    /// Its name.
    pub id: StepId,
    /// The clause that asks for it.
    pub clause: ClauseId,
    /// What to do.
    pub what: Words,
    /// Whether it is only done where the contact thermometer shows a fever, too.
    pub if_confirmed: bool,
}

/// A step that somebody took.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTaken {
    /// Which.
    pub id: StepId,
    /// Who.
    pub by: Note,
    /// When.
    pub at: Stamp,
}

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepRefused {
    /// The procedure has no such step.
    Unknown(StepId),
    /// Somebody took it already.
    TakenBy(Note),
}

impl fmt::Display for StepRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "the procedure has no step {id}: reload the page"),
            Self::TakenBy(by) => write!(f, "{by} has done this already"),
        }
    }
}

impl std::error::Error for StepRefused {}

/// What was done at one alert, by the edition of the procedure that was in force when it was raised.
#[derive(Clone, Debug, PartialEq)]
pub struct EmergencyLog {
    /// Which alert.
    pub alert: AlertId,
    /// Which edition.
    pub edition: u32,
    steps: Vec<EmergencyStep>,
    taken: Vec<StepTaken>,
}

impl EmergencyLog {
    /// Nothing done yet.
    #[must_use]
    pub fn begin(alert: AlertId, edition: &super::Edition) -> Self {
        Self {
            alert,
            edition: edition.number,
            steps: edition.procedure.steps().to_vec(),
            taken: Vec::new(),
        }
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[EmergencyStep] {
        &self.steps
    }

    /// What was done, in the order in which it was.
    #[must_use]
    pub fn taken(&self) -> &[StepTaken] {
        &self.taken
    }

    /// Somebody does a step. Steps may be taken in any order: who acts does not wait for a form.
    ///
    /// # Errors
    /// Where there is no such step or somebody else took it. Whoever took it may say so again.
    pub fn take(&mut self, id: &StepId, by: Note, at: Stamp) -> Result<(), StepRefused> {
        if !self.steps.iter().any(|step| step.id == *id) {
            return Err(StepRefused::Unknown(id.clone()));
        }
        match self.taken.iter().find(|taken| taken.id == *id) {
            Some(taken) if taken.by == by => Ok(()),
            Some(taken) => Err(StepRefused::TakenBy(taken.by.clone())),
            None => {
                let id = id.clone();
                self.taken.push(StepTaken { id, by, at });
                Ok(())
            }
        }
    }

    /// What is still to be done; the steps for a confirmed fever only where it is one.
    #[must_use]
    pub fn left(&self, confirmed: bool) -> Vec<&EmergencyStep> {
        self.steps
            .iter()
            .filter(|step| confirmed || !step.if_confirmed)
            .filter(|step| !self.taken.iter().any(|taken| taken.id == step.id))
            .collect()
    }
}
