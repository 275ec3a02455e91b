//! The charts of the day and of the weeks before it.

use super::super::chart::{Chart, Column, Look, Plot, Rule, Said, Series, Shape};
use super::super::state::GatewayStatus;
use super::super::when;
use super::super::words::{InWords as _, Words, today as words};
use super::{Figures, Stretch, classes, people};
use crate::figures::Waits;
use crate::screening::operating::step_of;
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::units::Celsius;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

const RETEST: Verdict = Verdict::Retest(RetestReason::NearThreshold);
const CANNOT: Verdict = Verdict::CannotJudge(Obstacle::TooFewLooks);

/// The classes from the ground up, with their places in [`classes`].
const LAYERS: [(usize, Verdict, Look); 4] = [
    (0, Verdict::Clear, Look::Good),
    (3, CANNOT, Look::Unknown),
    (2, RETEST, Look::Doubt),
    (1, Verdict::PossibleFever, Look::Alarm),
];

/// A share in per cent; `None` of nobody.
pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

fn said(zh: String, en: String) -> Said {
    Said { zh, en }
}

/// People by class in each stretch, with the names of the columns.
fn by_class(
    (id, title, across): (&'static str, Words, Words),
    stretches: &[Stretch],
    name: impl Fn(&Stretch) -> Column,
) -> Chart {
    let all: u64 = stretches.iter().map(|it| people(&it.tally)).sum();
    let busiest = stretches.iter().max_by_key(|it| people(&it.tally));
    let about = match busiest.filter(|_| all > 0) {
        None => said("没有记录。".to_owned(), "Nothing on record.".to_owned()),
        Some(most) => {
            let (most, at) = (people(&most.tally), name(most).name);
            said(
                format!("共 {all} 人次，最多的是 {at}：{most} 人次。"),
                format!("{all} people; most at {at}: {most}."),
            )
        }
    };
    let column = |it: &Stretch| {
        let classes = classes(&it.tally);
        let values = LAYERS.map(|(at, ..)| Some(classes[at] as f64));
        Column {
            values: values.to_vec(),
            ..name(it)
        }
    };
    Chart::new(Plot {
        id,
        title,
        about,
        across,
        unit: words::PEOPLE,
        decimals: 0,
        shape: Shape::Stacked,
        series: LAYERS
            .iter()
            .map(|(_, verdict, look)| Series {
                words: verdict.words(),
                look: *look,
            })
            .collect(),
        columns: stretches.iter().map(column).collect(),
        rules: Vec::new(),
    })
}

/// The hours of a day.
pub(super) fn by_hour(hours: &[Stretch]) -> Chart {
    let name = |it: &Stretch| {
        let at = when::minute(it.begins);
        let hour = at.split(':').next().unwrap_or_default();
        Column {
            short: hour.to_owned(),
            name: at,
            ..Column::default()
        }
    };
    by_class(("by-hour", words::BY_HOUR, words::HOUR), hours, name)
}

/// A day, which leads to its own page.
fn day(it: &Stretch) -> Column {
    let (_, month, day) = it.date.parts();
    Column {
        short: format!("{month}/{day}"),
        name: it.date.to_string(),
        link: Some(format!("/today/{}", it.date)),
        ..Column::default()
    }
}

/// The days up to this one.
pub(super) fn by_day(days: &[Stretch]) -> Chart {
    by_class(("by-day", words::BY_DAY, words::DAY), days, day)
}

/// The weeks up to this one.
pub(super) fn by_week(weeks: &[Stretch]) -> Chart {
    let week = |it: &Stretch| Column {
        link: None,
        ..day(it)
    };
    by_class(("by-week", words::BY_WEEK, words::WEEK), weeks, week)
}

/// How many of a day's people could not be judged, and how many had to be measured again.
pub(super) fn rates(days: &[Stretch]) -> Chart {
    let all: [u64; 4] = days.iter().fold([0; 4], |sum, it| {
        let classes = classes(&it.tally);
        std::array::from_fn(|at| sum[at] + classes[at])
    });
    let of = |at: usize| percent(all[at], all.iter().sum());
    let about = match (of(3), of(2)) {
        (Some(cannot), Some(retest)) => said(
            format!("这些天里 {cannot:.1}% 无法判断，{retest:.1}% 需要复测。"),
            format!(
                "Over these days {cannot:.1} % could not be judged, {retest:.1} % were to be measured again."
            ),
        ),
        _ => said("没有记录。".to_owned(), "Nothing on record.".to_owned()),
    };
    let column = |it: &Stretch| {
        let classes = classes(&it.tally);
        let of = |at: usize| percent(classes[at], classes.iter().sum());
        Column {
            values: vec![of(3), of(2)],
            ..day(it)
        }
    };
    let series = [(CANNOT, Look::Unknown), (RETEST, Look::Doubt)];
    Chart::new(Plot {
        id: "rates",
        title: words::RATES,
        about,
        across: words::DAY,
        unit: words::PERCENT,
        decimals: 1,
        shape: Shape::Lines,
        series: series
            .map(|(verdict, look)| Series {
                words: verdict.words(),
                look,
            })
            .to_vec(),
        columns: days.iter().map(column).collect(),
        rules: Vec::new(),
    })
}

/// How long the alerts of each day waited.
pub(super) fn waits(days: &[Stretch], waits: &[Waits]) -> Chart {
    let minutes = |it: Option<Duration>| it.map(|it| it.as_secs_f64() / 60.0);
    let raised: usize = waits.iter().map(|it| it.raised).sum();
    let worst = waits.iter().filter_map(|it| it.worst).max();
    let about = match worst {
        Some(worst) => {
            let worst = super::lasted(worst);
            said(
                format!("{raised} 起警报，最长等了 {}。", worst.zh),
                format!("{raised} alerts; the longest wait was {}.", worst.en),
            )
        }
        None => said("没有警报。".to_owned(), "No alerts.".to_owned()),
    };
    let column = |(it, waits): (&Stretch, &Waits)| Column {
        values: vec![minutes(waits.median), minutes(waits.worst)],
        ..day(it)
    };
    let series = |words, look| Series { words, look };
    Chart::new(Plot {
        id: "waits",
        title: words::WAITS,
        about,
        across: words::DAY,
        unit: words::MINUTES,
        decimals: 1,
        shape: Shape::Lines,
        series: vec![
            series(words::MEDIAN, Look::Plain),
            series(words::WORST, Look::Alarm),
        ],
        columns: days.iter().zip(waits).map(column).collect(),
        rules: Vec::new(),
    })
}

/// The steps that are drawn: all that were read, and both thresholds.
fn drawn(readings: &[(i64, u64)], thresholds: [i64; 2]) -> RangeInclusive<i64> {
    let steps = readings.iter().map(|it| it.0).chain(thresholds);
    let (low, high) = steps.fold((i64::MAX, i64::MIN), |(low, high), it| {
        (low.min(it), high.max(it))
    });
    low..=high
}

/// How readings lie about the thresholds. Without a reference there are none: differences are no
/// temperatures.
pub(super) fn readings(figures: &Figures, status: &GatewayStatus) -> Chart {
    let absolute = status.population().is_none();
    let step = |degrees| Celsius::new(degrees).map_or(0, step_of);
    let thresholds = [status.thresholds.attention_c, status.thresholds.fever_c].map(step);
    let [attention, fever] = thresholds;
    let counted: BTreeMap<i64, u64> = figures.readings.iter().copied().collect();
    let count = |at: i64| counted.get(&at).copied().unwrap_or(0);
    let number: u64 = counted.values().sum();
    let without = figures.reading_people.saturating_sub(number);
    let at_fever: u64 = counted.range(fever..).map(|it| it.1).sum();
    let about = if number > 0 {
        said(
            format!(
                "近 7 天 {number} 个读数，每 0.1 °C 一格，其中 {at_fever} 个达到发热阈值；另有 {without} 人次没有体温读数。"
            ),
            format!(
                "{number} readings of the last 7 days in steps of 0.1 °C, {at_fever} of them at the fever threshold or above; {without} more people have no reading."
            ),
        )
    } else if absolute {
        said(
            "近 7 天没有读数。".to_owned(),
            "No readings in the last 7 days.".to_owned(),
        )
    } else {
        said(
            "相对模式：没有黑体，只有与人群的差值，没有体温读数。".to_owned(),
            "Relative mode: without a reference there are differences to other people and no readings.".to_owned(),
        )
    };
    let column = |at: i64| {
        let place = usize::from(at >= attention) + usize::from(at >= fever);
        let degrees = format!("{:.1}", at as f64 / 10.0);
        Column {
            short: degrees.clone(),
            name: degrees,
            link: None,
            values: (0..3)
                .map(|it| (it == place).then(|| count(at) as f64))
                .collect(),
        }
    };
    let steps = drawn(&figures.readings, thresholds);
    let rule = |at: i64, zh: &str, en: &str| Rule {
        at: (at - steps.start()) as f64,
        says: said(
            format!("{:.1} {zh}", at as f64 / 10.0),
            format!("{:.1} {en}", at as f64 / 10.0),
        ),
    };
    let series = |words, look| Series { words, look };
    let shown = number > 0 || absolute;
    Chart::new(Plot {
        id: "readings",
        title: words::READINGS,
        about,
        across: words::ESTIMATE,
        unit: words::PEOPLE,
        decimals: 0,
        shape: Shape::Stacked,
        series: vec![
            series(words::BELOW, Look::Good),
            series(words::BETWEEN, Look::Doubt),
            series(words::ABOVE, Look::Alarm),
        ],
        rules: if absolute {
            vec![
                rule(attention, "复测", "retest"),
                rule(fever, "疑似发热", "possible fever"),
            ]
        } else {
            Vec::new()
        },
        columns: if shown {
            steps.map(column).collect()
        } else {
            Vec::new()
        },
    })
}
