//! From sensor counts to temperatures that can be believed.
//!
//! | part | says |
//! |---|---|
//! | [`frame`] | pictures, as the sensor gave them and as they are believed |
//! | [`radiometry`] | what a count and a surface mean |
//! | [`ffc`] | when the camera's shutter is closed |
//! | [`path`] | what the air between takes, and what skin reflects |
//! | [`mod@reference`] | the blackbody in view, found and followed |
//! | `disc` | what a blackbody looks like in one frame |
//! | `pair` | two of them: level and gain |
//! | `watch` | whether it is as warm as it was |
//! | [`profile`] | what is known of a camera, and its calibration on site |
//! | [`session`] | how such a calibration is made |
//! | [`self_check`] | the daily look at camera and reference |
//!
//! [`Radiometer`] is the stage of the pipeline that puts them together.

mod disc;
pub mod ffc;
pub mod frame;
mod health;
mod pair;
pub mod path;
pub mod profile;
mod radiometer;
pub mod radiometry;
pub mod reference;
mod room;
pub mod self_check;
pub mod session;
mod watch;

pub use frame::{
    FrameHealth, RawFrame, ReferenceFlaw, ReferenceQuality, ReferenceView, Telemetry, ThermalFrame,
};
pub use radiometer::{Radiometer, RadiometerSettings};
pub use room::Room;
pub use self_check::{SelfCheck, SelfChecker};
