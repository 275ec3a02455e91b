//! Signing in over a real socket, with the real store: who may do what, who is kept out, and what is told apart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "common/dashboard.rs"]
mod dashboard;
#[path = "common/program.rs"]
mod program;

use dashboard::{Answer, Gateway, alert, stamp};
use menshen::account::{
    AccountId, Accounts, Act, Change, Digest, Invitation, Keys, NewAccount, Session,
};
use menshen::alert::AlertState;
use menshen::staff::Role;
use menshen::store::Store;
use menshen::text::Note;
use menshen::web::Entrance;
use menshen::web::routes::{Needs, Served, served};
use program::Program;
use sha2::Digest as _;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn act() -> Act<'static> {
    Act {
        by: "test",
        at: stamp(0),
    }
}

fn digest(secret: &str) -> Digest {
    Digest(sha2::Sha256::digest(secret.as_bytes()).into())
}

/// An account whose password is chosen with this code, letters and digits without O, I and L.
fn invite(store: &Store, name: &str, role: Role, shared: bool, code: &str) -> AccountId {
    let keys = Keys {
        invitation: Some(Invitation {
            code: digest(code),
            made: stamp(0),
        }),
        ..Keys::default()
    };
    let name = Note::name(name).unwrap();
    let new = NewAccount {
        name,
        role,
        shared,
        keys,
    };
    store.create(&new, act()).unwrap().unwrap()
}

/// Somebody is signed in with this token.
fn session(store: &Store, account: AccountId, token: &str) {
    let session = Session {
        token: digest(token),
        account,
        begun: stamp(0),
        seen: stamp(0),
    };
    store.begin(&session, "", act()).unwrap();
}

/// Somebody who signed in before the gateway started, with a session for each of these tokens.
fn somebody(store: &Store, role: Role, tokens: &[String]) {
    let id = invite(store, role.en(), role, false, role.as_str());
    let usable = Change::Password("none that opens".to_owned());
    store.change(id, &usable, None, act()).unwrap();
    for token in tokens {
        session(store, id, token);
    }
}

fn open(folder: &Path) -> Store {
    Store::open(folder, Vec::new()).unwrap()
}

fn gateway(store: &Store) -> Gateway {
    let alerts = vec![alert(12, 300, 38.4), alert(13, 20, 39.0)];
    Gateway::behind(Entrance::Accounts(Arc::new(store.clone())), alerts)
}

/// A browser: it keeps the cookie and sends what the forms of its session send.
struct Browser<'a> {
    gateway: &'a Gateway,
    cookie: String,
}

impl Browser<'_> {
    fn new(gateway: &Gateway) -> Browser<'_> {
        Browser {
            gateway,
            cookie: String::new(),
        }
    }

    fn head(&self, method: &str, path: &str) -> String {
        let address = self.gateway.address;
        let cookie = &self.cookie;
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}"
        )
    }

    fn get(&self, path: &str) -> Answer {
        self.gateway.send(&self.head("GET", path), "")
    }

    /// What the forms on this session's pages send along.
    fn csrf(&self) -> String {
        let page = self.get("/account").body;
        let rest = page.split("name=\"csrf\" value=\"").nth(1).unwrap_or("");
        rest.split('"').next().unwrap().to_owned()
    }

    fn raw(&self, path: &str, form: &str) -> Answer {
        self.gateway.send(&self.head("POST", path), form)
    }

    fn post(&mut self, path: &str, form: &str) -> Answer {
        let csrf = if self.cookie.is_empty() {
            String::new()
        } else {
            self.csrf()
        };
        let answer = self.raw(path, &format!("{form}&csrf={csrf}"));
        if let Some(line) = answer.header("set-cookie") {
            line.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        answer
    }

    fn choose(&mut self, code: &str, password: &str) -> Answer {
        let form = format!("code={code}&password={password}&again={password}");
        self.post("/setup", &form)
    }

    fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/sign-in", &format!("name={name}&password={password}"))
    }
}

const PASSWORD: &str = "seven+green+lobster+hats";

/// Status and text; of a stream that does not end only its head.
fn ask(
    gateway: &Gateway,
    method: &str,
    path: &str,
    token: Option<&str>,
    form: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let address = gateway.address;
    let cookie = token.map_or_else(String::new, |it| {
        format!("Cookie: menshen-session={it}\r\n")
    });
    let length = form.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n{cookie}\
         Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n{form}"
    )
    .unwrap();
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut bytes).unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        let streams = text.contains("text/event-stream") && text.contains("\r\n\r\n");
        if read == 0 || streams {
            break;
        }
    }
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}

