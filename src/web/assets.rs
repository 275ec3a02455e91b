//! What pages load beside their text: style, script and sign, compiled in.

use super::routes::{Entry, Needs, get};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/assets/app.css", Needs::Nothing, style),
        get("/assets/live.js", Needs::Nothing, live),
        get("/assets/ticks.js", Needs::Nothing, ticks),
        get("/assets/door.svg", Needs::Nothing, icon),
    ]
}

/// A text that is compiled in.
pub(super) fn asset(kind: &'static str, content: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], content).into_response()
}

pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/app.css"))
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

async fn live() -> Response {
    asset(SCRIPT, include_str!("assets/live.js"))
}

async fn ticks() -> Response {
    asset(SCRIPT, include_str!("assets/ticks.js"))
}

pub(super) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("assets/door.svg"))
}
