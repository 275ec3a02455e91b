//! What a blackbody looks like in one frame: a small, round, even, sharp-edged warm disc. Faces, hands
//! and hot drinks are none of these at once.

use ndarray::Array2;

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

/// The longer side of the picture in which candidates are searched, pixels.
const SEARCH_SIDE: usize = 160;

/// A round, even, sharp-edged spot in one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disc {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) radius: f32,
    pub(super) reading: f32,
    pub(super) spread: f32,
    pub(super) contrast: f32,
    /// Share of the directions that show the edge.
    edge: f32,
}

impl Disc {
    /// How much it looks like a reference; higher is better.
    pub(super) fn quality(&self) -> f32 {
        self.contrast / (self.spread + 0.1)
    }

    pub(super) fn is_at(&self, other: &Self) -> bool {
        let near = 1.5_f32.max(0.3 * self.radius);
        (self.x - other.x).hypot(self.y - other.y) <= near
            && (0.7..1.4).contains(&(self.radius / other.radius))
    }

    /// How much of the edge is left, 1 to 0: one direction less than needed leaves nothing.
    pub(super) fn uncovered(&self) -> f32 {
        let needed = DIRECTIONS_NEEDED as f32 / DIRECTIONS as f32;
        (self.edge - needed) / (1.0 - needed) + 0.25
    }

    /// How even it is, 1 to 0.
    pub(super) fn evenness(&self) -> f32 {
        1.0 - self.spread / LARGEST_SPREAD_K
    }
}

