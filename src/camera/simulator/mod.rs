//! A camera that is not there: a lobby, its visitors and the sensor that looks at them, computed.
//!
//! It exists so that everything behind the camera can be shown, tested and measured against a
//! truth that is known: a real face has no label that says 35.36 °C. Surfaces have temperatures,
//! the sensor sees them by the measurement equation (emissivity, reflected room), through a lens
//! and its noise, with the drift and the shutter of an uncooled camera on top.
//!
//! | part | says |
//! |---|---|
//! | [`scenario`] | what a lobby is made of: a TOML file |
//! | `motion`, `person` | where people are and how they are built |
//! | `head`, `solid`, `skin`, `worn` | a head in three dimensions and how warm it is where |
//! | `lobby`, `stage` | room, clutter, blackbody; all of it painted together |
//! | [`scenes`] | single frames drawn at random, for training and testing |
//! | `canvas`, `sensor`, `drift` | from surfaces to counts |
//! | [`truth`] | what is true in a frame |
//!
//! Nothing here blocks, sleeps, reads a clock or touches a disk. The same scenario with the same
//! seed gives the same frames, bit for bit, on every machine of one kind.

mod builtin;
mod canvas;
mod check;
mod drift;
mod head;
mod lobby;
mod motion;
mod noise;
mod person;
pub mod scenario;
pub mod scenes;
mod sensor;
mod skin;
mod solid;
mod stage;
pub mod truth;
mod worn;

pub use builtin::{builtin, builtin_names};
pub use person::{FEVER_CORE_C, core_of_face, face_of_core};
pub use scenario::{Facing, Scenario, ScenarioError};
pub use truth::{BlackbodyTruth, FrameTruth, PersonTruth, WireTruth};

use super::{Camera, CameraError, CameraInfo};
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::thermal::{RawFrame, ffc::FfcOrder, frame::Telemetry};
use crate::units::Celsius;
use canvas::Canvas;
use drift::CommonMode;
use ndarray::Array2;
use noise::{mix, seed_of};
use person::Person;
use scenario::Fault;
use sensor::Detector;
use stage::Stage;
use std::time::Duration;

/// How long a silent camera is waited for before it is said to be silent, s.
const SILENCE_S: f64 = 1.0;

/// A scenario as a camera.
#[derive(Debug)]
pub struct Simulator {
    scenario: Scenario,
    info: CameraInfo,
    boot: BootId,
    start: WallTime,
    ambient: Celsius,
    stage: Stage,
    common: CommonMode,
    detector: Detector,
    people: Vec<Person>,
    /// The round that `people` were drawn for.
    round: u64,
    /// Frame times that have passed, whether or not a frame came of them.
    ticks: u64,
    sequence: u64,
    scene: Canvas,
    pixels: Vec<f32>,
    last: Option<(Array2<u16>, FrameTruth)>,
}

/// One moment of the simulated time.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// Since the start, s.
    time: f64,
    /// Which round, from 0.
    round: u64,
    /// Since the start of the round, s.
    in_round: f64,
}

impl Simulator {
    /// A camera in this lobby. `start` is the wall clock's time of the first frame; frames are
    /// stamped with simulated time from there, as fast as they are asked for.
    #[must_use]
    pub fn new(scenario: Scenario, boot: BootId, start: WallTime) -> Self {
        let (width, height) = (scenario.sensor.width, scenario.sensor.height);
        let size = (width as f32, height as f32);
        let seed = scenario.seed;
        let ambient = Celsius::new(scenario.room.ambient_c).unwrap_or(Celsius::literal(22.0));
        let mut room = Canvas::new(width, height, ambient.degrees() as f32);
        let room_seed = seed_of(seed, 0x0a) as u32;
        lobby::paint_room(&mut room, &scenario.room, size, room_seed);
        let blackbodies = [&scenario.blackbody, &scenario.second_blackbody].map(Option::as_ref);
        let stage = Stage::new(&scenario.sensor, ambient, room, blackbodies, room_seed);
        let mut simulator = Self {
            info: CameraInfo {
                name: format!("simulator {}", scenario.name),
                width,
                height,
                fps: scenario.sensor.fps,
                scale: sensor::SCALE,
            },
            boot,
            start,
            ambient,
            scene: stage.canvas(),
            stage,
            common: CommonMode::new(
                &scenario.drift,
                scenario.ffc.as_ref(),
                scenario.repeat.then_some(scenario.duration_s),
                seed,
            ),
            detector: Detector::new(&scenario.sensor, ambient, seed),
            people: Vec::new(),
            round: 0,
            ticks: 0,
            sequence: 0,
            pixels: Vec::new(),
            last: None,
            scenario,
        };
        simulator.invite(0);
        simulator
    }

    /// What is true in the frame that was given last; `None` before the first.
    #[must_use]
    pub fn truth_of_last_frame(&self) -> Option<&FrameTruth> {
        self.last.as_ref().map(|(_, truth)| truth)
    }

    /// The next frame and what is true in it.
    ///
    /// # Errors
    /// As [`Camera::next_frame`].
    pub fn next_with_truth(&mut self) -> Result<Option<(RawFrame, FrameTruth)>, CameraError> {
        let Some(frame) = self.next_frame()? else {
            return Ok(None);
        };
        Ok(self.last.as_ref().map(|(_, truth)| (frame, truth.clone())))
    }

