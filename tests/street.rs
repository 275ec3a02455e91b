//! The street's ledger, fed by a gateway's real outbox: nothing lost, nothing doubled, and no
//! receipt for what was not kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking; how many rounds is said by the environment"
)]

#[path = "street/collector.rs"]
mod collector;
mod common;
#[path = "common/postgres.rs"]
mod database;
#[path = "street/enrol.rs"]
mod enrol;
#[path = "street/many.rs"]
mod many;
#[path = "street/nats.rs"]
mod nats;
#[path = "common/program.rs"]
mod program;

use database::Server;
use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::event::{Event, Fault};
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Journal, Outbox, OutboxRow, SafeAt};
use menshen::mqtt::{Address, Heard, TlsFiles, payload};
use menshen::secret::Secret;
use menshen::store::{Route, Store};
use menshen::street::ledger::Ledger;
use menshen::street::postgres::{PostgresLedger, PostgresSettings};
use menshen::street::record::{Order, Outcome, Wanted};
use menshen::street::sqlite::SqliteLedger;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const NOW: WallTime = WallTime(1_582_000_000_000);

/// A database, to be opened by as many as like to.
trait Place: Sync {
    fn open(&self) -> Box<dyn Ledger>;
}

struct InFile(TempDir);

impl Place for InFile {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(SqliteLedger::open(&self.0.path().join("street.db")).unwrap())
    }
}

impl Place for Server {
    fn open(&self) -> Box<dyn Ledger> {
        let settings = PostgresSettings {
            url: self.url(),
            password: None,
            tls: None,
        };
        Box::new(PostgresLedger::new(settings).unwrap())
    }
}

/// Each of these cases is a test on either database.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod in_sqlite {
            $(#[test]
            fn $case() {
                super::$case(&super::InFile(tempfile::tempdir().unwrap()));
            })*
        }
        mod in_postgres {
            $(#[test]
            fn $case() {
                super::$case(&super::Server::start());
            })*
        }
    };
}

on_both!(
    a_gateway_keeps_exactly_what_the_street_lacks,
    collectors_that_race_on_one_site_lose_and_double_nothing,
    collectors_that_race_on_all_sites_wait_for_each_other_in_one_order,
    what_is_unfit_goes_into_quarantine_and_gets_no_receipt,
    the_quarantine_has_an_end,
    the_first_message_under_a_number_stays,
    a_newer_version_is_kept_and_marked,
    a_clock_that_is_wrong_keeps_nothing_out,
    numbers_that_are_void_are_no_gaps_and_a_new_epoch_counts_for_itself,
    of_what_stands_the_latest_word_is_kept,
    letters_are_found_by_site_name_and_time,
    an_order_waits_for_each_site_and_is_answered_once,
);

fn site() -> Address {
    Address::new("dongfang", "no-12", "main").unwrap()
}

/// A gateway that has recorded so many faults, and what waits in its outbox.
fn gateway(folder: &Path, messages: u64) -> (Store, Vec<OutboxRow>) {
    let address = site();
    let route = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| payload::told(&address, key, event)),
    };
    let store = Store::open(folder, vec![route]).unwrap();
    let events: Vec<Event> = (0..messages)
        .map(|number| Event::FaultRaised {
            fault: Fault::CameraSilent,
            at: Stamp {
                boot: BootId(1),
                monotonic: Duration::from_secs(number),
                wall: NOW,
                trust: ClockTrust::Synchronised,
            },
        })
        .collect();
    store.record(&events).unwrap();
    let rows = store
        .waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000)
        .unwrap();
    assert_eq!(rows.len() as u64, messages);
    (store, rows)
}

fn incoming(row: &OutboxRow) -> Heard {
    Heard {
        topic: row.message.topic.clone(),
        payload: row.message.payload.clone(),
    }
}

fn said(payload: &str) -> Heard {
    Heard {
        topic: "menshen/v1/dongfang/no-12/main/event/fault".to_owned(),
        payload: payload.as_bytes().to_vec(),
    }
}

