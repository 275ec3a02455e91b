//! The dashboard in a real browser. Pictures of the screens are left in `target/tmp/*.png`, to be
//! looked at.

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
#[path = "browser/guard.rs"]
mod guard;
#[path = "browser/manager.rs"]
mod manager;
#[path = "browser/people.rs"]
mod people;
#[path = "browser/rounds.rs"]
mod rounds;
#[path = "browser/visitor.rs"]
mod visitor;

use browser::{Browser, DESK, ENTER, PHONE, RIGHT, SPACE, TAB, base64};
use dashboard::{Gateway, alert, keep_moving, keep_showing, stamp};
use menshen::account::{Accounts, Act, Change, Digest, Invitation, Keys, NewAccount, Session};
use menshen::alert::{AlertState, BodySite, ContactReading, Outcome, ThermometerMode};
use menshen::event::{Escalation, Event, Fault};
use menshen::journal::Journal;
use menshen::staff::Role;
use menshen::store::Store;
use menshen::text::Note;
use menshen::units::Celsius;
use menshen::web::settings::Settings;
use menshen::web::{ActiveFault, AlertNotes, Entrance, LinkWord, Mode};
use serde_json::json;
use sha2::Digest as _;
use std::sync::Arc;
use std::time::Duration;

fn act(gateway: &Gateway, track: u64, outcome: Outcome) {
    let alert = alert(track, 0, 38.0).id;
    let event = Event::AlertResolved {
        alert,
        by: "李建国".to_owned(),
        at: stamp(1500),
        outcome,
    };
    gateway.memory.record(&[event]).unwrap();
}

/// A morning with everything in it.
fn busy() -> Gateway {
    let gateway = Gateway::with(vec![
        alert(120, 7000, 38.0),
        alert(217, 6000, 37.9),
        alert(301, 4000, 38.2),
        alert(388, 900, 38.6),
        alert(412, 15, 38.4),
    ]);
    let contact = |value| ContactReading {
        device: "耳温枪 2 号".to_owned(),
        site: BodySite::Ear,
        mode: ThermometerMode::Monitor,
        value: Celsius::literal(value),
    };
    act(&gateway, 120, Outcome::NotConfirmed(contact(36.8)));
    act(
        &gateway,
        217,
        Outcome::FalseAlarm {
            reason: "手里拿着热饮，靠近脸部".to_owned(),
        },
    );
    act(&gateway, 301, Outcome::Confirmed(contact(38.3)));
    let taken = Event::AlertAcknowledged {
        alert: alert(388, 0, 38.0).id,
        by: "王芳".to_owned(),
        at: stamp(840),
    };
    gateway.memory.record(&[taken]).unwrap();
    keep_moving(&gateway);
    gateway
}

const LIVE: &str = "Number(document.body.dataset.frames || 0) >= 2";

#[test]
fn the_picture_moves_and_can_be_probed() {
    let gateway = busy();
    let browser = Browser::start();
    browser.open(&gateway, "/", DESK);
    browser.until(LIVE);
    let colours = "(() => { const c = document.getElementById('picture'); \
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const seen = new Set(); \
        for (let i = 0; i < d.length; i += 4 * 97) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); \
        return seen.size; })()";
    browser.until(&format!("{colours} > 50"));
    // The face of the possible fever is brighter than the wall.
    let light = |x: f64, y: f64| {
        let expression = format!(
            "(() => {{ const c = document.getElementById('picture'); const p = c.getContext('2d')\
             .getImageData(c.width * {x}, c.height * {y}, 1, 1).data; return p[0] + p[1]; }})()"
        );
        browser.eval(&expression).as_u64().unwrap()
    };
    assert!(light(0.585, 0.36) > light(0.06, 0.5) + 150);
    assert_eq!(
        browser.eval("document.getElementById('lost').hidden"),
        json!(true)
    );
    let people = browser.eval("document.getElementById('people').innerText");
    let people = people.as_str().unwrap();
    assert!(people.contains("疑似发热 38.4 ± 0.5 °C"), "{people}");
    assert!(people.contains("正在测量 2/5"), "{people}");
    assert!(people.contains("请走近一点"), "{people}");

    browser.tab_to("#picture");
    browser.keys(RIGHT);
    browser
        .until("/^\\d+\\.\\d ± \\d\\.\\d °C$/.test(document.getElementById('probe').textContent)");
    browser.until("document.getElementById('probe-told').textContent.includes('±')");
}

