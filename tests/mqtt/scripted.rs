//! What no real broker does on demand: a broker that is a script, at the other end of a pipe. Time is
//! simulated, so that half a minute of silence, or three days, are over at once; the store is real.

use super::common::{recorded_alert, stamp, tempfolder};
use super::{Link, accepted, open};
use menshen::clock::SimulatedClock;
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Outbox, OutboxCount, SafeAt};
use menshen::mqtt::Stream;
use menshen::mqtt::dial::{Dial, Dialling};
use menshen::mqtt::link::LinkState;
use menshen::mqtt::topic::Class;
use menshen::store::Store;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rumqttc::mqttbytes::v4::{
    ConnAck, ConnectReturnCode, Packet, PubAck, Publish, SubAck, SubscribeReasonCode,
};
use rumqttc::mqttbytes::{Error, QoS};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::bytes::BytesMut;

const LARGEST: usize = 64 * 1024;

/// The way to the script: each time it is dialled, the script gets a peer.
pub(super) struct Way {
    peers: UnboundedSender<Peer>,
    /// Nobody is there before this.
    from: Instant,
    /// How often it was dialled.
    dialled: AtomicU32,
}

impl Dial for Way {
    fn dial(&self) -> Dialling<'_> {
        self.dialled.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if Instant::now() < self.from {
                return Err("nobody is there".to_owned());
            }
            let (ours, theirs) = tokio::io::duplex(LARGEST);
            let peer = Peer {
                stream: theirs,
                incoming: BytesMut::new(),
                pace: Duration::ZERO,
            };
            self.peers.send(peer).map_err(|error| error.to_string())?;
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }
}

pub(super) fn way(from: Instant) -> (Arc<Way>, UnboundedReceiver<Peer>) {
    let (peers, calls) = unbounded_channel();
    let way = Way {
        peers,
        from,
        dialled: AtomicU32::new(0),
    };
    (Arc::new(way), calls)
}

fn linked(store: &Store) -> (Link, UnboundedReceiver<Peer>) {
    let (way, calls) = way(Instant::now());
    let link = Link::start_with(store, 0, |settings| settings.account.dial = way);
    (link, calls)
}

/// The script's end of one connection.
pub(super) struct Peer {
    stream: DuplexStream,
    incoming: BytesMut,
    /// Between two bytes.
    pace: Duration,
}

impl Peer {
    /// What comes next; `None` where the gateway has closed.
    async fn packet(&mut self) -> Option<Packet> {
        loop {
            match Packet::read(&mut self.incoming, LARGEST) {
                Ok(packet) => return Some(packet),
                Err(Error::InsufficientBytes(_)) => {}
                Err(wrong) => panic!("the gateway sends what is no MQTT: {wrong}"),
            }
            if self.stream.read_buf(&mut self.incoming).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn say(&mut self, packet: &Packet) {
        if self.pace.is_zero() {
            return self.say_all(std::slice::from_ref(packet)).await;
        }
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, LARGEST).unwrap();
        for byte in bytes {
            sleep(self.pace).await;
            // The gateway may have given up.
            let _ = self.stream.write_all(&[byte]).await;
        }
    }

    /// In one piece.
    pub(super) async fn say_all(&mut self, packets: &[Packet]) {
        let mut bytes = BytesMut::new();
        for packet in packets {
            packet.write(&mut bytes, LARGEST).unwrap();
        }
        let _ = self.stream.write_all(&bytes).await;
    }

    pub(super) async fn welcome(&mut self) {
        assert!(matches!(self.packet().await, Some(Packet::Connect(_))));
        let welcome = ConnAck::new(ConnectReturnCode::Success, false);
        self.say(&Packet::ConnAck(welcome)).await;
    }

    /// The next event, its packet number and its own; whatever else comes is answered as it should be.
    pub(super) async fn event(&mut self) -> Option<(u16, u64)> {
        loop {
            match self.packet().await? {
                Packet::Publish(publish) if publish.topic.contains("/event/") => {
                    let value: Value = serde_json::from_slice(&publish.payload).unwrap();
                    return Some((publish.pkid, value["seq"].as_u64().unwrap()));
                }
                Packet::Publish(publish) => self.acknowledge(publish.pkid).await,
                Packet::Subscribe(asked) => {
                    let granted = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)];
                    self.say(&Packet::SubAck(SubAck::new(asked.pkid, granted)))
                        .await;
                }
                Packet::PingReq => self.say(&Packet::PingResp).await,
                Packet::Disconnect => return None,
                _ => {}
            }
        }
    }

    pub(super) async fn acknowledge(&mut self, number: u16) {
        self.say(&Packet::PubAck(PubAck::new(number))).await;
    }

    /// Acknowledges so many events, and gives their numbers.
    pub(super) async fn takes(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let (packet, number) = self.event().await.expect("the gateway has closed");
            self.acknowledge(packet).await;
            numbers.push(number);
        }
        numbers
    }
}

