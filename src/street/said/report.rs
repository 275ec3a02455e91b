//! `report/<date>`: what a site reported of a day, read with the same suspicion. Pure.

use super::{
    Colours, ProgressPart, Reading, Screened, colours, date, item, note, part, together, word,
};
use crate::calendar::Date;
use crate::checklist::{AlertEnd, Category, Duty, Progress, SiteKind};
use serde::Deserialize;
use std::collections::BTreeMap;

/// An item of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportItem {
    /// Which.
    pub id: String,
    /// What it is about.
    pub category: Option<Category>,
    /// Whether it may be left out.
    pub duty: Duty,
    /// How far it came.
    pub progress: Progress,
}

/// A line of a report about one of an item's times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine {
    /// Which item.
    pub id: String,
    /// Which of its times, from 1; 0 where it is about none.
    pub time: u32,
    /// What failed, or why it had no place, or how it was made good.
    pub text: String,
    /// What is done about it.
    pub action: Option<String>,
}

/// A part of `report/<date>`, or with [`Report::join`] the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Of which day.
    pub date: Date,
    /// From 1; a later one takes the place of all before.
    pub revision: u32,
    /// Which part, from 1.
    pub part: u32,
    /// Of how many.
    pub of: u32,
    /// Which of the six lists.
    pub kind: Option<SiteKind>,
    /// Version of the list.
    pub template: u32,
    /// People of the day.
    pub screened: Screened,
    /// By colour.
    pub colours: Colours,
    /// Every item.
    pub items: Vec<ReportItem>,
    /// What failed.
    pub failed: Vec<ReportLine>,
    /// What had no place.
    pub excused: Vec<ReportLine>,
    /// What was made good.
    pub gaps: Vec<ReportLine>,
    /// Alerts with how they ended.
    pub alerts: Vec<(String, Option<AlertEnd>)>,
    /// 微创新.
    pub innovations: Vec<String>,
    /// Remarks.
    pub remarks: Vec<String>,
}

impl Report {
    /// Puts another part's lines behind its own.
    pub fn join(&mut self, part: Self) {
        self.items.extend(part.items);
        self.failed.extend(part.failed);
        self.excused.extend(part.excused);
        self.gaps.extend(part.gaps);
        self.alerts.extend(part.alerts);
        self.innovations.extend(part.innovations);
        self.remarks.extend(part.remarks);
    }

    /// All items of a duty together.
    #[must_use]
    pub fn total(&self, duty: Duty) -> Progress {
        let items = self.items.iter().filter(|it| it.duty == duty);
        items.fold(Progress::default(), |total, it| {
            together(total, it.progress)
        })
    }
}

#[derive(Deserialize)]
struct ItemPart {
    id: String,
    #[serde(default)]
    category: String,
    duty: String,
    #[serde(flatten)]
    progress: ProgressPart,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LinePart {
    id: String,
    time: u32,
    why: String,
    how: String,
    action: String,
}

#[derive(Deserialize)]
struct EndPart {
    id: String,
    end: Option<String>,
}

#[derive(Deserialize)]
struct ReportPart {
    date: String,
    revision: u32,
    part: u32,
    of: u32,
    site: String,
    #[serde(default)]
    template: u32,
    #[serde(default)]
    screened: Screened,
    #[serde(default)]
    items: Vec<ItemPart>,
    #[serde(default)]
    failed: Vec<LinePart>,
    #[serde(default)]
    excused: Vec<LinePart>,
    #[serde(default)]
    alerts: Vec<EndPart>,
    #[serde(default)]
    colours: BTreeMap<String, u64>,
    #[serde(default)]
    colours_below: BTreeMap<String, u64>,
    #[serde(default)]
    gaps: Vec<LinePart>,
    #[serde(default)]
    innovations: Vec<String>,
    #[serde(default)]
    remarks: Vec<String>,
}

fn lines(parts: &[LinePart]) -> Vec<ReportLine> {
    let line = |it: &LinePart| ReportLine {
        id: item(&it.id),
        time: it.time,
        text: note(if it.why.is_empty() { &it.how } else { &it.why }).unwrap_or_default(),
        action: note(&it.action),
    };
    parts.iter().map(line).collect()
}

/// Reads a part of `report/<date>`.
///
/// # Errors
/// [`Unreadable`](super::Unreadable).
pub fn report(payload: &[u8]) -> Reading<Report> {
    part::<ReportPart>(payload)?.map(|it| {
        if it.revision == 0 || !(1..=it.of).contains(&it.part) {
            return Err(format!(
                "revision {}, part {} of {}: no such part of a report",
                it.revision, it.part, it.of
            ));
        }
        let items = it.items.iter().map(|it| ReportItem {
            id: item(&it.id),
            category: Category::parse(&it.category),
            // What is not known to be optional is required.
            duty: Duty::parse(&it.duty).unwrap_or(Duty::Required),
            progress: it.progress.into(),
        });
        let end = |it: &EndPart| (word(&it.id), it.end.as_deref().and_then(AlertEnd::parse));
        Ok(Report {
            date: date(&it.date)?,
            revision: it.revision,
            part: it.part,
            of: it.of,
            kind: SiteKind::parse(&it.site),
            template: it.template,
            screened: it.screened,
            colours: colours(&it.colours, &it.colours_below),
            items: items.collect(),
            failed: lines(&it.failed),
            excused: lines(&it.excused),
            gaps: lines(&it.gaps),
            alerts: it.alerts.iter().map(end).collect(),
            innovations: it.innovations.iter().filter_map(|it| note(it)).collect(),
            remarks: it.remarks.iter().filter_map(|it| note(it)).collect(),
        })
    })
}
