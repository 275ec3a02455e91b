//! What stands around every page: whose gateway it is and how it is, the ways to other pages, in
//! which languages, and who is signed in.
//!
//! A page takes a [`Frame`] as an argument, has it in its template as `frame`, and begins with
//! `{% extends "base.html" %}`.

use super::hall::{Around, Hall};
use super::problem::Problem;
use super::routes::{Entry, Needs, post};
use super::state::{GatewayStatus, SiteName};
use super::who::Visit;
use super::words::{self, InWords, Words};
use super::{cookie, nav, page, trust};
use crate::clock::Stamp;
use crate::staff::Who;
use axum::extract::{Form, FromRef, FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The cookie that keeps which languages somebody wants.
const LANGUAGES: &str = "menshen-words";

/// How long it is kept, seconds: a year.
const A_YEAR: u64 = 365 * 86_400;

/// Which languages a page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Languages {
    /// Chinese, and English beside it.
    #[default]
    Both,
    /// Chinese.
    Chinese,
    /// English.
    English,
}

impl Languages {
    const ALL: [Self; 3] = [Self::Chinese, Self::English, Self::Both];

    /// Its word in the cookie and for the style sheet.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// As it stands on its button.
    const fn name(self) -> &'static str {
        match self {
            Self::Both => "中 / En",
            Self::Chinese => "中文",
            Self::English => "English",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    fn of(headers: &HeaderMap) -> Self {
        cookie::read(headers, LANGUAGES)
            .and_then(Self::parse)
            .unwrap_or_default()
    }
}

/// A way to another page, as it is shown.
pub(super) struct WayView {
    pub(super) path: &'static str,
    pub(super) words: Words,
    pub(super) here: bool,
}

/// How the gateway is, in a line.
pub(super) struct StatusView {
    pub(super) good: bool,
    pub(super) words: Words,
}

/// What stands around a page.
pub(super) struct Frame {
    /// What all pages are called.
    pub(super) heading: Words,
    pub(super) site: SiteName,
    pub(super) ways: Vec<WayView>,
    /// Who is signed in.
    pub(super) who: Option<Who>,
    /// What every form sends along as `csrf`: it shows that the form stood on a page of this session.
    pub(super) csrf: String,
    /// Where this page is.
    pub(super) path: String,
    pub(super) status: Option<StatusView>,
    pub(super) demo: Option<Words>,
    /// Why the configuration file was refused at the start, its first line.
    pub(super) refused: Option<String>,
    /// Where it is said how this gateway's own authority is trusted, where it has one.
    pub(super) trust: Option<&'static str>,
    languages: Languages,
}

impl Frame {
    /// Which languages are shown, for the style sheet.
    pub(super) const fn shown(&self) -> &'static str {
        self.languages.as_str()
    }

    /// The page's main language.
    pub(super) const fn lang(&self) -> &'static str {
        match self.languages {
            Languages::English => "en",
            Languages::Both | Languages::Chinese => "zh-CN",
        }
    }

    /// Whose pages these are: what is known of street, building and gate.
    pub(super) fn place(&self) -> String {
        let SiteName {
            street,
            building,
            gate,
            ..
        } = &self.site;
        let known = [street, building, gate].map(String::as_str);
        let known: Vec<_> = known.into_iter().filter(|it| !it.is_empty()).collect();
        known.join(" · ")
    }

    /// The choice of languages: word, name, whether it is the present one.
    pub(super) fn choices(&self) -> [(&'static str, &'static str, bool); 3] {
        Languages::ALL.map(|it| (it.as_str(), it.name(), it == self.languages))
    }
}

pub(super) fn status_view(status: &GatewayStatus, now: &Stamp) -> StatusView {
    let fault = status
        .faults
        .iter()
        .find(|it| it.fault.stops_judging())
        .or_else(|| status.faults.first());
    let camera = &status.camera;
    let stale = page::is_stale(camera.last_frame.as_ref(), now);
    let health = camera.health.filter(|_| !stale);
    StatusView {
        good: fault.is_none() && health.is_some_and(|it| status.judges(it)),
        words: fault
            .map(|it| it.fault.words())
            .or_else(|| health.map(|it| it.words()))
            .unwrap_or(words::frame::NO_PICTURE),
    }
}

impl<S> FromRequestParts<S> for Frame
where
    S: Send + Sync,
    Hall: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let hall = Hall::from_ref(state);
        let visit = parts.extensions.get::<Visit>().cloned().unwrap_or_default();
        let path = parts.uri.path().to_owned();
        let ways = |who: &Who| {
            let way = |way: &nav::Way| WayView {
                path: way.path,
                words: way.words,
                here: way.path == path,
            };
            let is_there = |way: &&nav::Way| way.path != nav::ACCOUNTS || hall.door.is_some();
            let open = nav::open(hall.house.ways(), who.role);
            open.filter(is_there).map(way).collect()
        };
        let Around {
            status,
            demo,
            refused,
        } = hall.house.around();
        let is_in = visit.who.is_some();
        Ok(Self {
            heading: hall.house.heading(),
            site: hall.house.site(),
            ways: visit.who.as_ref().map_or_else(Vec::new, ways),
            csrf: visit.csrf,
            status: status.filter(|_| is_in),
            refused: refused.filter(|_| is_in),
            who: visit.who,
            demo,
            trust: hall.transport.own_authority().then_some(trust::PAGE),
            languages: Languages::of(&parts.headers),
            path,
        })
    }
}

/// The choice of languages, and where it was made.
#[derive(Debug, Deserialize)]
struct Choice {
    words: String,
    #[serde(default)]
    back: String,
}

/// An address of this gateway, as it may stand in a form or behind a question mark; else none.
pub(super) fn own_path(path: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    (path.starts_with('/') && !path.starts_with("//") && path.chars().all(plain)).then_some(path)
}

/// `POST /words`: which languages the pages show from now on.
async fn choose(State(hall): State<Hall>, Form(choice): Form<Choice>) -> Response {
    let languages = Languages::parse(&choice.words).unwrap_or_default();
    let line = cookie::line(LANGUAGES, languages.as_str(), A_YEAR, hall.is_secure());
    let back = Redirect::to(own_path(&choice.back).unwrap_or("/"));
    ([(SET_COOKIE, line)], back).into_response()
}

pub(super) fn routes<S>() -> Vec<Entry<S>>
where
    S: Clone + Send + Sync + 'static,
    Hall: FromRef<S>,
{
    vec![post("/words", Needs::Nothing, choose)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_in_this_gateway() {
        for own in ["/", "/people/3?x=1", "/alerts"] {
            assert_eq!(own_path(own), Some(own));
        }
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/\r\nX: y",
        ] {
            assert_eq!(own_path(foreign), None, "{foreign:?}");
        }
    }
}
