//! An empty lobby costs next to nothing.
//!
//! Where the networks have just found nobody, and nothing in the picture has changed since,
//! they would find nothing again, so they are not asked. Nobody may be hidden by that, so it is
//! done only where there is no doubt: the frame is good and as large as the last one, nothing in the
//! last search was even nearly a face, no block of the picture has become warmer or colder by more
//! than a quarter of a kelvin, and less than a second has passed. In every other case the
//! networks run.
//!
//! Changes are taken against the frame that was searched last, not against the previous one: who
//! comes slowly adds up. What changes the whole picture at once, such as the camera's drift, is
//! left out by taking away the median change of all blocks.

use super::{Detector, DetectorError, Face};
use crate::clock::Stamp;
use crate::thermal::{FrameHealth, ThermalFrame};
use ndarray::Array2;
use std::time::Duration;

/// Side of a block, pixels. A face of 12 pixels, the smallest that is looked for, covers more than
/// half of at least one block wherever it stands.
const BLOCK: usize = 8;

/// Largest change of a block's mean that is none, K. The noise of a Lepton's pixel is about
/// 0.05 K, that of the mean of 64 about 0.006 K; with what slides across its picture from second to
/// second 0.25 K leaves an empty lobby alone, and a face, 5 K or more above a wall, changes a block
/// that it half covers by ten times as much.
const LARGEST_CHANGE_K: f32 = 0.25;

/// Longest time without a search: it bounds how late somebody can be noticed whom nothing above
/// gives away.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// A detector that is asked only where something may have changed.
#[derive(Clone, Debug)]
pub struct Gated<D> {
    detector: D,
    /// When and in what size the detector was last sure of nobody; `None` where it was not, failed
    /// or was never asked.
    empty: Option<(Stamp, (usize, usize))>,
    /// Means of the blocks of the frame that was searched last, °C.
    searched: Vec<f32>,
    /// The same of the frame at hand.
    means: Vec<f32>,
    /// Changes of the blocks, K: memory that is used again.
    changes: Vec<f32>,
    skipped: u64,
}

impl<D> Gated<D> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(detector: D) -> Self {
        Self {
            detector,
            empty: None,
            searched: Vec::new(),
            means: Vec::new(),
            changes: Vec::new(),
            skipped: 0,
        }
    }

    /// Frames for which the detector was not asked.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether there can be nothing in this frame, whose blocks' means are at hand.
    fn is_still_empty(&mut self, frame: &ThermalFrame) -> bool {
        let Some((since, size)) = self.empty else {
            return false;
        };
        frame.health == FrameHealth::Good
            && frame.celsius.dim() == size
            && frame
                .stamp
                .since(&since)
                .is_some_and(|rest| rest < LONGEST_REST)
            && self.nothing_changed()
    }

    /// Whether no block changed by more than the whole picture did.
    fn nothing_changed(&mut self) -> bool {
        self.changes.clear();
        let pairs = self.means.iter().zip(&self.searched);
        self.changes.extend(pairs.map(|(now, then)| now - then));
        let middle = self.changes.len() / 2;
        if self.changes.is_empty() {
            return false;
        }
        let common = *self
            .changes
            .select_nth_unstable_by(middle, f32::total_cmp)
            .1;
        self.changes
            .iter()
            .all(|change| (change - common).abs() <= LARGEST_CHANGE_K)
    }
}

impl<D: Detector> Detector for Gated<D> {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        block_means(&frame.celsius, &mut self.means);
        if self.is_still_empty(frame) {
            self.skipped += 1;
            return Ok(Vec::new());
        }
        self.empty = None;
        let faces = self.detector.detect(frame)?;
        if faces.is_empty() && self.detector.is_sure_of_nobody() {
            self.empty = Some((frame.stamp, frame.celsius.dim()));
            std::mem::swap(&mut self.searched, &mut self.means);
        }
        Ok(faces)
    }

    /// Of the frame that was searched last: where this one was not searched, that one was empty.
    fn is_sure_of_nobody(&self) -> bool {
        self.detector.is_sure_of_nobody()
    }
}

/// The mean of each block; those at the right and lower edge may be smaller.
fn block_means(celsius: &Array2<f32>, means: &mut Vec<f32>) {
    means.clear();
    means.extend(
        celsius
            .axis_chunks_iter(ndarray::Axis(0), BLOCK)
            .flat_map(|rows| {
                let blocks = rows.ncols().div_ceil(BLOCK);
                (0..blocks).map(move |block| {
                    let first = block * BLOCK;
                    let end = (first + BLOCK).min(rows.ncols());
                    let part = rows.slice(ndarray::s![.., first..end]);
                    part.sum() / part.len() as f32
                })
            }),
    );
}

#[cfg(test)]
mod tests;
