//! The guard's screen: colours, sound, keys, the moment of an alert, and who is faster.

use super::browser::{Browser, DESK, PHONE, TAB};
use super::dashboard::{Gateway, alert, keep_moving};
use menshen::alert::AlertState;
use menshen::store::Store;
use menshen::units::PixelBox;
use ndarray::Array2;
use serde_json::json;

#[test]
fn sound_is_off_until_the_page_is_touched_and_muting_ends_with_the_next_alert() {
    let gateway = Gateway::with(Vec::new());
    keep_moving(&gateway);
    let browser = Browser::start();
    browser.open(&gateway, "/", DESK);
    browser.until("document.body.dataset.ready === 'yes'");
    assert_eq!(
        browser.eval("document.getElementById('silent').hidden"),
        json!(false)
    );
    browser.keys(TAB);
    browser.until("document.getElementById('silent').hidden");
    let muted = "document.getElementById('mute').getAttribute('aria-pressed')";
    browser.keys("m");
    assert_eq!(browser.eval(muted), json!("true"));
    browser.shoot("muted-desk");
    gateway.raise(alert(77, 1, 38.2));
    browser.until("document.body.dataset.melody === 'alarm 1'");
    assert_eq!(browser.eval(muted), json!("false"));
    // Keys do nothing while somebody writes, and nothing at all where they are switched off.
    browser.tab_to("#alert-3-77 .take input[name=by]");
    browser.keys("m");
    assert_eq!(browser.eval(muted), json!("false"));
    browser.eval("(document.activeElement.value = '', document.activeElement.blur(), true)");
    browser.keys("?");
    browser.until("document.getElementById('keys').open");
    browser.shoot("keys-desk");
    browser.eval("document.getElementById('keys-on').click()");
    browser.keys("m");
    assert_eq!(browser.eval(muted), json!("false"));
    browser.eval("document.getElementById('keys-on').click()");
    browser.keys("a");
    assert_eq!(browser.eval("document.activeElement.name"), json!("by"));
}

#[test]
fn a_pixel_is_shown_with_its_uncertainty_in_each_palette() {
    let gateway = Gateway::with(Vec::new());
    keep_moving(&gateway);
    let browser = Browser::start();
    browser.open(&gateway, "/", PHONE);
    browser.until(super::LIVE);
    // A tap on the wall, which is 15 K from the blackbody.
    browser.eval(
        "(() => { const c = document.getElementById('picture'); const b = c.getBoundingClientRect(); \
         c.dispatchEvent(new PointerEvent('pointerdown', { clientX: b.left + b.width * 0.45, clientY: b.top + b.height * 0.1 })); \
         return true; })()",
    );
    browser.until("/^\\d+\\.\\d ± 0\\.5 °C$/.test(document.getElementById('probe').textContent)");
    let wall = "(() => { const c = document.getElementById('picture'); \
         return [...c.getContext('2d').getImageData(c.width * 0.06, c.height * 0.5, 1, 1).data].slice(0, 3); })()";
    let mut seen = std::collections::BTreeSet::new();
    for name in ["cividis", "viridis", "grey"] {
        browser.eval(&format!(
            "document.querySelector('[data-palette={name}]').click()"
        ));
        let frames = browser.eval("Number(document.body.dataset.frames)");
        browser.until(&format!(
            "Number(document.body.dataset.frames) > {frames} + 2"
        ));
        seen.insert(browser.eval(wall).to_string());
        browser.shoot(&format!("palette-{name}-phone"));
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    // It is remembered, and nothing may be measured without a blackbody.
    browser.open(&gateway, "/", PHONE);
    browser.until(
        "document.querySelector('[data-palette=grey]').getAttribute('aria-pressed') === 'true'",
    );
}

#[test]
fn the_moment_of_an_alert_is_shown_until_its_outcome() {
    let gateway = Gateway::with(Vec::new());
    let raised = alert(77, 1, 38.2);
    let face = PixelBox {
        left: 60.0,
        top: 40.0,
        right: 84.0,
        bottom: 72.0,
    };
    let picture = Array2::from_shape_fn((120, 160), |(y, x)| {
        let away = (y as f32 - 56.0).hypot(x as f32 - 72.0);
        20.0 + 15.0 * (-away / 16.0).exp()
    });
    gateway.moments.keep(raised.id, &picture, &face);
    gateway.raise(raised);
    let browser = Browser::start();
    browser.open(&gateway, "/", DESK);
    browser.until("document.querySelector('#alert-3-77 .moment img')?.naturalWidth > 0");
    browser.shoot("moment-desk");
    let path = "/alerts/3-77/picture.png";
    assert_eq!(gateway.get(path).status, 200);
    let sent = gateway.post("/alerts/3-77/resolve", "by=Li&outcome=referred");
    assert_eq!(sent.status, 303);
    assert_eq!(gateway.get(path).status, 404);
    browser.until("!document.querySelector('.moment')");
}

/// Somebody who is signed in takes an alert with one tap; a second tap of the same hand is no mistake.
#[test]
fn one_tap_takes_an_alert_and_a_second_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let gateway = super::staffed(&store);
    let browser = Browser::start();
    let cookie = json!({
        "name": "menshen-session", "value": "guard", "url": format!("http://{}/", gateway.address),
    });
    browser.devtools("Network.setCookie", &cookie);
    browser.open(&gateway, "/", PHONE);
    browser.until("document.body.dataset.ready === 'yes'");
    browser.eval(
        "(() => { const b = document.querySelector('#alert-3-12 .take button'); b.click(); b.click(); return true; })()",
    );
    browser.until("!!document.querySelector('#alert-3-12.acknowledged')");
    assert_eq!(
        browser.eval("document.getElementById('alerts-failed').hidden"),
        json!(true)
    );
    let state = gateway.memory.alerts.lock().unwrap()[0].state.clone();
    assert!(matches!(state, AlertState::Acknowledged { by, .. } if by == "王芳"));

    let demo = Gateway::with(vec![alert(77, 3, 38.7)]);
    let take = |by: &str| {
        demo.post("/alerts/3-77/acknowledge", &format!("by={by}"))
            .status
    };
    assert_eq!([take("Li"), take("Li"), take("Wang")], [303, 303, 409]);
    let close = |how: &str| {
        demo.post("/alerts/3-77/resolve", &format!("by=Li&outcome={how}"))
            .status
    };
    assert_eq!(
        [close("left"), close("left"), close("referred")],
        [303, 303, 409]
    );
}
