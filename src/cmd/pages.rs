//! Where pages are served, and how: the gateway's, those that stand in for them, and the street office's.

use crate::clock::Clock;
use crate::config::WebConfig;
use crate::web::tls::Tls;
use crate::web::{Pages, Transport};
use anyhow::{Context as _, anyhow};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Opens the port, and makes ready what TLS needs, where there is to be TLS; `folder` is where that is kept.
///
/// # Errors
/// Each with what to do.
pub(super) async fn listen(
    web: &WebConfig,
    folder: &Path,
    clock: &dyn Clock,
) -> anyhow::Result<Pages> {
    Ok(Pages {
        listener: bind(web.listen).await?,
        transport: transport(web, folder, clock).await?,
        metrics: web.metrics_token()?,
    })
}

async fn transport(web: &WebConfig, folder: &Path, clock: &dyn Clock) -> anyhow::Result<Transport> {
    let Some(source) = web.certificate_source(folder) else {
        return Ok(Transport::Plain);
    };
    let (names, now) = (web.all_names(), clock.now().wall);
    let tls = tokio::task::spawn_blocking(move || Tls::ready(names, source, now)).await?;
    let tls = tls.map_err(|why| anyhow!(why)).context(
        "the pages have no certificate\nhint: see certificate_file, key_file and names in [web]",
    )?;
    Ok(Transport::Tls(Arc::new(tls)))
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::AddrInUse {
            "another program has this port; stop it, or choose another ([web] listen, or --port)"
        } else {
            "choose another address or port ([web] listen, or --port)"
        };
        anyhow::Error::new(error).context(format!(
            "the dashboard cannot listen on {address}\nhint: {hint}"
        ))
    })
}
