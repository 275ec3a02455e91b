//! `menshen simulate-street`: a street full of honest gateways, to see what a broker, a database and their
//! collectors carry. Each has a store and a link of its own, those of the gateway itself; what is made up is
//! only that there are faults to tell.

use super::{say, until_told_to_stop};
use crate::clock::{Clock, SystemClock};
use crate::event::{Event, Fault};
use crate::id::{Channel, MessageNumber};
use crate::journal::{Journal as _, Outbox as _, SafeAt};
use crate::mqtt::Address;
use crate::mqtt::dial::{Account, Network};
use crate::mqtt::link::{self, LinkSettings, LinkState, Telling};
use crate::mqtt::payload::{OpenAlerts, told};
use crate::store::{Route, Store};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Between two looks into an outbox.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Arguments of `menshen simulate-street`.
#[derive(clap::Args, Debug)]
pub struct SimulateStreetArgs {
    /// How many gateways.
    #[arg(long, value_name = "N")]
    sites: u32,
    /// What waits at each of them when it comes back.
    #[arg(long, value_name = "N", default_value = "100")]
    rows: u32,
    /// They come back within so many seconds, one after the other.
    #[arg(long, value_name = "N", default_value = "60")]
    within: f64,
    /// After that, so many seconds in which each tells something now and then.
    #[arg(long, value_name = "N", default_value = "0")]
    seconds: u32,
    /// Seconds from one message of a gateway to its next, in that time.
    #[arg(long, value_name = "N", default_value = "60",
          value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// The street's part of the topics.
    #[arg(long, value_name = "ID", default_value = "simulated")]
    street: String,
    /// The broker.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Its port.
    #[arg(long, default_value = "1883")]
    port: u16,
    /// A new folder for the gateways' stores.
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
}

/// A gateway.
#[derive(Clone)]
struct Site {
    store: Store,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    settings: LinkSettings,
}

impl Site {
    fn open(args: &SimulateStreetArgs, number: u32) -> anyhow::Result<Self> {
        let building = format!("sim-{number:05}");
        let address = Address::new(&args.street, &building, "main")?;
        let here = address.clone();
        let route = Route {
            channel: Channel::broker(),
            address: Box::new(move |key, event| told(&here, key, event)),
        };
        let store = Store::open(&args.folder.join(&building), vec![route])?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(store.boot()));
        let (host, port) = (args.host.clone(), args.port);
        let settings = LinkSettings {
            account: Account {
                broker: format!("{host}:{port}"),
                dial: Arc::new(Network {
                    host,
                    port,
                    tls: None,
                }),
                client_id: format!("menshen-{}-{building}", args.street),
                username: None,
                password: None,
                keep_alive: Duration::from_mins(1),
            },
            address,
            epoch: store.epoch(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            basis: "reference",
            clock: Arc::clone(&clock),
            open_alerts: watch::channel(OpenAlerts::default()).1,
            standing: watch::channel(BTreeSet::new()).1,
            checklist: watch::channel(None).1,
            follow_up: watch::channel(None).1,
            street_receipts: true,
            home_assistant: false,
            suits: Arc::new(|_| Ok(())),
            commands: BTreeSet::new(),
            journal: Arc::new(store.clone()),
        };
        Ok(Self {
            store,
            clock,
            wake: Arc::new(Notify::new()),
            settings,
        })
    }

    /// Something happens so many times.
    async fn happen(&self, times: u32) -> anyhow::Result<()> {
        let (store, at) = (self.store.clone(), self.clock.now());
        spawn_blocking(move || {
            let fault = |number: u32| match number % 2 {
                0 => Event::FaultRaised {
                    fault: Fault::CameraSilent,
                    at,
                },
                _ => Event::FaultCleared {
                    fault: Fault::CameraSilent,
                    at,
                },
            };
            store.record(&(0..times).map(fault).collect::<Vec<_>>())
        })
        .await??;
        self.wake.notify_one();
        Ok(())
    }

