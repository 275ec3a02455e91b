//! The figures as CSV: dates, hours and numbers only, so nothing in it can be a formula. The first bytes
//! are the mark by which spreadsheets know UTF-8.

use super::super::problem::Problem;
use super::super::words::InWords as _;
use super::super::{Shared, blocking, rounds, when};
use super::{Stretch, classes, people};
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::web::state::Dashboard;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Days of the table by day: a year and a day, so that a day stands beside the same one a year ago.
const DAYS: u16 = 366;

/// What a table's first columns are: their heads, and a line's cells.
type Key = (&'static [&'static str], fn(&Stretch) -> Vec<String>);

const BY_DAY: Key = (&["日期 date"], |it| vec![it.date.to_string()]);

const BY_HOUR: Key = (&["日期 date", "时 hour"], |it| {
    vec![it.date.to_string(), when::minute(it.begins)]
});

/// A line for each stretch: all people, the four classes, then each reason.
fn table((heads, key): Key, stretches: &[Stretch]) -> Result<Vec<u8>, csv::Error> {
    let reasons: Vec<Verdict> = RetestReason::ALL
        .map(Verdict::Retest)
        .into_iter()
        .chain(Obstacle::ALL.map(Verdict::CannotJudge))
        .collect();
    let named = |code: &str, zh: &str| format!("{zh} {code}");
    let mut head: Vec<String> = heads.iter().map(ToString::to_string).collect();
    head.push(named("people", "人次"));
    for verdict in [
        Verdict::Clear,
        Verdict::PossibleFever,
        Verdict::Retest(RetestReason::NearThreshold),
        Verdict::CannotJudge(Obstacle::TooFewLooks),
    ] {
        head.push(named(verdict.as_str(), verdict.words().zh));
    }
    for verdict in &reasons {
        let (code, why) = (
            verdict.reason().unwrap_or_default(),
            super::words::reason(*verdict),
        );
        head.push(named(code, why.map_or("", |it| it.zh)));
    }
    let mut out = csv::Writer::from_writer(vec![0xef, 0xbb, 0xbf]);
    out.write_record(head)?;
    for it in stretches {
        let of = |verdict: &Verdict| -> u64 {
            let same = |(class, why, _): &&(String, Option<String>, u64)| {
                Verdict::parse(class, why.as_deref()) == Some(*verdict)
            };
            it.tally.iter().filter(same).map(|it| it.2).sum()
        };
        let numbers = std::iter::once(people(&it.tally))
            .chain(classes(&it.tally))
            .chain(reasons.iter().map(of))
            .map(|it| it.to_string());
        out.write_record(key(it).into_iter().chain(numbers))?;
    }
    out.into_inner().map_err(|error| error.into_error().into())
}

async fn answer(
    shared: &Arc<Shared>,
    name: String,
    key: Key,
    read: impl FnOnce(&Dashboard) -> Result<Vec<Stretch>, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let dashboard = shared.dashboard.clone();
    let stretches = blocking(move || read(&dashboard)).await?;
    let table = table(key, &stretches).map_err(|error| Problem::Storage(error.to_string()))?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, table).into_response())
}

/// `GET /today/{date}/hours.csv`.
pub(super) async fn hours(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
) -> Result<Response, Problem> {
    let date = rounds::day(&date)?;
    let name = format!("menshen-{date}-hours.csv");
    answer(&shared, name, BY_HOUR, move |it| super::hours(it, date)).await
}

/// `GET /today/{date}/days.csv`: the year up to that day.
pub(super) async fn days(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
) -> Result<Response, Problem> {
    let date = rounds::day(&date)?;
    let name = format!("menshen-{date}-days.csv");
    answer(&shared, name, BY_DAY, move |it| {
        Ok(super::from_the_first(super::days(it, date, DAYS)?, 1))
    })
    .await
}
