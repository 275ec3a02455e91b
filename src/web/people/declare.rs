//! What the code of a poster opens on a phone: a short form without signing in. Purpose and consent come
//! first; what comes back is the code of the day. Nothing can be read here: whoever is known gets the same
//! answer as whoever is not, and the page forgets what was written as soon as it is sent.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, Needs, get, post};
use super::super::who::Visit;
use super::super::{Shared, page};
use super::written::{ASKED_AT_THE_DOOR, Asked, Input, Sent, Written, form};
use crate::calendar::Date;
use crate::people::{Code, Desk, DeskError, Field, FieldWrong, Poster, Said, Wrong, symptoms_in};
use crate::text::Words;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// What must be answered; the desk asks for the same.
const REQUIRED: [Field; 4] = [Field::Name, Field::Phone, Field::Symptoms, Field::Contact];

/// The parts of a poster's address: place, last day, seal.
type Scanned = Path<(String, String, String)>;

/// For what one field is asked, and how long it is kept.
struct Purpose {
    field: Field,
    why: Words,
    days: u16,
}

#[derive(Template)]
#[template(path = "declare.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    place: String,
    fields: Vec<Asked>,
    purposes: Vec<Purpose>,
    /// Whether something is wrong with what was sent.
    any_wrong: bool,
    agreed: bool,
    /// Whether nobody agreed, although the form was sent.
    not_agreed: bool,
}

#[derive(Template)]
#[template(path = "declared.html", config = "src/web/askama.toml")]
struct Declared {
    frame: Frame,
    code: Code,
    date: Date,
    /// Whether what they said themselves speaks against going in.
    stay_away: bool,
}

/// Where the form of a poster is.
pub(super) fn path_of(poster: &Poster) -> String {
    let place = utf8_percent_encode(poster.place.as_str(), NON_ALPHANUMERIC);
    format!("/declare/{place}/{}/{}", poster.until, poster.seal.as_str())
}

fn build(
    desk: &Desk,
    (frame, poster): (Frame, &Poster),
    (written, wrong): (&Written, &[FieldWrong]),
) -> Page {
    let rules = desk.rules();
    let purpose = |field: &Field| {
        let rule = rules.field(*field)?;
        Some(Purpose {
            field: *field,
            why: rule.purpose.clone(),
            days: rule.keep_days,
        })
    };
    let not_agreed = wrong.iter().any(|it| it.wrong == Wrong::NoConsent);
    let of_fields: Vec<FieldWrong> = wrong
        .iter()
        .copied()
        .filter(|it| it.wrong != Wrong::NoConsent)
        .collect();
    Page {
        frame,
        place: poster.place.to_string(),
        fields: form(&ASKED_AT_THE_DOOR, &REQUIRED, written, &of_fields),
        purposes: ASKED_AT_THE_DOOR.iter().filter_map(purpose).collect(),
        any_wrong: !wrong.is_empty(),
        agreed: written.one("agree") == "yes",
        not_agreed,
    }
}

/// `GET /declare/{place}/{until}/{seal}`.
async fn open(
    State(shared): State<Arc<Shared>>,
    Path((place, until, seal)): Scanned,
    frame: Frame,
) -> Result<Response, Problem> {
    let page = shared
        .people(move |desk, now| {
            let poster = desk.scanned((&place, &until, &seal), now)?;
            Ok(build(desk, (frame, &poster), (&Written::default(), &[])))
        })
        .await?;
    page::html(&page)
}

/// What became of a form: declared, or to be mended.
enum Outcome {
    Declared(Declared),
    Mend(Page),
}

/// Whether what somebody said themselves speaks against going in.
fn is_unfit(said: &Said) -> bool {
    let ill = said.get(Field::Symptoms).map(symptoms_in);
    let near = said.get(Field::Contact);
    ill.is_some_and(|it| !it.is_empty()) || near.is_some_and(|it| it.as_str() == "yes")
}

/// `POST /declare/{place}/{until}/{seal}`.
async fn declare(
    State(shared): State<Arc<Shared>>,
    Path((place, until, seal)): Scanned,
    Extension(visit): Extension<Visit>,
    frame: Frame,
    sent: Sent,
) -> Result<Response, Problem> {
    let written = Written::new(sent);
    let outcome = shared
        .people_write(move |desk, now| {
            let poster = desk.scanned((&place, &until, &seal), now)?;
            let fields = written.fields(&ASKED_AT_THE_DOOR);
            let fields = fields.iter().map(|it| (it.0, it.1.as_str()));
            match desk.declaration(fields, written.one("agree") == "yes", now) {
                Ok(said) => Ok(Outcome::Declared(Declared {
                    frame,
                    code: desk.declare(&said, &visit.from, now)?,
                    date: desk.today(now)?,
                    stay_away: is_unfit(&said),
                })),
                Err(DeskError::Fields(wrong)) => {
                    let page = build(desk, (frame, &poster), (&written, &wrong));
                    Ok(Outcome::Mend(page))
                }
                Err(error) => Err(error),
            }
        })
        .await?;
    match outcome {
        Outcome::Declared(page) => page::html(&page),
        Outcome::Mend(page) => {
            let html = page::html(&page)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html).into_response())
        }
    }
}

pub(super) fn routes() -> Vec<Entry> {
    const PATH: &str = "/declare/{place}/{until}/{seal}";
    vec![
        get(PATH, Needs::Nothing, open),
        post(PATH, Needs::Nothing, declare),
    ]
}
