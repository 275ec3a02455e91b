//! The register in a browser, over a real store: from the poster to the phone, to the gate and to the
//! manager; and a list that is tried, read in and taken back.

use super::{Browser, DESK, PHONE, dashboard};
use dashboard::Gateway;
use menshen::config::{PeopleConfig, zone::Zone};
use menshen::people::Desk;
use menshen::store::Store;
use menshen::web::Entrance;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn gateway(folder: &tempfile::TempDir) -> Gateway {
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let register = store.register(&folder.path().join("people.key")).unwrap();
    let desk = Desk::new(
        Arc::new(PeopleConfig::default().rules().unwrap()),
        Arc::new(register),
        Arc::new(Zone(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())),
    );
    Gateway::serving(Entrance::Demo, Vec::new(), |it| {
        it.people = Ok(Arc::new(desk));
    })
}

/// Fills in a form's fields and sends it as somebody who presses its button.
fn send(browser: &Browser, form: &str, fields: &[(&str, &str)]) {
    let fields: Vec<_> = fields.iter().map(|it| json!([it.0, it.1])).collect();
    browser.eval(&format!(
        "(() => {{ const form = document.querySelector({}); form.noValidate = true; \
         for (const [name, value] of {}) {{ \
           const all = [...form.querySelectorAll(`[name=\"${{name}}\"]`)]; \
           const choice = all.find(f => ['radio', 'checkbox'].includes(f.type) && f.value === value); \
           if (choice) choice.checked = true; else all[0].value = value; }} \
         form.querySelector('button').click(); return true; }})()",
        json!(form),
        json!(fields)
    ));
}

#[test]
fn from_the_poster_to_the_phone_to_the_gate_and_to_the_manager() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder);
    let browser = Browser::start();
    browser.open(&gateway, "/people/posters?places=东门,3楼", DESK);
    browser.until("document.querySelectorAll('.poster svg').length === 2");
    browser.shoot("people-posters-desk");
    let path = browser.eval(
        "new URL(document.querySelector('.poster .address').textContent.match(/https:\\S+/)[0]).pathname",
    );
    let path = path.as_str().unwrap();

    // What is wrong is said at its field, and what was written stays, as text.
    browser.open(&gateway, path, PHONE);
    browser.no_sideways_scroll(PHONE);
    browser.shoot("declare-phone");
    let form = "main form.stack";
    send(&browser, form, &[("name", "<b id=evil>"), ("phone", "12")]);
    browser.until("document.querySelectorAll('[aria-invalid]').length === 4");
    assert_eq!(
        browser.eval(
            "document.getElementById('evil') === null && document.getElementById('f-name').value"
        ),
        json!("<b id=evil>")
    );
    browser.no_sideways_scroll(PHONE);
    browser.shoot("declare-wrong-phone");
    send(
        &browser,
        form,
        &[
            ("name", "王芳"),
            ("phone", "13800138000"),
            ("company", "古北科技"),
            ("symptoms", "none"),
            ("contact", "no"),
            ("agree", "yes"),
        ],
    );
    browser.until("document.querySelector('.day-code .code') !== null");
    browser.no_sideways_scroll(PHONE);
    browser.shoot("declared-phone");
    let code = browser.eval("document.querySelector('.day-code .code').textContent.trim()");
    let code = code.as_str().unwrap();

    // A code that is none opens nothing; the right one shows a masked name.
    browser.open(&gateway, "/gate", PHONE);
    browser.no_sideways_scroll(PHONE);
    let check = "form[action='/gate/check']";
    send(&browser, check, &[("code", "0000-0000")]);
    browser.until("document.body.innerText.includes('今天没有这个当日码')");
    send(&browser, check, &[("code", &code.to_lowercase())]);
    browser.until("document.querySelector('.glance.good') !== null");
    assert_eq!(
        browser.eval("document.querySelector('.glance').innerText.includes('王芳')"),
        json!(false)
    );
    browser.no_sideways_scroll(PHONE);
    browser.shoot("gate-phone");
    browser.eval("document.querySelector('button[value=entered]').click()");
    browser.until("[...document.querySelectorAll('.tally b')][0].textContent === '1'");
    browser.open(&gateway, "/gate", DESK);
    browser.shoot("gate-desk");

    browser.open(&gateway, "/people?show=all", DESK);
    browser.until("document.querySelectorAll('.people-table tbody tr').length === 1");
    browser.shoot("people-desk");
    browser.open(&gateway, "/people/1", DESK);
    browser.until("document.body.innerText.includes('13800138000')");
    browser.shoot("person-desk");
    for (path, name) in [
        ("/people?show=all", "people-phone"),
        ("/people/1", "person-phone"),
    ] {
        browser.open(&gateway, path, PHONE);
        browser.no_sideways_scroll(PHONE);
        browser.shoot(name);
    }
}