pub(super) fn with_alerts(count: u64) -> (tempfile::TempDir, Store) {
    let folder = tempfolder();
    let store = open(&folder.path().join("data"));
    for track in 1..=count {
        recorded_alert(&store, track);
    }
    (folder, store)
}

async fn away(link: &mut Link, said: &str) {
    let state = link.until(|state| matches!(state, LinkState::Away { .. }));
    let LinkState::Away { why } = state.await else {
        unreachable!()
    };
    assert!(why.contains(said), "{why}");
}

fn numbers(from: u64, to: u64) -> Vec<u64> {
    (from..=to).collect()
}

/// Against: a broker whose disk hangs.
#[tokio::test(start_paused = true)]
async fn a_broker_that_acknowledges_nothing_is_given_up_and_nothing_is_lost() {
    let (_folder, store) = with_alerts(3);
    let (mut link, mut calls) = linked(&store);
    let mut deaf = calls.recv().await.unwrap();
    deaf.welcome().await;
    let takes = async {
        while let Some(packet) = deaf.packet().await {
            if matches!(packet, Packet::PingReq) {
                deaf.say(&Packet::PingResp).await;
            }
        }
    };
    tokio::join!(takes, away(&mut link, "acknowledged none"));
    let mut good = calls.recv().await.unwrap();
    good.welcome().await;
    assert_eq!(good.takes(3).await, [1, 2, 3]);
    accepted(&store, 3).await;
    link.stop().await;
}

/// Against: a machine that was unplugged, whose connections nobody closes.
#[tokio::test(start_paused = true)]
async fn a_connection_that_is_never_welcomed_is_given_up() {
    let (_folder, store) = with_alerts(1);
    let (mut link, mut calls) = linked(&store);
    let _half_open = calls.recv().await.unwrap();
    away(&mut link, "does not answer").await;
    let mut good = calls.recv().await.unwrap();
    good.welcome().await;
    assert_eq!(good.takes(1).await, [1]);
    accepted(&store, 1).await;
    // Then it falls silent: the next question of the keep-alive finds out.
    recorded_alert(&store, 2);
    link.wake.notify_one();
    assert_eq!(good.takes(1).await, [2]);
    away(&mut link, "fell silent").await;
    link.stop().await;
}

/// Against: a broker that crashes.
#[tokio::test(start_paused = true)]
async fn what_was_under_way_at_an_abrupt_end_goes_again_in_order() {
    let (_folder, store) = with_alerts(20);
    let (link, mut calls) = linked(&store);
    let mut first = calls.recv().await.unwrap();
    first.welcome().await;
    assert_eq!(first.takes(2).await, [1, 2]);
    for wanted in 3..=7 {
        assert_eq!(first.event().await.unwrap().1, wanted);
    }
    drop(first);
    let mut second = calls.recv().await.unwrap();
    second.welcome().await;
    assert_eq!(second.takes(18).await, numbers(3, 20));
    accepted(&store, 20).await;
    link.stop().await;
}

/// Against: a broker that was restarted again and again and remembers nothing.
#[tokio::test(start_paused = true)]
async fn two_hundred_abrupt_ends_lose_nothing() {
    let (_folder, store) = with_alerts(600);
    let (link, mut calls) = linked(&store);
    let mut chance = ChaCha8Rng::seed_from_u64(200);
    let mut taken = Vec::new();
    let mut ends = 0;
    while store.count(&Channel::broker()).unwrap().accepted < 600 {
        let mut peer = calls.recv().await.unwrap();
        peer.welcome().await;
        let count = chance.random_range(1..=4).min(600 - taken.len().min(599));
        let now = timeout(Duration::from_mins(2), peer.takes(count)).await;
        taken.extend(now.unwrap_or_default());
        ends += 1;
        // Closes in the middle of whatever comes next.
        for _ in 0..chance.random_range(0..3_u8) {
            let _ = timeout(Duration::from_secs(1), peer.event()).await;
        }
    }
    assert!(ends >= 200, "{ends}");
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken, numbers(1, 600));
    accepted(&store, 600).await;
    link.stop().await;
}

