//! `menshen support`: one file for whoever helps from far away.
//!
//! In it is how the installation is, and nothing of a person: of the configuration only numbers, switches and
//! words to choose from; of the database how many rows it has; of the log the program's own lines, in which every
//! name that the database knows and everything that stands in a file of secrets is put out once more, though the
//! program writes none of them there. No picture, no temperature, no list.
//!
//! Changes nothing; asks the running gateway's page, and as `menshen doctor` the broker. Blocks for some seconds.

use super::ask::ask;
use super::{doctor, must_be_new, say};
use crate::clock::{BootId, Clock as _, SystemClock};
use crate::config::{Config, ConfigError, checklist};
use crate::store;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Arguments of `menshen support`.
#[derive(clap::Args, Debug)]
pub struct SupportArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The log, where journald does not have it.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Write this file; without it menshen-support-DAY.zip in the working folder.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The units whose log and state are told.
const UNITS: [&str; 5] = [
    "menshen.service",
    "menshen-trouble.service",
    "menshen-upgrade.service",
    "menshen-street.service",
    "menshen-kiosk.service",
];

/// Lines of the log.
const LINES: &str = "5000";

/// Most bytes of a log that is given.
const LARGEST_LOG: u64 = 8 << 20;

/// What a first start says before the code by which the first account is made (`web::sign_in`).
const CODE: &str = "the code is ";

const ABOUT: &str = "\
What this file is for: whoever helps with Menshen sees in it how an installation is.
这个文件供远程协助使用，只说明设备与程序的状况。

In it: what menshen doctor says, the settings that are numbers or switches, the program's log, numbers for
Prometheus, versions, how many rows the database has, the machine.
内容：体检结果、数字与开关类设置、程序日志、指标、版本、数据库各表行数、机器情况。

Not in it: names, pictures, temperatures of people, lists, passwords, keys, addresses of robots, and every text that
a person has written into the settings. Look through it before you hand it on: they are plain texts.
不含：姓名、图像、个人体温、名单、口令、密钥、机器人地址，以及设置中由人填写的文字。交出之前请打开看一遍。
";

/// Collects, and writes the file.
///
/// # Errors
/// Where it cannot be written. What cannot be looked at is said in it.
pub fn run(args: &SupportArgs) -> anyhow::Result<ExitCode> {
    let found = Config::find(args.config.as_deref());
    let named = Config::file(args.config.as_deref());
    let (config, settings, examined) = match found {
        Ok((config, _)) => {
            let settings = config.shareable_toml();
            (config, settings, doctor::report(args.config.as_deref()))
        }
        Err(error) => {
            let why = unusable(&error);
            (Config::default(), why.clone(), Ok(why))
        }
    };
    let hidden = Hidden::of(&config);
    let parts = [
        ("README.txt", ABOUT.to_owned()),
        ("doctor.txt", or_why(examined)),
        ("settings.toml", settings),
        ("log.txt", or_why(log(args.log.as_deref()))),
        ("metrics.txt", metrics(&config)),
        ("database.txt", or_why(database(&config))),
        ("machine.txt", machine(&config)),
        ("services.txt", services()),
    ];
    let out = args.out.clone().unwrap_or_else(|| {
        let today = jiff::Timestamp::from_millisecond(SystemClock::start(BootId(0)).now().wall.0);
        let today = today.unwrap_or_default().strftime("%Y-%m-%d");
        format!("menshen-support-{today}.zip").into()
    });
    must_be_new(&out)?;
    write(&out, &parts, &hidden).with_context(|| out.display().to_string())?;
    say(&format!(
        "{}\nIt has nothing of a person and no secret in it, from {}. Look through it before you hand it on.\n\
         其中不含个人信息与口令。交出之前请打开看一遍。\n",
        out.display(),
        named.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What is wrong with a configuration, without its lines: a person has written them.
fn unusable(error: &ConfigError) -> String {
    let mut text = "The configuration cannot be used.\n".to_owned();
    for problem in &error.problems {
        let _ = writeln!(text, "line {}, column {}", problem.line, problem.column);
    }
    text
}

/// A part, or why it is not there.
fn or_why(part: anyhow::Result<String>) -> String {
    part.unwrap_or_else(|error| format!("not to be had: {}\n", super::in_words(&error)))
}

fn write(file: &Path, parts: &[(&str, String)], hidden: &Hidden) -> anyhow::Result<()> {
    let out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    let mut zip = ZipWriter::new(out);
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(0o600))?;
        zip.write_all(hidden.put_out(text).as_bytes())?;
    }
    zip.finish()?.sync_all()?;
    Ok(())
}

/// What must not be read in any part.
struct Hidden(BTreeSet<String>);

impl Hidden {
    /// Every line of every file of secrets, and every name that database and lists know.
    fn of(config: &Config) -> Self {
        let mut words = store::names(&config.store.folder).unwrap_or_default();
        for file in config.secret_files() {
            let text = fs::read_to_string(file).unwrap_or_default();
            words.extend(text.lines().map(|line| line.trim().to_owned()));
        }
        let sent = store::sent_templates(&config.store.folder).unwrap_or_default();
        let sent = checklist::sent(&sent);
        let file = config.checklist.file.as_deref();
        let site = file.map(|it| checklist::load_site(it, &sent));
        if let Some(Ok(site)) = site {
            let owners = site.list.owners();
            let named = owners.categories.values().chain(owners.items.values());
            words.extend(named.map(ToString::to_string));
        }
        words.extend(config.mqtt.username.clone());
        // A single letter says nobody, and stands in every word.
        words.retain(|word| word.chars().count() > 1);
        Self(words)
    }

    fn put_out(&self, text: &str) -> String {
        // The longest first: one may be a part of another one.
        let mut words: Vec<&String> = self.0.iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let text = words
            .into_iter()
            .fold(text.to_owned(), |text, word| text.replace(word, "***"));
        let mut parts = text.split(CODE);
        let mut clean = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|it: char| !it.is_whitespace());
            let _ = write!(clean, "{CODE}***{rest}");
        }
        clean
    }
}

