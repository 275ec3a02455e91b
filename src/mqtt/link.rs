//! The link to the broker: connects, empties the outbox, comes back after every loss.
//!
//! A task without end; it never blocks the runtime (the outbox is asked on blocking threads), and
//! nothing waits for it: without a broker the gateway goes on and its outbox grows.
//!
//! No connection outlives itself here: each has a clean session, whatever the broker says of an old
//! one, and begins with the oldest message that is not safe yet (see `connection`). What was published
//! and not acknowledged goes again; whoever counts, counts by key.
//!
//! **PUBACK is not delivery.** A broker may acknowledge what its access list then throws away (Mosquitto
//! does), what it loses with its next restart, or what no collector was subscribed to. So with
//! [`LinkSettings::street_receipts`] a message is safe once the street's collector has acknowledged
//! it, and goes again until then; without, the screens say "sent to the broker" and no more.
//!
//! **A message that the broker cannot take** (it closes the connection at it) must not hold up all
//! others: where a connection is lost with messages unacknowledged, the next one sends the oldest of
//! them alone, after the broker has acknowledged our status. If the broker closes the connection at
//! that, three times, the message is put aside ([`Outbox::refused`]), which is a fault that staff see.

use super::connection::{Connection, End};
use super::dial::Account;
use super::payload::{ChecklistState, FollowUpState, OpenAlerts};
use super::signs::{LinkWatch, Signs};
use super::topic::Address;
use crate::clock::{Clock, Stamp};
use crate::command::{CommandName, Unsuitable};
use crate::event::Fault;
use crate::id::{Channel, DeviceEpoch, MessageNumber};
use crate::journal::{Journal, Outbox};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// First wait after a lost connection.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whether this site can take a version of a list that was sent, by the text of its file.
pub type Suits = dyn Fn(&str) -> Result<(), Unsuitable> + Send + Sync;

/// What the link needs to know.
#[derive(Clone)]
pub struct LinkSettings {
    /// Who we are, at which broker.
    pub account: Account,
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
    /// The faults that stand, whenever they change.
    pub standing: watch::Receiver<BTreeSet<Fault>>,
    /// How far today's round has come; `None` until it is known, and without a checklist.
    pub checklist: watch::Receiver<Option<ChecklistState>>,
    /// How many people are followed; `None` until it is known, and while the register is shut.
    pub follow_up: watch::Receiver<Option<FollowUpState>>,
    /// Whether a collector of the street acknowledges what it receives.
    pub street_receipts: bool,
    /// Whether Home Assistant is told of this gate.
    pub home_assistant: bool,
    /// Which commands are followed.
    pub commands: BTreeSet<CommandName>,
    /// Whether this site can take a version of a list that was sent.
    pub suits: Arc<Suits>,
    /// Where commands are recorded, and so done.
    pub journal: Arc<dyn Journal>,
}

impl std::fmt::Debug for LinkSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkSettings")
            .field("account", &self.account)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// How the link stands, for the screens.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkState {
    /// The first attempt is under way.
    Connecting,
    /// The broker is there, and acknowledges what it is sent.
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

/// What the link tells.
#[derive(Clone, Debug)]
pub struct Telling {
    /// How it stands.
    pub state: watch::Sender<LinkState>,
    /// Whether the street acknowledges nothing of what the broker accepted.
    pub silent: watch::Sender<bool>,
}

/// Keeps the link until `shutdown`. `wake` is notified after every commit that put messages into
/// the outbox.
pub async fn run(
    settings: LinkSettings,
    outbox: Arc<dyn Outbox>,
    wake: Arc<Notify>,
    telling: Telling,
    shutdown: CancellationToken,
) {
    let signs = Signs::default();
    telling.state.send_replace(LinkState::Connecting);
    tokio::select! {
        () = keep(&settings, outbox, &wake, &telling.state, &signs, &shutdown) => {}
        () = signs.watch(&telling.silent) => {}
    }
    telling.state.send_replace(LinkState::Stopped);
}

/// Connects again and again.
async fn keep(
    settings: &LinkSettings,
    outbox: Arc<dyn Outbox>,
    wake: &Notify,
    status: &watch::Sender<LinkState>,
    signs: &Signs,
    shutdown: &CancellationToken,
) {
    let mut backoff = Backoff::default();
    let mut suspect = None;
    loop {
        let rows = (Arc::clone(&outbox), suspect);
        let end = Connection::run(settings, rows, wake, status, signs, shutdown).await;
        signs.note(LinkWatch::lost);
        let End::Lost {
            why,
            proved,
            suspected,
            refused,
        } = end
        else {
            return;
        };
        if proved {
            backoff = Backoff::default();
            suspect = suspected;
        }
        if let Some(number) = refused {
            note_refused(&outbox, number, &why).await;
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
            () = tokio::time::sleep(backoff.wait()) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// The broker closed the connection at this message.
async fn note_refused(outbox: &Arc<dyn Outbox>, number: MessageNumber, why: &str) {
    let (rows, reason) = (Arc::clone(outbox), why.to_owned());
    let told = spawn_blocking(move || rows.refused(&Channel::broker(), number, &reason)).await;
    match told {
        Ok(Ok(true)) => tracing::error!(
            message = number.0,
            why,
            "a message was refused three times and is put aside; see to what the broker \
             allows, then have it sent again with the command resend"
        ),
        Ok(Ok(false)) => tracing::warn!(message = number.0, why, "the broker refuses a message"),
        Ok(Err(error)) => tracing::error!(%error, "a refusal could not be saved"),
        Err(error) => tracing::error!(%error, "a refusal could not be saved"),
    }
}

/// Doubles the wait after each failure, and spreads it, so that a thousand gateways do not come
/// back to a restarted broker in the same second.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        self.next(chance())
    }

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
pub(super) fn chance() -> f64 {
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
