//! `menshen evaluate rendered`: simulated visitors through the whole pipeline, and what it reads of
//! them against what was painted.
//!
//! Each visitor comes alone, stands for three seconds and leaves, before a simulated camera with
//! noise, lag, drift and a blackbody. Other seeds are other people. What the figures mean stands in
//! [`crate::evaluate::rendered`].

use crate::camera::CameraError;
use crate::camera::simulator::{Scenario, Simulator};
use crate::clock::{BootId, WallTime};
use crate::cmd::replay::{radiometer, rounded};
use crate::detect::OnnxDetector;
use crate::evaluate::Count;
use crate::evaluate::rendered::{
    BIAS_K, COVERED, Errors, Found, Line, MOVED_K, RESIDUAL_K, SD_K, SLOPE, STATED_PX, Visit,
};
use crate::event::Event;
use crate::pipeline::Pipeline;
use crate::screening::{Rules, Screening};
use crate::thermal::RadiometerSettings;
use crate::thermal::radiometry::Emissivity;
use crate::thermal::reference::ReferenceSettings;
use crate::units::{Celsius, ReferenceTemperature};
use anyhow::Context as _;
use indicatif::ProgressBar;
use serde::Serialize;
use std::process::ExitCode;

/// Arguments of `menshen evaluate rendered`.
#[derive(clap::Args, Debug)]
pub struct RenderedArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Visitors for each width and condition; fewer for the larger sensors.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u64).range(2..=1000))]
    visitors: u64,
}

/// Set point of the simulated blackbody, °C.
const SET_POINT: Celsius = Celsius::literal(37.0);

/// A simulated camera: pixels upright, angle across the width.
#[derive(Clone, Copy)]
struct Lens {
    width: usize,
    height: usize,
    field_of_view_deg: f64,
    blur_px: f64,
}

impl Lens {
    /// Distance at which a face of 150 mm has so many pixels, m.
    fn distance_m(self, face_px: f64) -> f64 {
        let half = (self.field_of_view_deg / 2.0).to_radians().tan();
        0.15 * self.width as f64 / (2.0 * half) / face_px
    }
}

/// A FLIR Lepton 3.5 standing upright.
const LEPTON: Lens = Lens {
    width: 120,
    height: 160,
    field_of_view_deg: 44.3,
    blur_px: 0.6,
};

/// Widths of faces before the Lepton, pixels: 0.45 to 1.35 m.
const WIDTHS: [f64; 7] = [49.0, 40.0, 31.5, 26.0, 22.0, 18.5, 16.5];

/// Larger sensors, behind 34°.
const SENSORS: [(usize, usize); 4] = [(192, 256), (240, 320), (288, 384), (512, 640)];

/// Widths of faces before them.
const SENSOR_WIDTHS: [f64; 2] = [48.0, 28.0];

/// What a visitor wears or comes from, in the simulator's words; whether the targets are held. Of
/// somebody in from the cold they are not: the spot at the canthus stands out twice as far from
/// skin that is colder, and so more of it is lost. With glasses there should be no reading at all.
const CONDITIONS: [(&str, &str, bool); 5] = [
    ("bare", "", true),
    ("mask", "mask = true", true),
    ("hat", "hat = true", true),
    ("in from the cold", "from_cold_min = 3.0", false),
    ("glasses", "glasses = true", false),
];

/// Blur of lenses that are sharper and softer than usual, pixels.
const BLURS: [f64; 2] = [0.4, 0.9];

/// Reach of spots at the canthus that are smaller and larger than usual, mm.
const SPOTS: [f64; 2] = [4.0, 8.0];

/// One visitor and the camera.
#[derive(Clone, Copy)]
struct Guest {
    seed: u64,
    lens: Lens,
    distance_m: f64,
    face_c: f64,
    spot_mm: f64,
    drift_k: f64,
    emissivity: f64,
    /// Kelvin read for each kelvin.
    gain: f64,
    references: References,
    /// Whether the shutter closes just before.
    shutter: bool,
    wears: &'static str,
}

impl Guest {
    fn new(seed: u64, lens: Lens, face_px: f64) -> Self {
        Self {
            seed,
            lens,
            distance_m: lens.distance_m(face_px),
            face_c: [34.5, 35.5, 36.5, 38.5][(seed % 4) as usize],
            spot_mm: 6.3,
            drift_k: -1.4,
            emissivity: 1.0,
            gain: 1.0,
            references: References::One,
            shutter: false,
            wears: "",
        }
    }

