//! The daily self-check: whether camera and reference are still what they were when calibrated.
//!
//! Every frame is judged by its own reference, so drift of the camera's level needs no check. What no
//! single frame can show is what creeps: a sensor that becomes noisy, a blackbody whose surface gets
//! dusty and uneven, a controller that hunts. So once a day, and [`WARM_AFTER`] after each start, one
//! minute of good frames is looked at as a whole. People may be in it: only the reference is looked at.

use super::frame::{FrameHealth, ThermalFrame};
use crate::clock::Stamp;
use crate::units::TemperatureDelta;
use std::time::Duration;

/// Time from the start to the first check: an uncooled camera is warm after half an hour.
pub const WARM_AFTER: Duration = Duration::from_mins(30);

/// Time from one check to the next.
pub const CHECK_EVERY: Duration = Duration::from_hours(24);

/// Length of a check.
const CHECK_FOR: Duration = Duration::from_mins(1);

/// Least good frames in it, one in two at 9 a second being good.
const LEAST_FRAMES: usize = 270;

/// Frame-to-frame noise of the reference's reading that is in order, K. The median of an inner disc
/// of ten pixels and more at an NETD of 0.05 K has some 0.02 K; three times that is a camera out of
/// order.
pub const LARGEST_NOISE_K: f64 = 0.06;

/// Unevenness of the disc that is in order, K, the noise of a pixel included.
pub const LARGEST_SPREAD_K: f64 = 0.2;

/// By how much the reference may move against the scene within the minute, K: half of what a frame
/// may be off before it is not judged any more.
pub const LARGEST_HUNTING_K: f64 = 0.1;

/// What is not in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The reading jumps from frame to frame.
    Noisy,
    /// The disc is uneven: dust, a scratch, something before it.
    Uneven,
    /// The reference moves up and down against the scene.
    Hunting,
}

impl Complaint {
    /// Every complaint.
    pub const ALL: [Self; 3] = [Self::Noisy, Self::Uneven, Self::Hunting];

    /// The word for it in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Noisy => "noisy",
            Self::Uneven => "uneven",
            Self::Hunting => "hunting",
        }
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfCheck {
    /// Standard deviation of the reading from one frame to the next, divided by √2.
    pub noise: TemperatureDelta,
    /// Mean standard deviation within the disc.
    pub spread: TemperatureDelta,
    /// Largest difference of the reading above the scene between sixths of the minute.
    pub hunting: TemperatureDelta,
    /// Mean of what was added to every pixel.
    pub offset: TemperatureDelta,
    /// What is wrong; the first there is, in the order of [`Complaint`].
    pub complaint: Option<Complaint>,
}

/// Looks at every frame, and speaks once a day.
#[derive(Clone, Debug, Default)]
pub struct SelfChecker {
    started: Option<Stamp>,
    last: Option<Stamp>,
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Stamp,
    reading: f64,
    above_scene: f64,
    spread: f64,
    offset: f64,
}

impl SelfChecker {
    /// One frame; what a check came to with the last of its frames.
    pub fn step(&mut self, frame: &ThermalFrame) -> Option<SelfCheck> {
        let now = frame.stamp;
        let started = *self.started.get_or_insert(now);
        if now.since(&started).is_none() {
            // Another start of the gateway: count anew.
            *self = Self {
                started: Some(now),
                ..Self::default()
            };
            return None;
        }
        let due = match self.last {
            None => now.since(&started).is_some_and(|d| d >= WARM_AFTER),
            Some(last) => now.since(&last).is_some_and(|d| d >= CHECK_EVERY),
        };
        if !due {
            return None;
        }
        if let (FrameHealth::Good, Some(view), Some(room)) =
            (frame.health, frame.reference, frame.scene)
        {
            let reading = view.reading.degrees();
            self.samples.push(Sample {
                at: now,
                reading,
                above_scene: reading + frame.offset.kelvin() - room.degrees(),
                spread: view.spread.kelvin(),
                offset: frame.offset.kelvin(),
            });
        }
        let first = self.samples.first()?;
        if now.since(&first.at)? < CHECK_FOR {
            return None;
        }
        let samples = std::mem::take(&mut self.samples);
        if samples.len() < LEAST_FRAMES {
            // Too few good ones: try the next minute.
            return None;
        }
        self.last = Some(now);
        check(&samples)
    }
}

