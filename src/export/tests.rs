//! Files, read back.

use super::*;
use calamine::{Data, Reader as _, Xlsx};
use std::io::Cursor;
use std::path::Path;

/// A report with everything that is hard to write.
fn document(rows: usize) -> Document {
    let row = |number: usize| {
        vec![
            Cell::words(
                "电梯按键、轿厢扶手每小时消毒",
                "Disinfect lift buttons and handrails every hour",
            ),
            Cell::text(&format!("=HYPERLINK(\"http://evil.example\") {number}")),
            Cell::Number(number as f64 - 1.5),
        ]
    };
    Document {
        title: words("每日一报 2020-02-24", "Daily report 2020-02-24"),
        stamp: Some(words("草稿", "draft")),
        lines: vec![words("南京东路街道 · 海鸥大厦", "Office building")],
        tables: vec![
            Table {
                name: words("迟做/漏查", "Late [and] missed"),
                columns: vec![
                    Column::new("项目", "Item", 40),
                    Column::new("原因", "Why", 24),
                    Column::new("次数", "Times", 9),
                ],
                rows: (1..=rows).map(row).collect(),
            },
            Table {
                name: words("补短板", "Gaps closed"),
                columns: vec![Column::new("项目", "Item", 40)],
                rows: Vec::new(),
            },
        ],
        made: WallTime(1_582_538_400_000),
    }
}

#[test]
fn excel_reads_chinese_and_takes_nothing_for_a_formula() {
    let table = Table {
        name: words("表", "table"),
        columns: vec![Column::new("文", "text", 1)],
        rows: [
            "=1+1",
            "+1",
            "-2.5",
            "@a",
            "\tx",
            "＝1",
            "-a",
            "a,\"b\"\n好",
        ]
        .map(|text| vec![Cell::text(&text)])
        .to_vec(),
    };
    let bytes = csv(&table).unwrap();
    assert_eq!(bytes[..3], [0xef, 0xbb, 0xbf]);
    let mut reader = ::csv::Reader::from_reader(&bytes[3..]);
    assert_eq!(reader.headers().unwrap(), vec!["文 text"]);
    let read: Vec<String> = reader
        .records()
        .map(|row| row.unwrap()[0].to_owned())
        .collect();
    assert_eq!(
        read,
        [
            "'=1+1",
            "+1",
            "-2.5",
            "'@a",
            "'\tx",
            "'＝1",
            "'-a",
            "a,\"b\"\n好"
        ]
    );
    let uneven = Table {
        rows: vec![vec![]; 1],
        ..table
    };
    assert!(matches!(csv(&uneven), Err(ExportError::Csv(_))));
}

#[test]
fn another_program_reads_the_workbook() {
    let bytes = xlsx(&document(3)).unwrap();
    assert_eq!(xlsx(&document(3)).unwrap(), bytes, "the same every time");
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["概况", "迟做漏查", "补短板"]);
    let sheet = book.worksheet_range("迟做漏查").unwrap();
    assert_eq!(sheet.get_size(), (4, 3));
    let text = |row, column| sheet.get_value((row, column)).unwrap().to_string();
    assert_eq!(text(0, 0), "项目\nItem");
    assert_eq!(text(1, 1), "=HYPERLINK(\"http://evil.example\") 1");
    assert_eq!(sheet.get_value((1, 2)), Some(&Data::Float(-0.5)));
    assert!(
        book.worksheet_formula("迟做漏查").unwrap().is_empty(),
        "nothing is a formula"
    );
}

/// Every text of a page, without what is only between words.
fn letters(pages: &[Vec<layout::Mark>]) -> String {
    let marks = pages.iter().flatten();
    let texts = marks.filter_map(|mark| match mark {
        layout::Mark::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect()
}

#[test]
fn a_long_table_goes_on_under_its_head_and_nothing_is_cut_off() {
    let font = Font::installed().unwrap();
    let measures = font.measures().unwrap();
    let mut it = document(60);
    // More than a page holds, in one cell; and a word that is wider than its column.
    let long = "整改措施需要写得很长，".repeat(180);
    let word = "x".repeat(300);
    it.tables[0].rows[30][1] = Cell::text(&long);
    it.tables[0].rows[31][1] = Cell::text(&word);
    let pages = layout::pages(&it, &measures);
    assert!(pages.len() > 4, "{}", pages.len());
    let all = letters(&pages);
    assert_eq!(all.matches("Disinfectliftbuttons").count(), 60);
    assert_eq!(all.matches('整').count(), 180);
    assert_eq!(
        all.matches('x').count(),
        300 + all.matches("example").count()
    );
    for page in &pages {
        for mark in page {
            let layout::Mark::Text {
                x, y, size, text, ..
            } = mark
            else {
                continue;
            };
            let right = x + measures.width(text, *size);
            assert!(right <= layout::MARGIN + layout::WIDTH + 0.01, "{text}");
            assert!(*y <= layout::PAGE.1 - layout::MARGIN, "{text}");
            assert!(!text.starts_with(['，', '。']), "{text}");
        }
        assert!(
            letters(std::slice::from_ref(page)).contains("次数"),
            "under its head"
        );
    }
}

#[test]
fn without_a_font_it_is_said_what_to_install() {
    let empty = tempfile::tempdir().unwrap();
    std::fs::write(empty.path().join("broken.ttf"), b"no font").unwrap();
    let missing = Path::new("/nonexistent");
    let error = Font::below(&[missing, empty.path()])
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("apt install fonts-noto-cjk"), "{error}");
    assert!(
        error.contains("中文字体") && error.contains("Chinese"),
        "{error}"
    );
}

#[test]
fn the_same_document_gives_the_same_pdf_with_few_of_the_font() {
    let font = Font::installed().unwrap();
    let bytes = pdf(&document(3), &font).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    assert_eq!(pdf(&document(3), &font).unwrap(), bytes);
    assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
}
