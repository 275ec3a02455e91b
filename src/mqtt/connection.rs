//! One connection to the broker, from its beginning to its end; the next one shares nothing but the
//! outbox, and the message that is suspected of having ended this one.
//!
//! What wakes this task (packets, new messages, receipts, finished disk accesses, the shutdown) is
//! dealt with one at a time; whatever can be started then is started by [`Connection::work`].

use super::answer::{self, Refusal};
use super::disk::{Disk, Done};
use super::home_assistant;
use super::inbound::{self, Inbound};
use super::link::{LinkSettings, LinkState, chance};
use super::payload::{self, ChecklistState, FollowUpState, OpenAlerts, Presence};
use super::rounds::{Round, Rounds};
use super::session::{Came, Session, in_words, presence};
use super::signs::{LinkWatch, Signs};
use super::topic::{Class, HOME_ASSISTANT_STATUS};
use super::wait::{at, changed, latest};
use super::wire::Gone;
use crate::command::{Asked, Command};
use crate::event::Fault;
use crate::id::MessageNumber;
use crate::journal::{Outbox, OutboxMessage, OutboxRow, Receipt, SafeAt};
use rumqttc::mqttbytes::v4::Publish;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Messages under way at once.
const WINDOW: usize = 20;
/// Rows read from the outbox at once.
const BATCH: u32 = 100;
/// A broker that takes messages and acknowledges none for so long is given up.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(30);
/// How long a planned stop waits for the broker.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// After a failed disk access.
const DISK_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Receipts and commands that wait for the disk, each; those beyond are asked again by their senders.
const MOST_WAITING: usize = 16;
/// Between two answers to refused commands, and two remarks in the log on what makes no sense:
/// whoever sends nonsense by the thousand is not to be answered by the thousand.
const REMARK_EVERY: Duration = Duration::from_secs(1);

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
        /// The message at which the broker may have closed the connection.
        suspected: Option<MessageNumber>,
        /// The message at which it did: it was alone on its way.
        refused: Option<MessageNumber>,
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

/// One connection.
pub(super) struct Connection<'a> {
    settings: &'a LinkSettings,
    wake: &'a Notify,
    status: &'a watch::Sender<LinkState>,
    signs: &'a Signs,
    shutdown: &'a CancellationToken,
    session: Session<Sent>,
    disk: Disk,
    /// `None` once nobody tells us of them any more.
    open_alerts: Option<watch::Receiver<OpenAlerts>>,
    standing: Option<watch::Receiver<BTreeSet<Fault>>>,
    checklist: Option<watch::Receiver<Option<ChecklistState>>>,
    follow_up: Option<watch::Receiver<Option<FollowUpState>>>,
    /// Whether how things stand has to be published.
    announce: bool,
    /// When Home Assistant, which has just started, is to be told everything.
    announce_at: Option<Instant>,
    /// Rows that were read and not sent yet.
    ready: VecDeque<OutboxRow>,
    /// Last row that was read for the first time in this connection.
    read_up_to: MessageNumber,
    /// Whether the outbox may have more.
    more: bool,
    rounds: Rounds,
    /// What goes again now.
    round: Option<Round>,
    /// The message that goes alone, until the broker has acknowledged it.
    suspect: Option<MessageNumber>,
    /// Rows that the broker acknowledged and the outbox does not know of yet.
    acknowledged: Vec<MessageNumber>,
    receipts: VecDeque<Receipt>,
    commands: VecDeque<Asked>,
    /// No disk access before this, after a failed one.
    disk_from: Option<Instant>,
    /// When the broker last showed that it acknowledges.
    progress: Instant,
    proved: bool,
    /// Set by the shutdown: until then at most.
    stop_by: Option<Instant>,
    /// No answer to a refused command, and no remark, before this.
    remark_from: Instant,
}

