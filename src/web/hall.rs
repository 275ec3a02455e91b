//! What the pages of a gateway and those of the street office have in common: who is in, how they are served,
//! and what stands around each of them.
//!
//! The pages that both have (signing in, accounts, languages, trust) take a [`Hall`] and know no more. The state of
//! each kind of pages holds one and hands it out (`FromRef`); what is its own it says as a [`House`]. All calls of a
//! [`Hall`] but [`Hall::open`] return at once or wait without blocking.

use super::problem::Problem;
use super::routes::{self, Entry, Served};
use super::sign_in::{self, Door};
use super::words::Words;
use super::{Transport, blocking, frame, guard, nav, serving, who};
use crate::account::Accounts;
use crate::clock::Clock;
use crate::journal::JournalError;
use crate::staff::Role;
use crate::web::state::SiteName;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Who may wait for events at a time: pages that are open, and programs.
pub(super) const LISTENERS: usize = 1000;

/// What stands around every page just now.
#[derive(Default)]
pub(super) struct Around {
    /// How it is, in a line.
    pub(super) status: Option<frame::StatusView>,
    /// What kind of demonstration it is, where it is one.
    pub(super) demo: Option<Words>,
    /// Why the configuration file was refused at the start, its first line.
    pub(super) refused: Option<String>,
}

/// What a kind of pages says of itself.
pub(super) trait House: Send + Sync {
    /// What all its pages are called.
    fn heading(&self) -> Words;
    /// Whose pages they are.
    fn site(&self) -> SiteName;
    /// The ways through them.
    fn ways(&self) -> &'static [nav::Way];
    /// Who may have an account.
    fn roles(&self) -> &'static [Role];
    /// What is served.
    fn served(&self) -> Vec<Served>;
    /// What stands around every page.
    fn around(&self) -> Around;
}

/// How the pages are reached.
pub(super) struct Reached {
    /// Where they are found.
    pub(super) url: String,
    /// How they are served.
    pub(super) transport: Transport,
}

impl Reached {
    /// At this address.
    ///
    /// # Errors
    /// Where others than this machine would come, and there is no TLS.
    pub(super) fn at(address: SocketAddr, transport: &Transport) -> std::io::Result<Self> {
        if let Transport::Plain = transport {
            guard::refuse_the_world(address)?;
        }
        Ok(Self {
            url: transport.url(address),
            transport: transport.clone(),
        })
    }
}

/// What is in a [`Hall`].
pub(crate) struct Inside {
    /// Who is in; `None` in a demonstration.
    pub(super) door: Option<Arc<Door>>,
    pub(super) clock: Arc<dyn Clock>,
    /// Ends the streams that would otherwise never end.
    pub(super) stop: CancellationToken,
    /// Seats at the list of changes.
    pub(super) listeners: Arc<Semaphore>,
    /// Places in the row before the door.
    waiting: Arc<Semaphore>,
    /// Where the pages are found.
    pub(super) url: String,
    /// How they are served.
    pub(super) transport: Transport,
    pub(super) house: Arc<dyn House>,
}

/// What every page finds there.
#[derive(Clone)]
pub(crate) struct Hall(Arc<Inside>);

impl Deref for Hall {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl Hall {
    /// Opens it. Blocks while the accounts are read.
    ///
    /// # Errors
    /// Where they cannot be.
    pub(super) fn open(
        Reached { url, transport }: Reached,
        house: Arc<dyn House>,
        accounts: Option<Arc<dyn Accounts>>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Result<Self, JournalError> {
        let site = house.site();
        let words = [site.street, site.building, site.gate];
        let words = words.into_iter().chain(["menshen".to_owned()]);
        let words = words.filter(|it| !it.is_empty()).collect();
        let door = accounts.map(|accounts| Door::new(accounts, Arc::clone(&clock), words));
        Ok(Self(Arc::new(Inside {
            door: door.transpose()?.map(Arc::new),
            clock,
            stop,
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            waiting: Arc::new(Semaphore::new(sign_in::WAITING)),
            url,
            transport,
            house,
        })))
    }

    /// Serves these pages until it is to stop, then lets open answers end for a moment.
    pub(super) async fn serve<S>(&self, listener: TcpListener, table: Vec<Entry<S>>, state: S)
    where
        S: Clone + Send + Sync + 'static,
        Self: FromRef<S>,
    {
        if let Some(door) = &self.door {
            door.announce(&self.url);
        }
        tokio::spawn(self.clone().sweep());
        let service = self.service(table, state);
        serving::serve(listener, self.transport.clone(), service, self.stop.clone()).await;
    }

    fn service<S>(&self, table: Vec<Entry<S>>, state: S) -> Router
    where
        S: Clone + Send + Sync + 'static,
    {
        let rules = guard::Rules::of(&self.transport);
        routes::router(table)
            .fallback(async || Problem::NoPage)
            .method_not_allowed_fallback(async || Problem::WrongMethod)
            .with_state(state)
            .layer(DefaultBodyLimit::max(guard::BODY_LIMIT))
            .layer(axum::middleware::from_fn_with_state(
                self.clone(),
                who::meet,
            ))
            .layer(axum::middleware::from_fn_with_state(rules, guard::stand))
    }

    /// Once a minute, ends the sessions that are over, and sees to the certificate.
    async fn sweep(self) {
        let mut minutes = tokio::time::interval(Duration::from_mins(1));
        let stop = self.stop.clone();
        while stop.run_until_cancelled(minutes.tick()).await.is_some() {
            let hall = self.clone();
            // Where it fails, that is in the log, and the next one tries again.
            let _ = tokio::task::spawn_blocking(move || {
                if let Some(door) = &hall.door {
                    door.sweep();
                }
                if let Transport::Tls(tls) = &hall.transport {
                    tls.renew(hall.clock.now().wall);
                }
            })
            .await;
        }
    }
}

impl Inside {
    /// Whether browsers may be given cookies that they never send without TLS.
    pub(super) const fn is_secure(&self) -> bool {
        matches!(self.transport, Transport::Tls(_))
    }

    /// Who is in.
    pub(super) fn door(&self) -> Result<&Arc<Door>, Problem> {
        self.door.as_ref().ok_or(Problem::NoPage)
    }

    /// Does something with accounts, after those who came before.
    pub(super) async fn at_door<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Door) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let door = Arc::clone(self.door()?);
        let Ok(_place) = Arc::clone(&self.waiting).try_acquire_owned() else {
            return Err(Problem::TooOften(1));
        };
        blocking(move || work(&door)).await
    }

    /// Where a role begins.
    pub(super) fn home(&self, role: Role) -> &'static str {
        nav::home(self.house.ways(), role)
    }
}
