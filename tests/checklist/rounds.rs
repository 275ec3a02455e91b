//! Rounds: what is late, who was first, what the street office gets.

use menshen::alert::{AlertState, Outcome};
use menshen::calendar::{Date, Day};
use menshen::checklist::{
    Action, ActionFlaw, AlertEnd, AlertFact, ClosedGap, Count, DailyReport, DayFacts, Diary, Duty,
    Evidence, ItemId, LookBack, Opening, Pledge, Point, Round, RoundRefused, RoundState,
    SelfCheckFact, SiteKind, SiteList, Slot, Standing, Submitter, Taken, Tick, TickId, TickRefused,
    TickRequest,
};
use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::config::checklist::{newest, parse_site, shipped_procedure};
use menshen::config::zone;
use menshen::id::{ScreeningId, TrackId};
use menshen::procedure::{
    Chapter, Edit, EditRefused, Editions, EmergencyLog, Live, StepId, StepRefused,
};
use menshen::text::{Note, Words};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: i64 = 60_000;

fn shanghai(date: &str) -> Day {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    zone::day(date.parse().unwrap(), &zone).unwrap()
}

/// The moment of a time on the 24th of February 2020, a Monday.
fn wall(hour: i64, minute: i64) -> WallTime {
    WallTime(shanghai("2020-02-24").begins().0 + (hour * 60 + minute) * MINUTE)
}

fn stamp(wall: WallTime) -> Stamp {
    Stamp {
        boot: BootId(1),
        monotonic: Duration::ZERO,
        wall,
        trust: ClockTrust::Synchronised,
    }
}

fn office() -> Round {
    let list = SiteList::plain(newest(SiteKind::Office).unwrap());
    let opening = Opening {
        day: shanghai("2020-02-24"),
        since: "2020-02-24".parse().unwrap(),
        done_once: &BTreeSet::new(),
    };
    Round::open(Arc::new(list), &opening)
}

fn slot(round: &Round, item: &str, number: u16) -> Slot {
    let items = round.list().items();
    let item = items.iter().find(|it| it.id.as_str() == item).unwrap();
    let item = item.id.clone();
    Slot { item, number }
}

fn note(text: &str) -> Note {
    Note::new(text).unwrap()
}

/// A tick by somebody whose phone is right and online.
fn request(round: &Round, id: u128, item: &str, number: u16, at: WallTime) -> TickRequest {
    TickRequest {
        id: TickId(id),
        date: round.date(),
        slot: slot(round, item, number),
        by: note("王芳"),
        tick: Tick::Done(Evidence::Said),
        photo: None,
        tapped: at,
        sent: at,
        corrects: None,
    }
}

fn failed(now: WallTime) -> Tick {
    let deadline = WallTime(now.0 + 60 * MINUTE);
    Tick::Failed {
        why: note("消毒液用完"),
        action: Action::new("向工作保障组领取", "李强", deadline, now).unwrap(),
    }
}

#[test]
fn late_and_missed_follow_from_the_time_alone() {
    let mut round = office();
    let facts = DayFacts::default();
    let first = slot(&round, "off-lift-buttons", 0);
    let at = |round: &Round, hour, minute| {
        format!(
            "{:?}",
            round.standing(&first, &facts, wall(hour, minute)).unwrap()
        )
    };
    assert_eq!(at(&round, 7, 29), "NotYet");
    assert_eq!(at(&round, 7, 30), "Open");
    assert_eq!(at(&round, 8, 30), "Open");
    assert_eq!(at(&round, 8, 31), "Overdue");
    assert_eq!(at(&round, 9, 0), "Missed");
    let late = request(&round, 1, "off-lift-buttons", 0, wall(8, 45));
    assert_eq!(round.tick(late, stamp(wall(8, 45))), Ok(Taken::Kept));
    let standing = round.standing(&first, &facts, wall(12, 0)).unwrap();
    assert!(matches!(standing, Standing::Done { late: true, .. }));
    let next = request(&round, 2, "off-lift-buttons", 1, wall(8, 45));
    assert_eq!(round.tick(next, stamp(wall(8, 45))), Ok(Taken::Kept));
    let early = request(&round, 3, "off-lift-buttons", 5, wall(8, 45));
    let refused = round.tick(early, stamp(wall(8, 45)));
    assert_eq!(
        refused,
        Err(TickRefused::NotYet {
            opens: wall(12, 30)
        })
    );
    let gone = request(&round, 4, "off-lift-buttons", 2, wall(18, 0));
    let refused = round.tick(gone, stamp(wall(18, 0)));
    assert_eq!(
        refused,
        Err(TickRefused::Missed {
            closed: wall(11, 0)
        })
    );
}

