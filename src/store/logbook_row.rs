//! The store's own words for a line of the logbook: what stands in `logbook.body`. Who wrote it and to
//! which day it belongs stand in columns.

use super::report_row::ReportRow;
use super::row::{Unreadable, wrong};
use crate::calendar::Date;
use crate::checklist::{
    Action, Category, Charge, Evidence, ItemId, Line, Owners, SiteKind, Slot, Tick, TickId,
    TickRequest,
};
use crate::clock::WallTime;
use crate::procedure::{Edit, Live, StepId};
use crate::text::{Note, Words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// [`Line`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum LineRow {
    /// As in the core.
    Began { site: String, version: u32 },
    /// As in the core.
    Pledged {
        version: u32,
        #[serde(default)]
        owners: OwnersRow,
    },
    /// As in the core: of a category or of an item.
    Named {
        category: Option<String>,
        item: Option<String>,
        owner: Option<String>,
    },
    /// As in the core; moments in ms since 1970.
    Ticked {
        id: String,
        item: String,
        time: u16,
        tick: TickRow,
        photo: Option<String>,
        tapped: i64,
        sent: i64,
        corrects: Option<String>,
        done_at: i64,
    },
    /// As in the core.
    GapClosed {
        failed_on: String,
        item: String,
        time: u16,
        how: String,
    },
    /// As in the core.
    Innovation { text: String },
    /// As in the core.
    Remark { text: String },
    /// As in the core, and in how many parts it went out.
    Submitted { parts: u32, report: Box<ReportRow> },
    /// As in the core.
    Reopened,
    /// As in the core.
    Edited { on: u32, edit: EditRow },
    /// As in the core.
    StepTaken {
        alert: String,
        edition: u32,
        step: String,
    },
}

/// [`Owners`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OwnersRow {
    categories: BTreeMap<String, String>,
    items: BTreeMap<String, String>,
}

/// [`Tick`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub(super) enum TickRow {
    /// Done, and nothing more.
    Done,
    /// Done, with a number.
    Number { number: f64 },
    /// Done, at a time.
    Time { time: String },
    /// Done, with a few words.
    Text { text: String },
    /// As in the core.
    NotApplicable { why: String },
    /// As in the core; the deadline in ms since 1970.
    Failed {
        why: String,
        action: String,
        owner: String,
        deadline: i64,
    },
}

/// [`Edit`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum EditRow {
    /// As in the core.
    Reword {
        clause: String,
        zh: String,
        en: String,
    },
    /// As in the core.
    RewordStep {
        step: String,
        zh: String,
        en: String,
    },
    /// As in the core.
    Add {
        chapter: String,
        zh: String,
        en: String,
        live: String,
    },
    /// As in the core.
    Withdraw { clause: String },
}

fn words_row(words: &Words) -> (String, String) {
    (words.zh.clone(), words.en.clone())
}

impl From<&Tick> for TickRow {
    fn from(tick: &Tick) -> Self {
        match tick {
            Tick::Done(Evidence::Said) => Self::Done,
            Tick::Done(Evidence::Number(number)) => Self::Number { number: *number },
            Tick::Done(Evidence::Time(time)) => Self::Time {
                time: time.to_string(),
            },
            Tick::Done(Evidence::Text(text)) => Self::Text {
                text: text.to_string(),
            },
            Tick::NotApplicable { why } => Self::NotApplicable {
                why: why.to_string(),
            },
            Tick::Failed { why, action } => Self::Failed {
                why: why.to_string(),
                action: action.what().to_string(),
                owner: action.owner().to_string(),
                deadline: action.deadline().0,
            },
        }
    }
}

impl From<&Edit> for EditRow {
    fn from(edit: &Edit) -> Self {
        match edit {
            Edit::Reword(clause, words) => {
                let (zh, en) = words_row(words);
                let clause = clause.to_string();
                Self::Reword { clause, zh, en }
            }
            Edit::RewordStep(step, words) => {
                let (zh, en) = words_row(words);
                let step = step.to_string();
                Self::RewordStep { step, zh, en }
            }
            Edit::Add(chapter, words, live) => {
                let (zh, en) = words_row(words);
                Self::Add {
                    chapter: chapter.as_str().to_owned(),
                    zh,
                    en,
                    live: live.as_str().to_owned(),
                }
            }
            Edit::Withdraw(clause) => Self::Withdraw {
                clause: clause.to_string(),
            },
        }
    }
}

