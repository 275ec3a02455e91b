//! Reads the file's tables key by key, and keeps everything that is wrong instead of stopping at
//! the first mistake.
//!
//! The toml crate's own tree with places ([`DeTable`]) is read here rather than derived types: a
//! derive stops at the first error, cannot say the allowed range and its unit, and cannot point
//! at a value that has the right type but a wrong size. Nothing here blocks.

use super::keys::{self, Key, Kind, Table};
use super::report::{Problem, is_secret};
use super::web::is_host;
use crate::clock::WallTime;
use std::net::SocketAddr;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Most syntax errors that are reported at once; those after them usually follow from them.
pub(super) const MOST_SYNTAX_ERRORS: usize = 3;

/// Likeness (Jaro–Winkler, 0…1) from which a key is taken for a misspelling of another one.
const LIKE: f64 = 0.75;

/// What to do about a file that is no TOML.
pub(super) const SYNTAX_HINT: &str =
    "the file is TOML: [section] on a line of its own, then key = value; text in quotes";

/// A value with its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    /// What was written.
    pub(super) value: T,
    /// Where, bytes.
    pub(super) span: Range<usize>,
}

/// A file that is being read.
pub(super) struct Reader<'text> {
    text: &'text str,
    table: Table,
    root: DeTable<'text>,
    problems: Vec<Problem>,
    is_toml: bool,
    /// Keys that were there and wrong.
    noted: Vec<(&'static str, &'static str)>,
}

