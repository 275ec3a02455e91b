//! Signing in and out, the first account, and choosing a password with a code.
//!
//! There is no default account (ASVS 5.0, 6.3.2): a first start says a code in the log, which makes the first
//! administrator. All others are invited with a code of their own, so that nobody ever knows another's password.
//!
//! The cookie holds a random token and nothing else; it is out of reach of scripts and of other sites' pages. Over
//! TLS it is a `__Host-` one (ASVS 5.0, 3.3.3); on loopback, without TLS, it cannot be.

mod accounts;
mod desk;
mod door;
mod own;
mod secrets;

pub(super) use desk::{Desk, Signing};
pub(crate) use door::Door;
pub(super) use own::Own;
pub(super) use secrets::same;

use super::frame::{Frame, own_path};
use super::hall::Hall;
use super::problem::Problem;
use super::routes::{Entry, Needs, get, post};
use super::who::Visit;
use super::{cookie, page};
use askama::Template;
use axum::Extension;
use axum::extract::{Form, FromRef, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use door::Entered;
use serde::Deserialize;
use std::time::Duration;

/// The cookie with a session's token, without TLS and with it.
const SESSION: [&str; 2] = ["menshen-session", "__Host-menshen-session"];

/// Tries to sign in that may wait for their turn; each takes a tenth of a second or so of a processor.
pub(super) const WAITING: usize = 8;

/// The token that a request brings.
pub(super) fn token(headers: &HeaderMap, secure: bool) -> Option<&str> {
    cookie::read(headers, SESSION[usize::from(secure)])
}

/// Leads on with the cookie of a session; with one that is over where the session is.
fn with_cookie(hall: &Hall, token: &str, lasts: Duration, leads: &str) -> Response {
    let secure = hall.is_secure();
    let name = SESSION[usize::from(secure)];
    let line = cookie::line(name, token, lasts.as_secs(), secure);
    ([(SET_COOKIE, line)], Redirect::to(leads)).into_response()
}

/// Leads on with the cookie of a session that has begun.
fn entered(hall: &Hall, entered: &Entered, leads: &str) -> Response {
    with_cookie(hall, &entered.token, entered.lasts, leads)
}

/// A form's page once more, with what was wrong and the status that says so.
fn again(page: Result<Response, Problem>, problem: &Problem) -> Response {
    let mut response = page.unwrap_or_else(IntoResponse::into_response);
    *response.status_mut() = problem.status();
    if let Problem::TooOften(seconds) = problem {
        let seconds = HeaderValue::from(*seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/web/askama.toml")]
struct SignInPage {
    frame: Frame,
    problem: Option<Problem>,
    name: String,
    back: String,
}

#[derive(Template)]
#[template(path = "setup.html", config = "src/web/askama.toml")]
struct SetupPage {
    frame: Frame,
    problem: Option<Problem>,
    /// Whether the first account is made.
    first: bool,
    name: String,
}

/// Where somebody was going.
#[derive(Debug, Deserialize)]
struct Way {
    #[serde(default)]
    back: String,
}

/// `GET /sign-in`.
async fn sign_in_page(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    axum::extract::Query(way): axum::extract::Query<Way>,
    frame: Frame,
) -> Result<Response, Problem> {
    if let Some(who) = &visit.who {
        return Ok(Redirect::to(hall.home(who.role)).into_response());
    }
    if hall.door()?.is_new() {
        return Ok(Redirect::to("/setup").into_response());
    }
    page::html(&SignInPage {
        frame,
        problem: None,
        name: String::new(),
        back: own_path(&way.back).unwrap_or_default().to_owned(),
    })
}

/// What the form for signing in sends.
#[derive(Debug, Deserialize)]
struct SignInForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    back: String,
}

/// `POST /sign-in`.
async fn sign_in(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    frame: Frame,
    Form(form): Form<SignInForm>,
) -> Result<Response, Problem> {
    let from = visit.from.clone();
    let (name, password) = (form.name.clone(), form.password);
    let result = hall
        .at_door(move |door| {
            let entered = door.sign_in(&name, &password, &from)?;
            leave(door, &visit)?;
            Ok(entered)
        })
        .await;
    let back = own_path(&form.back).filter(|it| *it != "/sign-in");
    match result {
        Ok(it) => {
            let leads = back.unwrap_or_else(|| hall.home(it.role));
            Ok(entered(&hall, &it, leads))
        }
        Err(problem) => {
            let page = page::html(&SignInPage {
                frame,
                problem: Some(problem.clone()),
                name: form.name,
                back: back.unwrap_or_default().to_owned(),
            });
            Ok(again(page, &problem))
        }
    }
}

/// Ends the session that a browser came with: none outlives another's signing in.
fn leave(door: &Door, visit: &Visit) -> Result<(), Problem> {
    match (visit.session, &visit.who) {
        (Some(session), Some(who)) => door.sign_out(session, who.name.as_str()),
        _ => Ok(()),
    }
}

/// `POST /sign-out`.
async fn sign_out(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    hall.at_door(move |door| leave(door, &visit)).await?;
    Ok(with_cookie(&hall, "", Duration::ZERO, "/sign-in"))
}

/// `GET /setup`.
async fn setup_page(State(hall): State<Hall>, frame: Frame) -> Result<Response, Problem> {
    let door = hall.door()?;
    door.announce(&hall.url);
    page::html(&SetupPage {
        frame,
        problem: None,
        first: door.is_new(),
        name: String::new(),
    })
}

/// What the form of a code sends.
#[derive(Debug, Deserialize)]
struct SetupForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

/// Two passwords that ought to be the same.
fn repeated(password: &str, again: &str) -> Result<(), Problem> {
    if password == again {
        return Ok(());
    }
    Err(Problem::Incomplete(
        "两次输入的密码不一样。",
        "The two passwords are not the same.",
    ))
}

/// `POST /setup`.
async fn setup(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    frame: Frame,
    Form(form): Form<SetupForm>,
) -> Result<Response, Problem> {
    let first = hall.door()?.is_new();
    let name = form.name.clone();
    let result = hall
        .at_door(move |door| {
            repeated(&form.password, &form.again)?;
            let entered = door.set_up(&form.code, &form.name, &form.password, &visit.from)?;
            leave(door, &visit)?;
            Ok(entered)
        })
        .await;
    match result {
        Ok(it) => Ok(entered(&hall, &it, "/account")),
        Err(problem) => {
            let page = page::html(&SetupPage {
                frame,
                problem: Some(problem.clone()),
                first,
                name,
            });
            Ok(again(page, &problem))
        }
    }
}

pub(super) fn routes<S>() -> Vec<Entry<S>>
where
    S: Clone + Send + Sync + 'static,
    Hall: FromRef<S>,
{
    let mut routes = vec![
        get("/sign-in", Needs::Nothing, sign_in_page),
        post("/sign-in", Needs::Nothing, sign_in),
        get("/setup", Needs::Nothing, setup_page),
        post("/setup", Needs::Nothing, setup),
        post("/sign-out", Needs::SignIn, sign_out),
    ];
    routes.extend(own::routes());
    routes.extend(accounts::routes());
    routes
}
