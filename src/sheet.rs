//! Lists of people as offices keep them: CSV (UTF-8, or GBK as a spreadsheet on a Chinese system writes it)
//! and XLSX, given row by row as they are read.
//!
//! A file may have [`LARGEST`] bytes: 100 000 people are some 10 MB. Of an XLSX the texts that cells share
//! are in memory while it is read, so what it unpacks to is bounded as well, and counted before. A row that
//! cannot be read is a row with an error; those after it are read all the same.
//!
//! Blocks as long as the disk takes.

use crate::people::Row;
use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Largest file, bytes.
pub const LARGEST: u64 = 32 << 20;

/// Most bytes of an XLSX when it is unpacked: a small file can be made that unpacks to a thousand times its
/// size.
const UNPACKED: u64 = 256 << 20;

/// Most columns that are looked at.
const COLUMNS: usize = 200;

/// Why a list cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The file.
    #[error("名单无法读取 the list cannot be read: {0}")]
    File(#[from] io::Error),
    /// Too large.
    #[error(
        "名单太大，请分成几份 the list is too large (32 MB, unpacked 256 MB at most): split it into several"
    )]
    TooLarge,
    /// Nothing is in it.
    #[error("名单是空的 the list is empty: its first row must say what each column is")]
    Empty,
    /// A kind that is not read.
    #[error(
        "不支持此格式，请另存为 CSV 或 XLSX this is neither CSV nor XLSX ({0}): save it as one of them"
    )]
    Kind(String),
}

/// Reads a list, and has `work` see its heading and its rows.
///
/// # Errors
/// Where there is no list that can be read.
pub fn read<T>(
    path: &Path,
    work: impl FnOnce(Vec<String>, &mut dyn Iterator<Item = Row>) -> T,
) -> Result<T, SheetError> {
    read_from(File::open(path)?, work)
}

/// The same for a list that is in memory, or anywhere else.
///
/// # Errors
/// Where there is no list that can be read.
pub fn read_from<T>(
    mut file: impl Read + Seek,
    work: impl FnOnce(Vec<String>, &mut dyn Iterator<Item = Row>) -> T,
) -> Result<T, SheetError> {
    if file.seek(SeekFrom::End(0))? > LARGEST {
        return Err(SheetError::TooLarge);
    }
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    match head.as_slice() {
        [] => Err(SheetError::Empty),
        // A zip file's first entry (APPNOTE, 4.3.7); an OLE file, as the old XLS is.
        [b'P', b'K', 3, 4] => xlsx(file, work),
        [0xd0, 0xcf, 0x11, 0xe0] => Err(SheetError::Kind("XLS".to_owned())),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(SheetError::Kind("UTF-16".to_owned())),
        _ => csv(file, work),
    }
}

/// Texts of a CSV, in the one encoding or the other.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Gbk,
}

impl Encoding {
    /// What most of a file's beginning is written in. A character that is cut off at its end says nothing.
    fn of(head: &[u8]) -> Self {
        match std::str::from_utf8(head) {
            Ok(_) => Self::Utf8,
            Err(error) if error.error_len().is_none() => Self::Utf8,
            Err(_) => Self::Gbk,
        }
    }

    fn text(self, bytes: &[u8]) -> Result<String, String> {
        let wrong = "这一行有无法识别的字符 it holds bytes that are no text".to_owned();
        match self {
            Self::Utf8 => std::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|_| wrong),
            Self::Gbk => encoding_rs::GBK
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(std::borrow::Cow::into_owned)
                .ok_or(wrong),
        }
    }
}

/// Bytes by which the encoding is told.
const TOLD_BY: u64 = 1 << 16;

