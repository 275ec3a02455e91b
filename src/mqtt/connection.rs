//! One connection to the broker, from its beginning to its end; the next one shares nothing.
//!
//! Which row an acknowledgement belongs to is known by order alone, since rumqttc tells no packet
//! number when a message is handed over: messages are handed over with `try_publish` by this task
//! only, so `Outgoing::Publish(number)` events come in the order of `handed`, and each `PubAck`
//! names its number. A window bounds what is under way; rumqttc's own limit lies above it, so that
//! it never comes into its faulty state of colliding numbers.
//!
//! `EventLoop::poll` is not dropped half-way but where the connection is given up: what wakes this
//! task meanwhile (new rows, the shutdown, a finished disk access) is dealt with beside it.

use super::link::{LinkSettings, LinkState};
use super::payload::{self, OpenAlerts, Presence};
use crate::id::{Channel, MessageNumber};
use crate::journal::{JournalError, Outbox, OutboxMessage, OutboxRow, SafeAt};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    Outgoing, Packet, QoS, StateError,
};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Messages under way at once.
const WINDOW: usize = 20;
/// Room for what goes beside the window: the status, at the beginning and at the end.
const BESIDE: usize = 4;
/// Rows read from the outbox at once.
const BATCH: u32 = 100;
/// Largest packet either way, bytes; the outbox takes payloads up to 8 KiB.
const MAX_PACKET: usize = 64 * 1024;
/// A broker that takes messages and acknowledges none for so long is given up.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 30 });
/// How long a planned stop waits for the broker.
const STOP_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 3 });
/// After a failed disk access.
const DISK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// On purpose.
    Stopped,
    /// Lost, or never made.
    Lost {
        /// Why, and what to do.
        why: String,
        /// Whether the broker had acknowledged anything: then it was a real one, and the next
        /// attempt need not wait long.
        proved: bool,
    },
}

/// What a message under way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// A row of the outbox.
    Row(MessageNumber),
    /// How things stand; sent anew in every connection.
    State,
    /// The last word of a planned stop.
    Goodbye,
}

/// A disk access under way.
type Task<T> = Option<JoinHandle<Result<T, JournalError>>>;

/// One connection.
pub(super) struct Connection<'a> {
    settings: &'a LinkSettings,
    outbox: Arc<dyn Outbox>,
    wake: &'a Notify,
    status: &'a watch::Sender<LinkState>,
    shutdown: &'a CancellationToken,
    /// `None` once nobody tells us of them any more.
    open_alerts: Option<watch::Receiver<OpenAlerts>>,
    /// Whether the list of open alerts has to be published.
    announce: bool,
    client: AsyncClient,
    /// Rows that were read and not handed over yet.
    ready: VecDeque<OutboxRow>,
    /// Handed over; packet number not known yet.
    handed: VecDeque<Sent>,
    /// On the wire, with their packet numbers.
    flying: VecDeque<(u16, Sent)>,
    /// Last row that was read in this connection.
    read_up_to: MessageNumber,
    /// Whether the outbox may have more.
    more: bool,
    reading: Task<Vec<OutboxRow>>,
    /// Rows that the broker acknowledged and the outbox does not know of yet.
    acknowledged: Vec<MessageNumber>,
    /// The rows in `saving`.
    being_saved: Vec<MessageNumber>,
    saving: Task<()>,
    /// No disk access before this, after a failed one.
    disk_from: Option<Instant>,
    /// When the broker last showed that it acknowledges.
    progress: Instant,
    proved: bool,
    /// Set by the shutdown: until then at most.
    stop_by: Option<Instant>,
}

/// The result of a task, once it has one. May be dropped and asked again.
async fn finished<T>(task: &mut Task<T>) -> Result<Result<T, JournalError>, JoinError> {
    match task {
        Some(handle) => {
            let result = handle.await;
            *task = None;
            result
        }
        None => std::future::pending().await,
    }
}

/// Waits until the open alerts change.
async fn changed(open_alerts: &mut Option<watch::Receiver<OpenAlerts>>) {
    if let Some(receiver) = open_alerts {
        if receiver.changed().await.is_ok() {
            return;
        }
        *open_alerts = None;
    }
    std::future::pending::<()>().await;
}

