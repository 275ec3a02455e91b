//! The rounds on a phone and the report of the day, over a real store: taps that wait for a network, two
//! people at once, and the page held against what goes out.

use super::{Browser, DESK, PHONE, dashboard, staffed};
use dashboard::{Gateway, stamp};
use menshen::checklist::{Action, Desk, Evidence, ItemId, Slot, Tick, TickId, TickRequest};
use menshen::clock::{Clock as _, Stamp, WallTime};
use menshen::config::checklist::{parse_site, shipped_procedure};
use menshen::config::zone::Zone;
use menshen::event::Event;
use menshen::id::{Channel, MessageNumber};
use menshen::journal::{Journal as _, Outbox as _, Receipt, SafeAt};
use menshen::mqtt::payload;
use menshen::mqtt::topic::Address;
use menshen::store::{Route, Store};
use menshen::text::Note;
use menshen::web::{Entrance, LinkWord};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The day on which the simulated clock stands: at 14:05 in the afternoon.
const TODAY: &str = "2020-02-21";

fn store(folder: &tempfile::TempDir) -> Store {
    let address = Address::new("nanjing-donglu", "haiou", "east").unwrap();
    let broker = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| payload::told(&address, key, event)),
    };
    Store::open(folder.path(), vec![broker]).unwrap()
}

fn desk(store: &Store) -> Arc<Desk> {
    let site = "[site]\nkind = \"office\"\nbuilt_on = 1\n";
    let desk = Desk::new(
        Arc::new(parse_site(site, "site.toml").unwrap().list),
        shipped_procedure().unwrap(),
        Arc::new(store.clone()),
        Arc::new(Zone(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())),
        "20:00".parse().unwrap(),
    );
    desk.begin(stamp(7000)).unwrap();
    Arc::new(desk)
}

fn offline(browser: &Browser, is_so: bool) {
    browser.devtools("Network.enable", &json!({}));
    let conditions = json!({
        "offline": is_so, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1
    });
    browser.devtools("Network.emulateNetworkConditions", &conditions);
}

fn ticks(desk: &Desk) -> Vec<(String, u16, WallTime)> {
    let log = desk.log(TODAY.parse().unwrap()).unwrap();
    let ticks = log.round.ticks().iter();
    ticks
        .map(|it| {
            let slot = &it.request.slot;
            (slot.item.to_string(), slot.number, it.done_at)
        })
        .collect()
}

/// Taps "done" at the first open time of an item.
fn tap(browser: &Browser, item: &str) {
    let form = format!(
        "[...document.querySelectorAll('.slot.s-open form, .slot.s-overdue form')].find(f => \
         f.item.value === '{item}' && f.said.value === 'done' && !f.hidden)"
    );
    browser.eval(&format!(
        "(() => {{ const f = {form}; f.by.value = '王芳'; f.requestSubmit(); return true; }})()"
    ));
}

const WAITING: &str = "Object.keys(localStorage).filter(k => k.startsWith('menshen.tick.'))";

/// What waits in the phone, in the order of the taps: item and moment.
fn waiting(browser: &Browser) -> Vec<(String, WallTime)> {
    let kept = browser.eval(&format!(
        "{WAITING}.map(k => JSON.parse(localStorage[k])).sort((a, b) => a.order - b.order) \
         .map(t => [t.fields.item, t.fields.tapped])"
    ));
    let kept = kept.as_array().unwrap().iter();
    kept.map(|it| {
        let item = it[0].as_str().unwrap().to_owned();
        (item, WallTime(it[1].as_i64().unwrap()))
    })
    .collect()
}

