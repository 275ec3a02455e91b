//! The state machine from frames with faces to events.
//!
//! It is pure: frames carry their own time. An alert is raised as soon as a possible fever is
//! certain enough, while the person is still there; the screening follows when the person has
//! left. A fault is raised when the gateway has not been able to judge for [`FAULT_AFTER`], so that
//! a hand before the reference is no alarm, and a lost reference is.

use super::rules::Rules;
use super::{Obstacle, Screening, Sighting, Verdict};
use crate::alert::{Alert, AlertState};
use crate::clock::Stamp;
use crate::estimate::{self, Looks, Reading};
use crate::event::{Event, Fault};
use crate::face::Face;
use crate::id::{ScreeningId, TrackId};
use crate::thermal::{FrameHealth, ThermalFrame};
use crate::track::{Track, Tracker};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long something must be wrong before staff are called.
pub const FAULT_AFTER: Duration = Duration::from_secs(3);

/// How long a shutter event and the slide after it may keep the gateway from judging before that
/// is taken for a fault, too. Slides last tens of seconds.
const UNSETTLED_AFTER: Duration = Duration::from_secs(30);

/// Near frames, whatever their health, after which somebody has come to be screened. Half a second
/// at 9 frames a second: who turns the face to the camera for less is passing by.
pub const FRAMES_TO_PRESENT: u32 = 6;

/// Fastest face that is measured, in its own widths a second. A microbolometer's picture of a
/// faster one is smeared, and who crosses the picture like that is passing by: 2.5 widths, about
/// 0.4 m a second. On the real recordings one who walked past without stopping moved at more than 4, and
/// nobody who came to be screened is lost by this limit.
pub const FASTEST_FACE: f32 = 2.5;

/// One person before the camera, as the screens show them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Which.
    pub track: TrackId,
    /// Latest sighting.
    pub last: Sighting,
    /// Good looks so far.
    pub looks: u32,
    /// What they come to so far.
    pub reading: Option<Reading>,
    /// The verdict so far; `None` while there are too few looks.
    pub verdict: Option<Verdict>,
}

/// What is remembered of one track.
#[derive(Clone, Debug, Default)]
struct Memory {
    looks: Looks,
    /// Whether the face was ever large enough to be measured.
    large: bool,
    /// Frames in which it was large and slow enough, whatever the frame's health.
    near: u32,
    /// Why frames could not be measured.
    unhealthy: BTreeMap<FrameHealth, u32>,
    /// The reading with which the alert was raised.
    alarmed: Option<Reading>,
}

/// Screens everybody who walks past.
#[derive(Clone, Debug)]
pub struct Screener {
    rules: Rules,
    tracker: Tracker,
    people: BTreeMap<TrackId, Memory>,
    faults: Faults,
}

impl Screener {
    /// Nobody is there.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            tracker: Tracker::new(),
            people: BTreeMap::new(),
            faults: Faults::default(),
        }
    }

    /// One frame with its faces. A face whose box has no area, or edges that are no numbers, is
    /// none.
    pub fn step(&mut self, frame: &ThermalFrame, faces: &[Face]) -> Vec<Event> {
        let faces: Vec<Face> = faces
            .iter()
            .filter(|face| face.area.is_proper())
            .copied()
            .collect();
        let mut events = self.faults.step(frame);
        if !frame.health.has_picture() {
            // Nobody was looked for, so nobody has left either.
            return events;
        }
        let step = self.tracker.step(frame, &faces);
        for track in step.ended {
            events.extend(self.leave(&track));
        }
        for (face, id) in faces.iter().zip(step.tracks) {
            let memory = self.people.entry(id).or_default();
            memory.see(frame, face, self.tracker.speed(id), &self.rules);
            if let Some(alert) = memory.alarm(frame.stamp, id, &self.rules) {
                events.push(Event::AlertRaised(alert));
            }
        }
        events
    }

    /// Nothing more will come: everybody has left.
    pub fn finish(&mut self) -> Vec<Event> {
        let tracks = self.tracker.finish();
        tracks
            .iter()
            .filter_map(|track| self.leave(track))
            .collect()
    }

    /// Who is there now.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.tracker
            .present()
            .iter()
            .filter_map(|track| {
                let memory = self.people.get(&track.id)?;
                let (reading, verdict) = memory.judged(&self.rules).unzip();
                Some(Person {
                    track: track.id,
                    last: track.last,
                    looks: memory.looks.count(),
                    reading: reading.flatten(),
                    verdict,
                })
            })
            .collect()
    }

    fn leave(&mut self, track: &Track) -> Option<Event> {
        let memory = self.people.remove(&track.id)?;
        Some(Event::Screened(memory.screening(track, &self.rules)))
    }
}

impl Memory {
    fn see(&mut self, frame: &ThermalFrame, face: &Face, speed: f32, rules: &Rules) {
        if face.area.width() < rules.min_face_px {
            return;
        }
        self.large = true;
        if speed > FASTEST_FACE {
            return;
        }
        self.near = self.near.saturating_add(1);
        if frame.health != FrameHealth::Good {
            *self.unhealthy.entry(frame.health).or_default() += 1;
        } else if let Some(look) = estimate::look(frame, face) {
            self.looks.add(look);
        }
    }

