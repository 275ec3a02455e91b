//! 《返岗复工进（驻）入楼宇的操作规程》 on its page: numbered clauses, each with the live thing that it speaks of and
//! the items of the list by which it is kept; edited by the manager in editions of which none is lost.

use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, Needs, get, post, served};
use super::{Shared, page, when, who};
use crate::checklist::{
    DailyReport, DayLog, Desk, DeskError, Duty, Item, Progress, RoundState, SiteList,
};
use crate::clock::Stamp;
use crate::procedure::{
    Chapter, Clause, ClauseId, Edit, Edition, EmergencyStep, Live, Procedure, StepId,
};
use crate::staff::{Right, Role, Who};
use crate::text::Words;
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// The live thing of a clause, as it is shown.
#[derive(Clone)]
struct LiveView {
    zh: &'static str,
    en: &'static str,
    /// Where it is; `None` where this program has no such page, or the reader may not open it.
    path: Option<&'static str>,
    /// How it stands today.
    now: Option<Words>,
}

/// An item of the list by which a clause is kept.
struct KeptView {
    id: String,
    what: Words,
    done: u32,
    asked: u32,
    wrong: u32,
}

struct ClauseView {
    id: String,
    what: Words,
    own: bool,
    live: LiveView,
    kept: Vec<KeptView>,
}

struct ChapterView {
    number: u8,
    chapter: Chapter,
    clauses: Vec<ClauseView>,
    /// Of the chapter on emergencies.
    steps: Vec<EmergencyStep>,
}

struct EditionView {
    number: u32,
    made: Option<(String, String)>,
    what: Words,
}

#[derive(Template)]
#[template(path = "procedure.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    edition: u32,
    newest: u32,
    version: u32,
    made: Option<(String, String)>,
    /// Whether whoever looks may edit this edition.
    edits: bool,
    /// Whether they type their name.
    types: bool,
    chapters: Vec<ChapterView>,
    lives: &'static [Live],
    /// Newest first.
    editions: Vec<EditionView>,
}

/// Where the live thing of a clause is.
const fn place(live: Live) -> &'static str {
    match live {
        Live::Register => "/people",
        Live::Declaration => "/people/posters",
        Live::Screening | Live::Alert => "/",
        Live::Rounds => "/rounds",
        Live::Report => "/report",
    }
}

/// Whether there is such a page, and this role may open it.
fn may_open(path: &str, role: Option<Role>) -> bool {
    let is_it = |it: &super::routes::Served| it.method == "GET" && it.path == path;
    served().iter().any(|it| {
        is_it(it)
            && match it.needs {
                Needs::Right(right) => role.is_some_and(|role| role.may(right)),
                Needs::SignIn => role.is_some(),
                Needs::Nothing => true,
            }
    })
}

/// How the live thing stands.
fn standing(live: Live, log: &DayLog, report: &DailyReport) -> Option<Words> {
    let facts = &log.facts;
    let (zh, en) = match live {
        Live::Register | Live::Declaration => return None,
        Live::Screening => {
            let (people, unknown) = (facts.screened(), facts.cannot_judge);
            (
                format!("今日{people}人，无法判断{unknown}人"),
                format!("{people} people today, {unknown} could not be judged"),
            )
        }
        Live::Alert => {
            let all = facts.alerts.len();
            let open = facts.alerts.iter().filter(|it| it.end.is_none()).count();
            (
                format!("今日{all}起，{open}起未办结"),
                format!("{all} today, {open} without an outcome"),
            )
        }
        Live::Rounds => {
            let required = report.total(Duty::Required);
            let (done, asked) = (required.done + required.late, required.asked());
            (
                format!("规定动作今日已完成{done}/{asked}"),
                format!("{done} of {asked} required times done today"),
            )
        }
        Live::Report => match log.round.state() {
            RoundState::Draft { .. } => ("今日尚未提交".to_owned(), "not submitted yet".to_owned()),
            RoundState::Submitted { revision, .. } => (
                format!("今日第{revision}版已提交"),
                format!("revision {revision} is submitted"),
            ),
            RoundState::Received { revision, .. } => (
                format!("街道办已收到第{revision}版"),
                format!("the street office has revision {revision}"),
            ),
        },
    };
    Some(Words { zh, en })
}

