//! Relative mode: what to compare a face with where there is no reference.
//!
//! Without a blackbody the camera's level is not known to a kelvin, and wanders. But it is the same
//! for everybody, and nearly everybody is healthy: so the people before are the reference. What is
//! kept of them is a time, an estimate and a [level](Level), never a picture; who they were is not known.
//!
//! **Who counts.** The newest [`MOST_PEOPLE`] within [`WINDOW`], and at least [`PEOPLE_NEEDED`] of
//! them: a median of ten adds 0.13 K of noise to each reading, one of a hundred nothing that can be
//! seen (clinical data). With fewer nobody is judged. Whoever raised an alert, was unsteady or just
//! in from the cold is not learned from. A window that ends after an hour forgets the morning's room
//! and the morning's camera.
//!
//! **Robust.** The middle is the median, so one in ten may be feverish. A wave of feverish people who
//! stay just below the alarm could still carry it upwards. So it is never above what the lowest
//! twentieth says the median of healthy people is (their standard deviation is known, [`SPREAD`]): where
//! every second person is feverish, that moves by 0.15 K, and by chance by 0.25 K (simulated; the lowest
//! tenth: 0.18 and 0.34 K). And the rate is
//! limited: newer people raise what the older half says by [`MOST_RAISED`] at most.
//!
//! **Drift.** A camera's own drift and its steps after a shutter event move walls and faces alike;
//! a room that warms up, or an open door, moves the walls alone. The picture cannot say which. So the
//! walls are a weak anchor: from the plain median of what was read, the middle follows them upwards by
//! [`MOST_RAISED`] at most and downwards by [`STEP`], a shutter event's. What the walls say beyond is added to the uncertainty. Too low a
//! middle makes alarms, too high a one misses fevers: hence the difference.
//!
//! **Unsettled.** While the level moves faster than a lobby can, nobody is looked at, and for as long
//! as it has not been watched after a shutter event or a gap.
//!
//! What remains: a drift upwards beyond what can be followed raises false alarms; a person who walks
//! past ten times is ten people; a building in which more than half of all people are feverish looks
//! healthy, up to the limit of [`MOST_RAISED`] over the site's own threshold; and a room that warms up
//! in the same hour hides the half of an outbreak that the walls no longer speak against.

use super::Obstacle;
use super::rules::MOST_RAISED;
use crate::clock::Stamp;
use crate::estimate::{Basis, BodyEstimate, Part, Reading, Transfer};
use crate::thermal::ThermalFrame;
use crate::units::{Celsius, StandardUncertainty, TemperatureDelta};
use std::collections::VecDeque;
use std::time::Duration;

/// People without whom nobody is judged.
pub const PEOPLE_NEEDED: usize = 100;

/// People that count at most: in a busy lobby the newest twenty minutes say more than the hour.
const MOST_PEOPLE: usize = 200;

/// How long somebody counts.
const WINDOW: Duration = Duration::from_hours(1);

/// Standard deviation of the estimate in healthy people, K: 0.36 (FLIR) and 0.43 (ICI), counted as
/// those of [`HEALTHY`](super::rules::HEALTHY).
const SPREAD: f64 = 0.40;

/// Share of the people that says where the median of healthy people is.
const LOWEST: f64 = 0.05;

/// The lowest twentieth of a normal distribution lies so many standard deviations below its median.
const LOWEST_BELOW: f64 = 1.6449;

/// Standard error of that twentieth over the standard deviation by the root of the number of people:
/// √(0.05 · 0.95) over the density there, 0.1031; that of a median is 1.25.
const ERROR_OF_LOWEST: f64 = 2.11;

/// Step of a Lepton's level at a shutter event, K (real recordings: up to 0.6).
const STEP: f64 = 0.6;

/// How long the level is watched before it is believed.
const WATCHED_FOR: Duration = Duration::from_secs(3);

/// Most that it may move in that time, K: half the step of a shutter event, and three times what
/// somebody does who walks into the picture.
const STEADY_WITHIN: f64 = 0.3;

