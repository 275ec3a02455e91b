//! The loop's memory with a journal that fails and a clock that is moved by hand: no thread, no
//! waiting.

use super::*;
use crate::clock::{BootId, ClockTrust, SimulatedClock, WallTime};
use crate::face::{DetectorError, Face};
use crate::id::{AlertId, DeviceEpoch, EventKey, Sequence};
use crate::journal::JournalError;
use crate::thermal::radiometry::CountScale;
use crate::thermal::{FrameHealth, RadiometerSettings, ThermalFrame};
use crate::units::{StandardUncertainty, TemperatureDelta};
use ndarray::Array2;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

struct Nobody;

impl Detector for Nobody {
    fn detect(&mut self, _: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        Ok(Vec::new())
    }
}

/// A journal in memory that works only when told to.
#[derive(Default)]
struct Fragile {
    broken: AtomicBool,
    tries: AtomicU32,
    kept: Mutex<Vec<Event>>,
}

impl Journal for Fragile {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>, JournalError> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            return Err(JournalError::Storage("told to fail".to_owned()));
        }
        let mut kept = self.kept.lock().unwrap();
        let recorded = events.iter().enumerate().map(|(n, event)| Recorded {
            key: EventKey {
                epoch: DeviceEpoch("test".to_owned()),
                seq: Sequence((kept.len() + n + 1) as u64),
            },
            event: event.clone(),
        });
        let recorded = recorded.collect();
        kept.extend_from_slice(events);
        Ok(recorded)
    }

    fn alerts(&self, _: u32) -> Result<Vec<crate::alert::Alert>, JournalError> {
        Ok(Vec::new())
    }

    fn alert(&self, id: AlertId) -> Result<crate::alert::Alert, JournalError> {
        Err(JournalError::UnknownAlert(id))
    }

    fn tally(&self, _: i64) -> Result<Vec<(String, Option<String>, u64)>, JournalError> {
        Ok(Vec::new())
    }
}

fn stamp(milliseconds: u64) -> Stamp {
    Stamp {
        boot: BootId(1),
        monotonic: Duration::from_millis(milliseconds),
        wall: WallTime(milliseconds.cast_signed()),
        trust: ClockTrust::Unsynchronised,
    }
}

/// The loop with everything around it in the hands of the test.
struct Bench {
    state: State,
    pipeline: Pipeline<Nobody>,
    captured: Captured,
    journal: Arc<Fragile>,
    clock: SimulatedClock,
    /// What the callback after recording was given.
    told: Arc<Mutex<Vec<Event>>>,
    status: watch::Receiver<Arc<GatewayStatus>>,
    sequence: u64,
}

fn settings() -> LoopSettings {
    LoopSettings {
        reference: None,
        rules: Rules::default(),
        silent_after: Duration::from_secs(4),
        epoch: "test".to_owned(),
        mode: Mode::Demo,
    }
}

fn pipeline() -> Pipeline<Nobody> {
    let settings = RadiometerSettings {
        scale: CountScale::CentiKelvin,
        reference: None,
        ..RadiometerSettings::default()
    };
    Pipeline::new(settings, Rules::default(), Nobody)
}

impl Bench {
    fn new() -> Self {
        let (journal, clock) = (Arc::new(Fragile::default()), SimulatedClock::at(stamp(0)));
        let told = Arc::new(Mutex::new(Vec::new()));
        let first = settings().first_status();
        let (status_in, status) = watch::channel(Arc::new(first.clone()));
        let (tell, as_journal) = (Arc::clone(&told), Arc::clone(&journal));
        let ports = Ports {
            journal: as_journal,
            clock: Arc::new(clock.clone()),
            live: watch::channel(None).0,
            status: status_in,
            recorded: Box::new(move |recorded| {
                let events = recorded.iter().map(|r| r.event.clone());
                tell.lock().unwrap().extend(events);
            }),
            attendance: Arc::default(),
            link: Box::new(|| LinkWord::NotConfigured),
        };
        let silence = Silence {
            since: clock.now(),
            raised: false,
        };
        Self {
            state: State {
                settings: settings(),
                ports,
                status: first,
                unsaved: Vec::new(),
                tried: None,
                silence,
            },
            pipeline: pipeline(),
            captured: Captured::default(),
            journal,
            clock,
            told,
            status,
            sequence: 0,
        }
    }

    fn passes(&self, milliseconds: u64) {
        self.clock.advance(Duration::from_millis(milliseconds));
    }

