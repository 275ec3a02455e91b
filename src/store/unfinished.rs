//! What an earlier start has left: read once at the start, so that nobody is reminded twice and no
//! fault stays raised at the street office for ever.

use super::error::StoreError;
use super::event_row::EventRow;
use super::row::{Unreadable, parsed};
use super::upkeep::OWN_FAULTS;
use crate::alert::escalation::Reminder;
use crate::event::{Event, Fault};
use crate::journal::Unfinished;
use rusqlite::Connection;

/// Reads it.
pub(super) fn read(reader: &Connection) -> Result<Unfinished, StoreError> {
    Ok(Unfinished {
        reminders: reminders(reader)?,
        faults: faults(reader)?,
    })
}

/// From the oldest alert that is not resolved on: what lies before concerns nobody any more.
fn reminders(reader: &Connection) -> Result<Vec<Reminder>, StoreError> {
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

/// Those of which the last word was that they are there, but for the store's own, which its upkeep
/// ends. (With `max(id)`, SQLite takes the other
/// columns from that row.)
fn faults(reader: &Connection) -> Result<Vec<Fault>, StoreError> {
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
            let fault = fault.ok_or(Unreadable(format!("{word:?} is no fault")))?;
            if !OWN_FAULTS.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use crate::alert::Outcome;
    use crate::alert::escalation::Reminder;
    use crate::alert::tests::{alert, stamp};
    use crate::event::{Escalation, Event, Fault};
    use crate::id::AlertId;
    use crate::journal::{Journal, Unfinished};
    use crate::store::Store;

    fn reminded(alert: AlertId, level: Escalation) -> Event {
        let at = stamp(9);
        Event::AlertReminded { alert, level, at }
    }

    #[test]
    fn a_new_start_learns_what_was_said_and_is_not_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        assert_eq!(store.unfinished(), Ok(Unfinished::default()));
        let (old, new) = (alert(1, stamp(1)), alert(2, stamp(2)));
        let (done, open, at) = (old.id, new.id, stamp(10));
        let raised = |fault| Event::FaultRaised { fault, at };
        let cleared = |fault| Event::FaultCleared { fault, at };
        let by = "王芳".to_owned();
        let outcome = Outcome::Left;
        store
            .record(&[
                Event::AlertRaised(old),
                reminded(done, Escalation::Reminder),
                Event::AlertResolved {
                    alert: done,
                    by,
                    at,
                    outcome,
                },
                Event::AlertRaised(new),
                reminded(open, Escalation::Reminder),
                reminded(open, Escalation::Manager),
                raised(Fault::CameraSilent),
                raised(Fault::BrokerAway),
                cleared(Fault::CameraSilent),
                raised(Fault::ClockUnset),
                cleared(Fault::ClockUnset),
                raised(Fault::ClockUnset),
            ])
            .unwrap();
        drop(store);
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        let left = store.unfinished().unwrap();
        let given = |level| Reminder {
            alert: open,
            level,
            at: stamp(9),
        };
        assert_eq!(
            left.reminders,
            [given(Escalation::Reminder), given(Escalation::Manager)]
        );
        assert_eq!(left.faults, [Fault::BrokerAway, Fault::ClockUnset]);
    }
}
