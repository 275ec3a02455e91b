//! Who may speak at the broker: the entries of a site in Mosquitto's two files, written and taken away.
//!
//! A site gets an account of its own, a password that nobody chose and nobody else has, and the right to
//! write below its own subtree and to read it: its receipts and commands, and nobody else's. An account
//! whose entries are gone cannot connect any more.
//!
//! The files stay Mosquitto's own format: other lines in them are kept as they are. They are replaced as a
//! whole, so that a broker never reads half of one, and one enrolment waits for another. The hash of the
//! password is made by Mosquitto's own tool, which is told it in a file, since command lines are everybody's
//! to read. All of this blocks for as long as the disk takes.

use crate::mqtt::Address;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Random bytes of a password: more than anybody can try.
const RANDOM: usize = 24;

/// Mosquitto's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerFiles {
    /// Its `password_file`.
    pub passwords: PathBuf,
    /// Its `acl_file`.
    pub rights: PathBuf,
}

/// Why a site was not enrolled, or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// It has an account, and a new password was not asked for.
    #[error(
        "{0} has an account already\nhint: --renew gives it a new password; the old one ends when the \
         broker has read its files again"
    )]
    There(Address),
    /// It has none.
    #[error("{0} has no account\nhint: a site is named BUILDING/GATE, as in its own [site]")]
    Unknown(Address),
    /// A file could not be read or written.
    #[error("{file}: {source}\nhint: run this as the owner of the broker's files, or as root")]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Mosquitto's tool is not there, or failed.
    #[error(
        "the password cannot be hashed ({0})\nhint: sudo apt install mosquitto; the street office needs \
         its mosquitto_passwd also where the broker runs elsewhere"
    )]
    Hash(String),
    /// No certificate could be made.
    #[error("the authority's files cannot be used ({0})\nhint: restore its folder from a copy")]
    Certificate(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers ({0}); restart this machine")]
    Random(getrandom::Error),
}

/// What a site is called at the broker. A full stop is in no part of a topic, so no two have one name.
#[must_use]
pub fn account_name(site: &Address) -> String {
    let Address {
        street,
        building,
        gate,
    } = site;
    format!("{street}.{building}.{gate}")
}

/// Gives a site its rights: an account for whoever proves by a certificate who it is.
///
/// # Errors
/// [`EnrolError`].
pub fn admit(files: &BrokerFiles, site: &Address, renew: bool) -> Result<(), EnrolError> {
    let _alone = alone(files)?;
    let (name, rights) = (account_name(site), read(&files.rights)?);
    let others = without_block(&rights, &name);
    if !renew && others != rights {
        return Err(EnrolError::There(site.clone()));
    }
    replace(&files.rights, &(others + &block(site, &name)))
}

/// Makes an account with a password for a site; with `renew` a new password for the one that is there.
///
/// # Errors
/// [`EnrolError`]; then the old password is as good as before.
pub fn enrol(
    files: &BrokerFiles,
    site: &Address,
    renew: bool,
) -> Result<Secret<String>, EnrolError> {
    let name = account_name(site);
    if !renew && of_user(&read(&files.passwords)?, &name) {
        return Err(EnrolError::There(site.clone()));
    }
    // The rights first: an account without any could do nothing, one without a password is none.
    admit(files, site, renew)?;
    let _alone = alone(files)?;
    let passwords = read(&files.passwords)?;
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random).map_err(EnrolError::Random)?;
    let password = Secret::new(URL_SAFE_NO_PAD.encode(random));
    let entry = hashed(&name, &password, &files.passwords)?;
    replace(
        &files.passwords,
        &format!("{}{entry}\n", without_user(&passwords, &name)),
    )?;
    Ok(password)
}

/// Takes a site's account away.
///
/// # Errors
/// [`EnrolError`].
pub fn revoke(files: &BrokerFiles, site: &Address) -> Result<(), EnrolError> {
    let _alone = alone(files)?;
    let name = account_name(site);
    let passwords = read(&files.passwords)?;
    let rights = read(&files.rights)?;
    let left = without_block(&rights, &name);
    if !of_user(&passwords, &name) && left == rights {
        return Err(EnrolError::Unknown(site.clone()));
    }
    replace(&files.passwords, &without_user(&passwords, &name))?;
    replace(&files.rights, &left)
}

/// What the gateway's configuration needs to reach this broker as this site.
#[must_use]
pub fn configuration(
    site: &Address,
    (host, port): (&str, u16),
    tls: bool,
    by_certificate: bool,
) -> String {
    let Address {
        street,
        building,
        gate,
    } = site;
    let tls = if tls || by_certificate {
        "tls = true\nca_file = \"ca.pem\"                # the broker's authority\n"
    } else {
        ""
    };
    let proof = if by_certificate {
        "certificate_file = \"cert.pem\"\nkey_file = \"key.pem\"            # mode 0600\n"
            .to_owned()
    } else {
        let name = account_name(site);
        format!("username = \"{name}\"\npassword_file = \"password\"      # mode 0600\n")
    };
    format!(
        "[site]\nstreet = \"{street}\"\nbuilding = \"{building}\"\ngate = \"{gate}\"\n\n\
         [mqtt]\nenabled = true\nhost = \"{host}\"\nport = {port}\n{tls}{proof}\
         street_receipts = true\ncommands = [\"resend\", \"announce\", \"notice\"]\n"
    )
}

