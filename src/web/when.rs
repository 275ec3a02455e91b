//! Moments as people read them: local wall time of the device's own zone.
//!
//! Time itself comes from [`crate::clock`]; here it is only written. The zone is asked for once by
//! `jiff` (TZ or /etc/localtime) and kept by it; nothing here blocks after that.

use crate::clock::{Stamp, WallTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

fn zoned(wall_ms: i64, zone: TimeZone) -> Zoned {
    Timestamp::from_millisecond(wall_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(zone)
}

/// `2020年2月21日 14:05:09`.
#[must_use]
pub fn full(stamp: &Stamp) -> String {
    let at = zoned(stamp.wall.0, TimeZone::system());
    format!(
        "{}年{}月{}日 {}",
        at.year(),
        at.month(),
        at.day(),
        clock_face(&at)
    )
}

/// `14:05:09`, with the day where it is not that of `now`.
#[must_use]
pub fn short(stamp: &Stamp, now: &Stamp) -> String {
    let zone = TimeZone::system();
    let at = zoned(stamp.wall.0, zone.clone());
    let today = zoned(now.wall.0, zone);
    if at.date() == today.date() {
        clock_face(&at)
    } else {
        format!("{}月{}日 {}", at.month(), at.day(), clock_face(&at))
    }
}

fn clock_face(at: &Zoned) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// `14:05`.
#[must_use]
pub fn minute(at: WallTime) -> String {
    let at = zoned(at.0, TimeZone::system());
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// `2月21日 14:05`.
#[must_use]
pub fn day_and_minute(at: WallTime) -> String {
    let at = zoned(at.0, TimeZone::system());
    format!(
        "{}月{}日 {:02}:{:02}",
        at.month(),
        at.day(),
        at.hour(),
        at.minute()
    )
}

/// Machine-readable, for `<time datetime>` and JSON: RFC 3339, UTC, milliseconds.
#[must_use]
pub fn machine(stamp: &Stamp) -> String {
    machine_at(stamp.wall)
}

/// The same for a moment of the wall clock alone.
#[must_use]
pub fn machine_at(at: WallTime) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// The last day of what ends at this moment, in UTC, as calibrations are dated: `2026-12-01`.
#[must_use]
pub fn last_day_before(end: WallTime) -> String {
    let last = zoned(end.0.saturating_sub(1), TimeZone::UTC);
    last.date().to_string()
}

/// The last local midnight, ms since 1970.
#[must_use]
pub fn midnight_ms(now: &Stamp) -> i64 {
    midnight_in(now.wall.0, TimeZone::system())
}

/// A day's first moment is not always 00:00 (summer time), and `jiff` knows.
fn midnight_in(wall_ms: i64, zone: TimeZone) -> i64 {
    zoned(wall_ms, zone)
        .start_of_day()
        .map_or(wall_ms - wall_ms.rem_euclid(86_400_000), |start| {
            start.timestamp().as_millisecond()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust};
    use std::time::Duration;

    #[test]
    fn the_day_begins_at_midnight_in_shanghai() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        // 2020-02-21T06:05:09+08:00 is still the 20th in UTC.
        let now = 1_582_236_309_000;
        assert_eq!(midnight_in(now, zone), 1_582_214_400_000);
    }

    #[test]
    fn what_ends_at_midnight_has_the_day_before_as_its_last() {
        let end = WallTime(18_300 * WallTime::DAY_MS);
        assert_eq!(last_day_before(end), "2020-02-07");
        assert_eq!(last_day_before(WallTime(end.0 + 1)), "2020-02-08");
    }

    #[test]
    fn machines_read_utc() {
        let stamp = Stamp {
            boot: BootId(1),
            monotonic: Duration::ZERO,
            wall: WallTime(1_582_236_309_007),
            trust: ClockTrust::Synchronised,
        };
        assert_eq!(machine(&stamp), "2020-02-20T22:05:09.007Z");
        assert!(full(&stamp).starts_with("2020年2月2"));
    }
}
