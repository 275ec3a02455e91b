//! `menshen simulate`: a scenario as a recording, with the truth beside it.

use super::{must_be_new, say};
use crate::camera::Camera as _;
use crate::camera::recording::RecordingWriter;
use crate::camera::simulator::{Simulator, WireTruth};
use crate::clock::{BootId, WallTime};
use crate::pipeline::source::scenario;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
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
    Ok(ExitCode::SUCCESS)
}
