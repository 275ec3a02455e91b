//! What happened: the values that leave the pure core and are never lost.

use crate::alert::{Alert, Outcome};
use crate::checklist::DailyReport;
use crate::clock::Stamp;
use crate::command::Asked;
use crate::id::{AlertId, Channel, DeviceEpoch, MessageNumber};
use crate::people::Reminder;
use crate::procedure::StepId;
use crate::screening::Screening;
use crate::text::Note;
use crate::thermal::SelfCheck;

/// How far an alert that nobody takes has been carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Escalation {
    /// The guard is reminded.
    Reminder,
    /// The property manager is told.
    Manager,
    /// The street office is told.
    Street,
}

impl Escalation {
    /// Every step, in the order in which they come.
    pub const ALL: [Self; 3] = [Self::Reminder, Self::Manager, Self::Street];

    /// The word for it on the wire, in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Manager => "manager",
            Self::Street => "street",
        }
    }
}

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
    /// The broker has been away for a while: alerts wait here and reach nobody outside.
    BrokerAway,
    /// The broker is there, but the street office's collector does not acknowledge.
    StreetSilent,
    /// A message was refused again and again and put aside.
    MessageParked,
    /// The outbox is beyond its bound: what may be given up is given up.
    OutboxFull,
    /// Events cannot be saved: the disk is full or fails.
    StoreFailing,
    /// There is little room left on the disk.
    DiskLow,
    /// The database was damaged; a new one was begun, and what could be read was taken over.
    DatabaseSalvaged,
    /// No copy of the database could be made when one was due.
    BackupMissed,
    /// The wall clock is not set: times are shown as not certain.
    ClockUnset,
    /// The configuration file could not be used at the start: the gateway runs by the last good one.
    ConfigRefused,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 18] = [
        Self::ReferenceLost,
        Self::CameraSilent,
        Self::CameraFrozen,
        Self::CameraBlank,
        Self::WrongScale,
        Self::SelfCheckFailed,
        Self::CalibrationDue,
        Self::CalibrationExpired,
        Self::BrokerAway,
        Self::StreetSilent,
        Self::MessageParked,
        Self::OutboxFull,
        Self::StoreFailing,
        Self::DiskLow,
        Self::DatabaseSalvaged,
        Self::BackupMissed,
        Self::ClockUnset,
        Self::ConfigRefused,
    ];

    /// Whether nobody is judged while it lasts.
    #[must_use]
    pub const fn stops_judging(self) -> bool {
        match self {
            Self::ReferenceLost
            | Self::CameraSilent
            | Self::CameraFrozen
            | Self::CameraBlank
            | Self::WrongScale
            | Self::CalibrationExpired => true,
            Self::SelfCheckFailed
            | Self::CalibrationDue
            | Self::BrokerAway
            | Self::StreetSilent
            | Self::MessageParked
            | Self::OutboxFull
            | Self::StoreFailing
            | Self::DiskLow
            | Self::DatabaseSalvaged
            | Self::BackupMissed
            | Self::ClockUnset
            | Self::ConfigRefused => false,
        }
    }

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
            Self::BrokerAway => "broker_away",
            Self::StreetSilent => "street_silent",
            Self::MessageParked => "message_parked",
            Self::OutboxFull => "outbox_full",
            Self::StoreFailing => "store_failing",
            Self::DiskLow => "disk_low",
            Self::DatabaseSalvaged => "database_salvaged",
            Self::BackupMissed => "backup_missed",
            Self::ClockUnset => "clock_unset",
            Self::ConfigRefused => "config_refused",
        }
    }
}

/// Why numbers of messages will never be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoidReason {
    /// The outbox was beyond its bound: messages that may be given up were given up.
    Shed,
    /// The database was restored from a copy, or salvaged, and counts under a new epoch.
    NewEpoch,
}

impl VoidReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Shed, Self::NewEpoch];

    /// The word for it on the wire, in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shed => "shed",
            Self::NewEpoch => "new_epoch",
        }
    }
}

/// Numbers of a channel under which nothing will come any more: who receives the channel's messages
/// need not wait for those of them that it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidNumbers {
    /// Whose numbers.
    pub channel: Channel,
    /// Of which epoch.
    pub epoch: DeviceEpoch,
    /// First and last of each stretch, ascending. A last number of [`u64::MAX`] is the end of the
    /// epoch: it gives out no number any more.
    pub stretches: Vec<(MessageNumber, MessageNumber)>,
    /// Why.
    pub why: VoidReason,
}

impl VoidNumbers {
    /// Most stretches in one event, so that its message stays below 8 KiB with 2 × 20 digits each.
    pub const MOST: usize = 150;
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
    /// Staff took a step of the emergency clause at an alert.
    AlertStepTaken {
        /// At which.
        alert: AlertId,
        /// Which.
        step: StepId,
        /// By which edition of the procedure.
        edition: u32,
        /// Who.
        by: Note,
        /// When.
        at: Stamp,
    },
    /// An alert has waited too long for somebody to take it, or for its outcome.
    AlertReminded {
        /// Which.
        alert: AlertId,
        /// Who is to hear of it now.
        level: Escalation,
        /// When.
        at: Stamp,
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
    /// Something that the street office asked for was done.
    Commanded {
        /// What, and by whom.
        asked: Asked,
        /// When.
        at: Stamp,
    },
    /// The report of a day went out; a long one in parts.
    Reported {
        /// The lines of this part, and what is said of the day as a whole.
        report: Box<DailyReport>,
        /// Which part, from 1, of how many.
        part: (u32, u32),
        /// When.
        at: Stamp,
    },
    /// Staff are reminded of people in the register who are due: counts alone.
    PeopleDue {
        /// Of what.
        reminder: Reminder,
        /// When.
        at: Stamp,
    },
    /// Numbers of messages that will never come.
    NumbersVoid {
        /// Which.
        numbers: VoidNumbers,
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
            Self::AlertStepTaken { .. } => "alert_step_taken",
            Self::AlertReminded { .. } => "alert_reminded",
            Self::FaultRaised { .. } => "fault_raised",
            Self::FaultCleared { .. } => "fault_cleared",
            Self::SelfChecked { .. } => "self_checked",
            Self::Commanded { .. } => "commanded",
            Self::NumbersVoid { .. } => "numbers_void",
            Self::Reported { .. } => "reported",
            Self::PeopleDue { .. } => "people_due",
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
            | Self::AlertStepTaken { at, .. }
            | Self::AlertReminded { at, .. }
            | Self::FaultRaised { at, .. }
            | Self::FaultCleared { at, .. }
            | Self::SelfChecked { at, .. }
            | Self::Commanded { at, .. }
            | Self::Reported { at, .. }
            | Self::PeopleDue { at, .. }
            | Self::NumbersVoid { at, .. } => *at,
        }
    }
}
