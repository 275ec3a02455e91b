//! Whatever comes, it is read or it is unreadable; nothing else happens.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::checklist::Duty;
use proptest::prelude::*;

const STATUS: &str = r#"{"v":1,"state":"online","epoch":"e","version":"0.1.0","basis":"reference","clock":"synced","at":"2020-02-24T01:00:00Z"}"#;
const CHECKLIST: &str = r#"{"v":1,"epoch":"e","date":"2020-02-24","site":"office","template":1,"required":{"done":20,"late":1,"missed":2,"open":2},"optional":{"done":9,"open":5},"screened":{"clear":300,"retest":4,"possible_fever":1,"cannot_judge":9},"overdue":{"liaison":2},"escalated":[{"item":"gate-shifts","group":"liaison","overdue":0,"missed":2,"failed":0,"since":"2020-02-24T02:00:00Z"}],"submitted":false,"revision":1,"at":"2020-02-24T03:00:00Z","clock":"synced"}"#;
const FOLLOW_UP: &str = r#"{"v":1,"epoch":"e","date":"2020-02-24","colours":{"red":12,"green":30},"colours_below":{"purple":5},"sources":{},"sources_below":{},"overdue":1,"without_health":2,"at":"x","clock":"synced"}"#;
const ALERTS: &str =
    r#"{"v":1,"epoch":"e","open":3,"ids":["1-4","1-7"],"at":"x","clock":"synced"}"#;
const FAULTS: &str = r#"{"v":1,"epoch":"e","standing":["reference_lost","calibration_due","of_a_newer_one"],"at":"x","clock":"synced"}"#;
const ALERT: &str = r#"{"v":1,"epoch":"e","seq":7,"id":"1-4","kind":"raised","at":"2020-02-24T01:02:03Z","clock":"synced","gate":"main","verdict":"possible_fever","basis":"reference","face_c":36.5,"face_u_k":0.4,"estimate_c":38.94,"estimate_u_k":0.9,"threshold_c":37.9,"looks":60,"late":true}"#;
const REPORT: &str = r#"{"v":1,"epoch":"e","seq":9,"date":"2020-02-24","revision":2,"part":1,"of":1,"site":"office","template":1,"as_of":"x","screened":{"clear":10,"retest":0,"possible_fever":1,"cannot_judge":0},"items":[{"id":"gate-shifts","category":"gate","duty":"required","done":2,"missed":1},{"id":"own-plants","category":"environment","duty":"optional","done":1}],"failed":[{"id":"gate-shifts","time":2,"why":"口罩不足","action":"下午补货","deadline":"x"}],"excused":[],"known":[],"alerts":[{"id":"1-4","raised":"x","end":"referred"},{"id":"1-5","raised":"x","end":null}],"colours":{"red":3},"colours_below":{},"gaps":[{"id":"gate-shifts","date":"2020-02-23","how":"已补"}],"innovations":["电梯按钮贴牙签盒"],"remarks":[],"at":"x","clock":"synced","gate":"main"}"#;

/// Whether a message can be read, whichever it is.
type Reader = fn(&[u8]) -> Result<bool, Unreadable>;

const READERS: [(&str, Reader); 7] = [
    (STATUS, |it| status(it).map(|said| said.newer)),
    (CHECKLIST, |it| checklist(it).map(|said| said.newer)),
    (FOLLOW_UP, |it| follow_up(it).map(|said| said.newer)),
    (ALERTS, |it| open_alerts(it).map(|said| said.newer)),
    (FAULTS, |it| faults(it).map(|said| said.newer)),
    (ALERT, |it| alert(it).map(|said| said.newer)),
    (REPORT, |it| report(it).map(|said| said.newer)),
];

