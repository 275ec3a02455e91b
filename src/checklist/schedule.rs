//! How often something is to be done, and what follows from that for one day.
//!
//! | written | windows of a day | due | late until (then missed) |
//! |---|---|---|---|
//! | `every 60 min`, `every 120 min 08:00-20:00` | one each period, of elapsed time, while the site is open or within the span | end of the period | half a period later |
//! | `daily by 09:00`, `daily 07:00-09:00` | one | the second time | end of the day |
//! | `per shift`, `per shift within 30 min` | one each shift that begins on the day | end of the shift, or so long after its beginning | an hour after the shift |
//! | `weekly mon by 18:00` | one on that day of the week | that time | end of the day |
//! | `once within 3 days` | one each day until it is done | end of the last of these days | the same |
//! | `as needed` | one | never | never |
//!
//! Half a period and the hour after a shift are rules of this project: long enough for whoever writes
//! down what was done after doing it, short enough that nobody fills in the morning at night.

use crate::calendar::{DAY_MINUTES, Date, Day, Span, TimeOfDay, Weekday};
use crate::clock::WallTime;
use std::fmt;
use std::str::FromStr;

const MINUTE_MS: i64 = 60_000;

/// Time after a shift in which what was done in it can still be ticked, as late.
const AFTER_SHIFT_MS: i64 = 60 * MINUTE_MS;

/// Shortest and longest period of `every`, minutes.
const PERIOD: (u16, u16) = (15, 720);

/// Most days of `once`.
const MOST_DAYS: u16 = 30;

/// How often something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Again and again.
    Every {
        /// The period, minutes.
        minutes: u16,
        /// When; without it while the site is open.
        during: Option<Span>,
    },
    /// Once a day.
    Daily {
        /// Not before.
        from: TimeOfDay,
        /// By.
        by: TimeOfDay,
    },
    /// Once in each shift.
    PerShift {
        /// So soon after the shift's beginning, minutes; without it by its end.
        within: Option<u16>,
    },
    /// Once a week.
    Weekly {
        /// On which day.
        on: Weekday,
        /// By.
        by: TimeOfDay,
    },
    /// Once and for all.
    Once {
        /// Within so many days of the list's first one, which counts.
        days: u16,
    },
    /// Whenever there is cause.
    AsNeeded,
}

/// When something can be ticked, and when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub opens: WallTime,
    /// Late from here on; `None`: not due today.
    pub due: Option<WallTime>,
    /// Missed from here on, where it is due.
    pub closes: WallTime,
}

impl Schedule {
    /// What it asks of one day. `since` is the first day of the list.
    #[must_use]
    pub fn windows(self, day: &Day, open: Span, shifts: &[Span], since: Date) -> Vec<Window> {
        let whole = |due| Window {
            opens: day.begins(),
            due,
            closes: day.ends(),
        };
        match self {
            Self::Every { minutes, during } => every(minutes, during.unwrap_or(open), day),
            Self::Daily { from, by } => vec![Window {
                opens: day.at(from.minutes()),
                ..whole(Some(day.at(by.minutes())))
            }],
            Self::PerShift { within } => shifts
                .iter()
                .map(|shift| per_shift(within, *shift, day))
                .collect(),
            Self::Weekly { on, by } if on == day.date().weekday() => {
                vec![whole(Some(day.at(by.minutes())))]
            }
            Self::Weekly { .. } => Vec::new(),
            Self::Once { days } => {
                let last = since.plus(days.saturating_sub(1));
                let due = (day.date() >= last).then(|| {
                    if day.date() == last {
                        day.ends()
                    } else {
                        day.begins()
                    }
                });
                vec![whole(due)]
            }
            Self::AsNeeded => vec![whole(None)],
        }
    }

    /// Whether it asks for as much as another one, or for more.
    #[must_use]
    pub fn asks_no_less_than(self, other: Self, open: Span) -> bool {
        match (self, other) {
            (_, Self::AsNeeded) | (Self::Daily { .. }, Self::Once { .. }) => true,
            (
                Self::Every { minutes, during },
                Self::Every {
                    minutes: least,
                    during: asked,
                },
            ) => minutes <= least && during.unwrap_or(open).covers(asked.unwrap_or(open)),
            (
                Self::Daily { by, .. },
                Self::Daily { by: latest, .. } | Self::Weekly { by: latest, .. },
            ) => by <= latest,
            (
                Self::Weekly { on, by },
                Self::Weekly {
                    on: day,
                    by: latest,
                },
            ) => on == day && by <= latest,
            (Self::PerShift { within }, Self::PerShift { within: latest }) => match latest {
                None => true,
                Some(latest) => within.is_some_and(|within| within <= latest),
            },
            (Self::Once { days }, Self::Once { days: latest }) => days <= latest,
            _ => false,
        }
    }

