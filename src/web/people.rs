//! The register on the pages: the way from a request to its desk.

use super::Shared;
use super::problem::Problem;
use crate::clock::Stamp;
use crate::people::{Desk, DeskError};
use std::sync::Arc;

/// The register's desk; or why the register is shut, in both languages.
pub type PeopleDesk = Result<Arc<Desk>, Arc<str>>;

impl Shared {
    /// Has the register's desk do something, away from the threads that serve requests.
    pub(super) async fn people<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk, Stamp) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let desk = self.dashboard.people.clone();
        let desk = desk.map_err(|why| Problem::Storage(why.to_string()))?;
        let done = self.ask(move |it| Ok(work(&desk, it.clock.now()))).await?;
        done.map_err(Problem::from)
    }

    /// The same for what changes something: totals and pages hear of it.
    #[expect(dead_code, reason = "the pages of the register come next")]
    pub(super) async fn people_writes<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk, Stamp) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.people(work).await?;
        (self.dashboard.after_record)();
        Ok(done)
    }
}
