//! Lists of people that are read in: a file is laid on the tray, looked at column by column, tried, read in,
//! and taken back if it was the wrong one.
//!
//! There is one tray: two people who read lists in at once would not know whose people are whose. The file is
//! in memory only, never in a file that is not sealed, and goes when it was read in or after half an hour.
//! Trying and reading take a minute for 100 000 rows, so that they go on while the page tells how far they are.

use super::super::frame::Frame;
use super::super::problem::Problem;
use super::super::routes::{Entry, get, post, upload};
use super::super::who::Visit;
use super::super::{Shared, blocking, page, when};
use super::written::{Sent, Written};
use crate::clock::Stamp;
use crate::people::{
    Columns, DeskError, Field, Import, ImportId, ImportReport, ImportState, List, Source,
};
use crate::sheet::{self, SheetError};
use crate::staff::{Right, Who};
use crate::text::Note;
use askama::Template;
use axum::Extension;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where this page is.
const PATH: &str = "/people/lists";

/// How long a file lies on the tray.
const KEPT: Duration = Duration::from_mins(30);

/// What is done with the file, or was.
#[derive(Clone)]
enum Work {
    /// It waits for somebody to say what each column is.
    Waits,
    /// Rows that were looked at so far, and whether they are read in.
    Runs(Arc<AtomicU64>, bool),
    /// What came of it.
    Done(ImportReport),
    /// Why nothing came of it, in both languages.
    Failed(String),
}

/// A file that somebody laid on the tray.
#[derive(Clone)]
struct Sheet {
    name: Note,
    by: Note,
    source: Source,
    bytes: Arc<[u8]>,
    heading: Vec<String>,
    columns: Vec<Option<Field>>,
    since: Stamp,
    work: Work,
}

/// The tray.
#[derive(Default)]
pub(in crate::web) struct Tray(Mutex<Option<Sheet>>);

impl Tray {
    fn hold(&self) -> MutexGuard<'_, Option<Sheet>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What lies there; what lay too long is gone.
    fn now(&self, now: &Stamp) -> Option<Sheet> {
        let mut held = self.hold();
        let is_over = |sheet: &Sheet| {
            let lay = now.monotonic.saturating_sub(sheet.since.monotonic);
            lay > KEPT && !matches!(sheet.work, Work::Runs(..))
        };
        if held.as_ref().is_some_and(is_over) {
            *held = None;
        }
        held.clone()
    }

    fn ends(&self, work: Work) {
        if let Some(sheet) = self.hold().as_mut() {
            if matches!(&work, Work::Done(report) if report.id.is_some()) {
                // It is in the register now, sealed.
                sheet.bytes = Arc::from([]);
            }
            sheet.work = work;
        }
    }
}

/// A column, as somebody chooses what it is.
struct ColumnView {
    heading: String,
    field: Option<Field>,
}

impl ColumnView {
    fn is(&self, field: Field) -> bool {
        self.field == Some(field)
    }
}

/// What lies on the tray, as it is shown.
struct SheetView {
    name: String,
    by: String,
    source: Source,
    columns: Vec<ColumnView>,
    /// Whether it can be tried and read in.
    ready: bool,
    /// Rows so far, and whether they are being read in.
    runs: Option<(u64, bool)>,
    report: Option<ImportReport>,
    failed: Option<String>,
}

impl From<Sheet> for SheetView {
    fn from(sheet: Sheet) -> Self {
        let columns = sheet.heading.into_iter().zip(sheet.columns);
        let (mut runs, mut report, mut failed) = (None, None, None);
        match sheet.work {
            Work::Waits => {}
            Work::Runs(rows, reads) => runs = Some((rows.load(Ordering::Relaxed), reads)),
            Work::Done(it) => report = Some(it),
            Work::Failed(why) => failed = Some(why),
        }
        Self {
            name: sheet.name.to_string(),
            by: sheet.by.to_string(),
            source: sheet.source,
            columns: columns
                .map(|(heading, field)| ColumnView { heading, field })
                .collect(),
            ready: runs.is_none() && !sheet.bytes.is_empty(),
            runs,
            report,
            failed,
        }
    }
}

