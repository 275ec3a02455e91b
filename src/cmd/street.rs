//! `menshen street`: the street office's collector, and its pages.

use super::{pages, until_told_to_stop};
use crate::account::Accounts;
use crate::checklist::SiteKind;
use crate::clock::{BootId, Clock, SystemClock, WallTime};
use crate::config::{LedgerConfig, StreetConfig, StreetPages, checklist as lists};
use crate::mqtt::TlsFiles;
use crate::pipeline::gateway::account;
use crate::store::Store;
use crate::street::Lists;
use crate::street::collector::{self, CollectorSettings};
use crate::street::ledger::Ledger;
use crate::street::postgres::{PostgresLedger, PostgresSettings};
use crate::street::record::Order;
use crate::street::sqlite::SqliteLedger;
use crate::web::Pages;
use crate::web::street::{self as office, StreetOffice};
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub mod account;
pub mod order;

/// Arguments of `menshen street`.
#[derive(clap::Args, Debug)]
pub struct StreetArgs {
    /// The street office's configuration.
    #[arg(long, value_name = "FILE", default_value = "street.toml")]
    config: PathBuf,
    #[command(subcommand)]
    what: Option<Street>,
}

/// What else the street office has to do than to collect.
#[derive(clap::Subcommand, Debug)]
enum Street {
    /// Give a site an account at the broker, with the right to speak for itself and for nobody else.
    Enrol(account::EnrolArgs),
    /// Take a site's account away.
    Revoke(account::SiteArgs),
    /// Say something to those who run the buildings.
    Notice(order::NoticeArgs),
    /// Offer them a new version of their list.
    Template(order::TemplateArgs),
    /// List what sites were told, and what became of it at each.
    Orders,
}

/// Collects, and serves the pages where they are wanted, until SIGINT or SIGTERM; or does what is asked for.
///
/// # Errors
/// Where it cannot be done, or started: configuration, database, address of the pages.
pub fn run(args: &StreetArgs) -> anyhow::Result<ExitCode> {
    let config = StreetConfig::load(&args.config)?;
    match &args.what {
        None => collect(args, &config),
        Some(Street::Enrol(args)) => account::enrol(&config, args),
        Some(Street::Revoke(args)) => account::revoke(&config, args),
        Some(Street::Notice(args)) => order::notice(&config, args),
        Some(Street::Template(args)) => order::template(&config, args),
        Some(Street::Orders) => order::list(&config),
    }
}

fn collect(args: &StreetArgs, config: &StreetConfig) -> anyhow::Result<ExitCode> {
    let name = |key: &str, text: &str| {
        text.parse()
            .with_context(|| format!("{key} in [street] of {}", args.config.display()))
    };
    let settings = CollectorSettings {
        account: account(&config.mqtt)?,
        street: name("id", &config.street)?,
        name: name("collector", &config.collector)?,
        beside_others: config.beside_others,
        // A collector orders nothing by boots; its times are for people.
        clock: Arc::new(SystemClock::start(BootId(0))),
    };
    let ledger = ledger(&config.ledger)?;
    let lists = known_lists(ledger.as_ref())?;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let stop = until_told_to_stop(None);
        let served = match &config.pages {
            None => None,
            Some(pages) => {
                let (pages, office) = open(config, pages, (Arc::clone(&ledger), lists)).await?;
                Some(tokio::spawn(serve(pages, office, stop.clone())))
            }
        };
        // The last hold on it stays outside: a database client must not be dropped within the runtime.
        collector::run(&settings, Arc::clone(&ledger), &stop).await;
        match served {
            None => anyhow::Ok(()),
            Some(served) => served.await?,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Serves the pages. Where they end by themselves, so does the rest: whoever starts it again sees why.
async fn serve(pages: Pages, office: StreetOffice, stop: CancellationToken) -> anyhow::Result<()> {
    let served = office::serve(pages, office, stop.clone()).await;
    stop.cancel();
    Ok(served?)
}

/// Every version of every list, those among them that were sent to sites. A database that is away keeps no pages
/// away.
fn known_lists(ledger: &dyn Ledger) -> anyhow::Result<Lists> {
    let orders = ledger.orders(u32::MAX).unwrap_or_else(|error| {
        tracing::warn!("lists that were sent are not known before the next start: {error}");
        Vec::new()
    });
    let lists = orders.iter().filter(|(order, _)| order.name == "template");
    let text = |(order, _): &(Order, _)| {
        let said: serde_json::Value = serde_json::from_slice(&order.payload).ok()?;
        said["template"].as_str().map(str::to_owned)
    };
    let sent = lists::sent(&lists.filter_map(text).collect::<Vec<_>>());
    let mut all = Vec::new();
    for kind in SiteKind::ALL {
        all.extend(lists::versions_with(*kind, &sent)?);
    }
    Ok(Lists::of(&all))
}

/// Opens the pages' address and what they keep.
async fn open(
    config: &StreetConfig,
    pages: &StreetPages,
    (ledger, lists): (Arc<dyn Ledger>, Lists),
) -> anyhow::Result<(Pages, StreetOffice)> {
    let store = Store::open(&pages.folder, Vec::new())?;
    // Sessions are ordered by starts, which the accounts' own database counts.
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(store.boot()));
    let accounts: Arc<dyn Accounts> = Arc::new(store);
    let served = pages::listen(&pages.web, &pages.folder, clock.as_ref()).await?;
    let office = StreetOffice {
        street: config.street.clone(),
        name: pages.name.clone(),
        accounts,
        clock,
        ledger,
        listed: pages.sites.clone().into(),
        report_by: pages.report_by,
        lists: Arc::new(lists),
    };
    Ok((served, office))
}

/// The time, as people have it.
fn now() -> WallTime {
    SystemClock::start(BootId(0)).now().wall
}

/// The database.
///
/// # Errors
/// Where its file cannot be opened, or its settings cannot be right. A server that is away is none: it
/// is tried again.
pub(super) fn ledger(config: &LedgerConfig) -> anyhow::Result<Arc<dyn Ledger>> {
    Ok(match config {
        LedgerConfig::File(file) => Arc::new(SqliteLedger::open(file)?),
        LedgerConfig::Server { url, tls, .. } => Arc::new(PostgresLedger::new(PostgresSettings {
            url: url.clone(),
            password: config.password()?,
            tls: tls.as_ref().map(|tls| {
                let (ca, own) = tls.files();
                TlsFiles { ca, own }
            }),
        })?),
    })
}
