//! Who may ask, and from where: the rules that stand before every page.
//!
//! Without TLS the pages serve this machine only ([`refuse_the_world`]). A browser that shows them also runs
//! other people's pages, and those must neither read nor act:
//!
//! - the `Host` must be this machine's loopback name or, over TLS, one of the names that the site gave, against
//!   DNS rebinding, where a foreign name is made to point here (RFC 9110 §15.5.20 for the status 421);
//! - writes, the live view and events must come from this origin: `Sec-Fetch-Site` (W3C Fetch Metadata)
//!   where the browser sends it, else `Origin` equal to `Host` (OWASP ASVS 5.0: 3.5.1–3.5.3);
//! - every answer carries the headers of ASVS 5.0 3.4.3–3.4.6 and is never kept by a cache (14.3.2); under a
//!   certificate that the site brought also 3.4.1. Under the gateway's own authority it would lock out whoever
//!   does not trust that yet, and pull other services of this machine to `https`;
//! - bodies end at 64 KiB and requests at 30 s (2.4.1); the limits of connections are in `serving`.
//!
//! Nothing here blocks.

use super::problem::{self, Problem};
use super::serving::Transport;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, UPGRADE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Largest body of a request, bytes (ASVS 5.0, 2.4.1).
pub const BODY_LIMIT: usize = 64 * 1024;

/// Longest time for an answer to begin (ASVS 5.0, 2.4.1).
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Longest name, characters.
pub const NAME_LIMIT: usize = 64;

/// Longest free text, characters.
pub const TEXT_LIMIT: usize = 200;

/// Only what this device serves itself; no inline script or style.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// A year (ASVS 5.0, 3.4.1).
const ALWAYS_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Refuses to serve anybody but this machine without TLS.
///
/// # Errors
/// Where `address` is not a loopback address; the text says what to do.
pub fn refuse_the_world(address: SocketAddr) -> io::Result<()> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "these pages do not listen on {address}: they have no TLS, so what they show would cross \
             that network for all to read. Listen on 127.0.0.1 (or [::1]); to look from elsewhere \
             use a tunnel, for example: ssh -L 8080:127.0.0.1:{} DEVICE",
            address.port()
        ),
    ))
}

/// The host of a `Host` header without its port; `None` where it is not one.
fn host_name(header: &str) -> Option<&str> {
    if let Some(rest) = header.strip_prefix('[') {
        let (name, port) = rest.split_once(']')?;
        return (port.is_empty() || is_port(port.strip_prefix(':')?)).then_some(name);
    }
    match header.split_once(':') {
        None => Some(header),
        Some((name, port)) => is_port(port).then_some(name),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit())
}

/// How the pages are called, and whether they are served over TLS.
#[derive(Debug, Default)]
pub(super) struct Rules {
    names: Vec<String>,
    pub(super) tls: bool,
    /// Whether browsers are told never to come without TLS.
    always_tls: bool,
}

impl Rules {
    /// Of pages that are served in this way.
    pub(super) fn of(transport: &Transport) -> Arc<Self> {
        Arc::new(match transport {
            Transport::Plain => Self::default(),
            Transport::Tls(tls) => Self {
                names: tls.names().to_vec(),
                tls: true,
                always_tls: !tls.is_own(),
            },
        })
    }

    /// Whether a `Host` header names this machine.
    fn is_ours(&self, header: &str) -> bool {
        let Some(name) = host_name(header) else {
            return false;
        };
        let ip = name.parse::<IpAddr>().map(|ip| ip.to_canonical());
        let is = |ours: &String| {
            name.eq_ignore_ascii_case(ours) || (ip.is_ok() && ours.parse::<IpAddr>() == ip)
        };
        name.eq_ignore_ascii_case("localhost")
            || ip.as_ref().is_ok_and(IpAddr::is_loopback)
            || self.names.iter().any(is)
    }

    /// Whether a request comes from a page of this very origin.
    ///
    /// Our own `Referrer-Policy: no-referrer` makes browsers send `Origin: null` with a plain form
    /// (Fetch standard, "append a request Origin header"); `Sec-Fetch-Site`, which no page can forge,
    /// then decides. A browser without that header must send its `Origin`.
    fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        let origin = text(headers, &ORIGIN);
        let scheme = if self.tls { "https://" } else { "http://" };
        let is_own = origin
            .and_then(|origin| origin.strip_prefix(scheme))
            .is_some_and(|origin| {
                only_host(headers).is_some_and(|host| origin.eq_ignore_ascii_case(host))
            });
        match text(headers, &HeaderName::from_static("sec-fetch-site")) {
            // `none`: typed into the address bar or from a bookmark, so no page is behind it.
            Some("same-origin" | "none") => is_own || matches!(origin, None | Some("null")),
            Some(_) => false,
            None => is_own,
        }
    }

    fn admit(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        if !only_host(headers).is_some_and(|host| self.is_ours(host)) {
            return Err(Problem::WrongHost);
        }
        if needs_own_origin(request) && !self.is_same_origin(headers) {
            return Err(Problem::ForeignOrigin);
        }
        Ok(())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The one `Host` of a request; two of them are as good as none.
fn only_host(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(HOST).iter();
    match (all.next(), all.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// Whether a request changes something, or opens a WebSocket (which is a GET, but not bound by the browser's
/// same-origin rule).
fn needs_own_origin(request: &Request) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
        || request.headers().contains_key(UPGRADE)
        || request.uri().path() == "/live"
}

/// The rules, before and after every page.
pub(super) async fn stand(
    State(rules): State<Arc<Rules>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let response = match rules.admit(&request) {
        Err(problem) => problem.into_response(),
        Ok(()) => tokio::time::timeout(ANSWER_LIMIT, next.run(request))
            .await
            .unwrap_or_else(|_| Problem::TooSlow.into_response()),
    };
    let mut response = problem::said_to(&path, response);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if rules.always_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, ALWAYS_TLS);
    }
    response
}

