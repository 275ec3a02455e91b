//! What is remembered of one person while they are before the camera, and what it comes to.
//!
//! A look counts only where frame and face are good ([`quality::flaw`]); why the others did not
//! count is counted, and the most frequent reason is the one that a person who cannot be judged is
//! given.
//!
//! **Glasses.** Glass is opaque to thermal radiation and hides the inner canthi; a look at somebody
//! with glasses reads 1–6 K too low. So these looks are kept apart: they never make anybody clear.
//! What is left of the face, the forehead, is no warmer than its warmest skin; where even that comes
//! to a possible fever, it is one, and the alert is raised. Else somebody who wears glasses cannot
//! be judged and is asked to take them off. The network is sometimes wrong about glasses, so the
//! majority of frames decides; whoever takes them off is a blank page after [`GLASSES_ARE_OFF`].

use super::rules::Rules;
use super::{Obstacle, Screening, Verdict};
use crate::alert::{Alert, AlertState};
use crate::clock::Stamp;
use crate::estimate::{self, Looks, Reading};
use crate::face::Face;
use crate::face::quality::{self, Flaw};
use crate::id::{ScreeningId, TrackId};
use crate::thermal::{FrameHealth, ThermalFrame};
use crate::track::Track;
use std::collections::BTreeMap;

/// Near frames, whatever their health, after which somebody has come to be screened. Half a second
/// at 9 frames a second: who turns the face to the camera for less is passing by.
pub const FRAMES_TO_PRESENT: u32 = 6;

/// Frames in which a face that is too far away must be seen to be counted as somebody: SORT's three
/// hits. What the detector takes for a small face by mistake seldom lasts longer. Who comes near
/// counts from the first frame.
const FAR_FRAMES_TO_COUNT: u32 = 3;

/// Frames in a row without glasses after which they have been taken off: 2 s at 9 frames a second.
/// A network that sees glasses in every other frame by mistake of the other half does not miss them
/// for so long.
const GLASSES_ARE_OFF: u32 = 18;

/// What is remembered of one track.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// Frames with this face.
    seen: u32,
    /// Looks at the bare face.
    bare: Looks,
    /// Looks at what glasses leave of it.
    veiled: Looks,
    glasses: Glasses,
    /// Whether the face was ever large enough to be measured.
    large: bool,
    /// Frames in which it was large and slow enough, whatever else was wrong.
    near: u32,
    /// Why near frames could not be measured.
    obstacles: BTreeMap<Obstacle, u32>,
    /// Why the latest frame could not be.
    latest: Option<Obstacle>,
    /// The reading with which the alert was raised.
    alarmed: Option<Reading>,
}

/// In how many frames glasses were seen.
#[derive(Clone, Copy, Debug, Default)]
struct Glasses {
    with: u32,
    without: u32,
    without_in_a_row: u32,
}

impl Glasses {
    fn see(&mut self, worn: bool) {
        if worn {
            self.with = self.with.saturating_add(1);
            self.without_in_a_row = 0;
        } else {
            self.without = self.without.saturating_add(1);
            self.without_in_a_row += 1;
        }
    }

    /// Whether they are worn, by the majority of frames; in doubt they are.
    const fn are_worn(&self) -> bool {
        self.with > 0 && self.with >= self.without
    }

    /// Whether they were worn and have been taken off.
    const fn are_off(&self) -> bool {
        self.are_worn() && self.without_in_a_row >= GLASSES_ARE_OFF
    }
}

impl Memory {
    /// One frame with this person's face, which moves at this speed (widths a second).
    pub(super) fn see(&mut self, frame: &ThermalFrame, face: &Face, speed: f32, rules: &Rules) {
        self.seen = self.seen.saturating_add(1);
        let flaw = quality::flaw(face, speed, frame, rules.min_face_px);
        let obstacle = of_frame(frame.health).or(flaw.map(Obstacle::from));
        self.latest = obstacle;
        self.large |= flaw != Some(Flaw::TooSmall);
        if matches!(flaw, Some(Flaw::TooSmall | Flaw::TooFast)) {
            return;
        }
        self.near = self.near.saturating_add(1);
        if let Some(obstacle) = obstacle {
            *self.obstacles.entry(obstacle).or_default() += 1;
        }
        if frame.health == FrameHealth::Good && matches!(flaw, None | Some(Flaw::Glasses)) {
            self.look(frame, face);
        }
    }

    /// One look at a face that nothing spoils but, perhaps, glasses.
    fn look(&mut self, frame: &ThermalFrame, face: &Face) {
        let worn = face.features.is_some_and(|it| it.occlusion.has_glasses());
        self.glasses.see(worn);
        if self.glasses.are_off() {
            self.glasses = Glasses::default();
            self.bare = Looks::default();
            self.veiled = Looks::default();
        }
        let looks = if worn {
            &mut self.veiled
        } else {
            &mut self.bare
        };
        if let Some(look) = estimate::look(frame, face) {
            looks.add(look);
        }
    }

