//! Simulated lobbies through the whole pipeline, with what is true of them: for the
//! golden tests.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "shared by several test programs, none of which uses all of it"
)]

use menshen::alert::Alert;
use menshen::camera::simulator::{FrameTruth, PersonTruth, Scenario, Simulator};
use menshen::camera::{Camera, CameraError};
use menshen::clock::{BootId, WallTime};
use menshen::event::Event;
use menshen::face::Detector;
use menshen::id::TrackId;
use menshen::pipeline::Pipeline;
use menshen::screening::{Rules, Screening};
use menshen::thermal::RadiometerSettings;
use menshen::thermal::radiometry::Emissivity;
use menshen::thermal::reference::ReferenceSettings;
use menshen::units::{Celsius, PixelBox, ReferenceTemperature};
use std::collections::BTreeMap;

/// 2020-02-24 00:00 in Shanghai.
pub const START: WallTime = WallTime(1_582_473_600_000);

/// Everything that came of a scenario.
pub struct Run {
    pub events: Vec<Event>,
    /// What is true in each frame, by its number.
    pub truths: BTreeMap<u64, FrameTruth>,
    /// In how many frames each track lay upon which person.
    seen: BTreeMap<TrackId, BTreeMap<u32, u32>>,
}

/// A scenario to its end, once, with a reference at 37.0 °C of this emissivity.
pub fn run<D: Detector>(scenario: Scenario, emissivity: Emissivity, detector: D) -> Run {
    let mut camera = Simulator::new(scenario.repeated(false), BootId(1), START);
    let settings = RadiometerSettings {
        scale: camera.info().scale,
        reference: Some(ReferenceSettings {
            set_point: ReferenceTemperature(Celsius::literal(37.0)),
            emissivity,
            ..ReferenceSettings::default()
        }),
        ..RadiometerSettings::default()
    };
    let mut pipeline = Pipeline::new(settings, Rules::default(), detector);
    let mut run = Run {
        events: Vec::new(),
        truths: BTreeMap::new(),
        seen: BTreeMap::new(),
    };
    loop {
        match camera.next_with_truth() {
            Ok(Some((frame, truth))) => {
                let step = pipeline.step(&frame);
                assert_eq!(step.detector, None);
                run.events.extend(step.events);
                for person in pipeline.people() {
                    if person.last.sequence == frame.sequence
                        && let Some(id) = nearest(&truth, &person.last.area)
                    {
                        let seen = run.seen.entry(person.track).or_default();
                        *seen.entry(id).or_default() += 1;
                    }
                }
                run.truths.insert(frame.sequence, truth);
            }
            Ok(None) => break,
            Err(CameraError::Silent { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    run.events.extend(pipeline.finish());
    run
}

impl Run {
    /// Everybody who was screened.
    pub fn screenings(&self) -> impl Iterator<Item = &Screening> {
        self.events.iter().filter_map(|event| match event {
            Event::Screened(screening) => Some(screening),
            _ => None,
        })
    }

    /// Alerts, in order.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.events.iter().filter_map(|event| match event {
            Event::AlertRaised(alert) => Some(alert),
            _ => None,
        })
    }

    /// The person upon whom this track lay in most of its frames.
    pub fn who(&self, track: TrackId) -> Option<u32> {
        let seen = self.seen.get(&track)?;
        seen.iter().max_by_key(|(_, n)| **n).map(|(id, _)| *id)
    }

    /// Everybody who was ever in the scene, as last seen.
    pub fn everybody(&self) -> BTreeMap<u32, &PersonTruth> {
        self.truths
            .values()
            .flat_map(|truth| &truth.people)
            .map(|person| (person.id, person))
            .collect()
    }
}

/// The person whose face overlaps most with this area, if one does.
fn nearest(truth: &FrameTruth, area: &PixelBox) -> Option<u32> {
    truth
        .people
        .iter()
        .map(|person| (person.area.iou(area), person.id))
        .filter(|(overlap, _)| *overlap > 0.3)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, id)| id)
}