#[test]
fn a_tick_that_waited_in_the_phone_counts_from_the_tap() {
    let mut round = office();
    let mut waited = request(&round, 1, "off-lift-buttons", 0, wall(8, 0));
    waited.sent = wall(12, 0);
    // The phone is three minutes slow; its own age of the tick is right all the same.
    let now = stamp(wall(12, 3));
    assert_eq!(round.tick(waited.clone(), now), Ok(Taken::Kept));
    assert_eq!(round.ticks()[0].done_at, wall(8, 3));
    // Sent again and again, also much later: still one tick.
    waited.sent = wall(13, 0);
    assert_eq!(
        round.tick(waited.clone(), stamp(wall(13, 0))),
        Ok(Taken::AlreadyKept)
    );
    // A plain form that is sent again has a later clock.
    let mut again = waited.clone();
    (again.tapped, again.sent) = (wall(17, 59), wall(17, 59));
    assert_eq!(
        round.tick(again, stamp(wall(17, 59))),
        Ok(Taken::AlreadyKept)
    );
    round
        .submit(Submitter::SetHour, stamp(wall(18, 0)))
        .unwrap();
    assert_eq!(
        round.tick(waited.clone(), stamp(wall(18, 1))),
        Ok(Taken::AlreadyKept)
    );
    waited.by = note("别人");
    assert_eq!(
        round.tick(waited, stamp(wall(18, 1))),
        Err(TickRefused::IdUsedTwice)
    );
    assert_eq!(round.ticks().len(), 1);
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let mut round = office();
    let now = stamp(wall(8, 0));
    let good = || request(&office(), 7, "off-lift-buttons", 0, wall(8, 0));
    let mut try_with = |change: &dyn Fn(&mut TickRequest)| {
        let mut request = good();
        change(&mut request);
        round.tick(request, now).unwrap_err()
    };
    let other: Date = "2020-02-25".parse().unwrap();
    let today: Date = "2020-02-24".parse().unwrap();
    assert_eq!(
        try_with(&|it| it.date = other),
        TickRefused::AnotherDay(today)
    );
    let unknown = menshen::checklist::ItemId::new("no-such-item").unwrap();
    let found = try_with(&|it| it.slot.item = unknown.clone());
    assert_eq!(found, TickRefused::UnknownItem(unknown.clone()));
    assert!(matches!(
        try_with(&|it| it.slot.number = 99),
        TickRefused::UnknownSlot(_)
    ));
    let hours = |it: &mut TickRequest, by: i64| {
        it.tapped.0 += by * 60 * MINUTE;
        it.sent.0 += by * 60 * MINUTE;
    };
    let fast = try_with(&|it| hours(it, 8));
    assert_eq!(fast, TickRefused::PhoneClockWrong(8 * 60 * MINUTE));
    assert!(fast.to_string().contains("480 min fast"));
    assert!(try_with(&|it| hours(it, -8)).to_string().contains("slow"));
    assert_eq!(try_with(&|it| it.tapped.0 += 1), TickRefused::TapOutOfReach);
    assert_eq!(
        try_with(&|it| it.tapped.0 -= 13 * 60 * MINUTE),
        TickRefused::TapOutOfReach
    );
    assert_eq!(
        try_with(&|it| it.tapped.0 = i64::MIN),
        TickRefused::TapOutOfReach
    );
    assert_eq!(
        try_with(&|it| it.corrects = Some(TickId(1))),
        TickRefused::CorrectsNothing
    );
    let number = try_with(&|it| it.tick = Tick::Done(Evidence::Number(3.0)));
    assert!(matches!(number, TickRefused::WrongEvidence(_)));
    let gateway = request(&office(), 8, "off-alerts", 0, wall(8, 0));
    let refused = round.tick(gateway, now).unwrap_err();
    assert!(matches!(refused, TickRefused::FilledByTheGateway(_)));
    let mut mix = request(&office(), 9, "off-mix", 0, wall(8, 0));
    for (evidence, fits) in [(100.0, false), (f64::NAN, false), (500.0, true)] {
        mix.tick = Tick::Done(Evidence::Number(evidence));
        assert_eq!(round.tick(mix.clone(), now).is_ok(), fits, "{evidence}");
    }
    assert_eq!(round.ticks().len(), 1);
}

