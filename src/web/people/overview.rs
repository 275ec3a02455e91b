//! The register at a glance: how many of each colour, what is late or waits for a decision, and the list that
//! somebody asked for. Searching is a form that is sent, not an address, so that no name stands in one.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post};
use super::super::words::people::Which;
use super::super::{Shared, page};
use super::ColourView;
use super::written::{Asked, Input, Sent, Written, form};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::people::{
    By, Colour, Counts, Desk, DeskError, Field, FieldWrong, Lack, PersonId, Search, Seen, Source,
    masked_phone,
};
use crate::staff::{Right, Who};
use crate::text::Note;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// What is asked of somebody whom the community's networks found.
const ASKED: [Field; 10] = [
    Field::Name,
    Field::Phone,
    Field::Company,
    Field::Floor,
    Field::IdTail,
    Field::From,
    Field::Expected,
    Field::Arrived,
    Field::Symptoms,
    Field::Contact,
];

const REQUIRED: [Field; 1] = [Field::Name];

/// What an address asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    show: String,
    after: u64,
}

/// Whom a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Which(Which),
    Colour(Colour),
}

impl Shown {
    pub(super) fn of(word: &str) -> Self {
        let colour = || Colour::parse(word).map(Self::Colour);
        let which = Which::parse(word).map(Self::Which);
        which.or_else(colour).unwrap_or(Self::Which(Which::Waiting))
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Which(which) => which.as_str(),
            Self::Colour(colour) => colour.as_str(),
        }
    }

    pub(super) const fn by(self, today: Date) -> By {
        match self {
            Self::Which(Which::Waiting) => By::Waiting,
            Self::Which(Which::Due) => By::Due(today),
            Self::Which(Which::Unsaid) => By::Unsaid(today),
            Self::Which(Which::Expected) => By::Expected(today),
            Self::Which(Which::All) => By::All,
            Self::Colour(colour) => By::Colour(colour),
        }
    }
}

/// A choice of a list, with how many it has where that is counted.
struct Choice {
    word: &'static str,
    shape: &'static str,
    zh: &'static str,
    en: &'static str,
    number: Option<u64>,
    here: bool,
}

/// People who are to be called today, the first of them; all are on the list of this word.
struct Called {
    which: Which,
    people: u64,
    names: Vec<Line>,
}

/// Most who are named before the list.
const NAMED: u32 = 20;

impl Called {
    /// Whose health of the day is missing, and what is overdue.
    fn today(
        desk: &Desk,
        (counts, today): (&Counts, Date),
        by: &Note,
        now: Stamp,
    ) -> Result<Vec<Self>, DeskError> {
        let mut called = Vec::new();
        for (which, people) in [(Which::Unsaid, counts.unsaid), (Which::Due, counts.overdue)] {
            if people == 0 {
                continue;
            }
            let search = Search {
                most: NAMED,
                ..Search::by(Shown::Which(which).by(today))
            };
            let found = desk.people(&search, by, now)?;
            called.push(Self {
                which,
                people,
                names: found.iter().map(Line::from).collect(),
            });
        }
        Ok(called)
    }

    /// Whether more are to be called than are named.
    fn has_more(&self) -> bool {
        self.people > self.names.len() as u64
    }
}

/// One person in a list.
pub(super) struct Line {
    id: PersonId,
    name: String,
    phone: String,
    company: String,
    colour: Option<ColourView>,
    due: String,
    waits: bool,
    lacks: Vec<Lack>,
}

