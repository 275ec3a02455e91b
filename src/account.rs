//! Accounts of staff: who may sign in, for how long, and how often somebody may try.
//!
//! Rules only, after OWASP ASVS 5.0 (chapters 6 and 7); passwords are hashed in the web's `sign_in`, and
//! kept by the store behind [`Accounts`]. No secret is here that could be used: of passwords and PINs the
//! Argon2id hash, of sessions and codes the SHA-256 of a random number.

pub mod limits;
pub mod throttle;

use crate::clock::Stamp;
use crate::journal::JournalError;
use crate::staff::{Right, Role};
use crate::text::{Note, named};

/// Number of an account, never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

/// SHA-256 of a session's token or of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A code with which somebody chooses a password, given out when the account is made or reset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Invitation {
    /// The code's digest.
    pub code: Digest,
    /// When it was given out.
    pub made: Stamp,
}

/// What an account opens with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// Argon2id, as a PHC string; `None` until one was chosen.
    pub password: Option<String>,
    /// The PIN for shared screens, likewise.
    pub pin: Option<String>,
    /// The code that is out.
    pub invitation: Option<Invitation>,
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// A person's name, or what a screen is called.
    pub name: Note,
    /// What they are here.
    pub role: Role,
    /// A screen that several people use: it stays signed in, and who acts there says so by PIN.
    pub shared: bool,
    /// May not sign in any more; the name stays for the records.
    pub disabled: bool,
    /// What it opens with.
    pub keys: Keys,
}

impl Account {
    /// Whether somebody can sign in with it.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        !self.disabled && self.keys.password.is_some()
    }

    /// Whether this person may act on a shared screen.
    #[must_use]
    pub const fn may_sign(&self, right: Right) -> bool {
        !self.disabled && !self.shared && self.keys.pin.is_some() && self.role.may(right)
    }
}

/// Whether somebody may make, reset and disable accounts of this role: managers all but the
/// administrators, so that nobody raises their own rights.
#[must_use]
pub const fn may_run(by: Role, of: Role) -> bool {
    match by {
        Role::Admin => true,
        Role::Manager => !matches!(of, Role::Admin),
        Role::Kiosk | Role::Guard | Role::StreetViewer => false,
    }
}

/// Whether a screen can be of this role: those that only look, and the guard's.
#[must_use]
pub const fn may_be_shared(role: Role) -> bool {
    matches!(role, Role::Kiosk | Role::Guard)
}

/// Whether somebody could still run everything if this account were gone.
#[must_use]
pub fn another_admin(accounts: &[Account], without: AccountId) -> bool {
    accounts
        .iter()
        .any(|it| it.id != without && it.role == Role::Admin && it.is_usable())
}

/// A new account.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAccount {
    /// Its name.
    pub name: Note,
    /// What they will be.
    pub role: Role,
    /// Whether it is a screen's.
    pub shared: bool,
    /// What it opens with.
    pub keys: Keys,
}

/// What changes of an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A password was chosen; the code is used up.
    Password(String),
    /// A PIN was chosen.
    Pin(String),
    /// A new code: the old password and PIN open nothing any more.
    Reset(Invitation),
    /// May not sign in any more.
    Disabled,
    /// May sign in again.
    Enabled,
}

impl Change {
    /// What the audit calls it.
    #[must_use]
    pub const fn deed(&self) -> Deed {
        match self {
            Self::Password(_) => Deed::PasswordChosen,
            Self::Pin(_) => Deed::PinChosen,
            Self::Reset(_) => Deed::AccountReset,
            Self::Disabled => Deed::AccountDisabled,
            Self::Enabled => Deed::AccountEnabled,
        }
    }
}

