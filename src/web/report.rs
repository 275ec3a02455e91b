//! 每日一报 on its page: what the manager sees is the value that the street office receives.

use super::frame::Frame;
use super::problem::Problem;
use super::rounds::{day, line, name};
use super::routes::{Entry, get, post};
use super::words::{Words, checklist as words};
use super::{Shared, page, when};
use crate::calendar::Date;
use crate::checklist::{
    DailyReport, DayLog, Desk, DeskError, Duty, Gap, ItemId, Progress, ReportChange, RoundState,
    Slot, Submitter, Tick,
};
use crate::clock::Stamp;
use crate::staff::Right;
use crate::text;
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// A line of a table: a category, required or optional.
struct CategoryView {
    zh: &'static str,
    en: &'static str,
    required: Progress,
    optional: Progress,
}

/// Something with an item and texts.
struct TextView {
    zh: String,
    en: String,
    time: u32,
    texts: Vec<String>,
}

/// A report that went out.
struct RevisionView {
    revision: u32,
    by: String,
    at: String,
    carried: Words,
    changes: Vec<ChangeView>,
}

/// A difference between two revisions.
struct ChangeView {
    what: text::Words,
    before: Option<String>,
    after: Option<String>,
}

/// A failure that waits.
struct GapView {
    date: String,
    item: String,
    time: u16,
    zh: String,
    en: String,
    why: String,
    action: String,
}

#[derive(Template)]
#[template(path = "report.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    date: String,
    before: String,
    today: bool,
    draft: bool,
    changed: bool,
    revision: u32,
    report_at: String,
    site_zh: &'static str,
    site_en: &'static str,
    required: Progress,
    optional: Progress,
    categories: Vec<CategoryView>,
    screened: [(Words, u64); 4],
    people: u64,
    known: Vec<TextView>,
    alerts: usize,
    alerts_open: usize,
    failed: Vec<TextView>,
    excused: Vec<TextView>,
    closed: Vec<TextView>,
    innovations: Vec<String>,
    remarks: Vec<String>,
    revisions: Vec<RevisionView>,
    gaps: Vec<GapView>,
}

/// Both languages in a line, or what reads the same in both.
fn both(words: text::Words) -> String {
    if words.zh == words.en {
        words.zh
    } else {
        format!("{} {}", words.zh, words.en)
    }
}

fn changes(report: &DailyReport, earlier: &DailyReport) -> Vec<ChangeView> {
    let view = |it: ReportChange| ChangeView {
        what: words::point(&it.point, report),
        before: it.before.map(both),
        after: it.after.map(both),
    };
    report.since(earlier).into_iter().map(view).collect()
}

fn text(report: &DailyReport, id: &ItemId, number: u16, texts: Vec<String>) -> TextView {
    let text::Words { zh, en } = report.words_of(id);
    let time = u32::from(number) + 1;
    TextView {
        zh,
        en,
        time,
        texts,
    }
}

fn revisions(log: &DayLog, now: &Stamp) -> Vec<RevisionView> {
    let mut earlier: Option<&DailyReport> = None;
    let mut views: Vec<RevisionView> = Vec::new();
    for it in &log.reports {
        views.push(RevisionView {
            revision: it.report.revision,
            by: match &it.by {
                Submitter::Person(name) => name.to_string(),
                Submitter::SetHour => "到时自动提交 by itself".to_owned(),
            },
            at: when::short(&it.at, now),
            carried: words::carried(it.carried),
            changes: earlier.map_or_else(Vec::new, |before| changes(&it.report, before)),
        });
        earlier = Some(&it.report);
    }
    views.reverse();
    views
}

fn gap_view(report: &DailyReport, gap: &Gap) -> GapView {
    let request = &gap.failed;
    let text::Words { zh, en } = report.words_of(&request.slot.item);
    let (why, action) = match &request.tick {
        Tick::Failed { why, action } => (why.to_string(), action.what().to_string()),
        _ => (String::new(), String::new()),
    };
    GapView {
        date: gap.date.to_string(),
        item: request.slot.item.to_string(),
        time: request.slot.number,
        zh,
        en,
        why,
        action,
    }
}

