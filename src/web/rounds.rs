//! The rounds of the day, for whoever walks: what is to be done now first, each with its forms, which work
//! without JavaScript. A page is as old as its load; what was taken meanwhile is refused in words.
//!
//! `/rounds/at/{place}` is what the code on a wall opens: what is to be done there. `assets/ticks.js` keeps
//! taps in the phone until they are saved here, and `assets/rounds-worker.js` the page. It counts the time of a tap from the gateway's own time, which
//! the page brought along, so that the phone's clock does not matter.

use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, Needs, get, post};
use super::words::{Words, checklist as words};
use super::{Shared, assets, page, when};
use crate::calendar::{Date, TimeOfDay};
use crate::checklist::{
    Action, Category, DayLog, Desk, DeskError, Duty, Evidence, Item, ItemId, Place, Proof, Signed,
    Slot, Standing, Tick, TickId, TickRequest, Window,
};
use crate::clock::{Stamp, WallTime};
use crate::staff::Right;
use crate::text::Note;
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

const HOUR_MS: i64 = 3_600_000;

/// One time of one item, as it is shown.
pub(super) struct SlotView {
    pub(super) anchor: String,
    pub(super) date: String,
    pub(super) item: String,
    pub(super) time: u16,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) required: bool,
    /// From when to when.
    pub(super) window: String,
    pub(super) code: &'static str,
    pub(super) sign: &'static str,
    pub(super) words: Words,
    /// What was said, by whom and when, or what the gateway knows.
    pub(super) said: String,
    /// Where it stands what the gateway knows.
    pub(super) known_at: Option<&'static str>,
    pub(super) can_tick: bool,
    pub(super) input: Input,
    /// Identity of the tick that this form would make.
    pub(super) id: String,
    /// The tick that it would correct; empty: none.
    pub(super) corrects: String,
}

/// What the form asks for.
pub(super) enum Input {
    /// Nothing but the tap.
    Tick,
    /// A number, with its limits and unit.
    Number(String),
    /// A time of day.
    Time,
    /// A few words.
    Text,
    /// The gateway fills it in.
    Known,
}

/// A place with what is to be done there now.
struct PlaceView {
    place: Place,
    now: usize,
    here: bool,
}

/// A category with its times.
struct Group {
    zh: &'static str,
    en: &'static str,
    slots: Vec<SlotView>,
}

/// How many are where.
#[derive(Default)]
struct Numbers {
    now: usize,
    later: usize,
    done: usize,
    missed: usize,
}

#[derive(Template)]
#[template(path = "rounds.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    /// The gateway's time, ms since 1970.
    loaded: i64,
    date: String,
    /// Where somebody is; `None`: everywhere.
    at: Option<Place>,
    places: Vec<PlaceView>,
    /// Whether whoever looks may print codes.
    prints: bool,
    numbers: Numbers,
    /// What is to be done now, overdue first.
    now: Vec<SlotView>,
    rest: Vec<Group>,
    submitted: Option<u32>,
}

fn said(standing: &Standing<'_>, now: &Stamp) -> String {
    let by = |signed: &Signed, what: String| {
        let at = Stamp {
            wall: signed.done_at,
            ..*now
        };
        let parts = [what, signed.request.by.to_string(), when::short(&at, now)];
        let parts = parts.into_iter().filter(|it| !it.is_empty());
        parts.collect::<Vec<_>>().join(" · ")
    };
    match standing {
        Standing::Done { by: signed, .. } => {
            let what = match &signed.request.tick {
                Tick::Done(Evidence::Number(number)) => number.to_string(),
                Tick::Done(Evidence::Time(time)) => time.to_string(),
                Tick::Done(Evidence::Text(text)) => text.to_string(),
                _ => String::new(),
            };
            by(signed, what)
        }
        Standing::NotApplicable(signed) | Standing::Failed(signed) => {
            let what = match &signed.request.tick {
                Tick::NotApplicable { why } => why.to_string(),
                Tick::Failed { why, action } => {
                    format!("{why} → {} ({})", action.what(), action.owner())
                }
                Tick::Done(_) => String::new(),
            };
            by(signed, what)
        }
        _ => String::new(),
    }
}

