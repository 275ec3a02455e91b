//! Clinical tables: people before thermal cameras whose oral temperature is known.
//!
//! A table has a line for each person and camera, in the columns of the public data
//! (doi:10.13026/3bhc-9065; see `calibration/README.md`). Their order does not matter, other columns
//! are not looked at, and an empty cell is a missing value. Of the four rounds the first three are
//! read: in the fourth the mouth is open, which no gateway sees. A region's temperature is the mean
//! of its rounds.

use crate::evaluate::clinical::{Region, Row};
use anyhow::{Context as _, bail, ensure};
use csv::{ByteRecord, ReaderBuilder};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Largest table that is read, bytes; the public one has 0.8 MB.
const LARGEST: u64 = 1 << 28;

/// Rounds with the mouth closed.
const ROUNDS: [u8; 3] = [1, 2, 3];

/// What the columns of a region begin with.
const REGIONS: [(Region, &str); 9] = [
    (Region::Canthi, "canthimax"),
    (Region::WholeFace, "t_max"),
    (Region::Forehead, "t_fh_max"),
    (Region::ForeheadCentreMaximum, "t_fhc_max"),
    (Region::ForeheadCentre, "t_fhcc"),
    (Region::RightCanthus, "rcc"),
    (Region::LeftCanthus, "lcc"),
    (Region::RightCanthusMaximum, "max1r13"),
    (Region::LeftCanthusMaximum, "max1l13"),
];

/// Words for a value that is missing.
const MISSING: [&str; 5] = ["", "na", "n/a", "nan", "null"];

/// Temperatures that the columns may hold, °C: what is outside is a slip (°F, a lost point).
const ORAL: (f64, f64) = (30.0, 45.0);
const ROOM: (f64, f64) = (-10.0, 50.0);
const SKIN: (f64, f64) = (10.0, 50.0);

/// A table.
#[derive(Debug)]
pub(super) struct ClinicalTable {
    /// Everybody of whom enough is known.
    pub(super) rows: Vec<Row>,
    /// Lines without an oral temperature, a room, or the upper face.
    pub(super) left_out: usize,
    /// The whole file.
    pub(super) bytes: Vec<u8>,
}

/// A column: its place and name.
struct Column {
    at: usize,
    name: String,
}

struct Columns {
    camera: Column,
    person: Column,
    oral: Column,
    room: Column,
    regions: Vec<(Region, Vec<Column>)>,
}

/// Reads a table.
///
/// # Errors
/// Where it cannot be read, lacks a column, or has a cell that cannot be right; with a hint.
pub(super) fn read(path: &Path) -> anyhow::Result<ClinicalTable> {
    let name = path.display();
    let size = fs::metadata(path).with_context(|| name.to_string())?.len();
    ensure!(
        size <= LARGEST,
        "{name}: {size} bytes are no table\nhint: give a CSV file with one line for each person \
         and camera"
    );
    let bytes = fs::read(path).with_context(|| name.to_string())?;
    parse(bytes).with_context(|| name.to_string())
}

fn parse(bytes: Vec<u8>) -> anyhow::Result<ClinicalTable> {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = ReaderBuilder::new().from_reader(text);
    let columns = columns(reader.byte_headers().context("line 1")?)?;
    let (mut rows, mut left_out, mut seen) = (Vec::new(), 0, BTreeSet::new());
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(in_words)? {
        let line = record.position().map_or(0, csv::Position::line);
        if let Some(row) = row(&record, &columns).with_context(|| format!("line {line}"))? {
            ensure!(
                seen.insert((row.camera.clone(), row.person.clone())),
                "line {line}: {} before camera {} is there twice\nhint: one line for each person \
                 and camera",
                row.person,
                row.camera
            );
            rows.push(row);
        } else {
            left_out += 1;
        }
    }
    ensure!(
        !rows.is_empty(),
        "there is nobody with an oral temperature, a room and an upper face in it\nhint: look at \
         the columns oral_monitor_c, t_amb_c, canthimax_r1 and t_fh_max_r1"
    );
    Ok(ClinicalTable {
        rows,
        left_out,
        bytes,
    })
}

