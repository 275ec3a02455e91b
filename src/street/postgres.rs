//! The ledger in a PostgreSQL database: for several collectors, and for more than one machine.
//!
//! One connection, made anew after whatever failed; a call blocks until it is answered. What is
//! committed is on the server's disk (`synchronous_commit` is on for our sessions, whatever the server's
//! own setting). Over a network the connection has TLS, by the rules of the brokers' link; without, only this
//! machine is dialled.
//!
//! **Order of locks**, the same for all collectors: rows of `message`, `state`, `errand` and `known`, each in the
//! order of its key. Whoever sees a number in `known` sees its message: both are committed together.

mod writing;

use super::ledger::{Ledger, LedgerError, SCHEMA, Taken, site};
use super::record::{
    Counts, Errand, Kept, Logged, Mark, Order, Outcome, Quarantined, State, Wanted,
};
use super::taking;
use crate::clock::WallTime;
use crate::id::{DeviceEpoch, MessageNumber};
use crate::mqtt::{Address, Heard, TlsFiles, tls_config};
use crate::secret::Secret;
use postgres::config::{Host, SslMode};
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, Row, Statement};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;
use writing::Writing;

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A silent server is given up after this.
const SILENT_FOR: Duration = Duration::from_secs(30);
/// What our sessions ask of the server. One whose collector hangs must not keep the others waiting.
const OPTIONS: &str = "-c synchronous_commit=on -c statement_timeout=60000 \
                       -c idle_in_transaction_session_timeout=60000";
/// Held while tables are made: collectors may start together. Any number that nobody else uses.
const MAKING: i64 = 0x006d_656e_7368_656e;

/// Where the database is, and who we are there.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// `postgres://user@host/database`, without a password.
    pub url: String,
    /// Where the server asks for one.
    pub password: Option<Secret<String>>,
    /// With TLS.
    pub tls: Option<TlsFiles>,
}

/// The street's database on a server.
pub struct PostgresLedger {
    config: Config,
    tls: Option<TlsFiles>,
    /// What it is called in errors.
    place: String,
    session: Mutex<Option<Session>>,
}

/// A connection with the statements that were prepared in it.
struct Session {
    client: Client,
    prepared: Prepared,
}

#[derive(Default)]
struct Prepared(HashMap<String, Statement>);

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

impl PostgresLedger {
    /// A ledger in this database; it is dialled by the first call, and after each failure by the next.
    ///
    /// # Errors
    /// Where the settings cannot be right; the text says what to do.
    pub fn new(settings: PostgresSettings) -> Result<Self, LedgerError> {
        let PostgresSettings { url, password, tls } = settings;
        let wrong = |why: &str| LedgerError::Server {
            // Not the address itself: somebody may have written a password into it.
            place: "url in [ledger]".to_owned(),
            why: why.to_owned(),
        };
        let mut config: Config = url.parse().map_err(|_| {
            wrong("it is none of a database: write postgres://user@host:port/database")
        })?;
        if config.get_password().is_some() {
            return Err(wrong(
                "a password stands in it: put that into a file of mode 0600, and write \
                 password_file = \"that file\"",
            ));
        }
        if config.get_user().is_none() || config.get_dbname().is_none() {
            return Err(wrong("write postgres://user@host:port/database"));
        }
        let here = |host: &Host| match host {
            Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
            Host::Unix(_) => true,
        };
        if tls.is_none() && !config.get_hosts().iter().all(here) {
            return Err(wrong(
                "another machine is dialled without TLS: write tls = true (and ca_file)",
            ));
        }
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            Some(Host::Unix(folder)) => folder.display().to_string(),
            None => return Err(wrong("it names no host")),
        };
        let place = format!("{host}/{}", config.get_dbname().unwrap_or_default());
        if let Some(password) = &password {
            config.password(password.reveal());
        }
        config
            .application_name("menshen-street")
            .options(OPTIONS)
            .connect_timeout(CONNECT_WITHIN)
            .tcp_user_timeout(SILENT_FOR)
            .keepalives_idle(SILENT_FOR)
            .ssl_mode(match tls {
                Some(_) => SslMode::Require,
                None => SslMode::Disable,
            });
        Ok(Self {
            config,
            tls,
            place,
            session: Mutex::new(None),
        })
    }

    fn hold(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in a session, which is made where there is none, and given up where it fails.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut held = self.hold();
        let mut session = match held.take() {
            Some(session) if !session.client.is_closed() => session,
            _ => self.begin()?,
        };
        let done = work(&mut session).map_err(|error| match error {
            LedgerError::Database(error) => self.failed(&error),
            other => other,
        })?;
        *held = Some(session);
        Ok(done)
    }

    fn failed(&self, error: &postgres::Error) -> LedgerError {
        LedgerError::Server {
            place: self.place.clone(),
            why: in_words(error),
        }
    }

    /// Dials, and makes the tables where there are none.
    fn begin(&self) -> Result<Session, LedgerError> {
        let dialled = match &self.tls {
            None => self.config.connect(NoTls),
            Some(files) => {
                let config = tls_config(files).map_err(|why| LedgerError::Server {
                    place: self.place.clone(),
                    why,
                })?;
                self.config.connect(MakeRustlsConnect::new(config))
            }
        };
        let mut client = dialled.map_err(|error| self.failed(&error))?;
        let found = make(&mut client).map_err(|error| self.failed(&error))?;
        if found != SCHEMA {
            return Err(LedgerError::Schema {
                place: self.place.clone(),
                found,
            });
        }
        Ok(Session {
            client,
            prepared: Prepared::default(),
        })
    }

    /// Reads.
    fn rows<T>(
        &self,
        sql: &str,
        values: Values<'_>,
        read: impl Fn(&Row) -> Result<T, LedgerError>,
    ) -> Result<Vec<T>, LedgerError> {
        let rows = self.with(|Session { client, prepared }| {
            let statement = prepared.get(sql, |sql| client.prepare(sql))?;
            Ok(client.query(&statement, values)?)
        })?;
        rows.iter().map(read).collect()
    }
}

