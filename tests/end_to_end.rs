//! The whole gateway as a site runs it: the program itself, a simulated lobby in real time, a real
//! Mosquitto, a store on disk, the dashboard over HTTP, and the end by a signal.
//!
//! Nobody's temperature is asserted to a tenth here (that is what the tests of the pipeline do):
//! here it counts who is told of whom, once, and what is left when something dies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "common/program.rs"]
mod program;

use menshen::alert::AlertState;
use menshen::event::Event;
use menshen::id::{Channel, MessageNumber, Sequence};
use menshen::journal::{Journal, Outbox, Recorded, SafeAt};
use menshen::mqtt::broker::Broker;
use menshen::screening::Verdict;
use menshen::store::Store;
use program::{Dashboard, Door, Program, Subscriber};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A lobby with its reference; nobody comes, for ten minutes: longer than any test.
const NOBODY: &str = "name = \"lobby\"\nseed = 3\nduration_s = 600.0\n\
    [room]\nambient_c = 22.0\n\
    [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n";

/// Somebody who comes up to the camera, waits, and goes.
fn visitor(arrive_s: f64, core_c: f64) -> String {
    format!(
        "[[visitor]]\narrive_s = {arrive_s:?}\nenter = \"left\"\nleave = \"right\"\nwalk_s = 1.5\n\
         stand_s = 5.0\ndistance_m = 0.72\nlateral_m = 0.04\ncore_c = {core_c:?}\n"
    )
}

/// Healthy in nobody's doubt.
const HEALTHY: f64 = 36.4;
/// Feverish in nobody's doubt: 1.3 K above the threshold of 37.9 °C.
const FEVERISH: f64 = 39.2;

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

/// A gateway's configuration on any free port.
fn configuration(scenario: &str, mqtt: &str) -> String {
    format!(
        "[camera]\nsource = \"simulator\"\nscenario = \"{scenario}\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n{mqtt}"
    )
}

/// What the store holds after the program has gone, oldest first.
fn kept(folder: &Path) -> (Store, Vec<Recorded>) {
    let store = Store::open(folder, Vec::new()).unwrap();
    let events = store.events(Sequence(0), 1000).unwrap();
    let numbers: Vec<u64> = events.iter().map(|it| it.key.seq.0).collect();
    let without_gaps: Vec<u64> = (1..).take(events.len()).collect();
    assert_eq!(numbers, without_gaps);
    (store, events)
}

fn number(value: &Value, key: &str) -> f64 {
    value[key]
        .as_f64()
        .unwrap_or_else(|| panic!("no number {key} in {value}"))
}

/// A raised alert as it is on the wire: version 1, everything there, nothing else.
fn check_alert(alert: &Value, epoch: &Value) {
    let keys: BTreeSet<&str> = alert
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "v",
        "epoch",
        "seq",
        "id",
        "kind",
        "at",
        "clock",
        "gate",
        "verdict",
        "basis",
        "face_c",
        "face_u_k",
        "estimate_c",
        "estimate_u_k",
        "threshold_c",
        "looks",
    ];
    assert_eq!(keys, BTreeSet::from(expected), "{alert}");
    assert_eq!(alert["v"], 1);
    assert_eq!(&alert["epoch"], epoch);
    assert!(alert["seq"].as_u64().is_some_and(|seq| seq >= 1), "{alert}");
    assert_eq!(alert["verdict"], "possible_fever");
    assert_eq!(alert["basis"], "reference");
    assert_eq!(alert["threshold_c"], 37.9);
    let at = alert["at"].as_str().unwrap();
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    let (estimate, u) = (number(alert, "estimate_c"), number(alert, "estimate_u_k"));
    // The visitor's truth lies within what the reading says of itself, and some.
    assert!((estimate - FEVERISH).abs() < 2.0 * u, "{alert}");
    assert!(
        (0.1..2.0).contains(&u) && number(alert, "face_u_k") > 0.1,
        "{alert}"
    );
    assert!(
        (34.0..FEVERISH).contains(&number(alert, "face_c")),
        "{alert}"
    );
    assert!(number(alert, "looks") >= 3.0, "{alert}");
}

