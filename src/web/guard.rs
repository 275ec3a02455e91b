//! Who may ask, and from where: the rules that stand before every page.
//!
//! There is no TLS yet, so the dashboard serves this machine only ([`refuse_the_world`]). A
//! browser on this machine also runs other people's pages, and those must neither read nor act:
//!
//! - the `Host` must be a loopback name, against DNS rebinding, where a foreign name is made to
//!   point at 127.0.0.1 (OWASP DNS rebinding; RFC 9110 §15.5.20 for the status 421);
//! - writes and the live view must come from this origin: `Sec-Fetch-Site` (W3C Fetch Metadata)
//!   where the browser sends it, else `Origin` equal to `Host` (OWASP ASVS 5.0: 3.5.1–3.5.3);
//! - every answer carries the headers of ASVS 5.0 3.4.3–3.4.6 and is never kept by a cache (14.3.2);
//! - bodies end at 64 KiB and requests at 30 s (2.4.1). Slow request *headers* are not timed here:
//!   `axum::serve` offers no such limit, and only this machine can connect.
//!
//! Nothing here blocks.

use super::problem::Problem;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::io;
use std::net::{IpAddr, SocketAddr};
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

/// Refuses to serve anybody but this machine while there is no TLS.
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
            "the dashboard does not listen on {address}: it has no TLS yet, so passwords and \
             pictures would cross that network for all to read. Listen on 127.0.0.1 (or [::1]); \
             to look from elsewhere use a tunnel, for example: ssh -L 8080:127.0.0.1:{} DEVICE",
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

/// Whether a `Host` header names this machine.
fn is_this_machine(header: &str) -> bool {
    host_name(header).is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost")
            || name
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.to_canonical().is_loopback())
    })
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

/// Whether a request comes from a page of this very origin.
///
/// Our own `Referrer-Policy: no-referrer` makes browsers send `Origin: null` with a plain form
/// (Fetch standard, "append a request Origin header"); `Sec-Fetch-Site`, which no page can forge,
/// then decides. A browser without that header must send its `Origin`.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let origin = text(headers, &ORIGIN);
    let is_own = origin
        .and_then(|origin| origin.strip_prefix("http://"))
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

/// Whether a request changes something, or opens the live view (which is a GET, but not bound by
/// the browser's same-origin rule).
fn needs_own_origin(request: &Request) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD) || request.uri().path() == "/live"
}

/// The rules, before and after every page.
pub async fn stand(request: Request, next: Next) -> Response {
    let mut response = match admit(&request) {
        Err(problem) => problem.into_response(),
        Ok(()) => tokio::time::timeout(ANSWER_LIMIT, next.run(request))
            .await
            .unwrap_or_else(|_| Problem::TooSlow.into_response()),
    };
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
    response
}

fn admit(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    if !only_host(headers).is_some_and(is_this_machine) {
        return Err(Problem::WrongHost);
    }
    if needs_own_origin(request) && !is_same_origin(headers) {
        return Err(Problem::ForeignOrigin);
    }
    Ok(())
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

    #[test]
    fn only_loopback_is_this_machine() {
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
            assert!(is_this_machine(ours), "{ours}");
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
            assert!(!is_this_machine(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_world_is_refused_with_a_way_out() {
        let error = refuse_the_world("0.0.0.0:8080".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("no TLS yet"));
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
        for ours in [
            vec![host, ("origin", "http://127.0.0.1:80")],
            vec![host, ("sec-fetch-site", "same-origin")],
            vec![host, ("sec-fetch-site", "none")],
            vec![host, ("sec-fetch-site", "same-origin"), ("origin", "null")],
        ] {
            assert!(is_same_origin(&headers(&ours)), "{ours:?}");
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
            assert!(!is_same_origin(&headers(&foreign)), "{foreign:?}");
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
