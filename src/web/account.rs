//! The own account: who is signed in here, as what, and what that allows.

use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, Needs, get};
use super::sign_in::Own;
use super::{nav, page};
use crate::staff::{Right, Who};
use askama::Template;
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
async fn account(frame: Frame, who: Who, own: Own) -> Result<Response, Problem> {
    let may = |right: &Right| who.role.may(*right);
    page::html(&Page {
        rights: Right::ALL.iter().copied().filter(may).collect(),
        home: nav::home(who.role),
        frame,
        who,
        own,
    })
}

pub(super) fn routes() -> Vec<Entry> {
    vec![get("/account", Needs::SignIn, account)]
}
