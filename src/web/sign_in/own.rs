//! What somebody signs in with, changed by themselves.

use super::super::hall::Hall;
use super::super::problem::Problem;
use super::super::routes::{Entry, Needs, post};
use super::super::who::Visit;
use super::{entered, repeated};
use crate::account::AccountId;
use axum::Extension;
use axum::extract::{Form, FromRef, FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// What the page of the own account says of signing in; nothing where nobody signs in.
pub(in super::super) struct Own {
    /// Whether there is something to change here: not in a demonstration.
    pub(in super::super) signs_in: bool,
    /// Whether it is a screen's account, which has no PIN.
    pub(in super::super) shared: bool,
    /// Whether a PIN was chosen.
    pub(in super::super) has_pin: bool,
}

impl<S> FromRequestParts<S> for Own
where
    S: Send + Sync,
    Hall: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let hall = Hall::from_ref(state);
        let visit = parts.extensions.get::<Visit>();
        let id = visit.and_then(|it| it.account);
        let account = match (&hall.door, id) {
            (Some(door), Some(id)) => door.all().into_iter().find(|it| it.id == id),
            _ => None,
        };
        Ok(Self {
            signs_in: account.is_some(),
            shared: account.as_ref().is_some_and(|it| it.shared),
            has_pin: account.is_some_and(|it| it.keys.pin.is_some()),
        })
    }
}

/// What the form for a password sends.
#[derive(Debug, Deserialize)]
struct PasswordForm {
    #[serde(default)]
    old: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

/// What the form for a PIN sends.
#[derive(Debug, Deserialize)]
struct PinForm {
    #[serde(default)]
    old: String,
    #[serde(default)]
    pin: String,
}

fn account(visit: &Visit) -> Result<AccountId, Problem> {
    visit.account.ok_or(Problem::NoPage)
}

/// `POST /account/password`.
async fn password(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Problem> {
    let id = account(&visit)?;
    let begun = hall
        .at_door(move |door| {
            repeated(&form.password, &form.again)?;
            door.choose_password(id, &form.old, &form.password)
        })
        .await?;
    Ok(entered(&hall, &begun, "/account"))
}

/// `POST /account/pin`.
async fn pin(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<PinForm>,
) -> Result<Response, Problem> {
    let id = account(&visit)?;
    if visit.shared {
        return Err(Problem::Incomplete(
            "共用屏幕没有 PIN；每个人用自己的 PIN。",
            "A shared screen has no PIN; everybody uses their own.",
        ));
    }
    hall.at_door(move |door| door.choose_pin(id, &form.old, &form.pin, visit.session.as_ref()))
        .await?;
    Ok(Redirect::to("/account").into_response())
}

pub(super) fn routes<S>() -> Vec<Entry<S>>
where
    S: Clone + Send + Sync + 'static,
    Hall: FromRef<S>,
{
    vec![
        post("/account/password", Needs::SignIn, password),
        post("/account/pin", Needs::SignIn, pin),
    ]
}
