//! What gates say of themselves, read with suspicion: states and letters as the pages need them. Pure.
//!
//! Whoever has a gate's password can say anything at all. So nothing here fails: what cannot be read is
//! [`Unreadable`] with the reason, a word that is not known is left out, lines of people are cut to what a line of
//! ours may hold, and a message of a newer version is read as far as it is understood and marked.

mod report;

pub use report::{Report, ReportItem, ReportLine, report};

use crate::calendar::Date;
use crate::checklist::{AlertEnd, Group, ItemId, Progress, SiteKind};
use crate::clock::WallTime;
use crate::event::Fault;
use crate::people::Colour;
use crate::text::Note;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The payloads' version that this program knows.
const V: u64 = 1;
/// Longest id, version or word that is taken over, characters.
const LONGEST_WORD: usize = 64;

/// A message that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// In what.
    pub why: String,
    /// Whether it says that it is of a newer version.
    pub newer: bool,
}

/// A message that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Said<T> {
    /// What it says.
    pub it: T,
    /// Whether its version is newer than what this program knows: there may be more in it.
    pub newer: bool,
}

/// How a message was read.
pub type Reading<T> = Result<Said<T>, Unreadable>;

/// Whether a gate is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// Connected.
    Online,
    /// Stopped on purpose.
    Stopped,
    /// Gone without a word.
    Offline,
}

/// `status/gateway`.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Whether it is there.
    pub presence: Presence,
    /// Which program it is.
    pub version: String,
    /// Whether it measures without a blackbody.
    pub relative: bool,
}

/// People by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Screened {
    /// Judged to be clear.
    pub clear: u64,
    /// To be measured again by staff.
    pub retest: u64,
    /// Possible fevers.
    pub possible_fever: u64,
    /// Not judged.
    pub cannot_judge: u64,
}

impl Screened {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.clear
            .saturating_add(self.retest)
            .saturating_add(self.possible_fever)
            .saturating_add(self.cannot_judge)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self {
            clear: self.clear.saturating_add(more.clear),
            retest: self.retest.saturating_add(more.retest),
            possible_fever: self.possible_fever.saturating_add(more.possible_fever),
            cannot_judge: self.cannot_judge.saturating_add(more.cannot_judge),
        }
    }
}

/// A required item that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalated {
    /// Which.
    pub item: String,
    /// The street's working group behind it; `None`: one that is not known here.
    pub group: Option<Group>,
    /// Times that are late.
    pub overdue: u32,
    /// Times that were never done.
    pub missed: u32,
    /// Times that failed and are not made good.
    pub failed: u32,
    /// Since when.
    pub since: Option<WallTime>,
}

/// `state/checklist`.
#[derive(Clone, Debug, PartialEq)]
pub struct Checklist {
    /// Of which day.
    pub date: Date,
    /// Which of the six lists; `None`: one that is not known here.
    pub kind: Option<SiteKind>,
    /// Version of the list.
    pub template: u32,
    /// Required items.
    pub required: Progress,
    /// Optional items.
    pub optional: Progress,
    /// People of the day; `None`: an older gateway does not say.
    pub screened: Option<Screened>,
    /// Required items that are not as they must be.
    pub escalated: Vec<Escalated>,
    /// Whether the report went out.
    pub submitted: bool,
    /// Its revision: made just now, or submitted last.
    pub revision: u32,
}

/// How many people, or fewer than how many: small numbers are not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// As far as they are told exactly.
    pub exactly: u64,
    /// How many sites say only that there is somebody.
    pub somebody: u64,
}

impl Told {
    /// Adds what another says.
    pub const fn add(&mut self, more: Self) {
        self.exactly = self.exactly.saturating_add(more.exactly);
        self.somebody = self.somebody.saturating_add(more.somebody);
    }
}

/// People by colour.
pub type Colours = BTreeMap<Colour, Told>;

/// `state/followup`.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp {
    /// Of which day.
    pub date: Date,
    /// By colour.
    pub colours: Colours,
    /// Expected and not seen, or over and not released.
    pub overdue: u64,
    /// Observed, and nothing was said of their health today.
    pub without_health: u64,
}

/// `state/alerts`: those that are not resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenAlerts {
    /// How many; more than `ids`, where there are very many.
    pub open: u64,
    /// Which.
    pub ids: Vec<String>,
}

/// `event/alert`.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertLetter {
    /// Which alert.
    pub id: String,
    /// What happened to it.
    pub kind: AlertKind,
    /// When, by the gate's clock; `None` where it could not be believed.
    pub at: Option<WallTime>,
    /// Whether it was old news when the gate sent it.
    pub late: bool,
    /// What was measured, in words.
    pub value: Option<String>,
}

