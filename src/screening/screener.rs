//! The state machine from frames with faces to events.
//!
//! It is pure: frames carry their own time. An alert is raised as soon as a possible fever is
//! certain enough, while the person is still there; the screening follows when the person has
//! left. A fault is raised when the gateway has not been able to judge for [`FAULT_AFTER`], so that
//! a hand before the reference is no alarm, and a lost reference is.
//!
//! Whether there is a reference is the site's decision, not the frame's: only where none is configured
//! ([`FrameHealth::NoReference`]) are people compared with each other. A reference that is lost stops
//! all judging, never silently less.

use super::incident::Incidents;
use super::memory::{Against, Memory};
use super::population::{Population, Seen};
use super::rules::Rules;
use super::{Baseline, Obstacle, Sighting, Verdict};
use crate::clock::Stamp;
use crate::estimate::Reading;
use crate::event::{Event, Fault};
use crate::face::Face;
use crate::id::TrackId;
use crate::thermal::{FrameHealth, ThermalFrame};
use crate::track::{Track, Tracker};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long something must be wrong before staff are called.
pub const FAULT_AFTER: Duration = Duration::from_secs(3);

/// How long a shutter event and the slide after it may keep the gateway from judging before that
/// is taken for a fault, too. Slides last tens of seconds.
const UNSETTLED_AFTER: Duration = Duration::from_secs(30);

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
    /// What kept the latest frame from being measured: the person may be told.
    pub obstacle: Option<Obstacle>,
}

/// Screens everybody who walks past.
#[derive(Clone, Debug)]
pub struct Screener {
    rules: Rules,
    tracker: Tracker,
    people: BTreeMap<TrackId, Memory>,
    incidents: Incidents,
    population: Population,
    standing: Standing,
    faults: Faults,
}

/// How far relative mode has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// People who count now.
    pub people: usize,
    /// What everybody is compared with; `None` while there are too few people, or the picture has
    /// not settled.
    pub baseline: Option<Baseline>,
}

impl Screener {
    /// Nobody is there.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            tracker: Tracker::new(),
            people: BTreeMap::new(),
            incidents: Incidents::default(),
            population: Population::default(),
            standing: Standing::default(),
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
        let against = self.against(frame);
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
            memory.see(frame, face, self.tracker.speed(id), against, &self.rules);
            if let Some(alert) = memory.alarm(frame.stamp, id, &self.rules) {
                let track = self.tracker.present().iter().find(|track| track.id == id);
                let estimate = alert.reading.estimate.value;
                if !track.is_some_and(|it| self.incidents.is_back(&it.first, estimate)) {
                    events.push(Event::AlertRaised(alert));
                }
            }
        }
        events
    }

    /// What this frame's looks are measured against.
    fn against(&mut self, frame: &ThermalFrame) -> Against {
        match frame.health {
            FrameHealth::Good => Against::Reference,
            FrameHealth::Searching
            | FrameHealth::ReferenceLost
            | FrameHealth::ReferenceUnstable
            | FrameHealth::ReferencesDisagree => Against::Nothing(Obstacle::ReferenceLost),
            FrameHealth::CalibrationExpired => Against::Nothing(Obstacle::CalibrationExpired),
            FrameHealth::Settling => Against::Nothing(Obstacle::Settling),
            FrameHealth::NoReference => {
                let watched = self.population.watch(frame);
                self.standing = Standing {
                    people: self.population.people(&frame.stamp),
                    baseline: watched
                        .ok()
                        .and_then(|level| self.population.baseline(&frame.stamp, level)),
                };
                match watched {
                    Ok(level) => Against::People {
                        baseline: self.standing.baseline,
                        level,
                    },
                    Err(obstacle) => Against::Nothing(obstacle),
                }
            }
            // Without a picture no face is seen; what the camera does meanwhile is not known.
            FrameHealth::Shutter
            | FrameHealth::Frozen
            | FrameHealth::Blank
            | FrameHealth::WrongSize
            | FrameHealth::WrongScale => {
                self.population.blind();
                Against::Nothing(Obstacle::TooFewLooks)
            }
        }
    }

    /// How far relative mode has come, as of the latest frame; nobody counts where there is a
    /// reference.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
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
                let (reading, verdict) = memory.judged().unzip();
                Some(Person {
                    track: track.id,
                    last: track.last,
                    looks: memory.looks(),
                    reading: reading.flatten(),
                    verdict,
                    obstacle: memory.latest_obstacle(),
                })
            })
            .collect()
    }

    fn leave(&mut self, track: &Track) -> Option<Event> {
        let memory = self.people.remove(&track.id)?;
        if let Some(reading) = memory.alarmed() {
            self.incidents.left(track.last, reading.estimate.value);
        }
        if let Some((estimate, level)) = memory.lesson() {
            self.population.learn(Seen {
                at: track.last.stamp,
                estimate,
                level,
            });
        }
        memory.screening(track, &self.rules).map(Event::Screened)
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
            FrameHealth::Searching
            | FrameHealth::ReferenceLost
            | FrameHealth::ReferenceUnstable
            | FrameHealth::ReferencesDisagree
            | FrameHealth::Settling => Some(Fault::ReferenceLost),
            FrameHealth::CalibrationExpired => Some(Fault::CalibrationExpired),
            FrameHealth::Frozen => Some(Fault::CameraFrozen),
            FrameHealth::WrongScale => Some(Fault::WrongScale),
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