#[test]
fn taps_wait_in_the_phone_until_the_gateway_is_back_and_are_one_tick_each() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(&store(&folder));
    let gateway = Gateway::at_desk(Entrance::Demo, Arc::clone(&desk));
    let browser = Browser::start();
    // The phone's clock is three hours fast.
    let wrong = json!({ "source": "const right = Date.now; Date.now = () => right() + 10800000;" });
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &wrong);
    browser.open(&gateway, "/rounds/at/lifts", PHONE);
    // Time goes on at the gateway, too: nothing is tapped after it came.
    gateway.clock.advance(Duration::from_mins(1));
    browser.no_sideways_scroll(PHONE);
    browser.shoot("rounds-at-lifts-phone");
    assert_eq!(
        browser.eval("document.getElementById('queue').hidden"),
        json!(true)
    );

    offline(&browser, true);
    for (number, item) in [(1, "off-lift-buttons"), (2, "off-lifts-exhaust")] {
        tap(&browser, item);
        browser.until(&format!(
            "document.getElementById('queue-number').innerText === '{number}'"
        ));
    }
    browser.until("!document.querySelector('[data-why=offline]').hidden");
    browser.no_sideways_scroll(PHONE);
    browser.shoot("rounds-offline-phone");
    let kept = waiting(&browser);
    assert_eq!(kept[0].0, "off-lift-buttons");
    assert_eq!(kept[1].0, "off-lifts-exhaust");
    assert_eq!(ticks(&desk), [], "nothing has come");
    // An answer that is lost on its way: the tick is sent again later.
    let again = browser.eval(&format!("[{WAITING}[0], localStorage[{WAITING}[0]]]"));

    // The page goes; what it kept stays, and goes out when it is opened again.
    browser.ask("/url", &json!({ "url": "about:blank" }));
    gateway.clock.advance(Duration::from_mins(20));
    offline(&browser, false);
    browser.open(&gateway, "/rounds", PHONE);
    browser.until(&format!("{WAITING}.length === 0"));
    browser.until("document.getElementById('queue').hidden");
    let came = ticks(&desk);
    let came: Vec<_> = came
        .iter()
        .map(|(item, _, at)| (item.clone(), *at))
        .collect();
    assert_eq!(came, kept, "in their order, at the moments of the taps");
    browser.shoot("rounds-sent-phone");

    browser.eval(&format!("localStorage[{}] = {}", again[0], again[1]));
    browser.open(&gateway, "/rounds", PHONE);
    browser.until(&format!("{WAITING}.length === 0"));
    assert_eq!(ticks(&desk).len(), 2, "sent twice, taken once");
}

#[test]
fn a_page_that_is_reloaded_while_the_gateway_is_away_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(&store(&folder));
    let gateway = Gateway::at_desk(Entrance::Demo, Arc::clone(&desk));
    let browser = Browser::start();
    browser.open(&gateway, "/rounds/at/lifts", PHONE);
    browser.until(&format!(
        "caches.match('http://{}/rounds/at/lifts').then(it => !!it)",
        gateway.address
    ));
    let loaded = "document.getElementById('rounds').dataset.loaded";
    let before = browser.eval(loaded);
    let copy = "!document.getElementById('kept').hidden";
    assert_eq!(browser.eval(copy), json!(false));

    gateway.stop();
    gateway.clock.advance(Duration::from_mins(1));
    browser.open(&gateway, "/rounds/at/lifts", PHONE);
    browser.until(copy);
    browser.no_sideways_scroll(PHONE);
    browser.shoot("rounds-kept-phone");
    tap(&browser, "off-lift-buttons");
    browser.until("document.getElementById('queue-number').innerText === '1'");
    let waits = waiting(&browser);
    assert!(waits[0].1.0 >= before.as_str().unwrap().parse().unwrap());
    // Once more: neither the page nor the tap is lost.
    browser.open(&gateway, "/rounds/at/lifts", PHONE);
    browser.until(copy);
    assert_eq!(waiting(&browser), waits);
    assert_eq!(ticks(&desk), []);

    gateway.start();
    browser.eval("dispatchEvent(new Event('online'))");
    browser.until(&format!("{WAITING}.length === 0"));
    browser.until(&format!("!({copy})"));
    let came = ticks(&desk);
    assert_eq!(came.len(), 1);
    assert_eq!((came[0].0.clone(), came[0].2), waits[0]);
}

#[test]
fn a_copy_of_the_page_goes_with_the_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let desk = desk(&store);
    drop(staffed(&store));
    let gateway = Gateway::at_desk(Entrance::Accounts(Arc::new(store.clone())), desk);
    let browser = Browser::start();
    let url = format!("http://{}/", gateway.address);
    let cookie = json!({ "name": "menshen-session", "value": "guard", "url": url });
    browser.devtools("Network.setCookie", &cookie);
    browser.open(&gateway, "/rounds", PHONE);
    browser.until(&format!("caches.match('{url}rounds').then(it => !!it)"));
    browser.until("navigator.serviceWorker.controller !== null");
    browser.devtools("Network.clearBrowserCookies", &json!({}));
    browser.open(&gateway, "/rounds", PHONE);
    browser.until("caches.has('menshen.rounds').then(it => !it)");
}

