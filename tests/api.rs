//! The interface for programs over a real socket: what it says, what it refuses, events, metrics.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "common/dashboard.rs"]
mod dashboard;

use dashboard::{Answer, Gateway, METRICS_TOKEN, alert, stamp};
use menshen::event::{Event, Fault};
use menshen::journal::Journal;
use menshen::store::Store;
use menshen::web::Entrance;
use menshen::web::routes::served;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn some() -> Gateway {
    Gateway::with(vec![alert(12, 300, 38.4), alert(13, 20, 39.0)])
}

/// A problem as programs are told it (RFC 9457).
fn problem(answer: &Answer, code: &str) {
    let said = answer.json();
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(said["code"], code, "{said}");
    assert_eq!(said["type"], format!("urn:menshen:problem:{code}"));
    assert_eq!(said["status"], answer.status);
    for text in ["title", "title_zh"] {
        assert!(!said[text].as_str().unwrap().is_empty(), "{said}");
    }
    for language in ["zh", "en"] {
        let todo = said["what_to_do"][language].as_str().unwrap();
        assert!(!todo.is_empty(), "{said}");
    }
}

#[test]
fn every_refusal_is_a_problem_that_says_what_to_do() {
    let gateway = some();
    problem(&gateway.get("/api/v1/alerts/3-99"), "unknown_alert");
    problem(&gateway.get("/api/v1/alerts/x%00y"), "unknown_alert");
    problem(&gateway.get("/api/v1/nothing"), "no_page");
    problem(&gateway.get("/api/"), "no_page");
    problem(&gateway.post("/api/v1/state", "a=b"), "wrong_method");
    problem(&gateway.get("/live"), "foreign_origin");
    let host = "GET /api/v1/state HTTP/1.1\r\nHost: evil.example";
    problem(&gateway.send(host, ""), "wrong_host");
    problem(&gateway.get("/metrics"), "not_signed_in");
    gateway
        .memory
        .broken
        .store(true, std::sync::atomic::Ordering::SeqCst);
    for path in [
        "/api/v1/state",
        "/api/v1/alerts",
        "/api/v1/events",
        "/healthz",
    ] {
        problem(&gateway.get(path), "storage");
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let closed = Gateway::behind(Entrance::Accounts(Arc::new(store)), Vec::new());
    for path in ["/api/v1/state", "/api/v1/alerts/3-12", "/api/v1/events"] {
        problem(&closed.get(path), "not_signed_in");
    }
}

#[test]
fn one_alert_is_what_the_list_says_of_it_and_the_description_is_served() {
    let gateway = some();
    let list = gateway.get("/api/v1/alerts").json();
    let one = gateway.get("/api/v1/alerts/3-12").json();
    assert!(list.as_array().unwrap().contains(&one));
    let described = gateway.get("/api/openapi.json");
    assert_eq!(described.header("content-type"), Some("application/json"));
    assert_eq!(described.json()["openapi"], "3.1.0");
}

/// A value against the description's schema of it: names, types, what must be there. Enough for the forms in
/// use; `make fuzz-api` looks with a validator.
fn fits(described: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return fits(
            described,
            &described["components"]["schemas"][name],
            value,
            place,
        );
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fits(described, part, value, place);
    }
    for any in ["anyOf", "oneOf"] {
        let Some(parts) = schema[any].as_array() else {
            continue;
        };
        let one = parts
            .iter()
            .any(|part| std::panic::catch_unwind(|| fits(described, part, value, place)).is_ok());
        assert!(one, "{place}: {value} is none of {parts:?}");
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    assert!(
        types.iter().any(|kind| is(kind)),
        "{place}: {value} is no {types:?}"
    );
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        assert!(value.get(name).is_some(), "{place} lacks {name}");
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            fits(described, schema, value, &format!("{place}.{name}"));
        }
    }
    if let (true, Some(items)) = (schema["items"].is_object(), value.as_array()) {
        for item in items {
            fits(described, &schema["items"], item, &format!("{place}[]"));
        }
    }
}

