//! The cable is pulled at any moment, a hundred times, and each time the camera comes back: through
//! the gateway's own capture, under its name, whichever number its node has then.
//!
//! Several cameras at a time, each with a capture of its own, as most of the time is the kernel's
//! waiting for a new device to settle. Times are measured and told, not judged: an emulated
//! processor is some fifteen times slower than a real one.

use super::camera::Camera;
use super::lab::{EndsAll, Film, Udev, nodes, settings, until};
use super::model::Model;
use menshen::camera::v4l::V4lCamera;
use menshen::clock::{BootId, Clock, SystemClock};
use menshen::pipeline::capture::{Captured, OpenCamera, capture};
use menshen::pipeline::slot::Taken;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const CAMERAS: u16 = 6;
/// For each camera.
const UNPLUGS: u16 = 18;
/// udev's link comes so much later than the node.
const LINK_LATE: Duration = Duration::from_millis(150);

/// What became of one camera.
#[derive(Default)]
struct Lane {
    /// From plugging in to the first frame, for each time; and from there being a node.
    back: Vec<(Duration, Duration)>,
    /// Under which nodes it was.
    nodes: BTreeSet<PathBuf>,
    /// Unplugged before it gave a frame.
    early: u16,
}

/// A node that another program holds open. It is closed when the kernel has taken the camera apart,
/// see `Node` in `src/camera/v4l/node.rs`.
struct Held {
    _node: File,
    /// The camera's media device, and the number of its folder.
    media: (PathBuf, u64),
}

