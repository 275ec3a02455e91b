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

/// The value as it is now, where there is one; it counts as seen.
pub(super) fn latest<T: Clone>(value: &mut Option<watch::Receiver<Option<T>>>) -> Option<T> {
    value.as_mut()?.borrow_and_update().clone()
}

/// Waits until a moment, if there is one.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
