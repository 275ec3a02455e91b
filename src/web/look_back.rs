//! 复盘, looking back: how the days went together, what failed most, any day with who did what, any item
//! over days. Everything is read from the logbook and the reports that went out; the last revision of a day
//! counts. A day without a report is a gap, never a nought.

use super::chart::{Chart, Column, Look, Plot, Said, Series, Shape};
use super::frame::Frame;
use super::problem::Problem;
use super::rounds::{SlotView, day, views};
use super::routes::{Entry, get};
use super::words::{Words, checklist as words};
use super::{Shared, page, when};
use crate::calendar::Date;
use crate::checklist::{
    Category, DayShare, Desk, DeskError, Evidence, ItemId, ItemRecord, Progress, Signed, Tick,
};
use crate::clock::Stamp;
use crate::staff::Right;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Days that are shown where nobody chose: two weeks, as far as the deadline of an action can be away.
const USUAL_DAYS: u16 = 14;

/// Most days at a time: a quarter of a year.
const MOST_DAYS: i64 = 92;

/// Which days, as the form sends them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Days {
    from: String,
    until: String,
}

const NO_DAYS: Problem = Problem::Incomplete(
    "请后退，选择起止日期：起不晚于止，最多92天。",
    "Go back and choose the first and the last day: in this order, 92 days at most.",
);

impl Days {
    /// First and last day; the last two weeks where nothing was chosen.
    fn chosen(&self) -> Result<Option<(Date, Date)>, Problem> {
        if self.from.is_empty() && self.until.is_empty() {
            return Ok(None);
        }
        let (from, until): (Date, Date) = self
            .from
            .parse()
            .ok()
            .zip(self.until.parse().ok())
            .ok_or(NO_DAYS)?;
        let fits = (0..MOST_DAYS).contains(&(until.number() - from.number()));
        fits.then_some(Some((from, until))).ok_or(NO_DAYS)
    }
}

fn stretch(desk: &Desk, now: Stamp, days: Option<(Date, Date)>) -> Result<(Date, Date), DeskError> {
    let usual = |today| (desk.earlier(today, USUAL_DAYS - 1), today);
    days.map_or_else(|| Ok(usual(desk.today(now)?)), Ok)
}

/// Every date of a stretch.
fn dates((from, until): (Date, Date)) -> impl Iterator<Item = Date> {
    let next = move |date: &Date| (*date < until).then(|| date.plus(1));
    std::iter::successors(Some(from), next)
}

/// As it stands below a plot: `2-24`.
fn label(date: Date) -> String {
    let (_, month, day) = date.parts();
    format!("{month}-{day}")
}

/// A share in per cent; a dash of nothing.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

/// Numbers of a day or an item.
struct Numbers {
    completion: String,
    lateness: String,
    done: u32,
    asked: u32,
    late: u32,
    missed: u32,
    failed: u32,
    not_applicable: u32,
}

impl From<Progress> for Numbers {
    fn from(it: Progress) -> Self {
        Self {
            completion: percent(it.completion()),
            lateness: percent(it.lateness()),
            done: it.done + it.late,
            asked: it.asked(),
            late: it.late,
            missed: it.missed + it.overdue,
            failed: it.failed,
            not_applicable: it.not_applicable,
        }
    }
}

struct DayRow {
    date: String,
    /// Required and optional items; `None` without a report.
    numbers: Option<(Numbers, Numbers)>,
}

struct ItemRow {
    id: String,
    zh: String,
    en: String,
    category_zh: &'static str,
    category_en: &'static str,
    numbers: Numbers,
}

impl From<&ItemRecord> for ItemRow {
    fn from(it: &ItemRecord) -> Self {
        Self {
            id: it.id.to_string(),
            zh: it.what.zh.clone(),
            en: it.what.en.clone(),
            category_zh: it.category.zh(),
            category_en: it.category.en(),
            numbers: it.progress.into(),
        }
    }
}

#[derive(Template)]
#[template(path = "look_back.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    from: String,
    until: String,
    reported: usize,
    charts: Vec<Chart>,
    days: Vec<DayRow>,
    items: Vec<ItemRow>,
}

