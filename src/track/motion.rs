//! Where a face is, how fast it moves, and how well both are known: a Kalman filter.
//!
//! The model is that of SORT (Bewley et al. 2016, doi:10.1109/ICIP.2016.7533003): place and size
//! change at a constant rate. As in DeepSORT (Wojke et al. 2017, doi:10.1109/ICIP.2017.8296962) all
//! noise is in proportion to the size, for a face near the camera moves and shakes by more pixels.
//! The rates themselves wander as the continuous white noise acceleration of Bar-Shalom, Li and
//! Kirubarajan (Estimation with Applications to Tracking and Navigation, 2001, section 6.2.2), so
//! that the same numbers hold at any frame rate and over any gap. Size is the logarithm of the
//! width: what comes nearer grows by a factor, and never becomes negative.
//!
//! Nothing joins the three axes, so each is a filter of its own and its algebra is written out.

use crate::units::PixelBox;

/// Standard deviation of a measured place, in widths, and of the logarithm of a measured width. On
/// the real recordings most faces lie within 0.05 widths of where the two frames before pointed,
/// and one in a hundred farther than 0.2 (a head turns, or comes in at the edge of the picture); in
/// the smallest faces that the detector finds one pixel is 0.1.
const MEASUREMENT: f32 = 0.12;

/// How fast rates wander: the square root of the spectral density of the acceleration, widths by
/// s^1.5. Somebody who stands walks at 1.3 widths a second, a slow step before the camera, one
/// second later.
const WANDER: f32 = 1.3;

/// Standard deviation of the rate of a face that was seen once, widths a second: half a metre.
const FIRST_RATE: f32 = 3.0;

/// Both of the logarithm of the width: who walks up from 1.5 m nears by half a metre a second.
const SIZE_RATE: f32 = 0.3;

/// Logarithm of the determinant of the covariance of a face that may be anywhere in the picture
/// (standard deviations of four widths either way and of a factor of two in size): no place is less
/// certain. Without this whom the shutter hid right after the first sighting would be a newcomer.
const ANYWHERE: f32 = 5.0;

/// One coordinate, its rate, and the covariance of the two.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    value: f32,
    rate: f32,
    value_variance: f32,
    covariance: f32,
    rate_variance: f32,
}

impl Axis {
    fn start(value: f32, noise: f32, rate_deviation: f32) -> Self {
        Self {
            value,
            rate: 0.0,
            value_variance: noise * noise,
            covariance: 0.0,
            rate_variance: rate_deviation * rate_deviation,
        }
    }

    fn predict(&mut self, seconds: f32, wander: f32) {
        let density = wander * wander;
        self.value += self.rate * seconds;
        self.value_variance += seconds
            * (2.0 * self.covariance + seconds * (self.rate_variance + density * seconds / 3.0));
        self.covariance += seconds * (self.rate_variance + density * seconds / 2.0);
        self.rate_variance += density * seconds;
    }

    /// The difference to what was measured, and its variance.
    fn surprise(&self, measured: f32, noise: f32) -> (f32, f32) {
        (measured - self.value, self.value_variance + noise * noise)
    }

    fn update(&mut self, measured: f32, noise: f32) {
        let (difference, variance) = self.surprise(measured, noise);
        let gain = self.value_variance / variance;
        let rate_gain = self.covariance / variance;
        self.value += gain * difference;
        self.rate += rate_gain * difference;
        self.rate_variance -= rate_gain * self.covariance;
        self.covariance *= 1.0 - gain;
        self.value_variance *= 1.0 - gain;
    }
}

/// How well a measured face fits an expected one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    /// Squared Mahalanobis distance, of three degrees of freedom.
    pub(super) distance: f32,
    /// Logarithm of the determinant of its covariance, in widths; [`ANYWHERE`] at most.
    spread: f32,
}

impl Fit {
    /// Twice the negative log-likelihood, but for a constant: of two tracks that are as far from a
    /// face, the one whose place is known better has it.
    pub(super) fn cost(self) -> f32 {
        self.distance + self.spread
    }
}

/// The motion of one face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Motion {
    x: Axis,
    y: Axis,
    size: Axis,
}

impl Motion {
    /// A face that is seen for the first time.
    pub(super) fn start(area: &PixelBox) -> Self {
        let (centre, width) = (area.centre(), area.width());
        let place = |value| Axis::start(value, MEASUREMENT * width, FIRST_RATE * width);
        Self {
            x: place(centre.x),
            y: place(centre.y),
            size: Axis::start(width.ln(), MEASUREMENT, SIZE_RATE),
        }
    }

    /// Time goes by.
    pub(super) fn predict(&mut self, seconds: f32) {
        let width = self.width();
        self.x.predict(seconds, WANDER * width);
        self.y.predict(seconds, WANDER * width);
        self.size.predict(seconds, SIZE_RATE);
    }

