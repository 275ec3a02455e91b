//! The same as the page, as JSON: for scripts, for checks, and for the tests.
//!
//! The types here are the wire format and nothing else; a name changes only on purpose, and not within `v1`. Codes
//! are the core's words (`as_str`), temperatures °C, times RFC 3339 in UTC beside ms since 1970. What is
//! described in `deploy/api/openapi.json` is made of these types by a test. Reading the store runs on a blocking
//! thread.

#[cfg(test)]
mod openapi_tests;

use super::alerts::LIST_LIMIT;
use super::assets::asset;
use super::budget;
use super::page::{self, Today};
use super::problem::Problem;
use super::routes::{Entry, Needs, get};
use super::state::{AlertNotes, GatewayStatus, LinkWord, Mode, ReferenceStatus};
use super::words::{self, InWords, Words};
use super::{Shared, when};
use crate::alert::{Alert, AlertState, ContactReading, Outcome};
use crate::clock::Stamp;
use crate::id::{AlertId, Channel};
use crate::procedure::EmergencyLog;
use crate::screening::{Difference, basis_word};
use crate::staff::Right;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is served as a description.
const DESCRIPTION: &str = include_str!("../../deploy/api/openapi.json");

/// A moment.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct MomentJson {
    at: String,
    wall_ms: i64,
    clock: &'static str,
}

impl From<&Stamp> for MomentJson {
    fn from(stamp: &Stamp) -> Self {
        Self {
            at: when::machine(stamp),
            wall_ms: stamp.wall.0,
            clock: stamp.trust.as_str(),
        }
    }
}

/// A code with its words.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Coded {
    pub(super) code: &'static str,
    #[serde(flatten)]
    pub(super) words: Words,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ContactJson {
    device: String,
    site: &'static str,
    mode: &'static str,
    value_c: f64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct OutcomeJson {
    #[serde(flatten)]
    kind: Coded,
    contact: Option<ContactJson>,
    reason: Option<String>,
}

/// One alert.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct AlertJson {
    id: String,
    raised: MomentJson,
    state: Coded,
    basis: &'static str,
    #[serde(flatten)]
    value: ValueJson,
    expanded_u_k: f64,
    budget: BTreeMap<&'static str, f64>,
    looks: u32,
    by: Option<String>,
    at: Option<MomentJson>,
    /// Who was told that it waits.
    told: Option<Coded>,
    /// Whether all of it is on the disk.
    saved: bool,
    outcome: Option<OutcomeJson>,
    /// What was done by the emergency clause, in this order.
    steps: Vec<StepJson>,
}

/// A step of the emergency clause that somebody took.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StepJson {
    step: String,
    edition: u32,
    by: String,
    at: MomentJson,
}

fn steps(log: &EmergencyLog) -> Vec<StepJson> {
    let taken = log.taken().iter().map(|it| StepJson {
        step: it.id.to_string(),
        edition: log.edition,
        by: it.by.to_string(),
        at: (&it.at).into(),
    });
    taken.collect()
}

/// A temperature, or what is left of one without a reference.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum ValueJson {
    Absolute {
        estimate_c: f64,
        face_c: f64,
        threshold_c: f64,
    },
    Relative {
        difference_k: f64,
        threshold_k: f64,
        people: u32,
    },
}

fn contact(reading: &ContactReading) -> ContactJson {
    let site = words::BODY_SITES
        .into_iter()
        .find_map(|(word, site)| (site == reading.site).then_some(word));
    let mode = words::THERMOMETER_MODES
        .into_iter()
        .find_map(|(word, mode)| (mode == reading.mode).then_some(word));
    ContactJson {
        device: reading.device.clone(),
        site: site.unwrap_or("unknown"),
        mode: mode.unwrap_or("unknown"),
        value_c: reading.value.degrees(),
    }
}

impl From<&Outcome> for OutcomeJson {
    fn from(outcome: &Outcome) -> Self {
        let (code, contact, reason) = match outcome {
            Outcome::Confirmed(reading) => ("confirmed", Some(contact(reading)), None),
            Outcome::NotConfirmed(reading) => ("not_confirmed", Some(contact(reading)), None),
            Outcome::Referred => ("referred", None, None),
            Outcome::Left => ("left", None, None),
            Outcome::FalseAlarm { reason } => ("false_alarm", None, Some(reason.clone())),
        };
        Self {
            kind: Coded {
                code,
                words: outcome.words(),
            },
            contact,
            reason,
        }
    }
}

