//! `menshen evaluate clinical`: what the shown value and the scores say of fever, on people whose
//! oral temperature is known.
//!
//! Shipped constants are applied to whoever is in the table, and people of whom the constants were
//! made are scored apart, as in-sample. Beside that, everything is fitted anew by nested
//! cross-validation on the table's own people, where there are enough of them.

use crate::cmd::clinical::{self, ClinicalTable};
use crate::cmd::{calibrate, say};
use crate::config::TransferFile;
use crate::evaluate::clinical::{
    FEVER_C, FULL, Figure, GATEWAY, HIGH_FEVER_C, Region, Row, SPECIFICITIES, Values, cameras,
    people, unseen_estimates, unseen_scores,
};
use anyhow::Context as _;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Feverish people from which fitting anew says something.
const ENOUGH: usize = 20;

/// Arguments of `menshen evaluate clinical`.
#[derive(clap::Args, Debug)]
pub struct ClinicalArgs {
    /// Table (CSV) of people before thermal cameras whose oral temperature is known.
    #[arg(value_name = "CSV")]
    table: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The figures.
#[derive(Serialize)]
struct Report {
    rows: usize,
    lines_left_out: usize,
    people: usize,
    feverish: usize,
    reference: &'static str,
    parts: Vec<Part>,
}

/// The same people by the same kind of constants.
#[derive(Serialize)]
struct Part {
    /// `people_of_the_fit`, `unseen_people` or `cross_validated`.
    of: &'static str,
    /// Whether the constants have seen these people.
    in_sample: bool,
    people: usize,
    feverish: usize,
    lines: Vec<Line>,
}

/// One value, one camera, one definition of fever.
#[derive(Serialize)]
struct Line {
    value: &'static str,
    camera: String,
    fever_from_oral_c: f64,
    n: usize,
    feverish: usize,
    /// `null` without people of both kinds.
    auc: Option<FigureReport>,
    /// At specificity 0.90, 0.95, 0.99.
    sensitivity: Option<[FigureReport; 3]>,
    /// Of value − oral, K; `null` for a score, which is no temperature.
    bias_k: Option<f64>,
    bias_feverish_k: Option<f64>,
    sd_k: Option<f64>,
    /// Of the oral temperature about the straight line through the value, K.
    sd_about_line_k: Option<f64>,
}

/// With its 95 % interval.
#[derive(Clone, Copy, Serialize)]
struct FigureReport {
    value: f64,
    low: f64,
    high: f64,
}

impl From<Figure> for FigureReport {
    fn from(figure: Figure) -> Self {
        let [value, low, high] = [figure.value, figure.low, figure.high].map(short);
        Self { value, low, high }
    }
}

/// Four decimals: more than is known.
fn short(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Evaluates.
///
/// # Errors
/// Where the table cannot be read.
pub(super) fn run(args: &ClinicalArgs) -> anyhow::Result<ExitCode> {
    let table = clinical::read(&args.table)?;
    let report = Report::of(&table, &TransferFile::shipped()?);
    let text = if args.json {
        serde_json::to_string(&report).context("writing JSON")?
    } else {
        report.in_words()
    };
    say(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A rule's name, whether it is a temperature, and everybody's value.
type Rule = (&'static str, bool, Vec<Option<f64>>);

impl Report {
    fn of(table: &ClinicalTable, file: &TransferFile) -> Self {
        let known: BTreeSet<&str> = file.source.people_sha256.split_whitespace().collect();
        let (of_fit, unseen): (Vec<&Row>, Vec<&Row>) = table
            .rows
            .iter()
            .partition(|row| known.contains(calibrate::digest(&row.person).as_str()));
        let mut parts = Vec::new();
        for (of, rows, in_sample) in [
            ("unseen_people", unseen, false),
            ("people_of_the_fit", of_fit, true),
        ] {
            if !rows.is_empty() {
                let mut rules = vec![baseline(&rows)];
                rules.extend(shipped(&rows, file));
                parts.push(Part::of(of, in_sample, &rows, &rules));
            }
        }
        let (all, feverish) = people(&table.rows);
        if feverish >= ENOUGH {
            let rows: Vec<&Row> = table.rows.iter().collect();
            let rules = [
                baseline(&rows),
                ("estimate", true, unseen_estimates(&rows)),
                ("score_gateway", false, unseen_scores(&rows, &GATEWAY)),
                ("score_full", false, unseen_scores(&rows, &FULL)),
            ];
            parts.push(Part::of("cross_validated", false, &rows, &rules));
        }
        Self {
            rows: table.rows.len(),
            lines_left_out: table.left_out,
            people: all,
            feverish,
            reference: "oral thermometer in monitor mode; mean of rounds 1 to 3",
            parts,
        }
    }
}

/// What a camera without any of this would take.
fn baseline(rows: &[&Row]) -> Rule {
    let values = rows.iter().map(|row| row.celsius(Region::WholeFace));
    ("whole_face_maximum", true, values.collect())
}

fn shipped(rows: &[&Row], file: &TransferFile) -> [Rule; 3] {
    let balance = file.balance();
    let shown = rows.iter().map(|row| balance.shown(row)).collect();
    let scores = [&file.score.gateway, &file.score.full].map(|of| {
        let score = file.score(of);
        rows.iter().map(|row| score.value(row)).collect()
    });
    let [gateway, full] = scores;
    [
        ("estimate", true, shown),
        ("score_gateway", false, gateway),
        ("score_full", false, full),
    ]
}

impl Part {
    fn of(of: &'static str, in_sample: bool, rows: &[&Row], rules: &[Rule]) -> Self {
        let whole: Vec<Row> = rows.iter().map(|row| (*row).clone()).collect();
        let (all, feverish) = people(&whole);
        let mut lines = Vec::new();
        for fever_from in [FEVER_C, HIGH_FEVER_C] {
            for (value, is_temperature, values) in rules {
                for camera in cameras(&whole) {
                    let rated = rows.iter().copied().zip(values.iter().copied());
                    let rated = rated.filter(|(row, _)| row.camera == camera);
                    let values = Values::new(rated, fever_from);
                    lines.push(Line::of(
                        value,
                        camera,
                        fever_from,
                        *is_temperature,
                        &values,
                    ));
                }
            }
        }
        Self {
            of,
            in_sample,
            people: all,
            feverish,
            lines,
        }
    }
}

impl Line {
    fn of(
        value: &'static str,
        camera: &str,
        fever_from_oral_c: f64,
        is_temperature: bool,
        values: &Values,
    ) -> Self {
        let (n, feverish) = values.counts();
        let ranking = values.ranking();
        let (bias, bias_feverish) = values.bias();
        let kelvin = |it: Option<f64>| it.filter(|_| is_temperature).map(short);
        Self {
            value,
            camera: camera.to_owned(),
            fever_from_oral_c,
            n,
            feverish,
            auc: ranking.map(|it| it[0].into()),
            sensitivity: ranking.map(|it| [it[1].into(), it[2].into(), it[3].into()]),
            bias_k: kelvin(bias),
            bias_feverish_k: kelvin(bias_feverish),
            sd_k: kelvin(values.deviation()),
            sd_about_line_k: values.deviation_about_line().map(short),
        }
    }
}

impl Report {
    fn in_words(&self) -> String {
        let mut lines = vec![format!(
            "{} rows of {} people, {} of them feverish (oral {FEVER_C} °C or more); {} lines left \
             out\nreference: {}",
            self.rows, self.people, self.feverish, self.lines_left_out, self.reference
        )];
        for part in &self.parts {
            part.add(&mut lines);
        }
        if !self.parts.iter().any(|part| part.of == "cross_validated") {
            lines.push(format!(
                "\nnot fitted anew: that needs {ENOUGH} feverish people"
            ));
        }
        lines.push(
            "\nAUC and sensitivity with 95 % intervals (bootstrap over people). Scores are for \
             ranking only, they are\nno temperatures. SD line: of the oral temperature about the \
             straight line through the value."
                .to_owned(),
        );
        lines.join("\n")
    }
}

impl Part {
    fn add(&self, lines: &mut Vec<String>) {
        let what = match self.of {
            "unseen_people" => "shipped constants, people whom they have not seen",
            "people_of_the_fit" => {
                "shipped constants, IN-SAMPLE: these people are those of the fit"
            }
            _ => "fitted anew, nested cross-validation: nobody is scored by own data",
        };
        for fever_from in [FEVER_C, HIGH_FEVER_C] {
            lines.push(format!(
                "\n{what}\nfever: oral {fever_from:.1} °C or more; {} people",
                self.people
            ));
            lines.push(format!(
                "{:<20}{:<6}{:>5}{:>5}  {:<21}{:<21}{:<21}{:<21}{:>7}{:>8}{:>7}{:>8}",
                "",
                "",
                "n",
                "ill",
                "AUC",
                format!("Se at Sp {:.2}", SPECIFICITIES[0]),
                format!("Se at Sp {:.2}", SPECIFICITIES[1]),
                format!("Se at Sp {:.2}", SPECIFICITIES[2]),
                "bias K",
                "ill K",
                "SD K",
                "SD line"
            ));
            let those = self
                .lines
                .iter()
                .filter(|it| it.fever_from_oral_c == fever_from);
            lines.extend(those.map(Line::in_words));
        }
    }
}

impl Line {
    fn in_words(&self) -> String {
        let figure = |it: Option<FigureReport>| {
            it.map_or("n/a".to_owned(), |it| {
                format!("{:.3} [{:.3}, {:.3}]", it.value, it.low, it.high)
            })
        };
        let se = |at: usize| figure(self.sensitivity.map(|it| it[at]));
        let kelvin = |it: Option<f64>| it.map_or("–".to_owned(), |it| format!("{it:+.3}"));
        let spread = |it: Option<f64>| it.map_or("–".to_owned(), |it| format!("{it:.3}"));
        format!(
            "{:<20}{:<6}{:>5}{:>5}  {:<21}{:<21}{:<21}{:<21}{:>7}{:>8}{:>7}{:>8}",
            self.value,
            self.camera,
            self.n,
            self.feverish,
            figure(self.auc),
            se(0),
            se(1),
            se(2),
            kelvin(self.bias_k),
            kelvin(self.bias_feverish_k),
            spread(self.sd_k),
            spread(self.sd_about_line_k)
        )
    }
}
