//! Several collectors on one PostgreSQL, a database that goes away, and orders that go down to the gates.

use crate::Place;
use crate::collector::{Gate, account, broker, collect, configure, eventually};
use crate::common::tempfolder;
use crate::database::Server;
use crate::program::outcome;
use menshen::command::CommandName;
use menshen::id::Channel;
use menshen::journal::{Journal, Outbox};
use menshen::mqtt::Heard;
use menshen::street::record::Outcome;
use std::time::Duration;
use tokio::task::block_in_place;

/// Against: two collectors that deal with one site, die in the middle of what they do, and a broker that
/// forgets what it had. Few deaths in `make test`, two hundred in `make torture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collectors_of_one_database_that_are_killed_in_turn_lose_and_double_nothing() {
    const ALERTS: u64 = 20;
    let kills = std::env::var("MENSHEN_TEST_COLLECTORS").map_or(10, |it| it.parse().unwrap());
    let server = Server::start();
    let folder = tempfolder();
    let mut broker = broker(folder.path());
    let url = server.url();
    let more = format!("beside_others = true\n[ledger]\nurl = \"{url}\"");
    configure(folder.path(), broker.port(), &more);
    let mut collectors = vec![collect(folder.path()), collect(folder.path())];
    let ledger = server.open();
    let gates: Vec<Gate> = (0..3)
        .map(|it| Gate::open(folder.path(), &format!("no-{it}"), broker.port()))
        .collect();
    let total = || block_in_place(|| ledger.counts().unwrap().messages);
    for kill in 0..kills {
        let before = total();
        for gate in &gates {
            gate.record(kill * ALERTS + 1..=kill * ALERTS + ALERTS);
        }
        // Somewhere in the middle of what this round brings, each time elsewhere.
        let part = 1 + kill * 7 % (ALERTS * 2);
        eventually("a part kept", || total() >= before + part).await;
        tokio::time::sleep(Duration::from_micros(kill * 977 % 20_000)).await;
        collectors.remove(0).kill();
        if kill % 5 == 4 {
            broker.kill().unwrap();
            broker.restart().unwrap();
        }
        collectors.push(collect(folder.path()));
    }
    let all: Vec<u64> = (1..=kills * ALERTS).collect();
    for gate in &gates {
        eventually("everything acknowledged", || gate.waiting() == 0).await;
        assert_eq!(gate.kept(&*ledger), all);
        assert_eq!(gate.store.count(&Channel::broker()).unwrap().parked, 0);
    }
    assert!(block_in_place(|| ledger.quarantine(9).unwrap()).is_empty());
    println!("{kills} kills: {} messages kept once each", total());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_costs_time_and_nothing_else() {
    let mut server = Server::start();
    let folder = tempfolder();
    let broker = broker(folder.path());
    let more = format!("[ledger]\nurl = \"{}\"", server.url());
    configure(folder.path(), broker.port(), &more);
    let mut collector = collect(folder.path());
    let ledger = server.open();
    let gate = Gate::open(folder.path(), "no-1", broker.port());
    gate.record(1..=50);
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    server.kill();
    gate.record(51..=100);
    let saved = || gate.store.count(&Channel::broker()).unwrap().saved;
    eventually("everything at the broker", || saved() == 0).await;
    collector.wait("why nothing is collected", |it| {
        it.err().contains("nothing is collected").then_some(())
    });
    // A server that accepts and one that is away look different, and either is waited for.
    assert!(collector.err().contains("127.0.0.1/street"));
    assert_eq!(gate.waiting(), 50);
    server.restart();
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    assert_eq!(gate.kept(&*ledger), (1..=100).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_goes_down_to_each_site_and_each_answers() {
    let server = Server::start();
    let folder = tempfolder();
    let broker = broker(folder.path());
    let more = format!("[ledger]\nurl = \"{}\"", server.url());
    configure(folder.path(), broker.port(), &more);
    let _collector = collect(folder.path());
    let ledger = server.open();
    let open = |building: &str, commands: &[CommandName]| {
        let account = account(building, broker.port());
        Gate::open_as(folder.path(), building, account, commands)
    };
    let one = open("no-1", &[CommandName::Notice]);
    let _deaf = open("no-2", &[]);
    let _other = open("no-3", &[CommandName::Announce]);
    let known = || block_in_place(|| ledger.counts().unwrap().sites);
    eventually("all sites known", || known() == 3).await;
    let text = "明天九点全楼消毒";
    let (code, out, err) = outcome(
        folder.path(),
        &[
            "street",
            "notice",
            text,
            "--site",
            "no-1/main",
            "--site",
            "no-9/main",
        ],
    );
    assert_eq!(code, Some(0), "{err}");
    assert!(out.ends_with("to 2 sites\n"), "{out}");
    let outcomes = || {
        let orders = block_in_place(|| ledger.orders(1).unwrap());
        let errands = orders.into_iter().flat_map(|(_, errands)| errands);
        errands.map(|it| it.outcome).collect::<Vec<_>>()
    };
    eventually("an answer", || {
        matches!(outcomes()[0], Outcome::Done { .. })
    })
    .await;
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap();
    let shown = one.store.notices(now).unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].text.as_str(), text);
    let day = 24 * 3_600_000;
    assert!(one.store.notices(now + day).unwrap().is_empty());
    assert!(one.store.notices(now - day).unwrap().is_empty());
    // Who was away when it was sent is told when it comes back, well before it would be sent again.
    assert_eq!(outcomes()[1], Outcome::Waiting);
    let late = open("no-9", &[CommandName::Notice]);
    eventually("an answer", || {
        matches!(outcomes()[1], Outcome::Done { .. })
    })
    .await;
    assert_eq!(late.store.notices(now).unwrap(), shown);
    // To everybody: who does not follow such commands says so.
    let (code, out, err) = outcome(
        folder.path(),
        &["street", "notice", "again", "--hours", "1"],
    );
    assert_eq!(code, Some(0), "{err}");
    assert!(out.ends_with("to 4 sites\n"), "{out}");
    let refused = |it: &Outcome| matches!(it, Outcome::Refused { why, .. } if why == "not_allowed");
    // Of those who listen to no commands at all, nothing is ever heard.
    eventually("three answers", || {
        let all = outcomes();
        let done = all
            .iter()
            .filter(|it| matches!(it, Outcome::Done { .. }))
            .count();
        (done, all.iter().filter(|it| refused(it)).count()) == (2, 1)
    })
    .await;
    let (code, out, err) = outcome(folder.path(), &["street", "orders"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("dongfang/no-3/main refused: not_allowed"),
        "{out}"
    );
    assert!(out.contains("dongfang/no-2/main waits"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_list_goes_down_and_is_kept_by_who_takes_it() {
    let server = Server::start();
    let folder = tempfolder();
    let broker = broker(folder.path());
    let more = format!("[ledger]\nurl = \"{}\"", server.url());
    configure(folder.path(), broker.port(), &more);
    let _collector = collect(folder.path());
    let ledger = server.open();
    let open = |building: &str, commands: &[CommandName]| {
        let account = account(building, broker.port());
        Gate::open_as(folder.path(), building, account, commands)
    };
    let one = open("no-1", &[CommandName::Template]);
    let _deaf = open("no-2", &[CommandName::Notice]);
    let known = || block_in_place(|| ledger.counts().unwrap().sites);
    eventually("both sites known", || known() == 2).await;
    let shipped = include_str!("../../src/checklist/templates/office.toml");
    let newer = shipped.replace("version = 1\n", "version = 2\n");
    std::fs::write(folder.path().join("office-2.toml"), &newer).unwrap();
    std::fs::write(folder.path().join("office-1.toml"), shipped).unwrap();
    let sites = ["--site", "no-1/main", "--site", "no-2/main"];
    let send = |file: &str, sites: &[&str]| {
        outcome(
            folder.path(),
            &[&["street", "template", file], sites].concat(),
        )
    };
    for (file, to, why) in [
        ("office-1.toml", &sites[..], "version = 2"),
        ("street.toml", &sites[..], "street.toml"),
        ("office-2.toml", &[][..], "no site of the kind office"),
    ] {
        let (code, _, err) = send(file, to);
        assert!(code == Some(1) && err.contains(why), "{file}: {err}");
    }
    let (code, out, err) = send("office-2.toml", &sites);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.ends_with("to 2 sites\n"), "{out}");
    let outcomes = || {
        let orders = block_in_place(|| ledger.orders(1).unwrap());
        let errands = orders.into_iter().flat_map(|(_, errands)| errands);
        errands.map(|it| it.outcome).collect::<Vec<_>>()
    };
    eventually("two answers", || {
        let all = outcomes();
        matches!(all[0], Outcome::Done { .. })
            && matches!(&all[1], Outcome::Refused { why, .. } if why == "not_allowed")
    })
    .await;
    assert_eq!(one.store.sent_templates().unwrap(), [newer]);
}

/// The load generator's own count agrees with the street's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_gateways_are_collected_like_any_other() {
    let server = Server::start();
    let folder = tempfolder();
    let broker = broker(folder.path());
    let more = format!("beside_others = true\n[ledger]\nurl = \"{}\"", server.url());
    configure(folder.path(), broker.port(), &more);
    let _both = [collect(folder.path()), collect(folder.path())];
    let port = broker.port().to_string();
    let arguments = [
        "simulate-street",
        "--sites",
        "8",
        "--rows",
        "30",
        "--within",
        "1",
        "--seconds",
        "2",
        "--every",
        "1",
        "--street",
        "dongfang",
        "--folder",
        "gates",
        "--port",
        &port,
    ];
    let (code, out, err) = block_in_place(|| outcome(folder.path(), &arguments));
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("8 gateways, 240 messages\nall acknowledged"),
        "{out}"
    );
    assert!(out.contains("steady: 16 messages"), "{out}");
    let counts = block_in_place(|| server.open().counts().unwrap());
    assert_eq!(
        (counts.sites, counts.messages, counts.quarantined),
        (8, 256, 0)
    );
}

/// What a PostgreSQL on this machine's disk takes of one, two and four collectors, whose batches are dealt out
/// as a broker deals them: each has messages of every site.
#[test]
#[ignore = "a measurement: run it with --nocapture on a machine that does nothing else"]
fn how_much_a_database_takes() {
    const SITES: u64 = 500;
    const BATCHES: u64 = 120;
    for collectors in [1, 2, 4] {
        let server = Server::start_with("");
        // Its tables are there before the clock starts.
        server.open().counts().unwrap();
        let began = std::time::Instant::now();
        std::thread::scope(|scope| {
            for which in 0..collectors {
                let server = &server;
                scope.spawn(move || {
                    let ledger = server.open();
                    for batch in (which..BATCHES).step_by(collectors as usize) {
                        let heard: Vec<Heard> = (0..SITES).map(|it| fault(it, batch + 1)).collect();
                        assert_eq!(ledger.take(&heard, crate::NOW).unwrap().new, 500);
                    }
                });
            }
        });
        let took = began.elapsed().as_secs_f64();
        let messages = SITES * BATCHES;
        assert_eq!(server.open().counts().unwrap().messages, messages);
        let rate = messages as f64 / took;
        println!(
            "{collectors} collectors: {messages} messages in {took:.1} s, {rate:.0} messages/s"
        );
    }
}

fn fault(site: u64, seq: u64) -> Heard {
    let payload = format!(
        r#"{{"v":1,"epoch":"5f0c2b7e-0000-4000-8000-{site:012}","seq":{seq},"kind":"raised","fault":"camera_silent","at":"2020-02-18T04:00:00.25Z","clock":"synced","gate":"main"}}"#
    );
    Heard {
        topic: format!("menshen/v1/dongfang/no-{site}/main/event/fault"),
        payload: payload.into_bytes(),
    }
}
