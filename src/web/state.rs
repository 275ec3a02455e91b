//! What the dashboard is given: plain values that the wiring fills and the pages show.
//!
//! They exist so that the web never looks into the pipeline, the camera or the MQTT link: each of
//! those says what it has to say in these words. Nothing here blocks, and nothing here is a wire
//! format; the JSON of [`super::api`] and [`super::live`] has types of its own.

use super::moment::Moments;
use super::people::PeopleDesk;
use super::settings::Settings;
use crate::account::Accounts;
use crate::checklist::Desk;
use crate::clock::{Clock, Stamp, WallTime};
use crate::estimate::{Budget, PixelUncertainty, Reading};
use crate::event::{Escalation, Fault};
use crate::figures::Figures;
use crate::id::{AlertId, TrackId};
use crate::journal::{Journal, Outbox};
use crate::screening::operating::Operating;
use crate::screening::{Difference, Obstacle, Verdict};
use crate::thermal::{FrameHealth, ReferenceQuality, SelfCheck};
use crate::units::PixelBox;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// Where this gateway stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteName {
    /// The street office's area.
    pub street: String,
    /// The building.
    pub building: String,
    /// The door.
    pub gate: String,
    /// What phones open the pages by, without a slash at its end; `None` where nobody said.
    pub address: Option<String>,
}

impl SiteName {
    /// The address of a page for a phone; `None` where nobody said what phones open the pages by.
    #[must_use]
    pub fn link(&self, path: &str) -> Option<String> {
        let address = self.address.as_ref()?;
        Some(format!("{address}{path}"))
    }
}

/// Who may come in.
#[derive(Clone)]
pub enum Entrance {
    /// Who has signed in.
    Accounts(Arc<dyn Accounts>),
    /// Everybody at this machine, as the manager: for `menshen demo` and nothing else.
    Demo,
}

/// Everything the dashboard needs; it owns none of it.
#[derive(Clone)]
pub struct Dashboard {
    /// Who may come in.
    pub entrance: Entrance,
    /// Events: read for the lists, written when staff act.
    pub journal: Arc<dyn Journal>,
    /// The configuration file; `None` in a demonstration.
    pub settings: Option<Arc<dyn Settings>>,
    /// What days add up to.
    pub figures: Arc<dyn Figures>,
    /// What is known of thresholds.
    pub evidence: Arc<Evidence>,
    /// Messages to the broker: only counted here.
    pub outbox: Arc<dyn Outbox>,
    /// The rounds, the report of the day and the procedure; `None` where there is no checklist.
    pub desk: Option<Arc<Desk>>,
    /// The register, or why it is shut.
    pub people: PeopleDesk,
    /// Time of acknowledgements and outcomes.
    pub clock: Arc<dyn Clock>,
    /// The newest picture; `None` until there is one.
    pub live: watch::Receiver<Option<Arc<LiveFrame>>>,
    /// How the gateway is.
    pub status: watch::Receiver<Arc<GatewayStatus>>,
    /// What is known of alerts beside their records.
    pub notes: watch::Receiver<Arc<AlertNotes>>,
    /// The thermal pictures of alerts, where the site has them shown.
    pub moments: Option<Arc<Moments>>,
    /// Whether the visitor screen is heard.
    pub visitor_sound: bool,
    /// Any other number than before: events were recorded, lists are to be read again. The one
    /// who records bumps it; after a record made by the page that is `after_record`.
    pub changes: watch::Receiver<u64>,
    /// Where this gateway stands.
    pub site: SiteName,
    /// Called from a blocking thread after the page recorded something, so that the MQTT link
    /// wakes and `changes` is bumped. Must return at once.
    pub after_record: Arc<dyn Fn() + Send + Sync>,
}

/// What thresholds mean, and from which data that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// People whose fever is known, by what was shown for them.
    pub operating: Operating,
    /// How many people they are.
    pub people: usize,
    /// Where the data come from, and under which licence.
    pub source: String,
}