#[test]
fn answers_are_as_the_description_says() {
    let gateway = some();
    let described = gateway.get("/api/openapi.json").json();
    let mut relative = dashboard::relative_status(120);
    relative.camera.fps = None;
    for status in [dashboard::status(), relative] {
        gateway.status.send_replace(Arc::new(status));
        for path in ["/api/v1/state", "/api/v1/alerts", "/api/v1/alerts/3-12"] {
            let operation = &described["paths"][path.replace("3-12", "{id}")]["get"];
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            assert!(schema.is_object(), "{path}");
            fits(&described, schema, &gateway.get(path).json(), path);
        }
    }
    let schema = &described["components"]["responses"]["Problem"]["content"]["application/problem+json"]
        ["schema"];
    fits(
        &described,
        schema,
        &gateway.get("/api/v1/alerts/9-9").json(),
        "problem",
    );
}

/// One who listens to events; every wait ends with what is waited for, or with a stream that ended.
struct Listener {
    stream: TcpStream,
    heard: String,
}

impl Listener {
    fn new(gateway: &Gateway, more: &str) -> Self {
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(2)))
            .unwrap();
        let host = gateway.address;
        write!(
            stream,
            "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"
        )
        .unwrap();
        let mut listener = Self {
            stream,
            heard: String::new(),
        };
        listener.until("\r\n\r\n");
        listener
    }

    fn until(&mut self, wanted: &str) {
        let mut bytes = [0; 4096];
        while !self.heard.contains(wanted) {
            let length = self.stream.read(&mut bytes).unwrap();
            assert!(length > 0, "ended before {wanted:?}: {}", self.heard);
            self.heard
                .push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }

    fn events(&self) -> Vec<Value> {
        let lines = self.heard.lines();
        let data = lines.filter_map(|line| line.strip_prefix("data: "));
        data.map(|json| serde_json::from_str(json).unwrap())
            .collect()
    }
}

fn fault(gateway: &Gateway, at: u64) {
    let event = Event::FaultRaised {
        fault: Fault::CameraSilent,
        at: stamp(at),
    };
    gateway.memory.record(&[event]).unwrap();
    gateway.changes.send_modify(|n| *n += 1);
}

#[test]
fn events_come_as_they_happen_and_whoever_was_away_gets_what_came_since() {
    let gateway = some();
    gateway.raise(alert(20, 0, 38.0));
    let mut first = Listener::new(&gateway, "");
    gateway.raise(alert(21, 0, 38.1));
    first.until("\"alert\":\"3-21\"");
    assert!(
        !first.heard.contains("3-20"),
        "what was before is in the list"
    );
    assert!(first.heard.contains("event: alert_raised") && first.heard.contains("id: test:2"));
    drop(first);
    gateway.raise(alert(22, 0, 38.2));
    fault(&gateway, 0);
    let mut again = Listener::new(&gateway, "Last-Event-ID: test:2\r\n");
    again.until("camera_silent");
    gateway.raise(alert(23, 0, 38.3));
    again.until("3-23");
    let ids: Vec<_> = again.events().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, ["test:3", "test:4", "test:5"], "each once, in order");
    let described = gateway.get("/api/openapi.json").json();
    for event in again.events() {
        fits(
            &described,
            &described["components"]["schemas"]["Event"],
            &event,
            "event",
        );
        assert!(
            !event.to_string().contains("38."),
            "no temperature: {event}"
        );
    }
    // A database that was restored, and numbers that are not given out yet.
    for foreign in ["other:2", "test:99", "nonsense", "test:x"] {
        let mut reset = Listener::new(&gateway, &format!("Last-Event-ID: {foreign}\r\n"));
        gateway.raise(alert(30, 0, 38.0));
        reset.until("\"alert\":\"3-30\"");
        let is_reset = reset.heard.contains("event: reset");
        assert_eq!(
            is_reset,
            foreign.starts_with("other") || foreign == "test:99",
            "{foreign}"
        );
        assert!(!reset.heard.contains("3-22"), "{foreign}: {}", reset.heard);
    }
    gateway.until_it_stops().cancel();
    let mut rest = Vec::new();
    again.stream.read_to_end(&mut rest).unwrap();
}

