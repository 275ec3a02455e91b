//! Has the store look after itself every minute, on a thread that may block, until the gateway stops.

use crate::clock::Clock;
use crate::journal::Recorded;
use crate::store::{Store, Upkeep};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often.
const EVERY: Duration = Duration::from_mins(1);

/// Calls [`Store::maintain`] until told to stop; `recorded` is told of the events that it has recorded.
pub(super) async fn look_after(
    store: Store,
    rules: Upkeep,
    clock: Arc<dyn Clock>,
    recorded: impl Fn(&[Recorded]) + Send + Sync,
    stop: CancellationToken,
) {
    loop {
        let (store, rules, clock) = (store.clone(), rules.clone(), Arc::clone(&clock));
        let done = tokio::task::spawn_blocking(move || store.maintain(&rules, clock.now())).await;
        match done {
            Ok(Ok(events)) if !events.is_empty() => recorded(&events),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!("the store cannot look after itself: {error}"),
            Err(error) => tracing::error!("looking after the store ended early: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}
