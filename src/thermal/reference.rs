//! The blackbody in view: found by what it looks like, followed by where it stands.
//!
//! An uncooled camera has no absolute temperature of its own: its level wanders by kelvins over a
//! day and steps at every shutter event, for scene and reference alike (measured on 58 real
//! recordings: −5…+1 K). So the reference must be seen in every frame that is measured.
//!
//! A reference is a small, round, even, sharp-edged warm disc that does not move. Faces, hands
//! and hot drinks are none of these at once. Until it has been seen at one place in
//! [`FRAMES_TO_LOCK`] frames nothing is believed; once it is locked, each frame asks whether it is
//! still there, uncovered and even. A reference that moved is searched anew.

use super::frame::{ReferenceFlaw, ReferenceQuality, ReferenceView};
use super::radiometry::Emissivity;
use crate::units::{
    Celsius, PixelPoint, ReferenceTemperature, StandardUncertainty, TemperatureDelta,
};
use ndarray::Array2;

/// What is known of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceSettings {
    /// Temperature that its controller holds, of its surface.
    pub set_point: ReferenceTemperature,
    /// Of its surface; 1 where the set point is already given as apparent temperature.
    pub emissivity: Emissivity,
    /// Standard uncertainty of the set point (certificate and uniformity).
    pub u_set_point: StandardUncertainty,
    /// How far away it stands, m; `None`: as far as the faces.
    pub distance_m: Option<f64>,
}

impl Default for ReferenceSettings {
    /// A blackbody at 37 °C whose maker has put the emissivity into the set point, as most do.
    fn default() -> Self {
        Self {
            set_point: ReferenceTemperature(Celsius::literal(37.0)),
            emissivity: Emissivity::BLACKBODY,
            u_set_point: StandardUncertainty::literal(0.1),
            distance_m: None,
        }
    }
}

/// Frames in which a candidate must be seen at one place before it is believed.
pub const FRAMES_TO_LOCK: u32 = 5;

/// How far below or above its set point an uncorrected camera may read the reference, K
/// (measured: −5.1…+1.1 K over 58 recordings; with margin).
const READING_RANGE_K: (f32, f32) = (-9.0, 5.0);

/// Least contrast to its surroundings, K, for a candidate. Also the reason for refusing a
/// reference in a room that is nearly as warm as it.
const LEAST_CONTRAST_K: f32 = 2.5;

/// Largest standard deviation of the inner disc, K.
const LARGEST_SPREAD_K: f32 = 0.35;

/// Directions in which the edge of the disc is looked at.
const DIRECTIONS: usize = 16;

/// Directions that must show the edge. The rest may look at a warm neighbour.
const DIRECTIONS_NEEDED: usize = 13;

/// Half the width of the ring in which an edge falls, pixels: what a lens and a pixel blur.
const EDGE_PX: f32 = 1.5;

/// Least share of the whole fall that lies in that ring, for half of the directions: nearly all of
/// it at a disc's edge, about a third at the side of a smooth glow.
const LEAST_SHARPNESS: f32 = 0.55;

/// Frames without the reference after which it is searched elsewhere, too.
const FRAMES_TO_SEARCH_AGAIN: u32 = 9;

/// Frames in which a reference that was found elsewhere is said to have been moved: 5 s.
const FRAMES_TO_SAY_IT_MOVED: u32 = 45;

/// The longer side of the picture in which candidates are searched, pixels.
const SEARCH_SIDE: usize = 160;

/// What one frame says of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceState {
    /// Never locked since the start.
    Searching,
    /// In view, even, where it was.
    InView(ReferenceView),
    /// Was locked; now covered, uneven or gone.
    Lost,
}

/// Finds the reference and follows it, frame by frame.
#[derive(Clone, Debug)]
pub struct ReferenceTracker {
    settings: ReferenceSettings,
    candidates: Vec<Candidate>,
    locked: Option<Disc>,
    lost_for: u32,
    /// For so many frames more it is said that it was moved.
    moved_for: u32,
}

/// A round, even, sharp-edged spot in one frame.
#[derive(Clone, Copy, Debug)]
struct Disc {
    x: f32,
    y: f32,
    radius: f32,
    reading: f32,
    spread: f32,
    contrast: f32,
    /// Share of the directions that show the edge.
    edge: f32,
}

/// A disc that was seen at one place in several frames.
#[derive(Clone, Debug)]
struct Candidate {
    disc: Disc,
    hits: u32,
    seen_now: bool,
}

impl Disc {
    /// How much it looks like a reference; higher is better.
    fn quality(&self) -> f32 {
        self.contrast / (self.spread + 0.1)
    }

