//! What a zone makes of a calendar day: the core works with [`Day`] values and knows no zones.
//!
//! The zones are those of `jiff`, built in; a rare change of the rules needs a new release of Menshen or
//! the machine's own zone files.

use crate::calendar::{Date, Day, Offset};
use crate::checklist::SiteDays;
use crate::clock::WallTime;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const HOUR_MS: i64 = 3_600_000;

/// Farthest that any zone is from UTC, hours; a little more.
const FARTHEST_H: i64 = 26;

/// A date in a zone; `None` beyond what `jiff` can reckon with.
#[must_use]
pub fn day(date: Date, zone: &TimeZone) -> Option<Day> {
    let midnight_utc = date.number() * WallTime::DAY_MS;
    let from = Timestamp::from_millisecond(midnight_utc - FARTHEST_H * HOUR_MS).ok()?;
    let until = midnight_utc + 2 * WallTime::DAY_MS + FARTHEST_H * HOUR_MS;
    let changes = zone
        .following(from)
        .map(|change| Offset {
            from: WallTime(change.timestamp().as_millisecond()),
            seconds: change.offset().seconds(),
        })
        .take_while(|change| change.from.0 < until)
        .collect();
    Day::new(date, zone.to_offset(from).seconds(), changes)
}

/// The date on the wall at a moment.
#[must_use]
pub fn date_at(wall: WallTime, zone: &TimeZone) -> Option<Date> {
    let at = Timestamp::from_millisecond(wall.0).ok()?;
    let date = zone.to_datetime(at).date();
    Date::new(date.year().into(), date.month().into(), date.day().into())
}

/// The days of a site in this zone.
#[derive(Clone, Debug)]
pub struct Zone(pub TimeZone);

impl SiteDays for Zone {
    fn date_at(&self, at: WallTime) -> Option<Date> {
        date_at(at, &self.0)
    }

    fn day(&self, date: Date) -> Option<Day> {
        day(date, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_year_begins_and_ends_where_the_zone_says() {
        for name in [
            "Asia/Shanghai",
            "Europe/Berlin",
            "America/New_York",
            "Pacific/Kiritimati",
            "Pacific/Pago_Pago",
            "Australia/Lord_Howe",
            "America/Santiago",
        ] {
            let zone = TimeZone::get(name).unwrap();
            let mut date = Date::new(2020, 1, 1).unwrap();
            for _ in 0..366 {
                let next = date.plus(1);
                let start = |date: Date| {
                    let (y, m, d) = date.parts();
                    let date = jiff::civil::date(y as i16, m as i8, d as i8);
                    let zoned = date.to_zoned(zone.clone()).unwrap();
                    WallTime(zoned.timestamp().as_millisecond())
                };
                let found = day(date, &zone).unwrap();
                assert_eq!(found.begins(), start(date), "{name} {date}");
                assert_eq!(found.ends(), start(next), "{name} {date}");
                assert_eq!(date_at(found.begins(), &zone), Some(date));
                let last = WallTime(found.ends().0 - 1);
                assert_eq!(date_at(last, &zone), Some(date), "{name} {date}");
                date = next;
            }
        }
    }

    #[test]
    fn moments_beyond_reckoning_have_no_date() {
        assert_eq!(date_at(WallTime(i64::MAX), &TimeZone::UTC), None);
        assert_eq!(date_at(WallTime(i64::MIN), &TimeZone::UTC), None);
    }
}
