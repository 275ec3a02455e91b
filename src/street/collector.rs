//! The collector: hears the street's gates, keeps what they say, and only then tells them so.
//!
//! One thing after the other: hear some messages, one transaction, receipts. Where the database is
//! away, what was heard is held, nothing more is heard, and both are tried again. Whatever goes
//! wrong in between costs time and nothing else: no gate was told that we have what we have not.
//!
//! Between messages it looks for orders that sites have not answered, and sends each of them again now and
//! then: a gate that was away knows nothing of it, and one that has done it answers no more than that.
//!
//! Alone at its broker, a collector has a session that lasts, so that the broker keeps for it what
//! comes while it is away. Several of them share the messages instead; then sessions are clean,
//! since a broker would keep a share of the messages for one that never comes back.

use super::ledger::{Answer, Ledger};
use crate::clock::Clock;
use crate::id::DeviceEpoch;
use crate::journal::Receipt;
use crate::mqtt::{
    Account, Address, Backoff, Class, Heard, Listener, Lost, Part, Topic, command, numbered_of,
    receipt, shared, standing_of,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// How often is looked for orders.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// An order that a site has not answered is sent again after this.
const AGAIN_AFTER: Duration = Duration::from_mins(1);
/// Orders sent at each look, at most.
const MOST_AT_ONCE: usize = 500;

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
        receipts: Receipts::default(),
        backoff: Backoff::default(),
        forget_session: false,
        look_at: Instant::now(),
        sent: HashMap::new(),
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

/// Receipts that wait for the broker. A later one says all that an earlier one of the same database did, and takes
/// its place: where the broker is slow, each gate is told less often and no less.
#[derive(Default)]
struct Receipts {
    turns: VecDeque<(Address, DeviceEpoch)>,
    latest: HashMap<(Address, DeviceEpoch), Receipt>,
}

impl Receipts {
    fn add(&mut self, Answer { site, receipt }: Answer) {
        let whose = (site, receipt.epoch.clone());
        if self.latest.insert(whose.clone(), receipt).is_none() {
            self.turns.push_back(whose);
        }
    }

    fn next(&mut self) -> Option<(Address, Receipt)> {
        let whose = self.turns.pop_front()?;
        let receipt = self.latest.remove(&whose)?;
        Some((whose.0, receipt))
    }
}

struct Collector<'a> {
    settings: &'a CollectorSettings,
    ledger: Arc<dyn Ledger>,
    /// Heard, and not kept yet.
    held: Vec<Heard>,
    /// What gates may be told, and were not told yet.
    receipts: Receipts,
    backoff: Backoff,
    /// Whether the broker's memory of us has to go: it would send again what cannot be read.
    forget_session: bool,
    /// When is looked for orders next.
    look_at: Instant,
    /// When which order was last sent to which site.
    sent: HashMap<(String, String), Instant>,
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
        self.keep().await?;
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
            while listener.has_room()
                && let Some((site, it)) = self.receipts.next()
            {
                listener.say(receipt(&site, name, &it))?;
            }
            tokio::select! {
                heard = listener.hear(&mut self.held) => heard?,
                () = sleep_until(self.look_at) => self.send_orders(&mut listener).await?,
            }
            // Also what was being gathered meanwhile.
            if !self.held.is_empty() {
                self.keep().await?;
            }
            self.backoff = Backoff::default();
        }
    }

    /// Sends what sites have not answered and were not told a moment ago.
    async fn send_orders(&mut self, listener: &mut Listener) -> Result<(), Lost> {
        let (ledger, wall) = (Arc::clone(&self.ledger), self.settings.clock.now().wall);
        let unanswered = spawn_blocking(move || ledger.unanswered(wall))
            .await
            .map_err(|error| Lost::from(error.to_string()))?
            .map_err(|error| Lost::from(error.to_string()))?;
        let now = Instant::now();
        self.sent.retain(|_, at| now < *at + AGAIN_AFTER);
        let mut sent = 0;
        for (site, order) in unanswered {
            let key = (site.to_string(), order.id);
            if self.sent.contains_key(&key) {
                continue;
            }
            if let Some(message) = command(&site, &order.name, order.payload) {
                listener.say(message)?;
                sent += 1;
            }
            self.sent.insert(key, now);
            if sent == MOST_AT_ONCE {
                break;
            }
        }
        self.look_at = Instant::now() + LOOK_EVERY;
        Ok(())
    }

    /// Keeps what is held, and notes what the gates may be told.
    async fn keep(&mut self) -> Result<(), Lost> {
        // Whoever has just come back heard nothing of what was sent meanwhile.
        for heard in &self.held {
            if let Ok(topic) = heard.topic.parse::<Topic>()
                && topic.class == Class::Status
            {
                let site = topic.address.to_string();
                self.sent.retain(|(to, _), _| *to != site);
            }
        }
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
                taken
                    .answers
                    .into_iter()
                    .for_each(|it| self.receipts.add(it));
                Ok(())
            }
            Err(error) => {
                self.held = held;
                Err(Lost::from(error.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageNumber;

    #[test]
    fn a_later_receipt_takes_the_place_of_an_earlier_one_and_everybody_has_a_turn() {
        let site = |building: &str| Address::new("dongfang", building, "main").unwrap();
        let answer = |building: &str, epoch: &str, up_to: u64| Answer {
            site: site(building),
            receipt: Receipt {
                epoch: DeviceEpoch(epoch.to_owned()),
                up_to: MessageNumber(up_to),
                gaps: Vec::new(),
            },
        };
        let mut receipts = Receipts::default();
        for (building, epoch, up_to) in [("a", "e", 1), ("b", "e", 1), ("a", "e", 7), ("a", "f", 2)]
        {
            receipts.add(answer(building, epoch, up_to));
        }
        let mut told = Vec::new();
        while let Some((site, it)) = receipts.next() {
            told.push((site.building.to_string(), it.epoch.0, it.up_to.0));
        }
        let said =
            |building: &str, epoch: &str, up_to| (building.to_owned(), epoch.to_owned(), up_to);
        assert_eq!(
            told,
            [said("a", "e", 7), said("b", "e", 1), said("a", "f", 2)]
        );
    }
}
