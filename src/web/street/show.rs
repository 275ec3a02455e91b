//! How what is known is written: words, signs that are no colours, ages. Pure.

use super::super::chart::Said;
use super::super::when;
use super::super::words::{Words, street as said};
use crate::checklist::{Group, Progress, SiteKind};
use crate::clock::WallTime;
use crate::people::Colour;
use crate::street::{Calibration, Call, Colours, Listed, OpenAlert, ReportStands, Row, There};
use std::time::Duration;

/// The words of something that is named.
macro_rules! words_of {
    ($it:expr) => {
        Words {
            zh: $it.zh(),
            en: $it.en(),
        }
    };
}
pub(super) use words_of;

/// A state, with a sign that is told from the others without its colour.
pub(super) struct SignView {
    pub(super) code: &'static str,
    pub(super) icon: &'static str,
    pub(super) words: Words,
}

const fn sign(code: &'static str, icon: &'static str, words: Words) -> SignView {
    SignView { code, icon, words }
}

/// Whether a site is there.
pub(super) const fn there(it: There) -> SignView {
    let icon = match it {
        There::Online => "●",
        There::Stopped => "■",
        There::Offline => "✕",
        There::Unheard => "○",
        There::Unclear => "?",
    };
    sign(it.as_str(), icon, words_of!(it))
}

/// How far a report is.
pub(super) const fn report(it: ReportStands) -> SignView {
    let icon = match it {
        ReportStands::Received => "✓",
        ReportStands::Coming => "…",
        ReportStands::NotDue => "–",
        ReportStands::Late => "!",
    };
    sign(it.as_str(), icon, words_of!(it))
}

/// How far a calibration is.
pub(super) const fn calibration(it: Calibration) -> SignView {
    let icon = match it {
        Calibration::Good => "✓",
        Calibration::Due => "△",
        Calibration::Expired => "!",
        Calibration::Unknown => "?",
    };
    sign(it.as_str(), icon, words_of!(it))
}

/// The kind of a site.
pub(super) const fn kind(it: Option<SiteKind>) -> Words {
    match it {
        Some(it) => words_of!(it),
        None => said::NO_KIND,
    }
}

/// A working group.
pub(super) const fn group(it: Option<Group>) -> Words {
    match it {
        Some(it) => words_of!(it),
        None => said::NO_GROUP,
    }
}

/// How long something has been so, in one unit.
pub(super) fn age(it: Duration) -> Said {
    let minutes = it.as_secs() / 60;
    let (number, zh, en) = match minutes {
        0..120 => (minutes, "分钟", "min"),
        120..2880 => (minutes / 60, "小时", "h"),
        _ => (minutes / 1440, "天", "d"),
    };
    Said {
        zh: format!("{number} {zh}"),
        en: format!("{number} {en}"),
    }
}

/// How long ago that was.
pub(super) fn ago(then: WallTime, now: WallTime) -> Said {
    let ms = u64::try_from(now.0.saturating_sub(then.0)).unwrap_or(0);
    age(Duration::from_millis(ms))
}

/// So many of so many, in per cent; `None` of nothing. Whatever is not whole is not a hundred.
pub(super) fn percent(part: u32, whole: u32) -> Option<u32> {
    let part = u64::from(part) * 100;
    let percent = part.checked_div(whole.into())?;
    u32::try_from(percent).ok()
}

/// Items of a duty.
pub(super) struct ProgressView {
    pub(super) done: u32,
    pub(super) asked: u32,
    pub(super) late: u32,
    pub(super) not_done: u32,
    pub(super) failed: u32,
    pub(super) percent: Option<u32>,
}

impl From<Progress> for ProgressView {
    fn from(it: Progress) -> Self {
        let sum = |numbers: &[u32]| numbers.iter().fold(0u32, |sum, it| sum.saturating_add(*it));
        let done = sum(&[it.done, it.late]);
        let not_done = sum(&[it.overdue, it.missed]);
        let asked = sum(&[done, not_done, it.failed]);
        Self {
            done,
            asked,
            late: it.late,
            not_done,
            failed: it.failed,
            percent: percent(done, asked),
        }
    }
}

/// People of a colour.
pub(super) struct ColourView {
    pub(super) code: &'static str,
    pub(super) words: Words,
    pub(super) people: u64,
    /// Sites that say only that there is somebody.
    pub(super) somebody: u64,
}

/// Every colour, in its order.
pub(super) fn colours(all: &Colours) -> Vec<ColourView> {
    let view = |it: &Colour| {
        let told = all.get(it).copied().unwrap_or_default();
        ColourView {
            code: it.as_str(),
            words: words_of!(it),
            people: told.exactly,
            somebody: told.somebody,
        }
    };
    Colour::ALL.iter().map(view).collect()
}

/// Whom to phone.
pub(super) struct PhoneView {
    pub(super) contact: String,
    pub(super) phone: Option<String>,
    /// The number as a link has it.
    pub(super) link: String,
}

pub(super) fn phone(listed: Option<&Listed>) -> Option<PhoneView> {
    let listed = listed.filter(|it| it.contact.is_some() || it.phone.is_some())?;
    let digits = |it: &String| -> String {
        let dials = |c: &char| c.is_ascii_digit() || *c == '+';
        it.chars().filter(dials).collect()
    };
    Some(PhoneView {
        contact: listed.contact.clone().unwrap_or_default(),
        link: listed.phone.as_ref().map(digits).unwrap_or_default(),
        phone: listed.phone.clone(),
    })
}