    fn is_at(&self, other: &Self) -> bool {
        let near = 1.5_f32.max(0.3 * self.radius);
        (self.x - other.x).hypot(self.y - other.y) <= near
            && (0.7..1.4).contains(&(self.radius / other.radius))
    }

    /// What is to be said of it, whether or not it was found elsewhere lately.
    fn view(&self, moved: bool, set_point: f32) -> Option<ReferenceView> {
        let needed = DIRECTIONS_NEEDED as f32 / DIRECTIONS as f32;
        let off = self.reading - set_point;
        let room = if off < 0.0 {
            READING_RANGE_K.0
        } else {
            READING_RANGE_K.1
        };
        // One direction less than needed leaves nothing; the farthest reading that real cameras had
        // (5.1 K below) is nothing against it.
        let quality = ReferenceQuality::worst(&[
            (
                ReferenceFlaw::Occluded,
                (self.edge - needed) / (1.0 - needed) + 0.25,
            ),
            (ReferenceFlaw::Moved, if moved { 0.25 } else { 1.0 }),
            (
                ReferenceFlaw::Unstable,
                1.0 - self.spread / LARGEST_SPREAD_K,
            ),
            (ReferenceFlaw::OffSetPoint, 2.0 * (1.0 - off / room)),
        ]);
        Some(ReferenceView {
            quality,
            centre: PixelPoint {
                x: self.x,
                y: self.y,
            },
            radius: self.radius,
            reading: ReferenceTemperature(Celsius::new(f64::from(self.reading))?),
            spread: TemperatureDelta::new(f64::from(self.spread))?,
        })
    }
}

impl ReferenceTracker {
    /// Nothing found yet.
    #[must_use]
    pub fn new(settings: ReferenceSettings) -> Self {
        Self {
            settings,
            candidates: Vec::new(),
            locked: None,
            lost_for: 0,
            moved_for: 0,
        }
    }

    /// Looks at one uncorrected frame, °C.
    pub fn step(&mut self, celsius: &Array2<f32>) -> ReferenceState {
        if let Some(locked) = self.locked {
            if let Some(disc) = self.still_there(celsius, &locked) {
                self.lost_for = 0;
                self.candidates.clear();
                self.locked = Some(Disc {
                    contrast: locked.contrast + 0.05 * (disc.contrast - locked.contrast),
                    ..locked
                });
                self.moved_for = self.moved_for.saturating_sub(1);
                return self.in_view(&disc);
            }
            self.lost_for = self.lost_for.saturating_add(1);
            if self.lost_for < FRAMES_TO_SEARCH_AGAIN {
                return ReferenceState::Lost;
            }
        }
        self.search(celsius);
        match self.best_candidate() {
            Some(disc) => {
                if self.locked.is_some_and(|was| !was.is_at(&disc)) {
                    self.moved_for = FRAMES_TO_SAY_IT_MOVED;
                }
                self.locked = Some(disc);
                self.lost_for = 0;
                self.candidates.clear();
                self.in_view(&disc)
            }
            None if self.locked.is_some() => ReferenceState::Lost,
            None => ReferenceState::Searching,
        }
    }

    fn in_view(&self, disc: &Disc) -> ReferenceState {
        let set_point = self.settings.set_point.degrees() as f32;
        disc.view(self.moved_for > 0, set_point)
            .map_or(ReferenceState::Lost, ReferenceState::InView)
    }

    fn best_candidate(&self) -> Option<Disc> {
        self.candidates
            .iter()
            .filter(|candidate| candidate.seen_now && candidate.hits >= FRAMES_TO_LOCK)
            .map(|candidate| candidate.disc)
            .max_by(|a, b| a.quality().total_cmp(&b.quality()))
    }

    /// The locked disc in this frame, unless it is covered, uneven or gone.
    fn still_there(&self, celsius: &Array2<f32>, locked: &Disc) -> Option<Disc> {
        let disc = inspect(
            celsius,
            locked.x,
            locked.y,
            locked.radius,
            0.5 * locked.contrast,
        )?;
        self.reads_plausibly(disc.reading).then_some(disc)
    }

    fn reads_plausibly(&self, reading: f32) -> bool {
        let off = reading - self.settings.set_point.degrees() as f32;
        (READING_RANGE_K.0..=READING_RANGE_K.1).contains(&off)
    }

