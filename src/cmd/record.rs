//! `menshen record`: what the configured camera sees, into CPTV files.
//!
//! A recording shows people. It is made while somebody asks for it, by `--seconds` from now on or by
//! `--last` of what was just seen; nothing else in the gateway keeps pictures.

use super::{must_be_new, say, tell, until_told_to_stop};
use crate::camera::recording::RecordingWriter;
use crate::camera::ring::Ring;
use crate::camera::{Camera, CameraError, CameraInfo};
use crate::clock::{BootId, Clock, SystemClock};
use crate::config::Config;
use crate::pipeline::source::open_camera;
use crate::thermal::RawFrame;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest time that `--last` keeps.
const LONGEST_LAST_S: f64 = 300.0;

/// Arguments of `menshen record`.
#[derive(clap::Args, Debug)]
pub struct RecordArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The new file; one that exists is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How long to record.
    #[arg(long, value_name = "N", default_value = "10", value_parser = super::seconds)]
    seconds: Duration,
    /// Keep the last N seconds in memory, and write them when Enter is pressed or SIGUSR1 comes.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = last)]
    last: Option<Duration>,
}

fn last(text: &str) -> Result<Duration, String> {
    super::within(text, 1.0, LONGEST_LAST_S, "s").map(Duration::from_secs_f64)
}

/// Records.
///
/// # Errors
/// Where the camera or the file cannot be used.
pub fn run(args: &RecordArgs) -> anyhow::Result<ExitCode> {
    must_be_new(&args.out)?;
    let (config, _) = Config::find(args.config.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(BootId(0)));
    let mut camera = open_camera(&config.camera, Arc::clone(&clock), BootId(0))?()?;
    let site = format!("{}/{}", config.site.building, config.site.gate);
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    let stop = runtime.block_on(async { until_told_to_stop(None) });
    match args.last {
        Some(keep) => {
            let asked = runtime.block_on(async { when_asked() });
            from_now_back(camera.as_mut(), args, keep, &site, &stop, &asked)?;
        }
        None => from_now_on(camera.as_mut(), args, &site, &stop, clock.as_ref())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn from_now_on(
    camera: &mut dyn Camera,
    args: &RecordArgs,
    site: &str,
    stop: &CancellationToken,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let info = camera.info().clone();
    let mut file = RecordingWriter::create(&args.out, &info, site, clock.now().wall)?;
    let bar = ProgressBar::new(args.seconds.as_secs());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} s {msg}") {
        bar.set_style(style);
    }
    let start = clock.now();
    loop {
        let passed = clock.now().since(&start).unwrap_or_default();
        if passed >= args.seconds || stop.is_cancelled() {
            break;
        }
        bar.set_position(passed.as_secs());
        match camera.next_frame() {
            Ok(Some(frame)) => file.write(&frame)?,
            Ok(None) => break,
            Err(CameraError::Silent { .. }) => bar.set_message("no frame"),
            Err(error) => {
                // What was recorded so far is kept.
                file.finish()?;
                return Err(error.into());
            }
        }
    }
    let frames = file.frames();
    file.finish()?;
    bar.finish_and_clear();
    said(&args.out, frames, camera)
}

/// Writes the last seconds each time somebody asks, until told to stop.
fn from_now_back(
    camera: &mut dyn Camera,
    args: &RecordArgs,
    keep: Duration,
    site: &str,
    stop: &CancellationToken,
    asked: &AtomicBool,
) -> anyhow::Result<()> {
    let info = camera.info().clone();
    tell(&format!(
        "the last {:.0} s are kept in memory: Enter or SIGUSR1 writes them, Ctrl-C ends",
        keep.as_secs_f64()
    ));
    let mut ring = Ring::new(keep);
    let mut files = 0;
    while !stop.is_cancelled() {
        let over = match camera.next_frame() {
            Ok(Some(frame)) => {
                ring.push(frame);
                false
            }
            Ok(None) => true,
            Err(CameraError::Silent { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        if asked.swap(false, Ordering::SeqCst) {
            files += 1;
            let out = numbered(&args.out, files);
            let frames = write(ring.take(), &out, &info, site)?;
            said(&out, frames, camera)?;
        }
        if over {
            break;
        }
    }
    Ok(())
}

fn write(
    frames: impl IntoIterator<Item = RawFrame>,
    out: &Path,
    info: &CameraInfo,
    site: &str,
) -> anyhow::Result<u64> {
    let mut frames = frames.into_iter().peekable();
    let Some(first) = frames.peek() else {
        return Ok(0);
    };
    let mut file = RecordingWriter::create(out, info, site, first.stamp.wall)?;
    for frame in frames {
        file.write(&frame)?;
    }
    let written = file.frames();
    file.finish()?;
    Ok(written)
}

/// `lobby.cptv`, then `lobby-2.cptv` and so on.
fn numbered(out: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return out.to_owned();
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let end = out
        .extension()
        .map(|end| format!(".{}", end.to_string_lossy()))
        .unwrap_or_default();
    out.with_file_name(format!("{stem}-{number}{end}"))
}

fn said(out: &Path, frames: u64, camera: &dyn Camera) -> anyhow::Result<()> {
    let name = &camera.info().name;
    say(&format!("{}: {frames} frames of {name}\n", out.display()))?;
    Ok(())
}

/// Set whenever Enter is pressed or SIGUSR1 comes. Call inside of the runtime.
fn when_asked() -> Arc<AtomicBool> {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = Arc::new(AtomicBool::new(false));
    // A terminal is read on a thread of its own, which ends with the program.
    let by_hand = Arc::clone(&asked);
    std::thread::spawn(move || {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
            by_hand.store(true, Ordering::SeqCst);
        }
    });
    match signal(SignalKind::user_defined1()) {
        Ok(mut signals) => {
            let by_signal = Arc::clone(&asked);
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    by_signal.store(true, Ordering::SeqCst);
                }
            });
        }
        Err(error) => tracing::warn!("SIGUSR1 cannot be waited for: {error}"),
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_are_numbered() {
        let name = |out: &str, number| numbered(Path::new(out), number).display().to_string();
        assert_eq!(name("/tmp/lobby.cptv", 1), "/tmp/lobby.cptv");
        assert_eq!(name("/tmp/lobby.cptv", 2), "/tmp/lobby-2.cptv");
        assert_eq!(name("门", 3), "门-3");
    }
}
