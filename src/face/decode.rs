//! What the face network's outputs mean.
//!
//! The network looks at temperatures through a fixed window ([`Window`]): what is skin is skin
//! whatever else is in the picture. It answers on a grid of cells, [`Meaning::stride`] pixels
//! wide: how likely the middle of a face lies in the cell, how far the edges of that face are, and
//! where its points are. A face is a cell that beats its neighbours; of overlapping faces the
//! better one stays.

use super::Face;
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

/// How the outputs are to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// Temperature window of the input.
    pub window: Window,
    /// Pixels of the input per cell of the output.
    pub stride: usize,
    /// Least score of a face, 0…1.
    pub threshold: f32,
    /// Overlap (intersection over union) beyond which the worse of two faces goes.
    pub nms_iou: f32,
}

/// A picture as the network wants it.
#[derive(Clone, Debug, PartialEq)]
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
    /// Offsets x, y of eyes, nose and mouth corners, input pixels: 10 × rows × columns.
    pub points: ArrayView3<'a, f32>,
}

/// Shows a picture of temperatures to the network.
#[must_use]
pub fn input(celsius: &Array2<f32>, window: Window) -> Input {
    let (rows, cols) = celsius.dim();
    let factor = ((rows.min(cols) + SHORT_SIDE / 2) / SHORT_SIDE).max(1);
    let (small_rows, small_cols) = (rows / factor, cols / factor);
    let mut values = Array2::zeros((
        small_rows.next_multiple_of(SIDE_MULTIPLE),
        small_cols.next_multiple_of(SIDE_MULTIPLE),
    ));
    let scale = 1.0 / ((window.high_c - window.low_c) * (factor * factor) as f32);
    let low = window.low_c * (factor * factor) as f32;
    for row in 0..small_rows {
        for col in 0..small_cols {
            let mut sum = 0.0;
            for y in row * factor..(row + 1) * factor {
                for x in col * factor..(col + 1) * factor {
                    sum += celsius[[y, x]];
                }
            }
            values[[row, col]] = ((sum - low) * scale).clamp(0.0, 1.0);
        }
    }
    Input { values, factor }
}

/// The faces in an answer, best first, in pixels of the camera's picture of this size. Cells
/// whose numbers are not finite, or shapes that do not agree, give no face.
#[must_use]
pub fn faces(
    output: &Output<'_>,
    meaning: &Meaning,
    factor: usize,
    (rows, cols): (usize, usize),
) -> Vec<Face> {
    let (h, w) = output.heat.dim();
    if output.edges.dim() != (4, h, w) || output.points.dim() != (10, h, w) {
        return Vec::new();
    }
    let mut found: Vec<Face> = Vec::new();
    for row in 0..h {
        for col in 0..w {
            let score = output.heat[[row, col]];
            if score >= meaning.threshold && is_peak(&output.heat, row, col) {
                found.extend(face_at(output, meaning, factor, row, col, cols, rows));
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Face> = Vec::with_capacity(found.len());
    for face in found {
        if kept
            .iter()
            .all(|better| better.area.iou(&face.area) <= meaning.nms_iou)
        {
            kept.push(face);
        }
    }
    kept
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

fn face_at(
    output: &Output<'_>,
    meaning: &Meaning,
    factor: usize,
    row: usize,
    col: usize,
    width: usize,
    height: usize,
) -> Option<Face> {
    let stride = meaning.stride as f32;
    let (x, y) = ((col as f32 + 0.5) * stride, (row as f32 + 0.5) * stride);
    let f = factor as f32;
    let edge = |side: usize| output.edges[[side, row, col]];
    let area = PixelBox {
        left: (x - edge(0)) * f,
        top: (y - edge(1)) * f,
        right: (x + edge(2)) * f,
        bottom: (y + edge(3)) * f,
    };
    if !area.is_proper() {
        return None;
    }
    let area = area.clipped(width, height);
    area.is_proper().then_some(Face {
        area,
        features: None,
        score: output.heat[[row, col]],
    })
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
    };

    fn answer(cells: &[(usize, usize, f32, f32)]) -> (Array2<f32>, Array3<f32>, Array3<f32>) {
        let mut heat = Array2::zeros((10, 8));
        let mut edges = Array3::from_elem((4, 10, 8), 1.0);
        for &(row, col, score, half) in cells {
            heat[[row, col]] = score;
            for side in 0..4 {
                edges[[side, row, col]] = half;
            }
        }
        (heat, edges, Array3::zeros((10, 10, 8)))
    }

    fn found(cells: &[(usize, usize, f32, f32)], factor: usize) -> Vec<Face> {
        let (heat, edges, points) = answer(cells);
        let output = Output {
            heat: heat.view(),
            edges: edges.view(),
            points: points.view(),
        };
        faces(&output, &MEANING, factor, (40 * factor, 32 * factor))
    }

    #[test]
    fn a_face_lies_where_its_cell_and_edges_say() {
        let faces = found(&[(5, 4, 0.9, 6.0)], 1);
        assert_eq!(faces.len(), 1);
        let area = faces[0].area;
        assert_eq!(
            (area.left, area.top, area.right, area.bottom),
            (12.0, 16.0, 24.0, 28.0)
        );
        let large = found(&[(5, 4, 0.9, 6.0)], 4);
        assert_eq!(large[0].area.left, 48.0);
    }

    #[test]
    fn weak_cells_and_overlapping_faces_go() {
        assert!(found(&[(5, 4, 0.49, 6.0)], 1).is_empty());
        // Boxes 8 pixels apart, 16 wide: a third in common; 20 wide: three sevenths.
        assert_eq!(found(&[(5, 3, 0.9, 8.0), (5, 5, 0.8, 8.0)], 1).len(), 2);
        assert_eq!(found(&[(5, 3, 0.9, 10.0), (5, 5, 0.8, 10.0)], 1).len(), 1);
        assert_eq!(found(&[(2, 1, 0.9, 4.0), (7, 6, 0.8, 4.0)], 1).len(), 2);
    }

    #[test]
    fn numbers_that_are_none_give_no_face() {
        assert!(found(&[(5, 4, 0.9, f32::NAN)], 1).is_empty());
        assert!(found(&[(5, 4, 0.9, f32::INFINITY)], 1).is_empty());
        assert!(found(&[(5, 4, 0.9, -5.0)], 1).is_empty());
        assert!(found(&[(5, 4, f32::NAN, 6.0)], 1).is_empty());
    }

    #[test]
    fn the_input_is_reduced_windowed_and_padded() {
        let picture = Array2::from_elem((512, 640), 29.0_f32);
        let input = input(&picture, MEANING.window);
        assert_eq!(input.factor, 4);
        assert_eq!(input.values.dim(), (128, 160));
        assert!((input.values[[0, 0]] - 0.5).abs() < 1e-5);
        let small = super::input(&Array2::from_elem((60, 80), 99.0), MEANING.window);
        assert_eq!((small.factor, small.values.dim()), (1, (64, 80)));
        assert_eq!(small.values[[59, 79]], 1.0);
        assert_eq!(small.values[[63, 0]], 0.0);
    }
}