fn build(desk: &Desk, now: &Stamp, date: Option<Date>, frame: Frame) -> Result<Page, DeskError> {
    use crate::web::words::InWords as _;
    let today = desk.today(*now)?;
    let date = date.unwrap_or(today);
    let log = desk.log(date)?;
    let it = log.report(now.wall);
    let draft = matches!(log.round.state(), RoundState::Draft { .. });
    let changed = log
        .last()
        .is_none_or(|last| !it.since(&last.report).is_empty());
    let verdicts = [
        crate::screening::Verdict::Clear,
        crate::screening::Verdict::PossibleFever,
        crate::screening::Verdict::Retest(crate::screening::RetestReason::NearThreshold),
        crate::screening::Verdict::CannotJudge(crate::screening::Obstacle::TooFewLooks),
    ];
    let facts = &it.facts;
    let numbers = [
        facts.clear,
        facts.possible_fever,
        facts.retest,
        facts.cannot_judge,
    ];
    let mut screened = verdicts.map(|verdict| (verdict.words(), 0));
    for ((_, shown), number) in screened.iter_mut().zip(numbers) {
        *shown = number;
    }
    let shown = |notes: &[crate::text::Note]| notes.iter().map(ToString::to_string).collect();
    Ok(Page {
        frame,
        date: date.to_string(),
        before: desk.before(date).to_string(),
        today: date == today,
        draft,
        changed,
        revision: it.revision,
        report_at: desk.report_at().to_string(),
        site_zh: it.site.zh(),
        site_en: it.site.en(),
        required: it.total(Duty::Required),
        optional: it.total(Duty::Optional),
        categories: it
            .categories()
            .into_iter()
            .map(|line| CategoryView {
                zh: line.category.zh(),
                en: line.category.en(),
                required: line.required,
                optional: line.optional,
            })
            .collect(),
        screened,
        people: facts.screened(),
        known: it
            .known
            .iter()
            .map(|line| {
                let found = line.finding.words();
                text(&it, &line.id, 0, vec![found.zh, found.en])
            })
            .collect(),
        alerts: facts.alerts.len(),
        alerts_open: facts.alerts.iter().filter(|it| it.end.is_none()).count(),
        failed: it
            .failed
            .iter()
            .map(|line| {
                let until = when::minute(line.deadline);
                let texts = vec![line.why.to_string(), line.action.to_string(), until];
                text(&it, &line.slot.item, line.slot.number, texts)
            })
            .collect(),
        excused: it
            .excused
            .iter()
            .map(|line| {
                let texts = vec![line.why.to_string()];
                text(&it, &line.slot.item, line.slot.number, texts)
            })
            .collect(),
        closed: it
            .gaps
            .iter()
            .map(|line| {
                let texts = vec![line.date.to_string(), line.how.to_string()];
                text(&it, &line.id, 0, texts)
            })
            .collect(),
        innovations: shown(&it.innovations),
        remarks: shown(&it.remarks),
        revisions: revisions(&log, now),
        gaps: desk
            .gaps(*now)?
            .iter()
            .map(|gap| gap_view(&it, gap))
            .collect(),
    })
}

/// `GET /report`: today's.
async fn today(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let page = shared.desk(move |desk, now| build(desk, &now, None, frame));
    page::html(&page.await?)
}

/// `GET /report/{date}`.
async fn of_day(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    let date = day(&date)?;
    let page = shared.desk(move |desk, now| build(desk, &now, Some(date), frame));
    page::html(&page.await?)
}

