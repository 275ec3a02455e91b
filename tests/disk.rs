//! What a disk does to the store: a power cut at any moment, and any one call that fails.
//!
//! A child program records with `disk/record.c` preloaded, which notes every write and every `fsync` in
//! order. From those notes, disks are made as a cut may leave them: what was synced is there; of what
//! was not, any part is, in any order, down to single sectors of 512 bytes; of files that were made,
//! renamed or removed since their folder was synced, any number from the first on. The same library makes
//! any one of these calls fail, with an I/O error or for want of room.
//!
//! What is not in it: disks that say that something is written when it is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and a child ends as in a crash"
)]

#[path = "disk/busy.rs"]
mod busy;
mod common;

use menshen::clock::{ClockTrust, Stamp, WallTime};
use menshen::event::{Event, Fault};
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Journal, Keep, Outbox as _, OutboxMessage};
use menshen::store::{Route, Store, StoreError, Upkeep};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Disks that are looked at; `MENSHEN_TEST_CUTS` says otherwise.
const CUTS: usize = 1000;
/// Starts of the child's gateway, and what it records in each.
const STARTS: u64 = 3;
const RECORDS: u64 = 40;
/// What a disk writes whole.
const SECTOR: usize = 512;
/// In this file the child says what was recorded.
const SAID: &str = "said";

fn try_open(folder: &Path) -> Result<Store, StoreError> {
    let route = Route {
        channel: Channel::broker(),
        address: Box::new(|key, _| {
            Some(OutboxMessage {
                topic: "t".to_owned(),
                payload: format!("{} {}", key.number.0, "x".repeat(700)).into_bytes(),
                retain: false,
                keep: Keep::Always,
            })
        }),
    };
    Store::open(folder, vec![route])
}

fn open(folder: &Path) -> Store {
    try_open(folder).unwrap()
}

fn silent(store: &Store, number: u64) -> Event {
    Event::FaultRaised {
        fault: Fault::CameraSilent,
        at: moment(store, number),
    }
}

fn moment(store: &Store, seconds: u64) -> Stamp {
    Stamp {
        boot: store.boot(),
        monotonic: Duration::from_secs(seconds),
        wall: WallTime(0),
        trust: ClockTrust::Unsynchronised,
    }
}

#[test]
#[ignore = "run by the test below"]
fn child_that_records_and_says_so() {
    let folder = PathBuf::from(env::var_os("DISK_FOLDER").unwrap());
    for start in 0..STARTS {
        let store = open(&folder);
        for number in 0..RECORDS {
            let recorded = store.record(&[silent(&store, number)]).unwrap();
            let said = recorded[0].key.seq.0.to_string();
            fs::write(folder.join(SAID), said).unwrap();
        }
        // The last one ends without a word, as in a crash.
        if start + 1 == STARTS {
            std::process::exit(0);
        }
    }
}

/// Tries everything again that fails, up to two times.
fn patiently<T, E: Display>(what: &str, mut work: impl FnMut() -> Result<T, E>) -> T {
    for _ in 0..2 {
        match work() {
            Ok(done) => return done,
            Err(error) => println!("{what}: {error}"),
        }
    }
    work().unwrap_or_else(|error| panic!("{what}, three times: {error}"))
}

#[test]
#[ignore = "run by a test below"]
fn child_whose_disk_fails_once() {
    let folder = PathBuf::from(env::var_os("DISK_FOLDER").unwrap());
    let rules = Upkeep {
        disk_floor: 0,
        ..Upkeep::default()
    };
    for _ in 0..2 {
        let store = patiently("start", || try_open(&folder));
        for number in 0..3 {
            let recorded = patiently("record", || store.record(&[silent(&store, number)]));
            let said = recorded[0].key.seq.0.to_string();
            fs::write(folder.join(SAID), said).unwrap();
        }
        patiently("accept", || {
            store.accepted(&Channel::broker(), &[MessageNumber(1)])
        });
        patiently("maintain", || store.maintain(&rules, moment(&store, 9)));
    }
}

/// One note of `record.c`.
struct Note {
    what: u8,
    file: u64,
    place: u64,
    path: PathBuf,
    data: Vec<u8>,
}

fn notes(log: &Path) -> Vec<Note> {
    let bytes = fs::read(log).unwrap();
    let mut rest = &bytes[..];
    let mut notes = Vec::new();
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at(count);
        rest = left;
        (taken.to_vec(), left.is_empty())
    };
    loop {
        let what = take(1).0[0];
        let head = take(32).0;
        let number = |n: usize| u64::from_le_bytes(head[n * 8..n * 8 + 8].try_into().unwrap());
        let path = String::from_utf8(take(number(2) as usize).0).unwrap();
        let (data, ended) = take(number(3) as usize);
        notes.push(Note {
            what,
            file: number(0),
            place: number(1),
            path: path.into(),
            data,
        });
        if ended {
            return notes;
        }
    }
}