/// What happens to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertKind {
    /// It is new.
    Raised,
    /// Somebody has taken it.
    Acknowledged,
    /// It has an outcome.
    Resolved(Option<AlertEnd>),
    /// It waits, and the street is told so.
    ToStreet,
    /// A step or a reminder, or what this program does not know.
    Other,
}

/// Both together; numbers from outside do not overflow.
#[must_use]
pub const fn together(one: Progress, other: Progress) -> Progress {
    Progress {
        done: one.done.saturating_add(other.done),
        late: one.late.saturating_add(other.late),
        failed: one.failed.saturating_add(other.failed),
        not_applicable: one.not_applicable.saturating_add(other.not_applicable),
        overdue: one.overdue.saturating_add(other.overdue),
        missed: one.missed.saturating_add(other.missed),
        open: one.open.saturating_add(other.open),
    }
}

#[derive(Deserialize)]
struct VersionPart {
    v: u64,
}

fn part<T: DeserializeOwned>(payload: &[u8]) -> Reading<T> {
    let unreadable = |newer| {
        move |error: serde_json::Error| Unreadable {
            why: error.to_string(),
            newer,
        }
    };
    let VersionPart { v } = serde_json::from_slice(payload).map_err(unreadable(false))?;
    if v == 0 {
        return Err(Unreadable {
            why: "there is no version 0".to_owned(),
            newer: false,
        });
    }
    let newer = v > V;
    let it = serde_json::from_slice(payload).map_err(unreadable(newer))?;
    Ok(Said { it, newer })
}

impl<T> Said<T> {
    fn map<U>(self, with: impl FnOnce(T) -> Result<U, String>) -> Reading<U> {
        let newer = self.newer;
        let it = with(self.it).map_err(|why| Unreadable { why, newer })?;
        Ok(Said { it, newer })
    }
}

/// A word or id as a page may show it: nothing that does not show, or turns the direction of what follows.
fn word(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let shown = text.chars().filter(|it| !hidden(*it));
    shown.take(LONGEST_WORD).collect()
}

/// A line that somebody wrote; `None` where our own form would not have taken it.
fn note(text: &str) -> Option<String> {
    Note::new(text).map(|it| it.to_string())
}

fn moment(text: &str) -> Option<WallTime> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(WallTime(at.as_millisecond()))
}

fn date(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| format!("date is {:?}, and must be such as 2020-02-24", word(text)))
}

/// The name of an item, where it may be one.
fn item(text: &str) -> String {
    ItemId::new(text).map_or_else(|| word(text), |it| it.to_string())
}

#[derive(Deserialize)]
struct StatusPart {
    state: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    basis: String,
}