#[test]
fn metrics_are_numbers_of_the_gateway_for_whoever_has_the_token_and_the_board_shows_them() {
    let gateway = some();
    let ask = |with: &str| {
        let head = format!("GET /metrics HTTP/1.1\r\nHost: {}{with}", gateway.address);
        gateway.send(&head, "")
    };
    for wrong in [
        "",
        "\r\nAuthorization: Bearer x",
        "\r\nAuthorization: Basic eDp5",
    ] {
        assert_eq!(ask(wrong).status, 401, "{wrong}");
    }
    let answer = ask(&format!("\r\nAuthorization: Bearer {METRICS_TOKEN}"));
    assert_eq!(answer.status, 200);
    for line in [
        "menshen_camera_frames_total 61204",
        "menshen_alerts_open 2.0",
        "menshen_screenings_total{verdict=\"clear\",reason=\"\"} 412",
        "menshen_fault{fault=\"camera_silent\"} 0.0",
        "menshen_broker_connected 1.0",
        "menshen_info{version=\"0.1.0\",mode=\"real\"} 1",
        "# EOF",
    ] {
        assert!(
            answer.body.contains(line),
            "{line} is missing in\n{}",
            answer.body
        );
    }
    for secret in ["39.0", "38.4", "海鸥", METRICS_TOKEN] {
        assert!(!answer.body.contains(secret), "{secret}");
    }
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana/menshen.json");
    let board: Value = serde_json::from_str(&std::fs::read_to_string(board).unwrap()).unwrap();
    let text = board.to_string();
    let mut asked = 0;
    for rest in text.split("menshen_").skip(1) {
        let end = rest
            .find(|c: char| !c.is_ascii_lowercase() && c != '_')
            .unwrap();
        let name = format!("menshen_{}", &rest[..end]);
        assert!(answer.body.contains(&name), "the board asks for {name}");
        asked += 1;
    }
    assert!(asked > 10, "{asked}");
}

/// Strings that people and programs send who mean no good, or nothing at all.
const HOSTILE: [&str; 13] = [
    "%00",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%F0%9F%92%A9",
    "'%20OR%201=1--",
    "%3Cscript%3E",
    "-1",
    "99999999999999999999-1",
    "3-12%0d%0aX:%20y",
    "%E2%80%AE",
    "{{7*7}}",
    "%u0041",
    "1e9",
    "%FF",
];

#[test]
fn whatever_is_asked_the_answer_is_described_and_nothing_breaks() {
    let gateway = some();
    let for_programs = served()
        .into_iter()
        .filter(|it| it.path.starts_with("/api/"));
    for entry in for_programs.filter(|it| it.path != "/api/v1/events") {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
        ] {
            for hostile in HOSTILE {
                let path = entry.path.replace("{id}", hostile);
                let head = format!(
                    "{method} {path}?{hostile}={hostile} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\n\
                     Accept: {hostile}\r\nRange: bytes=0-\r\nCookie: menshen-session={hostile}",
                    gateway.address
                );
                let body = if method == "GET" { "" } else { hostile };
                let answer = gateway.send(&head, body);
                assert!(answer.status < 500, "{method} {path}: {answer:?}");
                let allowed = method == "GET" || method == "HEAD";
                assert!(
                    allowed == (answer.status != 405),
                    "{method} {path}: {answer:?}"
                );
                if answer.status >= 400 && method != "HEAD" {
                    let kind = answer.header("content-type");
                    assert_eq!(
                        kind,
                        Some("application/problem+json"),
                        "{method} {path}: {answer:?}"
                    );
                }
            }
        }
    }
}
