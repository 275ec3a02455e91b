//! The program at this machine that rings, lights or speaks.
//!
//! It is started at once when something happens, before and without the disk: people first. It gets the
//! kind of event as its one argument and the [`Notice`](super::notice::Notice) as JSON on standard input.
//! No shell is between, so that no text can become a command; it inherits nothing but a plain `PATH`, so
//! that no secret of ours can leak. One runs at a time; alerts go before all else that waits. Whatever
//! does not end by itself is killed with its children after [`LONGEST`]; what it leaves in the background when
//! it ends is its own. What fails is said in the log
//! and nowhere else: the page shows the alert in any case.

use super::notice::Place;
use crate::event::Event;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longest time it may run: a siren's burst, not a service.
pub const LONGEST: Duration = Duration::from_secs(10);

/// Most events that wait for it; then the oldest that is no alert goes.
const MOST_WAITING: usize = 100;

/// Where programs are looked for that the hook starts.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One call of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    kind: &'static str,
    json: Vec<u8>,
}

impl Call {
    fn is_alert(&self) -> bool {
        self.kind == "alert_raised"
    }
}

/// Hands events to the program. Clones share one queue.
#[derive(Clone)]
pub struct Hook {
    inner: Arc<Inner>,
}

struct Inner {
    program: PathBuf,
    place: Place,
    longest: Duration,
    waiting: Mutex<VecDeque<Call>>,
    wake: Notify,
}

impl Hook {
    /// This program.
    #[must_use]
    pub fn new(program: PathBuf, place: Place, longest: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                program,
                place,
                longest,
                waiting: Mutex::default(),
                wake: Notify::new(),
            }),
        }
    }

    /// This has happened. Returns at once.
    pub fn happened(&self, event: &Event) {
        let Some(notice) = self.inner.place.notice(event) else {
            return;
        };
        let call = Call {
            kind: event.kind(),
            json: notice.json(),
        };
        enqueue(&mut self.waiting(), call);
        self.inner.wake.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Call>> {
        self.inner
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the program for each, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let next = self.waiting().pop_front();
            let Some(call) = next else {
                tokio::select! {
                    () = self.inner.wake.notified() => continue,
                    () = stop.cancelled() => break,
                }
            };
            let run = run(&self.inner.program, &call, self.inner.longest);
            tokio::select! {
                ended = run => if let Err(why) = ended {
                    let program = self.inner.program.display();
                    tracing::error!("[alerts] hook {program} {}: {why}", call.kind);
                },
                () = stop.cancelled() => break,
            }
        }
    }
}

/// Behind the alerts that wait where it is one, else at the end. What is given up for room is no alert as
/// long as anything else is there.
fn enqueue(waiting: &mut VecDeque<Call>, call: Call) {
    if waiting.len() >= MOST_WAITING {
        let place = waiting.iter().position(|it| !it.is_alert()).unwrap_or(0);
        let gone = waiting.remove(place).map_or("", |it| it.kind);
        tracing::warn!("[alerts] hook is slower than what happens: {gone} was left out");
    }
    let place = if call.is_alert() {
        let alert = |it: &Call| !it.is_alert();
        waiting.iter().position(alert).unwrap_or(waiting.len())
    } else {
        waiting.len()
    };
    waiting.insert(place, call);
}

/// A child that takes its own children with it, however this ends.
struct Family {
    child: Child,
    group: Option<Pid>,
}

impl Drop for Family {
    fn drop(&mut self) {
        // Only while the program has not been waited for: later the number may be somebody else's.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn run(program: &Path, call: &Call, longest: Duration) -> Result<(), String> {
    let child = Command::new(program)
        .arg(call.kind)
        .env_clear()
        .env("PATH", PATH)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}; it must be an executable file"))?;
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    let mut family = Family { child, group };
    let told = async {
        if let Some(mut input) = family.child.stdin.take() {
            // A program that does not read is no error: the argument may be all that it needs.
            let _ = input.write_all(&call.json).await;
        }
        let status = family.child.wait().await;
        family.group = None;
        status
    };
    match tokio::time::timeout(longest, told).await {
        Err(_) => Err(format!(
            "was killed: it ran for more than {} s",
            longest.as_secs_f64()
        )),
        Ok(Err(error)) => Err(format!("cannot be waited for: {error}")),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(ended(status)),
    }
}

