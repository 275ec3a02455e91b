//! A virtual UVC camera: a USB device in this program, plugged into the running kernel, whose
//! stock driver (`uvcvideo`) takes it for a real one.
//!
//! Two threads: one reads what the host asks, one answers and sends pictures at their time. A
//! request for pictures is answered when the time of all its packets has passed, as on a real bus.

use super::model::{Model, frame_bytes};
use super::usbip::{Port, Request, Submit, unlinked};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a camera that has nothing to do looks at what it was told.
const LOOK_UP: Duration = Duration::from_millis(20);
/// A bus that was not served for so long goes on with the present.
const LATE: Duration = Duration::from_millis(500);
/// Looks at a port that must become free: ten seconds.
const LOOKS: u32 = 500;

/// Makes a frame: its number, from 0, and its size.
pub(crate) type Feed = Box<dyn FnMut(u64, (u16, u16)) -> Vec<u8> + Send>;

/// What is wrong with the camera.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// It streams, and no picture comes.
    pub(crate) stalled: bool,
    /// The same, until the host starts the stream anew.
    pub(crate) wedged: bool,
    /// Until then, requests for pictures end with an error of the bus, and the host asks no more.
    pub(crate) broken: bool,
    /// It answers nothing at all.
    pub(crate) hung: bool,
    /// So many frames lose their second half.
    pub(crate) cut: u32,
    /// So many frames say of themselves that they are damaged.
    pub(crate) flagged: u32,
    /// So many frames are longer than was agreed.
    pub(crate) overlong: u32,
}

/// A camera that is plugged in. Dropping it pulls the cable.
pub(crate) struct Camera {
    faults: Arc<Mutex<Faults>>,
    /// Frames that were sent whole.
    sent: Arc<AtomicU64>,
    /// What was asked of its extension units: (unit, selector), and what was set.
    asked: Arc<Mutex<Vec<Asked>>>,
    cable: UnixStream,
    port: Port,
    threads: Vec<JoinHandle<()>>,
}

/// A control of an extension unit that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) unit: u8,
    pub(crate) selector: u8,
    pub(crate) value: Vec<u8>,
}

impl Camera {
    /// Plugs it in.
    pub(crate) fn plug(model: Model, feed: Feed) -> Self {
        let (cable, hosts_end) = UnixStream::pair().expect("a socket pair");
        let (requests, asked_of_us) = channel();
        let mut reader = cable.try_clone().expect("a second handle");
        let reads = thread::spawn(move || {
            while let Ok(request) = Request::read(&mut reader) {
                if requests.send(request).is_err() {
                    break;
                }
            }
        });
        let (faults, sent) = (Arc::default(), Arc::default());
        let asked = Arc::default();
        let speed = model.speed;
        let mut device = Device {
            commit: model.probe(1, 1),
            probe: model.probe(1, 1),
            model,
            feed,
            faults: Arc::clone(&faults),
            sent: Arc::clone(&sent),
            asked: Arc::clone(&asked),
            cable: cable.try_clone().expect("a second handle"),
            configuration: 0,
            setting: 0,
            held: Vec::new(),
            stream: VecDeque::new(),
            began: Instant::now(),
            bus: None,
            next_frame: Duration::ZERO,
            number: 0,
            frame: Vec::new(),
            place: 0,
            toggle: 0,
            flagged: false,
        };
        let answers = thread::spawn(move || {
            // A cable that was pulled ends it, and then there is nobody to tell.
            let _ = device.run(&asked_of_us);
        });
        let port = Port::attach(&hosts_end, speed).expect("a USB port");
        Self {
            faults,
            sent,
            asked,
            cable,
            port,
            threads: vec![reads, answers],
        }
    }

    /// Pulls the cable, and waits until the kernel has seen it.
    pub(crate) fn unplug(self) {
        drop(self);
    }

    /// What is wrong with it, to be changed.
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frames that were sent whole.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// What was set in its extension units, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let _ = self.cable.shutdown(Shutdown::Both);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        for _ in 0..LOOKS {
            if self.port.is_free() {
                break;
            }
            thread::sleep(LOOK_UP);
        }
    }
}

