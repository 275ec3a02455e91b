//! The alerts: their lists, and the two forms by which staff act.
//!
//! A form's fields are checked here only for their shape (length, characters, a number that is a
//! number); whether an alert may be acknowledged or an outcome is complete is decided by
//! [`crate::alert`] inside the journal's transaction. Writes run on a blocking thread.

use super::budget::BudgetView;
use super::guard::{NAME_LIMIT, TEXT_LIMIT, plain};
use super::moment::Moments;
use super::problem::Problem;
use super::routes::{Entry, get, post};
use super::sign_in::{Desk, Signing};
use super::state::{AlertNotes, Dashboard};
use super::steps::StepsView;
use super::words::{BODY_SITES, InWords, NOT_SAVED, RELATIVE_BRIEFLY, THERMOMETER_MODES, Words};
use super::{Shared, when, words};
use crate::alert::escalation::waited;
use crate::alert::flood;
use crate::alert::{Alert, AlertState, BodySite, ContactReading, Outcome, ThermometerMode};
use crate::clock::Stamp;
use crate::event::Event;
use crate::id::AlertId;
use crate::journal::JournalError;
use crate::procedure::EmergencyLog;
use crate::screening::Difference;
use crate::staff::Right;
use crate::units::Celsius;
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// Alerts that are read at a time; those not resolved come first of all.
pub(super) const LIST_LIMIT: u32 = 200;

/// Resolved alerts that are shown.
const RESOLVED_SHOWN: usize = 20;

/// A measurement with a contact thermometer, as it is shown.
pub(super) struct ContactView {
    pub(super) value: String,
    pub(super) site: Words,
    pub(super) mode: Words,
    pub(super) device: String,
}

/// What was found, as it is shown.
pub(super) struct OutcomeView {
    pub(super) words: Words,
    pub(super) contact: Option<ContactView>,
    pub(super) reason: Option<String>,
}

/// Who did something and when.
pub(super) struct ActView {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) machine: String,
}

/// One alert, as it is shown.
pub(super) struct AlertCard {
    pub(super) id: String,
    pub(super) code: &'static str,
    pub(super) state: Words,
    pub(super) raised: String,
    pub(super) raised_machine: String,
    /// A temperature, or in relative mode a difference; one decimal, without its unit.
    pub(super) value: String,
    pub(super) expanded_u: String,
    /// The unit of value, uncertainty and threshold.
    pub(super) unit: &'static str,
    /// Skin temperature of the face, °C; none in relative mode.
    pub(super) face: Option<String>,
    /// Relative mode: the word for it, and how many people it is relative to.
    pub(super) relative: Option<(Words, u32)>,
    pub(super) threshold: String,
    pub(super) looks: u32,
    pub(super) budget: BudgetView,
    pub(super) act: Option<ActView>,
    pub(super) outcome: Option<OutcomeView>,
    /// Minutes since it came into its state, from one on, while something is awaited.
    pub(super) waits: Option<u64>,
    /// Who has been told that it waits, and its word.
    pub(super) told: Option<(&'static str, Words)>,
    /// That it is not on the disk yet.
    pub(super) unsaved: Option<Words>,
    /// The steps of the emergency clause; none where there is no checklist.
    pub(super) steps: Option<StepsView>,
    /// Whether there is a thermal picture of its moment.
    pub(super) picture: bool,
}

impl AlertCard {
    pub(super) fn is_open(&self) -> bool {
        self.code == "open"
    }

