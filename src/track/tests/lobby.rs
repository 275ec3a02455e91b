//! Half a minute in a lobby, drawn by chance: people who cross the picture, two of them at once and
//! alike, and people who walk up, stand and leave, before a camera with the view of a Lepton 3.5.
//! Who is nearer hides who is behind, the detector misses one face in ten and places each edge
//! with an error of a pixel, and once the shutter closes for two seconds.

use crate::face::Face;
use crate::id::TrackId;
use crate::track::{GONE_AFTER, LONGEST_STEP};
use crate::units::PixelBox;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

const WIDTH: f32 = 160.0;
const HEIGHT: f32 = 120.0;
/// Pixels a radian: 57° across the picture.
const FOCAL: f32 = 147.0;
/// Metres from cheek to cheek, of the narrowest and the widest.
const FACES: Range<f32> = 0.13..0.17;
/// Metres between the heads of two people, at least.
const APART: f32 = 0.35;
const MISSED: f32 = 0.1;
const JITTER: f32 = 1.0;
const SECONDS: f32 = 30.0;
const SHUTTER: f32 = 2.0;
/// Share of a face that may be hidden or outside before it is not found.
const HIDDEN: f32 = 0.4;

/// Where somebody is, and when: metres to the right of the middle, and before the camera.
#[derive(Clone, Copy, Debug)]
struct Point {
    time: f32,
    right: f32,
    ahead: f32,
}

/// One person's way.
#[derive(Clone, Debug)]
struct Visit {
    points: Vec<Point>,
    /// Metres below the camera.
    below: f32,
    /// Metres from cheek to cheek.
    width: f32,
    /// Whether the person slows down at each point.
    stops: bool,
}

impl Visit {
    /// Metres to the right and ahead at this time.
    fn place(&self, time: f32) -> Option<(f32, f32)> {
        let pair = self
            .points
            .windows(2)
            .find(|pair| (pair[0].time..pair[1].time).contains(&time))?;
        let mut share = (time - pair[0].time) / (pair[1].time - pair[0].time);
        if self.stops {
            share = share * share * (3.0 - 2.0 * share);
        }
        let between = |from: f32, to: f32| from + share * (to - from);
        Some((
            between(pair[0].right, pair[1].right),
            between(pair[0].ahead, pair[1].ahead),
        ))
    }

    /// How far ahead the face is, and where in the picture.
    fn face(&self, time: f32) -> Option<(f32, PixelBox)> {
        let (right, ahead) = self.place(time)?;
        let scale = FOCAL / ahead;
        let step = 0.01 * (time * 1.8 * std::f32::consts::TAU).sin();
        let x = WIDTH / 2.0 + right * scale;
        let y = HEIGHT / 2.0 + (self.below + step) * scale;
        Some((ahead, around(x, y, self.width * scale)))
    }

    /// Whether the two would never walk through each other.
    fn passes(&self, other: &Self) -> bool {
        (0..(SECONDS * 10.0) as u32)
            .map(|n| n as f32 / 10.0)
            .filter_map(|time| self.place(time).zip(other.place(time)))
            .all(|(ours, theirs)| (ours.0 - theirs.0).hypot(ours.1 - theirs.1) >= APART)
    }
}

fn around(x: f32, y: f32, width: f32) -> PixelBox {
    PixelBox {
        left: x - width / 2.0,
        top: y - 0.65 * width,
        right: x + width / 2.0,
        bottom: y + 0.65 * width,
    }
}

/// What the detector finds in one frame, and whose faces these are.
#[derive(Clone, Debug)]
pub(super) struct Glimpse {
    pub(super) time: Duration,
    pub(super) faces: Vec<Face>,
    pub(super) whose: Vec<usize>,
}

/// Metres from the middle where nobody is in the picture any more.
fn outside(ahead: f32) -> f32 {
    ahead * (WIDTH / 2.0) / FOCAL + FACES.end
}

/// One who crosses the picture and is in its middle at this time.
fn passer(rng: &mut ChaCha8Rng, middle: f32, side: f32, ahead: f32) -> Visit {
    let half = outside(ahead) / rng.random_range(0.3..1.2);
    let end = |sign: f32| Point {
        time: middle + sign * half,
        right: sign * side * outside(ahead),
        ahead,
    };
    Visit {
        points: vec![end(-1.0), end(1.0)],
        below: rng.random_range(-0.1..0.1),
        width: rng.random_range(FACES),
        stops: false,
    }
}

/// One who walks up, stands and leaves at the other side.
fn visitor(rng: &mut ChaCha8Rng, time: f32, side: f32) -> Visit {
    let mut draw = |range: Range<f32>| rng.random_range(range);
    let (far, near, gone) = (draw(0.9..1.8), draw(0.6..1.0), draw(0.7..1.5));
    let (spot, there) = (draw(-0.25..0.25), time + draw(1.5..3.0));
    let until = there + draw(1.0..4.0);
    let points = [
        (time, -side * outside(far), far),
        (there, spot, near),
        (until, spot, near),
        (until + draw(1.0..2.5), side * outside(gone), gone),
    ];
    let point = |(time, right, ahead)| Point { time, right, ahead };
    Visit {
        points: points.map(point).to_vec(),
        below: draw(-0.1..0.1),
        width: draw(FACES),
        stops: true,
    }
}

