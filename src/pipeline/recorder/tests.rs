//! The recorder before a journal that fails and blocks when told to. Nothing is timed: each test waits
//! for what must come.

use super::super::fake::FakeJournal;
use super::*;
use crate::alert::Outcome;
use crate::alert::tests::{alert, stamp};
use crate::clock::SimulatedClock;
use crate::event::Fault;
use crate::id::{ScreeningId, TrackId};
use crate::screening::{Obstacle, Sighting, Verdict};
use crate::units::PixelBox;
use std::thread;

struct Bench {
    recorder: Recorder,
    journal: Arc<FakeJournal>,
    clock: SimulatedClock,
    /// What was told at once.
    happened: Arc<Mutex<Vec<Event>>>,
    /// What was told once saved.
    saved: Arc<Mutex<Vec<Event>>>,
    running: Option<thread::JoinHandle<()>>,
}

impl Bench {
    fn new() -> Self {
        Self::gathering(TOGETHER)
    }

    fn gathering(together: Duration) -> Self {
        let journal = Arc::new(FakeJournal::default());
        let clock = SimulatedClock::at(stamp(0));
        let happened = Arc::new(Mutex::new(Vec::new()));
        let (ear, ours) = (Arc::clone(&happened), Arc::clone(&journal));
        let recorder = Recorder::gathering(
            ours,
            Arc::new(clock.clone()),
            Box::new(move |events| ear.lock().unwrap().extend_from_slice(events)),
            together,
        );
        Self {
            recorder,
            journal,
            clock,
            happened,
            saved: Arc::default(),
            running: None,
        }
    }

    /// The same with its thread.
    fn running() -> Self {
        Self::running_with(TOGETHER)
    }

    fn running_with(together: Duration) -> Self {
        let mut bench = Self::gathering(together);
        let (recorder, saved) = (bench.recorder.clone(), Arc::clone(&bench.saved));
        bench.running = Some(thread::spawn(move || {
            recorder.run(Box::new(move |recorded| {
                let events = recorded.iter().map(|it| it.event.clone());
                saved.lock().unwrap().extend(events);
            }));
        }));
        bench
    }

    /// Closes it and waits for its end.
    fn end(&mut self) {
        self.recorder.close();
        self.running.take().unwrap().join().unwrap();
    }

    fn states(&self) -> Vec<&'static str> {
        let alerts = self.recorder.alerts(10).unwrap();
        alerts.iter().map(|alert| alert.state.as_str()).collect()
    }

    fn kept(&self) -> Vec<Event> {
        self.journal.look().kept.clone()
    }
}

fn raised(track: u64) -> Event {
    Event::AlertRaised(alert(track, stamp(track)))
}

fn taken(track: u64, by: &str) -> Event {
    Event::AlertAcknowledged {
        alert: alert(track, stamp(0)).id,
        by: by.to_owned(),
        at: stamp(5),
    }
}

fn resolved(track: u64) -> Event {
    Event::AlertResolved {
        alert: alert(track, stamp(0)).id,
        by: "王芳".to_owned(),
        at: stamp(9),
        outcome: Outcome::Left,
    }
}

#[test]
fn a_disk_that_hangs_holds_up_neither_the_telling_nor_the_page() {
    let mut bench = Bench::running();
    bench.journal.set(|it| it.blocked = true);
    bench.recorder.happened(vec![raised(1)]);
    bench.journal.until(|it| it.tries == 1);
    // The commit hangs. The next event is told and shown all the same.
    bench.recorder.happened(vec![raised(2)]);
    assert_eq!(*bench.happened.lock().unwrap(), [raised(1), raised(2)]);
    assert_eq!(bench.states(), ["open", "open"]);
    bench.clock.advance(Duration::from_millis(300));
    let unsaved = bench.recorder.unsaved();
    assert_eq!(
        (unsaved.events, unsaved.waits),
        (2, Duration::from_millis(300))
    );
    assert_eq!(unsaved.alerts.len(), 2);
    assert!(bench.saved.lock().unwrap().is_empty());
    bench.journal.set(|it| it.blocked = false);
    bench.end();
    assert_eq!(bench.kept(), [raised(1), raised(2)]);
    assert_eq!(*bench.saved.lock().unwrap(), [raised(1), raised(2)]);
    assert_eq!(bench.recorder.unsaved(), Unsaved::default());
}

