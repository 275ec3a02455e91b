//! How the gateway is after a week, and what it needs of a machine. The week is a simulated one: the whole gateway
//! with its threads, its store and its pages, by a clock that runs as fast as frames are screened.
//!
//!     make soak
//!
//! Times and loads are printed and not asserted: run it on the machine that you ask about. What must not grow is.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement prints what it finds, by the machine's own clock"
)]

mod common;
#[path = "common/program.rs"]
mod program;

use common::{alert, screening};
use menshen::alert::{AlertState, Outcome};
use menshen::camera::simulator::{Scenario, Simulator};
use menshen::camera::{Camera, CameraError, CameraInfo};
use menshen::clock::{BootId, Clock, ClockTrust, SimulatedClock, Stamp, WallTime};
use menshen::config::Config;
use menshen::detect::OnnxDetector;
use menshen::event::Event;
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Journal as _, Outbox as _, SafeAt};
use menshen::mqtt::payload;
use menshen::pipeline::gateway::{Gateway, address};
use menshen::pipeline::recorder::TOGETHER;
use menshen::screening::Verdict;
use menshen::store::{Route, Store, Upkeep};
use menshen::thermal::RawFrame;
use menshen::thermal::ffc::FfcOrder;
use menshen::web::{Entrance, Mode, Pages, Transport};
use program::menshen;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const DAY: u64 = 86_400;

/// 2020-02-18 00:00 in Shanghai.
const MIDNIGHT: WallTime = WallTime(1_581_955_200_000);

/// A visitor with a fever; then nobody.
const DOOR: &str = "name = \"door\"\nseed = 11\nduration_s = 12.0\n[room]\nambient_c = 22.0\n\
    [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n\
    [[visitor]]\narrive_s = 1.0\nenter = \"left\"\nleave = \"right\"\nwalk_s = 2.0\n\
    stand_s = 5.0\ndistance_m = 0.72\nlateral_m = 0.04\ncore_c = 39.2\n";

