//! The watch with everything around it in the hands of the test.

use super::super::fake::FakeJournal;
use super::*;
use crate::alert::escalation::Reminder;
use crate::alert::tests::{alert, stamp};
use crate::clock::SimulatedClock;
use crate::event::Escalation;

struct Bench {
    watch: Watch,
    recorder: Recorder,
    journal: Arc<FakeJournal>,
    clock: SimulatedClock,
    happened: Arc<Mutex<Vec<Event>>>,
    changes: watch::Sender<u64>,
    notes: watch::Receiver<Arc<AlertNotes>>,
    /// What the one look of the test sees.
    broker: Arc<Mutex<Sight>>,
}

impl Bench {
    fn new(left: Unfinished) -> Self {
        let journal = Arc::new(FakeJournal::default());
        let clock = SimulatedClock::at(stamp(0));
        let happened = Arc::new(Mutex::new(Vec::new()));
        let open_faults = Arc::new(Mutex::new(OpenFaults::default()));
        let (changes, changed) = watch::channel(0);
        let (notes_in, notes) = watch::channel(Arc::default());
        let broker = Arc::new(Mutex::new(Sight::Well));
        let (ear, faults, bump) = (
            Arc::clone(&happened),
            Arc::clone(&open_faults),
            changes.clone(),
        );
        let ours: Arc<FakeJournal> = Arc::clone(&journal);
        let recorder = Recorder::new(
            ours,
            Arc::new(clock.clone()),
            Box::new(move |events| {
                ear.lock().unwrap().extend_from_slice(events);
                for event in events {
                    faults.lock().unwrap().note(event);
                }
                bump.send_modify(|n| *n += 1);
            }),
        );
        let seen = Arc::clone(&broker);
        let ports = WatchPorts {
            recorder: recorder.clone(),
            clock: Arc::new(clock.clone()),
            open_faults,
            changed,
            notes: notes_in,
            changes: changes.clone(),
            quick: vec![(
                Fault::BrokerAway,
                Box::new(move |_: &Stamp| *seen.lock().unwrap()),
            )],
            slow: Vec::new(),
        };
        Self {
            watch: Watch::new(ports, EscalationRules::default(), left),
            recorder,
            journal,
            clock,
            happened,
            changes,
            notes,
            broker,
        }
    }

    /// Looks each second for so long; what happened meanwhile, as words.
    fn passes(&mut self, seconds: u64) -> Vec<String> {
        let before = self.happened.lock().unwrap().len();
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            self.watch.look();
        }
        self.happened.lock().unwrap()[before..]
            .iter()
            .map(word)
            .collect()
    }

    /// Saves what waits.
    fn save(&self) {
        let unsaved = self.happened.lock().unwrap().clone();
        let known = self.journal.look().kept.len();
        self.journal.record(&unsaved[known..]).unwrap();
    }
}

fn word(event: &Event) -> String {
    match event {
        Event::AlertReminded { level, .. } => level.as_str().to_owned(),
        Event::FaultRaised { fault, .. } => format!("{} raised", fault.as_str()),
        Event::FaultCleared { fault, .. } => format!("{} cleared", fault.as_str()),
        other => other.kind().to_owned(),
    }
}

#[test]
fn an_alert_that_waits_climbs_and_the_pages_are_told() {
    let mut bench = Bench::new(Unfinished::default());
    let alert = alert(1, stamp(0));
    bench
        .journal
        .record(&[Event::AlertRaised(alert.clone())])
        .unwrap();
    bench.changes.send_modify(|n| *n += 1);
    assert!(bench.passes(119).is_empty());
    let reminded = bench.passes(1);
    assert_eq!(reminded[0], "reminder");
    assert_eq!(
        bench.notes.borrow().reminded[&alert.id],
        Escalation::Reminder
    );
    assert!(
        bench
            .passes(179)
            .iter()
            .all(|word| word == "store_failing raised")
    );
    assert_eq!(bench.passes(1), ["manager"]);
    assert_eq!(
        bench.notes.borrow().reminded[&alert.id],
        Escalation::Manager
    );
}

#[test]
fn what_was_given_before_a_restart_is_not_given_again_and_its_faults_are_over() {
    let alert = alert(1, stamp(0));
    let left = Unfinished {
        reminders: vec![Reminder {
            alert: alert.id,
            level: Escalation::Reminder,
            at: stamp(0),
        }],
        faults: vec![Fault::CameraSilent, Fault::BrokerAway],
    };
    let mut bench = Bench::new(left);
    let words: Vec<_> = bench.happened.lock().unwrap().iter().map(word).collect();
    assert_eq!(words, ["camera_silent cleared", "broker_away cleared"]);
    bench.journal.record(&[Event::AlertRaised(alert)]).unwrap();
    bench.changes.send_modify(|n| *n += 1);
    let words = bench.passes(300);
    assert!(!words.contains(&"reminder".to_owned()), "{words:?}");
    assert!(words.contains(&"manager".to_owned()), "{words:?}");
}

#[test]
fn a_commit_that_takes_longer_than_a_blink_is_noted_and_then_a_fault() {
    let mut bench = Bench::new(Unfinished::default());
    let alert = alert(1, stamp(0));
    bench
        .recorder
        .happened(vec![Event::AlertRaised(alert.clone())]);
    bench.watch.look();
    assert!(bench.notes.borrow().unsaved.is_empty());
    let changes = *bench.changes.borrow();
    bench.clock.advance(Duration::from_millis(200));
    bench.watch.look();
    assert!(bench.notes.borrow().unsaved.contains(&alert.id));
    assert!(
        *bench.changes.borrow() > changes,
        "the pages must look again"
    );
    assert_eq!(bench.passes(10), ["store_failing raised"]);
}

#[test]
fn a_disk_that_fails_is_a_fault_at_once_and_over_when_all_is_saved() {
    let mut bench = Bench::new(Unfinished::default());
    bench.journal.set(|it| it.broken = true);
    bench
        .recorder
        .happened(vec![Event::AlertRaised(alert(1, stamp(0)))]);
    bench.recorder.close();
    // One attempt, which fails.
    bench.recorder.run(Box::new(|_| {}));
    bench.watch.look();
    let words: Vec<_> = bench.happened.lock().unwrap().iter().map(word).collect();
    assert_eq!(words, ["alert_raised", "store_failing raised"]);
    bench.journal.set(|it| it.broken = false);
    bench.recorder.run(Box::new(|_| {}));
    assert_eq!(bench.passes(1), ["store_failing cleared"]);
    bench.save();
    assert!(bench.notes.borrow().unsaved.is_empty());
}

#[test]
fn a_broker_that_stays_away_is_a_fault_and_said_again_after_a_day() {
    let mut bench = Bench::new(Unfinished::default());
    *bench.broker.lock().unwrap() = Sight::Ill;
    let words = bench.passes(100);
    assert!(
        words.contains(&"broker_away raised".to_owned()),
        "{words:?}"
    );
    bench.save();
    bench.recorder.close();
    bench.recorder.run(Box::new(|_| {}));
    bench.clock.advance(Duration::from_hours(24));
    let words = bench.passes(u64::from(SLOW_LOOK));
    let again = words
        .iter()
        .filter(|it| *it == "broker_away raised")
        .count();
    assert_eq!(again, 1, "{words:?}");
    *bench.broker.lock().unwrap() = Sight::Well;
    let words = bench.passes(30);
    assert!(
        words.contains(&"broker_away cleared".to_owned()),
        "{words:?}"
    );
}
