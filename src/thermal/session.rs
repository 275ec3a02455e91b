//! A calibration on site: what the camera reads of a blackbody at one set point after the other.
//!
//! Somebody sets the blackbody, and waits. [`Watch`] looks at every frame until the reference has
//! been steady for long enough, and then says what was read. An uncooled camera's level wanders by
//! tenths of a kelvin in the minutes between two set points, for all pixels alike; so what is
//! compared is the reference **above the scene**, in which that cancels: the walls stay as they
//! are. [`Session::readings`] therefore gives what would have been read had the level stayed where it
//! was at the first set point, and the slope of that is the camera's gain
//! ([`Calibration::gain`](super::profile::Calibration::gain)): a one-point offset in every frame
//! mends any level, but no slope.
//!
//! Nothing here waits or reads a clock: frames carry their time.

use super::frame::{RawFrame, ReferenceView};
use super::radiometry::CountScale;
use super::reference::{ReferenceSettings, ReferenceState, ReferenceTracker};
use super::room::seen_in;
use crate::clock::{Stamp, WallTime};
use crate::units::{Celsius, ReferenceTemperature, TemperatureDelta};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a reference must be steady, where nobody says otherwise.
pub const STEADY_FOR: Duration = Duration::from_mins(1);

/// Most that the means of a twelfth of the time may differ by, K. A quarter of the uncertainty that a
/// good certificate states for the set point (0.2 K).
pub const STEADY_WITHIN_K: f64 = 0.05;

/// Parts into which the time is cut: 5 s of a minute, some 45 frames of a Lepton.
const PARTS: usize = 12;

/// Least frames in each part.
const FRAMES_IN_PART: usize = 3;

/// What one set point came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Temperature to which the blackbody was set.
    pub set_point: ReferenceTemperature,
    /// What this one read, uncorrected: mean of all frames.
    pub reading: Celsius,
    /// What it read of the scene, uncorrected, mean.
    pub scene: Celsius,
    /// The reference above the scene, mean.
    pub above_scene: TemperatureDelta,
    /// Standard deviation of the readings of single frames, K: the noise of the disc's median.
    pub noise: TemperatureDelta,
    /// Standard deviation within the disc, mean: its evenness, and the noise of a pixel.
    pub spread: TemperatureDelta,
    /// Frames.
    pub frames: u32,
    /// When it was steady.
    pub at: WallTime,
}

/// How far a set point has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// No reference is seen, or none that reads like this set point.
    NotInView,
    /// It is seen, but not yet steady.
    Watching {
        /// What it reads now, uncorrected.
        reading: Celsius,
        /// That, above the scene.
        above_scene: TemperatureDelta,
        /// How long it has been seen without a break.
        watched: Duration,
        /// By how much it moved against the scene in that time, at most the time that is asked for.
        moved: TemperatureDelta,
    },
    /// Done.
    Steady(Point),
}

/// One frame's reading.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Stamp,
    reading: f64,
    scene: f64,
    spread: f64,
}

/// Looks at frames until the reference is steady at one set point.
#[derive(Clone, Debug)]
pub struct Watch {
    settings: ReferenceSettings,
    scale: CountScale,
    steady_for: Duration,
    tracker: ReferenceTracker,
    samples: VecDeque<Sample>,
}

impl Watch {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(settings: ReferenceSettings, scale: CountScale, steady_for: Duration) -> Self {
        Self {
            settings,
            scale,
            steady_for,
            tracker: ReferenceTracker::new(settings),
            samples: VecDeque::new(),
        }
    }

    /// One frame.
    pub fn step(&mut self, raw: &RawFrame) -> Progress {
        let celsius = raw.counts.mapv(|count| self.scale.celsius(count));
        let view = match self.tracker.step(&celsius) {
            ReferenceState::InView(view) => view,
            ReferenceState::Searching | ReferenceState::Lost => {
                self.samples.clear();
                return Progress::NotInView;
            }
        };
        let Some(scene) = seen_in(&celsius) else {
            return Progress::NotInView;
        };
        self.take(raw.stamp, &view, scene);
        self.progress(&view)
    }

    /// Forgets what was seen, but not where the reference is.
    fn begin_anew(&mut self) {
        self.samples.clear();
    }

    fn take(&mut self, at: Stamp, view: &ReferenceView, scene: f64) {
        let unbroken = |last: &Sample| at.since(&last.at).is_some();
        if !self.samples.back().is_none_or(unbroken) {
            // The clock was started anew: what was before has no place in time.
            self.samples.clear();
        }
        self.samples.push_back(Sample {
            at,
            reading: view.reading.degrees(),
            scene,
            spread: view.spread.kelvin(),
        });
        while self
            .samples
            .get(1)
            .is_some_and(|second| at.since(&second.at).is_none_or(|d| d >= self.steady_for))
        {
            self.samples.pop_front();
        }
    }

