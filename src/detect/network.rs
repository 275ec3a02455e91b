//! One network on the runner: named inputs and outputs, plain numbers out.

use super::manifest::{self, ModelError};
use crate::face::DetectorError;
use ndarray::Array2;
use rten::{Model, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use std::sync::Arc;

/// A network with one input and `N` outputs.
pub(super) struct Network<const N: usize> {
    model: Model,
    input: NodeId,
    outputs: [NodeId; N],
    names: [&'static str; N],
    options: RunOptions,
}

impl<const N: usize> Network<N> {
    /// Checks a network's hash and loads it; `path` is for messages.
    pub(super) fn load(
        bytes: Vec<u8>,
        sha256: &str,
        path: &str,
        input: &'static str,
        names: [&'static str; N],
        worker: &Arc<ThreadPool>,
    ) -> Result<Self, ModelError> {
        manifest::check(&bytes, sha256, path)?;
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
        let input = node(input)?;
        let mut outputs = [input; N];
        for (output, name) in outputs.iter_mut().zip(names) {
            *output = node(name)?;
        }
        Ok(Self {
            model,
            input,
            outputs,
            names,
            options: RunOptions::default().with_thread_pool(Some(Arc::clone(worker))),
        })
    }

    /// Runs it on a picture of one channel; nothing of the picture is copied.
    pub(super) fn run(&self, picture: &Array2<f32>) -> Result<[Value; N], DetectorError> {
        let (rows, cols) = picture.dim();
        let values = picture
            .as_slice()
            .ok_or_else(|| DetectorError("the input is not in order".to_owned()))?;
        let view = NdTensorView::from_data([1, 1, rows, cols], values);
        self.model
            .run_n(
                vec![(self.input, ValueOrView::from(view))],
                self.outputs,
                Some(self.options.clone()),
            )
            .map_err(|e| DetectorError(e.to_string()))
    }

    /// What is wrong with the shape of this output.
    fn misshapen(&self, output: usize) -> DetectorError {
        let name = self.names.get(output).copied().unwrap_or_default();
        DetectorError(format!("{name} has another shape"))
    }

    /// The planes of an output of so many: their numbers, rows and columns.
    pub(super) fn planes(
        &self,
        value: Value,
        output: usize,
        depth: usize,
    ) -> Result<(Vec<f32>, usize, usize), DetectorError> {
        let tensor: NdTensor<f32, 4> = value.try_into().map_err(|_| self.misshapen(output))?;
        let [n, d, h, w] = tensor.shape();
        if (n, d) == (1, depth) {
            Ok((tensor.into_data(), h, w))
        } else {
            Err(self.misshapen(output))
        }
    }

    /// The numbers of an output of exactly so many.
    pub(super) fn numbers<const K: usize>(
        &self,
        value: Value,
        output: usize,
    ) -> Result<[f32; K], DetectorError> {
        let tensor: NdTensor<f32, 2> = value.try_into().map_err(|_| self.misshapen(output))?;
        tensor
            .into_data()
            .try_into()
            .map_err(|_| self.misshapen(output))
    }
}
