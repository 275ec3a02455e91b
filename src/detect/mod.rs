//! The two face networks, run by `rten` on one thread.
//!
//! They lie in `models/` and are built into the program; `models/MANIFEST.toml` says what they are
//! and how they are fed and read. `face.onnx` finds where a face might be in the reduced picture
//! ([`crate::face::decode`]); `landmarks.onnx` looks at each such place in the full picture and
//! says whether it is a face, and what it looks like ([`crate::face::closer`]). Nothing is run
//! whose hash differs from the manifest's.
//!
//! Running blocks the calling thread for a few milliseconds. `rten` computes on a pool of its own
//! with a single thread; [`OnnxDetector::worker`] runs a whole pipeline on that thread, so that no
//! frame changes threads and thread CPU time is all the CPU time there is. What goes into the
//! networks is written into the same memory again and again; what comes out is allocated by `rten`
//! for each run.

mod manifest;
mod network;

pub use manifest::ModelError;

use crate::face::closer::{self, ANSWERS, Cutter, Square};
use crate::face::decode::{self, Candidate, Input};
use crate::face::{Detector, DetectorError, Face};
use crate::thermal::ThermalFrame;
use manifest::{FILE_NAME, Manifest};
use ndarray::{Array2, ArrayView2, ArrayView3};
use network::Network;
use rten::ThreadPool;
use std::path::Path;
use std::sync::Arc;

/// The networks that are built in, with what they are.
const BUILT_IN: (&str, &[u8], &[u8]) = (
    include_str!("../../models/MANIFEST.toml"),
    include_bytes!("../../models/face.onnx"),
    include_bytes!("../../models/landmarks.onnx"),
);

/// Share of the score of a face below which a place is certainly none.
const DOUBT: f32 = 0.5;

/// Finds faces with the networks.
pub struct OnnxDetector {
    finder: Finder,
    closer: Closer,
    found: Vec<Candidate>,
    /// Whether nothing in the last frame was nearly a face.
    sure_of_nobody: bool,
    version: String,
    worker: Arc<ThreadPool>,
}

/// The first stage, with the memory of its input.
struct Finder {
    network: Network<2>,
    meaning: decode::Meaning,
    input: Input,
}

/// The second stage, with the memory of its input.
struct Closer {
    network: Network<4>,
    meaning: closer::Meaning,
    cutter: Cutter,
    input: Array2<f32>,
}

impl OnnxDetector {
    /// The networks that are built in.
    ///
    /// # Errors
    /// Where the build put networks and a manifest together that do not match.
    pub fn built_in() -> Result<Self, ModelError> {
        let (text, face, landmarks) = BUILT_IN;
        let manifest = Manifest::parse(text, "models/MANIFEST.toml")?;
        Self::load(&manifest, "models", face.to_vec(), landmarks.to_vec())
    }

