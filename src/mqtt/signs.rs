//! What only the link can know of being out of order: that the street is silent. A pure rule, and the
//! watch that tells of it. (Whether the broker is away is in [`LinkState`](super::link::LinkState); how
//! long that must last to be a fault is not the link's to say.)
//!
//! A collector that is restarted or updated is back within minutes, and every message is asked for at
//! least twice in [`SILENT_AFTER`] (see `rounds`): our own choice.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

/// Without a receipt for what the broker accepted for so long is a fault.
pub(super) const SILENT_AFTER: Duration = Duration::from_mins(10);

/// The rule.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkWatch {
    /// Since when something waits for a receipt, with a broker there.
    waiting: Option<Instant>,
    /// Whether the street was found silent, and not heard since.
    silent: bool,
}

impl LinkWatch {
    /// The broker has accepted a message that waits for a receipt.
    pub(super) fn accepted(&mut self, now: Instant) {
        self.waiting.get_or_insert(now);
    }

    /// The connection is gone. The street is not to blame for what it cannot hear.
    pub(super) fn lost(&mut self, now: Instant) {
        self.silent = self.silent_at(now);
        self.waiting = None;
    }

    /// A receipt came; `lacking`: something that the broker accepted waits all the same.
    pub(super) fn heard(&mut self, lacking: bool, now: Instant) {
        self.silent = false;
        self.waiting = lacking.then_some(now);
    }

    /// Whether the street is silent.
    pub(super) fn silent_at(&self, now: Instant) -> bool {
        self.silent
            || self
                .waiting
                .is_some_and(|since| now >= since + SILENT_AFTER)
    }

    /// When it will be silent if nothing happens until then.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let silent = self.waiting.map(|since| since + SILENT_AFTER);
        silent.filter(|&at| at > now)
    }
}

/// What the link notes, for [`Signs::watch`].
#[derive(Debug, Default)]
pub(super) struct Signs {
    rule: Mutex<LinkWatch>,
    news: Notify,
}

impl Signs {
    /// Notes something.
    pub(super) fn note(&self, what: impl FnOnce(&mut LinkWatch, Instant)) {
        let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
        what(&mut rule, Instant::now());
        self.news.notify_one();
    }

    /// Tells whether the street is silent, for ever.
    pub(super) async fn watch(&self, told: &watch::Sender<bool>) {
        loop {
            let now = Instant::now();
            let (silent, next) = {
                let rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
                (rule.silent_at(now), rule.next(now))
            };
            told.send_if_modified(|told| std::mem::replace(told, silent) != silent);
            let at_next = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.news.notified() => {}
                () = at_next => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_street_is_silent_until_it_is_heard_whatever_the_broker_does() {
        let start = Instant::now();
        let mut link = LinkWatch::default();
        link.accepted(start);
        assert_eq!(link.next(start), Some(start + SILENT_AFTER));
        let almost = start + SILENT_AFTER - Duration::from_millis(1);
        assert!(!link.silent_at(almost));
        let now = start + SILENT_AFTER;
        assert!(link.silent_at(now));
        link.lost(now);
        assert!(link.silent_at(now));
        link.accepted(now);
        assert!(link.silent_at(now));
        link.heard(true, now);
        assert!(!link.silent_at(now), "it is there again");
        let later = now + SILENT_AFTER;
        assert!(link.silent_at(later), "but it never took everything");
        link.heard(false, now);
        assert!(!link.silent_at(now + SILENT_AFTER * 9));
    }

    #[tokio::test(start_paused = true)]
    async fn the_street_is_not_blamed_for_a_broker_that_is_away() {
        let start = Instant::now();
        let mut link = LinkWatch::default();
        link.accepted(start);
        link.lost(start + Duration::from_secs(1));
        let much_later = start + Duration::from_hours(72);
        assert!(!link.silent_at(much_later));
        link.accepted(much_later);
        assert!(!link.silent_at(much_later));
    }
}
