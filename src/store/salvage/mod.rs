//! What becomes of a damaged database: it is put aside, a new one is begun, and every row that can be
//! read is taken over, messages and alerts first of all. The new one carries the mark by which
//! its first start begins a new epoch and raises `database_salvaged`: loud, and never an empty
//! database in silence. Where nothing can be read, the gateway starts all the same, and says so.
//!
//! Each step leaves a folder from which the next start goes on:
//!
//! 1. [`put_aside`] moves the files into `damaged/`, the database last.
//! 2. [`finish`] writes `menshen.db.new` from them, has it on the disk, and names it `menshen.db`;
//!    a database beside `damaged/` is therefore a finished one.
//! 3. `damaged/` gets the date into its name, and is kept for whoever wants to look.

mod people;
mod rows;
mod source;

use super::error::StoreError;
use super::event_row::EventRow;
use super::migrate::MIGRATIONS;
use super::row::{from_sql, parsed, to_sql};
use super::{DATABASE, disk, journal, logbook, migrate};
use crate::alert::Alert;
use crate::clock::{BootId, Clock, SystemClock};
use crate::event::Event;
use crate::id::{AlertId, Sequence};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the damaged files lie until the new database is finished.
const ASIDE: &str = "damaged";

/// Moves the database of this folder aside.
pub(super) fn put_aside(folder: &Path) -> Result<(), StoreError> {
    let aside = folder.join(ASIDE);
    disk::make_folder(&aside)?;
    disk::sync(folder)?;
    move_in(folder, &aside)
}

/// Moves the files, the database last: when it is there, all are.
fn move_in(folder: &Path, aside: &Path) -> Result<(), StoreError> {
    let database = folder.join(DATABASE);
    // Derived from the log; SQLite makes it again.
    disk::remove(&disk::beside(&database, "-shm"))?;
    for ending in ["-journal", "-wal", ""] {
        let file = disk::beside(&database, ending);
        if file.exists() {
            disk::rename(&file, &disk::beside(&aside.join(DATABASE), ending))?;
        }
    }
    Ok(())
}

/// Finishes what a start has begun to put aside, if one has.
pub(super) fn finish(folder: &Path) -> Result<(), StoreError> {
    let aside = folder.join(ASIDE);
    if !aside.is_dir() {
        return Ok(());
    }
    let database = folder.join(DATABASE);
    let kept = aside.join(DATABASE);
    if !kept.exists() {
        move_in(folder, &aside)?;
    }
    let name = dated(folder);
    if disk::size(&database) == 0 {
        let new = disk::beside(&database, ".new");
        for ending in ["", "-journal", "-wal", "-shm"] {
            disk::remove(&disk::beside(&new, ending))?;
            disk::remove(&disk::beside(&database, ending))?;
        }
        let shown = name.file_name().unwrap_or_default().to_string_lossy();
        build(&new, &kept, &shown)?;
        disk::sync(&new)?;
        disk::rename(&new, &database)?;
    }
    disk::rename(&aside, &name)
}

/// A name for the damaged files that is not taken.
fn dated(folder: &Path) -> PathBuf {
    let now = SystemClock::start(BootId(0)).now().wall;
    let day = super::upkeep::day(now);
    let taken = |number: &u32| folder.join(format!("damaged-{day}-{number}")).exists();
    let number = (1..u32::MAX)
        .find(|number| !taken(number))
        .unwrap_or_default();
    folder.join(format!("damaged-{day}-{number}"))
}

/// What was taken over.
#[derive(Debug, Default)]
struct Taken {
    /// Places that could not be read, and rows that no program of ours wrote.
    lost: u64,
    /// Numbers of people of the register that an index still knows, whether their row could be read or not.
    people: BTreeSet<i64>,
}

