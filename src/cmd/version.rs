//! `menshen version`: which program this is. Does not block.

use super::say;
use std::process::ExitCode;

/// Prints the name and the version, e.g. `menshen 0.1.0`.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run() -> anyhow::Result<ExitCode> {
    say(concat!("menshen ", env!("CARGO_PKG_VERSION"), "\n"))?;
    Ok(ExitCode::SUCCESS)
}
