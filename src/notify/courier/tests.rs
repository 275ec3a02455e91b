//! The courier before a real socket behind which a server misbehaves. Rounds are made one by one and what
//! they say of waiting is not waited for, so nothing here is timed.

use super::*;
use crate::alert::tests::{alert, stamp};
use crate::clock::SimulatedClock;
use crate::event::{Event, Fault};
use crate::id::{DeviceEpoch, MessageKey, Sequence};
use crate::journal::{OutboxCount, Receipt};
use crate::notify::notice::Hears;
use crate::notify::notice::tests::place;
use crate::notify::robot::Kind;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

/// What the server does with one request.
#[derive(Clone, Copy)]
enum Act {
    /// Answers with this status line and headers, and this body.
    Say(&'static str, &'static str),
    /// Takes it, a byte at a time.
    Drip,
    /// Says something else than HTTP.
    Babble,
    /// Closes without a word.
    Close,
    /// Closes in the middle of its answer.
    Break,
    /// Says that much is to come, and sends it.
    Flood,
    /// Says nothing, and keeps the connection.
    Never,
}

const OK: &str = "HTTP/1.1 200 OK";
const TAKEN: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Does these in turn, one connection each; then it takes everything.
    fn that(acts: &[Act]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ear, acts) = (Arc::clone(&heard), acts.to_vec());
        thread::spawn(move || {
            let mut kept = Vec::new();
            let acts = acts
                .into_iter()
                .chain(std::iter::repeat(Act::Say(OK, TAKEN)));
            for (guest, act) in listener.incoming().zip(acts) {
                let mut guest = guest.unwrap();
                let request = hear(&mut guest);
                ear.lock().unwrap().push(request);
                // Whoever has had enough of it may be gone.
                let _ = serve(&mut guest, act);
                if matches!(act, Act::Never) {
                    kept.push(guest);
                }
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn hear(guest: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    while !bytes.ends_with(b"\r\n\r\n") && guest.read(&mut byte).unwrap() == 1 {
        bytes.push(byte[0]);
    }
    let head = text(&bytes).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    guest.read_exact(&mut body).unwrap();
    text(&bytes) + &text(&body)
}

/// Says that it hangs up, as it does: nobody is to ask again on a line that is about to go.
fn answer(head: &str, body: &str) -> String {
    let length = body.len();
    format!("{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn serve(guest: &mut TcpStream, act: Act) -> std::io::Result<()> {
    let taken = answer(OK, TAKEN);
    match act {
        Act::Say(head, body) => guest.write_all(answer(head, body).as_bytes()),
        Act::Drip => taken
            .bytes()
            .try_for_each(|byte| guest.write_all(&[byte]).and_then(|()| guest.flush())),
        Act::Babble => guest.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        Act::Close | Act::Never => Ok(()),
        Act::Break => guest.write_all(taken.split_at(taken.len() - 5).0.as_bytes()),
        Act::Flood => {
            guest.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")?;
            let block = vec![b'x'; 1 << 16];
            (0..15_000).try_for_each(|_| guest.write_all(&block))
        }
    }
}

/// A channel in memory; the third refusal puts aside.
#[derive(Default)]
struct FakeOutbox {
    rows: Mutex<Vec<(OutboxRow, u32)>>,
    accepted: Mutex<Vec<u64>>,
    parked: Mutex<Vec<u64>>,
}

impl FakeOutbox {
    fn put(&self, events: &[Event]) {
        let mut rows = self.rows.lock().unwrap();
        for event in events {
            let number = MessageNumber(rows.len() as u64 + 1);
            let key = MessageKey {
                epoch: DeviceEpoch("e".to_owned()),
                number,
            };
            let hears = Hears {
                alerts: true,
                outcomes: true,
                reminders: true,
                faults: true,
            };
            let row = OutboxRow {
                number,
                event: Sequence(number.0),
                message: place().message(hears, &key, event).unwrap(),
                at: event.at(),
            };
            rows.push((row, 0));
        }
    }
}

impl Outbox for FakeOutbox {
    fn waiting(
        &self,
        channel: &Channel,
        until: SafeAt,
        _: MessageNumber,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, JournalError> {
        assert_eq!((channel.as_str(), until), ("notify.wecom", SafeAt::Broker));
        let (accepted, parked) = (self.accepted.lock().unwrap(), self.parked.lock().unwrap());
        let waits =
            |row: &OutboxRow| !accepted.contains(&row.number.0) && !parked.contains(&row.number.0);
        let rows = self.rows.lock().unwrap();
        let rows = rows.iter().map(|(row, _)| row).filter(|row| waits(row));
        Ok(rows.take(limit as usize).cloned().collect())
    }

    fn accepted(&self, _: &Channel, numbers: &[MessageNumber]) -> Result<(), JournalError> {
        let numbers = numbers.iter().map(|it| it.0);
        self.accepted.lock().unwrap().extend(numbers);
        Ok(())
    }

    fn received(&self, _: &Receipt) -> Result<(), JournalError> {
        panic!("a notifier has no receipts")
    }

    fn refused(&self, _: &Channel, number: MessageNumber, why: &str) -> Result<bool, JournalError> {
        assert!(!why.contains("hush"), "{why}");
        let mut rows = self.rows.lock().unwrap();
        let (_, refusals) = rows
            .iter_mut()
            .find(|(row, _)| row.number == number)
            .unwrap();
        *refusals += 1;
        if *refusals >= 3 {
            self.parked.lock().unwrap().push(number.0);
        }
        Ok(*refusals >= 3)
    }

    fn count(&self, _: &Channel) -> Result<OutboxCount, JournalError> {
        Ok(OutboxCount::default())
    }
}

struct Bench {
    courier: Courier,
    outbox: Arc<FakeOutbox>,
    server: Server,
    clock: SimulatedClock,
}

impl Bench {
    fn before(acts: &[Act]) -> Self {
        // Long enough for any answer that comes at all.
        Self::with(acts, Duration::from_mins(2))
    }

    fn with(acts: &[Act], longest: Duration) -> Self {
        let server = Server::that(acts);
        let outbox = Arc::new(FakeOutbox::default());
        let clock = SimulatedClock::at(stamp(0));
        let url = format!("http://127.0.0.1:{}/send?key=hush", server.port);
        let settings = CourierSettings {
            endpoint: Endpoint::anywhere(Kind::Wecom, url, None),
            post: Post::new(longest),
            clock: Arc::new(clock.clone()),
            first_wait: Duration::from_secs(1),
        };
        let courier = Courier {
            channel: Channel::notifier("wecom"),
            settings,
            outbox: Arc::<FakeOutbox>::clone(&outbox),
            pace: Pace::default(),
            failures: 0,
        };
        Self {
            courier,
            outbox,
            server,
            clock,
        }
    }

    /// So many alerts, a second apart.
    fn alerts(&self, count: u64) {
        let events: Vec<_> = (0..count)
            .map(|n| Event::AlertRaised(alert(n, stamp(n * 1000))))
            .collect();
        self.outbox.put(&events);
        self.clock.advance(Duration::from_secs(count));
    }

    /// The numbers that the server has taken.
    fn taken(&self) -> Vec<u64> {
        self.outbox.accepted.lock().unwrap().clone()
    }
}

/// One message before this act: it is not lost, and goes out in the next round.
async fn survives(act: Act) -> Bench {
    let mut bench = Bench::before(&[act]);
    bench.alerts(1);
    let pause = bench.courier.round().await.unwrap();
    assert!(pause > Duration::ZERO, "a failing server is not hammered");
    assert!(bench.taken().is_empty());
    assert_eq!(bench.courier.round().await, Some(Duration::ZERO));
    assert_eq!(bench.taken(), [1]);
    assert_eq!(bench.courier.round().await, None);
    bench
}

#[tokio::test]
async fn what_is_taken_is_sent_once_and_names_nobody() {
    let mut bench = Bench::before(&[]);
    bench.alerts(1);
    assert_eq!(bench.courier.round().await, Some(Duration::ZERO));
    assert_eq!(bench.courier.round().await, None);
    let heard = bench.server.heard();
    assert_eq!(heard.len(), 1);
    assert!(
        heard[0].starts_with("POST /send?key=hush HTTP/1.1\r\n"),
        "{}",
        heard[0]
    );
    assert!(heard[0].contains("疑似发热") && heard[0].contains("\"msgtype\":\"text\""));
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    survives(Act::Say("HTTP/1.1 500 Oops", "")).await;
    survives(Act::Close).await;
    survives(Act::Break).await;
    survives(Act::Flood).await;
    survives(Act::Babble).await;
    // The page of a hotel's network says 200 to everything.
    survives(Act::Say(OK, "<html>")).await;
    survives(Act::Say(OK, r#"{"errcode":-1,"errmsg":"system busy"}"#)).await;
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let mut bench = Bench::with(&[Act::Never], Duration::from_millis(500));
    bench.alerts(1);
    assert!(bench.courier.round().await.unwrap() > Duration::ZERO);
    assert!(bench.taken().is_empty());
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let mut bench = Bench::before(&[Act::Drip]);
    bench.alerts(1);
    assert_eq!(bench.courier.round().await, Some(Duration::ZERO));
    assert_eq!(bench.taken(), [1]);
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_gets_it_and_nothing_counts_as_refused() {
    let pause = |seconds| Some(Duration::from_secs(seconds));
    let limit = r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#;
    for (act, expected) in [
        (
            Act::Say("HTTP/1.1 429 Slow\r\nRetry-After: 7", ""),
            pause(7),
        ),
        (Act::Say(OK, limit), pause(60)),
    ] {
        let mut bench = Bench::before(&[act]);
        bench.alerts(1);
        assert_eq!(bench.courier.round().await, expected);
        assert_eq!(bench.outbox.rows.lock().unwrap()[0].1, 0);
        assert_eq!(bench.courier.round().await, Some(Duration::ZERO));
        assert_eq!(bench.taken(), [1]);
    }
}

#[tokio::test]
async fn what_is_refused_three_times_is_put_aside_and_the_next_goes_on() {
    const WRONG: Act = Act::Say(OK, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#);
    let mut bench = Bench::before(&[WRONG, WRONG, WRONG]);
    bench.alerts(2);
    assert!(bench.courier.round().await.unwrap() > Duration::ZERO);
    assert!(bench.courier.round().await.unwrap() > Duration::ZERO);
    assert_eq!(bench.courier.round().await, Some(Duration::ZERO));
    assert_eq!(*bench.outbox.parked.lock().unwrap(), [1]);
    bench.courier.round().await;
    assert_eq!(bench.taken(), [2]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::that(&[]);
    let to = format!(
        "HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:{}/",
        elsewhere.port
    );
    let mut bench = Bench::before(&[Act::Say(to.leak(), "")]);
    bench.alerts(1);
    bench.courier.round().await;
    assert!(
        elsewhere.heard().is_empty(),
        "the key would have gone there"
    );
    assert_eq!(bench.outbox.rows.lock().unwrap()[0].1, 1);
}

#[tokio::test]
async fn a_flood_goes_out_as_one_message_that_counts() {
    let mut bench = Bench::before(&[]);
    bench.alerts(12);
    assert_eq!(bench.courier.round().await, Some(Duration::ZERO));
    assert_eq!(bench.taken(), (1..=12).collect::<Vec<_>>());
    let heard = bench.server.heard();
    assert_eq!(heard.len(), 1);
    assert!(
        heard[0].contains("共 12 条消息：疑似发热 12"),
        "{}",
        heard[0]
    );
    // The next within the minute waits for the next digest.
    let (fault, at) = (Fault::CameraSilent, bench.clock.now());
    bench.outbox.put(&[Event::FaultRaised { fault, at }]);
    assert_eq!(bench.courier.round().await, Some(Duration::from_mins(1)));
}

#[tokio::test]
async fn a_message_of_an_unknown_version_holds_nobody_up() {
    let mut bench = Bench::before(&[]);
    bench.alerts(2);
    bench.outbox.rows.lock().unwrap()[0].0.message.payload = b"{\"v\":9}".to_vec();
    for _ in 0..4 {
        bench.courier.round().await;
    }
    assert_eq!(*bench.outbox.parked.lock().unwrap(), [1]);
    assert_eq!(bench.taken(), [2]);
}

#[tokio::test]
async fn it_sends_what_comes_and_stops_when_told() {
    let bench = Bench::before(&[]);
    let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let outbox: Arc<dyn Outbox> = Arc::<FakeOutbox>::clone(&bench.outbox);
    let running = tokio::spawn(run(
        bench.courier.settings.clone(),
        outbox,
        Arc::clone(&wake),
        stop.clone(),
    ));
    bench.alerts(1);
    wake.notify_one();
    while bench.taken().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap();
}
