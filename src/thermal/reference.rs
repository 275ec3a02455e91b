//! The blackbody in view: found by what it looks like, followed by where it stands.
//!
//! An uncooled camera has no absolute temperature of its own: its level wanders by kelvins over a
//! day and steps at every shutter event, for scene and reference alike (measured on 58 real
//! recordings: −5…+1 K). So the reference must be seen in every frame that is measured.
//!
//! A reference is a disc (`disc`) that does not move. Until it has been seen at one place in
//! [`FRAMES_TO_LOCK`] frames nothing is believed; once it is locked, each frame asks whether it is
//! still there, uncovered and even. A reference that moved is searched anew. Where there are two of
//! them, see `pair`.

use super::disc::{Disc, discs, inspect};
use super::frame::{ReferenceFlaw, ReferenceQuality, ReferenceView};
use super::radiometry::Emissivity;
use crate::units::{
    Celsius, PixelPoint, ReferenceTemperature, StandardUncertainty, TemperatureDelta,
};
use ndarray::Array2;

/// What is known of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceSettings {
    /// Temperature that its controller holds, of its surface.
    pub set_point: ReferenceTemperature,
    /// The same of the second one, where there are two in view. All else holds for both.
    pub second_set_point: Option<ReferenceTemperature>,
    /// Of its surface; 1 where the set point is already given as apparent temperature.
    pub emissivity: Emissivity,
    /// Standard uncertainty of the set point (certificate and uniformity).
    pub u_set_point: StandardUncertainty,
    /// How far away it stands, m; `None`: as far as the faces.
    pub distance_m: Option<f64>,
}

impl Default for ReferenceSettings {
    /// A blackbody at 37 °C whose maker has put the emissivity into the set point, as most do.
    fn default() -> Self {
        Self {
            set_point: ReferenceTemperature(Celsius::literal(37.0)),
            second_set_point: None,
            emissivity: Emissivity::BLACKBODY,
            u_set_point: StandardUncertainty::literal(0.1),
            distance_m: None,
        }
    }
}

impl ReferenceSettings {
    /// Both set points, the lower one first; `None` where there is one.
    #[must_use]
    pub fn both(&self) -> Option<[ReferenceTemperature; 2]> {
        let second = self.second_set_point?;
        Some(if second.0 < self.set_point.0 {
            [second, self.set_point]
        } else {
            [self.set_point, second]
        })
    }
}

/// Least distance of two set points, K: over less, a steadiness of 0.05 K makes more than 2 % of the
/// gain.
pub const LEAST_SPAN_K: f64 = 2.0;

/// Frames in which a candidate must be seen at one place before it is believed.
pub const FRAMES_TO_LOCK: u32 = 5;

/// How far below or above its set point an uncorrected camera may read the reference, K
/// (measured: −5.1…+1.1 K over 58 recordings; with margin).
pub(super) const READING_RANGE_K: (f32, f32) = (-9.0, 5.0);

/// Frames without the reference after which it is searched elsewhere, too.
pub(super) const FRAMES_TO_SEARCH_AGAIN: u32 = 9;

/// Frames in which a reference that was found elsewhere is said to have been moved: 5 s.
const FRAMES_TO_SAY_IT_MOVED: u32 = 45;

/// What one frame says of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceState {
    /// Never locked since the start.
    Searching,
    /// In view, even, where it was.
    InView(ReferenceView),
    /// Was locked; now covered, uneven or gone.
    Lost,
}

/// Finds the reference and follows it, frame by frame.
#[derive(Clone, Debug)]
pub struct ReferenceTracker {
    set_point: f32,
    search: Search,
    locked: Option<Followed>,
}

impl ReferenceTracker {
    /// Nothing found yet.
    #[must_use]
    pub fn new(settings: ReferenceSettings) -> Self {
        Self {
            set_point: settings.set_point.degrees() as f32,
            search: Search::default(),
            locked: None,
        }
    }

    /// Looks at one uncorrected frame, °C.
    pub fn step(&mut self, celsius: &Array2<f32>) -> ReferenceState {
        let in_view =
            |view: Option<ReferenceView>| view.map_or(ReferenceState::Lost, ReferenceState::InView);
        if let Some(locked) = &mut self.locked {
            if let Some(disc) = locked.step(celsius, self.set_point) {
                self.search.forget();
                return in_view(locked.view(&disc, self.set_point));
            }
            if !locked.is_long_gone() {
                return ReferenceState::Lost;
            }
        }
        self.search.step(celsius, readings_of(self.set_point));
        let best = self
            .search
            .believed()
            .max_by(|a, b| a.quality().total_cmp(&b.quality()));
        match best {
            Some(disc) => {
                let followed = Followed::new(disc, self.locked.as_ref());
                let view = followed.view(&disc, self.set_point);
                self.locked = Some(followed);
                self.search.forget();
                in_view(view)
            }
            None if self.locked.is_some() => ReferenceState::Lost,
            None => ReferenceState::Searching,
        }
    }
}

