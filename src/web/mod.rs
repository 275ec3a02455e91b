//! The dashboard: one page for the guard at the door, served by the gateway itself.
//!
//! It shows what the rest of the gateway says (live picture, today's numbers, alerts, the device)
//! and lets staff acknowledge an alert and record what they found; those two are plain forms that
//! work without JavaScript. It judges nobody and decides nothing: reads and writes go through
//! [`crate::journal`], whose calls block and therefore run on blocking threads (`Shared::ask`).
//!
//! | module | holds |
//! |---|---|
//! | [`state`] | what the wiring gives the dashboard |
//! | [`words`] | the one table of words, Chinese and English |
//! | `serving`, `doorway` | the server: connections, their limits and number |
//! | `tls`, `trust` | TLS, and how phones and desks are told to trust it |
//! | [`guard`] | who may ask: host, origin, limits, headers |
//! | [`routes`] | every address, and who may ask for it |
//! | `who` | who asks, and whether they may |
//! | `sign_in` | signing in and out, accounts, PINs |
//! | `hall` | what all kinds of pages share: who is in, how they are served |
//! | `frame`, `nav` | what stands around every page; the ways through them |
//! | [`page`] | the page and its refreshed parts |
//! | [`alerts`] | the lists of alerts, and the two forms |
//! | [`moment`] | the thermal picture of an alert, where the site has it shown |
//! | `visitor` | the screen that visitors see |
//! | [`live`] | the WebSocket with pictures, and the word that lists changed |
//! | [`api`], `events` | the same as JSON, and what happens |
//! | `metrics` | numbers for Prometheus |
//! | [`calibration`] | the page that accompanies a calibration |
//! | `rounds` | what is to be done now, with its forms |
//! | `people` | the way to the register |
//! | `posters` | codes that open the rounds of a place |
//! | `report` | the report of the day |
//! | `chart` | charts, with their tables |
//! | `look_back` | days that are over, together and each by itself |
//! | `pledge` | who owns what, and who signed for it |
//! | `procedure`, `steps` | the procedure in its editions; the steps of its emergency clause at an alert |
//! | `today` | the day at a glance, and the weeks before it |
//! | [`settings`] | the configuration file, key by key |
//! | [`street`] | the street office's own pages: every site on one of them |
//! | `chart` | charts, with their tables |
//! | [`problem`] | error pages |
//! | [`when`] | moments as people read them |
//!
//! Templates and assets are compiled in: nothing is read from disk or fetched from anywhere at
//! run time. Without TLS [`serve`] refuses any address but loopback: a password would cross the network for all
//! to read.

mod account;
pub mod alerts;
pub mod api;
mod assets;
mod budget;
pub mod calibration;
mod chart;
mod cookie;
mod doorway;
mod events;
mod frame;
pub mod guard;
mod hall;
pub mod live;
mod look_back;
mod metrics;
pub mod moment;
mod nav;
pub mod page;
mod people;
mod pledge;
mod posters;
pub mod problem;
mod procedure;
mod report;
mod rounds;
pub mod routes;
mod serving;
pub mod settings;
mod sign_in;
pub mod state;
mod steps;
pub mod street;
pub mod tls;
mod today;
pub mod trouble;
mod trust;
pub mod visitor;
pub mod when;
pub(crate) mod who;
pub mod words;

pub use people::PeopleDesk;
pub use serving::{Pages, Transport};
pub use state::{
    ActiveFault, AlertNotes, CameraStatus, CareStatus, Dashboard, Entrance, Evidence,
    GatewayStatus, LinkWord, LiveFrame, LivePerson, LiveReference, LiveValue, Mode, PersonState,
    PopulationStatus, ReferenceStatus, SiteName, Thresholds,
};

use crate::journal::JournalError;
use crate::secret::Secret;
use crate::staff::Role;
use axum::extract::FromRef;
use hall::{Around, Hall, House, Reached};
use problem::Problem;
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use words::{InWords as _, Words};