#[test]
fn where_the_gateway_has_no_time_the_phone_is_believed() {
    let mut round = office();
    let unset = Stamp {
        trust: ClockTrust::Unsynchronised,
        ..stamp(WallTime(0))
    };
    let request = request(&round, 1, "off-lift-buttons", 0, wall(8, 0));
    assert_eq!(round.tick(request, unset), Ok(Taken::Kept));
    assert_eq!(round.ticks()[0].done_at, wall(8, 0));
}

#[test]
fn a_picture_is_asked_for_where_the_site_says_so() {
    let text = "[site]\nkind = \"office\"\nbuilt_on = 1\nphoto = [\"off-isolation-room\"]\n";
    let list = parse_site(text, "site.toml").unwrap().list;
    let opening = Opening {
        day: shanghai("2020-02-24"),
        since: "2020-02-24".parse().unwrap(),
        done_once: &BTreeSet::new(),
    };
    let mut round = Round::open(Arc::new(list), &opening);
    let mut request = request(&round, 1, "off-isolation-room", 0, wall(7, 0));
    let now = stamp(wall(7, 0));
    assert_eq!(
        round.tick(request.clone(), now),
        Err(TickRefused::PhotoMissing)
    );
    request.photo = Some(note("photo-1"));
    assert_eq!(round.tick(request, now), Ok(Taken::Kept));
}

#[test]
fn what_is_done_once_is_asked_for_until_then() {
    let list = Arc::new(SiteList::plain(newest(SiteKind::Office).unwrap()));
    let lead = slot(&office(), "off-lead", 0);
    let mut done = BTreeSet::new();
    let open = |done: &BTreeSet<_>| {
        let opening = Opening {
            day: shanghai("2020-02-26"),
            since: "2020-02-24".parse().unwrap(),
            done_once: done,
        };
        Round::open(Arc::clone(&list), &opening)
    };
    let round = open(&done);
    let now = WallTime(round.slots().next().unwrap().1.opens.0 + 9 * 60 * MINUTE);
    let standing = round.standing(&lead, &DayFacts::default(), now);
    assert_eq!(standing, Some(Standing::Overdue));
    done.insert(lead.item.clone());
    assert_eq!(open(&done).standing(&lead, &DayFacts::default(), now), None);
}

#[test]
fn no_failure_without_an_action() {
    let now = wall(8, 0);
    let soon = wall(9, 0);
    for (what, owner, deadline, flaw) in [
        ("", "李强", soon, ActionFlaw::What),
        ("领取", " ", soon, ActionFlaw::Owner),
        ("领取", "李强", wall(7, 59), ActionFlaw::Deadline),
        (
            "领取",
            "李强",
            WallTime(now.0 + 15 * WallTime::DAY_MS),
            ActionFlaw::Deadline,
        ),
        ("领取", "李强", WallTime(i64::MAX), ActionFlaw::Deadline),
    ] {
        assert_eq!(Action::new(what, owner, deadline, now), Err(flaw));
    }
}