fn a_gateway_keeps_exactly_what_the_street_lacks(place: &dyn Place) {
    let folder = tempfile::tempdir().unwrap();
    let (store, rows) = gateway(&folder.path().join("gateway"), 40);
    let ledger = place.open();
    // Backwards, without every fifth.
    let most: Vec<Heard> = rows
        .iter()
        .rev()
        .filter(|row| row.number.0 % 5 != 0)
        .map(incoming)
        .collect();
    let taken = ledger.take(&most, NOW).unwrap();
    assert_eq!((taken.new, taken.again, taken.unfit), (32, 0, 0));
    store.received(&taken.answers[0].receipt).unwrap();
    let waiting = || -> Vec<u64> {
        store
            .waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000)
            .unwrap()
            .iter()
            .map(|row| row.number.0)
            .collect()
    };
    assert_eq!(waiting(), [5, 10, 15, 20, 25, 30, 35, 40]);
    // All of them again: the gateway heard no receipt.
    let all: Vec<Heard> = rows.iter().map(incoming).collect();
    let taken = ledger.take(&all, NOW).unwrap();
    assert_eq!((taken.new, taken.again, taken.unfit), (8, 32, 0));
    store.received(&taken.answers[0].receipt).unwrap();
    assert_eq!(waiting(), [0; 0]);
    let kept = ledger.messages(&site(), &store.epoch()).unwrap();
    let payloads = |it: &OutboxRow| it.message.payload.clone();
    assert_eq!(
        kept.into_iter().map(|it| it.payload).collect::<Vec<_>>(),
        rows.iter().map(payloads).collect::<Vec<_>>()
    );
}

