//! Words of accounts.

use super::{Words, words};

/// The page of accounts.
pub const ACCOUNTS: Words = words("账号", "Accounts");

/// An account that can be used.
pub const IN_USE: Words = words("使用中", "In use");

/// A code is out, and no password was chosen yet.
pub const INVITED: Words = words("等待本人设置密码", "Waits for its password");

/// An account that may not be used any more.
pub const DISABLED: Words = words("已停用", "Disabled");

/// What a page says that could not be shown or done for whoever asked: title (zh, en), what to do (zh, en).
pub(in super::super) type Texts = [&'static str; 4];

/// A wrong name or password.
pub(in super::super) const WRONG_SIGN_IN: Texts = [
    "没有成功：姓名或密码不对",
    "Not done: wrong name or password",
    "请再试一次，注意大小写；忘记密码请物业经理或管理员重置。",
    "Try again and mind capital letters; a manager or administrator can reset a forgotten password.",
];

/// A wrong code.
pub(in super::super) const WRONG_CODE: Texts = [
    "设置码不对或已过期",
    "The code is wrong or no longer holds",
    "请核对设置码；过期的请物业经理或管理员重新给出。",
    "Compare the code; a manager or administrator can give you a new one.",
];

/// A wrong PIN.
pub(in super::super) const WRONG_PIN: Texts = [
    "没有保存：PIN 不对",
    "Not saved: wrong PIN",
    "请核对姓名和 PIN 再试；还没有 PIN 的，请在“我的账号”中设置。",
    "Compare name and PIN and try again; without a PIN, choose one in “My account”.",
];

/// Tried too often; the seconds follow.
pub(in super::super) const TOO_OFTEN: Texts = [
    "尝试次数太多，请稍候",
    "Too many tries: please wait",
    "还需等待的秒数：",
    "Seconds to wait:",
];

/// A form of another session.
pub(in super::super) const OLD_FORM: Texts = [
    "没有保存：页面已过时",
    "Not saved: this page is out of date",
    "请刷新页面再操作。",
    "Reload the page and do it again.",
];

/// The desk of the rounds refused.
pub(in super::super) const NOT_DONE: Texts = [
    "没有保存",
    "Not saved",
    "原因见下；请返回看一看。",
    "Why stands below; go back and look.",
];

/// Nobody is signed in.
pub(in super::super) const NOT_SIGNED_IN: Texts = [
    "请先登录",
    "Sign in first",
    "登录后再试；刚才的操作没有保存。",
    "Sign in and try again; what you just did was not saved.",
];

/// Without the right.
pub(in super::super) const NOT_YOURS: Texts = [
    "您没有这项权限",
    "You may not do this",
    "请用有此权限的账号登录，或请物业经理处理。",
    "Sign in with an account that may, or ask the property manager.",
];
