//! Words of the rounds and the report: where a time of an item stands, and why something is not done.

use super::{InWords as _, Words, words};
use crate::checklist::{
    AlertEnd, Carried, DailyReport, DeskError, Fact, ItemId, Point, Slot, Standing, TickRefused,
};
use crate::text;
use crate::web::state::LinkWord;

/// The way to the rounds.
pub const ROUNDS: Words = words("自查打钩", "Rounds");

/// The way to the report of the day.
pub const REPORT: Words = words("每日一报", "Daily report");

/// Where one time of one item stands: its word for styles, its sign, its words.
#[must_use]
pub const fn standing(it: &Standing<'_>) -> (&'static str, &'static str, Words) {
    match it {
        Standing::NotYet => ("not_yet", "○", words("未到时间", "not yet")),
        Standing::Open => ("open", "◷", words("待完成", "to be done")),
        Standing::Overdue => ("overdue", "!", words("已逾期", "overdue")),
        Standing::Missed => ("missed", "✕", words("漏查", "missed")),
        Standing::NotCalledFor => ("not_called_for", "–", words("今日无需", "not called for")),
        Standing::Done { late: false, .. } => ("done", "✓", words("已完成", "done")),
        Standing::Done { late: true, .. } => ("late", "✓", words("迟完成", "done late")),
        Standing::NotApplicable(_) => ("not_applicable", "–", words("不适用", "not applicable")),
        Standing::Failed(_) => (
            "failed",
            "▲",
            words("不合格，整改中", "failed, being mended"),
        ),
        Standing::Known(_) => (
            "known",
            "●",
            words("本机自动填写", "filled in by the gateway"),
        ),
    }
}

/// Where it stands what the gateway knows.
#[must_use]
pub const fn known_at(fact: Fact) -> &'static str {
    match fact {
        Fact::PeopleScreened | Fact::CannotJudge => "/#today",
        Fact::SelfCheck => "/#device",
        Fact::Alerts => "/#alerts",
    }
}

/// What a line of a report is about.
#[must_use]
pub fn point(it: &Point, report: &DailyReport) -> text::Words {
    let time = |slot: &Slot| u32::from(slot.number) + 1;
    let of = |id: &ItemId, zh: &str, en: &str| {
        let what = report.words_of(id);
        text::Words {
            zh: format!("{}：{zh}", what.zh),
            en: format!("{}: {en}", what.en),
        }
    };
    let plain = |zh: String, en: String| text::Words { zh, en };
    match it {
        Point::Item(id, count) => of(id, count.zh(), count.en()),
        Point::Failure(slot) => {
            let time = time(slot);
            let (zh, en) = (format!("第{time}次不合格"), format!("failed, time {time}"));
            of(&slot.item, &zh, &en)
        }
        Point::Reason(slot) => {
            let time = time(slot);
            let (zh, en) = (
                format!("第{time}次不适用"),
                format!("not applicable, time {time}"),
            );
            of(&slot.item, &zh, &en)
        }
        Point::Known(id) => of(id, "本机自动填写", "filled in by the gateway"),
        Point::Screened(verdict) => {
            let words = verdict.words();
            plain(
                format!("筛查：{}", words.zh),
                format!("screened: {}", words.en),
            )
        }
        Point::Alert(id) => plain(format!("报警 {id}"), format!("alert {id}")),
        Point::Colour(word) => {
            let colour = report.facts.colours.iter().find(|it| it.word == *word);
            colour.map_or_else(
                || plain(word.clone(), word.clone()),
                |colour| colour.name.clone(),
            )
        }
        Point::GapClosed(date, id) => of(
            id,
            &format!("补短板（{date}）"),
            &format!("gap of {date} closed"),
        ),
        Point::Innovation(number) => plain(
            format!("微创新 {number}"),
            format!("small innovation {number}"),
        ),
        Point::Remark(number) => plain(format!("备注 {number}"), format!("remark {number}")),
    }
}

/// How an alert ended.
#[must_use]
pub fn alert_end(end: Option<AlertEnd>) -> Words {
    end.map_or(words("未办结", "no outcome yet"), |end| {
        words(end.zh(), end.en())
    })
}

/// How far a step of something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Done.
    Done,
    /// Going on.
    Now,
    /// Not begun.
    Ahead,
    /// It does not go on by itself.
    Stuck,
}

