//! How a phone or a desk is told to trust this gateway's own authority: its certificate, what to compare it with,
//! and the steps on each kind of device. Where the site has brought a certificate of its own there is no such page.

use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, Needs, get};
use super::tls::ToTrust;
use super::{Shared, Transport, page};
use askama::Template;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The page.
pub(super) const PAGE: &str = "/trust";

#[derive(Template)]
#[template(path = "trust.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    fingerprint: String,
}

fn authority(shared: &Shared) -> Result<ToTrust, Problem> {
    match &shared.transport {
        Transport::Tls(tls) => tls.to_trust().ok_or(Problem::NoPage),
        Transport::Plain => Err(Problem::NoPage),
    }
}

/// `GET /trust`.
async fn how(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    page::html(&Page {
        fingerprint: authority(&shared)?.fingerprint,
        frame,
    })
}

/// `GET /trust/menshen-ca.crt`.
async fn certificate(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let certificate = authority(&shared)?.certificate;
    let headers = [
        (CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"menshen-ca.crt\"",
        ),
    ];
    Ok((headers, certificate).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get(PAGE, Needs::Nothing, how),
        get("/trust/menshen-ca.crt", Needs::Nothing, certificate),
    ]
}
