//! What a site may change about an item of the template: ask for more, never for less.

use super::site::{SiteChange, SiteFlaw};
use super::template::{Duty, Item, Proof};
use crate::calendar::Span;

/// The item as the site wants it.
///
/// # Errors
/// Where the change asks for less than the template, or cannot be compared with it.
pub(super) fn tightened(item: &Item, change: &SiteChange, open: Span) -> Result<Item, SiteFlaw> {
    let mut own = item.clone();
    if let Some(duty) = change.duty {
        if item.duty == Duty::Required && duty == Duty::Optional {
            return Err(SiteFlaw::RequiredDropped(item.id.clone()));
        }
        own.duty = duty;
    }
    if let Some(schedule) = change.schedule {
        if !schedule.asks_no_less_than(item.schedule, open) {
            return Err(SiteFlaw::Weakened {
                id: item.id.clone(),
                field: "when",
                asked: item.schedule.to_string(),
                wanted: schedule.to_string(),
            });
        }
        own.schedule = schedule;
    }
    if let Some(proof) = &change.proof {
        let enough = match (&item.proof, proof) {
            (Proof::Number(asked), Proof::Number(wanted)) => wanted.is_within(asked),
            (Proof::Known(_), wanted) => *wanted == item.proof,
            (Proof::Tick, wanted) => !matches!(wanted, Proof::Known(_)),
            (asked, wanted) => asked == wanted,
        };
        if !enough {
            return Err(SiteFlaw::Weakened {
                id: item.id.clone(),
                field: "proof",
                asked: item.proof.to_string(),
                wanted: proof.to_string(),
            });
        }
        own.proof = proof.clone();
    }
    Ok(own)
}
