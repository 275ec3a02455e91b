//! The first stage of the pipeline: raw frames in, believable temperatures out.

use super::frame::{
    FrameHealth, RawFrame, ReferenceFlaw, ReferenceQuality, ReferenceView, ThermalFrame,
};
use super::health::{PictureCheck, PictureFault, SteadyCheck};
use super::path::{LevelledBy, Path};
use super::profile::Optics;
use super::radiometry::{CountScale, Emissivity};
use super::reference::{ReferenceSettings, ReferenceState, ReferenceTracker};
use super::room::{Room, seen_in};
use super::watch::{TOLERANCE_K, Watch};
use crate::clock::{Stamp, WallTime};
use crate::units::{
    AmbientTemperature, Celsius, PixelPoint, ReferenceTemperature, TemperatureDelta,
};
use ndarray::Array2;

/// Weight of one frame in the running value of the room: about 10 s at 9 frames a second.
const ROOM_WEIGHT: f64 = 0.01;

/// What the radiometer must know of camera and site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadiometerSettings {
    /// What a count means.
    pub scale: CountScale,
    /// Lens and sensor.
    pub optics: Optics,
    /// The reference in view; without one no frame is ever `Good`.
    pub reference: Option<ReferenceSettings>,
    /// The room at the gate.
    pub room: Room,
    /// When the camera's calibration runs out; `None` where it has none. The wall clock decides, be
    /// it trusted or not: a clock that is wrong by a year is mended sooner than a sensor that is.
    pub calibration_expires: Option<WallTime>,
}

impl Default for RadiometerSettings {
    /// A Lepton 3.5, the usual blackbody, a room of which nobody says anything.
    fn default() -> Self {
        Self {
            scale: CountScale::CentiKelvin,
            optics: Optics::LEPTON_3_5,
            reference: Some(ReferenceSettings::default()),
            room: Room::default(),
            calibration_expires: None,
        }
    }
}

/// Turns raw frames into temperatures and says whether they may be measured.
#[derive(Clone, Debug)]
pub struct Radiometer {
    settings: RadiometerSettings,
    lookup: Vec<f32>,
    picture: PictureCheck,
    steady: SteadyCheck,
    watch: Watch,
    place: Option<PixelPoint>,
    reference: Option<ReferenceTracker>,
    offset: TemperatureDelta,
    scene: Option<f64>,
}

impl Radiometer {
    /// Knows nothing of the scene yet.
    #[must_use]
    pub fn new(settings: RadiometerSettings) -> Self {
        Self {
            lookup: (0..=u16::MAX)
                .map(|count| settings.scale.celsius(count))
                .collect(),
            picture: PictureCheck::new(settings.scale),
            steady: SteadyCheck::default(),
            watch: Watch::default(),
            place: None,
            reference: settings.reference.map(ReferenceTracker::new),
            offset: TemperatureDelta::ZERO,
            scene: None,
            settings,
        }
    }

    fn has_expired(&self, now: WallTime) -> bool {
        let expires = self.settings.calibration_expires;
        expires.is_some_and(|expires| now >= expires)
    }

