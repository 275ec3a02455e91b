//! Accounts, sessions and what was tried in vain.

use super::error::StoreError;
use super::journal::audit;
use super::row::{StampRow, Unreadable, from_sql, json, parsed, to_sql, wrong};
use super::{Store, journal};
use crate::account::throttle::FORGOTTEN;
use crate::account::{
    Account, AccountId, Accounts, Act, Change, Deed, Digest, Invitation, Keys, NewAccount, Session,
};
use crate::alert::escalation::waited;
use crate::clock::Stamp;
use crate::journal::JournalError;
use crate::staff::Role;
use crate::text::Note;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// The failures that one look reads, at most: far more than any bound.
const FAILURES: u32 = 1000;

fn digest(bytes: &[u8]) -> Result<Digest, Unreadable> {
    bytes.try_into().map(Digest).map_err(|_| wrong("a digest"))
}

fn moment(text: &str) -> Result<Stamp, Unreadable> {
    parsed::<StampRow, Stamp>(text)
}

fn written(at: &Stamp) -> Result<String, Unreadable> {
    json(&StampRow::from(at))
}

fn account(row: &Row<'_>) -> Result<Account, StoreError> {
    let invitation = match (
        row.get::<_, Option<Vec<u8>>>("invitation")?,
        row.get::<_, Option<String>>("invited_at")?,
    ) {
        (Some(code), Some(at)) => Some(Invitation {
            code: digest(&code)?,
            made: moment(&at)?,
        }),
        _ => None,
    };
    Ok(Account {
        id: AccountId(from_sql(row.get("number")?)),
        name: Note::name(&row.get::<_, String>("name")?).ok_or_else(|| wrong("a name"))?,
        role: Role::parse(&row.get::<_, String>("role")?).ok_or_else(|| wrong("a role"))?,
        shared: row.get("shared")?,
        disabled: row.get("disabled")?,
        keys: Keys {
            password: row.get("password")?,
            pin: row.get("pin")?,
            invitation,
        },
    })
}

fn name_of(transaction: &Transaction<'_>, id: AccountId) -> Result<String, StoreError> {
    let name: Option<String> = transaction
        .prepare_cached("SELECT name FROM account WHERE number = ?1")?
        .query_row([to_sql(id.0)], |row| row.get(0))
        .optional()?;
    Ok(name.unwrap_or_else(|| journal::GATEWAY.to_owned()))
}

fn apply(transaction: &Transaction<'_>, id: AccountId, change: &Change) -> Result<(), StoreError> {
    let number = to_sql(id.0);
    match change {
        Change::Password(hash) => transaction.execute(
            "UPDATE account SET password = ?1, invitation = NULL, invited_at = NULL
             WHERE number = ?2",
            params![hash, number],
        ),
        Change::Pin(hash) => transaction.execute(
            "UPDATE account SET pin = ?1 WHERE number = ?2",
            params![hash, number],
        ),
        Change::Reset(invitation) => transaction.execute(
            "UPDATE account SET password = NULL, pin = NULL, invitation = ?1, invited_at = ?2
             WHERE number = ?3",
            params![
                invitation.code.0.as_slice(),
                written(&invitation.made)?,
                number
            ],
        ),
        Change::Disabled => transaction.execute(
            "UPDATE account SET disabled = 1 WHERE number = ?1",
            [number],
        ),
        Change::Enabled => transaction.execute(
            "UPDATE account SET disabled = 0 WHERE number = ?1",
            [number],
        ),
    }?;
    Ok(())
}

