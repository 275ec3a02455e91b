//! At the gate: the code of the day is checked, and the guard lets somebody in or not. A screening is tied to
//! a person by the guard's own choice, after that person showed a code: nothing here knows a face.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post};
use super::super::words::InWords as _;
use super::super::{LivePerson, Shared, page};
use super::ColourView;
use super::written::{ASKED_AT_THE_DOOR, Asked, Input, Sent, Written, form};
use crate::id::ScreeningId;
use crate::people::{
    Advice, DeskError, Field, FieldWrong, GateDay, Glance, Passage, PersonId, Source,
};
use crate::staff::{Right, Who};
use crate::text::{Note, Words};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

const REQUIRED: [Field; 1] = [Field::Name];

/// Somebody who stands before the camera now.
struct Before {
    screening: ScreeningId,
    zh: &'static str,
    en: &'static str,
}

/// What a code said.
struct GlanceView {
    id: PersonId,
    name: String,
    company: String,
    floor: String,
    colour: Option<ColourView>,
    /// Whether nothing speaks against going in.
    good: bool,
    zh: &'static str,
    en: &'static str,
}

impl From<Glance> for GlanceView {
    fn from(it: Glance) -> Self {
        let text = |note: Option<Note>| note.map_or_else(String::new, |it| it.to_string());
        Self {
            id: it.id,
            name: it.name,
            company: text(it.company),
            floor: text(it.floor),
            colour: it.colour.map(ColourView::from),
            good: it.advice == Advice::Enter,
            zh: it.advice.zh(),
            en: it.advice.en(),
        }
    }
}

/// What stands above the form of a code.
enum Checked {
    /// None was typed.
    Nothing,
    /// There is no such code today.
    Unknown,
    /// This.
    Known(Box<GlanceView>),
    /// Somebody was entered.
    Entered,
}

#[derive(Template)]
#[template(path = "gate.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    checked: Checked,
    before: Vec<Before>,
    day: GateDay,
    deliveries: Words,
    fields: Vec<Asked>,
    any_wrong: bool,
}

impl Page {
    fn count(&self, passage: Passage) -> u32 {
        self.day.count(passage)
    }
}

/// Who stands before the camera, for the guard to choose from.
fn before(shared: &Shared) -> Vec<Before> {
    let Some(frame) = shared.dashboard.live.borrow().clone() else {
        return Vec::new();
    };
    let one = |person: &LivePerson| {
        let words = person.state.words();
        Before {
            screening: ScreeningId {
                boot: frame.at.boot,
                track: person.track,
            },
            zh: words.zh,
            en: words.en,
        }
    };
    frame.people.iter().map(one).collect()
}

async fn shown(
    shared: &Shared,
    (frame, who): (Frame, Who),
    checked: Checked,
    (written, wrong): (Written, Vec<FieldWrong>),
) -> Result<Response, Problem> {
    let (day, deliveries) = shared
        .people(move |desk, now| {
            let day = desk.gate(&who.name, now)?;
            Ok((day, desk.rules().deliveries.clone()))
        })
        .await?;
    page::html(&Page {
        frame,
        checked,
        before: before(shared),
        day,
        deliveries,
        fields: form(&ASKED_AT_THE_DOOR, &REQUIRED, &written, &wrong),
        any_wrong: !wrong.is_empty(),
    })
}

/// `GET /gate`.
async fn gate(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    who: Who,
) -> Result<Response, Problem> {
    let blank = (Written::default(), Vec::new());
    shown(&shared, (frame, who), Checked::Nothing, blank).await
}

/// `POST /gate/check`: what a code says.
async fn check(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let (code, by) = (Written::new(sent).one("code").to_owned(), who.name.clone());
    let found = shared
        .people_or_not(move |desk, now| desk.check(&code, &by, now))
        .await?;
    let checked = match found {
        Ok(glance) => Checked::Known(Box::new(glance.into())),
        Err(DeskError::NoCode) => Checked::Unknown,
        Err(error) => return Err(error.into()),
    };
    let blank = (Written::default(), Vec::new());
    shown(&shared, (frame, who), checked, blank).await
}

/// `POST /gate/pass`: somebody is let in, or not.
async fn pass(
    State(shared): State<Arc<Shared>>,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let sent = Written::new(sent);
    let id: PersonId = sent.one("person").parse().map_err(|_| Problem::NoPage)?;
    let entered = match sent.one("passage") {
        "entered" => true,
        "turned_back" => false,
        _ => return Err(Problem::NoPage),
    };
    let screening = sent.one("screening").parse().ok();
    shared
        .people_write(move |desk, now| desk.pass(id, (entered, screening), &who.name, now))
        .await?;
    Ok(Redirect::to("/gate").into_response())
}

/// `POST /gate/count`: a courier, a takeaway.
async fn count(State(shared): State<Arc<Shared>>, sent: Sent) -> Result<Response, Problem> {
    let passage = Passage::parse(Written::new(sent).one("passage"));
    let Some(passage @ (Passage::Courier | Passage::Takeaway)) = passage else {
        return Err(Problem::NoPage);
    };
    shared
        .people_write(move |desk, now| desk.count(passage, now))
        .await?;
    Ok(Redirect::to("/gate#deliveries").into_response())
}

/// `POST /gate/enter`: somebody is found at the gate.
async fn enter(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let written = Written::new(sent);
    let signed = (Source::Gate, &who);
    match shared.enter(&written, &ASKED_AT_THE_DOOR, signed).await? {
        Ok(_) => {
            let blank = (Written::default(), Vec::new());
            shown(&shared, (frame, who), Checked::Entered, blank).await
        }
        Err(wrong) => {
            let page = shown(&shared, (frame, who), Checked::Nothing, (written, wrong)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/gate", Right::CheckCodes, gate),
        post("/gate/check", Right::CheckCodes, check),
        post("/gate/pass", Right::CheckCodes, pass),
        post("/gate/count", Right::CheckCodes, count),
        post("/gate/enter", Right::CheckCodes, enter),
    ]
}
