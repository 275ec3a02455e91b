//! Reads TOML of which the tables have no fixed names: lists of items, owners by name. Notes everything
//! that is wrong with its place, and goes on.
//!
//! The configuration's own reader (`read.rs`) works from a fixed table of keys and sections; here the
//! same few keys stand in many tables. Both give the same kind of [`Problem`].

use crate::config::read::{MOST_SYNTAX_ERRORS, Placed, SYNTAX_HINT, nearest};
use crate::config::{ConfigError, Problem};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// What to do where a reader of a value says only what is wrong.
const USUAL_HINT: &str =
    "look at the shipped lists for examples: `menshen checklist templates --json`";

/// What is known while a file is read.
pub(in crate::config) struct Reading<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

/// A table of the file.
#[derive(Clone, Debug)]
pub(in crate::config) struct Node<'a, 't> {
    table: Option<&'a DeTable<'t>>,
    /// Where it stands.
    pub(in crate::config) span: Range<usize>,
    /// What messages call it.
    name: &'static str,
}

impl<'t> Reading<'t> {
    /// Reads a file's text with `read`, and gives what it made where nothing is wrong.
    pub(in crate::config) fn whole<T>(
        text: &'t str,
        file_name: &str,
        read: impl FnOnce(&mut Self, &Node<'_, 't>) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut reading = Self {
            text,
            problems: Vec::new(),
        };
        let mut made = None;
        if errors.is_empty() {
            let node = Node {
                table: Some(root.get_ref()),
                span: 0..0,
                name: "the file",
            };
            made = read(&mut reading, &node);
        }
        for error in errors.iter().take(MOST_SYNTAX_ERRORS) {
            let span = error.span().unwrap_or_default();
            reading.problem(span, error.message().trim(), SYNTAX_HINT);
        }
        match made {
            Some(made) if reading.problems.is_empty() => Ok(made),
            _ => Err(ConfigError::of(file_name, reading.problems)),
        }
    }

    /// Notes a problem.
    pub(in crate::config) fn problem(&mut self, span: Range<usize>, message: &str, hint: &str) {
        self.problems
            .push(Problem::at(self.text, span, message, hint));
    }

    /// Notes a problem in one sentence: what is wrong, a semicolon, what to do.
    fn sentence(&mut self, span: Range<usize>, key: &str, sentence: &str) {
        let (what, hint) = sentence.split_once("; ").unwrap_or((sentence, USUAL_HINT));
        self.problem(span, &format!("{key}: {what}"), hint);
    }

