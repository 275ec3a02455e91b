//! What must not wait: the local alarm and the page while the disk hangs, the steps of an alert that nobody
//! takes, and a notifier, all in a whole gateway with a simulated lobby.
//!
//! Nothing is timed: each test waits for what must come, while what must not matter is held fast.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "common/program.rs"]
mod program;

use menshen::alert::{Alert, AlertState};
use menshen::clock::{Clock, SystemClock};
use menshen::command::Notice;
use menshen::config::Config;
use menshen::detect::OnnxDetector;
use menshen::event::Event;
use menshen::id::{AlertId, Sequence};
use menshen::journal::{Journal, JournalError, Recorded, Unfinished};
use menshen::mqtt::broker::Broker;
use menshen::pipeline::gateway::Gateway;
use menshen::pipeline::source::open_camera;
use menshen::screening::Screening;
use menshen::store::Store;
use menshen::web::{Entrance, Mode};
use program::{Dashboard, Program, Subscriber};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A lobby with its reference, for longer than any test; one feverish visitor comes at once.
const FEVER: &str = "name = \"lobby\"\nseed = 3\nduration_s = 600.0\n\
    [room]\nambient_c = 22.0\n\
    [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n\
    [[visitor]]\narrive_s = 0.5\nenter = \"left\"\nleave = \"right\"\nwalk_s = 1.5\n\
    stand_s = 5.0\ndistance_m = 0.72\nlateral_m = 0.04\ncore_c = 39.2\n";

/// A store that writes only when it is let.
struct Held {
    store: Store,
    shut: Mutex<bool>,
    changed: Condvar,
}

impl Held {
    fn release(&self) {
        *self.shut.lock().unwrap() = false;
        self.changed.notify_all();
    }
}

impl Journal for Held {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>, JournalError> {
        let shut = self.shut.lock().unwrap();
        drop(self.changed.wait_while(shut, |shut| *shut).unwrap());
        self.store.record(events)
    }

    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, JournalError> {
        self.store.alerts(limit)
    }

    fn alert(&self, id: AlertId) -> Result<Alert, JournalError> {
        self.store.alert(id)
    }

    fn tally(
        &self,
        since: i64,
        unsaved: &[Screening],
    ) -> Result<Vec<(String, Option<String>, u64)>, JournalError> {
        self.store.tally(since, unsaved)
    }

    fn since(&self, event: Option<Sequence>, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        self.store.since(event, limit)
    }

    fn notices(&self, at_wall_ms: i64) -> Result<Vec<Notice>, JournalError> {
        self.store.notices(at_wall_ms)
    }

    fn unfinished(&self) -> Result<Unfinished, JournalError> {
        self.store.unfinished()
    }
}

/// Looks again and again until there is something; after two minutes a test hangs.
fn wait<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6000 {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("what must come does not come");
}