impl Step {
    /// Its word for styles.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Ahead => "ahead",
            Self::Stuck => "stuck",
        }
    }

    /// Its sign.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Now => "◷",
            Self::Ahead => "○",
            Self::Stuck => "✕",
        }
    }
}

/// The way of a report to the street office: saved, sent, accepted, received.
#[must_use]
pub fn receipt(carried: Carried, link: &LinkWord) -> [(Step, Words); 4] {
    let saved = (Step::Done, words("已保存在本机", "saved here"));
    let sent = (Step::Done, words("已发出", "sent"));
    let accepted = words("消息服务器已收", "accepted by the broker");
    let received = words("街道办已收到", "received by the street office");
    match carried {
        Carried::Saved => {
            let sending = match link {
                LinkWord::Connected => (Step::Now, words("发送中", "being sent")),
                LinkWord::Connecting | LinkWord::Away(_) => (
                    Step::Now,
                    words("等待连上消息服务器", "waits for the broker"),
                ),
                LinkWord::NotConfigured => (
                    Step::Stuck,
                    words("没有配置消息服务器", "no broker is set up"),
                ),
            };
            [
                saved,
                sending,
                (Step::Ahead, accepted),
                (Step::Ahead, received),
            ]
        }
        Carried::Parked => [
            saved,
            sent,
            (
                Step::Stuck,
                words(
                    "消息服务器拒收，请联系技术人员",
                    "refused by the broker: call a technician",
                ),
            ),
            (Step::Ahead, received),
        ],
        Carried::Accepted => [
            saved,
            sent,
            (Step::Done, accepted),
            (
                Step::Now,
                words("还没有街道办的回执", "no receipt of the street office yet"),
            ),
        ],
        Carried::Received(_) => [saved, sent, (Step::Done, accepted), (Step::Done, received)],
    }
}

/// Why something was not done, in Chinese; the English is the error's own text.
#[must_use]
pub const fn refusal(error: &DeskError) -> &'static str {
    match error {
        DeskError::Journal(_) => "没有保存，请稍后再试。",
        DeskError::NoDay => "本机时钟未设置，请先校时。",
        DeskError::Tick(why) => tick(why),
        DeskError::Round(_) => "日报的状态已变化，请刷新页面再看。",
        DeskError::NothingNew(_) => "上次提交后没有变化，无需再次提交。",
        DeskError::Changed => "您查看之后又有新的记录，请刷新页面看过再提交。",
        DeskError::Unowned(_) => "有规定动作没有责任人，请先在清单文件中指定。",
        DeskError::Edit(_) => "规程没有修改，请刷新页面再看。",
        DeskError::Step(_) => "这一步已有人完成或不存在，请刷新页面。",
        DeskError::NoGap => "没有这条待补的短板，请刷新页面。",
    }
}

const fn tick(why: &TickRefused) -> &'static str {
    match why {
        TickRefused::AnotherDay(_) => "这是另一天的清单，请刷新页面。",
        TickRefused::UnknownItem(_) | TickRefused::UnknownSlot(_) => {
            "清单中没有这一项，请刷新页面。"
        }
        TickRefused::FilledByTheGateway(_) => {
            "此项由本机自动填写，只能注明不适用或不合格及整改措施。"
        }
        TickRefused::TakenBy { .. } => "已有人打钩。如需更正，请在该项上修改。",
        TickRefused::CorrectsNothing => "要更正的内容已被他人改动，请刷新页面再看。",
        TickRefused::IdUsedTwice => "此编号已用于另一项，请刷新页面。",
        TickRefused::NotYet { .. } => "还没到时间，请完成后再打钩。",
        TickRefused::Missed { .. } => "已过时间，记为漏查；可在日报备注中说明原因。",
        TickRefused::PhoneClockWrong(_) => "手机时间不准，请改为自动校时后重发。",
        TickRefused::TapOutOfReach => "打钩时间不合理，请在页面上重新打钩。",
        TickRefused::WrongEvidence(_) => "填写的内容不符合此项要求。",
        TickRefused::PhotoMissing => "本单位要求此项附照片。",
        TickRefused::Submitted(_) => "当日日报已提交，请先重新打开。",
    }
}