/// A text of people: trimmed, not empty, not too long, and without characters that do not show
/// or that turn the direction of what follows (Unicode control, zero-width and bidi characters).
#[must_use]
pub fn plain(text: &str, limit: usize) -> Option<String> {
    let text = text.trim();
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    (!text.is_empty() && text.chars().count() <= limit && !text.chars().any(hidden))
        .then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Rules {
        Rules {
            names: names.iter().copied().map(str::to_owned).collect(),
            tls: !names.is_empty(),
            always_tls: false,
        }
    }

    #[test]
    fn only_loopback_and_what_the_site_named_are_this_machine() {
        let rules = named(&["gate.lan", "192.168.1.20", "fd00::9"]);
        for ours in [
            "gate.lan:8443",
            "GATE.LAN",
            "192.168.1.20:8443",
            "[fd00:0::9]:8443",
            "127.0.0.1",
        ] {
            assert!(rules.is_ours(ours), "{ours}");
        }
        for foreign in ["gate.lan.evil.example", "192.168.1.21", "[fd00::8]", "evil"] {
            assert!(!rules.is_ours(foreign), "{foreign}");
        }
        let rules = named(&[]);
        for ours in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost:1",
            "LOCALHOST",
            "[::1]:80",
            "[::1]",
            "[::ffff:127.0.0.1]:80",
            "127.1.2.3",
        ] {
            assert!(rules.is_ours(ours), "{ours}");
        }
        for foreign in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "192.168.1.2",
            "127.0.0.1:80:80",
            "127.0.0.1:x",
            "::1",
            "[::1",
            "[::1]x",
            "localhost@evil.example",
            "0.0.0.0",
        ] {
            assert!(!rules.is_ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_world_is_refused_with_a_way_out() {
        let error = refuse_the_world("0.0.0.0:8080".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("no TLS"));
        assert!(error.to_string().contains("ssh -L"));
        assert!(refuse_the_world("192.168.0.9:80".parse().unwrap()).is_err());
        assert!(refuse_the_world("[::]:80".parse().unwrap()).is_err());
        assert!(refuse_the_world("127.0.0.1:80".parse().unwrap()).is_ok());
        assert!(refuse_the_world("[::1]:80".parse().unwrap()).is_ok());
    }

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn another_page_is_another_origin() {
        let host = ("host", "127.0.0.1:80");
        let rules = named(&[]);
        for ours in [
            vec![host, ("origin", "http://127.0.0.1:80")],
            vec![host, ("sec-fetch-site", "same-origin")],
            vec![host, ("sec-fetch-site", "none")],
            vec![host, ("sec-fetch-site", "same-origin"), ("origin", "null")],
        ] {
            assert!(rules.is_same_origin(&headers(&ours)), "{ours:?}");
        }
        for foreign in [
            vec![host],
            vec![host, ("origin", "http://evil.example")],
            vec![host, ("origin", "http://127.0.0.1:81")],
            vec![host, ("origin", "null")],
            vec![host, ("sec-fetch-site", "cross-site")],
            vec![host, ("sec-fetch-site", "same-site")],
            vec![
                host,
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://evil.example"),
            ],
        ] {
            assert!(!rules.is_same_origin(&headers(&foreign)), "{foreign:?}");
        }
        let over_tls = named(&["gate.lan"]);
        for (origin, own) in [
            ("https://127.0.0.1:80", true),
            ("http://127.0.0.1:80", false),
        ] {
            assert_eq!(
                over_tls.is_same_origin(&headers(&[host, ("origin", origin)])),
                own
            );
        }
    }

    #[test]
    fn names_are_short_and_show_as_they_are() {
        assert_eq!(plain(" 王芳 ", NAME_LIMIT).as_deref(), Some("王芳"));
        assert_eq!(plain("  ", NAME_LIMIT), None);
        assert_eq!(plain("a\u{7}b", NAME_LIMIT), None);
        assert_eq!(plain("a\nb", NAME_LIMIT), None);
        assert_eq!(plain("a\u{202e}b", NAME_LIMIT), None);
        assert!(plain(&"王".repeat(64), NAME_LIMIT).is_some());
        assert_eq!(plain(&"王".repeat(65), NAME_LIMIT), None);
    }
}