fn slot_view(
    (log, item): (&DayLog, &Item),
    (slot, window): (&Slot, &Window),
    standing: &Standing<'_>,
    now: &Stamp,
) -> SlotView {
    let (code, sign, words) = words::standing(standing);
    let closes = window.due.unwrap_or(window.closes);
    let tick = log.round.tick_of(slot);
    let is_known = matches!(standing, Standing::Known(_));
    let (known, known_at) = match item.proof {
        Proof::Known(fact) => {
            let found = log.facts.finding(fact).words();
            (
                Some(format!("{} {}", found.zh, found.en)),
                Some(words::known_at(fact)),
            )
        }
        _ => (None, None),
    };
    SlotView {
        anchor: format!("{}-{}-{}", log.round.date(), slot.item, slot.number),
        date: log.round.date().to_string(),
        item: slot.item.to_string(),
        time: slot.number,
        zh: item.what.zh.clone(),
        en: item.what.en.clone(),
        required: item.duty == Duty::Required,
        window: format!("{}–{}", when::minute(window.opens), when::minute(closes)),
        code,
        sign,
        words,
        said: [known, Some(said(standing, now))]
            .into_iter()
            .flatten()
            .filter(|it| !it.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        known_at,
        can_tick: !is_known
            && (tick.is_some() || (window.opens..window.closes).contains(&now.wall)),
        input: match &item.proof {
            Proof::Tick => Input::Tick,
            Proof::Number(range) => Input::Number(range.to_string()),
            Proof::Time => Input::Time,
            Proof::Text => Input::Text,
            Proof::Known(_) => Input::Known,
        },
        id: uuid::Uuid::new_v4().to_string(),
        corrects: tick.map_or_else(String::new, |it| {
            uuid::Uuid::from_u128(it.request.id.0).to_string()
        }),
    }
}

/// Everything of a day, item by item, with where it stands.
pub(super) fn views(log: &DayLog, now: &Stamp) -> Vec<(Category, Option<Place>, SlotView)> {
    let of = |(slot, window): (&Slot, &Window)| {
        let item = log.round.list().item(&slot.item)?;
        let standing = log.round.standing(slot, &log.facts, now.wall)?;
        let view = slot_view((log, item), (slot, window), &standing, now);
        Some((item.category, item.place, view))
    };
    log.round.slots().filter_map(of).collect()
}

fn build(desk: &Desk, now: &Stamp, at: Option<Place>, frame: Frame) -> Result<Page, DeskError> {
    let today = desk.today(*now)?;
    let log = desk.log(today)?;
    let mut numbers = Numbers::default();
    let mut places = places(desk, at);
    let (mut urgent, mut rest): (Vec<SlotView>, Vec<Group>) = (Vec::new(), Vec::new());
    // A night shift of yesterday may still be going on.
    let eve = desk.log(desk.before(today))?;
    let since = desk.lists()?.first().map_or(today, |first| first.0);
    let nightly = views(&eve, now)
        .into_iter()
        .filter(|(.., it)| eve.round.date() >= since && it.corrects.is_empty() && it.can_tick);
    for (category, place, view) in nightly.chain(views(&log, now)) {
        let asks = matches!(view.code, "overdue" | "open") && !matches!(view.input, Input::Known);
        if asks && let Some(it) = places.iter_mut().find(|it| Some(it.place) == place) {
            it.now += 1;
        }
        if at.is_some() && place != at {
            continue;
        }
        match view.code {
            "overdue" | "open" => numbers.now += 1,
            "not_yet" => numbers.later += 1,
            "missed" => numbers.missed += 1,
            _ => numbers.done += 1,
        }
        if asks {
            urgent.push(view);
            continue;
        }
        match rest.iter_mut().find(|group| group.zh == category.zh()) {
            Some(group) => group.slots.push(view),
            None => rest.push(Group {
                zh: category.zh(),
                en: category.en(),
                slots: vec![view],
            }),
        }
    }
    urgent.sort_by_key(|view| (view.code != "overdue", !view.required));
    let who = frame.who.as_ref();
    Ok(Page {
        loaded: now.wall.0,
        date: today.to_string(),
        at,
        places,
        prints: who.is_none_or(|who| who.role.may(Right::RunChecklist)),
        frame,
        numbers,
        now: urgent,
        rest,
        submitted: log.last().map(|it| it.report.revision),
    })
}

/// The places that the list knows, in their order.
fn places(desk: &Desk, at: Option<Place>) -> Vec<PlaceView> {
    let places = desk.list().places().into_iter();
    let view = |place| PlaceView {
        place,
        now: 0,
        here: Some(place) == at,
    };
    places.map(view).collect()
}

impl Shared {
    /// Has the desk do something, away from the threads that serve requests.
    pub(super) async fn desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk, Stamp) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let desk = self.dashboard.desk.clone().ok_or(Problem::NoPage)?;
        let done = self.ask(move |it| Ok(work(&desk, it.clock.now()))).await?;
        done.map_err(Problem::from)
    }

    /// The same for what changes something: link and pages hear of it.
    pub(super) async fn desk_writes<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk, Stamp) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.desk(work).await?;
        (self.dashboard.after_record)();
        Ok(done)
    }
}

