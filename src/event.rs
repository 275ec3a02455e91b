//! What happened: the values that leave the pure core and are never lost.

use crate::alert::{Alert, Outcome};
use crate::clock::Stamp;
use crate::id::AlertId;
use crate::screening::Screening;
use crate::thermal::SelfCheck;

/// A fault of the gateway itself that staff must mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The reference is not in view, moved or unstable: nobody is judged.
    ReferenceLost,
    /// No frame has come for a while.
    CameraSilent,
    /// The camera repeats one picture.
    CameraFrozen,
    /// The camera gives no picture (all pixels equal or saturated).
    CameraBlank,
    /// The camera's counts are no temperatures of a room: nobody is judged.
    WrongScale,
    /// The daily self-check found camera or reference out of order. Frames that are good are still
    /// judged.
    SelfCheckFailed,
    /// The calibration runs out soon: it is time to make a new one.
    CalibrationDue,
    /// The calibration has run out: nobody is judged.
    CalibrationExpired,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::ReferenceLost,
        Self::CameraSilent,
        Self::CameraFrozen,
        Self::CameraBlank,
        Self::WrongScale,
        Self::SelfCheckFailed,
        Self::CalibrationDue,
        Self::CalibrationExpired,
    ];

    /// The word for it on the wire, in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReferenceLost => "reference_lost",
            Self::CameraSilent => "camera_silent",
            Self::CameraFrozen => "camera_frozen",
            Self::CameraBlank => "camera_blank",
            Self::WrongScale => "wrong_scale",
            Self::SelfCheckFailed => "self_check_failed",
            Self::CalibrationDue => "calibration_due",
            Self::CalibrationExpired => "calibration_expired",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A person went past and was judged, or could not be.
    Screened(Screening),
    /// A possible fever; comes while the person is still there, before their `Screened`.
    AlertRaised(Alert),
    /// Staff took an alert.
    AlertAcknowledged {
        /// Which.
        alert: AlertId,
        /// Who.
        by: String,
        /// When.
        at: Stamp,
    },
    /// Staff recorded what was found.
    AlertResolved {
        /// Which.
        alert: AlertId,
        /// Who.
        by: String,
        /// When.
        at: Stamp,
        /// What.
        outcome: Outcome,
    },
    /// The gateway cannot do its work.
    FaultRaised {
        /// Why.
        fault: Fault,
        /// Since when.
        at: Stamp,
    },
    /// It can again.
    FaultCleared {
        /// What is over.
        fault: Fault,
        /// Since when.
        at: Stamp,
    },
    /// The daily self-check.
    SelfChecked {
        /// What it found.
        found: SelfCheck,
        /// When.
        at: Stamp,
    },
}

impl Event {
    /// The word for the kind of event on the wire and in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Screened(_) => "screened",
            Self::AlertRaised(_) => "alert_raised",
            Self::AlertAcknowledged { .. } => "alert_acknowledged",
            Self::AlertResolved { .. } => "alert_resolved",
            Self::FaultRaised { .. } => "fault_raised",
            Self::FaultCleared { .. } => "fault_cleared",
            Self::SelfChecked { .. } => "self_checked",
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Stamp {
        match self {
            Self::Screened(screening) => screening.last.stamp,
            Self::AlertRaised(alert) => alert.raised,
            Self::AlertAcknowledged { at, .. }
            | Self::AlertResolved { at, .. }
            | Self::FaultRaised { at, .. }
            | Self::FaultCleared { at, .. }
            | Self::SelfChecked { at, .. } => *at,
        }
    }
}
