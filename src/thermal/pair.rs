//! Two blackbodies in view: level and gain of the camera from both, in every frame.
//!
//! One reference mends a camera's level, but no gain: a camera that makes 1.03 K of each kelvin reads a
//! face 2 K below the reference 0.06 K too low, and one 4 K below it 0.12 K. Two mend both:
//!
//! `T = A + g · (R − R₀)`, `g = ΔA / ΔR`
//!
//! with A and ΔA the mean and the difference of what they look like by their set points, R₀ and ΔR the same
//! of what the camera reads of them. What scene and references share still cancels exactly, as A and R₀
//! are those of this very frame. Set one below and one above the warmest skin of faces (33 and 39 °C):
//! between them the certificates' errors weigh less than one alone, beyond them more.
//!
//! **Which is which.** The warmer disc is the one with the higher set point: a camera's level wanders by
//! kelvins, the order stays. Of several discs (a cup beside them) those two are taken whose difference
//! comes nearest to that of the set points.
//!
//! **Gain.** The mean of [`FIRST_FRAMES`] after the start and after each shutter event, which gives every
//! pixel another level; then followed within [`FOLLOW`]. A disc's reading has some 0.02 K of noise in a
//! frame, so over 2 K a frame's gain would have 1.4 %, and a face 2 K away 0.03 K. The mean of the first
//! frames has 0.3 % and 0.007 K, the followed one (some 10 000 frames) nothing that counts; with 6 K
//! between the set points it is a third of that.
//!
//! **What is refused.** After a one-point correction the second one must read its set point within
//! [`MOST_APART_K`], and the gain lie within [`GAINS`]: a camera beyond is broken, and a blackbody off its
//! set point is the likelier cause. Nor may the two move against each other by more than
//! [`MOST_PULL_K`]: one of them does not hold its temperature. Which one is not asked: nobody is judged. That both
//! fall together is for the watch over each of them to find.
//!
//! **With one of them left** (somebody stands before the other) the camera's level is that of the one,
//! and the gain is the last one, for at most [`ALONE_FOR`]. The gain of a camera moves within hours, so
//! that costs next to nothing; refusing at once would make two references the worse choice before a
//! queue. But what nobody checks any more is not sure for long: a coat that was hung over one of them
//! stays there, so then nobody is judged. Meanwhile the uncertainty is that of one set point and of a
//! gain between two certificates ([`Slope::Kept`]), never less than with both.

use super::disc::Disc;
use super::frame::{FrameHealth, ReferenceFlaw, ReferenceQuality, ReferenceView};
use super::path::Slope;
use super::reference::{Followed, Search, readings_of};
use super::watch::share;
use crate::clock::Stamp;
use crate::units::{Celsius, TemperatureDelta};
use ndarray::Array2;
use std::time::Duration;

/// Most by which the second one may be off its set point after a one-point correction, K.
const MOST_APART_K: f32 = 0.3;

/// Gains that are believed.
const GAINS: std::ops::RangeInclusive<f32> = 0.9..=1.1;

/// Most by which the two may move against each other, K.
const MOST_PULL_K: f32 = 0.1;

/// Below this they are believed again, K.
const BACK_WITHIN_K: f32 = 0.05;

/// How long one of them is enough. Longer than anybody stands before it, shorter than a coat hangs there.
const ALONE_FOR: Duration = Duration::from_mins(1);

/// How fast the gain is followed: a blackbody that is switched off moves by [`MOST_PULL_K`] long before.
const FOLLOW: Duration = Duration::from_mins(10);

/// Frames of which the first gain is the mean: 2 s.
const FIRST_FRAMES: f32 = 18.0;

/// How fast the difference itself is smoothed.
const SMOOTH: Duration = Duration::from_secs(1);

/// Longest time that one frame stands for.
const LONGEST_STEP: Duration = Duration::from_millis(500);

/// Differences of two discs that are taken for the references at all, of that of the set points. Wide, so
/// that a blackbody far off its set point is found, and it can be said what is wrong with it.
const LIKELY: std::ops::RangeInclusive<f32> = 0.5..=1.5;

/// What a frame is levelled by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    /// What the references look like from close by.
    pub(super) apparent: Celsius,
    /// What the camera reads there, uncorrected.
    pub(super) reading: Celsius,
    /// Kelvin of the scene for each kelvin that is read.
    pub(super) gain: f64,
    /// How that is known.
    pub(super) slope: Slope,
}

