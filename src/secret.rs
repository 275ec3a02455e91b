//! A value that never shows: passwords and keys.
//!
//! It prints as `***` and is no Serialize, so that no log, page or settings dump carries it. Its
//! memory is overwritten when it goes: best effort, since copies that a library made (the MQTT
//! client keeps the password for its connection) and pages that were swapped out are beyond us.

use std::fmt;
use std::hint::black_box;

/// Something whose memory can be overwritten.
pub trait Wipe {
    /// Overwrites the memory, and leaves the value empty.
    fn wipe(&mut self);
}

impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        self.fill(0);
        // Keeps the compiler from leaving out writes to memory that is about to be freed.
        black_box(self.as_slice());
        self.clear();
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        let mut bytes = std::mem::take(self).into_bytes();
        bytes.wipe();
    }
}

/// A secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Wipe>(T);

impl<T: Wipe> Secret<T> {
    /// Takes the value in.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that needs it.
    #[must_use]
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Wipe> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new("open sesame".to_owned());
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "*** *** Some(***)"
        );
        assert_eq!(secret.reveal(), "open sesame");
    }

    #[test]
    fn wiping_leaves_nothing() {
        let mut text = "open sesame".to_owned();
        text.wipe();
        assert!(text.is_empty());
        let mut bytes = vec![7_u8; 16];
        bytes.wipe();
        assert!(bytes.is_empty());
    }
}
