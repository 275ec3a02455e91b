//! Who asks.
//!
//! Every handler that serves more than assets takes a [`Who`] and says which right it needs, with
//! [`need`]. Nobody signs in yet: the dashboard answers on loopback only, to the one who is at the
//! device and may do everything that a manager may.

use super::problem::Problem;
use crate::staff::{Right, Role, Who};
use crate::text::Note;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        Note::name("值班人员")
            .map(|name| Self {
                name,
                role: Role::Manager,
            })
            .ok_or(Problem::NoPage)
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
