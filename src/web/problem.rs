//! What a page says when it cannot do what was asked: both languages, the right HTTP status, and
//! always what to do next.
//!
//! Texts of the store and of the core are shown as they are (they are escaped, and they say what
//! to do); nothing here blocks.

use super::words;
use super::words::Words;
use super::words::sign_in as said;
use crate::alert::Refused;
use crate::checklist::DeskError;
use crate::journal::JournalError;
use crate::people;
use crate::staff::Right;
use askama::Template;
use axum::Json;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use std::borrow::Cow;

/// A request that could not be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No such page.
    NoPage,
    /// That page does not take this method.
    WrongMethod,
    /// No such alert.
    UnknownAlert(String),
    /// Somebody was faster.
    AlreadyAcknowledged(String),
    /// Somebody has closed it.
    AlreadyResolved(String),
    /// A field is missing or wrong: which, in both languages.
    Incomplete(&'static str, &'static str),
    /// The core refused, in its own words.
    Refused(&'static str),
    /// The desk of the rounds refused: why, in both languages.
    NotDone(String),
    /// The body is over the limit.
    TooLarge,
    /// The name in the address is not this device's.
    WrongHost,
    /// A write that comes from another site's page.
    ForeignOrigin,
    /// As many live views as are allowed.
    TooManyViewers,
    /// As many who wait for events as are allowed.
    TooManyListeners,
    /// Not a WebSocket handshake.
    NotAWebSocket,
    /// No frame was screened since the start.
    NothingScreened,
    /// The store cannot be read or written.
    Storage(String),
    /// Nobody is signed in.
    NotSignedIn,
    /// Who asks has not this right.
    NotYours(Right),
    /// Name and password do not belong together.
    WrongSignIn,
    /// No such code, or one that is over.
    WrongCode,
    /// No such PIN of that person.
    WrongPin,
    /// Tried in vain too often: seconds until the next try.
    TooOften(u64),
    /// A form that is not of this session.
    OldForm,
    /// It took too long.
    TooSlow,
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::UnknownAlert(id) => Self::UnknownAlert(id.to_string()),
            JournalError::Refused(Refused::AlreadyAcknowledged(by)) => {
                Self::AlreadyAcknowledged(by)
            }
            JournalError::Refused(Refused::AlreadyResolved(by)) => Self::AlreadyResolved(by),
            JournalError::Refused(Refused::Nameless) => {
                Self::Incomplete("没有填写姓名。", "The name is missing.")
            }
            JournalError::Refused(Refused::Incomplete(what)) => Self::Refused(what),
            // No page gives commands.
            JournalError::DoneBefore(id) => Self::Storage(id.to_string()),
            JournalError::Storage(what) => Self::Storage(what),
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Journal(error) => Self::from(error),
            error => Self::NotDone(format!("{} {error}", words::checklist::refusal(&error))),
        }
    }
}

impl From<people::DeskError> for Problem {
    fn from(error: people::DeskError) -> Self {
        match error {
            people::DeskError::Journal(error) => Self::from(error),
            people::DeskError::NoPerson => Self::NoPage,
            people::DeskError::TooOften(wait) => Self::TooOften(wait.as_secs() + 1),
            error => Self::NotDone(format!("{} {error}", words::people::refusal(&error))),
        }
    }
}

/// No frame was screened since the start.
const NOTHING_SCREENED: [&str; 4] = [
    "还没有筛查过一帧画面",
    "No frame was screened yet",
    "请查看相机；刚启动时稍候再试。",
    "Look at the camera; just after a start, ask again soon.",
];

/// Asked for by something that speaks no WebSocket.
const NO_WEB_SOCKET: [&str; 4] = [
    "实时画面不能这样打开",
    "The live view cannot be opened in this way",
    "请打开首页。",
    "Open the start page.",
];

/// The page of a problem.
#[derive(Template)]
#[template(path = "problem.html", config = "src/web/askama.toml")]
struct ProblemPage<'a> {
    status: u16,
    title_zh: &'a str,
    title_en: &'a str,
    what_zh: &'a str,
    what_en: &'a str,
    detail: Cow<'a, str>,
}

