//! The gateway's own authority: it signs the certificate of the pages, and of nothing else.
//!
//! A device in a lobby has no public name, so no public authority signs for it. Its own is made at the first start
//! off loopback: an ECDSA P-256 key that never leaves its folder (mode 0600), and a certificate which phones and
//! desks are told to trust. That trust is narrow: by its name constraints (RFC 5280, 4.2.1.10) the authority can
//! vouch for private addresses, for names that exist inside of buildings only, and for the site's own. It holds from
//! 2020 to 2049, whatever a clock without a battery says on the day it is made; what it signs holds for 90 days and
//! is signed anew when 30 are left, under a new key that is nowhere but in memory. Everything here blocks.

use crate::clock::WallTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData,
    date_time_ymd,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Days for which the pages' certificate holds.
const DAYS: i64 = 90;

/// It is signed anew when no more than this is left.
const LEFT: i64 = 30;

/// Names that exist inside of networks only: RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, and what
/// routers call their own.
const INSIDE: [&str; 6] = [
    "localhost",
    "local",
    "home.arpa",
    "internal",
    "lan",
    "intranet",
];

/// Addresses of this machine, of its link and of private networks (RFC 1918, RFC 4193).
const PRIVATE: [(&str, u8); 8] = [
    ("127.0.0.0", 8),
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("169.254.0.0", 16),
    ("::1", 128),
    ("fc00::", 7),
    ("fe80::", 10),
];

/// The authority, ready to sign.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// What it has signed, and from when on it is to be signed anew.
pub(super) struct Signed {
    pub(super) key: CertifiedKey,
    /// It holds from here.
    pub(super) from: WallTime,
    /// From here on there ought to be another.
    pub(super) renew: WallTime,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The one certificate of this key.
fn params(key: &KeyPair, names: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let mark = hex(&Sha256::digest(key.subject_public_key_info())[..4]);
    let name = &mut params.distinguished_name;
    name.push(DnType::OrganizationName, "Menshen 门神");
    // Two gateways of a building are told apart in a phone's list.
    name.push(DnType::CommonName, format!("Menshen gateway {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    let private = PRIVATE.into_iter().filter_map(|(address, prefix)| {
        let address = address.parse().ok()?;
        Some(CidrSubnet::from_addr_prefix(address, prefix))
    });
    let inside = INSIDE.map(|name| GeneralSubtree::DnsName(name.to_owned()));
    let own = names.iter().map(|name| match name.parse::<IpAddr>() {
        Ok(ip) => {
            let whole = if ip.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, whole))
        }
        Err(_) => GeneralSubtree::DnsName(name.clone()),
    });
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: private
            .map(GeneralSubtree::IpAddress)
            .chain(inside)
            .chain(own)
            .collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

/// The day of a moment, and so many after it.
fn day(at: WallTime, after: i64) -> Option<jiff::civil::Date> {
    let moment = Timestamp::from_millisecond(at.0).ok()?;
    let date = moment.to_zoned(TimeZone::UTC).date();
    date.checked_add(after.days()).ok()
}

fn midnight(day: jiff::civil::Date) -> Option<WallTime> {
    let start = day.to_zoned(TimeZone::UTC).ok()?;
    Some(WallTime(start.timestamp().as_millisecond()))
}

impl Authority {
    /// The one that lies in this folder; a new one where there is none, or where the one that is there cannot
    /// vouch for these names.
    pub(super) fn at(folder: &Path, names: &[String], now: WallTime) -> Result<Self, String> {
        let cannot = |why: String| format!("{}: {why}", folder.display());
        if let Some(found) = Self::read(folder, names).map_err(cannot)? {
            match found.sign(names, now) {
                Ok(_) => return Ok(found),
                Err(why) => tracing::warn!(
                    "the authority in {} cannot vouch for {}: {why}. A new one is made, which phones and \
                     desks must be told to trust; the old one is kept beside it",
                    folder.display(),
                    names.join(", ")
                ),
            }
            set_aside(folder).map_err(|error| cannot(error.to_string()))?;
        }
        tracing::info!(
            "a new authority of the pages is made in {}",
            folder.display()
        );
        Self::make(folder, names).map_err(cannot)
    }

