//! The last seconds of a film, in memory only.
//!
//! Whoever sees something odd at the gate can keep what led to it, without recording everybody all
//! day: what is not asked for is overwritten and never touches the disk.

use crate::thermal::RawFrame;
use std::collections::VecDeque;
use std::time::Duration;

/// Most memory that it takes, whatever is asked for: 13 min of 160 × 120 or 45 s of 640 × 512, both at
/// 9 frames a second.
const MOST_BYTES: usize = 256 << 20;

/// The newest frames.
#[derive(Debug)]
pub struct Ring {
    keep: Duration,
    most_bytes: usize,
    bytes: usize,
    frames: VecDeque<RawFrame>,
}

impl Ring {
    /// Keeps so much.
    #[must_use]
    pub fn new(keep: Duration) -> Self {
        Self {
            keep,
            most_bytes: MOST_BYTES,
            bytes: 0,
            frames: VecDeque::new(),
        }
    }

    /// Adds a frame, and forgets those that are too old or too many.
    pub fn push(&mut self, frame: RawFrame) {
        let now = frame.stamp;
        self.bytes += size(&frame);
        self.frames.push_back(frame);
        while let Some(oldest) = self.frames.front() {
            let too_old = now.since(&oldest.stamp).is_none_or(|age| age > self.keep);
            if !too_old && self.bytes <= self.most_bytes {
                break;
            }
            self.bytes -= size(oldest);
            self.frames.pop_front();
        }
    }

    /// What there is, oldest first; nothing is there afterwards, so that nothing is kept twice.
    pub fn take(&mut self) -> VecDeque<RawFrame> {
        self.bytes = 0;
        std::mem::take(&mut self.frames)
    }
}

fn size(frame: &RawFrame) -> usize {
    frame.counts.len() * size_of::<u16>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
    use crate::thermal::Telemetry;
    use ndarray::Array2;

    fn frame(sequence: u64, milliseconds: u64) -> RawFrame {
        RawFrame {
            stamp: Stamp {
                boot: BootId(1),
                monotonic: Duration::from_millis(milliseconds),
                wall: WallTime(0),
                trust: ClockTrust::Synchronised,
            },
            sequence,
            counts: Array2::zeros((4, 5)),
            telemetry: Telemetry::default(),
        }
    }

    fn numbers(ring: &mut Ring) -> Vec<u64> {
        ring.take().iter().map(|frame| frame.sequence).collect()
    }

    #[test]
    fn what_is_older_is_forgotten_and_what_was_taken_is_gone() {
        let mut ring = Ring::new(Duration::from_secs(1));
        for n in 0..30 {
            ring.push(frame(n, n * 100));
        }
        assert_eq!(numbers(&mut ring), (19..30).collect::<Vec<_>>());
        assert!(numbers(&mut ring).is_empty());
        ring.push(frame(30, 3_000));
        assert_eq!(numbers(&mut ring), [30]);
    }

    #[test]
    fn memory_has_an_end() {
        let mut ring = Ring::new(Duration::from_hours(1));
        ring.most_bytes = 3 * 40;
        for n in 0..10 {
            ring.push(frame(n, n));
            assert!(ring.bytes <= ring.most_bytes);
        }
        assert_eq!(numbers(&mut ring), [7, 8, 9]);
    }

    #[test]
    fn another_start_of_the_gateway_is_another_film() {
        let mut ring = Ring::new(Duration::from_secs(10));
        ring.push(frame(0, 5_000));
        let mut restarted = frame(1, 0);
        restarted.stamp.boot = BootId(2);
        ring.push(restarted);
        assert_eq!(numbers(&mut ring), [1]);
    }
}
