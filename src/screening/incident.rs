//! One alert for one person: whoever turns away for some seconds comes back under a new number.
//!
//! The tracker ends a track after two seconds without a sighting. Somebody with a possible fever who
//! then looks up again would raise a second alert for what staff are on their way to. Whether it is the
//! same person cannot be known, for faces are not compared; so a second alert is held back only where
//! everything speaks for it: the new track begins within [`BACK_WITHIN`], at the same place, as
//! large as the old one ended, and reads the same. The next in the row comes in from elsewhere,
//! or is smaller behind the first one, and raises an alert of their own. In doubt there are two.

use crate::screening::Sighting;
use crate::units::{Celsius, TemperatureDelta};
use std::time::Duration;

/// Time since the last sighting in which somebody is taken to have come back: a look at the
/// telephone or over the shoulder, not the next person in the row.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// Farthest that the centre may have moved, widths of the face: within it two faces would overlap by
/// more than a third, which two people do not.
const SAME_PLACE: f32 = 0.5;

/// Largest ratio of the widths: at one metre, 20 cm nearer or farther away.
const SAME_SIZE: f32 = 1.2;

/// Largest difference of two readings of one person, K: six standard errors of a reading; feverish
/// people differ by more than that in most pairs.
const SAME_READING: TemperatureDelta = TemperatureDelta::literal(0.3);

/// Somebody with a possible fever who is gone.
#[derive(Clone, Copy, Debug)]
struct Gone {
    last: Sighting,
    estimate: Celsius,
}

/// Those with a possible fever who have just gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Incidents {
    gone: Vec<Gone>,
}

impl Incidents {
    /// Somebody for whom an alert was raised has left.
    pub(super) fn left(&mut self, last: Sighting, estimate: Celsius) {
        // Older ones can be nobody's any more.
        self.gone
            .retain(|gone| is_soon(&gone.last, &last) || is_soon(&last, &gone.last));
        self.gone.push(Gone { last, estimate });
    }

    /// Whether somebody who was first seen so, with this estimate, is one of them. Each comes back
    /// once.
    pub(super) fn is_back(&mut self, first: &Sighting, estimate: Celsius) -> bool {
        let same = |gone: &Gone| {
            is_soon(&gone.last, first)
                && is_same_place(&gone.last, first)
                && (estimate - gone.estimate).kelvin().abs() <= SAME_READING.kelvin()
        };
        let found = self.gone.iter().position(same);
        found.map(|at| self.gone.swap_remove(at)).is_some()
    }
}

fn is_soon(before: &Sighting, after: &Sighting) -> bool {
    let since = after.stamp.since(&before.stamp);
    since.is_some_and(|time| time <= BACK_WITHIN)
}

fn is_same_place(before: &Sighting, after: &Sighting) -> bool {
    let (was, is) = (before.area, after.area);
    let (a, b) = (was.centre(), is.centre());
    let away = (a.x - b.x).hypot(a.y - b.y);
    let (narrow, wide) = (was.width().min(is.width()), was.width().max(is.width()));
    away <= SAME_PLACE * narrow && wide <= SAME_SIZE * narrow
}
