//! `menshen simulate`: simulated frames with known temperatures, written to a folder. The same
//! seed gives the same files. Blocks until all are written.

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `menshen simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Built-in scenario, or the path of one.
    #[arg(value_name = "SCENARIO")]
    pub scenario: String,
    /// Folder to write to; made where it does not exist.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Seed of the noise and of the people.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How long, in seconds of simulated time; without it the scenario's own length.
    #[arg(long, value_name = "N", value_parser = super::seconds)]
    pub seconds: Option<f64>,
    /// Pictures, too, for people to look at.
    #[arg(long)]
    pub png: bool,
}

/// Simulates.
///
/// # Errors
/// What kept it from simulating.
pub fn run(_args: SimulateArgs) -> anyhow::Result<ExitCode> {
    Err(super::not_yet("simulate"))
}