/// A change to a file that is not on the disk yet.
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => {
                if bytes.len() < at + data.len() {
                    bytes.resize(at + data.len(), 0);
                }
                bytes[*at..at + data.len()].copy_from_slice(data);
            }
            Self::Cut(to) => bytes.resize(*to, 0),
        }
    }

    /// Whatever part of it.
    fn apply_in_part(&self, bytes: &mut Vec<u8>, chance: &mut impl Rng) {
        match (self, chance.random_range(0..4_u8)) {
            (_, 0) => {}
            (Self::Write(at, data), 1) => {
                for (number, sector) in data.chunks(SECTOR).enumerate() {
                    if chance.random() {
                        Self::Write(at + number * SECTOR, sector.to_vec()).apply(bytes);
                    }
                }
            }
            _ => self.apply(bytes),
        }
    }
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<Change>,
}

/// A change of names that is not on the disk yet.
#[derive(Clone)]
enum Naming {
    Made(PathBuf, usize),
    Renamed(PathBuf, PathBuf),
    Gone(PathBuf),
}

impl Naming {
    fn folder(&self) -> &Path {
        let (Self::Made(path, _) | Self::Renamed(_, path) | Self::Gone(path)) = self;
        path.parent().unwrap()
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Made(path, file) => drop(names.insert(path.clone(), *file)),
            Self::Renamed(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Self::Gone(path) => drop(names.remove(path)),
        }
    }
}

/// The disk, and what is on its way to it.
#[derive(Default)]
struct Disk {
    files: Vec<File>,
    /// Which file an inode is now: a number is used again once its file is gone.
    inodes: BTreeMap<u64, usize>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    since: Vec<Naming>,
    /// What the child had said.
    said: u64,
}

