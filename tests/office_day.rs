//! A whole day in an office building, from the pledge in the morning to the second revision of the report in
//! the evening: a manager and a guard in a real browser, the gateway's own link over a real Mosquitto, and the
//! street office's collector at the other end. The day's clock is simulated; nobody waits for an hour.
//!
//! Pictures are left in `target/tmp/day-*.png`, to be looked at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "common/browser.rs"]
mod browser;
#[path = "common/dashboard.rs"]
mod dashboard;
#[path = "common/program.rs"]
mod program;

use browser::{Browser, DESK, PHONE};
use dashboard::{Gateway, alert};
use menshen::account::{
    AccountId, Accounts, Act, Change, Digest, Invitation, Keys, NewAccount, Session,
};
use menshen::calendar::{Date, Weekday};
use menshen::checklist::{
    Action, Carried, Category, Desk, Evidence, Line, Logbook, NewLine, Proof, Search, SiteDays,
    SiteKind, SiteList, Submitter, Tick, TickId, TickRequest,
};
use menshen::clock::{Clock as _, Stamp, WallTime};
use menshen::config::checklist::{newest, shipped_procedure};
use menshen::config::zone::Zone;
use menshen::event::Event;
use menshen::id::{Channel, TrackId};
use menshen::journal::Journal as _;
use menshen::mqtt::Address;
use menshen::mqtt::broker::{Broker, BrokerSettings};
use menshen::mqtt::dial::{Account, Network};
use menshen::mqtt::link::{self, LinkSettings, LinkState, Telling};
use menshen::mqtt::payload::{ChecklistState, OpenAlerts, told};
use menshen::staff::Role;
use menshen::store::{Route, Store};
use menshen::street::ledger::Ledger;
use menshen::street::sqlite::SqliteLedger;
use menshen::text::Note;
use menshen::web::Entrance;
use program::Program;
use serde_json::{Value, json};
use sha2::Digest as _;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

const MANAGER: &str = "王芳";
const GUARD: &str = "李强";
const MINUTE_MS: i64 = 60_000;

/// The device's own zone, in which the pages write times.
fn here() -> Zone {
    Zone(jiff::tz::TimeZone::system())
}

fn note(text: &str) -> Note {
    Note::new(text).unwrap()
}

fn address() -> Address {
    Address::new("nanjing-donglu", "haiou", "east").unwrap()
}

/// A store whose events go to the broker, and a desk with the office list, which nobody owns yet.
fn site(folder: &Path) -> (Store, Arc<Desk>) {
    let site = address();
    let route = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| told(&site, key, event)),
    };
    let store = Store::open(folder, vec![route]).unwrap();
    let desk = Desk::new(
        Arc::new(SiteList::plain(newest(SiteKind::Office).unwrap())),
        shipped_procedure().unwrap(),
        Arc::new(store.clone()),
        Arc::new(here()),
        "20:00".parse().unwrap(),
    );
    (store, Arc::new(desk))
}

fn digest(secret: &str) -> Digest {
    Digest(sha2::Sha256::digest(secret.as_bytes()).into())
}

/// An account that can be signed in to.
fn account(store: &Store, name: &str, role: Role, now: Stamp) -> AccountId {
    let act = || Act {
        by: "test",
        at: now,
    };
    let new = NewAccount {
        name: note(name),
        role,
        shared: false,
        keys: Keys {
            invitation: Some(Invitation {
                code: digest("C0DE"),
                made: now,
            }),
            ..Keys::default()
        },
    };
    let account = store.create(&new, act()).unwrap().unwrap();
    let usable = Change::Password("none that opens".to_owned());
    store.change(account, &usable, None, act()).unwrap();
    account
}

/// The building: its pages over its store, its clock, and a browser.
struct Building {
    gateway: Gateway,
    store: Store,
    desk: Arc<Desk>,
    date: Date,
    people: [(Role, AccountId); 2],
    /// How often both have signed in: a session does not last the day.
    shift: Cell<u32>,
    browser: Browser,
}