/// `GET /rounds`.
async fn rounds(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let page = shared
        .desk(move |desk, now| build(desk, &now, None, frame))
        .await?;
    page::html(&page)
}

/// `GET /rounds/at/{place}`: what the code on the wall opens.
async fn rounds_at(
    State(shared): State<Arc<Shared>>,
    Path(place): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    let place = Place::parse(&place).ok_or(Problem::NoPage)?;
    let page = shared
        .desk(move |desk, now| build(desk, &now, Some(place), frame))
        .await?;
    page::html(&page)
}

/// Where the rounds of a place are.
pub(super) fn path_at(place: Place) -> String {
    format!("/rounds/at/{}", place.as_str())
}

/// What a form of an item sends. Fields that do not belong to what is said may be filled in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TickForm {
    id: String,
    date: String,
    item: String,
    time: u16,
    by: String,
    said: String,
    value: String,
    why: String,
    action: String,
    owner: String,
    hours: String,
    corrects: String,
    /// When it was tapped, by the gateway's clock, ms since 1970; empty where no script counted it.
    tapped: String,
    /// The page on which the form stood.
    at: String,
}

fn incomplete(zh: &'static str, en: &'static str) -> Problem {
    Problem::Incomplete(zh, en)
}

/// A name of who acts.
pub(super) fn name(text: &str) -> Result<Note, Problem> {
    Note::name(text).ok_or(incomplete(
        "请后退，填写您的姓名（1 到 80 个字）。",
        "Go back and fill in your name: 1 to 80 characters.",
    ))
}

/// A line that people wrote.
pub(super) fn line(text: &str) -> Result<Note, Problem> {
    Note::new(text).ok_or(incomplete(
        "请后退，填写内容（1 到 500 个字）。",
        "Go back and write something: 1 to 500 characters.",
    ))
}

/// A day in an address or a form.
pub(super) fn day(text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| Problem::NoPage)
}

fn tick_id(text: &str) -> Option<TickId> {
    let id = uuid::Uuid::parse_str(text).ok()?;
    Some(TickId(id.as_u128()))
}

fn evidence(item: &Item, value: &str) -> Result<Evidence, Problem> {
    Ok(match item.proof {
        Proof::Tick | Proof::Known(_) => Evidence::Said,
        Proof::Text => Evidence::Text(line(value)?),
        Proof::Time => {
            let time: Result<TimeOfDay, _> = value.trim().parse();
            Evidence::Time(time.map_err(|_| {
                incomplete(
                    "请后退，填写完成时间，例如 14:30。",
                    "Go back and write when it was done, such as 14:30.",
                )
            })?)
        }
        Proof::Number(_) => {
            let number = value.trim().parse().ok().filter(|it: &f64| it.is_finite());
            Evidence::Number(number.ok_or(incomplete(
                "请后退，填写数字。",
                "Go back and write the number.",
            ))?)
        }
    })
}

