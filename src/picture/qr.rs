//! An address as a QR code (ISO/IEC 18004), for posters that phones read.
//!
//! Error correction M mends 15 % of the code: a poster in a lobby is scratched and stuck over. Around the
//! code lies the quiet zone of four modules that the standard asks for; black on white, whatever the page's
//! colours are, for many phones do not read it the other way round.

use super::PictureError;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Blank modules around the code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// A QR code of a text as SVG without a size of its own: a page's style gives one. Whoever puts it into a
/// page writes the text below it, for those who do not see it or have no camera.
///
/// # Errors
/// [`PictureError::TooLong`] for more text than a code holds: 2331 bytes.
pub fn qr(text: &str) -> Result<String, PictureError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|_| PictureError::TooLong(text.len()))?;
    let side = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(side).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(PartialEq::eq) {
            if run.first() == Some(&Color::Dark) {
                let width = run.len();
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h{width}v1h-{width}z", x + QUIET, y + QUIET);
            }
            x += run.len();
        }
    }
    let whole = side + 2 * QUIET;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qr\" viewBox=\"0 0 {whole} {whole}\" \
         shape-rendering=\"crispEdges\" aria-hidden=\"true\">\
         <path fill=\"#fff\" d=\"M0 0h{whole}v{whole}h-{whole}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another program reads in the picture, painted four dots a module.
    fn read_back(svg: &str) -> String {
        const DOTS: usize = 4;
        let (_, rest) = svg.split_once("viewBox=\"0 0 ").unwrap();
        let side: usize = rest.split(' ').next().unwrap().parse().unwrap();
        let (_, path) = svg.rsplit_once(" d=\"M").unwrap();
        let mut dark = vec![false; side * side];
        for run in path.split('"').next().unwrap().split('M') {
            let numbers: Vec<usize> = run
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|it| it.parse().ok())
                .collect();
            let [x, y, width, ..] = numbers[..] else {
                panic!("{run}")
            };
            dark[y * side + x..][..width].fill(true);
        }
        let dot = |x: usize, y: usize| {
            if dark[y / DOTS * side + x / DOTS] {
                0
            } else {
                255
            }
        };
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(side * DOTS, side * DOTS, dot);
        let (_, text) = seen.detect_grids()[0].decode().unwrap();
        text
    }

    #[test]
    fn a_phone_reads_the_address_that_was_written() {
        for text in [
            "https://menshen.example:8443/rounds/at/lobby",
            "http://192.168.1.20/declare?门=东门",
            &"x".repeat(900),
        ] {
            assert_eq!(read_back(&qr(text).unwrap()), text);
        }
    }

    #[test]
    fn what_no_code_holds_is_refused() {
        assert!(qr(&"x".repeat(2331)).is_ok());
        assert!(matches!(
            qr(&"x".repeat(2332)),
            Err(PictureError::TooLong(2332))
        ));
    }
}
