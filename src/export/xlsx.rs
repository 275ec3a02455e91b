//! A document as a workbook: its lines on the first sheet, then a sheet for each table.
//!
//! What people wrote is written as text, which no spreadsheet takes for a formula.

use super::{Cell, Document, ExportError, Table, joined, line};
use crate::clock::WallTime;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
};

/// Characters across a sheet, so that its print on A4 can be read.
const ACROSS: f64 = 110.0;

/// A4 in the numbers of printers.
const A4: u8 = 9;

/// Most characters of a sheet's name.
const NAME: usize = 31;

/// A document as a workbook.
///
/// # Errors
/// [`ExportError::Xlsx`] for what no workbook holds: more than a million rows, a cell of more than 32767
/// characters.
pub fn xlsx(document: &Document) -> Result<Vec<u8>, ExportError> {
    let mut book = Workbook::new();
    let properties = DocProperties::new()
        .set_title(line(&document.title))
        .set_author("门神 Menshen")
        .set_creation_datetime(&moment(document.made)?);
    book.set_properties(&properties);
    cover(book.add_worksheet(), document)?;
    for table in &document.tables {
        sheet(book.add_worksheet(), table)?;
    }
    Ok(book.save_to_buffer()?)
}

fn moment(at: WallTime) -> Result<ExcelDateTime, ExportError> {
    Ok(ExcelDateTime::from_timestamp(at.0.div_euclid(1000))?)
}

fn cover(sheet: &mut Worksheet, document: &Document) -> Result<(), ExportError> {
    let bold = Format::new().set_bold().set_font_size(16);
    let text = Format::new().set_text_wrap();
    sheet.set_name("概况")?;
    sheet.set_column_width(0, ACROSS)?;
    sheet.write_string_with_format(0, 0, line(&document.title), &bold)?;
    let stamp = document.stamp.iter();
    for (row, words) in (1..).zip(stamp.chain(&document.lines)) {
        sheet.write_string_with_format(row, 0, line(words), &text)?;
    }
    sheet.set_paper_size(A4);
    Ok(())
}

fn sheet(sheet: &mut Worksheet, table: &Table) -> Result<(), ExportError> {
    let cell = || {
        Format::new()
            .set_border(FormatBorder::Hair)
            .set_align(FormatAlign::Top)
    };
    let text = cell().set_text_wrap();
    let head = text
        .clone()
        .set_bold()
        .set_background_color(Color::RGB(0x00E6_EEF4));
    sheet.set_name(name(&table.name.zh))?;
    let shares: u16 = table.columns.iter().map(|column| column.share).sum();
    for (number, column) in (0..).zip(&table.columns) {
        let width = ACROSS * f64::from(column.share) / f64::from(shares.max(1));
        sheet.set_column_width(number, width)?;
        sheet.write_string_with_format(0, number, joined(&column.name, "\n"), &head)?;
    }
    for (row, cells) in (1..).zip(&table.rows) {
        for (column, it) in (0..).zip(cells) {
            match it {
                Cell::Words(words) => {
                    sheet.write_string_with_format(row, column, joined(words, "\n"), &text)?
                }
                Cell::Text(it) => sheet.write_string_with_format(row, column, it, &text)?,
                Cell::Number(it) => sheet.write_number_with_format(row, column, *it, &cell())?,
            };
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_paper_size(A4);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    Ok(())
}

/// A name that a sheet may have.
fn name(text: &str) -> String {
    let allowed = |c: &char| !"[]:*?/\\'".contains(*c);
    text.chars().filter(allowed).take(NAME).collect()
}
