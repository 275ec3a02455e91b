//! The rounds over a real store: what people do at the desk is there after a restart, and the report goes
//! out through the outbox.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use menshen::calendar::{Date, Day};
use menshen::checklist::{
    Action, Carried, DailyReport, Desk, DeskError, Evidence, ItemId, RoundState, Search, SiteDays,
    SiteKind, SiteList, Slot, Submitter, Taken, Tick, TickId, TickRefused, TickRequest,
};
use menshen::checklist::{LineKind, Logbook};
use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::config::checklist::{newest, parse_site, shipped_procedure};
use menshen::config::zone;
use menshen::id::{Channel, MessageNumber, ScreeningId, TrackId};
use menshen::journal::{Outbox, Receipt, SafeAt};
use menshen::mqtt::payload;
use menshen::mqtt::topic::Address;
use menshen::procedure::{Edit, EditRefused};
use menshen::store::{Route, Store};
use menshen::text::{Note, Words};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: i64 = 60_000;

struct Shanghai(jiff::tz::TimeZone);

impl SiteDays for Shanghai {
    fn date_at(&self, at: WallTime) -> Option<Date> {
        zone::date_at(at, &self.0)
    }
    fn day(&self, date: Date) -> Option<Day> {
        zone::day(date, &self.0)
    }
}

fn shanghai() -> Shanghai {
    Shanghai(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())
}

fn store(folder: &Path) -> Store {
    let address = Address::new("dongfang", "no-12", "north").unwrap();
    let broker = Route {
        channel: Channel::broker(),
        address: Box::new(move |key, event| payload::told(&address, key, event)),
    };
    Store::open(folder, vec![broker]).unwrap()
}

fn list() -> SiteList {
    let owned = "[site]\nkind = \"office\"\nbuilt_on = 1\n[owners.category]\n\
        organisation = \"王芳\"\nclosed = \"王芳\"\ngate = \"李强\"\nsurvey = \"王芳\"\n\
        temperature = \"李强\"\ndisinfection = \"赵敏\"\nfeedback = \"王芳\"\nothers = \"王芳\"\n\
        environment = \"赵敏\"\nprotection = \"李强\"\nemergency = \"李强\"\n";
    parse_site(owned, "site.toml").unwrap().list
}

fn desk_with(store: &Store, list: SiteList) -> Desk {
    Desk::new(
        Arc::new(list),
        shipped_procedure().unwrap(),
        Arc::new(store.clone()),
        Arc::new(shanghai()),
        "20:00".parse().unwrap(),
    )
}

fn desk(store: &Store) -> Desk {
    desk_with(store, list())
}

fn date() -> Date {
    "2020-02-24".parse().unwrap()
}

/// A moment after midnight of the 24th of February 2020.
fn at(hour: i64, minute: i64) -> Stamp {
    let midnight = shanghai().day(date()).unwrap().begins();
    Stamp {
        boot: BootId(1),
        monotonic: Duration::from_millis(((hour * 60 + minute) * MINUTE) as u64),
        wall: WallTime(midnight.0 + (hour * 60 + minute) * MINUTE),
        trust: ClockTrust::Synchronised,
    }
}

fn note(text: &str) -> Note {
    Note::new(text).unwrap()
}

fn request(id: u128, item: &str, number: u16, now: Stamp) -> TickRequest {
    TickRequest {
        id: TickId(id),
        date: date(),
        slot: Slot {
            item: ItemId::new(item).unwrap(),
            number,
        },
        by: note("李强"),
        tick: Tick::Done(Evidence::Said),
        photo: None,
        tapped: now.wall,
        sent: now.wall,
        corrects: None,
    }
}

fn failed(now: Stamp) -> Tick {
    let deadline = WallTime(now.wall.0 + 60 * MINUTE);
    Tick::Failed {
        why: note("消毒液用完"),
        action: Action::new("向工作保障组领取", "赵敏", deadline, now.wall).unwrap(),
    }
}

/// What waits for the street, as (topic, JSON).
fn waiting(store: &Store) -> Vec<(String, serde_json::Value)> {
    let rows = store.waiting(&Channel::broker(), SafeAt::Street, MessageNumber(0), 1000);
    let message = |it: menshen::journal::OutboxRow| {
        let value = serde_json::from_slice(&it.message.payload).unwrap();
        (it.message.topic, value)
    };
    rows.unwrap().into_iter().map(message).collect()
}