impl<'text> Reader<'text> {
    /// Reads the file's syntax and looks for keys that do not exist.
    pub(super) fn new(text: &'text str, table: Table) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut reader = Self {
            text,
            table,
            root: root.into_inner(),
            problems: Vec::new(),
            is_toml: errors.is_empty(),
            noted: Vec::new(),
        };
        if errors.is_empty() {
            reader.refuse_unknown();
        } else {
            for error in errors.iter().take(MOST_SYNTAX_ERRORS) {
                let span = error.span().unwrap_or_default();
                reader.problem(span, error.message().trim(), SYNTAX_HINT);
            }
            reader.root = DeTable::new();
        }
        reader
    }

    /// Whether the text is TOML at all.
    pub(super) fn is_syntax(&self) -> bool {
        self.is_toml
    }

    /// Whether the file has this section.
    pub(super) fn has(&self, section: &str) -> bool {
        self.root.contains_key(section)
    }

    /// Notes a key that must be there and is not; one that is there and wrong was noted already.
    pub(super) fn missing(&mut self, key: &Key) {
        if self.noted.contains(&(key.section, key.name)) {
            return;
        }
        let message = format!("{} in [{}] is missing", key.name, key.section);
        let hint = format!("{}: {}", key.about, key.kind.allowed());
        self.problem(0..0, &message, &hint);
    }

    /// Everything that is wrong so far.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, span: Range<usize>, message: &str, hint: &str) {
        self.problems
            .push(Problem::at(self.text, span, message, hint));
    }

    /// Notes a value that is not allowed.
    pub(super) fn wrong(&mut self, key: &Key, span: Range<usize>, what: &str) {
        self.noted.push((key.section, key.name));
        let message = format!("{} in [{}] {what}", key.name, key.section);
        let hint = format!("allowed: {} ({})", key.kind.allowed(), key.about);
        self.problem(span, &message, &hint);
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &Key) -> Option<bool> {
        let Placed { value, span } = self.value(key)?;
        let read = value.as_bool();
        if read.is_none() {
            self.wrong_type(key, span, &value);
        }
        read
    }

    /// A number within the key's limits; a whole number is a number, too.
    pub(super) fn number(&mut self, key: &Key) -> Option<Placed<f64>> {
        let Kind::Number { low, high, unit } = key.kind else {
            return None;
        };
        let Placed { value, span } = self.value(key)?;
        match number(&value) {
            Some(number) if (low..=high).contains(&number) => {
                // −0.0 is 0.0.
                let value = number + 0.0;
                Some(Placed { value, span })
            }
            Some(number) => {
                let what = format!("is {number:?}, outside of {low:?} to {high:?} {unit}");
                self.wrong(key, span, what.trim_end());
                None
            }
            None => {
                self.wrong_type(key, span, &value);
                None
            }
        }
    }

    /// A few numbers within the key's limits.
    pub(super) fn numbers(&mut self, key: &Key) -> Option<Placed<Vec<f64>>> {
        let Kind::Numbers {
            most, low, high, ..
        } = key.kind
        else {
            return None;
        };
        let Placed { value, span } = self.value(key)?;
        let Some(list) = value.as_array() else {
            self.wrong_type(key, span, &value);
            return None;
        };
        let mut numbers = Vec::new();
        for item in list {
            match number(item.get_ref()) {
                // −0.0 is 0.0.
                Some(it) if (low..=high).contains(&it) => numbers.push(it + 0.0),
                Some(it) => {
                    let what = format!("holds {it:?}, outside of {low:?} to {high:?}");
                    self.wrong(key, item.span(), &what);
                    return None;
                }
                None => {
                    self.wrong_type(key, item.span(), item.get_ref());
                    return None;
                }
            }
        }
        if numbers.is_empty() || numbers.len() > most {
            self.wrong(key, span, &format!("holds {} numbers", numbers.len()));
            return None;
        }
        Some(Placed {
            value: numbers,
            span,
        })
    }

    /// A day: its first moment, UTC.
    pub(super) fn date(&mut self, key: &Key) -> Option<Placed<WallTime>> {
        let Placed { value, span } = self.value(key)?;
        let day = value
            .as_datetime()
            .filter(|moment| moment.time.is_none() && moment.offset.is_none())
            .and_then(|moment| moment.date);
        let Some(day) = day else {
            self.wrong_type(key, span, &value);
            return None;
        };
        let Some(value) = first_moment(day) else {
            self.wrong(key, span, &format!("is {day}, which no calendar has"));
            return None;
        };
        Some(Placed { value, span })
    }

    /// A whole number within the key's limits, or one of its choices.
    pub(super) fn whole(&mut self, key: &Key) -> Option<u32> {
        let Placed { value, span } = self.value(key)?;
        let Some(number) = whole(&value) else {
            self.wrong_type(key, span, &value);
            return None;
        };
        let fits = u32::try_from(number).ok().filter(|number| match key.kind {
            Kind::Whole { low, high, .. } => (low..=high).contains(number),
            Kind::Choice(numbers) => numbers.contains(number),
            _ => false,
        });
        if fits.is_none() {
            self.wrong(key, span, &format!("is {number}, which is not allowed"));
        }
        fits
    }

    /// A text that the key's kind allows: a name, a word, a path or one line of text.
    pub(super) fn text(&mut self, key: &Key) -> Option<Placed<String>> {
        let Placed { value, span } = self.value(key)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(key, span, &value);
            return None;
        };
        let length = text.chars().count();
        let fault = match key.kind {
            _ if text.trim().is_empty() => Some("is empty".to_owned()),
            _ if text.chars().any(char::is_control) => {
                Some("has a control character or a line break in it".to_owned())
            }
            Kind::Name(most) if length > most => Some(format!("has {length} characters")),
            Kind::Name(_) => text
                .chars()
                .find(|&c| !is_name_character(c))
                .map(|c| format!("has the character '{c}', which MQTT topics here cannot hold")),
            Kind::Text(most) if length > most => Some(format!("has {length} characters")),
            Kind::Word(words) if !words.contains(&text) => {
                Some(match nearest(text, words.iter().copied()) {
                    Some(word) => format!("is \"{text}\"; did you mean \"{word}\"?"),
                    None => format!("is \"{text}\", which is not known"),
                })
            }
            _ => None,
        };
        if let Some(fault) = fault {
            self.wrong(key, span, &fault);
            return None;
        }
        let value = text.to_owned();
        Some(Placed { value, span })
    }

    /// Some of the words that the key's kind allows.
    pub(super) fn words(&mut self, key: &Key) -> Option<Vec<String>> {
        let Kind::Words(known) = key.kind else {
            return None;
        };
        let Placed { value, span } = self.value(key)?;
        let Some(list) = value.as_array() else {
            self.wrong_type(key, span, &value);
            return None;
        };
        let mut words = Vec::new();
        for item in list {
            match item.get_ref().as_str() {
                Some(word) if known.contains(&word) => words.push(word.to_owned()),
                Some(word) => {
                    self.wrong(
                        key,
                        item.span(),
                        &format!("holds \"{word}\", which is not known"),
                    );
                    return None;
                }
                None => {
                    self.wrong_type(key, item.span(), item.get_ref());
                    return None;
                }
            }
        }
        Some(words)
    }

    /// Names and addresses of machines.
    pub(super) fn hosts(&mut self, key: &Key) -> Option<Vec<String>> {
        let Kind::Hosts(most) = key.kind else {
            return None;
        };
        let Placed { value, span } = self.value(key)?;
        let Some(list) = value.as_array() else {
            self.wrong_type(key, span, &value);
            return None;
        };
        if list.len() > most {
            self.wrong(key, span, &format!("holds {} of them", list.len()));
            return None;
        }
        let mut hosts = Vec::new();
        for item in list {
            match item.get_ref().as_str() {
                Some(host) if is_host(host) => hosts.push(host.to_owned()),
                Some(other) => {
                    let what = format!("holds \"{other}\", which is no name and no address");
                    self.wrong(key, item.span(), &what);
                    return None;
                }
                None => {
                    self.wrong_type(key, item.span(), item.get_ref());
                    return None;
                }
            }
        }
        Some(hosts)
    }

    /// An address and a port.
    pub(super) fn address(&mut self, key: &Key) -> Option<Placed<SocketAddr>> {
        let Placed { value, span } = self.text(key)?;
        let Ok(value) = value.parse() else {
            self.wrong(key, span, "is not an address with a port");
            return None;
        };
        Some(Placed { value, span })
    }

    /// The value of a key, taken out of the tree.
    fn value(&mut self, key: &Key) -> Option<Placed<DeValue<'text>>> {
        let DeValue::Table(table) = self.root.get_mut(key.section)?.get_mut() else {
            return None;
        };
        let found = table.remove(key.name)?;
        let span = found.span();
        Some(Placed {
            value: found.into_inner(),
            span,
        })
    }

    fn wrong_type(&mut self, key: &Key, span: Range<usize>, found: &DeValue<'_>) {
        let what = match found {
            // A number in quotes is the commonest slip.
            DeValue::String(text) if text.trim().parse::<f64>().is_ok() => {
                "is a text: a number stands without quotes".to_owned()
            }
            DeValue::Integer(_) if whole(found).is_none() => "is too large a number".to_owned(),
            other => format!("is of the wrong type ({})", other.type_str()),
        };
        self.wrong(key, span, &what);
    }

    /// Notes every section and every key that does not exist.
    fn refuse_unknown(&mut self) {
        let mut found = Vec::new();
        for (section, value) in &self.root {
            let name: &str = section.get_ref();
            let valid = keys::names_in(self.table, name);
            match value.get_ref() {
                _ if valid.is_empty() => found.push(unknown_section(section, self.table)),
                DeValue::Table(table) => found.extend(
                    table
                        .keys()
                        .filter(|key| !valid.contains(&key.get_ref().as_ref()))
                        .map(|key| unknown_key(key, name, self.table)),
                ),
                _ => found.push((
                    section.span(),
                    format!("{name} is a section, not a value"),
                    format!("write [{name}] on a line of its own, and its keys below"),
                )),
            }
        }
        for (span, message, hint) in found {
            self.problem(span, &message, &hint);
        }
    }
}

