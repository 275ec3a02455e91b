//! What a FLIR Lepton says of itself: the rows of telemetry below its picture.
//!
//! They come as a flat list of 16-bit words: row A is words 0 to 79, B 80 to 159, C 160 to 239, of a
//! Lepton 3 also D. Numbers of 32 bits have their lower word first; temperatures are kelvin times
//! 100. In a picture 160 pixels wide two of these rows stand in each row of the picture, in one 80
//! pixels wide one.
//!
//! Source: FLIR Lepton Engineering Datasheet, 500-0659-00-09 rev. 203, "Telemetry", tables 2 (data)
//! and 3 (status bits); the board's side in groupgets/purethermal1-firmware (`Inc/lepton.h`).
//!
//! Rows that cannot be telemetry give nothing: other software crashes on them (flirpy's issues 23
//! and 107), and no reading depends on them here.

use crate::thermal::Telemetry;
use crate::thermal::radiometry::CountScale;
use crate::units::Celsius;
use std::time::Duration;

/// Words that are read: rows A to C.
pub const WORDS: usize = 240;

// Where a value stands, from the first word on.
const UPTIME: usize = 1;
const STATUS: usize = 3;
const FRAME: usize = 20;
const FPA: usize = 24;
const HOUSING: usize = 26;
const LAST_FFC: usize = 30;
const EFFECTIVE_GAIN: usize = 160 + 6;
const TLINEAR: usize = 160 + 48;
const RESOLUTION: usize = 160 + 49;

/// Temperatures that a sensor which works can have, K × 100. The datasheet allows −10 to 80 °C for
/// operation and −40 for storage; more, and the row is something else.
const SENSOR_CK: std::ops::RangeInclusive<u16> = 22_315..=38_315;

/// Revision of the format: 14.9 in the datasheet. Counts of a room are above 100 here.
const MOST_REVISION: u16 = 63;

/// Corners of the region that AGC looks at, in pixels; a picture's counts are far above.
const AGC_REGION: std::ops::RangeInclusive<usize> = 34..=37;
const MOST_PIXELS: u16 = 1024;

/// Where the flat-field correction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ffc {
    /// None was made since the camera was switched on.
    Never,
    /// One comes in about 2 s.
    Imminent,
    /// The shutter is closed.
    InProgress,
    /// The last one is over.
    Complete,
}

/// What a count means, as the camera says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TLinear {
    /// No temperature at all.
    Off,
    /// 0.1 K.
    Tenths,
    /// 0.01 K.
    Hundredths,
}

impl TLinear {
    /// The scale, where there is one.
    #[must_use]
    pub const fn scale(self) -> Option<CountScale> {
        match self {
            Self::Off => None,
            Self::Tenths => Some(CountScale::DeciKelvin),
            Self::Hundredths => Some(CountScale::CentiKelvin),
        }
    }
}

/// One frame's telemetry, as far as anything depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Since the camera was switched on; wraps after 2³² ms.
    pub uptime: Duration,
    /// Uptime at the last flat-field correction.
    pub last_ffc: Duration,
    /// Where the flat-field correction is.
    pub ffc: Ffc,
    /// The camera wishes for one.
    pub ffc_desired: bool,
    /// Counts are stretched for looking at: no temperatures.
    pub agc: bool,
    /// Too cold or too warm for the shutter to move.
    pub shutter_locked: bool,
    /// It switches itself off within 10 s.
    pub overheated: bool,
    /// The sensor's count of frames, about 26 a second, of which every third is sent.
    pub frame: u32,
    /// Focal plane array.
    pub fpa: Celsius,
    /// Housing; a Lepton 3 does not say.
    pub housing: Option<Celsius>,
    /// In the range for hot scenes, which is good to ± 10 K only.
    pub low_gain: bool,
    /// What a count means.
    pub tlinear: TLinear,
}

