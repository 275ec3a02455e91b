//! How the gateway is, for Prometheus: off unless the site names a file with a token (`metrics_token_file`), which
//! whoever asks must bring (ASVS 5.0, 13.4.5). Counts and states only: nothing of a person, no temperature of one.
//!
//! Numbers are taken when they are asked for; reading the store runs on a blocking thread.

use super::alerts::LIST_LIMIT;
use super::hall::LISTENERS;
use super::problem::Problem;
use super::routes::{Entry, Needs, get};
use super::sign_in::same;
use super::state::{GatewayStatus, LinkWord, Mode, ReferenceStatus};
use super::{Shared, live};
use crate::alert::AlertState;
use crate::clock::Stamp;
use crate::event::Fault;
use crate::id::Channel;
use crate::journal::OutboxCount;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::Semaphore;

/// As the format is called (OpenMetrics 1.0).
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;

/// A page of numbers, written down one after the other.
#[derive(Default)]
struct Numbers(Registry);

impl Numbers {
    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    fn gauges(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, f64)>) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, u64)>,
    ) {
        let family = Family::<Labels, Counter>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).inc_by(value);
        }
        self.0.register(name, help, family);
    }

    fn device(&mut self, status: &GatewayStatus, now: &Stamp) {
        let mode = match status.mode {
            Mode::Real => "real",
            Mode::Demo => "demo",
        };
        let info = vec![
            ("version", status.version.clone()),
            ("mode", mode.to_owned()),
        ];
        self.0.register("menshen", "The gateway", Info::new(info));
        let camera = &status.camera;
        let yes = |it: bool| f64::from(u8::from(it));
        self.counter(
            "menshen_camera_frames",
            "Frames taken since the start",
            camera.frames,
        );
        self.counter(
            "menshen_camera_frames_dropped",
            "Frames skipped since the start because the gateway was busy",
            camera.dropped,
        );
        self.counter(
            "menshen_camera_frames_damaged",
            "Frames that came damaged since the start",
            camera.damaged,
        );
        let age = camera.last_frame.as_ref().and_then(|it| now.since(it));
        if let Some(age) = age {
            let age = age.as_secs_f64();
            self.gauge(
                "menshen_camera_frame_age_seconds",
                "Age of the last frame",
                age,
            );
        }
        if let Some(fps) = camera.fps {
            self.gauge(
                "menshen_camera_frames_per_second",
                "Frames a second, measured",
                fps,
            );
        }
        let judging = camera.health.is_some_and(|it| status.judges(it));
        self.gauge(
            "menshen_judging",
            "Whether people are judged: 1",
            yes(judging),
        );
        if let ReferenceStatus::Configured {
            reading_c: Some(reading),
            ..
        } = status.reference
        {
            self.gauge(
                "menshen_reference_celsius",
                "What the camera reads of the blackbody, uncorrected",
                reading,
            );
        }
        let stands = |fault: Fault| status.faults.iter().any(|it| it.fault == fault);
        let faults =
            Fault::ALL.map(|it| (vec![("fault", it.as_str().to_owned())], yes(stands(it))));
        self.gauges("menshen_fault", "What must be mended: 1", faults);
        let connected = status.mqtt == LinkWord::Connected;
        self.gauge(
            "menshen_broker_connected",
            "Whether the broker answers: 1",
            yes(connected),
        );
    }

    fn outbox(&mut self, count: OutboxCount) {
        let states = [
            ("saved", count.saved),
            ("accepted", count.accepted),
            ("received", count.received),
            ("parked", count.parked),
        ];
        let label = |(state, n): (&str, u64)| (vec![("state", state.to_owned())], n as f64);
        self.gauges(
            "menshen_outbox_messages",
            "Messages to the broker, by where they are",
            states.map(label),
        );
    }
}

/// Whether somebody brings the token.
fn is_let_in(headers: &HeaderMap, token: &str) -> bool {
    let brought = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    brought
        .and_then(|it| it.strip_prefix("Bearer "))
        .is_some_and(|it| same(it, token))
}

fn taken(seats: &Semaphore, all: usize) -> f64 {
    all.saturating_sub(seats.available_permits()) as f64
}

/// `GET /metrics`.
async fn metrics(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let token = shared.metrics.as_ref().ok_or(Problem::NoPage)?;
    if !is_let_in(&headers, token.reveal()) {
        return Err(Problem::NotSignedIn);
    }
    let (alerts, tally, outbox) = shared
        .ask(|it| {
            let alerts = it.journal.alerts(LIST_LIMIT)?;
            Ok((
                alerts,
                it.journal.tally(0, &[])?,
                it.outbox.count(&Channel::broker())?,
            ))
        })
        .await?;
    let mut numbers = Numbers::default();
    let status = Arc::clone(&shared.dashboard.status.borrow());
    numbers.device(&status, &shared.dashboard.clock.now());
    numbers.outbox(outbox);
    let open = alerts
        .iter()
        .filter(|it| it.state == AlertState::Open)
        .count();
    numbers.gauge(
        "menshen_alerts_open",
        "Alerts that nobody has taken",
        open as f64,
    );
    let screened = tally.into_iter().map(|(verdict, reason, number)| {
        let labels = vec![("verdict", verdict), ("reason", reason.unwrap_or_default())];
        (labels, number)
    });
    numbers.counters(
        "menshen_screenings",
        "People who went past, by what was judged",
        screened,
    );
    let (viewers, listeners) = (&shared.viewers, &shared.listeners);
    numbers.gauge(
        "menshen_live_viewers",
        "Open live views",
        taken(viewers, live::VIEWERS),
    );
    numbers.gauge(
        "menshen_listeners",
        "Who waits for events",
        taken(listeners, LISTENERS),
    );
    let mut text = String::new();
    if encode(&mut text, &numbers.0).is_err() {
        return Err(Problem::Storage(
            "the numbers could not be written".to_owned(),
        ));
    }
    Ok(([(CONTENT_TYPE, FORMAT)], text).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![get("/metrics", Needs::Nothing, metrics)]
}
