//! 每日一报: the report of a day as one value. What the manager looks at is this value, and what the
//! street office receives is this value.
//!
//! It holds no name of anybody: not who ticked, not who owns an action. (What people write into a
//! reason or a remark is theirs; the page says beside the field that it leaves the building.)

use super::known::{DayFacts, Fact, Finding};
use super::round::{ClosedGap, Round, Standing};
use super::template::{Category, Duty, Item, ItemId, Proof, SiteKind};
use super::tick::{Slot, Tick};
use crate::calendar::Date;
use crate::clock::WallTime;
use crate::text::{Note, Words, named};
use std::collections::BTreeMap;
use std::ops::AddAssign;

named! {
    /// Where a time of an item stands when it is counted.
    Count {
        /// Done in time, or known to be in order.
        Done = "done", "完成", "done";
        /// Done late.
        Late = "late", "迟完成", "done late";
        /// Failed, with an action.
        Failed = "failed", "不合格", "failed";
        /// Had no place, with a reason.
        NotApplicable = "not_applicable", "不适用", "not applicable";
        /// Late and not done yet.
        Overdue = "overdue", "逾期未做", "overdue";
        /// Not done, and can be done no more.
        Missed = "missed", "漏查", "missed";
        /// Not due yet.
        Open = "open", "未到期", "not due yet";
    }
}

/// How far the times of an item, or of many, have come. Each counts in one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Done in time, or known to be in order.
    pub done: u32,
    /// Done late.
    pub late: u32,
    /// Failed, with an action.
    pub failed: u32,
    /// Had no place, with a reason.
    pub not_applicable: u32,
    /// Late and not done yet.
    pub overdue: u32,
    /// Not done, and can be done no more.
    pub missed: u32,
    /// Not due yet.
    pub open: u32,
}

impl Progress {
    /// Everything that was to be done by now, and had a place.
    #[must_use]
    pub const fn asked(&self) -> u32 {
        self.done + self.late + self.failed + self.overdue + self.missed
    }

    /// The share that was done, in time or late; `None` of nothing.
    #[must_use]
    pub fn completion(&self) -> Option<f64> {
        let asked = self.asked();
        (asked > 0).then(|| f64::from(self.done + self.late) / f64::from(asked))
    }

    /// The share that was late, overdue or missed; `None` of nothing.
    #[must_use]
    pub fn lateness(&self) -> Option<f64> {
        let asked = self.asked();
        (asked > 0).then(|| f64::from(self.late + self.overdue + self.missed) / f64::from(asked))
    }

    fn count(&mut self, standing: &Standing<'_>) {
        let field = match standing {
            Standing::Done { late: false, .. } | Standing::Known(_) => &mut self.done,
            Standing::Done { late: true, .. } => &mut self.late,
            Standing::Failed(_) => &mut self.failed,
            Standing::NotApplicable(_) => &mut self.not_applicable,
            Standing::Overdue => &mut self.overdue,
            Standing::Missed => &mut self.missed,
            Standing::NotYet | Standing::Open => &mut self.open,
            Standing::NotCalledFor => return,
        };
        *field += 1;
    }

    /// Each of its numbers.
    #[must_use]
    pub const fn counts(&self) -> [(Count, u32); 7] {
        [
            (Count::Done, self.done),
            (Count::Late, self.late),
            (Count::Failed, self.failed),
            (Count::NotApplicable, self.not_applicable),
            (Count::Overdue, self.overdue),
            (Count::Missed, self.missed),
            (Count::Open, self.open),
        ]
    }
}

impl AddAssign for Progress {
    fn add_assign(&mut self, more: Self) {
        self.done += more.done;
        self.late += more.late;
        self.failed += more.failed;
        self.not_applicable += more.not_applicable;
        self.overdue += more.overdue;
        self.missed += more.missed;
        self.open += more.open;
    }
}

/// One item of the day.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemLine {
    /// Which.
    pub id: ItemId,
    /// What it is about.
    pub category: Category,
    /// Whether it is required.
    pub duty: Duty,
    /// What was to be done.
    pub what: Words,
    /// How far its times have come.
    pub progress: Progress,
}

/// One category of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CategoryLine {
    /// Which.
    pub category: Category,
    /// Its required items.
    pub required: Progress,
    /// Its optional items.
    pub optional: Progress,
}

/// A failure, and what will be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedLine {
    /// What failed, and which time of it.
    pub slot: Slot,
    /// Why.
    pub why: Note,
    /// What will be done.
    pub action: Note,
    /// Until when.
    pub deadline: WallTime,
}

/// Something that had no place.
#[derive(Clone, Debug, PartialEq)]
pub struct ExcusedLine {
    /// What, and which time of it.
    pub slot: Slot,
    /// Why.
    pub why: Note,
}

/// What the gateway filled in itself.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownLine {
    /// For which item.
    pub id: ItemId,
    /// What it is.
    pub fact: Fact,
    /// What it knows.
    pub finding: Finding,
}