/// A break in the stream that means a shutter event on a camera that does not tell.
const GAP: Duration = Duration::from_millis(1200);

/// Share of the coldest pixels at whose upper end the level is read: walls and floor, not people.
const COLD_SHARE: f64 = 0.25;

/// The word for what readings are measured against, on the wire and in JSON.
#[must_use]
pub const fn basis_word(is_relative: bool) -> &'static str {
    if is_relative {
        "population"
    } else {
        "reference"
    }
}

/// How far a reading lies above the people before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Estimate less their median: all that means anything in relative mode.
    pub above: TemperatureDelta,
    /// Their median, as the camera reads it.
    pub median: Celsius,
    /// How many they are.
    pub people: u32,
}

impl Difference {
    /// Of a reading in relative mode; `None` where there is a reference.
    #[must_use]
    pub fn of(reading: &Reading) -> Option<Self> {
        match reading.basis {
            Basis::Reference => None,
            Basis::Population { people, median } => Some(Self {
                above: reading.estimate.value - median,
                median,
                people,
            }),
        }
    }
}

/// What people are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// How many people.
    pub people: u32,
    /// Middle of their estimates, as the camera reads it now.
    pub median: Celsius,
    /// How sure that is.
    pub u: StandardUncertainty,
}

impl Baseline {
    /// The basis of a reading that is compared with it.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        Basis::Population {
            people: self.people,
            median: self.median,
        }
    }

    /// A reading made relative to it: the same value, on another basis, less sure.
    pub(super) fn relate(&self, reading: Reading, transfer: &Transfer) -> Reading {
        let budget = reading.budget.with(Part::Reference, self.u.kelvin());
        Reading {
            estimate: BodyEstimate {
                value: reading.estimate.value,
                u: budget.body(transfer.k),
            },
            basis: self.basis(),
            budget,
            ..reading
        }
    }
}

/// One person who was measured and not alarmed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    /// When they were last seen.
    pub(super) at: Stamp,
    /// Their estimate, as the camera read it.
    pub(super) estimate: Celsius,
    /// The level of the picture then.
    pub(super) level: Level,
}

/// What the walls read, uncorrected: it moves with the camera, and with the room.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Level(pub(super) Celsius);

impl Level {
    /// Of one frame.
    fn of(frame: &ThermalFrame) -> Option<Self> {
        // Every fifth pixel in both directions is plenty for a quantile.
        let rows = frame.celsius.slice(ndarray::s![..;5, ..;5]);
        let mut sample: Vec<f64> = rows.iter().map(|c| f64::from(*c)).collect();
        quantile(&mut sample, COLD_SHARE)
            .and_then(Celsius::new)
            .map(Self)
    }
}

/// The people before, and the level of the camera.
#[derive(Clone, Debug, Default)]
pub(super) struct Population {
    seen: VecDeque<Seen>,
    watched: VecDeque<(Stamp, Level)>,
    /// Time of the latest frame.
    now: Option<Stamp>,
}

impl Population {
    /// One frame of a camera without reference: its level, or why it is not to be measured.
    ///
    /// # Errors
    /// [`Obstacle::Settling`] while the level has not been steady for long enough.
    pub(super) fn watch(&mut self, frame: &ThermalFrame) -> Result<Level, Obstacle> {
        let now = frame.stamp;
        if let Some(last) = self.now.replace(now) {
            let passed = now.since(&last);
            if passed.is_none() {
                // The clock jumped: nothing is known of when the people before were here.
                self.seen.clear();
            }
            if passed.is_none_or(|time| time > GAP) {
                self.watched.clear();
            }
        }
        let level = Level::of(frame).ok_or(Obstacle::Settling)?;
        self.watched.push_back((now, level));
        let long_ago = |then: &Stamp| now.since(then).is_none_or(|d| d >= WATCHED_FOR);
        while self.watched.get(1).is_some_and(|(then, _)| long_ago(then)) {
            self.watched.pop_front();
        }
        let watched = self.watched.front().is_some_and(|(then, _)| long_ago(then));
        let moved = |(_, other): &(Stamp, Level)| (level.0 - other.0).kelvin().abs();
        if watched && self.watched.iter().map(moved).all(|k| k <= STEADY_WITHIN) {
            Ok(level)
        } else {
            Err(Obstacle::Settling)
        }
    }