#[test]
fn a_new_alert_comes_by_itself_and_is_acknowledged_and_resolved_by_keyboard() {
    let gateway = Gateway::with(Vec::new());
    keep_moving(&gateway);
    let browser = Browser::start();
    browser.open(&gateway, "/", DESK);
    browser
        .until("document.body.dataset.ready === 'yes' && !!document.getElementById('no-alerts')");
    browser.eval("window.never_left = true");
    gateway.raise(alert(77, 3, 38.7));
    browser.until("!!document.querySelector('#alert-3-77.open')");
    browser.until("document.title.includes('警报')");
    assert_eq!(
        browser.eval("!!document.getElementById('no-alerts')"),
        json!(false)
    );

    browser.tab_to("#alert-3-77 .take input[name=by]");
    browser.keys("Wang");
    // A second alert comes while the name is being typed: neither text nor focus is lost.
    gateway.raise(alert(78, 1, 38.2));
    browser.until("!!document.querySelector('#alert-3-78.open')");
    browser.keys(" Fang");
    assert_eq!(
        browser.eval("document.activeElement.value"),
        json!("Wang Fang")
    );
    browser.keys(ENTER);
    browser.until("!!document.querySelector('#alert-3-77.acknowledged')");
    let first = |gateway: &Gateway| gateway.memory.alerts.lock().unwrap()[0].state.clone();
    assert!(matches!(first(&gateway), AlertState::Acknowledged { by, .. } if by == "Wang Fang"));

    // The focus is on the alert; the outcome is next.
    browser.until("document.activeElement.id === 'alert-3-77'");
    browser.tab_to("#alert-3-77 .outcome [name=outcome]");
    browser.keys(SPACE);
    browser.until("document.querySelector('#alert-3-77 [value=confirmed]').checked");
    browser.tab_to("#alert-3-77 [name=value]");
    browser.keys("38.9");
    browser.tab_to("#alert-3-77 [name=device]");
    browser.keys("No 2");
    browser.tab_to("#alert-3-77 [name=site]");
    browser.eval("document.querySelector('#alert-3-77 [name=site]').value = 'ear'");
    browser.tab_to("#alert-3-77 [name=mode]");
    browser.eval("document.querySelector('#alert-3-77 [name=mode]').value = 'monitor'");
    browser.tab_to("#alert-3-77 .outcome .primary");
    browser.keys(ENTER);
    browser.until("!!document.querySelector('#resolved #alert-3-77')");
    assert!(matches!(
        first(&gateway),
        AlertState::Resolved { outcome: Outcome::Confirmed(contact), .. } if contact.value == Celsius::literal(38.9)
    ));
    assert_eq!(
        browser.eval("window.never_left"),
        json!(true),
        "the page was never left"
    );
}