impl<'a> Connection<'a> {
    /// Connects, serves until the end, and saves what was acknowledged.
    pub(super) async fn run(
        settings: &'a LinkSettings,
        (outbox, suspect): (Arc<dyn Outbox>, Option<MessageNumber>),
        wake: &'a Notify,
        status: &'a watch::Sender<LinkState>,
        signs: &'a Signs,
        shutdown: &'a CancellationToken,
    ) -> End {
        let will = presence(settings, Presence::Offline, None);
        let begun = tokio::select! {
            begun = Session::begin(&settings.account, Some(will)) => begun,
            () = shutdown.cancelled() => return End::Stopped,
        };
        let session = match begun {
            Ok(session) => session,
            Err(why) => {
                return End::Lost {
                    why,
                    proved: false,
                    suspected: suspect,
                    refused: None,
                };
            }
        };
        let mut connection = Self {
            settings,
            wake,
            status,
            signs,
            shutdown,
            session,
            disk: Disk::new(outbox, Arc::clone(&settings.journal)),
            open_alerts: Some(settings.open_alerts.clone()),
            standing: Some(settings.standing.clone()),
            checklist: Some(settings.checklist.clone()),
            follow_up: Some(settings.follow_up.clone()),
            announce: true,
            announce_at: None,
            ready: VecDeque::new(),
            read_up_to: MessageNumber::default(),
            more: true,
            rounds: Rounds::default(),
            round: None,
            suspect,
            acknowledged: Vec::new(),
            receipts: VecDeque::new(),
            commands: VecDeque::new(),
            disk_from: None,
            progress: Instant::now(),
            proved: false,
            stop_by: None,
            remark_from: Instant::now(),
        };
        let end = connection.serve().await;
        let Self {
            session,
            mut disk,
            acknowledged,
            ..
        } = connection;
        // The socket goes before the disk is waited for.
        if matches!(end, End::Stopped) {
            session.end(STOP_WITHIN).await;
        } else {
            drop(session);
        }
        disk.settle(acknowledged).await;
        end
    }

    /// Everything after the broker's welcome.
    async fn serve(&mut self) -> End {
        match self.serve_until_lost().await {
            Ok(()) => End::Stopped,
            Err(_) if self.stop_by.is_some() => End::Stopped,
            Err((gone, why)) => self.lost(gone.as_ref(), why),
        }
    }

    async fn serve_until_lost(&mut self) -> Result<(), (Option<Gone>, String)> {
        let ours = |why: String| (None, why);
        let now = self.settings.clock.now();
        self.session.subscribe(self.filters()).map_err(ours)?;
        self.publish(
            presence(self.settings, Presence::Online, Some(&now)),
            Sent::State,
        )
        .map_err(ours)?;
        loop {
            self.work().map_err(ours)?;
            // While stopping, the shorter limit of the stop holds.
            let patient = self.session.flying().len() > 0 && self.stop_by.is_none();
            let stalled = patient.then_some(self.progress + ACKNOWLEDGE_WITHIN);
            tokio::select! {
                came = self.session.next() => match came {
                    Ok(Came::Acknowledged(Sent::Goodbye)) => return Ok(()),
                    Ok(came) => self.take(came).map_err(ours)?,
                    Err(gone) => {
                        let why = in_words(&gone, &self.settings.account.broker);
                        return Err((Some(gone), why));
                    }
                },
                done = self.disk.next() => match done {
                    Ok(done) => self.was_done(done).map_err(ours)?,
                    Err(error) => return Err(ours(format!("the store failed: {error}"))),
                },
                () = self.wake.notified() => self.more = true,
                () = changed(&mut self.open_alerts) => self.announce = true,
                () = changed(&mut self.standing) => self.announce = true,
                () = changed(&mut self.checklist) => self.announce = true,
                () = changed(&mut self.follow_up) => self.announce = true,
                () = at(self.announce_at) => {
                    self.announce_at = None;
                    self.announce = true;
                }
                () = at(self.rounds.due()), if self.round.is_none() => self.begin_round(),
                () = at(self.disk_from) => self.disk_from = None,
                () = at(stalled) => return Err(ours(format!(
                    "the broker at {} takes messages but has acknowledged none for 30 s; restart \
                     it if this repeats",
                    self.settings.account.broker
                ))),
                () = at(self.stop_by) => return Ok(()),
                () = self.shutdown.cancelled(), if self.stop_by.is_none() => {
                    self.stop_by = Some(Instant::now() + STOP_WITHIN);
                    let now = self.settings.clock.now();
                    let last = presence(self.settings, Presence::Stopped, Some(&now));
                    self.publish(last, Sent::Goodbye).map_err(ours)?;
                }
            }
        }
    }