impl Held {
    /// `None` where the kernel has taken it away by now.
    fn open(node: &Path) -> Option<Self> {
        let device = Path::new("/sys/class/video4linux").join(node.file_name()?);
        let device = fs::canonicalize(device.join("device")).ok()?;
        let mut entries = fs::read_dir(device).ok()?.flatten();
        let media = entries.find(|it| it.file_name().to_string_lossy().starts_with("media"))?;
        let number = media.metadata().ok()?.ino();
        Some(Self {
            _node: File::open(node).ok()?,
            media: (media.path(), number),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (media, number) = &self.media;
        until("the end of an unplugged camera", || {
            (fs::metadata(media).map(|it| it.ino()).ok() != Some(*number)).then_some(())
        });
    }
}

/// The gateway's log, for the errors that it met.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// How often each error of the system ended a stream.
    fn errors(&self) -> BTreeMap<String, u32> {
        let mut errors = BTreeMap::new();
        for line in self.text().lines().filter(|it| it.contains("camera lost")) {
            let name = line.split("error=").nth(1).unwrap_or(line);
            let name = name.split(" device=").next().unwrap_or(name);
            *errors.entry(name.to_owned()).or_insert(0) += 1;
        }
        errors
    }
}

#[test]
#[ignore = "runs in the guest"]
fn a_camera_comes_back_whenever_it_is_unplugged() {
    let log = Log::default();
    let writer = log.clone();
    let logged = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .try_init();
    assert!(logged.is_ok(), "{logged:?}");

    let _udev = Udev::start(LINK_LATE);
    let lanes: Vec<Lane> = thread::scope(|all| {
        let lanes: Vec<_> = (0..CAMERAS)
            .map(|n| {
                all.spawn({
                    let log = &log;
                    move || lane(n, log)
                })
            })
            .collect();
        lanes.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let times = |which: fn(&(Duration, Duration)) -> Duration| {
        let mut all: Vec<f64> = lanes
            .iter()
            .flat_map(|it| it.back.iter().map(which))
            .map(|it| it.as_secs_f64())
            .collect();
        all.sort_by(f64::total_cmp);
        let (middle, longest) = (all[all.len() / 2], all[all.len() - 1]);
        format!(
            "{} times, median {middle:.2} s, longest {longest:.2} s",
            all.len()
        )
    };
    let early: u16 = lanes.iter().map(|it| it.early).sum();
    let moved = lanes.iter().filter(|it| it.nodes.len() > 1).count();
    println!(
        "{} unplugs of {CAMERAS} cameras at once, {early} before the first frame\n\
         from plugging in to a frame: {}\n\
         from there being a node to a frame: {}\n\
         {moved} cameras came back under another node; streams were ended by {:?}",
        CAMERAS * UNPLUGS,
        times(|(plugged, _)| *plugged),
        times(|(_, there)| *there),
        log.errors()
    );
    assert!(CAMERAS * UNPLUGS >= 100 && moved > 0);
    // What capture says where reading a camera panicked.
    assert!(!log.text().contains("see above"), "{}", log.text());
}

/// One camera, plugged in and unplugged at random, and the capture that follows it.
fn lane(number: u16, log: &Log) -> Lane {
    let _ends_all = EndsAll(|| format!("lane {number}\n{}", log.text()));
    let serial = format!("lane{number}");
    let (model, film) = (Model::purethermal(&serial), Film::door());
    let (captured, stop) = (Arc::new(Captured::default()), CancellationToken::new());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(BootId(1)));
    let attempts = Arc::new(AtomicU32::new(0));
    let open: OpenCamera = {
        let (settings, clock) = (settings(&serial), Arc::clone(&clock));
        let attempts = Arc::clone(&attempts);
        Arc::new(move || {
            attempts.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(V4lCamera::open(&settings, Arc::clone(&clock))?))
        })
    };
    let follows = thread::spawn({
        let (captured, stop) = (Arc::clone(&captured), stop.clone());
        move || capture(&open, &captured, &stop)
    });

    let mut chance = ChaCha8Rng::seed_from_u64(u64::from(number));
    let mut lane = Lane::default();
    let mut last_sequence = None;
    for plug in 0..=UNPLUGS {
        let early = plug != UNPLUGS && chance.random_ratio(1, 5);
        let began = clock.now();
        let camera = Camera::plug(model.clone(), film.by(plug));
        if early {
            // While the kernel asks what it is, or the gateway opens it.
            thread::sleep(Duration::from_millis(chance.random_range(0..1500)));
            lane.early += 1;
        } else {
            let there = until("its node", || {
                nodes()
                    .iter()
                    .any(|(link, _)| link.to_str() == Some(&model.link()))
                    .then(|| clock.now())
            });
            let mut newest = None;
            for _ in 0..3 {
                let frame = until("a frame after plugging in", || {
                    match captured.slot.take(Duration::from_secs(1)) {
                        Taken::Value(frame, _) => Some(frame),
                        Taken::Nothing => None,
                        Taken::Closed => panic!("capture has ended"),
                    }
                });
                // A frame of the camera that was unplugged would have another number.
                let (by, shown) = film.shown_counts(&frame.counts);
                assert_eq!(by, plug, "a stale frame");
                assert!(newest < Some(shown) && last_sequence < Some(frame.sequence));
                if newest.is_none() {
                    let now = clock.now();
                    lane.back.extend(now.since(&began).zip(now.since(&there)));
                }
                (newest, last_sequence) = (Some(shown), Some(frame.sequence));
            }
            thread::sleep(Duration::from_millis(chance.random_range(0..300)));
        }
        // Who holds the node takes its number, so that the camera comes back under another.
        let node = fs::canonicalize(model.link()).ok();
        lane.nodes.extend(node.clone());
        let held = node.filter(|_| chance.random_ratio(1, 3));
        let held = held.and_then(|node| Held::open(&node));
        camera.unplug();
        // Once capture tries to open it again, the last frame of before has come.
        let before = attempts.load(Ordering::SeqCst);
        until("another attempt", || {
            (attempts.load(Ordering::SeqCst) > before + 1).then_some(())
        });
        while let Taken::Value(frame, _) = captured.slot.take(Duration::ZERO) {
            let (by, _) = film.shown_counts(&frame.counts);
            assert_eq!(by, plug, "a stale frame");
            last_sequence = last_sequence.max(Some(frame.sequence));
        }
        thread::sleep(Duration::from_millis(chance.random_range(0..500)));
        if chance.random_ratio(1, 2) {
            drop(held);
        } else {
            // Held while it comes back.
            let late = Duration::from_secs(2);
            thread::spawn(move || {
                thread::sleep(late);
                drop(held);
            });
        }
    }
    stop.cancel();
    follows.join().unwrap();
    lane
}
