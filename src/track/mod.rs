//! Faces over time: one person, one track.
//!
//! Faces of consecutive frames are joined by place and size alone; nothing of what a person looks
//! like is kept or compared. A track that was not seen for [`GONE_AFTER`] is over: a person who
//! comes back later is a new one.
//!
//! The method is that of SORT (Bewley et al. 2016, doi:10.1109/ICIP.2016.7533003): a Kalman filter
//! says where each face should be (`motion`), and all faces of a frame are assigned to tracks at
//! once (`assignment`), so that two people who cross keep their own. What a pair costs is its
//! negative log-likelihood rather than SORT's overlap, as in global nearest neighbour tracking
//! (Blackman and Popoli, Design and Analysis of Modern Tracking Systems, 1999, chapter 6): faces
//! are small against their steps between two frames, and a track that nobody has seen for a second
//! must not win a face over one that was seen just now because it could be anywhere. A face that a
//! newcomer explains better is a newcomer.
//!
//! Two parts of later methods are left out on purpose. The second round of ByteTrack (Zhang et al.
//! 2022) is for detections of low score, and the detector hands on none below one half. SORT's
//! tentative tracks are a second word for what
//! [`FRAMES_TO_PRESENT`](crate::screening::FRAMES_TO_PRESENT) says already.
//!
//! Measured on 500 simulated lobbies of half a minute, eight people in each, one in ten faces
//! missed and two seconds of shutter (`tests/lobby.rs`; other lobbies than those on which the numbers
//! here were chosen, but for the price of a newcomer),
//! in a hundred people, with nearest pairs first and a smoothed velocity (before) and now:
//!
//! | | 9 fps, before | now | 25 fps, before | now |
//! |---|---|---|---|---|
//! | went on with another person's track | 5.5 | 0.9 | 2.7 | 0.5 |
//! | went on with a new track | 22.8 | 4.1 | 7.1 | 2.2 |
//! | began with another person's track | 3.3 | 2.0 | 2.5 | 1.7 |
//!
//! Of what is left, three in ten are the shutter's at 9 frames a second, and six in ten at 25. A
//! step with eight tracks and eight faces takes a few microseconds.

mod assignment;
mod motion;

use crate::clock::Stamp;
use crate::face::Face;
use crate::id::TrackId;
use crate::screening::Sighting;
use crate::thermal::ThermalFrame;
use assignment::cheapest;
use motion::Motion;
use std::time::Duration;

/// Time without a sighting after which a person has left.
pub const GONE_AFTER: Duration = Duration::from_secs(2);

/// Most that one pair of frames adds to the time without a sighting: while the shutter is closed
/// (about 2 s on a Lepton) nobody is seen, and nobody has left for that reason.
const LONGEST_STEP: Duration = Duration::from_millis(400);

/// Time without any picture (the camera hung, or gave none) after which nothing can be said of who
/// is still there.
const LONGEST_BLINDNESS: Duration = Duration::from_secs(5);

/// Largest ratio of the widths of one face before and after more than [`BRIEFLY`] without a
/// sighting: where one person has just left and another one comes in, the newcomer is smaller.
const LARGEST_RATIO: f32 = 1.35;

/// A face that was missed for no longer than this is the same face, whatever its width.
const BRIEFLY: Duration = Duration::from_millis(700);

/// Squared Mahalanobis distance beyond which a face is another person: one of a thousand sightings
/// of the same face is farther away (chi-square of three degrees of freedom).
const GATE: f32 = 16.27;

/// What a newcomer costs, on the scale of [`motion::Fit::cost`]: it decides how far from the place,
/// and how uncertain of it, a face may be before it is a new person's. Chosen on the simulated
/// lobbies: at 4 half as many people begin with the track of one who has just left, and half as
/// many again go on with a new one.
const NEWCOMER: f32 = 5.5;