/// A program that writes down with what it was called.
fn hook(folder: &Path) {
    let script = format!(
        "#!/bin/sh\ncd {}\nprintf '%s ' \"$1\" >>called\ncat >>called\necho >>called\n",
        folder.display()
    );
    let path = folder.join("hook");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// A configuration for the simulated visitor in this folder.
fn configuration(folder: &Path, more: &str) -> String {
    fs::write(folder.join("fever.toml"), FEVER).unwrap();
    let here = folder.display();
    format!(
        "[camera]\nsource = \"simulator\"\nscenario = \"{here}/fever.toml\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"{here}/data\"\n{more}"
    )
}

#[test]
fn a_hanging_disk_holds_up_neither_alarm_nor_page_nor_whoever_acts() {
    let folder = tempfile::tempdir().unwrap();
    hook(folder.path());
    let alerts = format!("[alerts]\nhook = \"{}/hook\"\n", folder.path().display());
    let text = configuration(folder.path(), &alerts);
    let config = Config::parse(&text, "site.toml").unwrap();
    let store = Store::open(&config.store.folder, Vec::new()).unwrap();
    let journal = Arc::new(Held {
        store: store.clone(),
        shut: Mutex::new(true),
        changed: Condvar::new(),
    });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(store.boot()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let page = Dashboard {
        address: listener.local_addr().unwrap().to_string(),
        cookie: String::new(),
    };
    let gateway = Gateway {
        open_camera: open_camera(&config.camera, Arc::clone(&clock), store.boot()).unwrap(),
        detector: OnnxDetector::built_in().unwrap(),
        journal: Arc::<Held>::clone(&journal),
        store: store.clone(),
        clock,
        pages: menshen::web::Pages {
            listener,
            transport: menshen::web::Transport::Plain,
            metrics: None,
        },
        entrance: Entrance::Demo,
        mode: Mode::Demo,
        settings: None,
        observe: Arc::new(|_| {}),
        config,
    };
    let stop = CancellationToken::new();
    let running = runtime.spawn(gateway.run(stop.clone()));

    // The alarm, with what it needs and no more.
    let called = wait(|| {
        let called = fs::read_to_string(folder.path().join("called")).ok()?;
        let line = called.lines().find(|it| it.starts_with("alert_raised "))?;
        line.ends_with('}').then(|| line.to_owned())
    });
    let json: serde_json::Value = serde_json::from_str(called.split_once(' ').unwrap().1).unwrap();
    let id = json["id"].as_str().unwrap().to_owned();
    // The page, first with the alert and then with the word that it is not saved.
    wait(|| {
        page.get("/alerts")
            .contains(&format!("id=\"alert-{id}\" class=\"alert open\""))
            .then_some(())
    });
    wait(|| page.get("/alerts").contains("not saved yet").then_some(()));
    let shown = page.alerts();
    assert_eq!((shown.len(), &shown[0]["saved"]), (1, &false.into()));
    // Staff act, and the lamp hears of it.
    let taken = page.post(
        &format!("/alerts/{id}/acknowledge"),
        "by=%E7%8E%8B%E8%8A%B3",
    );
    assert_eq!(taken, (303, format!("/#alert-{id}")));
    assert_eq!(page.alerts()[0]["state"]["code"], "acknowledged");
    wait(|| {
        let called = fs::read_to_string(folder.path().join("called")).unwrap();
        called.contains("alert_acknowledged {").then_some(())
    });
    // All that while nothing was on the disk.
    assert!(store.events(Sequence(0), 10).unwrap().is_empty());

    journal.release();
    let saved = wait(|| store.alerts(10).unwrap().pop());
    assert!(matches!(&saved.state, AlertState::Acknowledged { by, .. } if by == "王芳"));
    wait(|| (!page.get("/alerts").contains("not saved yet")).then_some(()));
    stop.cancel();
    runtime.block_on(running).unwrap().unwrap();
    let events = store.events(Sequence(0), 1000).unwrap();
    let count = |kind| events.iter().filter(|it| it.event.kind() == kind).count();
    assert_eq!((count("alert_raised"), count("alert_acknowledged")), (1, 1));
    let called = fs::read_to_string(folder.path().join("called")).unwrap();
    assert!(!called.contains("王芳"), "{called}");
}

#[test]
fn an_alert_that_nobody_takes_climbs_once_also_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("broker"))
        .unwrap_or_else(|error| panic!("no broker to test with: {error}"));
    let street = Subscriber::start(broker.port(), "#");
    let mqtt = format!(
        "[mqtt]\nenabled = true\nhost = \"127.0.0.1\"\nport = {}\n",
        broker.port()
    );
    // Steps after a second or so, and the last one only after the restart.
    let steps = "[alerts]\nreminder_min = 0.01\nmanager_min = 0.02\nstreet_min = ";
    let write = |street_min: f64| {
        let more = format!("{steps}{street_min:?}\n{mqtt}");
        fs::write(
            folder.path().join("site.toml"),
            configuration(folder.path(), &more),
        )
        .unwrap();
    };
    write(0.0);
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    let page = gateway.dashboard();
    let id = gateway.wait("the word for the manager", |_| {
        Some(street.kind("/event/alert", "manager").pop()?["id"].clone())
    });
    let told = "data-level=\"manager\"";
    gateway.wait("the word on the page", |_| {
        page.get("/alerts").contains(told).then_some(())
    });
    assert_eq!(page.alerts()[0]["told"]["code"], "manager");
    gateway.kill();

    // The visitor comes once more with the start, so the old alert is told from the new one by its id.
    write(0.02);
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    // What was sent and not noted before the kill is sent again under its number.
    let of = |kind: &str| {
        let all = street.kind("/event/alert", kind);
        let ours = all.into_iter().filter(|it| it["id"] == id);
        let numbers: BTreeSet<u64> = ours.map(|it| it["seq"].as_u64().unwrap()).collect();
        numbers.len()
    };
    gateway.wait("the word for the street", |_| {
        (of("street") > 0).then_some(())
    });
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    street.settle("settled/1");
    assert_eq!([of("reminder"), of("manager"), of("street")], [1, 1, 1]);
}

/// Takes what is posted, and gives each body.
fn server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    thread::spawn(move || {
        for guest in listener.incoming() {
            let mut guest = BufReader::new(guest.unwrap());
            let (mut length, mut line) = (0, String::new());
            while guest.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_lowercase();
                if let Some(value) = lower.strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            guest.read_exact(&mut body).unwrap();
            ear.lock().unwrap().push(String::from_utf8(body).unwrap());
            let taken = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
            guest.get_mut().write_all(taken).unwrap();
        }
    });
    (port, heard)
}

#[test]
fn a_webhook_hears_of_an_alert_and_its_address_is_in_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let (port, heard) = server();
    fs::write(
        folder.path().join("address"),
        format!("http://127.0.0.1:{port}/hush\n"),
    )
    .unwrap();
    let here = folder.path().display();
    let more = format!("[notify_webhook]\nurl_file = \"{here}/address\"\n");
    fs::write(
        folder.path().join("site.toml"),
        configuration(folder.path(), &more),
    )
    .unwrap();
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    let raised: serde_json::Value = gateway.wait("the alert at the webhook", |_| {
        let heard = heard.lock().unwrap();
        let raised = heard.iter().find(|it| it.contains("\"alert_raised\""))?;
        Some(serde_json::from_str(raised).unwrap())
    });
    let page = gateway.dashboard();
    let alert = page.alerts().pop().unwrap();
    assert_eq!((&raised["v"], &raised["id"]), (&1.into(), &alert["id"]));
    assert!(!raised.to_string().contains("_c\""), "{raised}");
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    assert!(!gateway.err().contains("hush"), "{}", gateway.err());
}

#[test]
fn a_gateway_with_an_address_that_is_none_says_so_and_keeps_it_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("address"), "http://example.com/hush\n").unwrap();
    let here = folder.path().display();
    let more = format!("[notify_wecom]\nurl_file = \"{here}/address\"\n");
    fs::write(
        folder.path().join("site.toml"),
        configuration(folder.path(), &more),
    )
    .unwrap();
    let (code, _, err) = program::outcome(folder.path(), &["run", "--config", "site.toml"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("https://qyapi.weixin.qq.com/")
            && err.contains("hint: ")
            && !err.contains("hush"),
        "{err}"
    );
}
