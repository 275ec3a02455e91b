//! The screening thread: takes the newest frame, steps the pipeline, hands the events on, and shows
//! what there is to show. It never waits for the disk.

use super::attended::Attendance;
use super::capture::Captured;
use super::recorder::Recorder;
use super::slot::Taken;
use super::{Pipeline, Step};
use crate::clock::{Clock, Stamp};
use crate::estimate::PixelUncertainty;
use crate::event::{Event, Fault};
use crate::face::Detector;
use crate::screening::{PEOPLE_NEEDED, Person, Rules, Standing};
use crate::thermal::reference::ReferenceSettings;
use crate::thermal::{ReferenceView, ThermalFrame};
use crate::web::moment::Moments;
use crate::web::{
    CameraStatus, CareStatus, GatewayStatus, LinkWord, LiveFrame, LivePerson, LiveReference,
    LiveValue, Mode, PersonState, PopulationStatus, ReferenceStatus, Thresholds,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the loop looks up while no frame comes.
const LOOK_UP_EVERY: Duration = Duration::from_millis(250);

/// Weight of the newest interval in the measured frame rate.
const RATE_WEIGHT: f64 = 0.1;

/// What the loop needs of the rim; it owns none of it.
pub struct Ports {
    /// Takes the events.
    pub recorder: Recorder,
    /// Time of what frames do not say: that none come.
    pub clock: Arc<dyn Clock>,
    /// The newest picture, for the dashboard.
    pub live: watch::Sender<Option<Arc<LiveFrame>>>,
    /// Keeps the picture of an alert, where the site has it shown.
    pub moments: Option<Arc<Moments>>,
    /// How the gateway is, for the dashboard. Its faults are somebody else's to write.
    pub status: watch::Sender<Arc<GatewayStatus>>,
    /// Whether somebody is there, for the camera's shutter; damaged frames, for the dashboard.
    pub attendance: Arc<Attendance>,
    /// How the link to the broker is.
    pub link: Box<dyn Fn() -> LinkWord + Send>,
}

/// What the loop must know.
#[derive(Clone, Debug)]
pub struct LoopSettings {
    /// The reference, for the status.
    pub reference: Option<ReferenceSettings>,
    /// The rules in force.
    pub rules: Rules,
    /// A camera that gives no frame for this long is a fault.
    pub silent_after: Duration,
    /// Identity of the database.
    pub epoch: String,
    /// Whether this is for real.
    pub mode: Mode,
}

impl LoopSettings {
    /// The status before anything is known.
    #[must_use]
    pub fn first_status(&self) -> GatewayStatus {
        GatewayStatus {
            camera: CameraStatus {
                name: String::new(),
                width: 0,
                height: 0,
                fps: None,
                frames: 0,
                dropped: 0,
                damaged: 0,
                last_frame: None,
                health: None,
            },
            reference: self.reference_status([None; 2], 0.0, Standing::default()),
            care: CareStatus::default(),
            faults: Vec::new(),
            mqtt: LinkWord::NotConfigured,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: self.epoch.clone(),
            thresholds: Thresholds {
                attention_c: self.rules.attention.degrees(),
                fever_c: self.rules.fever.degrees(),
            },
            mode: self.mode,
        }
    }

    fn reference_status(
        &self,
        [view, second]: [Option<ReferenceView>; 2],
        offset_k: f64,
        standing: Standing,
    ) -> ReferenceStatus {
        match self.reference {
            None => ReferenceStatus::Population(PopulationStatus {
                people: standing.people,
                needed: PEOPLE_NEEDED,
                fever_k: standing
                    .baseline
                    .map(|it| (self.rules.threshold(&it.basis()) - it.median).kelvin()),
            }),
            Some(settings) => ReferenceStatus::Configured {
                set_point_c: settings.set_point.degrees(),
                reading_c: view.map(|v| v.reading.degrees()),
                offset_k: view.map(|_| offset_k),
                second: settings.second_set_point.map(|set_point| {
                    (
                        set_point.degrees(),
                        second.map(|view| view.reading.degrees()),
                    )
                }),
            },
        }
    }
}

/// Screens until the slot is closed.
pub fn screen<D: Detector>(
    mut pipeline: Pipeline<D>,
    captured: &Captured,
    settings: LoopSettings,
    ports: Ports,
) {
    let status = settings.first_status();
    let silence = Silence {
        since: ports.clock.now(),
        raised: false,
    };
    let mut state = State {
        settings,
        ports,
        status,
        silence,
    };
    loop {
        match captured.slot.take(LOOK_UP_EVERY) {
            Taken::Value(frame, dropped) => {
                let step = pipeline.step(&frame);
                state.take(&pipeline, step, dropped, captured);
            }
            Taken::Nothing => state.nothing_came(captured),
            Taken::Closed => break,
        }
    }
    state.ports.recorder.happened(pipeline.finish());
}

/// Since when no frame has come.
struct Silence {
    since: Stamp,
    raised: bool,
}

struct State {
    settings: LoopSettings,
    ports: Ports,
    status: GatewayStatus,
    silence: Silence,
}

impl State {
    fn take<D: Detector>(
        &mut self,
        pipeline: &Pipeline<D>,
        step: Step,
        dropped: u64,
        captured: &Captured,
    ) {
        if let Some(error) = &step.detector {
            tracing::error!("{error}");
        }
        let now = step.thermal.stamp;
        let people = pipeline.people();
        let mut events = step.events;
        if let Some(moments) = &self.ports.moments {
            keep_moments(moments, &events, &people, &step.thermal);
        }
        let care = &mut self.status.care;
        care.calibration_expires = pipeline.calibration_expires();
        for event in &events {
            if let Event::SelfChecked { found, at } = event {
                care.checked = Some((*found, *at));
            }
        }
        if self.silence.raised {
            events.insert(
                0,
                Event::FaultCleared {
                    fault: Fault::CameraSilent,
                    at: now,
                },
            );
        }
        self.silence = Silence {
            since: now,
            raised: false,
        };
        self.ports.recorder.happened(events);

        let camera = &mut self.status.camera;
        let interval = camera.last_frame.and_then(|last| now.since(&last));
        if let Some(seconds) = interval.map(|d| d.as_secs_f64()).filter(|s| *s > 0.0) {
            let rate = 1.0 / seconds;
            camera.fps = Some(
                camera
                    .fps
                    .map_or(rate, |fps| fps + RATE_WEIGHT * (rate - fps)),
            );
        }
        camera.frames += 1;
        camera.dropped = dropped;
        camera.last_frame = Some(now);
        camera.health = Some(step.thermal.health);
        self.status.reference = self.settings.reference_status(
            [step.thermal.reference, step.thermal.second],
            step.thermal.offset.kelvin(),
            pipeline.standing(),
        );
        self.show_status(captured);

        self.ports.attendance.occupy(!people.is_empty());
        let people = people
            .into_iter()
            .filter(|person| person.last.sequence == step.thermal.sequence)
            .map(|person| LivePerson {
                track: person.track,
                area: person.last.area,
                state: person.verdict.map_or(
                    PersonState::Looking {
                        looks: person.looks,
                        needed: self.settings.rules.min_looks,
                    },
                    PersonState::Judged,
                ),
                obstacle: person.obstacle,
                value: person.reading.as_ref().map(LiveValue::from),
                budget: person.reading.map(|reading| reading.budget),
            })
            .collect();
        let thermal = step.thermal;
        self.ports.live.send_replace(Some(Arc::new(LiveFrame {
            sequence: thermal.sequence,
            at: now,
            width: thermal.width(),
            height: thermal.height(),
            centi_celsius: thermal
                .celsius
                .iter()
                .map(|c| LiveFrame::centi(*c))
                .collect(),
            people,
            health: thermal.health,
            judging: self.status.judges(thermal.health),
            references: self.references(&thermal),
            pixel: (self.settings.reference)
                .and_then(|it| PixelUncertainty::of(&thermal, it.u_set_point)),
            dropped,
        })));
    }

    /// The references in view, with what each is set to.
    fn references(&self, thermal: &ThermalFrame) -> Vec<LiveReference> {
        let Some(settings) = self.settings.reference else {
            return Vec::new();
        };
        let first = thermal.reference.map(|view| (view, settings.set_point));
        let second = thermal.second.zip(settings.second_set_point);
        let all = first.into_iter().chain(second);
        all.map(|(view, set_point)| LiveReference {
            x: view.centre.x,
            y: view.centre.y,
            radius: view.radius,
            reading_c: view.reading.degrees(),
            set_point_c: set_point.degrees(),
            quality: view.quality,
        })
        .collect()
    }

    fn nothing_came(&mut self, captured: &Captured) {
        let now = self.ports.clock.now();
        let silent = now
            .since(&self.silence.since)
            .is_none_or(|d| d >= self.settings.silent_after);
        if silent && !self.silence.raised {
            self.silence.raised = true;
            self.ports.recorder.happened(vec![Event::FaultRaised {
                fault: Fault::CameraSilent,
                at: now,
            }]);
        }
        self.show_status(captured);
    }

    fn show_status(&mut self, captured: &Captured) {
        if let Some(info) = captured.info() {
            let camera = &mut self.status.camera;
            (camera.name, camera.width, camera.height) = (info.name, info.width, info.height);
        }
        self.status.camera.damaged = self.ports.attendance.damaged();
        self.status.mqtt = (self.ports.link)();
        self.ports.status.send_modify(|shown| {
            let faults = shown.faults.clone();
            *shown = Arc::new(GatewayStatus {
                faults,
                ..self.status.clone()
            });
        });
    }
}

/// Keeps what the camera saw of whoever an alert has just been raised for.
fn keep_moments(moments: &Moments, events: &[Event], people: &[Person], thermal: &ThermalFrame) {
    for event in events {
        if let Event::AlertRaised(alert) = event
            && let Some(person) = people.iter().find(|it| it.track == alert.id.track)
        {
            moments.keep(alert.id, &thermal.celsius, &person.last.area);
        }
    }
}

#[cfg(test)]
mod tests;