    fn scenario(self) -> anyhow::Result<Scenario> {
        // The level still slides by some tenths of a kelvin while somebody stands there.
        let (shutter, arrive_s, stand_s) = if self.shutter {
            (
                "[ffc]\nfirst_s = 1.5\ngap_s = 2.0\nslide_s = 12.0",
                3.6,
                9.0,
            )
        } else {
            ("", 0.3, 3.0)
        };
        let Lens {
            width,
            height,
            field_of_view_deg,
            blur_px,
        } = self.lens;
        let text = format!(
            "name = \"rendered\"
            seed = {}
            duration_s = {}
            [sensor]
            width = {width}
            height = {height}
            field_of_view_deg = {field_of_view_deg:.3}
            psf_sigma_px = {blur_px:.3}
            gain = {:.3}
            [blackbody]
            set_point_c = {}
            emissivity = {:.3}
            x = 0.16
            y = 0.84
            {}
            [drift]
            start_k = {:.3}
            walk_k = 0.03
            {shutter}
            [[visitor]]
            arrive_s = {arrive_s}
            enter = \"left\"
            leave = \"right\"
            walk_s = 1.0
            stand_s = {stand_s}
            distance_m = {:.4}
            lateral_m = 0.04
            face_c = {:.3}
            canthus_mm = {:.2}
            {}",
            self.seed,
            arrive_s + stand_s + 2.2,
            self.gain,
            self.references.first().degrees(),
            self.emissivity,
            self.references
                .second()
                .map_or_else(String::new, |second| format!(
                    "[second_blackbody]\nset_point_c = {}\nx = 0.84\ny = 0.84",
                    second.degrees()
                )),
            self.drift_k,
            self.distance_m,
            self.face_c,
            self.spot_mm,
            self.wears,
        );
        Ok(Scenario::from_toml(&text)?)
    }