impl Drop for PostgresLedger {
    /// On a thread of its own: the client waits for its goodbye, which a runtime's own threads must not.
    fn drop(&mut self) {
        let session = self.hold().take();
        std::thread::spawn(move || drop(session));
    }
}

impl Prepared {
    fn get(
        &mut self,
        sql: &str,
        prepare: impl FnOnce(&str) -> Result<Statement, postgres::Error>,
    ) -> Result<Statement, postgres::Error> {
        if let Some(known) = self.0.get(sql) {
            return Ok(known.clone());
        }
        let new = prepare(sql)?;
        self.0.insert(sql.to_owned(), new.clone());
        Ok(new)
    }
}

/// Which schema is there, after it was made where there was none.
fn make(client: &mut Client) -> Result<i64, postgres::Error> {
    let mut begun = client.transaction()?;
    begun.execute("SELECT pg_advisory_xact_lock($1)", &[&MAKING])?;
    let there = begun.query_one("SELECT to_regclass('ledger') IS NOT NULL", &[])?;
    if !there.try_get::<_, bool>(0)? {
        begun.batch_execute(include_str!("0001_postgres.sql"))?;
    }
    let found = begun.query_one("SELECT schema FROM ledger", &[])?;
    let schema = found.try_get(0)?;
    begun.commit()?;
    Ok(schema)
}

/// Why, and what to do.
fn in_words(error: &postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let _ = write!(words, ": {inner}");
        source = inner.source();
    }
    if error.is_closed() || words.contains("connect") {
        words += ". Start PostgreSQL, or correct url in [ledger]";
    }
    words
}

impl Ledger for PostgresLedger {
    fn take(&self, batch: &[Heard], now: WallTime) -> Result<Taken, LedgerError> {
        self.with(|Session { client, prepared }| {
            let mut writing = Writing {
                transaction: client.transaction()?,
                prepared,
            };
            let taken = taking::take(&mut writing, batch, now)?;
            writing.transaction.commit()?;
            Ok(taken)
        })
    }

    fn messages(&self, site: &Address, epoch: &DeviceEpoch) -> Result<Vec<Kept>, LedgerError> {
        self.rows(
            "SELECT seq, name, newer, payload FROM message
             WHERE site = $1 AND epoch = $2 ORDER BY seq",
            &[&site.to_string(), &epoch.0],
            |row| {
                Ok(Kept {
                    number: number(row, 0)?,
                    name: row.try_get(1)?,
                    newer: row.try_get(2)?,
                    payload: row.try_get(3)?,
                })
            },
        )
    }

