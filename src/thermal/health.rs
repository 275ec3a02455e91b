//! Whether a frame may be measured: what the data themselves say, not a timer.
//!
//! After a shutter event (FFC) a Lepton's picture stops for about 2 s, steps by up to 0.6 K and
//! slides by up to 0.8 K in 10 s (measured on real recordings). The slide is common to scene and
//! reference, so it cancels; what must be waited for is that the reference reads steadily again.
//!
//! A camera that hangs sends the same picture again, or a part of it. That a picture differs by one
//! count only says nothing: in real recordings up to 79 % of all pixels do from frame to frame.

use crate::clock::Stamp;
use crate::thermal::frame::RawFrame;
use ndarray::{Array2, ArrayView1};
use std::collections::VecDeque;
use std::time::Duration;

/// How long the reference is watched for steadiness.
const STEADY_WINDOW: Duration = Duration::from_millis(900);

/// Most that the reference may move within [`STEADY_WINDOW`], K. Frame noise of its reading is
/// about 0.01 K; the slide after an FFC about 0.08 K/s, most of which cancels.
const STEADY_WITHIN_K: f32 = 0.12;

/// A break in the stream that means a shutter event on a camera that does not tell.
const GAP: Duration = Duration::from_millis(1200);

/// Frames of another size, in a row, after which that is the camera's size: it was set up anew, or
/// the first frame of all was the wrong one.
const FRAMES_TO_BELIEVE_A_SIZE: u32 = 9;

/// One in so many rows or columns that stand still makes a picture frozen.
const STUCK_PART: usize = 8;

/// What is wrong with a picture as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureFault {
    WrongSize,
    Blank,
    Frozen,
    Shutter,
}

/// Looks at raw frames for pictures that are none.
#[derive(Clone, Debug, Default)]
pub(super) struct PictureCheck {
    previous: Option<Array2<u16>>,
    /// Frames of another size than the previous one, in a row.
    strange: u32,
}

impl PictureCheck {
    pub(super) fn step(&mut self, raw: &RawFrame) -> Option<PictureFault> {
        if let Some(previous) = &self.previous {
            if previous.dim() != raw.counts.dim() {
                self.strange += 1;
                if self.strange < FRAMES_TO_BELIEVE_A_SIZE {
                    return Some(PictureFault::WrongSize);
                }
                self.previous = None;
            } else if hangs(previous, &raw.counts) {
                return Some(if is_blank(&raw.counts) {
                    PictureFault::Blank
                } else {
                    PictureFault::Frozen
                });
            }
        }
        self.strange = 0;
        let fault = if is_blank(&raw.counts) {
            Some(PictureFault::Blank)
        } else if raw.telemetry.shutter_closed == Some(true) {
            Some(PictureFault::Shutter)
        } else {
            None
        };
        match &mut self.previous {
            Some(previous) => previous.assign(&raw.counts),
            None if fault != Some(PictureFault::Blank) => self.previous = Some(raw.counts.clone()),
            None => {}
        }
        fault
    }
}

/// The whole picture again, or an eighth of its rows or columns: a part that was not read anew. In
/// 6943 pairs of frames of real cameras no row was ever the same twice.
fn hangs(before: &Array2<u16>, now: &Array2<u16>) -> bool {
    let again = |before: ArrayView1<'_, u16>, now: ArrayView1<'_, u16>| before == now;
    let same_rows = before.rows().into_iter().zip(now.rows());
    let same_cols = before.columns().into_iter().zip(now.columns());
    let rows = same_rows.filter(|(was, is)| again(*was, *is)).count();
    let cols = same_cols.filter(|(was, is)| again(*was, *is)).count();
    rows * STUCK_PART >= now.nrows() || cols * STUCK_PART >= now.ncols()
}

/// All pixels equal, or half of them at an end of the scale.
fn is_blank(counts: &Array2<u16>) -> bool {
    let Some(first) = counts.first() else {
        return true;
    };
    let ends = counts
        .iter()
        .filter(|c| **c == 0 || **c == u16::MAX)
        .count();
    ends * 2 >= counts.len() || counts.iter().all(|c| c == first)
}

/// Watches the reference's reading for steadiness.
#[derive(Clone, Debug, Default)]
pub(super) struct SteadyCheck {
    readings: VecDeque<(Stamp, f32)>,
    last_ffc: Option<Duration>,
    last: Option<Stamp>,
    /// A shutter event was seen, and the reading has not been steady since.
    shuttered: bool,
}

impl SteadyCheck {
    /// Call for every frame, whether it has a reading or not; true where the reading has been
    /// steady since the last shutter event.
    pub(super) fn step(&mut self, raw: &RawFrame, reading: Option<f32>) -> bool {
        let now = raw.stamp;
        let broken = self
            .last
            .is_some_and(|last| now.since(&last).is_none_or(|d| d > GAP));
        let shuttered = raw.telemetry.last_ffc != self.last_ffc && self.last.is_some();
        self.last = Some(now);
        self.last_ffc = raw.telemetry.last_ffc;
        if broken || shuttered {
            self.readings.clear();
            self.shuttered = true;
        }
        let Some(reading) = reading else {
            return false;
        };
        self.readings.push_back((now, reading));
        while self.readings.len() > 2
            && self
                .readings
                .get(1)
                .is_some_and(|(then, _)| now.since(then).is_none_or(|d| d >= STEADY_WINDOW))
        {
            self.readings.pop_front();
        }
        let Some((oldest, _)) = self.readings.front() else {
            return false;
        };
        let watched = now.since(oldest).is_some_and(|d| d >= STEADY_WINDOW);
        let low = self
            .readings
            .iter()
            .map(|(_, r)| *r)
            .fold(f32::INFINITY, f32::min);
        let high = self
            .readings
            .iter()
            .map(|(_, r)| *r)
            .fold(f32::NEG_INFINITY, f32::max);
        let steady = watched && high - low <= STEADY_WITHIN_K;
        self.shuttered &= !steady;
        steady
    }

    /// Whether what was seen last is still of a shutter event.
    pub(super) const fn is_shuttered(&self) -> bool {
        self.shuttered
    }
}
