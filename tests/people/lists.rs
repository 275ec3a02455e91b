//! Lists that are read in: tried, taken, taken back.

use super::{Lab, li, sign};
use menshen::clock::{BootId, Clock as _, SystemClock};
use menshen::people::{
    By, Columns, DeskError, Field, ImportState, List, Row, Search, Source, Undone,
};
use menshen::sheet;
use std::time::Duration;

fn list(source: Source) -> List {
    let heading = ["姓名", "联系电话", "单位", "来自"].map(str::to_owned);
    List {
        source,
        columns: Columns::guess(&heading),
        by: li(),
    }
}

fn row(line: u64, cells: [&str; 4]) -> Row {
    Row {
        line,
        cells: Ok(cells.map(str::to_owned).to_vec()),
    }
}

fn rows() -> Vec<Row> {
    vec![
        row(2, ["王芳", "13800138000", "古北贸易", "湖北武汉"]),
        row(3, ["赵强", "13900139000", "古北贸易", ""]),
        row(4, ["=cmd()", "139", "", ""]),
        row(5, ["", "", "", ""]),
        row(6, ["王芳", "138-0013-8000", "古北贸易", "湖北武汉"]),
        row(7, ["赵小强", "13900139000", "", ""]),
    ]
}

fn everybody(lab: &Lab) -> usize {
    let all = Search::by(By::All);
    lab.desk.people(&all, &li(), lab.now()).unwrap().len()
}

#[test]
fn a_list_is_tried_taken_and_taken_back() {
    let lab = Lab::open();
    let list = list(Source::Household);
    let tried = lab
        .desk
        .try_list(&list, &mut rows().into_iter(), lab.now())
        .unwrap();
    assert_eq!(
        (tried.new, tried.unchanged, tried.doubtful, tried.refused),
        (2, 1, 1, 1)
    );
    assert!(
        tried.wrong[0].to_string().contains("line 4"),
        "{}",
        tried.wrong[0]
    );
    assert_eq!(
        (tried.id, everybody(&lab)),
        (None, 0),
        "nothing was written"
    );
    let mut heard = Vec::new();
    let report = lab
        .desk
        .import(&list, &mut rows().into_iter(), lab.now(), &mut |seen| {
            heard.push(seen);
        })
        .unwrap();
    let id = report.id.unwrap();
    assert_eq!((report.taken(), heard), (4, vec![6]));
    assert_eq!(everybody(&lab), 3);
    assert_eq!(lab.desk.lists().unwrap()[0].state, ImportState::Ended);
    let again = lab
        .desk
        .import(&list, &mut rows().into_iter(), lab.now(), &mut |_| {})
        .unwrap();
    assert_eq!(
        (again.unchanged, again.new),
        (4, 0),
        "the same list says nothing new"
    );
    // One of them declares, one is moved by a person: those stay.
    lab.enter(
        Source::Community,
        &[(Field::Name, "赵强"), (Field::Phone, "13900139000")],
    );
    let wang = lab.desk.find("王芳", &li(), lab.now()).unwrap()[0]
        .person
        .id;
    let today = lab.today();
    lab.desk
        .move_to(
            wang,
            (Some(menshen::people::Colour::Purple), today),
            &sign(),
            lab.now(),
        )
        .unwrap();
    let undone = lab.desk.undo(id, &li(), lab.now()).unwrap();
    let expected = Undone {
        erased: 1,
        stay: 1,
        acted_on: 1,
    };
    assert_eq!(undone, expected);
    assert_eq!(
        lab.desk.undo(id, &li(), lab.now()),
        Err(DeskError::NoImport)
    );
    assert_eq!(everybody(&lab), 2);
    assert_eq!(lab.store.verify_audit(None).unwrap().breaks, []);
}

#[test]
fn a_list_without_names_is_refused_before_its_first_row() {
    let lab = Lab::open();
    let list = List {
        columns: Columns::guess(&["电话".to_owned()]),
        ..list(Source::Population)
    };
    let refused = lab
        .desk
        .import(&list, &mut rows().into_iter(), lab.now(), &mut |_| {});
    assert_eq!(refused, Err(DeskError::Heading(vec![Field::Name])));
    assert_eq!(lab.desk.lists().unwrap(), []);
}

#[test]
fn one_name_or_one_phone_of_many_hides_nobody_who_is_known() {
    let lab = Lab::open();
    let list = list(Source::Population);
    // Everybody of one name; then everybody behind one switchboard.
    let phone = |n: u64| format!("139{n:08}");
    let name = |n: u64| format!("陈{}", char::from_u32(0x4e00 + n as u32).unwrap());
    let rows = || {
        let same_name = (0..300).map(|n| row(n, ["王芳", &phone(n), "", ""]));
        let same_phone = (300..600).map(|n| row(n, [&name(n), "02162080000", "", ""]));
        same_name.chain(same_phone).collect::<Vec<_>>()
    };
    let import = || {
        let mut rows = rows().into_iter();
        lab.desk
            .import(&list, &mut rows, lab.now(), &mut |_| {})
            .unwrap()
    };
    let first = import();
    assert_eq!((first.new, first.doubtful, first.known), (301, 299, 0));
    let again = import();
    assert_eq!(
        (again.unchanged, again.taken()),
        (600, 600),
        "each is found again"
    );
    assert_eq!(lab.desk.counts(lab.now()).unwrap().people, 600);
    let all = Search {
        most: 1000,
        ..Search::by(By::All)
    };
    let people = lab.desk.people(&all, &li(), lab.now()).unwrap();
    let most = people.iter().map(|it| it.person.doubts.len()).max();
    assert_eq!(most, Some(10), "nobody goes through more");
    // A card's end finds somebody who has a new phone, among all of that name.
    let with_card = [
        (Field::Name, "王芳"),
        (Field::Phone, &phone(7)),
        (Field::IdTail, "03002X"),
    ];
    let known = lab.enter(Source::Gate, &with_card);
    let alone = [(Field::Name, "王芳"), (Field::IdTail, "002X")];
    assert_eq!(lab.enter(Source::Community, &alone), known);
    let new_phone = [
        (Field::Name, "王芳"),
        (Field::Phone, "13700137000"),
        (Field::IdTail, "002X"),
    ];
    let doubtful = lab.enter(Source::Community, &new_phone);
    let seen = lab.desk.person(doubtful, &li(), lab.now()).unwrap();
    assert_eq!(seen.person.doubts, [known]);
}

