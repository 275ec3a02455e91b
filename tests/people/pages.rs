//! The register's pages over a real socket and a real store: what anybody may send, and what becomes of it; lists
//! as files; one person given out and erased.

use super::{Lab, desk};
use crate::dashboard::{Answer, Gateway};
use menshen::calendar::Date;
use menshen::clock::WallTime;
use menshen::people::{Field, Source};
use menshen::web::Entrance;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;

/// The pages of a register, by its clock. Nobody signs in.
fn pages(lab: &Lab) -> Gateway {
    let desk = Arc::new(desk(&lab.store, &lab.folder.path().join("people.key")));
    let clock = Arc::new(lab.clock.clone());
    Gateway::serving(Entrance::Demo, Vec::new(), |it| {
        it.people = Ok(desk);
        it.clock = clock;
    })
}

fn form(fields: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| {
        format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    fields.iter().map(one).collect::<Vec<_>>().join("&")
}

/// Where a poster's code leads.
fn poster(pages: &Gateway) -> String {
    let page = pages.get("/people/posters?places=east").body;
    let path = page.split("/declare/").nth(1).unwrap();
    format!(
        "/declare/{}",
        path.split(['<', ' ', '"']).next().unwrap().trim()
    )
}

/// A declaration with these fields in the place of usual ones.
fn declared(pages: &Gateway, path: &str, changed: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("name", "王芳"),
        ("phone", "13800138000"),
        ("symptoms", "none"),
        ("contact", "no"),
        ("agree", "yes"),
    ];
    for change in changed {
        fields.retain(|it| it.0 != change.0);
        fields.push(*change);
    }
    pages.post(path, &form(&fields))
}

fn people(lab: &Lab) -> u64 {
    lab.desk.counts(lab.now()).unwrap().people
}

fn last_deed(lab: &Lab) -> (String, String) {
    let last = lab.store.audit(1).unwrap().remove(0);
    (last.what, last.subject)
}

#[test]
fn a_hundred_declarations_at_once_from_one_address_are_twenty_and_nobody_else_waits() {
    let lab = Lab::open();
    let pages = pages(&lab);
    let path = poster(&pages);
    let answers: Vec<Answer> = (0..100)
        .map(|n| {
            lab.clock.advance(Duration::from_millis(10));
            let phone = format!("139{n:08}");
            declared(&pages, &path, &[("phone", &phone)])
        })
        .collect();
    let with = |status| answers.iter().filter(|it| it.status == status).count();
    assert_eq!((with(200), with(429)), (20, 80));
    let last = answers.last().unwrap();
    assert!(last.header("retry-after").is_some(), "{}", last.head);
    assert!(last.body.contains("还需等待的秒数"), "{}", last.body);
    assert_eq!(people(&lab), 20, "what was refused was not kept");
    assert_eq!(pages.get(&path).status, 200, "the form still opens");
    assert_eq!(pages.get("/gate").status, 200);
    lab.clock.advance(Duration::from_mins(10));
    assert_eq!(declared(&pages, &path, &[]).status, 200);
}

#[test]
fn a_poster_that_is_none_opens_nothing() {
    let lab = Lab::open();
    let pages = pages(&lab);
    let path = poster(&pages);
    let (rest, seal) = path.rsplit_once('/').unwrap();
    for path in [
        format!("{rest}/0000-0000"),
        format!("{rest}/{}", "A".repeat(5000)),
        format!("/declare/west/2020-02-24/{seal}"),
        format!("/declare/east/2020-02-30/{seal}"),
        format!("/declare/east/9999-12-31/{seal}"),
        format!("/declare/%00/2020-02-24/{seal}"),
        format!("/declare/..%2f..%2fetc/2020-02-24/{seal}"),
    ] {
        for answer in [pages.get(&path), declared(&pages, &path, &[])] {
            assert!(
                (400..500).contains(&answer.status),
                "{path}: {}",
                answer.status
            );
        }
    }
    lab.days_later(15);
    assert_eq!(pages.get(&path).status, 409, "out of date");
    assert_eq!(people(&lab), 0);
}

