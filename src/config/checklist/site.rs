//! A site's own file: what it adds to the template, who owns what.
//!
//! ```toml
//! [site]
//! kind = "office"
//! built_on = 1                        # version of the template
//! leave_out = ["off-vanguard"]        # optional items only
//! photo = ["off-isolation-room"]      # proved with a picture, too
//! [hours]
//! open = "07:30-20:00"
//! shifts = ["07:00-19:00", "19:00-07:00"]
//! [owners.category]
//! gate = "王芳"
//! [owners.item]
//! off-air-fresh = "李强"
//! [[change]]                          # stricter, never weaker
//! id = "off-lift-buttons"
//! when = "every 30 min"
//! [[item]]                            # the site's own: as in a template, id from own-
//! id = "own-nursery"
//! ```

use super::item::{category, item, item_id, name, word_of};
use super::tree::{Node, Reading};
use crate::checklist::{
    Category, Duty, Group, ItemId, Owners, Proof, SiteChange, SiteKind, SiteList, SiteWishes,
    Template,
};
use crate::config::ConfigError;
use crate::config::read::Placed;
use crate::procedure::Procedure;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a site file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Which of the six lists.
    pub kind: SiteKind,
    /// On which version of it.
    pub on: u32,
}

/// Says on which template a file is built, whatever else is wrong with it.
pub(super) fn built(text: &str, file_name: &str) -> Result<Built, ConfigError> {
    Reading::whole(text, file_name, |read, root| Some(head(read, root)?.0))
}

fn head<'t>(read: &mut Reading<'t>, root: &Node<'_, 't>) -> Option<(Built, Range<usize>)> {
    let site = read.table(root, "site");
    if !root.has("site") {
        read.problem(
            0..0,
            "there is no [site]",
            "write [site], and below it kind = \"office\" and built_on = 1",
        );
        return None;
    }
    let kind = read.must(&site, "kind", |word| {
        word_of(
            word,
            SiteKind::parse,
            SiteKind::ALL.iter().map(|it| it.as_str()),
        )
    });
    let on = read.version(&site, "built_on");
    let (kind, on) = (kind?, on?);
    Some((
        Built {
            kind: kind.value,
            on: on.value,
        },
        on.span,
    ))
}

/// Reads a site's file onto a template. `known`: the versions that there are, where the template is
/// not of the version that the file names because there is none such.
pub(super) fn list(
    text: &str,
    file_name: &str,
    template: Option<&Template>,
    known: &[u32],
    procedure: &Procedure,
) -> Result<SiteList, ConfigError> {
    Reading::whole(text, file_name, |read, root| {
        read.only(root, &["site", "hours", "owners", "item", "change"]);
        let (built, span) = head(read, root)?;
        let Some(template) = template else {
            let known: Vec<String> = known.iter().map(u32::to_string).collect();
            read.problem(
                span,
                &format!(
                    "there is no version {} of the list {}",
                    built.on,
                    built.kind.as_str()
                ),
                &format!(
                    "this Menshen knows {}: update it, or write one of those as built_on",
                    known.join(", ")
                ),
            );
            return None;
        };
        let mut places = BTreeMap::new();
        let wishes = wishes(read, root, template, procedure, &mut places);
        match SiteList::new(template.clone(), wishes) {
            Ok(list) => Some(list),
            Err(flaws) => {
                for flaw in flaws {
                    let span = places.get(flaw.item()).cloned().unwrap_or_default();
                    read.problem(span, &flaw.to_string(), flaw.hint());
                }
                None
            }
        }
    })
}

fn wishes<'t>(
    read: &mut Reading<'t>,
    root: &Node<'_, 't>,
    template: &Template,
    procedure: &Procedure,
    places: &mut BTreeMap<ItemId, Range<usize>>,
) -> SiteWishes {
    let groups: BTreeMap<Category, Group> = template
        .items()
        .iter()
        .map(|item| (item.category, item.group))
        .collect();
    let site = read.table(root, "site");
    read.only(&site, &["kind", "built_on", "leave_out", "photo"]);
    let mut wishes = SiteWishes::default();
    let mut ids = |read: &mut Reading<'t>, key| {
        let found = read.list(&site, key, item_id);
        found
            .into_iter()
            .map(|Placed { value, span }| {
                places.insert(value.clone(), span);
                value
            })
            .collect::<Vec<_>>()
    };
    wishes.left_out = ids(read, "leave_out");
    wishes.photos = ids(read, "photo");

    let hours = read.table(root, "hours");
    read.only(&hours, &["open", "shifts"]);
    wishes.open = read.maybe(&hours, "open", str::parse).map(|it| it.value);
    let shifts = read.list(&hours, "shifts", str::parse);
    wishes.shifts = shifts.into_iter().map(|it| it.value).collect();

    wishes.owners = owners(read, root, places);
    for node in read.tables(root, "change") {
        wishes.changes.extend(change(read, &node, places));
    }
    for node in read.tables(root, "item") {
        if let Some(own) = item(read, &node, &groups, procedure) {
            places.insert(own.id.clone(), node.span.clone());
            wishes.own.push(own);
        }
    }
    wishes
}

fn owners<'t>(
    read: &mut Reading<'t>,
    root: &Node<'_, 't>,
    places: &mut BTreeMap<ItemId, Range<usize>>,
) -> Owners {
    let mut owners = Owners::default();
    let table = read.table(root, "owners");
    read.only(&table, &["category", "item"]);
    let categories = read.table(&table, "category");
    let words: Vec<&str> = Category::ALL.iter().map(|it| it.as_str()).collect();
    read.only(&categories, &words);
    for (word, _) in categories.names() {
        let owner = read.maybe(&categories, word, name);
        if let (Ok(category), Some(owner)) = (category(word), owner) {
            owners.categories.insert(category, owner.value);
        }
    }
    let items = read.table(&table, "item");
    for (word, span) in items.names() {
        let owner = read.maybe(&items, word, name);
        match item_id(word) {
            Ok(id) => {
                places.insert(id.clone(), span);
                owners.items.extend(owner.map(|owner| (id, owner.value)));
            }
            Err(_) => read.problem(
                span,
                &format!("\"{word}\" is no id of an item"),
                "take the id of an item: `menshen checklist templates --json` lists them",
            ),
        }
    }
    owners
}

fn change<'t>(
    read: &mut Reading<'t>,
    node: &Node<'_, 't>,
    places: &mut BTreeMap<ItemId, Range<usize>>,
) -> Option<SiteChange> {
    read.only(node, &["id", "when", "proof", "required"]);
    let id = read.must(node, "id", item_id)?;
    places.insert(id.value.clone(), id.span);
    let required = read.flag(node, "required");
    Some(SiteChange {
        id: id.value,
        schedule: read.maybe(node, "when", str::parse).map(|it| it.value),
        proof: read
            .maybe(node, "proof", str::parse::<Proof>)
            .map(|it| it.value),
        duty: required.map(|it| {
            if it.value {
                Duty::Required
            } else {
                Duty::Optional
            }
        }),
    })
}