/// Whoever subscribes late learns at once that the gateway is there and what is open.
fn a_late_subscriber_learns(gateway: &mut Program, port: u16, topics: &str, id: &str) {
    let late = Subscriber::start(port, topics);
    gateway.wait("the retained states for a late subscriber", |_| {
        let open = late.on("/state/alerts");
        let named = open
            .iter()
            .any(|(kept, open)| *kept && open["ids"] == serde_json::json!([id]));
        let online = late.on("/status/gateway");
        let here = online
            .iter()
            .any(|(kept, status)| *kept && status["state"] == "online" && status["v"] == 1);
        (named && here).then_some(())
    });
    assert!(late.kind("/event/alert", "raised").is_empty());
}

/// A member of staff takes the alert, measures again, and says what came of it.
fn staff_deal_with(gateway: &mut Program, page: &Dashboard, street: &Subscriber, id: &str) {
    let to_alert = (303, format!("/#alert-{id}"));
    assert_eq!(
        page.post(
            &format!("/alerts/{id}/acknowledge"),
            "by=%E7%8E%8B%E8%8A%B3"
        ),
        to_alert
    );
    gateway.wait("the acknowledgement over MQTT", |_| {
        street.kind("/event/alert", "acknowledged").pop()
    });
    assert!(
        page.get("/alerts")
            .contains(&format!("id=\"alert-{id}\" class=\"alert acknowledged\""))
    );
    let form = "by=%E7%8E%8B%E8%8A%B3&outcome=confirmed&device=Omron+3&site=axilla&mode=monitor&value=38.9";
    assert_eq!(page.post(&format!("/alerts/{id}/resolve"), form), to_alert);
    let resolved = gateway.wait("the resolution over MQTT", |_| {
        street.kind("/event/alert", "resolved").pop()
    });
    assert_eq!(
        (&resolved["id"], &resolved["outcome"]),
        (&Value::from(id), &Value::from("confirmed"))
    );
    let lists = page.get("/alerts");
    assert!(
        lists.contains(&format!("id=\"alert-{id}\" class=\"alert done\"")),
        "{lists}"
    );
    assert!(
        lists.contains("38.9 °C") && lists.contains("王芳"),
        "{lists}"
    );
    gateway.wait("the word that nothing is open any more", |_| {
        let (_, last) = street.on("/state/alerts").pop()?;
        (last["open"] == 0).then_some(())
    });
}

/// What the street was told in all, once the gateway has said that it stops: all that was sent
/// came before that word.
fn check_told(street: &Subscriber) {
    assert_eq!(street.kind("/event/alert", "raised").len(), 1);
    assert_eq!(street.kind("/event/alert", "acknowledged").len(), 1);
    assert_eq!(street.kind("/event/alert", "resolved").len(), 1);
    assert_eq!(street.on("/event/alert").len(), 3);
    assert!(!street.states().contains(&"offline".to_owned()));
    let everything = street.heard_text();
    assert!(
        !everything.contains("王芳") && !everything.contains("Omron"),
        "names stay in the building: {everything}"
    );
}

