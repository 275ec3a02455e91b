//! The second stage: a closer look at one candidate.
//!
//! Another small network sees a square about the candidate, cut from the camera's full picture,
//! and says whether it is a face that can be measured, where its points and its edges are, what
//! hides it and how it is held. The square is [`Meaning::scale`] times as wide as the face, so that what hides a
//! brow or a chin is in view, and is always shown in the same number of cells, however many pixels
//! it has. The training cuts it in the same way (`models/training/crop.py`); the two must stay
//! alike, or the network sees what it never learned.
//!
//! A cell's value is the mean of n × n bilinear samples spread evenly in it. The samples lie on a
//! grid, so that mean is a weighted mean of rows of a weighted mean of columns: [`Cutter`] computes
//! the weights once for each axis and goes over the pixels once, whatever n is.

use super::decode::{Candidate, Window};
use super::{Face, Features, Landmarks, Occlusion, Pose};
use crate::units::{PixelBox, PixelPoint};
use ndarray::Array2;

/// Numbers in each of the network's answers: points, traits, pose and edges.
pub const ANSWERS: [usize; 4] = [2 * Landmarks::COUNT, 4, 3, 4];

/// Ratio of the sizes of two boxes below which they can be of one face. Both come from the same
/// network looking at the same face; faces of two people one behind the other, 0.6 and 0.9 m away,
/// differ by 1.5.
const SAME_SIZE: f32 = 1.5;

/// How the second network is fed and read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// Temperature window of the input: the first stage's.
    pub window: Window,
    /// Cells along each side of the input.
    pub cells: usize,
    /// Side of the square, in geometric means of the sides of the candidate's box.
    pub scale: f32,
    /// Least [`score`] of a face that can be measured, 0…1.
    pub threshold: f32,
    /// Overlap (intersection over union) beyond which two faces are one.
    pub nms_iou: f32,
}

/// The network's answer for one square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output<'a> {
    /// x, y of each point of [`Landmarks::points`], sides of the square from its centre.
    pub points: &'a [f32; ANSWERS[0]],
    /// Likelihoods of: a face that can be measured, glasses, a mask, a covered brow.
    pub traits: &'a [f32; ANSWERS[1]],
    /// Yaw, pitch, roll, degrees.
    pub pose: &'a [f32; ANSWERS[2]],
    /// Left, top, right, bottom edge of the face, sides of the square from its centre.
    pub edges: &'a [f32; ANSWERS[3]],
}

/// A square of the picture, in the camera's pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Square {
    /// Its centre.
    pub centre: PixelPoint,
    /// Its side.
    pub side: f32,
}

impl Square {
    /// The square that shows what is in this box.
    #[must_use]
    pub fn about(area: &PixelBox, scale: f32) -> Self {
        Self {
            centre: area.centre(),
            side: scale * area.area().sqrt(),
        }
    }
}

/// Cuts squares out of pictures; its memory is used again for the next one.
#[derive(Clone, Debug, Default)]
pub struct Cutter {
    columns: Axis,
    rows: Axis,
    /// One row of cells, before the rows are averaged.
    strip: Vec<f32>,
}

impl Cutter {
    /// Cuts a square into cells (as many as `input` has, row by row), through the window: what
    /// lies outside of the picture is as cold as the window goes.
    pub fn cut(
        &mut self,
        celsius: &Array2<f32>,
        square: &Square,
        window: Window,
        input: &mut Array2<f32>,
    ) {
        let (height, width) = celsius.dim();
        let (rows, cols) = input.dim();
        self.columns.lay(square.centre.x, square.side, width, cols);
        self.rows.lay(square.centre.y, square.side, height, rows);
        for (row, mut cells) in input.rows_mut().into_iter().enumerate() {
            self.strip.clear();
            self.strip.resize(cols, 0.0);
            for (y, weight) in self.rows.pixels(row) {
                for (col, mean) in self.strip.iter_mut().enumerate() {
                    let warmer: f32 = self
                        .columns
                        .pixels(col)
                        .map(|(x, share)| share * (celsius[[y, x]] - window.low_c))
                        .sum();
                    *mean += weight * warmer;
                }
            }
            for (cell, warmer) in cells.iter_mut().zip(&self.strip) {
                *cell = window.value(window.low_c + warmer);
            }
        }
    }
}

/// Which pixels the cells along one side look at, and how much each of them counts.
#[derive(Clone, Debug, Default)]
struct Axis {
    /// For each cell its first pixel, and where its weights begin and end.
    cells: Vec<(usize, usize, usize)>,
    weights: Vec<f32>,
}