/// A list that was read in, as it is shown.
struct ImportView {
    id: u64,
    source: Source,
    by: String,
    at: String,
    taken: u64,
    refused: u64,
    state: ImportState,
}

#[derive(Template)]
#[template(path = "lists.html", config = "src/web/askama.toml")]
struct Page {
    frame: Frame,
    sheet: Option<SheetView>,
    fields: Vec<Field>,
    sources: Vec<Source>,
    imports: Vec<ImportView>,
    /// Why the last file was not taken, in both languages.
    refused: Option<String>,
    largest_mb: u64,
}

async fn build(shared: &Shared, frame: Frame, refused: Option<String>) -> Result<Page, Problem> {
    let now = shared.dashboard.clock.now();
    let view = |it: &Import| ImportView {
        id: it.id.0,
        source: it.source,
        by: it.by.to_string(),
        at: when::short(&it.at, &now),
        taken: it.taken,
        refused: it.refused,
        state: it.state,
    };
    let imports = shared.people(|desk, _| desk.lists()).await?;
    Ok(Page {
        frame,
        sheet: shared.tray.now(&now).map(SheetView::from),
        fields: Field::ALL.to_vec(),
        sources: Source::ALL
            .iter()
            .copied()
            .filter(|it| it.is_list())
            .collect(),
        imports: imports.iter().map(view).collect(),
        refused,
        largest_mb: sheet::LARGEST >> 20,
    })
}

/// `GET /people/lists`.
async fn lists(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    page::html(&build(&shared, frame, None).await?)
}

/// What a form with a file sent.
#[derive(Default)]
struct Upload {
    csrf: String,
    source: String,
    name: String,
    bytes: Vec<u8>,
}

const NOT_WHOLE: Problem = Problem::Incomplete(
    "文件没有传完。请重新选择文件再上传。",
    "The file did not arrive whole. Choose it again and send it again.",
);

fn broken(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::TooLarge;
    }
    NOT_WHOLE
}

impl Upload {
    async fn read(mut parts: Multipart) -> Result<Self, Problem> {
        let mut upload = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|it| broken(&it))? {
            let (name, file) = (
                part.name().unwrap_or_default().to_owned(),
                part.file_name().unwrap_or_default().to_owned(),
            );
            match name.as_str() {
                "csrf" => upload.csrf = part.text().await.map_err(|it| broken(&it))?,
                "source" => upload.source = part.text().await.map_err(|it| broken(&it))?,
                "file" => {
                    upload.name = file;
                    upload.bytes = part.bytes().await.map_err(|it| broken(&it))?.to_vec();
                }
                _ => {}
            }
        }
        Ok(upload)
    }

    /// As it lies on the tray.
    fn sheet(self, by: Note, since: Stamp) -> Result<Sheet, String> {
        let source = Source::parse(&self.source).filter(|it| it.is_list());
        let source = source.ok_or("请选择名单来源 say of which source the list is")?;
        let heading = sheet::read_from(Cursor::new(&self.bytes), |heading, _| heading)
            .map_err(|error: SheetError| error.to_string())?;
        Ok(Sheet {
            name: Note::name(&self.name).or(Note::name("名单")).ok_or("")?,
            by,
            source,
            columns: Columns::guess(&heading).fields().to_vec(),
            heading,
            bytes: self.bytes.into(),
            since,
            work: Work::Waits,
        })
    }
}

