//! Lists that are read in: tried, taken, taken back.

use super::{Lab, li, sign};
use menshen::people::{
    By, Columns, DeskError, Field, ImportState, List, Row, Search, Source, Undone,
};

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