#[test]
fn a_day_from_the_pledge_to_the_second_revision_survives_a_restart_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let store_1 = store(folder.path());
    let desk_1 = desk(&store_1);
    desk_1.begin(at(7, 0)).unwrap();
    desk_1.begin(at(7, 1)).unwrap();
    assert_eq!(desk_1.lists().unwrap(), [(date(), SiteKind::Office, 1)]);
    desk_1.pledge(note("王芳"), at(7, 0)).unwrap();
    assert_eq!(desk_1.pledges().unwrap()[0].by, note("王芳"));

    let now = at(8, 0);
    let first = request(1, "off-lift-buttons", 0, now);
    assert_eq!(desk_1.tick(&first, now), Ok(Taken::Kept));
    assert_eq!(desk_1.tick(&first, at(8, 1)), Ok(Taken::AlreadyKept));
    let other = request(2, "off-lift-buttons", 0, at(8, 2));
    let refused = desk_1.tick(&other, at(8, 2)).unwrap_err();
    assert!(matches!(
        refused,
        DeskError::Tick(TickRefused::TakenBy { .. })
    ));
    let mut broken = request(3, "off-lift-buttons", 1, at(9, 0));
    broken.tick = failed(at(9, 0));
    desk_1.tick(&broken, at(9, 0)).unwrap();
    assert_eq!(desk_1.gaps(at(9, 1)).unwrap().len(), 1);
    let gap = (date(), broken.slot.clone());
    desk_1
        .close_gap(gap.clone(), note("已领到并补做"), &note("赵敏"), at(10, 0))
        .unwrap();
    let again = desk_1.close_gap(gap, note("x"), &note("赵敏"), at(10, 1));
    assert_eq!(again, Err(DeskError::NoGap));
    let before = desk_1.log(date()).unwrap();
    drop((desk_1, store_1));

    let store = store(folder.path());
    let desk = desk(&store);
    assert_eq!(
        desk.log(date()).unwrap(),
        before,
        "read again from the disk"
    );
    let by = Submitter::Person(note("王芳"));
    assert_eq!(desk.submit(date(), &by, at(18, 0)), Ok(1));
    let preview = desk.log(date()).unwrap().report(at(18, 0).wall);
    let sent = desk.log(date()).unwrap().reports[0].report.clone();
    assert!(
        preview.since(&sent).is_empty(),
        "the preview is what went out"
    );
    let twice = desk.submit(date(), &by, at(18, 1)).unwrap_err();
    assert!(matches!(twice, DeskError::Round(_)), "{twice:?}");
    let messages = waiting(&store);
    let reports: Vec<_> = messages
        .iter()
        .filter(|(topic, _)| topic == "menshen/v1/dongfang/no-12/north/report/2020-02-24")
        .collect();
    assert_eq!(reports.len() as u64, reports[0].1["of"].as_u64().unwrap());
    let all = serde_json::to_string(&reports).unwrap();
    for name in ["王芳", "李强", "赵敏"] {
        assert!(!all.contains(name), "a name leaves the building");
    }
    assert!(all.contains("消毒液用完") && all.contains("已领到并补做"));

    // The street has it; then somebody ticks, and that makes the next revision.
    let carried = || desk.log(date()).unwrap().reports[0].carried;
    assert_eq!(carried(), Carried::Saved);
    let numbers: Vec<MessageNumber> = (1..=messages.len() as u64).map(MessageNumber).collect();
    store.accepted(&Channel::broker(), &numbers).unwrap();
    assert_eq!(carried(), Carried::Accepted);
    let receipt = Receipt {
        epoch: store.epoch(),
        up_to: MessageNumber(messages.len() as u64),
        gaps: Vec::new(),
    };
    store.received(&receipt).unwrap();
    assert!(matches!(carried(), Carried::Received(Some(_))));
    let state = desk.log(date()).unwrap().round.state().clone();
    assert!(matches!(state, RoundState::Received { revision: 1, .. }));
    let late = request(4, "off-lift-buttons", 11, at(19, 0));
    desk.tick(&late, at(19, 0)).unwrap();
    let log = desk.log(date()).unwrap();
    assert_eq!(*log.round.state(), RoundState::Draft { revision: 2 });
    assert_eq!(desk.submit(date(), &by, at(19, 30)), Ok(2));
    let reports = desk.log(date()).unwrap().reports;
    assert!(!reports[1].report.since(&reports[0].report).is_empty());
    assert_eq!(reports[0].report, sent, "what went out does not change");
}

#[test]
fn nobody_submits_and_the_set_hour_does_and_what_was_opened_again_goes_out_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    desk.begin(at(7, 0)).unwrap();
    assert_eq!(desk.submit_what_is_due(at(19, 59)), Ok(vec![]));
    assert_eq!(desk.submit_what_is_due(at(20, 0)), Ok(vec![(date(), 1)]));
    assert_eq!(desk.submit_what_is_due(at(20, 1)), Ok(vec![]));
    let report = desk.log(date()).unwrap();
    assert_eq!(report.reports[0].by, Submitter::SetHour);
    desk.remark(date(), note("夜间加强巡查"), &note("王芳"), at(21, 0))
        .unwrap();
    assert_eq!(desk.submit_what_is_due(at(23, 59)), Ok(vec![]));
    // Not before the night shift's last time is over, an hour after it on the next day.
    assert_eq!(desk.submit_what_is_due(at(24 + 7, 59)), Ok(vec![]));
    assert_eq!(
        desk.submit_what_is_due(at(24 + 8, 30)),
        Ok(vec![(date(), 2)])
    );
    // Switched off over the set hour: it goes out late, with what there is.
    let tomorrow: Date = "2020-02-25".parse().unwrap();
    assert_eq!(
        desk.submit_what_is_due(at(48 + 9, 0)),
        Ok(vec![(tomorrow, 1)])
    );
}

