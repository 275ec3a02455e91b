//! What the store does for itself while the gateway runs: [`Store::maintain`] is called every minute on
//! a thread that may block. Faults of its own it records itself, so that they cannot be forgotten
//! between it and whoever calls; they come back with what else was recorded, to be shown and sent.

use super::backup::{self, NotMade};
use super::event_row::EventRow;
use super::row::parsed;
use super::times::WallZero;
use super::{Store, disk, hold, journal};
use crate::clock::{Stamp, WallTime};
use crate::event::{Event, Fault};
use crate::journal::{JournalError, Recorded, SafeAt};
use std::path::PathBuf;
use std::time::Duration;

/// What is kept, how long, and how much of it. Days are counted from an event on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// Where nightly copies go; `backup` in the data folder where it is not set.
    pub backup_folder: Option<PathBuf>,
    /// How many nightly copies are kept; 0: none is made.
    pub backups_kept: u32,
    /// The hour of the local clock in which they are made.
    pub backup_hour: u32,
    /// Days for screenings of people who were clear.
    pub keep_clear_days: u32,
    /// Days for every other event, and for alerts with an outcome.
    pub keep_events_days: u32,
    /// Days for messages that are where they were to go.
    pub keep_messages_days: u32,
    /// Days for the audit.
    pub keep_audit_days: u32,
    /// Most messages in the outbox.
    pub outbox_messages: u64,
    /// Most bytes of topics and payloads in the outbox.
    pub outbox_bytes: u64,
    /// Room on the disk below which it is said to be low, bytes.
    pub disk_floor: u64,
    /// Where a message of the broker's channel is safe.
    pub broker_safe_at: SafeAt,
}

impl Default for Upkeep {
    /// 72 hours without a broker are some thousand messages (3000 people and 200 ticks a day); the
    /// bounds are far above. A month of the clear is enough to look after a complaint.
    fn default() -> Self {
        Self {
            backup_folder: None,
            backups_kept: 7,
            backup_hour: 3,
            keep_clear_days: 30,
            keep_events_days: 365,
            keep_messages_days: 30,
            keep_audit_days: 1095,
            outbox_messages: 1_000_000,
            outbox_bytes: 256 << 20,
            disk_floor: 200 << 20,
            broker_safe_at: SafeAt::Street,
        }
    }
}

impl Upkeep {
    /// Where the copies of the database in `data` go.
    #[must_use]
    pub fn backups(&self, data: &std::path::Path) -> PathBuf {
        self.backup_folder
            .clone()
            .unwrap_or_else(|| data.join("backup"))
    }
}

/// How often old rows are looked for.
const ERASE_EVERY: Duration = Duration::from_hours(1);

/// How soon a copy that could not be made is tried again.
const BACKUP_AGAIN: Duration = Duration::from_hours(1);

/// A copy is due in its hour where the last one is at least this old, so that it is made once …
const BACKUP_NIGHTLY: Duration = Duration::from_hours(20);
/// … and at any hour where it is this old: a device may be switched off at night.
const BACKUP_OVERDUE: Duration = Duration::from_hours(36);

/// How long a salvage is shown as a fault: every shift is to have seen it.
const SALVAGE_SHOWN: Duration = Duration::from_hours(24);

/// When the rounds were made in this start of the gateway.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    erased: Option<Stamp>,
    backup_tried: Option<Stamp>,
    backup_made: Option<Stamp>,
    /// Whether the last attempt failed; `None` before the first.
    backup_failed: Option<bool>,
    wall_zero: WallZero,
}

/// Whether so much time has passed in this start.
fn passed(since: Option<&Stamp>, now: &Stamp, time: Duration) -> bool {
    since.is_none_or(|since| now.since(since).is_none_or(|it| it >= time))
}

/// The day of a wall time in UTC, for names of files.
pub(super) fn day(wall: WallTime) -> String {
    jiff::Timestamp::from_millisecond(wall.0)
        .unwrap_or_default()
        .strftime("%Y-%m-%d")
        .to_string()
}

/// The hour of the local clock.
fn local_hour(wall: WallTime) -> u32 {
    jiff::Timestamp::from_millisecond(wall.0)
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::system())
        .hour()
        .unsigned_abs()
        .into()
}

/// Whether there is little room: below the floor, until a quarter more than it is free again, so that
/// a log file which grows and is cut does not raise one fault after the other.
fn is_low(free: u64, floor: u64, was_low: bool) -> bool {
    free < floor || (was_low && free < floor.saturating_add(floor / 4))
}

/// Whether a copy is due: `age` is how old the last one is, as far as it is known.
fn is_due(age: Option<Duration>, hour: u32, wanted: u32) -> bool {
    age.is_none_or(|age| age >= BACKUP_OVERDUE || (hour == wanted && age >= BACKUP_NIGHTLY))
}

/// The faults that the store raises and ends by itself.
pub(super) const OWN_FAULTS: [Fault; 4] = [
    Fault::OutboxFull,
    Fault::DiskLow,
    Fault::DatabaseSalvaged,
    Fault::BackupMissed,
];

