//! The program's command line: one file for each subcommand.
//!
//! This is the only place that writes to standard output. What a person must read goes there;
//! logs go to standard error. Errors are [`anyhow::Error`]; where something can be done about one,
//! its text ends with a line `hint: ...`. Subcommands block until they are done.
//!
//! Exit codes: 0 done; 1 it failed, and standard error says why; 2 the command line is wrong.

pub mod audit;
pub mod backup;
pub mod calibrate;
pub mod cameras;
pub mod check;
pub mod checklist;
mod clinical;
pub mod demo;
pub mod doctor;
pub mod evaluate;
pub mod forget;
mod pages;
pub mod people;
pub mod record;
pub mod replay;
pub mod run;
pub mod scenes;
pub mod simulate;
pub mod simulate_street;
pub mod street;
pub mod threshold;
pub mod trouble;
pub mod version;

use crate::camera::Rotation;
use crate::estimate::Reading;
use crate::screening::Difference;
use crate::units::Celsius;
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Menshen (门神): fever screening at a building's door.
#[derive(Debug, Parser)]
#[command(name = "menshen", version, disable_help_subcommand = true)]
#[command(
    after_help = "Environment: MENSHEN_CONFIG names the configuration file where --config does \
not; RUST_LOG chooses what is logged, e.g. RUST_LOG=menshen=debug."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole gateway at work with a simulated camera, without any hardware.
    Demo(demo::DemoArgs),
    /// Screen people: the gateway itself.
    Run(run::RunArgs),
    /// Put recordings through the screening and say what it makes of them.
    Replay(replay::ReplayArgs),
    /// Measure how good the detector and the gateway are, on data of which the truth is known.
    #[command(subcommand)]
    Evaluate(evaluate::Evaluate),
    /// Calibrate the camera with a blackbody, or fit constants to measurements of people.
    #[command(subcommand)]
    Calibrate(calibrate::Calibrate),
    /// Say what a threshold means: whom it finds, and whom it calls in error.
    Threshold(threshold::ThresholdArgs),
    /// List the cameras that are plugged in, and the profile that each would be used with.
    Cameras(cameras::CamerasArgs),
    /// Keep the camera's frames in a file.
    Record(record::RecordArgs),
    /// Have many gateways tell a street's collectors what happened, and measure.
    SimulateStreet(simulate_street::SimulateStreetArgs),
    /// Make simulated frames with known temperatures.
    Simulate(simulate::SimulateArgs),
    /// Make single simulated frames at random, to train and test a face network.
    Scenes(scenes::ScenesArgs),
    /// Check a configuration file, and print it with every key.
    Check(check::CheckArgs),
    /// Take this gate away from its broker: what it retains of it is erased, and Home Assistant forgets it.
    Forget(forget::ForgetArgs),
    /// Print the six checklists, or check a site's own file.
    #[command(subcommand)]
    Checklist(checklist::Checklist),
    /// Read lists of people into the register, or give it a new key.
    #[command(subcommand)]
    People(people::People),
    /// Verify the audit: who did what, and who looked at whom.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Collect what the gates of a street report, and tell them that it is safe.
    Street(street::StreetArgs),
    /// Look at this installation, and say what is wrong and what to do.
    Doctor(doctor::DoctorArgs),
    /// Serve a page that says what is wrong, on the gateway's port, where that cannot run.
    Trouble(trouble::TroubleArgs),
    /// Copy the database now, while the gateway may be running.
    Backup(backup::BackupArgs),
    /// Put a copy of the database back. The gateway must be stopped.
    Restore(backup::RestoreArgs),
    /// Say which version this is.
    Version,
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// What kept it from being done, with a `hint:` where something can be done about it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Demo(args) => demo::run(&args),
            Self::Run(args) => run::run(&args),
            Self::Replay(args) => replay::run(&args),
            Self::Evaluate(what) => evaluate::run(&what),
            Self::Calibrate(what) => calibrate::run(&what),
            Self::Threshold(args) => threshold::run(&args),
            Self::Cameras(args) => cameras::run(&args),
            Self::Record(args) => record::run(&args),
            Self::Simulate(args) => simulate::run(&args),
            Self::SimulateStreet(args) => simulate_street::run(&args),
            Self::Scenes(args) => scenes::run(&args),
            Self::Check(args) => check::run(&args),
            Self::Checklist(what) => checklist::run(&what),
            Self::People(what) => people::run(&what),
            Self::Audit(what) => audit::run(&what),
            Self::Street(args) => street::run(&args),
            Self::Doctor(args) => doctor::run(&args),
            Self::Forget(args) => forget::run(&args),
            Self::Trouble(args) => trouble::run(&args),
            Self::Backup(args) => backup::back_up(&args),
            Self::Restore(args) => backup::restore_copy(&args),
            Self::Version => version::run(),
        }
    }
}