/// Keeps other enrolments out until it is dropped.
fn alone(files: &BrokerFiles) -> Result<File, EnrolError> {
    let path = beside(&files.passwords, "lock");
    let lock = || {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(|source| EnrolError::File {
        file: path.clone(),
        source,
    })
}

/// A file's neighbour.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    file.with_file_name(name)
}

/// What is in a file; nothing where there is none.
pub(super) fn read(file: &Path) -> Result<String, EnrolError> {
    match fs::read_to_string(file) {
        Ok(text) if text.is_empty() || text.ends_with('\n') => Ok(text),
        Ok(text) => Ok(text + "\n"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(EnrolError::File {
            file: file.to_owned(),
            source,
        }),
    }
}

/// Puts this text in the place of a file, whose owner and mode stay.
pub(super) fn replace(file: &Path, text: &str) -> Result<(), EnrolError> {
    let new = beside(file, "new");
    let write = || {
        let old = match fs::metadata(file) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut written = create(&new)?;
        written.write_all(text.as_bytes())?;
        if let Some(old) = old {
            written.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))?;
            if (old.uid(), old.gid()) != (written.metadata()?.uid(), written.metadata()?.gid()) {
                chown(&new, Some(old.uid()), Some(old.gid()))?;
            }
        }
        written.sync_all()?;
        fs::rename(&new, file)
    };
    write().map_err(|source| EnrolError::File {
        file: file.to_owned(),
        source,
    })
}

/// A new file that nobody else reads.
pub(super) fn create(file: &Path) -> io::Result<File> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(file)
}

/// The line of the password file for this account.
fn hashed(name: &str, password: &Secret<String>, near: &Path) -> Result<String, EnrolError> {
    let file = beside(near, "plain");
    let failed = |source| EnrolError::File {
        file: file.clone(),
        source,
    };
    create(&file)
        .and_then(|mut it| writeln!(it, "{name}:{}", password.reveal()))
        .map_err(failed)?;
    let ran = Command::new("mosquitto_passwd")
        .arg("-U")
        .arg(&file)
        .stdin(Stdio::null())
        .output();
    let text = fs::read_to_string(&file);
    fs::remove_file(&file).map_err(failed)?;
    let ran = ran.map_err(|error| EnrolError::Hash(error.to_string()))?;
    let line = text.map_err(failed)?.trim().to_owned();
    // A tool that changes nothing would leave the password itself.
    if ran.status.success() && line.starts_with(&format!("{name}:$")) {
        Ok(line)
    } else {
        let said = String::from_utf8_lossy(&ran.stderr);
        Err(EnrolError::Hash(format!(
            "mosquitto_passwd: {} {}",
            ran.status,
            said.trim()
        )))
    }
}

/// Whether the password file has this account.
fn of_user(passwords: &str, name: &str) -> bool {
    passwords.lines().any(|line| is_of(line, name))
}

fn is_of(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(user, _)| user == name)
}

/// The password file without this account.
fn without_user(passwords: &str, name: &str) -> String {
    let others = passwords.lines().filter(|line| !is_of(line, name));
    others.flat_map(|line| [line, "\n"]).collect()
}

fn mark(word: &str, name: &str) -> String {
    format!("# menshen street, {word} of {name}")
}

/// A site's part of the access list.
fn block(site: &Address, name: &str) -> String {
    let rights = site.rights();
    let lines = rights.map(|(right, topic)| format!("topic {right} {topic}\n"));
    let (begin, end) = (mark("begin", name), mark("end", name));
    format!("{begin}\nuser {name}\n{}{end}\n", lines.concat())
}

/// The access list without a site's part.
fn without_block(rights: &str, name: &str) -> String {
    let (begin, end) = (mark("begin", name), mark("end", name));
    let mut inside = false;
    let mut left = String::new();
    for line in rights.lines() {
        inside |= line == begin;
        if !inside {
            left += line;
            left.push('\n');
        }
        inside &= line != end;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sites_part_comes_and_goes_and_the_rest_stays() {
        let hand = "# By hand.\nuser street\ntopic read menshen/#\n";
        let [one, other] =
            ["no-1", "no-12"].map(|it| Address::new("dongfang", it, "main").unwrap());
        let with = |text: &str, site: &Address| {
            let name = account_name(site);
            without_block(text, &name) + &block(site, &name)
        };
        let both = with(&with(&with(hand, &one), &other), &one);
        assert_eq!(both.matches("user dongfang.no-1.main\n").count(), 1);
        let without = without_block(&both, &account_name(&one));
        assert_eq!(without, with(hand, &other));
        assert_eq!(without_block(&without, &account_name(&other)), hand);
    }

    #[test]
    fn an_account_is_the_whole_name() {
        let file = "dongfang.no-1.main:$7$1\ndongfang.no-12.main:$7$2\n";
        assert!(of_user(file, "dongfang.no-1.main") && !of_user(file, "dongfang.no-1"));
        assert_eq!(
            without_user(file, "dongfang.no-1.main"),
            "dongfang.no-12.main:$7$2\n"
        );
    }
}
