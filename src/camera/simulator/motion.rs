//! Where a visitor is and where the head is turned, at each moment: in, stand, out.
//!
//! People look where they walk: somebody who comes from the side is first seen in profile, and
//! somebody who leaves into the room is seen from behind. So a scenario gives those pictures
//! without asking for them.

use super::noise::{smooth_step, value_noise};
use super::scenario::{Facing, Side, Visitor};

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pose {
    /// To the right of the camera's axis, m.
    pub(super) lateral_m: f32,
    /// Along the axis, m.
    pub(super) distance_m: f32,
    /// The head's turn, rad; 0 looks at the camera, positive to the right of the picture.
    pub(super) yaw: f32,
    /// The body's turn, rad.
    pub(super) body_yaw: f32,
    /// The head's lean to the right shoulder as seen in the picture, rad.
    pub(super) roll: f32,
    /// The head's nod, rad; positive looks down.
    pub(super) pitch: f32,
    /// How far walking lifts the head, m.
    pub(super) bob_m: f32,
}

/// Distance at which somebody who comes from afar is first seen, m.
const FAR_M: f64 = 3.5;
/// A profile, degrees.
const PROFILE_DEG: f32 = 78.0;

/// The way of one visitor.
#[derive(Clone, Debug)]
pub(super) struct Path {
    arrive: f32,
    walk: f32,
    stand: f32,
    inward: Leg,
    outward: Leg,
    lateral: f32,
    distance: f32,
    yaw: (f32, f32),
    facing: f32,
    seed: u32,
}

#[derive(Clone, Copy, Debug)]
struct Leg {
    lateral: f32,
    distance: f32,
    /// The turn of somebody walking in along this leg, degrees.
    heading: f32,
}

impl Path {
    /// The way that a visitor takes past a camera whose half angle of view has this tangent.
    pub(super) fn new(visitor: &Visitor, half_view: f32, seed: u32) -> Self {
        let leg = |side: Side| {
            let standing = visitor.distance_m;
            let distance = match side {
                Side::Far => visitor.start_distance_m.unwrap_or(standing.max(FAR_M)),
                _ => visitor.start_distance_m.unwrap_or(standing),
            } as f32;
            // Beyond the edge of the picture by a person's width.
            let edge = distance * half_view + 0.35;
            match side {
                Side::Left => (-edge, distance, 62.0),
                Side::Right => (edge, distance, -62.0),
                Side::Far => (visitor.lateral_m as f32 * 0.6, distance, 0.0),
            }
        };
        let along = |(lateral, distance, heading)| Leg {
            lateral,
            distance,
            heading,
        };
        let facing = match visitor.facing {
            Facing::Camera => 0.0,
            Facing::Side if seed.is_multiple_of(2) => PROFILE_DEG,
            Facing::Side => -PROFILE_DEG,
            Facing::Away => 180.0,
        };
        Self {
            arrive: visitor.arrive_s as f32,
            walk: visitor.walk_s as f32,
            stand: visitor.stand_s as f32,
            inward: along(leg(visitor.enter)),
            outward: along(leg(visitor.leave)),
            lateral: visitor.lateral_m as f32,
            distance: visitor.distance_m as f32,
            yaw: (visitor.yaw_deg.0 as f32, visitor.yaw_deg.1 as f32),
            facing,
            seed,
        }
    }

    /// The pose at `time`, s of the round; `None` before arriving and after leaving.
    pub(super) fn at(&self, time: f32) -> Option<Pose> {
        let since = time - self.arrive;
        let leaving = since - self.walk - self.stand;
        if since < 0.0 || leaving > self.walk {
            return None;
        }
        let (leg, gone, heading) = if since < self.walk {
            let to_go = 1.0 - since / self.walk;
            (
                self.inward,
                smooth_step(0.0, 1.0, to_go),
                self.inward.heading,
            )
        } else if leaving > 0.0 {
            // Out the way one looks: to the side the mirrored profile, into the room the back.
            let out = match self.outward.heading {
                0.0 => 180.0,
                heading => -heading * 1.3,
            };
            (
                self.outward,
                smooth_step(0.0, 1.0, leaving / self.walk),
                out,
            )
        } else {
            (self.inward, 0.0, 0.0)
        };
        let sway = |rate: f32, part: u32| value_noise(time * rate, 0.5, self.seed ^ part);
        let look = self.facing
            + (self.yaw.0 + self.yaw.1) * 0.5
            + (self.yaw.1 - self.yaw.0) * 0.5 * sway(0.45, 0xa1).clamp(-1.0, 1.0);
        let turning = smooth_step(0.0, 0.45, gone);
        let yaw = look + (turn_from(look, heading)) * turning;
        let body = self.facing + turn_from(self.facing, heading) * smooth_step(0.0, 0.3, gone);
        let walking = smooth_step(0.0, 0.08, gone);
        Some(Pose {
            lateral_m: self.lateral + (leg.lateral - self.lateral) * gone + 0.012 * sway(0.3, 1),
            distance_m: (self.distance + (leg.distance - self.distance) * gone).max(0.15),
            yaw: yaw.to_radians(),
            body_yaw: (body + (yaw - body) * 0.3).to_radians(),
            roll: (4.0 * sway(0.35, 2)).to_radians(),
            pitch: (5.0 * sway(0.3, 3) + 3.0 * walking).to_radians(),
            bob_m: 0.012 * walking * (time * 11.0).sin() + 0.004 * sway(0.4, 4),
        })
    }
}

/// The shorter way round from one heading to another, degrees.
fn turn_from(from: f32, to: f32) -> f32 {
    (to - from + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use super::super::scenario::Scenario;
    use super::*;

    fn path(lines: &str) -> Path {
        let text = format!("name=\"t\"\nduration_s=9\n[[visitor]]\narrive_s=1\n{lines}");
        let scenario = Scenario::from_toml(&text).unwrap();
        Path::new(&scenario.visitors[0], 0.4, 9)
    }

    #[test]
    fn a_visitor_comes_stands_and_goes() {
        let path = path("enter=\"left\"\nleave=\"far\"\nstand_s=3\nwalk_s=2\ndistance_m=0.8");
        assert!(path.at(0.9).is_none());
        let entering = path.at(1.05).unwrap();
        assert!(entering.lateral_m < -0.5 && entering.yaw.to_degrees() > 35.0);
        let standing = path.at(4.5).unwrap();
        assert!(standing.lateral_m.abs() < 0.05 && standing.yaw.to_degrees().abs() < 12.0);
        assert!((standing.distance_m - 0.8).abs() < 1e-3);
        let leaving = path.at(7.9).unwrap();
        assert!(leaving.distance_m > 3.0 && leaving.yaw.to_degrees().abs() > 150.0);
        assert!(path.at(8.1).is_none());
    }
}
