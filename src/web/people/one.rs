//! One person: what each source said, what a person has to decide about it, the steps from colour to colour,
//! and what they say of their health. Every act is signed by whoever is signed in, and gives back this page.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post};
use super::super::{Shared, page, when};
use super::ColourView;
use super::written::{Asked, Input, Sent, Written, form};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::people::{
    Colour, Desk, DeskError, Erasure, Field, FieldWrong, Health, Lack, Person, PersonId, Seen,
    Sign, Source, Standing, Symptom, Transition, Wrong, symptoms_in,
};
use crate::staff::{Right, Who};
use crate::text::{Note, Words};
use crate::units::Celsius;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// What more may be said of somebody who is known.
const ASKED: [Field; 8] = [
    Field::Phone,
    Field::Company,
    Field::Floor,
    Field::From,
    Field::Expected,
    Field::Arrived,
    Field::Symptoms,
    Field::Contact,
];

/// What the sources say of one field.
struct FieldView {
    field: Field,
    value: String,
    /// Where they contradict each other: each value with who says it.
    values: Vec<(String, Source)>,
}

/// One step, as it is shown.
struct StepView {
    colour: Option<ColourView>,
    on: Date,
    due: String,
    by: String,
    at: String,
}

/// What is proposed.
struct ProposalView {
    colour: ColourView,
    on: Date,
    zh: &'static str,
    en: &'static str,
    alert: String,
}

/// A day's health.
struct HealthView {
    date: Date,
    temperature: String,
    symptoms: Vec<Symptom>,
    unwell: bool,
    by: String,
}

/// Something that a source said.
struct RecordView {
    source: Source,
    at: String,
    by: String,
    said: Vec<(Field, String)>,
}

/// Somebody who may be the same.
struct DoubtView {
    id: PersonId,
    name: String,
    phone: String,
}

/// What was seen at the gate.
struct VisitView {
    at: String,
    by: String,
    entered: bool,
    screening: String,
    fever: bool,
}

#[derive(Template)]
#[template(path = "person.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    id: PersonId,
    name: String,
    today: Date,
    colour: Option<ColourView>,
    due: String,
    measures: Vec<Words>,
    lacks: Vec<Lack>,
    fields: Vec<FieldView>,
    proposal: Option<ProposalView>,
    doubts: Vec<DoubtView>,
    moves: Vec<ColourView>,
    /// Whether following may be ended.
    ends: bool,
    observed: bool,
    symptoms: &'static [Symptom],
    steps: Vec<StepView>,
    health: Vec<HealthView>,
    visits: Vec<VisitView>,
    records: Vec<RecordView>,
    consent: String,
    asked: Vec<Asked>,
    erasures: &'static [Erasure],
    /// Whether whoever looks may decide and erase.
    runs: bool,
}

fn plain(field: Field, value: &Note) -> String {
    match (field, value.as_str()) {
        (Field::Symptoms, "none") => "无 none".to_owned(),
        (Field::Symptoms, _) => {
            let all = symptoms_in(value);
            let words: Vec<String> = all
                .iter()
                .map(|it| format!("{} {}", it.zh(), it.en()))
                .collect();
            words.join("、")
        }
        (Field::Contact, "no") => "无 no".to_owned(),
        (Field::Contact, "yes") => "有 yes".to_owned(),
        (_, text) => text.to_owned(),
    }
}

fn field_view(person: &Person, field: Field) -> Option<FieldView> {
    let view = |value: &Note, values| FieldView {
        field,
        value: plain(field, value),
        values,
    };
    match person.standing(field) {
        Standing::Unknown => None,
        Standing::Agreed(value) => Some(view(value, Vec::new())),
        Standing::Contradicted(all) => {
            let first = all.first()?.0;
            let values = all.iter().map(|it| (it.0.to_string(), it.1)).collect();
            Some(view(first, values))
        }
    }
}

fn signed(by: Option<&Note>, itself: &str) -> String {
    by.map_or_else(|| itself.to_owned(), ToString::to_string)
}

