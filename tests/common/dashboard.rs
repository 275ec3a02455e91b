//! A gateway in memory behind a real socket, for the tests of the dashboard: an in-memory journal
//! that keeps the rules of the real one (state checked and changed under one lock), a simulated
//! clock, and a synthetic lobby.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "shared by several test programs, none of which uses all of it"
)]

use menshen::alert::{Alert, AlertState};
use menshen::checklist::Desk;
use menshen::clock::{BootId, Clock, ClockTrust, SimulatedClock, Stamp, WallTime};
use menshen::command::{Command, Notice};
use menshen::estimate::{Basis, BodyEstimate, Budget, Chain, Part, PixelUncertainty, Reading};
use menshen::event::Event;
use menshen::figures::{AlertTimes, Figures, Tally};
use menshen::id::{
    AlertId, Channel, DeviceEpoch, EventKey, MessageNumber, ScreeningId, Sequence, TrackId,
};
use menshen::journal::{
    Journal, JournalError, Outbox, OutboxCount, OutboxRow, Receipt, Recorded, SafeAt, Unfinished,
};
use menshen::screening::operating::{Operating, People};
use menshen::screening::{Obstacle, RetestReason, Screening, Verdict};
use menshen::secret::Secret;
use menshen::thermal::{FrameHealth, ReferenceQuality};
use menshen::units::{
    AmbientTemperature, Celsius, PixelBox, SkinTemperature, StandardUncertainty, TemperatureDelta,
};
use menshen::web::moment::Moments;
use menshen::web::settings::Settings;
use menshen::web::{
    AlertNotes, CameraStatus, CareStatus, Dashboard, Entrance, Evidence, GatewayStatus, LinkWord,
    LiveFrame, LivePerson, LiveReference, LiveValue, Mode, Pages, PersonState, PopulationStatus,
    ReferenceStatus, SiteName, Thresholds, Transport,
};
use std::borrow::Borrow;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What whoever reads the metrics brings, where nobody signs in; elsewhere there are none.
pub const METRICS_TOKEN: &str = "prometheus-of-the-building";

/// 2020-02-21 06:05:09 UTC = 14:05:09 in Shanghai.
pub const NOW_MS: i64 = 1_582_265_109_000;

pub fn stamp(seconds_ago: u64) -> Stamp {
    Stamp {
        boot: BootId(3),
        monotonic: Duration::from_secs(7200 - seconds_ago),
        wall: WallTime(NOW_MS - i64::try_from(seconds_ago).unwrap() * 1000),
        trust: ClockTrust::Synchronised,
    }
}

/// 0.1, 0.05 and 0.1 K in the face, 0.08 K of the room.
pub fn budget() -> Budget {
    Budget::default()
        .with(Part::Reference, 0.1)
        .with(Part::SizeOfSource, 0.05)
        .with(Part::Looks, 0.1)
        .with(Part::Ambient, 0.08)
}

pub fn alert(track: u64, seconds_ago: u64, estimate: f64) -> Alert {
    Alert {
        id: ScreeningId {
            boot: BootId(3),
            track: TrackId(track),
        },
        raised: stamp(seconds_ago),
        reading: Reading {
            face: SkinTemperature(Celsius::literal(estimate - 2.1)),
            canthi: None,
            forehead: None,
            estimate: BodyEstimate {
                value: Celsius::literal(estimate),
                u: StandardUncertainty::new(0.27).unwrap(),
            },
            looks: 7,
            spread: TemperatureDelta::literal(0.12),
            chain: Chain {
                apparent: Celsius::literal(estimate - 2.9),
                offset: TemperatureDelta::literal(0.8),
                size_of_source: TemperatureDelta::ZERO,
                ambient: AmbientTemperature(Celsius::literal(19.5)),
            },
            basis: Basis::Reference,
            budget: budget(),
        },
        threshold: Celsius::literal(37.8),
        state: AlertState::Open,
    }
}

/// The same alert in relative mode: 1.2 K above 120 people whom the camera reads at 34.2 °C.
pub fn relative_alert(track: u64, seconds_ago: u64) -> Alert {
    let mut alert = alert(track, seconds_ago, 35.4);
    alert.reading.basis = Basis::Population {
        people: 120,
        median: Celsius::literal(34.2),
    };
    alert.threshold = Celsius::literal(35.1);
    alert
}

