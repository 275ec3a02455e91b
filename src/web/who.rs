//! Who asks.
//!
//! Every handler that must know who acts takes a [`Who`]; whether they may is in
//! [`routes`](super::routes), and [`need`] asks for more. Who has signed in shows it by a cookie
//! (`sign_in`). In a demonstration nobody signs in, and everybody is taken for the manager.

use super::hall::Hall;
use super::problem::Problem;
use super::{Shared, sign_in};
use crate::account::{AccountId, Digest};
use crate::staff::{Right, Role, Who};
use crate::text::Note;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// What is known of a request before its page is looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Visit {
    /// Who is signed in.
    pub(super) who: Option<Who>,
    /// What forms of this session send along; nothing in a demonstration.
    pub(super) csrf: String,
    /// Whose account it is.
    pub(super) account: Option<AccountId>,
    /// Which session.
    pub(super) session: Option<Digest>,
    /// Whether several people use this screen.
    pub(super) shared: bool,
    /// Is cancelled when the session ends, for streams that would go on.
    pub(super) end: CancellationToken,
    /// The address that asks.
    pub(super) from: String,
}

impl Visit {
    /// Lets a form through that stood on a page of this very session (ASVS 5.0, 3.5.1).
    ///
    /// # Errors
    /// [`Problem::OldForm`].
    pub(super) fn check(&self, csrf: &str) -> Result<(), Problem> {
        if self.csrf.is_empty() || sign_in::same(csrf, &self.csrf) {
            Ok(())
        } else {
            Err(Problem::OldForm)
        }
    }
}

/// Whether a person asks, and not a page that is open: `Sec-Fetch-Dest` is `empty` for what scripts fetch
/// (W3C Fetch Metadata).
fn acts(method: &Method, headers: &HeaderMap) -> bool {
    let dest = headers.get("sec-fetch-dest").map(HeaderValue::as_bytes);
    method != Method::GET || !matches!(dest, Some(b"empty" | b"websocket"))
}

/// Finds out who asks.
pub(super) async fn meet(State(hall): State<Hall>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let mut visit = match &hall.door {
        Some(door) => {
            let token = sign_in::token(headers, hall.is_secure());
            door.visit(token, acts(request.method(), headers))
        }
        None => Visit {
            who: Note::name("值班人员").map(|name| Who {
                name,
                role: Role::Manager,
            }),
            ..Visit::default()
        },
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    visit.from = peer.map_or_else(String::new, |it| it.0.ip().to_canonical().to_string());
    request.extensions_mut().insert(visit);
    next.run(request).await
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let visit = parts.extensions.get::<Visit>();
        visit
            .and_then(|visit| visit.who.clone())
            .ok_or(Problem::NotSignedIn)
    }
}

/// Refuses who has not this right.
///
/// # Errors
/// [`Problem::NotYours`].
pub(crate) fn need(who: &Who, right: Right) -> Result<(), Problem> {
    if who.role.may(right) {
        Ok(())
    } else {
        Err(Problem::NotYours(right))
    }
}

/// Whose name goes into the logbook: of whoever is signed in; in a demonstration, what they typed.
///
/// # Errors
/// Where that is no name.
pub(super) fn acting(shared: &Shared, who: Who, typed: &str) -> Result<Note, Problem> {
    match &shared.door {
        Some(_) => Ok(who.name),
        None => super::rounds::name(typed),
    }
}