impl Dashboard {
    /// Which program and database this is: pages of another one load themselves again.
    pub(super) fn build(&self) -> String {
        let status = self.status.borrow();
        format!("{} {}", status.version, status.epoch)
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

/// What is known of alerts beside their records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertNotes {
    /// Of these something is not on the disk, and it takes longer than usual.
    pub unsaved: BTreeSet<AlertId>,
    /// How far those that wait have been carried since they are in their state.
    pub reminded: BTreeMap<AlertId, Escalation>,
}

/// How far the judging of a person has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonState {
    /// Still being looked at.
    Looking {
        /// Good looks so far.
        looks: u32,
        /// Good looks that a reading needs.
        needed: u32,
    },
    /// What it comes to so far.
    Judged(Verdict),
}

/// One person in the newest picture.
#[derive(Clone, Debug, PartialEq)]
pub struct LivePerson {
    /// Which.
    pub track: TrackId,
    /// Where the face is, pixels of the picture.
    pub area: PixelBox,
    /// How far the judging has come.
    pub state: PersonState,
    /// What keeps the face from being measured now.
    pub obstacle: Option<Obstacle>,
    /// What was measured.
    pub value: Option<LiveValue>,
    /// Where the uncertainty comes from.
    pub budget: Option<Budget>,
}

/// What was measured of a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LiveValue {
    /// Against the blackbody.
    Absolute {
        /// Body estimate, °C.
        estimate_c: f64,
        /// Its expanded uncertainty (k = 2), K.
        expanded_u_k: f64,
        /// Skin temperature of the face, °C.
        face_c: f64,
    },
    /// Against the people before: no temperature.
    Relative {
        /// Estimate less their median, K.
        difference_k: f64,
        /// Its expanded uncertainty (k = 2), K.
        expanded_u_k: f64,
        /// How many they are.
        people: u32,
    },
}

impl From<&Reading> for LiveValue {
    fn from(reading: &Reading) -> Self {
        let expanded_u_k = reading.estimate.u.expanded().kelvin();
        match Difference::of(reading) {
            None => Self::Absolute {
                estimate_c: reading.estimate.value.degrees(),
                expanded_u_k,
                face_c: reading.face.degrees(),
            },
            Some(difference) => Self::Relative {
                difference_k: difference.above.kelvin(),
                expanded_u_k,
                people: difference.people,
            },
        }
    }
}

/// The blackbody in the newest picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveReference {
    /// Centre, pixels from the left edge.
    pub x: f32,
    /// Centre, pixels from the upper edge.
    pub y: f32,
    /// Radius, pixels.
    pub radius: f32,
    /// What the camera reads of it, uncorrected, °C.
    pub reading_c: f64,
    /// What it is set to, °C.
    pub set_point_c: f64,
    /// How far it can be believed.
    pub quality: ReferenceQuality,
}

/// The newest picture with what was found in it. Leaves the device by no way but the live view.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveFrame {
    /// The camera's number of the frame.
    pub sequence: u64,
    /// When it was taken.
    pub at: Stamp,
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// °C × 100, row by row, saturating at the ends of `i16`: −327.68…327.67 °C.
    pub centi_celsius: Vec<i16>,
    /// Who is in it.
    pub people: Vec<LivePerson>,
    /// Whether it may be measured.
    pub health: FrameHealth,
    /// Whether people in it are judged.
    pub judging: bool,
    /// The blackbodies in view: none, one, or two.
    pub references: Vec<LiveReference>,
    /// How sure a pixel is; `None` where nothing may be measured.
    pub pixel: Option<PixelUncertainty>,
    /// Frames that the gateway skipped since its start because it was busy.
    pub dropped: u64,
}

impl LiveFrame {
    /// °C × 100 for the picture, saturating; what is not a number becomes the lowest value.
    #[must_use]
    pub fn centi(celsius: f32) -> i16 {
        if celsius.is_nan() {
            i16::MIN
        } else {
            // A float-to-integer cast saturates.
            (celsius * 100.0).round() as i16
        }
    }
}

