//! The picture before the lens: what every point of the scene looks like, finer than the sensor.
//!
//! Edges are smoothed by painting several points for each pixel. Beside the temperature the
//! canvas keeps who painted a point last, so that the truth can say how much of a face is seen.

use crate::thermal::radiometry::Emissivity;
use crate::units::Celsius;

/// Points painted along one side of a pixel, for a sensor of so many pixels: as many as a frame's
/// time allows. The largest sensors see soft edges anyway, through their own lens's blur.
pub(super) fn oversampling(pixels: usize) -> usize {
    match pixels {
        0..=9_999 => 3,
        10_000..=39_999 => 2,
        _ => 1,
    }
}

/// A painted scene.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    /// Points from left to right.
    pub(super) columns: usize,
    /// Points from top to bottom.
    pub(super) rows: usize,
    /// Points along one side of a pixel.
    pub(super) fine: usize,
    /// Apparent temperature, °C, row by row.
    pub(super) celsius: Vec<f32>,
    /// Whose face a point belongs to: the painter's number; 0 is nobody's.
    pub(super) face_of: Vec<u16>,
}

impl Canvas {
    /// A canvas for a sensor of this size, in pixels, of one temperature.
    pub(super) fn new(width: usize, height: usize, celsius: f32) -> Self {
        Self::with_fine(width, height, oversampling(width * height), celsius)
    }

    /// The same with so many points along one side of a pixel.
    fn with_fine(width: usize, height: usize, fine: usize, celsius: f32) -> Self {
        let (columns, rows) = (width * fine, height * fine);
        Self {
            columns,
            rows,
            fine,
            celsius: vec![celsius; columns * rows],
            face_of: vec![0; columns * rows],
        }
    }

    /// A canvas on which each pixel is of one temperature: for walls, which have no edges that
    /// matter, a quarter of the work.
    pub(super) fn of_pixels(
        (width, height): (usize, usize),
        paint: impl FnOnce(&mut Self),
    ) -> Self {
        let mut coarse = Self::with_fine(width, height, 1, 0.0);
        paint(&mut coarse);
        let mut canvas = Self::new(width, height, 0.0);
        let (fine, columns) = (canvas.fine, canvas.columns);
        for (y, row) in canvas.celsius.chunks_exact_mut(columns).enumerate() {
            let source = &coarse.celsius[y / fine * width..];
            for (points, celsius) in row.chunks_exact_mut(fine).zip(source) {
                points.fill(*celsius);
            }
        }
        canvas
    }

    /// Whose face is seen at this place, in pixels; 0 is nobody's.
    pub(super) fn face_at(&self, x: f32, y: f32) -> u16 {
        let fine = self.fine as f32;
        let (column, row) = ((x * fine).floor(), (y * fine).floor());
        let inside = column >= 0.0 && row >= 0.0;
        let (column, row) = (column as usize, row as usize);
        if inside && column < self.columns && row < self.rows {
            self.face_of[row * self.columns + column]
        } else {
            0
        }
    }

