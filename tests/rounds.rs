//! The rounds over a real store: what people do at the desk is there after a restart, and the report goes
//! out through the outbox.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use menshen::calendar::Date;
use menshen::checklist::{
    Action, Carried, Category, Charge, DailyReport, Desk, DeskError, Duty, Evidence, ItemId,
    RoundState, Search, SiteDays, SiteKind, SiteList, Slot, Standing, Submitter, Taken, Template,
    Tick, TickId, TickRefused, TickRequest,
};
use menshen::checklist::{LineKind, Logbook};
use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::config::checklist::{newest, parse_site, shipped_procedure};
use menshen::config::zone::Zone;
use menshen::id::{Channel, MessageNumber, ScreeningId, TrackId};
use menshen::journal::{JournalError, Outbox, Receipt, SafeAt};
use menshen::mqtt::payload;
use menshen::mqtt::topic::Address;
use menshen::procedure::{Edit, EditRefused, StepId, StepRefused};
use menshen::store::{Route, Store};
use menshen::text::{Note, Words};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: i64 = 60_000;

fn shanghai() -> Zone {
    Zone(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())
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
    desk_1.pledge(&note("王芳"), at(7, 0)).unwrap();
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
    let alert = common::recorded_alert(&store, 7);
    let log = || desk.emergencies(&[alert]).unwrap().remove(0);
    let step = log().steps()[0].id.clone();
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
    assert_eq!((log().edition, log().taken().len()), (0, 1));
    let lines = store.lines(&Search::kind(LineKind::StepTaken)).unwrap();
    assert_eq!(lines.len(), 1, "the same step twice is one");
    // The street hears of the step, once and without a name.
    let steps: Vec<_> = waiting(&store)
        .into_iter()
        .filter(|(_, it)| it["kind"] == "step")
        .collect();
    let (topic, payload) = &steps[0];
    assert_eq!(steps.len(), 1);
    assert_eq!(topic, "menshen/v1/dongfang/no-12/north/event/alert");
    assert_eq!(payload["id"], alert.to_string());
    assert_eq!(payload["step"], step.to_string());
    assert_eq!(payload["edition"], 0);
    assert!(!payload.to_string().contains("李强"));
}

#[test]
fn a_step_at_an_alert_that_was_never_raised_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    let alert = ScreeningId {
        boot: BootId(1),
        track: TrackId(7),
    };
    let step = shipped_procedure().unwrap().steps()[0].id.clone();
    let refused = desk.take_step(alert, &step, &note("李强"), at(9, 0));
    assert_eq!(
        refused,
        Err(DeskError::Journal(JournalError::UnknownAlert(alert)))
    );
    let none = StepId::new("no-such-step").unwrap();
    let alert = common::recorded_alert(&store, 8);
    let refused = desk.take_step(alert, &none, &note("李强"), at(9, 0));
    assert_eq!(
        refused,
        Err(DeskError::Step(StepRefused::Unknown(none.clone())))
    );
    assert!(store.lines(&Search::default()).unwrap().is_empty());
}

