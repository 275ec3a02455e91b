//! The chain of the audit (ASVS 5.0, 16.4): each row's link is the SHA-256 of the link before it and of the
//! row, so that no row can be changed, put in or taken out without every later link being wrong. Retention
//! takes rows from the beginning; the link before the first row that is left stays, and the chain begins at
//! it.
//!
//! Whoever can write the file can make the whole chain anew. So its head (the last link) is to be noted
//! elsewhere: `menshen audit verify` says it, and with `--noted` whether one that somebody kept is still in it.

use super::error::StoreError;
use super::row::{Unreadable, from_sql, hex, json};
use super::{DATABASE, Store, migrate, opening};
use crate::journal::JournalError;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A link.
type Link = [u8; 32];

/// The columns of a row that are linked, in the order of [`written`].
const COLUMNS: &str = "id, seq, who, what, subject, at_wall_ms, at_monotonic_ns, boot, trust";

/// A row as it is hashed: a JSON list, which is the same for the same values and for no others.
fn written(row: &Row<'_>) -> Result<String, StoreError> {
    let row: (
        i64,
        Option<i64>,
        String,
        String,
        String,
        i64,
        i64,
        i64,
        String,
    ) = (
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
        row.get(8)?,
    );
    Ok(json(&row)?)
}

fn next(before: &Link, row: &str) -> Link {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(row.as_bytes());
    hash.finalize().into()
}

fn link(bytes: &[u8]) -> Result<Link, Unreadable> {
    bytes
        .try_into()
        .map_err(|_| Unreadable("a link".to_owned()))
}

/// The last link and the row that it is of; zeros where there is none.
fn head(connection: &Connection) -> Result<(i64, Link), StoreError> {
    let last: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT id, digest FROM audit_link ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match last {
        Some((id, bytes)) => Ok((id, link(&bytes)?)),
        None => Ok((0, [0; 32])),
    }
}

/// Links the row that was just written.
pub(super) fn append(transaction: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    let (_, before) = head(transaction)?;
    let row = transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE id = ?1"))?
        .query_row([id], |row| Ok(written(row)))??;
    transaction
        .prepare_cached("INSERT INTO audit_link (id, digest) VALUES (?1, ?2)")?
        .execute(params![id, next(&before, &row).as_slice()])?;
    Ok(())
}

/// Drops the links of rows that retention has erased, but for the last of them.
pub(super) fn trim(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM audit_link WHERE id < (
                 SELECT max(id) FROM audit_link
                 WHERE id < (SELECT coalesce(min(id), 1 << 62) FROM audit))",
        )?
        .execute([])?;
    Ok(())
}

/// A head of the chain that somebody noted: `17:3fa0…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The row.
    pub id: u64,
    /// Its link, in hexadecimal letters.
    pub link: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.link)
    }
}

impl FromStr for Head {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no head of the audit; write it as it was printed, such as 17:3fa0…"
            )
        };
        let (id, link) = text.split_once(':').ok_or_else(wrong)?;
        let hex = link.len() == 64 && link.bytes().all(|b| b.is_ascii_hexdigit());
        let id = id.parse().map_err(|_| wrong())?;
        let link = hex.then(|| link.to_lowercase()).ok_or_else(wrong)?;
        Ok(Self { id, link })
    }
}

/// What is wrong at a row of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// The row was changed, or one before it was taken out or put in.
    Changed(u64),
    /// The row was put in beside the gateway: it has no link.
    Unlinked(u64),
    /// The row is gone; its link is there.
    Gone(u64),
    /// The head that was noted is not in the chain.
    NotNoted(Head),
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(id) => write!(
                f,
                "row {id} was changed, or a row before it taken out or put in"
            ),
            Self::Unlinked(id) => {
                write!(f, "row {id} was put in by another program: it has no link")
            }
            Self::Gone(id) => write!(f, "row {id} is gone"),
            Self::NotNoted(head) => write!(
                f,
                "the head {head} is not in the chain: rows were taken from its end, or all of it was made anew"
            ),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows that are linked and as they were written.
    pub sound: u64,
    /// Rows from before there was a chain.
    pub before: u64,
    /// The head now; `None`: there is no row.
    pub head: Option<Head>,
    /// What is wrong, the first [`Verified::SHOWN`].
    pub breaks: Vec<Break>,
}

impl Verified {
    /// How many breaks are shown.
    pub const SHOWN: usize = 20;
}

/// Verifies the audit of the database in a folder, while a gateway may be running.
///
/// # Errors
/// Where there is no database, or it cannot be read.
pub fn verify(data: &Path, noted: Option<&Head>) -> Result<Verified, StoreError> {
    let path = data.join(DATABASE);
    let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(opening::BUSY)?;
    let found = migrate::recognise(&database)?;
    if found < migrate::CURRENT {
        return Err(StoreError::Older {
            found,
            known: migrate::CURRENT,
        });
    }
    verified(&database, noted)
}