    fn letters(&self, wanted: &Wanted<'_>) -> Result<Vec<Logged>, LedgerError> {
        let (from, to, newest) = (wanted.from.0, wanted.to.0, i64::from(wanted.newest));
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&from, &to, &newest];
        // A condition that nobody set is left out, so that the right index is taken.
        let mut conditions = String::new();
        let site = wanted.site.map(Address::to_string);
        if let Some(site) = &site {
            values.push(site);
            let _ = write!(conditions, " AND site = ${}", values.len());
        }
        if let Some(names) = &wanted.names {
            values.push(names);
            let _ = write!(conditions, " AND name = ANY(${})", values.len());
        }
        self.rows(
            &format!(
                "SELECT site, epoch, seq, name, newer, late, payload, received_wall_ms
                 FROM message WHERE received_wall_ms >= $1 AND received_wall_ms < $2{conditions}
                 ORDER BY received_wall_ms DESC, site, epoch, seq DESC LIMIT $3"
            ),
            &values,
            |row| {
                Ok(Logged {
                    site: site_of(row, 0)?,
                    epoch: DeviceEpoch(row.try_get(1)?),
                    number: number(row, 2)?,
                    name: row.try_get(3)?,
                    newer: row.try_get(4)?,
                    late: row.try_get(5)?,
                    payload: row.try_get(6)?,
                    received: WallTime(row.try_get(7)?),
                })
            },
        )
    }

    fn states(&self, site: Option<&Address>) -> Result<Vec<State>, LedgerError> {
        self.rows(
            "SELECT site, name, newer, payload, received_wall_ms FROM state
             WHERE $1::text IS NULL OR site = $1 ORDER BY site, name",
            &[&site.map(Address::to_string)],
            |row| {
                Ok(State {
                    site: site_of(row, 0)?,
                    name: row.try_get(1)?,
                    newer: row.try_get(2)?,
                    payload: row.try_get(3)?,
                    received: WallTime(row.try_get(4)?),
                })
            },
        )
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<Quarantined>, LedgerError> {
        self.rows(
            "SELECT topic, payload, reason, detail, received_wall_ms FROM quarantine
             ORDER BY id DESC LIMIT $1",
            &[&i64::from(limit)],
            |row| {
                Ok(Quarantined {
                    topic: row.try_get(0)?,
                    payload: row.try_get(1)?,
                    reason: row.try_get(2)?,
                    detail: row.try_get(3)?,
                    received: WallTime(row.try_get(4)?),
                })
            },
        )
    }

    fn counts(&self) -> Result<Counts, LedgerError> {
        let counted = self.rows(
            "SELECT (SELECT count(*) FROM (SELECT site FROM known UNION SELECT site FROM state) AS s),
                    (SELECT count(*) FROM message), (SELECT count(*) FROM quarantine)",
            &[],
            |row| {
                let count = |column| row.try_get::<_, i64>(column).map(i64::cast_unsigned);
                Ok(Counts {
                    sites: count(0)?,
                    messages: count(1)?,
                    quarantined: count(2)?,
                })
            },
        )?;
        Ok(counted.into_iter().next().unwrap_or_default())
    }

    /// Which transactions are visible. A counter of ours would have all collectors wait for one row.
    fn mark(&self) -> Result<Mark, LedgerError> {
        let mark = self.rows("SELECT pg_current_snapshot()::text", &[], |row| {
            Ok(Mark(row.try_get(0)?))
        })?;
        Ok(mark.into_iter().next().unwrap_or(Mark(String::new())))
    }

    fn order(&self, order: &Order, sites: &[Address]) -> Result<(), LedgerError> {
        let mut sites: Vec<String> = sites.iter().map(Address::to_string).collect();
        sites.sort();
        sites.dedup();
        self.with(|Session { client, .. }| {
            let mut begun = client.transaction()?;
            let new = begun.execute(
                "INSERT INTO command (id, name, payload, given_wall_ms, expires_wall_ms)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                &[
                    &order.id,
                    &order.name,
                    &order.payload,
                    &order.given.0,
                    &order.expires.0,
                ],
            )?;
            if new == 1 {
                begun.execute(
                    "INSERT INTO errand (command, site) SELECT $1, unnest($2::text[])",
                    &[&order.id, &sites],
                )?;
            }
            Ok(begun.commit()?)
        })
    }

    fn orders(&self, limit: u32) -> Result<Vec<(Order, Vec<Errand>)>, LedgerError> {
        let orders = self.rows(
            "SELECT id, name, payload, given_wall_ms, expires_wall_ms FROM command
             ORDER BY given_wall_ms DESC, id LIMIT $1",
            &[&i64::from(limit)],
            |row| order_of(row, 0),
        )?;
        let of_order = |order: Order| {
            let errands = self.rows(
                "SELECT site, answer, answered_wall_ms FROM errand WHERE command = $1 ORDER BY site",
                &[&order.id],
                |row| {
                    Ok(Errand {
                        site: site_of(row, 0)?,
                        outcome: Outcome::read(row.try_get(1)?, row.try_get(2)?),
                    })
                },
            )?;
            Ok((order, errands))
        };
        orders.into_iter().map(of_order).collect()
    }

    fn unanswered(&self, now: WallTime) -> Result<Vec<(Address, Order)>, LedgerError> {
        self.rows(
            "SELECT site, id, name, payload, given_wall_ms, expires_wall_ms
             FROM errand JOIN command ON command.id = errand.command
             WHERE answer IS NULL AND expires_wall_ms > $1 ORDER BY given_wall_ms, id, site",
            &[&now.0],
            |row| Ok((site_of(row, 0)?, order_of(row, 1)?)),
        )
    }
}

/// The site in a column.
fn site_of(row: &Row, column: usize) -> Result<Address, LedgerError> {
    site(row.try_get(column)?)
}

fn number(row: &Row, column: usize) -> Result<MessageNumber, LedgerError> {
    Ok(MessageNumber(
        row.try_get::<_, i64>(column)?.cast_unsigned(),
    ))
}

/// The order in the columns from this one on.
fn order_of(row: &Row, first: usize) -> Result<Order, LedgerError> {
    Ok(Order {
        id: row.try_get(first)?,
        name: row.try_get(first + 1)?,
        payload: row.try_get(first + 2)?,
        given: WallTime(row.try_get(first + 3)?),
        expires: WallTime(row.try_get(first + 4)?),
    })
}
