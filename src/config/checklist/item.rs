//! One item of a list, as files have it.

use super::tree::{Node, Reading};
use crate::checklist::{Category, Duty, Group, Item, ItemId, Place, Proof, Role};
use crate::procedure::{ClauseId, Procedure};
use crate::text::{Note, Words};
use std::collections::BTreeMap;

/// The keys of `[[item]]`.
const KEYS: &[&str] = &[
    "id", "category", "required", "zh", "en", "who", "place", "group", "when", "proof", "clause",
    "source",
];

/// Reads an item. Without a `group` of its own it has its category's.
pub(super) fn item<'t>(
    read: &mut Reading<'t>,
    node: &Node<'_, 't>,
    groups: &BTreeMap<Category, Group>,
    procedure: &Procedure,
) -> Option<Item> {
    read.only(node, KEYS);
    let id = read.must(node, "id", item_id);
    let category = read.must(node, "category", category);
    let required = read.flag(node, "required");
    if !node.has("required") {
        read.problem(
            node.span.clone(),
            "item has no required",
            "write required = true (规定动作) or required = false (自选动作)",
        );
    }
    let what = both(read, node);
    let role = read.must(node, "who", |word| {
        word_of(word, Role::parse, Role::ALL.iter().map(|it| it.as_str()))
    });
    let place = read.maybe(node, "place", |word| {
        word_of(word, Place::parse, Place::ALL.iter().map(|it| it.as_str()))
    });
    let own_group = read.maybe(node, "group", group);
    let schedule = read.must(node, "when", str::parse);
    let proof = read.must(node, "proof", str::parse::<Proof>);
    let clause = read.maybe(node, "clause", |text| {
        let id: ClauseId = text.parse()?;
        match procedure.clause(id) {
            Some(_) => Ok(id),
            None => Err(format!(
                "the procedure has no clause {id}; `menshen checklist templates` lists them"
            )),
        }
    });
    let source = read.maybe(node, "source", note);
    let category = category?.value;
    let group = own_group.map(|it| it.value);
    let group = group.or_else(|| groups.get(&category).copied());
    if group.is_none() {
        read.problem(
            node.span.clone(),
            &format!("nobody answers for the category {}", category.as_str()),
            "name a working group: group = \"liaison\", \"emergency\", \"information\", \
             \"logistics\" or \"enterprise\"",
        );
    }
    Some(Item {
        id: id?.value,
        category,
        duty: if required?.value {
            Duty::Required
        } else {
            Duty::Optional
        },
        what: what?,
        role: role?.value,
        place: place.map(|it| it.value),
        group: group?,
        schedule: schedule?.value,
        proof: proof?.value,
        photo: false,
        clause: clause.map(|it| it.value),
        source: source.map(|it| it.value.as_str().to_owned()),
    })
}

/// `zh` and `en`, each in its language.
pub(super) fn both<'t>(read: &mut Reading<'t>, node: &Node<'_, 't>) -> Option<Words> {
    let zh = read.must(node, "zh", |text| {
        let note = note(text)?;
        if text.chars().any(is_chinese) {
            Ok(note)
        } else {
            Err("there is no Chinese in it; zh holds the Chinese words, en the English ones".into())
        }
    });
    let en = read.must(node, "en", |text| {
        let note = note(text)?;
        if text.chars().any(|c| c.is_ascii_alphabetic()) && !text.chars().any(is_chinese) {
            Ok(note)
        } else {
            Err("this is not English; zh holds the Chinese words, en the English ones".into())
        }
    });
    Some(Words {
        zh: zh?.value.as_str().to_owned(),
        en: en?.value.as_str().to_owned(),
    })
}

/// CJK unified ideographs.
fn is_chinese(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}')
}

/// A line of text.
pub(super) fn note(text: &str) -> Result<Note, String> {
    Note::new(text).ok_or_else(|| {
        format!(
            "it is empty or too long; write 1 to {} characters in one line",
            Note::LONGEST
        )
    })
}

/// A person's name.
pub(super) fn name(text: &str) -> Result<Note, String> {
    Note::name(text).ok_or_else(|| {
        format!(
            "it is empty or too long; write a name of 1 to {} characters",
            Note::LONGEST_NAME
        )
    })
}

/// The name of an item.
pub(super) fn item_id(text: &str) -> Result<ItemId, String> {
    ItemId::new(text).ok_or_else(|| {
        format!("\"{text}\" is no id; write 3 to 40 of the characters a-z 0-9 and -")
    })
}

/// A category by its word.
pub(super) fn category(word: &str) -> Result<Category, String> {
    word_of(
        word,
        Category::parse,
        Category::ALL.iter().map(|it| it.as_str()),
    )
}

/// A working group by its word.
pub(super) fn group(word: &str) -> Result<Group, String> {
    word_of(word, Group::parse, Group::ALL.iter().map(|it| it.as_str()))
}

/// One of a few words.
pub(super) fn word_of<T>(
    word: &str,
    parse: impl Fn(&str) -> Option<T>,
    words: impl Iterator<Item = &'static str>,
) -> Result<T, String> {
    parse(word).ok_or_else(|| {
        let words: Vec<&str> = words.collect();
        format!("\"{word}\" is not known; write one of {}", words.join(", "))
    })
}
