//! A client's session at the broker: welcome, packet numbers, what is under way, keep-alive. Knows
//! MQTT 3.1.1 and nothing of outbox, receipts or commands.
//!
//! A gateway's sessions are clean. A collector's may outlast its connections, so that the broker keeps
//! for it what comes meanwhile; what the broker says of an old session is not listened to.

use super::dial::Account;
use super::link::LinkSettings;
use super::payload::{self, Presence};
use super::wire::{Gone, Wire};
use crate::clock::Stamp;
use crate::journal::OutboxMessage;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{
    Connect, ConnectReturnCode, LastWill, Login, Packet, PubAck, PubRec, Publish, Subscribe,
    SubscribeFilter, SubscribeReasonCode,
};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// From dialling to the broker's welcome.
const WELCOME_WITHIN: Duration = Duration::from_secs(30);

/// Packet number of the only subscription; publications count from the next.
const SUBSCRIPTION: u16 = 1;

/// What came.
#[derive(Debug)]
pub(super) enum Came<T> {
    /// The broker has acknowledged something.
    Acknowledged(T),
    /// A message for us.
    Message(Publish),
    /// The broker does not let us listen to this filter.
    Deaf(String),
    /// Nothing that matters.
    Nothing,
}

/// A session; `T` says what each publication under way is.
pub(super) struct Session<T> {
    wire: Wire,
    /// On their way, oldest first, by packet number.
    flying: VecDeque<(u16, T)>,
    last_number: u16,
    filters: Vec<String>,
    keep_alive: Duration,
    ping_at: Instant,
    /// A question that the broker has not answered.
    asked: bool,
}

impl<T> Session<T> {
    /// Dials, and is welcomed by the broker; or why not, and what to do. The broker publishes the
    /// last will, where there is one, if the session ends without [`Session::end`].
    pub(super) async fn begin(
        account: &Account,
        will: Option<OutboxMessage>,
    ) -> Result<Self, String> {
        Self::begin_as(account, will, true).await
    }

    /// The same; one that is not clean goes on where this client's last one ended.
    pub(super) async fn begin_as(
        account: &Account,
        will: Option<OutboxMessage>,
        clean: bool,
    ) -> Result<Self, String> {
        let broker = &account.broker;
        let welcomed = timeout(WELCOME_WITHIN, async {
            let mut wire = Wire::over(account.dial.dial().await?);
            wire.put(&connect(account, will, clean))
                .map_err(|error| error.to_string())?;
            let answer = wire
                .next()
                .await
                .map_err(|gone| before_the_welcome(&gone, broker))?;
            match answer {
                Packet::ConnAck(welcome) if welcome.code == ConnectReturnCode::Success => Ok(wire),
                Packet::ConnAck(refusal) => Err(refused(refusal.code, account)),
                _ => Err(format!("what answers at {broker} is no MQTT broker")),
            }
        });
        let wire = welcomed.await.unwrap_or_else(|_| {
            Err(format!(
                "the broker at {broker} does not answer: check the address, the network and any \
                 firewall between"
            ))
        })?;
        let keep_alive = account.keep_alive.max(Duration::from_secs(1));
        Ok(Self {
            wire,
            flying: VecDeque::new(),
            last_number: SUBSCRIPTION,
            filters: Vec::new(),
            keep_alive,
            ping_at: Instant::now() + keep_alive,
            asked: false,
        })
    }

    /// Listens to these filters.
    pub(super) fn subscribe(&mut self, filters: Vec<String>) -> Result<(), String> {
        if filters.is_empty() {
            return Ok(());
        }
        let wanted = filters.iter().map(|path| SubscribeFilter {
            path: path.clone(),
            qos: QoS::AtLeastOnce,
        });
        let mut subscribe = Subscribe::new_many(wanted);
        subscribe.pkid = SUBSCRIPTION;
        self.filters = filters;
        self.put(&Packet::Subscribe(subscribe))
    }

    /// Sends a message.
    pub(super) fn publish(&mut self, message: OutboxMessage, what: T) -> Result<(), String> {
        let mut publish = Publish::new(message.topic, QoS::AtLeastOnce, message.payload);
        publish.retain = message.retain;
        publish.pkid = self.free_number();
        let number = publish.pkid;
        self.put(&Packet::Publish(publish))?;
        self.flying.push_back((number, what));
        Ok(())
    }

    /// What is under way, oldest first.
    pub(super) fn flying(&self) -> impl ExactSizeIterator<Item = &T> {
        self.flying.iter().map(|(_, what)| what)
    }

    /// A number that nothing under way has. Few are under way, so one is soon found.
    fn free_number(&mut self) -> u16 {
        loop {
            self.last_number = self.last_number.wrapping_add(1).max(SUBSCRIPTION + 1);
            let taken = |(number, _): &(u16, T)| *number == self.last_number;
            if !self.flying.iter().any(taken) {
                return self.last_number;
            }
        }
    }

    fn put(&mut self, packet: &Packet) -> Result<(), String> {
        self.wire.put(packet).map_err(|error| error.to_string())
    }

