//! The dashboard over a real socket: pages, forms, refusals, the live view.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "common/dashboard.rs"]
mod dashboard;
#[path = "web/desk.rs"]
mod desk;

use dashboard::{Gateway, alert, lobby, stamp};
use futures_util::StreamExt;
use menshen::alert::{AlertState, Outcome};
use menshen::clock::{Clock, WallTime};
use menshen::command::{Asked, Command, Notice};
use menshen::event::{Escalation, Event, Fault};
use menshen::journal::Journal;
use menshen::text::Note;
use menshen::thermal::SelfCheck;
use menshen::thermal::self_check::Complaint;
use menshen::units::TemperatureDelta;
use menshen::web::{
    ActiveFault, AlertNotes, CareStatus, LinkWord, Mode, Pages, ReferenceStatus, Transport,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, tungstenite};

const WANG: &str = "by=%E7%8E%8B%E8%8A%B3";

fn three() -> Gateway {
    Gateway::with(vec![
        alert(11, 600, 38.1),
        alert(12, 300, 38.4),
        alert(13, 20, 39.0),
    ])
}

#[test]
fn the_page_says_that_nothing_is_open() {
    let gateway = Gateway::with(Vec::new());
    let page = gateway.get("/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("现在没有待处理的警报"));
    assert!(
        page.body
            .contains(r#"<span class="en" lang="en">No open alerts.</span>"#)
    );
    assert!(page.body.contains("南京东路街道 · 海鸥大厦 · 东门"));
    assert!(
        page.body
            .contains("≥ 37.3 °C <span class=\"zh\">复测</span>")
    );
    assert!(
        page.body
            .contains("≥ 37.8 °C <span class=\"zh\">疑似发热</span>")
    );
    assert!(page.body.contains("不是医疗器械"));
    assert!(page.body.contains("not a medical device"));
    assert!(!page.body.contains("<article"));
}

#[test]
fn the_day_at_a_glance_is_told_in_numbers_and_charts_without_a_script() {
    let gateway = three();
    let page = gateway.get("/today");
    assert_eq!(page.status, 200, "{}", page.body);
    for said in [
        "2020-02-21",
        "星期五",
        "每小时人次",
        "3 起警报，最长等了 10 分 00 秒。",
        "近 7 天",
        "阈值意味着什么",
        "nobody: made up for a test",
        "37.8 疑似发热",
        "校准",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert_eq!(page.body.matches("role=\"img\"").count(), 2 * 6);
    for refused in ["style=", "<script", "王"] {
        assert!(!page.body.contains(refused), "{refused}: {}", page.body);
    }
    // The day before has no device, and leads on.
    let before = gateway.get("/today/2020-02-20").body;
    assert!(before.contains("href=\"/today/2020-02-21\""), "{before}");
    assert!(!before.contains("id=\"device\""));
    for nowhere in [
        "/today/2020-02-22",
        "/today/2020-02-30",
        "/today/0000-00-00",
        "/today/x",
        "/today/2020-02-21/hours/xls",
        "/today/%00/days/csv",
    ] {
        assert_eq!(gateway.get(nowhere).status, 404, "{nowhere}");
    }
    gateway.memory.broken.store(true, Ordering::SeqCst);
    assert_eq!(gateway.get("/today").status, 503);
}

#[test]
fn what_the_street_says_stands_on_the_page_of_the_day_as_long_as_it_holds() {
    let gateway = Gateway::with(Vec::new());
    let now = gateway.clock.now();
    let say = |text: &str, begins: i64, ends: i64| {
        let asked = Asked {
            id: format!("n-{begins}").parse().unwrap(),
            by: "street".parse().unwrap(),
            command: Command::Notice(Notice {
                text: Note::new(text).unwrap(),
                begins: WallTime(now.wall.0 + begins),
                ends: WallTime(now.wall.0 + ends),
            }),
        };
        let events = [Event::Commanded { asked, at: now }];
        gateway.memory.record(&events).unwrap();
    };
    say("明早九点消毒 <b>", -1, 1);
    say("昨天的", -2, 0);
    say("明天的", 1, 2);
    let page = gateway.get("/today").body;
    assert!(
        page.contains("街道通知") && page.contains("明早九点消毒 &#60;b&#62;"),
        "{page}"
    );
    assert!(
        !page.contains("昨天的") && !page.contains("明天的"),
        "{page}"
    );
    assert!(!gateway.get("/today/2020-02-20").body.contains("街道通知"));
}

#[test]
fn without_a_reference_the_day_has_no_readings_and_says_why() {
    let gateway = Gateway::with(Vec::new());
    gateway.memory.estimates.lock().unwrap().clear();
    let status = dashboard::relative_status(120);
    gateway.status.send_replace(Arc::new(status));
    let page = gateway.get("/today").body;
    assert!(
        page.contains("相对模式：没有黑体，只有与人群的差值"),
        "{page}"
    );
    assert!(!page.contains("阈值意味着什么"), "{page}");
}

#[test]
fn the_days_go_into_a_table() {
    let gateway = three();
    let hours = gateway.get("/today/2020-02-21/hours/csv");
    assert_eq!(
        hours.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let lines: Vec<&str> = hours.body.lines().collect();
    assert!(lines[0].contains("人次 people") && lines[0].contains("距离太远 too far away"));
    assert_eq!(lines.len(), 1 + 24);
    assert!(lines[1].starts_with("2020-02-21,00:00,0,"), "{}", lines[1]);
    let book = gateway.get("/today/2020-02-21/hours/xlsx");
    assert!(book.status == 200 && book.body.starts_with("PK"));
    let days = gateway.get("/today/2020-02-21/days/csv").body;
    assert!(days.lines().count() > 300, "{days}");
    assert!(
        days.lines().last().unwrap().starts_with("2020-02-21,"),
        "{days}"
    );
}

#[test]
fn an_alert_that_waits_says_how_long_who_was_told_and_whether_it_is_saved() {
    let gateway = Gateway::with(vec![alert(11, 0, 38.1)]);
    let quiet = gateway.get("/alerts").body;
    assert!(
        !quiet.contains("已等") && !quiet.contains("data-level"),
        "{quiet}"
    );
    gateway.clock.advance(Duration::from_secs(6 * 60 + 59));
    let id = gateway.memory.alerts.lock().unwrap()[0].id;
    gateway.notes.send_replace(Arc::new(AlertNotes {
        unsaved: [id].into(),
        reminded: [(id, Escalation::Manager)].into(),
    }));
    let page = gateway.get("/").body;
    for said in [
        "已等 <span class=\"digits\">6</span> 分钟",
        "waits 6 min",
        "已通知物业经理",
        "manager told",
        "尚未保存",
        "not saved yet",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let json = gateway.get("/api/v1/alerts").json();
    assert_eq!(json[0]["told"]["code"], "manager");
    assert_eq!(json[0]["saved"], false);
}

#[test]
fn in_a_flood_one_banner_counts_and_every_card_is_still_there() {
    let mut alerts: Vec<_> = (1..=5).map(|n| alert(n, 10 * n, 38.4)).collect();
    alerts.push(alert(6, 300, 38.4));
    let gateway = Gateway::with(alerts);
    let page = gateway.get("/").body;
    assert_eq!(page.matches("class=\"alert open\"").count(), 6);
    assert_eq!(page.matches("/acknowledge\"").count(), 6);
    assert!(page.contains("data-open=\"6\""), "{page}");
    assert!(page.contains("5 alerts within a minute"), "{page}");
    let from = page.find("<details id=\"flood\"").unwrap();
    let place = |n: u32| page.find(&format!("<article id=\"alert-3-{n}\"")).unwrap();
    // The older one stands apart, behind the fold.
    assert!((1..=5).all(|n| place(n) > from && place(n) < place(6)));
    gateway.clock.advance(Duration::from_mins(1));
    let page = gateway.get("/").body;
    assert!(!page.contains("id=\"flood\""), "{page}");
    assert_eq!(page.matches("class=\"alert open\"").count(), 6);
}

#[test]
fn the_page_shows_three_alerts_newest_first_with_their_forms() {
    let page = three().get("/").body;
    let places: Vec<usize> = ["alert-3-13", "alert-3-12", "alert-3-11"]
        .iter()
        .map(|id| page.find(&format!("id=\"{id}\"")).unwrap())
        .collect();
    assert!(places.is_sorted());
    assert!(page.contains("39.0 <small>± 0.5 °C</small>"));
    assert_eq!(page.matches("/acknowledge\"").count(), 3);
    assert_eq!(page.matches("/resolve\"").count(), 3);
}

#[test]
fn every_number_of_today_is_shown_since_local_midnight() {
    let gateway = Gateway::with(Vec::new());
    let state = gateway.get("/api/v1/state").json();
    assert_eq!(state["today"]["total"], 448);
    assert_eq!(state["today"]["clear"]["total"], 412);
    assert_eq!(state["today"]["retest"]["total"], 13);
    assert_eq!(state["today"]["cannot_judge"]["total"], 20);
    assert_eq!(state["today"]["cannot_judge"]["reasons"]["too_far"], 6);
    let since = gateway.memory.asked_since.lock().unwrap().unwrap();
    assert_eq!(state["today"]["since_wall_ms"], since);
    let age = dashboard::NOW_MS - since;
    assert!((0..25 * 3_600_000).contains(&age), "{age}");
    let page = gateway.get("/").body;
    assert!(page.contains("有效画面太少"));
    assert!(page.contains(">412<"));
}

#[test]
fn an_alert_goes_from_open_to_resolved_by_plain_forms() {
    let gateway = three();
    let taken = gateway.post("/alerts/3-12/acknowledge", WANG);
    assert_eq!(taken.status, 303, "{taken:?}");
    assert_eq!(taken.header("location"), Some("/#alert-3-12"));
    assert_eq!(*gateway.changes.borrow(), 1);
    let page = gateway.get("/").body;
    assert!(page.contains("<b>王芳</b>"));

    let found = gateway.post(
        "/alerts/3-12/resolve",
        "by=Li&outcome=confirmed&device=No+2&site=ear&mode=fast&value=38%2C6&reason=",
    );
    assert_eq!(found.status, 303, "{found:?}");
    assert_eq!(*gateway.changes.borrow(), 2);
    let alerts = gateway.get("/api/v1/alerts").json();
    let resolved = alerts.as_array().unwrap().last().unwrap();
    assert_eq!(resolved["id"], "3-12");
    assert_eq!(resolved["state"]["code"], "resolved");
    assert_eq!(resolved["by"], "Li");
    assert_eq!(resolved["outcome"]["code"], "confirmed");
    assert_eq!(resolved["outcome"]["contact"]["value_c"], 38.6);
    assert_eq!(resolved["outcome"]["contact"]["site"], "ear");
    // Why it is ± so much, without a script, too.
    assert_eq!(resolved["budget"]["reference"], 0.1);
    assert_eq!(resolved["budget"]["path"], 0.0);
    let lists = gateway.get("/alerts").body;
    assert!(lists.contains("<td class=\"number digits\" data-part=\"size_of_source\">0.05</td>"));
    let after = lists.split("id=\"resolved\"").nth(1).unwrap();
    assert!(after.contains("确认发热") && after.contains("38.6 °C"));
}

#[test]
fn who_acted_at_once_may_record_an_outcome_of_an_open_alert() {
    let gateway = three();
    let left = gateway.post("/alerts/3-13/resolve", "by=Li&outcome=left");
    assert_eq!(left.status, 303);
    let alerts = gateway.memory.alerts.lock().unwrap().clone();
    assert!(matches!(
        &alerts[2].state,
        AlertState::Resolved { outcome: Outcome::Left, at, .. } if *at == gateway.clock.now()
    ));
}

#[test]
fn the_second_to_acknowledge_is_told_who_was_first() {
    let gateway = three();
    assert_eq!(gateway.post("/alerts/3-12/acknowledge", WANG).status, 303);
    let second = gateway.post("/alerts/3-12/acknowledge", "by=Li");
    assert_eq!(second.status, 409);
    assert!(second.body.contains("王芳"));
    assert!(second.body.contains("已经有人处理") && second.body.contains("already looking after"));
    assert_eq!(*gateway.changes.borrow(), 1, "nothing was recorded");

    assert_eq!(
        gateway
            .post("/alerts/3-12/resolve", "by=Li&outcome=left")
            .status,
        303
    );
    for again in ["acknowledge", "resolve"] {
        let late = gateway.post(&format!("/alerts/3-12/{again}"), "by=Zhao&outcome=referred");
        assert_eq!(late.status, 409, "{again}");
    }
}

#[test]
fn an_outcome_that_is_not_complete_is_refused_and_nothing_is_kept() {
    let gateway = three();
    for body in [
        "by=Li",
        "by=Li&outcome=closed",
        "outcome=left",
        "by=%20&outcome=left",
        "by=Li&outcome=false_alarm&reason=+",
        "by=Li&outcome=confirmed&site=ear&mode=fast&value=38.6",
        "by=Li&outcome=confirmed&device=2&mode=fast&value=38.6",
        "by=Li&outcome=confirmed&device=2&site=ear&value=38.6",
        "by=Li&outcome=confirmed&device=2&site=ear&mode=fast",
        "by=Li&outcome=not_confirmed&device=2&site=ear&mode=fast&value=3.66",
        "by=Li&outcome=not_confirmed&device=2&site=ear&mode=fast&value=hot",
        "by=L%00i&outcome=left",
        "by=L%E2%80%AEi&outcome=left",
        &format!("by={}&outcome=left", "x".repeat(65)),
        "\u{1}\u{2}=&&%%%",
    ] {
        let answer = gateway.post("/alerts/3-12/resolve", body);
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.body.contains("没有保存"), "{body}");
        assert!(answer.body.contains("lang=\"en\""), "{body}");
    }
    let alerts = gateway.memory.alerts.lock().unwrap().clone();
    assert!(alerts.iter().all(|alert| alert.state == AlertState::Open));
}

#[test]
fn an_alert_that_is_not_there_is_not_found() {
    let gateway = three();
    for id in ["3-99", "nothing", "3-12-1", "%3Cscript%3E"] {
        let answer = gateway.post(&format!("/alerts/{id}/acknowledge"), WANG);
        assert_eq!(answer.status, 404, "{id}");
        assert!(answer.body.contains("没有这条警报"), "{id}");
        assert!(!answer.body.contains("<script"), "{id}");
    }
    assert_eq!(gateway.get("/nothing").status, 404);
    assert_eq!(gateway.get("/alerts/3-12/acknowledge").status, 405);
}

#[test]
fn what_people_type_is_text() {
    let gateway = three();
    let name = "by=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27";
    assert_eq!(gateway.post("/alerts/3-12/acknowledge", name).status, 303);
    for page in [gateway.get("/").body, gateway.get("/alerts").body] {
        assert!(!page.contains("<script>alert"));
        assert!(page.contains("&#60;script&#62;alert(1)"));
    }
    let again = gateway.post("/alerts/3-12/acknowledge", "by=Li").body;
    assert!(!again.contains("<script>") && again.contains("&#60;script&#62;"));
}

#[test]
fn another_site_cannot_act() {
    let gateway = three();
    let address = gateway.address;
    let post = "POST /alerts/3-12/acknowledge HTTP/1.1";
    for foreign in [
        format!("{post}\r\nHost: {address}\r\nOrigin: http://evil.example"),
        format!("{post}\r\nHost: {address}\r\nOrigin: null"),
        format!("{post}\r\nHost: {address}\r\nOrigin: http://127.0.0.1:1"),
        format!("{post}\r\nHost: {address}\r\nSec-Fetch-Site: cross-site"),
        format!(
            "{post}\r\nHost: {address}\r\nSec-Fetch-Site: same-site\r\nOrigin: http://{address}"
        ),
        format!("{post}\r\nHost: {address}"),
    ] {
        let answer = gateway.send(&foreign, WANG);
        assert_eq!(answer.status, 403, "{foreign}");
        assert!(answer.body.contains("来自别的网站"));
    }
    // Our own plain form under our own no-referrer policy, as browsers send it.
    let own = format!("{post}\r\nHost: {address}\r\nOrigin: null\r\nSec-Fetch-Site: same-origin");
    assert_eq!(gateway.send(&own, WANG).status, 303);
}

#[test]
fn a_name_that_is_not_this_machine_is_refused() {
    let gateway = three();
    for host in [
        "evil.example",
        "evil.example:80",
        "192.168.1.7",
        "",
        "127.0.0.1.evil.example",
    ] {
        for path in ["/", "/api/v1/state", "/live", "/assets/app.css", "/healthz"] {
            let answer = gateway.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}"), "");
            assert_eq!(answer.status, 421, "{host} {path}");
            assert!(!answer.body.contains("海鸥大厦"));
        }
    }
    let two = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nHost: evil.example",
        gateway.address
    );
    assert!(gateway.send(&two, "").status >= 400);
    let port = gateway.address.port();
    let named = gateway.send(&format!("GET / HTTP/1.1\r\nHost: localhost:{port}"), "");
    assert_eq!(named.status, 200);
}

#[test]
fn a_body_has_an_end() {
    let gateway = three();
    let long = format!("by={}", "x".repeat(64 * 1024));
    let answer = gateway.post("/alerts/3-12/acknowledge", &long);
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("内容太长"));
}

#[test]
fn a_broken_store_is_said_and_never_hidden() {
    let gateway = three();
    gateway.memory.broken.store(true, Ordering::SeqCst);
    let answer = gateway.post("/alerts/3-12/acknowledge", WANG);
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("没有保存") && answer.body.contains("disk full"));
    assert_eq!(*gateway.changes.borrow(), 0);
    assert_eq!(gateway.get("/").status, 503);
    let api = gateway.get("/api/v1/state");
    assert_eq!(
        (api.status, api.json()["code"].clone()),
        (503, "storage".into())
    );
    assert_eq!(gateway.get("/healthz").status, 503);
    gateway.memory.broken.store(false, Ordering::SeqCst);
    assert_eq!(gateway.get("/healthz").body, "ok\n");
}

