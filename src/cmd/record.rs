//! `menshen record`: what the configured camera sees, into a CPTV file.

use super::{must_be_new, say, until_told_to_stop};
use crate::camera::CameraError;
use crate::camera::recording::RecordingWriter;
use crate::clock::{BootId, Clock, SystemClock};
use crate::config::Config;
use crate::pipeline::source::open_camera;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

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
}

/// Records. A recording shows people: it is their picture, and kept by whoever asked for it.
///
/// # Errors
/// Where the camera or the file cannot be used.
pub fn run(args: &RecordArgs) -> anyhow::Result<ExitCode> {
    must_be_new(&args.out)?;
    let (config, _) = Config::find(args.config.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(BootId(0)));
    let mut camera = open_camera(&config.camera, Arc::clone(&clock), BootId(0))?()?;
    let info = camera.info().clone();
    let site = format!("{}/{}", config.site.building, config.site.gate);
    let mut file = RecordingWriter::create(&args.out, &info, &site, clock.now().wall)?;

    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    let stop = runtime.block_on(async { until_told_to_stop(None) });
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
    say(&format!(
        "{}: {frames} frames of {}\n",
        args.out.display(),
        info.name
    ))?;
    Ok(ExitCode::SUCCESS)
}
