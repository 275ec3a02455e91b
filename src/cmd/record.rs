//! `menshen record`: keeps the camera's frames in a file, for tests and for reports of faults.
//! Blocks for as long as it records.

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `menshen record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Configuration file, for the camera; without it as `menshen run`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// File to write; one that exists is not overwritten.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How long, in seconds.
    #[arg(long, value_name = "N", default_value_t = 60.0, value_parser = super::seconds)]
    pub seconds: f64,
}

/// Records.
///
/// # Errors
/// What kept it from recording.
pub fn run(_args: RecordArgs) -> anyhow::Result<ExitCode> {
    Err(super::not_yet("record"))
}
