//! The room behind the people and the reference before them.
//!
//! Walls and air have one temperature, so a surface reflects what it has itself and the room looks
//! as warm as it is. The blackbody stands close to the camera, in front of everybody, on a box
//! that is a little warmer than the room; things that stand around tempt a detector.

use super::canvas::{Appearance, Canvas, Painted};
use super::noise::{lerp, smooth_step, value_noise};
use super::scenario::{Blackbody, Clutter, ClutterKind, Room};
use super::truth::BlackbodyTruth;
use crate::thermal::radiometry::Emissivity;
use crate::units::{Celsius, PixelPoint};

/// Paints the room: the part of the picture that never changes.
pub(super) fn paint_room(canvas: &mut Canvas, room: &Room, size: (f32, f32), seed: u32) {
    paint_walls(canvas, room, size, seed);
    paint_things(canvas, room, size, seed);
}

/// The walls with their door.
pub(super) fn paint_walls(canvas: &mut Canvas, room: &Room, size: (f32, f32), seed: u32) {
    let (width, height) = size;
    let air = room.ambient_c as f32;
    let gradient = room.wall_gradient_k as f32;
    let whole = [0.0, 0.0, width, height];
    let part = |n: u32| 0.5 + 0.5 * value_noise(n as f32 * 7.3, 0.5, seed);
    let door_left = 0.5 + 0.3 * part(1);
    let door = (door_left, door_left + 0.3, 0.12 + 0.15 * part(2));
    let panel = 0.15 + 0.2 * part(3);
    canvas.paint(whole, 0, |x, y| {
        let (u, v) = (x / width, y / height);
        let mut celsius = air + gradient * (0.5 - v) + 0.3 * (0.5 - u);
        celsius += 0.18 * value_noise(u * 3.0, v * 3.0, seed ^ 0x91)
            + 0.06 * value_noise(u * 12.0, v * 12.0, seed ^ 0x92);
        celsius -= 0.25 * smooth_step(panel, panel + 0.01, u);
        if room.door && u > door.0 && u < door.1 && v > door.2 {
            celsius -= 1.6 + 0.4 * value_noise(u * 4.0, v * 2.0, seed ^ 0x93);
            if (u - door.0).min(door.1 - u) < 0.015 || v < door.2 + 0.012 {
                celsius += 1.1;
            }
        }
        Some(plain(celsius))
    });
}

/// What stands before the walls.
pub(super) fn paint_things(canvas: &mut Canvas, room: &Room, size: (f32, f32), seed: u32) {
    for thing in &room.clutter {
        paint_clutter(canvas, thing, room.ambient_c as f32, size, seed);
    }
}

fn plain(celsius: f32) -> Painted {
    Painted {
        celsius,
        face: false,
    }
}

fn paint_clutter(canvas: &mut Canvas, thing: &Clutter, air: f32, size: (f32, f32), seed: u32) {
    let (width, height) = size;
    let (x0, y0) = (thing.x as f32 * width, thing.y as f32 * height);
    // Half its width, and its height for each pixel of width.
    let half = (thing.size as f32 * width * 0.5).max(0.5);
    let (usual, tall) = match thing.kind {
        ClutterKind::Lamp => (60.0, 1.0),
        ClutterKind::Cup => (52.0, 1.2),
        ClutterKind::Radiator => (45.0, 1.1),
        ClutterKind::Screen => (33.0, 0.65),
        ClutterKind::SunPatch => (air + 7.0, 1.6),
        ClutterKind::Window => (air - 5.0, 1.5),
        ClutterKind::Round => (36.0, 1.1),
        ClutterKind::Animal => (33.0, 0.75),
    };
    let hot = thing.celsius.map_or(usual, |celsius| celsius as f32);
    let area = [
        x0 - half * 1.3,
        y0 - half * tall * 1.3,
        x0 + half * 1.3,
        y0 + half * tall * 1.3,
    ];
    canvas.paint(area, 0, |x, y| {
        let (u, v) = ((x - x0) / half, (y - y0) / (half * tall));
        let inside = u.abs() < 1.0 && v.abs() < 1.0;
        let celsius = match thing.kind {
            ClutterKind::Lamp => {
                let r2 = u * u + v * v;
                (r2 < 1.0).then(|| lerp(hot, air + 6.0, r2.sqrt()))
            }
            ClutterKind::Cup => {
                let handle = (0.2..0.3).contains(&((u - 0.95).powi(2) + v * v));
                let body = u.abs() < 0.8 && v.abs() < 1.0;
                (body || (handle && u > 0.0)).then(|| {
                    let filled = smooth_step(-0.7, -0.5, v);
                    lerp(air + 5.0, hot - 6.0 * u.abs(), filled)
                })
            }
            ClutterKind::Radiator => inside.then(|| {
                let rib = 0.5 + 0.5 * (u * 17.0).sin();
                lerp(hot - 9.0, hot, rib) - 3.0 * v
            }),
            ClutterKind::Screen => inside.then(|| {
                let warm = 0.6 + 0.4 * value_noise(u * 2.0, v * 2.0, seed ^ 0xa2);
                lerp(air + 2.0, hot, warm) - 1.5 * v.max(0.0)
            }),
            ClutterKind::SunPatch => {
                // A parallelogram on the wall with soft edges.
                let slanted = (u + 0.4 * v).abs();
                let share = smooth_step(1.0, 0.8, slanted) * smooth_step(1.0, 0.9, v.abs());
                (share > 0.01).then(|| lerp(air, hot, share))
            }
            ClutterKind::Window => inside.then(|| {
                let frame = u.abs() < 0.06 || v.abs() < 0.05 || u.abs() > 0.92;
                if frame { air - 1.0 } else { hot + 0.8 * v }
            }),
            ClutterKind::Round => {
                let r2 = u * u + v * v;
                let uneven = 0.4 * value_noise(u * 2.0, v * 2.0, seed ^ 0xa3);
                (r2 < 1.0).then(|| lerp(hot, air, 0.3 * r2 * r2) + uneven)
            }
            ClutterKind::Animal => animal(u, v).map(|below| {
                let fur = 0.8 * value_noise(u * 3.0, v * 5.0, seed ^ 0xa4);
                lerp(hot, air, below) + fur
            }),
        };
        celsius.map(plain)
    });
}

