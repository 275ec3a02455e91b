//! 军令状, the list as a pledge: every item with its owner, every category with the working group of the street
//! office behind it, what goes up to those groups now, and the manager's signature below it all. Who owns
//! what can be named here, over what the site's file says; then the list has to be signed again.

use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, get, post};
use super::words::duties::{proof, schedule};
use super::{Shared, page, when, who};
use crate::checklist::{
    Category, Charge, Desk, DeskError, Duty, Escalated, Item, ItemId, SiteList,
};
use crate::clock::Stamp;
use crate::staff::{Right, Who};
use crate::text::{Note, Words};
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// An item of the list, as it is shown.
struct ItemView {
    id: String,
    what: Words,
    required: bool,
    role_zh: &'static str,
    role_en: &'static str,
    when: Words,
    proof: Words,
    clause: Option<String>,
    /// Who owns it; empty: nobody.
    owner: String,
    /// Named for this item alone.
    alone: bool,
    /// Whether it needs an owner and has none.
    unowned: bool,
}

/// A category, as it is shown.
struct CategoryView {
    category: Category,
    /// The groups of the street office behind it.
    groups: Vec<crate::checklist::Group>,
    owner: String,
    items: Vec<ItemView>,
}

/// What goes up to a group.
struct CallView {
    group_zh: &'static str,
    group_en: &'static str,
    what: Words,
    owner: String,
    overdue: u32,
    missed: u32,
    failed: u32,
    since: String,
}

/// A signature, as it is shown.
struct PledgeView {
    by: String,
    at: String,
    version: u32,
    stands: bool,
}

#[derive(Template)]
#[template(path = "pledge.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    site_zh: &'static str,
    site_en: &'static str,
    version: u32,
    required: usize,
    optional: usize,
    /// Whether whoever looks may sign and name owners.
    runs: bool,
    /// Whether they type their name.
    types: bool,
    calls: Vec<CallView>,
    categories: Vec<CategoryView>,
    unowned: usize,
    /// Newest first.
    pledges: Vec<PledgeView>,
    /// Since when which list was in force, oldest first.
    lists: Vec<(String, &'static str, &'static str, u32)>,
    /// A newer version, and what it would change.
    upgrade: Option<(u32, String)>,
}

fn item_view(list: &SiteList, item: &Item) -> ItemView {
    let owner = list.owner(item).map_or_else(String::new, Note::to_string);
    ItemView {
        id: item.id.to_string(),
        what: item.what.clone(),
        required: item.duty == Duty::Required,
        role_zh: item.role.zh(),
        role_en: item.role.en(),
        when: schedule(item.schedule),
        proof: proof(&item.proof),
        clause: item.clause.map(|clause| clause.to_string()),
        alone: list.owners().items.contains_key(&item.id),
        unowned: list.unowned().contains(&&item.id),
        owner,
    }
}

fn category_view(list: &SiteList, category: Category) -> Option<CategoryView> {
    let of = |item: &&Item| item.category == category;
    let items: Vec<&Item> = list.items().iter().filter(of).collect();
    let mut groups: Vec<_> = items.iter().map(|item| item.group).collect();
    groups.sort();
    groups.dedup();
    let owner = list.owners().categories.get(&category);
    (!items.is_empty()).then(|| CategoryView {
        category,
        groups,
        owner: owner.map_or_else(String::new, Note::to_string),
        items: items.iter().map(|item| item_view(list, item)).collect(),
    })
}

fn call_view(list: &SiteList, it: &Escalated, now: &Stamp) -> CallView {
    let item = list.item(&it.item);
    let since = Stamp {
        wall: it.since,
        ..*now
    };
    let nameless = || Words {
        zh: it.item.to_string(),
        en: String::new(),
    };
    CallView {
        group_zh: it.group.zh(),
        group_en: it.group.en(),
        what: item.map_or_else(nameless, |item| item.what.clone()),
        owner: item
            .and_then(|item| list.owner(item))
            .map_or_else(|| "–".to_owned(), Note::to_string),
        overdue: it.overdue,
        missed: it.missed,
        failed: it.failed,
        since: when::short(&since, now),
    }
}

