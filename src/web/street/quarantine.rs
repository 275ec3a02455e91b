//! Messages that were not taken, with why not and what to do about it.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get};
use super::super::words::Words;
use super::super::words::street as said;
use super::super::{page, when};
use super::Office;
use crate::staff::Right;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Where it is.
pub(super) const PAGE: &str = "/quarantine";

/// Messages that are shown.
const MOST: u32 = 200;

/// Letters of a payload that are shown.
const SHOWN: usize = 2000;

/// A message.
struct MessageView {
    at: String,
    topic: String,
    reason: Words,
    detail: String,
    payload: String,
    bytes: usize,
}

#[derive(Template)]
#[template(path = "street/quarantine.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    total: u64,
    messages: Vec<MessageView>,
}

/// Bytes that somebody sent, as far as they show.
pub(super) fn readable(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    let shown = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().take(SHOWN).map(shown).collect()
}

/// `GET /quarantine`.
async fn quarantine(State(office): State<Arc<Office>>, frame: Frame) -> Result<Response, Problem> {
    let page = office.make(move |office, _| {
        let ledger = &office.given.ledger;
        let messages = ledger.quarantine(MOST)?;
        Ok(Page {
            frame,
            total: ledger.counts()?.quarantined,
            messages: messages
                .into_iter()
                .map(|it| MessageView {
                    at: when::day_and_minute(it.received),
                    reason: said::reason(&it.reason),
                    detail: it.detail,
                    payload: readable(&it.payload),
                    bytes: it.payload.len(),
                    topic: it.topic,
                })
                .collect(),
        })
    });
    page::html(&page.await?)
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![get(PAGE, Right::SeeToday, quarantine)]
}