#[test]
fn a_pledge_stands_until_the_people_behind_it_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let plain = SiteList::plain(newest(SiteKind::Office).unwrap());
    let desk = desk_with(&store, plain);
    let name = |charge, owner: Option<&str>, minute| {
        let owner = owner.map(note);
        desk.name_owner(charge, owner, &note("王芳"), at(7, minute))
    };
    for (minute, category) in (0..).zip(Category::ALL) {
        name(Charge::Category(*category), Some("王芳"), minute).unwrap();
    }
    let stands = || {
        let list = desk.owned_list().unwrap();
        let pledges = desk.pledges().unwrap();
        pledges.last().is_some_and(|it| it.stands_for(&list))
    };
    assert!(!stands());
    desk.pledge(&note("王芳"), at(7, 30)).unwrap();
    assert!(stands());
    let mix = ItemId::new("off-mix").unwrap();
    name(Charge::Item(mix.clone()), Some("赵敏"), 40).unwrap();
    assert!(!stands(), "somebody else answers now");
    let list = desk.owned_list().unwrap();
    let owner = |id: &str| {
        let item = list.item(&ItemId::new(id).unwrap()).unwrap();
        list.owner(item).map(ToString::to_string)
    };
    assert_eq!(owner("off-mix").as_deref(), Some("赵敏"));
    assert_eq!(owner("off-touch").as_deref(), Some("王芳"));
    // Taken back, it is what was signed; and the signature says who answered for what.
    name(Charge::Item(mix), None, 41).unwrap();
    assert!(stands());
    assert_eq!(
        desk.pledges().unwrap()[0].owners.categories.len(),
        Category::ALL.len()
    );
    let unknown = ItemId::new("off-nothing").unwrap();
    assert_eq!(
        name(Charge::Item(unknown.clone()), Some("王芳"), 42),
        Err(DeskError::Tick(TickRefused::UnknownItem(unknown)))
    );
    // The same after a restart, from the disk.
    let list = desk.owned_list().unwrap();
    drop(desk);
    let again = desk_with(&store, SiteList::plain(newest(SiteKind::Office).unwrap()));
    assert_eq!(again.owned_list().unwrap(), list);
}

#[test]
fn what_is_late_missed_or_failed_goes_up_to_the_group_behind_it_until_it_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    desk.begin(at(7, 0)).unwrap();
    let called = |now: Stamp| -> Vec<(String, &'static str, u32, u32, u32)> {
        let log = desk.log(date()).unwrap();
        let it = log.escalated(now.wall).into_iter();
        it.filter(|it| it.item.as_str() == "off-lift-buttons")
            .map(|it| {
                let name = it.item.to_string();
                (name, it.group.as_str(), it.overdue, it.missed, it.failed)
            })
            .collect()
    };
    let line = |overdue, missed, failed| {
        let name = "off-lift-buttons".to_owned();
        vec![(name, "logistics", overdue, missed, failed)]
    };
    assert_eq!(called(at(8, 0)), []);
    assert_eq!(called(at(8, 31)), line(1, 0, 0));
    assert_eq!(called(at(9, 1)), line(0, 1, 0));
    let mut broken = request(3, "off-lift-buttons", 1, at(9, 0));
    broken.tick = failed(at(9, 0));
    desk.tick(&broken, at(9, 0)).unwrap();
    assert_eq!(called(at(9, 10)), line(0, 1, 1));
    let gap = (date(), broken.slot);
    desk.close_gap(gap, note("已补做"), &note("赵敏"), at(9, 20))
        .unwrap();
    assert_eq!(called(at(9, 21)), line(0, 1, 0));
    // Nobody is called for what is optional.
    let log = desk.log(date()).unwrap();
    let all = log.escalated(at(23, 59).wall);
    assert!(all.iter().all(|it| {
        let item = desk.list().item(&it.item).unwrap();
        item.duty == Duty::Required
    }));
}

#[test]
fn a_report_that_goes_out_early_hides_nothing_that_is_missed_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    desk.begin(at(7, 0)).unwrap();
    let by = Submitter::Person(note("王芳"));
    assert_eq!(desk.submit(date(), &by, at(8, 0)), Ok(1));
    assert_eq!(desk.submit_what_is_due(at(20, 0)), Ok(vec![]));
    assert_eq!(desk.submit_what_is_due(at(24 + 7, 59)), Ok(vec![]));
    assert_eq!(
        desk.submit_what_is_due(at(24 + 8, 30)),
        Ok(vec![(date(), 2)])
    );
    assert_eq!(desk.submit_what_is_due(at(24 + 8, 31)), Ok(vec![]));
    let reports = desk.log(date()).unwrap().reports;
    assert_eq!(reports[1].by, Submitter::SetHour);
    let missed = |at: usize| reports[at].report.total(Duty::Required).missed;
    assert!(missed(0) == 0 && missed(1) > 20, "{} missed", missed(1));
    let back = desk.look_back(date(), date()).unwrap();
    assert_eq!(back.days[0].required.missed, missed(1));
}

