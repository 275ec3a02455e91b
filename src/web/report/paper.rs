//! The report as files: PDF to print and sign, XLSX and CSV to reckon with. The same value as on the page.

use super::{Asked, Shared, Shown, Sought, asked, sent_view, words};
use crate::checklist::{Count, DailyReport, Duty, ItemLine, Progress};
use crate::clock::Stamp;
use crate::export::{self, Cell, Column, Document, ExportError, Font, Table};
use crate::text::{Note, Words};
use crate::web::problem::Problem;
use crate::web::state::SiteName;
use crate::web::when;
use crate::web::words::InWords as _;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// A kind of file.
struct Kind {
    ending: &'static str,
    media: &'static str,
    made: fn(&DailyReport, &Document) -> Result<Vec<u8>, ExportError>,
}

const PDF: Kind = Kind {
    ending: "pdf",
    media: "application/pdf",
    made: |_, document| export::pdf(document, &Font::installed()?),
};

const XLSX: Kind = Kind {
    ending: "xlsx",
    media: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    made: |_, document| export::xlsx(document),
};

const CSV: Kind = Kind {
    ending: "csv",
    media: "text/csv; charset=utf-8",
    made: |report, _| export::csv(&for_machines(report)),
};

/// A file of what is asked for.
async fn file(shared: &Shared, asked: Asked, kind: Kind) -> Result<Response, Problem> {
    let site = shared.dashboard.site.clone();
    let shown = shared.desk(move |desk, now| {
        let date = asked.date.map_or_else(|| desk.today(now), Ok)?;
        let log = desk.log(date)?;
        let shown = Shown::of(&log, asked.revision, now.wall);
        Ok(shown.map(|shown| {
            let document = document(&shown, &site, &now);
            let is_draft = shown.sent.is_none();
            (shown.report, document, is_draft)
        }))
    });
    let (report, document, is_draft) = shown.await?.ok_or(Problem::NoPage)?;
    let state = if is_draft { "-draft" } else { "" };
    let name = format!(
        "menshen-report-{}-r{}{state}.{}",
        report.date, report.revision, kind.ending
    );
    let bytes = crate::web::blocking(move || {
        (kind.made)(&report, &document).map_err(|error| Problem::NotDone(error.to_string()))
    });
    let headers = [
        (CONTENT_TYPE, kind.media.to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, bytes.await?).into_response())
}

/// `GET /report/{date}/pdf`.
pub(super) async fn pdf(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    which: Sought,
) -> Result<Response, Problem> {
    file(&shared, asked(&date, which)?, PDF).await
}

/// `GET /report/{date}/xlsx`.
pub(super) async fn xlsx(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    which: Sought,
) -> Result<Response, Problem> {
    file(&shared, asked(&date, which)?, XLSX).await
}

/// `GET /report/{date}/csv`.
pub(super) async fn csv(
    State(shared): State<Arc<Shared>>,
    Path(date): Path<String>,
    which: Sought,
) -> Result<Response, Problem> {
    file(&shared, asked(&date, which)?, CSV).await
}

/// The report for people.
fn document(shown: &Shown<'_>, site: &SiteName, now: &Stamp) -> Document {
    let it = &shown.report;
    let (date, revision) = (it.date, it.revision);
    let stamp = match shown.sent {
        None => export::words(
            &format!("草稿：第 {revision} 版，尚未提交"),
            &format!("draft of revision {revision}, not submitted"),
        ),
        Some(sent) => {
            let sent = sent_view(sent, now);
            let (by, at) = (sent.by, sent.at);
            export::words(
                &format!("第 {revision} 版，{by} 于 {at} 提交"),
                &format!("revision {revision}, submitted"),
            )
        }
    };
    let as_of = when::day_and_minute(it.as_of);
    Document {
        title: export::words(&format!("每日一报 {date}"), &format!("Daily report {date}")),
        stamp: Some(stamp),
        lines: vec![
            export::words(
                &format!("{} · {} · {}", site.street, site.building, site.gate),
                it.site.en(),
            ),
            export::words(
                &format!(
                    "{}清单第 {} 版，{as_of} 的情况",
                    it.site.zh(),
                    it.template_version
                ),
                &format!("list version {}, as things stood then", it.template_version),
            ),
        ],
        tables: tables(it),
        made: it.as_of,
    }
}

