//! What is known of a camera: what its maker says ([`CameraProfile`]), and what somebody measured
//! with a blackbody where it stands ([`Calibration`]).
//!
//! A calibration's level is never applied: it wanders by kelvins within a day, and the blackbody in
//! view gives it anew in every frame. What stays is the gain: how many kelvin the scene moves for
//! each kelvin that the camera reads. It is judged, not applied either: near the set point it makes
//! hundredths of a kelvin (2 % over 1 K), while its own uncertainty is mostly larger than that. A
//! camera whose gain is off by more than [`MOST_GAIN_ERROR`] is not fit for this.

use super::radiometry::{CountScale, Emissivity};
use crate::clock::WallTime;
use crate::units::{Celsius, ReferenceTemperature, StandardUncertainty, TemperatureDelta};
use std::fmt;

/// A gain that is off 1 by more cannot be mended by one reference: 2 % (Healy et al. 2021 ask for
/// the same slope).
pub const MOST_GAIN_ERROR: f64 = 0.02;

/// Standard uncertainty of the gain where it was not measured: ± 2 %, rectangular.
pub const U_GAIN_UNKNOWN: f64 = 0.0115;

/// Set points of one calibration, at most.
pub const MOST_POINTS: usize = 8;

const DAY_MS: i64 = WallTime::DAY_MS;

/// Lens and sensor: how places in the picture lie in the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optics {
    /// Angle across the longer side of the picture, degrees.
    pub field_of_view_deg: f64,
    /// Pixels along the longer side, for which the angle holds.
    pub width: u32,
    /// Pixels along the shorter side.
    pub height: u32,
    /// Size of source: σ of the Gaussian that lens and pixel spread a point over, pixels.
    pub blur_px: f64,
}

impl Optics {
    /// FLIR Lepton 3.5; the same as in `calibration/cameras/lepton-3.5.toml`, with its sources.
    pub const LEPTON_3_5: Self = Self {
        field_of_view_deg: 57.0,
        width: 160,
        height: 120,
        blur_px: 0.6,
    };

    /// Focal length in pixels of a picture whose longer side has so many.
    #[must_use]
    pub fn focal_px(&self, longer_side: usize) -> f64 {
        let half = 0.5 * self.field_of_view_deg.to_radians();
        0.5 * longer_side as f64 / half.tan()
    }
}

/// Vendor and product of a USB device; what `lsusb` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsbId {
    /// Who made it, or the chip in it.
    pub vendor: u16,
    /// What it is.
    pub product: u16,
}

impl UsbId {
    /// From `1e4e:0100`: four hexadecimal digits each.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let digits = |text: &str| {
            let plain = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            plain.then(|| u16::from_str_radix(text, 16).ok()).flatten()
        };
        let (vendor, product) = text.split_once(':')?;
        Some(Self {
            vendor: digits(vendor)?,
            product: digits(product)?,
        })
    }
}

impl fmt::Display for UsbId {
    /// `1e4e:0100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)
    }
}

/// How a camera packs its counts into the frames that it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// 16-bit counts, row by row.
    #[default]
    Y16,
    /// The same with a Lepton's rows of telemetry below, where the camera offers them.
    Lepton,
    /// A picture for people in the upper half of the frame, the counts in the lower half (InfiRay
    /// P2 Pro, Topdon TC001).
    Halves,
    /// The counts above a picture for people of twice the width and height (Topdon TC002C).
    Bands,
}

/// How a camera is told from others, and how it sends its picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// What such cameras are on the USB; none where that is not known.
    pub usb: Vec<UsbId>,
    /// How the counts are packed.
    pub layout: Layout,
}

/// A camera as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraProfile {
    /// What it is called.
    pub name: String,
    /// How it is found and how its frames are read.
    pub connection: Connection,
    /// What a count means.
    pub scale: CountScale,
    /// Lens and sensor.
    pub optics: Optics,
    /// Noise of one pixel in one frame (one standard deviation), K.
    pub netd_k: f64,
    /// Of the difference that two places of the picture read of the same temperature.
    pub u_uniformity: StandardUncertainty,
    /// What was measured on site; `None`: nothing yet.
    pub calibration: Option<Calibration>,
}

/// The blackbody that a camera was calibrated with.
#[derive(Clone, Debug, PartialEq)]
pub struct BlackbodyUsed {
    /// Make and serial number.
    pub name: String,
    /// Of its surface; 1 where the set point is given as apparent temperature.
    pub emissivity: Emissivity,
    /// Of its set point, from its certificate.
    pub u_certificate: StandardUncertainty,
    /// Of its evenness across the surface.
    pub u_evenness: StandardUncertainty,
}

/// What the camera read at one set point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetPoint {
    /// What the blackbody was set to.
    pub set: ReferenceTemperature,
    /// What the camera read of it, uncorrected: the mean over the frames.
    pub read: ReferenceTemperature,
    /// Standard deviation of the frames' readings.
    pub deviation: TemperatureDelta,
}

/// What was measured with a blackbody where the camera stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The day on which it was made; its first moment, UTC.
    pub made: WallTime,
    /// The last day on which it holds; its first moment, UTC.
    pub valid_until: WallTime,
    /// The room, which a blackbody of less than ideal emissivity reflects.
    pub room: Celsius,
    /// With what.
    pub blackbody: BlackbodyUsed,
    /// One to [`MOST_POINTS`] set points.
    pub points: Vec<SetPoint>,
}

/// How the scene moves with what the camera reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Kelvin of the scene for each kelvin read.
    pub value: f64,
    /// Its standard uncertainty.
    pub u: f64,
    /// Largest distance of a set point from the straight line, K; zero with two points or fewer.
    pub residual_k: f64,
}