impl Disk {
    fn take(&mut self, note: Note) {
        if note.path.ends_with(SAID) {
            if note.what == b'W' {
                self.said = String::from_utf8(note.data).unwrap().parse().unwrap();
            }
            return;
        }
        match note.what {
            b'O' => {
                let known = self.inodes.get(&note.file).copied();
                if known.is_none() || self.names.get(&note.path).copied() != known {
                    self.files.push(File::default());
                    let file = self.files.len() - 1;
                    self.inodes.insert(note.file, file);
                    self.name(Naming::Made(note.path, file));
                }
            }
            b'W' | b'T' => {
                let at = note.place as usize;
                let change = if note.what == b'W' {
                    Change::Write(at, note.data)
                } else {
                    Change::Cut(at)
                };
                self.files[self.inodes[&note.file]].since.push(change);
            }
            b'S' if note.place == 1 => {
                let synced = &mut self.synced_names;
                self.since.retain(|naming| {
                    let here = naming.folder() == note.path;
                    if here {
                        naming.apply(synced);
                    }
                    !here
                });
            }
            b'S' => {
                let File { synced, since } = &mut self.files[self.inodes[&note.file]];
                since.drain(..).for_each(|change| change.apply(synced));
            }
            b'R' => {
                let to = String::from_utf8(note.data).unwrap();
                self.name(Naming::Renamed(note.path, to.into()));
            }
            b'U' => self.name(Naming::Gone(note.path)),
            other => panic!("{other}"),
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.since.push(naming);
    }

    /// One of the disks that a cut may leave now, put into a folder.
    fn leave(&self, from: &Path, into: &Path, chance: &mut impl Rng) {
        let mut names = self.synced_names.clone();
        let count = chance.random_range(0..=self.since.len());
        self.since[..count]
            .iter()
            .for_each(|naming| naming.apply(&mut names));
        for (path, file) in names {
            // Memory that several connections share; never synced, and made anew at each start.
            if path.to_string_lossy().ends_with("-shm") {
                continue;
            }
            let file = &self.files[file];
            let mut bytes = file.synced.clone();
            // Nothing, or everything, is as likely as some of it.
            match chance.random_range(0..4_u8) {
                0 => {}
                1 => file.since.iter().for_each(|it| it.apply(&mut bytes)),
                _ => file
                    .since
                    .iter()
                    .for_each(|it| it.apply_in_part(&mut bytes, chance)),
            }
            let path = into.join(path.strip_prefix(from).unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

/// The library, made in this folder.
fn library(folder: &Path) -> PathBuf {
    let library = folder.join("record.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/disk/record.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .args([source, "-ldl", "-lpthread"])
        .status();
    assert!(made.unwrap().success(), "the C compiler");
    library
}

/// One of the child programs above, in a folder of its own below this one.
fn child(name: &str, library: &Path, folder: &Path) -> Command {
    let data = folder.join("data");
    fs::create_dir_all(&data).unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--ignored", "--exact", "--nocapture", name])
        .env("LD_PRELOAD", library)
        .env("DISK_FOLDER", data)
        .env("DISK_LOG", folder.join("log"));
    child
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path());
    let mut child = child("child_that_records_and_says_so", &library, folder.path());
    let ended = child.output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let (data, notes) = (
        folder.path().join("data"),
        notes(&folder.path().join("log")),
    );
    let cuts = env::var("MENSHEN_TEST_CUTS").map_or(CUTS, |it| it.parse().unwrap());
    let count = notes.len();
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut when: Vec<usize> = (0..cuts).map(|_| chance.random_range(0..count)).collect();
    when.sort_unstable();
    let (mut disk, mut next) = (Disk::default(), when.iter().peekable());
    let mut seen = BTreeSet::new();
    for (number, note) in notes.into_iter().enumerate() {
        disk.take(note);
        while next.next_if_eq(&&number).is_some() {
            let left = folder.path().join("left");
            fs::create_dir(&left).unwrap();
            disk.leave(&data, &left, &mut chance);
            check(&left, disk.said, number);
            seen.insert(disk.said);
            fs::remove_dir_all(&left).unwrap();
        }
    }
    assert_eq!(disk.said, STARTS * RECORDS, "the child recorded everything");
    println!(
        "{cuts} disks after a cut, at {} of {} records, of {count} writes and syncs",
        seen.len(),
        disk.said
    );
}

/// The gateway starts on what is left, with everything that was said to be recorded.
fn check(left: &Path, said: u64, at: usize) {
    let store = open(left);
    let events = store.events(Sequence(0), 1000).unwrap();
    let kept: BTreeSet<u64> = events
        .iter()
        .filter(|it| {
            matches!(
                it.event,
                Event::FaultRaised {
                    fault: Fault::CameraSilent,
                    ..
                }
            )
        })
        .map(|it| it.key.seq.0)
        .collect();
    let lost: Vec<u64> = (1..=said).filter(|seq| !kept.contains(seq)).collect();
    assert!(
        lost.is_empty(),
        "after note {at}: {lost:?} of {said} are lost"
    );
    // At most the one that was under way is there without having been said.
    assert!(kept.len() as u64 <= said + 1, "{kept:?}");
    let salvaged = |event: &Event| {
        matches!(
            event,
            Event::FaultRaised {
                fault: Fault::DatabaseSalvaged,
                ..
            }
        )
    };
    assert!(
        !events.iter().any(|it| salvaged(&it.event)),
        "after note {at}"
    );
}

/// With an I/O error (5) and for want of room (28), as Linux numbers them.
const ERRORS: [&str; 2] = ["5", "28"];

#[test]
fn whichever_call_fails_it_is_said_and_nothing_is_lost() {
    const CHILD: &str = "child_whose_disk_fails_once";
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path());
    let dry = folder.path().join("dry");
    let ended = child(CHILD, &library, &dry).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let calls = notes(&dry.join("log")).len();
    let next = AtomicUsize::new(1);
    let told = Mutex::new(BTreeMap::<String, u32>::new());
    thread::scope(|all| {
        for worker in 0..thread::available_parallelism().map_or(2, usize::from) {
            let (folder, library, next, told) = (folder.path(), &library, &next, &told);
            all.spawn(move || {
                loop {
                    let call = next.fetch_add(1, Ordering::SeqCst);
                    if call > calls {
                        break;
                    }
                    for error in ERRORS {
                        let here = folder.join(format!("{worker}"));
                        let said = fail(child(CHILD, library, &here), call, error, &here);
                        let mut told = told.lock().unwrap();
                        said.lines()
                            .for_each(|line| *told.entry(line.to_owned()).or_default() += 1);
                    }
                }
            });
        }
    });
    let told = told.into_inner().unwrap();
    println!(
        "{} failures of {calls} calls; what was said:",
        calls * ERRORS.len()
    );
    for (line, count) in &told {
        println!("{count:5} {line}");
    }
    assert!(told.len() > 1, "no failure was felt");
}

/// Runs the child with one call that fails; what it said of it. Then everything is there.
fn fail(mut child: Command, call: usize, error: &str, folder: &Path) -> String {
    let ended = child
        .env("DISK_FAILS", call.to_string())
        .env("DISK_ERRNO", error)
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "call {call}, error {error}: {}{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
    let data = folder.join("data");
    let store = open(&data);
    let said: u64 = fs::read_to_string(data.join(SAID))
        .unwrap()
        .parse()
        .unwrap();
    let events = store.events(Sequence(0), 1000).unwrap();
    let kept = events.iter().filter(|it| {
        matches!(
            it.event,
            Event::FaultRaised {
                fault: Fault::CameraSilent,
                ..
            }
        )
    });
    assert!(
        said >= 6 && kept.count() >= 6,
        "call {call}, error {error}: {said}"
    );
    drop(store);
    fs::remove_dir_all(folder).unwrap();
    let out = String::from_utf8_lossy(&ended.stdout).into_owned();
    let felt = |line: &&str| {
        ["start: ", "record: ", "accept: ", "maintain: "]
            .iter()
            .any(|what| line.contains(what))
    };
    let lines: Vec<String> = out
        .lines()
        .filter(felt)
        .map(|line| line.replace(&data.display().to_string(), "DATA"))
        .collect();
    lines.join("\n")
}
