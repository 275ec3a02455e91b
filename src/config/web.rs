//! Where the pages are served, under which names, and whose certificate they have.
//!
//! On loopback they are plain; off it they have TLS always, under this gateway's own authority unless the site
//! brings a certificate. Nothing here blocks.

use super::environment::secret_file;
use super::keys;
use super::password::{PasswordError, first_line, open_to_others};
use super::read::{Placed, Reader};
use crate::secret::Secret;
use crate::web::tls::CertificateSource;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// Where they are served.
    pub listen: SocketAddr,
    /// What phones open the pages by, without a slash at its end.
    pub address: Option<String>,
    /// What this machine is called: names and addresses.
    pub names: Vec<String>,
    /// A certificate that the site brings, and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The file whose first line whoever reads the metrics must bring; without it there are none.
    pub metrics_token_file: Option<PathBuf>,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            address: None,
            names: Vec::new(),
            certificate: None,
            metrics_token_file: None,
        }
    }
}

impl WebConfig {
    /// Whether the pages have TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.certificate.is_some() || !self.listen.ip().to_canonical().is_loopback()
    }

    /// Everything that the pages may be called, what people type first: the certificate is for these.
    #[must_use]
    pub fn all_names(&self) -> Vec<String> {
        let ip = self.listen.ip();
        let mut names = self.names.clone();
        if !ip.is_unspecified() {
            names.push(ip.to_string());
        }
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// Whose certificate they have, where this folder keeps what is kept; `None` without TLS.
    #[must_use]
    pub fn certificate_source(&self, folder: &Path) -> Option<CertificateSource> {
        self.has_tls().then(|| match &self.certificate {
            Some((certificate, key)) => CertificateSource::Given {
                certificate: secret_file(certificate),
                key: secret_file(key),
            },
            None => CertificateSource::Own(folder.join("tls")),
        })
    }

    /// What whoever reads the metrics must bring.
    ///
    /// # Errors
    /// Where a file is named and cannot be used.
    pub fn metrics_token(&self) -> Result<Option<Secret<String>>, PasswordError> {
        let file = self.metrics_token_file.as_deref().map(secret_file);
        file.as_deref().map(first_line).transpose()
    }

    /// The certificate that the site brought.
    #[must_use]
    pub fn certificate_file(&self) -> Option<PathBuf> {
        let (certificate, _) = self.certificate.as_ref()?;
        Some(secret_file(certificate))
    }

    /// Says so where others than its owner may read the key that the site brought.
    #[must_use]
    pub fn key_warning(&self) -> Option<String> {
        let (_, key) = self.certificate.as_ref()?;
        open_to_others(&secret_file(key))
    }

    /// Where this machine itself reaches them.
    #[must_use]
    pub fn here(&self) -> SocketAddr {
        let ip = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.listen.port())
    }
}

/// The section.
pub(super) fn web(read: &mut Reader<'_>) -> WebConfig {
    let listen = read.address(&keys::WEB_LISTEN);
    let address = read.text(&keys::WEB_ADDRESS).map(|it| {
        let address = it.value.trim_end_matches('/').to_owned();
        if !is_beginning(&address) {
            read.problem(
                it.span,
                &format!("address in [web] is \"{address}\", which no phone can open"),
                "write http:// or https://, the name or address of this machine and perhaps a port, \
                 such as address = \"https://menshen.example:8443\"",
            );
        }
        address
    });
    let names = read.hosts(&keys::WEB_NAMES);
    let certificate = read.text(&keys::WEB_CERTIFICATE);
    let key = read.text(&keys::WEB_KEY);
    let metrics = read.text(&keys::WEB_METRICS);
    if let (Some(one), None) | (None, Some(one)) = (&certificate, &key) {
        read.problem(
            one.span.clone(),
            "certificate_file and key_file in [web] belong together",
            "name both files, or neither",
        );
    }
    if let Some(Placed { value, span }) = &listen
        && value.ip().is_unspecified()
        && names.as_ref().is_none_or(Vec::is_empty)
    {
        read.problem(
            span.clone(),
            &format!("listen in [web] is {value}, but what this machine is called is not said"),
            "write what people will type, such as names = [\"192.168.1.20\", \"menshen.lan\"]: the \
             certificate is for these, and a request for another name is refused",
        );
    }
    let path = |text: Placed<String>| PathBuf::from(text.value);
    let default = WebConfig::default();
    WebConfig {
        listen: listen.map_or(default.listen, |it| it.value),
        address,
        names: names.unwrap_or_default(),
        certificate: certificate.map(path).zip(key.map(path)),
        metrics_token_file: metrics.map(path),
    }
}

/// Whether this is where addresses of pages begin: a scheme, a host, perhaps a port and a folder.
fn is_beginning(address: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    rest.is_some_and(|rest| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && rest.chars().all(plain)
    })
}

/// A name as it stands before the path of an address: of DNS, or an IP address.
pub(super) fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.parse::<IpAddr>().is_ok()
        || (text.len() <= 253
            && text.split('.').all(label)
            // Digits only at the end are an address that is wrong.
            && text.rsplit('.').next().is_some_and(|last| last.contains(|c: char| c.is_ascii_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for good in ["menshen", "gate-2.lan", "192.168.1.20", "fd00::1", "x1"] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            "a b",
            "Gate.lan",
            "门.lan",
            "192.168.1",
            "1.2.3.4.5",
            "-a",
            "a-",
            "a..b",
            "a:80",
            "*.lan",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
