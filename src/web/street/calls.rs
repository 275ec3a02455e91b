//! The list to phone from: each site that needs a call, with whom and why, the gravest first.

use super::super::frame::Frame;
use super::super::page;
use super::super::problem::Problem;
use super::super::routes::{Entry, get};
use super::Office;
use super::show::{self, RowView};
use super::site::{EscalatedView, escalated};
use crate::staff::Right;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Where it is.
pub(super) const PAGE: &str = "/calls";

/// A site, and what is to be said on the phone.
struct CallView {
    row: RowView,
    escalated: Vec<EscalatedView>,
}

#[derive(Template)]
#[template(path = "street/calls.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    calls: Vec<CallView>,
    sites: usize,
    report_by: String,
}

/// `GET /calls`.
async fn calls(State(office): State<Arc<Office>>, frame: Frame) -> Result<Response, Problem> {
    let page = office.make(move |office, seen| {
        let given = &office.given;
        let now = given.clock.now().wall;
        let rows = seen.rows(given);
        let calls = rows.iter().filter(|it| !it.calls.is_empty());
        let view = |it: &crate::street::Row| CallView {
            row: show::row(it, now),
            escalated: it
                .escalated()
                .iter()
                .map(|line| escalated(given, it.kind, line))
                .collect(),
        };
        Ok(Page {
            frame,
            calls: calls.map(view).collect(),
            sites: rows.len(),
            report_by: given.report_by.to_string(),
        })
    });
    page::html(&page.await?)
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![get(PAGE, Right::SeeToday, calls)]
}