/// A day at the office with one of each kind.
fn a_day() -> (Round, DayFacts, Diary) {
    let mut round = office();
    let mut keep = |id, item, number, at: WallTime, tick| {
        let mut request = request(&round, id, item, number, at);
        request.tick = tick;
        round.tick(request, stamp(at)).unwrap();
    };
    let said = || Tick::Done(Evidence::Said);
    keep(1, "off-lift-buttons", 0, wall(8, 0), said());
    keep(2, "off-lift-buttons", 1, wall(9, 45), said());
    keep(3, "off-mix", 0, wall(7, 30), failed(wall(7, 30)));
    let why = note("今日食堂不开");
    keep(
        4,
        "off-canteen",
        0,
        wall(11, 30),
        Tick::NotApplicable { why },
    );
    let alert = |track, end| AlertFact {
        id: ScreeningId {
            boot: BootId(1),
            track: TrackId(track),
        },
        raised: wall(8, 50),
        end,
    };
    let facts = DayFacts {
        clear: 380,
        retest: 6,
        possible_fever: 2,
        cannot_judge: 12,
        self_checks: vec![SelfCheckFact {
            at: wall(7, 0),
            complaint: None,
        }],
        alerts: vec![alert(9, Some(AlertEnd::NotConfirmed)), alert(11, None)],
        colours: Vec::new(),
    };
    let gap = ClosedGap::of(
        &round.ticks()[2],
        note("已领取"),
        note("李强"),
        stamp(wall(10, 0)),
    );
    let diary = Diary {
        gaps: vec![gap.unwrap()],
        innovations: vec![note("电梯内用牙签按键")],
        remarks: Vec::new(),
    };
    assert!(ClosedGap::of(&round.ticks()[0], note("x"), note("x"), stamp(wall(10, 0))).is_none());
    (round, facts, diary)
}

#[test]
fn the_report_holds_the_day_and_nobodys_name() {
    let (round, facts, diary) = a_day();
    let report = DailyReport::of(&round, &facts, &diary, wall(18, 10));
    let line = |id: &str| {
        let found = report.items.iter().find(|it| it.id.as_str() == id);
        found.unwrap().progress
    };
    let buttons = line("off-lift-buttons");
    assert_eq!((buttons.done, buttons.late), (1, 1));
    // Twelve times a day. Of the ten that nobody ticked, the last that is over ended at 17:30, and
    // could be ticked until 18:00; 17:30-18:30 and 18:30-19:30 are still to come.
    assert_eq!((buttons.missed, buttons.overdue, buttons.open), (8, 0, 2));
    assert_eq!(
        (line("off-mix").failed, line("off-canteen").not_applicable),
        (1, 1)
    );
    assert_eq!(
        (line("off-self-check").done, line("off-alerts").done),
        (1, 0)
    );
    assert_eq!(line("off-alerts").open, 1);
    assert_eq!(report.known.len(), 4);
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed[0].action.as_str(), "向工作保障组领取");
    assert_eq!(report.gaps.len(), 1);
    let total = report.total(Duty::Required);
    let categories = report.categories();
    let sum: u32 = categories.iter().map(|it| it.required.asked()).sum();
    assert_eq!(sum, total.asked());
    let share = total.completion().unwrap();
    assert!(share > 0.0 && share < 1.0 && total.lateness().unwrap() > 0.0);
    let whole = format!("{report:?}");
    assert!(
        !whole.contains("王芳") && !whole.contains("李强"),
        "{whole}"
    );
}

