//! Who acts: whoever is signed in, and on a screen that several people use, whoever gives their PIN.
//!
//! The PIN is a stated deviation from ASVS 5.0, 6.2.1: on a shared screen a short secret of each person says more
//! of who acted than one long one of them all. It opens nothing by itself, and few may be tried.

use super::super::guard::{NAME_LIMIT, plain};
use super::super::problem::Problem;
use super::super::who::Visit;
use super::super::{Shared, blocking};
use super::Door;
use crate::staff::{Right, Who};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;

/// How a form learns who acts.
pub(in super::super) enum Signing {
    /// They type their name: a demonstration.
    Typed,
    /// It is the one who is signed in.
    Own(String),
    /// One of these, by PIN.
    Pin(Vec<String>),
}

/// What the forms of a page need to know of who sits there.
pub(in super::super) struct Desk {
    /// What they send along as `csrf`.
    pub(in super::super) csrf: String,
    /// How they learn who acts.
    pub(in super::super) signing: Signing,
    door: Option<Arc<Door>>,
    right: Right,
}

impl FromRequestParts<Arc<Shared>> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let visit = parts.extensions.get::<Visit>().cloned().unwrap_or_default();
        let right = Right::HandleAlerts;
        let signing = match (&shared.door, &visit.who) {
            (None, _) => Signing::Typed,
            (Some(door), _) if visit.shared => {
                let signers = door.all().into_iter().filter(|it| it.may_sign(right));
                Signing::Pin(signers.map(|it| it.name.to_string()).collect())
            }
            (Some(_), Some(Who { name, .. })) => Signing::Own(name.to_string()),
            (Some(_), None) => return Err(Problem::NotSignedIn),
        };
        Ok(Self {
            csrf: visit.csrf,
            signing,
            door: shared.door.clone(),
            right,
        })
    }
}

impl Desk {
    /// Whose name goes into the records.
    pub(in super::super) async fn acting(self, by: String, pin: String) -> Result<String, Problem> {
        let right = self.right;
        match (self.signing, self.door) {
            (Signing::Own(name), _) => Ok(name),
            (Signing::Pin(_), Some(door)) => {
                blocking(move || {
                    door.signs(by.trim(), &pin, right)
                        .map(|name| name.to_string())
                })
                .await
            }
            _ => plain(&by, NAME_LIMIT).ok_or(NAME_MISSING),
        }
    }
}

const NAME_MISSING: Problem = Problem::Incomplete(
    "请后退，填写您的姓名（1 到 64 个字，不含特殊控制字符）。",
    "Go back and fill in your name: 1 to 64 characters, no control characters.",
);