const NOT_YOURS: &str = "您没有这项权限";
const OLD_FORM: &str = "页面已过时";

fn token(role: Role, entry: usize, turn: &str) -> String {
    format!("{}-{entry}-{turn}", role.as_str())
}

/// One cell: who may not is refused, who may is not, and a form without its session's word is refused.
fn check(gateway: &Gateway, entry: &Served, at: usize, role: Role) {
    let path = entry.path.replace("{id}", "3-99");
    let token = |turn| token(role, at, turn);
    let cell = format!("{} {path} as {}", entry.method, role.as_str());
    let may = match entry.needs {
        Needs::Nothing | Needs::SignIn => true,
        Needs::Right(right) => role.may(right),
    };
    let (status, text) = ask(gateway, entry.method, &path, Some(&token("bare")), "");
    assert_ne!(status, 401, "{cell}");
    assert_eq!(text.contains(NOT_YOURS), !may, "{cell}: {text}");
    if entry.method == "GET" || !may {
        assert_eq!(status == 403, !may, "{cell}: {text}");
        return;
    }
    let guarded = entry.needs != Needs::Nothing;
    assert_eq!(text.contains(OLD_FORM), guarded, "{cell}: {text}");
    let browser = Browser {
        gateway,
        cookie: format!("menshen-session={}", token("form")),
    };
    let (_, text) = ask(
        gateway,
        "POST",
        &path,
        Some(&token("form")),
        &format!("csrf={}", browser.csrf()),
    );
    assert!(
        !text.contains(OLD_FORM) && !text.contains(NOT_YOURS),
        "{cell}: {text}"
    );
}

#[test]
fn every_route_answers_every_role_and_method_as_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let table = served();
    for role in Role::ALL {
        let tokens: Vec<String> = (0..table.len())
            .flat_map(|at| ["bare", "form"].map(|turn| token(*role, at, turn)))
            .collect();
        somebody(&store, *role, &tokens);
    }
    let gateway = gateway(&store);
    let paths: BTreeSet<&str> = table.iter().map(|it| it.path).collect();
    for (at, entry) in table.iter().enumerate() {
        let path = entry.path.replace("{id}", "3-99");
        for stranger in [None, Some("no-token"), Some("")] {
            let (status, text) = ask(&gateway, entry.method, &path, stranger, "");
            let open = entry.needs == Needs::Nothing;
            assert_eq!(status == 401, !open, "{} {path}: {text}", entry.method);
        }
        for role in Role::ALL {
            check(&gateway, entry, at, *role);
        }
    }
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if table
                .iter()
                .any(|it| it.path == path && it.method == method)
            {
                continue;
            }
            let path = path.replace("{id}", "3-99");
            let token = token(Role::Manager, 0, "bare");
            let (status, text) = ask(&gateway, method, &path, Some(&token), "");
            assert_eq!(status, 405, "{method} {path}: {text}");
        }
    }
}

#[test]
fn nothing_of_the_site_is_said_to_whoever_has_not_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    somebody(&store, Role::Admin, &[]);
    let gateway = gateway(&store);
    let browser = Browser::new(&gateway);
    for path in [
        "/",
        "/alerts",
        "/api/v1/alerts",
        "/accounts",
        "/live",
        "/changes",
    ] {
        let answer = browser.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.body.contains("39.0"), "{path}");
    }
    // A browser that goes there is led to where it signs in, and back.
    let goes = format!(
        "{}\r\nSec-Fetch-Mode: navigate",
        browser.head("GET", "/accounts")
    );
    let led = gateway.send(&goes, "");
    assert_eq!(led.status, 303);
    assert_eq!(led.header("location"), Some("/sign-in?back=/accounts"));
    let page = browser.get("/sign-in?back=//evil.example");
    assert!(page.body.contains("name=\"back\" value=\"\""));
}

