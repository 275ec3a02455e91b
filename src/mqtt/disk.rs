//! The link's business with the disk, on blocking threads: one reading, one saving, one receipt and
//! one command at a time, side by side.

use super::answer::Refusal;
use crate::clock::Stamp;
use crate::command::Asked;
use crate::event::Event;
use crate::id::{Channel, MessageNumber};
use crate::journal::{Journal, JournalError, Outbox, OutboxRow, Receipt, SafeAt};
use std::sync::Arc;
use tokio::task::{JoinError, JoinSet};

/// What was done.
#[derive(Debug)]
pub(super) enum Done {
    /// Messages were read: those that were never sent in this connection, or a round of old ones.
    Read {
        /// Whether for a round.
        again: bool,
        /// The messages, or why not.
        rows: Result<Vec<OutboxRow>, JournalError>,
    },
    /// The outbox knows that the broker has these, or could not be told.
    Accepted(Result<(), (Vec<MessageNumber>, JournalError)>),
    /// The outbox knows what the street has, and whether something is lacking of what the broker
    /// accepted; or it could not be told.
    Received(Receipt, Result<bool, JournalError>),
    /// A command was done, or not.
    Commanded(Asked, Result<(), Refusal>),
}

/// Accesses under way.
pub(super) struct Disk {
    outbox: Arc<dyn Outbox>,
    journal: Arc<dyn Journal>,
    tasks: JoinSet<Done>,
    pub(super) reading: bool,
    pub(super) saving: bool,
    pub(super) receiving: bool,
    pub(super) commanding: bool,
}

impl Disk {
    pub(super) fn new(outbox: Arc<dyn Outbox>, journal: Arc<dyn Journal>) -> Self {
        Self {
            outbox,
            journal,
            tasks: JoinSet::new(),
            reading: false,
            saving: false,
            receiving: false,
            commanding: false,
        }
    }

    /// Reads messages after this one.
    pub(super) fn read(&mut self, again: bool, until: SafeAt, after: MessageNumber, limit: u32) {
        self.reading = true;
        let outbox = Arc::clone(&self.outbox);
        self.tasks.spawn_blocking(move || Done::Read {
            again,
            rows: outbox.waiting(&Channel::broker(), until, after, limit),
        });
    }

    /// Notes what the broker has.
    pub(super) fn accept(&mut self, numbers: Vec<MessageNumber>) {
        self.saving = true;
        let outbox = Arc::clone(&self.outbox);
        self.tasks.spawn_blocking(move || {
            let saved = outbox.accepted(&Channel::broker(), &numbers);
            Done::Accepted(saved.map_err(|error| (numbers, error)))
        });
    }

    /// Notes what the street has.
    pub(super) fn receive(&mut self, receipt: Receipt, accepted: MessageNumber) {
        self.receiving = true;
        let outbox = Arc::clone(&self.outbox);
        self.tasks.spawn_blocking(move || {
            let lacking = outbox.received(&receipt).and_then(|()| {
                let first = outbox.waiting(
                    &Channel::broker(),
                    SafeAt::Street,
                    MessageNumber::default(),
                    1,
                )?;
                Ok(first.first().is_some_and(|row| row.number <= accepted))
            });
            Done::Received(receipt, lacking)
        });
    }

    /// Does a command, where it was not done before.
    pub(super) fn command(&mut self, asked: Asked, at: Stamp) {
        self.commanding = true;
        let journal = Arc::clone(&self.journal);
        self.tasks.spawn_blocking(move || {
            let event = Event::Commanded {
                asked: asked.clone(),
                at,
            };
            let result = match journal.record(&[event]) {
                Ok(_) => Ok(()),
                Err(JournalError::DoneBefore(_)) => Err(Refusal::DoneBefore),
                Err(error) => {
                    tracing::error!(%error, "a command could not be done");
                    Err(Refusal::Busy)
                }
            };
            Done::Commanded(asked, result)
        });
    }

    /// What is done next; never, while nothing is under way. May be dropped and asked again.
    pub(super) async fn next(&mut self) -> Result<Done, JoinError> {
        let done = match self.tasks.join_next().await {
            Some(done) => done?,
            None => std::future::pending().await,
        };
        match done {
            Done::Read { .. } => self.reading = false,
            Done::Accepted(_) => self.saving = false,
            Done::Received(..) => self.receiving = false,
            Done::Commanded(..) => self.commanding = false,
        }
        Ok(done)
    }

    /// Notes the last acknowledgements of a connection that is over. Where that fails, the messages
    /// go again: twice at the street, counted once.
    pub(super) async fn settle(&mut self, mut numbers: Vec<MessageNumber>) {
        while self.saving {
            match self.next().await {
                Ok(Done::Accepted(Err((failed, error)))) => {
                    tracing::error!(%error, "the broker's receipts could not be saved");
                    numbers.splice(..0, failed);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
        if !numbers.is_empty() {
            let outbox = Arc::clone(&self.outbox);
            let saved =
                tokio::task::spawn_blocking(move || outbox.accepted(&Channel::broker(), &numbers));
            if let Ok(Err(error)) = saved.await {
                tracing::error!(%error, "the broker's receipts could not be saved");
            }
        }
    }
}