/// An animal from its side, looking to the right: trunk, legs, head with warm eyes. Share of the
/// way from its warmest place to the room.
fn animal(u: f32, v: f32) -> Option<f32> {
    let within = |x: f32, y: f32, rx: f32, ry: f32| {
        let r2 = ((u - x) / rx).powi(2) + ((v - y) / ry).powi(2);
        (r2 < 1.0).then_some(r2)
    };
    let head = within(0.66, -0.45, 0.3, 0.4).map(|r2| 0.15 + 0.35 * r2);
    let eye = within(0.7, -0.5, 0.07, 0.1).map(|_| 0.0);
    let trunk = within(-0.1, 0.0, 0.75, 0.45).map(|r2| 0.4 + 0.2 * r2);
    let legs = [-0.65, -0.45, 0.2, 0.42].into_iter().find_map(|x| {
        let leg = (u - x).abs() < 0.09 && (0.0..1.0).contains(&v);
        leg.then_some(0.6)
    });
    eye.or(head).or(trunk).or(legs)
}

/// The blackbody in its room.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    wanted: Blackbody,
    air: f32,
    size: (f32, f32),
    paint: Emissivity,
    housing: Appearance,
    seed: u32,
}

impl Reference {
    /// The blackbody of a scenario, for a picture of this size in pixels.
    pub(super) fn new(wanted: &Blackbody, air: Celsius, size: (f32, f32), seed: u32) -> Self {
        let paint = Emissivity::new(wanted.emissivity).unwrap_or(Emissivity::BLACKBODY);
        Self {
            wanted: wanted.clone(),
            air: air.degrees() as f32,
            size,
            paint,
            housing: Appearance::new(Emissivity::SKIN, air),
            seed,
        }
    }

    /// What is true of it at this second of the round; nothing once it has been taken away.
    pub(super) fn truth(&self, time: f64) -> Option<BlackbodyTruth> {
        let wanted = &self.wanted;
        if wanted.removed_from_s.is_some_and(|from| time >= from) {
            return None;
        }
        let (x, y) = match &wanted.moved {
            Some(moved) if time >= moved.at_s => (moved.x, moved.y),
            _ => (wanted.x, wanted.y),
        };
        let room = f64::from(self.air);
        let cooling = wanted
            .decays_from_s
            .map_or(0.0, |from| (time - from).max(0.0));
        let above = (wanted.set_point_c - room) * (-cooling / wanted.decay_s).exp();
        let air = Celsius::new(room).unwrap_or(Celsius::literal(22.0));
        let surface = Celsius::new(room + above).unwrap_or(air);
        Some(BlackbodyTruth {
            centre: PixelPoint {
                x: x as f32 * self.size.0,
                y: y as f32 * self.size.1,
            },
            radius: wanted.diameter as f32 * self.size.0 * 0.5,
            set_point_c: wanted.set_point_c,
            apparent_c: self.paint.apparent(surface, air).degrees(),
            covered: wanted
                .covered
                .iter()
                .any(|(from, to)| (*from..*to).contains(&time)),
        })
    }

    /// Paints the box, the disc, and the cloth that may hang over them.
    pub(super) fn paint(&self, canvas: &mut Canvas, truth: &BlackbodyTruth) {
        let PixelPoint { x: x0, y: y0 } = truth.centre;
        let r = truth.radius;
        let area = [x0 - 2.6 * r, y0 - 6.0 * r, x0 + 2.6 * r, y0 + 2.4 * r];
        let disc = truth.apparent_c as f32;
        canvas.paint(area, 0, |x, y| {
            let (u, v) = ((x - x0) / r, (y - y0) / r);
            if truth.covered && u.abs() < 2.3 && v > -4.0 {
                let fold = 0.4 * value_noise(u * 2.0, v, self.seed ^ 0xb1);
                return Some(plain(self.air + 0.8 + fold));
            }
            if u * u + v * v < 1.0 {
                return Some(plain(disc));
            }
            let inside = u.abs() < 2.3 && v > -5.6 && v < 2.0;
            inside.then(|| {
                let glow = smooth_step(1.9, 1.0, (u * u + v * v).sqrt());
                let patch = smooth_step(2.6, 0.4, (u * u + (v + 3.6).powi(2)).sqrt());
                let warm = 1.8
                    + 1.2 * glow
                    + 2.2 * patch
                    + 0.3 * value_noise(u * 2.0, v * 2.0, self.seed ^ 0xb2);
                plain(self.housing.of(self.air + warm))
            })
        });
    }
}
