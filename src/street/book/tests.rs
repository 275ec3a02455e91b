//! A book knows the same, whatever the order in which it heard, and however often.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::id::{DeviceEpoch, MessageNumber};
use proptest::prelude::*;

fn site() -> Address {
    Address::new("dongfang", "no-12", "main").unwrap()
}

fn letter(name: &str, number: u64, payload: &str) -> Logged {
    Logged {
        site: site(),
        epoch: DeviceEpoch("e".to_owned()),
        number: MessageNumber(number),
        name: name.to_owned(),
        newer: false,
        late: false,
        payload: payload.as_bytes().to_vec(),
        received: WallTime(1_582_500_000_000 + i64::try_from(number).unwrap()),
    }
}

fn alert(number: u64, id: &str, kind: &str) -> Logged {
    let payload = format!(
        r#"{{"v":1,"id":"{id}","kind":"{kind}","at":"2020-02-24T01:00:00Z","clock":"synced","outcome":"left"}}"#
    );
    letter("alert", number, &payload)
}

fn part(number: u64, revision: u32, (part, of): (u32, u32), idea: &str) -> Logged {
    let payload = format!(
        r#"{{"v":1,"date":"2020-02-24","revision":{revision},"part":{part},"of":{of},"site":"office","innovations":["{idea}"]}}"#
    );
    letter("2020-02-24", number, &payload)
}

fn a_day() -> Vec<Logged> {
    vec![
        alert(1, "1-1", "raised"),
        alert(2, "1-2", "raised"),
        alert(3, "1-1", "street"),
        alert(4, "1-1", "acknowledged"),
        alert(5, "1-1", "resolved"),
        part(6, 1, (1, 2), "a"),
        part(7, 1, (2, 2), "b"),
        part(8, 2, (2, 2), "d"),
        part(9, 2, (1, 2), "c"),
        letter("alert", 10, "rubbish"),
        part(11, 3, (1, 2), "e"),
        letter("fault", 12, "rubbish that nobody asks for"),
    ]
}

fn heard(letters: &[Logged]) -> Book {
    let mut book = Book::default();
    book.hear(letters);
    book
}

#[test]
fn a_report_is_the_newest_revision_of_which_all_has_come() {
    let date = "2020-02-24".parse().unwrap();
    let book = heard(&a_day());
    let page = book.page(&site()).unwrap();
    let whole = page.report(date).unwrap();
    assert_eq!(whole.report.revision, 2, "of the third a part is missing");
    assert_eq!(whole.report.innovations, ["c", "d"]);
    assert_eq!(whole.received, WallTime(1_582_500_000_009));
    assert_eq!(page.alerts["1-1"].over.unwrap().1, Some(AlertEnd::Left));
    assert!(page.alerts["1-2"].over.is_none() && page.unreadable.len() == 1);
    // On another day's topic it is no report of that day.
    let mut wrong = part(1, 1, (1, 1), "a");
    wrong.name = "2020-02-25".to_owned();
    let book = heard(&[wrong]);
    let page = book.page(&site()).unwrap();
    assert!(page.report("2020-02-25".parse().unwrap()).is_none() && page.report(date).is_none());
    assert_eq!(page.unreadable.len(), 1);
}

#[test]
fn parts_that_contradict_each_other_are_no_report() {
    let date = "2020-02-24".parse().unwrap();
    for parts in [
        vec![part(1, 1, (1, 2), "a")],
        vec![part(1, 1, (2, 2), "a")],
        vec![part(1, 1, (1, 2), "a"), part(2, 1, (2, 3), "b")],
        vec![part(1, 1, (1, 1), "a"), part(2, 1, (2, 2), "b")],
    ] {
        assert!(heard(&parts).page(&site()).unwrap().report(date).is_none());
    }
}

#[test]
fn a_gate_that_sends_without_end_does_not_fill_the_memory() {
    let alerts: Vec<Logged> = (0..5000)
        .map(|n| alert(n, &format!("1-{n}"), "raised"))
        .chain((5000..6000).map(|n| letter("alert", n, "rubbish")))
        .chain((6000..7000).map(|n| part(n, u32::try_from(n).unwrap(), (1, 9), "a")))
        .collect();
    let book = heard(&alerts);
    let page = book.page(&site()).unwrap();
    let date = "2020-02-24".parse().unwrap();
    assert_eq!(page.alerts.len(), MOST_ALERTS);
    assert_eq!(
        (page.unreadable.len(), page.parts_of(date)),
        (MOST_UNREADABLE, MOST_PARTS)
    );
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        order in Just(a_day()).prop_shuffle(),
        again in prop::collection::vec(0..12_usize, 0..20),
        cut in 0..12_usize,
    ) {
        let mut book = heard(&order[..cut]);
        book.hear(&order[cut..]);
        for at in again {
            book.hear(&order[at..=at]);
        }
        prop_assert_eq!(book, heard(&a_day()));
    }
}