/// Waits until a moment, if there is one.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl<'a> Connection<'a> {
    /// Connects, serves until the end, and saves what was acknowledged.
    pub(super) async fn run(
        settings: &'a LinkSettings,
        outbox: Arc<dyn Outbox>,
        wake: &'a Notify,
        status: &'a watch::Sender<LinkState>,
        shutdown: &'a CancellationToken,
    ) -> End {
        let (client, mut events) = AsyncClient::new(options(settings), WINDOW + BESIDE);
        let mut connection = Self {
            settings,
            outbox,
            wake,
            status,
            shutdown,
            open_alerts: Some(settings.open_alerts.clone()),
            announce: true,
            client,
            ready: VecDeque::new(),
            handed: VecDeque::new(),
            flying: VecDeque::new(),
            read_up_to: MessageNumber::default(),
            more: true,
            reading: None,
            acknowledged: Vec::new(),
            being_saved: Vec::new(),
            saving: None,
            disk_from: None,
            progress: Instant::now(),
            proved: false,
            stop_by: None,
        };
        let welcomed = tokio::select! {
            polled = events.poll() => polled,
            () = shutdown.cancelled() => return End::Stopped,
        };
        if let Err(error) = welcomed {
            return connection.lost(in_words(&error, settings));
        }
        let end = connection.serve(&mut events).await;
        // The socket goes before the disk is waited for.
        drop(events);
        connection.settle().await;
        end
    }

    /// Everything after the broker's welcome.
    async fn serve(&mut self, events: &mut EventLoop) -> End {
        let now = self.settings.clock.now();
        self.status
            .send_replace(LinkState::Connected { since: now });
        tracing::info!(host = self.settings.host, "connected to the MQTT broker");
        self.progress = Instant::now();
        self.publish(self.presence(Presence::Online), Sent::State);
        loop {
            let polled = {
                let mut poll = pin!(events.poll());
                loop {
                    self.work();
                    let under_way = !self.handed.is_empty() || !self.flying.is_empty();
                    // While stopping, the shorter limit of the stop holds.
                    let patient = under_way && self.stop_by.is_none();
                    let stalled = patient.then_some(self.progress + ACKNOWLEDGE_WITHIN);
                    tokio::select! {
                        polled = &mut poll => break polled,
                        () = self.wake.notified() => self.more = true,
                        () = changed(&mut self.open_alerts) => self.announce = true,
                        rows = finished(&mut self.reading) => self.was_read(rows),
                        saved = finished(&mut self.saving) => self.was_saved(saved),
                        () = at(self.disk_from) => self.disk_from = None,
                        () = at(stalled) => return self.lost(
                            "the broker takes messages but has acknowledged none for 30 s; \
                             restart it if this repeats".to_owned(),
                        ),
                        () = at(self.stop_by) => return End::Stopped,
                        () = self.shutdown.cancelled(), if self.stop_by.is_none() => {
                            self.stop_by = Some(Instant::now() + STOP_WITHIN);
                            self.publish(self.presence(Presence::Stopped), Sent::Goodbye);
                        }
                    }
                }
            };
            match polled {
                Ok(Event::Outgoing(Outgoing::Publish(number))) => {
                    if let Some(sent) = self.handed.pop_front() {
                        self.flying.push_back((number, sent));
                    }
                }
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return End::Stopped,
                Ok(Event::Incoming(Packet::PubAck(ack))) => self.was_acknowledged(ack.pkid),
                Ok(_) => {}
                Err(_) if self.stop_by.is_some() => return End::Stopped,
                Err(error) => return self.lost(in_words(&error, self.settings)),
            }
        }
    }

    /// Starts to save what was acknowledged, where nothing else is being saved.
    fn save(&mut self) {
        if self.saving.is_none() && !self.acknowledged.is_empty() {
            self.being_saved = std::mem::take(&mut self.acknowledged);
            let (outbox, rows) = (Arc::clone(&self.outbox), self.being_saved.clone());
            self.saving = Some(spawn_blocking(move || {
                outbox.accepted(&Channel::broker(), &rows)
            }));
        }
    }

    /// Starts whatever can be started: reading, saving, publishing.
    fn work(&mut self) {
        let disk = self.disk_from.is_none();
        if disk {
            self.save();
        }
        if self.stop_by.is_some() {
            return;
        }
        if disk && self.more && self.ready.is_empty() && self.reading.is_none() {
            self.more = false;
            let (outbox, after) = (Arc::clone(&self.outbox), self.read_up_to);
            self.reading = Some(spawn_blocking(move || {
                outbox.waiting(&Channel::broker(), SafeAt::Broker, after, BATCH)
            }));
        }
        if self.has_room() && self.announce {
            self.announce = false;
            if let Some(open) = &mut self.open_alerts {
                let message = payload::open_alerts(
                    &self.settings.address,
                    &self.settings.epoch,
                    &open.borrow_and_update(),
                    &self.settings.clock.now(),
                );
                self.publish(message, Sent::State);
            }
        }
        while self.has_room() {
            let Some(row) = self.ready.pop_front() else {
                break;
            };
            let mut message = row.message;
            if !message.retain && payload::is_late(&row.at, &self.settings.clock.now()) {
                message.payload = payload::marked_late(message.payload);
            }
            self.publish(message, Sent::Row(row.number));
        }
    }

    /// Whether the window has room.
    fn has_room(&self) -> bool {
        self.handed.len() + self.flying.len() < WINDOW
    }

    /// Hands a message over. The channel has room for the window and what goes beside it, and the
    /// store lets no topic in that cannot be published to; should it be refused all the same, the
    /// row stays in the outbox, and goes again with the next connection.
    fn publish(&mut self, message: OutboxMessage, sent: Sent) {
        let OutboxMessage {
            topic,
            payload,
            retain,
            keep: _,
        } = message;
        if self.handed.is_empty() && self.flying.is_empty() {
            self.progress = Instant::now();
        }
        let taken = self
            .client
            .try_publish(topic, QoS::AtLeastOnce, retain, payload);
        if taken.is_ok() {
            self.handed.push_back(sent);
        } else {
            tracing::error!(?sent, "the MQTT client did not take a message");
        }
    }

    /// The broker has a message.
    fn was_acknowledged(&mut self, number: u16) {
        self.progress = Instant::now();
        self.proved = true;
        let found = self.flying.iter().position(|(flying, _)| *flying == number);
        match found.and_then(|place| self.flying.remove(place)) {
            Some((_, Sent::Row(row))) => self.acknowledged.push(row),
            Some((_, Sent::Goodbye)) => {
                // Full cannot be; should it be refused, the time limit ends the connection.
                let _ = self.client.try_disconnect();
            }
            Some((_, Sent::State)) | None => {}
        }
    }

    /// Rows came from the outbox.
    fn was_read(&mut self, rows: Result<Result<Vec<OutboxRow>, JournalError>, JoinError>) {
        match rows {
            Ok(Ok(rows)) => {
                if let Some(last) = rows.last() {
                    self.read_up_to = last.number;
                    self.more = true;
                }
                self.ready.extend(rows);
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the outbox cannot be read; trying again");
                self.more = true;
                self.disk_from = Some(Instant::now() + DISK_AGAIN_AFTER);
            }
            Err(error) => {
                tracing::error!(%error, "reading the outbox failed; trying again");
                self.more = true;
                self.disk_from = Some(Instant::now() + DISK_AGAIN_AFTER);
            }
        }
    }

    /// The outbox knows what the broker has, or could not be told.
    fn was_saved(&mut self, saved: Result<Result<(), JournalError>, JoinError>) {
        let rows = std::mem::take(&mut self.being_saved);
        let error = match saved {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(
            error,
            "the broker's receipts could not be saved; trying again"
        );
        self.acknowledged.splice(..0, rows);
        self.disk_from = Some(Instant::now() + DISK_AGAIN_AFTER);
    }

    /// Saves what the broker has acknowledged. Where that fails, the rows go again: twice at the
    /// street, counted once.
    async fn settle(&mut self) {
        if self.saving.is_some() {
            let saved = finished(&mut self.saving).await;
            self.was_saved(saved);
        }
        self.save();
        if self.saving.is_some() {
            let saved = finished(&mut self.saving).await;
            self.was_saved(saved);
        }
    }

    /// The status message.
    fn presence(&self, presence: Presence) -> OutboxMessage {
        let settings = self.settings;
        let now = settings.clock.now();
        payload::status(
            &settings.address,
            &settings.epoch,
            &settings.version,
            settings.basis,
            presence,
            Some(&now),
        )
    }

    /// The connection is gone.
    fn lost(&self, why: String) -> End {
        End::Lost {
            why,
            proved: self.proved,
        }
    }
}