    /// The face is seen.
    pub(super) fn update(&mut self, area: &PixelBox) {
        let (centre, width) = (area.centre(), area.width());
        self.x.update(centre.x, MEASUREMENT * width);
        self.y.update(centre.y, MEASUREMENT * width);
        self.size.update(width.ln(), MEASUREMENT);
    }

    /// How well this face fits.
    pub(super) fn fit(&self, area: &PixelBox) -> Fit {
        let (centre, width) = (area.centre(), area.width());
        let noise = MEASUREMENT * width;
        let (x, x_variance) = self.x.surprise(centre.x, noise);
        let (y, y_variance) = self.y.surprise(centre.y, noise);
        let (size, size_variance) = self.size.surprise(width.ln(), MEASUREMENT);
        Fit {
            distance: x * x / x_variance + y * y / y_variance + size * size / size_variance,
            spread: (x_variance * y_variance * size_variance / width.powi(4))
                .ln()
                .min(ANYWHERE),
        }
    }

    /// The width of the face, pixels.
    pub(super) fn width(&self) -> f32 {
        self.size.value.exp()
    }

    /// How fast the face moves across the picture, widths a second.
    pub(super) fn speed(&self) -> f32 {
        self.x.rate.hypot(self.y.rate) / self.width()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn area(x: f32, y: f32, width: f32) -> PixelBox {
        PixelBox {
            left: x - width / 2.0,
            top: y - 0.65 * width,
            right: x + width / 2.0,
            bottom: y + 0.65 * width,
        }
    }

    fn near(one: f32, other: f32) -> bool {
        (one - other).abs() <= 1e-3 * (1.0 + one.abs().max(other.abs()))
    }

    proptest! {
        #[test]
        fn two_steps_are_one_step_of_both(first in 0.01..2.0_f32, second in 0.01..2.0_f32) {
            let mut once = Axis::start(40.0, 2.0, 60.0);
            once.predict(0.1, 25.0);
            once.update(44.0, 2.0);
            let mut twice = once;
            once.predict(first + second, 25.0);
            twice.predict(first, 25.0);
            twice.predict(second, 25.0);
            let parts = |axis: Axis| {
                let Axis { value, rate, value_variance, covariance, rate_variance } = axis;
                [value, rate, value_variance, covariance, rate_variance]
            };
            for (one, other) in parts(once).into_iter().zip(parts(twice)) {
                prop_assert!(near(one, other), "{once:?} {twice:?}");
            }
        }

        #[test]
        fn what_is_known_stays_possible(
            steps in proptest::collection::vec((0.001..5.0_f32, proptest::option::of(0.0..160.0_f32)), 1..200)
        ) {
            let mut axis = Axis::start(80.0, 2.0, 60.0);
            for (seconds, seen) in steps {
                axis.predict(seconds, 25.0);
                if let Some(seen) = seen {
                    axis.update(seen, 2.0);
                }
                prop_assert!(axis.value.is_finite() && axis.rate.is_finite(), "{axis:?}");
                prop_assert!(axis.value_variance > 0.0 && axis.rate_variance > 0.0, "{axis:?}");
                let correlation = axis.covariance / (axis.value_variance * axis.rate_variance).sqrt();
                prop_assert!(correlation.abs() <= 1.0 + 1e-3, "{axis:?}");
            }
        }

        #[test]
        fn nothing_depends_on_the_size_of_pixels(scale in 0.2..10.0_f32, seconds in 0.02..2.0_f32) {
            let fit = |scale: f32| {
                let mut motion = Motion::start(&area(50.0 * scale, 40.0 * scale, 20.0 * scale));
                motion.predict(0.1);
                motion.update(&area(53.0 * scale, 41.0 * scale, 21.0 * scale));
                motion.predict(seconds);
                let there = area(58.0 * scale, 39.0 * scale, 23.0 * scale);
                (motion.fit(&there), motion.speed())
            };
            let ((one, speed), (other, faster)) = (fit(1.0), fit(scale));
            prop_assert!(near(one.distance, other.distance) && near(one.spread, other.spread));
            prop_assert!(near(speed, faster));
        }
    }

    #[test]
    fn a_place_that_is_known_better_has_the_face() {
        let mut sure = Motion::start(&area(50.0, 40.0, 20.0));
        for _ in 0..10 {
            sure.predict(0.1);
            sure.update(&area(50.0, 40.0, 20.0));
        }
        let mut unsure = sure;
        unsure.predict(1.5);
        let face = area(52.0, 40.0, 20.0);
        assert!(unsure.fit(&face).distance < sure.fit(&face).distance);
        assert!(unsure.fit(&face).cost() > sure.fit(&face).cost());
        // However long ago it was seen.
        unsure.predict(60.0);
        assert_eq!(unsure.fit(&area(50.0, 40.0, 20.0)).spread, ANYWHERE);
    }
}
