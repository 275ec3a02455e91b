//! The collector: hears the street's gates, keeps what they say, and only then tells them so.
//!
//! One thing after the other: hear some messages, one transaction, receipts. Where the database is
//! away, what was heard is held, nothing more is heard, and both are tried again. Whatever goes
//! wrong in between costs time and nothing else: no gate was told that we have what we have not.
//!
//! Alone at its broker, a collector has a session that lasts, so that the broker keeps for it what
//! comes while it is away. Several of them share the messages instead; then sessions are clean,
//! since a broker would keep a share of the messages for one that never comes back.

use super::ledger::{Answer, Ledger};
use crate::clock::Clock;
use crate::mqtt::{
    Account, Backoff, Heard, Listener, Lost, Part, numbered_of, receipt, shared, standing_of,
};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// What a collector needs to know.
#[derive(Clone)]
pub struct CollectorSettings {
    /// Who we are, at which broker.
    pub account: Account,
    /// Whose gates.
    pub street: Part,
    /// How receipts are signed; collectors of one database may have one name.
    pub name: Part,
    /// Whether other collectors are beside this one, at a broker that deals messages out.
    pub beside_others: bool,
    /// For the times at which messages came.
    pub clock: Arc<dyn Clock>,
}

/// Collects until `shutdown`.
pub async fn run(
    settings: &CollectorSettings,
    ledger: Arc<dyn Ledger>,
    shutdown: &CancellationToken,
) {
    let mut collector = Collector {
        settings,
        ledger,
        held: Vec::new(),
        backoff: Backoff::default(),
        forget_session: false,
    };
    loop {
        // What is dropped here half-way was not acknowledged to any gate.
        let lost = tokio::select! {
            lost = collector.serve() => lost,
            () = shutdown.cancelled() => return,
        };
        collector.forget_session = lost.unreadable;
        let wait = collector.backoff.wait();
        tracing::warn!(why = lost.why, ?wait, "nothing is collected; trying again");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

struct Collector<'a> {
    settings: &'a CollectorSettings,
    ledger: Arc<dyn Ledger>,
    /// Heard, and not kept yet.
    held: Vec<Heard>,
    backoff: Backoff,
    /// Whether the broker's memory of us has to go: it would send again what cannot be read.
    forget_session: bool,
}

impl Collector<'_> {
    /// Serves until something is lost.
    async fn serve(&mut self) -> Lost {
        match self.try_serve().await {
            Err(lost) => lost,
            Ok(never) => match never {},
        }
    }

    async fn try_serve(&mut self) -> Result<std::convert::Infallible, Lost> {
        let CollectorSettings {
            account,
            street,
            name,
            beside_others,
            ..
        } = self.settings;
        // The database first: what is heard without one is heard in vain.
        let mut answers = self.keep().await?;
        let mut filters = numbered_of(street);
        if *beside_others {
            filters = filters.iter().map(|it| shared(name, it)).collect();
        }
        // Never shared: what is retained goes only to those who ask for themselves. Each of several
        // collectors hears it, and what is kept already is not written again.
        filters.extend(standing_of(street));
        let lasting = !beside_others && !self.forget_session;
        let mut listener = Listener::begin(account, filters, lasting).await?;
        tracing::info!(
            broker = account.broker,
            street = street.as_str(),
            "collecting"
        );
        loop {
            for Answer { site, receipt: it } in answers {
                listener.say(receipt(&site, name, &it))?;
            }
            listener.hear(&mut self.held).await?;
            answers = self.keep().await?;
            self.backoff = Backoff::default();
        }
    }

    /// Keeps what is held, and says what the gates may be told.
    async fn keep(&mut self) -> Result<Vec<Answer>, Lost> {
        let (ledger, now) = (Arc::clone(&self.ledger), self.settings.clock.now().wall);
        let held = std::mem::take(&mut self.held);
        let (held, taken) = spawn_blocking(move || {
            let taken = ledger.take(&held, now);
            (held, taken)
        })
        .await
        .map_err(|error| Lost::from(error.to_string()))?;
        match taken {
            Ok(taken) => {
                if taken.unfit > 0 {
                    tracing::warn!(messages = taken.unfit, "put into quarantine");
                }
                tracing::debug!(new = taken.new, again = taken.again, "kept");
                Ok(taken.answers)
            }
            Err(error) => {
                self.held = held;
                Err(Lost::from(error.to_string()))
            }
        }
    }
}