#[test]
fn somebody_chooses_a_password_signs_in_and_out_and_the_cookie_is_kept_from_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    somebody(&store, Role::Admin, &[]);
    invite(&store, "王芳", Role::Manager, false, "C0DE");
    let gateway = gateway(&store);
    let mut fang = Browser::new(&gateway);
    assert_eq!(fang.choose("C0DX", PASSWORD).status, 403);
    let common = fang.choose("c0de", "password1");
    assert!(
        common.status == 422 && common.body.contains("太常见"),
        "{common:?}"
    );
    let begun = fang.choose("c-ode", PASSWORD);
    assert_eq!(
        (begun.status, begun.header("location")),
        (303, Some("/account"))
    );
    let line = begun.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(fang.get("/account").body.contains("王芳"));
    assert_eq!(
        Browser::new(&gateway).choose("C0DE", PASSWORD).status,
        403,
        "used up"
    );

    let old = fang.cookie.clone();
    assert_eq!(
        fang.post("/sign-out", "").header("location"),
        Some("/sign-in")
    );
    let again = Browser {
        gateway: &gateway,
        cookie: old,
    };
    assert_eq!(
        again.get("/account").status,
        401,
        "it is gone at the gateway, too"
    );

    let mut fang = Browser::new(&gateway);
    let wrong = fang.sign_in("%E7%8E%8B%E8%8A%B3", "another");
    assert!(
        wrong.status == 403 && wrong.body.contains("姓名或密码不对"),
        "{wrong:?}"
    );
    assert!(wrong.body.contains("value=\"王芳\"") && !wrong.body.contains("another"));
    let nobody = fang.sign_in("nobody", "another");
    let plain = |text: &str, name: &str| text.replace(name, "");
    assert_eq!(
        plain(&wrong.body, "王芳"),
        plain(&nobody.body, "nobody"),
        "who exists is not told"
    );
    assert_eq!(
        fang.sign_in("%E7%8E%8B%E8%8A%B3", PASSWORD)
            .header("location"),
        Some("/")
    );
    assert_eq!(fang.get("/").status, 200);

    // Somebody's own form on somebody else's page.
    let answer = fang.raw("/alerts/3-12/acknowledge", "csrf=0123");
    assert!(answer.status == 403 && answer.body.contains(OLD_FORM));
    // The name is that of the one who signed in, whatever is typed.
    assert_eq!(fang.post("/alerts/3-12/acknowledge", "by=Li").status, 303);
    let alerts = gateway.memory.alerts.lock().unwrap().clone();
    assert!(matches!(&alerts[0].state, AlertState::Acknowledged { by, .. } if by == "王芳"));

    // A new password ends every other session and the old password.
    let mut elsewhere = Browser::new(&gateway);
    elsewhere.sign_in("%E7%8E%8B%E8%8A%B3", PASSWORD);
    let new =
        "old=seven+green+lobster+hats&password=nine+blue+cactus+pots&again=nine+blue+cactus+pots";
    assert_eq!(fang.post("/account/password", new).status, 303);
    assert_eq!(elsewhere.get("/account").status, 401);
    assert_eq!(fang.get("/account").status, 200);
    let audit = store.audit(100).unwrap();
    let did = |what: &str| audit.iter().any(|it| it.what == what && it.who == "王芳");
    assert!(
        [
            "signed_in",
            "signed_out",
            "sign_in_refused",
            "password_chosen"
        ]
        .map(did)
        .iter()
        .all(|it| *it)
    );
    assert!(!format!("{audit:?}").contains("another"));
}

#[test]
fn whoever_does_nothing_or_has_worked_a_shift_is_signed_out_and_a_screen_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    somebody(&store, Role::Admin, &[]);
    somebody(&store, Role::Guard, &["guard".to_owned()]);
    let screen = invite(&store, "门岗屏", Role::Guard, true, "SCREEN");
    store
        .change(screen, &Change::Password(String::new()), None, act())
        .unwrap();
    session(&store, screen, "screen");
    let gateway = gateway(&store);
    let browser = |token: &str| Browser {
        gateway: &gateway,
        cookie: format!("menshen-session={token}"),
    };
    let fetched = |token: &str| {
        let head = browser(token).head("GET", "/alerts");
        gateway
            .send(&format!("{head}\r\nSec-Fetch-Dest: empty"), "")
            .status
    };
    let minutes = |n| gateway.clock.advance(Duration::from_mins(n));
    minutes(29);
    assert_eq!(browser("guard").get("/").status, 200);
    minutes(29);
    assert_eq!(
        fetched("guard"),
        200,
        "what a page fetches by itself is let in"
    );
    minutes(1);
    assert_eq!(fetched("guard"), 401, "and keeps nobody signed in");
    assert_eq!(browser("screen").get("/").status, 200);
    minutes(29 * 24 * 60);
    assert_eq!(browser("screen").get("/").status, 200);
    minutes(2 * 24 * 60);
    assert_eq!(browser("screen").get("/").status, 401);
}

