//! One site's day: how it stands, what it reported, what it said.
//!
//! The day is read from the ledger, however long ago it was; how things stand is of now, and stands on today's page.

use super::super::chart::Said;
use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::rounds::day;
use super::super::routes::{Entry, get};
use super::super::words::{InWords as _, Words, checklist as rounds_words};
use super::super::{page, when};
use super::board::{due, today};
use super::show::{self, AlertView, ColourView, ProgressView, RowView, words_of};
use super::{Office, StreetOffice};
use crate::calendar::Date;
use crate::checklist::{Count, SiteKind};
use crate::clock::WallTime;

use crate::staff::Right;
use crate::street::{Address, Book, Daily, Day, Escalated, Logged, ReportLine, Row, Wanted};
use crate::text;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

/// Letters of a day that are shown.
const LETTERS: u32 = 300;

/// Parts of a day's reports that are read: as many as a page's memory keeps of one.
const PARTS: u32 = 200;

/// A required item that is not as it must be.
pub(super) struct EscalatedView {
    pub(super) what: text::Words,
    pub(super) group: Words,
    pub(super) counts: Vec<(Words, u32)>,
    pub(super) since: Option<String>,
}

pub(super) fn escalated(
    office: &StreetOffice,
    kind: Option<SiteKind>,
    it: &Escalated,
) -> EscalatedView {
    let counts = [
        (Count::Overdue, it.overdue),
        (Count::Missed, it.missed),
        (Count::Failed, it.failed),
    ];
    let counts = counts.into_iter().filter(|(_, number)| *number > 0);
    EscalatedView {
        what: office.lists.words(kind, &it.item),
        group: show::group(it.group),
        counts: counts.map(|(count, n)| (words_of!(count), n)).collect(),
        since: it.since.map(when::day_and_minute),
    }
}

/// An item of the report.
struct ItemView {
    what: text::Words,
    required: bool,
    counts: Vec<(Words, u32)>,
    is_gap: bool,
}

/// A line about one of an item's times.
struct LineView {
    what: text::Words,
    time: Option<u32>,
    text: String,
    action: Option<String>,
}