    /// Notes every key that the table may not have.
    pub(in crate::config) fn only(&mut self, node: &Node<'_, 't>, keys: &[&str]) {
        for key in node.table.into_iter().flat_map(|table| table.keys()) {
            let name: &str = key.get_ref();
            if keys.contains(&name) {
                continue;
            }
            let list = keys.join(", ");
            let hint = match nearest(name, keys.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"? valid keys: {list}"),
                None => format!("valid keys: {list}"),
            };
            let message = format!("unknown key \"{name}\" in {}", node.name);
            self.problem(key.span(), &message, &hint);
        }
    }

    fn wrong_type(&mut self, span: Range<usize>, key: &str, found: &DeValue<'_>, wanted: &str) {
        let message = format!("{key} is of the wrong type ({})", found.type_str());
        self.problem(span, &message, &format!("write {wanted}"));
    }

    /// Notes that a key is missing.
    fn missing(&mut self, node: &Node<'_, 't>, key: &str) {
        let message = format!("{} has no {key}", node.name);
        self.problem(node.span.clone(), &message, &format!("write {key} = ..."));
    }

    /// What `parse` makes of a text; `None` where it is not there or wrong.
    pub(in crate::config) fn maybe<T>(
        &mut self,
        node: &Node<'_, 't>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Placed<T>> {
        let found = node.table?.get(key)?;
        let span = found.span();
        let Some(text) = found.get_ref().as_str() else {
            self.wrong_type(span, key, found.get_ref(), "a text in quotes");
            return None;
        };
        match parse(text) {
            Ok(value) => Some(Placed { value, span }),
            Err(sentence) => {
                self.sentence(span, key, &sentence);
                None
            }
        }
    }

    /// The same of a text that must be there.
    pub(in crate::config) fn must<T>(
        &mut self,
        node: &Node<'_, 't>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Placed<T>> {
        if !node.has(key) {
            self.missing(node, key);
        }
        self.maybe(node, key, parse)
    }

    /// `true` or `false`.
    pub(in crate::config) fn flag(
        &mut self,
        node: &Node<'_, 't>,
        key: &str,
    ) -> Option<Placed<bool>> {
        let found = node.table?.get(key)?;
        let value = found.get_ref().as_bool();
        if value.is_none() {
            self.wrong_type(found.span(), key, found.get_ref(), "true or false");
        }
        let span = found.span();
        value.map(|value| Placed { value, span })
    }

    /// A whole number within limits, both included; `None` where it is not there.
    pub(in crate::config) fn number(
        &mut self,
        node: &Node<'_, 't>,
        key: &str,
        (low, high): (u32, u32),
    ) -> Option<Placed<u32>> {
        let found = node.table?.get(key)?;
        let span = found.span();
        let number = found.get_ref().as_integer();
        let value = number
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| (low..=high).contains(number));
        if value.is_none() {
            let wanted = format!("a whole number from {low} to {high}");
            self.wrong_type(span.clone(), key, found.get_ref(), &wanted);
        }
        value.map(|value| Placed { value, span })
    }

    /// A version: a whole number from 1, which must be there.
    pub(in crate::config) fn version(
        &mut self,
        node: &Node<'_, 't>,
        key: &str,
    ) -> Option<Placed<u32>> {
        let Some(found) = node.table.and_then(|table| table.get(key)) else {
            self.missing(node, key);
            return None;
        };
        let number = found.get_ref().as_integer();
        let value = number
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|version| *version > 0);
        if value.is_none() {
            self.wrong_type(found.span(), key, found.get_ref(), "a whole number from 1");
        }
        let span = found.span();
        value.map(|value| Placed { value, span })
    }

    /// What `parse` makes of each text of a list; empty where there is none.
    pub(in crate::config) fn list<T>(
        &mut self,
        node: &Node<'_, 't>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<Placed<T>> {
        let Some(found) = node.table.and_then(|table| table.get(key)) else {
            return Vec::new();
        };
        let Some(list) = found.get_ref().as_array() else {
            self.wrong_type(found.span(), key, found.get_ref(), "texts in brackets");
            return Vec::new();
        };
        let mut values = Vec::new();
        for entry in list {
            let span = entry.span();
            match entry.get_ref().as_str().map(&parse) {
                Some(Ok(value)) => values.push(Placed { value, span }),
                Some(Err(sentence)) => self.sentence(span, key, &sentence),
                None => self.wrong_type(span, key, entry.get_ref(), "a text in quotes"),
            }
        }
        values
    }

    /// A table within this one; an empty one where there is none.
    pub(in crate::config) fn table<'a>(
        &mut self,
        node: &Node<'a, 't>,
        key: &'static str,
    ) -> Node<'a, 't> {
        let found = node.table.and_then(|table| table.get(key));
        let span = found.map_or(node.span.clone(), toml::Spanned::span);
        let table = match found.map(toml::Spanned::get_ref) {
            Some(DeValue::Table(table)) => Some(table),
            Some(other) => {
                self.wrong_type(
                    span.clone(),
                    key,
                    other,
                    &format!("[{key}] and its keys below"),
                );
                None
            }
            None => None,
        };
        Node {
            table,
            span,
            name: key,
        }
    }

    /// The tables of a list of tables, `[[item]]`.
    pub(in crate::config) fn tables<'a>(
        &mut self,
        node: &Node<'a, 't>,
        key: &'static str,
    ) -> Vec<Node<'a, 't>> {
        let Some(found) = node.table.and_then(|table| table.get(key)) else {
            return Vec::new();
        };
        let hint = format!("[[{key}]] on a line of its own, and its keys below");
        let Some(list) = found.get_ref().as_array() else {
            self.wrong_type(found.span(), key, found.get_ref(), &hint);
            return Vec::new();
        };
        let mut nodes = Vec::new();
        for entry in list {
            match entry.get_ref() {
                DeValue::Table(table) => nodes.push(Node {
                    table: Some(table),
                    span: entry.span(),
                    name: key,
                }),
                other => self.wrong_type(entry.span(), key, other, &hint),
            }
        }
        nodes
    }
}

impl<'a> Node<'a, '_> {
    /// Whether the table has this key.
    pub(in crate::config) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The names of its keys, with their places.
    pub(in crate::config) fn names(&self) -> Vec<(&'a str, Range<usize>)> {
        let keys = self.table.into_iter().flat_map(|table| table.keys());
        keys.map(|key| (key.get_ref().as_ref(), key.span()))
            .collect()
    }
}
