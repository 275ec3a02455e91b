//! The register over a real database: five sources, five colours, lists, erasing, the key, and that nobody's
//! name or phone is in any file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail so"
)]

#[path = "people/companies.rs"]
mod companies;
#[path = "common/dashboard.rs"]
mod dashboard;
#[path = "people/fortnight.rs"]
mod fortnight;
#[path = "people/key.rs"]
mod key;
#[path = "people/lists.rs"]
mod lists;
#[path = "people/outside.rs"]
mod outside;
#[path = "people/pages.rs"]
mod pages;
#[path = "common/program.rs"]
mod program;
#[path = "people/reminders.rs"]
mod reminders;

use jiff::tz::TimeZone;
use menshen::calendar::Date;
use menshen::clock::{Clock, ClockTrust, SimulatedClock, Stamp, WallTime};
use menshen::config::{PeopleConfig, zone::Zone};
use menshen::people::{Desk, Entered, Field, PersonId, Register, Said, Sign, Source};
use menshen::store::{People, Route, Store};
use menshen::text::Note;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A register in a folder, and its clock.
struct Lab {
    folder: tempfile::TempDir,
    store: Store,
    desk: Desk,
    clock: SimulatedClock,
}

impl Lab {
    /// On 2020-02-10, nine in the morning.
    fn open() -> Self {
        Self::with(Vec::new())
    }

    /// The same, with ways out.
    fn with(routes: Vec<Route>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), routes).unwrap();
        let clock = SimulatedClock::at(Stamp {
            boot: store.boot(),
            monotonic: Duration::ZERO,
            // 09:00 in Shanghai is 01:00 UTC.
            wall: WallTime(date("2020-02-10").number() * WallTime::DAY_MS + 3_600_000),
            trust: ClockTrust::Synchronised,
        });
        Self {
            desk: desk(&store, &folder.path().join("people.key")),
            folder,
            store,
            clock,
        }
    }

    fn now(&self) -> Stamp {
        self.clock.now()
    }

    fn days_later(&self, days: u64) {
        self.clock
            .advance(Duration::from_hours(24) * u32::try_from(days).unwrap());
    }

    fn today(&self) -> Date {
        self.desk.today(self.now()).unwrap()
    }

    fn enter(&self, source: Source, said: &[(Field, &str)]) -> PersonId {
        let entered = Entered {
            source,
            said: Said::read(said.iter().copied()).unwrap(),
            by: Some(li()),
            screening: None,
        };
        self.desk.enter(&entered, self.now()).unwrap()
    }

    /// What the audit says was done, oldest first.
    fn deeds(&self) -> Vec<String> {
        let entries = self.store.audit(10_000).unwrap();
        entries.into_iter().rev().map(|it| it.what).collect()
    }

    /// Whether a text is in any file of the folder.
    fn is_in_a_file(&self, text: &str) -> bool {
        is_below(self.folder.path(), text.as_bytes())
    }
}

/// Whether these bytes are in a file of a folder or of one below it.
fn is_below(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_below(&path, bytes);
        }
        let all = std::fs::read(&path).unwrap();
        all.windows(bytes.len()).any(|it| it == bytes)
    })
}

fn people(store: &Store, key: &Path) -> People {
    store.register(key).unwrap()
}

fn desk(store: &Store, key: &Path) -> Desk {
    let register: Arc<dyn Register> = Arc::new(people(store, key));
    let rules = PeopleConfig::default().rules().unwrap();
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    Desk::new(Arc::new(rules), register, Arc::new(Zone(zone)))
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn li() -> Note {
    Note::name("李经理").unwrap()
}

fn sign() -> Sign {
    Sign {
        by: li(),
        why: Note::new("电话核实").unwrap(),
    }
}
