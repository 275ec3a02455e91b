//! Words of measurement: temperatures and places in a picture, with only the arithmetic that
//! means something.
//!
//! A difference of two temperatures is a [`TemperatureDelta`]; two temperatures cannot be added.
//! Skin, room and reference are different types, so that none is taken for another. Every value
//! here is finite: what is not finite cannot be built.

use std::fmt;
use std::ops::{Add, Neg, Sub};

/// Absolute zero, °C (SI definition of the degree Celsius).
pub const ABSOLUTE_ZERO_C: f64 = -273.15;

/// A temperature in degrees Celsius, finite and above absolute zero.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Celsius(f64);

impl Celsius {
    /// Highest value taken, °C: above any scene that an uncooled camera measures.
    pub const MAX_C: f64 = 3000.0;

    /// The temperature, or `None` where `degrees` is not a number, infinite, below absolute zero
    /// or above [`Celsius::MAX_C`].
    #[must_use]
    pub fn new(degrees: f64) -> Option<Self> {
        (ABSOLUTE_ZERO_C..=Self::MAX_C)
            .contains(&degrees)
            .then_some(Self(degrees))
    }

    /// A temperature written in the source. Fails to compile in a `const` where it is impossible.
    ///
    /// # Panics
    /// Where `degrees` is outside of −273.15…3000; use [`Celsius::new`] for anything not literal.
    #[must_use]
    pub const fn literal(degrees: f64) -> Self {
        assert!(degrees >= ABSOLUTE_ZERO_C && degrees <= Self::MAX_C);
        Self(degrees)
    }

    /// Degrees Celsius.
    #[must_use]
    pub const fn degrees(self) -> f64 {
        self.0
    }

    /// Kelvin.
    #[must_use]
    pub fn kelvin(self) -> f64 {
        self.0 - ABSOLUTE_ZERO_C
    }
}

impl fmt::Display for Celsius {
    /// Two decimals and the unit; pages and payloads choose their own precision.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} °C", self.0)
    }
}

impl Sub for Celsius {
    type Output = TemperatureDelta;
    fn sub(self, other: Self) -> TemperatureDelta {
        TemperatureDelta(self.0 - other.0)
    }
}

impl Add<TemperatureDelta> for Celsius {
    type Output = Self;
    /// Stays finite and physical: the sum is held at the limits of [`Celsius`].
    fn add(self, delta: TemperatureDelta) -> Self {
        Self((self.0 + delta.0).clamp(ABSOLUTE_ZERO_C, Self::MAX_C))
    }
}

/// A difference of temperatures, K (= °C of difference), finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct TemperatureDelta(f64);

impl TemperatureDelta {
    /// No difference.
    pub const ZERO: Self = Self(0.0);

    /// The difference, or `None` where it is not finite or beyond ±3300 K.
    #[must_use]
    pub fn new(kelvin: f64) -> Option<Self> {
        (-3300.0..=3300.0).contains(&kelvin).then_some(Self(kelvin))
    }

    /// A difference written in the source.
    ///
    /// # Panics
    /// Where `kelvin` is beyond ±3300 K; use [`TemperatureDelta::new`] for anything not literal.
    #[must_use]
    pub const fn literal(kelvin: f64) -> Self {
        assert!(kelvin >= -3300.0 && kelvin <= 3300.0);
        Self(kelvin)
    }

    /// Kelvin.
    #[must_use]
    pub const fn kelvin(self) -> f64 {
        self.0
    }
}

impl fmt::Display for TemperatureDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2} K", self.0)
    }
}

impl Add for TemperatureDelta {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0).clamp(-3300.0, 3300.0))
    }
}

impl Neg for TemperatureDelta {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

macro_rules! kind_of_temperature {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(pub Celsius);

        impl $name {
            /// Degrees Celsius.
            #[must_use]
            pub const fn degrees(self) -> f64 {
                self.0.degrees()
            }
        }
    };
}

kind_of_temperature! {
    /// Temperature of skin: what radiometry says of a face, corrected by the reference.
    SkinTemperature
}
kind_of_temperature! {
    /// Temperature of the room's air, and of the walls that skin reflects.
    AmbientTemperature
}
kind_of_temperature! {
    /// Temperature of the blackbody in view: its set point, or what the camera reads of it.
    ReferenceTemperature
}

/// Standard uncertainty u of a temperature, K, never negative (GUM, JCGM 100:2008, §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct StandardUncertainty(f64);

impl StandardUncertainty {
    /// An uncertainty written in the source.
    ///
    /// # Panics
    /// Where `kelvin` is negative or above 1000; use [`StandardUncertainty::new`] for anything
    /// not literal.
    #[must_use]
    pub const fn literal(kelvin: f64) -> Self {
        assert!(kelvin >= 0.0 && kelvin <= 1000.0);
        Self(kelvin)
    }