/// The camera's own side.
struct Device {
    model: Model,
    feed: Feed,
    faults: Arc<Mutex<Faults>>,
    sent: Arc<AtomicU64>,
    asked: Arc<Mutex<Vec<Asked>>>,
    cable: UnixStream,
    configuration: u8,
    /// Of the streaming interface; 0: no stream.
    setting: u8,
    probe: Vec<u8>,
    commit: Vec<u8>,
    /// Requests that a camera that hangs has not answered.
    held: Vec<Submit>,
    /// Requests for pictures, in order.
    stream: VecDeque<Submit>,
    began: Instant,
    /// How far the bus has come, while a stream runs.
    bus: Option<Duration>,
    next_frame: Duration,
    /// Of the next frame.
    number: u64,
    /// The frame that is being sent, and how much of it was.
    frame: Vec<u8>,
    place: usize,
    /// Changes with each frame.
    toggle: u8,
    flagged: bool,
}

/// The camera refuses.
struct Refused;

/// Whether this is one of so many, of which one less is left then.
fn one_of(left: &mut u32) -> bool {
    let this = *left > 0;
    *left -= u32::from(this);
    this
}

impl Device {
    fn run(&mut self, requests: &Receiver<Request>) -> io::Result<()> {
        loop {
            let now = self.began.elapsed();
            let wait = match self.due() {
                Some(due) => due.saturating_sub(now).min(LOOK_UP),
                None => LOOK_UP,
            };
            match requests.recv_timeout(wait) {
                Ok(Request::Submit(submit)) => self.held.push(submit),
                Ok(Request::Unlink { number, of }) => {
                    // This the host's controller does itself, whether the device hangs or not.
                    let before = self.held.len() + self.stream.len();
                    self.held.retain(|submit| submit.number != of);
                    self.stream.retain(|submit| submit.number != of);
                    let found = before != self.held.len() + self.stream.len();
                    self.cable.write_all(&unlinked(number, found))?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if !self.told(|faults| faults.hung) {
                self.answer()?;
            }
        }
    }

    fn told<T>(&self, look: impl FnOnce(&mut Faults) -> T) -> T {
        look(&mut self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the first request for pictures is over.
    fn due(&self) -> Option<Duration> {
        let packets = self.stream.front()?.packets.len() as u32;
        Some(self.bus? + self.model.packet_time() * packets)
    }

    fn answer(&mut self) -> io::Result<()> {
        for submit in std::mem::take(&mut self.held) {
            if submit.endpoint == 0 {
                let answer = match self.control(&submit) {
                    Ok(answer) => submit.done(&answer),
                    Err(Refused) => submit.stalled(),
                };
                self.cable.write_all(&answer)?;
            } else {
                let now = self.began.elapsed();
                if self.bus.is_none() {
                    self.next_frame = now;
                    self.bus = Some(now);
                }
                self.stream.push_back(submit);
            }
        }
        while let Some(due) = self.due() {
            let now = self.began.elapsed();
            if due > now {
                break;
            }
            if now > due + LATE {
                self.bus = Some(now);
            }
            if let Some(submit) = self.stream.pop_front() {
                if self.told(|faults| faults.broken) {
                    self.cable.write_all(&submit.broken())?;
                    self.stop();
                    continue;
                }
                let packets: Vec<Vec<u8>> = submit
                    .packets
                    .iter()
                    .map(|(_, room)| self.packet(*room as usize))
                    .collect();
                self.cable.write_all(&submit.filled(&packets))?;
            }
        }
        Ok(())
    }

    /// What one packet carries.
    fn packet(&mut self, room: usize) -> Vec<u8> {
        let now = self.bus.unwrap_or_default();
        self.bus = Some(now + self.model.packet_time());
        if self.frame.is_empty()
            && now >= self.next_frame
            && !self.told(|it| it.stalled || it.wedged)
        {
            self.begin_frame(now);
        }
        let setting = usize::from(self.setting).checked_sub(1);
        let most = setting.and_then(|it| self.model.packets.get(it)).copied();
        let most = room.min(usize::from(most.unwrap_or(0)));
        if self.frame.is_empty() || most <= 2 {
            return Vec::new();
        }
        let end = self.frame.len().min(self.place + most - 2);
        let last = end == self.frame.len();
        // Length of the header; end of header, error, end of frame, which frame.
        let flags =
            0x80 | if self.flagged { 0x40 } else { 0 } | if last { 0x02 } else { 0 } | self.toggle;
        let mut packet = vec![2, flags];
        packet.extend(&self.frame[self.place..end]);
        self.place = end;
        if last {
            self.toggle ^= 1;
            self.frame.clear();
            self.sent.fetch_add(1, Ordering::SeqCst);
        }
        packet
    }

    fn begin_frame(&mut self, now: Duration) {
        let time = self.model.frame_time();
        self.next_frame += time;
        if self.next_frame < now {
            self.next_frame = now + time;
        }
        let Some(size) = self.model.size(self.commit[2], self.commit[3]) else {
            return;
        };
        self.frame = (self.feed)(self.number, size);
        assert_eq!(self.frame.len(), frame_bytes(size) as usize);
        self.number += 1;
        self.place = 0;
        let (cut, overlong, flagged) = self.told(|faults| {
            (
                one_of(&mut faults.cut),
                one_of(&mut faults.overlong),
                one_of(&mut faults.flagged),
            )
        });
        if cut {
            self.frame.truncate(self.frame.len() / 2);
        }
        if overlong {
            self.frame.extend_from_within(..640);
        }
        self.flagged = flagged;
    }

    /// A request on endpoint 0 (USB 2.0, §9.3): type, request, value, index.
    fn control(&mut self, submit: &Submit) -> Result<Vec<u8>, Refused> {
        let [kind, request, low, high, index, entity, ..] = submit.setup;
        match (kind, request) {
            // Get descriptor, status, configuration, setting.
            (0x80, 6) => self.model.descriptor(high, low).ok_or(Refused),
            (0x80..=0x82, 0) => Ok(vec![0, 0]),
            (0x80, 8) => Ok(vec![self.configuration]),
            (0x81, 10) => Ok(vec![if index == 1 { self.setting } else { 0 }]),
            // Set configuration, setting; clear and set a feature.
            (0x00, 9) => {
                self.configuration = low;
                self.stop();
                Ok(Vec::new())
            }
            (0x01, 11) if index == 1 => {
                self.setting = low;
                self.told(|faults| (faults.wedged, faults.broken) = (false, false));
                self.stop();
                Ok(Vec::new())
            }
            (0x00..=0x02, 1 | 3) | (0x01, 11) => Ok(Vec::new()),
            // The class's own: of the streaming interface, of a unit.
            (0x21 | 0xa1, _) if index == 1 => self.streaming(request, high, &submit.data),
            (0x21 | 0xa1, _) => self.unit(request, entity, high, &submit.data),
            _ => Err(Refused),
        }
    }

    /// The stream begins anew, with a new frame.
    fn stop(&mut self) {
        self.bus = None;
        self.frame.clear();
        self.place = 0;
    }

    /// Probe (1) and commit (2).
    fn streaming(&mut self, request: u8, selector: u8, data: &[u8]) -> Result<Vec<u8>, Refused> {
        match (request, selector, data) {
            (0x01, 1, [_, _, format, frame, ..]) => {
                self.probe = self.model.probe(*format, *frame);
                Ok(Vec::new())
            }
            (0x01, 2, [_, _, format, frame, ..]) => {
                self.commit = self.model.probe(*format, *frame);
                Ok(Vec::new())
            }
            // As set, least, most, usual; length; what can be asked.
            (0x81..=0x83 | 0x87, 1, _) => Ok(self.probe.clone()),
            (0x81..=0x83 | 0x87, 2, _) => Ok(self.commit.clone()),
            (0x85, 1 | 2, _) => Ok((self.probe.len() as u16).to_le_bytes().to_vec()),
            (0x86, 1 | 2, _) => Ok(vec![3]),
            _ => Err(Refused),
        }
    }

    /// A control of an extension unit.
    fn unit(&mut self, request: u8, id: u8, at: u8, data: &[u8]) -> Result<Vec<u8>, Refused> {
        let unit = self.model.units.iter_mut().find(|unit| unit.id == id);
        let value = unit.and_then(|unit| unit.controls.get_mut(&at));
        let value = value.ok_or(Refused)?;
        match request {
            0x01 if data.len() == value.len() => {
                value.copy_from_slice(data);
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.push(Asked {
                    unit: id,
                    selector: at,
                    value: data.to_vec(),
                });
                Ok(Vec::new())
            }
            0x81 | 0x87 => Ok(value.clone()),
            0x82 | 0x84 => Ok(vec![0; value.len()]),
            0x83 => Ok(vec![0xff; value.len()]),
            0x85 => Ok((value.len() as u16).to_le_bytes().to_vec()),
            0x86 => Ok(vec![3]),
            _ => Err(Refused),
        }
    }
}