impl AlertJson {
    fn new(alert: &Alert, log: Option<&EmergencyLog>, notes: &AlertNotes) -> Self {
        let (by, at, outcome) = match &alert.state {
            AlertState::Open => (None, None, None),
            AlertState::Acknowledged { by, at } => (Some(by.clone()), Some(at), None),
            AlertState::Resolved { by, at, outcome } => (Some(by.clone()), Some(at), Some(outcome)),
        };
        let reading = &alert.reading;
        let difference = Difference::of(reading);
        Self {
            id: alert.id.to_string(),
            raised: (&alert.raised).into(),
            state: Coded {
                code: alert.state.as_str(),
                words: alert.state.words(),
            },
            basis: basis_word(difference.is_some()),
            value: match difference {
                None => ValueJson::Absolute {
                    estimate_c: reading.estimate.value.degrees(),
                    face_c: reading.face.degrees(),
                    threshold_c: alert.threshold.degrees(),
                },
                Some(it) => ValueJson::Relative {
                    difference_k: it.above.kelvin(),
                    threshold_k: (alert.threshold - it.median).kelvin(),
                    people: it.people,
                },
            },
            expanded_u_k: reading.estimate.u.expanded().kelvin(),
            budget: budget::json(&reading.budget),
            looks: reading.looks,
            by,
            at: at.map(MomentJson::from),
            told: notes.reminded.get(&alert.id).map(|level| Coded {
                code: level.as_str(),
                words: words::told(*level, &alert.state),
            }),
            saved: !notes.unsaved.contains(&alert.id),
            outcome: outcome.map(OutcomeJson::from),
            steps: log.map(steps).unwrap_or_default(),
        }
    }
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/api/v1/state", Right::SeeToday, state),
        get("/api/v1/alerts", Right::SeeLive, alerts),
        get("/api/v1/alerts/{id}", Right::SeeLive, alert),
        get("/api/openapi.json", Needs::Nothing, description),
        get("/healthz", Needs::Nothing, health),
        get("/readyz", Needs::Nothing, ready),
    ]
}

/// `GET /api/openapi.json`: what can be asked, and what comes back.
async fn description() -> Response {
    asset("application/json", DESCRIPTION)
}

/// `GET /api/v1/alerts/{id}`.
async fn alert(
    State(shared): State<Arc<Shared>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    // What is not even text is no id, either.
    let Path(id) = id.map_err(|_| Problem::UnknownAlert(String::new()))?;
    let unknown = |_| Problem::UnknownAlert(id.clone());
    let id: AlertId = id.parse().map_err(unknown)?;
    let alert = shared.ask(move |it| it.journal.alert(id)).await?;
    let notes = Arc::clone(&shared.dashboard.notes.borrow());
    let logs = shared.emergencies(std::slice::from_ref(&alert)).await?;
    Ok(Json(AlertJson::new(&alert, logs.first(), &notes)).into_response())
}