    fn reading(&self, rules: &Rules) -> Option<Reading> {
        (self.looks.count() >= rules.min_looks.max(1))
            .then(|| self.looks.reading(&rules.transfer, rules.u_reference))
            .flatten()
    }

    /// What can be said so far; no reading exactly where the verdict is `CannotJudge`. `None`
    /// while there are too few looks. An alert that was raised stays, with the reading of all
    /// looks while that still is a possible fever, else with the one that raised it.
    fn judged(&self, rules: &Rules) -> Option<(Option<Reading>, Verdict)> {
        let now = self.reading(rules).map(|r| (r, rules.judge(&r)));
        Some(match (self.alarmed, now) {
            (Some(_), Some((reading, Verdict::PossibleFever))) => {
                (Some(reading), Verdict::PossibleFever)
            }
            (Some(alarmed), _) => (Some(alarmed), Verdict::PossibleFever),
            (None, Some((_, verdict @ Verdict::CannotJudge(_)))) => (None, verdict),
            (None, Some((reading, verdict))) => (Some(reading), verdict),
            (None, None) => return None,
        })
    }

    /// The alert, once, when the looks so far come to a possible fever.
    fn alarm(&mut self, now: Stamp, id: TrackId, rules: &Rules) -> Option<Alert> {
        if self.alarmed.is_some() {
            return None;
        }
        let reading = self.reading(rules)?;
        if rules.judge(&reading) != Verdict::PossibleFever {
            return None;
        }
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

    /// What became of a person who has left.
    fn screening(&self, track: &Track, rules: &Rules) -> Screening {
        let (reading, verdict) = self
            .judged(rules)
            .unwrap_or_else(|| (None, Verdict::CannotJudge(self.obstacle(rules))));
        Screening {
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
        }
    }

    /// Why there is no reading: what stood in the way most often.
    fn obstacle(&self, rules: &Rules) -> Obstacle {
        if !self.large {
            return Obstacle::TooFar;
        }
        let most = self.unhealthy.iter().max_by_key(|(_, frames)| **frames);
        match most {
            Some((health, frames)) if *frames + self.looks.count() >= rules.min_looks => {
                match health {
                    FrameHealth::Searching | FrameHealth::ReferenceLost => Obstacle::ReferenceLost,
                    FrameHealth::NoReference => Obstacle::NoReference,
                    FrameHealth::Settling => Obstacle::Settling,
                    // Not there: a good frame gives a look, and without a picture no face is seen.
                    FrameHealth::Good
                    | FrameHealth::Shutter
                    | FrameHealth::Frozen
                    | FrameHealth::Blank
                    | FrameHealth::WrongSize => Obstacle::TooFewLooks,
                }
            }
            _ => Obstacle::TooFewLooks,
        }
    }
}

/// Faults that the frames themselves show.
#[derive(Clone, Debug, Default)]
struct Faults {
    /// The fault that is seen, since when, and whether it was raised.
    seen: Option<(Fault, Stamp, bool)>,
    /// Since when the shutter is closed, or what follows it goes on.
    unsettled: Option<Stamp>,
}

impl Faults {
    /// Whether the frames have been unsettled for too long.
    fn lasts(&mut self, now: Stamp) -> bool {
        let since = *self.unsettled.get_or_insert(now);
        let lasted = now.since(&since);
        if lasted.is_none() {
            // The clock jumped: nothing is known of the time between.
            self.unsettled = Some(now);
        }
        lasted.is_some_and(|d| d >= UNSETTLED_AFTER)
    }

    fn step(&mut self, frame: &ThermalFrame) -> Vec<Event> {
        let now = frame.stamp;
        if !matches!(frame.health, FrameHealth::Shutter | FrameHealth::Settling) {
            self.unsettled = None;
        }
        let fault = match frame.health {
            // The shutter and what follows it neither raise nor clear anything, unless they do
            // not end.
            FrameHealth::Shutter | FrameHealth::Settling if !self.lasts(now) => return Vec::new(),
            FrameHealth::Searching | FrameHealth::ReferenceLost | FrameHealth::Settling => {
                Some(Fault::ReferenceLost)
            }
            FrameHealth::Frozen => Some(Fault::CameraFrozen),
            FrameHealth::Blank | FrameHealth::WrongSize | FrameHealth::Shutter => {
                Some(Fault::CameraBlank)
            }
            FrameHealth::Good | FrameHealth::NoReference => None,
        };
        let mut events = Vec::new();
        match (self.seen, fault) {
            (Some((old, since, raised)), Some(new)) if old == new => {
                let lasts = now.since(&since).is_none_or(|d| d >= FAULT_AFTER);
                if lasts && !raised {
                    events.push(Event::FaultRaised {
                        fault: old,
                        at: now,
                    });
                    self.seen = Some((old, since, true));
                }
            }
            (Some((old, _, raised)), new) => {
                if raised {
                    events.push(Event::FaultCleared {
                        fault: old,
                        at: now,
                    });
                }
                self.seen = new.map(|fault| (fault, now, false));
            }
            (None, Some(new)) => self.seen = Some((new, now, false)),
            (None, None) => {}
        }
        events
    }
}

#[cfg(test)]
mod tests;
