//! The first stage: where in the picture a face might be.
//!
//! A small network sees the whole picture, reduced, through a fixed window of temperatures
//! ([`Window`]): what is skin is skin whatever else is in the picture. It answers on a grid of
//! cells, [`Meaning::stride`] pixels wide: how likely the middle of a face lies in the cell, and
//! how far the edges of that face are. A candidate is a cell that beats its neighbours; of
//! overlapping candidates the better one stays. The threshold is low, for the second stage
//! ([`super::closer`]) decides what is a face.

use crate::units::PixelBox;
use ndarray::{Array2, ArrayView2, ArrayView3};

/// Network inputs have sides that are multiples of this, pixels.
const SIDE_MULTIPLE: usize = 16;

/// Shorter side at which a picture is shown to the network, pixels: larger pictures are reduced
/// by the whole factor that comes nearest, so that the cost does not grow with the sensor.
const SHORT_SIDE: usize = 120;

/// Range of temperatures that becomes 0…1 at the network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// °C that becomes 0; colder is 0, too.
    pub low_c: f32,
    /// °C that becomes 1; hotter is 1, too.
    pub high_c: f32,
}

impl Window {
    /// The value at a network's input of a temperature, or of a mean of temperatures, °C.
    #[must_use]
    pub fn value(&self, celsius: f32) -> f32 {
        ((celsius - self.low_c) / (self.high_c - self.low_c)).clamp(0.0, 1.0)
    }
}

/// How the outputs are to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// Temperature window of the input.
    pub window: Window,
    /// Pixels of the input per cell of the output.
    pub stride: usize,
    /// Least score of a candidate, 0…1.
    pub threshold: f32,
    /// Overlap (intersection over union) beyond which the worse of two candidates goes.
    pub nms_iou: f32,
    /// Candidates that are looked at more closely, at most: the best ones. It bounds the cost of
    /// a frame.
    pub most: usize,
}

/// A picture as the network wants it; its memory is used again for the next one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    /// Values 0…1, padded with 0 at right and bottom.
    pub values: Array2<f32>,
    /// Pixels of the camera per pixel of the input.
    pub factor: usize,
}

/// The network's answer.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// Likelihood of a face, cells (rows × columns), 0…1.
    pub heat: ArrayView2<'a, f32>,
    /// Distances to left, top, right, bottom edge, input pixels: 4 × rows × columns.
    pub edges: ArrayView3<'a, f32>,
}

/// Where a face might be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Its box in the camera's pixels. It may reach beyond the picture: the second stage wants the
    /// whole face's middle and size, not those of the part in view.
    pub area: PixelBox,
    /// How likely, 0…1.
    pub score: f32,
}

impl Input {
    /// Shows a picture of temperatures to the network.
    pub fn show(&mut self, celsius: &Array2<f32>, window: Window) {
        let (rows, cols) = celsius.dim();
        let factor = ((rows.min(cols) + SHORT_SIDE / 2) / SHORT_SIDE).max(1);
        let (small_rows, small_cols) = (rows / factor, cols / factor);
        let size = (
            small_rows.next_multiple_of(SIDE_MULTIPLE),
            small_cols.next_multiple_of(SIDE_MULTIPLE),
        );
        if self.values.dim() != size {
            self.values = Array2::zeros(size);
        }
        self.factor = factor;
        let share = 1.0 / (factor * factor) as f32;
        self.values.fill(0.0);
        for row in 0..small_rows {
            for col in 0..small_cols {
                let mut sum = 0.0;
                for y in row * factor..(row + 1) * factor {
                    for x in col * factor..(col + 1) * factor {
                        sum += celsius[[y, x]];
                    }
                }
                self.values[[row, col]] = window.value(sum * share);
            }
        }
    }
}

