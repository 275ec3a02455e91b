//! The server: takes connections, speaks TLS or not, and hands requests to the pages.
//!
//! hyper is driven by hand, because `axum::serve` has no limit of time or number: here TLS handshake and head of
//! a request come within `HEAD_LIMIT`, who takes nothing any more is cut off by the kernel after `TAKEN_LIMIT`
//! (TCP_USER_TIMEOUT, tcp(7)), and [`Doorway`] counts connections. HTTP/1.1 only. On a port with TLS, a request
//! without it is led to the same address with `https`, and gets nothing else. Nothing here blocks a thread.

use super::doorway::{Doorway, Place};
use super::tls::Tls;
use crate::secret::Secret;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONNECTION, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_tcp_user_timeout;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest time for a TLS handshake, and for the head of a request; as long is waited for the next request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// Milliseconds for which somebody may take nothing of what is sent: 30 s (ASVS 5.0, 2.4.1).
const TAKEN_LIMIT: u32 = 30_000;

/// Bytes of a request's head, at most.
const HEAD_BYTES: usize = 32 * 1024;

/// Wait where no connection can be taken: too many files are open, usually.
const BREATH: Duration = Duration::from_millis(200);

/// How long open connections may take to end after the stop was asked for.
const GOODBYE: Duration = Duration::from_secs(3);

/// How every TLS connection begins: a handshake record (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;

/// Where pages are served, and how.
#[derive(Clone, Debug)]
pub enum Transport {
    /// As they are: on this machine only.
    Plain,
    /// Over TLS.
    Tls(Arc<Tls>),
}

impl Transport {
    /// Whether there is an authority that browsers do not know by themselves.
    pub(super) fn own_authority(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.is_own())
    }

    /// Where somebody finds the pages.
    #[must_use]
    pub fn url(&self, address: SocketAddr) -> String {
        match self {
            Self::Plain => format!("http://{address}/"),
            Self::Tls(tls) => {
                let name = tls.names().first();
                let name = name.map_or_else(|| address.ip().to_string(), Clone::clone);
                let name = if name.contains(':') {
                    format!("[{name}]")
                } else {
                    name
                };
                format!("https://{name}:{}/", address.port())
            }
        }
    }
}

/// Where the pages are served, how, and whether their metrics are.
#[derive(Debug)]
pub struct Pages {
    /// Where connections come in.
    pub listener: TcpListener,
    /// How they are served.
    pub transport: Transport,
    /// What whoever reads the metrics must bring; without it there are none.
    pub metrics: Option<Secret<String>>,
}

/// What every connection is given.
struct Server {
    app: Router,
    tls: Option<Arc<Tls>>,
    stop: CancellationToken,
    /// Ends what has not ended by itself after the stop.
    gone: CancellationToken,
}

/// Serves until `stop`, then lets open answers end for a moment.
pub(super) async fn serve(
    listener: TcpListener,
    transport: Transport,
    app: Router,
    stop: CancellationToken,
) {
    let tls = match transport {
        Transport::Plain => None,
        Transport::Tls(tls) => Some(tls),
    };
    let server = Arc::new(Server {
        app,
        tls,
        stop: stop.clone(),
        gone: CancellationToken::new(),
    });
    let doorway = Arc::new(Doorway::default());
    let connections = TaskTracker::new();
    while let Some(came) = stop.run_until_cancelled(listener.accept()).await {
        match came {
            Ok((stream, from)) => {
                // Whoever finds no place is let go without a word: an answer would cost one.
                if let Some(place) = doorway.enter(from.ip()) {
                    connections.spawn(Arc::clone(&server).attend(stream, from, place));
                }
            }
            Err(error) => {
                tracing::debug!(%error, "no connection could be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let _ = timeout(GOODBYE, connections.wait()).await;
    server.gone.cancel();
}

impl Server {
    /// One connection, to its end.
    async fn attend(self: Arc<Self>, stream: TcpStream, from: SocketAddr, place: Place) {
        let (out, gone) = (place.out.clone(), self.gone.clone());
        // Neither is needed to serve; both fail only where the connection is gone.
        let _ = stream.set_nodelay(true);
        let _ = set_tcp_user_timeout(&stream, TAKEN_LIMIT);
        tokio::select! {
            () = out.cancelled() => {}
            () = gone.cancelled() => {}
            () = self.greet(stream, from, place) => {}
        }
    }

    async fn greet(&self, stream: TcpStream, from: SocketAddr, place: Place) {
        let Some(tls) = &self.tls else {
            return self.talk(stream, from, place, self.app.clone()).await;
        };
        let mut first = [0];
        match timeout(HEAD_LIMIT, stream.peek(&mut first)).await {
            Ok(Ok(1)) if first[0] == HANDSHAKE => {
                if let Ok(Ok(stream)) = timeout(HEAD_LIMIT, tls.acceptor().accept(stream)).await {
                    self.talk(stream, from, place, self.app.clone()).await;
                }
            }
            Ok(Ok(1)) => {
                let led = Router::new().fallback(lead_to_tls);
                self.talk(stream, from, place, led).await;
            }
            _ => {}
        }
    }

    /// HTTP over what is there.
    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        from: SocketAddr,
        place: Place,
        app: Router,
    ) {
        let app = TowerToHyperService::new(app);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            place.settle();
            request.extensions_mut().insert(ConnectInfo(from));
            app.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        // How it ends is the browser's affair: a reset, a silence, a goodbye.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// The same address with `https`; nothing of a site is said without TLS. Where it leads is the asker's own word.
async fn lead_to_tls(headers: HeaderMap, request: Request) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
    let leads = host.map(|host| format!("https://{host}{path}"));
    let leads = leads.and_then(|it| HeaderValue::try_from(it).ok());
    let close = (CONNECTION, HeaderValue::from_static("close"));
    match leads {
        Some(leads) => (
            StatusCode::PERMANENT_REDIRECT,
            [(LOCATION, leads), close],
            "请使用 https 打开本页。\nOpen this page with https.\n",
        )
            .into_response(),
        None => (StatusCode::BAD_REQUEST, [close]).into_response(),
    }
}

/// Serves pages that anybody at this machine may see, without TLS.
///
/// # Errors
/// Where the listener is not on a loopback address.
pub(super) async fn serve_here(
    listener: TcpListener,
    app: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    super::guard::refuse_the_world(listener.local_addr()?)?;
    serve(listener, Transport::Plain, app, stop).await;
    Ok(())
}