    fn read(folder: &Path, names: &[String]) -> Result<Option<Self>, String> {
        let (key, pem) = (folder.join("ca.key"), folder.join("ca.pem"));
        let read = |file: &Path| match fs::read_to_string(file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{} cannot be read: {error}", file.display())),
        };
        let (Some(key), Some(pem)) = (read(&key)?, read(&pem)?) else {
            return Ok(None);
        };
        let wrong = |what: &dyn std::fmt::Display| {
            format!(
                "the authority's files are damaged ({what}): restore them from a copy, or remove the \
                 folder; then a new authority is made, which phones and desks must be told to trust"
            )
        };
        let key = KeyPair::from_pem(&key).map_err(|error| wrong(&error))?;
        let certificate =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| wrong(&error))?;
        Self::of(key, names, certificate)
            .map(Some)
            .map_err(|error| wrong(&error))
    }

    fn of(
        key: KeyPair,
        names: &[String],
        certificate: CertificateDer<'static>,
    ) -> Result<Self, rcgen::Error> {
        Ok(Self {
            issuer: Issuer::new(params(&key, names)?, key),
            certificate,
        })
    }

    fn make(folder: &Path, names: &[String]) -> Result<Self, String> {
        let made = || {
            let key = KeyPair::generate()?;
            let certificate = params(&key, names)?.self_signed(&key)?;
            let files = [
                ("ca.key", key.serialize_pem()),
                ("ca.pem", certificate.pem()),
            ];
            let made = Self::of(key, names, certificate.der().clone())?;
            Ok::<_, rcgen::Error>((made, files))
        };
        let (made, files) = made().map_err(|error| error.to_string())?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .and_then(|()| {
                let mut files = files.iter();
                files.try_for_each(|(name, text)| write(folder, name, text))
            })
            .map_err(|error| format!("the authority's files cannot be written: {error}"))?;
        Ok(made)
    }

    /// A certificate for these names, from the day before on; never one that a browser would refuse.
    pub(super) fn sign(&self, names: &[String], now: WallTime) -> Result<Signed, String> {
        // A clock that was never set may say 1970, before which certificates have no time.
        let first = || Some(day(now, -1)?.max(day(WallTime(0), 0)?));
        let days = || Some((first()?, day(now, DAYS)?, day(now, DAYS - LEFT)?));
        let (first, last, renew) = days().ok_or("the clock is beyond every calendar")?;
        let (from, renew) = midnight(first)
            .zip(midnight(renew))
            .ok_or("the clock is beyond every calendar")?;
        let at = |date: jiff::civil::Date| {
            date_time_ymd(
                i32::from(date.year()),
                date.month().unsigned_abs(),
                date.day().unsigned_abs(),
            )
        };
        let signed = || {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new(names.to_vec())?;
            params
                .distinguished_name
                .push(DnType::CommonName, "Menshen 门神");
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.use_authority_key_identifier_extension = true;
            (params.not_before, params.not_after) = (at(first), at(last));
            let signed = params.signed_by(&key, &self.issuer)?;
            Ok::<_, rcgen::Error>((signed.der().clone(), key.serialize_der()))
        };
        let (certificate, key) = signed().map_err(|error| error.to_string())?;
        self.vouches(&certificate, names, now)?;
        let key = PrivateKeyDer::try_from(key)?;
        let chain = vec![certificate, self.certificate.clone()];
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map_err(|error| error.to_string())?;
        Ok(Signed { key, from, renew })
    }

    /// Looks at a certificate as a browser does that trusts this authority.
    fn vouches(
        &self,
        certificate: &CertificateDer<'static>,
        names: &[String],
        now: WallTime,
    ) -> Result<(), String> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.certificate.clone())
            .map_err(|error| error.to_string())?;
        let provider = Arc::new(ring::default_provider());
        let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| error.to_string())?;
        let seconds = u64::try_from(now.0 / 1000).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        for name in names {
            let server = ServerName::try_from(name.clone()).map_err(|error| error.to_string())?;
            judge
                .verify_server_cert(certificate, &[], &server, &[], now)
                .map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(())
    }

    /// SHA-256 of the authority's certificate, as browsers and phones show it.
    pub(super) fn fingerprint(&self) -> String {
        let bytes = Sha256::digest(&self.certificate);
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// The authority's certificate, to be trusted.
    pub(super) fn certificate(&self) -> Vec<u8> {
        self.certificate.to_vec()
    }
}