    /// What this gateway listens to.
    fn filters(&self) -> Vec<String> {
        let LinkSettings {
            address,
            street_receipts,
            commands,
            home_assistant,
            ..
        } = self.settings;
        let wanted = [
            (*street_receipts, address.all_of(Class::Ack)),
            (!commands.is_empty(), address.all_of(Class::Cmd)),
            (*home_assistant, HOME_ASSISTANT_STATUS.to_owned()),
        ];
        let filters = wanted.into_iter();
        filters
            .filter_map(|(it, filter)| it.then_some(filter))
            .collect()
    }

    /// Where a message of this gateway is safe.
    const fn until(&self) -> SafeAt {
        if self.settings.street_receipts {
            SafeAt::Street
        } else {
            SafeAt::Broker
        }
    }

    /// Starts whatever can be started: reading, saving, publishing.
    fn work(&mut self) -> Result<(), String> {
        if self.disk_from.is_none() {
            self.work_on_disk();
        }
        if self.stop_by.is_some() {
            return Ok(());
        }
        if self.announce && self.has_room() {
            self.announce = false;
            self.publish_how_things_stand()?;
        }
        while self.has_room() {
            let alone = |row: &OutboxRow| Some(row.number) == self.suspect;
            // The suspect waits until it is alone.
            if self.ready.front().is_some_and(alone) && self.session.flying().len() > 0 {
                break;
            }
            let Some(row) = self.ready.pop_front() else {
                break;
            };
            // One that is under way already, of a round that overtook it.
            if self.is_flying(row.number) {
                continue;
            }
            let mut message = row.message;
            if !message.retain && payload::is_late(&row.at, &self.settings.clock.now()) {
                message.payload = payload::marked_late(message.payload);
            }
            self.publish(message, Sent::Row(row.number))?;
        }
        Ok(())
    }

    fn work_on_disk(&mut self) {
        if !self.disk.saving && !self.acknowledged.is_empty() {
            self.disk.accept(std::mem::take(&mut self.acknowledged));
        }
        if !self.disk.receiving
            && let Some(receipt) = self.receipts.pop_front()
        {
            self.disk.receive(receipt, self.rounds.accepted_up_to());
        }
        if !self.disk.commanding
            && let Some(asked) = self.commands.pop_front()
        {
            self.disk.command(asked, self.settings.clock.now());
        }
        if self.disk.reading || !self.ready.is_empty() || self.stop_by.is_some() {
            return;
        }
        // What is new goes before what goes again.
        if self.more {
            self.more = false;
            self.disk.read(false, self.until(), self.read_up_to, BATCH);
        } else if let Some(Round { after, left, .. }) = self.round {
            self.disk.read(true, self.until(), after, BATCH.min(left));
        }
    }

    fn is_flying(&self, number: MessageNumber) -> bool {
        self.session.flying().any(|sent| *sent == Sent::Row(number))
    }

    /// Whether something may be sent now: the window has room, and no suspect is on its way.
    fn has_room(&self) -> bool {
        let alone = self.suspect.is_some_and(|number| self.is_flying(number));
        self.session.flying().len() < WINDOW && !alone
    }

    fn publish(&mut self, message: OutboxMessage, sent: Sent) -> Result<(), String> {
        if self.session.flying().len() == 0 {
            self.progress = Instant::now();
        }
        self.session.publish(message, sent)
    }

