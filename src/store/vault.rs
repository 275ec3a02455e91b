//! The key of the register, and what is done with it: people are sealed with XChaCha20-Poly1305 (a cipher of
//! the `chacha20poly1305` crate; nonces of 24 random bytes, so that none comes twice), bound to their number,
//! so that no two rows can be exchanged; marks and codes are HMAC-SHA-256 with keys of their own (RFC 2104),
//! derived from the same secret.
//!
//! The key's file has 32 bytes in hexadecimal letters on a line, the present key first. Whoever wants a new
//! key puts it above the old one ([`new_key`]); the gateway seals everybody anew and says when the old line
//! can go. Where there is no file and nobody in the register, one is made (mode 0600). Where there are
//! people and no key for them, nothing is made and nothing is read: [`KeyError::Lost`] says who is gone.

use super::disk;
use super::row::hex;
use crate::secret::{Secret, Wipe};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit as _, Mac};
use sha2::Sha256;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Bytes of a key.
const KEY: usize = 32;

/// Bytes of a nonce.
const NONCE: usize = 24;

/// Longest file that is read: some hundred keys.
const LONGEST: u64 = 16_384;

/// Why the register cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// People are there, and no key for them.
    #[error(
        "登记册已锁定：找不到{people}人资料的密钥。the register stays shut: {people} people in it are sealed with \
         the key {keys}, and {path} {why}. Without that key nobody can read them again. Put the key's \
         file back from where you keep a copy of it; if there is none, their data are lost: `menshen \
         people give-up` erases them and begins anew"
    )]
    Lost {
        /// How many.
        people: u64,
        /// The keys' names.
        keys: String,
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file is not usable.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::journal::JournalError),
}

/// What is derived from one secret.
#[derive(Clone)]
struct Key {
    name: String,
    seal: Secret<Vec<u8>>,
    mark: Secret<Vec<u8>>,
    code: Secret<Vec<u8>>,
}

/// HMAC-SHA-256.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // Cannot fail: HMAC takes a key of any length (RFC 2104, section 3).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        // With its length, so that no two lists of parts are one text.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Key {
    fn of(secret: &[u8]) -> Self {
        let derived =
            |what: &str| Secret::new(mac(secret, &[b"menshen people 1", what.as_bytes()]).to_vec());
        let name = mac(secret, &[b"menshen people 1", b"name"]);
        Self {
            name: hex(name.get(..8).unwrap_or_default()),
            seal: derived("seal"),
            mark: derived("mark"),
            code: derived("code"),
        }
    }
}

/// Every key that is known, the present one first.
#[derive(Clone)]
pub(super) struct Vault {
    present: Key,
    older: Vec<Key>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("present", &self.present.name)
            .finish_non_exhaustive()
    }
}

/// The bytes of a line; `None` where it is no key.
fn unhex(line: &str) -> Option<Vec<u8>> {
    let digits = line.as_bytes();
    if digits.len() != 2 * KEY {
        return None;
    }
    let digit = |it: u8| char::from(it).to_digit(16);
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

/// Thirty-two bytes that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("the system gives no random numbers: {error}"))?;
    Ok(bytes)
}

impl Vault {
    /// The keys of a file; `None` where there is no file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let wrong = |why: String| KeyError::File {
            path: path.display().to_string(),
            why,
        };
        let file = match std::fs::File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| {
                wrong(format!(
                    "cannot be read: {error}; the user that runs menshen must be allowed to"
                ))
            })?,
        };
        let mode = file.metadata().map_or(0, |it| it.permissions().mode()) & 0o777;
        if mode & 0o007 != 0 {
            return Err(wrong(format!(
                "the key can be read by everybody (mode {mode:04o}): chmod 0600 it, and if others had \
                 access to this machine, make a new key with `menshen people new-key`"
            )));
        }
        let mut text = String::new();
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|error| wrong(format!("is no text: {error}")))?;
        let mut keys = Vec::new();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut secret = unhex(line).ok_or_else(|| {
                let usual = "a key is 64 of the characters 0-9 a-f; put the file back from a copy";
                wrong(format!("line {number} is no key: {usual}"))
            })?;
            keys.push(Key::of(&secret));
            secret.wipe();
        }
        text.wipe();
        let mut keys = keys.into_iter();
        match keys.next() {
            Some(present) => Ok(Some(Self {
                present,
                older: keys.collect(),
            })),
            None => Err(wrong("holds no key; put it back from a copy".to_owned())),
        }
    }

    /// Name of the key that seals now.
    pub(super) fn name(&self) -> &str {
        &self.present.name
    }

    /// Whether there is a key of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all().any(|key| key.name == name)
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.present).chain(&self.older)
    }

    /// Seals what belongs to somebody or to a day.
    pub(super) fn seal(&self, to: Bound<'_>, open: &[u8]) -> Result<Vec<u8>, String> {
        let nonce = random::<NONCE>()?;
        let sealed = cipher(&self.present)?
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: open,
                    aad: &to.bytes(),
                },
            )
            .map_err(|_| "could not be sealed".to_owned())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what belongs to somebody or to a day and was sealed with the key of this name.
    pub(super) fn open(
        &self,
        of: Bound<'_>,
        key: &str,
        sealed: &[u8],
    ) -> Result<Secret<Vec<u8>>, String> {
        let key = self
            .all()
            .find(|it| it.name == key)
            .ok_or_else(|| format!("the key {key} is not in the key's file"))?;
        let damaged = || format!("{of} is damaged or was changed by somebody without the key");
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(damaged)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| damaged())?;
        let payload = Payload {
            msg: sealed,
            aad: &of.bytes(),
        };
        let open = cipher(key)?.decrypt(&XNonce::from(nonce), payload);
        open.map(Secret::new).map_err(|_| damaged())
    }

    /// The mark of a text under the present key.
    pub(super) fn mark(&self, kind: &str, text: &str) -> [u8; 16] {
        marked(&self.present, kind, text)
    }

    /// Its marks under every key, while people are still sealed with an older one.
    pub(super) fn marks(&self, kind: &str, text: &str) -> Vec<[u8; 16]> {
        self.named_marks(kind, text).map(|it| it.1).collect()
    }

    /// The same, each with its key's name.
    pub(super) fn named_marks(
        &self,
        kind: &str,
        text: &str,
    ) -> impl Iterator<Item = (&str, [u8; 16])> {
        self.all()
            .map(move |key| (key.name.as_str(), marked(key, kind, text)))
    }

    /// Five bytes that nobody else can tell, of a text.
    pub(super) fn code(&self, text: &str) -> [u8; 5] {
        let mac = mac(self.present.code.reveal(), &[text.as_bytes()]);
        let mut code = [0; 5];
        for (to, from) in code.iter_mut().zip(mac) {
            *to = from;
        }
        code
    }
}