#[test]
fn every_answer_carries_the_headers() {
    let gateway = three();
    let answers = [
        gateway.get("/"),
        gateway.get("/alerts"),
        gateway.get("/api/v1/alerts"),
        gateway.get("/assets/live.js"),
        gateway.get("/nothing"),
        gateway.post("/alerts/3-99/acknowledge", WANG),
        gateway.send("GET / HTTP/1.1\r\nHost: evil.example", ""),
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let page = gateway.get("/").body;
    for inline in [
        " style=",
        " onclick=",
        "<style",
        "javascript:",
        "http://",
        "https://",
    ] {
        assert!(!page.contains(inline), "{inline}");
    }
}

#[test]
fn calibration_self_check_and_a_second_reference_stand_on_the_page() {
    let gateway = Gateway::with(Vec::new());
    let page = gateway.get("/").body;
    assert!(page.contains("not calibrated on site") && page.contains("half an hour after"));
    let mut status = dashboard::status();
    status.care = CareStatus {
        calibration_expires: Some(WallTime(18_300 * WallTime::DAY_MS)),
        checked: Some((
            SelfCheck {
                noise: TemperatureDelta::literal(0.02),
                spread: TemperatureDelta::literal(0.25),
                hunting: TemperatureDelta::literal(0.03),
                offset: TemperatureDelta::literal(0.8),
                complaint: Some(Complaint::Uneven),
            },
            stamp(60),
        )),
    };
    status.reference = ReferenceStatus::Configured {
        set_point_c: 33.0,
        reading_c: None,
        offset_k: None,
        second: Some((39.0, Some(38.21))),
    };
    gateway.status.send_replace(Arc::new(status));
    let page = gateway.get("/").body;
    assert!(page.contains("2020-02-07"), "{page}");
    assert!(page.contains("the reference is uneven") && page.contains("2020-02-21T06:04:09"));
    assert!(page.contains("39.00 °C") && page.contains("38.21 °C"));
    assert!(page.contains("Not in view") && !page.contains("Not in view: nobody is judged"));
}

#[test]
fn faults_links_and_a_missing_picture_are_said_in_words() {
    let gateway = Gateway::with(Vec::new());
    let mut status = dashboard::status();
    status.faults.push(ActiveFault {
        fault: Fault::CameraSilent,
        since: stamp(30),
    });
    status.camera.last_frame = Some(stamp(31));
    status.mqtt = LinkWord::Away("connection refused".to_owned());
    status.mode = Mode::Demo;
    gateway.status.send_replace(Arc::new(status));
    let page = gateway.get("/").body;
    for words in [
        "相机没有画面",
        "USB",
        "没有新画面",
        "连不上",
        "connection refused",
        "演示数据",
        "1311",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let state = gateway.get("/api/v1/state").json();
    assert_eq!(state["camera"]["stale"], true);
    assert_eq!(state["faults"][0]["code"], "camera_silent");
    assert_eq!(state["mqtt"]["code"], "away");
    assert_eq!(state["mode"], "demo");
}

#[test]
fn no_network_sees_the_page() {
    let gateway = Gateway::with(Vec::new());
    let refused = gateway.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("0.0.0.0", 0)).await.unwrap();
        let (_, live) = tokio::sync::watch::channel(None);
        let (_, status) = tokio::sync::watch::channel(Arc::new(dashboard::status()));
        let (_, notes) = tokio::sync::watch::channel(Arc::default());
        let (_, changes) = tokio::sync::watch::channel(0);
        let memory = Arc::clone(&gateway.memory);
        let dashboard = menshen::web::Dashboard {
            desk: None,
            people: Err("no register in this test".into()),
            entrance: menshen::web::Entrance::Demo,
            journal: memory.clone(),
            settings: None,
            figures: memory.clone(),
            evidence: Arc::default(),
            outbox: memory,
            clock: Arc::new(gateway.clock.clone()),
            live,
            status,
            notes,
            changes,
            moments: None,
            visitor_sound: true,
            site: menshen::web::SiteName {
                street: String::new(),
                building: String::new(),
                gate: String::new(),
                address: None,
            },
            after_record: Arc::new(|| {}),
        };
        let pages = Pages {
            listener,
            transport: Transport::Plain,
            metrics: None,
        };
        menshen::web::serve(pages, dashboard, gateway.until_it_stops()).await
    });
    let error = refused.unwrap_err().to_string();
    assert!(
        error.contains("no TLS") && error.contains("127.0.0.1"),
        "{error}"
    );
}