/// Shares of days in per cent, as lines.
fn shares(
    (id, title): (&'static str, Words),
    series: Vec<(Words, Look)>,
    days: Vec<(Date, Vec<Option<f64>>)>,
) -> Chart {
    let known = days.iter().filter(|it| it.1.iter().any(Option::is_some));
    let known = known.count();
    let column = |(date, values): (Date, Vec<Option<f64>>)| Column {
        short: label(date),
        name: date.to_string(),
        link: Some(format!("/look-back/day/{date}")),
        values: values.iter().map(|it| it.map(|it| it * 100.0)).collect(),
    };
    Chart::new(Plot {
        id,
        title,
        about: Said {
            zh: format!("{known}天有日报"),
            en: format!("{known} days with a report"),
        },
        across: words::DAY,
        unit: words::PERCENT,
        decimals: 0,
        shape: Shape::Lines,
        series: series
            .into_iter()
            .map(|(words, look)| Series { words, look })
            .collect(),
        columns: days.into_iter().map(column).collect(),
        rules: Vec::new(),
    })
}

fn build(
    desk: &Desk,
    now: Stamp,
    days: Option<(Date, Date)>,
    frame: Frame,
) -> Result<Page, DeskError> {
    let (from, until) = stretch(desk, now, days)?;
    let back = desk.look_back(from, until)?;
    let by_day: Vec<(Date, Option<&DayShare>)> = dates((from, until))
        .map(|date| (date, back.days.iter().find(|it| it.date == date)))
        .collect();
    let chart = |name, of: fn(&Progress) -> Option<f64>| {
        let values = |share: Option<&DayShare>| {
            let both = share.map(|it| [of(&it.required), of(&it.optional)]);
            both.unwrap_or_default().to_vec()
        };
        let days = by_day.iter().map(|(date, share)| (*date, values(*share)));
        let series = [
            (words::REQUIRED, Look::Plain),
            (words::OPTIONAL, Look::Doubt),
        ];
        shares(name, series.to_vec(), days.collect())
    };
    let row = |(date, share): &(Date, Option<&DayShare>)| DayRow {
        date: date.to_string(),
        numbers: share.map(|it| (it.required.into(), it.optional.into())),
    };
    Ok(Page {
        frame,
        from: from.to_string(),
        until: until.to_string(),
        reported: back.days.len(),
        charts: vec![
            chart(("completion", words::COMPLETION), Progress::completion),
            chart(("lateness", words::LATENESS), Progress::lateness),
        ],
        days: by_day.iter().rev().map(row).collect(),
        items: back.items.iter().map(ItemRow::from).collect(),
    })
}

/// `GET /look-back`.
async fn together(
    State(shared): State<Arc<Shared>>,
    Query(days): Query<Days>,
    frame: Frame,
) -> Result<Response, Problem> {
    let days = days.chosen()?;
    let page = shared.desk(move |desk, now| build(desk, now, days, frame));
    page::html(&page.await?)
}

/// A category of a day.
struct Group {
    category: Category,
    slots: Vec<SlotView>,
}

/// A tick, as it is shown in a list.
struct TickRow {
    date: String,
    item: String,
    time: u32,
    said: String,
    by: String,
    at: String,
}

fn tick_row(signed: &Signed, now: &Stamp) -> TickRow {
    let request = &signed.request;
    let done_at = Stamp {
        wall: signed.done_at,
        ..*now
    };
    TickRow {
        date: request.date.to_string(),
        item: request.slot.item.to_string(),
        time: u32::from(request.slot.number) + 1,
        said: words::said(&request.tick),
        by: request.by.to_string(),
        at: when::short(&done_at, now),
    }
}

#[derive(Template)]
#[template(path = "look_back_day.html", config = "src/web/askama.toml")]
struct DayPage {
    frame: Frame,
    date: String,
    before: String,
    after: String,
    required: Numbers,
    optional: Numbers,
    groups: Vec<Group>,
    /// Ticks of items that the list has no more.
    gone: Vec<TickRow>,
    reports: Vec<(u32, String)>,
}

fn build_day(desk: &Desk, now: &Stamp, date: Date, frame: Frame) -> Result<DayPage, DeskError> {
    use crate::checklist::Duty;
    let log = desk.log(date)?;
    let report = log.report(now.wall);
    let mut groups: Vec<Group> = Vec::new();
    for (category, _, slot) in views(&log, now) {
        match groups.iter_mut().find(|it| it.category == category) {
            Some(group) => group.slots.push(slot),
            None => groups.push(Group {
                category,
                slots: vec![slot],
            }),
        }
    }
    groups.sort_by_key(|it| it.category);
    let is_gone = |it: &&Signed| log.round.tick_of(&it.request.slot).is_none();
    let gone = log.round.ticks().iter().filter(is_gone);
    Ok(DayPage {
        frame,
        date: date.to_string(),
        before: desk.before(date).to_string(),
        after: date.plus(1).to_string(),
        required: report.total(Duty::Required).into(),
        optional: report.total(Duty::Optional).into(),
        groups,
        gone: gone.map(|it| tick_row(it, now)).collect(),
        reports: log
            .reports
            .iter()
            .map(|it| (it.report.revision, when::short(&it.at, now)))
            .collect(),
    })
}

/// `GET /look-back/day/{date}`.
async fn of_day(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    let date = day(&date)?;
    let page = shared.desk(move |desk, now| build_day(desk, &now, date, frame));
    page::html(&page.await?)
}

#[derive(Template)]
#[template(path = "look_back_item.html", config = "src/web/askama.toml")]
struct ItemPage {
    frame: Frame,
    from: String,
    until: String,
    item: ItemRow,
    owner: String,
    group_zh: &'static str,
    group_en: &'static str,
    clause: Option<String>,
    charts: Vec<Chart>,
    days: Vec<(String, Option<Numbers>)>,
    ticks: Vec<TickRow>,
}

/// The numbers that were written for an item, one after the other; `None` where there are none.
fn written(ticks: &[Signed]) -> Option<Chart> {
    let number = |it: &Signed| match it.request.tick {
        Tick::Done(Evidence::Number(number)) => Some(Column {
            short: label(it.request.date),
            name: format!("{} ({})", it.request.date, it.request.slot.number + 1),
            link: None,
            values: vec![Some(number)],
        }),
        _ => None,
    };
    let columns: Vec<Column> = ticks.iter().filter_map(number).collect();
    let about = Said {
        zh: format!("{}次", columns.len()),
        en: format!("{} times", columns.len()),
    };
    (!columns.is_empty()).then(|| {
        Chart::new(Plot {
            id: "written",
            title: words::WRITTEN,
            about,
            across: words::DAY,
            unit: words::WRITTEN,
            decimals: 1,
            shape: Shape::Lines,
            series: vec![Series {
                words: words::WRITTEN,
                look: Look::Plain,
            }],
            columns,
            rules: Vec::new(),
        })
    })
}

fn build_item(
    desk: &Desk,
    now: &Stamp,
    (id, days): (&ItemId, Option<(Date, Date)>),
    frame: Frame,
) -> Result<Option<ItemPage>, DeskError> {
    let (from, until) = stretch(desk, *now, days)?;
    let back = desk.look_back(from, until)?;
    let list = desk.owned_list()?;
    let item = list.item(id);
    let record = back.items.into_iter().find(|it| it.id == *id);
    let fresh = item.map(|item| ItemRecord {
        id: id.clone(),
        category: item.category,
        what: item.what.clone(),
        progress: Progress::default(),
        days: Vec::new(),
    });
    let Some(record) = record.or(fresh) else {
        return Ok(None);
    };
    let on = |date: Date| {
        let day = record.days.iter().find(|it| it.0 == date);
        day.map(|it| it.1)
    };
    let dates: Vec<Date> = dates((from, until)).collect();
    let of_day = |date: &Date| {
        let both = on(*date).map(|it| [it.completion(), it.lateness()]);
        (*date, both.unwrap_or_default().to_vec())
    };
    let mut charts = vec![shares(
        ("item", words::COMPLETION),
        vec![
            (words::COMPLETION, Look::Plain),
            (words::LATENESS, Look::Doubt),
        ],
        dates.iter().map(of_day).collect(),
    )];
    let ticks = desk.ticks(id, (from, until))?;
    charts.extend(written(&ticks));
    let owner = item.and_then(|it| list.owner(it));
    Ok(Some(ItemPage {
        frame,
        from: from.to_string(),
        until: until.to_string(),
        item: (&record).into(),
        owner: owner.map_or_else(|| "–".to_owned(), ToString::to_string),
        group_zh: item.map_or("–", |it| it.group.zh()),
        group_en: item.map_or("–", |it| it.group.en()),
        clause: item.and_then(|it| it.clause).map(|it| it.to_string()),
        charts,
        days: dates
            .iter()
            .rev()
            .map(|date| (date.to_string(), on(*date).map(Numbers::from)))
            .collect(),
        ticks: ticks.iter().rev().map(|it| tick_row(it, now)).collect(),
    }))
}

/// `GET /look-back/item/{id}`.
async fn of_item(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(days): Query<Days>,
    frame: Frame,
) -> Result<Response, Problem> {
    let days = days.chosen()?;
    let id = ItemId::new(&id).ok_or(Problem::NoPage)?;
    let page = shared.desk(move |desk, now| build_item(desk, &now, (&id, days), frame));
    page::html(&page.await?.ok_or(Problem::NoPage)?)
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/look-back", Right::RunChecklist, together),
        get("/look-back/day/{date}", Right::RunChecklist, of_day),
        get("/look-back/item/{id}", Right::RunChecklist, of_item),
    ]
}
