//! The page: the guard's screen, in one request, and its parts that are read again while it is
//! open (`GET /summary`).
//!
//! Numbers and words are made here, before the template, so that a template holds no decisions.
//! Reading the store runs on a blocking thread.

use super::alerts::{Known, LIST_LIMIT, Lists};
use super::budget::BudgetView;
use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, get};
use super::sign_in::{Desk, Signing};
use super::state::{Dashboard, GatewayStatus, LinkWord, Mode, ReferenceStatus};
use super::words::{self, InWords, Words};
use super::{Shared, when};
use crate::clock::{ClockTrust, Stamp};
use crate::id::Channel;
use crate::journal::{JournalError, OutboxCount};
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::staff::Right;
use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// A picture older than this is no live picture. Shown within 2 s of the last one; the page looks four
/// times a second.
pub(super) const STALE: Duration = Duration::from_millis(1500);

/// A class of today's numbers.
pub(super) struct Count {
    pub(super) code: &'static str,
    pub(super) icon: &'static str,
    pub(super) words: Words,
    pub(super) number: u64,
    pub(super) reasons: Vec<(&'static str, Words, u64)>,
}

/// Today's numbers.
pub(super) struct Today {
    pub(super) total: u64,
    pub(super) counts: [Count; 4],
    /// Screenings whose words this version does not know: shown, never left out.
    pub(super) unknown: u64,
}

impl Today {
    pub(super) fn new(tally: &[(String, Option<String>, u64)]) -> Self {
        let number = |wanted: Verdict| {
            tally
                .iter()
                .filter(|(class, why, _)| Verdict::parse(class, why.as_deref()) == Some(wanted))
                .map(|(_, _, number)| number)
                .sum::<u64>()
        };
        let retest =
            RetestReason::ALL.map(|why| (why.as_str(), why.words(), number(Verdict::Retest(why))));
        let cannot =
            Obstacle::ALL.map(|why| (why.as_str(), why.words(), number(Verdict::CannotJudge(why))));
        let count = |icon, verdict: Verdict, reasons: &[(&'static str, Words, u64)]| Count {
            code: verdict.as_str(),
            icon,
            words: verdict.words(),
            number: if reasons.is_empty() {
                number(verdict)
            } else {
                reasons.iter().map(|(_, _, number)| number).sum()
            },
            reasons: {
                let mut seen: Vec<_> = reasons.iter().copied().filter(|r| r.2 > 0).collect();
                seen.sort_by_key(|(_, _, number)| std::cmp::Reverse(*number));
                seen
            },
        };
        let counts = [
            count("✓", Verdict::Clear, &[]),
            count("▲", Verdict::PossibleFever, &[]),
            count("↻", Verdict::Retest(RetestReason::NearThreshold), &retest),
            count("?", Verdict::CannotJudge(Obstacle::TooFewLooks), &cannot),
        ];
        let total: u64 = tally.iter().map(|(_, _, number)| number).sum();
        let known: u64 = counts.iter().map(|count| count.number).sum();
        Self {
            total,
            unknown: total - known,
            counts,
        }
    }
}

/// A fault, as it is shown.
struct FaultView {
    /// Whether nobody is judged meanwhile.
    stops: bool,
    words: Words,
    remedy: Words,
    since: String,
    machine: String,
}

/// The device, as it is shown.
struct Device {
    camera: String,
    size: String,
    fps: String,
    frames: u64,
    dropped: u64,
    damaged: u64,
    health: Option<Words>,
    measuring: bool,
    /// `None` while pictures come; else since when they do not (empty: never since the start).
    stale_since: Option<String>,
    reference: ReferenceView,
    /// The last day of the calibration.
    calibrated_to: Option<String>,
    checked: Option<CheckView>,
    faults: Vec<FaultView>,
    link: Words,
    link_code: &'static str,
    link_detail: String,
    outbox: OutboxCount,
    attention: String,
    fever: String,
    version: String,
    epoch: String,
    demo: Option<Words>,
    now: String,
    now_machine: String,
    trust: Words,
    trusted: bool,
}

/// The blackbody, as it is shown.
struct ReferenceView {
    population: Option<PopulationView>,
    set_point: String,
    reading: Option<String>,
    offset: String,
    /// What a second one is set to, and what is read of it.
    second: Option<(String, Option<String>)>,
}

/// The latest self-check, as it is shown.
struct CheckView {
    words: Words,
    at: String,
    machine: String,
}

/// Relative mode, as it is shown.
struct PopulationView {
    people: usize,
    needed: usize,
    /// `None` while nobody is judged.
    fever: Option<String>,
    words: Words,
    briefly: Words,
}

fn reference_view(reference: ReferenceStatus) -> ReferenceView {
    match reference {
        ReferenceStatus::Population(it) => ReferenceView {
            population: Some(PopulationView {
                people: it.people,
                needed: it.needed,
                fever: it.fever_k.map(|kelvin| format!("{kelvin:+.1}")),
                words: words::RELATIVE,
                briefly: words::RELATIVE_BRIEFLY,
            }),
            set_point: String::new(),
            reading: None,
            offset: String::new(),
            second: None,
        },
        ReferenceStatus::Configured {
            set_point_c,
            reading_c,
            offset_k,
            second,
        } => ReferenceView {
            population: None,
            set_point: format!("{set_point_c:.2}"),
            reading: reading_c.map(|reading| format!("{reading:.2}")),
            offset: offset_k.map_or_else(String::new, |offset| format!("{offset:+.2}")),
            second: second.map(|(set_point, reading)| {
                let celsius = |degrees: f64| format!("{degrees:.2}");
                (celsius(set_point), reading.map(celsius))
            }),
        },
    }
}

/// The word for the link in JSON and in classes of style.
pub(super) const fn link_code(link: &LinkWord) -> &'static str {
    match link {
        LinkWord::NotConfigured => "not_configured",
        LinkWord::Connecting => "connecting",
        LinkWord::Connected => "connected",
        LinkWord::Away(_) => "away",
    }
}

/// Whether no picture came for a while.
pub(super) fn is_stale(last: Option<&Stamp>, now: &Stamp) -> bool {
    // A frame of another boot, or from the future of this clock, is no live picture either, but a
    // frame that came between reading the clock and reading the status is.
    last.is_none_or(|last| {
        last.boot != now.boot || now.monotonic.saturating_sub(last.monotonic) > STALE
    })
}

impl Device {
    fn new(status: &GatewayStatus, outbox: OutboxCount, now: &Stamp) -> Self {
        let camera = &status.camera;
        let last = camera.last_frame.as_ref();
        let stale = is_stale(last, now);
        Self {
            camera: camera.name.clone(),
            size: format!("{} × {}", camera.width, camera.height),
            fps: camera
                .fps
                .map_or_else(|| "–".to_owned(), |fps| format!("{fps:.1}")),
            frames: camera.frames,
            dropped: camera.dropped,
            damaged: camera.damaged,
            health: camera.health.map(|health| health.words()),
            measuring: !stale && camera.health.is_some_and(|health| status.judges(health)),
            stale_since: stale
                .then(|| last.map_or_else(String::new, |last| when::short(last, now))),
            reference: reference_view(status.reference),
            calibrated_to: status.care.calibration_expires.map(when::last_day_before),
            checked: status.care.checked.map(|(found, at)| CheckView {
                words: words::of_check(found.complaint),
                at: when::short(&at, now),
                machine: when::machine(&at),
            }),
            faults: status
                .faults
                .iter()
                .map(|active| FaultView {
                    stops: active.fault.stops_judging(),
                    words: active.fault.words(),
                    remedy: words::remedy(active.fault),
                    since: when::short(&active.since, now),
                    machine: when::machine(&active.since),
                })
                .collect(),
            link: status.mqtt.words(),
            link_code: link_code(&status.mqtt),
            link_detail: match &status.mqtt {
                LinkWord::Away(why) => why.clone(),
                _ => String::new(),
            },
            outbox,
            attention: format!("{:.1}", status.thresholds.attention_c),
            fever: format!("{:.1}", status.thresholds.fever_c),
            version: status.version.clone(),
            epoch: status.epoch.clone(),
            demo: (status.mode == Mode::Demo).then(|| status.mode.words()),
            now: when::full(now),
            now_machine: when::machine(now),
            trust: now.trust.words(),
            trusted: now.trust == ClockTrust::Synchronised,
        }
    }
}

/// The device alone, for a page that has it among other things.
#[derive(Template)]
#[template(path = "device.html", config = "src/web/askama.toml")]
pub(super) struct DeviceCard {
    device: Device,
}

/// The template escapes every text.
impl askama::filters::HtmlSafe for DeviceCard {}

impl DeviceCard {
    pub(super) fn new(status: &GatewayStatus, outbox: OutboxCount, now: &Stamp) -> Self {
        Self {
            device: Device::new(status, outbox, now),
        }
    }
}

/// The whole page.
#[derive(Template)]
#[template(path = "page.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    /// The table without numbers, for a script to fill in.
    budget: BudgetView,
    lists: Lists,
    today: Today,
    device: Device,
    spoken: [Words; 2],
    silent: Words,
}

