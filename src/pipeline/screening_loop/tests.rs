//! The loop with a clock that is moved by hand: no thread, no waiting.

use super::super::fake::FakeJournal;
use super::*;
use crate::clock::{BootId, ClockTrust, SimulatedClock, WallTime};
use crate::face::{DetectorError, Face};
use crate::thermal::radiometry::CountScale;
use crate::thermal::{FrameHealth, RadiometerSettings, ThermalFrame};
use crate::units::{StandardUncertainty, TemperatureDelta};
use ndarray::Array2;
use std::sync::Mutex;

struct Nobody;

impl Detector for Nobody {
    fn detect(&mut self, _: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
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
    clock: SimulatedClock,
    /// What was handed on.
    happened: Arc<Mutex<Vec<Event>>>,
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
        let clock = SimulatedClock::at(stamp(0));
        let happened = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&happened);
        let first = settings().first_status();
        let (status_in, status) = watch::channel(Arc::new(first.clone()));
        let ports = Ports {
            moments: None,
            recorder: Recorder::new(
                Arc::new(FakeJournal::default()),
                Arc::new(clock.clone()),
                Box::new(move |events: &[Event]| ear.lock().unwrap().extend_from_slice(events)),
            ),
            clock: Arc::new(clock.clone()),
            live: watch::channel(None).0,
            status: status_in,
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
                silence,
            },
            pipeline: pipeline(),
            captured: Captured::default(),
            clock,
            happened,
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

    fn happened(&self) -> Vec<Event> {
        self.happened.lock().unwrap().clone()
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
fn silence_is_raised_once_and_cleared_by_the_next_frame() {
    let mut bench = Bench::new();
    bench.passes(111);
    bench.frame(Vec::new());
    bench.passes(3999);
    bench.nothing();
    assert_eq!(bench.happened(), []);
    bench.passes(1);
    bench.nothing();
    let fault = Fault::CameraSilent;
    let raised = Event::FaultRaised {
        fault,
        at: stamp(4111),
    };
    assert_eq!(bench.happened(), std::slice::from_ref(&raised));
    bench.passes(60_000);
    bench.nothing();
    assert_eq!(bench.happened().len(), 1);
    // The frame that ends it says so before anything else that it brings.
    bench.frame(vec![event(7)]);
    let cleared = Event::FaultCleared {
        fault,
        at: stamp(64_111),
    };
    assert_eq!(bench.happened(), [raised, cleared, event(7)]);
}

#[test]
fn a_camera_that_never_gave_a_frame_is_silent_too() {
    let mut bench = Bench::new();
    bench.passes(4000);
    bench.nothing();
    let fault = Fault::CameraSilent;
    let at = stamp(4000);
    assert_eq!(bench.happened(), [Event::FaultRaised { fault, at }]);
}

#[test]
fn the_loop_leaves_the_faults_on_the_pages_to_whoever_keeps_them() {
    let mut bench = Bench::new();
    let active = crate::web::ActiveFault {
        fault: Fault::BrokerAway,
        since: stamp(0),
    };
    let shown = &bench.state.ports.status;
    shown.send_modify(|status| Arc::make_mut(status).faults = vec![active]);
    bench.frame(Vec::new());
    let status = bench.status.borrow();
    assert_eq!(
        (status.faults.as_slice(), status.camera.frames),
        ([active].as_slice(), 1)
    );
}
