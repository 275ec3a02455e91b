//! A site's own list: the template, what the site adds to it, and who owns what.
//!
//! The six lists are a pledge: every required item has a named owner, and the manager signs for them
//! all. Names stay on this device.

use super::schedule::Schedule;
use super::template::{Category, Duty, Item, ItemId, Place, Proof, Template};
use super::tightening::tightened;
use crate::calendar::Span;
use crate::clock::Stamp;
use crate::text::Note;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Who owns what, by name: an item's owner comes before its category's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// Of whole categories.
    pub categories: BTreeMap<Category, Note>,
    /// Of single items.
    pub items: BTreeMap<ItemId, Note>,
}

/// What a site asks for beyond the template, for one of its items.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteChange {
    /// Which.
    pub id: ItemId,
    /// More often, or earlier.
    pub schedule: Option<Schedule>,
    /// More proof, or a narrower range.
    pub proof: Option<Proof>,
    /// Required instead of optional.
    pub duty: Option<Duty>,
}

/// What a site wants of its list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteWishes {
    /// When it is open; without it, as the template says.
    pub open: Option<Span>,
    /// Its shifts; without any, the template's.
    pub shifts: Vec<Span>,
    /// Items of its own.
    pub own: Vec<Item>,
    /// Items that are to be stricter.
    pub changes: Vec<SiteChange>,
    /// Items of the template that it leaves out.
    pub left_out: Vec<ItemId>,
    /// Items that are proved with a picture, too.
    pub photos: Vec<ItemId>,
    /// Who owns what.
    pub owners: Owners,
}

/// What a site may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteFlaw {
    /// There is no such item.
    Unknown(ItemId),
    /// A required item cannot be left out or made optional.
    RequiredDropped(ItemId),
    /// An item of the template cannot ask for less.
    Weakened {
        /// Which.
        id: ItemId,
        /// Which field.
        field: &'static str,
        /// What the template asks for.
        asked: String,
        /// What the site wants.
        wanted: String,
    },
    /// A site's own item has the name of a template's.
    NotOwn(ItemId),
    /// It stands there twice.
    TwiceThere(ItemId),
    /// The gateway fills in only what its template says.
    CannotBeKnown(ItemId),
}

impl SiteFlaw {
    /// The item in question.
    #[must_use]
    pub const fn item(&self) -> &ItemId {
        match self {
            Self::Unknown(id)
            | Self::RequiredDropped(id)
            | Self::Weakened { id, .. }
            | Self::NotOwn(id)
            | Self::TwiceThere(id)
            | Self::CannotBeKnown(id) => id,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unknown(_) => {
                "take an id of the site's own items or of the template: `menshen checklist \
                 templates --json` lists those"
            }
            Self::RequiredDropped(_) => {
                "keep it; where it has no place on a day, tick \"not applicable\" with the reason"
            }
            Self::Weakened { .. } => {
                "a site may ask for more than the template, never for less: take the line out, or \
                 make it stricter"
            }
            Self::NotOwn(_) => {
                "let the site's own items begin with own-; an item of the template is made \
                 stricter under [[change]]"
            }
            Self::TwiceThere(_) => "keep one of them",
            Self::CannotBeKnown(_) => {
                "write another proof, such as \"tick\": what the gateway knows stands in the \
                 template already"
            }
        }
    }
}

impl fmt::Display for SiteFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "there is no item {id}"),
            Self::RequiredDropped(id) => {
                write!(f, "{id} is required (规定动作) and cannot be dropped")
            }
            Self::Weakened {
                id,
                field,
                asked,
                wanted,
            } => write!(
                f,
                "{id}: {field} = \"{wanted}\" is less than the template asks for (\"{asked}\"), or \
                 cannot be compared with it"
            ),
            Self::NotOwn(id) => write!(f, "{id} is no name for a site's own item"),
            Self::TwiceThere(id) => write!(f, "{id} stands there twice"),
            Self::CannotBeKnown(id) => write!(f, "{id} cannot be filled in by the gateway"),
        }
    }
}

impl std::error::Error for SiteFlaw {}

/// The list of one site.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteList {
    template: Template,
    items: Vec<Item>,
    open: Span,
    shifts: Vec<Span>,
    owners: Owners,
}

impl SiteList {
    /// The template as it is, with nobody's name in it.
    #[must_use]
    pub fn plain(template: Template) -> Self {
        Self {
            items: template.items().to_vec(),
            open: template.open,
            shifts: template.shifts.clone(),
            owners: Owners::default(),
            template,
        }
    }