    fn progress(&self, view: &ReferenceView) -> Progress {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return Progress::NotInView;
        };
        let watched = last.at.since(&first.at).unwrap_or_default();
        let moved = self.moved(first.at);
        let watching = Progress::Watching {
            reading: view.reading.0,
            above_scene: TemperatureDelta::new(last.reading - last.scene)
                .unwrap_or(TemperatureDelta::ZERO),
            watched,
            moved: moved
                .and_then(TemperatureDelta::new)
                .unwrap_or(TemperatureDelta::ZERO),
        };
        let steady = moved.is_some_and(|kelvin| kelvin <= STEADY_WITHIN_K);
        if watched < self.steady_for || !steady {
            return watching;
        }
        self.point(last.at.wall).map_or(watching, Progress::Steady)
    }

    /// Largest difference of the parts' means above the scene, K. `None` while a part is too empty.
    fn moved(&self, start: Stamp) -> Option<f64> {
        let part = self.steady_for.as_secs_f64() / PARTS as f64;
        let (mut sums, mut counts) = ([0.0; PARTS], [0_usize; PARTS]);
        for sample in &self.samples {
            let since = sample.at.since(&start)?.as_secs_f64();
            let at = ((since / part) as usize).min(PARTS - 1);
            sums[at] += sample.reading - sample.scene;
            counts[at] += 1;
        }
        let seen = counts.iter().rposition(|count| *count > 0)?;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (sum, count) in sums.iter().zip(counts).take(seen + 1) {
            if count < FRAMES_IN_PART {
                return None;
            }
            let mean = sum / count as f64;
            low = low.min(mean);
            high = high.max(mean);
        }
        Some(high - low)
    }

    fn point(&self, at: WallTime) -> Option<Point> {
        let n = self.samples.len() as f64;
        let mean = |of: fn(&Sample) -> f64| self.samples.iter().map(of).sum::<f64>() / n;
        let above = mean(|s| s.reading - s.scene);
        let squares = self.samples.iter();
        let squares = squares.map(|s| (s.reading - s.scene - above).powi(2));
        Some(Point {
            set_point: self.settings.set_point,
            reading: Celsius::new(mean(|s| s.reading))?,
            scene: Celsius::new(mean(|s| s.scene))?,
            above_scene: TemperatureDelta::new(above)?,
            noise: TemperatureDelta::new((squares.sum::<f64>() / n).sqrt())?,
            spread: TemperatureDelta::new(mean(|s| s.spread))?,
            frames: u32::try_from(self.samples.len()).unwrap_or(u32::MAX),
            at,
        })
    }
}

/// Share of the way to the next set point that the reading must have gone before it counts as being
/// on its way: more than a controller's ripple, less than any camera's gain makes of it.
const ON_ITS_WAY: f64 = 0.5;

/// How far a calibration has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// The blackbody still reads as at the set point before.
    SetBlackbody,
    /// At the present set point; a point that is steady now was kept.
    At(Progress),
    /// All set points are done.
    Done,
}

/// One set point after the other.
#[derive(Clone, Debug)]
pub struct Session {
    waiting: VecDeque<Watch>,
    points: Vec<Point>,
}

impl Session {
    /// These set points, in this order.
    #[must_use]
    pub fn new(set_points: &[ReferenceSettings], scale: CountScale, steady_for: Duration) -> Self {
        let watch = |settings: &ReferenceSettings| Watch::new(*settings, scale, steady_for);
        Self {
            waiting: set_points.iter().map(watch).collect(),
            points: Vec::new(),
        }
    }

    /// What the camera read at the set points that are done, uncorrected, had its level stayed where
    /// it was at the first of them.
    pub fn readings(&self) -> impl Iterator<Item = (&Point, ReferenceTemperature)> {
        let level = self.points.first().map(|point| point.scene);
        self.points.iter().filter_map(move |point| {
            Some((point, ReferenceTemperature(level? + point.above_scene)))
        })
    }

    /// What is done.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// One frame.
    pub fn step(&mut self, raw: &RawFrame) -> Stage {
        let Some(watch) = self.waiting.front_mut() else {
            return Stage::Done;
        };
        let progress = watch.step(raw);
        if let (Progress::Watching { above_scene, .. }, Some(last)) = (progress, self.points.last())
        {
            let ReferenceTemperature(wanted) = watch.settings.set_point;
            let ReferenceTemperature(before) = last.set_point;
            let whole = (wanted - before).kelvin();
            let gone = above_scene.kelvin() - last.above_scene.kelvin();
            if gone * whole.signum() < ON_ITS_WAY * whole.abs() {
                watch.begin_anew();
                return Stage::SetBlackbody;
            }
        }
        if let Progress::Steady(point) = progress {
            self.points.push(point);
            self.waiting.pop_front();
        }
        Stage::At(progress)
    }
}

#[cfg(test)]
mod tests;
