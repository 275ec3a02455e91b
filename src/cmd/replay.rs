//! `menshen replay`: recordings through the whole pipeline, one line of JSON each.

use super::{measured, say, tell};
use crate::camera::Rotation;
use crate::camera::recording::{Recording, recordings_in};
use crate::clock::BootId;
use crate::detect::OnnxDetector;
use crate::pipeline::Pipeline;
use crate::pipeline::replay::{CpuTimes, Replay, replay};
use crate::screening::{Difference, Rules, Screening};
use crate::thermal::profile::Optics;
use crate::thermal::radiometry::{CountScale, Emissivity};
use crate::thermal::reference::{LEAST_SPAN_K, ReferenceSettings};
use crate::thermal::{RadiometerSettings, Room};
use crate::units::{AmbientTemperature, Celsius, ReferenceTemperature};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `menshen replay`.
#[derive(clap::Args, Debug)]
pub struct ReplayArgs {
    /// Recordings (CPTV), or directories that hold some; other files in them are passed over.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object a line for each recording.
    #[arg(long)]
    json: bool,
    /// Turn the picture clockwise to set people upright.
    #[arg(long, value_name = "DEGREES", default_value = "0", value_parser = super::rotation)]
    rotate: Rotation,
    /// Set point of the reference in view, °C; without it people are compared with each other, from a
    /// hundred on.
    #[arg(long, value_name = "T", value_parser = super::set_point)]
    blackbody_c: Option<Celsius>,
    /// Set point of a second reference in view, °C, at least 2 K from the first.
    #[arg(long, value_name = "T", value_parser = super::set_point, requires = "blackbody_c")]
    second_blackbody_c: Option<Celsius>,
    /// The room, °C; without it, it is taken from the picture.
    #[arg(long, value_name = "T", value_parser = super::room)]
    ambient_c: Option<Celsius>,
    /// Other face networks: a folder with their MANIFEST.toml and the files that it names.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
}

#[derive(Serialize)]
struct PersonLine {
    track: u64,
    first_frame: u64,
    last_frame: u64,
    looks: u32,
    face_c: Option<f64>,
    /// Combined standard uncertainty of `face_c`; the screens show U = 2 u.
    u_c: Option<f64>,
    /// What the looks differ by, robust standard deviation: each of face less reference.
    spread_k: Option<f64>,
    estimate_c: Option<f64>,
    /// Without a reference: how far above the people before. There is no temperature then.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference_k: Option<f64>,
    verdict: &'static str,
    reasons: Vec<&'static str>,
}

/// CPU time of a frame, ms.
#[derive(Serialize)]
pub(super) struct CpuLine {
    pub(super) mean: f64,
    p50: f64,
    pub(super) p99: f64,
}

impl CpuLine {
    pub(super) fn of(cpu: &CpuTimes) -> Self {
        Self {
            mean: rounded(cpu.mean_ms(), 1e4),
            p50: rounded(cpu.quantile_ms(0.5), 1e4),
            p99: rounded(cpu.quantile_ms(0.99), 1e4),
        }
    }
}

#[derive(Serialize)]
struct RecordingLine<'a> {
    file: &'a str,
    frames: u64,
    people: Vec<PersonLine>,
    cannot_judge: &'a BTreeMap<&'static str, u64>,
    people_counted: usize,
    cpu_ms_per_frame: CpuLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// To a decimal place, for people and files; nothing is computed from it.
pub(super) fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

impl PersonLine {
    fn of(screening: &Screening) -> Self {
        let reading = screening.reading.as_ref();
        let difference = reading.and_then(Difference::of);
        let absolute = reading.filter(|_| difference.is_none());
        Self {
            track: screening.id.track.0,
            first_frame: screening.first.sequence,
            last_frame: screening.last.sequence,
            looks: reading.map_or(0, |r| r.looks),
            face_c: absolute.map(|r| rounded(r.face.degrees(), 1e3)),
            u_c: absolute.map(|r| rounded(r.u().kelvin(), 1e3)),
            spread_k: reading.map(|r| rounded(r.spread.kelvin(), 1e3)),
            estimate_c: absolute.map(|r| rounded(r.estimate.value.degrees(), 1e3)),
            difference_k: difference.map(|it| rounded(it.above.kelvin(), 1e3)),
            verdict: screening.verdict.as_str(),
            reasons: screening.verdict.reason().into_iter().collect(),
        }
    }
}

impl<'a> RecordingLine<'a> {
    fn of(file: &'a str, replay: &'a Replay) -> Self {
        Self {
            file,
            frames: replay.frames,
            people: replay.people.iter().map(PersonLine::of).collect(),
            cannot_judge: &replay.cannot_judge,
            people_counted: replay.people.len(),
            cpu_ms_per_frame: CpuLine::of(&replay.cpu),
            error: replay.error.as_deref(),
        }
    }
}