/// What all requests share.
pub(crate) struct Shared {
    /// What the wiring gave.
    dashboard: Dashboard,
    /// What these pages have in common with others.
    hall: Hall,
    /// Seats at the live view.
    viewers: Arc<Semaphore>,
    /// Tells programs what happens.
    teller: events::Teller,
    /// Seats of visitor screens.
    screens: Arc<Semaphore>,
    /// A list of people that somebody is about to read in.
    tray: people::Tray,
    /// What whoever reads the metrics must bring.
    metrics: Option<Secret<String>>,
}

/// Runs something that may wait for the disk, away from the threads that serve requests. It runs to its end
/// even if the browser does not wait for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(broken) => {
            tracing::error!("a question to the store did not end: {broken}");
            Err(Problem::Storage(
                "the store stopped while answering; restart the gateway".to_owned(),
            ))
        }
    }
}

impl Shared {
    /// Asks the journal.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Dashboard) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        let dashboard = self.dashboard.clone();
        blocking(move || question(&dashboard).map_err(Problem::from)).await
    }
}

impl Deref for Shared {
    type Target = Hall;

    fn deref(&self) -> &Hall {
        &self.hall
    }
}

impl FromRef<Arc<Shared>> for Hall {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        shared.hall.clone()
    }
}

impl House for Dashboard {
    fn heading(&self) -> Words {
        words::frame::MENSHEN
    }

    fn site(&self) -> SiteName {
        self.site.clone()
    }

    fn ways(&self) -> &'static [nav::Way] {
        nav::WAYS
    }

    fn roles(&self) -> &'static [Role] {
        Role::ALL
    }

    fn served(&self) -> Vec<routes::Served> {
        routes::served()
    }

    fn around(&self) -> Around {
        let status = Arc::clone(&self.status.borrow());
        let refused = self.settings.as_ref().and_then(|it| it.refused());
        Around {
            status: Some(frame::status_view(&status, &self.clock.now())),
            demo: (status.mode == Mode::Demo).then(|| status.mode.words()),
            refused: refused.and_then(|why| why.lines().next().map(str::to_owned)),
        }
    }
}

/// Serves the dashboard until `shutdown`, then lets open answers end for a moment.
///
/// # Errors
/// Where the listener is not on a loopback address and there is no TLS, or the accounts cannot be read.
pub async fn serve(
    pages: Pages,
    dashboard: Dashboard,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let Pages {
        listener,
        transport,
        metrics,
    } = pages;
    let reached = Reached::at(listener.local_addr()?, &transport)?;
    tracing::info!("dashboard on {}", reached.url);
    let stop = shutdown;
    let shared = tokio::task::spawn_blocking(move || shared(dashboard, stop, (reached, metrics)));
    let shared = shared.await.map_err(io::Error::other)?;
    let shared = Arc::new(shared.map_err(io::Error::other)?);
    tokio::spawn(events::tell(Arc::clone(&shared)));
    let hall = shared.hall.clone();
    hall.serve(listener, routes::table(), shared).await;
    Ok(())
}

fn shared(
    dashboard: Dashboard,
    stop: CancellationToken,
    (reached, metrics): (Reached, Option<Secret<String>>),
) -> Result<Shared, JournalError> {
    let accounts = match &dashboard.entrance {
        Entrance::Demo => None,
        Entrance::Accounts(accounts) => Some(Arc::clone(accounts)),
    };
    let (house, clock) = (Arc::new(dashboard.clone()), Arc::clone(&dashboard.clock));
    Ok(Shared {
        hall: Hall::open(reached, house, accounts, clock, stop)?,
        dashboard,
        viewers: Arc::new(Semaphore::new(live::VIEWERS)),
        screens: Arc::new(Semaphore::new(visitor::SCREENS)),
        teller: events::Teller::default(),
        tray: people::Tray::default(),
        metrics,
    })
}