impl Report {
    /// Reads the words below a picture; `None` where these are no telemetry.
    #[must_use]
    pub fn read(words: &[u16]) -> Option<Self> {
        let words: &[u16; WORDS] = words.get(..WORDS)?.try_into().ok()?;
        let long = |at: usize| (u32::from(words[at + 1]) << 16) | u32::from(words[at]);
        let milliseconds = |at: usize| Duration::from_millis(u64::from(long(at)));
        let kelvin = |at: usize| Celsius::new(f64::from(words[at]) / 100.0 - 273.15);
        let [minor_and_major, ..] = words;
        let is_telemetry = minor_and_major >> 8 <= MOST_REVISION
            && SENSOR_CK.contains(&words[FPA])
            && words[AGC_REGION].iter().all(|pixel| *pixel < MOST_PIXELS);
        if !is_telemetry {
            return None;
        }
        let status = long(STATUS);
        let bit = |number: u32| (status >> number) & 1 == 1;
        Some(Self {
            uptime: milliseconds(UPTIME),
            last_ffc: milliseconds(LAST_FFC),
            ffc: match (status >> 4) & 3 {
                0 => Ffc::Never,
                1 => Ffc::Imminent,
                2 => Ffc::InProgress,
                _ => Ffc::Complete,
            },
            ffc_desired: bit(3),
            agc: bit(12),
            shutter_locked: bit(15),
            overheated: bit(20),
            frame: long(FRAME),
            fpa: kelvin(FPA)?,
            housing: SENSOR_CK
                .contains(&words[HOUSING])
                .then(|| kelvin(HOUSING))
                .flatten(),
            low_gain: words[EFFECTIVE_GAIN] == 1,
            tlinear: match (words[TLINEAR], words[RESOLUTION]) {
                (0, _) => TLinear::Off,
                (_, 0) => TLinear::Tenths,
                _ => TLinear::Hundredths,
            },
        })
    }

    /// What the rest of the gateway goes by.
    #[must_use]
    pub fn telemetry(&self) -> Telemetry {
        Telemetry {
            time_on: Some(self.uptime),
            last_ffc: (self.ffc != Ffc::Never).then_some(self.last_ffc),
            shutter_closed: Some(self.ffc == Ffc::InProgress),
            ffc_wanted: Some(self.ffc_desired || self.ffc == Ffc::Imminent),
            frame: Some(self.frame),
            fpa: Some(self.fpa),
            housing: self.housing,
        }
    }

