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
/// Longest name of an epoch, id and reason: a UUID has 36 letters.
const LONGEST_WORD: usize = 64;
/// Largest number: what both databases keep as an integer.
const LARGEST_NUMBER: u64 = i64::MAX as u64;

/// Why a message goes into quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The topic is none that a gateway publishes.
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
            Self::Topic => f.write_str("not a topic that a gateway publishes"),
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

/// What a gateway says of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandAnswer {
    /// Which one.
    pub id: String,
    /// Why it was not done; `None` where it was.
    pub refused: Option<String>,
}

/// Something that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mail {
    /// Numbered: kept for good, once, and acknowledged.
    Letter(Letter),
    /// Of what stands, the latest is kept, and nobody is told so.
    Standing(Standing),
    /// Said once, without a number: a command was refused, which changes nothing at the gateway.
    Answer {
        /// Whose.
        site: Address,
        /// What.
        answer: CommandAnswer,
    },
}

/// How something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub site: Address,
    /// What: the last part of its topic.
    pub name: String,
    /// Whether its version is newer than what this program knows: kept, and marked.
    pub newer: bool,
    /// Whether the broker was told to forget it, by a message of no bytes.
    pub gone: bool,
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
    /// Whether its gateway says that it is old news.
    pub late: bool,
    /// Numbers that it declares void.
    pub void: Option<Void>,
    /// What it says of a command.
    pub answer: Option<CommandAnswer>,
}

/// The part of a payload that the key needs.
#[derive(Deserialize)]
struct KeyPart {
    v: u64,
    epoch: String,
    /// What only stands has none.
    seq: Option<u64>,
    gate: Option<String>,
    #[serde(default)]
    late: bool,
}

/// The part of `event/void` that matters here.
#[derive(Deserialize)]
struct VoidPart {
    of_epoch: String,
    numbers: Vec<(u64, Option<u64>)>,
}

/// The part of `event/command` that matters here.
#[derive(Deserialize)]
struct AnswerPart {
    id: String,
    result: String,
    reason: Option<String>,
}

/// Reads a message.
///
/// # Errors
/// [`Unfit`]: why it goes into quarantine.
pub fn read(topic: &str, payload: &[u8]) -> Result<Mail, Unfit> {
    if payload.len() > LARGEST {
        return Err(Unfit::Large);
    }
    let topic: Topic = topic.parse().map_err(|_| Unfit::Topic)?;
    let name = topic.name.as_str().to_owned();
    let stands = topic.class.retained();
    if stands && payload.is_empty() {
        return Ok(Mail::Standing(Standing {
            site: topic.address,
            name,
            newer: false,
            gone: true,
        }));
    }
    if !stands && !matches!(topic.class, Class::Event | Class::Report) {
        return Err(Unfit::Topic);
    }
    let key: KeyPart = parsed(payload)?;
    if key.v == 0 {
        return Err(Unfit::Payload("there is no version 0".to_owned()));
    }
    if key
        .gate
        .is_some_and(|gate| gate != topic.address.gate.as_str())
    {
        return Err(Unfit::AnotherGate);
    }
    let (epoch, newer) = (epoch(key.epoch)?, key.v > V);
    if stands {
        return Ok(Mail::Standing(Standing {
            site: topic.address,
            name,
            newer,
            gone: false,
        }));
    }
    // What a newer gateway means by a word of ours is not known here. A number that stays open is
    // the safe reading of `void`, and an order that waits that of `command`.
    let known = (topic.class == Class::Event && !newer).then_some(name.as_str());
    let answer = match known {
        Some("command") => Some(answer(parsed(payload)?)?),
        _ => None,
    };
    let void = match known {
        Some("void") => Some(void(parsed(payload)?)?),
        _ => None,
    };
    match (key.seq, answer) {
        (None, Some(answer)) => Ok(Mail::Answer {
            site: topic.address,
            answer,
        }),
        (Some(number), answer) if (1..=LARGEST_NUMBER).contains(&number) => {
            Ok(Mail::Letter(Letter {
                epoch,
                number,
                newer,
                late: key.late,
                void,
                answer,
                name,
                site: topic.address,
            }))
        }
        (Some(number), _) => Err(Unfit::Payload(format!(
            "seq is {number}, and must be 1 to {LARGEST_NUMBER}"
        ))),
        (None, _) => Err(Unfit::Payload("there is no seq".to_owned())),
    }
}

fn void(part: VoidPart) -> Result<Void, Unfit> {
    Ok(Void {
        epoch: epoch(part.of_epoch)?,
        stretches: part.numbers,
    })
}

fn answer(part: AnswerPart) -> Result<CommandAnswer, Unfit> {
    let refused = match (part.result.as_str(), part.reason) {
        ("done", _) => None,
        // It came twice, and the message that says so of the first time is on its way.
        ("refused", Some(reason)) if reason == "done_before" => None,
        ("refused", Some(reason)) if plain(&reason) => Some(reason),
        _ => {
            return Err(Unfit::Payload(
                "result is neither done, nor refused with a reason".to_owned(),
            ));
        }
    };
    if plain(&part.id) {
        Ok(CommandAnswer {
            id: part.id,
            refused,
        })
    } else {
        Err(Unfit::Payload("id is none of a command".to_owned()))
    }
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
    if plain(&text) {
        Ok(DeviceEpoch(text))
    } else {
        Err(Unfit::Payload("epoch is no name of a database".to_owned()))
    }
}

/// Whether a text is a word as gateways choose them.
fn plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(allowed)
}