/// Writes a new database with all that can be read of a damaged one.
fn build(new: &Path, damaged: &Path, name: &str) -> Result<(), StoreError> {
    disk::make_file(new)?;
    let mut connection = Connection::open_with_flags(new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Whole rows are taken wherever they are found; what they refer to may be lost.
    connection.pragma_update(None, "foreign_keys", false)?;
    migrate::migrate(&mut connection, Path::new(""), 0, MIGRATIONS)?;
    let pages = source::description(new)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut taken = Taken::default();
    source::each(damaged, &pages, &mut |source| {
        rows::take_over(source, &transaction, &mut taken)
    })?;
    let unfit = drop_what_cannot_be_read_back(&transaction)?;
    let rebuilt = rebuild_alerts(&transaction)?;
    let people = people::settle(&transaction, taken.people)?;
    go_on_counting(&transaction)?;
    let note = in_words(&transaction, name, taken.lost + unfit, rebuilt)?;
    let note = format!("{note}; {people}");
    tracing::error!("{note}");
    transaction.execute(
        "INSERT INTO copy (only_row, why, note) VALUES (1, 'salvaged', ?1)",
        [&note],
    )?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// What staff are to know.
fn in_words(new: &Connection, name: &str, lost: u64, rebuilt: u64) -> Result<String, StoreError> {
    let count = |what: &str| -> rusqlite::Result<i64> {
        new.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| {
            row.get(0)
        })
    };
    Ok(format!(
        "the database was damaged and is kept in {name}; taken over: {} events, {} messages of \
         which {} are not safe elsewhere, {} alerts of which {} are not resolved ({rebuilt} of \
         them from their events); {lost} rows or places could not be read",
        count("event")?,
        count("outbox")?,
        count("outbox WHERE state <> 'received'")?,
        count("alert")?,
        count("alert WHERE state <> 'resolved'")?,
    ))
}

/// Removes rows that would make whoever reads the whole list fail; gives how many.
fn drop_what_cannot_be_read_back(new: &Transaction<'_>) -> Result<u64, StoreError> {
    let mut unfit = 0;
    let mut wrong: Vec<i64> = Vec::new();
    {
        let mut select = new.prepare("SELECT seq, body FROM event")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if parsed::<EventRow, Event>(&row.get::<_, String>(1)?).is_err() {
                wrong.push(row.get(0)?);
            }
        }
    }
    for seq in &wrong {
        unfit += new.execute("DELETE FROM event WHERE seq = ?1", [seq])?;
    }
    wrong.clear();
    {
        let mut select = new.prepare(&format!(
            "SELECT {}, rowid FROM alert",
            journal::ALERT_COLUMNS
        ))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if journal::alert_of(row).is_err() {
                wrong.push(row.get("rowid")?);
            }
        }
    }
    for rowid in &wrong {
        unfit += new.execute("DELETE FROM alert WHERE rowid = ?1", [rowid])?;
    }
    wrong.clear();
    {
        let mut select = new.prepare(&format!("SELECT {} FROM logbook", logbook::columns()))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if !logbook::reads_back(row) {
                wrong.push(row.get("number")?);
            }
        }
    }
    for number in &wrong {
        unfit += new.execute("DELETE FROM logbook WHERE number = ?1", [number])?;
    }
    Ok(unfit as u64)
}

/// Alerts whose own row is lost, made again from the events that made them; gives how many.
fn rebuild_alerts(new: &Transaction<'_>) -> Result<u64, StoreError> {
    let mut events: Vec<(Sequence, Event)> = Vec::new();
    {
        let mut select = new.prepare(
            "SELECT seq, body FROM event
             WHERE kind IN ('alert_raised', 'alert_acknowledged', 'alert_resolved') ORDER BY seq",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let event = parsed::<EventRow, Event>(&row.get::<_, String>(1)?)?;
            events.push((Sequence(from_sql(row.get(0)?)), event));
        }
    }
    let mut rebuilt: BTreeSet<AlertId> = BTreeSet::new();
    for (seq, event) in &events {
        // What does not fit (a row that is there, a second person who tapped) is left as it is.
        match event {
            Event::AlertRaised(alert)
                if is_lost(new, alert, *seq)? && journal::raised(new, *seq, alert).is_ok() =>
            {
                rebuilt.insert(alert.id);
            }
            Event::AlertAcknowledged { alert, by, at } if rebuilt.contains(alert) => {
                let _ = journal::acknowledged(new, *alert, by, *at);
            }
            Event::AlertResolved {
                alert,
                by,
                at,
                outcome,
            } if rebuilt.contains(alert) => {
                let _ = journal::resolved(new, *seq, (*alert, by, *at), outcome);
            }
            _ => {}
        }
    }
    Ok(rebuilt.len() as u64)
}

/// Whether there is no row of this alert.
fn is_lost(new: &Transaction<'_>, alert: &Alert, seq: Sequence) -> Result<bool, StoreError> {
    let known: bool = new.query_row(
        "SELECT count(*) > 0 FROM alert WHERE (boot = ?1 AND track = ?2) OR raised_seq = ?3",
        params![
            to_sql(alert.id.boot.0),
            to_sql(alert.id.track.0),
            to_sql(seq.0)
        ],
        |row| row.get(0),
    )?;
    Ok(!known)
}

/// Numbers go on above all that was seen.
fn go_on_counting(new: &Transaction<'_>) -> Result<(), StoreError> {
    new.execute_batch(
        "INSERT INTO channel (name, last) SELECT channel, max(number) FROM outbox
             WHERE true GROUP BY channel
             ON CONFLICT (name) DO UPDATE SET last = max(last, excluded.last);
         CREATE TEMP TABLE counted (name TEXT, seq INTEGER);
         INSERT INTO counted SELECT name, seq FROM sqlite_sequence;
         INSERT INTO counted SELECT 'event', coalesce(max(seq), 0) FROM outbox;
         INSERT INTO counted SELECT 'event', coalesce(max(raised_seq), 0) FROM alert;
         INSERT INTO counted SELECT 'event', coalesce(max(seq), 0) FROM audit;
         INSERT INTO counted SELECT 'boot', coalesce(max(boot), 0) FROM event;
         DELETE FROM sqlite_sequence;
         INSERT INTO sqlite_sequence (name, seq)
             SELECT name, max(seq) FROM counted GROUP BY name;
         DROP TABLE counted;",
    )?;
    Ok(())
}
