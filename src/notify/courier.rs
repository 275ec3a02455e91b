//! The courier: empties one notifier's part of the outbox, as fast as its server lets it.
//!
//! A task without end. What a server takes is noted as accepted; what it refuses counts a refusal for each
//! message in it, and after three the outbox puts them aside, so that one that can never be taken does not
//! hold up the others; what fails is tried again, ever more rarely, up to every five minutes.

use super::notice::{self, Notice};
use super::pace::{Next, Pace, Waiting};
use super::post::Post;
use super::robot::{Answer, Endpoint};
use crate::clock::{Clock, Stamp};
use crate::id::{Channel, MessageNumber};
use crate::journal::{JournalError, Outbox, OutboxRow, SafeAt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Messages that are looked at, and at most in one digest.
const MOST: u32 = 100;

/// Longest wait after failures.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// What a courier needs.
#[derive(Clone)]
pub struct CourierSettings {
    /// Where to.
    pub endpoint: Endpoint,
    /// The request.
    pub post: Post,
    /// For pace, lateness and signatures.
    pub clock: Arc<dyn Clock>,
    /// First wait after a failure or a refusal; it doubles.
    pub first_wait: Duration,
}

/// Sends what waits until told to stop. `wake` is notified after every commit that put messages into
/// the outbox.
pub async fn run(
    settings: CourierSettings,
    outbox: Arc<dyn Outbox>,
    wake: Arc<Notify>,
    stop: CancellationToken,
) {
    let name = settings.endpoint.kind().as_str();
    let mut courier = Courier {
        channel: Channel::notifier(name),
        settings,
        outbox,
        pace: Pace::default(),
        failures: 0,
    };
    loop {
        let pause = tokio::select! {
            pause = courier.round() => pause,
            () = stop.cancelled() => break,
        };
        tokio::select! {
            () = wake.notified(), if pause.is_none() => {}
            () = tokio::time::sleep(pause.unwrap_or(LONGEST_WAIT)) => {}
            () = stop.cancelled() => break,
        }
    }
}

struct Courier {
    settings: CourierSettings,
    channel: Channel,
    outbox: Arc<dyn Outbox>,
    pace: Pace,
    /// In a row.
    failures: u32,
}

impl Courier {
    /// Sends at most one message. How long to wait before the next round; `None`: until something happens.
    async fn round(&mut self) -> Option<Duration> {
        match self.try_round().await {
            Ok(pause) => pause,
            Err(error) => {
                let channel = &self.channel;
                tracing::error!("{channel}: the outbox cannot be used: {error}");
                Some(self.longer())
            }
        }
    }

    async fn try_round(&mut self) -> Result<Option<Duration>, JournalError> {
        let rows = self.waiting().await?;
        let now = self.settings.clock.now();
        let waiting: Vec<_> = rows.iter().map(waiting).collect();
        let count = match self.pace.next(&waiting, &now) {
            Next::Nothing => return Ok(None),
            Next::Wait(pause) => return Ok(Some(pause)),
            Next::Send(count) => count,
        };
        let rows = rows.get(..count).unwrap_or(&rows);
        let numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
        let answer = match read(rows) {
            Ok(notices) => self.send(&notices, rows, &now).await,
            Err(why) => Answer::Refused(why),
        };
        match answer {
            Answer::Taken => {
                self.accepted(numbers).await?;
                self.pace
                    .sent(waiting.get(..count).unwrap_or_default(), &now);
                self.failures = 0;
                Ok(Some(Duration::ZERO))
            }
            Answer::Later(pause) => {
                let channel = &self.channel;
                tracing::warn!("{channel}: the server asks for a pause of {pause:?}");
                Ok(Some(pause))
            }
            Answer::Trouble(why) => {
                self.say_once(&why, count);
                Ok(Some(self.longer()))
            }
            Answer::Refused(why) => {
                let channel = &self.channel;
                tracing::error!("{channel}: refused: {why}");
                let parked = self.refused(numbers, why).await?;
                // What is put aside holds nobody up.
                Ok(Some(if parked {
                    self.failures = 0;
                    Duration::ZERO
                } else {
                    self.longer()
                }))
            }
        }
    }

    async fn send(&self, notices: &[Notice], rows: &[OutboxRow], now: &Stamp) -> Answer {
        let late = rows.last().is_some_and(|row| notice::is_late(&row.at, now));
        let Some(letter) = notice::letter(notices, late) else {
            return Answer::Taken;
        };
        let endpoint = &self.settings.endpoint;
        let request = endpoint.request(&letter, now);
        self.settings.post.send(endpoint, request, *now).await
    }

    /// The first failure in a row is worth a line; the others say the same.
    fn say_once(&self, why: &str, count: usize) {
        if self.failures == 0 {
            let channel = &self.channel;
            tracing::warn!("{channel}: {count} messages wait and are tried again: {why}");
        }
    }

    /// Between half and all of a wait that doubles with each failure, so that a thousand gateways do not
    /// come back in the same second.
    fn longer(&mut self) -> Duration {
        let doubled = self
            .settings
            .first_wait
            .saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
        // The upper 32 bits of a version 4 UUID are all random (RFC 9562, §5.4).
        let chance = (random >> 32) as f64 / f64::from(u32::MAX);
        doubled
            .min(LONGEST_WAIT)
            .mul_f64(f64::midpoint(1.0, chance))
    }

    async fn waiting(&self) -> Result<Vec<OutboxRow>, JournalError> {
        self.ask(|outbox, channel| outbox.waiting(channel, SafeAt::Broker, MessageNumber(0), MOST))
            .await
    }

    async fn accepted(&self, numbers: Vec<MessageNumber>) -> Result<(), JournalError> {
        self.ask(move |outbox, channel| outbox.accepted(channel, &numbers))
            .await
    }

    /// Whether all of them are put aside now.
    async fn refused(
        &self,
        numbers: Vec<MessageNumber>,
        why: String,
    ) -> Result<bool, JournalError> {
        self.ask(move |outbox, channel| {
            let mut all = true;
            for number in numbers {
                all &= outbox.refused(channel, number, &why)?;
            }
            Ok(all)
        })
        .await
    }

    /// Asks the outbox, which waits for the disk, away from the runtime's own threads.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Outbox, &Channel) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (outbox, channel) = (Arc::clone(&self.outbox), self.channel.clone());
        tokio::task::spawn_blocking(move || question(outbox.as_ref(), &channel))
            .await
            .unwrap_or_else(|_| {
                Err(JournalError::Storage(
                    "the store stopped while answering; restart the gateway".to_owned(),
                ))
            })
    }
}

fn waiting(row: &OutboxRow) -> Waiting {
    Waiting {
        alert: row.message.topic == "alert_raised",
        at: row.at,
    }
}

fn read(rows: &[OutboxRow]) -> Result<Vec<Notice>, String> {
    rows.iter()
        .map(|row| Notice::read(&row.message.payload))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("a message is not as this version writes it: {error}"))
}

#[cfg(test)]
mod tests;
