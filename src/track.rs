//! Faces over time: one person, one track.
//!
//! Faces of consecutive frames are joined by place and size alone; nothing of what a person looks
//! like is kept or compared. A track that was not seen for [`GONE_AFTER`] is over: a person who
//! comes back later is a new one.

use crate::clock::Stamp;
use crate::face::Face;
use crate::id::TrackId;
use crate::screening::Sighting;
use crate::thermal::ThermalFrame;
use crate::units::PixelPoint;
use std::time::Duration;

/// Time without a sighting after which a person has left.
pub const GONE_AFTER: Duration = Duration::from_secs(2);

/// Most that one pair of frames adds to the time without a sighting: while the shutter is closed
/// (about 2 s on a Lepton) nobody is seen, and nobody has left for that reason.
const LONGEST_STEP: Duration = Duration::from_millis(400);

/// Time without any picture (the camera hung, or gave none) after which nothing can be said of who
/// is still there.
const LONGEST_BLINDNESS: Duration = Duration::from_secs(5);

/// Farthest that a face may be from where it was expected, in widths of the larger of the two.
const REACH: f32 = 0.9;

/// Largest ratio of the widths of one face in two sightings.
const LARGEST_RATIO: f32 = 1.8;

/// The same after [`BRIEFLY`] without a sighting: where one person has just left and another one
/// comes in, the newcomer is smaller.
const LARGEST_RATIO_UNSEEN: f32 = 1.35;

/// A face that was missed for no longer than this is the same face.
const BRIEFLY: Duration = Duration::from_millis(700);

/// Weight of the newest step in a track's velocity.
const VELOCITY_WEIGHT: f32 = 0.5;

/// A person before the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Which.
    pub id: TrackId,
    /// First sighting.
    pub first: Sighting,
    /// Latest sighting.
    pub last: Sighting,
    /// Pixels a second.
    velocity: (f32, f32),
    unseen: Duration,
}

impl Track {
    /// Where the face should be at this moment.
    fn expected(&self, now: Stamp) -> PixelPoint {
        let since = now
            .since(&self.last.stamp)
            .unwrap_or_default()
            .min(LONGEST_STEP);
        let centre = self.last.area.centre();
        PixelPoint {
            x: centre.x + self.velocity.0 * since.as_secs_f32(),
            y: centre.y + self.velocity.1 * since.as_secs_f32(),
        }
    }

    /// How far this face is from the expected one, in widths; `None` where it is another person.
    fn distance(&self, face: &Face, now: Stamp) -> Option<f32> {
        let (ours, theirs) = (self.last.area.width(), face.area.width());
        let larger = ours.max(theirs);
        let largest_ratio = if self.unseen > BRIEFLY {
            LARGEST_RATIO_UNSEEN
        } else {
            LARGEST_RATIO
        };
        if larger > largest_ratio * ours.min(theirs) {
            return None;
        }
        let (there, here) = (self.expected(now), face.area.centre());
        let distance = (there.x - here.x).hypot(there.y - here.y) / larger;
        (distance <= REACH).then_some(distance)
    }

    /// How fast the face moves across the picture, in its own widths a second; 0 at the first
    /// sighting.
    #[must_use]
    pub fn speed(&self) -> f32 {
        self.velocity.0.hypot(self.velocity.1) / self.last.area.width().max(1.0)
    }

