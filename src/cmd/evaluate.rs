//! `menshen evaluate`: how good the detector and the gateway are, against what somebody saw or
//! measured. `evaluate faces` is here, the others in their own files.
//!
//! Recordings go through the whole pipeline once, as in `menshen replay`; what the detector says
//! on the way is kept and scored, so that the figures are those of the gateway and not of a
//! network on a bench. Rendered scenes are single pictures: they go to the detector alone, as the
//! camera gave them, without a reference. What each figure means stands in [`crate::evaluate`].
//!
//! The data's conventions are the defaults: recordings that lie on their side, with a reference
//! at 37 °C in view, and labels in `../labels/faces.json`.

mod clinical;
mod data;
mod rendered;
mod rendered_table;
mod report;
mod table;

use super::replay::{CpuLine, radiometer, rounded};
use super::{rotation, set_point, tell};
use crate::camera::recording::{Recording, recordings_in};
use crate::camera::simulator::WireTruth;
use crate::camera::{Camera as _, Rotation};
use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
use crate::detect::OnnxDetector;
use crate::evaluate::{NEAR_WIDTH, SeenFrame, Sheet};
use crate::face::{Detector, DetectorError, Face};
use crate::pipeline::Pipeline;
use crate::pipeline::replay::{CpuTimes, Replay, replay};
use crate::screening::Rules;
use crate::thermal::radiometry::CountScale;
use crate::thermal::{FrameHealth, ThermalFrame};
use crate::units::{Celsius, StandardUncertainty, TemperatureDelta};
use anyhow::{Context as _, ensure};
use data::{Labels, Listed};
use indicatif::ProgressBar;
use ndarray::Array2;
use report::{
    BandReport, ByFlag, CpuReport, DetectionReport, FeaturesReport, LabelsReport, PeopleReport,
    RecordingLine, RecordingsReport, Report, ScenesReport,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Rendered pictures, rows × columns: an upright Lepton 3.5 and the network's padding.
const SCENE: (usize, usize) = (160, 128);

/// Bands of the turn of a head, degrees, and of the width of a face, pixels.
const TURNS: [(f32, Option<f32>); 3] = [
    (0.0, Some(25.0)),
    (25.0, Some(45.0)),
    // 60° is in it: beyond that a face need not be found.
    (45.0, None),
];
const WIDTHS: [(f32, Option<f32>); 3] = [
    (10.0, Some(NEAR_WIDTH)),
    (NEAR_WIDTH, Some(40.0)),
    (40.0, None),
];

/// What `menshen evaluate` can judge.
#[derive(Debug, clap::Subcommand)]
pub enum Evaluate {
    /// The face detector, alone and in the whole pipeline.
    Faces(FacesArgs),
    /// The estimate and the scores, on people whose oral temperature is known.
    Clinical(clinical::ClinicalArgs),
    /// Readings of simulated visitors, against the skin that was painted.
    Rendered(rendered::RenderedArgs),
}

/// Arguments of `menshen evaluate faces`.
#[derive(clap::Args, Debug)]
pub struct FacesArgs {
    /// Folder of recordings (CPTV), with an index.csv that says what is seen in each.
    #[arg(value_name = "DIR", required_unless_present = "scenes")]
    folder: Option<PathBuf>,
    /// Labelled frames (may be given several times); without it DIR/../labels/faces.json.
    #[arg(long, value_name = "FILE", requires = "folder")]
    labels: Vec<PathBuf>,
    /// Folder of rendered scenes: scenes.u16 and scenes.jsonl.
    #[arg(long, value_name = "DIR")]
    scenes: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Turn the recordings clockwise to set people upright.
    #[arg(long, value_name = "DEGREES", default_value = "90", value_parser = rotation)]
    rotate: Rotation,
    /// Set point of the reference in view, °C.
    #[arg(long, value_name = "T", default_value = "37", value_parser = set_point)]
    blackbody_c: Celsius,
    /// A folder with other face networks and their MANIFEST.toml.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
}

/// Evaluates.
///
/// # Errors
/// Where there is nothing to evaluate on, it cannot be read, or the model cannot be used.
pub fn run(what: &Evaluate) -> anyhow::Result<ExitCode> {
    match what {
        Evaluate::Faces(args) => {
            let mut detector = match &args.model {
                Some(path) => OnnxDetector::from_folder(path)?,
                None => OnnxDetector::built_in()?,
            };
            // Everything runs on the detector's own thread: its CPU time is all there is.
            detector.worker().run(|| evaluate(args, &mut detector))
        }
        Evaluate::Rendered(args) => {
            let mut detector = OnnxDetector::built_in()?;
            detector
                .worker()
                .run(|| rendered::evaluate(args, &mut detector))
        }
        Evaluate::Clinical(args) => clinical::run(args),
    }
}

fn evaluate(args: &FacesArgs, detector: &mut OnnxDetector) -> anyhow::Result<ExitCode> {
    let report = Report {
        model: detector.version().to_owned(),
        recordings: match &args.folder {
            Some(folder) => Some(recordings(args, folder, detector)?),
            None => None,
        },
        scenes: match &args.scenes {
            Some(folder) => Some(scenes(folder, detector)?),
            None => None,
        },
    };
    let text = if args.json {
        serde_json::to_string(&report).context("writing JSON")?
    } else {
        table::table(&report)
    };
    super::say(&format!("{text}\n"))?;
    let each = report.recordings.iter().flat_map(|it| &it.each);
    let broken: Vec<_> = each.filter_map(|it| it.error.as_deref()).collect();
    if broken.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    tell(&format!(
        "error: {} recordings could not be read to the end: {}",
        broken.len(),
        broken.join("; ")
    ));
    Ok(ExitCode::FAILURE)
}

/// Lets a detector work, and keeps what it said and what that cost.
struct Watched<'a> {
    detector: &'a mut OnnxDetector,
    /// By the frame's number.
    faces: BTreeMap<u64, Vec<Face>>,
    cpu: CpuTimes,
}