/// An open alert.
pub(super) struct AlertView {
    /// Its place in the page.
    pub(super) id: String,
    pub(super) site: String,
    pub(super) path: String,
    pub(super) value: Option<String>,
    pub(super) age: Option<Said>,
    pub(super) at: Option<String>,
    pub(super) taken: bool,
    pub(super) late: bool,
    pub(super) waits: bool,
}

/// Where a site's day is.
pub(super) fn path(row: &Row) -> String {
    format!("/sites/{}/{}", row.address.building, row.address.gate)
}

pub(super) fn alert(row: &Row, it: &OpenAlert, now: WallTime) -> AlertView {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let id: String = it.id.chars().filter(|c| letters(*c)).collect();
    AlertView {
        id: format!("alert-{}-{}-{id}", row.address.building, row.address.gate),
        site: row.name(),
        path: path(row),
        value: it.value.clone(),
        age: it.age(now).map(age),
        at: it.raised.map(when::day_and_minute),
        taken: it.taken,
        late: it.late,
        waits: it.waits(now),
    }
}

/// A site, as it stands in lists.
pub(super) struct RowView {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) kind: Words,
    pub(super) there: SignView,
    pub(super) since: Option<Said>,
    pub(super) heard: Option<Said>,
    pub(super) version: Option<String>,
    pub(super) relative: bool,
    pub(super) screened: Option<u64>,
    pub(super) fever: u64,
    pub(super) open: u64,
    pub(super) waits: bool,
    pub(super) oldest: Option<Said>,
    pub(super) required: Option<ProgressView>,
    pub(super) optional: Option<ProgressView>,
    pub(super) report: SignView,
    pub(super) revision: Option<u32>,
    pub(super) report_at: Option<String>,
    pub(super) lacks_yesterday: bool,
    pub(super) colours: Vec<ColourView>,
    pub(super) calibration: SignView,
    pub(super) unreadable: usize,
    pub(super) newer: usize,
    pub(super) calls: Vec<SignView>,
    pub(super) phone: Option<PhoneView>,
}

impl RowView {
    /// Required items, and optional ones.
    pub(super) const fn duties(&self) -> [Option<&ProgressView>; 2] {
        [self.required.as_ref(), self.optional.as_ref()]
    }
}

/// Why somebody should phone.
pub(super) const fn call(it: Call) -> SignView {
    let icon = match it {
        Call::Alert => "▲",
        Call::Away => "✕",
        Call::Blind => "◐",
        Call::Report => "!",
        Call::Overdue => "□",
        Call::Calibration => "△",
        Call::Unreadable => "?",
    };
    sign(it.as_str(), icon, words_of!(it))
}

pub(super) fn row(it: &Row, now: WallTime) -> RowView {
    let listed = it.listed.as_ref();
    let some = |it: &ColourView| it.people > 0 || it.somebody > 0;
    RowView {
        path: path(it),
        name: it.name(),
        place: format!("{} · {}", it.address.building, it.address.gate),
        kind: kind(it.kind),
        there: there(it.there),
        since: it.since.map(|then| ago(then, now)),
        heard: it.heard.map(|then| ago(then, now)),
        version: it.version.clone(),
        relative: it.relative,
        screened: it.screened.map(|it| it.total()),
        fever: it.screened.map_or(0, |it| it.possible_fever),
        open: it.open,
        waits: it.alerts.iter().any(|alert| alert.waits(now)),
        oldest: it.alerts.iter().filter_map(|it| it.age(now)).max().map(age),
        required: it.rounds.as_ref().map(|it| it.required.into()),
        optional: it.rounds.as_ref().map(|it| it.optional.into()),
        report: report(it.report.stands),
        revision: it.report.revision,
        report_at: it.report.received.map(when::minute),
        lacks_yesterday: it.lacks_yesterday,
        colours: it.colours.as_ref().map_or_else(Vec::new, |all| {
            colours(all).into_iter().filter(some).collect()
        }),
        calibration: calibration(it.calibration),
        unreadable: it.unreadable.len(),
        newer: it.newer.len(),
        calls: it.calls.iter().map(|it| call(*it)).collect(),
        phone: phone(listed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit_and_a_share_is_a_hundred_only_where_it_is_whole() {
        let en = |seconds| age(Duration::from_secs(seconds)).en;
        assert_eq!([en(0), en(59), en(7199)], ["0 min", "0 min", "119 min"]);
        assert_eq!([en(7200), en(172_799)], ["2 h", "47 h"]);
        assert_eq!(en(172_800), "2 d");
        assert_eq!(percent(999, 1000), Some(99));
        assert_eq!(percent(1000, 1000), Some(100));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(u32::MAX, u32::MAX), Some(100));
    }

    #[test]
    fn no_two_states_of_a_thing_have_one_sign() {
        let differ = |signs: Vec<&str>| {
            let mut seen = signs.clone();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), signs.len(), "{signs:?}");
        };
        differ(There::ALL.iter().map(|it| there(*it).icon).collect());
        differ(
            ReportStands::ALL
                .iter()
                .map(|it| report(*it).icon)
                .collect(),
        );
        differ(
            Calibration::ALL
                .iter()
                .map(|it| calibration(*it).icon)
                .collect(),
        );
        differ(Call::ALL.iter().map(|it| call(*it).icon).collect());
    }
}