impl Building {
    fn open(folder: &Path, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let (store, desk) = site(folder);
        let (journal, mine) = (store.clone(), Arc::clone(&desk));
        let entrance = Entrance::Accounts(Arc::new(store.clone()));
        let gateway = Gateway::serving(entrance, Vec::new(), |it| {
            it.journal = Arc::new(journal.clone());
            it.outbox = Arc::new(journal);
            it.desk = Some(mine);
            let bump = Arc::clone(&it.after_record);
            it.after_record = Arc::new(move || {
                bump();
                wake();
            });
        });
        let date = here().date_at(gateway.clock.now().wall).unwrap();
        let now = gateway.clock.now();
        let people = [(Role::Manager, MANAGER), (Role::Guard, GUARD)];
        let building = Self {
            people: people.map(|(role, name)| (role, account(&store, name, role, now))),
            gateway,
            store,
            desk,
            date,
            shift: Cell::new(0),
            browser: Browser::start(),
        };
        building.at(6, 55);
        building
    }

    fn now(&self) -> Stamp {
        self.gateway.clock.now()
    }

    /// It is so late now.
    fn at(&self, hour: u32, minute: u32) {
        let wanted = here().day(self.date).unwrap().at(hour * 60 + minute);
        let by = wanted.0 - self.now().wall.0;
        if by < 0 {
            self.gateway.clock.step_wall(by);
        } else {
            let by = Duration::from_millis(by.unsigned_abs());
            self.gateway.clock.advance(by);
        }
        self.sign_in();
    }

    /// Both sign in anew.
    fn sign_in(&self) {
        self.shift.set(self.shift.get() + 1);
        let now = self.now();
        for (role, account) in self.people {
            let session = Session {
                token: digest(&self.token(role)),
                account,
                begun: now,
                seen: now,
            };
            let act = Act {
                by: "test",
                at: now,
            };
            self.store.begin(&session, "", act).unwrap();
        }
        // The door has read its people and sessions when it was opened.
        self.gateway.stop();
        self.gateway.start();
    }

    fn token(&self, role: Role) -> String {
        format!("{}-{}", role.as_str(), self.shift.get())
    }

    /// Somebody opens a page.
    fn open_as(&self, role: Role, path: &str, size: (u32, u32)) {
        let cookie = json!({
            "name": "menshen-session", "value": self.token(role),
            "url": format!("http://{}/", self.gateway.address),
        });
        self.browser.devtools("Network.setCookie", &cookie);
        self.browser.open(self.gateway.address, path, size);
        let there = path.split(['?', '#']).next();
        assert_eq!(self.browser.eval("location.pathname"), json!(there));
    }

    /// Fills in a form and sends it by its button, as a browser without scripts would; waits for the page
    /// that comes back.
    fn send(&self, form: &str, fields: &[(&str, &str)], button: &str) {
        let fields: Vec<Value> = fields.iter().map(|it| json!([it.0, it.1])).collect();
        let script = format!(
            "(() => {{ const form = document.querySelector({}); \
             if (!form) return 'no form'; \
             for (const [name, value] of {}) {{ \
               const field = form.querySelector(`[name=\"${{name}}\"]`); \
               if (field.type === 'radio') form.querySelector(`[name=\"${{name}}\"][value=\"${{value}}\"]`).checked = true; \
               else field.value = value; }} \
             if (!form.reportValidity()) return 'incomplete'; \
             window.before = true; \
             const button = form.querySelector({}); \
             if (button.name) {{ const it = document.createElement('input'); it.type = 'hidden'; it.name = button.name; it.value = button.value; form.append(it); }} \
             HTMLFormElement.prototype.submit.call(form); return 'sent'; }})()",
            json!(form),
            json!(fields),
            json!(button),
        );
        assert_eq!(self.browser.eval(&script), json!("sent"), "{form}");
        self.browser
            .until("window.before === undefined && document.readyState === 'complete'");
        let problem = self
            .browser
            .eval("document.querySelector('main.single #problem')?.innerText ?? null");
        assert_eq!(problem, Value::Null, "{form}");
    }

    /// The selector of a form that says something of one time of an item.
    fn slot(&self, item: &str, time: u32, said: &str) -> String {
        format!(
            "#slot-{}-{item}-{time} form:has([name=\"said\"][value=\"{said}\"])",
            self.date
        )
    }