/// Whether a part of a topic may hold this character: what Mosquitto, EMQX and NATS all take.
fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '-'
}

/// The number that was written; a whole number is a number, too.
fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
        DeValue::Integer(_) => whole(value).map(|number| number as f64),
        _ => None,
    }
}

/// A day's first moment, UTC.
fn first_moment(day: toml::value::Date) -> Option<WallTime> {
    let year = i16::try_from(day.year).ok()?;
    let (month, day) = (i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?);
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(WallTime(zoned.timestamp().as_millisecond()))
}

/// The whole number that was written, in any base.
fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

fn unknown_section(
    section: &Spanned<std::borrow::Cow<'_, str>>,
    table: Table,
) -> (Range<usize>, String, String) {
    let name: &str = section.get_ref();
    let homes = keys::homes_of(table, name);
    let sections = keys::sections(table);
    let valid = sections
        .iter()
        .map(|section| format!("[{section}]"))
        .collect::<Vec<_>>()
        .join(", ");
    let hint = if let Some(home) = homes.first() {
        format!("\"{name}\" belongs below [{home}]")
    } else if let Some(near) = nearest(name, sections.iter().copied()) {
        format!("did you mean [{near}]? sections: {valid}")
    } else {
        format!("sections: {valid}")
    };
    (section.span(), format!("unknown section \"{name}\""), hint)
}

fn unknown_key(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    section: &str,
    table: Table,
) -> (Range<usize>, String, String) {
    let name: &str = key.get_ref();
    let valid = keys::names_in(table, section);
    let list = valid.join(", ");
    let elsewhere = keys::homes_of(table, name);
    let hint = if is_secret(name) && section == "mqtt" {
        "a password does not stand in this file: put it into a file of its own (mode 0600) and \
         write password_file = \"/path/of/that/file\""
            .to_owned()
    } else if let Some(home) = elsewhere.first() {
        format!("\"{name}\" belongs below [{home}]; valid keys here: {list}")
    } else if let Some(near) = nearest(name, valid.iter().copied()) {
        format!("did you mean \"{near}\"? valid keys: {list}")
    } else {
        format!("valid keys: {list}")
    };
    let message = format!("unknown key \"{name}\" in [{section}]");
    (key.span(), message, hint)
}

/// The word most like this one, where one is like it at all.
pub(super) fn nearest<'word>(
    name: &str,
    words: impl Iterator<Item = &'word str>,
) -> Option<&'word str> {
    // Comparing is quadratic; nobody misspells a key by hundreds of letters.
    let short: String = name.chars().take(64).collect::<String>().to_lowercase();
    words
        .map(|word| (strsim::jaro_winkler(&short, word), word))
        .filter(|&(likeness, _)| likeness >= LIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let words = ["attention_c", "fever_c", "min_looks"];
        assert_eq!(
            nearest("atention_c", words.into_iter()),
            Some("attention_c")
        );
        assert_eq!(nearest("FEVER", words.into_iter()), Some("fever_c"));
        assert_eq!(nearest("zzz", words.into_iter()), None);
    }

    #[test]
    fn whole_numbers_of_every_base_are_read() {
        let text = "[mqtt]\nport = 0x75b";
        assert_eq!(
            Reader::new(text, keys::ALL).whole(&keys::MQTT_PORT),
            Some(0x75b)
        );
        let mut reader = Reader::new("[mqtt]\nport = 99999999999999999999", keys::ALL);
        assert_eq!(reader.whole(&keys::MQTT_PORT), None);
        assert_eq!(reader.into_problems().len(), 1);
    }
}
