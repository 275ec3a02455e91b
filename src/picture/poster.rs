//! A frame as a picture to put on a wall or into a document: enlarged smoothly, with boxes, what
//! they say, the scale of temperatures and the key of the colours. Screens draw their own.

use super::{Colour, PictureError, colour, encode, letters};
use crate::units::PixelBox;
use ndarray::Array2;

/// A box with a word above it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// Where, in the frame's pixels.
    pub area: PixelBox,
    /// In which colour.
    pub colour: Colour,
    /// What it says; figures, `±`, `°` and lower case.
    pub text: String,
}

/// Behind everything that is not the frame.
const PAPER: Colour = [14, 14, 20];
/// Letters on it.
const INK: Colour = [222, 222, 228];
/// Letters on a tag, and the rim that parts a line from the frame.
const BLACK: Colour = [0, 0, 0];
/// Pixels of the picture for one dot of a letter.
const DOT: usize = 2;
/// Between things, pixels of the picture.
const GAP: usize = 8;
/// Height of a line of letters with a little room, pixels of the picture.
const LINE: usize = letters::HEIGHT * DOT + GAP;
/// Width of the scale of temperatures with its figures, pixels of the picture.
const SCALE_WIDTH: usize = 76;
/// Width of its bar, pixels of the picture.
const BAR: usize = 16;

/// Steps of colour over the window: no eye tells more apart, and the file is half as large.
const SHADES: f32 = 120.0;

/// Pixels that are drawn on.
struct Sheet {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

/// A frame of temperatures (°C) as PNG with its tags. `window` gives the temperatures (°C) of the
/// coldest and of the warmest colour, `scale` how many pixels of the picture one pixel of the
/// frame becomes, from 1 to 32; `key` says what the colours of the tags mean.
///
/// # Errors
/// [`PictureError`] for an empty frame or another scale.
pub fn poster(
    frame: &Array2<f32>,
    window: (f32, f32),
    tags: &[Tag],
    key: &[(Colour, &str)],
    scale: usize,
) -> Result<Vec<u8>, PictureError> {
    let (width, height) = (frame.ncols() * scale.min(33), frame.nrows() * scale.min(33));
    if width == 0 || height == 0 || !(1..=32).contains(&scale) {
        return Err(PictureError::Size { width, height });
    }
    let rows = key_rows(key, width + SCALE_WIDTH);
    let foot = if key.is_empty() { 0 } else { GAP + rows * LINE };
    let mut sheet = Sheet::new(width + SCALE_WIDTH, height + foot);
    let span = (window.1 - window.0).max(1e-3);
    for y in 0..height {
        for x in 0..width {
            let share = (between(frame, x, y, scale) - window.0) / span;
            sheet.dot(x, y, colour((share * SHADES).round() / SHADES));
        }
    }
    for tag in tags {
        sheet.outline(&tag.area, tag.colour, (width, height), scale);
    }
    for tag in tags {
        sheet.tag(tag, (width, height), scale);
    }
    sheet.scale(window, (width, height));
    sheet.key(key, height + GAP);
    encode(&sheet.pixels, sheet.width, sheet.height)
}

/// The frame at a place between its pixels (bilinear).
fn between(frame: &Array2<f32>, x: usize, y: usize, scale: usize) -> f32 {
    let part = |at: usize, most: usize| {
        let place = ((at as f32 + 0.5) / scale as f32 - 0.5).clamp(0.0, (most - 1) as f32);
        let first = place as usize;
        (first, (first + 1).min(most - 1), place - first as f32)
    };
    let (left, right, u) = part(x, frame.ncols());
    let (top, bottom, v) = part(y, frame.nrows());
    let row = |y: usize| frame[[y, left]] * (1.0 - u) + frame[[y, right]] * u;
    row(top) * (1.0 - v) + row(bottom) * v
}

/// Width of a text, pixels of the picture.
fn width_of(text: &str) -> usize {
    (text.chars().count() * (letters::WIDTH + 1)).saturating_sub(1) * DOT
}

/// Width of one entry of the key, pixels of the picture.
fn entry(text: &str) -> usize {
    LINE + width_of(text) + GAP
}

/// Lines that the key takes.
fn key_rows(key: &[(Colour, &str)], width: usize) -> usize {
    let mut rows = 1;
    let mut x = GAP;
    for (_, text) in key {
        if x > GAP && x + entry(text) > width {
            rows += 1;
            x = GAP;
        }
        x += entry(text);
    }
    rows
}

impl Sheet {
    fn new(width: usize, height: usize) -> Self {
        Self {
            pixels: PAPER.repeat(width * height),
            width,
            height,
        }
    }