/// A number of `/proc/self`.
fn own(file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let line = text.lines().find_map(|it| it.strip_prefix(key)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// What this process holds and has written, and its database.
#[derive(Debug)]
struct Held {
    resident_kib: u64,
    descriptors: usize,
    threads: u64,
    database_kib: u64,
    written_kib: u64,
}

impl Held {
    fn now(data: &Path) -> Self {
        let size = |name: &str| data.join(name).metadata().map_or(0, |it| it.len());
        Self {
            resident_kib: own("status", "VmRSS:"),
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            threads: own("status", "Threads:"),
            database_kib: (size("menshen.db") + size("menshen.db-wal")) >> 10,
            written_kib: own("io", "write_bytes:") >> 10,
        }
    }
}

/// The door once an hour, frame by frame; between two visitors a frame of nobody every 20 s. The clock goes with it.
struct Hurried {
    camera: Simulator,
    nobody: Simulator,
    clock: SimulatedClock,
    shown: Arc<AtomicU64>,
    frames: u64,
    quiet: u32,
}

impl Hurried {
    /// Frames of a visit, and of the rest of the hour.
    const VISIT: u64 = 12 * 9;
    const QUIET: u32 = 3588 / 20;
}

impl Camera for Hurried {
    fn info(&self) -> &CameraInfo {
        self.camera.info()
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        // Each frame is screened before the next one is taken.
        thread::sleep(Duration::from_millis(4));
        let step = if self.quiet > 0 {
            Duration::from_secs(20)
        } else {
            Duration::from_nanos(1_000_000_000 / 9)
        };
        self.clock.advance(step);
        let camera = if self.quiet > 0 {
            &mut self.nobody
        } else {
            &mut self.camera
        };
        let mut frame = loop {
            match camera.next_frame() {
                Ok(Some(frame)) => break frame,
                Ok(None) => return Ok(None),
                Err(CameraError::Silent { .. }) => {}
                Err(error) => return Err(error),
            }
        };
        frame.stamp = self.clock.now();
        self.quiet = self.quiet.saturating_sub(1);
        self.frames += 1;
        frame.sequence = self.frames;
        self.shown.store(self.frames, Ordering::Relaxed);
        if self.frames % (Self::VISIT + u64::from(Self::QUIET)) == Self::VISIT {
            self.quiet = Self::QUIET;
        }
        Ok(Some(frame))
    }

    fn damaged(&self) -> u64 {
        0
    }

    fn shutter(&mut self, _: FfcOrder) {}
}

fn config(folder: &Path) -> Config {
    let text = format!(
        "[camera]\nsource = \"simulator\"\nscenario = \"empty\"\nsilent_after_s = 60.0\n\
         [reference]\npresent = true\nset_point_c = 37.0\n\
         [store]\nfolder = \"{}\"\ndisk_floor_mib = 0\nbackups_kept = 2\n\
         keep_clear_days = 1\nkeep_events_days = 2\nkeep_messages_days = 1\n",
        folder.display()
    );
    Config::parse(&text, "soak.toml").unwrap()
}

/// Somebody looks after every alert within the hour, and a broker takes what there is to say.
fn settle(store: &Store, at: Stamp) {
    let by = "王芳".to_owned();
    for alert in store.alerts(100).unwrap() {
        if alert.state == AlertState::Open {
            let (alert, by) = (alert.id, by.clone());
            let outcome = Outcome::Left;
            let taken = Event::AlertAcknowledged {
                alert,
                by: by.clone(),
                at,
            };
            let done = Event::AlertResolved {
                alert,
                by,
                at,
                outcome,
            };
            store.record(&[taken, done]).unwrap();
        }
    }
    let broker = Channel::broker();
    let waiting = store.waiting(&broker, SafeAt::Broker, MessageNumber(0), 1000);
    let numbers: Vec<MessageNumber> = waiting.unwrap().iter().map(|it| it.number).collect();
    store.accepted(&broker, &numbers).unwrap();
}

#[test]
#[ignore = "takes about ten minutes: make soak"]
fn a_week_leaves_nothing_behind_in_memory_descriptors_and_database() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = config(&data);
    let topics = address(&config).unwrap();
    let broker = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| payload::told(&topics, key, event)),
    };
    let store = Store::open(&data, vec![broker]).unwrap();
    let clock = SimulatedClock::at(Stamp {
        boot: store.boot(),
        monotonic: Duration::ZERO,
        wall: MIDNIGHT,
        trust: ClockTrust::Synchronised,
    });
    let shown = Arc::<AtomicU64>::default();
    let (theirs, count) = (clock.clone(), Arc::clone(&shown));
    let rules = config.store.upkeep.clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stop = CancellationToken::new();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let page = listener.local_addr().unwrap();
    let gateway = Gateway {
        open_camera: Arc::new(move || {
            let shown = |text: &str| {
                let scenario = Scenario::from_toml(text).unwrap();
                Simulator::new(scenario.repeated(true), BootId(1), MIDNIGHT)
            };
            let (empty, _) = DOOR.split_once("[[visitor]]").unwrap();
            Ok(Box::new(Hurried {
                camera: shown(DOOR),
                nobody: shown(empty),
                clock: theirs.clone(),
                shown: Arc::clone(&count),
                frames: 0,
                quiet: 0,
            }))
        }),
        detector: OnnxDetector::built_in().unwrap(),
        journal: Arc::new(store.clone()),
        entrance: Entrance::Accounts(Arc::new(store.clone())),
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        pages: Pages {
            listener,
            transport: Transport::Plain,
            metrics: None,
        },
        mode: Mode::Demo,
        settings: None,
        observe: Arc::new(|_| {}),
        config,
    };
    let running = runtime.spawn(gateway.run(stop.clone()));

    let mut held: Vec<Held> = Vec::new();
    println!("day  frames  resident KiB  descriptors  threads  database KiB  written KiB");
    for hour in 1..=7 * 24 {
        let until = Duration::from_hours(hour);
        while clock.now().monotonic < until {
            assert!(!running.is_finished(), "the gateway ended");
            thread::sleep(Duration::from_millis(20));
        }
        settle(&store, clock.now());
        store.maintain(&rules, clock.now()).unwrap();
        let answer = ureq::get(format!("http://{page}/readyz")).call();
        assert!(answer.is_ok(), "{answer:?}");
        if hour % 24 == 0 {
            let now = Held::now(&data);
            println!(
                "{:>3} {:>7} {:>13} {:>12} {:>8} {:>13} {:>12}",
                hour / 24,
                shown.load(Ordering::Relaxed),
                now.resident_kib,
                now.descriptors,
                now.threads,
                now.database_kib,
                now.written_kib
            );
            held.push(now);
        }
    }
    let raised = store.alerts(10_000).unwrap();
    println!("alerts of the last days: {}", raised.len());
    assert!(raised.len() > 40, "an alert an hour: {}", raised.len());
    stop.cancel();
    runtime.block_on(running).unwrap().unwrap();

    // From the third day on everything that is kept for two days is there.
    let (early, late) = (&held[2], &held[6]);
    assert!(
        late.resident_kib < early.resident_kib + 4 * 1024,
        "memory grows"
    );
    assert!(
        late.descriptors <= early.descriptors + 2,
        "descriptors grow"
    );
    assert!(late.threads <= early.threads + 1, "threads grow");
    assert!(
        late.database_kib < early.database_kib * 11 / 10,
        "the database grows"
    );
}

