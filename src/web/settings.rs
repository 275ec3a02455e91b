//! The settings: every key of the configuration file with what it may hold, to be changed by whoever runs
//! the device.
//!
//! The page decides nothing: what may stand in the file is decided by the reader of the file itself, which
//! the wiring puts behind [`Settings`]. A change is sent as text, looked at as a difference to what the file
//! says, and only then saved. Who sends a form that was made from an older file is shown what is there now,
//! with their own words kept in the fields. Everything works without a script; all of it blocks on one small
//! file and runs on a blocking thread.

use super::chart::Said;
use super::frame::Frame;
use super::problem::Problem;
use super::routes::{Entry, get, post};
use super::{Shared, alerts, blocking, page};
use crate::clock::Stamp;
use crate::staff::{Right, Who};
use crate::text::{Note, Words};
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a key is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Yes or no.
    Switch,
    /// One of a few words.
    One(Vec<String>),
    /// Some of a few words.
    Some(Vec<String>),
    /// A number.
    Number,
    /// Anything in a line.
    Line,
}

/// One key of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingKey {
    /// Its name with its section, as `screening.fever_c`.
    pub id: String,
    /// What it is for.
    pub about: Words,
    /// What it may hold.
    pub allowed: Words,
    /// How it is filled in.
    pub field: Field,
    /// What the file says; empty where it says nothing.
    pub written: String,
    /// What is taken where the file says nothing; empty where that depends.
    pub usual: String,
    /// Whether it is changed in the file itself only.
    pub in_file_only: bool,
}

/// A section of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingGroup {
    /// Its name in the file.
    pub section: String,
    /// What it is called.
    pub title: Words,
    /// Its keys.
    pub keys: Vec<SettingKey>,
}

/// What a key said and what it will say; empty: nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// Which key.
    pub id: String,
    /// What it is for.
    pub about: Words,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// The file as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Where it is.
    pub file: String,
    /// Changes with every change of its text.
    pub version: String,
    /// Its keys.
    pub groups: Vec<SettingGroup>,
    /// What is wrong with it now, in the reader's words.
    pub wrong: Option<String>,
    /// What it says that is not in force before the next start.
    pub waiting: Vec<SettingChange>,
    /// Whether there is a file that was good once, to go back to.
    pub can_go_back: bool,
}

/// What somebody wants: for each key that they filled in, its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The file that they saw.
    pub version: String,
    /// Text by key; empty: the key is to say nothing.
    pub values: BTreeMap<String, String>,
}

/// What a wish comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What changes.
    pub changes: Vec<SettingChange>,
    /// What should be looked at before people are screened, in the words of `menshen check`.
    pub remarks: Vec<Words>,
}

/// What is wrong with a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which key, where it is one.
    pub id: Option<String>,
    /// What, and what to do.
    pub what: Words,
}

/// Why settings were not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// The file is not the one that was seen.
    Changed,
    /// Nothing would change.
    Nothing,
    /// The reader of the file refuses it.
    Refused(Vec<Wrong>),
    /// The file cannot be read or written, and what to do.
    File(Words),
    /// The act could not be kept in the audit, so it was not done.
    Storage(String),
}

/// The configuration file, behind the page.
pub trait Settings: Send + Sync {
    /// Why the file was refused when the gateway started, so that it runs by the last good one.
    fn refused(&self) -> Option<Arc<str>>;

    /// The file as it is now.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn sheet(&self) -> Result<Sheet, SettingsError>;

    /// What a wish comes to.
    ///
    /// # Errors
    /// Where it is refused.
    fn preview(&self, wish: &Wish) -> Result<Preview, SettingsError>;

    /// Writes it into the file, and who did so into the audit.
    ///
    /// # Errors
    /// Where it is refused or cannot be written; then the file is as it was.
    fn save(&self, wish: &Wish, by: &Note, now: &Stamp) -> Result<(), SettingsError>;

    /// Puts the last good file back.
    ///
    /// # Errors
    /// As [`Settings::save`].
    fn go_back(&self, version: &str, by: &Note, now: &Stamp) -> Result<(), SettingsError>;

    /// Whether somebody starts the gateway again when it ends.
    fn restarts(&self) -> bool;

    /// Ends the gateway, so that it is started again.
    ///
    /// # Errors
    /// Where nobody would start it, or the act could not be kept.
    fn restart(&self, by: &Note, now: &Stamp) -> Result<(), SettingsError>;
}

/// Fields of a form that are no keys.
const OTHER_FIELDS: [&str; 2] = ["csrf", "version"];

/// A key with what stands in its field.
struct KeyView {
    key: SettingKey,
    /// The name without its section.
    name: String,
    value: String,
    wrong: Option<Said>,
}

