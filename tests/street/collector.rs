//! `menshen street` itself, over a real Mosquitto, with the gateways' real links: whatever is killed,
//! each message is kept once, and no gate gives one up before.

use crate::common::{recorded_alert, stamp, tempfolder};
use crate::program::{Program, outcome};
use menshen::calendar::Day;
use menshen::checklist::{
    Carried, DailyReport, DayFacts, Diary, Line, Logbook, NewLine, Opening, Round, Search,
    SiteKind, SiteList, Written,
};
use menshen::clock::SimulatedClock;
use menshen::command::CommandName;
use menshen::config::checklist::newest;
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Outbox, SafeAt};
use menshen::mqtt::Address;
use menshen::mqtt::broker::{Broker, BrokerSettings};
use menshen::mqtt::dial::{Account, Network};
use menshen::mqtt::link::{self, LinkSettings, LinkState, Telling};
use menshen::mqtt::payload::{OpenAlerts, told};
use menshen::store::{Route, Store};
use menshen::street::ledger::Ledger;
use menshen::street::sqlite::SqliteLedger;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Ends a test that hangs. A gate knocks again after up to five minutes.
const PATIENCE: Duration = Duration::from_mins(8);

pub(crate) async fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !check() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "never came: {what}");
}

pub(crate) fn account(name: &str, port: u16) -> Account {
    Account {
        dial: Arc::new(Network {
            host: "127.0.0.1".to_owned(),
            port,
            tls: None,
        }),
        broker: format!("127.0.0.1:{port}"),
        client_id: name.to_owned(),
        username: None,
        password: None,
        keep_alive: Duration::from_secs(5),
    }
}

/// A gate with its store and its link.
pub(crate) struct Gate {
    pub(crate) address: Address,
    pub(crate) store: Store,
    pub(crate) state: watch::Receiver<LinkState>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
}

impl Gate {
    pub(crate) fn open(folder: &Path, building: &str, port: u16) -> Self {
        Self::open_as(folder, building, account(building, port), &[])
    }

    /// With an account of its own, and these commands allowed.
    pub(crate) fn open_as(
        folder: &Path,
        building: &str,
        account: Account,
        commands: &[CommandName],
    ) -> Self {
        let address = Address::new("dongfang", building, "main").unwrap();
        Self::at(folder, &address, account, commands)
    }

    /// Wherever it is.
    pub(crate) fn at(
        folder: &Path,
        address: &Address,
        account: Account,
        commands: &[CommandName],
    ) -> Self {
        let (address, here) = (address.clone(), address.clone());
        let route = Route {
            channel: Channel::broker(),
            address: Box::new(move |key, event| told(&here, key, event)),
        };
        let store = Store::open(&folder.join(address.building.as_str()), vec![route]).unwrap();
        let (wake, shutdown) = (Arc::new(Notify::new()), CancellationToken::new());
        let settings = LinkSettings {
            account,
            address: address.clone(),
            epoch: store.epoch(),
            version: "0.1.0".to_owned(),
            basis: "reference",
            clock: Arc::new(SimulatedClock::at(stamp(store.boot(), 1000))),
            open_alerts: watch::channel(OpenAlerts::default()).1,
            standing: watch::channel(BTreeSet::new()).1,
            checklist: watch::channel(None).1,
            follow_up: watch::channel(None).1,
            street_receipts: true,
            home_assistant: false,
            suits: Arc::new(|_| Ok(())),
            commands: commands.iter().copied().collect(),
            journal: Arc::new(store.clone()),
        };
        let (telling, state) = watch::channel(LinkState::Connecting);
        tokio::spawn(link::run(
            settings,
            Arc::new(store.clone()),
            Arc::clone(&wake),
            Telling {
                state: telling,
                silent: watch::Sender::default(),
            },
            shutdown.clone(),
        ));
        Self {
            address,
            store,
            state,
            wake,
            shutdown,
        }
    }

    pub(crate) fn record(&self, tracks: std::ops::RangeInclusive<u64>) {
        for track in tracks {
            recorded_alert(&self.store, track);
            self.wake.notify_one();
        }
    }

    /// Messages that no receipt has named.
    pub(crate) fn waiting(&self) -> usize {
        let all = self.store.waiting(
            &Channel::broker(),
            SafeAt::Street,
            MessageNumber(0),
            100_000,
        );
        all.unwrap().len()
    }

