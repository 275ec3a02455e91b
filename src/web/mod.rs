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
use axum::Router;
use axum::extract::DefaultBodyLimit;
use problem::Problem;
use sign_in::Door;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Who may wait for events at a time: pages that are open, and programs.
const LISTENERS: usize = 1000;

/// What all requests share.
pub(crate) struct Shared {
    /// What the wiring gave.
    dashboard: Dashboard,
    /// Ends the streams that would otherwise never end.
    stop: CancellationToken,
    /// Seats at the live view.
    viewers: Arc<Semaphore>,
    /// Seats at the list of changes.
    listeners: Arc<Semaphore>,
    /// Tells programs what happens.
    teller: events::Teller,
    /// Seats of visitor screens.
    screens: Arc<Semaphore>,
    /// A list of people that somebody is about to read in.
    tray: people::Tray,
    /// Who is in; `None` in a demonstration.
    door: Option<Arc<Door>>,
    /// Places in the row before the door.
    waiting: Arc<Semaphore>,
    /// Where the pages are found.
    url: String,
    /// How they are served.
    transport: Transport,
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
    /// Whether browsers may be given cookies that they never send without TLS.
    const fn is_secure(&self) -> bool {
        matches!(self.transport, Transport::Tls(_))
    }

    /// Asks the journal.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Dashboard) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        let dashboard = self.dashboard.clone();
        blocking(move || question(&dashboard).map_err(Problem::from)).await
    }

    /// Who is in.
    fn door(&self) -> Result<&Arc<Door>, Problem> {
        self.door.as_ref().ok_or(Problem::NoPage)
    }

    /// Does something with accounts, after those who came before.
    async fn at_door<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Door) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let door = Arc::clone(self.door()?);
        let Ok(_place) = Arc::clone(&self.waiting).try_acquire_owned() else {
            return Err(Problem::TooOften(1));
        };
        blocking(move || work(&door)).await
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
    let address = listener.local_addr()?;
    if let Transport::Plain = transport {
        guard::refuse_the_world(address)?;
    }
    let url = transport.url(address);
    tracing::info!("dashboard on {url}");
    let shared = tokio::task::spawn_blocking({
        let (stop, transport) = (shutdown.clone(), transport.clone());
        move || shared(dashboard, stop, (url, transport, metrics))
    });
    let shared = shared.await.map_err(io::Error::other)?;
    let shared = Arc::new(shared.map_err(io::Error::other)?);
    if let Some(door) = &shared.door {
        door.announce(&shared.url);
    }
    tokio::spawn(sweep(Arc::clone(&shared), shutdown.clone()));
    tokio::spawn(events::tell(Arc::clone(&shared)));
    serving::serve(listener, transport, service(shared), shutdown).await;
    Ok(())
}

/// Once a minute, ends the sessions that are over, and sees to the certificate.
async fn sweep(shared: Arc<Shared>, stop: CancellationToken) {
    let mut minutes = tokio::time::interval(Duration::from_mins(1));
    while stop.run_until_cancelled(minutes.tick()).await.is_some() {
        let shared = Arc::clone(&shared);
        // Where it fails, that is in the log, and the next one tries again.
        let _ = tokio::task::spawn_blocking(move || {
            if let Some(door) = &shared.door {
                door.sweep();
            }
            if let Transport::Tls(tls) = &shared.transport {
                tls.renew(shared.dashboard.clock.now().wall);
            }
        })
        .await;
    }
}

fn shared(
    dashboard: Dashboard,
    stop: CancellationToken,
    (url, transport, metrics): (String, Transport, Option<Secret<String>>),
) -> Result<Shared, JournalError> {
    let door = match &dashboard.entrance {
        Entrance::Demo => None,
        Entrance::Accounts(accounts) => {
            let site = &dashboard.site;
            let words = [&site.street, &site.building, &site.gate];
            let words = words.into_iter().cloned().chain(["menshen".to_owned()]);
            let clock = Arc::clone(&dashboard.clock);
            let door = Door::new(Arc::clone(accounts), clock, words.collect())?;
            Some(Arc::new(door))
        }
    };
    Ok(Shared {
        dashboard,
        stop,
        viewers: Arc::new(Semaphore::new(live::VIEWERS)),
        listeners: Arc::new(Semaphore::new(LISTENERS)),
        screens: Arc::new(Semaphore::new(visitor::SCREENS)),
        teller: events::Teller::default(),
        tray: people::Tray::default(),
        door,
        waiting: Arc::new(Semaphore::new(sign_in::WAITING)),
        url,
        transport,
        metrics,
    })
}

fn service(shared: Arc<Shared>) -> Router {
    let rules = guard::Rules::of(&shared.transport);
    routes::router()
        .fallback(async || Problem::NoPage)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .with_state(Arc::clone(&shared))
        .layer(DefaultBodyLimit::max(guard::BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(shared, who::meet))
        .layer(axum::middleware::from_fn_with_state(rules, guard::stand))
}
