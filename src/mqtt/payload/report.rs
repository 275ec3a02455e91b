//! `report/<date>` and `state/checklist`: the report of the day, and how far the round has come.
//!
//! Neither has a name of anybody. A long report comes in parts, each with some of the lines.

use super::{V, bytes, message, rfc3339};
use crate::checklist::{
    AlertEnd, ColourTotal, DailyReport, DayFacts, Escalated, Progress, RoundState, Slot,
};
use crate::clock::Stamp;
use crate::id::{DeviceEpoch, MessageKey};
use crate::journal::OutboxMessage;
use crate::mqtt::topic::{Address, Topic};
use crate::text::Note;
use serde::Serialize;
use std::collections::BTreeMap;

/// `report/<date>`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReportPayload<'a> {
    v: u8,
    epoch: &'a str,
    seq: u64,
    date: String,
    /// From 1; a later one takes the place of all before.
    revision: u32,
    /// Which part, from 1.
    part: u32,
    /// Of how many.
    of: u32,
    site: &'static str,
    template: u32,
    /// As things stood at this moment.
    as_of: String,
    screened: ScreenedPart,
    items: Vec<ItemPart<'a>>,
    failed: Vec<FailedPart<'a>>,
    excused: Vec<ExcusedPart<'a>>,
    known: Vec<KnownPart<'a>>,
    alerts: Vec<AlertPart>,
    /// People by colour, as far as they are told exactly.
    colours: BTreeMap<&'a str, u64>,
    /// Of the other colours: there is somebody, and fewer people than this.
    colours_below: BTreeMap<&'a str, u64>,
    gaps: Vec<GapPart<'a>>,
    innovations: Vec<&'a str>,
    remarks: Vec<&'a str>,
    at: String,
    clock: &'static str,
    gate: &'a str,
}

/// People by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ScreenedPart {
    clear: u64,
    retest: u64,
    possible_fever: u64,
    cannot_judge: u64,
}

impl From<&DayFacts> for ScreenedPart {
    fn from(it: &DayFacts) -> Self {
        Self {
            clear: it.clear,
            retest: it.retest,
            possible_fever: it.possible_fever,
            cannot_judge: it.cannot_judge,
        }
    }
}

/// How many times of an item, or of many, are where. What is not there is none.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ProgressPart {
    #[serde(skip_serializing_if = "none")]
    done: u32,
    #[serde(skip_serializing_if = "none")]
    late: u32,
    #[serde(skip_serializing_if = "none")]
    failed: u32,
    #[serde(skip_serializing_if = "none")]
    not_applicable: u32,
    #[serde(skip_serializing_if = "none")]
    overdue: u32,
    #[serde(skip_serializing_if = "none")]
    missed: u32,
    #[serde(skip_serializing_if = "none")]
    open: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
const fn none(number: &u32) -> bool {
    *number == 0
}

impl From<Progress> for ProgressPart {
    fn from(it: Progress) -> Self {
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

/// One item.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ItemPart<'a> {
    id: &'a str,
    category: &'static str,
    /// `required` or `optional`.
    duty: &'static str,
    #[serde(flatten)]
    progress: ProgressPart,
}

/// A failure, and what is done about it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FailedPart<'a> {
    id: &'a str,
    /// Which of its times on the day, from 1.
    time: u32,
    why: &'a str,
    action: &'a str,
    deadline: String,
}

/// What had no place.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExcusedPart<'a> {
    id: &'a str,
    /// Which of its times on the day, from 1.
    time: u32,
    why: &'a str,
}

/// What the gateway filled in itself.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct KnownPart<'a> {
    id: &'a str,
    fact: &'static str,
    in_order: bool,
    zh: String,
    en: String,
}

/// An alert of the day.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct AlertPart {
    id: String,
    raised: String,
    /// How it ended; `null` while it has no outcome.
    end: Option<&'static str>,
}

/// A failure that was made good.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct GapPart<'a> {
    id: &'a str,
    date: String,
    how: &'a str,
}

fn time_of(slot: &Slot) -> u32 {
    u32::from(slot.number) + 1
}

/// Colours with their numbers, or those of which only a bound is told.
fn colours(all: &[ColourTotal], fewer: bool) -> BTreeMap<&str, u64> {
    let told = all.iter().filter(|it| it.fewer == fewer);
    told.map(|it| (it.word.as_str(), it.people)).collect()
}

