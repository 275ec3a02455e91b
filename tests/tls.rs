//! The pages over TLS, and the limits of connections, over real sockets.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test; make torture sets how many connections"
)]

#[path = "common/dashboard.rs"]
mod dashboard;
#[path = "common/program.rs"]
mod program;

use dashboard::{Gateway, alert};
use menshen::web::tls::{CertificateSource, Tls};
use menshen::web::{Entrance, Transport};
use program::{Program, outcome};
use rustls::crypto::ring::default_provider;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// A browser that trusts this authority, or none.
fn browser(authority: Option<&Path>) -> Agent {
    let pem = authority.map(|file| fs::read(file).unwrap());
    let roots: Vec<_> = pem
        .iter()
        .map(|pem| Certificate::from_pem(pem).unwrap())
        .collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
        .root_certs(RootCerts::new_with_certs(&roots))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .new_agent()
}

fn header<'a>(answer: &'a Response<Body>, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[test]
fn off_loopback_a_gateway_makes_its_own_authority_and_everything_goes_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("site.toml"),
        "[camera]\nsource = \"simulator\"\n[store]\nfolder = \"data\"\n\
         [web]\nlisten = \"0.0.0.0:0\"\nnames = [\"menshen.lan\"]\n",
    )
    .unwrap();
    let authority = folder.path().join("data/tls/ca.pem");
    let mut fingerprints = Vec::new();
    for start in 0..2 {
        let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
        let port = gateway.wait("the address", |it| {
            let log = it.err();
            let rest = log.split("dashboard on https://menshen.lan:").nth(1)?;
            Some(rest.split('/').next()?.to_owned())
        });
        let url = format!("https://127.0.0.1:{port}");
        let trusting = browser(Some(&authority));
        gateway.wait("the pages", |_| {
            trusting.get(format!("{url}/healthz")).call().ok()
        });
        let mut page = trusting.get(format!("{url}/trust")).call().unwrap();
        let page = page.body_mut().read_to_string().unwrap();
        let rest = page.split("id=\"fingerprint\">").nth(1).unwrap();
        fingerprints.push(rest.split('<').next().unwrap().to_owned());
        let said = gateway.err();
        assert!(said.contains(&fingerprints[start]), "{said}");
        if start == 1 {
            break;
        }

        let stranger = browser(None).get(format!("{url}/healthz")).call();
        assert!(stranger.is_err(), "nobody trusts it unasked");
        let plain = browser(None)
            .get(format!("http://127.0.0.1:{port}/accounts?x=1"))
            .call()
            .unwrap();
        assert_eq!(plain.status(), 308);
        assert_eq!(header(&plain, "location"), format!("{url}/accounts?x=1"));
        let elsewhere = trusting
            .get(format!("{url}/sign-in"))
            .header("Host", "evil.example")
            .call()
            .unwrap();
        assert_eq!(elsewhere.status(), 421);
        let named = trusting
            .get(format!("{url}/setup"))
            .header("Host", "menshen.lan")
            .call()
            .unwrap();
        assert_eq!(named.status(), 200);
        assert_eq!(header(&named, "strict-transport-security"), "");

        let code = said.split("the code is ").nth(1).unwrap();
        let code = code.split_whitespace().next().unwrap();
        assert!(said.contains("open https://menshen.lan:"), "{said}");
        let password = "seven+green+lobster+hats";
        let begun = trusting
            .post(format!("{url}/setup"))
            .header("Origin", &url)
            .content_type("application/x-www-form-urlencoded")
            .send(format!(
                "code={code}&name=Li+Ming&password={password}&again={password}"
            ))
            .unwrap();
        assert_eq!(begun.status(), 303);
        let cookie = header(&begun, "set-cookie");
        for part in [
            "__Host-menshen-session=",
            "; Secure",
            "; HttpOnly",
            "; Path=/",
            "SameSite=Strict",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let account = trusting
            .get(format!("{url}/account"))
            .header("Cookie", cookie.split(';').next().unwrap())
            .call()
            .unwrap();
        assert_eq!(account.status(), 200);
    }
    assert_eq!(fingerprints[0], fingerprints[1], "it stays over a restart");
}

