//! `menshen check`: says whether a configuration can be used, prints it with every key, and what
//! should be looked at before people are screened.
//!
//! Reads the configuration and looks whether the files that it names are there; opens no camera,
//! no database and no connection. Blocks no longer than that takes.

use super::{say, threshold};
use crate::config::{CameraSource, Config};
use crate::mqtt::tls::{self, TlsFiles};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `menshen check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Configuration file; without it MENSHEN_CONFIG, else ./menshen.toml, else the defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Checks. The output is itself a configuration file: remarks stand in comments.
///
/// # Errors
/// Where the configuration cannot be used; or where standard output cannot be written.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let (config, origin) = Config::find(args.config.as_deref())?;
    let mut text = format!(
        "# menshen: usable, from {origin}\n\n{}",
        config.effective_toml()
    );
    if let Some(meaning) = threshold::in_one_line(config.screening.fever) {
        text.push_str("\n# ");
        text.push_str(&meaning);
        text.push('\n');
    }
    let mut remarks: Vec<String> = config.warnings().into_iter().map(|it| it.en).collect();
    remarks.extend(config.mqtt.password_warning());
    remarks.extend(config.mqtt.key_warning());
    remarks.extend(config.web.key_warning());
    if let Some((ca, own)) = config.mqtt.tls_files() {
        remarks.extend(tls::ready(&TlsFiles { ca, own }).err());
    }
    remarks.extend(missing_files(&config));
    if !remarks.is_empty() {
        text.push('\n');
    }
    for remark in remarks {
        text.push_str("# warning: ");
        text.push_str(&remark);
        text.push('\n');
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What the configuration names and this machine does not have (now): a camera may be plugged in
/// later, so this is said, not refused.
fn missing_files(config: &Config) -> Vec<String> {
    let mut missing = Vec::new();
    let mut look = |path: &Path, what: &str| {
        if !path.exists() {
            missing.push(format!("{what} {} is not there.", path.display()));
        }
    };
    match &config.camera.source {
        CameraSource::V4l {
            device: Some(device),
        } => look(device, "the camera"),
        CameraSource::Recording { file } => look(file, "the recording"),
        CameraSource::V4l { device: None } | CameraSource::Simulator { .. } => {}
    }
    if let Some(file) = &config.mqtt.password_file {
        look(file, "the password's file");
    }
    missing
}
