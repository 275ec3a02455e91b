//! The page that stands in for the gateway's where the gateway cannot run: what is wrong, and what to do.
//!
//! On its port and for its machine only, without anybody's data. `menshen trouble` serves it.

use super::assets::{icon, style};
use super::guard;
use super::problem::Problem;
use super::serving::{self, Transport};
use crate::text::Words;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One thing that is not as it should be.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Where.
    pub place: Words,
    /// What it is.
    pub what: Words,
    /// What to do.
    pub todo: Option<Words>,
    /// Whether nothing goes on before it is mended.
    pub stops: bool,
}

/// Seconds after which a browser asks again.
const RELOAD_S: u32 = 15;

#[derive(Template)]
#[template(path = "trouble.html", config = "src/web/askama.toml")]
struct Page<'a> {
    reload: u32,
    troubles: &'a [Trouble],
}

type Watched = watch::Receiver<Arc<[Trouble]>>;

async fn page(State(watched): State<Watched>) -> Response {
    let troubles = Arc::clone(&watched.borrow());
    let page = Page {
        reload: RELOAD_S,
        troubles: &troubles,
    };
    match page.render() {
        Ok(text) => (StatusCode::SERVICE_UNAVAILABLE, Html(text)).into_response(),
        Err(error) => Problem::Storage(error.to_string()).into_response(),
    }
}

/// Serves the page until `shutdown`.
///
/// # Errors
/// Where the listener is not on a loopback address and there is no TLS.
pub async fn serve(
    listener: TcpListener,
    transport: Transport,
    watched: Watched,
    shutdown: CancellationToken,
) -> io::Result<()> {
    if let Transport::Plain = transport {
        guard::refuse_the_world(listener.local_addr()?)?;
    }
    let rules = guard::Rules::of(&transport);
    let router = Router::new()
        .route("/", get(page))
        .route("/assets/app.css", get(style))
        .route("/assets/door.svg", get(icon))
        .fallback(async || Problem::NoPage)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .with_state(watched)
        .layer(axum::middleware::from_fn_with_state(rules, guard::stand));
    serving::serve(listener, transport, router, shutdown).await;
    Ok(())
}