#[test]
fn what_hostile_hands_write_is_refused_at_its_field_or_stays_a_text() {
    let lab = Lab::open();
    let pages = pages(&lab);
    let path = poster(&pages);
    let long = "王".repeat(81);
    for (field, written) in [
        ("name", "<script>alert(1)</script>"),
        ("name", "=HYPERLINK(\"http://evil.example\")"),
        ("name", "Robert'); DROP TABLE person;--"),
        ("name", "王芳\u{7}"),
        ("name", "\u{202e}芳王"),
        ("name", "王\u{200b}芳"),
        ("name", "\u{0}"),
        ("name", "7"),
        ("name", long.as_str()),
        ("phone", "+"),
        ("phone", "13800138000 OR 1=1"),
        ("phone", "１３８"),
        ("company", long.as_str()),
        ("company", "古北\u{2066}贸易"),
        ("arrived", "2020-02-30"),
        ("arrived", "2020-02-11"),
        ("arrived", "1999-01-01"),
        ("arrived", "0000-00-00"),
        ("arrived", "99999999999999999999-01-01"),
        ("arrived", "-1"),
        ("symptoms", "plague"),
        ("contact", "perhaps"),
    ] {
        lab.clock.advance(Duration::from_mins(1));
        let answer = declared(&pages, &path, &[(field, written)]);
        assert_eq!(answer.status, 422, "{field} {written:?}");
        assert!(answer.body.contains("aria-invalid"), "{field} {written:?}");
        assert!(!answer.body.contains("<script>alert"), "{written}");
    }
    let agreed = declared(&pages, &path, &[("agree", "")]);
    assert_eq!(agreed.status, 422, "without consent nothing is kept");
    assert_eq!(people(&lab), 0);
    let raw = |body: &str| pages.post(&path, body).status;
    assert!((400..500).contains(&raw("name=%ff%fe&phone=%")), "no text");
    assert!((400..500).contains(&raw(&"x".repeat(2 << 20))), "too much");

    // What may be any text is a text on every page.
    let evil = "<img src=x onerror=alert(1)>";
    assert_eq!(declared(&pages, &path, &[("company", evil)]).status, 200);
    for page in [
        "/people?show=all",
        "/people/1",
        "/people/companies",
        "/gate",
    ] {
        let page = pages.get(page);
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<img src=x"), "{}", page.body);
    }
    assert!(pages.get("/people/1").body.contains("&#60;img src=x"));
    assert_eq!(people(&lab), 1);
}

#[test]
fn a_list_is_taken_as_a_file_in_which_nothing_is_a_formula() {
    let lab = Lab::open();
    for (name, company) in [
        ("王芳", "=cmd|' /C calc'!A0"),
        ("赵强", "@SUM(1+1)"),
        ("陈静", "-2+3"),
        ("李明", "古北贸易"),
    ] {
        let said = [
            (Field::Name, name),
            (Field::Phone, "+49 30 901820"),
            (Field::Company, company),
            (Field::From, "湖北武汉"),
        ];
        lab.enter(Source::Community, &said);
    }
    let pages = pages(&lab);
    let take = |show: &str, ending: &str| {
        pages.post(
            "/people/taken",
            &form(&[("show", show), ("ending", ending)]),
        )
    };
    let csv = take("red", "csv");
    assert_eq!(csv.status, 200);
    assert_eq!(
        csv.header("content-disposition"),
        Some("attachment; filename=\"menshen-people-red-2020-02-10.csv\"")
    );
    let lines: Vec<&str> = csv.body.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines.len(), 5, "{}", csv.body);
    for harmless in [
        ",'=cmd|' /C calc'!A0,",
        ",'@SUM(1+1),",
        ",'-2+3,",
        ",古北贸易,",
    ] {
        assert!(csv.body.contains(harmless), "{harmless}: {}", csv.body);
    }
    assert_eq!(
        last_deed(&lab),
        ("people_exported".to_owned(), "red csv".to_owned())
    );
    assert!(take("red", "xlsx").body.starts_with("PK"));
    assert_eq!(last_deed(&lab).1, "red xlsx");
    assert_eq!(take("green", "csv").body.lines().count(), 1, "nobody");
    assert_eq!(take("red", "exe").status, 404);
    assert_eq!(pages.get("/people/taken?show=red").status, 405);
}

#[test]
fn one_person_is_given_out_and_erased_on_their_page_and_the_audit_says_so() {
    let lab = Lab::open();
    let said = [
        (Field::Name, "王芳"),
        (Field::Phone, "13800138000"),
        (Field::From, "湖北武汉"),
    ];
    let id = lab.enter(Source::Gate, &said);
    let pages = pages(&lab);
    let person = format!("/people/{id}");
    let given = pages.post(&format!("{person}/export"), "x=y");
    assert!(
        given
            .header("content-disposition")
            .unwrap()
            .contains("menshen-person-1.json")
    );
    let given = given.json();
    assert_eq!(given["records"][0]["said"]["phone"], "13800138000");
    assert_eq!(given["steps"][0]["colour"], "red");
    assert_eq!(
        last_deed(&lab),
        ("person_exported".to_owned(), "1".to_owned())
    );
    let erase = format!("{person}/erase");
    for why in ["why=", "why=because"] {
        assert_eq!(pages.post(&erase, why).status, 422, "not without a reason");
    }
    assert_eq!(pages.get(&person).status, 200);
    assert_eq!(pages.post(&erase, "why=asked").status, 303);
    let (what, subject) = last_deed(&lab);
    assert_eq!(
        (what.as_str(), subject.as_str()),
        (
            "person_erased",
            "1 asked records=1 steps=1 health=0 visits=0"
        )
    );
    assert_eq!(pages.get(&person).status, 404);
    assert_eq!(pages.post(&erase, "why=asked").status, 404);
    let found = pages.post("/people/find", &form(&[("text", "13800138000")]));
    assert!(!found.body.contains("王芳"));
    assert_eq!(lab.store.verify_audit(None).unwrap().breaks, []);
}