/// Against: brokers and bridges that acknowledge twice, or what was never sent (rumqttc ended the
/// connection at that).
#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_comes_twice_changes_nothing() {
    let (_folder, store) = with_alerts(50);
    let (link, mut calls) = linked(&store);
    let mut peer = calls.recv().await.unwrap();
    peer.welcome().await;
    for wanted in 1..=50 {
        let (packet, number) = peer.event().await.unwrap();
        assert_eq!(number, wanted);
        for answer in [packet, packet, 60_000] {
            peer.acknowledge(answer).await;
        }
    }
    accepted(&store, 50).await;
    assert!(calls.try_recv().is_err(), "one connection was enough");
    link.stop().await;
}

/// Against: a broker that closes the connection at a message that is too large for it.
#[tokio::test(start_paused = true)]
async fn a_message_that_the_broker_never_takes_is_put_aside_and_holds_up_no_other() {
    let (_folder, store) = with_alerts(5);
    let (link, mut calls) = linked(&store);
    let script = async {
        loop {
            let mut peer = calls.recv().await.unwrap();
            peer.welcome().await;
            while let Some((packet, number)) = peer.event().await {
                if number == 3 {
                    break;
                }
                peer.acknowledge(packet).await;
            }
        }
    };
    let done = async {
        let all = OutboxCount {
            accepted: 4,
            parked: 1,
            ..OutboxCount::default()
        };
        while store.count(&Channel::broker()).unwrap() != all {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = script => {}
        ended = timeout(Duration::from_hours(1), done) => ended.expect("never put aside"),
    }
    link.stop().await;
}

/// Against: a line that is all but dead.
#[tokio::test(start_paused = true)]
async fn a_broker_that_says_one_byte_a_second_is_listened_to() {
    let (_folder, store) = with_alerts(5);
    let (link, mut calls) = linked(&store);
    let mut peer = calls.recv().await.unwrap();
    peer.pace = Duration::from_secs(1);
    peer.welcome().await;
    assert_eq!(peer.takes(5).await, numbers(1, 5));
    accepted(&store, 5).await;
    assert!(calls.try_recv().is_err(), "one connection was enough");
    link.stop().await;
}

/// Against: another service on the broker's port.
#[tokio::test(start_paused = true)]
async fn what_is_no_mqtt_is_said_to_be_none() {
    let (_folder, store) = with_alerts(1);
    let (mut link, mut calls) = linked(&store);
    let mut stranger = calls.recv().await.unwrap();
    stranger
        .stream
        .write_all(&[0xf8, 0xff, 0xff, 0xff, 0xff])
        .await
        .unwrap();
    away(&mut link, "no MQTT").await;
    assert_eq!(store.count(&Channel::broker()).unwrap().saved, 1);
    link.stop().await;
}

/// Against: a stop of the service that the system cuts short.
#[tokio::test(start_paused = true)]
async fn a_planned_stop_does_not_wait_for_a_deaf_broker() {
    let (_folder, store) = with_alerts(1);
    let (link, mut calls) = linked(&store);
    let mut deaf = calls.recv().await.unwrap();
    deaf.welcome().await;
    assert_eq!(deaf.event().await.unwrap().1, 1);
    let stopped = timeout(Duration::from_secs(10), link.stop());
    stopped.await.expect("the stop waits for the broker");
    assert_eq!(store.count(&Channel::broker()).unwrap().saved, 1);
}

/// Against: a weekend without anybody who looks after the broker.
#[tokio::test(start_paused = true)]
async fn after_three_days_without_a_broker_everything_arrives_in_order_and_is_marked_late() {
    const OUTAGE: Duration = Duration::from_hours(72);
    let (_folder, store) = with_alerts(1000);
    let (way, mut calls) = way(Instant::now() + OUTAGE);
    let dialled = Arc::clone(&way);
    let outage_ms = u64::try_from(OUTAGE.as_millis()).unwrap();
    let link = Link::start_with(&store, 0, |settings| {
        settings.account.dial = way;
        settings.clock = Arc::new(SimulatedClock::at(stamp(store.boot(), outage_ms)));
    });
    let mut peer = calls.recv().await.unwrap();
    let attempts = dialled.dialled.load(Ordering::SeqCst);
    // Every half a minute at most, and never in a storm.
    assert!((8640..=17_300).contains(&attempts), "{attempts}");
    peer.welcome().await;
    let mut arrived = 0;
    while arrived < 1000 {
        let Some(packet) = peer.packet().await else {
            panic!("the gateway has closed");
        };
        let Packet::Publish(publish) = packet else {
            continue;
        };
        if publish.topic.contains("/event/") {
            let value: Value = serde_json::from_slice(&publish.payload).unwrap();
            arrived += 1;
            assert_eq!(
                (&value["seq"], &value["late"]),
                (&arrived.into(), &true.into())
            );
        }
        peer.acknowledge(publish.pkid).await;
    }
    accepted(&store, 1000).await;
    link.stop().await;
}

/// Against: a collector that died. A knock now and then, no flood; and all of it once it answers.
#[tokio::test(start_paused = true)]
async fn a_street_that_says_nothing_for_a_day_is_asked_and_not_flooded() {
    let (_folder, store) = with_alerts(100);
    let (way, mut calls) = way(Instant::now());
    let link = Link::start_with(&store, 0, |settings| {
        settings.account.dial = way;
        settings.street_receipts = true;
    });
    let mut peer = calls.recv().await.unwrap();
    peer.welcome().await;
    assert_eq!(peer.takes(100).await, numbers(1, 100));
    let day = Instant::now() + Duration::from_hours(24);
    let mut again = 0_u32;
    while let Ok(Some((packet, _))) = tokio::time::timeout_at(day, peer.event()).await {
        peer.acknowledge(packet).await;
        again += 1;
    }
    // Twenty at a time, every five minutes at most.
    assert!((1000..=20 * (24 * 60 / 2)).contains(&again), "{again}");
    let waiting = || {
        let rows = store.waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 200);
        rows.unwrap().len()
    };
    assert_eq!(waiting(), 100);
    let receipt = format!(r#"{{"v":1,"epoch":"{}","up_to":100}}"#, store.epoch().0);
    let topic = super::address()
        .all_of(Class::Ack)
        .replace('+', "collector");
    let mut publish = Publish::new(topic, QoS::AtLeastOnce, receipt);
    publish.pkid = 7;
    peer.say(&Packet::Publish(publish)).await;
    while waiting() > 0 {
        let _ = timeout(Duration::from_secs(1), peer.event()).await;
    }
    link.stop().await;
}

/// Against: a start of Home Assistant, which then knows no device, beside a thousand gates that answer at once.
#[tokio::test(start_paused = true)]
async fn home_assistant_that_starts_is_told_of_the_device_again_within_ten_seconds_by_chance() {
    async fn device(peer: &mut Peer) -> Publish {
        loop {
            match peer.packet().await.expect("the gateway has closed") {
                Packet::Publish(publish) => {
                    peer.acknowledge(publish.pkid).await;
                    if publish.topic == super::address().home_assistant() {
                        return publish;
                    }
                }
                Packet::PingReq => peer.say(&Packet::PingResp).await,
                _ => {}
            }
        }
    }
    let (_folder, store) = with_alerts(0);
    let (way, mut calls) = way(Instant::now());
    let link = Link::start_with(&store, 0, |settings| {
        settings.account.dial = way;
        settings.home_assistant = true;
    });
    let mut peer = calls.recv().await.unwrap();
    peer.welcome().await;
    let first = device(&mut peer).await;
    let mut waits = Vec::new();
    for _ in 0..5 {
        let online = Publish::new("homeassistant/status", QoS::AtMostOnce, "online");
        peer.say(&Packet::Publish(online)).await;
        let began = Instant::now();
        let again = device(&mut peer).await;
        assert_eq!((again.retain, &again.payload), (true, &first.payload));
        waits.push(began.elapsed());
    }
    assert!(
        waits.iter().all(|it| *it <= Duration::from_secs(10)),
        "{waits:?}"
    );
    waits.dedup();
    assert!(waits.len() > 1, "always after the same time: {waits:?}");
    link.stop().await;
}
