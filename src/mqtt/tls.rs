//! TLS to the broker: its own authority, a certificate for this gateway, and plain words for what
//! is wrong with either.
//!
//! rustls with `ring`; TLS 1.2 and 1.3 only. The broker's certificate must be signed by an authority
//! in `ca_file`, be for the name that is dialled, and be valid today: there is no switch to turn
//! that off. [`ready`] blocks for as long as the disk takes for three small files.

use super::wire::Stream;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore, version};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where certificates and key lie, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of the authorities that may have signed the broker's certificate.
    pub ca: PathBuf,
    /// This gateway's certificate (with what lies between it and the authority) and its key,
    /// where the broker asks for one.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// All that was read, fit for a connection.
pub struct Ready {
    config: Arc<ClientConfig>,
    ca: PathBuf,
}

/// Certificates of a file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("{shown} cannot be read as certificates (PEM): {error}"))?;
    if found.is_empty() {
        return Err(format!("{shown} has no certificate (PEM) in it"));
    }
    Ok(found)
}

/// The day of a moment, as people write it.
fn day(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(
            || "a day that no clock knows".to_owned(),
            |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        )
}

/// What is wrong with the time of a certificate, if it is the time.
fn out_of_time(whose: &str, wrong: &CertificateError) -> Option<String> {
    match wrong {
        CertificateError::ExpiredContext { time, not_after } => Some(format!(
            "{whose} certificate expired on {}: renew it (this gateway's clock says {})",
            day(*not_after),
            day(*time)
        )),
        CertificateError::NotValidYetContext { time, not_before } => Some(format!(
            "{whose} certificate is valid only from {}, and this gateway's clock says {}: set the \
             clock, or correct the certificate",
            day(*not_before),
            day(*time)
        )),
        _ => None,
    }
}

/// Reads the files. What is wrong with them is said before anything is sent.
///
/// # Errors
/// In plain words, with what to do.
pub fn ready(files: &TlsFiles) -> Result<Ready, String> {
    Ok(Ready {
        config: Arc::new(config(files)?),
        ca: files.ca.clone(),
    })
}

/// How TLS is spoken by whoever has these files: to the broker, or to the street's database.
///
/// # Errors
/// In plain words, with what to do.
pub fn config(files: &TlsFiles) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let ca = files.ca.display();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots
            .add(certificate)
            .map_err(|error| format!("{ca} has a certificate that cannot be used: {error}"))?;
    }
    let roots = Arc::new(roots);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|error| error.to_string())?
        .with_root_certificates(Arc::clone(&roots));
    match &files.own {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                format!(
                    "{} cannot be read as a private key (PEM): {error}",
                    key.display()
                )
            })?;
            if let Some(wrong) = own_is_out_of_time(&chain, roots, provider) {
                return Err(wrong);
            }
            builder
                .with_client_auth_cert(chain, private)
                .map_err(|error| {
                    format!(
                        "{} and {} do not belong together: {error}",
                        certificate.display(),
                        key.display()
                    )
                })
        }
    }
}

/// A broker says no more than "refused" of a certificate that has run out; here its date is known.
/// Another authority than the broker's own may have signed it: that is the broker's to judge.
fn own_is_out_of_time(
    chain: &[CertificateDer<'static>],
    roots: Arc<RootCertStore>,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Option<String> {
    let (own, between) = chain.split_first()?;
    let judge = WebPkiClientVerifier::builder_with_provider(roots, provider)
        .build()
        .ok()?;
    match judge.verify_client_cert(own, between, UnixTime::now()) {
        Err(Error::InvalidCertificate(wrong)) => out_of_time("this gateway's", &wrong),
        _ => None,
    }
}

impl Ready {
    /// Speaks TLS over a connection.
    pub(super) async fn connect(
        &self,
        host: &str,
        port: u16,
        tcp: TcpStream,
    ) -> Result<Box<dyn Stream>, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("{host:?} is no name that a certificate can be for"))?;
        match TlsConnector::from(Arc::clone(&self.config))
            .connect(name, tcp)
            .await
        {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(in_words(&error).map_or_else(
                || {
                    format!(
                        "no TLS with the broker at {host}:{port} ({error}): is this its TLS port?"
                    )
                },
                |words| {
                    format!(
                        "TLS with the broker at {host}:{port}: {words}{}",
                        self.whose()
                    )
                },
            )),
        }
    }

    /// For errors: whose word counts.
    fn whose(&self) -> String {
        format!(" (authorities: {})", self.ca.display())
    }
}

/// What TLS found wrong, where it was TLS: at the handshake or, with TLS 1.3, at the first reading.
pub(super) fn in_words(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(wrong) => {
            out_of_time("the broker's", wrong).unwrap_or_else(|| match wrong {
                // An authority of the same name, with another key.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    "the broker's certificate was signed by an authority that is not ours: \
                     correct ca_file, or find out who answers there"
                        .to_owned()
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    format!("the broker's certificate is for another name: {wrong}")
                }
                _ => format!("the broker's certificate cannot be trusted: {wrong}"),
            })
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the broker asks for a certificate of this gateway: set certificate_file and key_file"
                .to_owned()
        }
        Error::AlertReceived(alert) => format!(
            "the broker refuses this gateway ({alert:?}): it asks for a certificate that it knows, \
             and that has not run out; its log says more"
        ),
        Error::InvalidMessage(_) => "what answers there speaks no TLS: check the port".to_owned(),
        other => other.to_string(),
    })
}
