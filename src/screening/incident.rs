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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
    use crate::units::PixelBox;

    const LEFT_AT: Duration = Duration::from_mins(1);

    /// A face of this width about this place, seen so long after the other one was last seen.
    fn seen(after: Duration, (x, y): (f32, f32), width: f32) -> Sighting {
        Sighting {
            sequence: 1,
            stamp: Stamp {
                boot: BootId(1),
                monotonic: LEFT_AT + after,
                wall: WallTime(0),
                trust: ClockTrust::Synchronised,
            },
            area: PixelBox {
                left: x - 0.5 * width,
                top: y - 0.6 * width,
                right: x + 0.5 * width,
                bottom: y + 0.6 * width,
            },
        }
    }

    const FEVER: Celsius = Celsius::literal(38.6);

    /// Whether a face that reads this is taken for one of 40 pixels at 60, 50 with a fever of 38.6 °C.
    fn is_back(first: Sighting, estimate: Celsius) -> bool {
        let mut incidents = Incidents::default();
        incidents.left(seen(Duration::ZERO, (60.0, 50.0), 40.0), FEVER);
        incidents.is_back(&first, estimate)
    }

    #[test]
    fn who_comes_back_soon_to_the_same_place_as_large_and_as_warm_is_the_same() {
        let soon = Duration::from_secs(3);
        assert!(is_back(seen(soon, (60.0, 50.0), 40.0), FEVER));
        assert!(is_back(seen(BACK_WITHIN, (60.0, 50.0), 40.0), FEVER));
        let late = BACK_WITHIN + Duration::from_millis(1);
        assert!(!is_back(seen(late, (60.0, 50.0), 40.0), FEVER));
        // Half of a width away, in any direction.
        for (x, y, same) in [
            (79.9, 50.0, true),
            (80.1, 50.0, false),
            (60.0, 30.1, true),
            (60.0, 29.9, false),
            (75.0, 65.0, false),
        ] {
            assert_eq!(is_back(seen(soon, (x, y), 40.0), FEVER), same, "{x}, {y}");
        }
        for (width, same) in [(47.9, true), (48.1, false), (33.4, true), (33.2, false)] {
            assert_eq!(
                is_back(seen(soon, (60.0, 50.0), width), FEVER),
                same,
                "{width}"
            );
        }
        for (degrees, same) in [(38.89, true), (38.91, false), (38.31, true), (38.29, false)] {
            let estimate = Celsius::literal(degrees);
            let place = seen(soon, (60.0, 50.0), 40.0);
            assert_eq!(is_back(place, estimate), same, "{degrees}");
        }
    }

    #[test]
    fn each_comes_back_once_and_is_forgotten_after_its_time() {
        let mut incidents = Incidents::default();
        let place = (60.0, 50.0);
        incidents.left(seen(Duration::ZERO, place, 40.0), FEVER);
        let soon = seen(Duration::from_secs(2), place, 40.0);
        assert!(incidents.is_back(&soon, FEVER));
        assert!(!incidents.is_back(&soon, FEVER));
        // Those who left long before the next one are dropped.
        incidents.left(seen(Duration::ZERO, place, 40.0), FEVER);
        incidents.left(seen(2 * BACK_WITHIN, (10.0, 10.0), 40.0), FEVER);
        assert_eq!(incidents.gone.len(), 1);
    }
}
