//! Where a value stands, and which values and columns are written beside the axes.

/// Steps of the vertical axis at most: few, so that they stay apart on a phone.
const STEPS: f64 = 4.0;

/// The vertical axis from zero to a round number, in round steps of 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// The step.
    pub(super) step: f64,
    /// The upper end, a multiple of it.
    pub(super) top: f64,
}

impl Scale {
    /// For values from zero up to this one; not finer than so many decimals are written.
    pub(super) fn up_to(highest: f64, decimals: usize) -> Self {
        let finest = 10_f64.powf(-(decimals as f64));
        let highest = if highest.is_finite() { highest } else { 0.0 };
        let rough = (highest / STEPS).max(finest);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|it| it * power)
            // Decimals are not exact: 0.3 / 0.1 is a little less than 3.
            .find(|it| *it >= rough * (1.0 - 1e-9))
            .unwrap_or(10.0 * power);
        let steps = (highest / step - 1e-9).ceil().max(1.0);
        Self {
            step,
            top: steps * step,
        }
    }

    /// The values that are written, from zero.
    pub(super) fn ticks(self) -> impl Iterator<Item = f64> {
        let steps = (self.top / self.step).round() as u32;
        (0..=steps).map(move |it| f64::from(it) * self.step)
    }

    /// How far up a value stands: 0 to 1.
    pub(super) fn height(self, value: f64) -> f64 {
        if value.is_nan() {
            return 0.0;
        }
        (value / self.top).clamp(0.0, 1.0)
    }
}

/// Width of a text in its own letters' height: Han as wide as high, other letters some half.
pub(super) fn width_of(text: &str) -> f64 {
    let of = |letter: char| if letter > '\u{2e7f}' { 1.0 } else { 0.58 };
    text.chars().map(of).sum()
}

/// Every how-manieth of the texts is written so that none touches the next; they stand `apart` from
/// each other, in letters' heights.
pub(super) fn every<'a>(texts: impl Iterator<Item = &'a str>, apart: f64) -> usize {
    let widest = texts.map(width_of).fold(0.0, f64::max) + 0.7;
    ((widest / apart.max(1e-6)).ceil() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number_at_or_above_the_highest() {
        for (highest, decimals, step, top) in [
            (0.0, 0, 1.0, 1.0),
            (1.0, 0, 1.0, 1.0),
            (3.0, 0, 1.0, 3.0),
            (7.0, 0, 2.0, 8.0),
            (41.0, 0, 20.0, 60.0),
            (100.0, 0, 50.0, 100.0),
            (5213.0, 0, 2000.0, 6000.0),
            (0.3, 1, 0.1, 0.3),
            (12.5, 1, 5.0, 15.0),
            (f64::NAN, 0, 1.0, 1.0),
            (f64::INFINITY, 0, 1.0, 1.0),
        ] {
            let scale = Scale::up_to(highest, decimals);
            assert!((scale.step - step).abs() < 1e-9, "{highest}: {scale:?}");
            assert!((scale.top - top).abs() < 1e-9, "{highest}: {scale:?}");
            assert!(scale.ticks().count() <= 6, "{highest}: {scale:?}");
        }
    }

    #[test]
    fn labels_are_left_out_where_they_would_touch() {
        assert_eq!(every(["9", "10"].into_iter(), 3.0), 1);
        assert_eq!(every(["2月21日", "2月22日"].into_iter(), 2.0), 3);
        assert_eq!(every([].into_iter(), 0.0), 700_000);
    }
}