#[test]
fn a_revision_says_what_is_different() {
    let (mut round, facts, mut diary) = a_day();
    let first = DailyReport::of(&round, &facts, &diary, wall(18, 10));
    assert_eq!(round.reopen(), Err(RoundRefused::IsDraft));
    assert_eq!(
        round.receive(1, stamp(wall(18, 0))),
        Err(RoundRefused::IsDraft)
    );
    let by = Submitter::Person(note("王芳"));
    assert_eq!(round.submit(by.clone(), stamp(wall(18, 10))), Ok(1));
    let again = round.submit(by.clone(), stamp(wall(18, 11)));
    assert_eq!(again, Err(RoundRefused::AlreadySubmitted(1)));
    let tick = request(&round, 20, "off-lift-buttons", 10, wall(18, 12));
    let refused = round.tick(tick.clone(), stamp(wall(18, 12)));
    assert_eq!(refused, Err(TickRefused::Submitted(1)));
    // Submitted: nothing changes, so the same moment gives the same report.
    assert_eq!(DailyReport::of(&round, &facts, &diary, wall(18, 10)), first);
    let other = round.receive(2, stamp(wall(18, 13)));
    assert!(matches!(other, Err(RoundRefused::OtherRevision { .. })));
    assert_eq!(round.receive(1, stamp(wall(18, 13))), Ok(()));
    assert_eq!(round.receive(1, stamp(wall(18, 14))), Ok(()));
    assert_eq!(round.reopen(), Ok(2));
    round.tick(tick, stamp(wall(18, 12))).unwrap();
    diary.remarks.push(note("按键消毒已补"));
    let second = DailyReport::of(&round, &facts, &diary, wall(18, 20));
    assert_eq!(second.revision, 2);
    let changes = second.since(&first);
    let said = |point: &Point| {
        let change = changes.iter().find(|it| it.point == *point).unwrap();
        let zh = |it: &Option<Words>| it.as_ref().map(|it| it.zh.clone());
        (zh(&change.before), zh(&change.after))
    };
    let some = |text: &str| Some(text.to_owned());
    let buttons = |count| Point::Item(ItemId::new("off-lift-buttons").unwrap(), count);
    assert_eq!(said(&buttons(Count::Done)), (some("1"), some("2")));
    assert_eq!(said(&buttons(Count::Open)), (some("2"), some("1")));
    assert_eq!(said(&Point::Remark(1)), (None, some("按键消毒已补")));
    assert_eq!(changes.len(), 3, "{changes:?}");
    let back = first.since(&second);
    assert!(
        back.iter()
            .any(|it| it.point == Point::Remark(1) && it.after.is_none())
    );
    assert_eq!(round.submit(by, stamp(wall(18, 30))), Ok(2));
    assert!(matches!(
        round.state(),
        RoundState::Submitted { revision: 2, .. }
    ));
}

#[test]
fn looking_back_counts_the_last_revision_of_each_day() {
    let (round, facts, diary) = a_day();
    let first = DailyReport::of(&round, &facts, &diary, wall(18, 10));
    let mut second = first.clone();
    second.revision = 2;
    let mut tomorrow = first.clone();
    tomorrow.date = first.date.plus(1);
    let back = LookBack::over(&[second.clone(), tomorrow, first]);
    assert_eq!(back.days.len(), 2);
    assert_eq!(back.days[0].required, second.total(Duty::Required));
    assert_eq!(back.items[0].id.as_str(), "off-mix");
    assert_eq!(
        (back.items[0].progress.failed, back.items[0].days.len()),
        (2, 2)
    );
    assert_eq!(back.items[1].id.as_str(), "off-lift-buttons");
    assert_eq!(LookBack::over(&[]), LookBack::default());
}

