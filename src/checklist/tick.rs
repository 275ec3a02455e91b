//! One tick: what somebody says was done about one item.
//!
//! A failure cannot be built without what will be done about it, by whom and until when; "not
//! applicable" not without a reason. The phone makes the id, so that a tick that is sent five times
//! over a bad connection is one tick.

use super::template::ItemId;
use crate::calendar::{Date, TimeOfDay};
use crate::clock::WallTime;
use crate::text::Note;
use std::fmt;

/// Which time of which item of a round: the second hour of the lift buttons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The item.
    pub item: ItemId,
    /// Which of its times on the day, from 0.
    pub number: u16,
}

/// The identity of a tick: a UUID that the phone made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TickId(pub u128);

/// What is shown with a tick.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// Nothing but the tick.
    Said,
    /// A number, in the item's unit.
    Number(f64),
    /// When it was done.
    Time(TimeOfDay),
    /// A few words.
    Text(Note),
}

/// What will be done about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    what: Note,
    owner: Note,
    deadline: WallTime,
}

/// What keeps something from being an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionFlaw {
    /// It is not said what will be done.
    What,
    /// It is not said who does it.
    Owner,
    /// The deadline is over already, or more than [`Action::LONGEST_DAYS`] away.
    Deadline,
}

impl fmt::Display for ActionFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::What => f.write_str("say what will be done about it (1 to 500 characters)"),
            Self::Owner => f.write_str("name who does it (1 to 80 characters)"),
            Self::Deadline => write!(
                f,
                "choose a deadline from now on, within {} days",
                Action::LONGEST_DAYS
            ),
        }
    }
}

impl std::error::Error for ActionFlaw {}

impl Action {
    /// Farthest deadline, days: beyond two weeks, an incubation period, it is no measure any more.
    pub const LONGEST_DAYS: i64 = 14;

    /// An action.
    ///
    /// # Errors
    /// [`ActionFlaw`]: one of its three parts is missing or cannot be.
    pub fn new(
        what: &str,
        owner: &str,
        deadline: WallTime,
        now: WallTime,
    ) -> Result<Self, ActionFlaw> {
        let latest = now.0.saturating_add(Self::LONGEST_DAYS * WallTime::DAY_MS);
        if !(now.0..=latest).contains(&deadline.0) {
            return Err(ActionFlaw::Deadline);
        }
        Ok(Self {
            what: Note::new(what).ok_or(ActionFlaw::What)?,
            owner: Note::name(owner).ok_or(ActionFlaw::Owner)?,
            deadline,
        })
    }

    /// What will be done.
    #[must_use]
    pub const fn what(&self) -> &Note {
        &self.what
    }

    /// By whom.
    #[must_use]
    pub const fn owner(&self) -> &Note {
        &self.owner
    }

    /// Until when.
    #[must_use]
    pub const fn deadline(&self) -> WallTime {
        self.deadline
    }
}

/// What is said of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Tick {
    /// It was done.
    Done(Evidence),
    /// It has no place on this site today.
    NotApplicable {
        /// Why.
        why: Note,
    },
    /// It could not be done, or was found out of order.
    Failed {
        /// Why.
        why: Note,
        /// What will be done about it.
        action: Action,
    },
}

/// A tick as it comes from a phone.
#[derive(Clone, Debug, PartialEq)]
pub struct TickRequest {
    /// Its identity.
    pub id: TickId,
    /// Of which day's round.
    pub date: Date,
    /// For what.
    pub slot: Slot,
    /// Who ticks.
    pub by: Note,
    /// What is said.
    pub tick: Tick,
    /// The picture that goes with it, by the name under which it is kept.
    pub photo: Option<Note>,
    /// What the phone's clock said at the tap.
    pub tapped: WallTime,
    /// What the phone's clock said when this was sent.
    pub sent: WallTime,
    /// The tick that this one corrects; only that one is replaced, never a newer one.
    pub corrects: Option<TickId>,
}

