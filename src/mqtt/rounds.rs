//! When messages that the broker accepted go out again because the street has not acknowledged
//! them. A pure rule: time comes in as an argument.
//!
//! A first round comes 30 s after the first message that waits; each further one that nothing
//! answers after a wait by chance up to 1, 2, 4 and then 5 min ("full jitter": Brooker, "Exponential
//! Backoff And Jitter", AWS Architecture Blog, 2015), never below 30 s. While nobody answers a round
//! is a knock of a few messages: a collector that lost a hundred thousand needs to be asked, not
//! flooded. Whatever its receipt lacks then comes at once.
//!
//! A gap in a receipt is no loss yet: where several collectors share the messages, each tells what all have
//! kept, and one is quicker than the other. What was lacking then and still lacks 10 s later goes again.

use crate::id::MessageNumber;
use crate::journal::Receipt;
use std::time::Duration;
use tokio::time::Instant;

/// Before the first round, and the shortest time between two.
const FIRST: Duration = Duration::from_secs(30);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(5);
/// A gap that is this old is a loss.
const GRACE: Duration = Duration::from_secs(10);
/// Messages of a round while nobody answers: as many as may be under way at once.
const KNOCK: u32 = 20;

/// A stretch of messages that go again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// The last one that was read for it.
    pub(super) after: MessageNumber,
    /// The last one that belongs to it.
    pub(super) up_to: MessageNumber,
    /// How many more of them, at most.
    pub(super) left: u32,
}

/// The rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Rounds {
    /// Highest message that the broker accepted.
    accepted: MessageNumber,
    /// Highest message that waited when the next round was set.
    mark: MessageNumber,
    /// When it begins.
    due: Option<Instant>,
    /// When the last one began.
    last: Option<Instant>,
    /// Rounds since the street was last heard.
    unanswered: u32,
    /// Whether it was heard since the last round: then it may have everything at once.
    heard: bool,
    /// Whether the last round was a knock, and nothing was heard since.
    knocked: bool,
    /// Whether the next round is for a gap.
    gap: bool,
}

impl Rounds {
    /// The broker has accepted a message that the street must acknowledge. `chance` is in 0…1.
    pub(super) fn accepted(&mut self, number: MessageNumber, now: Instant, chance: f64) {
        self.accepted = self.accepted.max(number);
        if self.due.is_none() {
            self.set(now, chance);
        }
    }

    /// The street has answered; `lacking`: something that the broker accepted waits all the same.
    pub(super) fn heard(&mut self, receipt: &Receipt, lacking: bool, now: Instant, chance: f64) {
        let was_silent = std::mem::take(&mut self.knocked);
        self.unanswered = 0;
        self.heard = true;
        if !lacking {
            self.end();
        } else if was_silent {
            // It lacks what it was sent while it was away.
            self.mark = self.accepted;
            self.due = Some(now);
        } else if receipt.gaps.is_empty() {
            // What lies above may still be under way.
            self.set(now, chance);
        } else if !self.gap {
            self.mark = receipt.up_to.min(self.accepted);
            let soonest = self.last.map_or(now, |last| last + FIRST);
            self.due = Some(soonest.max(now + GRACE));
            self.gap = true;
        }
    }

    /// Messages were put back: they go again at once, also those that were acknowledged before.
    pub(super) fn put_back(&mut self, up_to: MessageNumber, now: Instant) {
        self.unanswered = 0;
        self.heard = true;
        self.mark = self.mark.max(up_to);
        self.due = Some(now);
    }

    /// No further round: what the broker accepted is safe for this gateway.
    pub(super) const fn end(&mut self) {
        self.due = None;
        self.gap = false;
    }

    /// Highest message that the broker accepted.
    pub(super) const fn accepted_up_to(&self) -> MessageNumber {
        self.accepted
    }

    /// When the next round begins.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Begins the round that is due, and sets the next.
    pub(super) fn begin(&mut self, now: Instant, chance: f64) -> Round {
        let round = Round {
            after: MessageNumber(0),
            up_to: self.mark,
            left: if self.heard { u32::MAX } else { KNOCK },
        };
        self.knocked = !std::mem::take(&mut self.heard);
        self.last = Some(now);
        self.unanswered = self.unanswered.saturating_add(1);
        self.set(now, chance);
        round
    }

