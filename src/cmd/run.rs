//! `menshen run`: the gateway at a door.

use super::{pages, until_told_to_stop};
use crate::clock::{Clock, SystemClock};
use crate::config::{CameraSource, Config};
use crate::detect::OnnxDetector;
use crate::id::Channel;
use crate::journal::Recorded;
use crate::mqtt::payload;
use crate::pipeline::gateway::{Gateway, address};
use crate::pipeline::outlets;
use crate::pipeline::source::open_camera;
use crate::store::{Route, Store};
use crate::web::{Entrance, Mode};
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `menshen run`.
#[derive(clap::Args, Debug)]
pub struct RunArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the gateway until SIGINT or SIGTERM.
///
/// # Errors
/// Where it cannot start: configuration, data folder, port, model.
pub fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let (config, origin) = Config::find(args.config.as_deref())?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    tracing::info!("configuration: {origin}");
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let gateway = assemble(config, Box::new(|_| {})).await?;
        let pages = &gateway.pages;
        let url = pages.transport.url(pages.listener.local_addr()?);
        tracing::info!("dashboard: {url}");
        gateway.run(until_told_to_stop(None)).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Puts a gateway together from its configuration: opens the store, the port and the model. The
/// camera is opened later, and again whenever it fails.
///
/// # Errors
/// Each with what to do.
pub(super) async fn assemble(
    config: Config,
    observe: Box<dyn FnMut(&Recorded) + Send>,
) -> anyhow::Result<Gateway> {
    let detector = OnnxDetector::built_in()?;
    let topics = address(&config)?;
    let broker = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| payload::told(&topics, key, event)),
    };
    let mut routes = vec![broker];
    routes.extend(outlets::routes(&config)?);
    let store = Store::open(&config.store.folder, routes)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(store.boot()));
    let open_camera = open_camera(&config.camera, Arc::clone(&clock), store.boot())?;
    let pages = pages::listen(&config, clock.as_ref()).await?;
    let mode = match config.camera.source {
        CameraSource::V4l { .. } => Mode::Real,
        CameraSource::Recording { .. } | CameraSource::Simulator { .. } => Mode::Demo,
    };
    Ok(Gateway {
        config,
        open_camera,
        detector,
        journal: Arc::new(store.clone()),
        entrance: Entrance::Accounts(Arc::new(store.clone())),
        store,
        clock,
        pages,
        mode,
        observe,
    })
}
