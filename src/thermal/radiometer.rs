//! The first stage of the pipeline: raw frames in, believable temperatures out.

use super::frame::{
    FrameHealth, RawFrame, ReferenceFlaw, ReferenceQuality, ReferenceView, ThermalFrame,
};
use super::health::{PictureCheck, PictureFault, SteadyCheck};
use super::pair::{Level, Pair, Sight};
use super::path::{LevelledBy, Path, Slope};
use super::profile::Optics;
use super::radiometry::{CountScale, Emissivity};
use super::reference::{ReferenceSettings, ReferenceState, ReferenceTracker};
use super::room::{Room, seen_in};
use super::watch::Watch;
use crate::clock::{Stamp, WallTime};
use crate::units::{
    AmbientTemperature, Celsius, PixelPoint, ReferenceTemperature, TemperatureDelta,
};
use ndarray::Array2;

/// Weight of one frame in the running value of the room: about 10 s at 9 frames a second.
const ROOM_WEIGHT: f64 = 0.01;

/// Where the level is watched for steadiness, as shown: the usual set point.
const STEADY_AT: Celsius = Celsius::literal(37.0);

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
    watched: [Watched; 2],
    references: References,
    level: Option<Level>,
    scene: Option<f64>,
}

/// How many there are, and how they are followed.
#[derive(Clone, Debug)]
enum References {
    None,
    One(ReferenceTracker),
    Two(Pair),
}

/// One reference under watch, while it stands in one place.
#[derive(Clone, Debug, Default)]
struct Watched {
    watch: Watch,
    place: Option<PixelPoint>,
}

impl Radiometer {
    /// Knows nothing of the scene yet.
    #[must_use]
    pub fn new(settings: RadiometerSettings) -> Self {
        let references = match settings.reference {
            None => References::None,
            Some(reference) => match reference.both() {
                Some([first, second]) => References::Two(Pair::new([first.0, second.0])),
                None => References::One(ReferenceTracker::new(reference)),
            },
        };
        Self {
            lookup: (0..=u16::MAX)
                .map(|count| settings.scale.celsius(count))
                .collect(),
            picture: PictureCheck::new(settings.scale),
            steady: SteadyCheck::default(),
            watched: Default::default(),
            references,
            level: None,
            scene: None,
            settings,
        }
    }

    fn has_expired(&self, now: WallTime) -> bool {
        let expires = self.settings.calibration_expires;
        expires.is_some_and(|expires| now >= expires)
    }