    /// What the card says beside its state: where it differs, the page takes the new one.
    pub(super) fn edition(&self) -> String {
        let told = self.told.map_or("", |(code, _)| code);
        let unsaved = if self.unsaved.is_some() {
            "unsaved"
        } else {
            ""
        };
        let taken = self.steps.as_ref().map_or(0, |steps| steps.taken);
        format!("{} {told} {unsaved} {taken}", self.waits.unwrap_or(0))
    }
}

/// The lists, as they are shown.
pub(super) struct Lists {
    /// Nobody has taken these.
    pub(super) open: usize,
    /// Somebody looks after these.
    pub(super) taken: usize,
    /// Open, then taken; each newest first.
    pub(super) pending: Vec<AlertCard>,
    /// In a flood, those of the last minute: one banner with their number, and the cards folded below it.
    pub(super) flood: Vec<AlertCard>,
    pub(super) resolved: Vec<AlertCard>,
    /// Whether there are more pending ones than are shown.
    pub(super) more: bool,
    pub(super) sites: [(&'static str, BodySite); 4],
    pub(super) modes: [(&'static str, ThermometerMode); 2],
    /// Who sits there.
    pub(super) desk: Desk,
}

/// What is known of alerts beside their records.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    notes: &'a AlertNotes,
    moments: Option<&'a Moments>,
}

impl<'a> Known<'a> {
    pub(super) fn of(dashboard: &'a Dashboard, notes: &'a AlertNotes) -> Self {
        Self {
            notes,
            moments: dashboard.moments.as_deref(),
        }
    }
}

fn act(by: &str, at: &Stamp, now: &Stamp) -> ActView {
    ActView {
        by: by.to_owned(),
        at: when::short(at, now),
        machine: when::machine(at),
    }
}

fn outcome_view(outcome: &Outcome) -> OutcomeView {
    let (contact, reason) = match outcome {
        Outcome::Confirmed(contact) | Outcome::NotConfirmed(contact) => (Some(contact), None),
        Outcome::FalseAlarm { reason } => (None, Some(reason.clone())),
        Outcome::Referred | Outcome::Left => (None, None),
    };
    OutcomeView {
        words: outcome.words(),
        contact: contact.map(|contact| ContactView {
            value: format!("{:.1}", contact.value.degrees()),
            site: contact.site.words(),
            mode: contact.mode.words(),
            device: contact.device.clone(),
        }),
        reason,
    }
}

fn card(alert: &Alert, log: Option<&EmergencyLog>, known: Known<'_>, now: &Stamp) -> AlertCard {
    let notes = known.notes;
    let reading = &alert.reading;
    let difference = Difference::of(reading);
    let (value, threshold) = match difference {
        None => (
            format!("{:.1}", reading.estimate.value.degrees()),
            format!("{:.1}", alert.threshold.degrees()),
        ),
        Some(it) => (
            format!("{:+.1}", it.above.kelvin()),
            format!("{:+.1}", (alert.threshold - it.median).kelvin()),
        ),
    };
    let (who, outcome, since) = match &alert.state {
        AlertState::Open => (None, None, Some(&alert.raised)),
        AlertState::Acknowledged { by, at } => (Some(act(by, at, now)), None, Some(at)),
        AlertState::Resolved { by, at, outcome } => {
            (Some(act(by, at, now)), Some(outcome_view(outcome)), None)
        }
    };
    let told = since
        .and_then(|_| notes.reminded.get(&alert.id))
        .map(|level| (level.as_str(), words::told(*level, &alert.state)));
    AlertCard {
        id: alert.id.to_string(),
        code: alert.state.as_str(),
        state: alert.state.words(),
        raised: when::short(&alert.raised, now),
        raised_machine: when::machine(&alert.raised),
        value,
        expanded_u: format!("{:.1}", reading.estimate.u.expanded().kelvin()),
        unit: if difference.is_some() { "K" } else { "°C" },
        face: difference
            .is_none()
            .then(|| format!("{:.1}", reading.face.degrees())),
        relative: difference.map(|it| (RELATIVE_BRIEFLY, it.people)),
        threshold,
        looks: reading.looks,
        budget: BudgetView::of(reading),
        act: who,
        outcome,
        waits: since
            .map(|since| waited(since, now).as_secs() / 60)
            .filter(|minutes| *minutes > 0),
        told,
        unsaved: notes.unsaved.contains(&alert.id).then_some(NOT_SAVED),
        steps: log.map(|log| StepsView::new(alert, log, now)),
        picture: known.moments.is_some_and(|it| it.has(alert.id)),
    }
}

impl Lists {
    /// From the journal's answer to [`LIST_LIMIT`], and what was done at them.
    pub(super) fn new(
        (alerts, logs): (&[Alert], &[EmergencyLog]),
        known: Known<'_>,
        now: &Stamp,
        desk: Desk,
    ) -> Self {
        let is_open = |alert: &&Alert| matches!(alert.state, AlertState::Open);
        let is_taken = |alert: &&Alert| matches!(alert.state, AlertState::Acknowledged { .. });
        let card = |alert: &Alert| {
            let log = logs.iter().find(|it| it.alert == alert.id);
            card(alert, log, known, now)
        };
        let open: Vec<&Alert> = alerts.iter().filter(is_open).collect();
        let taken: Vec<&Alert> = alerts.iter().filter(is_taken).collect();
        let is_flood = flood::flood(open.iter().map(|alert| &alert.raised), now).is_some();
        let folded = |alert: &Alert| is_flood && flood::is_recent(&alert.raised, now);
        let (flooding, single): (Vec<&Alert>, Vec<&Alert>) =
            open.iter().partition(|alert| folded(alert));
        Self {
            open: open.len(),
            taken: taken.len(),
            more: open.len() + taken.len() >= LIST_LIMIT as usize,
            pending: single.into_iter().chain(taken).map(card).collect(),
            flood: flooding.into_iter().map(card).collect(),
            resolved: alerts
                .iter()
                .filter(|alert| matches!(alert.state, AlertState::Resolved { .. }))
                .take(RESOLVED_SHOWN)
                .map(card)
                .collect(),
            sites: BODY_SITES,
            modes: THERMOMETER_MODES,
            desk,
        }
    }
}

/// Both lists, for the page to swap in.
#[derive(Template)]
#[template(path = "alerts.html", config = "src/web/askama.toml")]
struct Fragment {
    lists: Lists,
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/alerts", Right::SeeLive, lists),
        post("/alerts/{id}/acknowledge", Right::HandleAlerts, acknowledge),
        post("/alerts/{id}/resolve", Right::HandleAlerts, resolve),
    ]
}

/// `GET /alerts`.
async fn lists(State(shared): State<Arc<Shared>>, desk: Desk) -> Result<Response, Problem> {
    let alerts = shared.ask(|it| it.journal.alerts(LIST_LIMIT)).await?;
    let logs = shared.emergencies(&alerts).await?;
    let now = shared.dashboard.clock.now();
    let notes = Arc::clone(&shared.dashboard.notes.borrow());
    let known = Known::of(&shared.dashboard, &notes);
    super::page::html(&Fragment {
        lists: Lists::new((&alerts, &logs), known, &now, desk),
    })
}

/// What the form for taking an alert sends.
#[derive(Debug, Deserialize)]
pub(super) struct AcknowledgeForm {
    #[serde(default)]
    by: String,
    #[serde(default)]
    pin: String,
}

/// What the form for an outcome sends. Fields that do not belong to the chosen outcome may be
/// filled in; they are ignored.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ResolveForm {
    #[serde(default)]
    by: String,
    #[serde(default)]
    pin: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    device: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    reason: String,
}

pub(super) fn sent<T>(form: Result<Form<T>, FormRejection>) -> Result<T, Problem> {
    match form {
        Ok(Form(form)) => Ok(form),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Problem::TooLarge)
        }
        Err(_) => Err(Problem::Incomplete(
            "表单无法读取。请返回首页重新填写。",
            "The form could not be read. Go back to the start page and fill it in again.",
        )),
    }
}

