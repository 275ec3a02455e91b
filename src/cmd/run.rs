//! `menshen run`: the gateway at a door.

use super::{pages, until_told_to_stop};
use crate::clock::{Clock, SystemClock};
use crate::config::{CameraSource, Config, ConfigError, LastGood, SettingsFile, is_supervised};
use crate::detect::OnnxDetector;
use crate::event::Event;
use crate::id::Channel;
use crate::mqtt::payload;
use crate::pipeline::gateway::{Gateway, address};
use crate::pipeline::outlets;
use crate::pipeline::source::open_camera;
use crate::store::{Route, Store};
use crate::web::settings::Settings;
use crate::web::{Entrance, Mode};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
    let named = args.config.as_deref();
    let (config, refused) = configuration(named)?;
    for warning in config.warnings() {
        tracing::warn!("{}", warning.en);
    }
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let mut gateway = assemble(config, Arc::new(|_| {})).await?;
        let stop = until_told_to_stop(None);
        gateway.settings = Some(settings(&gateway, Config::file(named), refused, &stop));
        let pages = &gateway.pages;
        let url = pages.transport.url(pages.listener.local_addr()?);
        tracing::info!("dashboard: {url}");
        gateway.run(stop).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What to run by: the file, or where that cannot be used the last good one, with what is wrong.
fn configuration(named: Option<&Path>) -> Result<(Config, Option<Arc<str>>), ConfigError> {
    match Config::find(named) {
        Ok((config, origin)) => {
            tracing::info!("configuration: {origin}");
            Ok((config, None))
        }
        Err(error) => {
            let why: Arc<str> = error.to_string().into();
            let config = Config::last_good(&Config::file(named), error)?;
            tracing::error!(
                "the configuration cannot be used; running by the last good one\n{why}"
            );
            Ok((config, Some(why)))
        }
    }
}

/// The file behind the page of settings; by now it is known to be one that a gateway runs by, and kept.
fn settings(
    gateway: &Gateway,
    file: PathBuf,
    refused: Option<Arc<str>>,
    stop: &CancellationToken,
) -> Arc<dyn Settings> {
    let config = &gateway.config;
    if refused.is_none()
        && file.exists()
        && let Err(error) = LastGood::beside(&config.store.folder).keep(&file, config)
    {
        tracing::warn!("the configuration could not be kept as the last good one: {error}");
    }
    let stop = stop.clone();
    let restart: Option<Box<dyn Fn() + Send + Sync>> =
        is_supervised().then(|| Box::new(move || stop.cancel()) as Box<_>);
    let settings = SettingsFile::new(file, config.clone(), refused, gateway.store.clone());
    Arc::new(settings.restarted_by(restart))
}

/// Puts a gateway together from its configuration: opens the store, the port and the model. The
/// camera is opened later, and again whenever it fails.
///
/// # Errors
/// Each with what to do.
pub(super) async fn assemble(
    config: Config,
    observe: Arc<dyn Fn(&Event) + Send + Sync>,
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
    let pages = pages::listen(&config.web, &config.store.folder, clock.as_ref()).await?;
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
        settings: None,
        observe,
    })
}
