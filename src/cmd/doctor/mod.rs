//! `menshen doctor`: looks at an installation as a technician would, and says in plain words what is
//! wrong and what to do next.
//!
//! It asks with the gateway's own code (configuration, camera, radiometer, store, link), so that it sees
//! what the gateway would see. While the gateway runs, camera and database are its own: then the doctor
//! asks its page. It changes nothing; at the broker it publishes one small message that is not retained.
//! Blocks for some seconds, most of them for the camera.

mod certificates;
mod machine;
mod parts;
mod words;

use super::say;
use crate::config::Config;
use crate::store;
use crate::text::Words;
use crate::web::trouble::Trouble;
use anyhow::Context as _;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use words::{Check, Finding, State};

/// Arguments of `menshen doctor`.
#[derive(clap::Args, Debug)]
pub struct DoctorArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object for machines.
    #[arg(long)]
    json: bool,
}

/// Everything, for machines.
#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    well: bool,
    findings: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    check: &'static str,
    state: &'static str,
    zh: &'a str,
    en: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    todo_zh: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    todo_en: Option<&'a str>,
}

/// Looks, and says what was found. The exit code is 1 where something must be mended before people are
/// screened.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let findings = examine(args.config.as_deref())?;
    let well = findings.iter().all(|it| it.state != State::Wrong);
    let text = if args.json {
        let report = Report {
            version: env!("CARGO_PKG_VERSION"),
            well,
            findings: findings.iter().map(line).collect(),
        };
        serde_json::to_string(&report).context("writing JSON")? + "\n"
    } else {
        in_words(&findings, well)
    };
    say(&text)?;
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is not as it should be, for the page.
pub(super) fn troubles(config: Option<&Path>) -> anyhow::Result<Vec<Trouble>> {
    let findings = examine(config)?.into_iter();
    let bad = findings.filter(|it| matches!(it.state, State::Wrong | State::Look));
    Ok(bad
        .map(|finding| {
            let [_, zh, en] = finding.check.names();
            Trouble {
                place: Words {
                    zh: zh.to_owned(),
                    en: en.to_owned(),
                },
                what: finding.what,
                todo: finding.todo,
                stops: finding.state == State::Wrong,
            }
        })
        .collect())
}

/// What the doctor says, in words.
pub(super) fn report(config: Option<&Path>) -> anyhow::Result<String> {
    let findings = examine(config)?;
    let well = findings.iter().all(|it| it.state != State::Wrong);
    Ok(in_words(&findings, well))
}

fn examine(file: Option<&Path>) -> anyhow::Result<Vec<Finding>> {
    let (config, usable) = match Config::find(file) {
        Ok((config, origin)) => {
            let found = Finding::well(
                Check::Configuration,
                &format!("{origin}，可用"),
                &format!("{origin} is usable"),
            );
            (config, found)
        }
        Err(error) => return Ok(vec![parts::configuration(&error)]),
    };
    let runs = store::is_in_use(&config.store.folder);
    let mut findings = vec![usable];
    findings.push(parts::secrets(&config));
    findings.push(parts::model());
    if runs {
        findings.push(parts::gateway(&config));
    } else {
        findings.extend(parts::camera(&config));
    }
    findings.extend(machine::disk(&config));
    findings.push(parts::database(&config, runs));
    findings.push(machine::backups(&config));
    findings.push(machine::clock());
    findings.push(certificates::certificates(&config));
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    findings.push(runtime.block_on(parts::broker(&config)));
    Ok(findings)
}

fn line(finding: &Finding) -> Line<'_> {
    let todo = finding.todo.as_ref();
    let [check, ..] = finding.check.names();
    Line {
        check,
        state: finding.state.as_str(),
        zh: &finding.what.zh,
        en: &finding.what.en,
        todo_zh: todo.map(|it| it.zh.as_str()),
        todo_en: todo.map(|it| it.en.as_str()),
    }
}

fn in_words(findings: &[Finding], well: bool) -> String {
    let mut text = String::new();
    for finding in findings {
        let Words { zh, en } = &finding.what;
        let [_, zh_name, en_name] = finding.check.names();
        let _ = writeln!(
            text,
            "{} {zh_name} {en_name}\n    {zh}\n    {en}",
            finding.state.sign(),
        );
        if let Some(todo) = &finding.todo {
            let _ = writeln!(text, "  → {}\n  → {}", todo.zh, todo.en);
        }
    }
    text.push_str(if well {
        "\n可以开始筛查。\nReady to screen people.\n"
    } else {
        "\n标 ✗ 的各项须先解决。\nWhat is marked ✗ must be mended first.\n"
    });
    text
}
