//! The accounts of a gateway: made, reset and disabled by whoever may.

use super::super::frame::Frame;
use super::super::hall::Hall;
use super::super::page;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post};
use super::super::who::Visit;
use super::super::words::Words;
use super::super::words::sign_in as words;
use crate::account::{Account, AccountId, may_be_shared, may_run};
use crate::staff::{Right, Role, Who};
use askama::Template;
use axum::Extension;
use axum::extract::{Form, FromRef, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// An account, as it is shown.
struct AccountView {
    number: u64,
    name: String,
    role: Role,
    shared: bool,
    disabled: bool,
    has_pin: bool,
    state: Words,
    /// Whether who looks may change it.
    runs: bool,
    own: bool,
}

/// A code that was just given out.
struct Given {
    name: String,
    code: String,
}

#[derive(Template)]
#[template(path = "accounts.html", config = "src/web/askama.toml")]
struct AccountsPage {
    frame: Frame,
    accounts: Vec<AccountView>,
    /// The roles that who looks may give.
    roles: Vec<Role>,
    /// Whether one of them may be a screen's.
    shares: bool,
    given: Option<Given>,
}

fn view(account: &Account, who: &Who, visit: &Visit) -> AccountView {
    AccountView {
        number: account.id.0,
        name: account.name.to_string(),
        role: account.role,
        shared: account.shared,
        disabled: account.disabled,
        has_pin: account.keys.pin.is_some(),
        state: match account {
            it if it.disabled => words::DISABLED,
            it if it.is_usable() => words::IN_USE,
            _ => words::INVITED,
        },
        runs: may_run(who.role, account.role),
        own: visit.account == Some(account.id),
    }
}

fn shown(
    hall: &Hall,
    frame: Frame,
    who: &Who,
    visit: &Visit,
    given: Option<Given>,
) -> Result<Response, Problem> {
    let all = hall.door()?.all();
    let roles = hall.house.roles().iter().copied();
    let roles: Vec<Role> = roles.filter(|role| may_run(who.role, *role)).collect();
    page::html(&AccountsPage {
        frame,
        accounts: all.iter().map(|it| view(it, who, visit)).collect(),
        shares: roles.iter().any(|role| may_be_shared(*role)),
        roles,
        given,
    })
}

/// `GET /accounts`.
async fn list(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    who: Who,
    frame: Frame,
) -> Result<Response, Problem> {
    shown(&hall, frame, &who, &visit, None)
}

/// What the form for a new account sends.
#[derive(Debug, Deserialize)]
struct NewForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    shared: String,
}

/// `POST /accounts`.
async fn make(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    who: Who,
    frame: Frame,
    Form(form): Form<NewForm>,
) -> Result<Response, Problem> {
    let role = Role::parse(&form.role).filter(|it| hall.house.roles().contains(it));
    let role = role.ok_or(Problem::Incomplete(
        "请后退，选择角色。",
        "Go back and choose what they are.",
    ))?;
    let by = who.clone();
    let (name, code) = hall
        .at_door(move |door| door.invite(&by, &form.name, role, form.shared == "yes"))
        .await?;
    let name = name.to_string();
    shown(&hall, frame, &who, &visit, Some(Given { name, code }))
}

fn number(text: &str) -> Result<AccountId, Problem> {
    text.parse().map(AccountId).map_err(|_| Problem::NoPage)
}

/// `POST /accounts/{id}/reset`.
async fn reset(
    State(hall): State<Hall>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    who: Who,
    frame: Frame,
) -> Result<Response, Problem> {
    let (id, by) = (number(&id)?, who.clone());
    let (name, code) = hall.at_door(move |door| door.reset(&by, id)).await?;
    let name = name.to_string();
    shown(&hall, frame, &who, &visit, Some(Given { name, code }))
}

async fn switch(hall: &Hall, id: &str, who: Who, disabled: bool) -> Result<Response, Problem> {
    let id = number(id)?;
    hall.at_door(move |door| door.set_disabled(&who, id, disabled))
        .await?;
    Ok(Redirect::to("/accounts").into_response())
}

/// `POST /accounts/{id}/disable`.
async fn disable(
    State(hall): State<Hall>,
    Path(id): Path<String>,
    who: Who,
) -> Result<Response, Problem> {
    switch(&hall, &id, who, true).await
}

/// `POST /accounts/{id}/enable`.
async fn enable(
    State(hall): State<Hall>,
    Path(id): Path<String>,
    who: Who,
) -> Result<Response, Problem> {
    switch(&hall, &id, who, false).await
}

pub(super) fn routes<S>() -> Vec<Entry<S>>
where
    S: Clone + Send + Sync + 'static,
    Hall: FromRef<S>,
{
    vec![
        get("/accounts", Right::RunAccounts, list),
        post("/accounts", Right::RunAccounts, make),
        post("/accounts/{id}/reset", Right::RunAccounts, reset),
        post("/accounts/{id}/disable", Right::RunAccounts, disable),
        post("/accounts/{id}/enable", Right::RunAccounts, enable),
    ]
}