/// What is in the store when all is over; `alert` as the street was told of it.
fn check_kept(folder: &Path, alert: &Value) {
    let (store, events) = kept(folder);
    let of = |wanted: fn(&Event) -> bool| events.iter().filter(|it| wanted(&it.event)).count();
    assert_eq!(of(|it| matches!(it, Event::AlertRaised(_))), 1);
    assert_eq!(of(|it| matches!(it, Event::AlertAcknowledged { .. })), 1);
    assert_eq!(of(|it| matches!(it, Event::AlertResolved { .. })), 1);
    let came =
        |it: &Event, wanted| matches!(it, Event::Screened(s) if s.presented && s.verdict == wanted);
    for verdict in [Verdict::Clear, Verdict::PossibleFever] {
        let found = events.iter().filter(|it| came(&it.event, verdict)).count();
        assert_eq!(found, 1, "{verdict:?}");
    }
    let raised = events
        .iter()
        .find(|it| matches!(it.event, Event::AlertRaised(_)))
        .unwrap();
    let sent = store
        .waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 100)
        .unwrap();
    let row = sent.iter().find(|row| row.event == raised.key.seq).unwrap();
    assert_eq!(alert["seq"], row.number.0);
    assert_eq!(alert["epoch"], *raised.key.epoch.0);
    let alerts = store.alerts(10).unwrap();
    assert!(
        matches!(&alerts[0].state, AlertState::Resolved { by, .. } if by == "王芳"),
        "{alerts:?}"
    );
    assert_eq!(
        store.count(&Channel::broker()).unwrap().saved,
        0,
        "the broker has taken everything"
    );
}

#[test]
fn a_feverish_visitor_from_the_camera_to_the_resolution() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = NOBODY.to_owned() + &visitor(0.5, HEALTHY) + &visitor(9.5, FEVERISH);
    write(folder.path(), "two.toml", &scenario);
    let demo = "demo --port 0 --folder data --scenario two.toml";
    let mut gateway = Program::start(folder.path(), &demo.split(' ').collect::<Vec<_>>());
    let (port, topics) = gateway.broker();
    assert_eq!(topics, "menshen/v1/hongqiao/gubei-2/lobby/#");
    let street = Subscriber::start(port, &topics);
    let page = gateway.dashboard();

    let alert = gateway.wait("a raised alert over MQTT", |_| {
        street.kind("/event/alert", "raised").pop()
    });
    // Both have been screened and have gone.
    let people: Vec<String> = gateway.wait("a line for each of the two people", |it| {
        let out = it.out();
        let people = out.lines().filter(|line| line.starts_with("person "));
        Some(people.map(str::to_owned).collect::<Vec<_>>()).filter(|people| people.len() >= 2)
    });
    assert!(people[0].contains(" clear "), "{people:?}");
    assert!(people[1].contains(" POSSIBLE FEVER "), "{people:?}");

    let state = page.json("/api/v1/state");
    check_alert(&alert, &state["epoch"]);
    assert_eq!(alert["gate"], "lobby");
    let id = alert["id"].as_str().unwrap();
    let shown = page.alerts();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(
        (&shown[0]["id"], &shown[0]["state"]["code"]),
        (&alert["id"], &Value::from("open"))
    );
    assert!(
        page.get("/alerts")
            .contains(&format!("id=\"alert-{id}\" class=\"alert open\""))
    );

    a_late_subscriber_learns(&mut gateway, port, &topics, id);
    staff_deal_with(&mut gateway, &page, &street, id);

    gateway.terminate();
    let status = gateway.ended();
    assert_eq!(status.code(), Some(0), "{}", gateway.err());
    gateway.wait("the word that the gateway was stopped", |_| {
        (street.states().last()? == "stopped").then_some(())
    });
    check_told(&street);
    check_kept(&folder.path().join("data"), &alert);
}

#[test]
fn without_a_broker_alerts_are_on_the_page_and_the_page_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = NOBODY.to_owned() + &visitor(0.5, FEVERISH);
    write(folder.path(), "one.toml", &scenario);
    write(
        folder.path(),
        "site.toml",
        &configuration("one.toml", "[mqtt]\nenabled = false\n"),
    );
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    let page = gateway.dashboard();
    let alert = gateway.wait("an alert on the dashboard", |_| page.alerts().pop());
    assert!(number(&alert, "estimate_c") >= 37.9, "{alert}");

    let state = page.json("/api/v1/state");
    assert_eq!(state["mqtt"]["code"], "not_configured");
    assert_eq!(state["mode"], "demo", "a simulated camera is none");
    let start = page.get("/");
    let id = alert["id"].as_str().unwrap();
    assert!(start.contains(&format!("id=\"alert-{id}\"")));
    assert!(
        start.contains("未配置，事件只存本机")
            && start.contains("Not configured: events stay here"),
        "{start}"
    );

    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    let (_, events) = kept(&folder.path().join("data"));
    let raised = events
        .iter()
        .filter(|it| matches!(it.event, Event::AlertRaised(_)));
    assert_eq!(raised.count(), 1);
}

