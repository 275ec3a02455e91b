//! What one revision of a report says that an earlier one did not, point by point: shown before the next one
//! is submitted, and beside each that was.

use super::known::{AlertEnd, AlertFact};
use super::report::{Count, DailyReport};
use super::template::ItemId;
use super::tick::Slot;
use crate::calendar::Date;
use crate::id::AlertId;
use crate::screening::Verdict;
use crate::text::Words;

/// What a line of a report is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// How many times of an item stand so.
    Item(ItemId, Count),
    /// Why something failed, and what is done about it.
    Failure(Slot),
    /// Why something had no place.
    Reason(Slot),
    /// What the gateway filled in.
    Known(ItemId),
    /// How many people were judged so.
    Screened(Verdict),
    /// An alert.
    Alert(AlertId),
    /// How many people are in a colour, by its word.
    Colour(String),
    /// How a failure of a day was made good.
    GapClosed(Date, ItemId),
    /// A small innovation, by its number.
    Innovation(usize),
    /// A remark, by its number.
    Remark(usize),
}

/// A difference between two revisions.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportChange {
    /// Of what.
    pub point: Point,
    /// What stood there; `None`: nothing.
    pub before: Option<Words>,
    /// What stands there now; `None`: nothing.
    pub after: Option<Words>,
}

impl DailyReport {
    /// What this revision says that an earlier one did not, in this one's order; what is gone comes last.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<ReportChange> {
        let mut old = earlier.points();
        let mut changes = Vec::new();
        for (point, after) in self.points() {
            let place = old.iter().position(|(it, _)| *it == point);
            let before = place.map(|place| old.remove(place).1);
            if before.as_ref() != Some(&after) {
                changes.push(ReportChange {
                    point,
                    before,
                    after: Some(after),
                });
            }
        }
        changes.extend(old.into_iter().map(|(point, before)| ReportChange {
            point,
            before: Some(before),
            after: None,
        }));
        changes
    }

    /// The whole report, point by point. Numbers that are zero are no points, but for people: nobody screened
    /// is something to know.
    fn points(&self) -> Vec<(Point, Words)> {
        let mut points = Vec::new();
        for item in &self.items {
            let counts = item.progress.counts().into_iter();
            points.extend(
                counts
                    .filter(|(_, number)| *number > 0)
                    .map(|(count, number)| (Point::Item(item.id.clone(), count), same(&number))),
            );
        }
        points.extend(self.failed.iter().map(|it| {
            let words = same(&format!("{} → {}", it.why, it.action));
            (Point::Failure(it.slot.clone()), words)
        }));
        let reasons = self.excused.iter();
        points.extend(reasons.map(|it| (Point::Reason(it.slot.clone()), same(&it.why))));
        let known = self.known.iter();
        points.extend(known.map(|it| (Point::Known(it.id.clone()), it.finding.words())));
        let screened = self.facts.by_verdict().into_iter();
        points.extend(screened.map(|(verdict, people)| (Point::Screened(verdict), same(&people))));
        let alerts = self.facts.alerts.iter();
        points.extend(alerts.map(|it| (Point::Alert(it.id), end_of(it))));
        let colours = self.facts.colours.iter();
        points.extend(colours.map(|it| (Point::Colour(it.word.clone()), same(&it.people))));
        points.extend(self.gaps.iter().map(|it| {
            let point = Point::GapClosed(it.date, it.id.clone());
            (point, same(&it.how))
        }));
        let notes = |notes: &[crate::text::Note], point: fn(usize) -> Point| {
            let numbered = (1..).zip(notes);
            numbered
                .map(|(number, note)| (point(number), same(note)))
                .collect::<Vec<_>>()
        };
        points.extend(notes(&self.innovations, Point::Innovation));
        points.extend(notes(&self.remarks, Point::Remark));
        points
    }
}

/// What reads the same in both languages.
fn same(text: &impl ToString) -> Words {
    let zh = text.to_string();
    Words { en: zh.clone(), zh }
}

/// How an alert ended.
fn end_of(alert: &AlertFact) -> Words {
    let (zh, en) = alert
        .end
        .map_or(("未办结", "no outcome yet"), |end: AlertEnd| {
            (end.zh(), end.en())
        });
    Words {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}