impl From<&Owners> for OwnersRow {
    fn from(owners: &Owners) -> Self {
        let categories = owners.categories.iter();
        let items = owners.items.iter();
        Self {
            categories: categories
                .map(|(it, owner)| (it.as_str().to_owned(), owner.to_string()))
                .collect(),
            items: items
                .map(|(it, owner)| (it.to_string(), owner.to_string()))
                .collect(),
        }
    }
}

impl TryFrom<OwnersRow> for Owners {
    type Error = Unreadable;
    fn try_from(row: OwnersRow) -> Result<Self, Unreadable> {
        let categories = row.categories.iter();
        let items = row.items.iter();
        Ok(Self {
            categories: categories
                .map(|(word, owner)| Ok((category(word)?, note(owner)?)))
                .collect::<Result<_, Unreadable>>()?,
            items: items
                .map(|(id, owner)| Ok((item(id)?, note(owner)?)))
                .collect::<Result<_, Unreadable>>()?,
        })
    }
}

impl From<&Line> for LineRow {
    fn from(line: &Line) -> Self {
        match line {
            Line::Began { site, version } => Self::Began {
                site: site.as_str().to_owned(),
                version: *version,
            },
            Line::Pledged { version, owners } => Self::Pledged {
                version: *version,
                owners: owners.into(),
            },
            Line::Named { charge, owner } => {
                let owner = owner.as_ref().map(ToString::to_string);
                let (category, item) = match charge {
                    Charge::Category(it) => (Some(it.as_str().to_owned()), None),
                    Charge::Item(it) => (None, Some(it.to_string())),
                };
                Self::Named {
                    category,
                    item,
                    owner,
                }
            }
            Line::Ticked { request, done_at } => Self::Ticked {
                id: uuid::Uuid::from_u128(request.id.0).to_string(),
                item: request.slot.item.to_string(),
                time: request.slot.number,
                tick: (&request.tick).into(),
                photo: request.photo.as_ref().map(ToString::to_string),
                tapped: request.tapped.0,
                sent: request.sent.0,
                corrects: request
                    .corrects
                    .map(|id| uuid::Uuid::from_u128(id.0).to_string()),
                done_at: done_at.0,
            },
            Line::GapClosed {
                failed_on,
                slot,
                how,
            } => Self::GapClosed {
                failed_on: failed_on.to_string(),
                item: slot.item.to_string(),
                time: slot.number,
                how: how.to_string(),
            },
            Line::Innovation(text) => Self::Innovation {
                text: text.to_string(),
            },
            Line::Remark(text) => Self::Remark {
                text: text.to_string(),
            },
            Line::Submitted(report) => Self::Submitted {
                parts: u32::try_from(report.parts().len()).unwrap_or(u32::MAX),
                report: Box::new((&**report).into()),
            },
            Line::Reopened => Self::Reopened,
            Line::Edited { on, edit } => Self::Edited {
                on: *on,
                edit: edit.into(),
            },
            Line::StepTaken {
                alert,
                edition,
                step,
            } => Self::StepTaken {
                alert: alert.to_string(),
                edition: *edition,
                step: step.to_string(),
            },
        }
    }
}

pub(super) fn note(text: &str) -> Result<Note, Unreadable> {
    Note::new(text).ok_or_else(|| wrong("a line of text"))
}

pub(super) fn item(text: &str) -> Result<ItemId, Unreadable> {
    ItemId::new(text).ok_or_else(|| wrong("an item"))
}

fn category(word: &str) -> Result<Category, Unreadable> {
    Category::parse(word).ok_or_else(|| wrong("a category"))
}

pub(super) fn date(text: &str) -> Result<Date, Unreadable> {
    text.parse().map_err(|_| wrong("a day"))
}

pub(super) fn slot(id: &str, number: u16) -> Result<Slot, Unreadable> {
    let item = item(id)?;
    Ok(Slot { item, number })
}

fn tick_id(text: &str) -> Result<TickId, Unreadable> {
    let id = uuid::Uuid::parse_str(text).map_err(|_| wrong("a tick's id"))?;
    Ok(TickId(id.as_u128()))
}

