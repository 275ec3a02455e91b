//! Where the watch looks: one closure for each fault of the gateway that no frame shows.

use super::watch::Look;
use crate::alert::technical::{Sight, clock, seen};
use crate::config::Config;
use crate::event::Fault;
use crate::id::Channel;
use crate::journal::Outbox;
use crate::mqtt::link::LinkState;
use std::sync::Arc;
use tokio::sync::watch;

use super::outlets;

/// What can be looked at ten times a second.
#[must_use]
pub fn quick(
    config: &Config,
    link: watch::Receiver<LinkState>,
    street_silent: watch::Receiver<bool>,
    config_refused: bool,
) -> Vec<(Fault, Look)> {
    let linked = config.mqtt.enabled;
    vec![
        (
            Fault::BrokerAway,
            Box::new(move |_| broker(linked, &link.borrow())),
        ),
        (
            Fault::StreetSilent,
            Box::new(move |_| seen(*street_silent.borrow())),
        ),
        (Fault::ClockUnset, Box::new(|now| clock(now.trust))),
        (
            Fault::ConfigRefused,
            Box::new(move |_| seen(config_refused)),
        ),
    ]
}

/// What asks the disk.
#[must_use]
pub fn slow(config: &Config, outbox: Arc<dyn Outbox>) -> Vec<(Fault, Look)> {
    let mut channels = outlets::channels(config);
    channels.push(Channel::broker());
    vec![(
        Fault::MessageParked,
        Box::new(move |_| parked(&channels, outbox.as_ref())),
    )]
}

fn broker(linked: bool, state: &LinkState) -> Sight {
    match state {
        _ if !linked => Sight::Well,
        LinkState::Connected { .. } => Sight::Well,
        LinkState::Away { .. } | LinkState::Connecting => Sight::Ill,
        LinkState::Stopped => Sight::Between,
    }
}

fn parked(channels: &[Channel], outbox: &dyn Outbox) -> Sight {
    let mut any = false;
    for channel in channels {
        match outbox.count(channel) {
            Ok(count) => any |= count.parked > 0,
            Err(_) => return Sight::Between,
        }
    }
    seen(any)
}
