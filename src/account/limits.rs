//! How long somebody stays signed in, and how long a code holds.
//!
//! ASVS 5.0, 7.3.1 and 7.3.2: 30 min without doing anything, 12 h (one shift) in all. A shared screen is the
//! exception: an alarm that nobody sees because the screen has signed itself out is the greater danger. It shows
//! only; who acts there gives a PIN.

use super::{Account, Invitation, Session};
use crate::clock::{ClockTrust, Stamp};
use crate::staff::Role;
use std::time::Duration;

/// Longest time without doing anything.
pub const IDLE: Duration = Duration::from_mins(30);

/// Longest time in all: one shift.
pub const SHIFT: Duration = Duration::from_hours(12);

/// The same for a screen: a month, in which somebody has been there to look after it.
pub const SCREEN: Duration = Duration::from_hours(30 * 24);

/// How long the code of the first start holds (ASVS 5.0, 6.4.1).
pub const SETUP: Duration = Duration::from_mins(30);

/// How long an invitation holds: over a weekend.
pub const INVITED: Duration = Duration::from_hours(72);

/// How long ago something was; `None` where that cannot be known: another start of the gateway, and a
/// clock that was not set in one of them.
#[must_use]
pub fn age(since: &Stamp, now: &Stamp) -> Option<Duration> {
    let synced = |it: &Stamp| it.trust == ClockTrust::Synchronised;
    if since.boot == now.boot {
        return now.since(since);
    }
    let between = now.wall.0.checked_sub(since.wall.0)?;
    u64::try_from(between)
        .ok()
        .filter(|_| synced(since) && synced(now))
        .map(Duration::from_millis)
}

/// Whether an account is a screen's.
fn is_screen(account: &Account) -> bool {
    account.shared || account.role == Role::Kiosk
}

/// How long a cookie for this account holds.
#[must_use]
pub fn longest(account: &Account) -> Duration {
    if is_screen(account) { SCREEN } else { SHIFT }
}

/// Whether a session holds. Of a person's whose age is not known it is not believed; a screen's goes on after
/// a power cut.
#[must_use]
pub fn holds(session: &Session, account: &Account, now: &Stamp) -> bool {
    let begun = age(&session.begun, now);
    if !account.is_usable() {
        false
    } else if is_screen(account) {
        begun.is_none_or(|it| it < SCREEN)
    } else {
        begun.is_some_and(|it| it < SHIFT) && age(&session.seen, now).is_some_and(|it| it < IDLE)
    }
}

/// Whether an invitation holds.
#[must_use]
pub fn invites(invitation: &Invitation, now: &Stamp) -> bool {
    age(&invitation.made, now).is_some_and(|it| it < INVITED)
}

#[cfg(test)]
mod tests {
    use super::super::{AccountId, Digest, Keys};
    use super::*;
    use crate::clock::{BootId, WallTime};
    use crate::text::Note;
    use proptest::prelude::*;

    fn at(boot: u64, seconds: u64, trust: ClockTrust) -> Stamp {
        Stamp {
            boot: BootId(boot),
            monotonic: Duration::from_secs(seconds),
            wall: WallTime(i64::try_from(1_000_000 * boot + seconds).unwrap() * 1000),
            trust,
        }
    }

    fn account(role: Role, shared: bool) -> Account {
        Account {
            id: AccountId(1),
            name: Note::name("王芳").unwrap(),
            role,
            shared,
            disabled: false,
            keys: Keys {
                password: Some(String::new()),
                ..Keys::default()
            },
        }
    }

    fn session(begun: Stamp, seen: Stamp) -> Session {
        Session {
            token: Digest([0; 32]),
            account: AccountId(1),
            begun,
            seen,
        }
    }

    const SYNCED: ClockTrust = ClockTrust::Synchronised;

    #[test]
    fn a_person_is_signed_out_after_idling_and_after_a_shift_and_a_screen_is_not() {
        let begun = at(1, 0, SYNCED);
        let (guard, screen) = (account(Role::Guard, false), account(Role::Guard, true));
        let cases = [
            (0, 0, true),
            (0, 30 * 60 - 1, true),
            (0, 30 * 60, false),
            (12 * 3600 - 2, 12 * 3600 - 1, true),
            (12 * 3600 - 1, 12 * 3600, false),
        ];
        for (seen, now, wanted) in cases {
            let it = session(begun, at(1, seen, SYNCED));
            let now = at(1, now, SYNCED);
            assert_eq!(holds(&it, &guard, &now), wanted, "{seen} {now:?}");
            assert!(holds(&it, &screen, &now));
        }
        let month = at(1, 30 * 86_400, SYNCED);
        assert!(!holds(&session(begun, month), &screen, &month));
    }

    #[test]
    fn nobody_stays_whose_account_does_not_open() {
        let now = at(1, 0, SYNCED);
        let it = session(now, now);
        for role in Role::ALL {
            let open = account(*role, false);
            assert!(holds(&it, &open, &now));
            let keys = Keys::default();
            assert!(!holds(
                &it,
                &Account {
                    keys,
                    ..open.clone()
                },
                &now
            ));
            let disabled = true;
            assert!(!holds(&it, &Account { disabled, ..open }, &now));
        }
    }

    #[test]
    fn after_a_restart_a_person_stays_only_where_both_clocks_were_set() {
        let guard = account(Role::Guard, false);
        for (then, now, wanted) in [
            (SYNCED, SYNCED, true),
            (SYNCED, ClockTrust::Unsynchronised, false),
            (ClockTrust::Unsynchronised, SYNCED, false),
        ] {
            let mut after = at(2, 5, now);
            let before = at(1, 5, then);
            after.wall = WallTime(before.wall.0 + 60_000);
            let it = session(before, before);
            assert_eq!(holds(&it, &guard, &after), wanted);
            assert!(holds(&it, &account(Role::Kiosk, false), &after));
        }
    }

    proptest! {
        #[test]
        fn a_session_never_comes_back(begun in 0_u64..90_000, idle in 0_u64..4000, later in 0_u64..200_000) {
            let seen = begun + idle;
            let it = session(at(1, begun, SYNCED), at(1, seen, SYNCED));
            let guard = account(Role::Guard, false);
            let first = holds(&it, &guard, &at(1, seen + 60, SYNCED));
            let then = holds(&it, &guard, &at(1, seen + 60 + later, SYNCED));
            prop_assert!(first || !then);
        }
    }
}
