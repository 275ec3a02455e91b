//! Where the pages are served, and how: for the gateway, and for the page that stands in for it.

use crate::clock::Clock;
use crate::config::Config;
use crate::web::tls::Tls;
use crate::web::{Pages, Transport};
use anyhow::{Context as _, anyhow};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Opens the port, and makes ready what TLS needs, where there is to be TLS.
///
/// # Errors
/// Each with what to do.
pub(super) async fn listen(config: &Config, clock: &dyn Clock) -> anyhow::Result<Pages> {
    Ok(Pages {
        listener: bind(config.web.listen).await?,
        transport: transport(config, clock).await?,
        metrics: config.web.metrics_token()?,
    })
}

async fn transport(config: &Config, clock: &dyn Clock) -> anyhow::Result<Transport> {
    let Some(source) = config.web.certificate_source(&config.store) else {
        return Ok(Transport::Plain);
    };
    let (names, now) = (config.web.all_names(), clock.now().wall);
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
