//! The key: made once, lost, changed; copies, and a database that is damaged.

use super::{Lab, desk, li};
use menshen::people::{Desk, DeskError, Erasure, Field, PersonId, Source};
use menshen::store::{KeyError, Store, backup, new_key, restore};
use std::path::Path;

fn name_of(desk: &Desk, id: PersonId, lab: &Lab) -> String {
    let seen = desk.person(id, &li(), lab.now()).unwrap();
    seen.person.value(Field::Name).unwrap().to_string()
}

fn wang(lab: &Lab) -> PersonId {
    lab.enter(
        Source::Gate,
        &[(Field::Name, "王芳"), (Field::Phone, "13800138000")],
    )
}

#[test]
fn a_lost_key_says_what_is_gone_and_makes_no_new_one() {
    let lab = Lab::open();
    wang(&lab);
    let key = lab.folder.path().join("people.key");
    let copy = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let error = lab.store.register(&key).unwrap_err();
    assert!(matches!(error, KeyError::Lost { people: 1, .. }), "{error}");
    assert!(error.to_string().contains("1 people"), "{error}");
    assert!(!key.exists(), "nothing is made in silence");
    new_key(&key).unwrap();
    let error = lab.store.register(&key).unwrap_err();
    assert!(
        matches!(error, KeyError::Lost { .. }),
        "another key is none: {error}"
    );
    std::fs::write(&key, &copy).unwrap();
    lab.store.register(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert_eq!(lab.store.give_up_people(&li(), lab.now()), Ok(1));
    lab.store.register(&key).unwrap();
    assert!(key.exists(), "with nobody there, a key is made");
}

#[test]
fn everybody_is_sealed_anew_with_a_new_key_and_the_old_one_can_go() {
    let lab = Lab::open();
    let id = wang(&lab);
    let key = lab.folder.path().join("people.key");
    new_key(&key).unwrap();
    let both = desk(&lab.store, &key);
    assert_eq!(name_of(&both, id, &lab), "王芳");
    let found = both.find("13800138000", &li(), lab.now()).unwrap();
    assert_eq!(found.len(), 1, "found by a mark of the old key");
    assert_eq!(both.reseal(lab.now()), Ok(1));
    assert_eq!(both.reseal(lab.now()), Ok(0));
    let text = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, text.lines().next().unwrap()).unwrap();
    let new = desk(&lab.store, &key);
    assert_eq!(name_of(&new, id, &lab), "王芳");
    assert_eq!(new.find("13800138000", &li(), lab.now()).unwrap().len(), 1);
}

fn copy_of_the_key(lab: &Lab, to: &Path) {
    std::fs::copy(lab.folder.path().join("people.key"), to.join("people.key")).unwrap();
}

#[test]
fn a_copy_of_the_database_has_everybody_and_opens_with_the_key_alone() {
    let lab = Lab::open();
    let id = wang(&lab);
    let copy = lab.folder.path().join("copy.db");
    backup::to_file(lab.folder.path(), &copy, lab.now().wall).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    restore(elsewhere.path(), &copy, lab.now().wall).unwrap();
    let store = Store::open(elsewhere.path(), Vec::new()).unwrap();
    let key = elsewhere.path().join("people.key");
    assert!(store.register(&key).is_err(), "a stolen copy is of no use");
    copy_of_the_key(&lab, elsewhere.path());
    assert_eq!(name_of(&desk(&store, &key), id, &lab), "王芳");
}

#[test]
fn people_are_taken_over_from_a_damaged_database() {
    let lab = Lab::open();
    let id = wang(&lab);
    let now = lab.now();
    let Lab {
        folder,
        store,
        desk: first,
        ..
    } = lab;
    drop((store, first));
    let database = folder.path().join("menshen.db");
    let mut bytes = std::fs::read(&database).unwrap();
    // The description of the tables.
    bytes[120..400].fill(0);
    std::fs::write(&database, bytes).unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let saved = desk(&store, &folder.path().join("people.key"));
    let seen = saved.person(id, &li(), now).unwrap();
    assert_eq!(seen.person.value(Field::Name).unwrap().as_str(), "王芳");
    assert_eq!(saved.find("13800138000", &li(), now).unwrap().len(), 1);
    assert!(
        salvaged(&store).contains("of the register 1 people, 0 others could not be taken over"),
        "{}",
        salvaged(&store)
    );
}

/// What the audit says of the new database.
fn salvaged(store: &Store) -> String {
    let audit = store.audit(1000).unwrap().into_iter();
    let mut notes = audit
        .map(|it| it.subject)
        .filter(|it| it.contains("was damaged"));
    notes.next().expect("a note of what was taken over")
}

#[test]
fn who_could_not_be_taken_over_is_counted_and_who_was_erased_does_not_come_back() {
    let lab = Lab::open();
    let mut ids = Vec::new();
    for n in 0..60 {
        let phone = format!("139{n:08}");
        ids.push(lab.enter(
            Source::Gate,
            &[(Field::Name, "陈伟"), (Field::Phone, &phone)],
        ));
    }
    let mistake = (Erasure::Mistake, &li());
    lab.desk.erase(ids[3], mistake, lab.now()).unwrap();
    let now = lab.now();
    let Lab {
        folder,
        store,
        desk: first,
        ..
    } = lab;
    drop((store, first));
    let database = folder.path().join("menshen.db");
    // A page of the table, and the description of the tables, so that the damage is seen at the start.
    let pages = pages_of_people(&database);
    let mut bytes = std::fs::read(&database).unwrap();
    let damaged = pages[pages.len() / 2] as usize;
    bytes[(damaged - 1) * 4096..damaged * 4096].fill(0xaa);
    bytes[120..400].fill(0);
    std::fs::write(&database, bytes).unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let key = folder.path().join("people.key");
    let before = std::fs::read(&key).unwrap();
    let saved = desk(&store, &key);
    let here = saved.counts(now).unwrap().people;
    assert!((1..59).contains(&here), "{here} of 59 are there");
    let note = salvaged(&store);
    let said = format!(
        "of the register {here} people, {} others could not be taken over",
        59 - here
    );
    assert!(note.contains(&said), "{note}");
    let erased = saved.person(ids[3], &li(), now);
    assert_eq!(erased, Err(DeskError::NoPerson));
    let gate = |it: &Desk| it.counts(now).unwrap().sources[&Source::Gate];
    assert_eq!(gate(&saved), here, "no mark leads to nobody");
    assert_eq!(std::fs::read(&key).unwrap(), before, "no new key");

    // Without the key nothing begins anew by itself, here either.
    std::fs::remove_file(&key).unwrap();
    let error = store.register(&key).unwrap_err();
    assert!(
        matches!(error, KeyError::Lost { people, .. } if people == here),
        "{error}"
    );
    assert!(!key.exists());
    assert_eq!(store.give_up_people(&li(), now), Ok(here));
    assert_eq!(desk(&store, &key).counts(now).unwrap().people, 0);
}

/// The leaf pages of the table of people.
fn pages_of_people(database: &Path) -> Vec<i64> {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut select = connection
        .prepare(
            "SELECT pageno FROM dbstat WHERE name = 'person' AND pagetype = 'leaf' ORDER BY pageno",
        )
        .unwrap();
    let pages = select.query_map([], |row| row.get(0)).unwrap();
    pages.collect::<Result<_, _>>().unwrap()
}
