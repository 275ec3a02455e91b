//! Whether the blackbody still has the temperature that it had: its reading against the scene.
//!
//! A blackbody that is switched off, or whose controller fails, cools slowly: its disc stays where it
//! is, even and sharp, and every face would read too warm by as much as it has lost. What gives it
//! away is the scene. Walls and floor keep their temperature for minutes, and what the camera adds is
//! common to both, so `scene − reference` stands still, through drift and shutter alike. It is looked
//! at in blocks, each against its own slow baseline. Blocks that agree are asked, and what three of five
//! of them show at least is taken: what the blackbody loses all of them show, while people who walk
//! through, a door's draught and a lamp move some.
//!
//! **How early.** In 51 real recordings of 5 to 50 s, in which nobody touched the blackbody, this moves
//! by 0.03 K (root mean square), at most 0.09 K upwards and 0.11 K downwards: [`FALLS_K`] and [`RISES_K`] are
//! just beyond. With a decay of 15 K in 15 min added to the same recordings, 0.13 K are lost on average
//! before it is seen, 0.17 K in one of ten; the middle of all blocks, with the 0.15 K that it needs, takes
//! 0.16 and 0.21 K. Quicker smoothing, other shares and 0.08 K were tried and are no better. What would be is the
//! rise within six seconds in place of the deviation itself: 0.08 and 0.11 K, on the same recordings
//! (`calibration/README.md`); it is not built. Until then the deviation goes with each frame, and widens the
//! uncertainty of what is read in it ([`LevelledBy::moved`](super::path::LevelledBy::moved)).
//!
//! A room that warms or cools as a whole by less than that in [`BASELINE`] is followed; what a blackbody
//! loses more slowly cannot be told from it, and is not seen. Where nothing of the scene can be asked,
//! because somebody fills the picture, the watch is blind, and after [`BLIND_FOR`] nobody is judged.

use crate::clock::Stamp;
use ndarray::Array2;
use std::time::Duration;

/// Blocks along each side of the picture.
const BLOCKS: usize = 12;

/// How fast the baseline follows: 1 K an hour, a room that is being heated, stays below the
/// tolerance.
const BASELINE: Duration = Duration::from_mins(8);

/// How long a block must be away from the others, by a person or a chair, until it gets a new baseline:
/// all at once, as one that crept there would soon be asked again and say something wrong.
const RELEARN: Duration = Duration::from_secs(30);

/// How fast the deviation itself is smoothed.
const SMOOTH: Duration = Duration::from_secs(1);

/// Most that a block may differ from the others, K, to be asked.
const AGREES_K: f32 = 0.3;

/// Share of the blocks that must agree for anything to be said: the rest may be people, who are kelvins
/// away and so never agree by chance. With a half, the watch was blind in up to 85 % of the frames of a
/// real recording; with a fifth, in none of 51.
const QUORUM: f32 = 0.2;

/// How much the least of the blocks that are asked is left out by: see the module.
const LEFT_OUT: f32 = 0.4;

/// How long nothing of the scene need be seen before the blackbody is not believed any more. Longer than
/// somebody walks past close by; in it, one that was switched off loses less than 0.1 K.
const BLIND_FOR: Duration = Duration::from_secs(5);

/// Share of the blocks that must agree on another deviation at once: all of them would if it was the
/// blackbody, and somebody close by may fill half of the picture.
const MAJORITY: f32 = 0.75;

/// By how much a blackbody may fall against the scene, K: beyond, it is unstable. Faces then read too
/// warm by as much.
const FALLS_K: f32 = 0.10;

/// By how much it may rise, or the scene fall, K.
const RISES_K: f32 = 0.125;

/// Deviation below which an unstable one is believed again, K.
const BACK_WITHIN_K: f32 = 0.05;

/// A blackbody that warmed up, or a room that went another way for good, is believed again after it
/// has stood within [`BACK_WITHIN_K`] for so long.
const CALM: Duration = Duration::from_mins(2);

/// A blackbody that stands lower than before by more than this is not believed again by itself, K.
const LOST_FOR_GOOD_K: f32 = 0.3;

/// Longest time that one frame stands for.
const LONGEST_STEP: Duration = Duration::from_millis(500);

/// Frames of which the first baseline is the mean.
const FIRST_FRAMES: f32 = 18.0;

/// Follows one blackbody.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// `block − reference` as it was, K.
    baseline: Vec<f32>,
    /// For how long each block has been away from the others, s.
    away: Vec<f32>,
    frames: f32,
    /// How far the scene has risen over the reference since, K.
    deviation: f32,
    unstable: bool,
    /// For how long nothing of the scene could be asked.
    blind: Duration,
    /// In this very frame nearly all of the scene is away from the reference, before smoothing.
    jumped: bool,
    last: Option<Stamp>,
    /// Since when the deviation has been near which value.
    calm: Option<(Stamp, f32)>,
}

impl Watch {
    /// Forgets everything: another blackbody, or another place.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How far the reference has fallen below where it was, against the scene, K.
    pub(super) const fn deviation(&self) -> f32 {
        self.deviation
    }

    /// What is left of what is borne, 1 to 0.
    pub(super) fn left(&self) -> f32 {
        if self.unstable || self.is_blind() {
            0.0
        } else {
            1.0 - used(self.deviation)
        }
    }

    fn is_blind(&self) -> bool {
        self.blind > BLIND_FOR
    }

    /// Whether nearly all of the scene is away from the reference in the last frame: it is not waited
    /// for the smoothed deviation.
    pub(super) const fn has_jumped(&self) -> bool {
        self.jumped
    }