    /// A frame without a picture: what follows is to be watched anew.
    pub(super) fn blind(&mut self) {
        self.watched.clear();
    }

    /// One person more; nobody who left before the clock jumped.
    pub(super) fn learn(&mut self, seen: Seen) {
        if self.now.is_none_or(|now| now.since(&seen.at).is_none()) {
            return;
        }
        self.seen.push_back(seen);
        if self.seen.len() > MOST_PEOPLE {
            self.seen.pop_front();
        }
    }

    /// People that count now.
    pub(super) fn people(&self, now: &Stamp) -> usize {
        self.seen.iter().filter(|seen| counts(seen, now)).count()
    }

    /// What to compare somebody with who is seen now, at this level; `None` while too few people
    /// were seen.
    pub(super) fn baseline(&self, now: &Stamp, level: Level) -> Option<Baseline> {
        let seen: Vec<Seen> = self.seen.iter().copied().collect();
        baseline(&seen, now, level)
    }
}

fn counts(seen: &Seen, now: &Stamp) -> bool {
    now.since(&seen.at).is_some_and(|age| age <= WINDOW)
}

/// The baseline of these people, in whatever order they stand.
fn baseline(seen: &[Seen], now: &Stamp, level: Level) -> Option<Baseline> {
    let mut seen: Vec<Seen> = seen.iter().copied().filter(|it| counts(it, now)).collect();
    if seen.len() < PEOPLE_NEEDED {
        return None;
    }
    seen.sort_by(|a, b| {
        let when = a.at.monotonic.cmp(&b.at.monotonic);
        // Who left in the same instant is ordered by value, so that nothing depends on the order.
        when.then(a.estimate.degrees().total_cmp(&b.estimate.degrees()))
    });
    let mut read: Vec<f64> = seen.iter().map(|it| it.estimate.degrees()).collect();
    let above: Vec<f64> = seen
        .iter()
        .map(|it| (it.estimate - it.level.0).kelvin())
        .collect();
    let alone = quantile(&mut read, 0.5)?;
    let middle_above = middle(&above)?;
    let anchored = middle_above + level.0.degrees();
    let median = anchored.clamp(alone - STEP, alone + MOST_RAISED.kelvin());
    let mut away: Vec<f64> = above.iter().map(|it| (it - middle_above).abs()).collect();
    let deviation = 1.4826 * quantile(&mut away, 0.5)?;
    let rectangular = |half: f64| half / 3_f64.sqrt();
    Some(Baseline {
        people: u32::try_from(seen.len()).unwrap_or(u32::MAX),
        median: Celsius::new(median)?,
        u: StandardUncertainty::combined(&[
            ERROR_OF_LOWEST * deviation / (seen.len() as f64).sqrt(),
            // Whether it was the room or the camera that moved is not known.
            rectangular(MOST_RAISED.kelvin()),
            rectangular(anchored - median),
        ]),
    })
}

/// The middle of values in the order of their time, as robust as the page above says.
fn middle(values: &[f64]) -> Option<f64> {
    let mut all = values.to_vec();
    let median = quantile(&mut all, 0.5)?;
    let healthy = quantile(&mut all, LOWEST)? + LOWEST_BELOW * SPREAD;
    let older = quantile(&mut values[..values.len() / 2].to_vec(), 0.5)?;
    Some(median.min(healthy).min(older + MOST_RAISED.kelvin()))
}

/// The value below which this share of the values lies.
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    let at = (values.len() as f64 * share) as usize;
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, f64::total_cmp).1)
}

#[cfg(test)]
mod tests;