fn steps(person: &Person, now: &Stamp) -> Vec<StepView> {
    let view = |step: &crate::people::Step| StepView {
        colour: step.to.map(ColourView::from),
        on: step.on,
        due: step.due.map_or_else(String::new, |it| it.to_string()),
        by: step.sign.as_ref().map_or_else(
            || "按规则 by rule".to_owned(),
            |sign| format!("{} · {}", sign.by, sign.why),
        ),
        at: when::short(&step.at, now),
    };
    person.follow.steps.iter().rev().map(view).collect()
}

fn health(person: &Person) -> Vec<HealthView> {
    let view = |it: &Health| HealthView {
        date: it.date,
        temperature: it
            .temperature
            .map_or_else(String::new, |it| format!("{:.1} °C", it.degrees())),
        symptoms: it.symptoms.iter().copied().collect(),
        unwell: it.is_unwell(),
        by: signed(it.by.as_ref(), "本人 self"),
    };
    person.follow.health.iter().rev().map(view).collect()
}

fn records(person: &Person, now: &Stamp) -> Vec<RecordView> {
    let view = |it: &crate::people::Record| RecordView {
        source: it.source,
        at: when::short(&it.at, now),
        by: signed(it.by.as_ref(), "本人 self"),
        said: it.said.iter().map(|it| (it.0, plain(it.0, it.1))).collect(),
    };
    person.records.iter().rev().map(view).collect()
}

fn visits(person: &Person, now: &Stamp) -> Vec<VisitView> {
    let view = |it: &crate::people::Visit| VisitView {
        at: when::short(&it.at, now),
        by: it.by.to_string(),
        entered: it.entered,
        screening: it.screening.map_or_else(String::new, |it| it.to_string()),
        fever: it.fever,
    };
    person.visits.iter().rev().map(view).collect()
}

/// The colours to which somebody may be moved now.
fn moves(person: &Person) -> Vec<ColourView> {
    let from = person.follow.colour();
    let is_legal = |to: &Colour| {
        let step = Transition {
            from,
            to: Some(*to),
        };
        step.is_legal()
    };
    let legal = Colour::ALL.iter().copied().filter(is_legal);
    legal.map(ColourView::from).collect()
}

fn build(
    desk: &Desk,
    (frame, who): (Frame, &Who),
    id: PersonId,
    now: Stamp,
) -> Result<Page, DeskError> {
    let Seen { person, lacks } = desk.person(id, &who.name, now)?;
    let mut doubts = Vec::new();
    for other in &person.doubts {
        // Who is gone by now is no doubt any more.
        if let Ok(seen) = desk.person(*other, &who.name, now) {
            let text = |field| {
                seen.person
                    .value(field)
                    .map_or_else(String::new, ToString::to_string)
            };
            doubts.push(DoubtView {
                id: *other,
                name: text(Field::Name),
                phone: text(Field::Phone),
            });
        }
    }
    let colour = person.follow.colour();
    let proposal = person.follow.proposal.as_ref().map(|it| ProposalView {
        colour: it.to.into(),
        on: it.on,
        zh: it.reason.zh(),
        en: it.reason.en(),
        alert: it.alert.map_or_else(String::new, |it| it.to_string()),
    });
    let due = person.follow.standing().and_then(|it| it.due);
    Ok(Page {
        frame,
        id,
        name: person
            .value(Field::Name)
            .map_or_else(String::new, ToString::to_string),
        today: desk.today(now)?,
        due: due.map_or_else(String::new, |it| it.to_string()),
        measures: colour.map_or_else(Vec::new, |it| desk.rules().measures(it).to_vec()),
        colour: colour.map(ColourView::from),
        lacks,
        fields: Field::ALL
            .iter()
            .filter_map(|it| field_view(&person, *it))
            .collect(),
        proposal,
        doubts,
        moves: moves(&person),
        ends: colour.is_some(),
        observed: colour.is_some_and(Colour::is_observed),
        symptoms: Symptom::ALL,
        steps: steps(&person, &now),
        health: health(&person),
        visits: visits(&person, &now),
        records: records(&person, &now),
        consent: person.consent.as_ref().map_or_else(String::new, |it| {
            format!("{} · {}", it.0, when::short(&it.1, &now))
        }),
        asked: form(&ASKED, &[], &Written::default(), &[]),
        erasures: Erasure::ALL,
        runs: who.role.may(Right::RunPeople),
    })
}