fn collectors_that_race_on_one_site_lose_and_double_nothing(place: &dyn Place) {
    let folder = tempfile::tempdir().unwrap();
    let (store, rows) = gateway(&folder.path().join("gateway"), 200);
    // Each collector has a third for itself, and a third that another one has, too.
    let new: usize = std::thread::scope(|scope| {
        let collectors: Vec<_> = (0..3)
            .map(|which| {
                let rows = &rows;
                scope.spawn(move || {
                    let ledger = place.open();
                    rows.iter()
                        .filter(|row| row.number.0 % 3 != which)
                        .map(|row| ledger.take(&[incoming(row)], NOW).unwrap().new)
                        .sum::<usize>()
                })
            })
            .collect();
        collectors.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(new, 200);
    let ledger = place.open();
    let taken = ledger.take(&[incoming(&rows[0])], NOW).unwrap();
    let receipt = &taken.answers[0].receipt;
    assert_eq!((receipt.up_to, receipt.gaps.len()), (MessageNumber(200), 0));
    assert_eq!(ledger.messages(&site(), &store.epoch()).unwrap().len(), 200);
}

fn what_is_unfit_goes_into_quarantine_and_gets_no_receipt(place: &dyn Place) {
    let ledger = place.open();
    let topic = |topic: &str| Heard {
        topic: topic.to_owned(),
        ..said(r#"{"v":1,"epoch":"e","seq":1}"#)
    };
    let unfit = [
        (topic("menshen/v1/dongfang/no-12/main/ack/alerts"), "topic"),
        (topic("elsewhere"), "topic"),
        (said("no json"), "payload"),
        (said("[]"), "payload"),
        (said(r#"{"v":0,"epoch":"e","seq":1}"#), "payload"),
        (said(r#"{"v":1,"epoch":"e","seq":0}"#), "payload"),
        (
            said(r#"{"v":1,"epoch":"e","seq":9223372036854775808}"#),
            "payload",
        ),
        (said(r#"{"v":1,"epoch":"","seq":1}"#), "payload"),
        (
            said(r#"{"v":1,"epoch":"e","seq":1,"gate":"back"}"#),
            "another_gate",
        ),
        (said(&" ".repeat(16 * 1024 + 1)), "large"),
    ];
    for (incoming, reason) in unfit {
        let taken = ledger.take(&[incoming], NOW).unwrap();
        assert_eq!((taken.unfit, taken.answers.len()), (1, 0), "{reason}");
        assert_eq!(ledger.quarantine(1).unwrap()[0].reason, reason);
    }
}

fn the_first_message_under_a_number_stays(place: &dyn Place) {
    let ledger = place.open();
    let first = said(r#"{"v":1,"epoch":"e","seq":1,"kind":"raised"}"#);
    let late = said(r#"{"v":1,"epoch":"e","seq":1,"kind":"raised","late":true}"#);
    let other = said(r#"{"v":1,"epoch":"e","seq":1,"kind":"cleared"}"#);
    let taken = ledger.take(&[first.clone(), late, other], NOW).unwrap();
    assert_eq!((taken.new, taken.again, taken.unfit), (1, 1, 1));
    let epoch = &taken.answers[0].receipt.epoch;
    assert_eq!(
        ledger.messages(&site(), epoch).unwrap()[0].payload,
        first.payload
    );
    assert_eq!(ledger.quarantine(9).unwrap()[0].reason, "contradicts");
}

fn a_newer_version_is_kept_and_marked(place: &dyn Place) {
    let ledger = place.open();
    let newer = said(r#"{"v":2,"epoch":"e","seq":1,"never":"heard of"}"#);
    let taken = ledger.take(std::slice::from_ref(&newer), NOW).unwrap();
    let kept = ledger
        .messages(&site(), &taken.answers[0].receipt.epoch)
        .unwrap();
    assert_eq!((kept[0].newer, &kept[0].payload), (true, &newer.payload));
}

fn a_clock_that_is_wrong_keeps_nothing_out(place: &dyn Place) {
    let ledger = place.open();
    let times = ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "yesterday"];
    let batch: Vec<Heard> = (1..)
        .zip(times)
        .map(|(seq, at)| said(&format!(r#"{{"v":1,"epoch":"e","seq":{seq},"at":"{at}"}}"#)))
        .collect();
    let taken = ledger.take(&batch, NOW).unwrap();
    assert_eq!((taken.new, taken.unfit), (3, 0));
    // They are found by when they came, which is the office's own clock.
    let wanted = Wanted {
        site: None,
        names: None,
        from: NOW,
        to: WallTime(NOW.0 + 1),
        newest: 9,
    };
    assert_eq!(ledger.letters(&wanted).unwrap().len(), 3);
}

fn numbers_that_are_void_are_no_gaps_and_a_new_epoch_counts_for_itself(place: &dyn Place) {
    let ledger = place.open();
    let void = Heard {
        topic: "menshen/v1/dongfang/no-12/main/event/void".to_owned(),
        payload: br#"{"v":1,"epoch":"new","seq":9,"of_epoch":"old","numbers":[[2,4],[7,null]]}"#
            .to_vec(),
    };
    let old = |seq: u64| said(&format!(r#"{{"v":1,"epoch":"old","seq":{seq}}}"#));
    ledger.take(&[old(1), void], NOW).unwrap();
    let taken = ledger.take(&[old(5)], NOW).unwrap();
    assert_eq!(
        taken.answers[0].receipt.gaps,
        [(MessageNumber(6), MessageNumber(6))]
    );
    let new = said(r#"{"v":1,"epoch":"new","seq":10}"#);
    let receipt = &ledger.take(&[new], NOW).unwrap().answers[0].receipt;
    assert_eq!(
        (receipt.up_to, &receipt.gaps[..]),
        (
            MessageNumber(10),
            &[(MessageNumber(1), MessageNumber(8))][..]
        )
    );
}

/// Against: batches of many sites that come to two collectors in different orders, with states and orders
/// among them, and lock each other out.
fn collectors_that_race_on_all_sites_wait_for_each_other_in_one_order(place: &dyn Place) {
    const SITES: usize = 12;
    const ROUNDS: u64 = 40;
    let site = |it: usize| format!("menshen/v1/dongfang/no-{it}/main");
    let batch = |round: u64, backwards: bool| -> Vec<Heard> {
        let mut batch: Vec<Heard> = (0..SITES)
            .flat_map(|it| {
                let event = format!(r#"{{"v":1,"epoch":"e-{it}","seq":{round}}}"#);
                let state = format!(r#"{{"v":1,"epoch":"e-{it}","open":{round}}}"#);
                // The one says how it stands, the other forgets it.
                let state = if round.is_multiple_of(5) && backwards {
                    String::new()
                } else {
                    state
                };
                [
                    (format!("{}/event/fault", site(it)), event),
                    (format!("{}/state/alerts", site(it)), state),
                ]
            })
            .map(|(topic, payload)| Heard {
                topic,
                payload: payload.into_bytes(),
            })
            .collect();
        if backwards {
            batch.reverse();
        }
        batch
    };
    let batch = &batch;
    let new: usize = std::thread::scope(|scope| {
        let collectors: Vec<_> = (0..3)
            .map(|which| {
                scope.spawn(move || {
                    let ledger = place.open();
                    let rounds = 1..=ROUNDS;
                    rounds
                        .map(|it| ledger.take(&batch(it, which % 2 == 1), NOW).unwrap().new)
                        .sum::<usize>()
                })
            })
            .collect();
        collectors.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(new, SITES * ROUNDS as usize);
    let counts = place.open().counts().unwrap();
    assert_eq!((counts.messages, counts.quarantined), (new as u64, 0));
}

fn the_quarantine_has_an_end(place: &dyn Place) {
    let ledger = place.open();
    let rubbish = |it: usize| said(&format!("rubbish {it}"));
    for batch in 0..21 {
        let all: Vec<Heard> = (batch * 500..batch * 500 + 500).map(rubbish).collect();
        assert_eq!(ledger.take(&all, NOW).unwrap().unfit, 500);
    }
    assert_eq!(ledger.counts().unwrap().quarantined, 10_000);
    assert_eq!(ledger.quarantine(1).unwrap()[0].payload, b"rubbish 10499");
}

fn state(site: &str, name: &str, payload: &str) -> Heard {
    Heard {
        topic: format!("menshen/v1/dongfang/{site}/main/{name}"),
        payload: payload.as_bytes().to_vec(),
    }
}

fn of_what_stands_the_latest_word_is_kept(place: &dyn Place) {
    let ledger = place.open();
    let online = r#"{"v":1,"state":"online","epoch":"e"}"#;
    let offline = r#"{"v":1,"state":"offline","epoch":"e"}"#;
    let later = WallTime(NOW.0 + 1000);
    let first = [
        state("no-1", "status/gateway", offline),
        state("no-1", "status/gateway", online),
        state("no-2", "state/alerts", r#"{"v":2,"epoch":"e","open":1}"#),
        state("no-2", "state/faults", "no json"),
    ];
    let taken = ledger.take(&first, NOW).unwrap();
    assert_eq!(
        (taken.standing, taken.unfit, taken.answers.len()),
        (3, 1, 0)
    );
    let mark = ledger.mark().unwrap();
    assert_eq!(ledger.mark().unwrap(), mark);
    let states = ledger.states(None).unwrap();
    let said = |it: &menshen::street::record::State| String::from_utf8(it.payload.clone()).unwrap();
    assert_eq!(states.len(), 2);
    assert_eq!(
        (said(&states[0]), states[0].newer),
        (online.to_owned(), false)
    );
    assert_eq!((states[1].name.as_str(), states[1].newer), ("alerts", true));
    // The same again is no news; a collector that was slow does not undo a later word.
    ledger.take(&first[1..2], later).unwrap();
    assert_eq!(
        ledger.states(Some(&states[0].site)).unwrap()[0].received,
        NOW
    );
    ledger
        .take(&[state("no-1", "status/gateway", offline)], later)
        .unwrap();
    assert_ne!(ledger.mark().unwrap(), mark);
    ledger.take(&first[1..2], NOW).unwrap();
    let one = ledger.states(Some(&states[0].site)).unwrap();
    assert_eq!(
        (said(&one[0]), one[0].received),
        (offline.to_owned(), later)
    );
    // `menshen forget` takes away what the broker retains.
    ledger
        .take(&[state("no-1", "status/gateway", "")], later)
        .unwrap();
    assert!(ledger.states(Some(&states[0].site)).unwrap().is_empty());
    assert_eq!(ledger.counts().unwrap().sites, 1);
}

fn letters_are_found_by_site_name_and_time(place: &dyn Place) {
    let ledger = place.open();
    let event = |site: &str, name: &str, seq: u64, more: &str| {
        state(
            site,
            name,
            &format!(r#"{{"v":1,"epoch":"e","seq":{seq}{more}}}"#),
        )
    };
    let at = |second: i64| WallTime(NOW.0 + second * 1000);
    let first = [
        event("no-1", "event/alert", 1, ""),
        event("no-2", "event/fault", 1, ""),
    ];
    ledger.take(&first, at(0)).unwrap();
    let late = event("no-1", "event/alert", 2, r#","late":true"#);
    ledger
        .take(&[late, event("no-1", "report/2020-02-24", 3, "")], at(5))
        .unwrap();
    let all = Wanted {
        site: None,
        names: None,
        from: at(0),
        to: at(9),
        newest: 100,
    };
    let found = |wanted: &Wanted<'_>| -> Vec<(String, String, u64)> {
        let letters = ledger.letters(wanted).unwrap();
        letters
            .into_iter()
            .map(|it| (it.site.building.to_string(), it.name, it.number.0))
            .collect()
    };
    let own = |site: &str, name: &str, seq| (site.to_owned(), name.to_owned(), seq);
    let (report, two) = (own("no-1", "2020-02-24", 3), own("no-1", "alert", 2));
    let (one, other) = (own("no-1", "alert", 1), own("no-2", "fault", 1));
    assert_eq!(
        found(&all),
        [report.clone(), two.clone(), one.clone(), other.clone()]
    );
    assert_eq!(found(&Wanted { newest: 1, ..all }), [report]);
    assert_eq!(
        found(&Wanted { to: at(5), ..all }),
        [one.clone(), other.clone()]
    );
    let building = Address::new("dongfang", "no-2", "main").unwrap();
    assert_eq!(
        found(&Wanted {
            site: Some(&building),
            ..all
        }),
        [other]
    );
    let alerts = Wanted {
        names: Some(&["alert"]),
        ..all
    };
    assert_eq!(found(&alerts), [two, one]);
    let late: Vec<bool> = ledger
        .letters(&alerts)
        .unwrap()
        .iter()
        .map(|it| it.late)
        .collect();
    assert_eq!(late, [true, false]);
    let none = Wanted {
        names: Some(&[]),
        ..all
    };
    assert!(found(&none).is_empty());
}

fn an_order_waits_for_each_site_and_is_answered_once(place: &dyn Place) {
    let ledger = place.open();
    let at = |second: i64| WallTime(NOW.0 + second * 1000);
    let order = Order {
        id: "o-1".to_owned(),
        name: "announce".to_owned(),
        payload: br#"{"v":1,"id":"o-1","by":"street"}"#.to_vec(),
        given: at(0),
        expires: at(60),
    };
    let sites = ["no-1", "no-2", "no-3"].map(|it| Address::new("dongfang", it, "main").unwrap());
    ledger.order(&order, &sites).unwrap();
    ledger.order(&order, &sites[..1]).unwrap();
    let waiting = |now| -> Vec<String> {
        let orders = ledger.unanswered(now).unwrap();
        assert!(orders.iter().all(|(_, it)| *it == order));
        orders
            .iter()
            .map(|(site, _)| site.building.to_string())
            .collect()
    };
    assert_eq!(waiting(at(1)), ["no-1", "no-2", "no-3"]);
    assert!(waiting(at(60)).is_empty());
    let answer = |site: &str, seq: &str, rest: &str| {
        let text = format!(r#"{{"v":1,"epoch":"e",{seq}"id":"o-1",{rest}}}"#);
        state(site, "event/command", &text)
    };
    let done = answer("no-1", r#""seq":1,"#, r#""result":"done""#);
    let refused = |site| answer(site, "", r#""result":"refused","reason":"not_allowed""#);
    let taken = ledger
        .take(&[done, refused("no-2"), refused("no-9")], at(2))
        .unwrap();
    assert_eq!((taken.new, taken.standing, taken.unfit), (1, 2, 0));
    // What was done stays done; a refusal may still become a deed.
    ledger.take(&[refused("no-1")], at(3)).unwrap();
    assert_eq!(waiting(at(3)), ["no-3"]);
    let outcomes = |limit| -> Vec<Outcome> {
        let orders = ledger.orders(limit).unwrap();
        let errands = orders.into_iter().flat_map(|(_, errands)| errands);
        errands.map(|it| it.outcome).collect()
    };
    let refusal = Outcome::Refused {
        why: "not_allowed".to_owned(),
        at: at(2),
    };
    let first = Outcome::Done { at: at(2) };
    assert_eq!(outcomes(9), [first.clone(), refusal, Outcome::Waiting]);
    // What a gate did before it could say so, it refuses to do again: that is an answer, too.
    let again = answer("no-3", "", r#""result":"refused","reason":"done_before""#);
    let late = answer("no-2", r#""seq":7,"#, r#""result":"done""#);
    ledger.take(&[again, late], at(4)).unwrap();
    let then = Outcome::Done { at: at(4) };
    assert_eq!(outcomes(9), [first, then.clone(), then]);
}

#[test]
fn a_server_that_is_away_is_said_so_and_found_again() {
    let mut server = Server::start();
    let ledger = server.open();
    let message = said(r#"{"v":1,"epoch":"e","seq":1}"#);
    ledger.take(std::slice::from_ref(&message), NOW).unwrap();
    server.kill();
    for _ in 0..2 {
        let error = ledger
            .take(std::slice::from_ref(&message), NOW)
            .unwrap_err()
            .to_string();
        assert!(error.contains("127.0.0.1/street"), "{error}");
    }
    server.restart();
    let taken = ledger.take(&[message], NOW).unwrap();
    assert_eq!((taken.new, taken.again), (0, 1));
}

#[test]
fn a_database_of_a_newer_program_is_not_touched() {
    let server = Server::start();
    server.open().counts().unwrap();
    server.psql("street", "UPDATE ledger SET schema = 2");
    let error = server.open().counts().unwrap_err().to_string();
    assert!(error.contains("newer version"), "{error}");
}

/// Against: a password that crosses the network in the clear, or stands where everybody reads.
#[test]
fn a_server_is_dialled_with_tls_alone_and_its_password_stays_where_it_is() {
    let place = |url: &str| {
        PostgresLedger::new(PostgresSettings {
            url: url.to_owned(),
            password: None,
            tls: None,
        })
    };
    for (url, says) in [
        ("postgres://street@db.example/street", "tls = true"),
        ("postgres://street:secret@localhost/street", "password_file"),
        ("postgres://localhost/street", "postgres://user@host"),
        ("mysql://street@localhost/street", "postgres://user@host"),
    ] {
        let error = place(url).err().unwrap().to_string();
        assert!(error.contains(says) && !error.contains("secret"), "{error}");
    }
    assert!(place("postgres://street@%2Frun%2Fpostgresql/street").is_ok());
}

#[test]
fn a_server_with_a_certificate_and_a_password_is_spoken_to_with_both() {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = authority.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(authority, key);
    let own = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&own, &issuer)
        .unwrap();
    let mut server = Server::start();
    server.give("cert.pem", certificate.pem().as_bytes());
    server.give("key.pem", own.serialize_pem().as_bytes());
    let conf = server.folder().join("data/postgresql.auto.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    let text = format!(
        "{text}ssl = on\nssl_cert_file = '{0}/cert.pem'\nssl_key_file = '{0}/key.pem'\n",
        server.folder().display()
    );
    std::fs::write(&conf, text).unwrap();
    server.psql("street", "ALTER ROLE street PASSWORD 'open sesame'");
    let hba = server.folder().join("data/pg_hba.conf");
    std::fs::write(hba, "hostssl street street 127.0.0.1/32 scram-sha-256\n").unwrap();
    server.restart();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let reach = |password: &str, ca: &str| {
        std::fs::write(&ca_file, ca).unwrap();
        let ledger = PostgresLedger::new(PostgresSettings {
            url: server.url().replace("127.0.0.1", "localhost"),
            password: Some(Secret::new(password.to_owned())),
            tls: Some(TlsFiles {
                ca: ca_file.clone(),
                own: None,
            }),
        });
        ledger.unwrap().counts()
    };
    assert_eq!(reach("open sesame", &ca.pem()).unwrap().messages, 0);
    let error = reach("open barley", &ca.pem()).unwrap_err().to_string();
    assert!(
        error.contains("password") && !error.contains("barley"),
        "{error}"
    );
    let stranger = rcgen::KeyPair::generate().unwrap();
    let mut other = rcgen::CertificateParams::new(Vec::new()).unwrap();
    other.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let other = other.self_signed(&stranger).unwrap().pem();
    let error = reach("open sesame", &other).unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[test]
fn a_file_of_another_program_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("street.db");
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    let error = SqliteLedger::open(&file).err().unwrap().to_string();
    assert!(error.contains("choose another database"), "{error}");
}
