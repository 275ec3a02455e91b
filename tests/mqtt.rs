//! The link's promises, over a real Mosquitto: nothing is lost, whatever dies in between.
//!
//! Time limits here only end a test that hangs; none is a measurement.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking; how many rounds is said by the environment"
)]

#[path = "common/authority.rs"]
mod authority;
mod common;
#[path = "mqtt/nonsense.rs"]
mod nonsense;
#[path = "mqtt/scripted.rs"]
mod scripted;
#[path = "mqtt/street.rs"]
mod street;
#[path = "mqtt/tls.rs"]
mod tls;

use common::tap::Tap;
use common::{acknowledge, alert, confirmed, recorded_alert, stamp, tempfolder};
use menshen::clock::{BootId, SimulatedClock, Stamp};
use menshen::event::{Event, Fault};
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Journal, Outbox, OutboxCount, SafeAt};
use menshen::mqtt::broker::{Access, Broker, BrokerError, BrokerSettings, Keeping};
use menshen::mqtt::dial::{Account, Network};
use menshen::mqtt::link::{self, LinkSettings, LinkState, Telling};
use menshen::mqtt::payload::{OpenAlerts, told};
use menshen::mqtt::topic::{Address, Class, Topic};
use menshen::secret::Secret;
use menshen::store::{Route, Store};
use rumqttc::{AsyncClient, MqttOptions, Packet, Publish, QoS};
use serde_json::Value;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

fn address() -> Address {
    Address::new("dongfang", "no-12", "main").unwrap()
}

fn open(folder: &Path) -> Store {
    let here = address();
    let broker = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| told(&here, key, event)),
    };
    Store::open(folder, vec![broker]).unwrap()
}

/// A broker that keeps what it accepted when it is killed: what it loses nobody else can see.
fn durable(folder: &Path) -> Result<Broker, BrokerError> {
    let settings = BrokerSettings {
        keeping: Keeping::Everything,
        ..BrokerSettings::default()
    };
    Broker::start_with(&folder.join("broker"), &settings)
}

/// The gateway's account at the broker.
fn account(port: u16) -> Account {
    Account {
        dial: Arc::new(Network {
            host: "127.0.0.1".to_owned(),
            port,
            tls: None,
        }),
        broker: format!("127.0.0.1:{port}"),
        client_id: "gateway-main".to_owned(),
        username: None,
        password: None,
        keep_alive: Duration::from_secs(5),
    }
}

/// A gateway's link, running.
struct Link {
    wake: Arc<Notify>,
    shutdown: CancellationToken,
    status: watch::Receiver<LinkState>,
    open: watch::Sender<OpenAlerts>,
    task: JoinHandle<()>,
}

impl Link {
    fn start(store: &Store, port: u16) -> Self {
        Self::start_as(store, port, None, stamp(store.boot(), 1000))
    }

    fn start_as(store: &Store, port: u16, user: Option<(&str, &str)>, now: Stamp) -> Self {
        Self::start_with(store, port, |settings| {
            settings.account.username = user.map(|(name, _)| name.to_owned());
            settings.account.password = user.map(|(_, password)| Secret::new(password.to_owned()));
            settings.clock = Arc::new(SimulatedClock::at(now));
        })
    }

    fn start_with(store: &Store, port: u16, change: impl FnOnce(&mut LinkSettings)) -> Self {
        let (open, open_alerts) = watch::channel(OpenAlerts::default());
        let (state, status) = watch::channel(LinkState::Connecting);
        let mut settings = LinkSettings {
            account: account(port),
            address: address(),
            epoch: store.epoch(),
            version: "0.1.0".to_owned(),
            basis: "reference",
            clock: Arc::new(SimulatedClock::at(stamp(store.boot(), 1000))),
            open_alerts,
            standing: watch::channel(BTreeSet::new()).1,
            checklist: watch::channel(None).1,
            follow_up: watch::channel(None).1,
            street_receipts: false,
            home_assistant: false,
            suits: Arc::new(|_| Ok(())),
            commands: BTreeSet::new(),
            journal: Arc::new(store.clone()),
        };
        change(&mut settings);
        assert!(!format!("{settings:?}").contains("sesame"));
        let (wake, shutdown) = (Arc::new(Notify::new()), CancellationToken::new());
        let task = tokio::spawn(link::run(
            settings,
            Arc::new(store.clone()),
            Arc::clone(&wake),
            Telling {
                state,
                silent: watch::Sender::default(),
            },
            shutdown.clone(),
        ));
        Self {
            wake,
            shutdown,
            status,
            open,
            task,
        }
    }

