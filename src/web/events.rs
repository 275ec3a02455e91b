//! What happens, as it happens: server-sent events for programs (WHATWG HTML, 9.2).
//!
//! Each event has the key under which the journal keeps it (`epoch:seq`) as its id. Whoever was away sends the last
//! one back (`Last-Event-ID`, which browsers do by themselves) and gets what came since from the journal, then what
//! comes; after a restored database, whose events have other keys, first `reset`: lists are to be read again. One
//! task reads the journal for all who listen, so that a thousand of them ask the disk once; who falls behind reads
//! the journal by themselves. Nothing is queued for anybody. No names, no temperatures: those are in the alert.

use super::Shared;
use super::api::{Coded, MomentJson};
use super::problem::Problem;
use super::routes::{Entry, get};
use super::who::Visit;
use super::words::InWords;
use crate::event::Event;
use crate::id::{EventKey, Sequence};
use crate::journal::Recorded;
use crate::staff::Right;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Silence after which something is sent all the same, so that both ends see a connection that is dead; also
/// how often the journal is looked at where nobody says that it has changed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Events that are read from the journal at a time.
const BATCH: u32 = 256;

/// Events that a listener may be behind before it reads the journal by itself.
const BEHIND: usize = 1024;

/// One event.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct EventJson {
    /// The key under which it is kept, for ever: database and number in it.
    id: String,
    /// What kind of event; programs ignore kinds that they do not know.
    kind: &'static str,
    /// When it happened.
    at: MomentJson,
    /// The alert that it is about.
    alert: Option<String>,
    /// The fault that it is about.
    fault: Option<Coded>,
    /// Who is to hear of an alert that waits.
    level: Option<&'static str>,
    /// What somebody who went past was judged.
    verdict: Option<Coded>,
    /// Why, where they were not judged or are to be measured again.
    reason: Option<&'static str>,
    /// The day that a report or a reminder is of.
    date: Option<String>,
}

/// The event as it goes to all who listen.
#[derive(Debug)]
pub(super) struct Line {
    seq: Sequence,
    id: String,
    kind: &'static str,
    json: String,
}

fn id(key: &EventKey) -> String {
    format!("{}:{}", key.epoch.0, key.seq.0)
}

impl EventJson {
    /// `None` for what is between the gateway and the street office.
    fn of(recorded: &Recorded) -> Option<Self> {
        let mut said = Self {
            id: id(&recorded.key),
            kind: recorded.event.kind(),
            at: (&recorded.event.at()).into(),
            alert: None,
            fault: None,
            level: None,
            verdict: None,
            reason: None,
            date: None,
        };
        match &recorded.event {
            Event::Screened(screening) => {
                said.verdict = Some(Coded {
                    code: screening.verdict.as_str(),
                    words: screening.verdict.words(),
                });
                said.reason = screening.verdict.reason();
            }
            Event::AlertRaised(alert) => said.alert = Some(alert.id.to_string()),
            Event::AlertAcknowledged { alert, .. }
            | Event::AlertStepTaken { alert, .. }
            | Event::AlertResolved { alert, .. } => {
                said.alert = Some(alert.to_string());
            }
            Event::AlertReminded { alert, level, .. } => {
                said.alert = Some(alert.to_string());
                said.level = Some(level.as_str());
            }
            Event::FaultRaised { fault, .. } | Event::FaultCleared { fault, .. } => {
                said.fault = Some(Coded {
                    code: fault.as_str(),
                    words: fault.words(),
                });
            }
            Event::Reported { report, .. } => said.date = Some(report.date.to_string()),
            Event::PeopleDue { reminder, .. } => said.date = Some(reminder.date.to_string()),
            Event::SelfChecked { .. } => {}
            Event::Commanded { .. } | Event::NumbersVoid { .. } => return None,
        }
        Some(said)
    }
}

impl Line {
    fn of(recorded: &Recorded) -> Option<Self> {
        let said = EventJson::of(recorded)?;
        Some(Self {
            seq: recorded.key.seq,
            // Plain texts and numbers do not fail.
            json: serde_json::to_string(&said).ok()?,
            id: said.id,
            kind: said.kind,
        })
    }

