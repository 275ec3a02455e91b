//! `menshen calibrate transfer`: what leads from face to body, fitted on people whose oral temperature
//! is known, and written as the file that ships, `calibration/transfer.toml`. The same table gives
//! the same file, byte for byte. How each constant is got stands in [`crate::evaluate::clinical`].

use crate::cmd::clinical::{self, ClinicalTable};
use crate::cmd::{say, tell};
use crate::config::TransferFile;
use crate::evaluate::clinical::{Balance, FULL, GATEWAY, Region, Row, Score, people};
use crate::screening::operating::People;
use crate::units::Celsius;
use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Seed of the folds that choose the penalty.
const SEED: u64 = 1;

/// Hexadecimal digits of a person's SHA-256 that are kept: of 1000 people, one in 17 000 others is
/// taken for one of them.
const DIGITS: usize = 6;

/// The public data, as they are cited.
const DATA: &str = "Wang Q, Zhou Y, Ghassemi P, Chenna D, Chen M, Casamento J, Pfefer J, McBride D. \
                    Facial and oral temperature data from a large set of human subject volunteers, \
                    v1.0.0, PhysioNet, 2023-05-24, doi:10.13026/3bhc-9065, CC0 1.0";

/// Arguments of `menshen calibrate transfer`.
#[derive(clap::Args, Debug)]
pub struct TransferArgs {
    /// Table (CSV) of people before thermal cameras whose oral temperature is known.
    #[arg(value_name = "CSV")]
    table: PathBuf,
    /// File to write the constants to; one that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where the table comes from.
    #[arg(long, value_name = "TEXT", default_value = DATA, hide_default_value = true)]
    source: String,
}