    async fn until(&mut self, wanted: impl Fn(&LinkState) -> bool) -> LinkState {
        let state = tokio::time::timeout(PATIENCE, self.status.wait_for(|state| wanted(state)));
        state
            .await
            .expect("the link came to no such state")
            .unwrap()
            .clone()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// Ends a test that hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that comes about elsewhere.
async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "never came: {what}");
}

async fn accepted(store: &Store, number: u64) {
    eventually("all rows accepted", || async {
        store.count(&Channel::broker()).unwrap()
            == OutboxCount {
                accepted: number,
                ..OutboxCount::default()
            }
    })
    .await;
}

/// The street's end: its session outlives its connections, as a collector's does.
struct Street {
    seen: Arc<Mutex<Vec<Publish>>>,
    subscribed: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Street {
    async fn subscribe(port: u16) -> Self {
        Self::subscribe_as("street", port).await
    }

    async fn subscribe_as(client_id: &str, port: u16) -> Self {
        Self::subscribe_with(MqttOptions::new(client_id, "127.0.0.1", port)).await
    }

    /// As a user whom the broker knows.
    async fn subscribe_named(user: &str, port: u16) -> Self {
        let mut options = MqttOptions::new("street", "127.0.0.1", port);
        options.set_credentials(user, "");
        Self::subscribe_with(options).await
    }

    async fn subscribe_with(mut options: MqttOptions) -> Self {
        options.set_clean_session(false);
        let (client, mut events) = AsyncClient::new(options, 10);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let subscribed = Arc::new(Notify::new());
        let (into, ready) = (Arc::clone(&seen), Arc::clone(&subscribed));
        let task = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(rumqttc::Event::Incoming(Packet::ConnAck(_))) => {
                        client
                            .try_subscribe(address().everything(), QoS::AtLeastOnce)
                            .unwrap();
                    }
                    Ok(rumqttc::Event::Incoming(Packet::SubAck(_))) => ready.notify_one(),
                    Ok(rumqttc::Event::Incoming(Packet::Publish(publish))) => {
                        into.lock().unwrap().push(publish);
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        let street = Self {
            seen,
            subscribed,
            task,
        };
        street.hears().await;
        street
    }

    /// Waits until it has subscribed: after the start, and after each restart of a broker that keeps
    /// nothing, which would throw away what comes before.
    async fn hears(&self) {
        tokio::time::timeout(PATIENCE, self.subscribed.notified())
            .await
            .expect("no subscription");
    }

    /// Payloads on a topic, as they came.
    fn on(&self, topic: &Topic) -> Vec<Value> {
        let topic = topic.to_string();
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|publish| publish.topic == topic)
            .map(|publish| serde_json::from_slice(&publish.payload).unwrap())
            .collect()
    }

    /// Numbers of the events, as they came.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        for publish in self.seen.lock().unwrap().iter() {
            if publish.topic.parse::<Topic>().unwrap().class == Class::Event {
                assert!(!publish.retain);
                let value: Value = serde_json::from_slice(&publish.payload).unwrap();
                numbers.push(value["seq"].as_u64().unwrap());
            }
        }
        numbers
    }

    /// The words of the gateway's status, as they came.
    fn states(&self) -> Vec<String> {
        self.on(&Topic::gateway_status(&address()))
            .iter()
            .map(|status| status["state"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_arrive_once_each_in_order() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let street = Street::subscribe(broker.port()).await;
    // Some before the link, some while it runs; more than a window and a batch.
    for track in 1..=150 {
        recorded_alert(&store, track);
    }
    let link = Link::start(&store, broker.port());
    for track in 151..=300 {
        recorded_alert(&store, track);
        link.wake.notify_one();
    }
    accepted(&store, 300).await;
    eventually("300 events", || async { street.numbers().len() >= 300 }).await;
    assert_eq!(street.numbers(), (1..=300).collect::<Vec<u64>>());
    assert_eq!(street.states(), ["online"]);
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_told_from_beginning_to_end() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let street = Street::subscribe(broker.port()).await;
    let link = Link::start(&store, broker.port());
    let id = recorded_alert(&store, 1);
    link.open.send_replace(OpenAlerts(vec![id]));
    link.wake.notify_one();
    store.record(&[acknowledge(id, "王芳")]).unwrap();
    store
        .record(&[
            Event::AlertResolved {
                alert: id,
                by: "李强".to_owned(),
                at: stamp(id.boot, 200),
                outcome: confirmed(),
            },
            Event::FaultRaised {
                fault: Fault::ReferenceLost,
                at: stamp(id.boot, 300),
            },
        ])
        .unwrap();
    link.wake.notify_one();
    accepted(&store, 4).await;
    let alerts = Topic::alerts_state(&address());
    eventually("four events and the open alert", || async {
        street.numbers().len() >= 4 && street.on(&alerts).iter().any(|state| state["open"] == 1)
    })
    .await;
    link.open.send_replace(OpenAlerts::default());
    eventually("no open alert", || async {
        street
            .on(&alerts)
            .last()
            .is_some_and(|state| state["open"] == 0)
    })
    .await;
    let told = street.on(&Topic::alert_event(&address()));
    let kinds: Vec<&str> = told.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["raised", "acknowledged", "resolved"]);
    assert_eq!(told[2]["outcome"], "confirmed");
    assert_eq!(
        street.on(&Topic::fault_event(&address()))[0]["fault"],
        "reference_lost"
    );
    for publish in street.seen.lock().unwrap().iter() {
        let text = String::from_utf8(publish.payload.to_vec()).unwrap();
        for name in ["王芳", "李强", "Omron"] {
            assert!(!text.contains(name), "{name} left the building: {text}");
        }
    }
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing() {
    let folder = tempfolder();
    let mut broker = durable(folder.path()).unwrap();
    let store = open(&folder.path().join("data"));
    let tap = Tap::before(broker.port());
    let street = Street::subscribe(broker.port()).await;
    let mut link = Link::start(&store, tap.port);
    link.until(|state| matches!(state, LinkState::Connected { .. }))
        .await;
    let number = 900;
    let (writer, wake) = (store.clone(), Arc::clone(&link.wake));
    let recording = tokio::task::spawn_blocking(move || {
        for track in 1..=number {
            recorded_alert(&writer, track);
            wake.notify_one();
        }
    });
    for part in 1..=3 {
        // Killed while messages are on their way, whatever the machine's speed.
        eventually("a part accepted", || async {
            store.count(&Channel::broker()).unwrap().accepted >= part * 200
        })
        .await;
        broker.kill().unwrap();
        link.until(|state| matches!(state, LinkState::Away { .. }))
            .await;
        broker.restart().unwrap();
        link.until(|state| matches!(state, LinkState::Connected { .. }))
            .await;
    }
    recording.await.unwrap();
    accepted(&store, number).await;
    let all: Vec<u64> = (1..=number).collect();
    // What counts as accepted here was acknowledged by the broker, every single one.
    assert_eq!(tap.acknowledged(), all);
    // The street sees them all, but for what a kill takes behind the acknowledgement (see `tap`):
    // never more than was under way.
    let seen = || street.numbers().into_iter().collect::<BTreeSet<_>>();
    eventually("the last event at the street", || async {
        seen().contains(&number)
    })
    .await;
    let missed = all.len() - seen().len();
    assert!(missed <= 3 * 20, "{missed} events never came");
    println!(
        "{number} events over three kills: {} messages came, {missed} missed behind the broker",
        street.numbers().len()
    );
    link.stop().await;
}

/// The figure for a long outage: `cargo test --release --test mqtt -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, of a minute or so"]
async fn a_hundred_thousand_rows_drain_in_order() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let boot = store.boot();
    let faults: Vec<Event> = (0..500)
        .map(|ms| Event::FaultRaised {
            fault: Fault::CameraSilent,
            at: stamp(boot, ms),
        })
        .collect();
    for _ in 0..200 {
        store.record(&faults).unwrap();
    }
    let street = Street::subscribe(broker.port()).await;
    let begin = tokio::time::Instant::now();
    let link = Link::start(&store, broker.port());
    while store.count(&Channel::broker()).unwrap().accepted < 100_000 {
        assert!(begin.elapsed() < PATIENCE * 10);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("100000 rows drained in {:?}", begin.elapsed());
    eventually("all at the street", || async {
        street.seen.lock().unwrap().len() > 100_000
    })
    .await;
    assert_eq!(street.numbers(), (1..=100_000).collect::<Vec<u64>>());
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_comes_late_gets_everything() {
    let folder = tempfolder();
    let mut broker = Broker::start(&folder.path().join("broker")).unwrap();
    broker.kill().unwrap();
    let store = open(&folder.path().join("data"));
    for track in 1..=50 {
        recorded_alert(&store, track);
    }
    let mut link = Link::start(&store, broker.port());
    let away = link
        .until(|state| matches!(state, LinkState::Away { .. }))
        .await;
    let LinkState::Away { why } = away else {
        panic!("{away:?}");
    };
    assert!(
        why.contains("nothing listens") && why.contains("start the broker"),
        "{why}"
    );
    assert_eq!(store.count(&Channel::broker()).unwrap().saved, 50);
    broker.restart().unwrap();
    accepted(&store, 50).await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_will_tells_of_a_death_and_stopped_of_a_planned_stop() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let street = Street::subscribe(broker.port()).await;
    let link = Link::start(&store, broker.port());
    eventually("online", || async { street.states() == ["online"] }).await;
    link.task.abort();
    eventually("offline", || async {
        street.states() == ["online", "offline"]
    })
    .await;
    let mut link = Link::start(&store, broker.port());
    eventually("online again", || async { street.states().len() == 3 }).await;
    link.shutdown.cancel();
    link.until(|state| *state == LinkState::Stopped).await;
    link.task.await.unwrap();
    eventually("stopped", || async { street.states().len() >= 4 }).await;
    assert_eq!(street.states(), ["online", "offline", "online", "stopped"]);
    // Whoever comes later reads it, too: it is retained; and no will follows a planned stop.
    drop(street);
    let late = Street::subscribe_as("late", broker.port()).await;
    eventually("retained", || async { late.states() == ["stopped"] }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_said_in_plain_words() {
    let folder = tempfolder();
    let settings = BrokerSettings {
        access: Access::User {
            name: "gate".to_owned(),
            password: Secret::new("open sesame".to_owned()),
        },
        ..BrokerSettings::default()
    };
    let broker = Broker::start_with(&folder.path().join("broker"), &settings).unwrap();
    let store = open(&folder.path().join("data"));
    let now = stamp(store.boot(), 1000);
    let cases = [
        (
            Some(("gate", "close sesame")),
            "does not accept this user name and password",
        ),
        (None, "wants a user name and a password"),
    ];
    for (user, expected) in cases {
        let mut link = Link::start_as(&store, broker.port(), user, now);
        let away = link
            .until(|state| matches!(state, LinkState::Away { .. }))
            .await;
        let LinkState::Away { why } = away else {
            panic!("{away:?}");
        };
        assert!(why.contains(expected), "{why}");
        assert!(!why.contains("sesame"), "{why}");
        link.stop().await;
    }
    let mut link = Link::start_as(&store, broker.port(), Some(("gate", "open sesame")), now);
    link.until(|state| matches!(state, LinkState::Connected { .. }))
        .await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_when_it_goes_out_is_marked_late() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let street = Street::subscribe(broker.port()).await;
    let store = open(&folder.path().join("data"));
    let boot = store.boot();
    recorded_alert(&store, 1);
    let mut fresh = alert(boot, 2);
    fresh.raised = stamp(boot, 120_000);
    store.record(&[Event::AlertRaised(fresh)]).unwrap();
    // The network's time came meanwhile; what counts is the time since the start.
    let mut now = stamp(boot, 121_000);
    now.wall.0 += 86_400_000;
    let link = Link::start_as(&store, broker.port(), None, now);
    accepted(&store, 2).await;
    let topic = Topic::alert_event(&address());
    eventually("both", || async { street.on(&topic).len() >= 2 }).await;
    let told = street.on(&topic);
    assert_eq!(told[0]["late"], true);
    assert_eq!(told[1].get("late"), None);
    link.stop().await;
}

#[test]
fn a_broker_cleans_up_behind_itself() {
    let folder = tempfolder();
    let broker = Broker::start(folder.path()).unwrap();
    let at = (broker.host(), broker.port());
    assert!(std::net::TcpStream::connect((at.0.as_str(), at.1)).is_ok());
    drop(broker);
    assert!(std::net::TcpStream::connect((at.0.as_str(), at.1)).is_err());
}

#[test]
fn another_boot_is_old_news_unless_both_clocks_are_right() {
    // Through the public door: a row of an earlier boot is joined with its own stamp.
    let folder = tempfolder();
    let first = open(folder.path());
    recorded_alert(&first, 1);
    drop(first);
    let second = open(folder.path());
    let rows = second.waiting(&Channel::broker(), SafeAt::Broker, MessageNumber(0), 1);
    let row = &rows.unwrap()[0];
    assert_eq!(row.at, stamp(BootId(1), 1));
    assert_eq!(second.boot(), BootId(2));
}