/// A journal in memory.
#[derive(Default)]
pub struct Memory {
    pub alerts: Mutex<Vec<Alert>>,
    pub tally: Mutex<Vec<(String, Option<String>, u64)>>,
    pub estimates: Mutex<Vec<(i64, u64)>>,
    pub asked_since: Mutex<Option<i64>>,
    pub broken: AtomicBool,
    recorded: Mutex<Vec<Recorded>>,
}

impl Memory {
    fn check(&self) -> Result<(), JournalError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(JournalError::Storage(
                "disk full: free some space".to_owned(),
            ));
        }
        Ok(())
    }
}

fn position(alerts: &[Alert], id: AlertId) -> Result<usize, JournalError> {
    alerts
        .iter()
        .position(|alert| alert.id == id)
        .ok_or(JournalError::UnknownAlert(id))
}

impl Journal for Memory {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>, JournalError> {
        self.check()?;
        let mut alerts = self.alerts.lock().unwrap();
        let mut next = alerts.clone();
        for event in events {
            match event.clone() {
                Event::AlertRaised(alert) => next.push(alert),
                Event::AlertAcknowledged { alert, by, at } => {
                    let at_index = position(&next, alert)?;
                    let changed = next[at_index].clone().acknowledge(&by, at);
                    next[at_index] = changed.map_err(JournalError::Refused)?;
                }
                Event::AlertResolved {
                    alert,
                    by,
                    at,
                    outcome,
                } => {
                    let at_index = position(&next, alert)?;
                    let changed = next[at_index].clone().resolve(&by, at, outcome);
                    next[at_index] = changed.map_err(JournalError::Refused)?;
                }
                _ => {}
            }
        }
        *alerts = next;
        let mut recorded = self.recorded.lock().unwrap();
        let before = recorded.len();
        for (number, event) in (before as u64 + 1..).zip(events) {
            recorded.push(Recorded {
                key: EventKey {
                    epoch: DeviceEpoch("test".to_owned()),
                    seq: Sequence(number),
                },
                event: event.clone(),
            });
        }
        Ok(recorded[before..].to_vec())
    }

    fn since(&self, event: Option<Sequence>, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        self.check()?;
        let recorded = self.recorded.lock().unwrap();
        let Some(after) = event else {
            return Ok(recorded.last().cloned().into_iter().collect());
        };
        let new = recorded.iter().filter(|it| it.key.seq > after);
        Ok(new.take(limit as usize).cloned().collect())
    }

    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, JournalError> {
        self.check()?;
        let mut all = self.alerts.lock().unwrap().clone();
        all.sort_by_key(|alert| {
            (
                matches!(alert.state, AlertState::Resolved { .. }),
                std::cmp::Reverse(alert.raised.monotonic),
            )
        });
        all.truncate(limit as usize);
        Ok(all)
    }

    fn alert(&self, id: AlertId) -> Result<Alert, JournalError> {
        self.check()?;
        let alerts = self.alerts.lock().unwrap();
        Ok(alerts[position(&alerts, id)?].clone())
    }

    fn tally(
        &self,
        since_wall_ms: i64,
        _: &[Screening],
    ) -> Result<Vec<(String, Option<String>, u64)>, JournalError> {
        self.check()?;
        *self.asked_since.lock().unwrap() = Some(since_wall_ms);
        Ok(self.tally.lock().unwrap().clone())
    }

    fn notices(&self, at_wall_ms: i64) -> Result<Vec<Notice>, JournalError> {
        let recorded = self.recorded.lock().unwrap();
        let notices = recorded.iter().rev().filter_map(|it| match &it.event {
            Event::Commanded { asked, .. } => match &asked.command {
                Command::Notice(it) => Some(it.clone()),
                _ => None,
            },
            _ => None,
        });
        let held = |it: &Notice| (it.begins.0..it.ends.0).contains(&at_wall_ms);
        Ok(notices.filter(held).collect())
    }

    fn unfinished(&self) -> Result<Unfinished, JournalError> {
        Ok(Unfinished::default())
    }
}

/// Every stretch has an ordinary morning's people, and the alerts that there are.
impl Figures for Memory {
    fn people(&self, bounds: &[WallTime]) -> Result<Vec<Tally>, JournalError> {
        self.check()?;
        let tally = self.tally.lock().unwrap().clone();
        let stretches = bounds.len().saturating_sub(1);
        Ok((0..stretches)
            .map(|at| {
                let part = |number: u64| number * (at as u64 * 7 % 24) / 24;
                let row = |(class, why, number): &(String, Option<String>, u64)| {
                    (class.clone(), why.clone(), part(*number))
                };
                tally.iter().map(row).collect()
            })
            .collect())
    }

