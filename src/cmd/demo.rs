//! `menshen demo`: the whole gateway in one process, on this machine only.
//!
//! A simulated camera, the screening, a throw-away Mosquitto as a child, a store in a folder of
//! its own, the dashboard. Everything but the visitors is the real thing.

use super::run::assemble;
use super::{estimate, measured, say, tell, until_told_to_stop};
use crate::config::{CameraSource, Config};
use crate::event::Event;
use crate::mqtt::broker::Broker;
use crate::pipeline::gateway::address;
use crate::screening::{Screening, Verdict};
use crate::thermal::self_check::Complaint;
use crate::web::Entrance;
use anyhow::Context as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Arguments of `menshen demo`.
#[derive(clap::Args, Debug)]
pub struct DemoArgs {
    /// Port of the dashboard on 127.0.0.1; 0 for any free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the demo keeps its data.
    #[arg(long, value_name = "DIR", default_value = "./data/demo")]
    folder: PathBuf,
    /// Built-in scenario, or a scenario file.
    #[arg(long, value_name = "SCENARIO", default_value = "lobby")]
    scenario: String,
    /// Stop after this many seconds; without it, on Ctrl-C.
    #[arg(long, value_name = "N", value_parser = super::seconds)]
    seconds: Option<Duration>,
}

/// Runs the demo until Ctrl-C, or for the time asked for.
///
/// # Errors
/// Where it cannot start.
pub fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let mut config = Config::default();
    config.camera.source = CameraSource::Simulator {
        scenario: args.scenario.clone(),
    };
    config.store.folder.clone_from(&args.folder);
    config.web.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    "hongqiao".clone_into(&mut config.site.street);
    "gubei-2".clone_into(&mut config.site.building);

    std::fs::create_dir_all(&args.folder).with_context(|| {
        format!(
            "the demo cannot keep its data in {}\nhint: give a folder that can be written: --folder",
            args.folder.display()
        )
    })?;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let topics = address(&config)?.everything();
        // The store first: it refuses a folder that another demo is using, broker and all.
        let mut gateway = assemble(config, Arc::new(show)).await?;
        // Pictures of nobody, on this machine only: whoever tries it out need not sign in.
        gateway.entrance = Entrance::Demo;
        // The broker lives as long as this variable.
        let broker = start_broker(&args.folder);
        let subscribe = match &broker {
            Some(broker) => {
                let mqtt = &mut gateway.config.mqtt;
                (mqtt.enabled, mqtt.host, mqtt.port) = (true, broker.host(), broker.port());
                format!(
                    "mosquitto_sub -h {} -p {} -v -t '{topics}'",
                    mqtt.host, mqtt.port
                )
            }
            None => format!("(no broker) topic {topics}"),
        };
        say(&format!(
            "门神 Menshen {} · demo\n\
             dashboard  http://{}/\n\
             alerts     {subscribe}\n\
             stop       Ctrl-C\n\n",
            env!("CARGO_PKG_VERSION"),
            gateway.pages.listener.local_addr()?,
        ))?;
        gateway.run(until_told_to_stop(args.seconds)).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The demo's own broker; where there can be none, that is said, and the demo goes on.
fn start_broker(folder: &Path) -> Option<Broker> {
    Broker::start(folder)
        .inspect_err(|error| {
            tell(&format!(
                "no broker: {error}\n\
                 The demo goes on without one; alerts stay in the outbox until there is one."
            ));
        })
        .ok()
}

/// One line for each person, and for what staff must know.
fn show(event: &Event) {
    let line = match event {
        Event::Screened(screening) if screening.presented => person(screening),
        Event::Screened(_)
        | Event::AlertAcknowledged { .. }
        | Event::AlertResolved { .. }
        | Event::AlertStepTaken { .. }
        | Event::NumbersVoid { .. } => return,
        Event::AlertReminded { alert, level, .. } => {
            format!("WAITS  {alert}: nobody has taken it ({})", level.as_str())
        }
        Event::AlertRaised(alert) => format!(
            "ALERT  {}  {}: confirm with a contact thermometer",
            alert.id,
            estimate(&alert.reading),
        ),
        Event::FaultRaised { fault, .. } => format!("FAULT  {}", fault.as_str()),
        Event::FaultCleared { fault, .. } => format!("over   {}", fault.as_str()),
        Event::SelfChecked { found, .. } => format!(
            "check  {}",
            found.complaint.map_or("passed", Complaint::as_str)
        ),
        Event::Reported { report, part, .. } => format!(
            "REPORT {} revision {} ({} of {})",
            report.date, report.revision, part.0, part.1
        ),
        Event::PeopleDue { reminder, .. } => format!(
            "PEOPLE health missing {}, overdue {}",
            reminder.unsaid, reminder.overdue
        ),
        Event::Commanded { asked, .. } => {
            format!("ASKED  {} by {}", asked.command.name().as_str(), asked.by)
        }
    };
    // Whoever closed the terminal wants no lines; the gateway goes on.
    let _ = say(&format!("{line}\n"));
}

fn person(screening: &Screening) -> String {
    let word = match screening.verdict {
        Verdict::Clear => "clear 未见发热",
        Verdict::PossibleFever => "POSSIBLE FEVER 疑似发热",
        Verdict::Retest(_) => "retest 需要复测",
        Verdict::CannotJudge(_) => "cannot judge 无法判断",
    };
    let reason = screening
        .verdict
        .reason()
        .map(|r| format!(" ({r})"))
        .unwrap_or_default();
    let value = screening.reading.map_or_else(String::new, |r| {
        format!("  {}  {} looks", measured(&r, "  "), r.looks)
    });
    format!("person {}  {word}{reason}{value}", screening.id)
}
