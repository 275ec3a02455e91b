//! One person after the other through sources and colours.

use super::{Lab, date, li, sign};
use menshen::people::{
    Advice, By, Colour, DeskError, Erasure, Field, Health, HealthRefused, Lack, Mark, MoveRefused,
    Passage, Person, PersonId, Search, Source, Standing, Told,
};
use menshen::units::Celsius;
use std::collections::BTreeSet;

const WANG: &[(Field, &str)] = &[
    (Field::Name, "王芳"),
    (Field::Phone, "138 0013 8000"),
    (Field::Company, "古北贸易"),
    (Field::Floor, "12"),
];

fn with(more: &[(Field, &'static str)]) -> Vec<(Field, &'static str)> {
    WANG.iter().chain(more).copied().collect()
}

fn person(lab: &Lab, id: PersonId) -> Person {
    lab.desk.person(id, &li(), lab.now()).unwrap().person
}

pub(crate) fn health(lab: &Lab, degrees: f64) -> Health {
    Health {
        date: lab.today(),
        temperature: Celsius::new(degrees),
        symptoms: BTreeSet::new(),
        by: Some(li()),
        at: lab.now(),
    }
}

#[test]
fn five_sources_are_one_person_and_none_overwrites_another() {
    let lab = Lab::open();
    let ids = [
        lab.enter(Source::Household, &with(&[(Field::From, "湖北黄冈")])),
        lab.enter(Source::Population, WANG),
        lab.enter(Source::Community, &with(&[(Field::Expected, "2020-02-12")])),
        lab.enter(Source::Gate, &with(&[(Field::Company, "古北贸易有限公司")])),
    ];
    let said = with(&[(Field::Symptoms, "无"), (Field::Contact, "无")]);
    let said = lab.desk.declaration(said, true, lab.now()).unwrap();
    lab.desk.declare(&said, "10.0.0.9", lab.now()).unwrap();
    assert_eq!(BTreeSet::from(ids).len(), 1);
    let wang = person(&lab, ids[0]);
    assert_eq!(wang.sources().len(), 5);
    let Standing::Contradicted(companies) = wang.standing(Field::Company) else {
        panic!("both companies are shown");
    };
    let companies: Vec<&str> = companies.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(companies, ["古北贸易", "古北贸易有限公司"]);
    lab.desk
        .settle(
            (wang.id, Field::Company),
            "古北贸易有限公司",
            &li(),
            lab.now(),
        )
        .unwrap();
    let wang = person(&lab, ids[0]);
    assert!(wang.contradicted().is_empty());
    assert_eq!(wang.records.len(), 5, "what was said stays");
    assert_eq!(wang.follow.colour(), Some(Colour::Red));
    assert_eq!(
        wang.follow.standing().unwrap().due,
        Some(date("2020-02-12"))
    );
}

#[test]
fn a_fortnight_of_follow_up_through_all_five_colours() {
    let lab = Lab::open();
    let id = lab.enter(
        Source::Household,
        &with(&[(Field::From, "浙江温州"), (Field::Expected, "2020-02-11")]),
    );
    assert_eq!(person(&lab, id).follow.colour(), Some(Colour::Yellow));
    let on = |to, on: &str| {
        lab.desk
            .move_to(id, (Some(to), date(on)), &sign(), lab.now())
    };
    on(Colour::Red, "2020-02-10").unwrap();
    lab.days_later(2);
    let seen = lab.desk.person(id, &li(), lab.now()).unwrap();
    assert_eq!(seen.lacks, [Lack::NotArrived]);
    let refused = lab.desk.enter_health(id, &health(&lab, 36.5), lab.now());
    assert_eq!(refused, Err(DeskError::Health(HealthRefused::NotObserved)));
    assert_eq!(
        on(Colour::Orange, "2020-02-12"),
        Err(DeskError::Move(MoveRefused::Illegal))
    );
    // She says herself that she is back: the rules propose, a person confirms.
    lab.enter(Source::Declared, &with(&[(Field::Arrived, "2020-02-12")]));
    let proposed = person(&lab, id).follow.proposal.unwrap();
    assert_eq!(proposed.to, Colour::Purple, "she was red");
    on(Colour::Purple, "2020-02-12").unwrap();
    for _ in 0..14 {
        lab.desk
            .enter_health(id, &health(&lab, 36.4), lab.now())
            .unwrap();
        let today = lab.today().to_string();
        assert_eq!(
            on(Colour::Green, &today),
            Err(DeskError::Move(MoveRefused::NotOver))
        );
        lab.days_later(1);
    }
    assert_eq!(lab.today(), date("2020-02-26"));
    let seen = lab.desk.person(id, &li(), lab.now()).unwrap();
    assert_eq!(seen.lacks, [Lack::NotReleased, Lack::NoHealthToday]);
    assert_eq!(
        on(Colour::Green, "2020-02-26"),
        Err(DeskError::Move(MoveRefused::NoHealth))
    );
    lab.desk
        .enter_health(id, &health(&lab, 36.6), lab.now())
        .unwrap();
    assert_eq!(
        on(Colour::Green, "2020-02-25"),
        Err(DeskError::Move(MoveRefused::Clock))
    );
    on(Colour::Green, "2020-02-26").unwrap();
    on(Colour::Orange, "2020-02-26").unwrap();
    let colours: Vec<_> = person(&lab, id)
        .follow
        .steps
        .iter()
        .filter_map(|it| it.to)
        .collect();
    let all = ["yellow", "red", "purple", "green", "orange"];
    assert_eq!(colours, all.map(|it| Colour::parse(it).unwrap()));
    let moves = lab.deeds().into_iter().filter(|it| it == "person_moved");
    assert_eq!(moves.count(), 4, "each is in the audit");
}

#[test]
fn doubtful_pairs_wait_for_a_person() {
    let lab = Lab::open();
    let mother = lab.enter(
        Source::Household,
        &[(Field::Name, "王芳"), (Field::Phone, "13800138000")],
    );
    let son = lab.enter(
        Source::Household,
        &[(Field::Name, "李小明"), (Field::Phone, "13800138000")],
    );
    let same = lab.enter(Source::Community, &[(Field::Name, "王 芳")]);
    assert_eq!(person(&lab, son).doubts, [mother]);
    assert_eq!(person(&lab, same).doubts, [mother]);
    let waiting = lab
        .desk
        .people(&Search::by(By::Waiting), &li(), lab.now())
        .unwrap();
    assert_eq!(waiting.len(), 2);
    lab.desk.keep_apart(son, mother, &li(), lab.now()).unwrap();
    lab.desk.merge(mother, same, &li(), lab.now()).unwrap();
    let again = lab.desk.merge(mother, same, &li(), lab.now());
    assert_eq!(again, Err(DeskError::NoPerson), "the second tap");
    let mother = person(&lab, mother);
    assert_eq!((mother.records.len(), mother.merged), (2, vec![same]));
    let waiting = lab
        .desk
        .people(&Search::by(By::Waiting), &li(), lab.now())
        .unwrap();
    assert_eq!(waiting, []);
    let fresh = lab.enter(Source::Gate, &[(Field::Name, "赵强")]);
    assert!(fresh > same, "a number is never given out again");
}

#[test]
fn from_the_poster_to_the_gate() {
    let lab = Lab::open();
    let place = menshen::text::Note::name("A座12楼").unwrap();
    let poster = lab.desk.poster(place, date("2020-02-29"));
    let (until, seal) = (poster.until.to_string(), poster.seal.to_string());
    let scan =
        |place: &str, until: &str, seal: &str| lab.desk.scanned((place, until, seal), lab.now());
    assert_eq!(scan("A座12楼", &until, &seal).as_ref(), Ok(&poster));
    for (place, until) in [("A座13楼", until.as_str()), ("A座12楼", "2020-03-31")] {
        assert_eq!(scan(place, until, &seal), Err(DeskError::PosterVoid));
    }
    let bare = lab.desk.declaration(WANG.iter().copied(), false, lab.now());
    let Err(DeskError::Fields(wrong)) = bare else {
        panic!("symptoms, contact and consent are missing");
    };
    assert_eq!(wrong.len(), 3);
    let well = with(&[(Field::Symptoms, "无"), (Field::Contact, "无")]);
    let said = lab.desk.declaration(well, true, lab.now()).unwrap();
    let code = lab.desk.declare(&said, "10.0.0.9", lab.now()).unwrap();
    let typed = code.to_string().to_lowercase();
    let glance = lab.desk.check(&typed, &li(), lab.now()).unwrap();
    assert_eq!(
        (glance.name.as_str(), glance.advice),
        ("王**", Advice::Enter)
    );
    lab.desk
        .pass(glance.id, (true, "1-7".parse().ok()), &li(), lab.now())
        .unwrap();
    lab.desk.count(Passage::Courier, lab.now()).unwrap();
    lab.desk.count(Passage::Courier, lab.now()).unwrap();
    let day = lab.desk.gate(&li(), lab.now()).unwrap();
    assert_eq!(
        (day.count(Passage::Entered), day.count(Passage::Courier)),
        (1, 2)
    );
    // The thermometer has the last word, and a person after it.
    let found = lab
        .desk
        .fever_confirmed("1-7".parse().unwrap(), lab.now())
        .unwrap();
    assert_eq!(found, [glance.id]);
    // Heard again, also after somebody decided: nothing new.
    let heard_again = || lab.desk.fever_confirmed("1-7".parse().unwrap(), lab.now());
    assert_eq!(heard_again(), Ok(Vec::new()));
    let again = lab.desk.check(&typed, &li(), lab.now()).unwrap();
    assert_eq!(again.advice, Advice::Arrived);
    assert_eq!(
        lab.desk.confirm(glance.id, &sign(), lab.now()),
        Ok(Colour::Purple)
    );
    assert_eq!(heard_again(), Ok(Vec::new()));
    assert_eq!(
        lab.desk.check(&typed, &li(), lab.now()).unwrap().advice,
        Advice::Observed
    );
    lab.days_later(1);
    let tomorrow = lab.desk.check(&typed, &li(), lab.now());
    assert_eq!(tomorrow, Err(DeskError::NoCode), "the code is of one day");
}

#[test]
fn a_flood_of_declarations_is_refused_and_says_nothing_of_anybody() {
    let lab = Lab::open();
    let well = with(&[(Field::Symptoms, "无"), (Field::Contact, "无")]);
    let said = lab.desk.declaration(well, true, lab.now()).unwrap();
    let mut taken = 0;
    for address in 0..30 {
        lab.clock.advance(std::time::Duration::from_secs(1));
        let sent = lab.desk.declare(&said, &address.to_string(), lab.now());
        match sent {
            Ok(_) => taken += 1,
            Err(error) => assert!(matches!(error, DeskError::TooOften(_)), "{error}"),
        }
    }
    assert_eq!(taken, 5, "of one person on one day");
}

#[test]
fn totals_are_counts_and_names_stay_in_sealed_rows() {
    let lab = Lab::open();
    let id = lab.enter(
        Source::Gate,
        &with(&[(Field::From, "武汉"), (Field::Arrived, "2020-02-09")]),
    );
    lab.enter(
        Source::Household,
        &[(Field::Name, "Zhao Qiang"), (Field::From, "湖北")],
    );
    let totals = lab.desk.totals(lab.now()).unwrap();
    let of = |colour| totals.colours.iter().find(|it| it.0 == colour).unwrap().1;
    assert_eq!(of(Colour::Purple), Told::Exactly(1));
    assert_eq!(of(Colour::Red), Told::Exactly(1));
    assert_eq!((of(Colour::Green), totals.unsaid), (Told::Exactly(0), 1));
    let companies = lab.desk.companies(&li(), lab.now()).unwrap();
    assert_eq!(companies[0].company.as_ref().unwrap().as_str(), "古北贸易");
    let found = lab.desk.find("13800138000", &li(), lab.now()).unwrap();
    assert_eq!(found[0].person.id, id);
    assert_eq!(
        lab.desk.find("ZHAO QIANG", &li(), lab.now()).unwrap().len(),
        1
    );
    for secret in [
        "王芳",
        "13800138000",
        "Zhao",
        "ZHAO",
        "zhaoqiang",
        "古北贸易",
        "武汉",
    ] {
        assert!(!lab.is_in_a_file(secret), "{secret} is in a file");
    }
    assert!(
        lab.is_in_a_file("李经理"),
        "who looked is in the audit, so the search would find"
    );
}

#[test]
fn what_is_old_is_erased_by_rule_and_the_audit_proves_it() {
    let lab = Lab::open();
    let gone = lab.enter(Source::Gate, WANG);
    let stays = lab.enter(
        Source::Gate,
        &[
            (Field::Name, "赵强"),
            (Field::From, "武汉"),
            (Field::Arrived, "2020-02-10"),
        ],
    );
    assert_eq!(
        lab.desk.forget(lab.now()).unwrap(),
        menshen::people::Forgotten::default()
    );
    lab.days_later(30);
    assert_eq!(
        lab.desk.forget(lab.now()).unwrap().trimmed,
        1,
        "the floor is not needed any more"
    );
    assert_eq!(person(&lab, gone).value(Field::Floor), None);
    assert!(person(&lab, gone).value(Field::Phone).is_some());
    lab.days_later(31);
    assert_eq!(lab.desk.forget(lab.now()).unwrap().erased, 1);
    let seen = lab.desk.person(gone, &li(), lab.now());
    assert_eq!(seen, Err(DeskError::NoPerson));
    let phone = Mark::Phone("13800138000".to_owned());
    let found = lab
        .desk
        .people(&Search::by(By::Marks(vec![phone])), &li(), lab.now());
    assert_eq!(found, Ok(Vec::new()), "not by a mark either");
    assert!(
        person(&lab, stays).value(Field::Name).is_some(),
        "still observed"
    );
    let proof = lab
        .store
        .audit(1000)
        .unwrap()
        .into_iter()
        .find(|it| it.what == "person_erased_by_rule");
    assert!(
        proof
            .unwrap()
            .subject
            .starts_with(&format!("{gone} rule=1 records=1"))
    );
    assert_eq!(lab.store.verify_audit(None).unwrap().breaks, []);
}

#[test]
fn a_clock_that_was_never_set_erases_nobody() {
    let lab = Lab::open();
    lab.enter(Source::Gate, WANG);
    let wrong = menshen::clock::Stamp {
        trust: menshen::clock::ClockTrust::Unsynchronised,
        wall: menshen::clock::WallTime(
            date("2030-01-01").number() * menshen::clock::WallTime::DAY_MS,
        ),
        ..lab.now()
    };
    assert_eq!(
        lab.desk.forget(wrong).unwrap(),
        menshen::people::Forgotten::default()
    );
}

#[test]
fn one_person_is_given_out_and_erased_on_request() {
    let lab = Lab::open();
    let id = lab.enter(Source::Gate, WANG);
    let all = lab.desk.export(id, &li(), lab.now()).unwrap();
    assert_eq!(all.value(Field::Phone).unwrap().as_str(), "13800138000");
    lab.desk
        .erase(id, (Erasure::Asked, &li()), lab.now())
        .unwrap();
    assert_eq!(
        lab.desk.erase(id, (Erasure::Asked, &li()), lab.now()),
        Err(DeskError::NoPerson)
    );
    let deeds = lab.deeds();
    let last: Vec<&str> = deeds
        .iter()
        .rev()
        .take(2)
        .rev()
        .map(String::as_str)
        .collect();
    assert_eq!(last, ["person_exported", "person_erased"]);
    assert_eq!(lab.store.verify_audit(None).unwrap().breaks, []);
}
