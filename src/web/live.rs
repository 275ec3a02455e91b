//! What moves on the page: the live view (a WebSocket) and the word that lists have changed (SSE).
//!
//! The newest frame wins: a viewer that cannot keep up skips frames and is told how many; nothing
//! is ever queued for it, and it can never slow the gateway (moonfire-nvr's live view does the
//! same). At most ten frames a second and twenty viewers. A picture leaves by this way only, and
//! nothing of it is stored.
//!
//! One message = u32 LE length of the header, the header as JSON, then °C × 100 as i16 LE, row by
//! row. Nothing here blocks a thread.

use super::budget;
use super::hall::Hall;
use super::problem::Problem;
use super::routes::{Entry, Needs, get};
use super::state::{LiveFrame, LivePerson, LiveReference, LiveValue, PersonState};
use super::who::Visit;
use super::words::{self, InWords, Words};
use super::{Shared, when};
use crate::clock::Stamp;
use crate::staff::Right;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Live views at a time (ASVS 5.0, 2.4.1).
pub const VIEWERS: usize = 20;

/// Shortest time between two frames: ten a second. More than that is for measuring, not for eyes.
const FRAME_TIME: Duration = Duration::from_millis(100);

/// A viewer that takes no frame for so long is gone.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// Version of the message.
const LIVE_VERSION: u32 = 2;

/// A state in both languages, with its code.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Said {
    code: &'static str,
    #[serde(flatten)]
    words: Words,
}

/// A blackbody in the picture.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ReferenceHeader {
    x: f32,
    y: f32,
    radius: f32,
    reading_c: f64,
    set_point_c: f64,
    /// 0 to 1.
    quality: f32,
    /// What speaks most against it.
    flaw: Option<Words>,
}

impl From<&LiveReference> for ReferenceHeader {
    fn from(it: &LiveReference) -> Self {
        Self {
            x: it.x,
            y: it.y,
            radius: it.radius,
            reading_c: it.reading_c,
            set_point_c: it.set_point_c,
            quality: it.quality.score,
            flaw: it.quality.flaw.map(|flaw| flaw.words()),
        }
    }
}

/// How sure a pixel is: `√(least_u_k² + (slope·(t − surest_c))²)`, k = 1.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PixelHeader {
    surest_c: f64,
    least_u_k: f64,
    slope: f64,
}

/// One person in the picture.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PersonHeader {
    track: u64,
    /// Left, top, right, bottom.
    area: [f32; 4],
    state: Said,
    reason: Option<Words>,
    advice: Option<Words>,
    looks: Option<[u32; 2]>,
    #[serde(flatten)]
    value: Option<ValueHeader>,
    /// Standard uncertainty of the face, K, and its parts.
    face_u_k: Option<f64>,
    budget: Option<BTreeMap<&'static str, f64>>,
}

/// What was measured of a person: a temperature, or a difference.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum ValueHeader {
    Absolute {
        estimate_c: f64,
        expanded_u_k: f64,
        face_c: f64,
    },
    Relative {
        difference_k: f64,
        expanded_u_k: f64,
        people: u32,
        relative: Words,
    },
}

impl From<LiveValue> for ValueHeader {
    fn from(value: LiveValue) -> Self {
        match value {
            LiveValue::Absolute {
                estimate_c,
                expanded_u_k,
                face_c,
            } => Self::Absolute {
                estimate_c,
                expanded_u_k,
                face_c,
            },
            LiveValue::Relative {
                difference_k,
                expanded_u_k,
                people,
            } => Self::Relative {
                difference_k,
                expanded_u_k,
                people,
                relative: words::RELATIVE_BRIEFLY,
            },
        }
    }
}

/// What stands before the pixels.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Header {
    v: u32,
    /// Which program and database say it, for a page that was open while the gateway was updated.
    build: String,
    sequence: u64,
    at: String,
    clock: String,
    trust: &'static str,
    /// How old the frame was when it was sent; `None` where it is of another boot.
    age_ms: Option<u64>,
    width: usize,
    height: usize,
    dropped: u64,
    skipped: u64,
    measuring: bool,
    health: Said,
    references: Vec<ReferenceHeader>,
    pixel: Option<PixelHeader>,
    people: Vec<PersonHeader>,
}

