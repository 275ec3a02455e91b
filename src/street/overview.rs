//! Every site in a row: how it is, what is open, and why somebody should phone. Pure.
//!
//! The rows are made of what gates really publish and of the office's own list of sites. What a gate does not
//! say is not known, and is never taken for good: a site without a word is away, a number without a source is none.

use super::book::{Book, Page};
use super::said::{Checklist, Colours, Escalated, Presence, Screened};
use crate::calendar::Date;
use crate::checklist::SiteKind;
use crate::clock::WallTime;
use crate::event::Fault;
use crate::mqtt::Address;
use crate::text::named;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an alert may wait until the office should phone: after as long a gate tells the street by itself,
/// where its site has not set another time (`alert::escalation`).
const ALERT_WAITS: Duration = Duration::from_mins(15);

/// A site as the office has it in its own list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Whose topics are its.
    pub address: Address,
    /// What people call it.
    pub name: String,
    /// Which kind it is, where the office says so; else the gate's own word counts.
    pub kind: Option<SiteKind>,
    /// Whom to phone.
    pub contact: Option<String>,
    /// Under which number.
    pub phone: Option<String>,
}

/// What the rows are made for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The moment.
    pub now: WallTime,
    /// The date on the wall.
    pub today: Date,
    /// The day before.
    pub yesterday: Option<Date>,
    /// From when on a report of today that has not come is late.
    pub due: WallTime,
    /// The office's own list.
    pub listed: &'a [Listed],
}

named! {
    /// Whether a site is there.
    There {
        /// Connected.
        Online = "online", "在线", "online";
        /// Stopped on purpose.
        Stopped = "stopped", "已停机", "stopped";
        /// Gone without a word.
        Offline = "offline", "离线", "offline";
        /// In the office's list, and never heard.
        Unheard = "unheard", "从未连接", "never heard";
        /// What it says of that cannot be read, or it does not say.
        Unclear = "unclear", "状态不明", "unclear";
    }
}

named! {
    /// Why somebody should phone; the gravest first.
    Call {
        /// An alert waits.
        Alert = "alert", "警报无人处理", "an alert waits";
        /// It is not there.
        Away = "away", "离线", "away";
        /// It measures nobody.
        Blind = "blind", "停止测温", "not measuring";
        /// No report has come.
        Report = "report", "日报未到", "report missing";
        /// A required item is late, was missed, or failed and is not made good.
        Overdue = "overdue", "规定动作未做", "required items not done";
        /// The camera's calibration is over, or soon will be.
        Calibration = "calibration", "校准到期", "calibration due";
        /// It says what cannot be read.
        Unreadable = "unreadable", "消息无法读取", "messages cannot be read";
    }
}

named! {
    /// How far a camera's calibration is.
    Calibration {
        /// Nothing is said against it.
        Good = "good", "有效", "valid";
        /// It ends soon.
        Due = "due", "即将到期", "due soon";
        /// It is over.
        Expired = "expired", "已过期", "expired";
        /// The gate does not say.
        Unknown = "unknown", "不明", "not known";
    }
}

named! {
    /// How far a day's report is.
    ReportStands {
        /// All of it has come.
        Received = "received", "已收到", "received";
        /// The gate says that it went out, or some of its parts have come.
        Coming = "coming", "正在接收", "under way";
        /// It is not time yet.
        NotDue = "not_due", "未到时间", "not due yet";
        /// It should be there.
        Late = "late", "迟到", "late";
    }
}

/// An alert that is open.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenAlert {
    /// Its id at its gate.
    pub id: String,
    /// When it was raised; `None`: its letter has not come.
    pub raised: Option<WallTime>,
    /// What was measured.
    pub value: Option<String>,
    /// Whether somebody has taken it.
    pub taken: bool,
    /// Whether it was old news when it came.
    pub late: bool,
    /// Whether its gate says that it waits.
    pub to_street: bool,
}

impl OpenAlert {
    /// How long it has been open.
    #[must_use]
    pub fn age(&self, now: WallTime) -> Option<Duration> {
        let ms = now.0.saturating_sub(self.raised?.0);
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }

    /// Whether nobody has taken it for too long, or its gate says so.
    #[must_use]
    pub fn waits(&self, now: WallTime) -> bool {
        !self.taken && (self.to_street || self.age(now).is_none_or(|it| it >= ALERT_WAITS))
    }
}

/// The report of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Of which day.
    pub date: Date,
    /// How far it is.
    pub stands: ReportStands,
    /// The newest whole revision.
    pub revision: Option<u32>,
    /// When that came.
    pub received: Option<WallTime>,
}

