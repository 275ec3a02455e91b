//! The emergency clause at an alert: its steps on the alert's card, each taken by whoever does it, with time
//! and name. They are a part of the alert's record, here and in its JSON.

use super::alerts::{alert_id, sent};
use super::problem::Problem;
use super::routes::{Entry, post};
use super::sign_in::Desk as Signer;
use super::{Shared, when};
use crate::alert::{Alert, AlertState, Outcome};
use crate::clock::Stamp;
use crate::id::AlertId;
use crate::procedure::{EmergencyLog, EmergencyStep, StepId};
use crate::staff::Right;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// A step on a card.
pub(super) struct StepView {
    pub(super) id: String,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) clause: String,
    /// Only where the contact thermometer shows a fever, too.
    pub(super) if_confirmed: bool,
    /// Who did it, and when.
    pub(super) taken: Option<(String, String)>,
}

/// The steps of one alert.
pub(super) struct StepsView {
    pub(super) steps: Vec<StepView>,
    pub(super) taken: usize,
}

impl StepsView {
    pub(super) fn new(alert: &Alert, log: &EmergencyLog, now: &Stamp) -> Self {
        let step = |step: &EmergencyStep| {
            let taken = log.taken().iter().find(|it| it.id == step.id);
            StepView {
                id: step.id.to_string(),
                zh: step.what.zh.clone(),
                en: step.what.en.clone(),
                clause: step.clause.to_string(),
                if_confirmed: step.if_confirmed,
                taken: taken.map(|it| (it.by.to_string(), when::short(&it.at, now))),
            }
        };
        let steps = log.steps().iter().map(step);
        Self {
            // Where it was no fever, what is done at one is not asked for.
            steps: steps
                .filter(|it| it.taken.is_some() || !it.if_confirmed || may_be_fever(alert))
                .collect(),
            taken: log.taken().len(),
        }
    }

    /// Whether something is still to be done.
    pub(super) fn some_left(&self) -> bool {
        self.steps.iter().any(|it| it.taken.is_none())
    }
}

/// Whether the steps for a fever may be called for.
const fn may_be_fever(alert: &Alert) -> bool {
    match &alert.state {
        AlertState::Open | AlertState::Acknowledged { .. } => true,
        AlertState::Resolved { outcome, .. } => {
            matches!(outcome, Outcome::Confirmed(_) | Outcome::Referred)
        }
    }
}

impl Shared {
    /// What was done at these alerts; nothing where there is no checklist.
    pub(super) async fn emergencies(&self, alerts: &[Alert]) -> Result<Vec<EmergencyLog>, Problem> {
        if self.dashboard.desk.is_none() {
            return Ok(Vec::new());
        }
        let ids: Vec<AlertId> = alerts.iter().map(|it| it.id).collect();
        self.desk(move |desk, _| desk.emergencies(&ids)).await
    }
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StepForm {
    step: String,
    by: String,
    pin: String,
}

/// `POST /alerts/{id}/step`.
async fn step(
    State(shared): State<Arc<Shared>>,
    signer: Signer,
    Path(id): Path<String>,
    form: Result<Form<StepForm>, FormRejection>,
) -> Result<Response, Problem> {
    let alert = alert_id(&id)?;
    let form = sent(form)?;
    let step = StepId::new(&form.step).ok_or(Problem::Incomplete(
        "规程中没有这一步，请刷新页面。",
        "The procedure has no such step: reload the page.",
    ))?;
    let by = super::rounds::name(&signer.acting(form.by, form.pin).await?)?;
    shared
        .desk_writes(move |desk, now| desk.take_step(alert, &step, &by, now))
        .await?;
    Ok(Redirect::to(&format!("/#alert-{alert}")).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![post("/alerts/{id}/step", Right::HandleAlerts, step)]
}
