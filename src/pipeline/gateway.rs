//! The gateway: camera, screening, store, broker and dashboard, put together and run until told
//! to stop.
//!
//! Three kinds of work, each where it belongs: the camera and the screening on a thread each
//! (they block), the dashboard and the link on the async runtime. What crosses between them is the
//! newest frame (a slot), the newest picture and status (watches), and events (the store).

use super::Pipeline;
use super::attended::{Attendance, attended};
use super::capture::{Captured, OpenCamera, capture};
use super::screening_loop::{LoopSettings, Ports, WhenRecorded, screen};
use super::source::camera_profile;
use crate::alert::{Alert, AlertState};
use crate::clock::Clock;
use crate::config::Config;
use crate::detect::OnnxDetector;
use crate::event::Event;
use crate::journal::{Journal, JournalError, Outbox, Recorded};
use crate::mqtt::link::{LinkSettings, LinkState};
use crate::mqtt::payload::OpenAlerts;
use crate::mqtt::topic::Address;
use crate::screening::{Rules, basis_word};
use crate::store::Store;
use crate::thermal::RadiometerSettings;
use crate::thermal::profile::{Calibration, CameraProfile};
use crate::web::{Dashboard, LinkWord, Mode, SiteName};
use anyhow::Context as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// How long the camera's thread is waited for at the end: some nine frames of a Lepton.
const CAMERA_PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked at meanwhile.
const LOOKS_AT_CAMERA: u32 = 50;

/// Open alerts that the retained state names, at most.
const MOST_OPEN_ALERTS: u32 = 200;

/// Everything that a gateway is made of.
pub struct Gateway {
    /// The site's decisions.
    pub config: Config,
    /// Opens the camera.
    pub open_camera: OpenCamera,
    /// The face networks.
    pub detector: OnnxDetector,
    /// Where events are kept.
    pub store: Store,
    /// The gateway's time.
    pub clock: Arc<dyn Clock>,
    /// Where the dashboard is served.
    pub listener: TcpListener,
    /// Whether this is for real.
    pub mode: Mode,
    /// Told of everything that was recorded.
    pub observe: Box<dyn FnMut(&Recorded) + Send>,
}

/// How the radiometer is to be set for this site.
#[must_use]
pub fn radiometer_settings(config: &Config, camera: &CameraProfile) -> RadiometerSettings {
    RadiometerSettings {
        scale: camera.scale,
        optics: camera.optics,
        reference: config.reference,
        room: config.room,
        calibration_expires: camera.calibration.as_ref().map(Calibration::expires),
    }
}

/// The rules of this site.
#[must_use]
pub fn rules(config: &Config) -> Rules {
    let usual = Rules::default();
    Rules {
        attention: config.screening.attention,
        fever: config.screening.fever,
        min_looks: config.screening.min_looks,
        min_face_px: config.screening.min_face_px as f32,
        transfer: usual.transfer,
        u_reference: config
            .reference
            .map_or(usual.u_reference, |r| r.u_set_point),
    }
}

