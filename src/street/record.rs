//! What the ledger gives back: values, whichever the database.

use crate::clock::WallTime;
use crate::command::Asked;
use crate::id::{DeviceEpoch, MessageNumber};
use crate::mqtt::{Address, asking};

/// A kept message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub number: MessageNumber,
    /// Last part of its topic.
    pub name: String,
    /// Whether its version was newer than what the collector knew.
    pub newer: bool,
    /// As it came.
    pub payload: Vec<u8>,
}

/// A kept message with whose it is, for pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Whose.
    pub site: Address,
    /// Which database of the site's it comes from.
    pub epoch: DeviceEpoch,
    /// Its number there.
    pub number: MessageNumber,
    /// Last part of its topic: `alert`, `fault`, `command`, `void`, or the date of a report.
    pub name: String,
    /// Whether its version was newer than what the collector knew.
    pub newer: bool,
    /// Whether the gateway said that it is old news: for lists, and for no siren.
    pub late: bool,
    /// As it came.
    pub payload: Vec<u8>,
    /// When it came.
    pub received: WallTime,
}

/// Which messages are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Of this site; of all of them without.
    pub site: Option<&'a Address>,
    /// Under these names; under any without.
    pub names: Option<&'a [&'a str]>,
    /// Received at this time or later.
    pub from: WallTime,
    /// Received before this.
    pub to: WallTime,
    /// At most so many, the newest of them.
    pub newest: u32,
}

/// How something of a site stands: the latest word of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whose.
    pub site: Address,
    /// Last part of its topic: `gateway` (whether it is there), `alerts`, `faults`, `checklist`,
    /// `followup`, and what newer gateways say.
    pub name: String,
    /// Whether its version was newer than what the collector knew.
    pub newer: bool,
    /// As it came.
    pub payload: Vec<u8>,
    /// When it came first in this form: one that only came again is as old as before.
    pub received: WallTime,
}

/// A message in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its topic.
    pub topic: String,
    /// Its payload, or the beginning of a long one.
    pub payload: Vec<u8>,
    /// The word of [`Unfit`](super::letter::Unfit).
    pub reason: String,
    /// The sentence of [`Unfit`](super::letter::Unfit).
    pub detail: String,
    /// When it came.
    pub received: WallTime,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sites that were ever heard of.
    pub sites: u64,
    /// Messages that are kept.
    pub messages: u64,
    /// Messages in quarantine.
    pub quarantined: u64,
}

/// A text that stays the same while nothing in the ledger changes. Equal marks: nothing to read
/// anew. It has no order, and means nothing in another database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(pub String);

/// Something that sites are told to do: a command, kept until each of them has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// By it a site knows what came twice, and answers.
    pub id: String,
    /// Last part of its topic: which command.
    pub name: String,
    /// As it goes down.
    pub payload: Vec<u8>,
    /// When it was given.
    pub given: WallTime,
    /// From then on it is sent to nobody any more.
    pub expires: WallTime,
}

impl Order {
    /// What somebody of the office asks for.
    #[must_use]
    pub fn of(asked: &Asked, given: WallTime, expires: WallTime) -> Self {
        Self {
            id: asked.id.to_string(),
            name: asked.command.name().as_str().to_owned(),
            payload: asking(asked, expires),
            given,
            expires,
        }
    }
}

/// What a site said of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet: it is sent again until it does.
    Waiting,
    /// Done.
    Done {
        /// When that was heard.
        at: WallTime,
    },
    /// Not done.
    Refused {
        /// The gateway's word for why.
        why: String,
        /// When that was heard.
        at: WallTime,
    },
}

/// The word in the database for what was done.
pub(super) const DONE: &str = "done";

impl Outcome {
    /// From the database's columns.
    pub(super) fn read(answer: Option<String>, at: Option<i64>) -> Self {
        let at = WallTime(at.unwrap_or_default());
        match answer {
            None => Self::Waiting,
            Some(word) if word == DONE => Self::Done { at },
            Some(why) => Self::Refused { why, at },
        }
    }
}

/// An order as one site has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Whose.
    pub site: Address,
    /// What became of it there.
    pub outcome: Outcome,
}