named! {
    /// What the audit says of accounts (ASVS 5.0, 16.3.1).
    Deed {
        /// Signed in.
        SignedIn = "signed_in", "登录", "signed in";
        /// A wrong name or password.
        SignInRefused = "sign_in_refused", "登录被拒", "sign-in refused";
        /// Signed out, or somebody else ended it.
        SignedOut = "signed_out", "退出", "signed out";
        /// A wrong PIN.
        PinRefused = "pin_refused", "PIN 被拒", "PIN refused";
        /// A new account.
        AccountMade = "account_made", "新建账号", "account made";
        /// A password was chosen.
        PasswordChosen = "password_chosen", "设置密码", "password chosen";
        /// A PIN was chosen.
        PinChosen = "pin_chosen", "设置 PIN", "PIN chosen";
        /// A new code was given out.
        AccountReset = "account_reset", "重置账号", "account reset";
        /// May not sign in any more.
        AccountDisabled = "account_disabled", "停用账号", "account disabled";
        /// May sign in again.
        AccountEnabled = "account_enabled", "启用账号", "account enabled";
    }
}

/// Somebody who signed in, on one browser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    /// The token's digest.
    pub token: Digest,
    /// Whose.
    pub account: AccountId,
    /// Since when.
    pub begun: Stamp,
    /// When they last did something.
    pub seen: Stamp,
}

/// Who did something to whom, for the audit.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Who.
    pub by: &'a str,
    /// When.
    pub at: Stamp,
}

/// Where accounts are kept. All calls block. The audit is written in the same transaction.
pub trait Accounts: Send + Sync {
    /// Every account.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn accounts(&self) -> Result<Vec<Account>, JournalError>;

    /// Makes one; `None` where the name is taken.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn create(&self, new: &NewAccount, act: Act<'_>) -> Result<Option<AccountId>, JournalError>;

    /// Changes one. All its sessions but that of `stays` end.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn change(
        &self,
        id: AccountId,
        change: &Change,
        stays: Option<&Digest>,
        act: Act<'_>,
    ) -> Result<(), JournalError>;

    /// Every session.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn sessions(&self) -> Result<Vec<Session>, JournalError>;

    /// Somebody signed in; what was tried in vain for `subject` before is forgotten.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn begin(&self, session: &Session, subject: &str, act: Act<'_>) -> Result<(), JournalError>;

    /// Somebody did something.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn seen(&self, token: &Digest, at: Stamp) -> Result<(), JournalError>;

    /// Ends sessions.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn end(&self, tokens: &[Digest], act: Act<'_>) -> Result<(), JournalError>;

    /// Somebody tried in vain.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn failed(&self, subjects: &[&str], deed: Deed, act: Act<'_>) -> Result<(), JournalError>;

    /// When somebody tried in vain lately.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn failures(&self, subject: &str) -> Result<Vec<Stamp>, JournalError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: u64, role: Role) -> Account {
        Account {
            id: AccountId(id),
            name: Note::name("王芳").unwrap(),
            role,
            shared: false,
            disabled: false,
            keys: Keys {
                password: Some(String::new()),
                pin: Some(String::new()),
                invitation: None,
            },
        }
    }

    #[test]
    fn nobody_gives_rights_that_they_do_not_have_but_the_administrator() {
        for by in Role::ALL {
            for of in Role::ALL {
                let more = Right::ALL.iter().any(|it| of.may(*it) && !by.may(*it));
                let may = may_run(*by, *of);
                assert!(!may || !more || *by == Role::Admin, "{by:?} {of:?}");
                assert_eq!(may_run(*by, *by), by.may(Right::RunAccounts), "{by:?}");
            }
        }
    }

    #[test]
    fn the_last_administrator_is_seen_to_be_the_last() {
        let mut accounts = vec![account(1, Role::Admin), account(2, Role::Manager)];
        assert!(!another_admin(&accounts, AccountId(1)));
        accounts.push(account(3, Role::Admin));
        assert!(another_admin(&accounts, AccountId(1)));
        accounts[2].disabled = true;
        assert!(!another_admin(&accounts, AccountId(1)));
    }

    #[test]
    fn who_signs_on_a_shared_screen_is_a_person_with_a_pin_and_the_right() {
        let right = Right::HandleAlerts;
        let good = account(1, Role::Guard);
        assert!(good.may_sign(right));
        let bad = [
            Account {
                shared: true,
                ..good.clone()
            },
            Account {
                disabled: true,
                ..good.clone()
            },
            Account {
                role: Role::StreetViewer,
                ..good.clone()
            },
            Account {
                keys: Keys::default(),
                ..good
            },
        ];
        assert!(bad.iter().all(|it| !it.may_sign(right)));
    }
}
