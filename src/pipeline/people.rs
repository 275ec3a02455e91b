//! The register in the running gateway: opened with its key, or shut with a word that says why; its totals
//! told, fevers that were confirmed passed on to it, and what is old erased. That the key is lost keeps nobody
//! from being screened.

use crate::alert::{Alert, AlertState, Outcome};
use crate::clock::{Clock, Stamp, WallTime};
use crate::config::Config;
use crate::config::zone::Zone;
use crate::id::AlertId;
use crate::journal::{Journal, JournalError};
use crate::mqtt::payload::FollowUpState;
use crate::people::{Desk, DeskError};
use crate::store::Store;
use crate::web::PeopleDesk;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the totals are looked at, where nothing happens: a day may have begun.
const EVERY: Duration = Duration::from_mins(1);

/// Days after which a confirmed fever is not looked for any more.
const FEVERS_FOR_DAYS: i64 = 3;

/// Most alerts among which confirmed fevers are looked for.
const MOST_ALERTS: u32 = 200;

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

/// The alerts whose fever a contact thermometer confirmed not long ago.
fn confirmed_fevers(journal: &dyn Journal, now: &Stamp) -> Result<Vec<AlertId>, JournalError> {
    let is_new = |at: &Stamp| {
        let apart = now.wall.0.saturating_sub(at.wall.0).saturating_abs();
        apart < FEVERS_FOR_DAYS * WallTime::DAY_MS
    };
    let confirmed = |alert: Alert| match &alert.state {
        AlertState::Resolved {
            at,
            outcome: Outcome::Confirmed(_),
            ..
        } => is_new(at).then_some(alert.id),
        _ => None,
    };
    let alerts = journal.alerts(MOST_ALERTS)?;
    Ok(alerts.into_iter().filter_map(confirmed).collect())
}

/// Who looks after the register.
pub(super) struct Care {
    pub(super) desk: Arc<Desk>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: Arc<dyn Clock>,
    /// Where its totals are told.
    pub(super) state: watch::Sender<Option<FollowUpState>>,
}

impl Care {
    /// Looks after the register until told to stop. `tell` is called after staff were reminded.
    pub(super) async fn look_after(
        self,
        (mut changed, tell): (watch::Receiver<u64>, impl Fn() + Send + Sync + 'static),
        stop: CancellationToken,
    ) {
        let mut erased: Option<Stamp> = None;
        loop {
            changed.borrow_and_update();
            let now = self.clock.now();
            let is_due = |last: Stamp| now.since(&last).is_none_or(|it| it >= ERASE_EVERY);
            let erase = erased.is_none_or(is_due);
            if erase {
                erased = Some(now);
            }
            let (desk, journal) = (Arc::clone(&self.desk), Arc::clone(&self.journal));
            let last = self.state.borrow().clone();
            let done = tokio::task::spawn_blocking(move || {
                pass_on_fevers(&desk, journal.as_ref(), now)?;
                if erase {
                    look_for_what_is_old(&desk, now)?;
                }
                let reminded = desk.remind(now)?;
                let new = totals(&desk, last.as_ref(), now)?;
                Ok::<_, DeskError>((new, reminded))
            });
            match done.await {
                Ok(Ok((new, reminded))) => {
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
                () = quiet(&mut changed) => {}
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Passes fevers that were confirmed on to the register, which takes each once: asked again, and after a
/// restart, so that none is lost where it could not be written.
fn pass_on_fevers(desk: &Desk, journal: &dyn Journal, now: Stamp) -> Result<(), DeskError> {
    for alert in confirmed_fevers(journal, &now)? {
        let proposed = desk.fever_confirmed(alert, now)?;
        if !proposed.is_empty() {
            tracing::info!(
                people = proposed.len(),
                "a confirmed fever is passed on to the register"
            );
        }
    }
    Ok(())
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
