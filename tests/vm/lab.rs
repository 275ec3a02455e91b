//! What the tests in the guest share: films made of the simulator's frames, cameras that show them,
//! the check that a frame is one that was shown, and links by name as udev makes them.
//!
//! Nothing here is timed: everything waits for a condition, up to a limit that only ends a test
//! that hangs.

use super::camera::{Camera, Feed};
use super::model::{Model, frame_bytes};
use menshen::camera::simulator::{Scenario, Simulator};
use menshen::camera::v4l::{V4lCamera, V4lSettings};
use menshen::camera::{Camera as _, Rotation};
use menshen::clock::{BootId, SystemClock, WallTime};
use menshen::config::Config;
use menshen::pipeline::capture::OpenCamera;
use menshen::pipeline::source::open_camera;
use ndarray::Array2;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Where the films lie, here and in the guest.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/camera_vm");
/// Where udev puts its links.
const LINKS: &str = "/dev/v4l/by-id";
/// Looks before a test is given up, and between two of them: at least five minutes.
const LOOKS: u32 = 15_000;
const AGAIN: Duration = Duration::from_millis(20);

/// A lobby with its reference. After the first seconds a visitor comes who is feverish in nobody's
/// doubt, and stays; everything goes slowly, for an emulated processor.
const DOOR: &str = "name = \"door\"\nseed = 11\nduration_s = 30.0\n\
    [room]\nambient_c = 22.0\n\
    [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n\
    [[visitor]]\narrive_s = 4.0\nenter = \"left\"\nleave = \"right\"\nwalk_s = 3.0\n\
    stand_s = 18.0\ndistance_m = 0.72\nlateral_m = 0.04\ncore_c = 39.2\n";

/// The same seen by another camera, without anybody: width, height and frames a second.
fn empty_door((width, height): (u16, u16), fps: u16) -> String {
    format!(
        "name = \"empty\"\nseed = 12\nduration_s = 0.6\n\
         [sensor]\nwidth = {width}\nheight = {height}\nfps = {fps}.0\n\
         [room]\nambient_c = 22.0\n\
         [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n"
    )
}

/// The Lepton lies on its side: turned so, people stand upright.
pub(crate) const UPRIGHT: Rotation = Rotation::Clockwise90;
const ON_ITS_SIDE: Rotation = Rotation::Clockwise270;

/// Frames that a camera shows, as bytes, again and again.
#[derive(Clone)]
pub(crate) struct Film {
    bytes: Arc<Vec<u8>>,
    frame: usize,
    /// Where in a frame its counts are.
    counts: Range<usize>,
}

impl Film {
    /// The door, 160×120 in centikelvin.
    pub(crate) fn door() -> Self {
        Self::read("door.raw", (160, 120), 0, (160, 120))
    }

    /// An empty door, 80×60 in centikelvin.
    pub(crate) fn small() -> Self {
        Self::read("small.raw", (80, 60), 0, (80, 60))
    }

    /// An empty door, 256×384: a grey picture above, 1/64 K below.
    pub(crate) fn halves() -> Self {
        Self::read("halves.raw", (256, 384), 192 * 256 * 2, (256, 192))
    }

    /// An empty door, 512×484: 1/16 K above, two rows in one, a grey picture below.
    pub(crate) fn bands() -> Self {
        Self::read("bands.raw", (512, 484), 0, (256, 192))
    }

    fn read(name: &str, size: (u16, u16), first: usize, counts: (u16, u16)) -> Self {
        let bytes = fs::read(Path::new(FOLDER).join(name)).expect("a film");
        Self {
            bytes: Arc::new(bytes),
            frame: frame_bytes(size) as usize,
            counts: first..first + frame_bytes(counts) as usize,
        }
    }

    /// The frame of this number, signed by its camera.
    fn signed(&self, camera: u16, number: u64) -> Vec<u8> {
        let mut frame = self.plain(number);
        let first = self.counts.start;
        frame[first..first + 2].copy_from_slice(&camera.to_le_bytes());
        frame[first + 2..first + 4].copy_from_slice(&(number as u16).to_le_bytes());
        frame
    }

    fn plain(&self, number: u64) -> Vec<u8> {
        let frames = self.bytes.len() / self.frame;
        let at = (number as usize % frames) * self.frame;
        self.bytes[at..at + self.frame].to_vec()
    }

    /// Shows the film. Each frame's first two counts say which camera shows it, and its number.
    pub(crate) fn by(&self, camera: u16) -> Feed {
        let film = self.clone();
        Box::new(move |number, size| in_size(film.signed(camera, number), size, number))
    }

    /// Shows the film as it is.
    pub(crate) fn unsigned(&self) -> Feed {
        let film = self.clone();
        Box::new(move |number, size| in_size(film.plain(number), size, number))
    }

