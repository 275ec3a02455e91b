//! TLS for the pages: under a certificate of the site's own, or under one of this gateway's own `Authority`.
//!
//! rustls with `ring`, TLS 1.3 and 1.2 only (ASVS 5.0, 12.1.1). A certificate that is given is read again when its
//! file changes, one of our own is signed anew in time, so that nothing has to be restarted; what cannot be read
//! leaves the old one in place and is said in the log. [`Tls::ready`] and `renew` block.

mod authority;

use crate::clock::WallTime;
use authority::Authority;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;
use tokio_rustls::TlsAcceptor;

/// The certificates that Debian's `ca-certificates` keeps.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whose certificate the pages have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// This gateway's own authority, whose files lie in this folder.
    Own(PathBuf),
    /// Two files (PEM): the certificate with what lies between it and its authority, and its key.
    Given {
        /// The certificate first.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// The certificate in use; connections take it from here.
#[derive(Debug)]
struct InUse(RwLock<Arc<CertifiedKey>>);

impl InUse {
    fn put(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

impl ResolvesServerCert for InUse {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&key))
    }
}

/// When there is to be another certificate.
enum Source {
    Own {
        authority: Box<Authority>,
        /// From here on, and before the first, another is signed.
        holds: Mutex<(WallTime, WallTime)>,
    },
    Given {
        certificate: PathBuf,
        key: PathBuf,
        /// When the two were changed last, as far as is known.
        changed: Mutex<[Option<SystemTime>; 2]>,
    },
}

/// TLS, ready for connections.
pub struct Tls {
    names: Vec<String>,
    source: Source,
    in_use: Arc<InUse>,
    acceptor: TlsAcceptor,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// The authority of this gateway, to be trusted by phones and desks.
pub(super) struct ToTrust {
    /// Its certificate (DER).
    pub(super) certificate: Vec<u8>,
    /// SHA-256 of it.
    pub(super) fingerprint: String,
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| {
            format!(
                "{} cannot be read as certificates (PEM): {error}",
                certificate.display()
            )
        })?;
    if chain.is_empty() {
        return Err(format!(
            "{} has no certificate (PEM) in it",
            certificate.display()
        ));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        format!(
            "{} cannot be read as a private key (PEM): {error}",
            key.display()
        )
    })?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| {
        format!(
            "{} and {} do not belong together: {error}",
            certificate.display(),
            key.display()
        )
    })
}