#[test]
fn the_same_ticks_from_eight_people_at_once_are_one_each() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = Arc::new(desk(&store));
    desk.begin(at(7, 0)).unwrap();
    let people = (0..8_u128).map(|person| {
        let desk = Arc::clone(&desk);
        std::thread::spawn(move || {
            let mut kept = 0;
            for number in 0..4_u16 {
                let now = at(8 + i64::from(number), 0);
                let mut tick = request(
                    person * 100 + u128::from(number),
                    "off-lift-buttons",
                    number,
                    now,
                );
                tick.by = note(&format!("人{person}"));
                match desk.tick(&tick, now) {
                    Ok(Taken::Kept) => kept += 1,
                    Err(DeskError::Tick(TickRefused::TakenBy { .. })) => {}
                    other => panic!("{other:?}"),
                }
            }
            kept
        })
    });
    let people: Vec<_> = people.collect();
    let kept: i32 = people.into_iter().map(|it| it.join().unwrap()).sum();
    assert_eq!(kept, 4);
    let lines = store.lines(&Search::kind(LineKind::Ticked)).unwrap();
    assert_eq!(lines.len(), 4);
}

#[test]
fn the_procedure_and_the_steps_at_an_alert_are_kept_by_edition() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    let alert = ScreeningId {
        boot: BootId(1),
        track: TrackId(7),
    };
    let log = desk.emergency(alert).unwrap();
    let step = log.steps()[0].id.clone();
    desk.take_step(alert, &step, &note("李强"), at(9, 0))
        .unwrap();
    desk.take_step(alert, &step, &note("李强"), at(9, 1))
        .unwrap();
    let refused = desk.take_step(alert, &step, &note("王芳"), at(9, 2));
    assert!(matches!(refused, Err(DeskError::Step(_))));
    let words = Words {
        zh: "立即隔离并复测".to_owned(),
        en: "Isolate and measure again".to_owned(),
    };
    let edit = Edit::RewordStep(step.clone(), words);
    assert_eq!(desk.edit(0, &edit, &note("王芳"), at(10, 0)), Ok(1));
    let overtaken = desk.edit(0, &edit, &note("王芳"), at(10, 1));
    assert_eq!(
        overtaken,
        Err(DeskError::Edit(EditRefused::Overtaken { newest: 1 }))
    );
    // The alert keeps the words by which it was handled.
    let log = desk.emergency(alert).unwrap();
    assert_eq!((log.edition, log.taken().len()), (0, 1));
    let lines = store.lines(&Search::kind(LineKind::StepTaken)).unwrap();
    assert_eq!(lines.len(), 1, "the same step twice is one");
}

#[test]
fn a_list_that_nobody_owns_cannot_be_signed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let plain = SiteList::plain(newest(SiteKind::Office).unwrap());
    let desk = desk_with(&store, plain);
    let refused = desk.pledge(note("王芳"), at(7, 0)).unwrap_err();
    assert!(matches!(&refused, DeskError::Unowned(items) if !items.is_empty()));
    assert!(desk.pledges().unwrap().is_empty());
}

#[test]
fn a_long_report_goes_out_in_parts_that_make_it_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    desk.begin(at(7, 0)).unwrap();
    let longest = "\"".repeat(Note::LONGEST);
    for hour in 9..19 {
        desk.remark(date(), note(&longest), &note("王芳"), at(hour, 0))
            .unwrap();
        let text = "口".repeat(Note::LONGEST);
        desk.innovation(date(), note(&text), &note("王芳"), at(hour, 1))
            .unwrap();
    }
    desk.submit(date(), &Submitter::SetHour, at(20, 0)).unwrap();
    let report = desk.log(date()).unwrap().reports[0].report.clone();
    let parts = report.parts();
    assert!(parts.len() > 3, "{}", parts.len());
    assert_eq!(DailyReport::joined(&parts).as_ref(), Some(&report));
    let messages = waiting(&store);
    let reports: Vec<_> = messages
        .iter()
        .filter(|it| it.0.contains("/report/"))
        .collect();
    assert_eq!(reports.len(), parts.len());
    let remarks: usize = reports
        .iter()
        .map(|it| it.1["remarks"].as_array().unwrap().len())
        .sum();
    assert_eq!(remarks, 10);
    assert_eq!(desk.look_back(date(), date()).unwrap().days.len(), 1);
}
