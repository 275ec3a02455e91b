//! A thermal picture for people's eyes: temperatures to colours, and boxes, as PNG. And QR codes, as SVG.
//!
//! The palette runs from black through violet, red and orange to pale yellow, like matplotlib's
//! "inferno": its lightness grows evenly, so it says the same to people with any kind of colour
//! blindness and on a grey print. The table is computed from seven corners of that palette (CC0,
//! S. van der Walt and N. Smith, 2015), joined by straight lines. Pure: bytes come back, nothing
//! is written.

mod letters;
mod poster;
mod qr;

pub use poster::{Tag, poster};
pub use qr::qr;

use crate::units::PixelBox;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use ndarray::Array2;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Corners of the palette, evenly spaced from cold to warm.
const CORNERS: [Colour; 7] = [
    [0, 0, 4],
    [40, 11, 84],
    [101, 21, 110],
    [159, 42, 99],
    [212, 72, 66],
    [245, 125, 21],
    [250, 193, 39],
];

/// The warm end.
const WARMEST: Colour = [252, 255, 164];

/// A picture that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// No pixels, or a scale of zero or so large that no screen shows it.
    #[error("a picture of {width}×{height} pixels cannot be made; the scale must be 1 to 32")]
    Size {
        /// Pixels asked for.
        width: usize,
        /// Pixels asked for.
        height: usize,
    },
    /// More text than a QR code holds.
    #[error("a text of {0} bytes does not fit into a QR code, which holds 2331")]
    TooLong(usize),
    /// The encoder refused.
    #[error("the picture cannot be written as PNG: {0}")]
    Encoding(#[from] image::ImageError),
}

/// A rectangle to draw, in the frame's pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    /// Where.
    pub area: PixelBox,
    /// In which colour; take one that is told from the palette by its blue or its lightness.
    pub colour: Colour,
}

/// The colour of a temperature between the window's ends, 0…1; what is beyond has the end's
/// colour, and what is not a number has the cold end's.
#[must_use]
pub fn colour(share: f32) -> Colour {
    let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
    let place = share * CORNERS.len() as f32;
    let n = (place as usize).min(CORNERS.len() - 1);
    let from = CORNERS[n];
    let to = CORNERS.get(n + 1).copied().unwrap_or(WARMEST);
    let part = place - n as f32;
    let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * part).round() as u8;
    [
        mix(from[0], to[0]),
        mix(from[1], to[1]),
        mix(from[2], to[2]),
    ]
}

/// A frame of temperatures (°C) as PNG: `window` gives the temperatures (°C) of the coldest and
/// of the warmest colour, `scale` how many pixels of the picture one pixel of the frame becomes,
/// from 1 to 32.
///
/// # Errors
/// [`PictureError`] for an empty frame or another scale.
pub fn png(
    frame: &Array2<f32>,
    window: (f32, f32),
    outlines: &[Outline],
    scale: usize,
) -> Result<Vec<u8>, PictureError> {
    let (width, height) = (frame.ncols() * scale.min(33), frame.nrows() * scale.min(33));
    if width == 0 || height == 0 || !(1..=32).contains(&scale) {
        return Err(PictureError::Size { width, height });
    }
    let span = (window.1 - window.0).max(1e-3);
    let mut pixels = Vec::with_capacity(width * height * 3);
    for row in frame.rows() {
        let start = pixels.len();
        for celsius in row {
            let painted = colour((celsius - window.0) / span);
            for _ in 0..scale {
                pixels.extend_from_slice(&painted);
            }
        }
        let line = pixels[start..].to_vec();
        for _ in 1..scale {
            pixels.extend_from_slice(&line);
        }
    }
    for outline in outlines {
        draw(&mut pixels, (width, height), outline, scale);
    }
    encode(&pixels, width, height)
}

/// Pixels as PNG, small rather than soon.
fn encode(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>, PictureError> {
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
        .write_image(pixels, width as u32, height as u32, ExtendedColorType::Rgb8)?;
    Ok(png)
}

/// Draws one pixel of the frame's picture wide, within the picture.
fn draw(pixels: &mut [u8], (width, height): (usize, usize), outline: &Outline, scale: usize) {
    let area = outline.area.clipped(width / scale, height / scale);
    if !area.is_proper() {
        return;
    }
    let place = |edge: f32, most: usize| ((edge * scale as f32) as usize).min(most - 1);
    let (left, right) = (place(area.left, width), place(area.right, width));
    let (top, bottom) = (place(area.top, height), place(area.bottom, height));
    let mut dot = |x: usize, y: usize| {
        let at = (y * width + x) * 3;
        pixels[at..at + 3].copy_from_slice(&outline.colour);
    };
    for x in left..=right {
        dot(x, top);
        dot(x, bottom);
    }
    for y in top..=bottom {
        dot(left, y);
        dot(right, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lightness as the eye weighs it (ITU-R BT.709).
    fn lightness([r, g, b]: Colour) -> f32 {
        0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)
    }

    #[test]
    fn warmer_is_always_lighter() {
        for n in 0..255 {
            let (here, next) = (colour(n as f32 / 255.0), colour((n + 1) as f32 / 255.0));
            assert!(lightness(next) >= lightness(here), "{n}");
        }
        assert_eq!(colour(-3.0), CORNERS[0]);
        assert_eq!(colour(f32::NAN), CORNERS[0]);
        assert_eq!(colour(7.0), WARMEST);
    }

    #[test]
    fn a_frame_becomes_a_png_with_its_boxes() {
        let frame = Array2::from_shape_fn((6, 8), |(y, x)| 20.0 + (x + y) as f32);
        let outline = Outline {
            area: PixelBox {
                left: 1.0,
                top: -5.0,
                right: 4.0,
                bottom: 3.0,
            },
            colour: [0, 255, 255],
        };
        let bytes = png(&frame, (20.0, 32.0), &[outline], 4).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (32, 24));
        assert_eq!(picture.get_pixel(4, 2).0, [0, 255, 255]);
        assert_eq!(picture.get_pixel(16, 12).0, [0, 255, 255]);
        assert_eq!(picture.get_pixel(0, 0).0, colour(0.0));
        assert_eq!(picture.get_pixel(31, 23).0, colour(1.0));
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        let frame = Array2::zeros((2, 2));
        assert!(png(&frame, (0.0, 1.0), &[], 0).is_err());
        assert!(png(&frame, (0.0, 1.0), &[], usize::MAX).is_err());
        assert!(png(&Array2::zeros((0, 4)), (0.0, 1.0), &[], 1).is_err());
        // A window of no width shows something rather than nothing.
        assert!(png(&frame, (30.0, 30.0), &[], 1).is_ok());
    }
}