#[test]
fn a_flood_of_tries_is_held_up_over_a_restart_and_nobody_who_is_in_notices() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    somebody(&store, Role::Admin, &["admin".to_owned()]);
    invite(&store, "Fang", Role::Guard, false, "FANG");
    invite(&store, "Zhao", Role::Guard, false, "ZHA0");
    let first = gateway(&store);
    for code in ["FANG", "ZHA0"] {
        assert_eq!(Browser::new(&first).choose(code, PASSWORD).status, 303);
    }
    for _ in 0..5 {
        assert_eq!(Browser::new(&first).sign_in("fang", "wrong").status, 403);
    }
    let held = |gateway: &Gateway| {
        let answer = Browser::new(gateway).sign_in("Fang", PASSWORD);
        (
            answer.status,
            answer.header("retry-after").map(str::to_owned),
        )
    };
    assert_eq!(
        held(&first),
        (429, Some("60".to_owned())),
        "even with the right one"
    );
    drop(first);
    let second = gateway(&store);
    assert_eq!(held(&second).0, 429, "the restart forgives nothing");
    assert_eq!(Browser::new(&second).sign_in("Zhao", PASSWORD).status, 303);
    let admin = Browser {
        gateway: &second,
        cookie: "menshen-session=admin".to_owned(),
    };
    assert_eq!(admin.get("/accounts").status, 200);
    // Names that nobody has, one after the other, are held up by where they come from.
    let statuses: Vec<u16> = (0..20)
        .map(|n| {
            Browser::new(&second)
                .sign_in(&format!("nobody{n}"), "x")
                .status
        })
        .collect();
    assert_eq!(
        statuses.iter().filter(|it| **it == 403).count(),
        15,
        "{statuses:?}"
    );
    second.clock.advance(Duration::from_mins(1));
    assert_eq!(held(&second), (303, None));
}

#[test]
fn on_a_shared_screen_whoever_acts_gives_their_pin() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    somebody(&store, Role::Admin, &[]);
    invite(&store, "Screen", Role::Guard, true, "SCREEN");
    invite(&store, "Fang", Role::Guard, false, "FANG");
    invite(&store, "Street", Role::StreetViewer, false, "STREET");
    let gateway = gateway(&store);
    let mut screen = Browser::new(&gateway);
    assert_eq!(screen.choose("SCREEN", PASSWORD).status, 303);
    assert!(screen.get("/alerts").body.contains("还没有人设置 PIN"));
    for code in ["FANG", "STREET"] {
        let mut own = Browser::new(&gateway);
        own.choose(code, PASSWORD);
        let pin = |own: &mut Browser<'_>, old: &str, pin: &str| {
            own.post("/account/pin", &format!("old={old}&pin={pin}"))
                .status
        };
        assert_eq!(pin(&mut own, "wrong", "804177"), 403);
        assert_eq!(pin(&mut own, PASSWORD, "123456"), 422);
        assert_eq!(pin(&mut own, PASSWORD, "804177"), 303);
        assert_eq!(own.get("/account").status, 200, "and stays signed in");
    }
    let page = screen.get("/").body;
    assert!(page.contains("<option>Fang</option>") && !page.contains("<option>Street</option>"));
    let take =
        |screen: &mut Browser<'_>, form: &str| screen.post("/alerts/3-12/acknowledge", form).status;
    for wrong in [
        "",
        "by=Screen",
        "by=Fang",
        "by=Fang&pin=000000",
        "by=Street&pin=804177",
    ] {
        assert_eq!(take(&mut screen, wrong), 403, "{wrong}");
    }
    let open = |it: &menshen::alert::Alert| it.state == AlertState::Open;
    assert!(gateway.memory.alerts.lock().unwrap().iter().all(open));
    assert_eq!(take(&mut screen, "by=Fang&pin=804177"), 303);
    let alerts = gateway.memory.alerts.lock().unwrap().clone();
    assert!(matches!(&alerts[0].state, AlertState::Acknowledged { by, .. } if by == "Fang"));
    // Few are tried, and the person can still sign in.
    for _ in 0..3 {
        take(&mut screen, "by=Fang&pin=000000");
    }
    assert_eq!(take(&mut screen, "by=Fang&pin=804177"), 429);
    assert_eq!(Browser::new(&gateway).sign_in("Fang", PASSWORD).status, 303);
}