impl Detector for Watched<'_> {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        let faces = self.cpu.watch(|| self.detector.detect(frame))?;
        self.faces.insert(frame.sequence, faces.clone());
        Ok(faces)
    }
}

/// What single frames of all recordings came to.
#[derive(Default)]
struct Sheets {
    scored: Sheet,
    backs: Sheet,
    spans: Sheet,
    spans_of_backs: Sheet,
}

impl Sheets {
    fn add(&mut self, labels: &Labels, file: &str, faces: &BTreeMap<u64, Vec<Face>>) {
        let found = |frame: u64| faces.get(&frame).map_or(&[][..], Vec::as_slice);
        for (&frame, labelled) in labels.frames.get(file).into_iter().flatten() {
            if !labelled.ambiguous {
                self.scored.add(&labelled.seen, found(frame));
            }
            if labelled.back_of_head {
                self.backs.add(&labelled.seen, found(frame));
            }
        }
        for span in labels.spans.iter().filter(|span| span.file == file) {
            let seen: SeenFrame = span.seen();
            for frame in span.frames() {
                self.spans.add(&seen, found(frame));
                if span.is_back() {
                    self.spans_of_backs.add(&seen, found(frame));
                }
            }
        }
    }
}

fn recordings(
    args: &FacesArgs,
    folder: &Path,
    detector: &mut OnnxDetector,
) -> anyhow::Result<RecordingsReport> {
    let files = recordings_in(&[folder.to_owned()])?;
    ensure!(
        !files.is_empty(),
        "{}: no recordings found\nhint: give a directory that holds .cptv files",
        folder.display()
    );
    let labels = labels_of(args, folder)?;
    let index = index_of(folder)?;
    let (mut sheets, mut each) = (Sheets::default(), Vec::new());
    let (mut detecting, mut whole) = (CpuTimes::default(), CpuTimes::default());
    let (mut pictures, mut frames) = (BTreeSet::new(), 0);
    let bar = ProgressBar::new(files.len() as u64);
    for path in &files {
        let file = path.file_name().unwrap_or(path.as_os_str());
        let file = file.to_string_lossy().into_owned();
        let mut watched = Watched {
            detector: &mut *detector,
            faces: BTreeMap::new(),
            cpu: CpuTimes::default(),
        };
        let mut report = Replay::default();
        match Recording::open(path, args.rotate, BootId(0)) {
            Ok(mut camera) => {
                let info = camera.info();
                pictures.insert(format!("{}×{}", info.width, info.height));
                let settings = radiometer(Some(args.blackbody_c), None);
                let mut pipeline = Pipeline::new(settings, Rules::default(), &mut watched);
                report = replay(&mut camera, &mut pipeline, || bar.tick());
            }
            Err(error) => report.error = Some(error.to_string()),
        }
        if let Some(labels) = &labels {
            sheets.add(labels, &file, &watched.faces);
        }
        frames += report.frames;
        detecting.append(watched.cpu);
        let known = index.get(&file).map(|listed| listed.known);
        let measured = || report.people.iter().filter_map(|it| it.reading.as_ref());
        each.push(RecordingLine {
            file,
            class: known.map(|it| it.class.as_str()),
            people_seen: known.and_then(|it| it.people),
            people: report.people.len() as u64,
            measured: measured().count() as u64,
            coldest_face_c: measured()
                .map(|reading| rounded(reading.face.degrees(), 1e3))
                .min_by(f64::total_cmp),
            wears: wears(&watched.faces),
            error: report.error,
        });
        whole.append(report.cpu);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Sheets {
        scored,
        backs,
        spans,
        spans_of_backs,
    } = &sheets;
    Ok(RecordingsReport {
        frames,
        pictures: pictures.into_iter().collect(),
        labels: labels.map(|_| LabelsReport::of(scored, backs, spans, spans_of_backs)),
        people: PeopleReport::of(&each, &index),
        cpu_ms_per_frame: CpuReport {
            detector: CpuLine::of(&detecting),
            pipeline: Some(CpuLine::of(&whole)),
        },
        each,
    })
}

/// The labels that were asked for, or those that lie where they usually do.
fn labels_of(args: &FacesArgs, folder: &Path) -> anyhow::Result<Option<Labels>> {
    if !args.labels.is_empty() {
        return Labels::read(&args.labels).map(Some);
    }
    let usual = folder.join("../labels/faces.json");
    usual.exists().then(|| Labels::read(&[usual])).transpose()
}

fn index_of(folder: &Path) -> anyhow::Result<BTreeMap<String, Listed>> {
    let path = folder.join("index.csv");
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    data::index(&text).with_context(|| path.display().to_string())
}

/// The median of what is said of the faces that are large enough to say it of.
fn wears(faces: &BTreeMap<u64, Vec<Face>>) -> ByFlag<Option<f32>> {
    ByFlag::of(|flag| {
        let mut said: Vec<f32> = faces
            .values()
            .flatten()
            .filter(|face| face.area.width() >= NEAR_WIDTH)
            .filter_map(|face| Some(flag.of(&face.features?.occlusion)))
            .collect();
        said.sort_by(f32::total_cmp);
        said.get(said.len() / 2).copied()
    })
}

fn scenes(folder: &Path, detector: &mut OnnxDetector) -> anyhow::Result<ScenesReport> {
    let open = |name: &str| {
        let path = folder.join(name);
        File::open(&path)
            .map(BufReader::new)
            .with_context(|| path.display().to_string())
    };
    let (mut pictures, truths) = (open("scenes.u16")?, open("scenes.jsonl")?);
    let (mut sheet, mut cpu) = (Sheet::default(), CpuTimes::default());
    let mut bytes = vec![0; SCENE.0 * SCENE.1 * 2];
    for (number, line) in (0..).zip(truths.lines()) {
        let truth: WireTruth = serde_json::from_str(&line?)
            .with_context(|| format!("scenes.jsonl, line {}", number + 1))?;
        pictures
            .read_exact(&mut bytes)
            .with_context(|| format!("scenes.u16 ends before scene {}", number + 1))?;
        if truth.fault.is_some() {
            continue;
        }
        let frame = scene(number, &bytes);
        let faces = cpu.watch(|| detector.detect(&frame))?;
        sheet.add(&data::seen_scene(&truth), &faces);
    }
    ensure!(sheet.frames > 0, "{}: no scenes", folder.display());
    ensure!(
        pictures.read(&mut bytes[..1])? == 0,
        "scenes.u16 holds more scenes than scenes.jsonl describes"
    );
    Ok(ScenesReport {
        picture: format!("{}×{}", SCENE.1, SCENE.0),
        all: DetectionReport::of(&sheet, |_| true),
        recall_by_yaw: BandReport::all(&sheet, &TURNS, |face| face.pose[0].map_or(0.0, f32::abs)),
        recall_by_width: BandReport::all(&sheet, &WIDTHS, |face| face.area.width()),
        heads_from_behind: sheet.backs.into(),
        features: FeaturesReport::of(&sheet),
        cpu_ms_per_frame: CpuReport {
            detector: CpuLine::of(&cpu),
            pipeline: None,
        },
    })
}

/// A rendered picture, centikelvin of two bytes each, the lower one first.
fn scene(number: u64, bytes: &[u8]) -> ThermalFrame {
    let celsius = Array2::from_shape_fn(SCENE, |(row, col)| {
        let at = (row * SCENE.1 + col) * 2;
        CountScale::CentiKelvin.celsius(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
    });
    ThermalFrame {
        stamp: Stamp {
            boot: BootId(0),
            monotonic: Duration::ZERO,
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        },
        sequence: number,
        celsius,
        health: FrameHealth::NoReference,
        reference: None,
        second: None,
        offset: TemperatureDelta::ZERO,
        scene: None,
        ambient_u: StandardUncertainty::literal(0.0),
        path: crate::thermal::path::Path::default(),
    }
}
