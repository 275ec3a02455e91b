//! What a frame costs: each stage by itself and all of them, for the sizes that thermal cameras
//! have, with two people in view, and all of them in an empty lobby. The detector is both of its
//! stages with two faces; `finder` is the first alone, `closer` the second for one face.
//!
//! Measured is the CPU time of the one thread that does the work (the detector's own, on which the
//! gateway runs all stages), not the time on the wall: other load on the machine then costs only
//! what it takes from the caches. Frames are simulated and made before; each has a new time and
//! number, so that nobody's track ends. A scene in which not everybody is found, or the reference
//! is not, measures nothing and ends the program.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark fails by panicking"
)]

use cpu_time::ThreadTime;
use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BatchSize, Criterion, Throughput};
use menshen::camera::Camera as _;
use menshen::camera::simulator::{Scenario, Simulator};
use menshen::clock::{BootId, WallTime};
use menshen::detect::OnnxDetector;
use menshen::face::decode::Candidate;
use menshen::face::{Detector as _, Face};
use menshen::pipeline::Pipeline;
use menshen::screening::{Rules, Screener};
use menshen::thermal::{FrameHealth, Radiometer, RadiometerSettings, RawFrame, ThermalFrame};
use std::hint::black_box;
use std::time::Duration;

/// FLIR Lepton 3.5, InfiRay and HIKMICRO handhelds, FLIR Boson 320-class, 640-class.
const SIZES: [(usize, usize); 4] = [(160, 120), (256, 192), (384, 288), (640, 512)];
/// Frames a second.
const FPS: u32 = 9;
/// Frames until both people stand.
const WALK_IN: usize = 40;
/// Frames of both people standing; they are gone through again and again.
const FILM: usize = 45;

/// CPU time of the thread that measures.
struct ThreadCpu;

impl Measurement for ThreadCpu {
    type Intermediate = ThreadTime;
    type Value = Duration;

    fn start(&self) -> ThreadTime {
        ThreadTime::now()
    }

    fn end(&self, start: ThreadTime) -> Duration {
        start.elapsed()
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_secs_f64() * 1e3
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Milliseconds
    }
}

/// Values are milliseconds of CPU time throughout.
struct Milliseconds;

impl ValueFormatter for Milliseconds {
    fn scale_values(&self, _: f64, _: &mut [f64]) -> &'static str {
        "ms CPU"
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, _: &mut [f64]) -> &'static str {
        "ms CPU"
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "ms"
    }
}

/// A room with a blackbody, as text of a scenario.
fn room((width, height): (usize, usize)) -> String {
    format!(
        "name = \"bench\"\nseed = 11\nduration_s = 25.0\n\
         [sensor]\nwidth = {width}\nheight = {height}\nfps = {FPS}.0\nfield_of_view_deg = 57.0\n\
         [blackbody]\nset_point_c = 37.0\nx = 0.08\ny = 0.85\ndiameter = 0.08\n"
    )
}

/// Two people who come up to the camera and stay.
fn scenario(size: (usize, usize)) -> Scenario {
    let person = |lateral: f64| {
        format!(
            "[[visitor]]\narrive_s = 0.2\nenter = \"far\"\nwalk_s = 2.0\nstand_s = 20.0\n\
             distance_m = 0.9\nlateral_m = {lateral}\ncore_c = 36.6\n"
        )
    };
    let text = format!("{}{}{}", room(size), person(-0.2), person(0.2));
    Scenario::from_toml(&text).expect("a scenario")
}

/// Frames of a scenario: so many to settle in, then so many to measure with.
fn film(scenario: Scenario) -> (Vec<RawFrame>, Vec<RawFrame>) {
    let mut camera = Simulator::new(scenario, BootId(0), WallTime(0));
    let mut frames =
        std::iter::from_fn(|| camera.next_frame().expect("no fault is in the scenario"));
    let walk_in = frames.by_ref().take(WALK_IN).collect();
    let film: Vec<RawFrame> = frames.take(FILM).collect();
    assert_eq!(film.len(), FILM);
    (walk_in, film)
}

fn settings() -> RadiometerSettings {
    RadiometerSettings::default()
}

/// All stages while nobody is there: most frames are not searched, once a second one is.
fn empty_lobby(
    criterion: &mut Criterion<ThreadCpu>,
    detector: &mut OnnxDetector,
    size: (usize, usize),
) {
    let scenario = Scenario::from_toml(&room(size)).expect("a scenario");
    let (before, film) = film(scenario);
    let mut pipeline = Pipeline::new(settings(), Rules::default(), detector);
    for frame in &before {
        pipeline.step(frame);
    }
    let mut raw = Film::from(film, WALK_IN);
    criterion.bench_function(&format!("empty/{}x{}", size.0, size.1), |bench| {
        bench.iter_batched_ref(
            || raw.take(),
            |frame| black_box(pipeline.step(frame)),
            BatchSize::PerIteration,
        );
    });
    let seen = raw.next as u64;
    let skipped = pipeline.skipped();
    assert!(2 * skipped > seen, "{size:?}: {skipped} of {seen} skipped");
}

