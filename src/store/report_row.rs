//! The store's own words for a report of the day.

use super::logbook_row::{date, item, note, slot};
use super::row::{Unreadable, complaint, wrong};
use crate::checklist::{
    AlertEnd, AlertFact, Category, ColourTotal, DailyReport, DayFacts, Duty, ExcusedLine, Fact,
    FailedLine, Finding, GapLine, ItemLine, KnownLine, Progress, SelfCheckFact, SiteKind,
};
use crate::clock::WallTime;
use crate::text::{Note, Words};
use serde::{Deserialize, Serialize};

/// [`DailyReport`]. Moments in ms since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReportRow {
    site: String,
    date: String,
    revision: u32,
    template_version: u32,
    as_of: i64,
    items: Vec<ItemRow>,
    failed: Vec<FailedRow>,
    excused: Vec<ExcusedRow>,
    known: Vec<KnownRow>,
    facts: FactsRow,
    gaps: Vec<GapRow>,
    innovations: Vec<String>,
    remarks: Vec<String>,
}

/// [`ItemLine`]; the numbers in the order of [`Progress`].
#[derive(Debug, Serialize, Deserialize)]
struct ItemRow {
    id: String,
    category: String,
    duty: String,
    zh: String,
    en: String,
    progress: [u32; 7],
}

/// [`FailedLine`].
#[derive(Debug, Serialize, Deserialize)]
struct FailedRow {
    item: String,
    time: u16,
    why: String,
    action: String,
    deadline: i64,
}

/// [`ExcusedLine`].
#[derive(Debug, Serialize, Deserialize)]
struct ExcusedRow {
    item: String,
    time: u16,
    why: String,
}

/// [`KnownLine`].
#[derive(Debug, Serialize, Deserialize)]
struct KnownRow {
    id: String,
    fact: String,
    found: FindingRow,
}

/// [`Finding`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FindingRow {
    Screened(u64),
    NotJudged(u64, u64),
    SelfChecks(usize, bool),
    Alerts(usize, usize),
}

/// [`DayFacts`].
#[derive(Debug, Serialize, Deserialize)]
struct FactsRow {
    clear: u64,
    retest: u64,
    possible_fever: u64,
    cannot_judge: u64,
    self_checks: Vec<(i64, Option<String>)>,
    alerts: Vec<(String, i64, Option<String>)>,
    colours: Vec<(String, String, String, u64, bool)>,
}

/// [`GapLine`].
#[derive(Debug, Serialize, Deserialize)]
struct GapRow {
    date: String,
    id: String,
    how: String,
}

const fn progress_row(it: &Progress) -> [u32; 7] {
    [
        it.done,
        it.late,
        it.failed,
        it.not_applicable,
        it.overdue,
        it.missed,
        it.open,
    ]
}

const fn progress(row: [u32; 7]) -> Progress {
    let [done, late, failed, not_applicable, overdue, missed, open] = row;
    Progress {
        done,
        late,
        failed,
        not_applicable,
        overdue,
        missed,
        open,
    }
}

impl From<Finding> for FindingRow {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Screened(people) => Self::Screened(people),
            Finding::NotJudged { people, of } => Self::NotJudged(people, of),
            Finding::SelfChecks { made, in_order } => Self::SelfChecks(made, in_order),
            Finding::Alerts {
                raised,
                without_outcome,
            } => Self::Alerts(raised, without_outcome),
        }
    }
}

impl From<FindingRow> for Finding {
    fn from(row: FindingRow) -> Self {
        match row {
            FindingRow::Screened(people) => Self::Screened(people),
            FindingRow::NotJudged(people, of) => Self::NotJudged { people, of },
            FindingRow::SelfChecks(made, in_order) => Self::SelfChecks { made, in_order },
            FindingRow::Alerts(raised, without_outcome) => Self::Alerts {
                raised,
                without_outcome,
            },
        }
    }
}

impl From<&DayFacts> for FactsRow {
    fn from(facts: &DayFacts) -> Self {
        let word = |complaint: crate::thermal::self_check::Complaint| complaint.as_str().to_owned();
        Self {
            clear: facts.clear,
            retest: facts.retest,
            possible_fever: facts.possible_fever,
            cannot_judge: facts.cannot_judge,
            self_checks: facts
                .self_checks
                .iter()
                .map(|it| (it.at.0, it.complaint.map(word)))
                .collect(),
            alerts: facts
                .alerts
                .iter()
                .map(|it| {
                    let end = it.end.map(|end| end.as_str().to_owned());
                    (it.id.to_string(), it.raised.0, end)
                })
                .collect(),
            colours: facts
                .colours
                .iter()
                .map(|it| {
                    let name = it.name.clone();
                    (it.word.clone(), name.zh, name.en, it.people, it.fewer)
                })
                .collect(),
        }
    }
}

