//! `menshen street`: the street office's collector, and its pages.

use super::{pages, until_told_to_stop};
use crate::account::Accounts;
use crate::checklist::SiteKind;
use crate::clock::{BootId, Clock, SystemClock};
use crate::config::{StreetConfig, StreetPages, checklist as lists};
use crate::pipeline::gateway::account;
use crate::store::Store;
use crate::street::Lists;
use crate::street::collector::{self, CollectorSettings};
use crate::street::ledger::Ledger;
use crate::street::sqlite::SqliteLedger;
use crate::web::Pages;
use crate::web::street::{self as office, StreetOffice};
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Arguments of `menshen street`.
#[derive(clap::Args, Debug)]
pub struct StreetArgs {
    /// The street office's configuration.
    #[arg(long, value_name = "FILE", default_value = "street.toml")]
    config: PathBuf,
}

/// Collects, and serves the pages where they are wanted, until SIGINT or SIGTERM.
///
/// # Errors
/// Where it cannot start: configuration, database, address of the pages.
pub fn run(args: &StreetArgs) -> anyhow::Result<ExitCode> {
    let config = StreetConfig::load(&args.config)?;
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
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::open(&config.ledger)?);
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let stop = until_told_to_stop(None);
        let served = match &config.pages {
            None => None,
            Some(pages) => {
                let (pages, office) = open(&config.street, pages, Arc::clone(&ledger)).await?;
                Some(tokio::spawn(serve(pages, office, stop.clone())))
            }
        };
        collector::run(&settings, ledger, &stop).await;
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

/// Opens the pages' address and what they keep.
async fn open(
    street: &str,
    config: &StreetPages,
    ledger: Arc<dyn Ledger>,
) -> anyhow::Result<(Pages, StreetOffice)> {
    let store = Store::open(&config.folder, Vec::new())?;
    // Sessions are ordered by starts, which the accounts' own database counts.
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(store.boot()));
    let accounts: Arc<dyn Accounts> = Arc::new(store);
    let mut templates = Vec::new();
    for kind in SiteKind::ALL {
        templates.extend(lists::versions(*kind)?);
    }
    let pages = pages::listen(&config.web, &config.folder, clock.as_ref()).await?;
    let office = StreetOffice {
        street: street.to_owned(),
        name: config.name.clone(),
        accounts,
        clock,
        ledger,
        listed: config.sites.clone().into(),
        report_by: config.report_by,
        lists: Arc::new(Lists::of(&templates)),
    };
    Ok((pages, office))
}