    /// Adds this frame's discs to the candidates.
    fn search(&mut self, celsius: &Array2<f32>) {
        for candidate in &mut self.candidates {
            candidate.seen_now = false;
        }
        for disc in self.discs(celsius) {
            match self.candidates.iter_mut().find(|c| c.disc.is_at(&disc)) {
                Some(candidate) if candidate.seen_now => {
                    if disc.quality() > candidate.disc.quality() {
                        candidate.disc = disc;
                    }
                }
                Some(candidate) => {
                    candidate.disc = disc;
                    candidate.hits += 1;
                    candidate.seen_now = true;
                }
                None => self.candidates.push(Candidate {
                    disc,
                    hits: 1,
                    seen_now: true,
                }),
            }
        }
        self.candidates.retain(|candidate| candidate.seen_now);
    }

    /// Every disc of one frame, found on a smaller picture and looked at in the full one.
    fn discs(&self, celsius: &Array2<f32>) -> Vec<Disc> {
        let factor = (celsius.nrows().max(celsius.ncols())).div_ceil(SEARCH_SIDE);
        let small = shrink(celsius, factor);
        let set_point = self.settings.set_point.degrees() as f32;
        let mut labels = Labels::new(small.dim());
        let mut found: Vec<Disc> = Vec::new();
        // From the hottest level at which it may appear downwards, in steps well below the least
        // contrast, so that at least two levels cut each disc between its top and its foot.
        let mut level = set_point + READING_RANGE_K.1 - 1.0;
        let lowest = set_point + READING_RANGE_K.0 - LEAST_CONTRAST_K;
        while level >= lowest {
            for spot in labels.spots(&small, level) {
                let Some((x, y, radius)) = spot.as_disc(small.dim()) else {
                    continue;
                };
                let f = factor as f32;
                let disc = inspect(celsius, x * f, y * f, radius * f, LEAST_CONTRAST_K * 0.6);
                let Some(disc) = disc.filter(|d| self.reads_plausibly(d.reading)) else {
                    continue;
                };
                if disc.contrast < LEAST_CONTRAST_K {
                    continue;
                }
                match found.iter_mut().find(|other| other.is_at(&disc)) {
                    Some(other) if disc.quality() > other.quality() => *other = disc,
                    Some(_) => {}
                    None => found.push(disc),
                }
            }
            level -= 1.0;
        }
        found
    }
}

/// Looks at a disc of this place and size: its inner reading and its edge all around. `None`
/// where it is uneven, or its edge does not fall by `least_edge` K in enough directions, or falls
/// too gently.
fn inspect(celsius: &Array2<f32>, x: f32, y: f32, radius: f32, least_edge: f32) -> Option<Disc> {
    let mut inner = inner_disc(celsius, x, y, 0.6 * radius);
    if inner.len() < 4 {
        return None;
    }
    let mean = inner.iter().sum::<f32>() / inner.len() as f32;
    let variance = inner.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / inner.len() as f32;
    let reading = median(&mut inner)?;
    let spread = variance.sqrt();
    if spread > LARGEST_SPREAD_K {
        return None;
    }
    let mut edges = Vec::with_capacity(DIRECTIONS);
    let mut sharpness = Vec::with_capacity(DIRECTIONS);
    let away = radius + 2.0 + 0.25 * radius;
    for direction in 0..DIRECTIONS {
        let angle = std::f32::consts::TAU * direction as f32 / DIRECTIONS as f32;
        let (dy, dx) = angle.sin_cos();
        let at = |distance: f32| pixel(celsius, x + distance * dx, y + distance * dy);
        if let Some(outside) = at(away) {
            let fall = reading - outside;
            edges.push(fall);
            if let (Some(inner), Some(outer)) = (at(radius - EDGE_PX), at(radius + EDGE_PX)) {
                sharpness.push((inner - outer) / fall.max(0.1));
            }
        }
    }
    // At the rim of the picture some directions look at nothing; then all the others must fall.
    let needed = DIRECTIONS_NEEDED.min(edges.len());
    let falling = edges.iter().filter(|edge| **edge >= least_edge).count();
    if edges.len() < DIRECTIONS / 2 || falling < needed {
        return None;
    }
    if median(&mut sharpness)? < LEAST_SHARPNESS {
        return None;
    }
    let contrast = median(&mut edges)?;
    Some(Disc {
        x,
        y,
        radius,
        reading,
        spread,
        contrast,
        edge: falling as f32 / edges.len() as f32,
    })
}

/// Values of all pixels whose centre lies within `radius` of the place.
fn inner_disc(celsius: &Array2<f32>, x: f32, y: f32, radius: f32) -> Vec<f32> {
    let radius = radius.max(1.0);
    let mut values = Vec::with_capacity((radius * radius * 3.5) as usize + 4);
    let first_row = (y - radius).floor().max(0.0) as usize;
    let first_col = (x - radius).floor().max(0.0) as usize;
    let last_row = ((y + radius).ceil().max(0.0) as usize).min(celsius.nrows());
    let last_col = ((x + radius).ceil().max(0.0) as usize).min(celsius.ncols());
    for row in first_row..last_row {
        for col in first_col..last_col {
            let (dx, dy) = (col as f32 + 0.5 - x, row as f32 + 0.5 - y);
            if dx * dx + dy * dy <= radius * radius {
                values.push(celsius[[row, col]]);
            }
        }
    }
    values
}

