//! Row by row out of a damaged database. Where a page cannot be read, the search goes on with the
//! next key, until keys lead to a page that can.

use super::super::error::StoreError;
use super::super::row::to_sql;
use super::{Taken, people};
use crate::id::Channel;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{
    Connection, ErrorCode, Row, Statement, ToSql, Transaction, params, params_from_iter,
};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Tables with a number for each row, in the order of what must not be lost.
const NUMBERED: [(&str, &str); 11] = [
    ("epoch", "number"),
    ("alert", "rowid"),
    ("logbook", "number"),
    ("account", "number"),
    ("person", "number"),
    ("person_import", "number"),
    ("event", "seq"),
    ("screening", "rowid"),
    ("boot", "number"),
    ("audit", "id"),
    ("audit_link", "id"),
];

/// Small tables, each on a page or a few.
const SMALL: [&str; 6] = [
    "channel",
    "standing_fault",
    "tally",
    "gate_count",
    "gate_plan",
    "colour_total",
];

/// Keys tried one after another beyond what can be read, before it is taken for the end: a page
/// holds some 60 messages, a page of pages some hundred of those.
const TRIED: u64 = 20_000;

/// Keys asked for beyond the end: a row whose channel is damaged looks like it, and a page of such rows is
/// all that one write can damage.
const BEYOND: u64 = 64;

/// Rows read in one go, at most: damaged pages may lead in a circle. A million messages fit.
const ROWS: u64 = 20_000_000;

/// The highest number that one of our rows can have: what JSON's readers still count exactly. A
/// damaged one may say anything.
const HIGHEST: i64 = 1 << 53;

/// Takes all rows over that are not there yet; whether everything could be read.
pub(super) fn take_over(
    source: &Connection,
    new: &Transaction<'_>,
    taken: &mut Taken,
) -> Result<bool, StoreError> {
    let before = taken.lost;
    for name in SMALL {
        whole(source, &Target::of(new, name)?, taken)?;
    }
    whole(source, &Target::of(new, "sqlite_sequence")?, taken)?;
    let outbox = Target::of(new, "outbox")?;
    for channel in channels(source, new)? {
        let keyed = Keyed {
            key: "number",
            channel: Some(&channel),
        };
        by_key(source, &outbox, &keyed, taken)?;
    }
    for (name, key) in NUMBERED {
        let keyed = Keyed { key, channel: None };
        by_key(source, &Target::of(new, name)?, &keyed, taken)?;
    }
    people::known(source, &mut taken.people);
    whole(source, &Target::of(new, "person_mark")?, taken)?;
    Ok(taken.lost == before)
}

/// A table of the new database.
struct Target<'a> {
    name: &'static str,
    /// Its columns, with commas.
    columns: String,
    width: usize,
    insert: RefCell<Statement<'a>>,
}

impl<'a> Target<'a> {
    fn of(new: &'a Transaction<'_>, name: &'static str) -> Result<Self, StoreError> {
        let columns: Vec<String> = new
            .prepare("SELECT name FROM pragma_table_info(?1)")?
            .query_map([name], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let places = vec!["?"; columns.len()].join(", ");
        let columns_text = columns.join(", ");
        let insert = format!("INSERT OR IGNORE INTO {name} ({columns_text}) VALUES ({places})");
        Ok(Self {
            name,
            width: columns.len(),
            insert: RefCell::new(new.prepare(&insert)?),
            columns: columns_text,
        })
    }

    /// Takes a row whose columns begin at `first`. What the table refuses was never written by us.
    fn take(&self, row: &Row<'_>, first: usize) -> Result<(), StoreError> {
        let values = (first..first + self.width)
            .map(|column| row.get_ref(column).map(whole_text))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StoreError::Row(error.to_string()))?;
        let insert = |values: &[Value]| {
            self.insert
                .borrow_mut()
                .execute(params_from_iter(values))
                .map(|rows| rows > 0)
        };
        // A row that is there already is left out without a word, one that a column refuses, too.
        let taken = match insert(&values) {
            Ok(taken) => taken,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                false
            }
            Err(error) => return Err(error.into()),
        };
        if taken || self.name != "outbox" {
            return Ok(());
        }
        self.mend(values)
    }

    /// Takes a message of which a part may be damaged.
    fn mend(&self, values: Vec<Value>) -> Result<(), StoreError> {
        let mended: Vec<Value> = self
            .columns
            .split(", ")
            .zip(values)
            .map(|(column, value)| mended(column, value))
            .collect();
        let mut insert = self.insert.borrow_mut();
        match insert.execute(params_from_iter(mended)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(StoreError::Row(error.to_string()))
            }
            other => Ok(other.map(drop)?),
        }
    }
}

