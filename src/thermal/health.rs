//! Whether a frame may be measured: what the data themselves say, not a timer.
//!
//! After a shutter event (FFC) a Lepton's picture stops for about 2 s, steps by up to 0.6 K and
//! slides by up to 0.8 K in 10 s (measured on real recordings). The slide is common to scene and
//! reference, so it cancels; what must be waited for is that the reference reads steadily again.
//!
//! A camera that hangs sends the same picture again, or a part of it. That a picture differs by one
//! count only says nothing: in real recordings up to 79 % of all pixels do from frame to frame.
//!
//! A camera whose counts mean something else than its profile says shows a room of −193 °C (a
//! Lepton without TLinear: about 8000 counts of "0.01 K") or of 2700 °C. Every scale that is in
//! use, taken for another one, leaves [`ROOM_C`]; so half of the picture outside of it is enough.

use super::radiometry::CountScale;
use crate::clock::Stamp;
use crate::thermal::frame::RawFrame;
use crate::units::Celsius;
use ndarray::{Array2, ArrayView1};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
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

/// Temperatures that half of a picture of any room has, °C: from a gate in a Siberian winter to one
/// with the sun on its walls.
const ROOM_C: (Celsius, Celsius) = (Celsius::literal(-50.0), Celsius::literal(110.0));

/// What is wrong with a picture as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureFault {
    WrongSize,
    Blank,
    Frozen,
    Shutter,
    WrongScale,
}

/// Looks at raw frames for pictures that are none.
#[derive(Clone, Debug)]
pub(super) struct PictureCheck {
    /// Counts that stand for temperatures of a room.
    room: RangeInclusive<u16>,
    previous: Option<Array2<u16>>,
    /// The camera's own number of the previous frame.
    number: Option<u32>,
    /// Frames of another size than the previous one, in a row.
    strange: u32,
}

impl PictureCheck {
    pub(super) fn new(scale: CountScale) -> Self {
        Self {
            room: scale.count(ROOM_C.0)..=scale.count(ROOM_C.1),
            previous: None,
            number: None,
            strange: 0,
        }
    }

