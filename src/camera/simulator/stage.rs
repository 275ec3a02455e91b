//! A room with its reference and a view of it: what is painted, person by person, in each frame.

use super::canvas::{Appearance, Canvas};
use super::lobby::Reference;
use super::motion::Pose;
use super::person::{FOREHEAD_PLACES, Person, View, Wardrobe};
use super::scenario::{Blackbody, Sensor};
use super::truth::FrameTruth;
use crate::thermal::radiometry::Emissivity;
use crate::units::Celsius;

/// Everything in view that is no person.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) view: View,
    ambient: Celsius,
    wardrobe: Wardrobe,
    room: Canvas,
    references: [Option<Reference>; 2],
}

impl Stage {
    /// A painted room in front of this sensor.
    pub(super) fn new(
        sensor: &Sensor,
        ambient: Celsius,
        room: Canvas,
        blackbodies: [Option<&Blackbody>; 2],
        seed: u32,
    ) -> Self {
        let size = (sensor.width as f32, sensor.height as f32);
        let half_view = (sensor.field_of_view_deg.to_radians() * 0.5).tan() as f32;
        let cloth = Emissivity::new(0.95).unwrap_or(Emissivity::SKIN);
        let glass = Emissivity::new(0.9).unwrap_or(Emissivity::SKIN);
        Self {
            view: View {
                width: size.0,
                height: size.1,
                focal: size.0 * 0.5 / half_view,
                lens_m: sensor.height_m as f32,
            },
            ambient,
            wardrobe: Wardrobe {
                skin: Appearance::new(Emissivity::SKIN, ambient),
                fabric: Appearance::new(cloth, ambient),
                glass: Appearance::new(glass, ambient),
            },
            room,
            references: blackbodies
                .map(|it| it.map(|wanted| Reference::new(wanted, ambient, size, seed))),
        }
    }

    /// An empty canvas of its size.
    pub(super) fn canvas(&self) -> Canvas {
        self.room.clone()
    }

    /// Paints everybody at this second of the round, and says what is true of them. Frame number,
    /// offset and fault are the caller's.
    pub(super) fn paint<'p>(
        &self,
        canvas: &mut Canvas,
        people: impl Iterator<Item = (Pose, &'p Person)>,
        in_round: f64,
    ) -> FrameTruth {
        canvas.copy_from(&self.room);
        let time = in_round as f32;
        let mut present: Vec<_> = people.collect();
        present.sort_by(|(a, _), (b, _)| b.distance_m.total_cmp(&a.distance_m));
        let mut drawn = Vec::with_capacity(present.len());
        for ((pose, person), owner) in present.into_iter().zip(1..) {
            drawn.push(person.paint(canvas, self.view, &self.wardrobe, (pose, time), owner));
        }
        let [blackbody, second_blackbody] = self.references.each_ref().map(|reference| {
            let reference = reference.as_ref()?;
            let truth = reference.truth(in_round)?;
            reference.paint(canvas, &truth);
            Some(truth)
        });
        let people = drawn.into_iter().zip(1..).map(|(person, owner)| {
            let mut truth = person.truth;
            let left = canvas.faces_left(owner);
            truth.visible *= left as f32 / person.face_points.max(1) as f32;
            let places = person.forehead.iter();
            let bare = places.filter(|place| canvas.face_at(place.x, place.y) == owner);
            truth.forehead = bare.count() as f32 / FOREHEAD_PLACES as f32;
            truth
        });
        FrameTruth {
            sequence: 0,
            people: people.collect(),
            blackbody,
            second_blackbody,
            offset_k: 0.0,
            ambient_c: self.ambient.degrees(),
            fault: None,
        }
    }
}
