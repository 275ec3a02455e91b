//! What goes down to sites, and what each of them answered: an order stays until every site has said what became of
//! it, and is sent again until then, or until it is over.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post};
use super::super::words::{Words, street as said};
use super::super::{page, when};
use super::{Office, StreetOffice, show};
use crate::checklist::SiteKind;
use crate::clock::WallTime;
use crate::command::{Asked, Command, Notice, Token};
use crate::staff::{Right, Who};
use crate::street::{Address, Errand, Order, Outcome, Row};
use crate::text::Note;
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

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// Longest time that a notice is shown, hours: a week.
const LONGEST: u32 = 7 * 24;

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
    kinds: Vec<(&'static str, Words)>,
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
            sites: reachable(&rows, None).len(),
            kinds: SiteKind::ALL
                .iter()
                .map(|it| (it.as_str(), show::kind(Some(*it))))
                .collect(),
            may: who.role.may(Right::SendOrders),
            orders: orders.iter().map(|it| order(&rows, now, it)).collect(),
        })
    });
    page::html(&page.await?)
}

/// Sites that were heard, of one kind or of all: an order to one that never was waits in vain.
fn reachable(rows: &[Row], kind: Option<SiteKind>) -> Vec<Address> {
    let wanted = |it: &&Row| it.heard.is_some() && (kind.is_none() || it.kind == kind);
    let sites = rows.iter().filter(wanted);
    sites.map(|it| it.address.clone()).collect()
}

/// What the form sends beside its session's word.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    what: String,
    text: String,
    hours: u32,
    kind: String,
    sure: String,
}

impl Sent {
    /// What is asked of sites, and until when.
    fn command(&self, given: WallTime) -> Result<(Command, WallTime), Problem> {
        let until = |hours: u32| WallTime(given.0.saturating_add(i64::from(hours) * HOUR));
        match self.what.as_str() {
            "announce" => Ok((Command::Announce, until(24))),
            "notice" => {
                let text = Note::new(&self.text).ok_or(Problem::Incomplete(
                    "请后退，填写通知（1 到 500 个字）。",
                    "Go back and write the notice: 1 to 500 characters.",
                ))?;
                if !(1..=LONGEST).contains(&self.hours) {
                    return Err(Problem::Incomplete(
                        "请后退，填写显示多少小时（1 到 168）。",
                        "Go back and say for how many hours it is shown: 1 to 168.",
                    ));
                }
                let ends = until(self.hours);
                let notice = Notice {
                    text,
                    begins: given,
                    ends,
                };
                Ok((Command::Notice(notice), ends))
            }
            _ => Err(Problem::NoPage),
        }
    }
}

fn give(office: &StreetOffice, rows: &[Row], sent: &Sent, who: &Who) -> Result<(), Problem> {
    let sites = reachable(rows, SiteKind::parse(&sent.kind));
    if sites.is_empty() {
        return Err(Problem::Incomplete(
            "没有可以下发的单位。",
            "There is no site that it could go to.",
        ));
    }
    let given = office.clock.now().wall;
    let (command, expires) = sent.command(given)?;
    // Both are of a topic's letters.
    let token = |text: &str| {
        let parsed = text.parse::<Token>();
        parsed.map_err(|why| Problem::Storage(why.to_string()))
    };
    let asked = Asked {
        id: token(&uuid::Uuid::new_v4().to_string())?,
        // No name leaves the office either: who it was is in this machine's log.
        by: token(&office.street)?,
        command,
    };
    let order = Order::of(&asked, given, expires);
    office.ledger.order(&order, &sites)?;
    let (name, id, by) = (&order.name, &order.id, &who.name);
    tracing::info!("{by} gave the order {name} ({id}) to {} sites", sites.len());
    Ok(())
}

/// `POST /orders`: a notice to those who run the buildings, or that sites say once more how things stand.
async fn send(
    State(office): State<Arc<Office>>,
    who: Who,
    form: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Problem> {
    let sent = form.map_or_else(|_| Sent::default(), |Form(it)| it);
    if sent.sure != "yes" {
        return Err(Problem::Incomplete(
            "请后退，勾选“确认下发”。",
            "Go back and tick that it is to be sent.",
        ));
    }
    let given = office.make(move |office, seen| {
        let rows = seen.rows(&office.given);
        give(&office.given, &rows, &sent, &who)
    });
    given.await?;
    Ok(Redirect::to(PAGE).into_response())
}

pub(super) fn routes() -> Vec<Entry<Arc<Office>>> {
    vec![
        get(PAGE, Right::SeeToday, orders),
        post(PAGE, Right::SendOrders, send),
    ]
}