/// Asks the pages as a browser does that trusts this certificate's authority: for `menshen doctor`.
///
/// # Errors
/// Where the files cannot be read.
pub fn asker(source: &CertificateSource) -> Result<Arc<ClientConfig>, String> {
    let file = match source {
        CertificateSource::Own(folder) => folder.join("ca.pem"),
        CertificateSource::Given { certificate, .. } => certificate.clone(),
    };
    let mut roots = RootCertStore::empty();
    // Those of the world, too: one of them may have signed a certificate that was given.
    for pem in [file.as_path(), Path::new(CERTIFICATES)] {
        let found = CertificateDer::pem_file_iter(pem)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .unwrap_or_default();
        roots.add_parsable_certificates(found);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn changes(files: [&Path; 2]) -> [Option<SystemTime>; 2] {
    files.map(|file| file.metadata().and_then(|it| it.modified()).ok())
}

impl Tls {
    /// Reads or makes what is needed for these names.
    ///
    /// # Errors
    /// In plain words, with what to do.
    pub fn ready(
        names: Vec<String>,
        source: CertificateSource,
        now: WallTime,
    ) -> Result<Self, String> {
        let (source, key) = match source {
            CertificateSource::Own(folder) => {
                let authority = Box::new(Authority::at(&folder, &names, now)?);
                let fingerprint = authority.fingerprint();
                tracing::info!("the pages' authority has the SHA-256 {fingerprint}");
                let signed = authority.sign(&names, now)?;
                let holds = Mutex::new((signed.from, signed.renew));
                (Source::Own { authority, holds }, signed.key)
            }
            CertificateSource::Given { certificate, key } => {
                let changed = Mutex::new(changes([&certificate, &key]));
                let read = read(&certificate, &key)?;
                let given = Source::Given {
                    certificate,
                    key,
                    changed,
                };
                (given, read)
            }
        };
        let in_use = Arc::new(InUse(RwLock::new(Arc::new(key))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_cert_resolver(in_use.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            names,
            source,
            in_use,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Takes another certificate where it is time for one.
    pub(super) fn renew(&self, now: WallTime) {
        let renewed = match &self.source {
            Source::Own { authority, holds } => {
                let mut holds = holds.lock().unwrap_or_else(PoisonError::into_inner);
                if (holds.0..holds.1).contains(&now) {
                    return;
                }
                authority.sign(&self.names, now).map(|signed| {
                    *holds = (signed.from, signed.renew);
                    signed.key
                })
            }
            Source::Given {
                certificate,
                key,
                changed,
            } => {
                let mut changed = changed.lock().unwrap_or_else(PoisonError::into_inner);
                let now = changes([certificate, key]);
                if *changed == now {
                    return;
                }
                *changed = now;
                read(certificate, key)
            }
        };
        match renewed {
            Ok(key) => {
                self.in_use.put(key);
                tracing::info!("the pages have a new certificate");
            }
            Err(why) => tracing::error!("the pages keep their old certificate: {why}"),
        }
    }

    /// Speaks TLS with whoever comes.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// What the pages are called.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the authority is this gateway's own, which browsers do not know by themselves.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self.source, Source::Own { .. })
    }

    /// The authority that phones and desks must be told to trust; none where the site has brought a certificate.
    pub(super) fn to_trust(&self) -> Option<ToTrust> {
        match &self.source {
            Source::Given { .. } => None,
            Source::Own { authority, .. } => Some(ToTrust {
                certificate: authority.certificate(),
                fingerprint: authority.fingerprint(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::generate_simple_self_signed;
    use std::fs::{self, File};
    use std::time::Duration;

    /// 2020-02-21.
    const NOW: WallTime = WallTime(1_582_265_109_000);

    fn shown(tls: &Tls) -> CertificateDer<'static> {
        tls.in_use.0.read().unwrap().cert[0].clone()
    }

    #[test]
    fn an_own_certificate_is_signed_anew_in_time_and_when_the_clock_turns_out_to_be_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let source = CertificateSource::Own(folder.path().to_owned());
        let tls = Tls::ready(vec!["gate.lan".to_owned()], source, WallTime(0)).unwrap();
        let renewed = |now: WallTime| {
            let before = shown(&tls);
            tls.renew(now);
            shown(&tls) != before
        };
        let after = |days: i64| WallTime(NOW.0 + days * WallTime::DAY_MS);
        assert!(renewed(NOW), "made in 1970");
        assert!(!renewed(NOW) && !renewed(after(58)));
        assert!(renewed(after(60)) && !renewed(after(60)));
        assert!(renewed(after(10)), "set back");
    }

    #[test]
    fn a_given_certificate_is_read_again_when_it_changes_and_a_broken_one_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let put = |minutes: u64| {
            let made = generate_simple_self_signed(vec!["gate.lan".to_owned()]).unwrap();
            for (name, text) in [
                ("c.pem", made.cert.pem()),
                ("k.pem", made.signing_key.serialize_pem()),
            ] {
                fs::write(file(name), text).unwrap();
                let at = SystemTime::UNIX_EPOCH + Duration::from_mins(minutes);
                File::options()
                    .write(true)
                    .open(file(name))
                    .unwrap()
                    .set_modified(at)
                    .unwrap();
            }
            made.cert.der().clone()
        };
        let first = put(1);
        let source = CertificateSource::Given {
            certificate: file("c.pem"),
            key: file("k.pem"),
        };
        let tls = Tls::ready(vec!["gate.lan".to_owned()], source.clone(), NOW).unwrap();
        assert!(shown(&tls) == first && !tls.is_own() && tls.to_trust().is_none());
        let second = put(2);
        tls.renew(NOW);
        assert_eq!(shown(&tls), second);
        fs::write(file("c.pem"), "half a file").unwrap();
        tls.renew(NOW);
        assert_eq!(shown(&tls), second, "the old one stays");
        let why = Tls::ready(Vec::new(), source, NOW).unwrap_err();
        assert!(
            why.contains("c.pem") && why.contains("no certificate"),
            "{why}"
        );
    }
}