impl From<&LivePerson> for PersonHeader {
    fn from(person: &LivePerson) -> Self {
        let (code, reason, looks, next) = match person.state {
            PersonState::Looking { looks, needed } => {
                ("looking", None, Some([looks, needed]), None)
            }
            PersonState::Judged(verdict) => {
                let next = words::advice_after(verdict);
                (verdict.as_str(), words::reason(verdict), None, next)
            }
        };
        let area = person.area;
        Self {
            track: person.track.0,
            area: [area.left, area.top, area.right, area.bottom],
            state: Said {
                code,
                words: person.state.words(),
            },
            reason,
            advice: person.obstacle.and_then(words::advice).or(next),
            looks,
            value: person.value.map(ValueHeader::from),
            face_u_k: person.budget.map(|it| it.face().kelvin()),
            budget: person.budget.as_ref().map(budget::json),
        }
    }
}

/// Frames that this viewer did not get between two that it got: what the gateway itself dropped
/// in between is not counted twice.
fn skipped_between(last: &LiveFrame, next: &LiveFrame) -> u64 {
    let missing = next
        .sequence
        .saturating_sub(last.sequence)
        .saturating_sub(1);
    missing.saturating_sub(next.dropped.saturating_sub(last.dropped))
}

/// One message of the live view.
fn message(
    frame: &LiveFrame,
    skipped: u64,
    build: String,
    now: &Stamp,
) -> Result<Vec<u8>, serde_json::Error> {
    let header = Header {
        v: LIVE_VERSION,
        build,
        sequence: frame.sequence,
        at: when::machine(&frame.at),
        clock: when::short(&frame.at, now),
        trust: frame.at.trust.as_str(),
        age_ms: now
            .since(&frame.at)
            .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        width: frame.width,
        height: frame.height,
        dropped: frame.dropped,
        skipped,
        measuring: frame.judging,
        health: Said {
            code: frame.health.as_str(),
            words: frame.health.words(),
        },
        references: frame.references.iter().map(ReferenceHeader::from).collect(),
        pixel: frame.pixel.map(|it| PixelHeader {
            surest_c: it.surest.degrees(),
            least_u_k: it.least.kelvin(),
            slope: it.slope,
        }),
        people: frame.people.iter().map(PersonHeader::from).collect(),
    };
    let json = serde_json::to_vec(&header)?;
    let mut bytes = Vec::with_capacity(4 + json.len() + 2 * frame.centi_celsius.len());
    // A header is some kilobytes; where it were 4 GiB, the page would refuse it.
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&json);
    for pixel in &frame.centi_celsius {
        bytes.extend_from_slice(&pixel.to_le_bytes());
    }
    Ok(bytes)
}

/// `GET /live`.
async fn live(
    State(shared): State<Arc<Shared>>,
    Extension(visit): Extension<Visit>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return Problem::NotAWebSocket.into_response();
    };
    let Ok(seat) = Arc::clone(&shared.viewers).try_acquire_owned() else {
        return Problem::TooManyViewers.into_response();
    };
    upgrade
        .max_message_size(1024)
        .max_frame_size(1024)
        .on_upgrade(move |socket| watch_live(socket, shared, visit.end, seat))
}

