//! The round of one day: what is due when, and who ticked what. `Draft → Submitted → Received`.
//!
//! Who is first with a tick has it; whoever comes second is told who was. A correction names the tick
//! that it replaces, so that two corrections at once cannot overwrite each other. Nothing is deleted:
//! [`Round::ticks`] holds everything that was ever taken. What is submitted does not change any more;
//! opening it again makes the next revision.
//!
//! Times: a tick counts from the moment of the tap, also where it waited in the phone for a network. Its age is
//! taken from the phone's own clock, which need not be right for that; but a phone whose clock is off by
//! more than [`Round::PHONE_MAY_BE_OFF_MS`] is told so. Where the gateway's clock was never set, the
//! phone's is believed instead.

use super::known::{DayFacts, Finding};
use super::schedule::Window;
use super::site::SiteList;
use super::template::{Item, ItemId, Proof};
use super::tick::{Evidence, Slot, Tick, TickRefused, TickRequest};
use crate::calendar::{Date, Day};
use crate::clock::{ClockTrust, Stamp, WallTime};
use crate::text::Note;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What a round begins with.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// Which day, in the site's zone.
    pub day: Day,
    /// The first day on which the site worked with the list.
    pub since: Date,
    /// What is done once and for all, and was.
    pub done_once: &'a BTreeSet<ItemId>,
}

/// A tick that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    /// As it came.
    pub request: TickRequest,
    /// When it came.
    pub at: Stamp,
    /// When it was done, as the gateway takes it; of a correction, when the first one was.
    pub done_at: WallTime,
}

/// What became of a tick that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is kept.
    Kept,
    /// It was kept before: the same tick came again.
    AlreadyKept,
}

/// Who submitted a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitter {
    /// A person.
    Person(Note),
    /// Nobody did: the set hour came.
    SetHour,
}

/// How far a round has come.
#[derive(Clone, Debug, PartialEq)]
pub enum RoundState {
    /// Ticks are taken; the report will have this revision.
    Draft {
        /// From 1.
        revision: u32,
    },
    /// The report is on its way.
    Submitted {
        /// Which one.
        revision: u32,
        /// By whom.
        by: Submitter,
        /// When.
        at: Stamp,
    },
    /// The street office has it.
    Received {
        /// Which one.
        revision: u32,
        /// Since when.
        at: Stamp,
    },
}

/// What the state of a round does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundRefused {
    /// It is submitted already, with this revision.
    AlreadySubmitted(u32),
    /// It is a draft: there is nothing to open again or to receive.
    IsDraft,
    /// The receipt is of another revision than the one that was submitted last.
    OtherRevision {
        /// Of which the receipt is.
        received: u32,
        /// Which one was submitted last.
        submitted: u32,
    },
}

impl fmt::Display for RoundRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadySubmitted(revision) => write!(
                f,
                "revision {revision} is submitted already; open it again to make the next one"
            ),
            Self::IsDraft => f.write_str("nothing is submitted yet"),
            Self::OtherRevision {
                received,
                submitted,
            } => write!(
                f,
                "the receipt is of revision {received}, but {submitted} was submitted last"
            ),
        }
    }
}

impl std::error::Error for RoundRefused {}

/// Where one time of one item stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing<'a> {
    /// It cannot be done yet.
    NotYet,
    /// It can be done, and is not late.
    Open,
    /// It is late, and can still be done.
    Overdue,
    /// It can be done no more.
    Missed,
    /// The day passed without cause for it.
    NotCalledFor,
    /// It was done.
    Done {
        /// By which tick.
        by: &'a Signed,
        /// Whether it was late.
        late: bool,
    },
    /// It had no place.
    NotApplicable(&'a Signed),
    /// It failed; the tick has the action.
    Failed(&'a Signed),
    /// The gateway knows it, and it is in order.
    Known(Finding),
}

/// A failure that was made good: 补短板.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedGap {
    /// Of which day the failure is.
    pub date: Date,
    /// Of what.
    pub slot: Slot,
    /// What was done.
    pub how: Note,
    /// Who says so.
    pub by: Note,
    /// When.
    pub at: Stamp,
}

impl ClosedGap {
    /// Makes a failure good; `None` where the tick is no failure.
    #[must_use]
    pub fn of(failed: &Signed, how: Note, by: Note, at: Stamp) -> Option<Self> {
        let is_failure = matches!(failed.request.tick, Tick::Failed { .. });
        is_failure.then(|| Self {
            date: failed.request.date,
            slot: failed.request.slot.clone(),
            how,
            by,
            at,
        })
    }
}

/// One day's round.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    list: Arc<SiteList>,
    day: Day,
    windows: BTreeMap<Slot, Window>,
    standing: BTreeMap<Slot, Signed>,
    ticks: Vec<Signed>,
    state: RoundState,
}

impl Round {
    /// How far a phone's clock may be off: phones on the network are right to the second, and one that is
    /// five minutes off puts a tick into the wrong hour.
    pub const PHONE_MAY_BE_OFF_MS: i64 = 5 * 60_000;

