//! How many may be connected: so that whoever opens thousands of connections and says nothing keeps nobody out.
//!
//! A connection is a newcomer until its first request is whole. Few newcomers are kept, and where one too many
//! comes the oldest goes: a browser is done within milliseconds, whoever holds a connection open is not. Guests
//! are bounded all in all and for each address (ASVS 5.0, 2.4.1), so that one machine cannot take the places of
//! all; where a few machines together did, the one with the most gives its oldest place to one that has fewer.
//! Nothing here blocks.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Most connections that have not asked for anything yet.
const NEWCOMERS: usize = 256;

/// Most guests: a thousand that wait for events, and the pages beside them.
const CONNECTIONS: usize = 1200;

/// Most connections from one address. A browser opens six to a gateway, and one for the live view.
const FROM_ONE: usize = 64;

#[derive(Default)]
struct Places {
    next: u64,
    newcomers: BTreeMap<u64, CancellationToken>,
    guests: BTreeMap<u64, Guest>,
    from: HashMap<IpAddr, usize>,
}

/// Who asked for something.
struct Guest {
    from: IpAddr,
    out: CancellationToken,
}

impl Places {
    /// Where all places are taken: who has the most gives its oldest one, but to nobody who would then have as many.
    fn make_room(&mut self, here: usize) -> bool {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for guest in self.guests.values() {
            *held.entry(guest.from).or_default() += 1;
        }
        let most = held.into_iter().max_by_key(|(_, places)| *places);
        let Some((from, _)) = most.filter(|(_, places)| *places > here + 1) else {
            return false;
        };
        let mut guests = self.guests.iter();
        let oldest = guests.find(|(_, guest)| guest.from == from);
        let Some(number) = oldest.map(|(number, _)| *number) else {
            return false;
        };
        if let Some(guest) = self.guests.remove(&number) {
            guest.out.cancel();
        }
        true
    }
}

/// Who is connected.
#[derive(Default)]
pub(super) struct Doorway {
    places: Mutex<Places>,
}

/// A place of one connection, given back when it is dropped.
pub(super) struct Place {
    doorway: Arc<Doorway>,
    number: u64,
    from: IpAddr,
    /// Is cancelled where it must make room.
    pub(super) out: CancellationToken,
}

/// Whose connections are counted together: an IPv6 network belongs to one machine as a whole.
fn counted(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Doorway {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for somebody from there; none where there are too many.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let from = counted(from);
        let mut places = self.places();
        let here = places.from.get(&from).copied().unwrap_or(0);
        let is_full = places.guests.len() >= CONNECTIONS;
        if here >= FROM_ONE || (is_full && !places.make_room(here)) {
            return None;
        }
        if places.newcomers.len() >= NEWCOMERS
            && let Some((_, oldest)) = places.newcomers.pop_first()
        {
            oldest.cancel();
        }
        let (number, out) = (places.next, CancellationToken::new());
        places.next += 1;
        places.newcomers.insert(number, out.clone());
        *places.from.entry(from).or_default() += 1;
        Some(Place {
            doorway: Arc::clone(self),
            number,
            from,
            out,
        })
    }
}

impl Place {
    /// Its first request is whole: it is no newcomer any more.
    pub(super) fn settle(&self) {
        let mut places = self.doorway.places();
        if places.newcomers.remove(&self.number).is_some() {
            let guest = Guest {
                from: self.from,
                out: self.out.clone(),
            };
            places.guests.insert(self.number, guest);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.doorway.places();
        places.newcomers.remove(&self.number);
        places.guests.remove(&self.number);
        if let Some(here) = places.from.get_mut(&self.from) {
            *here -= 1;
            if *here == 0 {
                places.from.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(n: usize) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(n).unwrap()))
    }

    #[test]
    fn of_those_who_say_nothing_the_oldest_goes() {
        let doorway = Arc::new(Doorway::default());
        let first = doorway.enter(address(0)).unwrap();
        let spoke = doorway.enter(address(1)).unwrap();
        spoke.settle();
        let silent: Vec<Place> = (0..5000)
            .map(|n| doorway.enter(address(n)).unwrap())
            .collect();
        assert!(first.out.is_cancelled() && silent[0].out.is_cancelled());
        assert!(!spoke.out.is_cancelled());
        let left = silent.iter().filter(|it| !it.out.is_cancelled()).count();
        assert_eq!(left, NEWCOMERS);
    }

    #[test]
    fn one_address_has_its_share_and_all_have_an_end() {
        let doorway = Arc::new(Doorway::default());
        let enter = |from| {
            let place = doorway.enter(from)?;
            place.settle();
            Some(place)
        };
        let mut places: Vec<Place> = (0..FROM_ONE).map(|_| enter(address(0)).unwrap()).collect();
        assert!(enter(address(0)).is_none());
        places.pop();
        places.push(enter(address(0)).unwrap());
        for n in FROM_ONE..CONNECTIONS {
            places.push(enter(address(1 + n)).unwrap());
        }
        // The one with the most makes room for one with none, and goes on where it has no more than others.
        for n in 0..FROM_ONE - 1 {
            places.push(enter(address(0xffff + n)).unwrap());
            assert!(places[n].out.is_cancelled());
        }
        assert!(places.iter().filter(|it| it.out.is_cancelled()).count() == FROM_ONE - 1);
        assert!(enter(address(0x1_ffff)).is_none());
        drop(places);
        assert!(enter(address(0)).is_some());
        assert_eq!(
            doorway.places().from.len(),
            0,
            "nothing is kept of who left"
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_ipv4_within_ipv6_is_ipv4() {
        let ip = |text: &str| counted(text.parse().unwrap());
        assert_eq!(ip("fd00:1:2:3:4::5"), ip("fd00:1:2:3::9"));
        assert_ne!(ip("fd00:1:2:3::5"), ip("fd00:1:2:4::5"));
        assert_eq!(ip("::ffff:10.0.0.1"), ip("10.0.0.1"));
    }
}
