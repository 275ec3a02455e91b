//! The register on the pages: whoever comes back is found, declares their health, is let in and followed.
//!
//! | module | page |
//! |---|---|
//! | `declare` | what a poster's code opens on a phone, without signing in: it takes, and shows nothing |
//! | `posters` | those posters |
//! | `gate` | the code of the day at the gate, couriers, who is found there |
//! | `overview` | who is followed, what is late, searching, entering |
//! | `companies` | how many of each company will be in on a day; totals by source and company |
//! | `taken` | a list as a file |
//! | `lists` | lists that are read in, and taken back |
//! | `one` | one person: what each source said, decisions, steps, health |
//! | `written` | what the forms on these pages ask for and send |
//!
//! Whoever looks at people leaves a line in the audit: the desk writes it. No name and no phone number stands
//! in an address, so that neither a browser's history nor a log of requests has one.

mod companies;
mod declare;
mod gate;
mod lists;
mod one;
mod overview;
mod posters;
mod taken;
mod written;

pub(super) use lists::Tray;

use super::Shared;
use super::problem::Problem;
use super::routes::Entry;
use crate::clock::Stamp;
use crate::people::{Colour, Desk, DeskError, Field, FieldWrong, PersonId, Source};
use crate::staff::Who;
use crate::text::Words;
use std::sync::Arc;
use written::Written;

/// The register's desk; or why the register is shut, in both languages.
pub type PeopleDesk = Result<Arc<Desk>, Arc<str>>;

impl Shared {
    /// Has the register's desk do something, away from the threads that serve requests.
    async fn people<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk, Stamp) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.people_or_not(work).await?;
        done.map_err(Problem::from)
    }

    /// The same for whoever shows a refusal on their own page.
    async fn people_or_not<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk, Stamp) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<Result<T, DeskError>, Problem> {
        let desk = self.dashboard.people.clone();
        let desk = desk.map_err(|why| Problem::Storage(why.to_string()))?;
        self.ask(move |it| Ok(work(&desk, it.clock.now()))).await
    }

    /// The same for what changes what others are told: link and pages hear of it.
    async fn people_write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk, Stamp) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.people(work).await?;
        (self.dashboard.after_record)();
        Ok(done)
    }

    /// Enters somebody by a form of these fields; or gives what is wrong with it.
    async fn enter(
        &self,
        written: &Written,
        asked: &[Field],
        signed: (Source, &Who),
    ) -> Result<Result<PersonId, Vec<FieldWrong>>, Problem> {
        let entered = match written.entered(asked, signed) {
            Ok(entered) => entered,
            Err(wrong) => return Ok(Err(wrong)),
        };
        match self
            .people_or_not(move |desk, now| desk.enter(&entered, now))
            .await?
        {
            Ok(id) => {
                (self.dashboard.after_record)();
                Ok(Ok(id))
            }
            Err(DeskError::Fields(wrong)) => Ok(Err(wrong)),
            Err(error) => Err(error.into()),
        }
    }
}

/// A colour as it is shown: never without its shape and its word.
struct ColourView {
    code: &'static str,
    shape: &'static str,
    zh: &'static str,
    en: &'static str,
    meaning: Words,
}

impl From<Colour> for ColourView {
    fn from(colour: Colour) -> Self {
        Self {
            code: colour.as_str(),
            shape: colour.shape(),
            zh: colour.zh(),
            en: colour.en(),
            meaning: colour.meaning(),
        }
    }
}

pub(super) fn routes() -> Vec<Entry> {
    [
        declare::routes(),
        posters::routes(),
        gate::routes(),
        overview::routes(),
        companies::routes(),
        taken::routes(),
        lists::routes(),
        one::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
