//! From the scene to counts: the lens's blur, the detector's slowness, its noise, its scale.

use super::noise::seed_of;
use super::scenario::Sensor;
use crate::thermal::radiometry::CountScale;
use crate::units::{ABSOLUTE_ZERO_C, Celsius};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What a count of the simulated camera means.
pub(super) const SCALE: CountScale = CountScale::CentiKelvin;

/// The sensor with what it remembers.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    width: usize,
    height: usize,
    kernel: Vec<f32>,
    netd: f32,
    lag: f32,
    /// Kelvin read for each kelvin, and from where on, °C.
    gain: (f32, f32),
    /// Noise that stays, K.
    pattern: Vec<f32>,
    /// What the pixels still show of the frame before, °C.
    before: Option<Vec<f32>>,
    row_by_row: Vec<f32>,
}

impl Detector {
    /// The sensor of a camera in a room of this temperature.
    pub(super) fn new(sensor: &Sensor, room: Celsius, seed: u64) -> Self {
        Self {
            width: sensor.width,
            height: sensor.height,
            kernel: gaussian(sensor.psf_sigma_px as f32),
            netd: sensor.netd_k as f32,
            lag: sensor.lag as f32,
            gain: (sensor.gain as f32, room.degrees() as f32),
            pattern: fixed_pattern(sensor, seed),
            before: None,
            row_by_row: Vec::new(),
        }
    }

    /// Forgets the frame before: the stream was interrupted.
    pub(super) fn forget(&mut self) {
        self.before = None;
    }

    /// Exposes the sensor to a picture of apparent temperatures, °C, with an offset for all, K.
    pub(super) fn expose(&mut self, pixels: &mut [f32], offset_k: f32, seed: u64) -> Array2<u16> {
        self.blur(pixels);
        if self.lag > 0.0 {
            if let Some(before) = &self.before {
                for (now, old) in pixels.iter_mut().zip(before) {
                    *now += self.lag * (old - *now);
                }
            }
            match &mut self.before {
                Some(before) => before.copy_from_slice(pixels),
                None => self.before = Some(pixels.to_vec()),
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let per_kelvin = (1.0 / SCALE.kelvin_per_count()) as f32;
        let zero = -ABSOLUTE_ZERO_C as f32 + offset_k;
        let (steeper, room) = (self.gain.0 - 1.0, self.gain.1);
        let count = |(celsius, stays): (&f32, &f32)| {
            let noise: f32 = StandardNormal.sample(&mut rng);
            // A cast cuts off, hence the half; what is beyond the scale stays at its end.
            let read = celsius + steeper * (celsius - room);
            ((read + zero + stays + noise * self.netd) * per_kelvin + 0.5) as u16
        };
        let counts: Vec<u16> = pixels.iter().zip(&self.pattern).map(count).collect();
        Array2::from_shape_vec((self.height, self.width), counts)
            .unwrap_or_else(|_| Array2::zeros((self.height, self.width)))
    }

    /// The lens: one Gaussian along the rows, then along the columns. What lies beyond the edge
    /// looks like the edge. Temperatures are blurred in place of radiances; over the 15 K between
    /// skin and room that is off by less than 0.1 K, and at edges only.
    fn blur(&mut self, pixels: &mut [f32]) {
        let reach = self.kernel.len() / 2;
        if reach == 0 {
            return;
        }
        let (width, height) = (self.width, self.height);
        let mut padded = vec![0.0; width + 2 * reach];
        for row in pixels.chunks_exact_mut(width) {
            padded[..reach].fill(row[0]);
            padded[reach..reach + width].copy_from_slice(row);
            padded[reach + width..].fill(row[width - 1]);
            for (pixel, around) in row.iter_mut().zip(padded.windows(2 * reach + 1)) {
                *pixel = around.iter().zip(&self.kernel).map(|(a, k)| a * k).sum();
            }
        }
        self.row_by_row.clear();
        self.row_by_row.extend_from_slice(pixels);
        for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
            row.fill(0.0);
            for (n, weight) in self.kernel.iter().enumerate() {
                let from = (y + n).saturating_sub(reach).min(height - 1) * width;
                let source = &self.row_by_row[from..from + width];
                for (pixel, value) in row.iter_mut().zip(source) {
                    *pixel += weight * value;
                }
            }
        }
    }
}

/// A Gaussian's weights, summing to 1; a single one where `sigma` is too small to matter.
fn gaussian(sigma: f32) -> Vec<f32> {
    if sigma < 0.1 {
        return vec![1.0];
    }
    let reach = (3.0 * sigma).ceil() as i32;
    let weight = |n: i32| (-0.5 * (n as f32 / sigma).powi(2)).exp();
    let sum: f32 = (-reach..=reach).map(weight).sum();
    (-reach..=reach).map(|n| weight(n) / sum).collect()
}

/// Pixels (80 % of the variance) and columns (20 %) that read too high or too low for good.
fn fixed_pattern(sensor: &Sensor, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed_of(seed, 0xf9));
    let sd = sensor.fixed_pattern_k as f32;
    let mut draw = |share: f32| -> f32 {
        let normal: f32 = StandardNormal.sample(&mut rng);
        normal * sd * share.sqrt()
    };
    let columns: Vec<f32> = (0..sensor.width).map(|_| draw(0.2)).collect();
    let mut pattern = Vec::with_capacity(sensor.width * sensor.height);
    for _ in 0..sensor.height {
        pattern.extend(columns.iter().map(|column| column + draw(0.8)));
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_what_is_flat_and_spreads_a_point() {
        let sensor = Sensor {
            width: 80,
            height: 60,
            netd_k: 0.0,
            fixed_pattern_k: 0.0,
            ..Sensor::default()
        };
        let mut detector = Detector::new(&sensor, Celsius::literal(22.0), 1);
        let mut flat = vec![25.0; 80 * 60];
        detector.blur(&mut flat);
        assert!(flat.iter().all(|c| (c - 25.0).abs() < 1e-4));
        let mut point = vec![0.0; 80 * 60];
        point[30 * 80 + 40] = 1.0;
        detector.blur(&mut point);
        assert!((point.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((point[30 * 80 + 41] - point[31 * 80 + 40]).abs() < 1e-7);
        assert!(point[30 * 80 + 40] > 2.0 * point[30 * 80 + 41]);
    }

    #[test]
    fn counts_are_held_at_the_ends_of_the_scale() {
        let mut detector = Detector::new(&Sensor::default(), Celsius::literal(22.0), 1);
        let mut hot = vec![900.0; 120 * 160];
        assert!(
            detector
                .expose(&mut hot, 0.0, 1)
                .iter()
                .all(|&c| c == u16::MAX)
        );
    }
}
