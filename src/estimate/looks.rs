//! From looks to a reading.

use super::budget::{Budget, Part};
use super::region::{Regions, Spot};
use super::size_of_source;
use super::{Basis, BodyEstimate, Chain, Reading, Transfer};
use crate::face::Face;
use crate::thermal::ThermalFrame;
use crate::thermal::path::Path;
use crate::units::{AmbientTemperature, Celsius, StandardUncertainty, TemperatureDelta};
use std::cmp::Ordering;

/// Looks that a reading is made of, at most: the best ones.
const BEST_LOOKS: usize = 15;

/// Looks that are kept for one person.
const KEPT_LOOKS: usize = 60;

/// One good frame's look at one face; temperatures are apparent, offset included, °C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Warmest small area of the upper face, as smoothed.
    seen: f32,
    /// The same with what its size took given back.
    whole: f32,
    /// Of the surroundings of the inner canthi, given back, too.
    canthi: Option<f32>,
    /// Of the forehead, which is wide and needs nothing back.
    forehead: Option<f32>,
    face_px: f32,
    offset: TemperatureDelta,
    ambient: AmbientTemperature,
    u_ambient: StandardUncertainty,
    /// What lies between the picture and this face.
    path: Path,
    /// Width of the face times the detector's score: how much this look is worth.
    worth: f32,
}

impl Look {
    /// Best first; of equally good ones the coldest, so that it does not matter in which order they
    /// came.
    fn order(&self, other: &Self) -> Ordering {
        (other.worth.total_cmp(&self.worth)).then(self.whole.total_cmp(&other.whole))
    }
}

/// Looks at a face in a good frame. `None` where the region lies outside of the picture or is
/// covered, the box is none, or the room is not known yet.
#[must_use]
pub fn look(frame: &ThermalFrame, face: &Face) -> Option<Look> {
    let ambient = frame.scene?;
    if !face.area.is_proper() {
        return None;
    }
    let warmest = Regions::of(face, frame).warmest(&frame.celsius)?;
    let face_px = face.area.width();
    let glasses = face.features.is_some_and(|it| it.occlusion.has_glasses());
    // What glasses leave is wide, and its warmest place may lie at their edge.
    let gain = if glasses {
        0.0
    } else {
        size_of_source::gain(frame.path.blur_px as f32, face_px)
    };
    let whole = |spot: Spot| spot.once + gain * (spot.once - spot.twice);
    let seen = Celsius::new(f64::from(warmest.upper.once))?;
    Some(Look {
        seen: warmest.upper.once,
        whole: whole(warmest.upper),
        canthi: warmest.canthi.map(whole),
        forehead: warmest.forehead.map(|spot| spot.once),
        face_px,
        offset: frame.offset_at(seen),
        ambient,
        u_ambient: frame.ambient_u,
        path: frame.path,
        worth: face_px * face.score,
    })
}

/// The good looks at one person so far; holds only the best ones, however long somebody stands.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    looks: Vec<Look>,
}

impl Looks {
    /// One look more.
    pub fn add(&mut self, look: Look) {
        let place = self
            .looks
            .partition_point(|better| better.order(&look) == Ordering::Less);
        self.looks.insert(place, look);
        self.looks.truncate(KEPT_LOOKS);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.looks.len()).unwrap_or(u32::MAX)
    }

    /// What they come to: the median of the best. `None` without a look, or where what was seen
    /// cannot be a surface at all.
    #[must_use]
    pub fn reading(
        &self,
        transfer: &Transfer,
        u_reference: StandardUncertainty,
    ) -> Option<Reading> {
        let best = &self.looks[..self.looks.len().min(BEST_LOOKS)];
        let of = |value: fn(&Look) -> f64| median(best.iter().map(value));
        let seen = of(|look| look.seen.into())?;
        let whole = of(|look| look.whole.into())?;
        let offset = TemperatureDelta::new(of(|look| look.offset.kelvin())?)?;
        let ambient = AmbientTemperature(Celsius::new(of(|look| look.ambient.degrees())?)?);
        let face_px = of(|look| look.face_px.into())?;
        // The air hardly changes while somebody stands there: that of the best look will do.
        let path = best.first()?.path;
        let skin = |apparent: f64| path.skin(Celsius::new(apparent)?, ambient, face_px as f32);
        // Where most of the looks show it.
        let part = |value: fn(&Look) -> Option<f32>| {
            let shown: Vec<f64> = best.iter().filter_map(value).map(f64::from).collect();
            (2 * shown.len() > best.len()).then(|| skin(median(shown.into_iter())?))?
        };
        let face = skin(whole)?;
        let spread = 1.4826
            * median(
                best.iter()
                    .map(|look| (f64::from(look.whole) - whole).abs()),
            )?;
        let shown = Celsius::new(whole)?;
        let levelled = path.reference;
        let moved = best.iter().filter_map(|look| look.path.reference);
        let moved = moved.map(|it| it.moved.kelvin()).fold(0.0, f64::max);
        let budget = Budget::SYSTEMATIC
            .with_radiation(shown, ambient.0)
            .with_moved(moved)
            .with(
                Part::Reference,
                levelled
                    .map_or(u_reference, |it| it.u(u_reference, shown))
                    .kelvin(),
            )
            .with(
                Part::SizeOfSource,
                size_of_source::uncertainty(whole - seen, face_px),
            )
            .with(Part::Looks, spread / (best.len() as f64).sqrt())
            .with(
                Part::Ambient,
                transfer.k * of(|look| look.u_ambient.kelvin())?,
            )
            .with(Part::Transfer, transfer.u.kelvin());
        Some(Reading {
            face,
            canthi: part(|look| look.canthi),
            forehead: part(|look| look.forehead),
            estimate: BodyEstimate {
                value: transfer.body(face, ambient)?,
                u: budget.body(transfer.k),
            },
            looks: self.count(),
            spread: TemperatureDelta::new(spread)?,
            chain: Chain {
                apparent: Celsius::new(seen - offset.kelvin())?,
                offset,
                size_of_source: TemperatureDelta::new(whole - seen)?,
                ambient,
            },
            basis: Basis::Reference,
            budget,
        })
    }
}

/// The middle value, or the mean of the two in the middle; `None` of nothing. Deviations from it
/// go through it, too: their median times 1.4826 is the standard deviation of a normal
/// distribution, however wild a few looks are.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests;