/// Every disc of one frame whose reading, uncorrected, lies in this range, °C: found on a smaller picture
/// and looked at in the full one.
pub(super) fn discs(celsius: &Array2<f32>, (coldest, hottest): (f32, f32)) -> Vec<Disc> {
    let factor = (celsius.nrows().max(celsius.ncols())).div_ceil(SEARCH_SIDE);
    let small = shrink(celsius, factor);
    let mut labels = Labels::new(small.dim());
    let mut found: Vec<Disc> = Vec::new();
    // From the hottest level at which it may appear downwards, in steps well below the least
    // contrast, so that at least two levels cut each disc between its top and its foot.
    let mut level = hottest;
    let lowest = coldest - LEAST_CONTRAST_K;
    while level >= lowest {
        for spot in labels.spots(&small, level) {
            let Some((x, y, radius)) = spot.as_disc(small.dim()) else {
                continue;
            };
            let f = factor as f32;
            let disc = inspect(celsius, x * f, y * f, radius * f, LEAST_CONTRAST_K * 0.6);
            let plausible = |disc: &Disc| (coldest..=hottest).contains(&disc.reading);
            let Some(disc) = disc.filter(plausible) else {
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

/// Looks at a disc of this place and size: its inner reading and its edge all around. `None`
/// where it is uneven, or its edge does not fall by `least_edge` K in enough directions, or falls
/// too gently.
pub(super) fn inspect(
    celsius: &Array2<f32>,
    x: f32,
    y: f32,
    radius: f32,
    least_edge: f32,
) -> Option<Disc> {
    let mut inner = inner_disc(celsius, x, y, 0.6 * radius);
    let reading = median(&mut inner)?;
    let mean = inner.iter().sum::<f32>() / inner.len() as f32;
    let variance = inner.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / inner.len() as f32;
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
mod tests {
    use super::*;

    #[test]
    fn spots_are_what_is_connected_and_warm_enough_and_nothing_else() {
        let mut picture = Array2::from_elem((12, 14), 20.0);
        picture.slice_mut(ndarray::s![2..5, 3..7]).fill(36.0);
        picture.slice_mut(ndarray::s![7..10, 9..12]).fill(30.0);
        // Corner to corner is not connected.
        picture[[5, 7]] = 36.0;
        let mut labels = Labels::new(picture.dim());
        let mut areas = |level| {
            let spots = labels.spots(&picture, level);
            spots.iter().map(|spot| spot.area).collect::<Vec<_>>()
        };
        assert_eq!(areas(36.0), [12, 1]);
        assert_eq!(areas(30.0), [12, 1, 9]);
        assert!(areas(36.1).is_empty());
        assert_eq!(areas(20.0), [12 * 14]);
        let spots = labels.spots(&picture, 33.0);
        let spot = &spots[0];
        assert_eq!((spot.left, spot.right, spot.top, spot.bottom), (3, 6, 2, 4));
        assert!((spot.sum_x / 12.0 - 5.0).abs() < 1e-6 && (spot.sum_y / 12.0 - 3.5).abs() < 1e-6);
    }

    #[test]
    fn a_disc_is_round_small_and_within_the_picture() {
        let spot = |left, top, width: usize, height: usize, area| Spot {
            area,
            sum_x: 0.0,
            sum_y: 0.0,
            left,
            right: left + width - 1,
            top,
            bottom: top + height - 1,
        };
        let is_disc = |it: Spot| it.as_disc((100, 100)).is_some();
        // π/4 of its box.
        assert!(is_disc(spot(20, 20, 10, 10, 78)));
        assert!(is_disc(spot(20, 20, 3, 3, 9)));
        assert!(!is_disc(spot(20, 20, 3, 3, 8)), "too small");
        assert!(is_disc(spot(1, 1, 19, 20, 303)));
        assert!(!is_disc(spot(20, 20, 20, 20, 314)), "a face");
        assert!(!is_disc(spot(20, 20, 10, 10, 50)), "hollow");
        assert!(!is_disc(spot(20, 20, 16, 10, 125)), "a bar");
        assert!(!is_disc(spot(20, 20, 10, 16, 125)), "a pole");
        for (left, top) in [(0, 20), (20, 0), (90, 20), (20, 90)] {
            assert!(!is_disc(spot(left, top, 10, 10, 78)), "at the rim");
        }
    }

    /// A disc of 36 °C in a room of 22 °C, of whose surroundings so many degrees of angle are warm, too.
    fn beside(warm_degrees: f32) -> Option<Disc> {
        let picture = Array2::from_shape_fn((60, 60), |(row, col)| {
            let (x, y) = (col as f32 + 0.5 - 30.0, row as f32 + 0.5 - 30.0);
            let angle = y.atan2(x).to_degrees().rem_euclid(360.0);
            if x.hypot(y) < 6.0 || angle < warm_degrees {
                36.0
            } else {
                22.0
            }
        });
        inspect(&picture, 30.0, 30.0, 6.0, 1.5)
    }

    #[test]
    fn contrast_speaks_for_a_disc_and_unevenness_against_it() {
        let disc = |contrast, spread| Disc {
            spread,
            contrast,
            ..beside(-1.0).unwrap()
        };
        assert!((disc(9.0, 0.2).quality() - 30.0).abs() < 1e-4);
        assert!(disc(9.0, 0.1).quality() > disc(9.0, 0.2).quality());
        assert!(disc(9.0, 0.1).quality() > disc(8.0, 0.1).quality());
        let half = 0.5 * LARGEST_SPREAD_K;
        assert!((disc(9.0, half).evenness() - 0.5).abs() < 1e-6);
    }

    #[test]
    fn a_disc_is_where_it_was_within_a_third_of_its_radius() {
        let disc = |x, y, radius| Disc {
            x,
            y,
            radius,
            ..beside(-1.0).unwrap()
        };
        let there = disc(30.0, 30.0, 10.0);
        assert!(there.is_at(&disc(32.9, 30.0, 10.0)) && there.is_at(&disc(30.0, 27.1, 10.0)));
        assert!(!there.is_at(&disc(33.1, 30.0, 10.0)) && !there.is_at(&disc(30.0, 33.1, 10.0)));
        // Of a small one, the pixel and a half by which noise alone moves it.
        let small = disc(30.0, 30.0, 3.0);
        assert!(small.is_at(&disc(31.4, 30.0, 3.0)) && !small.is_at(&disc(31.6, 30.0, 3.0)));
        assert!(there.is_at(&disc(30.0, 30.0, 14.0)) && !there.is_at(&disc(30.0, 30.0, 15.0)));
        assert!(there.is_at(&disc(30.0, 30.0, 7.5)) && !there.is_at(&disc(30.0, 30.0, 7.0)));
    }

    #[test]
    fn what_is_uneven_is_told_by_how_much_and_what_is_too_uneven_is_no_disc() {
        let uneven = |by: f32| {
            let picture = Array2::from_shape_fn((60, 60), |(row, col)| {
                let (x, y) = (col as f32 + 0.5 - 30.0, row as f32 + 0.5 - 30.0);
                let sign = if (row + col) % 2 == 0 { 1.0 } else { -1.0 };
                if x.hypot(y) < 6.0 {
                    36.0 + sign * by
                } else {
                    22.0
                }
            });
            inspect(&picture, 30.0, 30.0, 6.0, 1.5)
        };
        let found = uneven(0.1).unwrap();
        assert!((found.spread - 0.1).abs() < 0.01, "{found:?}");
        assert!(uneven(0.9 * LARGEST_SPREAD_K).is_some());
        assert!(uneven(1.1 * LARGEST_SPREAD_K).is_none());
    }

    #[test]
    fn the_inside_of_a_disc_is_every_pixel_whose_centre_lies_in_it() {
        let picture = Array2::from_shape_fn((12, 16), |(row, col)| (100 * row + col) as f32);
        let inside = |x, y, radius| inner_disc(&picture, x, y, radius);
        assert_eq!(inside(5.0, 4.0, 1.0), [304.0, 305.0, 404.0, 405.0]);
        assert_eq!(inside(5.0, 4.0, 2.0).len(), 12);
        assert_eq!(inside(5.5, 4.5, 2.0).len(), 13);
        // Less than a pixel is one all the same, and what lies outside of the picture is left out.
        assert_eq!(inside(5.5, 4.5, 0.1).len(), 5);
        assert_eq!(inside(0.0, 0.0, 1.0), [0.0]);
        assert_eq!(inside(16.0, 12.0, 1.0), [1115.0]);
    }

    #[test]
    fn a_shrunk_picture_is_made_of_the_means_of_its_blocks() {
        let picture = Array2::from_shape_fn((4, 7), |(row, col)| (10 * row + col) as f32);
        let small = shrink(&picture, 2);
        // The odd column is left out.
        assert_eq!(small, ndarray::array![[5.5, 7.5, 9.5], [25.5, 27.5, 29.5]]);
        assert_eq!(shrink(&picture, 1), picture);
    }

    #[test]
    fn what_stands_at_its_edge_is_told_and_too_much_of_it_hides_it() {
        let free = beside(-1.0).unwrap();
        assert!(free.uncovered() > 1.0 && free.evenness() > 0.99);
        // One direction in sixteen is 22.5°.
        let touched = beside(30.0).unwrap();
        assert!((touched.edge - 14.0 / 16.0).abs() < 1e-6, "{touched:?}");
        assert!((0.1..1.0).contains(&touched.uncovered()), "{touched:?}");
        // Three of sixteen may look at something warm, four may not.
        assert!(beside(50.0).is_some_and(|disc| disc.uncovered() < 0.3));
        assert!(beside(70.0).is_none());
    }
}