impl TryFrom<TickRow> for Tick {
    type Error = Unreadable;
    fn try_from(row: TickRow) -> Result<Self, Unreadable> {
        Ok(match row {
            TickRow::Done => Self::Done(Evidence::Said),
            TickRow::Number { number } => Self::Done(Evidence::Number(number)),
            TickRow::Time { time } => Self::Done(Evidence::Time(
                time.parse().map_err(|_| wrong("a time of day"))?,
            )),
            TickRow::Text { text } => Self::Done(Evidence::Text(note(&text)?)),
            TickRow::NotApplicable { why } => Self::NotApplicable { why: note(&why)? },
            TickRow::Failed {
                why,
                action,
                owner,
                deadline,
            } => {
                let deadline = WallTime(deadline);
                // The deadline was checked against the clock of its day.
                let action = Action::new(&action, &owner, deadline, deadline);
                Self::Failed {
                    why: note(&why)?,
                    action: action.map_err(|_| wrong("an action"))?,
                }
            }
        })
    }
}

impl TryFrom<EditRow> for Edit {
    type Error = Unreadable;
    fn try_from(row: EditRow) -> Result<Self, Unreadable> {
        let clause = |text: String| text.parse().map_err(|_| wrong("a clause"));
        Ok(match row {
            EditRow::Reword { clause: id, zh, en } => Self::Reword(clause(id)?, Words { zh, en }),
            EditRow::RewordStep { step, zh, en } => {
                let step = StepId::new(&step).ok_or_else(|| wrong("a step"))?;
                Self::RewordStep(step, Words { zh, en })
            }
            EditRow::Add {
                chapter,
                zh,
                en,
                live,
            } => {
                let chapter = crate::procedure::Chapter::parse(&chapter);
                let chapter = chapter.ok_or_else(|| wrong("a chapter"))?;
                let live = Live::parse(&live).ok_or_else(|| wrong("what a clause speaks of"))?;
                Self::Add(chapter, Words { zh, en }, live)
            }
            EditRow::Withdraw { clause: id } => Self::Withdraw(clause(id)?),
        })
    }
}

/// In how many parts the report in this body went out; none where it holds no report.
pub(super) fn parts_in(body: &str) -> Result<i64, Unreadable> {
    let row: LineRow = serde_json::from_str(body).map_err(|error| Unreadable(error.to_string()))?;
    Ok(match row {
        LineRow::Submitted { parts, .. } => i64::from(parts),
        _ => 0,
    })
}

/// A line from its body, its day and who wrote it.
pub(super) fn line_of(body: &str, day: Date, by: Option<&Note>) -> Result<Line, Unreadable> {
    let row: LineRow = serde_json::from_str(body).map_err(|error| Unreadable(error.to_string()))?;
    Ok(match row {
        LineRow::Began { site, version } => Line::Began {
            site: SiteKind::parse(&site).ok_or_else(|| wrong("a kind of site"))?,
            version,
        },
        LineRow::Pledged { version, owners } => Line::Pledged {
            version,
            owners: owners.try_into()?,
        },
        LineRow::Named {
            category: word,
            item: id,
            owner,
        } => Line::Named {
            charge: match (word, id) {
                (Some(word), None) => Charge::Category(category(&word)?),
                (None, Some(id)) => Charge::Item(item(&id)?),
                _ => return Err(wrong("what somebody answers for")),
            },
            owner: owner.as_deref().map(note).transpose()?,
        },
        LineRow::Ticked {
            id,
            item,
            time,
            tick,
            photo,
            tapped,
            sent,
            corrects,
            done_at,
        } => Line::Ticked {
            request: Box::new(TickRequest {
                id: tick_id(&id)?,
                date: day,
                slot: slot(&item, time)?,
                by: by.cloned().ok_or_else(|| wrong("who ticked"))?,
                tick: tick.try_into()?,
                photo: photo.as_deref().map(note).transpose()?,
                tapped: WallTime(tapped),
                sent: WallTime(sent),
                corrects: corrects.as_deref().map(tick_id).transpose()?,
            }),
            done_at: WallTime(done_at),
        },
        LineRow::GapClosed {
            failed_on,
            item,
            time,
            how,
        } => Line::GapClosed {
            failed_on: date(&failed_on)?,
            slot: slot(&item, time)?,
            how: note(&how)?,
        },
        LineRow::Innovation { text } => Line::Innovation(note(&text)?),
        LineRow::Remark { text } => Line::Remark(note(&text)?),
        LineRow::Submitted { report, .. } => Line::Submitted(Box::new((*report).try_into()?)),
        LineRow::Reopened => Line::Reopened,
        LineRow::Edited { on, edit } => Line::Edited {
            on,
            edit: edit.try_into()?,
        },
        LineRow::StepTaken {
            alert,
            edition,
            step,
        } => Line::StepTaken {
            alert: alert.parse().map_err(|_| wrong("an alert"))?,
            edition,
            step: StepId::new(&step).ok_or_else(|| wrong("a step"))?,
        },
    })
}
