//! The face network, run by `rten` on one thread.
//!
//! The network lies in `models/face.onnx` and is built into the program; `models/MANIFEST.toml`
//! says what it is and how its outputs are read ([`crate::face::decode`]). Nothing is run whose
//! hash differs from the manifest's.
//!
//! Running blocks the calling thread for a few milliseconds. `rten` computes on a pool of its own
//! with a single thread; [`OnnxDetector::worker`] runs a whole pipeline on that thread, so that no
//! frame changes threads and thread CPU time is all the CPU time there is.

use crate::face::decode::{self, Meaning, Output, Window};
use crate::face::{Detector, DetectorError, Face};
use crate::thermal::ThermalFrame;
use ndarray::{ArrayView2, ArrayView3};
use rten::{Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// The network that is built in.
const BUILT_IN_MODEL: &[u8] = include_bytes!("../models/face.onnx");

/// What it is.
const BUILT_IN_MANIFEST: &str = include_str!("../models/MANIFEST.toml");

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file is missing or cannot be read.
    #[error(
        "{path}: {source}\nhint: put the model and its MANIFEST.toml side by side, or leave --model out to use the one that is built in"
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

#[derive(Deserialize)]
struct ManifestFile {
    face: FaceEntry,
}

/// The part of the manifest that is needed to run the network; the rest is for people.
#[derive(Deserialize)]
struct FaceEntry {
    sha256: String,
    version: String,
    stride: usize,
    score_threshold: f32,
    nms_iou: f32,
    window_low_c: f32,
    window_high_c: f32,
}

impl FaceEntry {
    fn parse(text: &str, path: &str) -> Result<Self, ModelError> {
        let refuse = |problem: String| ModelError::Manifest {
            path: path.to_owned(),
            problem,
        };
        let entry = toml::from_str::<ManifestFile>(text)
            .map_err(|e| refuse(e.to_string()))?
            .face;
        let sound = (1..=64).contains(&entry.stride)
            && (0.0..1.0).contains(&entry.score_threshold)
            && (0.0..1.0).contains(&entry.nms_iou)
            && entry.window_low_c < entry.window_high_c;
        if sound {
            Ok(entry)
        } else {
            Err(refuse("[face] holds values out of range".to_owned()))
        }
    }

    fn meaning(&self) -> Meaning {
        Meaning {
            window: Window {
                low_c: self.window_low_c,
                high_c: self.window_high_c,
            },
            stride: self.stride,
            threshold: self.score_threshold,
            nms_iou: self.nms_iou,
        }
    }
}

/// Finds faces with the network.
pub struct OnnxDetector {
    model: Model,
    input: NodeId,
    outputs: [NodeId; 3],
    meaning: Meaning,
    version: String,
    worker: Arc<ThreadPool>,
}

impl OnnxDetector {
    /// The network that is built in.
    ///
    /// # Errors
    /// Where the build put a network and a manifest together that do not match.
    pub fn built_in() -> Result<Self, ModelError> {
        let entry = FaceEntry::parse(BUILT_IN_MANIFEST, "models/MANIFEST.toml")?;
        Self::load(BUILT_IN_MODEL.to_vec(), &entry, "models/face.onnx")
    }

    /// A network from a file, with its `MANIFEST.toml` beside it.
    ///
    /// # Errors
    /// Where either is missing or wrong.
    pub fn from_file(path: &Path) -> Result<Self, ModelError> {
        let file = |path: &Path, source| ModelError::File {
            path: path.display().to_string(),
            source,
        };
        let manifest = path.with_file_name("MANIFEST.toml");
        let text = std::fs::read_to_string(&manifest).map_err(|e| file(&manifest, e))?;
        let entry = FaceEntry::parse(&text, &manifest.display().to_string())?;
        let model = std::fs::read(path).map_err(|e| file(path, e))?;
        Self::load(model, &entry, &path.display().to_string())
    }

    fn load(bytes: Vec<u8>, entry: &FaceEntry, path: &str) -> Result<Self, ModelError> {
        let found = hex(&Sha256::digest(&bytes));
        if !found.eq_ignore_ascii_case(&entry.sha256) {
            let (path, expected) = (path.to_owned(), entry.sha256.clone());
            return Err(ModelError::Hash {
                path,
                found,
                expected,
            });
        }
        let refuse = |problem: String| ModelError::Network {
            path: path.to_owned(),
            problem,
        };
        let model = Model::load(bytes).map_err(|e| refuse(e.to_string()))?;
        let node = |name: &str| {
            model
                .node_id(name)
                .map_err(|_| refuse(format!("it has no input or output {name:?}")))
        };
        let (input, outputs) = (
            node("thermal")?,
            [node("heat")?, node("box")?, node("points")?],
        );
        Ok(Self {
            model,
            input,
            outputs,
            meaning: entry.meaning(),
            version: entry.version.clone(),
            worker: Arc::new(ThreadPool::with_num_threads(1)),
        })
    }

    /// Version of the network, from its manifest.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The one thread that computes: run the pipeline on it.
    #[must_use]
    pub fn worker(&self) -> Arc<ThreadPool> {
        Arc::clone(&self.worker)
    }
}

impl Detector for OnnxDetector {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        let fail = |problem: String| DetectorError(problem);
        let input = decode::input(&frame.celsius, self.meaning.window);
        let (rows, cols) = input.values.dim();
        let tensor =
            NdTensor::from_data([1, 1, rows, cols], input.values.into_raw_vec_and_offset().0);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.worker)));
        let [heat, edges, points] = self
            .model
            .run_n(
                vec![(self.input, tensor.into())],
                self.outputs,
                Some(options),
            )
            .map_err(|e| fail(e.to_string()))?;
        let planes = |value: rten::Value, name: &str, depth: usize| {
            let tensor: NdTensor<f32, 4> = value
                .try_into()
                .map_err(|_| fail(format!("{name} has another shape")))?;
            let [n, d, h, w] = tensor.shape();
            if (n, d) == (1, depth) {
                Ok((tensor.into_data(), h, w))
            } else {
                Err(fail(format!("{name} has another shape")))
            }
        };
        let (heat, h, w) = planes(heat, "heat", 1)?;
        let (edges, eh, ew) = planes(edges, "box", 4)?;
        let (points, ph, pw) = planes(points, "points", 10)?;
        let shape = |e: ndarray::ShapeError| fail(e.to_string());
        let output = Output {
            heat: ArrayView2::from_shape((h, w), &heat).map_err(shape)?,
            edges: ArrayView3::from_shape((4, eh, ew), &edges).map_err(shape)?,
            points: ArrayView3::from_shape((10, ph, pw), &points).map_err(shape)?,
        };
        Ok(decode::faces(
            &output,
            &self.meaning,
            input.factor,
            frame.celsius.dim(),
        ))
    }
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