#[test]
fn what_waits_outlives_a_sign_out_and_what_is_refused_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let desk = desk(&store);
    // Accounts of the lobby's people; their gateway has no desk and is not used.
    drop(staffed(&store));
    let gateway = Gateway::at_desk(
        Entrance::Accounts(Arc::new(store.clone())),
        Arc::clone(&desk),
    );
    let browser = Browser::start();
    let sign_in = |token: &str| {
        let url = format!("http://{}/", gateway.address);
        let cookie = json!({ "name": "menshen-session", "value": token, "url": url });
        browser.devtools("Network.setCookie", &cookie);
    };
    sign_in("guard");
    browser.open(&gateway, "/rounds", PHONE);
    offline(&browser, true);
    tap(&browser, "off-lift-buttons");
    browser.until("document.getElementById('queue-number').innerText === '1'");
    // Signed out meanwhile; the network is back.
    browser.devtools("Network.clearBrowserCookies", &json!({}));
    offline(&browser, false);
    browser.eval("dispatchEvent(new Event('online'))");
    browser.until("!document.querySelector('[data-why=signed_out]').hidden");
    assert_eq!(ticks(&desk), []);
    browser.shoot("rounds-signed-out-phone");
    // Another session, whose forms carry another token.
    sign_in("screen");
    browser.eval("dispatchEvent(new Event('online'))");
    browser.until(&format!("{WAITING}.length === 0"));
    assert_eq!(ticks(&desk).len(), 1);

    // Somebody else is first while the phone is away: said, and kept until it is read.
    offline(&browser, true);
    tap(&browser, "off-toilets");
    browser.until("document.getElementById('queue-number').innerText === '1'");
    let now = gateway.clock.now();
    let slot = browser.eval(&format!(
        "JSON.parse(localStorage[{WAITING}[0]]).fields.time"
    ));
    let slot: u16 = slot.as_str().unwrap().parse().unwrap();
    desk.tick(&done("off-toilets", slot, now), now).unwrap();
    offline(&browser, false);
    browser.eval("dispatchEvent(new Event('online'))");
    browser.until("document.getElementById('queue-list').innerText.includes('已有人打钩')");
    assert_eq!(ticks(&desk).len(), 2, "the first one stands");
    browser.no_sideways_scroll(PHONE);
    browser.shoot("rounds-refused-phone");
    browser.eval("document.querySelector('[data-drop]').click()");
    browser.until(&format!(
        "{WAITING}.length === 0 && document.getElementById('queue').hidden"
    ));
}

fn note(text: &str) -> Note {
    Note::new(text).unwrap()
}

fn done(item: &str, number: u16, now: Stamp) -> TickRequest {
    TickRequest {
        id: TickId(u128::from(number) << 64 | item.len() as u128),
        date: TODAY.parse().unwrap(),
        slot: Slot {
            item: ItemId::new(item).unwrap(),
            number,
        },
        by: note("李强"),
        tick: Tick::Done(Evidence::Said),
        photo: None,
        tapped: now.wall,
        sent: now.wall,
        corrects: None,
    }
}

#[test]
fn without_javascript_two_people_who_tick_at_once_are_one_tick() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(&store(&folder));
    let gateway = Gateway::at_desk(Entrance::Demo, Arc::clone(&desk));
    let url = format!("http://{}/rounds/tick", gateway.address);
    let send = |person: u32, id: u32| {
        let (url, id) = (url.clone(), format!("00000000-0000-4000-8000-{id:012}"));
        std::thread::spawn(move || {
            let name = format!("人{person}");
            let form = [
                ("id", id.as_str()),
                ("date", TODAY),
                ("item", "off-lift-buttons"),
                ("time", "6"),
                ("by", &name),
                ("said", "done"),
            ];
            let agent = ureq::Agent::config_builder()
                .max_redirects(0)
                .http_status_as_error(false)
                .build()
                .new_agent();
            let answer = agent
                .post(&url)
                .header("Sec-Fetch-Site", "same-origin")
                .send_form(form);
            answer.unwrap().status().as_u16()
        })
    };
    let people: Vec<_> = (0..6).map(|person| send(person, person)).collect();
    let mut answers: Vec<u16> = people.into_iter().map(|it| it.join().unwrap()).collect();
    answers.sort_unstable();
    assert_eq!(answers, [303, 409, 409, 409, 409, 409]);
    // The one who was first taps again, with a later clock.
    let log = desk.log(TODAY.parse().unwrap()).unwrap();
    let first = &log.round.ticks()[0].request;
    let person: u32 = first.by.as_str().trim_start_matches('人').parse().unwrap();
    gateway.clock.advance(Duration::from_secs(40));
    assert_eq!(send(person, person).join().unwrap(), 303);
    assert_eq!(ticks(&desk).len(), 1);
}

