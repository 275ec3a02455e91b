//! Any bytes as a message from the broker: its topic up to the first line end, then its payload.
#![no_main]

use menshen::mqtt::inbound::{Inbound, read};
use menshen::mqtt::topic::Address;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(here) = Address::new("s", "b", "g") else {
        return;
    };
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let topic = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let payload = parts.next().unwrap_or_default();
    if let Ok(Inbound::Receipt(receipt)) = read(&here, &topic, payload, bytes.len() % 2 == 0) {
        let mut before = 0;
        for (first, last) in &receipt.gaps {
            assert!(before < first.0 && first <= last && *last <= receipt.up_to);
            before = last.0;
        }
    }
});
