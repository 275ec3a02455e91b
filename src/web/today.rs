//! The day at a glance, for whoever runs the building and for the street office: who came and what was said
//! of them, how often nobody could say anything and why, how long alerts waited, how far the rounds are, how
//! the device is; then the weeks before, and how readings lie about the thresholds.
//!
//! Counts and no names: whoever may see the day may see this page. `/today` is today, `/today/{date}` any
//! day whose records are still there, with what led up to it. Everything is made here on a blocking thread
//! and shown without a script.

mod export;
mod meaning;
mod plots;

use super::chart::{Chart, Said};
use super::frame::Frame;
use super::page::{DeviceCard, Today};
use super::problem::Problem;
use super::rounds;
use super::routes::{Entry, get};
use super::state::LinkWord;
use super::words::checklist::{Step, receipt};
use super::words::{self, Words};
use super::{Shared, blocking, page, when};
use crate::calendar::Date;
use crate::checklist::{Carried, Desk, Duty, Progress, RoundState};
use crate::clock::{Stamp, WallTime};
use crate::figures::{Tally, Waits};
use crate::id::Channel;
use crate::staff::Right;
use crate::web::state::Dashboard;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use meaning::Meaning;
use std::sync::Arc;
use std::time::Duration;

const HOUR_MS: i64 = 3_600_000;

/// Days of the trend by day: five weeks, so that each weekday is seen five times.
const DAYS: u16 = 35;

/// Weeks of the trend by week: a year.
const WEEKS: u16 = 52;

/// Days whose readings are shown beside the thresholds: each weekday once, and fewer than readings of the
/// clear are kept by default.
const READING_DAYS: u16 = 7;

/// A stretch of time with its people.
struct Stretch {
    /// The date on which it begins.
    date: Date,
    begins: WallTime,
    tally: Tally,
}

/// Everything that is read for the page.
struct Figures {
    hours: Vec<Stretch>,
    days: Vec<Stretch>,
    /// How long the alerts of each of `days` waited.
    waits: Vec<Waits>,
    weeks: Vec<Stretch>,
    /// Steps of 0.1 °C, with how many readings are in each.
    readings: Vec<(i64, u64)>,
    /// People of the days of those readings.
    reading_people: u64,
}

/// All people of a tally.
fn people(tally: &Tally) -> u64 {
    tally.iter().map(|it| it.2).sum()
}

/// People by the four classes, as [`Today`] has them. A word of a newer program is of people who were not
/// judged by any word that is known here.
fn classes(tally: &Tally) -> [u64; 4] {
    let mut classes = [0; 4];
    for (class, _, people) in tally {
        let at = match class.as_str() {
            "clear" => 0,
            "possible_fever" => 1,
            "retest" => 2,
            _ => 3,
        };
        classes[at] += people;
    }
    classes
}

/// Stretches from one of these moments to the next.
fn stretches(
    it: &Dashboard,
    dates: impl IntoIterator<Item = Date>,
    bounds: &[WallTime],
) -> Result<Vec<Stretch>, Problem> {
    let tallies = it.figures.people(bounds)?;
    let stretch = |((date, begins), tally): ((Date, &WallTime), Tally)| Stretch {
        date,
        begins: *begins,
        tally,
    };
    Ok(dates
        .into_iter()
        .zip(bounds)
        .zip(tallies)
        .map(stretch)
        .collect())
}

/// The hours of a day: as many as its zone gives it.
fn hours(it: &Dashboard, date: Date) -> Result<Vec<Stretch>, Problem> {
    let day = when::days(date, 1);
    let [begins, ends] = day.as_slice() else {
        return Ok(Vec::new());
    };
    let starts = (begins.0..ends.0).step_by(HOUR_MS as usize).map(WallTime);
    let bounds: Vec<_> = starts.chain([*ends]).collect();
    stretches(it, std::iter::repeat(date), &bounds)
}

/// So many days up to this one.
fn days(it: &Dashboard, date: Date, count: u16) -> Result<Vec<Stretch>, Problem> {
    let first = when::earlier(date, count - 1).unwrap_or(date);
    let bounds = when::days(first, count);
    let dates = (0..count).map(|days| first.plus(days));
    stretches(it, dates, &bounds)
}

/// So many weeks from Monday on, up to that of this date.
fn weeks(it: &Dashboard, date: Date, count: u16) -> Result<Vec<Stretch>, Problem> {
    // 1970-01-01 was a Thursday.
    let since_monday = (date.number() + 3).rem_euclid(7) as u16;
    let back = since_monday + 7 * (count - 1);
    let first = when::earlier(date, back).unwrap_or(date);
    let bounds: Vec<_> = when::days(first, 7 * count)
        .into_iter()
        .step_by(7)
        .collect();
    let dates = (0..count).map(|week| first.plus(7 * week));
    stretches(it, dates, &bounds)
}