    /// Takes over another canvas of the same size.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.celsius.clone_from(&other.celsius);
        self.face_of.clone_from(&other.face_of);
    }

    /// Paints the points of a rectangle (in pixels) with what `paint` says of each (in pixels);
    /// where it says nothing, what was there stays. Returns how many points of a face it painted.
    pub(super) fn paint(
        &mut self,
        area: [f32; 4],
        owner: u16,
        mut paint: impl FnMut(f32, f32) -> Option<Painted>,
    ) -> usize {
        let fine = self.fine as f32;
        let limit = |edge: f32, most: usize| ((edge * fine).max(0.0) as usize).min(most);
        let [left, top, right, bottom] = area;
        let columns = limit(left, self.columns)..limit(right.ceil(), self.columns);
        let mut faces = 0;
        for row in limit(top, self.rows)..limit(bottom.ceil(), self.rows) {
            let y = (row as f32 + 0.5) / fine;
            let start = row * self.columns;
            for column in columns.clone() {
                let x = (column as f32 + 0.5) / fine;
                if let Some(painted) = paint(x, y) {
                    let point = start + column;
                    self.celsius[point] = painted.celsius;
                    self.face_of[point] = if painted.face { owner } else { 0 };
                    faces += usize::from(painted.face);
                }
            }
        }
        faces
    }

    /// How many points of this painter's face are still to be seen.
    pub(super) fn faces_left(&self, owner: u16) -> usize {
        self.face_of.iter().filter(|&&who| who == owner).count()
    }

    /// The mean of each pixel's points, row by row, into `pixels`.
    pub(super) fn reduce_into(&self, pixels: &mut Vec<f32>) {
        pixels.clear();
        if self.fine == 1 {
            pixels.extend_from_slice(&self.celsius);
            return;
        }
        let share = 1.0 / (self.fine * self.fine) as f32;
        for band in self.celsius.chunks_exact(self.columns * self.fine) {
            for x in (0..self.columns).step_by(self.fine) {
                let sum: f32 = band
                    .chunks_exact(self.columns)
                    .map(|row| row[x..x + self.fine].iter().sum::<f32>())
                    .sum();
                pixels.push(sum * share);
            }
        }
    }
}

/// One painted point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Painted {
    /// Apparent temperature, °C.
    pub(super) celsius: f32,
    /// Whether this is a part of somebody's face.
    pub(super) face: bool,
}

/// What a surface of one emissivity looks like in one room: the measurement equation as a table,
/// because it is asked for every point of every frame.
#[derive(Clone, Debug)]
pub(super) struct Appearance {
    apparent: Vec<f32>,
}

impl Appearance {
    const FROM_C: f32 = -20.0;
    const STEP_K: f32 = 0.25;
    const ENTRIES: usize = 681;

    /// Tabulates surfaces of −20…150 °C; between two entries it is off by less than 0.1 mK.
    pub(super) fn new(emissivity: Emissivity, room: Celsius) -> Self {
        let entry = |n: usize| {
            let degrees = f64::from(Self::FROM_C + n as f32 * Self::STEP_K);
            let surface = Celsius::new(degrees).unwrap_or(room);
            emissivity.apparent(surface, room).degrees() as f32
        };
        Self {
            apparent: (0..Self::ENTRIES).map(entry).collect(),
        }
    }

    /// Apparent temperature of a surface, °C both.
    pub(super) fn of(&self, surface: f32) -> f32 {
        let place = ((surface - Self::FROM_C) / Self::STEP_K).max(0.0);
        let n = (place as usize).min(Self::ENTRIES - 2);
        let part = (place - n as f32).min(1.0);
        let (low, high) = (self.apparent[n], self.apparent[n + 1]);
        low + (high - low) * part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_the_measurement_equation_says() {
        let room = Celsius::literal(22.0);
        let table = Appearance::new(Emissivity::SKIN, room);
        for hundredths in (-1000..9000).step_by(37) {
            let surface = Celsius::literal(f64::from(hundredths) / 100.0);
            let exact = Emissivity::SKIN.apparent(surface, room).degrees();
            let found = f64::from(table.of(surface.degrees() as f32));
            assert!((found - exact).abs() < 2e-3, "{surface}: {found} {exact}");
        }
    }

    #[test]
    fn a_pixel_is_the_mean_of_its_points() {
        let mut canvas = Canvas::new(120, 160, 20.0);
        let half = |x: f32, _: f32| {
            (x < 10.5).then_some(Painted {
                celsius: 30.0,
                face: true,
            })
        };
        let painted = canvas.paint([0.0, 0.0, 120.0, 1.0], 3, half);
        let mut pixels = Vec::new();
        canvas.reduce_into(&mut pixels);
        assert_eq!(pixels.len(), 120 * 160);
        assert_eq!((pixels[9], pixels[10], pixels[11]), (30.0, 25.0, 20.0));
        assert_eq!((painted, canvas.faces_left(3)), (42, 42));
    }
}
