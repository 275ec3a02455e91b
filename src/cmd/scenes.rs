//! `menshen scenes`: single simulated frames drawn at random, with their truth, for training and
//! testing face networks.
//!
//! One binary file holds all frames, so that a trainer reads tens of thousands in a moment:
//! `numpy.fromfile(f, '<u2').reshape(-1, 160, 128)`, in centikelvin.

use super::{must_be_new, say};
use crate::camera::simulator::WireTruth;
use crate::camera::simulator::scenes::{SCENE_SIZE, scene};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `menshen scenes`.
#[derive(clap::Args, Debug)]
pub struct ScenesArgs {
    /// How many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    count: u64,
    /// What they are drawn from: the same seed gives the same scenes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder for scenes.u16 (frames of 160 rows of 128 centikelvin, little-endian) and
    /// scenes.jsonl (the truth of each, one a line).
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Draws the scenes.
///
/// # Errors
/// Where the files are there already or cannot be written.
pub fn run(args: &ScenesArgs) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(&args.out)
        .with_context(|| format!("the folder {} cannot be made", args.out.display()))?;
    let frames = args.out.join("scenes.u16");
    let truths = args.out.join("scenes.jsonl");
    for file in [&frames, &truths] {
        must_be_new(file)?;
    }
    let create = |file: &PathBuf| {
        File::create_new(file)
            .map(BufWriter::new)
            .with_context(|| format!("{} cannot be made", file.display()))
    };
    let (mut pictures, mut lines) = (create(&frames)?, create(&truths)?);
    let bar = ProgressBar::new(args.count);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} scenes") {
        bar.set_style(style);
    }
    let mut bytes = Vec::with_capacity(SCENE_SIZE.0 * SCENE_SIZE.1 * 2);
    for number in 0..args.count {
        let scene = scene(args.seed, number);
        bytes.clear();
        bytes.extend(scene.counts.iter().flat_map(|count| count.to_le_bytes()));
        pictures.write_all(&bytes)?;
        serde_json::to_writer(&mut lines, &WireTruth::from(&scene.truth))?;
        lines.write_all(b"\n")?;
        bar.inc(1);
    }
    pictures.flush()?;
    lines.flush()?;
    bar.finish_and_clear();
    say(&format!(
        "{} and {}: {} scenes\n",
        frames.display(),
        truths.display(),
        args.count
    ))?;
    Ok(ExitCode::SUCCESS)
}