/// What one frame shows of both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sight {
    /// Each of them, the one with the lower set point first.
    pub(super) views: [Option<ReferenceView>; 2],
    /// What the frame is levelled by, where that can be said.
    pub(super) level: Option<Level>,
    /// What keeps it from being measured.
    pub(super) trouble: Option<FrameHealth>,
}

/// Finds both, follows them, and holds them against each other.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    set_points: [f32; 2],
    search: Search,
    followed: [Option<Followed>; 2],
    bond: Bond,
    /// Whether what they read fitted neither their set points nor what they read before.
    doubt: bool,
    /// For how long they have not been seen together.
    apart: Duration,
    last: Option<Stamp>,
}

impl Pair {
    /// Nothing found yet; the lower set point comes first.
    pub(super) fn new(set_points: [Celsius; 2]) -> Self {
        Self {
            set_points: set_points.map(|it| it.degrees() as f32),
            search: Search::default(),
            followed: [None; 2],
            bond: Bond::default(),
            doubt: false,
            apart: Duration::ZERO,
            last: None,
        }
    }

    /// A shutter event: every pixel gets another level.
    pub(super) fn shuttered(&mut self) {
        self.bond.learn_anew();
    }

    /// Looks at one uncorrected frame, °C; `apparent`: what they look like by their set points.
    pub(super) fn step(
        &mut self,
        now: Stamp,
        celsius: &Array2<f32>,
        apparent: [Celsius; 2],
    ) -> Sight {
        let step = self.last.and_then(|last| now.since(&last));
        let step = step.unwrap_or_default().min(LONGEST_STEP);
        self.last = Some(now);
        let discs = self.look(celsius);
        let span = (apparent[1] - apparent[0]).kelvin() as f32;
        if let [Some(low), Some(high)] = discs {
            self.apart = Duration::ZERO;
            self.bond.step(high.reading - low.reading, span, step);
            self.doubt = self.bond.pulls || !self.bond.fits(span);
        } else {
            self.apart += step;
        }
        let trouble = match discs {
            [Some(_), Some(_)] => self.doubt.then_some(FrameHealth::ReferencesDisagree),
            [None, None] if self.followed.iter().any(Option::is_none) => {
                Some(FrameHealth::Searching)
            }
            [None, None] => Some(FrameHealth::ReferenceLost),
            // What was wrong with the two is not mended by hiding one.
            [Some(_), None] | [None, Some(_)] => {
                (self.doubt || self.apart > ALONE_FOR).then_some(FrameHealth::ReferenceLost)
            }
        };
        Sight {
            views: self.views(discs, trouble),
            level: self.level(discs, apparent),
            trouble,
        }
    }

    fn views(
        &self,
        discs: [Option<Disc>; 2],
        trouble: Option<FrameHealth>,
    ) -> [Option<ReferenceView>; 2] {
        let mut views = [None; 2];
        for (n, view) in views.iter_mut().enumerate() {
            let seen = discs[n].zip(self.followed[n]);
            *view = seen.and_then(|(disc, followed)| followed.view(&disc, self.set_points[n]));
            if let (Some(view), Some(FrameHealth::ReferencesDisagree)) = (view, trouble) {
                view.quality = ReferenceQuality::worst(&[(ReferenceFlaw::OffSetPoint, 0.0)]);
            }
        }
        views
    }

    fn level(&self, discs: [Option<Disc>; 2], apparent: [Celsius; 2]) -> Option<Level> {
        let gain = f64::from(self.bond.gain()?);
        let span = apparent[1] - apparent[0];
        let read = |disc: Disc| Celsius::new(f64::from(disc.reading));
        let middle = |low: Celsius, high: Celsius| {
            TemperatureDelta::new(0.5 * (high - low).kelvin()).map(|half| low + half)
        };
        let (apparent, reading, slope) = match discs {
            [Some(low), Some(high)] => (
                middle(apparent[0], apparent[1])?,
                middle(read(low)?, read(high)?)?,
                Slope::Measured(span),
            ),
            [Some(low), None] => (apparent[0], read(low)?, Slope::Kept(span)),
            [None, Some(high)] => (apparent[1], read(high)?, Slope::Kept(span)),
            [None, None] => return None,
        };
        Some(Level {
            apparent,
            reading,
            gain,
            slope,
        })
    }

