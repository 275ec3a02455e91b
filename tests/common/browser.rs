//! A real browser: Chromium without a window, driven over the WebDriver protocol (W3C WebDriver,
//! <https://www.w3.org/TR/webdriver2/>), which is HTTP with JSON and needs no library. The driver is
//! started here, on a port it finds itself.
//!
//! Pictures of the screens are left in `target/tmp/*.png`, to be looked at.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "shared by several test programs, none of which uses all of it"
)]

use serde_json::{Value, json};
use std::borrow::Borrow;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub const DESK: (u32, u32) = (1920, 1080);
pub const PHONE: (u32, u32) = (390, 844);

/// A browser that ends with the test.
pub struct Browser {
    driver: Child,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub fn start() -> Self {
        let hint =
            "chromedriver could not be started; install it: apt install chromium chromium-driver";
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect(hint);
        let mut port = None;
        let output = BufReader::new(driver.stdout.take().unwrap());
        for line in output.lines() {
            let line = line.unwrap();
            if let Some(rest) = line.split("started successfully on port ").nth(1) {
                port = rest.trim_end_matches('.').parse::<u16>().ok();
                break;
            }
        }
        let port = port.expect(hint);
        let profile = tempfile::tempdir().unwrap();
        let mut args = vec![format!("--user-data-dir={}", profile.path().display())];
        for flag in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
        ] {
            args.push(flag.to_owned());
        }
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
        };
        let options = json!({ "args": args });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let session = browser.ask("", &wanted);
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    /// One command of the protocol.
    pub fn ask(&self, path: &str, body: &Value) -> Value {
        let mut answer = ureq::post(format!("{}{path}", self.session))
            .config()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(2)))
            .build()
            .send_json(body)
            .unwrap();
        let value: Value = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_json()
            .unwrap();
        let value = value["value"].clone();
        assert!(value["error"].is_null(), "{path}: {}", value["message"]);
        value
    }

    /// Goes to a page of a gateway.
    pub fn open(&self, gateway: impl Borrow<SocketAddr>, path: &str, size: (u32, u32)) {
        let address = gateway.borrow();
        let (width, height) = size;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        self.ask("/url", &json!({ "url": format!("http://{address}{path}") }));
    }

    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask(
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    /// The value of an expression in the page.
    pub fn eval(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.ask("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true; a slow machine is no failure, a page that never gets
    /// there is.
    pub fn until(&self, expression: &str) {
        for _ in 0..600 {
            if self.eval(expression) == json!(true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "never true: {expression}\n{}",
            self.eval("document.body.innerText")
        );
    }

    /// Types on the keyboard.
    pub fn keys(&self, text: &str) {
        let steps: Vec<Value> = text
            .chars()
            .flat_map(|key| {
                [
                    json!({ "type": "keyDown", "value": key.to_string() }),
                    json!({ "type": "keyUp", "value": key.to_string() }),
                ]
            })
            .collect();
        let actions = json!([{ "type": "key", "id": "keyboard", "actions": steps }]);
        self.ask("/actions", &json!({ "actions": actions }));
    }

    /// Goes on with the Tab key until the focus is where it should be.
    pub fn tab_to(&self, selector: &str) {
        let there = format!("document.activeElement.matches({})", json!(selector));
        for _ in 0..60 {
            if self.eval(&there) == json!(true) {
                return;
            }
            self.keys(TAB);
        }
        panic!("the keyboard does not reach {selector}");
    }

    /// Leaves a picture of the whole page in `target/tmp`.
    pub fn shoot(&self, name: &str) {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.devtools("Page.captureScreenshot", &whole);
        let bytes = base64(picture["data"].as_str().unwrap());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }

    /// Texts whose contrast with the nearest opaque background is less than this.
    pub fn poor_contrast(&self, least: f64) -> Value {
        self.eval(&format!(
            "(() => {{ const parse = c => c.match(/[\\d.]+/g).map(Number); \
             const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4) \
               .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0); \
             const behind = e => {{ for (; e; e = e.parentElement) {{ const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; }} return [255, 255, 255]; }}; \
             const out = []; \
             for (const e of document.querySelectorAll('body *')) {{ \
               if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.offsetParent === null) continue; \
               const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))]; \
               const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); \
               if (ratio < {least}) out.push(e.textContent.trim().slice(0, 30) + ' ' + ratio.toFixed(2)); }} \
             return out; }})()"
        ))
    }

    pub fn no_sideways_scroll(&self, (width, _): (u32, u32)) {
        assert_eq!(self.eval("window.innerWidth"), json!(width));
        let wide = self.eval("document.documentElement.scrollWidth").as_u64();
        assert!(wide <= Some(u64::from(width)), "{wide:?} of {width} pixels");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

// Keys of WebDriver (§17.4.2).
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const SPACE: &str = " ";
pub const RIGHT: &str = "\u{e014}";

pub fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            other => panic!("{other} is not base64"),
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}
