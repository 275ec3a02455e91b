//! The program itself as a child process: what it says, its dashboard, its broker, its end.
//!
//! Nothing here is timed: everything waits for a condition, up to a limit that only ends a test
//! that hangs, and then says what was missing and what the program has said.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, of which each test program uses a part, fail as tests do"
)]

use rumqttc::{Client, Event, MqttOptions, Packet, Publish, QoS};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Between two looks.
const AGAIN: Duration = Duration::from_millis(25);
/// Looks before a test is given up: two minutes.
const LOOKS: u32 = 4800;

/// Waits until there is something; `None` after the limit.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(AGAIN);
    }
    None
}

/// A command of the program, without what the caller's environment says.
pub(crate) fn menshen(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_menshen"));
    command
        .current_dir(folder)
        .env_remove("MENSHEN_CONFIG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// Exit code, standard output and standard error of a command that ends by itself.
pub(crate) fn outcome(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = menshen(folder).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    (output.status.code(), out, err)
}

/// What a pipe has said so far.
type Said = Arc<Mutex<String>>;

fn listen(pipe: impl Read + Send + 'static) -> Said {
    let said = Said::default();
    let heard = Arc::clone(&said);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { break };
            let mut heard = heard.lock().unwrap();
            heard.push_str(&line);
            heard.push('\n');
        }
    });
    said
}

/// The running program. Told to stop when dropped, so that its own children go with it.
pub(crate) struct Program {
    child: Child,
    out: Said,
    err: Said,
}

impl Program {
    /// Starts it in this folder.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = menshen(folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = listen(child.stdout.take().unwrap());
        let err = listen(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed.
    pub(crate) fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// What it has logged.
    pub(crate) fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Waits for something; fails where it does not come, or where the program ends before.
    pub(crate) fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut ended = None;
        let found = until(|| {
            // In this order: what was there at the end is found after the end.
            ended = self.child.try_wait().unwrap();
            let found = look(self);
            match (found, ended) {
                (Some(found), _) => Some(Some(found)),
                (None, Some(_)) => Some(None),
                (None, None) => None,
            }
        });
        found.flatten().unwrap_or_else(|| {
            panic!(
                "{what} is missing; the program {}\nstdout:\n{}\nstderr:\n{}",
                ended.map_or_else(|| "runs".to_owned(), |status| format!("ended: {status}")),
                self.out(),
                self.err()
            )
        })
    }

    /// The first line of standard output or the log that holds this, from there on.
    fn after(&mut self, mark: &str) -> String {
        let what = format!("a line with {mark:?}");
        self.wait(&what, |it| {
            let said = it.out() + &it.err();
            let line = said.lines().find_map(|line| line.split_once(mark))?.1;
            Some(line.to_owned())
        })
    }

    /// The dashboard, once it is served.
    pub(crate) fn dashboard(&mut self) -> Dashboard {
        let rest = self.after("http://");
        let address = rest.split('/').next().unwrap().to_owned();
        let mut page = Dashboard {
            address,
            cookie: String::new(),
        };
        self.wait("the pages", |_| page.try_get("/healthz"));
        page.cookie = self.signed_in(&page);
        page
    }

    /// The cookie of somebody who has signed in, as the administrator of a first start or as the same one
    /// later; none in the demo.
    fn signed_in(&mut self, page: &Dashboard) -> String {
        let who = "name=Li+Ming&password=seven+green+lobster+hats";
        let first = page.get("/sign-in").contains("name=\"code\"");
        let (path, form) = if page.try_get("/account").is_some() {
            return String::new();
        } else if first {
            let code = self.after("the code is ");
            let code = code.split_whitespace().next().unwrap();
            let again = "again=seven+green+lobster+hats";
            ("/setup", format!("code={code}&{who}&{again}"))
        } else {
            ("/sign-in", who.to_owned())
        };
        page.cookie_of(path, &form)
    }