    /// Both discs of this frame, as far as they are seen.
    fn look(&mut self, celsius: &Array2<f32>) -> [Option<Disc>; 2] {
        let mut seen = [None; 2];
        for (n, seen) in seen.iter_mut().enumerate() {
            let followed = self.followed[n].as_mut();
            *seen = followed.and_then(|it| it.step(celsius, self.set_points[n]));
        }
        let both = seen.iter().all(Option::is_some);
        let gone = |it: &Option<Followed>| it.as_ref().is_none_or(Followed::is_long_gone);
        let in_doubt = both && self.doubt;
        if !in_doubt && (both || !self.followed.iter().any(gone)) {
            self.search.forget();
            return seen;
        }
        let [one, other] = self.set_points.map(readings_of);
        let readings = (one.0.min(other.0), one.1.max(other.1));
        self.search.step(celsius, readings);
        let found: Vec<Disc> = self.search.believed().collect();
        // What is there and not in doubt stays.
        let from = |seen: Option<Disc>| match seen {
            Some(disc) if !in_doubt => vec![disc],
            Some(disc) => found.iter().copied().chain([disc]).collect(),
            None => found.clone(),
        };
        let Some(best) = self.best(&from(seen[0]), &from(seen[1])) else {
            return seen;
        };
        for (n, disc) in best.into_iter().enumerate() {
            if !(seen[n].is_some() && self.followed[n].is_some_and(|it| it.is_at(&disc))) {
                self.followed[n] = Some(Followed::new(disc, self.followed[n].as_ref()));
                self.bond = Bond::default();
                seen[n] = Some(disc);
            }
        }
        seen
    }

    /// The two whose difference comes nearest to that of the set points.
    fn best(&self, first: &[Disc], second: &[Disc]) -> Option<[Disc; 2]> {
        let [low, high] = self.set_points;
        let wanted = high - low;
        let fits = |disc: &Disc, set_point: f32| {
            let (coldest, hottest) = readings_of(set_point);
            (coldest..=hottest).contains(&disc.reading)
        };
        let off = |[first, second]: &[Disc; 2]| (second.reading - first.reading - wanted).abs();
        first
            .iter()
            .filter(|disc| fits(disc, low))
            .flat_map(|&one| second.iter().map(move |&other| [one, other]))
            .filter(|[one, other]| {
                let share = (other.reading - one.reading) / wanted;
                fits(other, high) && LIKELY.contains(&share) && !one.is_at(other)
            })
            .min_by(|one, other| off(one).total_cmp(&off(other)))
    }
}

/// What the two read against each other.
#[derive(Clone, Debug, Default)]
struct Bond {
    /// Kelvin read for each kelvin between them.
    slope: Option<f32>,
    frames: f32,
    /// Their difference, smoothed, K.
    read: Option<f32>,
    /// Whether they move against each other.
    pulls: bool,
}

impl Bond {
    fn learn_anew(&mut self) {
        self.frames = 0.0;
        self.read = None;
    }

    fn gain(&self) -> Option<f32> {
        self.slope.map(|slope| 1.0 / slope)
    }

    /// The difference of the readings, and what it should be.
    fn step(&mut self, read: f32, span: f32, step: Duration) {
        let now = read / span;
        self.frames = (self.frames + 1.0).min(FIRST_FRAMES);
        let (Some(slope), Some(before)) = (self.slope, self.read) else {
            // After a shutter event the slope before holds until there is a better one.
            self.slope = self.slope.or(Some(now));
            self.read = Some(read);
            return;
        };
        let smooth = before + share(step, SMOOTH) * (read - before);
        self.read = Some(smooth);
        if self.frames < FIRST_FRAMES {
            self.slope = Some(slope + (now - slope) / self.frames);
            return;
        }
        let pull = (smooth - slope * span).abs();
        self.pulls = pull
            > if self.pulls {
                BACK_WITHIN_K
            } else {
                MOST_PULL_K
            };
        self.slope = Some(slope + share(step, FOLLOW) * (now - slope));
    }

    /// Whether a one-point correction puts the second one where it should be, and the gain is one that a
    /// camera has.
    fn fits(&self, span: f32) -> bool {
        let apart = self.read.map_or(0.0, |read| (read - span).abs());
        let steep = self.gain().is_some_and(|gain| GAINS.contains(&gain));
        steep && apart <= MOST_APART_K
    }
}

#[cfg(test)]
mod tests;
