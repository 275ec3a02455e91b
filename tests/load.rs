//! The pages under load (`make load`): a thousand programs that listen to events and twenty live viewers, one of
//! which reads nothing, before a demonstration whose visitors come as ever. What is held: every listener hears of
//! every alert once. What is printed: how long after the frame, frames lost, memory. No test of `make test`: what
//! it prints depends on the machine.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test; a measurement reads the clock and how long it runs"
)]

#[path = "common/program.rs"]
mod program;

use futures_util::StreamExt;
use program::Program;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const LISTENERS: usize = 1000;
const VIEWERS: usize = 20;

fn number(name: &str, without: u64) -> u64 {
    std::env::var(name).map_or(without, |it| it.parse().unwrap())
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// A connection from one of this machine's addresses, fifty from each.
async fn connect(to: SocketAddr, n: usize) -> TcpStream {
    let [_, _, high, low] = u32::try_from(256 + n / 50).unwrap().to_be_bytes();
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind((Ipv4Addr::new(127, 0, high, low), 0).into())
        .unwrap();
    socket.connect(to).await.unwrap()
}

/// How long after its frame each alert was heard, ms; by alert.
type Heard = Arc<Mutex<BTreeMap<String, Vec<i64>>>>;

async fn listen(to: SocketAddr, n: usize, heard: Heard) {
    let mut stream = connect(to, n).await;
    let head = format!("GET /api/v1/events HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut bytes).await.unwrap_or(0);
        assert!(length > 0, "listener {n} was let go");
        let now = now_ms();
        text.push_str(&String::from_utf8_lossy(&bytes[..length]));
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let data = event.lines().find_map(|line| line.strip_prefix("data: {"));
            let Some(data) = data.filter(|_| event.contains("event: alert_raised")) else {
                continue;
            };
            let json: serde_json::Value = serde_json::from_str(&format!("{{{data}")).unwrap();
            let late = now - json["at"]["wall_ms"].as_i64().unwrap();
            let alert = json["alert"].as_str().unwrap().to_owned();
            heard.lock().unwrap().entry(alert).or_default().push(late);
        }
    }
}

async fn view(to: SocketAddr, n: usize, frames: Arc<AtomicU64>) {
    let mut request = format!("ws://{to}/live").into_client_request().unwrap();
    let origin = format!("http://{to}").parse().unwrap();
    request.headers_mut().insert("origin", origin);
    let stream = connect(to, n).await;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
        .await
        .unwrap();
    if n == 0 {
        // It holds the connection open and takes nothing.
        tokio::time::sleep(Duration::from_hours(24)).await;
    }
    while let Some(Ok(message)) = socket.next().await {
        if message.is_binary() {
            frames.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Most memory that the program has had, MiB.
fn peak_mib(gateway: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = status
        .lines()
        .find_map(|it| it.strip_prefix("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .next()
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

fn part(sorted: &[i64], share: f64) -> i64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[test]
#[ignore = "takes minutes: make load"]
#[allow(clippy::print_stdout, reason = "its figures are what it is for")]
fn a_thousand_listeners_and_twenty_viewers() {
    let seconds = number("MENSHEN_LOAD_SECONDS", 300);
    let folder = tempfile::tempdir().unwrap();
    let mut gateway = Program::start(folder.path(), &["demo", "--port", "0", "--folder", "data"]);
    let page = gateway.dashboard();
    let to: SocketAddr = page.address.parse().unwrap();
    let alone = peak_mib(&gateway);
    let (heard, frames) = (Heard::default(), Arc::new(AtomicU64::new(0)));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut all = tokio::task::JoinSet::new();
    // Within a few seconds, as they come back after a restart: a crowd that says nothing yet is let go.
    let breath = || std::thread::sleep(Duration::from_millis(3));
    for n in 0..LISTENERS {
        breath();
        all.spawn_on(listen(to, n, Arc::clone(&heard)), runtime.handle());
    }
    for n in 0..VIEWERS {
        breath();
        all.spawn_on(view(to, n, Arc::clone(&frames)), runtime.handle());
    }
    let before = page.json("/api/v1/state")["camera"].clone();
    std::thread::sleep(Duration::from_secs(seconds));
    let after = page.json("/api/v1/state")["camera"].clone();
    // What was raised at the very end may still be on its way.
    std::thread::sleep(Duration::from_secs(5));
    let ended = all.try_join_next();
    assert!(ended.is_none(), "somebody was let go: {ended:?}");
    let heard = heard.lock().unwrap().clone();
    let count = |camera: &serde_json::Value, what: &str| camera[what].as_u64().unwrap();
    let since = |what| count(&after, what) - count(&before, what);
    let mut late: Vec<i64> = heard.values().flatten().copied().collect();
    late.sort_unstable();
    assert!(
        !late.is_empty(),
        "nobody with a fever came within {seconds} s"
    );
    println!(
        "{seconds} s, {LISTENERS} listeners, {VIEWERS} viewers (one reads nothing)\n\
         alerts {}, heard {} times: p50 {} ms, p99 {} ms, worst {} ms after the frame\n\
         frames taken {}, lost {}, shown to viewers {}\n\
         memory at most {} MiB, {alone} MiB before they came",
        heard.len(),
        late.len(),
        part(&late, 0.5),
        part(&late, 0.99),
        part(&late, 1.0),
        since("frames"),
        since("dropped"),
        frames.load(Ordering::Relaxed),
        peak_mib(&gateway),
    );
    // Whoever came while an alert was raised need not have heard of it.
    let all_heard = heard.values().filter(|it| it.len() == LISTENERS).count();
    assert!(all_heard + 1 >= heard.len(), "{heard:?}");
    runtime.shutdown_background();
}