    /// Port and topic filter that the demo prints.
    pub(crate) fn broker(&mut self) -> (u16, String) {
        self.dashboard();
        let line = self.after("alerts     ");
        let words: Vec<&str> = line.split(' ').collect();
        let [
            "mosquitto_sub",
            "-h",
            "127.0.0.1",
            "-p",
            port,
            "-v",
            "-t",
            topic,
        ] = words[..]
        else {
            panic!(
                "the demo has no broker (sudo apt install mosquitto): {line}\n{}",
                self.err()
            );
        };
        (port.parse().unwrap(), topic.trim_matches('\'').to_owned())
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.child.id())])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Kills it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let status = until(|| self.child.try_wait().unwrap());
        status.unwrap_or_else(|| panic!("it does not end; its log:\n{}", self.err()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
            if until(|| self.child.try_wait().ok().flatten()).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

/// A gateway's pages.
pub(crate) struct Dashboard {
    /// Address and port.
    pub(crate) address: String,
    /// Who is signed in.
    pub(crate) cookie: String,
}

impl Dashboard {
    /// A page's text; `None` while nobody answers.
    fn try_get(&self, path: &str) -> Option<String> {
        let mut answer = ureq::get(format!("http://{}{path}", self.address))
            .header("Cookie", &self.cookie)
            .call()
            .ok()?;
        answer.body_mut().read_to_string().ok()
    }

    /// A page's text.
    pub(crate) fn get(&self, path: &str) -> String {
        self.try_get(path)
            .unwrap_or_else(|| panic!("no answer from {path}"))
    }

    /// The same from the interface for machines; `null` while nobody answers.
    pub(crate) fn json(&self, path: &str) -> Value {
        let text = self.try_get(path).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The alerts, as the interface for machines has them.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        match self.json("/api/v1/alerts") {
            Value::Array(alerts) => alerts,
            _ => Vec::new(),
        }
    }

    /// Sends a form as a browser on our own page does: status and where it leads.
    pub(crate) fn post(&self, path: &str, form: &str) -> (u16, String) {
        let answer = self.send(path, form);
        let leads = answer.headers().get("Location");
        let leads = leads.map_or("", |place| place.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), leads)
    }

    /// The page that answers a form.
    pub(crate) fn text(&self, path: &str, form: &str) -> String {
        let mut answer = self.send(path, form);
        answer.body_mut().read_to_string().unwrap()
    }

    /// The cookie that a form's answer sets.
    pub(crate) fn cookie_of(&self, path: &str, form: &str) -> String {
        let answer = self.send(path, form);
        let line = answer.headers().get("Set-Cookie");
        let line = line.unwrap_or_else(|| panic!("no session: {answer:?}"));
        line.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    fn send(&self, path: &str, form: &str) -> ureq::http::Response<ureq::Body> {
        ureq::post(format!("http://{}{path}", self.address))
            .config()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .header("Origin", format!("http://{}", self.address))
            .header("Cookie", &self.cookie)
            .content_type("application/x-www-form-urlencoded")
            .send(form)
            .unwrap()
    }
}

/// Everything that came over MQTT to one subscriber, in order.
pub(crate) struct Subscriber {
    heard: Arc<Mutex<Vec<Publish>>>,
    client: Client,
}

impl Subscriber {
    /// Subscribes, and waits until the broker has said yes.
    pub(crate) fn start(port: u16, filter: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        let (client, mut connection) = Client::new(MqttOptions::new(name, "127.0.0.1", port), 16);
        client.subscribe(filter, QoS::AtLeastOnce).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ready = Arc::new(Mutex::new(false));
        let (ear, yes) = (Arc::clone(&heard), Arc::clone(&ready));
        thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        ear.lock().unwrap().push(publish);
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => *yes.lock().unwrap() = true,
                    Ok(_) => {}
                    // A second connection would hear what is retained once more.
                    Err(_) => break,
                }
            }
        });
        until(|| ready.lock().unwrap().then_some(())).expect("the broker takes the subscription");
        Self { heard, client }
    }

    /// What came on topics that end so: whether retained, and the payload.
    pub(crate) fn on(&self, ending: &str) -> Vec<(bool, Value)> {
        let heard = self.heard.lock().unwrap();
        let here = heard.iter().filter(|it| it.topic.ends_with(ending));
        here.map(|it| (it.retain, serde_json::from_slice(&it.payload).unwrap()))
            .collect()
    }

    /// The events of one kind that came on a topic.
    pub(crate) fn kind(&self, ending: &str, kind: &str) -> Vec<Value> {
        let events = self.on(ending).into_iter().map(|(retained, payload)| {
            assert!(!retained, "an event is never retained: {payload}");
            payload
        });
        events.filter(|event| event["kind"] == kind).collect()
    }

    /// The states in the order in which they were announced.
    pub(crate) fn states(&self) -> Vec<String> {
        let states = self.on("/status/gateway").into_iter();
        states
            .map(|(_, payload)| payload["state"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Every payload, as text.
    pub(crate) fn heard_text(&self) -> String {
        let heard = self.heard.lock().unwrap();
        let texts = heard.iter().map(|it| String::from_utf8_lossy(&it.payload));
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Every topic something came on.
    pub(crate) fn topics(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|it| it.topic.clone()).collect()
    }

    /// Waits until the broker has sent all that it had: what this very client publishes now comes
    /// back behind it.
    pub(crate) fn settle(&self, topic: &str) {
        self.client
            .publish(topic, QoS::AtLeastOnce, false, "{}")
            .unwrap();
        until(|| self.topics().iter().any(|it| it == topic).then_some(()))
            .expect("the broker sends a message back");
    }
}

/// A place where a broker may be: at first nobody is behind it, and whoever comes is sent away.
/// The port stays this test's own all the time, which a broker's that was killed would not.
pub(crate) struct Door {
    /// Where the gateway knocks.
    pub(crate) port: u16,
    behind: Arc<Mutex<Option<u16>>>,
}

impl Door {
    /// With nobody behind it.
    pub(crate) fn closed() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = Arc::new(Mutex::new(None));
        let who = Arc::clone(&behind);
        thread::spawn(move || {
            for guest in listener.incoming() {
                let (Ok(guest), Some(port)) = (guest, *who.lock().unwrap()) else {
                    continue;
                };
                if let Ok(broker) = TcpStream::connect(("127.0.0.1", port)) {
                    for (mut from, mut to) in [
                        (guest.try_clone().unwrap(), broker.try_clone().unwrap()),
                        (broker, guest),
                    ] {
                        thread::spawn(move || {
                            let _ = std::io::copy(&mut from, &mut to);
                            let _ = to.shutdown(std::net::Shutdown::Both);
                        });
                    }
                }
            }
        });
        Self { port, behind }
    }

    /// From now on this broker is behind it.
    pub(crate) fn open(&self, broker: u16) {
        *self.behind.lock().unwrap() = Some(broker);
    }
}