/// rumqttc's options for one connection.
fn options(settings: &LinkSettings) -> MqttOptions {
    let mut options = MqttOptions::new(&settings.client_id, &settings.host, settings.port);
    // rumqttc panics below one second.
    options.set_keep_alive(settings.keep_alive.max(Duration::from_secs(1)));
    options.set_clean_session(true);
    options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
    options.set_inflight((WINDOW + BESIDE) as u16 * 4);
    let will = payload::status(
        &settings.address,
        &settings.epoch,
        &settings.version,
        settings.basis,
        Presence::Offline,
        None,
    );
    options.set_last_will(LastWill::new(
        will.topic,
        will.payload,
        QoS::AtLeastOnce,
        will.retain,
    ));
    if let Some(username) = &settings.username {
        let password = settings.password.as_ref().map_or("", |it| it.reveal());
        options.set_credentials(username, password);
    }
    options
}

/// What went wrong, in plain words, and what to do.
fn in_words(error: &ConnectionError, settings: &LinkSettings) -> String {
    let LinkSettings {
        host,
        port,
        client_id,
        ..
    } = settings;
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) if settings.username.is_none() => format!(
            "the broker at {host}:{port} wants a user name and a password: set them in the \
             settings of the broker's link"
        ),
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => format!(
            "the broker at {host}:{port} does not accept this user name and password: correct \
             them, or allow this user at the broker"
        ),
        ConnectionError::ConnectionRefused(ConnectReturnCode::BadClientId) => format!(
            "the broker at {host}:{port} does not accept the client id {client_id:?}: choose \
             another one"
        ),
        ConnectionError::ConnectionRefused(code) => {
            format!("the broker at {host}:{port} refuses connections ({code:?}): look into its log")
        }
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => format!(
            "the broker at {host}:{port} does not answer: check the address, the network and any \
             firewall between"
        ),
        ConnectionError::Io(io) if io.kind() == ErrorKind::ConnectionRefused => {
            format!("nothing listens at {host}:{port}: start the broker, or correct its address")
        }
        ConnectionError::Io(io) => format!(
            "the broker at {host}:{port} cannot be reached ({io}): check its name and the network"
        ),
        ConnectionError::MqttState(StateError::ConnectionAborted) => format!(
            "the broker at {host}:{port} closed the connection; if this repeats, another client \
             uses the client id {client_id:?}, or the broker's log says why"
        ),
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            format!("the broker at {host}:{port} fell silent: check the network")
        }
        other => format!("the connection to the broker at {host}:{port} failed ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, SimulatedClock, Stamp, WallTime};
    use crate::id::DeviceEpoch;
    use crate::journal::{OutboxCount, Receipt};
    use crate::mqtt::topic::Address;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// An outbox with nothing in it.
    struct Empty;

    impl Outbox for Empty {
        fn waiting(
            &self,
            _: &Channel,
            _: SafeAt,
            _: MessageNumber,
            _: u32,
        ) -> Result<Vec<OutboxRow>, JournalError> {
            Ok(Vec::new())
        }
        fn accepted(&self, _: &Channel, _: &[MessageNumber]) -> Result<(), JournalError> {
            Ok(())
        }
        fn received(&self, _: &Receipt) -> Result<(), JournalError> {
            Ok(())
        }
        fn refused(&self, _: &Channel, _: MessageNumber, _: &str) -> Result<bool, JournalError> {
            Ok(false)
        }
        fn count(&self, _: &Channel) -> Result<OutboxCount, JournalError> {
            Ok(OutboxCount::default())
        }
    }

    /// A broker that welcomes, takes everything and acknowledges nothing; gives its port.
    async fn deaf_broker() -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut taken = [0; 1024];
            let _ = socket.read(&mut taken).await.unwrap();
            // CONNACK, no session, accepted (MQTT 3.1.1, §3.2).
            socket.write_all(&[0x20, 2, 0, 0]).await.unwrap();
            while socket.read(&mut taken).await.is_ok_and(|n| n > 0) {}
        });
        port
    }

    fn settings(port: u16) -> LinkSettings {
        LinkSettings {
            host: "127.0.0.1".to_owned(),
            port,
            client_id: "gateway".to_owned(),
            username: None,
            password: None,
            keep_alive: Duration::from_mins(1),
            address: Address::new("street", "building", "gate").unwrap(),
            epoch: DeviceEpoch("epoch".to_owned()),
            version: "0".to_owned(),
            basis: "reference",
            clock: Arc::new(SimulatedClock::at(Stamp {
                boot: BootId(1),
                monotonic: Duration::ZERO,
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            })),
            open_alerts: watch::channel(OpenAlerts::default()).1,
        }
    }

    #[tokio::test]
    async fn a_broker_that_acknowledges_nothing_is_given_up() {
        let settings = settings(deaf_broker().await);
        let (status, seen) = watch::channel(LinkState::Connecting);
        let (wake, shutdown) = (Notify::new(), CancellationToken::new());
        let end = Connection::run(&settings, Arc::new(Empty), &wake, &status, &shutdown).await;
        let End::Lost { why, proved } = end else {
            panic!("{end:?}");
        };
        assert!(why.contains("acknowledged none"), "{why}");
        assert!(!proved);
        assert!(matches!(*seen.borrow(), LinkState::Connected { .. }));
    }

    #[tokio::test]
    async fn a_planned_stop_does_not_wait_for_a_deaf_broker() {
        let settings = settings(deaf_broker().await);
        let (status, mut seen) = watch::channel(LinkState::Connecting);
        let (wake, shutdown) = (Notify::new(), CancellationToken::new());
        let stop = async {
            let connected = |state: &LinkState| matches!(state, LinkState::Connected { .. });
            seen.wait_for(connected).await.unwrap();
            shutdown.cancel();
        };
        let run = Connection::run(&settings, Arc::new(Empty), &wake, &status, &shutdown);
        let (end, ()) = tokio::join!(run, stop);
        assert!(matches!(end, End::Stopped), "{end:?}");
    }
}
