//! What one version of a list has that another one has not: shown before a template is taken over.

use super::template::{Item, ItemId};
use std::collections::BTreeMap;
use std::fmt;

/// One field of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Which, as the file calls it.
    pub field: &'static str,
    /// What stood there.
    pub before: String,
    /// What stands there now.
    pub after: String,
}

/// An item that is in both and not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub id: ItemId,
    /// What of it.
    pub fields: Vec<FieldChange>,
}

/// From one version of a list to another one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Items that are new, in their order.
    pub added: Vec<Item>,
    /// Items that are gone, in their order.
    pub removed: Vec<Item>,
    /// Items that are different.
    pub changed: Vec<Change>,
}

impl Diff {
    /// From `before` to `after`.
    #[must_use]
    pub fn between(before: &[Item], after: &[Item]) -> Self {
        let by_id = |items: &[Item]| -> BTreeMap<ItemId, Item> {
            let pairs = items.iter().map(|item| (item.id.clone(), item.clone()));
            pairs.collect()
        };
        let (old, new) = (by_id(before), by_id(after));
        let only = |items: &[Item], other: &BTreeMap<ItemId, Item>| {
            let lacking = items.iter().filter(|item| !other.contains_key(&item.id));
            lacking.cloned().collect()
        };
        let changed = after
            .iter()
            .filter_map(|item| {
                let fields = fields(old.get(&item.id)?, item);
                (!fields.is_empty()).then(|| Change {
                    id: item.id.clone(),
                    fields,
                })
            })
            .collect();
        Self {
            added: only(after, &old),
            removed: only(before, &new),
            changed,
        }
    }

    /// Whether both are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

fn fields(before: &Item, after: &Item) -> Vec<FieldChange> {
    let rows = |item: &Item| {
        [
            ("category", item.category.as_str().to_owned()),
            ("duty", item.duty.as_str().to_owned()),
            ("zh", item.what.zh.clone()),
            ("en", item.what.en.clone()),
            ("who", item.role.as_str().to_owned()),
            (
                "place",
                item.place
                    .map_or_else(String::new, |it| it.as_str().to_owned()),
            ),
            ("group", item.group.as_str().to_owned()),
            ("when", item.schedule.to_string()),
            ("proof", item.proof.to_string()),
            ("photo", item.photo.to_string()),
            (
                "clause",
                item.clause.map_or_else(String::new, |it| it.to_string()),
            ),
            ("source", item.source.clone().unwrap_or_default()),
        ]
    };
    rows(before)
        .into_iter()
        .zip(rows(after))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((field, before), (_, after))| FieldChange {
            field,
            before,
            after,
        })
        .collect()
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("the same\n");
        }
        for (sign, items) in [('+', &self.added), ('-', &self.removed)] {
            for item in items {
                let (duty, schedule) = (item.duty.as_str(), item.schedule);
                writeln!(f, "{sign} {} ({duty}, {schedule})", item.id)?;
                writeln!(f, "    {}\n    {}", item.what.zh, item.what.en)?;
            }
        }
        for change in &self.changed {
            writeln!(f, "~ {}", change.id)?;
            for field in &change.fields {
                writeln!(f, "    {}: {} → {}", field.field, field.before, field.after)?;
            }
        }
        Ok(())
    }
}
