//! The page that accompanies `menshen calibrate blackbody`: what the blackbody must be set to now,
//! how steady it is, and what came of the set points before.
//!
//! It only shows. The page reloads itself every other second, so that it works on any phone
//! or laptop without JavaScript; the same is served as JSON under `/api/calibration`. The rules of
//! [`guard`] hold here, too: this machine only. Nothing here blocks.

use super::assets::{icon, style};
use super::guard;
use super::problem::Problem;
use super::serving;
use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::io;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Seconds from one load of the page to the next.
const RELOAD_S: u32 = 2;

/// Width and height of the trace, in its own units.
const TRACE: (f32, f32) = (600.0, 160.0);

/// Least height of the trace, K: below it noise would look like drift.
const LEAST_SPAN_K: f32 = 0.2;

/// How far a calibration has come.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CalibrationView {
    /// The camera's name.
    pub camera: String,
    /// Every set point of this calibration, °C.
    pub set_points_c: Vec<f64>,
    /// What was found at those that are done.
    pub points: Vec<PointView>,
    /// What goes on at the next one.
    pub step: CalibrationStep,
    /// How long it must be steady, s.
    pub steady_for_s: f64,
    /// By how much it may move meanwhile, K.
    pub steady_within_k: f64,
    /// The reference above the scene in the last minutes, oldest first, K.
    pub trace_k: Vec<f32>,
}

/// One set point that is done.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PointView {
    /// Set point, °C.
    pub set_point_c: f64,
    /// What the camera read, uncorrected, °C.
    pub reading_c: f64,
    /// Standard deviation of single readings, K.
    pub noise_k: f64,
    /// Standard deviation within the disc, K.
    pub spread_k: f64,
    /// Frames.
    pub frames: u32,
}

/// What goes on.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CalibrationStep {
    /// The camera is being opened.
    #[default]
    Starting,
    /// No reference is seen that reads like the set point.
    NotInView,
    /// The blackbody must be set to the next set point; it still reads like the last one.
    SetBlackbody,
    /// It is seen, and watched for steadiness.
    Watching {
        /// What it reads, uncorrected, °C.
        reading_c: f64,
        /// How long it has been seen, s.
        watched_s: f64,
        /// By how much it moved meanwhile, K.
        moved_k: f64,
    },
    /// All set points are done.
    Done {
        /// Slope, where there were two set points.
        gain: Option<f64>,
        /// Standard uncertainty of the slope.
        u_gain: Option<f64>,
        /// The profile that was written.
        profile: String,
    },
    /// It was given up.
    Failed {
        /// Why, and what to do.
        why: String,
    },
}

#[derive(Template)]
#[template(path = "calibration.html", config = "src/web/askama.toml")]
struct Page<'a> {
    view: &'a CalibrationView,
    reload: Option<u32>,
    now: Option<f64>,
    trace: Option<Trace>,
}

/// The trace as a line to draw.
struct Trace {
    line: String,
    low: f32,
    high: f32,
    width: f32,
    height: f32,
}

impl Trace {
    /// `None` of fewer than two values.
    fn of(values: &[f32]) -> Option<Self> {
        let steps = values.len().checked_sub(1).filter(|steps| *steps > 0)?;
        let (low, high) = values
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
                (low.min(*value), high.max(*value))
            });
        let (middle, span) = (f32::midpoint(low, high), (high - low).max(LEAST_SPAN_K));
        let (low, high) = (middle - 0.5 * span, middle + 0.5 * span);
        let at = |(n, value): (usize, &f32)| {
            let x = TRACE.0 * n as f32 / steps as f32;
            let y = TRACE.1 * (high - value) / span;
            format!("{x:.1},{y:.1}")
        };
        Some(Self {
            line: values
                .iter()
                .enumerate()
                .map(at)
                .collect::<Vec<_>>()
                .join(" "),
            low,
            high,
            width: TRACE.0,
            height: TRACE.1,
        })
    }
}

impl CalibrationView {
    /// The set point that is worked on; `None` when all are done.
    fn now(&self) -> Option<f64> {
        self.waiting().first().copied()
    }

    /// The set points that are not done, the one that is worked on first.
    fn waiting(&self) -> &[f64] {
        self.set_points_c
            .get(self.points.len()..)
            .unwrap_or_default()
    }

    const fn has_ended(&self) -> bool {
        matches!(
            self.step,
            CalibrationStep::Done { .. } | CalibrationStep::Failed { .. }
        )
    }
}

type Watched = watch::Receiver<CalibrationView>;

async fn page(State(watched): State<Watched>) -> Response {
    let view = watched.borrow().clone();
    let page = Page {
        reload: (!view.has_ended()).then_some(RELOAD_S),
        now: view.now(),
        trace: Trace::of(&view.trace_k),
        view: &view,
    };
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => Problem::Storage(error.to_string()).into_response(),
    }
}

async fn state(State(watched): State<Watched>) -> Json<CalibrationView> {
    Json(watched.borrow().clone())
}

/// Serves the page until `shutdown`.
///
/// # Errors
/// Where the listener is not on a loopback address, or the socket fails.
pub async fn serve(
    listener: TcpListener,
    watched: Watched,
    shutdown: CancellationToken,
) -> io::Result<()> {
    serving::serve_here(listener, router(watched), shutdown).await
}

/// The page alone, for [`serve`] and for tests.
pub fn router(watched: Watched) -> Router {
    let rules = guard::Rules::of(&serving::Transport::Plain);
    Router::new()
        .route("/", get(page))
        .route("/api/calibration", get(state))
        .route("/assets/app.css", get(style))
        .route("/assets/door.svg", get(icon))
        .fallback(async || Problem::NoPage)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .with_state(watched)
        .layer(axum::middleware::from_fn_with_state(rules, guard::stand))
}