fn pixel(celsius: &Array2<f32>, x: f32, y: f32) -> Option<f32> {
    if x < 0.0 || y < 0.0 {
        return None;
    }
    celsius.get([y as usize, x as usize]).copied()
}

/// Middle value; reorders the slice.
fn median(values: &mut [f32]) -> Option<f32> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    Some(*values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// Means of blocks of `factor` × `factor` pixels.
fn shrink(celsius: &Array2<f32>, factor: usize) -> Array2<f32> {
    if factor <= 1 {
        return celsius.clone();
    }
    let (rows, cols) = (celsius.nrows() / factor, celsius.ncols() / factor);
    let share = 1.0 / (factor * factor) as f32;
    Array2::from_shape_fn((rows, cols), |(row, col)| {
        let block = celsius.slice(ndarray::s![
            row * factor..(row + 1) * factor,
            col * factor..(col + 1) * factor
        ]);
        block.sum() * share
    })
}

/// A connected set of pixels above a level.
struct Spot {
    area: usize,
    sum_x: f32,
    sum_y: f32,
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Spot {
    /// Centre and radius, where its outline is that of a disc inside of the picture.
    fn as_disc(&self, (rows, cols): (usize, usize)) -> Option<(f32, f32, f32)> {
        let at_rim =
            self.left == 0 || self.top == 0 || self.right + 1 == cols || self.bottom + 1 == rows;
        // 9 pixels: 3 × 3, the least that has an inside; 3 % of the picture: beyond that it
        // would be a face.
        if at_rim || self.area < 9 || self.area * 33 > rows * cols {
            return None;
        }
        let width = (self.right - self.left + 1) as f32;
        let height = (self.bottom - self.top + 1) as f32;
        let filled = self.area as f32 / (width * height);
        let radius = (self.area as f32 / std::f32::consts::PI).sqrt();
        let round = (0.7..1.43).contains(&(width / height))
            && filled > 0.62
            && (0.75..1.4).contains(&(width / (2.0 * radius)))
            && (0.75..1.4).contains(&(height / (2.0 * radius)));
        let share = 1.0 / self.area as f32;
        round.then_some((self.sum_x * share, self.sum_y * share, radius))
    }
}

/// Working memory of the search for connected pixels.
struct Labels {
    seen: Array2<bool>,
    stack: Vec<(usize, usize)>,
}

impl Labels {
    fn new(dim: (usize, usize)) -> Self {
        Self {
            seen: Array2::from_elem(dim, false),
            stack: Vec::new(),
        }
    }

    /// Connected sets (4 neighbours) of pixels at or above the level.
    fn spots(&mut self, picture: &Array2<f32>, level: f32) -> Vec<Spot> {
        let (rows, cols) = picture.dim();
        self.seen.fill(false);
        let mut spots = Vec::new();
        for row in 0..rows {
            for col in 0..cols {
                if self.seen[[row, col]] || picture[[row, col]] < level {
                    continue;
                }
                spots.push(self.fill(picture, level, row, col));
            }
        }
        spots
    }

    fn fill(&mut self, picture: &Array2<f32>, level: f32, row: usize, col: usize) -> Spot {
        let (rows, cols) = picture.dim();
        let mut spot = Spot {
            area: 0,
            sum_x: 0.0,
            sum_y: 0.0,
            left: col,
            right: col,
            top: row,
            bottom: row,
        };
        self.seen[[row, col]] = true;
        self.stack.push((row, col));
        while let Some((row, col)) = self.stack.pop() {
            spot.area += 1;
            spot.sum_x += col as f32 + 0.5;
            spot.sum_y += row as f32 + 0.5;
            spot.left = spot.left.min(col);
            spot.right = spot.right.max(col);
            spot.top = spot.top.min(row);
            spot.bottom = spot.bottom.max(row);
            let neighbours = [
                (row.wrapping_sub(1), col),
                (row + 1, col),
                (row, col.wrapping_sub(1)),
                (row, col + 1),
            ];
            for (r, c) in neighbours {
                if r < rows && c < cols && !self.seen[[r, c]] && picture[[r, c]] >= level {
                    self.seen[[r, c]] = true;
                    self.stack.push((r, c));
                }
            }
        }
        spot
    }
}

#[cfg(test)]
mod tests;