#[test]
fn an_alert_outlives_the_gateway_and_reaches_a_broker_that_came_later_once() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::closed();
    let mqtt = format!(
        "[mqtt]\nenabled = true\nhost = \"127.0.0.1\"\nport = {}\n",
        door.port
    );
    let scenario = NOBODY.to_owned() + &visitor(0.5, FEVERISH);
    write(folder.path(), "one.toml", &scenario);
    write(folder.path(), "nobody.toml", NOBODY);
    write(
        folder.path(),
        "before.toml",
        &configuration("one.toml", &mqtt),
    );
    write(
        folder.path(),
        "after.toml",
        &configuration("nobody.toml", &mqtt),
    );

    let mut gateway = Program::start(folder.path(), &["run", "--config", "before.toml"]);
    let page = gateway.dashboard();
    let alert = gateway.wait("an alert on the dashboard", |_| page.alerts().pop());
    let state = page.json("/api/v1/state");
    assert_ne!(state["mqtt"]["code"], "connected");
    assert_eq!(state["outbox"]["accepted_by_broker"], 0);
    gateway.kill();

    let mut gateway = Program::start(folder.path(), &["run", "--config", "after.toml"]);
    let page = gateway.dashboard();
    let still = gateway.wait("the alert on the dashboard after the restart", |_| {
        page.alerts().pop()
    });
    assert_eq!(
        (&still["id"], &still["state"]["code"]),
        (&alert["id"], &Value::from("open"))
    );
    gateway.wait("the word that the broker is away", |_| {
        (page.json("/api/v1/state")["mqtt"]["code"] == "away").then_some(())
    });

    let broker = Broker::start(&folder.path().join("broker"))
        .unwrap_or_else(|error| panic!("no broker to test with: {error}"));
    let street = Subscriber::start(broker.port(), "#");
    door.open(broker.port());
    let raised = gateway.wait("the alert over MQTT", |_| {
        street.kind("/event/alert", "raised").pop()
    });
    assert_eq!(raised["id"], alert["id"]);
    assert_eq!(raised["epoch"], page.json("/api/v1/state")["epoch"]);
    gateway.wait("the broker's receipts in the outbox", |_| {
        let outbox = &page.json("/api/v1/state")["outbox"];
        (outbox["saved"] == 0 && outbox["accepted_by_broker"].as_u64()? >= 1).then_some(())
    });

    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    street.settle("settled/1");
    let all = street.kind("/event/alert", "raised");
    let keys: BTreeSet<String> = all
        .iter()
        .map(|it| format!("{} {}", it["epoch"], it["seq"]))
        .collect();
    assert_eq!(keys.len(), 1, "{all:?}");
    // A planned stop: the broker has not had to tell the last will.
    assert_eq!(street.states(), ["online", "stopped"]);

    // What the broker has taken does not come again with the next start.
    let mut gateway = Program::start(folder.path(), &["run", "--config", "after.toml"]);
    gateway.wait("the gateway online again", |_| {
        (street.states().last()? == "online").then_some(())
    });
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    street.settle("settled/2");
    assert_eq!(
        street.kind("/event/alert", "raised").len(),
        all.len(),
        "sent again"
    );
}

#[test]
fn a_source_that_ends_ends_the_gateway_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let short = NOBODY.replace("600.0", "1.0");
    write(folder.path(), "short.toml", &short);
    write(folder.path(), "site.toml", &configuration("short.toml", ""));
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    kept(&folder.path().join("data"));
}