    /// One frame. The offset of a frame comes from that frame's own reference, so that drift and
    /// steps that scene and reference share cancel exactly.
    pub fn step(&mut self, raw: &RawFrame) -> ThermalFrame {
        let mut celsius = raw.counts.mapv(|count| self.lookup[usize::from(count)]);
        if let Some(fault) = self.picture.step(raw) {
            let health = match fault {
                PictureFault::WrongSize => FrameHealth::WrongSize,
                PictureFault::WrongScale => FrameHealth::WrongScale,
                PictureFault::Blank => FrameHealth::Blank,
                PictureFault::Frozen => FrameHealth::Frozen,
                PictureFault::Shutter => FrameHealth::Shutter,
            };
            celsius += self.offset.kelvin() as f32;
            return self.frame(raw, celsius, health, None);
        }
        let state = self
            .reference
            .as_mut()
            .map(|tracker| tracker.step(&celsius));
        let mut view = match state {
            Some(ReferenceState::InView(view)) => Some(view),
            _ => None,
        };
        let steady = self
            .steady
            .step(raw, view.map(|v| v.reading.degrees() as f32));
        let stable = match &mut view {
            Some(view) => self.watched(raw.stamp, &celsius, view),
            None => true,
        };
        let health = match (state, steady) {
            (Some(ReferenceState::InView(_)), _) if !stable => FrameHealth::ReferenceUnstable,
            (None, _) => FrameHealth::NoReference,
            (Some(ReferenceState::Searching), _) => FrameHealth::Searching,
            (Some(ReferenceState::Lost), _) => FrameHealth::ReferenceLost,
            (Some(ReferenceState::InView(_)), steady) if !steady || self.watch.has_jumped() => {
                FrameHealth::Settling
            }
            (Some(ReferenceState::InView(_)), _) if self.has_expired(raw.stamp.wall) => {
                FrameHealth::CalibrationExpired
            }
            (Some(ReferenceState::InView(_)), _) => FrameHealth::Good,
        };
        if let (Some(view), Some(settings)) = (view, self.settings.reference) {
            self.offset = self.apparent(&settings) - view.reading.0;
        }
        celsius += self.offset.kelvin() as f32;
        if view.is_some() || self.reference.is_none() {
            self.look_at_the_room(&celsius);
        }
        self.frame(raw, celsius, health, view)
    }

    /// Whether the reference still has the temperature that it had; says so in its quality.
    fn watched(&mut self, now: Stamp, celsius: &Array2<f32>, view: &mut ReferenceView) -> bool {
        let there = view.centre;
        // While it is followed it has one place; found anew, its reading may differ by a tenth for the
        // pixels' sake alone.
        if self.place != Some(there) {
            self.watch.forget();
            self.place = Some(there);
        }
        let reading = view.reading.degrees() as f32;
        let shuttered = self.steady.is_shuttered();
        let stable = self.watch.step(now, celsius, reading, shuttered);
        let left = if stable {
            1.0 - self.watch.deviation().abs() / TOLERANCE_K
        } else {
            0.0
        };
        if left < view.quality.score {
            view.quality = ReferenceQuality::worst(&[(ReferenceFlaw::Unstable, left)]);
        }
        stable
    }

    /// What the reference looks like from close by.
    fn apparent(&self, settings: &ReferenceSettings) -> Celsius {
        let ReferenceTemperature(surface) = settings.set_point;
        if settings.emissivity == Emissivity::BLACKBODY {
            return surface;
        }
        let room = self
            .settings
            .room
            .reflected
            .or_else(|| self.scene_temperature().map(|AmbientTemperature(air)| air));
        settings
            .emissivity
            .apparent(surface, room.unwrap_or(surface))
    }

    fn path(&self, (rows, cols): (usize, usize)) -> Path {
        let Room {
            reflected,
            humidity_percent,
            ..
        } = self.settings.room;
        Path {
            humidity_percent,
            reflected,
            reference: self.settings.reference.map(|settings| LevelledBy {
                apparent: self.apparent(&settings),
                distance_m: settings.distance_m,
            }),
            focal_px: self.settings.optics.focal_px(rows.max(cols)),
            blur_px: self.settings.optics.blur_px,
        }
    }

    fn scene_temperature(&self) -> Option<AmbientTemperature> {
        self.settings
            .room
            .ambient
            .or_else(|| self.scene.and_then(Celsius::new).map(AmbientTemperature))
    }

    fn look_at_the_room(&mut self, celsius: &Array2<f32>) {
        let Some(now) = seen_in(celsius) else {
            return;
        };
        self.scene = Some(match self.scene {
            Some(scene) => scene + ROOM_WEIGHT * (now - scene),
            None => now,
        });
    }

    fn frame(
        &self,
        raw: &RawFrame,
        celsius: Array2<f32>,
        health: FrameHealth,
        reference: Option<ReferenceView>,
    ) -> ThermalFrame {
        ThermalFrame {
            stamp: raw.stamp,
            sequence: raw.sequence,
            celsius,
            health,
            reference,
            offset: self.offset,
            scene: self.scene_temperature(),
            ambient_u: self.settings.room.u,
            path: self.path(raw.counts.dim()),
        }
    }
}

#[cfg(test)]
mod tests;
