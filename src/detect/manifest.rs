//! `MANIFEST.toml`: what the networks in its folder are, and how they are fed and read.
//!
//! A network whose hash differs from the manifest's is not run: a face that is looked for with the
//! wrong network, or read by the wrong rule, is a wrong temperature.

use crate::face::closer;
use crate::face::decode::{self, Window};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Name of the manifest in a folder of networks.
pub(super) const FILE_NAME: &str = "MANIFEST.toml";

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file is missing or cannot be read.
    #[error(
        "{path}: {source}\nhint: a folder of networks holds a MANIFEST.toml and the files that it names; leave --model out to use what is built in"
    )]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest is not what it should be.
    #[error("{path}: {problem}\nhint: models/training/README.md says how a manifest is made")]
    Manifest {
        /// Which.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The model is not the one that the manifest describes.
    #[error(
        "{path}: its SHA-256 is {found}, the manifest says {expected}\nhint: the file is damaged or of another version; fetch both again"
    )]
    Hash {
        /// Which.
        path: String,
        /// Hash of the file.
        found: String,
        /// Hash in the manifest.
        expected: String,
    },
    /// The runner refuses the model.
    #[error("{path}: not a usable network: {problem}")]
    Network {
        /// Which.
        path: String,
        /// What the runner says.
        problem: String,
    },
}

/// The part of the manifest that is needed to run the networks; the rest is for people.
#[derive(Deserialize)]
pub(super) struct Manifest {
    /// The first stage.
    pub(super) face: FaceEntry,
    /// The second stage.
    pub(super) landmarks: LandmarksEntry,
}

#[derive(Deserialize)]
pub(super) struct FaceEntry {
    pub(super) file: String,
    pub(super) sha256: String,
    pub(super) version: String,
    stride: usize,
    score_threshold: f32,
    nms_iou: f32,
    most_candidates: usize,
    window_low_c: f32,
    window_high_c: f32,
}

#[derive(Deserialize)]
pub(super) struct LandmarksEntry {
    pub(super) file: String,
    pub(super) sha256: String,
    pub(super) version: String,
    crop_px: usize,
    crop_scale: f32,
    face_threshold: f32,
}

impl Manifest {
    /// Reads a manifest; `path` is for messages.
    pub(super) fn parse(text: &str, path: &str) -> Result<Self, ModelError> {
        let refuse = |problem: String| ModelError::Manifest {
            path: path.to_owned(),
            problem,
        };
        let manifest: Self = toml::from_str(text).map_err(|e| refuse(e.to_string()))?;
        let Self { face, landmarks } = &manifest;
        let face_is_sound = (1..=64).contains(&face.stride)
            && (0.0..1.0).contains(&face.score_threshold)
            && (0.0..1.0).contains(&face.nms_iou)
            && (1..=100).contains(&face.most_candidates)
            && face.window_low_c < face.window_high_c;
        let landmarks_are_sound = (16..=256).contains(&landmarks.crop_px)
            && (1.0..=4.0).contains(&landmarks.crop_scale)
            && (0.0..1.0).contains(&landmarks.face_threshold);
        for (sound, section) in [(face_is_sound, "face"), (landmarks_are_sound, "landmarks")] {
            if !sound {
                return Err(refuse(format!("[{section}] holds values out of range")));
            }
        }
        Ok(manifest)
    }

    /// How the first network is fed and read.
    pub(super) const fn finding(&self) -> decode::Meaning {
        decode::Meaning {
            window: self.window(),
            stride: self.face.stride,
            threshold: self.face.score_threshold,
            nms_iou: self.face.nms_iou,
            most: self.face.most_candidates,
        }
    }

    /// How the second network is fed and read.
    pub(super) const fn looking_closer(&self) -> closer::Meaning {
        closer::Meaning {
            window: self.window(),
            cells: self.landmarks.crop_px,
            scale: self.landmarks.crop_scale,
            threshold: self.landmarks.face_threshold,
            nms_iou: self.face.nms_iou,
        }
    }

    const fn window(&self) -> Window {
        Window {
            low_c: self.face.window_low_c,
            high_c: self.face.window_high_c,
        }
    }
}

/// Whether these are the bytes that the manifest means.
pub(super) fn check(bytes: &[u8], expected: &str, path: &str) -> Result<(), ModelError> {
    let found = hex(&Sha256::digest(bytes));
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(ModelError::Hash {
        path: path.to_owned(),
        found,
        expected: expected.to_owned(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
