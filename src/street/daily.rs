//! The office's own 每日一报: all sites of a day together, and what is missing by its name. Pure.
//!
//! It is reckoned from the reports that have come, whole ones only; a site without one is in `missing`, and in no
//! total. So a total is never smaller than it looks without the page saying of how many sites it is.

use super::book::Book;
use super::overview::{Listed, Row};
use super::said::{Colours, Report, ReportLine, Screened, together};
use crate::calendar::Date;
use crate::checklist::{Duty, Group, Progress, SiteKind, Template};
use crate::clock::WallTime;
use crate::mqtt::Address;
use crate::text::Words;
use std::collections::BTreeMap;

/// What an item is called, and which group of the office answers for it.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemWords {
    /// What to do.
    pub what: Words,
    /// Who in the office answers for it.
    pub group: Group,
}

/// The words of every item of the six lists.
#[derive(Clone, Debug, Default)]
pub struct Lists(BTreeMap<(SiteKind, String), ItemWords>);

impl Lists {
    /// From templates, oldest first: a later wording takes the place of an earlier one.
    #[must_use]
    pub fn of(templates: &[Template]) -> Self {
        let words = templates.iter().flat_map(|template| {
            template.items().iter().map(|item| {
                let words = ItemWords {
                    what: item.what.clone(),
                    group: item.group,
                };
                ((template.site, item.id.to_string()), words)
            })
        });
        Self(words.collect())
    }

    fn find(&self, kind: Option<SiteKind>, id: &str) -> Option<&ItemWords> {
        let of = |kind: SiteKind| self.0.get(&(kind, id.to_owned()));
        // An item has one name in all lists.
        kind.and_then(of)
            .or_else(|| SiteKind::ALL.iter().find_map(|kind| of(*kind)))
    }

    /// What an item is called; its id, where it is a site's own or of a newer list.
    #[must_use]
    pub fn words(&self, kind: Option<SiteKind>, id: &str) -> Words {
        self.find(kind, id).map_or_else(
            || Words {
                zh: id.to_owned(),
                en: id.to_owned(),
            },
            |it| it.what.clone(),
        )
    }

    /// Which group answers for it.
    #[must_use]
    pub fn group(&self, kind: Option<SiteKind>, id: &str) -> Option<Group> {
        self.find(kind, id).map(|it| it.group)
    }
}

/// A site on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct DayLine {
    /// Whose.
    pub address: Address,
    /// What people call it.
    pub name: String,
    /// What the office's list says.
    pub listed: Option<Listed>,
    /// Which kind.
    pub kind: Option<SiteKind>,
    /// What it reported; `None`: nothing, or not all of it.
    pub day: Option<Day>,
}

/// What a site reported of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Its report.
    pub report: Report,
    /// When that was here.
    pub received: WallTime,
    /// Whether that was after the hour.
    pub late: bool,
    /// Required items.
    pub required: Progress,
    /// Optional items.
    pub optional: Progress,
    /// Alerts without an outcome.
    pub open: usize,
}

/// Sites together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Total {
    /// Sites.
    pub sites: usize,
    /// Of these with a report.
    pub reported: usize,
    /// Of these after the hour.
    pub late: usize,
    /// People.
    pub screened: Screened,
    /// Required items.
    pub required: Progress,
    /// Optional items.
    pub optional: Progress,
    /// Alerts, and those without an outcome.
    pub alerts: (usize, usize),
    /// People by colour.
    pub colours: Colours,
}

impl Total {
    /// Of one site.
    #[must_use]
    pub fn of(line: &DayLine) -> Self {
        let mut total = Self::default();
        total.add(line);
        total
    }

    fn add(&mut self, line: &DayLine) {
        self.sites += 1;
        let Some(day) = &line.day else { return };
        self.reported += 1;
        self.late += usize::from(day.late);
        self.screened = self.screened.and(day.report.screened);
        self.required = together(self.required, day.required);
        self.optional = together(self.optional, day.optional);
        self.alerts.0 += day.report.alerts.len();
        self.alerts.1 += day.open;
        for (colour, told) in &day.report.colours {
            self.colours.entry(*colour).or_default().add(*told);
        }
    }
}

/// An item that is a gap: not done, or failed, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Which.
    pub id: String,
    /// What it is called.
    pub what: Words,
    /// Whether it may be left out.
    pub duty: Duty,
    /// Who in the office answers for it.
    pub group: Option<Group>,
    /// All sites together.
    pub progress: Progress,
    /// Places in [`Daily::sites`] of those where it is one.
    pub at: Vec<usize>,
}

