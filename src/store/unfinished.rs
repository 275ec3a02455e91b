//! What an earlier start has left: read once at the start, so that nobody is reminded twice and no
//! fault stays raised at the street office for ever.

use super::row::{EventRow, Unreadable, parsed};
use crate::alert::escalation::Reminder;
use crate::event::{Event, Fault};
use crate::journal::{JournalError, Unfinished};
use rusqlite::Connection;

/// Reads it.
pub(super) fn read(reader: &Connection) -> Result<Unfinished, JournalError> {
    Ok(Unfinished {
        reminders: reminders(reader)?,
        faults: faults(reader)?,
    })
}

/// From the oldest alert that is not resolved on: what lies before concerns nobody any more.
fn reminders(reader: &Connection) -> Result<Vec<Reminder>, JournalError> {
    let mut select = reader.prepare(
        "SELECT body FROM event WHERE kind = 'alert_reminded' AND seq >
             (SELECT min(raised_seq) FROM alert WHERE state <> 'resolved')
         ORDER BY seq",
    )?;
    let mut rows = select.query([])?;
    let mut reminders = Vec::new();
    while let Some(row) = rows.next()? {
        let event = parsed::<EventRow, Event>(&row.get::<_, String>(0)?)?;
        if let Event::AlertReminded { alert, level, at } = event {
            reminders.push(Reminder { alert, level, at });
        }
    }
    Ok(reminders)
}

/// Those of which the last word was that they are there. (With `max(id)`, SQLite takes the other
/// columns from that row.)
fn faults(reader: &Connection) -> Result<Vec<Fault>, JournalError> {
    let mut select = reader.prepare(
        "SELECT subject, what, max(id) FROM audit
         WHERE what IN ('fault_raised', 'fault_cleared') GROUP BY subject ORDER BY max(id)",
    )?;
    let mut rows = select.query([])?;
    let mut faults = Vec::new();
    while let Some(row) = rows.next()? {
        let (word, what): (String, String) = (row.get(0)?, row.get(1)?);
        if what == "fault_raised" {
            let fault = Fault::ALL.into_iter().find(|it| it.as_str() == word);
            faults.push(fault.ok_or(Unreadable(format!("{word:?} is no fault")))?);
        }
    }
    Ok(faults)
}
