//! `menshen people`: the register's key, and lists that are too long for a browser. The gateway must be
//! stopped for what opens the database.

use super::{say, tell};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, zone::Zone};
use crate::people::{Columns, Desk, Field, ImportReport, List, Source};
use crate::sheet;
use crate::store::{Store, is_in_use, new_key};
use crate::text::Note;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// What to do with the register.
#[derive(Debug, Subcommand)]
pub enum People {
    /// Read a list of people in: a CSV or XLSX file, with a heading.
    Import(ImportArgs),
    /// Put a new key above the old ones; the gateway seals everybody anew when it starts.
    NewKey(KeyArgs),
    /// Erase everybody, for when the key is lost, and begin anew.
    GiveUp(GiveUpArgs),
}

/// Arguments of `menshen people import`.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The list.
    #[arg(value_name = "LIST")]
    list: PathBuf,
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which source it is: household or population.
    #[arg(long, value_name = "SOURCE", default_value = "population")]
    source: String,
    /// Who reads it in, as the audit names them.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Which field each column is, with commas and - for none; without it the heading says.
    #[arg(long, value_name = "FIELDS")]
    columns: Option<String>,
    /// Say what would come of it, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `menshen people new-key`.
#[derive(Args, Debug)]
pub struct KeyArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Arguments of `menshen people give-up`.
#[derive(Args, Debug)]
pub struct GiveUpArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Who decides it, as the audit names them.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Everybody in the register is erased: say that you know it.
    #[arg(long)]
    erase_everybody: bool,
}

/// Does it.
///
/// # Errors
/// Each with what to do.
pub fn run(what: &People) -> anyhow::Result<ExitCode> {
    match what {
        People::Import(args) => import(args),
        People::NewKey(args) => {
            let (config, _) = Config::find(args.config.as_deref())?;
            let file = config.people.key_file(&config.store.folder);
            let name = new_key(&file)?;
            say(&format!(
                "{} holds the new key {name}: keep a copy of it elsewhere, and start the gateway again; it \
                 says when the older lines can go\n",
                file.display()
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        People::GiveUp(args) => give_up(args),
    }
}

fn name(text: &str) -> anyhow::Result<Note> {
    Note::name(text).context("--by is no name\nhint: write 1 to 80 characters")
}

/// The store, for this command alone.
fn open(config: &Config) -> anyhow::Result<Store> {
    let folder = &config.store.folder;
    anyhow::ensure!(
        !is_in_use(folder),
        "the gateway runs on {}\nhint: stop it first, or read the list in on its page",
        folder.display()
    );
    Ok(Store::open(folder, Vec::new())?)
}

fn give_up(args: &GiveUpArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::find(args.config.as_deref())?;
    let by = name(&args.by)?;
    anyhow::ensure!(
        args.erase_everybody,
        "this erases everybody in the register\nhint: if the key is really lost, add --erase-everybody"
    );
    let store = open(&config)?;
    let now = SystemClock::start(store.boot()).now();
    let gone = store.give_up_people(&by, now)?;
    say(&format!(
        "erased: {gone} people. The next start makes a new key\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Columns as they are written on the command line.
fn columns(text: &str) -> anyhow::Result<Columns> {
    let mut all = Vec::new();
    for word in text.split(',').map(str::trim) {
        all.push(match word {
            "-" | "" => None,
            word => {
                let words: Vec<&str> = Field::ALL.iter().map(|it| it.as_str()).collect();
                let known = Field::parse(word);
                Some(known.with_context(|| {
                    format!("no field is called {word}\nhint: {}", words.join(", "))
                })?)
            }
        });
    }
    Columns::of(all).context("a field is named twice\nhint: write - for the other column")
}

fn import(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::find(args.config.as_deref())?;
    let source = Source::parse(&args.source)
        .filter(|it| it.is_list())
        .context("no list is of that source\nhint: --source household or population")?;
    let by = name(&args.by)?;
    let named = args.columns.as_deref().map(columns).transpose()?;
    let store = open(&config)?;
    let register = store.register(&config.people.key_file(&config.store.folder))?;
    let rules = Arc::new(config.people.rules()?);
    let desk = Desk::new(
        rules,
        Arc::new(register),
        Arc::new(Zone(TimeZone::system())),
    );
    let now = SystemClock::start(store.boot()).now();
    let report = sheet::read(&args.list, |heading, rows| {
        let list = List {
            source,
            columns: named.unwrap_or_else(|| Columns::guess(&heading)),
            by,
        };
        if args.dry_run {
            return desk.try_list(&list, rows, now);
        }
        desk.import(&list, rows, now, &mut |seen| {
            if seen.is_multiple_of(10_000) {
                tell(&format!("{seen} rows"));
            }
        })
    })??;
    say(&in_words(&report))?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(report: &ImportReport) -> String {
    let mut text = match report.id {
        Some(id) => format!(
            "list {} is in; it can be taken back on the register's page\n",
            id.0
        ),
        None => "nothing was written\n".to_owned(),
    };
    let _ = writeln!(
        text,
        "new {} · known {} · unchanged {} · doubtful {} · refused {}",
        report.new, report.known, report.unchanged, report.doubtful, report.refused
    );
    for wrong in &report.wrong {
        let _ = writeln!(text, "{wrong}");
    }
    let more = report.refused - report.wrong.len() as u64;
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    text
}