    /// What keeps this camera from being measured with, and what to do. Whether its counts are
    /// temperatures is judged by the counts themselves; this says why.
    #[must_use]
    pub fn complaint(&self, scale: CountScale) -> Option<&'static str> {
        if self.overheated {
            return Some("it is too hot and is about to switch itself off: give it air");
        }
        if self.agc {
            return Some(
                "it stretches the picture for looking at (AGC), so that its counts are no \
                 temperatures: switch AGC off",
            );
        }
        if self.tlinear == TLinear::Off {
            return Some(
                "its counts are no temperatures (TLinear is off): switch TLinear on; only Lepton 2.5, \
                 3.1R and 3.5 can",
            );
        }
        if self.tlinear.scale() != Some(scale) {
            return Some(
                "its counts are of another resolution than its profile says: write scale = \
                 \"decikelvin\" below [camera], or set its TLinear resolution to 0.01",
            );
        }
        if self.low_gain {
            return Some(
                "it is in the range for hot scenes (low gain), which is good to 10 K only: set \
                 high gain",
            );
        }
        if self.shutter_locked {
            return Some(
                "it is too cold or too warm to move its shutter: bring it to between -10 and 65 °C",
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Row by row as the datasheet's tables have it, of a camera that has run for 70 000 ms.
    fn words() -> Vec<u16> {
        let mut words = vec![0; 320];
        words[0] = 0x0e09;
        (words[1], words[2]) = (4_464, 1);
        (words[3], words[4]) = (0b11 << 4, 0);
        (words[20], words[21]) = (1, 2);
        words[24] = 30_215;
        words[26] = 29_915;
        words[34..38].copy_from_slice(&[0, 0, 119, 159]);
        (words[30], words[31]) = (5_000, 0);
        (words[160 + 48], words[160 + 49]) = (1, 1);
        words
    }

    fn read(change: impl FnOnce(&mut Vec<u16>)) -> Report {
        let mut words = words();
        change(&mut words);
        Report::read(&words).unwrap()
    }

    #[test]
    fn every_value_stands_where_the_datasheet_has_it() {
        let report = read(|_| {});
        assert_eq!(report.uptime, Duration::from_secs(70));
        assert_eq!(report.last_ffc, Duration::from_secs(5));
        assert_eq!(report.frame, 131_073);
        assert!((report.fpa.degrees() - 29.0).abs() < 1e-9);
        assert!(
            report
                .housing
                .is_some_and(|it| (it.degrees() - 26.0).abs() < 1e-9)
        );
        assert_eq!(
            (report.ffc, report.tlinear),
            (Ffc::Complete, TLinear::Hundredths)
        );
        assert_eq!(report.complaint(CountScale::CentiKelvin), None);
        assert_eq!(
            report.telemetry(),
            Telemetry {
                time_on: Some(Duration::from_secs(70)),
                last_ffc: Some(Duration::from_secs(5)),
                shutter_closed: Some(false),
                ffc_wanted: Some(false),
                frame: Some(131_073),
                fpa: Some(report.fpa),
                housing: report.housing,
            }
        );
    }

    #[test]
    fn the_shutter_is_told_by_its_state() {
        for (state, ffc, closed, wanted) in [
            (0, Ffc::Never, false, false),
            (1, Ffc::Imminent, false, true),
            (2, Ffc::InProgress, true, false),
            (3, Ffc::Complete, false, false),
        ] {
            let report = read(|words| words[3] = state << 4);
            assert_eq!(report.ffc, ffc);
            let telemetry = report.telemetry();
            assert_eq!(telemetry.shutter_closed, Some(closed));
            assert_eq!(telemetry.ffc_wanted, Some(wanted));
            assert_eq!(telemetry.last_ffc.is_some(), ffc != Ffc::Never);
        }
        let desired = read(|words| words[3] |= 1 << 3);
        assert_eq!(desired.telemetry().ffc_wanted, Some(true));
    }

    #[test]
    fn what_is_wrong_with_a_camera_is_said() {
        let said = |change: fn(&mut Vec<u16>)| {
            let complaint = read(change).complaint(CountScale::CentiKelvin);
            complaint.unwrap_or_default()
        };
        assert!(said(|words| words[160 + 48] = 0).contains("TLinear is off"));
        assert!(said(|words| words[160 + 49] = 0).contains("decikelvin"));
        assert!(said(|words| words[160 + 6] = 1).contains("low gain"));
        assert!(said(|words| words[3] |= 1 << 12).contains("AGC"));
        assert!(said(|words| words[3] |= 1 << 15).contains("shutter"));
        assert!(said(|words| words[4] |= 1 << 4).contains("too hot"));
        let tenths = read(|words| words[160 + 49] = 0);
        assert_eq!(tenths.complaint(CountScale::DeciKelvin), None);
    }

    #[test]
    fn a_lepton_3_says_nothing_of_its_housing() {
        assert_eq!(read(|words| words[26] = 0).housing, None);
    }

    #[test]
    fn what_is_no_telemetry_gives_none() {
        assert_eq!(Report::read(&[]), None);
        assert_eq!(Report::read(&words()[..239]), None);
        assert_eq!(Report::read(&[0; 320]), None, "rows that were left empty");
        assert_eq!(Report::read(&[u16::MAX; 320]), None);
        assert_eq!(
            Report::read(&[29_515; 320]),
            None,
            "two more rows of a picture"
        );
        assert!(
            Report::read(&words()[..240]).is_some(),
            "three rows of a Lepton 2"
        );
    }

    proptest! {
        #[test]
        fn no_rows_bring_the_reader_down(words in proptest::collection::vec(any::<u16>(), 0..400)) {
            if let Some(report) = Report::read(&words) {
                let _ = report.telemetry();
                let _ = report.complaint(CountScale::CentiKelvin);
            }
        }
    }
}
