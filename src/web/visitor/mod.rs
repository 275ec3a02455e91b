//! The screen that visitors see, beside the camera: what to do, and what came of it.
//!
//! It shows no thermal picture and no temperature of anybody: a silhouette for each person, an instruction
//! or a verdict as colour, icon, word and sound. What it says is decided in `board`; here it becomes a page
//! (`GET /visitor`) and a stream of words (`GET /visitor/words`, server-sent events). A message goes out
//! when something changes and once a second at least, so that the page knows within `page::STALE` and
//! a second that it has lost the gateway, and says *out of service*. The newest state wins: a screen that
//! reads slowly skips what is old, and nothing is queued for it.
//!
//! **Letters.** A Han character that is read without effort subtends 30′ (ISO 9241-303 asks for 20′ to 35′ of
//! East Asian characters), which is 35 mm at 4 m. The words are 13 % of the screen's shorter side: 35 mm on the
//! 268 mm of a usual kiosk panel (21.5″, upright or not). English capitals are 6.4 % of it, 17 mm: 15′ at 4 m,
//! where the standard's least is 16′ and 20′ to 22′ are good, so English is for 3 m. What stands smaller than
//! these two is for whoever stands before it.
//!
//! Nothing here blocks a thread.

mod board;

pub use board::{Board, Cue, Figure, Screen, Why};

use super::frame::Frame;
use super::page;
use super::problem::Problem;
use super::routes::{Entry, get};
use super::state::PopulationStatus;
use super::who::Visit;
use super::words::Words;
use super::words::visitor as said;
use super::{Dashboard, Shared};
use crate::staff::Right;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Visitor screens at a time.
pub const SCREENS: usize = 8;

/// Longest time between two messages; the page says that the gateway is lost after two and a half of them.
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked at that time alone changes something: a picture grows old.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// One person, for the page.
#[derive(Debug, PartialEq, Serialize)]
struct FigureSaid {
    /// Which, so that each verdict sounds once.
    n: u64,
    place: f32,
    cue: &'static str,
    words: Words,
    briefly: Words,
    more: Option<Words>,
    /// How far the measuring has come, 0 to 1.
    part: Option<f32>,
}

/// What the screen says, for the page.
#[derive(Debug, PartialEq, Serialize)]
struct Said {
    /// Which program and database say it: after an update the page loads itself again.
    build: String,
    scene: &'static str,
    words: Words,
    more: Option<Words>,
    /// Why nobody is judged.
    why: Option<Words>,
    /// A count beside it, such as `37 / 100`.
    count: Option<String>,
    people: Vec<FigureSaid>,
}

/// The word of a cue for styles and sounds.
const fn word(cue: Cue) -> &'static str {
    match cue {
        Cue::Closer => "closer",
        Cue::Middle => "middle",
        Cue::Look => "look",
        Cue::Glasses => "glasses",
        Cue::Hold(..) => "hold",
        Cue::Wait => "wait",
        Cue::Clear => "clear",
        Cue::Staff => "staff",
        Cue::Indoors => "indoors",
        Cue::Cannot(_) => "cannot",
    }
}

impl From<&Figure> for FigureSaid {
    fn from(it: &Figure) -> Self {
        Self {
            n: it.track.0,
            // Where the silhouette stands need not be known better.
            place: (it.place * 20.0).round() / 20.0,
            cue: word(it.cue),
            words: said::told(it.cue),
            briefly: said::briefly(it.cue),
            more: said::more(it.cue),
            part: match it.cue {
                Cue::Hold(looks, needed) => Some(looks.min(needed) as f32 / needed.max(1) as f32),
                _ => None,
            },
        }
    }
}

