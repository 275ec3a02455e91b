//! The street's end of the line: a session that hears what gates say, and says what was received.
//!
//! A message is acknowledged to the broker as soon as it is read, before anybody has kept it. That
//! is not what keeps it safe: its gate sends it again until it has our receipt, which is for whoever
//! uses this to send once the message is on a disk.

use super::dial::Account;
use super::inbound::ReceiptPayload;
use super::payload;
use super::session::{Came, Session, in_words};
use super::topic::{Address, Class, Part, Topic};
use super::wire::Gone;
use crate::journal::{OutboxMessage, Receipt};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Messages heard together at most, so that one transaction keeps them.
const MOST_TOGETHER: usize = 500;
/// How long is waited for more after the first of them.
const GATHER_FOR: Duration = Duration::from_millis(20);
/// Messages of ours under way; more wait for acknowledgements.
const MOST_UNDER_WAY: usize = 1000;
/// A broker that takes messages and acknowledges none for so long is given up.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(30);
/// How long a planned end waits for the broker.
const END_WITHIN: Duration = Duration::from_secs(3);

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// Why nothing is heard any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Lost {
    /// In plain words, with what to do.
    pub why: String,
    /// Whether the broker sent what cannot be read: in a session that lasts it would send that again
    /// each time.
    pub unreadable: bool,
}

impl From<String> for Lost {
    fn from(why: String) -> Self {
        Self {
            why,
            unreadable: false,
        }
    }
}

/// A session that hears.
pub struct Listener {
    session: Session<()>,
    broker: String,
    /// When something of ours was acknowledged last, or nothing waited for it.
    acknowledged: Instant,
}

impl Listener {
    /// Connects, and asks for these filters. Where the session is a lasting one, the broker keeps
    /// what comes until this client is back.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub async fn begin(
        account: &Account,
        filters: Vec<String>,
        lasting: bool,
    ) -> Result<Self, Lost> {
        let mut session = Session::begin_as(account, None, !lasting).await?;
        session.subscribe(filters)?;
        Ok(Self {
            session,
            broker: account.broker.clone(),
            acknowledged: Instant::now(),
        })
    }

    /// Whether more of ours may go out now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.session.flying().len() < MOST_UNDER_WAY
    }

    /// Waits for messages, and puts those that come together behind what is there already; or until there is
    /// room again for ours.
    ///
    /// # Errors
    /// Where the connection is lost, or the broker does not let us listen.
    pub async fn hear(&mut self, heard: &mut Vec<Heard>) -> Result<(), Lost> {
        let mut until = None;
        let was_full = !self.has_room();
        loop {
            let came = match until {
                None => self.session.next().await,
                Some(end) => match timeout_at(end, self.session.next()).await {
                    Ok(came) => came,
                    Err(_) => return Ok(()),
                },
            };
            match came {
                Ok(Came::Message(publish)) => {
                    heard.push(Heard {
                        topic: publish.topic,
                        payload: publish.payload.to_vec(),
                    });
                    if heard.len() >= MOST_TOGETHER {
                        return Ok(());
                    }
                    until.get_or_insert_with(|| Instant::now() + GATHER_FOR);
                }
                Ok(Came::Deaf(filter)) => {
                    return Err(Lost::from(format!(
                        "the broker at {} does not let us listen to {filter}: allow this user to \
                         read it in the broker's access list",
                        self.broker
                    )));
                }
                Ok(Came::Acknowledged(())) => {
                    self.acknowledged = Instant::now();
                    if was_full && self.session.flying().len() <= MOST_UNDER_WAY / 2 {
                        return Ok(());
                    }
                }
                Ok(Came::Nothing) => {}
                Err(gone) => {
                    return Err(Lost {
                        unreadable: matches!(gone, Gone::Malformed(_)),
                        why: in_words(&gone, &self.broker),
                    });
                }
            }
        }
    }

    /// Sends a message; [`Listener::hear`] writes it.
    ///
    /// # Errors
    /// Where the broker acknowledges nothing, or the message is larger than MQTT allows.
    pub fn say(&mut self, message: OutboxMessage) -> Result<(), Lost> {
        if self.session.flying().next().is_none() {
            self.acknowledged = Instant::now();
        }
        if self.acknowledged.elapsed() >= ACKNOWLEDGE_WITHIN {
            return Err(Lost::from(format!(
                "the broker at {} takes receipts but acknowledges none; restart it if this repeats",
                self.broker
            )));
        }
        Ok(self.session.publish(message, ())?)
    }

    /// Ends the session in order, after what waits was written.
    pub async fn end(self) {
        self.session.end(END_WITHIN).await;
    }
}

/// The message by which a collector tells a gate what it has.
#[must_use]
pub fn receipt(address: &Address, collector: &Part, receipt: &Receipt) -> OutboxMessage {
    let payload = payload::bytes(&ReceiptPayload::from(receipt));
    payload::message(&Topic::receipt(address, collector), payload)
}

/// The message by which the street asks a gate for something; `None` where the name can stand in no topic.
#[must_use]
pub fn command(address: &Address, name: &str, payload: Vec<u8>) -> Option<OutboxMessage> {
    let topic = Topic {
        address: address.clone(),
        class: Class::Cmd,
        name: name.parse().ok()?,
    };
    Some(payload::message(&topic, payload))
}