fn tables(it: &DailyReport) -> Vec<Table> {
    vec![
        by_category(it),
        late(it),
        failed(it),
        screened(it),
        alerts(it),
        colours(it),
        known(it),
        excused(it),
        gaps(it),
        notes(it),
        items(it),
    ]
}

fn table(zh: &str, en: &str, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table {
        name: export::words(zh, en),
        columns,
        rows,
    }
}

fn item_column() -> Column {
    Column::new("项目", "Item", 40)
}

fn time_column() -> Column {
    Column::new("第几次", "Time", 8)
}

fn by_category(it: &DailyReport) -> Table {
    let columns = vec![
        Column::new("类别", "Category", 26),
        Column::new("规定动作应做", "Required, due", 13),
        Column::new("完成", "Done", 10),
        Column::new("其中迟完成", "Of these late", 12),
        Column::new("逾期、漏查", "Overdue, missed", 13),
        Column::new("不合格", "Failed", 10),
        Column::new("自选动作应做", "Optional, due", 13),
        Column::new("完成", "Done", 10),
    ];
    let row = |name: Cell, required: Progress, optional: Progress| {
        let mut cells = vec![name];
        cells.extend(
            [
                required.asked(),
                required.done + required.late,
                required.late,
                required.overdue + required.missed,
                required.failed + optional.failed,
                optional.asked(),
                optional.done + optional.late,
            ]
            .map(|number| Cell::count(number.into())),
        );
        cells
    };
    let lines = it.categories().into_iter().map(|line| {
        let category = line.category;
        let name = Cell::words(category.zh(), category.en());
        row(name, line.required, line.optional)
    });
    let (required, optional) = (it.total(Duty::Required), it.total(Duty::Optional));
    let total = row(Cell::words("合计", "Total"), required, optional);
    table(
        "完成情况",
        "Completion",
        columns,
        lines.chain([total]).collect(),
    )
}

fn late(it: &DailyReport) -> Table {
    let numbers = |it: &ItemLine| [it.progress.late, it.progress.overdue, it.progress.missed];
    let late = it.items.iter().filter(|it| numbers(it) != [0; 3]);
    let rows = late.map(|line| {
        let mut cells = vec![Cell::Words(line.what.clone())];
        cells.extend(numbers(line).map(|number| Cell::count(number.into())));
        cells
    });
    let columns = vec![
        item_column(),
        count_column(Count::Late),
        count_column(Count::Overdue),
        count_column(Count::Missed),
    ];
    table("迟做、漏查", "Late and missed", columns, rows.collect())
}

fn count_column(count: Count) -> Column {
    Column::new(count.zh(), count.en(), 9)
}

fn failed(it: &DailyReport) -> Table {
    let columns = vec![
        item_column(),
        time_column(),
        Column::new("问题", "What failed", 24),
        Column::new("整改措施", "Action", 24),
        Column::new("期限", "Until", 14),
    ];
    let rows = it.failed.iter().map(|line| {
        vec![
            Cell::Words(it.words_of(&line.slot.item)),
            Cell::count(u64::from(line.slot.number) + 1),
            Cell::text(&line.why),
            Cell::text(&line.action),
            Cell::Text(when::day_and_minute(line.deadline)),
        ]
    });
    table(
        "不合格与整改",
        "Failures and actions",
        columns,
        rows.collect(),
    )
}

fn screened(it: &DailyReport) -> Table {
    let columns = vec![
        Column::new("体温筛查", "Screening", 40),
        Column::new("人数", "People", 20),
    ];
    let by_verdict = it.facts.by_verdict().into_iter();
    let rows = by_verdict.map(|(verdict, people)| {
        let words = verdict.words();
        vec![Cell::words(words.zh, words.en), Cell::count(people)]
    });
    let total = vec![
        Cell::words("合计", "Total"),
        Cell::count(it.facts.screened()),
    ];
    table(
        "体温筛查",
        "Screening, the gateway's own record",
        columns,
        rows.chain([total]).collect(),
    )
}

fn alerts(it: &DailyReport) -> Table {
    let columns = vec![
        Column::new("报警", "Alert", 12),
        Column::new("时间", "Raised", 18),
        Column::new("处置结果", "Outcome", 40),
    ];
    let rows = it.facts.alerts.iter().map(|alert| {
        let end = words::alert_end(alert.end);
        vec![
            Cell::text(&alert.id),
            Cell::Text(when::day_and_minute(alert.raised)),
            Cell::words(end.zh, end.en),
        ]
    });
    table("发热报警", "Alerts", columns, rows.collect())
}

