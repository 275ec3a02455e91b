//! The gateway: camera, screening, store, broker, notifiers and dashboard, put together and run until told
//! to stop.
//!
//! Each kind of work where it belongs: camera, screening, recorder and watch on a thread each (they
//! block), dashboard, link and notifiers on the async runtime. What crosses between them is the newest frame
//! (a slot), the newest picture and status (watches), and events (the recorder's queue, then the store).
//! What happens is told in two steps: at once to whoever is here (hook, page, faults), and once saved to
//! whoever is elsewhere (broker, notifiers).

use super::Pipeline;
use super::attended::{Attendance, attended};
use super::capture::{Captured, OpenCamera, capture};
use super::fault_board::FaultBoard;
use super::people::Care;
use super::recorder::{Recorder, WhenHappened, WhenRecorded};
use super::screening_loop::{LoopSettings, Ports, screen};
use super::source::camera_profile;
use super::threads::{put_away, spawn, wait_briefly};
use super::watch::{Look, Watch, WatchPorts};
use super::{outlets, sights};
use crate::alert::{Alert, AlertState};
use crate::checklist::Desk;
use crate::clock::Clock;
use crate::config::{Config, MqttConfig, TransferFile};
use crate::detect::OnnxDetector;
use crate::event::{Event, Fault};
use crate::id::DeviceEpoch;
use crate::journal::{Journal, JournalError, Outbox, Recorded};
use crate::mqtt::dial::{Account, Network};
use crate::mqtt::link::{LinkSettings, LinkState, Suits, Telling};
use crate::mqtt::payload::{ChecklistState, FollowUpState, OpenAlerts};
use crate::mqtt::tls::TlsFiles;
use crate::mqtt::topic::Address;
use crate::notify::hook::Hook;
use crate::screening::{Rules, basis_word};
use crate::store::Store;
use crate::thermal::RadiometerSettings;
use crate::thermal::profile::{Calibration, CameraProfile};
use crate::web::moment::Moments;
use crate::web::settings::Settings;
use crate::web::{
    Dashboard, Entrance, Evidence, GatewayStatus, LinkWord, Mode, Pages, PeopleDesk, SiteName,
};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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
    pub journal: Arc<dyn Journal>,
    /// The database itself: what events cause elsewhere, and its upkeep.
    pub store: Store,
    /// The gateway's time.
    pub clock: Arc<dyn Clock>,
    /// Where the dashboard is served.
    pub pages: Pages,
    /// Who may come in.
    pub entrance: Entrance,
    /// Whether this is for real.
    pub mode: Mode,
    /// The configuration file, for the page of settings; `None` where it is none's to change.
    pub settings: Option<Arc<dyn Settings>>,
    /// Told of everything as it happens.
    pub observe: Arc<dyn Fn(&Event) + Send + Sync>,
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

/// How far the round is, and how many people are followed.
type States = (
    watch::Receiver<Option<ChecklistState>>,
    watch::Receiver<Option<FollowUpState>>,
);

/// The alerts and the faults that are open.
type Standing = (
    watch::Receiver<OpenAlerts>,
    watch::Receiver<BTreeSet<Fault>>,
);

/// What rounds and register tell.
struct Tellers {
    checklist: watch::Sender<Option<ChecklistState>>,
    people: watch::Sender<Option<FollowUpState>>,
}

/// The tellers, and who listens to them.
fn tellers() -> (Tellers, States) {
    let (checklist, checklist_now) = watch::channel(None);
    let (people, follow_up_now) = watch::channel(None);
    (
        Tellers { checklist, people },
        (checklist_now, follow_up_now),
    )
}

/// The link to the site's broker, where one is switched on.
fn link_settings(
    config: &Config,
    epoch: &DeviceEpoch,
    clock: &Arc<dyn Clock>,
    journal: &Arc<dyn Journal>,
    (open_alerts, standing): Standing,
    (checklist, follow_up): States,
    suits: Arc<Suits>,
) -> anyhow::Result<Option<LinkSettings>> {
    let mqtt = &config.mqtt;
    if !mqtt.enabled {
        return Ok(None);
    }
    Ok(Some(LinkSettings {
        account: account(mqtt)?,
        address: address(config)?,
        epoch: epoch.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        basis: basis_word(config.reference.is_none()),
        clock: Arc::clone(clock),
        open_alerts,
        standing,
        checklist,
        follow_up,
        street_receipts: mqtt.street_receipts,
        home_assistant: mqtt.home_assistant,
        commands: mqtt.commands.clone(),
        suits,
        journal: Arc::clone(journal),
    }))
}

