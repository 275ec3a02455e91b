//! Passwords, PINs, tokens and codes: how they are made, judged and compared.
//!
//! - Passwords and PINs are kept as Argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet;
//!   the crate's defaults).
//! - A password has 8 characters at least, an administrator's 12, and no rule says of which kind (ASVS 5.0,
//!   6.2.1, 6.2.5). What zxcvbn (Wheeler, USENIX Security 2016) expects to be guessed within a million tries is
//!   refused: its lists hold the common passwords of 6.2.4, and the names of the site are added.
//! - Tokens have 256 random bits, codes 128 (7.2.3, 6.4.1). Both are kept as SHA-256 only.

use super::super::problem::Problem;
use crate::account::Digest;
use crate::staff::Role;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Shortest password, characters.
const SHORTEST: usize = 8;

/// Shortest password of an administrator.
const SHORTEST_ADMIN: usize = 12;

/// Longest password: more is no passphrase any more, and hashing it costs (ASVS 5.0, 6.2.9 asks for 64).
pub(super) const LONGEST: usize = 256;

/// Tries within which a password must not be expected to be guessed.
const GUESSES: u64 = 1_000_000;

/// What is common here and not on zxcvbn's lists, which are of English speakers: "I love you", "China", "password"
/// in pinyin, and the numbers that sound like "I love you" and "for ever".
const PINYIN: [&str; 9] = [
    "woaini",
    "woaini1314",
    "woaini520",
    "5201314",
    "1314520",
    "zhongguo",
    "nihao",
    "mima",
    "woaiwojia",
];

/// Letters of a code: none that is taken for another (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Compared with where there is no account, so that the answer takes as long: "nobody" under a random salt.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRvZm5vYm9keQ$\
                      ZnbzHwDbCyBOx/ZvlFZMXJdFm0wT8gxpX1Ft4wrMdSY";

fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Problem::Storage(format!(
            "the system gives no random numbers ({error}); restart the device"
        ))),
    }
}

/// Argon2id of a secret.
pub(super) fn hashed(secret: &str) -> Result<String, Problem> {
    Argon2::default()
        .hash_password(secret.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Problem::Storage(format!("a password could not be hashed: {error}")))
}

/// Whether a secret is the one of that hash. Takes as long where there is no hash.
pub(super) fn opens(secret: &str, hash: Option<&str>) -> bool {
    let verified = PasswordHash::new(hash.unwrap_or(NOBODY)).is_ok_and(|parsed| {
        Argon2::default()
            .verify_password(secret.as_bytes(), &parsed)
            .is_ok()
    });
    verified && hash.is_some()
}

/// What is wrong with a password that somebody wants, if anything.
pub(super) fn judged(password: &str, role: Role, site: &[&str]) -> Result<(), Problem> {
    let length = password.chars().count();
    if role == Role::Admin && length < SHORTEST_ADMIN {
        return Err(Problem::Incomplete(
            "管理员密码至少 12 个字符；可以是几个词连起来。",
            "An administrator's password has 12 characters or more; several words in a row will do.",
        ));
    }
    if length < SHORTEST {
        return Err(Problem::Incomplete(
            "密码至少 8 个字符；可以是几个词连起来。",
            "A password has 8 characters or more; several words in a row will do.",
        ));
    }
    if length > LONGEST {
        return Err(Problem::Incomplete(
            "密码最多 256 个字符。",
            "A password has 256 characters at most.",
        ));
    }
    let known: Vec<&str> = site.iter().copied().chain(PINYIN).collect();
    if zxcvbn::zxcvbn(password, &known).guesses() < GUESSES {
        return Err(Problem::Incomplete(
            "这个密码太常见，容易被猜到。请换一个，例如几个不相关的词。",
            "This password is too common and easily guessed. Choose another, for example some unrelated words.",
        ));
    }
    Ok(())
}