#[test]
fn steps_out_of_order_and_a_wrong_clock_are_refused_in_words() {
    let lab = Lab::open();
    let said = [
        (Field::Name, "王芳"),
        (Field::From, "湖北武汉"),
        (Field::Arrived, "2020-02-09"),
    ];
    let id = lab.enter(Source::Gate, &said);
    let pages = pages(&lab);
    let act = |act: &str, fields: &[(&str, &str)]| {
        let answer = pages.post(&format!("/people/{id}/{act}"), &form(fields));
        (answer.status, answer.body)
    };
    let to = |colour: &str, on: &str| act("move", &[("to", colour), ("on", on), ("why", "x")]);
    for (colour, on, said) in [
        ("green", "2020-02-10", "观察期未满"),
        ("green", "2020-02-24", "请先校时"),
        ("orange", "2020-02-10", "不能这样变更颜色"),
        ("red", "2020-02-10", "不能这样变更颜色"),
        ("none", "2020-02-11", "日期不合理"),
    ] {
        let (status, page) = to(colour, on);
        assert!(
            status == 409 && page.contains(said),
            "{colour} {on}: {status} {page}"
        );
    }
    assert_eq!(to("blue", "2020-02-10").0, 404);
    for nobody in [
        "/people/0",
        "/people/-1",
        "/people/x",
        "/people/99999999999999999999",
    ] {
        assert_eq!(pages.get(nobody).status, 404, "{nobody}");
    }
    assert_eq!(to("none", "2020-02-31").0, 422);
    let said = |date: &str, temperature: &str| {
        act("health", &[("date", date), ("temperature", temperature)])
    };
    for (date, temperature, said_so) in [
        ("2020-02-11", "36.5", "日期不合理"),
        ("2020-02-08", "36.5", "日期不合理"),
        ("2020-02-10", "365", "34.0 至 43.0"),
        ("2020-02-10", "-3", "34.0 至 43.0"),
    ] {
        let (status, page) = said(date, temperature);
        assert!(
            status == 409 && page.contains(said_so),
            "{date} {temperature}: {status} {page}"
        );
    }
    for temperature in ["NaN", "warm", "1e999"] {
        assert_eq!(said("2020-02-10", temperature).0, 422, "{temperature}");
    }

    // The clock is a month ahead: nobody is released by the date that the guard knows.
    lab.clock.advance(Duration::from_hours(24 * 30));
    let (status, page) = to("green", "2020-02-10");
    assert!(status == 409 && page.contains("请先校时"), "{page}");
    // The clock shows no day of the calendar at all.
    lab.clock.step_wall(i64::MAX / 2);
    let page = pages.get("/people");
    assert!(
        page.status == 409 && page.body.contains("请先校时"),
        "{} {}",
        page.status,
        page.body
    );
}

#[test]
fn the_first_page_names_who_is_to_be_called_and_the_companies_plan_their_day() {
    let lab = Lab::open();
    let said = [
        (Field::Name, "王芳"),
        (Field::From, "湖北武汉"),
        (Field::Arrived, "2020-02-09"),
    ];
    lab.enter(Source::Gate, &said);
    let pages = pages(&lab);
    let first = pages.get("/people").body;
    let called = first.split("id=\"called\"").nth(1).unwrap();
    assert!(
        called.split("</section>").next().unwrap().contains("王芳"),
        "{called}"
    );
    assert!(!pages.get("/people?show=all").body.contains("id=\"called\""));
    let plan = |fields: &[(&str, &str)]| pages.post("/people/companies/plan", &form(fields));
    let day: Date = "2020-02-11".parse().unwrap();
    let day = day.to_string();
    let good = [
        ("date", day.as_str()),
        ("company", "古北贸易"),
        ("people", "30"),
    ];
    let taken = plan(&good);
    assert_eq!(
        taken.header("location"),
        Some("/people/companies?date=2020-02-11")
    );
    let page = pages.get("/people/companies").body;
    assert!(
        page.contains("古北贸易") && page.contains("<td class=\"digits\">30</td>"),
        "{page}"
    );
    for (field, wrong) in [
        ("people", "-1"),
        ("people", "many"),
        ("people", "99999999999"),
        ("company", ""),
        ("date", "2020-02-31"),
        ("date", "2020-03-31"),
    ] {
        let changed = good.map(|it| if it.0 == field { (field, wrong) } else { it });
        assert_eq!(plan(&changed).status, 409, "{field} {wrong}");
    }
    lab.clock
        .advance(Duration::from_millis(WallTime::DAY_MS.unsigned_abs()));
    let gate = pages.get("/gate").body;
    assert!(gate.contains("古北贸易"), "{gate}");
}
