//! `menshen run`: the gateway itself. Blocks until it is told to stop (SIGTERM, SIGINT).

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `menshen run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Configuration file; without it MENSHEN_CONFIG, else ./menshen.toml, else the defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs the gateway.
///
/// # Errors
/// What kept it from running.
pub fn run(_args: RunArgs) -> anyhow::Result<ExitCode> {
    Err(super::not_yet("run"))
}
