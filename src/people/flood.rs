//! How often a form that anybody can open may be sent: from one address, and from all of them. What is
//! remembered is in memory only, and little of it; an address is nobody's business after ten minutes.

use crate::account::throttle::{Bound, wait};
use crate::clock::Stamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// From one address: a company of sixty behind one address declares within half an hour.
const ADDRESS: [Bound; 1] = [(20, Duration::from_mins(10))];

/// From all: a building of some thousand declares within an hour, and the store takes it with ease.
const ALL: [Bound; 1] = [(600, Duration::from_mins(10))];

/// Most addresses that are remembered: beyond, the form is for nobody until some are forgotten.
const ADDRESSES: usize = 2000;

/// What was sent lately.
#[derive(Debug, Default)]
pub(super) struct Flood {
    by_address: BTreeMap<String, Vec<Stamp>>,
    all: Vec<Stamp>,
}

impl Flood {
    /// Takes one more, or says how long to wait.
    pub(super) fn take(&mut self, address: &str, now: Stamp) -> Result<(), Duration> {
        let window = ALL[0].1;
        let is_new = |it: &Stamp| now.since(it).is_some_and(|it| it < window);
        self.all.retain(is_new);
        self.by_address.retain(|_, sent| {
            sent.retain(is_new);
            !sent.is_empty()
        });
        let of_address = self.by_address.get(address).map_or(&[][..], Vec::as_slice);
        if let Some(wait) = wait(of_address, &ADDRESS, &now).max(wait(&self.all, &ALL, &now)) {
            return Err(wait);
        }
        if of_address.is_empty() && self.by_address.len() >= ADDRESSES {
            return Err(window);
        }
        self.by_address
            .entry(address.to_owned())
            .or_default()
            .push(now);
        self.all.push(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};

    fn at(milliseconds: u64) -> Stamp {
        Stamp {
            boot: BootId(1),
            monotonic: Duration::from_millis(milliseconds),
            wall: WallTime(0),
            trust: ClockTrust::Unsynchronised,
        }
    }

    #[test]
    fn a_hundred_a_second_from_one_address_are_twenty() {
        let mut flood = Flood::default();
        let taken = (0..1000).filter(|n| flood.take("10.0.0.9", at(n * 10)).is_ok());
        assert_eq!(taken.count(), 20);
        assert!(flood.take("10.0.0.8", at(10_000)).is_ok(), "others may");
        assert!(
            flood.take("10.0.0.9", at(600_000)).is_ok(),
            "ten minutes later"
        );
    }

    #[test]
    fn many_addresses_fill_neither_the_store_nor_the_memory() {
        let mut flood = Flood::default();
        let taken = (0..5000).filter(|n| flood.take(&n.to_string(), at(*n)).is_ok());
        assert_eq!(taken.count(), 600);
        assert!(flood.by_address.len() <= 600);
    }
}
