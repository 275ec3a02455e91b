//! The stages in a row: one frame in, events out.
//!
//! [`Pipeline`] is the one door to the core: the running gateway, `menshen replay`, the golden
//! tests and the benchmarks all come in here, so that what was tested is what runs.

pub mod attended;
pub mod capture;
#[cfg(test)]
mod fake;
mod fault_board;
pub mod gateway;
pub mod outlets;
pub mod pace;
mod people;
mod pulse;
pub mod recorder;
pub mod replay;
mod rounds;
pub mod screening_loop;
pub mod sights;
pub mod slot;
pub mod source;
mod threads;
mod upkeep;
pub mod watch;

use crate::clock::{Stamp, WallTime};
use crate::event::{Event, Fault};
use crate::face::gate::Gated;
use crate::face::{Detector, DetectorError, Face};
use crate::screening::{Person, Rules, Screener, Standing};
use crate::thermal::{Radiometer, RadiometerSettings, RawFrame, SelfChecker, ThermalFrame};

/// Time before a calibration runs out from which on this is said: two weeks, ms.
const WARN_MS: i64 = 14 * WallTime::DAY_MS;

/// What came of one frame.
#[derive(Debug)]
pub struct Step {
    /// The frame in degrees, with its health.
    pub thermal: ThermalFrame,
    /// Faces in it; none are searched where there is no picture.
    pub faces: Vec<Face>,
    /// What happened.
    pub events: Vec<Event>,
    /// The detector's failure, where it failed; the frame then counts as without faces.
    pub detector: Option<DetectorError>,
}

/// Radiometer, detector and screener in a row. The detector is not asked where a frame is as empty
/// as the last one.
pub struct Pipeline<D> {
    radiometer: Radiometer,
    detector: Gated<D>,
    screener: Screener,
    self_check: SelfChecker,
    /// Whether the latest self-check had a complaint.
    out_of_order: bool,
    calibration_expires: Option<WallTime>,
    /// Whether it was said that the calibration is due.
    due: bool,
}

impl<D: Detector> Pipeline<D> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(settings: RadiometerSettings, rules: Rules, detector: D) -> Self {
        Self {
            radiometer: Radiometer::new(settings),
            detector: Gated::new(detector),
            screener: Screener::new(rules),
            self_check: SelfChecker::default(),
            out_of_order: false,
            calibration_expires: settings.calibration_expires,
            due: false,
        }
    }

    /// One frame, through all stages.
    pub fn step(&mut self, raw: &RawFrame) -> Step {
        let thermal = self.radiometer.step(raw);
        let (faces, detector) = if thermal.health.has_picture() {
            match self.detector.detect(&thermal) {
                Ok(faces) => (faces, None),
                Err(error) => (Vec::new(), Some(error)),
            }
        } else {
            (Vec::new(), None)
        };
        let mut events = self.screener.step(&thermal, &faces);
        events.extend(self.check(&thermal));
        events.extend(self.calibration(thermal.stamp));
        Step {
            thermal,
            faces,
            events,
            detector,
        }
    }

    /// The daily self-check, and the fault that it raises or clears.
    fn check(&mut self, thermal: &ThermalFrame) -> Vec<Event> {
        let Some(found) = self.self_check.step(thermal) else {
            return Vec::new();
        };
        let (at, fault) = (thermal.stamp, Fault::SelfCheckFailed);
        let mut events = vec![Event::SelfChecked { found, at }];
        match (self.out_of_order, found.complaint.is_some()) {
            (false, true) => events.push(Event::FaultRaised { fault, at }),
            (true, false) => events.push(Event::FaultCleared { fault, at }),
            (true, true) | (false, false) => {}
        }
        self.out_of_order = found.complaint.is_some();
        events
    }

    /// Says when the calibration is due, and when it is not any more: expired, or the clock was set.
    fn calibration(&mut self, at: Stamp) -> Option<Event> {
        let expires = self.calibration_expires?;
        let due = (expires.0.saturating_sub(WARN_MS)..expires.0).contains(&at.wall.0);
        if due == self.due {
            return None;
        }
        self.due = due;
        let fault = Fault::CalibrationDue;
        Some(if due {
            Event::FaultRaised { fault, at }
        } else {
            Event::FaultCleared { fault, at }
        })
    }

    /// When the camera's calibration runs out; `None` where it has none.
    #[must_use]
    pub const fn calibration_expires(&self) -> Option<WallTime> {
        self.calibration_expires
    }

    /// Nothing more will come.
    pub fn finish(&mut self) -> Vec<Event> {
        self.screener.finish()
    }

    /// Frames for which the detector was not asked.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.detector.skipped()
    }

    /// How far relative mode has come.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.screener.standing()
    }

    /// Who is before the camera now.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.screener.people()
    }
}