/// The candidates in an answer, best first, for a camera's picture of this size; `found` is
/// emptied before. Cells whose numbers are not finite, boxes that lie outside of the picture or
/// are far larger than it, and shapes that do not agree, give none.
pub fn candidates(
    output: &Output<'_>,
    meaning: &Meaning,
    factor: usize,
    (rows, cols): (usize, usize),
    found: &mut Vec<Candidate>,
) {
    found.clear();
    let (h, w) = output.heat.dim();
    if output.edges.dim() != (4, h, w) {
        return;
    }
    for row in 0..h {
        for col in 0..w {
            let score = output.heat[[row, col]];
            if score >= meaning.threshold && is_peak(&output.heat, row, col) {
                let area = area_at(output, (meaning.stride, factor), row, col);
                if is_possible(&area, cols, rows) {
                    found.push(Candidate { area, score });
                }
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = 0;
    for index in 0..found.len() {
        let candidate = found[index];
        let alone = found[..kept]
            .iter()
            .all(|better| better.area.iou(&candidate.area) <= meaning.nms_iou);
        if alone && kept < meaning.most {
            found[kept] = candidate;
            kept += 1;
        }
    }
    found.truncate(kept);
}

/// Whether no neighbour is better; of equal neighbours the first one counts.
fn is_peak(heat: &ArrayView2<'_, f32>, row: usize, col: usize) -> bool {
    let here = heat[[row, col]];
    for r in row.saturating_sub(1)..(row + 2).min(heat.nrows()) {
        for c in col.saturating_sub(1)..(col + 2).min(heat.ncols()) {
            let there = heat[[r, c]];
            if there > here || (there == here && (r, c) < (row, col)) {
                return false;
            }
        }
    }
    true
}

/// The box that a cell speaks of, in the camera's pixels.
fn area_at(
    output: &Output<'_>,
    (stride, factor): (usize, usize),
    row: usize,
    col: usize,
) -> PixelBox {
    let (stride, factor) = (stride as f32, factor as f32);
    let (x, y) = ((col as f32 + 0.5) * stride, (row as f32 + 0.5) * stride);
    let edge = |side: usize| output.edges[[side, row, col]];
    PixelBox {
        left: (x - edge(0)) * factor,
        top: (y - edge(1)) * factor,
        right: (x + edge(2)) * factor,
        bottom: (y + edge(3)) * factor,
    }
}

/// Whether a box can be one of a face in a picture of this size: a part of it is in view, and it
/// is no more than twice as large as the picture.
fn is_possible(area: &PixelBox, width: usize, height: usize) -> bool {
    area.is_proper()
        && area.clipped(width, height).is_proper()
        && area.width() <= 2.0 * width as f32
        && area.height() <= 2.0 * height as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    const MEANING: Meaning = Meaning {
        window: Window {
            low_c: 18.0,
            high_c: 40.0,
        },
        stride: 4,
        threshold: 0.5,
        nms_iou: 0.4,
        most: 3,
    };

    fn answer(cells: &[(usize, usize, f32, f32)]) -> (Array2<f32>, Array3<f32>) {
        let mut heat = Array2::zeros((10, 8));
        let mut edges = Array3::from_elem((4, 10, 8), 1.0);
        for &(row, col, score, half) in cells {
            heat[[row, col]] = score;
            for side in 0..4 {
                edges[[side, row, col]] = half;
            }
        }
        (heat, edges)
    }

    fn found(cells: &[(usize, usize, f32, f32)], factor: usize) -> Vec<Candidate> {
        let (heat, edges) = answer(cells);
        let output = Output {
            heat: heat.view(),
            edges: edges.view(),
        };
        let stale = Candidate {
            area: PixelBox {
                left: 0.0,
                top: 0.0,
                right: 9.0,
                bottom: 9.0,
            },
            score: 1.0,
        };
        let mut found = vec![stale; 2];
        let size = (40 * factor, 32 * factor);
        candidates(&output, &MEANING, factor, size, &mut found);
        found
    }

    #[test]
    fn a_candidate_lies_where_its_cell_and_edges_say() {
        let found_once = found(&[(5, 4, 0.9, 6.0)], 1);
        assert_eq!(found_once.len(), 1);
        let area = found_once[0].area;
        assert_eq!(
            (area.left, area.top, area.right, area.bottom),
            (12.0, 16.0, 24.0, 28.0)
        );
        let large = found(&[(5, 4, 0.9, 6.0)], 4);
        assert_eq!(large[0].area.left, 48.0);
        // Half of it is out of the picture, and it stays whole.
        let cut = found(&[(5, 0, 0.9, 6.0)], 1);
        assert_eq!(cut[0].area.left, -4.0);
    }

    #[test]
    fn weak_cells_and_overlapping_candidates_go() {
        assert!(found(&[(5, 4, 0.49, 6.0)], 1).is_empty());
        // Boxes 8 pixels apart, 16 wide: a third in common; 20 wide: three sevenths.
        assert_eq!(found(&[(5, 3, 0.9, 8.0), (5, 5, 0.8, 8.0)], 1).len(), 2);
        assert_eq!(found(&[(5, 3, 0.9, 10.0), (5, 5, 0.8, 10.0)], 1).len(), 1);
        assert_eq!(found(&[(2, 1, 0.9, 4.0), (7, 6, 0.8, 4.0)], 1).len(), 2);
    }

    #[test]
    fn of_many_the_best_stay() {
        let cells: Vec<_> = [0.6, 0.9, 0.7, 0.8, 0.95]
            .iter()
            .enumerate()
            .map(|(n, score)| (2 * n, 3, *score, 2.0))
            .collect();
        let scores: Vec<f32> = found(&cells, 1).iter().map(|c| c.score).collect();
        assert_eq!(scores, [0.95, 0.9, 0.8]);
    }

    #[test]
    fn numbers_that_are_none_give_no_candidate() {
        for half in [f32::NAN, f32::INFINITY, -5.0, 41.0] {
            assert!(found(&[(5, 4, 0.9, half)], 1).is_empty(), "{half}");
        }
        assert!(found(&[(5, 4, f32::NAN, 6.0)], 1).is_empty());
    }

    #[test]
    fn the_input_is_reduced_windowed_and_padded() {
        let mut input = Input::default();
        input.show(&Array2::from_elem((512, 640), 29.0_f32), MEANING.window);
        assert_eq!(input.factor, 4);
        assert_eq!(input.values.dim(), (128, 160));
        assert!((input.values[[0, 0]] - 0.5).abs() < 1e-5);
        input.show(&Array2::from_elem((64, 80), 99.0), MEANING.window);
        assert_eq!(input.values[[63, 0]], 1.0);
        // The same memory, a smaller picture: nothing of the last one is left.
        input.show(&Array2::from_elem((60, 80), 99.0), MEANING.window);
        assert_eq!((input.factor, input.values.dim()), (1, (64, 80)));
        assert_eq!(input.values[[59, 79]], 1.0);
        assert_eq!(input.values[[63, 0]], 0.0);
    }
}
