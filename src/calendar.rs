//! A calendar day as a value: the core knows no zones and asks no clock.
//!
//! A [`Day`] holds what a zone makes of one date, for that date and the next (a night shift ends on the
//! next morning): from which moment on which offset from UTC is in force. Shanghai has one offset; where
//! the clocks are changed there are two. A time of day that does not exist is the moment of the change,
//! and of one that comes twice the first is meant.
//!
//! The days of the calendar are counted with Euclidean division by the lengths of its cycles: 400 years
//! have 146 097 days (proleptic Gregorian calendar, ISO 8601).

use crate::clock::WallTime;
use crate::text::named;
use std::fmt;
use std::str::FromStr;

const MINUTE_MS: i64 = 60_000;

/// Minutes of a day without a change of the clocks.
pub(crate) const DAY_MINUTES: u32 = 1440;

/// A time of day in whole minutes, 00:00 to 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Midnight at the beginning.
    pub const MIDNIGHT: Self = Self(0);

    /// A time, or `None` beyond 24:00.
    #[must_use]
    pub fn new(hour: u16, minute: u16) -> Option<Self> {
        let fits = minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
        fits.then(|| Self(hour * 60 + minute))
    }

    /// Minutes since midnight.
    #[must_use]
    pub fn minutes(self) -> u32 {
        u32::from(self.0)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("\"{text}\" is no time of day; write it like 08:30 or 24:00");
        let (hour, minute) = text.split_once(':').ok_or_else(refused)?;
        let number = |digits: &str| {
            let two = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            two.then(|| digits.parse().ok()).flatten()
        };
        number(hour)
            .zip(number(minute))
            .and_then(|(hour, minute)| Self::new(hour, minute))
            .ok_or_else(refused)
    }
}

/// From a time of day to a later one; where it is not later, the one of the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    from: TimeOfDay,
    to: TimeOfDay,
}

impl Span {
    /// A span; `None` where it would be empty or begin at 24:00.
    #[must_use]
    pub fn new(from: TimeOfDay, to: TimeOfDay) -> Option<Self> {
        (from != to && from.minutes() < DAY_MINUTES).then_some(Self { from, to })
    }

    /// Beginning and end, minutes since midnight; the end may be on the next day.
    #[must_use]
    pub fn minutes(self) -> (u32, u32) {
        let (from, to) = (self.from.minutes(), self.to.minutes());
        (from, if to > from { to } else { to + DAY_MINUTES })
    }

    /// When it begins.
    #[must_use]
    pub const fn from(self) -> TimeOfDay {
        self.from
    }

    /// When it ends.
    #[must_use]
    pub const fn to(self) -> TimeOfDay {
        self.to
    }

    /// Whether all of another one is in it.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        let (mine, its) = (self.minutes(), other.minutes());
        mine.0 <= its.0 && its.1 <= mine.1
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('-').ok_or_else(|| {
            format!("\"{text}\" is no span of the day; write it like 07:30-19:00")
        })?;
        Self::new(from.trim().parse()?, to.trim().parse()?)
            .ok_or_else(|| format!("\"{text}\" ends when it begins; write two different times"))
    }
}

named! {
    /// A day of the week.
    Weekday {
        /// The first.
        Monday = "mon", "星期一", "Monday";
        /// The second.
        Tuesday = "tue", "星期二", "Tuesday";
        /// The third.
        Wednesday = "wed", "星期三", "Wednesday";
        /// The fourth.
        Thursday = "thu", "星期四", "Thursday";
        /// The fifth.
        Friday = "fri", "星期五", "Friday";
        /// The sixth.
        Saturday = "sat", "星期六", "Saturday";
        /// The seventh.
        Sunday = "sun", "星期日", "Sunday";
    }
}

