//! What the street office may ask a gateway to do: values, with no word of how they arrive.

use crate::clock::WallTime;
use crate::id::MessageNumber;
use crate::text::Note;
use std::fmt;
use std::str::FromStr;

/// Longest id and longest name of a sender, bytes.
const LONGEST: usize = 64;

/// A text that whoever asks chose: an id of a command, or a name. 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(String);

impl Token {
    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAToken;

impl fmt::Display for NotAToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not 1 to {LONGEST} letters A-Z a-z, digits, _ and -")
    }
}

impl std::error::Error for NotAToken {}

impl FromStr for Token {
    type Err = NotAToken;
    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAToken)
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A word of the street office to whoever runs the building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What is said.
    pub text: Note,
    /// Shown from here.
    pub begins: WallTime,
    /// Shown until here.
    pub ends: WallTime,
}

/// Something to be done, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Send the broker's messages of this stretch again, whoever has acknowledged them; also those
    /// that were put aside. What is no longer kept here cannot be sent.
    Resend {
        /// First of them.
        from: MessageNumber,
        /// Last of them.
        to: MessageNumber,
    },
    /// Say once more how things stand: status, open alerts, faults, what Home Assistant needs.
    Announce,
    /// Show this to whoever runs the building.
    Notice(Notice),
    /// Offer this version of the site's list to whoever runs the building: the text of a template's file.
    Template(String),
}

/// Why a version of a list that was sent is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsuitable {
    /// It is no template that this program can read.
    NotATemplate,
    /// It is for another kind of site.
    OtherKind,
    /// This version or a newer one is there.
    NotNewer,
}

impl Unsuitable {
    /// The word of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotATemplate => "not_a_template",
            Self::OtherKind => "other_kind",
            Self::NotNewer => "not_newer",
        }
    }
}

/// Which command, without what it is to be done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandName {
    /// [`Command::Resend`].
    Resend,
    /// [`Command::Announce`].
    Announce,
    /// [`Command::Notice`].
    Notice,
    /// [`Command::Template`].
    Template,
}

impl CommandName {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Resend, Self::Announce, Self::Notice, Self::Template];

    /// The word in topics, in the configuration and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Announce => "announce",
            Self::Notice => "notice",
            Self::Template => "template",
        }
    }

    /// The inverse of [`CommandName::as_str`].
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

impl Command {
    /// Which it is.
    #[must_use]
    pub const fn name(&self) -> CommandName {
        match self {
            Self::Resend { .. } => CommandName::Resend,
            Self::Announce => CommandName::Announce,
            Self::Notice(_) => CommandName::Notice,
            Self::Template(_) => CommandName::Template,
        }
    }
}

/// A command as somebody asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Chosen by whoever asks: what comes twice with one id is done once.
    pub id: Token,
    /// Who asks, by their own word; MQTT 3.1.1 does not tell.
    pub by: Token,
    /// What is to be done.
    pub command: Command,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_short_and_plain() {
        assert_eq!(
            "c-2026_1".parse::<Token>().map(|it| it.to_string()),
            Ok("c-2026_1".to_owned())
        );
        for wrong in ["", "a b", "门", "a/b", &"x".repeat(65)] {
            assert_eq!(wrong.parse::<Token>(), Err(NotAToken), "{wrong}");
        }
    }

    #[test]
    fn names_of_commands_read_back() {
        for name in CommandName::ALL {
            assert_eq!(CommandName::named(name.as_str()), Some(name));
        }
        assert_eq!(CommandName::named("reboot"), None);
    }
}
