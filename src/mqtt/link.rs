//! The link to the broker: connects, empties the outbox, comes back after every loss.
//!
//! A task without end; it never blocks the runtime (the outbox is asked on blocking threads), and
//! nothing waits for it: without a broker the gateway goes on and its outbox grows.
//!
//! rumqttc 0.25 loses messages over a reconnect in several ways (its issues #1056, #1025, #910 and
//! pull request #923), all in state that outlives a connection. So no connection outlives itself
//! here: each has a new client, a clean session, and begins with the oldest row that the broker has
//! not accepted (see `connection`). What was published and not acknowledged goes again; whoever
//! counts, counts by key.

use super::connection::{Connection, End};
use super::payload::OpenAlerts;
use super::topic::Address;
use crate::clock::{Clock, Stamp};
use crate::id::DeviceEpoch;
use crate::journal::Outbox;
use crate::secret::Secret;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// First wait after a lost connection.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What the link needs to know.
#[derive(Clone)]
pub struct LinkSettings {
    /// Name or address of the broker.
    pub host: String,
    /// Its port; 1883 where it is not said.
    pub port: u16,
    /// Name of this client at the broker; two clients of one name throw each other out.
    pub client_id: String,
    /// Where the broker asks for one.
    pub username: Option<String>,
    /// Where the broker asks for one.
    pub password: Option<Secret<String>>,
    /// A silent connection is probed this often; at least one second. A dead one is found after
    /// twice as long.
    pub keep_alive: Duration,
    /// Whose topics.
    pub address: Address,
    /// Identity of the database, for the status.
    pub epoch: DeviceEpoch,
    /// Version of the program, for the status.
    pub version: String,
    /// What this gateway measures against
    /// ([`basis_word`](crate::screening::basis_word)), for the status.
    pub basis: &'static str,
    /// For the times in the status, and for what is late.
    pub clock: Arc<dyn Clock>,
    /// The alerts that are not resolved, whenever they change.
    pub open_alerts: watch::Receiver<OpenAlerts>,
}

impl std::fmt::Debug for LinkSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// How the link stands, for the screens.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkState {
    /// The first attempt is under way.
    Connecting,
    /// The broker is there.
    Connected {
        /// Since when.
        since: Stamp,
    },
    /// The broker is not there; the link tries again by itself.
    Away {
        /// Why, and what to do.
        why: String,
    },
    /// Stopped on purpose.
    Stopped,
}

/// Keeps the link until `shutdown`. `wake` is notified after every commit that put messages into
/// the outbox.
pub async fn run(
    settings: LinkSettings,
    outbox: Arc<dyn Outbox>,
    wake: Arc<Notify>,
    status: watch::Sender<LinkState>,
    shutdown: CancellationToken,
) {
    let mut backoff = Backoff::default();
    status.send_replace(LinkState::Connecting);
    loop {
        let end = Connection::run(&settings, Arc::clone(&outbox), &wake, &status, &shutdown).await;
        let (why, proved) = match end {
            End::Stopped => break,
            End::Lost { why, proved } => (why, proved),
        };
        if proved {
            backoff = Backoff::default();
        }
        let away = LinkState::Away { why };
        let news = status.send_if_modified(|state| {
            let news = *state != away;
            state.clone_from(&away);
            news
        });
        if let (true, LinkState::Away { why }) = (news, &away) {
            tracing::warn!(why, "the MQTT broker is away; messages wait in the outbox");
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next(chance())) => {}
            () = shutdown.cancelled() => break,
        }
    }
    status.send_replace(LinkState::Stopped);
}

/// Doubles the wait after each failure, and spreads it, so that a thousand gateways do not come
/// back to a restarted broker in the same second.
#[derive(Debug, Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait: between half and all of 0.5 s, 1 s, 2 s … 30 s. `chance` is in 0…1.
    fn next(&mut self, chance: f64) -> Duration {
        let doubled = SHORTEST_WAIT.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        doubled
            .min(LONGEST_WAIT)
            .mul_f64(f64::midpoint(1.0, chance.clamp(0.0, 1.0)))
    }
}

/// A number in 0…1 by chance.
fn chance() -> f64 {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    // The upper 32 bits of a version 4 UUID are all random (RFC 9562, §5.4).
    (random >> 32) as f64 / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute_and_are_spread() {
        let waits = |chance| {
            let mut backoff = Backoff::default();
            (0..40).map(|_| backoff.next(chance)).collect::<Vec<_>>()
        };
        let (low, high) = (waits(0.0), waits(1.0));
        assert_eq!(high[0], Duration::from_millis(500));
        assert_eq!(high[1], Duration::from_secs(1));
        assert_eq!(high[39], Duration::from_secs(30));
        assert_eq!(low[0], Duration::from_millis(250));
        assert_eq!(low[39], Duration::from_secs(15));
        let drawn = chance();
        assert!((0.0..=1.0).contains(&drawn));
        assert_ne!(drawn, chance());
    }
}