fn check(samples: &[Sample]) -> Option<SelfCheck> {
    let n = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / n;
    let steps = samples
        .windows(2)
        .map(|pair| (pair[1].reading - pair[0].reading).powi(2));
    let noise = (steps.sum::<f64>() / (n - 1.0) / 2.0).sqrt();
    let parts = samples
        .chunks(samples.len().div_ceil(6))
        .map(|part| part.iter().map(|sample| sample.above_scene).sum::<f64>() / part.len() as f64);
    let (low, high) = parts.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let (spread, hunting) = (mean(|s| s.spread), high - low);
    let complaint = if noise > LARGEST_NOISE_K {
        Some(Complaint::Noisy)
    } else if spread > LARGEST_SPREAD_K {
        Some(Complaint::Uneven)
    } else if hunting > LARGEST_HUNTING_K {
        Some(Complaint::Hunting)
    } else {
        None
    };
    Some(SelfCheck {
        noise: TemperatureDelta::new(noise)?,
        spread: TemperatureDelta::new(spread)?,
        hunting: TemperatureDelta::new(hunting)?,
        offset: TemperatureDelta::new(mean(|s| s.offset))?,
        complaint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use crate::thermal::ReferenceView;
    use crate::thermal::frame::ReferenceQuality;
    use crate::thermal::path::Path;
    use crate::units::{
        AmbientTemperature, Celsius, PixelPoint, ReferenceTemperature, StandardUncertainty,
    };
    use ndarray::Array2;

    /// A frame at this time, 9 a second, whose reference reads 35.6 °C and so much more.
    fn frame(number: u64, more_k: f64, spread_k: f64) -> ThermalFrame {
        ThermalFrame {
            stamp: Stamp {
                boot: BootId(1),
                monotonic: Duration::from_millis(number * 1000 / 9),
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            },
            sequence: number,
            celsius: Array2::zeros((1, 1)),
            health: FrameHealth::Good,
            reference: Some(ReferenceView {
                centre: PixelPoint { x: 0.0, y: 0.0 },
                radius: 4.0,
                reading: ReferenceTemperature(Celsius::new(35.6 + more_k).unwrap()),
                spread: TemperatureDelta::new(spread_k).unwrap(),
                quality: ReferenceQuality {
                    score: 1.0,
                    flaw: None,
                },
            }),
            second: None,
            offset: TemperatureDelta::literal(1.4),
            scene: Some(AmbientTemperature(Celsius::literal(22.0))),
            ambient_u: StandardUncertainty::literal(0.5),
            path: Path::default(),
        }
    }

    /// The first check that comes of frames whose reference moves like this (by the frame's
    /// number), and its time.
    fn first(more_k: impl Fn(u64) -> f64, spread_k: f64) -> (SelfCheck, Duration) {
        let mut checker = SelfChecker::default();
        (0..40 * 60 * 9)
            .find_map(|n| {
                let frame = frame(n, more_k(n), spread_k);
                Some((checker.step(&frame)?, frame.stamp.monotonic))
            })
            .unwrap()
    }

    const fn jumps(by_k: f64) -> impl Fn(u64) -> f64 {
        move |n| if n.is_multiple_of(2) { by_k } else { -by_k }
    }

    #[test]
    fn a_camera_in_order_passes_half_an_hour_after_its_start() {
        let (found, at) = first(jumps(0.01), 0.06);
        assert_eq!(found.complaint, None);
        // Steps of 0.02 K over √2.
        assert!(
            (found.noise.kelvin() - 0.02 / 2.0_f64.sqrt()).abs() < 1e-9,
            "{found:?}"
        );
        assert!((found.spread.kelvin() - 0.06).abs() < 1e-9);
        assert!(found.hunting.kelvin() < 1e-3);
        assert!((found.offset.kelvin() - 1.4).abs() < 1e-9);
        let end = WARM_AFTER + CHECK_FOR;
        assert!((end..end + Duration::from_secs(1)).contains(&at), "{at:?}");
    }

    #[test]
    fn each_complaint_has_its_bound() {
        let noise = |k: f64| first(jumps(k * 2.0_f64.sqrt() / 2.0), 0.05).0.complaint;
        assert_eq!(noise(LARGEST_NOISE_K - 1e-4), None);
        assert_eq!(noise(LARGEST_NOISE_K + 1e-4), Some(Complaint::Noisy));
        let uneven = |k: f64| first(|_| 0.0, k).0.complaint;
        assert_eq!(uneven(LARGEST_SPREAD_K - 1e-6), None);
        assert_eq!(uneven(LARGEST_SPREAD_K + 1e-6), Some(Complaint::Uneven));
        // A slow rise: six parts, so five sixths of it stand between the first and the last mean.
        let start = WARM_AFTER.as_secs() * 9;
        let rise = |k: f64| move |n: u64| k * 1.2 * n.saturating_sub(start) as f64 / 541.0;
        let hunting = |k: f64| first(rise(k), 0.05).0.complaint;
        assert_eq!(hunting(LARGEST_HUNTING_K - 0.004), None);
        assert_eq!(hunting(LARGEST_HUNTING_K + 0.004), Some(Complaint::Hunting));
    }

    #[test]
    fn what_room_and_reference_do_alike_is_no_hunting() {
        let mut checker = SelfChecker::default();
        let found = (0..40 * 60 * 9).find_map(|n| {
            let warmer = 0.3 * (n as f64 / 500.0).sin();
            let mut frame = frame(n, warmer, 0.05);
            frame.scene = Celsius::new(22.0 + warmer).map(AmbientTemperature);
            checker.step(&frame)
        });
        let found = found.unwrap();
        assert_eq!(found.complaint, None);
        assert!(found.hunting.kelvin() < 1e-9, "{found:?}");
    }

    #[test]
    fn the_next_check_comes_a_day_later() {
        let mut checker = SelfChecker::default();
        let mut at = Vec::new();
        // A frame every 0.2 s of two days and an hour.
        for n in 0..49 * 3600 * 5 {
            let mut frame = frame(0, 0.0, 0.05);
            frame.stamp.monotonic = Duration::from_millis(n * 200);
            if checker.step(&frame).is_some() {
                at.push(frame.stamp.monotonic);
            }
        }
        assert_eq!(at.len(), 3, "{at:?}");
        let apart = at[1].saturating_sub(at[0]);
        assert!(apart >= CHECK_EVERY && apart < CHECK_EVERY + 2 * CHECK_FOR);
    }

    #[test]
    fn without_good_frames_it_waits_for_another_minute() {
        let mut checker = SelfChecker::default();
        let begin = WARM_AFTER.as_secs() * 9;
        let mut found = 0;
        for n in 0..begin + 9 * 200 {
            let mut frame = frame(n, 0.0, 0.05);
            // Two of three frames are not good until a minute and a bit has passed.
            if n < begin + 9 * 62 && n % 3 != 0 {
                frame.health = FrameHealth::ReferenceLost;
            }
            found += u32::from(checker.step(&frame).is_some());
        }
        assert_eq!(found, 1);
    }

    #[test]
    fn a_new_start_counts_anew() {
        let mut checker = SelfChecker::default();
        assert_eq!(checker.step(&frame(0, 0.0, 0.05)), None);
        let mut other = frame(40 * 60 * 9, 0.0, 0.05);
        other.stamp.boot = BootId(2);
        assert_eq!(checker.step(&other), None);
        for n in 1..9 * 70 {
            let mut next = frame(40 * 60 * 9 + n, 0.0, 0.05);
            next.stamp.boot = BootId(2);
            assert_eq!(checker.step(&next), None);
        }
    }
}