/// Reads `status/gateway`.
///
/// # Errors
/// [`Unreadable`].
pub fn status(payload: &[u8]) -> Reading<Status> {
    part::<StatusPart>(payload)?.map(|it| {
        let presence = match it.state.as_str() {
            "online" => Presence::Online,
            "stopped" => Presence::Stopped,
            "offline" => Presence::Offline,
            other => return Err(format!("state is {:?}", word(other))),
        };
        Ok(Status {
            presence,
            version: word(&it.version),
            relative: it.basis == "population",
        })
    })
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct ProgressPart {
    done: u32,
    late: u32,
    failed: u32,
    not_applicable: u32,
    overdue: u32,
    missed: u32,
    open: u32,
}

impl From<ProgressPart> for Progress {
    fn from(it: ProgressPart) -> Self {
        Self {
            done: it.done,
            late: it.late,
            failed: it.failed,
            not_applicable: it.not_applicable,
            overdue: it.overdue,
            missed: it.missed,
            open: it.open,
        }
    }
}

#[derive(Deserialize)]
struct EscalatedPart {
    item: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    overdue: u32,
    #[serde(default)]
    missed: u32,
    #[serde(default)]
    failed: u32,
    #[serde(default)]
    since: String,
}

#[derive(Deserialize)]
struct ChecklistPart {
    date: String,
    site: String,
    #[serde(default)]
    template: u32,
    required: ProgressPart,
    optional: ProgressPart,
    screened: Option<Screened>,
    #[serde(default)]
    escalated: Vec<EscalatedPart>,
    #[serde(default)]
    submitted: bool,
    #[serde(default)]
    revision: u32,
}

/// Reads `state/checklist`.
///
/// # Errors
/// [`Unreadable`].
pub fn checklist(payload: &[u8]) -> Reading<Checklist> {
    part::<ChecklistPart>(payload)?.map(|it| {
        let escalated = it.escalated.iter().map(|it| Escalated {
            item: item(&it.item),
            group: Group::parse(&it.group),
            overdue: it.overdue,
            missed: it.missed,
            failed: it.failed,
            since: moment(&it.since),
        });
        Ok(Checklist {
            date: date(&it.date)?,
            kind: SiteKind::parse(&it.site),
            template: it.template,
            required: it.required.into(),
            optional: it.optional.into(),
            screened: it.screened,
            escalated: escalated.collect(),
            submitted: it.submitted,
            revision: it.revision,
        })
    })
}

fn colours(exactly: &BTreeMap<String, u64>, below: &BTreeMap<String, u64>) -> Colours {
    let mut colours = Colours::new();
    for (word, people) in exactly {
        if let Some(colour) = Colour::parse(word) {
            colours.entry(colour).or_default().exactly = *people;
        }
    }
    for word in below.keys() {
        if let Some(colour) = Colour::parse(word) {
            colours.entry(colour).or_default().somebody = 1;
        }
    }
    colours
}

#[derive(Deserialize)]
struct FollowUpPart {
    date: String,
    #[serde(default)]
    colours: BTreeMap<String, u64>,
    #[serde(default)]
    colours_below: BTreeMap<String, u64>,
    #[serde(default)]
    overdue: u64,
    #[serde(default)]
    without_health: u64,
}

/// Reads `state/followup`.
///
/// # Errors
/// [`Unreadable`].
pub fn follow_up(payload: &[u8]) -> Reading<FollowUp> {
    part::<FollowUpPart>(payload)?.map(|it| {
        Ok(FollowUp {
            date: date(&it.date)?,
            colours: colours(&it.colours, &it.colours_below),
            overdue: it.overdue,
            without_health: it.without_health,
        })
    })
}

#[derive(Deserialize)]
struct AlertsPart {
    open: u64,
    #[serde(default)]
    ids: Vec<String>,
}

/// Reads `state/alerts`.
///
/// # Errors
/// [`Unreadable`].
pub fn open_alerts(payload: &[u8]) -> Reading<OpenAlerts> {
    part::<AlertsPart>(payload)?.map(|it| {
        let ids: Vec<String> = it.ids.iter().map(|it| word(it)).collect();
        Ok(OpenAlerts {
            open: it.open.max(ids.len() as u64),
            ids,
        })
    })
}

#[derive(Deserialize)]
struct FaultsPart {
    #[serde(default)]
    standing: Vec<String>,
}

/// Reads `state/faults`: those that are known here, and how many are not.
///
/// # Errors
/// [`Unreadable`].
pub fn faults(payload: &[u8]) -> Reading<(Vec<Fault>, usize)> {
    part::<FaultsPart>(payload)?.map(|it| {
        let known: Vec<Fault> = it.standing.iter().filter_map(|it| fault(it)).collect();
        let unknown = it.standing.len().saturating_sub(known.len());
        Ok((known, unknown))
    })
}

fn fault(word: &str) -> Option<Fault> {
    Fault::ALL.into_iter().find(|it| it.as_str() == word)
}

#[derive(Deserialize)]
struct AlertPart {
    id: String,
    kind: String,
    at: String,
    #[serde(default)]
    clock: String,
    #[serde(default)]
    late: bool,
    outcome: Option<String>,
    estimate_c: Option<f64>,
    estimate_u_k: Option<f64>,
    difference_k: Option<f64>,
    difference_u_k: Option<f64>,
}

/// Reads `event/alert`.
///
/// # Errors
/// [`Unreadable`].
pub fn alert(payload: &[u8]) -> Reading<AlertLetter> {
    part::<AlertPart>(payload)?.map(|it| {
        let kind = match it.kind.as_str() {
            "raised" => AlertKind::Raised,
            "acknowledged" => AlertKind::Acknowledged,
            "resolved" => AlertKind::Resolved(it.outcome.as_deref().and_then(AlertEnd::parse)),
            "street" => AlertKind::ToStreet,
            _ => AlertKind::Other,
        };
        let value = match (it.estimate_c, it.estimate_u_k) {
            (Some(c), Some(u)) => Some(format!("{c:.1} ± {u:.1} °C")),
            _ => match (it.difference_k, it.difference_u_k) {
                (Some(k), Some(u)) => Some(format!("{k:+.1} ± {u:.1} K")),
                _ => None,
            },
        };
        Ok(AlertLetter {
            id: word(&it.id),
            kind,
            at: moment(&it.at).filter(|_| it.clock == "synced"),
            late: it.late,
            value,
        })
    })
}

#[cfg(test)]
mod tests;
