//! `menshen demo`: the whole gateway with a simulated camera, so that everything can be seen
//! without any hardware. Blocks until it is stopped, or for `--duration`.

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `menshen demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the pages on this machine; 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// How fast simulated time runs, times real time (0.1 to 100).
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = super::speed)]
    pub speed: f64,
    /// Folder of the database; made where it does not exist.
    #[arg(long, value_name = "DIR", default_value = "./data/demo")]
    pub folder: PathBuf,
    /// Stop after so many seconds of real time; without it, on Ctrl-C.
    #[arg(long, value_name = "SECONDS", value_parser = super::seconds)]
    pub duration: Option<f64>,
    /// Built-in scenario, or the path of one.
    #[arg(long, value_name = "SCENARIO")]
    pub scenario: Option<String>,
}

/// Runs the demonstration.
///
/// # Errors
/// What kept it from running.
pub fn run(_args: DemoArgs) -> anyhow::Result<ExitCode> {
    Err(super::not_yet("demo"))
}