impl KeyView {
    /// Whether a word is chosen.
    fn says(&self, word: &str) -> bool {
        self.value.split(',').any(|it| it.trim() == word)
    }

    /// Whether something is there that no choice offers.
    fn says_otherwise(&self) -> bool {
        match &self.key.field {
            _ if self.value.is_empty() => false,
            Field::Switch => !matches!(self.value.as_str(), "true" | "false"),
            Field::One(words) => !words.contains(&self.value),
            Field::Some(_) | Field::Number | Field::Line => false,
        }
    }

    fn is_number(&self) -> bool {
        self.key.field == Field::Number
    }
}

struct GroupView {
    section: String,
    title: Said,
    keys: Vec<KeyView>,
    /// Whether it is unfolded.
    open: bool,
}

/// What the page says above the form.
struct Notice {
    title: Said,
    lines: Vec<Said>,
}

#[derive(Template)]
#[template(path = "settings/page.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    file: String,
    version: String,
    groups: Vec<GroupView>,
    wrong: Option<String>,
    waiting: Vec<ChangeView>,
    can_go_back: bool,
    restarts: bool,
    notice: Option<Notice>,
}

struct ChangeView {
    id: String,
    about: Said,
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "settings/preview.html", config = "src/web/askama.toml")]
struct PreviewPage {
    frame: Frame,
    file: String,
    version: String,
    changes: Vec<ChangeView>,
    remarks: Vec<Words>,
}

#[derive(Template)]
#[template(path = "settings/restarting.html", config = "src/web/askama.toml")]
struct RestartingPage {
    frame: Frame,
}

fn said(words: &Words) -> Said {
    Said {
        zh: words.zh.clone(),
        en: words.en.clone(),
    }
}