impl Said {
    fn new(screen: &Screen, build: String) -> Self {
        let (scene, words, more) = match screen {
            Screen::Out(_) => ("out", said::OUT, Some(said::BY_STAFF)),
            Screen::Wait => ("wait", said::WAIT, Some(said::ADJUSTS)),
            Screen::Rest(None) => ("rest", said::REST, Some(said::HOW)),
            Screen::Rest(Some(_)) => ("learning", said::REST, Some(said::LEARNING)),
            Screen::People(_, true) => ("crowd", said::ONE_AT_A_TIME, None),
            // Whoever stands there is told at their place.
            Screen::People(_, false) => ("people", said::REST, None),
        };
        let count = |it: &PopulationStatus| format!("{} / {}", it.people, it.needed);
        Self {
            build,
            scene,
            words,
            more,
            why: match screen {
                Screen::Out(why) => Some(said::why(*why)),
                _ => None,
            },
            count: match screen {
                Screen::Rest(learning) => learning.as_ref().map(count),
                _ => None,
            },
            people: match screen {
                Screen::People(figures, _) => figures.iter().map(FigureSaid::from).collect(),
                _ => Vec::new(),
            },
        }
    }
}

/// The page, as it stands before the first message and without JavaScript: out of service.
#[derive(Template)]
#[template(path = "visitor.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    build: String,
    sound: bool,
    /// Whether somebody who works here looks at it, and may go back.
    back: bool,
    out: Words,
    by_staff: Words,
    lost: Words,
    again: Words,
    silent: Words,
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/visitor", Right::SeeKiosk, page),
        get("/visitor/words", Right::SeeKiosk, words),
    ]
}

/// `GET /visitor`.
async fn page(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let back = frame
        .who
        .as_ref()
        .is_some_and(|who| who.role.may(Right::SeeLive));
    page::html(&Page {
        frame,
        build: shared.dashboard.build(),
        sound: shared.dashboard.visitor_sound,
        back,
        out: said::OUT,
        by_staff: said::BY_STAFF,
        lost: said::LOST,
        again: said::BACK,
        silent: said::SILENT,
    })
}

/// What one screen was told last.
struct Teller {
    dashboard: Dashboard,
    board: Board,
    last: Option<(Said, Instant)>,
}

impl Teller {
    /// What there is to say now, where it is something new or time for a sign of life.
    fn news(&mut self) -> Option<String> {
        let now = self.dashboard.clock.now();
        let status = Arc::clone(&self.dashboard.status.borrow());
        let frame = self.dashboard.live.borrow().clone();
        let screen = self.board.step(&status, frame.as_deref(), &now);
        let said = Said::new(&screen, self.dashboard.build());
        if let Some((last, at)) = &self.last
            && *last == said
            && at.elapsed() < AT_LEAST_EVERY
        {
            return None;
        }
        let json = serde_json::to_string(&said).ok()?;
        self.last = Some((said, Instant::now()));
        Some(json)
    }
}

/// `GET /visitor/words`.
async fn words(State(shared): State<Arc<Shared>>, Extension(visit): Extension<Visit>) -> Response {
    let Ok(seat) = Arc::clone(&shared.screens).try_acquire_owned() else {
        return Problem::TooManyViewers.into_response();
    };
    let mut live = shared.dashboard.live.clone();
    live.mark_changed();
    let teller = Teller {
        dashboard: shared.dashboard.clone(),
        board: Board::default(),
        last: None,
    };
    let events = stream::unfold(
        (teller, live, shared, visit.end, seat),
        |(mut teller, mut live, shared, end, seat)| async move {
            loop {
                tokio::select! {
                    () = shared.stop.cancelled() => return None,
                    () = end.cancelled() => return None,
                    // Where the camera's side is gone, time goes on.
                    Ok(()) = live.changed() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
                live.mark_unchanged();
                if let Some(json) = teller.news() {
                    let event = Event::default().event("words").data(json);
                    return Some((
                        Ok::<_, Infallible>(event),
                        (teller, live, shared, end, seat),
                    ));
                }
            }
        },
    );
    Sse::new(events).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TrackId;

    #[test]
    fn a_message_holds_no_temperature_and_no_size() {
        let figure = Figure {
            track: TrackId(7),
            place: 0.437,
            cue: Cue::Hold(2, 3),
        };
        let said = Said::new(&Screen::People(vec![figure], false), "1 e".to_owned());
        let json: serde_json::Value = serde_json::to_value(&said).unwrap();
        let mut keys: Vec<_> = json["people"][0].as_object().unwrap().keys().collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            ["briefly", "cue", "more", "n", "part", "place", "words"]
        );
        assert!((json["people"][0]["place"].as_f64().unwrap() - 0.45).abs() < 1e-6);
    }
}