/// A person's number in an address.
fn number(text: &str) -> Result<PersonId, Problem> {
    text.parse().map_err(|_| Problem::NoPage)
}

/// `GET /people/{id}`.
async fn person(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    frame: Frame,
    who: Who,
) -> Result<Response, Problem> {
    let id = number(&id)?;
    let page = shared
        .people(move |desk, now| build(desk, (frame, &who), id, now))
        .await?;
    page::html(&page)
}

/// A line that must be there.
fn line(written: &Written, name: &str) -> Result<Note, Problem> {
    Note::new(written.one(name)).ok_or(Problem::Incomplete(
        "请后退，写明原因（1 到 500 个字）。",
        "Go back and write why: 1 to 500 characters.",
    ))
}

fn sign(written: &Written, who: &Who) -> Result<Sign, Problem> {
    Ok(Sign {
        by: who.name.clone(),
        why: line(written, "why")?,
    })
}

fn date(text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| {
        Problem::Incomplete(
            "请后退，填写日期，例如 2020-02-24。",
            "Go back and write the date, such as 2020-02-24.",
        )
    })
}

fn temperature(text: &str) -> Result<Option<Celsius>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let degrees: Option<f64> = text.parse().ok();
    degrees
        .and_then(Celsius::new)
        .map(Some)
        .ok_or(Problem::Incomplete(
            "请后退，体温写数字，例如 36.5。",
            "Go back and write the temperature as a number, such as 36.5.",
        ))
}

/// What is done with somebody, by its word in the address.
enum Act {
    Add(crate::people::Said),
    Settle(Field, String),
    Merge(PersonId),
    Apart(PersonId),
    Move(Option<Colour>, Date, Sign),
    Confirm(Sign),
    Decline,
    Health(Option<Celsius>, std::collections::BTreeSet<Symptom>, Date),
    Erase(Erasure),
}

impl Act {
    fn of(word: &str, written: &Written, who: &Who) -> Result<Self, Problem> {
        let other = || written.one("other").parse().map_err(|_| Problem::NoPage);
        Ok(match word {
            "add" => {
                let said = written.said(&ASKED).map_err(DeskError::Fields)?;
                if said.is_empty() {
                    let wrong = Wrong::Empty;
                    let field = Field::Phone;
                    return Err(DeskError::Fields(vec![FieldWrong { field, wrong }]).into());
                }
                Self::Add(said)
            }
            "settle" => {
                let field = Field::parse(written.one("field")).ok_or(Problem::NoPage)?;
                Self::Settle(field, written.one("value").to_owned())
            }
            "merge" => Self::Merge(other()?),
            "apart" => Self::Apart(other()?),
            "move" => {
                let to = match written.one("to") {
                    "none" => None,
                    word => Some(Colour::parse(word).ok_or(Problem::NoPage)?),
                };
                Self::Move(to, date(written.one("on"))?, sign(written, who)?)
            }
            "confirm" => Self::Confirm(sign(written, who)?),
            "decline" => Self::Decline,
            "health" => Self::Health(
                temperature(written.one("temperature"))?,
                written.symptoms(),
                date(written.one("date"))?,
            ),
            "erase" => {
                let why = Erasure::parse(written.one("why"));
                Self::Erase(why.ok_or(Problem::Incomplete(
                    "请后退，选择删除的原因。",
                    "Go back and choose why.",
                ))?)
            }
            _ => return Err(Problem::NoPage),
        })
    }

    /// What somebody needs for it.
    const fn needs(&self) -> Right {
        match self {
            Self::Add(_) | Self::Health(..) => Right::SeePeople,
            _ => Right::RunPeople,
        }
    }

