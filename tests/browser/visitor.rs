//! The visitor screen, upright and lying, from every state that it can be in.

use super::browser::{Browser, DESK, PHONE, TAB};
use super::dashboard::{self, Gateway, keep_showing, lobby};
use menshen::clock::{Clock as _, Stamp};
use menshen::event::Fault;
use menshen::screening::{Obstacle, RetestReason, Verdict};
use menshen::web::{ActiveFault, LiveFrame, LivePerson, PersonState};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const UPRIGHT: (u32, u32) = (1080, 1920);

/// One person of the lobby, in this state.
fn one(
    frame: &LiveFrame,
    track: u64,
    x: f32,
    state: PersonState,
    why: Option<Obstacle>,
) -> LivePerson {
    let mut it = frame.people[0].clone();
    it.track = menshen::id::TrackId(track);
    (it.area.left, it.area.right) = (x - 12.0, x + 12.0);
    (it.state, it.obstacle) = (state, why);
    if !matches!(state, PersonState::Judged(_)) {
        it.value = None;
    }
    it
}

/// Puts these people before the camera, once.
fn show(gateway: &Gateway, people: &[(PersonState, Option<Obstacle>)]) {
    let mut frame = lobby(1, gateway.clock.now());
    let places = [
        [80.0; 4],
        [50.0, 110.0, 0.0, 0.0],
        [30.0, 80.0, 130.0, 0.0],
        [20.0, 60.0, 100.0, 140.0],
    ];
    let places = places[people.len().clamp(1, 4) - 1];
    // Others than those before.
    let first = u64::try_from(gateway.clock.now().monotonic.as_millis()).unwrap();
    frame.people = people
        .iter()
        .zip(places)
        .enumerate()
        .map(|(n, ((state, why), x))| one(&frame, first + n as u64, x, *state, *why))
        .collect();
    gateway.live.send_replace(Some(Arc::new(frame)));
}

const LOOKING: PersonState = PersonState::Looking {
    looks: 2,
    needed: 3,
};

fn judged(verdict: Verdict) -> PersonState {
    PersonState::Judged(verdict)
}

/// Everything that one person can be told, with its code.
fn cues() -> Vec<(&'static str, PersonState, Option<Obstacle>)> {
    vec![
        ("closer", LOOKING, Some(Obstacle::TooFar)),
        ("middle", LOOKING, Some(Obstacle::Cut)),
        ("look", LOOKING, Some(Obstacle::Turned)),
        ("glasses", LOOKING, Some(Obstacle::Glasses)),
        ("hold", LOOKING, None),
        ("clear", judged(Verdict::Clear), None),
        ("staff", judged(Verdict::PossibleFever), None),
        (
            "indoors",
            judged(Verdict::Retest(RetestReason::JustIn)),
            None,
        ),
        (
            "cannot",
            judged(Verdict::CannotJudge(Obstacle::TooCold)),
            None,
        ),
    ]
}

/// Shows it to a screen that has forgotten those before, and waits until it says this of whoever stands at
/// the left.
fn show_as(
    gateway: &Gateway,
    browser: &Browser,
    cue: &str,
    people: &[(PersonState, Option<Obstacle>)],
) {
    gateway.clock.advance(Duration::from_secs(5));
    show(gateway, people);
    let there = format!(
        "document.querySelector('.place')?.dataset.cue === {}",
        json!(cue)
    );
    browser.until(&there);
}

/// No text is wider than its place, nothing scrolls, what is read from afar is large enough, and nothing of
/// what was measured is there.
fn is_readable(browser: &Browser, size: (u32, u32)) {
    browser.no_sideways_scroll(size);
    let tall = browser
        .eval("document.documentElement.scrollHeight")
        .as_u64();
    assert!(tall <= Some(u64::from(size.1)), "{tall:?} of {}", size.1);
    let cut = browser.eval(
        "[...document.querySelectorAll('.place, .place p, h1')].filter(e => e.offsetParent && \
         (e.scrollWidth > e.clientWidth + 1 || (e.matches('.place') && e.scrollHeight > e.clientHeight + 1))) \
         .map(e => e.innerText)",
    );
    assert_eq!(cut, json!([]));
    let small = browser.eval(
        "[...document.querySelectorAll('.words')].filter(e => parseFloat(getComputedStyle(e).fontSize) \
         < 0.1299 * Math.min(innerWidth, innerHeight)).map(e => e.innerText)",
    );
    assert_eq!(small, json!([]));
    let text = browser.eval("document.body.innerText");
    let text = text.as_str().unwrap();
    assert!(!text.contains("°C") && !text.contains("36."), "{text}");
}