pub(super) fn alert_id(text: &str) -> Result<AlertId, Problem> {
    text.parse()
        .map_err(|_| Problem::UnknownAlert(text.chars().take(NAME_LIMIT).collect()))
}

/// A temperature as people type it: full-width digits, a comma or a unit are no mistakes.
fn degrees(text: &str) -> Option<Celsius> {
    let half_width: String = text
        .trim()
        .trim_end_matches(['℃', 'C', 'c', '°', '度'])
        .trim_end()
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
            '．' | '。' | ',' | '，' => '.',
            c => c,
        })
        .collect();
    let is_number = !half_width.is_empty()
        && half_width.len() <= 6
        && half_width.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_number
        .then(|| half_width.parse().ok())
        .flatten()
        .and_then(Celsius::new)
}

fn contact(form: &ResolveForm) -> Result<ContactReading, Problem> {
    Ok(ContactReading {
        device: plain(&form.device, NAME_LIMIT).ok_or(Problem::Incomplete(
            "请后退，填写用的是哪一支体温计（1 到 64 个字）。",
            "Go back and fill in which thermometer was used: 1 to 64 characters.",
        ))?,
        site: BODY_SITES
            .into_iter()
            .find_map(|(word, site)| (word == form.site).then_some(site))
            .ok_or(Problem::Incomplete(
                "请后退，选择测量部位。",
                "Go back and choose where it was measured.",
            ))?,
        mode: THERMOMETER_MODES
            .into_iter()
            .find_map(|(word, mode)| (word == form.mode).then_some(mode))
            .ok_or(Problem::Incomplete(
                "请后退，选择体温计的测量方式。",
                "Go back and choose the thermometer's mode.",
            ))?,
        value: degrees(&form.value).ok_or(Problem::Incomplete(
            "请后退，填写体温计读数（摄氏度，30 到 45，例如 38.2）。",
            "Go back and fill in the value in °C, 30 to 45, for example 38.2.",
        ))?,
    })
}

fn outcome(form: &ResolveForm) -> Result<Outcome, Problem> {
    match form.outcome.as_str() {
        "confirmed" => Ok(Outcome::Confirmed(contact(form)?)),
        "not_confirmed" => Ok(Outcome::NotConfirmed(contact(form)?)),
        "referred" => Ok(Outcome::Referred),
        "left" => Ok(Outcome::Left),
        "false_alarm" => Ok(Outcome::FalseAlarm {
            reason: plain(&form.reason, TEXT_LIMIT).ok_or(Problem::Incomplete(
                "请后退，填写误报的原因（1 到 200 个字）。",
                "Go back and fill in why it was a false alarm: 1 to 200 characters.",
            ))?,
        }),
        _ => Err(Problem::Incomplete(
            "请后退，选择一个结果。",
            "Go back and choose an outcome.",
        )),
    }
}

