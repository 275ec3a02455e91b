//! Where everything stands on the pages of a PDF: lines are broken where the writing allows it (Unicode
//! UAX 14: between Chinese characters, but no full stop begins a line), a table goes on below its header on
//! the next page, and nothing is cut off.
//!
//! Lengths are points, 1/72 inch, from the upper left corner.

use super::font::Measures;
use super::{Cell, Document, Table, line};
use crate::text::Words;
use unicode_linebreak::linebreaks;

/// A4 (ISO 216).
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);
/// Around the text: 16 mm.
pub(super) const MARGIN: f32 = 45.0;
/// How wide the text is.
pub(super) const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
/// Where it ends; the foot of the page stands below.
const BOTTOM: f32 = PAGE.1 - MARGIN - 14.0;

/// Size of a title, of a table's name, of text, and of English beside Chinese.
const TITLE: f32 = 17.0;
const NAME: f32 = 11.5;
const TEXT: f32 = 9.0;
pub(super) const SMALL: f32 = 7.5;
/// From one line of a cell to the next.
const LINE: f32 = 12.0;
/// Above and below the lines of a row together.
const PAD: f32 = 6.0;
/// Between columns.
const GUTTER: f32 = 6.0;
/// How far below its upper edge a line's letters stand.
const RISE: f32 = 9.0;

/// Something on a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// A line of text; its letters stand on `y`.
    Text {
        x: f32,
        y: f32,
        size: f32,
        /// Whether it steps back.
        soft: bool,
        text: String,
    },
    /// A thin line across.
    Rule { y: f32 },
    /// A tinted ground.
    Ground { y: f32, height: f32 },
}

/// A line of a cell.
struct CellLine {
    text: String,
    size: f32,
    soft: bool,
    right: bool,
}

/// Writes down, from above to below, page after page.
struct Pen<'m> {
    measures: &'m Measures<'m>,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

/// A document's pages.
pub(super) fn pages(document: &Document, measures: &Measures<'_>) -> Vec<Vec<Mark>> {
    let mut pen = Pen {
        measures,
        pages: vec![Vec::new()],
        y: MARGIN,
    };
    pen.paragraph(&line(&document.title), TITLE, false);
    if let Some(stamp) = &document.stamp {
        pen.paragraph(&line(stamp), NAME, false);
    }
    for words in &document.lines {
        pen.paragraph(&line(words), TEXT, true);
    }
    for table in &document.tables {
        pen.table(table);
    }
    pen.pages
}

impl Pen<'_> {
    fn mark(&mut self, mark: Mark) {
        // There is always a page: the first one is made with the pen.
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    fn paragraph(&mut self, text: &str, size: f32, soft: bool) {
        let height = size * 1.45;
        for text in wrapped(self.measures, text, size, WIDTH) {
            if !self.fits(height) {
                self.turn();
            }
            let (x, y) = (MARGIN, self.y + size);
            self.mark(Mark::Text {
                x,
                y,
                size,
                soft,
                text,
            });
            self.y += height;
        }
    }

    fn table(&mut self, table: &Table) {
        let head = self.row_of(table, table.columns.iter().map(|it| words_of(&it.name)));
        let rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| self.row_of(table, row.iter().map(cell_of)))
            .collect();
        self.y += NAME;
        // A name does not stand alone at the foot of a page.
        let first = rows.first().map_or(LINE, |row| height(row));
        if !self.fits(NAME * 1.45 + height(&head) + first) {
            self.turn();
        }
        self.paragraph(&line(&table.name), NAME, false);
        if rows.is_empty() {
            self.paragraph("无 none", TEXT, true);
            return;
        }
        self.row(table, &head, true);
        for row in rows {
            if !self.fits(height(&row)) {
                self.turn();
                self.row(table, &head, true);
            }
            self.row(table, &row, false);
        }
    }

    /// The lines of each cell of a row.
    fn row_of(
        &self,
        table: &Table,
        cells: impl Iterator<Item = Vec<(String, f32, bool, bool)>>,
    ) -> Vec<Vec<CellLine>> {
        let widths = widths(table).into_iter();
        cells
            .zip(widths)
            .map(|(texts, (_, width))| {
                let lines = texts.into_iter().flat_map(|(text, size, soft, right)| {
                    let lines = wrapped(self.measures, &text, size, width);
                    lines.into_iter().map(move |text| CellLine {
                        text,
                        size,
                        soft,
                        right,
                    })
                });
                lines.collect()
            })
            .collect()
    }

    /// A row; one that no page holds goes on over the next pages.
    fn row(&mut self, table: &Table, row: &[Vec<CellLine>], is_head: bool) {
        let lines = row.iter().map(Vec::len).max().unwrap_or_default();
        let mut done = 0;
        while done < lines {
            if !self.fits(LINE + PAD) {
                self.turn();
            }
            let room = ((BOTTOM - self.y - PAD) / LINE) as usize;
            let now = room.clamp(1, lines - done);
            let height = now as f32 * LINE + PAD;
            if is_head {
                self.mark(Mark::Ground { y: self.y, height });
            }
            for (cell, (x, width)) in row.iter().zip(widths(table)) {
                for (number, it) in cell.iter().skip(done).take(now).enumerate() {
                    let indent = if it.right {
                        width - self.measures.width(&it.text, it.size)
                    } else {
                        0.0
                    };
                    let y = self.y + PAD / 2.0 + number as f32 * LINE + RISE;
                    self.mark(Mark::Text {
                        x: x + indent,
                        y,
                        size: it.size,
                        soft: it.soft,
                        text: it.text.clone(),
                    });
                }
            }
            self.y += height;
            self.mark(Mark::Rule { y: self.y });
            done += now;
        }
    }
}

fn height(row: &[Vec<CellLine>]) -> f32 {
    let lines = row.iter().map(Vec::len).max().unwrap_or_default();
    lines as f32 * LINE + PAD
}

/// Where each column begins, and how wide it is.
fn widths(table: &Table) -> Vec<(f32, f32)> {
    let shares: u16 = table.columns.iter().map(|it| it.share).sum();
    let mut x = MARGIN;
    let column = |it: &super::Column| {
        let width = WIDTH * f32::from(it.share) / f32::from(shares.max(1));
        let begins = x + GUTTER / 2.0;
        x += width;
        (begins, width - GUTTER)
    };
    table.columns.iter().map(column).collect()
}

/// Chinese, and English below it.
fn words_of(words: &Words) -> Vec<(String, f32, bool, bool)> {
    let mut texts = vec![(words.zh.clone(), TEXT, false, false)];
    if words.en != words.zh {
        texts.push((words.en.clone(), SMALL, true, false));
    }
    texts
}

fn cell_of(cell: &Cell) -> Vec<(String, f32, bool, bool)> {
    match cell {
        Cell::Words(words) => words_of(words),
        Cell::Text(text) => vec![(text.clone(), TEXT, false, false)],
        Cell::Number(number) => vec![(number.to_string(), TEXT, false, true)],
    }
}

/// A text in lines of at most this width; a word that is wider is broken anywhere.
fn wrapped(measures: &Measures<'_>, text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut begins = 0;
    for (ends, _) in linebreaks(text) {
        let piece = text.get(begins..ends).unwrap_or_default();
        begins = ends;
        let longer = measures.width(&line, size) + measures.width(piece.trim_end(), size);
        if longer > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for character in piece.chars() {
            let longer = measures.width(&line, size) + measures.of(character).1 * size;
            if longer > width && !line.is_empty() && !character.is_whitespace() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    lines.push(line);
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