/// The crate's words for lines of different lengths are good, but give no hint.
fn in_words(error: csv::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(
        "not a table\nhint: every line needs as many cells as the first one, separated by commas",
    )
}

fn columns(header: &ByteRecord) -> anyhow::Result<Columns> {
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_lowercase())
        .collect();
    let found = |name: &str| -> anyhow::Result<Option<Column>> {
        let mut places = names.iter().enumerate().filter(|(_, it)| *it == name);
        let Some((at, _)) = places.next() else {
            return Ok(None);
        };
        ensure!(
            places.next().is_none(),
            "line 1: the column {name} is there twice\nhint: keep one of them"
        );
        let name = name.to_owned();
        Ok(Some(Column { at, name }))
    };
    let needed = |name: &str| {
        found(name)?.with_context(|| {
            format!(
                "line 1: there is no column {name}\nhint: needed are camera, subject, \
                 oral_monitor_c, t_amb_c, and canthimax_r1 or t_fh_max_r1; cells are separated by \
                 commas"
            )
        })
    };
    let mut regions = Vec::new();
    for (region, stem) in REGIONS {
        let mut rounds = Vec::new();
        for round in ROUNDS {
            rounds.extend(found(&format!("{stem}_r{round}"))?);
        }
        regions.push((region, rounds));
    }
    let columns = Columns {
        camera: needed("camera")?,
        person: needed("subject")?,
        oral: needed("oral_monitor_c")?,
        room: needed("t_amb_c")?,
        regions,
    };
    let has_upper = |(region, rounds): &(Region, Vec<Column>)| {
        matches!(region, Region::Canthi | Region::Forehead) && !rounds.is_empty()
    };
    if !columns.regions.iter().any(has_upper) {
        needed("canthimax_r1")?;
    }
    Ok(columns)
}

/// A line; `None` where something is missing without which it says nothing.
fn row(record: &ByteRecord, columns: &Columns) -> anyhow::Result<Option<Row>> {
    let camera = word(record, &columns.camera)?;
    let person = word(record, &columns.person)?;
    let oral = celsius(record, &columns.oral, ORAL)?;
    let room = celsius(record, &columns.room, ROOM)?;
    let mut regions = Vec::new();
    for (region, rounds) in &columns.regions {
        let (mut sum, mut count) = (0.0, 0.0);
        for column in rounds {
            if let Some(celsius) = celsius(record, column, SKIN)? {
                sum += celsius;
                count += 1.0;
            }
        }
        if count > 0.0 {
            regions.push((*region, sum / count));
        }
    }
    let (Some(oral), Some(room)) = (oral, room) else {
        return Ok(None);
    };
    let row = Row::new(&camera, &person, oral, room, &regions);
    Ok(row.celsius(Region::UpperFace).map(|_| row))
}