#[test]
fn a_pledge_needs_an_owner_for_each_required_item() {
    let bare = SiteList::plain(newest(SiteKind::Office).unwrap());
    let unowned = Pledge::sign(&bare, note("经理"), stamp(wall(8, 0))).unwrap_err();
    assert_eq!(unowned.len(), 29 - 4);
    let words = menshen::checklist::Category::ALL
        .iter()
        .map(|it| it.as_str());
    let owners: Vec<String> = words.map(|word| format!("{word} = \"王芳\"")).collect();
    let owners = owners.join("\n");
    let text = format!("[site]\nkind = \"office\"\nbuilt_on = 1\n[owners.category]\n{owners}");
    let list = parse_site(&text, "site.toml").unwrap().list;
    let pledge = Pledge::sign(&list, note("经理"), stamp(wall(8, 0))).unwrap();
    assert_eq!(pledge.version, 1);
}

#[test]
fn the_procedure_is_edited_in_editions() {
    let shipped = shipped_procedure().unwrap();
    let clauses = shipped.clauses().len();
    let mut editions = Editions::of(shipped);
    let words = |zh: &str, en: &str| menshen::text::Words {
        zh: zh.to_owned(),
        en: en.to_owned(),
    };
    let at = stamp(wall(9, 0));
    let by = || note("王芳");
    let add = || {
        Edit::Add(
            Chapter::Registration,
            words("访客停车登记", "Visitors' cars"),
            Live::Register,
        )
    };
    assert_eq!(editions.edit(0, add(), by(), at), Ok(1));
    assert_eq!(
        editions.edit(0, add(), by(), at),
        Err(EditRefused::Overtaken { newest: 1 })
    );
    let own = "1.6".parse().unwrap();
    assert!(editions.newest().procedure.clause(own).unwrap().own);
    assert_eq!(editions.edit(1, Edit::Withdraw(own), by(), at), Ok(2));
    // The number of what was withdrawn is not used again.
    assert_eq!(editions.edit(2, add(), by(), at), Ok(3));
    assert!(editions.newest().procedure.clause(own).is_none());
    assert!(
        editions
            .newest()
            .procedure
            .clause("1.7".parse().unwrap())
            .is_some()
    );
    let first = "3.1".parse().unwrap();
    let refused = editions.edit(3, Edit::Withdraw(first), by(), at);
    assert_eq!(refused, Err(EditRefused::NotOwn(first)));
    let half = Edit::Reword(first, words("只有中文", " "));
    assert_eq!(
        editions.edit(3, half, by(), at),
        Err(EditRefused::LanguageMissing)
    );
    assert_eq!(
        editions.edit(3, Edit::Reword(first, words("改", "Other")), by(), at),
        Ok(4)
    );
    assert_eq!(editions.all().count(), 5);
    assert_eq!(
        editions.all().next().unwrap().procedure.clauses().len(),
        clauses
    );
}

#[test]
fn the_emergency_steps_become_a_record() {
    let editions = Editions::of(shipped_procedure().unwrap());
    let alert = ScreeningId {
        boot: BootId(1),
        track: TrackId(4),
    };
    let mut log = EmergencyLog::begin(alert, editions.newest());
    let all = log.steps().len();
    assert!(log.left(false).len() < log.left(true).len());
    let aside = StepId::new("take-aside").unwrap();
    assert_eq!(log.take(&aside, note("王芳"), stamp(wall(9, 0))), Ok(()));
    assert_eq!(log.take(&aside, note("王芳"), stamp(wall(9, 1))), Ok(()));
    let second = log.take(&aside, note("李强"), stamp(wall(9, 1)));
    assert_eq!(second, Err(StepRefused::TakenBy(note("王芳"))));
    let unknown = StepId::new("no-such-step").unwrap();
    let refused = log.take(&unknown, note("王芳"), stamp(wall(9, 1)));
    assert_eq!(refused, Err(StepRefused::Unknown(unknown)));
    assert_eq!((log.taken().len(), log.left(true).len()), (1, all - 1));
    // An alert's outcome in the core's words becomes the report's.
    assert_eq!(AlertEnd::from(&Outcome::Left), AlertEnd::Left);
    assert_eq!(AlertState::Open.as_str(), "open");
}