    fn dot(&mut self, x: usize, y: usize, colour: Colour) {
        if x < self.width && y < self.height {
            let at = (y * self.width + x) * 3;
            self.pixels[at..at + 3].copy_from_slice(&colour);
        }
    }

    fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: Colour) {
        for row in y..y + height {
            for col in x..x + width {
                self.dot(col, row, colour);
            }
        }
    }

    fn text(&mut self, (x, y): (usize, usize), text: &str, colour: Colour) {
        for (n, letter) in text.chars().enumerate() {
            let left = x + n * (letters::WIDTH + 1) * DOT;
            for (row, dots) in letters::dots(letter).into_iter().enumerate() {
                for col in 0..letters::WIDTH {
                    if dots & (1 << (letters::WIDTH - 1 - col)) != 0 {
                        self.fill((left + col * DOT, y + row * DOT), (DOT, DOT), colour);
                    }
                }
            }
        }
    }

    /// Three pixels of colour between two rims of black, which stand out on every palette.
    fn outline(&mut self, area: &PixelBox, colour: Colour, (w, h): (usize, usize), scale: usize) {
        let area = area.clipped(w / scale, h / scale);
        if !area.is_proper() {
            return;
        }
        let place = |edge: f32, most: usize| ((edge * scale as f32) as usize).min(most - 1);
        let (left, right) = (place(area.left, w), place(area.right, w));
        let (top, bottom) = (place(area.top, h), place(area.bottom, h));
        for (n, colour) in [BLACK, colour, colour, colour, BLACK]
            .into_iter()
            .enumerate()
        {
            let (left, top) = (left + n, top + n);
            let (right, bottom) = (right.saturating_sub(n), bottom.saturating_sub(n));
            for x in left..=right {
                self.dot(x, top, colour);
                self.dot(x, bottom, colour);
            }
            for y in top..=bottom {
                self.dot(left, y, colour);
                self.dot(right, y, colour);
            }
        }
    }

    /// The word of a box, above it, or in it where there is no room above.
    fn tag(&mut self, tag: &Tag, (w, h): (usize, usize), scale: usize) {
        let area = tag.area.clipped(w / scale, h / scale);
        if !area.is_proper() || tag.text.is_empty() {
            return;
        }
        let width = width_of(&tag.text) + GAP;
        let middle = (area.centre().x * scale as f32) as usize;
        let x = middle
            .saturating_sub(width / 2)
            .min(w.saturating_sub(width));
        let y = ((area.top * scale as f32) as usize).saturating_sub(LINE);
        self.fill((x, y), (width, LINE), tag.colour);
        self.text((x + GAP / 2, y + GAP / 2), &tag.text, BLACK);
    }