fn both(zh: &str, en: &str) -> Said {
    Said {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

impl From<&SettingChange> for ChangeView {
    fn from(it: &SettingChange) -> Self {
        Self {
            id: it.id.clone(),
            about: said(&it.about),
            before: it.before.clone(),
            after: it.after.clone(),
        }
    }
}

impl SettingsError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Changed => StatusCode::CONFLICT,
            Self::Nothing | Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::File(_) | Self::Storage(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn notice(&self) -> Notice {
        let (title, lines) = match self {
            Self::Changed => (
                both(
                    "没有保存：别人刚刚改了配置文件",
                    "Not saved: somebody else has just changed the file",
                ),
                vec![both(
                    "下面的“现为”是文件现在的内容，您填写的还在。请核对后再保存。",
                    "Below, \"is\" is what the file says now; what you filled in is still there. Compare, then save again.",
                )],
            ),
            Self::Nothing => (
                both("没有改动", "Nothing was changed"),
                vec![both("请先修改，再预览。", "Change something first.")],
            ),
            Self::Refused(wrongs) => (
                both(
                    "没有保存：有的值不行",
                    "Not saved: some values cannot be taken",
                ),
                wrongs.iter().map(|it| said(&it.what)).collect(),
            ),
            Self::File(why) => (
                both("没有保存：文件写不了", "Not saved: the file cannot be used"),
                vec![said(why)],
            ),
            Self::Storage(why) => (
                both(
                    "没有保存：本机存储出错",
                    "Not saved: this device's storage failed",
                ),
                vec![both(why, "")],
            ),
        };
        Notice { title, lines }
    }

    fn wrong_with(&self, id: &str) -> Option<Said> {
        let Self::Refused(wrongs) = self else {
            return None;
        };
        let of_key = |it: &&Wrong| it.id.as_deref() == Some(id);
        wrongs.iter().find(of_key).map(|it| said(&it.what))
    }
}

impl GroupView {
    fn of(group: SettingGroup, wish: &Wish, error: Option<&SettingsError>) -> Self {
        let view = |key: SettingKey| KeyView {
            name: key.id.rsplit('.').next().unwrap_or_default().to_owned(),
            value: wish.values.get(&key.id).unwrap_or(&key.written).clone(),
            wrong: error.and_then(|it| it.wrong_with(&key.id)),
            key,
        };
        let keys: Vec<KeyView> = group.keys.into_iter().map(view).collect();
        Self {
            section: group.section,
            title: said(&group.title),
            open: keys
                .iter()
                .any(|it| it.wrong.is_some() || it.value != it.key.written),
            keys,
        }
    }
}

impl Page {
    fn of(
        settings: &dyn Settings,
        frame: Frame,
        wish: &Wish,
        error: Option<&SettingsError>,
    ) -> Result<Self, Problem> {
        let sheet = settings.sheet().map_err(|error| match error {
            SettingsError::File(why) => Problem::Storage(format!("{} {}", why.zh, why.en)),
            _ => Problem::Storage(String::new()),
        })?;
        let groups = sheet.groups.into_iter();
        Ok(Self {
            frame,
            file: sheet.file,
            version: sheet.version,
            groups: groups.map(|it| GroupView::of(it, wish, error)).collect(),
            wrong: sheet.wrong,
            waiting: sheet.waiting.iter().map(ChangeView::from).collect(),
            can_go_back: sheet.can_go_back,
            restarts: settings.restarts(),
            notice: error.map(SettingsError::notice),
        })
    }
}

/// A form of any fields; several of one name are one text with commas.
type Sent = Result<Form<Vec<(String, String)>>, FormRejection>;

fn wish(form: Sent) -> Result<Wish, Problem> {
    let mut wish = Wish::default();
    for (name, text) in alerts::sent(form)? {
        match name.as_str() {
            "version" => wish.version = text,
            name if OTHER_FIELDS.contains(&name) => {}
            _ => {
                let value = wish.values.entry(name).or_default();
                if !value.is_empty() && !text.is_empty() {
                    value.push_str(", ");
                }
                value.push_str(&text);
            }
        }
    }
    Ok(wish)
}

fn desk(shared: &Shared) -> Result<Arc<dyn Settings>, Problem> {
    let settings = shared.dashboard.settings.as_ref();
    settings.map(Arc::clone).ok_or(Problem::NoPage)
}

/// The form once more, with what was wrong and the status that says so.
fn again(
    settings: &dyn Settings,
    frame: Frame,
    wish: &Wish,
    error: &SettingsError,
) -> Result<Response, Problem> {
    let mut response = page::html(&Page::of(settings, frame, wish, Some(error))?)?;
    *response.status_mut() = error.status();
    Ok(response)
}

/// `GET /settings`.
async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let settings = desk(&shared)?;
    blocking(move || page::html(&Page::of(&*settings, frame, &Wish::default(), None)?)).await
}

/// `GET` of what is only ever sent: a page that is loaded again, or whose languages are changed.
async fn begin() -> Redirect {
    Redirect::to("/settings")
}

/// `POST /settings/preview`: what would change.
async fn preview(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    form: Sent,
) -> Result<Response, Problem> {
    let (settings, wish) = (desk(&shared)?, wish(form)?);
    let looked = move || match settings.preview(&wish) {
        Ok(preview) => page::html(&PreviewPage {
            frame,
            file: settings.sheet().map(|it| it.file).unwrap_or_default(),
            version: wish.version,
            changes: preview.changes.iter().map(ChangeView::from).collect(),
            remarks: preview.remarks,
        }),
        Err(error) => again(&*settings, frame, &wish, &error),
    };
    blocking(looked).await
}

/// `POST /settings`: saves what was looked at.
async fn save(
    State(shared): State<Arc<Shared>>,
    who: Who,
    frame: Frame,
    form: Sent,
) -> Result<Response, Problem> {
    let (settings, wish) = (desk(&shared)?, wish(form)?);
    let now = shared.dashboard.clock.now();
    let saved = move || match settings.save(&wish, &who.name, &now) {
        Ok(()) => Ok(Redirect::to("/settings#waiting").into_response()),
        Err(error) => again(&*settings, frame, &wish, &error),
    };
    blocking(saved).await
}

/// `POST /settings/back`: the last good file again.
async fn back(
    State(shared): State<Arc<Shared>>,
    who: Who,
    frame: Frame,
    form: Sent,
) -> Result<Response, Problem> {
    let (settings, wish) = (desk(&shared)?, wish(form)?);
    let now = shared.dashboard.clock.now();
    let gone = move || match settings.go_back(&wish.version, &who.name, &now) {
        Ok(()) => Ok(Redirect::to("/settings#waiting").into_response()),
        Err(error) => again(&*settings, frame, &Wish::default(), &error),
    };
    blocking(gone).await
}

/// `POST /settings/restart`.
async fn restart(
    State(shared): State<Arc<Shared>>,
    who: Who,
    frame: Frame,
) -> Result<Response, Problem> {
    let settings = desk(&shared)?;
    let now = shared.dashboard.clock.now();
    let ended = move || match settings.restart(&who.name, &now) {
        Ok(()) => page::html(&RestartingPage { frame }),
        Err(error) => again(&*settings, frame, &Wish::default(), &error),
    };
    blocking(ended).await
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get("/settings", Right::Configure, show),
        post("/settings", Right::Configure, save),
        post("/settings/preview", Right::Configure, preview),
        get("/settings/preview", Right::Configure, begin),
        post("/settings/back", Right::Configure, back),
        get("/settings/back", Right::Configure, begin),
        post("/settings/restart", Right::Configure, restart),
        get("/settings/restart", Right::Configure, begin),
    ]
}
