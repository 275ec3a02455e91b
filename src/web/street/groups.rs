//! What each working group of the office is called for: required items that are late, were missed, or failed and are
//! not made good, site by site. A site that is not there says nothing new, which its line says.

use super::super::frame::Frame;
use super::super::page;
use super::super::problem::Problem;
use super::super::routes::{Entry, get};
use super::super::words::Words;
use super::show::{self, RowView};
use super::site::{EscalatedView, escalated};
use super::{Office, StreetOffice};
use crate::checklist::Group;
use crate::clock::WallTime;
use crate::staff::Right;
use crate::street::{Row, There};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Where it is.
pub(super) const PAGE: &str = "/groups";

/// A site's items of one group.
struct SiteView {
    row: RowView,
    away: bool,
    items: Vec<EscalatedView>,
}

/// A group.
struct GroupView {
    code: &'static str,
    words: Words,
    items: usize,
    sites: Vec<SiteView>,
}

#[derive(Template)]
#[template(path = "street/groups.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    groups: Vec<GroupView>,
}

fn group(office: &StreetOffice, rows: &[Row], group: Option<Group>, now: WallTime) -> GroupView {
    let site = |row: &Row| {
        let mine = row.escalated().iter().filter(|it| it.group == group);
        SiteView {
            row: show::row(row, now),
            away: row.there != There::Online,
            items: mine.map(|it| escalated(office, row.kind, it)).collect(),
        }
    };
    let sites: Vec<SiteView> = rows
        .iter()
        .filter(|row| row.escalated().iter().any(|it| it.group == group))
        .map(site)
        .collect();
    GroupView {
        code: group.map_or("other", Group::as_str),
        words: show::group(group),
        items: sites.iter().map(|it| it.items.len()).sum(),
        sites,
    }
}

/// `GET /groups`.
async fn groups(State(office): State<Arc<Office>>, frame: Frame) -> Result<Response, Problem> {
    let page = office.make(move |office, seen| {
        let given = &office.given;
        let now = given.clock.now().wall;
        let rows = seen.rows(given);
        let all = Group::ALL.iter().copied().map(Some).chain([None]);
        let groups = all.map(|it| group(given, &rows, it, now));
        // One that nobody knows is shown only where something is meant for it.
        let groups = groups.filter(|it| it.code != "other" || it.items > 0);
        Ok(Page {
            frame,
            groups: groups.collect(),
        })
    });
    page::html(&page.await?)
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![get(PAGE, Right::SeeToday, groups)]
}