    /// Draws the visitors of a round.
    fn invite(&mut self, round: u64) {
        self.round = round;
        let (seed, view) = (self.scenario.seed, self.stage.view);
        let ambient = self.ambient.degrees();
        let visitor = |(index, wanted): (usize, &scenario::Visitor)| {
            let id = (round as u32)
                .wrapping_mul(1000)
                .wrapping_add(index as u32 + 1);
            let own = person::seed_of_visitor(seed, round, index);
            Person::new(id, wanted, ambient, view, own)
        };
        self.people = self
            .scenario
            .visitors
            .iter()
            .enumerate()
            .map(visitor)
            .collect();
    }

    /// The moment of a tick; `None` after the scenario's end.
    fn moment(&self, tick: u64) -> Option<Moment> {
        let time = tick as f64 / self.scenario.sensor.fps;
        let round = (time / self.scenario.duration_s) as u64;
        if round > 0 && !self.scenario.repeat {
            return None;
        }
        Some(Moment {
            time,
            round,
            in_round: time - round as f64 * self.scenario.duration_s,
        })
    }

    fn stamp(&self, moment: Moment) -> Stamp {
        let jumps: f64 = self
            .scenario
            .faults
            .iter()
            .filter_map(|fault| match fault {
                Fault::ClockJump { at_s, by_s } => {
                    let times = moment.round + u64::from(moment.in_round >= *at_s);
                    Some(by_s * times as f64)
                }
                _ => None,
            })
            .sum();
        let milliseconds = ((moment.time + jumps) * 1e3).round() as i64;
        Stamp {
            boot: self.boot,
            monotonic: seconds(moment.time),
            wall: WallTime(self.start.0.saturating_add(milliseconds)),
            trust: ClockTrust::Synchronised,
        }
    }

    /// The fault in force at this second of the round.
    fn fault(&self, in_round: f64) -> Option<&Fault> {
        self.scenario.faults.iter().find(|fault| match fault {
            Fault::Freeze { at_s, for_s }
            | Fault::Blank { at_s, for_s }
            | Fault::Silent { at_s, for_s } => (*at_s..at_s + for_s).contains(&in_round),
            Fault::ClockJump { .. } => false,
        })
    }

    /// Paints the scene and says what is true in it.
    fn paint(&mut self, moment: Moment, offset_k: f64) -> FrameTruth {
        let time = moment.in_round as f32;
        let people = self
            .people
            .iter()
            .filter_map(|person| person.pose(time).map(|pose| (pose, person)));
        FrameTruth {
            sequence: self.sequence,
            offset_k,
            ..self.stage.paint(&mut self.scene, people, moment.in_round)
        }
    }

    /// The picture of this moment, with what is true in it.
    fn expose(&mut self, moment: Moment, tick: u64) -> (Array2<u16>, FrameTruth) {
        let offset_k = self.common.at(moment.time);
        let mut truth = self.paint(moment, offset_k);
        let fault = self.fault(moment.in_round).cloned();
        match (fault, &self.last) {
            (Some(Fault::Freeze { .. }), Some((counts, _))) => {
                truth.fault = Some("frozen");
                return (counts.clone(), truth);
            }
            (Some(Fault::Blank { .. }), _) => {
                truth.fault = Some("blank");
                let size = (self.info.height, self.info.width);
                return (Array2::zeros(size), truth);
            }
            _ => {}
        }
        self.scene.reduce_into(&mut self.pixels);
        let seed = mix(seed_of(self.scenario.seed, 0x0e).wrapping_add(tick));
        let counts = self
            .detector
            .expose(&mut self.pixels, offset_k as f32, seed);
        (counts, truth)
    }
}

impl Camera for Simulator {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    /// Does not wait: simulated time passes as fast as frames are asked for. `Silent` passes one
    /// second of it.
    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        let (tick, moment) = loop {
            let Some(moment) = self.moment(self.ticks) else {
                return Ok(None);
            };
            if let Some(Fault::Silent { .. }) = self.fault(moment.in_round) {
                self.ticks += (SILENCE_S * self.info.fps).ceil() as u64;
                self.detector.forget();
                return Err(CameraError::Silent {
                    device: self.info.name.clone(),
                    milliseconds: (SILENCE_S * 1e3) as u64,
                });
            }
            let tick = self.ticks;
            self.ticks += 1;
            if !self.common.in_gap(moment.time) {
                break (tick, moment);
            }
            self.detector.forget();
        };
        if moment.round != self.round {
            self.invite(moment.round);
        }
        let (counts, truth) = self.expose(moment, tick);
        let ambient = self.ambient.degrees();
        // The housing warms up within some ten minutes; the array runs a little above it.
        let warm = 7.0 - 3.0 * (-moment.time / 500.0).exp();
        let frame = RawFrame {
            stamp: self.stamp(moment),
            sequence: self.sequence,
            counts: counts.clone(),
            telemetry: Telemetry {
                time_on: Some(seconds(moment.time)),
                last_ffc: self.common.last_ffc(moment.time).map(seconds),
                shutter_closed: Some(false),
                fpa: Celsius::new(ambient + warm + 1.5),
                housing: Celsius::new(ambient + warm),
                ..Telemetry::default()
            },
        };
        self.sequence += 1;
        self.last = Some((counts, truth));
        Ok(Some(frame))
    }

    fn damaged(&self) -> u64 {
        0
    }

    /// Its scenario says when that closes.
    fn shutter(&mut self, _: FfcOrder) {}
}

fn seconds(time: f64) -> Duration {
    Duration::from_nanos((time.max(0.0) * 1e9).round() as u64)
}
