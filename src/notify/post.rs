//! The request itself: one POST, at most so long, at most so much of an answer, no redirect.
//!
//! ureq is blocking and small, and has no state but its connections; each request has a thread of its own,
//! which a stop does not wait for. TLS is rustls with ring and the system's certificates, which the
//! distribution keeps up to date. Its errors name hosts and addresses, and an address is a secret here: so
//! they are told by our own words.

use super::robot::{Answer, Endpoint, Request};
use crate::clock::Stamp;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Error};

/// Longest answer that is read, bytes: both robots answer in less than a hundred.
const LONGEST_ANSWER: u64 = 64 << 10;

/// The certificates that Debian's `ca-certificates` keeps.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Posts requests.
#[derive(Clone, Debug)]
pub struct Post {
    agent: Agent,
}

impl Post {
    /// With the system's certificates; a request takes at most so long, all in all.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&certificates()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(longest))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Not whatever proxy the environment names: that would be one more who learns the address.
            .proxy(None)
            .user_agent(concat!("menshen/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent }
    }

    /// Posts one request, away from the runtime's threads.
    pub async fn send(&self, endpoint: &Endpoint, request: Request, now: Stamp) -> Answer {
        let (tell, told) = oneshot::channel();
        let (agent, endpoint) = (self.agent.clone(), endpoint.clone());
        let thread = thread::Builder::new()
            .name(format!("post {}", endpoint.kind().as_str()))
            .spawn(move || {
                // Nobody may wait any more.
                let _ = tell.send(post(&agent, &endpoint, &request, &now));
            });
        match thread {
            Ok(_) => told
                .await
                .unwrap_or_else(|_| Answer::Trouble("the request's thread died".to_owned())),
            Err(error) => Answer::Trouble(format!("no thread for the request: {error}")),
        }
    }
}

/// The system's certificates; without them every https server is refused, and the log says why.
fn certificates() -> Vec<Certificate<'static>> {
    let pem = fs::read(CERTIFICATES).unwrap_or_else(|error| {
        tracing::warn!("{CERTIFICATES} cannot be read: {error}; install ca-certificates");
        Vec::new()
    });
    ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate.to_owned()),
            _ => None,
        })
        .collect()
}

fn post(agent: &Agent, endpoint: &Endpoint, request: &Request, now: &Stamp) -> Answer {
    let mut asked = agent.post(request.url.reveal());
    for (name, value) in &request.headers {
        asked = asked.header(*name, value);
    }
    let mut answer = match asked.send(request.body.as_slice()) {
        Ok(answer) => answer,
        Err(error) => return Answer::Trouble(words(&error)),
    };
    let status = answer.status().as_u16();
    let retry_after = answer
        .headers()
        .get("Retry-After")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = answer
        .body_mut()
        .with_config()
        .limit(LONGEST_ANSWER)
        .read_to_vec();
    match body {
        Ok(body) => endpoint.meaning(status, retry_after.as_deref(), &body, now),
        // What the status says counts where nothing more can be read of it.
        Err(_) if status >= 300 => endpoint.meaning(status, retry_after.as_deref(), b"", now),
        Err(error) => Answer::Trouble(words(&error)),
    }
}

/// An error without the address.
fn words(error: &Error) -> String {
    match error {
        Error::Timeout(_) => "no answer in time".to_owned(),
        Error::HostNotFound => {
            "its host is not found: is there a network, and a name server?".to_owned()
        }
        Error::ConnectionFailed => "its host cannot be reached".to_owned(),
        Error::Io(error) => format!("the connection failed: {}", error.kind()),
        Error::BodyExceedsLimit(_) => "its answer is too long".to_owned(),
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => {
            "TLS failed: look at this machine's clock and certificates".to_owned()
        }
        _ => "its answer is no HTTP".to_owned(),
    }
}
