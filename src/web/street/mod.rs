//! The street office's own pages: every site on one of them, and what is to be done about it.
//!
//! They are served as a gateway's are (`hall`): same door, same rules, same words. What they show is
//! made by [`crate::street`] of what the gates have said; nothing is judged here. One task (`board`) reads the
//! database for all pages, so that a hundred of them that are open ask it once.
//!
//! | module | holds |
//! |---|---|
//! | `board` | what the pages know, kept fresh |
//! | `overview` | every site, with filters; new alerts as they come |
//! | `site` | one site's day |
//! | `calls` | whom to phone, and under which number |
//! | `compare` | where the gaps are |
//! | `daily`, `paper` | the office's own report, as a page and as files; what sites have found out |
//! | `groups` | what each working group is called for |
//! | `orders` | what goes down to sites, and what they answered |
//! | `quarantine` | messages that were not taken |
//! | `show` | how all of it is written |

mod board;
mod calls;
mod compare;
mod daily;
mod groups;
mod orders;
mod overview;
mod paper;
mod quarantine;
mod show;
mod site;

use super::frame::StatusView;
use super::hall::{Around, Hall, House, Reached};
use super::nav::{self, Way, way};
use super::problem::Problem;
use super::routes::{Entry, Served, served_by};
use super::serving::Pages;
use super::state::SiteName;
use super::words::{self, Words, street as said};
use super::{account, assets, blocking, frame, sign_in, trust};
use crate::account::Accounts;
use crate::calendar::TimeOfDay;
use crate::clock::Clock;
use crate::staff::{Right, Role};
use crate::street::{Ledger, LedgerError, Listed, Lists};
use axum::extract::FromRef;
use board::Seen;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Everything these pages need; they own none of it.
#[derive(Clone)]
pub struct StreetOffice {
    /// The street's part of the topics.
    pub street: String,
    /// What people call it.
    pub name: String,
    /// Who may come in.
    pub accounts: Arc<dyn Accounts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the gates have said, and what they are told.
    pub ledger: Arc<dyn Ledger>,
    /// The office's own list of sites.
    pub listed: Arc<[Listed]>,
    /// By when a day's report is to be here.
    pub report_by: TimeOfDay,
    /// What items are called.
    pub lists: Arc<Lists>,
}

/// What all requests share.
struct Office {
    given: StreetOffice,
    hall: Hall,
    seen: watch::Receiver<Arc<Seen>>,
    /// Counts what has changed.
    changes: watch::Receiver<u64>,
}

impl FromRef<Arc<Office>> for Hall {
    fn from_ref(office: &Arc<Office>) -> Self {
        office.hall.clone()
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::Storage(error.to_string())
    }
}

impl Office {
    /// What the pages know just now.
    fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen.borrow())
    }

    /// Makes something of what is known, away from the threads that serve requests.
    async fn make<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &Seen) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let office = Arc::clone(self);
        blocking(move || work(&office, &office.seen())).await
    }
}

/// What the pages say of themselves.
struct Street {
    name: String,
    seen: watch::Receiver<Arc<Seen>>,
}

/// The ways through the pages.
const WAYS: &[Way] = &[
    way("/", said::OVERVIEW, Right::SeeToday),
    way(calls::PAGE, said::CALLS, Right::SeeToday),
    way(compare::PAGE, said::COMPARE, Right::SeeToday),
    way(daily::PAGE, said::DAILY, Right::SeeToday),
    way(daily::INNOVATIONS, said::INNOVATIONS, Right::SeeToday),
    way(groups::PAGE, said::GROUPS, Right::SeeToday),
    way(orders::PAGE, said::ORDERS, Right::SeeToday),
    way(quarantine::PAGE, said::QUARANTINE, Right::SeeToday),
    way(nav::ACCOUNTS, words::sign_in::ACCOUNTS, Right::RunAccounts),
];

impl House for Street {
    fn heading(&self) -> Words {
        said::STREET
    }

    fn site(&self) -> SiteName {
        SiteName {
            street: self.name.clone(),
            building: String::new(),
            gate: String::new(),
            address: None,
        }
    }

    fn ways(&self) -> &'static [Way] {
        WAYS
    }

    fn roles(&self) -> &'static [Role] {
        &[Role::StreetViewer, Role::Admin]
    }

    fn served(&self) -> Vec<Served> {
        served()
    }

    fn around(&self) -> Around {
        let good = !self.seen.borrow().is_old;
        let words = if good {
            said::RECEIVING
        } else {
            said::LEDGER_AWAY
        };
        Around {
            status: Some(StatusView { good, words }),
            ..Around::default()
        }
    }
}

fn table() -> Vec<Entry<Arc<Office>>> {
    [
        overview::routes(),
        site::routes(),
        calls::routes(),
        compare::routes(),
        daily::routes(),
        groups::routes(),
        orders::routes(),
        quarantine::routes(),
        frame::routes(),
        account::routes(),
        sign_in::routes(),
        assets::routes(),
        trust::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is served, and to whom.
#[must_use]
pub fn served() -> Vec<Served> {
    served_by(table())
}

/// Serves the pages until `shutdown`, then lets open answers end for a moment.
///
/// # Errors
/// Where the listener is not on a loopback address and there is no TLS, or the accounts cannot be read.
pub async fn serve(
    pages: Pages,
    office: StreetOffice,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let Pages {
        listener,
        transport,
        metrics: _,
    } = pages;
    let reached = Reached::at(listener.local_addr()?, &transport)?;
    tracing::info!("the street's pages on {}", reached.url);
    let (write, seen) = watch::channel(Arc::default());
    let (count, changes) = watch::channel(0);
    let house = Arc::new(Street {
        name: office.name.clone(),
        seen: seen.clone(),
    });
    let opened = tokio::task::spawn_blocking({
        let (accounts, clock) = (Arc::clone(&office.accounts), Arc::clone(&office.clock));
        let stop = shutdown.clone();
        move || Hall::open(reached, house, Some(accounts), clock, stop)
    });
    let hall = opened.await.map_err(io::Error::other)?;
    let hall = hall.map_err(io::Error::other)?;
    let mut first = seen.clone();
    tokio::spawn(board::keep(office.clone(), (write, count), shutdown));
    // Nobody is shown a street of which nothing was read yet, as if nothing were there.
    let _ = first.changed().await;
    let office = Arc::new(Office {
        given: office,
        hall: hall.clone(),
        seen,
        changes,
    });
    hall.serve(listener, table(), office).await;
    Ok(())
}
