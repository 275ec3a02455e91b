//! A picture of temperatures: as the sensor gave it ([`RawFrame`]) and as it is believed
//! ([`ThermalFrame`]).

use super::path::Path;
use crate::clock::Stamp;
use crate::units::{
    AmbientTemperature, Celsius, PixelPoint, ReferenceTemperature, StandardUncertainty,
    TemperatureDelta,
};
use ndarray::Array2;
use std::time::Duration;

/// One frame of a camera, upright, before any physics.
#[derive(Clone, Debug, PartialEq)]
pub struct RawFrame {
    /// When the frame was taken, as the gateway sees it.
    pub stamp: Stamp,
    /// The camera's running number of this frame; gaps are frames that were lost on the way.
    pub sequence: u64,
    /// Sensor counts, rows × columns (height × width). What a count means is the camera's
    /// [`CountScale`](super::radiometry::CountScale).
    pub counts: Array2<u16>,
    /// What the camera said of itself.
    pub telemetry: Telemetry,
}

/// What a camera says of itself beside the picture. `None`: this camera does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// Since the camera was switched on.
    pub time_on: Option<Duration>,
    /// `time_on` of the last flat-field correction (FFC, the shutter event).
    pub last_ffc: Option<Duration>,
    /// Whether the shutter is closed in this very frame.
    pub shutter_closed: Option<bool>,
    /// Whether the camera wishes for a flat-field correction, or is about to make one.
    pub ffc_wanted: Option<bool>,
    /// The sensor's own count of frames, which wraps; it stands still where a frame is sent twice.
    pub frame: Option<u32>,
    /// Focal plane array.
    pub fpa: Option<Celsius>,
    /// Housing.
    pub housing: Option<Celsius>,
}

/// Why a frame may, or may not, be measured. Only `Good` yields a temperature; `NoReference` at most a
/// difference between people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameHealth {
    /// Reference in view and steady: measure.
    Good,
    /// The reference was not found yet since the start.
    Searching,
    /// The reference was there and is now covered, moved or gone.
    ReferenceLost,
    /// The reference is in view, but its temperature is not what it was.
    ReferenceUnstable,
    /// Both references are in view, but what the camera reads of them does not fit their set points.
    ReferencesDisagree,
    /// Reference and picture are in order, but the calibration has run out.
    CalibrationExpired,
    /// No reference is configured: without one there is no absolute temperature.
    NoReference,
    /// The shutter is closed (FFC).
    Shutter,
    /// Temperatures still slide after an FFC.
    Settling,
    /// The very same picture again: the camera hangs.
    Frozen,
    /// All pixels equal, or nearly all at the end of the scale: no picture.
    Blank,
    /// Not the size that this camera had before.
    WrongSize,
    /// Most of it is no temperature that a room can have: the counts mean something else than the
    /// camera's profile says, or the camera does not send temperatures.
    WrongScale,
}

impl FrameHealth {
    /// Every state, for counters and tables of words.
    pub const ALL: [Self; 13] = [
        Self::Good,
        Self::Searching,
        Self::ReferenceLost,
        Self::ReferenceUnstable,
        Self::ReferencesDisagree,
        Self::CalibrationExpired,
        Self::NoReference,
        Self::Shutter,
        Self::Settling,
        Self::Frozen,
        Self::Blank,
        Self::WrongSize,
        Self::WrongScale,
    ];

    /// Whether the frame shows the scene as it is now, so that faces can be looked for in it.
    #[must_use]
    pub const fn has_picture(self) -> bool {
        !matches!(
            self,
            Self::Shutter | Self::Frozen | Self::Blank | Self::WrongSize | Self::WrongScale
        )
    }

    /// The word for it in JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Searching => "searching_reference",
            Self::ReferenceLost => "reference_lost",
            Self::ReferenceUnstable => "reference_unstable",
            Self::ReferencesDisagree => "references_disagree",
            Self::CalibrationExpired => "calibration_expired",
            Self::NoReference => "no_reference",
            Self::Shutter => "shutter",
            Self::Settling => "settling",
            Self::Frozen => "frozen",
            Self::Blank => "blank",
            Self::WrongSize => "wrong_size",
            Self::WrongScale => "wrong_scale",
        }
    }
}

