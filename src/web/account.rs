//! The own account: who is signed in here, as what, and what that allows.

use super::frame::Frame;
use super::hall::Hall;
use super::page;
use super::problem::Problem;
use super::routes::{Entry, Needs, get};
use super::sign_in::Own;
use crate::staff::{Right, Who};
use askama::Template;
use axum::extract::{FromRef, State};
use axum::response::Response;

#[derive(Template)]
#[template(path = "account.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    who: Who,
    /// What the role may do.
    rights: Vec<Right>,
    /// Where the role begins.
    home: &'static str,
    /// What they sign in with.
    own: Own,
}

/// `GET /account`.
async fn account(
    State(hall): State<Hall>,
    frame: Frame,
    who: Who,
    own: Own,
) -> Result<Response, Problem> {
    let served = hall.house.served();
    // Only what there is something for in these pages.
    let asks = |right: Right| served.iter().any(|it| it.needs == Needs::Right(right));
    let may = |right: &Right| who.role.may(*right) && asks(*right);
    page::html(&Page {
        rights: Right::ALL.iter().copied().filter(may).collect(),
        home: hall.home(who.role),
        frame,
        who,
        own,
    })
}

pub(super) fn routes<S>() -> Vec<Entry<S>>
where
    S: Clone + Send + Sync + 'static,
    Hall: FromRef<S>,
{
    vec![get("/account", Needs::SignIn, account)]
}