/// All sites of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Daily {
    /// Which day.
    pub date: Date,
    /// When this was reckoned.
    pub made: WallTime,
    /// The sites, by name.
    pub sites: Vec<DayLine>,
    /// By kind; those whose kind is not known last.
    pub kinds: Vec<(Option<SiteKind>, Total)>,
    /// All of them.
    pub total: Total,
    /// What is not done or failed, the most widespread first, required before optional.
    pub gaps: Vec<Gap>,
}

impl Daily {
    /// A day's. `due`: after that a report of it was late.
    #[must_use]
    pub fn of(
        (book, rows): (&Book, &[Row]),
        (date, due): (Date, WallTime),
        lists: &Lists,
        made: WallTime,
    ) -> Self {
        let mut sites: Vec<DayLine> = rows.iter().map(|it| line(book, it, date, due)).collect();
        sites.sort_by(|a, b| a.name.cmp(&b.name));
        let mut total = Total::default();
        let mut kinds: BTreeMap<(bool, Option<SiteKind>), Total> = BTreeMap::new();
        for line in &sites {
            total.add(line);
            let key = (line.kind.is_none(), line.kind);
            kinds.entry(key).or_default().add(line);
        }
        Self {
            date,
            made,
            kinds: kinds
                .into_iter()
                .map(|((_, kind), it)| (kind, it))
                .collect(),
            total,
            gaps: gaps(&sites, lists),
            sites,
        }
    }

    /// Sites of which no report has come.
    pub fn missing(&self) -> impl Iterator<Item = &DayLine> {
        self.sites.iter().filter(|it| it.day.is_none())
    }

    /// Sites of which a report has come.
    pub fn reported(&self) -> impl Iterator<Item = (&DayLine, &Day)> {
        self.sites
            .iter()
            .filter_map(|it| Some((it, it.day.as_ref()?)))
    }

    /// 微创新, with whose they are.
    pub fn innovations(&self) -> impl Iterator<Item = (&DayLine, &String)> {
        let all = self.reported();
        all.flat_map(|(line, day)| day.report.innovations.iter().map(move |it| (line, it)))
    }

    /// Failures with what is done about them.
    pub fn failures(&self) -> impl Iterator<Item = (&DayLine, &ReportLine)> {
        let all = self.reported();
        all.flat_map(|(line, day)| day.report.failed.iter().map(move |it| (line, it)))
    }

    /// Gaps that were closed.
    pub fn closed(&self) -> impl Iterator<Item = (&DayLine, &ReportLine)> {
        let all = self.reported();
        all.flat_map(|(line, day)| day.report.gaps.iter().map(move |it| (line, it)))
    }
}

fn line(book: &Book, row: &Row, date: Date, due: WallTime) -> DayLine {
    let whole = book.page(&row.address).and_then(|it| it.report(date));
    let day = whole.map(|it| Day {
        received: it.received,
        late: it.received > due,
        required: it.report.total(Duty::Required),
        optional: it.report.total(Duty::Optional),
        open: it
            .report
            .alerts
            .iter()
            .filter(|(_, end)| end.is_none())
            .count(),
        report: it.report,
    });
    DayLine {
        address: row.address.clone(),
        name: row.name(),
        listed: row.listed.clone(),
        kind: row
            .kind
            .or_else(|| day.as_ref().and_then(|it| it.report.kind)),
        day,
    }
}

/// Whether an item is a gap.
const fn is_gap(it: Progress) -> bool {
    it.overdue > 0 || it.missed > 0 || it.failed > 0
}

fn gaps(sites: &[DayLine], lists: &Lists) -> Vec<Gap> {
    let mut gaps: BTreeMap<(&str, Duty), Gap> = BTreeMap::new();
    for (at, line) in sites.iter().enumerate() {
        let Some(day) = &line.day else { continue };
        for item in day.report.items.iter().filter(|it| is_gap(it.progress)) {
            let gap = gaps.entry((&item.id, item.duty)).or_insert_with(|| Gap {
                id: item.id.clone(),
                what: lists.words(line.kind, &item.id),
                duty: item.duty,
                group: lists.group(line.kind, &item.id),
                progress: Progress::default(),
                at: Vec::new(),
            });
            gap.progress = together(gap.progress, item.progress);
            gap.at.push(at);
        }
    }
    let mut gaps: Vec<Gap> = gaps.into_values().collect();
    gaps.sort_by(|a, b| {
        let key = |it: &Gap| (it.duty, std::cmp::Reverse(it.at.len()));
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
    gaps
}
