//! `menshen upgrade`: what the package asks before and after another version is installed (`deploy/debian`).
//!
//! Before: nobody may wait at the gate (`check`). After: the version that ran before, of which the package
//! keeps the program, judges the new one (`judge`): pages that answer, an open database and a screened frame
//! within some minutes, or everything goes back, the database to the copy from before the update where the new
//! version has changed its schema. The judge is the old program because the new one may do nothing right; it
//! keeps no state but the note that the package left, so that it can begin anew after a power cut.
//!
//! Blocks for as long as that takes.

use super::ask::ask;
use super::{say, seconds, tell};
use crate::config::Config;
use crate::store::{self, backup};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

/// What to do about an upgrade.
#[derive(Debug, Subcommand)]
pub enum Upgrade {
    /// Say whether another version may be installed now, and print the note by which it is judged later.
    Check(CheckArgs),
    /// Keep the version that was installed where it screens, or go back to this one.
    Judge(JudgeArgs),
    /// Print the database's schema, also where this version does not know it.
    Schema(SchemaArgs),
}

/// Arguments of `menshen upgrade schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Arguments of `menshen upgrade check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Do not ask for open alerts.
    #[arg(long)]
    anyway: bool,
}

/// Arguments of `menshen upgrade judge`.
#[derive(Args, Debug)]
pub struct JudgeArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder with the program that ran before (`menshen`) and the note (`note.json`).
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "/var/lib/menshen-previous"
    )]
    kept: PathBuf,
    /// Where the program is installed.
    #[arg(long, value_name = "FILE", default_value = "/usr/bin/menshen")]
    program: PathBuf,
    /// Whose the database is, where that is somebody else.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// How long the new version may take.
    #[arg(long, value_name = "SECONDS", default_value = "150", value_parser = seconds)]
    within: Duration,
}

/// The units that are stopped before everything goes back.
const UNITS: [&str; 2] = ["menshen.service", "menshen-trouble.service"];

/// Between two looks.
const AGAIN: Duration = Duration::from_secs(1);

/// Looks, one after the other, at which all must be well: a version that dies soon after its first frame is
/// no good.
const STEADY: u32 = 10;

/// What is known of the version that runs before an upgrade.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    version: String,
    schema: i64,
    /// Whether it screened: where it did not (the camera is away), the new one need not either.
    screens: bool,
}

/// Does it.
///
/// # Errors
/// Where it may not be done now; where the new version was no good; where something cannot be read or written.
pub fn run(what: &Upgrade) -> anyhow::Result<ExitCode> {
    match what {
        Upgrade::Check(args) => check(args),
        Upgrade::Judge(args) => judge(args),
        Upgrade::Schema(args) => {
            let (config, _) = Config::find(args.config.as_deref())?;
            say(&format!("{}\n", store::schema(&config.store.folder)?))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::find(args.config.as_deref())?;
    let open = if args.anyway {
        0
    } else {
        store::open_alerts(&config.store.folder)?
    };
    anyhow::ensure!(
        open == 0,
        "{open} alerts have no outcome yet: somebody may be waiting at the gate\n\
         hint: record their outcomes on the page of alerts, then install again"
    );
    let note = Note {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: store::SCHEMA,
        screens: is_well(&config, "/readyz"),
    };
    say(&(serde_json::to_string(&note)? + "\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the page answers at this path as it should.
fn is_well(config: &Config, path: &str) -> bool {
    ask(config, path, None).is_ok_and(|answer| answer.is_ok())
}

fn judge(args: &JudgeArgs) -> anyhow::Result<ExitCode> {
    let note_file = args.kept.join("note.json");
    let Some(note) = read(&note_file)? else {
        say("no version waits to be judged\n")?;
        return Ok(ExitCode::SUCCESS);
    };
    let (config, _) = Config::find(args.config.as_deref())?;
    if stands(&config, &note, args.within) {
        fs::remove_file(&note_file).with_context(|| note_file.display().to_string())?;
        say("the new version screens: it is kept\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    tell("the new version does not screen: going back to the one that ran before");
    go_back(args, &config, &note).with_context(|| {
        format!(
            "the new version is no good, and version {} could not be brought back\n\
             hint: install the package of version {} by hand",
            note.version, note.version
        )
    })?;
    fs::remove_file(&note_file).with_context(|| note_file.display().to_string())?;
    let back = stands(&config, &note, args.within);
    anyhow::bail!(
        "the new version did not screen within {} s: version {} is back{}\n\
         hint: send the new version's log to whoever made it: journalctl -u menshen (menshen support)",
        args.within.as_secs(),
        note.version,
        if back {
            ", and screens"
        } else {
            ", but does not screen either: run menshen doctor"
        }
    )
}

/// The note that the package left, where there is one.
fn read(file: &Path) -> anyhow::Result<Option<Note>> {
    match fs::read_to_string(file) {
        Ok(text) => {
            let note = serde_json::from_str(&text);
            note.with_context(|| file.display().to_string()).map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context(file.display().to_string()),
    }
}

/// Whether all is well, at several looks in a row, before the time is up.
fn stands(config: &Config, note: &Note, within: Duration) -> bool {
    let looks = within.as_secs().max(1);
    let mut steady = 0;
    for _ in 0..looks {
        // Where nobody has an account yet, whoever comes is led to the page that makes the first one.
        let well = is_well(config, if note.screens { "/readyz" } else { "/healthz" })
            && (is_well(config, "/sign-in") || is_well(config, "/setup"));
        steady = if well { steady + 1 } else { 0 };
        if steady == STEADY {
            return true;
        }
        thread::sleep(AGAIN);
    }
    false
}

/// Puts program and database back. Each step can be done again after a power cut.
fn go_back(args: &JudgeArgs, config: &Config, note: &Note) -> anyhow::Result<()> {
    for unit in UNITS {
        // Best effort: one that is not known is not running either.
        let _ = systemctl(&["stop", unit]);
    }
    let kept = args.kept.join("menshen");
    put(&kept, &args.program)?;
    // What is damaged, the program itself salvages at its start.
    if schema(args, &kept).is_ok_and(|schema| schema > note.schema) {
        let copy = backup::before_update_of(&config.store.folder, note.schema);
        succeed(as_owner(args, &kept, &["restore"]).arg(copy))?;
    }
    let _ = systemctl(&["reset-failed", UNITS[0]]);
    systemctl(&["start", UNITS[0]])
}

/// Puts a program in the place of another one, in one step.
fn put(from: &Path, to: &Path) -> anyhow::Result<()> {
    let new = to.with_extension("previous");
    fs::copy(from, &new)
        .and_then(|_| fs::set_permissions(&new, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::File::open(&new)?.sync_all())
        .and_then(|()| fs::rename(&new, to))
        .with_context(|| format!("putting {} back", to.display()))
}

/// The database's schema.
fn schema(args: &JudgeArgs, program: &Path) -> anyhow::Result<i64> {
    let output = as_owner(args, program, &["upgrade", "schema"]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}

/// A command of the program as whoever owns the database: what SQLite puts beside it must be theirs.
fn as_owner(args: &JudgeArgs, program: &Path, what: &[&str]) -> Command {
    let mut command = match &args.user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", user, "--regid", user, "--init-groups", "--"])
                .arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(what);
    if let Some(config) = &args.config {
        command.arg("--config").arg(config);
    }
    command
}

fn systemctl(arguments: &[&str]) -> anyhow::Result<()> {
    succeed(Command::new("systemctl").args(arguments))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status();
    let status = status.with_context(|| format!("running {command:?}"))?;
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