/// The parts that are read again.
#[derive(Template)]
#[template(path = "summary.html", config = "src/web/askama.toml")]
struct Summary {
    today: Today,
    device: Device,
}

/// An HTML answer.
pub(super) fn html(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(broken) => {
            tracing::error!("a page could not be written: {broken}");
            Err(Problem::Storage(
                "the page could not be written; restart the gateway".to_owned(),
            ))
        }
    }
}

/// Today's numbers and the outbox, from the store.
pub(super) fn numbers(it: &Dashboard, now: &Stamp) -> Result<(Today, OutboxCount), JournalError> {
    let tally = it.journal.tally(when::midnight_ms(now), &[])?;
    Ok((Today::new(&tally), it.outbox.count(&Channel::broker())?))
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/", Right::SeeLive, page),
        get("/summary", Right::SeeToday, summary),
    ]
}

/// `GET /`.
async fn page(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    desk: Desk,
) -> Result<Response, Problem> {
    let now = shared.dashboard.clock.now();
    let (alerts, (today, outbox)) = shared
        .ask(move |it| Ok((it.journal.alerts(LIST_LIMIT)?, numbers(it, &now)?)))
        .await?;
    let logs = shared.emergencies(&alerts).await?;
    let status = Arc::clone(&shared.dashboard.status.borrow());
    let notes = Arc::clone(&shared.dashboard.notes.borrow());
    html(&Page {
        frame,
        budget: BudgetView::blank(),
        lists: Lists::new(
            (&alerts, &logs),
            Known::of(&shared.dashboard, &notes),
            &now,
            desk,
        ),
        today,
        device: Device::new(&status, outbox, &now),
        spoken: [words::frame::SPOKEN_ALERT, words::frame::SPOKEN_TEST],
        silent: words::frame::SILENT,
    })
}

/// `GET /summary`.
async fn summary(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let now = shared.dashboard.clock.now();
    let (today, outbox) = shared.ask(move |it| numbers(it, &now)).await?;
    let status = Arc::clone(&shared.dashboard.status.borrow());
    html(&Summary {
        today,
        device: Device::new(&status, outbox, &now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_left_out_of_the_numbers() {
        let row = |class: &str, why: Option<&str>, number| {
            (class.to_owned(), why.map(str::to_owned), number)
        };
        let today = Today::new(&[
            row("clear", None, 120),
            row("possible_fever", None, 2),
            row("retest", Some("unsteady"), 3),
            row("retest", Some("near_threshold"), 4),
            row("cannot_judge", Some("too_far"), 5),
            row("cannot_judge", Some("settling"), 6),
            row("cannot_judge", Some("a reason of next year"), 7),
        ]);
        assert_eq!(today.counts.each_ref().map(|c| c.number), [120, 2, 7, 11]);
        assert_eq!(today.unknown, 7);
        assert_eq!(today.total, 147);
        assert_eq!(today.counts[3].reasons[0].0, "settling");
    }
}
