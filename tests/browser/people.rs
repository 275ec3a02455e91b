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
