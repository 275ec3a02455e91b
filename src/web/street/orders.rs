//! What goes down to sites, and what each of them answered: an order stays until every site has said what became of
//! it, and is sent again until then, or until it is over.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post};
use super::super::words::{Words, street as said};
use super::super::{page, when};
use super::{Office, StreetOffice};
use crate::clock::WallTime;
use crate::staff::{Right, Who};
use crate::street::{Address, Errand, Order, Outcome, Row, announcement};
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// Where it is.
pub(super) const PAGE: &str = "/orders";

/// Orders that are shown.
const MOST: u32 = 50;

/// How long an order is sent to sites that do not answer, milliseconds: a day.
const LASTS: i64 = WallTime::DAY_MS;

/// A site's answer.
struct ErrandView {
    name: String,
    path: String,
    icon: &'static str,
    words: Words,
    why: Option<String>,
    at: Option<String>,
}

/// An order.
struct OrderView {
    words: Words,
    id: String,
    given: String,
    expires: String,
    is_over: bool,
    done: usize,
    refused: usize,
    waiting: usize,
    errands: Vec<ErrandView>,
}

#[derive(Template)]
#[template(path = "street/orders.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    sites: usize,
    may: bool,
    orders: Vec<OrderView>,
}

fn errand(rows: &[Row], it: &Errand) -> ErrandView {
    let row = rows.iter().find(|row| row.address == it.site);
    let (icon, words, why, at) = match &it.outcome {
        Outcome::Waiting => ("…", said::WAITING, None, None),
        Outcome::Done { at } => ("✓", said::ANSWERED, None, Some(*at)),
        Outcome::Refused { why, at } => ("✕", said::REFUSED, Some(why.clone()), Some(*at)),
    };
    ErrandView {
        name: row.map_or_else(
            || format!("{} · {}", it.site.building, it.site.gate),
            Row::name,
        ),
        path: format!("/sites/{}/{}", it.site.building, it.site.gate),
        icon,
        words,
        why,
        at: at.map(when::day_and_minute),
    }
}

fn order(rows: &[Row], now: WallTime, (order, errands): &(Order, Vec<Errand>)) -> OrderView {
    let count =
        |which: &dyn Fn(&Outcome) -> bool| errands.iter().filter(|it| which(&it.outcome)).count();
    let mut views: Vec<ErrandView> = errands.iter().map(|it| errand(rows, it)).collect();
    // What is not done first.
    views.sort_by(|a, b| (a.icon == "✓", &a.name).cmp(&(b.icon == "✓", &b.name)));
    OrderView {
        words: said::order(&order.name),
        id: order.id.clone(),
        given: when::day_and_minute(order.given),
        expires: when::day_and_minute(order.expires),
        is_over: order.expires <= now,
        done: count(&|it| matches!(it, Outcome::Done { .. })),
        refused: count(&|it| matches!(it, Outcome::Refused { .. })),
        waiting: count(&|it| matches!(it, Outcome::Waiting)),
        errands: views,
    }
}

/// `GET /orders`.
async fn orders(
    State(office): State<Arc<Office>>,
    who: Who,
    frame: Frame,
) -> Result<Response, Problem> {
    let page = office.make(move |office, seen| {
        let given = &office.given;
        let (rows, now) = (seen.rows(given), given.clock.now().wall);
        let orders = given.ledger.orders(MOST)?;
        Ok(Page {
            frame,
            sites: reachable(&rows).len(),
            may: who.role.may(Right::SendOrders),
            orders: orders.iter().map(|it| order(&rows, now, it)).collect(),
        })
    });
    page::html(&page.await?)
}

/// Sites that were heard: an order to one that never was waits in vain.
fn reachable(rows: &[Row]) -> Vec<Address> {
    let heard = rows.iter().filter(|it| it.heard.is_some());
    heard.map(|it| it.address.clone()).collect()
}

fn give(office: &StreetOffice, rows: &[Row], who: &Who) -> Result<(), Problem> {
    let sites = reachable(rows);
    let given = office.clock.now().wall;
    let expires = WallTime(given.0.saturating_add(LASTS));
    let order = announcement(&office.street, given, expires);
    office.ledger.order(&order, &sites)?;
    let (id, by) = (&order.id, &who.name);
    tracing::info!(
        "{by} asked {} sites how things stand (order {id})",
        sites.len()
    );
    Ok(())
}

/// What the form sends beside its session's word.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    sure: String,
}

/// `POST /orders`: asks every site to say once more how things stand.
async fn ask(
    State(office): State<Arc<Office>>,
    who: Who,
    form: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Problem> {
    let is_sure = form.is_ok_and(|Form(it)| it.sure == "yes");
    if !is_sure {
        return Err(Problem::Incomplete(
            "请后退，勾选“发给所有单位”。",
            "Go back and tick that it goes to every site.",
        ));
    }
    let given = office.make(move |office, seen| {
        let rows = seen.rows(&office.given);
        give(&office.given, &rows, &who)
    });
    given.await?;
    Ok(Redirect::to(PAGE).into_response())
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![
        get(PAGE, Right::SeeToday, orders),
        post(PAGE, Right::SendOrders, ask),
    ]
}
