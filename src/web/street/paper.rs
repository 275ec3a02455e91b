//! The office's report as files: PDF to print and sign, XLSX and CSV to reckon with. The same value as on the page.

use super::super::problem::Problem;
use super::super::rounds::day;
use super::super::when;
use super::super::words::Words;
use super::show::{self, ProgressView, words_of};
use super::{Office, daily};
use crate::export::{self, Cell, Column, Document, ExportError, Font, Table};
use crate::people::Colour;
use crate::street::{Daily, DayLine, Total};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// A kind of file: what it is called, and how it is made.
type Kind = (&'static str, fn(&Document) -> Result<Vec<u8>, ExportError>);

fn kind(ending: &str) -> Result<Kind, Problem> {
    match ending {
        "pdf" => Ok(("application/pdf", |it| export::pdf(it, &Font::installed()?))),
        "xlsx" => Ok((
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            export::xlsx,
        )),
        // One table, site by site: days can be put below each other.
        "csv" => Ok(("text/csv; charset=utf-8", |it| {
            it.tables.first().map_or(Ok(Vec::new()), export::csv)
        })),
        _ => Err(Problem::NoPage),
    }
}

/// `GET /report/{date}/{kind}`.
pub(super) async fn file(
    State(office): State<Arc<Office>>,
    Path((date, ending)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (date, (media, made)) = (day(&date)?, kind(&ending)?);
    let is_csv = ending == "csv";
    let name = format!("menshen-street-{}-{date}.{ending}", office.given.street);
    let bytes = office.make(move |office, seen| {
        let daily = daily::of(&office.given, seen, date)?;
        let document = if is_csv {
            for_machines(&daily)
        } else {
            document(&daily, &office.given.name)
        };
        made(&document).map_err(|error| Problem::NotDone(error.to_string()))
    });
    let headers = [
        (CONTENT_TYPE, media.to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, bytes.await?).into_response())
}

fn document(it: &Daily, street: &str) -> Document {
    let (date, total) = (it.date, &it.total);
    let made = when::day_and_minute(it.made);
    let missing = total.sites - total.reported;
    Document {
        title: export::words(
            &format!("{street} 每日一报 {date}"),
            &format!("Daily report of the street office, {date}"),
        ),
        stamp: (missing > 0).then(|| {
            export::words(
                &format!("缺 {missing} 个单位的日报，合计不含这些单位"),
                &format!("{missing} sites have not reported and are in no total"),
            )
        }),
        lines: vec![export::words(
            &format!(
                "{} 个单位中 {} 个有日报；{made} 的情况",
                total.sites, total.reported
            ),
            "as things stood then",
        )],
        tables: vec![
            sites(it),
            missing_sites(it),
            by_kind(it),
            screened(it),
            colours(it),
            gaps(it),
            failures(it),
            closed(it),
            innovations(it),
        ],
        made: it.made,
    }
}

fn table(zh: &str, en: &str, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table {
        name: export::words(zh, en),
        columns,
        rows,
    }
}

fn cell(words: Words) -> Cell {
    Cell::words(words.zh, words.en)
}

fn site_column() -> Column {
    Column::new("单位", "Site", 22)
}

fn number_columns() -> Vec<Column> {
    vec![
        Column::new("筛查人次", "People", 9),
        Column::new("其中疑似发热", "Possible fever", 10),
        Column::new("规定动作应做", "Required, due", 10),
        Column::new("完成", "Done", 8),
        Column::new("未做", "Not done", 8),
        Column::new("不合格", "Failed", 8),
        Column::new("自选动作应做", "Optional, due", 10),
        Column::new("完成", "Done", 8),
        Column::new("报警", "Alerts", 8),
        Column::new("未办结", "Open", 8),
    ]
}

fn numbers(it: &Total) -> Vec<Cell> {
    let (required, optional) = (
        ProgressView::from(it.required),
        ProgressView::from(it.optional),
    );
    let count = |n: u32| Cell::count(n.into());
    vec![
        Cell::count(it.screened.total()),
        Cell::count(it.screened.possible_fever),
        count(required.asked),
        count(required.done),
        count(required.not_done),
        count(required.failed),
        count(optional.asked),
        count(optional.done),
        Cell::count(it.alerts.0 as u64),
        Cell::count(it.alerts.1 as u64),
    ]
}

fn sites(it: &Daily) -> Table {
    let mut columns = vec![site_column(), Column::new("收到", "Received", 14)];
    columns.extend(number_columns());
    let rows = it.reported().map(|(line, day)| {
        let late = if day.late { "（迟） late" } else { "" };
        let at = format!("{}{late}", when::day_and_minute(day.received));
        let mut cells = vec![Cell::text(&line.name), Cell::Text(at)];
        cells.extend(numbers(&Total::of(line)));
        cells
    });
    table("各单位", "Site by site", columns, rows.collect())
}

fn missing_sites(it: &Daily) -> Table {
    let columns = vec![
        site_column(),
        Column::new("类型", "Kind", 20),
        Column::new("联系人", "Contact", 16),
        Column::new("电话", "Phone", 16),
    ];
    let rows = it.missing().map(|line| {
        let listed = line.listed.as_ref();
        let text = |it: Option<&String>| Cell::Text(it.cloned().unwrap_or_default());
        vec![
            Cell::text(&line.name),
            cell(show::kind(line.kind)),
            text(listed.and_then(|it| it.contact.as_ref())),
            text(listed.and_then(|it| it.phone.as_ref())),
        ]
    });
    table(
        "未收到日报的单位",
        "Sites without a report",
        columns,
        rows.collect(),
    )
}

fn by_kind(it: &Daily) -> Table {
    let mut columns = vec![
        Column::new("类型", "Kind", 22),
        Column::new("单位数", "Sites", 8),
        Column::new("有日报", "Reported", 8),
    ];
    columns.extend(number_columns());
    let row = |name: Cell, total: &Total| {
        let mut cells = vec![
            name,
            Cell::count(total.sites as u64),
            Cell::count(total.reported as u64),
        ];
        cells.extend(numbers(total));
        cells
    };
    let kinds = it.kinds.iter();
    let kinds = kinds.map(|(kind, total)| row(cell(show::kind(*kind)), total));
    let all = row(Cell::words("合计", "Total"), &it.total);
    table(
        "六类单位合计",
        "By kind of site",
        columns,
        kinds.chain([all]).collect(),
    )
}

fn screened(it: &Daily) -> Table {
    let columns = vec![
        Column::new("体温筛查", "Screening", 40),
        Column::new("人次", "People", 20),
    ];
    let rows = daily::by_verdict(it.total.screened).into_iter();
    let rows = rows.map(|(_, words, people)| vec![cell(words), Cell::count(people)]);
    table("体温筛查", "Screening", columns, rows.collect())
}

fn colours(it: &Daily) -> Table {
    let columns = vec![
        Column::new("五色", "Colour", 30),
        Column::new("人数", "People", 15),
        Column::new("另有单位只报“少量”", "More sites say only: a few", 25),
    ];
    let rows = show::colours(&it.total.colours).into_iter().map(|it| {
        vec![
            cell(it.words),
            Cell::count(it.people),
            Cell::count(it.somebody),
        ]
    });
    table("五色管理", "People by colour", columns, rows.collect())
}

fn gaps(it: &Daily) -> Table {
    let columns = vec![
        Column::new("项目", "Item", 36),
        Column::new("动作", "Duty", 10),
        Column::new("工作组", "Group", 14),
        Column::new("未做", "Not done", 8),
        Column::new("不合格", "Failed", 8),
        Column::new("单位", "Sites", 24),
    ];
    let rows = it.gaps.iter().map(|gap| {
        let progress = ProgressView::from(gap.progress);
        let at = gap.at.iter().filter_map(|at| it.sites.get(*at));
        let at: Vec<&str> = at.map(|it| it.name.as_str()).collect();
        vec![
            Cell::Words(gap.what.clone()),
            cell(words_of!(gap.duty)),
            cell(show::group(gap.group)),
            Cell::count(progress.not_done.into()),
            Cell::count(progress.failed.into()),
            Cell::Text(at.join("、")),
        ]
    });
    table("短板", "Gaps", columns, rows.collect())
}

fn failures(it: &Daily) -> Table {
    let columns = vec![
        site_column(),
        Column::new("问题", "What failed", 30),
        Column::new("整改措施", "Action", 30),
    ];
    let rows = it.failures().map(|(site, line)| {
        vec![
            Cell::text(&site.name),
            Cell::text(&line.text),
            Cell::Text(line.action.clone().unwrap_or_default()),
        ]
    });
    table(
        "不合格与整改",
        "Failures and actions",
        columns,
        rows.collect(),
    )
}

fn closed(it: &Daily) -> Table {
    let columns = vec![site_column(), Column::new("如何补上", "How", 60)];
    let rows = it
        .closed()
        .map(|(site, line)| vec![Cell::text(&site.name), Cell::text(&line.text)]);
    table("补短板", "Gaps closed", columns, rows.collect())
}

fn innovations(it: &Daily) -> Table {
    let columns = vec![site_column(), Column::new("内容", "Text", 60)];
    let rows = it
        .innovations()
        .map(|(site, text)| vec![Cell::text(&site.name), Cell::text(text)]);
    table("微创新", "Innovations", columns, rows.collect())
}

/// One line a site, for other programs.
fn for_machines(it: &Daily) -> Document {
    let heads = [
        "date",
        "building",
        "gate",
        "name",
        "kind",
        "reported",
        "late",
        "revision",
        "clear",
        "retest",
        "possible_fever",
        "cannot_judge",
        "required_due",
        "required_done",
        "required_failed",
        "optional_due",
        "optional_done",
        "optional_failed",
        "alerts",
        "alerts_open",
    ];
    let colours = Colour::ALL.iter().map(|it| it.as_str());
    let columns = heads.into_iter().chain(colours);
    let columns = columns.map(|word| Column::new(word, word, 1)).collect();
    Document {
        title: export::words("各单位", "Site by site"),
        stamp: None,
        lines: Vec::new(),
        tables: vec![Table {
            name: export::words("各单位", "Site by site"),
            columns,
            rows: it.sites.iter().map(|line| machine(it, line)).collect(),
        }],
        made: it.made,
    }
}

fn machine(it: &Daily, line: &DayLine) -> Vec<Cell> {
    let total = Total::of(line);
    let day = line.day.as_ref();
    let mut cells = vec![
        Cell::text(&it.date),
        Cell::text(&line.address.building),
        Cell::text(&line.address.gate),
        Cell::text(&line.name),
        Cell::text(&line.kind.map_or("", crate::checklist::SiteKind::as_str)),
        Cell::count(u64::from(day.is_some())),
        Cell::count(u64::from(day.is_some_and(|it| it.late))),
        Cell::count(day.map_or(0, |it| it.report.revision).into()),
    ];
    // What was not said is an empty field, and no nought.
    let number = |n: u64| day.map_or(Cell::Text(String::new()), |_| Cell::count(n));
    let screened = total.screened;
    cells.extend(
        [
            screened.clear,
            screened.retest,
            screened.possible_fever,
            screened.cannot_judge,
        ]
        .map(number),
    );
    for progress in [total.required, total.optional] {
        let view = ProgressView::from(progress);
        cells.extend([view.asked, view.done, view.failed].map(|n| number(n.into())));
    }
    cells.extend([total.alerts.0 as u64, total.alerts.1 as u64].map(number));
    for colour in Colour::ALL {
        let told = total.colours.get(colour).copied().unwrap_or_default();
        let few = told.exactly == 0 && told.somebody > 0;
        cells.push(if few {
            Cell::Text("few".to_owned())
        } else {
            number(told.exactly)
        });
    }
    cells
}