#[test]
fn a_flood_folds_and_takes_nothing_from_whoever_is_typing() {
    let gateway = Gateway::with(vec![alert(77, 3, 38.7)]);
    let browser = Browser::start();
    browser.open(&gateway, "/", DESK);
    browser.until("document.body.dataset.ready === 'yes'");
    browser.tab_to("#alert-3-77 .take input[name=by]");
    browser.keys("Wang");
    for track in 78..=80 {
        gateway.raise(alert(track, 1, 38.2));
    }
    browser.until("!!document.querySelector('#flood #alert-3-80')");
    browser
        .until("document.getElementById('flood').innerText.includes('4 alerts within a minute')");
    browser.keys(" Fang");
    let typed = "document.activeElement.closest('article').id + ' ' + document.activeElement.value";
    assert_eq!(browser.eval(typed), json!("alert-3-77 Wang Fang"));
    browser.shoot("flood-desk");
    browser.keys(ENTER);
    browser.until("!!document.querySelector('#pending > #alert-3-77.acknowledged')");
    // The others unfold, and each is taken on its own.
    browser.tab_to("#flood > summary");
    browser.keys(ENTER);
    browser.tab_to("#alert-3-80 .take input[name=by]");
    browser.eval("(document.activeElement.value = '', true)");
    browser.keys("Li");
    gateway.raise(alert(81, 0, 38.2));
    browser.until("!!document.querySelector('#flood #alert-3-81')");
    assert_eq!(browser.eval(typed), json!("alert-3-80 Li"));
    // The flood is over while somebody still types in it: the card stays where it is, once.
    gateway.clock.advance(Duration::from_mins(2));
    gateway.changes.send_modify(|n| *n += 1);
    browser.until("!!document.querySelector('#pending > #alert-3-81')");
    assert_eq!(browser.eval(typed), json!("alert-3-80 Li"));
    let copies = "document.querySelectorAll('article.alert').length";
    assert_eq!(browser.eval(copies), json!(5));
    browser.keys(ENTER);
    browser.until("!!document.querySelector('#pending > #alert-3-80.acknowledged')");
    browser.until("!document.getElementById('flood')");
    assert_eq!(browser.eval(copies), json!(5));
}

#[test]
fn what_waits_and_what_must_be_mended_are_seen_and_told_apart() {
    let gateway = busy();
    let (open, taken) = (alert(412, 15, 38.4).id, alert(388, 900, 38.6).id);
    let mut status = dashboard::status();
    for fault in [Fault::CameraFrozen, Fault::BrokerAway, Fault::StoreFailing] {
        let since = stamp(100);
        status.faults.push(ActiveFault { fault, since });
    }
    gateway.status.send_replace(Arc::new(status));
    gateway.clock.advance(Duration::from_mins(6));
    let browser = Browser::start();
    for (name, size) in [("waits-desk", DESK), ("waits-phone", PHONE)] {
        gateway.notes.send_replace(Arc::default());
        browser.open(&gateway, "/", size);
        browser.until(LIVE);
        browser.tab_to("#alert-3-412 .take input[name=by]");
        browser.keys("Wang");
        // The steps come under a form in use, which keeps text and focus.
        gateway.notes.send_replace(Arc::new(AlertNotes {
            unsaved: [open].into(),
            reminded: [(open, Escalation::Manager), (taken, Escalation::Reminder)].into(),
        }));
        gateway.changes.send_modify(|n| *n += 1);
        browser.until(
            "document.querySelector('#alert-3-412 .waits').innerText.includes('manager told')",
        );
        browser.until(
            "document.querySelector('#alert-3-412 .waits').innerText.includes('not saved yet')",
        );
        browser.until(
            "document.querySelector('#alert-3-388 .waits').innerText.includes('please record')",
        );
        let typed = browser.eval("document.activeElement.value.startsWith('Wang')");
        assert_eq!(typed, json!(true));
        // Faults have their own place and are no alerts.
        assert_eq!(
            browser.eval("document.querySelectorAll('#strip .banner.mend').length"),
            json!(2)
        );
        assert_eq!(
            browser.eval("document.querySelectorAll('#strip .banner.stop').length"),
            json!(1)
        );
        assert_eq!(
            browser.eval("document.querySelectorAll('#alerts .banner').length"),
            json!(0)
        );
        browser.no_sideways_scroll(size);
        browser.shoot(name);
    }
}

