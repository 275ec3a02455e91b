//! The street office's pages: over real messages in a real ledger, behind a real socket, in a real browser; and once
//! with everything that belongs to it, from the camera to the page. Pictures are left in `target/tmp/street-*.png`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "common/authority.rs"]
mod authority;
#[path = "common/browser.rs"]
mod browser;
#[path = "common/postgres.rs"]
mod database;
#[path = "street_pages/office.rs"]
mod office;
#[path = "common/program.rs"]
mod program;
#[path = "street_pages/whole.rs"]
mod whole;

use browser::{Browser, DESK, PHONE};
use menshen::staff::Role;
use menshen::web::routes::Needs;
use menshen::web::street::served;
use office::{Office, Sender, a_street, letter, state};
use serde_json::json;
use std::collections::BTreeSet;

const PAGES: [(&str, &str); 9] = [
    ("overview", "/"),
    ("calls", "/calls"),
    ("site", "/sites/no-03/main"),
    ("compare", "/compare"),
    ("report", "/report"),
    ("innovations", "/innovations"),
    ("groups", "/groups"),
    ("orders", "/orders"),
    ("quarantine", "/quarantine"),
];

#[test]
fn every_page_shows_on_a_desk_and_on_a_phone() {
    let office = Office::open(a_street);
    let browser = Browser::start();
    office.admit(&browser, Role::Admin);
    let posted = office.post(
        "/orders",
        "what=notice&hours=24&sure=yes&text=%E4%BB%8A%E6%99%9A%E5%8F%B0%E9%A3%8E",
        Role::Admin,
    );
    assert_eq!(posted.0, 303, "{}", posted.1);
    for (size, device) in [(DESK, "desk"), (PHONE, "phone")] {
        for (name, path) in PAGES {
            browser.open(office.address, path, size);
            browser.until("document.querySelectorAll('main h2').length > 0");
            browser.no_sideways_scroll(size);
            assert_eq!(
                browser.poor_contrast(4.5),
                json!([]),
                "{path} on a {device}"
            );
            let unnamed = "[...document.querySelectorAll('a, button, input:not([type=hidden]), select')].filter(it => \
                !(it.textContent.trim() || it.getAttribute('aria-label') || it.labels?.length)).length";
            assert_eq!(browser.eval(unnamed), json!(0), "{path} on a {device}");
            browser.shoot(&format!("street-{name}-{device}"));
        }
    }
}

