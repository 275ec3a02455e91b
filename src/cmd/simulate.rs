//! `menshen simulate`: a scenario as a recording, with the truth beside it, and a picture.

use super::{must_be_new, say};
use crate::camera::Camera as _;
use crate::camera::recording::RecordingWriter;
use crate::camera::simulator::{Simulator, WireTruth};
use crate::clock::{BootId, WallTime};
use crate::detect::OnnxDetector;
use crate::estimate::Basis;
use crate::picture::{Colour, Tag, poster};
use crate::pipeline::Pipeline;
use crate::pipeline::source::scenario;
use crate::screening::{Person, Rules, Verdict};
use crate::thermal::{RadiometerSettings, RawFrame, ThermalFrame};
use crate::units::PixelBox;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Wall time at which a simulated scenario begins, ms: 2020-02-24 08:00 in Shanghai, so that the
/// same scenario always gives the same files.
const BEGINS: WallTime = WallTime(1_582_502_400_000);

/// Arguments of `menshen simulate`.
#[derive(clap::Args, Debug)]
pub struct SimulateArgs {
    /// Built-in scenario, or a scenario file.
    scenario: String,
    /// Folder for SCENARIO.cptv and SCENARIO.truth.jsonl.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Another seed than the scenario's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// At most this many seconds; a scenario that repeats is cut after its first round.
    #[arg(long, value_name = "N", value_parser = super::seconds)]
    seconds: Option<Duration>,
    /// Also SCENARIO.png: the frame in which most people are judged, as the gateway sees it.
    #[arg(long)]
    png: bool,
}

/// Renders a scenario.
///
/// # Errors
/// Where there is no such scenario, or the files cannot be written.
pub fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let mut scenario = scenario(&args.scenario)?.repeated(false);
    if let Some(seed) = args.seed {
        scenario = scenario.with_seed(seed);
    }
    let name = scenario.name().to_owned();
    fs::create_dir_all(&args.out)
        .with_context(|| format!("the folder {} cannot be made", args.out.display()))?;
    let film = args.out.join(format!("{name}.cptv"));
    let beside = args.out.join(format!("{name}.truth.jsonl"));
    for file in [&film, &beside] {
        must_be_new(file)?;
    }
    let mut camera = Simulator::new(scenario, BootId(0), BEGINS);
    let info = camera.info().clone();
    let mut file = RecordingWriter::create(&film, &info, "simulator", BEGINS)?;
    let mut truths = BufWriter::new(
        File::create_new(&beside)
            .with_context(|| format!("{} cannot be made", beside.display()))?,
    );

    let most = args
        .seconds
        .map_or(u64::MAX, |s| (s.as_secs_f64() * info.fps).ceil() as u64);
    let mut best = args.png.then(Best::new).transpose()?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} frames") {
        bar.set_style(style);
    }
    while file.frames() < most {
        let Some((frame, truth)) = camera.next_with_truth()? else {
            break;
        };
        file.write(&frame)?;
        serde_json::to_writer(&mut truths, &WireTruth::from(&truth))?;
        truths.write_all(b"\n")?;
        if let Some(best) = &mut best {
            best.see(&frame);
        }
        bar.inc(1);
    }
    let frames = file.frames();
    file.finish()?;
    truths.flush()?;
    bar.finish_and_clear();
    say(&format!(
        "{} and {}: {frames} frames\n",
        film.display(),
        beside.display()
    ))?;
    if let Some(best) = best {
        let picture = args.out.join(format!("{name}.png"));
        File::create_new(&picture)
            .and_then(|mut file| file.write_all(&best.png()?))
            .with_context(|| format!("{} cannot be made", picture.display()))?;
        say(&format!("{}: {}\n", picture.display(), best.caption()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Temperatures of the coldest and of the warmest colour, °C: from a cool room to a fever.
const WINDOW: (f32, f32) = (18.0, 39.0);

/// Pixels of the picture for one of the frame.
const SCALE: usize = 5;

/// Colours of the boxes: told from the palette by their blue, and from each other by lightness.
const CLEAR: Colour = [96, 232, 172];
const FEVER: Colour = [255, 92, 138];
const RETEST: Colour = [255, 224, 102];
const CANNOT_JUDGE: Colour = [188, 198, 214];
const BLACKBODY: Colour = [92, 200, 255];

/// The frame in which most people are judged so far.
struct Best {
    pipeline: Pipeline<OnnxDetector>,
    frame: Option<(ThermalFrame, Vec<Person>)>,
    rank: (usize, u32),
}

impl Best {
    fn new() -> anyhow::Result<Self> {
        let settings = RadiometerSettings::default();
        let detector = OnnxDetector::built_in()?;
        Ok(Self {
            pipeline: Pipeline::new(settings, Rules::default(), detector),
            frame: None,
            rank: (0, 0),
        })
    }

    fn see(&mut self, frame: &RawFrame) {
        let thermal = self.pipeline.step(frame).thermal;
        let mut people = self.pipeline.people();
        people.retain(|person| person.last.sequence == frame.sequence);
        let judged = people.iter().filter(|person| person.verdict.is_some());
        // Of several such frames, the one in which the most was seen of them.
        let rank = (
            judged.clone().count(),
            judged.map(|person| person.looks).sum(),
        );
        if self.frame.is_none() || rank > self.rank {
            self.rank = rank;
            self.frame = Some((thermal, people));
        }
    }

    fn caption(&self) -> String {
        let sequence = self
            .frame
            .as_ref()
            .map_or(0, |(thermal, _)| thermal.sequence);
        format!("frame {sequence}, {} people judged", self.rank.0)
    }

    fn png(&self) -> io::Result<Vec<u8>> {
        let Some((thermal, people)) = &self.frame else {
            return Err(io::Error::other("the scenario has no frames"));
        };
        let mut tags: Vec<Tag> = people.iter().map(tag).collect();
        tags.extend(thermal.reference.map(|reference| Tag {
            area: PixelBox {
                left: reference.centre.x - reference.radius - 1.0,
                top: reference.centre.y - reference.radius - 1.0,
                right: reference.centre.x + reference.radius + 1.0,
                bottom: reference.centre.y + reference.radius + 1.0,
            },
            colour: BLACKBODY,
            text: String::new(),
        }));
        let key = [
            (CLEAR, "clear"),
            (FEVER, "possible fever"),
            (RETEST, "retest"),
            (CANNOT_JUDGE, "not judged"),
            (BLACKBODY, "blackbody"),
        ];
        poster(&thermal.celsius, WINDOW, &tags, &key, SCALE).map_err(io::Error::other)
    }
}

/// A person's box: the estimate with its expanded uncertainty where there is one.
fn tag(person: &Person) -> Tag {
    let colour = match person.verdict {
        Some(Verdict::Clear) => CLEAR,
        Some(Verdict::PossibleFever) => FEVER,
        Some(Verdict::Retest(_)) => RETEST,
        Some(Verdict::CannotJudge(_)) | None => CANNOT_JUDGE,
    };
    let against_reference = person.reading.filter(|it| it.basis == Basis::Reference);
    let text = against_reference.map_or_else(String::new, |reading| {
        let estimate = reading.estimate;
        format!(
            "{:.1} ± {:.1}",
            estimate.value.degrees(),
            estimate.u.expanded().kelvin()
        )
    });
    Tag {
        area: person.last.area,
        colour,
        text,
    }
}
