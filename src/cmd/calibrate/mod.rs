//! `menshen calibrate`: the numbers that stand between counts and a temperature to believe.

mod blackbody;
mod transfer;

pub(super) use transfer::digest;

use std::process::ExitCode;

/// What `menshen calibrate` can calibrate.
#[derive(Debug, clap::Subcommand)]
pub enum Calibrate {
    /// Measure what the camera reads of a blackbody, and write the camera's profile.
    Blackbody(blackbody::BlackbodyArgs),
    /// The constants that lead from face to body, from a table of people.
    Transfer(transfer::TransferArgs),
}

/// Calibrates.
///
/// # Errors
/// As its subcommands say.
pub fn run(what: &Calibrate) -> anyhow::Result<ExitCode> {
    match what {
        Calibrate::Blackbody(args) => blackbody::run(args),
        Calibrate::Transfer(args) => transfer::run(args),
    }
}