/// What is wrong with a PIN that somebody wants, if anything: six digits, not all in a row or the same.
pub(super) fn judged_pin(pin: &str) -> Result<(), Problem> {
    let digits: Vec<i16> = pin
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(i16::from)
        .collect();
    if digits.len() != 6 || pin.len() != 6 {
        return Err(Problem::Incomplete(
            "PIN 是 6 位数字。",
            "A PIN has six digits.",
        ));
    }
    let step = |pair: &[i16]| pair[1] - pair[0];
    let steps: Vec<i16> = digits.windows(2).map(step).collect();
    let even = steps.windows(2).all(|pair| pair[0] == pair[1]);
    if even || digits[..3] == digits[3..] || digits[..2].repeat(3) == digits {
        return Err(Problem::Incomplete(
            "这个 PIN 太容易被猜到，请换一个。",
            "This PIN is easily guessed; choose another.",
        ));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A new session's token, for its cookie.
pub(super) fn token() -> Result<String, Problem> {
    Ok(hex(&random::<32>()?))
}

/// What is kept of a token or a code, or stands for a name that was tried.
pub(super) fn digest(secret: &str) -> Digest {
    Digest(Sha256::digest(secret.as_bytes()).into())
}

/// The same, briefly, as a word.
pub(super) fn digest_word(secret: &str) -> String {
    hex(&digest(secret).0[..16])
}

/// What the forms of a session send along. Nobody can tell the token by it, nor it without the token.
pub(super) fn form_word(token: &str) -> String {
    Hmac::<Sha256>::new_from_slice(token.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(b"a form of this session");
            hex(&mac.finalize().into_bytes())
        },
    )
}

/// Whether two words are the same; takes as long wherever they differ.
pub(in super::super) fn same(one: &str, other: &str) -> bool {
    let differs = |(a, b): (u8, u8)| a ^ b;
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .map(differs)
            .fold(0, |all, it| all | it)
            == 0
}

/// A new code, in groups of letters to be read aloud and typed.
pub(super) fn code() -> Result<String, Problem> {
    // 5 of 8 bits each: 26 letters are 130 bits.
    let letters = random::<26>()?.map(|byte| LETTERS[usize::from(byte % 32)]);
    let groups: Vec<String> = letters
        .chunks(5)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Ok(groups.join("-"))
}

/// A code as somebody typed it.
pub(super) fn read_code(typed: &str) -> String {
    typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect()
}

/// What is kept of a code.
pub(super) fn code_digest(code: &str) -> Digest {
    digest(&read_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_password_opens_what_was_made_of_it_and_nothing_else() {
        let hash = hashed("天安 correct horse").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(opens("天安 correct horse", Some(&hash)));
        assert_ne!(hash, hashed("天安 correct horse").unwrap(), "salted");
        for wrong in ["", "天安 correct hors", "天安 correct horse "] {
            assert!(!opens(wrong, Some(&hash)));
        }
        assert!(!opens("nobody", None) && !opens("x", Some("no hash")));
        assert!(PasswordHash::new(NOBODY).is_ok(), "it is worked on as any");
    }

    #[test]
    fn common_passwords_and_those_of_the_site_are_refused_and_composition_is_free() {
        let site = ["menshen", "海鸥大厦", "gubei-2"];
        for bad in [
            "",
            "short1!",
            "password",
            "12345678",
            "qwertyuiop",
            "woaini1314",
            "P@ssw0rd",
            "aaaaaaaaaa",
            "menshen1",
            "gubei-22",
            &"x".repeat(LONGEST + 1),
        ] {
            assert!(judged(bad, Role::Guard, &site).is_err(), "{bad}");
        }
        for good in [
            "lobster cactus",
            "三只猫爬上了屋顶",
            "73910468215",
            &"lobster cactus ".repeat(5),
        ] {
            assert_eq!(judged(good, Role::Guard, &site), Ok(()), "{good}");
        }
        assert!(judged("zk8#vq2!w", Role::Guard, &site).is_ok());
        assert!(judged("zk8#vq2!w", Role::Admin, &site).is_err());
    }

    #[test]
    fn a_pin_is_six_digits_that_are_not_the_first_to_be_tried() {
        for bad in [
            "",
            "12345",
            "1234567",
            "12345a",
            "１２３４５６",
            "123456",
            "654321",
            "000000",
            "777777",
            "123123",
            "121212",
        ] {
            assert!(judged_pin(bad).is_err(), "{bad}");
        }
        for good in ["804177", "135790", "112233"] {
            assert!(judged_pin(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_form_belongs_to_its_session() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
        assert!(same(&form_word(&one), &form_word(&one)));
        assert!(!same(&form_word(&one), &form_word(&other)));
        assert!(!same("", "a") && !same("ab", "aB") && same("", ""));
    }

    proptest! {
        #[test]
        fn a_code_is_read_however_it_is_typed(spaces in prop::collection::vec(0_usize..30, 0..6)) {
            let code = code().unwrap();
            prop_assert_eq!(read_code(&code).len(), 26);
            let mut typed = code.to_lowercase().replace('0', "o").replace('1', "l");
            for at in spaces {
                typed.insert(at.min(typed.len()), ' ');
            }
            prop_assert_eq!(code_digest(&typed), code_digest(&code));
        }

        #[test]
        fn no_password_makes_the_judge_panic(text in "\\PC{0,40}") {
            let _ = judged(&text, Role::Guard, &["门神"]);
            let _ = judged_pin(&text);
        }
    }
}
