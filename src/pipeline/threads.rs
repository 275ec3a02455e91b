//! The gateway's threads: begun under a name, each of which stops all when it ends, and waited for at the
//! end, the recorder last.

use super::recorder::Recorder;
use anyhow::Context as _;
use std::thread;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the camera's thread is waited for at the end: some nine frames of a Lepton.
const CAMERA_PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked at meanwhile.
const LOOKS_AT_CAMERA: u32 = 50;

/// A named thread that stops the whole gateway when it ends, for whatever reason.
pub(super) fn spawn(
    name: &str,
    stop: &CancellationToken,
    work: impl FnOnce() + Send + 'static,
) -> anyhow::Result<thread::JoinHandle<()>> {
    let guard = stop.clone().drop_guard();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _guard = guard;
            work();
        })
        .with_context(|| format!("starting the {name} thread"))
}

/// Waits for whoever gives events, then for the recorder, which saves what they gave last. Whether all ended well.
pub(super) async fn put_away(
    first: [thread::JoinHandle<()>; 2],
    recorder: Recorder,
    recording: thread::JoinHandle<()>,
) -> Result<bool, tokio::task::JoinError> {
    let ended = tokio::task::spawn_blocking(move || {
        let first = first.map(thread::JoinHandle::join);
        recorder.close();
        let last = recording.join();
        first.into_iter().chain([last]).all(|it| it.is_ok())
    });
    ended.await
}

/// The camera gets its shutter back where its thread ends soon. It may sit in a device that does not
/// answer, and is not waited for then.
pub(super) async fn wait_briefly(cameras: &thread::JoinHandle<()>) {
    for _ in 0..LOOKS_AT_CAMERA {
        if cameras.is_finished() {
            break;
        }
        tokio::time::sleep(CAMERA_PATIENCE / LOOKS_AT_CAMERA).await;
    }
}