#[test]
fn every_cue_is_readable_from_afar_upright_and_lying() {
    let gateway = Gateway::with(Vec::new());
    let browser = Browser::start();
    for (size, way) in [(UPRIGHT, "upright"), (DESK, "lying")] {
        browser.open(&gateway, "/visitor", size);
        for (cue, state, why) in cues() {
            show_as(&gateway, &browser, cue, &[(state, why)]);
            is_readable(&browser, size);
            browser.shoot(&format!("visitor-{cue}-{way}"));
        }
        // Nobody; three beside each other; too many.
        show_as(&gateway, &browser, "rest", &[]);
        is_readable(&browser, size);
        browser.shoot(&format!("visitor-rest-{way}"));
        let three = [
            (judged(Verdict::Clear), None),
            (LOOKING, None),
            (judged(Verdict::PossibleFever), None),
        ];
        // As in a mirror: whom the camera sees at the right stands at the left.
        show_as(&gateway, &browser, "staff", &three);
        is_readable(&browser, size);
        browser.shoot(&format!("visitor-three-{way}"));
        let four = [
            (LOOKING, None),
            (LOOKING, None),
            (LOOKING, None),
            (LOOKING, None),
        ];
        show_as(&gateway, &browser, "hold", &four);
        browser.until("!document.getElementById('crowd').hidden");
        is_readable(&browser, size);
        browser.shoot(&format!("visitor-crowd-{way}"));
        // The picture grows old.
        gateway.clock.advance(Duration::from_secs(2));
        browser.until("document.body.dataset.scene === 'out'");
        is_readable(&browser, size);
        browser.shoot(&format!("visitor-out-{way}"));
    }
    browser.open(&gateway, "/visitor", PHONE);
    show_as(
        &gateway,
        &browser,
        "clear",
        &[(judged(Verdict::Clear), None)],
    );
    browser.no_sideways_scroll(PHONE);
    browser.shoot("visitor-phone");
}

/// Somebody who was found clear.
fn cleared(sequence: u64, at: Stamp) -> LiveFrame {
    let mut frame = lobby(sequence, at);
    frame.people.truncate(1);
    frame
}

#[test]
fn a_verdict_sounds_once_and_a_fault_puts_the_screen_out_of_service() {
    let gateway = Gateway::with(Vec::new());
    keep_showing(&gateway, cleared);
    let browser = Browser::start();
    browser.open(&gateway, "/visitor", UPRIGHT);
    browser.until("document.querySelector('.place')?.dataset.cue === 'clear'");
    assert_eq!(
        browser.eval("document.getElementById('silent').hidden"),
        json!(false)
    );
    browser.keys(TAB);
    browser.until("document.getElementById('silent').hidden");
    browser.until("Number(document.body.dataset.heard) > 3");
    assert_eq!(
        browser.eval("document.body.dataset.melody"),
        json!("good 1")
    );
    let mut status = dashboard::status();
    status.faults.push(ActiveFault {
        fault: Fault::ReferenceLost,
        since: dashboard::stamp(0),
    });
    gateway.status.send_replace(Arc::new(status));
    browser.until("document.body.innerText.includes('Reference lost')");
    assert_eq!(browser.eval("document.body.dataset.scene"), json!("out"));
    assert_eq!(
        browser.eval("document.querySelectorAll('[data-cue=clear]').length"),
        json!(0)
    );
}

#[test]
fn a_restart_is_survived_and_said_by_both_screens() {
    let gateway = Gateway::with(vec![dashboard::alert(77, 3, 38.7)]);
    dashboard::keep_moving(&gateway);
    let browser = Browser::start();
    browser.open(&gateway, "/visitor", UPRIGHT);
    browser.until("document.body.dataset.places === '2'");
    browser.eval("window.never_left = true");
    gateway.stop();
    browser.until("!document.getElementById('lost').hidden");
    assert_eq!(
        browser.eval("document.querySelector('.place').dataset.cue"),
        json!("out")
    );
    browser.shoot("visitor-lost-upright");
    gateway.start();
    dashboard::keep_moving(&gateway);
    browser.until("!document.getElementById('back').hidden");
    browser.until("document.body.dataset.places === '2'");
    assert_eq!(browser.eval("window.never_left"), json!(true));

    browser.open(&gateway, "/", DESK);
    browser.until(super::LIVE);
    browser.tab_to("#alert-3-77 .take input[name=by]");
    browser.keys("Wang");
    gateway.stop();
    browser.until("!document.getElementById('lost').hidden");
    // Nothing is lost by pressing now.
    browser.keys(super::ENTER);
    browser.until("document.getElementById('alerts-failed').innerText.includes('not recorded')");
    assert_eq!(
        browser.eval("document.querySelector('#alert-3-77 [name=by]').value"),
        json!("Wang")
    );
    browser.shoot("lost-gateway-desk");
    gateway.start();
    dashboard::keep_moving(&gateway);
    browser.until("!document.getElementById('back').hidden");
    browser.until("document.getElementById('lost').hidden");
    browser.tab_to("#alert-3-77 .take .primary");
    browser.keys(super::ENTER);
    browser.until("!!document.querySelector('#alert-3-77.acknowledged')");
}
