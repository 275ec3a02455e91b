//! Sites beside each other: where the gaps are. Required items (25 in the source's list of an office building) and
//! optional ones (14) apart, since a site may be good at the one for want of the other.

use super::super::chart::{Chart, Column, Look, Plot, Said, Series, Shape};
use super::super::frame::Frame;
use super::super::page;
use super::super::problem::Problem;
use super::super::routes::{Entry, get};
use super::super::words::{Words, street as words};
use super::Office;
use super::show::{self, ProgressView};
use crate::checklist::{Progress, SiteKind};
use crate::staff::Right;
use crate::street::{Row, together};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where it is.
pub(super) const PAGE: &str = "/compare";

/// Sites of a chart, the worst of all.
const COLUMNS: usize = 24;

/// From the ground up: what became of what was due.
const LAYERS: [(Words, Look); 4] = [
    (words::DONE, Look::Good),
    (words::LATE, Look::Doubt),
    (words::FAILED, Look::Unknown),
    (words::NOT_DONE, Look::Alarm),
];

/// A site, or a kind of sites.
struct LineView {
    name: String,
    path: Option<String>,
    kind: Words,
    sites: usize,
    required: ProgressView,
    optional: ProgressView,
}

#[derive(Template)]
#[template(path = "street/compare.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    charts: Vec<Chart>,
    kinds: Vec<LineView>,
    sites: Vec<LineView>,
    silent: usize,
    chosen: &'static str,
    choices: Vec<(&'static str, Words)>,
}

impl LineView {
    /// Required items, and optional ones.
    const fn duties(&self) -> [&ProgressView; 2] {
        [&self.required, &self.optional]
    }
}

impl Page {
    /// The tables: title, lines, and whether a line is a kind of sites.
    fn tables(&self) -> [(&'static str, &[LineView], bool); 2] {
        [
            ("六类 By kind", &self.kinds, true),
            (
                "各单位，差距大的在前 Sites, widest gaps first",
                &self.sites,
                false,
            ),
        ]
    }
}

/// Which part of what was due was not done in time.
fn gap(it: Progress) -> u64 {
    let asked = u64::from(ProgressView::from(it).asked);
    let good = u64::from(it.done) * 10_000;
    10_000 - good.checked_div(asked).unwrap_or(10_000).min(10_000)
}

fn shares(it: Progress) -> Vec<Option<f64>> {
    let view = ProgressView::from(it);
    let share =
        |part: u32| (view.asked > 0).then(|| 100.0 * f64::from(part) / f64::from(view.asked));
    [it.done, it.late, it.failed, view.not_done]
        .map(share)
        .to_vec()
}

fn chart(
    (id, title): (&'static str, Words),
    rows: &[&Row],
    progress: impl Fn(&Row) -> Progress,
) -> Chart {
    let mut rows: Vec<&&Row> = rows.iter().collect();
    rows.sort_by_cached_key(|it| (std::cmp::Reverse(gap(progress(it))), it.name()));
    let bad = rows.iter().filter(|it| gap(progress(it)) > 0).count();
    let columns = rows.iter().take(COLUMNS).map(|it| Column {
        short: it.name().chars().take(4).collect(),
        name: it.name(),
        link: Some(show::path(it)),
        values: shares(progress(it)),
    });
    let columns: Vec<Column> = columns.collect();
    let shown = columns.len();
    Chart::new(Plot {
        id,
        title,
        about: Said {
            zh: format!(
                "{} 个单位中 {bad} 个没有全部按时完成；图中是差距最大的 {shown} 个。",
                rows.len()
            ),
            en: format!(
                "{bad} of {} sites have not done all in time; the {shown} with the widest gaps.",
                rows.len()
            ),
        },
        across: words::SITE,
        unit: words::SHARE,
        decimals: 0,
        shape: Shape::Stacked,
        series: LAYERS
            .iter()
            .map(|(name, look)| Series {
                words: *name,
                look: *look,
            })
            .collect(),
        columns,
        rules: Vec::new(),
    })
}

fn of(row: &Row) -> (Progress, Progress) {
    row.rounds
        .as_ref()
        .map_or_else(Default::default, |it| (it.required, it.optional))
}

fn kinds(rows: &[&Row]) -> Vec<LineView> {
    let mut kinds: BTreeMap<(bool, Option<SiteKind>), (usize, Progress, Progress)> =
        BTreeMap::new();
    for row in rows {
        let (required, optional) = of(row);
        let it = kinds.entry((row.kind.is_none(), row.kind)).or_default();
        *it = (it.0 + 1, together(it.1, required), together(it.2, optional));
    }
    let line = |((_, kind), (sites, required, optional))| LineView {
        name: String::new(),
        path: None,
        kind: show::kind(kind),
        sites,
        required: Progress::into(required),
        optional: Progress::into(optional),
    };
    kinds.into_iter().map(line).collect()
}

fn build(rows: &[Row], chosen: Option<SiteKind>, frame: Frame) -> Page {
    let wanted = |it: &&Row| chosen.is_none() || it.kind == chosen;
    let of_kind: Vec<&Row> = rows.iter().filter(wanted).collect();
    let mut said: Vec<&Row> = of_kind
        .iter()
        .copied()
        .filter(|it| it.rounds.is_some())
        .collect();
    let silent = of_kind.len() - said.len();
    said.sort_by_cached_key(|it| {
        let (required, optional) = of(it);
        let by = (gap(required), gap(optional));
        (std::cmp::Reverse(by), it.name())
    });
    let line = |it: &&Row| {
        let (required, optional) = of(it);
        LineView {
            name: it.name(),
            path: Some(show::path(it)),
            kind: show::kind(it.kind),
            sites: 1,
            required: required.into(),
            optional: optional.into(),
        }
    };
    Page {
        frame,
        charts: vec![
            chart(("by-required", words::REQUIRED), &said, |it| of(it).0),
            chart(("by-optional", words::OPTIONAL), &said, |it| of(it).1),
        ],
        kinds: kinds(&said),
        sites: said.iter().map(line).collect(),
        silent,
        chosen: chosen.map_or("", SiteKind::as_str),
        choices: SiteKind::ALL
            .iter()
            .map(|it| (it.as_str(), show::kind(Some(*it))))
            .collect(),
    }
}

/// What stands behind the question mark.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sought {
    kind: String,
}

/// `GET /compare`.
async fn compare(
    State(office): State<Arc<Office>>,
    sought: Result<Query<Sought>, QueryRejection>,
    frame: Frame,
) -> Result<Response, Problem> {
    let kind = sought.map_or(None, |Query(it)| SiteKind::parse(&it.kind));
    let page = office.make(move |office, seen| Ok(build(&seen.rows(&office.given), kind, frame)));
    page::html(&page.await?)
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![get(PAGE, Right::SeeToday, compare)]
}
