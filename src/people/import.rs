//! Lists that are read in: which column is which field, what is wrong with a row, and what came of all of
//! them. Rows come in as values, one after another; whoever reads the file is elsewhere.

use super::field::{Field, FieldWrong, Said};
use super::source::ImportId;
use crate::calendar::Date;

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    /// What stands in it, column by column; or that it cannot be read, and why.
    pub cells: Result<Vec<String>, String>,
}

/// Which column is which field; a column that is none is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<Option<Field>>);

/// Words by which a heading is known, beside the field's own names.
const HEADINGS: &[(Field, &[&str])] = &[
    (Field::Name, &["名字", "人员姓名", "full name"]),
    (
        Field::Phone,
        &[
            "手机",
            "电话",
            "联系电话",
            "联系方式",
            "手机号",
            "mobile",
            "telephone",
        ],
    ),
    (
        Field::Company,
        &["公司", "工作单位", "企业", "所在单位", "employer"],
    ),
    (Field::Floor, &["楼层号", "层", "房号", "室号", "room"]),
    (
        Field::IdTail,
        &[
            "身份证后四位",
            "身份证后几位",
            "证件后几位",
            "id",
            "id tail",
        ],
    ),
    (
        Field::From,
        &["来源地", "出发地", "返沪前所在地", "所在地", "origin"],
    ),
    (
        Field::Expected,
        &["预计返沪时间", "预计返回日期", "拟返沪日期", "expected"],
    ),
    (
        Field::Arrived,
        &[
            "返沪时间",
            "抵沪日期",
            "到沪日期",
            "arrival date",
            "arrived",
        ],
    ),
    (
        Field::Travel,
        &["行程", "途经地", "旅行史", "travel history"],
    ),
    (
        Field::Symptoms,
        &["健康状况", "身体状况", "有无症状", "symptom"],
    ),
    (
        Field::Contact,
        &["有无接触", "密切接触", "接触情况", "contact history"],
    ),
];

impl Columns {
    /// What a list's heading says.
    #[must_use]
    pub fn guess(heading: &[String]) -> Self {
        let mut columns: Vec<Option<Field>> = Vec::new();
        for text in heading {
            let text = text
                .trim()
                .trim_matches(['*', '：', ':', '\u{feff}'])
                .trim();
            let known = |field: &&Field| {
                let others = HEADINGS
                    .iter()
                    .find(|it| it.0 == **field)
                    .map_or(&[][..], |it| it.1);
                [field.zh(), field.en(), field.as_str()]
                    .iter()
                    .chain(others)
                    .any(|name| text.eq_ignore_ascii_case(name))
            };
            let field = Field::ALL.iter().find(known).copied();
            // The first column of a field is it.
            columns.push(field.filter(|field| !columns.contains(&Some(*field))));
        }
        Self(columns)
    }

    /// As somebody said; `None` where a field is there twice.
    #[must_use]
    pub fn of(columns: Vec<Option<Field>>) -> Option<Self> {
        let twice = |field: &Field| {
            let same = columns.iter().filter(|it| **it == Some(*field));
            same.count() > 1
        };
        (!Field::ALL.iter().any(twice)).then_some(Self(columns))
    }

    /// Column by column.
    #[must_use]
    pub fn fields(&self) -> &[Option<Field>] {
        &self.0
    }

    /// The fields that a list must have and this one has not.
    #[must_use]
    pub fn lacking(&self) -> Vec<Field> {
        let lacks = |field: &&Field| !self.0.contains(&Some(**field));
        NEEDED.iter().filter(lacks).copied().collect()
    }

    /// What a row says. `None`: nothing at all.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(&self, row: &Row, today: Date) -> Result<Option<Said>, RowWrong> {
        let wrong = |what| RowWrong {
            line: row.line,
            what,
        };
        let cells = match &row.cells {
            Ok(cells) => cells,
            Err(why) => return Err(wrong(RowProblem::Unreadable(why.clone()))),
        };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        let beyond = cells.get(self.0.len()..).unwrap_or_default();
        if beyond.iter().any(|cell| !cell.trim().is_empty()) {
            return Err(wrong(RowProblem::TooManyCells(cells.len())));
        }
        let written = self
            .0
            .iter()
            .zip(cells)
            .filter_map(|(field, cell)| Some(((*field)?, cell.as_str())));
        let said = Said::read(written).map_err(|all| wrong(RowProblem::Fields(all)))?;
        let mut all = said.lacking(&NEEDED);
        all.extend(said.impossible_dates(today));
        if all.is_empty() {
            Ok(Some(said))
        } else {
            Err(wrong(RowProblem::Fields(all)))
        }
    }
}