    /// Waits until the street has acknowledged everything.
    async fn emptied(&self) -> anyhow::Result<()> {
        loop {
            let store = self.store.clone();
            let left = spawn_blocking(move || {
                let first = MessageNumber::default();
                store.waiting(&Channel::broker(), SafeAt::Street, first, 1)
            });
            if left.await??.is_empty() {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Its link, until the end.
    fn connect(&self, stop: &CancellationToken) {
        tokio::spawn(link::run(
            self.settings.clone(),
            Arc::new(self.store.clone()),
            Arc::clone(&self.wake),
            Telling {
                state: watch::Sender::new(LinkState::Connecting),
                silent: watch::Sender::default(),
            },
            stop.clone(),
        ));
    }
}

/// Makes the gateways, lets them come back together, and measures.
///
/// # Errors
/// Where the folder cannot be made, or a store fails.
pub fn run(args: &SimulateStreetArgs) -> anyhow::Result<ExitCode> {
    make(&args.folder)?;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let stop = until_told_to_stop(None);
        tokio::select! {
            done = simulate(args, &stop) => done,
            () = stop.cancelled() => anyhow::bail!("stopped before everything was acknowledged"),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn make(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(folder).with_context(|| {
        format!(
            "{} cannot be made\nhint: name a folder that is not there yet, best in memory: /dev/shm/street",
            folder.display()
        )
    })
}

async fn simulate(args: &SimulateStreetArgs, stop: &CancellationToken) -> anyhow::Result<()> {
    let sites = prepare(args).await?;
    let messages = u64::from(args.rows) * u64::from(args.sites);
    say(&format!("{} gateways, {messages} messages\n", args.sites))?;
    let began = Instant::now();
    let gap = Duration::from_secs_f64(args.within.max(0.0) / f64::from(args.sites.max(1)));
    let mut waits = JoinSet::new();
    for (number, site) in (0..).zip(&sites) {
        let (site, stop) = (site.clone(), stop.clone());
        waits.spawn(async move {
            sleep_until(began + gap * number).await;
            let came = Instant::now();
            site.connect(&stop);
            site.emptied().await?;
            anyhow::Ok(came.elapsed())
        });
    }
    let came_back = all(waits).await?;
    let took = began.elapsed().as_secs_f64();
    say(&format!(
        "all acknowledged after {took:.1} s: {:.0} messages/s; a gateway's time: {came_back}\n",
        messages as f64 / took
    ))?;
    if args.seconds > 0 {
        steady(args, &sites).await?;
    }
    Ok(())
}

/// The gateways, each with what waits at it.
async fn prepare(args: &SimulateStreetArgs) -> anyhow::Result<Vec<Site>> {
    let mut sites = Vec::new();
    for number in 0..args.sites {
        let site = tokio::task::block_in_place(|| Site::open(args, number)).with_context(|| {
            format!("gateway {number} cannot be made\nhint: ulimit -n 65536; df")
        })?;
        site.happen(args.rows).await?;
        sites.push(site);
    }
    Ok(sites)
}

/// Each tells something every now and then.
async fn steady(args: &SimulateStreetArgs, sites: &[Site]) -> anyhow::Result<()> {
    let began = Instant::now();
    let every = Duration::from_secs(u64::from(args.every));
    let ends = began + Duration::from_secs(u64::from(args.seconds));
    let mut waits = JoinSet::new();
    for (number, site) in (0..).zip(sites) {
        // Spread evenly over the first of the stretches.
        let mut next = began + every * number / args.sites.max(1);
        while next < ends {
            let site = site.clone();
            waits.spawn(async move {
                sleep_until(next).await;
                let happened = Instant::now();
                site.happen(1).await?;
                site.emptied().await?;
                anyhow::Ok(happened.elapsed())
            });
            next += every;
        }
    }
    let messages = waits.len();
    let waited = all(waits).await?;
    let took = began.elapsed().as_secs_f64();
    say(&format!(
        "steady: {messages} messages in {took:.1} s, {:.0} messages/s; from event to receipt: {waited}\n",
        messages as f64 / took
    ))?;
    Ok(())
}

/// Waits for all, and says how long they took.
async fn all(mut waits: JoinSet<anyhow::Result<Duration>>) -> anyhow::Result<String> {
    let mut times = Vec::new();
    while let Some(time) = waits.join_next().await {
        times.push(time??.as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let place = (times.len() as f64 * part) as usize;
        times.get(place.min(times.len().saturating_sub(1)))
    };
    Ok(match (at(0.5), at(0.99), times.last()) {
        (Some(half), Some(most), Some(longest)) => {
            format!("median {half:.1} s, 99 % {most:.1} s, longest {longest:.1} s")
        }
        _ => "none".to_owned(),
    })
}