/// Whoever follows somebody up, day by day.
struct Manager {
    gateway: Gateway,
    browser: Browser,
}

impl Manager {
    fn days_later(&self, days: u32) {
        self.gateway.clock.advance(Duration::from_hours(24) * days);
    }

    fn open(&self, path: &str) {
        self.browser.open(&self.gateway, path, DESK);
    }

    fn says(&self, text: &str) {
        let all = self.browser.eval("document.body.innerText");
        assert!(
            all.as_str().unwrap().contains(text),
            "{text} is not in\n{all}"
        );
    }

    /// Sends a form of the person's page, and waits for the page that comes back.
    fn act(&self, word: &str, fields: &[(&str, &str)]) {
        self.open("/people/1");
        self.browser
            .eval("(() => { window.before = true; return true; })()");
        send(
            &self.browser,
            &format!("form[action='/people/1/{word}']"),
            fields,
        );
        self.browser
            .until("window.before === undefined && document.readyState === 'complete'");
    }

    /// The colour in the page's heading, by its word in the style sheet.
    fn is(&self, colour: &str) {
        let classes = self
            .browser
            .eval("document.querySelector('#person-title .colour').className");
        assert_eq!(classes, json!(format!("colour c-{colour}")));
    }

    /// A page as a desk and as a phone show it.
    fn shoot(&self, path: &str, name: &str) {
        for (size, place) in [(DESK, "desk"), (PHONE, "phone")] {
            self.browser.open(&self.gateway, path, size);
            self.browser.no_sideways_scroll(size);
            self.browser.shoot(&format!("{name}-{place}"));
        }
    }

    /// From 21 February, when the community's networks know of her, to the 23rd, when she is back.
    fn until_she_is_back(&self) {
        self.open("/people");
        let found = [
            ("name", "王芳"),
            ("phone", "13800138000"),
            ("company", "古北科技"),
            ("from", "浙江温州"),
            ("expected", "2020-02-22"),
        ];
        send(&self.browser, "form[action='/people']", &found);
        self.browser.until("location.pathname === '/people/1'");
        self.is("yellow");
        self.shoot("/people/1", "fortnight-1-yellow");
        let why = "电话中说经过武汉";
        self.act("move", &[("to", "red"), ("on", "2020-02-21"), ("why", why)]);
        self.is("red");
        // She has not come: the first page names her.
        self.days_later(2);
        self.shoot("/people", "fortnight-2-overdue");
        self.says("今天要联系的人");
        // She says by the poster that she is back: the rules propose, the manager confirms.
        self.open("/people/posters?places=东门");
        let path = self.browser.eval(
            "new URL(document.querySelector('.poster .address').textContent.match(/https:\\S+/)[0]).pathname",
        );
        self.browser
            .open(&self.gateway, path.as_str().unwrap(), PHONE);
        let back = [
            ("name", "王芳"),
            ("phone", "13800138000"),
            ("arrived", "2020-02-23"),
            ("symptoms", "none"),
            ("contact", "no"),
            ("agree", "yes"),
        ];
        send(&self.browser, "main form.stack", &back);
        self.browser
            .until("document.querySelector('.day-code .code') !== null");
        self.open("/people/1");
        self.says("建议变更，待您决定");
        self.act("confirm", &[("why", "本人已返沪")]);
        self.is("purple");
        self.shoot("/people/1", "fortnight-3-purple");
    }

