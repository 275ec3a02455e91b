//! Keeps the layers of `src/` as they are meant: imports point downwards only, the core does no
//! I/O, and each protocol's words stand in one place.
//!
//! The table [`rules::TABLE`] says which module belongs to which layer. Every file is parsed, so
//! imports, paths in the middle of an expression and (as far as tokens tell) the inside of macros
//! are all seen. Code under `#[cfg(test)]` may use what it likes. Each rule is fed a forbidden
//! snippet below, so that it is known to bite.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/scan.rs"]
mod scan;

use scan::{World, check};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Every file of `src/` by its name below it, with its text.
fn sources() -> Vec<(String, String)> {
    let root = package().join("src");
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).expect("is below");
            let name = name.to_str().expect("plain name").to_owned();
            (name, fs::read_to_string(path).expect("readable"))
        })
        .collect()
}

/// Names of the crates that the package depends on, as the source writes them.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(package().join("Cargo.toml")).expect("readable");
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    ["dependencies", "dev-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .flat_map(|table| table.keys().map(|name| name.replace('-', "_")))
        .collect()
}

#[test]
fn every_file_keeps_to_its_layer() {
    let sources = sources();
    let world = World::of(&sources, dependencies());
    assert!(sources.len() > 10, "src/ was not found");
    let breaches: Vec<String> = sources
        .iter()
        .flat_map(|(name, text)| check(name, text, &world))
        .collect();
    assert!(
        breaches.is_empty(),
        "{} breaches of the architecture:\n{}",
        breaches.len(),
        breaches.join("\n")
    );
}

/// What the package's top level may hold.
const TOP: &[&str] = &[
    ".ci",
    ".clippy.toml",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Makefile",
    "README.md",
    "calibration",
    "deny.toml",
    "deploy",
    "models",
    "src",
    "tests",
];

/// What is wrong with a list of tracked files.
fn stray<'a>(tracked: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    tracked
        .filter(|path| {
            let top = path.split('/').next().unwrap_or_default();
            !TOP.contains(&top) || (top == ".ci" && *path != ".ci/run")
        })
        .collect()
}

#[test]
fn the_top_level_stays_as_it_is() {
    let listed = Command::new("git")
        .args(["ls-files", "--cached"])
        .current_dir(package())
        .output();
    let tracked = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into(),
        // No git, or no checkout: an unpacked archive holds tracked files only.
        _ => return,
    };
    let tracked: String = tracked;
    let stray = stray(tracked.lines());
    assert!(
        stray.is_empty(),
        "new at the top level: {stray:?}\nhint: put it below src, models, calibration, deploy or tests"
    );
}

#[test]
fn a_stray_file_is_seen() {
    let files = ["src/lib.rs", "notes.md", ".ci/run", ".ci/more", "docs/a.md"];
    assert_eq!(
        stray(files.into_iter()),
        ["notes.md", ".ci/more", "docs/a.md"]
    );
}

/// What is said of one snippet in a file of this name.
fn said(file: &str, body: &str) -> String {
    let files = [
        "units.rs",
        "clock.rs",
        "thermal/mod.rs",
        "thermal/frame.rs",
        "face/mod.rs",
        "camera/mod.rs",
        "camera/v4l/mod.rs",
        "camera/v4l/stream.rs",
        "store/mod.rs",
        "store/rows.rs",
        "mqtt/mod.rs",
        "mqtt/topic.rs",
        "web/mod.rs",
        "picture.rs",
        "pipeline.rs",
        "cmd/mod.rs",
        "config/mod.rs",
    ];
    let sources: Vec<_> = files
        .iter()
        .map(|name| ((*name).to_owned(), "//! Here.\n".to_owned()))
        .collect();
    let crates = ["tokio", "serde", "ndarray", "rusqlite", "v4l", "tracing"];
    let world = World::of(&sources, crates.map(str::to_owned).to_vec());
    check(file, &format!("//! Here.\n{body}\n"), &world).join("\n")
}

