//! Every address that is served, with who may ask for it: one table.
//!
//! A page is a module with a `routes` of its own and a line in `table`. What is not in the table is
//! not served, and no entry comes without what it needs, so that nothing is open by oversight. The
//! check stands before the handler; where a right depends on more than the address, the handler asks
//! for it itself with `need`.

use super::problem::Problem;
use super::who::{self, Visit};
use super::{
    Shared, account, alerts, api, assets, events, frame, guard, live, look_back, metrics, moment,
    page, people, pledge, posters, procedure, report, rounds, settings, sign_in, steps, today,
    trust, visitor,
};
use crate::staff::Right;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Request};
use axum::handler::Handler;
use axum::http::Method;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{self, MethodRouter};
use serde::Deserialize;
use std::sync::Arc;

/// What somebody must be for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it says nothing of people or of what was measured.
    Nothing,
    /// Somebody who signed in, whoever it is.
    SignIn,
    /// Somebody with this right.
    Right(Right),
}

impl From<Right> for Needs {
    fn from(right: Right) -> Self {
        Self::Right(right)
    }
}

/// One address and method.
pub(super) struct Entry<S = Arc<Shared>> {
    served: Served,
    /// Whether its handler checks the form's `csrf` itself, since a file comes with it.
    takes_file: bool,
    handler: MethodRouter<S>,
}

/// What is served, without the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The address, parts that vary in braces.
    pub path: &'static str,
    /// Who may ask.
    pub needs: Needs,
}

/// A page or an answer.
pub(super) fn get<H, T, S>(path: &'static str, needs: impl Into<Needs>, handler: H) -> Entry<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    entry("GET", path, needs.into(), routing::get(handler))
}

/// Something that changes something.
pub(super) fn post<H, T, S>(path: &'static str, needs: impl Into<Needs>, handler: H) -> Entry<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    entry("POST", path, needs.into(), routing::post(handler))
}

/// Something that takes a file of at most so many bytes. A form with a file is not read before its handler
/// does, which therefore asks [`Visit::check`] itself.
pub(super) fn upload<H, T>(
    path: &'static str,
    needs: impl Into<Needs>,
    largest: u64,
    handler: H,
) -> Entry
where
    H: Handler<T, Arc<Shared>>,
    T: 'static,
{
    // Room for the form around the file.
    let most = usize::try_from(largest).unwrap_or(usize::MAX);
    let limit = DefaultBodyLimit::max(most.saturating_add(guard::BODY_LIMIT));
    Entry {
        takes_file: true,
        ..entry(
            "POST",
            path,
            needs.into(),
            routing::post(handler).layer(limit),
        )
    }
}

fn entry<S>(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: MethodRouter<S>,
) -> Entry<S> {
    Entry {
        served: Served {
            method,
            path,
            needs,
        },
        takes_file: false,
        handler,
    }
}

/// Every entry of a gateway: a new page is a line here.
pub(super) fn table() -> Vec<Entry> {
    [
        page::routes(),
        alerts::routes(),
        live::routes(),
        moment::routes(),
        visitor::routes(),
        api::routes(),
        events::routes(),
        metrics::routes(),
        frame::routes(),
        account::routes(),
        rounds::routes(),
        posters::routes(),
        report::routes(),
        look_back::routes(),
        pledge::routes(),
        procedure::routes(),
        steps::routes(),
        today::routes(),
        settings::routes(),
        people::routes(),
        sign_in::routes(),
        assets::routes(),
        trust::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a gateway serves, and to whom.
#[must_use]
pub fn served() -> Vec<Served> {
    served_by(table())
}

/// What a table serves, and to whom.
pub(super) fn served_by<S>(table: Vec<Entry<S>>) -> Vec<Served> {
    table.into_iter().map(|entry| entry.served).collect()
}

/// A table as a router.
pub(super) fn router<S>(table: Vec<Entry<S>>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    table.into_iter().fold(Router::new(), |router, entry| {
        let (needs, takes_file) = (entry.served.needs, entry.takes_file);
        let check = from_fn(move |request, next| admit((needs, takes_file), request, next));
        router.route(entry.served.path, entry.handler.route_layer(check))
    })
}

/// Lets a request through to its handler, or says why not.
async fn admit(
    (needs, takes_file): (Needs, bool),
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let visit = request.extensions().get::<Visit>();
    let who = visit.and_then(|visit| visit.who.as_ref());
    match (needs, who) {
        (Needs::Nothing, _) => return Ok(next.run(request).await),
        (Needs::SignIn, Some(_)) => {}
        (Needs::Right(right), Some(who)) => who::need(who, right)?,
        (_, None) if opens_a_page(&request) => return Ok(to_sign_in(request.uri().path())),
        (_, None) => return Err(Problem::NotSignedIn),
    }
    let csrf = visit.map_or_else(String::new, |visit| visit.csrf.clone());
    let has_file = takes_file && is_multipart(&request);
    let request = if request.method() == Method::POST && !csrf.is_empty() && !has_file {
        check_form(request, &csrf).await?
    } else {
        request
    };
    Ok(next.run(request).await)
}

/// Whether a file may come with a form.
fn is_multipart(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    kind.is_some_and(|it| it.as_bytes().starts_with(b"multipart/form-data"))
}

/// Whether a browser goes to a page, and does not merely fetch something for one.
fn opens_a_page(request: &Request) -> bool {
    let is = |name: &str, wanted: &str| {
        let value = request.headers().get(name);
        value.map(|it| it.to_str().is_ok_and(|it| it.contains(wanted)))
    };
    request.method() == Method::GET
        && is("sec-fetch-mode", "navigate")
            .unwrap_or_else(|| is(ACCEPT.as_str(), "text/html").unwrap_or(false))
}

fn to_sign_in(path: &str) -> Response {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
    let leads = if path != "/" && path.chars().all(plain) {
        format!("/sign-in?back={path}")
    } else {
        "/sign-in".to_owned()
    };
    Redirect::to(&leads).into_response()
}

/// What every form sends along.
#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    csrf: String,
}

/// Lets a form through that stood on a page of this very session (ASVS 5.0, 3.5.1).
async fn check_form(request: Request, csrf: &str) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, guard::BODY_LIMIT)
        .await
        .map_err(|_| Problem::TooLarge)?;
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let sent = Form::<Sent>::from_request(copy, &()).await;
    if sent.is_ok_and(|Form(sent)| sign_in::same(&sent.csrf, csrf)) {
        Ok(Request::from_parts(parts, Body::from(bytes)))
    } else {
        Err(Problem::OldForm)
    }
}
