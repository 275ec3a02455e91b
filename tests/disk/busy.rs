//! Another program that holds the database (a backup by somebody's script, `sqlite3` in a terminal): whatever
//! is to be written meanwhile is refused in words, changes nothing, and is written once it is let go.

use super::common::alert;
use super::{moment, open, silent, try_open};
use menshen::account::{
    AccountId, Accounts as _, Act, Change, Deed, Digest, Keys, NewAccount, Session,
};
use menshen::checklist::{Line, Logbook, NewLine, Search, SiteKind};
use menshen::clock::{ClockTrust, Stamp};
use menshen::event::Event;
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Journal as _, JournalError, Outbox as _, Receipt, SafeAt};
use menshen::staff::Role;
use menshen::store::{Store, Upkeep};
use menshen::text::Note;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::thread;

/// A way to write to the store.
type Write = fn(&Store) -> Result<(), JournalError>;

/// Every way there is, by the file of `src/store` in which it is.
const WRITES: [(&str, Write); 17] = [
    ("journal", |it| it.record(&[silent(it, 1)]).map(drop)),
    ("journal", |it| {
        it.note_acts("李明", "noted", &["x".to_owned()], &moment(it, 5))
    }),
    ("register", |it| {
        it.give_up_people(&Note::name("李明").unwrap(), moment(it, 5))
            .map(drop)
    }),
    ("outbox", |it| {
        it.accepted(&Channel::broker(), &[MessageNumber(1)])
    }),
    ("outbox", |it| it.received(&receipt(it))),
    ("outbox", |it| {
        let refuse = || it.refused(&Channel::broker(), MessageNumber(1), "too large");
        (0..3).try_for_each(|_| refuse().map(drop))
    }),
    ("logbook", |it| {
        Logbook::write(it, &search(), &mut |_| vec![began(it)])
    }),
    ("accounts", |it| {
        it.create(&somebody("李强"), act(it)).map(drop)
    }),
    ("accounts", |it| {
        it.change(FIRST, &Change::Disabled, None, act(it))
    }),
    ("accounts", |it| it.begin(&session(it, 2), "王芳", act(it))),
    ("accounts", |it| it.seen(&TOKEN, moment(it, 5))),
    ("accounts", |it| it.end(&[TOKEN], act(it))),
    ("accounts", |it| {
        it.failed(&["王芳"], Deed::SignInRefused, act(it))
    }),
    ("shedding", |it| {
        let rules = Upkeep {
            outbox_messages: 0,
            ..rules()
        };
        it.maintain(&rules, moment(it, 9)).map(drop)
    }),
    // A disk that is low is a fault to record.
    ("upkeep", |it| {
        let rules = Upkeep {
            disk_floor: u64::MAX,
            ..rules()
        };
        it.maintain(&rules, moment(it, 9)).map(drop)
    }),
    // The clock is set at last: so are the times from before.
    ("times", |it| {
        let now = Stamp {
            trust: ClockTrust::Synchronised,
            ..moment(it, 9)
        };
        it.maintain(&rules(), now).map(drop)
    }),
    ("retention", |it| {
        let rules = Upkeep {
            keep_audit_days: 0,
            ..rules()
        };
        it.maintain(&rules, moment(it, 1_000_000)).map(drop)
    }),
];
/// In `retention` stands another one, which the one above comes before.
const BEHIND: [(&str, usize); 1] = [("retention", 1)];

const FIRST: AccountId = AccountId(1);
const TOKEN: Digest = Digest([1; 32]);

fn rules() -> Upkeep {
    Upkeep {
        backups_kept: 0,
        disk_floor: 0,
        ..Upkeep::default()
    }
}

fn receipt(store: &Store) -> Receipt {
    Receipt {
        epoch: store.epoch(),
        up_to: MessageNumber(1),
        gaps: Vec::new(),
    }
}

fn search() -> Search {
    Search::day("2020-02-24".parse().unwrap())
}

