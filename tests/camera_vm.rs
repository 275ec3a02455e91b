//! Cameras on a real kernel: the stock driver `uvcvideo` of a Debian kernel, in a guest, and virtual
//! USB cameras plugged into it (`vm/camera.rs`). What stands between a cable and a frame is real:
//! enumeration, negotiation, isochronous transfers, the driver's buffers, nodes that come and go.
//!
//! `tests/vm/setup.sh` fetches the guest (about 90 MB, once; `make test` does it), and
//! [`cameras_in_the_guest`] boots it once and runs all the other tests of this file there, where
//! they are root. Where there is no guest it says so in one line and passes. Only some of them:
//!
//! ```sh
//! tests/vm/setup.sh
//! MENSHEN_VM_TESTS=unplug cargo test --test camera_vm -- --nocapture
//! ```
//!
//! What is not real: the camera. Its descriptors follow the public firmware of PureThermal and what
//! users of the InfiRay P2 Pro tell; neither was held against a device.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and a virtual camera keeps time"
)]

#[path = "vm/camera.rs"]
mod camera;
#[path = "vm/faults.rs"]
mod faults;
#[path = "vm/frames.rs"]
mod frames;
#[path = "vm/gateway.rs"]
mod gateway;
#[path = "vm/lab.rs"]
mod lab;
#[path = "vm/model.rs"]
mod model;
#[path = "common/program.rs"]
mod program;
#[path = "vm/trial.rs"]
mod trial;
#[path = "vm/unplug.rs"]
mod unplug;
#[path = "vm/usbip.rs"]
mod usbip;

use std::env;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// Exit status of `run.sh` where there is no guest.
const NO_GUEST: i32 = 77;
/// Where Debian has it.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// Exit status of `run.sh` where the guest's kernel died of a fault of its own in freeing a camera.
/// No program can do anything about that, and it is rare.
const KERNEL_DIED: i32 = 126;
/// How often the guest is booted before that is no chance any more.
const BOOTS: u32 = 4;

#[test]
fn cameras_in_the_guest() {
    lab::make_films();
    let (mut status, mut said) = boot();
    for _ in 1..BOOTS {
        if status.code() != Some(KERNEL_DIED) {
            break;
        }
        println!(
            "the guest's kernel died of a fault of its own (v4l2_device_release); it is booted again"
        );
        (status, said) = boot();
    }
    if status.code() == Some(NO_GUEST) {
        return;
    }
    assert!(status.success(), "in the guest: {status}\n{said}");
    let passed = said.split("test result: ok. ").nth(1);
    assert!(passed.is_some_and(|it| !it.starts_with('0')), "{said}");
}

/// Boots the guest and runs the tests there; how that ended, and what was said.
fn boot() -> (ExitStatus, String) {
    let this = env::current_exe().unwrap();
    let only = env::var("MENSHEN_VM_TESTS").unwrap_or_default();
    let arguments = [
        "--ignored",
        "--test-threads=1",
        "--nocapture",
        "--skip=trial::",
        &only,
    ]
    .join(" ");
    let mut guest = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vm/run.sh"))
        .arg("-b")
        .arg(&this)
        .args(["-b", env!("CARGO_BIN_EXE_menshen"), "-b", MOSQUITTO])
        .args(["-f", lab::FOLDER, "--"])
        .arg(format!("{} {arguments}", this.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Shown as it comes, and kept.
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    let mut out = guest.stdout.take().unwrap();
    loop {
        let length = out.read(&mut piece).unwrap();
        if length == 0 {
            break;
        }
        said.extend(&piece[..length]);
        io::stdout().write_all(&piece[..length]).unwrap();
    }
    let status = guest.wait().unwrap();
    (status, String::from_utf8_lossy(&said).into_owned())
}