impl Gain {
    /// Of a camera of which nobody measured it.
    pub const UNKNOWN: Self = Self {
        value: 1.0,
        u: U_GAIN_UNKNOWN,
        residual_k: 0.0,
    };

    /// Whether one reference in view is enough for this camera.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        (self.value - 1.0).abs() <= MOST_GAIN_ERROR
    }
}

impl CameraProfile {
    /// What is known of the gain.
    #[must_use]
    pub fn gain(&self) -> Gain {
        self.calibration
            .as_ref()
            .map_or(Gain::UNKNOWN, Calibration::gain)
    }
}

impl Calibration {
    /// Least squares of what the blackbody looked like against what was read of it. Unknown where
    /// the set points are one, or all the same.
    #[must_use]
    pub fn gain(&self) -> Gain {
        let n = self.points.len() as f64;
        let pairs: Vec<(f64, f64)> = self
            .points
            .iter()
            .map(|point| (point.read.degrees(), self.apparent(point).degrees()))
            .collect();
        let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        let (mean_read, mean_true) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let sum = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
        let spread = sum(&|(read, _)| (read - mean_read).powi(2));
        if pairs.len() < 2 || spread < 1e-6 {
            return Gain::UNKNOWN;
        }
        let value = sum(&|(read, it)| (read - mean_read) * (it - mean_true)) / spread;
        let off = |(read, it): &(f64, f64)| (it - mean_true - value * (read - mean_read)).abs();
        let u_point = StandardUncertainty::combined(&[
            self.blackbody.u_certificate.kelvin(),
            self.blackbody.u_evenness.kelvin(),
            // Set points are read one after the other, so that what the frames disagree by, drift
            // included, stands between them.
            self.points
                .iter()
                .map(|point| point.deviation.kelvin())
                .fold(0.0, f64::max),
        ]);
        Gain {
            value,
            u: u_point.kelvin() / spread.sqrt(),
            residual_k: if pairs.len() > 2 {
                pairs.iter().map(off).fold(0.0, f64::max)
            } else {
                0.0
            },
        }
    }

    /// What an ideal camera would have read at this set point.
    #[must_use]
    pub fn apparent(&self, point: &SetPoint) -> Celsius {
        let ReferenceTemperature(surface) = point.set;
        self.blackbody.emissivity.apparent(surface, self.room)
    }

    /// The first moment at which it no longer holds: the end of its last day.
    #[must_use]
    pub const fn expires(&self) -> WallTime {
        WallTime((self.valid_until.0.div_euclid(DAY_MS) + 1).saturating_mul(DAY_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: i64 = 20_000 * DAY_MS;

    fn calibration(points: &[(f64, f64)]) -> Calibration {
        Calibration {
            made: WallTime(TODAY),
            valid_until: WallTime(TODAY + 14 * DAY_MS),
            room: Celsius::literal(23.0),
            blackbody: BlackbodyUsed {
                name: "test".to_owned(),
                emissivity: Emissivity::BLACKBODY,
                u_certificate: StandardUncertainty::literal(0.03),
                u_evenness: StandardUncertainty::literal(0.0),
            },
            points: points
                .iter()
                .map(|&(set, read)| SetPoint {
                    set: ReferenceTemperature(Celsius::literal(set)),
                    read: ReferenceTemperature(Celsius::literal(read)),
                    deviation: TemperatureDelta::literal(0.04),
                })
                .collect(),
        }
    }

    #[test]
    fn the_gain_is_the_slope_of_truth_over_reading() {
        let gain = calibration(&[(35.0, 33.0), (39.0, 36.9)]).gain();
        assert!((gain.value - 4.0 / 3.9).abs() < 1e-12);
        // √(0.03² + 0.04²) over √(2 · 1.95²).
        assert!((gain.u - 0.05 / (2.0 * 1.95_f64.powi(2)).sqrt()).abs() < 1e-12);
        assert_eq!(gain.residual_k, 0.0);
        assert!(!gain.is_fit());
        let bent = calibration(&[(33.0, 31.0), (35.0, 33.0), (37.0, 35.09), (39.0, 37.0)]).gain();
        assert!(
            bent.is_fit() && (0.04..0.09).contains(&bent.residual_k),
            "{bent:?}"
        );
    }

    #[test]
    fn one_set_point_says_nothing_of_the_gain() {
        for points in [&[(35.0, 33.0)][..], &[(35.0, 33.0), (39.0, 33.0)], &[]] {
            assert_eq!(calibration(points).gain(), Gain::UNKNOWN);
        }
    }

    #[test]
    fn a_painted_plate_is_taken_for_what_it_looks_like() {
        let mut painted = calibration(&[(35.0, 33.0), (39.0, 36.9)]);
        painted.blackbody.emissivity = Emissivity::SKIN;
        // It gives 2 % less of what it has above the room, so the same reading means less.
        let share = painted.gain().value / calibration(&[(35.0, 33.0), (39.0, 36.9)]).gain().value;
        assert!((0.975..0.985).contains(&share), "{share}");
    }

    #[test]
    fn it_holds_to_the_end_of_its_last_day() {
        let it = calibration(&[]);
        let at = |days: i64, ms: i64| WallTime(TODAY + days * DAY_MS + ms);
        assert_eq!(it.expires(), at(15, 0));
    }

    #[test]
    fn a_focal_length_is_that_of_the_angle() {
        // 57° over 160 pixels: a face of 0.15 m at 1 m is 22 pixels wide.
        let focal = Optics::LEPTON_3_5.focal_px(160);
        assert!((focal * 0.15 - 22.1).abs() < 0.05, "{focal}");
        assert!((Optics::LEPTON_3_5.focal_px(320) - 2.0 * focal).abs() < 1e-9);
    }
}
