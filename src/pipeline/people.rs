//! The register in the running gateway: opened with its key, or shut with a word that says why; its totals
//! told, fevers that were confirmed passed on to it, and what is old erased. That the key is lost keeps nobody
//! from being screened.

use crate::alert::Outcome;
use crate::clock::{Clock, Stamp};
use crate::config::Config;
use crate::config::zone::Zone;
use crate::event::Event;
use crate::id::AlertId;
use crate::journal::Recorded;
use crate::mqtt::payload::FollowUpState;
use crate::people::{Desk, DeskError};
use crate::store::Store;
use crate::web::PeopleDesk;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How often the totals are looked at, where nothing happens: a day may have begun.
const EVERY: Duration = Duration::from_mins(1);

/// How often what is old is erased.
const ERASE_EVERY: Duration = Duration::from_hours(1);

/// The desk of this site's register, or why it is shut.
///
/// # Errors
/// Where the site's rules cannot be read.
pub(super) fn desk(config: &Config, store: &Store) -> anyhow::Result<PeopleDesk> {
    let rules = config.people.rules()?;
    let key = config.people.key_file(&config.store.folder);
    Ok(match store.register(&key) {
        Ok(register) => Ok(Arc::new(Desk::new(
            Arc::new(rules),
            Arc::new(register),
            Arc::new(Zone(TimeZone::system())),
        ))),
        Err(error) => {
            tracing::error!("{error}");
            Err(error.to_string().into())
        }
    })
}

/// Passes on the alerts whose fever a contact thermometer confirmed.
pub(super) fn tell_of_fevers(recorded: &[Recorded], fevers: &mpsc::UnboundedSender<AlertId>) {
    for record in recorded {
        if let Event::AlertResolved { alert, outcome, .. } = &record.event
            && matches!(outcome, Outcome::Confirmed(_))
        {
            // Nobody listens while the register is shut.
            let _ = fevers.send(*alert);
        }
    }
}

/// The register's ends: where its totals are told, and where fevers come from that were confirmed.
pub(super) struct Ends {
    pub(super) state: watch::Sender<Option<FollowUpState>>,
    pub(super) confirmed: mpsc::UnboundedReceiver<AlertId>,
}

impl Ends {
    /// Looks after the register until told to stop. `tell` is called after staff were reminded.
    pub(super) async fn look_after(
        mut self,
        desk: Arc<Desk>,
        clock: Arc<dyn Clock>,
        (mut changed, tell): (watch::Receiver<u64>, impl Fn() + Send + Sync + 'static),
        stop: CancellationToken,
    ) {
        let mut erased: Option<Stamp> = None;
        // Those of which the register has not heard yet: none is lost where it cannot be written.
        let mut fevers: Vec<AlertId> = Vec::new();
        loop {
            changed.borrow_and_update();
            let now = clock.now();
            let is_due = |last: Stamp| now.since(&last).is_none_or(|it| it >= ERASE_EVERY);
            let erase = erased.is_none_or(is_due);
            if erase {
                erased = Some(now);
            }
            let (desk, last) = (Arc::clone(&desk), self.state.borrow().clone());
            let alerts = fevers.clone();
            let done = tokio::task::spawn_blocking(move || {
                for alert in alerts {
                    let proposed = desk.fever_confirmed(alert, now)?;
                    tracing::info!(
                        people = proposed.len(),
                        "a confirmed fever is passed on to the register"
                    );
                }
                if erase {
                    look_for_what_is_old(&desk, now)?;
                }
                let reminded = desk.remind(now)?;
                let new = totals(&desk, last.as_ref(), now)?;
                Ok::<_, DeskError>((new, reminded))
            });
            match done.await {
                Ok(Ok((new, reminded))) => {
                    fevers.clear();
                    if let Some(new) = new {
                        self.state.send_replace(Some(new));
                    }
                    if reminded {
                        tell();
                    }
                }
                Ok(Err(error)) => tracing::error!("the register cannot be looked after: {error}"),
                Err(error) => tracing::error!("looking after the register ended early: {error}"),
            }
            tokio::select! {
                alert = self.confirmed.recv() => match alert {
                    Some(alert) => fevers.push(alert),
                    None => return,
                },
                () = quiet(&mut changed) => {}
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Until something changed; many changes at once are looked at once.
async fn quiet(changed: &mut watch::Receiver<u64>) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    if changed.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The totals, where they are others than those that were told last; they are kept for the day's report.
fn totals(
    desk: &Desk,
    last: Option<&FollowUpState>,
    now: Stamp,
) -> Result<Option<FollowUpState>, DeskError> {
    let new = FollowUpState {
        date: desk.today(now)?,
        totals: desk.totals(now)?,
    };
    if last == Some(&new) {
        return Ok(None);
    }
    desk.tell(&new.totals, now)?;
    Ok(Some(new))
}

/// Seals anew what is sealed with an older key, and erases what is old.
fn look_for_what_is_old(desk: &Desk, now: Stamp) -> Result<(), DeskError> {
    let resealed = desk.reseal(now)?;
    if resealed > 0 {
        tracing::info!(
            people = resealed,
            "the register is sealed with the new key: the lines of the older ones can be taken out of the \
             key's file"
        );
    }
    let forgotten = desk.forget(now)?;
    if forgotten.trimmed + forgotten.erased > 0 {
        tracing::info!(
            trimmed = forgotten.trimmed,
            erased = forgotten.erased,
            "what is old in the register is erased"
        );
    }
    Ok(())
}
