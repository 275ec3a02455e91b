//! How a phone or a desk is told to trust this gateway's own authority: its certificate, what to compare it with,
//! and the steps on each kind of device. Where the site has brought a certificate of its own there is no such page.

use super::frame::Frame;
use super::hall::Hall;
use super::problem::Problem;
use super::routes::{Entry, Needs, get};
use super::tls::ToTrust;
use super::{Transport, page};
use askama::Template;
use axum::extract::{FromRef, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// The page.
pub(super) const PAGE: &str = "/trust";

#[derive(Template)]
#[template(path = "trust.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    fingerprint: String,
}

fn authority(hall: &Hall) -> Result<ToTrust, Problem> {
    match &hall.transport {
        Transport::Tls(tls) => tls.to_trust().ok_or(Problem::NoPage),
        Transport::Plain => Err(Problem::NoPage),
    }
}

/// `GET /trust`.
async fn how(State(hall): State<Hall>, frame: Frame) -> Result<Response, Problem> {
    page::html(&Page {
        fingerprint: authority(&hall)?.fingerprint,
        frame,
    })
}

/// `GET /trust/menshen-ca.crt`.
async fn certificate(State(hall): State<Hall>) -> Result<Response, Problem> {
    let certificate = authority(&hall)?.certificate;
    let headers = [
        (CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"menshen-ca.crt\"",
        ),
    ];
    Ok((headers, certificate).into_response())
}

pub(super) fn routes<S>() -> Vec<Entry<S>>
where
    S: Clone + Send + Sync + 'static,
    Hall: FromRef<S>,
{
    vec![
        get(PAGE, Needs::Nothing, how),
        get("/trust/menshen-ca.crt", Needs::Nothing, certificate),
    ]
}
