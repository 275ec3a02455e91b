//! What a site's configuration says of the ways out to people: notifiers and the local program.

use crate::clock::Clock;
use crate::config::{Config, NotifierConfig};
use crate::event::Fault;
use crate::id::Channel;
use crate::journal::Outbox;
use crate::notify::courier::{self, CourierSettings};
use crate::notify::hook::{self, Hook};
use crate::notify::notice::Place;
use crate::notify::post::Post;
use crate::store::Route;
use crate::web::words::InWords;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longest time that a request may take, all in all.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// First wait after a request that failed.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Where this gateway stands, in the notifiers' words.
fn place(config: &Config) -> Place {
    Place {
        building: config.site.name_zh.clone(),
        gate: config.site.gate.clone(),
        words: |fault: Fault| {
            let words = fault.words();
            (words.zh, words.en)
        },
    }
}

/// The notifiers that are switched on.
fn on(config: &Config) -> impl Iterator<Item = &NotifierConfig> {
    config.notifiers.iter().filter(|it| it.url_file.is_some())
}

/// The notifiers' channels.
#[must_use]
pub fn channels(config: &Config) -> Vec<Channel> {
    on(config)
        .map(|it| Channel::notifier(it.kind.as_str()))
        .collect()
}

/// What goes into the notifiers' channels of the outbox. Checks their addresses, so that a gateway with a
/// wrong one does not start.
///
/// # Errors
/// Where a file with an address cannot be read, or holds no such address.
pub fn routes(config: &Config) -> anyhow::Result<Vec<Route>> {
    on(config)
        .map(|it| {
            it.endpoint()?;
            let (place, hears) = (place(config), it.hears);
            Ok(Route {
                channel: Channel::notifier(it.kind.as_str()),
                address: Box::new(move |key, event| place.message(hears, key, event)),
            })
        })
        .collect()
}

/// Starts a courier for each notifier; gives what wakes them.
///
/// # Errors
/// As [`routes`].
pub fn couriers(
    config: &Config,
    clock: &Arc<dyn Clock>,
    outbox: &Arc<dyn Outbox>,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Arc<Notify>>> {
    let mut wakes = Vec::new();
    let mut post = None;
    for notifier in on(config) {
        let Some(endpoint) = notifier.endpoint()? else {
            continue;
        };
        let settings = CourierSettings {
            endpoint,
            post: post
                .get_or_insert_with(|| Post::new(LONGEST_REQUEST))
                .clone(),
            clock: Arc::clone(clock),
            first_wait: FIRST_WAIT,
        };
        let wake = Arc::new(Notify::new());
        wakes.push(Arc::clone(&wake));
        tokio::spawn(courier::run(
            settings,
            Arc::clone(outbox),
            wake,
            stop.clone(),
        ));
    }
    Ok(wakes)
}

/// The local program, where there is one, and its task.
#[must_use]
pub fn hook(config: &Config, stop: &CancellationToken) -> Option<Hook> {
    let named = config.alerts.hook.as_deref()?;
    // It runs elsewhere than in our folder, so its place must not depend on that.
    let program = std::fs::canonicalize(named).unwrap_or_else(|error| {
        tracing::warn!(
            "hook in [alerts]: {}: {error}; nothing rings here",
            named.display()
        );
        named.to_path_buf()
    });
    let hook = Hook::new(program, place(config), hook::LONGEST);
    tokio::spawn(hook.clone().run(stop.clone()));
    Some(hook)
}
