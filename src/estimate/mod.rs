//! From the looks at one face to a reading with its uncertainty.
//!
//! A look is one good frame's warmest skin of the upper face: the inner canthi and what surrounds
//! them, mouth and breath excluded (an open mouth reads about 1 °C more and tells less: AUC 0.92
//! against 0.97 on the FDA data). It is a small-area maximum, never one pixel. Several looks make
//! a reading: the median of the best, never one frame.
//!
//! The body estimate shown is the arterial heat balance `T_face + k·(T_face − T_ambient) + c`. It
//! is not a least-squares fit, because that reads feverish people low (by 0.3 °C on the same
//! data). Nothing here clamps, rounds or blends: the estimate is linear in what the camera saw.
//!
//! | part | says |
//! |---|---|
//! | `region` | which parts of the face are measured, and their warmest small areas |
//! | `size_of_source` | what lens and smoothing took from a small warm area |
//! | `looks` | looks, and the reading that they come to |
//! | `transfer` | from face to body |
//! | `budget` | how sure that is, part by part |
//! | `pixel` | how sure one pixel is, for whoever points at it |

mod budget;
mod looks;
mod pixel;
mod region;
mod size_of_source;
mod transfer;

pub use budget::{Budget, Part};
pub use looks::{Look, Looks, look};
pub use pixel::PixelUncertainty;
pub use transfer::{RankingScore, Score, Transfer};

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
    /// What the reference added; in relative mode nothing.
    pub offset: TemperatureDelta,
    /// What the correction for the size of the source added: what lens and smoothing took from a
    /// small warm area.
    pub size_of_source: TemperatureDelta,
    /// The room in which the estimate was made.
    pub ambient: AmbientTemperature,
}

/// What a reading is a temperature against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Basis {
    /// A blackbody in view: the reading is an absolute temperature.
    Reference,
    /// Relative mode: no blackbody, so only the difference to the people before means anything.
    Population {
        /// How many of them.
        people: u32,
        /// Median of their estimates, as the camera reads it.
        median: Celsius,
    },
}

/// What several good looks at one face came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Temperature of the warmest skin of the upper face.
    pub face: SkinTemperature,
    /// Of the warmest skin about the inner canthi, where they could be seen.
    pub canthi: Option<SkinTemperature>,
    /// Of the warmest skin of the forehead, where it is bare.
    pub forehead: Option<SkinTemperature>,
    /// What that says of the body.
    pub estimate: BodyEstimate,
    /// Looks that were used.
    pub looks: u32,
    /// Robust standard deviation of the looks.
    pub spread: TemperatureDelta,
    /// The way from counts to here.
    pub chain: Chain,
    /// What all of it is measured against.
    pub basis: Basis,
    /// Where the uncertainty comes from.
    pub budget: Budget,
}

impl Reading {
    /// Standard uncertainty of [`Reading::face`].
    #[must_use]
    pub fn u(&self) -> StandardUncertainty {
        self.budget.face()
    }
}