    /// The word of where a time of an item stands.
    fn stands(&self, item: &str, time: u32, word: &str) {
        let slot = format!("#slot-{}-{item}-{time}", self.date);
        let is_it = format!(
            "document.querySelector({}).matches('.s-{word}')",
            json!(slot)
        );
        assert_eq!(
            self.browser.eval(&is_it),
            json!(true),
            "{item} {time}: {word}"
        );
    }

    fn text(&self) -> String {
        let text = self.browser.eval("document.body.innerText");
        text.as_str().unwrap().to_owned()
    }

    fn says(&self, parts: &[&str]) {
        let text = self.text();
        for part in parts {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    /// A picture at a desk and one at a phone, of a page as it is.
    fn shoot(&self, role: Role, path: &str, name: &str) {
        for (size, place) in [(DESK, "desk"), (PHONE, "phone")] {
            self.open_as(role, path, size);
            self.browser.no_sideways_scroll(size);
            self.browser.shoot(&format!("day-{name}-{place}"));
        }
    }

    /// Waits for something that comes about elsewhere; a slow machine is no failure.
    fn eventually(&self, what: &str, mut check: impl FnMut() -> bool) {
        for _ in 0..9600 {
            if check() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never came: {what}\n{}", self.text());
    }

    /// The street office has the newest report.
    fn received(&self, revision: u32) {
        self.eventually("the street's receipt", || {
            let log = self.desk.log(self.date).unwrap();
            let last = log.last().unwrap();
            last.report.revision == revision && matches!(last.carried, Carried::Received(_))
        });
    }
}

/// The link to the broker, running on the gateway's runtime.
fn connect(
    building: &Building,
    port: u16,
    wake: Arc<Notify>,
    checklist: watch::Receiver<Option<ChecklistState>>,
) -> CancellationToken {
    let store = &building.store;
    let settings = LinkSettings {
        account: Account {
            dial: Arc::new(Network {
                host: "127.0.0.1".to_owned(),
                port,
                tls: None,
            }),
            broker: format!("127.0.0.1:{port}"),
            client_id: "haiou-east".to_owned(),
            username: None,
            password: None,
            keep_alive: Duration::from_secs(5),
        },
        address: address(),
        epoch: store.epoch(),
        version: "0.1.0".to_owned(),
        basis: "reference",
        clock: Arc::new(building.gateway.clock.clone()),
        open_alerts: watch::channel(OpenAlerts::default()).1,
        standing: watch::channel(BTreeSet::new()).1,
        checklist,
        follow_up: watch::channel(None).1,
        street_receipts: true,
        home_assistant: false,
        suits: Arc::new(|_| Ok(())),
        commands: BTreeSet::new(),
        journal: Arc::new(store.clone()),
    };
    let shutdown = CancellationToken::new();
    building.gateway.runtime.spawn(link::run(
        settings,
        Arc::new(store.clone()),
        wake,
        Telling {
            state: watch::Sender::new(LinkState::Connecting),
            silent: watch::Sender::default(),
        },
        shutdown.clone(),
    ));
    shutdown
}

/// The street office's collector, as a program of its own.
fn collect(folder: &Path, port: u16) -> Program {
    let text = format!("[street]\nid = \"nanjing-donglu\"\n[mqtt]\nport = {port}\n");
    std::fs::write(folder.join("street.toml"), text).unwrap();
    let mut program = Program::start(folder, &["street"]);
    program.wait("a collector", |it| {
        it.err().contains("collecting").then_some(())
    });
    program
}

#[test]
fn a_day_from_the_pledge_to_the_second_revision() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start_with(&folder.path().join("broker"), &BrokerSettings::default());
    let broker = broker.unwrap();
    let _collector = collect(folder.path(), broker.port());
    let ledger = SqliteLedger::open(&folder.path().join("street.db")).unwrap();
    let wake = Arc::new(Notify::new());
    let waker = Arc::clone(&wake);
    let office = Building::open(&folder.path().join("data"), move || waker.notify_one());
    let (checklist, told) = watch::channel(None);
    let link = connect(&office, broker.port(), wake, told);
    let _link = link.drop_guard();

    morning(&office);
    rounds(&office);
    an_alert(&office);
    report(&office);

    // What the street has: both revisions, the alert with its steps, and nobody's name.
    let messages = ledger.messages(&address(), &office.store.epoch()).unwrap();
    let messages: Vec<Value> = messages
        .iter()
        .map(|it| serde_json::from_slice(&it.payload).unwrap())
        .collect();
    let with = |key: &str, value: Value| messages.iter().filter(|it| it[key] == value).count();
    for revision in [1, 2] {
        let parts: Vec<&Value> = messages
            .iter()
            .filter(|it| it["revision"] == revision)
            .collect();
        assert!(!parts.is_empty() && parts.len() as u64 == parts[0]["of"].as_u64().unwrap());
    }
    assert_eq!(with("kind", json!("raised")), 1);
    assert_eq!(with("kind", json!("resolved")), 1);
    assert_eq!(with("kind", json!("step")), 4);
    let all = serde_json::to_string(&messages).unwrap();
    for name in [MANAGER, GUARD, "赵敏"] {
        assert!(!all.contains(name), "{name} left the building");
    }
    assert!(all.contains("余氯试纸只有120") && all.contains("食堂今日未开"));
    assert!(ledger.quarantine(9).unwrap().is_empty());
    drop(checklist);

    // The next morning what was missed after the report goes up by itself, and the day can be looked at.
    office.at(24 + 8, 30);
    let out = office.desk.submit_what_is_due(office.now()).unwrap();
    assert_eq!(out, [(office.date, 3)]);
    office.shoot(
        Role::Manager,
        &format!("/look-back/day/{}", office.date),
        "look-back-day",
    );
    office.says(&[GUARD, "余氯试纸只有120", "食堂今日未开", "漏查"]);
    office.shoot(Role::Manager, "/look-back/item/off-mix", "look-back-item");
}

/// 06:55: every category has an owner, the manager signs; the guard may read it, not sign.
fn morning(office: &Building) {
    office.open_as(Role::Manager, "/pledge", DESK);
    office.says(&["尚未签署", "没有责任人"]);
    for category in Category::ALL {
        let word = category.as_str();
        let form = format!("form:has([name=\"category\"][value=\"{word}\"])");
        office.send(&form, &[("owner", MANAGER)], "button");
        assert_eq!(
            office.browser.eval("location.hash"),
            json!(format!("#{word}"))
        );
    }
    let mix = "form:has([name=\"item\"][value=\"off-mix\"])";
    office.send(mix, &[("owner", "赵敏")], "button");
    office.send("form[action=\"/pledge/sign\"]", &[], "button");
    office.says(&["已签署", MANAGER, "赵敏"]);
    office.shoot(Role::Manager, "/pledge", "pledge");
    office.open_as(Role::Guard, "/pledge", PHONE);
    office.says(&["已签署"]);
    let forms = "document.querySelectorAll('main form').length";
    assert_eq!(
        office.browser.eval(forms),
        json!(0),
        "a guard signs nothing"
    );
}

/// The guard walks: in time, late, failed with an action, not applicable.
fn rounds(office: &Building) {
    office.at(8, 0);
    office.desk.begin(office.now()).unwrap();
    let tick = |item: &str, time: u32, said: &str, fields: &[(&str, &str)]| {
        office.open_as(Role::Guard, "/rounds", PHONE);
        office.send(&office.slot(item, time, said), fields, "button");
    };
    tick("off-lift-buttons", 0, "done", &[]);
    office.stands("off-lift-buttons", 0, "done");
    let low = [
        ("why", "余氯试纸只有120 mg/L"),
        ("action", "重新配制并复测"),
        ("owner", "赵敏"),
        ("hours", "2"),
    ];
    tick("off-mix", 0, "failed", &low);
    office.stands("off-mix", 0, "failed");
    office.at(9, 50);
    office.open_as(Role::Guard, "/rounds", PHONE);
    office.stands("off-toilets", 0, "overdue");
    tick("off-toilets", 0, "done", &[]);
    office.stands("off-toilets", 0, "late");
    office.stands("off-lift-buttons", 1, "overdue");
    office.at(11, 30);
    let closed = [("why", "食堂今日未开")];
    tick("off-canteen", 0, "not_applicable", &closed);
    office.stands("off-canteen", 0, "not_applicable");
    office.stands("off-lift-buttons", 1, "missed");
    office.shoot(Role::Guard, "/rounds", "rounds");
    // It has gone up to the street's group, and both can see that.
    office.shoot(Role::Manager, "/pledge", "escalated");
    office.says(&["工作保障组", "赵敏"]);
    let log = office.desk.log(office.date).unwrap();
    let called = log.escalated(office.now().wall);
    let of = |item: &str| called.iter().find(|it| it.item.as_str() == item);
    assert_eq!(of("off-mix").map(|it| it.failed), Some(1));
    assert!(of("off-lift-buttons").is_some_and(|it| it.missed > 0));
}

/// Somebody is hot: the card shows the emergency clause, and what is done becomes its record.
fn an_alert(office: &Building) {
    office.at(13, 10);
    let mut hot = alert(77, 0, 38.6);
    hot.raised = office.now();
    hot.id.track = TrackId(77);
    let id = hot.id;
    office.store.record(&[Event::AlertRaised(hot)]).unwrap();
    office.open_as(Role::Guard, "/", DESK);
    let form = |action: &str| format!("#alert-{id} form[action=\"/alerts/{id}/{action}\"]");
    office.says(&["处置步骤", "请其离开人流"]);
    office.send(&form("acknowledge"), &[], "button");
    for step in ["take-aside", "accompany", "measure-again"] {
        let button = format!("button[value=\"{step}\"]");
        office.send(&form("step"), &[], &button);
    }
    office.browser.shoot("day-alert-desk");
    office.open_as(Role::Guard, "/", PHONE);
    office.browser.no_sideways_scroll(PHONE);
    office.browser.shoot("day-alert-phone");
    let found = [
        ("outcome", "confirmed"),
        ("value", "38.4"),
        ("device", "耳温枪2号"),
        ("site", "ear"),
        ("mode", "monitor"),
    ];
    office.send(&form("resolve"), &found, "button");
    // It is a fever: what is to be done then is still asked for, and still kept.
    office.send(&form("step"), &[], "button[value=\"tell-street\"]");
    office.open_as(Role::Guard, "/", DESK);
    office
        .browser
        .eval("document.querySelectorAll('#resolved details').forEach(it => it.open = true)");
    office.browser.shoot("day-alert-record-desk");
    let steps = office.desk.emergencies(&[id]).unwrap().remove(0);
    let taken: Vec<&str> = steps.taken().iter().map(|it| it.id.as_str()).collect();
    let all = ["take-aside", "accompany", "measure-again", "tell-street"];
    assert_eq!(taken, all);
    assert!(steps.taken().iter().all(|it| it.by == note(GUARD)));
    office.says(&["确认发热", GUARD]);
    office.open_as(Role::Manager, "/procedure", DESK);
    office.says(&["今日1起，0起未办结"]);
    office.shoot(Role::Manager, "/procedure", "procedure");
}

/// The report: previewed, submitted, received; changed, submitted again, received again.
fn report(office: &Building) {
    office.at(17, 40);
    office.open_as(Role::Manager, "/report", DESK);
    let gap = [("text", "重新配制，试纸 480 mg/L")];
    office.send("form[action=\"/report/gap\"]", &gap, "button");
    let date = office.date;
    let path = |what: &str| format!("form[action=\"/report/{date}/{what}\"]");
    let idea = [("text", "电梯口放一次性纸巾按键")];
    office.send(&path("innovation"), &idea, "button");
    office.shoot(Role::Manager, &format!("/report/{date}"), "report-preview");
    office.says(&[
        "余氯试纸只有120",
        "重新配制，试纸 480 mg/L",
        "电梯口放一次性纸巾按键",
    ]);
    office.send(&path("submit"), &[], "button");
    office.received(1);
    // Somebody ticks after that: it belongs into the next revision.
    office.at(19, 0);
    office.open_as(Role::Guard, "/rounds", PHONE);
    office.send(&office.slot("off-lift-buttons", 11, "done"), &[], "button");
    office.open_as(Role::Manager, &format!("/report/{date}"), DESK);
    let receipts =
        "[...document.querySelectorAll('.revision .steps li:last-child')].map(it => it.className)";
    let all = |number| json!(vec!["step-done"; number]);
    assert_eq!(office.browser.eval(receipts), all(1));
    office.send(&path("submit"), &[], "button");
    office.received(2);
    office.shoot(Role::Manager, &format!("/report/{date}"), "report-received");
    assert_eq!(office.browser.eval(receipts), all(2));
    let reports = office.desk.log(date).unwrap().reports;
    assert_eq!(reports[0].by, Submitter::Person(note(MANAGER)));
    assert!(!reports[1].report.since(&reports[0].report).is_empty());
}

/// What somebody says of an item; whatever it is proved by.
fn said(proof: &Proof, chance: f64) -> Tick {
    Tick::Done(match proof {
        Proof::Number(range) => {
            let (low, high) = range.limits();
            Evidence::Number((low + (high - low) * chance).round())
        }
        Proof::Time => Evidence::Time("07:20".parse().unwrap()),
        Proof::Text => Evidence::Text(note("绿色")),
        Proof::Tick | Proof::Known(_) => Evidence::Said,
    })
}

/// Two weeks of an office: most is done, Wednesdays are bad, one item fails often, Sundays nobody is there.
fn two_weeks(office: &Building) {
    let mut id = 0;
    for ago in (1..=14).rev() {
        let date = office.desk.earlier(office.date, ago);
        let day = here().day(date).unwrap();
        let at = |wall| Stamp {
            wall,
            ..office.now()
        };
        let poor = match date.weekday() {
            Weekday::Sunday => continue,
            Weekday::Wednesday => 45,
            _ => 12,
        };
        office.desk.begin(at(day.begins())).unwrap();
        let mut lines = Vec::new();
        for (slot, window) in office.desk.log(date).unwrap().round.slots() {
            id += 1;
            let chance = (id * 7919 + u128::from(ago) * 31) % 100;
            let item = office.desk.list().item(&slot.item).unwrap();
            if chance < poor / 2 || matches!(item.proof, Proof::Known(_)) {
                continue;
            }
            let due = window.due.unwrap_or(window.closes).0;
            let late = if chance < poor { MINUTE_MS } else { -MINUTE_MS };
            let done_at = WallTime(due + late);
            let fails = slot.item.as_str() == "off-touch" && chance > 80;
            let request = TickRequest {
                id: TickId(id),
                date,
                slot: slot.clone(),
                by: note(GUARD),
                tick: if fails {
                    let deadline = WallTime(done_at.0 + 60 * MINUTE_MS);
                    Tick::Failed {
                        why: note("消毒液用完"),
                        action: Action::new("补领", "赵敏", deadline, done_at).unwrap(),
                    }
                } else {
                    said(&item.proof, chance as f64 / 100.0)
                },
                photo: None,
                tapped: done_at,
                sent: done_at,
                corrects: None,
            };
            lines.push(NewLine {
                date,
                by: Some(note(GUARD)),
                at: at(done_at),
                line: Line::Ticked {
                    request: Box::new(request),
                    done_at,
                },
            });
        }
        Logbook::write(&office.store, &Search::day(date), &mut |_| lines.clone()).unwrap();
        let over = at(WallTime(day.ends().0 + 9 * 60 * MINUTE_MS));
        office.desk.submit(date, &Submitter::SetHour, over).unwrap();
    }
}

#[test]
fn two_weeks_are_looked_back_on() {
    let folder = tempfile::tempdir().unwrap();
    let office = Building::open(folder.path(), || ());
    two_weeks(&office);
    office.shoot(Role::Manager, "/look-back", "look-back");
    office.says(&["完成率", "无日报", "最常不合格"]);
    let first = office
        .browser
        .eval("document.querySelector('#most-title ~ .scroll tbody a').getAttribute('href')");
    let first = first.as_str().unwrap();
    assert!(first.starts_with("/look-back/item/off-touch?"), "{first}");
    let drawn = "[...document.querySelectorAll('main figure svg')].length > 0";
    assert_eq!(office.browser.eval(drawn), json!(true));
    office.shoot(
        Role::Manager,
        "/look-back/item/off-touch",
        "look-back-fails",
    );
    office.says(&["消毒液用完", GUARD]);
    // The days are chosen by a plain form; what cannot be is said.
    office.open_as(Role::Manager, "/look-back", DESK);
    let from = office.desk.earlier(office.date, 3).to_string();
    let until = office.desk.earlier(office.date, 1).to_string();
    office.send(
        "form.days",
        &[("from", from.as_str()), ("until", until.as_str())],
        "button",
    );
    office.says(&[format!("{from} – {until}").as_str()]);
}