    /// Whether it is done once and for all.
    #[must_use]
    pub const fn is_once(self) -> bool {
        matches!(self, Self::Once { .. })
    }
}

fn every(minutes: u16, during: Span, day: &Day) -> Vec<Window> {
    let period = i64::from(minutes.max(PERIOD.0)) * MINUTE_MS;
    let (from, to) = during.minutes();
    let (mut opens, end) = (day.at(from).0, day.at(to).0);
    let mut windows = Vec::new();
    while opens < end {
        let due = (opens + period).min(end);
        windows.push(Window {
            opens: WallTime(opens),
            due: Some(WallTime(due)),
            closes: WallTime(due + period / 2),
        });
        opens += period;
    }
    windows
}

fn per_shift(within: Option<u16>, shift: Span, day: &Day) -> Window {
    let (from, to) = shift.minutes();
    let (begins, ends) = (day.at(from), day.at(to));
    let due = within.map_or(ends, |within| {
        WallTime((begins.0 + i64::from(within) * MINUTE_MS).min(ends.0))
    });
    Window {
        opens: begins,
        due: Some(due),
        closes: WallTime(ends.0 + AFTER_SHIFT_MS),
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Every { minutes, during } => {
                write!(f, "every {minutes} min")?;
                during.map_or(Ok(()), |during| write!(f, " {during}"))
            }
            Self::Daily { from, by } if from == TimeOfDay::MIDNIGHT => write!(f, "daily by {by}"),
            Self::Daily { from, by } => write!(f, "daily {from}-{by}"),
            Self::PerShift { within: None } => f.write_str("per shift"),
            Self::PerShift {
                within: Some(minutes),
            } => write!(f, "per shift within {minutes} min"),
            Self::Weekly { on, by } => write!(f, "weekly {} by {by}", on.as_str()),
            Self::Once { days: 1 } => f.write_str("once within 1 day"),
            Self::Once { days } => write!(f, "once within {days} days"),
            Self::AsNeeded => f.write_str("as needed"),
        }
    }
}

/// What a schedule may look like, for a hint.
const SHAPES: &str = "write \"every 60 min\", \"every 120 min 08:00-20:00\", \"daily by 09:00\", \
                      \"daily 07:00-09:00\", \"per shift\", \"per shift within 30 min\", \
                      \"weekly mon by 18:00\", \"once within 3 days\" or \"as needed\"";

impl FromStr for Schedule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let refused = || format!("\"{text}\" is no schedule; {SHAPES}");
        match words.as_slice() {
            ["every", minutes, "min", rest @ ..] => {
                let during = match rest {
                    [] => None,
                    [span] => Some(span.parse()?),
                    _ => return Err(refused()),
                };
                let minutes = whole(minutes, PERIOD).ok_or_else(|| {
                    format!(
                        "\"{text}\": a period is {} to {} whole minutes",
                        PERIOD.0, PERIOD.1
                    )
                })?;
                Ok(Self::Every { minutes, during })
            }
            ["daily", "by", by] => Self::daily(TimeOfDay::MIDNIGHT, by.parse()?),
            ["daily", span] => {
                let span: Span = span.parse()?;
                Self::daily(span.from(), span.to())
            }
            ["per", "shift"] => Ok(Self::PerShift { within: None }),
            ["per", "shift", "within", minutes, "min"] => whole(minutes, PERIOD)
                .map(|minutes| Self::PerShift {
                    within: Some(minutes),
                })
                .ok_or_else(refused),
            ["weekly", on, "by", by] => {
                let on = Weekday::parse(on).ok_or_else(|| {
                    format!(
                        "\"{on}\" is no day of the week; write mon, tue, wed, thu, fri, sat or sun"
                    )
                })?;
                let by: TimeOfDay = by.parse()?;
                if by == TimeOfDay::MIDNIGHT {
                    return Err(format!("\"{text}\": nothing can be done by 00:00"));
                }
                Ok(Self::Weekly { on, by })
            }
            ["once", "within", days, "day" | "days"] => whole(days, (1, MOST_DAYS))
                .map(|days| Self::Once { days })
                .ok_or_else(|| format!("\"{text}\": once is within 1 to {MOST_DAYS} days")),
            ["as", "needed"] => Ok(Self::AsNeeded),
            _ => Err(refused()),
        }
    }
}