/// A message of which the row cannot be read in one piece, column by column.
fn piece_by_piece(
    source: &Connection,
    target: &Target<'_>,
    channel: &str,
    number: i64,
) -> Result<(), StoreError> {
    let read = |column: &str| {
        let select =
            format!("SELECT {column} FROM outbox WHERE channel = ?1 AND number = ?2 LIMIT 1");
        source
            .prepare_cached(&select)?
            .query_row(params![channel, number], |row| {
                Ok(whole_text(row.get_ref(0)?))
            })
    };
    if read("payload").is_err() {
        return Ok(());
    }
    let values = target
        .columns
        .split(", ")
        .map(|column| match column {
            "channel" => Value::Text(channel.to_owned()),
            "number" => Value::Integer(number),
            column => read(column).unwrap_or(Value::Null),
        })
        .collect();
    match target.mend(values) {
        Err(error) if is_theirs(&error) => Ok(()),
        other => other,
    }
}

/// A message goes out although something beside it is damaged: then it counts as not sent, never to be
/// given up, of an unknown time and of an epoch that no receipt names.
fn mended(column: &str, value: Value) -> Value {
    let word = |words: &[&str]| matches!(&value, Value::Text(it) if words.contains(&it.as_str()));
    let text = |text: &str| Value::Text(text.to_owned());
    match column {
        "trust" if !word(&["synced", "unsynced"]) => text("unsynced"),
        "keep" if !word(&["live", "hourly", "always"]) => text("always"),
        "state" if !word(&["saved", "accepted", "received", "parked"]) => text("saved"),
        "topic" if !matches!(value, Value::Text(_)) => text("damaged"),
        "epoch" if !matches!(&value, Value::Text(it) if it.chars().count() == 36) => {
            Value::Text(uuid::Uuid::nil().to_string())
        }
        "retain" => Value::Integer(i64::from(value == Value::Integer(1))),
        "seq" | "at_wall_ms" | "at_monotonic_ns" | "boot" | "refusals" => match value {
            Value::Integer(number) if number >= 0 || column == "at_wall_ms" => value,
            _ => Value::Integer(0),
        },
        "accepted_wall_ms" | "received_wall_ms" if !matches!(value, Value::Integer(_)) => {
            Value::Null
        }
        "refused_why" if !matches!(value, Value::Text(_)) => Value::Null,
        _ => value,
    }
}

/// A value; a text with a few damaged letters is better than none.
fn whole_text(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// Whether an error is the damaged file's, and not one of the new database.
fn is_theirs(error: &StoreError) -> bool {
    matches!(error, StoreError::Row(_))
}

/// Every row of a table until one cannot be read.
fn whole(source: &Connection, target: &Target<'_>, taken: &mut Taken) -> Result<(), StoreError> {
    let select = format!("SELECT {} FROM {}", target.columns, target.name);
    let Ok(mut select) = source.prepare(&select) else {
        taken.lost += 1;
        return Ok(());
    };
    let Ok(mut rows) = select.query([]) else {
        taken.lost += 1;
        return Ok(());
    };
    for _ in 0..ROWS {
        match rows.next() {
            Ok(Some(row)) => match target.take(row, 0) {
                Err(error) if is_theirs(&error) => taken.lost += 1,
                other => other?,
            },
            Ok(None) => return Ok(()),
            Err(_) => break,
        }
    }
    taken.lost += 1;
    Ok(())
}

/// How a table is searched.
struct Keyed<'a> {
    key: &'static str,
    /// The channel, for the outbox.
    channel: Option<&'a str>,
}