/// Replays every recording; goes on after a broken one and fails at the end.
///
/// # Errors
/// Where there is nothing to replay, or the model cannot be used.
pub fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let files = recordings_in(&args.files)?;
    anyhow::ensure!(
        !files.is_empty(),
        "no recordings found\nhint: give .cptv files, or directories that hold some"
    );
    if let (Some(first), Some(second)) = (args.blackbody_c, args.second_blackbody_c) {
        anyhow::ensure!(
            (first - second).kelvin().abs() >= LEAST_SPAN_K,
            "the set points {first} and {second} are too close to each other\n\
             hint: two references show a camera's gain from {LEAST_SPAN_K} K apart on, such as 33 and 39"
        );
    }
    let mut detector = match &args.model {
        Some(folder) => OnnxDetector::from_folder(folder)?,
        None => OnnxDetector::built_in()?,
    };
    // Everything runs on the detector's own thread: no frame changes threads.
    detector
        .worker()
        .run(|| replay_all(args, &files, &mut detector))
}

fn replay_all(
    args: &ReplayArgs,
    files: &[PathBuf],
    detector: &mut OnnxDetector,
) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(files.len() as u64);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {pos}/{len} recordings {elapsed} {msg}")
    {
        bar.set_style(style);
    }
    let mut broken = 0_u32;
    for path in files {
        let file = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        bar.set_message(file.clone());
        let report = replay_one(args, path, detector, &bar);
        if let Some(error) = &report.error {
            broken += 1;
            bar.suspend(|| tell(&format!("error: {error}")));
        }
        let text = if args.json {
            serde_json::to_string(&RecordingLine::of(&file, &report)).context("writing JSON")?
        } else {
            table(&file, &report)
        };
        bar.suspend(|| say(&format!("{text}\n")))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if broken > 0 {
        tell(&format!(
            "error: {broken} of {} recordings could not be replayed to the end\n\
             hint: each is named above; what could be read of it was replayed",
            files.len()
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn replay_one(
    args: &ReplayArgs,
    path: &Path,
    detector: &mut OnnxDetector,
    bar: &ProgressBar,
) -> Replay {
    let mut camera = match Recording::open(path, args.rotate, BootId(0)) {
        Ok(camera) => camera,
        Err(error) => {
            return Replay {
                error: Some(error.to_string()),
                ..Replay::default()
            };
        }
    };
    let mut settings = radiometer(args.blackbody_c, args.ambient_c);
    if let Some(reference) = &mut settings.reference {
        reference.second_set_point = args.second_blackbody_c.map(ReferenceTemperature);
    }
    let mut pipeline = Pipeline::new(settings, Rules::default(), detector);
    replay(&mut camera, &mut pipeline, || bar.tick())
}

/// How a recording is read: centikelvin, against a reference of this set point.
pub(super) fn radiometer(
    blackbody_c: Option<Celsius>,
    ambient_c: Option<Celsius>,
) -> RadiometerSettings {
    let u_set_point = Rules::default().u_reference;
    RadiometerSettings {
        scale: CountScale::CentiKelvin,
        reference: blackbody_c.map(|set_point| ReferenceSettings {
            set_point: ReferenceTemperature(set_point),
            second_set_point: None,
            emissivity: Emissivity::BLACKBODY,
            u_set_point,
            distance_m: None,
        }),
        optics: Optics::LEPTON_3_5,
        room: Room::at(ambient_c.map(AmbientTemperature)),
        calibration_expires: None,
    }
}

/// One recording for people.
fn table(file: &str, report: &Replay) -> String {
    let mut lines = vec![format!(
        "{file}: {} frames, {} people, {:.2} ms CPU a frame",
        report.frames,
        report.people.len(),
        report.cpu.mean_ms()
    )];
    lines.extend(report.people.iter().map(|screening| {
        let value = screening.reading.map_or_else(
            || "no reading".to_owned(),
            |r| format!("{}, {} looks", measured(&r, ", "), r.looks),
        );
        let reason = screening
            .verdict
            .reason()
            .map(|r| format!(" ({r})"))
            .unwrap_or_default();
        format!(
            "  person {} (frames {}–{}): {value}: {}{reason}",
            screening.id.track.0,
            screening.first.sequence,
            screening.last.sequence,
            screening.verdict.as_str(),
        )
    }));
    lines.extend(
        report
            .cannot_judge
            .iter()
            .map(|(reason, n)| format!("  not judged: {n} × {reason}")),
    );
    lines.join("\n")
}