/// What somebody does in one of many orders.
#[derive(Clone, Debug)]
enum Act {
    Tick { who: u8, slot: u8, id: u8 },
    Correct { who: u8, slot: u8, id: u8 },
    Submit,
    Reopen,
    Receive(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..4_u8, 0..4_u8, 0..24_u8).prop_map(|(who, slot, id)| Act::Tick { who, slot, id }),
        2 => (0..4_u8, 0..4_u8, 24..40_u8).prop_map(|(who, slot, id)| Act::Correct { who, slot, id }),
        1 => Just(Act::Submit),
        1 => Just(Act::Reopen),
        1 => (0..3_u8).prop_map(Act::Receive),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Several people, each post perhaps sent twice, in any order: a slot has one tick, the first one or
    /// its named correction; a submission is one revision; nothing that was taken is lost.
    #[test]
    fn one_tick_and_one_revision_in_any_order(acts in prop::collection::vec(act(), 1..40)) {
        thread_local!(static ROUND: Round = office());
        let mut round = ROUND.with(Clone::clone);
        let now = stamp(wall(8, 0));
        let items = ["off-lift-buttons", "off-touch", "off-toilets", "off-lead"];
        let mut owner: BTreeMap<Slot, u128> = BTreeMap::new();
        let mut taken: BTreeMap<u128, TickRequest> = BTreeMap::new();
        let (mut revision, mut draft) = (1, true);
        for act in acts {
            match act {
                Act::Tick { who, slot, id } | Act::Correct { who, slot, id } => {
                    let item = items[usize::from(slot)];
                    let mut request = request(&round, id.into(), item, 0, wall(8, 0));
                    request.by = note(&format!("person {who}"));
                    if matches!(act, Act::Correct { .. }) {
                        request.corrects = owner.get(&request.slot).map(|id| TickId(*id));
                        request.tick = failed(wall(8, 0));
                    }
                    let known = taken.get(&request.id.0).cloned();
                    let answer = round.tick(request.clone(), now);
                    match known {
                        Some(known) if known == request => prop_assert_eq!(answer, Ok(Taken::AlreadyKept)),
                        Some(_) => prop_assert_eq!(answer, Err(TickRefused::IdUsedTwice)),
                        None if !draft => prop_assert_eq!(answer, Err(TickRefused::Submitted(revision))),
                        None if request.corrects.is_none() && owner.contains_key(&request.slot) => {
                            let first = &taken[&owner[&request.slot]];
                            prop_assert_eq!(answer, Err(TickRefused::TakenBy {
                                by: first.by.clone(), at: wall(8, 0), id: first.id,
                            }));
                        }
                        None => {
                            prop_assert_eq!(answer, Ok(Taken::Kept));
                            owner.insert(request.slot.clone(), request.id.0);
                            taken.insert(request.id.0, request);
                        }
                    }
                }
                Act::Submit => {
                    let answer = round.submit(Submitter::SetHour, now);
                    let expected = if draft { Ok(revision) } else { Err(RoundRefused::AlreadySubmitted(revision)) };
                    prop_assert_eq!(answer, expected);
                    draft = false;
                }
                Act::Reopen => {
                    let answer = round.reopen();
                    if draft {
                        prop_assert_eq!(answer, Err(RoundRefused::IsDraft));
                    } else {
                        revision += 1;
                        draft = true;
                        prop_assert_eq!(answer, Ok(revision));
                    }
                }
                Act::Receive(number) => {
                    let fits = !draft && u32::from(number) == revision;
                    prop_assert_eq!(round.receive(number.into(), now).is_ok(), fits);
                }
            }
            prop_assert_eq!(round.ticks().len(), taken.len());
            for (slot, id) in &owner {
                prop_assert_eq!(round.tick_of(slot).unwrap().request.id.0, *id);
            }
        }
        prop_assert_eq!(round.revision(), revision);
    }
}