/// The blackbody as seen in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceView {
    /// Centre of its disc.
    pub centre: PixelPoint,
    /// Radius of its disc, pixels.
    pub radius: f32,
    /// What the camera reads of it, uncorrected: the median of its inner disc.
    pub reading: ReferenceTemperature,
    /// Spread of its inner disc (standard deviation), K.
    pub spread: TemperatureDelta,
    /// How far it can be believed.
    pub quality: ReferenceQuality,
}

/// How far the reference of a frame can be believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceQuality {
    /// 0 (not at all) to 1: the least of its parts, each 1 where there is nothing against it and 0
    /// where the frame is refused.
    pub score: f32,
    /// What speaks most against it; `None` where nothing does.
    pub flaw: Option<ReferenceFlaw>,
}

impl ReferenceQuality {
    /// The worst of these flaws, each with what it leaves of the score.
    #[must_use]
    pub(super) fn worst(flaws: &[(ReferenceFlaw, f32)]) -> Self {
        let worst = flaws.iter().min_by(|(_, a), (_, b)| a.total_cmp(b));
        let score = worst.map_or(1.0, |(_, score)| score.clamp(0.0, 1.0));
        Self {
            score,
            // Half of what is borne is used up.
            flaw: worst.filter(|_| score < 0.5).map(|(flaw, _)| *flaw),
        }
    }
}

/// What can be wrong with a reference in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceFlaw {
    /// Something stands before a part of it, or touches its edge.
    Occluded,
    /// It is no longer where it was.
    Moved,
    /// Its temperature is not what it was: it moves against the scene, or is uneven.
    Unstable,
    /// It reads further from its set point than such a camera does, or than the other one allows.
    OffSetPoint,
}

/// One frame in degrees: apparent (blackbody-equivalent) temperatures, shifted so that the
/// reference reads its set point.
#[derive(Clone, Debug, PartialEq)]
pub struct ThermalFrame {
    /// As in the raw frame.
    pub stamp: Stamp,
    /// As in the raw frame.
    pub sequence: u64,
    /// °C, rows × columns; every element is finite.
    pub celsius: Array2<f32>,
    /// Whether a reading may be taken.
    pub health: FrameHealth,
    /// The reference, where it is in view.
    pub reference: Option<ReferenceView>,
    /// The second one, where there are two.
    pub second: Option<ReferenceView>,
    /// What was added to every pixel, with two references in the middle between them; zero while there
    /// is no reference.
    pub offset: TemperatureDelta,
    /// The room: as the site's thermometer says it, else as the picture shows it.
    pub scene: Option<AmbientTemperature>,
    /// Of the room's temperature, as [`Room::u`](super::Room::u) says it.
    pub ambient_u: StandardUncertainty,
    /// What lies between the picture and the skin in it.
    pub path: Path,
}

impl ThermalFrame {
    /// What was added to what the camera read of a place that is shown at this temperature.
    #[must_use]
    pub fn offset_at(&self, shown: Celsius) -> TemperatureDelta {
        let levelled = self.path.reference;
        levelled.map_or(self.offset, |it| it.offset_at(shown, self.offset))
    }

    /// Pixels from left to right.
    #[must_use]
    pub fn width(&self) -> usize {
        self.celsius.ncols()
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub fn height(&self) -> usize {
        self.celsius.nrows()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_flaw_counts_and_is_named_once_half_is_used_up() {
        let both = |occluded, moved| {
            let flaws = [
                (ReferenceFlaw::Occluded, occluded),
                (ReferenceFlaw::Moved, moved),
            ];
            let ReferenceQuality { score, flaw } = ReferenceQuality::worst(&flaws);
            (score, flaw)
        };
        assert_eq!(both(1.5, 2.0), (1.0, None));
        assert_eq!(both(0.9, 0.5), (0.5, None));
        assert_eq!(both(0.9, 0.49), (0.49, Some(ReferenceFlaw::Moved)));
        assert_eq!(both(-0.2, 0.3), (0.0, Some(ReferenceFlaw::Occluded)));
        assert_eq!(ReferenceQuality::worst(&[]).score, 1.0);
    }
}
