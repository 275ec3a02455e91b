//! Words of the street office's pages.

use super::{Words, words};

/// What the pages are called.
pub const STREET: Words = words("门神 · 街道办", "Menshen street office");

/// Every site.
pub const OVERVIEW: Words = words("总览", "Overview");
/// Whom to phone.
pub const CALLS: Words = words("要打的电话", "To phone");
/// Sites beside each other.
pub const COMPARE: Words = words("对比", "Comparison");
/// The office's own report.
pub const DAILY: Words = words("每日一报", "Daily report");
/// What sites have found out.
pub const INNOVATIONS: Words = words("微创新", "Innovations");
/// The working groups.
pub const GROUPS: Words = words("工作组", "Working groups");
/// What goes down to sites.
pub const ORDERS: Words = words("下发与回执", "Orders and receipts");
/// Messages that were not taken.
pub const QUARANTINE: Words = words("隔离的消息", "Quarantine");

/// The database can be read.
pub const RECEIVING: Words = words("数据库正常", "Database in order");
/// It cannot.
pub const LEDGER_AWAY: Words = words(
    "数据库读不出，下面是之前的情况；请看本机日志",
    "The database cannot be read; what follows is how it was before. See this machine's log",
);

/// A kind of site that is not known here.
pub const NO_KIND: Words = words("类型不明", "kind not known");
/// A working group that is not known here.
pub const NO_GROUP: Words = words("其他工作组", "another group");

/// A share of required items.
pub const REQUIRED: Words = words(
    "规定动作：今天到期的都怎样了",
    "Required items that were due today",
);
/// A share of optional items.
pub const OPTIONAL: Words = words(
    "自选动作：今天到期的都怎样了",
    "Optional items that were due today",
);
/// What a column is.
pub const SITE: Words = words("单位", "Site");
/// What a value is.
pub const SHARE: Words = words("百分比", "%");
/// Done in time.
pub const DONE: Words = words("按时完成", "done in time");
/// Done late.
pub const LATE: Words = words("迟完成", "done late");
/// Failed.
pub const FAILED: Words = words("不合格", "failed");
/// Not done.
pub const NOT_DONE: Words = words("未做", "not done");

/// What the page says aloud when an alert has come.
pub const SPOKEN_ALERT: Words = words(
    "有楼宇报警，请看屏幕。",
    "A building has raised an alert. Please look at the screen.",
);

/// Which sites a page shows.
pub const STATES: [(&str, Words); 6] = [
    ("call", words("要打电话", "to phone")),
    ("alert", words("有警报未处理完", "with an open alert")),
    ("online", words("在线", "online")),
    ("away", words("不在线", "not online")),
    ("late", words("日报未到", "report missing")),
    (
        "newer",
        words("消息版本较新或无法读取", "newer or unreadable messages"),
    ),
];

/// In which order it shows them; the first is the usual one.
pub const SORTS: [(&str, Words); 5] = [
    ("call", words("最急的在前", "most urgent first")),
    ("name", words("按名称", "by name")),
    ("screened", words("筛查人数", "people screened")),
    (
        "required",
        words("规定动作完成率，低的在前", "required items, lowest first"),
    ),
    ("heard", words("最久没消息的在前", "longest silent first")),
];

/// What is wrong with a message that was not taken, and what to do.
#[must_use]
pub fn reason(word: &str) -> Words {
    match word {
        "topic" => words(
            "主题不是楼宇该用的：请核对该账号的 ACL",
            "Not a topic of a gateway: check the account's access list",
        ),
        "large" => words(
            "消息过大：不是本系统的设备发的",
            "Too large: no gateway sends such messages",
        ),
        "payload" => words(
            "内容不合格式：请看该设备的版本和日志",
            "Not as it should be: look at that gateway's version and log",
        ),
        "another_gate" => words(
            "冒用了另一个门的名字：请联系该楼宇，必要时停用其账号",
            "It names another gate: ask that site, and if need be shut its account",
        ),
        "contradicts" => words(
            "同一编号先后有两条不同的消息，保留了第一条：该设备的数据库可能被复制或恢复过",
            "Two different messages under one number, the first was kept: that gateway's database may have been \
             copied or restored",
        ),
        _ => words("其他原因", "Another reason"),
    }
}

/// A site has not answered an order.
pub const WAITING: Words = words("还没有回执", "no answer yet");
/// It has done it.
pub const ANSWERED: Words = words("已执行", "done");
/// It has not.
pub const REFUSED: Words = words("拒绝执行", "refused");

/// What sites are asked for by an order.
#[must_use]
pub fn order(name: &str) -> Words {
    match name {
        "announce" => words("请重新上报现状", "say once more how things stand"),
        "notice" => words("通知", "notice"),
        "template" => words("新版清单", "a new version of the list"),
        "resend" => words("请补发消息", "send messages again"),
        _ => words("其他命令", "another order"),
    }
}