    /// Good looks at the bare face so far.
    pub(super) fn looks(&self) -> u32 {
        self.bare.count()
    }

    /// What kept the latest frame from being measured.
    pub(super) const fn latest_obstacle(&self) -> Option<Obstacle> {
        self.latest
    }

    /// What the looks so far come to; no reading exactly where the verdict is `CannotJudge`. `None`
    /// while there are too few of them.
    fn now(&self, rules: &Rules) -> Option<(Option<Reading>, Verdict)> {
        let least = rules.min_looks.max(1);
        let of = |looks: &Looks| {
            (looks.count() >= least)
                .then(|| looks.reading(&rules.transfer, rules.u_reference))
                .flatten()
                .map(|reading| (reading, rules.judge(&reading)))
        };
        let bare = of(&self.bare);
        let fever = [bare, of(&self.veiled)]
            .into_iter()
            .flatten()
            .find(|(_, verdict)| *verdict == Verdict::PossibleFever);
        if let Some((reading, verdict)) = fever {
            return Some((Some(reading), verdict));
        }
        if self.glasses.are_worn() {
            return (self.glasses.with >= least)
                .then_some((None, Verdict::CannotJudge(Obstacle::Glasses)));
        }
        bare.map(|(reading, verdict)| match verdict {
            Verdict::CannotJudge(_) => (None, verdict),
            _ => (Some(reading), verdict),
        })
    }

    /// What can be said so far, as in [`Memory::now`]. An alert that was raised stays, with the
    /// reading of all looks while that still is a possible fever, else with the one that raised it.
    pub(super) fn judged(&self, rules: &Rules) -> Option<(Option<Reading>, Verdict)> {
        match (self.alarmed, self.now(rules)) {
            (Some(_), now @ Some((_, Verdict::PossibleFever))) | (None, now) => now,
            (Some(alarmed), _) => Some((Some(alarmed), Verdict::PossibleFever)),
        }
    }

    /// The alert, once, when the looks so far come to a possible fever.
    pub(super) fn alarm(&mut self, now: Stamp, id: TrackId, rules: &Rules) -> Option<Alert> {
        if self.alarmed.is_some() {
            return None;
        }
        let (Some(reading), Verdict::PossibleFever) = self.now(rules)? else {
            return None;
        };
        self.alarmed = Some(reading);
        Some(Alert {
            id: ScreeningId {
                boot: now.boot,
                track: id,
            },
            raised: now,
            reading,
            threshold: rules.fever,
            state: AlertState::Open,
        })
    }

    /// What became of a person who has left; `None` where it was hardly one: seen far away and in
    /// hardly a frame.
    pub(super) fn screening(&self, track: &Track, rules: &Rules) -> Option<Screening> {
        if !self.large && self.seen < FAR_FRAMES_TO_COUNT {
            return None;
        }
        let (reading, verdict) = self
            .judged(rules)
            .unwrap_or_else(|| (None, Verdict::CannotJudge(self.obstacle(rules))));
        Some(Screening {
            id: ScreeningId {
                boot: track.first.stamp.boot,
                track: track.id,
            },
            first: track.first,
            last: track.last,
            reading,
            verdict,
            presented: self.alarmed.is_some()
                || self.near >= FRAMES_TO_PRESENT.max(rules.min_looks),
        })
    }

    /// Why there is no reading: what stood in the way most often.
    fn obstacle(&self, rules: &Rules) -> Obstacle {
        if !self.large {
            return Obstacle::TooFar;
        }
        let most = self.obstacles.iter().max_by_key(|(_, frames)| **frames);
        match most {
            Some((obstacle, frames)) if *frames + self.looks() >= rules.min_looks => *obstacle,
            _ => Obstacle::TooFewLooks,
        }
    }
}

/// What a frame of this health says of everybody in it.
const fn of_frame(health: FrameHealth) -> Option<Obstacle> {
    match health {
        FrameHealth::Good => None,
        FrameHealth::Searching | FrameHealth::ReferenceLost | FrameHealth::ReferenceUnstable => {
            Some(Obstacle::ReferenceLost)
        }
        FrameHealth::NoReference => Some(Obstacle::NoReference),
        FrameHealth::Settling => Some(Obstacle::Settling),
        // Not there: without a picture no face is seen.
        FrameHealth::Shutter
        | FrameHealth::Frozen
        | FrameHealth::Blank
        | FrameHealth::WrongSize => Some(Obstacle::TooFewLooks),
    }
}

#[cfg(test)]
mod tests;
