//! Files that people take along: tables as CSV, XLSX and PDF.
//!
//! What is to stand in a file comes in as a [`Document`], a plain value; bytes come back. So a report, a
//! register and a trend become files in the same way, and none of them knows how a spreadsheet is written.
//!
//! | function | for | with |
//! |---|---|---|
//! | [`csv()`] | one table, for other programs and for Excel: UTF-8 with its mark, no cell is taken for a formula | `csv` |
//! | [`xlsx()`] | all tables, a sheet each | `rust_xlsxwriter` |
//! | [`pdf()`] | all tables on A4, to print and to sign | `krilla` |
//!
//! The PDF needs a font with Chinese characters. None is part of this program (the smallest complete ones have
//! 5 MB): [`Font::installed`] reads one of the system's, and of it only the characters that are used go into
//! the file. Everything here blocks for as long as reading a font takes, some 20 ms.

mod csv;
mod font;
mod layout;
mod pdf;
mod xlsx;

pub use self::csv::csv;
pub use self::font::Font;
pub use self::pdf::pdf;
pub use self::xlsx::xlsx;

use crate::clock::WallTime;
use crate::text::Words;

/// What is to stand in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it is.
    pub title: Words,
    /// In which state it is, such as a draft; set apart below the title.
    pub stamp: Option<Words>,
    /// What is to be known of the whole.
    pub lines: Vec<Words>,
    /// What it holds.
    pub tables: Vec<Table>,
    /// When it was made. The same document gives the same bytes.
    pub made: WallTime,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it shows; of a workbook its sheet.
    pub name: Words,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, with a cell for each column. A table without rows says that there is nothing.
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands in it.
    pub name: Words,
    /// How wide it is, beside the others.
    pub share: u16,
}

impl Column {
    /// A column.
    #[must_use]
    pub fn new(zh: &str, en: &str, share: u16) -> Self {
        Self {
            name: words(zh, en),
            share,
        }
    }
}

/// What stands in a row and a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Both languages.
    Words(Words),
    /// A text.
    Text(String),
    /// A number that can be added up; of no use beyond 2⁵³, where not every whole number has a `f64`.
    Number(f64),
}

impl Cell {
    /// Both languages.
    #[must_use]
    pub fn words(zh: &str, en: &str) -> Self {
        Self::Words(words(zh, en))
    }

    /// A text.
    #[must_use]
    pub fn text(text: &impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// A number of things or people.
    #[must_use]
    pub const fn count(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

/// The same said in both languages.
#[must_use]
pub fn words(zh: &str, en: &str) -> Words {
    Words {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// Both languages in a line; once where they are the same.
fn line(words: &Words) -> String {
    joined(words, " ")
}

fn joined(words: &Words, between: &str) -> String {
    if words.zh == words.en {
        words.zh.clone()
    } else {
        format!("{}{between}{}", words.zh, words.en)
    }
}

/// A file that cannot be made. The text says what to do, in both languages.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No font has Chinese characters.
    #[error(
        "没有找到中文字体，无法生成 PDF。请在本机安装一种（sudo apt install fonts-noto-cjk）后重试；CSV 和 XLSX \
         不需要字体。 No font with Chinese characters was found, so there is no PDF. Install one on this machine \
         (sudo apt install fonts-noto-cjk) and try again; CSV and XLSX need none."
    )]
    NoFont,
    /// The PDF could not be written.
    #[error("PDF 未能生成：{0}。请改用 XLSX。 The PDF could not be written; take the XLSX file.")]
    Pdf(String),
    /// The workbook could not be written.
    #[error(
        "XLSX 未能生成，请改用 CSV。 The workbook could not be written ({0}); take the CSV file."
    )]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// The table could not be written.
    #[error("CSV 未能生成。 The table could not be written: {0}")]
    Csv(#[from] ::csv::Error),
}

#[cfg(test)]
mod tests;
