//! Accuracy of the way from frame to region temperature, against rendered truth: `menshen evaluate
//! rendered` must reach the project's targets, which it prints beside what it found. It shows what
//! the program itself adds to a camera's error, and says nothing of any real camera.
//!
//! The bounds are the targets, not what was found when this was written. `cargo test --test accuracy
//! -- --nocapture` prints all figures; fewer visitors come here than the command lets in by default.
#![allow(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

#[path = "common/program.rs"]
mod program;

use program::outcome;
use serde_json::Value;

#[test]
fn rendered_visitors_are_measured_within_the_targets() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["evaluate", "rendered", "--json", "--visitors", "4"];
    let (code, out, err) = outcome(folder.path(), &arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    println!("{out}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let targets = &report["targets"];
    let mut wrong = Vec::new();
    let mut hold = |what: &str, value: &Value, keeps: &dyn Fn(f64) -> bool| {
        if !value.as_f64().is_some_and(keeps) {
            wrong.push(format!("{what}: {value}"));
        }
    };
    let target = |name: &str| targets[name].as_f64().unwrap();

    let stated = &report["stated"];
    hold("bias", &stated["bias_k"], &|it| {
        it.abs() <= target("bias_k")
    });
    hold("SD", &stated["sd_k"], &|it| it <= target("sd_k"));
    hold("within U", &stated["covered"], &|it| {
        it >= target("covered")
    });
    for group in report["by_face_px"].as_array().unwrap() {
        let (what, px) = (&group["what"], group["face_px"].as_f64().unwrap());
        if px >= target("face_px") {
            hold(&format!("bias, {what}"), &group["bias_k"], &|it| {
                it.abs() <= target("bias_k")
            });
        }
        // The smallest face that is measured is 18 pixels wide; below, the mean is off by more.
        if px >= 18.0 {
            hold(&format!("bias, {what}"), &group["bias_k"], &|it| {
                it.abs() <= 0.1
            });
        }
    }
    for group in ["by_face_px", "by_sensor", "by_condition", "by_optics"] {
        for group in report[group].as_array().unwrap() {
            hold(
                &format!("within U, {}", group["what"]),
                &group["covered"],
                &|it| it >= target("covered"),
            );
        }
    }

    let line = &report["linearity"];
    // 33.0 °C is the coldest face that is believed: it may fall to either side.
    hold("steps", &line["points"], &|it| it >= 32.0);
    hold("slope", &line["slope"], &|it| {
        (it - 1.0).abs() <= target("slope")
    });
    hold("residual", &line["residual_k"], &|it| {
        it <= target("residual_k")
    });
    hold("plateau", &line["least_rise"], &|it| it >= 0.5);
    // A gain that is 3 % off: wrong against one reference, right against two.
    let [one, two] = [0, 1].map(|n| &report["steep"][n]);
    hold("slope, one reference", &one["slope"], &|it| {
        it > 1.0 + target("slope")
    });
    hold("slope, two references", &two["slope"], &|it| {
        (it - 1.0).abs() <= target("slope") / 2.0
    });
    hold("residual, two references", &two["residual_k"], &|it| {
        it <= target("residual_k")
    });
    let moved = report["invariance"].as_array().unwrap();
    assert_eq!(moved.len(), 4);
    for moved in moved {
        hold(&format!("{}", moved["what"]), &moved["moved_k"], &|it| {
            it.abs() < target("moved_k")
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
