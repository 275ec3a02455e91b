//! Every page in a real browser under axe-core (WCAG 2.2, A and AA): each way that each role is shown, at a desk and
//! on a phone, light and dark. A page that gets a place in the navigation is looked at from then on.
//!
//! axe-core (MPL-2.0) is fetched by npm into `target/axe` (`make axe`) and never shipped; without it the test says
//! so and looks at nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests may fail the test"
)]

#[path = "common/browser.rs"]
mod browser;
#[path = "common/program.rs"]
mod program;

use browser::{Browser, DESK, PHONE};
use program::Program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PASSWORD: &str = "seven+green+lobster+hats";

/// Pages beside the navigation.
const BESIDE: [&str; 2] = ["/account", "/no-such-page"];

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split(before).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split(after).next().unwrap()
}

/// Somebody of this role, invited by the administrator: the token of their session.
fn somebody(admin: &program::Dashboard, role: &str) -> String {
    let page = admin.get("/accounts");
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
    let made = admin.text("/accounts", &format!("csrf={csrf}&name={role}&role={role}"));
    let code = between(&made, "<p class=\"code digits\">", "<");
    let form = format!("code={code}&password={PASSWORD}&again={PASSWORD}");
    let stranger = program::Dashboard {
        address: admin.address.clone(),
        cookie: String::new(),
    };
    let cookie = stranger.cookie_of("/setup", &form);
    cookie.split_once('=').unwrap().1.to_owned()
}

/// What axe finds: rule, how bad, and where.
fn violations(browser: &Browser) -> Vec<String> {
    let script = "const done = arguments[arguments.length - 1]; \
        axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', \
          'wcag21aa', 'wcag22aa', 'best-practice'] }) \
        .then(found => done(found.violations.map(it => `${it.id} (${it.impact}): ` + \
          it.nodes.slice(0, 4).map(node => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')).join('; '))), \
          error => done(['axe failed: ' + error]));";
    let found = browser.ask("/execute/async", &json!({ "script": script, "args": [] }));
    let found = found.as_array().unwrap();
    found
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect()
}

fn sign_in_as(browser: &Browser, address: &str, token: Option<&str>) {
    browser.devtools("Network.clearBrowserCookies", &json!({}));
    if let Some(token) = token {
        let cookie = json!({
            "name": "menshen-session", "value": token, "url": format!("http://{address}/"),
        });
        browser.devtools("Network.setCookie", &cookie);
    }
}

/// The ways that this role is shown, and where it begins.
fn ways(browser: &Browser) -> BTreeSet<String> {
    let links = "[...document.querySelectorAll('nav.ways a')].map(a => a.getAttribute('href'))";
    let Value::Array(links) = browser.eval(links) else {
        panic!("no list");
    };
    let here = browser.eval("location.pathname");
    let all = links.iter().chain([&here]);
    all.map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn axe_finds_nothing_on_any_page_of_any_role_at_any_size_light_or_dark() {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/axe/package/axe.min.js");
    let Ok(axe) = fs::read_to_string(&axe) else {
        println!(
            "skipped: {} is not there; make axe fetches it by npm",
            axe.display()
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("site.toml"),
        "[camera]\nsource = \"simulator\"\n[web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n",
    )
    .unwrap();
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    let admin = gateway.dashboard();
    let address = admin.address.clone();
    let mut people = vec![("nobody", None)];
    let token = admin.cookie.split_once('=').unwrap().1.to_owned();
    people.push(("admin", Some(token)));
    for role in ["manager", "guard", "kiosk", "street_viewer"] {
        people.push((role, Some(somebody(&admin, role))));
    }

    let browser = Browser::start();
    browser.devtools("Page.enable", &json!({}));
    browser.devtools(
        "Page.addScriptToEvaluateOnNewDocument",
        &json!({ "source": axe }),
    );
    let to: std::net::SocketAddr = address.parse().unwrap();
    let (mut found, mut looked) = (Vec::new(), BTreeSet::new());
    for (role, token) in &people {
        sign_in_as(&browser, &address, token.as_deref());
        browser.open(to, "/account", DESK);
        let mut pages = ways(&browser);
        pages.extend(BESIDE.map(str::to_owned));
        if token.is_none() {
            pages.extend(["/sign-in", "/setup"].map(str::to_owned));
        }
        for page in pages {
            for (size, place) in [(DESK, "desk"), (PHONE, "phone")] {
                for scheme in ["light", "dark"] {
                    // What one role has been shown in every way need not be looked at for another, but for its
                    // navigation, once.
                    let is_new = looked.insert(format!("{page} {place} {scheme}"));
                    if !is_new && (place, scheme) != ("phone", "light") {
                        continue;
                    }
                    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                    browser.devtools("Emulation.setEmulatedMedia", &media);
                    browser.open(to, &page, size);
                    let here = format!("{role} {page} {place} {scheme}");
                    found.extend(
                        violations(&browser)
                            .into_iter()
                            .map(|it| format!("{here}: {it}")),
                    );
                    browser.no_sideways_scroll(size);
                    if is_new {
                        let name = page.replace('/', "-");
                        browser.shoot(&format!("axe{name}-{place}-{scheme}"));
                    }
                }
            }
        }
    }
    assert!(looked.len() > 20, "{looked:?}");
    assert!(
        found.is_empty(),
        "{} findings:\n{}",
        found.len(),
        found.join("\n")
    );
}