/// Sends frames until the viewer or the gateway goes, or the session ends.
async fn watch_live(
    mut socket: WebSocket,
    shared: Arc<Shared>,
    end: CancellationToken,
    _seat: OwnedSemaphorePermit,
) {
    let mut newest = shared.dashboard.live.clone();
    newest.mark_changed();
    let mut pace = tokio::time::interval(FRAME_TIME);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<Arc<LiveFrame>> = None;
    let mut skipped = 0;
    loop {
        let next_frame = async {
            pace.tick().await;
            newest.changed().await
        };
        tokio::select! {
            () = shared.stop.cancelled() => break,
            () = end.cancelled() => break,
            heard = socket.recv() => match heard {
                // Pings are answered by the library; a viewer has nothing else to say.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => break,
            },
            changed = next_frame => {
                if changed.is_err() {
                    break;
                }
                let Some(frame) = newest.borrow_and_update().clone() else {
                    continue;
                };
                if let Some(last) = &last {
                    skipped += skipped_between(last, &frame);
                }
                let now = shared.dashboard.clock.now();
                let build = shared.dashboard.build();
                let Ok(bytes) = message(&frame, skipped, build, &now) else {
                    break;
                };
                let sent = socket.send(Message::Binary(bytes.into()));
                match tokio::time::timeout(SEND_LIMIT, sent).await {
                    Ok(Ok(())) => last = Some(frame),
                    Ok(Err(_)) | Err(_) => break,
                }
            }
        }
    }
    // The viewer may be gone already; then there is nobody to say goodbye to.
    let goodbye = socket.send(Message::Close(None));
    let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/live", Right::SeeLive, live),
        get("/changes", Needs::SignIn, changes),
    ]
}

/// `GET /changes`: says `changed` at once and whenever something was recorded.
async fn changes(
    State(shared): State<Arc<Shared>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    tell_changes(&shared.hall, shared.dashboard.changes.clone(), visit.end)
}

/// Says `changed` at once and whenever the number has changed, until the session ends.
pub(super) fn tell_changes(
    hall: &Hall,
    mut changes: watch::Receiver<u64>,
    end: CancellationToken,
) -> Response {
    let Ok(seat) = Arc::clone(&hall.listeners).try_acquire_owned() else {
        return Problem::TooManyListeners.into_response();
    };
    changes.mark_changed();
    let events = stream::unfold(
        (changes, hall.stop.clone(), end, seat),
        |(mut changes, stop, end, seat)| async move {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = end.cancelled() => return None,
                changed = changes.changed() => changed.ok()?,
            }
            let number = *changes.borrow_and_update();
            let event = Event::default().event("changed").data(number.to_string());
            Some((Ok::<_, Infallible>(event), (changes, stop, end, seat)))
        },
    );
    Sse::new(events)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use crate::thermal::FrameHealth;

    fn frame(sequence: u64, dropped: u64) -> LiveFrame {
        LiveFrame {
            sequence,
            at: Stamp {
                boot: BootId(1),
                monotonic: Duration::from_secs(5),
                wall: WallTime(1_582_236_309_007),
                trust: ClockTrust::Synchronised,
            },
            width: 2,
            height: 1,
            centi_celsius: vec![-1, 3663],
            people: Vec::new(),
            health: FrameHealth::Good,
            judging: true,
            references: Vec::new(),
            pixel: None,
            dropped,
        }
    }

    #[test]
    fn a_viewer_is_told_what_it_missed_and_not_what_the_gateway_dropped() {
        assert_eq!(skipped_between(&frame(1, 0), &frame(2, 0)), 0);
        assert_eq!(skipped_between(&frame(1, 0), &frame(5, 0)), 3);
        assert_eq!(skipped_between(&frame(1, 0), &frame(5, 2)), 1);
        // A camera that starts counting anew has lost nothing.
        assert_eq!(skipped_between(&frame(9, 0), &frame(1, 0)), 0);
    }

    #[test]
    fn a_message_is_length_header_and_pixels() {
        let frame = frame(7, 0);
        let mut now = frame.at;
        now.monotonic += Duration::from_millis(40);
        let bytes = message(&frame, 3, String::new(), &now).unwrap();
        let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&bytes[4..4 + length]).unwrap();
        assert_eq!(header["sequence"], 7);
        assert_eq!(header["skipped"], 3);
        assert_eq!(header["age_ms"], 40);
        assert_eq!(header["health"]["code"], "good");
        assert_eq!(&bytes[4 + length..], &[0xff, 0xff, 0x4f, 0x0e]);
    }
}
