//! Posters for entrances and floors: whoever scans one with a phone declares their health there. Each says
//! where it hangs and until when it holds; printed from the browser, a page each.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get};
use super::super::{Shared, page};
use super::declare;
use crate::calendar::Date;
use crate::people::{Desk, DeskError, Poster};
use crate::picture;
use crate::staff::Right;
use crate::text::Note;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Days that a poster holds where nobody says otherwise: two weeks of coming back to work.
const DAYS: u16 = 14;

/// Longest time that a poster may hold, days.
const MOST_DAYS: u16 = 90;

/// Most posters of one page.
const MOST: usize = 60;

/// Which posters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    places: String,
    days: Option<u16>,
}

/// One code on one page of paper.
struct View {
    place: String,
    until: Date,
    address: String,
    /// SVG that this program wrote.
    code: String,
}

#[derive(Template)]
#[template(path = "declare_posters.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    /// The places, as they were written.
    places: String,
    days: u16,
    most_days: u16,
    /// Empty where nobody said what phones open the pages by.
    posters: Vec<View>,
    /// Whether it is known by what address phones open the pages.
    is_known: bool,
}

fn view(frame: &Frame, poster: &Poster) -> Option<Result<View, Problem>> {
    let address = frame.site.link(&declare::path_of(poster))?;
    let code = picture::qr(&address).map_err(|error| Problem::Storage(error.to_string()));
    Some(code.map(|code| View {
        place: poster.place.to_string(),
        until: poster.until,
        address,
        code,
    }))
}

/// `GET /people/posters`.
async fn posters(
    State(shared): State<Arc<Shared>>,
    Query(wish): Query<Wish>,
    frame: Frame,
) -> Result<Response, Problem> {
    let days = wish.days.unwrap_or(DAYS).clamp(1, MOST_DAYS);
    let written = match wish.places.trim() {
        "" => frame.site.gate.clone(),
        places => places.to_owned(),
    };
    let names: Vec<Note> = written
        .lines()
        .flat_map(|line| line.split(['，', ',', '、']))
        .filter_map(Note::name)
        .take(MOST)
        .collect();
    let of_names = move |desk: &Desk, now| {
        let until = desk.today(now)?.plus(days);
        let of = |name: Note| desk.poster(name, until);
        Ok::<Vec<Poster>, DeskError>(names.into_iter().map(of).collect())
    };
    let posters = shared.people(of_names).await?;
    let posters = posters.iter().filter_map(|it| view(&frame, it));
    page::html(&Page {
        posters: posters.collect::<Result<_, _>>()?,
        is_known: frame.site.address.is_some(),
        places: written,
        days,
        most_days: MOST_DAYS,
        frame,
    })
}

pub(super) fn routes() -> Vec<Entry> {
    vec![get("/people/posters", Right::RunPeople, posters)]
}
