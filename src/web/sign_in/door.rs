//! Who is in: accounts and sessions, as they are now.
//!
//! Every request is looked up in memory, so that a disk which hangs keeps nobody from the alarms who is signed
//! in; every change is on the disk before it counts. Hashing takes time and memory: it is done for one at a time,
//! and a few may wait. All calls but [`Door::visit`] block.

use super::super::problem::Problem;
use super::super::who::Visit;
use super::secrets;
use crate::account::limits::{self, age};
use crate::account::throttle;
use crate::account::{
    Account, AccountId, Accounts, Act, Change, Deed, Digest, Invitation, Keys, NewAccount, Session,
    another_admin, may_be_shared, may_run,
};
use crate::clock::{Clock, Stamp};
use crate::journal::JournalError;
use crate::staff::{Right, Role, Who};
use crate::text::Note;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is written down that somebody did something.
const NOTED: Duration = Duration::from_mins(1);

/// The part of a session that is in memory only.
struct Live {
    session: Session,
    /// What the store knows of `seen`.
    noted: Stamp,
    /// Ends the streams of this session.
    end: CancellationToken,
}

#[derive(Default)]
struct Known {
    accounts: Vec<Account>,
    sessions: HashMap<Digest, Live>,
}

impl Known {
    fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.iter().find(|it| it.id == id)
    }
}

/// The code of the first start.
struct Setup {
    code: Digest,
    made: Stamp,
}

/// A session that has just begun: what its cookie holds.
pub(super) struct Entered {
    pub(super) token: String,
    pub(super) lasts: Duration,
    pub(super) role: Role,
}

/// Who is in.
pub(crate) struct Door {
    accounts: Arc<dyn Accounts>,
    clock: Arc<dyn Clock>,
    /// Words of the site, which are no passwords.
    site: Vec<String>,
    known: Mutex<Known>,
    setup: Mutex<Option<Setup>>,
    /// One hash at a time; also keeps two changes of accounts apart.
    work: Mutex<()>,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tried(name: &str) -> String {
    format!("name {}", secrets::digest_word(&name.trim().to_lowercase()))
}

impl Door {
    /// With what the store knows.
    pub(crate) fn new(
        accounts: Arc<dyn Accounts>,
        clock: Arc<dyn Clock>,
        site: Vec<String>,
    ) -> Result<Self, JournalError> {
        let live = |session: Session| {
            let end = CancellationToken::new();
            let noted = session.seen;
            (
                session.token,
                Live {
                    session,
                    noted,
                    end,
                },
            )
        };
        let known = Known {
            accounts: accounts.accounts()?,
            sessions: accounts.sessions()?.into_iter().map(live).collect(),
        };
        Ok(Self {
            accounts,
            clock,
            site,
            known: Mutex::new(known),
            setup: Mutex::new(None),
            work: Mutex::new(()),
        })
    }