/// What an uncorrected camera may read of a reference at this set point, °C.
pub(super) fn readings_of(set_point: f32) -> (f32, f32) {
    (set_point + READING_RANGE_K.0, set_point + READING_RANGE_K.1)
}

/// A reference that was found, and is followed where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    disc: Disc,
    lost_for: u32,
    /// For so many frames more it is said that it was moved.
    moved_for: u32,
}

impl Followed {
    /// Found here; `before`: what was followed until now.
    pub(super) fn new(disc: Disc, before: Option<&Self>) -> Self {
        let elsewhere = before.is_some_and(|was| !was.disc.is_at(&disc));
        let still = before.map_or(0, |was| was.moved_for);
        Self {
            disc,
            lost_for: 0,
            moved_for: if elsewhere {
                FRAMES_TO_SAY_IT_MOVED
            } else {
                still
            },
        }
    }

    pub(super) fn is_at(&self, disc: &Disc) -> bool {
        self.disc.is_at(disc)
    }

    /// Whether it has been gone for so long that it may stand elsewhere.
    pub(super) const fn is_long_gone(&self) -> bool {
        self.lost_for >= FRAMES_TO_SEARCH_AGAIN
    }

    /// The disc in this frame, unless it is covered, uneven or gone.
    pub(super) fn step(&mut self, celsius: &Array2<f32>, set_point: f32) -> Option<Disc> {
        let was = self.disc;
        let (coldest, hottest) = readings_of(set_point);
        let seen = inspect(celsius, was.x, was.y, was.radius, 0.5 * was.contrast)
            .filter(|disc| (coldest..=hottest).contains(&disc.reading));
        match &seen {
            Some(disc) => {
                self.lost_for = 0;
                self.moved_for = self.moved_for.saturating_sub(1);
                self.disc.contrast += 0.05 * (disc.contrast - was.contrast);
            }
            None => self.lost_for = self.lost_for.saturating_add(1),
        }
        seen
    }

    /// What is to be said of it.
    pub(super) fn view(&self, disc: &Disc, set_point: f32) -> Option<ReferenceView> {
        let off = disc.reading - set_point;
        let room = if off < 0.0 {
            READING_RANGE_K.0
        } else {
            READING_RANGE_K.1
        };
        // The farthest reading that real cameras had (5.1 K below) is nothing against it.
        let quality = ReferenceQuality::worst(&[
            (ReferenceFlaw::Occluded, disc.uncovered()),
            (
                ReferenceFlaw::Moved,
                if self.moved_for > 0 { 0.25 } else { 1.0 },
            ),
            (ReferenceFlaw::Unstable, disc.evenness()),
            (ReferenceFlaw::OffSetPoint, 2.0 * (1.0 - off / room)),
        ]);
        Some(ReferenceView {
            quality,
            centre: PixelPoint {
                x: disc.x,
                y: disc.y,
            },
            radius: disc.radius,
            reading: ReferenceTemperature(Celsius::new(f64::from(disc.reading))?),
            spread: TemperatureDelta::new(f64::from(disc.spread))?,
        })
    }
}

/// Discs that have been seen at one place in several frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    candidates: Vec<Candidate>,
}

/// A disc that was seen at one place in several frames.
#[derive(Clone, Debug)]
struct Candidate {
    disc: Disc,
    hits: u32,
    seen_now: bool,
}

impl Search {
    pub(super) fn forget(&mut self) {
        self.candidates.clear();
    }

    /// Discs that were seen often enough.
    pub(super) fn believed(&self) -> impl Iterator<Item = Disc> {
        self.candidates
            .iter()
            .filter(|candidate| candidate.hits >= FRAMES_TO_LOCK)
            .map(|candidate| candidate.disc)
    }

    /// Adds this frame's discs to the candidates, and drops those that it does not show.
    pub(super) fn step(&mut self, celsius: &Array2<f32>, readings: (f32, f32)) {
        for candidate in &mut self.candidates {
            candidate.seen_now = false;
        }
        for disc in discs(celsius, readings) {
            match self.candidates.iter_mut().find(|c| c.disc.is_at(&disc)) {
                Some(candidate) if candidate.seen_now => {
                    if disc.quality() > candidate.disc.quality() {
                        candidate.disc = disc;
                    }
                }
                Some(candidate) => {
                    candidate.disc = disc;
                    candidate.hits += 1;
                    candidate.seen_now = true;
                }
                None => self.candidates.push(Candidate {
                    disc,
                    hits: 1,
                    seen_now: true,
                }),
            }
        }
        self.candidates.retain(|candidate| candidate.seen_now);
    }
}

#[cfg(test)]
mod tests;