/// Why it is ± so much: by keyboard, beside an alert and beside somebody who is there now.
#[test]
fn the_uncertainty_unfolds_by_keyboard_and_stays_while_the_picture_moves() {
    let gateway = busy();
    let browser = Browser::start();
    for (name, size) in [("desk", DESK), ("phone", PHONE)] {
        browser.open(&gateway, "/", size);
        browser.until(LIVE);
        browser.tab_to("article.open .budget summary");
        browser.keys(ENTER);
        browser.until("document.querySelector('article.open .budget').open");
        let table = browser.eval("document.querySelector('article.open .budget table').innerText");
        let table = table.as_str().unwrap();
        for said in ["黑体", "emissivity of skin", "0.10", "0.05", "0.15", "0.27"] {
            assert!(table.contains(said), "{said}: {table}");
        }
        browser.tab_to("#people .budget summary");
        browser.keys(ENTER);
        browser.until("document.querySelector('#people .budget[open]') !== null");
        let frames = browser.eval("Number(document.body.dataset.frames)");
        browser.until(&format!(
            "Number(document.body.dataset.frames) > {frames} + 3"
        ));
        assert_eq!(
            browser.eval("document.activeElement.matches('#people .budget[open] summary')"),
            json!(true)
        );
        let cell =
            "document.querySelector('#people .budget[open] [data-part=ambient]').textContent";
        assert_eq!(browser.eval(cell), json!("0.08"));
        browser.no_sideways_scroll(size);
        browser.shoot(&format!("{name}-budget"));
    }
}

#[test]
fn a_refusal_is_said_on_the_page() {
    let gateway = Gateway::with(vec![alert(77, 3, 38.7)]);
    let browser = Browser::start();
    browser.open(&gateway, "/", PHONE);
    browser.until("document.body.dataset.ready === 'yes'");
    // Somebody else is faster, and the word of it has not come yet.
    let taken = Event::AlertAcknowledged {
        alert: alert(77, 3, 38.7).id,
        by: "王芳".to_owned(),
        at: stamp(0),
    };
    gateway.memory.record(&[taken]).unwrap();
    browser.tab_to("#alert-3-77 .take input[name=by]");
    browser.keys("Li");
    browser.keys(ENTER);
    browser.until("document.getElementById('alerts-failed').innerText.includes('王芳')");
    browser.shoot("refusal-phone");
}

#[test]
fn a_lost_picture_is_said_within_seconds() {
    let gateway = Gateway::with(Vec::new());
    gateway.see(1);
    let browser = Browser::start();
    browser.open(&gateway, "/", DESK);
    browser.until("Number(document.body.dataset.frames || 0) === 1");
    browser.until("!document.getElementById('lost').hidden");
    assert_eq!(
        browser.eval("document.getElementById('lost-since').textContent"),
        browser.eval("document.getElementById('view-clock').textContent")
    );
    assert_eq!(
        browser.eval("document.getElementById('people').childElementCount"),
        json!(0),
        "no verdict stands beside an old picture"
    );
    let mut status = dashboard::status();
    gateway.clock.advance(Duration::from_secs(20));
    status.camera.fps = Some(0.0);
    status.mode = Mode::Demo;
    status.mqtt = LinkWord::Away("connection refused (127.0.0.1:1883)".to_owned());
    status.faults.push(ActiveFault {
        fault: Fault::CameraSilent,
        since: stamp(0),
    });
    gateway.status.send_replace(Arc::new(status));
    browser.until("document.getElementById('strip').innerText.includes('相机没有画面')");
    browser.shoot("lost-desk");
    // A picture again: the banner goes.
    keep_moving(&gateway);
    browser.until("document.getElementById('lost').hidden");
}

