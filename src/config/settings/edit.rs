//! A key in the text of the file, changed so that all else stays: comments, order, spaces.

use super::super::keys::{Key, Kind};
use toml_edit::{Array, DocumentMut, Item, RawString, Table, Value};

/// The file's text as a tree that writes itself as it was read.
pub(super) struct Document(DocumentMut);

/// A text as it is compared and written: numbers as people type them in Chinese, lists in one way.
pub(super) fn tidy(kind: Kind, text: &str) -> String {
    let text = text.trim();
    match kind {
        Kind::Number { .. } | Kind::Whole { .. } | Kind::Choice(_) => text
            .chars()
            .map(|letter| match letter {
                '０'..='９' => char::from(b'0' + (letter as u32 - '０' as u32) as u8),
                '．' | '。' => '.',
                '－' => '-',
                other => other,
            })
            .collect(),
        Kind::Words(_) | Kind::Hosts(_) => listed(text).join(", "),
        _ => text.to_owned(),
    }
}

/// What stands between commas.
fn listed(text: &str) -> Vec<String> {
    text.split([',', '，', '、', '\n'])
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A value as the file's kind of it: what is no number stays a text, which the reader refuses in its own
/// words.
fn value_of(kind: Kind, text: &str) -> Value {
    let number = || {
        let whole = text.parse::<i64>().map(Value::from).ok();
        // "nan" and "inf" are numbers to the parser and refused by their limits.
        whole.or_else(|| text.parse::<f64>().map(Value::from).ok())
    };
    let read = match kind {
        Kind::Switch => text.parse::<bool>().ok().map(Value::from),
        Kind::Number { .. } | Kind::Whole { .. } | Kind::Choice(_) => number(),
        Kind::Words(_) | Kind::Hosts(_) => {
            Some(Value::Array(listed(text).into_iter().collect::<Array>()))
        }
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

/// A value as people read it: texts without quotes, lists with commas.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.value().clone(),
        Value::Integer(number) => number.value().to_string(),
        Value::Float(number) => number.value().to_string(),
        Value::Boolean(switch) => switch.value().to_string(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string().trim().to_owned(),
    }
}

/// A value that is written as the file writes it, as people read it.
pub(super) fn plain(written: &str) -> String {
    written
        .parse::<Value>()
        .map_or_else(|_| written.to_owned(), |value| shown(&value))
}

fn prefix(text: Option<&RawString>) -> String {
    text.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

impl Document {
    /// `None` of what is no TOML.
    pub(super) fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    /// What a key says; empty where it is not there.
    pub(super) fn says(&self, key: &Key) -> String {
        let section = self.0.get(key.section).and_then(Item::as_table_like);
        let value = section
            .and_then(|it| it.get(key.name))
            .and_then(Item::as_value);
        value.map_or_else(String::new, shown)
    }

    /// Has a key say something else, or nothing.
    pub(super) fn set(&mut self, key: &Key, text: &str) {
        if text.is_empty() {
            self.unset(key);
            return;
        }
        let new = value_of(key.kind, text);
        let section = self
            .0
            .entry(key.section)
            .or_insert_with(|| Item::Table(Table::new()));
        let Some(section) = section.as_table_like_mut() else {
            // "site = 3": the reader says what is wrong with it.
            return;
        };
        match section.get_mut(key.name).and_then(Item::as_value_mut) {
            Some(old) => {
                let decor = old.decor().clone();
                *old = new;
                *old.decor_mut() = decor;
            }
            None => {
                section.insert(key.name, Item::Value(new));
            }
        }
    }

    /// Takes a key out. What was said of it above stays, and the line itself as a comment.
    fn unset(&mut self, key: &Key) {
        let Some(section) = self.0.get_mut(key.section) else {
            return;
        };
        let Some(table) = section.as_table_mut() else {
            // In one line with others: nothing to keep.
            if let Some(inline) = section.as_table_like_mut() {
                inline.remove(key.name);
            }
            return;
        };
        let names = table.iter().map(|it| it.0.to_owned());
        let after = names.skip_while(|it| it != key.name).nth(1);
        let Some((old, item)) = table.remove_entry(key.name) else {
            return;
        };
        let value = item.to_string();
        let line = format!("# {} = {}", key.name, value.trim().replace('\n', "\n# "));
        let kept = format!("{}{line}\n", prefix(old.leaf_decor().prefix()));
        match after.and_then(|after| table.key_mut(&after)) {
            Some(mut next) => {
                let all = format!("{kept}{}", prefix(next.leaf_decor().prefix()));
                next.leaf_decor_mut().set_prefix(all);
            }
            None => self.keep_at_end_of(key.section, &kept),
        }
    }

    /// Keeps lines after the last key of a section: before the next section, or at the end.
    fn keep_at_end_of(&mut self, section: &str, kept: &str) {
        let place = |it: &Item| it.as_table().and_then(Table::position);
        let here = self.0.get(section).and_then(place);
        let next = self
            .0
            .iter()
            .filter_map(|(name, it)| Some((place(it)?, name.to_owned())))
            .filter(|(at, _)| here.is_some_and(|here| *at > here))
            .min();
        if let Some(table) = next.and_then(|(_, name)| self.0.get_mut(&name)?.as_table_mut()) {
            let all = format!("{kept}{}", prefix(table.decor().prefix()));
            table.decor_mut().set_prefix(all);
        } else {
            let all = format!("{kept}{}", self.0.trailing().as_str().unwrap_or_default());
            self.0.set_trailing(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::keys;
    use super::*;

    const FILE: &str = "# The gate at the east.\n[site]\ngate = \"east\" # not the garage\n\n\
        [screening]\n# Agreed with the street office.\nfever_c = 37.5\nmin_looks = 5\n\n\
        # Broker of the street.\n[mqtt]\nenabled = true\n";

    fn changed(text: &str, key: &Key, value: &str) -> String {
        let mut document = Document::read(text).unwrap();
        document.set(key, value);
        document.text()
    }

    #[test]
    fn one_value_changes_and_all_else_stays_byte_for_byte() {
        assert_eq!(
            changed(FILE, &keys::SITE_GATE, "west"),
            FILE.replace("\"east\"", "\"west\"")
        );
        assert_eq!(
            changed(FILE, &keys::SCREENING_FEVER, "38"),
            FILE.replace("37.5", "38")
        );
        assert_eq!(Document::read(FILE).unwrap().text(), FILE);
    }

    #[test]
    fn a_key_that_is_taken_out_leaves_its_comments_and_itself_as_one() {
        assert_eq!(
            changed(FILE, &keys::SCREENING_FEVER, ""),
            FILE.replace("fever_c = 37.5", "# fever_c = 37.5")
        );
        // The last of its section, of the file, and of a file without any other.
        assert_eq!(
            changed(FILE, &keys::SCREENING_LOOKS, ""),
            FILE.replace("min_looks = 5", "# min_looks = 5")
        );
        assert_eq!(
            changed(FILE, &keys::MQTT_ENABLED, ""),
            FILE.replace("enabled = true", "# enabled = true")
        );
        let inline = "mqtt = { enabled = true, port = 1 }\n";
        let left = changed(inline, &keys::MQTT_PORT, "");
        assert!(
            left.contains("enabled = true") && !left.contains("port"),
            "{left}"
        );
    }

    #[test]
    fn a_key_that_is_new_goes_to_its_section() {
        let text = changed(FILE, &keys::SITE_STREET, "nanjing-donglu");
        assert!(
            text.contains("# not the garage\nstreet = \"nanjing-donglu\"\n\n[screening]"),
            "{text}"
        );
        let text = changed(FILE, &keys::ROOM_AMBIENT, "21.5");
        assert!(text.ends_with("[room]\nambient_c = 21.5\n"), "{text}");
        assert_eq!(
            changed("", &keys::MQTT_COMMANDS, "resend, announce"),
            "[mqtt]\ncommands = [\"resend\", \"announce\"]\n"
        );
    }

    #[test]
    fn whatever_is_typed_stays_one_value_of_one_key() {
        for hostile in [
            "\"\nenabled = false\n[x]",
            "'''",
            "a\u{0}b",
            "nan",
            "1e999",
            "37,5",
            "] }",
            "门神",
        ] {
            for key in keys::ALL {
                let text = changed(FILE, key, hostile);
                let read = Document::read(&text).unwrap();
                for other in keys::ALL.iter().filter(|it| **it != *key) {
                    assert_eq!(read.says(other), Document::read(FILE).unwrap().says(other));
                }
            }
        }
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        assert_eq!(tidy(keys::SCREENING_FEVER.kind, " ３７．８ "), "37.8");
        assert_eq!(
            tidy(keys::MQTT_COMMANDS.kind, "resend、announce,"),
            "resend, announce"
        );
        assert_eq!(plain("\"a b\""), "a b");
        assert_eq!(plain("[\"resend\", \"announce\"]"), "resend, announce");
        assert_eq!(plain("37.8"), "37.8");
        assert_eq!(plain("37.0"), "37");
    }
}