#[test]
fn what_gateways_say_is_read() {
    let it = checklist(CHECKLIST.as_bytes()).unwrap().it;
    assert_eq!((it.kind, it.required.asked()), (Some(SiteKind::Office), 23));
    assert_eq!(it.screened.unwrap().total(), 314);
    assert_eq!(it.escalated[0].group, Some(Group::Liaison));
    let it = alert(ALERT.as_bytes()).unwrap().it;
    assert_eq!((it.kind, it.late), (AlertKind::Raised, true));
    assert_eq!(it.value.as_deref(), Some("38.9 ± 0.9 °C"));
    assert_eq!(it.at, Some(WallTime(1_582_506_123_000)));
    let it = report(REPORT.as_bytes()).unwrap().it;
    assert_eq!(
        (
            it.total(Duty::Required).asked(),
            it.total(Duty::Optional).done
        ),
        (3, 1)
    );
    assert_eq!(it.alerts[0].1, Some(AlertEnd::Referred));
    assert_eq!(it.failed[0].action.as_deref(), Some("下午补货"));
    let it = follow_up(FOLLOW_UP.as_bytes()).unwrap().it;
    assert_eq!(
        it.colours[&Colour::Purple],
        Told {
            exactly: 0,
            somebody: 1
        }
    );
    let (known, unknown) = faults(FAULTS.as_bytes()).unwrap().it;
    assert_eq!(known, [Fault::ReferenceLost, Fault::CalibrationDue]);
    assert_eq!(unknown, 1);
    assert_eq!(open_alerts(ALERTS.as_bytes()).unwrap().it.open, 3);
    assert_eq!(
        status(STATUS.as_bytes()).unwrap().it.presence,
        Presence::Online
    );
}

#[test]
fn what_is_no_message_is_unreadable_and_says_why() {
    let deep = "[".repeat(50_000);
    let bad: [&[u8]; 12] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"no json",
        b"{\"v\":1}",
        b"{\"v\":0,\"state\":\"online\"}",
        b"{\"v\":-1}",
        b"{\"v\":\"1\"}",
        b"{\"v\":1.5}",
        b"\xff\xfe{\"v\":1}",
        deep.as_bytes(),
    ];
    for (at, (_, read)) in READERS.iter().enumerate() {
        for payload in bad {
            // Of faults an object with a version is all that is asked for.
            if at == 4 && payload == b"{\"v\":1}" {
                continue;
            }
            let shown = String::from_utf8_lossy(&payload[..payload.len().min(30)]).into_owned();
            let why = read(payload).expect_err(&shown);
            assert!(!why.why.is_empty() && !why.newer, "{at} {shown}: {why:?}");
        }
    }
    for (instead, of) in [
        ("2020-02-30", "2020-02-24"),
        ("\"revision\":0", "\"revision\":2"),
        ("\"part\":2", "\"part\":1"),
        ("\"of\":0", "\"of\":1"),
        ("\"required\":1", "\"duty\":\"required\""),
    ] {
        assert!(
            report(REPORT.replace(of, instead).as_bytes()).is_err(),
            "{instead}"
        );
    }
    assert!(status(STATUS.replace("online", "asleep").as_bytes()).is_err());
}

#[test]
fn a_newer_version_is_marked_whether_it_can_be_read_or_not() {
    for (text, read) in READERS {
        let newer = text.replacen("\"v\":1", "\"v\":2,\"more\":[1]", 1);
        assert_eq!(read(newer.as_bytes()), Ok(true), "{text}");
        assert_eq!(read(text.as_bytes()), Ok(false), "{text}");
    }
    let why = checklist(br#"{"v":9,"day":"2020-02-24"}"#).unwrap_err();
    assert!(why.newer);
}

#[test]
fn words_from_outside_are_cut_and_numbers_do_not_overflow() {
    let long = format!("1-\u{7}{}", "4".repeat(5000));
    let it = alert(
        ALERT
            .replace("1-4", &long.replace('\u{7}', "\\u0007"))
            .as_bytes(),
    );
    let id = it.unwrap().it.id;
    assert!(id.len() == LONGEST_WORD && !id.contains('\u{7}'), "{id}");
    let most = format!("\"done\":{0},\"late\":{0},\"missed\":{0}", u32::MAX);
    let it = report(REPORT.replace("\"done\":2,\"missed\":1", &most).as_bytes());
    let total = it.unwrap().it.total(Duty::Required);
    assert_eq!(together(total, total).done, u32::MAX);
    let screened = Screened {
        clear: u64::MAX,
        retest: 1,
        ..Screened::default()
    };
    assert_eq!(screened.and(screened).total(), u64::MAX);
    // What our own form would not have taken is no line of a report.
    let it = report(
        REPORT
            .replace("电梯按钮贴牙签盒", &"长".repeat(501))
            .as_bytes(),
    );
    assert!(it.unwrap().it.innovations.is_empty());
}

proptest! {
    /// A message of which some bytes are others: read or not, and nothing worse.
    #[test]
    fn a_damaged_message_does_no_harm(
        which in 0..READERS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let (text, read) = READERS[which];
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&bytes);
        bytes.truncate(end.index(bytes.len()));
        prop_assert!(read(&bytes).is_err());
    }
}
