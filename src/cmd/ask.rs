//! Asks the gateway that runs on this machine, by its own pages: what whoever looks after it does, without signing in.

use crate::config::Config;
use crate::web::tls;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a page may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Most bytes of an answer that are read.
const LARGEST: u64 = 1 << 20;

/// An answer.
pub(super) struct Answer {
    /// The first line, such as `HTTP/1.1 200 OK`.
    pub(super) first: String,
    /// What stands below the head.
    pub(super) body: String,
}

impl Answer {
    /// Whether it is what was asked for.
    pub(super) fn is_ok(&self) -> bool {
        self.first.starts_with("HTTP/1.1 200")
    }
}

/// What the gateway answers at this path; `token` is what metrics need. Blocks for at most some seconds.
///
/// # Errors
/// Where nobody answers.
pub(super) fn ask(config: &Config, path: &str, token: Option<&str>) -> io::Result<Answer> {
    let stream = TcpStream::connect_timeout(&config.web.here(), WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    let Some(source) = config.web.certificate_source(&config.store.folder) else {
        return over(stream, &config.web.here().to_string(), path, token);
    };
    let asker = tls::asker(&source).map_err(io::Error::other)?;
    let host = config.web.all_names().swap_remove(0);
    let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
    let session = ClientConnection::new(asker, name).map_err(io::Error::other)?;
    over(StreamOwned::new(session, stream), &host, path, token)
}

fn over(
    mut stream: impl Read + Write,
    host: &str,
    path: &str,
    token: Option<&str>,
) -> io::Result<Answer> {
    let rights = token.map_or_else(String::new, |it| format!("Authorization: Bearer {it}\r\n"));
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\n{rights}Connection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok(Answer {
        first: head.lines().next().unwrap_or("nothing").to_owned(),
        body: body.to_owned(),
    })
}
