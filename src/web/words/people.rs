//! The register's words.

use crate::people::DeskError;

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
        DeskError::Decided => "已有人处理，请刷新页面。",
    }
}