    /// Lets the visitor come and go.
    fn visit(self, detector: &mut OnnxDetector) -> anyhow::Result<Visit> {
        let scenario = self.scenario()?;
        // What a camera's profile says of its lens is true.
        let optics = scenario.profile().optics;
        let mut camera = Simulator::new(scenario, BootId(0), WallTime(0));
        let settings = RadiometerSettings {
            reference: Some(ReferenceSettings {
                set_point: ReferenceTemperature(self.references.first()),
                second_set_point: self.references.second().map(ReferenceTemperature),
                emissivity: Emissivity::new(self.emissivity).context("an emissivity")?,
                ..ReferenceSettings::default()
            }),
            optics,
            ..radiometer(Some(SET_POINT), None)
        };
        let rules = Rules {
            // Smaller ones than are measured, to show why they are not.
            min_face_px: 8.0,
            ..Rules::default()
        };
        let mut pipeline = Pipeline::new(settings, rules, detector);
        let (mut events, mut face_px) = (Vec::new(), 0.0_f64);
        loop {
            match camera.next_with_truth() {
                Ok(Some((frame, truth))) => {
                    let widths = truth.people.iter().map(|it| f64::from(it.area.width()));
                    face_px = widths.fold(face_px, f64::max);
                    events.extend(pipeline.step(&frame).events);
                }
                Ok(None) => break,
                Err(CameraError::Silent { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        events.extend(pipeline.finish());
        let screened = events.into_iter().filter_map(|event| match event {
            Event::Screened(screening) if screening.presented => Some(screening),
            _ => None,
        });
        Ok(Visit {
            true_c: self.face_c,
            face_px,
            found: found(&screened.collect::<Vec<_>>()),
        })
    }
}

/// What stands in view.
#[derive(Clone, Copy, PartialEq, Eq)]
enum References {
    /// One at 37 °C.
    One,
    /// One at 33 and one at 39 °C.
    Two,
}

impl References {
    const fn first(self) -> Celsius {
        match self {
            Self::One => SET_POINT,
            Self::Two => Celsius::literal(33.0),
        }
    }

    fn second(self) -> Option<Celsius> {
        (self == Self::Two).then_some(Celsius::literal(39.0))
    }
}

/// What came of the only visitor. Two people where one came are no reading of that one.
fn found(screened: &[Screening]) -> Found {
    match screened {
        [one] => one
            .reading
            .map_or(Found::NotJudged, |reading| Found::Measured {
                face_c: reading.face.degrees(),
                expanded_u_k: reading.u().expanded().kelvin(),
            }),
        _ => Found::Missed,
    }
}

/// Everything.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) model: String,
    pub(super) visitors: u64,
    pub(super) targets: Targets,
    pub(super) stated: Group,
    pub(super) by_face_px: Vec<Group>,
    pub(super) by_sensor: Vec<Group>,
    pub(super) by_condition: Vec<Group>,
    pub(super) by_optics: Vec<Group>,
    pub(super) linearity: Option<LineReport>,
    /// The same before a camera whose gain is 3 % off, against one reference and against two.
    pub(super) steep: [Option<LineReport>; 2],
    pub(super) invariance: Vec<Moved>,
}

/// What is aimed at.
#[derive(Serialize)]
pub(super) struct Targets {
    pub(super) face_px: f64,
    pub(super) bias_k: f64,
    pub(super) sd_k: f64,
    pub(super) slope: f64,
    pub(super) residual_k: f64,
    pub(super) moved_k: f64,
    pub(super) covered: f64,
}

/// Visitors who have something in common.
#[derive(Serialize)]
pub(super) struct Group {
    pub(super) what: String,
    pub(super) face_px: f64,
    pub(super) visitors: u64,
    pub(super) measured: u64,
    pub(super) not_judged: u64,
    pub(super) bias_k: Option<f64>,
    pub(super) sd_k: Option<f64>,
    pub(super) worst_k: Option<f64>,
    pub(super) expanded_u_k: Option<f64>,
    pub(super) covered: Option<f64>,
}

impl Group {
    fn of(what: impl Into<String>, visits: &[Visit]) -> Self {
        let errors = Errors::of(visits);
        let Count { hits, of } = errors.measured;
        let kelvin = |value: Option<f64>| value.map(|it| rounded(it, 1e4));
        Self {
            what: what.into(),
            face_px: rounded(errors.face_px, 10.0),
            visitors: of,
            measured: hits,
            not_judged: errors.not_judged,
            bias_k: kelvin(errors.bias_k),
            sd_k: kelvin(errors.sd_k),
            worst_k: kelvin(errors.worst_k),
            expanded_u_k: kelvin(errors.expanded_u_k),
            covered: kelvin(errors.covered.ratio()),
        }
    }
}

/// One person at 33 to 41 °C.
#[derive(Serialize)]
pub(super) struct LineReport {
    pub(super) points: u64,
    pub(super) slope: f64,
    pub(super) residual_k: f64,
    pub(super) least_rise: f64,
}

/// By how much one thing moved the reading of one person.
#[derive(Serialize)]
pub(super) struct Moved {
    pub(super) what: &'static str,
    /// `None` where there was no reading.
    pub(super) moved_k: Option<f64>,
}

/// Lets visitors come, and shows how far they have come.
struct Door<'a> {
    detector: &'a mut OnnxDetector,
    bar: ProgressBar,
}

impl Door<'_> {
    fn one(&mut self, guest: Guest) -> anyhow::Result<Visit> {
        let visit = guest.visit(self.detector)?;
        self.bar.inc(1);
        Ok(visit)
    }

    fn all(&mut self, guests: impl Iterator<Item = Guest>) -> anyhow::Result<Vec<Visit>> {
        guests.map(|guest| self.one(guest)).collect()
    }
}

/// Evaluates.
///
/// # Errors
/// Where the detector fails.
pub(super) fn evaluate(
    args: &RenderedArgs,
    detector: &mut OnnxDetector,
) -> anyhow::Result<ExitCode> {
    let model = detector.version().to_owned();
    let mut door = Door {
        detector,
        bar: ProgressBar::new_spinner(),
    };
    let mut stated = Vec::new();
    let by_face_px = distances(&mut door, args.visitors, &mut stated)?;
    let by_sensor = sensors(&mut door, args.visitors, &mut stated)?;
    let by_condition = conditions(&mut door, args.visitors, &mut stated)?;
    let by_optics = optics(&mut door, args.visitors)?;
    let report = Report {
        model,
        visitors: args.visitors,
        targets: Targets {
            face_px: STATED_PX,
            bias_k: BIAS_K,
            sd_k: SD_K,
            slope: SLOPE,
            residual_k: RESIDUAL_K,
            moved_k: MOVED_K,
            covered: COVERED,
        },
        stated: Group::of("all of them", &stated),
        by_face_px,
        by_sensor,
        by_condition,
        by_optics,
        linearity: linearity(&mut door, 0.25, Guest::new(1, LEPTON, 35.0))?,
        steep: [
            linearity(&mut door, 1.0, steep(References::One))?,
            linearity(&mut door, 1.0, steep(References::Two))?,
        ],
        invariance: invariance(&mut door)?,
    };
    door.bar.finish_and_clear();
    let text = if args.json {
        serde_json::to_string(&report).context("writing JSON")?
    } else {
        super::rendered_table::table(&report)
    };
    crate::cmd::say(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn distances(door: &mut Door<'_>, n: u64, stated: &mut Vec<Visit>) -> anyhow::Result<Vec<Group>> {
    let each = |(width, face_px): (u64, f64)| {
        let seeds = 100 * width + 1..=100 * width + n;
        let visits = door.all(seeds.map(|seed| Guest::new(seed, LEPTON, face_px)))?;
        if face_px >= STATED_PX {
            stated.extend(&visits);
        }
        Ok(Group::of(format!("120×160, {face_px} px"), &visits))
    };
    (0..).zip(WIDTHS).map(each).collect()
}

fn sensors(door: &mut Door<'_>, n: u64, stated: &mut Vec<Visit>) -> anyhow::Result<Vec<Group>> {
    let mut groups = Vec::new();
    for ((width, height), first) in SENSORS.into_iter().zip((1000..).step_by(100)) {
        let lens = Lens {
            width,
            height,
            field_of_view_deg: 34.0,
            blur_px: 0.6,
        };
        let mut visits = Vec::new();
        for (face_px, seed) in SENSOR_WIDTHS.into_iter().zip((first..).step_by(50)) {
            let seeds = seed..seed + (n / 4).max(1);
            visits.extend(door.all(seeds.map(|seed| Guest::new(seed, lens, face_px)))?);
        }
        stated.extend(&visits);
        groups.push(Group::of(format!("{width}×{height}"), &visits));
    }
    Ok(groups)
}

fn conditions(door: &mut Door<'_>, n: u64, stated: &mut Vec<Visit>) -> anyhow::Result<Vec<Group>> {
    let each = |((what, wears, due), first): ((&str, &'static str, bool), u64)| {
        let guests = (first..first + n).map(|seed| Guest {
            wears,
            ..Guest::new(seed, LEPTON, 31.5)
        });
        let visits = door.all(guests)?;
        if due {
            stated.extend(&visits);
        }
        Ok(Group::of(what, &visits))
    };
    let seeds = (2000..).step_by(100);
    CONDITIONS.into_iter().zip(seeds).map(each).collect()
}

/// Lenses and eyes on which nothing was chosen: not within what is stated, but not far off.
fn optics(door: &mut Door<'_>, n: u64) -> anyhow::Result<Vec<Group>> {
    let mut groups = Vec::new();
    for (blur_px, first) in BLURS.into_iter().zip((3000..).step_by(100)) {
        let lens = Lens { blur_px, ..LEPTON };
        let visits = door.all((first..first + n).map(|seed| Guest::new(seed, lens, 28.0)))?;
        groups.push(Group::of(format!("lens blur {blur_px} px"), &visits));
    }
    for (spot_mm, first) in SPOTS.into_iter().zip((3200..).step_by(100)) {
        let visits = door.all((first..first + n).map(|seed| Guest {
            spot_mm,
            ..Guest::new(seed, LEPTON, 28.0)
        }))?;
        groups.push(Group::of(format!("canthus of {spot_mm} mm"), &visits));
    }
    Ok(groups)
}

/// Somebody before a camera whose gain is 3 % off.
fn steep(references: References) -> Guest {
    Guest {
        gain: 1.03,
        references,
        ..Guest::new(1, LEPTON, 35.0)
    }
}

/// The same person, 33 to 41 °C.
fn linearity(door: &mut Door<'_>, step_k: f64, guest: Guest) -> anyhow::Result<Option<LineReport>> {
    let steps = (8.0 / step_k).round() as u32;
    let guests = (0..=steps).map(|step| Guest {
        face_c: 33.0 + step_k * f64::from(step),
        ..guest
    });
    let visits = door.all(guests)?;
    let points: Vec<(f64, f64)> = visits
        .iter()
        .filter_map(|visit| Some((visit.true_c, visit.true_c + visit.error_k()?.0)))
        .collect();
    Ok(Line::through(&points).map(|line| LineReport {
        points: line.points,
        slope: rounded(line.slope, 1e4),
        residual_k: rounded(line.residual_k, 1e4),
        least_rise: rounded(line.least_rise, 1e4),
    }))
}

/// The same person, with what must not matter.
fn invariance(door: &mut Door<'_>) -> anyhow::Result<Vec<Moved>> {
    let usual = Guest::new(2, LEPTON, 35.0);
    let drift = |drift_k| Guest { drift_k, ..usual };
    let guests = [
        ("camera 1 K lower", drift(usual.drift_k - 1.0)),
        ("camera 1 K higher", drift(usual.drift_k + 1.0)),
        (
            "shutter and slide",
            Guest {
                shutter: true,
                ..usual
            },
        ),
        (
            "painted plate, emissivity 0.97",
            Guest {
                emissivity: 0.97,
                ..usual
            },
        ),
    ];
    let before = door.one(usual)?.error_k();
    let moved = |(what, guest): (&'static str, Guest)| {
        let after = door.one(guest)?.error_k();
        let moved = before.zip(after).map(|(before, after)| after.0 - before.0);
        Ok(Moved {
            what,
            moved_k: moved.map(|it| rounded(it, 1e4)),
        })
    };
    guests.into_iter().map(moved).collect()
}