impl Schedule {
    fn daily(from: TimeOfDay, by: TimeOfDay) -> Result<Self, String> {
        if from < by && by.minutes() <= DAY_MINUTES {
            Ok(Self::Daily { from, by })
        } else {
            Err(format!(
                "\"daily {from}-{by}\" ends before it begins; over midnight write \"per shift\""
            ))
        }
    }
}

fn whole(digits: &str, (low, high): (u16, u16)) -> Option<u16> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    plain
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|number| (low..=high).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Offset;
    use proptest::prelude::*;

    const HOUR: i64 = 60 * MINUTE_MS;

    fn shanghai(date: &str) -> Day {
        Day::new(date.parse().unwrap(), 8 * 3600, Vec::new()).unwrap()
    }

    /// Berlin on the day of one of its two changes.
    fn berlin(date: &str, before: i32, after: i32) -> Day {
        let date: Date = date.parse().unwrap();
        let from = WallTime(date.number() * WallTime::DAY_MS + HOUR);
        Day::new(
            date,
            before,
            vec![Offset {
                from,
                seconds: after,
            }],
        )
        .unwrap()
    }

    fn windows(schedule: &str, day: &Day) -> Vec<Window> {
        let open = "08:00-20:00".parse().unwrap();
        let shifts = ["07:00-19:00", "19:00-07:00"].map(|it| it.parse().unwrap());
        schedule.parse::<Schedule>().unwrap().windows(
            day,
            open,
            &shifts,
            "2020-02-23".parse().unwrap(),
        )
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "every 60 min",
            "every 120 min 08:00-20:00",
            "daily by 09:00",
            "daily 07:00-09:00",
            "per shift",
            "per shift within 30 min",
            "weekly mon by 18:00",
            "once within 1 day",
            "once within 3 days",
            "as needed",
            "daily by 24:00",
        ] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "hourly",
            "every 5 min",
            "every 721 min",
            "every min",
            "every -60 min",
            "daily",
            "daily by 25:00",
            "daily 09:00-07:00",
            "daily by 00:00",
            "weekly moon by 18:00",
            "weekly mon by 00:00",
            "once within 0 days",
            "once within 31 days",
            "as needed please",
            "every 60 min 08:00-08:00",
            "per shift within 5 min",
            "every 60 min 08:00-20:00 x",
        ] {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hourly_is_every_hour_while_the_site_is_open() {
        let day = shanghai("2020-02-24");
        let found = windows("every 60 min", &day);
        assert_eq!(found.len(), 12);
        assert_eq!(found[0].opens.0, day.begins().0 + 8 * HOUR);
        assert_eq!(found[0].due.unwrap().0, day.begins().0 + 9 * HOUR);
        assert_eq!(found[0].closes.0, day.begins().0 + 9 * HOUR + HOUR / 2);
        assert_eq!(found[11].due.unwrap().0, day.begins().0 + 20 * HOUR);
        // The last one is shorter where the span is no multiple of the period.
        let odd = windows("every 120 min 08:00-13:00", &day);
        assert_eq!(odd.len(), 3);
        assert_eq!(odd[2].due.unwrap().0 - odd[2].opens.0, HOUR);
    }

    #[test]
    fn the_night_shift_ends_on_the_next_day() {
        let day = shanghai("2020-02-24");
        let found = windows("per shift", &day);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].opens.0, day.begins().0 + 19 * HOUR);
        assert_eq!(found[1].due.unwrap().0, day.ends().0 + 7 * HOUR);
        assert_eq!(found[1].closes.0, day.ends().0 + 8 * HOUR);
        let soon = windows("per shift within 30 min", &day);
        assert_eq!(
            soon[1].due.unwrap().0,
            day.begins().0 + 19 * HOUR + HOUR / 2
        );
    }

    #[test]
    fn changed_clocks_give_an_hour_more_or_less() {
        let spring = berlin("2020-03-29", 3600, 7200);
        let autumn = berlin("2020-10-25", 7200, 3600);
        for (day, hours) in [(&spring, 23), (&autumn, 25)] {
            let found = windows("every 60 min 00:00-24:00", day);
            assert_eq!(found.len(), hours);
            let night = windows("per shift", day)[1];
            assert_eq!(night.due.unwrap().0 - night.opens.0, 12 * HOUR);
        }
        // A night shift that begins on the evening before the change.
        let date: Date = "2020-03-28".parse().unwrap();
        let change = Offset {
            from: WallTime((date.number() + 1) * WallTime::DAY_MS + HOUR),
            seconds: 7200,
        };
        let eve = Day::new(date, 3600, vec![change]).unwrap();
        let night = windows("per shift", &eve)[1];
        assert_eq!(night.due.unwrap().0 - night.opens.0, 11 * HOUR);
    }

    #[test]
    fn weekly_once_and_as_needed() {
        assert_eq!(
            windows("weekly mon by 18:00", &shanghai("2020-02-24")).len(),
            1
        );
        assert!(windows("weekly mon by 18:00", &shanghai("2020-02-25")).is_empty());
        // The list began on the 23rd.
        let due = |date: &str| windows("once within 3 days", &shanghai(date))[0].due;
        assert_eq!(due("2020-02-24"), None);
        assert_eq!(due("2020-02-25"), Some(shanghai("2020-02-25").ends()));
        assert_eq!(due("2020-02-26"), Some(shanghai("2020-02-26").begins()));
        assert_eq!(windows("as needed", &shanghai("2020-02-24"))[0].due, None);
    }

    #[test]
    fn less_is_seen_to_be_less() {
        let open: Span = "08:00-20:00".parse().unwrap();
        let no_less = |a: &str, b: &str| {
            let (a, b): (Schedule, Schedule) = (a.parse().unwrap(), b.parse().unwrap());
            a.asks_no_less_than(b, open)
        };
        for (more, less) in [
            ("every 30 min", "every 60 min"),
            ("every 60 min 07:00-21:00", "every 60 min"),
            ("daily by 08:00", "daily by 09:00"),
            ("daily by 08:00", "weekly mon by 18:00"),
            ("per shift within 30 min", "per shift"),
            ("once within 1 day", "once within 3 days"),
            ("daily by 18:00", "as needed"),
        ] {
            assert!(
                no_less(more, less) && no_less(more, more),
                "{more} / {less}"
            );
            assert!(!no_less(less, more), "{less} / {more}");
        }
        assert!(!no_less("every 60 min 09:00-20:00", "every 60 min"));
        assert!(!no_less("weekly tue by 18:00", "weekly mon by 18:00"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(every|daily|per|weekly|once|as|by|shift|min|[0-9:-]{1,8}| ){0,8}") {
            if let Ok(schedule) = text.parse::<Schedule>() {
                prop_assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule));
            }
        }

        #[test]
        fn windows_are_in_order_in_every_zone(
            hours in -11_i32..13, at in 0_i64..2880, jump in -2_i32..=2, period in 15_u16..720,
            from in 0_u16..24, length in 1_u16..24,
        ) {
            let date = Date::new(2020, 3, 28).unwrap();
            let midnight = date.number() * WallTime::DAY_MS - i64::from(hours) * HOUR;
            let change = Offset { from: WallTime(midnight + at * MINUTE_MS), seconds: (hours + jump) * 3600 };
            let day = Day::new(date, hours * 3600, vec![change]).unwrap();
            let time = |hour| TimeOfDay::new(hour % 24, 0).unwrap();
            let span = Span::new(time(from), time(from + length)).unwrap();
            for schedule in [
                Schedule::Every { minutes: period, during: Some(span) },
                Schedule::PerShift { within: None },
                Schedule::PerShift { within: Some(period) },
            ] {
                let found = schedule.windows(&day, span, &[span], date);
                for window in &found {
                    let due = window.due.unwrap();
                    prop_assert!(window.opens <= due && due < window.closes);
                }
                for pair in found.windows(2) {
                    prop_assert!(pair[0].due.unwrap() == pair[1].opens);
                }
            }
        }
    }
}
