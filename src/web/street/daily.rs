//! The office's own 每日一报 as a page, and 微创新: what sites have found out, for the others to take up.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::rounds::day;
use super::super::routes::{Entry, get};
use super::super::words::{InWords as _, Words};
use super::super::{page, when};
use super::board::{DAYS, due, today};
use super::show::{self, ColourView, PhoneView, ProgressView};
use super::{Office, StreetOffice, board::Seen, paper};
use crate::calendar::Date;
use crate::checklist::Duty;
use crate::clock::WallTime;
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::staff::Right;
use crate::street::{Book, Daily, DayLine, Gap, ReportLine, Screened, Total, Wanted};
use crate::text;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

/// Where the report is.
pub(super) const PAGE: &str = "/report";
/// Where the board of innovations is.
pub(super) const INNOVATIONS: &str = "/innovations";

/// Parts of reports that are read of a day that is not at hand.
const PARTS: u32 = 100_000;

/// People by verdict, with its code.
pub(super) fn by_verdict(it: Screened) -> [(&'static str, Words, u64); 4] {
    [
        (Verdict::Clear, it.clear),
        (Verdict::PossibleFever, it.possible_fever),
        (Verdict::Retest(RetestReason::NearThreshold), it.retest),
        (Verdict::CannotJudge(Obstacle::TooFewLooks), it.cannot_judge),
    ]
    .map(|(verdict, people)| (verdict.as_str(), verdict.words(), people))
}

/// The report of a day; its letters are read where that day is not at hand.
pub(super) fn of(office: &StreetOffice, seen: &Seen, date: Date) -> Result<Daily, Problem> {
    let now = office.clock.now().wall;
    let rows = seen.rows(office);
    let at_hand = (0..DAYS).any(|days| when::earlier(today(now), days) == Some(date));
    let read;
    let book: &Book = if at_hand {
        &seen.book
    } else {
        let name = date.to_string();
        let letters = office.ledger.letters(&Wanted {
            site: None,
            names: Some(&[name.as_str()]),
            from: WallTime(i64::MIN),
            to: WallTime(i64::MAX),
            newest: PARTS,
        })?;
        let mut book = Book::default();
        book.hear(&letters);
        read = book;
        &read
    };
    let day = (date, due(office, date));
    Ok(Daily::of((book, &rows), day, &office.lists, now))
}

/// A site that has not reported.
struct MissingView {
    name: String,
    path: String,
    kind: Words,
    phone: Option<PhoneView>,
}

/// A line of totals.
struct TotalView {
    kind: Option<Words>,
    sites: usize,
    reported: usize,
    late: usize,
    screened: u64,
    fever: u64,
    required: ProgressView,
    optional: ProgressView,
    alerts: usize,
    open: usize,
}

impl TotalView {
    fn of(kind: Option<Words>, it: &Total) -> Self {
        Self {
            kind,
            sites: it.sites,
            reported: it.reported,
            late: it.late,
            screened: it.screened.total(),
            fever: it.screened.possible_fever,
            required: it.required.into(),
            optional: it.optional.into(),
            alerts: it.alerts.0,
            open: it.alerts.1,
        }
    }
}

/// An item that is a gap.
struct GapView {
    what: text::Words,
    required: bool,
    group: Words,
    not_done: u32,
    late: u32,
    failed: u32,
    /// Where: name and path.
    at: Vec<(String, String)>,
}

/// A line somebody wrote at a site.
struct LineView {
    name: String,
    path: String,
    what: Option<text::Words>,
    text: String,
    action: Option<String>,
}

#[derive(Template)]
#[template(path = "street/daily.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    date: Date,
    is_today: bool,
    before: Option<Date>,
    after: Option<Date>,
    made: String,
    report_by: String,
    total: TotalView,
    kinds: Vec<TotalView>,
    screened: [(&'static str, Words, u64); 4],
    colours: Vec<ColourView>,
    missing: Vec<MissingView>,
    late: Vec<(String, String, String)>,
    gaps: Vec<GapView>,
    failures: Vec<LineView>,
    closed: Vec<LineView>,
    innovations: Vec<LineView>,
}

/// Where a site's day is.
fn path(line: &DayLine, date: Date) -> String {
    format!(
        "/sites/{}/{}/{date}",
        line.address.building, line.address.gate
    )
}

fn gap(daily: &Daily, it: &Gap) -> GapView {
    let progress = ProgressView::from(it.progress);
    let at = it.at.iter().filter_map(|at| daily.sites.get(*at));
    GapView {
        what: it.what.clone(),
        required: it.duty == Duty::Required,
        group: show::group(it.group),
        not_done: progress.not_done,
        late: progress.late,
        failed: progress.failed,
        at: at
            .map(|it| (it.name.clone(), path(it, daily.date)))
            .collect(),
    }
}

fn written(office: &StreetOffice, date: Date, (line, it): (&DayLine, &ReportLine)) -> LineView {
    LineView {
        name: line.name.clone(),
        path: path(line, date),
        what: Some(office.lists.words(line.kind, &it.id)),
        text: it.text.clone(),
        action: it.action.clone(),
    }
}

fn innovation(date: Date, (line, text): (&DayLine, &String)) -> LineView {
    LineView {
        name: line.name.clone(),
        path: path(line, date),
        what: None,
        text: text.clone(),
        action: None,
    }
}

fn build(office: &StreetOffice, it: &Daily, frame: Frame) -> Page {
    let date = it.date;
    let today = today(office.clock.now().wall);
    let missing = it.missing().map(|line| MissingView {
        name: line.name.clone(),
        path: path(line, date),
        kind: show::kind(line.kind),
        phone: show::phone(line.listed.as_ref()),
    });
    let late = it.reported().filter(|(_, day)| day.late);
    let late = late.map(|(line, day)| {
        let at = when::day_and_minute(day.received);
        (line.name.clone(), path(line, date), at)
    });
    let kinds = it.kinds.iter();
    let kinds = kinds.map(|(kind, total)| TotalView::of(Some(show::kind(*kind)), total));
    let line = |found| written(office, date, found);
    Page {
        frame,
        date,
        is_today: date == today,
        before: when::earlier(date, 1),
        after: (date < today).then(|| date.plus(1)),
        made: when::day_and_minute(it.made),
        report_by: office.report_by.to_string(),
        total: TotalView::of(None, &it.total),
        kinds: kinds.collect(),
        screened: by_verdict(it.total.screened),
        colours: show::colours(&it.total.colours),
        missing: missing.collect(),
        late: late.collect(),
        gaps: it.gaps.iter().map(|gap| self::gap(it, gap)).collect(),
        failures: it.failures().map(line).collect(),
        closed: it.closed().map(line).collect(),
        innovations: it
            .innovations()
            .map(|found| innovation(date, found))
            .collect(),
    }
}

async fn report(
    office: &Arc<Office>,
    date: Option<Date>,
    frame: Frame,
) -> Result<Response, Problem> {
    let page = office.make(move |office, seen| {
        let given = &office.given;
        let date = date.unwrap_or_else(|| today(given.clock.now().wall));
        let daily = of(given, seen, date)?;
        Ok(build(given, &daily, frame))
    });
    page::html(&page.await?)
}

/// `GET /report`: today's, as far as it has come.
async fn now(State(office): State<Arc<Office>>, frame: Frame) -> Result<Response, Problem> {
    report(&office, None, frame).await
}

/// `GET /report/{date}`.
async fn of_day(
    State(office): State<Arc<Office>>,
    Path(date): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    report(&office, Some(day(&date)?), frame).await
}

#[derive(Template)]
#[template(path = "street/innovations.html", config = "src/web/askama.toml")]
struct Board {
    frame: Frame,
    days: Vec<(Date, Vec<LineView>)>,
}

/// `GET /innovations`: of the days that are at hand.
async fn innovations(State(office): State<Arc<Office>>, frame: Frame) -> Result<Response, Problem> {
    let page = office.make(move |office, seen| {
        let given = &office.given;
        let today = today(given.clock.now().wall);
        let mut days = Vec::new();
        for date in (0..DAYS).filter_map(|days| when::earlier(today, days)) {
            let daily = of(given, seen, date)?;
            let found = daily.innovations().map(|found| innovation(date, found));
            let found: Vec<_> = found.collect();
            if !found.is_empty() {
                days.push((date, found));
            }
        }
        Ok(Board { frame, days })
    });
    page::html(&page.await?)
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    let right = Right::SeeToday;
    vec![
        get(PAGE, right, now),
        get("/report/{date}", right, of_day),
        get("/report/{date}/{kind}", right, paper::file),
        get(INNOVATIONS, right, innovations),
    ]
}