fn log(given: Option<&Path>) -> anyhow::Result<String> {
    if let Some(file) = given {
        let mut text = Vec::new();
        let open = fs::File::open(file);
        let read = open.and_then(|it| it.take(LARGEST_LOG).read_to_end(&mut text));
        read.with_context(|| file.display().to_string())?;
        return Ok(String::from_utf8_lossy(&text).into_owned());
    }
    let units = UNITS.iter().flat_map(|unit| ["-u", unit]);
    output(
        Command::new("journalctl")
            .args([
                "-n",
                LINES,
                "-o",
                "short-iso",
                "--no-hostname",
                "--no-pager",
            ])
            .args(units),
    )
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| command.get_program().display().to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(
        output.status.success(),
        "{} ended with {}",
        command.get_program().display(),
        output.status
    );
    Ok(said)
}

fn metrics(config: &Config) -> String {
    let token = match config.web.metrics_token() {
        Ok(Some(token)) => token,
        Ok(None) => return "switched off (metrics_token_file in [web])\n".to_owned(),
        Err(error) => return format!("not to be had: {error}\n"),
    };
    match ask(config, "/metrics", Some(token.reveal())) {
        Ok(answer) if answer.is_ok() => answer.body,
        Ok(answer) => format!("not to be had: {}\n", answer.first),
        Err(error) => format!("not to be had: {error}\n"),
    }
}

fn database(config: &Config) -> anyhow::Result<String> {
    let outline = store::outline(&config.store.folder)?;
    let mut text = format!(
        "schema {} (this program writes {}), {} KiB\n\nrows\n",
        outline.schema,
        store::SCHEMA,
        outline.bytes >> 10
    );
    for (table, rows) in outline.rows {
        let _ = writeln!(text, "{rows:>10} {table}");
    }
    text.push_str("\nstarts, newest first: number, version, hours, clock, how it ended\n");
    for start in outline.starts {
        let _ = writeln!(
            text,
            "{:>10} {} {:.1} {} {}",
            start.boot,
            start.version,
            start.ran_ms as f64 / 3_600_000.0,
            start.clock,
            if start.in_order {
                "stopped"
            } else {
                "runs, or was cut off"
            }
        );
    }
    Ok(text)
}

fn machine(config: &Config) -> String {
    let mut text = concat!("menshen ", env!("CARGO_PKG_VERSION"), "\n").to_owned();
    text += &or_why(output(Command::new("uname").arg("-srm")));
    let lines = |file: &str, wanted: &dyn Fn(&str) -> bool| -> String {
        let all = fs::read_to_string(file).unwrap_or_default();
        let mut found = String::new();
        for line in all.lines().filter(|line| wanted(line)) {
            let _ = writeln!(found, "{line}");
        }
        found
    };
    let begins = |words: &'static [&'static str]| {
        move |line: &str| words.iter().any(|word| line.starts_with(word))
    };
    text += &lines("/etc/os-release", &begins(&["PRETTY_NAME"]));
    text += &lines("/proc/cpuinfo", &begins(&["model name", "Model"]));
    text += &lines(
        "/proc/meminfo",
        &begins(&["MemTotal", "MemAvailable", "SwapTotal"]),
    );
    text += &lines("/proc/loadavg", &|_| true);
    text += &lines("/proc/uptime", &|_| true);
    match store::free(&config.store.folder) {
        Ok(free) => {
            let _ = writeln!(text, "{} MiB are free for the data", free >> 20);
        }
        Err(error) => {
            let _ = writeln!(text, "{error}");
        }
    }
    text
}

fn services() -> String {
    let wanted =
        "--property=Id,ActiveState,SubState,Result,NRestarts,ExecMainStatus,ActiveEnterTimestamp";
    or_why(output(
        Command::new("systemctl")
            .args(["show", "--no-pager", wanted])
            .args(UNITS),
    ))
}