fn verified(connection: &Connection, noted: Option<&Head>) -> Result<Verified, StoreError> {
    let mut found = Verified {
        sound: 0,
        before: 0,
        head: None,
        breaks: Vec::new(),
    };
    let mut is_noted = false;
    let mut note = |id: i64, link: &Link| {
        let head = Head {
            id: from_sql(id),
            link: hex(link),
        };
        is_noted |= noted == Some(&head);
        head
    };
    let mut select = connection.prepare(&format!(
        "SELECT {COLUMNS}, digest, there FROM (
             SELECT a.id, seq, who, what, subject, at_wall_ms, at_monotonic_ns, boot, trust, digest,
                    1 AS there
             FROM audit a LEFT JOIN audit_link l ON l.id = a.id
             UNION ALL
             SELECT id, NULL, '', '', '', 0, 0, 0, '', digest, 0 FROM audit_link
             WHERE id NOT IN (SELECT id FROM audit))
         ORDER BY id"
    ))?;
    let mut rows = select.query([])?;
    let mut last: Option<Link> = None;
    let mut any = false;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let number = from_sql(id);
        let linked: Option<Vec<u8>> = row.get(9)?;
        let is_there: bool = row.get(10)?;
        let wrong = match (linked, is_there) {
            (Some(bytes), false) => {
                let link = link(&bytes)?;
                // The link before the first row that is left.
                let wrong = any.then_some(Break::Gone(number));
                last = Some(link);
                found.head = Some(note(id, &link));
                wrong
            }
            (Some(bytes), true) => {
                let link = link(&bytes)?;
                let right = next(&last.unwrap_or_default(), &written(row)?) == link;
                last = Some(link);
                found.head = Some(note(id, &link));
                found.sound += u64::from(right);
                (!right).then_some(Break::Changed(number))
            }
            (None, _) if last.is_none() => {
                found.before += 1;
                None
            }
            (None, _) => Some(Break::Unlinked(number)),
        };
        any = true;
        if let Some(wrong) = wrong
            && found.breaks.len() < Verified::SHOWN
        {
            found.breaks.push(wrong);
        }
    }
    if let Some(noted) = noted
        && !is_noted
    {
        found.breaks.push(Break::NotNoted(noted.clone()));
    }
    Ok(found)
}

impl Store {
    /// Verifies the audit.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn verify_audit(&self, noted: Option<&Head>) -> Result<Verified, JournalError> {
        self.read(|reader| verified(reader, noted))
    }

    /// The head of the audit's chain; `None` where there is none.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn audit_head(&self) -> Result<Option<Head>, JournalError> {
        self.read(|reader| {
            let (id, link) = head(reader)?;
            Ok((id > 0).then(|| Head {
                id: from_sql(id),
                link: hex(&link),
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
    use crate::event::{Event, Fault};
    use crate::journal::Journal;
    use std::time::Duration;

    fn store(folder: &Path, rows: u64) -> Store {
        let store = Store::open(folder, Vec::new()).unwrap();
        for n in 0..rows {
            let at = Stamp {
                boot: BootId(1),
                monotonic: Duration::from_secs(n),
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            };
            let fault = Fault::CameraSilent;
            store.record(&[Event::FaultRaised { fault, at }]).unwrap();
        }
        store
    }

    /// What is found after somebody wrote into the file, past the gateway.
    fn after(sql: &str) -> Verified {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 5);
        let sql = format!("DROP TRIGGER audit_is_never_changed; {sql}");
        store.writer().execute_batch(&sql).unwrap();
        store.verify_audit(None).unwrap()
    }

    #[test]
    fn an_audit_that_nobody_touched_is_sound() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 5);
        let found = store.verify_audit(None).unwrap();
        assert_eq!(found.breaks, []);
        assert!(found.sound >= 5 && found.before == 0, "{found:?}");
        let noted = store.audit_head().unwrap().unwrap();
        assert_eq!(found.head, Some(noted.clone()));
        assert_eq!(noted.to_string().parse(), Ok(noted.clone()));
        drop(store);
        let store = super::tests::store(folder.path(), 2);
        let found = store.verify_audit(Some(&noted)).unwrap();
        assert_eq!(found.breaks, [], "over a restart");
        assert_eq!(verify(folder.path(), Some(&noted)).unwrap(), found);
    }

    #[test]
    fn every_way_of_writing_past_the_gateway_is_seen() {
        let changed = after("UPDATE audit SET who = '某人' WHERE id = 3");
        assert_eq!(changed.breaks, [Break::Changed(3)]);
        let gone = after("DELETE FROM audit WHERE id = 3");
        assert_eq!(gone.breaks, [Break::Gone(3)]);
        let unseen = after("DELETE FROM audit WHERE id = 3; DELETE FROM audit_link WHERE id = 3");
        assert_eq!(unseen.breaks, [Break::Changed(4)]);
        let put_in = after(
            "INSERT INTO audit SELECT 99, seq, who, what, subject, at_wall_ms, at_monotonic_ns, boot,
                 trust FROM audit WHERE id = 3",
        );
        assert_eq!(put_in.breaks, [Break::Unlinked(99)]);
    }

    #[test]
    fn an_end_that_was_cut_off_is_seen_by_a_head_that_was_noted() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 5);
        let noted = store.audit_head().unwrap().unwrap();
        let last = noted.id;
        store
            .writer()
            .execute_batch(&format!(
                "DELETE FROM audit WHERE id = {last}; DELETE FROM audit_link WHERE id = {last};"
            ))
            .unwrap();
        assert_eq!(store.verify_audit(None).unwrap().breaks, []);
        let found = store.verify_audit(Some(&noted)).unwrap();
        assert_eq!(found.breaks, [Break::NotNoted(noted)]);
    }

    #[test]
    fn what_retention_took_from_the_beginning_breaks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 5);
        store
            .write(|transaction| {
                transaction.execute("DELETE FROM audit WHERE id <= 3", [])?;
                trim(transaction)
            })
            .unwrap();
        let found = store.verify_audit(None).unwrap();
        assert_eq!(found.breaks, []);
        let links: i64 = store
            .writer()
            .query_row("SELECT min(id) FROM audit_link", [], |row| row.get(0))
            .unwrap();
        assert_eq!(links, 3, "the link before the first row stays");
    }
}