impl Axis {
    /// Lays `cells` cells over `side` pixels about a centre, in a picture of `length` pixels.
    fn lay(&mut self, centre: f32, side: f32, length: usize, cells: usize) {
        self.cells.clear();
        self.weights.clear();
        let (centre, side) = (f64::from(centre), f64::from(side));
        let samples = (side / cells as f64).round().max(1.0) as usize;
        let share = 1.0 / samples as f32;
        let last = length.saturating_sub(1);
        for cell in 0..cells {
            let begin = self.weights.len();
            let mut first = 0;
            for sample in 0..samples {
                let along = cell as f64 + (sample as f64 + 0.5) / samples as f64;
                let at = centre + (along / cells as f64 - 0.5) * side;
                if at < 0.0 || at >= length as f64 {
                    continue;
                }
                // Pixel 0 has its centre at 0.5.
                let at = (at - 0.5).clamp(0.0, last as f64);
                let pixel = at as usize;
                let beyond = (at - pixel as f64) as f32;
                if self.weights.len() == begin {
                    first = pixel;
                }
                let next = (pixel + 1).min(last);
                self.weights.resize(begin + next - first + 1, 0.0);
                self.weights[begin + pixel - first] += share * (1.0 - beyond);
                self.weights[begin + next - first] += share * beyond;
            }
            self.cells.push((first, begin, self.weights.len()));
        }
    }

    /// The pixels of a cell with their weights.
    fn pixels(&self, cell: usize) -> impl Iterator<Item = (usize, f32)> {
        let (first, begin, end) = self.cells[cell];
        (first..).zip(self.weights[begin..end].iter().copied())
    }
}

/// How likely a candidate is a face that can be measured: the geometric mean of what the two stages
/// say. They look at different things (the first at a whole person, the second at a face), so each
/// is wrong where the other is not.
#[must_use]
pub fn score(output: &Output<'_>, candidate: &Candidate) -> f32 {
    (output.traits[0] * candidate.score).max(0.0).sqrt()
}

/// The face that an answer tells of; `None` where it is none that can be measured, or where the
/// numbers are none. Its area is cut to the picture.
#[must_use]
pub fn face(
    output: &Output<'_>,
    candidate: &Candidate,
    meaning: &Meaning,
    (rows, cols): (usize, usize),
) -> Option<Face> {
    let [_, glasses, mask, brow] = *output.traits;
    let score = score(output, candidate);
    let numbers = [&output.points[..], output.traits, output.pose, output.edges];
    if score < meaning.threshold || numbers.iter().any(|it| it.iter().any(|n| !n.is_finite())) {
        return None;
    }
    let square = Square::about(&candidate.area, meaning.scale);
    let [left, top, right, bottom] = output.edges.map(|edge| edge * square.side);
    let area = PixelBox {
        left: square.centre.x + left,
        top: square.centre.y + top,
        right: square.centre.x + right,
        bottom: square.centre.y + bottom,
    };
    let area = area.clipped(cols, rows);
    let (xy, _) = output.points.as_chunks::<2>();
    let mut points = [square.centre; Landmarks::COUNT];
    for (point, [x, y]) in points.iter_mut().zip(xy) {
        point.x += x * square.side;
        point.y += y * square.side;
    }
    let [yaw_deg, pitch_deg, roll_deg] = *output.pose;
    area.is_proper().then_some(Face {
        area,
        features: Some(Features {
            landmarks: Landmarks::from_points(points),
            occlusion: Occlusion {
                glasses,
                mask,
                brow,
            },
            pose: Pose {
                yaw_deg,
                pitch_deg,
                roll_deg,
            },
        }),
        score,
    })
}

/// Sorts faces, best first, and leaves one of those that are the same face: seen twice by the first
/// stage, once better and once worse.
pub fn settle(faces: &mut Vec<Face>, nms_iou: f32) {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = 0;
    for index in 0..faces.len() {
        let face = faces[index];
        if !faces[..kept]
            .iter()
            .any(|better| is_same(&better.area, &face.area, nms_iou))
        {
            faces[kept] = face;
            kept += 1;
        }
    }
    faces.truncate(kept);
}

/// Whether two boxes are of one face: they overlap, or one that is about as large has its centre
/// in the inner half of the better one.
fn is_same(better: &PixelBox, other: &PixelBox, nms_iou: f32) -> bool {
    let (here, there) = (better.centre(), other.centre());
    let inside = (here.x - there.x).abs() <= better.width() / 4.0
        && (here.y - there.y).abs() <= better.height() / 4.0;
    let (one, two) = (better.area().sqrt(), other.area().sqrt());
    let alike = one.max(two) <= SAME_SIZE * one.min(two);
    better.iou(other) > nms_iou || (inside && alike)
}

#[cfg(test)]
mod tests;