/// Keeps an authority that is not used any more.
fn set_aside(folder: &Path) -> io::Result<()> {
    for (now, then) in [("ca.key", "ca.old.key"), ("ca.pem", "ca.old.pem")] {
        fs::rename(folder.join(now), folder.join(then))?;
    }
    File::open(folder)?.sync_all()
}

/// Writes a file for this user only: after a power cut it is there as a whole, or not at all.
fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let new = folder.join(format!("{name}.new"));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, folder.join(name))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// 2020-02-21.
    const NOW: WallTime = WallTime(1_582_265_109_000);

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().copied().map(str::to_owned).collect()
    }

    fn mode(file: &Path) -> u32 {
        file.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn it_is_made_once_for_its_user_only_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls");
        let names = names(&["192.168.1.20", "gate.lan", "localhost", "::1"]);
        let first = Authority::at(&tls, &names, NOW).unwrap();
        assert_eq!((mode(&tls), mode(&tls.join("ca.key"))), (0o700, 0o600));
        let again = Authority::at(&tls, &names, NOW).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
        // What the one has signed the other vouches for: they have one key.
        let signed = first.sign(&names, NOW).unwrap();
        again.vouches(&signed.key.cert[0], &names, NOW).unwrap();
    }

    #[test]
    fn it_vouches_for_this_building_only() {
        let folder = tempfile::tempdir().unwrap();
        let inside = names(&["gate.lan", "menshen.example.com", "10.0.0.9"]);
        let authority = Authority::at(folder.path(), &inside, NOW).unwrap();
        assert!(authority.sign(&inside, NOW).is_ok());
        for outside in ["bank.example", "example.com", "1.1.1.1", "2001:db8::1"] {
            let why = authority.sign(&names(&[outside]), NOW).err();
            assert!(why.unwrap().contains(outside));
        }
        // Another name of the site: another authority, and the old one is not lost.
        let old = authority.fingerprint();
        let moved = names(&["gate.example.org"]);
        let new = Authority::at(folder.path(), &moved, NOW).unwrap();
        assert_ne!(old, new.fingerprint());
        assert!(folder.path().join("ca.old.key").exists());
        assert!(new.sign(&moved, NOW).is_ok());
    }

    #[test]
    fn what_it_signs_holds_for_ninety_days_and_the_authority_for_decades() {
        let folder = tempfile::tempdir().unwrap();
        let names = names(&["gate.lan"]);
        // A clock that was never set.
        let authority = Authority::at(folder.path(), &names, WallTime(0)).unwrap();
        let after = |days: i64| WallTime(NOW.0 + days * WallTime::DAY_MS);
        let signed = authority.sign(&names, NOW).unwrap();
        let leaf = &signed.key.cert[0];
        for (days, holds) in [(-2, false), (0, true), (89, true), (91, false)] {
            let found = authority.vouches(leaf, &names, after(days)).is_ok();
            assert_eq!(found, holds, "{days}");
        }
        assert!(signed.from <= NOW && signed.renew > after(58) && signed.renew <= after(60));
        assert!(authority.sign(&names, after(29 * 365)).is_ok());
    }

    #[test]
    fn damaged_files_are_said_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let names = names(&["gate.lan"]);
        Authority::at(folder.path(), &names, NOW).unwrap();
        fs::write(folder.path().join("ca.key"), "no key").unwrap();
        let why = Authority::at(folder.path(), &names, NOW).err().unwrap();
        assert!(why.contains("damaged") && why.contains("restore"), "{why}");
        assert_eq!(
            fs::read_to_string(folder.path().join("ca.key")).unwrap(),
            "no key"
        );
    }
}