/// Every row of a table that can be reached by its key.
fn by_key(
    source: &Connection,
    target: &Target<'_>,
    keyed: &Keyed<'_>,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    let Keyed { key, channel } = keyed;
    let (name, columns) = (target.name, &target.columns);
    let within = if channel.is_some() {
        "channel = ?2 AND"
    } else {
        ""
    };
    let select =
        format!("SELECT {key}, {columns} FROM {name} WHERE {within} {key} >= ?1 ORDER BY {key}");
    let Ok(mut select) = source.prepare(&select) else {
        taken.lost += 1;
        return Ok(());
    };
    let mut from = 1;
    let (mut in_vain, mut ends) = (0, 0);
    while in_vain < TRIED && ends < BEYOND && from < HIGHEST {
        let scanned = scan(&mut select, target, from, *channel, taken)?;
        if scanned.ended {
            if scanned.rows > 0 {
                // It was not the end that was found before.
                taken.lost += u64::from(ends > 0);
                ends = 0;
            } else if let Some(channel) = channel {
                // Another index may still lead to a message whose channel is damaged.
                piece_by_piece(source, target, channel, from)?;
            }
            ends += 1;
            from = 1 + scanned.last.unwrap_or(from);
            continue;
        }
        if in_vain == 0 || scanned.rows > 0 {
            taken.lost += 1;
        }
        if let Some(channel) = channel
            && scanned.rows == 0
        {
            piece_by_piece(source, target, channel, from)?;
        }
        in_vain = if scanned.rows > 0 { 1 } else { in_vain + 1 };
        // A damaged key may be far off: then on from where the search was.
        let next = from..from.saturating_add(to_sql(scanned.rows + TRIED));
        from = 1 + scanned
            .last
            .filter(|last| next.contains(last))
            .unwrap_or(from);
    }
    Ok(())
}

/// How far a scan came.
struct Scanned {
    rows: u64,
    last: Option<i64>,
    ended: bool,
}

/// Takes rows from a key on, until the end or an error.
fn scan(
    select: &mut Statement<'_>,
    target: &Target<'_>,
    from: i64,
    channel: Option<&str>,
    taken: &mut Taken,
) -> Result<Scanned, StoreError> {
    let mut scanned = Scanned {
        rows: 0,
        last: None,
        ended: false,
    };
    let mut arguments: Vec<&dyn ToSql> = vec![&from];
    if let Some(channel) = &channel {
        arguments.push(channel);
    }
    let Ok(mut rows) = select.query(arguments.as_slice()) else {
        return Ok(scanned);
    };
    while scanned.rows < ROWS {
        match rows.next() {
            Ok(Some(row)) => {
                scanned.rows += 1;
                match row.get::<_, i64>(0) {
                    Ok(key) if (1..HIGHEST).contains(&key) => scanned.last = Some(key),
                    _ => {
                        taken.lost += 1;
                        continue;
                    }
                }
                match target.take(row, 1) {
                    Err(error) if is_theirs(&error) => taken.lost += 1,
                    other => other?,
                }
            }
            Ok(None) => {
                scanned.ended = true;
                break;
            }
            Err(_) => break,
        }
    }
    Ok(scanned)
}

/// The channels that are known, and those that the outbox still names.
fn channels(source: &Connection, new: &Transaction<'_>) -> Result<BTreeSet<String>, StoreError> {
    let mut channels: BTreeSet<String> = new
        .prepare("SELECT name FROM channel")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    channels.insert(Channel::broker().as_str().to_owned());
    let next = "SELECT channel FROM outbox WHERE channel > ?1 ORDER BY channel LIMIT 1";
    if let Ok(mut select) = source.prepare(next) {
        let mut last = String::new();
        while let Ok(name) = select.query_row([&last], |row| row.get::<_, String>(0))
            && name > last
        {
            channels.insert(name.clone());
            last = name;
        }
    }
    Ok(channels)
}
