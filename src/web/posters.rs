//! Codes to hang up, one at each place of the site: whoever scans one with a phone has before them what is to
//! be done there. Printed from the browser, a page each.

use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, get};
use super::{Shared, page, rounds};
use crate::checklist::Place;
use crate::picture;
use crate::staff::Right;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// One code on one page of paper.
struct Poster {
    place: Place,
    address: String,
    /// SVG that this program wrote.
    code: String,
}

#[derive(Template)]
#[template(path = "posters.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    /// Empty where nobody said what phones open the pages by.
    posters: Vec<Poster>,
}

fn poster(frame: &Frame, place: Place) -> Option<Result<Poster, Problem>> {
    let address = frame.site.link(&rounds::path_at(place))?;
    let code = picture::qr(&address).map_err(|error| Problem::Storage(error.to_string()));
    Some(code.map(|code| Poster {
        place,
        address,
        code,
    }))
}

/// `GET /rounds/posters`.
async fn posters(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let desk = shared.dashboard.desk.as_ref().ok_or(Problem::NoPage)?;
    let places = desk.list().places().into_iter();
    let posters = places.filter_map(|place| poster(&frame, place));
    let posters = posters.collect::<Result<_, _>>()?;
    page::html(&Page { frame, posters })
}

pub(super) fn routes() -> Vec<Entry> {
    vec![get("/rounds/posters", Right::RunChecklist, posters)]
}
