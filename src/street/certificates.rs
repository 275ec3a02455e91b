//! The street's own authority: for brokers that know sites by their certificates instead of passwords.
//!
//! An ECDSA P-256 key that never leaves its folder (mode 0600), a certificate that the broker trusts for its
//! clients (`cafile`, `require_certificate true`, `use_identity_as_username true`), and a list of what was
//! revoked (`crlfile`). A site's certificate holds for 400 days; a new one is given before, and the old one goes
//! on until its day, so that nothing has to be changed in the same minute on both sides. A gateway reads its
//! files anew for each connection. Everything here blocks for as long as the disk takes.

use super::enrol::{EnrolError, create, read, replace};
use crate::clock::WallTime;
use crate::mqtt::Part;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For how long a site's certificate holds: a year, and a month to be late.
const HOLDS: Duration = Duration::from_hours(24 * 400);
/// Certificates hold from a day before: the site's clock may be behind.
const BEFORE: Duration = Duration::from_hours(24);
/// A list of what was revoked is good for ten years: a broker lets nobody in with one that has run out.
const LIST_HOLDS: Duration = Duration::from_hours(24 * 3650);

/// What is written down of each certificate, a line: its number, whose, and when it was revoked.
const ISSUED: &str = "issued";

/// The authority, ready to sign.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// What a site is handed.
pub struct Issued {
    /// Its certificate (PEM).
    pub certificate: String,
    /// Its key (PEM).
    pub key: String,
}

/// A moment, as certificates have it.
macro_rules! moment {
    ($seconds:expr) => {
        date_time_ymd(1970, 1, 1) + Duration::from_secs($seconds)
    };
}

fn seconds(now: WallTime) -> u64 {
    u64::try_from(now.0 / 1000).unwrap_or(0)
}

impl From<rcgen::Error> for EnrolError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

impl Authority {
    /// The one in this folder; a new one where there is none.
    ///
    /// # Errors
    /// Where its files cannot be read, written or used.
    pub fn open(folder: &Path, street: &Part, now: WallTime) -> Result<Self, EnrolError> {
        let (key, pem) = (folder.join("ca.key"), folder.join("ca.pem"));
        let known = (read(&key)?, read(&pem)?);
        if !known.0.is_empty() && !known.1.is_empty() {
            let key = KeyPair::from_pem(&known.0)?;
            return Ok(Self {
                folder: folder.to_owned(),
                issuer: Issuer::new(params(street)?, key),
            });
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| EnrolError::File {
                file: folder.to_owned(),
                source,
            })?;
        let own = KeyPair::generate()?;
        let params = params(street)?;
        let certificate = params.self_signed(&own)?;
        replace(&key, &own.serialize_pem())?;
        replace(&pem, &certificate.pem())?;
        let authority = Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(params, own),
        };
        authority.list("", now)?;
        Ok(authority)
    }

    /// A certificate for an account, and its key, of which nothing stays here.
    ///
    /// # Errors
    /// Where it cannot be signed, or written down.
    pub fn issue(&self, account: &str, now: WallTime) -> Result<Issued, EnrolError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(EnrolError::Random)?;
        // Positive in DER (RFC 5280, 4.1.2.2).
        random[0] = (random[0] & 0x7f) | 0x40;
        let signed = || {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new(Vec::new())?;
            params.distinguished_name.push(DnType::CommonName, account);
            params.serial_number = Some(SerialNumber::from_slice(&random));
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            params.use_authority_key_identifier_extension = true;
            let at = seconds(now);
            params.not_before = moment!(at.saturating_sub(BEFORE.as_secs()));
            params.not_after = moment!(at + HOLDS.as_secs());
            let certificate = params.signed_by(&key, &self.issuer)?;
            Ok::<_, rcgen::Error>(Issued {
                certificate: certificate.pem(),
                key: key.serialize_pem(),
            })
        };
        let issued = signed()?;
        let number = random.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let file = self.folder.join(ISSUED);
        replace(&file, &format!("{}{number} {account}\n", read(&file)?))?;
        Ok(issued)
    }

    /// Takes all certificates of an account back; how many.
    ///
    /// # Errors
    /// Where the list cannot be written.
    pub fn revoke(&self, account: &str, now: WallTime) -> Result<usize, EnrolError> {
        let file = self.folder.join(ISSUED);
        let (mut text, mut revoked) = (String::new(), 0);
        for line in read(&file)?.lines() {
            text += line;
            if line.split(' ').skip(1).eq([account]) {
                let _ = write!(text, " {}", seconds(now));
                revoked += 1;
            }
            text.push('\n');
        }
        if revoked > 0 {
            // The list first: what is written down as revoked has to be on it.
            self.list(&text, now)?;
            replace(&file, &text)?;
        }
        Ok(revoked)
    }

    /// Writes the list of what is revoked, of what was issued.
    fn list(&self, issued: &str, now: WallTime) -> Result<(), EnrolError> {
        let revoked = issued.lines().filter_map(|line| {
            let mut words = line.split(' ');
            let (number, _, at) = (words.next()?, words.next()?, words.next()?);
            let bytes: Option<Vec<u8>> = (0..number.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(number.get(at..at + 2)?, 16).ok())
                .collect();
            Some(RevokedCertParams {
                serial_number: SerialNumber::from(bytes?),
                revocation_time: moment!(at.parse().ok()?),
                reason_code: None,
                invalidity_date: None,
            })
        });
        let at = seconds(now);
        let list = CertificateRevocationListParams {
            this_update: moment!(at),
            next_update: moment!(at + LIST_HOLDS.as_secs()),
            crl_number: SerialNumber::from(at),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = list.signed_by(&self.issuer).and_then(|it| it.pem());
        replace(&self.folder.join("crl.pem"), &signed?)
    }
}

/// The authority's own certificate.
fn params(street: &Part) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let name = &mut params.distinguished_name;
    name.push(DnType::OrganizationName, "Menshen 门神");
    name.push(DnType::CommonName, format!("Street {street}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}

/// Hands a certificate over, in a folder.
///
/// # Errors
/// Where it cannot be written.
pub fn hand_over(issued: &Issued, folder: &Path) -> Result<(), EnrolError> {
    for (name, text) in [("cert.pem", &issued.certificate), ("key.pem", &issued.key)] {
        let file = folder.join(name);
        create(&file)
            .and_then(|mut it| it.write_all(text.as_bytes()))
            .map_err(|source| EnrolError::File { file, source })?;
    }
    Ok(())
}
