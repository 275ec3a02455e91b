//! What the program says to its supervisor, heard on a socket as systemd's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/program.rs"]
mod program;

use program::menshen;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::Duration;

/// Limit that only ends a test that hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// The next message with this word in it; what comes before is kept.
fn hear(socket: &UnixDatagram, word: &str, heard: &mut Vec<String>) -> String {
    loop {
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).unwrap_or_else(|_| {
            assert!(heard.is_empty(), "{word} was never said, but {heard:?}");
            0
        });
        assert!(length > 0, "{word} was never said");
        let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
        heard.push(message.clone());
        if message.lines().any(|line| line.starts_with(word)) {
            return message;
        }
    }
}

fn supervised(folder: &std::path::Path, scenario: &str) -> (UnixDatagram, Child) {
    let path = folder.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    std::fs::write(
        folder.join("menshen.toml"),
        format!(
            "[camera]\n{scenario}\n[web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\ndisk_floor_mib = 0\n"
        ),
    )
    .unwrap();
    let child = menshen(folder)
        .arg("run")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "1500000")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (socket, child)
}

fn stop(child: &mut Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

#[test]
fn ready_alive_and_stopping_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, mut child) = supervised(
        folder.path(),
        "source = \"simulator\"\nscenario = \"empty\"",
    );
    let mut heard = Vec::new();
    hear(&socket, "READY=1", &mut heard);
    for _ in 0..3 {
        let alive = hear(&socket, "WATCHDOG=1", &mut heard);
        assert!(alive.contains("STATUS="), "{alive}");
    }
    stop(&mut child);
    hear(&socket, "STOPPING=1", &mut heard);
    assert!(child.wait().unwrap().success());
    assert!(heard[0].contains("READY=1"), "{heard:?}");
}

#[test]
fn a_camera_that_is_away_does_not_stop_the_pulse() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, mut child) = supervised(
        folder.path(),
        "source = \"v4l\"\ndevice = \"/dev/no-camera\"",
    );
    let mut heard = Vec::new();
    hear(&socket, "READY=1", &mut heard);
    let alive = hear(&socket, "WATCHDOG=1", &mut heard);
    assert!(alive.contains("camera_silent"), "{alive}");
    stop(&mut child);
    assert!(child.wait().unwrap().success());
}