type Viewer = WebSocketStream<TcpStream>;

async fn view(gateway: &Gateway, origin: &str) -> tungstenite::Result<Viewer> {
    let mut request = format!("ws://{}/live", gateway.address).into_client_request()?;
    let origin = HeaderValue::from_str(origin).unwrap();
    request.headers_mut().insert("origin", origin);
    let stream = TcpStream::connect(gateway.address).await?;
    Ok(tokio_tungstenite::client_async(request, stream).await?.0)
}

/// The next picture: its header, its first pixel, and how many pixels it has.
async fn picture(viewer: &mut Viewer) -> (serde_json::Value, i16, usize) {
    let message = tokio::time::timeout(Duration::from_secs(30), viewer.next());
    let bytes = message.await.unwrap().unwrap().unwrap().into_data();
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    let header = serde_json::from_slice(&bytes[4..4 + length]).unwrap();
    let pixels = &bytes[4 + length..];
    let first = i16::from_le_bytes(pixels[..2].try_into().unwrap());
    (header, first, pixels.len() / 2)
}

#[test]
fn the_live_view_gives_the_newest_picture_and_counts_what_it_skipped() {
    let gateway = three();
    gateway.see(1);
    gateway.runtime.block_on(async {
        let own = format!("http://{}", gateway.address);
        let mut viewer = view(&gateway, &own).await.unwrap();
        let (header, first, pixels) = picture(&mut viewer).await;
        assert_eq!((first, pixels), (1, 160 * 120));
        assert_eq!(header["sequence"], 1);
        assert_eq!(header["age_ms"], 0);
        assert_eq!(header["people"][1]["state"]["code"], "possible_fever");
        assert_eq!(header["people"][1]["state"]["zh"], "疑似发热");
        assert_eq!(header["people"][1]["advice"], serde_json::Value::Null);
        assert_eq!(header["people"][1]["budget"]["ambient"], 0.08);
        let face_u = header["people"][1]["face_u_k"].as_f64().unwrap();
        assert!((face_u - 0.15).abs() < 1e-9, "{face_u}");
        assert_eq!(header["people"][2]["budget"], serde_json::Value::Null);
        assert_eq!(header["people"][2]["looks"], serde_json::json!([2, 5]));
        assert_eq!(header["people"][2]["advice"]["zh"], "请走近一点");
        assert_eq!(header["references"][0]["reading_c"], 34.21);

        for sequence in 2..=50 {
            gateway.see(sequence);
        }
        let mut received = 1_u64;
        loop {
            let (header, first, _) = picture(&mut viewer).await;
            received += 1;
            if header["sequence"] == 50 {
                assert_eq!(first, 50, "the pixels are those of the header");
                assert_eq!(header["skipped"], 50 - received);
                break;
            }
        }
        assert!(
            received < 25,
            "{received} pictures: the viewer was given a queue"
        );
    });
}