fn cipher(key: &Key) -> Result<XChaCha20Poly1305, String> {
    XChaCha20Poly1305::new_from_slice(key.seal.reveal())
        .map_err(|_| "a key has no 32 bytes".to_owned())
}

/// What something sealed is bound to, so that no two rows can be exchanged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound<'a> {
    /// A person's number.
    Person(u64),
    /// A day of the gate.
    Plan(&'a str),
}

impl Bound<'_> {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Person(number) => {
                [b"menshen person 1".as_slice(), &number.to_be_bytes()].concat()
            }
            Self::Plan(day) => [b"menshen plan 1".as_slice(), day.as_bytes()].concat(),
        }
    }
}

impl std::fmt::Display for Bound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(number) => write!(f, "person {number}"),
            Self::Plan(day) => write!(f, "the plan of {day}"),
        }
    }
}

fn marked(key: &Key, kind: &str, text: &str) -> [u8; 16] {
    let mac = mac(key.mark.reveal(), &[kind.as_bytes(), text.as_bytes()]);
    let mut mark = [0; 16];
    for (to, from) in mark.iter_mut().zip(mac) {
        *to = from;
    }
    mark
}

/// Puts a new key into a file, above those that are there; gives its name.
///
/// # Errors
/// Where the file cannot be read or written.
pub fn new_key(path: &Path) -> Result<String, KeyError> {
    let wrong = |why: String| KeyError::File {
        path: path.display().to_string(),
        why,
    };
    // What is there must be readable: a damaged file is not made worse.
    Vault::read(path)?;
    let mut secret = random::<KEY>().map_err(wrong)?.to_vec();
    let name = Key::of(&secret).name;
    let old = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
    };
    let text = Secret::new(format!("{}\n{old}", hex(&secret)));
    secret.wipe();
    disk::replace(path, text.reveal().as_bytes()).map_err(|error| wrong(error.to_string()))?;
    Ok(name)
}

/// Where the key lies when nobody says otherwise.
#[must_use]
pub fn usual_key_file(data: &Path) -> PathBuf {
    data.join("people.key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(folder: &Path) -> Vault {
        let path = folder.join("key");
        new_key(&path).unwrap();
        Vault::read(&path).unwrap().unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_number_and_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        let sealed = vault.seal(Bound::Person(7), "王芳".as_bytes()).unwrap();
        assert!(!sealed.windows(3).any(|it| it == "王".as_bytes()));
        let open = |number, sealed: &[u8]| vault.open(Bound::Person(number), vault.name(), sealed);
        assert_eq!(open(7, &sealed).unwrap().reveal(), "王芳".as_bytes());
        assert!(open(8, &sealed).is_err(), "another row's");
        for place in 0..sealed.len() {
            let mut wrong = sealed.clone();
            wrong[place] ^= 1;
            assert!(open(7, &wrong).is_err(), "byte {place}");
        }
        assert!(open(7, &sealed[..10]).is_err());
        let again = || vault.seal(Bound::Person(7), b"x").unwrap();
        assert_ne!(again(), again());
    }

    #[test]
    fn an_older_key_opens_until_it_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let old = vault(folder.path());
        let sealed = old.seal(Bound::Person(1), b"x").unwrap();
        let open = |vault: &Vault| vault.open(Bound::Person(1), old.name(), &sealed);
        let both = vault(folder.path());
        assert_ne!(both.name(), old.name());
        assert!(open(&both).is_ok());
        assert!(both.marks("phone", "1").contains(&old.mark("phone", "1")));
        let text = std::fs::read_to_string(folder.path().join("key")).unwrap();
        std::fs::write(folder.path().join("key"), text.lines().next().unwrap()).unwrap();
        let new = Vault::read(&folder.path().join("key")).unwrap().unwrap();
        assert_eq!(new.name(), both.name());
        assert!(open(&new).is_err());
    }

    #[test]
    fn the_key_is_for_its_owner_and_is_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        let path = folder.path().join("key");
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!format!("{vault:?}").contains(text.trim()));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Vault::read(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 0600"), "{error}");
    }

    #[test]
    fn a_damaged_key_says_in_which_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (text, said) in [
            ("", "no key"),
            ("# a word\nabc\n", "line 2"),
            (&"g".repeat(64), "line 1"),
            (&"é".repeat(32), "line 1"),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let error = Vault::read(&path).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
