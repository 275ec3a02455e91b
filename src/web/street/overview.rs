//! Every site on one page: totals, open alerts, then a row for each, what needs a call first.
//!
//! Filters are a form that asks with `GET`, so that a choice has an address and works without a script. The script
//! reads this very page again whenever something has changed, and sounds for alerts that are new and not old news.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, Needs, get};
use super::super::who::Visit;
use super::super::words::{Words, street as said};
use super::super::{live, page};
use super::show::{self, AlertView, ColourView, ProgressView, RowView, words_of};
use super::{Office, StreetOffice};
use crate::checklist::{Progress, SiteKind};
use crate::clock::WallTime;
use crate::staff::Right;
use crate::street::{Call, Colours, ReportStands, Row, There};
use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::cmp::Reverse;
use std::sync::Arc;

/// Sites on a page.
const PAGE: usize = 200;

/// Open alerts that are shown above the sites.
const ALERTS: usize = 40;

/// What is asked for. A word that is not known asks for nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sought {
    kind: String,
    state: String,
    q: String,
    sort: String,
    page: usize,
}

type Asked = Result<Query<Sought>, QueryRejection>;

/// A choice of a form.
pub(super) struct ChoiceView {
    pub(super) code: &'static str,
    pub(super) words: Words,
    pub(super) chosen: bool,
}

