//! A tap on the wire between a gateway and its broker: notes which events the broker acknowledged.
//!
//! Needed because a subscriber cannot witness for the gateway. Once in 18 runs one missed an event
//! that the broker had acknowledged: lost most likely between Mosquitto's PUBACK and its disk, or in
//! the subscriber; neither can be seen by a publisher. (That is why the street's own receipt, not
//! PUBACK, will empty the outbox.)

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running tap.
pub(crate) struct Tap {
    /// Where the gateway connects.
    pub(crate) port: u16,
    acknowledged: Arc<Mutex<BTreeSet<u64>>>,
}

impl Tap {
    /// Between any gateway and the broker at this port.
    pub(crate) fn before(broker: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = Arc::clone(&acknowledged);
        std::thread::spawn(move || {
            for gateway in listener.incoming() {
                let gateway = gateway.unwrap();
                // Dropped, and so closed, where no broker is there.
                if let Ok(broker) = TcpStream::connect(("127.0.0.1", broker)) {
                    join(&gateway, &broker, &noted);
                }
            }
        });
        Self { port, acknowledged }
    }

    /// Numbers of the events of which a PUBACK went past.
    pub(crate) fn acknowledged(&self) -> Vec<u64> {
        self.acknowledged.lock().unwrap().iter().copied().collect()
    }
}

/// Copies both ways until one end closes.
fn join(gateway: &TcpStream, broker: &TcpStream, noted: &Arc<Mutex<BTreeSet<u64>>>) {
    let under_way = Arc::new(Mutex::new(BTreeMap::new()));
    let (from, to) = (gateway.try_clone().unwrap(), broker.try_clone().unwrap());
    let sent = Arc::clone(&under_way);
    std::thread::spawn(move || {
        copy(from, to, |kind, body| {
            if let (3, Some((number, seq))) = (kind, published(body)) {
                sent.lock().unwrap().insert(number, seq);
            }
        });
    });
    let (from, to) = (broker.try_clone().unwrap(), gateway.try_clone().unwrap());
    let noted = Arc::clone(noted);
    std::thread::spawn(move || {
        copy(from, to, |kind, body| {
            if let (4, [high, low]) = (kind, body) {
                let number = u16::from_be_bytes([*high, *low]);
                if let Some(seq) = under_way.lock().unwrap().remove(&number) {
                    noted.lock().unwrap().insert(seq);
                }
            }
        });
    });
}

/// Packet number and event number of a PUBLISH at QoS 1 (MQTT 3.1.1, §3.3), if it is an event.
fn published(body: &[u8]) -> Option<(u16, u64)> {
    let topic = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let number = body.get(2 + topic..4 + topic)?;
    let payload: serde_json::Value = serde_json::from_slice(body.get(4 + topic..)?).ok()?;
    let seq = payload.get("seq")?.as_u64()?;
    Some((u16::from_be_bytes([number[0], number[1]]), seq))
}

/// Copies packet by packet, and shows each before it goes on.
fn copy(mut from: TcpStream, mut to: TcpStream, mut show: impl FnMut(u8, &[u8])) {
    let mut one = || -> std::io::Result<()> {
        let mut packet = vec![0];
        from.read_exact(&mut packet)?;
        // Remaining length, §2.2.3: seven bits a byte.
        let (mut length, mut shift) = (0, 0);
        loop {
            let mut byte = [0];
            from.read_exact(&mut byte)?;
            packet.push(byte[0]);
            length |= usize::from(byte[0] & 0x7F) << shift;
            shift += 7;
            if byte[0] < 0x80 {
                break;
            }
        }
        let head = packet.len();
        packet.resize(head + length, 0);
        from.read_exact(&mut packet[head..])?;
        show(packet[0] >> 4, &packet[head..]);
        to.write_all(&packet)
    };
    while one().is_ok() {}
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