#[test]
fn without_a_reference_every_screen_says_so_and_no_temperature_of_anybody() {
    let gateway = Gateway::with(vec![dashboard::relative_alert(77, 3)]);
    let status = |people| Arc::new(dashboard::relative_status(people));
    gateway.status.send_replace(status(37));
    keep_showing(&gateway, dashboard::relative_lobby);
    let browser = Browser::start();
    for (name, size) in [("relative-desk", DESK), ("relative-phone", PHONE)] {
        gateway.status.send_replace(status(37));
        browser.open(&gateway, "/", size);
        browser.until(LIVE);
        browser.no_sideways_scroll(size);
        let text = |id: &str| {
            let text = browser.eval(&format!("document.getElementById('{id}').innerText"));
            text.as_str().unwrap().to_owned()
        };
        assert!(
            text("relative").contains("37 of 100"),
            "{}",
            text("relative")
        );
        browser.shoot(&format!("{name}-learning"));
        gateway.status.send_replace(status(120));
        gateway.changes.send_modify(|n| *n += 1);
        browser.until("document.getElementById('relative').innerText.includes('+0.9 K')");
        let (people, alerts) = (text("people"), text("pending"));
        for said in [&people, &alerts] {
            assert!(said.contains("相对值") && !said.contains("°C"), "{said}");
        }
        assert!(people.contains("against 120 people"), "{people}");
        assert!(alerts.contains("+1.2"), "{alerts}");
        for id in ["today", "device"] {
            assert!(text(id).contains("相对值"), "{}", text(id));
        }
        browser.no_sideways_scroll(size);
        browser.shoot(name);
    }
}

#[test]
fn it_fits_a_desk_and_a_phone_and_every_target_is_large_enough() {
    let gateway = busy();
    let browser = Browser::start();
    for (name, size) in [("desk", DESK), ("phone", PHONE)] {
        browser.open(&gateway, "/", size);
        browser.until(LIVE);
        browser.no_sideways_scroll(size);
        // Whatever is pressed or typed in is 44 px high; a radio button or a box is pressed by its label.
        let small = browser.eval(
            "[...document.querySelectorAll('button, summary, select, input, .choices label, label.tick')] \
             .filter(e => e.type !== 'radio' && e.type !== 'checkbox' && e.offsetParent !== null && e.getBoundingClientRect().height < 44) \
             .map(e => e.outerHTML.slice(0, 80))",
        );
        assert_eq!(small, json!([]), "{name}");
        let italic = browser.eval(
            "[...document.querySelectorAll('body *')].filter(e => getComputedStyle(e).fontStyle !== 'normal').length",
        );
        assert_eq!(italic, json!(0));
        browser.shoot(name);
        browser.eval("(document.querySelector('.direct').open = true, document.querySelector('.acknowledged [value=confirmed]').click())");
        browser.no_sideways_scroll(size);
        browser.shoot(&format!("{name}-forms"));
    }
    browser.open(&gateway, "/nothing", PHONE);
    browser.no_sideways_scroll(PHONE);
    browser.shoot("problem-phone");
    let quiet = Gateway::with(Vec::new());
    keep_moving(&quiet);
    browser.open(&quiet, "/", DESK);
    browser.until(LIVE);
    browser.shoot("desk-quiet");
}

/// WCAG 2.2, 1.4.3: contrast of every text with the nearest opaque background.
#[test]
fn texts_stand_out_from_what_is_behind_them_in_light_and_dark() {
    let gateway = busy();
    let browser = Browser::start();
    for scheme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
        browser.open(&gateway, "/", DESK);
        browser.until(LIVE);
        browser.eval(
            "(document.querySelectorAll('details').forEach(it => { it.open = true; }), true)",
        );
        assert_eq!(browser.poor_contrast(4.5), json!([]), "{scheme}");
        browser.shoot(&format!("desk-{scheme}"));
        browser.open(&gateway, "/visitor", DESK);
        browser.until("document.body.dataset.places === '2'");
        assert_eq!(browser.poor_contrast(7.0), json!([]), "{scheme}");
    }
}

fn digest(secret: &str) -> Digest {
    Digest(sha2::Sha256::digest(secret.as_bytes()).into())
}

/// A gateway with an administrator, a guard who has a PIN, a shared screen, and a visitor screen that waits
/// for its password.
fn staffed(store: &Store) -> Gateway {
    staffed_with(store, None)
}