/// What the street receives, as places and values.
fn received(store: &Store, revision: u64) -> BTreeMap<String, String> {
    let rows = store.waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000);
    let mut facts = BTreeMap::new();
    for row in rows.unwrap() {
        let part: Value = serde_json::from_slice(&row.message.payload).unwrap();
        if part["revision"] == json!(revision) {
            for (key, value) in part.as_object().unwrap() {
                // The envelope: what carries it.
                let envelope = [
                    "v", "epoch", "seq", "part", "of", "at", "clock", "gate", "late",
                ];
                if !envelope.contains(&key.as_str()) {
                    flatten(key, value, &mut facts);
                }
            }
        }
    }
    facts
}

fn flatten(place: &str, value: &Value, facts: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            // An entry of a list is named by these.
            let names: Vec<String> = ["id", "time", "date"]
                .iter()
                .filter_map(|name| fields.get(*name))
                .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
                .collect();
            let place = [vec![place.to_owned()], names].concat().join("/");
            for (key, value) in fields {
                if !["id", "time", "date"].contains(&key.as_str()) {
                    flatten(&format!("{place}/{key}"), value, facts);
                }
            }
        }
        Value::Array(entries) => {
            for (number, entry) in (1..).zip(entries) {
                if entry.is_object() {
                    flatten(place, entry, facts);
                } else {
                    flatten(&format!("{place}/{number}"), entry, facts);
                }
            }
        }
        other => {
            let text = other
                .as_str()
                .map_or_else(|| other.to_string(), str::to_owned);
            facts.insert(place.to_owned(), plain(&text));
        }
    }
}

/// Moments are written in more than one way.
fn plain(text: &str) -> String {
    let moment = text.parse::<jiff::Timestamp>();
    moment.map_or_else(|_| text.to_owned(), |it| it.as_millisecond().to_string())
}

/// What the page shows of the report, as places and values.
fn shown(browser: &Browser) -> BTreeMap<String, String> {
    let pairs = browser.eval(
        "[...document.querySelectorAll('[data-street]')].map(e => \
         [e.dataset.street, e.dataset.value ?? e.textContent])",
    );
    let pairs = pairs.as_array().unwrap().iter();
    pairs
        .map(|it| {
            let text = |n: usize| it[n].as_str().unwrap().to_owned();
            (text(0), plain(&text(1)))
        })
        .collect()
}

/// A day with everything in it.
fn a_day(store: &Store, desk: &Desk, now: Stamp) {
    let alert = dashboard::alert(412, 900, 38.4);
    store.record(&[Event::AlertRaised(alert)]).unwrap();
    for number in 4..6 {
        desk.tick(&done("off-lift-buttons", number, stamp(5400)), stamp(5400))
            .ok();
    }
    let mut failed = done("off-toilets", 3, now);
    failed.tick = Tick::Failed {
        why: note("皂液用完，=两处"),
        action: Action::new(
            "向工作保障组领取并补齐",
            "赵敏",
            WallTime(now.wall.0 + 26 * 3_600_000),
            now.wall,
        )
        .unwrap(),
    };
    desk.tick(&failed, now).unwrap();
    let mut excused = done("off-canteen", 0, stamp(3600));
    excused.tick = Tick::NotApplicable {
        why: note("食堂今日未开"),
    };
    desk.tick(&excused, stamp(3600)).ok();
    let date = TODAY.parse().unwrap();
    let by = note("王芳");
    desk.innovation(date, note("电梯内贴脚印站位"), &by, now)
        .unwrap();
    desk.remark(date, note("下午有一批口罩到货"), &by, now)
        .unwrap();
}