    fn see(&mut self, sighting: Sighting) {
        if let Some(since) = sighting
            .stamp
            .since(&self.last.stamp)
            .filter(|d| !d.is_zero())
        {
            let (from, to) = (self.last.area.centre(), sighting.area.centre());
            let seconds = since.as_secs_f32();
            let step = ((to.x - from.x) / seconds, (to.y - from.y) / seconds);
            self.velocity.0 += VELOCITY_WEIGHT * (step.0 - self.velocity.0);
            self.velocity.1 += VELOCITY_WEIGHT * (step.1 - self.velocity.1);
        }
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
                }
            }
            None => {}
        }
        let owners = self.owners(faces, now);
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
        let velocity = (0.0, 0.0);
        let unseen = Duration::ZERO;
        self.tracks.push(Track {
            id,
            first: sighting,
            last: sighting,
            velocity,
            unseen,
        });
        id
    }

    /// For each face the index of its track: nearest pairs first, each track and face once.
    fn owners(&self, faces: &[Face], now: Stamp) -> Vec<Option<usize>> {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (f, face) in faces.iter().enumerate() {
            for (t, track) in self.tracks.iter().enumerate() {
                pairs.extend(track.distance(face, now).map(|d| (d, f, t)));
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut owners = vec![None; faces.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, f, t) in pairs {
            if owners[f].is_none() && !taken[t] {
                owners[f] = Some(t);
                taken[t] = true;
            }
        }
        owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use crate::thermal::FrameHealth;
    use crate::units::{PixelBox, TemperatureDelta};
    use ndarray::Array2;

    fn frame(sequence: u64, milliseconds: u64) -> ThermalFrame {
        ThermalFrame {
            stamp: Stamp {
                boot: BootId(0),
                monotonic: Duration::from_millis(milliseconds),
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            },
            sequence,
            celsius: Array2::zeros((1, 1)),
            health: FrameHealth::Good,
            reference: None,
            offset: TemperatureDelta::ZERO,
            scene: None,
        }
    }

    fn face(x: f32, width: f32) -> Face {
        let area = PixelBox {
            left: x - width / 2.0,
            top: 40.0,
            right: x + width / 2.0,
            bottom: 40.0 + 1.3 * width,
        };
        Face {
            area,
            features: None,
            score: 0.9,
        }
    }

    #[test]
    fn two_people_who_cross_stay_two_people() {
        let mut tracker = Tracker::new();
        let mut ids = Vec::new();
        for n in 0..20 {
            let x = n as f32 * 4.0;
            let faces = [face(20.0 + x, 20.0), face(100.0 - x, 30.0)];
            ids.push(tracker.step(&frame(n, n * 111), &faces).tracks);
        }
        assert!(ids.iter().all(|pair| *pair == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_shutter_gap_is_no_departure_but_absence_is() {
        let mut tracker = Tracker::new();
        let first = tracker.step(&frame(0, 0), &[face(50.0, 20.0)]).tracks[0];
        let after_gap = tracker.step(&frame(1, 2050), &[face(52.0, 20.0)]).tracks[0];
        assert_eq!(first, after_gap);
        let mut ended = 0;
        for n in 0..30 {
            ended += tracker.step(&frame(2 + n, 2161 + n * 111), &[]).ended.len();
        }
        assert_eq!(ended, 1);
        let next = tracker.step(&frame(40, 9000), &[face(52.0, 20.0)]).tracks[0];
        assert_ne!(first, next);
    }

    #[test]
    fn a_clock_that_runs_backwards_ends_tracks_instead_of_joining_them() {
        let mut tracker = Tracker::new();
        tracker.step(&frame(0, 5000), &[face(50.0, 20.0)]);
        let step = tracker.step(&frame(1, 10), &[face(50.0, 20.0)]);
        assert_eq!(step.ended.len(), 1);
        assert_eq!(tracker.present().len(), 1);
    }

    #[test]
    fn after_an_absence_a_smaller_face_is_another_person() {
        for (missed, same) in [(3, true), (12, false)] {
            let mut tracker = Tracker::new();
            let first = tracker.step(&frame(0, 0), &[face(50.0, 24.0)]).tracks[0];
            for n in 1..=missed {
                tracker.step(&frame(n, n * 111), &[]);
            }
            let back = frame(missed + 1, (missed + 1) * 111);
            let next = tracker.step(&back, &[face(50.0, 16.0)]).tracks[0];
            assert_eq!(first == next, same, "{missed} frames missed");
        }
    }

    #[test]
    fn a_long_time_without_any_picture_ends_tracks() {
        let mut tracker = Tracker::new();
        tracker.step(&frame(0, 0), &[face(50.0, 20.0)]);
        let step = tracker.step(&frame(1, 5001), &[face(50.0, 20.0)]);
        assert_eq!(step.ended.len(), 1);
    }

    #[test]
    fn speed_is_in_widths_a_second() {
        let mut tracker = Tracker::new();
        let mut id = TrackId(0);
        for n in 0..12 {
            let faces = [face(20.0 + 10.0 * n as f32, 20.0)];
            id = tracker.step(&frame(n, n * 100), &faces).tracks[0];
        }
        // 10 px in 0.1 s, 20 px wide: 5 widths a second.
        assert!(
            (tracker.speed(id) - 5.0).abs() < 0.05,
            "{}",
            tracker.speed(id)
        );
    }
}
