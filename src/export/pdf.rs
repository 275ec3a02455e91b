//! A document on A4. The same document and font give the same bytes; text can be searched and copied.

use super::font::{Font, Measures};
use super::layout::{self, MARGIN, Mark, PAGE, SMALL, WIDTH};
use super::{Document, ExportError, line};
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};

/// Letters, letters that step back, lines, and the ground of a table's head.
const INK: (u8, u8, u8) = (0x16, 0x21, 0x2c);
const SOFT: (u8, u8, u8) = (0x4d, 0x5a, 0x67);
const RULE: (u8, u8, u8) = (0xb8, 0xbd, 0xc3);
const GROUND: (u8, u8, u8) = (0xe6, 0xee, 0xf4);

/// A document on A4, with a font that has Chinese characters.
///
/// # Errors
/// [`ExportError::Pdf`] where the font cannot be embedded.
pub fn pdf(document: &Document, font: &Font) -> Result<Vec<u8>, ExportError> {
    let unusable = || ExportError::Pdf("font".to_owned());
    let measures = font.measures().ok_or_else(unusable)?;
    let embedded = font.embedded().ok_or_else(unusable)?;
    let brush = Brush {
        measures: &measures,
        font: embedded,
    };
    let mut file = krilla::Document::new();
    let title = line(&document.title);
    file.set_metadata(
        Metadata::new()
            .title(title.clone())
            .creator("门神 Menshen".to_owned())
            .language("zh-CN".to_owned()),
    );
    let pages = layout::pages(document, &measures);
    let of = pages.len();
    for (number, marks) in (1..).zip(pages) {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(unusable)?;
        let mut page = file.start_page_with(settings);
        let mut surface = page.surface();
        for mark in &marks {
            brush.paint(&mut surface, mark);
        }
        let foot = format!("第 {number} 页，共 {of} 页 page {number} of {of}");
        let right = MARGIN + WIDTH - measures.width(&foot, SMALL);
        for (x, text) in [(MARGIN, title.clone()), (right, foot)] {
            let y = PAGE.1 - MARGIN;
            brush.text(&mut surface, (x, y), SMALL, SOFT, &text);
        }
        surface.finish();
        page.finish();
    }
    file.finish()
        .map_err(|error| ExportError::Pdf(error.to_string()))
}

struct Brush<'m> {
    measures: &'m Measures<'m>,
    font: krilla::text::Font,
}

impl Brush<'_> {
    fn paint(&self, surface: &mut Surface<'_>, mark: &Mark) {
        match mark {
            Mark::Text {
                x,
                y,
                size,
                soft,
                text,
            } => {
                let colour = if *soft { SOFT } else { INK };
                self.text(surface, (*x, *y), *size, colour, text);
            }
            Mark::Rule { y } => area(surface, *y, 0.5, RULE),
            Mark::Ground { y, height } => area(surface, *y, *height, GROUND),
        }
    }

    fn text(
        &self,
        surface: &mut Surface<'_>,
        (x, y): (f32, f32),
        size: f32,
        colour: (u8, u8, u8),
        text: &str,
    ) {
        let glyphs: Vec<KrillaGlyph> = text
            .char_indices()
            .map(|(begins, character)| {
                let (glyph, width) = self.measures.of(character);
                let range = begins..begins + character.len_utf8();
                KrillaGlyph::new(GlyphId::new(glyph), width, 0.0, 0.0, 0.0, range, None)
            })
            .collect();
        surface.set_fill(Some(fill(colour)));
        surface.draw_glyphs(
            Point::from_xy(x, y),
            &glyphs,
            self.font.clone(),
            text,
            size,
            false,
        );
    }
}

fn fill((red, green, blue): (u8, u8, u8)) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}

/// An area as wide as the text.
fn area(surface: &mut Surface<'_>, y: f32, height: f32, colour: (u8, u8, u8)) {
    let mut path = PathBuilder::new();
    if let Some(area) = Rect::from_xywh(MARGIN, y, WIDTH, height) {
        path.push_rect(area);
    }
    if let Some(path) = path.finish() {
        surface.set_fill(Some(fill(colour)));
        surface.draw_path(&path);
    }
}