/// Most memory that this process ever had, MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

/// As a district's list is: 100 000 people, 4000 names, one row in a hundred wrong.
fn a_large_list(lab: &Lab) -> std::path::PathBuf {
    use std::io::Write as _;
    let path = lab.folder.path().join("list.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    writeln!(file, "姓名,联系电话,单位,来自,证件号后几位,楼层").unwrap();
    for n in 0..ROWS {
        let name: String = [0x738b + n % 20, 0x4e00 + n / 20 % 200]
            .into_iter()
            .filter_map(char::from_u32)
            .collect();
        let phone = if n % 100 == 99 {
            "139".to_owned()
        } else {
            format!("139{n:08}")
        };
        let from = ["湖北武汉", "浙江温州", "江苏苏州", ""][(n % 4) as usize];
        writeln!(
            file,
            "{name},{phone},第{}公司,{from},{:06},{}",
            n % 500,
            n % 1_000_000,
            n % 60
        )
        .unwrap();
    }
    file.flush().unwrap();
    path
}

/// Rows of the large list.
const ROWS: u32 = 100_000;

#[test]
#[ignore = "takes minutes; `make torture` runs it"]
fn a_hundred_thousand_rows_are_read_in_and_memory_stays_small() {
    let lab = Lab::open();
    let path = a_large_list(&lab);
    let before = peak_mib();
    let watch = SystemClock::start(BootId(1));
    let took = |since: Duration| watch.now().monotonic.saturating_sub(since);
    let began = watch.now().monotonic;
    let read = |reads: bool| {
        let mut heard = 0;
        let report = sheet::read(&path, |heading, rows| {
            let list = List {
                source: Source::Population,
                columns: Columns::guess(&heading),
                by: li(),
            };
            if reads {
                lab.desk.import(&list, rows, lab.now(), &mut |seen| {
                    assert!(seen > heard, "each word of progress is of more rows");
                    heard = seen;
                })
            } else {
                lab.desk.try_list(&list, rows, lab.now())
            }
        });
        (report.unwrap().unwrap(), heard)
    };
    let (report, heard) = read(true);
    let first = took(began);
    let wrong = u64::from(ROWS / 100);
    assert_eq!(
        (report.taken(), report.refused),
        (u64::from(ROWS) - wrong, wrong)
    );
    assert_eq!(
        (report.new, heard),
        (u64::from(ROWS) - wrong, u64::from(ROWS))
    );
    let began = watch.now().monotonic;
    let (again, _) = read(true);
    let second = took(began);
    assert_eq!(
        again.unchanged,
        u64::from(ROWS) - wrong,
        "each is found among all"
    );
    let grown = peak_mib() - before;
    let began = watch.now().monotonic;
    let undone = lab.desk.undo(report.id.unwrap(), &li(), lab.now()).unwrap();
    assert_eq!(undone.erased, u64::from(ROWS) - wrong);
    let bytes = std::fs::metadata(lab.folder.path().join("menshen.db"))
        .unwrap()
        .len();
    println!(
        "{ROWS} rows: read in {first:.1?}, again {second:.1?}, taken back {:.1?}; memory grew by {grown} MiB, \
         the database has {} MiB",
        took(began),
        bytes >> 20
    );
    // A tenth of what the list would take with a kilobyte for each of its people.
    assert!(grown < 64, "memory grew by {grown} MiB");
}

#[test]
fn a_list_that_was_cut_short_can_be_taken_back() {
    let lab = Lab::open();
    let list = list(Source::Population);
    let mut count = 0_u64;
    let endless = std::iter::from_fn(|| {
        count += 1;
        let phone = format!("139{count:08}");
        (count <= 250).then(|| row(count, ["陈伟", &phone, "", ""]))
    });
    // The reading is cut short as by a power cut: the second hundred never ends the list.
    let mut rows = endless.take(200);
    let cut = lab
        .desk
        .import(&list, &mut rows, lab.now(), &mut |_| {})
        .unwrap();
    assert_eq!(
        cut.new, 200,
        "people of one name and different phones are different people"
    );
    let id = cut.id.unwrap();
    assert_eq!(lab.desk.undo(id, &li(), lab.now()).unwrap().erased, 200);
    assert_eq!(everybody(&lab), 0);
}