    pub(super) fn step(&mut self, raw: &RawFrame) -> Option<PictureFault> {
        let number = std::mem::replace(&mut self.number, raw.telemetry.frame);
        let again = number.is_some() && number == raw.telemetry.frame;
        let shuttered = raw.telemetry.shutter_closed == Some(true);
        if let Some(previous) = &self.previous {
            if previous.dim() != raw.counts.dim() {
                self.strange += 1;
                if self.strange < FRAMES_TO_BELIEVE_A_SIZE {
                    return Some(PictureFault::WrongSize);
                }
                self.previous = None;
            } else if shuttered {
                // A camera may well show its last picture while it looks at its shutter.
                return Some(PictureFault::Shutter);
            } else if again || hangs(previous, &raw.counts) {
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
        } else if shuttered {
            Some(PictureFault::Shutter)
        } else if is_no_room(&raw.counts, &self.room) {
            Some(PictureFault::WrongScale)
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

/// Half of the pixels are no temperature of a room.
fn is_no_room(counts: &Array2<u16>, room: &RangeInclusive<u16>) -> bool {
    let outside = counts.iter().filter(|count| !room.contains(count)).count();
    outside * 2 >= counts.len()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use crate::thermal::Telemetry;

    fn frame(counts: Array2<u16>, telemetry: Telemetry) -> RawFrame {
        RawFrame {
            stamp: Stamp {
                boot: BootId(1),
                monotonic: Duration::ZERO,
                wall: WallTime(0),
                trust: ClockTrust::Synchronised,
            },
            sequence: 0,
            counts,
            telemetry,
        }
    }

    /// A room of 22 °C with somebody in it, as this camera sends it.
    fn room(scale: CountScale, grain: u16) -> Array2<u16> {
        Array2::from_shape_fn((24, 32), |(row, col)| {
            let warm = (8..16).contains(&row) && (10..20).contains(&col);
            let celsius = Celsius::literal(if warm { 35.0 } else { 22.0 });
            let speckle = (row * 31 + col * 17 + usize::from(grain) * 7) % 3;
            scale.count(celsius) + speckle as u16
        })
    }

    #[test]
    fn every_scale_taken_for_another_one_is_noticed() {
        for sent in CountScale::ALL {
            for believed in CountScale::ALL {
                let fault =
                    PictureCheck::new(believed).step(&frame(room(sent, 0), Telemetry::default()));
                let expected = (sent != believed).then_some(PictureFault::WrongScale);
                assert_eq!(fault, expected, "{sent:?} taken for {believed:?}");
            }
        }
        // A Lepton without TLinear: 14 bits that are no temperature.
        let raw = Array2::from_shape_fn((24, 32), |(row, col)| 8_000 + (row * 32 + col) as u16);
        for believed in CountScale::ALL {
            let fault = PictureCheck::new(believed).step(&frame(raw.clone(), Telemetry::default()));
            assert_eq!(fault, Some(PictureFault::WrongScale), "{believed:?}");
        }
    }

    #[test]
    fn a_picture_that_stands_still_behind_the_shutter_is_no_fault() {
        let mut check = PictureCheck::new(CountScale::CentiKelvin);
        let still = room(CountScale::CentiKelvin, 0);
        let told = |closed: bool| Telemetry {
            shutter_closed: Some(closed),
            ..Telemetry::default()
        };
        assert_eq!(check.step(&frame(still.clone(), told(false))), None);
        assert_eq!(
            check.step(&frame(still.clone(), told(true))),
            Some(PictureFault::Shutter)
        );
        assert_eq!(
            check.step(&frame(still, told(false))),
            Some(PictureFault::Frozen)
        );
    }

    #[test]
    fn an_eighth_of_the_rows_or_columns_that_stands_still_is_a_camera_that_hangs() {
        let (before, now) = (
            room(CountScale::CentiKelvin, 0),
            room(CountScale::CentiKelvin, 1),
        );
        assert!(hangs(&before, &before) && !hangs(&before, &now));
        for (lines, stuck) in [(3, true), (2, false)] {
            let mut rows = now.clone();
            rows.slice_mut(ndarray::s![..lines, ..])
                .assign(&before.slice(ndarray::s![..lines, ..]));
            assert_eq!(hangs(&before, &rows), stuck, "{lines} of 24 rows");
        }
        for (lines, stuck) in [(4, true), (3, false)] {
            let mut columns = now.clone();
            columns
                .slice_mut(ndarray::s![.., ..lines])
                .assign(&before.slice(ndarray::s![.., ..lines]));
            assert_eq!(hangs(&before, &columns), stuck, "{lines} of 32 columns");
        }
    }

    #[test]
    fn another_size_is_believed_once_it_stays() {
        let mut check = PictureCheck::new(CountScale::CentiKelvin);
        let small = room(CountScale::CentiKelvin, 0);
        let large = Array2::from_shape_fn((30, 40), |(row, col)| small[[row % 24, col % 32]]);
        let mut step = |counts: &Array2<u16>, grain: u16| {
            check.step(&frame(counts.mapv(|it| it + grain), Telemetry::default()))
        };
        assert_eq!(step(&small, 0), None);
        for n in 1..FRAMES_TO_BELIEVE_A_SIZE {
            assert_eq!(step(&large, n as u16), Some(PictureFault::WrongSize));
        }
        assert_eq!(step(&large, 0), None);
        assert_eq!(step(&large, 1), None);
        assert_eq!(step(&small, 0), Some(PictureFault::WrongSize));
    }

    #[test]
    fn a_camera_that_begins_with_a_blank_picture_may_have_any_size_afterwards() {
        let mut check = PictureCheck::new(CountScale::CentiKelvin);
        let blank = frame(Array2::zeros((4, 4)), Telemetry::default());
        assert_eq!(check.step(&blank), Some(PictureFault::Blank));
        let room = frame(room(CountScale::CentiKelvin, 0), Telemetry::default());
        assert_eq!(check.step(&room), None);
    }

    #[test]
    fn a_frame_that_the_camera_sends_twice_is_an_old_one() {
        let mut check = PictureCheck::new(CountScale::CentiKelvin);
        let mut step = |grain: u16, number: Option<u32>| {
            let telemetry = Telemetry {
                frame: number,
                ..Telemetry::default()
            };
            check.step(&frame(room(CountScale::CentiKelvin, grain), telemetry))
        };
        assert_eq!(step(0, Some(7)), None);
        assert_eq!(step(1, Some(10)), None);
        // The same number over another picture: bytes were mixed up on the way.
        assert_eq!(step(2, Some(10)), Some(PictureFault::Frozen));
        assert_eq!(step(0, Some(13)), None);
        assert_eq!(step(1, None), None);
        assert_eq!(step(2, None), None);
    }
}