/// Without the empty ones before there was anything, but never fewer than `least`.
fn from_the_first(mut stretches: Vec<Stretch>, least: usize) -> Vec<Stretch> {
    let empty = stretches
        .iter()
        .take_while(|it| people(&it.tally) == 0)
        .count();
    let most = stretches.len().saturating_sub(least);
    stretches.drain(..empty.min(most));
    stretches
}

impl Figures {
    fn read(it: &Dashboard, date: Date, now: &Stamp) -> Result<Self, Problem> {
        let days = from_the_first(days(it, date, DAYS)?, usize::from(READING_DAYS));
        let last = days.len().saturating_sub(usize::from(READING_DAYS));
        let ends = when::days(date, 1).last().copied().unwrap_or(now.wall);
        let ends_of = days.iter().skip(1).map(|it| it.begins).chain([ends]);
        let waits = days.iter().zip(ends_of).map(|(day, ends)| {
            let alerts = it.figures.alert_times(day.begins, ends)?;
            Ok::<_, Problem>(Waits::of(&alerts, now))
        });
        let read_from = days.get(last).map_or(ends, |it| it.begins);
        Ok(Self {
            hours: hours(it, date)?,
            waits: waits.collect::<Result<_, _>>()?,
            weeks: from_the_first(weeks(it, date, WEEKS)?, 4),
            readings: it.figures.estimates(read_from, ends)?,
            reading_people: days.iter().skip(last).map(|it| people(&it.tally)).sum(),
            days,
        })
    }

    /// The shown day's people.
    fn day(&self) -> Tally {
        self.hours.iter().flat_map(|it| it.tally.clone()).collect()
    }
}

/// How far the rounds and the report of the day are.
struct RoundsView {
    required: Progress,
    optional: Progress,
    /// The last report: revision, and where it is.
    report: Option<(u32, Words)>,
    /// When it goes out by itself.
    report_at: String,
    draft: bool,
}

/// Where a report is on its way: the step that goes on or is stuck, else the last one.
fn place(carried: Carried, link: &LinkWord) -> Words {
    let steps = receipt(carried, link);
    let [.., last] = steps;
    let going = |(step, _): &(Step, Words)| matches!(step, Step::Now | Step::Stuck);
    steps.into_iter().find(going).unwrap_or(last).1
}

impl RoundsView {
    fn of(desk: &Desk, date: Date, now: &Stamp, link: &LinkWord) -> Result<Self, Problem> {
        let log = desk.log(date)?;
        let report = log.report(now.wall);
        Ok(Self {
            required: report.total(Duty::Required),
            optional: report.total(Duty::Optional),
            report: log
                .last()
                .map(|it| (it.report.revision, place(it.carried, link))),
            report_at: desk.report_at().to_string(),
            draft: matches!(log.round.state(), RoundState::Draft { .. }),
        })
    }
}

/// The waits of the shown day, as they are written.
struct WaitsView {
    raised: usize,
    open: usize,
    unresolved: usize,
    median: Option<Said>,
    worst: Option<Said>,
}

/// How long something lasted.
fn lasted(it: Duration) -> Said {
    let (minutes, seconds) = (it.as_secs() / 60, it.as_secs() % 60);
    let (hours, of_hour) = (minutes / 60, minutes % 60);
    let [zh, en] = match (hours, minutes) {
        (0, 0) => [format!("{seconds} 秒"), format!("{seconds} s")],
        (0, _) => [
            format!("{minutes} 分 {seconds:02} 秒"),
            format!("{minutes} min {seconds:02} s"),
        ],
        _ => [
            format!("{hours} 小时 {of_hour:02} 分"),
            format!("{hours} h {of_hour:02} min"),
        ],
    };
    Said { zh, en }
}

impl From<&Waits> for WaitsView {
    fn from(it: &Waits) -> Self {
        Self {
            raised: it.raised,
            open: it.open,
            unresolved: it.unresolved,
            median: it.median.map(lasted),
            worst: it.worst.map(lasted),
        }
    }
}

#[derive(Template)]
#[template(path = "today/page.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    date: String,
    weekday: Words,
    is_today: bool,
    before: Option<String>,
    after: Option<String>,
    today: Today,
    /// Per cent of the day's people who could not be judged.
    cannot: Option<String>,
    waits: WaitsView,
    rounds: Option<RoundsView>,
    /// Whether who looks may open the rounds and the report.
    runs_rounds: bool,
    handles: bool,
    /// What the street office has said, where it holds now.
    notices: Vec<String>,
    device: DeviceCard,
    /// What it means that there is no reference, where there is none.
    relative: Option<Words>,
    by_hour: Chart,
    by_day: Chart,
    by_week: Chart,
    rates: Chart,
    waited: Chart,
    readings: Chart,
    meaning: Option<Meaning>,
}