fn csv<T>(
    mut file: impl Read + Seek,
    work: impl FnOnce(Vec<String>, &mut dyn Iterator<Item = Row>) -> T,
) -> Result<T, SheetError> {
    let mut head = Vec::new();
    file.by_ref().take(TOLD_BY).read_to_end(&mut head)?;
    let encoding = Encoding::of(&head);
    // A semicolon or a tab where there is more of it than of commas in the heading.
    let heading = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| heading.split(|byte| *byte == wanted).count();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|it| (count(*it), *it == b','));
    file.seek(SeekFrom::Start(0))?;
    // Lines are counted right where a row ends with what is counted; what stands before it goes below.
    let terminator = if head.contains(&b'\n') {
        csv::Terminator::Any(b'\n')
    } else {
        csv::Terminator::CRLF
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(terminator)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(BufReader::new(file));
    let mut record = csv::ByteRecord::new();
    let mut next = move || -> Option<Row> {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                let last = record.len().saturating_sub(1);
                let cells = record.iter().enumerate().map(|(at, cell)| {
                    let returned = cell.strip_suffix(b"\r").filter(|_| at == last);
                    encoding.text(returned.unwrap_or(cell))
                });
                let cells = cells.collect();
                Some(Row { line, cells })
            }
            Err(error) => Some(Row {
                line,
                cells: Err(error.to_string()),
            }),
        }
    };
    let first = next().ok_or(SheetError::Empty)?;
    let heading = first
        .cells
        .map_err(|why| SheetError::File(io::Error::other(why)))?;
    Ok(work(heading, &mut std::iter::from_fn(next)))
}

/// Counts what an XLSX unpacks to, whatever it says of itself.
fn unpacks(file: impl Read + Seek, most: u64) -> Result<(), SheetError> {
    let broken = |error: zip::result::ZipError| SheetError::File(io::Error::other(error));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let mut left = most;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(broken)?;
        let size = io::copy(&mut entry.take(left + 1), &mut io::sink())?;
        left = left.checked_sub(size).ok_or(SheetError::TooLarge)?;
    }
    Ok(())
}

/// What stands in a cell, as people see it.
fn seen(cell: &DataRef<'_>) -> Result<String, String> {
    Ok(match cell {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        // Phone numbers are often kept as numbers.
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(moment) => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::Error(error) => {
            return Err(format!("单元格有错误 a cell shows an error: {error}"));
        }
    })
}

/// Puts a text into its column; whether there is room for it.
fn put(cells: &mut Vec<String>, column: usize, text: String) -> bool {
    if column >= COLUMNS {
        return text.trim().is_empty();
    }
    cells.resize(cells.len().max(column + 1), String::new());
    if let Some(place) = cells.get_mut(column) {
        *place = text;
    }
    true
}