#[test]
fn without_a_reference_no_temperature_of_anybody_leaves_the_gateway() {
    let gateway = Gateway::with(vec![dashboard::relative_alert(77, 3)]);
    let status = |people| Arc::new(dashboard::relative_status(people));
    gateway.status.send_replace(status(99));
    let state = gateway.get("/api/v1/state").json();
    let population = serde_json::json!({ "people": 99, "needed": 100, "fever_k": null });
    assert_eq!(state["population"], population);
    assert_eq!(
        (state["basis"].as_str(), state["reference"].is_null()),
        (Some("population"), true)
    );
    assert!(gateway.get("/summary").body.contains("99 of 100 people"));
    gateway.status.send_replace(status(120));
    let state = gateway.get("/api/v1/state").json();
    assert_eq!(state["population"]["fever_k"], 0.9);

    let alert = &gateway.get("/api/v1/alerts").json()[0];
    assert_eq!(alert["basis"], "population");
    assert_eq!(alert["people"], 120);
    let near = |key: &str, value: f64| (alert[key].as_f64().unwrap() - value).abs() < 1e-9;
    assert!(
        near("difference_k", 1.2) && near("threshold_k", 0.9),
        "{alert}"
    );
    for absolute in ["estimate_c", "face_c", "threshold_c"] {
        assert!(alert.get(absolute).is_none(), "{alert}");
    }
    let lists = gateway.get("/alerts").body;
    assert!(lists.contains("+1.2 <small>± 0.5 K</small>") && !lists.contains("35.4"));

    let at = gateway.clock.now();
    gateway
        .live
        .send_replace(Some(Arc::new(dashboard::relative_lobby(1, at))));
    gateway.runtime.block_on(async {
        let own = format!("http://{}", gateway.address);
        let mut viewer = view(&gateway, &own).await.unwrap();
        let person = picture(&mut viewer).await.0["people"][1].clone();
        assert_eq!(person["people"], 120);
        assert_eq!(person["relative"]["en"], "relative");
        assert!(person["difference_k"].is_f64());
        assert!(person.get("estimate_c").is_none() && person.get("face_c").is_none());
    });
}

