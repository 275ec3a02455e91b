//! What capture costs while a camera gives frames at its own pace: the CPU time of the whole process, from
//! a frame's bytes in the driver's buffer to its counts, upright, in the hands of the screening thread. It
//! takes a few seconds of waiting for each camera, on a thread of its own as in the gateway.
//!
//! The bytes are simulated and made before. What is not in it: the driver's own work and the three calls
//! into the kernel that each frame takes.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark fails by panicking, prints what it finds, and keeps a camera's time"
)]

use cpu_time::ProcessTime;
use menshen::camera::layout::{Packing, Sent, fourcc};
use menshen::camera::{Camera, CameraError, CameraInfo, Rotation};
use menshen::clock::{BootId, Clock, SystemClock};
use menshen::pipeline::capture::{Captured, OpenCamera, capture};
use menshen::pipeline::slot::Taken;
use menshen::thermal::ffc::FfcOrder;
use menshen::thermal::profile::Layout;
use menshen::thermal::radiometry::CountScale;
use menshen::thermal::{RawFrame, Telemetry};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long each camera is looked at.
const SECONDS: u32 = 20;

/// A driver that fills its buffer so many times a second.
struct Driver {
    info: CameraInfo,
    packing: Packing,
    bytes: Vec<u8>,
    due: Instant,
    frames: u64,
    clock: SystemClock,
}

impl Driver {
    fn new((width, height): (u32, u32), fps: f64) -> Self {
        let sent = Sent {
            fourcc: fourcc(Layout::Y16),
            width,
            height,
            stride: 0,
        };
        let packing = Packing::agree(Layout::Y16, (width, height), sent).expect("such frames");
        let packing = packing.turned(Rotation::Clockwise90);
        let (columns, rows) = packing.size();
        let counts = (0..width * height).map(|at| 29_500 + at % 997);
        Self {
            info: CameraInfo {
                name: "driver".to_owned(),
                width: columns,
                height: rows,
                fps,
                scale: CountScale::CentiKelvin,
            },
            packing,
            bytes: counts.flat_map(|it| (it as u16).to_le_bytes()).collect(),
            due: Instant::now(),
            frames: 0,
            clock: SystemClock::start(BootId(1)),
        }
    }
}

impl Camera for Driver {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<RawFrame>, CameraError> {
        self.due += Duration::from_secs_f64(1.0 / self.info.fps);
        thread::sleep(self.due.saturating_duration_since(Instant::now()));
        self.frames += 1;
        Ok(Some(RawFrame {
            stamp: self.clock.now(),
            sequence: self.frames,
            counts: self.packing.unpack(&self.bytes).expect("a frame").counts,
            telemetry: Telemetry::default(),
        }))
    }

    fn damaged(&self) -> u64 {
        0
    }

    fn shutter(&mut self, _: FfcOrder) {}
}

fn measure(size: (u32, u32), fps: f64) {
    let open: OpenCamera = Arc::new(move || Ok(Box::new(Driver::new(size, fps))));
    let (captured, stop) = (Captured::default(), CancellationToken::new());
    thread::scope(|both| {
        both.spawn(|| capture(&open, &captured, &stop));
        let next = || loop {
            match captured.slot.take(Duration::from_secs(1)) {
                Taken::Value(..) => break,
                Taken::Nothing => {}
                Taken::Closed => panic!("capture has ended"),
            }
        };
        next();
        let (begun, frames) = (ProcessTime::now(), f64::from(SECONDS) * fps);
        (0..frames as u32).for_each(|_| next());
        let cpu = begun.elapsed().as_secs_f64();
        stop.cancel();
        println!(
            "capture/{}x{}@{fps}: {:.2} % of one core, {:.3} ms a frame",
            size.0,
            size.1,
            cpu / f64::from(SECONDS) * 100.0,
            cpu / frames * 1e3
        );
    });
}

fn main() {
    measure((160, 120), 9.0);
    measure((640, 512), 30.0);
}
