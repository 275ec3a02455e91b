//! `menshen audit`: whether the audit is as it was written. Changes nothing; the gateway may be running.

use super::say;
use crate::config::Config;
use crate::store::{Head, verify_audit};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do with the audit.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Verify that no row was changed, put in or taken out.
    Verify(VerifyArgs),
}

/// Arguments of `menshen audit verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A head of the chain that was noted before: it must still be in it.
    #[arg(long, value_name = "NUMBER:HASH")]
    noted: Option<Head>,
}

/// Does it.
///
/// # Errors
/// Where there is no database, or it cannot be read.
pub fn run(what: &Audit) -> anyhow::Result<ExitCode> {
    let Audit::Verify(args) = what;
    let (config, _) = Config::find(args.config.as_deref())?;
    let found = verify_audit(&config.store.folder, args.noted.as_ref())?;
    let mut text = format!(
        "{} rows of the audit are as they were written\n",
        found.sound
    );
    if found.before > 0 {
        let _ = writeln!(
            text,
            "{} rows are from before there was a chain",
            found.before
        );
    }
    if let Some(head) = &found.head {
        let _ = writeln!(text, "head: {head}");
    }
    for wrong in &found.breaks {
        let _ = writeln!(text, "WRONG: {wrong}");
    }
    if found.breaks.is_empty() {
        text.push_str(
            "sound. Note the head elsewhere; --noted tells later whether it is still there\n",
        );
        say(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    text.push_str(
        "the audit was written to by something else than the gateway, or the database was salvaged or \
         restored: keep a copy of the data folder, and look at who can write to it\n",
    );
    say(&text)?;
    Ok(ExitCode::FAILURE)
}
