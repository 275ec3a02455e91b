//! Names of things that are counted or told apart.

use crate::clock::BootId;
use std::fmt;
use std::str::FromStr;

/// Identity of a database: made once with it, so that a restored copy or a new card never reuses
/// a key. A UUID, kept as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceEpoch(pub String);

/// Number of an event within its epoch, from 1, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

/// Where an event stands for ever: the key by which everybody counts it once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventKey {
    /// Which database.
    pub epoch: DeviceEpoch,
    /// Which event of it.
    pub seq: Sequence,
}

/// A way out of the building that keeps its own messages: the broker, or one notifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(String);

impl Channel {
    /// The MQTT broker.
    #[must_use]
    pub fn broker() -> Self {
        Self("broker".to_owned())
    }

    /// A notifier, by the name that the site gave it.
    #[must_use]
    pub fn notifier(name: &str) -> Self {
        Self(format!("notify.{name}"))
    }

    /// The channel of this word, as [`Channel::as_str`] wrote it.
    #[must_use]
    pub fn named(word: String) -> Self {
        Self(word)
    }

    /// The word for it in the database and in the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of a message within its channel and epoch, from 1, without gaps: who receives them sees
/// by it what is missing. (Events have gaps for a receiver, since not every event is told.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(pub u64);

/// What a message is known by for ever: who receives it twice counts it once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageKey {
    /// Which database.
    pub epoch: DeviceEpoch,
    /// Which message of a channel.
    pub number: MessageNumber,
}

/// One person followed through consecutive frames; counted from 1 in each boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(pub u64);

/// One person's screening: the boot and the number of its track. Written `boot-track`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScreeningId {
    /// Start of the gateway in which it happened.
    pub boot: BootId,
    /// The person's track.
    pub track: TrackId,
}

impl fmt::Display for ScreeningId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.boot.0, self.track.0)
    }
}

/// A text that names no screening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected two numbers with a dash, such as 3-17")
    }
}

impl std::error::Error for NotAnId {}

impl FromStr for ScreeningId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (boot, track) = text.split_once('-').ok_or(NotAnId)?;
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain
                .then(|| digits.parse::<u64>().ok())
                .flatten()
                .ok_or(NotAnId)
        };
        Ok(Self {
            boot: BootId(number(boot)?),
            track: TrackId(number(track)?),
        })
    }
}

/// An alert has the id of the screening that raised it: one person, one screening, one alert.
pub type AlertId = ScreeningId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote() {
        let id = ScreeningId {
            boot: BootId(3),
            track: TrackId(17),
        };
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            "",
            "3",
            "3-",
            "-17",
            "3-17-1",
            "+3-17",
            "a-b",
            "99999999999999999999-1",
        ] {
            assert_eq!(wrong.parse::<ScreeningId>(), Err(NotAnId), "{wrong}");
        }
    }
}
