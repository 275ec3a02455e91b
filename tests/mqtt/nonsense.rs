//! A million messages that nobody should have sent: read by the one door there is, and sent to a link.

use super::scripted::{way, with_alerts};
use super::{Link, accepted, address, eventually};
use menshen::alert::Alert;
use menshen::command::CommandName;
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Journal, Outbox, OutboxRow, Recorded, SafeAt};
use menshen::mqtt::inbound::{Inbound, LARGEST, read};
use menshen::mqtt::link::LinkState;
use menshen::mqtt::topic::Class;
use menshen::store::Store;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{Packet, Publish};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const MESSAGES: u32 = 1_000_000;

/// A piece of something is cut out, doubled, or written over.
fn spoil(bytes: &mut Vec<u8>, chance: &mut impl Rng) {
    let at = |length: usize, chance: &mut dyn Rng| chance.random_range(0..=length);
    for _ in 0..chance.random_range(0..4_u8) {
        let (from, to) = (at(bytes.len(), chance), at(bytes.len(), chance));
        let (from, to) = (from.min(to), from.max(to));
        match chance.random_range(0..5_u8) {
            0 => drop(bytes.drain(from..to)),
            1 => bytes.truncate(from),
            2 => bytes[from..to]
                .iter_mut()
                .for_each(|it| *it = chance.random()),
            3 => bytes
                .splice(from..from, *b"18446744073709551616")
                .for_each(drop),
            _ => {
                let piece = bytes[from..to].to_vec();
                bytes.splice(from..from, piece).for_each(drop);
            }
        }
    }
}

/// A message as nobody should have sent it; one in some is left whole.
fn message(chance: &mut impl Rng) -> (String, Vec<u8>, bool) {
    let here = address();
    let topics = [
        here.all_of(Class::Ack).replace('+', "collector"),
        here.all_of(Class::Cmd).replace('+', "resend"),
        here.all_of(Class::Cmd).replace('+', "announce"),
        here.all_of(Class::Event).replace('+', "alert"),
        "homeassistant/status".to_owned(),
    ];
    let payloads: [&[u8]; 5] = [
        br#"{"v":1,"epoch":"5f0c2b7e-0000-4000-8000-000000000001","up_to":42,"gaps":[[7,9],[20,20]]}"#,
        br#"{"v":1,"id":"c-1","by":"office","from":1,"to":2}"#,
        br#"{"v":1,"id":"c-2","by":"office","expires":"2020-02-18T04:00:00Z"}"#,
        b"online",
        b"",
    ];
    let mut topic = topics[chance.random_range(0..topics.len())]
        .clone()
        .into_bytes();
    let mut payload = payloads[chance.random_range(0..payloads.len())].to_vec();
    if chance.random_ratio(1, 3) {
        spoil(&mut topic, chance);
    }
    spoil(&mut payload, chance);
    let topic = String::from_utf8_lossy(&topic).into_owned();
    (topic, payload, chance.random())
}

#[test]
fn whatever_comes_in_is_read_or_refused_and_a_receipt_that_is_read_makes_sense() {
    let here = address();
    let mut chance = ChaCha8Rng::seed_from_u64(6);
    let (mut receipts, mut commands) = (0, 0);
    for _ in 0..MESSAGES {
        let (topic, payload, retained) = message(&mut chance);
        match read(&here, &topic, &payload, retained) {
            Ok(Inbound::Receipt(receipt)) => {
                let mut before = 0;
                for (first, last) in &receipt.gaps {
                    assert!(before < first.0 && first <= last && *last <= receipt.up_to);
                    before = last.0;
                }
                receipts += 1;
            }
            Ok(Inbound::Command { .. }) => commands += 1,
            Ok(Inbound::HomeAssistantStarted) => assert_eq!(payload, b"online"),
            Err(why) => assert!(!why.to_string().is_empty()),
        }
    }
    // Some of it was left whole, or the test would show nothing.
    assert!(receipts > 1000 && commands > 1000, "{receipts} {commands}");
    assert!(
        read(
            &here,
            "homeassistant/status",
            &vec![b' '; LARGEST + 1],
            false
        )
        .is_err()
    );
}

/// How many go to the link: few in `make test`, a million in `make torture`.
const SENT: u32 = 20_000;
/// So many at a time.
const TOGETHER: u32 = 200;

/// Whether this may change something: a receipt for what was sent, or a command.
fn is_meant(topic: &str, payload: &[u8], store: &Store, sent: u64) -> bool {
    match read(&address(), topic, payload, false) {
        Ok(Inbound::Receipt(receipt)) => receipt.epoch == store.epoch() && receipt.up_to.0 <= sent,
        Ok(Inbound::Command { .. }) => true,
        Ok(Inbound::HomeAssistantStarted) | Err(_) => false,
    }
}

/// Everything that a message from outside could change, but for what waits.
fn kept(store: &Store) -> (Vec<Recorded>, Vec<Alert>, usize) {
    (
        store.events(Sequence(0), 1000).unwrap(),
        store.alerts(1000).unwrap(),
        store.audit(1000).unwrap().len(),
    )
}

fn waiting(store: &Store) -> Vec<OutboxRow> {
    let rows = store.waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000);
    rows.unwrap()
}

/// Against: whoever got hold of an account at the broker, and programs that are meant for another topic.
#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_changes_nothing_and_does_not_end_the_connection() {
    let (_folder, store) = with_alerts(9);
    let (way, mut calls) = way(Instant::now());
    let mut link = Link::start_with(&store, 0, |settings| {
        settings.account.dial = way;
        settings.street_receipts = true;
        settings.home_assistant = true;
        settings.commands = BTreeSet::from([CommandName::Resend, CommandName::Announce]);
    });
    let mut peer = calls.recv().await.unwrap();
    peer.welcome().await;
    assert_eq!(peer.takes(9).await, (1..=9).collect::<Vec<u64>>());
    accepted(&store, 9).await;
    link.until(|state| matches!(state, LinkState::Connected { .. }))
        .await;
    let (before, mut rows) = (kept(&store), waiting(&store));

    let count = std::env::var("MENSHEN_TEST_NONSENSE").map_or(SENT, |it| it.parse().unwrap());
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut meant = 0;
    for _ in 0..count / TOGETHER {
        let mut packets = Vec::new();
        for _ in 0..TOGETHER {
            let (topic, payload, retain) = message(&mut chance);
            if is_meant(&topic, &payload, &store, 9) {
                meant += 1;
            } else {
                let mut publish = Publish::new(topic, QoS::AtMostOnce, payload);
                publish.retain = retain;
                packets.push(Packet::Publish(publish));
            }
        }
        peer.say_all(&packets).await;
        while let Ok(Some((packet, _))) = timeout(Duration::from_millis(1), peer.event()).await {
            peer.acknowledge(packet).await;
        }
    }
    // One that makes sense: when it has its effect, all before it were looked at.
    let epoch = store.epoch().0;
    let receipt = format!(r#"{{"v":1,"epoch":"{epoch}","up_to":9,"gaps":[[2,9]]}}"#);
    let topic = address().all_of(Class::Ack).replace('+', "collector");
    let receipt = Publish::new(topic, QoS::AtMostOnce, receipt);
    peer.say_all(&[Packet::Publish(receipt)]).await;
    eventually("the receipt", || async { waiting(&store).len() < 9 }).await;
    rows.remove(0);
    assert_eq!(waiting(&store), rows);
    assert_eq!(kept(&store), before);
    assert!(calls.try_recv().is_err(), "one connection was enough");
    println!("{count} messages, of which {meant} make sense and were not sent: nothing changed");
    link.stop().await;
}