impl From<&Seen> for Line {
    fn from(seen: &Seen) -> Self {
        let person = &seen.person;
        let text = |field| {
            person
                .value(field)
                .map_or_else(String::new, ToString::to_string)
        };
        let step = person.follow.standing();
        Self {
            id: person.id,
            name: text(Field::Name),
            phone: person
                .value(Field::Phone)
                .map_or_else(String::new, masked_phone),
            company: text(Field::Company),
            colour: person.follow.colour().map(ColourView::from),
            due: step
                .and_then(|it| it.due)
                .map_or_else(String::new, |it| it.to_string()),
            waits: person.waits(),
            lacks: seen.lacks.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "people.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    date: Date,
    total: u64,
    choices: Vec<Choice>,
    /// Who is to be called today.
    called: Vec<Called>,
    /// Whether the list is that of a search.
    found: bool,
    lines: Vec<Line>,
    /// The list's word; nothing for a search.
    shown: &'static str,
    /// Where the next page begins.
    next: Option<(&'static str, PersonId)>,
    fields: Vec<Asked>,
    any_wrong: bool,
    /// Whether whoever looks may read in lists and print posters.
    runs: bool,
}

fn choices(counts: &Counts, shown: Option<Shown>) -> Vec<Choice> {
    let which = |it: &Which| Choice {
        word: it.as_str(),
        shape: "",
        zh: it.zh(),
        en: it.en(),
        number: match it {
            Which::Waiting => Some(counts.waiting),
            Which::Due => Some(counts.overdue),
            Which::Unsaid => Some(counts.unsaid),
            Which::Expected => None,
            Which::All => Some(counts.people),
        },
        here: shown == Some(Shown::Which(*it)),
    };
    let colour = |it: &Colour| Choice {
        word: it.as_str(),
        shape: it.shape(),
        zh: it.zh(),
        en: it.en(),
        number: Some(counts.colours.get(it).copied().unwrap_or(0)),
        here: shown == Some(Shown::Colour(*it)),
    };
    let colours = Colour::ALL.iter().map(colour);
    Which::ALL.iter().map(which).chain(colours).collect()
}

/// Which list, and what stands in the form below it.
struct Asks {
    /// An error: a search for this text.
    shown: Result<Shown, String>,
    /// Whether it is the page as it is opened: then it says who is to be called.
    first: bool,
    after: PersonId,
    written: Written,
    wrong: Vec<FieldWrong>,
}

async fn build(shared: &Shared, (frame, who): (Frame, Who), asks: Asks) -> Result<Page, Problem> {
    let runs = who.role.may(Right::RunPeople);
    let (shown, after, first) = (asks.shown, asks.after, asks.first);
    let (date, counts, seen, called, shown) = shared
        .people(move |desk, now| {
            let today = desk.today(now)?;
            let seen = match &shown {
                Ok(shown) => {
                    let search = Search {
                        after,
                        ..Search::by(shown.by(today))
                    };
                    desk.people(&search, &who.name, now)?
                }
                Err(text) => desk.find(text, &who.name, now)?,
            };
            let counts = desk.counts(now)?;
            let called = if first {
                Called::today(desk, (&counts, today), &who.name, now)?
            } else {
                Vec::new()
            };
            Ok((today, counts, seen, called, shown.ok()))
        })
        .await?;
    let is_full = seen.len() >= Search::PAGE as usize;
    let last = seen.last().filter(|_| is_full).map(|it| it.person.id);
    Ok(Page {
        frame,
        date,
        total: counts.people,
        choices: choices(&counts, shown),
        called,
        found: shown.is_none(),
        lines: seen.iter().map(Line::from).collect(),
        shown: shown.map_or("", Shown::as_str),
        next: shown.map(Shown::as_str).zip(last),
        fields: form(&ASKED, &REQUIRED, &asks.written, &asks.wrong),
        any_wrong: !asks.wrong.is_empty(),
        runs,
    })
}

/// `GET /people`.
async fn overview(
    State(shared): State<Arc<Shared>>,
    Query(wish): Query<Wish>,
    frame: Frame,
    who: Who,
) -> Result<Response, Problem> {
    let asks = Asks {
        shown: Ok(Shown::of(&wish.show)),
        first: wish.show.is_empty(),
        after: PersonId(wish.after),
        written: Written::default(),
        wrong: Vec::new(),
    };
    page::html(&build(&shared, (frame, who), asks).await?)
}

/// `POST /people/find`: by phone number or name.
async fn find(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let asks = Asks {
        shown: Err(Written::new(sent).one("text").to_owned()),
        first: false,
        after: PersonId(0),
        written: Written::default(),
        wrong: Vec::new(),
    };
    page::html(&build(&shared, (frame, who), asks).await?)
}

/// `POST /people`: somebody is entered.
async fn enter(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    let written = Written::new(sent);
    match shared
        .enter(&written, &ASKED, (Source::Community, &who))
        .await?
    {
        Ok(id) => Ok(Redirect::to(&format!("/people/{id}")).into_response()),
        Err(wrong) => {
            let asks = Asks {
                shown: Ok(Shown::Which(Which::Waiting)),
                first: false,
                after: PersonId(0),
                written,
                wrong,
            };
            let page = page::html(&build(&shared, (frame, who), asks).await?)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/people", Right::SeePeople, overview),
        post("/people", Right::SeePeople, enter),
        post("/people/find", Right::SeePeople, find),
    ]
}