/// `POST /people/lists`: a file is laid on the tray.
async fn lay(
    State(shared): State<Arc<Shared>>,
    Extension(visit): Extension<Visit>,
    frame: Frame,
    who: Who,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let parts = parts.map_err(|_| NOT_WHOLE)?;
    let upload = Upload::read(parts).await?;
    visit.check(&upload.csrf)?;
    let now = shared.dashboard.clock.now();
    let laid = blocking(move || Ok(upload.sheet(who.name, now))).await?;
    let refused = match laid {
        Err(why) => why,
        Ok(sheet) => {
            let mut held = shared.tray.hold();
            if !matches!(held.as_ref().map(|it| &it.work), Some(Work::Runs(..))) {
                *held = Some(sheet);
                return Ok(Redirect::to(PATH).into_response());
            }
            "另一份名单正在读取，请稍候 another list is being read: wait until it is done"
                .to_owned()
        }
    };
    let page = page::html(&build(&shared, frame, Some(refused)).await?)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// What each column is, as somebody said.
fn columns(sent: &Written, number: usize) -> Result<Columns, Problem> {
    let field = |at: usize| Field::parse(sent.one(&format!("column-{at}")));
    Columns::of((0..number).map(field).collect()).ok_or(Problem::Incomplete(
        "请后退：同一项目不能对应两列。",
        "Go back: no two columns can be the same thing.",
    ))
}

/// `POST /people/lists/try` and `…/read`: begins, and the page tells how far it is.
fn begin(shared: &Arc<Shared>, who: Who, sent: Sent, reads: bool) -> Result<Response, Problem> {
    let sent = Written::new(sent);
    let desk = shared.dashboard.people.clone();
    let desk = desk.map_err(|why| Problem::Storage(why.to_string()))?;
    let rows = Arc::new(AtomicU64::new(0));
    let (list, bytes) = {
        let mut held = shared.tray.hold();
        let sheet = held.as_mut().filter(|it| !it.bytes.is_empty());
        let sheet = sheet.ok_or(Problem::NoPage)?;
        if matches!(sheet.work, Work::Runs(..)) {
            return Ok(Redirect::to(PATH).into_response());
        }
        let columns = columns(&sent, sheet.heading.len())?;
        sheet.columns = columns.fields().to_vec();
        sheet.work = Work::Runs(Arc::clone(&rows), reads);
        let list = List {
            source: sheet.source,
            columns,
            by: who.name,
        };
        (list, Arc::clone(&sheet.bytes))
    };
    let now = shared.dashboard.clock.now();
    let work = Arc::clone(shared);
    tokio::task::spawn_blocking(move || {
        let done = sheet::read_from(Cursor::new(bytes), |_, all| {
            let mut counted = all.inspect(|_| {
                rows.fetch_add(1, Ordering::Relaxed);
            });
            if reads {
                desk.import(&list, &mut counted, now, &mut |_| {})
            } else {
                desk.try_list(&list, &mut counted, now)
            }
        });
        work.tray.ends(match done {
            Ok(Ok(report)) => Work::Done(report),
            Ok(Err(error)) => Work::Failed(refusal(&error)),
            Err(error) => Work::Failed(error.to_string()),
        });
        if reads {
            (work.dashboard.after_record)();
        }
    });
    Ok(Redirect::to(PATH).into_response())
}

fn refusal(error: &DeskError) -> String {
    format!("{} {error}", super::super::words::people::refusal(error))
}

async fn try_it(
    State(shared): State<Arc<Shared>>,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    begin(&shared, who, sent, false)
}

async fn read_it(
    State(shared): State<Arc<Shared>>,
    who: Who,
    sent: Sent,
) -> Result<Response, Problem> {
    begin(&shared, who, sent, true)
}

/// `POST /people/lists/drop`: the tray is cleared.
async fn drop_it(State(shared): State<Arc<Shared>>) -> Response {
    let mut held = shared.tray.hold();
    if !matches!(held.as_ref().map(|it| &it.work), Some(Work::Runs(..))) {
        *held = None;
    }
    Redirect::to(PATH).into_response()
}

/// `POST /people/lists/{id}/undo`.
async fn undo(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    who: Who,
) -> Result<Response, Problem> {
    let id = ImportId(id.parse().map_err(|_| Problem::NoPage)?);
    shared
        .people_write(move |desk, now| desk.undo(id, &who.name, now))
        .await?;
    Ok(Redirect::to(PATH).into_response())
}

pub(super) fn routes() -> Vec<Entry> {
    vec![
        get(PATH, Right::RunPeople, lists),
        upload(PATH, Right::RunPeople, sheet::LARGEST, lay),
        post("/people/lists/try", Right::RunPeople, try_it),
        post("/people/lists/read", Right::RunPeople, read_it),
        post("/people/lists/drop", Right::RunPeople, drop_it),
        post("/people/lists/{id}/undo", Right::RunPeople, undo),
    ]
}