    /// Looks at a frame in which the reference reads this; `shuttered`: a shutter event settles.
    /// False where the blackbody is unstable, or nothing of the scene is left to say whether it is.
    pub(super) fn step(
        &mut self,
        now: Stamp,
        celsius: &Array2<f32>,
        reading: f32,
        shuttered: bool,
    ) -> bool {
        let step = self.last.and_then(|last| now.since(&last));
        self.last = Some(now);
        self.jumped = false;
        if shuttered {
            // Until it has settled; then every block goes on from where the deviation was, as the
            // shutter gives each pixel another level.
            self.calm = None;
            self.frames = 0.0;
            return !self.unstable;
        }
        let blocks = blocks(celsius, reading);
        if self.baseline.len() != blocks.len() || self.frames == 0.0 {
            self.baseline = blocks.iter().map(|now| now - self.deviation).collect();
            self.away = vec![0.0; blocks.len()];
            self.frames = 1.0;
            return !self.unstable;
        }
        let step = step.unwrap_or_default().min(LONGEST_STEP);
        self.compare(&blocks, step);
        self.judge(now);
        !self.unstable && !self.is_blind()
    }

    fn compare(&mut self, blocks: &[f32], step: Duration) {
        let away = |(now, was): (&f32, &f32)| now - was;
        let agrees = |away: f32, deviation: f32| (away - deviation).abs() < AGREES_K;
        let enough = MAJORITY * blocks.len() as f32;
        let mut all: Vec<f32> = blocks.iter().zip(&self.baseline).map(away).collect();
        let mut asked: Vec<f32> = all
            .iter()
            .copied()
            .filter(|&it| agrees(it, self.deviation))
            .collect();
        if (asked.len() as f32) < QUORUM * all.len() as f32 {
            // Most of the scene went another way at once: that was the reference.
            let common = middle(&mut all).unwrap_or(self.deviation);
            all.retain(|&it| agrees(it, common));
            asked = all;
            if (asked.len() as f32) < enough {
                asked.clear();
            }
        }
        let Some(now) = shared(&mut asked) else {
            // Nothing is learned either: who fills the picture is no scene.
            self.blind += step;
            return;
        };
        self.blind = Duration::ZERO;
        self.jumped = used(now) > 1.0 && asked.len() as f32 >= enough;
        self.deviation += share(step, SMOOTH) * (now - self.deviation);
        self.frames = (self.frames + 1.0).min(FIRST_FRAMES);
        let learning = self.frames < FIRST_FRAMES;
        let deviation = self.deviation;
        let followed = self.baseline.iter_mut().zip(&mut self.away);
        for (now, (was, away_s)) in blocks.iter().zip(followed) {
            let off = now - *was;
            if !agrees(off, deviation) {
                *away_s += step.as_secs_f32();
                if *away_s > RELEARN.as_secs_f32() {
                    *was = now - deviation;
                    *away_s = 0.0;
                }
                continue;
            }
            *away_s = 0.0;
            if learning {
                *was += (off - deviation) / self.frames;
            } else if !self.unstable {
                *was += share(step, BASELINE) * off;
            }
        }
    }

    fn judge(&mut self, now: Stamp) {
        let off = self.deviation;
        if !self.unstable {
            self.unstable = used(off) > 1.0;
            self.calm = None;
            return;
        }
        if off.abs() < BACK_WITHIN_K {
            self.unstable = false;
            return;
        }
        let (since, near) = *self.calm.get_or_insert((now, off));
        if (off - near).abs() > BACK_WITHIN_K {
            self.calm = Some((now, off));
        } else if now.since(&since).is_some_and(|calm| calm >= CALM) && off < LOST_FOR_GOOD_K {
            self.unstable = false;
            self.deviation = 0.0;
            self.frames = 0.0;
        }
    }
}

/// How much of what is borne a deviation uses up; over 1 is too much.
fn used(deviation: f32) -> f32 {
    (deviation / FALLS_K).max(-deviation / RISES_K)
}

/// What most of these show at least, up or down; nothing where they are of two minds. Reorders them.
fn shared(values: &mut [f32]) -> Option<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let left_out = (values.len() as f32 * LEFT_OUT) as usize;
    let (least, most) = (*values.get(left_out)?, values[values.len() - 1 - left_out]);
    Some(if least > 0.0 { least } else { most.min(0.0) })
}

/// The middle value; reorders the slice.
fn middle(values: &mut [f32]) -> Option<f32> {
    let at = values.len() / 2;
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, f32::total_cmp).1)
}

/// Share of a way that is gone in a step, where all of it takes about so long.
pub(super) fn share(step: Duration, whole: Duration) -> f32 {
    1.0 - (-step.as_secs_f32() / whole.as_secs_f32()).exp()
}

/// Mean of each block, less the reference's reading. Of a large picture every second or fourth pixel
/// is plenty.
fn blocks(celsius: &Array2<f32>, reading: f32) -> Vec<f32> {
    let (rows, cols) = (celsius.nrows() / BLOCKS, celsius.ncols() / BLOCKS);
    if rows == 0 || cols == 0 {
        return Vec::new();
    }
    let stride = (rows.min(cols) / 8).max(1);
    let mut means = Vec::with_capacity(BLOCKS * BLOCKS);
    for down in 0..BLOCKS {
        for right in 0..BLOCKS {
            let block = celsius.slice(ndarray::s![
                down * rows..(down + 1) * rows; stride,
                right * cols..(right + 1) * cols; stride
            ]);
            means.push(block.sum() / block.len() as f32 - reading);
        }
    }
    means
}

#[cfg(test)]
mod tests;
