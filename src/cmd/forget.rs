//! `menshen forget`: a gate that is given up, or gets another name, is taken away from its broker.

use super::say;
use crate::config::Config;
use crate::mqtt::forget::forget;
use crate::pipeline::gateway::{account, address};
use crate::store;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `menshen forget`.
#[derive(clap::Args, Debug)]
pub struct ForgetArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Erases what the broker retains of this gate. The gateway must be stopped, or it says it all again.
///
/// # Errors
/// Where the configuration has no broker, or the broker cannot be asked.
pub fn run(args: &ForgetArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::find(args.config.as_deref())?;
    let mqtt = &config.mqtt;
    anyhow::ensure!(
        mqtt.enabled,
        "no broker knows of this gate: enabled in [mqtt] is false\n\
         hint: name the configuration of the gate that is to be forgotten with --config"
    );
    anyhow::ensure!(
        !store::is_in_use(&config.store.folder),
        "the gateway runs, and would say all of it again\nhint: stop it first"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (account, address) = (account(mqtt)?, address(&config)?);
    let topics = runtime
        .block_on(forget(&account, &address, mqtt.home_assistant))
        .map_err(anyhow::Error::msg)?;
    say(&format!(
        "erased at {}:\n{}\n",
        account.broker,
        topics.join("\n")
    ))?;
    Ok(ExitCode::SUCCESS)
}
