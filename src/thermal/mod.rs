//! From sensor counts to temperatures that can be believed.
//!
//! [`frame`] holds the pictures, [`radiometry`] what a count means.

pub mod frame;
pub mod radiometry;

pub use frame::{FrameHealth, RawFrame, ReferenceView, Telemetry, ThermalFrame};