    /// The uncertainty, or `None` where `kelvin` is negative or not finite.
    #[must_use]
    pub fn new(kelvin: f64) -> Option<Self> {
        (0.0..=1000.0).contains(&kelvin).then_some(Self(kelvin))
    }

    /// Root sum of squares of independent parts (GUM §5.1.2). Parts that are not finite make the
    /// sum the largest uncertainty there is, never a small one.
    #[must_use]
    pub fn combined(parts_kelvin: &[f64]) -> Self {
        let sum = parts_kelvin.iter().map(|u| u * u).sum::<f64>().sqrt();
        Self::new(sum).unwrap_or(Self(1000.0))
    }

    /// u, K.
    #[must_use]
    pub const fn kelvin(self) -> f64 {
        self.0
    }

    /// U = 2 u, the half width that screens show as ± (k = 2, about 95 %).
    #[must_use]
    pub fn expanded(self) -> TemperatureDelta {
        TemperatureDelta(2.0 * self.0)
    }
}

/// A place in a picture, pixels; x grows to the right, y downwards; (0, 0) is the outer corner of
/// the first pixel, so its centre is (0.5, 0.5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelPoint {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the upper edge.
    pub y: f32,
}

/// An upright rectangle in a picture, pixels, edges as in [`PixelPoint`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelBox {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge, beyond the last pixel.
    pub right: f32,
    /// Lower edge, beyond the last pixel.
    pub bottom: f32,
}

impl PixelBox {
    /// Width, pixels; never negative.
    #[must_use]
    pub fn width(&self) -> f32 {
        (self.right - self.left).max(0.0)
    }

    /// Height, pixels; never negative.
    #[must_use]
    pub fn height(&self) -> f32 {
        (self.bottom - self.top).max(0.0)
    }

    /// Area, square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// Middle of the rectangle.
    #[must_use]
    pub fn centre(&self) -> PixelPoint {
        PixelPoint {
            x: f32::midpoint(self.left, self.right),
            y: f32::midpoint(self.top, self.bottom),
        }
    }

    /// Area in common, square pixels.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> f32 {
        let w = self.right.min(other.right) - self.left.max(other.left);
        let h = self.bottom.min(other.bottom) - self.top.max(other.top);
        w.max(0.0) * h.max(0.0)
    }

    /// Intersection over union, 0…1.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.overlap(other);
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }

    /// The same rectangle cut to a picture of this size.
    #[must_use]
    pub fn clipped(&self, width: usize, height: usize) -> Self {
        let (w, h) = (width as f32, height as f32);
        Self {
            left: self.left.clamp(0.0, w),
            top: self.top.clamp(0.0, h),
            right: self.right.clamp(0.0, w),
            bottom: self.bottom.clamp(0.0, h),
        }
    }

    /// Whether every edge is a finite number and the rectangle has an area.
    #[must_use]
    pub fn is_proper(&self) -> bool {
        [self.left, self.top, self.right, self.bottom]
            .iter()
            .all(|edge| edge.is_finite())
            && self.area() > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_finite_and_physical() {
        assert!(Celsius::new(f64::NAN).is_none());
        assert!(Celsius::new(f64::INFINITY).is_none());
        assert!(Celsius::new(-273.16).is_none());
        assert_eq!(Celsius::new(36.6).map(Celsius::degrees), Some(36.6));
        assert!(TemperatureDelta::new(f64::NAN).is_none());
        assert!(StandardUncertainty::new(-0.1).is_none());
    }

    #[test]
    fn difference_and_sum_undo_each_other() {
        let (a, b) = (Celsius::literal(37.5), Celsius::literal(35.25));
        assert_eq!((a - b).kelvin(), 2.25);
        assert_eq!(b + (a - b), a);
    }

    #[test]
    fn unknown_parts_never_make_the_uncertainty_small() {
        assert_eq!(StandardUncertainty::combined(&[0.3, 0.4]).kelvin(), 0.5);
        assert_eq!(
            StandardUncertainty::combined(&[0.3, f64::NAN]).kelvin(),
            1000.0
        );
    }

    #[test]
    fn boxes_overlap_by_area() {
        let a = PixelBox {
            left: 0.0,
            top: 0.0,
            right: 2.0,
            bottom: 2.0,
        };
        let b = PixelBox {
            left: 1.0,
            top: 0.0,
            right: 3.0,
            bottom: 2.0,
        };
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        let none = PixelBox {
            left: 5.0,
            top: 5.0,
            right: 4.0,
            bottom: 6.0,
        };
        assert_eq!(a.iou(&none), 0.0);
        assert!(!none.is_proper());
    }
}