/// File, snippet, and a word of the one breach that must be found in it.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    // Layers, in every way of writing an import.
    (
        "units.rs",
        "use crate::thermal::frame::RawFrame;",
        "units (Words)",
    ),
    ("units.rs", "use ndarray::Array2;", "ndarray"),
    ("thermal/frame.rs", "use crate::store::Store;", "store"),
    (
        "thermal/frame.rs",
        "use crate::{units::Celsius, web::Page};",
        "web",
    ),
    (
        "thermal/frame.rs",
        "fn f() { crate::store::open(); }",
        "store",
    ),
    (
        "thermal/frame.rs",
        "type T = super::super::mqtt::Link;",
        "mqtt",
    ),
    ("thermal/frame.rs", "use super::super::mqtt;", "mqtt"),
    ("thermal/frame.rs", "use crate::*;", "everything"),
    (
        "thermal/frame.rs",
        "mod inner { use super::super::super::web; }",
        "web",
    ),
    (
        "face/mod.rs",
        "pub use crate::pipeline::Slot as S;",
        "pipeline",
    ),
    ("camera/mod.rs", "use crate::store::Store;", "store"),
    ("web/mod.rs", "use crate::mqtt::topic::Topic;", "mqtt"),
    ("picture.rs", "fn f() -> crate::web::Page { g() }", "web"),
    ("store/mod.rs", "use crate::cmd::Cli;", "cmd"),
    // Macros.
    (
        "thermal/frame.rs",
        "fn f() { g!(crate::store::open()); }",
        "store",
    ),
    (
        "thermal/frame.rs",
        "macro_rules! m { () => { use crate::{a, web::b}; } }",
        "web",
    ),
    (
        "thermal/frame.rs",
        "fn f() { tracing::info!(\"x\"); }",
        "tracing",
    ),
    (
        "thermal/frame.rs",
        "fn f() { g!(::tokio::spawn(x)); }",
        "tokio",
    ),
    (
        "thermal/frame.rs",
        "#[derive(serde::Serialize)] struct S;",
        "serde",
    ),
    ("thermal/frame.rs", "extern crate tokio;", "tokio"),
    // What the core may not do.
    (
        "thermal/frame.rs",
        "fn f() { std::fs::read(p); }",
        "std::fs",
    ),
    (
        "thermal/frame.rs",
        "use std::{fmt, net::TcpStream};",
        "std::net",
    ),
    ("thermal/frame.rs", "use std::thread;", "std::thread"),
    (
        "thermal/frame.rs",
        "use std::time::{Duration, Instant};",
        "std::time::Instant",
    ),
    ("thermal/frame.rs", "use std::time;", "std::time"),
    ("thermal/frame.rs", "use std::*;", "std"),
    (
        "thermal/frame.rs",
        "use ::std::time::SystemTime;",
        "SystemTime",
    ),
    (
        "thermal/frame.rs",
        "fn f() { g!(std::io::stdin()); }",
        "std::io",
    ),
    (
        "thermal/frame.rs",
        "use std::process::Command;",
        "std::process",
    ),
    // One home for each protocol.
    ("web/mod.rs", "use rusqlite::Connection;", "rusqlite"),
    ("pipeline.rs", "fn f() { rusqlite::open(); }", "rusqlite"),
    (
        "web/mod.rs",
        "const Q: &str = \"SELECT id FROM alerts\";",
        "SQL",
    ),
    (
        "cmd/mod.rs",
        "fn f() { run!(\"  delete from alerts\"); }",
        "SQL",
    ),
    (
        "pipeline.rs",
        "const Q: &str = r#\"x; PRAGMA user_version\"#;",
        "SQL",
    ),
    (
        "mqtt/mod.rs",
        "const T: &str = \"menshen/v1/+/+\";",
        "topic",
    ),
    (
        "web/mod.rs",
        "fn f() { format!(\"menshen/v1/{a}\"); }",
        "topic",
    ),
    (
        "store/mod.rs",
        "fn f() { std::env::var(\"HOME\"); }",
        "std::env",
    ),
    ("store/mod.rs", "fn f() { println!(\"x\"); }", "println"),
    (
        "pipeline.rs",
        "fn f() { std::eprintln!(\"x\"); }",
        "eprintln",
    ),
    ("cmd/mod.rs", "fn f() { dbg!(1); }", "dbg"),
    // Care.
    ("camera/v4l/mod.rs", "fn f() { unsafe { g() } }", "unsafe"),
    ("store/mod.rs", "unsafe fn f() {}", "unsafe"),
    ("store/mod.rs", "fn f() { g!(unsafe { h() }); }", "unsafe"),
    ("store/mod.rs", "fn f() { g().unwrap(); }", "unwrap"),
    ("store/mod.rs", "fn f() { g().expect(\"x\"); }", "expect"),
    (
        "store/mod.rs",
        "fn f() { x.map(Result::unwrap); }",
        "unwrap",
    ),
    ("store/mod.rs", "fn f() { g!(h().unwrap()); }", "unwrap"),
    (
        "store/mod.rs",
        "#[cfg(not(test))] fn f() { g().unwrap(); }",
        "unwrap",
    ),
    // Files.
    ("novel.rs", "fn f() {}", "rules.rs"),
    ("bin/other.rs", "fn f() {}", "rules.rs"),
    ("store/mod.rs", "fn f( {", "not Rust"),
];