/// What the site reported.
struct ReportView {
    revision: u32,
    received: String,
    late: bool,
    template: u32,
    screened: [(&'static str, Words, u64); 4],
    required: ProgressView,
    optional: ProgressView,
    items: Vec<ItemView>,
    failed: Vec<LineView>,
    excused: Vec<LineView>,
    gaps: Vec<LineView>,
    alerts: Vec<(String, Words)>,
    colours: Vec<ColourView>,
    innovations: Vec<String>,
    remarks: Vec<String>,
}

fn lines(office: &StreetOffice, kind: Option<SiteKind>, all: &[ReportLine]) -> Vec<LineView> {
    let view = |it: &ReportLine| LineView {
        what: office.lists.words(kind, &it.id),
        time: Some(it.time).filter(|it| *it > 0),
        text: it.text.clone(),
        action: it.action.clone(),
    };
    all.iter().map(view).collect()
}

fn report(office: &StreetOffice, kind: Option<SiteKind>, day: &Day) -> ReportView {
    let it = &day.report;
    let mut items: Vec<ItemView> = it
        .items
        .iter()
        .map(|item| {
            let progress = item.progress;
            let counts = progress.counts().into_iter().filter(|(_, n)| *n > 0);
            ItemView {
                what: office.lists.words(kind, &item.id),
                required: item.duty == crate::checklist::Duty::Required,
                counts: counts.map(|(count, n)| (words_of!(count), n)).collect(),
                is_gap: progress.overdue > 0 || progress.missed > 0 || progress.failed > 0,
            }
        })
        .collect();
    items.sort_by_key(|it| (!it.is_gap, !it.required));
    ReportView {
        revision: it.revision,
        received: when::day_and_minute(day.received),
        late: day.late,
        template: it.template,
        screened: super::daily::by_verdict(it.screened),
        required: day.required.into(),
        optional: day.optional.into(),
        items,
        failed: lines(office, kind, &it.failed),
        excused: lines(office, kind, &it.excused),
        gaps: lines(office, kind, &it.gaps),
        alerts: it
            .alerts
            .iter()
            .map(|(id, end)| (id.clone(), rounds_words::alert_end(*end)))
            .collect(),
        colours: show::colours(&it.colours),
        innovations: it.innovations.clone(),
        remarks: it.remarks.clone(),
    }
}

/// A letter, as it is shown.
struct LetterView {
    at: String,
    number: u64,
    name: String,
    late: bool,
    newer: bool,
    text: String,
}

/// The payload, for whoever wants to know exactly.
fn letter(it: &Logged) -> LetterView {
    LetterView {
        at: when::day_and_minute(it.received),
        number: it.number.0,
        name: it.name.clone(),
        late: it.late,
        newer: it.newer,
        text: super::quarantine::readable(&it.payload),
    }
}

#[derive(Template)]
#[template(path = "street/site.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    date: Date,
    is_today: bool,
    before: Option<Date>,
    after: Option<Date>,
    row: RowView,
    heard: Option<Said>,
    alerts: Vec<AlertView>,
    faults: Vec<(Words, bool)>,
    escalated: Vec<EscalatedView>,
    template: Option<u32>,
    newer: Vec<String>,
    unreadable: Vec<(String, String)>,
    report: Option<ReportView>,
    letters: Vec<LetterView>,
}

fn letters(
    office: &StreetOffice,
    site: &Address,
    date: Date,
) -> Result<(Book, Vec<Logged>), Problem> {
    let name = date.to_string();
    let wanted = |names, from, to, newest| Wanted {
        site: Some(site),
        names,
        from,
        to,
        newest,
    };
    let (first, last) = (WallTime(i64::MIN), WallTime(i64::MAX));
    let names = [name.as_str()];
    let reports = office
        .ledger
        .letters(&wanted(Some(&names), first, last, PARTS))?;
    let bounds = when::days(date, 1);
    let [begins, ends] = bounds.as_slice() else {
        return Err(Problem::NoPage);
    };
    let said = office
        .ledger
        .letters(&wanted(None, *begins, *ends, LETTERS))?;
    let mut book = Book::default();
    book.hear(&reports);
    Ok((book, said))
}

fn build(office: &StreetOffice, row: &Row, date: Date, frame: Frame) -> Result<Page, Problem> {
    let now = office.clock.now().wall;
    let (book, letters) = letters(office, &row.address, date)?;
    let rows = std::slice::from_ref(row);
    let daily = Daily::of((&book, rows), (date, due(office, date)), &office.lists, now);
    let reported = daily.sites.first().and_then(|it| it.day.as_ref());
    let is_today = date == today(now);
    let escalated = |it| self::escalated(office, row.kind, it);
    Ok(Page {
        frame,
        date,
        is_today,
        before: when::earlier(date, 1),
        after: (date < today(now)).then(|| date.plus(1)),
        row: show::row(row, now),
        heard: row.heard.map(|it| show::ago(it, now)),
        alerts: row
            .alerts
            .iter()
            .map(|it| show::alert(row, it, now))
            .collect(),
        faults: row
            .faults
            .iter()
            .map(|it| (it.words(), it.stops_judging()))
            .collect(),
        escalated: row.escalated().iter().map(escalated).collect(),
        template: row.rounds.as_ref().map(|it| it.template),
        newer: row.newer.clone(),
        unreadable: row.unreadable.clone(),
        report: reported.map(|it| report(office, row.kind, it)),
        letters: letters.iter().map(letter).collect(),
    })
}

async fn show_site(
    office: &Arc<Office>,
    (building, gate): (String, String),
    date: Option<Date>,
    frame: Frame,
) -> Result<Response, Problem> {
    let page = office.make(move |office, seen| {
        let given = &office.given;
        let site = Address::new(&given.street, &building, &gate);
        let site = site.map_err(|_| Problem::NoPage)?;
        let rows = seen.rows(given);
        let row = rows.iter().find(|it| it.address == site);
        let row = row.ok_or(Problem::NoPage)?;
        let date = date.unwrap_or_else(|| today(given.clock.now().wall));
        build(given, row, date, frame)
    });
    page::html(&page.await?)
}

/// `GET /sites/{building}/{gate}`: today.
async fn now(
    State(office): State<Arc<Office>>,
    Path(site): Path<(String, String)>,
    frame: Frame,
) -> Result<Response, Problem> {
    show_site(&office, site, None, frame).await
}

/// `GET /sites/{building}/{gate}/{date}`.
async fn of_day(
    State(office): State<Arc<Office>>,
    Path((building, gate, date)): Path<(String, String, String)>,
    frame: Frame,
) -> Result<Response, Problem> {
    show_site(&office, (building, gate), Some(day(&date)?), frame).await
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![
        get("/sites/{building}/{gate}", Right::SeeToday, now),
        get("/sites/{building}/{gate}/{date}", Right::SeeToday, of_day),
    ]
}
