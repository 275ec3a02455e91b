//! `menshen street enrol` and `menshen street revoke`: a site's account at the broker.

use super::super::say;
use crate::clock::WallTime;
use crate::config::StreetConfig;
use crate::mqtt::Address;
use crate::street::certificates::{self, Authority};
use crate::street::enrol::{self, BrokerFiles};
use anyhow::Context as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which site, and where the broker's files are.
#[derive(clap::Args, Debug)]
pub struct SiteArgs {
    /// The site, as in its own configuration.
    #[arg(value_name = "BUILDING/GATE")]
    site: String,
    /// Mosquitto's `password_file`.
    #[arg(long, value_name = "FILE", default_value = "/etc/mosquitto/passwd")]
    passwords: PathBuf,
    /// Mosquitto's `acl_file`.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/mosquitto/menshen.acl"
    )]
    acl: PathBuf,
    /// Folder of the street's own authority, for certificates; made where there is none.
    #[arg(long, value_name = "DIR", default_value = "authority")]
    authority: PathBuf,
}

/// Arguments of `menshen street enrol`.
#[derive(clap::Args, Debug)]
pub struct EnrolArgs {
    #[command(flatten)]
    site: SiteArgs,
    /// Folder for what the site is to be given; must be new or empty. Without it one beside here, named
    /// as the account.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The broker as the site reaches it, where that is not how the office does.
    #[arg(long, value_name = "HOST")]
    broker: Option<String>,
    /// Give a site that has an account a new password, or another certificate.
    #[arg(long)]
    renew: bool,
    /// A certificate of the street's own authority instead of a password.
    #[arg(long)]
    certificate: bool,
}

impl SiteArgs {
    fn address(&self, config: &StreetConfig) -> anyhow::Result<Address> {
        format!("{}/{}", config.street, self.site)
            .parse()
            .with_context(|| {
                format!(
                    "{:?} is no site\nhint: write BUILDING/GATE, as in [site] of its configuration",
                    self.site
                )
            })
    }

    fn authority(&self, config: &StreetConfig, now: WallTime) -> anyhow::Result<Authority> {
        Ok(Authority::open(
            &self.authority,
            &config.street.parse()?,
            now,
        )?)
    }

    fn files(&self) -> BrokerFiles {
        BrokerFiles {
            passwords: self.passwords.clone(),
            rights: self.acl.clone(),
        }
    }
}

/// What has to be done for the broker to know.
const RELOAD: &str = "the broker reads its files again at: sudo systemctl reload mosquitto";

/// Gives a site an account.
///
/// # Errors
/// Where a file cannot be written, or the site has an account already.
pub fn enrol(config: &StreetConfig, args: &EnrolArgs) -> anyhow::Result<ExitCode> {
    let site = args.site.address(config)?;
    let name = enrol::account_name(&site);
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(&name));
    // Before the account: what cannot be handed over is not to be made.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&out)
        .with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let there = fs::read_dir(&out).with_context(|| out.display().to_string())?;
    anyhow::ensure!(
        there.count() == 0,
        "{} is not empty\nhint: name another folder with --out, or hand over what is in it",
        out.display()
    );
    if args.certificate {
        let authority = args.site.authority(config, super::now())?;
        enrol::admit(&args.site.files(), &site, args.renew)?;
        certificates::hand_over(&authority.issue(&name, super::now())?, &out)?;
    } else {
        let password = enrol::enrol(&args.site.files(), &site, args.renew)?;
        write(&out.join("password"), &format!("{}\n", password.reveal()))?;
    }
    let host = args.broker.as_ref().unwrap_or(&config.mqtt.host);
    let tls = config.mqtt.tls.is_some();
    let broker = (host.as_str(), config.mqtt.port);
    write(
        &out.join("menshen.toml"),
        &enrol::configuration(&site, broker, tls, args.certificate),
    )?;
    if let Some((ca, _)) = config.mqtt.tls_files() {
        fs::copy(&ca, out.join("ca.pem"))
            .with_context(|| format!("{} cannot be copied", ca.display()))?;
    }
    say(&format!(
        "{name} may speak for {site}. All that is in {} is for the site: its secret, and what its \
         menshen.toml needs.\n{RELOAD}\n",
        out.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Takes a site's account away.
///
/// # Errors
/// Where a file cannot be written, or the site has no account.
pub fn revoke(config: &StreetConfig, args: &SiteArgs) -> anyhow::Result<ExitCode> {
    let site = args.address(config)?;
    enrol::revoke(&args.files(), &site)?;
    // An authority that was never used has signed nothing.
    if args.authority.exists() {
        let authority = args.authority(config, super::now())?;
        authority.revoke(&enrol::account_name(&site), super::now())?;
    }
    say(&format!(
        "{} may not connect any more.\n{RELOAD}\n",
        enrol::account_name(&site)
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a new file that nobody else reads.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut it| it.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", file.display()))
}
