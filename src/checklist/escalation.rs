//! What goes up to the street's working groups: required items that are late, were missed, or failed and
//! were not made good. Each category has a group of the street office behind it (联络协调, 应急处置, 信息专报,
//! 工作保障, 企业服务), and that group hears of it without anybody having to call.

use super::day_log::DayLog;
use super::round::Standing;
use super::template::{Duty, Group, Item, ItemId};
use super::tick::Slot;
use crate::clock::WallTime;

/// A required item that is not as it must be. Names of people are not in it: it leaves the building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalated {
    /// Which.
    pub item: ItemId,
    /// Who answers for it at the street office.
    pub group: Group,
    /// How many of its times are late and can still be done.
    pub overdue: u32,
    /// How many were missed.
    pub missed: u32,
    /// How many failed and are not made good.
    pub failed: u32,
    /// Since when the first of them has been so.
    pub since: WallTime,
}

impl Escalated {
    const fn new(item: ItemId, group: Group) -> Self {
        Self {
            item,
            group,
            overdue: 0,
            missed: 0,
            failed: 0,
            since: WallTime(i64::MAX),
        }
    }

    /// How many of its times are late or were missed.
    #[must_use]
    pub const fn late(&self) -> u32 {
        self.overdue + self.missed
    }

    fn count(&mut self, standing: &Standing<'_>, due: WallTime) {
        let (field, since) = match standing {
            Standing::Overdue => (&mut self.overdue, due),
            Standing::Missed => (&mut self.missed, due),
            Standing::Failed(signed) => (&mut self.failed, signed.done_at),
            _ => return,
        };
        *field += 1;
        self.since = self.since.min(since);
    }
}

impl DayLog {
    /// What goes up as things stand, in the list's order.
    #[must_use]
    pub fn escalated(&self, now: WallTime) -> Vec<Escalated> {
        let round = &self.round;
        let made_good = |slot: &Slot| {
            let mut gaps = self.diary.gaps.iter();
            gaps.any(|gap| gap.date == round.date() && gap.slot == *slot)
        };
        let of = |item: &Item| {
            let mut line = Escalated::new(item.id.clone(), item.group);
            let slots = round.slots().filter(|(slot, _)| slot.item == item.id);
            for (slot, window) in slots {
                let standing = round.standing(slot, &self.facts, now);
                if let Some(standing) = standing.filter(|_| !made_good(slot)) {
                    line.count(&standing, window.due.unwrap_or(window.closes));
                }
            }
            (line.since.0 < i64::MAX).then_some(line)
        };
        let items = round.list().items().iter();
        let required = items.filter(|it| it.duty == Duty::Required);
        required.filter_map(of).collect()
    }
}
