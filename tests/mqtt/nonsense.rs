//! A million messages that nobody should have sent.

use super::address;
use menshen::mqtt::inbound::{Inbound, LARGEST, read};
use menshen::mqtt::topic::Class;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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

#[test]
fn whatever_comes_in_is_read_or_refused_and_a_receipt_that_is_read_makes_sense() {
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
    let mut chance = ChaCha8Rng::seed_from_u64(6);
    let (mut receipts, mut commands) = (0, 0);
    for _ in 0..MESSAGES {
        let mut topic = topics[chance.random_range(0..topics.len())]
            .clone()
            .into_bytes();
        let mut payload = payloads[chance.random_range(0..payloads.len())].to_vec();
        if chance.random_ratio(1, 3) {
            spoil(&mut topic, &mut chance);
        }
        spoil(&mut payload, &mut chance);
        let topic = String::from_utf8_lossy(&topic);
        match read(&here, &topic, &payload, chance.random()) {
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
    assert!(read(&here, &topics[0], &vec![b' '; LARGEST + 1], false).is_err());
}