fn build(desk: &Desk, now: &Stamp, types: bool, frame: Frame) -> Result<Page, DeskError> {
    let list = desk.owned_list()?;
    let log = desk.log(desk.today(*now)?)?;
    let template = list.template();
    let count = |duty| list.items().iter().filter(|it| it.duty == duty).count();
    let mut calls = log.escalated(now.wall);
    calls.sort_by_key(|it| it.group);
    let pledges = desk.pledges()?;
    let newest = pledges.len();
    let views = (1..).zip(&pledges).map(|(number, it)| PledgeView {
        by: it.by.to_string(),
        at: when::short(&it.at, now),
        version: it.version,
        stands: number == newest && it.stands_for(&list),
    });
    let mut views: Vec<PledgeView> = views.collect();
    views.reverse();
    Ok(Page {
        site_zh: template.site.zh(),
        site_en: template.site.en(),
        version: template.version,
        required: count(Duty::Required),
        optional: count(Duty::Optional),
        runs: frame
            .who
            .as_ref()
            .is_some_and(|it| it.role.may(Right::RunChecklist)),
        types,
        calls: calls.iter().map(|it| call_view(&list, it, now)).collect(),
        categories: Category::ALL
            .iter()
            .filter_map(|it| category_view(&list, *it))
            .collect(),
        unowned: list.unowned().len(),
        pledges: views,
        lists: desk
            .lists()?
            .into_iter()
            .map(|(since, site, version)| (since.to_string(), site.zh(), site.en(), version))
            .collect(),
        upgrade: desk
            .upgrade()
            .map(|(version, diff)| (version, diff.to_string())),
        frame,
    })
}

/// `GET /pledge`.
async fn pledge(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let types = shared.door.is_none();
    let page = shared.desk(move |desk, now| build(desk, &now, types, frame));
    page::html(&page.await?)
}

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PledgeForm {
    by: String,
    category: String,
    item: String,
    owner: String,
}

type Sent = Result<Form<PledgeForm>, FormRejection>;

/// `POST /pledge/sign`.
async fn sign(
    State(shared): State<Arc<Shared>>,
    who: Who,
    form: Sent,
) -> Result<Response, Problem> {
    let form = super::alerts::sent(form)?;
    let by = who::acting(&shared, who, &form.by)?;
    shared
        .desk_writes(move |desk, now| desk.pledge(&by, now))
        .await?;
    Ok(Redirect::to("/pledge#signed").into_response())
}

/// What somebody is named for.
fn charge(form: &PledgeForm) -> Result<Charge, Problem> {
    let category = Category::parse(&form.category).map(Charge::Category);
    let item = || ItemId::new(&form.item).map(Charge::Item);
    category.or_else(item).ok_or(Problem::Incomplete(
        "清单中没有这一类或这一项，请刷新页面。",
        "The list has no such category or item: reload the page.",
    ))
}

/// `POST /pledge/owner`: names an owner; without a name, nobody by name.
async fn owner(
    State(shared): State<Arc<Shared>>,
    who: Who,
    form: Sent,
) -> Result<Response, Problem> {
    let form = super::alerts::sent(form)?;
    let charge = charge(&form)?;
    let owner = match form.owner.trim() {
        "" => None,
        name => Some(super::rounds::name(name)?),
    };
    let by = who::acting(&shared, who, &form.by)?;
    let anchor = match &charge {
        Charge::Category(it) => it.as_str().to_owned(),
        Charge::Item(it) => it.to_string(),
    };
    shared
        .desk_writes(move |desk, now| desk.name_owner(charge, owner, &by, now))
        .await?;
    Ok(Redirect::to(&format!("/pledge#{anchor}")).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/pledge", Right::Tick, pledge),
        post("/pledge/sign", Right::RunChecklist, sign),
        post("/pledge/owner", Right::RunChecklist, owner),
    ]
}
