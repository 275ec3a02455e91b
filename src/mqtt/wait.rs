//! Waits for what may never come.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Waits until a value changes.
pub(super) async fn changed<T>(value: &mut Option<watch::Receiver<T>>) {
    if let Some(receiver) = value {
        if receiver.changed().await.is_ok() {
            return;
        }
        *value = None;
    }
    std::future::pending::<()>().await;
}

/// Waits until a moment, if there is one.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