    /// Writes what waits, and gives what comes next. May be dropped and asked again.
    pub(super) async fn next(&mut self) -> Result<Came<T>, Gone> {
        tokio::select! {
            packet = self.wire.next() => {
                let packet = packet?;
                Ok(self.came(packet))
            }
            () = sleep_until(self.ping_at) => {
                if self.asked {
                    return Err(Gone::Silent);
                }
                self.asked = true;
                self.ping_at = Instant::now() + self.keep_alive;
                // A packet of two bytes is never too large.
                let _ = self.put(&Packet::PingReq);
                Ok(Came::Nothing)
            }
        }
    }

    fn came(&mut self, packet: Packet) -> Came<T> {
        self.asked = false;
        match packet {
            // One that came before, or that nobody waits for, says nothing.
            Packet::PubAck(PubAck { pkid }) => {
                let place = self.flying.iter().position(|(number, _)| *number == pkid);
                match place.and_then(|place| self.flying.remove(place)) {
                    Some((_, what)) => Came::Acknowledged(what),
                    None => Came::Nothing,
                }
            }
            Packet::Publish(publish) => {
                let number = publish.pkid;
                // Small packets, all of them.
                let _ = match publish.qos {
                    QoS::AtMostOnce => Ok(()),
                    QoS::AtLeastOnce => self.put(&Packet::PubAck(PubAck::new(number))),
                    // Never asked for; a broker that sends it all the same goes on after this.
                    QoS::ExactlyOnce => self.put(&Packet::PubRec(PubRec::new(number))),
                };
                Came::Message(publish)
            }
            Packet::SubAck(answer) => {
                let refused = |(code, filter): (&SubscribeReasonCode, &String)| {
                    (*code == SubscribeReasonCode::Failure).then(|| filter.clone())
                };
                let codes = answer.return_codes.iter();
                match codes.zip(&self.filters).find_map(refused) {
                    Some(filter) => Came::Deaf(filter),
                    None => Came::Nothing,
                }
            }
            _ => Came::Nothing,
        }
    }

    /// Says goodbye, so that the broker does not publish the will.
    pub(super) async fn end(mut self, within: Duration) {
        if self.put(&Packet::Disconnect).is_ok() {
            // The broker may be gone already; then it publishes the will, which is right, too.
            let _ = timeout(within, self.wire.close()).await;
        }
    }
}

/// The status message.
pub(super) fn presence(
    settings: &LinkSettings,
    presence: Presence,
    now: Option<&Stamp>,
) -> OutboxMessage {
    payload::status(
        &settings.address,
        &settings.epoch,
        &settings.version,
        settings.basis,
        presence,
        now,
    )
}

/// The first packet.
fn connect(account: &Account, will: Option<OutboxMessage>, clean: bool) -> Packet {
    let mut connect = Connect::new(&account.client_id);
    connect.clean_session = clean;
    let seconds = account.keep_alive.as_secs().max(1);
    connect.keep_alive = u16::try_from(seconds).unwrap_or(u16::MAX);
    connect.last_will =
        will.map(|will| LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, will.retain));
    connect.login = account.username.as_ref().map(|username| Login {
        username: username.clone(),
        password: account
            .password
            .as_ref()
            .map_or_else(String::new, |it| it.reveal().clone()),
    });
    Packet::Connect(connect)
}

fn before_the_welcome(gone: &Gone, broker: &str) -> String {
    match gone {
        Gone::Closed => format!(
            "the broker at {broker} closed the connection without a word: is this its port, with \
             or without TLS as it is set? Its log may say why"
        ),
        other => in_words(other, broker),
    }
}

/// Why the broker does not let us in.
fn refused(code: ConnectReturnCode, account: &Account) -> String {
    let Account {
        broker, client_id, ..
    } = account;
    match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized
            if account.username.is_none() =>
        {
            format!(
                "the broker at {broker} wants a user name and a password: set them in the \
                 settings of the broker's link"
            )
        }
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => format!(
            "the broker at {broker} does not accept this user name and password: correct them, or \
             allow this user at the broker"
        ),
        ConnectReturnCode::BadClientId => format!(
            "the broker at {broker} does not accept the client id {client_id:?}: choose another one"
        ),
        code => format!("the broker at {broker} refuses connections ({code:?}): look into its log"),
    }
}

/// What ended a connection, in plain words, and what to do.
pub(super) fn in_words(gone: &Gone, broker: &str) -> String {
    match gone {
        Gone::Closed => format!(
            "the broker at {broker} closed the connection; if this repeats, another client has the \
             same client id, or the broker's log says why"
        ),
        Gone::Silent => format!("the broker at {broker} fell silent: check the network"),
        Gone::Io(error) => match super::tls::in_words(error) {
            Some(words) => format!("TLS with the broker at {broker}: {words}"),
            None => format!("the connection to the broker at {broker} failed ({error})"),
        },
        Gone::Malformed(error) => {
            format!("the broker at {broker} sends what is no MQTT 3.1.1 ({error})")
        }
    }
}