impl TryFrom<FactsRow> for DayFacts {
    type Error = Unreadable;
    fn try_from(row: FactsRow) -> Result<Self, Unreadable> {
        let check = |(at, why): (i64, Option<String>)| {
            Ok(SelfCheckFact {
                at: WallTime(at),
                complaint: why.as_deref().map(complaint).transpose()?,
            })
        };
        let alert = |(id, raised, end): (String, i64, Option<String>)| {
            let parse = |word: &str| AlertEnd::parse(word).ok_or_else(|| wrong("an outcome"));
            Ok(AlertFact {
                id: id.parse().map_err(|_| wrong("an alert"))?,
                raised: WallTime(raised),
                end: end.as_deref().map(parse).transpose()?,
            })
        };
        let colour = |(word, zh, en, people, fewer)| ColourTotal {
            word,
            name: Words { zh, en },
            people,
            fewer,
        };
        Ok(Self {
            clear: row.clear,
            retest: row.retest,
            possible_fever: row.possible_fever,
            cannot_judge: row.cannot_judge,
            self_checks: all(row.self_checks, check)?,
            alerts: all(row.alerts, alert)?,
            colours: row.colours.into_iter().map(colour).collect(),
        })
    }
}

fn all<R, T>(
    rows: Vec<R>,
    read: impl Fn(R) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Unreadable> {
    rows.into_iter().map(read).collect()
}

impl From<&DailyReport> for ReportRow {
    fn from(report: &DailyReport) -> Self {
        let texts = |notes: &[Note]| notes.iter().map(ToString::to_string).collect();
        Self {
            site: report.site.as_str().to_owned(),
            date: report.date.to_string(),
            revision: report.revision,
            template_version: report.template_version,
            as_of: report.as_of.0,
            items: report
                .items
                .iter()
                .map(|it| ItemRow {
                    id: it.id.to_string(),
                    category: it.category.as_str().to_owned(),
                    duty: it.duty.as_str().to_owned(),
                    zh: it.what.zh.clone(),
                    en: it.what.en.clone(),
                    progress: progress_row(&it.progress),
                })
                .collect(),
            failed: report
                .failed
                .iter()
                .map(|it| FailedRow {
                    item: it.slot.item.to_string(),
                    time: it.slot.number,
                    why: it.why.to_string(),
                    action: it.action.to_string(),
                    deadline: it.deadline.0,
                })
                .collect(),
            excused: report
                .excused
                .iter()
                .map(|it| ExcusedRow {
                    item: it.slot.item.to_string(),
                    time: it.slot.number,
                    why: it.why.to_string(),
                })
                .collect(),
            known: report
                .known
                .iter()
                .map(|it| KnownRow {
                    id: it.id.to_string(),
                    fact: it.fact.as_str().to_owned(),
                    found: it.finding.into(),
                })
                .collect(),
            facts: (&report.facts).into(),
            gaps: report
                .gaps
                .iter()
                .map(|it| GapRow {
                    date: it.date.to_string(),
                    id: it.id.to_string(),
                    how: it.how.to_string(),
                })
                .collect(),
            innovations: texts(&report.innovations),
            remarks: texts(&report.remarks),
        }
    }
}

impl TryFrom<ItemRow> for ItemLine {
    type Error = Unreadable;
    fn try_from(row: ItemRow) -> Result<Self, Unreadable> {
        let ItemRow { zh, en, .. } = row;
        Ok(Self {
            id: item(&row.id)?,
            category: Category::parse(&row.category).ok_or_else(|| wrong("a category"))?,
            duty: Duty::parse(&row.duty).ok_or_else(|| wrong("required or optional"))?,
            what: Words { zh, en },
            progress: progress(row.progress),
        })
    }
}

impl TryFrom<ReportRow> for DailyReport {
    type Error = Unreadable;
    fn try_from(row: ReportRow) -> Result<Self, Unreadable> {
        Ok(Self {
            site: SiteKind::parse(&row.site).ok_or_else(|| wrong("a kind of site"))?,
            date: date(&row.date)?,
            revision: row.revision,
            template_version: row.template_version,
            as_of: WallTime(row.as_of),
            items: all(row.items, ItemLine::try_from)?,
            failed: all(row.failed, |it| {
                Ok(FailedLine {
                    slot: slot(&it.item, it.time)?,
                    why: note(&it.why)?,
                    action: note(&it.action)?,
                    deadline: WallTime(it.deadline),
                })
            })?,
            excused: all(row.excused, |it| {
                Ok(ExcusedLine {
                    slot: slot(&it.item, it.time)?,
                    why: note(&it.why)?,
                })
            })?,
            known: all(row.known, |it| {
                Ok(KnownLine {
                    id: item(&it.id)?,
                    fact: Fact::parse(&it.fact).ok_or_else(|| wrong("a fact"))?,
                    finding: it.found.into(),
                })
            })?,
            facts: row.facts.try_into()?,
            gaps: all(row.gaps, |it| {
                Ok(GapLine {
                    date: date(&it.date)?,
                    id: item(&it.id)?,
                    how: note(&it.how)?,
                })
            })?,
            innovations: all(row.innovations, |it| note(&it))?,
            remarks: all(row.remarks, |it| note(&it))?,
        })
    }
}