    fn alert_times(
        &self,
        from: WallTime,
        until: WallTime,
    ) -> Result<Vec<AlertTimes>, JournalError> {
        self.check()?;
        let alerts = self.alerts.lock().unwrap();
        let times = alerts.iter().map(|alert| AlertTimes {
            raised: alert.raised,
            taken: match &alert.state {
                AlertState::Open => None,
                AlertState::Acknowledged { at, .. } | AlertState::Resolved { at, .. } => Some(*at),
            },
            resolved: matches!(alert.state, AlertState::Resolved { .. }),
        });
        Ok(times
            .filter(|it| (from..until).contains(&it.raised.wall))
            .collect())
    }

    fn estimates(&self, _: WallTime, _: WallTime) -> Result<Vec<(i64, u64)>, JournalError> {
        self.check()?;
        Ok(self.estimates.lock().unwrap().clone())
    }
}

/// Readings about 36.4 °C, and a few above both thresholds.
fn bell() -> Vec<(i64, u64)> {
    let of = |step: i64| {
        let far = (step - 364) as f64 / 3.2;
        (step, (900.0 * (-far * far / 2.0).exp()) as u64)
    };
    let mut steps: Vec<_> = (352..378).map(of).filter(|it| it.1 > 0).collect();
    steps.extend([(378, 3), (379, 2), (384, 1)]);
    steps
}

/// Two made-up cameras.
pub fn evidence() -> Evidence {
    let person = |shown: f64, oral: f64| (Celsius::literal(shown), Celsius::literal(oral));
    let camera = |name: &str, high: f64| {
        let well = (0..200).map(|n| person(35.5 + f64::from(n) * 0.0119, 36.6));
        let feverish = (0..20).map(|n| person(37.0 + f64::from(n) * 0.1, 37.6));
        let high = (0..10).map(|n| person(high + f64::from(n) * 0.1, 38.4));
        People::count(name, &well.chain(feverish).chain(high).collect::<Vec<_>>())
    };
    Evidence {
        operating: Operating(vec![camera("A", 38.0), camera("B", 37.5)]),
        people: 230,
        source: "nobody: made up for a test".to_owned(),
    }
}

impl Outbox for Memory {
    fn waiting(
        &self,
        _: &Channel,
        _: SafeAt,
        _: MessageNumber,
        _: u32,
    ) -> Result<Vec<OutboxRow>, JournalError> {
        Ok(Vec::new())
    }

    fn accepted(&self, _: &Channel, _: &[MessageNumber]) -> Result<(), JournalError> {
        Ok(())
    }

    fn received(&self, _: &Receipt) -> Result<(), JournalError> {
        Ok(())
    }

    fn refused(&self, _: &Channel, _: MessageNumber, _: &str) -> Result<bool, JournalError> {
        Ok(false)
    }

    fn count(&self, _: &Channel) -> Result<OutboxCount, JournalError> {
        self.check()?;
        Ok(OutboxCount {
            saved: 4,
            accepted: 1311,
            ..OutboxCount::default()
        })
    }
}

/// An ordinary morning's numbers.
pub fn morning() -> Vec<(String, Option<String>, u64)> {
    let row = |verdict: Verdict, number| {
        (
            verdict.as_str().to_owned(),
            verdict.reason().map(str::to_owned),
            number,
        )
    };
    vec![
        row(Verdict::Clear, 412),
        row(Verdict::PossibleFever, 3),
        row(Verdict::Retest(RetestReason::NearThreshold), 9),
        row(Verdict::Retest(RetestReason::Unsteady), 4),
        row(Verdict::CannotJudge(Obstacle::TooFewLooks), 11),
        row(Verdict::CannotJudge(Obstacle::TooFar), 6),
        row(Verdict::CannotJudge(Obstacle::TooCold), 3),
    ]
}

