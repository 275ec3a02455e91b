//! `menshen replay`: recordings through the very screening that runs at the gate. The same file
//! gives the same output, byte for byte. Blocks until all files are done.

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `menshen replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Recordings to play, one after the other.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    pub json: bool,
    /// Clockwise turn that sets people upright: 0, 90, 180 or 270.
    #[arg(long, value_name = "DEGREES", default_value_t = 0, value_parser = turn)]
    pub rotate: u16,
    /// Set point of the blackbody in the picture, °C (30 to 45); without it there is none.
    #[arg(long, value_name = "T", value_parser = super::set_point)]
    pub blackbody_c: Option<f64>,
    /// Temperature of the room, °C (5 to 40); without it the scene's own is taken.
    #[arg(long, value_name = "T", value_parser = super::room)]
    pub ambient_c: Option<f64>,
    /// Face model to use instead of the one that is built in.
    #[arg(long, value_name = "PATH")]
    pub model: Option<PathBuf>,
}

fn turn(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|degrees| [0, 90, 180, 270].contains(degrees))
        .ok_or_else(|| "expected 0, 90, 180 or 270".to_owned())
}

/// Plays the recordings.
///
/// # Errors
/// What kept one of them from being played.
pub fn run(_args: ReplayArgs) -> anyhow::Result<ExitCode> {
    Err(super::not_yet("replay"))
}