impl Accounts for Store {
    fn accounts(&self) -> Result<Vec<Account>, JournalError> {
        self.read(|reader| {
            let mut select = reader.prepare_cached(
                "SELECT number, name, role, shared, disabled, password, pin, invitation, invited_at
                 FROM account ORDER BY number",
            )?;
            let mut rows = select.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(account(row)?);
            }
            Ok(all)
        })
    }

    fn create(&self, new: &NewAccount, act: Act<'_>) -> Result<Option<AccountId>, JournalError> {
        self.write(|transaction| {
            let invitation = new.keys.invitation.as_ref();
            let made = transaction.execute(
                "INSERT INTO account (name, role, shared, password, pin, invitation, invited_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING",
                params![
                    new.name.as_str(),
                    new.role.as_str(),
                    new.shared,
                    new.keys.password,
                    new.keys.pin,
                    invitation.map(|it| it.code.0.as_slice()),
                    invitation.map(|it| written(&it.made)).transpose()?,
                ],
            )?;
            if made == 0 {
                return Ok(None);
            }
            let id = AccountId(from_sql(transaction.last_insert_rowid()));
            let what = Deed::AccountMade.as_str();
            let subject = format!("{} ({})", new.name, new.role.as_str());
            audit(transaction, None, act.by, what, &subject, &act.at)?;
            Ok(Some(id))
        })
    }

    fn change(
        &self,
        id: AccountId,
        change: &Change,
        stays: Option<&Digest>,
        act: Act<'_>,
    ) -> Result<(), JournalError> {
        self.write(|transaction| {
            apply(transaction, id, change)?;
            let stays = stays.map_or(&[][..], |it| it.0.as_slice());
            transaction.execute(
                "DELETE FROM session WHERE account = ?1 AND token <> ?2",
                params![to_sql(id.0), stays],
            )?;
            let whose = name_of(transaction, id)?;
            let what = change.deed().as_str();
            audit(transaction, None, act.by, what, &whose, &act.at)?;
            Ok(())
        })
    }

    fn sessions(&self) -> Result<Vec<Session>, JournalError> {
        self.read(|reader| {
            let mut select =
                reader.prepare_cached("SELECT token, account, begun_at, seen_at FROM session")?;
            let mut rows = select.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(Session {
                    token: digest(&row.get::<_, Vec<u8>>(0)?)?,
                    account: AccountId(from_sql(row.get(1)?)),
                    begun: moment(&row.get::<_, String>(2)?)?,
                    seen: moment(&row.get::<_, String>(3)?)?,
                });
            }
            Ok(all)
        })
    }

    fn begin(&self, session: &Session, subject: &str, act: Act<'_>) -> Result<(), JournalError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO session (token, account, begun_at, seen_at) VALUES (?1, ?2, ?3, ?4)",
                params![
                    session.token.0.as_slice(),
                    to_sql(session.account.0),
                    written(&session.begun)?,
                    written(&session.seen)?
                ],
            )?;
            transaction.execute("DELETE FROM sign_in_failure WHERE subject = ?1", [subject])?;
            let whose = name_of(transaction, session.account)?;
            let what = Deed::SignedIn.as_str();
            audit(transaction, None, act.by, what, &whose, &act.at)?;
            Ok(())
        })
    }

    fn seen(&self, token: &Digest, at: Stamp) -> Result<(), JournalError> {
        self.write(|transaction| {
            transaction
                .prepare_cached("UPDATE session SET seen_at = ?1 WHERE token = ?2")?
                .execute(params![written(&at)?, token.0.as_slice()])?;
            Ok(())
        })
    }

    fn end(&self, tokens: &[Digest], act: Act<'_>) -> Result<(), JournalError> {
        self.write(|transaction| {
            for token in tokens {
                let account: Option<i64> = transaction
                    .query_row(
                        "DELETE FROM session WHERE token = ?1 RETURNING account",
                        [token.0.as_slice()],
                        |row| row.get(0),
                    )
                    .optional()?;
                if let Some(account) = account {
                    let whose = name_of(transaction, AccountId(from_sql(account)))?;
                    let what = Deed::SignedOut.as_str();
                    audit(transaction, None, act.by, what, &whose, &act.at)?;
                }
            }
            Ok(())
        })
    }

    fn failed(&self, subjects: &[&str], deed: Deed, act: Act<'_>) -> Result<(), JournalError> {
        self.write(|transaction| {
            let at = written(&act.at)?;
            let old: Vec<(i64, String)> = transaction
                .prepare_cached("SELECT number, at FROM sign_in_failure ORDER BY number LIMIT 10")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            for (number, then) in old {
                if moment(&then).is_ok_and(|then| waited(&then, &act.at) < FORGOTTEN) {
                    break;
                }
                transaction.execute("DELETE FROM sign_in_failure WHERE number = ?1", [number])?;
            }
            for subject in subjects {
                transaction.execute(
                    "INSERT INTO sign_in_failure (subject, at) VALUES (?1, ?2)",
                    params![subject, at],
                )?;
            }
            let subject = subjects.last().copied().unwrap_or_default();
            audit(transaction, None, act.by, deed.as_str(), subject, &act.at)?;
            Ok(())
        })
    }

    fn failures(&self, subject: &str) -> Result<Vec<Stamp>, JournalError> {
        self.read(|reader| {
            let mut select = reader.prepare_cached(
                "SELECT at FROM sign_in_failure WHERE subject = ?1 ORDER BY number DESC LIMIT ?2",
            )?;
            let mut rows = select.query(params![subject, FAILURES])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(moment(&row.get::<_, String>(0)?)?);
            }
            Ok(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use std::time::Duration;

    fn at(seconds: u64) -> Stamp {
        Stamp {
            boot: BootId(1),
            monotonic: Duration::from_secs(seconds),
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        }
    }

    fn act(seconds: u64) -> Act<'static> {
        Act {
            by: "李明",
            at: at(seconds),
        }
    }

    fn guard(name: &str) -> NewAccount {
        NewAccount {
            name: Note::name(name).unwrap(),
            role: Role::Guard,
            shared: false,
            keys: Keys {
                invitation: Some(Invitation {
                    code: Digest([7; 32]),
                    made: at(0),
                }),
                ..Keys::default()
            },
        }
    }

    fn session(token: u8, account: AccountId) -> Session {
        Session {
            token: Digest([token; 32]),
            account,
            begun: at(1),
            seen: at(1),
        }
    }

    #[test]
    fn accounts_and_sessions_outlive_a_restart_and_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        let fang = store.create(&guard("Wang Fang"), act(0)).unwrap().unwrap();
        assert_eq!(store.create(&guard("wang fang"), act(0)).unwrap(), None);
        let li = store.create(&guard("李"), act(0)).unwrap().unwrap();
        let change = Change::Password("hash".to_owned());
        store.change(fang, &change, None, act(1)).unwrap();
        store.begin(&session(1, fang), "a", act(1)).unwrap();
        store.begin(&session(2, fang), "a", act(1)).unwrap();
        store.begin(&session(3, li), "b", act(1)).unwrap();
        store.seen(&Digest([3; 32]), at(9)).unwrap();
        drop(store);

        let store = Store::open(folder.path(), Vec::new()).unwrap();
        let accounts = store.accounts().unwrap();
        assert_eq!(accounts[0].keys.password.as_deref(), Some("hash"));
        assert_eq!(accounts[0].keys.invitation, None, "the code is used up");
        assert_eq!(accounts[1].keys, guard("李").keys);
        let stays = Digest([2; 32]);
        let change = Change::Pin("pin".to_owned());
        store.change(fang, &change, Some(&stays), act(2)).unwrap();
        let mut left = store.sessions().unwrap();
        left.sort_by_key(|it| it.token);
        assert_eq!(left.len(), 2);
        assert_eq!((left[0].token, left[1].seen), (stays, at(9)));
        let reset = Change::Reset(Invitation {
            code: Digest([8; 32]),
            made: at(3),
        });
        store.change(fang, &reset, None, act(3)).unwrap();
        assert!(!store.accounts().unwrap()[0].is_usable());
        store.end(&[Digest([3; 32])], act(4)).unwrap();
        assert_eq!(store.sessions().unwrap(), []);
        let audit = store.audit(20).unwrap();
        let said: Vec<&str> = audit.iter().map(|it| it.what.as_str()).collect();
        let last = ["signed_out", "account_reset", "pin_chosen"];
        assert_eq!(said[..3], last);
        assert!(!format!("{audit:?}").contains("hash"));
    }

    #[test]
    fn failures_count_over_a_restart_until_they_are_old_or_somebody_got_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        let id = store.create(&guard("李"), act(0)).unwrap().unwrap();
        let refused = Deed::SignInRefused;
        for second in 0..3 {
            store
                .failed(&["name", "from"], refused, act(second))
                .unwrap();
        }
        drop(store);
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        assert_eq!(store.failures("name").unwrap(), [at(2), at(1), at(0)]);
        store.begin(&session(1, id), "name", act(5)).unwrap();
        assert_eq!(store.failures("name").unwrap(), []);
        assert_eq!(store.failures("from").unwrap().len(), 3);
        store.failed(&["other"], refused, act(3601)).unwrap();
        assert_eq!(store.failures("from").unwrap(), [at(2)]);
    }
}