fn staffed_with(store: &Store, settings: Option<Arc<dyn Settings>>) -> Gateway {
    let act = || Act {
        by: "test",
        at: stamp(0),
    };
    let add = |name: &str, role, shared| {
        let new = NewAccount {
            name: Note::name(name).unwrap(),
            role,
            shared,
            keys: Keys {
                invitation: Some(Invitation {
                    code: digest("C0DE"),
                    made: stamp(0),
                }),
                ..Keys::default()
            },
        };
        store.create(&new, act()).unwrap().unwrap()
    };
    let usable = Change::Password("none that opens".to_owned());
    let people = [
        ("李明", Role::Admin, false, "admin"),
        ("王芳", Role::Guard, false, "guard"),
        ("门岗屏 Lobby", Role::Guard, true, "screen"),
    ];
    for (name, role, shared, token) in people {
        let id = add(name, role, shared);
        store.change(id, &usable, None, act()).unwrap();
        if token == "guard" {
            let pin = Change::Pin("none that opens".to_owned());
            store.change(id, &pin, None, act()).unwrap();
        }
        let session = Session {
            token: digest(token),
            account: id,
            begun: stamp(0),
            seen: stamp(0),
        };
        store.begin(&session, "", act()).unwrap();
    }
    add("访客屏", Role::Kiosk, false);
    let entrance = Entrance::Accounts(Arc::new(store.clone()));
    Gateway::with_settings(entrance, vec![alert(12, 300, 38.4)], settings)
}

#[test]
fn signing_in_accounts_and_the_shared_screen_fit_a_desk_and_a_phone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let gateway = staffed(&store);
    let browser = Browser::start();
    for (size, place) in [(DESK, "desk"), (PHONE, "phone")] {
        browser.devtools("Network.clearBrowserCookies", &json!({}));
        browser.open(&gateway, "/accounts", size);
        assert_eq!(
            browser.eval("location.pathname"),
            json!("/sign-in"),
            "led there"
        );
        browser.keys("Wang");
        assert_eq!(browser.eval("document.activeElement.value"), json!("Wang"));
        browser.no_sideways_scroll(size);
        browser.shoot(&format!("sign-in-{place}"));
        browser.keys(&format!("{TAB}wrong\u{e007}"));
        browser.until("document.querySelector('#problem') !== null");
        assert_eq!(
            browser.eval("document.activeElement.name"),
            json!("password")
        );
        browser.shoot(&format!("sign-in-wrong-{place}"));
        browser.open(&gateway, "/setup", size);
        browser.no_sideways_scroll(size);
        browser.shoot(&format!("setup-{place}"));
        let shots = [
            ("admin", "/accounts"),
            ("guard", "/account"),
            ("screen", "/"),
            ("guard", "/"),
        ];
        for (token, path) in shots {
            let cookie = json!({
                "name": "menshen-session", "value": token,
                "url": format!("http://{}/", gateway.address),
            });
            browser.devtools("Network.setCookie", &cookie);
            browser.open(&gateway, path, size);
            assert_eq!(browser.eval("location.pathname"), json!(path));
            browser.no_sideways_scroll(size);
            let page = if path == "/" { "watch" } else { &path[1..] };
            browser.shoot(&format!("{page}-{token}-{place}"));
        }
    }
    // Somebody whose session ends while the page is open is led to where they sign in.
    gateway.clock.advance(Duration::from_hours(13));
    browser.until("location.pathname === '/sign-in'");
}

#[test]
fn a_first_start_asks_for_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let gateway = Gateway::behind(Entrance::Accounts(Arc::new(store)), Vec::new());
    let browser = Browser::start();
    for (size, place) in [(DESK, "desk"), (PHONE, "phone")] {
        browser.open(&gateway, "/", size);
        assert_eq!(browser.eval("location.pathname"), json!("/setup"));
        browser.no_sideways_scroll(size);
        browser.shoot(&format!("first-start-{place}"));
    }
}
