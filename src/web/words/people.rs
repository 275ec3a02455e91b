//! The register's words.

use super::{Words, words};
use crate::people::DeskError;
use crate::text::named;

/// The way to the gate.
pub const GATE: Words = words("入楼查验", "Gate");

/// The way to the register.
pub const REGISTER: Words = words("人员登记", "Register");

/// Something waits for a decision.
pub const WAITS: Words = words("待决定", "to be decided");

/// What stands above a list in a file, beside the fields.
pub const COLUMNS: [Words; 5] = [
    words("编号", "Number"),
    words("颜色", "Colour"),
    words("起", "Since"),
    words("到期", "Due"),
    words("要办的事", "To do"),
];

named! {
    /// Who is listed, beside those of one colour.
    Which {
        /// Something waits for a decision.
        Waiting = "waiting", "待决定", "to be decided";
        /// Over and not released, or expected and not seen.
        Due = "due", "到期未办", "due";
        /// Observed, and nothing was said of their health today.
        Unsaid = "unsaid", "今日未登记健康", "today's health missing";
        /// Expected in the building today.
        Expected = "expected", "今日预计返沪", "expected today";
        /// Everybody.
        All = "all", "全部", "everybody";
    }
}

/// Why something was not done, in Chinese; the English is the error's own text.
#[must_use]
pub const fn refusal(error: &DeskError) -> &'static str {
    match error {
        DeskError::Journal(_) => "没有保存，请稍后再试。",
        DeskError::NoDay => "本机时钟未设置，请先校时。",
        DeskError::Fields(_) => "请后退，更正以下内容：",
        DeskError::Move(why) => why.zh(),
        DeskError::Health(why) => why.zh(),
        DeskError::NoPerson => "登记册中没有此人：可能已删除或已合并。",
        DeskError::TooOften(_) => "提交太频繁，请稍后再试。",
        DeskError::NoCode => "今天没有这个当日码，请重新申报。",
        DeskError::PosterVoid => "二维码已过期或不是本楼的，请扫描门口的二维码。",
        DeskError::NoImport => "没有这份名单，或已撤销。",
        DeskError::Heading(_) => "表头缺少必需的列，请指定各列对应的项目。",
        DeskError::Plan(why) => why.zh(),
        DeskError::TooMany => "名单超过一万人，请按颜色分开导出。",
        DeskError::Decided => "已有人处理，请刷新页面。",
    }
}