    /// Fourteen days of observation, one of them forgotten; nobody is released before they are over.
    fn observe(&self) {
        for day in 23..37 {
            match day {
                28 => {
                    self.open("/people");
                    self.says("今日未登记健康");
                }
                29 => {
                    self.shoot("/people/1", "fortnight-4-missed");
                    self.says("此前有漏登");
                    self.act("health", &[("temperature", "36.5")]);
                }
                32 => {
                    self.act("health", &[("temperature", "36.5")]);
                    let early = [("to", "green"), ("on", "2020-03-03"), ("why", "太早")];
                    self.act("move", &early);
                    self.says("观察期未满");
                    self.browser.shoot("fortnight-5-refused-desk");
                }
                _ => self.act("health", &[("temperature", "36.5")]),
            }
            self.days_later(1);
        }
    }
}

#[test]
fn a_fortnight_through_all_five_colours_day_by_day() {
    let folder = tempfile::tempdir().unwrap();
    let manager = Manager {
        gateway: gateway(&folder),
        browser: Browser::start(),
    };
    manager.until_she_is_back();
    manager.observe();
    manager.open("/people/1");
    manager.says("观察期满待解除");
    let over = "观察期满，无症状";
    let release = [("to", "green"), ("on", "2020-03-08"), ("why", over)];
    manager.act("move", &release);
    manager.says("今天尚未登记健康状况");
    manager.act("health", &[("temperature", "36.6")]);
    manager.act("move", &release);
    manager.is("green");
    manager.shoot("/people/1", "fortnight-6-green");

    // She travels again, to another key region.
    manager.days_later(3);
    let again = "再次从温州返沪";
    let orange = [("to", "orange"), ("on", "2020-03-11"), ("why", again)];
    manager.act("move", &orange);
    manager.is("orange");
    manager.shoot("/people/1", "fortnight-7-orange");
    let steps = manager.browser.eval(
        "[...document.querySelector('#past-title ~ ul').querySelectorAll('.colour')].map(it => it.className.replace('colour c-', ''))",
    );
    assert_eq!(steps, json!(["orange", "green", "purple", "red", "yellow"]));

    // Totals by company, and what the companies plan for tomorrow.
    manager.open("/people/companies");
    let plan = [("company", "古北科技"), ("people", "30")];
    let form = "form[action='/people/companies/plan']";
    send(&manager.browser, form, &plan);
    manager
        .browser
        .until("document.querySelector('#plan tbody') !== null");
    manager.shoot("/people/companies", "companies");
    manager.days_later(1);
    manager.shoot("/gate", "gate-companies");
    manager.says("古北科技");
}

#[test]
fn a_list_is_tried_read_in_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder);
    let list = folder.path().join("实有人口.csv");
    let text = "姓名,手机,返沪日期\n李明,13900139000,2020-02-18\n赵强,123,\n陈静,13700137000,\n";
    std::fs::write(&list, text).unwrap();
    let browser = Browser::start();
    browser.open(&gateway, "/people/lists", DESK);
    let input = json!({ "using": "css selector", "value": "input[type=file]" });
    let input = browser.ask("/element", &input);
    let input = input.as_object().unwrap().values().next().unwrap();
    let input = input.as_str().unwrap();
    let keys = json!({ "text": list.to_str().unwrap() });
    browser.ask(&format!("/element/{input}/value"), &keys);
    send(&browser, "form[enctype]", &[("source", "population")]);
    browser.until("document.querySelectorAll('select[name^=column]').length === 3");
    send(&browser, "form[action='/people/lists/try']", &[]);
    browser.until("document.body.innerText.includes('试读结果')");
    browser.until("document.body.innerText.includes('第3行')");
    browser.shoot("lists-tried-desk");
    let total = "[...document.querySelectorAll('.places a')].find(a => a.href.endsWith('=all')).querySelector('b').textContent";
    browser.open(&gateway, "/people?show=all", DESK);
    assert_eq!(browser.eval(total), json!("0"), "trying writes nothing");

    browser.open(&gateway, "/people/lists", DESK);
    browser.eval("document.querySelector('button[formaction]').click()");
    browser.until("document.body.innerText.includes('已导入。')");
    browser.open(&gateway, "/people?show=all", DESK);
    assert_eq!(browser.eval(total), json!("2"));
    browser.open(&gateway, "/people/lists", PHONE);
    browser.no_sideways_scroll(PHONE);
    browser.shoot("lists-phone");
    browser.eval("document.querySelector('form[action$=\"/undo\"] button').click()");
    browser.until("document.body.innerText.includes('已撤销')");
    browser.open(&gateway, "/people?show=all", DESK);
    assert_eq!(browser.eval(total), json!("0"));
}