/// What every row must say.
const NEEDED: [Field; 1] = [Field::Name];

/// A row that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowWrong {
    /// Its line.
    pub line: u64,
    /// What is wrong.
    pub what: RowProblem,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowProblem {
    /// It cannot be read.
    Unreadable(String),
    /// It has more cells than the heading.
    TooManyCells(usize),
    /// These fields.
    Fields(Vec<FieldWrong>),
}

impl std::fmt::Display for RowWrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.line;
        write!(f, "第{line}行 line {line}: ")?;
        match &self.what {
            RowProblem::Unreadable(why) => write!(f, "无法读取 cannot be read: {why}"),
            RowProblem::TooManyCells(cells) => write!(
                f,
                "共{cells}格，多于表头 has {cells} cells, more than the heading"
            ),
            RowProblem::Fields(all) => {
                for (n, wrong) in all.iter().enumerate() {
                    write!(f, "{}{wrong}", if n == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

/// What came, or would come, of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportReport {
    /// Its number; `None`: nothing was written.
    pub id: Option<ImportId>,
    /// People who were not known.
    pub new: u64,
    /// Rows of people who were known, with something new.
    pub known: u64,
    /// Rows that said nothing new.
    pub unchanged: u64,
    /// Rows of which a person is to decide whether they are of somebody who is known.
    pub doubtful: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// The first of those, [`ImportReport::SHOWN`] at most.
    pub wrong: Vec<RowWrong>,
}

impl ImportReport {
    /// How many wrong rows are shown: what somebody mends before they try again.
    pub const SHOWN: usize = 100;

    /// Rows that were taken.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.new + self.known + self.unchanged + self.doubtful
    }

    pub(super) fn refuse(&mut self, wrong: RowWrong) {
        self.refused += 1;
        if self.wrong.len() < Self::SHOWN {
            self.wrong.push(wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::Wrong;
    use super::*;

    fn row(line: u64, cells: &[&str]) -> Row {
        Row {
            line,
            cells: Ok(cells.iter().map(|it| (*it).to_owned()).collect()),
        }
    }

    fn columns(heading: &[&str]) -> Columns {
        let heading: Vec<String> = heading.iter().map(|it| (*it).to_owned()).collect();
        Columns::guess(&heading)
    }

    fn today() -> Date {
        "2020-02-10".parse().unwrap()
    }

    #[test]
    fn headings_of_many_hands_are_known() {
        let guessed = columns(&[
            "序号",
            "姓名*",
            "联系电话",
            "PHONE",
            "返沪时间",
            "备注",
            "\u{feff}单位",
        ]);
        assert_eq!(
            guessed.fields(),
            [
                None,
                Some(Field::Name),
                Some(Field::Phone),
                None,
                Some(Field::Arrived),
                None,
                Some(Field::Company)
            ]
        );
        assert_eq!(columns(&["电话"]).lacking(), [Field::Name]);
        let name = Some(Field::Name);
        assert_eq!(Columns::of(vec![name, None, name]), None);
    }

    #[test]
    fn each_row_says_what_is_wrong_with_it() {
        let columns = columns(&["姓名", "电话", "返沪日期"]);
        let wrong = |cells: &[&str]| columns.read(&row(7, cells), today()).unwrap_err();
        let fields = |all: &[(Field, Wrong)]| RowWrong {
            line: 7,
            what: RowProblem::Fields(
                all.iter()
                    .map(|(field, wrong)| FieldWrong {
                        field: *field,
                        wrong: *wrong,
                    })
                    .collect(),
            ),
        };
        assert_eq!(
            wrong(&["=1+1", "123", "2020-02-30"]),
            fields(&[
                (Field::Name, Wrong::NotAName),
                (Field::Phone, Wrong::NotAPhone),
                (Field::Arrived, Wrong::NotADate)
            ])
        );
        assert_eq!(
            wrong(&["", "13800138000", "2020-02-11"]),
            fields(&[
                (Field::Name, Wrong::Empty),
                (Field::Arrived, Wrong::ImpossibleDate)
            ])
        );
        let cells = wrong(&["王芳", "", "", "更多"]);
        assert_eq!(cells.what, RowProblem::TooManyCells(4));
        assert!(cells.to_string().starts_with("第7行 line 7:"), "{cells}");
        assert_eq!(columns.read(&row(8, &["", " "]), today()), Ok(None));
        let fine = columns.read(&row(9, &["王芳"]), today());
        assert!(fine.unwrap().is_some(), "cells at the end may be missing");
    }
}