    /// Who comes with this token. `acts`: a person did something, and not a page by itself.
    pub(crate) fn visit(self: &Arc<Self>, token: Option<&str>, acts: bool) -> Visit {
        let now = self.clock.now();
        let Some(token) = token else {
            return Visit::default();
        };
        let mut known = hold(&self.known);
        let Known { accounts, sessions } = &mut *known;
        let Some(live) = sessions.get_mut(&secrets::digest(token)) else {
            return Visit::default();
        };
        let account = accounts.iter().find(|it| it.id == live.session.account);
        let Some(account) = account.filter(|it| limits::holds(&live.session, it, &now)) else {
            live.end.cancel();
            return Visit::default();
        };
        if acts {
            live.session.seen = now;
            if age(&live.noted, &now).is_none_or(|it| it >= NOTED) {
                live.noted = now;
                let (door, token) = (Arc::clone(self), live.session.token);
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = door.accounts.seen(&token, now) {
                        tracing::warn!(%error, "that somebody is still there was not noted");
                    }
                });
            }
        }
        Visit {
            who: Some(Who {
                name: account.name.clone(),
                role: account.role,
            }),
            csrf: secrets::form_word(token),
            session: Some(live.session.token),
            account: Some(account.id),
            shared: account.shared,
            end: live.end.clone(),
            ..Visit::default()
        }
    }

    /// Ends what is over, so that its streams end, too.
    pub(crate) fn sweep(&self) {
        let now = self.clock.now();
        let over: Vec<Digest> = {
            let known = hold(&self.known);
            let is_over = |live: &&Live| {
                let account = known.account(live.session.account);
                !account.is_some_and(|it| limits::holds(&live.session, it, &now))
            };
            let sessions = known.sessions.values();
            sessions
                .filter(is_over)
                .map(|it| it.session.token)
                .collect()
        };
        if over.is_empty() {
            return;
        }
        let act = Act {
            by: "gateway",
            at: now,
        };
        if let Err(error) = self.accounts.end(&over, act) {
            tracing::warn!(%error, "a session that is over was not removed");
        }
        self.forget(|live| over.contains(&live.session.token));
    }

    fn forget(&self, which: impl Fn(&Live) -> bool) {
        hold(&self.known).sessions.retain(|_, live| {
            let goes = which(live);
            if goes {
                live.end.cancel();
            }
            !goes
        });
    }

    /// Reads the accounts again, after one was changed.
    fn reread(&self) -> Result<(), Problem> {
        let accounts = self.accounts.accounts()?;
        hold(&self.known).accounts = accounts;
        Ok(())
    }

    /// Every account.
    pub(crate) fn all(&self) -> Vec<Account> {
        hold(&self.known).accounts.clone()
    }

    fn find(&self, which: impl Fn(&Account) -> bool) -> Option<Account> {
        hold(&self.known)
            .accounts
            .iter()
            .find(|it| which(it))
            .cloned()
    }

    /// Whether this is a first start: nobody can run it.
    pub(crate) fn is_new(&self) -> bool {
        !another_admin(&hold(&self.known).accounts, AccountId(u64::MAX))
    }

    /// On a first start gives out the code with which the first account is made, where none is out.
    pub(crate) fn announce(&self, url: &str) {
        let now = self.clock.now();
        let mut setup = hold(&self.setup);
        let holds = |it: &Setup| age(&it.made, &now).is_some_and(|it| it < limits::SETUP);
        if !self.is_new() || setup.as_ref().is_some_and(holds) {
            return;
        }
        let Ok(code) = secrets::code() else {
            tracing::error!("the system gives no random numbers: nobody can be let in");
            return;
        };
        tracing::warn!(
            "nobody can sign in yet: open {url}setup within 30 minutes; the code is {code}"
        );
        *setup = Some(Setup {
            code: secrets::code_digest(&code),
            made: now,
        });
    }

    /// Refuses who has tried too often.
    fn allow(&self, subject: &str, bounds: &[throttle::Bound], now: &Stamp) -> Result<(), Problem> {
        let failures = self.accounts.failures(subject)?;
        match throttle::wait(&failures, bounds, now) {
            None => Ok(()),
            Some(wait) => Err(Problem::TooOften(wait.as_secs().max(1))),
        }
    }

    fn enter(&self, account: &Account, subject: &str, now: Stamp) -> Result<Entered, Problem> {
        let token = secrets::token()?;
        let session = Session {
            token: secrets::digest(&token),
            account: account.id,
            begun: now,
            seen: now,
        };
        let by = account.name.as_str();
        self.accounts
            .begin(&session, subject, Act { by, at: now })?;
        let live = Live {
            session,
            noted: now,
            end: CancellationToken::new(),
        };
        hold(&self.known).sessions.insert(session.token, live);
        Ok(Entered {
            token,
            lasts: limits::longest(account),
            role: account.role,
        })
    }

    /// Lets somebody in who knows name and password.
    pub(super) fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: &str,
    ) -> Result<Entered, Problem> {
        let _one_at_a_time = hold(&self.work);
        let now = self.clock.now();
        let (subject, address) = (tried(name), format!("from {from}"));
        self.allow(&subject, &throttle::ACCOUNT, &now)?;
        self.allow(&address, &throttle::ADDRESS, &now)?;
        let account = self.find(|it| it.name.as_str().eq_ignore_ascii_case(name.trim()));
        let usable = account.as_ref().filter(|it| it.is_usable());
        let hash = usable.and_then(|it| it.keys.password.as_deref());
        let brief = password.chars().count() <= secrets::LONGEST;
        match usable {
            Some(account) if brief && secrets::opens(password, hash) => {
                self.enter(account, &subject, now)
            }
            known => {
                if known.is_none() {
                    secrets::opens("", None);
                }
                // A name that nobody has may be a password in the wrong field.
                let by = account.as_ref().map_or("?", |it| it.name.as_str());
                let act = Act { by, at: now };
                self.accounts
                    .failed(&[&subject, &address], Deed::SignInRefused, act)?;
                Err(Problem::WrongSignIn)
            }
        }
    }

    /// Makes the first account, or lets somebody choose a password who was given a code.
    pub(super) fn set_up(
        &self,
        code: &str,
        name: &str,
        password: &str,
        from: &str,
    ) -> Result<Entered, Problem> {
        let _one_at_a_time = hold(&self.work);
        let now = self.clock.now();
        let address = format!("from {from}");
        self.allow(&address, &throttle::ADDRESS, &now)?;
        let code = secrets::code_digest(code);
        let first = self.is_new()
            && hold(&self.setup).as_ref().is_some_and(|it| {
                it.code == code && age(&it.made, &now).is_some_and(|it| it < limits::SETUP)
            });
        let invited = self.find(|it| {
            let opens = |it: &Invitation| it.code == code && limits::invites(it, &now);
            !it.disabled && it.keys.invitation.as_ref().is_some_and(opens)
        });
        match invited {
            _ if first => {
                self.judge(password, name, Role::Admin)?;
                let name = Note::name(name).ok_or(NAMELESS)?;
                let keys = Keys {
                    password: Some(secrets::hashed(password)?),
                    ..Keys::default()
                };
                let new = NewAccount {
                    name,
                    role: Role::Admin,
                    shared: false,
                    keys,
                };
                let account = self.make(&new, new.name.as_str(), now)?;
                *hold(&self.setup) = None;
                self.enter(&account, &tried(new.name.as_str()), now)
            }
            Some(account) => {
                self.judge(password, account.name.as_str(), account.role)?;
                let change = Change::Password(secrets::hashed(password)?);
                self.change(&account, &change, None, account.name.as_str(), now)?;
                let account = self.find(|it| it.id == account.id).unwrap_or(account);
                self.enter(&account, &tried(account.name.as_str()), now)
            }
            None => {
                let act = Act { by: "?", at: now };
                self.accounts
                    .failed(&[&address], Deed::SignInRefused, act)?;
                Err(Problem::WrongCode)
            }
        }
    }

    fn judge(&self, password: &str, name: &str, role: Role) -> Result<(), Problem> {
        let words: Vec<&str> = self.site.iter().map(String::as_str).chain([name]).collect();
        secrets::judged(password, role, &words)
    }

    fn make(&self, new: &NewAccount, by: &str, at: Stamp) -> Result<Account, Problem> {
        let made = self.accounts.create(new, Act { by, at })?;
        self.reread()?;
        made.and_then(|id| self.find(|it| it.id == id))
            .ok_or(Problem::Incomplete(
                "已有同名账号，请换一个名字。",
                "There is an account of this name; choose another.",
            ))
    }

    fn change(
        &self,
        account: &Account,
        change: &Change,
        stays: Option<&Digest>,
        by: &str,
        at: Stamp,
    ) -> Result<(), Problem> {
        let act = Act { by, at };
        self.accounts.change(account.id, change, stays, act)?;
        self.reread()?;
        self.forget(|live| {
            live.session.account == account.id && Some(&live.session.token) != stays
        });
        Ok(())
    }

    /// Ends a session.
    pub(super) fn sign_out(&self, token: Digest, by: &str) -> Result<(), Problem> {
        let at = self.clock.now();
        self.accounts.end(&[token], Act { by, at })?;
        self.forget(|live| live.session.token == token);
        Ok(())
    }

    /// Whoever is signed in must know their password to change what they sign in with.
    fn confirm(&self, id: AccountId, password: &str, now: Stamp) -> Result<Account, Problem> {
        let account = self.find(|it| it.id == id).ok_or(Problem::NotSignedIn)?;
        let subject = tried(account.name.as_str());
        self.allow(&subject, &throttle::ACCOUNT, &now)?;
        if secrets::opens(password, account.keys.password.as_deref()) {
            return Ok(account);
        }
        let by = account.name.as_str();
        let act = Act { by, at: now };
        self.accounts
            .failed(&[&subject], Deed::SignInRefused, act)?;
        Err(Problem::WrongSignIn)
    }

    /// A new password of one's own; all sessions end, and a new one begins here.
    pub(super) fn choose_password(
        &self,
        id: AccountId,
        old: &str,
        new: &str,
    ) -> Result<Entered, Problem> {
        let _one_at_a_time = hold(&self.work);
        let now = self.clock.now();
        let account = self.confirm(id, old, now)?;
        let name = account.name.as_str();
        self.judge(new, name, account.role)?;
        let change = Change::Password(secrets::hashed(new)?);
        self.change(&account, &change, None, name, now)?;
        self.enter(&account, &tried(name), now)
    }

    /// A new PIN of one's own.
    pub(super) fn choose_pin(
        &self,
        id: AccountId,
        password: &str,
        pin: &str,
        stays: Option<&Digest>,
    ) -> Result<(), Problem> {
        let _one_at_a_time = hold(&self.work);
        let now = self.clock.now();
        let account = self.confirm(id, password, now)?;
        secrets::judged_pin(pin)?;
        let change = Change::Pin(secrets::hashed(pin)?);
        self.change(&account, &change, stays, account.name.as_str(), now)
    }

    /// Who acts on a shared screen: by name and PIN.
    pub(super) fn signs(&self, name: &str, pin: &str, right: Right) -> Result<Note, Problem> {
        let _one_at_a_time = hold(&self.work);
        let now = self.clock.now();
        let account = self
            .find(|it| it.name.as_str() == name && it.may_sign(right))
            .ok_or(Problem::WrongPin)?;
        let subject = format!("pin {}", account.id.0);
        self.allow(&subject, &throttle::ACCOUNT, &now)?;
        if secrets::opens(pin, account.keys.pin.as_deref()) {
            return Ok(account.name);
        }
        let by = account.name.as_str();
        let act = Act { by, at: now };
        self.accounts.failed(&[&subject], Deed::PinRefused, act)?;
        Err(Problem::WrongPin)
    }

    /// Makes an account for somebody else; gives the code with which they choose their password.
    pub(super) fn invite(
        &self,
        by: &Who,
        name: &str,
        role: Role,
        shared: bool,
    ) -> Result<(Note, String), Problem> {
        let _one_at_a_time = hold(&self.work);
        if !may_run(by.role, role) {
            return Err(Problem::NotYours(Right::RunAccounts));
        }
        if shared && !may_be_shared(role) {
            return Err(Problem::Incomplete(
                "只有保安和访客屏的账号可以用作共用屏幕。",
                "Only an account of a guard or of a visitor screen can be a shared screen.",
            ));
        }
        let name = Note::name(name).ok_or(NAMELESS)?;
        let (code, invitation) = self.invitation()?;
        let new = NewAccount {
            name: name.clone(),
            role,
            shared,
            keys: Keys {
                invitation: Some(invitation),
                ..Keys::default()
            },
        };
        self.make(&new, by.name.as_str(), invitation.made)?;
        Ok((name, code))
    }

    fn invitation(&self) -> Result<(String, Invitation), Problem> {
        let code = secrets::code()?;
        let invitation = Invitation {
            code: secrets::code_digest(&code),
            made: self.clock.now(),
        };
        Ok((code, invitation))
    }

    /// An account that this person may run, and that is not the last that can.
    fn run(&self, by: &Who, id: AccountId, takes_away: bool) -> Result<Account, Problem> {
        let account = self.find(|it| it.id == id).ok_or(Problem::NoPage)?;
        if !may_run(by.role, account.role) {
            return Err(Problem::NotYours(Right::RunAccounts));
        }
        let needed = account.role == Role::Admin && account.is_usable();
        if takes_away && needed && !another_admin(&hold(&self.known).accounts, id) {
            return Err(Problem::Incomplete(
                "这是最后一个管理员账号。请先建立另一个管理员。",
                "This is the last administrator's account. Make another one first.",
            ));
        }
        Ok(account)
    }

    /// Takes password and PIN of an account away; gives the code for a new password.
    pub(super) fn reset(&self, by: &Who, id: AccountId) -> Result<(Note, String), Problem> {
        let _one_at_a_time = hold(&self.work);
        let account = self.run(by, id, true)?;
        let (code, invitation) = self.invitation()?;
        let (by, at) = (by.name.as_str(), invitation.made);
        self.change(&account, &Change::Reset(invitation), None, by, at)?;
        Ok((account.name, code))
    }

    /// Whether an account may be used.
    pub(super) fn set_disabled(
        &self,
        by: &Who,
        id: AccountId,
        disabled: bool,
    ) -> Result<(), Problem> {
        let _one_at_a_time = hold(&self.work);
        let account = self.run(by, id, disabled)?;
        let change = if disabled {
            Change::Disabled
        } else {
            Change::Enabled
        };
        let now = self.clock.now();
        self.change(&account, &change, None, by.name.as_str(), now)
    }
}

/// No name, or one that does not show.
const NAMELESS: Problem = Problem::Incomplete(
    "请填写姓名（1 到 80 个字，不含特殊控制字符）。",
    "Fill in the name: 1 to 80 characters, no control characters.",
);
