//! What the pages know, kept fresh by one task for all of them.
//!
//! The ledger's mark is looked at every second, and only where it has changed is anything read: how things stand,
//! and the letters that have come since. Whoever reads takes a tenth of the time at most, so that a large street's
//! pages never keep its collectors waiting. All reading is done on a blocking thread.

use super::super::when;
use super::StreetOffice;
use crate::calendar::Date;
use crate::clock::WallTime;
use crate::street::{Asked, Book, LedgerError, Mark, Row, Wanted, rows};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks at the mark.
const LOOK: Duration = Duration::from_secs(1);

/// How much longer than the last reading took is waited before the next.
const REST: u32 = 9;

/// Days whose reports are kept at hand, today among them.
pub(super) const DAYS: u16 = 8;

/// How far back alerts are read at the start, milliseconds: three days.
const ALERTS_BACK: i64 = 3 * WallTime::DAY_MS;

/// How much before the last reading letters are read again, milliseconds: collectors on several machines
/// commit in another order than their clocks say.
const OVERLAP: i64 = 120_000;

/// Letters that are read at a time.
const MOST: u32 = 50_000;

/// What the pages know.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) book: Arc<Book>,
    /// Whether the database could not be read since.
    pub(super) is_old: bool,
}

impl Seen {
    /// Every site, what needs a call first.
    pub(super) fn rows(&self, office: &StreetOffice) -> Vec<Row> {
        let now = office.clock.now().wall;
        let today = today(now);
        rows(
            &self.book,
            &Asked {
                now,
                today,
                yesterday: when::earlier(today, 1),
                due: due(office, today),
                listed: &office.listed,
            },
        )
    }
}

/// The date on the wall. Before 1970, where a clock is not set, it is the first of all days.
pub(super) fn today(now: WallTime) -> Date {
    when::date(now).unwrap_or(Date::FIRST)
}

/// From when on a report of this date that has not come is late.
pub(super) fn due(office: &StreetOffice, date: Date) -> WallTime {
    let begins = when::days(date, 1).first().map_or(0, |it| it.0);
    let minutes = i64::from(office.report_by.minutes());
    WallTime(begins.saturating_add(minutes * 60_000))
}

/// What was read before.
#[derive(Clone)]
struct Before {
    book: Arc<Book>,
    mark: Mark,
    today: Date,
    /// When it was read.
    at: WallTime,
}

/// Reads what is new; `None`: nothing is.
fn read(office: &StreetOffice, before: Option<Before>) -> Result<Option<Before>, LedgerError> {
    let ledger = &office.ledger;
    let mark = ledger.mark()?;
    let now = office.clock.now().wall;
    let today = today(now);
    // A new day has other days before it, and a clock that was set back other letters after it.
    let before = before.filter(|it| it.today == today && it.at <= now);
    if before.as_ref().is_some_and(|it| it.mark == mark) {
        return Ok(None);
    }
    let since = before.as_ref().map(|it| it.at.0.saturating_sub(OVERLAP));
    let mut book = before.map_or_else(Book::default, |it| Arc::unwrap_or_clone(it.book));
    let dates: Vec<String> = (0..DAYS)
        .filter_map(|days| when::earlier(today, days))
        .map(|date| date.to_string())
        .collect();
    let dates: Vec<&str> = dates.iter().map(String::as_str).collect();
    let reports = since.unwrap_or(now.0 - i64::from(DAYS + 1) * WallTime::DAY_MS);
    let alerts = since.unwrap_or(now.0 - ALERTS_BACK);
    for (names, from) in [(dates.as_slice(), reports), (&["alert"], alerts)] {
        book.hear(&ledger.letters(&Wanted {
            site: None,
            names: Some(names),
            from: WallTime(from),
            to: WallTime(i64::MAX),
            newest: MOST,
        })?);
    }
    book.stand(&ledger.states(None)?);
    Ok(Some(Before {
        book: Arc::new(book),
        mark,
        today,
        at: now,
    }))
}

/// Keeps it fresh until `stop`.
pub(super) async fn keep(
    office: StreetOffice,
    (write, count): (watch::Sender<Arc<Seen>>, watch::Sender<u64>),
    stop: CancellationToken,
) {
    let mut before: Option<Before> = None;
    loop {
        let begun = office.clock.now();
        let task = tokio::task::spawn_blocking({
            let (office, before) = (office.clone(), before.clone());
            move || read(&office, before)
        });
        match task.await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(new))) => {
                write.send_replace(Arc::new(Seen {
                    book: Arc::clone(&new.book),
                    is_old: false,
                }));
                count.send_modify(|it| *it = it.wrapping_add(1));
                before = Some(new);
            }
            Ok(Err(error)) => {
                tracing::error!("the street's pages cannot read the ledger: {error}");
                say_old(&write, &count);
                // Everything is read again, then the pages are right again.
                before = None;
            }
            Err(error) => {
                tracing::error!("reading the ledger ended early: {error}");
                say_old(&write, &count);
                before = None;
            }
        }
        let took = office.clock.now().since(&begun).unwrap_or_default();
        let wait = LOOK.max(took * REST);
        if stop
            .run_until_cancelled(tokio::time::sleep(wait))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Says that what is shown is how it was.
fn say_old(write: &watch::Sender<Arc<Seen>>, count: &watch::Sender<u64>) {
    let is_new = write.send_if_modified(|seen| {
        let is_new = !seen.is_old;
        *seen = Arc::new(Seen {
            book: Arc::clone(&seen.book),
            is_old: true,
        });
        is_new
    });
    if is_new {
        count.send_modify(|it| *it = it.wrapping_add(1));
    }
}
