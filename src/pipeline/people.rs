//! The register in the running gateway: opened with its key, or shut with a word that says why; and looked
//! after by the hour. That the key is lost keeps nobody from being screened.

use super::rounds::Zone;
use crate::clock::Clock;
use crate::config::Config;
use crate::people::{Desk, DeskError};
use crate::store::Store;
use crate::web::PeopleDesk;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often what is old is erased.
const EVERY: Duration = Duration::from_hours(1);

/// The desk of this site's register, or why it is shut.
///
/// # Errors
/// Where the site's rules cannot be read.
pub(super) fn desk(config: &Config, store: &Store) -> anyhow::Result<PeopleDesk> {
    let rules = config.people.rules()?;
    let key = config.people.key_file(&config.store.folder);
    Ok(match store.people(&key) {
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

/// Seals anew what is sealed with an older key, and erases what is old, until told to stop.
pub(super) async fn look_after(desk: Arc<Desk>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        let (desk, now) = (Arc::clone(&desk), clock.now());
        let done = tokio::task::spawn_blocking(move || {
            let resealed = desk.reseal(now)?;
            let forgotten = desk.forget(now)?;
            Ok::<_, DeskError>((resealed, forgotten))
        });
        match done.await {
            Ok(Ok((resealed, forgotten))) => {
                if resealed > 0 {
                    tracing::info!(
                        people = resealed,
                        "the register is sealed with the new key: the lines of the older ones can be \
                         taken out of the key's file"
                    );
                }
                if forgotten.trimmed + forgotten.erased > 0 {
                    tracing::info!(
                        trimmed = forgotten.trimmed,
                        erased = forgotten.erased,
                        "what is old in the register is erased"
                    );
                }
            }
            Ok(Err(error)) => tracing::error!("the register cannot be looked after: {error}"),
            Err(error) => tracing::error!("looking after the register ended early: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}