    /// A frame of now in which this happened.
    fn frame(&mut self, events: Vec<Event>) {
        self.sequence += 1;
        let step = Step {
            thermal: ThermalFrame {
                stamp: self.clock.now(),
                sequence: self.sequence,
                celsius: Array2::zeros((2, 2)),
                health: FrameHealth::Good,
                reference: None,
                second: None,
                offset: TemperatureDelta::ZERO,
                scene: None,
                ambient_u: StandardUncertainty::literal(0.5),
                path: crate::thermal::path::Path::default(),
            },
            faces: Vec::new(),
            events,
            detector: None,
        };
        self.state.take(&self.pipeline, step, 0, &self.captured);
    }

    fn nothing(&mut self) {
        self.state.nothing_came(&self.captured);
    }

    fn kept(&self) -> Vec<Event> {
        self.journal.kept.lock().unwrap().clone()
    }

    fn faults(&self) -> Vec<Fault> {
        self.status
            .borrow()
            .faults
            .iter()
            .map(|f| f.fault)
            .collect()
    }
}

/// Events that can be told apart by their time.
fn event(milliseconds: u64) -> Event {
    Event::FaultRaised {
        fault: Fault::CameraFrozen,
        at: stamp(milliseconds),
    }
}

#[test]
fn what_a_failing_journal_refuses_is_kept_in_order_and_once() {
    let mut bench = Bench::new();
    bench.journal.broken.store(true, Ordering::SeqCst);
    let mut expected = Vec::new();
    for n in 0..30 {
        bench.passes(111);
        expected.push(event(n));
        bench.frame(vec![event(n)]);
    }
    assert_eq!(bench.kept(), []);
    // 3.2 s: tried at once, and again after each second.
    assert_eq!(bench.journal.tries.load(Ordering::SeqCst), 3);
    bench.journal.broken.store(false, Ordering::SeqCst);
    bench.passes(1000);
    expected.push(event(99));
    bench.frame(vec![event(99)]);
    assert_eq!(bench.kept(), expected);
    assert_eq!(*bench.told.lock().unwrap(), expected);
    bench.passes(5000);
    bench.frame(Vec::new());
    assert_eq!(bench.kept(), expected);
}

#[test]
fn events_are_tried_again_though_no_frame_comes() {
    let mut bench = Bench::new();
    bench.journal.broken.store(true, Ordering::SeqCst);
    bench.frame(vec![event(1), event(2)]);
    bench.journal.broken.store(false, Ordering::SeqCst);
    bench.passes(999);
    bench.nothing();
    assert_eq!(bench.kept(), []);
    bench.passes(1);
    bench.nothing();
    assert_eq!(bench.kept(), [event(1), event(2)]);
}

#[test]
fn nothing_is_written_when_nothing_happened() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        bench.passes(111);
        bench.frame(Vec::new());
        bench.nothing();
    }
    assert_eq!(bench.journal.tries.load(Ordering::SeqCst), 0);
}

#[test]
fn silence_is_raised_once_and_cleared_by_the_next_frame() {
    let mut bench = Bench::new();
    bench.passes(111);
    bench.frame(Vec::new());
    bench.passes(3999);
    bench.nothing();
    assert_eq!(bench.kept(), []);
    bench.passes(1);
    bench.nothing();
    let fault = Fault::CameraSilent;
    let raised = Event::FaultRaised {
        fault,
        at: stamp(4111),
    };
    assert_eq!(bench.kept(), std::slice::from_ref(&raised));
    assert_eq!(bench.faults(), [fault]);
    bench.passes(60_000);
    bench.nothing();
    assert_eq!(bench.kept().len(), 1);
    // The frame that ends it says so before anything else that it brings.
    bench.frame(vec![event(7)]);
    let cleared = Event::FaultCleared {
        fault,
        at: stamp(64_111),
    };
    assert_eq!(bench.kept(), [raised, cleared, event(7)]);
    assert!(!bench.faults().contains(&fault));
}

#[test]
fn a_camera_that_never_gave_a_frame_is_silent_too() {
    let mut bench = Bench::new();
    bench.passes(4000);
    bench.nothing();
    assert_eq!(bench.faults(), [Fault::CameraSilent]);
}

#[test]
fn at_the_end_everything_is_saved_although_it_was_tried_just_now() {
    let bench = Bench::new();
    bench.journal.broken.store(true, Ordering::SeqCst);
    let mut state = bench.state;
    state.keep(vec![event(1)]);
    state.save();
    bench.journal.broken.store(false, Ordering::SeqCst);
    bench.captured.slot.close();
    state.keep(vec![event(2)]);
    state.tried = None;
    state.save();
    assert_eq!(*bench.journal.kept.lock().unwrap(), [event(1), event(2)]);
}