/// `GET /api/v1/alerts`: those not resolved first, each newest first.
async fn alerts(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let alerts = shared.ask(|it| it.journal.alerts(LIST_LIMIT)).await?;
    let logs = shared.emergencies(&alerts).await?;
    let notes = Arc::clone(&shared.dashboard.notes.borrow());
    let json = |alert: &Alert| {
        let log = logs.iter().find(|it| it.alert == alert.id);
        AlertJson::new(alert, log, &notes)
    };
    let alerts: Vec<AlertJson> = alerts.iter().map(json).collect();
    Ok(Json(alerts).into_response())
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SiteJson {
    street: String,
    building: String,
    gate: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CameraJson {
    name: String,
    width: usize,
    height: usize,
    fps: Option<f64>,
    frames: u64,
    dropped: u64,
    damaged: u64,
    last_frame: Option<MomentJson>,
    stale: bool,
    health: Option<Coded>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ReferenceJson {
    set_point_c: f64,
    reading_c: Option<f64>,
    offset_k: Option<f64>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PopulationJson {
    people: usize,
    needed: usize,
    fever_k: Option<f64>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FaultJson {
    #[serde(flatten)]
    fault: Coded,
    what_to_do: Words,
    since: MomentJson,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LinkJson {
    #[serde(flatten)]
    state: Coded,
    detail: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct OutboxJson {
    saved: u64,
    accepted_by_broker: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CountJson {
    total: u64,
    reasons: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct TodayJson {
    since_wall_ms: i64,
    total: u64,
    unknown: u64,
    #[serde(flatten)]
    counts: BTreeMap<&'static str, CountJson>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ThresholdsJson {
    attention_c: f64,
    fever_c: f64,
}

/// How everything is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StateJson {
    now: MomentJson,
    site: SiteJson,
    version: String,
    epoch: String,
    mode: &'static str,
    camera: CameraJson,
    basis: &'static str,
    reference: Option<ReferenceJson>,
    population: Option<PopulationJson>,
    faults: Vec<FaultJson>,
    mqtt: LinkJson,
    outbox: OutboxJson,
    today: TodayJson,
    thresholds: ThresholdsJson,
}

fn camera(status: &GatewayStatus, now: &Stamp) -> CameraJson {
    let camera = &status.camera;
    CameraJson {
        name: camera.name.clone(),
        width: camera.width,
        height: camera.height,
        fps: camera.fps,
        frames: camera.frames,
        dropped: camera.dropped,
        damaged: camera.damaged,
        last_frame: camera.last_frame.as_ref().map(MomentJson::from),
        stale: page::is_stale(camera.last_frame.as_ref(), now),
        health: camera.health.map(|health| Coded {
            code: health.as_str(),
            words: health.words(),
        }),
    }
}

fn faults(status: &GatewayStatus) -> Vec<FaultJson> {
    status
        .faults
        .iter()
        .map(|active| FaultJson {
            fault: Coded {
                code: active.fault.as_str(),
                words: active.fault.words(),
            },
            what_to_do: words::remedy(active.fault),
            since: (&active.since).into(),
        })
        .collect()
}

fn today(today: &Today, since_wall_ms: i64) -> TodayJson {
    TodayJson {
        since_wall_ms,
        total: today.total,
        unknown: today.unknown,
        counts: today
            .counts
            .iter()
            .map(|count| {
                let reasons = count
                    .reasons
                    .iter()
                    .map(|&(code, _, n)| (code, n))
                    .collect();
                let total = count.number;
                (count.code, CountJson { total, reasons })
            })
            .collect(),
    }
}

/// `GET /api/v1/state`.
async fn state(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let now = shared.dashboard.clock.now();
    let (numbers, outbox) = shared.ask(move |it| page::numbers(it, &now)).await?;
    let status = Arc::clone(&shared.dashboard.status.borrow());
    let site = shared.dashboard.site.clone();
    Ok(Json(StateJson {
        now: (&now).into(),
        site: SiteJson {
            street: site.street,
            building: site.building,
            gate: site.gate,
        },
        version: status.version.clone(),
        epoch: status.epoch.clone(),
        mode: match status.mode {
            Mode::Real => "real",
            Mode::Demo => "demo",
        },
        camera: camera(&status, &now),
        basis: basis_word(status.population().is_some()),
        population: status.population().map(|it| PopulationJson {
            people: it.people,
            needed: it.needed,
            fever_k: it.fever_k,
        }),
        reference: match status.reference {
            ReferenceStatus::Population(_) => None,
            ReferenceStatus::Configured {
                set_point_c,
                reading_c,
                offset_k,
                second: _,
            } => Some(ReferenceJson {
                set_point_c,
                reading_c,
                offset_k,
            }),
        },
        faults: faults(&status),
        mqtt: LinkJson {
            state: Coded {
                code: page::link_code(&status.mqtt),
                words: status.mqtt.words(),
            },
            detail: match &status.mqtt {
                LinkWord::Away(why) => Some(why.clone()),
                _ => None,
            },
        },
        outbox: OutboxJson {
            saved: outbox.saved,
            accepted_by_broker: outbox.accepted,
        },
        today: today(&numbers, when::midnight_ms(&now)),
        thresholds: ThresholdsJson {
            attention_c: status.thresholds.attention_c,
            fever_c: status.thresholds.fever_c,
        },
    })
    .into_response())
}

/// `GET /healthz`: the page answers and the store can be read. Whether people can be judged is in
/// `/api/v1/state`: a camera without pictures is no reason to restart the gateway.
async fn health(State(shared): State<Arc<Shared>>) -> Result<&'static str, Problem> {
    shared.ask(|it| it.outbox.count(&Channel::broker())).await?;
    Ok("ok\n")
}

/// `GET /readyz`: the same, and a frame was screened since the start. An update is kept once this is so.
async fn ready(shared: State<Arc<Shared>>) -> Result<&'static str, Problem> {
    if shared.dashboard.status.borrow().camera.frames == 0 {
        return Err(Problem::NothingScreened);
    }
    health(shared).await
}