/// A date of the calendar, of the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// The first that is known.
    pub const FIRST: Self = Self {
        year: 1970,
        month: 1,
        day: 1,
    };

    /// A date, or `None` where the calendar has none such.
    #[must_use]
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let known = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=length_of(year, month)).contains(&day);
        known.then_some(Self { year, month, day })
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn number(self) -> i64 {
        // The year begins in March, so that the day that comes and goes is its last.
        let march = (self.month + 9) % 12;
        let year = self.year - i64::from(self.month <= 2);
        let in_year = (153 * march + 2) / 5 + self.day - 1;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        // 719 468 days from 0000-03-01 to 1970-01-01.
        year * 365 + leap_days + in_year - 719_468
    }

    /// The date so many days later; held within the years that are known.
    #[must_use]
    pub fn plus(self, days: u16) -> Self {
        let mut date = self;
        for _ in 0..days {
            date = date.next();
        }
        date
    }

    fn next(self) -> Self {
        let Self { year, month, day } = self;
        Self::new(year, month, day + 1)
            .or_else(|| Self::new(year, month + 1, 1))
            .or_else(|| Self::new(year + 1, 1, 1))
            .unwrap_or(self)
    }

    /// Its day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        let at = (self.number() + 3).rem_euclid(7);
        usize::try_from(at)
            .ok()
            .and_then(|at| Weekday::ALL.get(at))
            .copied()
            .unwrap_or(Weekday::Monday)
    }

    /// Year, month from 1, day from 1.
    #[must_use]
    pub const fn parts(self) -> (i64, i64, i64) {
        (self.year, self.month, self.day)
    }
}

fn length_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('-').collect();
        let number = |digits: &str, length: usize| {
            let plain = digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten()
        };
        match parts.as_slice() {
            [year, month, day] => number(year, 4)
                .zip(number(month, 2))
                .zip(number(day, 2))
                .and_then(|((year, month), day)| Self::new(year, month, day)),
            _ => None,
        }
        .ok_or_else(|| format!("\"{text}\" is no date; write it like 2020-02-24"))
    }
}

/// From a moment on, local time is so far ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// From here on.
    pub from: WallTime,
    /// Seconds ahead of UTC.
    pub seconds: i32,
}

/// A date, and what the site's zone makes of it and of the date after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    date: Date,
    first_seconds: i32,
    changes: Vec<Offset>,
}

impl Day {
    /// A day whose first offset is this one, with the changes that come on it and on the next day, in
    /// their order; `None` where they are in no order or an offset is beyond 26 hours (no zone's is).
    #[must_use]
    pub fn new(date: Date, first_seconds: i32, changes: Vec<Offset>) -> Option<Self> {
        let ascending = changes.windows(2).all(|pair| match pair {
            [a, b] => a.from < b.from,
            _ => true,
        });
        let mut all = changes.iter().map(|it| it.seconds).chain([first_seconds]);
        let small = all.all(|seconds| seconds.unsigned_abs() <= 26 * 3600);
        (ascending && small).then_some(Self {
            date,
            first_seconds,
            changes,
        })
    }