#[test]
fn the_page_shows_what_the_street_receives_and_a_revision_never_changes() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let desk = desk(&store);
    let gateway = Gateway::at_desk(Entrance::Demo, Arc::clone(&desk));
    a_day(&store, &desk, gateway.clock.now());
    let browser = Browser::start();
    browser.open(&gateway, "/report", DESK);
    let preview = shown(&browser);
    browser.shoot("report-draft-desk");
    let press = |action: &str| {
        browser.eval(&format!(
            "(() => {{ const f = document.querySelector('form[action$=\"/{action}\"]'); \
             f.by.value = '王芳'; f.requestSubmit(); return true; }})()"
        ));
    };
    press("submit");
    browser.until("document.querySelector('.stamp.sent') !== null");
    let out = received(&store, 1);
    assert!(out.len() > 100 && out["failed/off-toilets/4/why"].contains("皂液"));
    assert_eq!(preview, out, "the preview is what goes out");
    assert_eq!(
        shown(&browser),
        out,
        "and so is what stands there afterwards"
    );

    // Saved, sent, accepted, received.
    let steps =
        || browser.eval("[...document.querySelectorAll('.steps .icon')].map(e => e.innerText)");
    let reload = |path: &str, size| browser.open(&gateway, path, size);
    assert_eq!(steps(), json!(["✓", "◷", "○", "○"]));
    let rows = store.waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000);
    let numbers: Vec<_> = rows.unwrap().iter().map(|it| it.number).collect();
    store.accepted(&Channel::broker(), &numbers).unwrap();
    reload("/report", DESK);
    assert_eq!(steps(), json!(["✓", "✓", "✓", "◷"]));
    let mut status = dashboard::status();
    status.mqtt = LinkWord::Connected;
    gateway.status.send_replace(Arc::new(status));
    let receipt = Receipt {
        epoch: store.epoch(),
        up_to: *numbers.last().unwrap(),
        gaps: Vec::new(),
    };
    store.received(&receipt).unwrap();
    reload("/report", DESK);
    assert_eq!(steps(), json!(["✓", "✓", "✓", "✓"]));

    // An hour later more is late; what went out stays. Re-issued, the page shows the difference.
    gateway.clock.advance(Duration::from_hours(1));
    reload("/report", PHONE);
    assert_eq!(shown(&browser), out, "an hour later");
    press("reopen");
    browser.until("document.querySelector('.stamp.draft') !== null");
    browser.until("document.querySelector('.changes') !== null");
    let now = gateway.clock.now();
    desk.tick(&done("off-lift-buttons", 7, now), now).unwrap();
    // Somebody ticked after the page was made: it is looked at again before it goes out.
    press("submit");
    browser.until("document.querySelector('#problem') !== null");
    reload("/report", DESK);
    let second = shown(&browser);
    assert_ne!(second, out);
    browser.no_sideways_scroll(DESK);
    browser.shoot("report-reissue-desk");
    press("submit");
    browser.until("document.querySelector('.stamp.sent') !== null");
    assert_eq!(received(&store, 2), second);
    reload(&format!("/report/{TODAY}?revision=1"), PHONE);
    assert_eq!(shown(&browser), out, "revision 1, for ever");
    browser.no_sideways_scroll(PHONE);
    browser.shoot("report-sent-phone");
    files(&gateway);
    let paper = browser.devtools("Page.printToPDF", &json!({ "preferCSSPageSize": true }));
    keep(
        "report-page.pdf",
        &super::base64(paper["data"].as_str().unwrap()),
    );
    browser.open(&gateway, "/rounds/posters", DESK);
    browser.shoot("posters-desk");
    let paper = browser.devtools("Page.printToPDF", &json!({ "preferCSSPageSize": true }));
    keep(
        "posters.pdf",
        &super::base64(paper["data"].as_str().unwrap()),
    );
}

/// Leaves a file to be looked at.
fn keep(name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The files of revision 1, opened by other programs.
fn files(gateway: &Gateway) {
    use calamine::Reader as _;
    let get = |kind: &str| {
        let url = format!(
            "http://{}/report/{TODAY}/{kind}?revision=1",
            gateway.address
        );
        let mut answer = ureq::get(url).call().unwrap();
        let name = answer.headers()["content-disposition"].to_str().unwrap();
        assert!(
            name.contains(&format!("menshen-report-{TODAY}-r1.{kind}")),
            "{name}"
        );
        answer.body_mut().read_to_vec().unwrap()
    };
    let table = get("csv");
    assert_eq!(table[..3], [0xef, 0xbb, 0xbf]);
    let mut table = csv::Reader::from_reader(&table[3..]);
    let column = table
        .headers()
        .unwrap()
        .iter()
        .position(|it| it == "failed");
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    let toilets = rows.iter().find(|row| &row[2] == "off-toilets").unwrap();
    assert_eq!(&toilets[column.unwrap()], "1");
    let mut book: calamine::Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(get("xlsx"))).unwrap();
    let failed = book.worksheet_range("不合格与整改").unwrap();
    let why = failed.get_value((1, 2)).unwrap().to_string();
    assert_eq!(why, "皂液用完，=两处");
    let pdf = keep("report.pdf", &get("pdf"));
    let text = Command::new("pdftotext")
        .args(["-layout", pdf.to_str().unwrap(), "-"])
        .output()
        .expect("pdftotext is missing; install it: apt install poppler-utils");
    let text = String::from_utf8(text.stdout).unwrap();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    for words in [
        "每日一报2020-02-21",
        "皂液用完，=两处",
        "向工作保障组领取并补齐",
        "电梯内贴脚印站位",
        "下午有一批口罩到货",
        "第1页，共",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}