    /// One frame. The level of a frame comes from that frame's own reference, so that drift and
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
            self.correct(&mut celsius);
            return self.frame(raw, celsius, health, [None; 2]);
        }
        let mut sight = self.sight(raw.stamp, &celsius);
        // At one temperature, whichever of the references gives it.
        let read = sight.level.map(|level| {
            let away = (STEADY_AT - level.apparent).kelvin() / level.gain;
            (level.reading.degrees() + away) as f32
        });
        let steady = self.steady.step(raw, read);
        if let (References::Two(pair), true) = (&mut self.references, self.steady.is_shuttered()) {
            pair.shuttered();
        }
        let stable = self.watched(raw.stamp, &celsius, &mut sight.views);
        let jumped = self.watched.iter().any(|it| it.watch.has_jumped());
        let health = match sight.trouble {
            Some(trouble) => trouble,
            None if !stable => FrameHealth::ReferenceUnstable,
            None if !steady || jumped => FrameHealth::Settling,
            None if self.has_expired(raw.stamp.wall) => FrameHealth::CalibrationExpired,
            None => FrameHealth::Good,
        };
        // A reference that is not believed does not move the picture either: after one that cools, people
        // would be shown, and looked for, kelvins too warm.
        let believed = stable && sight.trouble.is_none();
        self.level = if believed {
            sight.level.or(self.level)
        } else {
            self.level.or(sight.level)
        };
        self.correct(&mut celsius);
        if sight.level.is_some() || matches!(self.references, References::None) {
            self.look_at_the_room(&celsius);
        }
        self.frame(raw, celsius, health, sight.views)
    }

    /// What is seen of the references, the one of `set_point` first.
    fn sight(&mut self, now: Stamp, celsius: &Array2<f32>) -> Sight {
        let nothing = |trouble| Sight {
            views: [None; 2],
            level: None,
            trouble: Some(trouble),
        };
        let Some(settings) = self.settings.reference else {
            return nothing(FrameHealth::NoReference);
        };
        let apparent = |set_point| self.apparent(settings.emissivity, set_point);
        let one = apparent(settings.set_point);
        let both = settings.both().map(|both| both.map(apparent));
        match (&mut self.references, both) {
            (References::Two(pair), Some(both)) => {
                let mut sight = pair.step(now, celsius, both);
                if settings
                    .both()
                    .is_some_and(|[low, _]| low != settings.set_point)
                {
                    sight.views.reverse();
                }
                sight
            }
            (References::One(tracker), _) => match tracker.step(celsius) {
                ReferenceState::Searching => nothing(FrameHealth::Searching),
                ReferenceState::Lost => nothing(FrameHealth::ReferenceLost),
                ReferenceState::InView(view) => Sight {
                    views: [Some(view), None],
                    level: Some(Level {
                        apparent: one,
                        reading: view.reading.0,
                        gain: 1.0,
                        slope: Slope::Assumed,
                    }),
                    trouble: None,
                },
            },
            (References::None | References::Two(_), _) => nothing(FrameHealth::NoReference),
        }
    }

    /// Whether the references still have the temperatures that they had; says so in their quality.
    fn watched(
        &mut self,
        now: Stamp,
        celsius: &Array2<f32>,
        views: &mut [Option<ReferenceView>; 2],
    ) -> bool {
        let shuttered = self.steady.is_shuttered();
        let mut stable = true;
        for (watched, view) in self.watched.iter_mut().zip(views) {
            if let Some(view) = view {
                stable &= watched.step(now, celsius, view, shuttered);
            }
        }
        stable
    }

    /// Puts the frame where the references say that it is.
    fn correct(&self, celsius: &mut Array2<f32>) {
        let Some(level) = self.level else {
            return;
        };
        let offset = (level.apparent - level.reading).kelvin() as f32;
        let (steeper, there) = (level.gain as f32 - 1.0, level.reading.degrees() as f32);
        celsius.mapv_inplace(|read| read + offset + steeper * (read - there));
    }

    /// What a reference at this set point looks like from close by.
    fn apparent(&self, emissivity: Emissivity, set_point: ReferenceTemperature) -> Celsius {
        let ReferenceTemperature(surface) = set_point;
        if emissivity == Emissivity::BLACKBODY {
            return surface;
        }
        let room = self
            .settings
            .room
            .reflected
            .or_else(|| self.scene_temperature().map(|AmbientTemperature(air)| air));
        emissivity.apparent(surface, room.unwrap_or(surface))
    }

    /// What set the level of this frame; before there was any, what will.
    fn levelled_by(&self, views: [Option<ReferenceView>; 2]) -> Option<LevelledBy> {
        let settings = self.settings.reference?;
        let apparent = self.apparent(settings.emissivity, settings.set_point);
        let usual = LevelledBy::one(apparent, settings.distance_m);
        let Some(level) = self.level else {
            return Some(usual);
        };
        let watched = self
            .watched
            .iter()
            .zip(views)
            .filter(|(_, view)| view.is_some());
        let moved: Vec<f64> = watched
            .map(|(it, _)| f64::from(it.watch.deviation()))
            .collect();
        // The middle between two moves by half of what one of them does.
        let moved = moved.iter().sum::<f64>().abs() / moved.len().max(1) as f64;
        Some(LevelledBy {
            apparent: level.apparent,
            gain: level.gain,
            slope: level.slope,
            moved: TemperatureDelta::new(moved).unwrap_or(TemperatureDelta::ZERO),
            ..usual
        })
    }

    fn path(&self, (rows, cols): (usize, usize), reference: Option<LevelledBy>) -> Path {
        let Room {
            reflected,
            humidity_percent,
            ..
        } = self.settings.room;
        Path {
            humidity_percent,
            reflected,
            reference,
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
        views: [Option<ReferenceView>; 2],
    ) -> ThermalFrame {
        let offset = self.level.map(|it| it.apparent - it.reading);
        ThermalFrame {
            stamp: raw.stamp,
            sequence: raw.sequence,
            celsius,
            health,
            reference: views[0],
            second: views[1],
            offset: offset.unwrap_or(TemperatureDelta::ZERO),
            scene: self.scene_temperature(),
            ambient_u: self.settings.room.u,
            path: self.path(raw.counts.dim(), self.levelled_by(views)),
        }
    }
}

impl Watched {
    /// Whether the reference still has the temperature that it had; says so in its quality.
    fn step(
        &mut self,
        now: Stamp,
        celsius: &Array2<f32>,
        view: &mut ReferenceView,
        shuttered: bool,
    ) -> bool {
        let there = view.centre;
        // While it is followed it has one place; found anew, its reading may differ by a tenth for the
        // pixels' sake alone.
        if self.place != Some(there) {
            self.watch.forget();
            self.place = Some(there);
        }
        let reading = view.reading.degrees() as f32;
        let stable = self.watch.step(now, celsius, reading, shuttered);
        let left = self.watch.left();
        if left < view.quality.score {
            view.quality = ReferenceQuality::worst(&[(ReferenceFlaw::Unstable, left)]);
        }
        stable
    }
}

#[cfg(test)]
mod tests;
