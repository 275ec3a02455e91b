//! 复盘: what the reports of many days say together.

use super::report::{DailyReport, Progress};
use super::template::{Category, Duty, ItemId};
use crate::calendar::Date;
use crate::text::Words;
use std::collections::BTreeMap;

/// One day of the trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayShare {
    /// Which day.
    pub date: Date,
    /// Its required items.
    pub required: Progress,
    /// Its optional items.
    pub optional: Progress,
}

/// One item over all days.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRecord {
    /// Which.
    pub id: ItemId,
    /// What it is about.
    pub category: Category,
    /// As it was worded last.
    pub what: Words,
    /// Over all days together.
    pub progress: Progress,
    /// Day by day.
    pub days: Vec<(Date, Progress)>,
}

/// Reports of many days together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookBack {
    /// Day by day.
    pub days: Vec<DayShare>,
    /// Item by item: most failures first, then what was missed or overdue most, then what was late most.
    pub items: Vec<ItemRecord>,
}

impl LookBack {
    /// Over these reports, in any order; of each day the last revision counts.
    #[must_use]
    pub fn over(reports: &[DailyReport]) -> Self {
        let mut last: BTreeMap<Date, &DailyReport> = BTreeMap::new();
        for report in reports {
            let known = last.entry(report.date).or_insert(report);
            if report.revision >= known.revision {
                *known = report;
            }
        }
        let days = last
            .values()
            .map(|report| DayShare {
                date: report.date,
                required: report.total(Duty::Required),
                optional: report.total(Duty::Optional),
            })
            .collect();
        let mut items: BTreeMap<ItemId, ItemRecord> = BTreeMap::new();
        for report in last.values() {
            for line in &report.items {
                let record = items.entry(line.id.clone()).or_insert_with(|| ItemRecord {
                    id: line.id.clone(),
                    category: line.category,
                    what: line.what.clone(),
                    progress: Progress::default(),
                    days: Vec::new(),
                });
                record.what.clone_from(&line.what);
                record.progress += line.progress;
                record.days.push((report.date, line.progress));
            }
        }
        let mut items: Vec<ItemRecord> = items.into_values().collect();
        items.sort_by_key(|item| {
            let Progress {
                failed,
                missed,
                overdue,
                late,
                ..
            } = item.progress;
            std::cmp::Reverse((failed, missed + overdue, late))
        });
        Self { days, items }
    }
}