fn began(store: &Store) -> NewLine {
    NewLine {
        date: "2020-02-24".parse().unwrap(),
        by: None,
        at: moment(store, 5),
        line: Line::Began {
            site: SiteKind::Office,
            version: 1,
        },
    }
}

fn act(store: &Store) -> Act<'static> {
    Act {
        by: "李明",
        at: moment(store, 5),
    }
}

fn somebody(name: &str) -> NewAccount {
    NewAccount {
        name: Note::name(name).unwrap(),
        role: Role::Guard,
        shared: false,
        keys: Keys::default(),
    }
}

fn session(store: &Store, token: u8) -> Session {
    let now: Stamp = moment(store, 1);
    Session {
        token: Digest([token; 32]),
        account: FIRST,
        begun: now,
        seen: now,
    }
}

/// A store with something in each of its tables that a write changes.
fn furnished(folder: &Path) -> Store {
    let store = open(folder);
    let mut raised = alert(store.boot(), 1);
    raised.raised = moment(&store, 1);
    store
        .record(&[silent(&store, 0), Event::AlertRaised(raised)])
        .unwrap();
    store.create(&somebody("王芳"), act(&store)).unwrap();
    store
        .begin(&session(&store, 1), "王芳", act(&store))
        .unwrap();
    store
}

/// All that these writes change.
fn everything(store: &Store) -> String {
    let broker = Channel::broker();
    format!(
        "{:?}",
        (
            store.events(Sequence(0), 100),
            store.audit(100),
            store.count(&broker),
            store.waiting(&broker, SafeAt::Street, MessageNumber(0), 100),
            store.accounts(),
            store.sessions(),
            store.failures("王芳"),
            store.lines(&search()),
        )
    )
}

/// Takes the database and does not let it go.
fn hold(folder: &Path) -> Connection {
    let other = Connection::open(folder.join("menshen.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn whatever_is_written_while_another_program_holds_the_database_is_refused_and_done_later() {
    // Each waits for some seconds: all at once.
    thread::scope(|all| {
        for (number, (place, write)) in WRITES.into_iter().enumerate() {
            all.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let store = furnished(folder.path());
                let (other, before) = (hold(folder.path()), everything(&store));
                let said = write(&store).unwrap_err().to_string();
                assert!(said.contains("another program"), "{place} {number}: {said}");
                assert_eq!(everything(&store), before, "{place} {number}");
                drop(other);
                write(&store).unwrap();
                assert_ne!(everything(&store), before, "{place} {number}");
            });
        }
    });
}

#[test]
fn a_start_while_another_program_holds_the_database_is_refused_and_takes_nothing_for_damaged() {
    let folder = tempfile::tempdir().unwrap();
    // The start itself is a line of the audit.
    let kept = |store: &Store| {
        let waiting = store.waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 100);
        let (events, accounts) = (store.events(Sequence(0), 100), store.accounts());
        format!("{:?}", (events, waiting, accounts, store.sessions()))
    };
    let before = kept(&furnished(folder.path()));
    let other = hold(folder.path());
    let said = try_open(folder.path()).unwrap_err().to_string();
    assert!(said.contains("another program"), "{said}");
    drop(other);
    let store = open(folder.path());
    assert!(store.standing_own_faults().unwrap().is_empty());
    assert_eq!(kept(&store), before);
}

/// Whoever writes somewhere else adds it above.
#[test]
fn no_write_is_missing_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    for file in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let Ok(text) = fs::read_to_string(file.path()) else {
            continue;
        };
        let name = file.file_name().into_string().unwrap();
        let place = name.strip_suffix(".rs").unwrap_or_default();
        let found = text.matches("self.write(").count();
        let listed = WRITES.iter().filter(|(it, _)| *it == place).count();
        let behind = BEHIND.iter().find(|(it, _)| *it == place);
        let listed = listed + behind.map_or(0, |(_, count)| *count);
        assert_eq!(
            found, listed,
            "{name}: each write there has a line in WRITES"
        );
    }
}
