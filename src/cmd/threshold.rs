//! `menshen threshold`: what a threshold means, from the clinical table that is built in.

use super::{celsius, say, within};
use crate::config::TransferFile;
use crate::screening::Rules;
use crate::screening::operating::{Operating, Point, Share, step_of};
use crate::units::Celsius;
use anyhow::Context as _;
use serde::Serialize;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Shares of the people at a door who have a fever, where none is given: an outbreak in the
/// house, and any other day.
const PREVALENCES: [f64; 2] = [0.01, 0.001];

/// Arguments of `menshen threshold`.
#[derive(clap::Args, Debug)]
pub struct ThresholdArgs {
    /// Threshold, °C of body estimate; without it the one that is used where nothing is set.
    #[arg(value_name = "DEGREES", value_parser = degrees)]
    threshold: Option<Celsius>,
    /// Take the threshold of this specificity, 0.80 to 0.999.
    #[arg(long, value_name = "P", conflicts_with = "threshold", value_parser = specificity)]
    specificity: Option<f64>,
    /// Share of all people who have a fever; without it 0.01 and 0.001.
    #[arg(long, value_name = "P", value_parser = prevalence)]
    prevalence: Option<f64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn degrees(text: &str) -> Result<Celsius, String> {
    celsius(text, 33.0, 43.0)
}

fn specificity(text: &str) -> Result<f64, String> {
    within(text, 0.8, 0.999, "")
}

fn prevalence(text: &str) -> Result<f64, String> {
    within(text, 1e-6, 0.999, "")
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    threshold_c: f64,
    /// What was asked for, where that was finer than a step.
    asked_c: Option<f64>,
    /// Each figure of the worse camera.
    worse: Figures,
    cameras: Vec<CameraReport>,
    predictive: Vec<Predictive>,
    data: DataReport,
}

#[derive(Serialize)]
struct CameraReport {
    camera: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct Figures {
    /// Oral 37.5 °C or more.
    sensitivity: ShareReport,
    /// Oral 38.0 °C or more.
    sensitivity_high: ShareReport,
    specificity: ShareReport,
    false_alarms_per_1000: ShareReport,
    feverish: u64,
    high: u64,
    well: u64,
}

#[derive(Serialize)]
struct Predictive {
    prevalence: f64,
    /// `null` where nobody is called.
    ppv: Option<ShareReport>,
}

/// With its 95 % interval.
#[derive(Clone, Copy, Serialize)]
struct ShareReport {
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct DataReport {
    source: String,
    people: usize,
    /// The constants of the estimate were made of the same people.
    in_sample: bool,
}

impl From<Share> for ShareReport {
    fn from(share: Share) -> Self {
        let [value, low, high] =
            [share.value, share.low, share.high].map(|it| (it * 1e5).round() / 1e5);
        Self { value, low, high }
    }
}

/// Says it.
///
/// # Errors
/// Where the table says nothing of it, or standard output cannot be written.
pub fn run(args: &ThresholdArgs) -> anyhow::Result<ExitCode> {
    let file = TransferFile::shipped()?;
    let table = file.operating();
    let asked = match (args.threshold, args.specificity) {
        (Some(threshold), _) => threshold,
        (None, Some(specificity)) => table
            .threshold_for(specificity)
            .context("no table of thresholds is built in")?,
        (None, None) => Rules::default().fever,
    };
    let report = Report::of(&table, asked, args.prevalence, &file)
        .context("no table of thresholds is built in")?;
    let text = if args.json {
        serde_json::to_string(&report).context("writing JSON")? + "\n"
    } else {
        report.in_words()
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What a threshold means, in one line.
pub(super) fn in_one_line(threshold: Celsius) -> Option<String> {
    let table = TransferFile::shipped().ok()?.operating();
    let point = table.point(step_of(threshold))?;
    let (found, high) = (point.sensitivity()?, point.sensitivity_high()?);
    let alarms = point.false_alarms_per_1000()?;
    Some(format!(
        "possible fever from {:.1} °C on: on the clinical data it finds {:.0} % of people at 37.5 °C \
         or more and {:.0} % at 38.0 °C or more, and calls {:.0} of 1000 others (95 %: {:.0} to \
         {:.0}). More: menshen threshold {:.1}",
        threshold.degrees(),
        100.0 * found.value,
        100.0 * high.value,
        alarms.value,
        alarms.low,
        alarms.high,
        threshold.degrees(),
    ))
}

/// What a line of the table is called, and where its figure and number of people stand.
type Row = (&'static str, fn(&Figures) -> (ShareReport, u64));

impl Figures {
    fn of(point: &Point) -> Option<Self> {
        Some(Self {
            sensitivity: point.sensitivity()?.into(),
            sensitivity_high: point.sensitivity_high()?.into(),
            specificity: point.specificity()?.into(),
            false_alarms_per_1000: point.false_alarms_per_1000()?.into(),
            feverish: point.sensitivity.of,
            high: point.sensitivity_high.of,
            well: point.specificity.of,
        })
    }
}

impl Report {
    fn of(
        table: &Operating,
        asked: Celsius,
        prevalence: Option<f64>,
        file: &TransferFile,
    ) -> Option<Self> {
        let step = step_of(asked);
        let threshold_c = step as f64 / 10.0;
        let point = table.point(step)?;
        let camera = |(camera, point): (&str, Point)| {
            Some(CameraReport {
                camera: camera.to_owned(),
                figures: Figures::of(&point)?,
            })
        };
        let prevalences = prevalence.map_or(PREVALENCES.to_vec(), |it| vec![it]);
        let predictive = |prevalence| Predictive {
            prevalence,
            ppv: point.predictive(prevalence).map(ShareReport::from),
        };
        Some(Self {
            threshold_c,
            asked_c: Some(asked.degrees()).filter(|it| (it - threshold_c).abs() > 1e-6),
            worse: Figures::of(&point)?,
            cameras: table.points(step).into_iter().filter_map(camera).collect(),
            predictive: prevalences.into_iter().map(predictive).collect(),
            data: DataReport {
                source: file.source.data.clone(),
                people: file.source.people,
                in_sample: true,
            },
        })
    }

    fn in_words(&self) -> String {
        let mut text = format!(
            "possible fever from {:.1} °C of body estimate on\n",
            self.threshold_c
        );
        if let Some(asked) = self.asked_c {
            let _ = writeln!(
                text,
                "({asked} °C was asked for; the data are counted in steps of 0.1 °C, and nothing \
                 finer is known)"
            );
        }
        let _ = write!(text, "\n{:<37}{:<23}", "", "the worse camera");
        for it in &self.cameras {
            let _ = write!(text, "{:<29}", it.camera);
        }
        let rows: [Row; 3] = [
            ("finds, of oral 37.5 °C or more", |it| {
                (it.sensitivity, it.feverish)
            }),
            ("finds, of oral 38.0 °C or more", |it| {
                (it.sensitivity_high, it.high)
            }),
            ("specificity (oral below 37.5 °C)", |it| {
                (it.specificity, it.well)
            }),
        ];
        for (what, of) in rows {
            let _ = write!(text, "\n{what:<37}{:<23}", share(of(&self.worse).0, 3));
            for it in &self.cameras {
                let (of, n) = of(&it.figures);
                let _ = write!(text, "{:<29}", format!("{} n {n}", share(of, 3)));
            }
        }
        let _ = write!(
            text,
            "\n{:<37}{:<23}",
            "false alarms in 1000 people",
            share(self.worse.false_alarms_per_1000, 0)
        );
        for it in &self.cameras {
            let _ = write!(text, "{:<29}", share(it.figures.false_alarms_per_1000, 0));
        }
        text.push('\n');
        for it in &self.predictive {
            let _ = writeln!(
                text,
                "{:<37}{}",
                format!(
                    "right calls where {} % have a fever",
                    percent(it.prevalence)
                ),
                it.ppv
                    .map_or("n/a: nobody is called".to_owned(), |ppv| share(ppv, 3))
            );
        }
        let _ = writeln!(
            text,
            "\nIn brackets 95 % intervals (Wilson; of right calls from the limits of both shares). \
             {} people, nobody\nelse than those of whom the constants were made, each seen by both \
             cameras: so the cameras are not added up.\nYoung, still, close and one at a time, in a \
             laboratory: a lobby does worse.\n{}",
            self.data.people, self.data.source
        );
        text
    }
}

fn share(it: ShareReport, decimals: usize) -> String {
    format!(
        "{:.decimals$} [{:.decimals$}, {:.decimals$}]",
        it.value, it.low, it.high
    )
}

/// A share as percent, without zeros at its end.
fn percent(share: f64) -> String {
    let percent = (share * 1e6).round() / 1e4;
    format!("{percent}")
}
