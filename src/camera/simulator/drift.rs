//! What an uncooled camera adds to every pixel alike: drift, and the steps of its shutter.
//!
//! Real Lepton modules in front of a known reference read −5.1…+1.1 K off, wander by some hundredths
//! of a kelvin within a recording, and after a flat-field correction (FFC) step by some tenths and
//! slide for many seconds. All of it shifts the scene and the reference together, which is why a
//! reference in view cancels it.

use super::noise::seed_of;
use super::scenario::{Drift, Ffc};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Time in which the random walk comes back, s.
const RETURN_S: f64 = 600.0;

/// The common offset as time goes on.
#[derive(Clone, Debug)]
pub(super) struct CommonMode {
    drift: Drift,
    ffc: Option<Ffc>,
    /// After so many seconds the slope turns round; `None`: it never does.
    turn_s: Option<f64>,
    walk: f64,
    at: f64,
    rng: ChaCha8Rng,
}

impl CommonMode {
    pub(super) fn new(drift: &Drift, ffc: Option<&Ffc>, turn_s: Option<f64>, seed: u64) -> Self {
        Self {
            drift: drift.clone(),
            ffc: ffc.cloned(),
            turn_s,
            walk: 0.0,
            at: 0.0,
            rng: ChaCha8Rng::seed_from_u64(seed_of(seed, 0xd1)),
        }
    }

    /// The offset at `time`, s since the camera was switched on, K. Asked with growing times.
    pub(super) fn at(&mut self, time: f64) -> f64 {
        let step = (time - self.at).max(0.0);
        self.at = time;
        let kick: f64 = StandardNormal.sample(&mut self.rng);
        self.walk += self.drift.walk_k * (step / 60.0).sqrt() * kick;
        self.walk *= (-step / RETURN_S).exp();
        let sloping = match self.turn_s {
            Some(turn) => {
                let phase = time.rem_euclid(2.0 * turn);
                phase.min(2.0 * turn - phase)
            }
            None => time,
        };
        self.drift.start_k
            + self.drift.slope_k_per_min * sloping / 60.0
            + self.walk
            + self
                .ffc
                .as_ref()
                .map_or(0.0, |ffc| shutter_level(ffc, time))
    }

    /// When the last FFC began before or at `time`, s; `None` before the first.
    pub(super) fn last_ffc(&self, time: f64) -> Option<f64> {
        let ffc = self.ffc.as_ref()?;
        let n = events_until(ffc, time).checked_sub(1)?;
        Some(ffc.first_s + n as f64 * ffc.period_s)
    }

    /// Whether the shutter stops the stream at `time`.
    pub(super) fn in_gap(&self, time: f64) -> bool {
        match (&self.ffc, self.last_ffc(time)) {
            (Some(ffc), Some(begun)) => time - begun < ffc.gap_s,
            _ => false,
        }
    }
}

fn events_until(ffc: &Ffc, time: f64) -> u64 {
    if time < ffc.first_s {
        return 0;
    }
    ((time - ffc.first_s) / ffc.period_s) as u64 + 1
}

/// Sum of all steps and slides so far, K. Every second event goes the other way, so that a long
/// run does not wander off: whole pairs cancel once they have slid out.
fn shutter_level(ffc: &Ffc, time: f64) -> f64 {
    let events = events_until(ffc, time);
    // 95 % of the slide within slide_s: three time constants.
    let tau = ffc.slide_s / 3.0;
    let recent = events.saturating_sub(64) & !1;
    (recent..events)
        .map(|n| {
            let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
            let since = time - (ffc.first_s + n as f64 * ffc.period_s + ffc.gap_s);
            let slid = 1.0 - (-since.max(0.0) / tau).exp();
            sign * (ffc.step_k + ffc.slide_k * slid)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ffc() -> Ffc {
        Ffc {
            first_s: 10.0,
            period_s: 180.0,
            gap_s: 2.0,
            step_k: 0.6,
            slide_k: -0.8,
            slide_s: 10.0,
        }
    }

    #[test]
    fn the_shutter_stops_steps_and_slides() {
        let camera = CommonMode::new(&Drift::default(), Some(&ffc()), None, 1);
        assert_eq!(camera.last_ffc(9.9), None);
        assert!(!camera.in_gap(9.9) && camera.in_gap(10.1) && !camera.in_gap(12.01));
        assert_eq!(camera.last_ffc(100.0), Some(10.0));
        assert_eq!(shutter_level(&ffc(), 9.99), 0.0);
        assert!((shutter_level(&ffc(), 12.0) - 0.6).abs() < 1e-9);
        // 95 % of the slide within 10 s.
        assert!((shutter_level(&ffc(), 22.0) - (0.6 - 0.8 * 0.950_213)).abs() < 1e-5);
    }

    #[test]
    fn a_day_of_shutter_events_stays_within_bounds() {
        for minute in 0..1440 {
            assert!(shutter_level(&ffc(), f64::from(minute) * 60.0 + 0.5).abs() <= 0.81);
        }
    }

    #[test]
    fn a_repeated_slope_turns_round() {
        let drift = Drift {
            start_k: -2.0,
            slope_k_per_min: 0.3,
            walk_k: 0.0,
        };
        let mut camera = CommonMode::new(&drift, None, Some(60.0), 1);
        assert!((camera.at(60.0) + 1.7).abs() < 1e-9);
        assert!((camera.at(90.0) + 1.85).abs() < 1e-9);
        assert!((camera.at(120.0) + 2.0).abs() < 1e-9);
    }
}