#[test]
fn with_a_clock_that_was_never_set_nothing_is_written_under_a_day_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    let unset = Stamp {
        wall: WallTime(90 * MINUTE),
        trust: ClockTrust::Unsynchronised,
        ..at(0, 0)
    };
    assert_eq!(desk.begin(unset), Err(DeskError::NoDay));
    assert_eq!(desk.submit_what_is_due(unset), Err(DeskError::NoDay));
    assert_eq!(desk.pledge(&note("王芳"), unset), Err(DeskError::NoDay));
    assert!(store.lines(&Search::default()).unwrap().is_empty());
    // Not set by the network, yet on a day of this year: it is worked with, and said on the report.
    let doubtful = Stamp {
        trust: ClockTrust::Unsynchronised,
        ..at(8, 0)
    };
    desk.begin(doubtful).unwrap();
    let tick = request(1, "off-lift-buttons", 0, doubtful);
    assert_eq!(desk.tick(&tick, doubtful), Ok(Taken::Kept));
}

#[test]
fn the_night_shift_is_ticked_after_midnight_under_the_day_on_which_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let desk = desk(&store);
    desk.begin(at(7, 0)).unwrap();
    let mut night = request(1, "off-visitors", 1, at(24 + 6, 30));
    assert_eq!(desk.tick(&night, at(24 + 6, 30)), Ok(Taken::Kept));
    let log = desk.log(date()).unwrap();
    let standing = log
        .round
        .standing(&night.slot, &log.facts, at(24 + 6, 31).wall);
    assert!(matches!(standing, Some(Standing::Done { late: false, .. })));
    // The next night's has not begun: the same post under the next date is refused.
    night.id = TickId(2);
    night.date = "2020-02-25".parse().unwrap();
    let refused = desk.tick(&night, at(24 + 6, 32)).unwrap_err();
    assert!(matches!(
        refused,
        DeskError::Tick(TickRefused::NotYet { .. })
    ));
}

#[test]
fn a_newer_template_is_shown_as_a_difference_and_the_old_days_keep_their_list() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let now = newest(SiteKind::Office).unwrap();
    let mut items = now.items().to_vec();
    let gone = items.remove(0);
    items[0].schedule = "daily by 12:00".parse().unwrap();
    let newer = Template::new(SiteKind::Office, 2, (now.open, now.shifts.clone()), items).unwrap();
    let desk_1 = desk(&store);
    desk_1.offer(now);
    assert!(desk_1.upgrade().is_none(), "the same is no upgrade");
    desk_1.offer(newer.clone());
    let (version, diff) = desk_1.upgrade().unwrap();
    assert_eq!((version, diff.removed.len(), diff.changed.len()), (2, 1, 1));
    desk_1.begin(at(7, 0)).unwrap();
    let mut tick = request(1, gone.id.as_str(), 0, at(8, 0));
    tick.tick = Tick::Done(Evidence::Said);
    desk_1.tick(&tick, at(8, 0)).unwrap();
    desk_1
        .submit(date(), &Submitter::SetHour, at(20, 0))
        .unwrap();
    // The next day the site works with version 2.
    let desk_2 = desk_with(&store, SiteList::plain(newer));
    desk_2.begin(at(24 + 7, 0)).unwrap();
    let versions: Vec<u32> = desk_2.lists().unwrap().iter().map(|it| it.2).collect();
    assert_eq!(versions, [1, 2]);
    let log = desk_2.log(date()).unwrap();
    assert_eq!(log.reports[0].report.template_version, 1);
    assert!(
        log.reports[0]
            .report
            .items
            .iter()
            .any(|it| it.id == gone.id)
    );
    assert_eq!(log.round.ticks().len(), 1, "what was ticked is still there");
    let back = desk_2.look_back(date(), date()).unwrap();
    assert!(back.items.iter().any(|it| it.id == gone.id));
}

#[test]
fn a_list_that_nobody_owns_cannot_be_signed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let plain = SiteList::plain(newest(SiteKind::Office).unwrap());
    let desk = desk_with(&store, plain);
    let refused = desk.pledge(&note("王芳"), at(7, 0)).unwrap_err();
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