#[test]
fn a_site_that_listens_everywhere_says_what_it_is_called_and_brings_its_files_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str, said: &str| {
        fs::write(folder.path().join("site.toml"), text).unwrap();
        let (code, _, err) = outcome(folder.path(), &["run", "--config", "site.toml"]);
        assert!(code != Some(0) && err.contains(said), "{said}: {err}");
        assert!(err.contains("hint: "), "{err}");
    };
    refused("[web]\nlisten = \"0.0.0.0:0\"\n", "names = [");
    refused(
        "[camera]\nsource = \"simulator\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
         certificate_file = \"none.pem\"\nkey_file = \"none.key\"\n",
        "none.pem cannot be read",
    );
}

fn names() -> Vec<String> {
    ["gate.lan", "127.0.0.1"].map(str::to_owned).to_vec()
}

/// A gateway under a certificate that the site has brought: here an own authority's, but it cannot know.
#[test]
fn under_a_certificate_of_the_site_browsers_are_told_to_stay_with_tls() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let made = rcgen::generate_simple_self_signed(names()).unwrap();
    fs::write(file("c.pem"), made.cert.pem()).unwrap();
    fs::write(file("k.pem"), made.signing_key.serialize_pem()).unwrap();
    let source = CertificateSource::Given {
        certificate: file("c.pem"),
        key: file("k.pem"),
    };
    let tls = Tls::ready(names(), source, menshen::clock::WallTime(dashboard::NOW_MS)).unwrap();
    let gateway = Gateway::over(Transport::Tls(Arc::new(tls)), Entrance::Demo, Vec::new());
    let url = format!("https://{}", gateway.address);
    let agent = browser(Some(&file("c.pem")));
    let page = agent.get(format!("{url}/")).call().unwrap();
    assert_eq!(
        (
            page.status().as_u16(),
            header(&page, "strict-transport-security")
        ),
        (200, "max-age=31536000")
    );
    assert_eq!(
        agent.get(format!("{url}/trust")).call().unwrap().status(),
        404
    );
}

/// A connection from one of so many addresses of this machine.
async fn connect(to: SocketAddr, n: usize) -> std::io::Result<TcpStream> {
    let [_, _, high, low] = u32::try_from(256 + n / 50).unwrap().to_be_bytes();
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, high, low), 0).into())?;
    socket.connect(to).await
}

/// 5 000 of them in `make torture`.
fn how_many() -> usize {
    let asked = std::env::var("MENSHEN_TEST_CONNECTIONS");
    asked.map_or(600, |n| n.parse().unwrap())
}

/// Half a form: its end may take as long as an answer.
const SLOW_FORM: usize = 2;

/// Connections that say nothing or half a request, and some that ask for much and read nothing; by kind.
async fn crowd(to: SocketAddr, many: usize) -> Vec<(usize, TcpStream)> {
    let mut all = Vec::new();
    for n in 0..many {
        // Who finds no room is let go; that is what is tried here.
        let Ok(mut stream) = connect(to, n).await else {
            continue;
        };
        let kind = n % 4;
        let said = match kind {
            0 => "",
            1 => "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
            SLOW_FORM => {
                "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\nname="
            }
            _ => "GET /assets/live.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        };
        let _ = stream.write_all(said.as_bytes()).await;
        all.push((kind, stream));
    }
    all
}

#[test]
fn thousands_of_connections_that_say_nothing_keep_nobody_out_and_hold_up_no_picture() {
    let gateway = Gateway::with(vec![alert(12, 20, 38.4)]);
    gateway.see(1);
    let (address, many) = (gateway.address, how_many());
    let open = gateway.runtime.block_on(crowd(address, many));
    assert!(open.len() > many / 2, "{} of {many}", open.len());
    let page = gateway.get("/");
    assert!(page.status == 200 && page.body.contains("38.4"));
    for sequence in 2..12 {
        gateway.see(sequence);
        assert_eq!(gateway.get("/healthz").body, "ok\n");
    }
    // They were let go, or will be, without being asked.
    let heads = open.into_iter().filter(|(kind, _)| *kind != SLOW_FORM);
    gateway.runtime.block_on(async {
        for (kind, mut stream) in heads {
            let mut rest = Vec::new();
            let read = tokio::time::timeout(Duration::from_mins(2), stream.read_to_end(&mut rest));
            assert!(read.await.is_ok(), "one of kind {kind} is still held");
        }
    });
}
