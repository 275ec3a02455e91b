//! What goes down to sites (`menshen street notice`, `menshen street template`), and what became of it at each
//! (`menshen street orders`).

use super::super::say;
use super::now;
use crate::checklist::SiteKind;
use crate::clock::WallTime;
use crate::command::{Asked, Command, Notice, Token};
use crate::config::{StreetConfig, checklist as lists};
use crate::mqtt::Address;
use crate::mqtt::inbound::LARGEST;
use crate::street::Ledger;
use crate::street::record::{Order, Outcome, State};
use crate::text::Note;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

const HOUR_MS: i64 = 3_600_000;

/// Orders that are listed, the newest.
const NEWEST: u32 = 50;

/// Arguments of `menshen street notice`.
#[derive(clap::Args, Debug)]
pub struct NoticeArgs {
    /// What the sites' managers are to read.
    text: String,
    /// Shown for so many hours.
    #[arg(long, value_name = "N", default_value = "24",
          value_parser = clap::value_parser!(u32).range(1..=24 * 366))]
    hours: u32,
    /// Only to this site; may be given again. Without it to all that were ever heard of.
    #[arg(long = "site", value_name = "BUILDING/GATE")]
    sites: Vec<String>,
}

/// Arguments of `menshen street template`.
#[derive(clap::Args, Debug)]
pub struct TemplateArgs {
    /// The new version of a list: a template's file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Sent again for so many days to sites that do not answer.
    #[arg(long, value_name = "N", default_value = "30",
          value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Only to this site; may be given again. Without it to all of the list's kind.
    #[arg(long = "site", value_name = "BUILDING/GATE")]
    sites: Vec<String>,
}

/// Sends a word to sites.
///
/// # Errors
/// Where the text or a site cannot be, or the database does not let us.
pub fn notice(config: &StreetConfig, args: &NoticeArgs) -> anyhow::Result<ExitCode> {
    let text = Note::new(&args.text).with_context(|| {
        format!(
            "the text cannot be sent\nhint: 1 to {} characters in one line",
            Note::LONGEST
        )
    })?;
    let ledger = super::ledger(&config.ledger)?;
    let sites = addressed(ledger.as_ref(), &config.street, &args.sites, None)?;
    let begins = now();
    let ends = WallTime(begins.0 + i64::from(args.hours) * HOUR_MS);
    let notice = Command::Notice(Notice { text, begins, ends });
    give(ledger.as_ref(), notice, ends, &sites)
}

/// Sends a new version of a list to sites. Whoever runs one decides when it is taken over.
///
/// # Errors
/// Where the file is no template, no newer one or too large, or the database does not let us.
pub fn template(config: &StreetConfig, args: &TemplateArgs) -> anyhow::Result<ExitCode> {
    let template = lists::load_template(&args.file)?;
    let (kind, version) = (template.site, template.version);
    let newest = lists::newest(kind)?.version;
    anyhow::ensure!(
        version > newest,
        "{} is version {version} of the list for {}, and every site has version {newest}\n\
         hint: write version = {} in it, and what is new",
        args.file.display(),
        kind.as_str(),
        newest + 1
    );
    let text = fs::read_to_string(&args.file)?;
    let ledger = super::ledger(&config.ledger)?;
    let sites = addressed(ledger.as_ref(), &config.street, &args.sites, Some(kind))?;
    let ends = WallTime(now().0 + i64::from(args.days) * 24 * HOUR_MS);
    give(ledger.as_ref(), Command::Template(text), ends, &sites)
}

/// The sites that are named, or all that were ever heard of; with a kind, those that said they are of it.
fn addressed(
    ledger: &dyn Ledger,
    street: &str,
    named: &[String],
    kind: Option<SiteKind>,
) -> anyhow::Result<Vec<Address>> {
    let of_kind = |it: &State| {
        let said = serde_json::from_slice::<serde_json::Value>(&it.payload).unwrap_or_default();
        it.name == "checklist" && said["site"].as_str() == kind.map(SiteKind::as_str)
    };
    let sites: Vec<Address> = if named.is_empty() {
        let states = ledger.states(None)?;
        let heard = states.iter().filter(|it| kind.is_none() || of_kind(it));
        let known: BTreeSet<String> = heard.map(|it| it.site.to_string()).collect();
        known
            .iter()
            .map(|it| it.parse::<Address>())
            .collect::<Result<_, _>>()?
    } else {
        named
            .iter()
            .map(|it| format!("{street}/{it}").parse::<Address>())
            .collect::<Result<_, _>>()?
    };
    anyhow::ensure!(
        !sites.is_empty(),
        "no site {}was ever heard of\nhint: start menshen street, and a gateway",
        kind.map_or(String::new(), |it| format!("of the kind {} ", it.as_str()))
    );
    Ok(sites)
}

/// Gives the order. A running collector sends it.
fn give(
    ledger: &dyn Ledger,
    command: Command,
    ends: WallTime,
    sites: &[Address],
) -> anyhow::Result<ExitCode> {
    let id: Token = uuid::Uuid::new_v4().to_string().parse()?;
    let asked = Asked {
        id: id.clone(),
        by: "street".parse()?,
        command,
    };
    let order = Order::of(&asked, now(), ends);
    anyhow::ensure!(
        order.payload.len() <= LARGEST,
        "it is larger than what a gateway reads: {} of {LARGEST} bytes\nhint: make it shorter",
        order.payload.len()
    );
    ledger.order(&order, sites)?;
    say(&format!("{id} to {} sites\n", sites.len()))?;
    Ok(ExitCode::SUCCESS)
}

/// Lists orders.
///
/// # Errors
/// Where the database does not let us.
pub fn list(config: &StreetConfig) -> anyhow::Result<ExitCode> {
    let ledger = super::ledger(&config.ledger)?;
    let mut text = String::new();
    for (order, errands) in ledger.orders(NEWEST)? {
        let _ = writeln!(text, "{} {}", order.id, order.name);
        for errand in errands {
            let outcome = match errand.outcome {
                Outcome::Waiting if order.expires <= now() => "never answered".to_owned(),
                Outcome::Waiting => "waits".to_owned(),
                Outcome::Done { .. } => "done".to_owned(),
                Outcome::Refused { why, .. } => format!("refused: {why}"),
            };
            let _ = writeln!(text, "  {} {outcome}", errand.site);
        }
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}