/// What an edit did, in a line.
fn edit_words(edit: &Edit) -> Words {
    let (zh, en) = match edit {
        Edit::Reword(id, words) => (
            format!("改写第{id}条：{}", words.zh),
            format!("clause {id} reworded: {}", words.en),
        ),
        Edit::RewordStep(id, words) => (
            format!("改写应急步骤 {id}：{}", words.zh),
            format!("step {id} reworded: {}", words.en),
        ),
        Edit::Add(chapter, words, _) => (
            format!("“{}”增加一条：{}", chapter.zh(), words.zh),
            format!("a clause added to \"{}\": {}", chapter.en(), words.en),
        ),
        Edit::Withdraw(id) => (format!("撤回第{id}条"), format!("clause {id} withdrawn")),
    };
    Words { zh, en }
}

fn made(edition: &Edition, now: &Stamp) -> Option<(String, String)> {
    let made = edition.made.as_ref();
    made.map(|(by, at)| (by.to_string(), when::short(at, now)))
}

fn edition_view(edition: &Edition, now: &Stamp) -> EditionView {
    let shipped = || Words {
        zh: "随程序提供的文本".to_owned(),
        en: "the text as shipped".to_owned(),
    };
    EditionView {
        number: edition.number,
        made: made(edition, now),
        what: edition.edit.as_ref().map_or_else(shipped, edit_words),
    }
}

/// The chapters with how things stand today; `today` is missing where the clock shows no day.
fn chapters(
    procedure: &Procedure,
    list: &SiteList,
    today: Option<&(DayLog, DailyReport)>,
    role: Option<Role>,
) -> Vec<ChapterView> {
    let live = |live: Live| LiveView {
        zh: live.zh(),
        en: live.en(),
        path: Some(place(live)).filter(|path| may_open(path, role)),
        now: today.and_then(|(log, report)| standing(live, log, report)),
    };
    let lives: Vec<(Live, LiveView)> = Live::ALL.iter().map(|it| (*it, live(*it))).collect();
    let kept = |id: ClauseId| {
        let items = list.items().iter();
        let items = items.filter(move |item| item.clause == Some(id));
        let view = |item: &Item| {
            let mut lines = today.into_iter().flat_map(|(_, report)| &report.items);
            let line = lines.find(|it| it.id == item.id);
            let progress = line.map_or_else(Progress::default, |it| it.progress);
            KeptView {
                id: item.id.to_string(),
                what: item.what.clone(),
                done: progress.done + progress.late,
                asked: progress.asked(),
                wrong: progress.failed + progress.overdue + progress.missed,
            }
        };
        items.map(view).collect()
    };
    let clause = |it: &Clause| {
        let (_, live) = lives.iter().find(|(live, _)| *live == it.live)?;
        Some(ClauseView {
            id: it.id.to_string(),
            what: it.what.clone(),
            own: it.own,
            live: live.clone(),
            kept: kept(it.id),
        })
    };
    let chapter = |chapter: &Chapter| ChapterView {
        number: chapter.number(),
        chapter: *chapter,
        clauses: procedure
            .clauses()
            .iter()
            .filter(|it| it.id.chapter() == *chapter)
            .filter_map(clause)
            .collect(),
        steps: procedure
            .steps()
            .iter()
            .filter(|it| it.clause.chapter() == *chapter)
            .cloned()
            .collect(),
    };
    Chapter::ALL.iter().map(chapter).collect()
}

