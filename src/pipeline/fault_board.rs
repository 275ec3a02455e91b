//! Which faults stand, in one place for all who ask: the pages, the watch, the state that the broker
//! retains.

use crate::alert::technical::OpenFaults;
use crate::event::{Event, Fault};
use crate::web::{ActiveFault, GatewayStatus};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The faults that stand; clones are one board.
#[derive(Clone, Debug)]
pub(super) struct FaultBoard {
    open: Arc<Mutex<OpenFaults>>,
    status: watch::Sender<Arc<GatewayStatus>>,
    standing: watch::Sender<BTreeSet<Fault>>,
}

impl FaultBoard {
    /// An empty board, which keeps the faults in `status` as they are; and the faults, whenever they
    /// change.
    #[must_use]
    pub(super) fn new(
        status: watch::Sender<Arc<GatewayStatus>>,
    ) -> (Self, watch::Receiver<BTreeSet<Fault>>) {
        let (standing, now) = watch::channel(BTreeSet::new());
        let board = Self {
            open: Arc::default(),
            status,
            standing,
        };
        (board, now)
    }

    /// The open faults themselves, for the watch.
    #[must_use]
    pub(super) fn open(&self) -> Arc<Mutex<OpenFaults>> {
        Arc::clone(&self.open)
    }

    /// Takes in what happened.
    pub(super) fn note<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let news = events
            .into_iter()
            .fold(false, |news, event| open.note(event) | news);
        if !news {
            return;
        }
        let faults = open.all().iter().map(|it| ActiveFault {
            fault: it.fault,
            since: it.since,
        });
        let faults: Vec<_> = faults.collect();
        self.standing
            .send_replace(faults.iter().map(|it| it.fault).collect());
        self.status
            .send_modify(|status| Arc::make_mut(status).faults = faults);
    }
}