impl Problem {
    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoPage | Self::UnknownAlert(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::AlreadyAcknowledged(_) | Self::AlreadyResolved(_) | Self::NotDone(_) => {
                StatusCode::CONFLICT
            }
            Self::Incomplete(..) | Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::ForeignOrigin
            | Self::NotYours(_)
            | Self::WrongSignIn
            | Self::WrongCode
            | Self::WrongPin
            | Self::OldForm => StatusCode::FORBIDDEN,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotAWebSocket => StatusCode::BAD_REQUEST,
            Self::TooManyViewers
            | Self::TooManyListeners
            | Self::NothingScreened
            | Self::Storage(_)
            | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A short word for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPage => "no_page",
            Self::WrongMethod => "wrong_method",
            Self::UnknownAlert(_) => "unknown_alert",
            Self::AlreadyAcknowledged(_) => "already_acknowledged",
            Self::AlreadyResolved(_) => "already_resolved",
            Self::Incomplete(..) | Self::Refused(_) => "incomplete",
            Self::NotDone(_) => "not_done",
            Self::TooLarge => "too_large",
            Self::WrongHost => "wrong_host",
            Self::ForeignOrigin => "foreign_origin",
            Self::TooManyViewers => "too_many_viewers",
            Self::TooManyListeners => "too_many_listeners",
            Self::NotAWebSocket => "not_a_websocket",
            Self::NothingScreened => "nothing_screened",
            Self::Storage(_) => "storage",
            Self::NotSignedIn => "not_signed_in",
            Self::NotYours(_) => "not_yours",
            Self::WrongSignIn => "wrong_sign_in",
            Self::WrongCode => "wrong_code",
            Self::WrongPin => "wrong_pin",
            Self::TooOften(_) => "too_often",
            Self::OldForm => "old_form",
            Self::TooSlow => "too_slow",
        }
    }

    /// Title (zh, en) and what to do (zh, en).
    pub(super) const fn texts(&self) -> [&'static str; 4] {
        match self {
            Self::WrongSignIn => said::WRONG_SIGN_IN,
            Self::WrongCode => said::WRONG_CODE,
            Self::WrongPin => said::WRONG_PIN,
            Self::TooOften(_) => said::TOO_OFTEN,
            Self::OldForm => said::OLD_FORM,
            Self::NotDone(_) => said::NOT_DONE,
            Self::NotSignedIn => said::NOT_SIGNED_IN,
            Self::NotYours(_) => said::NOT_YOURS,
            Self::NoPage => [
                "没有这个页面",
                "There is no such page",
                "请返回首页。",
                "Go back to the start page.",
            ],
            Self::WrongMethod => [
                "这个页面不能这样使用",
                "This page cannot be used in this way",
                "请返回首页，用页面上的按钮操作。",
                "Go back to the start page and use its buttons.",
            ],
            Self::UnknownAlert(_) => [
                "没有这条警报",
                "There is no such alert",
                "请返回首页，从列表中重新选择。",
                "Go back to the start page and choose from the list.",
            ],
            Self::AlreadyAcknowledged(_) => [
                "这条警报已经有人处理",
                "Somebody is already looking after this alert",
                "请先联系处理人；也可以直接在首页记录结果。",
                "Talk to them first; you can still record the outcome on the start page.",
            ],
            Self::AlreadyResolved(_) => [
                "这条警报的结果已经记录",
                "The outcome of this alert is already recorded",
                "结果不会被覆盖。请返回首页查看。",
                "It is never overwritten. Go back to the start page to read it.",
            ],
            Self::Incomplete(zh, en) => [
                "没有保存：填写不完整",
                "Not saved: something is missing",
                zh,
                en,
            ],
            Self::Refused(_) => [
                "没有保存：填写不完整",
                "Not saved: something is missing",
                "请后退，补全下面这一项后再提交。您填写的内容还在。",
                "Go back, complete what is named below and send again. Your input is still there.",
            ],
            Self::TooLarge => [
                "没有保存：内容太长",
                "Not saved: too much text",
                "请后退，缩短内容后再提交。",
                "Go back, shorten the text and send again.",
            ],
            Self::WrongHost => [
                "地址不对",
                "Wrong address",
                "请用设置中写明的名称或地址打开（[web] names）；在本机上用 127.0.0.1 加端口号。",
                "Use a name or address that the configuration gives ([web] names); on this device 127.0.0.1 with the port.",
            ],
            Self::ForeignOrigin => [
                "没有保存：请求来自别的网站",
                "Not saved: the request came from another site",
                "请直接打开本机的页面再操作。",
                "Open this device's own page and act there.",
            ],
            Self::TooManyViewers => [
                "实时画面的观看者已满",
                "Too many live views are open",
                "请先关闭别处的页面，再刷新。",
                "Close the page elsewhere, then reload.",
            ],
            Self::TooManyListeners => [
                "同时打开的页面和程序太多",
                "Too many pages and programs are waiting for events",
                "请先关闭别处的页面，再刷新。",
                "Close pages elsewhere, then reload.",
            ],
            Self::NotAWebSocket => NO_WEB_SOCKET,
            Self::NothingScreened => NOTHING_SCREENED,
            Self::Storage(_) => [
                "本机存储出错",
                "This device's storage failed",
                "刚才的操作没有保存。请先记在纸上，并通知管理员。",
                "What you just did was not saved. Write it on paper and call the administrator.",
            ],
            Self::TooSlow => [
                "等待太久",
                "It took too long",
                "请返回首页，先看是否已经保存，再决定是否重试。",
                "Go back to the start page and look whether it was saved before you try again.",
            ],
        }
    }

    /// What the problem is about, as text that is escaped later.
    pub(super) fn detail(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::TooOften(seconds) => return Cow::Owned(seconds.to_string()),
            Self::UnknownAlert(text)
            | Self::AlreadyAcknowledged(text)
            | Self::AlreadyResolved(text)
            | Self::NotDone(text)
            | Self::Storage(text) => text,
            Self::Refused(what) => what,
            Self::NotYours(right) => right.zh(),
            _ => "",
        })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let [title_zh, title_en, what_zh, what_en] = self.texts();
        let page = ProblemPage {
            status: self.status().as_u16(),
            title_zh,
            title_en,
            what_zh,
            what_en,
            detail: self.detail(),
        };
        // A template of plain texts does not fail; if it did, the title still says it.
        let html = page.render().unwrap_or_else(|_| title_en.to_owned());
        let mut response = (self.status(), Html(html)).into_response();
        if let Self::TooOften(seconds) = self {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The same for programs (RFC 9457).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ProblemJson {
    /// Which problem, for ever: `urn:menshen:problem:` and the code.
    r#type: String,
    /// The code: a short word.
    code: &'static str,
    /// What it is, in English.
    title: &'static str,
    /// What it is, in Chinese.
    title_zh: &'static str,
    /// The HTTP status.
    status: u16,
    /// What it is about, where there is more to say.
    detail: Option<String>,
    /// What to do.
    what_to_do: Words,
}

impl From<&Problem> for ProblemJson {
    fn from(problem: &Problem) -> Self {
        let [title_zh, title, zh, en] = problem.texts();
        Self {
            r#type: format!("urn:menshen:problem:{}", problem.code()),
            code: problem.code(),
            title,
            title_zh,
            status: problem.status().as_u16(),
            detail: Some(problem.detail().into_owned()).filter(|it| !it.is_empty()),
            what_to_do: Words { zh, en },
        }
    }
}

/// Whether programs ask there, and not people.
fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/") || matches!(path, "/live" | "/metrics" | "/healthz" | "/readyz")
}

/// Says a problem to whoever asked there: a page to people, JSON to programs.
pub(super) fn said_to(path: &str, response: Response) -> Response {
    let problem = response.extensions().get::<Problem>();
    match problem.filter(|_| is_for_programs(path)) {
        None => response,
        Some(problem) => {
            let kind = HeaderValue::from_static("application/problem+json");
            let body = Json(ProblemJson::from(problem)).into_response().into_body();
            let (mut parts, _) = response.into_parts();
            parts.headers.insert(CONTENT_TYPE, kind);
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, body)
        }
    }
}
