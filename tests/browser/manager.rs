//! The pages of whoever runs the building and the device: the day at a glance, the settings.

use super::{Browser, DESK, ENTER, PHONE, busy, dashboard, staffed_with};
use menshen::config::{Config, SettingsFile};
use menshen::store::Store;
use serde_json::json;
use std::sync::Arc;

/// What a page looks like by night.
fn night(browser: &Browser, dark: bool) {
    let scheme = if dark { "dark" } else { "light" };
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.devtools("Emulation.setEmulatedMedia", &media);
}

/// Every chart is one picture with a name, and its numbers unfold by keyboard.
#[test]
fn the_day_at_a_glance_is_read_on_a_desk_a_phone_by_night_and_by_keyboard() {
    let gateway = busy();
    let browser = Browser::start();
    for (size, place) in [(DESK, "desk"), (PHONE, "phone")] {
        for (dark, time) in [(false, "day"), (true, "night")] {
            night(&browser, dark);
            browser.open(&gateway, "/today", size);
            browser.no_sideways_scroll(size);
            let shown = "[...document.querySelectorAll('svg[role=img]')]\
                .filter(it => it.getBoundingClientRect().width > 0)";
            assert_eq!(browser.eval(&format!("{shown}.length")), json!(6));
            let letters = browser.eval(&format!(
                "Math.min(...{shown}.map(it => it.getBoundingClientRect().width / it.viewBox.baseVal.width * 13))"
            ));
            assert!(letters.as_f64() > Some(11.0), "letters of {letters} pixels");
            // A class has its colour: nothing is drawn in the black that a missing style leaves.
            let black = "[...document.querySelectorAll('.chart .fill, .chart .stroke')].filter(it => \
                ['rgb(0, 0, 0)'].includes(getComputedStyle(it).fill)).length";
            assert_eq!(browser.eval(black), json!(0));
            browser.shoot(&format!("today-{place}-{time}"));
        }
    }
    browser.tab_to("#by-hour .numbers summary");
    browser.keys(ENTER);
    browser.until("document.querySelector('#by-hour .numbers').open");
    let rows = "document.querySelectorAll('#by-hour tbody tr').length";
    assert_eq!(browser.eval(rows), json!(24));
    night(&browser, false);
    gateway.memory.estimates.lock().unwrap().clear();
    let status = dashboard::relative_status(120);
    gateway.status.send_replace(Arc::new(status));
    browser.open(&gateway, "/today", DESK);
    browser.shoot("today-relative");
}

#[test]
fn settings_are_changed_by_keyboard_and_looked_at_before_they_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("menshen.toml");
    let text = "[site]\nname_zh = \"海鸥大厦\"\n\n[screening]\nfever_c = 37.8\n";
    std::fs::write(&file, text).unwrap();
    let store = Store::open(&folder.path().join("data"), Vec::new()).unwrap();
    let running = Config::parse(text, "menshen.toml").unwrap();
    let settings = SettingsFile::new(file.clone(), running, None, store.clone());
    let gateway = staffed_with(&store, Some(Arc::new(settings)));
    let browser = Browser::start();
    let cookie = json!({
        "name": "menshen-session", "value": "admin", "url": format!("http://{}/", gateway.address),
    });
    browser.devtools("Network.setCookie", &cookie);
    for (size, place) in [(DESK, "desk"), (PHONE, "phone")] {
        for (dark, time) in [(false, "day"), (true, "night")] {
            night(&browser, dark);
            browser.open(&gateway, "/settings", size);
            browser.eval("document.querySelectorAll('#group-screening, #group-mqtt').forEach(it => it.open = true)");
            browser.no_sideways_scroll(size);
            browser.shoot(&format!("settings-{place}-{time}"));
        }
    }
    night(&browser, false);
    browser.open(&gateway, "/settings", DESK);
    browser.tab_to("#group-screening summary");
    browser.keys(ENTER);
    let field = "document.getElementById('screening.fever_c')";
    browser.tab_to("[id='screening.fever_c']");
    browser.eval(&format!("({field}.value = '', true)"));
    browser.keys("99");
    browser.keys(ENTER);
    browser.until(&format!(
        "location.pathname === '/settings/preview' && {field} !== null"
    ));
    assert_eq!(browser.eval(&format!("{field}.value")), json!("99"));
    assert_eq!(
        browser.eval(&format!("{field}.getAttribute('aria-invalid')")),
        json!("true")
    );
    browser.shoot("settings-refused");
    browser.tab_to("[id='screening.fever_c']");
    browser.eval(&format!("({field}.value = '', true)"));
    browser.keys("38.1");
    browser.keys(ENTER);
    browser.until("document.querySelector('ins') !== null");
    browser.shoot("settings-preview");
    browser.tab_to("form[action='/settings'] .primary");
    browser.keys(ENTER);
    browser.until("document.getElementById('waiting') !== null");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        text.replace("37.8", "38.1")
    );
    browser.shoot("settings-waiting");
    std::fs::write(&file, "[site\n").unwrap();
    browser.open(&gateway, "/settings", PHONE);
    browser.no_sideways_scroll(PHONE);
    browser.shoot("settings-broken-phone");
}