pub fn status() -> GatewayStatus {
    GatewayStatus {
        camera: CameraStatus {
            name: "PureThermal (Lepton 3.5) USB".to_owned(),
            width: 160,
            height: 120,
            fps: Some(8.7),
            frames: 61_204,
            dropped: 12,
            damaged: 3,
            last_frame: Some(stamp(0)),
            health: Some(FrameHealth::Good),
        },
        reference: ReferenceStatus::Configured {
            set_point_c: 35.0,
            reading_c: Some(34.21),
            offset_k: Some(0.79),
            second: None,
        },
        care: CareStatus::default(),
        faults: Vec::new(),
        mqtt: LinkWord::Connected,
        version: "0.1.0".to_owned(),
        epoch: "7d7f2a4e-2d0c-4a57-9a1f-1b6f3c0a9e55".to_owned(),
        thresholds: Thresholds {
            attention_c: 37.3,
            fever_c: 37.8,
        },
        mode: Mode::Real,
    }
}

/// Relative mode with so many people; judging from a hundred on.
pub fn relative_status(people: usize) -> GatewayStatus {
    let mut status = status();
    status.camera.health = Some(FrameHealth::NoReference);
    status.reference = ReferenceStatus::Population(PopulationStatus {
        people,
        needed: 100,
        fever_k: (people >= 100).then_some(0.9),
    });
    status
}

/// The lobby in relative mode.
pub fn relative_lobby(sequence: u64, at: Stamp) -> LiveFrame {
    let mut frame = lobby(sequence, at);
    frame.health = FrameHealth::NoReference;
    frame.references = Vec::new();
    frame.pixel = None;
    for person in &mut frame.people {
        person.value = person.value.map(|value| match value {
            LiveValue::Absolute { estimate_c, .. } => LiveValue::Relative {
                difference_k: estimate_c - 36.9,
                expanded_u_k: 1.02,
                people: 120,
            },
            relative @ LiveValue::Relative { .. } => relative,
        });
    }
    frame
}

/// A warm ellipse with soft edges, over what is there.
fn blob(picture: &mut [f32], centre: (f32, f32), half: (f32, f32), core: f32) {
    for y in 0..120 {
        for x in 0..160 {
            let dx = (x as f32 + 0.5 - centre.0) / half.0;
            let dy = (y as f32 + 0.5 - centre.1) / half.1;
            let far = dx.hypot(dy);
            let weight = (1.0 - ((far - 0.85) / 0.3).clamp(0.0, 1.0)).powi(2);
            let here = &mut picture[y * 160 + x];
            *here += (core - 1.2 * far.min(1.0) - *here) * weight;
        }
    }
}

fn person(track: u64, area: [f32; 4], state: PersonState, estimate: Option<f64>) -> LivePerson {
    LivePerson {
        track: TrackId(track),
        area: PixelBox {
            left: area[0],
            top: area[1],
            right: area[2],
            bottom: area[3],
        },
        state,
        // Who is still being measured would be sooner, nearer.
        obstacle: matches!(state, PersonState::Looking { .. }).then_some(Obstacle::TooFar),
        value: estimate.map(|estimate_c| LiveValue::Absolute {
            estimate_c,
            expanded_u_k: 0.54,
            face_c: estimate_c - 2.1,
        }),
        budget: estimate.map(|_| budget()),
    }
}

