//! From the looks at one face to a reading with its uncertainty.

use crate::units::{
    AmbientTemperature, Celsius, SkinTemperature, StandardUncertainty, TemperatureDelta,
};

/// An estimate of body temperature: only ever together with its uncertainty. An estimate for
/// screening, not a measurement of body temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BodyEstimate {
    /// `T_face + k·(T_face − T_ambient) + c`.
    pub value: Celsius,
    /// Standard uncertainty, camera and transfer together.
    pub u: StandardUncertainty,
}

/// How a reading came about, so that it can be checked by hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chain {
    /// What the camera said of the region, before any correction.
    pub apparent: Celsius,
    /// What the reference added.
    pub offset: TemperatureDelta,
    /// The room in which the estimate was made.
    pub ambient: AmbientTemperature,
}

/// What several good looks at one face came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Temperature of the warmest skin of the upper face.
    pub face: SkinTemperature,
    /// Standard uncertainty of `face`.
    pub u: StandardUncertainty,
    /// What that says of the body.
    pub estimate: BodyEstimate,
    /// Looks that were used.
    pub looks: u32,
    /// The way from counts to here.
    pub chain: Chain,
}
