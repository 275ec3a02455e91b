//! The rounds in the running gateway: the desk with the site's list and zone, the report that goes out by
//! itself at the set hour, and the state that the street sees.

use crate::checklist::{Desk, DeskError, SiteList, Template};
use crate::clock::{Clock, ClockTrust, Stamp};
use crate::command::Unsuitable;
use crate::config::{ChecklistConfig, ConfigError, checklist as files, zone::Zone};
use crate::mqtt::payload::ChecklistState;
use crate::store::Store;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often what is due is looked at, where nothing happens.
const EVERY: Duration = Duration::from_mins(1);

/// How often the street is told how many people came, where nothing else changes: a message for each would be
/// one for each healthy visitor.
const PEOPLE_EVERY: Duration = Duration::from_mins(5);

/// The desk of this site.
///
/// # Errors
/// Where the site's own list cannot be read.
pub(super) fn desk(config: &ChecklistConfig, store: &Store) -> anyhow::Result<Arc<Desk>> {
    let sent = files::sent(&store.sent_templates()?);
    let list = match &config.file {
        Some(file) => files::load_site(file, &sent)?.list,
        None => SiteList::plain(files::newest(config.site)?),
    };
    let desk = Desk::new(
        Arc::new(list),
        files::shipped_procedure()?,
        Arc::new(store.clone()),
        Arc::new(Zone(TimeZone::system())),
        config.report_at,
    );
    offer(&desk, &sent)?;
    Ok(Arc::new(desk))
}

/// Offers the newest version that there is of the site's list.
fn offer(desk: &Desk, sent: &[Template]) -> Result<(), ConfigError> {
    if let Some(newest) = files::versions_with(desk.list().template().site, sent)?.pop() {
        desk.offer(newest);
    }
    Ok(())
}

/// Whether a list that was sent is a newer one of the desk's kind.
pub(super) fn suits(desk: &Desk, text: &str) -> Result<(), Unsuitable> {
    let sent = files::parse_template(text, "a list that was sent").map_err(|error| {
        tracing::warn!("a list that was sent is not taken: {error}");
        Unsuitable::NotATemplate
    })?;
    let now = desk.list().template();
    if sent.site != now.site {
        return Err(Unsuitable::OtherKind);
    }
    let newest = desk.upgrade().map_or(now.version, |(newest, _)| newest);
    if sent.version <= newest {
        return Err(Unsuitable::NotNewer);
    }
    Ok(())
}

/// Offers lists that were sent since the last look; `known`: how many there were then.
fn look_for_lists(desk: &Desk, store: &Store, known: &AtomicUsize) -> Result<(), DeskError> {
    let texts = store.sent_templates()?;
    if known.swap(texts.len(), Ordering::Relaxed) != texts.len()
        && let Err(error) = offer(desk, &files::sent(&texts))
    {
        tracing::error!("{error}");
    }
    Ok(())
}

/// What is due is submitted, and the state is told, every minute and whenever something changed. `tell` is
/// called after a report went out.
pub(super) async fn look_after(
    (desk, store): (Arc<Desk>, Store),
    clock: Arc<dyn Clock>,
    (mut changed, state): (watch::Receiver<u64>, watch::Sender<Option<ChecklistState>>),
    tell: impl Fn() + Send + Sync + 'static,
    stop: CancellationToken,
) {
    let mut sure = Sure::default();
    let mut told: Option<Stamp> = None;
    let lists = Arc::<AtomicUsize>::default();
    loop {
        changed.borrow_and_update();
        let (desk, now) = (Arc::clone(&desk), clock.now());
        let again = sure.is_due(&now);
        let (store, lists) = (store.clone(), Arc::clone(&lists));
        let done = tokio::task::spawn_blocking(move || {
            look_for_lists(&desk, &store, &lists)?;
            look(&desk, now, again)
        });
        let done = done.await;
        match done {
            Ok(Ok((new, submitted))) => {
                let since = told.and_then(|it| now.since(&it));
                let people_too = since.is_none_or(|it| it >= PEOPLE_EVERY);
                state.send_if_modified(|old| {
                    let same = old.as_ref().is_some_and(|old| {
                        *old == new || (!people_too && old.same_but_people(&new))
                    });
                    if !same {
                        (*old, told) = (Some(new), Some(now));
                    }
                    !same
                });
                if submitted {
                    tell();
                }
            }
            Ok(Err(error)) => tracing::error!("the rounds cannot be looked after: {error}"),
            Err(error) => tracing::error!("looking after the rounds ended early: {error}"),
        }
        let quiet = async {
            // Many changes at once are looked at once.
            tokio::time::sleep(Duration::from_secs(1)).await;
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = quiet => {}
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Whether the clock was seen to be set.
#[derive(Default)]
struct Sure {
    since: Option<Stamp>,
    told: bool,
}

impl Sure {
    /// Once, when the store has had time to set what it had recorded before.
    fn is_due(&mut self, now: &Stamp) -> bool {
        if self.told || now.trust != ClockTrust::Synchronised {
            return false;
        }
        let since = *self.since.get_or_insert(*now);
        self.told = now.since(&since).is_some_and(|it| it >= 2 * EVERY);
        self.told
    }
}

fn look(desk: &Desk, now: Stamp, again: bool) -> Result<(ChecklistState, bool), DeskError> {
    desk.begin(now)?;
    let mut submitted = desk.submit_what_is_due(now)?;
    if again {
        submitted.extend(desk.submit_again_what_was_unsure(now)?);
    }
    for (date, revision) in &submitted {
        tracing::info!("the report of {date} went out by itself (revision {revision})");
    }
    let log = desk.log(desk.today(now)?)?;
    let report = log.report(now.wall);
    let escalated = log.escalated(now.wall);
    let state = ChecklistState::of(&report, log.round.state(), escalated);
    Ok((state, !submitted.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::SiteKind;

    #[test]
    fn a_list_is_taken_where_it_is_a_newer_one_of_the_sites_kind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        let config = ChecklistConfig {
            site: SiteKind::Office,
            ..ChecklistConfig::default()
        };
        let desk = desk(&config, &store).unwrap();
        let office = include_str!("../checklist/templates/office.toml");
        let version =
            |number: u32| office.replace("version = 1\n", &format!("version = {number}\n"));
        let other = include_str!("../checklist/templates/other.toml");
        let other = other.replace("version = 1\n", "version = 2\n");
        assert_eq!(suits(&desk, &version(2)), Ok(()));
        assert_eq!(suits(&desk, &version(1)), Err(Unsuitable::NotNewer));
        assert_eq!(suits(&desk, &other), Err(Unsuitable::OtherKind));
        assert_eq!(suits(&desk, "version = 3"), Err(Unsuitable::NotATemplate));
        // What was offered is known, and what is unreadable hides nothing of the rest.
        let sent = files::sent(&[version(3), "nonsense".to_owned(), other]);
        offer(&desk, &sent).unwrap();
        assert_eq!(desk.upgrade().map(|it| it.0), Some(3));
        assert_eq!(suits(&desk, &version(3)), Err(Unsuitable::NotNewer));
        assert_eq!(suits(&desk, &version(4)), Ok(()));
    }
}
