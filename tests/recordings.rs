//! Real people before real cameras: 51 recordings that lie beside the project (they show people,
//! so they are no part of it), put through the program as `menshen replay` does, against what
//! somebody saw in them. Where they are not, this is skipped and says so.
//!
//! Nothing is known of these people's temperatures, so none is compared; it counts who is seen,
//! who is not, and that no impossible value comes out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one prints a table"
)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// How many recordings the index names.
const ALL: usize = 51;
/// No skin of a face is colder than this indoors; the screening refuses to judge it.
const COLDEST_FACE_C: f64 = 33.0;
/// Share of the recordings with a known number of people in which exactly as many are found.
const EXACT_COUNTS: f64 = 0.9;

/// One line of the index.
struct Known {
    class: String,
    /// `None` where nobody has counted.
    people: Option<usize>,
}

/// The fields of one line; commas within quotes do not separate.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

fn index(text: &str) -> BTreeMap<String, Known> {
    let mut lines = text.lines();
    let names = fields(lines.next().unwrap());
    let column = |name: &str| names.iter().position(|it| it == name).unwrap();
    let (file, class, people) = (column("file"), column("class"), column("people_to_screen"));
    lines
        .map(fields)
        .map(|line| {
            let known = Known {
                class: line[class].clone(),
                people: (!line[people].is_empty()).then(|| line[people].parse().unwrap()),
            };
            (line[file].clone(), known)
        })
        .collect()
}

/// What came of one class.
#[derive(Default)]
struct Row {
    recordings: usize,
    with_people: usize,
    people: usize,
    readings: usize,
    counted: usize,
    exact: usize,
}

#[test]
fn real_recordings_are_screened_as_somebody_saw_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/recordings");
    let Ok(text) = fs::read_to_string(folder.join("index.csv")) else {
        println!(
            "skipped: no real recordings here ({} has no index.csv)",
            folder.display()
        );
        return;
    };
    let known = index(&text);
    assert_eq!(known.len(), ALL);
    let output = Command::new(env!("CARGO_BIN_EXE_menshen"))
        .args([
            "replay",
            "--json",
            "--rotate",
            "90",
            "--blackbody-c",
            "37.0",
        ])
        .arg(&folder)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), err.as_ref()), (Some(0), ""));
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), ALL);

    let mut rows = BTreeMap::<&str, Row>::new();
    let (mut wrong, mut cpu) = (Vec::new(), 0.0);
    for line in &lines {
        let file = line["file"].as_str().unwrap();
        let known = &known[file];
        let people = line["people"].as_array().unwrap();
        let faces: Vec<f64> = people
            .iter()
            .filter_map(|it| it["face_c"].as_f64())
            .collect();
        let row = rows.entry(&known.class).or_default();
        row.recordings += 1;
        row.with_people += usize::from(!people.is_empty());
        row.people += people.len();
        row.readings += faces.len();
        row.counted += usize::from(known.people.is_some());
        row.exact += usize::from(known.people == Some(people.len()));
        cpu += line["cpu_ms_per_frame"]["mean"].as_f64().unwrap() / ALL as f64;

        if !line["error"].is_null() {
            wrong.push(format!("{file}: {}", line["error"]));
        }
        for face in faces.iter().filter(|face| **face < COLDEST_FACE_C) {
            wrong.push(format!("{file}: a face of {face} °C"));
        }
        if known.class == "near_frontal" && people.is_empty() {
            wrong.push(format!("{file}: somebody stood there and nobody was found"));
        }
    }
    let mut table = format!(
        "{:<18}{:>11}{:>14}{:>8}{:>10}{:>16}\n",
        "class", "recordings", "with people", "people", "readings", "exact count"
    );
    for (class, row) in &rows {
        let exact = format!("{} of {}", row.exact, row.counted);
        writeln!(
            table,
            "{class:<18}{:>11}{:>14}{:>8}{:>10}{exact:>16}",
            row.recordings, row.with_people, row.people, row.readings
        )
        .unwrap();
    }
    println!("{table}{cpu:.2} ms CPU a frame, mean over recordings");

    assert!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
    let unasked: usize = ["far_side_or_back", "empty"]
        .map(|it| rows[it].readings)
        .iter()
        .sum();
    assert_eq!(
        unasked, 0,
        "readings of people who did not come to be screened\n{table}"
    );
    let (counted, exact) = rows
        .values()
        .fold((0, 0), |(c, e), row| (c + row.counted, e + row.exact));
    assert!(counted >= 30, "the index has lost its numbers of people");
    assert!(
        exact as f64 > EXACT_COUNTS * counted as f64,
        "{exact} of {counted} recordings have as many people as somebody counted\n{table}"
    );
}
