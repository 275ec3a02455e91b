//! What comes back from the street: receipts and commands. And what Home Assistant is told.

use super::common::{recorded_alert, tempfolder};
use super::{Link, PATIENCE, Street, accepted, account, address, eventually, open};
use menshen::calendar::Day;
use menshen::checklist::{DailyReport, DayFacts, Diary, Opening, Round, SiteKind, SiteList};
use menshen::command::CommandName;
use menshen::config::checklist::newest;
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Outbox, SafeAt};
use menshen::mqtt::broker::{Broker, BrokerSettings};
use menshen::mqtt::forget::forget;
use menshen::mqtt::link::LinkState;
use menshen::mqtt::payload::{ChecklistState, FollowUpState};
use menshen::mqtt::topic::{Class, Topic};
use menshen::people::{Colour, Told, Totals};
use menshen::store::Store;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Somebody at the broker who publishes; each message is there when `publish` returns.
struct Voice {
    client: AsyncClient,
    acknowledged: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Voice {
    fn of(name: &str, port: u16) -> Self {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_credentials(name, "");
        options.set_max_packet_size(100_000, 100_000);
        let (client, mut events) = AsyncClient::new(options, 10);
        let acknowledged = Arc::new(Notify::new());
        let told = Arc::clone(&acknowledged);
        let task = tokio::spawn(async move {
            loop {
                if let Ok(Event::Incoming(Packet::PubAck(_))) = events.poll().await {
                    told.notify_one();
                }
            }
        });
        Self {
            client,
            acknowledged,
            task,
        }
    }

    async fn publish(&self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        self.client
            .publish(topic, QoS::AtLeastOnce, retain, payload)
            .await
            .unwrap();
        tokio::time::timeout(PATIENCE, self.acknowledged.notified())
            .await
            .expect("no acknowledgement");
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A topic of this gate that the street writes to.
fn to_gate(class: Class, name: &str) -> String {
    address().all_of(class).replace('+', name)
}

fn receipt(epoch: &str, up_to: u64, gaps: &[(u64, u64)]) -> Vec<u8> {
    json!({"v": 1, "epoch": epoch, "up_to": up_to, "gaps": gaps})
        .to_string()
        .into_bytes()
}

/// Numbers of the messages that no receipt has named.
fn waiting(store: &Store) -> Vec<u64> {
    let rows = store.waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 100);
    rows.unwrap().iter().map(|it| it.number.0).collect()
}

fn with_receipts(store: &Store, port: u16) -> Link {
    Link::start_with(store, port, |settings| settings.street_receipts = true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_street_lacks_goes_again_until_it_has_everything() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let street = Street::subscribe(broker.port()).await;
    let collector = Voice::of("collector", broker.port());
    let ack = to_gate(Class::Ack, "collector");
    let epoch = store.epoch().0;
    for track in 1..=5 {
        recorded_alert(&store, track);
    }
    let link = with_receipts(&store, broker.port());
    accepted(&store, 5).await;
    assert_eq!(
        waiting(&store),
        [1, 2, 3, 4, 5],
        "a broker's word is not enough"
    );

    collector
        .publish(&ack, false, receipt(&epoch, 5, &[(2, 3)]))
        .await;
    eventually("the gap again", || async {
        street.numbers() == [1, 2, 3, 4, 5, 2, 3]
    })
    .await;
    assert_eq!(waiting(&store), [2, 3]);
    collector
        .publish(&ack, false, receipt(&epoch, 5, &[]))
        .await;
    eventually("nothing waits", || async { waiting(&store).is_empty() }).await;
    link.stop().await;

    // What the street has does not go again after a restart.
    let link = with_receipts(&store, broker.port());
    recorded_alert(&store, 6);
    link.wake.notify_one();
    eventually("the sixth", || async { street.numbers().contains(&6) }).await;
    assert_eq!(street.numbers(), [1, 2, 3, 4, 5, 2, 3, 6]);
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_cannot_be_changes_nothing() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let collector = Voice::of("collector", broker.port());
    let ack = to_gate(Class::Ack, "collector");
    let epoch = store.epoch().0;
    for track in 1..=3 {
        recorded_alert(&store, track);
    }
    let link = with_receipts(&store, broker.port());
    accepted(&store, 3).await;
    let nonsense: [Vec<u8>; 9] = [
        receipt("another-database", 3, &[]),
        receipt(&epoch, 4, &[]),
        receipt(&epoch, u64::MAX, &[(1, 2)]),
        receipt(&epoch, 3, &[(3, 2)]),
        receipt(&epoch, 3, &[(2, 3), (1, 1)]),
        format!("{{\"v\":9,\"epoch\":\"{epoch}\",\"up_to\":3}}").into_bytes(),
        b"{".to_vec(),
        vec![0xff; 40_000],
        Vec::new(),
    ];
    for payload in nonsense {
        collector.publish(&ack, false, payload).await;
    }
    // The broker keeps the order: once this one is taken, the others were looked at.
    collector
        .publish(&ack, false, receipt(&epoch, 2, &[(1, 1)]))
        .await;
    eventually("the true one", || async { waiting(&store) == [1, 3] }).await;
    assert!(matches!(*link.status.borrow(), LinkState::Connected { .. }));
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_done_once_where_the_site_allows_it() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let street = Street::subscribe(broker.port()).await;
    let office = Voice::of("office", broker.port());
    for track in 1..=3 {
        recorded_alert(&store, track);
    }
    let link = Link::start_with(&store, broker.port(), |settings| {
        settings.commands = BTreeSet::from([CommandName::Resend]);
    });
    accepted(&store, 3).await;
    let resend = json!({"v": 1, "id": "c-1", "by": "office", "from": 1, "to": 2}).to_string();
    let topic = to_gate(Class::Cmd, "resend");
    let answers = || street.on(&Topic::command_event(&address()));
    let answered = |id: &str, result: &str, reason: Value| {
        answers()
            .iter()
            .any(|it| it["id"] == id && it["result"] == result && it["reason"] == reason)
    };
    // A broker that kept it would have it done again after each reconnect.
    office.publish(&topic, true, resend.clone()).await;
    office.publish(&topic, true, Vec::new()).await;
    office.publish(&topic, false, resend.clone()).await;
    eventually("done", || async { answered("c-1", "done", Value::Null) }).await;
    eventually("the stretch again", || async {
        street.numbers().iter().filter(|it| **it <= 2).count() == 4
    })
    .await;
    // Whoever asks in haste is not answered each time.
    eventually("not twice", || async {
        office.publish(&topic, false, resend.clone()).await;
        answered("c-1", "refused", json!("done_before"))
    })
    .await;
    let announce = json!({"v": 1, "id": "c-2", "by": "office"}).to_string();
    let topic = to_gate(Class::Cmd, "announce");
    eventually("not allowed here", || async {
        office.publish(&topic, false, announce.clone()).await;
        answered("c-2", "refused", json!("not_allowed"))
    })
    .await;
    let done = answers().iter().filter(|it| it["result"] == "done").count();
    assert_eq!(done, 1);
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn home_assistant_is_told_where_the_site_wants_it() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let link = Link::start_with(&store, broker.port(), |settings| {
        settings.home_assistant = true;
    });
    // It subscribes late, as after its own restart: what it needs is retained.
    recorded_alert(&store, 1);
    link.wake.notify_one();
    accepted(&store, 1).await;
    let mut options = MqttOptions::new("home-assistant", "127.0.0.1", broker.port());
    options.set_max_packet_size(100_000, 100_000);
    let (client, mut events) = AsyncClient::new(options, 10);
    client
        .subscribe(address().home_assistant(), QoS::AtLeastOnce)
        .await
        .unwrap();
    let device = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await.unwrap() {
                break publish;
            }
        }
    })
    .await
    .expect("no device");
    assert!(device.retain);
    let device: Value = serde_json::from_slice(&device.payload).unwrap();
    let id = address().home_assistant_id();
    assert!(device["dev"].to_string().contains(&id), "{device}");
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_access_list_that_is_shipped_keeps_gates_apart_and_what_it_throws_away_is_not_lost() {
    let folder = tempfolder();
    let list = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/deploy/mosquitto/menshen.acl"
    ))
    .unwrap();
    let here = address().everything();
    let here = here
        .trim_end_matches("/#")
        .trim_start_matches("menshen/v1/");
    let list = list.replace("dongfang/no-12/north", here);
    let file = folder.path().join("acl");
    // At first the gate may not write what happens.
    let cut = list.replacen(&format!("{here}/event/+"), &format!("{here}/other/+"), 1);
    assert_ne!(cut, list);
    std::fs::write(&file, cut).unwrap();
    let settings = BrokerSettings {
        // Mosquitto 2.0.11 throws the client out together with such a message where the queue is
        // without a bound.
        more: format!("acl_file {}\nmax_queued_messages 100000", file.display()),
        ..BrokerSettings::default()
    };
    let mut broker = Broker::start_with(&folder.path().join("broker"), &settings).unwrap();
    let port = broker.port();
    let store = open(&folder.path().join("data"));
    let street = Street::subscribe_named("street-dongfang", port).await;
    let collector = Voice::of("street-dongfang", port);
    let ack = to_gate(Class::Ack, "collector");
    let epoch = store.epoch().0;
    for track in 1..=3 {
        recorded_alert(&store, track);
    }
    let start = |user: &str| {
        Link::start_with(&store, port, |settings| {
            settings.street_receipts = true;
            settings.account.username = Some(user.to_owned());
        })
    };

    // The broker says yes and throws it away.
    let link = start("gate-north");
    accepted(&store, 3).await;
    link.stop().await;
    assert_eq!(waiting(&store), [1, 2, 3]);
    std::fs::write(&file, list).unwrap();
    broker.restart().unwrap();
    street.hears().await;

    // Another gate hears nothing that is meant for this one.
    let link = start("gate-south");
    accepted(&store, 3).await;
    collector
        .publish(&ack, false, receipt(&epoch, 3, &[]))
        .await;
    link.stop().await;
    // A gate cannot acknowledge for the street, nor the street speak for a gate.
    Voice::of("gate-north", port)
        .publish(&ack, false, receipt(&epoch, 3, &[]))
        .await;
    let alert = Topic::alert_event(&address()).to_string();
    collector.publish(&alert, false, "{\"seq\": 77}").await;
    assert_eq!(waiting(&store), [1, 2, 3]);

    let link = start("gate-north");
    recorded_alert(&store, 4);
    link.wake.notify_one();
    eventually("the fourth", || async { street.numbers().contains(&4) }).await;
    assert!(!street.numbers().contains(&77));
    collector
        .publish(&ack, false, receipt(&epoch, 4, &[(1, 3)]))
        .await;
    eventually("what was thrown away", || async {
        street.numbers().ends_with(&[1, 2, 3])
    })
    .await;
    collector
        .publish(&ack, false, receipt(&epoch, 4, &[]))
        .await;
    eventually("nothing waits", || async { waiting(&store).is_empty() }).await;
    link.stop().await;
}