fn colours(it: &DailyReport) -> Table {
    let columns = vec![
        Column::new("五色", "Colour", 40),
        Column::new("人数", "People", 20),
    ];
    let colours = it.facts.colours.iter();
    let rows = colours.map(|it| vec![Cell::Words(it.name.clone()), Cell::count(it.people)]);
    table("五色管理", "People by colour", columns, rows.collect())
}

fn known(it: &DailyReport) -> Table {
    let columns = vec![
        item_column(),
        Column::new("本机记录", "The gateway's record", 30),
    ];
    let rows = it.known.iter().map(|line| {
        let what = Cell::Words(it.words_of(&line.id));
        vec![what, Cell::Words(line.finding.words())]
    });
    table(
        "本机自动填写",
        "Filled in by the gateway",
        columns,
        rows.collect(),
    )
}

fn excused(it: &DailyReport) -> Table {
    let columns = vec![item_column(), time_column(), Column::new("原因", "Why", 40)];
    let rows = it.excused.iter().map(|line| {
        vec![
            Cell::Words(it.words_of(&line.slot.item)),
            Cell::count(u64::from(line.slot.number) + 1),
            Cell::text(&line.why),
        ]
    });
    table("不适用", "Not applicable", columns, rows.collect())
}

fn gaps(it: &DailyReport) -> Table {
    let columns = vec![
        Column::new("日期", "Day", 12),
        item_column(),
        Column::new("如何补上", "How", 40),
    ];
    let rows = it.gaps.iter().map(|line| {
        vec![
            Cell::text(&line.date),
            Cell::Words(it.words_of(&line.id)),
            Cell::text(&line.how),
        ]
    });
    table("补短板", "Gaps closed", columns, rows.collect())
}

fn notes(it: &DailyReport) -> Table {
    let columns = vec![
        Column::new("类型", "Kind", 14),
        Column::new("内容", "Text", 60),
    ];
    let row = |zh: &str, en: &str, note: &Note| vec![Cell::words(zh, en), Cell::text(note)];
    let innovations = it.innovations.iter();
    let innovations = innovations.map(|note| row("微创新", "Small innovation", note));
    let remarks = it.remarks.iter().map(|note| row("备注", "Remark", note));
    table(
        "微创新与备注",
        "Innovations and remarks",
        columns,
        innovations.chain(remarks).collect(),
    )
}

fn items(it: &DailyReport) -> Table {
    let mut columns = vec![
        item_column(),
        Column::new("类别", "Category", 16),
        Column::new("动作", "Duty", 11),
    ];
    columns.extend(Count::ALL.iter().map(|count| count_column(*count)));
    let rows = it.items.iter().map(|line| {
        let mut cells = vec![
            Cell::Words(line.what.clone()),
            Cell::words(line.category.zh(), line.category.en()),
            Cell::words(line.duty.zh(), line.duty.en()),
        ];
        cells.extend(counts(line));
        cells
    });
    table("全部项目", "All items", columns, rows.collect())
}

fn counts(line: &ItemLine) -> [Cell; 7] {
    let counts = line.progress.counts();
    counts.map(|(_, number)| Cell::count(number.into()))
}

/// The items as one table for other programs: days and sites can be put below each other.
fn for_machines(it: &DailyReport) -> Table {
    let same = |word: &str| Column {
        name: Words {
            zh: word.to_owned(),
            en: word.to_owned(),
        },
        share: 1,
    };
    let heads = ["date", "revision", "id", "category", "duty", "zh", "en"];
    let counts_of = Count::ALL.iter().map(|count| count.as_str());
    let rows = it.items.iter().map(|line| {
        let mut cells = vec![
            Cell::text(&it.date),
            Cell::count(it.revision.into()),
            Cell::text(&line.id),
            Cell::text(&line.category.as_str()),
            Cell::text(&line.duty.as_str()),
            Cell::text(&line.what.zh),
            Cell::text(&line.what.en),
        ];
        cells.extend(counts(line));
        cells
    });
    Table {
        name: export::words("全部项目", "All items"),
        columns: heads.into_iter().chain(counts_of).map(same).collect(),
        rows: rows.collect(),
    }
}