    fn event(&self) -> sse::Event {
        sse::Event::default()
            .id(&self.id)
            .event(self.kind)
            .data(&self.json)
    }
}

/// Where all who listen get their events from.
pub(super) struct Teller(broadcast::Sender<Arc<Line>>);

impl Default for Teller {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

/// Reads the journal whenever it has changed, and tells everybody.
pub(super) async fn tell(shared: Arc<Shared>) {
    let mut changes = shared.dashboard.changes.clone();
    let mut last = None;
    let mut beat = tokio::time::interval(HEARTBEAT);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
            _ = beat.tick() => {}
        }
        changes.mark_unchanged();
        // What cannot be read now is read the next time.
        while let Ok(found) = since(&shared, last).await {
            let newest = found.last().map(|it| it.key.seq);
            if last.is_none() {
                // What was before the start is nobody's news.
                last = newest.or(Some(Sequence(0)));
                break;
            }
            let Some(newest) = newest else { break };
            last = Some(newest);
            for line in found.iter().filter_map(Line::of) {
                // Nobody may be listening.
                let _ = shared.teller.0.send(Arc::new(line));
            }
        }
    }
}

/// Events after this one; the newest where none is named.
async fn since(shared: &Shared, last: Option<Sequence>) -> Result<Vec<Recorded>, Problem> {
    shared.ask(move |it| it.journal.since(last, BATCH)).await
}

/// One who listens.
struct Listener {
    shared: Arc<Shared>,
    news: broadcast::Receiver<Arc<Line>>,
    /// The last event that it has, or that it need not have.
    last: Sequence,
    /// Whether the journal may hold some that it lacks.
    behind: bool,
    waiting: VecDeque<sse::Event>,
    end: CancellationToken,
    _seat: OwnedSemaphorePermit,
}

impl Listener {
    /// What is to be sent next; `None` where that is all.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.behind {
                // Whoever asks again sends the last one that came.
                let found = since(&self.shared, Some(self.last)).await.ok()?;
                self.behind = !found.is_empty();
                self.last = found.last().map_or(self.last, |it| it.key.seq);
                let lines = found.iter().filter_map(Line::of);
                self.waiting.extend(lines.map(|it| it.event()));
                continue;
            }
            let news = tokio::select! {
                () = self.shared.stop.cancelled() => return None,
                () = self.end.cancelled() => return None,
                news = self.news.recv() => news,
            };
            match news {
                Ok(line) if line.seq <= self.last => {}
                Ok(line) => {
                    self.last = line.seq;
                    return Some(line.event());
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// From where somebody wants to go on: the epoch and number of the last event that came.
fn asked(headers: &HeaderMap) -> Option<(String, Sequence)> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    let (epoch, seq) = id.rsplit_once(':')?;
    Some((epoch.to_owned(), Sequence(seq.parse().ok()?)))
}

/// `GET /api/v1/events`.
async fn events(
    State(shared): State<Arc<Shared>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(seat) = Arc::clone(&shared.listeners).try_acquire_owned() else {
        return Err(Problem::TooManyListeners);
    };
    // First of all, so that nothing falls between what is read and what is heard.
    let news = shared.teller.0.subscribe();
    let newest = since(&shared, None).await?.pop().map(|it| it.key);
    let mut listener = Listener {
        news,
        last: newest.as_ref().map_or(Sequence(0), |it| it.seq),
        behind: false,
        waiting: VecDeque::new(),
        end: visit.end,
        shared,
        _seat: seat,
    };
    if let Some((epoch, last)) = asked(&headers) {
        match &newest {
            Some(newest) if newest.epoch.0 == epoch && last <= newest.seq => {
                (listener.last, listener.behind) = (last, true);
            }
            newest => {
                let reset = sse::Event::default().event("reset").data("{}");
                listener.waiting.push_back(match newest {
                    Some(newest) => reset.id(id(newest)),
                    None => reset,
                });
            }
        }
    }
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![get("/api/v1/events", Right::SeeLive, events)]
}
