//! How many messages a minute a notifier sends, and when they become a digest.
//!
//! Both WeCom and DingTalk take 20 messages a minute from a robot; DingTalk shuts one that sends more out
//! for ten minutes, and advises digests (the vendors' documentation of group robots). And people who get
//! ten messages in a row read none. So: one or two go out each for itself; with a third alert within a
//! minute, or three messages waiting after an outage, all that waits goes out as one digest, and the next
//! one not before a minute has passed. A state machine without a clock of its own.

use crate::alert::flood::{MANY, WITHIN, is_recent};
use crate::clock::Stamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Messages in [`WITHIN`], at most.
const MOST: usize = 20;

/// One message that waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// Whether it is a raised alert.
    pub alert: bool,
    /// When the event happened.
    pub at: Stamp,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing waits.
    Nothing,
    /// Ask again after so long.
    Wait(Duration),
    /// Send the first so many in one message.
    Send(usize),
}

/// What was sent of late.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// When messages were sent.
    sent: VecDeque<Stamp>,
    /// When the alerts in them were raised.
    alerts: VecDeque<Stamp>,
    /// When the last digest was sent, or in a flood the last message.
    digest: Option<Stamp>,
}

impl Pace {
    /// What to do with these, oldest first.
    #[must_use]
    pub fn next(&self, waiting: &[Waiting], now: &Stamp) -> Next {
        if waiting.is_empty() {
            return Next::Nothing;
        }
        let recent: Vec<_> = self.sent.iter().filter(|at| is_recent(at, now)).collect();
        if recent.len() >= MOST
            && let Some(oldest) = recent.first()
        {
            return Next::Wait(until_over(oldest, now));
        }
        let alerts = waiting.iter().filter(|it| it.alert).map(|it| &it.at);
        let flood = self
            .alerts
            .iter()
            .chain(alerts)
            .filter(|at| is_recent(at, now))
            .count()
            >= MANY;
        if !flood && waiting.len() < MANY {
            return Next::Send(1);
        }
        match self.digest.filter(|at| is_recent(at, now)) {
            Some(last) => Next::Wait(until_over(&last, now)),
            None => Next::Send(waiting.len()),
        }
    }

    /// These were sent, in one message.
    pub fn sent(&mut self, messages: &[Waiting], now: &Stamp) {
        self.sent.retain(|at| is_recent(at, now));
        self.alerts.retain(|at| is_recent(at, now));
        self.sent.push_back(*now);
        let alerts = messages.iter().filter(|it| it.alert).map(|it| it.at);
        self.alerts.extend(alerts);
        if messages.len() > 1 || self.alerts.len() >= MANY {
            self.digest = Some(*now);
        }
    }
}

/// The rest of the minute that began then.
fn until_over(at: &Stamp, now: &Stamp) -> Duration {
    WITHIN.saturating_sub(now.since(at).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::stamp;

    /// Sends what happens (second, whether an alert) and gives what went out: second, and how many in it.
    fn sent(happens: &[(u64, bool)], until: u64) -> Vec<(u64, usize)> {
        let (mut pace, mut waiting, mut out) = (Pace::default(), Vec::new(), Vec::new());
        for second in 0..until {
            let now = stamp(second * 1000);
            waiting.extend(
                happens
                    .iter()
                    .filter(|(at, _)| *at == second)
                    .map(|(_, alert)| Waiting {
                        alert: *alert,
                        at: now,
                    }),
            );
            while let Next::Send(count) = pace.next(&waiting, &now) {
                let messages: Vec<_> = waiting.drain(..count).collect();
                pace.sent(&messages, &now);
                out.push((second, count));
            }
        }
        assert!(waiting.is_empty(), "{waiting:?}");
        out
    }

    #[test]
    fn one_and_two_go_each_for_itself() {
        assert_eq!(
            sent(&[(0, true), (10, true), (80, true)], 100),
            [(0, 1), (10, 1), (80, 1)]
        );
    }

    #[test]
    fn with_the_third_in_a_minute_digests_begin_one_a_minute() {
        let flood: Vec<_> = (0..60).map(|n| (n * 5, true)).collect();
        let out = sent(&flood, 500);
        // The third is a message, too (nothing else waits); then at most one digest a minute.
        assert_eq!(out[..3], [(0, 1), (5, 1), (10, 1)]);
        assert!(out.len() < 12, "{out:?}");
        assert_eq!(out.iter().map(|(_, count)| count).sum::<usize>(), 60);
        for pair in out[3..].windows(2) {
            assert!(pair[1].0 - pair[0].0 >= 60 || pair[1].1 == 1, "{out:?}");
        }
    }

    #[test]
    fn what_an_outage_left_is_one_message() {
        let many = vec![(3, false); 250];
        assert_eq!(sent(&many, 100), [(3, 250)]);
    }

    #[test]
    fn never_more_than_twenty_a_minute() {
        let drip: Vec<_> = (0..300).map(|n| (n, false)).collect();
        let out = sent(&drip, 500);
        for (second, _) in &out {
            let within = out
                .iter()
                .filter(|(at, _)| at.abs_diff(*second) < 30)
                .count();
            assert!(within <= MOST, "{out:?}");
        }
        assert_eq!(out.iter().map(|(_, count)| count).sum::<usize>(), 300);
    }
}
