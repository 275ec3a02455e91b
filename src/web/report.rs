//! 每日一报 on its page: what the manager sees is the value that the street office receives.
//!
//! One [`DailyReport`] is shown: as things stand while it is a draft, and what went out ever after. Whatever of
//! it the street office receives carries its place in the message as `data-street`; a test holds page and
//! message against each other by that. The files to take along are made of the same value (`paper`).

mod paper;

use super::frame::Frame;
use super::problem::Problem;
use super::rounds::{day, line, name};
use super::routes::{Entry, get, post};
use super::state::LinkWord;
use super::words::{InWords as _, Words, checklist as words};
use super::{Shared, page, when};
use crate::calendar::Date;
use crate::checklist::{
    Count, DailyReport, DayLog, Desk, DeskError, Duty, Gap, ItemId, ItemLine, ReportChange, Slot,
    SubmittedReport, Submitter, Tick,
};
use crate::clock::{Stamp, WallTime};
use crate::staff::Right;
use crate::text;
use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// What is shown of a day.
struct Shown<'l> {
    report: DailyReport,
    /// How it went out; `None`: it is a draft.
    sent: Option<&'l SubmittedReport>,
    /// The revision before it.
    earlier: Option<&'l SubmittedReport>,
}

impl<'l> Shown<'l> {
    /// A revision of a day, or without a number the newest one; `None` where there is no such.
    fn of(log: &'l DayLog, revision: Option<u32>, now: WallTime) -> Option<Self> {
        let newest = log.round.revision();
        let wanted = revision.unwrap_or(newest);
        let is = |it: &SubmittedReport| it.report.revision == wanted;
        if let Some(place) = log.reports.iter().position(is) {
            let sent = log.reports.get(place)?;
            return Some(Self {
                report: sent.report.clone(),
                sent: Some(sent),
                earlier: place.checked_sub(1).and_then(|it| log.reports.get(it)),
            });
        }
        (wanted == newest).then(|| Self {
            report: log.report(now),
            sent: None,
            earlier: log.last(),
        })
    }
}

/// A difference between two revisions.
struct ChangeView {
    what: text::Words,
    before: Option<String>,
    after: Option<String>,
}

/// Who submitted, and when.
struct SentView {
    by: String,
    at: String,
}

/// A report that went out.
struct RevisionView {
    revision: u32,
    sent: SentView,
    steps: [(words::Step, Words); 4],
}

/// A failure that waits.
struct GapView {
    date: Date,
    slot: Slot,
    what: text::Words,
    why: String,
    action: String,
}

#[derive(Template)]
#[template(path = "report.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    report: DailyReport,
    sent: Option<SentView>,
    changes: Vec<ChangeView>,
    before: Date,
    today: bool,
    /// Whether a newer revision than the one that is shown is there or in the making.
    superseded: bool,
    /// How many lines people had written into the day when this was made.
    seen: usize,
    report_at: String,
    revisions: Vec<RevisionView>,
    gaps: Vec<GapView>,
}

impl Page {
    #[expect(
        clippy::unused_self,
        clippy::trivially_copy_pass_by_ref,
        reason = "a template calls methods, with references"
    )]
    fn moment(&self, at: &WallTime) -> String {
        when::day_and_minute(*at)
    }

    #[expect(
        clippy::unused_self,
        clippy::trivially_copy_pass_by_ref,
        reason = "a template calls methods, with references"
    )]
    fn machine(&self, at: &WallTime) -> String {
        when::machine_at(*at)
    }

    /// Items of which a time is late, or was never done.
    fn late(&self) -> Vec<&ItemLine> {
        let is_late = |it: &&ItemLine| it.progress.late + it.progress.overdue + it.progress.missed;
        let items = self.report.items.iter();
        items.filter(|it| is_late(it) > 0).collect()
    }

    fn open_alerts(&self) -> usize {
        let alerts = self.report.facts.alerts.iter();
        alerts.filter(|it| it.end.is_none()).count()
    }

    /// What the files of this page are asked for by.
    fn files(&self, kind: &str) -> String {
        let (date, revision) = (self.report.date, self.report.revision);
        format!("/report/{date}/{kind}?revision={revision}")
    }
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

fn sent_view(it: &SubmittedReport, now: &Stamp) -> SentView {
    SentView {
        by: match &it.by {
            Submitter::Person(name) => name.to_string(),
            Submitter::SetHour => "到时自动提交 by itself at the set hour".to_owned(),
        },
        at: when::short(&it.at, now),
    }
}