/// A site.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Whose.
    pub address: Address,
    /// What the office's list says.
    pub listed: Option<Listed>,
    /// Which of the six kinds.
    pub kind: Option<SiteKind>,
    /// Whether it is there.
    pub there: There,
    /// Since when it has been so.
    pub since: Option<WallTime>,
    /// When it was heard last.
    pub heard: Option<WallTime>,
    /// Which program it is.
    pub version: Option<String>,
    /// Whether it measures without a blackbody.
    pub relative: bool,
    /// Today's people; `None`: it does not say.
    pub screened: Option<Screened>,
    /// Its open alerts, those that have waited longest first.
    pub alerts: Vec<OpenAlert>,
    /// How many are open: more than are named, where there are very many.
    pub open: u64,
    /// Faults that stand.
    pub faults: Vec<Fault>,
    /// The camera's calibration.
    pub calibration: Calibration,
    /// Today's round; `None`: nothing was said of today.
    pub rounds: Option<Checklist>,
    /// The report of the day.
    pub report: ReportRow,
    /// Whether yesterday's is missing of a site that sends reports.
    pub lacks_yesterday: bool,
    /// Today's people by colour.
    pub colours: Option<Colours>,
    /// What could not be read: its name, and why.
    pub unreadable: Vec<(String, String)>,
    /// What is of a newer version than this program knows.
    pub newer: Vec<String>,
    /// Why somebody should phone, the gravest first.
    pub calls: Vec<Call>,
}

impl Row {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> String {
        let own = || format!("{} · {}", self.address.building, self.address.gate);
        self.listed.as_ref().map_or_else(own, |it| it.name.clone())
    }

    /// Required items that are not as they must be.
    #[must_use]
    pub fn escalated(&self) -> &[Escalated] {
        self.rounds.as_ref().map_or(&[], |it| &it.escalated)
    }

    /// What pages sort it by, where what needs a call comes first.
    fn urgency(&self) -> impl Ord + use<> {
        let gravest = self.calls.first().copied();
        let waits = self.alerts.iter().filter_map(|it| it.raised).min();
        (
            gravest.is_none(),
            gravest,
            Reverse(self.open),
            waits,
            Reverse(self.calls.len()),
            self.name(),
        )
    }
}

/// The rows, what needs a call first.
#[must_use]
pub fn rows(book: &Book, asked: &Asked<'_>) -> Vec<Row> {
    let mut listed: BTreeMap<String, &Listed> = BTreeMap::new();
    for it in asked.listed {
        listed.insert(it.address.to_string(), it);
    }
    let mut rows: Vec<Row> = book
        .pages()
        .map(|page| row(page, listed.remove(&page.address.to_string()), asked))
        .collect();
    rows.extend(listed.into_values().map(|it| unheard(it, asked)));
    rows.sort_by_cached_key(Row::urgency);
    rows
}

/// A site of the list that was never heard.
fn unheard(listed: &Listed, asked: &Asked<'_>) -> Row {
    let late = asked.now >= asked.due;
    let report = ReportRow {
        date: asked.today,
        stands: if late {
            ReportStands::Late
        } else {
            ReportStands::NotDue
        },
        revision: None,
        received: None,
    };
    let mut row = Row {
        address: listed.address.clone(),
        listed: Some(listed.clone()),
        kind: listed.kind,
        there: There::Unheard,
        since: None,
        heard: None,
        version: None,
        relative: false,
        screened: None,
        alerts: Vec::new(),
        open: 0,
        faults: Vec::new(),
        calibration: Calibration::Unknown,
        rounds: None,
        report,
        lacks_yesterday: false,
        colours: None,
        unreadable: Vec::new(),
        newer: Vec::new(),
        calls: Vec::new(),
    };
    row.calls = calls(&row, asked.now);
    row
}

fn row(page: &Page, listed: Option<&Listed>, asked: &Asked<'_>) -> Row {
    let status = page.status.as_ref();
    let known = status.and_then(|it| it.get());
    let there = match known.map(|it| it.presence) {
        Some(Presence::Online) => There::Online,
        Some(Presence::Stopped) => There::Stopped,
        Some(Presence::Offline) => There::Offline,
        None => There::Unclear,
    };
    let said = page.checklist.as_ref().and_then(|it| it.get());
    let rounds = said.filter(|it| it.date == asked.today);
    let faults = page.faults.as_ref().and_then(|it| it.get());
    let colours = page.follow_up.as_ref().and_then(|it| it.get());
    let whole = page.report(asked.today);
    let (alerts, open) = open_alerts(page);
    let mut row = Row {
        address: page.address.clone(),
        listed: listed.cloned(),
        kind: listed
            .and_then(|it| it.kind)
            .or_else(|| said.and_then(|it| it.kind))
            .or_else(|| whole.as_ref().and_then(|it| it.report.kind)),
        there,
        since: status.map(|it| it.received),
        heard: Some(page.heard),
        version: known
            .map(|it| it.version.clone())
            .filter(|it| !it.is_empty()),
        relative: known.is_some_and(|it| it.relative),
        screened: rounds
            .and_then(|it| it.screened)
            .or_else(|| whole.as_ref().map(|it| it.report.screened)),
        alerts,
        open,
        faults: faults.map_or_else(Vec::new, |(known, _)| known.clone()),
        calibration: match faults {
            None => Calibration::Unknown,
            Some((it, _)) if it.contains(&Fault::CalibrationExpired) => Calibration::Expired,
            Some((it, _)) if it.contains(&Fault::CalibrationDue) => Calibration::Due,
            Some(_) => Calibration::Good,
        },
        rounds: rounds.cloned(),
        report: ReportRow {
            date: asked.today,
            stands: match &whole {
                Some(_) => ReportStands::Received,
                None if page.parts_of(asked.today) > 0 => ReportStands::Coming,
                None if rounds.is_some_and(|it| it.submitted) => ReportStands::Coming,
                None if asked.now >= asked.due => ReportStands::Late,
                None => ReportStands::NotDue,
            },
            revision: whole.as_ref().map(|it| it.report.revision),
            received: whole.as_ref().map(|it| it.received),
        },
        lacks_yesterday: asked.yesterday.is_some_and(|yesterday| {
            let sends = page.days().any(|it| it < yesterday);
            sends && page.report(yesterday).is_none()
        }),
        colours: colours
            .filter(|it| it.date == asked.today)
            .map(|it| it.colours.clone()),
        unreadable: unreadable(page),
        newer: newer(page),
        calls: Vec::new(),
    };
    row.calls = calls(&row, asked.now);
    row
}

