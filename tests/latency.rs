//! How long it takes from a frame to the screen at the door, to the lamp or loudspeaker and to the broker,
//! while the machine is busy with something else. It measures and asserts nothing of time: run it on the machine that you ask about,
//!
//!     cargo test --release --test latency -- --ignored --nocapture
//!
//! Both ends are on this machine, so that one wall clock stamps the frame and the arrival. The load is one
//! thread that computes for each processor, and one that writes and syncs all the time (without it:
//! `MENSHEN_TEST_IDLE=1`). The picture's way ends where the browser would have it; painting it is not in here.
//! The alert's way ends where it stands in a real browser's page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement prints what it finds, by the machine's own clock"
)]

#[path = "common/browser.rs"]
mod browser;
#[path = "common/program.rs"]
mod program;

use browser::{Browser, DESK};
use menshen::mqtt::broker::Broker;
use program::{Dashboard, Program};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, connect};

/// Feverish visitors, one after the other: as many alerts.
const VISITORS: usize = 60;

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Milliseconds since a moment on the wire.
fn since(at: &serde_json::Value) -> i64 {
    let at: jiff::Timestamp = at.as_str().unwrap().parse().unwrap();
    now_ms() - at.as_millisecond()
}

/// Median, 99th percentile and largest.
fn summary(what: &str, mut ms: Vec<i64>) -> String {
    ms.sort_unstable();
    let part = |share: f64| ms[((ms.len() - 1) as f64 * share).round() as usize];
    format!(
        "{what:<28} n {:>5}   p50 {:>4} ms   p99 {:>4} ms   max {:>4} ms",
        ms.len(),
        part(0.5),
        part(0.99),
        part(1.0)
    )
}

/// Keeps the processors and the disk busy until it is dropped.
struct Load(Arc<AtomicBool>);

impl Load {
    fn start(folder: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for _ in 0..thread::available_parallelism().unwrap().get() {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut number = 1_u64;
                while !stop.load(Ordering::Relaxed) {
                    number = black_box(number.wrapping_mul(6_364_136_223_846_793_005) | 1);
                }
            });
        }
        let (file, ours) = (folder.join("load"), Arc::clone(&stop));
        thread::spawn(move || {
            let block = vec![7; 1 << 20];
            while !ours.load(Ordering::Relaxed) {
                let mut file = fs::File::create(&file).unwrap();
                file.write_all(&block).unwrap();
                file.sync_all().unwrap();
            }
        });
        Self(stop)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn scenario() -> String {
    let mut text = "name = \"queue\"\nseed = 3\nduration_s = 3600.0\n[room]\nambient_c = 22.0\n\
        [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n"
        .to_owned();
    for n in 0..VISITORS {
        let arrive = 1.0 + 6.0 * n as f64;
        let _ = write!(
            text,
            "[[visitor]]\narrive_s = {arrive:?}\nenter = \"left\"\nleave = \"right\"\nwalk_s = 1.5\n\
             stand_s = 2.5\ndistance_m = 0.72\nlateral_m = 0.04\ncore_c = 39.2\n"
        );
    }
    text
}

/// The age of each picture when a viewer has it.
fn watch_screen(page: &Dashboard) -> Arc<Mutex<Vec<i64>>> {
    let address = &page.address;
    let mut request = format!("ws://{address}/live")
        .into_client_request()
        .unwrap();
    let origin = format!("http://{address}").parse().unwrap();
    request.headers_mut().insert("Origin", origin);
    let cookie = page.cookie.parse().unwrap();
    request.headers_mut().insert("Cookie", cookie);
    let (mut socket, _) = connect(request).unwrap();
    let ages = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&ages);
    thread::spawn(move || {
        while let Ok(message) = socket.read() {
            if let Message::Binary(bytes) = message {
                let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
                let head: serde_json::Value =
                    serde_json::from_slice(&bytes[4..4 + length]).unwrap();
                noted.lock().unwrap().push(since(&head["at"]));
            }
        }
    });
    ages
}