    /// Which camera's frame these counts are of, and its number. Fails where a single byte is not as it
    /// was shown.
    pub(crate) fn shown_counts(&self, counts: &Array2<u16>) -> (u16, u16) {
        let mut first = counts.iter().copied();
        let (camera, number) = (first.next().unwrap(), first.next().unwrap());
        let expected = self.signed(camera, u64::from(number));
        let bytes: Vec<u8> = counts.iter().flat_map(|it| it.to_le_bytes()).collect();
        let expected = &expected[self.counts.clone()];
        let other = expected.iter().zip(&bytes).position(|(a, b)| a != b);
        assert_eq!(other, None, "frame {number} of camera {camera}: this byte");
        assert_eq!(bytes.len(), expected.len());
        (camera, number)
    }
}

/// A frame of a film as it is sent in this size: with telemetry below where there is room, or without what
/// lies below.
fn in_size(mut frame: Vec<u8>, size: (u16, u16), number: u64) -> Vec<u8> {
    let bytes = frame_bytes(size) as usize;
    if bytes > frame.len() {
        frame.extend(telemetry(number));
    }
    frame.resize(bytes, 0);
    frame
}

/// The rows that a Lepton puts below its picture, 160 or 80 words in each: words of 16 bits, the lower one first where two
/// are a number (FLIR Lepton Engineering Datasheet, "Telemetry").
fn telemetry(number: u64) -> Vec<u8> {
    let mut words = [0_u16; 320];
    let mut long = |at: usize, value: u32| {
        words[at] = value as u16;
        words[at + 1] = (value >> 16) as u16;
    };
    // Uptime, ms; status: a correction was made; the sensor's frames, three of which make one; the
    // last correction, ms.
    long(1, 60_000 + 111 * number as u32);
    long(3, 3 << 4);
    long(20, 3 * number as u32);
    long(30, 20_000);
    // Detector and housing, K × 100; high gain; TLinear on, 0.01 K.
    words[24] = 30_515;
    words[26] = 30_165;
    words[160 + 48] = 1;
    words[160 + 49] = 1;
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Makes the films; on the host, where that is quick.
pub(crate) fn make_films() {
    fs::create_dir_all(FOLDER).unwrap();
    let frames = |scenario: &str| {
        let scenario = Scenario::from_toml(scenario).unwrap();
        let mut camera = Simulator::new(scenario, BootId(1), WallTime(0));
        std::iter::from_fn(move || Some(camera.next_frame().unwrap()?.counts))
    };
    let write =
        |name: &str, bytes: Vec<u8>| fs::write(Path::new(FOLDER).join(name), bytes).unwrap();
    let in_bytes = |counts: &Array2<u16>| -> Vec<u8> {
        counts.iter().flat_map(|it| it.to_le_bytes()).collect()
    };
    let door = frames(DOOR).flat_map(|counts| in_bytes(&ON_ITS_SIDE.turn(counts)));
    write("door.raw", door.collect());
    let small = frames(&empty_door((80, 60), 9)).flat_map(|counts| in_bytes(&counts));
    write("small.raw", small.collect());
    // Centikelvin to 1/64 and 1/16 K; the picture for people: brightness, and no colour.
    let fine = |counts: Array2<u16>, of: u32| counts.map(|it| (u32::from(*it) * of / 100) as u16);
    let grey = |count: u16| [(count >> 3) as u8, 0x80];
    let wide = empty_door((256, 192), 25);
    let halves = frames(&wide).flat_map(|counts| {
        let counts = fine(counts, 64);
        let picture: Vec<u8> = counts.iter().flat_map(|it| grey(*it)).collect();
        [picture, in_bytes(&counts)].concat()
    });
    write("halves.raw", halves.collect());
    let bands = frames(&wide).flat_map(|counts| {
        let counts = fine(counts, 16);
        let between = vec![7; 2 * 512 * 2];
        let picture = Array2::from_shape_fn((384, 512), |(row, col)| counts[(row / 2, col / 2)]);
        let picture = picture.iter().flat_map(|it| grey(*it)).collect();
        [in_bytes(&counts), between.clone(), picture, between].concat()
    });
    write("bands.raw", bands.collect());
}

/// Waits until there is something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(AGAIN);
    }
    panic!("{what}: waited in vain");
}

/// Held by a thread of a test: where the thread panics, it is shown what the test has to say, where
/// every thread stands and the kernel's last words, and the guest ends at once, instead of when the
/// other threads are done.
pub(crate) struct EndsAll<F: Fn() -> String>(pub(crate) F);

impl<F: Fn() -> String> Drop for EndsAll<F> {
    fn drop(&mut self) {
        if thread::panicking() {
            let said = Command::new("/bin/busybox").arg("dmesg").output();
            let said = said.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
            let said = said.unwrap_or_else(|error| error.to_string());
            let _ = writeln!(
                io::stdout(),
                "the test's last words:\n{}\nthreads in the kernel:\n{}\nthe kernel's last words:\n{}",
                last_lines(&(self.0)(), 60),
                in_the_kernel(),
                last_lines(&said, 60)
            );
            process::exit(101);
        }
    }
}