#[test]
fn accounts_are_made_reset_and_disabled_and_nobody_raises_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    somebody(&store, Role::Admin, &["admin".to_owned()]);
    somebody(&store, Role::Manager, &["manager".to_owned()]);
    let gateway = gateway(&store);
    let browser = |token: &str| Browser {
        gateway: &gateway,
        cookie: format!("menshen-session={token}"),
    };
    let (mut admin, mut manager) = (browser("admin"), browser("manager"));
    assert_eq!(manager.post("/accounts", "name=Me&role=admin").status, 403);
    assert_eq!(manager.post("/accounts/1/reset", "").status, 403);
    assert_eq!(manager.post("/accounts/1/disable", "").status, 403);
    assert_eq!(manager.post("/accounts", "name=Me&role=king").status, 422);
    assert_eq!(
        manager
            .post("/accounts", "name=Me&role=manager&shared=yes")
            .status,
        422
    );
    assert_eq!(
        admin.post("/accounts/1/disable", "").status,
        422,
        "the last administrator"
    );
    assert_eq!(admin.post("/accounts/99/disable", "").status, 404);

    let made = manager.post("/accounts", "name=Fang&role=guard");
    let code = |answer: &Answer| {
        let rest = answer
            .body
            .split("<p class=\"code digits\">")
            .nth(1)
            .unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    assert_eq!(
        manager.post("/accounts", "name=fang&role=guard").status,
        422,
        "taken"
    );
    let mut fang = Browser::new(&gateway);
    assert_eq!(fang.choose(&code(&made), PASSWORD).status, 303);
    assert_eq!(fang.get("/").status, 200);
    // A stream of hers ends when she may not come in any more.
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let head = fang.head("GET", "/changes");
    write!(stream, "{head}\r\nConnection: close\r\n\r\n").unwrap();
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("data: 0") {
        let mut bytes = [0; 512];
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0);
        heard.extend_from_slice(&bytes[..read]);
    }
    assert_eq!(manager.post("/accounts/3/disable", "").status, 303);
    stream.read_to_end(&mut heard).unwrap();
    assert!(heard.ends_with(b"0\r\n\r\n"), "the stream has ended");
    assert_eq!(fang.get("/").status, 401);
    assert_eq!(Browser::new(&gateway).sign_in("Fang", PASSWORD).status, 403);
    assert_eq!(manager.post("/accounts/3/enable", "").status, 303);
    assert_eq!(Browser::new(&gateway).sign_in("Fang", PASSWORD).status, 303);
    let reset = manager.post("/accounts/3/reset", "");
    assert_eq!(Browser::new(&gateway).sign_in("Fang", PASSWORD).status, 403);
    assert_eq!(
        Browser::new(&gateway)
            .choose(&code(&reset), "nine+blue+cactus+pots")
            .status,
        303
    );
}

#[test]
fn a_first_start_says_a_code_that_opens_once_and_a_gateway_is_never_open() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("site.toml"),
        "[camera]\nsource = \"simulator\"\n[web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n",
    )
    .unwrap();
    let run = ["run", "--config", "site.toml"];
    let mut gateway = Program::start(folder.path(), &run);
    let page = gateway.dashboard();
    assert!(page.get("/accounts").contains("Li Ming"));
    let code = gateway.err().split("the code is ").nth(1).unwrap()[..31].to_owned();
    assert_eq!(code.replace('-', "").len(), 26, "{code}");
    let form = "name=Me&password=nine+blue+cactus+pots&again=nine+blue+cactus+pots";
    assert_eq!(page.post("/setup", &format!("code={code}&{form}")).0, 403);
    let stranger = program::Dashboard {
        address: page.address.clone(),
        cookie: String::new(),
    };
    assert_eq!(stranger.json("/api/v1/state"), serde_json::Value::Null);
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    assert!(!gateway.err().contains("lobster"));

    let mut gateway = Program::start(folder.path(), &run);
    let page = gateway.dashboard();
    assert!(page.get("/accounts").contains("Li Ming"));
    assert!(
        !gateway.err().contains("the code is"),
        "only a first start says one"
    );
}