/// What the form says.
fn said_of(form: &TickForm, item: &Item, tapped: WallTime, now: WallTime) -> Result<Tick, Problem> {
    match form.said.as_str() {
        "done" => Ok(Tick::Done(evidence(item, &form.value)?)),
        "not_applicable" => Ok(Tick::NotApplicable {
            why: line(&form.why)?,
        }),
        "failed" => {
            let hours = form.hours.parse().ok().filter(|it| (1..=336).contains(it));
            let hours: i64 = hours.ok_or(incomplete(
                "请后退，选择整改期限。",
                "Go back and choose until when it will be mended.",
            ))?;
            // What waited in a phone until its deadline was over is to be mended at once.
            let deadline = WallTime(tapped.0.saturating_add(hours * HOUR_MS).max(now.0));
            let action = Action::new(&form.action, &form.owner, deadline, now);
            Ok(Tick::Failed {
                why: line(&form.why)?,
                action: action.map_err(|_| {
                    incomplete(
                        "请后退，填写整改措施和负责人。",
                        "Go back and write what will be done about it, and who does it.",
                    )
                })?,
            })
        }
        _ => Err(incomplete(
            "请后退，选择完成、不适用或不合格。",
            "Go back and choose done, not applicable or failed.",
        )),
    }
}

fn request_of(form: &TickForm, desk: &Desk, now: Stamp) -> Result<TickRequest, Problem> {
    // A plain form is tapped when it is sent; and nothing is tapped after it came.
    let tapped = form
        .tapped
        .parse()
        .map_or(now.wall.0, |it: i64| it.min(now.wall.0));
    let tapped = WallTime(tapped);
    let unknown = || {
        incomplete(
            "清单中没有这一项，请刷新页面。",
            "The list has no such item: reload the page.",
        )
    };
    let id = ItemId::new(&form.item).ok_or_else(unknown)?;
    let item = desk.list().item(&id).ok_or_else(unknown)?;
    let corrects = tick_id(&form.corrects);
    Ok(TickRequest {
        id: tick_id(&form.id).ok_or_else(unknown)?,
        date: day(&form.date)?,
        slot: Slot {
            item: id,
            number: form.time,
        },
        by: name(&form.by)?,
        tick: said_of(form, item, tapped, now.wall)?,
        photo: None,
        tapped,
        sent: now.wall,
        corrects,
    })
}

/// `POST /rounds/tick`.
async fn tick(
    State(shared): State<Arc<Shared>>,
    form: Result<Form<TickForm>, FormRejection>,
) -> Result<Response, Problem> {
    let form = super::alerts::sent(form)?;
    let desk = shared.dashboard.desk.clone().ok_or(Problem::NoPage)?;
    let now = shared.dashboard.clock.now();
    let request = request_of(&form, &desk, now)?;
    let anchor = format!(
        "{}-{}-{}",
        request.date, request.slot.item, request.slot.number
    );
    let back = Place::parse(&form.at).map_or_else(|| "/rounds".to_owned(), path_at);
    shared
        .desk_writes(move |desk, _| desk.tick(&request, now))
        .await?;
    Ok(Redirect::to(&format!("{back}#slot-{anchor}")).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/rounds", Right::Tick, rounds),
        get("/rounds/at/{place}", Right::Tick, rounds_at),
        // At the top: a worker serves what lies beside it.
        get("/rounds-worker.js", Needs::Nothing, async || {
            assets::asset(
                "text/javascript; charset=utf-8",
                include_str!("assets/rounds-worker.js"),
            )
        }),
        post("/rounds/tick", Right::Tick, tick),
    ]
}