/// The camera, as far as the pages show it.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraStatus {
    /// What and where.
    pub name: String,
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Frames a second, measured; `None` until it could be.
    pub fps: Option<f64>,
    /// Frames taken since the start.
    pub frames: u64,
    /// Frames skipped since the start because the gateway was busy.
    pub dropped: u64,
    /// Frames that came damaged and were thrown away since the start.
    pub damaged: u64,
    /// When the last frame came; `None` until there was one.
    pub last_frame: Option<Stamp>,
    /// Health of the last frame; `None` until there was one.
    pub health: Option<FrameHealth>,
}

/// The blackbody, as far as the pages show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceStatus {
    /// None is configured: people are compared with those before.
    Population(PopulationStatus),
    /// Configured, and perhaps in view.
    Configured {
        /// What it is set to, °C.
        set_point_c: f64,
        /// What the camera reads of it, uncorrected, °C; `None` while it is not in view.
        reading_c: Option<f64>,
        /// What is added to every pixel, K; `None` while it is not in view.
        offset_k: Option<f64>,
        /// What a second one is set to, and what the camera reads of it, °C.
        second: Option<(f64, Option<f64>)>,
    },
}

/// What is done so that camera and blackbody stay what they were, as far as the pages show it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CareStatus {
    /// The first moment at which the camera's calibration no longer holds; `None` where it has none.
    pub calibration_expires: Option<WallTime>,
    /// The latest self-check since the start, and when it was.
    pub checked: Option<(SelfCheck, Stamp)>,
}

/// Relative mode, as far as the pages show it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PopulationStatus {
    /// People who count now.
    pub people: usize,
    /// People without whom nobody is judged.
    pub needed: usize,
    /// From how much above the people before it is a possible fever, K; `None` while nobody is judged.
    pub fever_k: Option<f64>,
}

/// A fault that is not over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActiveFault {
    /// Which.
    pub fault: Fault,
    /// Since when.
    pub since: Stamp,
}

/// How the link to the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkWord {
    /// No broker is configured: events stay here.
    NotConfigured,
    /// On the way.
    Connecting,
    /// The broker answers.
    Connected,
    /// Not reachable, and why, in the link's words.
    Away(String),
}

/// The rule in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// From here staff measure again, °C.
    pub attention_c: f64,
    /// From here it is a possible fever, °C.
    pub fever_c: f64,
}

/// Whether people or pictures of nobody are before the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A camera at a door.
    Real,
    /// Simulated or recorded pictures.
    Demo,
}

impl GatewayStatus {
    /// Relative mode, where this gateway is in it.
    #[must_use]
    pub const fn population(&self) -> Option<PopulationStatus> {
        match self.reference {
            ReferenceStatus::Population(population) => Some(population),
            ReferenceStatus::Configured { .. } => None,
        }
    }

    /// Whether people in a picture of this health are judged.
    #[must_use]
    pub fn judges(&self, health: FrameHealth) -> bool {
        match health {
            FrameHealth::Good => true,
            FrameHealth::NoReference => self.population().is_some_and(|it| it.fever_k.is_some()),
            _ => false,
        }
    }
}

/// How the gateway is.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayStatus {
    /// The camera.
    pub camera: CameraStatus,
    /// The blackbody.
    pub reference: ReferenceStatus,
    /// Calibration and self-check.
    pub care: CareStatus,
    /// What must be mended.
    pub faults: Vec<ActiveFault>,
    /// The link to the broker.
    pub mqtt: LinkWord,
    /// Version of the program.
    pub version: String,
    /// Identity of the database.
    pub epoch: String,
    /// The rule in force.
    pub thresholds: Thresholds,
    /// Whether this is for real.
    pub mode: Mode,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_saturate_and_never_wrap() {
        assert_eq!(LiveFrame::centi(36.625), 3663);
        assert_eq!(LiveFrame::centi(-0.01), -1);
        assert_eq!(LiveFrame::centi(500.0), i16::MAX);
        assert_eq!(LiveFrame::centi(-500.0), i16::MIN);
        assert_eq!(LiveFrame::centi(f32::NAN), i16::MIN);
    }
}
