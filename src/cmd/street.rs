//! `menshen street`: the street office's collector.

use super::until_told_to_stop;
use crate::clock::{BootId, SystemClock};
use crate::config::StreetConfig;
use crate::pipeline::gateway::account;
use crate::street::collector::{self, CollectorSettings};
use crate::street::ledger::Ledger;
use crate::street::sqlite::SqliteLedger;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `menshen street`.
#[derive(clap::Args, Debug)]
pub struct StreetArgs {
    /// The street office's configuration.
    #[arg(long, value_name = "FILE", default_value = "street.toml")]
    config: PathBuf,
}

/// Collects until SIGINT or SIGTERM.
///
/// # Errors
/// Where it cannot start: configuration, database.
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
        collector::run(&settings, ledger, &until_told_to_stop(None)).await;
    });
    Ok(ExitCode::SUCCESS)
}