/// A lobby with three people and the blackbody, seen by a Lepton. The first pixel carries the
/// sequence number, so that a test can tell frames apart.
pub fn lobby(sequence: u64, at: Stamp) -> LiveFrame {
    let mut noise = sequence.wrapping_mul(6_364_136_223_846_793_005) | 1;
    let mut picture: Vec<f32> = (0..160 * 120)
        .map(|i| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let grain = (noise >> 40) as f32 / 16_777_216.0 - 0.5;
            19.0 + (i / 160) as f32 * 0.012 + if i % 160 < 34 { -2.5 } else { 0.0 } + 0.12 * grain
        })
        .collect();
    let sway = ((sequence % 40) as f32 / 40.0 * std::f32::consts::TAU).sin();
    let heads = [
        (50.0 + sway, 58.0, 1.0),
        (94.0, 50.0 - sway, 1.1),
        (131.0, 70.0, 0.7),
    ];
    for (x, y, size) in heads {
        blob(
            &mut picture,
            (x, y + 42.0 * size),
            (24.0 * size, 25.0 * size),
            27.5,
        );
        blob(
            &mut picture,
            (x, y + 16.0 * size),
            (6.5 * size, 10.0 * size),
            33.5,
        );
        blob(&mut picture, (x, y), (11.5 * size, 15.0 * size), 35.0);
        blob(
            &mut picture,
            (x, y - 12.0 * size),
            (11.0 * size, 5.5 * size),
            30.0,
        );
        blob(&mut picture, (x, y + 3.0), (2.2 * size, 3.0 * size), 32.0);
    }
    blob(&mut picture, (145.0, 14.0), (6.0, 6.0), 35.6);
    let mut centi_celsius: Vec<i16> = picture.into_iter().map(LiveFrame::centi).collect();
    centi_celsius[0] = i16::try_from(sequence % 30_000).unwrap();
    let judged = PersonState::Judged;
    LiveFrame {
        sequence,
        at,
        width: 160,
        height: 120,
        centi_celsius,
        people: vec![
            person(
                411,
                [38.0, 42.0, 62.0, 74.0],
                judged(Verdict::Clear),
                Some(36.6),
            ),
            person(
                412,
                [81.0, 33.0, 107.0, 67.0],
                judged(Verdict::PossibleFever),
                Some(38.4),
            ),
            person(
                413,
                [122.0, 59.0, 140.0, 81.0],
                PersonState::Looking {
                    looks: 2,
                    needed: 5,
                },
                None,
            ),
        ],
        health: FrameHealth::Good,
        judging: true,
        references: vec![LiveReference {
            x: 145.0,
            y: 14.0,
            radius: 6.0,
            reading_c: 34.21,
            set_point_c: 35.0,
            quality: ReferenceQuality {
                score: 0.92,
                flaw: None,
            },
        }],
        pixel: Some(PixelUncertainty {
            surest: Celsius::literal(35.0),
            least: StandardUncertainty::literal(0.15),
            slope: 0.0115,
        }),
        dropped: 12,
    }
}

/// The lobby keeps moving while the test looks.
pub fn keep_moving(gateway: &Gateway) {
    keep_showing(gateway, lobby);
}

pub fn keep_showing(gateway: &Gateway, scene: fn(u64, Stamp) -> LiveFrame) {
    let live = gateway.live.clone();
    let clock = gateway.clock.clone();
    let stop = gateway.until_it_stops();
    gateway.runtime.spawn(async move {
        let mut sequence = 0;
        while !stop.is_cancelled() {
            sequence += 1;
            let at = clock.now();
            live.send_replace(Some(Arc::new(scene(sequence, at))));
            tokio::time::sleep(Duration::from_millis(115)).await;
        }
    });
}

/// A dashboard that runs until this is dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub memory: Arc<Memory>,
    pub clock: SimulatedClock,
    pub live: watch::Sender<Option<Arc<LiveFrame>>>,
    pub status: watch::Sender<Arc<GatewayStatus>>,
    pub notes: watch::Sender<Arc<AlertNotes>>,
    pub changes: Arc<watch::Sender<u64>>,
    pub moments: Arc<Moments>,
    shutdown: Mutex<CancellationToken>,
    pub runtime: Runtime,
    dashboard: Dashboard,
}

impl Gateway {
    /// Nobody signs in, as in a demonstration.
    pub fn with(alerts: Vec<Alert>) -> Self {
        Self::behind(Entrance::Demo, alerts)
    }

    pub fn behind(entrance: Entrance, alerts: Vec<Alert>) -> Self {
        Self::serving(entrance, alerts, |_| ())
    }

    /// With the rounds.
    pub fn at_desk(entrance: Entrance, desk: Arc<Desk>) -> Self {
        Self::serving(entrance, Vec::new(), |it| it.desk = Some(desk))
    }

    /// With a configuration file behind the page of settings.
    pub fn with_settings(
        entrance: Entrance,
        alerts: Vec<Alert>,
        settings: Option<Arc<dyn Settings>>,
    ) -> Self {
        Self::serving(entrance, alerts, |it| it.settings = settings)
    }

    /// In another way than plain.
    pub fn over(transport: Transport, entrance: Entrance, alerts: Vec<Alert>) -> Self {
        Self::made(transport, entrance, alerts, |_| ())
    }

    /// With other parts than those in memory: a real store, a desk.
    pub fn serving(
        entrance: Entrance,
        alerts: Vec<Alert>,
        change: impl FnOnce(&mut Dashboard),
    ) -> Self {
        Self::made(Transport::Plain, entrance, alerts, change)
    }