/// The gateway's account at its broker.
///
/// # Errors
/// Where the file with the password cannot be read.
pub fn account(mqtt: &MqttConfig) -> anyhow::Result<Account> {
    Ok(Account {
        dial: Arc::new(Network {
            host: mqtt.host.clone(),
            port: mqtt.port,
            tls: mqtt.tls_files().map(|(ca, own)| TlsFiles { ca, own }),
        }),
        broker: format!("{}:{}", mqtt.host, mqtt.port),
        client_id: mqtt.client_id.clone(),
        username: mqtt.username.clone(),
        password: mqtt.password()?,
        keep_alive: mqtt.keep_alive,
    })
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

/// What follows at once when something happens, before it is saved: the hook runs, the pages read their
/// lists again, the faults on them are those that are open now.
fn when_happened(
    hook: Option<Hook>,
    faults: FaultBoard,
    changes: watch::Sender<u64>,
    observe: Arc<dyn Fn(&Event) + Send + Sync>,
) -> WhenHappened {
    Box::new(move |events| {
        if let Some(hook) = &hook {
            for event in events {
                hook.happened(event);
            }
        }
        faults.note(events);
        changes.send_modify(|n| *n += 1);
        events.iter().for_each(&*observe);
    })
}

/// What follows after events were saved: link and notifiers wake, the pages read their lists again.
#[derive(Clone)]
struct AfterRecord {
    journal: Arc<dyn Journal>,
    wakes: Arc<[Arc<Notify>]>,
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
        self.wakes.iter().for_each(|wake| wake.notify_one());
    }

    /// Tells it whenever it is called.
    fn teller(&self) -> impl Fn() + Send + Sync + use<> {
        let after = self.clone();
        move || after.tell()
    }

    /// The same for what the recorder saved.
    fn teller_of_recorded(self) -> WhenRecorded {
        Box::new(move |recorded| {
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

/// Who is told once events are saved: the broker and the notifiers. They stop after the recorder, so that
/// what it saves last can still go out.
struct Elsewhere {
    stop: CancellationToken,
    link: Option<JoinHandle<()>>,
    link_now: watch::Receiver<LinkState>,
    /// Whether the street acknowledges nothing.
    street_silent: watch::Receiver<bool>,
    /// What wakes them when something waits for them.
    wakes: Arc<[Arc<Notify>]>,
}

impl Elsewhere {
    /// Where the watch sees how the link stands, and whether the configuration was refused.
    fn sights(&self, config: &Config, refused: bool) -> Vec<(Fault, Look)> {
        let (link, silent) = (self.link_now.clone(), self.street_silent.clone());
        sights::quick(config, link, silent, refused)
    }

    /// The link says goodbye; a notifier's request that is under way is not waited for.
    async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        match self.link {
            Some(link) => link.await.context("the link to the broker"),
            None => Ok(()),
        }
    }
}

impl Gateway {
    /// Whether it runs by the last good configuration, because the file cannot be used.
    fn is_in_safe_mode(&self) -> bool {
        let settings = self.settings.as_ref();
        settings.is_some_and(|it| it.refused().is_some())
    }

    fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::new(self.store.clone())
    }

    /// Runs until the camera's source ends or `stop` is called; then everything is put away in
    /// order: camera, screening, watch, recorder (what is open is saved), link (which says goodbye),
    /// notifiers, dashboard.
    ///
    /// # Errors
    /// Where the dashboard cannot be served, or a thread has died.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let left = self.journal.unfinished()?;
        let (changes, changed) = watch::channel(0);
        let (open, open_now) = watch::channel(open_alerts(self.journal.as_ref())?);
        let (live, live_now) = watch::channel(None);
        let (notes, notes_now) = watch::channel(Arc::default());
        let settings = self.loop_settings();
        let (status, status_now) = watch::channel(Arc::new(settings.first_status()));

        let (faults, standing) = FaultBoard::new(status.clone());
        let (tellers, states) = tellers();
        let desk = super::rounds::desk(&self.config.checklist, &self.store)?;
        let elsewhere = self.elsewhere((open_now, standing), states, &desk)?;
        let (linked, link_now) = (elsewhere.link.is_some(), elsewhere.link_now.clone());
        let after = AfterRecord {
            journal: Arc::clone(&self.journal),
            wakes: Arc::clone(&elsewhere.wakes),
            changes: changes.clone(),
            open,
        };

        let recorder = self.recorder(&elsewhere.stop, &faults, &changes);
        let watch_ports = WatchPorts {
            recorder: recorder.clone(),
            clock: Arc::clone(&self.clock),
            open_faults: faults.open(),
            changed: changed.clone(),
            notes,
            changes,
            quick: elsewhere.sights(&self.config, self.is_in_safe_mode()),
            slow: sights::slow(&self.config, self.outbox()),
        };
        let rounds = (changed.clone(), tellers.checklist);
        self.look_after_rounds(&desk, rounds, &after, &stop);
        let moments = (self.config.alerts.picture).then(Arc::<Moments>::default);
        let dashboard = Dashboard {
            desk: Some(desk),
            people: self.people(tellers.people, changed.clone(), &after, &stop)?,
            entrance: self.entrance.clone(),
            settings: self.settings.clone(),
            journal: Arc::new(recorder.clone()),
            figures: Arc::new(self.store.clone()),
            evidence: Arc::new(evidence()?),
            outbox: self.outbox(),
            clock: Arc::clone(&self.clock),
            live: live_now,
            status: status_now,
            notes: notes_now,
            moments: moments.clone(),
            visitor_sound: self.config.visitor.sound,
            changes: changed,
            site: site_name(&self.config),
            after_record: Arc::new(after.teller()),
        };
        self.look_after_itself(&after, faults, &status, &stop)?;
        let mut page = tokio::spawn(crate::web::serve(self.pages, dashboard, stop.clone()));
        let (recording, recorded) = (recorder.clone(), after.teller_of_recorded());
        let recording = spawn("recorder", &stop, move || recording.run(recorded))?;
        let watching = spawn("watch", &stop, {
            let (escalation, stop) = (self.config.alerts.escalation, stop.clone());
            move || Watch::new(watch_ports, escalation, left).run(&stop)
        })?;

        let (captured, attendance) = (Arc::<Captured>::default(), Arc::<Attendance>::default());
        let cameras = spawn("capture", &stop, {
            let (captured, stop) = (Arc::clone(&captured), stop.clone());
            let open_camera = attended(self.open_camera, Arc::clone(&attendance));
            move || capture(&open_camera, &captured, &stop)
        })?;
        let ports = Ports {
            recorder: recorder.clone(),
            clock: self.clock,
            live,
            moments,
            status,
            attendance: Arc::clone(&attendance),
            link: Box::new(move || link_word(linked, &link_now.borrow())),
        };
        let pipeline = radiometer_settings(&self.config, &camera_profile(&self.config.camera)?);
        let (seen, detector) = (Arc::clone(&captured), self.detector);
        let look = move || screening(pipeline, detector, &seen, settings, ports);
        let screening = spawn("screening", &stop, look)?;

        let served = tokio::select! {
            () = stop.cancelled() => None,
            served = &mut page => Some(served),
        };
        stop.cancel();
        captured.slot.close();
        let ended = put_away([screening, watching], recorder, recording).await?;
        wait_briefly(&cameras).await;
        elsewhere.end().await?;
        match served {
            Some(served) => served?.context("the dashboard")?,
            None => page.await?.context("the dashboard")?,
        }
        anyhow::ensure!(ended, "a thread of the gateway died; see the log above");
        Ok(())
    }

    /// What stands between events and the disk.
    fn recorder(
        &self,
        stop: &CancellationToken,
        faults: &FaultBoard,
        changes: &watch::Sender<u64>,
    ) -> Recorder {
        let happened = when_happened(
            outlets::hook(&self.config, stop),
            faults.clone(),
            changes.clone(),
            Arc::clone(&self.observe),
        );
        let (journal, clock) = (Arc::clone(&self.journal), Arc::clone(&self.clock));
        Recorder::new(journal, clock, happened)
    }

    /// Rounds, reports and lists that are sent, from now on.
    fn look_after_rounds(
        &self,
        desk: &Arc<Desk>,
        channels: (watch::Receiver<u64>, watch::Sender<Option<ChecklistState>>),
        after: &AfterRecord,
        stop: &CancellationToken,
    ) {
        tokio::spawn(super::rounds::look_after(
            (Arc::clone(desk), self.store.clone()),
            Arc::clone(&self.clock),
            channels,
            after.teller(),
            stop.clone(),
        ));
    }

    /// The desk of the register, looked after from now on; or why the register is shut.
    fn people(
        &self,
        state: watch::Sender<Option<FollowUpState>>,
        changed: watch::Receiver<u64>,
        after: &AfterRecord,
        stop: &CancellationToken,
    ) -> anyhow::Result<PeopleDesk> {
        let desk = super::people::desk(&self.config, &self.store)?;
        if let Ok(desk) = &desk {
            let care = Care {
                desk: Arc::clone(desk),
                journal: Arc::clone(&self.journal),
                clock: Arc::clone(&self.clock),
                state,
            };
            tokio::spawn(care.look_after((changed, after.teller()), stop.clone()));
        }
        Ok(desk)
    }

    /// Tells the supervisor of the pulse from now on, and starts the store's upkeep, which raises the
    /// store's own faults and ends them, even those of an earlier start.
    fn look_after_itself(
        &self,
        after: &AfterRecord,
        faults: FaultBoard,
        status: &watch::Sender<Arc<GatewayStatus>>,
        stop: &CancellationToken,
    ) -> Result<(), JournalError> {
        tokio::spawn(super::pulse::tell(
            status.subscribe(),
            self.outbox(),
            stop.clone(),
        ));
        let standing = self.store.standing_own_faults()?;
        faults.note(&standing);
        let tell = after.teller();
        tokio::spawn(super::upkeep::look_after(
            self.store.clone(),
            self.config.store.upkeep.clone(),
            Arc::clone(&self.clock),
            move |recorded: &[Recorded]| {
                faults.note(recorded.iter().map(|it| &it.event));
                tell();
            },
            stop.clone(),
        ));
        Ok(())
    }

    /// Starts whoever is elsewhere.
    fn elsewhere(
        &self,
        standing: Standing,
        states: States,
        desk: &Arc<Desk>,
    ) -> anyhow::Result<Elsewhere> {
        let stop = CancellationToken::new();
        let mut wakes = outlets::couriers(&self.config, &self.clock, &self.outbox(), &stop)?;
        let wake = Arc::new(Notify::new());
        wakes.push(Arc::clone(&wake));
        let (state, link_now) = watch::channel(LinkState::Connecting);
        let (silent, street_silent) = watch::channel(false);
        let desk = Arc::clone(desk);
        let link = link_settings(
            &self.config,
            &self.store.epoch(),
            &self.clock,
            &self.journal,
            standing,
            states,
            Arc::new(move |text| super::rounds::suits(&desk, text)),
        )?;
        let link = link.map(|settings| {
            let (outbox, stop) = (self.outbox(), stop.clone());
            tokio::spawn(crate::mqtt::link::run(
                settings,
                outbox,
                wake,
                Telling { state, silent },
                stop,
            ))
        });
        Ok(Elsewhere {
            stop,
            link,
            link_now,
            street_silent,
            wakes: wakes.into(),
        })
    }

    fn loop_settings(&self) -> LoopSettings {
        LoopSettings {
            reference: self.config.reference,
            rules: rules(&self.config),
            silent_after: self.config.camera.silent_after,
            epoch: self.store.epoch().0,
            mode: self.mode,
        }
    }
}

/// The screening thread, with the networks' worker.
fn screening(
    radiometer: RadiometerSettings,
    detector: OnnxDetector,
    captured: &Captured,
    settings: LoopSettings,
    ports: Ports,
) {
    let worker = detector.worker();
    let pipeline = Pipeline::new(radiometer, settings.rules, detector);
    worker.run(|| screen(pipeline, captured, settings, ports));
}

/// What is known of thresholds.
fn evidence() -> anyhow::Result<Evidence> {
    let known = TransferFile::shipped()?;
    Ok(Evidence {
        operating: known.operating(),
        people: known.source.people,
        source: known.source.data,
    })
}

fn site_name(config: &Config) -> SiteName {
    SiteName {
        street: config.site.street.clone(),
        building: config.site.building.clone(),
        gate: config.site.gate.clone(),
        address: config.web.address.clone(),
    }
}

fn link_word(linked: bool, state: &LinkState) -> LinkWord {
    match state {
        _ if !linked => LinkWord::NotConfigured,
        LinkState::Connecting | LinkState::Stopped => LinkWord::Connecting,
        LinkState::Connected { .. } => LinkWord::Connected,
        LinkState::Away { why } => LinkWord::Away(why.clone()),
    }
}