    /// Open alerts, faults, and what Home Assistant needs.
    fn publish_how_things_stand(&mut self) -> Result<(), String> {
        let LinkSettings {
            address,
            epoch,
            clock,
            ..
        } = self.settings;
        let now = clock.now();
        if let Some(open) = &mut self.open_alerts {
            let message = payload::open_alerts(address, epoch, &open.borrow_and_update(), &now);
            self.publish(message, Sent::State)?;
        }
        if let Some(standing) = &mut self.standing {
            let message = payload::faults(address, epoch, &standing.borrow_and_update(), &now);
            self.publish(message, Sent::State)?;
        }
        if let Some(state) = latest(&mut self.checklist) {
            let message = payload::checklist(address, epoch, &state, &now);
            self.publish(message, Sent::State)?;
        }
        if let Some(state) = latest(&mut self.follow_up) {
            let message = payload::follow_up(address, epoch, &state, &now);
            self.publish(message, Sent::State)?;
        }
        if self.settings.home_assistant {
            let message = home_assistant::discovery(address, &self.settings.version);
            self.publish(message, Sent::State)?;
        }
        Ok(())
    }

    fn begin_round(&mut self) {
        self.round = Some(self.rounds.begin(Instant::now(), chance()));
        if self.until() == SafeAt::Broker {
            self.rounds.end();
        }
    }

    /// Something came from the broker.
    fn take(&mut self, came: Came<Sent>) -> Result<(), String> {
        match came {
            Came::Acknowledged(sent) => self.was_acknowledged(sent),
            Came::Message(publish) => self.take_message(&publish)?,
            Came::Deaf(filter) => tracing::warn!(
                filter,
                "the broker does not let this gateway listen: allow this user to read there"
            ),
            Came::Nothing => {}
        }
        Ok(())
    }

    /// The broker has a message.
    fn was_acknowledged(&mut self, sent: Sent) {
        let now = Instant::now();
        self.progress = now;
        if !self.proved {
            self.proved = true;
            let since = self.settings.clock.now();
            self.status.send_replace(LinkState::Connected { since });
            tracing::info!(
                broker = self.settings.account.broker,
                "connected to the MQTT broker"
            );
        }
        let Sent::Row(number) = sent else {
            return;
        };
        if self.suspect == Some(number) {
            self.suspect = None;
        }
        self.acknowledged.push(number);
        if self.until() == SafeAt::Street {
            self.rounds.accepted(number, now, chance());
            self.signs.note(LinkWatch::accepted);
        }
    }

    /// A message came in.
    fn take_message(&mut self, publish: &Publish) -> Result<(), String> {
        let Publish {
            topic,
            payload,
            retain,
            ..
        } = publish;
        match inbound::read(&self.settings.address, topic, payload, *retain) {
            Ok(Inbound::Receipt(receipt)) => {
                // A receipt counts for all before it: the newest ones are enough. The outbox may hold
                // messages of an earlier epoch, and knows by itself which are meant.
                if self.settings.street_receipts {
                    self.receipts.push_back(receipt);
                    if self.receipts.len() > MOST_WAITING {
                        self.receipts.pop_front();
                    }
                }
            }
            Ok(Inbound::Command { asked, expires }) => {
                let followed = (&self.settings.commands, &*self.settings.suits);
                let now = self.settings.clock.now();
                match answer::refusal(&asked, expires, followed, &now) {
                    Some(why) => return self.refuse(&asked, why),
                    None if self.commands.len() >= MOST_WAITING => {
                        return self.refuse(&asked, Refusal::Busy);
                    }
                    None => self.commands.push_back(asked),
                }
            }
            Ok(Inbound::HomeAssistantStarted) => {
                if self.settings.home_assistant {
                    self.announce_at = Some(Instant::now() + home_assistant::wait(chance()));
                }
            }
            Err(unfit) => {
                if self.may_remark() {
                    tracing::warn!(%topic, %unfit, "a message to this gateway means nothing");
                }
            }
        }
        Ok(())
    }