/// A part of a report.
pub(super) fn report(
    address: &Address,
    key: &MessageKey,
    it: &DailyReport,
    (part, of): (u32, u32),
    at: &Stamp,
) -> OutboxMessage {
    let payload = ReportPayload {
        v: V,
        epoch: &key.epoch.0,
        seq: key.number.0,
        date: it.date.to_string(),
        revision: it.revision,
        part,
        of,
        site: it.site.as_str(),
        template: it.template_version,
        as_of: rfc3339(it.as_of),
        screened: (&it.facts).into(),
        items: it
            .items
            .iter()
            .map(|it| ItemPart {
                id: it.id.as_str(),
                category: it.category.as_str(),
                duty: it.duty.as_str(),
                progress: it.progress.into(),
            })
            .collect(),
        failed: it
            .failed
            .iter()
            .map(|it| FailedPart {
                id: it.slot.item.as_str(),
                time: time_of(&it.slot),
                why: it.why.as_str(),
                action: it.action.as_str(),
                deadline: rfc3339(it.deadline),
            })
            .collect(),
        excused: it
            .excused
            .iter()
            .map(|it| ExcusedPart {
                id: it.slot.item.as_str(),
                time: time_of(&it.slot),
                why: it.why.as_str(),
            })
            .collect(),
        known: it
            .known
            .iter()
            .map(|it| {
                let words = it.finding.words();
                KnownPart {
                    id: it.id.as_str(),
                    fact: it.fact.as_str(),
                    in_order: it.finding.is_in_order(),
                    zh: words.zh,
                    en: words.en,
                }
            })
            .collect(),
        alerts: it
            .facts
            .alerts
            .iter()
            .map(|it| AlertPart {
                id: it.id.to_string(),
                raised: rfc3339(it.raised),
                end: it.end.map(AlertEnd::as_str),
            })
            .collect(),
        colours: colours(&it.facts.colours, false),
        colours_below: colours(&it.facts.colours, true),
        gaps: it
            .gaps
            .iter()
            .map(|it| GapPart {
                id: it.id.as_str(),
                date: it.date.to_string(),
                how: it.how.as_str(),
            })
            .collect(),
        innovations: it.innovations.iter().map(Note::as_str).collect(),
        remarks: it.remarks.iter().map(Note::as_str).collect(),
        at: rfc3339(at.wall),
        clock: at.trust.as_str(),
        gate: address.gate.as_str(),
    };
    message(&Topic::report(address, it.date), bytes(&payload))
}

/// `state/checklist`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ChecklistPayload<'a> {
    v: u8,
    epoch: &'a str,
    date: String,
    site: &'static str,
    template: u32,
    required: ProgressPart,
    optional: ProgressPart,
    /// Today's people so far; told once in a few minutes, where nothing else changes.
    screened: ScreenedPart,
    /// Required items that are late or missed, by the working group that answers for them.
    overdue: BTreeMap<&'static str, u32>,
    /// The same item by item, and what failed and is not made good: what the working groups are called for.
    escalated: Vec<EscalatedPart>,
    /// Whether the day's report is submitted, as it is now.
    submitted: bool,
    /// The revision that is being made, or was submitted last.
    revision: u32,
    at: String,
    clock: &'static str,
}

/// A required item that is not as it must be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EscalatedPart {
    item: String,
    group: &'static str,
    overdue: u32,
    missed: u32,
    failed: u32,
    since: String,
}

impl From<&Escalated> for EscalatedPart {
    fn from(it: &Escalated) -> Self {
        Self {
            item: it.item.to_string(),
            group: it.group.as_str(),
            overdue: it.overdue,
            missed: it.missed,
            failed: it.failed,
            since: rfc3339(it.since),
        }
    }
}

/// Most items that are named one by one, so that the message stays below 8 KiB: each takes 160 bytes at most.
const MOST_ESCALATED: usize = 40;

/// How far today's round has come, for the retained state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistState {
    payload: ChecklistNumbers,
}

/// What [`ChecklistState`] says; compared, so that nothing is said twice.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ChecklistNumbers {
    date: crate::calendar::Date,
    site: &'static str,
    template: u32,
    required: Progress,
    optional: Progress,
    screened: ScreenedPart,
    escalated: Vec<Escalated>,
    submitted: bool,
    revision: u32,
}

impl ChecklistState {
    /// From the report as it would be now, and what the street's groups are called for.
    #[must_use]
    pub fn of(report: &DailyReport, state: &RoundState, escalated: Vec<Escalated>) -> Self {
        use crate::checklist::Duty;
        Self {
            payload: ChecklistNumbers {
                date: report.date,
                site: report.site.as_str(),
                template: report.template_version,
                required: report.total(Duty::Required),
                optional: report.total(Duty::Optional),
                screened: (&report.facts).into(),
                escalated,
                submitted: !matches!(state, RoundState::Draft { .. }),
                revision: report.revision,
            },
        }
    }

    /// Whether it says the same but for the number of people, who come one by one: that alone is not worth a
    /// message each.
    #[must_use]
    pub fn same_but_people(&self, other: &Self) -> bool {
        let without = |it: &ChecklistNumbers| ChecklistNumbers {
            screened: ScreenedPart::default(),
            ..it.clone()
        };
        without(&self.payload) == without(&other.payload)
    }
}

/// How many times are late or were missed, group by group.
fn overdue(escalated: &[Escalated]) -> BTreeMap<&'static str, u32> {
    let mut groups = BTreeMap::new();
    for it in escalated.iter().filter(|it| it.late() > 0) {
        *groups.entry(it.group.as_str()).or_default() += it.late();
    }
    groups
}

/// How far the round has come.
pub(in crate::mqtt) fn checklist(
    address: &Address,
    epoch: &DeviceEpoch,
    state: &ChecklistState,
    now: &Stamp,
) -> OutboxMessage {
    let it = &state.payload;
    let payload = ChecklistPayload {
        v: V,
        epoch: &epoch.0,
        date: it.date.to_string(),
        site: it.site,
        template: it.template,
        required: it.required.into(),
        optional: it.optional.into(),
        screened: it.screened,
        overdue: overdue(&it.escalated),
        escalated: it
            .escalated
            .iter()
            .take(MOST_ESCALATED)
            .map(Into::into)
            .collect(),
        submitted: it.submitted,
        revision: it.revision,
        at: rfc3339(now.wall),
        clock: now.trust.as_str(),
    };
    message(&Topic::checklist_state(address), bytes(&payload))
}