#[test]
fn what_a_failing_disk_refuses_is_kept_in_order_and_saved_once() {
    let mut bench = Bench::running();
    bench.journal.set(|it| it.broken = true);
    let all: Vec<Event> = (1..=30).map(raised).collect();
    for event in &all {
        bench.recorder.happened(vec![event.clone()]);
    }
    bench.journal.until(|it| it.tries >= 2);
    assert!(bench.recorder.unsaved().failing.is_some());
    bench.journal.set(|it| it.broken = false);
    bench.journal.until(|it| it.kept.len() == 30);
    bench.end();
    assert_eq!(bench.kept(), all);
    assert_eq!(*bench.saved.lock().unwrap(), all);
    assert_eq!(bench.recorder.unsaved().failing, None);
}

#[test]
fn at_the_end_a_disk_that_fails_is_tried_once_more_and_not_for_ever() {
    let mut bench = Bench::running();
    bench.journal.set(|it| it.broken = true);
    bench.recorder.happened(vec![raised(1)]);
    bench.end();
    assert_eq!(bench.kept(), []);
    assert_eq!(bench.recorder.unsaved().events, 1);
}

#[test]
fn an_alert_that_is_not_saved_can_be_taken_and_resolved() {
    let bench = Bench::new();
    bench.recorder.happened(vec![raised(1)]);
    assert_eq!(bench.recorder.record(&[taken(1, "王芳")]), Ok(Vec::new()));
    assert_eq!(bench.states(), ["acknowledged"]);
    // By the same rules: who comes second is told so.
    let second = bench.recorder.record(&[taken(1, "李雷")]);
    assert!(
        matches!(second, Err(JournalError::Refused(_))),
        "{second:?}"
    );
    bench.recorder.record(&[resolved(1)]).unwrap();
    assert_eq!(bench.states(), ["resolved"]);
    let told = [raised(1), taken(1, "王芳"), resolved(1)];
    assert_eq!(*bench.happened.lock().unwrap(), told);
    // And all of it is saved, in order.
    bench.recorder.close();
    bench.recorder.run(Box::new(|_| {}));
    assert_eq!(bench.kept(), told);
    assert_eq!(bench.states(), ["resolved"]);
}

#[test]
fn acts_upon_what_is_saved_go_to_the_disk_and_say_when_it_fails() {
    let bench = Bench::new();
    bench.journal.record(&[raised(1), raised(2)]).unwrap();
    // Something else waits: that is no reason to answer without the disk.
    bench.recorder.happened(vec![raised(3)]);
    assert_eq!(bench.recorder.record(&[taken(1, "王芳")]).unwrap().len(), 1);
    assert_eq!(bench.kept().len(), 3);
    bench.journal.set(|it| it.broken = true);
    let failed = bench.recorder.record(&[taken(2, "王芳")]);
    assert!(matches!(failed, Err(JournalError::Storage(_))));
    assert_eq!(bench.states(), ["open", "open", "acknowledged"]);
}

#[test]
fn an_act_that_the_journal_refuses_takes_nothing_with_it() {
    let mut bench = Bench::running();
    bench
        .journal
        .record(&[raised(1), taken(1, "李雷")])
        .unwrap();
    // Only possible where somebody was quicker while this stood in the queue.
    bench
        .recorder
        .happened(vec![raised(2), taken(1, "王芳"), raised(3)]);
    bench.end();
    assert_eq!(bench.kept()[2..], [raised(2), raised(3)]);
    assert_eq!(*bench.saved.lock().unwrap(), [raised(2), raised(3)]);
}

#[test]
fn a_disk_that_cannot_even_be_read_hides_no_alert() {
    let bench = Bench::new();
    bench.journal.record(&[raised(1)]).unwrap();
    assert_eq!(bench.states(), ["open"]);
    bench.journal.set(|it| it.blind = true);
    assert!(bench.recorder.alerts(10).is_err());
    bench.recorder.happened(vec![raised(2)]);
    // The old list and the new alert, though nothing can be read.
    assert_eq!(bench.states(), ["open", "open"]);
}

#[test]
fn what_is_seen_in_the_queue_and_on_the_disk_counts_once() {
    let bench = Bench::new();
    bench.recorder.happened(vec![raised(1), taken(1, "王芳")]);
    // The commit is through, the queue not shortened yet.
    bench
        .journal
        .record(&[raised(1), taken(1, "王芳")])
        .unwrap();
    assert_eq!(bench.states(), ["acknowledged"]);
    let id = alert(1, stamp(0)).id;
    assert_eq!(
        bench.recorder.alert(id).unwrap().state.as_str(),
        "acknowledged"
    );
}