    /// Whether there was no remark a moment ago.
    fn may_remark(&mut self) -> bool {
        let (now, from) = (Instant::now(), self.remark_from);
        self.remark_from = if now < from { from } else { now + REMARK_EVERY };
        now >= from
    }

    fn refuse(&mut self, asked: &Asked, why: Refusal) -> Result<(), String> {
        if !self.may_remark() || !self.has_room() {
            return Ok(());
        }
        tracing::warn!(id = %asked.id, why = why.as_str(), "a command is refused");
        let LinkSettings { address, epoch, .. } = self.settings;
        let now = self.settings.clock.now();
        let message = answer::refused(address, epoch, asked, why, &now);
        self.publish(message, Sent::State)
    }

    /// The disk has done something.
    fn was_done(&mut self, done: Done) -> Result<(), String> {
        let failed = match done {
            Done::Read {
                again,
                rows: Ok(rows),
            } => {
                if again {
                    self.was_read_again(rows);
                } else {
                    self.was_read(rows);
                }
                return Ok(());
            }
            Done::Read {
                again,
                rows: Err(error),
            } => {
                self.more |= !again;
                error
            }
            Done::Accepted(Ok(())) => return Ok(()),
            Done::Accepted(Err((numbers, error))) => {
                self.acknowledged.splice(..0, numbers);
                error
            }
            Done::Received(receipt, Ok(lacking)) => {
                self.rounds
                    .heard(&receipt, lacking, Instant::now(), chance());
                self.signs.note(|it, now| it.heard(lacking, now));
                return Ok(());
            }
            // The next one will say the same again.
            Done::Received(_, Err(error)) => error,
            Done::Commanded(asked, Ok(())) => {
                self.was_commanded(&asked.command);
                return Ok(());
            }
            Done::Commanded(asked, Err(why)) => return self.refuse(&asked, why),
        };
        tracing::error!(error = %failed, "the link's access to the store failed; trying again");
        self.disk_from = Some(Instant::now() + DISK_AGAIN_AFTER);
        Ok(())
    }

    /// Messages came from the outbox for the first time.
    fn was_read(&mut self, rows: Vec<OutboxRow>) {
        if let Some(last) = rows.last() {
            self.read_up_to = last.number;
            self.more = true;
        }
        self.ready.extend(rows);
    }

    /// Messages of a round came from the outbox.
    fn was_read_again(&mut self, mut rows: Vec<OutboxRow>) {
        let Some(mut round) = self.round.take() else {
            return;
        };
        let ended = rows.last().is_none_or(|last| last.number >= round.up_to);
        rows.retain(|row| row.number <= round.up_to);
        if let (false, Some(last)) = (ended, rows.last()) {
            round.after = last.number;
            round.left = round.left.saturating_sub(rows.len() as u32);
            self.round = (round.left > 0).then_some(round);
        }
        self.ready.extend(rows);
    }

    /// A command was done; its answer waits in the outbox.
    fn was_commanded(&mut self, command: &Command) {
        self.more = true;
        self.announce |= matches!(command, Command::Announce);
        if let Command::Resend { to, .. } = command {
            let to = (*to).min(self.read_up_to);
            self.rounds.put_back(to, Instant::now());
        }
    }

    /// The connection is gone. Where the broker closed it, the oldest message that it had not
    /// acknowledged is suspected; where that was alone on its way, it is more than suspected.
    fn lost(&self, gone: Option<&Gone>, why: String) -> End {
        let closed = matches!(gone, Some(Gone::Closed));
        let first = self.session.flying().find_map(|sent| match sent {
            Sent::Row(number) => Some(*number),
            Sent::State | Sent::Goodbye => None,
        });
        let alone = self.session.flying().len() == 1;
        End::Lost {
            why,
            proved: self.proved,
            suspected: first.filter(|_| closed).or(self.suspect),
            refused: first.filter(|_| closed && alone && self.proved && first == self.suspect),
        }
    }
}