/// A cell that no spreadsheet takes for a formula (OWASP, CSV injection).
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The items as a table, with a mark by which spreadsheets know UTF-8.
fn table(it: &DailyReport) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(vec![0xef, 0xbb, 0xbf]);
    out.write_record([
        "date",
        "revision",
        "id",
        "category",
        "duty",
        "zh",
        "en",
        "done",
        "late",
        "failed",
        "not_applicable",
        "overdue",
        "missed",
        "open",
    ])?;
    for item in &it.items {
        let head = [
            it.date.to_string(),
            it.revision.to_string(),
            item.id.to_string(),
            item.category.as_str().to_owned(),
            item.duty.as_str().to_owned(),
            cell(&item.what.zh),
            cell(&item.what.en),
        ];
        let p = item.progress;
        let numbers = [
            p.done,
            p.late,
            p.failed,
            p.not_applicable,
            p.overdue,
            p.missed,
            p.open,
        ];
        out.write_record(head.into_iter().chain(numbers.map(|n| n.to_string())))?;
    }
    out.into_inner().map_err(|error| error.into_error().into())
}

/// `GET /report/{date}/items.csv`: as things stand.
async fn items(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
) -> Result<Response, Problem> {
    let date = day(&date)?;
    let report = shared
        .desk(move |desk, now| Ok(desk.log(date)?.report(now.wall)))
        .await?;
    let table = table(&report).map_err(|error| Problem::Storage(error.to_string()))?;
    let name = format!("attachment; filename=\"menshen-{date}.csv\"");
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, table).into_response())
}

/// What the forms of the report send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReportForm {
    by: String,
    text: String,
    failed_on: String,
    item: String,
    time: u16,
}

type Sent = Result<Form<ReportForm>, FormRejection>;

fn back(date: Date) -> Response {
    Redirect::to(&format!("/report/{date}")).into_response()
}

/// `POST /report/{date}/submit`.
async fn submit(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    form: Sent,
) -> Result<Response, Problem> {
    let date = day(&date)?;
    let by = Submitter::Person(name(&super::alerts::sent(form)?.by)?);
    shared
        .desk_writes(move |desk, now| desk.submit(date, &by, now))
        .await?;
    Ok(back(date))
}

/// `POST /report/{date}/remark`.
async fn remark(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    form: Sent,
) -> Result<Response, Problem> {
    let (date, form) = (day(&date)?, super::alerts::sent(form)?);
    let (by, text) = (name(&form.by)?, line(&form.text)?);
    shared
        .desk_writes(move |desk, now| desk.remark(date, text, &by, now))
        .await?;
    Ok(back(date))
}

/// `POST /report/{date}/innovation`.
async fn innovation(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    form: Sent,
) -> Result<Response, Problem> {
    let (date, form) = (day(&date)?, super::alerts::sent(form)?);
    let (by, text) = (name(&form.by)?, line(&form.text)?);
    shared
        .desk_writes(move |desk, now| desk.innovation(date, text, &by, now))
        .await?;
    Ok(back(date))
}

/// `POST /report/gap`: a failure was made good.
async fn gap(State(shared): State<Arc<Shared>>, form: Sent) -> Result<Response, Problem> {
    let form = super::alerts::sent(form)?;
    let (by, how) = (name(&form.by)?, line(&form.text)?);
    let failed_on = day(&form.failed_on)?;
    let item = ItemId::new(&form.item).ok_or(Problem::NoPage)?;
    let number = form.time;
    let slot = Slot { item, number };
    shared
        .desk_writes(move |desk, now| desk.close_gap((failed_on, slot), how, &by, now))
        .await?;
    Ok(Redirect::to("/report").into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/report", Right::RunChecklist, today),
        get("/report/{date}", Right::RunChecklist, of_day),
        get("/report/{date}/items.csv", Right::RunChecklist, items),
        post("/report/{date}/submit", Right::RunChecklist, submit),
        post("/report/{date}/remark", Right::RunChecklist, remark),
        post("/report/{date}/innovation", Right::RunChecklist, innovation),
        post("/report/gap", Right::RunChecklist, gap),
    ]
}