fn cell(record: &ByteRecord, column: &Column) -> String {
    let bytes = record.get(column.at).unwrap_or_default();
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// A name that must be there.
fn word(record: &ByteRecord, column: &Column) -> anyhow::Result<String> {
    let word = cell(record, column);
    ensure!(
        !word.is_empty(),
        "column {}: is empty\nhint: every line needs a camera and a person",
        column.name
    );
    Ok(word)
}

/// A temperature within limits; `None` where it is missing.
fn celsius(
    record: &ByteRecord,
    column: &Column,
    (low, high): (f64, f64),
) -> anyhow::Result<Option<f64>> {
    let text = cell(record, column);
    if MISSING.contains(&text.to_lowercase().as_str()) {
        return Ok(None);
    }
    let shown: String = text.chars().take(40).collect();
    let Ok(celsius) = text.parse::<f64>() else {
        bail!(
            "column {}: {shown:?} is no number\nhint: degrees Celsius with a decimal point, such \
             as 36.6; leave the cell empty where the value is missing",
            column.name
        );
    };
    ensure!(
        (low..=high).contains(&celsius),
        "column {}: {shown} is outside of {low} to {high} °C\nhint: temperatures are degrees \
         Celsius; leave the cell empty where the value is missing",
        column.name
    );
    Ok(Some(celsius))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::in_words as words;
    use proptest::prelude::*;

    const HEADER: &str = "camera,subject,oral_monitor_c,t_amb_c,canthimax_r1,canthimax_r2,\
                          t_fh_max_r1,canthimax_r4";

    fn table(lines: &str) -> anyhow::Result<ClinicalTable> {
        parse(format!("{HEADER}\n{lines}").into_bytes())
    }

    #[test]
    fn rounds_are_averaged_and_the_fourth_is_not_read() {
        let rows = table("A,1,36.6,22,35.5,35.7,34,40\n").unwrap().rows;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].celsius(Region::Canthi), Some(35.6));
        assert_eq!(rows[0].celsius(Region::UpperFace), Some(35.6));
        assert_eq!(rows[0].celsius(Region::WholeFace), None);
    }

    #[test]
    fn missing_cells_are_missing_and_lines_that_say_nothing_are_counted() {
        let lines = "A,1,36.6,22,,35.7,NA,\n\"A\",2,,22,35,35,35,\nA,3,36,22,nan,,,\n\
                     A,4,36,,35,35,35,\n";
        let table = table(lines).unwrap();
        assert_eq!((table.rows.len(), table.left_out), (1, 3));
        assert_eq!(table.rows[0].celsius(Region::Canthi), Some(35.7));
    }

    #[test]
    fn order_case_marks_and_other_columns_do_not_matter() {
        let text = "\u{feff}T_FH_MAX_R1, age ,T_amb_C,oral_monitor_c,subject,camera\r\n\
                    34.5,\"20, or 21\",22,36.6,1,A\r\n";
        let rows = parse(text.as_bytes().to_vec()).unwrap().rows;
        assert_eq!(rows[0].celsius(Region::UpperFace), Some(34.5));
        assert_eq!((rows[0].room_c, rows[0].oral_c), (22.0, 36.6));
    }

    #[test]
    fn what_is_wrong_is_said_with_line_column_and_hint() {
        let good = "A,1,36.6,22,35.5,35.7,34,\n";
        for (lines, said) in [
            (
                "A,2,warm,22,35,35,35,\n",
                "line 3: column oral_monitor_c: \"warm\"",
            ),
            (
                "A,2,97.9,22,35,35,35,\n",
                "line 3: column oral_monitor_c: 97.9 is",
            ),
            (
                "A,2,36,22,35,3.5,35,\n",
                "line 3: column canthimax_r2: 3.5 is",
            ),
            ("A,2,36,inf,35,35,35,\n", "line 3: column t_amb_c: inf is"),
            ("A,,36,22,35,35,35,\n", "line 3: column subject: is empty"),
            (
                "A,1,36,22,35,35,35,\n",
                "line 3: 1 before camera A is there twice",
            ),
            ("A,1,36\n", "line: 3"),
        ] {
            let said_of = words(&table(&format!("{good}{lines}")).unwrap_err());
            assert!(said_of.contains(said), "{said_of}");
            assert!(said_of.contains("\nhint: "), "{said_of}");
        }
    }

    #[test]
    fn headers_that_lack_something_are_refused() {
        for (header, said) in [
            ("", "no column camera"),
            ("camera;subject", "no column camera"),
            (
                "camera,subject,oral_monitor_c,t_amb_c",
                "no column canthimax_r1",
            ),
            ("camera,subject,subject", "subject is there twice"),
        ] {
            let said_of = words(&parse(header.as_bytes().to_vec()).unwrap_err());
            assert!(
                said_of.contains(said) && said_of.contains("hint: "),
                "{said_of}"
            );
        }
        assert!(words(&table("").unwrap_err()).contains("there is nobody"));
    }

    proptest! {
        #[test]
        fn no_bytes_at_all_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(bytes);
        }

        #[test]
        fn no_lines_below_a_good_header_make_it_panic(
            lines in "([A-B]?,[1-3]?,([0-9.eE+-]{0,5}|nan|inf|\"|[^,]{0,3})(,[0-9.]{0,4}){0,6}\r?\n?){0,8}"
        ) {
            if let Ok(table) = table(&lines) {
                prop_assert!(!table.rows.is_empty());
                prop_assert!(table.rows.iter().all(|row| row.oral_c.is_finite()));
            }
        }
    }
}
