//! A list of people as a file, to follow them up by telephone: CSV or XLSX. What people wrote cannot be taken for
//! a formula by the program that opens it (`export`). That a list was taken, and by whom, is in the audit before
//! anybody is shown. Symptoms and identity cards are not in it: nobody needs them for a call.

use super::super::Shared;
use super::super::problem::Problem;
use super::super::routes::{Entry, post};
use super::super::today::export::{Kind, kind};
use super::super::words::{people as words, said};
use super::overview::Shown;
use super::written::{Sent, Written};
use crate::export::{Cell, Column, Table};
use crate::people::{Field, Seen};
use crate::staff::{Right, Who};
use crate::text::Words;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What of a person stands in the file, beside their number, colour and what is to be done.
const FIELDS: [Field; 7] = [
    Field::Name,
    Field::Phone,
    Field::Company,
    Field::Floor,
    Field::From,
    Field::Expected,
    Field::Arrived,
];

/// Things said in both languages, in a line of each.
fn together(all: impl Iterator<Item = (&'static str, &'static str)>) -> Words {
    let (zh, en): (Vec<&str>, Vec<&str>) = all.unzip();
    Words {
        zh: zh.join("、"),
        en: en.join(", "),
    }
}

fn row(seen: &Seen) -> Vec<Cell> {
    let person = &seen.person;
    let value = |field: &Field| person.value(*field).map(ToString::to_string);
    let fields = FIELDS.iter().map(value);
    let fields = fields.map(|it| Cell::Text(it.unwrap_or_default()));
    let colour = person.follow.colour().map(|it| (it.zh(), it.en()));
    let step = person.follow.standing();
    let since = step.map_or_else(String::new, |it| it.on.to_string());
    let due = step.and_then(|it| it.due);
    let waits = person.waits().then_some((words::WAITS.zh, words::WAITS.en));
    let lacks = seen.lacks.iter().map(|it| (it.zh(), it.en()));
    [Cell::count(person.id.0)]
        .into_iter()
        .chain(fields)
        .chain([
            Cell::Words(together(colour.into_iter())),
            Cell::Text(since),
            Cell::Text(due.map_or_else(String::new, |it| it.to_string())),
            Cell::Words(together(waits.into_iter().chain(lacks))),
        ])
        .collect()
}

/// The list as a table.
fn table(people: &[Seen]) -> Table {
    let field = |field: &Field| Column::new(field.zh(), field.en(), 2);
    let column = |it: &super::super::words::Words| Column::new(it.zh, it.en, 2);
    let [number, colour, since, due, to_do] = &words::COLUMNS;
    Table {
        name: said(words::REGISTER),
        columns: [Column::new(number.zh, number.en, 1)]
            .into_iter()
            .chain(FIELDS.iter().map(field))
            .chain([colour, since, due, to_do].map(column))
            .collect(),
        rows: people.iter().map(row).collect(),
    }
}

/// `POST /people/taken`.
async fn take(
    State(shared): State<Arc<Shared>>,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let sent = Written::new(sent);
    let ending = sent.one("ending").to_owned();
    let Kind { media, made } = kind(&ending)?;
    let shown = Shown::of(sent.one("show"));
    let of_kind = ending.clone();
    let (file, today) = shared
        .people(move |desk, now| {
            let today = desk.today(now)?;
            let people = desk.give_list(&shown.by(today), (&of_kind, &who.name), now)?;
            Ok((made(table(&people), now.wall), today))
        })
        .await?;
    let file = file.map_err(|error| Problem::NotDone(error.to_string()))?;
    let name = format!("menshen-people-{}-{today}.{ending}", shown.as_str());
    let headers = [
        (CONTENT_TYPE, media.to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, file).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![post("/people/taken", Right::RunPeople, take)]
}