    fn set(&mut self, now: Instant, chance: f64) {
        let longest = FIRST
            .saturating_mul(2_u32.saturating_pow(self.unanswered))
            .min(LONGEST);
        let wait = longest.mul_f64(chance.clamp(0.0, 1.0)).max(FIRST);
        self.mark = self.accepted;
        self.due = Some(now + wait);
        self.gap = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DeviceEpoch;

    fn receipt(up_to: u64, gaps: &[(u64, u64)]) -> Receipt {
        Receipt {
            epoch: DeviceEpoch("e".to_owned()),
            up_to: MessageNumber(up_to),
            gaps: gaps
                .iter()
                .map(|&(a, b)| (MessageNumber(a), MessageNumber(b)))
                .collect(),
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_street_is_asked_again_up_to_every_five_minutes() {
        let start = Instant::now();
        let mut rounds = Rounds::default();
        assert_eq!(rounds.due(), None);
        rounds.accepted(MessageNumber(7), start, 1.0);
        let mut waits = Vec::new();
        let mut now = start;
        for _ in 0..7 {
            let due = rounds.due().unwrap();
            waits.push((due - now).as_secs());
            now = due;
            let round = rounds.begin(now, 1.0);
            assert_eq!(round.up_to, MessageNumber(7));
            assert_eq!(round.left, KNOCK);
        }
        assert_eq!(waits, [30, 60, 120, 240, 300, 300, 300]);
        assert!(rounds.due().unwrap() >= now + FIRST);
        rounds.begin(now, 0.0);
        assert_eq!(rounds.due().unwrap(), now + FIRST, "never below 30 s");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_is_not_sent_again_in_haste() {
        let now = Instant::now();
        let mut rounds = Rounds::default();
        rounds.accepted(MessageNumber(10), now, 1.0);
        rounds.heard(&receipt(8, &[]), true, now + seconds(29), 1.0);
        assert_eq!(rounds.due(), Some(now + seconds(59)));
        rounds.accepted(MessageNumber(12), now + seconds(58), 1.0);
        let round = rounds.begin(now + seconds(59), 1.0);
        assert_eq!(round.up_to, MessageNumber(10), "12 was sent a second ago");
        rounds.heard(&receipt(12, &[]), false, now + seconds(60), 1.0);
        assert_eq!(rounds.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_receipts_lack_for_a_while_goes_again_but_not_in_a_storm() {
        let now = Instant::now();
        let mut rounds = Rounds::default();
        rounds.accepted(MessageNumber(100), now, 1.0);
        rounds.heard(&receipt(90, &[(3, 5)]), true, now, 1.0);
        // Further ones move neither the time nor the bound, whatever else they lack.
        rounds.heard(
            &receipt(98, &[(4, 5), (95, 96)]),
            true,
            now + seconds(9),
            1.0,
        );
        assert_eq!(rounds.due(), Some(now + GRACE));
        let round = rounds.begin(now + GRACE, 1.0);
        assert_eq!((round.up_to, round.left), (MessageNumber(90), u32::MAX));
        // It was sent again a moment ago.
        rounds.heard(&receipt(98, &[(4, 4)]), true, now + seconds(11), 1.0);
        assert_eq!(rounds.due(), Some(now + GRACE + FIRST));
        rounds.begin(now + GRACE + FIRST, 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gap_that_the_other_collector_fills_is_none() {
        let now = Instant::now();
        let mut rounds = Rounds::default();
        rounds.accepted(MessageNumber(100), now, 1.0);
        rounds.heard(&receipt(90, &[(3, 5)]), true, now, 1.0);
        rounds.heard(&receipt(98, &[]), true, now + seconds(1), 1.0);
        assert_eq!(rounds.due(), Some(now + seconds(31)));
        rounds.heard(&receipt(100, &[(99, 99)]), true, now + seconds(2), 1.0);
        assert_eq!(rounds.due(), Some(now + seconds(2) + GRACE));
        rounds.heard(&receipt(100, &[]), false, now + seconds(3), 1.0);
        assert_eq!(rounds.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_comes_back_gets_all_that_it_lacks_at_once() {
        let now = Instant::now();
        let mut rounds = Rounds::default();
        rounds.accepted(MessageNumber(5000), now, 1.0);
        rounds.begin(now, 1.0);
        rounds.begin(now, 1.0);
        rounds.heard(&receipt(20, &[]), true, now, 1.0);
        assert_eq!(rounds.due(), Some(now));
        let round = rounds.begin(now, 1.0);
        assert_eq!((round.up_to, round.left), (MessageNumber(5000), u32::MAX));
    }
}