/// What was measured, for people: face and estimate, or without a reference the difference.
fn measured(reading: &Reading, between: &str) -> String {
    let estimate = estimate(reading);
    if Difference::of(reading).is_some() {
        return estimate;
    }
    format!(
        "face {:.1} °C ± {:.1}{between}{estimate}",
        reading.face.degrees(),
        reading.u().expanded().kelvin(),
    )
}

/// The estimate, for people, or without a reference the difference.
fn estimate(reading: &Reading) -> String {
    let u = reading.estimate.u.expanded().kelvin();
    match Difference::of(reading) {
        None => format!(
            "estimate {:.1} °C ± {u:.1}",
            reading.estimate.value.degrees()
        ),
        Some(it) => format!(
            "relative {:+.1} K ± {u:.1} against {} people",
            it.above.kelvin(),
            it.people
        ),
    }
}

/// Writes to standard output. A reader that has gone away (`menshen check | head`) is no error.
///
/// # Errors
/// Where standard output cannot be written, e.g. a full disk behind it.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// An error for a person: every cause once (many name their own cause in their text), and what to
/// do about it at the end, behind all causes.
#[must_use]
pub fn in_words(error: &anyhow::Error) -> String {
    let (mut words, mut hints) = (String::new(), String::new());
    for cause in error.chain().map(ToString::to_string) {
        let (what, hint) = cause
            .split_once("\nhint: ")
            .map_or((cause.as_str(), None), |(what, hint)| (what, Some(hint)));
        if !words.contains(what) && !hints.contains(what) {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push_str(what);
        }
        if let Some(hint) = hint.filter(|hint| !hints.contains(hint)) {
            hints.push_str("\nhint: ");
            hints.push_str(hint);
        }
    }
    words + &hints
}

/// Refuses a file that is there already: a recording shows people and is never overwritten.
fn must_be_new(path: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        !path.exists(),
        "{} is there already and is not overwritten\n\
         hint: choose another place with --out, or move it away",
        path.display()
    );
    Ok(())
}

/// Writes a line to standard error, for a person who waits for the command to end.
#[expect(
    clippy::print_stderr,
    reason = "commands talk to the person who gave them"
)]
fn tell(line: &str) {
    eprintln!("{line}");
}

/// A token that is cancelled by SIGINT, SIGTERM, or after this long. Call inside of the runtime.
fn until_told_to_stop(at_most: Option<Duration>) -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        let time_is_up = async {
            match at_most {
                Some(length) => tokio::time::sleep(length).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = signalled() => tracing::info!("told to stop"),
            () = time_is_up => {}
        }
        told.cancel();
    });
    stop
}

/// Waits for SIGINT or SIGTERM; for ever where the system lets nobody wait for them.
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

/// Degrees Celsius of a reference on the command line, 30 to 45.
fn set_point(text: &str) -> Result<Celsius, String> {
    celsius(text, 30.0, 45.0)
}

/// Degrees Celsius of a room on the command line, 5 to 40.
fn room(text: &str) -> Result<Celsius, String> {
    celsius(text, 5.0, 40.0)
}

/// A time on the command line, in seconds: more than none, and at most a year.
fn seconds(text: &str) -> Result<Duration, String> {
    within(text, 0.1, 31_536_000.0, "s").map(Duration::from_secs_f64)
}

/// Degrees clockwise on the command line.
fn rotation(text: &str) -> Result<Rotation, String> {
    text.parse()
        .ok()
        .and_then(Rotation::from_degrees)
        .ok_or_else(|| "expected 0, 90, 180 or 270 (degrees clockwise)".to_owned())
}

fn celsius(text: &str, low: f64, high: f64) -> Result<Celsius, String> {
    let degrees = within(text, low, high, "°C")?;
    Celsius::new(degrees).ok_or_else(|| "no temperature".to_owned())
}

fn within(text: &str, low: f64, high: f64, unit: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number| (low..=high).contains(number))
        .ok_or_else(|| format!("expected a number from {low} to {high} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_has_no_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_error_names_each_cause_once_and_ends_with_what_to_do() {
        let full = || io::Error::other("disk full");
        let twice = anyhow::Error::new(full()).context("a.cptv: disk full");
        assert_eq!(in_words(&twice), "a.cptv: disk full");
        let hinted = anyhow::Error::new(full())
            .context("cannot write\nhint: free some space")
            .context("stopped");
        assert_eq!(
            in_words(&hinted),
            "stopped: cannot write: disk full\nhint: free some space"
        );
        // A configuration's errors: several, each with its own hint.
        let several = "a:1: x\nhint: y\na:2: z\nhint: w";
        assert_eq!(in_words(&anyhow::anyhow!(several)), several);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(set_point("37"), Ok(Celsius::literal(37.0)));
        for wrong in ["29", "46", "nan", "inf", "", "37C"] {
            assert!(set_point(wrong).is_err(), "{wrong}");
        }
    }
}