/// A person before the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Which.
    pub id: TrackId,
    /// First sighting.
    pub first: Sighting,
    /// Latest sighting.
    pub last: Sighting,
    motion: Motion,
    unseen: Duration,
}

impl Track {
    /// What it costs to take this face for this person; `None` where it is another one.
    fn cost(&self, face: &Face) -> Option<f32> {
        let (ours, theirs) = (self.last.area.width(), face.area.width());
        if self.unseen > BRIEFLY && ours.max(theirs) > LARGEST_RATIO * ours.min(theirs) {
            return None;
        }
        let fit = self.motion.fit(&face.area);
        (fit.distance <= GATE).then(|| fit.cost())
    }

    /// How fast the face moves across the picture, in its own widths a second; 0 at the first
    /// sighting.
    #[must_use]
    pub fn speed(&self) -> f32 {
        self.motion.speed()
    }

    fn see(&mut self, sighting: Sighting) {
        self.motion.update(&sighting.area);
        self.last = sighting;
        self.unseen = Duration::ZERO;
    }
}

/// What one frame did to the tracks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// The track of each face, in the order of the faces.
    pub tracks: Vec<TrackId>,
    /// Tracks that are over.
    pub ended: Vec<Track>,
}

/// Joins faces to tracks, frame by frame.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    tracks: Vec<Track>,
    started: u64,
    last: Option<Stamp>,
}

impl Tracker {
    /// Nobody is there.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One frame with its faces.
    pub fn step(&mut self, frame: &ThermalFrame, faces: &[Face]) -> Step {
        let now = frame.stamp;
        // A clock that jumped (another boot, or backwards) ends every track, and so does a long time
        // without a picture: nothing can be said of the time between.
        let elapsed = self
            .last
            .map(|last| now.since(&last).filter(|since| *since <= LONGEST_BLINDNESS));
        self.last = Some(now);
        let mut step = Step::default();
        match elapsed {
            Some(None) => step.ended.append(&mut self.tracks),
            Some(Some(elapsed)) => {
                for track in &mut self.tracks {
                    track.unseen += elapsed.min(LONGEST_STEP);
                    track.motion.predict(elapsed.as_secs_f32());
                }
            }
            None => {}
        }
        let owners = self.owners(faces);
        for (face, owner) in faces.iter().zip(owners) {
            let sighting = Sighting {
                sequence: frame.sequence,
                stamp: now,
                area: face.area,
            };
            let id = match owner.and_then(|index| self.tracks.get_mut(index)) {
                Some(track) => {
                    track.see(sighting);
                    track.id
                }
                None => self.start(sighting),
            };
            step.tracks.push(id);
        }
        step.ended.extend(
            self.tracks
                .extract_if(.., |track| track.unseen > GONE_AFTER),
        );
        step
    }

    /// Nothing more will come: every track is over.
    pub fn finish(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.tracks)
    }

    /// Tracks that are not over.
    #[must_use]
    pub fn present(&self) -> &[Track] {
        &self.tracks
    }

    /// How fast the face of a track moves, in its own widths a second; 0 for one that is over.
    #[must_use]
    pub fn speed(&self, id: TrackId) -> f32 {
        self.tracks
            .iter()
            .find(|track| track.id == id)
            .map_or(0.0, Track::speed)
    }

    fn start(&mut self, sighting: Sighting) -> TrackId {
        self.started += 1;
        let id = TrackId(self.started);
        self.tracks.push(Track {
            id,
            first: sighting,
            last: sighting,
            motion: Motion::start(&sighting.area),
            unseen: Duration::ZERO,
        });
        id
    }

    /// For each face the index of its track; `None` for a newcomer.
    fn owners(&self, faces: &[Face]) -> Vec<Option<usize>> {
        let costs: Vec<Vec<Option<f32>>> = faces
            .iter()
            .map(|face| self.tracks.iter().map(|track| track.cost(face)).collect())
            .collect();
        cheapest(&costs, NEWCOMER)
    }
}

#[cfg(test)]
mod tests;