/// Whether the alert is in the state that the event would bring it into: a second tap of the same hand.
fn is_done(alert: &Alert, event: &Event) -> bool {
    match (&alert.state, event) {
        (AlertState::Acknowledged { by: who, .. }, Event::AlertAcknowledged { by, .. }) => {
            who == by
        }
        (
            AlertState::Resolved {
                by: who, outcome, ..
            },
            Event::AlertResolved {
                by, outcome: found, ..
            },
        ) => who == by && outcome == found,
        _ => false,
    }
}

/// Keeps one event, tells the others, and leads back to the alert.
async fn keep(shared: &Shared, id: AlertId, event: Event) -> Result<Response, Problem> {
    shared
        .ask(
            move |it| match it.journal.record(std::slice::from_ref(&event)) {
                Ok(_) => {
                    (it.after_record)();
                    Ok(())
                }
                Err(JournalError::Refused(_)) if is_done(&it.journal.alert(id)?, &event) => Ok(()),
                Err(error) => Err(error),
            },
        )
        .await?;
    Ok(Redirect::to(&format!("/#alert-{id}")).into_response())
}

/// `POST /alerts/{id}/acknowledge`.
async fn acknowledge(
    State(shared): State<Arc<Shared>>,
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<AcknowledgeForm>, FormRejection>,
) -> Result<Response, Problem> {
    let alert = alert_id(&id)?;
    let form = sent(form)?;
    let by = desk.acting(form.by, form.pin).await?;
    let at = shared.dashboard.clock.now();
    keep(&shared, alert, Event::AlertAcknowledged { alert, by, at }).await
}

/// `POST /alerts/{id}/resolve`.
async fn resolve(
    State(shared): State<Arc<Shared>>,
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<ResolveForm>, FormRejection>,
) -> Result<Response, Problem> {
    let alert = alert_id(&id)?;
    let form = sent(form)?;
    let outcome = outcome(&form)?;
    let by = desk.acting(form.by, form.pin).await?;
    let at = shared.dashboard.clock.now();
    let event = Event::AlertResolved {
        alert,
        by,
        at,
        outcome,
    };
    let kept = keep(&shared, alert, event).await?;
    if let Some(moments) = &shared.dashboard.moments {
        moments.forget(alert);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_read_as_people_type_them() {
        for typed in [
            "38.2",
            " 38.2 ",
            "38,2",
            "３８．２",
            "38。2",
            "38.2℃",
            "38.2 °C",
            "38.2度",
        ] {
            assert_eq!(degrees(typed), Celsius::new(38.2), "{typed}");
        }
        for typed in ["", "hot", "38.2.1", "1e9", "-38", "NaN", "inf", "3a"] {
            assert_eq!(degrees(typed), None, "{typed}");
        }
    }

    fn filled(outcome: &str) -> ResolveForm {
        ResolveForm {
            outcome: outcome.into(),
            device: "耳温枪 2 号".into(),
            site: "ear".into(),
            mode: "fast".into(),
            value: "38.4".into(),
            reason: "手里拿着热饮".into(),
            ..ResolveForm::default()
        }
    }

    #[test]
    fn an_outcome_needs_exactly_what_belongs_to_it() {
        assert!(
            matches!(outcome(&filled("confirmed")), Ok(Outcome::Confirmed(c)) if c.value == Celsius::literal(38.4))
        );
        assert!(matches!(
            outcome(&filled("not_confirmed")),
            Ok(Outcome::NotConfirmed(_))
        ));
        assert_eq!(outcome(&filled("left")), Ok(Outcome::Left));
        assert_eq!(outcome(&filled("referred")), Ok(Outcome::Referred));
        assert!(outcome(&filled("")).is_err());
        assert!(outcome(&filled("closed")).is_err());
        for empty in [
            |f: &mut ResolveForm| f.device.clear(),
            |f: &mut ResolveForm| f.site.clear(),
            |f: &mut ResolveForm| f.mode.clear(),
            |f: &mut ResolveForm| f.value.clear(),
        ] {
            let mut form = filled("confirmed");
            empty(&mut form);
            assert!(outcome(&form).is_err(), "{form:?}");
            form.outcome = "referred".into();
            assert_eq!(outcome(&form), Ok(Outcome::Referred));
        }
        let mut form = filled("false_alarm");
        assert!(outcome(&form).is_ok());
        form.reason = "  ".into();
        assert!(outcome(&form).is_err());
    }
}