impl TickRequest {
    /// Whether this says what another one with the same id said: it came again over a bad connection. Clocks
    /// may differ, and a deadline that was counted from them.
    #[must_use]
    pub fn repeats(&self, before: &Self) -> bool {
        let tick = match (&self.tick, &before.tick) {
            (
                Tick::Failed { why, action },
                Tick::Failed {
                    why: its,
                    action: then,
                },
            ) => (why, &action.what, &action.owner) == (its, &then.what, &then.owner),
            (this, that) => this == that,
        };
        tick && (self.id, self.date, self.corrects) == (before.id, before.date, before.corrects)
            && (&self.slot, &self.by, &self.photo) == (&before.slot, &before.by, &before.photo)
    }
}

/// Why a tick is not taken. The page keeps it and says so; nothing is lost silently.
#[derive(Clone, Debug, PartialEq)]
pub enum TickRefused {
    /// This round is of another day.
    AnotherDay(Date),
    /// The list has no such item.
    UnknownItem(ItemId),
    /// The item has not so many times on this day.
    UnknownSlot(Slot),
    /// The gateway fills it in itself.
    FilledByTheGateway(ItemId),
    /// Somebody else was first.
    TakenBy {
        /// Who.
        by: Note,
        /// When it was done.
        at: WallTime,
        /// Their tick: a correction names it.
        id: TickId,
    },
    /// The tick that is to be corrected is not the one that stands.
    CorrectsNothing,
    /// The same id came before with something else in it.
    IdUsedTwice,
    /// It cannot be done yet.
    NotYet {
        /// When it can.
        opens: WallTime,
    },
    /// It is too late for it: it counts as missed.
    Missed {
        /// Since when.
        closed: WallTime,
    },
    /// The phone's clock differs from the gateway's by so many milliseconds; positive: it is ahead.
    PhoneClockWrong(i64),
    /// The tap came after the sending, or so long before it that it cannot be believed.
    TapOutOfReach,
    /// What was shown is not what the item asks for.
    WrongEvidence(String),
    /// The item asks for a picture, too.
    PhotoMissing,
    /// The report of the day is submitted with this revision.
    Submitted(u32),
}

impl fmt::Display for TickRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnotherDay(date) => {
                write!(f, "this round is of {date}: reload the page for today's")
            }
            Self::UnknownItem(id) => write!(f, "the list has no item {id}: reload the page"),
            Self::UnknownSlot(slot) => write!(
                f,
                "{} has no time number {} today: reload the page",
                slot.item, slot.number
            ),
            Self::FilledByTheGateway(id) => write!(
                f,
                "{id} is filled in by the gateway: only \"not applicable\" or a failure with an \
                 action can be added"
            ),
            Self::TakenBy { by, .. } => write!(
                f,
                "{by} has ticked it already; to correct that, open it and change it there"
            ),
            Self::CorrectsNothing => {
                f.write_str("what you correct was changed meanwhile: reload the page and look")
            }
            Self::IdUsedTwice => {
                f.write_str("this tick's id is in use for something else: reload the page")
            }
            Self::NotYet { .. } => f.write_str("its time has not come: tick it when it is done"),
            Self::Missed { .. } => f.write_str(
                "it is too late for this one: it stays missed, and a remark in the report can say why",
            ),
            Self::PhoneClockWrong(by) => write!(
                f,
                "the phone's clock is {} min {}: set it to automatic time and send again",
                by.unsigned_abs() / 60_000,
                if *by > 0 { "fast" } else { "slow" }
            ),
            Self::TapOutOfReach => {
                f.write_str("the time of the tap cannot be: tick it again on the page")
            }
            Self::WrongEvidence(what) => f.write_str(what),
            Self::PhotoMissing => f.write_str("this site asks for a picture of it, too"),
            Self::Submitted(revision) => write!(
                f,
                "the day's report is submitted (revision {revision}): open it again to change it"
            ),
        }
    }
}

impl std::error::Error for TickRefused {}
