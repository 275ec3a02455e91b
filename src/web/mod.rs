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
//! | `who` | who asks, and whether they may |
//! | [`page`] | the page and its refreshed parts |
//! | [`alerts`] | the lists of alerts, and the two forms |
//! | [`live`] | the WebSocket with pictures, and the word that lists changed |
//! | [`api`] | the same as JSON |
//! | [`calibration`] | the page that accompanies a calibration |
//! | [`problem`] | error pages |
//! | [`when`] | moments as people read them |
//!
//! Templates and assets are compiled in: nothing is read from disk or fetched from anywhere at
//! run time. There is no login yet, so [`serve`] refuses any address but loopback.

pub mod alerts;
pub mod api;
mod budget;
pub mod calibration;
pub mod guard;
pub mod live;
pub mod page;
pub mod problem;
pub mod state;
pub mod when;
pub(crate) mod who;
pub mod words;

pub use state::{
    ActiveFault, AlertNotes, CameraStatus, CareStatus, Dashboard, GatewayStatus, LinkWord,
    LiveFrame, LivePerson, LiveReference, LiveValue, Mode, PersonState, PopulationStatus,
    ReferenceStatus, SiteName, Thresholds,
};

use crate::journal::JournalError;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use problem::Problem;
use std::io;
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
}

impl Shared {
    /// Runs something that may wait for the disk, away from the threads that serve requests. It
    /// runs to its end even if the browser does not wait for it.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Dashboard) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        let dashboard = self.dashboard.clone();
        match tokio::task::spawn_blocking(move || question(&dashboard)).await {
            Ok(answer) => answer.map_err(Problem::from),
            Err(broken) => {
                tracing::error!("a question to the store did not end: {broken}");
                Err(Problem::Storage(
                    "the store stopped while answering; restart the gateway".to_owned(),
                ))
            }
        }
    }
}

/// Serves the dashboard until `shutdown`, then lets open answers end for a moment.
///
/// # Errors
/// Where the listener is not on a loopback address (there is no login yet), or the socket fails.
pub async fn serve(
    listener: TcpListener,
    dashboard: Dashboard,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    guard::refuse_the_world(address)?;
    tracing::info!("dashboard on http://{address}/");
    let asked = shutdown.clone();
    let server = axum::serve(listener, routes(dashboard, shutdown.clone()))
        .with_graceful_shutdown(async move { asked.cancelled().await });
    tokio::select! {
        ended = server.into_future() => ended,
        () = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GOODBYE).await;
        } => Ok(()),
    }
}

/// The dashboard's pages, for [`serve`] and for tests on a listener of their own.
pub fn router(dashboard: Dashboard) -> Router {
    routes(dashboard, CancellationToken::new())
}

fn routes(dashboard: Dashboard, stop: CancellationToken) -> Router {
    let shared = Arc::new(Shared {
        dashboard,
        stop,
        viewers: Arc::new(Semaphore::new(live::VIEWERS)),
        listeners: Arc::new(Semaphore::new(live::VIEWERS)),
    });
    Router::new()
        .route("/", get(page::page))
        .route("/summary", get(page::summary))
        .route("/alerts", get(alerts::lists))
        .route("/alerts/{id}/acknowledge", post(alerts::acknowledge))
        .route("/alerts/{id}/resolve", post(alerts::resolve))
        .route("/live", get(live::live))
        .route("/changes", get(live::changes))
        .route("/api/state", get(api::state))
        .route("/api/alerts", get(api::alerts))
        .route("/healthz", get(api::health))
        .route("/assets/app.css", get(style))
        .route("/assets/live.js", get(script))
        .route("/assets/door.svg", get(icon))
        .fallback(async || Problem::NoPage)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .with_state(shared)
        .layer(DefaultBodyLimit::max(guard::BODY_LIMIT))
        .layer(axum::middleware::from_fn(guard::stand))
}

fn asset(kind: &'static str, content: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], content).into_response()
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/app.css"))
}

async fn script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("assets/live.js"),
    )
}

async fn icon() -> Response {
    asset("image/svg+xml", include_str!("assets/door.svg"))
}