    /// How long a tick may have waited in a phone: one long shift.
    pub const LONGEST_WAIT_MS: i64 = 12 * 3_600_000;

    /// A new round of this list.
    #[must_use]
    pub fn open(list: Arc<SiteList>, opening: &Opening<'_>) -> Self {
        let mut windows = BTreeMap::new();
        for item in list.items() {
            if item.schedule.is_once() && opening.done_once.contains(&item.id) {
                continue;
            }
            let found =
                item.schedule
                    .windows(&opening.day, list.open(), list.shifts(), opening.since);
            for (number, window) in (0..).zip(found) {
                let item = item.id.clone();
                windows.insert(Slot { item, number }, window);
            }
        }
        Self {
            list,
            day: opening.day.clone(),
            windows,
            standing: BTreeMap::new(),
            ticks: Vec::new(),
            state: RoundState::Draft { revision: 1 },
        }
    }

    /// Which day.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.day.date()
    }

    /// The list, as it was when the round began.
    #[must_use]
    pub fn list(&self) -> &SiteList {
        &self.list
    }

    /// How far it has come.
    #[must_use]
    pub const fn state(&self) -> &RoundState {
        &self.state
    }

    /// The revision of the report: the one that is being made, or was submitted last.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        match self.state {
            RoundState::Draft { revision }
            | RoundState::Submitted { revision, .. }
            | RoundState::Received { revision, .. } => revision,
        }
    }

    /// Everything that was ever taken, in the order in which it came.
    #[must_use]
    pub fn ticks(&self) -> &[Signed] {
        &self.ticks
    }

    /// Every time of every item, with its window, item by item.
    pub fn slots(&self) -> impl Iterator<Item = (&Slot, &Window)> {
        self.windows.iter()
    }

    /// The tick that stands for a slot.
    #[must_use]
    pub fn tick_of(&self, slot: &Slot) -> Option<&Signed> {
        self.standing.get(slot)
    }

    /// Takes a tick, or says why not.
    ///
    /// # Errors
    /// [`TickRefused`]; then nothing has changed.
    pub fn tick(&mut self, request: TickRequest, now: Stamp) -> Result<Taken, TickRefused> {
        if let Some(before) = self.ticks.iter().find(|it| it.request.id == request.id) {
            return if request.repeats(&before.request) {
                Ok(Taken::AlreadyKept)
            } else {
                Err(TickRefused::IdUsedTwice)
            };
        }
        match self.state {
            RoundState::Draft { .. } => {}
            RoundState::Submitted { revision, .. } | RoundState::Received { revision, .. } => {
                return Err(TickRefused::Submitted(revision));
            }
        }
        if request.date != self.date() {
            return Err(TickRefused::AnotherDay(self.date()));
        }
        let item = self
            .list
            .item(&request.slot.item)
            .ok_or_else(|| TickRefused::UnknownItem(request.slot.item.clone()))?;
        let window = self
            .windows
            .get(&request.slot)
            .ok_or_else(|| TickRefused::UnknownSlot(request.slot.clone()))?;
        let mut done_at = moment_of(&request, now)?;
        if let Some(before) = self.may_replace(&request)? {
            done_at = before.done_at;
        } else if done_at < window.opens {
            return Err(TickRefused::NotYet {
                opens: window.opens,
            });
        } else if done_at >= window.closes {
            return Err(TickRefused::Missed {
                closed: window.closes,
            });
        }
        suits(&request, item)?;
        let signed = Signed {
            request,
            at: now,
            done_at,
        };
        self.standing
            .insert(signed.request.slot.clone(), signed.clone());
        self.ticks.push(signed);
        Ok(Taken::Kept)
    }

    /// Takes a tick as it was taken before: from the logbook, which asked [`Self::tick`] then.
    pub(super) fn restore(&mut self, signed: Signed) {
        if self.windows.contains_key(&signed.request.slot) {
            self.standing
                .insert(signed.request.slot.clone(), signed.clone());
        }
        self.ticks.push(signed);
    }

    /// The tick that this one replaces, `None` where there is none yet.
    fn may_replace(&self, request: &TickRequest) -> Result<Option<&Signed>, TickRefused> {
        match (self.standing.get(&request.slot), request.corrects) {
            (None, None) => Ok(None),
            (Some(first), None) => Err(TickRefused::TakenBy {
                by: first.request.by.clone(),
                at: first.done_at,
                id: first.request.id,
            }),
            (Some(first), Some(meant)) if first.request.id == meant => Ok(Some(first)),
            (_, Some(_)) => Err(TickRefused::CorrectsNothing),
        }
    }

    /// Where a slot stands at a moment; `None` where the day has no such slot.
    #[must_use]
    pub fn standing(&self, slot: &Slot, facts: &DayFacts, now: WallTime) -> Option<Standing<'_>> {
        let window = self.windows.get(slot)?;
        if let Some(signed) = self.standing.get(slot) {
            return Some(match signed.request.tick {
                Tick::Done(_) => Standing::Done {
                    by: signed,
                    late: window.due.is_some_and(|due| signed.done_at > due),
                },
                Tick::NotApplicable { .. } => Standing::NotApplicable(signed),
                Tick::Failed { .. } => Standing::Failed(signed),
            });
        }
        if let Proof::Known(fact) = self.list.item(&slot.item)?.proof {
            let finding = facts.finding(fact);
            if now >= window.opens && finding.is_in_order() {
                return Some(Standing::Known(finding));
            }
        }
        Some(match window.due {
            _ if now < window.opens => Standing::NotYet,
            None if now >= window.closes => Standing::NotCalledFor,
            Some(_) if now >= window.closes => Standing::Missed,
            Some(due) if now > due => Standing::Overdue,
            _ => Standing::Open,
        })
    }

    /// Submits the report of the day. Gives back its revision.
    ///
    /// # Errors
    /// Where it is submitted already.
    pub fn submit(&mut self, by: Submitter, at: Stamp) -> Result<u32, RoundRefused> {
        let RoundState::Draft { revision } = self.state else {
            return Err(RoundRefused::AlreadySubmitted(self.revision()));
        };
        self.state = RoundState::Submitted { revision, by, at };
        Ok(revision)
    }

    /// Opens a submitted round again, for the next revision, which it gives back.
    ///
    /// # Errors
    /// Where nothing is submitted.
    pub fn reopen(&mut self) -> Result<u32, RoundRefused> {
        if matches!(self.state, RoundState::Draft { .. }) {
            return Err(RoundRefused::IsDraft);
        }
        let revision = self.revision().saturating_add(1);
        self.state = RoundState::Draft { revision };
        Ok(revision)
    }

    /// The street office has a revision. A receipt that comes twice changes nothing.
    ///
    /// # Errors
    /// Where the round is a draft, or another revision was submitted last.
    pub fn receive(&mut self, received: u32, at: Stamp) -> Result<(), RoundRefused> {
        let submitted = self.revision();
        match self.state {
            RoundState::Draft { .. } => Err(RoundRefused::IsDraft),
            _ if received != submitted => Err(RoundRefused::OtherRevision {
                received,
                submitted,
            }),
            RoundState::Submitted { revision, .. } => {
                self.state = RoundState::Received { revision, at };
                Ok(())
            }
            RoundState::Received { .. } => Ok(()),
        }
    }
}