fn ended(status: ExitStatus) -> String {
    format!("ended with {status}; its own words stand above")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{alert, stamp};
    use crate::event::Fault;
    use crate::notify::notice::tests::place;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A script in a folder of its own; what it writes goes there. Linked, never written in place: a
    /// file that any process holds open for writing cannot be run (ETXTBSY).
    fn script(folder: &Path, body: &str) -> PathBuf {
        let (here, program) = (folder.display(), folder.join("hook"));
        fs::write(&program, format!("#!/bin/sh\ncd {here}\n{body}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        program
    }

    fn call(kind: &'static str) -> Call {
        Call {
            kind,
            json: b"{\"v\":1}".to_vec(),
        }
    }

    async fn once(body: &str, longest: Duration) -> (tempfile::TempDir, Result<(), String>) {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), body);
        let ended = run(&program, &call("alert_raised"), longest).await;
        (folder, ended)
    }

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn it_gets_the_kind_the_json_and_nothing_else() {
        let (folder, ended) = once("echo \"$# $1\" >args; cat >input; env >env", HOUR).await;
        assert_eq!(ended, Ok(()));
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("args"), "1 alert_raised\n");
        assert_eq!(read("input"), "{\"v\":1}");
        let env = read("env");
        let names: Vec<_> = env.lines().filter_map(|it| it.split('=').next()).collect();
        assert!(
            names
                .iter()
                .all(|it| ["PATH", "PWD", "OLDPWD", "_", "SHLVL"].contains(it)),
            "{env}"
        );
    }

    #[tokio::test]
    async fn what_fails_says_how() {
        let (_, ended) = once("exit 3", HOUR).await;
        assert!(ended.unwrap_err().contains("exit status: 3"));
        let none = run(Path::new("/no/such/hook"), &call("alert_raised"), HOUR).await;
        assert!(none.unwrap_err().contains("cannot be started"));
    }

    #[tokio::test]
    async fn what_does_not_end_is_killed_with_its_children() {
        let body = "sleep 3600 & echo $! >child; wait";
        // As long as it takes to write the child's number, with much to spare; nothing is timed.
        let (folder, ended) = once(body, Duration::from_secs(3)).await;
        assert!(ended.unwrap_err().contains("was killed"));
        let child = fs::read_to_string(folder.path().join("child")).unwrap();
        // Dead, or waiting for whoever adopts it to notice.
        let state = || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
            stat.ok()
                .and_then(|stat| stat.rsplit_once(") ")?.1.chars().next())
        };
        while !matches!(state(), None | Some('Z')) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn one_runs_at_a_time_and_alerts_go_first() {
        let folder = tempfile::tempdir().unwrap();
        // Each marks its beginning, and finds no other's mark.
        let body = "mkdir busy || echo two >>told; echo $1 >>told; rmdir busy";
        let program = script(folder.path(), body);
        let hook = Hook::new(program, place(), HOUR);
        let (fault, at) = (Fault::CameraSilent, stamp(1));
        hook.happened(&Event::FaultRaised { fault, at });
        hook.happened(&Event::FaultCleared { fault, at });
        hook.happened(&Event::AlertRaised(alert(1, at)));
        hook.happened(&Event::AlertRaised(alert(2, at)));
        let stop = CancellationToken::new();
        let running = tokio::spawn(hook.run(stop.clone()));
        let told = || fs::read_to_string(folder.path().join("told")).unwrap_or_default();
        while told().lines().count() < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        running.await.unwrap();
        let expected = "alert_raised\nalert_raised\nfault_raised\nfault_cleared\n";
        assert_eq!(told(), expected);
    }

    #[test]
    fn a_full_queue_gives_up_no_alert_before_anything_else() {
        let mut waiting = VecDeque::new();
        for _ in 0..MOST_WAITING {
            enqueue(&mut waiting, call("fault_raised"));
        }
        for _ in 0..MOST_WAITING {
            enqueue(&mut waiting, call("alert_raised"));
        }
        assert_eq!(waiting.len(), MOST_WAITING);
        assert!(waiting.iter().all(Call::is_alert));
    }
}