fn choices(all: &[(&'static str, Words)], chosen: &str) -> Vec<ChoiceView> {
    let view = |(code, words): &(&'static str, Words)| ChoiceView {
        code,
        words: *words,
        chosen: *code == chosen,
    };
    all.iter().map(view).collect()
}

fn kinds(chosen: &str) -> Vec<ChoiceView> {
    let view = |it: &SiteKind| ChoiceView {
        code: it.as_str(),
        words: words_of!(it),
        chosen: it.as_str() == chosen,
    };
    SiteKind::ALL.iter().map(view).collect()
}

/// All sites together.
struct Totals {
    sites: usize,
    online: usize,
    calls: usize,
    screened: u64,
    fever: u64,
    open: u64,
    waiting: usize,
    received: usize,
    late: usize,
    required: ProgressView,
    optional: ProgressView,
    colours: Vec<ColourView>,
}

fn totals(rows: &[Row], now: WallTime) -> Totals {
    let count = |which: &dyn Fn(&Row) -> bool| rows.iter().filter(|it| which(it)).count();
    let (mut required, mut optional) = (Progress::default(), Progress::default());
    let mut colours = Colours::new();
    for row in rows {
        if let Some(rounds) = &row.rounds {
            required = crate::street::together(required, rounds.required);
            optional = crate::street::together(optional, rounds.optional);
        }
        for (colour, told) in row.colours.iter().flatten() {
            colours.entry(*colour).or_default().add(*told);
        }
    }
    let screened = rows.iter().filter_map(|it| it.screened);
    let people = screened.fold(
        crate::street::Screened::default(),
        crate::street::Screened::and,
    );
    Totals {
        sites: rows.len(),
        online: count(&|it| it.there == There::Online),
        calls: count(&|it| !it.calls.is_empty()),
        screened: people.total(),
        fever: people.possible_fever,
        open: rows.iter().fold(0, |sum, it| sum.saturating_add(it.open)),
        waiting: count(&|it| it.alerts.iter().any(|it| it.waits(now))),
        received: count(&|it| it.report.stands == ReportStands::Received),
        late: count(&|it| it.report.stands == ReportStands::Late),
        required: required.into(),
        optional: optional.into(),
        colours: show::colours(&colours),
    }
}

impl Sought {
    fn wants(&self, row: &Row) -> bool {
        let kind = SiteKind::parse(&self.kind);
        let is_kind = kind.is_none() || row.kind == kind;
        let is_state = match self.state.as_str() {
            "call" => !row.calls.is_empty(),
            "alert" => row.open > 0,
            "online" => row.there == There::Online,
            "away" => row.there != There::Online,
            "late" => row.calls.contains(&Call::Report),
            "newer" => !row.newer.is_empty() || !row.unreadable.is_empty(),
            _ => true,
        };
        let wanted = self.q.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let contact = row.listed.as_ref().and_then(|it| it.contact.as_deref());
        let is_sought = wanted.is_empty()
            || has(&row.name())
            || has(row.address.building.as_str())
            || has(row.address.gate.as_str())
            || contact.is_some_and(has);
        is_kind && is_state && is_sought
    }

    /// The rows come with what needs a call first.
    fn sort(&self, rows: &mut [&Row]) {
        match self.sort.as_str() {
            "name" => rows.sort_by_cached_key(|it| it.name()),
            "screened" => rows.sort_by_key(|it| Reverse(it.screened.map(|it| it.total()))),
            "required" => rows.sort_by_key(|it| {
                let view = it.rounds.as_ref().map(|it| ProgressView::from(it.required));
                // Who says nothing stands behind those who do.
                view.and_then(|it| it.percent).unwrap_or(101)
            }),
            "heard" => rows.sort_by_key(|it| it.heard),
            _ => {}
        }
    }
}

#[derive(Template)]
#[template(path = "street/overview.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    totals: Totals,
    alerts: Vec<AlertView>,
    /// Open alerts beyond those that are shown.
    more: u64,
    rows: Vec<RowView>,
    found: usize,
    from: usize,
    sought: Sought,
    kinds: Vec<ChoiceView>,
    states: Vec<ChoiceView>,
    sorts: Vec<ChoiceView>,
    before: Option<usize>,
    after: Option<usize>,
    spoken: Words,
}

/// Open alerts of all sites: those that wait first, then the newest.
fn alerts(rows: &[Row], now: WallTime) -> Vec<AlertView> {
    let mut all: Vec<_> = rows
        .iter()
        .flat_map(|row| row.alerts.iter().map(move |it| (row, it)))
        .collect();
    all.sort_by_key(|(row, it)| (!it.waits(now), it.taken, Reverse(it.raised), row.name()));
    let shown = all.into_iter().take(ALERTS);
    shown.map(|(row, it)| show::alert(row, it, now)).collect()
}

fn build(office: &StreetOffice, rows: &[Row], sought: Sought, frame: Frame) -> Page {
    let now = office.clock.now().wall;
    let mut wanted: Vec<&Row> = rows.iter().filter(|it| sought.wants(it)).collect();
    sought.sort(&mut wanted);
    let found = wanted.len();
    let last = found.saturating_sub(1) / PAGE;
    let page = sought.page.min(last);
    let alerts = alerts(rows, now);
    let totals = totals(rows, now);
    let shown = wanted.into_iter().skip(page * PAGE).take(PAGE);
    Page {
        more: totals.open.saturating_sub(alerts.len() as u64),
        rows: shown.map(|it| show::row(it, now)).collect(),
        found,
        from: page * PAGE + 1,
        kinds: kinds(&sought.kind),
        states: choices(&said::STATES, &sought.state),
        sorts: choices(&said::SORTS, &sought.sort),
        before: page.checked_sub(1),
        after: (page < last).then_some(page + 1),
        spoken: said::SPOKEN_ALERT,
        frame,
        totals,
        alerts,
        sought,
    }
}

/// `GET /`.
async fn overview(
    State(office): State<Arc<Office>>,
    sought: Asked,
    frame: Frame,
) -> Result<Response, Problem> {
    let sought = sought.map_or_else(|_| Sought::default(), |Query(it)| it);
    let page = office.make(move |office, seen| {
        let rows = seen.rows(&office.given);
        Ok(build(&office.given, &rows, sought, frame))
    });
    page::html(&page.await?)
}

/// `GET /changes`: says `changed` at once and whenever a gate has said something new.
async fn changes(
    State(office): State<Arc<Office>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    live::tell_changes(&office.hall, office.changes.clone(), visit.end)
}

/// `GET /healthz`: whether the pages answer and what they show is fresh.
async fn health(State(office): State<Arc<Office>>) -> Result<&'static str, Problem> {
    if office.seen().is_old {
        return Err(Problem::Storage(
            "the street's database cannot be read; see the log".to_owned(),
        ));
    }
    Ok("ok\n")
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![
        get("/healthz", Needs::Nothing, health),
        get("/", Right::SeeToday, overview),
        get("/changes", Right::SeeToday, changes),
    ]
}