impl Store {
    /// Looks after the database: times from before the clock was set, room on the disk, bounds of the outbox,
    /// retention by the hour, a copy by the night. Gives what was recorded by it.
    ///
    /// # Errors
    /// Where the store cannot be read or written; what was done before stays done.
    pub fn maintain(&self, rules: &Upkeep, now: Stamp) -> Result<Vec<Recorded>, JournalError> {
        let mut rounds = hold(&self.inner.rounds);
        self.set_times(&mut rounds.wall_zero, &now)?;
        let mut recorded = self.shed(rules, now)?;
        if rules.backups_kept > 0 {
            self.back_up(rules, &now, &mut rounds);
        }
        let faults = self.faults(rules, &now, !recorded.is_empty(), rounds.backup_failed)?;
        if !faults.is_empty() {
            recorded.extend(self.write(|transaction| {
                journal::record(transaction, &self.inner.routes, &self.epoch(), &faults)
            })?);
        }
        if passed(rounds.erased.as_ref(), &now, ERASE_EVERY) {
            let erased = self.erase_old(rules, &now)?;
            rounds.erased = Some(now);
            if erased > 0 {
                tracing::info!(rows = erased, "what was old is erased");
            }
        }
        Ok(recorded)
    }

    /// The store's own faults that begin or end now.
    fn faults(
        &self,
        rules: &Upkeep,
        now: &Stamp,
        has_shed: bool,
        backup_failed: Option<bool>,
    ) -> Result<Vec<Event>, JournalError> {
        let standing = self.standing_faults()?;
        let since = |fault| standing.iter().find(|it| it.0 == fault).map(|it| it.1);
        let held = self.held()?;
        let was_full = since(Fault::OutboxFull).is_some();
        let was_low = since(Fault::DiskLow).is_some();
        let was_missed = since(Fault::BackupMissed).is_some();
        let free = disk::free(&self.inner.folder)?;
        let salvaged = since(Fault::DatabaseSalvaged);
        let shown_long_enough = |at: Stamp| match now.since(&at) {
            Some(time) => time >= SALVAGE_SHOWN,
            None => now.monotonic >= SALVAGE_SHOWN,
        };
        let states = [
            (
                Fault::OutboxFull,
                was_full,
                has_shed || held.beyond(100, rules) || (was_full && held.beyond(80, rules)),
            ),
            (
                Fault::DiskLow,
                was_low,
                is_low(free, rules.disk_floor, was_low),
            ),
            (
                Fault::DatabaseSalvaged,
                salvaged.is_some(),
                salvaged.is_some_and(|at| !shown_long_enough(at)),
            ),
            (
                Fault::BackupMissed,
                was_missed,
                rules.backups_kept > 0 && backup_failed.unwrap_or(was_missed),
            ),
        ];
        let at = *now;
        Ok(states
            .into_iter()
            .filter_map(|(fault, was, is)| match (was, is) {
                (false, true) => Some(Event::FaultRaised { fault, at }),
                (true, false) => Some(Event::FaultCleared { fault, at }),
                _ => None,
            })
            .collect())
    }

    /// The store's own faults of an earlier start, as the events that raised them.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn standing_own_faults(&self) -> Result<Vec<Event>, JournalError> {
        let mut standing = self.standing_faults()?;
        standing.retain(|(fault, _)| OWN_FAULTS.contains(fault));
        let raised = |(fault, at)| Event::FaultRaised { fault, at };
        Ok(standing.into_iter().map(raised).collect())
    }

    /// Faults that were raised, in this start or an earlier one, and are not over; oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn standing_faults(&self) -> Result<Vec<(Fault, Stamp)>, JournalError> {
        self.read(|reader| {
            let mut select = reader.prepare_cached(
                "SELECT e.body FROM standing_fault f JOIN event e ON e.seq = f.seq
                 ORDER BY f.seq",
            )?;
            let mut rows = select.query([])?;
            let mut standing = Vec::new();
            while let Some(row) = rows.next()? {
                let event = parsed::<EventRow, Event>(&row.get::<_, String>(0)?)?;
                if let Event::FaultRaised { fault, at } = event {
                    standing.push((fault, at));
                }
            }
            Ok(standing)
        })
    }

    /// Makes the nightly copy where it is due. That it fails is a fault: the gateway works without, and
    /// tries again.
    fn back_up(&self, rules: &Upkeep, now: &Stamp, rounds: &mut Rounds) {
        let folder = rules.backups(&self.inner.folder);
        let age = match rounds.backup_made {
            Some(made) => now.since(&made),
            None => backup::age(&folder, now.wall),
        };
        if !is_due(age, local_hour(now.wall), rules.backup_hour)
            || !passed(rounds.backup_tried.as_ref(), now, BACKUP_AGAIN)
        {
            return;
        }
        rounds.backup_tried = Some(*now);
        let (kept, floor) = (rules.backups_kept, rules.disk_floor);
        let made = backup::nightly(&self.inner.folder, &folder, kept, floor, now.wall);
        rounds.backup_failed = Some(made.is_err());
        match made {
            Ok(file) => {
                rounds.backup_made = Some(*now);
                tracing::info!(file = %file.display(), "the database was copied");
            }
            Err(error @ NotMade::NoRoom { .. }) => {
                tracing::warn!("no copy of the database was made: {error}");
            }
            Err(NotMade::Failed(error)) => {
                self.note_damage(&error);
                tracing::error!("no copy of the database was made: {error}");
            }
        }
    }
}