#[test]
fn nothing_is_written_when_nothing_happened() {
    let mut bench = Bench::running();
    bench.recorder.happened(Vec::new());
    bench.end();
    assert_eq!(bench.journal.look().tries, 0);
    assert!(bench.happened.lock().unwrap().is_empty());
}

#[test]
fn faults_wait_for_the_disk_like_all_else() {
    let bench = Bench::new();
    let (fault, at) = (Fault::StoreFailing, stamp(1));
    bench
        .recorder
        .happened(vec![Event::FaultRaised { fault, at }]);
    let unsaved = bench.recorder.unsaved();
    assert_eq!((unsaved.events, unsaved.alerts.len()), (1, 0));
}

fn screened(track: u64) -> Event {
    let sighting = Sighting {
        sequence: track,
        stamp: stamp(track),
        area: PixelBox {
            left: 40.0,
            top: 30.0,
            right: 80.0,
            bottom: 90.0,
        },
    };
    Event::Screened(Screening {
        id: ScreeningId {
            boot: stamp(0).boot,
            track: TrackId(track),
        },
        first: sighting,
        last: sighting,
        reading: None,
        verdict: Verdict::CannotJudge(Obstacle::TooFar),
        presented: true,
    })
}

/// Screens these people, and waits until the recorder has looked at each.
fn screen(bench: &Bench, tracks: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    let events: Vec<Event> = tracks.map(screened).collect();
    for event in &events {
        bench.recorder.happened(vec![event.clone()]);
    }
    events
}

/// Longer than any test.
const NEVER: Duration = Duration::from_hours(1);

/// One was saved, and the recorder rests.
fn saved_one(together: Duration) -> (Bench, Vec<Event>) {
    let bench = Bench::running_with(together);
    // Nothing was saved for a while: the first is, at once.
    let all = screen(&bench, 1..=1);
    bench.journal.until(|it| it.kept.len() == 1);
    while bench.recorder.unsaved().events > 0 {
        thread::yield_now();
    }
    (bench, all)
}

#[test]
fn screenings_are_told_at_once_and_saved_together() {
    let (mut bench, mut all) = saved_one(NEVER);
    all.extend(screen(&bench, 2..=6));
    assert_eq!(*bench.happened.lock().unwrap(), all);
    bench.clock.advance(Duration::from_secs(30));
    let unsaved = bench.recorder.unsaved();
    assert_eq!((unsaved.events, unsaved.waits), (5, Duration::ZERO));
    // What is counted for a page has them already.
    bench.recorder.tally(0, &[]).unwrap();
    let asked: Vec<u64> = bench
        .journal
        .look()
        .unsaved
        .iter()
        .map(|it| it.id.track.0)
        .collect();
    assert_eq!(asked, [2, 3, 4, 5, 6]);
    assert_eq!(bench.journal.look().tries, 1);
    // At the end nothing is waited for.
    bench.end();
    assert_eq!(bench.journal.look().tries, 2, "all in one commit");
    assert_eq!(bench.kept(), all);
}

#[test]
fn screenings_are_saved_once_they_have_waited() {
    let (mut bench, mut all) = saved_one(Duration::from_millis(1));
    all.extend(screen(&bench, 2..=3));
    bench.journal.until(|it| it.kept.len() == 3);
    bench.end();
    assert_eq!(bench.kept(), all);
}

#[test]
fn an_alert_is_saved_at_once_and_takes_along_the_screenings_before_it() {
    let (mut bench, mut all) = saved_one(NEVER);
    all.extend(screen(&bench, 2..=3));
    bench.recorder.happened(vec![raised(4)]);
    all.push(raised(4));
    bench.journal.until(|it| it.kept.len() == 4);
    assert_eq!(bench.journal.look().tries, 2);
    bench.end();
    assert_eq!(bench.kept(), all);
}

#[test]
fn screenings_that_a_disk_takes_long_to_save_are_said_to_be_late() {
    let mut bench = Bench::running();
    bench.journal.set(|it| it.blocked = true);
    let all = screen(&bench, 1..=2);
    bench.journal.until(|it| it.tries == 1);
    bench.clock.advance(Duration::from_secs(3));
    assert_eq!(bench.recorder.unsaved().waits, Duration::from_secs(3));
    bench.journal.set(|it| it.blocked = false);
    bench.end();
    assert_eq!(bench.kept(), all);
    assert_eq!(bench.recorder.unsaved(), Unsaved::default());
}