/// Two who meet in the middle, one a little behind the other; three more who pass, and three who
/// come to be screened. Nobody walks through anybody.
fn visits(rng: &mut ChaCha8Rng) -> Vec<Visit> {
    let (middle, ahead) = (
        rng.random_range(4.0..SECONDS - 4.0),
        rng.random_range(0.8..1.4),
    );
    let behind = ahead + APART;
    let mut visits = vec![
        passer(rng, middle, -1.0, ahead),
        passer(rng, middle, 1.0, behind),
    ];
    while visits.len() < 8 {
        let side = if rng.random_bool(0.5) { -1.0 } else { 1.0 };
        let time = rng.random_range(0.0..SECONDS - 8.0);
        let visit = if visits.len() % 2 == 0 {
            let ahead = rng.random_range(0.9..1.8);
            passer(rng, time + 2.0, side, ahead)
        } else {
            visitor(rng, time, side)
        };
        if visits.iter().all(|other| visit.passes(other)) {
            visits.push(visit);
        }
    }
    visits
}

/// One lobby, frame by frame.
pub(super) fn lobby(seed: u64, frames_a_second: f32) -> Vec<Glimpse> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let visits = visits(&mut rng);
    let shutter = rng.random_range(2.0..SECONDS - 4.0);
    let mut glimpses = Vec::new();
    for n in 0..(SECONDS * frames_a_second) as u32 {
        let time = n as f32 / frames_a_second;
        if (shutter..shutter + SHUTTER).contains(&time) {
            continue;
        }
        let there: Vec<(usize, f32, PixelBox)> = visits
            .iter()
            .enumerate()
            .filter_map(|(who, visit)| visit.face(time).map(|(ahead, area)| (who, ahead, area)))
            .collect();
        let mut found: Vec<(usize, Face)> = Vec::new();
        for &(who, ahead, area) in &there {
            let inside = area.overlap(&area.clipped(WIDTH as usize, HEIGHT as usize));
            let hidden = there
                .iter()
                .filter(|(_, other, _)| *other < ahead)
                .map(|(_, _, other)| other.overlap(&area))
                .fold(area.area() - inside, f32::max);
            if hidden > HIDDEN * area.area() || rng.random_range(0.0..1.0) < MISSED {
                continue;
            }
            let mut shaken = |edge: f32| {
                let error: f32 = StandardNormal.sample(&mut rng);
                edge + JITTER * error
            };
            let area = PixelBox {
                left: shaken(area.left),
                top: shaken(area.top),
                right: shaken(area.right),
                bottom: shaken(area.bottom),
            };
            let face = Face {
                area,
                features: None,
                score: 0.9,
            };
            found.insert(rng.random_range(0..=found.len()), (who, face));
        }
        let (whose, faces) = found.into_iter().unzip();
        glimpses.push(Glimpse {
            time: Duration::from_secs_f32(time),
            faces,
            whose,
        });
    }
    glimpses
}

/// How many people there were, and what went wrong with them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mistakes {
    pub(super) people: usize,
    /// Went on with a track that was another person's.
    pub(super) switches: usize,
    /// Went on with a new track.
    pub(super) fragments: usize,
    /// Began with a track that was another person's.
    pub(super) merges: usize,
}

impl Mistakes {
    /// Compares the tracks of each glimpse's faces with whose they are. Who was not seen for so
    /// long that the track is over is a new person.
    pub(super) fn count(&mut self, glimpses: &[Glimpse], tracks: &[Vec<TrackId>]) {
        let mut owners: BTreeMap<TrackId, usize> = BTreeMap::new();
        let mut seen: BTreeMap<usize, (TrackId, Duration)> = BTreeMap::new();
        // Time as tracks count it, without the shutter's.
        let (mut clock, mut last) = (Duration::ZERO, Duration::ZERO);
        for (glimpse, tracks) in glimpses.iter().zip(tracks) {
            clock += glimpse.time.saturating_sub(last).min(LONGEST_STEP);
            last = glimpse.time;
            for (who, track) in glimpse.whose.iter().zip(tracks) {
                let owner = owners.insert(*track, *who);
                let stolen = owner.is_some_and(|owner| owner != *who);
                match seen.insert(*who, (*track, clock)) {
                    Some((before, since)) if clock.saturating_sub(since) <= GONE_AFTER => {
                        if before != *track {
                            self.switches += usize::from(stolen);
                            self.fragments += usize::from(owner.is_none());
                        }
                    }
                    _ => {
                        self.people += 1;
                        self.merges += usize::from(stolen);
                    }
                }
            }
        }
    }
}