/// The open alerts: those that the gate named last, less those that were heard to be over since, and those that
/// were raised since.
fn open_alerts(page: &Page) -> (Vec<OpenAlert>, u64) {
    let state = page.open_alerts.as_ref();
    let named = state.and_then(|it| it.get().map(|said| (said, it.received)));
    let since = named.map_or(WallTime(i64::MIN), |(_, received)| received);
    let mut ids: Vec<&String> = named.map_or_else(Vec::new, |(said, _)| said.ids.iter().collect());
    let beyond = named.map_or(0, |(said, _)| {
        said.open.saturating_sub(said.ids.len() as u64)
    });
    for (id, alert) in &page.alerts {
        let is_new = alert.heard.is_some_and(|it| it >= since) && alert.over.is_none();
        if is_new && !ids.contains(&id) {
            ids.push(id);
        }
    }
    let open = |id: &String| {
        let known = page.alerts.get(id);
        if known.is_some_and(|it| it.over.is_some_and(|(at, _)| at >= since)) {
            return None;
        }
        Some(OpenAlert {
            id: id.clone(),
            raised: known.and_then(|it| it.raised),
            value: known.and_then(|it| it.value.clone()),
            taken: known.is_some_and(|it| it.taken),
            late: known.is_some_and(|it| it.late),
            to_street: known.is_some_and(|it| it.to_street),
        })
    };
    let mut alerts: Vec<OpenAlert> = ids.into_iter().filter_map(open).collect();
    alerts.sort_by(|a, b| (a.raised, &a.id).cmp(&(b.raised, &b.id)));
    let count = (alerts.len() as u64).saturating_add(beyond);
    (alerts, count)
}

/// Name, why it could not be read, and whether it is of a newer version; of what stands.
fn readings(page: &Page) -> Vec<(&'static str, Option<String>, bool)> {
    fn of<T>(
        name: &'static str,
        it: Option<&super::book::Stands<T>>,
    ) -> Option<(&'static str, Option<String>, bool)> {
        it.map(|it| match &it.reading {
            Ok(said) => (name, None, said.newer),
            Err(why) => (name, Some(why.why.clone()), why.newer),
        })
    }
    [
        of("status/gateway", page.status.as_ref()),
        of("state/alerts", page.open_alerts.as_ref()),
        of("state/faults", page.faults.as_ref()),
        of("state/checklist", page.checklist.as_ref()),
        of("state/followup", page.follow_up.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unreadable(page: &Page) -> Vec<(String, String)> {
    let states = readings(page).into_iter();
    let states = states.filter_map(|(name, why, _)| Some((name.to_owned(), why?)));
    let letters = page.unreadable.iter();
    let letters = letters.map(|((_, name), why)| (name.clone(), why.why.clone()));
    states.chain(letters).collect()
}

fn newer(page: &Page) -> Vec<String> {
    let states = readings(page).into_iter();
    let states = states.filter(|(_, _, newer)| *newer);
    let states = states.map(|(name, ..)| name.to_owned());
    states.chain(page.unknown.iter().cloned()).collect()
}

fn calls(row: &Row, now: WallTime) -> Vec<Call> {
    let holds = |call: &Call| match call {
        Call::Alert => row.alerts.iter().any(|it| it.waits(now)),
        Call::Away => matches!(row.there, There::Offline | There::Unheard | There::Unclear),
        Call::Blind => row.faults.iter().any(|it| it.stops_judging()),
        Call::Report => row.report.stands == ReportStands::Late || row.lacks_yesterday,
        Call::Overdue => !row.escalated().is_empty(),
        Call::Calibration => matches!(row.calibration, Calibration::Due | Calibration::Expired),
        Call::Unreadable => !row.unreadable.is_empty(),
    };
    Call::ALL.iter().copied().filter(holds).collect()
}

#[cfg(test)]
mod tests;
