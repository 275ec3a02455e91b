//! The figures as files: CSV for other programs, XLSX to reckon with. Dates, hours and numbers only.

use super::super::problem::Problem;
use super::super::words::{InWords as _, Words, said, today as words};
use super::super::{Shared, blocking, rounds, when};
use super::{Stretch, classes, people};
use crate::clock::WallTime;
use crate::export::{self, Cell, Column, Document, ExportError, Table};
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::web::state::Dashboard;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Days of the table by day: a year and a day, so that a day stands beside the same one a year ago.
const DAYS: u16 = 366;

/// A kind of file that holds one table.
pub(in crate::web) struct Kind {
    pub(in crate::web) media: &'static str,
    pub(in crate::web) made: fn(Table, WallTime) -> Result<Vec<u8>, ExportError>,
}

const CSV: Kind = Kind {
    media: "text/csv; charset=utf-8",
    made: |table, _| export::csv(&table),
};

const XLSX: Kind = Kind {
    media: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    made: |table, made| {
        export::xlsx(&Document {
            title: table.name.clone(),
            stamp: None,
            lines: Vec::new(),
            tables: vec![table],
            made,
        })
    },
};

/// The kind that an ending asks for.
pub(in crate::web) fn kind(ending: &str) -> Result<Kind, Problem> {
    match ending {
        "csv" => Ok(CSV),
        "xlsx" => Ok(XLSX),
        _ => Err(Problem::NoPage),
    }
}

/// What the lines of a table are.
#[derive(Clone, Copy)]
enum Lines {
    Days,
    Hours,
}

fn column(words: Words) -> Column {
    Column::new(words.zh, words.en, 1)
}

/// A line for each stretch: all people, the four classes, then each reason.
fn table(lines: Lines, stretches: &[Stretch]) -> Table {
    let reasons: Vec<Verdict> = RetestReason::ALL
        .map(Verdict::Retest)
        .into_iter()
        .chain(Obstacle::ALL.map(Verdict::CannotJudge))
        .collect();
    let four = [
        Verdict::Clear,
        Verdict::PossibleFever,
        Verdict::Retest(RetestReason::NearThreshold),
        Verdict::CannotJudge(Obstacle::TooFewLooks),
    ];
    let (name, hour) = match lines {
        Lines::Days => (words::BY_DAY, None),
        Lines::Hours => (words::BY_HOUR, Some(words::HOUR)),
    };
    let why = reasons.iter().filter_map(|it| super::words::reason(*it));
    let heads = [words::DAY]
        .into_iter()
        .chain(hour)
        .chain([words::PEOPLE])
        .chain(four.map(|it| it.words()))
        .chain(why);
    let row = |it: &Stretch| {
        let of = |verdict: &Verdict| -> u64 {
            let same = |(class, why, _): &&(String, Option<String>, u64)| {
                Verdict::parse(class, why.as_deref()) == Some(*verdict)
            };
            it.tally.iter().filter(same).map(|it| it.2).sum()
        };
        let hour = hour.map(|_| Cell::Text(when::minute(it.begins)));
        let numbers = [people(&it.tally)]
            .into_iter()
            .chain(classes(&it.tally))
            .chain(reasons.iter().map(of));
        [Cell::text(&it.date)]
            .into_iter()
            .chain(hour)
            .chain(numbers.map(Cell::count))
            .collect::<Vec<_>>()
    };
    Table {
        name: said(name),
        columns: heads.map(column).collect(),
        rows: stretches.iter().map(row).collect(),
    }
}

async fn answer(
    shared: &Arc<Shared>,
    (name, ending): (String, &str),
    lines: Lines,
    read: impl FnOnce(&Dashboard) -> Result<Vec<Stretch>, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let Kind { media, made: write } = kind(ending)?;
    let dashboard = shared.dashboard.clone();
    let made = dashboard.clock.now().wall;
    let file = blocking(move || {
        let table = table(lines, &read(&dashboard)?);
        write(table, made).map_err(|error| Problem::NotDone(error.to_string()))
    });
    let disposition = format!("attachment; filename=\"{name}.{ending}\"");
    let headers = [
        (CONTENT_TYPE, media.to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, file.await?).into_response())
}

/// `GET /today/{date}/hours/{ending}`.
pub(super) async fn hours(
    State(shared): State<Arc<Shared>>,
    Path((date, ending)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let date = rounds::day(&date)?;
    let name = (format!("menshen-{date}-hours"), ending.as_str());
    answer(&shared, name, Lines::Hours, move |it| {
        super::hours(it, date)
    })
    .await
}

/// `GET /today/{date}/days/{ending}`: the year up to that day.
pub(super) async fn days(
    State(shared): State<Arc<Shared>>,
    Path((date, ending)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let date = rounds::day(&date)?;
    let name = (format!("menshen-{date}-days"), ending.as_str());
    answer(&shared, name, Lines::Days, move |it| {
        Ok(super::from_the_first(super::days(it, date, DAYS)?, 1))
    })
    .await
}