/// How far a round has come that has just begun.
fn checklist() -> ChecklistState {
    let list = SiteList::plain(newest(SiteKind::Office).unwrap());
    let date = "2020-02-24".parse().unwrap();
    let opening = Opening {
        day: Day::new(date, 8 * 3600, Vec::new()).unwrap(),
        since: date,
        done_once: &BTreeSet::new(),
    };
    let round = Round::open(Arc::new(list), &opening);
    let begins = opening.day.begins();
    let report = DailyReport::of(&round, &DayFacts::default(), &Diary::default(), begins);
    ChecklistState::of(&report, round.state(), Vec::new())
}

fn follow_up() -> FollowUpState {
    FollowUpState {
        date: "2020-02-24".parse().unwrap(),
        totals: Totals {
            colours: vec![(Colour::Purple, Told::Exactly(2))],
            sources: Vec::new(),
            waiting: 0,
            overdue: 0,
            unsaid: 0,
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_is_given_up_leaves_nothing_at_the_broker() {
    let folder = tempfolder();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let store = open(&folder.path().join("data"));
    let link = Link::start_with(&store, broker.port(), |settings| {
        settings.home_assistant = true;
        settings.checklist = tokio::sync::watch::channel(Some(checklist())).1;
        settings.follow_up = tokio::sync::watch::channel(Some(follow_up())).1;
    });
    recorded_alert(&store, 1);
    link.wake.notify_one();
    accepted(&store, 1).await;
    link.stop().await;
    let retained = async || {
        let mut options = MqttOptions::new("visitor", "127.0.0.1", broker.port());
        options.set_max_packet_size(100_000, 100_000);
        let (client, mut events) = AsyncClient::new(options, 10);
        client.subscribe("#", QoS::AtLeastOnce).await.unwrap();
        // The broker sends what it retains before it answers this.
        client
            .publish("marker", QoS::AtLeastOnce, false, "")
            .await
            .unwrap();
        let mut topics = BTreeSet::new();
        let all = tokio::time::timeout(PATIENCE, async {
            loop {
                match events.poll().await.unwrap() {
                    Event::Incoming(Packet::Publish(it)) if it.topic == "marker" => break,
                    Event::Incoming(Packet::Publish(it)) => drop(topics.insert(it.topic)),
                    _ => {}
                }
            }
        });
        all.await.expect("no marker");
        topics
    };
    let before = retained().await;
    assert!(before.contains(&address().home_assistant()), "{before:?}");
    let account = account(broker.port());
    let erased = forget(&account, &address(), true).await.unwrap();
    assert_eq!(before, erased.into_iter().collect());
    assert_eq!(retained().await, BTreeSet::new());
}
