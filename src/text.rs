//! Words in both languages, and lines that people write: never empty, never endless.

mod named;

pub(crate) use named::named;

use std::fmt;

/// The same said in Chinese and in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A line that somebody wrote: trimmed, 1 to [`Note::LONGEST`] characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Note(String);

impl Note {
    /// Most characters: what fits on a phone's screen.
    pub const LONGEST: usize = 500;

    /// Most characters of a name.
    pub const LONGEST_NAME: usize = 80;

    /// A note, or `None` where there is nothing in it, too much, or characters that nobody sees. Line
    /// breaks become spaces.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::within(text, Self::LONGEST)
    }

    /// A person's name, or `None` as for [`Note::new`].
    #[must_use]
    pub fn name(text: &str) -> Option<Self> {
        Self::within(text, Self::LONGEST_NAME)
    }

    fn within(text: &str, most: usize) -> Option<Self> {
        let line = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
        let line = line.trim();
        let fits =
            !line.is_empty() && !line.chars().any(char::is_control) && line.chars().count() <= most;
        fits.then(|| Self(line.to_owned()))
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_too_much_are_no_notes() {
        for wrong in ["", "  \n ", "a\u{7}b", "\u{0}"] {
            assert_eq!(Note::new(wrong), None, "{wrong:?}");
        }
        assert!(Note::new(&"门".repeat(Note::LONGEST)).is_some());
        assert!(Note::new(&"门".repeat(Note::LONGEST + 1)).is_none());
        assert!(Note::name(&"王".repeat(Note::LONGEST_NAME + 1)).is_none());
        assert_eq!(Note::new(" 两行\r\n字 ").unwrap().as_str(), "两行 字");
    }
}