fn xlsx<T>(
    mut file: impl Read + Seek,
    work: impl FnOnce(Vec<String>, &mut dyn Iterator<Item = Row>) -> T,
) -> Result<T, SheetError> {
    let broken = |error: XlsxError| SheetError::File(io::Error::other(error));
    unpacks(&mut file, UNPACKED)?;
    file.seek(SeekFrom::Start(0))?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(broken)?;
    let names = book.sheet_names();
    let first = names.first().ok_or(SheetError::Empty)?;
    let mut cells = book.worksheet_cells_reader(first).map_err(broken)?;
    // The first cell of the next row, which tells that a row is over.
    let mut held: Option<(u32, usize, Result<String, String>)> = None;
    let mut ended = false;
    let mut next = move || -> Option<Row> {
        let mut row: Option<(u32, Result<Vec<String>, String>)> = None;
        loop {
            let cell = match held.take() {
                Some(cell) => Some(cell),
                None if ended => None,
                None => match cells.next_cell() {
                    Ok(Some(cell)) => {
                        let (line, column) = cell.get_position();
                        Some((line, column as usize, seen(cell.get_value())))
                    }
                    Ok(None) => None,
                    Err(error) => {
                        // Nothing after it can be told apart.
                        let line = row.as_ref().map_or(0, |it| it.0);
                        row = Some((line, Err(error.to_string())));
                        None
                    }
                },
            };
            let Some((line, column, text)) = cell else {
                ended = true;
                break;
            };
            if row.as_ref().is_some_and(|it| it.0 != line) {
                held = Some((line, column, text));
                break;
            }
            let (_, all) = row.get_or_insert_with(|| (line, Ok(Vec::new())));
            match text {
                Err(why) => *all = Err(why),
                Ok(text) => {
                    if let Ok(cells) = all
                        && !put(cells, column, text)
                    {
                        *all = Err(format!("列太多 more than {COLUMNS} columns"));
                    }
                }
            }
        }
        let (line, cells) = row?;
        Some(Row {
            line: u64::from(line) + 1,
            cells,
        })
    };
    let heading = next().ok_or(SheetError::Empty)?;
    let heading = heading
        .cells
        .map_err(|why| SheetError::File(io::Error::other(why)))?;
    Ok(work(heading, &mut std::iter::from_fn(next)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn rows_of(bytes: &[u8]) -> Result<(Vec<String>, Vec<Row>), SheetError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read(file.path(), |heading, rows| (heading, rows.collect()))
    }

    fn row(line: u64, cells: &[&str]) -> Row {
        Row {
            line,
            cells: Ok(cells.iter().map(|it| (*it).to_owned()).collect()),
        }
    }

    /// An XLSX with these parts of its sheet.
    fn book(sheet: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let workbook = format!(
            "<workbook xmlns=\"{main}\" xmlns:r=\"{kind}\"><sheets><sheet name=\"人员\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
        );
        let relations = format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{kind}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
        );
        let sheet =
            format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>");
        let package = format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{kind}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        for (name, text) in [
            ("_rels/.rels", package),
            ("xl/workbook.xml", workbook),
            ("xl/_rels/workbook.xml.rels", relations),
            ("xl/worksheets/sheet1.xml", sheet),
        ] {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn cell(at: &str, text: &str) -> String {
        format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    }

    #[test]
    fn a_list_of_either_encoding_says_the_same() {
        let text = "\u{feff}姓名,电话\r\n王芳,13800138000\r\n\"赵,强\",\"1\n2\"\r\n李明,3\r\n";
        let expected = vec![
            row(2, &["王芳", "13800138000"]),
            row(3, &["赵,强", "1\n2"]),
            row(5, &["李明", "3"]),
        ];
        let (heading, rows) = rows_of(text.as_bytes()).unwrap();
        assert_eq!((heading[1].as_str(), &rows), ("电话", &expected));
        let (gbk, ..) = encoding_rs::GBK.encode(text.trim_start_matches('\u{feff}'));
        let (heading, rows) = rows_of(&gbk).unwrap();
        assert_eq!(
            (heading, rows),
            (vec!["姓名".to_owned(), "电话".to_owned()], expected)
        );
        let (heading, _) = rows_of("姓名;电话\n".as_bytes()).unwrap();
        assert_eq!(heading.len(), 2);
    }

    #[test]
    fn one_row_that_is_no_text_spoils_no_other() {
        let mut bytes = "姓名\n".repeat(30_000).into_bytes();
        bytes.extend(b"\xff\xff\n");
        bytes.extend("王芳\n".as_bytes());
        let (_, rows) = rows_of(&bytes).unwrap();
        assert!(rows[29_999].cells.is_err());
        assert_eq!(rows[30_000], row(30_002, &["王芳"]));
    }

    #[test]
    fn a_workbook_gives_its_rows_with_their_lines() {
        let sheet = format!(
            "<row r=\"1\">{}{}</row><row r=\"3\">{}<c r=\"C3\"><v>13800138000</v></c></row>\
             <row r=\"4\"><c r=\"A4\" t=\"e\"><v>#REF!</v></c></row><row r=\"5\">{}</row>",
            cell("A1", "姓名"),
            cell("C1", "电话"),
            cell("A3", "王芳"),
            cell("A5", "赵强"),
        );
        let (heading, rows) = rows_of(&book(&sheet)).unwrap();
        assert_eq!(heading, ["姓名", "", "电话"]);
        assert_eq!(rows[0], row(3, &["王芳", "", "13800138000"]));
        assert!(rows[1].cells.is_err(), "{:?}", rows[1]);
        assert_eq!(rows[2], row(5, &["赵强"]));
    }

    #[test]
    fn what_is_no_list_is_refused_in_words() {
        let said = |bytes: &[u8]| rows_of(bytes).unwrap_err().to_string();
        assert!(said(b"").contains("empty"));
        assert!(said(b"\xd0\xcf\x11\xe0old").contains("XLS"));
        assert!(said(b"PK\x03\x04 broken").contains("cannot be read"));
        assert!(said(&vec![b'a'; 33 << 20]).contains("too large"));
    }

    #[test]
    fn a_book_that_unpacks_to_more_than_it_may_is_refused() {
        let bomb = book(&" ".repeat(1 << 20));
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bomb).unwrap();
        let count = |most| unpacks(&file.reopen().unwrap(), most);
        assert!(matches!(count(1 << 20), Err(SheetError::TooLarge)));
        assert!(count(1 << 21).is_ok());
    }
}