fn build(it: &Dashboard, now: &Stamp, date: Option<Date>, frame: Frame) -> Result<Page, Problem> {
    let today = when::date(now.wall).ok_or(Problem::NoPage)?;
    let date = date.unwrap_or(today);
    if date > today {
        return Err(Problem::NoPage);
    }
    let status = Arc::clone(&it.status.borrow());
    let figures = Figures::read(it, date, now)?;
    let tally = figures.day();
    let [.., cannot] = classes(&tally);
    let judged = people(&tally) - cannot;
    let may = |right| frame.who.as_ref().is_some_and(|who| who.role.may(right));
    let weekday = date.weekday();
    let rounds = it.desk.as_ref();
    Ok(Page {
        date: date.to_string(),
        weekday: Words {
            zh: weekday.zh(),
            en: weekday.en(),
        },
        is_today: date == today,
        before: when::earlier(date, 1).map(|it| it.to_string()),
        after: (date < today).then(|| date.plus(1).to_string()),
        today: Today::new(&tally),
        cannot: plots::percent(cannot, people(&tally)).map(|it| format!("{it:.1}")),
        waits: figures.waits.last().unwrap_or(&Waits::default()).into(),
        rounds: rounds
            .map(|desk| RoundsView::of(desk, date, now, &status.mqtt))
            .transpose()?,
        runs_rounds: may(Right::RunChecklist),
        handles: may(Right::HandleAlerts),
        notices: if date == today {
            let notices = it.journal.notices(now.wall.0)?;
            notices.iter().map(|it| it.text.to_string()).collect()
        } else {
            Vec::new()
        },
        device: DeviceCard::new(&status, it.outbox.count(&Channel::broker())?, now),
        relative: status.population().map(|_| words::RELATIVE),
        by_hour: plots::by_hour(&figures.hours),
        by_day: plots::by_day(&figures.days),
        by_week: plots::by_week(&figures.weeks),
        rates: plots::rates(&figures.days),
        waited: plots::waits(&figures.days, &figures.waits),
        readings: plots::readings(&figures, &status),
        meaning: status
            .population()
            .is_none()
            .then(|| Meaning::of(&it.evidence, status.thresholds, judged))
            .flatten(),
        frame,
    })
}

async fn shown(
    shared: &Arc<Shared>,
    date: Option<Date>,
    frame: Frame,
) -> Result<Response, Problem> {
    let dashboard = shared.dashboard.clone();
    let now = dashboard.clock.now();
    let page = blocking(move || build(&dashboard, &now, date, frame)).await?;
    page::html(&page)
}

/// `GET /today`.
async fn today(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    shown(&shared, None, frame).await
}

/// `GET /today/{date}`.
async fn of_day(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    shown(&shared, Some(rounds::day(&date)?), frame).await
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/today", Right::SeeToday, today),
        get("/today/{date}", Right::SeeToday, of_day),
        get(
            "/today/{date}/hours/{ending}",
            Right::SeeToday,
            export::hours,
        ),
        get("/today/{date}/days/{ending}", Right::SeeToday, export::days),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(people: u64) -> Stretch {
        Stretch {
            date: "2020-02-21".parse().unwrap(),
            begins: WallTime(0),
            tally: vec![("clear".to_owned(), None, people)],
        }
    }

    #[test]
    fn a_trend_begins_where_there_was_something() {
        let left = |people: &[u64], least| {
            let all = people.iter().map(|it| stretch(*it)).collect();
            from_the_first(all, least).len()
        };
        assert_eq!(left(&[0, 0, 5, 0, 7], 1), 3);
        assert_eq!(left(&[0, 0, 5, 0, 7], 4), 4);
        assert_eq!(left(&[0, 0, 0], 2), 2);
        assert_eq!(left(&[1], 7), 1);
    }

    #[test]
    fn times_are_written_as_people_say_them() {
        for (seconds, zh, en) in [
            (0, "0 秒", "0 s"),
            (59, "59 秒", "59 s"),
            (61, "1 分 01 秒", "1 min 01 s"),
            (3599, "59 分 59 秒", "59 min 59 s"),
            (3660, "1 小时 01 分", "1 h 01 min"),
        ] {
            let said = lasted(Duration::from_secs(seconds));
            assert_eq!((said.zh.as_str(), said.en.as_str()), (zh, en));
        }
    }
}