    fn take(&self, desk: &Desk, (id, by): (PersonId, &Note), now: Stamp) -> Result<(), DeskError> {
        match self {
            Self::Add(said) => desk.add(id, (Source::Community, said), by, now),
            Self::Settle(field, value) => desk.settle((id, *field), value, by, now),
            Self::Merge(other) => desk.merge(id, *other, by, now),
            Self::Apart(other) => desk.keep_apart(id, *other, by, now),
            Self::Move(to, on, sign) => desk.move_to(id, (*to, *on), sign, now),
            Self::Confirm(sign) => desk.confirm(id, sign, now).map(|_| ()),
            Self::Decline => desk.decline(id, by, now),
            Self::Health(temperature, symptoms, date) => {
                let health = Health {
                    date: *date,
                    temperature: *temperature,
                    symptoms: symptoms.clone(),
                    by: Some(by.clone()),
                    at: now,
                };
                desk.enter_health(id, &health, now)
            }
            Self::Erase(why) => desk.erase(id, (*why, by), now),
        }
    }
}

/// `POST /people/{id}/{act}`.
async fn act(
    State(shared): State<Arc<Shared>>,
    Path((id, word)): Path<(String, String)>,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let id = number(&id)?;
    let act = Act::of(&word, &Written::new(sent), &who)?;
    super::super::who::need(&who, act.needs())?;
    let back = match act {
        Act::Erase(_) => "/people".to_owned(),
        _ => format!("/people/{id}"),
    };
    shared
        .people_write(move |desk, now| act.take(desk, (id, &who.name), now))
        .await?;
    Ok(Redirect::to(&back).into_response())
}

/// Everything that is known of somebody, for that person: plain words, no numbers of the machine's.
fn told(person: &Person) -> Value {
    let record = |it: &crate::people::Record| {
        let said: serde_json::Map<String, Value> = it
            .said
            .iter()
            .map(|(field, value)| (field.as_str().to_owned(), json!(value.as_str())))
            .collect();
        json!({
            "source": it.source.as_str(),
            "at": when::machine(&it.at),
            "by": it.by.as_ref().map(Note::as_str),
            "said": said,
        })
    };
    let step = |it: &crate::people::Step| {
        json!({
            "colour": it.to.map(Colour::as_str),
            "on": it.on.to_string(),
            "due": it.due.map(|it| it.to_string()),
            "by": it.sign.as_ref().map(|it| it.by.as_str()),
            "why": it.sign.as_ref().map(|it| it.why.as_str()),
        })
    };
    let health = |it: &Health| {
        json!({
            "date": it.date.to_string(),
            "temperature_c": it.temperature.map(Celsius::degrees),
            "symptoms": it.symptoms.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
        })
    };
    let visit = |it: &crate::people::Visit| {
        json!({
            "at": when::machine(&it.at),
            "let_in": it.entered,
            "by": it.by.as_str(),
            "screening": it.screening.map(|it| it.to_string()),
            "fever_confirmed": it.fever,
        })
    };
    json!({
        "number": person.id.0,
        "records": person.records.iter().map(record).collect::<Vec<_>>(),
        "steps": person.follow.steps.iter().map(step).collect::<Vec<_>>(),
        "health": person.follow.health.iter().map(health).collect::<Vec<_>>(),
        "visits": person.visits.iter().map(visit).collect::<Vec<_>>(),
        "agreed_to_notice": person.consent.as_ref().map(|it| it.0),
    })
}

/// `POST /people/{id}/export`: a file for the person.
async fn export(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    who: Who,
) -> Result<Response, Problem> {
    let id = number(&id)?;
    let told = shared
        .people(move |desk, now| Ok(told(&desk.export(id, &who.name, now)?)))
        .await?;
    let name = format!("attachment; filename=\"menshen-person-{id}.json\"");
    Ok(([(CONTENT_DISPOSITION, name)], Json(told)).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/people/{id}", Right::SeePeople, person),
        post("/people/{id}/export", Right::RunPeople, export),
        post("/people/{id}/{act}", Right::SeePeople, act),
    ]
}