    /// Numbers that the street has.
    pub(crate) fn kept(&self, ledger: &dyn Ledger) -> Vec<u64> {
        // PostgreSQL's client must not wait on a thread of the runtime.
        let kept = tokio::task::block_in_place(|| {
            ledger.messages(&self.address, &self.store.epoch()).unwrap()
        });
        kept.iter().map(|it| it.number.0).collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Writes the street's configuration.
pub(crate) fn configure(folder: &Path, port: u16, more: &str) {
    let text = format!("[street]\nid = \"dongfang\"\n{more}\n[mqtt]\nport = {port}\n");
    std::fs::write(folder.join("street.toml"), text).unwrap();
}

pub(crate) fn collect(folder: &Path) -> Program {
    let mut program = Program::start(folder, &["street"]);
    program.wait("a collector", |it| {
        it.err().contains("collecting").then_some(())
    });
    program
}

/// For lasting sessions of a collector that is away: no bound that a test could reach.
pub(crate) fn broker(folder: &Path) -> Broker {
    let settings = BrokerSettings {
        more: "max_queued_messages 100000".to_owned(),
        ..BrokerSettings::default()
    };
    Broker::start_with(&folder.join("broker"), &settings).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let folder = tempfolder();
    let broker = broker(folder.path());
    configure(folder.path(), broker.port(), "");
    let ledger_file = folder.path().join("street.db");
    let mut collector = collect(folder.path());
    let gates: Vec<Gate> = (0..3)
        .map(|it| Gate::open(folder.path(), &format!("no-{it}"), broker.port()))
        .collect();
    let ledger = SqliteLedger::open(&ledger_file).unwrap();
    let total = || {
        gates
            .iter()
            .map(|gate| gate.kept(&ledger).len())
            .sum::<usize>()
    };
    for round in 0..10 {
        let before = total();
        for gate in &gates {
            gate.record(round * 30 + 1..=round * 30 + 30);
        }
        // Somewhere in the middle of what this round brings, each time elsewhere.
        let part = 1 + (round as usize * 7) % 60;
        eventually("a part kept", || total() >= before + part).await;
        collector.kill();
        collector = collect(folder.path());
    }
    let all: Vec<u64> = (1..=300).collect();
    for gate in &gates {
        eventually("everything acknowledged", || gate.waiting() == 0).await;
        assert_eq!(gate.kept(&ledger), all);
    }
    assert!(ledger.quarantine(9).unwrap().is_empty());
}

/// Against: a broker that is restarted in mid-flight and keeps nothing, neither what it acknowledged nor
/// who was subscribed. What it lost, the street's receipts show; few restarts in `make test`, two hundred in
/// `make torture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_forgets_everything_again_and_again_loses_and_doubles_nothing() {
    const ALERTS: u64 = 40;
    let restarts = std::env::var("MENSHEN_TEST_RESTARTS").map_or(8, |it| it.parse().unwrap());
    let folder = tempfolder();
    let mut broker = broker(folder.path());
    configure(folder.path(), broker.port(), "");
    let _collector = collect(folder.path());
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let gate = Gate::open(folder.path(), "no-1", broker.port());
    let saved = || gate.store.count(&Channel::broker()).unwrap().saved;
    for restart in 0..restarts {
        let before = restart * ALERTS;
        gate.record(before + 1..=before + ALERTS);
        // Somewhere in the middle of what this round brings, each time elsewhere.
        let left = ALERTS - 1 - restart * 7 % (ALERTS - 1);
        eventually("a part accepted", || saved() <= left).await;
        broker.kill().unwrap();
        broker.restart().unwrap();
    }
    let all: Vec<u64> = (1..=restarts * ALERTS).collect();
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    assert_eq!(gate.kept(&ledger), all);
    assert!(ledger.quarantine(9).unwrap().is_empty());
    assert_eq!(gate.store.count(&Channel::broker()).unwrap().parked, 0);
    println!("{restarts} restarts: {} messages kept once each", all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_kept_and_acknowledged_as_an_alert_is() {
    let folder = tempfolder();
    let broker = broker(folder.path());
    configure(folder.path(), broker.port(), "");
    let _collector = collect(folder.path());
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let gate = Gate::open(folder.path(), "no-1", broker.port());
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
    let now = stamp(gate.store.boot(), 1000);
    gate.record(1..=1);
    let line = NewLine {
        date,
        by: None,
        at: now,
        line: Line::Submitted(Box::new(report)),
    };
    let write = |_: &[Written]| vec![line.clone()];
    Logbook::write(&gate.store, &Search::day(date), &mut { write }).unwrap();
    gate.record(2..=2);
    let parts = gate.store.lines(&Search::day(date)).unwrap();
    let Line::Submitted(report) = &parts[0].line else {
        panic!("{parts:?}");
    };
    let last = 2 + report.parts().len() as u64;
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    assert_eq!(gate.kept(&ledger), (1..=last).collect::<Vec<u64>>());
    assert!(ledger.quarantine(9).unwrap().is_empty());
    let carried = gate.store.carried(parts[0].number).unwrap();
    assert!(matches!(carried, Carried::Received(Some(_))), "{carried:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collectors_side_by_side_share_the_work_and_what_one_had_when_it_died_comes_again() {
    let folder = tempfolder();
    let broker = broker(folder.path());
    configure(folder.path(), broker.port(), "beside_others = true");
    let first = collect(folder.path());
    let _second = collect(folder.path());
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let gate = Gate::open(folder.path(), "no-1", broker.port());
    gate.record(1..=200);
    eventually("a part kept", || gate.kept(&ledger).len() > 50).await;
    first.kill();
    gate.record(201..=300);
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    assert_eq!(gate.kept(&ledger), (1..=300).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_among_the_messages_holds_nothing_up() {
    let folder = tempfolder();
    let broker = broker(folder.path());
    configure(folder.path(), broker.port(), "");
    let _collector = collect(folder.path());
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let gate = Gate::open(folder.path(), "no-1", broker.port());
    let mut voice = Voice::begin(broker.port()).await;
    let event = |part: &str| format!("menshen/v1/dongfang/no-1/{part}");
    let alert = event("main/event/alert");
    let epoch = gate.store.epoch().0;
    for (topic, payload) in [
        (alert.clone(), "no json".to_owned()),
        (alert.clone(), "[".repeat(5000)),
        (
            event("side/event/alert"),
            format!(r#"{{"v":1,"epoch":"{epoch}","seq":1,"gate":"main"}}"#),
        ),
        (alert.clone(), " ".repeat(40_000)),
        (alert.clone(), r#"{"v":1,"epoch":"a b","seq":1}"#.to_owned()),
    ] {
        voice.publish(&topic, payload.as_bytes()).await;
    }
    eventually("five in quarantine", || {
        ledger.quarantine(9).unwrap().len() == 5
    })
    .await;
    gate.record(1..=50);
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    // What no client of ours can read ends the connection, and is not sent again for ever.
    voice.publish(&alert, "x".repeat(200_000).as_bytes()).await;
    gate.record(51..=100);
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    assert_eq!(gate.kept(&ledger), (1..=100).collect::<Vec<u64>>());
    assert_eq!(ledger.quarantine(9).unwrap().len(), 5);
}

/// Somebody at the broker who says what no gate does.
struct Voice(tokio::net::TcpStream);

impl Voice {
    async fn begin(port: u16) -> Self {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        // CONNECT, clean session, no keep-alive, client "voice" (MQTT 3.1.1, §3.1).
        let connect = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05voice";
        stream.write_all(connect).await.unwrap();
        let mut welcome = [0; 4];
        stream.read_exact(&mut welcome).await.unwrap();
        assert_eq!(welcome, [0x20, 2, 0, 0]);
        Self(stream)
    }

    /// PUBLISH at QoS 1, and its PUBACK.
    async fn publish(&mut self, topic: &str, payload: &[u8]) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut packet = vec![0x32];
        let mut length = 2 + topic.len() + 2 + payload.len();
        while length >= 128 {
            packet.push(u8::try_from(length % 128).unwrap() | 0x80);
            length /= 128;
        }
        packet.push(u8::try_from(length).unwrap());
        packet.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        packet.extend(topic.as_bytes());
        packet.extend([0, 1]);
        packet.extend(payload);
        self.0.write_all(&packet).await.unwrap();
        let mut answer = [0; 4];
        self.0.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, [0x40, 2, 0, 1]);
    }
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_what_to_do() {
    let folder = tempfolder();
    for (text, says) in [
        ("[street]\n", "id"),
        (
            "[street]\nid = \"d\"\ncolour = \"x\"\n",
            "unknown field `colour`",
        ),
        (
            "[street]\nid = \"d\"\n[mqtt]\nca_file = \"a\"\n",
            "tls is not on",
        ),
        (
            "[street]\nid = \"d\"\n[mqtt]\npassword_file = \"a\"\n",
            "username",
        ),
        ("[street]\nid = \"東方\"\n", "pinyin"),
        (
            "[street]\nid = \"d\"\n[ledger]\nfile = \"a\"\nurl = \"b\"\n",
            "both a file and a url",
        ),
        (
            "[street]\nid = \"d\"\n[ledger]\npassword_file = \"a\"\n",
            "without a url",
        ),
        (
            "[street]\nid = \"d\"\n[ledger]\nurl = \"postgres://s@db.example/s\"\n",
            "tls = true",
        ),
        (
            "[street]\nid = \"d\"\n[ledger]\nurl = \"postgres://s:secret@localhost/s\"\n",
            "password_file",
        ),
    ] {
        std::fs::write(folder.path().join("street.toml"), text).unwrap();
        let (code, _, err) = outcome(folder.path(), &["street"]);
        assert_eq!(code, Some(1), "{text}: {err}");
        assert!(err.contains(says), "{text}: {err}");
    }
}