#[test]
fn an_old_picture_says_how_old_it_is() {
    let gateway = three();
    gateway.see(1);
    gateway.clock.advance(Duration::from_secs(9));
    gateway.runtime.block_on(async {
        let own = format!("http://{}", gateway.address);
        let mut viewer = view(&gateway, &own).await.unwrap();
        assert_eq!(picture(&mut viewer).await.0["age_ms"], 9000);
    });
}

#[test]
fn the_live_view_is_for_our_own_page_and_for_twenty_viewers() {
    let gateway = three();
    let refused = |answer: tungstenite::Result<Viewer>| match answer {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    };
    gateway.runtime.block_on(async {
        let foreign = view(&gateway, "http://evil.example").await;
        assert_eq!(refused(foreign), 403);
        let own = format!("http://{}", gateway.address);
        let mut viewers = Vec::new();
        for _ in 0..20 {
            viewers.push(view(&gateway, &own).await.unwrap());
        }
        assert_eq!(refused(view(&gateway, &own).await), 503);
        viewers.pop();
        // The seat is free as soon as the gateway has noticed.
        while view(&gateway, &own).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(gateway.get("/live").status, 403, "not a page");
}

#[test]
fn changes_are_told_and_streams_end_with_the_gateway() {
    use std::io::{Read, Write};
    let gateway = three();
    let mut stream = std::net::TcpStream::connect(gateway.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    write!(
        stream,
        "GET /changes HTTP/1.1\r\nHost: {}\r\n\r\n",
        gateway.address
    )
    .unwrap();
    let mut heard = String::new();
    let mut until = |wanted: &str| {
        let mut bytes = [0; 1024];
        while !heard.contains(wanted) {
            let length = stream.read(&mut bytes).unwrap();
            assert!(length > 0, "the stream ended before {wanted:?}: {heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    };
    until("data: 0");
    gateway.raise(alert(14, 0, 38.8));
    until("data: 1");
    assert!(gateway.get("/alerts").body.contains("alert-3-14"));
    gateway.until_it_stops().cancel();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
}

#[test]
fn pictures_of_the_test_look_like_a_lobby() {
    let frame = lobby(7, stamp(0));
    let warmest = *frame.centi_celsius[1..].iter().max().unwrap();
    assert!((3400..3700).contains(&warmest), "{warmest}");
    assert_eq!(frame.centi_celsius.len(), 160 * 120);
}
