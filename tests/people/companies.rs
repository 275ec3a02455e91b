//! Who is expected in, company by company: planned, counted at the gate, told to the guard, kept to the building.

use super::{Lab, date, desk, li};
use menshen::people::{Advice, CompanyDay, DeskError, Field, PersonId, PlanRefused, Source};
use menshen::store::new_key;
use menshen::text::Note;

fn company() -> Note {
    Note::name("古北贸易").unwrap()
}

fn worker(lab: &Lab, name: &str, phone: &str) -> PersonId {
    let said = [
        (Field::Name, name),
        (Field::Phone, phone),
        (Field::Company, "古北贸易"),
        (Field::Expected, "2020-02-10"),
    ];
    lab.enter(Source::Community, &said)
}

/// Declares, and gives the code.
fn code(lab: &Lab, name: &str, phone: &str) -> String {
    let said = [
        (Field::Name, name),
        (Field::Phone, phone),
        (Field::Symptoms, "无"),
        (Field::Contact, "无"),
    ];
    let said = lab.desk.declaration(said, true, lab.now()).unwrap();
    lab.desk
        .declare(&said, name, lab.now())
        .unwrap()
        .to_string()
}

fn advice(lab: &Lab, code: &str) -> Advice {
    lab.desk.check(code, &li(), lab.now()).unwrap().advice
}

fn day(lab: &Lab) -> Vec<CompanyDay> {
    lab.desk.gate(&li(), lab.now()).unwrap().companies
}

#[test]
fn the_guard_sees_who_is_expected_and_when_a_company_is_full() {
    let lab = Lab::open();
    let today = lab.today();
    let people = [
        ("王芳", "13800138000"),
        ("赵强", "13900139000"),
        ("陈静", "13700137000"),
    ];
    let ids = people.map(|it| worker(&lab, it.0, it.1));
    let codes = people.map(|it| code(&lab, it.0, it.1));
    let put = |people| {
        lab.desk
            .put_plan((today, &company(), people), &li(), lab.now())
    };
    put(2).unwrap();
    let of = |entered| CompanyDay {
        company: Some(company()),
        planned: Some(2),
        returning: 3,
        entered,
    };
    assert_eq!(day(&lab), [of(0)]);
    for id in &ids[..2] {
        lab.desk.pass(*id, (true, None), &li(), lab.now()).unwrap();
    }
    // Somebody who goes out and comes back is one person, and may come back.
    lab.desk
        .pass(ids[0], (true, None), &li(), lab.now())
        .unwrap();
    assert_eq!(day(&lab), [of(2)]);
    assert!(day(&lab)[0].is_full());
    assert_eq!(advice(&lab, &codes[0]), Advice::Enter);
    assert_eq!(advice(&lab, &codes[2]), Advice::CompanyFull);
    put(3).unwrap();
    assert_eq!(advice(&lab, &codes[2]), Advice::Enter);
    // Nobody is let in who was turned back.
    lab.desk
        .pass(ids[2], (false, None), &li(), lab.now())
        .unwrap();
    assert_eq!(day(&lab)[0].entered, 2);
    lab.days_later(1);
    assert_eq!(day(&lab), [], "tomorrow is another day");
}

#[test]
fn a_plan_is_for_the_days_to_come_and_gone_when_its_day_is_over() {
    let lab = Lab::open();
    let put = |day: &str, people| {
        lab.desk
            .put_plan((date(day), &company(), people), &li(), lab.now())
    };
    for day in ["2020-02-09", "2020-02-25", "9999-12-31"] {
        assert_eq!(put(day, 5), Err(DeskError::Plan(PlanRefused::Day)), "{day}");
    }
    let much = put("2020-02-11", u32::MAX);
    assert_eq!(much, Err(DeskError::Plan(PlanRefused::Unreadable)));
    put("2020-02-11", 30).unwrap();
    put("2020-02-24", 40).unwrap();
    assert_eq!(lab.desk.plan(date("2020-02-11")).unwrap().people(), 30);
    // A name of a company is in no file, and what was entered is in the audit without it.
    assert!(!lab.is_in_a_file("古北贸易"));
    let entry = lab.store.audit(1).unwrap().remove(0);
    assert_eq!(
        (entry.what.as_str(), entry.subject.as_str()),
        ("headcount_planned", "2020-02-24 40")
    );
    // The key changes: plans are sealed anew with the people.
    worker(&lab, "王芳", "13800138000");
    let key = lab.folder.path().join("people.key");
    new_key(&key).unwrap();
    let both = desk(&lab.store, &key);
    assert_eq!(both.reseal(lab.now()), Ok(1));
    let text = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, text.lines().next().unwrap()).unwrap();
    let new = desk(&lab.store, &key);
    assert_eq!(
        new.plan(date("2020-02-24")).unwrap().of(&company()),
        Some(40)
    );
    lab.days_later(2);
    new.forget(lab.now()).unwrap();
    let left = |day: &str| new.plan(date(day)).unwrap().people();
    assert_eq!((left("2020-02-11"), left("2020-02-24")), (0, 40));
}
