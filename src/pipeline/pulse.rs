//! The gateway's pulse, for whoever supervises it (systemd): it is alive while the screening makes
//! progress and the store answers.
//!
//! Progress is a frame that was screened. A camera that is away or broken is no reason to start anew,
//! since that mends nothing and takes the pages away: where the screening itself has said that the camera is
//! silent, and goes on looking for frames, that is progress, too. Broker and street do not count. A store
//! that is only full answers; one whose disk hangs does not.
//!
//! Outside of systemd nothing of this does anything.

use crate::event::Fault;
use crate::id::Channel;
use crate::journal::Outbox;
use crate::web::{ActiveFault, GatewayStatus};
use sd_notify::NotifyState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the pulse is felt where nobody asks for it: often enough for the line that
/// `systemctl status` shows.
const USUAL: Duration = Duration::from_secs(10);

/// How often in the time that the supervisor allows: sd_watchdog_enabled(3) recommends twice.
const WITHIN: u32 = 3;

/// What the screening has shown so far.
#[derive(Debug, Default)]
struct Pulse {
    frames: u64,
}

impl Pulse {
    /// Whether there was progress since the last look: new frames, or (`looked`: the screening has said
    /// anything at all) a camera that is known to be silent.
    fn beats(&mut self, status: &GatewayStatus, looked: bool) -> bool {
        let frames = status.camera.frames;
        let came = frames > self.frames;
        self.frames = frames;
        let is_silent = |it: &ActiveFault| it.fault == Fault::CameraSilent;
        came || (looked && status.faults.iter().any(is_silent))
    }
}

/// Says that the gateway is ready, then tells of its pulse until it stops.
pub(super) async fn tell(
    mut status: watch::Receiver<Arc<GatewayStatus>>,
    store: Arc<dyn Outbox>,
    stop: CancellationToken,
) {
    say(&[NotifyState::Ready]);
    let every =
        sd_notify::watchdog_enabled().map_or(USUAL, |allowed| (allowed / WITHIN).min(USUAL));
    let mut pulse = Pulse::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => break,
        }
        let looked = status.has_changed().unwrap_or(false);
        let now = Arc::clone(&status.borrow_and_update());
        let progress = pulse.beats(&now, looked);
        let asked = {
            let store = Arc::clone(&store);
            tokio::task::spawn_blocking(move || answers(store.as_ref()))
        };
        let answered = tokio::select! {
            answered = asked => answered.unwrap_or(false),
            () = stop.cancelled() => break,
        };
        let line = in_one_line(&now);
        if progress && answered {
            say(&[NotifyState::Watchdog, NotifyState::Status(&line)]);
        } else {
            tracing::warn!(
                progress,
                answered,
                "no pulse: without one the gateway is started anew"
            );
            say(&[NotifyState::Status(&line)]);
        }
    }
    say(&[NotifyState::Stopping]);
}

/// Whether the store answers; that it cannot be written is a fault of its own.
fn answers(store: &dyn Outbox) -> bool {
    store
        .count(&Channel::broker())
        .inspect_err(|error| tracing::warn!("the store does not answer: {error}"))
        .is_ok()
}

/// For `systemctl status`.
fn in_one_line(status: &GatewayStatus) -> String {
    let mut line = match status.camera.fps {
        Some(fps) => format!("{} frames, {fps:.1} a second", status.camera.frames),
        None => "no frame yet".to_owned(),
    };
    for active in &status.faults {
        line.push_str(", ");
        line.push_str(active.fault.as_str());
    }
    line
}

fn say(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::debug!(%error, "the supervisor cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, Clock as _, SystemClock};
    use crate::pipeline::screening_loop::LoopSettings;
    use crate::screening::Rules;
    use crate::web::Mode;

    #[test]
    fn frames_are_a_pulse_and_so_is_a_silence_that_was_said_while_somebody_looks() {
        let settings = LoopSettings {
            reference: None,
            rules: Rules::default(),
            silent_after: Duration::from_secs(2),
            epoch: String::new(),
            mode: Mode::Real,
        };
        let mut status = settings.first_status();
        let mut pulse = Pulse::default();
        assert!(
            !pulse.beats(&status, true),
            "nothing came, and nobody knows why"
        );
        status.camera.frames = 9;
        assert!(pulse.beats(&status, true));
        assert!(
            !pulse.beats(&status, true),
            "the same frames are no progress"
        );
        status.faults.push(ActiveFault {
            fault: Fault::BrokerAway,
            since: SystemClock::start(BootId(1)).now(),
        });
        assert!(!pulse.beats(&status, true));
        status.faults[0].fault = Fault::CameraSilent;
        assert!(pulse.beats(&status, true));
        assert!(
            !pulse.beats(&status, false),
            "the screening itself stands still"
        );
    }
}
