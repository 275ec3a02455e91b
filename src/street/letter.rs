//! A message that came in, read with suspicion. [`read`] is the only door; what it refuses goes into
//! quarantine with the reason, and no receipt is given for it.
//!
//! What is kept is the payload as it came: the collector must not lose what a newer gateway says
//! only because this program does not know the word yet. Read is no more than the key needs.

use crate::id::DeviceEpoch;
use crate::mqtt::{Address, Class, Topic};
use serde::Deserialize;
use std::fmt;

/// Largest payload, bytes: a gateway's outbox takes 8 KiB, and marks what goes out late.
pub const LARGEST: usize = 16 * 1024;
/// The payloads' version that this program knows.
const V: u64 = 1;
/// Longest name of an epoch: a UUID has 36 letters.
const LONGEST_EPOCH: usize = 64;
/// Largest number: what both databases keep as an integer.
const LARGEST_NUMBER: u64 = i64::MAX as u64;

/// Why a message goes into quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The topic is none of a gateway's events or reports.
    Topic,
    /// Larger than any message of a gateway.
    Large,
    /// No JSON object with version, epoch and number as they must be; the text says in what.
    Payload(String),
    /// The payload names another gate than the topic.
    AnotherGate,
    /// Another message has come under this number: the first one stays.
    Contradicts,
}

impl Unfit {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Large => "large",
            Self::Payload(_) => "payload",
            Self::AnotherGate => "another_gate",
            Self::Contradicts => "contradicts",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic => f.write_str("not a topic of a gateway's events or reports"),
            Self::Large => write!(f, "longer than {LARGEST} bytes"),
            Self::Payload(why) => write!(f, "not as it should be: {why}"),
            Self::AnotherGate => f.write_str("the payload names another gate than the topic"),
            Self::Contradicts => {
                f.write_str("another message came under this number; the first one was kept")
            }
        }
    }
}

impl std::error::Error for Unfit {}

/// Numbers of which a gateway says that nothing will come under them any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Void {
    /// Of this epoch: the message's own, or one before it.
    pub epoch: DeviceEpoch,
    /// First and last of each stretch; without a last it is the end of that epoch.
    pub stretches: Vec<(u64, Option<u64>)>,
}

/// A message that can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Whose.
    pub site: Address,
    /// What it is about: the last part of its topic.
    pub name: String,
    /// Which database it comes from.
    pub epoch: DeviceEpoch,
    /// Its number there.
    pub number: u64,
    /// Whether its version is newer than what this program knows: kept, and marked.
    pub newer: bool,
    /// Numbers that it declares void.
    pub void: Option<Void>,
}

/// The part of a payload that the key needs.
#[derive(Deserialize)]
struct KeyPart {
    v: u64,
    epoch: String,
    seq: u64,
    gate: Option<String>,
}

/// The part of `event/void` that matters here.
#[derive(Deserialize)]
struct VoidPart {
    of_epoch: String,
    numbers: Vec<(u64, Option<u64>)>,
}

/// Reads a message.
///
/// # Errors
/// [`Unfit`]: why it goes into quarantine.
pub fn read(topic: &str, payload: &[u8]) -> Result<Letter, Unfit> {
    if payload.len() > LARGEST {
        return Err(Unfit::Large);
    }
    let topic: Topic = topic.parse().map_err(|_| Unfit::Topic)?;
    if !matches!(topic.class, Class::Event | Class::Report) {
        return Err(Unfit::Topic);
    }
    let key: KeyPart = parsed(payload)?;
    if key.v == 0 {
        return Err(Unfit::Payload("there is no version 0".to_owned()));
    }
    if !(1..=LARGEST_NUMBER).contains(&key.seq) {
        return Err(Unfit::Payload(format!(
            "seq is {}, and must be 1 to {LARGEST_NUMBER}",
            key.seq
        )));
    }
    if key
        .gate
        .is_some_and(|gate| gate != topic.address.gate.as_str())
    {
        return Err(Unfit::AnotherGate);
    }
    let newer = key.v > V;
    // What a newer gateway means by `void` is not known here; a number that stays open is the safe
    // reading.
    let void = if topic.class == Class::Event && topic.name.as_str() == "void" && !newer {
        let part: VoidPart = parsed(payload)?;
        Some(Void {
            epoch: epoch(part.of_epoch)?,
            stretches: part.numbers,
        })
    } else {
        None
    };
    Ok(Letter {
        epoch: epoch(key.epoch)?,
        number: key.seq,
        newer,
        void,
        name: topic.name.as_str().to_owned(),
        site: topic.address,
    })
}

/// Whether two payloads under one number say the same: a gateway marks what it sends again as late.
#[must_use]
pub fn say_the_same(one: &[u8], other: &[u8]) -> bool {
    let plain = |payload: &[u8]| {
        let mut value: serde_json::Value = serde_json::from_slice(payload).ok()?;
        value.as_object_mut()?.remove("late");
        Some(value)
    };
    one == other || plain(one).is_some_and(|it| plain(other) == Some(it))
}

fn parsed<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Unfit> {
    serde_json::from_slice(payload).map_err(|error| Unfit::Payload(error.to_string()))
}

/// An epoch, where it may be one.
fn epoch(text: String) -> Result<DeviceEpoch, Unfit> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=LONGEST_EPOCH).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(DeviceEpoch(text))
    } else {
        Err(Unfit::Payload("epoch is no name of a database".to_owned()))
    }
}
