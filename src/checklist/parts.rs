//! A report in parts, where it is too long for one message: each part is a report with some of the lines,
//! and all their lines together are the report's.
//!
//! A message holds 8 KiB. JSON doubles a quotation mark at worst, and puts some hundred bytes of names
//! around a line; so a part has texts of at most [`PART_BYTES`].

use super::report::DailyReport;

/// Weight of the lines of one part: bytes of their texts, and [`LINE_BYTES`] for each.
const PART_BYTES: usize = 3600;

/// What is reckoned for a line beside its texts.
const LINE_BYTES: usize = 90;

/// Fills parts one after another.
struct Packer {
    head: DailyReport,
    parts: Vec<DailyReport>,
    weight: usize,
}

impl Packer {
    /// The part in which a line with such a text has room.
    fn room(&mut self, text: usize) -> &mut DailyReport {
        let weight = text + LINE_BYTES;
        if self.weight + weight > PART_BYTES && self.weight > 0 {
            self.parts.push(self.head.clone());
            self.weight = 0;
        }
        self.weight += weight;
        match self.parts.last_mut() {
            Some(part) => part,
            None => &mut self.head,
        }
    }
}

impl DailyReport {
    /// The report in as many parts as it needs, at least one.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        let mut head = self.clone();
        head.items.clear();
        head.failed.clear();
        head.excused.clear();
        head.known.clear();
        head.gaps.clear();
        head.innovations.clear();
        head.remarks.clear();
        head.facts.alerts.clear();
        let mut pack = Packer {
            parts: vec![head.clone()],
            head,
            weight: 0,
        };
        for it in &self.items {
            pack.room(0).items.push(it.clone());
        }
        for it in &self.known {
            pack.room(0).known.push(it.clone());
        }
        for it in &self.facts.alerts {
            pack.room(0).facts.alerts.push(*it);
        }
        for it in &self.failed {
            let text = it.why.as_str().len() + it.action.as_str().len();
            pack.room(text).failed.push(it.clone());
        }
        for it in &self.excused {
            let text = it.why.as_str().len();
            pack.room(text).excused.push(it.clone());
        }
        for it in &self.gaps {
            pack.room(it.how.as_str().len()).gaps.push(it.clone());
        }
        for it in &self.innovations {
            pack.room(it.as_str().len()).innovations.push(it.clone());
        }
        for it in &self.remarks {
            pack.room(it.as_str().len()).remarks.push(it.clone());
        }
        pack.parts
    }

    /// One report of its parts; `None` of none, or of parts of different reports.
    #[must_use]
    pub fn joined(parts: &[Self]) -> Option<Self> {
        let (first, rest) = parts.split_first()?;
        let mut whole = first.clone();
        for part in rest {
            if (part.date, part.revision, part.as_of) != (whole.date, whole.revision, whole.as_of) {
                return None;
            }
            whole.items.extend_from_slice(&part.items);
            whole.known.extend_from_slice(&part.known);
            whole.facts.alerts.extend_from_slice(&part.facts.alerts);
            whole.failed.extend_from_slice(&part.failed);
            whole.excused.extend_from_slice(&part.excused);
            whole.gaps.extend_from_slice(&part.gaps);
            whole.innovations.extend_from_slice(&part.innovations);
            whole.remarks.extend_from_slice(&part.remarks);
        }
        Some(whole)
    }
}
