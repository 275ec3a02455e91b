//! Companies: how many people each says will be in on a day, and the totals of the register by source and by
//! company. None of it leaves the building.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post};
use super::super::{Shared, page};
use super::ColourView;
use super::written::{Sent, Written};
use crate::calendar::Date;
use crate::people::{Colour, CompanyTotals, DeskError, Plan, PlanRefused, Source};
use crate::staff::{Right, Who};
use crate::text::Note;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// Which day's plan an address asks for; nothing: tomorrow's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    date: String,
}

/// What companies plan for a day, as it is shown.
struct PlanView {
    plan: Plan,
    /// The first and the last day that may be planned.
    first: Date,
    last: Date,
    cap: Option<u32>,
}

impl PlanView {
    /// Whether more people are announced than may be let in.
    fn is_over(&self) -> bool {
        self.cap
            .is_some_and(|cap| self.plan.people() > u64::from(cap))
    }
}

/// One company's numbers.
struct CompanyLine {
    name: Option<String>,
    numbers: Vec<u64>,
}

#[derive(Template)]
#[template(path = "companies.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    plan: PlanView,
    colours: Vec<ColourView>,
    sources: Vec<(Source, u64)>,
    companies: Vec<CompanyLine>,
    /// Whether whoever looks may enter what is planned.
    runs: bool,
}

fn company_line(totals: &CompanyTotals) -> CompanyLine {
    CompanyLine {
        name: totals.company.as_ref().map(ToString::to_string),
        numbers: totals.colours.iter().map(|it| it.1).collect(),
    }
}

/// `GET /people/companies`.
async fn companies(
    State(shared): State<Arc<Shared>>,
    Query(wish): Query<Wish>,
    frame: Frame,
    who: Who,
) -> Result<Response, Problem> {
    let runs = who.role.may(Right::RunPeople);
    let (plan, counts, totals) = shared
        .people(move |desk, now| {
            let today = desk.today(now)?;
            let date = wish.date.parse().unwrap_or_else(|_| today.plus(1));
            let plan = PlanView {
                plan: desk.plan(date)?,
                first: today,
                last: today.plus(Plan::AHEAD),
                cap: desk.rules().daily_cap,
            };
            Ok((plan, desk.counts(now)?, desk.companies(&who.name, now)?))
        })
        .await?;
    let number = |source: &Source| {
        let number = counts.sources.get(source).copied();
        (*source, number.unwrap_or(0))
    };
    page::html(&Page {
        frame,
        plan,
        colours: Colour::ALL.iter().copied().map(ColourView::from).collect(),
        sources: Source::ALL.iter().map(number).collect(),
        companies: totals.iter().map(company_line).collect(),
        runs,
    })
}

/// `POST /people/companies/plan`: one company's number of a day.
async fn plan(
    State(shared): State<Arc<Shared>>,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let sent = Written::new(sent);
    let refused = |why| Problem::from(DeskError::Plan(why));
    let date: Date = (sent.one("date").parse()).map_err(|_| refused(PlanRefused::Day))?;
    let unreadable = || refused(PlanRefused::Unreadable);
    let company = Note::name(sent.one("company")).ok_or_else(unreadable)?;
    let people = sent.one("people").trim().parse();
    let people: u32 = people.map_err(|_| unreadable())?;
    shared
        .people_write(move |desk, now| desk.put_plan((date, &company, people), &who.name, now))
        .await?;
    Ok(Redirect::to(&format!("/people/companies?date={date}")).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/people/companies", Right::SeePeople, companies),
        post("/people/companies/plan", Right::RunPeople, plan),
    ]
}