fn gap_view(report: &DailyReport, gap: &Gap) -> GapView {
    let request = &gap.failed;
    let (why, action) = match &request.tick {
        Tick::Failed { why, action } => (why.to_string(), action.what().to_string()),
        _ => (String::new(), String::new()),
    };
    GapView {
        date: gap.date,
        slot: request.slot.clone(),
        what: report.words_of(&request.slot.item),
        why,
        action,
    }
}

/// What is asked for.
struct Asked {
    /// Of which day; `None`: today.
    date: Option<Date>,
    /// Which revision; `None`: the newest.
    revision: Option<u32>,
}

/// A page, or `None` where there is no such revision.
fn build(
    desk: &Desk,
    now: &Stamp,
    asked: &Asked,
    link: &LinkWord,
    frame: Frame,
) -> Result<Option<Page>, DeskError> {
    let today = desk.today(*now)?;
    let date = asked.date.unwrap_or(today);
    let log = desk.log(date)?;
    let Some(shown) = Shown::of(&log, asked.revision, now.wall) else {
        return Ok(None);
    };
    let report = shown.report;
    let revisions = log.reports.iter().rev().map(|it| RevisionView {
        revision: it.report.revision,
        sent: sent_view(it, now),
        steps: words::receipt(it.carried, link),
    });
    let gaps = desk.gaps(*now)?;
    Ok(Some(Page {
        frame,
        sent: shown.sent.map(|it| sent_view(it, now)),
        changes: shown
            .earlier
            .map_or_else(Vec::new, |earlier| changes(&report, &earlier.report)),
        before: desk.before(date),
        today: date == today,
        superseded: report.revision != log.round.revision(),
        seen: log.entries(),
        report_at: desk.report_at().to_string(),
        revisions: revisions.collect(),
        gaps: gaps.iter().map(|gap| gap_view(&report, gap)).collect(),
        report,
    }))
}

async fn show(shared: &Shared, asked: Asked, frame: Frame) -> Result<Response, Problem> {
    let link = shared.dashboard.status.borrow().mqtt.clone();
    let page = shared.desk(move |desk, now| build(desk, &now, &asked, &link, frame));
    page::html(&page.await?.ok_or(Problem::NoPage)?)
}

/// `GET /report`: today's.
async fn today(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let asked = Asked {
        date: None,
        revision: None,
    };
    show(&shared, asked, frame).await
}

/// What stands behind the question mark.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    revision: Option<u32>,
}

type Sought = Result<Query<Which>, QueryRejection>;

fn asked(date: &str, which: Sought) -> Result<Asked, Problem> {
    let Ok(Query(which)) = which else {
        return Err(Problem::NoPage);
    };
    Ok(Asked {
        date: Some(day(date)?),
        revision: which.revision,
    })
}

/// `GET /report/{date}`.
async fn of_day(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    which: Sought,
    frame: Frame,
) -> Result<Response, Problem> {
    show(&shared, asked(&date, which)?, frame).await
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
    seen: Option<usize>,
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
    let (date, form) = (day(&date)?, super::alerts::sent(form)?);
    let by = Submitter::Person(name(&form.by)?);
    shared
        .desk_writes(move |desk, now| desk.submit_as_seen(date, &by, form.seen, now))
        .await?;
    Ok(back(date))
}

/// `POST /report/{date}/reopen`: what went out stays as it is, and the next revision is begun.
async fn reopen(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    form: Sent,
) -> Result<Response, Problem> {
    let date = day(&date)?;
    let by = name(&super::alerts::sent(form)?.by)?;
    shared
        .desk_writes(move |desk, now| desk.reopen(date, &by, now))
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
    let right = Right::RunChecklist;
    vec![
        get("/report", right, today),
        get("/report/{date}", right, of_day),
        get("/report/{date}/pdf", right, paper::pdf),
        get("/report/{date}/xlsx", right, paper::xlsx),
        get("/report/{date}/csv", right, paper::csv),
        post("/report/{date}/submit", right, submit),
        post("/report/{date}/reopen", right, reopen),
        post("/report/{date}/remark", right, remark),
        post("/report/{date}/innovation", right, innovation),
        post("/report/gap", right, gap),
    ]
}
