//! `event/command`: what became of a command. What was done is told like every other event, through
//! the outbox; what was refused changes nothing, so its answer is said once and not kept.

use super::link::Suits;
use super::payload::{V, bytes, message, rfc3339};
use super::topic::{Address, Topic};
use crate::clock::{ClockTrust, Stamp, WallTime};
use crate::command::{Asked, Command, CommandName, Unsuitable};
use crate::id::{DeviceEpoch, MessageKey};
use crate::journal::OutboxMessage;
use serde::Serialize;
use std::collections::BTreeSet;

/// Why a command is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The site's configuration does not allow it.
    NotAllowed,
    /// It came too late.
    Expired,
    /// It has an end, and this gateway's clock is not set.
    ClockUnset,
    /// It was done before.
    DoneBefore,
    /// A version of a list that this site cannot take.
    Unsuitable(Unsuitable),
    /// Too many at once, or the disk failed: to be asked again.
    Busy,
}

impl Refusal {
    /// The word on the wire.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::Expired => "expired",
            Self::ClockUnset => "clock_unset",
            Self::DoneBefore => "done_before",
            Self::Unsuitable(why) => why.as_str(),
            Self::Busy => "busy",
        }
    }
}

/// `event/command`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct AnswerPayload<'a> {
    v: u8,
    epoch: &'a str,
    /// Only where it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    id: &'a str,
    by: &'a str,
    command: &'static str,
    /// `done` or `refused`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    at: String,
    clock: &'static str,
    gate: &'a str,
}

fn answer(
    address: &Address,
    epoch: &DeviceEpoch,
    asked: &Asked,
    at: &Stamp,
    (seq, result, reason): (Option<u64>, &'static str, Option<Refusal>),
) -> OutboxMessage {
    let payload = AnswerPayload {
        v: V,
        epoch: &epoch.0,
        seq,
        id: asked.id.as_str(),
        by: asked.by.as_str(),
        command: asked.command.name().as_str(),
        result,
        reason: reason.map(Refusal::as_str),
        at: rfc3339(at.wall),
        clock: at.trust.as_str(),
        gate: address.gate.as_str(),
    };
    message(&Topic::command_event(address), bytes(&payload))
}

/// It was done.
pub(super) fn done(
    address: &Address,
    key: &MessageKey,
    asked: &Asked,
    at: &Stamp,
) -> OutboxMessage {
    let outcome = (Some(key.number.0), "done", None);
    answer(address, &key.epoch, asked, at, outcome)
}

/// It was not done.
pub(super) fn refused(
    address: &Address,
    epoch: &DeviceEpoch,
    asked: &Asked,
    why: Refusal,
    at: &Stamp,
) -> OutboxMessage {
    answer(address, epoch, asked, at, (None, "refused", Some(why)))
}

/// What speaks against doing a command, before it is looked up whether it was done.
pub(super) fn refusal(
    asked: &Asked,
    expires: Option<WallTime>,
    (allowed, suits): (&BTreeSet<CommandName>, &Suits),
    now: &Stamp,
) -> Option<Refusal> {
    if !allowed.contains(&asked.command.name()) {
        return Some(Refusal::NotAllowed);
    }
    match expires {
        Some(_) if now.trust != ClockTrust::Synchronised => return Some(Refusal::ClockUnset),
        Some(expires) if now.wall > expires => return Some(Refusal::Expired),
        _ => {}
    }
    match &asked.command {
        Command::Template(text) => suits(text).err().map(Refusal::Unsuitable),
        Command::Announce | Command::Notice(_) | Command::Resend { .. } => None,
    }
}