/// A film of frames to take one by one, each with a new number and time.
struct Film<T> {
    frames: Vec<T>,
    next: usize,
}

trait Numbered: Clone {
    fn number(&mut self, number: usize);
}

fn moment(number: usize) -> Duration {
    Duration::from_secs(1) / FPS * u32::try_from(number).expect("a short run")
}

impl Numbered for RawFrame {
    fn number(&mut self, number: usize) {
        (self.sequence, self.stamp.monotonic) = (number as u64, moment(number));
    }
}

impl Numbered for (ThermalFrame, Vec<Face>) {
    fn number(&mut self, number: usize) {
        (self.0.sequence, self.0.stamp.monotonic) = (number as u64, moment(number));
    }
}

impl<T: Numbered> Film<T> {
    /// Numbers go on from here.
    fn from(frames: Vec<T>, next: usize) -> Self {
        Self { frames, next }
    }

    fn take(&mut self) -> T {
        let mut frame = self.frames[self.next % self.frames.len()].clone();
        frame.number(self.next);
        self.next += 1;
        frame
    }
}

fn stages(criterion: &mut Criterion<ThreadCpu>, detector: &mut OnnxDetector) {
    for size in SIZES {
        let (walk_in, film) = film(scenario(size));
        let mut radiometer = Radiometer::new(settings());
        for frame in &walk_in {
            radiometer.step(frame);
        }
        let mut seen = Vec::new();
        for frame in &film {
            let thermal = radiometer.step(frame);
            assert_eq!(thermal.health, FrameHealth::Good, "{size:?}");
            let faces = detector.detect(&thermal).expect("the network runs");
            assert_eq!(faces.len(), 2, "{size:?}: not just two people are found");
            seen.push((thermal, faces));
        }

        let name = format!("{}x{}", size.0, size.1);
        let from = WALK_IN + FILM;
        let mut raw = Film::from(film, from);
        criterion.bench_function(&format!("radiometer/{name}"), |bench| {
            bench.iter_batched_ref(
                || raw.take(),
                |frame| black_box(radiometer.step(frame)),
                BatchSize::PerIteration,
            );
        });
        let mut thermal = Film::from(seen, from);
        criterion.bench_function(&format!("detector/{name}"), |bench| {
            bench.iter_batched_ref(
                || thermal.take().0,
                |frame| black_box(detector.detect(frame)),
                BatchSize::PerIteration,
            );
        });
        criterion.bench_function(&format!("finder/{name}"), |bench| {
            bench.iter_batched_ref(
                || thermal.take().0,
                |frame| black_box(detector.find(frame).map(<[_]>::len)),
                BatchSize::PerIteration,
            );
        });
        criterion.bench_function(&format!("closer/{name}"), |bench| {
            bench.iter_batched_ref(
                || {
                    let (frame, faces) = thermal.take();
                    let (area, score) = (faces[0].area, faces[0].score);
                    (frame, Candidate { area, score })
                },
                |(frame, candidate)| black_box(detector.look_closer(frame, candidate)),
                BatchSize::PerIteration,
            );
        });
        let mut screener = Screener::new(Rules::default());
        criterion.bench_function(&format!("screener/{name}"), |bench| {
            bench.iter_batched_ref(
                || thermal.take(),
                |(frame, faces)| black_box(screener.step(frame, faces)),
                BatchSize::PerIteration,
            );
        });
        assert_eq!(screener.people().len(), 2, "{size:?}: somebody was lost");
        let mut pipeline = Pipeline::new(settings(), Rules::default(), &mut *detector);
        for frame in &walk_in {
            pipeline.step(frame);
        }
        raw.next = WALK_IN;
        criterion.bench_function(&format!("pipeline/{name}"), |bench| {
            bench.iter_batched_ref(
                || raw.take(),
                |frame| black_box(pipeline.step(frame)),
                BatchSize::PerIteration,
            );
        });
        assert_eq!(pipeline.people().len(), 2, "{size:?}: somebody was lost");
        empty_lobby(criterion, detector, size);
    }
}

fn main() {
    let mut detector = OnnxDetector::built_in().expect("the built-in network");
    detector.worker().run(move || {
        let mut criterion = Criterion::default()
            .with_measurement(ThreadCpu)
            .sample_size(20)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(4))
            .configure_from_args();
        stages(&mut criterion, &mut detector);
        criterion.final_summary();
    });
}