    fn made(
        transport: Transport,
        entrance: Entrance,
        alerts: Vec<Alert>,
        change: impl FnOnce(&mut Dashboard),
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let memory = Arc::new(Memory::default());
        *memory.alerts.lock().unwrap() = alerts;
        *memory.tally.lock().unwrap() = morning();
        *memory.estimates.lock().unwrap() = bell();
        let clock = SimulatedClock::at(stamp(0));
        let (live, live_seen) = watch::channel(None);
        let (status, status_seen) = watch::channel(Arc::new(status()));
        let (notes, notes_seen) = watch::channel(Arc::default());
        let (changes, changes_seen) = watch::channel(0);
        let changes = Arc::new(changes);
        let moments = Arc::new(Moments::default());
        let bump = Arc::clone(&changes);
        let metrics =
            matches!(entrance, Entrance::Demo).then(|| Secret::new(METRICS_TOKEN.to_owned()));
        let mut dashboard = Dashboard {
            desk: None,
            people: Err("no register in this test".into()),
            entrance,
            journal: memory.clone(),
            settings: None,
            figures: memory.clone(),
            evidence: Arc::new(evidence()),
            outbox: memory.clone(),
            clock: Arc::new(clock.clone()),
            live: live_seen,
            status: status_seen,
            notes: notes_seen,
            moments: Some(Arc::clone(&moments)),
            visitor_sound: true,
            changes: changes_seen,
            site: SiteName {
                street: "南京东路街道".to_owned(),
                building: "海鸥大厦".to_owned(),
                gate: "东门".to_owned(),
                address: Some("https://menshen.example:8443".to_owned()),
            },
            after_record: Arc::new(move || bump.send_modify(|number| *number += 1)),
        };
        change(&mut dashboard);
        let shutdown = CancellationToken::new();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let pages = Pages {
            listener,
            transport,
            metrics,
        };
        runtime.spawn(menshen::web::serve(
            pages,
            dashboard.clone(),
            shutdown.clone(),
        ));
        Self {
            address,
            memory,
            clock,
            live,
            status,
            notes,
            changes,
            moments,
            shutdown: Mutex::new(shutdown),
            runtime,
            dashboard,
        }
    }

    /// Is cancelled when the server stops.
    pub fn until_it_stops(&self) -> CancellationToken {
        self.shutdown.lock().unwrap().clone()
    }

    /// The server stops, with all that went on in it.
    pub fn stop(&self) {
        self.until_it_stops().cancel();
        while TcpStream::connect(self.address).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The server is there again, at its old address.
    pub fn start(&self) {
        let listener = loop {
            let bound = self
                .runtime
                .block_on(tokio::net::TcpListener::bind(self.address));
            match bound {
                Ok(listener) => break listener,
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let shutdown = CancellationToken::new();
        *self.shutdown.lock().unwrap() = shutdown.clone();
        let pages = Pages {
            listener,
            transport: Transport::Plain,
            metrics: None,
        };
        self.runtime
            .spawn(menshen::web::serve(pages, self.dashboard.clone(), shutdown));
    }

    /// A new picture.
    pub fn see(&self, sequence: u64) {
        let frame = lobby(sequence, self.clock.now());
        self.live.send_replace(Some(Arc::new(frame)));
    }

    /// Records from the pipeline's side.
    pub fn raise(&self, alert: Alert) {
        self.memory.record(&[Event::AlertRaised(alert)]).unwrap();
        self.changes.send_modify(|number| *number += 1);
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(
            &format!("GET {path} HTTP/1.1\r\nHost: {}", self.address),
            "",
        )
    }

    /// A form, as a browser on our own page sends it.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        let address = self.address;
        self.send(
            &format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}"),
            body,
        )
    }

    /// Any request: the head without its end, and a form.
    pub fn send(&self, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let length = body.len();
        let form = if body.is_empty() {
            String::new()
        } else {
            format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"
            )
        };
        // A server that refuses early may close while the body is still on its way.
        let _ =
            stream.write_all(format!("{head}\r\nConnection: close\r\n{form}\r\n{body}").as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::parse(&String::from_utf8_lossy(&bytes))
    }
}

/// Where a browser goes.
impl Borrow<SocketAddr> for &Gateway {
    fn borrow(&self) -> &SocketAddr {
        &self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.until_it_stops().cancel();
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
