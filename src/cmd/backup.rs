//! `menshen backup` and `menshen restore`: a copy of the database now, and one put back.
//!
//! A copy is made while the gateway runs, as it makes them by itself each night. Restoring needs it
//! stopped. Both block for as long as the disk takes.

use super::{must_be_new, say};
use crate::clock::{BootId, Clock as _, SystemClock};
use crate::config::Config;
use crate::store::{backup, restore};
use anyhow::Context as _;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `menshen backup`.
#[derive(clap::Args, Debug)]
pub struct BackupArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the copy to this file, such as one on a USB stick; without it, it is kept with the nightly
    /// ones.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Arguments of `menshen restore`.
#[derive(clap::Args, Debug)]
pub struct RestoreArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The copy; without it, those that there are get listed.
    copy: Option<PathBuf>,
}

/// Makes a copy now.
///
/// # Errors
/// Where it cannot be made.
pub fn back_up(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::find(args.config.as_deref())?;
    let (data, rules) = (&config.store.folder, &config.store.upkeep);
    let now = SystemClock::start(BootId(0)).now().wall;
    let file = match &args.out {
        Some(file) => {
            must_be_new(file)?;
            backup::to_file(data, file, now)?;
            file.clone()
        }
        None => backup::nightly(
            data,
            &rules.backups(data),
            rules.backups_kept,
            rules.disk_floor,
            now,
        )?,
    };
    say(&format!("{}\n", described(&file)?))?;
    Ok(ExitCode::SUCCESS)
}

/// Puts a copy back, or lists those that there are.
///
/// # Errors
/// Where the gateway runs, the copy is not sound, or files cannot be written.
pub fn restore_copy(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::find(args.config.as_deref())?;
    let data = &config.store.folder;
    let Some(copy) = &args.copy else {
        return list(&config.store.upkeep.backups(data));
    };
    let now = SystemClock::start(BootId(0)).now().wall;
    let replaced = restore(data, copy, now).with_context(|| {
        format!(
            "{} was not restored; everything is as it was",
            copy.display()
        )
    })?;
    let mut text = format!(
        "Restored {}.\nThe gateway goes on from it under a new epoch: no message gets a number twice.\n",
        copy.display()
    );
    if let Some(replaced) = replaced {
        let _ = writeln!(text, "What was there is kept in {}.", replaced.display());
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists the copies, newest first.
fn list(folder: &Path) -> anyhow::Result<ExitCode> {
    let copies = backup::copies(folder);
    let mut text = String::new();
    for copy in copies.iter().rev() {
        let _ = writeln!(text, "{}", described(copy)?);
    }
    if copies.is_empty() {
        let _ = writeln!(text, "There is no copy in {}.", folder.display());
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A copy's name and size.
fn described(copy: &Path) -> anyhow::Result<String> {
    let size = copy
        .metadata()
        .with_context(|| copy.display().to_string())?
        .len();
    Ok(format!("{}  {} KiB", copy.display(), size.div_ceil(1024)))
}
