//! What the tests of the rim share: events to record.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::cast_possible_wrap, reason = "times of tests are small")]

pub(crate) mod tap;

use menshen::alert::{Alert, AlertState, BodySite, ContactReading, Outcome, ThermometerMode};
use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::estimate::{Basis, BodyEstimate, Budget, Chain, Part, Reading};
use menshen::event::Event;
use menshen::id::{AlertId, ScreeningId, TrackId};
use menshen::journal::Journal;
use menshen::screening::{Screening, Sighting, Verdict};
use menshen::store::Store;
use menshen::units::{
    AmbientTemperature, Celsius, PixelBox, SkinTemperature, StandardUncertainty, TemperatureDelta,
};
use std::time::Duration;

/// A folder that goes away with the test.
pub(crate) fn tempfolder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// 2020-02-18 12:00 in Wuhan, and so many milliseconds.
pub(crate) fn stamp(boot: BootId, ms: u64) -> Stamp {
    Stamp {
        boot,
        monotonic: Duration::from_millis(ms),
        wall: WallTime(1_581_998_400_000 + ms as i64),
        trust: ClockTrust::Synchronised,
    }
}

/// A reading that raises an alert.
pub(crate) fn reading() -> Reading {
    Reading {
        face: SkinTemperature(Celsius::literal(36.58)),
        canthi: None,
        forehead: None,
        estimate: BodyEstimate {
            value: Celsius::literal(38.127),
            u: StandardUncertainty::new(0.35).unwrap(),
        },
        looks: 7,
        spread: TemperatureDelta::literal(0.12),
        chain: Chain {
            apparent: Celsius::literal(36.1),
            offset: TemperatureDelta::literal(0.48),
            size_of_source: TemperatureDelta::ZERO,
            ambient: AmbientTemperature(Celsius::literal(21.5)),
        },
        basis: Basis::Reference,
        budget: Budget::default().with(Part::Reference, 0.21),
    }
}

/// An open alert; its time is its track in milliseconds.
pub(crate) fn alert(boot: BootId, track: u64) -> Alert {
    Alert {
        id: ScreeningId {
            boot,
            track: TrackId(track),
        },
        raised: stamp(boot, track),
        reading: reading(),
        threshold: Celsius::literal(37.3),
        state: AlertState::Open,
    }
}

/// A screening; its time is its track in milliseconds.
pub(crate) fn screening(boot: BootId, track: u64, verdict: Verdict) -> Screening {
    let sighting = Sighting {
        sequence: track * 10,
        stamp: stamp(boot, track),
        area: PixelBox {
            left: 40.25,
            top: 30.5,
            right: 80.75,
            bottom: 90.1,
        },
    };
    Screening {
        id: ScreeningId {
            boot,
            track: TrackId(track),
        },
        first: sighting,
        last: sighting,
        reading: (!matches!(verdict, Verdict::CannotJudge(_))).then(reading),
        verdict,
        presented: true,
    }
}

/// Raises an alert in the store.
pub(crate) fn recorded_alert(store: &Store, track: u64) -> AlertId {
    let alert = alert(store.boot(), track);
    let id = alert.id;
    store.record(&[Event::AlertRaised(alert)]).unwrap();
    id
}

/// Somebody takes it, 100 ms after the start.
pub(crate) fn acknowledge(alert: AlertId, by: &str) -> Event {
    Event::AlertAcknowledged {
        alert,
        by: by.to_owned(),
        at: stamp(alert.boot, 100),
    }
}

/// Fever, confirmed with a thermometer.
pub(crate) fn confirmed() -> Outcome {
    Outcome::Confirmed(ContactReading {
        device: "Omron 3".to_owned(),
        site: BodySite::Axilla,
        mode: ThermometerMode::Monitor,
        value: Celsius::literal(38.4),
    })
}
