//! `state/followup`: how many people are followed in each colour. Counts alone: no name, no phone, no number
//! of the register leaves the building, and no company, since a company and a count of one say who it is.

use super::{V, bytes, message, rfc3339};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::id::DeviceEpoch;
use crate::journal::OutboxMessage;
use crate::mqtt::topic::{Address, Topic};
use crate::people::{Told, Totals};
use serde::Serialize;
use std::collections::BTreeMap;

/// `state/followup`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct FollowUpPayload<'a> {
    v: u8,
    epoch: &'a str,
    date: String,
    /// People by colour, as far as they are told exactly.
    colours: BTreeMap<&'static str, u64>,
    /// Of the other colours: there is somebody, and fewer people than this.
    colours_below: BTreeMap<&'static str, u64>,
    /// People by the source that knows them; who is known by two is counted by both.
    sources: BTreeMap<&'static str, u64>,
    /// Of the other sources: there is somebody, and fewer people than this.
    sources_below: BTreeMap<&'static str, u64>,
    /// Expected and not seen, or over and not released.
    overdue: u64,
    /// Observed, and nothing was said of their health today.
    without_health: u64,
    at: String,
    clock: &'static str,
}

/// The totals of a day, for the retained state; compared, so that nothing is said twice.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUpState {
    /// Which day.
    pub date: Date,
    /// What may leave the building.
    pub totals: Totals,
}

/// What is told exactly, and what as fewer than.
type Split = (BTreeMap<&'static str, u64>, BTreeMap<&'static str, u64>);

fn split(cells: impl Iterator<Item = (&'static str, Told)>) -> Split {
    let (mut exact, mut below) = Split::default();
    for (word, told) in cells {
        match told {
            Told::Exactly(count) => exact.insert(word, count),
            Told::Fewer(bound) => below.insert(word, bound),
        };
    }
    (exact, below)
}

/// How many people are followed.
pub(in crate::mqtt) fn follow_up(
    address: &Address,
    epoch: &DeviceEpoch,
    state: &FollowUpState,
    now: &Stamp,
) -> OutboxMessage {
    let it = &state.totals;
    let (colours, colours_below) = split(it.colours.iter().map(|(it, told)| (it.as_str(), *told)));
    let (sources, sources_below) = split(it.sources.iter().map(|(it, told)| (it.as_str(), *told)));
    let payload = FollowUpPayload {
        v: V,
        epoch: &epoch.0,
        date: state.date.to_string(),
        colours,
        colours_below,
        sources,
        sources_below,
        overdue: it.overdue,
        without_health: it.unsaid,
        at: rfc3339(now.wall),
        clock: now.trust.as_str(),
    };
    message(&Topic::follow_up_state(address), bytes(&payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{BootId, ClockTrust, WallTime};
    use crate::people::{Colour, Source};
    use std::time::Duration;

    #[test]
    fn small_counts_are_told_as_fewer_than() {
        let address = Address::new("street", "building", "gate").unwrap();
        let now = Stamp {
            boot: BootId(1),
            monotonic: Duration::ZERO,
            wall: WallTime(0),
            trust: ClockTrust::Synchronised,
        };
        let state = FollowUpState {
            date: "2020-02-24".parse().unwrap(),
            totals: Totals {
                colours: vec![
                    (Colour::Red, Told::Exactly(12)),
                    (Colour::Purple, Told::Fewer(5)),
                ],
                sources: vec![(Source::Gate, Told::Exactly(0))],
                waiting: 3,
                overdue: 1,
                unsaid: 2,
            },
        };
        let message = follow_up(&address, &DeviceEpoch("e".to_owned()), &state, &now);
        assert!(message.topic.ends_with("/state/followup") && message.retain);
        let said: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(said["colours"], serde_json::json!({"red": 12}));
        assert_eq!(said["colours_below"], serde_json::json!({"purple": 5}));
        assert_eq!(said["sources"], serde_json::json!({"gate": 0}));
        assert_eq!(
            (&said["overdue"], &said["without_health"]),
            (&1.into(), &2.into())
        );
    }
}