/// When it was done, as far as the clocks tell.
fn moment_of(request: &TickRequest, now: Stamp) -> Result<WallTime, TickRefused> {
    let waited = request.sent.0.saturating_sub(request.tapped.0);
    if !(0..=Round::LONGEST_WAIT_MS).contains(&waited) {
        return Err(TickRefused::TapOutOfReach);
    }
    if now.trust == ClockTrust::Unsynchronised {
        return Ok(request.tapped);
    }
    let ahead = request.sent.0.saturating_sub(now.wall.0);
    if ahead.saturating_abs() > Round::PHONE_MAY_BE_OFF_MS {
        return Err(TickRefused::PhoneClockWrong(ahead));
    }
    Ok(WallTime(now.wall.0.saturating_sub(waited)))
}

/// Whether what is said and shown is what the item asks for.
fn suits(request: &TickRequest, item: &Item) -> Result<(), TickRefused> {
    let Tick::Done(evidence) = &request.tick else {
        return Ok(());
    };
    let wrong = |what: String| Err(TickRefused::WrongEvidence(what));
    match (&item.proof, evidence) {
        (Proof::Known(_), _) => return Err(TickRefused::FilledByTheGateway(item.id.clone())),
        (Proof::Number(range), Evidence::Number(number)) if !range.holds(*number) => {
            return wrong(format!(
                "{number} {} is not in order ({range}): tick it as failed, with what will be done",
                range.unit()
            ));
        }
        (Proof::Number(range), Evidence::Said | Evidence::Text(_) | Evidence::Time(_)) => {
            return wrong(format!("write the number in {}", range.unit()));
        }
        (Proof::Time, Evidence::Said | Evidence::Text(_) | Evidence::Number(_)) => {
            return wrong("write when it was done, such as 14:30".to_owned());
        }
        (Proof::Text, Evidence::Said | Evidence::Time(_) | Evidence::Number(_)) => {
            return wrong("write a few words".to_owned());
        }
        (Proof::Tick, Evidence::Number(_) | Evidence::Time(_) | Evidence::Text(_)) => {
            return wrong("this item is only ticked".to_owned());
        }
        (Proof::Number(_), Evidence::Number(_))
        | (Proof::Time, Evidence::Time(_))
        | (Proof::Text, Evidence::Text(_))
        | (Proof::Tick, Evidence::Said) => {}
    }
    if item.photo && request.photo.is_none() {
        return Err(TickRefused::PhotoMissing);
    }
    Ok(())
}