#[test]
fn what_is_forbidden_is_refused() {
    for &(file, body, expected) in FORBIDDEN {
        let found = said(file, body);
        assert!(
            found.contains(expected) && found.lines().count() == 1,
            "{file}: {body}\nexpected one breach with {expected:?}, found:\n{found}"
        );
        if expected != "not Rust" {
            assert!(found.contains(&format!("src/{file}:")), "{found}");
        }
    }
}

/// File and snippet in which nothing may be found.
const ALLOWED: &[(&str, &str)] = &[
    (
        "units.rs",
        "use crate::clock::Stamp; use std::time::Instant;",
    ),
    (
        "thermal/frame.rs",
        "use crate::units::Celsius; use ndarray::Array2;",
    ),
    (
        "thermal/frame.rs",
        "use std::time::Duration; use std::{fmt, sync::Arc};",
    ),
    ("thermal/frame.rs", "use super::*; use crate::face::Face;"),
    (
        "thermal/frame.rs",
        "fn f(x: X) { x.tokio; x.unwrap_or(1); let std = 1; }",
    ),
    (
        "thermal/frame.rs",
        "/// SELECT a FROM b in [`crate::store`], `unsafe`.\nfn f() {}",
    ),
    (
        "thermal/frame.rs",
        "#[cfg(test)] mod tests { use crate::store; fn f() { x.unwrap(); } }",
    ),
    ("thermal/frame.rs", "#[cfg(test)] use std::fs;"),
    (
        "camera/mod.rs",
        "use crate::thermal::frame::RawFrame; fn f() { v4l::open(); }",
    ),
    (
        "camera/v4l/mod.rs",
        "use ::v4l::Device; use std::os::fd::AsRawFd;",
    ),
    ("camera/v4l/stream.rs", "fn f() { unsafe { g() } }"),
    (
        "store/mod.rs",
        "use rusqlite::Connection; const Q: &str = \"SELECT a FROM b\";",
    ),
    (
        "store/mod.rs",
        "const A: &str = \"select a camera from the list\";",
    ),
    (
        "store/mod.rs",
        "use self::rows::Row; use crate::store::rows;",
    ),
    (
        "web/mod.rs",
        "use crate::picture::png; use tokio::sync::watch;",
    ),
    (
        "web/mod.rs",
        "const A: &str = \"Update the page and set the clock\";",
    ),
    ("mqtt/topic.rs", "const T: &str = \"menshen/v1\";"),
    (
        "pipeline.rs",
        "use crate::{store::rows::Row, web, mqtt::topic::Topic};",
    ),
    ("config/mod.rs", "fn f() { std::env::var(\"X\"); }"),
    (
        "cmd/mod.rs",
        "fn f() { println!(\"x\"); eprintln!(\"x\"); }",
    ),
    (
        "main.rs",
        "use menshen::cmd::Cli; fn main() { eprintln!(\"x\"); }",
    ),
    ("lib.rs", "pub mod store; pub use crate::store::Store;"),
];

#[test]
fn what_is_allowed_is_let_through() {
    for &(file, body) in ALLOWED {
        assert_eq!(said(file, body), "", "{file}: {body}");
    }
}

#[test]
fn a_file_for_tests_only_may_use_what_it_likes() {
    let sources = [
        (
            "store/mod.rs",
            "//! Here.\n#[cfg(test)]\nmod tests;\nmod rows;\n",
        ),
        ("store/tests.rs", "//! Here.\nfn f() { g().unwrap(); }\n"),
        ("store/rows.rs", "//! Here.\nfn f() { g().unwrap(); }\n"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()));
    let world = World::of(&sources, Vec::new());
    let counts = sources
        .each_ref()
        .map(|(name, text)| check(name, text, &world).len());
    assert_eq!(counts, [0, 0, 1]);
}

#[test]
fn files_say_why_they_exist_and_stay_short() {
    let world = World::of(&[], Vec::new());
    let found = check("units.rs", "// Not a page.\n", &world).join("\n");
    assert!(found.contains("//!"), "{found}");
    let long = format!("//! Here.\n{}", "\n".repeat(600));
    assert!(
        check("units.rs", &long, &world)
            .join("\n")
            .contains("600 lines")
    );
    let fits = format!("//! Here.\n{}", "\n".repeat(599));
    assert_eq!(check("units.rs", &fits, &world), Vec::<String>::new());
    let main = format!("//! Here.\nfn main() {{}}\n{}", "\n".repeat(39));
    assert!(
        check("main.rs", &main, &world)
            .join("\n")
            .contains("40 lines")
    );
}