/// Calibrates.
///
/// # Errors
/// Where the table cannot be read or says too little, or the file cannot be written.
pub(super) fn run(args: &TransferArgs) -> anyhow::Result<ExitCode> {
    let table = clinical::read(&args.table)?;
    let fitted = Fitted::of(&table.rows).with_context(|| {
        format!(
            "{}: too few people to fit on\nhint: before every camera there must be people with \
             and without a fever (oral 37.5 °C), in rooms of different temperatures",
            args.table.display()
        )
    })?;
    let text = fitted.file(&table, &args.table, &args.source);
    TransferFile::parse(&text).context("the file cannot be read again")?;
    say(&fitted.in_words(&table))?;
    if let Some(out) = &args.out {
        fs::write(out, text).with_context(|| out.display().to_string())?;
        tell(&format!("written: {}", out.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The constants, rounded as they are written.
struct Fitted {
    balance: Balance,
    gateway: (Score, f64),
    full: (Score, f64),
}

impl Fitted {
    fn of(rows: &[Row]) -> Option<Self> {
        let rows: Vec<&Row> = rows.iter().collect();
        let mut balance = Balance::fit(&rows)?;
        balance.c = rounded(balance.c, 4);
        balance.u = rounded(balance.u, 3);
        let score = |regions: &[Region]| {
            let (mut score, penalty) = Score::fit(&rows, regions, balance.k, SEED)?;
            for term in &mut score.terms {
                term.weight = rounded(term.weight, 4);
                term.usual_c = rounded(term.usual_c, 4);
            }
            Some((score, penalty))
        };
        Some(Self {
            gateway: score(&GATEWAY)?,
            full: score(&FULL)?,
            balance,
        })
    }

    /// For the person who asked.
    fn in_words(&self, table: &ClinicalTable) -> String {
        let Balance { k, c, u, measured } = &self.balance;
        let (all, feverish) = people(&table.rows);
        let mut text = format!(
            "{} rows of {all} people, {feverish} of them feverish (oral 37.5 °C or more); {} lines \
             left out\n\nshown: T + {k}·(T − T_room) {c:+} °C of the upper face; standard deviation \
             about the oral reading {u} K\n",
            table.rows.len(),
            table.left_out
        );
        for it in measured {
            let _ = writeln!(
                text,
                "  k measured  {:<6}{:<12}{:.3}",
                it.camera,
                it.region.as_str(),
                it.k
            );
        }
        for (name, (score, penalty)) in [("gateway", &self.gateway), ("full", &self.full)] {
            let _ = writeln!(text, "\nscore, {name}: ridge, penalty {penalty}");
            for term in &score.terms {
                let _ = writeln!(
                    text,
                    "  {:<26}{:>8.4} per K above {:.4} °C",
                    term.region.as_str(),
                    term.weight,
                    term.usual_c
                );
            }
        }
        text + "\nhow good they are on people not seen: menshen evaluate clinical\n"
    }

    /// The file that ships.
    fn file(&self, table: &ClinicalTable, path: &Path, source: &str) -> String {
        let Balance { k, c, u, measured } = &self.balance;
        let mut text = "# From the temperature of a face to an estimate of body temperature:\n#\n\
             #     T_body = T_face + k * (T_face - T_room) + c        all in °C\n#\n\
             # and to a score that ranks faces. Written by `menshen calibrate transfer`; how, and why so, \
             stands in\n# README.md. The program takes its constants from here.\n\n\
             [transfer]\n# Share of the difference to the room that skin loses, K/K: two decimals of \
             the mean of\n".to_owned();
        for it in measured {
            let _ = writeln!(text, "#   {} {} {:.4}", it.camera, it.region.as_str(), it.k);
        }
        let _ = write!(
            text,
            "k = {k:?}\n# K; makes the mean error of the feverish nothing, halfway between the \
             cameras.\nc = {c:?}\n# Standard deviation of the estimate about the oral reading, K: the \
             larger of the cameras.\nu_k = {u:?}\n"
        );
        for (name, (score, penalty)) in [("gateway", &self.gateway), ("full", &self.full)] {
            let _ = write!(
                text,
                "\n# Sum of weight * (T + k * (T - T_room) - usual_c), in standard deviations of \
                 people without a\n# fever; for ranking only. Ridge regression, penalty \
                 {penalty}.\n[score.{name}]\nregion = [\n"
            );
            for term in &score.terms {
                let _ = writeln!(
                    text,
                    "    {{ name = \"{}\", weight = {:?}, usual_c = {:?} }},",
                    term.region.as_str(),
                    term.weight,
                    term.usual_c
                );
            }
            text.push_str("]\n");
        }
        Self::add_source(&mut text, table, path, source);
        for people in self.operating(&table.rows) {
            let list = |of: fn(&crate::screening::operating::Step) -> u64| {
                let each: Vec<String> = people.steps.iter().map(|it| of(it).to_string()).collect();
                each.join(", ")
            };
            let _ = write!(
                text,
                "\n# How many people had each estimate, in steps of 0.1 °C: oral temperature below \
                 37.5, from 37.5 to\n# below 38.0, and from 38.0 °C on.\n[[operating]]\ncamera = {}\n\
                 from_c = {:?}\nwell = [{}]\nfeverish = [{}]\nhigh = [{}]\n",
                toml::Value::from(people.camera.as_str()),
                people.first as f64 / 10.0,
                list(|it| it.well),
                list(|it| it.feverish),
                list(|it| it.high),
            );
        }
        text
    }

    fn add_source(text: &mut String, table: &ClinicalTable, path: &Path, source: &str) {
        let rooms = table.rows.iter().map(|row| row.room_c);
        let file = path.file_name().unwrap_or(path.as_os_str());
        let (all, feverish) = people(&table.rows);
        let sha256 = hex(&table.bytes);
        let _ = write!(
            text,
            "\n[source]\ndata = {}\nfile = {}\nsha256 = \"{sha256}\"\n\
             # Mean of rounds 1 to 3: in round 4 the mouth is open. Corrected by a blackbody in view \
             already.\nrounds = [1, 2, 3]\nreference = \"oral thermometer in monitor mode\"\n\
             people = {all}\n# Of these, at or above 37.5 °C.\nfeverish = {feverish}\n\
             # One for each person and camera.\nrows = {}\nroom_c = [{:?}, {:?}]\n\
             # Whose people these are, so that nobody is taken for unseen who is not: the first \
             {DIGITS} digits of the\n# SHA-256 of each name in the table.\npeople_sha256 = \"\"\"",
            toml::Value::from(source),
            toml::Value::from(file.to_string_lossy().as_ref()),
            table.rows.len(),
            rooms.clone().fold(f64::INFINITY, f64::min),
            rooms.fold(f64::NEG_INFINITY, f64::max),
        );
        let digests: BTreeSet<String> = table.rows.iter().map(|row| digest(&row.person)).collect();
        for (at, digest) in digests.iter().enumerate() {
            text.push(if at % 14 == 0 { '\n' } else { ' ' });
            text.push_str(digest);
        }
        text.push_str("\"\"\"\n");
    }

    /// Who had which estimate before which camera.
    fn operating(&self, rows: &[Row]) -> Vec<People> {
        let cameras = crate::evaluate::clinical::cameras(rows);
        let people = |camera: &str| {
            let pairs: Vec<(Celsius, Celsius)> = rows
                .iter()
                .filter(|row| row.camera == camera)
                .filter_map(|row| {
                    let shown = Celsius::new(self.balance.shown(row)?)?;
                    Some((shown, Celsius::new(row.oral_c)?))
                })
                .collect();
            People::count(camera, &pairs)
        };
        cameras.into_iter().map(people).collect()
    }
}

/// What stands for a person in the file.
pub(in crate::cmd) fn digest(person: &str) -> String {
    let mut digits = hex(person.as_bytes());
    digits.truncate(DIGITS);
    digits
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    (value * unit).round() / unit
}