fn last_lines(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(most)..].join("\n")
}

/// Where each thread of this program stands, and any other thread that cannot be interrupted.
fn in_the_kernel() -> String {
    let folders = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten();
    let mut threads = String::new();
    for process in folders("/proc".into()) {
        for task in folders(process.path().join("task")) {
            let of = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let status = of("status");
            let state = status.lines().find(|line| line.starts_with("State:"));
            let ours = *process.file_name() == *process::id().to_string();
            if ours || state.is_some_and(|it| it.contains('D')) {
                let (name, call, stack) = (of("comm"), of("syscall"), of("stack"));
                let _ = write!(
                    threads,
                    "{} {} {} {}\n{stack}",
                    task.file_name().display(),
                    name.trim(),
                    state.unwrap_or_default(),
                    call.trim()
                );
            }
        }
    }
    threads
}

/// A PureThermal with the film of the door, signed with this number.
pub(crate) fn purethermal(serial: &str, number: u16) -> (Camera, Film) {
    let film = Film::door();
    let camera = Camera::plug(Model::purethermal(serial), film.by(number));
    (camera, film)
}

/// How a PureThermal is opened here: by its link.
pub(crate) fn settings(serial: &str) -> V4lSettings {
    V4lSettings {
        device: Some(Model::purethermal(serial).link().into()),
        timeout: Duration::from_secs(2),
        ..V4lSettings::default()
    }
}

pub(crate) fn open(settings: &V4lSettings) -> Result<V4lCamera, String> {
    let clock = Arc::new(SystemClock::start(BootId(1)));
    V4lCamera::open(settings, clock).map_err(|error| error.to_string())
}

/// Opens a camera as soon as that can be done.
pub(crate) fn opened(settings: &V4lSettings) -> V4lCamera {
    until(&format!("opening {settings:?}"), || open(settings).ok())
}

/// How a site of this profile opens its camera: by its USB ids, and behind all that the gateway puts
/// before a camera.
pub(crate) fn site_camera(profile: &str) -> OpenCamera {
    let site = format!("[camera]\nprofile = \"{profile}\"\n");
    let config = Config::parse(&site, "site.toml").unwrap();
    let clock = Arc::new(SystemClock::start(BootId(1)));
    open_camera(&config.camera, clock, BootId(1)).unwrap()
}

/// What udev does for cameras: a link by name for each node of pictures, some time after the node came,
/// and gone as long after the node.
pub(crate) struct Udev {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Udev {
    /// With links that come so late.
    pub(crate) fn start(late: Duration) -> Self {
        fs::create_dir_all(LINKS).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut waiting = BTreeMap::new();
            while !stopped.load(Ordering::SeqCst) {
                look_after_links(late, &mut waiting);
                thread::sleep(AGAIN);
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Udev {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_dir_all(LINKS);
    }
}

/// Removes links to what is gone and makes those of what is new, each as late. `waiting`: links that
/// are to change, and how long that is known. Until then a link may lead to another camera.
fn look_after_links(late: Duration, waiting: &mut BTreeMap<PathBuf, Duration>) {
    let nodes: BTreeMap<PathBuf, PathBuf> = nodes().into_iter().collect();
    let links = fs::read_dir(LINKS).unwrap().flatten();
    let links: BTreeMap<PathBuf, PathBuf> = links
        .filter_map(|link| Some((link.path(), fs::read_link(link.path()).ok()?)))
        .collect();
    waiting.retain(|link, _| nodes.get(link) != links.get(link));
    let all: BTreeSet<&PathBuf> = nodes.keys().chain(links.keys()).collect();
    for link in all {
        if nodes.get(link) == links.get(link) {
            continue;
        }
        let known = waiting.entry(link.clone()).or_default();
        *known += AGAIN;
        if *known >= late {
            let _ = fs::remove_file(link);
            if let Some(node) = nodes.get(link) {
                let _ = symlink(node, link);
            }
        }
    }
}

/// The link and the node of every camera's pictures.
pub(crate) fn nodes() -> Vec<(PathBuf, PathBuf)> {
    let text = |path: PathBuf| Some(fs::read_to_string(path).ok()?.trim().replace(' ', "_"));
    let all = fs::read_dir("/sys/class/video4linux").ok();
    all.into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let node = Path::new("/dev").join(entry.file_name());
            // Index 1 is the node of metadata.
            let index = text(entry.path().join("index"))?;
            let device = entry.path().join("device/..");
            let word = |name: &str| text(device.join(name));
            let (maker, product) = (word("manufacturer")?, word("product")?);
            let name = format!("usb-{maker}_{product}_{}-video-index0", word("serial")?);
            (index == "0" && node.exists()).then(|| (Path::new(LINKS).join(name), node))
        })
        .collect()
}
