//! What pages load beside their text: style, script and sign, compiled in.

use super::routes::{Entry, Needs, get};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// Scripts by their address: modules, of which a page names the first and that one the others.
macro_rules! scripts {
    ($($name:literal),* $(,)?) => {
        [$(get(concat!("/assets/", $name), Needs::Nothing, async || {
            asset("text/javascript; charset=utf-8", include_str!(concat!("assets/", $name)))
        })),*]
    };
}

pub(super) fn routes<S>() -> Vec<Entry<S>>
where
    S: Clone + Send + Sync + 'static,
{
    let mut all = vec![
        get("/assets/app.css", Needs::Nothing, style),
        get("/assets/door.svg", Needs::Nothing, icon),
        get("/assets/visitor.css", Needs::Nothing, async || {
            let style = include_str!("assets/visitor.css");
            asset("text/css; charset=utf-8", style)
        }),
    ];
    all.extend(scripts![
        "alarm.js",
        "keys.js",
        "lists.js",
        "live.js",
        "page.js",
        "palette.js",
        "people.js",
        "picture.js",
        "sound.js",
        "street.js",
        "ticks.js",
        "visitor.js",
    ]);
    all
}

/// A text that is compiled in.
pub(super) fn asset(kind: &'static str, content: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], content).into_response()
}

pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/app.css"))
}

pub(super) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("assets/door.svg"))
}
