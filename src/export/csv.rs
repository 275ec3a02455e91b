//! A table as CSV (RFC 4180), so that Excel reads it as it is meant.

use super::{Cell, ExportError, Table, line};

/// By this mark Excel knows UTF-8; without it Chinese becomes nonsense there.
const MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// A table as CSV, the names of its columns first.
///
/// # Errors
/// [`ExportError::Csv`] where a row has not as many cells as there are columns.
pub fn csv(table: &Table) -> Result<Vec<u8>, ExportError> {
    let mut out = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(MARK.to_vec());
    out.write_record(table.columns.iter().map(|column| line(&column.name)))?;
    for row in &table.rows {
        out.write_record(row.iter().map(written))?;
    }
    out.into_inner()
        .map_err(|error| ExportError::Csv(error.into_error().into()))
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Words(words) => harmless(&line(words)),
        Cell::Text(text) => harmless(text),
        Cell::Number(number) => number.to_string(),
    }
}

/// A text that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it (OWASP,
/// CSV injection). A number with a sign is one, and stays.
fn harmless(text: &str) -> String {
    let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(begins) && text.parse::<f64>().is_err() {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