/// The link to the site's broker, where one is switched on.
fn link_settings(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    open_alerts: watch::Receiver<OpenAlerts>,
) -> anyhow::Result<Option<LinkSettings>> {
    if !config.mqtt.enabled {
        return Ok(None);
    }
    Ok(Some(LinkSettings {
        host: config.mqtt.host.clone(),
        port: config.mqtt.port,
        client_id: config.mqtt.client_id.clone(),
        username: config.mqtt.username.clone(),
        password: config.mqtt.password()?,
        keep_alive: config.mqtt.keep_alive,
        address: address(config)?,
        epoch: store.epoch(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        basis: basis_word(config.reference.is_none()),
        clock: Arc::clone(clock),
        open_alerts,
    }))
}

/// The gateway's place in the topics.
///
/// # Errors
/// Where a name of the site is no part of a topic; the configuration has refused that before.
pub fn address(config: &Config) -> anyhow::Result<Address> {
    let site = &config.site;
    Address::new(&site.street, &site.building, &site.gate).context("the names in [site]")
}

/// The alerts that are not resolved, for the retained state.
fn open_alerts(journal: &dyn Journal) -> Result<OpenAlerts, JournalError> {
    let open = |alert: &Alert| !matches!(alert.state, AlertState::Resolved { .. });
    let alerts = journal.alerts(MOST_OPEN_ALERTS)?;
    Ok(OpenAlerts(
        alerts
            .into_iter()
            .filter(open)
            .map(|alert| alert.id)
            .collect(),
    ))
}

/// What follows after events were recorded: the link wakes, the pages read their lists again.
#[derive(Clone)]
struct AfterRecord {
    journal: Arc<dyn Journal>,
    wake: Arc<Notify>,
    changes: watch::Sender<u64>,
    open: watch::Sender<OpenAlerts>,
}

impl AfterRecord {
    fn tell(&self) {
        match open_alerts(self.journal.as_ref()) {
            Ok(open) => {
                self.open.send_replace(open);
            }
            Err(error) => tracing::error!("the open alerts cannot be read: {error}"),
        }
        self.changes.send_modify(|n| *n += 1);
        self.wake.notify_one();
    }

    /// Tells it whenever it is called.
    fn teller(&self) -> impl Fn() + Send + Sync + use<> {
        let after = self.clone();
        move || after.tell()
    }

    /// The same for what the screening recorded, with somebody who watches.
    fn and(self, mut observe: Box<dyn FnMut(&Recorded) + Send>) -> WhenRecorded {
        Box::new(move |recorded| {
            recorded.iter().for_each(&mut observe);
            if recorded
                .iter()
                .all(|r| matches!(r.event, Event::Screened(_)))
            {
                // No alert has changed and nothing waits for the broker.
                self.changes.send_modify(|n| *n += 1);
            } else {
                self.tell();
            }
        })
    }
}

impl Gateway {
    /// Runs until the camera's source ends or `stop` is called; then everything is put away in
    /// order: camera, screening (what is open is recorded), link (which says goodbye), dashboard.
    ///
    /// # Errors
    /// Where the dashboard cannot be served, or a thread has died.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let journal: Arc<dyn Journal> = Arc::new(self.store.clone());
        let outbox: Arc<dyn Outbox> = Arc::new(self.store.clone());
        let wake = Arc::new(Notify::new());
        let (changes, changed) = watch::channel(0);
        let (open, open_now) = watch::channel(open_alerts(journal.as_ref())?);
        let (live, live_now) = watch::channel(None);
        let settings = LoopSettings {
            reference: self.config.reference,
            rules: rules(&self.config),
            silent_after: self.config.camera.silent_after,
            epoch: self.store.epoch().0,
            mode: self.mode,
        };
        let (status, status_now) = watch::channel(Arc::new(settings.first_status()));
        let after = AfterRecord {
            journal: Arc::clone(&journal),
            wake: Arc::clone(&wake),
            changes,
            open,
        };

        let (link_state, link_now) = watch::channel(LinkState::Connecting);
        let link = link_settings(&self.config, &self.store, &self.clock, open_now)?;
        let linked = link.is_some();
        let link_stop = CancellationToken::new();
        let link = link.map(|settings| {
            let (outbox, stop) = (Arc::clone(&outbox), link_stop.clone());
            tokio::spawn(crate::mqtt::link::run(
                settings, outbox, wake, link_state, stop,
            ))
        });

        let dashboard = Dashboard {
            journal: Arc::clone(&journal),
            outbox,
            clock: Arc::clone(&self.clock),
            live: live_now,
            status: status_now,
            changes: changed,
            site: site_name(&self.config),
            after_record: Arc::new(after.teller()),
        };
        tokio::spawn(super::upkeep::look_after(
            self.store.clone(),
            self.config.store.upkeep.clone(),
            Arc::clone(&self.clock),
            Box::new(after.teller()),
            stop.clone(),
        ));
        let mut page = tokio::spawn(crate::web::serve(self.listener, dashboard, stop.clone()));

        let captured = Arc::new(Captured::default());
        let attendance = Arc::new(Attendance::default());
        let cameras = spawn("capture", &stop, {
            let (captured, stop) = (Arc::clone(&captured), stop.clone());
            let open_camera = attended(self.open_camera, Arc::clone(&attendance));
            move || capture(&open_camera, &captured, &stop)
        })?;
        let ports = Ports {
            journal,
            clock: self.clock,
            live,
            status,
            recorded: after.and(self.observe),
            attendance,
            link: Box::new(move || link_word(linked, &link_now.borrow())),
        };
        let pipeline = radiometer_settings(&self.config, &camera_profile(&self.config.camera)?);
        let screening = spawn("screening", &stop, {
            let (captured, detector) = (Arc::clone(&captured), self.detector);
            move || {
                let worker = detector.worker();
                let pipeline = Pipeline::new(pipeline, settings.rules, detector);
                worker.run(|| screen(pipeline, &captured, settings, ports));
            }
        })?;

        let served = tokio::select! {
            () = stop.cancelled() => None,
            served = &mut page => Some(served),
        };
        stop.cancel();
        captured.slot.close();
        let screened = tokio::task::spawn_blocking(move || screening.join()).await?;
        wait_briefly(&cameras).await;
        link_stop.cancel();
        if let Some(link) = link {
            link.await.context("the link to the broker")?;
        }
        match served {
            Some(served) => served?.context("the dashboard")?,
            None => page.await?.context("the dashboard")?,
        }
        anyhow::ensure!(
            screened.is_ok(),
            "the screening thread died; see the log above"
        );
        Ok(())
    }
}

/// The camera gets its shutter back where its thread ends soon. It may sit in a device that does not
/// answer, and is not waited for then.
async fn wait_briefly(cameras: &thread::JoinHandle<()>) {
    for _ in 0..LOOKS_AT_CAMERA {
        if cameras.is_finished() {
            break;
        }
        tokio::time::sleep(CAMERA_PATIENCE / LOOKS_AT_CAMERA).await;
    }
}

fn site_name(config: &Config) -> SiteName {
    SiteName {
        street: config.site.street.clone(),
        building: config.site.building.clone(),
        gate: config.site.gate.clone(),
    }
}

/// A named thread that stops the whole gateway when it ends, for whatever reason.
fn spawn(
    name: &str,
    stop: &CancellationToken,
    work: impl FnOnce() + Send + 'static,
) -> anyhow::Result<thread::JoinHandle<()>> {
    let guard = stop.clone().drop_guard();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _guard = guard;
            work();
        })
        .with_context(|| format!("starting the {name} thread"))
}

fn link_word(linked: bool, state: &LinkState) -> LinkWord {
    match state {
        _ if !linked => LinkWord::NotConfigured,
        LinkState::Connecting | LinkState::Stopped => LinkWord::Connecting,
        LinkState::Connected { .. } => LinkWord::Connected,
        LinkState::Away { why } => LinkWord::Away(why.clone()),
    }
}
