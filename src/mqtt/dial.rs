//! The way to the broker: a TCP connection, with TLS where the site has it.
//!
//! Certificates and keys are read for each connection, so that renewed ones are taken without a
//! restart; that is a few small files, on a blocking thread.

use super::tls::{self, TlsFiles};
use super::wire::Stream;
use crate::secret::Secret;
use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

/// Who we are, at which broker.
#[derive(Clone)]
pub struct Account {
    /// The way to the broker.
    pub dial: Arc<dyn Dial>,
    /// What to call the broker in the log and on the screens, such as `host:port`.
    pub broker: String,
    /// Name of this client at the broker; two clients of one name throw each other out.
    pub client_id: String,
    /// Where the broker asks for one.
    pub username: Option<String>,
    /// Where the broker asks for one.
    pub password: Option<Secret<String>>,
    /// A silent connection is probed this often; at least one second. A dead one is found after
    /// twice as long.
    pub keep_alive: Duration,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("broker", &self.broker)
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password)
            .finish_non_exhaustive()
    }
}

/// A connection to be, or why there is none and what to do.
pub type Dialling<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Stream>, String>> + Send + 'a>>;

/// Makes connections to the broker.
pub trait Dial: Send + Sync {
    /// Makes one.
    fn dial(&self) -> Dialling<'_>;
}

/// Connections over the network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Name or address of the broker. With TLS its certificate must be for this name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// With TLS.
    pub tls: Option<TlsFiles>,
}

impl Dial for Network {
    fn dial(&self) -> Dialling<'_> {
        Box::pin(self.connect())
    }
}

impl Network {
    async fn connect(&self) -> Result<Box<dyn Stream>, String> {
        let Self { host, port, tls } = self;
        let ready = match tls.clone() {
            Some(files) => {
                let read = spawn_blocking(move || tls::ready(&files)).await;
                Some(read.map_err(|error| error.to_string())??)
            }
            None => None,
        };
        let tcp = TcpStream::connect((host.as_str(), *port))
            .await
            .map_err(|io| match io.kind() {
                ErrorKind::ConnectionRefused => format!(
                    "nothing listens at {host}:{port}: start the broker, or correct its address"
                ),
                _ => format!(
                    "the broker at {host}:{port} cannot be reached ({io}): check its name and the \
                     network"
                ),
            })?;
        // Small messages must not wait for one another. Where it fails they merely do.
        let _ = tcp.set_nodelay(true);
        match ready {
            Some(ready) => ready.connect(host, *port, tcp).await,
            None => Ok(Box::new(tcp)),
        }
    }
}