/// A program in the place of lamp and loudspeaker, which notes when it was started and with what.
fn hook(folder: &Path) {
    let script = "#!/bin/sh\ncd \"${0%/*}\"\nnow=$(date +%s%3N)\n\
                  [ \"$1\" = alert_raised ] && echo \"$now $(cat)\" >>called\n";
    let path = folder.join("hook");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// The age of each raised alert when that program has started.
fn hooked(folder: &Path) -> Vec<i64> {
    let called = fs::read_to_string(folder.join("called")).unwrap();
    let age = |line: &str| {
        let (now, json) = line.split_once(' ').unwrap();
        let notice: serde_json::Value = serde_json::from_str(json).unwrap();
        let at: jiff::Timestamp = notice["at"].as_str().unwrap().parse().unwrap();
        now.parse::<i64>().unwrap() - at.as_millisecond()
    };
    called.lines().map(age).collect()
}

/// The age of each raised alert when a subscriber has it.
fn watch_broker(port: u16) -> Arc<Mutex<Vec<i64>>> {
    let (client, mut connection) = Client::new(MqttOptions::new("latency", "127.0.0.1", port), 16);
    client.subscribe("#", QoS::AtLeastOnce).unwrap();
    let ages = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&ages);
    thread::spawn(move || {
        let _client = client;
        for event in connection.iter() {
            let Ok(Event::Incoming(Packet::Publish(publish))) = event else {
                continue;
            };
            let payload: serde_json::Value = serde_json::from_slice(&publish.payload).unwrap();
            if payload["kind"] == "raised" && publish.topic.ends_with("/event/alert") {
                noted.lock().unwrap().push(since(&payload["at"]));
            }
        }
    });
    ages
}

/// The guard's page in a browser, which notes how old each alert is when its card comes to stand in it. One that
/// was there before the page was is none of those.
fn watch_page(page: &Dashboard) -> Browser {
    let browser = Browser::start();
    let (name, value) = page.cookie.split_once('=').unwrap();
    let url = format!("http://{}/", page.address);
    let cookie = serde_json::json!({ "name": name, "value": value, "url": url });
    browser.devtools("Network.setCookie", &cookie);
    let address: SocketAddr = page.address.parse().unwrap();
    browser.open(address, "/", DESK);
    browser.until("document.body.dataset.ready === 'yes'");
    browser.eval(
        "(() => { window.ages = []; \
         const open = () => [...document.querySelectorAll('#pending article.open')]; \
         const seen = new Set(open().map(it => it.id)); new MutationObserver(() => { \
         for (const it of open()) { \
           if (seen.has(it.id)) continue; seen.add(it.id); \
           window.ages.push(Date.now() - Date.parse(it.querySelector('time').dateTime)); } \
         }).observe(document.getElementById('pending'), { childList: true, subtree: true }); return true; })()",
    );
    browser
}

#[test]
#[ignore = "a measurement of six minutes; see the top of this file"]
fn frame_to_screen_to_lamp_and_to_broker_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    fs::write(folder.path().join("queue.toml"), scenario()).unwrap();
    fs::write(
        folder.path().join("site.toml"),
        format!(
            "[camera]\nsource = \"simulator\"\nscenario = \"queue.toml\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n\
             [alerts]\nhook = \"{}/hook\"\n\
             [mqtt]\nenabled = true\nhost = \"127.0.0.1\"\nport = {}\n",
            folder.path().display(),
            broker.port()
        ),
    )
    .unwrap();
    hook(folder.path());
    let alerts = watch_broker(broker.port());
    let _load = std::env::var_os("MENSHEN_TEST_IDLE")
        .is_none()
        .then(|| Load::start(folder.path()));
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    let page = gateway.dashboard();
    let frames = watch_screen(&page);
    let browser = watch_page(&page);
    // `wait` gives up after two minutes: so in parts.
    for part in 1..=6 {
        gateway.wait("alerts at the broker", |_| {
            (alerts.lock().unwrap().len() >= VISITORS * part / 6).then_some(())
        });
    }
    println!(
        "{}",
        summary("frame to screen", frames.lock().unwrap().clone())
    );
    let shown = browser.eval("window.ages");
    let shown = shown.as_array().unwrap();
    let shown = shown.iter().map(|it| it.as_i64().unwrap()).collect();
    println!("{}", summary("frame to page (alert)", shown));
    println!(
        "{}",
        summary("frame to lamp (alert)", hooked(folder.path()))
    );
    println!(
        "{}",
        summary("frame to broker (alert)", alerts.lock().unwrap().clone())
    );
}
