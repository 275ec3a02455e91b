//! `menshen trouble`: the page that says what is wrong, where the gateway could not be kept running.
//! systemd starts it after five starts in ten minutes (deploy/systemd/menshen.service), in place of a loop.

use super::doctor::troubles;
use super::{pages, until_told_to_stop};
use crate::clock::{BootId, SystemClock};
use crate::config::{Config, WebConfig};
use crate::web::{Pages, trouble};
use anyhow::Context as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Arguments of `menshen trouble`.
#[derive(clap::Args, Debug)]
pub struct TroubleArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// How often it is looked again.
const AGAIN: Duration = Duration::from_mins(1);

/// Serves the page until SIGINT or SIGTERM, on the gateway's own port; where the configuration cannot be
/// read, on the usual one.
///
/// # Errors
/// Where the port is taken.
pub fn run(args: &TroubleArgs) -> anyhow::Result<ExitCode> {
    let config = Config::find(args.config.as_deref());
    let config = config.map_or_else(|_| Config::default(), |(config, _)| config);
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let stop = until_told_to_stop(None);
        let Pages {
            listener,
            transport,
            metrics: _,
        } = listen(config).await?;
        let found = look(args).await?;
        for trouble in found.iter() {
            tracing::error!("{}: {}", trouble.place.en, trouble.what.en);
        }
        tracing::info!("what is wrong: {}", transport.url(listener.local_addr()?));
        let (sender, watched) = watch::channel(found);
        let page = tokio::spawn(trouble::serve(listener, transport, watched, stop.clone()));
        loop {
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {
                    sender.send_replace(look(args).await?);
                }
                () = stop.cancelled() => break,
            }
        }
        anyhow::Ok(page.await??)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Where there can be no TLS, that may be what is wrong: then the page is for this machine only.
async fn listen(mut config: Config) -> anyhow::Result<Pages> {
    let clock = SystemClock::start(BootId(0));
    match pages::listen(&config.web, &config.store.folder, &clock).await {
        Err(error) if config.web.has_tls() => {
            tracing::error!("{error:#}");
            let port = config.web.listen.port();
            config.web = WebConfig {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                ..WebConfig::default()
            };
            pages::listen(&config.web, &config.store.folder, &clock).await
        }
        found => found,
    }
}

async fn look(args: &TroubleArgs) -> anyhow::Result<Arc<[trouble::Trouble]>> {
    let config = args.config.clone();
    let found = tokio::task::spawn_blocking(move || troubles(config.as_deref())).await??;
    Ok(found.into())
}