    /// The colours with their temperatures, warm at the top, right of the frame.
    fn scale(&mut self, window: (f32, f32), (width, height): (usize, usize)) {
        let (top, bottom) = (GAP + LINE, height.saturating_sub(GAP));
        let length = bottom.saturating_sub(top).max(1);
        let left = width + GAP;
        self.text((left, GAP), "°C", INK);
        for y in top..bottom {
            let share = 1.0 - (y - top) as f32 / length as f32;
            self.fill((left, y), (BAR, 1), colour(share));
        }
        let step = if window.1 - window.0 > 24.0 { 5.0 } else { 2.0 };
        let mut mark = (window.0 / step).ceil() * step;
        while mark <= window.1 {
            let share = (mark - window.0) / (window.1 - window.0).max(1e-3);
            let y = top + ((1.0 - share) * length as f32) as usize;
            self.fill((left + BAR, y.min(bottom.saturating_sub(1))), (4, 2), INK);
            let line = y.saturating_sub(letters::HEIGHT * DOT / 2);
            self.text(
                (
                    left + BAR + GAP,
                    line.min(bottom.saturating_sub(letters::HEIGHT * DOT)),
                ),
                &format!("{mark:.0}"),
                INK,
            );
            mark += step;
        }
    }

    /// What the colours of the boxes mean, below the frame.
    fn key(&mut self, key: &[(Colour, &str)], top: usize) {
        let (mut x, mut y) = (GAP, top);
        for (colour, text) in key {
            if x > GAP && x + entry(text) > self.width {
                x = GAP;
                y += LINE;
            }
            self.fill(
                (x, y),
                (letters::HEIGHT * DOT, letters::HEIGHT * DOT),
                *colour,
            );
            self.text((x + LINE, y), text, INK);
            x += entry(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Array2<f32> {
        Array2::from_shape_fn((60, 40), |(y, x)| 20.0 + (x + y) as f32 * 0.2)
    }

    #[test]
    fn a_poster_has_its_frame_its_scale_and_its_key() {
        let tag = Tag {
            area: PixelBox {
                left: 10.0,
                top: 20.0,
                right: 30.0,
                bottom: 50.0,
            },
            colour: [0, 200, 255],
            text: "36.6 ± 0.8".to_owned(),
        };
        let key = [([0, 200, 255], "clear")];
        let bytes = poster(&frame(), (20.0, 40.0), &[tag], &key, 4).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let height = 240 + GAP + LINE;
        assert_eq!(
            picture.dimensions(),
            (160 + SCALE_WIDTH as u32, height as u32)
        );
        // The frame's cold corner, a side of the box, the warm end of the scale, the key.
        assert_eq!(picture.get_pixel(0, 0).0, colour(0.0));
        assert_eq!(picture.get_pixel(42, 150).0, [0, 200, 255]);
        assert_eq!(picture.get_pixel(170, (GAP + LINE) as u32).0, colour(1.0));
        assert_eq!(
            picture.get_pixel(GAP as u32 + 1, 240 + GAP as u32 + 1).0,
            [0, 200, 255]
        );
    }

    #[test]
    fn what_lies_outside_is_cut_and_what_cannot_be_shown_is_refused() {
        let tag = Tag {
            area: PixelBox {
                left: -9.0,
                top: -9.0,
                right: 99.0,
                bottom: 2.0,
            },
            colour: [0, 200, 255],
            text: "cannot judge".to_owned(),
        };
        assert!(poster(&frame(), (20.0, 40.0), &[tag], &[], 1).is_ok());
        assert!(poster(&Array2::zeros((1, 1)), (0.0, 0.0), &[], &[], 1).is_ok());
        assert!(poster(&frame(), (20.0, 40.0), &[], &[], 0).is_err());
        assert!(poster(&frame(), (20.0, 40.0), &[], &[], 33).is_err());
        assert!(poster(&Array2::zeros((0, 4)), (0.0, 1.0), &[], &[], 1).is_err());
    }

    #[test]
    fn every_letter_of_the_words_is_there() {
        for word in [
            "clear",
            "retest",
            "possible fever",
            "cannot judge",
            "blackbody",
        ] {
            for letter in word.chars().filter(|l| *l != ' ') {
                assert_ne!(letters::dots(letter), [0; letters::HEIGHT], "{letter}");
            }
        }
    }
}