fn build(
    desk: &Desk,
    now: &Stamp,
    (number, types): (Option<u32>, bool),
    frame: Frame,
) -> Result<Option<Page>, DeskError> {
    let editions = desk.editions()?;
    let newest = editions.newest().number;
    let number = number.unwrap_or(newest);
    let Some(edition) = editions.all().find(|it| it.number == number) else {
        return Ok(None);
    };
    // Whoever needs the procedure has no time to set a clock first.
    let today = match desk.today(*now) {
        Ok(date) => {
            let log = desk.log(date)?;
            let report = log.report(now.wall);
            Some((log, report))
        }
        Err(_) => None,
    };
    let role = frame.who.as_ref().map(|who| who.role);
    let mut views: Vec<EditionView> = editions.all().map(|it| edition_view(it, now)).collect();
    views.reverse();
    Ok(Some(Page {
        edition: number,
        newest,
        version: edition.procedure.version,
        made: made(edition, now),
        edits: number == newest && role.is_some_and(|role| role.may(Right::RunChecklist)),
        types,
        chapters: chapters(&edition.procedure, desk.list(), today.as_ref(), role),
        lives: Live::ALL,
        editions: views,
        frame,
    }))
}

async fn show(shared: &Shared, number: Option<u32>, frame: Frame) -> Result<Response, Problem> {
    let which = (number, shared.door.is_none());
    let page = shared.desk(move |desk, now| build(desk, &now, which, frame));
    page::html(&page.await?.ok_or(Problem::NoPage)?)
}

/// `GET /procedure`: the edition in force.
async fn newest(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    show(&shared, None, frame).await
}

/// `GET /procedure/{edition}`.
async fn of_number(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    let number = number.parse().map_err(|_| Problem::NoPage)?;
    show(&shared, Some(number), frame).await
}

/// What the forms send; which fields count depends on `what`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EditForm {
    by: String,
    /// The edition that the editor saw.
    on: u32,
    what: String,
    clause: String,
    step: String,
    chapter: String,
    live: String,
    zh: String,
    en: String,
}

impl EditForm {
    /// The edit that is meant. Whether the procedure allows it is not decided here.
    fn edit(&self) -> Option<Edit> {
        let words = Words {
            zh: self.zh.clone(),
            en: self.en.clone(),
        };
        Some(match self.what.as_str() {
            "reword" => Edit::Reword(self.clause.parse().ok()?, words),
            "reword_step" => Edit::RewordStep(StepId::new(&self.step)?, words),
            "add" => Edit::Add(
                Chapter::parse(&self.chapter)?,
                words,
                Live::parse(&self.live)?,
            ),
            "withdraw" => Edit::Withdraw(self.clause.parse().ok()?),
            _ => return None,
        })
    }

    /// Where it stands on the page.
    fn anchor(&self) -> String {
        match self.what.as_str() {
            "reword" => format!("clause-{}", self.clause),
            "reword_step" => format!("step-{}", self.step),
            _ => "editions".to_owned(),
        }
    }
}

/// `POST /procedure/edit`.
async fn edit(
    State(shared): State<Arc<Shared>>,
    who: Who,
    form: Result<Form<EditForm>, FormRejection>,
) -> Result<Response, Problem> {
    let form = super::alerts::sent(form)?;
    let edit = form.edit().ok_or(Problem::Incomplete(
        "规程中没有这一条，请刷新页面。",
        "The procedure has no such clause: reload the page.",
    ))?;
    let by = who::acting(&shared, who, &form.by)?;
    let (on, anchor) = (form.on, form.anchor());
    shared
        .desk_writes(move |desk, now| desk.edit(on, &edit, &by, now))
        .await?;
    Ok(Redirect::to(&format!("/procedure#{anchor}")).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/procedure", Right::SeeToday, newest),
        get("/procedure/{edition}", Right::SeeToday, of_number),
        post("/procedure/edit", Right::RunChecklist, edit),
    ]
}
