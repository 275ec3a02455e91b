//! From sensor counts to temperatures that can be believed.
//!
//! [`frame`] holds the pictures, [`profile`] what is known of the camera, [`radiometry`] what a count
//! and a surface mean, [`path`] what the air between does, [`mod@reference`] the blackbody in view,
//! `watch` whether it is as warm as it was; [`Radiometer`] is the stage of the pipeline that puts them together.

pub mod frame;
mod health;
pub mod path;
pub mod profile;
mod radiometer;
pub mod radiometry;
pub mod reference;
mod room;
mod watch;

pub use frame::{
    FrameHealth, RawFrame, ReferenceFlaw, ReferenceQuality, ReferenceView, Telemetry, ThermalFrame,
};
pub use radiometer::{Radiometer, RadiometerSettings};
pub use room::Room;
