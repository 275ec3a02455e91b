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
//! | [`guard`] | who may ask: host, origin, limits, headers |
//! | [`routes`] | every address, and who may ask for it |
//! | `who` | who asks, and whether they may |
//! | `sign_in` | signing in and out, accounts, PINs |
//! | `frame`, `nav` | what stands around every page; the ways through them |
//! | [`page`] | the page and its refreshed parts |
//! | [`alerts`] | the lists of alerts, and the two forms |
//! | [`live`] | the WebSocket with pictures, and the word that lists changed |
//! | [`api`] | the same as JSON |
//! | [`calibration`] | the page that accompanies a calibration |
//! | `rounds` | what is to be done now, with its forms |
//! | `posters` | codes that open the rounds of a place |
//! | `report` | the report of the day |
//! | `chart` | charts, with their tables |
//! | `look_back` | days that are over, together and each by itself |
//! | `pledge` | who owns what, and who signed for it |
//! | `procedure`, `steps` | the procedure in its editions; the steps of its emergency clause at an alert |
//! | [`problem`] | error pages |
//! | [`when`] | moments as people read them |
//!
//! Templates and assets are compiled in: nothing is read from disk or fetched from anywhere at
//! run time. There is no TLS yet, so [`serve`] refuses any address but loopback: a password would cross the
//! network for all to read.

mod account;
pub mod alerts;
pub mod api;
mod assets;
mod budget;
pub mod calibration;
mod chart;
mod cookie;
mod frame;
pub mod guard;
pub mod live;
mod look_back;
mod nav;
pub mod page;
mod pledge;
mod posters;
pub mod problem;
mod procedure;
mod report;
mod rounds;
pub mod routes;
mod sign_in;
pub mod state;
mod steps;
pub mod trouble;
pub mod when;
pub(crate) mod who;
pub mod words;

pub use state::{
    ActiveFault, AlertNotes, CameraStatus, CareStatus, Dashboard, Entrance, GatewayStatus,
    LinkWord, LiveFrame, LivePerson, LiveReference, LiveValue, Mode, PersonState, PopulationStatus,
    ReferenceStatus, SiteName, Thresholds,
};

use crate::journal::JournalError;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use problem::Problem;
use sign_in::Door;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How long open connections may take to end after the shutdown was asked for.
const GOODBYE: Duration = Duration::from_secs(3);

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
    /// Who is in; `None` in a demonstration.
    door: Option<Arc<Door>>,
    /// Places in the row before the door.
    waiting: Arc<Semaphore>,
    /// Where the pages are served.
    address: SocketAddr,
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
/// Where the listener is not on a loopback address (there is no TLS yet), the accounts cannot be read, or the
/// socket fails.
pub async fn serve(
    listener: TcpListener,
    dashboard: Dashboard,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    guard::refuse_the_world(address)?;
    tracing::info!("dashboard on http://{address}/");
    let shared = tokio::task::spawn_blocking({
        let stop = shutdown.clone();
        move || shared(dashboard, stop, address)
    });
    let shared = shared.await.map_err(io::Error::other)?;
    let shared = Arc::new(shared.map_err(io::Error::other)?);
    if let Some(door) = &shared.door {
        door.announce(address);
        tokio::spawn(sweep(Arc::clone(door), shutdown.clone()));
    }
    let asked = shutdown.clone();
    let service = service(shared).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(async move { asked.cancelled().await });
    tokio::select! {
        ended = server.into_future() => ended,
        () = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GOODBYE).await;
        } => Ok(()),
    }
}

/// Once a minute, ends the sessions that are over.
async fn sweep(door: Arc<Door>, stop: CancellationToken) {
    let mut minutes = tokio::time::interval(Duration::from_mins(1));
    while stop.run_until_cancelled(minutes.tick()).await.is_some() {
        let door = Arc::clone(&door);
        // Where it fails, that is in the log, and the next one tries again.
        let _ = tokio::task::spawn_blocking(move || door.sweep()).await;
    }
}

fn shared(
    dashboard: Dashboard,
    stop: CancellationToken,
    address: SocketAddr,
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
        listeners: Arc::new(Semaphore::new(live::VIEWERS)),
        door,
        waiting: Arc::new(Semaphore::new(sign_in::WAITING)),
        address,
    })
}

fn service(shared: Arc<Shared>) -> Router {
    routes::router()
        .fallback(async || Problem::NoPage)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .with_state(Arc::clone(&shared))
        .layer(DefaultBodyLimit::max(guard::BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(shared, who::meet))
        .layer(axum::middleware::from_fn(guard::stand))
}