/// People of an office's day: from which minute to which, and how many of a hundred.
const DAY_OF_PEOPLE: [(u64, u64, u64); 4] = [
    (8 * 60, 9 * 60 + 30, 35),
    (11 * 60 + 30, 13 * 60 + 30, 25),
    (17 * 60, 18 * 60 + 30, 30),
    (0, 24 * 60, 10),
];

/// Seconds of the day at which they come, each stretch evenly.
fn arrivals(people: u64) -> Vec<u64> {
    let mut all: Vec<u64> = DAY_OF_PEOPLE
        .into_iter()
        .flat_map(|(from, until, of_hundred)| {
            let count = people * of_hundred / 100;
            (0..count).map(move |it| 60 * from + 60 * (until - from) * it / count)
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
#[ignore = "measures what a day writes: make soak"]
fn a_busy_day_writes_no_more_than_a_card_bears() {
    const PEOPLE: u64 = 3000;
    const ALERTS: u64 = 30;
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let topics = address(&config).unwrap();
    let broker = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| payload::told(&topics, key, event)),
    };
    let store = Store::open(folder.path(), vec![broker]).unwrap();
    let rules = Upkeep {
        disk_floor: 0,
        ..Upkeep::default()
    };
    let before = own("io", "write_bytes:");
    let stamp = |second: u64| Stamp {
        boot: store.boot(),
        monotonic: Duration::from_secs(second),
        wall: WallTime(MIDNIGHT.0 + (second * 1000).cast_signed()),
        trust: ClockTrust::Synchronised,
    };
    // As the recorder saves: alerts at once, screenings with them or once in a while.
    let come = arrivals(PEOPLE);
    let mut next = come.iter().zip(0_u64..).peekable();
    let (mut waiting, mut saved, mut commits) = (Vec::new(), None, 0);
    for second in 0..DAY {
        let mut urgent = false;
        while let Some((_, person)) = next.next_if(|(at, _)| **at == second) {
            let mut screened = screening(store.boot(), person, Verdict::Clear);
            screened.last.stamp = stamp(second);
            if person % (PEOPLE / ALERTS) == 0 {
                let mut raised = alert(store.boot(), person);
                raised.raised = stamp(second);
                waiting.push(Event::AlertRaised(raised));
                urgent = true;
            }
            waiting.push(Event::Screened(screened));
        }
        let rested = saved.is_none_or(|at| second >= at + TOGETHER.as_secs());
        if !waiting.is_empty() && (urgent || rested) {
            store.record(&std::mem::take(&mut waiting)).unwrap();
            (saved, commits) = (Some(second), commits + 1);
        }
        if second % 60 == 0 {
            store.maintain(&rules, stamp(second)).unwrap();
        }
    }
    store.record(&waiting).unwrap();
    let kept = store.tally(MIDNIGHT.0, &[]).unwrap();
    assert_eq!(kept.iter().map(|it| it.2).sum::<u64>(), come.len() as u64);
    drop(store);
    let written = (own("io", "write_bytes:") - before) >> 20;
    println!(
        "{} people and {ALERTS} alerts in a day, {commits} commits, with the night's copy: {written} MiB written",
        come.len()
    );
    assert!(written <= 50, "{written} MiB are more than 50");
}

/// Processor time of a process so far, in ticks of 10 ms.
fn ticks(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after = text.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
#[ignore = "measures what the program needs: make soak"]
fn what_the_program_needs() {
    let program = Path::new(env!("CARGO_BIN_EXE_menshen"));
    let folder = tempfile::tempdir().unwrap();
    let stripped = folder.path().join("stripped");
    let made = std::process::Command::new("strip")
        .arg("-o")
        .args([&stripped, program])
        .status();
    if made.is_ok_and(|it| it.success()) {
        println!(
            "program: {} KiB, stripped",
            stripped.metadata().unwrap().len() >> 10
        );
    }
    for (fps, size) in [
        (9, "width = 160\nheight = 120"),
        (25, "width = 256\nheight = 192"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        // A visitor every twelve seconds, for longer than is looked.
        let (head, visitor) = DOOR.split_once("[[visitor]]").unwrap();
        let mut door = head
            .replace(
                "[room]",
                &format!("[sensor]\n{size}\nfps = {fps}.0\n[room]"),
            )
            .replace("duration_s = 12.0", "duration_s = 240.0");
        for arrive in (1..240).step_by(12) {
            let arrive = format!("arrive_s = {arrive}.0");
            door.push_str("[[visitor]]");
            door.push_str(&visitor.replace("arrive_s = 1.0", &arrive));
        }
        fs::write(folder.path().join("door.toml"), door).unwrap();
        let address = format!("127.72.0.{fps}:8080");
        fs::write(
            folder.path().join("menshen.toml"),
            format!(
                "[camera]\nsource = \"simulator\"\nscenario = \"door.toml\"\n\
                 [web]\nlisten = \"{address}\"\n[store]\nfolder = \"data\"\ndisk_floor_mib = 0\n"
            ),
        )
        .unwrap();
        let began = Instant::now();
        let mut child = menshen(folder.path())
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while ureq::get(format!("http://{address}/readyz"))
            .call()
            .is_err()
        {
            assert!(began.elapsed() < Duration::from_mins(2));
            assert!(child.try_wait().unwrap().is_none(), "it ended");
            thread::sleep(Duration::from_millis(20));
        }
        let first = began.elapsed();
        // Its first seconds are of the start.
        thread::sleep(Duration::from_secs(5));
        let (from, since) = (ticks(child.id()), Instant::now());
        thread::sleep(Duration::from_secs(48));
        let used = (ticks(child.id()) - from) as f64 / 100.0 / since.elapsed().as_secs_f64();
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let of = |key: &str| {
            let line = status.lines().find_map(|it| it.strip_prefix(key)).unwrap();
            line.trim().to_owned()
        };
        println!(
            "{fps} frames a second: first frame screened after {:.2} s; {:.1} % of one processor; resident {}, \
             at most {}",
            first.as_secs_f64(),
            100.0 * used,
            of("VmRSS:"),
            of("VmHWM:")
        );
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