/// A failure of this day or an earlier one that was made good.
#[derive(Clone, Debug, PartialEq)]
pub struct GapLine {
    /// Of which day the failure is.
    pub date: Date,
    /// What had failed.
    pub id: ItemId,
    /// What was done.
    pub how: Note,
}

/// What people add to the report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diary {
    /// Failures that were made good today, of any day: 补短板.
    pub gaps: Vec<ClosedGap>,
    /// Small innovations: 微创新.
    pub innovations: Vec<Note>,
    /// Whatever else is to be said.
    pub remarks: Vec<Note>,
}

/// The report of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct DailyReport {
    /// What kind of site.
    pub site: SiteKind,
    /// Which day.
    pub date: Date,
    /// Which revision, from 1.
    pub revision: u32,
    /// On which version of the template.
    pub template_version: u32,
    /// As things stood at this moment.
    pub as_of: WallTime,
    /// Each item.
    pub items: Vec<ItemLine>,
    /// Failures.
    pub failed: Vec<FailedLine>,
    /// What had no place.
    pub excused: Vec<ExcusedLine>,
    /// What the gateway filled in.
    pub known: Vec<KnownLine>,
    /// Screenings, alerts and colours.
    pub facts: DayFacts,
    /// Gaps closed.
    pub gaps: Vec<GapLine>,
    /// Small innovations.
    pub innovations: Vec<Note>,
    /// Remarks.
    pub remarks: Vec<Note>,
}

impl DailyReport {
    /// The report of a round as things stand.
    #[must_use]
    pub fn of(round: &Round, facts: &DayFacts, diary: &Diary, as_of: WallTime) -> Self {
        let list = round.list();
        let mut report = Self {
            site: list.template().site,
            date: round.date(),
            revision: round.revision(),
            template_version: list.template().version,
            as_of,
            items: Vec::new(),
            failed: Vec::new(),
            excused: Vec::new(),
            known: Vec::new(),
            facts: facts.clone(),
            gaps: Vec::new(),
            innovations: diary.innovations.clone(),
            remarks: diary.remarks.clone(),
        };
        for item in list.items() {
            report.take(round, item, as_of);
        }
        report.gaps = diary
            .gaps
            .iter()
            .map(|gap| GapLine {
                date: gap.date,
                id: gap.slot.item.clone(),
                how: gap.how.clone(),
            })
            .collect();
        report
    }

    fn take(&mut self, round: &Round, item: &Item, as_of: WallTime) {
        let mut progress = Progress::default();
        let slots = round.slots().map(|(slot, _)| slot);
        for slot in slots.filter(|slot| slot.item == item.id) {
            let Some(standing) = round.standing(slot, &self.facts, as_of) else {
                continue;
            };
            progress.count(&standing);
            match standing {
                Standing::Failed(signed) => {
                    if let Tick::Failed { why, action } = &signed.request.tick {
                        self.failed.push(FailedLine {
                            slot: slot.clone(),
                            why: why.clone(),
                            action: action.what().clone(),
                            deadline: action.deadline(),
                        });
                    }
                }
                Standing::NotApplicable(signed) => {
                    if let Tick::NotApplicable { why } = &signed.request.tick {
                        self.excused.push(ExcusedLine {
                            slot: slot.clone(),
                            why: why.clone(),
                        });
                    }
                }
                _ => {}
            }
        }
        if let Proof::Known(fact) = item.proof {
            self.known.push(KnownLine {
                id: item.id.clone(),
                fact,
                finding: self.facts.finding(fact),
            });
        }
        self.items.push(ItemLine {
            id: item.id.clone(),
            category: item.category,
            duty: item.duty,
            what: item.what.clone(),
            progress,
        });
    }

    /// What an item asks for; its id, where the report has no such item.
    #[must_use]
    pub fn words_of(&self, id: &ItemId) -> Words {
        let item = self.items.iter().find(|it| it.id == *id);
        let unknown = || Words {
            zh: id.to_string(),
            en: id.to_string(),
        };
        item.map_or_else(unknown, |it| it.what.clone())
    }

    /// Category by category, those that the list has.
    #[must_use]
    pub fn categories(&self) -> Vec<CategoryLine> {
        let mut lines: BTreeMap<Category, CategoryLine> = BTreeMap::new();
        for item in &self.items {
            let line = lines.entry(item.category).or_insert(CategoryLine {
                category: item.category,
                required: Progress::default(),
                optional: Progress::default(),
            });
            match item.duty {
                Duty::Required => line.required += item.progress,
                Duty::Optional => line.optional += item.progress,
            }
        }
        lines.into_values().collect()
    }

    /// All required items together, or all optional ones.
    #[must_use]
    pub fn total(&self, duty: Duty) -> Progress {
        let mut total = Progress::default();
        for item in self.items.iter().filter(|item| item.duty == duty) {
            total += item.progress;
        }
        total
    }
}
