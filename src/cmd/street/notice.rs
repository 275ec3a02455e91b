//! `menshen street notice` and `menshen street orders`: a word to sites, and what became of it at each.

use super::super::say;
use super::now;
use crate::clock::WallTime;
use crate::command::{Asked, Command, Notice, Token};
use crate::config::StreetConfig;
use crate::mqtt::Address;
use crate::street::record::{Order, Outcome};
use crate::text::Note;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;

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

/// Gives the order. A running collector sends it.
///
/// # Errors
/// Where the text or a site cannot be, or the database does not let us.
pub fn give(config: &StreetConfig, args: &NoticeArgs) -> anyhow::Result<ExitCode> {
    let text = Note::new(&args.text).with_context(|| {
        format!(
            "the text cannot be sent\nhint: 1 to {} characters in one line",
            Note::LONGEST
        )
    })?;
    let ledger = super::ledger(&config.ledger)?;
    let sites: Vec<Address> = if args.sites.is_empty() {
        let states = ledger.states(None)?;
        let known: BTreeSet<String> = states.iter().map(|it| it.site.to_string()).collect();
        known
            .iter()
            .map(|it| it.parse::<Address>())
            .collect::<Result<_, _>>()?
    } else {
        let named = args.sites.iter();
        named
            .map(|it| format!("{}/{it}", config.street).parse::<Address>())
            .collect::<Result<_, _>>()?
    };
    anyhow::ensure!(
        !sites.is_empty(),
        "no site was ever heard of\nhint: start menshen street, and a gateway"
    );
    let given = now();
    let ends = WallTime(given.0 + i64::from(args.hours) * 3_600_000);
    let id: Token = uuid::Uuid::new_v4().to_string().parse()?;
    let asked = Asked {
        id: id.clone(),
        by: "street".parse()?,
        command: Command::Notice(Notice {
            text,
            begins: given,
            ends,
        }),
    };
    ledger.order(&Order::of(&asked, given, ends), &sites)?;
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