    /// The template with what the site wants.
    ///
    /// # Errors
    /// Everything that the site may not do.
    pub fn new(template: Template, wishes: SiteWishes) -> Result<Self, Vec<SiteFlaw>> {
        let mut flaws = Vec::new();
        let mut list = Self::plain(template);
        list.open = wishes.open.unwrap_or(list.open);
        if !wishes.shifts.is_empty() {
            list.shifts = wishes.shifts;
        }
        let mut changed = BTreeSet::new();
        for change in &wishes.changes {
            if !changed.insert(&change.id) {
                flaws.push(SiteFlaw::TwiceThere(change.id.clone()));
                continue;
            }
            match list.items.iter_mut().find(|item| item.id == change.id) {
                None => flaws.push(SiteFlaw::Unknown(change.id.clone())),
                Some(item) => match tightened(item, change, list.open) {
                    Ok(own) => *item = own,
                    Err(flaw) => flaws.push(flaw),
                },
            }
        }
        for id in &wishes.left_out {
            match list.template.items().iter().find(|item| item.id == *id) {
                None => flaws.push(SiteFlaw::Unknown(id.clone())),
                Some(item) if item.duty == Duty::Required => {
                    flaws.push(SiteFlaw::RequiredDropped(id.clone()));
                }
                Some(_) => list.items.retain(|item| item.id != *id),
            }
        }
        for own in wishes.own {
            if !own.id.is_own() {
                flaws.push(SiteFlaw::NotOwn(own.id));
            } else if matches!(own.proof, Proof::Known(_)) {
                flaws.push(SiteFlaw::CannotBeKnown(own.id));
            } else if list.items.iter().any(|item| item.id == own.id) {
                flaws.push(SiteFlaw::TwiceThere(own.id));
            } else {
                list.items.push(own);
            }
        }
        for id in &wishes.photos {
            match list.items.iter_mut().find(|item| item.id == *id) {
                None => flaws.push(SiteFlaw::Unknown(id.clone())),
                Some(item) if matches!(item.proof, Proof::Known(_)) => {
                    flaws.push(SiteFlaw::CannotBeKnown(id.clone()));
                }
                Some(item) => item.photo = true,
            }
        }
        for id in wishes.owners.items.keys() {
            if list.item(id).is_none() {
                flaws.push(SiteFlaw::Unknown(id.clone()));
            }
        }
        list.owners = wishes.owners;
        if flaws.is_empty() {
            Ok(list)
        } else {
            Err(flaws)
        }
    }

    /// The template on which it is built.
    #[must_use]
    pub const fn template(&self) -> &Template {
        &self.template
    }

    /// All items: the template's first, then the site's own.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// One item.
    #[must_use]
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == *id)
    }

    /// Every place at which something is to be done.
    #[must_use]
    pub fn places(&self) -> BTreeSet<Place> {
        self.items.iter().filter_map(|item| item.place).collect()
    }

    /// When the site is open.
    #[must_use]
    pub const fn open(&self) -> Span {
        self.open
    }

    /// Its shifts.
    #[must_use]
    pub fn shifts(&self) -> &[Span] {
        &self.shifts
    }

    /// Who owns an item; `None` while nobody does.
    #[must_use]
    pub fn owner(&self, item: &Item) -> Option<&Note> {
        let of_category = || self.owners.categories.get(&item.category);
        self.owners.items.get(&item.id).or_else(of_category)
    }

    /// Required items that nobody owns; the gateway owns what it fills in.
    #[must_use]
    pub fn unowned(&self) -> Vec<&ItemId> {
        self.items
            .iter()
            .filter(|item| item.duty == Duty::Required && !matches!(item.proof, Proof::Known(_)))
            .filter(|item| self.owner(item).is_none())
            .map(|item| &item.id)
            .collect()
    }
}

/// The manager's signature below the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Pledge {
    /// Who signed.
    pub by: Note,
    /// When.
    pub at: Stamp,
    /// Which version of the template stood above it.
    pub version: u32,
}

impl Pledge {
    /// Signs for a list.
    ///
    /// # Errors
    /// The required items that nobody owns: a pledge without a name is none.
    pub fn sign(list: &SiteList, by: Note, at: Stamp) -> Result<Self, Vec<ItemId>> {
        let unowned = list.unowned();
        if unowned.is_empty() {
            Ok(Self {
                by,
                at,
                version: list.template().version,
            })
        } else {
            Err(unowned.into_iter().cloned().collect())
        }
    }
}