    /// The networks in a folder, with their `MANIFEST.toml`.
    ///
    /// # Errors
    /// Where a file is missing or wrong.
    pub fn from_folder(folder: &Path) -> Result<Self, ModelError> {
        let file = |path: &Path, source| ModelError::File {
            path: path.display().to_string(),
            source,
        };
        let path = folder.join(FILE_NAME);
        let text = std::fs::read_to_string(&path).map_err(|e| file(&path, e))?;
        let manifest = Manifest::parse(&text, &path.display().to_string())?;
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|e| file(&path, e))
        };
        let (face, landmarks) = (read(&manifest.face.file)?, read(&manifest.landmarks.file)?);
        Self::load(&manifest, &folder.display().to_string(), face, landmarks)
    }

    fn load(
        manifest: &Manifest,
        folder: &str,
        face: Vec<u8>,
        landmarks: Vec<u8>,
    ) -> Result<Self, ModelError> {
        let worker = Arc::new(ThreadPool::with_num_threads(1));
        let finder = Finder {
            network: Network::load(
                face,
                &manifest.face.sha256,
                &format!("{folder}/{}", manifest.face.file),
                "thermal",
                ["heat", "box"],
                &worker,
            )?,
            meaning: manifest.finding(),
            input: Input::default(),
        };
        let meaning = manifest.looking_closer();
        let closer = Closer {
            network: Network::load(
                landmarks,
                &manifest.landmarks.sha256,
                &format!("{folder}/{}", manifest.landmarks.file),
                "crop",
                ["points", "traits", "pose", "box"],
                &worker,
            )?,
            meaning,
            cutter: Cutter::default(),
            input: Array2::zeros((meaning.cells, meaning.cells)),
        };
        Ok(Self {
            finder,
            closer,
            found: Vec::new(),
            sure_of_nobody: false,
            version: format!("{}+{}", manifest.face.version, manifest.landmarks.version),
            worker,
        })
    }

    /// Versions of both networks, from their manifest: first stage, a plus sign, second stage.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The one thread that computes: run the pipeline on it.
    #[must_use]
    pub fn worker(&self) -> Arc<ThreadPool> {
        Arc::clone(&self.worker)
    }

    /// The first stage alone: where a face might be, best first.
    ///
    /// # Errors
    /// Where the network could not be run, or answers in another shape.
    pub fn find(&mut self, frame: &ThermalFrame) -> Result<&[Candidate], DetectorError> {
        self.finder.find(frame, &mut self.found)?;
        Ok(&self.found)
    }

    /// The second stage alone: the face at one of those places, if it is one.
    ///
    /// # Errors
    /// Where the network could not be run, or answers in another shape.
    pub fn look_closer(
        &mut self,
        frame: &ThermalFrame,
        candidate: &Candidate,
    ) -> Result<Option<Face>, DetectorError> {
        Ok(self.closer.look(frame, candidate)?.1)
    }
}

impl Finder {
    fn find(
        &mut self,
        frame: &ThermalFrame,
        found: &mut Vec<Candidate>,
    ) -> Result<(), DetectorError> {
        found.clear();
        self.input.show(&frame.celsius, self.meaning.window);
        let [heat, edges] = self.network.run(&self.input.values)?;
        let (heat, h, w) = self.network.planes(heat, 0, 1)?;
        let (edges, eh, ew) = self.network.planes(edges, 1, 4)?;
        let shape = |e: ndarray::ShapeError| DetectorError(e.to_string());
        let output = decode::Output {
            heat: ArrayView2::from_shape((h, w), &heat).map_err(shape)?,
            edges: ArrayView3::from_shape((4, eh, ew), &edges).map_err(shape)?,
        };
        let size = frame.celsius.dim();
        decode::candidates(&output, &self.meaning, self.input.factor, size, found);
        Ok(())
    }
}

impl Closer {
    /// How likely the candidate is a face, and the face if it is one.
    fn look(
        &mut self,
        frame: &ThermalFrame,
        candidate: &Candidate,
    ) -> Result<(f32, Option<Face>), DetectorError> {
        let square = Square::about(&candidate.area, self.meaning.scale);
        let window = self.meaning.window;
        self.cutter
            .cut(&frame.celsius, &square, window, &mut self.input);
        let [points, traits, pose, edges] = self.network.run(&self.input)?;
        let output = closer::Output {
            points: &self.network.numbers::<{ ANSWERS[0] }>(points, 0)?,
            traits: &self.network.numbers::<{ ANSWERS[1] }>(traits, 1)?,
            pose: &self.network.numbers::<{ ANSWERS[2] }>(pose, 2)?,
            edges: &self.network.numbers::<{ ANSWERS[3] }>(edges, 3)?,
        };
        let size = frame.celsius.dim();
        let score = closer::score(&output, candidate);
        Ok((score, closer::face(&output, candidate, &self.meaning, size)))
    }
}

impl Detector for OnnxDetector {
    fn detect(&mut self, frame: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        self.finder.find(frame, &mut self.found)?;
        self.sure_of_nobody = false;
        let (mut faces, mut likeliest) = (Vec::new(), 0.0_f32);
        for candidate in &self.found {
            let (score, face) = self.closer.look(frame, candidate)?;
            likeliest = likeliest.max(score);
            faces.extend(face);
        }
        self.sure_of_nobody = likeliest < DOUBT * self.closer.meaning.threshold;
        closer::settle(&mut faces, self.closer.meaning.nms_iou);
        Ok(faces)
    }

    fn is_sure_of_nobody(&self) -> bool {
        self.sure_of_nobody
    }
}

#[cfg(test)]
mod tests;