#[test]
fn the_overview_says_of_each_site_what_its_gateway_said() {
    let office = Office::open(a_street);
    let page = office.get("/?sort=name", Role::StreetViewer).1;
    let row = |name: &str| {
        let rest = page.split(&format!("<b>{name}</b>")).nth(1).expect(name);
        let text = rest.split("</tr>").next().unwrap();
        let mut plain = String::new();
        let mut within = false;
        for c in text.chars() {
            match c {
                '<' => within = true,
                '>' => within = false,
                c if !within => plain.push(c),
                _ => {}
            }
        }
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let bad = row("静安大厦");
    for part in ["在线", "18/25", "未做 5", "不合格 2", "▲ 1"] {
        assert!(bad.contains(part), "{part}: {bad}");
    }
    let gone = row("滨江公寓");
    assert!(
        gone.contains("离线") && gone.contains("021-5555 0107"),
        "{gone}"
    );
    let never = row("未接入的楼");
    assert!(never.contains("从未连接"), "{never}");
    let newer = row("苏河湾中心");
    assert!(newer.contains("消息版本较新"), "{newer}");
    // Filters, and what they leave.
    let found = |query: &str| {
        let page = office.get(query, Role::StreetViewer).1;
        page.matches("role=\"rowheader\"").count()
    };
    assert_eq!(found("/"), 13);
    assert_eq!(found("/?kind=office"), 3);
    assert_eq!(found("/?state=away"), 2);
    assert_eq!(found("/?q=%E6%BB%A8%E6%B1%9F"), 1);
    assert_eq!(found("/?q=no-03&kind=residential"), 0);
    assert_eq!(found("/?kind=%00&state=nonsense&sort=x&page=99999"), 13);
    assert_eq!(found("/?page=x"), 13);
}

#[test]
fn an_alert_comes_by_itself_and_one_that_is_late_is_silent() {
    let office = Office::open(a_street);
    let browser = Browser::start();
    office.admit(&browser, Role::StreetViewer);
    browser.open(office.address, "/", DESK);
    browser.until("Number(document.body.dataset.read || 0) > 0");
    browser.eval("window.never_left = true");
    let mut gate = Sender::new("no-05", 900);
    office.hear(&[gate.alert("9-1", "raised", true)]);
    browser.until("!!document.getElementById('alert-no-05-main-9-1')");
    let late = "document.getElementById('alert-no-05-main-9-1').className.includes('old')";
    assert_eq!(browser.eval(late), json!(true));
    assert_eq!(
        browser.eval("document.body.dataset.melody || ''"),
        json!("")
    );
    office.hear(&[gate.alert("9-2", "raised", false)]);
    browser.until("!!document.querySelector('#alert-no-05-main-9-2.fresh')");
    browser.until("(document.body.dataset.melody || '').startsWith('alarm ')");
    browser.until("document.title.startsWith('(1) ▲')");
    browser.until("document.getElementById('alerts-told').textContent.includes('38.9 ± 0.9 °C')");
    assert_eq!(browser.eval("window.never_left"), json!(true));
    browser.shoot("street-alert");
    // It is taken, and then over.
    office.hear(&[gate.alert("9-2", "acknowledged", false)]);
    browser.until("document.getElementById('alert-no-05-main-9-2').textContent.includes('处理中')");
    office.hear(&[gate.alert("9-2", "resolved", false)]);
    browser.until("!document.getElementById('alert-no-05-main-9-2')");
}

#[test]
fn the_report_goes_along_as_files_with_the_same_numbers() {
    let office = Office::open(a_street);
    let page = office.get("/report", Role::StreetViewer).1;
    assert!(page.contains("13 个单位中缺 5 个的日报"), "{page}");
    for missing in ["滨江公寓", "未接入的楼"] {
        let list = page.split("class=\"lines missing\"").nth(1).unwrap();
        assert!(list.split("</ul>").next().unwrap().contains(missing));
    }
    assert!(page.contains("电梯按钮旁挂牙签盒"));
    let (_, csv) = office.get("/report/2020-02-24/csv", Role::StreetViewer);
    let lines: Vec<&str> = csv.trim().lines().collect();
    assert_eq!(lines.len(), 14, "{csv}");
    let column = |name: &str| {
        let head = lines[0].trim_start_matches('\u{feff}');
        head.split(',')
            .position(|it| it.trim_matches('"').contains(name))
            .expect(head)
    };
    let clear = column("clear");
    let people: u64 = lines[1..]
        .iter()
        .filter_map(|it| it.split(',').nth(clear)?.parse::<u64>().ok())
        .sum();
    assert_eq!(people, 8 * 300);
    let (status, pdf) = office.bytes("/report/2020-02-24/pdf", Role::StreetViewer);
    assert!(status == 200 && pdf.starts_with(b"%PDF"));
    let (status, xlsx) = office.bytes("/report/2020-02-24/xlsx", Role::StreetViewer);
    assert!(status == 200 && xlsx.starts_with(b"PK"));
    assert_eq!(
        office.get("/report/2020-02-24/exe", Role::StreetViewer).0,
        404
    );
    assert_eq!(office.get("/report/2020-02-31", Role::StreetViewer).0, 404);
    // A day of which nothing has come.
    let page = office.get("/report/2019-05-01", Role::StreetViewer).1;
    assert!(page.contains("13 个单位中缺 13 个的日报"));
}

#[test]
fn what_a_gate_says_is_text_and_nothing_else() {
    let office = Office::open(|| {
        let mut heard = a_street();
        let evil = "<script>alert(1)</script>\u{202e}";
        heard.push(state(
            "no-01",
            "status/gateway",
            &json!({"v":1,"epoch":"e","state":"online","version":evil,"basis":"x"}),
        ));
        heard.push(letter("no-01", "event/alert", 700, json!({"v":1,"epoch":"e","seq":700,"id":evil,"kind":"raised","at":"x","clock":"x","gate":"main"})));
        heard.push(letter("no-01", "report/2020-02-24", 701, json!({"v":1,"epoch":"e","seq":701,"date":"2020-02-24","revision":9,"part":1,"of":1,"site":evil,"innovations":[evil],"items":[{"id":evil,"duty":"required","missed":4_294_967_295_u32}],"gate":"main"})));
        heard
    });
    for (_, path) in PAGES {
        let (status, page) = office.get(path, Role::StreetViewer);
        assert_eq!(status, 200, "{path}");
        assert!(!page.contains("<script>alert"), "{path}");
    }
    let page = office.get("/sites/no-01/main", Role::StreetViewer).1;
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"));
}

#[test]
fn every_route_answers_every_role_as_the_table_says() {
    let office = Office::open(a_street);
    let table = served();
    assert!(table.len() > 20);
    for entry in &table {
        let path = entry
            .path
            .replace("{building}", "no-03")
            .replace("{gate}", "main")
            .replace("{date}", "2020-02-24")
            .replace("{kind}", "csv")
            .replace("{id}", "99");
        let nobody = office.ask(entry.method, &path, None, "").0;
        let open = entry.needs == Needs::Nothing;
        assert_eq!(
            nobody == 401,
            !open,
            "{} {path} without signing in: {nobody}",
            entry.method
        );
        for role in Role::ALL {
            // Signing out ends the session that the other questions are asked in.
            if path == "/sign-out" {
                continue;
            }
            let may = match entry.needs {
                Needs::Nothing | Needs::SignIn => true,
                Needs::Right(right) => role.may(right),
            };
            let (status, text) = office.ask(entry.method, &path, Some(*role), "");
            let cell = format!("{} {path} as {}", entry.method, role.as_str());
            assert_eq!(text.contains("您没有这项权限"), !may, "{cell}: {status}");
            if entry.method == "POST" && may && !open {
                assert!(
                    text.contains("页面已过时"),
                    "{cell} without its session's word: {text}"
                );
            }
        }
    }
    let paths: BTreeSet<&str> = table.iter().map(|it| it.path).collect();
    assert!(paths.contains("/setup") && paths.contains("/accounts"));
    // Only these two have an account here.
    let page = office.get("/accounts", Role::Admin).1;
    for (role, there) in [
        (Role::StreetViewer, true),
        (Role::Admin, true),
        (Role::Guard, false),
    ] {
        assert_eq!(
            page.contains(&format!("value=\"{}\"", role.as_str())),
            there
        );
    }
    let made = office.post("/accounts", "name=Wang&role=guard", Role::Admin);
    assert_eq!(made.0, 422, "{}", made.1);
    let made = office.post("/accounts", "name=Wang&role=street_viewer", Role::Admin);
    assert!(made.0 == 200 && made.1.contains("Wang"));
}

#[test]
fn a_notice_goes_to_whom_it_is_meant_for_and_to_nobody_by_mistake() {
    let office = Office::open(a_street);
    for wrong in [
        "what=notice&text=x&hours=24",
        "what=notice&hours=24&sure=yes",
        "what=notice&text=x&hours=0&sure=yes",
        "what=notice&text=x&hours=169&sure=yes",
    ] {
        assert_eq!(office.post("/orders", wrong, Role::Admin).0, 422, "{wrong}");
    }
    let good = "what=notice&text=hello&hours=2&kind=street_shop&sure=yes";
    let (_, text) = office.post("/orders", good, Role::StreetViewer);
    assert!(text.contains("您没有这项权限"), "{text}");
    assert_eq!(office.post("/orders", good, Role::Admin).0, 303);
    let page = office.get("/orders", Role::StreetViewer).1;
    assert_eq!(
        page.matches("<details class=\"order\"").count(),
        1,
        "{page}"
    );
    for (site, is_shop) in [("老街面馆", true), ("新华书店", true), ("静安大厦", false)]
    {
        assert_eq!(page.contains(site), is_shop, "{site}");
    }
    assert_eq!(page.matches("还没有回执").count(), 2);
}