    /// Which date.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.date
    }

    /// Its first moment.
    #[must_use]
    pub fn begins(&self) -> WallTime {
        self.at(0)
    }

    /// The first moment of the next one.
    #[must_use]
    pub fn ends(&self) -> WallTime {
        self.at(DAY_MINUTES)
    }

    /// The moment when the clock on the wall says so many minutes since this date's midnight; beyond
    /// 24 hours on the next date.
    #[must_use]
    pub fn at(&self, minutes: u32) -> WallTime {
        let local = self.date.number() * WallTime::DAY_MS + i64::from(minutes) * MINUTE_MS;
        let with = |seconds: i32| local - i64::from(seconds) * 1000;
        let mut seconds = self.first_seconds;
        for change in &self.changes {
            if with(seconds) < change.from.0 {
                return WallTime(with(seconds));
            }
            if with(change.seconds) < change.from.0 {
                // The clock jumped over it.
                return change.from;
            }
            seconds = change.seconds;
        }
        WallTime(with(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> TimeOfDay {
        text.parse().unwrap()
    }

    #[test]
    fn the_calendar_counts_as_it_is_known() {
        for (date, number, weekday) in [
            ("1970-01-01", 0, Weekday::Thursday),
            ("2000-02-29", 11_016, Weekday::Tuesday),
            ("2020-02-24", 18_316, Weekday::Monday),
            ("2020-03-01", 18_322, Weekday::Sunday),
        ] {
            let date: Date = date.parse().unwrap();
            assert_eq!((date.number(), date.weekday()), (number, weekday));
        }
        for wrong in [
            "2019-02-29",
            "2020-13-01",
            "2020-2-1",
            "1900-01-01",
            "",
            "2020-02-24-1",
            "2020-04-31",
        ] {
            assert!(wrong.parse::<Date>().is_err(), "{wrong}");
        }
        assert_eq!(
            "2020-02-28".parse::<Date>().unwrap().plus(2).to_string(),
            "2020-03-01"
        );
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut date = Date::new(1970, 1, 1).unwrap();
        for number in 0..60_000 {
            assert_eq!(date.number(), number);
            date = date.next();
        }
    }

    #[test]
    fn shanghai_has_one_offset() {
        let date = "2020-02-24".parse().unwrap();
        let day = Day::new(date, 8 * 3600, Vec::new()).unwrap();
        assert_eq!(day.begins(), WallTime(1_582_473_600_000));
        assert_eq!(day.ends().0 - day.begins().0, WallTime::DAY_MS);
        assert_eq!(day.at(30 * 60).0, day.ends().0 + 6 * 3_600_000);
    }

    #[test]
    fn an_hour_that_is_missing_and_one_that_comes_twice() {
        // Berlin, 2020-03-29: at 01:00 UTC two o'clock becomes three o'clock.
        let date: Date = "2020-03-29".parse().unwrap();
        let change = Offset {
            from: WallTime(date.number() * WallTime::DAY_MS + 3_600_000),
            seconds: 7200,
        };
        let spring = Day::new(date, 3600, vec![change]).unwrap();
        assert_eq!(spring.ends().0 - spring.begins().0, 23 * 3_600_000);
        assert_eq!(spring.at(150), change.from);
        assert_eq!(spring.at(180), change.from);
        assert_eq!(spring.at(119).0, change.from.0 - MINUTE_MS);
        // 2020-10-25: at 01:00 UTC three o'clock becomes two o'clock.
        let date: Date = "2020-10-25".parse().unwrap();
        let change = Offset {
            from: WallTime(date.number() * WallTime::DAY_MS + 3_600_000),
            seconds: 3600,
        };
        let autumn = Day::new(date, 7200, vec![change]).unwrap();
        assert_eq!(autumn.ends().0 - autumn.begins().0, 25 * 3_600_000);
        assert_eq!(autumn.at(150).0, change.from.0 - 30 * MINUTE_MS);
        assert_eq!(autumn.at(180).0, change.from.0 + 3_600_000);
    }

    #[test]
    fn spans_may_go_over_midnight() {
        assert_eq!(
            "22:00-06:00".parse::<Span>().unwrap().minutes(),
            (1320, 1800)
        );
        assert_eq!("00:00-24:00".parse::<Span>().unwrap().minutes(), (0, 1440));
        for wrong in [
            "08:00-08:00",
            "24:00-08:00",
            "8:00-9:00",
            "08:00",
            "08:60-09:00",
            "25:00-26:00",
        ] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
        assert_eq!(time("24:00").minutes(), DAY_MINUTES);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,20}") {
            let _ = text.parse::<TimeOfDay>();
            let _ = text.parse::<Span>();
            let _ = text.parse::<Date>();
        }

        #[test]
        fn later_on_the_wall_is_never_earlier(
            hours in -12_i32..14, jump in -2_i32..=2, at in 0_i64..2880, early in 0_u32..2880, more in 0_u32..2880,
        ) {
            let date = Date::new(2020, 2, 24).unwrap();
            let midnight = date.number() * WallTime::DAY_MS - i64::from(hours) * 3_600_000;
            let change = Offset { from: WallTime(midnight + at * MINUTE_MS), seconds: (hours + jump) * 3600 };
            let day = Day::new(date, hours * 3600, vec![change]).unwrap();
            // Of a time that comes twice the first is meant, so times just after a backward change
            // follow it by up to the hours that were repeated, never precede it.
            prop_assert!(day.at(early) <= day.at(early + more));
        }
    }
}
